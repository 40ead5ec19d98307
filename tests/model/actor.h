/*
 * A host as a process of its own that plays sshd, login, su or cron and does
 * one PAM call after the other as it is told, so that many sessions may live
 * side by side; it can be killed whenever we like.  What the session's user
 * does is done by children of it, which are in its session keyring.  Knows how
 * to call, not what must come of it.
 */
#ifndef MODEL_ACTOR_H
#define MODEL_ACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "faults/whole.h"
#include "model/visit.h"

#define ACTOR_TEXT_MAX 256
#define ACTOR_LOG_MAX 2048

/* What one is told to do. */
enum actor_deed {
    ACTOR_START,            /* pam_start, as .start says */
    ACTOR_AUTHENTICATE,     /* with the right or the wrong password */
    ACTOR_AUTHENTICATE_FAR, /* in a child that _exits; its environment comes */
    ACTOR_ACCOUNT,
    ACTOR_SETCRED,        /* with .flags */
    ACTOR_SETCRED_FORKED, /* by a child that then gives its copy back */
    ACTOR_OPEN,
    ACTOR_CLOSE,
    ACTOR_END,          /* pam_end with .flags; the process ends too */
    ACTOR_JOIN_SESSION, /* pam_keyinit: a session keyring of the user's */
    ACTOR_NAME_CACHE,   /* KRB5CCNAME of the PAM environment is .text */
    ACTOR_VISIT,        /* another host in this session: .visit */
    ACTOR_LIVE,         /* a process of the user's begins: .pid */
    ACTOR_LOOK,         /* into the cache .text */
    ACTOR_KINIT,        /* the user's own, into .text */
    ACTOR_KDESTROY,
    ACTOR_SHIFT, /* .text's tickets are .shift of another time */
};

/* Other times for the TGT in a cache, as if it was got long ago. */
enum actor_shift { SHIFT_AGED, SHIFT_EXPIRED };

struct actor_start {
    char user[32];
    char config[ACTOR_TEXT_MAX]; /* KRB5_CONFIG */
    char arguments[2 * ACTOR_TEXT_MAX];
    bool is_remote;
    bool is_faulty; /* module and helper of tests/faults */
};

struct actor_order {
    enum actor_deed deed;
    int flags;
    bool is_wrong; /* the password */
    bool is_loud;  /* the child does not say that it has a copy only */
    enum actor_shift shift;
    int64_t lifetimes[2];
    char principal[64];
    char text[ACTOR_TEXT_MAX];
    struct actor_start start;
    struct visit visit;
};

struct actor_answer {
    bool is_dead; /* it has died instead */
    int code;     /* PAM's, or 0 for what has been done */
    pid_t pid;
    char cache[ACTOR_TEXT_MAX]; /* KRB5CCNAME of the PAM environment, "" */
    char stash[ACTOR_TEXT_MAX]; /* PAM_KRB5CC_STASH */
    struct whole whole;
    struct visit_result visit;
    char log[ACTOR_LOG_MAX];
};

struct actor {
    pid_t pid;
    int socket;
};

/* A new one, which has not called pam_start. */
struct actor actor_begin(void);

/* Has ACTOR do ORDER.  Where it dies of that it is waited for. */
struct actor_answer actor_tell(struct actor *actor,
                               const struct actor_order *order);

/* SIGKILL, and its death. */
void actor_kill(struct actor *actor);

/* Waits for the death of the child PID, ours or one that became ours. */
void actor_bury(pid_t pid);

#endif
