/*
 * Death at any moment: SIGKILL for the helper, or for its exchange, at every
 * boundary of its messages, inside libkrb5 and at random times, and for the
 * host.  Behind it the same is true as behind a fault (faults/story.c): the old
 * tickets whole or the new ones whole, a code of the table, and the next call
 * makes all well.
 *
 * On FILE all boundaries, on the other kinds a sample, or with TEST_LONG=1 all
 * of them.  FAULT_SEED=N draws the same numbers again, FAULT_ONLY=KIND takes
 * that kind alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults/scene.h"

/* Boundaries and moments of each story and side that are drawn. */
#define SAMPLE 2
#define SAMPLE_LONG 30
#define MOMENTS 1
#define MOMENTS_LONG 50

/* No call has more than this to count, or nothing ever passes. */
#define NTH_MAX 1000

static unsigned int seed;

struct tally {
    unsigned int helpers; /* killed at a boundary */
    unsigned int inside;  /* inside libkrb5 */
    unsigned int moments; /* killed, or too late, at a random time */
    unsigned int hosts;   /* killed at a boundary or at a random time */
};

static bool
is_long(void)
{
    return getenv("TEST_LONG") != NULL;
}

static bool
is_wanted_whole(const struct scene *scene)
{
    return is_long() || (scene->kind == &kinds[0] && !IS_SANITIZED);
}

/* A try of PLAN: whoever is killed. */
static bool
kill_one(struct scene *scene, const struct story *story,
         const struct faults_plan *plan)
{
    return plan->side == FAULTS_MODULE ? scene_kill_host(scene, story, plan, 0)
                                       : scene_try(scene, story, plan);
}

/* How many of the calls that PLAN counts STORY has. */
static uint32_t
count_calls(struct scene *scene, const struct story *story,
            struct faults_plan plan)
{
    plan.nth = 0;
    (void)scene_try(scene, story, &plan);
    return scene->page->counted;
}

/* COUNT of the calls that PLAN counts, as chance will have it. */
static unsigned int
kill_at_some(struct scene *scene, const struct story *story,
             struct faults_plan plan, int count)
{
    uint32_t total = count_calls(scene, story, plan);
    unsigned int killed = 0;

    for (int i = 0; total > 0 && i < count; i++) {
        plan.nth = 1 + (uint32_t)rand() % total;
        killed += kill_one(scene, story, &plan);
    }
    return killed;
}

static unsigned int
kill_at_boundaries(struct scene *scene, const struct story *story,
                   enum faults_side side)
{
    struct faults_plan plan = {
        .side = side, .family = FAULTS_MESSAGES, .deed = FAULTS_KILL};

    if (!is_wanted_whole(scene)) {
        return kill_at_some(scene, story, plan, SAMPLE);
    }
    for (plan.nth = 1; kill_one(scene, story, &plan); plan.nth++) {
        ck_assert_uint_lt(plan.nth, NTH_MAX);
    }
    return plan.nth - 1;
}

/* The helper dies inside libkrb5, where that wants memory. */
static unsigned int
kill_in_libkrb5(struct scene *scene, const struct story *story)
{
    const struct faults_plan plan = {
        .side = FAULTS_HELPER, .family = FAULTS_LIBKRB5, .deed = FAULTS_KILL};

    return kill_at_some(scene, story, plan, is_long() ? SAMPLE_LONG : SAMPLE);
}

/* A moment of a call that lasts LASTED_MS, or a little later. */
static uint64_t
draw_moment(int64_t lasted_ms)
{
    uint64_t span_us = ((uint64_t)lasted_ms + 2) * 1000;

    return (1 + (uint64_t)rand() % span_us) * 1000;
}

static void
kill_at_moments(struct scene *scene, const struct story *story,
                struct tally *tally)
{
    struct faults_plan plan = {.deed = FAULTS_KILL};
    int moments = is_long() ? MOMENTS_LONG : MOMENTS;
    int64_t lasted_ms = 0;

    (void)scene_try(scene, story, &plan);
    lasted_ms = scene->verdict->lasted_ms;
    for (int i = 0; i < moments; i++) {
        plan.side = story->has_exchange && rand() % 2 == 0 ? FAULTS_EXCHANGE
                                                           : FAULTS_HELPER;
        plan.kill_after_ns = draw_moment(lasted_ms);
        (void)scene_try(scene, story, &plan);
        tally->moments++;
    }
    plan.kill_after_ns = 0;
    for (int i = 0; i < moments; i++) {
        tally->hosts +=
            scene_kill_host(scene, story, &plan, draw_moment(lasted_ms));
    }
}

static void
tell(struct scene *scene, const struct story *story, struct tally *tally)
{
    tally->helpers += kill_at_boundaries(scene, story, FAULTS_HELPER);
    if (story->has_exchange) {
        tally->helpers += kill_at_boundaries(scene, story, FAULTS_EXCHANGE);
    }
    tally->inside += kill_in_libkrb5(scene, story);
    tally->hosts += kill_at_boundaries(scene, story, FAULTS_MODULE);
    kill_at_moments(scene, story, tally);
}

START_TEST(test_kills_leave_old_or_new)
{
    const struct kind *kind = &kinds[_i];
    struct scene scene;
    struct tally tally = {0};
    const char *why = NULL;

    NEEDS_ROOT();
    SKIP_UNLESS(kinds_available(kind, &why), why);
    if (scene_only(kind) == NULL && getenv("FAULT_ONLY") != NULL) {
        return;
    }
    srand(seed);
    scene_begin(&scene, kind);
    for (size_t i = 0; i < stories_count; i++) {
        if (scene_has_story(&scene, &stories[i])) {
            if (!stories[i].needs_cache) {
                scene_let_go(&scene);
            }
            tell(&scene, &stories[i], &tally);
        }
    }
    scene_end(&scene);
    ck_assert_uint_gt(tally.helpers, 0);
    ck_assert_uint_gt(tally.hosts, 0);
    ck_assert(IS_SANITIZED || tally.inside > 0);
    fprintf(stderr,
            "# %s: %u helpers killed at a boundary, %u in libkrb5, %u at a "
            "random time, %u hosts; FAULT_SEED=%u\n",
            kind->name, tally.helpers, tally.inside, tally.moments, tally.hosts,
            seed);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("kills");

    scene_add_tests(suite, test_kills_leave_old_or_new, 1,
                    is_long() ? 3000 : 300);
    return suite;
}

int
main(void)
{
    const char *given = getenv("FAULT_SEED");

    seed = given != NULL ? (unsigned int)strtoul(given, NULL, 10)
                         : (unsigned int)time(NULL);
    scene_install();
    return suite_main(make_suite());
}
