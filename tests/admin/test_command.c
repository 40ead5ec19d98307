/* krb5cc as it is called: its words, its exit codes, who may call it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/desk.h"

#define CALL(...)                                                              \
    desk_run_bare(0, (const char *const[]){"krb5cc", __VA_ARGS__, NULL})

static void
check_usage(int status, const char *text)
{
    ck_assert_int_eq(status, 2);
    ck_assert_str_eq(desk_output(), "");
    ck_assert_msg(strstr(desk_errors(), text) != NULL, "%s", desk_errors());
    ck_assert_ptr_nonnull(strstr(desk_errors(), "--help"));
}

START_TEST(test_command_help_is_asked_for_anywhere)
{
    ck_assert_int_eq(CALL("--help"), 0);
    ck_assert_ptr_nonnull(strstr(desk_output(), "Usage: krb5cc"));
    ck_assert_int_eq(CALL("list", "-h"), 0);
    ck_assert_ptr_nonnull(strstr(desk_output(), "Usage: krb5cc"));
    ck_assert_str_eq(desk_errors(), "");
}
END_TEST

START_TEST(test_command_version_is_the_packages)
{
    ck_assert_int_eq(CALL("--version"), 0);
    ck_assert_str_eq(desk_output(),
                     "krb5cc (pam_krb5cc) " PACKAGE_VERSION "\n");
}
END_TEST

START_TEST(test_command_misuse_is_said)
{
    check_usage(desk_run_bare(0, (const char *const[]){"krb5cc", NULL}),
                "there must be a command");
    check_usage(CALL("lst"), "lst: no such command");
    check_usage(CALL("list", "reap"), "reap: one word too many");
    check_usage(CALL("list", "--jsom"), "--jsom: no such option");
    check_usage(CALL("list", "--js"), "--js: no such option");
    check_usage(CALL("list", "-x"), "-x: no such option");
    check_usage(CALL("list", "--json=yes"), "--json takes no argument");
    check_usage(CALL("list", "--user"), "--user needs an argument");
    check_usage(CALL("list", "--helper="), "--helper needs an argument");
    check_usage(CALL("list", "--dry-run"), "list has no option --dry-run");
    check_usage(CALL("reap", "--json"), "reap has no option --json");
    check_usage(CALL("check", "--user", "root"), "check has no option --user");
    check_usage(CALL("list", "--user", "nobody-of-that-name"), "no such user");
    check_usage(CALL("list", "--user", "4294967295"), "no such user");
    check_usage(CALL("list", "--timeout", "0"), "1 to 3600 seconds");
    check_usage(CALL("list", "--timeout", "3601"), "1 to 3600 seconds");
    check_usage(CALL("list", "--timeout", "1x"), "1 to 3600 seconds");
    check_usage(CALL("list", "--timeout", "-1"), "1 to 3600 seconds");
    check_usage(CALL("\x1b[2J"), "\\x1b[2J: no such command");
}
END_TEST

START_TEST(test_command_is_for_root)
{
    static const char *const commands[] = {"list", "renew", "reap", "check"};

    NEEDS_NAMESPACE();
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(desk_run_as(common_uid("alice"), commands[i]), 3);
        ck_assert_str_eq(desk_output(), "");
        ck_assert_ptr_nonnull(strstr(desk_errors(), "must be run by root"));
        ck_assert_ptr_nonnull(strstr(desk_errors(), commands[i]));
    }
    ck_assert_int_eq(desk_run_as(common_uid("alice"), "--help"), 0);
    ck_assert_int_eq(desk_run_as(common_uid("alice"), "lst"), 2);
}
END_TEST

START_TEST(test_command_options_stand_anywhere)
{
    NEEDS_NAMESPACE();
    RUN("list --json", 0);
    RUN("--json list", 0);
    RUN("--timeout=5 list --json -v", 0);
    ck_assert_ptr_nonnull(strstr(desk_output(), "\"version\": 1"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("command");
    TCase *tcase = desk_case(suite, "command");

    tcase_add_test(tcase, test_command_help_is_asked_for_anywhere);
    tcase_add_test(tcase, test_command_version_is_the_packages);
    tcase_add_test(tcase, test_command_misuse_is_said);
    tcase_add_test(tcase, test_command_is_for_root);
    tcase_add_test(tcase, test_command_options_stand_anywhere);
    return suite_main(suite);
}
