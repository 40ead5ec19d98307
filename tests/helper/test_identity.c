/*
 * Becoming somebody, for good.  Check runs each test in a process of its own,
 * so a test may become whom it likes; those that begin as root need the
 * accounts of tests/in-namespace.
 */
#include "helper/identity.h"
#include "support/suite.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/keyctl.h>
#include <linux/securebits.h>

#define ALICE suite_uid("alice")
#define BOB suite_uid("bob")
#define ACCOUNT suite_uid("_pam_krb5cc")

#define NEEDS_ACCOUNTS()                                                       \
    SKIP_UNLESS(geteuid() == 0 && getpwnam("alice") != NULL,                   \
                "needs root and tests/in-namespace")

/* A group that alice is in besides her own. */
static gid_t
extra_group(void)
{
    const struct group *entry = getgrnam("extra");

    ck_assert_ptr_nonnull(entry);
    return entry->gr_gid;
}

static void
assert_ids(uid_t uid, gid_t gid)
{
    uid_t uids[3];
    gid_t gids[3];

    ck_assert_int_eq(getresuid(&uids[0], &uids[1], &uids[2]), 0);
    ck_assert_int_eq(getresgid(&gids[0], &gids[1], &gids[2]), 0);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(uids[i], uid);
        ck_assert_uint_eq(gids[i], gid);
    }
}

static bool
is_dumpable(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

START_TEST(test_identity_secured_process_is_hidden)
{
    struct rlimit core;

    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    ck_assert(identity_secure_process());
    ck_assert(!is_dumpable());
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    ck_assert_uint_eq(core.rlim_cur, 0);
    ck_assert_uint_eq(core.rlim_max, 0);
}
END_TEST

START_TEST(test_identity_secured_process_has_no_surroundings)
{
    struct sigaction action;
    char cwd[64];

    (void)umask(0);
    ck_assert(identity_secure_process());
    ck_assert_uint_eq(umask(0), 077);
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
    ck_assert_str_eq(cwd, "/");
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_IGN);
    ck_assert_int_eq(sigaction(SIGXFSZ, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_IGN);
}
END_TEST

/*
 * The caller of a set-uid host has no hold on us: no uid is his.  A host that
 * is not root lends us no group of its own.
 */
START_TEST(test_identity_secured_process_is_wholly_the_hosts)
{
    static const struct {
        const char *users[3];
        const char *groups[3];
        const char *host;
        const char *group;
    } rows[] = {
        {{"root", "root", "root"}, {"root", "root", "root"}, "root", "root"},
        {{"bob", "root", "root"}, {"bob", "bob", "bob"}, "root", "root"},
        {{"bob", "root", "root"}, {"root", "root", "root"}, "root", "root"},
        {{"alice", "root", "bob"}, {"root", "alice", "root"}, "root", "root"},
        {{"alice", "alice", "alice"},
         {"alice", "alice", "alice"},
         "alice",
         "alice"},
        {{"bob", "alice", "alice"}, {"bob", "alice", "alice"}, "alice", "bob"},
        {{"alice", "alice", "alice"},
         {"alice", "carol", "carol"},
         "alice",
         "alice"},
    };
    uid_t host = 0;

    NEEDS_ACCOUNTS();
    host = suite_uid(rows[_i].host);
    ck_assert_int_eq(setresgid(suite_uid(rows[_i].groups[0]),
                               suite_uid(rows[_i].groups[1]),
                               suite_uid(rows[_i].groups[2])),
                     0);
    ck_assert_int_eq(setresuid(suite_uid(rows[_i].users[0]),
                               suite_uid(rows[_i].users[1]),
                               suite_uid(rows[_i].users[2])),
                     0);
    ck_assert(identity_secure_process());
    assert_ids(host, suite_uid(rows[_i].group));
    ck_assert(!is_dumpable());
    ck_assert_int_eq(identity_is_root(), host == 0);
}
END_TEST

START_TEST(test_identity_user_is_had_for_good)
{
    gid_t groups[16];
    int count = 0;
    bool has_extra = false;

    NEEDS_ACCOUNTS();
    ck_assert_int_eq(setgroups(1, (const gid_t[]){0}), 0);
    ck_assert_int_eq(identity_become_user("alice", ALICE, ALICE),
                     OUTCOME_SUCCESS);
    assert_ids(ALICE, ALICE);
    count = getgroups(16, groups);
    for (int i = 0; i < count; i++) {
        ck_assert_uint_ne(groups[i], 0);
        has_extra |= groups[i] == extra_group();
    }
    ck_assert(has_extra);
    ck_assert_int_ne(setresuid(0, 0, 0), 0);
    ck_assert_int_ne(setresuid(BOB, BOB, BOB), 0);
    ck_assert_int_ne(setresgid(0, 0, 0), 0);
}
END_TEST

/* With groups that are known, and are his alone; those of another are not. */
START_TEST(test_identity_user_has_the_groups_that_are_known)
{
    static const char *const users[] = {"alice", "bob"};
    const struct groups known = {
        .are_known = true,
        .count = 2,
        .list = {ALICE, BOB},
    };
    gid_t groups[16];
    bool has_known = false;

    NEEDS_ACCOUNTS();
    ck_assert_int_eq(setgroups(1, (const gid_t[]){0}), 0);
    identity_know_groups("bob", BOB, &(struct groups){.are_known = true});
    identity_know_groups(users[_i], _i == 0 ? ALICE : BOB, &known);
    ck_assert_int_eq(identity_become_user("alice", ALICE, ALICE),
                     OUTCOME_SUCCESS);
    assert_ids(ALICE, ALICE);
    ck_assert_int_eq(getgroups(16, groups), 2);
    for (int i = 0; i < 2; i++) {
        has_known |= groups[i] == BOB;
        ck_assert(groups[i] == ALICE ||
                  groups[i] == (_i == 0 ? BOB : extra_group()));
    }
    ck_assert(has_known == (_i == 0));
}
END_TEST

START_TEST(test_identity_user_is_hidden_too)
{
    NEEDS_ACCOUNTS();
    ck_assert(identity_secure_process());
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    ck_assert_int_eq(identity_become_user("alice", ALICE, ALICE),
                     OUTCOME_SUCCESS);
    ck_assert(!is_dumpable());
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}
END_TEST

START_TEST(test_identity_account_has_no_groups)
{
    struct identity_account account;

    NEEDS_ACCOUNTS();
    ck_assert_int_eq(setgroups(2, (const gid_t[]){0, extra_group()}), 0);
    ck_assert(identity_find_helper_account(&account));
    ck_assert_uint_eq(account.uid, ACCOUNT);
    ck_assert_uint_eq(account.gid, ACCOUNT);
    ck_assert(!account.is_fallback);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    ck_assert_int_eq(identity_become_account(&account), OUTCOME_SUCCESS);
    assert_ids(ACCOUNT, ACCOUNT);
    ck_assert_int_eq(getgroups(0, NULL), 0);
    ck_assert(!is_dumpable());
    ck_assert_int_ne(setresuid(0, 0, 0), 0);
}
END_TEST

/* What the session keyring of this process has under NAME, by a search. */
static long
search_session(const char *name)
{
    return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user",
                   name, 0);
}

/* Who possesses a key may read it, whatever his uid is. */
START_TEST(test_identity_account_has_no_keys_of_the_host)
{
    static const char name[] = "test_identity";
    struct identity_account account;

    NEEDS_ACCOUNTS();
    ck_assert_int_ge(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), 0);
    ck_assert_int_ge(syscall(SYS_add_key, "user", name, "secret", 6,
                             KEY_SPEC_SESSION_KEYRING),
                     0);
    ck_assert_int_ge(search_session(name), 0);
    ck_assert(identity_find_helper_account(&account));
    ck_assert_int_eq(identity_become_account(&account), OUTCOME_SUCCESS);
    ck_assert_int_lt(search_session(name), 0);
}
END_TEST

/* In a host that is not root there is only one person to be. */
START_TEST(test_identity_of_another_is_refused_without_root)
{
    NEEDS_ACCOUNTS();
    ck_assert_int_eq(setgroups(0, NULL), 0);
    ck_assert_int_eq(setresgid(ALICE, ALICE, ALICE), 0);
    ck_assert_int_eq(setresuid(ALICE, ALICE, ALICE), 0);
    ck_assert_int_eq(identity_become_user("bob", BOB, BOB), OUTCOME_IDENTITY);
    ck_assert_int_eq(identity_become_user("root", 0, 0), OUTCOME_IDENTITY);
    assert_ids(ALICE, ALICE);
    ck_assert_int_eq(identity_become_user("alice", ALICE, ALICE),
                     OUTCOME_SUCCESS);
    ck_assert(!is_dumpable());
}
END_TEST

/* Capabilities that outlive the change of ids would lead back to root. */
START_TEST(test_identity_that_could_go_back_is_refused)
{
    struct identity_account account = {.is_fallback = false};

    NEEDS_ACCOUNTS();
    account.uid = ACCOUNT;
    account.gid = ACCOUNT;
    ck_assert_int_eq(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0),
                     0);
    ck_assert_int_eq(_i == 0 ? identity_become_user("alice", ALICE, ALICE)
                             : identity_become_account(&account),
                     OUTCOME_IDENTITY);
}
END_TEST

START_TEST(test_identity_root_may_be_root)
{
    NEEDS_ACCOUNTS();
    ck_assert_int_eq(identity_become_user("root", 0, 0), OUTCOME_SUCCESS);
    assert_ids(0, 0);
    ck_assert(!is_dumpable());
}
END_TEST

/*
 * A file system that never answers: whoever asks it for something waits.  The
 * descriptor that it hangs on is closed by the end of the test.  NULL: this
 * machine has no FUSE.
 */
static char *
mount_dead_file_system(char *folder)
{
    char *place = suite_path(folder, "dead");
    char options[128];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(mkdir(place, 0755), 0);
    (void)snprintf(options, sizeof(options),
                   "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fd);
    if (fd < 0 || mount("dead", place, "fuse", 0, options) < 0) {
        free(place);
        return NULL;
    }
    return place;
}

/* The first child of PID, once it has one; 0 where that takes too long. */
static pid_t
child_of(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    char path[64];
    int child = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
                   (int)pid);
    for (int i = 0; child == 0 && i < 500; i++) {
        FILE *children = fopen(path, "re");

        if (children != NULL) {
            if (fscanf(children, "%d", &child) != 1) {
                child = 0;
            }
            (void)fclose(children);
        }
        (void)nanosleep(&pause, NULL);
    }
    return child;
}

/* Whether PID is there and is no zombie, for as long as five seconds. */
static bool
stays(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    char path[64];
    char state = 'R';

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    for (int i = 0; state != 'Z' && i < 500; i++) {
        FILE *stat = fopen(path, "re");

        state = 'Z';
        if (stat != NULL) {
            if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) {
                state = 'Z';
            }
            (void)fclose(stat);
        }
        (void)nanosleep(&pause, NULL);
    }
    return state != 'Z';
}

/* Who tries a file that does not answer does not outlive who wants to know. */
START_TEST(test_identity_who_tries_a_file_ends_with_who_waits)
{
    char *folder = NULL;
    char *place = NULL;
    char *file = NULL;
    pid_t judge = -1;
    pid_t trying = 0;

    NEEDS_ACCOUNTS();
    folder = suite_tmpdir();
    place = mount_dead_file_system(folder);
    SKIP_UNLESS(place != NULL, "needs FUSE");
    file = suite_path(place, "key");
    judge = fork();
    ck_assert_int_ge(judge, 0);
    if (judge == 0) {
        (void)identity_can_read(
            &(struct identity_account){.uid = ALICE, .gid = ALICE},
            (char *const[]){file}, 1);
        _exit(0);
    }
    trying = child_of(judge);
    ck_assert_int_gt(trying, 0);
    /* Both wait. */
    ck_assert_int_eq(waitpid(judge, NULL, WNOHANG), 0);
    ck_assert_int_eq(kill(judge, SIGKILL), 0);
    ck_assert_int_eq(waitpid(judge, NULL, 0), judge);
    ck_assert(!stays(trying));
    ck_assert_int_eq(umount2(place, MNT_DETACH), 0);
    free(file);
    free(place);
    suite_remove_tree(folder);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tcase = suite_case(suite, "identity");

    tcase_add_test(tcase, test_identity_secured_process_is_hidden);
    tcase_add_test(tcase, test_identity_secured_process_has_no_surroundings);
    tcase_add_loop_test(
        tcase, test_identity_secured_process_is_wholly_the_hosts, 0, 7);
    tcase_add_test(tcase, test_identity_user_is_had_for_good);
    tcase_add_loop_test(tcase, test_identity_user_has_the_groups_that_are_known,
                        0, 2);
    tcase_add_test(tcase, test_identity_user_is_hidden_too);
    tcase_add_test(tcase, test_identity_account_has_no_groups);
    tcase_add_test(tcase, test_identity_account_has_no_keys_of_the_host);
    tcase_add_test(tcase, test_identity_of_another_is_refused_without_root);
    tcase_add_loop_test(tcase, test_identity_that_could_go_back_is_refused, 0,
                        2);
    tcase_add_test(tcase, test_identity_root_may_be_root);
    tcase_add_test(tcase, test_identity_who_tries_a_file_ends_with_who_waits);
    return suite_main(suite);
}
