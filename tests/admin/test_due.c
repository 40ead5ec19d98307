/* When a ticket is renewed: the spread of admin/due. */
#include "admin/due.h"

#include <inttypes.h>
#include <stdio.h>

#include "support/suite.h"

/* Of a life of so long one second is a ten-thousandth. */
#define LIFE 10000
#define START INT64_C(1700000000)

static int64_t
share_of(int number)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "FILE:/tmp/krb5cc_1000_%06d", number);
    return due_from(name, 1000, START, START + LIFE) - START;
}

START_TEST(test_due_is_between_half_and_seventy_percent)
{
    for (int i = 0; i < 10000; i++) {
        ck_assert_int_ge(share_of(i), 5000);
        ck_assert_int_le(share_of(i), 7000);
    }
}
END_TEST

START_TEST(test_due_is_spread_evenly)
{
    int counts[10] = {0};

    for (int i = 0; i < 10000; i++) {
        int64_t part = (share_of(i) - 5000) / 201;

        ck_assert_int_lt(part, 10);
        counts[part]++;
    }
    for (int i = 0; i < 10; i++) {
        /* A thousand each; three percent is one standard deviation. */
        ck_assert_int_gt(counts[i], 800);
        ck_assert_int_lt(counts[i], 1200);
    }
}
END_TEST

START_TEST(test_due_is_the_same_each_time)
{
    ck_assert_int_eq(share_of(7), share_of(7));
    ck_assert_int_ne(share_of(7), share_of(8));
}
END_TEST

START_TEST(test_due_differs_between_users_of_one_name)
{
    ck_assert_int_ne(due_from("KCM:", 1000, START, START + LIFE),
                     due_from("KCM:", 1001, START, START + LIFE));
}
END_TEST

START_TEST(test_due_of_any_life_is_in_it)
{
    const int64_t lives[] = {1, 2, 59, 36000, 604800, INT64_C(4294967295)};

    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        int64_t from = due_from("FILE:/tmp/x", 0, START, START + lives[i]);

        ck_assert_int_ge(from, START + lives[i] / 2);
        ck_assert_int_le(from, START + (lives[i] * 7 + 9) / 10);
    }
}
END_TEST

START_TEST(test_due_of_no_life_is_at_once)
{
    ck_assert_int_eq(due_from("FILE:/tmp/x", 0, START, START), START);
    ck_assert_int_eq(due_from("FILE:/tmp/x", 0, START, 0), START);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("due");
    TCase *tcase = suite_case(suite, "due");

    tcase_add_test(tcase, test_due_is_between_half_and_seventy_percent);
    tcase_add_test(tcase, test_due_is_spread_evenly);
    tcase_add_test(tcase, test_due_is_the_same_each_time);
    tcase_add_test(tcase, test_due_differs_between_users_of_one_name);
    tcase_add_test(tcase, test_due_of_any_life_is_in_it);
    tcase_add_test(tcase, test_due_of_no_life_is_at_once);
    return suite_main(suite);
}
