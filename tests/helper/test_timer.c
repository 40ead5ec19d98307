/* The helper's own end, and that it stands still while a person types. */
#include "helper/timer.h"
#include "support/suite.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Runs BODY, which waits for its end, in a child; how it has ended. */
static int
end_of(void (*body)(void))
{
    int status = 0;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        /* Check has a handler; the helper is spawned without any. */
        (void)signal(SIGALRM, SIG_DFL);
        body();
        for (;;) {
            (void)pause();
        }
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

static void
begin_shortly(void)
{
    timer_begin(50);
}

static void
begin_at_once(void)
{
    timer_begin(0);
}

static void
begin_in_the_past(void)
{
    timer_begin(-100000);
}

static void
begin_and_resume(void)
{
    timer_begin(50);
    timer_pause();
    timer_resume();
}

START_TEST(test_timer_ends_the_process)
{
    static void (*const bodies[])(void) = {begin_shortly, begin_at_once,
                                           begin_in_the_past, begin_and_resume};
    int status = end_of(bodies[_i]);

    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGALRM);
}
END_TEST

START_TEST(test_timer_does_not_end_it_too_early)
{
    int64_t start = now_ms();

    (void)end_of(begin_shortly);
    ck_assert_int_ge(now_ms() - start, 49);
}
END_TEST

START_TEST(test_timer_paused_runs_no_more)
{
    timer_begin(60000);
    timer_pause();
    ck_assert_int_eq(timer_left_ms(), 0);
    timer_resume();
    ck_assert_int_gt(timer_left_ms(), 0);
    ck_assert_int_le(timer_left_ms(), 60000);
    timer_pause();
}
END_TEST

/* What was used up before the pause stays used up. */
START_TEST(test_timer_resumed_has_what_was_left)
{
    int64_t left = 0;

    timer_begin(60000);
    while (timer_left_ms() > 59950) {
    }
    timer_pause();
    timer_resume();
    left = timer_left_ms();
    ck_assert_int_le(left, 59951);
    ck_assert_int_gt(left, 30000);
    timer_pause();
}
END_TEST

START_TEST(test_timer_left_counts_down_from_the_budget)
{
    timer_begin(1500);
    ck_assert_int_le(timer_left_ms(), 1500);
    ck_assert_int_gt(timer_left_ms(), 0);
    timer_pause();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("timer");
    TCase *tcase = suite_case(suite, "timer");

    tcase_add_loop_test(tcase, test_timer_ends_the_process, 0, 4);
    tcase_add_test(tcase, test_timer_does_not_end_it_too_early);
    tcase_add_test(tcase, test_timer_paused_runs_no_more);
    tcase_add_test(tcase, test_timer_resumed_has_what_was_left);
    tcase_add_test(tcase, test_timer_left_counts_down_from_the_budget);
    return suite_main(suite);
}
