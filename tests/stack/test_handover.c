/*
 * sshd's keyboard-interactive login: authenticate in a child that ends without
 * pam_end, whose PAM environment alone comes back to the process that makes the
 * session.  And the same login coming to nothing.
 *
 * Needs root, tests/in-namespace and a realm.
 */
#include "stack/common.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/keyctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_modules.h>

#include "registry/stash.h"

#define VARIABLE "PAM_KRB5CC_STASH"

static struct stack stack;

/* What the module does with keys, in this process: keyrings that it makes. */
static struct {
    unsigned int keyrings;
    char first[96]; /* what the first of them is called */
    bool is_full;   /* what is there already cannot be filled */
} keys;

/* The module's too: the executable's symbols come first. */
__attribute__((visibility("default"))) long
syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6] = {0};
    va_list arguments;

    va_start(arguments, number);
    for (size_t i = 0; i < (number == SYS_futex ? 6 : 5); i++) {
        a[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    }
    if (number == SYS_add_key && strcmp((const char *)a[0], "keyring") == 0 &&
        keys.keyrings++ == 0) {
        (void)snprintf(keys.first, sizeof(keys.first), "%s",
                       (const char *)a[1]);
    }
    if (number == SYS_keyctl && a[0] == KEYCTL_UPDATE && keys.is_full) {
        errno = EDQUOT;
        return -1;
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Whether the first keyring that was made is there. */
static bool
has_first_keyring(void)
{
    ck_assert_int_eq(strncmp(keys.first, "pam_krb5cc:1-", 13), 0);
    return syscall(SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING,
                   (long)"keyring", (long)keys.first, 0L) >= 0;
}

/* What the child sends back: a setting of its PAM environment, or "". */
static char setting[256];

/* In the child: the login; its environment goes through FD. */
static void
authenticate_and_exit(const char *arguments, int fd)
{
    const char *name = NULL;

    common_start(&stack, "alice", arguments, alice_answers);
    if (pam_authenticate(stack.handle, 0) != PAM_SUCCESS ||
        pam_acct_mgmt(stack.handle, 0) != PAM_SUCCESS) {
        _exit(1);
    }
    stack_forget(&stack);
    name = pam_getenv(stack.handle, VARIABLE);
    if (name != NULL) {
        (void)dprintf(fd, VARIABLE "=%s", name);
    }
    _exit(0);
}

/* Authenticates alice in a child that is lost. */
static void
authenticate_in_child(const char *arguments)
{
    int fds[2];
    int status = 0;
    pid_t pid = -1;
    ssize_t length = 0;

    ck_assert_int_eq(pipe(fds), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        authenticate_and_exit(arguments, fds[1]);
    }
    (void)close(fds[1]);
    length = read(fds[0], setting, sizeof(setting) - 1);
    ck_assert_int_ge(length, 0);
    setting[length] = '\0';
    (void)close(fds[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

/* The monitor's handle, of USER, with what came from the child. */
static void
take_over(const char *user, const char *arguments)
{
    common_start(&stack, user, arguments, no_answers);
    ck_assert_int_eq(pam_putenv(stack.handle, setting), PAM_SUCCESS);
}

/* Whether what the child has stashed is there to be taken (it then is not). */
static bool
is_stashed(void)
{
    struct bytes bytes = BYTES_EMPTY;
    int status =
        stash_take(COMMON_RUNTIME_DIR, strchr(setting, '=') + 1, &bytes);

    bytes_free(&bytes);
    return status == 0;
}

static int
by_setcred(void)
{
    return pam_setcred(stack.handle, PAM_ESTABLISH_CRED);
}

static int
by_open_session(void)
{
    return pam_open_session(stack.handle, 0);
}

static int (*const makers[])(void) = {by_setcred, by_open_session};

START_TEST(test_handover_session_has_the_childs_tickets)
{
    NEEDS_ROOT();
    authenticate_in_child("");
    take_over("alice", "");
    EXPECT(makers[_i](), PAM_SUCCESS);
    ck_assert_ptr_null(pam_getenv(stack.handle, VARIABLE));
    common_assert_owned(common_cache(&stack), "alice");
    ck_assert(common_look(common_cache(&stack), "alice").readable);
    ck_assert(!is_stashed());
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Every setcred takes the name and the stash away, whatever it is for. */
static const int flags[] = {PAM_DELETE_CRED, PAM_REFRESH_CRED,
                            PAM_REINITIALIZE_CRED};

START_TEST(test_handover_any_setcred_takes_the_stash)
{
    NEEDS_ROOT();
    authenticate_in_child("");
    take_over("alice", "");
    EXPECT(pam_setcred(stack.handle, flags[_i]), PAM_SUCCESS);
    ck_assert_ptr_null(pam_getenv(stack.handle, VARIABLE));
    ck_assert(!is_stashed());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_handover_of_another_user_is_given_up)
{
    NEEDS_ROOT();
    authenticate_in_child("");
    take_over("bob", "");
    EXPECT(by_setcred(), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_ptr_null(pam_getenv(stack.handle, VARIABLE));
    ck_assert(!is_stashed());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_handover_that_is_gone_is_an_error_in_the_log)
{
    NEEDS_ROOT();
    authenticate_in_child("");
    stash_drop(COMMON_RUNTIME_DIR, strchr(setting, '=') + 1);
    take_over("alice", "");
    EXPECT(by_setcred(), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert(common_logged(LOG_ERR, "the tickets of this login are gone"));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_handover_name_that_is_none_is_no_danger)
{
    static const char *const names[] = {
        "", "k", "k1", "k1-", "f0-../../x", "k99999999999-0", "nonsense"};

    NEEDS_ROOT();
    (void)snprintf(setting, sizeof(setting), VARIABLE "=%s", names[_i]);
    take_over("alice", "");
    EXPECT(by_setcred(), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* sshd's password, login, su by root: one process does it all. */
START_TEST(test_handover_in_one_process_leaves_nothing)
{
    NEEDS_ROOT();
    common_login(&stack, "");
    (void)snprintf(setting, sizeof(setting), VARIABLE "=%s",
                   pam_getenv(stack.handle, VARIABLE));
    if (_i == 0) {
        EXPECT(by_setcred(), PAM_SUCCESS);
        ck_assert_ptr_null(pam_getenv(stack.handle, VARIABLE));
    }
    /* Or the account was refused: pam_end takes it away. */
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(!is_stashed());
}
END_TEST

/* A locker tries again: the last attempt's stash is history. */
START_TEST(test_handover_of_a_second_login_replaces_the_first)
{
    NEEDS_ROOT();
    common_login(&stack, "");
    (void)snprintf(setting, sizeof(setting), VARIABLE "=%s",
                   pam_getenv(stack.handle, VARIABLE));
    stack_script(&stack, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_str_ne(strchr(setting, '=') + 1,
                     pam_getenv(stack.handle, VARIABLE));
    ck_assert(!is_stashed());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

static const struct {
    const char *const *ids;
    const char *arguments;
} hosts_without[] = {
    {(const char *const[]){"alice", "alice", "alice"}, ""},
    {(const char *const[]){"root", "root", "root"}, "no_ccache"},
};

static int
login_without(void *data)
{
    const char *arguments = data;

    common_start(&stack, "alice", arguments, alice_answers);
    if (pam_authenticate(stack.handle, 0) != PAM_SUCCESS) {
        return 1;
    }
    return pam_getenv(stack.handle, VARIABLE) == NULL ? 0 : 2;
}

/* Hosts whose tickets need not, or must not, be stashed. */
START_TEST(test_handover_is_for_root_with_caches)
{
    NEEDS_ROOT();
    ck_assert_int_eq(
        common_in_child(common_ids(hosts_without[_i].ids),
                        common_uid(hosts_without[_i].ids[0]), login_without,
                        (void *)(uintptr_t)hosts_without[_i].arguments),
        0);
}
END_TEST

/* A name that somebody has put into a host that is not wholly root. */
static int
take_as_su(void *data)
{
    (void)data;
    take_over("alice", "");
    return by_setcred() == PAM_SUCCESS &&
                   pam_getenv(stack.handle, VARIABLE) == NULL &&
                   common_cache(&stack) == NULL
               ? 0
               : 1;
}

START_TEST(test_handover_is_not_for_hosts_like_su)
{
    static const char *const su_ids[] = {"bob", "root", "root"};

    NEEDS_ROOT();
    authenticate_in_child("");
    ck_assert_int_eq(common_in_child(common_ids(su_ids), common_uid("bob"),
                                     take_as_su, NULL),
                     0);
    ck_assert(is_stashed());
}
END_TEST

/* It is made while the KDC is asked, and filled, or taken back. */
START_TEST(test_handover_is_prepared_before_the_tickets_are_there)
{
    NEEDS_ROOT();
    keys.keyrings = 0;
    common_start(&stack, "alice", "", _i == 0 ? wrong_answers : alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0),
           _i == 0 ? PAM_AUTH_ERR : PAM_SUCCESS);
    ck_assert_uint_eq(keys.keyrings, 1);
    ck_assert(has_first_keyring() == (_i == 1));
    if (_i == 1) {
        /* "pam_krb5cc:" there is "k" here. */
        ck_assert_str_eq(pam_getenv(stack.handle, VARIABLE) + 1,
                         strchr(keys.first, ':') + 1);
    }
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(!has_first_keyring());
}
END_TEST

/* One that cannot be filled is given up for another. */
START_TEST(test_handover_does_not_need_its_preparation)
{
    NEEDS_ROOT();
    keys.keyrings = 0;
    keys.is_full = true;
    common_login(&stack, "");
    keys.is_full = false;
    ck_assert_uint_eq(keys.keyrings, 2);
    ck_assert(!has_first_keyring());
    (void)snprintf(setting, sizeof(setting), VARIABLE "=%s",
                   pam_getenv(stack.handle, VARIABLE));
    ck_assert(is_stashed());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("handover");
    TCase *tcase = common_case(suite, "handover");

    tcase_add_loop_test(tcase, test_handover_session_has_the_childs_tickets, 0,
                        2);
    tcase_add_loop_test(tcase, test_handover_any_setcred_takes_the_stash, 0, 3);
    tcase_add_test(tcase, test_handover_of_another_user_is_given_up);
    tcase_add_test(tcase, test_handover_that_is_gone_is_an_error_in_the_log);
    tcase_add_loop_test(tcase, test_handover_name_that_is_none_is_no_danger, 0,
                        7);
    tcase_add_loop_test(tcase, test_handover_in_one_process_leaves_nothing, 0,
                        2);
    tcase_add_test(tcase, test_handover_of_a_second_login_replaces_the_first);
    tcase_add_loop_test(tcase, test_handover_is_for_root_with_caches, 0, 2);
    tcase_add_test(tcase, test_handover_is_not_for_hosts_like_su);
    tcase_add_loop_test(
        tcase, test_handover_is_prepared_before_the_tickets_are_there, 0, 2);
    tcase_add_test(tcase, test_handover_does_not_need_its_preparation);
    return suite_main(suite);
}
