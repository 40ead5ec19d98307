/*
 * Holdings: the cache that the session of a handle holds, and what the registry
 * is told of it.  A record is written before its cache is made and goes when
 * that has gone, so that what a crash leaves is known.  A registry that cannot
 * be had fails no login: the cache is tied to the handle alone.  Hosts that do
 * not act as root keep no records.
 */
#ifndef PAM_HOLDING_H
#define PAM_HOLDING_H

#include "pam/host.h"
#include "registry/registry.h"

/* All zero is none. */
struct holding {
    struct record record; /* owned; cache NULL = nothing is held */
    bool is_recorded;     /* and this is where: */
    struct registry_key key;
};

bool holding_is_any(const struct holding *holding);

/* Whether our end is the cache's: a delegated or retained one stays. */
bool holding_is_ours_to_end(const struct holding *holding);

/* A cache that is about to be held; borrowed. */
struct held_cache {
    const char *name;
    const char *principal; /* "" = not known */
    enum record_ownership ownership;
};

/*
 * HOST's session is about to have CACHE, in the place of what HOLDING was.
 * OUTCOME_SUCCESS or OUTCOME_NO_MEMORY.
 */
enum outcome holding_begin(struct host *host, struct holding *holding,
                           const struct held_cache *cache);

/* The cache was made, and this is its name.  The same outcomes. */
enum outcome holding_settle(struct host *host, struct holding *holding,
                            const char *cache);

/* The session is open, in this process: which one it is can be said now. */
void holding_bind(struct host *host, struct holding *holding);

/* Nothing is held any more: there is no cache, or others hold it. */
void holding_leave(struct host *host, struct holding *holding);

/*
 * The session is over and its cache could not be destroyed, or the host may
 * not live to do it: `krb5cc reap` will.
 */
void holding_leave_to_reap(struct host *host, struct holding *holding);

/* Who else holds the cache of a session. */
enum holders {
    HOLDERS_NONE,
    HOLDERS_OTHERS,   /* the last of them ends it */
    HOLDERS_ADOPTERS, /* they use it, and do not end it: reap will */
    HOLDERS_UNKNOWN   /* the registry cannot be read */
};

enum holders holding_others(struct host *host, const struct holding *holding);

/* Forgets without a word to the registry. */
void holding_forget(struct holding *holding);

/*
 * Nobody else makes or ends what the user's sessions share until the lock is
 * given back (registry_unlock).  -errno where it cannot be had: -ENOENT where
 * there are no records at all, -ETIMEDOUT, which is logged.
 */
int holding_lock(struct host *host, int64_t uid, enum safefs_missing missing);

/* What others hold, owned (holding_found_free). */
struct holding_found {
    struct holding *list;
    size_t count;
};

void holding_found_free(struct holding_found *found);

/*
 * The caches of PRINCIPAL in the live sessions that HOST's user has at this
 * machine, not from another: each once, but for those in session keyrings, to
 * which nobody comes from outside.  Each as a holding without a record,
 * adopted, or shared: with those whose sessions they are.  OUTCOME_SUCCESS or
 * OUTCOME_NO_MEMORY.
 */
enum outcome holding_find_local(struct host *host, const char *principal,
                                struct holding_found *found_out);

#endif
