/*
 * A process of alice's that swaps, as fast as it can, what is at the names of
 * a cache of hers while root works there: files, links to other people's,
 * fifos, directories, and the directories on the way.  Counts what was in
 * place while a call ran, and looks whether anything turns up that is not
 * hers.  Knows names, not what the calls do.
 */
#ifndef STACK_ATTACKER_H
#define STACK_ATTACKER_H

#include <stdbool.h>
#include <stdint.h>

#define ATTACKER "alice"
#define ATTACKER_ARENA "/tmp/home/alice/arena"
/* Where she keeps what is not in place. */
#define ATTACKER_WARDROBE "/tmp/home/alice/wardrobe"

/* Where it is fought over.  Names are common_with_uids' texts. */
struct arena {
    const char *name;
    const char *arguments; /* of the module */
    const char *cache;     /* its name where it is shared; NULL = it is drawn */
    const char *file;      /* is swapped; NULL = only drawn ones are */
    const char *directory; /* one on the way that is hers; NULL = none */
    const char *watched;   /* what turns up in here is swapped too, */
    const char *prefix;    /* if its name begins so */
};

/* What a name can stand for. */
enum thing {
    /* of a file: */
    THING_CACHE,      /* a cache of hers */
    THING_BOBS_CACHE, /* a symbolic link to it, as the next three */
    THING_ROOTS_CACHE,
    THING_ROOTS_TEXT,
    THING_NOBODYS,   /* to a name that is not there, in others' directories */
    THING_HARD_LINK, /* to bob's, where it is allowed or was before */
    THING_FIFO,
    THING_DIRECTORY,
    THING_HUGE, /* and sparse; the beginning of a cache or zeros */
    THING_UNREADABLE,
    /* of a directory: */
    THING_HOME, /* the real one */
    THING_BOBS_DIRECTORY,
    THING_ROOTS_DIRECTORY,
    THING_OTHER_DIRECTORY, /* of hers */
    THING_LOOP,
    /* of both: */
    THING_NOTHING,
    THING_COUNT,
};

/* What root does. */
enum race_call {
    RACE_NONE,
    RACE_ESTABLISH,
    RACE_REFRESH,
    RACE_RENEW,
    RACE_DELETE,
    RACE_CALL_COUNT,
};

/*
 * Starts the process, which rests; its dice begin with SEED.  Needs the
 * canaries (canary.h).
 */
void attacker_start(const struct arena *arena, uint64_t seed);
void attacker_stop(void);

/* Her places as in the beginning, with nothing in them.  When it rests. */
void attacker_lay_out(void);

/* A round: laid out anew, then it swaps until it is told to rest. */
void attacker_begin_round(void);
void attacker_end_round(void);

/* Root's process says what it does; the attacker only counts. */
void attacker_call_begins(enum race_call call);
void attacker_call_ends(void);

/*
 * What there is that is not alice's, in words (static storage), or NULL: what
 * the attacker has met, and what is in her places and in /tmp now.  When it
 * rests.
 */
const char *attacker_problem(void);

/* Prints what was in place, how often and in how many calls. */
void attacker_print(const char *name);
/* How many calls had THING in place at some moment. */
unsigned int attacker_calls_with(enum thing thing);
/* Whether THING is one for the arena. */
bool attacker_has(const struct arena *arena, enum thing thing);

#endif
