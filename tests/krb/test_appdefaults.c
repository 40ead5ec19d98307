/* Our options in krb5.conf, and what is hardly meant there. */
#include "krb/appdefaults.h"

#include <stdio.h>
#include <string.h>

#include "krb/here.h"
#include "support/suite.h"

START_TEST(test_appdefaults_timeout_only_shortens)
{
    static const struct {
        const char *argument;
        const char *lines;
        int64_t seconds;
    } rows[] = {
        {"timeout=5", "[appdefaults]\ntimeout = 3\n", 3},
        {"timeout=5", "[appdefaults]\ntimeout = 7\n", 5},
        {NULL, "[appdefaults]\ntimeout = 3\n", 3},
        {NULL, "[appdefaults]\ntimeout = 3600\n", 10},
        {"timeout=5", "[appdefaults]\ntimeout = 0\n", 5},
        {"timeout=5", "[appdefaults]\ntimeout = soon\n", 5},
    };
    struct options options;

    here_configure(rows[_i].lines);
    ck_assert_int_eq(options_init(&options), 0);
    if (rows[_i].argument != NULL) {
        ck_assert_int_eq(
            options_set(&options, OPTION_FROM_ARGUMENT, rows[_i].argument), 0);
    }
    ck_assert_int_eq(appdefaults_complete(&here.krb, &options, "test"), 0);
    ck_assert_int_eq(options.timeout, rows[_i].seconds);
    options_free(&options);
}
END_TEST

/* What decides who runs and where is the PAM line's alone. */
START_TEST(test_appdefaults_dangerous_options_are_not_heard)
{
    struct options options;

    here_configure("[appdefaults]\nhelper = /tmp/evil\ntrace = /tmp/trace\n"
                   "state_dir = /tmp/s\nruntime_dir = /tmp/r\n"
                   "realm = EVIL.TEST\n");
    ck_assert_int_eq(options_init(&options), 0);
    ck_assert_int_eq(appdefaults_complete(&here.krb, &options, "test"), 0);
    ck_assert_str_ne(options.helper, "/tmp/evil");
    ck_assert_ptr_null(options.trace);
    ck_assert_str_ne(options.state_dir, "/tmp/s");
    ck_assert_str_ne(options.runtime_dir, "/tmp/r");
    ck_assert_ptr_null(options.realm);
    options_free(&options);
}
END_TEST

/* What is in the section `pam`, and what is said of it; NULL: nothing. */
static const struct {
    const char *lines;
    const char *said;
} rows[] = {
    {"", NULL},
    {"ignore_root = true\n minimum_uid = 1000\n ccache = FILE:/tmp/x\n", NULL},
    /* Red Hat's, and with a word before. */
    {"validate = true\n no_user_check = yes\n not_ignore_root = true\n", NULL},
    {"ignore_rot = true\n", "there is no option ignore_rot\n"},
    {"EXAMPLE.TEST = {\n ignore_rot = true\n }\n",
     "there is no option ignore_rot\n"},
    {"helper = /bin/true\n",
     "helper has no effect here: it is an argument in the PAM stack only\n"},
    {"ignore_root = ture\n", "ignore_root = ture is a list of services: true "
                             "for these, false for all others\n"},
    {"forwardable = sshd login\n",
     "forwardable = sshd login is a list of services: "
     "true for these, false for all others\n"},
    /* Completing the options has said it already. */
    {"minimum_uid = many\n", NULL},
    {"tokens = true\n", NULL},
};

#define ROWS_COUNT ((int)(sizeof(rows) / sizeof(rows[0])))
#define BEGIN "krb5.conf, [appdefaults], pam: "

START_TEST(test_appdefaults_what_is_hardly_meant_is_said)
{
    char lines[512];

    (void)snprintf(lines, sizeof(lines), "[appdefaults]\n pam = {\n %s }\n",
                   rows[_i].lines);
    here_configure(lines);
    here.logged[0] = '\0';
    appdefaults_review(&here.krb);
    if (rows[_i].said == NULL) {
        ck_assert_str_eq(here.logged, "");
    } else {
        const char *found = strstr(here.logged, BEGIN);

        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(found + strlen(BEGIN), rows[_i].said);
    }
}
END_TEST

/* Other programs' names are none of ours. */
START_TEST(test_appdefaults_outside_of_pam_nothing_is_said)
{
    here_configure("[appdefaults]\n forwardabel = true\n telnet = {\n"
                   "  ignore_rot = true\n }\n");
    here.logged[0] = '\0';
    appdefaults_review(&here.krb);
    ck_assert_str_eq(here.logged, "");
}
END_TEST

START_TEST(test_appdefaults_each_fault_is_said)
{
    const char *found = NULL;
    size_t count = 0;

    here_configure("[appdefaults]\n pam = {\n  a = 1\n  b = 2\n"
                   "  A.TEST = {\n   c = 3\n  }\n  B.TEST = {\n   d = 4\n"
                   "  }\n  e = 5\n }\n");
    here.logged[0] = '\0';
    appdefaults_review(&here.krb);
    for (found = here.logged; (found = strstr(found, BEGIN)) != NULL; found++) {
        count++;
    }
    ck_assert_uint_eq(count, 5);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("appdefaults");
    TCase *tcase = suite_case(suite, "appdefaults");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_loop_test(tcase, test_appdefaults_timeout_only_shortens, 0, 6);
    tcase_add_test(tcase, test_appdefaults_dangerous_options_are_not_heard);
    tcase_add_loop_test(tcase, test_appdefaults_what_is_hardly_meant_is_said, 0,
                        ROWS_COUNT);
    tcase_add_test(tcase, test_appdefaults_outside_of_pam_nothing_is_said);
    tcase_add_test(tcase, test_appdefaults_each_fault_is_said);
    return suite_main(suite);
}
