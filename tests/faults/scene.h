/*
 * A stage for faults: one kind of cache, handles of alice's that are ready for
 * any call, and stories, each a call that may go wrong and what must be true
 * of everything behind it.  Each try is the life of a child that has a copy of
 * the handles, so that nobody has to log in again for the next.
 */
#ifndef FAULTS_SCENE_H
#define FAULTS_SCENE_H

#include "faults/faults.h"
#include "faults/whole.h"
#include "stack/common.h"
#include "stack/kinds.h"

struct scene;

/* What hinders the call of a try, and is gone behind it. */
struct hindrance {
    void (*begin)(struct scene *scene);
    void (*end)(struct scene *scene);
};

/* How a try went; shared with the child. */
struct verdict {
    bool is_good;
    int code;
    int64_t lasted_ms;
    unsigned int late; /* helpers that were there when the call was over */
    struct whole now;
    char made[512]; /* the cache that was to be ended */
    char text[16384];
};

struct scene {
    const struct kind *kind;
    struct faults_page *page;
    struct verdict *verdict;
    const struct hindrance *hindrance; /* NULL = none */
    long allowance;                    /* of the hindrance: how much is left */

    struct stack fresh;  /* has not authenticated */
    struct stack own[2]; /* have, and keep the tickets */
    uint64_t tgt[2];     /* by which these are known */
    struct stack other;  /* has no tickets and never will */
    struct stack holder; /* has made `cache`; until scene_let_go */
    bool has_holder;
    char cache[512];
    struct whole now; /* what is in it */
    int turn;         /* which of `own` comes next */
    unsigned int tries;
    unsigned int libkrb5_crashes; /* helpers that libkrb5 has crashed */
    unsigned int late; /* helpers that a host has left to end alone */
};

/*
 * Installs the faulty module and helper where tests/in-namespace has the good
 * ones and has all hosts use them.  Before the suite runs, as root.
 */
void scene_install(void);

/*
 * Adds to SUITE the test FUNCTION, PER_KIND times for each kind (_i counts
 * both), with LIMIT_S seconds for each.  The KCM server lives for its own kinds
 * alone: it ends by itself when it has nothing to do.
 */
void scene_add_tests(Suite *suite, const TTest *function, int per_kind,
                     int limit_s);

/*
 * What FAULT_ONLY says behind the name of KIND: "" where that is all, NULL
 * where it is of another kind or not set.
 */
const char *scene_only(const struct kind *kind);

/* Fixture parts: the handles and the cache of KIND; at the end, nothing. */
void scene_begin(struct scene *scene, const struct kind *kind);
void scene_end(struct scene *scene);

/* The holder ends its session: from here on there is no cache. */
void scene_let_go(struct scene *scene);

/* One call, and what is true behind it. */
struct story {
    const char *name;
    bool has_exchange;
    bool is_of_all_kinds; /* else it has nothing to do with caches */
    bool is_of_shared;    /* only with kinds that sessions share */
    bool needs_cache;     /* of the holder's; others want that there is none */
    int codes[8];         /* that the call may give; PAM_SUCCESS ends them */
    /* In the child: what goes before, the call, the look at everything. */
    void (*before)(struct scene *scene);
    int (*call)(struct scene *scene);
    void (*after)(struct scene *scene, int code);
    /*
     * The look at what a host has left that was killed in the call; NULL: the
     * same as if the call had failed.
     */
    void (*after_death)(struct scene *scene);
};

/* Those that need a cache come first. */
extern const struct story stories[];
extern const size_t stories_count;

/* The story NAME; the test fails where there is none. */
const struct story *story_named(const char *name);

/* Whether STORY is one of SCENE's kind. */
bool scene_has_story(const struct scene *scene, const struct story *story);

/*
 * One try of STORY with PLAN carried out in its call.  The test fails where
 * something is not as it must be.  True: something was hit.
 */
bool scene_try(struct scene *scene, const struct story *story,
               const struct faults_plan *plan);

/*
 * The same with a host that does not live: PLAN is of the module and kills, or
 * AFTER_NS nanoseconds do (0 = they do not).  True: it was killed.
 */
bool scene_kill_host(struct scene *scene, const struct story *story,
                     const struct faults_plan *plan, uint64_t after_ns);

#endif
