/* krb5cc check where the KDC's clock is 20 minutes off (--kdc-clock). */
#include <stdlib.h>
#include <unistd.h>

#include "admin/desk.h"

START_TEST(test_check_clock_that_is_off)
{
    NEEDS_NAMESPACE();
    RUN("check", 1);
    ck_assert_uint_eq(desk_count("WRONG  keytab: clocks differ too much: "), 1);
    /* To the second, or one less. */
    ck_assert_msg(desk_count("differ by 1200 seconds") +
                          desk_count("differ by 1199 seconds") ==
                      1,
                  "%s", desk_output());
    ck_assert_uint_eq(desk_count("set the clock"), 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("check_clock");
    TCase *tcase = desk_case(suite, "clock");

    tcase_add_test(tcase, test_check_clock_that_is_off);
    return suite_main(suite);
}
