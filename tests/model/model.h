/*
 * The reference model: who has which session, which cache it holds, whose
 * tickets are in it, what of it is on record, and what becomes of all that.
 * It is what the contracts say (doc/contracts.md) and nothing else: no call of
 * it touches a process, a cache or a record.  What is real is compared with it
 * by reality.h.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/actor.h"
#include "stack/kinds.h"

#define MODEL_USERS 3
#define MODEL_SESSIONS 12
#define MODEL_CACHES 48
#define MODEL_STASHES 64

extern const char *const model_users[MODEL_USERS];

/* Who calls, and in which order. */
enum shape {
    SHAPE_SSHD,     /* from afar: setcred, open */
    SHAPE_KEYBOARD, /* the same, authenticated in a child that _exits */
    SHAPE_LOGIN,    /* here: open, setcred, REINITIALIZE */
    SHAPE_SU,       /* here: setcred, open */
    SHAPE_CRON,     /* without a password: no tickets */
    SHAPE_GSSAPI,   /* tickets that the host has brought */
    SHAPE_COUNT
};

/* How sure the model is of what a cache holds, until somebody looks. */
enum certainty {
    CERTAIN, /* .exists and .tgt are so */
    FRESH,   /* other tickets than .tgt */
    EITHER,  /* those of .tgt, or others: a call was cut off */
    PERHAPS, /* nobody knows, not even whether */
};

struct model_cache {
    bool in_use;
    int user;
    const struct kind *kind; /* NULL = the host's own, brought by it */
    char name[ACTOR_TEXT_MAX];
    bool exists; /* it can be read and has tickets */
    enum certainty certainty;
    uint64_t tgt;
    bool is_foreign; /* the user has put another principal's tickets there */
    bool is_renewable;
    bool would_be_renewable; /* if it has the tickets of the call cut off */
    bool is_place;           /* a collection: its host did not live to know */
    bool is_aged;            /* most of the TGT's life seems to be over */
    bool is_expired;         /* all of it */
    bool is_left_to_reap;    /* by a try that broke off: a record says so */
    /* So many half-made things may lie beside it: a call was cut off. */
    unsigned int slack;
};

struct model_session {
    bool in_use;
    unsigned int serial; /* lasting, where slots are used again */
    int64_t began;       /* authenticated then, CLOCK_MONOTONIC */
    int user;
    const struct kind *kind;
    enum shape shape;
    bool is_remote;
    bool is_faulty; /* can be told to die in a call */
    bool is_renewable;
    struct actor actor;
    pid_t pid; /* the host's, dead or alive */
    bool has_host;
    pid_t life; /* a process of the user's in it; 0 = none */

    /* The handle. */
    bool has_tickets; /* of its own ("own creds") */
    bool has_blob;    /* and they are in no cache yet */
    bool is_open;
    bool has_keyring;          /* the session has a keyring of the user's */
    struct model_cache *cache; /* NULL = none held */
    bool is_unsettled; /* its host died before it was known to be made */
    bool must_end;     /* could not be ended when it should have been */
    char variable[ACTOR_TEXT_MAX]; /* KRB5CCNAME of the PAM environment */
    char stash[ACTOR_TEXT_MAX];    /* PAM_KRB5CC_STASH of it */

    /* The record. */
    bool is_recorded;
    bool is_bound;
    bool may_be_bound; /* its host died as it opened the session */
    bool is_ended;
};

/* What was stashed and perhaps never taken. */
struct model_stash {
    char name[ACTOR_TEXT_MAX];
    int64_t made; /* CLOCK_MONOTONIC, in seconds */
    bool is_left; /* its session has gone without it: its time takes it away */
};

struct model {
    struct model_session sessions[MODEL_SESSIONS];
    struct model_cache caches[MODEL_CACHES];
    struct model_stash stashes[MODEL_STASHES];
    size_t stash_count;
};

/* An unused session, NULL where all are taken. */
struct model_session *model_new_session(struct model *model);

/* The cache NAME of USER in KIND, made known where it is not. */
struct model_cache *model_cache(struct model *model, int user,
                                const struct kind *kind, const char *name);

/* Whether SESSION lives, as reap judges: its host or a process of its user. */
bool model_lives(const struct model *model,
                 const struct model_session *session);

/* Whether a live session besides EXCEPT (NULL = none) holds CACHE. */
bool model_is_held(const struct model *model, const struct model_cache *cache,
                   const struct model_session *except);

/* Whether a cache of USER in KIND's place has his tickets to be shared. */
bool model_can_share(const struct model *model, int user,
                     const struct kind *kind);
bool model_is_to_share(const struct model_cache *cache, int user,
                       const struct kind *kind);

/* What calls bring about.  The handle has authenticated, or failed to: */
void model_authenticated(struct model_session *session, bool has_succeeded);
/* It has made, or taken over, CACHE with new tickets. */
void model_established(struct model_session *session,
                       struct model_cache *cache);
/* It holds what its host has brought. */
void model_adopted(struct model_session *session, struct model_cache *cache);
/* It has left its cache; the last holder destroys. */
void model_left(struct model *model, struct model_session *session);
/* The same by reap. */
void model_reaped(struct model *model, struct model_session *session);
/* The host is gone without a word. */
void model_lost_host(struct model_session *session);
/* CACHE has new tickets of its own principal. */
void model_replaced(struct model_cache *cache, bool is_renewable);
/*
 * A call that would have replaced them was cut off: the old ones whole or the
 * new ones whole.
 */
void model_cut_off(struct model_cache *cache, bool would_be_renewable);
/* CACHE is gone. */
void model_destroyed(struct model_cache *cache);

/* Sessions that nothing is left of, and caches of nobody, are forgotten. */
void model_tidy(struct model *model);

/* Whether two kinds keep their caches in the same place. */
bool model_same_place(const struct kind *a, const struct kind *b);

#endif
