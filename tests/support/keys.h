/*
 * Kernel keys as tests look at them: whose they are, who may do what with
 * them, how many a uid may have (keyrings(7), keyctl(2), /proc/keys and
 * /proc/key-users).  Whatever is a user's is looked at and changed by a process
 * that is the user.  Knows nothing of credential caches.
 */
#ifndef SUPPORT_KEYS_H
#define SUPPORT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Keyrings that keys are found in.  The session's is that of this process. */
enum keys_anchor { KEYS_USER, KEYS_SESSION, KEYS_PERSISTENT };

/* What group and others may do, of a key's permissions. */
#define KEYS_FOREIGN_MASK 0xffffU

struct keys_key {
    int32_t serial;
    int32_t parent; /* the keyring that it was met in; 0 = the anchor */
    uid_t uid;
    gid_t gid;
    uint32_t permissions; /* possessor, user, group, other; a byte each */
    char type[16];        /* "keyring", "user"; "?" = he may not even look */
    char description[160];
};

/* Whether the kernel has keys, and persistent keyrings, for us. */
bool keys_available(void);

/*
 * Fills in what UID finds in his ANCHOR and below, the anchor first; a key that
 * is linked twice is there twice.  How many there are, at most MAX.
 */
size_t keys_list(uid_t uid, enum keys_anchor anchor, struct keys_key *keys,
                 size_t max);

/* What of the quota of UID is used. */
struct keys_usage {
    long keys;
    long keys_max;
    long bytes;
    long bytes_max;
};
struct keys_usage keys_usage(uid_t uid);

/*
 * Leaves UID room for so many keys and bytes by keys of his own in his user
 * keyring (which itself grows by some bytes with each key that is put there);
 * negative = as much as there is.  keys_drain gives the room back.
 */
void keys_fill(uid_t uid, long keys_left, long bytes_left);
void keys_drain(uid_t uid);

/*
 * Waits until his quota counts what is in UID's keyrings and in the session
 * keyring of this process, and no more: what is unlinked goes a little later.
 */
void keys_settle(uid_t uid);

/* This process gets a new session keyring that UID owns (uid 0: root). */
void keys_join_session(uid_t uid);
/* The owner of the session keyring of this process. */
uid_t keys_session_owner(void);

/*
 * Clears what UID has in his user, his default session and his persistent
 * keyring, and in the session keyring of this process where that is his.
 */
void keys_clear(uid_t uid);

#endif
