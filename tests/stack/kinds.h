/*
 * The kinds of caches as the tests on libpam see them: one table, and for each
 * kind how a user finds his caches in it.  Looks are taken by fresh processes
 * that are the user.
 */
#ifndef STACK_KINDS_H
#define STACK_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "support/cache.h"
#include "support/stack.h"

enum kind_family { KIND_FILE, KIND_DIR, KIND_KEYRING, KIND_KCM };

struct kind {
    const char *name; /* "KEYRING:persistent", for messages */
    enum kind_family family;
    const char *arguments; /* of the module, such as ccache=...; "" = none */
    const char *config;    /* lines of krb5.conf that go before; NULL = none */
    bool is_collection;    /* its caches are members of one */
    bool is_shared;        /* one cache for all sessions of a user */
    bool in_session;       /* made in open_session, in the session keyring */
    /*
     * Its caches begin with this (kinds_cache); %{username} and %{uid} are the
     * user's.
     */
    const char *prefix;
    /* What holds them: a directory, or the name of a collection; as above. */
    const char *place;
};

/*
 * Rows: FILE in /tmp (the default), FILE in a private directory of the user's,
 * FILE in /run/user/UID, DIR by default_ccache_name, DIR::file, a DIR by
 * ccache= (shared), KEYRING:persistent by default_ccache_name,
 * KEYRING:persistent by ccache=, KEYRING:user, KEYRING:session, plain
 * KEYRING:NAME, KCM by default_ccache_name, KCM by ccache=.
 */
extern const struct kind kinds[];
extern const size_t kinds_count;

/* Whether KIND can be had here; says why not. */
bool kinds_available(const struct kind *kind, const char **why_out);

/*
 * Fixture parts: kinds_begin makes what KIND needs for USER (directories, a
 * session keyring of this process that USER owns, krb5.conf lines) with
 * nothing in it; kinds_clear takes away whatever USER has in it.  A KCM server
 * must be there (kcm_begin).
 */
void kinds_begin(const struct kind *kind, const char *user);
void kinds_clear(const struct kind *kind, const char *user);

/* A handle of USER on KIND (common_start), and one with a cache (password,
   setcred, and open_session where the kind needs it). */
void kinds_start(const struct kind *kind, struct stack *stack, const char *user,
                 const char *more_arguments, const char *const *answers);
void kinds_establish(const struct kind *kind, struct stack *stack,
                     const char *user, const char *more_arguments);

/*
 * The name of the cache SUFFIX (six letters) of USER in KIND, of the shape
 * that the module draws: to plant one there.  kinds_collection is the name of
 * the collection that they are members of, NULL where there is none.  Both in
 * static storage until the fourth call of either from here.
 */
const char *kinds_cache(const struct kind *kind, const char *user,
                        const char *suffix);
const char *kinds_collection(const struct kind *kind, const char *user);

/* NAME is of the shape that the module draws for USER in KIND. */
void kinds_assert_name(const struct kind *kind, const char *name,
                       const char *user);

/* NAME is USER's: stat, or /proc/keys uid and permissions, or KCM answers that
   uid and no other. */
void kinds_assert_owned(const struct kind *kind, const char *name,
                        const char *user);

/* How many caches, strays and half-made ones counted, USER has in KIND. */
size_t kinds_caches(const struct kind *kind, const char *user);

/* How many of these are of a killed krb5_cc_switch, beside a DIR's primary. */
size_t kinds_primary_strays(const struct kind *kind, const char *user);

#endif
