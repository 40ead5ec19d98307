/*
 * What every kind of cache must be able to do: one row of ccache.c's table.
 * RESIDUAL is the cache's name behind "KIND:".
 */
#ifndef KRB_CCACHE_KIND_H
#define KRB_CCACHE_KIND_H

#include "krb/krb.h"

struct ccache_kind {
    const char *prefix;

    /* Takes the name so that nobody else has it: OUTCOME_CACHE_TAKEN. */
    enum outcome (*claim)(struct krb *krb, const char *residual);

    /* Takes back a claim that came to nothing. */
    void (*unclaim)(struct krb *krb, const char *residual);

    /*
     * Whether there is a cache that may be read: OUTCOME_CACHE_MISSING where
     * there is none, OUTCOME_CACHE_UNREADABLE where something else is.
     */
    enum outcome (*inspect)(struct krb *krb, const char *residual);

    /*
     * Puts what MEMORY holds in the cache's place in one step.  MEMORY is
     * destroyed, also after a failure.
     */
    enum outcome (*replace)(struct krb *krb, const char *residual,
                            krb5_ccache memory);

    /* Destroys the cache; gone already is a success. */
    enum outcome (*destroy)(struct krb *krb, const char *residual);
};

extern const struct ccache_kind ccache_kind_file;

#endif
