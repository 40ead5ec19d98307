/*
 * What the tests of one PAM call's results share: hosts that get the module's
 * own codes, the people of tests/in-namespace, krb5.conf files of a test's
 * own, and what must be true of a cache's file.  Knows support/ and libpam;
 * not the rooms of the module.
 */
#ifndef STACK_COMMON_H
#define STACK_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "support/cache.h"
#include "support/stack.h"
#include "support/suite.h"

#define NEEDS_ROOT() SKIP_UNLESS(geteuid() == 0, "needs root")

/* CALL gives the PAM code CODE; else the test fails and shows the log. */
#define EXPECT(call, code)                                                     \
    do {                                                                       \
        int expect_got = (call);                                               \
        int expect_wanted = (code);                                            \
        ck_assert_msg(expect_got == expect_wanted,                             \
                      "%s gave \"%s\", not \"%s\"; log:\n%s", #call,           \
                      pam_strerror(NULL, expect_got),                          \
                      pam_strerror(NULL, expect_wanted), stack_log());         \
    } while (0)

/* Scripts of answers. */
extern const char *const no_answers[];
extern const char *const alice_answers[]; /* alice's password, twice */
extern const char *const wrong_answers[]; /* a wrong one, twice */
extern const char *const wrong_then_alice[];

/*
 * Fixtures of every case: a clean place before the test, and behind it a look
 * for what it has left: caches in /tmp, children, descriptors.
 */
void common_setup(void);
void common_teardown(void);

/* A case of SUITE with those fixtures. */
TCase *common_case(Suite *suite, const char *name);

/*
 * As stack_start, but what the call returns is what the module returned (also
 * PAM_IGNORE, which libpam would turn into another code).
 */
void common_start(struct stack *stack, const char *user, const char *arguments,
                  const char *const *answers);

/*
 * The same with STORED as PAM_AUTHTOK when authenticate begins.  At most
 * three answers.  One such handle at a time.
 */
void common_start_stored(struct stack *stack, const char *user,
                         const char *stored, const char *arguments,
                         const char *const *answers);

/* A handle of alice that has authenticated, and one that has a cache too. */
void common_login(struct stack *stack, const char *arguments);
void common_establish(struct stack *stack, const char *arguments);

/* How many passwords were asked for, and how many words were said. */
size_t common_password_prompts(const struct stack *stack);
size_t common_words(const struct stack *stack);

/* Whether the module has logged TEXT, at PRIORITY (syslog.h). */
bool common_logged(int priority, const char *text);
/* How many lines of PRIORITY or worse were logged. */
size_t common_log_count(int priority);

/* KRB5CCNAME of the PAM environment, or NULL. */
const char *common_cache(const struct stack *stack);
void common_set_cache(struct stack *stack, const char *name);

/* uid of one of the accounts of tests/in-namespace; its gid is the same. */
uid_t common_uid(const char *user);
/*
 * TEXT with the uids of accounts in the place of their names in brackets, such
 * as "/tmp/krb5cc_<alice>"; static storage, until the fourth call from here.
 */
const char *common_with_uids(const char *text);
struct cache_view common_look(const char *name, const char *user);
/* Whether the TGT in NAME is forwardable. */
bool common_is_forwardable(const char *name);

/*
 * A cache of USER's at NAME with PRINCIPAL's tickets (its password is the name
 * with -password behind), a service ticket among them where WITH_SERVICE.
 */
enum with_service { NO_SERVICE, WITH_SERVICE };
void common_kinit(const char *name, const char *user, const char *principal,
                  const int64_t lifetimes[2], enum with_service with_service);

/* NAME is a FILE cache of USER's: a plain file, 0600, his uid and gid. */
void common_assert_owned(const char *name, const char *user);
bool common_exists(const char *path);
/* How many entries the directory PATH has whose names begin with PREFIX. */
size_t common_count(const char *path, const char *prefix);

/* How many default caches are in /tmp, where that is the test's own. */
size_t common_caches(void);

/* Where records of sessions are, without options; nothing is elsewhere. */
#define COMMON_STATE_DIR "/var/lib/pam_krb5cc"
#define COMMON_RUNTIME_DIR "/run/pam_krb5cc"

/* How many records of anybody's sessions there are in both of them. */
size_t common_records(void);
/* Those of USER in DIRECTORY, one of the two or a test's own. */
size_t common_records_of(const char *user, const char *directory);

/*
 * What is left of the lifetime of the keys that STACK's PAM environment names
 * as its stash, in seconds, cut to whole minutes above one; -1 = no such keys,
 * or for ever.
 */
long common_stash_lifetime(const struct stack *stack);

/* A file as it is at one moment, to be compared with a later one. */
struct snapshot {
    bool exists;
    ino_t inode;
    struct timespec changed;
    uid_t uid;
    mode_t mode;
    size_t size;
    unsigned char bytes[16384];
};
struct snapshot common_snapshot(const char *name);
/* The file of the cache NAME is the very same as in BEFORE. */
void common_assert_same(const struct snapshot *before, const char *name);

/* Writes TEXT to a new file at PATH that belongs to UID, of mode MODE. */
void common_write(const char *path, const char *text, uid_t uid, mode_t mode);
/* ~USER/.k5login with TEXT in it, USER's own. */
void common_k5login(const char *user, const char *text);

/* KRB5_CONFIG is TEXT and behind it the realm's krb5.conf. */
void common_config(const char *text);
/* KRB5_CONFIG is of a realm whose only KDC is at PORT of 127.0.0.1. */
void common_config_kdc(int port);
/* A port that nobody listens on; one where requests are never answered. */
int common_dead_port(void);
int common_silent_port(void);

/* Has kadmin.local do COMMAND (may not contain a single quote). */
void common_kadmin(const char *command);
/* How many lines of the KDC's log contain both texts. */
size_t common_kdc_log(const char *first, const char *second);

/* Returns when the clock shows a later second than AFTER. */
void common_wait_until_after(int64_t after);

/*
 * Runs BODY in a child with these three uids (and USER's gid); what it returns
 * is what this returns.
 */
struct ids {
    uid_t real;
    uid_t effective;
    uid_t saved;
};
/* Those of these three accounts, in that order. */
struct ids common_ids(const char *const users[3]);
int common_in_child(struct ids ids, gid_t gid, int (*body)(void *data),
                    void *data);

#endif
