/* krb5cc list: on real records and real caches. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/desk.h"

#define ALICES "FILE:/tmp/home/alice/cc"

static void
kinit(const char *name, const char *user, int64_t lifetime, int64_t renewable)
{
    const int64_t lifetimes[2] = {lifetime, renewable};

    common_kinit(name, user, user, lifetimes, NO_SERVICE);
}

START_TEST(test_list_of_nothing_is_a_head)
{
    NEEDS_NAMESPACE();
    RUN("list", 0);
    ck_assert_ptr_nonnull(strstr(desk_output(), "USER"));
    ck_assert_uint_eq(desk_count(""), 2); /* one, and the end */
    RUN("list --json", 0);
    ck_assert_str_eq(desk_output(), "{\"version\": 1, \"sessions\": [], "
                                    "\"unreadable\": []}\n");
}
END_TEST

START_TEST(test_list_of_a_place_that_is_not_there_says_so)
{
    NEEDS_NAMESPACE();
    RUN("list", 0);
    ck_assert_str_eq(desk_errors(), "");
    RUN("list --json --state-dir /nowhere/state", 0);
    ck_assert_str_eq(desk_output(), "{\"version\": 1, \"sessions\": [], "
                                    "\"unreadable\": []}\n");
    ck_assert_ptr_nonnull(
        strstr(desk_errors(), "/nowhere/state: No such file"));
}
END_TEST

START_TEST(test_list_json_says_all_of_a_session)
{
    struct cache_view view;
    struct registry_key key;
    char wanted[256];

    NEEDS_NAMESPACE();
    kinit(ALICES, "alice", 3600, 7200);
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    view = common_look(ALICES, "alice");
    RUN("list --json", 0);
    JSON_EQ("d[\"version\"]", "1");
    JSON_EQ("len(d[\"sessions\"])", "1");
    JSON_EQ("d[\"sessions\"][0][\"id\"]", key.id);
    JSON_EQ("d[\"sessions\"][0][\"user\"]", "alice");
    (void)snprintf(wanted, sizeof(wanted), "%u", (unsigned)common_uid("alice"));
    JSON_EQ("d[\"sessions\"][0][\"uid\"]", wanted);
    JSON_EQ("d[\"sessions\"][0][\"service\"]", "sshd");
    JSON_EQ("d[\"sessions\"][0][\"tty\"]", "ssh");
    JSON_EQ("d[\"sessions\"][0][\"rhost\"]", "client.test");
    JSON_EQ("d[\"sessions\"][0][\"cache\"]", ALICES);
    JSON_EQ("d[\"sessions\"][0][\"ownership\"]", "own");
    JSON_EQ("d[\"sessions\"][0][\"principal\"]", "alice@PAM.TEST");
    JSON_EQ("d[\"sessions\"][0][\"state\"]", "live");
    JSON_EQ("d[\"sessions\"][0][\"problem\"]", "None");
    (void)snprintf(wanted, sizeof(wanted), "%lld", (long long)view.endtime);
    JSON_EQ("d[\"sessions\"][0][\"expires\"]", wanted);
    (void)snprintf(wanted, sizeof(wanted), "%lld", (long long)view.renew_till);
    JSON_EQ("d[\"sessions\"][0][\"renew_until\"]", wanted);
    (void)snprintf(wanted, sizeof(wanted), "%d", (int)getpid());
    JSON_EQ("d[\"sessions\"][0][\"pid\"]", wanted);
    JSON_EQ("d[\"sessions\"][0][\"started\"] > 1700000000", "True");
}
END_TEST

START_TEST(test_list_shows_each_state)
{
    struct record record;

    NEEDS_NAMESPACE();
    (void)desk_session("alice", "FILE:/tmp/a", RECORD_OWN, DESK_LIVE);
    (void)desk_session("alice", "FILE:/tmp/b", RECORD_SHARED, DESK_OTHER_BOOT);
    (void)desk_session("alice", "FILE:/tmp/c", RECORD_ADOPTED, DESK_GONE);
    (void)desk_session("alice", "FILE:/tmp/d", RECORD_OWN, DESK_ELSEWHERE);
    record = desk_record("alice", "FILE:/tmp/e", DESK_LIVE);
    record.is_ended = true;
    (void)desk_plant(&record);
    RUN("list --json", 0);
    JSON_EQ("[s[\"state\"] for s in d[\"sessions\"]] == [\"live\", \"orphan\", "
            "\"orphan\", \"elsewhere\", \"ended\"]",
            "True");
    JSON_EQ("[s[\"ownership\"] for s in d[\"sessions\"]][:3] == [\"own\", "
            "\"shared\", \"adopted\"]",
            "True");
    RUN("list", 0);
    ck_assert_uint_eq(desk_count(" live "), 1);
    ck_assert_uint_eq(desk_count(" orphan "), 2);
    ck_assert_uint_eq(desk_count(" elsewhere "), 1);
    ck_assert_uint_eq(desk_count(" ended "), 1);
}
END_TEST

/* What the name means elsewhere is not ours to look at. */
START_TEST(test_list_asks_for_no_cache_of_elsewhere)
{
    NEEDS_NAMESPACE();
    kinit(ALICES, "alice", 3600, -1);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_ELSEWHERE);
    RUN("list --json", 0);
    JSON_EQ("d[\"sessions\"][0][\"expires\"]", "None");
    JSON_EQ("d[\"sessions\"][0][\"problem\"]", "None");
}
END_TEST

START_TEST(test_list_ticket_without_renewal_has_none)
{
    NEEDS_NAMESPACE();
    kinit(ALICES, "alice", 3600, -1);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    RUN("list --json", 0);
    JSON_EQ("d[\"sessions\"][0][\"renew_until\"]", "None");
    JSON_EQ("d[\"sessions\"][0][\"expires\"] > 1700000000", "True");
}
END_TEST

START_TEST(test_list_missing_cache_is_said_and_no_failure)
{
    NEEDS_NAMESPACE();
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    RUN("list", 0);
    ck_assert_uint_eq(desk_count("no tickets to be seen: no such cache"), 1);
    RUN("list --json", 0);
    JSON_EQ("d[\"sessions\"][0][\"expires\"]", "None");
    JSON_EQ("\"no such cache\" in d[\"sessions\"][0][\"problem\"]", "True");
}
END_TEST

/* A cache that cannot be read is a failure, and stops nothing. */
START_TEST(test_list_unreadable_cache_stops_nothing)
{
    NEEDS_NAMESPACE();
    common_write("/tmp/home/alice/bad", "no tickets", common_uid("alice"),
                 0600);
    kinit("FILE:/tmp/home/alice/good", "alice", 3600, -1);
    (void)desk_session("alice", "FILE:/tmp/home/alice/bad", RECORD_OWN,
                       DESK_LIVE);
    (void)desk_session("alice", "FILE:/tmp/home/alice/good", RECORD_OWN,
                       DESK_LIVE);
    RUN("list", 1);
    ck_assert_uint_eq(desk_count("cache unreadable"), 1);
    ck_assert_uint_eq(desk_count("alice@PAM.TEST"), 1);
    RUN("list --json", 1);
    JSON_EQ("[s[\"expires\"] is None for s in d[\"sessions\"]]",
            "[True, False]");
}
END_TEST

/* Each cache is read as its user: bob's session cannot show alice's. */
START_TEST(test_list_reads_as_the_user)
{
    NEEDS_NAMESPACE();
    kinit(ALICES, "alice", 3600, -1);
    (void)desk_session("bob", ALICES, RECORD_OWN, DESK_LIVE);
    RUN("list --json", 1);
    JSON_EQ("d[\"sessions\"][0][\"expires\"]", "None");
    JSON_EQ("d[\"sessions\"][0][\"principal\"]", "None");
}
END_TEST

START_TEST(test_list_user_picks_his_sessions)
{
    char words[64];

    NEEDS_NAMESPACE();
    (void)desk_session("alice", "FILE:/tmp/a", RECORD_OWN, DESK_LIVE);
    (void)desk_session("bob", "FILE:/tmp/b", RECORD_OWN, DESK_LIVE);
    RUN("list --json --user bob", 0);
    JSON_EQ("[s[\"user\"] for s in d[\"sessions\"]] == [\"bob\"]", "True");
    (void)snprintf(words, sizeof(words), "list --json --user=%u",
                   (unsigned)common_uid("alice"));
    RUN(words, 0);
    JSON_EQ("[s[\"user\"] for s in d[\"sessions\"]] == [\"alice\"]", "True");
}
END_TEST

/* What a remote host calls itself reaches no terminal. */
START_TEST(test_list_foreign_text_is_harmless)
{
    struct record record;

    NEEDS_NAMESPACE();
    record = desk_record("alice", "FILE:/tmp/a\x1b[2J\nroot", DESK_LIVE);
    record.rhost = (char *)(uintptr_t) "evil\x1b]0;x\x07\xff\xc2\x9b\"";
    (void)desk_plant(&record);
    (void)desk_run("list");
    ck_assert_ptr_null(strchr(desk_output(), '\x1b'));
    ck_assert_ptr_null(strchr(desk_output(), '\x07'));
    ck_assert_ptr_null(strstr(desk_output(), "\xc2\x9b"));
    ck_assert_ptr_nonnull(strstr(desk_output(), "evil\\x1b]0;x\\x07\\xff"));
    (void)desk_run("list --json");
    JSON_EQ("d[\"sessions\"][0][\"rhost\"] == "
            "\"evil\\x1b]0;x\\x07\\ufffd\\x9b\\x22\"",
            "True");
    JSON_EQ("d[\"sessions\"][0][\"cache\"] == \"FILE:/tmp/a\\x1b[2J\\nroot\"",
            "True");
}
END_TEST

/* Everything that is no record, beside one that is. */
START_TEST(test_list_names_what_is_no_record)
{
    struct registry_key key;
    char folder[256];
    char path[512];

    NEEDS_NAMESPACE();
    key = desk_session("alice", "FILE:/tmp/a", RECORD_OWN, DESK_LIVE);
    (void)snprintf(folder, sizeof(folder), DESK_STATE "/sessions/%lld",
                   (long long)key.uid);
    (void)snprintf(path, sizeof(path), "%s/link", folder);
    ck_assert_int_eq(symlink("/etc/shadow", path), 0);
    (void)snprintf(path, sizeof(path), "%s/cut", folder);
    common_write(path, "pam_krb5cc record = 1\ncache = FILE:/tmp/x\n", 0, 0600);
    (void)snprintf(path, sizeof(path), "%s/theirs", folder);
    common_write(path, "x", common_uid("alice"), 0600);
    (void)snprintf(path, sizeof(path), "%s/new", folder);
    common_write(path, "pam_krb5cc record = 99\nend\n", 0, 0600);
    (void)snprintf(path, sizeof(path), "%s/a\x1b[2J\"", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    common_write(DESK_STATE "/sessions/stray", "", 0, 0600);
    RUN("list --json", 1);
    JSON_EQ("len(d[\"sessions\"])", "1");
    JSON_EQ("sorted(u[\"id\"] for u in d[\"unreadable\"]) == "
            "[\"a\\x1b[2J\\x22\", \"cut\", \"link\", \"new\", \"stray\", "
            "\"theirs\"]",
            "True");
    JSON_EQ("{u[\"id\"]: u[\"why\"] for u in d[\"unreadable\"]}[\"link\"]",
            "it is a symbolic link");
    JSON_EQ("{u[\"id\"]: u[\"why\"] for u in d[\"unreadable\"]}[\"new\"]",
            "a newer version has written it");
    JSON_EQ("{u[\"id\"]: u[\"uid\"] for u in d[\"unreadable\"]}[\"stray\"]",
            "None");
    JSON_EQ("{u[\"place\"] for u in d[\"unreadable\"]}", "{'state'}");
    ck_assert_ptr_null(strchr(desk_errors(), '\x1b'));
    ck_assert_ptr_nonnull(strstr(desk_errors(), "/link: it is a symbolic"));
}
END_TEST

START_TEST(test_list_of_ten_thousand_records)
{
    const unsigned int count = IS_SANITIZED ? 1000 : 10000;
    /* Of elsewhere, since a look at each takes a helper. */
    struct record record;

    NEEDS_NAMESPACE();
    record = desk_record("alice", "FILE:/tmp/a", DESK_ELSEWHERE);
    for (unsigned int i = 0; i < count; i++) {
        (void)desk_plant(&record);
    }
    RUN("list", 0);
    ck_assert_uint_eq(desk_count("elsewhere"), count);
}
END_TEST

START_TEST(test_list_shared_cache_is_read_once)
{
    struct stat before;
    struct stat after;
    char path[] = DESK "/helper";
    char text[512];

    NEEDS_NAMESPACE();
    /* A launcher that counts. */
    (void)snprintf(text, sizeof(text),
                   "#!/bin/sh\necho x >>" DESK "/count\nexec %s\n",
                   stack_helper());
    common_write(path, text, 0, 0700);
    kinit(ALICES, "alice", 3600, -1);
    for (int i = 0; i < 3; i++) {
        (void)desk_session("alice", ALICES, RECORD_SHARED, DESK_LIVE);
    }
    common_write(DESK "/count", "", 0, 0600);
    ck_assert_int_eq(stat(DESK "/count", &before), 0);
    RUN("list --json --helper " DESK "/helper", 0);
    ck_assert_int_eq(stat(DESK "/count", &after), 0);
    ck_assert_int_eq(after.st_size, 2);
    JSON_EQ("len({s[\"expires\"] for s in d[\"sessions\"]})", "1");
    JSON_EQ("[s[\"principal\"] for s in d[\"sessions\"]].count("
            "\"alice@PAM.TEST\")",
            "3");
}
END_TEST

START_TEST(test_list_state_directory_that_is_not_roots_is_said)
{
    NEEDS_NAMESPACE();
    (void)desk_session("alice", "FILE:/tmp/a", RECORD_OWN, DESK_LIVE);
    ck_assert_int_eq(chmod(DESK_STATE, 0777), 0);
    RUN("list", 1);
    ck_assert_ptr_nonnull(strstr(desk_errors(), DESK_STATE));
}
END_TEST

START_TEST(test_list_without_a_helper_says_so)
{
    NEEDS_NAMESPACE();
    (void)desk_session("alice", "FILE:/tmp/a", RECORD_OWN, DESK_LIVE);
    RUN("list --helper /nowhere/helper", 1);
    ck_assert_uint_eq(desk_count("helper /nowhere/helper"), 1);
}
END_TEST

START_TEST(test_list_that_nobody_reads_to_the_end_fails)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(
        WEXITSTATUS(system(BUILT_COMMAND " list >/dev/full 2>" DESK "/said")),
        1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("list");
    TCase *tcase = desk_case(suite, "list");

    tcase_add_test(tcase, test_list_of_nothing_is_a_head);
    tcase_add_test(tcase, test_list_of_a_place_that_is_not_there_says_so);
    tcase_add_test(tcase, test_list_json_says_all_of_a_session);
    tcase_add_test(tcase, test_list_shows_each_state);
    tcase_add_test(tcase, test_list_asks_for_no_cache_of_elsewhere);
    tcase_add_test(tcase, test_list_ticket_without_renewal_has_none);
    tcase_add_test(tcase, test_list_missing_cache_is_said_and_no_failure);
    tcase_add_test(tcase, test_list_unreadable_cache_stops_nothing);
    tcase_add_test(tcase, test_list_reads_as_the_user);
    tcase_add_test(tcase, test_list_user_picks_his_sessions);
    tcase_add_test(tcase, test_list_foreign_text_is_harmless);
    tcase_add_test(tcase, test_list_names_what_is_no_record);
    tcase_add_test(tcase, test_list_of_ten_thousand_records);
    tcase_add_test(tcase, test_list_shared_cache_is_read_once);
    tcase_add_test(tcase, test_list_state_directory_that_is_not_roots_is_said);
    tcase_add_test(tcase, test_list_without_a_helper_says_so);
    tcase_add_test(tcase, test_list_that_nobody_reads_to_the_end_fails);
    return suite_main(suite);
}
