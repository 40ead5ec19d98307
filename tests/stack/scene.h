/*
 * What the tests of caches find in place and what the user finds afterwards:
 * tickets of several sorts that are planted in any cache of alice's, and what
 * klist(1) shows her.  All of it is done by processes that are alice.  Knows
 * nothing of the module.
 */
#ifndef STACK_SCENE_H
#define STACK_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "stack/kinds.h"
#include "support/suite.h"

/*
 * A test for the kind of number _i, which is KIND from here on and has nothing
 * of alice's in it.
 */
#define SCENE_BEGIN(kind)                                                      \
    const struct kind *kind = &kinds[_i];                                      \
    const char *begin_why = NULL;                                              \
                                                                               \
    SKIP_UNLESS(kinds_available(kind, &begin_why), begin_why);                 \
    kinds_begin(kind, "alice")

/* A test that begins so, and which kinds it is for; NULL = all. */
struct scene_row {
    const TTest *test;
    bool (*is_for)(const struct kind *kind);
};

/*
 * Adds to SUITE a case for each kind, named like it, with those of the COUNT
 * tests of ROWS that are for it.
 */
void scene_add(Suite *suite, const struct scene_row *rows, size_t count);

/* What can be planted.  All but the expired live for an hour. */
enum scene_tickets {
    SCENE_ALICE,     /* a renewable TGT, a service ticket */
    SCENE_BARE,      /* a TGT alone, no configuration entries */
    SCENE_EXPIRED,   /* a TGT that has ended, another client's ticket */
    SCENE_VANISHING, /* an expired TGT alone: a keyring of it is gone by now */
    SCENE_BOB, /* the principal bob's: a renewable TGT, a service ticket */
    SCENE_COUNT
};

/* The service that service tickets are for. */
#define SCENE_SERVICE "app/service.test"

/*
 * Gets all of those once from the KDC of the realm; an unchecked fixture, of
 * any number of cases.  Does nothing outside of tests/in-namespace.
 */
void scene_begin(void);

/*
 * Makes the cache NAME, which is not there, puts TICKETS into it, and makes it
 * the primary of its collection where it has one.
 */
void scene_plant(const char *name, enum scene_tickets tickets);

/* The same with KIND's cache SUFFIX (six letters), whose name it fills in. */
#define SCENE_NAME_MAX 256
void scene_plant_in(const struct kind *kind, const char *suffix,
                    enum scene_tickets tickets, char name[SCENE_NAME_MAX]);

/*
 * Adds to the cache NAME what a service of alice's has that acts for bob
 * (S4U2Proxy): a ticket whose client he is.
 */
void scene_add_evidence(const char *name);

/* Puts something into the cache NAME of KIND that libkrb5 cannot read. */
void scene_spoil(const struct kind *kind, const char *name);

/* When the tickets that are planted have begun (SCENE_ALICE). */
int64_t scene_begun(void);

/*
 * A handle of alice's on KIND with NAME as KRB5CCNAME: one that has not
 * authenticated, and one that has tickets of two hours.
 */
#define SCENE_LIFETIME_S 7200
void scene_start(const struct kind *kind, struct stack *stack,
                 const char *name);
void scene_login(const struct kind *kind, struct stack *stack,
                 const char *name);

/* NAME has alice's TGT, of a handle of scene_login. */
void scene_assert_new(const char *name);

/* klist shows alice the cache NAME with alice's TGT in it, everywhere. */
void scene_assert_seen(const struct kind *kind, const char *name);

/* To alice there is no cache NAME. */
void scene_assert_gone(const struct kind *kind, const char *name);

/* NAME is the primary of KIND's collection. */
void scene_assert_primary(const struct kind *kind, const char *name);

/*
 * What `klist WORDS` says to alice, whose KRB5CCNAME is NAME where that is not
 * NULL; static storage.
 */
const char *scene_klist(const char *name, const char *words);

/* Two looks show the same. */
void scene_assert_same(const struct cache_view *before, const char *name);

#endif
