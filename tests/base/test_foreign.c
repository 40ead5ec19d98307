/* base/foreign: what other modules' options are here, and how they are said. */
#include "base/foreign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "support/suite.h"

static struct options options;

static void
setup(void)
{
    ck_assert_int_eq(options_init(&options), 0);
}

static void
teardown(void)
{
    options_free(&options);
}

static int
set(const char *text)
{
    return options_set(&options, OPTION_FROM_ARGUMENT, text);
}

START_TEST(test_foreign_table_is_sorted_and_points_to_rows)
{
    size_t count = 0;
    size_t rows = 0;
    const struct foreign *table = foreign_table(&count);
    const struct option *ours = options_table(&rows);

    for (size_t i = 0; i < count; i++) {
        bool is_row = false;

        ck_assert(i == 0 || strcmp(table[i - 1].name, table[i].name) < 0);
        ck_assert_ptr_eq(foreign_find(table[i].name, strlen(table[i].name)),
                         &table[i]);
        for (size_t k = 0; k < rows; k++) {
            ck_assert_str_ne(ours[k].name, table[i].name);
            is_row |=
                table[i].row != NULL && strcmp(ours[k].name, table[i].row) == 0;
        }
        ck_assert_msg((table[i].row != NULL) == is_row, "%s: no row %s",
                      table[i].name, table[i].row);
        /* Either it is something here, or there is a word about it. */
        ck_assert_msg((table[i].row == NULL) == (table[i].advice != NULL), "%s",
                      table[i].name);
    }
}
END_TEST

START_TEST(test_foreign_option_without_a_counterpart_has_advice)
{
    size_t count = 0;
    const struct foreign *table = foreign_table(&count);

    for (size_t i = 0; i < count; i++) {
        char text[128];

        if (table[i].kind != FOREIGN_NONE) {
            continue;
        }
        (void)snprintf(text, sizeof(text), "%s=x", table[i].name);
        ck_assert_int_eq(set(text), -ENOTSUP);
        ck_assert_str_eq(options_advice(text), table[i].advice);
        ck_assert_int_eq(set(table[i].name), -ENOTSUP);
        ck_assert_int_eq(options_set(&options, OPTION_FROM_KRB5_CONF, text),
                         -ENOTSUP);
    }
    ck_assert_uint_eq(options.given, 0);
}
END_TEST

/* What is written, and what the flag at OFFSET is then. */
static const struct {
    const char *text;
    size_t offset;
    bool before;
    bool value;
} flags[] = {
    {"no_warn", offsetof(struct options, silent), false, true},
    {"no_warn=false", offsetof(struct options, silent), true, false},
    {"chpw_prompt", offsetof(struct options, defer_pwchange), true, false},
    {"chpw_prompt=no", offsetof(struct options, defer_pwchange), false, true},
    {"no_chpw_prompt", offsetof(struct options, defer_pwchange), false, true},
    {"no_chpw_prompt=false", offsetof(struct options, defer_pwchange), true,
     false},
    {"initial_prompt", offsetof(struct options, no_prompt), true, false},
    {"no_initial_prompt", offsetof(struct options, no_prompt), false, true},
    {"noinitial_prompt", offsetof(struct options, no_prompt), false, true},
    {"user_check", offsetof(struct options, no_user_check), true, false},
    {"no_user_check", offsetof(struct options, no_user_check), false, true},
    {"dont_user_check", offsetof(struct options, no_user_check), false, true},
    {"ignore_unknown_upn", offsetof(struct options, ignore_unknown_principals),
     false, true},
    {"not_ignore_unknown_spn",
     offsetof(struct options, ignore_unknown_principals), true, false},
    {"no_debug", offsetof(struct options, debug), true, false},
    {"nodebug", offsetof(struct options, debug), true, false},
    {"notforwardable", offsetof(struct options, forwardable), true, false},
    {"dont_forwardable", offsetof(struct options, forwardable), true, false},
    {"no_forwardable=false", offsetof(struct options, forwardable), false,
     true},
    /* A name of its own, whatever it begins with. */
    {"no_ccache", offsetof(struct options, no_ccache), false, true},
    {"no_no_ccache", offsetof(struct options, no_ccache), true, false},
};

START_TEST(test_foreign_flag)
{
    bool *field = (bool *)(void *)((char *)&options + flags[_i].offset);

    *field = flags[_i].before;
    ck_assert_int_eq(set(flags[_i].text), 0);
    ck_assert_msg(*field == flags[_i].value, "%s", flags[_i].text);
}
END_TEST

static const struct {
    const char *text;
    int status;
} odd[] = {
    {"krb4_convert=false", 0},
    {"no_krb4_convert", 0},
    {"krb4_convert", -ENOTSUP},
    {"krb4_convert=true", -ENOTSUP},
    {"no_krb4_convert=false", -ENOTSUP},
    {"krb4_convert=perhaps", -EINVAL},
    {"validate", 0},
    {"validate=true", 0},
    {"validate=false", -ENOTSUP},
    {"no_validate", -ENOTSUP},
    {"notokens", -ENOTSUP},
    {"nottokens", -ENOTSUP},
    {"notrace=/tmp/x", -ENOENT},
    {"validate=perhaps", -EINVAL},
    {"no_ticket_lifetime=1h", -ENOENT},
    {"no_ccname_template=x", -ENOENT},
    {"no_", -ENOENT},
    {"no", -ENOENT},
    {"not", -ENOENT},
    {"nonsense", -ENOENT},
    {"chpw_prompt=perhaps", -EINVAL},
    {"no_chpw_prompt=perhaps", -EINVAL},
    {"ccname_template", -EINVAL},
    {"ccname_template=%r", -EINVAL},
    {"ccname_template=x%", -EINVAL},
};

START_TEST(test_foreign_odd_one)
{
    ck_assert_msg(set(odd[_i].text) == odd[_i].status, "%s", odd[_i].text);
    ck_assert_uint_eq(options.given, 0);
}
END_TEST

START_TEST(test_foreign_advice_of_what_is_not_foreign_is_empty)
{
    ck_assert_str_eq(options_advice("debug"), "");
    ck_assert_str_eq(options_advice("nonsense=1"), "");
    ck_assert_str_ne(options_advice("no_validate"), "");
    ck_assert_str_ne(options_advice("validate=false"), "");
    ck_assert_str_ne(options_advice("notokens"), "");
}
END_TEST

START_TEST(test_foreign_template_has_our_tokens)
{
    ck_assert_int_eq(set("ccname_template=FILE:%d/krb5cc_%U_%u_%P_XXXXXX"), 0);
    ck_assert_str_eq(options.ccache,
                     "FILE:/tmp/krb5cc_%{uid}_%{username}_%p_XXXXXX");
    ck_assert_int_eq(set("ccache_dir=/run/user"), 0);
    ck_assert_int_eq(set("ccname_template=FILE:%d/x_XXXXXX"), 0);
    ck_assert_str_eq(options.ccache, "FILE:/run/user/x_XXXXXX");
    /* A bad one leaves what was there. */
    ck_assert_int_eq(set("ccname_template=%h/x"), -EINVAL);
    ck_assert_str_eq(options.ccache, "FILE:/run/user/x_XXXXXX");
}
END_TEST

/* no_warn is for PAM arguments as silent is: what is left is Red Hat's warn. */
START_TEST(test_foreign_name_stands_where_its_row_may)
{
    ck_assert_int_eq(options_set(&options, OPTION_FROM_KRB5_CONF, "no_warn=1"),
                     -ENOTSUP);
    ck_assert(!options.silent);
    ck_assert_int_eq(
        options_set(&options, OPTION_FROM_KRB5_CONF, "chpw_prompt=false"), 0);
    ck_assert(options.defer_pwchange);
    ck_assert(options_gives(&options, "defer_pwchange"));
    ck_assert(!options_gives(&options, "chpw_prompt"));
}
END_TEST

/* A flag of krb5.conf may be a list of services. */
static const struct {
    const char *value;
    bool expected; /* for the service sshd */
} lists[] = {
    {"sshd", true},     {"login sshd su", true}, {"login,sshd", true},
    {"  sshd\t", true}, {"login", false},        {"sshd2", false},
    {"ssh", false},     {"login, su", false},    {"true", true},
    {"no", false},      {"SSHD", false},         {",", false},
};

START_TEST(test_foreign_flag_for_services)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "forwardable=%s", lists[_i].value);
    options.forwardable = !lists[_i].expected;
    ck_assert_int_eq(options_set_for_service(&options, text, "sshd"), 0);
    ck_assert_msg(options.forwardable == lists[_i].expected, "%s", text);
    (void)snprintf(text, sizeof(text), "chpw_prompt=%s", lists[_i].value);
    ck_assert_int_eq(options_set_for_service(&options, text, "sshd"), 0);
    ck_assert_msg(options.defer_pwchange == !lists[_i].expected, "%s", text);
}
END_TEST

/* What is no word for true or false would mean false, and no .k5login. */
START_TEST(test_foreign_user_check_is_no_list)
{
    ck_assert_int_eq(
        options_set_for_service(&options, "user_check=ture", "sshd"), -EINVAL);
    ck_assert_int_eq(
        options_set_for_service(&options, "no_user_check=login", "sshd"), 0);
    ck_assert(!options.no_user_check);
    ck_assert_int_eq(
        options_set_for_service(&options, "user_check=false", "sshd"), 0);
    ck_assert(options.no_user_check);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("foreign");
    TCase *tcase = tcase_create("foreign");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_foreign_table_is_sorted_and_points_to_rows);
    tcase_add_test(tcase, test_foreign_option_without_a_counterpart_has_advice);
    tcase_add_test(tcase, test_foreign_user_check_is_no_list);
    tcase_add_loop_test(tcase, test_foreign_flag, 0,
                        (int)(sizeof(flags) / sizeof(flags[0])));
    tcase_add_loop_test(tcase, test_foreign_odd_one, 0,
                        (int)(sizeof(odd) / sizeof(odd[0])));
    tcase_add_test(tcase, test_foreign_advice_of_what_is_not_foreign_is_empty);
    tcase_add_test(tcase, test_foreign_template_has_our_tokens);
    tcase_add_test(tcase, test_foreign_name_stands_where_its_row_may);
    tcase_add_loop_test(tcase, test_foreign_flag_for_services, 0,
                        (int)(sizeof(lists) / sizeof(lists[0])));
    return suite_main(suite);
}
