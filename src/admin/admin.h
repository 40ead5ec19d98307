/*
 * What the subcommands of krb5cc share: what was asked for on the command
 * line, how things are said, and how the helper is asked about the cache of a
 * record, as the user whose it is.  Nothing here or beside it knows Kerberos:
 * the helper does.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "registry/registry.h"

/* How the program ends. */
enum admin_exit {
    ADMIN_DONE = 0,
    ADMIN_WRONG = 1,   /* something could not be done, or is wrong */
    ADMIN_USAGE = 2,   /* it was not asked for properly */
    ADMIN_NOT_ROOT = 3 /* it was asked for by somebody who is not root */
};

/* What has gone into the caches of one user. */
struct admin_time {
    int64_t uid;
    int64_t spent_ms;
};

struct admin {
    struct registry registry;
    const char *helper;
    const char *module; /* pam_krb5cc.so, where libpam looks for it */
    int64_t timeout_s;  /* for each question to the helper */
    int64_t uid;        /* of --user, or REGISTRY_EVERYBODY */
    bool is_dry_run;
    bool is_json;
    bool is_verbose;
    bool is_debug;

    bool has_failed; /* admin_fail was called */
    bool has_told;   /* what the helper has to say of krb5.conf */
    /* How long each user has kept us: whoever is slow is not asked again. */
    struct admin_time *times;
    size_t time_count;
};

/* Frees what asking has left in ADMIN. */
void admin_free(struct admin *admin);

/*
 * Say a line, control characters in it escaped: what was done, on standard
 * output; the same with --verbose only; what to know of it, on standard error;
 * what could not be done, there too, and the program will end with ADMIN_WRONG.
 */
void admin_say(const struct admin *admin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void admin_detail(const struct admin *admin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void admin_remark(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void admin_fail(struct admin *admin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * LIST, which has COUNT elements of SIZE and was made here, with room for one
 * more; NULL, and LIST is as it was, where there is no memory.
 */
void *admin_longer(void *list, size_t count, size_t size);

/* The words for the errno -STATUS; static storage. */
const char *admin_words(int status);

/* Whose tickets the helper has found; times in seconds since 1970. */
struct admin_tickets {
    char *principal; /* owned; NULL = nothing was found */
    int64_t start;
    int64_t end;
    int64_t renew_until; /* 0 = it cannot be renewed */
};

/* What the helper has answered; owned (admin_answer_free). */
struct admin_answer {
    enum outcome outcome;
    char cause[512]; /* outcome and cause in words */
    struct admin_tickets tickets;
    bool was_gone;   /* DESTROY: it was not there */
    char *principal; /* of the result; NULL = none */
    char *cache;
};

void admin_answer_free(struct admin_answer *answer);

/*
 * Asks the helper to do JOB with the cache of RECORD, as the user of RECORD:
 * by the account that his name has, or where it has none or another uid by the
 * uid and gid of RECORD.  *ANSWER_OUT is always set (admin_answer_free); a user
 * whose cache has once not answered in time is not asked again.
 */
void admin_ask(struct admin *admin, enum job job, const struct record *record,
               struct admin_answer *answer_out);

/*
 * Asks the helper to do JOB, which is about no user.  NOTE gets what is said
 * meanwhile, but for debugging.
 */
void admin_ask_machine(struct admin *admin, enum job job,
                       void (*note)(void *data, enum log_level level,
                                    const char *text),
                       void *data, struct admin_answer *answer_out);

/* Whether TEXT, which the helper has said, is about krb5.conf; how it begins.
 */
#define ADMIN_OF_KRB5_CONF "krb5.conf, "
bool admin_is_of_krb5_conf(const char *text);

/* What came of admin_end_cache. */
enum admin_end {
    ADMIN_ENDED,    /* it was destroyed */
    ADMIN_GONE,     /* it was gone already */
    ADMIN_HELD,     /* somebody else holds it and will end it */
    ADMIN_IN_USE,   /* somebody else uses it: it is to be ended later */
    ADMIN_NOT_OURS, /* what has its name is something else: CAUSE says what */
    ADMIN_STAYS     /* it could not be destroyed: CAUSE says why */
};

/*
 * Destroys the cache of RECORD, whose place is KEY, as its user, unless another
 * session holds it.
 */
enum admin_end admin_end_cache(struct admin *admin,
                               const struct registry_key *key,
                               const struct record *record, char cause[512]);

/* The subcommands. */
void admin_list(struct admin *admin);
void admin_renew(struct admin *admin);
void admin_reap(struct admin *admin);
void admin_check(struct admin *admin);

#endif
