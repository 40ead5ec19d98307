/* The story of pam_sm_authenticate, and what pam_sm_acct_mgmt makes of it. */
#ifndef PAM_AUTH_H
#define PAM_AUTH_H

#include "pam/state.h"

/*
 * Asks for the user's Kerberos password (or takes the stacked one), gets
 * verified and authorized tickets for it and keeps them on the handle.
 */
enum outcome auth_authenticate(struct host *host);

/*
 * Gets the tickets that authenticate could not have before the password was
 * changed (STATE has learned OUTCOME_CHANGE_DEFERRED), with the new PASSWORD.
 */
enum outcome auth_catch_up(struct host *host, struct state *state,
                           const char *password);

/* What authenticate has learned on this handle of this user. */
enum outcome auth_account(struct host *host);

#endif
