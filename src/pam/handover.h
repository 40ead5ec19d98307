/*
 * The handover: how what authenticate has got comes to the process that makes
 * the session.  sshd's keyboard-interactive authentication runs in a child of
 * its own, whose memory is lost; only the PAM environment comes back.  So the
 * tickets are stashed too (registry/stash.h), and the environment has the
 * stash's name until the first setcred or open_session.
 */
#ifndef PAM_HANDOVER_H
#define PAM_HANDOVER_H

#include <sys/types.h>

#include "pam/host.h"

struct state;

/* What this handle has stashed; all zero is nothing. */
struct handover {
    char *name;        /* owned; NULL = nothing */
    char *runtime_dir; /* owned */
    pid_t maker;
};

/*
 * Prepares the stash of a login that HOST is waiting for, in STATE, so that
 * handover_leave has less to do; handover_end takes it back.  What cannot be
 * prepared is no matter.
 */
void handover_prepare(const struct host *host, struct state *state);

/*
 * Stashes the login that STATE has, where all uids of the host are 0.  A stash
 * that cannot be had is logged and no failure: most hosts need none.
 */
void handover_leave(struct host *host, struct state *state);

/*
 * Takes the stash that the PAM environment names, once, into the handle's
 * state, if it is of this user and the handle has no login of its own; in any
 * case it is gone afterwards, and its name too.  OUTCOME_SUCCESS or
 * OUTCOME_NO_MEMORY.
 */
enum outcome handover_take(struct host *host);

/* Takes back what this process has stashed, and forgets it. */
void handover_end(struct handover *handover);

#endif
