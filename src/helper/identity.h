/*
 * Becoming somebody: for good, for real, and checked.  Nothing in this program
 * touches a user's file or a network byte before one of these has said yes.
 */
#ifndef HELPER_IDENTITY_H
#define HELPER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/message.h"
#include "base/outcome.h"

/*
 * The first acts of the process: no core, no tracing by others
 * (PR_SET_DUMPABLE 0), umask 077, cwd /, SIGPIPE ignored, and all ids those
 * that the host acts under (a set-uid host's caller could kill us otherwise).
 * False where the ids cannot be had.
 */
bool identity_secure_process(void);

/* Whether this process still has root's identity. */
bool identity_is_root(void);

/*
 * The account that handles network bytes in a root host: the one that was
 * configured, else nobody.
 */
struct identity_account {
    uid_t uid;
    gid_t gid;
    bool is_fallback;
};

/* A user as NSS knows him. */
struct identity_user {
    uid_t uid;
    gid_t gid;
    char home[4096];
};

/* False where NSS does not know USER, or does not say. */
bool identity_find_user(const char *user, struct identity_user *user_out);

/* False where there is neither. */
bool identity_find_helper_account(struct identity_account *account_out);

/*
 * Becomes UID and GID without supplementary groups and with a session keyring
 * of its own.  OUTCOME_IDENTITY on failure: the caller must end.
 */
enum outcome identity_become_account(const struct identity_account *account);

/*
 * Lets this process, a child of PARENT, end with it, whatever it waits for
 * then.  False where PARENT is gone already.  A change of ids clears this
 * (prctl(2)), so it comes behind one of those here.
 */
bool identity_end_with(pid_t parent);

/*
 * Whether ACCOUNT could read all of the COUNT files (directories) of PATHS, as
 * a child that becomes it finds out.
 */
bool identity_can_read(const struct identity_account *account,
                       char *const paths[], size_t count);

/*
 * Has USER's GROUPS, GID among them, known, as somebody has looked them up: for
 * identity_become_user of the same, which then need not wait for NSS.
 */
void identity_know_groups(const char *user, gid_t gid,
                          const struct groups *groups);

/*
 * Becomes the user USER (UID, GID) with his groups (initgroups(3)).  In a host
 * that is not root that is only possible for its own uid.  OUTCOME_IDENTITY on
 * failure: the caller must end.
 */
enum outcome identity_become_user(const char *user, uid_t uid, gid_t gid);

#endif
