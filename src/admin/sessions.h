/*
 * All sessions that the registry knows, at one moment: copies, sorted by user,
 * cache and time of login, each with what became of it; and what lay among
 * them and is no record.
 */
#ifndef ADMIN_SESSIONS_H
#define ADMIN_SESSIONS_H

#include "admin/admin.h"

enum session_state {
    SESSION_LIVE,
    SESSION_ORPHAN,   /* its session is gone, and nobody has cleared up */
    SESSION_ENDED,    /* over, the cache could not be destroyed */
    SESSION_ELSEWHERE /* of another pid namespace: not for us to judge */
};

/* "live", "orphan", "ended", "elsewhere". */
const char *session_state_name(enum session_state state);

struct session {
    struct registry_key key;
    struct record record; /* owned */
    enum session_state state;
};

/* What is no record that can be trusted. */
struct session_unreadable {
    struct registry_key key;
    int fault; /* as registry_entry has it */
};

struct sessions {
    struct session *list;
    size_t count;
    struct session_unreadable *unreadable;
    size_t unreadable_count;
};

/*
 * Those of admin->uid.  Says what cannot be read (admin_fail); what could is in
 * *SESSIONS_OUT, the caller's (sessions_free).
 */
void sessions_take(struct admin *admin, struct sessions *sessions_out);
void sessions_free(struct sessions *sessions);

/* Whether A and B hold the same cache of the same user. */
bool sessions_share(const struct session *a, const struct session *b);

/* Why UNREADABLE is no record, in words. */
const char *sessions_fault_words(const struct session_unreadable *unreadable);

/* Whether UNREADABLE is no record for certain, and in the way. */
bool sessions_is_set_aside(const struct session_unreadable *unreadable);

/*
 * Says where there is no directory of records; of the usual one only where
 * IS_WORTH_IT: before the first login it is as it should be.
 */
void sessions_remark_missing(const struct admin *admin, bool is_worth_it);

/* "DIR/sessions/UID/ID"; static storage, until the next call. */
const char *sessions_path(const struct admin *admin,
                          const struct registry_key *key);

/*
 * A session for a person: "alice (sshd, pts/1, from client)"; static storage,
 * until the next call.
 */
const char *sessions_name(const struct record *record);

#endif
