/*
 * The registry: which session of whom holds which cache, one file (record.h)
 * for each, so that what a crash leaves is known and a list heals itself where
 * a counter would drift.
 *
 *   DIR/sessions/UID/ID      the record ID of a session of UID
 *   DIR/set-aside/UID.ID     what was found in such a place and is no record
 *                            (UID.ID.RANDOM where that was taken)
 *
 * DIR is the state directory, or where that will not do the runtime directory.
 * All of it is root's alone (0700, 0600), each component of the way to it is
 * root's too, and no link is followed.  An ID begins with a digest of the
 * cache's name, so that the holders of one cache are found by their names.
 * The only caller is who acts as root.  What one does costs the same however
 * many sessions there are, but for the holders of a cache that is shared.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/safefs.h"
#include "registry/presence.h"
#include "registry/record.h"

/* The directories; borrowed. */
struct registry {
    const char *state_dir;
    const char *runtime_dir;
};

enum registry_place { REGISTRY_STATE, REGISTRY_RUNTIME, REGISTRY_PLACES };

/* DIGEST-RANDOM and a NUL, or whatever else has been found. */
#define REGISTRY_ID_SIZE 256

/* Where a record is; a value. */
struct registry_key {
    enum registry_place place;
    int64_t uid; /* RECORD_UNKNOWN: beside the directories of the uids */
    char id[REGISTRY_ID_SIZE];
};

/*
 * Writes RECORD as a new one, in the state directory or else in the runtime
 * directory.  Directories are made where only their last component is missing.
 * 0, or -errno of the runtime directory; *STATE_ERROR_OUT is why it was not the
 * state directory, 0 where it was.  With -EFBIG a limit of the process would
 * have let the write kill it (RLIMIT_FSIZE).
 */
int registry_join(const struct registry *registry, const struct record *record,
                  struct registry_key *key_out, int *state_error_out);

/*
 * Writes RECORD in the place of what KEY has, in one step; KEY becomes another
 * where the cache has another name.  0 or -errno: then the old one is there.
 */
int registry_change(const struct registry *registry, struct registry_key *key,
                    const struct record *record);

/* Removes the record KEY; gone already is a success.  0 or -errno. */
int registry_leave(const struct registry *registry,
                   const struct registry_key *key);

/*
 * Moves what is in KEY's place aside, whatever it is, so that it is met no
 * more.  0 or -errno.
 */
int registry_set_aside(const struct registry *registry,
                       const struct registry_key *key);

/* One thing that was found. */
struct registry_entry {
    struct registry_key key;
    /*
     * Borrowed; NULL where it is no record that can be trusted, FAULT says
     * why: -EPERM (not root's, or others can write to it), -ELOOP (a link),
     * -EINVAL (no plain file, or its uid is another's; no directory), -EBADMSG,
     * -EMSGSIZE, -EPROTONOSUPPORT (of a newer version: not for us to judge); or
     * it may be a record all the same: -ENOMEM or another -errno of looking.
     */
    const struct record *record;
    int fault;
};

#define REGISTRY_EVERYBODY (-1)

/*
 * Shows every record of UID (or of REGISTRY_EVERYBODY) to VISIT, which may let
 * it leave or change it, until it says false.  0, or the -errno of a place that
 * is there and cannot be read: the others have been shown.
 */
int registry_visit(const struct registry *registry, int64_t uid,
                   bool (*visit)(void *data,
                                 const struct registry_entry *entry),
                   void *data);

/*
 * Removes what was left of writes that were killed, and directories of uids
 * that have no record any more.
 */
void registry_sweep(const struct registry *registry);

/* Who else holds a cache. */
enum registry_holders {
    REGISTRY_NOBODY,
    REGISTRY_OTHERS,  /* one of them will end it */
    REGISTRY_ADOPTERS /* they use it, and none of them will */
};

/*
 * Which sessions other than KEY's (NULL = there is none) hold RECORD's cache
 * and live: an enum registry_holders, or -errno where it cannot be told: a
 * place or a record of a holder that cannot be read.  CENSUS may be NULL: taken
 * where it is needed.
 */
int registry_holders(const struct registry *registry,
                     const struct registry_key *key,
                     const struct record *record,
                     const struct presence_census *census);

/*
 * Takes the lock on what UID's sessions share, within LIMIT_MS; directories are
 * made as MISSING says.  Returns a descriptor (registry_unlock), or -errno,
 * -ETIMEDOUT among them.
 */
int registry_lock(const struct registry *registry, int64_t uid,
                  enum safefs_missing missing, int64_t limit_ms);
void registry_unlock(int lock);

#endif
