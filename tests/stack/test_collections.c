/*
 * What is made where no `ccache` is given, names that are refused, names that
 * sessions share, and collections: whose cache is taken and whose is primary.
 * What is the same for all kinds of caches is in test_kinds.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"
#include "stack/kinds.h"
#include "stack/scene.h"
#include "support/kcm.h"
#include "support/keys.h"

#define COUNT(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

#define NEEDS_NAMESPACE()                                                      \
    SKIP_UNLESS(geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL,         \
                "needs root and tests/in-namespace")

static struct stack stack;

/* Caches that are there before the session. */
static char alices[SCENE_NAME_MAX];
static char bobs[SCENE_NAME_MAX];

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
end(const struct kind *kind)
{
    stack_end(&stack, PAM_SUCCESS);
    kinds_clear(kind, "alice");
}

/* The row of the table of kinds that is named NAME. */
static const struct kind *
kind_named(const char *name)
{
    for (size_t i = 0; i < kinds_count; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    ck_abort_msg("no kind %s", name);
}

/* Takes away all that these tests make but the realm and the namespace. */
static void
clear_all(void)
{
    keys_clear(common_uid("alice"));
    kinds_clear(kind_named("FILE in /tmp"), "alice");
    kinds_clear(kind_named("KCM"), "alice");
}

/* What is made where `ccache` is not given. */

static const struct {
    const char *name;   /* default_ccache_name */
    const char *prefix; /* of the cache that is made; the uid for <alice> */
} defaults[] = {
    {"FILE:/tmp/home/alice/cc_%{uid}", "FILE:/tmp/krb5cc_<alice>_"},
    {"/tmp/home/alice/cc", "FILE:/tmp/krb5cc_<alice>_"},
    {"DIR:/tmp/home/%{username}/new", "DIR::/tmp/home/alice/new/tkt"},
    {"DIR::/tmp/home/alice/new/tktmine", "DIR::/tmp/home/alice/new/tkt"},
    {"KEYRING:persistent:", "KEYRING:persistent:<alice>:krb5cc_"},
    {"KEYRING:persistent:%{uid}:mine", "KEYRING:persistent:<alice>:krb5cc_"},
    {"KEYRING:user:mine", "KEYRING:user:mine:krb5cc_"},
    {"KEYRING:session:mine:one", "KEYRING:session:mine:krb5cc_"},
    {"KEYRING:mine", "KEYRING:legacy:mine:krb5cc_"},
    {"KCM:%{uid}", "KCM:<alice>:"},
};

static void
use_default(const char *name)
{
    char lines[512];

    (void)snprintf(lines, sizeof(lines),
                   "[libdefaults]\ndefault_ccache_name = %s\n", name);
    common_config(lines);
}

START_TEST(test_collections_default_is_a_cache_of_the_sessions_own)
{
    const char *prefix = NULL;
    const char *name = NULL;

    NEEDS_NAMESPACE();
    keys_join_session(common_uid("alice"));
    use_default(defaults[_i].name);
    common_login(&stack, "");
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(open_session(), PAM_SUCCESS);
    name = common_cache(&stack);
    ck_assert_ptr_nonnull(name);
    prefix = common_with_uids(defaults[_i].prefix);
    ck_assert_msg(strncmp(name, prefix, strlen(prefix)) == 0, "%s", name);
    ck_assert_uint_eq(strlen(name), strlen(prefix) + 6);
    ck_assert_int_eq(common_look(name, "alice").tgts, 1);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert(!common_look(name, "alice").readable);
    stack_end(&stack, PAM_SUCCESS);
    clear_all();
}
END_TEST

static const char *const no_defaults[] = {
    "MEMORY:mine",         "API:mine",
    "NONSENSE:mine",       "KEYRING:process:mine",
    "KEYRING:thread:mine", "KEYRING:nonsense:mine",
    "DIR:relative",
};

START_TEST(test_collections_default_of_another_kind_is_refused)
{
    NEEDS_NAMESPACE();
    use_default(no_defaults[_i]);
    common_login(&stack, "");
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert_msg(common_logged(LOG_ERR, "kind of cache not supported"), "%s",
                  stack_log());
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Names that are refused. */

static const char *const refused[] = {
    "MEMORY:mine",
    "API:mine",
    "NONSENSE:mine",
    "KEYRING:process:mine",
    "KEYRING:thread:mine",
    "KEYRING:nonsense:mine",
    "KEYRING:user:",
    "KEYRING:user:mine:",
    "KEYRING:user:mine:one:two",
    "DIR:relative",
    "DIR::/tmp/home/alice/mine",
    "FILE:relative",
    "KCM:mine",
    "KCM:0",
    "KCM:0:mine",
};

/* These are no names of one cache, of one session's own. */
static const char *const refused_templates[] = {
    "DIR:/tmp/home/alice/ccXXXXXX",
    "KEYRING:persistent:XXXXXX",
    "KEYRING:user:XXXXXX",
    "KCM:XXXXXX",
};

/* The name that TEMPLATE gives is refused, and named but for what is drawn. */
static void
check_refused(const char *template)
{
    char arguments[512];
    char words[512];

    (void)snprintf(arguments, sizeof(arguments), "ccache=%s", template);
    common_login(&stack, arguments);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    (void)snprintf(words, sizeof(words), "not supported: %s", template);
    words[strcspn(words, "X")] = '\0';
    ck_assert_msg(common_logged(LOG_ERR, words), "%s", stack_log());
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 0);
    stack_end(&stack, PAM_SUCCESS);
}

START_TEST(test_collections_name_that_is_refused_is_told)
{
    NEEDS_NAMESPACE();
    check_refused(refused[_i]);
}
END_TEST

START_TEST(test_collections_template_of_a_collection_is_refused)
{
    NEEDS_NAMESPACE();
    check_refused(refused_templates[_i]);
}
END_TEST

START_TEST(test_collections_target_that_is_refused_is_told)
{
    NEEDS_NAMESPACE();
    common_start(&stack, "alice", "", alice_answers);
    common_set_cache(&stack, refused[_i]);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    ck_assert_msg(common_logged(LOG_ERR, refused[_i]), "%s", stack_log());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Names of single caches that all sessions share. */

static const char *const fixed[] = {
    "FILE:/tmp/home/alice/fixed",
    "DIR::/tmp/home/alice/new/tktfixed",
    "KEYRING:persistent:<alice>:fixed",
    "KEYRING:user:alice:fixed",
    "KCM:<alice>:fixed",
    "KCM:<alice>",
};

/* A handle with tickets whose cache is fixed name number I. */
static const char *
login_fixed(int i, const char *more)
{
    static char name[SCENE_NAME_MAX];
    char arguments[512];

    (void)strcpy(name, common_with_uids(fixed[i]));
    (void)snprintf(arguments, sizeof(arguments), "ccache=%s %s", name, more);
    common_login(&stack, arguments);
    return name;
}

START_TEST(test_collections_shared_name_is_of_all_sessions)
{
    const char *name = NULL;

    NEEDS_NAMESPACE();
    keys_clear(common_uid("alice"));
    name = login_fixed(_i, "retain_after_close");
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), name);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_int_eq(common_look(name, "alice").tgts, 1);
    (void)login_fixed(_i, "ticket_lifetime=2h");
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), name);
    scene_assert_new(name);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert(!common_look(name, "alice").readable);
    stack_end(&stack, PAM_SUCCESS);
    clear_all();
}
END_TEST

START_TEST(test_collections_shared_name_of_another_principal_is_spared)
{
    struct cache_view before;
    const char *name = NULL;

    NEEDS_NAMESPACE();
    keys_clear(common_uid("alice"));
    if (strncmp(fixed[_i], "DIR:", 4) == 0) {
        uid_t uid = common_uid("alice");

        ck_assert_int_eq(mkdir("/tmp/home/alice/new", 0700), 0);
        ck_assert_int_eq(chown("/tmp/home/alice/new", uid, uid), 0);
    }
    scene_plant(common_with_uids(fixed[_i]), SCENE_BOB);
    name = login_fixed(_i, "");
    before = common_look(name, "alice");
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "cache of another principal"));
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
    scene_assert_same(&before, name);
    clear_all();
}
END_TEST

/* Collections: whose the primary is. */

/* What alice sees without a name: some cache of hers. */
static void
check_primary_is_hers(const struct kind *kind)
{
    const char *said = scene_klist(kinds_collection(kind, "alice"), "");

    ck_assert_msg(strstr(said, "Default principal: alice@PAM.TEST") != NULL,
                  "%s", said);
}

START_TEST(test_collections_session_beside_a_living_one_is_not_primary)
{
    struct stack second;
    struct stack third;

    SCENE_BEGIN(kind);
    kinds_establish(kind, &stack, "alice", "");
    kinds_establish(kind, &second, "alice", "");
    ck_assert_str_ne(common_cache(&stack), common_cache(&second));
    scene_assert_primary(kind, common_cache(&stack));
    EXPECT(close_session(), PAM_SUCCESS);
    /* The primary is gone: the other cache is listed, and the next is seen. */
    scene_assert_seen(kind, common_cache(&second));
    kinds_establish(kind, &third, "alice", "");
    check_primary_is_hers(kind);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 2);
    EXPECT(pam_close_session(second.handle, 0), PAM_SUCCESS);
    EXPECT(pam_close_session(third.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    stack_end(&second, PAM_SUCCESS);
    stack_end(&third, PAM_SUCCESS);
    end(kind);
}
END_TEST

/* Two caches: alice's, and bob's which is the primary. */
static struct cache_view
plant_two(const struct kind *kind)
{
    scene_plant_in(kind, "Alices", SCENE_ALICE, alices);
    scene_plant_in(kind, "Primar", SCENE_BOB, bobs);
    return common_look(bobs, "alice");
}

START_TEST(test_collections_shared_takes_the_matching_cache)
{
    struct cache_view before;

    SCENE_BEGIN(kind);
    before = plant_two(kind);
    kinds_establish(kind, &stack, "alice", "ticket_lifetime=2h");
    ck_assert_str_eq(common_cache(&stack), alices);
    scene_assert_new(alices);
    ck_assert_int_eq(common_look(alices, "alice").services, 1);
    scene_assert_same(&before, bobs);
    scene_assert_primary(kind, bobs);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 2);
    EXPECT(close_session(), PAM_SUCCESS);
    scene_assert_same(&before, bobs);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    end(kind);
}
END_TEST

/* The primary is what is renewed, whosever it is. */
START_TEST(test_collections_refresh_renews_the_primary)
{
    struct cache_view before;
    struct cache_view old;

    SCENE_BEGIN(kind);
    old = plant_two(kind);
    before = common_look(alices, "alice");
    common_wait_until_after(old.starttime);
    scene_start(kind, &stack, kinds_collection(kind, "alice"));
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    ck_assert_int_gt(common_look(bobs, "alice").starttime, old.starttime);
    scene_assert_same(&before, alices);
    scene_assert_primary(kind, bobs);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 2);
    end(kind);
}
END_TEST

START_TEST(test_collections_reinitialize_takes_the_matching_cache)
{
    struct cache_view before;

    SCENE_BEGIN(kind);
    before = plant_two(kind);
    scene_login(kind, &stack, kinds_collection(kind, "alice"));
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    scene_assert_new(alices);
    scene_assert_same(&before, bobs);
    scene_assert_primary(kind, bobs);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 2);
    ck_assert_str_eq(common_cache(&stack), kinds_collection(kind, "alice"));
    end(kind);
}
END_TEST

START_TEST(test_collections_reinitialize_beside_another_principal_makes_one)
{
    struct cache_view before;

    SCENE_BEGIN(kind);
    scene_plant_in(kind, "Primar", SCENE_BOB, bobs);
    before = common_look(bobs, "alice");
    scene_login(kind, &stack, kinds_collection(kind, "alice"));
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 2);
    scene_assert_same(&before, bobs);
    scene_assert_primary(kind, bobs);
    ck_assert_ptr_nonnull(strstr(
        scene_klist(kinds_collection(kind, "alice"), "-l"), "alice@PAM.TEST"));
    end(kind);
}
END_TEST

START_TEST(test_collections_that_is_empty_gets_its_first_cache)
{
    SCENE_BEGIN(kind);
    scene_login(kind, &stack, kinds_collection(kind, "alice"));
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    ck_assert_ptr_nonnull(
        strstr(scene_klist(kinds_collection(kind, "alice"), ""),
               "Default principal: alice@PAM.TEST"));
    /* It is the user's and not this handle's. */
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    end(kind);
}
END_TEST

START_TEST(test_collections_refresh_of_an_empty_one_does_nothing)
{
    SCENE_BEGIN(kind);
    scene_start(kind, &stack, kinds_collection(kind, "alice"));
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    /* libkrb5 would make the directory to look into it. */
    ck_assert(kind->family != KIND_DIR ||
              !common_exists(kinds_collection(kind, "alice") + strlen("DIR:")));
    end(kind);
}
END_TEST

static int
setcred_in_child(void *data)
{
    const int *flags = data;

    return setcred(*flags);
}

/* A locker, which is wholly alice and has no KRB5CCNAME. */
START_TEST(test_collections_locker_means_the_default_collection)
{
    int renew = PAM_REFRESH_CRED;
    int replace = PAM_REINITIALIZE_CRED;
    struct ids ids;
    uid_t uid = 0;

    SCENE_BEGIN(kind);
    uid = common_uid("alice");
    ids = (struct ids){uid, uid, uid};
    scene_plant_in(kind, "Alices", SCENE_ALICE, alices);
    common_wait_until_after(scene_begun());
    kinds_start(kind, &stack, "alice", "ticket_lifetime=2h", alice_answers);
    EXPECT(common_in_child(ids, uid, setcred_in_child, &renew), PAM_SUCCESS);
    ck_assert_int_gt(common_look(alices, "alice").starttime, scene_begun());
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(common_in_child(ids, uid, setcred_in_child, &replace), PAM_SUCCESS);
    scene_assert_new(alices);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    end(kind);
}
END_TEST

/* Which kinds a test is for. */

static bool
is_own(const struct kind *kind)
{
    return kind->is_collection && !kind->is_shared;
}

static bool
is_shared(const struct kind *kind)
{
    return kind->is_shared;
}

static bool
is_collection(const struct kind *kind)
{
    return kind->is_collection;
}

static bool
is_default(const struct kind *kind)
{
    return kind->config != NULL;
}

int
main(void)
{
    const struct scene_row rows[] = {
        {test_collections_session_beside_a_living_one_is_not_primary, is_own},
        {test_collections_shared_takes_the_matching_cache, is_shared},
        {test_collections_refresh_renews_the_primary, is_collection},
        {test_collections_reinitialize_takes_the_matching_cache, is_collection},
        {test_collections_reinitialize_beside_another_principal_makes_one,
         is_collection},
        {test_collections_that_is_empty_gets_its_first_cache, is_collection},
        {test_collections_refresh_of_an_empty_one_does_nothing, is_collection},
        {test_collections_locker_means_the_default_collection, is_default},
    };
    Suite *suite = suite_create("collections");
    TCase *tcase = common_case(suite, "names");

    tcase_add_unchecked_fixture(tcase, scene_begin, NULL);
    tcase_add_unchecked_fixture(tcase, kcm_begin, kcm_end);
    tcase_add_loop_test(tcase,
                        test_collections_default_is_a_cache_of_the_sessions_own,
                        0, COUNT(defaults));
    tcase_add_loop_test(tcase,
                        test_collections_default_of_another_kind_is_refused, 0,
                        COUNT(no_defaults));
    tcase_add_loop_test(tcase, test_collections_name_that_is_refused_is_told, 0,
                        COUNT(refused));
    tcase_add_loop_test(tcase,
                        test_collections_template_of_a_collection_is_refused, 0,
                        COUNT(refused_templates));
    tcase_add_loop_test(tcase, test_collections_target_that_is_refused_is_told,
                        0, COUNT(refused));
    tcase_add_loop_test(tcase, test_collections_shared_name_is_of_all_sessions,
                        0, COUNT(fixed));
    tcase_add_loop_test(
        tcase, test_collections_shared_name_of_another_principal_is_spared, 0,
        COUNT(fixed));
    scene_add(suite, rows, sizeof(rows) / sizeof(rows[0]));
    return suite_main(suite);
}
