/*
 * KDCs that are dead, silent, mad, far away or not ours, and what a login
 * makes of them.  Runs behind the fault proxy, with a replica that is listed
 * first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/cache.h"
#include "support/realm.h"
#include "support/stack.h"
#include "support/suite.h"

#define ALICE suite_uid("alice")

static const char *const right[] = {"alice-password", NULL};
static const char *const wrong[] = {"not-the-password", NULL};

static double
seconds_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
no_faults(void)
{
    (void)realm_fault("none");
    (void)realm_replica_fault("none");
}

static void
both(const char *words)
{
    (void)realm_fault(words);
    (void)realm_replica_fault(words);
}

/* Authenticates USER; the code, and how long it took. */
static int
authenticate(const char *user, const char *arguments,
             const char *const *answers, double *seconds_out)
{
    struct stack stack;
    double start = 0;
    int code = 0;

    stack_log_clear();
    stack_start(&stack, user, arguments, answers);
    start = seconds_now();
    code = pam_authenticate(stack.handle, 0);
    *seconds_out = seconds_now() - start;
    stack_end(&stack, code);
    return code;
}

static long
failed_preauthentications(void)
{
    const char *const texts[] = {"AS_REQ", "PREAUTH_FAILED: alice@", NULL};

    return realm_count_lines(getenv("REALM_KDC_LOG"), texts) +
           realm_count_lines(getenv("REALM_REPLICA_LOG"), texts);
}

START_TEST(test_kdc_silent_gives_authinfo_unavail_in_time)
{
    double seconds = 0;

    both("silence");
    ck_assert_int_eq(authenticate("alice", "timeout=2", right, &seconds),
                     PAM_AUTHINFO_UNAVAIL);
    ck_assert_double_lt(seconds, 3.0);
    ck_assert_double_ge(seconds, 1.9);
    ck_assert_msg(stack_logged("time ran out"), "%s", stack_log());
    ck_assert(realm_is_gone("krb5cc-helper"));
}
END_TEST

START_TEST(test_kdc_dead_gives_authinfo_unavail_in_time)
{
    double seconds = 0;

    both("refuse");
    ck_assert_int_eq(authenticate("alice", "timeout=2", right, &seconds),
                     PAM_AUTHINFO_UNAVAIL);
    ck_assert_double_lt(seconds, 3.0);
}
END_TEST

START_TEST(test_kdc_that_falls_silent_behind_the_prompt_is_left_in_time)
{
    struct stack stack;
    double start = 0;
    int code = 0;

    stack_start(&stack, "alice", "timeout=2", right);
    /* The person types; meanwhile the network goes away. */
    stack.before_answer = (void (*)(void *))both;
    stack.data = (void *)(uintptr_t) "silence";
    start = seconds_now();
    code = pam_authenticate(stack.handle, 0);
    ck_assert_int_eq(code, PAM_AUTHINFO_UNAVAIL);
    ck_assert_double_lt(seconds_now() - start, 3.5);
    stack_end(&stack, code);
    ck_assert(realm_is_gone("krb5cc-helper"));
}
END_TEST

START_TEST(test_kdc_first_dead_second_alive_logs_in)
{
    double seconds = 0;

    (void)realm_replica_fault("refuse");
    ck_assert_int_eq(authenticate("alice", "", right, &seconds), PAM_SUCCESS);
}
END_TEST

START_TEST(test_kdc_first_silent_second_alive_logs_in)
{
    double seconds = 0;

    (void)realm_replica_fault("silence");
    ck_assert_int_eq(authenticate("alice", "", right, &seconds), PAM_SUCCESS);
}
END_TEST

START_TEST(test_kdc_that_answers_garbage_gives_authinfo_unavail)
{
    double seconds = 0;

    both("corrupt");
    ck_assert_int_eq(authenticate("alice", "timeout=3", right, &seconds),
                     PAM_AUTHINFO_UNAVAIL);
    ck_assert_double_lt(seconds, 4.0);
}
END_TEST

START_TEST(test_kdc_whose_answers_are_forged_lets_nobody_in)
{
    struct stack stack;
    int code = 0;

    both("corrupt=last");
    stack_start(&stack, "alice", "timeout=3", right);
    code = pam_authenticate(stack.handle, 0);
    ck_assert_int_ne(code, PAM_SUCCESS);
    (void)pam_setcred(stack.handle, PAM_ESTABLISH_CRED);
    ck_assert_ptr_null(pam_getenv(stack.handle, "KRB5CCNAME"));
    stack_end(&stack, code);
}
END_TEST

/* The bytes of the file at PATH as one number, good enough to see a change. */
static unsigned long
fingerprint(const char *path)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    unsigned long sum = 5381;
    int byte = 0;

    ck_assert_ptr_nonnull(file);
    while ((byte = fgetc(file)) != EOF) {
        sum = sum * 33 + (unsigned long)byte;
    }
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    (void)fclose(file);
    return sum ^ status.st_ino;
}

/* A REFRESH of alice's cache NAME while the network does as FAULT says. */
static int
refresh_during(const char *name, const char *fault, double *seconds_out)
{
    struct stack stack;
    char setting[300];
    double start = 0;
    int code = 0;

    (void)snprintf(setting, sizeof(setting), "KRB5CCNAME=%s", name);
    stack_start(&stack, "alice", "timeout=2", NULL);
    (void)pam_putenv(stack.handle, setting);
    both(fault);
    start = seconds_now();
    code = pam_setcred(stack.handle, PAM_REFRESH_CRED);
    *seconds_out = seconds_now() - start;
    both("none");
    stack_end(&stack, code);
    return code;
}

START_TEST(test_kdc_trouble_leaves_the_cache_of_a_refresh_as_it_was)
{
    static const char *const faults[] = {"silence", "refuse", "corrupt",
                                         "corrupt=last"};
    const char *name = "FILE:/tmp/krb5cc_kdc_test";
    const int64_t lifetimes[2] = {3600, 86400};

    SKIP_UNLESS(geteuid() == 0, "needs root");
    ck_assert(
        cache_kinit(name, "alice", "alice-password", lifetimes, ALICE, ALICE));
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        unsigned long before = fingerprint(cache_path(name));
        double seconds = 0;

        ck_assert_msg(refresh_during(name, faults[i], &seconds) ==
                          PAM_CRED_UNAVAIL,
                      "%s", faults[i]);
        ck_assert_double_lt(seconds, 3.0);
        ck_assert_msg(fingerprint(cache_path(name)) == before, "%s", faults[i]);
    }
    (void)unlink(cache_path(name));
}
END_TEST

START_TEST(test_kdc_counts_one_failure_for_one_wrong_password)
{
    double seconds = 0;
    long before = failed_preauthentications();

    ck_assert_int_eq(authenticate("alice", "", wrong, &seconds), PAM_AUTH_ERR);
    ck_assert_int_eq(failed_preauthentications() - before, 1);
}
END_TEST

START_TEST(test_kdc_counts_one_failure_for_one_wrong_stacked_password)
{
    static const char *const lines =
        "auth optional %m helper=HELPER\n"
        "auth required %m helper=HELPER use_first_pass\n";
    char service[4096] = "";
    struct stack stack;
    long before = failed_preauthentications();
    int code = 0;

    for (const char *at = lines; *at != '\0'; at++) {
        size_t length = strlen(service);

        if (strncmp(at, "HELPER", 6) == 0) {
            (void)snprintf(service + length, sizeof(service) - length, "%s",
                           stack_helper());
            at += 5;
        } else {
            service[length] = *at;
            service[length + 1] = '\0';
        }
    }
    stack_start_service(&stack, "alice", service, wrong);
    code = pam_authenticate(stack.handle, 0);
    ck_assert_int_eq(code, PAM_AUTH_ERR);
    stack_end(&stack, code);
    /* One for each of the two modules. */
    ck_assert_int_eq(failed_preauthentications() - before, 2);
}
END_TEST

/* When the user answers, both KDCs have been counted for by their proxies. */
static void
count_requests(void *data)
{
    long *count = data;

    *count = realm_fault("count") + realm_replica_fault("count");
}

START_TEST(test_kdc_is_asked_before_the_user_is)
{
    struct stack stack;
    long count = 0;

    stack_start(&stack, "alice", "", right);
    stack.before_answer = count_requests;
    stack.data = &count;
    both("reset");
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack_prompts(&stack), 1);
    ck_assert_int_gt(count, 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/*
 * A password that is changed is new to the primary alone: the tickets for it
 * are from there, though the replica stands first and knows the old one.
 */
START_TEST(test_kdc_primary_knows_the_password_that_was_just_changed)
{
    static const char *const answers[] = {"expired-password", "new-password",
                                          "new-password", NULL};
    double seconds = 0;

    ck_assert_int_eq(authenticate("expired", "", answers, &seconds),
                     PAM_SUCCESS);
    ck_assert(stack_logged("authenticated as expired@PAM.TEST"));
    ck_assert(realm_admin("cpw -pw expired-password expired"));
    ck_assert(realm_admin("modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" "
                          "expired"));
}
END_TEST

/* The same where the host has it changed, and then wants the tickets. */
START_TEST(test_kdc_primary_knows_the_password_that_the_host_had_changed)
{
    static const char *const answers[] = {"expired-password",
                                          "expired-password", "new-password",
                                          "new-password", NULL};
    struct stack stack;

    stack_start(&stack, "expired", "defer_pwchange", answers);
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_eq(pam_acct_mgmt(stack.handle, 0), PAM_NEW_AUTHTOK_REQD);
    ck_assert_int_eq(pam_chauthtok(stack.handle, PAM_CHANGE_EXPIRED_AUTHTOK),
                     PAM_SUCCESS);
    ck_assert_int_eq(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(realm_admin("cpw -pw expired-password expired"));
    ck_assert(realm_admin("modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" "
                          "expired"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("kdc");
    TCase *tcase = tcase_create("kdc");

    tcase_add_checked_fixture(tcase, no_faults, no_faults);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_kdc_silent_gives_authinfo_unavail_in_time);
    tcase_add_test(tcase, test_kdc_dead_gives_authinfo_unavail_in_time);
    tcase_add_test(
        tcase, test_kdc_that_falls_silent_behind_the_prompt_is_left_in_time);
    tcase_add_test(tcase, test_kdc_first_dead_second_alive_logs_in);
    tcase_add_test(tcase, test_kdc_first_silent_second_alive_logs_in);
    tcase_add_test(tcase, test_kdc_that_answers_garbage_gives_authinfo_unavail);
    tcase_add_test(tcase, test_kdc_whose_answers_are_forged_lets_nobody_in);
    tcase_add_test(tcase,
                   test_kdc_trouble_leaves_the_cache_of_a_refresh_as_it_was);
    tcase_add_test(tcase, test_kdc_counts_one_failure_for_one_wrong_password);
    tcase_add_test(tcase,
                   test_kdc_counts_one_failure_for_one_wrong_stacked_password);
    tcase_add_test(tcase, test_kdc_is_asked_before_the_user_is);
    tcase_add_test(tcase,
                   test_kdc_primary_knows_the_password_that_was_just_changed);
    tcase_add_test(
        tcase, test_kdc_primary_knows_the_password_that_the_host_had_changed);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
