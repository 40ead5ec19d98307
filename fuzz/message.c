/*
 * base/message: the first byte of the input is a type, the rest its payload.
 * A payload is refused, with nothing set, or what comes out of it is in range
 * and inside the payload, and packs to the same bytes again.  Options, which
 * end some payloads, have more than one form: they pack to the one that
 * options_put gives them, and that packs to itself.  Of two payloads that are
 * accepted none begins with the other.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/message.h"

/* There and back: what was got, and what is made of it. */
struct trip {
    struct span payload;
    struct options options; /* the defaults, and what came along */
    struct bytes again;
};

/* A type of messages, a trip with one, and one that is right. */
struct row {
    enum message_type type;
    const char *name;
    /* Unpacks, looks at what came out, packs it.  What the unpacking said. */
    int (*travel)(struct trip *trip);
    void (*sample)(struct bytes *payload, const struct options *options);
    bool has_options; /* at the end of the payload */
};

/* What no unpacking would leave there, and it must where it refuses. */
enum { SOIL = 0xa5 };

static void
soil(void *out, size_t size)
{
    memset(out, SOIL, size);
}

static int
refused(int status, const void *out, size_t size)
{
    const uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++) {
        REQUIRE(bytes[i] == SOIL);
    }
    return status;
}

/* SPAN is empty, or lies inside what was unpacked. */
static void
require_inside(const struct trip *trip, struct span span)
{
    struct span payload = trip->payload;

    if (span.length > 0) {
        REQUIRE(span.data >= payload.data);
        REQUIRE(span.length <= payload.length);
        REQUIRE((size_t)(span.data - payload.data) <=
                payload.length - span.length);
    }
}

/* The same of TEXT with its NUL. */
static void
require_text(const struct trip *trip, const char *text)
{
    REQUIRE(text != NULL);
    require_inside(trip, (struct span){.data = (const uint8_t *)text,
                                       .length = strlen(text) + 1});
}

static const uint8_t blob[CHALLENGE_NONCE_LENGTH] = {0x00, 0xff, 0x05, 0x04};
static const struct span blob_span = {.data = blob, .length = sizeof(blob)};

static int
travel_request(struct trip *trip)
{
    struct request request;
    int status = 0;

    soil(&request, sizeof(request));
    status = request_unpack(trip->payload, MESSAGE_VERSION, &request,
                            &trip->options);
    if (status < 0) {
        return refused(status, &request, sizeof(request));
    }
    REQUIRE(request.job >= JOB_ACQUIRE && request.job < JOB_COUNT);
    REQUIRE(request.budget_ms > 0);
    require_text(trip, request.user);
    require_text(trip, request.cache);
    require_inside(trip, request.password);
    REQUIRE(request.password.length <= MESSAGE_ANSWER_MAX);
    REQUIRE(!span_has_nul(request.password));
    require_inside(trip, request.tickets);
    require_text(trip, request.service);
    require_text(trip, request.principal);
    REQUIRE(request.groups.count <= MESSAGE_GROUPS_MAX);
    request_pack(&trip->again, MESSAGE_VERSION, &request, &trip->options);
    return 0;
}

static void
sample_request(struct bytes *payload, const struct options *options)
{
    const struct request request = {
        .job = JOB_REPLACE,
        .budget_ms = 9876,
        .user = "alice",
        .has_account = true,
        .uid = 1000,
        .gid = 100,
        .in_session = true,
        .cache = "FILE:/tmp/krb5cc_1000",
        .password = {.data = (const uint8_t *)"s3cret", .length = 6},
        .tickets = blob_span,
        .service = "sshd",
        .principal = "alice/admin@PAM.TEST",
        .is_new_password = true,
        .groups = {.are_known = true, .count = 1, .list = {1000}},
    };

    request_pack(payload, MESSAGE_VERSION, &request, options);
}

static int
travel_greeting(struct trip *trip)
{
    int status = greeting_unpack(trip->payload, &trip->options);

    if (status == 0) {
        greeting_pack(&trip->again, &trip->options);
    }
    return status;
}

static void
sample_greeting(struct bytes *payload, const struct options *options)
{
    greeting_pack(payload, options);
}

static int
travel_prompts(struct trip *trip)
{
    struct prompts prompts;
    int status = 0;

    soil(&prompts, sizeof(prompts));
    status = prompts_unpack(trip->payload, &prompts);
    if (status < 0) {
        return refused(status, &prompts, sizeof(prompts));
    }
    REQUIRE(prompts.count <= MESSAGE_PROMPTS_MAX);
    for (uint32_t i = 0; i < prompts.count; i++) {
        require_text(trip, prompts.list[i].text);
    }
    prompts_pack(&trip->again, &prompts);
    return 0;
}

static void
sample_prompts(struct bytes *payload, const struct options *options)
{
    const struct prompts prompts = {
        .count = 2,
        .list = {{.text = "Password: ", .echo = false, .is_password = true},
                 {.text = "Token", .echo = true, .is_password = false}}};

    (void)options;
    prompts_pack(payload, &prompts);
}

static int
travel_answers(struct trip *trip)
{
    struct answers answers;
    int status = 0;

    soil(&answers, sizeof(answers));
    status = answers_unpack(trip->payload, &answers);
    if (status < 0) {
        return refused(status, &answers, sizeof(answers));
    }
    REQUIRE(answers.count <= MESSAGE_PROMPTS_MAX);
    for (uint32_t i = 0; i < answers.count; i++) {
        require_inside(trip, answers.list[i]);
        REQUIRE(answers.list[i].length <= MESSAGE_ANSWER_MAX);
    }
    answers_pack(&trip->again, &answers);
    return 0;
}

static void
sample_answers(struct bytes *payload, const struct options *options)
{
    static const uint8_t longest[MESSAGE_ANSWER_MAX];
    const struct answers answers = {
        .count = 3,
        .list = {blob_span,
                 {.data = NULL, .length = 0},
                 {.data = longest, .length = sizeof(longest)}}};

    (void)options;
    answers_pack(payload, &answers);
}

static int
travel_info(struct trip *trip)
{
    const char *text = NULL;
    int status = 0;

    soil(&text, sizeof(text));
    status = info_unpack(trip->payload, &text);
    if (status < 0) {
        return refused(status, &text, sizeof(text));
    }
    require_text(trip, text);
    info_pack(&trip->again, text);
    return 0;
}

static void
sample_info(struct bytes *payload, const struct options *options)
{
    (void)options;
    info_pack(payload, "Your password expires tomorrow");
}

static int
travel_note(struct trip *trip)
{
    struct note note;
    int status = 0;

    soil(&note, sizeof(note));
    status = note_unpack(trip->payload, &note);
    if (status < 0) {
        return refused(status, &note, sizeof(note));
    }
    REQUIRE((unsigned int)note.level < LOG_LEVEL_COUNT);
    require_text(trip, note.text);
    note_pack(&trip->again, &note);
    return 0;
}

static void
sample_note(struct bytes *payload, const struct options *options)
{
    const struct note note = {.level = LOG_LEVEL_NOTICE, .text = "a line"};

    (void)options;
    note_pack(payload, &note);
}

static int
travel_draw(struct trip *trip)
{
    struct draw draw;
    int status = 0;

    soil(&draw, sizeof(draw));
    status = draw_unpack(trip->payload, &draw);
    if (status < 0) {
        return refused(status, &draw, sizeof(draw));
    }
    require_text(trip, draw.pattern);
    draw_pack(&trip->again, &draw);
    return 0;
}

static void
sample_draw(struct bytes *payload, const struct options *options)
{
    const struct draw draw = {.pattern = "DIR::/tmp/krb5cc_1000/tktXXXXXX"};

    (void)options;
    draw_pack(payload, &draw);
}

static int
travel_name(struct trip *trip)
{
    struct cache_name name;
    int status = 0;

    soil(&name, sizeof(name));
    status = cache_name_unpack(trip->payload, &name);
    if (status < 0) {
        return refused(status, &name, sizeof(name));
    }
    require_text(trip, name.name);
    cache_name_pack(&trip->again, &name);
    return 0;
}

static void
sample_name(struct bytes *payload, const struct options *options)
{
    const struct cache_name name = {.name = "KCM:1000:77", .is_shared = true};

    (void)options;
    cache_name_pack(payload, &name);
}

static int
travel_description(struct trip *trip)
{
    struct description description;
    int status = 0;

    soil(&description, sizeof(description));
    status = description_unpack(trip->payload, &description);
    if (status < 0) {
        return refused(status, &description, sizeof(description));
    }
    require_text(trip, description.principal);
    description_pack(&trip->again, &description);
    return 0;
}

static void
sample_description(struct bytes *payload, const struct options *options)
{
    const struct description description = {
        .principal = "alice@EXAMPLE.COM",
        .start = 1700000000,
        .end = 1700036000,
        .renew_until = 1700600000,
    };

    (void)options;
    description_pack(payload, &description);
}

static int
travel_key(struct trip *trip)
{
    struct key key;
    int status = 0;

    soil(&key, sizeof(key));
    status = key_unpack(trip->payload, &key);
    if (status < 0) {
        return refused(status, &key, sizeof(key));
    }
    require_text(trip, key.principal);
    require_inside(trip, key.content);
    REQUIRE(key.content.length > 0);
    key_pack(&trip->again, &key);
    return 0;
}

static void
sample_key(struct bytes *payload, const struct options *options)
{
    const struct key key = {
        .principal = "host/a.example.com@EXAMPLE.COM",
        .enctype = 18,
        .content = blob_span,
    };

    (void)options;
    key_pack(payload, &key);
}

static int
travel_groups(struct trip *trip)
{
    struct groups groups;
    int status = 0;

    soil(&groups, sizeof(groups));
    status = groups_unpack(trip->payload, &groups);
    if (status < 0) {
        return refused(status, &groups, sizeof(groups));
    }
    REQUIRE(groups.count <= MESSAGE_GROUPS_MAX);
    groups_pack(&trip->again, &groups);
    return 0;
}

static void
sample_groups(struct bytes *payload, const struct options *options)
{
    const struct groups groups = {
        .are_known = true, .count = 2, .list = {1000, 27}};

    (void)options;
    groups_pack(payload, &groups);
}

static int
travel_result(struct trip *trip)
{
    struct result result;
    int status = 0;

    soil(&result, sizeof(result));
    status = result_unpack(trip->payload, MESSAGE_VERSION, &result);
    if (status < 0) {
        return refused(status, &result, sizeof(result));
    }
    REQUIRE((unsigned int)result.outcome < OUTCOME_COUNT);
    require_text(trip, result.detail);
    require_text(trip, result.principal);
    require_text(trip, result.cache);
    require_inside(trip, result.tickets);
    require_text(trip, result.local_user);
    result_pack(&trip->again, MESSAGE_VERSION, &result);
    return 0;
}

static void
sample_result(struct bytes *payload, const struct options *options)
{
    const struct result result = {.outcome = OUTCOME_CLOCK_SKEW,
                                  .detail = "20 minutes",
                                  .principal = "alice@EXAMPLE.COM",
                                  .cache = "",
                                  .tickets = blob_span,
                                  .local_user = "alice"};

    (void)options;
    result_pack(payload, MESSAGE_VERSION, &result);
}

static int
travel_begin(struct trip *trip)
{
    struct begin begin;
    int status = 0;

    soil(&begin, sizeof(begin));
    status = begin_unpack(trip->payload, &begin, &trip->options);
    if (status < 0) {
        return refused(status, &begin, sizeof(begin));
    }
    require_inside(trip, begin.tickets);
    require_inside(trip, begin.armor);
    require_text(trip, begin.challenge.service);
    require_inside(trip, begin.challenge.nonce);
    REQUIRE(begin.challenge.nonce.length ==
            (*begin.challenge.service == '\0' ? 0 : CHALLENGE_NONCE_LENGTH));
    REQUIRE(begin.count <= MESSAGE_NAMES_MAX);
    for (uint32_t i = 0; i < begin.count; i++) {
        require_text(trip, begin.names[i]);
    }
    require_text(trip, begin.account);
    begin_pack(&trip->again, &begin, &trip->options);
    return 0;
}

static void
sample_begin(struct bytes *payload, const struct options *options)
{
    const struct begin begin = {
        .tickets = blob_span,
        .armor = blob_span,
        .challenge = {.service = "host/www.example.com", .nonce = blob_span},
        .count = 2,
        .names = {"alice/root@PAM.TEST", "alice@PAM.TEST"},
        .account = "alice@PAM.TEST",
        .first_decides = true,
    };

    begin_pack(payload, &begin, options);
}

static int
travel_tickets(struct trip *trip)
{
    struct tickets_message tickets;
    int status = 0;

    soil(&tickets, sizeof(tickets));
    status = tickets_message_unpack(trip->payload, &tickets);
    if (status < 0) {
        return refused(status, &tickets, sizeof(tickets));
    }
    REQUIRE((unsigned int)tickets.outcome < OUTCOME_COUNT);
    require_text(trip, tickets.detail);
    require_inside(trip, tickets.tickets);
    tickets_message_pack(&trip->again, &tickets);
    return 0;
}

static void
sample_tickets(struct bytes *payload, const struct options *options)
{
    const struct tickets_message tickets = {.outcome = OUTCOME_WRONG_PASSWORD,
                                            .detail = "none",
                                            .tickets = blob_span};

    (void)options;
    tickets_message_pack(payload, &tickets);
}

static int
travel_challenge(struct trip *trip)
{
    struct challenge challenge;
    int status = 0;

    soil(&challenge, sizeof(challenge));
    status = challenge_unpack(trip->payload, &challenge);
    if (status < 0) {
        return refused(status, &challenge, sizeof(challenge));
    }
    require_text(trip, challenge.service);
    require_inside(trip, challenge.nonce);
    REQUIRE(challenge.nonce.length == CHALLENGE_NONCE_LENGTH);
    challenge_pack(&trip->again, &challenge);
    return 0;
}

static void
sample_challenge(struct bytes *payload, const struct options *options)
{
    const struct challenge challenge = {.service = "host/www.example.com",
                                        .nonce = blob_span};

    (void)options;
    challenge_pack(payload, &challenge);
}

static int
travel_proof(struct trip *trip)
{
    struct proof proof;
    int status = 0;

    soil(&proof, sizeof(proof));
    status = proof_unpack(trip->payload, &proof);
    if (status < 0) {
        return refused(status, &proof, sizeof(proof));
    }
    REQUIRE((unsigned int)proof.outcome < OUTCOME_COUNT);
    require_text(trip, proof.detail);
    require_inside(trip, proof.ap_req);
    proof_pack(&trip->again, &proof);
    return 0;
}

static void
sample_proof(struct bytes *payload, const struct options *options)
{
    const struct proof proof = {
        .outcome = OUTCOME_SUCCESS, .detail = "", .ap_req = blob_span};

    (void)options;
    proof_pack(payload, &proof);
}

/* clang-format off: a table. */
static const struct row rows[] = {
    {MESSAGE_REQUEST, "request", travel_request, sample_request, true},
    {MESSAGE_GREETING, "greeting", travel_greeting, sample_greeting, true},
    {MESSAGE_PROMPT, "prompt", travel_prompts, sample_prompts, false},
    {MESSAGE_ANSWER, "answer", travel_answers, sample_answers, false},
    {MESSAGE_INFO, "info", travel_info, sample_info, false},
    {MESSAGE_NOTE, "note", travel_note, sample_note, false},
    {MESSAGE_NAME, "name", travel_name, sample_name, false},
    {MESSAGE_DRAW, "draw", travel_draw, sample_draw, false},
    {MESSAGE_DESCRIPTION, "description", travel_description, sample_description,
     false},
    {MESSAGE_KEY, "key", travel_key, sample_key, false},
    {MESSAGE_GROUPS, "groups", travel_groups, sample_groups, false},
    {MESSAGE_RESULT, "result", travel_result, sample_result, false},
    {MESSAGE_BEGIN, "begin", travel_begin, sample_begin, true},
    {MESSAGE_TICKETS, "tickets", travel_tickets, sample_tickets, false},
    {MESSAGE_CHALLENGE, "challenge", travel_challenge, sample_challenge, false},
    {MESSAGE_PROOF, "proof", travel_proof, sample_proof, false},
};
/* clang-format on */

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* Types are numbered from 1 on: none is left out above. */
_Static_assert((int)ROW_COUNT == (int)MESSAGE_GROUPS, "a type has no row");

static const struct row *
row_of(uint8_t type)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((int)rows[i].type == type) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Numbers stay in range, also where the payload was refused behind them. */
static void
require_in_range(const struct options *options)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (table[i].type == OPTION_NUMBER) {
            int64_t number = 0;

            memcpy(&number, (const char *)options + table[i].offset,
                   sizeof(number));
            REQUIRE(number >= table[i].minimum && number <= table[i].maximum);
        }
    }
}

/* A trip with PAYLOAD; the caller ends it. */
static int
trip_make(struct trip *trip, const struct row *row, struct span payload)
{
    int status = 0;

    *trip = (struct trip){.payload = payload, .again = BYTES_EMPTY};
    REQUIRE(options_init(&trip->options) == 0);
    status = row->travel(trip);
    REQUIRE(status == 0 || status == -EBADMSG);
    REQUIRE(trip->again.error == 0);
    require_in_range(&trip->options);
    return status;
}

static void
trip_end(struct trip *trip)
{
    options_free(&trip->options);
    bytes_free(&trip->again);
}

/* What is before the options is the same; the whole packs to itself. */
static void
require_same_but_options(const struct trip *trip, const struct row *row)
{
    struct span again = bytes_span(&trip->again);
    struct bytes options = BYTES_EMPTY;
    struct trip next;

    options_put(&options, &trip->options);
    REQUIRE(again.length >= options.length);
    again.length -= options.length;
    REQUIRE(again.length <= trip->payload.length);
    REQUIRE(span_equal(again, (struct span){.data = trip->payload.data,
                                            .length = again.length}));
    bytes_free(&options);
    REQUIRE(trip_make(&next, row, bytes_span(&trip->again)) == 0);
    REQUIRE(span_equal(bytes_span(&next.again), next.payload));
    trip_end(&next);
}

/* A payload that was accepted is not, cut by a byte. */
static void
require_whole(const struct row *row, struct span payload)
{
    struct trip trip;

    if (payload.length == 0) {
        return;
    }
    payload.length--;
    REQUIRE(trip_make(&trip, row, payload) == -EBADMSG);
    trip_end(&trip);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct row *row = size > 0 ? row_of(data[0]) : NULL;
    struct trip trip;

    if (row == NULL) {
        return 0;
    }
    if (trip_make(&trip, row, (struct span){data + 1, size - 1}) == 0) {
        if (row->has_options) {
            require_same_but_options(&trip, row);
        } else {
            REQUIRE(span_equal(bytes_span(&trip.again), trip.payload));
        }
        require_whole(row, trip.payload);
    }
    trip_end(&trip);
    return 0;
}

static const char *
sample(size_t index, struct bytes *bytes)
{
    static const char *const given[] = {"realm=EXAMPLE.COM", "timeout=20",
                                        "debug=true", "forwardable=false"};
    struct bytes payload = BYTES_EMPTY;
    struct options options;
    struct trip trip;

    if (index >= ROW_COUNT) {
        return NULL;
    }
    REQUIRE(options_init(&options) == 0);
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
        REQUIRE(options_set(&options, OPTION_FROM_ARGUMENT, given[i]) == 0);
    }
    rows[index].sample(&payload, &options);
    REQUIRE(payload.error == 0);
    /* What is refused is a poor seed. */
    REQUIRE(trip_make(&trip, &rows[index], bytes_span(&payload)) == 0);
    trip_end(&trip);
    REQUIRE(bytes_reserve(bytes, payload.length + 1) == 0);
    bytes->data[0] = (uint8_t)rows[index].type;
    memcpy(bytes->data + 1, payload.data, payload.length);
    bytes->length = payload.length + 1;
    bytes_free(&payload);
    options_free(&options);
    return rows[index].name;
}

const struct fuzz_target fuzz_target = {.name = "message", .sample = sample};
