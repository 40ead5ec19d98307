/*
 * The ground on which the tests of kinds of caches stand: that a cache of each
 * kind is seen, counted, told from another's and taken away, that a KCM server
 * is there, and that key quotas are counted to the byte.  One login a kind
 * shows that the table tells the module's names.
 */
#include "stack/kinds.h"

#include <unistd.h>

#include "stack/common.h"
#include "support/kcm.h"
#include "support/keys.h"

static const int64_t an_hour[] = {3600, -1};

#define NEEDS(kind)                                                            \
    do {                                                                       \
        const char *needs_why = NULL;                                          \
        SKIP_UNLESS(kinds_available((kind), &needs_why), needs_why);           \
    } while (0)

START_TEST(test_ground_cache_of_each_is_seen_as_its_users)
{
    const struct kind *kind = &kinds[_i];
    const char *name = NULL;

    NEEDS(kind);
    kinds_begin(kind, "alice");
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    name = kinds_cache(kind, "alice", "Planet");
    common_kinit(name, "alice", "alice", an_hour, WITH_SERVICE);
    ck_assert_int_eq(common_look(name, "alice").tgts, 1);
    ck_assert_int_eq(common_look(name, "alice").services, 1);
    /* A session keyring is everybody's who has inherited it. */
    ck_assert(kind->in_session || !common_look(name, "bob").readable);
    kinds_assert_name(kind, name, "alice");
    kinds_assert_owned(kind, name, "alice");
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    common_kinit(kinds_cache(kind, "alice", "Second"), "alice", "bob", an_hour,
                 NO_SERVICE);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 2);
    kinds_clear(kind, "alice");
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    ck_assert(!common_look(name, "alice").readable);
}
END_TEST

START_TEST(test_ground_users_do_not_meet)
{
    const struct kind *kind = &kinds[_i];
    const char *name = NULL;

    NEEDS(kind);
    kinds_begin(kind, "bob");
    name = kinds_cache(kind, "bob", "Planet");
    common_kinit(name, "bob", "bob", an_hour, NO_SERVICE);
    if (!kind->in_session) {
        kinds_begin(kind, "alice");
        ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    }
    kinds_assert_owned(kind, name, "bob");
    kinds_clear(kind, "bob");
}
END_TEST

START_TEST(test_ground_login_on_each_kind_makes_the_name_of_the_table)
{
    const struct kind *kind = &kinds[_i];
    struct stack stack;

    NEEDS(kind);
    kinds_begin(kind, "alice");
    kinds_establish(kind, &stack, "alice", "");
    kinds_assert_name(kind, common_cache(&stack), "alice");
    kinds_assert_owned(kind, common_cache(&stack), "alice");
    ck_assert_int_eq(common_look(common_cache(&stack), "alice").tgts, 1);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    stack_end(&stack, PAM_SUCCESS);
    kinds_clear(kind, "alice");
}
END_TEST

START_TEST(test_ground_keys_of_a_uid_are_counted_to_the_byte)
{
    const struct kind *kind = &kinds[kinds_count - 1];
    struct keys_usage before;
    struct keys_usage now;
    uid_t alice = 0;

    while (kind->family != KIND_KEYRING) {
        kind--;
    }
    NEEDS(kind);
    alice = common_uid("alice");
    keys_clear(alice);
    before = keys_usage(alice);
    keys_fill(alice, 3, 100);
    now = keys_usage(alice);
    ck_assert_int_eq(now.keys_max - now.keys, 3);
    ck_assert_int_eq(now.bytes_max - now.bytes, 100);
    keys_drain(alice);
    ck_assert_int_eq(keys_usage(alice).keys, before.keys);
    keys_fill(alice, -1, 0);
    now = keys_usage(alice);
    ck_assert_int_eq(now.bytes_max - now.bytes, 0);
    ck_assert_int_gt(now.keys_max - now.keys, 100);
    keys_clear(alice);
    ck_assert_int_eq(keys_usage(alice).keys, before.keys);
}
END_TEST

START_TEST(test_ground_kcm_server_can_be_gone_and_come_again)
{
    const struct kind *kind = &kinds[kinds_count - 1];
    const char *name = NULL;

    NEEDS(kind);
    ck_assert_int_eq(kind->family, KIND_KCM);
    name = kinds_cache(kind, "alice", "Planet");
    common_kinit(name, "alice", "alice", an_hour, NO_SERVICE);
    kcm_end();
    ck_assert(!common_look(name, "alice").readable);
    kcm_begin();
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ground");
    TCase *tcase = common_case(suite, "ground");

    tcase_add_unchecked_fixture(tcase, kcm_begin, kcm_end);
    tcase_add_loop_test(tcase, test_ground_cache_of_each_is_seen_as_its_users,
                        0, (int)kinds_count);
    tcase_add_loop_test(tcase, test_ground_users_do_not_meet, 0,
                        (int)kinds_count);
    tcase_add_loop_test(
        tcase, test_ground_login_on_each_kind_makes_the_name_of_the_table, 0,
        (int)kinds_count);
    tcase_add_test(tcase, test_ground_keys_of_a_uid_are_counted_to_the_byte);
    tcase_add_test(tcase, test_ground_kcm_server_can_be_gone_and_come_again);
    return suite_main(suite);
}
