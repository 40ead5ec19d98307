/*
 * pam_authenticate: the outcomes of DESIGN section 6 and the prompts and
 * stacked passwords of DROPIN, through the real libpam and a real KDC.
 *
 * Wants a second realm of the same name beside its own, which it starts itself
 * where srcdir says what to start; by hand:
 *   with-realm with-realm --prefix IMPOSTOR_ ./test_auth
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"

#define LONGEST 511 /* PAM_MAX_RESP_SIZE - 1 */

static struct stack stack;

/* Authenticates USER with ANSWERS; the handle stays open. */
static int
authenticate(const char *user, const char *arguments,
             const char *const *answers)
{
    common_start(&stack, user, arguments, answers);
    return pam_authenticate(stack.handle, 0);
}

/* The handle has no tickets: a session on it gets no cache. */
static void
check_no_tickets(void)
{
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(pam_open_session(stack.handle, 0), PAM_IGNORE);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
}

/* Failed preauthentications of PRINCIPAL so far. */
static size_t
failures_at_kdc(const char *principal)
{
    return common_kdc_log("PREAUTH_FAILED", principal);
}

/* Whether the log names alice at PRIORITY, as it does where she has an account.
 */
static bool
is_named(int priority)
{
    return getpwnam("alice") == NULL || common_logged(priority, "user alice");
}

START_TEST(test_auth_right_password_succeeds)
{
    EXPECT(authenticate("alice", "", alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_int_eq(stack.shown[0].style, PAM_PROMPT_ECHO_OFF);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    ck_assert(
        common_logged(LOG_INFO, "user alice authenticated as alice@PAM.TEST"));
    ck_assert_uint_eq(common_log_count(LOG_DEBUG), 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_success_makes_no_cache)
{
    EXPECT(authenticate("alice", "", alice_answers), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_without_preauthentication_asks_the_same)
{
    static const char *const answers[] = {"nopreauth-password", NULL};

    EXPECT(authenticate("nopreauth", "", answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_without_preauthentication_wrong_password_fails)
{
    EXPECT(authenticate("nopreauth", "", wrong_answers), PAM_AUTH_ERR);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_wrong_password_fails)
{
    EXPECT(authenticate("alice", "", wrong_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    ck_assert(is_named(LOG_INFO));
    ck_assert(common_logged(LOG_INFO, "wrong password"));
    ck_assert_uint_eq(common_log_count(LOG_DEBUG), 1);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_wrong_password_is_one_failure_at_the_kdc)
{
    size_t before = failures_at_kdc("bob@");

    EXPECT(authenticate("bob", "", wrong_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(failures_at_kdc("bob@"), before + 1);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_unknown_principal_asks_like_a_known_one)
{
    EXPECT(authenticate("mypassword1", "", wrong_answers), PAM_USER_UNKNOWN);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_int_eq(stack.shown[0].style, PAM_PROMPT_ECHO_OFF);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    check_no_tickets();
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

START_TEST(test_auth_unknown_name_is_not_logged)
{
    EXPECT(authenticate("mypassword1", "debug", wrong_answers),
           PAM_USER_UNKNOWN);
    ck_assert(common_logged(LOG_INFO, "unknown principal"));
    ck_assert_msg(!stack_logged("mypassword1"), "%s", stack_log());
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

START_TEST(test_auth_locked_principal_fails)
{
    static const char *const answers[] = {"locked-password", NULL};

    EXPECT(authenticate("locked", "", answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    ck_assert(common_logged(LOG_INFO, "principal locked"));
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_principal_locked_by_failures_fails)
{
    static const char *const right[] = {"striker-password", NULL};

    /* Not -unlock: failures of the same second would not count. */
    common_kadmin("addprinc -pw striker-password -policy three-strikes "
                  "+requires_preauth striker");
    for (int i = 0; i < 3; i++) {
        EXPECT(authenticate("striker", "", wrong_answers), PAM_AUTH_ERR);
        stack_end(&stack, PAM_AUTH_ERR);
    }
    ck_assert(!stack_logged("principal locked"));
    EXPECT(authenticate("striker", "", right), PAM_AUTH_ERR);
    ck_assert(stack_logged("principal locked"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_expired_principal_is_expired)
{
    static const char *const answers[] = {"gone-password", NULL};

    EXPECT(authenticate("gone", "", answers), PAM_ACCT_EXPIRED);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    check_no_tickets();
    stack_end(&stack, PAM_ACCT_EXPIRED);
}
END_TEST

START_TEST(test_auth_expired_password_fails_and_is_told)
{
    static const char *const answers[] = {"expired-password", NULL};

    EXPECT(authenticate("expired", "fail_pwchange", answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    ck_assert_uint_eq(common_words(&stack), 1);
    ck_assert_ptr_nonnull(
        strstr(stack_text(&stack, stack.shown_count - 1), "expired"));
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_pam_silent_says_nothing)
{
    static const char *const answers[] = {"expired-password", NULL};

    common_start(&stack, "expired", "fail_pwchange", answers);
    EXPECT(pam_authenticate(stack.handle, PAM_SILENT), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    ck_assert_uint_eq(common_words(&stack), 0);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_password_that_will_expire_is_told)
{
    static const char *const answers[] = {"soon-password", NULL};

    common_kadmin("addprinc -pw soon-password -clearpolicy +requires_preauth "
                  "-pwexpire \"84 hours\" soon");
    EXPECT(authenticate("soon", "", answers), PAM_SUCCESS);
    ck_assert_uint_eq(common_words(&stack), 1);
    ck_assert_str_eq(stack_text(&stack, 1), "Your password expires in 3 days.");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_empty_password_is_not_tried)
{
    static const char *const answers[] = {"", NULL};
    size_t before = failures_at_kdc("alice@");

    EXPECT(authenticate("alice", "", answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_uint_eq(failures_at_kdc("alice@"), before);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_no_answer_fails)
{
    EXPECT(authenticate("alice", "", no_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_null_conversation_fails)
{
    const struct pam_conv none = {.conv = NULL, .appdata_ptr = NULL};

    common_start(&stack, "alice", "", alice_answers);
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_CONV, &none), PAM_SUCCESS);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_failing_conversation_fails)
{
    common_start(&stack, "alice", "", alice_answers);
    stack.conv_code = PAM_CONV_ERR;
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* A conversation that says yes and answers nothing at all. */
static int
converse_nothing(int count, const struct pam_message **messages,
                 struct pam_response **responses_out, void *data)
{
    (void)count;
    (void)messages;
    (void)data;
    *responses_out = NULL;
    return PAM_SUCCESS;
}

START_TEST(test_auth_conversation_without_responses_fails)
{
    const struct pam_conv nothing = {.conv = converse_nothing,
                                     .appdata_ptr = NULL};

    common_start(&stack, "alice", "", alice_answers);
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_CONV, &nothing),
                     PAM_SUCCESS);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* TEXT of LENGTH same characters. */
static char *
long_text(char character, size_t length)
{
    char *text = malloc(length + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, character, length);
    text[length] = '\0';
    return text;
}

START_TEST(test_auth_longest_password_succeeds)
{
    char *password = long_text('p', LONGEST);
    const char *const answers[] = {password, NULL};
    char command[LONGEST + 128];

    (void)snprintf(command, sizeof(command),
                   "addprinc -pw %s -clearpolicy +requires_preauth longwinded",
                   password);
    common_kadmin(command);
    EXPECT(authenticate("longwinded", "", answers), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    free(password);
}
END_TEST

START_TEST(test_auth_password_too_long_is_not_tried)
{
    char *password = long_text('p', LONGEST + 1);
    const char *const answers[] = {password, NULL};
    size_t before = failures_at_kdc("alice@");

    EXPECT(authenticate("alice", "", answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_uint_eq(failures_at_kdc("alice@"), before);
    stack_end(&stack, PAM_AUTH_ERR);
    free(password);
}
END_TEST

START_TEST(test_auth_password_is_not_logged)
{
    static const char *const both[] = {"wrong-password", "alice-password",
                                       NULL};

    EXPECT(authenticate("alice", "debug", both), PAM_AUTH_ERR);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_msg(!stack_logged("wrong-password"), "%s", stack_log());
    ck_assert_msg(!stack_logged("alice-password"), "%s", stack_log());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Stacked passwords: what is stored, what may be asked, what comes of it. */
static const struct stacked_case {
    const char *arguments;
    const char *stored;
    int code;
    size_t prompts;
    const char *const *answers;
} stacked_cases[] = {
    /* Without an option the stored one is nobody's business. */
    {"", "alice-password", PAM_AUTH_ERR, 1, wrong_answers},
    {"", "wrong-password", PAM_SUCCESS, 1, alice_answers},

    {"use_first_pass", "alice-password", PAM_SUCCESS, 0, no_answers},
    {"use_first_pass", "wrong-password", PAM_AUTH_ERR, 0, alice_answers},
    {"use_first_pass", NULL, PAM_SUCCESS, 1, alice_answers},
    {"use_first_pass", NULL, PAM_AUTH_ERR, 1, wrong_then_alice},
    {"use_first_pass", "", PAM_AUTH_ERR, 0, alice_answers},

    {"try_first_pass", "alice-password", PAM_SUCCESS, 0, no_answers},
    {"try_first_pass", "wrong-password", PAM_SUCCESS, 1, alice_answers},
    {"try_first_pass", "wrong-password", PAM_AUTH_ERR, 1, wrong_then_alice},
    {"try_first_pass", NULL, PAM_SUCCESS, 1, alice_answers},
    {"try_first_pass", NULL, PAM_AUTH_ERR, 1, wrong_then_alice},
    {"try_first_pass", "", PAM_SUCCESS, 1, alice_answers},

    {"force_first_pass", "alice-password", PAM_SUCCESS, 0, no_answers},
    {"force_first_pass", "wrong-password", PAM_AUTH_ERR, 0, alice_answers},
    {"force_first_pass", NULL, PAM_AUTH_ERR, 0, alice_answers},
    {"force_first_pass", "", PAM_AUTH_ERR, 0, alice_answers},

    /* The stricter of several decides. */
    {"try_first_pass use_first_pass", "wrong-password", PAM_AUTH_ERR, 0,
     alice_answers},
    {"try_first_pass use_first_pass", "", PAM_AUTH_ERR, 0, alice_answers},
    {"use_first_pass force_first_pass", NULL, PAM_AUTH_ERR, 0, alice_answers},
    {"try_first_pass force_first_pass", "wrong-password", PAM_AUTH_ERR, 0,
     alice_answers},
};

#define STACKED_COUNT ((int)(sizeof(stacked_cases) / sizeof(stacked_cases[0])))

START_TEST(test_auth_stacked_password_is_used_as_asked)
{
    const struct stacked_case *row = &stacked_cases[_i];

    common_start_stored(&stack, "alice", row->stored, row->arguments,
                        row->answers);
    EXPECT(pam_authenticate(stack.handle, 0), row->code);
    ck_assert_msg(common_password_prompts(&stack) == row->prompts,
                  "%s, stored %s: %zu prompts", row->arguments,
                  row->stored == NULL ? "none" : row->stored,
                  common_password_prompts(&stack));
    stack_end(&stack, row->code);
}
END_TEST

START_TEST(test_auth_stacked_password_too_long_is_not_tried)
{
    char *password = long_text('p', LONGEST + 1);
    size_t before = common_kdc_log("AS_REQ", "alice@");

    common_start_stored(&stack, "alice", password, "use_first_pass",
                        alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_password_prompts(&stack), 0);
    ck_assert_uint_eq(common_kdc_log("AS_REQ", "alice@"), before);
    stack_end(&stack, PAM_AUTH_ERR);
    free(password);
}
END_TEST

START_TEST(test_auth_stacked_password_of_an_unknown_one_does_not_ask)
{
    common_start_stored(&stack, "mypassword1", "wrong-password",
                        "use_first_pass", wrong_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_USER_UNKNOWN);
    ck_assert_uint_eq(common_password_prompts(&stack), 0);
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

/* Two lines of the module, the first of which changes nothing. */
static void
start_twice(const char *user, const char *second, const char *const *answers)
{
    char text[2048];

    (void)snprintf(text, sizeof(text),
                   "auth optional %%m helper=%s\n"
                   "auth [default=done] %%m helper=%s %s\n",
                   stack_helper(), stack_helper(), second);
    stack_start_service(&stack, user, text, answers);
}

START_TEST(test_auth_password_typed_is_left_for_the_next_module)
{
    start_twice("alice", "force_first_pass", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_password_that_failed_is_left_too)
{
    start_twice("alice", "use_first_pass", wrong_then_alice);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_password_of_an_unknown_one_is_left_too)
{
    /* pam_unix behind us shall not ask again where the user is local. */
    start_twice("mypassword1", "force_first_pass", wrong_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_USER_UNKNOWN);
    ck_assert_uint_eq(stack.shown_count, 1);
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

START_TEST(test_auth_k5login_that_names_another_refuses)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_INFO, "not authorized"));
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_PERM_DENIED);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_refused_by_k5login_gets_no_cache)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_k5login_that_names_the_principal_allows)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\nalice@PAM.TEST\n");
    EXPECT(authenticate("alice", "", alice_answers), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_k5login_of_somebody_else_refuses)
{
    NEEDS_ROOT();
    common_write("/tmp/home/alice/.k5login", "alice@PAM.TEST\n",
                 common_uid("bob"), 0644);
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_PERM_DENIED);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_k5login_is_read_as_the_user)
{
    NEEDS_ROOT();
    /* Root may read it and alice may not. */
    common_write("/tmp/home/alice/.k5login", "alice@PAM.TEST\n",
                 common_uid("alice"), 0);
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_ignore_k5login_does_not_look)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(authenticate("alice", "ignore_k5login", alice_answers), PAM_SUCCESS);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Users that the PAM arguments leave alone; no helper could be started. */
static const struct ignored_case {
    const char *user;
    const char *arguments;
} ignored_cases[] = {
    {"root", "ignore_root helper=/nonexistent"},
    {"alice", "minimum_uid=<bob> helper=/nonexistent"},
    {"root", "minimum_uid=1 helper=/nonexistent"},
};

START_TEST(test_auth_ignored_user_is_left_alone)
{
    const struct ignored_case *row = &ignored_cases[_i];

    NEEDS_ROOT();
    EXPECT(authenticate(row->user, common_with_uids(row->arguments),
                        alice_answers),
           PAM_USER_UNKNOWN);
    ck_assert_uint_eq(stack.shown_count, 0);
    /* Not even an attempt to spawn: that would be an error in the log. */
    ck_assert_msg(common_log_count(LOG_INFO) == 0, "%s", stack_log());
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

START_TEST(test_auth_ignored_user_is_left_alone_by_all_calls)
{
    const struct ignored_case *row = &ignored_cases[_i];
    static const int flags[] = {PAM_ESTABLISH_CRED, PAM_REINITIALIZE_CRED,
                                PAM_REFRESH_CRED, PAM_DELETE_CRED};

    NEEDS_ROOT();
    common_start(&stack, row->user, common_with_uids(row->arguments),
                 alice_answers);
    common_set_cache(&stack, "FILE:/tmp/home/alice/delegated");
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_IGNORE);
    EXPECT(pam_open_session(stack.handle, 0), PAM_IGNORE);
    for (size_t i = 0; i < 4; i++) {
        EXPECT(pam_setcred(stack.handle, flags[i]), PAM_SUCCESS);
    }
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_IGNORE);
    ck_assert_str_eq(common_cache(&stack), "FILE:/tmp/home/alice/delegated");
    ck_assert_uint_eq(stack.shown_count, 0);
    ck_assert_msg(common_log_count(LOG_INFO) == 0, "%s", stack_log());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_user_of_minimum_uid_is_not_ignored)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", common_with_uids("minimum_uid=<alice>"),
                        alice_answers),
           PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A principal that is nobody's account. */
static void
start_stranger(void)
{
    static const char *const answers[] = {"stranger-password", NULL};

    common_kadmin("addprinc -pw stranger-password -clearpolicy "
                  "+requires_preauth stranger");
    EXPECT(authenticate("stranger", "", answers), PAM_SUCCESS);
}

START_TEST(test_auth_without_account_succeeds)
{
    start_stranger();
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_without_account_has_no_session)
{
    start_stranger();
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_USER_UNKNOWN);
    EXPECT(pam_open_session(stack.handle, 0), PAM_USER_UNKNOWN);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_principal_with_an_instance_is_not_the_user)
{
    static const char *const answers[] = {"admin-password", NULL};

    common_kadmin("addprinc -pw admin-password -clearpolicy "
                  "+requires_preauth alice/admin");
    EXPECT(authenticate("alice/admin", "", answers), PAM_AUTH_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_PERM_DENIED);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_without_keytab_is_accepted_and_noted)
{
    ck_assert_int_eq(setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1), 0);
    EXPECT(authenticate("alice", "", alice_answers), PAM_SUCCESS);
    ck_assert(common_logged(LOG_NOTICE, "/nonexistent/keytab"));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_without_keytab_is_refused_where_krb5_conf_insists)
{
    ck_assert_int_eq(setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1), 0);
    common_config("[libdefaults]\nverify_ap_req_nofail = true");
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_ALERT, "verify_ap_req_nofail"));
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_IGNORE);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_without_keytab_asks_the_client_realms_rule)
{
    ck_assert_int_eq(setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1), 0);
    common_config("[libdefaults]\nverify_ap_req_nofail = false\n"
                  "PAM.TEST = {\nverify_ap_req_nofail = true\n}\n");
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_with_keytab_is_verified_where_krb5_conf_insists)
{
    common_config("[libdefaults]\nverify_ap_req_nofail = true");
    EXPECT(authenticate("alice", "", alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(common_log_count(LOG_NOTICE), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Until the password was right, the keytab is nobody's business. */
START_TEST(test_auth_wrong_password_says_nothing_of_the_keytab)
{
    ck_assert_int_eq(setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1), 0);
    common_config("[libdefaults]\nverify_ap_req_nofail = true");
    EXPECT(authenticate("alice", "", wrong_answers), PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_INFO, "wrong password"));
    ck_assert_msg(!stack_logged("keytab"), "%s", stack_log());
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/*
 * Writes /tmp/two.keytab: first the key of a host that the KDC has forgotten,
 * then those of ours.
 */
static void
use_two_hosts(void)
{
    common_kadmin("addprinc -randkey host/gone.test");
    common_kadmin("ktadd -k /tmp/two.keytab host/gone.test");
    common_kadmin("delprinc -force host/gone.test");
    /* A keytab is two bytes and its entries, one behind the other. */
    ck_assert_int_eq(
        system("tail -c +3 \"${KRB5_KTNAME#FILE:}\" >>/tmp/two.keytab"), 0);
    ck_assert_int_eq(setenv("KRB5_KTNAME", "FILE:/tmp/two.keytab", 1), 0);
}

START_TEST(test_auth_next_host_key_is_tried)
{
    NEEDS_ROOT();
    use_two_hosts();
    EXPECT(authenticate("alice", "debug", alice_answers), PAM_SUCCESS);
    ck_assert_msg(common_logged(LOG_DEBUG, "not verified with host/gone.test"),
                  "%s", stack_log());
    ck_assert(common_logged(LOG_DEBUG, "KDC verified with the key of host/"));
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_int_eq(unlink("/tmp/two.keytab"), 0);
}
END_TEST

/* The KDC of the other realm of our name, the keytab of our own. */
static bool
use_impostor(void)
{
    const char *config = getenv("IMPOSTOR_KRB5_CONFIG");

    if (config != NULL) {
        ck_assert_int_eq(setenv("KRB5_CONFIG", config, 1), 0);
    }
    return config != NULL;
}

START_TEST(test_auth_kdc_of_another_owner_is_refused)
{
    SKIP_UNLESS(use_impostor(), "needs with-realm --prefix IMPOSTOR_");
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    ck_assert(is_named(LOG_ALERT));
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_IGNORE);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_kdc_of_another_owner_is_refused_though_lenient)
{
    SKIP_UNLESS(use_impostor(), "needs with-realm --prefix IMPOSTOR_");
    common_config("[libdefaults]\nverify_ap_req_nofail = false");
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTH_ERR);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_kdc_of_another_owner_is_its_own_keytabs)
{
    const char *keytab = getenv("IMPOSTOR_KRB5_KTNAME");

    /* What the other two prove is not just that the impostor is down. */
    SKIP_UNLESS(use_impostor(), "needs with-realm --prefix IMPOSTOR_");
    ck_assert_int_eq(setenv("KRB5_KTNAME", keytab, 1), 0);
    EXPECT(authenticate("alice", "", alice_answers), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_dead_kdc_is_unavailable)
{
    common_config_kdc(common_dead_port());
    EXPECT(authenticate("alice", "", alice_answers), PAM_AUTHINFO_UNAVAIL);
    ck_assert(common_logged(LOG_ERR, "KDC"));
    check_no_tickets();
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

START_TEST(test_auth_missing_helper_is_unavailable)
{
    EXPECT(authenticate("alice", "helper=/nonexistent/helper", alice_answers),
           PAM_AUTHINFO_UNAVAIL);
    ck_assert(common_logged(LOG_ERR, "/nonexistent/helper"));
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

/*
 * Where nothing can be asked of a KDC the password is asked for all the same:
 * a module behind (use_first_pass) has it from us, and lets local users in.
 */
START_TEST(test_auth_that_is_unavailable_asks_for_those_behind)
{
    char lines[4096];

    (void)snprintf(lines, sizeof(lines),
                   "auth [default=ignore] %%m helper=/nonexistent/helper\n"
                   "auth required %%m helper=%s force_first_pass\n",
                   stack_helper());
    stack_start_service(&stack, "alice", lines, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Not where there is one already. */
START_TEST(test_auth_that_is_unavailable_asks_for_no_second)
{
    common_start_stored(&stack, "alice", "alice-password",
                        "try_first_pass helper=/nonexistent/helper",
                        alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    ck_assert_uint_eq(common_password_prompts(&stack), 0);
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

START_TEST(test_auth_again_after_a_failure_succeeds)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", "", wrong_then_alice), PAM_AUTH_ERR);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_nonnull(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_auth_again_with_a_failure_forgets_the_success)
{
    static const char *const answers[] = {"alice-password", "wrong-password",
                                          NULL};

    NEEDS_ROOT();
    EXPECT(authenticate("alice", "", answers), PAM_SUCCESS);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_IGNORE);
    check_no_tickets();
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_again_with_a_failure_forgets_the_refusal)
{
    static const char *const answers[] = {"alice-password", "wrong-password",
                                          NULL};

    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(authenticate("alice", "", answers), PAM_AUTH_ERR);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_IGNORE);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_again_with_an_unusable_password_forgets_the_success)
{
    NEEDS_ROOT();
    start_twice("alice", "force_first_pass", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_script(&stack, no_answers);
    /* Nothing is typed at the first line, so the second has nothing. */
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Names that are no names.  Each must be refused, and none may be logged. */
static const struct odd_case {
    const char *user;
    int code;
} odd_cases[] = {
    {"", PAM_USER_UNKNOWN},
    {"/", PAM_USER_UNKNOWN},
    {"\\", PAM_USER_UNKNOWN},
    {"ali\nce", PAM_USER_UNKNOWN},
    {"alice\nroot", PAM_USER_UNKNOWN},
    {"alice/", PAM_USER_UNKNOWN},
    {"/alice", PAM_USER_UNKNOWN},
    {"../../alice", PAM_USER_UNKNOWN},
    {"ali ce", PAM_USER_UNKNOWN},
    {"alice@@", PAM_USER_UNKNOWN},
    {"alice@PAM.TEST@PAM.TEST", PAM_USER_UNKNOWN},
    {"alice@pam.test@", PAM_USER_UNKNOWN},
    {"\xff\xfe\x80", PAM_USER_UNKNOWN},
    {"%s%n%u", PAM_USER_UNKNOWN},
    {"\x1b]0;title\x07", PAM_USER_UNKNOWN},
};

#define ODD_COUNT ((int)(sizeof(odd_cases) / sizeof(odd_cases[0])))

START_TEST(test_auth_odd_name_is_unknown_and_not_logged)
{
    const struct odd_case *row = &odd_cases[_i];

    EXPECT(authenticate(row->user, "debug", wrong_answers), row->code);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    /* A short one may be part of a word of ours. */
    ck_assert_msg(strlen(row->user) < 5 || !stack_logged(row->user), "%s",
                  stack_log());
    check_no_tickets();
    stack_end(&stack, row->code);
}
END_TEST

START_TEST(test_auth_name_of_5000_characters_is_unknown)
{
    char *name = long_text('a', 5000);

    EXPECT(authenticate(name, "", wrong_answers), PAM_USER_UNKNOWN);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert(!stack_logged("aaaaaaaa"));
    stack_end(&stack, PAM_USER_UNKNOWN);
    free(name);
}
END_TEST

/* A realm that is none, or has no KDC. */
static const char *const far_names[] = {"alice@NOWHERE.TEST", "hunter@2"};

START_TEST(test_auth_name_of_a_realm_without_kdc_is_unavailable)
{
    EXPECT(authenticate(far_names[_i], "", wrong_answers),
           PAM_AUTHINFO_UNAVAIL);
    check_no_tickets();
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

START_TEST(test_auth_password_with_an_at_sign_typed_as_name_is_not_logged)
{
    EXPECT(authenticate("hunter@2", "debug", wrong_answers),
           PAM_AUTHINFO_UNAVAIL);
    ck_assert_msg(!stack_logged("hunter"), "%s", stack_log());
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

START_TEST(test_auth_name_without_account_is_not_logged_when_the_kdc_is_dead)
{
    common_config_kdc(common_dead_port());
    EXPECT(authenticate("mypassword1", "debug", wrong_answers),
           PAM_AUTHINFO_UNAVAIL);
    ck_assert(common_logged(LOG_ERR, "KDC"));
    ck_assert_msg(!stack_logged("mypassword1"), "%s", stack_log());
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

START_TEST(test_auth_name_without_account_is_not_logged_without_password)
{
    common_start(&stack, "mypassword1", "force_first_pass", no_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_msg(!stack_logged("mypassword1"), "%s", stack_log());
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_auth_name_with_the_realm_succeeds)
{
    EXPECT(authenticate("alice@PAM.TEST", "", alice_answers), PAM_SUCCESS);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

static void
add_outcomes(Suite *suite)
{
    TCase *tcase = common_case(suite, "outcomes");

    tcase_add_test(tcase, test_auth_right_password_succeeds);
    tcase_add_test(tcase, test_auth_success_makes_no_cache);
    tcase_add_test(tcase, test_auth_without_preauthentication_asks_the_same);
    tcase_add_test(tcase,
                   test_auth_without_preauthentication_wrong_password_fails);
    tcase_add_test(tcase, test_auth_wrong_password_fails);
    tcase_add_test(tcase, test_auth_wrong_password_is_one_failure_at_the_kdc);
    tcase_add_test(tcase, test_auth_unknown_principal_asks_like_a_known_one);
    tcase_add_test(tcase, test_auth_unknown_name_is_not_logged);
    tcase_add_test(tcase, test_auth_locked_principal_fails);
    tcase_add_test(tcase, test_auth_principal_locked_by_failures_fails);
    tcase_add_test(tcase, test_auth_expired_principal_is_expired);
    tcase_add_test(tcase, test_auth_expired_password_fails_and_is_told);
    tcase_add_test(tcase, test_auth_pam_silent_says_nothing);
    tcase_add_test(tcase, test_auth_password_that_will_expire_is_told);
    tcase_add_test(tcase, test_auth_dead_kdc_is_unavailable);
    tcase_add_test(tcase, test_auth_missing_helper_is_unavailable);
    tcase_add_test(tcase, test_auth_that_is_unavailable_asks_for_those_behind);
    tcase_add_test(tcase, test_auth_that_is_unavailable_asks_for_no_second);
}

static void
add_passwords(Suite *suite)
{
    TCase *tcase = common_case(suite, "passwords");

    tcase_add_test(tcase, test_auth_empty_password_is_not_tried);
    tcase_add_test(tcase, test_auth_no_answer_fails);
    tcase_add_test(tcase, test_auth_null_conversation_fails);
    tcase_add_test(tcase, test_auth_failing_conversation_fails);
    tcase_add_test(tcase, test_auth_conversation_without_responses_fails);
    tcase_add_test(tcase, test_auth_longest_password_succeeds);
    tcase_add_test(tcase, test_auth_password_too_long_is_not_tried);
    tcase_add_test(tcase, test_auth_password_is_not_logged);
    tcase_add_loop_test(tcase, test_auth_stacked_password_is_used_as_asked, 0,
                        STACKED_COUNT);
    tcase_add_test(tcase, test_auth_stacked_password_too_long_is_not_tried);
    tcase_add_test(tcase,
                   test_auth_stacked_password_of_an_unknown_one_does_not_ask);
    tcase_add_test(tcase, test_auth_password_typed_is_left_for_the_next_module);
    tcase_add_test(tcase, test_auth_password_that_failed_is_left_too);
    tcase_add_test(tcase, test_auth_password_of_an_unknown_one_is_left_too);
}

static void
add_authorization(Suite *suite)
{
    TCase *tcase = common_case(suite, "authorization");

    tcase_add_test(tcase, test_auth_k5login_that_names_another_refuses);
    tcase_add_test(tcase, test_auth_refused_by_k5login_gets_no_cache);
    tcase_add_test(tcase, test_auth_k5login_that_names_the_principal_allows);
    tcase_add_test(tcase, test_auth_k5login_of_somebody_else_refuses);
    tcase_add_test(tcase, test_auth_k5login_is_read_as_the_user);
    tcase_add_test(tcase, test_auth_ignore_k5login_does_not_look);
    tcase_add_loop_test(tcase, test_auth_ignored_user_is_left_alone, 0, 3);
    tcase_add_loop_test(
        tcase, test_auth_ignored_user_is_left_alone_by_all_calls, 0, 3);
    tcase_add_test(tcase, test_auth_user_of_minimum_uid_is_not_ignored);
    tcase_add_test(tcase, test_auth_without_account_succeeds);
    tcase_add_test(tcase, test_auth_without_account_has_no_session);
    tcase_add_test(tcase, test_auth_principal_with_an_instance_is_not_the_user);
}

static void
add_verification(Suite *suite)
{
    TCase *tcase = common_case(suite, "verification");

    tcase_add_test(tcase, test_auth_without_keytab_is_accepted_and_noted);
    tcase_add_test(tcase,
                   test_auth_without_keytab_is_refused_where_krb5_conf_insists);
    tcase_add_test(tcase, test_auth_without_keytab_asks_the_client_realms_rule);
    tcase_add_test(tcase,
                   test_auth_with_keytab_is_verified_where_krb5_conf_insists);
    tcase_add_test(tcase, test_auth_kdc_of_another_owner_is_refused);
    tcase_add_test(tcase,
                   test_auth_kdc_of_another_owner_is_refused_though_lenient);
    tcase_add_test(tcase, test_auth_wrong_password_says_nothing_of_the_keytab);
    tcase_add_test(tcase, test_auth_next_host_key_is_tried);
    tcase_add_test(tcase, test_auth_kdc_of_another_owner_is_its_own_keytabs);
}

static void
add_again(Suite *suite)
{
    TCase *tcase = common_case(suite, "again");

    tcase_add_test(tcase, test_auth_again_after_a_failure_succeeds);
    tcase_add_test(tcase, test_auth_again_with_a_failure_forgets_the_success);
    tcase_add_test(tcase, test_auth_again_with_a_failure_forgets_the_refusal);
    tcase_add_test(
        tcase, test_auth_again_with_an_unusable_password_forgets_the_success);
}

/* From now on a call that only schedules kills, as SystemCallFilter= may. */
static void
forbid_scheduling(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setaffinity, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = 4, .filter = code};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(test_auth_under_a_filter_of_system_calls_succeeds)
{
    NEEDS_ROOT();
    forbid_scheduling();
    common_start(&stack, "alice", "", alice_answers);
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

static void
add_names(Suite *suite)
{
    TCase *tcase = common_case(suite, "names");

    tcase_add_loop_test(tcase, test_auth_odd_name_is_unknown_and_not_logged, 0,
                        ODD_COUNT);
    tcase_add_test(tcase, test_auth_name_of_5000_characters_is_unknown);
    tcase_add_loop_test(tcase,
                        test_auth_name_of_a_realm_without_kdc_is_unavailable, 0,
                        (int)(sizeof(far_names) / sizeof(far_names[0])));
    tcase_add_test(
        tcase, test_auth_password_with_an_at_sign_typed_as_name_is_not_logged);
    tcase_add_test(
        tcase,
        test_auth_name_without_account_is_not_logged_when_the_kdc_is_dead);
    tcase_add_test(
        tcase, test_auth_name_without_account_is_not_logged_without_password);
    tcase_add_test(tcase, test_auth_name_with_the_realm_succeeds);
    tcase_add_test(tcase, test_auth_under_a_filter_of_system_calls_succeeds);
}

/* Starts this program anew with the impostor's realm around it, if it can. */
static void
start_impostor(char *program)
{
    char with_realm[] = "with-realm";
    char option[] = "--prefix";
    char prefix[] = "IMPOSTOR_";
    char *const arguments[] = {with_realm, option, prefix, program, NULL};
    const char *source = getenv("srcdir");
    char path[512];

    if (source != NULL && getenv("REALM") != NULL &&
        getenv("IMPOSTOR_KRB5_CONFIG") == NULL) {
        (void)snprintf(path, sizeof(path), "%s/kdc-test-env/with-realm",
                       source);
        (void)execv(path, arguments);
        perror(path);
    }
}

int
main(int argc, char **argv)
{
    Suite *suite = NULL;

    if (argc > 0) {
        start_impostor(argv[0]);
    }
    suite = suite_create("auth");
    add_outcomes(suite);
    add_passwords(suite);
    add_authorization(suite);
    add_verification(suite);
    add_again(suite);
    add_names(suite);
    return suite_main(suite);
}
