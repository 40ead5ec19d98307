/*
 * What the tests of the krb5cc command share: a state and a runtime directory
 * of the test's own, records planted in them, the command run on them, and
 * tickets that look older than they are.  In tests/in-namespace, as root.
 */
#ifndef ADMIN_DESK_H
#define ADMIN_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "registry/registry.h"
#include "stack/common.h"

#define DESK "/tmp/desk"
#define DESK_STATE DESK "/state"
#define DESK_RUNTIME DESK "/runtime"
/* What check takes for libpam's directory: the module, and a pam_unix.so. */
#define DESK_MODULES DESK "/modules"
#define DESK_MODULE DESK_MODULES "/pam_krb5cc.so"

#define NEEDS_NAMESPACE()                                                      \
    SKIP_UNLESS(geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL,         \
                "needs root and tests/in-namespace")

extern const struct registry desk_registry;

/* A case of SUITE with those directories, empty, before each test. */
TCase *desk_case(Suite *suite, const char *name);
/* The same as fixture parts. */
void desk_begin(void);
void desk_end(void);

/*
 * Runs krb5cc with WORDS, separated by blanks, and with these directories and
 * the helper of the build; the exit status, and what was said until the next
 * run.
 */
int desk_run(const char *words);
/* The same as UID. */
int desk_run_as(uid_t uid, const char *words);
/* The same with nothing added; the words are a list that ends in NULL. */
int desk_run_bare(uid_t uid, const char *const *words);
/* The runs that follow may no more than the systemd unit allows. */
void desk_confine(void);
const char *desk_output(void);
const char *desk_errors(void);
/* How many lines of what was put out contain TEXT. */
size_t desk_count(const char *text);

/* The run gives STATUS; else the test fails and shows what was said. */
#define RUN(words, wanted)                                                     \
    do {                                                                       \
        int run_got = desk_run(words);                                         \
        ck_assert_msg(run_got == (wanted),                                     \
                      "krb5cc %s gave %d:\n%.1500s%.1500s", words, run_got,    \
                      desk_output(), desk_errors());                           \
    } while (0)

/* What Python's EXPRESSION makes of the output, which is JSON d. */
const char *desk_json(const char *expression);
#define JSON_EQ(expression, wanted)                                            \
    ck_assert_str_eq(desk_json(expression), (wanted))

enum desk_presence {
    DESK_LIVE,       /* this process is its host */
    DESK_GONE,       /* its host has died, and the user has no process */
    DESK_OTHER_BOOT, /* of another boot */
    DESK_ELSEWHERE   /* of another pid namespace */
};

/* A record of USER's; the rest may be changed before it is planted. */
struct record desk_record(const char *user, const char *cache,
                          enum desk_presence presence);
/* Plants RECORD, whose texts are not freed. */
struct registry_key desk_plant(const struct record *record);
/* Both. */
struct registry_key desk_session(const char *user, const char *cache,
                                 enum record_ownership ownership,
                                 enum desk_presence presence);

/* Where the record KEY is; static storage. */
const char *desk_path(const struct registry_key *key);
/* Whether the record KEY is there. */
bool desk_has(const struct registry_key *key);

/* The tickets in USER's cache NAME began SECONDS earlier than they did. */
void desk_age(const char *name, const char *user, int64_t seconds);

#endif
