/* pam_acct_mgmt: what authenticate has learned, and of whom. */
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"

static struct stack stack;

static int
account(void)
{
    return pam_acct_mgmt(stack.handle, 0);
}

static void
end(void)
{
    stack_end(&stack, PAM_SUCCESS);
}

START_TEST(test_account_after_login_succeeds)
{
    common_login(&stack, "");
    EXPECT(account(), PAM_SUCCESS);
    end();
}
END_TEST

START_TEST(test_account_after_login_needs_no_kdc_nor_helper)
{
    char lines[1024];

    /* What authenticate has learned will do. */
    (void)snprintf(lines, sizeof(lines),
                   "auth [default=done] %%m helper=%s\n"
                   "account [default=done] %%m helper=/nonexistent\n",
                   stack_helper());
    stack_start_service(&stack, "alice", lines, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(account(), PAM_SUCCESS);
    ck_assert_uint_eq(common_log_count(LOG_ERR), 0);
    end();
}
END_TEST

START_TEST(test_account_without_login_is_not_ours)
{
    common_start(&stack, "alice", "helper=/nonexistent", no_answers);
    EXPECT(account(), PAM_IGNORE);
    ck_assert_uint_eq(common_log_count(LOG_INFO), 0);
    ck_assert_uint_eq(stack.shown_count, 0);
    end();
}
END_TEST

START_TEST(test_account_refused_by_k5login_is_denied)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    common_start(&stack, "alice", "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    EXPECT(account(), PAM_PERM_DENIED);
    ck_assert(common_logged(LOG_INFO, "user alice: account refused"));
    end();
}
END_TEST

/* Logins that fail for another reason than authorization. */
static const struct failed_case {
    const char *user;
    const char *password;
    const char *arguments;
} failed_cases[] = {
    {"alice", "wrong-password", ""},
    {"mypassword1", "wrong-password", ""},
    {"locked", "locked-password", ""},
    {"gone", "gone-password", ""},
    {"expired", "expired-password", "fail_pwchange"},
    {"alice", "", ""},
    {"alice", "alice-password", "helper=/nonexistent"},
    {"alice", "alice-password", "force_first_pass"},
};

START_TEST(test_account_after_a_failed_login_is_not_ours)
{
    const struct failed_case *row = &failed_cases[_i];
    const char *const answers[] = {row->password, NULL};

    common_start(&stack, row->user, row->arguments, answers);
    ck_assert_int_ne(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(account(), PAM_IGNORE);
    end();
}
END_TEST

START_TEST(test_account_of_another_user_is_not_ours)
{
    common_login(&stack, "");
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "bob"), PAM_SUCCESS);
    EXPECT(account(), PAM_IGNORE);
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "alice"),
                     PAM_SUCCESS);
    EXPECT(account(), PAM_SUCCESS);
    end();
}
END_TEST

START_TEST(test_account_refused_of_another_user_is_not_ours)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    common_start(&stack, "alice", "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "bob"), PAM_SUCCESS);
    EXPECT(account(), PAM_IGNORE);
    end();
}
END_TEST

START_TEST(test_account_of_an_ignored_user_is_not_ours)
{
    char lines[1024];

    NEEDS_ROOT();
    (void)snprintf(lines, sizeof(lines),
                   "auth [default=done] %%m helper=%s\n"
                   "account [default=done] %%m minimum_uid=62000\n",
                   stack_helper());
    stack_start_service(&stack, "alice", lines, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(account(), PAM_IGNORE);
    end();
}
END_TEST

START_TEST(test_account_after_the_session_has_begun_succeeds)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    EXPECT(account(), PAM_SUCCESS);
    EXPECT(account(), PAM_SUCCESS);
    end();
}
END_TEST

START_TEST(test_account_asks_and_says_nothing)
{
    common_login(&stack, "");
    stack.shown_count = 0;
    EXPECT(account(), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 0);
    end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("account");
    TCase *tcase = common_case(suite, "account");

    tcase_add_test(tcase, test_account_after_login_succeeds);
    tcase_add_test(tcase, test_account_after_login_needs_no_kdc_nor_helper);
    tcase_add_test(tcase, test_account_without_login_is_not_ours);
    tcase_add_test(tcase, test_account_refused_by_k5login_is_denied);
    tcase_add_loop_test(tcase, test_account_after_a_failed_login_is_not_ours, 0,
                        (int)(sizeof(failed_cases) / sizeof(failed_cases[0])));
    tcase_add_test(tcase, test_account_of_another_user_is_not_ours);
    tcase_add_test(tcase, test_account_refused_of_another_user_is_not_ours);
    tcase_add_test(tcase, test_account_of_an_ignored_user_is_not_ours);
    tcase_add_test(tcase, test_account_after_the_session_has_begun_succeeds);
    tcase_add_test(tcase, test_account_asks_and_says_nothing);
    return suite_main(suite);
}
