/* The helper protocol: packing beside unpacking. */
#include "base/message.h"

#include <errno.h>

void
message_free(struct message *message)
{
    bytes_free(&message->payload);
}

/* An outcome or level from outside is never used before it is in range. */
static uint16_t
read_below(struct reader *reader, unsigned int limit)
{
    uint16_t value = reader_u16(reader);

    if (value >= limit) {
        reader->failed = true;
        return 0;
    }
    return value;
}

static bool
read_bool(struct reader *reader)
{
    return read_below(reader, 2) == 1;
}

static void
put_groups(struct bytes *payload, const struct groups *groups)
{
    bytes_put_u16(payload, groups->are_known);
    bytes_put_u32(payload, groups->count);
    for (uint32_t i = 0; i < groups->count; i++) {
        bytes_put_u32(payload, groups->list[i]);
    }
}

/* More than there is room for fails. */
static struct groups
read_groups(struct reader *reader)
{
    struct groups groups = {.are_known = read_bool(reader)};

    groups.count = reader_u32(reader);
    if (groups.count > MESSAGE_GROUPS_MAX) {
        reader->failed = true;
        groups.count = 0;
    }
    for (uint32_t i = 0; i < groups.count; i++) {
        groups.list[i] = reader_u32(reader);
    }
    return groups;
}

void
groups_pack(struct bytes *payload, const struct groups *groups)
{
    put_groups(payload, groups);
}

int
groups_unpack(struct span payload, struct groups *groups_out)
{
    struct reader reader = reader_from(payload);
    struct groups groups = read_groups(&reader);
    int status = reader_end(&reader);

    if (status == 0) {
        *groups_out = groups;
    }
    return status;
}

/* TEXT, or "" where there is none. */
static void
put_text_if_any(struct bytes *payload, const char *text)
{
    bytes_put_string(payload, text == NULL ? "" : text);
}

void
request_pack(struct bytes *payload, uint16_t version,
             const struct request *request, const struct options *options)
{
    bytes_put_u16(payload, (uint16_t)request->job);
    bytes_put_i64(payload, request->budget_ms);
    bytes_put_string(payload, request->user);
    bytes_put_u16(payload, request->has_account);
    bytes_put_u32(payload, request->uid);
    bytes_put_u32(payload, request->gid);
    bytes_put_u16(payload, request->in_session);
    bytes_put_string(payload, request->cache);
    bytes_put_span(payload, request->password);
    bytes_put_span(payload, request->tickets);
    if (version >= 3) {
        put_text_if_any(payload, request->service);
        put_text_if_any(payload, request->principal);
        bytes_put_u16(payload, request->is_new_password);
        put_groups(payload, &request->groups);
    }
    options_put(payload, options);
}

int
request_unpack(struct span payload, uint16_t version,
               struct request *request_out, struct options *options)
{
    struct reader reader = reader_from(payload);
    struct request request = {.service = "", .principal = ""};
    int status = 0;

    request.job = (enum job)read_below(&reader, JOB_COUNT);
    request.budget_ms = reader_i64(&reader);
    request.user = reader_string(&reader);
    request.has_account = read_bool(&reader);
    request.uid = reader_u32(&reader);
    request.gid = reader_u32(&reader);
    request.in_session = read_bool(&reader);
    request.cache = reader_string(&reader);
    request.password = reader_span(&reader);
    request.tickets = reader_span(&reader);
    if (version >= 3) {
        request.service = reader_string(&reader);
        request.principal = reader_string(&reader);
        request.is_new_password = read_bool(&reader);
        request.groups = read_groups(&reader);
    }
    if (request.job == 0 || request.budget_ms <= 0 ||
        request.password.length > MESSAGE_ANSWER_MAX ||
        span_has_nul(request.password)) {
        return -EBADMSG;
    }
    status = options_read(options, &reader);
    if (status < 0) {
        return status;
    }
    status = reader_end(&reader);
    if (status == 0) {
        *request_out = request;
    }
    return status;
}

void
greeting_pack(struct bytes *payload, const struct options *options)
{
    options_put(payload, options);
}

int
greeting_unpack(struct span payload, struct options *options)
{
    struct reader reader = reader_from(payload);
    int status = options_read(options, &reader);

    return status < 0 ? status : reader_end(&reader);
}

void
prompts_pack(struct bytes *payload, const struct prompts *prompts)
{
    bytes_put_u32(payload, prompts->count);
    for (uint32_t i = 0; i < prompts->count; i++) {
        bytes_put_string(payload, prompts->list[i].text);
        bytes_put_u16(payload, prompts->list[i].echo);
        bytes_put_u16(payload, prompts->list[i].is_password);
    }
}

int
prompts_unpack(struct span payload, struct prompts *prompts_out)
{
    struct reader reader = reader_from(payload);
    struct prompts prompts = {0};
    int status = 0;

    prompts.count = reader_u32(&reader);
    if (prompts.count > MESSAGE_PROMPTS_MAX) {
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < prompts.count; i++) {
        prompts.list[i].text = reader_string(&reader);
        prompts.list[i].echo = read_bool(&reader);
        prompts.list[i].is_password = read_bool(&reader);
    }
    status = reader_end(&reader);
    if (status == 0) {
        *prompts_out = prompts;
    }
    return status;
}

void
answers_pack(struct bytes *payload, const struct answers *answers)
{
    bytes_put_u32(payload, answers->count);
    for (uint32_t i = 0; i < answers->count; i++) {
        bytes_put_span(payload, answers->list[i]);
    }
}

int
answers_unpack(struct span payload, struct answers *answers_out)
{
    struct reader reader = reader_from(payload);
    struct answers answers = {0};
    int status = 0;

    answers.count = reader_u32(&reader);
    if (answers.count > MESSAGE_PROMPTS_MAX) {
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < answers.count; i++) {
        answers.list[i] = reader_span(&reader);
        if (answers.list[i].length > MESSAGE_ANSWER_MAX) {
            return -EBADMSG;
        }
    }
    status = reader_end(&reader);
    if (status == 0) {
        *answers_out = answers;
    }
    return status;
}

void
info_pack(struct bytes *payload, const char *text)
{
    bytes_put_string(payload, text);
}

int
info_unpack(struct span payload, const char **text_out)
{
    struct reader reader = reader_from(payload);
    const char *text = reader_string(&reader);
    int status = reader_end(&reader);

    if (status == 0) {
        *text_out = text;
    }
    return status;
}

void
note_pack(struct bytes *payload, const struct note *note)
{
    bytes_put_u16(payload, (uint16_t)note->level);
    bytes_put_string(payload, note->text);
}

int
note_unpack(struct span payload, struct note *note_out)
{
    struct reader reader = reader_from(payload);
    struct note note = {0};
    int status = 0;

    note.level = (enum log_level)read_below(&reader, LOG_LEVEL_COUNT);
    note.text = reader_string(&reader);
    status = reader_end(&reader);
    if (status == 0) {
        *note_out = note;
    }
    return status;
}

void
draw_pack(struct bytes *payload, const struct draw *draw)
{
    bytes_put_string(payload, draw->pattern);
}

int
draw_unpack(struct span payload, struct draw *draw_out)
{
    return info_unpack(payload, &draw_out->pattern);
}

void
cache_name_pack(struct bytes *payload, const struct cache_name *name)
{
    bytes_put_string(payload, name->name);
    bytes_put_u16(payload, name->is_shared);
}

int
cache_name_unpack(struct span payload, struct cache_name *name_out)
{
    struct reader reader = reader_from(payload);
    struct cache_name name = {0};
    int status = 0;

    name.name = reader_string(&reader);
    name.is_shared = read_bool(&reader);
    status = reader_end(&reader);
    if (status == 0) {
        *name_out = name;
    }
    return status;
}

void
description_pack(struct bytes *payload, const struct description *description)
{
    bytes_put_string(payload, description->principal);
    bytes_put_i64(payload, description->start);
    bytes_put_i64(payload, description->end);
    bytes_put_i64(payload, description->renew_until);
}

int
description_unpack(struct span payload, struct description *description_out)
{
    struct reader reader = reader_from(payload);
    struct description description = {0};
    int status = 0;

    description.principal = reader_string(&reader);
    description.start = reader_i64(&reader);
    description.end = reader_i64(&reader);
    description.renew_until = reader_i64(&reader);
    status = reader_end(&reader);
    if (status == 0) {
        *description_out = description;
    }
    return status;
}

void
result_pack(struct bytes *payload, uint16_t version,
            const struct result *result)
{
    bytes_put_u16(payload, (uint16_t)result->outcome);
    bytes_put_string(payload, result->detail);
    bytes_put_string(payload, result->principal);
    bytes_put_string(payload, result->cache);
    bytes_put_span(payload, result->tickets);
    if (version >= 3) {
        put_text_if_any(payload, result->local_user);
    }
}

int
result_unpack(struct span payload, uint16_t version, struct result *result_out)
{
    struct reader reader = reader_from(payload);
    struct result result = {.local_user = ""};
    int status = 0;

    result.outcome = (enum outcome)read_below(&reader, OUTCOME_COUNT);
    result.detail = reader_string(&reader);
    result.principal = reader_string(&reader);
    result.cache = reader_string(&reader);
    result.tickets = reader_span(&reader);
    if (version >= 3) {
        result.local_user = reader_string(&reader);
    }
    status = reader_end(&reader);
    if (status == 0) {
        *result_out = result;
    }
    return status;
}

/* The service "" and no nonce: no challenge. */
static void
put_challenge(struct bytes *payload, const struct challenge *challenge)
{
    put_text_if_any(payload, challenge->service);
    bytes_put_span(payload, challenge->nonce);
}

static int
read_challenge(struct reader *reader, struct challenge *challenge_out)
{
    size_t length = 0;

    challenge_out->service = reader_string(reader);
    challenge_out->nonce = reader_span(reader);
    if (challenge_out->service != NULL && *challenge_out->service != '\0') {
        length = CHALLENGE_NONCE_LENGTH;
    }
    return challenge_out->nonce.length == length ? 0 : -EBADMSG;
}

void
begin_pack(struct bytes *payload, const struct begin *begin,
           const struct options *options)
{
    bytes_put_span(payload, begin->tickets);
    bytes_put_span(payload, begin->armor);
    put_challenge(payload, &begin->challenge);
    bytes_put_u32(payload, begin->count);
    for (uint32_t i = 0; i < begin->count; i++) {
        bytes_put_string(payload, begin->names[i]);
    }
    put_text_if_any(payload, begin->account);
    bytes_put_u16(payload, begin->first_decides);
    options_put(payload, options);
}

int
begin_unpack(struct span payload, struct begin *begin_out,
             struct options *options)
{
    struct reader reader = reader_from(payload);
    struct begin begin = {0};
    int status = 0;

    begin.tickets = reader_span(&reader);
    begin.armor = reader_span(&reader);
    if (read_challenge(&reader, &begin.challenge) < 0) {
        return -EBADMSG;
    }
    begin.count = reader_u32(&reader);
    if (begin.count > MESSAGE_NAMES_MAX) {
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < begin.count; i++) {
        begin.names[i] = reader_string(&reader);
    }
    begin.account = reader_string(&reader);
    begin.first_decides = read_bool(&reader);
    status = options_read(options, &reader);
    if (status == 0) {
        status = reader_end(&reader);
    }
    if (status == 0) {
        *begin_out = begin;
    }
    return status;
}

/* TICKETS and PROOF are alike on the wire: how it went, and bytes. */
static void
put_finding(struct bytes *payload, enum outcome outcome, const char *detail,
            struct span span)
{
    bytes_put_u16(payload, (uint16_t)outcome);
    bytes_put_string(payload, detail);
    bytes_put_span(payload, span);
}

static int
read_finding(struct span payload, struct tickets_message *finding_out)
{
    struct reader reader = reader_from(payload);
    struct tickets_message finding = {0};
    int status = 0;

    finding.outcome = (enum outcome)read_below(&reader, OUTCOME_COUNT);
    finding.detail = reader_string(&reader);
    finding.tickets = reader_span(&reader);
    status = reader_end(&reader);
    if (status == 0) {
        *finding_out = finding;
    }
    return status;
}

void
tickets_message_pack(struct bytes *payload,
                     const struct tickets_message *tickets)
{
    put_finding(payload, tickets->outcome, tickets->detail, tickets->tickets);
}

int
tickets_message_unpack(struct span payload, struct tickets_message *tickets_out)
{
    return read_finding(payload, tickets_out);
}

void
proof_pack(struct bytes *payload, const struct proof *proof)
{
    put_finding(payload, proof->outcome, proof->detail, proof->ap_req);
}

int
proof_unpack(struct span payload, struct proof *proof_out)
{
    struct tickets_message finding = {0};
    int status = read_finding(payload, &finding);

    if (status == 0) {
        *proof_out = (struct proof){.outcome = finding.outcome,
                                    .detail = finding.detail,
                                    .ap_req = finding.tickets};
    }
    return status;
}

void
key_pack(struct bytes *payload, const struct key *key)
{
    bytes_put_string(payload, key->principal);
    bytes_put_u32(payload, key->enctype);
    bytes_put_span(payload, key->content);
}

int
key_unpack(struct span payload, struct key *key_out)
{
    struct reader reader = reader_from(payload);
    struct key key = {0};
    int status = 0;

    key.principal = reader_string(&reader);
    key.enctype = reader_u32(&reader);
    key.content = reader_span(&reader);
    status = reader_end(&reader);
    if (status == 0 && key.content.length == 0) {
        status = -EBADMSG;
    }
    if (status == 0) {
        *key_out = key;
    }
    return status;
}

void
challenge_pack(struct bytes *payload, const struct challenge *challenge)
{
    put_challenge(payload, challenge);
}

int
challenge_unpack(struct span payload, struct challenge *challenge_out)
{
    struct reader reader = reader_from(payload);
    struct challenge challenge = {0};
    int status = read_challenge(&reader, &challenge);

    if (status == 0) {
        status = reader_end(&reader);
    }
    if (status == 0 && challenge.nonce.length == 0) {
        status = -EBADMSG;
    }
    if (status == 0) {
        *challenge_out = challenge;
    }
    return status;
}
