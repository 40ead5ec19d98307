/*
 * Everything that can fail fails once: each call out of our own objects, one
 * at a time, in the module, in the helper and in its exchange, in every story
 * and on every kind of cache (faults/scene.h); and the allocations inside
 * libkrb5.  What must be true behind each is told in faults/story.c.
 *
 * On FILE all calls, on the other kinds a sample, or with TEST_LONG=1 all of
 * them.  FAULT_SEED=N draws the same sample again; FAULT_ONLY=KIND is that kind
 * alone, FAULT_ONLY=KIND,STORY,SIDE,FAMILY,NTH, as a failure prints it, one
 * try.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults/scene.h"

/* How many calls of a story and a side are drawn where not all are tried. */
#define SAMPLE 3
#define SAMPLE_LIBKRB5 3
/* What is asked of authentication, all of whose allocations are too many. */
#define SAMPLE_ACQUIRE 200

/* No call has more than this to count, or nothing ever passes. */
#define NTH_MAX 100000

static unsigned int seed;

/* How many faults were injected, by family and side. */
struct tally {
    unsigned int count[4][FAULTS_SIDES];
};

static bool
is_long(void)
{
    return getenv("TEST_LONG") != NULL;
}

static void
try_and_count(struct scene *scene, const struct story *story,
              const struct faults_plan *plan, struct tally *tally)
{
    if (scene_try(scene, story, plan)) {
        tally->count[plan->family][plan->side] += scene->page->hits;
    }
}

/* The Nth for all n, until the story passes. */
static void
try_all(struct scene *scene, const struct story *story, struct faults_plan plan,
        struct tally *tally)
{
    for (plan.nth = 1; plan.nth < NTH_MAX; plan.nth++) {
        if (!scene_try(scene, story, &plan)) {
            return;
        }
        tally->count[plan.family][plan.side]++;
    }
    ck_abort_msg("%s never passes", story->name);
}

/* COUNT of all n, as chance will have it. */
static void
try_some(struct scene *scene, const struct story *story,
         struct faults_plan plan, struct tally *tally, unsigned int count)
{
    unsigned int total = 0;

    plan.nth = 0;
    (void)scene_try(scene, story, &plan);
    total = scene->page->counted;
    if (total == 0) {
        return;
    }
    for (unsigned int i = 0; i < count; i++) {
        plan.nth = 1 + (unsigned int)rand() % total;
        try_and_count(scene, story, &plan, tally);
    }
}

/*
 * Whether all n of our own calls are tried.  Refresh with tickets of one's own
 * is reinitialize by another name; under a sanitizer a helper takes its time.
 */
static bool
is_wanted_whole(const struct scene *scene, const struct story *story)
{
    return is_long() || (scene->kind == &kinds[0] && !IS_SANITIZED &&
                         strcmp(story->name, "refresh") != 0);
}

static void
tell_side(struct scene *scene, const struct story *story, enum faults_side side,
          struct tally *tally)
{
    struct faults_plan plan = {.side = side};

    if (is_wanted_whole(scene, story)) {
        try_all(scene, story, plan, tally);
    } else {
        try_some(scene, story, plan, tally, SAMPLE);
    }
    plan.family = FAULTS_FAVOURS;
    plan.nth = FAULTS_EACH;
    try_and_count(scene, story, &plan, tally);
    if (is_long()) {
        try_all(scene, story, plan, tally);
    }
    plan.family = FAULTS_LIBKRB5;
    if (IS_SANITIZED || side == FAULTS_MODULE) {
        return;
    }
    if (!is_long()) {
        try_some(scene, story, plan, tally, SAMPLE_LIBKRB5);
    } else if (!story->is_of_all_kinds) {
        try_some(scene, story, plan, tally, SAMPLE_ACQUIRE);
    } else {
        try_all(scene, story, plan, tally);
    }
}

static unsigned int
sum(const unsigned int counts[FAULTS_SIDES])
{
    return counts[FAULTS_MODULE] + counts[FAULTS_HELPER] +
           counts[FAULTS_EXCHANGE];
}

static void
print_tally(const struct scene *scene, const struct tally *tally)
{
    const unsigned int *ours = tally->count[FAULTS_CALLS];

    fprintf(stderr,
            "# %s: %u faults: calls %u (module %u, helper %u, exchange %u), "
            "favours %u, allocations in libkrb5 %u (which crashed of %u), "
            "%u helpers late; "
            "FAULT_SEED=%u\n",
            scene->kind->name,
            sum(ours) + sum(tally->count[FAULTS_FAVOURS]) +
                sum(tally->count[FAULTS_LIBKRB5]),
            sum(ours), ours[FAULTS_MODULE], ours[FAULTS_HELPER],
            ours[FAULTS_EXCHANGE], sum(tally->count[FAULTS_FAVOURS]),
            sum(tally->count[FAULTS_LIBKRB5]), scene->libkrb5_crashes,
            scene->late, seed);
}

/* The one try that ONLY asks for: ",STORY,SIDE,FAMILY,DEED,NTH". */
static void
tell_only(struct scene *scene, const char *only, struct tally *tally)
{
    unsigned int side = 0;
    unsigned int family = 0;
    unsigned int deed = 0;
    struct faults_plan plan = {.nth = 0};
    char name[32];

    ck_assert_msg(sscanf(only, ",%31[^,],%u,%u,%u,%u", name, &side, &family,
                         &deed, &plan.nth) == 5,
                  "FAULT_ONLY=KIND or KIND,STORY,SIDE,FAMILY,DEED,NTH");
    plan.side = (enum faults_side)side;
    plan.family = (enum faults_family)family;
    plan.deed = (enum faults_deed)deed;
    if (!story_named(name)->needs_cache) {
        scene_let_go(scene);
    }
    if (plan.side == FAULTS_MODULE && plan.deed == FAULTS_KILL) {
        (void)scene_kill_host(scene, story_named(name), &plan, 0);
    } else {
        try_and_count(scene, story_named(name), &plan, tally);
    }
}

static void
tell_all(struct scene *scene, struct tally *tally)
{
    for (size_t i = 0; i < stories_count; i++) {
        const struct story *story = &stories[i];

        if (!scene_has_story(scene, story)) {
            continue;
        }
        if (!story->needs_cache) {
            scene_let_go(scene);
        }
        for (int side = 0; side < FAULTS_SIDES; side++) {
            if (side != FAULTS_EXCHANGE || story->has_exchange) {
                tell_side(scene, story, (enum faults_side)side, tally);
            }
        }
    }
}

/* Whether the faults have reached everybody that they were meant for. */
static void
check_reached(const struct tally *tally)
{
    for (int side = 0; side < FAULTS_SIDES; side++) {
        ck_assert_msg(tally->count[FAULTS_CALLS][side] > 0,
                      "no call has failed on side %d", side);
    }
    ck_assert_msg(IS_SANITIZED ||
                      tally->count[FAULTS_LIBKRB5][FAULTS_HELPER] > 0,
                  "no allocation has failed in libkrb5");
}

START_TEST(test_faults_leave_old_or_new)
{
    const struct kind *kind = &kinds[_i];
    const char *only = scene_only(kind);
    struct scene scene;
    struct tally tally = {0};
    const char *why = NULL;

    NEEDS_ROOT();
    SKIP_UNLESS(kinds_available(kind, &why), why);
    if (only == NULL && getenv("FAULT_ONLY") != NULL) {
        return;
    }
    srand(seed);
    scene_begin(&scene, kind);
    if (only != NULL && *only != '\0') {
        tell_only(&scene, only, &tally);
    } else {
        tell_all(&scene, &tally);
        check_reached(&tally);
    }
    scene_end(&scene);
    print_tally(&scene, &tally);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("faults");

    scene_add_tests(suite, test_faults_leave_old_or_new, 1,
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
