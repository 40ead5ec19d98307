/*
 * pam_setcred: every row of the table in DESIGN section 3 that needs neither
 * registry nor stash, and the replacement rules of section 4 for FILE caches.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"

#define CACHE "FILE:/tmp/home/alice/cache"
#define OTHER "FILE:/tmp/home/alice/other"
#define BOBS "FILE:/tmp/home/bob/cache"
#define DEFAULT_CACHE common_with_uids("FILE:/tmp/krb5cc_<alice>")

static const int four_flags[] = {PAM_ESTABLISH_CRED, PAM_REINITIALIZE_CRED,
                                 PAM_REFRESH_CRED, PAM_DELETE_CRED};

/* Lifetime and renewable lifetime, in seconds. */
static const int64_t an_hour_renewable[] = {3600, 86400};
static const int64_t an_hour[] = {3600, -1};
static const int64_t a_second[] = {1, 86400};

static struct stack stack;

static int
setcred(int flags)
{
    return pam_setcred(stack.handle, flags);
}

/* A handle for USER that has not authenticated, its target cache NAME. */
static void
start_with_cache(const char *user, const char *name)
{
    common_start(&stack, user, "", no_answers);
    if (name != NULL) {
        common_set_cache(&stack, name);
    }
}

/* A handle of alice with tickets of an hour and NAME as target cache. */
static void
login_with_cache(const char *name)
{
    common_login(&stack, "ticket_lifetime=2h");
    if (name != NULL) {
        common_set_cache(&stack, name);
    }
}

static void
end(void)
{
    stack_end(&stack, PAM_SUCCESS);
}

static void
remove_cache(const char *name)
{
    ck_assert_int_eq(unlink(cache_path(name)), 0);
}

/* Nothing of a cache: no name, no file. */
static void
check_no_cache(void)
{
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_caches(), 0);
}

/* NAME is alice's and has her TGT of LIFETIME seconds and no other. */
static struct cache_view
check_alices(const char *name, int64_t lifetime)
{
    struct cache_view view = common_look(name, "alice");

    common_assert_owned(name, "alice");
    ck_assert(view.readable);
    ck_assert_str_eq(view.principal, "alice@PAM.TEST");
    ck_assert_int_eq(view.tgts, 1);
    /* The KDC may round: the end counts from the start of the ticket. */
    ck_assert_int_ge(view.endtime - view.starttime, lifetime - 2);
    ck_assert_int_le(view.endtime - view.starttime, lifetime + 2);
    return view;
}

/* Establish. */

START_TEST(test_setcred_establish_makes_the_users_cache)
{
    struct cache_view view;

    NEEDS_ROOT();
    common_establish(&stack, "");
    common_assert_owned(common_cache(&stack), "alice");
    view = common_look(common_cache(&stack), "alice");
    ck_assert(view.readable);
    ck_assert_str_eq(view.principal, "alice@PAM.TEST");
    ck_assert_int_eq(view.tgts, 1);
    ck_assert_int_eq(view.services, 0);
    end();
}
END_TEST

START_TEST(test_setcred_establish_keeps_the_configuration_entries)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    /* As kinit leaves them: fast_avail and pa_type at least. */
    ck_assert_int_ge(common_look(common_cache(&stack), "alice").configs, 2);
    end();
}
END_TEST

START_TEST(test_setcred_establish_names_the_cache_by_uid_and_chance)
{
    const char *start = NULL;
    const char *name = NULL;

    NEEDS_ROOT();
    start = common_with_uids("FILE:/tmp/krb5cc_<alice>_");
    common_establish(&stack, "");
    name = common_cache(&stack);
    ck_assert_uint_eq(strlen(name), strlen(start) + 6);
    ck_assert_int_eq(strncmp(name, start, strlen(start)), 0);
    for (size_t i = strlen(start); name[i] != '\0'; i++) {
        ck_assert(isalnum((unsigned char)name[i]));
    }
    end();
}
END_TEST

START_TEST(test_setcred_establish_makes_a_cache_that_programs_can_use)
{
    uid_t uid = 0;

    NEEDS_ROOT();
    uid = common_uid("alice");
    common_establish(&stack, "");
    ck_assert(cache_fetch(common_cache(&stack), "app/service.test", uid, uid));
    end();
}
END_TEST

START_TEST(test_setcred_establish_leaves_the_hosts_environment)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    ck_assert_ptr_null(getenv("KRB5CCNAME"));
    end();
}
END_TEST

START_TEST(test_setcred_establish_again_changes_nothing)
{
    struct snapshot before;
    char name[256];

    NEEDS_ROOT();
    common_establish(&stack, "");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    before = common_snapshot(name);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), name);
    common_assert_same(&before, name);
    ck_assert_uint_eq(common_caches(), 1);
    end();
}
END_TEST

/* What sshd's child does: with its copy of the handle, as root. */
static int
establish_as_child(void *data)
{
    const char *name = data;
    int code = setcred(PAM_ESTABLISH_CRED);

    return code == PAM_SUCCESS && strcmp(common_cache(&stack), name) == 0 ? 0
                                                                          : 1;
}

START_TEST(test_setcred_establish_in_a_forked_child_changes_nothing)
{
    struct snapshot before;
    char name[256];

    NEEDS_ROOT();
    common_establish(&stack, "");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    before = common_snapshot(name);
    ck_assert_int_eq(common_in_child((struct ids){0, 0, 0}, common_uid("alice"),
                                     establish_as_child, name),
                     0);
    common_assert_same(&before, name);
    ck_assert_uint_eq(common_caches(), 1);
    end();
}
END_TEST

START_TEST(test_setcred_establish_without_login_does_nothing)
{
    NEEDS_ROOT();
    start_with_cache("alice", NULL);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    check_no_cache();
    end();
}
END_TEST

START_TEST(test_setcred_establish_without_login_leaves_the_hosts_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    before = common_snapshot(CACHE);
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), CACHE);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_establish_with_login_leaves_a_cache_of_the_host)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    before = common_snapshot(CACHE);
    login_with_cache(CACHE);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_str_ne(common_cache(&stack), CACHE);
    common_assert_same(&before, CACHE);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_establish_gives_each_session_its_own)
{
    struct stack second;

    NEEDS_ROOT();
    common_establish(&stack, "");
    common_establish(&second, "");
    ck_assert_str_ne(common_cache(&stack), common_cache(&second));
    stack_end(&second, PAM_SUCCESS);
    ck_assert(common_look(common_cache(&stack), "alice").readable);
    end();
}
END_TEST

/* sudo: authenticates as alice, then the handle is about bob. */
static void
become_about_bob(void)
{
    common_login(&stack, "");
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "bob"), PAM_SUCCESS);
}

START_TEST(test_setcred_for_another_user_touches_nobodys_cache)
{
    struct snapshot alices;
    struct snapshot bobs;
    const char *name = NULL;

    NEEDS_ROOT();
    name = common_with_uids("FILE:/tmp/krb5cc_<bob>");
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    common_kinit(name, "bob", "bob", an_hour_renewable, NO_SERVICE);
    alices = common_snapshot(CACHE);
    bobs = common_snapshot(name);
    ck_assert_int_eq(setenv("KRB5CCNAME", CACHE, 1), 0);
    become_about_bob();
    for (size_t i = 0; i < 4; i++) {
        EXPECT(setcred(four_flags[i]), PAM_SUCCESS);
        ck_assert_ptr_null(common_cache(&stack));
        ck_assert_uint_eq(common_caches(), 1);
    }
    end();
    common_assert_same(&alices, CACHE);
    common_assert_same(&bobs, name);
    remove_cache(name);
}
END_TEST

START_TEST(test_setcred_for_another_user_and_back_has_tickets_again)
{
    NEEDS_ROOT();
    become_about_bob();
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    check_no_cache();
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "alice"),
                     PAM_SUCCESS);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "alice");
    end();
}
END_TEST

/* Reinitialize, and refresh with own tickets, which is the same. */

static const int replacing_flags[] = {PAM_REINITIALIZE_CRED, PAM_REFRESH_CRED};

START_TEST(test_setcred_reinitialize_where_established_does_nothing)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_establish(&stack, "");
    before = common_snapshot(common_cache(&stack));
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    common_assert_same(&before, common_cache(&stack));
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_replaces_the_tickets)
{
    struct cache_view view;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), CACHE);
    view = check_alices(CACHE, 7200);
    ck_assert_int_eq(view.services, 0);
    ck_assert(common_logged(LOG_INFO, CACHE));
    end();
    /* A locker's handle leaves the desktop's cache. */
    (void)check_alices(CACHE, 7200);
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 1);
}
END_TEST

START_TEST(test_setcred_reinitialize_has_a_new_authtime)
{
    struct cache_view before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    before = common_look(CACHE, "alice");
    common_wait_until_after(before.authtime);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    ck_assert_int_gt(common_look(CACHE, "alice").authtime, before.authtime);
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_keeps_service_tickets)
{
    struct cache_view view;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, WITH_SERVICE);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    view = check_alices(CACHE, 7200);
    ck_assert_int_eq(view.services, 1);
    ck_assert_str_eq(view.first_service, "app/service.test@PAM.TEST");
    ck_assert_int_ge(view.configs, 2);
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_drops_expired_service_tickets)
{
    /* Long enough for the service ticket to be fetched. */
    static const int64_t lifetimes[] = {3, 86400};
    struct cache_view view;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", lifetimes, WITH_SERVICE);
    common_wait_until_after(common_look(CACHE, "alice").endtime);
    login_with_cache(CACHE);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    view = check_alices(CACHE, 7200);
    ck_assert_int_eq(view.services, 0);
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_twice_does_nothing_more)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    before = common_snapshot(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    common_assert_same(&before, CACHE);
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_after_a_second_login_replaces_again)
{
    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    (void)check_alices(CACHE, 3600);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    (void)check_alices(CACHE, 7200);
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_makes_a_target_that_is_gone)
{
    NEEDS_ROOT();
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    (void)check_alices(CACHE, 7200);
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_without_target_does_nothing)
{
    NEEDS_ROOT();
    login_with_cache(NULL);
    EXPECT(setcred(replacing_flags[_i]), PAM_SUCCESS);
    check_no_cache();
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 0);
    end();
}
END_TEST

START_TEST(test_setcred_reinitialize_spares_another_principals_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "bob", an_hour, NO_SERVICE);
    before = common_snapshot(CACHE);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "another principal"));
    end();
    common_assert_same(&before, CACHE);
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 1);
}
END_TEST

START_TEST(test_setcred_reinitialize_spares_what_is_no_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_write(cache_path(CACHE), "a letter to bob\n", common_uid("alice"),
                 0600);
    before = common_snapshot(CACHE);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "/tmp/home/alice/cache"));
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_reinitialize_spares_a_link)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(OTHER, "alice", "alice", an_hour, NO_SERVICE);
    before = common_snapshot(OTHER);
    ck_assert_int_eq(symlink(cache_path(OTHER), cache_path(CACHE)), 0);
    login_with_cache(CACHE);
    EXPECT(setcred(replacing_flags[_i]), PAM_CRED_ERR);
    end();
    common_assert_same(&before, OTHER);
}
END_TEST

START_TEST(test_setcred_reinitialize_cannot_write_another_users_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(BOBS, "bob", "bob", an_hour, NO_SERVICE);
    before = common_snapshot(BOBS);
    login_with_cache(BOBS);
    EXPECT(setcred(replacing_flags[_i]), PAM_CRED_ERR);
    end();
    common_assert_same(&before, BOBS);
    ck_assert_uint_eq(common_count("/tmp/home/bob", ""), 1);
}
END_TEST

START_TEST(test_setcred_reinitialize_without_login_does_nothing)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    before = common_snapshot(CACHE);
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

/* Refresh without own tickets: renewal. */

START_TEST(test_setcred_refresh_renews)
{
    struct cache_view before;
    struct cache_view after;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    before = common_look(CACHE, "alice");
    common_wait_until_after(before.starttime);
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    after = check_alices(CACHE, 3600);
    ck_assert_int_gt(after.endtime, before.endtime);
    /* Renewed, not acquired anew. */
    ck_assert_int_eq(after.authtime, before.authtime);
    ck_assert_int_eq(after.renew_till, before.renew_till);
    ck_assert_str_eq(common_cache(&stack), CACHE);
    ck_assert(common_logged(LOG_INFO, CACHE));
    ck_assert_uint_eq(stack.shown_count, 0);
    end();
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 1);
}
END_TEST

START_TEST(test_setcred_refresh_keeps_what_else_is_in_the_cache)
{
    struct cache_view before;
    struct cache_view after;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, WITH_SERVICE);
    before = common_look(CACHE, "alice");
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    after = check_alices(CACHE, 3600);
    ck_assert_int_eq(after.services, 1);
    ck_assert_str_eq(after.first_service, before.first_service);
    ck_assert_int_eq(after.configs, before.configs);
    end();
}
END_TEST

START_TEST(test_setcred_refresh_of_our_own_cache_from_another_handle_renews)
{
    struct stack owner;
    struct snapshot before;

    NEEDS_ROOT();
    common_establish(&owner, "ticket_lifetime=1h renew_lifetime=1d");
    before = common_snapshot(common_cache(&owner));
    start_with_cache("alice", common_cache(&owner));
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    ck_assert_uint_ne(common_snapshot(common_cache(&owner)).inode,
                      before.inode);
    (void)check_alices(common_cache(&owner), 3600);
    end();
    stack_end(&owner, PAM_SUCCESS);
}
END_TEST

START_TEST(test_setcred_refresh_leaves_an_expired_ticket)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", a_second, NO_SERVICE);
    before = common_snapshot(CACHE);
    common_wait_until_after(common_look(CACHE, "alice").endtime - 1);
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_EXPIRED);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_refresh_leaves_a_ticket_past_renew_till)
{
    static const int64_t lifetimes[] = {3600, 3600};
    struct snapshot before;
    struct cache_view view;

    NEEDS_ROOT();
    common_kinit("FILE:/tmp/home/zerorenew/cache", "zerorenew", "zerorenew",
                 lifetimes, NO_SERVICE);
    view = common_look("FILE:/tmp/home/zerorenew/cache", "zerorenew");
    ck_assert_int_le(view.renew_till, view.starttime);
    before = common_snapshot("FILE:/tmp/home/zerorenew/cache");
    start_with_cache("zerorenew", "FILE:/tmp/home/zerorenew/cache");
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_EXPIRED);
    end();
    common_assert_same(&before, "FILE:/tmp/home/zerorenew/cache");
}
END_TEST

START_TEST(test_setcred_refresh_leaves_a_ticket_that_is_not_renewable)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    before = common_snapshot(CACHE);
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    ck_assert(common_logged(LOG_INFO, "not renewable"));
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_refresh_without_target_does_nothing)
{
    NEEDS_ROOT();
    start_with_cache("alice", NULL);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    check_no_cache();
    end();
}
END_TEST

START_TEST(test_setcred_refresh_of_a_cache_that_is_gone_does_nothing)
{
    NEEDS_ROOT();
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    ck_assert(!common_exists(cache_path(CACHE)));
    end();
}
END_TEST

/* Things in a cache's place that cannot be read as one. */

static void
put_garbage(void)
{
    common_write(cache_path(CACHE), "a letter to bob\n", common_uid("alice"),
                 0600);
}

static void
put_half_a_cache(void)
{
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    ck_assert_int_eq(truncate(cache_path(CACHE), 300), 0);
}

static void
put_bobs_file(void)
{
    common_kinit(BOBS, "bob", "alice", an_hour_renewable, NO_SERVICE);
    ck_assert_int_eq(rename(cache_path(BOBS), cache_path(CACHE)), 0);
}

static void
put_readable_file_of_bob(void)
{
    put_bobs_file();
    ck_assert_int_eq(chmod(cache_path(CACHE), 0644), 0);
}

static void
put_roots_file(void)
{
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    ck_assert_int_eq(chown(cache_path(CACHE), 0, 0), 0);
}

static void
put_directory(void)
{
    uid_t uid = common_uid("alice");

    ck_assert_int_eq(mkdir(cache_path(CACHE), 0700), 0);
    ck_assert_int_eq(chown(cache_path(CACHE), uid, uid), 0);
}

static void
put_link(void)
{
    common_kinit(OTHER, "alice", "alice", an_hour_renewable, NO_SERVICE);
    ck_assert_int_eq(symlink(cache_path(OTHER), cache_path(CACHE)), 0);
}

static void
put_unreadable_file(void)
{
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    ck_assert_int_eq(chmod(cache_path(CACHE), 0), 0);
}

static void
put_pipe(void)
{
    uid_t uid = common_uid("alice");

    ck_assert_int_eq(mkfifo(cache_path(CACHE), 0600), 0);
    ck_assert_int_eq(chown(cache_path(CACHE), uid, uid), 0);
}

/* The last one is still known to be alice's: it may be made good again. */
static void (*const unreadable[])(void) = {
    put_garbage,         put_bobs_file, put_readable_file_of_bob,
    put_roots_file,      put_directory, put_link,
    put_unreadable_file, put_pipe,      put_half_a_cache,
};

#define UNREADABLE_COUNT ((int)(sizeof(unreadable) / sizeof(unreadable[0])))
#define FOREIGN_COUNT (UNREADABLE_COUNT - 1)

START_TEST(test_setcred_refresh_leaves_a_cache_that_cannot_be_read)
{
    struct snapshot before;

    NEEDS_ROOT();
    unreadable[_i]();
    before = common_snapshot(CACHE);
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    ck_assert(common_logged(LOG_ERR, "/tmp/home/alice/cache"));
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_refresh_of_an_unsupported_kind_names_it)
{
    NEEDS_ROOT();
    start_with_cache("alice", "KEYRING:process:here");
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    ck_assert(common_logged(LOG_ERR, "KEYRING:process:here"));
    end();
}
END_TEST

START_TEST(test_setcred_refresh_without_kdc_leaves_the_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, WITH_SERVICE);
    before = common_snapshot(CACHE);
    common_config_kdc(common_dead_port());
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    end();
    common_assert_same(&before, CACHE);
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 1);
}
END_TEST

START_TEST(test_setcred_refresh_with_a_silent_kdc_leaves_the_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    before = common_snapshot(CACHE);
    common_config_kdc(common_silent_port());
    common_start(&stack, "alice", "timeout=1", no_answers);
    common_set_cache(&stack, CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_refresh_that_the_kdc_refuses_leaves_the_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    before = common_snapshot(CACHE);
    /* The KDC does not know its own ticket again. */
    common_kadmin("cpw -randkey krbtgt/PAM.TEST@PAM.TEST");
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_refresh_cannot_renew_another_users_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(BOBS, "bob", "bob", an_hour_renewable, NO_SERVICE);
    before = common_snapshot(BOBS);
    start_with_cache("alice", BOBS);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    end();
    common_assert_same(&before, BOBS);
}
END_TEST

START_TEST(test_setcred_refresh_of_a_user_ignored_in_krb5_conf_does_nothing)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    before = common_snapshot(CACHE);
    common_config("[appdefaults]\nminimum_uid = 62000");
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

/* Whose cache is the target. */

static int
refresh_in_child(void *data)
{
    (void)data;
    return setcred(PAM_REFRESH_CRED);
}

/* Refreshes for alice in a process with IDS; whether NAME was written. */
static bool
is_target_of(struct ids ids, const char *name)
{
    struct snapshot before = common_snapshot(name);

    ck_assert(before.exists);
    start_with_cache("alice", NULL);
    EXPECT(common_in_child(ids, common_uid("alice"), refresh_in_child, NULL),
           PAM_SUCCESS);
    end();
    return common_snapshot(name).inode != before.inode;
}

static struct ids
wholly_alice(void)
{
    uid_t uid = common_uid("alice");

    return (struct ids){uid, uid, uid};
}

START_TEST(test_setcred_target_is_the_users_own_environment)
{
    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    ck_assert_int_eq(setenv("KRB5CCNAME", CACHE, 1), 0);
    ck_assert(is_target_of(wholly_alice(), CACHE));
    (void)check_alices(CACHE, 3600);
}
END_TEST

START_TEST(test_setcred_target_is_the_librarys_default)
{
    NEEDS_ROOT();
    common_kinit(DEFAULT_CACHE, "alice", "alice", an_hour_renewable,
                 NO_SERVICE);
    ck_assert(is_target_of(wholly_alice(), DEFAULT_CACHE));
    (void)check_alices(DEFAULT_CACHE, 3600);
    remove_cache(DEFAULT_CACHE);
}
END_TEST

START_TEST(test_setcred_target_is_the_default_that_krb5_conf_names)
{
    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    common_config("[libdefaults]\n"
                  "default_ccache_name = FILE:/tmp/home/alice/cache");
    ck_assert(is_target_of(wholly_alice(), CACHE));
}
END_TEST

START_TEST(test_setcred_target_of_the_pam_environment_comes_first)
{
    struct snapshot before;
    struct snapshot target;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    common_kinit(OTHER, "alice", "alice", an_hour_renewable, NO_SERVICE);
    before = common_snapshot(OTHER);
    target = common_snapshot(CACHE);
    ck_assert_int_eq(setenv("KRB5CCNAME", OTHER, 1), 0);
    start_with_cache("alice", CACHE);
    EXPECT(common_in_child(wholly_alice(), common_uid("alice"),
                           refresh_in_child, NULL),
           PAM_SUCCESS);
    end();
    common_assert_same(&before, OTHER);
    ck_assert_uint_ne(common_snapshot(CACHE).inode, target.inode);
}
END_TEST

/* Processes that are not wholly alice. */
static const char *const not_alice[][3] = {
    {"root", "root", "root"},   /* gdm, sshd */
    {"alice", "root", "root"},  /* su, sudo */
    {"root", "alice", "root"},  /* cron's child for a moment */
    {"alice", "alice", "root"}, /* may become root again */
    {"bob", "bob", "bob"},
};

#define NOT_ALICE_COUNT ((int)(sizeof(not_alice) / sizeof(not_alice[0])))

START_TEST(test_setcred_target_is_not_the_environment_of_another_process)
{
    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour_renewable, NO_SERVICE);
    ck_assert_int_eq(setenv("KRB5CCNAME", CACHE, 1), 0);
    ck_assert(!is_target_of(common_ids(not_alice[_i]), CACHE));
}
END_TEST

START_TEST(test_setcred_target_is_not_the_default_of_another_process)
{
    NEEDS_ROOT();
    common_kinit(DEFAULT_CACHE, "alice", "alice", an_hour_renewable,
                 NO_SERVICE);
    ck_assert(!is_target_of(common_ids(not_alice[_i]), DEFAULT_CACHE));
    remove_cache(DEFAULT_CACHE);
}
END_TEST

START_TEST(test_setcred_target_is_never_roots_environment)
{
    struct snapshot before;

    NEEDS_ROOT();
    ck_assert(cache_kinit("FILE:/tmp/home/root-cache", "alice",
                          "alice-password", an_hour_renewable, 0, 0));
    before = common_snapshot("FILE:/tmp/home/root-cache");
    ck_assert_int_eq(setenv("KRB5CCNAME", "FILE:/tmp/home/root-cache", 1), 0);
    start_with_cache("root", NULL);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    end();
    common_assert_same(&before, "FILE:/tmp/home/root-cache");
    remove_cache("FILE:/tmp/home/root-cache");
}
END_TEST

/* Delete. */

START_TEST(test_setcred_delete_destroys_the_sessions_cache)
{
    char path[256];

    NEEDS_ROOT();
    common_establish(&stack, "");
    (void)snprintf(path, sizeof(path), "%s", cache_path(common_cache(&stack)));
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert(!common_exists(path));
    check_no_cache();
    end();
}
END_TEST

START_TEST(test_setcred_delete_twice_does_nothing_more)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    stack_log_clear();
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert_str_eq(stack_log(), "");
    end();
}
END_TEST

START_TEST(test_setcred_delete_without_a_cache_of_ours_does_nothing)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, NO_SERVICE);
    before = common_snapshot(CACHE);
    start_with_cache("alice", CACHE);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), CACHE);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_delete_of_a_locker_leaves_the_desktops_cache)
{
    struct stack desktop;
    struct snapshot before;

    NEEDS_ROOT();
    common_establish(&desktop, "");
    login_with_cache(common_cache(&desktop));
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    before = common_snapshot(common_cache(&desktop));
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    end();
    common_assert_same(&before, common_cache(&desktop));
    stack_end(&desktop, PAM_SUCCESS);
}
END_TEST

START_TEST(test_setcred_delete_leaves_a_name_that_is_not_ours)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    common_set_cache(&stack, CACHE);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), CACHE);
    ck_assert_uint_eq(common_caches(), 0);
    end();
}
END_TEST

START_TEST(test_setcred_delete_for_another_user_destroys_the_owners)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_USER, "bob"), PAM_SUCCESS);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    check_no_cache();
    end();
}
END_TEST

START_TEST(test_setcred_delete_of_a_cache_that_is_gone_succeeds)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    remove_cache(common_cache(&stack));
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    check_no_cache();
    end();
}
END_TEST

START_TEST(test_setcred_delete_after_reinitialize_destroys)
{
    NEEDS_ROOT();
    common_establish(&stack, "");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(common_caches(), 1);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    check_no_cache();
    end();
}
END_TEST

/* Flags. */

START_TEST(test_setcred_without_flag_establishes)
{
    static const int none[] = {0, PAM_SILENT};

    NEEDS_ROOT();
    common_login(&stack, "");
    EXPECT(setcred(none[_i]), PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "alice");
    end();
}
END_TEST

static const int two_flags[] = {
    PAM_ESTABLISH_CRED | PAM_DELETE_CRED,
    PAM_ESTABLISH_CRED | PAM_REFRESH_CRED,
    PAM_REINITIALIZE_CRED | PAM_REFRESH_CRED,
    PAM_DELETE_CRED | PAM_REINITIALIZE_CRED | PAM_SILENT,
    PAM_ESTABLISH_CRED | PAM_DELETE_CRED | PAM_REINITIALIZE_CRED |
        PAM_REFRESH_CRED,
};

#define TWO_FLAGS_COUNT ((int)(sizeof(two_flags) / sizeof(two_flags[0])))

START_TEST(test_setcred_with_two_flags_is_an_error_of_the_host)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_establish(&stack, "");
    before = common_snapshot(common_cache(&stack));
    EXPECT(setcred(two_flags[_i]), PAM_SYSTEM_ERR);
    ck_assert(common_logged(LOG_ERR, "setcred"));
    common_assert_same(&before, common_cache(&stack));
    end();
}
END_TEST

/* Who cannot have a cache. */

START_TEST(test_setcred_with_login_but_no_account_is_unknown)
{
    static const int flags[] = {PAM_ESTABLISH_CRED, PAM_REINITIALIZE_CRED,
                                PAM_REFRESH_CRED};
    static const char *const answers[] = {"nobodys-password", NULL};

    NEEDS_ROOT();
    common_kadmin("addprinc -pw nobodys-password -clearpolicy nobodys");
    common_start(&stack, "nobodys", "", answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(setcred(flags[_i]), PAM_USER_UNKNOWN);
    check_no_cache();
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    end();
}
END_TEST

START_TEST(test_setcred_with_login_but_no_account_leaves_the_target)
{
    static const int flags[] = {PAM_ESTABLISH_CRED, PAM_REINITIALIZE_CRED,
                                PAM_REFRESH_CRED};
    static const char *const answers[] = {"nobodys-password", NULL};
    struct snapshot before;

    NEEDS_ROOT();
    common_kadmin("addprinc -pw nobodys-password -clearpolicy nobodys");
    common_kinit(CACHE, "alice", "nobodys", an_hour, NO_SERVICE);
    before = common_snapshot(CACHE);
    common_start(&stack, "nobodys", "", answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    common_set_cache(&stack, CACHE);
    EXPECT(setcred(flags[_i]), PAM_USER_UNKNOWN);
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

/* bob's program lets alice log in: it may not become her. */
static int
login_and_establish(void *data)
{
    int code = PAM_SYSTEM_ERR;

    (void)data;
    common_start(&stack, "alice", "", alice_answers);
    if (pam_authenticate(stack.handle, 0) != PAM_SUCCESS) {
        fprintf(stderr, "%s", stack_log());
        return PAM_SYSTEM_ERR;
    }
    code = setcred(PAM_ESTABLISH_CRED);
    if (common_cache(&stack) != NULL || common_log_count(LOG_ERR) != 1) {
        fprintf(stderr, "%s", stack_log());
        return PAM_SYSTEM_ERR;
    }
    end();
    return code;
}

START_TEST(test_setcred_by_a_host_that_may_not_become_the_user_fails)
{
    uid_t bob = 0;

    NEEDS_ROOT();
    bob = common_uid("bob");
    EXPECT(common_in_child((struct ids){bob, bob, bob}, bob,
                           login_and_establish, NULL),
           PAM_CRED_ERR);
    ck_assert_uint_eq(common_caches(), 0);
}
END_TEST

/* Names. */

START_TEST(test_setcred_no_ccache_makes_none)
{
    NEEDS_ROOT();
    common_login(&stack, "no_ccache");
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(pam_open_session(stack.handle, 0), PAM_SUCCESS);
    check_no_cache();
    end();
}
END_TEST

/* Templates and the names they make; "*" stands for six random characters. */
static const struct name_case {
    const char *template;
    const char *name;
} name_cases[] = {
    {"ccache=FILE:/tmp/home/alice/u_%u", "FILE:/tmp/home/alice/u_<alice>"},
    {"ccache=FILE:/tmp/home/alice/u_%{uid}", "FILE:/tmp/home/alice/u_<alice>"},
    {"ccache=FILE:/tmp/home/%{username}/cc", "FILE:/tmp/home/alice/cc"},
    {"ccache=FILE:/tmp/home/alice/%{service}",
     "FILE:/tmp/home/alice/krb5cc-test"},
    {"ccache=/tmp/home/alice/cc_%u_XXXXXX", "/tmp/home/alice/cc_<alice>_*"},
    {"ccache=FILE:/tmp/home/alice/cc_XXXXXX", "FILE:/tmp/home/alice/cc_*"},
    {"ccache=FILE:/tmp/home/alice/XXXXXX_cc", "FILE:/tmp/home/alice/XXXXXX_cc"},
    {"ccache_dir=/tmp/home/alice", "FILE:/tmp/home/alice/krb5cc_<alice>_*"},
    {"ccache_dir=FILE:/tmp/home/alice",
     "FILE:/tmp/home/alice/krb5cc_<alice>_*"},
};

#define NAME_COUNT ((int)(sizeof(name_cases) / sizeof(name_cases[0])))

START_TEST(test_setcred_names_the_cache_by_the_template)
{
    const char *expected = NULL;
    size_t length = 0;
    bool is_random = false;
    const char *name = NULL;

    NEEDS_ROOT();
    expected = common_with_uids(name_cases[_i].name);
    length = strlen(expected);
    is_random = expected[length - 1] == '*';
    common_establish(&stack, name_cases[_i].template);
    name = common_cache(&stack);
    if (is_random) {
        length--;
        ck_assert_uint_eq(strlen(name), length + 6);
        ck_assert_str_ne(name + length, "XXXXXX");
    } else {
        ck_assert_uint_eq(strlen(name), length);
    }
    ck_assert_msg(strncmp(name, expected, length) == 0, "%s", name);
    common_assert_owned(name, "alice");
    ck_assert_int_eq(common_look(name, "alice").tgts, 1);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 0);
    end();
}
END_TEST

START_TEST(test_setcred_names_the_cache_by_the_hosts_process)
{
    char expected[64];

    NEEDS_ROOT();
    common_establish(&stack, "ccache=FILE:/tmp/home/alice/%p");
    (void)snprintf(expected, sizeof(expected), "FILE:/tmp/home/alice/%d",
                   (int)getpid());
    ck_assert_str_eq(common_cache(&stack), expected);
    end();
}
END_TEST

#define FIXED "ticket_lifetime=2h ccache=FILE:/tmp/home/alice/cache"

START_TEST(test_setcred_fixed_name_replaces_older_tickets)
{
    struct cache_view view;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "alice", an_hour, WITH_SERVICE);
    common_establish(&stack, FIXED);
    ck_assert_str_eq(common_cache(&stack), CACHE);
    view = check_alices(CACHE, 7200);
    ck_assert_int_eq(view.services, 1);
    end();
}
END_TEST

START_TEST(test_setcred_fixed_name_repairs_half_a_cache)
{
    NEEDS_ROOT();
    put_half_a_cache();
    common_establish(&stack, FIXED);
    (void)check_alices(CACHE, 7200);
    end();
}
END_TEST

START_TEST(test_setcred_fixed_name_spares_another_principals_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(CACHE, "alice", "bob", an_hour, NO_SERVICE);
    before = common_snapshot(CACHE);
    common_login(&stack, FIXED);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "another principal"));
    check_no_cache();
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

START_TEST(test_setcred_fixed_name_spares_what_is_no_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    unreadable[_i]();
    before = common_snapshot(CACHE);
    common_login(&stack, FIXED);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "/tmp/home/alice/cache"));
    check_no_cache();
    end();
    common_assert_same(&before, CACHE);
}
END_TEST

/* Names that cannot be made, and what the log says of them. */
static const struct bad_case {
    const char *arguments;
    const char *said;
} bad_cases[] = {
    {"ccache=FILE:/tmp/home/alice/%x", "%x"},
    {"ccache=FILE:/tmp/home/alice/100%", "100%"},
    {"ccache=FILE:/tmp/home/alice/%{realm}", "%{realm}"},
    {"ccache=FILE:/tmp/home/alice/none/cc_XXXXXX", "/tmp/home/alice/none/cc_"},
    {"ccache=FILE:/tmp/home/alice/none/cc", "/tmp/home/alice/none/cc"},
    {"ccache=FILE:/tmp/home/bob/cc_XXXXXX", "/tmp/home/bob/cc_"},
    {"ccache=FILE:relative_XXXXXX", "relative_"},
    {"ccache=relative", "relative"},
    {"ccache_dir=/tmp/home/bob", "/tmp/home/bob/krb5cc_<alice>_"},
    {"ccache=KEYRING:process:here", "KEYRING:process:here"},
    {"ccache=KEYRING:thread:here", "KEYRING:thread:here"},
    {"ccache=KEYRING:nonsense:%u", "KEYRING:nonsense:<alice>"},
    {"ccache=MEMORY:here", "MEMORY:here"},
    {"ccache=API:here", "API:here"},
    {"ccache=NONSENSE:here_XXXXXX", "NONSENSE:here_"},
};

#define BAD_COUNT ((int)(sizeof(bad_cases) / sizeof(bad_cases[0])))

START_TEST(test_setcred_name_that_cannot_be_made_is_an_error)
{
    const struct bad_case *row = &bad_cases[_i];

    NEEDS_ROOT();
    common_login(&stack, row->arguments);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert_msg(common_logged(LOG_ERR, common_with_uids(row->said)), "%s",
                  stack_log());
    check_no_cache();
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 0);
    ck_assert_uint_eq(common_count("/tmp/home/bob", ""), 0);
    end();
}
END_TEST

START_TEST(test_setcred_failure_can_be_tried_again)
{
    uid_t uid = 0;

    NEEDS_ROOT();
    uid = common_uid("alice");
    common_login(&stack, "ccache_dir=/tmp/home/alice/later");
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert_int_eq(mkdir("/tmp/home/alice/later", 0700), 0);
    ck_assert_int_eq(chown("/tmp/home/alice/later", uid, uid), 0);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "alice");
    end();
}
END_TEST

START_TEST(test_setcred_without_helper_is_an_error)
{
    char text[2048];

    NEEDS_ROOT();
    /* setcred goes down the lines of auth, so the helper must vanish. */
    ck_assert_int_eq(mkdir("/mnt/passing", 0755), 0);
    (void)snprintf(text, sizeof(text), "cp %s /mnt/passing/helper",
                   stack_helper());
    ck_assert_int_eq(system(text), 0);
    common_login(&stack, "helper=/mnt/passing/helper");
    ck_assert_int_eq(system("rm -r /mnt/passing"), 0);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "/mnt/passing/helper"));
    check_no_cache();
    end();
}
END_TEST

static void
add_establish(Suite *suite)
{
    TCase *tcase = common_case(suite, "establish");

    tcase_add_test(tcase, test_setcred_establish_makes_the_users_cache);
    tcase_add_test(tcase,
                   test_setcred_establish_keeps_the_configuration_entries);
    tcase_add_test(tcase,
                   test_setcred_establish_names_the_cache_by_uid_and_chance);
    tcase_add_test(tcase,
                   test_setcred_establish_makes_a_cache_that_programs_can_use);
    tcase_add_test(tcase, test_setcred_establish_leaves_the_hosts_environment);
    tcase_add_test(tcase, test_setcred_establish_again_changes_nothing);
    tcase_add_test(tcase,
                   test_setcred_establish_in_a_forked_child_changes_nothing);
    tcase_add_test(tcase, test_setcred_establish_without_login_does_nothing);
    tcase_add_test(tcase,
                   test_setcred_establish_without_login_leaves_the_hosts_cache);
    tcase_add_test(
        tcase, test_setcred_establish_with_login_leaves_a_cache_of_the_host);
    tcase_add_test(tcase, test_setcred_establish_gives_each_session_its_own);
    tcase_add_test(tcase, test_setcred_for_another_user_touches_nobodys_cache);
    tcase_add_test(tcase,
                   test_setcred_for_another_user_and_back_has_tickets_again);
}

static void
add_reinitialize(Suite *suite)
{
    TCase *tcase = common_case(suite, "reinitialize");
    const TTest *const tests[] = {
        test_setcred_reinitialize_where_established_does_nothing,
        test_setcred_reinitialize_replaces_the_tickets,
        test_setcred_reinitialize_has_a_new_authtime,
        test_setcred_reinitialize_keeps_service_tickets,
        test_setcred_reinitialize_twice_does_nothing_more,
        test_setcred_reinitialize_after_a_second_login_replaces_again,
        test_setcred_reinitialize_makes_a_target_that_is_gone,
        test_setcred_reinitialize_without_target_does_nothing,
        test_setcred_reinitialize_spares_another_principals_cache,
        test_setcred_reinitialize_spares_what_is_no_cache,
        test_setcred_reinitialize_spares_a_link,
        test_setcred_reinitialize_cannot_write_another_users_cache,
    };

    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        tcase_add_loop_test(tcase, tests[i], 0, 2);
    }
    tcase_add_test(tcase,
                   test_setcred_reinitialize_drops_expired_service_tickets);
    tcase_add_test(tcase, test_setcred_reinitialize_without_login_does_nothing);
}

static void
add_refresh(Suite *suite)
{
    TCase *tcase = common_case(suite, "refresh");

    tcase_add_test(tcase, test_setcred_refresh_renews);
    tcase_add_test(tcase, test_setcred_refresh_keeps_what_else_is_in_the_cache);
    tcase_add_test(
        tcase,
        test_setcred_refresh_of_our_own_cache_from_another_handle_renews);
    tcase_add_test(tcase, test_setcred_refresh_leaves_an_expired_ticket);
    tcase_add_test(tcase, test_setcred_refresh_leaves_a_ticket_past_renew_till);
    tcase_add_test(tcase,
                   test_setcred_refresh_leaves_a_ticket_that_is_not_renewable);
    tcase_add_test(tcase, test_setcred_refresh_without_target_does_nothing);
    tcase_add_test(tcase,
                   test_setcred_refresh_of_a_cache_that_is_gone_does_nothing);
    tcase_add_loop_test(tcase,
                        test_setcred_refresh_leaves_a_cache_that_cannot_be_read,
                        0, UNREADABLE_COUNT);
    tcase_add_test(tcase, test_setcred_refresh_of_an_unsupported_kind_names_it);
    tcase_add_test(tcase, test_setcred_refresh_without_kdc_leaves_the_cache);
    tcase_add_test(tcase,
                   test_setcred_refresh_with_a_silent_kdc_leaves_the_cache);
    tcase_add_test(tcase,
                   test_setcred_refresh_that_the_kdc_refuses_leaves_the_cache);
    tcase_add_test(tcase,
                   test_setcred_refresh_cannot_renew_another_users_cache);
    tcase_add_test(
        tcase,
        test_setcred_refresh_of_a_user_ignored_in_krb5_conf_does_nothing);
}

static void
add_target(Suite *suite)
{
    TCase *tcase = common_case(suite, "target");

    tcase_add_test(tcase, test_setcred_target_is_the_users_own_environment);
    tcase_add_test(tcase, test_setcred_target_is_the_librarys_default);
    tcase_add_test(tcase,
                   test_setcred_target_is_the_default_that_krb5_conf_names);
    tcase_add_test(tcase,
                   test_setcred_target_of_the_pam_environment_comes_first);
    tcase_add_loop_test(
        tcase, test_setcred_target_is_not_the_environment_of_another_process, 0,
        NOT_ALICE_COUNT);
    tcase_add_loop_test(
        tcase, test_setcred_target_is_not_the_default_of_another_process, 0,
        NOT_ALICE_COUNT);
    tcase_add_test(tcase, test_setcred_target_is_never_roots_environment);
}

static void
add_delete(Suite *suite)
{
    TCase *tcase = common_case(suite, "delete");

    tcase_add_test(tcase, test_setcred_delete_destroys_the_sessions_cache);
    tcase_add_test(tcase, test_setcred_delete_twice_does_nothing_more);
    tcase_add_test(tcase,
                   test_setcred_delete_without_a_cache_of_ours_does_nothing);
    tcase_add_test(tcase,
                   test_setcred_delete_of_a_locker_leaves_the_desktops_cache);
    tcase_add_test(tcase, test_setcred_delete_leaves_a_name_that_is_not_ours);
    tcase_add_test(tcase,
                   test_setcred_delete_for_another_user_destroys_the_owners);
    tcase_add_test(tcase, test_setcred_delete_of_a_cache_that_is_gone_succeeds);
    tcase_add_test(tcase, test_setcred_delete_after_reinitialize_destroys);
}

static void
add_calls(Suite *suite)
{
    TCase *tcase = common_case(suite, "calls");

    tcase_add_loop_test(tcase, test_setcred_without_flag_establishes, 0, 2);
    tcase_add_loop_test(tcase,
                        test_setcred_with_two_flags_is_an_error_of_the_host, 0,
                        TWO_FLAGS_COUNT);
    tcase_add_loop_test(
        tcase, test_setcred_with_login_but_no_account_is_unknown, 0, 3);
    tcase_add_loop_test(
        tcase, test_setcred_with_login_but_no_account_leaves_the_target, 0, 3);
    tcase_add_test(tcase,
                   test_setcred_by_a_host_that_may_not_become_the_user_fails);
    tcase_add_test(tcase, test_setcred_without_helper_is_an_error);
}

static void
add_names(Suite *suite)
{
    TCase *tcase = common_case(suite, "names");

    tcase_add_test(tcase, test_setcred_no_ccache_makes_none);
    tcase_add_loop_test(tcase, test_setcred_names_the_cache_by_the_template, 0,
                        NAME_COUNT);
    tcase_add_test(tcase, test_setcred_names_the_cache_by_the_hosts_process);
    tcase_add_test(tcase, test_setcred_fixed_name_replaces_older_tickets);
    tcase_add_test(tcase, test_setcred_fixed_name_repairs_half_a_cache);
    tcase_add_test(tcase,
                   test_setcred_fixed_name_spares_another_principals_cache);
    tcase_add_loop_test(tcase, test_setcred_fixed_name_spares_what_is_no_cache,
                        0, FOREIGN_COUNT);
    tcase_add_loop_test(
        tcase, test_setcred_name_that_cannot_be_made_is_an_error, 0, BAD_COUNT);
    tcase_add_test(tcase, test_setcred_failure_can_be_tried_again);
}

int
main(void)
{
    Suite *suite = suite_create("setcred");

    add_establish(suite);
    add_reinitialize(suite);
    add_refresh(suite);
    add_target(suite);
    add_delete(suite);
    add_calls(suite);
    add_names(suite);
    return suite_main(suite);
}
