/*
 * pam_chauthtok: prompts, codes and what changes at the KDC, as DROPIN has it,
 * through the real libpam and a real kadmind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/changepw.h"
#include "support/realm.h"

#define OLD "old-password"
#define NEW "new-password"

static struct stack stack;

static const char *const good[] = {OLD, NEW, NEW, NULL};

/* A principal for each test, which nobody has an account for. */
static void
begin(void)
{
    (void)realm_admin("delprinc -force changer");
    common_kadmin("addprinc -pw " OLD " -clearpolicy +requires_preauth "
                  "changer");
}

static void
end(void)
{
    (void)realm_admin("delprinc -force changer");
}

static int
change(const char *arguments, const char *const *answers)
{
    common_start(&stack, "changer", arguments, answers);
    return pam_chauthtok(stack.handle, 0);
}

/* PASSWORD is right. */
static bool
opens(const char *password)
{
    const char *const answers[] = {password, NULL};
    struct stack other;
    int code = PAM_SUCCESS;

    common_start(&other, "changer", "", answers);
    code = pam_authenticate(other.handle, 0);
    stack_end(&other, code);
    return code == PAM_SUCCESS;
}

static void
check_changed(void)
{
    ck_assert(opens(NEW));
    ck_assert(!opens(OLD));
}

static void
check_unchanged(void)
{
    ck_assert(opens(OLD));
}

static void
check_shown(size_t n, int style, const char *text)
{
    ck_assert_str_eq(stack_text(&stack, n), text);
    ck_assert_int_eq(stack.shown[n].style, style);
}

START_TEST(test_password_is_changed)
{
    EXPECT(change("debug", good), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 3);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Current Kerberos password: ");
    check_shown(1, PAM_PROMPT_ECHO_OFF, "Enter new Kerberos password: ");
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Retype new Kerberos password: ");
    ck_assert(common_logged(LOG_INFO, "user changer: password changed"));
    ck_assert(!stack_logged(OLD) && !stack_logged(NEW));
    stack_end(&stack, PAM_SUCCESS);
    check_changed();
}
END_TEST

START_TEST(test_password_banner_is_in_the_prompts)
{
    static const char *const words[][2] = {{"banner=Realm", "Realm password: "},
                                           {"banner=", "password: "}};
    char text[64];

    EXPECT(change(words[_i][0], good), PAM_SUCCESS);
    (void)snprintf(text, sizeof(text), "Current %s", words[_i][1]);
    check_shown(0, PAM_PROMPT_ECHO_OFF, text);
    (void)snprintf(text, sizeof(text), "Enter new %s", words[_i][1]);
    check_shown(1, PAM_PROMPT_ECHO_OFF, text);
    (void)snprintf(text, sizeof(text), "Retype new %s", words[_i][1]);
    check_shown(2, PAM_PROMPT_ECHO_OFF, text);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_password_wrong_current_one_is_told_at_once)
{
    size_t before = common_kdc_log("PREAUTH_FAILED", "changer@");

    EXPECT(change("", wrong_answers), PAM_AUTHTOK_RECOVERY_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_uint_eq(common_kdc_log("PREAUTH_FAILED", "changer@"), before + 1);
    stack_end(&stack, PAM_AUTHTOK_RECOVERY_ERR);
    check_unchanged();
}
END_TEST

START_TEST(test_password_of_an_unknown_principal)
{
    common_start(&stack, "nobody-here", "", good);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_USER_UNKNOWN);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_msg(!stack_logged("nobody-here"), "%s", stack_log());
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

/*
 * A krb5.conf like the realm's, in which the servers called NAME are at PORT
 * (1: nobody).
 */
static void
use_servers(const char *name, int port)
{
    static char path[] = "/tmp/home/other.conf";
    char command[1024];

    (void)snprintf(command, sizeof(command),
                   "sed 's/\\b%s = .*/%s = 127.0.0.1:%d/' '%s' >%s", name, name,
                   port, getenv("KRB5_CONFIG"), path);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(setenv("KRB5_CONFIG", path, 1), 0);
}

/* A password server that says ANSWER, and no other. */
static struct changepw
use_changepw(const struct changepw_answer *answer)
{
    static const char keytab[] = "/tmp/home/changepw.keytab";
    struct changepw server;

    common_kadmin("ktadd -norandkey -k /tmp/home/changepw.keytab "
                  "kadmin/changepw");
    server = changepw_start(keytab, answer);
    use_servers("kpasswd_server", server.port);
    return server;
}

static void
end_changepw(const struct changepw *server)
{
    changepw_end(server);
    ck_assert_int_eq(unlink("/tmp/home/changepw.keytab"), 0);
}

START_TEST(test_password_without_a_kdc)
{
    NEEDS_ROOT();
    use_servers("kdc", 1);
    EXPECT(change("timeout=5", good), PAM_AUTHTOK_ERR);
    ck_assert(common_logged(LOG_ERR, "no KDC can be reached"));
    stack_end(&stack, PAM_AUTHTOK_ERR);
}
END_TEST

/* The old one is right, and nobody is there to change it. */
START_TEST(test_password_without_a_server_for_changes)
{
    NEEDS_ROOT();
    use_servers("kpasswd_server", 1);
    EXPECT(change("timeout=5", good), PAM_AUTHTOK_ERR);
    ck_assert_uint_eq(stack.shown_count, 3);
    ck_assert(common_log_count(LOG_ERR) > 0);
    stack_end(&stack, PAM_AUTHTOK_ERR);
    check_unchanged();
}
END_TEST

START_TEST(test_password_that_is_mistyped_is_not_taken)
{
    static const char *const answers[] = {OLD, NEW, "new-passwort", NULL};

    EXPECT(change(_i == 0 ? "" : "silent", answers), PAM_AUTHTOK_ERR);
    if (_i == 0) {
        ck_assert_uint_eq(stack.shown_count, 4);
        check_shown(3, PAM_ERROR_MSG, "Passwords don't match");
    } else {
        ck_assert_uint_eq(stack.shown_count, 3);
    }
    stack_end(&stack, PAM_AUTHTOK_ERR);
    check_unchanged();
}
END_TEST

START_TEST(test_password_that_the_realm_rejects)
{
    static const char *const answers[] = {OLD, "short", "short", NULL};
    static const char start[] = "Password change rejected: ";

    common_kadmin("addpol -minlength 8 strict");
    common_kadmin("modprinc -policy strict changer");
    EXPECT(change("", answers), PAM_AUTHTOK_ERR);
    ck_assert_uint_eq(stack.shown_count, 4);
    ck_assert_int_eq(stack.shown[3].style, PAM_ERROR_MSG);
    ck_assert_msg(strncmp(stack_text(&stack, 3), start, strlen(start)) == 0 &&
                      strstr(stack_text(&stack, 3), "too short") != NULL,
                  "%s", stack_text(&stack, 3));
    ck_assert_ptr_null(strstr(stack_text(&stack, 3) + 1, start));
    ck_assert(common_logged(LOG_INFO, "new password rejected: "));
    ck_assert(!stack_logged("short password"));
    stack_end(&stack, PAM_AUTHTOK_ERR);
    check_unchanged();
    common_kadmin("modprinc -clearpolicy changer");
    ck_assert(realm_admin("delpol -force strict"));
}
END_TEST

/*
 * Active Directory says no more than its policy, as a structure: 30 bytes, a
 * code of 0, the least length, the history, the properties (1: complexity), the
 * greatest and the least age in units of 100 ns.
 */
static const unsigned char policy[30] = {
    [5] = 12,                         /* length */
    [9] = 24,                         /* history */
    [13] = 1,                         /* complexity */
    [25] = 0xc9, 0x2a, 0x69, 0xc0, 0, /* a day */
};

static const struct {
    struct changepw_answer answer;
    const char *said[3];
} answers_of_others[] = {
    {{4, policy, sizeof(policy)},
     {"Password change rejected: ", "at least 12 characters",
      "different from the previous 24 passwords"}},
    {{4, "Not that one", 12},
     {"Password change rejected: Not that one", "", ""}},
    /* A text with what a terminal must not get. */
    {{4, "a\033[2Jb\nc", 8}, {"Password change rejected: a", "b", "c"}},
    {{4, "\xff\xfe", 2}, {"Password change rejected", "", ""}},
    {{4, "", 0}, {"Password change rejected", "", ""}},
};

START_TEST(test_password_that_another_server_rejects)
{
    struct changepw server;
    const char *shown = NULL;

    NEEDS_ROOT();
    server = use_changepw(&answers_of_others[_i].answer);
    EXPECT(change("", good), PAM_AUTHTOK_ERR);
    ck_assert_uint_eq(stack.shown_count, 4);
    ck_assert_int_eq(stack.shown[3].style, PAM_ERROR_MSG);
    shown = stack_text(&stack, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_msg(strstr(shown, answers_of_others[_i].said[i]) != NULL,
                      "%s is not in: %s", answers_of_others[_i].said[i], shown);
    }
    ck_assert_ptr_null(strchr(shown, '\033'));
    stack_end(&stack, PAM_AUTHTOK_ERR);
    end_changepw(&server);
    check_unchanged();
}
END_TEST

/* One that says it has changed it is believed: nobody else would know. */
START_TEST(test_password_that_another_server_takes)
{
    static const struct changepw_answer taken = {0, "", 0};
    struct changepw server;

    NEEDS_ROOT();
    server = use_changepw(&taken);
    EXPECT(change("", good), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    end_changepw(&server);
    check_unchanged();
}
END_TEST

/* What cannot be a password is not asked for twice. */
START_TEST(test_password_that_is_none)
{
    static char long_one[513];
    const char *const texts[] = {long_one, "", NULL};
    const char *const answers[] = {OLD, texts[_i], NEW, NULL};

    memset(long_one, 'x', 512);
    EXPECT(change("", answers), PAM_AUTHTOK_ERR);
    ck_assert_uint_eq(stack.shown_count, 2);
    ck_assert(common_logged(LOG_INFO, "no answer from the user"));
    stack_end(&stack, PAM_AUTHTOK_ERR);
    check_unchanged();
}
END_TEST

START_TEST(test_password_of_511_characters_is_taken)
{
    static char longest[512];
    const char *const answers[] = {OLD, longest, longest, NULL};

    memset(longest, 'x', 511);
    EXPECT(change("", answers), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(opens(longest));
}
END_TEST

START_TEST(test_password_without_a_conversation)
{
    common_start(&stack, "changer", "", no_answers);
    stack.conversation.conv = NULL;
    (void)pam_set_item(stack.handle, PAM_CONV, &stack.conversation);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_AUTHTOK_RECOVERY_ERR);
    stack_end(&stack, PAM_AUTHTOK_RECOVERY_ERR);
}
END_TEST

/* Stacks of two lines: what comes of FIRST, the module's, is ignored. */
static void
start_stack(const char *user, const char *first, const char *second,
            const char *const *answers)
{
    char text[4096];

    (void)snprintf(text, sizeof(text),
                   "password [default=ignore] %%m helper=%s %s\n"
                   "password [default=ok] %s\n",
                   stack_helper(), first, second);
    stack_start_service(&stack, user, text, answers);
}

/* The module with ARGUMENTS, as the second line. */
static const char *
module_with(const char *arguments)
{
    static char line[1024];

    (void)snprintf(line, sizeof(line), "%%m helper=%s %s", stack_helper(),
                   arguments);
    return line;
}

START_TEST(test_password_use_authtok_without_one_fails)
{
    EXPECT(change("use_authtok", good), PAM_AUTHTOK_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    stack_end(&stack, PAM_AUTHTOK_ERR);
    check_unchanged();
}
END_TEST

/*
 * The first line asks for a user who is not its own, the second takes what was
 * typed; but the current one, which only it needs.
 */
START_TEST(test_password_ignored_user_is_asked_for_those_behind)
{
    static const char *const answers[] = {OLD, NEW, NEW, NULL};

    NEEDS_ROOT();
    common_kadmin("addprinc -pw " OLD " -clearpolicy root");
    start_stack("root", "ignore_root", module_with("use_authtok"), answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 3);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Current Kerberos password: ");
    check_shown(1, PAM_PROMPT_ECHO_OFF, "Enter new password: ");
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Retype new password: ");
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(realm_admin("delprinc -force root"));
}
END_TEST

/* krb5.conf excludes too. */
START_TEST(test_password_user_whom_krb5_conf_ignores)
{
    static const char *const answers[] = {NEW, NEW, NULL};

    NEEDS_ROOT();
    common_config("[appdefaults]\nignore_root = true\n");
    start_stack("root", "", "pam_permit.so", answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 2);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Enter new password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The module behind is not in the dark: it knows the current one, too. */
START_TEST(test_password_current_one_is_left_for_those_behind)
{
    start_stack("changer", "", module_with("use_first_pass use_authtok"), good);
    /* Its own change is tried with what is not right any more. */
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_AUTHTOK_RECOVERY_ERR);
    ck_assert_uint_eq(stack_prompts(&stack), 3);
    stack_end(&stack, PAM_SUCCESS);
    check_changed();
}
END_TEST

/* A change that has failed leaves the new one to those behind, or does not. */
START_TEST(test_password_clear_on_fail_takes_the_new_one_back)
{
    static const char *const answers[] = {OLD, "short", "short", NULL};

    common_kadmin("addpol -minlength 8 strict");
    common_kadmin("modprinc -policy strict changer");
    start_stack("changer", _i == 0 ? "" : "clear_on_fail",
                module_with("use_first_pass use_authtok"), answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_AUTHTOK_ERR);
    /* The second line has asked for nothing. */
    ck_assert_uint_eq(stack_prompts(&stack), 3);
    ck_assert(common_logged(LOG_INFO, "no answer from the user") == (_i == 1));
    stack_end(&stack, PAM_AUTHTOK_ERR);
    common_kadmin("modprinc -clearpolicy changer");
    ck_assert(realm_admin("delpol -force strict"));
}
END_TEST

/* try_first_pass asks once more, use_first_pass does not. */
START_TEST(test_password_stacked_current_one_that_is_wrong)
{
    static const char *const answers[] = {"wrong", OLD, NEW, NEW, NULL};
    bool asks = _i == 0;

    start_stack("changer", "",
                module_with(asks ? "try_first_pass" : "use_first_pass"),
                answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_AUTHTOK_RECOVERY_ERR);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Current Kerberos password: ");
    if (asks) {
        check_shown(1, PAM_PROMPT_ECHO_OFF, "Current Kerberos password: ");
        check_shown(2, PAM_PROMPT_ECHO_OFF, "Enter new Kerberos password: ");
    }
    ck_assert_uint_eq(stack_prompts(&stack), asks ? 4 : 1);
    stack_end(&stack, PAM_SUCCESS);
    /* The first line has changed it with what the second had asked for. */
    ck_assert(opens(asks ? NEW : OLD));
}
END_TEST

/* Whom the first half has refused is not asked for the same again. */
START_TEST(test_password_is_not_tried_twice)
{
    static const char *const answers[] = {"wrong", NEW, NEW, NULL};
    size_t before = common_kdc_log("PREAUTH_FAILED", "changer@");

    start_stack("changer", "", "pam_permit.so", answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 3);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Current Kerberos password: ");
    /* pam_permit stands for one that has a password to change. */
    check_shown(1, PAM_PROMPT_ECHO_OFF, "Enter new password: ");
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Retype new password: ");
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(common_kdc_log("PREAUTH_FAILED", "changer@"), before + 1);
    check_unchanged();
}
END_TEST

START_TEST(test_password_of_a_local_user_is_for_those_behind)
{
    static const char *const answers[] = {"local", NEW, NEW, NULL};

    start_stack("nobody-here", "", "pam_permit.so", answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 3);
    check_shown(1, PAM_PROMPT_ECHO_OFF, "Enter new password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The host wants that which has expired, and it is not ours. */
START_TEST(test_password_that_has_not_expired_is_left)
{
    static const char *const answers[] = {NEW, NEW, NULL};

    start_stack("changer", "", "pam_permit.so", answers);
    EXPECT(pam_chauthtok(stack.handle, PAM_CHANGE_EXPIRED_AUTHTOK),
           PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 2);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Enter new password: ");
    stack_end(&stack, PAM_SUCCESS);
    check_unchanged();
}
END_TEST

/* In an auth line it is another name of force_first_pass, as with pam_krb5. */
START_TEST(test_password_use_authtok_in_an_auth_line)
{
    common_start(&stack, "changer", "use_authtok", good);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 0);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Passwords that have expired, at login. */

#define TOLD "Password expired.  You must change it now."

static void
expire(void)
{
    common_kadmin("modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" changer");
}

static void
begin_expired(void)
{
    begin();
    expire();
}

static int
log_in(const char *arguments, const char *const *answers)
{
    common_start(&stack, "changer", arguments, answers);
    return pam_authenticate(stack.handle, 0);
}

START_TEST(test_password_that_has_expired_is_changed_at_login)
{
    EXPECT(log_in("debug", good), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 4);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Password: ");
    check_shown(1, PAM_TEXT_INFO, TOLD);
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Enter new password: ");
    check_shown(3, PAM_PROMPT_ECHO_OFF, "Enter it again: ");
    ck_assert(common_logged(LOG_INFO, "authenticated as changer@PAM.TEST"));
    ck_assert(!stack_logged(OLD) && !stack_logged(NEW));
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    check_changed();
}
END_TEST

START_TEST(test_password_that_has_expired_is_not_told_where_silent)
{
    EXPECT(log_in("silent", good), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 3);
    stack_end(&stack, PAM_SUCCESS);
    check_changed();
}
END_TEST

/* Nobody learns that it has expired, who does not know it. */
START_TEST(test_password_that_has_expired_and_is_wrong)
{
    EXPECT(log_in("", wrong_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert(common_logged(LOG_INFO, "wrong password"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_password_that_has_expired_is_mistyped)
{
    static const char *const twice[] = {OLD, NEW, "a", NEW,
                                        "b", NEW, NEW, NULL};
    static const char *const always[] = {OLD, NEW, "a", NEW, "b",
                                         NEW, "c", NEW, NEW, NULL};

    EXPECT(log_in("", _i == 0 ? twice : always),
           _i == 0 ? PAM_SUCCESS : PAM_AUTH_ERR);
    check_shown(4, PAM_TEXT_INFO, "Password mismatch.  Please try again.");
    ck_assert_uint_eq(stack_prompts(&stack), 7);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(opens(NEW) == (_i == 0));
}
END_TEST

START_TEST(test_password_that_has_expired_for_one_that_is_rejected)
{
    static const char *const answers[] = {OLD, "short", "short",
                                          NEW, NEW,     NULL};

    common_kadmin("addpol -minlength 8 strict");
    common_kadmin("modprinc -policy strict changer");
    expire();
    EXPECT(log_in("", answers), PAM_SUCCESS);
    ck_assert_msg(strstr(stack_text(&stack, 4), "too short") != NULL, "%s",
                  stack_text(&stack, 4));
    stack_end(&stack, PAM_SUCCESS);
    check_changed();
    common_kadmin("modprinc -clearpolicy changer");
    ck_assert(realm_admin("delpol -force strict"));
}
END_TEST

START_TEST(test_password_that_has_expired_and_no_new_one)
{
    static const char *const answers[] = {OLD, NULL};

    EXPECT(log_in("", answers), PAM_AUTH_ERR);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* sshd answers each question with the one password that it has. */
START_TEST(test_password_that_has_expired_is_not_its_own_successor)
{
    static const char *const answers[] = {OLD, OLD, OLD, NULL};

    EXPECT(log_in(_i == 0 ? "" : "force_pwchange", answers), PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_INFO, "the new password is the old one"));
    ck_assert_uint_eq(stack_prompts(&stack), 3);
    stack_end(&stack, PAM_AUTH_ERR);
    /* It still has expired. */
    EXPECT(log_in("fail_pwchange", good), PAM_AUTH_ERR);
    ck_assert_ptr_nonnull(strstr(stack_text(&stack, 1), "has expired"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_password_that_has_expired_for_an_empty_one)
{
    static const char *const answers[] = {OLD, "", "", NEW, NEW, NULL};

    EXPECT(log_in("", answers), PAM_SUCCESS);
    check_shown(4, PAM_TEXT_INFO, "Password mismatch.  Please try again.");
    stack_end(&stack, PAM_SUCCESS);
    check_changed();
}
END_TEST

START_TEST(test_password_that_has_expired_and_is_stacked)
{
    static const char *const answers[] = {NEW, NEW, NULL};

    NEEDS_ROOT();
    common_start_stored(&stack, "changer", OLD, "use_first_pass", answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(common_password_prompts(&stack), 2);
    stack_end(&stack, PAM_SUCCESS);
    check_changed();
}
END_TEST

START_TEST(test_password_that_has_expired_fails_where_so_wanted)
{
    EXPECT(log_in("fail_pwchange", good), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 2);
    ck_assert_ptr_nonnull(strstr(stack_text(&stack, 1), "has expired"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_password_that_has_expired_is_changed_as_in_a_password_line)
{
    static const char *const mistyped[] = {OLD, NEW, "a", NULL};

    EXPECT(log_in("force_pwchange", _i == 0 ? good : mistyped),
           _i == 0 ? PAM_SUCCESS : PAM_AUTH_ERR);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Password: ");
    check_shown(1, PAM_PROMPT_ECHO_OFF, "Enter new Kerberos password: ");
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Retype new Kerberos password: ");
    ck_assert_uint_eq(stack.shown_count, _i == 0 ? 3 : 4);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(opens(NEW) == (_i == 0));
}
END_TEST

/* Left to the host (defer_pwchange): of carol, who has an account. */

#define CAROL "carol-password"

static void
begin_deferred(void)
{
    common_kadmin("modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" carol");
}

static void
end_deferred(void)
{
    (void)realm_admin("cpw -pw " CAROL " carol");
    (void)realm_admin("modprinc -pwexpire never carol");
    (void)unlink("/tmp/home/carol/.k5login");
}

static int
log_in_deferred(const char *const *answers)
{
    common_start(&stack, "carol", "defer_pwchange", answers);
    return pam_authenticate(stack.handle, 0);
}

/* As a host does that does all that pam_acct_mgmt(3) wants of it. */
START_TEST(test_password_deferred_change_is_the_hosts)
{
    static const char *const answers[] = {CAROL, CAROL, NEW, NEW, NULL};

    NEEDS_ROOT();
    EXPECT(log_in_deferred(answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert(common_logged(LOG_NOTICE, "whose password has expired"));
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_NEW_AUTHTOK_REQD);
    EXPECT(pam_chauthtok(stack.handle, PAM_CHANGE_EXPIRED_AUTHTOK),
           PAM_SUCCESS);
    check_shown(1, PAM_TEXT_INFO, TOLD);
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Current Kerberos password: ");
    check_shown(3, PAM_PROMPT_ECHO_OFF, "Enter new Kerberos password: ");
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(pam_open_session(stack.handle, 0), PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "carol");
    ck_assert_str_eq(common_look(common_cache(&stack), "carol").principal,
                     "carol@PAM.TEST");
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A host that does not ask, or does not care: a session without tickets. */
START_TEST(test_password_deferred_change_that_nobody_asks_for)
{
    static const char *const answers[] = {CAROL, NULL};

    NEEDS_ROOT();
    EXPECT(log_in_deferred(answers), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(pam_open_session(stack.handle, 0), PAM_IGNORE);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_password_deferred_change_that_comes_to_nothing)
{
    static const char *const answers[] = {CAROL, CAROL, NEW, "other", NULL};

    NEEDS_ROOT();
    EXPECT(log_in_deferred(answers), PAM_SUCCESS);
    EXPECT(pam_chauthtok(stack.handle, PAM_CHANGE_EXPIRED_AUTHTOK),
           PAM_AUTHTOK_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_NEW_AUTHTOK_REQD);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_password_deferred_change_needs_the_right_one)
{
    EXPECT(log_in_deferred(wrong_answers), PAM_AUTH_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_IGNORE);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_password_deferred_change_is_authorized)
{
    static const char *const answers[] = {CAROL, NULL};

    NEEDS_ROOT();
    common_k5login("carol", "bob@PAM.TEST\n");
    EXPECT(log_in_deferred(answers), PAM_AUTH_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_PERM_DENIED);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* sudo's: the handle is another user's meanwhile. */
START_TEST(test_password_deferred_change_is_of_its_user)
{
    static const char *const answers[] = {CAROL, NULL};

    EXPECT(log_in_deferred(answers), PAM_SUCCESS);
    EXPECT(pam_set_item(stack.handle, PAM_USER, "alice"), PAM_SUCCESS);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_IGNORE);
    stack_script(&stack, no_answers);
    EXPECT(pam_chauthtok(stack.handle, PAM_CHANGE_EXPIRED_AUTHTOK), PAM_IGNORE);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The KDC that has the new password is not ours: no tickets, no login. */
START_TEST(test_password_deferred_change_ends_with_a_verified_kdc)
{
    static const char *const answers[] = {CAROL, CAROL, NEW, NEW, NULL};

    NEEDS_ROOT();
    EXPECT(log_in_deferred(answers), PAM_SUCCESS);
    common_kadmin("addprinc -randkey host/stale.test");
    common_kadmin("ktadd -k /tmp/home/stale.keytab host/stale.test");
    common_kadmin("cpw -randkey host/stale.test");
    ck_assert_int_eq(setenv("KRB5_KTNAME", "/tmp/home/stale.keytab", 1), 0);
    EXPECT(pam_chauthtok(stack.handle, PAM_CHANGE_EXPIRED_AUTHTOK),
           PAM_AUTHTOK_ERR);
    ck_assert(common_logged(LOG_ALERT, "no tickets for the new password"));
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_NEW_AUTHTOK_REQD);
    common_kadmin("delprinc -force host/stale.test");
    ck_assert_int_eq(unlink("/tmp/home/stale.keytab"), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/*
 * PAM_USER is a principal, and the expired password that of another who may log
 * in as its user: that user it becomes, and nobody else.
 */
START_TEST(test_password_deferred_change_leaves_the_user_who_he_is)
{
    static const char *const answers[] = {CAROL, CAROL, NEW, NEW, NULL};
    const void *user = NULL;

    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\ncarol@PAM.TEST\n");
    common_start(&stack, "alice@PAM.TEST", "defer_pwchange search_k5login",
                 answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_chauthtok(stack.handle, PAM_CHANGE_EXPIRED_AUTHTOK),
           PAM_SUCCESS);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_get_item(stack.handle, PAM_USER, &user), PAM_SUCCESS);
    ck_assert_str_eq(user, "alice");
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "alice");
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_int_eq(unlink("/tmp/home/alice/.k5login"), 0);
}
END_TEST

static void
add_deferred(Suite *suite)
{
    TCase *tcase = common_case(suite, "deferred");

    tcase_add_checked_fixture(tcase, begin_deferred, end_deferred);
    tcase_add_test(tcase, test_password_deferred_change_is_the_hosts);
    tcase_add_test(tcase, test_password_deferred_change_that_nobody_asks_for);
    tcase_add_test(tcase, test_password_deferred_change_that_comes_to_nothing);
    tcase_add_test(tcase, test_password_deferred_change_needs_the_right_one);
    tcase_add_test(tcase, test_password_deferred_change_is_authorized);
    tcase_add_test(tcase, test_password_deferred_change_is_of_its_user);
    tcase_add_test(tcase,
                   test_password_deferred_change_ends_with_a_verified_kdc);
    tcase_add_test(tcase,
                   test_password_deferred_change_leaves_the_user_who_he_is);
}

static void
add_expired(Suite *suite)
{
    TCase *tcase = common_case(suite, "expired");

    tcase_add_checked_fixture(tcase, begin_expired, end);
    tcase_add_test(tcase, test_password_that_has_expired_is_changed_at_login);
    tcase_add_test(tcase,
                   test_password_that_has_expired_is_not_told_where_silent);
    tcase_add_test(tcase, test_password_that_has_expired_and_is_wrong);
    tcase_add_loop_test(tcase, test_password_that_has_expired_is_mistyped, 0,
                        2);
    tcase_add_test(tcase,
                   test_password_that_has_expired_for_one_that_is_rejected);
    tcase_add_test(tcase, test_password_that_has_expired_and_no_new_one);
    tcase_add_loop_test(
        tcase, test_password_that_has_expired_is_not_its_own_successor, 0, 2);
    tcase_add_test(tcase, test_password_that_has_expired_for_an_empty_one);
    tcase_add_test(tcase, test_password_that_has_expired_and_is_stacked);
    tcase_add_test(tcase, test_password_that_has_expired_fails_where_so_wanted);
    tcase_add_loop_test(
        tcase, test_password_that_has_expired_is_changed_as_in_a_password_line,
        0, 2);
}

int
main(void)
{
    Suite *suite = suite_create("password");
    TCase *tcase = common_case(suite, "change");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, test_password_is_changed);
    tcase_add_loop_test(tcase, test_password_banner_is_in_the_prompts, 0, 2);
    tcase_add_test(tcase, test_password_wrong_current_one_is_told_at_once);
    tcase_add_test(tcase, test_password_of_an_unknown_principal);
    tcase_add_test(tcase, test_password_without_a_kdc);
    tcase_add_test(tcase, test_password_without_a_server_for_changes);
    tcase_add_loop_test(tcase, test_password_that_is_mistyped_is_not_taken, 0,
                        2);
    tcase_add_test(tcase, test_password_that_the_realm_rejects);
    tcase_add_loop_test(
        tcase, test_password_that_another_server_rejects, 0,
        (int)(sizeof(answers_of_others) / sizeof(answers_of_others[0])));
    tcase_add_test(tcase, test_password_that_another_server_takes);
    tcase_add_loop_test(tcase, test_password_that_is_none, 0, 3);
    tcase_add_test(tcase, test_password_of_511_characters_is_taken);
    tcase_add_test(tcase, test_password_without_a_conversation);
    tcase_add_test(tcase, test_password_use_authtok_without_one_fails);
    tcase_add_test(tcase, test_password_ignored_user_is_asked_for_those_behind);
    tcase_add_test(tcase, test_password_user_whom_krb5_conf_ignores);
    tcase_add_test(tcase, test_password_current_one_is_left_for_those_behind);
    tcase_add_loop_test(
        tcase, test_password_clear_on_fail_takes_the_new_one_back, 0, 2);
    tcase_add_loop_test(tcase, test_password_stacked_current_one_that_is_wrong,
                        0, 2);
    tcase_add_test(tcase, test_password_is_not_tried_twice);
    tcase_add_test(tcase, test_password_of_a_local_user_is_for_those_behind);
    tcase_add_test(tcase, test_password_that_has_not_expired_is_left);
    tcase_add_test(tcase, test_password_use_authtok_in_an_auth_line);
    add_expired(suite);
    add_deferred(suite);
    return suite_main(suite);
}
