/* base/outcome: every outcome has a name and a number of its own for good. */
#include "base/outcome.h"

#include <string.h>

#include "support/suite.h"

START_TEST(test_outcome_each_has_a_name)
{
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        const char *name = outcome_name((enum outcome)i);

        ck_assert_ptr_nonnull(name);
        ck_assert_str_ne(name, "");
        ck_assert_msg(strcmp(name, "unknown outcome") != 0, "outcome %d", i);
    }
}
END_TEST

START_TEST(test_outcome_names_are_unique)
{
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(outcome_name((enum outcome)i),
                             outcome_name((enum outcome)j));
        }
    }
}
END_TEST

START_TEST(test_outcome_out_of_range_is_unknown)
{
    ck_assert_str_eq(outcome_name(OUTCOME_COUNT), "unknown outcome");
    ck_assert_str_eq(outcome_name((enum outcome) - 1), "unknown outcome");
}
END_TEST

START_TEST(test_outcome_success_is_zero)
{
    ck_assert_int_eq(OUTCOME_SUCCESS, 0);
    ck_assert_str_eq(outcome_name(OUTCOME_SUCCESS), "success");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("outcome");
    TCase *tcase = suite_case(suite, "outcome");

    tcase_add_test(tcase, test_outcome_each_has_a_name);
    tcase_add_test(tcase, test_outcome_names_are_unique);
    tcase_add_test(tcase, test_outcome_out_of_range_is_unknown);
    tcase_add_test(tcase, test_outcome_success_is_zero);
    return suite_main(suite);
}
