/* The stories of open_session, close_session, and a pam_end without close. */
#ifndef PAM_SESSION_H
#define PAM_SESSION_H

#include "pam/host.h"

struct state;

/* As setcred(ESTABLISH) where that has not been done. */
enum outcome session_open(struct host *host);

/* Destroys the session's cache and drops it from the PAM environment. */
enum outcome session_close(struct host *host);

/* What close_session would have done, for a host that never called it. */
void session_end_at_pam_end(pam_handle_t *handle, struct state *state);

#endif
