/*
 * A row of the drop-in test: what a host does with the module, and the one
 * line that tells what came of it.  The line is what pam_krb5 of Debian gives
 * (`peer`); where pam_krb5cc does otherwise on purpose, `ours` is its line and
 * `why` the reason, for doc/dropin.md.  Knows no code.
 *
 * A line has what each call of the module itself has returned, seen by
 * tests/peer/recorder.c before libpam makes something of it, behind what was
 * shown to the user meanwhile:
 *
 *     auth <Password: > AUTH_ERR; acct IGNORE
 *
 * <...> is a prompt without echo, echo<...> one with echo, info<...> and
 * error<...> are messages.  pam_chauthtok gives two: prelim, update.
 */
#ifndef PEER_ROW_H
#define PEER_ROW_H

#include <stddef.h>

#define ROW_ANSWERS_MAX 12

struct row {
    const char *name; /* the case, one of its kind */
    const char *user; /* NULL = alice; "changer" is made anew for the row */
    const char *arguments;
    const char *answers[ROW_ANSWERS_MAX];
    /*
     * What the host does, and what is looked at (tests/peer/play.c has the
     * list of words): "auth acct establish cache".
     */
    const char *steps;
    const char *stored;  /* PAM_AUTHTOK when the first call begins */
    const char *k5login; /* alice's ~/.k5login */
    const char *config;  /* lines before the realm's krb5.conf */
    const char *kadmin;  /* lines for kadmin.local */
    const char *peer;
    const char *ours; /* NULL = the same */
    const char *why;
};

/* The rows of one part of the list. */
struct rows {
    const char *part;
    const struct row *rows;
    size_t count;
};

/* All parts; static storage. */
const struct rows *rows_all(size_t *count_out);

/* Each is defined in the file of its name. */
extern const struct rows rows_login;
extern const struct rows rows_session;
extern const struct rows rows_password;
extern const struct rows rows_expired;
extern const struct rows rows_names;

#define ROWS(part_name, table)                                                 \
    {                                                                          \
        .part = (part_name), .rows = (table),                                  \
        .count = sizeof(table) / sizeof((table)[0]),                           \
    }

/* Reasons that several rows share. */
#define REFUSED                                                                \
    "The answer is known, and a host that goes on after a failed login must "  \
    "hear it."
#define WRONG_FLAGS "The host is wrong, and is told so."
#define NAME_GONE "A program that is started later would look for what is gone."
#define NO_FILES "Nothing of a login is on disk before its session begins."
#define FORCED                                                                 \
    "As its manual page describes it; MIT's library asks before the peer can."

/* As long as a password may be, and one more. */
#define ROW_X8 "xxxxxxxx"
#define ROW_X64 ROW_X8 ROW_X8 ROW_X8 ROW_X8 ROW_X8 ROW_X8 ROW_X8 ROW_X8
#define ROW_X448 ROW_X64 ROW_X64 ROW_X64 ROW_X64 ROW_X64 ROW_X64 ROW_X64
#define ROW_X511                                                               \
    ROW_X448 ROW_X8 ROW_X8 ROW_X8 ROW_X8 ROW_X8 ROW_X8 ROW_X8 "xxxxxxx"
#define ROW_X512 ROW_X511 "x"

#endif
