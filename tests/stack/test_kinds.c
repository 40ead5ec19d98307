/*
 * One list of behaviours, run over every kind of cache, for a real account on
 * the real libpam.  A case is a kind, so that CK_RUN_CASE=KCM is all of KCM.
 * What is in a cache is what its user sees of it in a fresh process.
 */
#include <string.h>
#include <syslog.h>

#include "stack/common.h"
#include "stack/kinds.h"
#include "stack/scene.h"
#include "support/keys.h"

static struct stack stack;

/* The cache that is there before the session, and what was in it. */
static char planted[SCENE_NAME_MAX];
static struct cache_view before;

static void
plant(const struct kind *kind, enum scene_tickets tickets)
{
    scene_plant_in(kind, "Planet", tickets, planted);
    before = common_look(planted, "alice");
}

static int
setcred(int flags)
{
    return pam_setcred(stack.handle, flags);
}

static int
close_session(void)
{
    return pam_close_session(stack.handle, 0);
}

static void
end(const struct kind *kind)
{
    stack_end(&stack, PAM_SUCCESS);
    kinds_clear(kind, "alice");
}

/* NAME is alice's, with one TGT, and is all that she has in KIND. */
static void
check_only_cache(const struct kind *kind, const char *name)
{
    kinds_assert_owned(kind, name, "alice");
    scene_assert_seen(kind, name);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
}

/* Establish, and the ends. */

START_TEST(test_kinds_establish_makes_the_users_cache)
{
    SCENE_BEGIN(kind);
    kinds_establish(kind, &stack, "alice", "");
    kinds_assert_name(kind, common_cache(&stack), "alice");
    check_only_cache(kind, common_cache(&stack));
    ck_assert_int_eq(common_look(common_cache(&stack), "alice").services, 0);
    ck_assert_int_ge(common_look(common_cache(&stack), "alice").configs, 2);
    ck_assert(common_logged(LOG_INFO, common_cache(&stack)));
    if (kind->is_collection) {
        scene_assert_primary(kind, common_cache(&stack));
    }
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

static int
delete_cache(void)
{
    return setcred(PAM_DELETE_CRED);
}

static int
end_handle(void)
{
    stack_end(&stack, PAM_SUCCESS);
    return PAM_SUCCESS;
}

/* After END_OF_IT the session's cache is gone, and nothing else. */
static void
check_end(const struct kind *kind, int (*end_of_it)(void))
{
    char name[SCENE_NAME_MAX];

    plant(kind, SCENE_BOB);
    kinds_establish(kind, &stack, "alice", "");
    (void)strcpy(name, common_cache(&stack));
    ck_assert_str_ne(name, planted);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 2);
    EXPECT(end_of_it(), PAM_SUCCESS);
    scene_assert_gone(kind, name);
    scene_assert_same(&before, planted);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
}

START_TEST(test_kinds_delete_destroys_the_sessions_cache)
{
    SCENE_BEGIN(kind);
    check_end(kind, delete_cache);
    ck_assert_ptr_null(common_cache(&stack));
    EXPECT(delete_cache(), PAM_SUCCESS);
    end(kind);
}
END_TEST

START_TEST(test_kinds_close_destroys_the_sessions_cache)
{
    SCENE_BEGIN(kind);
    check_end(kind, close_session);
    ck_assert_ptr_null(common_cache(&stack));
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

START_TEST(test_kinds_end_of_the_handle_destroys_the_sessions_cache)
{
    SCENE_BEGIN(kind);
    check_end(kind, end_handle);
    kinds_clear(kind, "alice");
}
END_TEST

/* Refresh and reinitialize. */

START_TEST(test_kinds_refresh_renews)
{
    struct cache_view after;

    SCENE_BEGIN(kind);
    plant(kind, SCENE_ALICE);
    common_wait_until_after(scene_begun());
    scene_start(kind, &stack, planted);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    check_only_cache(kind, planted);
    after = common_look(planted, "alice");
    ck_assert_int_eq(after.authtime, before.authtime);
    ck_assert_int_gt(after.starttime, before.starttime);
    ck_assert_int_gt(after.endtime, before.endtime);
    ck_assert_int_eq(after.services, before.services);
    ck_assert_int_eq(after.configs, before.configs);
    ck_assert_str_eq(common_cache(&stack), planted);
    end(kind);
}
END_TEST

/* FLAG puts new tickets in the place of those that are there. */
static void
check_replaced(const struct kind *kind, int flag)
{
    plant(kind, SCENE_ALICE);
    ck_assert_int_eq(before.services, 1);
    ck_assert_int_ge(before.configs, 2);
    scene_login(kind, &stack, planted);
    EXPECT(setcred(flag), PAM_SUCCESS);
    check_only_cache(kind, planted);
    scene_assert_new(planted);
    ck_assert_int_eq(common_look(planted, "alice").services, 1);
    ck_assert_int_eq(common_look(planted, "alice").configs, before.configs);
    ck_assert_str_eq(common_cache(&stack), planted);
    end(kind);
}

START_TEST(test_kinds_refresh_after_login_replaces_the_tickets)
{
    SCENE_BEGIN(kind);
    check_replaced(kind, PAM_REFRESH_CRED);
}
END_TEST

START_TEST(test_kinds_reinitialize_replaces_the_tickets)
{
    SCENE_BEGIN(kind);
    check_replaced(kind, PAM_REINITIALIZE_CRED);
}
END_TEST

/* A service that acts for others has tickets of theirs in its cache. */
START_TEST(test_kinds_reinitialize_keeps_another_clients_ticket)
{
    SCENE_BEGIN(kind);
    plant(kind, SCENE_BARE);
    scene_add_evidence(planted);
    scene_login(kind, &stack, planted);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    check_only_cache(kind, planted);
    ck_assert_int_eq(common_look(planted, "alice").services, 1);
    ck_assert_ptr_nonnull(
        strstr(scene_klist(planted, ""), "for client bob@PAM.TEST"));
    end(kind);
}
END_TEST

/* The cache is another principal's. */

START_TEST(test_kinds_reinitialize_spares_another_principals_cache)
{
    static const int flags[] = {PAM_REINITIALIZE_CRED, PAM_REFRESH_CRED};

    SCENE_BEGIN(kind);
    plant(kind, SCENE_BOB);
    scene_login(kind, &stack, planted);
    for (size_t i = 0; i < 2; i++) {
        EXPECT(setcred(flags[i]), PAM_CRED_ERR);
        scene_assert_same(&before, planted);
    }
    ck_assert(common_logged(LOG_ERR, "cache of another principal"));
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    end(kind);
}
END_TEST

/* Where the planted cache was the primary of a collection it still is. */
static void
check_still_primary(const struct kind *kind)
{
    scene_assert_same(&before, planted);
    if (kind->is_collection) {
        scene_assert_primary(kind, planted);
    }
}

START_TEST(test_kinds_establish_leaves_another_principal_primary)
{
    SCENE_BEGIN(kind);
    plant(kind, SCENE_BOB);
    kinds_establish(kind, &stack, "alice", "");
    kinds_assert_name(kind, common_cache(&stack), "alice");
    kinds_assert_owned(kind, common_cache(&stack), "alice");
    scene_assert_seen(kind, common_cache(&stack));
    check_still_primary(kind);
    EXPECT(close_session(), PAM_SUCCESS);
    check_still_primary(kind);
    end(kind);
}
END_TEST

/* Expired. */

START_TEST(test_kinds_refresh_leaves_an_expired_ticket)
{
    SCENE_BEGIN(kind);
    plant(kind, SCENE_EXPIRED);
    scene_start(kind, &stack, planted);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_EXPIRED);
    scene_assert_same(&before, planted);
    end(kind);
}
END_TEST

START_TEST(test_kinds_reinitialize_replaces_an_expired_ticket)
{
    SCENE_BEGIN(kind);
    plant(kind, SCENE_EXPIRED);
    scene_login(kind, &stack, planted);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    check_only_cache(kind, planted);
    scene_assert_new(planted);
    end(kind);
}
END_TEST

/* A shared cache is alice's own; beside any other a new one is made. */
START_TEST(test_kinds_establish_takes_over_from_an_expired_primary)
{
    SCENE_BEGIN(kind);
    plant(kind, SCENE_EXPIRED);
    kinds_establish(kind, &stack, "alice", "");
    scene_assert_seen(kind, common_cache(&stack));
    if (kind->is_shared) {
        ck_assert_str_eq(common_cache(&stack), planted);
    } else {
        ck_assert_str_ne(common_cache(&stack), planted);
        scene_assert_same(&before, planted);
    }
    if (kind->is_collection) {
        scene_assert_primary(kind, common_cache(&stack));
    }
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* Unreadable. */

START_TEST(test_kinds_unreadable_cache_is_left_alone)
{
    SCENE_BEGIN(kind);
    plant(kind, SCENE_ALICE);
    scene_spoil(kind, planted);
    scene_start(kind, &stack, planted);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    ck_assert(common_logged(LOG_ERR, "cache unreadable"));
    stack_end(&stack, PAM_SUCCESS);
    scene_login(kind, &stack, planted);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "cache cannot be written"));
    ck_assert(!common_look(planted, "alice").readable);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    end(kind);
}
END_TEST

START_TEST(test_kinds_establish_beside_an_unreadable_cache)
{
    SCENE_BEGIN(kind);
    plant(kind, SCENE_ALICE);
    scene_spoil(kind, planted);
    kinds_establish(kind, &stack, "alice", "");
    ck_assert_str_ne(common_cache(&stack), planted);
    kinds_assert_owned(kind, common_cache(&stack), "alice");
    ck_assert(common_look(common_cache(&stack), "alice").readable);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert(!common_look(planted, "alice").readable);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    end(kind);
}
END_TEST

/* The key quota is used up. */

static void
give_room(void)
{
    keys_drain(common_uid("alice"));
}

/* Leaves alice room for KEYS keys. */
static void
leave_room(long keys)
{
    give_room();
    keys_fill(common_uid("alice"), keys, -1);
}

/* Whether KIND's cache was made with room for KEYS; else nothing was. */
static bool
was_made(const struct kind *kind, long keys)
{
    int code = 0;

    stack_log_clear();
    leave_room(keys);
    code = kind->in_session ? pam_open_session(stack.handle, 0)
                            : setcred(PAM_ESTABLISH_CRED);
    if (code != PAM_SUCCESS) {
        EXPECT(code, kind->in_session ? PAM_SESSION_ERR : PAM_CRED_ERR);
        ck_assert_msg(stack_logged("key quota of uid"), "%s", stack_log());
        ck_assert_ptr_null(common_cache(&stack));
        ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    }
    give_room();
    return code == PAM_SUCCESS;
}

/* However many keys there is still room for, nothing half-made stays. */
START_TEST(test_kinds_key_quota_that_is_used_up_fails_whole)
{
    long keys = 0;

    SCENE_BEGIN(kind);
    SKIP_UNLESS(keys_available(), "needs kernel keys");
    kinds_start(kind, &stack, "alice", "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    while (!was_made(kind, keys)) {
        keys++;
        ck_assert_int_lt(keys, 20);
    }
    /* Keyring, principal, TGT at least; other kinds need none. */
    ck_assert(kind->family == KIND_KEYRING ? keys >= 3 : keys == 0);
    check_only_cache(kind, common_cache(&stack));
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* No room for the new configuration entries: the old TGT is still there. */
START_TEST(test_kinds_key_quota_in_reinitialize_leaves_the_cache)
{
    SCENE_BEGIN(kind);
    SKIP_UNLESS(keys_available(), "needs kernel keys");
    plant(kind, SCENE_BARE);
    scene_login(kind, &stack, planted);
    leave_room(0);
    EXPECT(setcred(PAM_REINITIALIZE_CRED),
           kind->family == KIND_KEYRING ? PAM_CRED_ERR : PAM_SUCCESS);
    if (kind->family == KIND_KEYRING) {
        ck_assert(common_logged(LOG_ERR, "key quota of uid"));
        scene_assert_same(&before, planted);
    }
    give_room();
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    check_only_cache(kind, planted);
    scene_assert_new(planted);
    end(kind);
}
END_TEST

int
main(void)
{
    const struct scene_row rows[] = {
        {test_kinds_establish_makes_the_users_cache, NULL},
        {test_kinds_delete_destroys_the_sessions_cache, NULL},
        {test_kinds_close_destroys_the_sessions_cache, NULL},
        {test_kinds_end_of_the_handle_destroys_the_sessions_cache, NULL},
        {test_kinds_refresh_renews, NULL},
        {test_kinds_refresh_after_login_replaces_the_tickets, NULL},
        {test_kinds_reinitialize_replaces_the_tickets, NULL},
        {test_kinds_reinitialize_keeps_another_clients_ticket, NULL},
        {test_kinds_reinitialize_spares_another_principals_cache, NULL},
        {test_kinds_establish_leaves_another_principal_primary, NULL},
        {test_kinds_refresh_leaves_an_expired_ticket, NULL},
        {test_kinds_reinitialize_replaces_an_expired_ticket, NULL},
        {test_kinds_establish_takes_over_from_an_expired_primary, NULL},
        {test_kinds_unreadable_cache_is_left_alone, NULL},
        {test_kinds_establish_beside_an_unreadable_cache, NULL},
        {test_kinds_key_quota_that_is_used_up_fails_whole, NULL},
        {test_kinds_key_quota_in_reinitialize_leaves_the_cache, NULL},
    };
    Suite *suite = suite_create("kinds");

    scene_add(suite, rows, sizeof(rows) / sizeof(rows[0]));
    return suite_main(suite);
}
