/*
 * Preauthentication beside the plain password: armor (FAST), certificates
 * (PKINIT), one-time passwords.  Through the real libpam and a real KDC, which
 * here knows them all; a fault proxy makes it one that has not heard of FAST.
 *
 * What was really sent is read in libkrb5's trace.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/realm.h"

/* Where things are that only one account may read. */
#define PLACE "/tmp/home"
#define TRACE PLACE "/trace"
#define ARMOR PLACE "/armor"
#define TRACED "trace=" TRACE " "
#define ARMORED TRACED "fast_ccache=FILE:" ARMOR " "

/* What the trace says of an AS-REQ inside FAST, and of one that may be not. */
#define SAID_ARMORED "into FAST request"
#define SAID_REQUEST "Sending request"

/* How tickets are got: the password inside FAST and outside, and others. */
#define BY_CHALLENGE 138
#define BY_TIMESTAMP 2
#define BY_OTP 141
#define BY_PKINIT 16

static struct stack stack;

static const char *const token_answers[] = {"token-otp", NULL};
static const char *const expired_answers[] = {"expired-password", "fresh-one",
                                              "fresh-one", NULL};

/* Runs FORMAT as a shell command of root's, whose result must be 0. */
static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
run(const char *format, ...)
{
    char command[2048];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void
setup(void)
{
    common_setup();
    if (geteuid() == 0) {
        run("rm -rf " TRACE " " ARMOR " " PLACE "/pki");
        (void)realm_fault("none");
    }
}

static TCase *
add_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);

    tcase_add_checked_fixture(tcase, setup, common_teardown);
    return tcase;
}

/* A cache of the host's own tickets at ARMOR, root's alone. */
static void
make_armor(const char *more)
{
    run("kinit -k -t \"$KRB5_KTNAME\" -c FILE:" ARMOR
        " %s \"$REALM_HOST_PRINCIPAL\" && test `stat -c %%u%%a " ARMOR
        "` = 0600",
        more);
}

static int
authenticate(const char *user, const char *arguments,
             const char *const *answers)
{
    (void)unlink(TRACE);
    common_start(&stack, user, arguments, answers);
    return pam_authenticate(stack.handle, 0);
}

/* How many lines of the trace say both. */
static size_t
traced_both(const char *text, const char *other)
{
    char line[4096];
    FILE *trace = fopen(TRACE, "r");
    size_t count = 0;

    ck_assert_ptr_nonnull(trace);
    while (fgets(line, sizeof(line), trace) != NULL) {
        count += strstr(line, text) != NULL && strstr(line, other) != NULL;
    }
    (void)fclose(trace);
    return count;
}

static size_t
traced(const char *text)
{
    return traced_both(text, "");
}

/* Of how many helper's processes the file that is mapped ends in NAME. */
static int
count_processes_with(const char *name)
{
    FILE *count = NULL;
    char command[256];
    int number = -1;

    (void)snprintf(command, sizeof(command),
                   "grep -lx krb5cc-helper /proc/[0-9]*/comm | "
                   "while read p; do grep -q '%s$' ${p%%comm}maps && "
                   "echo; done | wc -l",
                   name);
    count = popen(command, "re");
    ck_assert_ptr_nonnull(count);
    ck_assert_int_eq(fscanf(count, "%d", &number), 1);
    ck_assert_int_eq(pclose(count), 0);
    return number;
}

/* How many tickets for a password, or what is in its place, were got BY. */
static size_t
got(int by)
{
    char text[64];

    (void)snprintf(text, sizeof(text), ": pa_type: %d\n", by);
    return traced_both("Storing config", text);
}

static void
check_shown(size_t n, int style, const char *text)
{
    ck_assert_str_eq(stack_text(&stack, n), text);
    ck_assert_int_eq(stack.shown[n].style, style);
}

/*
 * A stack of two lines, the second of which takes what the first has left as
 * PAM_AUTHTOK: its code, after a login of USER with ARGUMENTS and ANSWERS.
 */
static int
authenticate_behind(const char *user, const char *arguments,
                    const char *const *answers)
{
    char lines[4096];

    (void)snprintf(lines, sizeof(lines),
                   "auth [default=ignore] %%m helper=%s %s\n"
                   "auth [default=die success=ok] %%m helper=%s "
                   "force_first_pass\n",
                   stack_helper(), arguments, stack_helper());
    (void)unlink(TRACE);
    stack_start_service(&stack, user, lines, answers);
    stack_log_clear();
    return pam_authenticate(stack.handle, 0);
}

/* The login works, and what was typed is nothing for the modules behind. */
static void
check_not_handed_on(const char *user, const char *arguments,
                    const char *const *answers)
{
    EXPECT(authenticate_behind(user, arguments, answers), PAM_AUTH_ERR);
    ck_assert_msg(common_logged(LOG_INFO, "authenticated as"), "%s",
                  stack_log());
    ck_assert_msg(common_logged(LOG_INFO, "no stacked password"), "%s",
                  stack_log());
    stack_end(&stack, PAM_AUTH_ERR);
}

/* The login works, and so does the password behind it. */
static void
check_handed_on(const char *arguments, const char *const *answers)
{
    EXPECT(authenticate_behind("alice", arguments, answers), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}

/* The login had armor, and asked what every login asks. */
static void
check_armored(void)
{
    ck_assert_uint_eq(got(BY_CHALLENGE), 1);
    ck_assert_uint_eq(got(BY_TIMESTAMP), 0);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Password: ");
    ck_assert(!stack_logged("FAST"));
}

/* The login succeeded without, and the log says so. */
static void
check_bare(const char *text)
{
    ck_assert_uint_eq(got(BY_TIMESTAMP), 1);
    ck_assert_uint_eq(got(BY_CHALLENGE), 0);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Password: ");
    ck_assert_msg(common_logged(LOG_NOTICE, text), "%s", stack_log());
    ck_assert_uint_eq(common_log_count(LOG_NOTICE), 1);
}

/* Armor. */

START_TEST(test_preauth_fast_ccache_of_root_armors_the_login)
{
    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    check_armored();
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* What a cache of kinit -n has is as good. */
START_TEST(test_preauth_fast_ccache_of_nobody_armors_the_login)
{
    NEEDS_ROOT();
    run("kinit -n -c FILE:" ARMOR);
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    check_armored();
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_without_armor_none_is_used)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", TRACED, alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(got(BY_TIMESTAMP), 1);
    ck_assert_uint_eq(got(BY_CHALLENGE), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The KDC need not say first that it knows FAST. */
START_TEST(test_preauth_no_request_leaves_without_armor)
{
    size_t requests = 0;

    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate("alice", ARMORED "keytab=FILE:/nonexistent ",
                        alice_answers),
           PAM_SUCCESS);
    requests = traced(SAID_REQUEST);
    ck_assert_uint_eq(requests, 2);
    ck_assert_uint_eq(traced(SAID_ARMORED), requests);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_wrong_password_in_armor_is_one_failure)
{
    size_t before = common_kdc_log("PREAUTH_FAILED", "bob@");

    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate("bob", ARMORED, wrong_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_kdc_log("PREAUTH_FAILED", "bob@"), before + 1);
    ck_assert_uint_eq(traced(SAID_ARMORED), traced(SAID_REQUEST));
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_preauth_wrong_stacked_password_in_armor_is_one_failure)
{
    size_t before = common_kdc_log("PREAUTH_FAILED", "bob@");

    NEEDS_ROOT();
    make_armor("");
    common_start_stored(&stack, "bob", "wrong", ARMORED "use_first_pass",
                        no_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_kdc_log("PREAUTH_FAILED", "bob@"), before + 1);
    ck_assert(!stack_logged("FAST"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Of this principal the KDC wants no proof: libkrb5 finds out by itself. */
START_TEST(test_preauth_wrong_password_is_no_fault_of_the_armor)
{
    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate("nopreauth", ARMORED, wrong_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    ck_assert_uint_eq(traced(SAID_ARMORED), traced(SAID_REQUEST));
    ck_assert_msg(!stack_logged("FAST"), "%s", stack_log());
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_preauth_unknown_principal_in_armor_is_asked)
{
    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate("mypassword1", ARMORED, wrong_answers),
           PAM_USER_UNKNOWN);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    ck_assert_uint_eq(traced(SAID_ARMORED), traced(SAID_REQUEST));
    ck_assert(!stack_logged("FAST"));
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

START_TEST(test_preauth_missing_armor_is_said_and_done_without)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    check_bare("no FAST with fast_ccache");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_armor_that_is_no_cache_is_said_and_done_without)
{
    NEEDS_ROOT();
    common_write(ARMOR, "root:x:0:0\n", 0, 0600);
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    check_bare("no FAST with fast_ccache");
    ck_assert(!stack_logged("root:x"));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_armor_of_an_unknown_kind_is_said_and_done_without)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", TRACED "fast_ccache=NOKIND:x ", alice_answers),
           PAM_SUCCESS);
    check_bare("no FAST with fast_ccache");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_expired_armor_is_said_and_done_without)
{
    NEEDS_ROOT();
    make_armor("-l 1s");
    common_wait_until_after((int64_t)time(NULL) + 1);
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    check_bare("no FAST with fast_ccache");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The KDC has another key by now, and nothing of the old one. */
START_TEST(test_preauth_armor_that_the_kdc_refuses_is_said_and_done_without)
{
    NEEDS_ROOT();
    make_armor("");
    common_kadmin("cpw -randkey krbtgt/PAM.TEST");
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    check_bare("does not take part in FAST");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_kdc_without_fast_is_said_and_done_without)
{
    NEEDS_ROOT();
    make_armor("");
    (void)realm_fault("nofast");
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    (void)realm_fault("none");
    check_bare("does not take part in FAST");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_kdc_without_fast_gets_one_wrong_password)
{
    size_t before = common_kdc_log("PREAUTH_FAILED", "bob@");

    NEEDS_ROOT();
    make_armor("");
    (void)realm_fault("nofast");
    EXPECT(authenticate("bob", ARMORED, wrong_answers), PAM_AUTH_ERR);
    (void)realm_fault("none");
    ck_assert_uint_eq(common_kdc_log("PREAUTH_FAILED", "bob@"), before + 1);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* What klist shows of the session's cache, on lines that contain TEXT. */
static size_t
listed(const char *text)
{
    char command[512];
    char line[1024];
    FILE *list = NULL;
    size_t count = 0;

    (void)snprintf(command, sizeof(command), "klist -A -c '%s' 2>&1",
                   common_cache(&stack));
    list = popen(command, "r");
    ck_assert_ptr_nonnull(list);
    while (fgets(line, sizeof(line), list) != NULL) {
        count += strstr(line, text) != NULL;
    }
    (void)pclose(list);
    return count;
}

/* Only the user's own TGT is in the cache. */
static void
check_cache(void)
{
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_nonnull(common_cache(&stack));
    ck_assert_uint_eq(listed("krbtgt/"), 1);
    ck_assert_uint_eq(listed("Default principal: alice@PAM.TEST"), 1);
    ck_assert_uint_eq(listed("host/"), 0);
    ck_assert_uint_eq(listed("ANONYMOUS"), 0);
}

START_TEST(test_preauth_armor_stays_out_of_the_session)
{
    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate("alice", ARMORED, alice_answers), PAM_SUCCESS);
    check_cache();
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_anonymous_armor_armors_the_login)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", TRACED "anon_fast", alice_answers),
           PAM_SUCCESS);
    check_armored();
    check_cache();
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_anonymous_armor_takes_the_place_of_missing_armor)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", ARMORED "anon_fast", alice_answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(got(BY_CHALLENGE), 1);
    ck_assert(common_logged(LOG_NOTICE, "no FAST with fast_ccache"));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_anonymous_armor_that_cannot_be_had_is_done_without)
{
    NEEDS_ROOT();
    common_kadmin("modprinc -allow_tix WELLKNOWN/ANONYMOUS");
    EXPECT(authenticate("alice", TRACED "anon_fast", alice_answers),
           PAM_SUCCESS);
    common_kadmin("modprinc +allow_tix WELLKNOWN/ANONYMOUS");
    check_bare("no FAST with anon_fast");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

static void
restore_expired(void)
{
    common_kadmin("cpw -pw expired-password expired");
    common_kadmin("modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" expired");
}

START_TEST(test_preauth_expired_password_is_changed_in_armor)
{
    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate("expired", ARMORED "keytab=FILE:/nonexistent",
                        expired_answers),
           PAM_SUCCESS);
    restore_expired();
    /* A ticket for the change, and a TGT. */
    ck_assert_uint_eq(got(BY_CHALLENGE), 2);
    ck_assert_uint_eq(got(BY_TIMESTAMP), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_password_is_changed_in_armor)
{
    static const char *const answers[] = {"changer-password", "fresh-one",
                                          "fresh-one", NULL};

    NEEDS_ROOT();
    make_armor("");
    common_kadmin("addprinc -pw changer-password -clearpolicy "
                  "+requires_preauth changer");
    (void)unlink(TRACE);
    common_start(&stack, "changer", ARMORED, answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    (void)realm_admin("delprinc -force changer");
    /* Both halves: a ticket to try the old one, a ticket for the change. */
    ck_assert_uint_eq(got(BY_CHALLENGE), 2);
    ck_assert_uint_eq(got(BY_TIMESTAMP), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A host that is alice's, such as her screen locker. */

static int
authenticate_in_child(void *data)
{
    const char *const *answers = data;

    stack_script(&stack, answers);
    return pam_authenticate(stack.handle, 0);
}

/* Authenticates in one, whose log and trace are its own. */
static int
authenticate_as_alice(const char *arguments, const char *const *answers)
{
    uid_t uid = common_uid("alice");
    char all[1024];
    int code = PAM_SUCCESS;

    (void)snprintf(all, sizeof(all), "trace=" PLACE "/alice/trace %s",
                   arguments);
    common_start(&stack, "alice", all, no_answers);
    code = common_in_child((struct ids){uid, uid, uid}, uid,
                           authenticate_in_child, (void *)(uintptr_t)answers);
    stack_end(&stack, code);
    run("mv " PLACE "/alice/trace " TRACE);
    return code;
}

START_TEST(test_preauth_armor_of_root_is_none_in_a_host_of_the_user)
{
    NEEDS_ROOT();
    make_armor("");
    EXPECT(authenticate_as_alice("fast_ccache=FILE:" ARMOR, alice_answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(got(BY_TIMESTAMP), 1);
}
END_TEST

START_TEST(test_preauth_armor_of_the_user_in_a_host_of_the_user)
{
    NEEDS_ROOT();
    make_armor("");
    run("chown alice " ARMOR);
    EXPECT(authenticate_as_alice("fast_ccache=FILE:" ARMOR, alice_answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(got(BY_CHALLENGE), 1);
}
END_TEST

/* Whose name is nobody's gets tickets from the KDC without any proof. */
static void
check_anonymous_is_nobody(const char *arguments)
{
    NEEDS_ROOT();
    EXPECT(authenticate("WELLKNOWN/ANONYMOUS", arguments, wrong_answers),
           PAM_AUTH_ERR);
    ck_assert_msg(common_logged(LOG_ALERT, ""), "%s", stack_log());
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_AUTH_ERR);
}

START_TEST(test_preauth_anonymous_user_is_nobody)
{
    check_anonymous_is_nobody("try_pkinit ");
}
END_TEST

/* No AP-REQ of anonymous tickets is looked at then. */
START_TEST(test_preauth_anonymous_user_is_nobody_without_a_keytab)
{
    check_anonymous_is_nobody("use_pkinit ignore_k5login "
                              "keytab=FILE:/nonexistent");
}
END_TEST

/* Nor is the name another's that may be another's. */
START_TEST(test_preauth_anonymous_user_is_nobody_by_any_name)
{
    NEEDS_ROOT();
    common_config("[libdefaults]\ncanonicalize = true\n");
    check_anonymous_is_nobody("try_pkinit keytab=FILE:/nonexistent");
    ck_assert(stack_logged("not those asked for"));
}
END_TEST

/* One-time passwords. */

#define OTP_PROMPT "Enter OTP Token Value: "

static void
check_otp(const char *arguments)
{
    NEEDS_ROOT();
    EXPECT(authenticate("token", arguments, token_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, OTP_PROMPT);
    ck_assert_uint_eq(got(BY_OTP), 1);
    stack_end(&stack, PAM_SUCCESS);
}

START_TEST(test_preauth_otp_in_the_hosts_armor_succeeds)
{
    NEEDS_ROOT();
    make_armor("");
    check_otp(ARMORED);
}
END_TEST

START_TEST(test_preauth_otp_in_anonymous_armor_succeeds)
{
    check_otp(TRACED "anon_fast");
}
END_TEST

START_TEST(test_preauth_otp_is_not_handed_on)
{
    NEEDS_ROOT();
    check_not_handed_on("token", "anon_fast", token_answers);
}
END_TEST

START_TEST(test_preauth_wrong_otp_fails)
{
    NEEDS_ROOT();
    EXPECT(authenticate("token", "anon_fast", wrong_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert(common_logged(LOG_INFO, "wrong password"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_preauth_otp_without_armor_cannot_be)
{
    NEEDS_ROOT();
    EXPECT(authenticate("token", "", token_answers), PAM_AUTH_ERR);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* A password that lies there for other modules is not sent as a token's. */
START_TEST(test_preauth_stacked_password_is_no_otp)
{
    NEEDS_ROOT();
    common_start_stored(&stack, "token", "token-otp",
                        "anon_fast use_first_pass", wrong_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    /* The first is libpam's, for the name. */
    ck_assert_uint_eq(stack.shown_count, 2);
    check_shown(1, PAM_PROMPT_ECHO_OFF, OTP_PROMPT);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* What plugins of libkrb5 say and ask (stack/chatty_preauth.c). */

static int
authenticate_chatty(const char *what, const char *const *answers)
{
    char arguments[128];

    run("cp " BUILT_CHATTY " " PLACE "/chatty.so && chmod 755 " PLACE
        "/chatty.so");
    common_config("[plugins]\nclpreauth = {\nmodule = chatty:" PLACE
                  "/chatty.so\n}\n");
    (void)snprintf(arguments, sizeof(arguments),
                   "try_pkinit preauth_opt=chatty=%s", what);
    return authenticate("alice", arguments, answers);
}

/* Words N and behind it are the plugin's, without what a terminal obeys. */
static void
check_words(size_t n)
{
    check_shown(n, PAM_TEXT_INFO, "The name");
    check_shown(n + 1, PAM_TEXT_INFO, "The banner[2J");
}

START_TEST(test_preauth_words_are_shown)
{
    NEEDS_ROOT();
    EXPECT(authenticate_chatty("words", alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 3);
    check_words(0);
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_questions_are_asked)
{
    static const char *const answers[] = {"one", "two", "alice-password", NULL};

    NEEDS_ROOT();
    EXPECT(authenticate_chatty("questions", answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 5);
    check_words(0);
    check_shown(2, PAM_PROMPT_ECHO_OFF, "Question: ");
    check_shown(3, PAM_PROMPT_ECHO_ON, "Question: ");
    check_shown(4, PAM_PROMPT_ECHO_OFF, "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_too_many_questions_are_not_asked)
{
    NEEDS_ROOT();
    EXPECT(authenticate_chatty("many", alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack_prompts(&stack), 1);
    check_shown(stack.shown_count - 1, PAM_PROMPT_ECHO_OFF, "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_endless_questions_end)
{
    static const char *const answers[] = {"1", "2", "3", "4", "5",
                                          "6", "7", "8", "9", NULL};

    NEEDS_ROOT();
    EXPECT(authenticate_chatty("endless", answers), PAM_AUTH_ERR);
    /* Each word and each question is one conversation. */
    ck_assert_uint_eq(stack.shown_count, 16);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Certificates. */

/*
 * PLACE/pki with copies of the realm's files NAME.*, their keys those of OWNER
 * and of mode MODE.
 */
static void
install(const char *name, const char *owner, int mode)
{
    run("mkdir -p " PLACE "/pki && cp \"$REALM_DIR\"/pki/%s.* " PLACE
        "/pki && chown %s " PLACE "/pki/%s.key " PLACE "/pki/%s.p12 && "
        "chmod %o " PLACE "/pki/%s.key " PLACE "/pki/%s.p12",
        name, owner, name, name, (unsigned int)mode, name, name);
}

#define CERTIFICATE(name)                                                      \
    "pkinit_user=FILE:" PLACE "/pki/" name ".pem," PLACE "/pki/" name ".key "
#define PKCS12(name) "pkinit_user=PKCS12:" PLACE "/pki/" name ".p12 "
#define PIN_PROMPT "Pass phrase for " PLACE "/pki/alice.p12: "

/* Nothing was said before word N, which is the last: that it did not work. */
static void
check_failed(size_t n)
{
    ck_assert_uint_eq(stack.shown_count, n + 1);
    check_shown(n, PAM_TEXT_INFO, "PKINIT failed");
    stack_end(&stack, PAM_AUTH_ERR);
}

/* Nobody was asked for anything, and the certificate was it. */
static void
check_certificate(const char *arguments)
{
    EXPECT(authenticate("alice", arguments, no_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 0);
    ck_assert_uint_eq(got(BY_PKINIT), 1);
    ck_assert(
        common_logged(LOG_INFO, "user alice authenticated as alice@PAM.TEST"));
    check_cache();
    stack_end(&stack, PAM_SUCCESS);
}

START_TEST(test_preauth_certificate_is_tried)
{
    NEEDS_ROOT();
    install("alice", "root", 0644);
    check_certificate(TRACED "try_pkinit " CERTIFICATE("alice"));
}
END_TEST

START_TEST(test_preauth_certificate_is_insisted_on)
{
    NEEDS_ROOT();
    install("alice", "root", 0644);
    check_certificate(TRACED "use_pkinit " CERTIFICATE("alice"));
}
END_TEST

START_TEST(test_preauth_certificate_in_armor)
{
    NEEDS_ROOT();
    install("alice", "root", 0644);
    make_armor("");
    EXPECT(authenticate(
               "alice",
               ARMORED
               "use_pkinit keytab=FILE:/nonexistent " CERTIFICATE("alice"),
               no_answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(got(BY_PKINIT), 1);
    ck_assert_uint_eq(traced(SAID_ARMORED), traced(SAID_REQUEST));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The exchange goes on as alice, who can. */
START_TEST(test_preauth_key_that_only_the_user_can_read_is_read)
{
    NEEDS_ROOT();
    install("alice", "alice", 0600);
    check_certificate(TRACED "use_pkinit " CERTIFICATE("alice"));
}
END_TEST

START_TEST(test_preauth_network_part_is_the_user_only_where_it_must)
{
    char line[64];

    NEEDS_ROOT();
    install("alice", "alice", 0600);
    check_certificate(TRACED "debug use_pkinit " CERTIFICATE("alice"));
    (void)snprintf(line, sizeof(line), "tickets as uid %u,",
                   (unsigned int)common_uid("alice"));
    ck_assert_msg(stack_logged(line), "%s", stack_log());
    install("alice", "alice", 0644);
    stack_log_clear();
    check_certificate(TRACED "debug use_pkinit " CERTIFICATE("alice"));
    ck_assert_msg(!stack_logged(line), "%s", stack_log());
}
END_TEST

START_TEST(test_preauth_key_of_another_user_is_not_read)
{
    NEEDS_ROOT();
    install("alice", "bob", 0600);
    EXPECT(
        authenticate("alice", "use_pkinit " CERTIFICATE("alice"), no_answers),
        PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_NOTICE, "nor the user can read"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_preauth_key_of_root_is_not_read_for_a_user)
{
    NEEDS_ROOT();
    install("alice", "root", 0600);
    EXPECT(
        authenticate("alice", "use_pkinit " CERTIFICATE("alice"), no_answers),
        PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_NOTICE, "nor the user can read"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Not even for root: what talks to the network is not to be root. */
START_TEST(test_preauth_key_of_root_is_not_read_for_root)
{
    NEEDS_ROOT();
    install("alice", "root", 0600);
    EXPECT(authenticate("root", "use_pkinit " CERTIFICATE("alice"), no_answers),
           PAM_USER_UNKNOWN);
    ck_assert(common_logged(LOG_NOTICE, "nor the user can read"));
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

START_TEST(test_preauth_key_that_nobody_can_read_leaves_the_password)
{
    NEEDS_ROOT();
    install("alice", "root", 0600);
    EXPECT(authenticate("alice", "try_pkinit " CERTIFICATE("alice"),
                        alice_answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_certificate_in_a_host_of_the_user)
{
    NEEDS_ROOT();
    install("alice", "alice", 0600);
    EXPECT(
        authenticate_as_alice("use_pkinit " CERTIFICATE("alice"), no_answers),
        PAM_SUCCESS);
    ck_assert_uint_eq(got(BY_PKINIT), 1);
}
END_TEST

/* Certificates that the KDC does not take, and a KDC that is not taken. */
static const char *const bad_certificates[] = {
    CERTIFICATE("bob"),
    CERTIFICATE("stranger"),
    CERTIFICATE("missing"),
    CERTIFICATE("alice") "pkinit_anchors=FILE:" PLACE "/pki/other-ca.pem ",
    "",
};

#define BAD_CERTIFICATES_COUNT                                                 \
    ((int)(sizeof(bad_certificates) / sizeof(bad_certificates[0])))

static void
install_all(void)
{
    run("cp -r \"$REALM_DIR\"/pki " PLACE);
}

START_TEST(test_preauth_bad_certificate_leaves_the_password)
{
    char arguments[512];

    NEEDS_ROOT();
    install_all();
    (void)snprintf(arguments, sizeof(arguments), "try_pkinit %s",
                   bad_certificates[_i]);
    EXPECT(authenticate("alice", arguments, alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Nor is the one that krb5.conf names taken for it once more. */
START_TEST(test_preauth_bad_certificate_of_krb5_conf_leaves_the_password)
{
    static const char *const arguments[] = {TRACED "try_pkinit",
                                            TRACED "try_pkinit anon_fast"};

    NEEDS_ROOT();
    install_all();
    common_config("[libdefaults]\nPAM.TEST = {\npkinit_identities = FILE:" PLACE
                  "/pki/bob.pem," PLACE "/pki/bob.key\n}\n");
    EXPECT(authenticate("alice", arguments[_i], alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Password: ");
    /* The armor. */
    ck_assert_uint_eq(got(BY_PKINIT), _i == 0 ? 0 : 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_bad_certificate_that_is_insisted_on_fails)
{
    char arguments[512];

    NEEDS_ROOT();
    install_all();
    (void)snprintf(arguments, sizeof(arguments), "use_pkinit %s",
                   bad_certificates[_i]);
    EXPECT(authenticate("alice", arguments, alice_answers), PAM_AUTH_ERR);
    check_failed(0);
}
END_TEST

/* A password is not taken in the place of a certificate, nor is a token. */
START_TEST(test_preauth_stacked_password_is_no_certificate)
{
    NEEDS_ROOT();
    common_start_stored(&stack, "alice", "alice-password",
                        "use_pkinit use_first_pass", no_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    /* The first is libpam's, for the name. */
    check_failed(1);
}
END_TEST

START_TEST(test_preauth_otp_is_no_certificate)
{
    NEEDS_ROOT();
    EXPECT(authenticate("token", "use_pkinit anon_fast", token_answers),
           PAM_AUTH_ERR);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_preauth_unknown_principal_without_certificate_is_not_asked)
{
    NEEDS_ROOT();
    EXPECT(authenticate("mypassword1", "use_pkinit", wrong_answers),
           PAM_USER_UNKNOWN);
    check_failed(0);
}
END_TEST

START_TEST(test_preauth_pin_is_asked_for)
{
    static const char *const answers[] = {"alice-pin", NULL};

    NEEDS_ROOT();
    install("alice", "alice", 0600);
    EXPECT(authenticate("alice", TRACED "use_pkinit " PKCS12("alice"), answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, PIN_PROMPT);
    ck_assert_uint_eq(got(BY_PKINIT), 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_pin_is_not_handed_on)
{
    static const char *const answers[] = {"", "alice-pin", NULL};

    NEEDS_ROOT();
    install("alice", "alice", 0600);
    check_not_handed_on("alice", "use_pkinit pkinit_prompt " PKCS12("alice"),
                        answers);
}
END_TEST

START_TEST(test_preauth_password_behind_a_wrong_pin_is_handed_on)
{
    static const char *const answers[] = {"wrong", "alice-password", NULL};

    NEEDS_ROOT();
    install("alice", "alice", 0600);
    check_handed_on("try_pkinit " PKCS12("alice"), answers);
}
END_TEST

START_TEST(test_preauth_wrong_pin_fails)
{
    NEEDS_ROOT();
    install("alice", "alice", 0600);
    EXPECT(authenticate("alice", "use_pkinit " PKCS12("alice"), wrong_answers),
           PAM_AUTH_ERR);
    check_failed(1);
}
END_TEST

START_TEST(test_preauth_wrong_pin_leaves_the_password)
{
    static const char *const answers[] = {"wrong", "alice-password", NULL};

    NEEDS_ROOT();
    install("alice", "alice", 0600);
    EXPECT(authenticate("alice", "try_pkinit " PKCS12("alice"), answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 2);
    check_shown(0, PAM_PROMPT_ECHO_OFF, PIN_PROMPT);
    check_shown(1, PAM_PROMPT_ECHO_OFF, "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Three exchanges, and libkrb5 wants to hear of an identity once. */
START_TEST(test_preauth_expired_password_beside_a_certificate)
{
    NEEDS_ROOT();
    install("alice", "root", 0644);
    EXPECT(authenticate("expired", "try_pkinit " CERTIFICATE("alice"),
                        expired_answers),
           PAM_SUCCESS);
    restore_expired();
    ck_assert_msg(!stack_logged("does not take the preauthentication option"),
                  "%s", stack_log());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_card_is_asked_for_where_it_must_be)
{
    static const char *const answers[] = {"whatever", NULL};

    NEEDS_ROOT();
    install("alice", "root", 0644);
    EXPECT(authenticate("alice",
                        "use_pkinit pkinit_prompt " CERTIFICATE("alice"),
                        answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Insert smart card and press Enter: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_card_is_asked_for_where_it_may_be)
{
    static const char *const answers[] = {"", "alice-password", NULL};

    NEEDS_ROOT();
    EXPECT(authenticate("alice", "try_pkinit pkinit_prompt", answers),
           PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 2);
    check_shown(0, PAM_PROMPT_ECHO_OFF,
                "Insert smart card if desired, then press Enter: ");
    check_shown(1, PAM_PROMPT_ECHO_OFF, "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_preauth_card_is_not_asked_for_without_pkinit)
{
    NEEDS_ROOT();
    EXPECT(authenticate("alice", "pkinit_prompt", alice_answers), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

#define OPTION_CERTIFICATE(name)                                               \
    "preauth_opt=X509_user_identity=FILE:" PLACE "/pki/" name ".pem," PLACE    \
    "/pki/" name ".key "

START_TEST(test_preauth_option_is_the_same_as_pkinit_user)
{
    NEEDS_ROOT();
    install("alice", "alice", 0600);
    check_certificate(TRACED "use_pkinit " OPTION_CERTIFICATE("alice"));
}
END_TEST

START_TEST(test_preauth_options_add_up_and_the_last_identity_counts)
{
    NEEDS_ROOT();
    install_all();
    check_certificate(
        TRACED
        "use_pkinit preauth_opt=flag_DSA_PROTOCOL=no "
        "pkinit_user=FILE:/nonexistent " OPTION_CERTIFICATE("bob")
            OPTION_CERTIFICATE("alice") "preauth_opt=X509_anchors=FILE:" PLACE
                                        "/pki/ca.pem");
}
END_TEST

START_TEST(test_preauth_options_of_krb5_conf_come_first)
{
    NEEDS_ROOT();
    install_all();
    common_config("[appdefaults]\npam = {\nuse_pkinit = true\n"
                  "preauth_opt = X509_user_identity=FILE:/nonexistent "
                  "X509_anchors=FILE:" PLACE "/pki/ca.pem\n}\n");
    check_certificate(TRACED OPTION_CERTIFICATE("alice"));
}
END_TEST

START_TEST(test_preauth_options_of_krb5_conf_stay_beside_arguments)
{
    NEEDS_ROOT();
    install_all();
    common_config("[appdefaults]\npam = {\nuse_pkinit = true\n"
                  "preauth_opt = X509_user_identity=FILE:" PLACE
                  "/pki/alice.pem," PLACE "/pki/alice.key\n}\n");
    check_certificate(TRACED "preauth_opt=flag_DSA_PROTOCOL=no");
}
END_TEST

START_TEST(test_preauth_identity_of_krb5_conf_is_the_users)
{
    NEEDS_ROOT();
    install("alice", "alice", 0600);
    common_config("[appdefaults]\npam = {\ntry_pkinit = true\n"
                  "pkinit_user = FILE:" PLACE "/pki/alice.pem," PLACE
                  "/pki/alice.key\n}\n");
    check_certificate(TRACED);
}
END_TEST

/* libkrb5 takes what its own relation names, without an option of ours. */
START_TEST(test_preauth_certificate_of_krb5_conf_needs_no_option)
{
    NEEDS_ROOT();
    install("alice", "root", 0644);
    common_config("[libdefaults]\nPAM.TEST = {\npkinit_identities = FILE:" PLACE
                  "/pki/alice.pem," PLACE "/pki/alice.key\n}\n");
    check_certificate(TRACED);
}
END_TEST

/* How many of the helper's processes have these libraries, at the prompt. */
static int have_pkinit;
static int have_spake;

static void
count_libraries(void *data)
{
    (void)data;
    have_pkinit = count_processes_with("/pkinit.so");
    have_spake = count_processes_with("/spake.so");
}

/* The plugins that were loaded for a login with LINES in krb5.conf. */
static void
look_at_libraries(const char *lines)
{
    have_pkinit = -1;
    have_spake = -1;
    common_config(lines);
    common_start(&stack, "alice", "", alice_answers);
    stack.before_answer = count_libraries;
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    /* The exchange, and no other; and it had loaded what it loads. */
    ck_assert_int_eq(have_spake, 1);
    stack_end(&stack, PAM_SUCCESS);
}

START_TEST(test_preauth_pkinit_is_loaded_only_where_it_is_wanted)
{
    NEEDS_ROOT();
    look_at_libraries("[libdefaults]\npkinit_anchors = FILE:/nonexistent\n");
    ck_assert_int_eq(have_pkinit, 0);
    look_at_libraries("[libdefaults]\npkinit_identities = FILE:/nonexistent\n");
    ck_assert_int_eq(have_pkinit, 1);
}
END_TEST

/* The old password of a change may be a certificate too. */
START_TEST(test_preauth_certificate_opens_a_change)
{
    static const char *const answers[] = {"fresh-one", "fresh-one", NULL};

    NEEDS_ROOT();
    install("alice", "alice", 0600);
    common_start(&stack, "alice", "use_pkinit " CERTIFICATE("alice"), answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    common_kadmin("cpw -pw alice-password alice");
    ck_assert_uint_eq(stack.shown_count, 2);
    check_shown(0, PAM_PROMPT_ECHO_OFF, "Enter new Kerberos password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

static void
add_armor(Suite *suite)
{
    TCase *tcase = add_case(suite, "armor");

    tcase_add_test(tcase, test_preauth_fast_ccache_of_root_armors_the_login);
    tcase_add_test(tcase, test_preauth_fast_ccache_of_nobody_armors_the_login);
    tcase_add_test(tcase, test_preauth_without_armor_none_is_used);
    tcase_add_test(tcase, test_preauth_no_request_leaves_without_armor);
    tcase_add_test(tcase, test_preauth_wrong_password_in_armor_is_one_failure);
    tcase_add_test(tcase,
                   test_preauth_wrong_stacked_password_in_armor_is_one_failure);
    tcase_add_test(tcase, test_preauth_wrong_password_is_no_fault_of_the_armor);
    tcase_add_test(tcase, test_preauth_unknown_principal_in_armor_is_asked);
    tcase_add_test(tcase, test_preauth_missing_armor_is_said_and_done_without);
    tcase_add_test(
        tcase, test_preauth_armor_that_is_no_cache_is_said_and_done_without);
    tcase_add_test(
        tcase, test_preauth_armor_of_an_unknown_kind_is_said_and_done_without);
    tcase_add_test(tcase, test_preauth_expired_armor_is_said_and_done_without);
    tcase_add_test(
        tcase,
        test_preauth_armor_that_the_kdc_refuses_is_said_and_done_without);
    tcase_add_test(tcase,
                   test_preauth_kdc_without_fast_is_said_and_done_without);
    tcase_add_test(tcase,
                   test_preauth_kdc_without_fast_gets_one_wrong_password);
    tcase_add_test(tcase, test_preauth_armor_stays_out_of_the_session);
    tcase_add_test(tcase, test_preauth_anonymous_armor_armors_the_login);
    tcase_add_test(
        tcase, test_preauth_anonymous_armor_takes_the_place_of_missing_armor);
    tcase_add_test(
        tcase, test_preauth_anonymous_armor_that_cannot_be_had_is_done_without);
    tcase_add_test(tcase, test_preauth_expired_password_is_changed_in_armor);
    tcase_add_test(tcase, test_preauth_password_is_changed_in_armor);
    tcase_add_test(tcase,
                   test_preauth_armor_of_root_is_none_in_a_host_of_the_user);
    tcase_add_test(tcase, test_preauth_armor_of_the_user_in_a_host_of_the_user);
    tcase_add_test(tcase, test_preauth_anonymous_user_is_nobody);
    tcase_add_test(tcase,
                   test_preauth_anonymous_user_is_nobody_without_a_keytab);
    tcase_add_test(tcase, test_preauth_anonymous_user_is_nobody_by_any_name);
}

static void
add_otp(Suite *suite)
{
    TCase *tcase = add_case(suite, "otp");

    tcase_add_test(tcase, test_preauth_otp_in_the_hosts_armor_succeeds);
    tcase_add_test(tcase, test_preauth_otp_in_anonymous_armor_succeeds);
    tcase_add_test(tcase, test_preauth_otp_is_not_handed_on);
    tcase_add_test(tcase, test_preauth_wrong_otp_fails);
    tcase_add_test(tcase, test_preauth_otp_without_armor_cannot_be);
    tcase_add_test(tcase, test_preauth_stacked_password_is_no_otp);
}

static void
add_certificates(Suite *suite)
{
    TCase *tcase = add_case(suite, "certificates");

    tcase_add_test(tcase, test_preauth_certificate_is_tried);
    tcase_add_test(tcase, test_preauth_certificate_is_insisted_on);
    tcase_add_test(tcase, test_preauth_certificate_in_armor);
    tcase_add_test(tcase, test_preauth_key_that_only_the_user_can_read_is_read);
    tcase_add_test(tcase,
                   test_preauth_network_part_is_the_user_only_where_it_must);
    tcase_add_test(tcase, test_preauth_key_of_another_user_is_not_read);
    tcase_add_test(tcase, test_preauth_key_of_root_is_not_read_for_a_user);
    tcase_add_test(tcase, test_preauth_key_of_root_is_not_read_for_root);
    tcase_add_test(tcase,
                   test_preauth_key_that_nobody_can_read_leaves_the_password);
    tcase_add_test(tcase, test_preauth_certificate_in_a_host_of_the_user);
    tcase_add_loop_test(tcase, test_preauth_bad_certificate_leaves_the_password,
                        0, BAD_CERTIFICATES_COUNT);
    tcase_add_loop_test(
        tcase, test_preauth_bad_certificate_of_krb5_conf_leaves_the_password, 0,
        2);
    tcase_add_loop_test(tcase,
                        test_preauth_bad_certificate_that_is_insisted_on_fails,
                        0, BAD_CERTIFICATES_COUNT);
    tcase_add_test(tcase, test_preauth_stacked_password_is_no_certificate);
    tcase_add_test(tcase, test_preauth_otp_is_no_certificate);
    tcase_add_test(
        tcase, test_preauth_unknown_principal_without_certificate_is_not_asked);
    tcase_add_test(tcase, test_preauth_certificate_opens_a_change);
}

static void
add_questions(Suite *suite)
{
    TCase *tcase = add_case(suite, "questions");

    tcase_add_test(tcase, test_preauth_words_are_shown);
    tcase_add_test(tcase, test_preauth_questions_are_asked);
    tcase_add_test(tcase, test_preauth_too_many_questions_are_not_asked);
    tcase_add_test(tcase, test_preauth_endless_questions_end);
    tcase_add_test(tcase, test_preauth_pin_is_asked_for);
    tcase_add_test(tcase, test_preauth_pin_is_not_handed_on);
    tcase_add_test(tcase,
                   test_preauth_password_behind_a_wrong_pin_is_handed_on);
    tcase_add_test(tcase, test_preauth_wrong_pin_fails);
    tcase_add_test(tcase, test_preauth_wrong_pin_leaves_the_password);
    tcase_add_test(tcase, test_preauth_expired_password_beside_a_certificate);
    tcase_add_test(tcase, test_preauth_card_is_asked_for_where_it_must_be);
    tcase_add_test(tcase, test_preauth_card_is_asked_for_where_it_may_be);
    tcase_add_test(tcase, test_preauth_card_is_not_asked_for_without_pkinit);
    tcase_add_test(tcase, test_preauth_option_is_the_same_as_pkinit_user);
    tcase_add_test(tcase,
                   test_preauth_options_add_up_and_the_last_identity_counts);
    tcase_add_test(tcase, test_preauth_options_of_krb5_conf_come_first);
    tcase_add_test(tcase,
                   test_preauth_options_of_krb5_conf_stay_beside_arguments);
    tcase_add_test(tcase, test_preauth_identity_of_krb5_conf_is_the_users);
    tcase_add_test(tcase,
                   test_preauth_certificate_of_krb5_conf_needs_no_option);
    tcase_add_test(tcase,
                   test_preauth_pkinit_is_loaded_only_where_it_is_wanted);
}

int
main(void)
{
    Suite *suite = suite_create("preauth");

    add_armor(suite);
    add_otp(suite);
    add_certificates(suite);
    add_questions(suite);
    return suite_main(suite);
}
