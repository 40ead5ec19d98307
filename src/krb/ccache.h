/*
 * Credential caches on behalf of the user that this process has become: made,
 * replaced, read, destroyed.  A table says what each kind of cache does; its
 * rows hide how.  Never initializes a cache that somebody may be reading.
 *
 * Names are libkrb5's ("FILE:/tmp/krb5cc_1000_abc"; a bare path is a FILE).  A
 * name may be that of a collection ("DIR:/run/user/1000/krb5cc", "KCM:"): it
 * is looked up in (ccache_find, ccache_primary), all else wants a single cache.
 */
#ifndef KRB_CCACHE_H
#define KRB_CCACHE_H

#include "krb/tickets.h"

/*
 * Whether something can be made of NAME here: OUTCOME_CACHE_KIND for kinds
 * that end with the process (MEMORY, KEYRING:process) and for nonsense,
 * OUTCOME_CACHE_UNREADABLE where what it stands in is not the user's (a
 * directory, the session keyring).
 */
enum outcome ccache_check(struct krb *krb, const char *name);

/* Whether NAME is a collection. */
bool ccache_is_collection(const char *name);

/*
 * Whether the place of NAME comes when the session is opened: the session
 * keyring, which takes its caches along when the session ends, and
 * /run/user/UID where it is not there yet.
 */
bool ccache_is_of_session(const char *name);

/*
 * A pattern that ends in XXXXXX for a new cache in the collection that NAME is
 * or is a member of; where it is neither, for one of the user's own in /tmp.
 * *PATTERN_OUT is the caller's (free).
 */
enum outcome ccache_pattern(struct krb *krb, const char *name,
                            char **pattern_out);

/*
 * The name of CLIENT's cache in COLLECTION, the primary first, the caller's
 * (free).  OUTCOME_CACHE_MISSING where there is none.
 */
enum outcome ccache_find(struct krb *krb, const char *collection,
                         krb5_const_principal client, char **name_out);

/* The name of COLLECTION's primary cache, whether it is there or not. */
enum outcome ccache_primary(struct krb *krb, const char *collection,
                            char **name_out);

/*
 * Makes the cache NAME of TICKETS; it must not exist: OUTCOME_CACHE_TAKEN.
 * A collection's primary it becomes only where there is none or an expired
 * one.  Nothing half-made stays (OUTCOME_CACHE_UNWRITABLE, OUTCOME_CACHE_QUOTA,
 * OUTCOME_CACHE_KIND).
 */
enum outcome ccache_create(struct krb *krb, const char *name,
                           const struct tickets *tickets);

/*
 * Puts TICKETS in the place of what NAME holds: readers see the old TGT or the
 * new one, whole.  Service tickets and configuration entries that are still
 * good survive.  A cache that is missing or empty is made.
 * OUTCOME_CACHE_OF_ANOTHER where it holds another principal's tickets; then,
 * and after any other failure, what was there is there.
 */
enum outcome ccache_replace(struct krb *krb, const char *name,
                            const struct tickets *tickets);

/*
 * The same for TICKETS that are the renewal of TGT: where NAME has no TGT any
 * more (OUTCOME_CACHE_MISSING) or another one (a success) it is left alone. Who
 * has destroyed it, or got new tickets, while the KDC was asked is right.
 */
enum outcome ccache_renew(struct krb *krb, const char *name,
                          const struct tickets *tickets, const krb5_creds *tgt);

/* What is in the cache NAME, all entries.  The caller frees (tickets_free). */
enum outcome ccache_read(struct krb *krb, const char *name,
                         struct tickets *tickets_out);

/*
 * Destroys the cache NAME.  OUTCOME_CACHE_MISSING: it is gone already (of
 * KEYRING and KCM where libkrb5 tells).  Of what is no plain file of the
 * user's, in the place of a file: OUTCOME_CACHE_TAKEN.
 */
enum outcome ccache_destroy(struct krb *krb, const char *name);

/*
 * The name of libkrb5's default cache for this process, the caller's (free).
 */
enum outcome ccache_default_name(struct krb *krb, char **name_out);

#endif
