/*
 * Presence: whether the session of a record is still there, judged by the
 * processes that the kernel shows.  Unknown is alive: tickets are taken away
 * from nobody who may be at work.
 */
#ifndef REGISTRY_PRESENCE_H
#define REGISTRY_PRESENCE_H

#include "registry/record.h"

enum presence {
    PRESENCE_LIVE,
    PRESENCE_GONE,     /* of another boot; or host and session are gone */
    PRESENCE_ELSEWHERE /* of another pid namespace: not for us to judge */
};

/* A look at all processes at one moment. */
struct presence_census;

/* The caller's (presence_census_free); NULL: /proc cannot be read, no memory.
 */
struct presence_census *presence_census_take(void);
void presence_census_free(struct presence_census *census);

/*
 * Fills in RECORD who the calling process is: boot, pid_namespace, pid, start.
 * 0 or -ENOMEM; what cannot be found out is RECORD_UNKNOWN or "".
 */
int presence_of_caller(struct record *record);

/*
 * Fills in RECORD by what its session can be known once it is open: its audit
 * id, which counts where the process that has called the host has another one
 * and the login uid is the record's, and its logind session, XDG_SESSION_ID
 * (may be NULL) or the caller's, which counts where this process leads it.
 * 0 or -ENOMEM.
 */
int presence_of_session(struct record *record, const char *xdg_session_id);

/* Whether the process that RECORD names as its host is there. */
bool presence_has_host(const struct record *record);

/* CENSUS may be NULL: then who has no host any more counts as alive. */
enum presence presence_judge(const struct record *record,
                             const struct presence_census *census);

#endif
