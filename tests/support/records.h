/*
 * Records of sessions as `krb5cc reap` will find them, for tests in which hosts
 * die or calls fail.
 */
#ifndef SUPPORT_RECORDS_H
#define SUPPORT_RECORDS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * How many records there are, which are then removed.  The test fails where one
 * is not for reap to take: its session lives, or it is no record.
 */
size_t records_of_the_gone(void);

/* The same of those sessions alone that the dead process HOST had. */
size_t records_of_dead_host(pid_t host);

/* The same of sessions that live. */
size_t records_of_the_living(void);

#endif
