/*
 * What every kind of cache must be able to do: one row of ccache.c's table,
 * and what some kinds have in common.  NAME is of the kind that it is given to.
 *
 * A name is that of a single cache or that of a collection.  Collections have
 * check, collection, is_collection, primary, pattern and is_of_session; all the
 * rest is done to single caches, which may be members of one.
 */
#ifndef KRB_CCACHE_KIND_H
#define KRB_CCACHE_KIND_H

#include "krb/tickets.h"

/* The longest name of a cache, and the end of a drawn one (base/expand.h). */
#define CCACHE_NAME_MAX 4096
#define CCACHE_RANDOM "XXXXXX"

/* What a cache is to become. */
struct ccache_change {
    const struct tickets *fresh;
    const struct tickets *old; /* what is in it now; empty = it is not there */
};

struct ccache_kind {
    const char *prefix;

    /*
     * Whether this kind can do anything with NAME: OUTCOME_CACHE_KIND for a
     * name that it refuses, OUTCOME_CACHE_UNREADABLE where what the name
     * stands in is not the user's.  Comes before everything below.
     */
    enum outcome (*check)(struct krb *krb, const char *name);

    /*
     * The name of the collection that NAME is or is a member of, "" where it
     * is neither.
     */
    void (*collection)(const char *name, char collection[CCACHE_NAME_MAX]);

    /* Whether NAME is a collection and not a single cache. */
    bool (*is_collection)(const char *name);

    /* The name of the primary of COLLECTION, there or not (free). */
    enum outcome (*primary)(struct krb *krb, const char *collection,
                            char **name_out);

    /*
     * A pattern that ends in CCACHE_RANDOM for a new cache inside or beside
     * NAME; "" where it would be too long.
     */
    void (*pattern)(const char *name, char pattern[CCACHE_NAME_MAX]);

    /*
     * Whether NAME's place comes with the session: the session keyring, and
     * /run/user/UID while that is not there.
     */
    bool (*is_of_session)(const char *name);

    /* Takes the name so that nobody else has it: OUTCOME_CACHE_TAKEN. */
    enum outcome (*claim)(struct krb *krb, const char *name);

    /* Takes back a claim that came to nothing, and what was half made. */
    void (*unclaim)(struct krb *krb, const char *name);

    /*
     * Whether there is a cache that may be read: OUTCOME_CACHE_MISSING where
     * there is none, OUTCOME_CACHE_UNREADABLE where something else is.
     */
    enum outcome (*inspect)(struct krb *krb, const char *name);

    /*
     * Makes the change so that readers see the old TGT or the new one.  After
     * a failure what was there is there.
     */
    enum outcome (*replace)(struct krb *krb, const char *name,
                            const struct ccache_change *change);

    /* Destroys the cache; gone already is a success (see ccache.h). */
    enum outcome (*destroy)(struct krb *krb, const char *name);
};

extern const struct ccache_kind ccache_kind_file;
extern const struct ccache_kind ccache_kind_dir;
extern const struct ccache_kind ccache_kind_keyring;
extern const struct ccache_kind ccache_kind_kcm;

/* The kind of NAME, or NULL. */
const struct ccache_kind *ccache_kind_of(const char *name);

/* As ccache_check, and OUTCOME_CACHE_KIND for a collection. */
enum outcome ccache_check_single(struct krb *krb, const char *name);

/* A copy of NAME for the caller (free), or OUTCOME_NO_MEMORY. */
enum outcome ccache_copy_name(struct krb *krb, const char *name,
                              char **copy_out);

/*
 * The primary of the collection that NAME is in, the caller's (free); NULL
 * where there is no collection or it cannot be told.
 */
char *ccache_primary_beside(struct krb *krb, const char *name);

/*
 * Makes the new cache NAME its collection's primary where there is none that
 * lives.  No reason to fail: the session has its cache by name.
 */
void ccache_become_primary(struct krb *krb, const char *name);

/*
 * Destroys what is left of sessions in the collection of NAME: drawn names,
 * but NAME, without a TGT that lives.  True where something was destroyed.
 */
bool ccache_sweep(struct krb *krb, const char *name);

/* The path of a FILE cache or of a member of a DIR. */
const char *ccache_path(const char *name);

/* What FILE does and DIR does too. */
enum outcome ccache_file_claim(struct krb *krb, const char *name);
bool ccache_file_is_of_session(const char *name);
void ccache_file_unclaim(struct krb *krb, const char *name);
enum outcome ccache_file_inspect(struct krb *krb, const char *name);
enum outcome ccache_file_replace(struct krb *krb, const char *name,
                                 const struct ccache_change *change);
enum outcome ccache_file_destroy(struct krb *krb, const char *name);

/* Whether PATH looks like what a replacement of another file has left. */
bool ccache_file_is_stray(const char *path);

/*
 * Removes what replacements of the file PATH that were killed, or had no room,
 * have left beside it and is older than so many seconds.
 */
void ccache_file_sweep(const char *path, int64_t older_than_s);

/* OUTCOME with "PATH: the system's words for ERROR" as the detail. */
enum outcome ccache_refuse_errno(struct krb *krb, enum outcome outcome,
                                 const char *path, int error);

/*
 * What CODE, of doing something to NAME, has come to; OTHERWISE of most.  A
 * key quota is named in the detail.
 */
enum outcome ccache_failed(struct krb *krb, krb5_error_code code,
                           const char *name, enum outcome otherwise);

/* What KEYRING and KCM do, where a name is not a file's (ccache_store.c). */
enum outcome ccache_store_claim(struct krb *krb, const char *name);
void ccache_store_unclaim(struct krb *krb, const char *name);
enum outcome ccache_store_inspect(struct krb *krb, const char *name);
enum outcome ccache_store_replace(struct krb *krb, const char *name,
                                  const struct ccache_change *change);
enum outcome ccache_store_primary(struct krb *krb, const char *collection,
                                  char **name_out);
enum outcome ccache_store_destroy(struct krb *krb, const char *name);

#endif
