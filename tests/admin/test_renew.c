/* krb5cc renew: at the real KDC, on each kind of cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/desk.h"
#include "stack/scene.h"
#include "support/keys.h"
#include "support/realm.h"

#define ALICES "FILE:/tmp/home/alice/cc"

/* Older than any share of an hour's life that is waited for. */
#define OLD_S 36000

static void
kinit(const char *user, int64_t lifetime, int64_t renewable)
{
    const int64_t lifetimes[2] = {lifetime, renewable};

    common_kinit(ALICES, "alice", user, lifetimes, NO_SERVICE);
}

/* The ticket in NAME is one that the KDC has given since BEGUN. */
static void
check_renewed(const char *name, int64_t begun)
{
    struct cache_view view = common_look(name, "alice");

    ck_assert(view.readable);
    ck_assert_int_eq(view.tgts, 1);
    ck_assert_int_ge(view.starttime, begun);
}

static int64_t
now(void)
{
    return (int64_t)time(NULL);
}

/* Done for real, as the user: same name, same owner, a new ticket. */
START_TEST(test_renew_of_each_kind)
{
    char name[SCENE_NAME_MAX];
    int64_t begun = 0;

    SCENE_BEGIN(kind);
    desk_begin();
    scene_plant_in(kind, "Renews", SCENE_ALICE, name);
    desk_age(name, "alice", OLD_S);
    (void)desk_session("alice", name, RECORD_OWN, DESK_LIVE);
    begun = now();
    RUN("renew", 0);
    if (kind->in_session) {
        /* Only its own session comes to a session keyring. */
        ck_assert_str_eq(desk_output(), "");
        desk_end();
        kinds_clear(kind, "alice");
        return;
    }
    ck_assert_uint_eq(desk_count("renewed"), 1);
    ck_assert_uint_eq(desk_count(name), 1);
    check_renewed(name, begun);
    kinds_assert_owned(kind, name, "alice");
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    /* A new ticket is not due. */
    RUN("renew", 0);
    ck_assert_str_eq(desk_output(), "");
    desk_end();
    kinds_clear(kind, "alice");
}
END_TEST

/*
 * What the systemd unit leaves to it is enough.  A service has no session
 * keyring of its own, or a stranger's.
 */
START_TEST(test_renew_of_each_kind_as_the_unit)
{
    char name[SCENE_NAME_MAX];
    int64_t begun = 0;

    SCENE_BEGIN(kind);
    desk_begin();
    scene_plant_in(kind, "Renews", SCENE_ALICE, name);
    desk_age(name, "alice", OLD_S);
    (void)desk_session("alice", name, RECORD_OWN, DESK_LIVE);
    begun = now();
    if (!kind->in_session && keys_available()) {
        keys_join_session(0);
    }
    desk_confine();
    RUN("renew", 0);
    ck_assert_uint_eq(desk_count("renewed"), !kind->in_session);
    if (!kind->in_session) {
        check_renewed(name, begun);
        kinds_assert_owned(kind, name, "alice");
    }
    desk_end();
    kinds_clear(kind, "alice");
}
END_TEST

START_TEST(test_renew_leaves_what_is_not_due)
{
    struct snapshot before;

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    before = common_snapshot(ALICES);
    RUN("renew", 0);
    ck_assert_str_eq(desk_output(), "");
    RUN("renew -v", 0);
    ck_assert_uint_eq(desk_count("not due yet"), 1);
    common_assert_same(&before, ALICES);
}
END_TEST

START_TEST(test_renew_dry_run_says_it_and_does_nothing)
{
    struct snapshot before;

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    before = common_snapshot(ALICES);
    RUN("renew --dry-run", 0);
    ck_assert_uint_eq(desk_count("would renew " ALICES), 1);
    common_assert_same(&before, ALICES);
}
END_TEST

START_TEST(test_renew_renews_what_was_delegated)
{
    int64_t begun = 0;

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_ADOPTED, DESK_LIVE);
    begun = now();
    RUN("renew", 0);
    check_renewed(ALICES, begun);
}
END_TEST

START_TEST(test_renew_of_a_shared_cache_is_one)
{
    static const char *const texts[] = {"TGS_REQ", "krbtgt/PAM.TEST", NULL};
    long asked = 0;

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    /* The first of them is gone: the others hold it. */
    (void)desk_session("alice", ALICES, RECORD_SHARED, DESK_OTHER_BOOT);
    (void)desk_session("alice", ALICES, RECORD_SHARED, DESK_LIVE);
    (void)desk_session("alice", ALICES, RECORD_SHARED, DESK_LIVE);
    asked = realm_count_lines(getenv("REALM_KDC_LOG"), texts);
    RUN("renew -v", 0);
    ck_assert_uint_eq(desk_count("renewed " ALICES), 1);
    ck_assert_uint_eq(desk_count(ALICES), 1);
    ck_assert_int_eq(realm_count_lines(getenv("REALM_KDC_LOG"), texts),
                     asked + 1);
}
END_TEST

/* Who does not live gets no tickets. */
START_TEST(test_renew_leaves_sessions_that_do_not_live)
{
    struct snapshot before;
    struct record record;

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_OTHER_BOOT);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_ELSEWHERE);
    record = desk_record("alice", ALICES, DESK_LIVE);
    record.is_ended = true;
    (void)desk_plant(&record);
    before = common_snapshot(ALICES);
    RUN("renew -v", 0);
    ck_assert_str_eq(desk_output(), "");
    common_assert_same(&before, ALICES);
}
END_TEST

START_TEST(test_renew_what_cannot_be_renewed_is_no_failure)
{
    NEEDS_NAMESPACE();
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    RUN("renew", 0);
    ck_assert_str_eq(desk_output(), "");
    RUN("renew -v", 0);
    ck_assert_uint_eq(desk_count("no such cache"), 1);

    kinit("alice", 3600, -1);
    desk_age(ALICES, "alice", OLD_S);
    RUN("renew", 0);
    ck_assert_str_eq(desk_output(), "");
    RUN("renew -v", 0);
    ck_assert_uint_eq(desk_count("is not renewable"), 1);

    /* The KDC would give it no longer a life. */
    kinit("alice", 3600, 3600);
    desk_age(ALICES, "alice", OLD_S);
    RUN("renew -v", 0);
    ck_assert_uint_eq(desk_count("lives until its renewable lifetime"), 1);
}
END_TEST

START_TEST(test_renew_expired_ticket_is_no_failure)
{
    int64_t end = 0;

    NEEDS_NAMESPACE();
    kinit("brief", 0, 0);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    end = common_look(ALICES, "alice").endtime;
    common_wait_until_after(end);
    RUN("renew -v", 0);
    ck_assert_uint_eq(desk_count("the ticket has expired"), 1);
}
END_TEST

START_TEST(test_renew_unreadable_cache_fails_and_stops_nothing)
{
    int64_t begun = 0;

    NEEDS_NAMESPACE();
    common_write("/tmp/home/alice/bad", "no tickets", common_uid("alice"),
                 0600);
    (void)desk_session("alice", "FILE:/tmp/home/alice/bad", RECORD_OWN,
                       DESK_LIVE);
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    begun = now();
    RUN("renew", 1);
    ck_assert_ptr_nonnull(strstr(desk_errors(),
                                 "cannot read FILE:/tmp/home/alice/bad: cache "
                                 "unreadable"));
    check_renewed(ALICES, begun);
}
END_TEST

START_TEST(test_renew_refused_by_the_kdc_is_one_line)
{
    struct snapshot before;

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    before = common_snapshot(ALICES);
    common_config_kdc(common_dead_port());
    RUN("renew", 1);
    ck_assert_str_eq(desk_output(), "");
    ck_assert_ptr_nonnull(strstr(desk_errors(), "cannot renew " ALICES
                                                ": no KDC can be reached"));
    ck_assert_ptr_eq(strchr(desk_errors(), '\n'), strrchr(desk_errors(), '\n'));
    common_assert_same(&before, ALICES);
}
END_TEST

/* A KDC that is silent costs each user one wait. */
START_TEST(test_renew_silent_kdc_is_waited_for_once_a_user)
{
    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    (void)desk_session("alice", "FILE:/tmp/home/alice/dd", RECORD_OWN,
                       DESK_LIVE);
    common_config_kdc(common_silent_port());
    RUN("renew --timeout 1", 1);
    ck_assert_ptr_nonnull(strstr(desk_errors(), "time ran out"));
    ck_assert_ptr_nonnull(strstr(desk_errors(), "taken too long already"));
}
END_TEST

START_TEST(test_renew_of_one_user_leaves_the_others)
{
    struct snapshot before;

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    before = common_snapshot(ALICES);
    RUN("renew --user bob", 0);
    common_assert_same(&before, ALICES);
}
END_TEST

START_TEST(test_renew_obeys_krb5_conf)
{
    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    common_config("[appdefaults]\npam = {\nminimum_uid = 4000000000\n}\n");
    RUN("renew -v", 0);
    ck_assert_uint_eq(desk_count("not ours"), 1);
}
END_TEST

/*
 * The session ends, and destroys its cache, while its ticket is on the way:
 * nobody is left with tickets.  The helper's launcher is where that happens.
 */
START_TEST(test_renew_for_a_session_that_ends_meanwhile_leaves_nothing)
{
    struct registry_key key;
    char text[1024];

    NEEDS_NAMESPACE();
    kinit("alice", 3600, 7200);
    desk_age(ALICES, "alice", OLD_S);
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    (void)snprintf(text, sizeof(text),
                   "#!/bin/sh\n"
                   "echo x >>" DESK "/count\n"
                   "[ $(wc -l <" DESK "/count) -ne 2 ] || rm %s\n"
                   "exec %s\n",
                   desk_path(&key), stack_helper());
    common_write(DESK "/helper", text, 0, 0700);
    RUN("renew --helper " DESK "/helper", 0);
    ck_assert(!common_exists("/tmp/home/alice/cc"));
}
END_TEST

int
main(void)
{
    const struct scene_row rows[] = {
        {test_renew_of_each_kind, NULL},
        {test_renew_of_each_kind_as_the_unit, NULL},
    };
    Suite *suite = suite_create("renew");
    TCase *tcase = desk_case(suite, "renew");

    tcase_add_test(tcase, test_renew_leaves_what_is_not_due);
    tcase_add_test(tcase, test_renew_dry_run_says_it_and_does_nothing);
    tcase_add_test(tcase, test_renew_renews_what_was_delegated);
    tcase_add_test(tcase, test_renew_of_a_shared_cache_is_one);
    tcase_add_test(tcase, test_renew_leaves_sessions_that_do_not_live);
    tcase_add_test(tcase, test_renew_what_cannot_be_renewed_is_no_failure);
    tcase_add_test(tcase, test_renew_expired_ticket_is_no_failure);
    tcase_add_test(tcase, test_renew_unreadable_cache_fails_and_stops_nothing);
    tcase_add_test(tcase, test_renew_refused_by_the_kdc_is_one_line);
    tcase_add_test(tcase, test_renew_silent_kdc_is_waited_for_once_a_user);
    tcase_add_test(tcase, test_renew_of_one_user_leaves_the_others);
    tcase_add_test(tcase, test_renew_obeys_krb5_conf);
    tcase_add_test(tcase,
                   test_renew_for_a_session_that_ends_meanwhile_leaves_nothing);
    scene_add(suite, rows, 2);
    return suite_main(suite);
}
