/*
 * What a stranger could learn with a stop-watch: behind 20 ms of added round
 * trip, an unknown principal takes after the answer what a wrong password
 * takes.  Alternating, medians, as a ratio.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/realm.h"
#include "support/stack.h"
#include "support/suite.h"

#define ROUNDS 15

static const char *const wrong[] = {"not-the-password", NULL};

static double answered_at;

static double
seconds_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
note_answer(void *data)
{
    (void)data;
    answered_at = seconds_now();
}

/* How long an attempt as USER takes after the answer, in seconds. */
static double
attempt(const char *user, int expected)
{
    struct stack stack;
    double seconds = 0;
    int code = 0;

    stack_start(&stack, user, "", wrong);
    stack.before_answer = note_answer;
    code = pam_authenticate(stack.handle, 0);
    seconds = seconds_now() - answered_at;
    ck_assert_int_eq(code, expected);
    ck_assert_uint_eq(stack_prompts(&stack), 1);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    stack_end(&stack, code);
    return seconds;
}

static int
compare(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;

    return (*a > *b) - (*a < *b);
}

static double
median(double *values)
{
    qsort(values, ROUNDS, sizeof(values[0]), compare);
    return values[ROUNDS / 2];
}

START_TEST(test_timing_unknown_principal_takes_what_a_wrong_password_takes)
{
    double unknown[ROUNDS];
    double known[ROUNDS];
    double ratio = 0;

    (void)realm_fault("rtt=20");
    for (int i = 0; i < ROUNDS; i++) {
        known[i] = attempt("alice", PAM_AUTH_ERR);
        unknown[i] = attempt("nosuchuser", PAM_USER_UNKNOWN);
    }
    ratio = median(unknown) / median(known);
    fprintf(stderr,
            "# wrong password %.1f ms, unknown principal %.1f ms, "
            "ratio %.2f\n",
            median(known) * 1000, median(unknown) * 1000, ratio);
    ck_assert_double_gt(ratio, 0.8);
    ck_assert_double_lt(ratio, 1.2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("timing");
    TCase *tcase = tcase_create("timing");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(
        tcase, test_timing_unknown_principal_takes_what_a_wrong_password_takes);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
