/*
 * base/message: every message there and back, and what unpacking makes of
 * messages that are cut, too long, or changed in any byte: it refuses them or
 * returns what is in range and inside the payload.  Payloads lie in memory
 * that ends where they end, so that a sanitizer notices a step beyond.
 */
#include "base/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

/* Room for what any message is unpacked into. */
union unpacked {
    struct request request;
    struct prompts prompts;
    struct answers answers;
    const char *text;
    struct note note;
    struct cache_name name;
    struct description description;
    struct key key;
    struct groups groups;
    struct draw draw;
    struct result result;
    struct begin begin;
    struct tickets_message tickets;
    struct challenge challenge;
    struct proof proof;
};

/* A kind of message: one that is right, and how it is unpacked and judged. */
struct kind {
    enum message_type type;
    const char *name;
    void (*pack)(struct bytes *payload);
    int (*unpack)(struct span payload, union unpacked *out,
                  struct options *options);
    /* What UNPACK returned must be true of whatever it accepts. */
    void (*judge)(struct span payload, const union unpacked *out);
};

static const uint8_t blob[] = {0x00, 0xff, 0x05, 0x04, 0x00};
static const struct span blob_span = {.data = blob, .length = sizeof(blob)};

static const uint8_t nonce[CHALLENGE_NONCE_LENGTH] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
static const struct span nonce_span = {.data = nonce, .length = sizeof(nonce)};

/*
 * What a sweep asks some hundred thousand times: unlike ck_assert it costs
 * nothing where HOLDS does.
 */
#define REQUIRE(holds)                                                         \
    do {                                                                       \
        if (!(holds)) {                                                        \
            ck_abort_msg("not so: %s", #holds);                                \
        }                                                                      \
    } while (0)

static struct options
default_options(void)
{
    struct options options;

    REQUIRE(options_init(&options) == 0);
    return options;
}

/* Options with one of each type given. */
static struct options
given_options(void)
{
    static const char *const texts[] = {"realm=EXAMPLE.COM", "timeout=20",
                                        "debug=true", "forwardable=false"};
    struct options options = default_options();

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_int_eq(options_set(&options, OPTION_FROM_ARGUMENT, texts[i]),
                         0);
    }
    return options;
}

static void
check_given_options(const struct options *options)
{
    struct options given = given_options();

    ck_assert_str_eq(options->realm, "EXAMPLE.COM");
    ck_assert_int_eq(options->timeout, 20);
    ck_assert(options->debug);
    ck_assert_uint_eq(options->given, given.given);
    options_free(&given);
}

/* SPAN lies inside PAYLOAD, or is empty. */
static void
check_inside(struct span payload, struct span span)
{
    if (span.length > 0) {
        REQUIRE(span.data >= payload.data);
        REQUIRE(span.length <= payload.length);
        REQUIRE((size_t)(span.data - payload.data) <=
                payload.length - span.length);
    }
}

/* TEXT with its NUL lies inside PAYLOAD. */
static void
check_text(struct span payload, const char *text)
{
    REQUIRE(text != NULL);
    check_inside(payload, (struct span){.data = (const uint8_t *)text,
                                        .length = strlen(text) + 1});
}

static void
check_outcome(enum outcome outcome)
{
    REQUIRE((unsigned int)outcome < OUTCOME_COUNT);
}

/* Numbers of OPTIONS are within their rows' ranges. */
static void
check_options(const struct options *options)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (table[i].type == OPTION_NUMBER) {
            int64_t number = 0;

            memcpy(&number, (const char *)options + table[i].offset,
                   sizeof(number));
            REQUIRE(number >= table[i].minimum);
            REQUIRE(number <= table[i].maximum);
        }
    }
}

static const struct request full_request = {
    .job = JOB_REPLACE,
    .budget_ms = 9876,
    .user = "alice",
    .has_account = true,
    .uid = 1000,
    .gid = UINT32_MAX,
    .in_session = true,
    .cache = "FILE:/tmp/krb5cc_1000",
    .password = {.data = (const uint8_t *)"s3cret", .length = 6},
    .tickets = {.data = blob, .length = sizeof(blob)},
    .service = "sshd",
    .principal = "alice/admin@EXAMPLE.COM",
    .is_new_password = true,
    .groups = {.are_known = true, .count = 2, .list = {100, UINT32_MAX}}};

static void
pack_request(struct bytes *payload)
{
    struct options options = given_options();

    request_pack(payload, MESSAGE_VERSION, &full_request, &options);
    options_free(&options);
}

static int
unpack_request(struct span payload, union unpacked *out,
               struct options *options)
{
    return request_unpack(payload, MESSAGE_VERSION, &out->request, options);
}

static void
judge_request(struct span payload, const union unpacked *out)
{
    const struct request *request = &out->request;

    REQUIRE(request->job >= JOB_ACQUIRE);
    REQUIRE(request->job < JOB_COUNT);
    REQUIRE(request->budget_ms > 0);
    check_text(payload, request->user);
    check_text(payload, request->cache);
    check_inside(payload, request->password);
    REQUIRE(request->password.length <= MESSAGE_ANSWER_MAX);
    REQUIRE(!span_has_nul(request->password));
    check_inside(payload, request->tickets);
}

static void
pack_greeting(struct bytes *payload)
{
    struct options options = given_options();

    greeting_pack(payload, &options);
    options_free(&options);
}

static int
unpack_greeting(struct span payload, union unpacked *out,
                struct options *options)
{
    (void)out;
    return greeting_unpack(payload, options);
}

static void
judge_greeting(struct span payload, const union unpacked *out)
{
    (void)payload;
    (void)out;
}

static const struct prompts full_prompts = {
    .count = 2,
    .list = {{.text = "Password: ", .echo = false, .is_password = true},
             {.text = "Token", .echo = true, .is_password = false}}};

static void
pack_prompts(struct bytes *payload)
{
    prompts_pack(payload, &full_prompts);
}

static int
unpack_prompts(struct span payload, union unpacked *out,
               struct options *options)
{
    (void)options;
    return prompts_unpack(payload, &out->prompts);
}

static void
judge_prompts(struct span payload, const union unpacked *out)
{
    REQUIRE(out->prompts.count <= MESSAGE_PROMPTS_MAX);
    for (uint32_t i = 0; i < out->prompts.count; i++) {
        check_text(payload, out->prompts.list[i].text);
    }
}

static void
pack_answers(struct bytes *payload)
{
    struct answers answers = {.count = 2,
                              .list = {blob_span, {.data = NULL, .length = 0}}};

    answers_pack(payload, &answers);
}

static int
unpack_answers(struct span payload, union unpacked *out,
               struct options *options)
{
    (void)options;
    return answers_unpack(payload, &out->answers);
}

static void
judge_answers(struct span payload, const union unpacked *out)
{
    REQUIRE(out->answers.count <= MESSAGE_PROMPTS_MAX);
    for (uint32_t i = 0; i < out->answers.count; i++) {
        check_inside(payload, out->answers.list[i]);
        REQUIRE(out->answers.list[i].length <= MESSAGE_ANSWER_MAX);
    }
}

static void
pack_info(struct bytes *payload)
{
    info_pack(payload, "Your password expires tomorrow");
}

static int
unpack_info(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return info_unpack(payload, &out->text);
}

static void
judge_info(struct span payload, const union unpacked *out)
{
    check_text(payload, out->text);
}

static void
pack_note(struct bytes *payload)
{
    note_pack(payload, &(struct note){.level = LOG_LEVEL_NOTICE, .text = "hm"});
}

static int
unpack_note(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return note_unpack(payload, &out->note);
}

static void
judge_note(struct span payload, const union unpacked *out)
{
    REQUIRE((unsigned int)out->note.level < LOG_LEVEL_COUNT);
    check_text(payload, out->note.text);
}

static void
pack_draw(struct bytes *payload)
{
    draw_pack(payload, &(struct draw){.pattern = "KCM:1000:XXXXXX"});
}

static int
unpack_draw(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return draw_unpack(payload, &out->draw);
}

static void
judge_draw(struct span payload, const union unpacked *out)
{
    check_text(payload, out->draw.pattern);
}

static void
pack_name(struct bytes *payload)
{
    cache_name_pack(payload, &(struct cache_name){.name = "KCM:1000:77",
                                                  .is_shared = true});
}

static int
unpack_name(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return cache_name_unpack(payload, &out->name);
}

static void
judge_name(struct span payload, const union unpacked *out)
{
    check_text(payload, out->name.name);
}

static void
pack_description(struct bytes *payload)
{
    description_pack(payload,
                     &(struct description){.principal = "alice@EXAMPLE.COM",
                                           .start = 1700000000,
                                           .end = 1700036000,
                                           .renew_until = 1700600000});
}

static int
unpack_description(struct span payload, union unpacked *out,
                   struct options *options)
{
    (void)options;
    return description_unpack(payload, &out->description);
}

static void
judge_description(struct span payload, const union unpacked *out)
{
    check_text(payload, out->description.principal);
}

static void
pack_key(struct bytes *payload)
{
    key_pack(payload, &(struct key){.principal = "host/a@EXAMPLE.COM",
                                    .enctype = 18,
                                    .content = blob_span});
}

static int
unpack_key(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return key_unpack(payload, &out->key);
}

static void
judge_key(struct span payload, const union unpacked *out)
{
    check_text(payload, out->key.principal);
    check_inside(payload, out->key.content);
    REQUIRE(out->key.content.length > 0);
}

static void
pack_groups(struct bytes *payload)
{
    groups_pack(payload, &(struct groups){
                             .are_known = true, .count = 2, .list = {7, 9}});
}

static int
unpack_groups(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return groups_unpack(payload, &out->groups);
}

static void
judge_groups(struct span payload, const union unpacked *out)
{
    (void)payload;
    REQUIRE(out->groups.count <= MESSAGE_GROUPS_MAX);
}

static void
pack_result(struct bytes *payload)
{
    result_pack(payload, MESSAGE_VERSION,
                &(struct result){.outcome = OUTCOME_CLOCK_SKEW,
                                 .detail = "20 minutes",
                                 .principal = "alice@EXAMPLE.COM",
                                 .cache = "",
                                 .tickets = blob_span,
                                 .local_user = "alice"});
}

static int
unpack_result(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return result_unpack(payload, MESSAGE_VERSION, &out->result);
}

static void
judge_result(struct span payload, const union unpacked *out)
{
    check_outcome(out->result.outcome);
    check_text(payload, out->result.detail);
    check_text(payload, out->result.principal);
    check_text(payload, out->result.cache);
    check_inside(payload, out->result.tickets);
    check_text(payload, out->result.local_user);
}

static void
pack_begin(struct bytes *payload)
{
    struct options options = given_options();

    begin_pack(payload,
               &(struct begin){.tickets = blob_span,
                               .armor = nonce_span,
                               .challenge = {"host/a@A", nonce_span},
                               .count = 2,
                               .names = {"first@A", "second@B"},
                               .account = "second@B",
                               .first_decides = true},
               &options);
    options_free(&options);
}

static int
unpack_begin(struct span payload, union unpacked *out, struct options *options)
{
    return begin_unpack(payload, &out->begin, options);
}

static void
judge_begin(struct span payload, const union unpacked *out)
{
    check_inside(payload, out->begin.tickets);
    check_inside(payload, out->begin.armor);
    check_text(payload, out->begin.challenge.service);
    check_inside(payload, out->begin.challenge.nonce);
    REQUIRE(out->begin.count <= MESSAGE_NAMES_MAX);
    for (uint32_t i = 0; i < out->begin.count; i++) {
        check_text(payload, out->begin.names[i]);
    }
    check_text(payload, out->begin.account);
}

static void
pack_tickets(struct bytes *payload)
{
    tickets_message_pack(
        payload, &(struct tickets_message){.outcome = OUTCOME_HELPER_FAILED,
                                           .detail = "none",
                                           .tickets = blob_span});
}

static int
unpack_tickets(struct span payload, union unpacked *out,
               struct options *options)
{
    (void)options;
    return tickets_message_unpack(payload, &out->tickets);
}

static void
judge_tickets(struct span payload, const union unpacked *out)
{
    check_outcome(out->tickets.outcome);
    check_text(payload, out->tickets.detail);
    check_inside(payload, out->tickets.tickets);
}

static void
pack_challenge(struct bytes *payload)
{
    challenge_pack(payload,
                   &(struct challenge){.service = "host/www.example.com",
                                       .nonce = nonce_span});
}

static int
unpack_challenge(struct span payload, union unpacked *out,
                 struct options *options)
{
    (void)options;
    return challenge_unpack(payload, &out->challenge);
}

static void
judge_challenge(struct span payload, const union unpacked *out)
{
    check_text(payload, out->challenge.service);
    check_inside(payload, out->challenge.nonce);
    REQUIRE(out->challenge.nonce.length == CHALLENGE_NONCE_LENGTH);
}

static void
pack_proof(struct bytes *payload)
{
    proof_pack(payload, &(struct proof){.outcome = OUTCOME_SUCCESS,
                                        .detail = "",
                                        .ap_req = blob_span});
}

static int
unpack_proof(struct span payload, union unpacked *out, struct options *options)
{
    (void)options;
    return proof_unpack(payload, &out->proof);
}

static void
judge_proof(struct span payload, const union unpacked *out)
{
    check_outcome(out->proof.outcome);
    check_text(payload, out->proof.detail);
    check_inside(payload, out->proof.ap_req);
}

#define KIND(type, room)                                                       \
    {                                                                          \
        type, #type, pack_##room, unpack_##room, judge_##room                  \
    }

static const struct kind kinds[] = {
    KIND(MESSAGE_REQUEST, request),
    KIND(MESSAGE_GREETING, greeting),
    KIND(MESSAGE_PROMPT, prompts),
    KIND(MESSAGE_ANSWER, answers),
    KIND(MESSAGE_INFO, info),
    KIND(MESSAGE_NOTE, note),
    KIND(MESSAGE_NAME, name),
    KIND(MESSAGE_DRAW, draw),
    KIND(MESSAGE_DESCRIPTION, description),
    KIND(MESSAGE_KEY, key),
    KIND(MESSAGE_GROUPS, groups),
    KIND(MESSAGE_RESULT, result),
    KIND(MESSAGE_BEGIN, begin),
    KIND(MESSAGE_TICKETS, tickets),
    KIND(MESSAGE_CHALLENGE, challenge),
    KIND(MESSAGE_PROOF, proof),
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static struct bytes
packed(const struct kind *kind)
{
    struct bytes payload = BYTES_EMPTY;

    kind->pack(&payload);
    REQUIRE(payload.error == 0);
    return payload;
}

/*
 * Unpacks LENGTH bytes at DATA from memory that ends with them and judges
 * what comes out; a refusal must leave the out-parameter alone.
 */
static int
try_unpack(const struct kind *kind, const uint8_t *data, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    struct span payload = {.data = copy, .length = length};
    struct options options = default_options();
    union unpacked out;
    union unpacked untouched;
    int status = 0;

    REQUIRE(copy != NULL);
    if (length > 0) {
        memcpy(copy, data, length);
    }
    memset(&out, 0x5a, sizeof(out));
    memset(&untouched, 0x5a, sizeof(untouched));
    status = kind->unpack(payload, &out, &options);
    if (status == 0) {
        kind->judge(payload, &out);
    } else {
        REQUIRE(status == -EBADMSG);
        REQUIRE(memcmp(&out, &untouched, sizeof(out)) == 0);
    }
    check_options(&options);
    options_free(&options);
    free(copy);
    return status;
}

static int
try_bytes(const struct kind *kind, const struct bytes *payload)
{
    REQUIRE(payload->error == 0);
    return try_unpack(kind, payload->data, payload->length);
}

/* The kind of messages of TYPE. */
static const struct kind *
kind_of(enum message_type type)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].type == type) {
            return &kinds[i];
        }
    }
    ck_abort_msg("message type %d has no case in this test", (int)type);
}

START_TEST(test_message_type_each_has_a_case)
{
    for (int type = MESSAGE_REQUEST; type <= MESSAGE_GROUPS; type++) {
        (void)kind_of((enum message_type)type);
    }
    ck_assert_int_eq(KIND_COUNT, MESSAGE_GROUPS);
}
END_TEST

START_TEST(test_message_numbers_on_the_wire_never_change)
{
    ck_assert_int_eq(MESSAGE_REQUEST, 1);
    ck_assert_int_eq(MESSAGE_GREETING, 2);
    ck_assert_int_eq(MESSAGE_RESULT, 9);
    ck_assert_int_eq(MESSAGE_PROOF, 13);
    ck_assert_int_eq(JOB_ACQUIRE, 1);
    ck_assert_int_eq(JOB_DESTROY, 5);
    ck_assert_int_eq(MESSAGE_DESCRIPTION, 14);
    ck_assert_int_eq(JOB_DESCRIBE, 6);
    ck_assert_int_eq(JOB_PROBE, 7);
    ck_assert_int_eq(MESSAGE_KEY, 15);
    ck_assert_int_eq(MESSAGE_GROUPS, 16);
    ck_assert_int_eq(LOG_LEVEL_ALERT, 0);
    ck_assert_int_eq(LOG_LEVEL_DEBUG, 4);
}
END_TEST

START_TEST(test_message_whole_is_accepted)
{
    struct bytes payload = packed(&kinds[_i]);

    ck_assert_int_eq(try_bytes(&kinds[_i], &payload), 0);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_cut_at_any_length_is_refused)
{
    struct bytes payload = packed(&kinds[_i]);

    for (size_t length = 0; length < payload.length; length++) {
        if (try_unpack(&kinds[_i], payload.data, length) != -EBADMSG) {
            ck_abort_msg("%s cut at %zu of %zu", kinds[_i].name, length,
                         payload.length);
        }
    }
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_with_a_byte_more_is_refused)
{
    struct bytes payload = packed(&kinds[_i]);

    ck_assert_int_eq(bytes_reserve(&payload, payload.length + 1), 0);
    payload.data[payload.length] = 0;
    payload.length++;
    ck_assert_int_eq(try_bytes(&kinds[_i], &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_with_any_byte_changed_stays_in_range)
{
    struct bytes payload = packed(&kinds[_i]);
    unsigned int refused = 0;

    for (size_t at = 0; at < payload.length; at++) {
        uint8_t was = payload.data[at];

        for (unsigned int value = 0; value < 256; value++) {
            payload.data[at] = (uint8_t)value;
            refused += try_bytes(&kinds[_i], &payload) < 0;
        }
        payload.data[at] = was;
    }
    /* Lengths alone make more than this. */
    ck_assert_uint_gt(refused, 255 * 3);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_changed_and_cut_stays_in_range)
{
    struct bytes payload = packed(&kinds[_i]);

    for (size_t at = 0; at < payload.length; at++) {
        payload.data[at] ^= 0x01;
        for (size_t length = 0; length <= payload.length; length++) {
            (void)try_unpack(&kinds[_i], payload.data, length);
        }
        payload.data[at] ^= 0x01;
    }
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_of_another_kind_stays_in_range)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct bytes payload = packed(&kinds[i]);

        (void)try_bytes(&kinds[_i], &payload);
        bytes_free(&payload);
    }
}
END_TEST

START_TEST(test_message_pack_that_fails_tells)
{
    struct bytes payload = BYTES_EMPTY;

    payload.error = -ENOMEM;
    kinds[_i].pack(&payload);
    ck_assert_int_eq(payload.error, -ENOMEM);
    ck_assert_uint_eq(payload.length, 0);
}
END_TEST

START_TEST(test_message_request_comes_back)
{
    struct options options = default_options();
    struct bytes payload = BYTES_EMPTY;
    struct request got;

    pack_request(&payload);
    ck_assert_int_eq(
        request_unpack(bytes_span(&payload), MESSAGE_VERSION, &got, &options),
        0);
    ck_assert_int_eq(got.job, JOB_REPLACE);
    ck_assert_int_eq(got.budget_ms, 9876);
    ck_assert_str_eq(got.user, "alice");
    ck_assert(got.has_account);
    ck_assert_uint_eq(got.uid, 1000);
    ck_assert_uint_eq(got.gid, UINT32_MAX);
    ck_assert_str_eq(got.cache, "FILE:/tmp/krb5cc_1000");
    ck_assert(got.in_session);
    ck_assert(span_equal(got.password, full_request.password));
    ck_assert(span_equal(got.tickets, blob_span));
    ck_assert_str_eq(got.service, "sshd");
    ck_assert_str_eq(got.principal, "alice/admin@EXAMPLE.COM");
    ck_assert(got.is_new_password);
    ck_assert(got.groups.are_known);
    ck_assert_uint_eq(got.groups.count, 2);
    ck_assert_uint_eq(got.groups.list[0], 100);
    ck_assert_uint_eq(got.groups.list[1], UINT32_MAX);
    check_given_options(&options);
    bytes_free(&payload);
    options_free(&options);
}
END_TEST

START_TEST(test_message_request_without_account_comes_back)
{
    struct options options = default_options();
    struct bytes payload = BYTES_EMPTY;
    struct request request = full_request;
    struct request got;

    request.has_account = false;
    request_pack(&payload, MESSAGE_VERSION, &request, &options);
    ck_assert_int_eq(
        request_unpack(bytes_span(&payload), MESSAGE_VERSION, &got, &options),
        0);
    ck_assert(!got.has_account);
    ck_assert_uint_eq(options.given, 0);
    bytes_free(&payload);
    options_free(&options);
}
END_TEST

/* REQUEST is refused, though nothing of it is cut. */
static void
check_request(const struct request *request, int expected)
{
    struct options options = default_options();
    struct bytes payload = BYTES_EMPTY;

    request_pack(&payload, MESSAGE_VERSION, request, &options);
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_REQUEST), &payload), expected);
    bytes_free(&payload);
    options_free(&options);
}

START_TEST(test_message_request_of_each_job_is_accepted)
{
    for (int job = JOB_ACQUIRE; job < JOB_COUNT; job++) {
        struct request request = full_request;

        request.job = (enum job)job;
        check_request(&request, 0);
    }
}
END_TEST

START_TEST(test_message_request_of_no_job_is_refused)
{
    struct request request = full_request;

    request.job = (enum job)0;
    check_request(&request, -EBADMSG);
    request.job = JOB_COUNT;
    check_request(&request, -EBADMSG);
}
END_TEST

START_TEST(test_message_request_without_time_is_refused)
{
    struct request request = full_request;

    request.budget_ms = 0;
    check_request(&request, -EBADMSG);
    request.budget_ms = -1;
    check_request(&request, -EBADMSG);
    request.budget_ms = 1;
    check_request(&request, 0);
}
END_TEST

START_TEST(test_message_request_with_too_long_a_password_is_refused)
{
    uint8_t password[MESSAGE_ANSWER_MAX + 1];
    struct request request = full_request;

    memset(password, 'p', sizeof(password));
    request.password =
        (struct span){.data = password, .length = MESSAGE_ANSWER_MAX};
    check_request(&request, 0);
    request.password.length = MESSAGE_ANSWER_MAX + 1;
    check_request(&request, -EBADMSG);
}
END_TEST

START_TEST(test_message_request_with_a_nul_in_the_password_is_refused)
{
    struct request request = full_request;

    request.password = blob_span;
    check_request(&request, -EBADMSG);
}
END_TEST

START_TEST(test_message_greeting_comes_back)
{
    struct options options = default_options();
    struct bytes payload = BYTES_EMPTY;

    pack_greeting(&payload);
    ck_assert_int_eq(greeting_unpack(bytes_span(&payload), &options), 0);
    check_given_options(&options);
    bytes_free(&payload);
    options_free(&options);
}
END_TEST

START_TEST(test_message_prompts_come_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct prompts got;

    pack_prompts(&payload);
    ck_assert_int_eq(prompts_unpack(bytes_span(&payload), &got), 0);
    ck_assert_uint_eq(got.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_str_eq(got.list[i].text, full_prompts.list[i].text);
        ck_assert_int_eq(got.list[i].echo, full_prompts.list[i].echo);
        ck_assert_int_eq(got.list[i].is_password,
                         full_prompts.list[i].is_password);
    }
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_prompts_of_the_most_come_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct prompts prompts = {.count = MESSAGE_PROMPTS_MAX};
    struct prompts got;

    for (uint32_t i = 0; i < MESSAGE_PROMPTS_MAX; i++) {
        prompts.list[i].text = "again";
    }
    prompts_pack(&payload, &prompts);
    ck_assert_int_eq(prompts_unpack(bytes_span(&payload), &got), 0);
    ck_assert_uint_eq(got.count, MESSAGE_PROMPTS_MAX);
    ck_assert_str_eq(got.list[MESSAGE_PROMPTS_MAX - 1].text, "again");
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_prompts_above_the_most_are_refused)
{
    struct bytes payload = BYTES_EMPTY;

    bytes_put_u32(&payload, MESSAGE_PROMPTS_MAX + 1);
    for (int i = 0; i < MESSAGE_PROMPTS_MAX + 1; i++) {
        bytes_put_string(&payload, "again");
        bytes_put_u16(&payload, 0);
        bytes_put_u16(&payload, 0);
    }
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_PROMPT), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_bool_that_is_neither_is_refused)
{
    struct bytes payload = BYTES_EMPTY;

    bytes_put_string(&payload, "FILE:/tmp/x");
    bytes_put_u16(&payload, 2);
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_NAME), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_answers_come_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct answers got;

    pack_answers(&payload);
    ck_assert_int_eq(answers_unpack(bytes_span(&payload), &got), 0);
    ck_assert_uint_eq(got.count, 2);
    ck_assert(span_equal(got.list[0], blob_span));
    ck_assert_uint_eq(got.list[1].length, 0);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_answers_above_the_most_are_refused)
{
    struct bytes payload = BYTES_EMPTY;

    bytes_put_u32(&payload, MESSAGE_PROMPTS_MAX + 1);
    for (int i = 0; i < MESSAGE_PROMPTS_MAX + 1; i++) {
        bytes_put_span(&payload, blob_span);
    }
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_ANSWER), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_answer_that_is_too_long_is_refused)
{
    uint8_t text[MESSAGE_ANSWER_MAX + 1];
    struct answers answers = {.count = 1};
    struct bytes payload = BYTES_EMPTY;

    memset(text, 'a', sizeof(text));
    answers.list[0] = (struct span){.data = text, .length = MESSAGE_ANSWER_MAX};
    answers_pack(&payload, &answers);
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_ANSWER), &payload), 0);
    bytes_free(&payload);
    answers.list[0].length++;
    answers_pack(&payload, &answers);
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_ANSWER), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_info_comes_back)
{
    struct bytes payload = BYTES_EMPTY;
    const char *got = NULL;

    pack_info(&payload);
    ck_assert_int_eq(info_unpack(bytes_span(&payload), &got), 0);
    ck_assert_str_eq(got, "Your password expires tomorrow");
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_note_of_each_level_comes_back)
{
    for (int level = 0; level < LOG_LEVEL_COUNT; level++) {
        struct bytes payload = BYTES_EMPTY;
        struct note note = {.level = (enum log_level)level, .text = "line"};
        struct note got;

        note_pack(&payload, &note);
        ck_assert_int_eq(note_unpack(bytes_span(&payload), &got), 0);
        ck_assert_int_eq(got.level, level);
        ck_assert_str_eq(got.text, "line");
        bytes_free(&payload);
    }
}
END_TEST

START_TEST(test_message_note_of_no_level_is_refused)
{
    struct bytes payload = BYTES_EMPTY;

    bytes_put_u16(&payload, LOG_LEVEL_COUNT);
    bytes_put_string(&payload, "line");
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_NOTE), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_draw_comes_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct draw got;

    draw_pack(&payload, &(struct draw){.pattern = "KCM:1000:XXXXXX"});
    ck_assert_int_eq(draw_unpack(bytes_span(&payload), &got), 0);
    ck_assert_str_eq(got.pattern, "KCM:1000:XXXXXX");
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_name_comes_back)
{
    for (int shared = 0; shared < 2; shared++) {
        struct bytes payload = BYTES_EMPTY;
        struct cache_name name = {.name = "DIR::/tmp/x/tkt",
                                  .is_shared = shared == 1};
        struct cache_name got;

        cache_name_pack(&payload, &name);
        ck_assert_int_eq(cache_name_unpack(bytes_span(&payload), &got), 0);
        ck_assert_str_eq(got.name, "DIR::/tmp/x/tkt");
        ck_assert_int_eq(got.is_shared, shared);
        bytes_free(&payload);
    }
}
END_TEST

START_TEST(test_message_key_comes_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct key got;

    pack_key(&payload);
    ck_assert_int_eq(key_unpack(bytes_span(&payload), &got), 0);
    ck_assert_str_eq(got.principal, "host/a@EXAMPLE.COM");
    ck_assert_uint_eq(got.enctype, 18);
    ck_assert(span_equal(got.content, blob_span));
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_key_without_content_is_refused)
{
    struct bytes payload = BYTES_EMPTY;
    struct key got;

    key_pack(&payload, &(struct key){.principal = "host/a", .enctype = 18});
    ck_assert_int_eq(key_unpack(bytes_span(&payload), &got), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_description_comes_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct description got;

    pack_description(&payload);
    ck_assert_int_eq(description_unpack(bytes_span(&payload), &got), 0);
    ck_assert_str_eq(got.principal, "alice@EXAMPLE.COM");
    ck_assert_int_eq(got.start, 1700000000);
    ck_assert_int_eq(got.end, 1700036000);
    ck_assert_int_eq(got.renew_until, 1700600000);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_result_of_each_outcome_comes_back)
{
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        struct bytes payload = BYTES_EMPTY;
        struct result result = {.outcome = (enum outcome)outcome,
                                .detail = "cause",
                                .principal = "alice@EXAMPLE.COM",
                                .cache = "FILE:/tmp/x",
                                .tickets = blob_span,
                                .local_user = "alice"};
        struct result got;

        result_pack(&payload, MESSAGE_VERSION, &result);
        ck_assert_int_eq(
            result_unpack(bytes_span(&payload), MESSAGE_VERSION, &got), 0);
        ck_assert_int_eq(got.outcome, outcome);
        ck_assert_str_eq(got.detail, "cause");
        ck_assert_str_eq(got.principal, "alice@EXAMPLE.COM");
        ck_assert_str_eq(got.cache, "FILE:/tmp/x");
        ck_assert(span_equal(got.tickets, blob_span));
        ck_assert_str_eq(got.local_user, "alice");
        bytes_free(&payload);
    }
}
END_TEST

/* To one who does not know what came with version 3, and from him. */
START_TEST(test_message_of_version_2_has_no_more_than_that)
{
    struct options options = default_options();
    struct bytes payload = BYTES_EMPTY;
    struct request request = {0};
    struct result result = {0};

    request_pack(&payload, 2, &full_request, &options);
    ck_assert_int_eq(request_unpack(bytes_span(&payload), MESSAGE_VERSION,
                                    &request, &options),
                     -EBADMSG);
    ck_assert_int_eq(
        request_unpack(bytes_span(&payload), 2, &request, &options), 0);
    ck_assert_str_eq(request.user, full_request.user);
    ck_assert_str_eq(request.service, "");
    ck_assert_str_eq(request.principal, "");
    ck_assert(!request.is_new_password);
    bytes_free(&payload);
    result_pack(&payload, 2,
                &(struct result){.detail = "",
                                 .principal = "alice@A",
                                 .cache = "",
                                 .local_user = "alice"});
    ck_assert_int_eq(
        result_unpack(bytes_span(&payload), MESSAGE_VERSION, &result),
        -EBADMSG);
    ck_assert_int_eq(result_unpack(bytes_span(&payload), 2, &result), 0);
    ck_assert_str_eq(result.principal, "alice@A");
    ck_assert_str_eq(result.local_user, "");
    bytes_free(&payload);
    options_free(&options);
}
END_TEST

START_TEST(test_message_finding_of_no_outcome_is_refused)
{
    static const enum message_type types[] = {MESSAGE_TICKETS, MESSAGE_PROOF};
    struct bytes payload = BYTES_EMPTY;

    bytes_put_u16(&payload, OUTCOME_COUNT);
    bytes_put_string(&payload, "");
    bytes_put_span(&payload, blob_span);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(try_bytes(kind_of(types[i]), &payload), -EBADMSG);
    }
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_result_of_no_outcome_is_refused)
{
    struct bytes payload = BYTES_EMPTY;

    bytes_put_u16(&payload, OUTCOME_COUNT);
    bytes_put_string(&payload, "");
    bytes_put_string(&payload, "");
    bytes_put_string(&payload, "");
    bytes_put_span(&payload, blob_span);
    bytes_put_string(&payload, "");
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_RESULT), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_begin_comes_back)
{
    struct options options = default_options();
    struct bytes payload = BYTES_EMPTY;
    struct begin got;

    pack_begin(&payload);
    ck_assert_int_eq(begin_unpack(bytes_span(&payload), &got, &options), 0);
    ck_assert(span_equal(got.tickets, blob_span));
    ck_assert(span_equal(got.armor, nonce_span));
    ck_assert_str_eq(got.challenge.service, "host/a@A");
    ck_assert(span_equal(got.challenge.nonce, nonce_span));
    ck_assert_uint_eq(got.count, 2);
    ck_assert_str_eq(got.names[0], "first@A");
    ck_assert_str_eq(got.names[1], "second@B");
    ck_assert_str_eq(got.account, "second@B");
    ck_assert(got.first_decides);
    check_given_options(&options);
    bytes_free(&payload);
    options_free(&options);
}
END_TEST

START_TEST(test_message_groups_come_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct groups got = {.are_known = false};

    pack_groups(&payload);
    ck_assert_int_eq(groups_unpack(bytes_span(&payload), &got), 0);
    ck_assert(got.are_known);
    ck_assert_uint_eq(got.count, 2);
    ck_assert_uint_eq(got.list[0], 7);
    ck_assert_uint_eq(got.list[1], 9);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_too_many_groups_are_refused)
{
    struct bytes payload = BYTES_EMPTY;

    bytes_put_u16(&payload, 1);
    bytes_put_u32(&payload, MESSAGE_GROUPS_MAX + 1);
    for (int i = 0; i < MESSAGE_GROUPS_MAX + 1; i++) {
        bytes_put_u32(&payload, 7);
    }
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_GROUPS), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_begin_with_too_many_names_is_refused)
{
    struct bytes payload = BYTES_EMPTY;

    bytes_put_span(&payload, blob_span);
    bytes_put_u32(&payload, MESSAGE_NAMES_MAX + 1);
    for (int i = 0; i < MESSAGE_NAMES_MAX + 1; i++) {
        bytes_put_string(&payload, "a@B");
    }
    bytes_put_string(&payload, "");
    bytes_put_u16(&payload, 0);
    bytes_put_u32(&payload, 0);
    ck_assert_int_eq(try_bytes(kind_of(MESSAGE_BEGIN), &payload), -EBADMSG);
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_tickets_come_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct tickets_message got;

    pack_tickets(&payload);
    ck_assert_int_eq(tickets_message_unpack(bytes_span(&payload), &got), 0);
    ck_assert_int_eq(got.outcome, OUTCOME_HELPER_FAILED);
    ck_assert_str_eq(got.detail, "none");
    ck_assert(span_equal(got.tickets, blob_span));
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_challenge_comes_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct challenge got;

    pack_challenge(&payload);
    ck_assert_int_eq(challenge_unpack(bytes_span(&payload), &got), 0);
    ck_assert_str_eq(got.service, "host/www.example.com");
    ck_assert(span_equal(got.nonce, nonce_span));
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_challenge_with_another_nonce_length_is_refused)
{
    static const uint8_t zeros[CHALLENGE_NONCE_LENGTH + 1] = {0};
    static const size_t lengths[] = {0, CHALLENGE_NONCE_LENGTH - 1,
                                     CHALLENGE_NONCE_LENGTH + 1};

    for (size_t i = 0; i < 3; i++) {
        struct bytes payload = BYTES_EMPTY;
        struct challenge challenge = {
            .service = "host/x",
            .nonce = {.data = zeros, .length = lengths[i]}};

        challenge_pack(&payload, &challenge);
        ck_assert_int_eq(try_bytes(kind_of(MESSAGE_CHALLENGE), &payload),
                         -EBADMSG);
        bytes_free(&payload);
    }
}
END_TEST

START_TEST(test_message_proof_comes_back)
{
    struct bytes payload = BYTES_EMPTY;
    struct proof proof = {.outcome = OUTCOME_DEADLINE,
                          .detail = "no ticket",
                          .ap_req = blob_span};
    struct proof got;

    proof_pack(&payload, &proof);
    ck_assert_int_eq(proof_unpack(bytes_span(&payload), &got), 0);
    ck_assert_int_eq(got.outcome, OUTCOME_DEADLINE);
    ck_assert_str_eq(got.detail, "no ticket");
    ck_assert(span_equal(got.ap_req, blob_span));
    bytes_free(&payload);
}
END_TEST

START_TEST(test_message_freed_is_empty)
{
    struct message message = {.payload = BYTES_EMPTY};

    ck_assert_int_eq(bytes_copy(&message.payload, blob_span), 0);
    message_free(&message);
    ck_assert_ptr_null(message.payload.data);
    message_free(&message);
}
END_TEST

/* Each of these runs once for each kind. */
static void
add_sweeps(Suite *suite)
{
    TCase *tcase = suite_case(suite, "sweeps");

    tcase_add_loop_test(tcase, test_message_whole_is_accepted, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, test_message_cut_at_any_length_is_refused, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, test_message_with_a_byte_more_is_refused, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase,
                        test_message_with_any_byte_changed_stays_in_range, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, test_message_changed_and_cut_stays_in_range, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, test_message_of_another_kind_stays_in_range, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, test_message_pack_that_fails_tells, 0,
                        KIND_COUNT);
}

static void
add_round_trips(Suite *suite)
{
    TCase *tcase = suite_case(suite, "round trips");

    tcase_add_test(tcase, test_message_type_each_has_a_case);
    tcase_add_test(tcase, test_message_numbers_on_the_wire_never_change);
    tcase_add_test(tcase, test_message_request_comes_back);
    tcase_add_test(tcase, test_message_request_without_account_comes_back);
    tcase_add_test(tcase, test_message_greeting_comes_back);
    tcase_add_test(tcase, test_message_prompts_come_back);
    tcase_add_test(tcase, test_message_prompts_of_the_most_come_back);
    tcase_add_test(tcase, test_message_answers_come_back);
    tcase_add_test(tcase, test_message_info_comes_back);
    tcase_add_test(tcase, test_message_note_of_each_level_comes_back);
    tcase_add_test(tcase, test_message_draw_comes_back);
    tcase_add_test(tcase, test_message_name_comes_back);
    tcase_add_test(tcase, test_message_description_comes_back);
    tcase_add_test(tcase, test_message_key_comes_back);
    tcase_add_test(tcase, test_message_key_without_content_is_refused);
    tcase_add_test(tcase, test_message_draw_comes_back);
    tcase_add_test(tcase, test_message_result_of_each_outcome_comes_back);
    tcase_add_test(tcase, test_message_begin_comes_back);
    tcase_add_test(tcase, test_message_groups_come_back);
    tcase_add_test(tcase, test_message_too_many_groups_are_refused);
    tcase_add_test(tcase, test_message_begin_with_too_many_names_is_refused);
    tcase_add_test(tcase, test_message_of_version_2_has_no_more_than_that);
    tcase_add_test(tcase, test_message_tickets_come_back);
    tcase_add_test(tcase, test_message_challenge_comes_back);
    tcase_add_test(tcase, test_message_proof_comes_back);
    tcase_add_test(tcase, test_message_freed_is_empty);
}

static void
add_limits(Suite *suite)
{
    TCase *tcase = suite_case(suite, "limits");

    tcase_add_test(tcase, test_message_request_of_each_job_is_accepted);
    tcase_add_test(tcase, test_message_request_of_no_job_is_refused);
    tcase_add_test(tcase, test_message_request_without_time_is_refused);
    tcase_add_test(tcase,
                   test_message_request_with_too_long_a_password_is_refused);
    tcase_add_test(tcase,
                   test_message_request_with_a_nul_in_the_password_is_refused);
    tcase_add_test(tcase, test_message_prompts_above_the_most_are_refused);
    tcase_add_test(tcase, test_message_bool_that_is_neither_is_refused);
    tcase_add_test(tcase, test_message_answers_above_the_most_are_refused);
    tcase_add_test(tcase, test_message_answer_that_is_too_long_is_refused);
    tcase_add_test(tcase, test_message_note_of_no_level_is_refused);
    tcase_add_test(tcase, test_message_finding_of_no_outcome_is_refused);
    tcase_add_test(tcase, test_message_result_of_no_outcome_is_refused);
    tcase_add_test(tcase,
                   test_message_challenge_with_another_nonce_length_is_refused);
}

int
main(void)
{
    Suite *suite = suite_create("message");

    add_sweeps(suite);
    add_round_trips(suite);
    add_limits(suite);
    return suite_main(suite);
}
