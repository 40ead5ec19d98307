/*
 * A KDC whose clock is 20 minutes off (with-realm --kdc-clock): a login works,
 * and what it leaves in the cache works for the user's programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/cache.h"
#include "support/stack.h"
#include "support/suite.h"

#define ALICE suite_uid("alice")

static const char *const right[] = {"alice-password", NULL};

START_TEST(test_clock_that_is_off_logs_in)
{
    struct stack stack;
    int code = 0;

    stack_log_clear();
    stack_start(&stack, "alice", "", right);
    code = pam_authenticate(stack.handle, 0);
    ck_assert_msg(code == PAM_SUCCESS, "%s", stack_log());
    ck_assert_msg(stack_logged("clock and ours differ by"), "%s", stack_log());
    stack_end(&stack, code);
}
END_TEST

START_TEST(test_clock_that_is_off_leaves_a_cache_that_works)
{
    struct stack stack;
    const char *name = NULL;
    int code = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    stack_start(&stack, "alice", "", right);
    code = pam_authenticate(stack.handle, 0);
    ck_assert_int_eq(code, PAM_SUCCESS);
    ck_assert_int_eq(pam_setcred(stack.handle, PAM_ESTABLISH_CRED),
                     PAM_SUCCESS);
    name = pam_getenv(stack.handle, "KRB5CCNAME");
    ck_assert_ptr_nonnull(name);
    /* Fails with a ticket not yet valid where the offset is not kept. */
    ck_assert(cache_fetch(name, "app/service.test", ALICE, ALICE));
    ck_assert_int_eq(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_clock_that_is_off_renews)
{
    const int64_t lifetimes[2] = {3600, 86400};
    const char *name = "FILE:/tmp/krb5cc_clock_test";
    struct stack stack;
    int code = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    ck_assert(
        cache_kinit(name, "alice", "alice-password", lifetimes, ALICE, ALICE));
    stack_start(&stack, "alice", "", NULL);
    (void)pam_putenv(stack.handle, "KRB5CCNAME=FILE:/tmp/krb5cc_clock_test");
    code = pam_setcred(stack.handle, PAM_REFRESH_CRED);
    ck_assert_msg(code == PAM_SUCCESS, "%s", stack_log());
    ck_assert(cache_fetch(name, "app/service.test", ALICE, ALICE));
    stack_end(&stack, PAM_SUCCESS);
    (void)unlink(cache_path(name));
}
END_TEST

#define ARMOR "/tmp/home/armor"

/* Logs alice in with what kinit, after PREPARED, has put into ARMOR. */
static void
login_in_armor(struct stack *stack, const char *prepared)
{
    char command[512];
    int code = 0;

    (void)snprintf(command, sizeof(command),
                   "%s kinit -k -t \"$KRB5_KTNAME\" -c FILE:" ARMOR
                   " \"$REALM_HOST_PRINCIPAL\"",
                   prepared);
    ck_assert_int_eq(system(command), 0);
    stack_log_clear();
    stack_start(stack, "alice", "fast_ccache=FILE:" ARMOR, right);
    code = pam_authenticate(stack->handle, 0);
    ck_assert_msg(code == PAM_SUCCESS, "%s", stack_log());
    stack_end(stack, code);
    (void)unlink(ARMOR);
}

START_TEST(test_clock_that_is_off_takes_armor)
{
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    login_in_armor(&stack, "");
    ck_assert_msg(!stack_logged("FAST"), "%s", stack_log());
}
END_TEST

/* A cache of this version keeps no offset: by our clock it is of no use. */
START_TEST(test_clock_that_is_off_does_without_armor_of_another)
{
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    login_in_armor(&stack, "printf '[libdefaults]\nccache_type = 3\n' >" ARMOR
                           ".conf; KRB5_CONFIG=" ARMOR ".conf:$KRB5_CONFIG");
    (void)unlink(ARMOR ".conf");
    ck_assert_msg(stack_logged("does not take part in FAST"), "%s",
                  stack_log());
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_clock_that_is_off_logs_in);
    tcase_add_test(tcase, test_clock_that_is_off_leaves_a_cache_that_works);
    tcase_add_test(tcase, test_clock_that_is_off_renews);
    tcase_add_test(tcase, test_clock_that_is_off_takes_armor);
    tcase_add_test(tcase, test_clock_that_is_off_does_without_armor_of_another);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
