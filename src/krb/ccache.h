/*
 * Credential caches on behalf of the user that this process has become: made,
 * replaced whole, read, destroyed.  A table says what each kind of cache does;
 * its rows hide how.  Never initializes a cache that somebody may be reading.
 *
 * Names are libkrb5's ("FILE:/tmp/krb5cc_1000_abc"; a bare path is a FILE).
 */
#ifndef KRB_CCACHE_H
#define KRB_CCACHE_H

#include "krb/tickets.h"

/*
 * Makes the cache NAME of TICKETS; it must not exist: OUTCOME_CACHE_TAKEN.
 * Nothing half-made stays (OUTCOME_CACHE_UNWRITABLE, OUTCOME_CACHE_KIND).
 */
enum outcome ccache_create(struct krb *krb, const char *name,
                           const struct tickets *tickets);

/*
 * Puts TICKETS in the place of what NAME holds, in one step: readers see the
 * old tickets whole or the new ones whole.  Service tickets and configuration
 * entries that are still good survive.  A cache that is missing or empty is
 * made.  OUTCOME_CACHE_OF_ANOTHER where it holds another principal's tickets;
 * then, and after any other failure, it is as it was.
 */
enum outcome ccache_replace(struct krb *krb, const char *name,
                            const struct tickets *tickets);

/* What is in the cache NAME, all entries.  The caller frees (tickets_free). */
enum outcome ccache_read(struct krb *krb, const char *name,
                         struct tickets *tickets_out);

/* Destroys the cache NAME.  One that is gone already is a success. */
enum outcome ccache_destroy(struct krb *krb, const char *name);

/*
 * The name of libkrb5's default cache for this process, the caller's (free).
 */
enum outcome ccache_default_name(struct krb *krb, char **name_out);

#endif
