/* krb5cc reap: what it destroys, and above all what it does not. */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin/desk.h"
#include "stack/scene.h"
#include "support/keys.h"

#define ALICES "FILE:/tmp/home/alice/cc"
#define ALICES_PATH "/tmp/home/alice/cc"

/* A file that is alice's cache as far as its end is concerned. */
static void
plant_file(void)
{
    const int64_t lifetimes[2] = {3600, -1};

    common_kinit(ALICES, "alice", "alice", lifetimes, NO_SERVICE);
}

/* A second run has nothing to do and nothing to say. */
static void
check_nothing_left(void)
{
    RUN("reap", 0);
    ck_assert_str_eq(desk_output(), "");
    ck_assert_str_eq(desk_errors(), "");
}

START_TEST(test_reap_destroys_an_orphan_and_only_it)
{
    static const enum desk_presence gone[] = {DESK_GONE, DESK_OTHER_BOOT};
    struct registry_key orphan;
    struct registry_key live;
    struct registry_key bobs;

    NEEDS_NAMESPACE();
    for (size_t i = 0; i < 2; i++) {
        plant_file();
        common_write("/tmp/home/alice/other", "x", common_uid("alice"), 0600);
        common_write("/tmp/home/bob/cc", "x", common_uid("bob"), 0600);
        orphan = desk_session("alice", ALICES, RECORD_OWN, gone[i]);
        live = desk_session("alice", "FILE:/tmp/home/alice/other", RECORD_OWN,
                            DESK_LIVE);
        bobs =
            desk_session("bob", "FILE:/tmp/home/bob/cc", RECORD_OWN, DESK_LIVE);
        RUN("reap", 0);
        ck_assert_uint_eq(desk_count("destroyed " ALICES), 1);
        ck_assert_uint_eq(desk_count("destroyed"), 1);
        ck_assert_uint_eq(desk_count("user alice (sshd, ssh, from "), 1);
        ck_assert(!common_exists(ALICES_PATH));
        ck_assert(!desk_has(&orphan));
        ck_assert(common_exists("/tmp/home/alice/other"));
        ck_assert(common_exists("/tmp/home/bob/cc"));
        ck_assert(desk_has(&live));
        ck_assert(desk_has(&bobs));
        check_nothing_left();
        ck_assert_int_eq(registry_leave(&desk_registry, &live), 0);
        ck_assert_int_eq(registry_leave(&desk_registry, &bobs), 0);
        ck_assert_int_eq(unlink("/tmp/home/alice/other"), 0);
        ck_assert_int_eq(unlink("/tmp/home/bob/cc"), 0);
    }
}
END_TEST

START_TEST(test_reap_destroys_what_an_ended_session_left)
{
    struct record record;
    struct registry_key key;

    NEEDS_NAMESPACE();
    plant_file();
    /* Its host runs on, as sshd's monitor may. */
    record = desk_record("alice", ALICES, DESK_LIVE);
    record.is_ended = true;
    key = desk_plant(&record);
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("it was left over"), 1);
    ck_assert(!common_exists(ALICES_PATH));
    ck_assert(!desk_has(&key));
    check_nothing_left();
}
END_TEST

START_TEST(test_reap_dry_run_says_it_and_does_nothing)
{
    struct registry_key key;
    struct registry_key bad;

    NEEDS_NAMESPACE();
    plant_file();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    bad = key;
    (void)snprintf(bad.id, sizeof(bad.id), "bad");
    common_write(desk_path(&bad), "x", 0, 0600);
    RUN("reap --dry-run", 0);
    ck_assert_uint_eq(desk_count("would destroy " ALICES), 1);
    ck_assert_uint_eq(desk_count("would be set aside"), 1);
    ck_assert(common_exists(ALICES_PATH));
    ck_assert(desk_has(&key));
    ck_assert(desk_has(&bad));
}
END_TEST

/* Delegated tickets are the host's to destroy. */
START_TEST(test_reap_leaves_an_adopted_cache)
{
    struct registry_key key;

    NEEDS_NAMESPACE();
    plant_file();
    key = desk_session("alice", ALICES, RECORD_ADOPTED, DESK_GONE);
    RUN("reap", 0);
    ck_assert_str_eq(desk_output(), "");
    ck_assert(common_exists(ALICES_PATH));
    ck_assert(!desk_has(&key));
}
END_TEST

START_TEST(test_reap_leaves_a_shared_cache_that_is_held)
{
    struct registry_key gone;
    struct registry_key live;

    NEEDS_NAMESPACE();
    plant_file();
    gone = desk_session("alice", ALICES, RECORD_SHARED, DESK_OTHER_BOOT);
    live = desk_session("alice", ALICES, RECORD_SHARED, DESK_LIVE);
    RUN("reap --dry-run -v", 0);
    ck_assert_uint_eq(desk_count("would destroy"), 0);
    ck_assert(desk_has(&gone));
    RUN("reap -v", 0);
    ck_assert_uint_eq(desk_count("another session holds it"), 1);
    ck_assert(common_exists(ALICES_PATH));
    ck_assert(!desk_has(&gone));
    ck_assert(desk_has(&live));
}
END_TEST

START_TEST(test_reap_destroys_a_shared_cache_with_its_last_holder)
{
    NEEDS_NAMESPACE();
    plant_file();
    (void)desk_session("alice", ALICES, RECORD_SHARED, DESK_OTHER_BOOT);
    (void)desk_session("alice", ALICES, RECORD_SHARED, DESK_GONE);
    RUN("reap", 0);
    ck_assert(!common_exists(ALICES_PATH));
    ck_assert_uint_eq(desk_count("destroyed"), 1);
    ck_assert_uint_eq(desk_count(ALICES " was gone already: "), 1);
    check_nothing_left();
}
END_TEST

/* Somebody is about to join: nothing is decided before he has. */
/* A host that was killed before its helper had said which cache it is. */
START_TEST(test_reap_of_a_record_that_names_a_collection_removes_it)
{
    static const char collection[] = "DIR:/tmp/home/alice/shared";
    static const char cache[] = "DIR::/tmp/home/alice/shared/tkt";
    const int64_t lifetimes[2] = {3600, -1};
    struct registry_key key;

    NEEDS_NAMESPACE();
    common_kinit(collection, "alice", "alice", lifetimes, NO_SERVICE);
    key = desk_session("alice", collection, RECORD_SHARED, DESK_GONE);
    RUN("reap", 0);
    ck_assert(!desk_has(&key));
    /* Whose else it is has a record of his own, or it is the user's. */
    ck_assert(common_look(cache, "alice").readable);
    check_nothing_left();
}
END_TEST

START_TEST(test_reap_waits_for_the_lock_on_what_is_shared)
{
    struct registry_key key;
    int lock = -1;

    NEEDS_NAMESPACE();
    plant_file();
    key = desk_session("alice", ALICES, RECORD_SHARED, DESK_GONE);
    lock = registry_lock(&desk_registry, common_uid("alice"),
                         SAFEFS_MAKE_IF_MISSING, 1000);
    ck_assert_int_ge(lock, 0);
    RUN("reap --timeout 1", 1);
    ck_assert_ptr_nonnull(strstr(desk_errors(), "cannot lock"));
    ck_assert(common_exists(ALICES_PATH));
    ck_assert(desk_has(&key));
    registry_unlock(lock);
    RUN("reap", 0);
    ck_assert(!common_exists(ALICES_PATH));
    check_nothing_left();
}
END_TEST

/* An own cache needs no lock: a login that hangs stops no reap. */
START_TEST(test_reap_of_an_own_cache_needs_no_lock)
{
    int lock = -1;

    NEEDS_NAMESPACE();
    plant_file();
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    lock = registry_lock(&desk_registry, common_uid("alice"),
                         SAFEFS_MAKE_IF_MISSING, 1000);
    ck_assert_int_ge(lock, 0);
    RUN("reap --timeout 1", 0);
    registry_unlock(lock);
    ck_assert(!common_exists(ALICES_PATH));
}
END_TEST

START_TEST(test_reap_leaves_elsewhere_alone)
{
    struct record record;
    struct registry_key keys[2];

    NEEDS_NAMESPACE();
    plant_file();
    record = desk_record("alice", ALICES, DESK_ELSEWHERE);
    keys[0] = desk_plant(&record);
    record.is_ended = true;
    keys[1] = desk_plant(&record);
    RUN("reap", 0);
    ck_assert_str_eq(desk_output(), "");
    RUN("reap -v", 0);
    ck_assert_uint_eq(desk_count("of another pid namespace"), 2);
    ck_assert(common_exists(ALICES_PATH));
    ck_assert(desk_has(&keys[0]));
    ck_assert(desk_has(&keys[1]));
}
END_TEST

/* What cannot be destroyed is tried again, whoever lives by then. */
START_TEST(test_reap_that_fails_keeps_the_record_as_ended)
{
    struct registry_key key;

    NEEDS_NAMESPACE();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    RUN("reap --helper /nonexistent", 1);
    ck_assert_ptr_nonnull(strstr(desk_errors(), "cannot destroy " ALICES));
    ck_assert(desk_has(&key));
    (void)desk_run("list --json");
    JSON_EQ("d[\"sessions\"][0][\"state\"]", "ended");
    RUN("reap --helper /nonexistent", 1);
    ck_assert(desk_has(&key));
    RUN("reap", 0);
    check_nothing_left();
}
END_TEST

/* What a user has put in his cache's place is no reason to fail for ever. */
START_TEST(test_reap_forgets_what_is_no_cache)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(mkdir("/tmp/home/alice/cc", 0700), 0);
    ck_assert_int_eq(chown("/tmp/home/alice/cc", common_uid("alice"), 0), 0);
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    (void)desk_session("alice", "DIR:/tmp/home/alice/cc", RECORD_SHARED,
                       DESK_GONE);
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("forgot "), 2);
    ck_assert(common_exists("/tmp/home/alice/cc"));
    check_nothing_left();
}
END_TEST

/* A session that will not end the cache itself still uses it. */
START_TEST(test_reap_leaves_what_is_adopted_until_it_is_not)
{
    struct registry_key adopted;
    struct registry_key ended;

    NEEDS_NAMESPACE();
    common_write("/tmp/home/alice/cc", "", common_uid("alice"), 0600);
    ended = desk_session("alice", ALICES, RECORD_SHARED, DESK_GONE);
    adopted = desk_session("alice", ALICES, RECORD_ADOPTED, DESK_LIVE);
    RUN("reap", 0);
    ck_assert(desk_has(&ended));
    ck_assert(common_exists("/tmp/home/alice/cc"));
    ck_assert_int_eq(registry_leave(&desk_registry, &adopted), 0);
    RUN("reap", 0);
    ck_assert(!common_exists("/tmp/home/alice/cc"));
    check_nothing_left();
}
END_TEST

/* Only as its user: a record cannot make root destroy another's file. */
START_TEST(test_reap_destroys_as_the_user)
{
    NEEDS_NAMESPACE();
    common_write("/tmp/home/bob/cc", "x", common_uid("bob"), 0600);
    (void)desk_session("alice", "FILE:/tmp/home/bob/cc", RECORD_OWN, DESK_GONE);
    (void)desk_run("reap");
    ck_assert(common_exists("/tmp/home/bob/cc"));
}
END_TEST

START_TEST(test_reap_of_a_user_without_account_takes_the_records_ids)
{
    struct record record;
    const uid_t uid = 64321;

    NEEDS_NAMESPACE();
    common_write("/tmp/nobodys", "x", uid, 0600);
    record = desk_record("alice", "FILE:/tmp/nobodys", DESK_OTHER_BOOT);
    record.user = (char *)(uintptr_t) "left-the-house";
    record.uid = uid;
    record.gid = uid;
    (void)desk_plant(&record);
    RUN("reap", 0);
    ck_assert(!common_exists("/tmp/nobodys"));
    check_nothing_left();
}
END_TEST

/* The name has been given to somebody else: the cache is the old uid's. */
START_TEST(test_reap_of_a_name_with_another_uid_takes_the_records_ids)
{
    struct record record;
    const uid_t uid = 64322;

    NEEDS_NAMESPACE();
    common_write("/tmp/olds", "x", uid, 0600);
    record = desk_record("alice", "FILE:/tmp/olds", DESK_OTHER_BOOT);
    record.uid = uid;
    record.gid = uid;
    (void)desk_plant(&record);
    RUN("reap", 0);
    ck_assert(!common_exists("/tmp/olds"));
    check_nothing_left();
}
END_TEST

/*
 * A cache of UID in a directory that only the group extra, which is alice's
 * second, may enter.
 */
static void
plant_among_extra(uid_t uid)
{
    const struct group *extra = getgrnam("extra");

    ck_assert_ptr_nonnull(extra);
    (void)unlink("/tmp/extra/cc");
    (void)rmdir("/tmp/extra");
    ck_assert_int_eq(mkdir("/tmp/extra", 0770), 0);
    ck_assert_int_eq(chown("/tmp/extra", 0, extra->gr_gid), 0);
    ck_assert_int_eq(chmod("/tmp/extra", 0770), 0);
    common_write("/tmp/extra/cc", "x", uid, 0600);
}

START_TEST(test_reap_has_the_users_groups)
{
    NEEDS_NAMESPACE();
    plant_among_extra(common_uid("alice"));
    (void)desk_session("alice", "FILE:/tmp/extra/cc", RECORD_OWN, DESK_GONE);
    RUN("reap", 0);
    ck_assert(!common_exists("/tmp/extra/cc"));
}
END_TEST

/* Whose name it was may enter; who has it now has nothing to do with it. */
START_TEST(test_reap_of_a_name_with_another_uid_has_not_its_groups)
{
    struct record record;
    const uid_t uid = 64323;

    NEEDS_NAMESPACE();
    plant_among_extra(uid);
    record = desk_record("alice", "FILE:/tmp/extra/cc", DESK_OTHER_BOOT);
    record.uid = uid;
    record.gid = uid;
    (void)desk_plant(&record);
    RUN("reap", 1);
    ck_assert(common_exists("/tmp/extra/cc"));
}
END_TEST

/* What lies among the records and is none is put where nobody meets it. */
START_TEST(test_reap_sets_aside_what_is_no_record)
{
    struct registry_key key;
    char folder[256];
    char path[512];

    NEEDS_NAMESPACE();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    (void)snprintf(folder, sizeof(folder), DESK_STATE "/sessions/%lld",
                   (long long)key.uid);
    common_write("/tmp/home/alice/victim", "x", common_uid("alice"), 0600);
    (void)snprintf(path, sizeof(path), "%s/link", folder);
    ck_assert_int_eq(symlink("/tmp/home/alice/victim", path), 0);
    (void)snprintf(path, sizeof(path), "%s/cut", folder);
    common_write(path, "pam_krb5cc record = 1\ncache = FILE:/tmp/x\n", 0, 0600);
    (void)snprintf(path, sizeof(path), "%s/theirs", folder);
    common_write(path, "x", common_uid("alice"), 0600);
    (void)snprintf(path, sizeof(path), "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    common_write(DESK_STATE "/sessions/stray", "", 0, 0600);
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("set aside"), 5);
    ck_assert(desk_has(&key));
    ck_assert(common_exists("/tmp/home/alice/victim"));
    ck_assert_uint_eq(common_count(DESK_STATE "/set-aside", ""), 5);
    ck_assert_uint_eq(common_count(folder, ""), 1);
    check_nothing_left();
}
END_TEST

/* The records in it are sessions that live: it is to be mended, not moved. */
START_TEST(test_reap_leaves_a_users_directory_that_others_can_write)
{
    struct registry_key key;
    char folder[256];

    NEEDS_NAMESPACE();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    (void)snprintf(folder, sizeof(folder), DESK_STATE "/sessions/%lld",
                   (long long)key.uid);
    ck_assert_int_eq(chmod(folder, 0775), 0);
    RUN("reap", 1);
    ck_assert_ptr_nonnull(
        strstr(desk_errors(), "so no record in it is trusted; chown -R"));
    ck_assert(desk_has(&key));
    ck_assert_int_eq(chmod(folder, 0700), 0);
    RUN("reap", 0);
    ck_assert(desk_has(&key));
}
END_TEST

/* A typing error must not be taken for a machine without sessions. */
START_TEST(test_reap_without_the_directory_says_so)
{
    static const char missing[] = "/nowhere/state: No such file";

    NEEDS_NAMESPACE();
    RUN("reap --state-dir /nowhere/state", 0);
    ck_assert_ptr_nonnull(strstr(desk_errors(), missing));
    RUN("renew --state-dir /nowhere/state", 0);
    ck_assert_ptr_nonnull(strstr(desk_errors(), missing));
    RUN("reap", 0);
    ck_assert_str_eq(desk_errors(), "");
}
END_TEST

START_TEST(test_reap_leaves_a_newer_versions_record)
{
    struct registry_key key;

    NEEDS_NAMESPACE();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_LIVE);
    (void)snprintf(key.id, sizeof(key.id), "newer");
    common_write(desk_path(&key), "pam_krb5cc record = 2\nend\n", 0, 0600);
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("left alone: a newer version"), 1);
    ck_assert(desk_has(&key));
}
END_TEST

START_TEST(test_reap_of_one_user_leaves_the_others)
{
    struct registry_key bobs;

    NEEDS_NAMESPACE();
    plant_file();
    (void)desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    common_write("/tmp/home/bob/cc", "x", common_uid("bob"), 0600);
    bobs = desk_session("bob", "FILE:/tmp/home/bob/cc", RECORD_OWN, DESK_GONE);
    RUN("reap --user alice", 0);
    ck_assert(!common_exists(ALICES_PATH));
    ck_assert(common_exists("/tmp/home/bob/cc"));
    ck_assert(desk_has(&bobs));
}
END_TEST

/* A process of the user's means that his session may live on. */
START_TEST(test_reap_leaves_a_session_whose_user_has_a_process)
{
    uid_t uid = 0;
    pid_t pid = -1;
    struct registry_key key;

    NEEDS_NAMESPACE();
    uid = common_uid("alice");
    plant_file();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (setresuid(uid, uid, uid) == 0) {
            (void)pause();
        }
        _exit(0);
    }
    while (desk_run("list") == 0 && desk_count(" live ") == 0) {
        /* The child becomes alice in no time. */
    }
    RUN("reap", 0);
    ck_assert(common_exists(ALICES_PATH));
    ck_assert(desk_has(&key));
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    RUN("reap", 0);
    ck_assert(!common_exists(ALICES_PATH));
}
END_TEST

START_TEST(test_reap_sweeps_stashes_that_are_void)
{
    static const int64_t past = 1700000000;
    const char *path = DESK_RUNTIME "/stash/0123456789abcdef0123456789abcdef";
    int fd = -1;

    NEEDS_NAMESPACE();
    ck_assert_int_eq(mkdir(DESK_RUNTIME "/stash", 0700), 0);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, &past, sizeof(past)), sizeof(past));
    ck_assert_int_eq(close(fd), 0);
    RUN("reap --dry-run", 0);
    ck_assert(common_exists(path));
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("removed 1 stash"), 1);
    ck_assert(!common_exists(path));
    check_nothing_left();
}
END_TEST

START_TEST(test_reap_removes_directories_that_are_empty)
{
    struct registry_key key;
    char folder[256];

    NEEDS_NAMESPACE();
    plant_file();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    (void)snprintf(folder, sizeof(folder), DESK_STATE "/sessions/%lld",
                   (long long)key.uid);
    RUN("reap", 0);
    ck_assert(!common_exists(folder));
}
END_TEST

/* So many of a user whose first cache hangs: he waits, not we. */
#define MANY (IS_SANITIZED ? 200 : 1000)

START_TEST(test_reap_is_not_held_up_by_a_user)
{
    struct record record;
    struct timespec begin;
    struct timespec end;
    char path[] = DESK "/helper";
    char name[64];

    NEEDS_NAMESPACE();
    common_write(path, "#!/bin/sh\nexec sleep 1000\n", 0, 0700);
    record = desk_record("alice", ALICES, DESK_OTHER_BOOT);
    record.cache = name;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "FILE:/tmp/home/alice/%d", i);
        (void)desk_plant(&record);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    RUN("reap --timeout 1 --helper " DESK "/helper", 1);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    /* A second for each, if each were waited for. */
    ck_assert_int_lt(end.tv_sec - begin.tv_sec, MANY / 2);
    ck_assert_ptr_nonnull(strstr(desk_errors(), "taken too long already"));
    RUN("list", 0);
    ck_assert_uint_eq(desk_count(" ended "), MANY);
}
END_TEST

/* Nor by one who lets each of his caches take nearly as long as it may. */
START_TEST(test_reap_is_not_held_up_for_long_many_times)
{
    struct record record;
    char path[] = DESK "/helper";
    char name[64];

    NEEDS_NAMESPACE();
    common_write(path, "#!/bin/sh\nsleep 0.6\nexit 1\n", 0, 0700);
    record = desk_record("alice", ALICES, DESK_OTHER_BOOT);
    record.cache = name;
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "FILE:/tmp/home/alice/%d", i);
        (void)desk_plant(&record);
    }
    RUN("reap --timeout 1 --helper " DESK "/helper", 1);
    ck_assert_ptr_nonnull(strstr(desk_errors(), "taken too long already"));
}
END_TEST

/* Nor by one who keeps the lock, in a host that he has stopped. */
START_TEST(test_reap_waits_once_for_a_lock)
{
    int lock = -1;
    size_t waited = 0;

    NEEDS_NAMESPACE();
    for (int i = 0; i < 3; i++) {
        (void)desk_session("alice", ALICES, RECORD_SHARED, DESK_OTHER_BOOT);
    }
    lock = registry_lock(&desk_registry, common_uid("alice"),
                         SAFEFS_FAIL_IF_MISSING, 0);
    ck_assert_int_ge(lock, 0);
    RUN("reap --timeout 1", 1);
    registry_unlock(lock);
    for (const char *at = desk_errors(); (at = strstr(at, "cannot lock"));
         at++) {
        waited++;
    }
    ck_assert_uint_eq(waited, 1);
    ck_assert_ptr_nonnull(strstr(desk_errors(), "taken too long already"));
}
END_TEST

/* A login that broke off before it had looked what has the name. */
START_TEST(test_reap_leaves_what_a_broken_login_has_not_touched)
{
    const int64_t lifetimes[] = {3600, -1};
    struct record record;

    NEEDS_NAMESPACE();
    common_kinit(ALICES, "alice", _i == 0 ? "bob" : "alice", lifetimes,
                 NO_SERVICE);
    record = desk_record("alice", ALICES, DESK_GONE);
    record.ownership = RECORD_SHARED;
    record.is_made = false;
    record.principal = strdup("alice@PAM.TEST");
    (void)desk_plant(&record);
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("which is not his session's: it has tickets of"
                                 " bob@PAM.TEST"),
                      _i == 0);
    ck_assert(common_exists(ALICES_PATH) == (_i == 0));
    check_nothing_left();
}
END_TEST

/* A login that was killed under a umask of 0777 leaves it like that. */
START_TEST(test_reap_comes_into_a_directory_without_a_mode)
{
    struct registry_key key;
    char folder[256];

    NEEDS_NAMESPACE();
    plant_file();
    key = desk_session("alice", ALICES, RECORD_OWN, DESK_GONE);
    (void)snprintf(folder, sizeof(folder), DESK_STATE "/sessions/%lld",
                   (long long)key.uid);
    ck_assert_int_eq(chmod(folder, 0), 0);
    ck_assert_int_eq(chmod(DESK_STATE "/sessions", 0), 0);
    desk_confine();
    RUN("reap", 0);
    ck_assert(!common_exists(ALICES_PATH));
    check_nothing_left();
}
END_TEST

/* Each kind of cache, and in a collection the other one stays. */
START_TEST(test_reap_of_each_kind)
{
    char orphan[SCENE_NAME_MAX];
    char other[SCENE_NAME_MAX];

    SCENE_BEGIN(kind);
    desk_begin();
    scene_plant_in(kind, "Orphan", SCENE_ALICE, orphan);
    scene_plant_in(kind, "Stayed", SCENE_BOB, other);
    (void)desk_session("alice", orphan, RECORD_OWN, DESK_OTHER_BOOT);
    (void)desk_session("alice", other, RECORD_OWN, DESK_LIVE);
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("destroyed"), 1);
    scene_assert_gone(kind, orphan);
    ck_assert(common_look(other, "alice").readable);
    check_nothing_left();
    desk_end();
    kinds_clear(kind, "alice");
}
END_TEST

START_TEST(test_reap_of_each_kind_as_the_unit)
{
    char orphan[SCENE_NAME_MAX];

    SCENE_BEGIN(kind);
    desk_begin();
    scene_plant_in(kind, "Orphan", SCENE_ALICE, orphan);
    (void)desk_session("alice", orphan, RECORD_OWN, DESK_OTHER_BOOT);
    desk_confine();
    if (!kind->in_session && keys_available()) {
        keys_join_session(0);
    }
    RUN("reap", 0);
    ck_assert_uint_eq(desk_count("destroyed"), 1);
    scene_assert_gone(kind, orphan);
    desk_end();
    kinds_clear(kind, "alice");
}
END_TEST

int
main(void)
{
    const struct scene_row rows[] = {
        {test_reap_of_each_kind, NULL},
        {test_reap_of_each_kind_as_the_unit, NULL},
    };
    Suite *suite = suite_create("reap");
    TCase *tcase = desk_case(suite, "reap");

    tcase_add_test(tcase, test_reap_destroys_an_orphan_and_only_it);
    tcase_add_test(tcase, test_reap_destroys_what_an_ended_session_left);
    tcase_add_test(tcase, test_reap_dry_run_says_it_and_does_nothing);
    tcase_add_test(tcase, test_reap_leaves_an_adopted_cache);
    tcase_add_test(tcase, test_reap_leaves_a_shared_cache_that_is_held);
    tcase_add_test(tcase,
                   test_reap_destroys_a_shared_cache_with_its_last_holder);
    tcase_add_test(tcase,
                   test_reap_of_a_record_that_names_a_collection_removes_it);
    tcase_add_test(tcase, test_reap_waits_for_the_lock_on_what_is_shared);
    tcase_add_test(tcase, test_reap_of_an_own_cache_needs_no_lock);
    tcase_add_test(tcase, test_reap_leaves_elsewhere_alone);
    tcase_add_test(tcase, test_reap_that_fails_keeps_the_record_as_ended);
    tcase_add_test(tcase, test_reap_forgets_what_is_no_cache);
    tcase_add_test(tcase, test_reap_leaves_what_is_adopted_until_it_is_not);
    tcase_add_test(tcase, test_reap_destroys_as_the_user);
    tcase_add_test(tcase,
                   test_reap_of_a_user_without_account_takes_the_records_ids);
    tcase_add_test(tcase,
                   test_reap_of_a_name_with_another_uid_takes_the_records_ids);
    tcase_add_test(tcase, test_reap_has_the_users_groups);
    tcase_add_test(tcase,
                   test_reap_of_a_name_with_another_uid_has_not_its_groups);
    tcase_add_test(tcase, test_reap_sets_aside_what_is_no_record);
    tcase_add_test(tcase,
                   test_reap_leaves_a_users_directory_that_others_can_write);
    tcase_add_test(tcase, test_reap_without_the_directory_says_so);
    tcase_add_test(tcase, test_reap_leaves_a_newer_versions_record);
    tcase_add_test(tcase, test_reap_of_one_user_leaves_the_others);
    tcase_add_test(tcase, test_reap_leaves_a_session_whose_user_has_a_process);
    tcase_add_test(tcase, test_reap_sweeps_stashes_that_are_void);
    tcase_add_test(tcase, test_reap_removes_directories_that_are_empty);
    tcase_add_test(tcase, test_reap_is_not_held_up_by_a_user);
    tcase_add_test(tcase, test_reap_is_not_held_up_for_long_many_times);
    tcase_add_test(tcase, test_reap_waits_once_for_a_lock);
    tcase_add_loop_test(
        tcase, test_reap_leaves_what_a_broken_login_has_not_touched, 0, 2);
    tcase_add_test(tcase, test_reap_comes_into_a_directory_without_a_mode);
    scene_add(suite, rows, 2);
    return suite_main(suite);
}
