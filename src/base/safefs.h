/*
 * Looking at the file system without being led astray: every component of a
 * path opened by hand relative to the one before it, no links followed, owner
 * and mode judged on the open descriptor (openat(2), O_NOFOLLOW).
 */
#ifndef BASE_SAFEFS_H
#define BASE_SAFEFS_H

#include <sys/types.h>

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

#endif
