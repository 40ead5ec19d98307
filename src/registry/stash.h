/*
 * The stash: a blob handed over from a process that authenticates to the one
 * that makes the session (sshd's keyboard-interactive authentication runs in a
 * child of its own), once.  It goes away by itself: kernel keys with a timeout
 * (add_key(2), keyctl(2), type "user"), in root's user keyring, that nobody but
 * uid 0 may look at or possess; where keys cannot be had a file of root's in
 * the runtime directory, which is void after the same time.  Both are known by
 * a random name.  Only for processes whose uids are all 0.
 */
#ifndef REGISTRY_STASH_H
#define REGISTRY_STASH_H

#include <stdint.h>

#include "base/bytes.h"

/* A name and its NUL. */
#define STASH_NAME_SIZE 48

/*
 * Keeps a copy of CONTENT for LIFETIME_S seconds, or one more, under a name of
 * its own, as keys or else below RUNTIME_DIR.  All or nothing.  0 or -errno:
 * -EMSGSIZE for nothing or more than BYTES_MAX, -EINVAL for no time or more
 * than an int32_t.
 */
int stash_put(const char *runtime_dir, struct span content, int64_t lifetime_s,
              char name_out[STASH_NAME_SIZE]);

/*
 * Makes keys that have nothing in them yet, for LIFETIME_S seconds: most of the
 * work of stash_put, which can be done while something else is waited for.
 * NAME_OUT is for stash_fill or stash_drop.  0 or -errno, as stash_put.
 */
int stash_prepare(int64_t lifetime_s, char name_out[STASH_NAME_SIZE]);

/*
 * Puts a copy of CONTENT into what stash_prepare has made, where it is then for
 * LIFETIME_S seconds, or one more; if this process is killed in the middle,
 * until the kernel collects the keyring that stash_prepare has given its time.
 * 0, or -errno, and NAME is gone: -EMSGSIZE for nothing or more than a page,
 * which is the most that a key can be changed to; -ENOENT, -EPERM, -EINVAL.
 */
int stash_fill(const char *name, struct span content, int64_t lifetime_s);

/*
 * Replaces CONTENT_OUT by what NAME stands for, once, and of several who do so
 * at a time for one: it is gone afterwards, whatever comes of it.  0, -ENOENT
 * (gone, void, or never there), -EPERM (not root's own: keys like that are left
 * alone), -EBADMSG (not a name, or not whole), -ENOMEM, or another -errno.
 */
int stash_take(const char *runtime_dir, const char *name,
               struct bytes *content_out);

/* Takes NAME away unread; what is not there is no matter. */
void stash_drop(const char *runtime_dir, const char *name);

/* Removes files that are void; returns how many. */
unsigned int stash_sweep(const char *runtime_dir);

#endif
