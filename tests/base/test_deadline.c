/*
 * base/deadline, on a clock that moves only when a test moves it: nothing
 * here waits, and what is left is known to the millisecond.
 */
#include "base/deadline.h"

#include <limits.h>
#include <time.h>

#include "support/suite.h"

static int64_t now_ms = 5000;

int fake_clock_gettime(clockid_t clock,
                       struct timespec *now) __asm__("clock_gettime");

int
fake_clock_gettime(clockid_t clock, struct timespec *now)
{
    /* The time of day jumps when an administrator sets it. */
    int64_t ms = clock == CLOCK_MONOTONIC ? now_ms : now_ms * -7;

    now->tv_sec = (time_t)(ms / 1000);
    now->tv_nsec = (long)(ms % 1000) * 1000000;
    return 0;
}

START_TEST(test_deadline_new_has_all_its_time)
{
    struct deadline deadline = deadline_in(1234);

    ck_assert_int_eq(deadline_left_ms(&deadline), 1234);
}
END_TEST

START_TEST(test_deadline_running_loses_what_passes)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 1;
    ck_assert_int_eq(deadline_left_ms(&deadline), 999);
    now_ms += 899;
    ck_assert_int_eq(deadline_left_ms(&deadline), 100);
}
END_TEST

START_TEST(test_deadline_passed_has_nothing_left)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 1000;
    ck_assert_int_eq(deadline_left_ms(&deadline), 0);
    now_ms += 1000;
    ck_assert_int_eq(deadline_left_ms(&deadline), 0);
    ck_assert_int_eq(deadline_poll_ms(&deadline), 0);
}
END_TEST

START_TEST(test_deadline_negative_limit_has_passed)
{
    struct deadline deadline = deadline_in(-1);

    ck_assert_int_eq(deadline_left_ms(&deadline), 0);
}
END_TEST

START_TEST(test_deadline_paused_keeps_what_is_left)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 300;
    deadline_pause(&deadline);
    now_ms += 60000;
    ck_assert_int_eq(deadline_left_ms(&deadline), 700);
}
END_TEST

START_TEST(test_deadline_resumed_goes_on_where_it_stood)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 300;
    deadline_pause(&deadline);
    now_ms += 60000;
    deadline_resume(&deadline);
    ck_assert_int_eq(deadline_left_ms(&deadline), 700);
    now_ms += 200;
    ck_assert_int_eq(deadline_left_ms(&deadline), 500);
}
END_TEST

START_TEST(test_deadline_paused_twice_is_paused_once)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 100;
    deadline_pause(&deadline);
    now_ms += 100;
    deadline_pause(&deadline);
    now_ms += 100;
    deadline_resume(&deadline);
    ck_assert_int_eq(deadline_left_ms(&deadline), 900);
}
END_TEST

START_TEST(test_deadline_resumed_twice_gives_no_time_back)
{
    struct deadline deadline = deadline_in(1000);

    deadline_pause(&deadline);
    deadline_resume(&deadline);
    now_ms += 400;
    deadline_resume(&deadline);
    ck_assert_int_eq(deadline_left_ms(&deadline), 600);
}
END_TEST

START_TEST(test_deadline_paused_after_it_passed_stays_passed)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 5000;
    deadline_pause(&deadline);
    deadline_resume(&deadline);
    ck_assert_int_eq(deadline_left_ms(&deadline), 0);
}
END_TEST

START_TEST(test_deadline_shortened_has_less_left)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 100;
    deadline_shorten(&deadline, 300);
    ck_assert_int_eq(deadline_left_ms(&deadline), 600);
}
END_TEST

START_TEST(test_deadline_shortened_while_paused_has_less_left)
{
    struct deadline deadline = deadline_in(1000);

    deadline_pause(&deadline);
    deadline_shorten(&deadline, 300);
    now_ms += 500;
    ck_assert_int_eq(deadline_left_ms(&deadline), 700);
    deadline_resume(&deadline);
    ck_assert_int_eq(deadline_left_ms(&deadline), 700);
}
END_TEST

START_TEST(test_deadline_shortened_by_more_than_left_has_passed)
{
    struct deadline deadline = deadline_in(1000);

    deadline_shorten(&deadline, 5000);
    ck_assert_int_eq(deadline_left_ms(&deadline), 0);
}
END_TEST

START_TEST(test_deadline_is_never_lengthened)
{
    struct deadline deadline = deadline_in(1000);

    deadline_shorten(&deadline, -500);
    deadline_shorten(&deadline, 0);
    ck_assert_int_eq(deadline_left_ms(&deadline), 1000);
}
END_TEST

START_TEST(test_deadline_poll_gets_what_is_left)
{
    struct deadline deadline = deadline_in(1000);

    now_ms += 1;
    ck_assert_int_eq(deadline_poll_ms(&deadline), 999);
}
END_TEST

START_TEST(test_deadline_poll_of_an_age_is_never_negative)
{
    struct deadline deadline = deadline_in((int64_t)INT_MAX + 1);

    ck_assert_int_eq(deadline_poll_ms(&deadline), INT_MAX);
    deadline = deadline_in(INT64_MAX);
    ck_assert_int_eq(deadline_poll_ms(&deadline), INT_MAX);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("deadline");
    TCase *tcase = suite_case(suite, "deadline");

    tcase_add_test(tcase, test_deadline_new_has_all_its_time);
    tcase_add_test(tcase, test_deadline_running_loses_what_passes);
    tcase_add_test(tcase, test_deadline_passed_has_nothing_left);
    tcase_add_test(tcase, test_deadline_negative_limit_has_passed);
    tcase_add_test(tcase, test_deadline_paused_keeps_what_is_left);
    tcase_add_test(tcase, test_deadline_resumed_goes_on_where_it_stood);
    tcase_add_test(tcase, test_deadline_paused_twice_is_paused_once);
    tcase_add_test(tcase, test_deadline_resumed_twice_gives_no_time_back);
    tcase_add_test(tcase, test_deadline_paused_after_it_passed_stays_passed);
    tcase_add_test(tcase, test_deadline_shortened_has_less_left);
    tcase_add_test(tcase, test_deadline_shortened_while_paused_has_less_left);
    tcase_add_test(tcase, test_deadline_shortened_by_more_than_left_has_passed);
    tcase_add_test(tcase, test_deadline_is_never_lengthened);
    tcase_add_test(tcase, test_deadline_poll_gets_what_is_left);
    tcase_add_test(tcase, test_deadline_poll_of_an_age_is_never_negative);
    return suite_main(suite);
}
