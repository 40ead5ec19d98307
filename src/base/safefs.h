/*
 * Looking at the file system without being led astray: every component of a
 * path opened by hand relative to the one before it, no links followed, owner
 * and mode judged on the open descriptor (openat(2), O_NOFOLLOW).
 */
#ifndef BASE_SAFEFS_H
#define BASE_SAFEFS_H

#include <sys/types.h>

#include "base/bytes.h"

/*
 * Whether the program at PATH may be run by somebody who trusts root and
 * OWNER alone: PATH is absolute and has no "." or ".."; each component from /
 * on is owned by root or OWNER, is no link, and is not writable by group or
 * others (a sticky directory may be); the last is a regular file.  0, or
 * -errno: -EPERM where a component is not trustworthy, -ELOOP for a link,
 * -ENOENT and so on as openat(2).  *AT_OUT, where not NULL, is the length of
 * the part of PATH that the answer is about.
 */
int safefs_check_program(const char *path, uid_t owner, size_t *at_out);

enum safefs_missing {
    SAFEFS_FAIL_IF_MISSING,
    SAFEFS_MAKE_IF_MISSING /* the last component, as 0700 under any umask */
};

/*
 * Opens the directory at PATH by the same rules; the last component must not
 * even be sticky and writable.  Returns the descriptor (close(2)), or -errno
 * as above.
 */
int safefs_open_directory(const char *path, uid_t owner,
                          enum safefs_missing missing);

/*
 * The same of NAME, one component, in the open directory DIRECTORY, which stays
 * open and was opened by these rules.  What is this process's own, and was left
 * without the rights of its owner when its maker was killed, gets them back.
 */
int safefs_open_directory_at(int directory, const char *name, uid_t owner,
                             enum safefs_missing missing);

/*
 * Opens the file NAME of DIRECTORY for reading: a regular one with one name at
 * the most, OWNER's, none of whose mode bits are among FORBIDDEN.  It is judged
 * before it is opened as well: opening is enough to wake a device.  Returns the
 * descriptor (close(2)), or -errno: -ELOOP for a link, -EINVAL for what is no
 * regular file, -EPERM for one of another owner, mode or more names.
 */
int safefs_open_file_at(int directory, const char *name, uid_t owner,
                        mode_t forbidden);

/*
 * Makes the new file NAME (0600 under any umask) in DIRECTORY and writes the
 * COUNT spans of CONTENT to it, one behind the other.  After a failure there is
 * none.  0 or -errno: -EEXIST, and -EFBIG also where the process's RLIMIT_FSIZE
 * is so small that the write would end it (SIGXFSZ, setrlimit(2)).
 */
int safefs_create(int directory, const char *name, const struct span *content,
                  size_t count);

#endif
