/*
 * Random steps of whole sessions, each compared with a small reference model
 * (model/model.h): no live session without its tickets, no ticket without a
 * live session once `krb5cc reap` has run, nobody else's cache ever touched.
 * The real module, helper and krb5cc, on the real libpam, on all kinds of
 * caches.
 *
 * TEST_STEPS=N takes N steps (500, or 10,000 with TEST_LONG=1), TEST_SEED=N the
 * same as another run (without either always the same), TEST_KIND=NAME only
 * caches of this kind, TEST_TRACE=1 shows each step as it is taken.  Where a
 * process that is to die in a call gets one call further than the last time, a
 * later step may differ in detail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "faults/scene.h"
#include "model/journal.h"
#include "model/reality.h"
#include "model/steps.h"
#include "stack/common.h"
#include "support/kcm.h"
#include "support/keys.h"
#include "support/shared.h"

/*
 * The steps of `check` are always the same ones; `check-long` draws others.
 */
#define SEED "20261126"

#define STEPS 500
#define STEPS_LONG 10000
#define STEPS_SANITIZED 100

/* As often as this everybody's caches are looked at, whoever did something. */
#define LOOK_EVERY 10

#define TRIES_MAX 1000

static struct scene_of_model scene;

static unsigned int
wanted_steps(void)
{
    const char *wanted = getenv("TEST_STEPS");

    if (wanted != NULL) {
        return (unsigned int)strtoul(wanted, NULL, 10);
    }
    return getenv("TEST_LONG") != NULL ? STEPS_LONG
           : IS_SANITIZED              ? STEPS_SANITIZED
                                       : STEPS;
}

static size_t
draw_step(void)
{
    unsigned int all = 0;
    unsigned int drawn = 0;

    for (size_t i = 0; i < steps_count; i++) {
        all += steps[i].weight;
    }
    drawn = shared_dice(&scene.dice, all);
    for (size_t i = 0; i < steps_count; i++) {
        if (drawn < steps[i].weight) {
            return i;
        }
        drawn -= steps[i].weight;
    }
    return 0;
}

/* One step, whichever can be taken. */
static void
take_one(unsigned int number)
{
    /* Dice of its own for each: what one has drawn is nothing to the next. */
    scene.dice = journal_seed() ^ ((uint64_t)number << 32);
    scene.touched = 0;
    scene.number = number;
    for (int i = 0; i < TRIES_MAX; i++) {
        size_t drawn = draw_step();

        journal_step(number, (unsigned int)drawn, steps[drawn].name);
        if (steps[drawn].take(&scene)) {
            journal_show();
            return;
        }
        journal_take_back((unsigned int)drawn);
    }
    journal_fail("nothing can be done");
}

static void
print_tally(unsigned int count)
{
    fprintf(stderr, "# %u steps, %" PRIu64 " checks, on %zu kinds of caches\n",
            count, journal_checks(), reality_kind_count());
    for (size_t i = 0; i < steps_count; i++) {
        fprintf(stderr, "#   %5u %s\n", journal_count((unsigned int)i),
                steps[i].name);
    }
}

static void
set_up(void)
{
    memset(&scene, 0, sizeof(scene));
    /* As services have one: else that of whom the helper becomes counts. */
    keys_join_session(0);
    reality_begin();
    scene.page = faults_create();
}

START_TEST(test_model_agrees_with_what_is_real)
{
    unsigned int count = wanted_steps();

    NEEDS_ROOT();
    set_up();
    for (unsigned int i = 0; i < count; i++) {
        take_one(i);
        reality_compare(&scene.model, i % LOOK_EVERY == LOOK_EVERY - 1
                                          ? REALITY_EVERYBODY
                                          : scene.touched);
        model_tidy(&scene.model);
    }
    steps_finish(&scene);
    reality_compare(&scene.model, REALITY_EVERYBODY);
    print_tally(count);
    for (size_t i = 0; count >= STEPS_LONG && i < steps_count; i++) {
        ck_assert_msg(journal_count((unsigned int)i) > 0, "never: %s",
                      steps[i].name);
    }
    reality_end();
    journal_done();
}
END_TEST

/* Those of tests/faults stand beside the good ones, which all others use. */
static void
stage(void)
{
    char module[256];
    char helper[256];

    (void)snprintf(module, sizeof(module), "%s", stack_module());
    (void)snprintf(helper, sizeof(helper), "%s", stack_helper());
    scene_install();
    visit_remember_faulty(stack_module(), stack_helper());
    (void)setenv("PAM_KRB5CC_MODULE", module, 1);
    (void)setenv("PAM_KRB5CC_HELPER", helper, 1);
}

int
main(void)
{
    Suite *suite = suite_create("stack/model");
    TCase *tcase = common_case(suite, "model");

    if (getenv("TEST_LONG") == NULL) {
        (void)setenv("TEST_SEED", SEED, 0);
    }
    stage();
    tcase_add_unchecked_fixture(tcase, journal_begin, journal_end);
    tcase_add_unchecked_fixture(tcase, kcm_begin, kcm_end);
    tcase_set_timeout(tcase, getenv("TEST_LONG") != NULL ? 3500 : 600);
    tcase_add_test(tcase, test_model_agrees_with_what_is_real);
    return suite_main(suite);
}
