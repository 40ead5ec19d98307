/*
 * The helper protocol: what is said between the module and its helper, and
 * inside the helper between the judge and the exchange.  Both directions,
 * packing beside unpacking; no input or output here (base/channel does that).
 *
 *   module -> helper     REQUEST, then ANSWER to each PROMPT, NAME to each DRAW
 *   helper -> module     one GREETING, any of PROMPT INFO NOTE DRAW, for an
 *                        ACQUIRE a GROUPS, for a DESCRIBE one DESCRIPTION, one
 *                        RESULT
 *                        (where things go wrong early, without GREETING)
 *   judge -> exchange    BEGIN, ANSWER, CHALLENGE; for a PROBE KEYs
 *   exchange -> judge    PROMPT INFO NOTE, one TICKETS, a PROOF a CHALLENGE;
 *                        for a PROBE a TICKETS, without any, a KEY; for a TRY
 *                        and a CHANGE one TICKETS, without any
 *
 * Whatever is not expected at its moment ends the conversation.  What unpacking
 * returns is borrowed from the payload it was unpacked from.
 */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/options.h"
#include "base/outcome.h"

/*
 * What is spoken here, and the oldest that is understood.  2: jobs from 6 on.
 * 3: more in REQUEST and RESULT; GROUPS.
 */
#define MESSAGE_VERSION 3
#define MESSAGE_VERSION_OLDEST 1

/* The longest payload.  A ticket with a large PAC has 64 KiB. */
#define MESSAGE_MAX ((size_t)1 << 20)

/* Bytes before the payload: length (4), version (2), type (2). */
#define MESSAGE_HEADER 8

/* The most prompts in one PROMPT, and the longest answer to one. */
#define MESSAGE_PROMPTS_MAX 8
#define MESSAGE_ANSWER_MAX 511

enum message_type {
    MESSAGE_REQUEST = 1,
    MESSAGE_GREETING = 2,
    MESSAGE_PROMPT = 3,
    MESSAGE_ANSWER = 4,
    MESSAGE_INFO = 5,
    MESSAGE_NOTE = 6,
    MESSAGE_NAME = 7,
    MESSAGE_DRAW = 8,
    MESSAGE_RESULT = 9,
    MESSAGE_BEGIN = 10,
    MESSAGE_TICKETS = 11,
    MESSAGE_CHALLENGE = 12,
    MESSAGE_PROOF = 13,
    MESSAGE_DESCRIPTION = 14,
    MESSAGE_KEY = 15,
    MESSAGE_GROUPS = 16,
};

/* A message as it came: the payload is owned (bytes_free). */
struct message {
    uint16_t version;
    uint16_t type;
    struct bytes payload;
};

void message_free(struct message *message);

/* What the helper is asked to do. */
enum job {
    JOB_ACQUIRE = 1,  /* tickets for a password, verified and authorized */
    JOB_STORE = 2,    /* make a session's cache of given tickets */
    JOB_REPLACE = 3,  /* put given tickets in the place of a cache's */
    JOB_RENEW = 4,    /* renew the TGT of a cache */
    JOB_DESTROY = 5,  /* destroy a cache */
    JOB_DESCRIBE = 6, /* say whose tickets a cache has, and how long */
    JOB_PROBE = 7,    /* ask a KDC whether it has this machine's key */
    JOB_TRY = 8,      /* whether a password is right, for a change of it */
    JOB_CHANGE = 9,   /* change it; the new one is asked for */
    JOB_COUNT
};

/* A user's groups; what is not known is looked up. */
#define MESSAGE_GROUPS_MAX 256

struct groups {
    bool are_known;
    uint32_t count;
    uint32_t list[MESSAGE_GROUPS_MAX];
};

struct request {
    enum job job;
    int64_t budget_ms; /* what is left of the call's time */
    const char *user;  /* PAM_USER */
    bool has_account;  /* NSS knows USER, with these ids: */
    uint32_t uid;
    uint32_t gid;
    bool in_session;      /* STORE: asked for by open_session */
    const char *cache;    /* "" = libkrb5's default of that user */
    struct span password; /* stacked; empty = prompt */
    struct span tickets;  /* of STORE and REPLACE */

    /* Since version 3; before it nothing.  NULL is packed as "". */
    const char *service;   /* PAM_SERVICE */
    const char *principal; /* whom the user has named before; "" = nobody */
    bool is_new_password;  /* of ACQUIRE: a replica may not know it yet */
    struct groups groups;  /* of USER, as an ACQUIRE has found them */
};

/*
 * The options travel in a struct of their own since they are owned.  VERSION is
 * the one that both sides speak.
 */
void request_pack(struct bytes *payload, uint16_t version,
                  const struct request *request, const struct options *options);
/* 0, -EBADMSG, -ENOMEM.  OPTIONS was made by options_init. */
int request_unpack(struct span payload, uint16_t version,
                   struct request *request_out, struct options *options);

/* The first message: the options as krb5.conf completes them. */
void greeting_pack(struct bytes *payload, const struct options *options);
int greeting_unpack(struct span payload, struct options *options);

/*
 * The text of a CHANGE's prompt for the new password.  Where the user shall see
 * whose it is (expose_account), " for " and the principal's name come behind.
 */
#define MESSAGE_PROMPT_NEW_PASSWORD "New password"

struct prompt {
    const char *text; /* of a password: the principal whose it is */
    bool echo;
    bool is_password; /* the principal's own password is asked for */
};

struct prompts {
    uint32_t count;
    struct prompt list[MESSAGE_PROMPTS_MAX];
};

void prompts_pack(struct bytes *payload, const struct prompts *prompts);
int prompts_unpack(struct span payload, struct prompts *prompts_out);

/* As many answers as there were prompts. */
struct answers {
    uint32_t count;
    struct span list[MESSAGE_PROMPTS_MAX];
};

void answers_pack(struct bytes *payload, const struct answers *answers);
int answers_unpack(struct span payload, struct answers *answers_out);

/* A text for the user. */
void info_pack(struct bytes *payload, const char *text);
int info_unpack(struct span payload, const char **text_out);

/* A line for the log. */
struct note {
    enum log_level level;
    const char *text;
};

void note_pack(struct bytes *payload, const struct note *note);
int note_unpack(struct span payload, struct note *note_out);

/*
 * The wish for a name: of PATTERN, which ends in XXXXXX, or of the options'
 * template where it is "".  Another wish means that the last one's name cannot
 * be had.  Since version 2 PATTERN may also be the whole name of a cache that
 * was found in a shared collection: the module takes note and gives it back.
 */
struct draw {
    const char *pattern;
};

void draw_pack(struct bytes *payload, const struct draw *draw);
int draw_unpack(struct span payload, struct draw *draw_out);

/* The name that a cache shall have. */
struct cache_name {
    const char *name;
    bool is_shared; /* not this session's own: may be there already */
};

void cache_name_pack(struct bytes *payload, const struct cache_name *name);
int cache_name_unpack(struct span payload, struct cache_name *name_out);

/* Whose TGT is in a cache; times in seconds since 1970. */
struct description {
    const char *principal;
    int64_t start;
    int64_t end;
    int64_t renew_until; /* 0 = it cannot be renewed */
};

void description_pack(struct bytes *payload,
                      const struct description *description);
int description_unpack(struct span payload,
                       struct description *description_out);

/*
 * The groups of an ACQUIRE's user, for the request that will make his cache.
 * Said by the judge before it leaves the host's identity; since version 3.
 */
void groups_pack(struct bytes *payload, const struct groups *groups);
int groups_unpack(struct span payload, struct groups *groups_out);

/* How it ended. */
struct result {
    enum outcome outcome;
    const char *detail;    /* the cause in words, "" = none; of DESTROY, after a
                              success: what was destroyed had gone already */
    const char *principal; /* the identity, "" = none */
    const char *cache;     /* the cache, of PROBE the keytab, "" = none */
    struct span tickets;   /* of ACQUIRE */
    /* Since version 3: the user's local name where PAM_USER is his principal's;
     * "" = as it is. */
    const char *local_user;
};

void result_pack(struct bytes *payload, uint16_t version,
                 const struct result *result);
int result_unpack(struct span payload, uint16_t version,
                  struct result *result_out);

/* "Show me an AP-REQ for this service, over this nonce." */
#define CHALLENGE_NONCE_LENGTH 16

struct challenge {
    const char *service;
    struct span nonce; /* CHALLENGE_NONCE_LENGTH bytes */
};

void challenge_pack(struct bytes *payload, const struct challenge *challenge);
int challenge_unpack(struct span payload, struct challenge *challenge_out);

/* The most principals that a password is tried for. */
#define MESSAGE_NAMES_MAX 16

/*
 * What the exchange shall do: renew TICKETS; or, where empty, acquire some for
 * the first of NAMES that the password is right for.  No names: ask all the
 * same.  ARMOR are tickets to protect that with (FAST); empty = none.
 * CHALLENGE, where it has a service, is to be answered right behind the tickets
 * of a success: it spares a wait for the judge.
 */
struct begin {
    struct span tickets;
    struct span armor;
    struct challenge challenge; /* service "" = none */
    uint32_t count;
    const char *names[MESSAGE_NAMES_MAX];
    const char
        *account;       /* what a prompt for the password may name; "" = none */
    bool first_decides; /* go on behind the first only where it is unknown */
};

void begin_pack(struct bytes *payload, const struct begin *begin,
                const struct options *options);
int begin_unpack(struct span payload, struct begin *begin_out,
                 struct options *options);

/* What the exchange has got, or why it has not. */
struct tickets_message {
    enum outcome outcome;
    const char *detail;
    struct span tickets;
};

void tickets_message_pack(struct bytes *payload,
                          const struct tickets_message *tickets);
int tickets_message_unpack(struct span payload,
                           struct tickets_message *tickets_out);

/* One key of a keytab: "does the KDC have it?" */
struct key {
    const char *principal;
    uint32_t enctype;
    struct span content;
};

void key_pack(struct bytes *payload, const struct key *key);
int key_unpack(struct span payload, struct key *key_out);

/* The AP-REQ, or why there is none. */
struct proof {
    enum outcome outcome;
    const char *detail;
    struct span ap_req;
};

void proof_pack(struct bytes *payload, const struct proof *proof);
int proof_unpack(struct span payload, struct proof *proof_out);

#endif
