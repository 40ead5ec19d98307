/*
 * An errand: one request to the helper on behalf of a host, its questions
 * answered from the host's handle.
 */
#ifndef PAM_ERRAND_H
#define PAM_ERRAND_H

#include "pam/holding.h"
#include "pam/host.h"

struct state;

struct errand {
    struct host *host;      /* borrowed */
    struct request request; /* job, and what it needs; the rest is filled in */
    /*
     * What the session is about to hold, told before it is made (borrowed);
     * NULL: what is drawn is no session's.  Of PRINCIPAL.  LOCK is the one on
     * what is shared (registry_unlock), -1 = not taken.
     */
    struct holding *holding;
    const char *principal;
    int lock;
    bool has_tried_lock; /* it cannot be had: once is enough */
    /* The name last drawn for a STORE (NULL = none), owned (errand_free). */
    char *name;
    bool is_shared; /* that name is not this session's alone */
    /* Why no name could be drawn; "" = not known here. */
    char cause[256];
    /* Puts PROMPTS to the user and appends the ANSWERS to PAYLOAD; NULL = no.
     */
    enum outcome (*ask)(struct host *host, const struct prompts *prompts,
                        struct bytes *payload);
    struct groups groups; /* of the user, as an ACQUIRE has found them */
    /*
     * Called once in an ACQUIRE that waits for the KDC, if not NULL: for work
     * that would have to be done behind it.
     */
    void (*meanwhile)(const struct host *host);
    struct client_answer answer;
};

/* An errand for HOST to do JOB for the user of the call. */
struct errand errand_for(struct host *host, enum job job);

/* Runs ERRAND; its outcome, with answer.result set. */
enum outcome errand_run(struct errand *errand);

/*
 * The same for whom STATE has as named, and it has whom the answer names, so
 * that nobody is asked twice who he is.
 */
enum outcome errand_run_as_named(struct errand *errand, struct state *state);

void errand_free(struct errand *errand);

/* Logs OUTCOME of DOING with the cause that the answer gives. */
void errand_log(const struct errand *errand, enum outcome outcome,
                const char *doing);

#endif
