/*
 * What this module keeps on a PAM handle between calls: what authenticate has
 * learned and got, and which cache the handle's session has.  Goes with the
 * handle (pam_end), and a forked copy of the handle has a copy of it.
 */
#ifndef PAM_STATE_H
#define PAM_STATE_H

#include <sys/types.h>

#include "pam/handover.h"
#include "pam/holding.h"
#include "pam/host.h"

struct state {
    /* What authenticate has learned, and of whom; user NULL = nothing yet. */
    char *user;
    char *principal;
    enum outcome learned;
    struct bytes tickets;  /* empty = none, or in a cache already */
    struct groups groups;  /* of the user, for the making of his cache */
    bool needs_no_account; /* no_user_check, which krb5.conf may have said */
    struct handover handover;
    struct handover prepared; /* for a login that is being waited for */

    /*
     * Whom the user has said he is, or whose password the first half of a
     * change has found right; NULL = nobody.
     */
    char *named;

    /* What has come of the first half of a change, where there was one. */
    bool has_tried;
    enum outcome tried;

    /* The cache that this handle's session has. */
    struct holding holding;
    bool must_end;          /* it could not be ended when it should have been */
    pid_t maker;            /* the process that made it */
    struct options options; /* of the call that made it, for pam_end */
};

/* A login that has succeeded; borrowed. */
struct login {
    const char *user;
    const char *principal;
    struct span tickets;
};

/*
 * The state of HOST's handle, made where there is none.  It belongs to the
 * handle.  NULL: out of memory.
 */
struct state *state_of(struct host *host);

/* The same, but NULL where there is none yet. */
struct state *state_if_any(const struct host *host);

/* Keeps a copy of LOGIN as what was learned.  OUTCOME_SUCCESS, _NO_MEMORY. */
enum outcome state_keep_login(struct state *state, const struct login *login);

/* Keeps a copy of NAME as `named`, "" as nobody.  OUTCOME_SUCCESS, _NO_MEMORY.
 */
enum outcome state_keep_name(struct state *state, const char *name);

/* Forgets and erases what authenticate has learned. */
void state_forget_login(struct state *state);

/* Forgets the cache; it stays where it is. */
void state_forget_cache(struct state *state);

/*
 * Whether HOST's present PAM_USER has been authenticated on this handle, but
 * must have his password changed first (defer_pwchange).  STATE may be NULL.
 */
bool state_is_deferred(const struct state *state, const struct host *host);

/*
 * Whether authenticate has got tickets on this handle for HOST's present
 * PAM_USER, in a cache by now or not.  STATE may be NULL.
 */
bool state_has_own_tickets(const struct state *state, const struct host *host);

#endif
