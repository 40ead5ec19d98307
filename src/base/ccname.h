/*
 * Names of credential caches, such as KEYRING:persistent:1000:krb5cc_x: what
 * the text alone tells.  Pure: whether there is such a cache, and whether it
 * can be used, is krb/ccache's business.
 */
#ifndef BASE_CCNAME_H
#define BASE_CCNAME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the cache, or collection, NAME is in the session keyring: it comes
 * and goes with that, and only its own session comes to it.
 */
bool ccname_is_in_session_keyring(const char *name);

/*
 * Whether the cache NAME can be found by somebody who was told the name of a
 * collection only: of all kinds but FILE.
 */
bool ccname_is_in_collection(const char *name);

/*
 * Whether A and B name the same cache: FILE:/x, DIR::/x and /x do.  Of links,
 * and of .. on the way, nothing is known here.
 */
bool ccname_is_same(const char *a, const char *b);

/*
 * A number that tells names apart, more or less (FNV-1a, 64 bits), and is the
 * same for the same cache: nobody here wants to deceive us.  Records are found
 * by it, so it stays what it is.
 */
uint64_t ccname_digest(const char *name);

#endif
