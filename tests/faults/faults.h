/*
 * What a test and the faulty module and helper share: which call is to fail,
 * or to be the death of its process, and what has come of it.  A page of a
 * file, since the helper gets no environment and loses its rights.  Knows
 * nothing of PAM or Kerberos.
 */
#ifndef FAULTS_FAULTS_H
#define FAULTS_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* In the test's own /tmp (tests/in-namespace); root's, 0600. */
#define FAULTS_FILE "/tmp/faults.page"

/* Whose calls are counted. */
enum faults_side {
    FAULTS_MODULE,
    FAULTS_HELPER,   /* the judge, or the one process of a job without one */
    FAULTS_EXCHANGE, /* its child */
    FAULTS_SIDES
};

/* Which calls are counted. */
enum faults_family {
    FAULTS_CALLS,   /* of our own objects, but for the favours */
    FAULTS_FAVOURS, /* those of which our code does not ask the result */
    FAULTS_LIBKRB5, /* allocations inside libkrb5 and its own libraries */
    FAULTS_MESSAGES /* before and behind each send and each recv that got some
                     */
};

enum faults_deed {
    FAULTS_FAIL,
    FAULTS_KILL /* SIGKILL for the process that calls */
};

/* As faults_plan.nth: each call that is counted. */
#define FAULTS_EACH UINT32_MAX

struct faults_plan {
    enum faults_side side;
    enum faults_family family;
    enum faults_deed deed;
    uint32_t nth; /* from 1; 0 = count, and do nothing */
    /* SIGKILL for the first process of the side so long after it began, if > 0
     */
    uint64_t kill_after_ns;
};

struct faults_page {
    _Atomic bool armed;
    struct faults_plan plan;
    _Atomic uint32_t counted; /* calls of the plan's side and family */
    _Atomic uint32_t hits;
    _Atomic uint32_t timers; /* processes that kill_after_ns was meant for */
    char call[32];           /* the name of the last that was hit */

    _Atomic uint32_t crashes; /* signals of a helper that is broken */
    _Atomic int32_t signal;   /* the last of them */
    /*
     * From where our code was in a library when an allocation inside libkrb5
     * failed, and when the process crashed.  The same: libkrb5 did not bear
     * its own failure, and no code of ours has come between.
     */
    uintptr_t hit_site;
    uintptr_t crash_site;
    /* And all the calls that led there. */
    char hit_calls[2048];
    char crash_calls[2048];
    /* What our own objects have allocated and not freed. */
    _Atomic int32_t live[FAULTS_SIDES];
    /* Of helpers that ended by returning from main. */
    _Atomic int32_t leaked;
};

/* Makes the page and maps it; ends the process where that cannot be. */
struct faults_page *faults_create(void);

/* Forgets what came of the last plan and has PLAN carried out from here on. */
void faults_arm(struct faults_page *page, const struct faults_plan *plan);
void faults_disarm(struct faults_page *page);

#endif
