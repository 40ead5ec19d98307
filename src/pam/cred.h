/*
 * The story of pam_sm_setcred, and the making and ending of a session's cache,
 * which the session functions share with it.
 */
#ifndef PAM_CRED_H
#define PAM_CRED_H

#include "pam/host.h"
#include "pam/state.h"

/*
 * Does what FLAGS say.  *CALL_OUT is the column of the table that the outcome
 * is of.
 */
enum outcome cred_set(struct host *host, enum call *call_out);

/*
 * Makes the session's cache of the handle's own tickets, where that has not
 * been done, and names it in the PAM environment.  OUTCOME_NOT_OURS without
 * own tickets.
 */
enum outcome cred_establish(struct host *host);

/*
 * Ends the cache that this handle has made, if any (OUTCOME_NOT_OURS): destroys
 * it as its owner (unless retain_after_close), drops it from the PAM
 * environment and forgets it and the tickets.  A cache that could not be
 * destroyed is remembered: the next call that ends it tries again.
 */
enum outcome cred_end(struct host *host, struct state *state);

#endif
