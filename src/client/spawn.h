/*
 * Starting the helper from a host that may be anything: threaded, set-uid,
 * huge, with its own ideas about signals, descriptors and children.  Nothing
 * of the host changes but that it has a child more.
 */
#ifndef CLIENT_SPAWN_H
#define CLIENT_SPAWN_H

#include <sys/types.h>

/*
 * Starts the program at PATH with a new socket as its descriptor 3, in a
 * session of its own, cwd /, signals at their default and unblocked, no other
 * descriptor but 0 to 2 on /dev/null, and an environment that is explicit: the
 * KRB5_ variables of a host whose ids are all equal and that is not AT_SECURE,
 * nothing else.  PATH is checked first (safefs_check_program).  *PID_OUT is
 * the child, *FD_OUT our end of the socket, the caller's to close.  0, -EPERM
 * or -ELOOP (PATH is not trustworthy; *AT_OUT says how much of it the answer
 * is about), or -errno as of posix_spawn(3).
 */
int spawn(const char *path, pid_t *pid_out, int *fd_out, size_t *at_out);

#endif
