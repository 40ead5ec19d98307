/*
 * The private realm that a test runs in (kdc-test-env/README): its fault
 * proxies, its KDC's log, and a krb5.conf of the test's own.
 */
#ifndef SUPPORT_REALM_H
#define SUPPORT_REALM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A path in the realm's directory; static storage, until the next call. */
const char *realm_path(const char *name);

/*
 * Has the proxy in front of the KDC do as WORDS say and waits until it does.
 * Returns the number that `count` gives, else 0; ends the process on failure.
 */
long realm_fault(const char *words);
/* The same for the proxy in front of the replica. */
long realm_replica_fault(const char *words);

/* How many lines of the file PATH contain all of the texts, NULL at the end. */
long realm_count_lines(const char *path, const char *const texts[]);

/* kadmin.local's QUERY, on the primary.  True: done. */
bool realm_admin(const char *query);

/*
 * Writes LINES as a krb5.conf that goes before the realm's own (a line that
 * comes first wins) and makes this process and its helpers use it.
 */
void realm_use_krb5_conf(const char *lines);

/* Whether no process is named COMM, or none any more within 5 seconds. */
bool realm_is_gone(const char *comm);

#endif
