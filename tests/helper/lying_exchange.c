/*
 * An exchange that lies, in the place of src/helper/exchange.c: what a parser
 * bug in libkrb5 could make of the real one.  Talks to no KDC; the tickets it
 * offers are forged (helper/forge.h), so that each lie differs from the truth
 * by one thing.
 *
 * Which lie is told stands in the variable LIE: words, a value behind a colon,
 * commas between ("age:3600,offset:-3600").  LIE_KEYTAB names a keytab with
 * the keys that are forged with.
 *
 *   tickets   bob mixed no-tgt empty double planted anonymous unvalidated
 * many:N nothing garbage cut:N offset:S proof     of-bob of-anonymous age:S
 * start:S for:SERVICE other-nonce no-checksum unkeyed gss-checksum invalid
 * expired no-proof garbage-proof refuse:OUTCOME manners   say:OUTCOME prompts
 * notes infos half silence exit stranger huge type:N twice fake-line
 */
#include "helper/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/forge.h"
#include "krb/tickets.h"

#define NAME_SIZE 512
#define ANONYMOUS "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS"

/* Bytes of packed tickets before the client's name: layout, clock offset. */
#define OFFSET_AT 2
#define OFFSET_END 18

struct liar {
    struct line judge;
    struct log log;
    struct krb krb;
    const char *words; /* LIE */
    char realm[NAME_SIZE / 2];
    char client[NAME_SIZE]; /* who was asked for */
    char value[NAME_SIZE];  /* of the word that was told last */
};

/* The value of WORD ("" where it has none), or NULL where it is not told. */
static const char *
told(struct liar *liar, const char *word)
{
    size_t length = strlen(word);
    const char *at = liar->words;

    while (*at != '\0') {
        size_t whole = strcspn(at, ",");

        if (whole >= length && whole < NAME_SIZE &&
            strncmp(at, word, length) == 0 &&
            (whole == length || at[length] == ':')) {
            size_t from = whole == length ? whole : length + 1;

            memcpy(liar->value, at + from, whole - from);
            liar->value[whole - from] = '\0';
            return liar->value;
        }
        at += whole + (at[whole] == ',');
    }
    return NULL;
}

static int64_t
number(struct liar *liar, const char *word)
{
    const char *value = told(liar, word);

    return value == NULL ? 0 : strtoll(value, NULL, 10);
}

/* Ends, and says so in the log: this is no lie but a fault of the double. */
static void
give_up(const struct liar *liar, const char *what, krb5_error_code code)
{
    log_line(&liar->log, LOG_LEVEL_ERROR, "lying exchange: %s: %ld", what,
             (long)code);
    _exit(99);
}

static const char *
in_realm(const struct liar *liar, char buffer[NAME_SIZE], const char *name)
{
    if (strchr(name, '@') != NULL) {
        (void)snprintf(buffer, NAME_SIZE, "%.200s", name);
        return buffer;
    }
    (void)snprintf(buffer, NAME_SIZE, "%.200s@%s", name, liar->realm);
    return buffer;
}

/* Stores in CACHE a ticket of CLIENT for SERVICE that no KDC has seen. */
static void
store(struct liar *liar, krb5_ccache cache, const char *client,
      const char *service)
{
    const struct forge_ticket ticket = {
        .client = client,
        .server = service,
        .flags = TKT_FLG_INITIAL | TKT_FLG_RENEWABLE |
                 (told(liar, "unvalidated") != NULL ? TKT_FLG_INVALID : 0),
        .life_s = 36000,
    };
    krb5_creds *creds = NULL;
    krb5_error_code code = forge_creds(liar->krb.context, &ticket, &creds);

    if (code == 0) {
        code = krb5_cc_store_cred(liar->krb.context, cache, creds);
        krb5_free_creds(liar->krb.context, creds);
    }
    if (code != 0) {
        give_up(liar, service, code);
    }
}

static krb5_ccache
cache_of(struct liar *liar, const char *client)
{
    krb5_context context = liar->krb.context;
    krb5_principal principal = NULL;
    krb5_ccache cache = NULL;
    krb5_error_code code = krb5_parse_name(context, client, &principal);

    if (code == 0) {
        code = krb5_cc_new_unique(context, "MEMORY", NULL, &cache);
    }
    if (code == 0) {
        code = krb5_cc_initialize(context, cache, principal);
    }
    if (code != 0) {
        give_up(liar, client, code);
    }
    krb5_free_principal(context, principal);
    return cache;
}

/* Stores what is beside the TGT, or in its place. */
static void
store_others(struct liar *liar, krb5_ccache cache, const char *client)
{
    char name[NAME_SIZE];
    char bob[NAME_SIZE];
    int64_t many = number(liar, "many");

    if (told(liar, "mixed") != NULL) {
        store(liar, cache, in_realm(liar, bob, "bob"),
              in_realm(liar, name, "app/service.test"));
    }
    if (told(liar, "planted") != NULL || told(liar, "no-tgt") != NULL) {
        store(liar, cache, client, in_realm(liar, name, "app/service.test"));
    }
    for (int64_t i = 0; i < many; i++) {
        char service[64];

        (void)snprintf(service, sizeof(service), "s/%lld", (long long)i);
        store(liar, cache, client, in_realm(liar, name, service));
    }
}

/* Puts the clock offset that is told into PACKED, which has another. */
static void
shift_clock(struct liar *liar, struct bytes *packed)
{
    struct bytes shifted = BYTES_EMPTY;

    bytes_put_i64(&shifted, number(liar, "offset"));
    bytes_put_i64(&shifted, 0);
    memcpy(packed->data + OFFSET_AT, shifted.data, OFFSET_END - OFFSET_AT);
    bytes_free(&shifted);
}

/* The tickets that are offered, packed. */
static void
pack_tickets(struct liar *liar, struct bytes *packed)
{
    bool is_anonymous = told(liar, "anonymous") != NULL;
    const char *client = is_anonymous ? ANONYMOUS : liar->client;
    const char *realm = NULL;
    char bob[NAME_SIZE];
    char tgs[NAME_SIZE];
    krb5_ccache cache = NULL;

    if (told(liar, "bob") != NULL) {
        client = in_realm(liar, bob, "bob");
    }
    realm = strrchr(client, '@') + 1;
    cache = cache_of(liar, client);
    (void)snprintf(tgs, sizeof(tgs), "krbtgt/%.200s@%.200s", realm, realm);
    if (told(liar, "no-tgt") == NULL && told(liar, "empty") == NULL) {
        store(liar, cache, client, tgs);
    }
    if (told(liar, "double") != NULL) {
        store(liar, cache, client, tgs);
    }
    store_others(liar, cache, client);
    if (tickets_pack_cache(&liar->krb, cache, packed) != OUTCOME_SUCCESS) {
        give_up(liar, liar->krb.detail, 0);
    }
    (void)krb5_cc_destroy(liar->krb.context, cache);
    shift_clock(liar, packed);
}

static void
send_tickets(struct liar *liar)
{
    static const char garbage[] = "this is no ticket, whatever it looks like";
    struct bytes packed = BYTES_EMPTY;
    struct bytes payload = BYTES_EMPTY;
    struct tickets_message message = {
        .outcome = (enum outcome)number(liar, "say"), .detail = ""};
    char detail[NAME_SIZE] = "";

    if (message.outcome == OUTCOME_SUCCESS) {
        pack_tickets(liar, &packed);
        message.tickets = bytes_span(&packed);
    }
    if (told(liar, "detail") != NULL) {
        (void)snprintf(detail, sizeof(detail), "%.200s", told(liar, "detail"));
        message.detail = detail;
    }
    if (told(liar, "nothing") != NULL) {
        message.tickets.length = 0;
    } else if (told(liar, "garbage") != NULL) {
        message.tickets = span_from_text(garbage);
    } else if (told(liar, "cut") != NULL) {
        message.tickets.length = (size_t)number(liar, "cut");
    }
    tickets_message_pack(&payload, &message);
    line_send(&liar->judge, MESSAGE_TICKETS, &payload);
    if (told(liar, "twice") != NULL) {
        line_send(&liar->judge, MESSAGE_TICKETS, &payload);
    }
    bytes_free(&payload);
    bytes_free(&packed);
}

/* The ticket for SERVICE that the AP-REQ is made with. */
static krb5_creds *
proof_creds(struct liar *liar, const char *service)
{
    bool is_expired = told(liar, "expired") != NULL;
    char client[NAME_SIZE];
    char server[NAME_SIZE];
    struct forge_ticket ticket = {
        .client = liar->client,
        .server = service,
        .keytab = getenv("LIE_KEYTAB"),
        .flags = told(liar, "invalid") != NULL ? TKT_FLG_INVALID : 0,
        .age_s = is_expired ? 36000 : number(liar, "age"),
        .life_s = is_expired ? -18000 : 3600,
    };
    const char *other = NULL;
    krb5_creds *creds = NULL;
    krb5_error_code code = 0;

    ticket.start_age_s =
        told(liar, "start") != NULL ? number(liar, "start") : ticket.age_s;
    other = told(liar, "for");
    if (other != NULL) {
        ticket.server = in_realm(liar, server, other);
    }
    if (told(liar, "of-bob") != NULL) {
        ticket.client = in_realm(liar, client, "bob");
    } else if (told(liar, "of-anonymous") != NULL) {
        ticket.client = ANONYMOUS;
    }
    code = forge_creds(liar->krb.context, &ticket, &creds);
    if (code != 0) {
        give_up(liar, ticket.server, code);
    }
    return creds;
}

static enum forge_checksum
checksum_kind(struct liar *liar)
{
    if (told(liar, "no-checksum") != NULL) {
        return FORGE_NONE;
    }
    if (told(liar, "unkeyed") != NULL) {
        return FORGE_UNKEYED;
    }
    return told(liar, "gss-checksum") != NULL ? FORGE_GSS : FORGE_KEYED;
}

/* An AP-REQ over the nonce of CHALLENGE, or over that of another day. */
static krb5_data *
make_ap_req(struct liar *liar, const struct challenge *challenge)
{
    char old_nonce[CHALLENGE_NONCE_LENGTH] = "captured before";
    bool is_old = told(liar, "other-nonce") != NULL;
    struct forge_request request = {
        .creds = proof_creds(liar, challenge->service),
        .checksum = checksum_kind(liar),
        .nonce = {.magic = KV5M_DATA,
                  .length = CHALLENGE_NONCE_LENGTH,
                  .data = is_old ? old_nonce
                                 : (char *)(uintptr_t)challenge->nonce.data},
        .offset_s = number(liar, "offset") % ((int64_t)1 << 32),
    };
    krb5_data *ap_req = NULL;
    krb5_error_code code = forge_ap_req(liar->krb.context, &request, &ap_req);

    if (code != 0) {
        give_up(liar, "AP-REQ", code);
    }
    krb5_free_creds(liar->krb.context, request.creds);
    return ap_req;
}

static void
answer_challenge(struct liar *liar, const struct challenge *challenge)
{
    struct bytes payload = BYTES_EMPTY;
    struct proof proof = {.outcome = (enum outcome)number(liar, "refuse"),
                          .detail = ""};
    krb5_data *ap_req = NULL;

    if (told(liar, "garbage-proof") != NULL) {
        proof.ap_req = span_from_text("this is no AP-REQ");
    } else if (told(liar, "no-proof") == NULL) {
        ap_req = make_ap_req(liar, challenge);
        proof.ap_req = (struct span){.data = (const uint8_t *)ap_req->data,
                                     .length = ap_req->length};
    }
    proof_pack(&payload, &proof);
    line_send(&liar->judge, MESSAGE_PROOF, &payload);
    bytes_free(&payload);
    krb5_free_data(liar->krb.context, ap_req);
}

static void
prompt_without_end(struct liar *liar)
{
    const struct prompts prompts = {
        .count = 1,
        .list[0] = {.text = "Password", .is_password = true},
    };
    struct bytes payload = BYTES_EMPTY;

    prompts_pack(&payload, &prompts);
    for (;;) {
        struct message answer;

        line_send(&liar->judge, MESSAGE_PROMPT, &payload);
        answer = line_expect(&liar->judge, MESSAGE_ANSWER);
        message_free(&answer);
    }
}

static void
talk_without_end(struct liar *liar)
{
    for (int i = 0; told(liar, "notes") != NULL; i++) {
        log_line(&liar->log, LOG_LEVEL_ALERT, "note %d", i);
    }
    while (told(liar, "infos") != NULL) {
        line_inform(&liar->judge, "Hello?");
    }
}

/* Sends a message's header that says LENGTH, VERSION and TYPE. */
static void
send_header(const struct liar *liar, uint32_t length, uint16_t version,
            uint16_t type)
{
    struct bytes header = BYTES_EMPTY;

    bytes_put_u32(&header, length);
    bytes_put_u16(&header, version);
    bytes_put_u16(&header, type);
    (void)send(liar->judge.fd, header.data, header.length, MSG_NOSIGNAL);
    bytes_free(&header);
}

/* Says nothing any more, until the judge or its timer ends this process. */
static void
fall_silent(void)
{
    for (;;) {
        (void)pause();
    }
}

/* What is no conversation at all. */
static void
misbehave(struct liar *liar)
{
    if (told(liar, "exit") != NULL) {
        _exit(0);
    }
    if (told(liar, "silence") != NULL) {
        fall_silent();
    }
    if (told(liar, "half") != NULL) {
        send_header(liar, 1000, MESSAGE_VERSION, MESSAGE_TICKETS);
        fall_silent();
    }
    if (told(liar, "stranger") != NULL) {
        send_header(liar, 0, 99, MESSAGE_TICKETS);
        fall_silent();
    }
    if (told(liar, "huge") != NULL) {
        send_header(liar, 0xffffffff, MESSAGE_VERSION, MESSAGE_TICKETS);
        fall_silent();
    }
    if (told(liar, "type") != NULL) {
        send_header(liar, 0, MESSAGE_VERSION, (uint16_t)number(liar, "type"));
        fall_silent();
    }
    if (told(liar, "prompts") != NULL) {
        prompt_without_end(liar);
    }
    talk_without_end(liar);
    if (told(liar, "fake-line") != NULL) {
        log_line(&liar->log, LOG_LEVEL_INFO,
                 "user root authenticated as root@%s", liar->realm);
    }
}

/* Learns the default realm, and who is asked for. */
static void
find_names(struct liar *liar, const char *user)
{
    char *realm = NULL;

    if (krb5_get_default_realm(liar->krb.context, &realm) != 0) {
        give_up(liar, "realm", 0);
    }
    (void)snprintf(liar->realm, sizeof(liar->realm), "%s", realm);
    (void)in_realm(liar, liar->client, user);
    krb5_free_default_realm(liar->krb.context, realm);
}

void
exchange_run(const struct exchange_task *task, struct options *options)
{
    struct liar liar = {.judge = task->judge, .words = getenv("LIE")};
    struct begin begin = {0};
    struct challenge challenge = {0};
    struct message message;

    liar.log = (struct log){.sink = line_log_sink, .data = &liar.judge};
    if (liar.words == NULL ||
        krb_open(&liar.krb, &liar.log, -1) != OUTCOME_SUCCESS) {
        give_up(&liar, "no LIE", 0);
    }
    message = line_expect(&liar.judge, MESSAGE_BEGIN);
    if (begin_unpack(bytes_span(&message.payload), &begin, options) < 0) {
        give_up(&liar, "begin", 0);
    }
    find_names(&liar, task->request->user);
    misbehave(&liar);
    send_tickets(&liar);
    challenge = begin.challenge;
    for (;;) {
        if (*challenge.service != '\0') {
            answer_challenge(&liar, &challenge);
        }
        message_free(&message);
        message = line_expect(&liar.judge, MESSAGE_CHALLENGE);
        if (challenge_unpack(bytes_span(&message.payload), &challenge) < 0) {
            give_up(&liar, "challenge", 0);
        }
    }
}
