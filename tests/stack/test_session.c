/*
 * pam_open_session, pam_close_session and pam_end, in the orders in which real
 * hosts call them (CALLERS): DESIGN section 3, what is in scope without
 * registry and stash.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/records.h"

static struct stack stack;
static char path[256]; /* of the session's cache */

static int
setcred(int flags)
{
    return pam_setcred(stack.handle, flags);
}

static int
open_session(void)
{
    return pam_open_session(stack.handle, 0);
}

static int
close_session(void)
{
    return pam_close_session(stack.handle, 0);
}

static void
end(void)
{
    stack_end(&stack, PAM_SUCCESS);
}

/* A session of alice with a cache, whose path is kept. */
static void
begin(const char *arguments)
{
    common_login(&stack, arguments);
    EXPECT(open_session(), PAM_SUCCESS);
    ck_assert_ptr_nonnull(common_cache(&stack));
    (void)snprintf(path, sizeof(path), "%s", cache_path(common_cache(&stack)));
}

/* The session's cache is gone, and so is its name. */
static void
check_gone(void)
{
    ck_assert(!common_exists(path));
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
}

START_TEST(test_session_open_alone_makes_the_cache)
{
    struct cache_view view;

    NEEDS_ROOT();
    begin("");
    common_assert_owned(common_cache(&stack), "alice");
    view = common_look(common_cache(&stack), "alice");
    ck_assert_str_eq(view.principal, "alice@PAM.TEST");
    ck_assert_int_eq(view.tgts, 1);
    ck_assert_uint_eq(common_caches(), 1);
    end();
}
END_TEST

START_TEST(test_session_open_leaves_the_hosts_environment)
{
    NEEDS_ROOT();
    begin("");
    ck_assert_ptr_null(getenv("KRB5CCNAME"));
    end();
}
END_TEST

START_TEST(test_session_setcred_after_open_changes_nothing)
{
    struct snapshot before;
    char name[256];

    NEEDS_ROOT();
    /* login's order. */
    begin("");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    before = common_snapshot(name);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), name);
    common_assert_same(&before, name);
    ck_assert_uint_eq(common_caches(), 1);
    end();
}
END_TEST

START_TEST(test_session_open_after_setcred_changes_nothing)
{
    struct snapshot before;
    char name[256];

    NEEDS_ROOT();
    common_establish(&stack, "");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    before = common_snapshot(name);
    EXPECT(open_session(), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), name);
    common_assert_same(&before, name);
    ck_assert_uint_eq(common_caches(), 1);
    end();
}
END_TEST

START_TEST(test_session_open_twice_changes_nothing)
{
    struct snapshot before;

    NEEDS_ROOT();
    begin("");
    before = common_snapshot(common_cache(&stack));
    EXPECT(open_session(), PAM_SUCCESS);
    common_assert_same(&before, common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 1);
    end();
}
END_TEST

START_TEST(test_session_without_login_is_not_ours)
{
    NEEDS_ROOT();
    common_start(&stack, "alice", "", no_answers);
    common_set_cache(&stack, "FILE:/tmp/home/alice/delegated");
    EXPECT(open_session(), PAM_IGNORE);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), "FILE:/tmp/home/alice/delegated");
    ck_assert_uint_eq(common_caches(), 0);
    ck_assert_uint_eq(common_log_count(LOG_INFO), 0);
    end();
}
END_TEST

START_TEST(test_session_of_another_user_is_not_ours)
{
    NEEDS_ROOT();
    common_login(&stack, "");
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "bob"), PAM_SUCCESS);
    EXPECT(open_session(), PAM_IGNORE);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
    end();
}
END_TEST

START_TEST(test_session_open_that_fails_leaves_nothing)
{
    NEEDS_ROOT();
    common_login(&stack, "ccache_dir=/tmp/home/alice/none");
    EXPECT(open_session(), PAM_SESSION_ERR);
    ck_assert(common_logged(LOG_ERR, "/tmp/home/alice/none"));
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 0);
    EXPECT(close_session(), PAM_SUCCESS);
    end();
}
END_TEST

START_TEST(test_session_close_destroys_the_cache)
{
    NEEDS_ROOT();
    begin("");
    EXPECT(close_session(), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_destroys_what_the_user_added)
{
    uid_t uid = 0;

    NEEDS_ROOT();
    uid = common_uid("alice");
    begin("");
    ck_assert(cache_fetch(common_cache(&stack), "app/service.test", uid, uid));
    EXPECT(close_session(), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_twice_does_nothing_more)
{
    NEEDS_ROOT();
    begin("");
    EXPECT(close_session(), PAM_SUCCESS);
    stack_log_clear();
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_str_eq(stack_log(), "");
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_without_open_destroys_the_cache)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    (void)snprintf(path, sizeof(path), "%s", cache_path(common_cache(&stack)));
    EXPECT(close_session(), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_delete_then_close_succeeds)
{
    NEEDS_ROOT();
    /* cron's order. */
    begin("");
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    check_gone();
    EXPECT(close_session(), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_then_delete_succeeds)
{
    NEEDS_ROOT();
    /* sshd's and su's. */
    begin("");
    EXPECT(close_session(), PAM_SUCCESS);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_leaves_a_name_that_is_not_ours)
{
    NEEDS_ROOT();
    begin("");
    common_set_cache(&stack, "FILE:/tmp/home/alice/other");
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), "FILE:/tmp/home/alice/other");
    ck_assert(!common_exists(path));
    end();
}
END_TEST

START_TEST(test_session_close_leaves_other_sessions)
{
    struct stack other;

    NEEDS_ROOT();
    common_establish(&other, "");
    begin("");
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert(!common_exists(path));
    ck_assert(common_look(common_cache(&other), "alice").readable);
    end();
    stack_end(&other, PAM_SUCCESS);
}
END_TEST

START_TEST(test_session_close_of_a_cache_that_is_gone_succeeds)
{
    NEEDS_ROOT();
    /* The user has done kdestroy. */
    begin("");
    ck_assert_int_eq(unlink(path), 0);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert(common_logged(LOG_INFO, "was gone already"));
    ck_assert(!common_logged(LOG_INFO, "destroyed"));
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_for_another_user_destroys_the_owners)
{
    NEEDS_ROOT();
    begin("");
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "bob"), PAM_SUCCESS);
    EXPECT(close_session(), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_destroys_no_file_of_another_user)
{
    uid_t uid = 0;

    NEEDS_ROOT();
    uid = common_uid("bob");
    begin("");
    /* As alice could: /tmp is sticky, but her own file she may move. */
    ck_assert_int_eq(unlink(path), 0);
    common_write(path, "bob's\n", uid, 0600);
    EXPECT(close_session(), PAM_SESSION_ERR);
    ck_assert(common_logged(LOG_ERR, path));
    ck_assert(common_exists(path));
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_int_eq(unlink(path), 0);
    end();
}
END_TEST

START_TEST(test_session_close_follows_no_link)
{
    static const char letter[] = "FILE:/tmp/home/alice/letter";
    struct snapshot before;

    NEEDS_ROOT();
    begin("");
    common_write(cache_path(letter), "dear bob\n", common_uid("alice"), 0600);
    before = common_snapshot(letter);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(cache_path(letter), path), 0);
    EXPECT(close_session(), PAM_SESSION_ERR);
    common_assert_same(&before, letter);
    ck_assert_int_eq(unlink(path), 0);
    end();
}
END_TEST

/* su closes, then deletes: what the first could not do is the second's. */
START_TEST(test_session_close_that_failed_is_done_by_the_next_call)
{
    NEEDS_ROOT();
    begin("");
    ck_assert_int_eq(chmod(stack_helper(), 0600), 0);
    EXPECT(close_session(), PAM_SESSION_ERR);
    ck_assert(common_exists(path));
    ck_assert_int_eq(chmod(stack_helper(), 0711), 0);
    EXPECT(pam_setcred(stack.handle, PAM_DELETE_CRED), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

/* One handle, two users after each other: each has his own cache. */
START_TEST(test_session_of_another_user_on_the_handle_has_its_own)
{
    static const char *const answers[] = {"bob-password", NULL};

    NEEDS_ROOT();
    begin("");
    EXPECT(pam_set_item(stack.handle, PAM_USER, "bob"), PAM_SUCCESS);
    stack_script(&stack, answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert(!common_exists(path));
    common_assert_owned(common_cache(&stack), "bob");
    (void)snprintf(path, sizeof(path), "%s", cache_path(common_cache(&stack)));
    EXPECT(close_session(), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_close_removes_all_strays_of_the_cache)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1000000000},
                                         {.tv_sec = 1000000000}};
    char stray[300];
    char young[300];

    NEEDS_ROOT();
    begin("");
    /* What a replacement leaves that was killed, or is still at work. */
    (void)snprintf(stray, sizeof(stray), "%s.aB3dE6", path);
    (void)snprintf(young, sizeof(young), "%s.zzzzzz", path);
    common_write(stray, "\005\004old", common_uid("alice"), 0600);
    common_write(young, "", common_uid("alice"), 0600);
    ck_assert_int_eq(utimensat(AT_FDCWD, stray, long_ago, 0), 0);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert(!common_exists(stray));
    ck_assert(!common_exists(young));
    end();
}
END_TEST

/* What has such a name and is no cache is somebody's text. */
START_TEST(test_session_close_leaves_what_is_no_stray)
{
    char text[300];

    NEEDS_ROOT();
    begin("");
    (void)snprintf(text, sizeof(text), "%s.readme", path);
    common_write(text, "hello", common_uid("alice"), 0600);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert(common_exists(text));
    ck_assert_int_eq(unlink(text), 0);
    end();
}
END_TEST

/* A session's own cache never has a name that is a stray's of another. */
START_TEST(test_session_cache_behind_a_dot_is_no_stray)
{
    struct stack other;

    NEEDS_ROOT();
    begin("ccache=FILE:/tmp/krb5cc_%{uid}.XXXXXX");
    common_establish(&other, "ccache=FILE:/tmp/krb5cc_%{uid}");
    EXPECT(pam_close_session(other.handle, 0), PAM_SUCCESS);
    stack_end(&other, PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "alice");
    EXPECT(close_session(), PAM_SUCCESS);
    end();
}
END_TEST

START_TEST(test_session_end_without_close_destroys_the_cache)
{
    NEEDS_ROOT();
    begin("");
    end();
    ck_assert(!common_exists(path));
}
END_TEST

START_TEST(test_session_end_without_open_destroys_the_cache)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    (void)snprintf(path, sizeof(path), "%s", cache_path(common_cache(&stack)));
    end();
    ck_assert(!common_exists(path));
}
END_TEST

START_TEST(test_session_end_after_a_failure_destroys_the_cache)
{
    NEEDS_ROOT();
    begin("");
    stack_end(&stack, PAM_PERM_DENIED);
    ck_assert(!common_exists(path));
}
END_TEST

START_TEST(test_session_end_with_data_silent_leaves_the_cache)
{
    NEEDS_ROOT();
    begin("");
    stack_end(&stack, PAM_SUCCESS | PAM_DATA_SILENT);
    ck_assert(common_exists(path));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_uint_eq(records_of_the_living(), 1);
}
END_TEST

START_TEST(test_session_end_uses_the_options_of_the_session)
{
    NEEDS_ROOT();
    /* pam_end has no PAM arguments: helper= is from the call before. */
    begin("retain_after_close");
    end();
    ck_assert(common_exists(path));
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_session_end_says_who_speaks)
{
    NEEDS_ROOT();
    begin("");
    end();
    ck_assert_msg(
        stack_logged("pam_krb5cc(krb5cc-test:end): user alice: destroyed"),
        "%s", stack_log());
}
END_TEST

START_TEST(test_session_end_after_login_alone_leaves_nothing)
{
    NEEDS_ROOT();
    /* sshd when the account is refused. */
    common_login(&stack, "");
    stack_end(&stack, PAM_PERM_DENIED);
    ck_assert_uint_eq(common_caches(), 0);
}
END_TEST

static int
end_in_child(void *data)
{
    const int *code = data;

    (void)pam_end(stack.handle, *code);
    return 0;
}

/* How children end their copy of the handle: code, as alice or as root. */
static const struct child_case {
    int code;
    bool is_user;
} child_cases[] = {
    {PAM_SUCCESS | PAM_DATA_SILENT, true}, /* su, login */
    {PAM_SUCCESS, true},
    {PAM_SUCCESS | PAM_DATA_SILENT, false},
    {PAM_SUCCESS, false},
};

START_TEST(test_session_end_in_a_forked_child_leaves_the_cache)
{
    uid_t uid = 0;
    struct snapshot before;
    int code = child_cases[_i].code;

    NEEDS_ROOT();
    uid = child_cases[_i].is_user ? common_uid("alice") : 0;
    begin("");
    before = common_snapshot(common_cache(&stack));
    ck_assert_int_eq(
        common_in_child((struct ids){uid, uid, uid}, uid, end_in_child, &code),
        0);
    common_assert_same(&before, common_cache(&stack));
    EXPECT(close_session(), PAM_SUCCESS);
    check_gone();
    end();
}
END_TEST

START_TEST(test_session_retain_after_close_leaves_the_cache)
{
    NEEDS_ROOT();
    begin("retain_after_close");
    EXPECT(close_session(), PAM_SUCCESS);
    common_assert_owned(path, "alice");
    ck_assert_ptr_null(common_cache(&stack));
    end();
    ck_assert(common_exists(path));
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_session_no_ccache_succeeds_without_cache)
{
    NEEDS_ROOT();
    common_login(&stack, "no_ccache");
    EXPECT(open_session(), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
    EXPECT(close_session(), PAM_SUCCESS);
    end();
}
END_TEST

START_TEST(test_session_after_a_session_on_the_same_handle_has_its_own)
{
    char first[256];

    NEEDS_ROOT();
    begin("");
    (void)snprintf(first, sizeof(first), "%s", path);
    EXPECT(close_session(), PAM_SUCCESS);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(open_session(), PAM_SUCCESS);
    ck_assert_str_ne(cache_path(common_cache(&stack)), first);
    common_assert_owned(common_cache(&stack), "alice");
    end();
}
END_TEST

static void
add_open(Suite *suite)
{
    TCase *tcase = common_case(suite, "open");

    tcase_add_test(tcase, test_session_open_alone_makes_the_cache);
    tcase_add_test(tcase, test_session_open_leaves_the_hosts_environment);
    tcase_add_test(tcase, test_session_setcred_after_open_changes_nothing);
    tcase_add_test(tcase, test_session_open_after_setcred_changes_nothing);
    tcase_add_test(tcase, test_session_open_twice_changes_nothing);
    tcase_add_test(tcase, test_session_without_login_is_not_ours);
    tcase_add_test(tcase, test_session_of_another_user_is_not_ours);
    tcase_add_test(tcase, test_session_open_that_fails_leaves_nothing);
    tcase_add_test(tcase, test_session_no_ccache_succeeds_without_cache);
}

static void
add_close(Suite *suite)
{
    TCase *tcase = common_case(suite, "close");

    tcase_add_test(tcase, test_session_close_destroys_the_cache);
    tcase_add_test(tcase, test_session_close_destroys_what_the_user_added);
    tcase_add_test(tcase, test_session_close_twice_does_nothing_more);
    tcase_add_test(tcase, test_session_close_without_open_destroys_the_cache);
    tcase_add_test(tcase, test_session_delete_then_close_succeeds);
    tcase_add_test(tcase, test_session_close_then_delete_succeeds);
    tcase_add_test(tcase, test_session_close_leaves_a_name_that_is_not_ours);
    tcase_add_test(tcase, test_session_close_leaves_other_sessions);
    tcase_add_test(tcase, test_session_close_of_a_cache_that_is_gone_succeeds);
    tcase_add_test(tcase,
                   test_session_close_for_another_user_destroys_the_owners);
    tcase_add_test(tcase, test_session_close_destroys_no_file_of_another_user);
    tcase_add_test(tcase, test_session_close_follows_no_link);
    tcase_add_test(tcase,
                   test_session_close_that_failed_is_done_by_the_next_call);
    tcase_add_test(tcase,
                   test_session_of_another_user_on_the_handle_has_its_own);
    tcase_add_test(tcase, test_session_close_removes_all_strays_of_the_cache);
    tcase_add_test(tcase, test_session_close_leaves_what_is_no_stray);
    tcase_add_test(tcase, test_session_cache_behind_a_dot_is_no_stray);
    tcase_add_test(tcase, test_session_retain_after_close_leaves_the_cache);
    tcase_add_test(tcase,
                   test_session_after_a_session_on_the_same_handle_has_its_own);
}

static void
add_end(Suite *suite)
{
    TCase *tcase = common_case(suite, "end");

    tcase_add_test(tcase, test_session_end_without_close_destroys_the_cache);
    tcase_add_test(tcase, test_session_end_without_open_destroys_the_cache);
    tcase_add_test(tcase, test_session_end_after_a_failure_destroys_the_cache);
    tcase_add_test(tcase, test_session_end_with_data_silent_leaves_the_cache);
    tcase_add_test(tcase, test_session_end_uses_the_options_of_the_session);
    tcase_add_test(tcase, test_session_end_says_who_speaks);
    tcase_add_test(tcase, test_session_end_after_login_alone_leaves_nothing);
    tcase_add_loop_test(tcase,
                        test_session_end_in_a_forked_child_leaves_the_cache, 0,
                        (int)(sizeof(child_cases) / sizeof(child_cases[0])));
}

int
main(void)
{
    Suite *suite = suite_create("session");

    add_open(suite);
    add_close(suite);
    add_end(suite);
    return suite_main(suite);
}
