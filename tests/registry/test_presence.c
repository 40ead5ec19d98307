/*
 * registry/presence: who is there, by the kernel's word.  Processes become
 * users, get audit sessions of their own (/proc/self/loginuid) and end in all
 * the ways that there are; logind is what a test writes into the namespace's
 * /run and into a hierarchy of control groups.
 */
#include "registry/presence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "registry/sample.h"
#include "support/shared.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NEEDS_NAMESPACE()                                                      \
    SKIP_UNLESS(geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL,         \
                "needs root and tests/in-namespace")
#define NEEDS_AUDIT()                                                          \
    SKIP_UNLESS(access("/proc/self/sessionid", R_OK) == 0,                     \
                "needs a kernel with audit sessions")

#define UNSET 4294967295LL
#define CACHE "FILE:/tmp/krb5cc"
#define SESSIONS "/run/systemd/sessions"
#define HIERARCHY "/tmp/cgroup"

/*
 * The end of the names of files for which there is no descriptor any more, to
 * the code that is tested as well; NULL: none.
 */
static const char *withheld;

int
open(const char *path, int flags, ...)
{
    size_t length = strlen(path);
    mode_t mode = 0;
    va_list arguments;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (withheld != NULL && length >= strlen(withheld) &&
        strcmp(path + length - strlen(withheld), withheld) == 0) {
        errno = EMFILE;
        return -1;
    }
    return openat(AT_FDCWD, path, flags, mode);
}

static void
write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_msg(write(fd, text, strlen(text)) == (ssize_t)strlen(text),
                  "%s: %s", path, strerror(errno));
    ck_assert_int_eq(close(fd), 0);
}

/* The beginning of PATH; static storage. */
static const char *
text_of(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0;

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    length = read(fd, text, sizeof(text) - 1);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    ck_assert_int_eq(close(fd), 0);
    return text;
}

static int64_t
number_of(const char *path)
{
    return strtoll(text_of(path), NULL, 10);
}

/* Mounts of this test end with it. */
static void
own_mounts(void)
{
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

/* A process that a test looks at, and what it says of itself. */
struct other {
    pid_t pid;
    atomic_uint ready;
    int64_t audit;
    int64_t start;
    uid_t uid;
    uid_t login_uid; /* (uid_t)-1: none */
    uid_t uids[4];   /* real, effective, saved, of the file system */
    const char *cgroup;
};

static int
stay(void *data)
{
    struct other *other = data;
    struct record record = {.cache = NULL};
    char text[64];

    if (other->login_uid != (uid_t)-1) {
        (void)snprintf(text, sizeof(text), "%u", other->login_uid);
        write_text("/proc/self/loginuid", text);
    }
    if (other->cgroup != NULL) {
        (void)snprintf(text, sizeof(text), "%d", (int)getpid());
        write_text(other->cgroup, text);
    }
    other->audit = number_of("/proc/self/sessionid");
    ck_assert_int_eq(presence_of_caller(&record), 0);
    other->start = record.start;
    if (setresuid(other->uids[0], other->uids[1], other->uids[2]) < 0) {
        return 1;
    }
    (void)setfsuid(other->uids[3]);
    shared_set(&other->ready, 1);
    for (;;) {
        (void)pause();
    }
    return 0;
}

static struct other *
other_new(uid_t uid)
{
    struct other *other = shared_memory(sizeof(*other));

    other->uid = uid;
    other->login_uid = (uid_t)-1;
    for (size_t i = 0; i < 4; i++) {
        other->uids[i] = uid;
    }
    return other;
}

static void
other_start(struct other *other)
{
    other->pid = shared_start(0, stay, other);
    ck_assert_uint_eq(shared_wait(&other->ready, 0, 20000000), 1);
}

static void
other_end(struct other *other)
{
    ck_assert_int_eq(kill(other->pid, SIGKILL), 0);
    ck_assert_int_eq(shared_end(other->pid), -1);
    other->pid = -1;
}

/* Ends it, and leaves it to its parent, who does not ask. */
static void
other_end_as_zombie(struct other *other)
{
    siginfo_t info;

    ck_assert_int_eq(kill(other->pid, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)other->pid, &info, WEXITED | WNOWAIT),
                     0);
}

/* A session of UID that OTHER is the host of. */
static struct record
record_of(const struct other *other, int64_t uid)
{
    struct record record = sample_live(uid, CACHE);

    record.pid = other->pid;
    record.start = other->start;
    return record;
}

static enum presence
judged(const struct record *record)
{
    struct presence_census *census = presence_census_take();
    enum presence presence = PRESENCE_LIVE;

    ck_assert_ptr_nonnull(census);
    presence = presence_judge(record, census);
    presence_census_free(census);
    return presence;
}

/* The host itself. */

START_TEST(test_presence_of_the_caller_is_as_the_kernel_says)
{
    struct record record = {.cache = NULL};
    struct stat status;
    char boot[128];

    /* Such a name has misled others. */
    ck_assert_int_eq(prctl(PR_SET_NAME, "x) Z 1 2 3 (y"), 0);
    (void)snprintf(boot, sizeof(boot), "%s",
                   text_of("/proc/sys/kernel/random/boot_id"));
    boot[strcspn(boot, "\n")] = '\0';
    ck_assert_int_eq(stat("/proc/self/ns/pid", &status), 0);
    ck_assert_int_eq(presence_of_caller(&record), 0);
    ck_assert_int_eq(record.pid, getpid());
    ck_assert_int_eq(record.pid_namespace, (int64_t)status.st_ino);
    ck_assert_str_eq(record.boot, boot);
    {
        const char *at = strrchr(text_of("/proc/self/stat"), ')') + 2;

        for (int field = 3; field < 22; field++) {
            at = strchr(at, ' ') + 1;
        }
        ck_assert_int_eq(record.start, strtoll(at, NULL, 10));
    }
    ck_assert(presence_has_host(&record));
    /* Once more: what was there is freed. */
    ck_assert_int_eq(presence_of_caller(&record), 0);
    ck_assert_str_eq(record.boot, boot);
    record_free(&record);
}
END_TEST

START_TEST(test_presence_of_a_caller_without_proc_is_not_known)
{
    struct record record = {.cache = NULL};
    enum presence presence = PRESENCE_GONE;

    NEEDS_NAMESPACE();
    own_mounts();
    ck_assert_int_eq(mount("none", "/proc", "tmpfs", 0, NULL), 0);
    ck_assert_int_eq(presence_of_caller(&record), 0);
    record.logind = strdup("");
    ck_assert_int_eq(record.pid, getpid());
    ck_assert_int_eq(record.start, RECORD_UNKNOWN);
    ck_assert_int_eq(record.pid_namespace, RECORD_UNKNOWN);
    ck_assert_str_eq(record.boot, "");
    ck_assert(presence_has_host(&record));
    ck_assert_ptr_null(presence_census_take());
    ck_assert_int_eq(presence_judge(&record, NULL), PRESENCE_LIVE);
    ck_assert_int_eq(umount("/proc"), 0);
    /* Of one of which nothing is known nobody says that it is gone. */
    presence = judged(&record);
    ck_assert_int_eq(presence, PRESENCE_LIVE);
    record_free(&record);
}
END_TEST

START_TEST(test_presence_host_is_there_until_it_ends)
{
    struct other *other = other_new(0);
    struct record record;

    other_start(other);
    record = record_of(other, 54321);
    ck_assert(presence_has_host(&record));
    other_end(other);
    ck_assert(!presence_has_host(&record));
    record_free(&record);
}
END_TEST

START_TEST(test_presence_host_that_is_a_zombie_is_gone)
{
    struct other *other = other_new(0);
    struct record record;

    other_start(other);
    record = record_of(other, 54321);
    other_end_as_zombie(other);
    ck_assert(!presence_has_host(&record));
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    ck_assert_int_eq(shared_end(other->pid), -1);
    record_free(&record);
}
END_TEST

static void *
live_on(void *data)
{
    struct other *other = data;

    shared_set(&other->ready, 1);
    for (;;) {
        (void)pause();
    }
    return NULL;
}

/* Its first thread ends, another goes on. */
static int
end_one_thread(void *data)
{
    struct other *other = data;
    struct record record = {.cache = NULL};
    pthread_t thread;

    if (presence_of_caller(&record) < 0 ||
        pthread_create(&thread, NULL, live_on, other) != 0) {
        return 1;
    }
    other->start = record.start;
    pthread_exit(NULL);
}

/* Waits until the process PID looks like a zombie. */
static void
wait_for_zombie(pid_t pid)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    while (strstr(text_of(path), ") Z ") == NULL) {
        (void)sched_yield();
    }
}

START_TEST(test_presence_host_whose_first_thread_has_ended_lives)
{
    uid_t uid = suite_uid("alice");
    struct other *other = other_new(uid);
    struct record record;

    NEEDS_NAMESPACE();
    other->pid = shared_start(uid, end_one_thread, other);
    ck_assert_uint_eq(shared_wait(&other->ready, 0, 20000000), 1);
    wait_for_zombie(other->pid);
    record = record_of(other, uid);
    ck_assert(presence_has_host(&record));
    /* Nor is it nobody to a census. */
    record.start++;
    ck_assert(!presence_has_host(&record));
    ck_assert_int_eq(judged(&record), PRESENCE_LIVE);
    other_end(other);
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    record_free(&record);
}
END_TEST

START_TEST(test_presence_host_that_is_not_known_is_there)
{
    struct record record = sample_gone(54321, CACHE);
    int64_t pid = record.pid;

    ck_assert(!presence_has_host(&record));
    record.pid = 0;
    ck_assert(presence_has_host(&record));
    record.pid = RECORD_UNKNOWN;
    ck_assert(presence_has_host(&record));
    record.pid = INT64_MIN;
    ck_assert(presence_has_host(&record));
    record.pid = pid;
    record.start = RECORD_UNKNOWN;
    record.pid_namespace = RECORD_UNKNOWN;
    ck_assert(presence_has_host(&record));
    record.start = 1;
    record.pid = INT64_MAX;
    ck_assert(!presence_has_host(&record));
    record_free(&record);
}
END_TEST

/* Who could not tell when it began is there as long as somebody has its pid. */
START_TEST(test_presence_host_of_unknown_start_is_gone_without_its_pid)
{
    struct record record = sample_gone(54321, CACHE);

    record.start = RECORD_UNKNOWN;
    ck_assert_int_ne(record.pid_namespace, RECORD_UNKNOWN);
    ck_assert(!presence_has_host(&record));
    record.pid = getpid();
    ck_assert(presence_has_host(&record));
    record_free(&record);
}
END_TEST

/* A child with the number PID, which nobody has, in this namespace. */
static pid_t
fork_as(pid_t pid)
{
    struct clone_args arguments = {
        .exit_signal = SIGCHLD,
        .set_tid = (uint64_t)(uintptr_t)&pid,
        .set_tid_size = 1,
    };

    return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* The kernel counts the time of a start in ticks: waits for another one. */
static void
wait_for_a_later_start(int64_t start)
{
    struct timespec now = {0, 0};
    long ticks = sysconf(_SC_CLK_TCK);

    do {
        (void)sched_yield();
        ck_assert_int_eq(clock_gettime(CLOCK_BOOTTIME, &now), 0);
    } while ((int64_t)now.tv_sec * ticks + now.tv_nsec / (1000000000 / ticks) <=
             start + 1);
}

START_TEST(test_presence_host_whose_number_is_anothers_is_gone)
{
    struct record record = sample_gone(54321, CACHE);
    pid_t again = -1;

    NEEDS_NAMESPACE();
    wait_for_a_later_start(record.start);
    again = fork_as((pid_t)record.pid);
    if (again == 0) {
        (void)pause();
        _exit(0);
    }
    ck_assert_msg(again == record.pid, "clone3: %s", strerror(errno));
    ck_assert(!presence_has_host(&record));
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    ck_assert_int_eq(kill(again, SIGKILL), 0);
    ck_assert_int_eq(shared_end(again), -1);
    record_free(&record);
}
END_TEST

/* Boots and namespaces. */

START_TEST(test_presence_of_another_boot_is_gone)
{
    struct record record = sample_of_other_boot(54321, CACHE);

    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    ck_assert_int_eq(presence_judge(&record, NULL), PRESENCE_GONE);
    /* A container may say that it has another boot than its machine. */
    record.pid_namespace++;
    ck_assert_int_eq(presence_judge(&record, NULL), PRESENCE_ELSEWHERE);
    record_free(&record);
}
END_TEST

START_TEST(test_presence_of_a_boot_that_is_not_known_is_judged_by_its_host)
{
    struct record record = sample_live(54321, CACHE);
    struct record gone = sample_gone(54321, CACHE);

    record.boot[0] = '\0';
    gone.boot[0] = '\0';
    ck_assert_int_eq(judged(&record), PRESENCE_LIVE);
    ck_assert_int_eq(judged(&gone), PRESENCE_GONE);
    record_free(&record);
    record_free(&gone);
}
END_TEST

START_TEST(test_presence_of_another_namespace_is_not_judged)
{
    struct record record = sample_elsewhere(54321, CACHE);
    struct record gone = sample_gone(54321, CACHE);

    ck_assert_int_eq(judged(&record), PRESENCE_ELSEWHERE);
    ck_assert_int_eq(presence_judge(&record, NULL), PRESENCE_ELSEWHERE);
    gone.pid_namespace++;
    ck_assert_int_eq(judged(&gone), PRESENCE_ELSEWHERE);
    gone.pid_namespace = RECORD_UNKNOWN;
    ck_assert_int_eq(judged(&gone), PRESENCE_GONE);
    record_free(&record);
    record_free(&gone);
}
END_TEST

/* What a process in a pid namespace of its own says of RECORD. */
struct view {
    struct record record;
    int64_t own_namespace;
    int64_t own_pid;
    bool has_host;
    bool has_census;
    enum presence judged;
    enum presence judged_as_own;
    int64_t audit;
};

static int
look_around(void *data)
{
    struct view *view = data;
    struct record own = {.cache = NULL, .uid = view->record.uid};
    struct presence_census *census = presence_census_take();
    struct record record = view->record;

    if (presence_of_caller(&own) < 0 || presence_of_session(&own, NULL) < 0) {
        return 1;
    }
    view->own_namespace = own.pid_namespace;
    view->own_pid = own.pid;
    view->audit = own.audit;
    view->has_host = presence_has_host(&record);
    view->has_census = census != NULL;
    view->judged = presence_judge(&record, census);
    record.pid_namespace = own.pid_namespace;
    view->judged_as_own = presence_judge(&record, census);
    presence_census_free(census);
    record_free(&own);
    return 0;
}

static int
look_around_in_a_namespace(void *data)
{
    if (unshare(CLONE_NEWPID) < 0) {
        return 2;
    }
    return shared_end(shared_start(0, look_around, data));
}

static int
look_around_with_own_proc(void *data)
{
    own_mounts();
    if (mount("proc", "/proc", "proc", 0, NULL) < 0) {
        return 3;
    }
    return look_around(data);
}

static int
look_around_in_a_whole_namespace(void *data)
{
    if (unshare(CLONE_NEWPID) < 0) {
        return 2;
    }
    return shared_end(shared_start(0, look_around_with_own_proc, data));
}

START_TEST(test_presence_in_a_namespace_of_its_own_is_not_judged_outside)
{
    struct view *view = shared_memory(sizeof(*view));

    NEEDS_NAMESPACE();
    view->record = sample_gone(54321, CACHE);
    ck_assert_int_eq(
        shared_end(shared_start(0, look_around_in_a_whole_namespace, view)), 0);
    ck_assert_int_ne(view->own_namespace, view->record.pid_namespace);
    ck_assert_int_eq(view->own_pid, 1);
    ck_assert(view->has_census);
    ck_assert_int_eq(view->judged, PRESENCE_ELSEWHERE);
    ck_assert_int_eq(view->judged_as_own, PRESENCE_GONE);
    record_free(&view->record);
}
END_TEST

/* The numbers in /proc are those of the namespace that has mounted it. */
START_TEST(test_presence_by_the_proc_of_others_is_not_judged)
{
    struct view *view = shared_memory(sizeof(*view));

    NEEDS_NAMESPACE();
    view->record = sample_gone(54321, CACHE);
    ck_assert_int_eq(
        shared_end(shared_start(0, look_around_in_a_namespace, view)), 0);
    ck_assert(view->has_host);
    ck_assert(!view->has_census);
    ck_assert_int_eq(view->judged, PRESENCE_ELSEWHERE);
    ck_assert_int_eq(view->judged_as_own, PRESENCE_LIVE);
    record_free(&view->record);
}
END_TEST

/* The session's other processes. */

START_TEST(test_presence_without_a_host_is_by_the_users_processes)
{
    uid_t alice = suite_uid("alice");
    uid_t bob = suite_uid("bob");
    struct other *other = other_new(alice);
    struct record record;

    NEEDS_NAMESPACE();
    record = sample_gone(alice, CACHE);
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    other_start(other);
    ck_assert_int_eq(judged(&record), PRESENCE_LIVE);
    /* Nobody has looked: then nobody knows. */
    other_end_as_zombie(other);
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    ck_assert_int_eq(presence_judge(&record, NULL), PRESENCE_LIVE);
    ck_assert_int_eq(shared_end(other->pid), -1);
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    /* Somebody else's do not count. */
    other = other_new(bob);
    other_start(other);
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    other_end(other);
    record_free(&record);
}
END_TEST

/* As su, sudo and servers are: he may be any of the four. */
START_TEST(test_presence_process_is_the_users_by_any_of_its_uids)
{
    uid_t alice = suite_uid("alice");
    struct record record;

    NEEDS_NAMESPACE();
    record = sample_gone(alice, CACHE);
    for (size_t i = 0; i < 4; i++) {
        struct other *other = other_new(0);

        other->uids[i] = alice;
        /* setfsuid(2) is bound to nothing, setresuid sets it too. */
        if (i == 1) {
            other->uids[3] = 0;
        }
        other_start(other);
        ck_assert_msg(judged(&record) == PRESENCE_LIVE, "uid %zu", i);
        other_end(other);
        ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    }
    record_free(&record);
}
END_TEST

START_TEST(test_presence_host_outweighs_everything)
{
    uid_t alice = suite_uid("alice");
    struct record record;

    NEEDS_NAMESPACE();
    record = sample_live(alice, CACHE);
    record.audit = 123456;
    free(record.logind);
    record.logind = strdup("c77");
    ck_assert_int_eq(judged(&record), PRESENCE_LIVE);
    record_free(&record);
}
END_TEST

/* A session by the audit id of OTHER. */
static struct record
record_by_audit(const struct other *other, int64_t uid)
{
    struct record record = sample_gone(uid, CACHE);

    ck_assert_int_ne(other->audit, UNSET);
    record.audit = other->audit;
    return record;
}

START_TEST(test_presence_by_audit_id_is_of_this_session_alone)
{
    uid_t alice = suite_uid("alice");
    struct other *one = other_new(alice);
    struct other *two = other_new(alice);
    struct other *none = other_new(alice);
    struct record first;
    struct record second;

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    one->login_uid = alice;
    two->login_uid = alice;
    other_start(one);
    other_start(two);
    other_start(none);
    ck_assert_int_ne(one->audit, two->audit);
    first = record_by_audit(one, alice);
    second = record_by_audit(two, alice);
    ck_assert_int_eq(judged(&first), PRESENCE_LIVE);
    ck_assert_int_eq(judged(&second), PRESENCE_LIVE);
    other_end(one);
    ck_assert_int_eq(judged(&first), PRESENCE_GONE);
    ck_assert_int_eq(judged(&second), PRESENCE_LIVE);
    other_end_as_zombie(two);
    ck_assert_int_eq(judged(&second), PRESENCE_GONE);
    ck_assert_int_eq(shared_end(two->pid), -1);
    other_end(none);
    record_free(&first);
    record_free(&second);
}
END_TEST

START_TEST(test_presence_by_audit_id_is_of_this_user_alone)
{
    uid_t alice = suite_uid("alice");
    uid_t bob = suite_uid("bob");
    struct other *root = other_new(0);
    struct other *guest = other_new(bob);
    struct record record;

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    /* What root does in alice's session, a server say, keeps it not alive. */
    root->login_uid = alice;
    other_start(root);
    record = record_by_audit(root, alice);
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    record_free(&record);
    other_end(root);
    /* Bob, by su in alice's session, is in no session of his own. */
    guest->login_uid = alice;
    other_start(guest);
    record = record_by_audit(guest, bob);
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    record_free(&record);
    other_end(guest);
}
END_TEST

/* Logind. */

/* The hierarchy is the machine's: what is made in it has a namespace's name. */
static const char *
cgroup_path(char path[256], const char *session, const char *file)
{
    (void)snprintf(path, 256, HIERARCHY "/pam_krb5cc-test-%u%s%s%s%s",
                   (unsigned int)suite_uid("alice"),
                   *session == '\0' ? "" : "/session-", session,
                   *session == '\0' ? "" : ".scope", file);
    return path;
}

static const char *const cgroup_sessions[] = {"c1", "c12", "c7"};

static bool
make_cgroups(void)
{
    char path[256];

    (void)mkdir(HIERARCHY, 0755);
    if (access(HIERARCHY "/cgroup.procs", F_OK) < 0 &&
        mount("none", HIERARCHY, "cgroup2", 0, NULL) < 0) {
        return false;
    }
    ck_assert_int_eq(mkdir(cgroup_path(path, "", ""), 0755), 0);
    for (size_t i = 0; i < COUNT(cgroup_sessions); i++) {
        ck_assert_int_eq(mkdir(cgroup_path(path, cgroup_sessions[i], ""), 0755),
                         0);
    }
    return true;
}

/* Outside of the tests: a failed one leaves nothing either. */
static void
remove_cgroups(void)
{
    struct deadline deadline = deadline_in(5000);
    char path[256];

    for (size_t i = 0; i < COUNT(cgroup_sessions); i++) {
        (void)cgroup_path(path, cgroup_sessions[i], "");
        /* Who has just been killed may be in it for a moment. */
        while (rmdir(path) < 0 && errno == EBUSY &&
               deadline_left_ms(&deadline) > 0) {
            (void)sched_yield();
        }
    }
    (void)rmdir(cgroup_path(path, "", ""));
}

static struct record
record_by_logind(int64_t uid, const char *session)
{
    struct record record = sample_gone(uid, CACHE);

    free(record.logind);
    record.logind = strdup(session);
    return record;
}

START_TEST(test_presence_by_logind_is_of_this_session_and_user_alone)
{
    uid_t alice = suite_uid("alice");
    uid_t bob = suite_uid("bob");
    struct other *one = other_new(alice);
    struct other *guest = other_new(bob);
    struct record first;
    struct record second;
    char path[256];
    char path_of_second[256];

    NEEDS_NAMESPACE();
    SKIP_UNLESS(make_cgroups(), "needs a hierarchy of control groups");
    one->cgroup = cgroup_path(path, "c1", "/cgroup.procs");
    guest->cgroup = cgroup_path(path_of_second, "c12", "/cgroup.procs");
    other_start(one);
    other_start(guest);
    first = record_by_logind(alice, "c1");
    second = record_by_logind(alice, "c12");
    ck_assert_int_eq(judged(&first), PRESENCE_LIVE);
    ck_assert_int_eq(judged(&second), PRESENCE_GONE);
    record_free(&second);
    second = record_by_logind(bob, "c12");
    ck_assert_int_eq(judged(&second), PRESENCE_LIVE);
    record_free(&second);
    second = record_by_logind(alice, "c");
    ck_assert_int_eq(judged(&second), PRESENCE_GONE);
    /* Where there is an audit id as well it is that which counts. */
    first.audit = 123456;
    ck_assert_int_eq(judged(&first), PRESENCE_GONE);
    first.audit = RECORD_UNKNOWN;
    other_end(one);
    ck_assert_int_eq(judged(&first), PRESENCE_GONE);
    other_end(guest);
    remove_cgroups();
    record_free(&first);
    record_free(&second);
}
END_TEST

/* As what a session is known. */

struct opening {
    uid_t login_uid;   /* of the host, (uid_t)-1 = none */
    int64_t uid;       /* of the record */
    const char *xdg;   /* XDG_SESSION_ID */
    int64_t audit;     /* what came of it */
    int64_t own_audit; /* of the host */
    char logind[128];
};

static int
open_session(void *data)
{
    struct opening *opening = data;
    struct record record = {
        .cache = NULL, .uid = opening->uid, .logind = strdup("old")};
    char text[32];

    if (opening->login_uid != (uid_t)-1) {
        (void)snprintf(text, sizeof(text), "%u", opening->login_uid);
        write_text("/proc/self/loginuid", text);
    }
    opening->own_audit = number_of("/proc/self/sessionid");
    if (presence_of_session(&record, opening->xdg) < 0) {
        return 1;
    }
    opening->audit = record.audit;
    (void)snprintf(opening->logind, sizeof(opening->logind), "%s",
                   record.logind);
    record_free(&record);
    return 0;
}

static struct opening *
opened(struct opening opening)
{
    struct opening *shared = shared_memory(sizeof(*shared));

    *shared = opening;
    ck_assert_int_eq(shared_end(shared_start(0, open_session, shared)), 0);
    return shared;
}

START_TEST(test_presence_audit_id_of_the_session_is_its_own)
{
    struct opening *got = NULL;

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    got = opened((struct opening){.login_uid = 54321, .uid = 54321});
    ck_assert_int_ne(got->own_audit, UNSET);
    ck_assert_int_eq(got->audit, got->own_audit);
    ck_assert_str_eq(got->logind, "");
}
END_TEST

START_TEST(test_presence_audit_id_that_nobody_has_set_does_not_count)
{
    struct opening *got = NULL;

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    got = opened((struct opening){.login_uid = (uid_t)-1, .uid = 54321});
    ck_assert_int_eq(got->own_audit, UNSET);
    ck_assert_int_eq(got->audit, RECORD_UNKNOWN);
    /* Nor for the uid that looks like it. */
    got = opened((struct opening){.login_uid = (uid_t)-1, .uid = UNSET});
    ck_assert_int_eq(got->audit, RECORD_UNKNOWN);
}
END_TEST

START_TEST(test_presence_audit_id_of_another_login_does_not_count)
{
    struct opening *got = NULL;

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    got = opened((struct opening){.login_uid = 54322, .uid = 54321});
    ck_assert_int_ne(got->own_audit, UNSET);
    ck_assert_int_eq(got->audit, RECORD_UNKNOWN);
}
END_TEST

/* In a session of the same user somebody runs su to himself. */
static int
open_below(void *data)
{
    write_text("/proc/self/loginuid", "54321");
    return shared_end(shared_start(0, open_session, data));
}

START_TEST(test_presence_audit_id_of_the_caller_does_not_count)
{
    struct opening *shared = shared_memory(sizeof(*shared));

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    *shared = (struct opening){.login_uid = (uid_t)-1, .uid = 54321};
    ck_assert_int_eq(shared_end(shared_start(0, open_below, shared)), 0);
    ck_assert_int_ne(shared->own_audit, UNSET);
    ck_assert_int_eq(shared->audit, RECORD_UNKNOWN);
}
END_TEST

/* The caller is outside of the namespace: it may be of the same session. */
static int
open_below_in_a_namespace(void *data)
{
    write_text("/proc/self/loginuid", "54321");
    if (unshare(CLONE_NEWPID) < 0) {
        return 2;
    }
    return shared_end(shared_start(0, open_session, data));
}

START_TEST(test_presence_audit_id_of_an_unseen_caller_does_not_count)
{
    struct opening *shared = shared_memory(sizeof(*shared));

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    *shared = (struct opening){.login_uid = (uid_t)-1, .uid = 54321};
    ck_assert_int_eq(
        shared_end(shared_start(0, open_below_in_a_namespace, shared)), 0);
    ck_assert_int_ne(shared->own_audit, UNSET);
    ck_assert_int_eq(shared->audit, RECORD_UNKNOWN);
}
END_TEST

/* A session as logind writes it, with LEADER; removed by whoever wants to. */
static void
write_session(const char *id, const char *before, int64_t leader)
{
    char path[256];
    char text[512];

    ck_assert(mkdir("/run/systemd", 0755) == 0 || errno == EEXIST);
    ck_assert(mkdir(SESSIONS, 0755) == 0 || errno == EEXIST);
    (void)snprintf(path, sizeof(path), SESSIONS "/%s", id);
    (void)snprintf(text, sizeof(text),
                   "# This is private data. Do not parse.\n"
                   "UID=54321\nUSER=alice\nACTIVE=1\n%s%" PRId64
                   "\nAUDIT=7\nREALTIME=1700000000000000\n",
                   before, leader);
    write_text(path, text);
}

/* The logind session of this process, with this XDG_SESSION_ID. */
static const char *
logind_with(const char *xdg)
{
    static char logind[128];
    struct record record = {.cache = NULL, .uid = 54321};

    ck_assert_int_eq(presence_of_session(&record, xdg), 0);
    (void)snprintf(logind, sizeof(logind), "%s", record.logind);
    record_free(&record);
    return logind;
}

START_TEST(test_presence_logind_session_is_whose_leader_this_is)
{
    char longest[64];
    char too_long[65];

    NEEDS_NAMESPACE();
    write_session("c5", "LEADER=", getpid());
    ck_assert_str_eq(logind_with("c5"), "c5");
    ck_assert_str_eq(logind_with(NULL), "");
    ck_assert_str_eq(logind_with("c6"), "");
    /* The pid of another that begins like this one, and the other way round. */
    write_session("c5", "LEADER=", (int64_t)getpid() * 10);
    ck_assert_str_eq(logind_with("c5"), "");
    write_session("c5", "LEADER=", getppid());
    ck_assert_str_eq(logind_with("c5"), "");
    write_session("c5", "NOLEADER=", getpid());
    ck_assert_str_eq(logind_with("c5"), "");
    write_session("c5", "LEADER=x", getpid());
    ck_assert_str_eq(logind_with("c5"), "");
    memset(longest, 'a', sizeof(longest) - 1);
    longest[63] = '\0';
    write_session(longest, "LEADER=", getpid());
    ck_assert_str_eq(logind_with(longest), longest);
    memset(too_long, 'a', sizeof(too_long) - 1);
    too_long[64] = '\0';
    write_session(too_long, "LEADER=", getpid());
    ck_assert_str_eq(logind_with(too_long), "");
}
END_TEST

START_TEST(test_presence_logind_session_is_no_path)
{
    static const char *const names[] = {"",     "../c5", "./c5", "c5/",
                                        "c5\n", ".",     "c 5",  "c-5"};

    NEEDS_NAMESPACE();
    write_session("c5", "LEADER=", getpid());
    write_session("c-5", "LEADER=", getpid());
    write_session("c 5", "LEADER=", getpid());
    write_text("/run/systemd/c5", "x\nLEADER=1\n");
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_msg(*logind_with(names[i]) == '\0', "%s", names[i]);
    }
}
END_TEST

START_TEST(test_presence_logind_session_is_also_by_the_control_group)
{
    char path[256];
    char text[32];

    NEEDS_NAMESPACE();
    SKIP_UNLESS(make_cgroups(), "needs a hierarchy of control groups");
    write_session("c7", "LEADER=", getpid());
    ck_assert_str_eq(logind_with(NULL), "");
    (void)snprintf(text, sizeof(text), "%d", (int)getpid());
    write_text(cgroup_path(path, "c7", "/cgroup.procs"), text);
    ck_assert_str_eq(logind_with(NULL), "c7");
    ck_assert_str_eq(logind_with(""), "c7");
    write_session("c7", "LEADER=", getppid());
    ck_assert_str_eq(logind_with(NULL), "");
    write_text(HIERARCHY "/cgroup.procs", text);
    remove_cgroups();
}
END_TEST

/* A census. */

START_TEST(test_presence_census_counts_everybody)
{
    enum { CROWD = 600 };
    uid_t alice = suite_uid("alice");
    static pid_t pids[CROWD];
    struct record record;

    NEEDS_NAMESPACE();
    record = sample_gone(alice, CACHE);
    for (size_t i = 0; i < CROWD; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] == 0) {
            (void)pause();
            _exit(0);
        }
    }
    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    {
        struct other *last = other_new(alice);

        other_start(last);
        ck_assert_int_eq(judged(&record), PRESENCE_LIVE);
        other_end(last);
    }
    for (size_t i = 0; i < CROWD; i++) {
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
        ck_assert_int_eq(shared_end(pids[i]), -1);
    }
    presence_census_free(NULL);
    record_free(&record);
}
END_TEST

START_TEST(test_presence_without_descriptors_is_alive)
{
    uid_t alice = suite_uid("alice");
    struct record record;

    NEEDS_NAMESPACE();
    record = sample_gone(alice, CACHE);
    for (size_t left = 0; left < 4; left++) {
        struct presence_census *census = NULL;
        bool has_host = false;
        enum presence presence = PRESENCE_LIVE;

        sample_descriptors_left(left);
        census = presence_census_take();
        has_host = presence_has_host(&record);
        presence = presence_judge(&record, census);
        sample_descriptors_back();
        ck_assert_int_eq(has_host, left == 0);
        /* One for /proc, one for what is in it. */
        ck_assert_int_eq(census != NULL, left >= 2);
        ck_assert_int_eq(presence, left >= 2 ? PRESENCE_GONE : PRESENCE_LIVE);
        presence_census_free(census);
    }
    record_free(&record);
}
END_TEST

START_TEST(test_presence_census_without_any_of_its_files_is_none)
{
    static const char *const files[] = {"/status", "/sessionid", "/loginuid",
                                        "/cgroup", "/stat"};
    struct presence_census *census = NULL;

    for (size_t i = 0; i < COUNT(files); i++) {
        withheld = files[i];
        census = presence_census_take();
        withheld = NULL;
        ck_assert_msg(census == NULL, "%s", files[i]);
    }
    census = presence_census_take();
    ck_assert_ptr_nonnull(census);
    presence_census_free(census);
}
END_TEST

/* Takes the descriptors that are left, and gives them back, all the time. */
static void *
take_descriptors(void *data)
{
    atomic_uint *over = data;

    while (atomic_load(over) == 0) {
        int fd = open("/", O_PATH | O_CLOEXEC);

        (void)sched_yield();
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return NULL;
}

START_TEST(test_presence_while_a_thread_takes_descriptors_is_alive)
{
    uid_t alice = suite_uid("alice");
    struct other *other = other_new(alice);
    struct record by_uid;
    struct record by_audit;
    atomic_uint *over = shared_memory(sizeof(*over));
    pthread_t thread;
    unsigned int whole = 0;
    unsigned int none = 0;
    unsigned int wrong = 0;

    NEEDS_NAMESPACE();
    NEEDS_AUDIT();
    other->login_uid = alice;
    other_start(other);
    by_uid = sample_gone(alice, CACHE);
    by_audit = record_by_audit(other, alice);
    ck_assert_int_eq(pthread_create(&thread, NULL, take_descriptors, over), 0);
    sample_descriptors_left(2);
    for (int i = 0; i < 2000; i++) {
        struct presence_census *census = presence_census_take();

        whole += census != NULL;
        none += census == NULL;
        wrong += presence_judge(&by_uid, census) != PRESENCE_LIVE;
        wrong += presence_judge(&by_audit, census) != PRESENCE_LIVE;
        presence_census_free(census);
    }
    atomic_store(over, 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    sample_descriptors_back();
    (void)fprintf(stderr, "# %u whole, %u given up\n", whole, none);
    ck_assert_uint_eq(wrong, 0);
    other_end(other);
    record_free(&by_uid);
    record_free(&by_audit);
}
END_TEST

static int
take_census_blindly(void *data)
{
    struct record *record = data;
    struct presence_census *census = presence_census_take();

    return census == NULL && presence_judge(record, census) == PRESENCE_LIVE
               ? 0
               : 1;
}

/* With hidepid= of proc(5) one sees oneself alone. */
START_TEST(test_presence_of_what_is_hidden_is_alive)
{
    struct record record;

    NEEDS_NAMESPACE();
    record = sample_gone(54321, CACHE);
    own_mounts();
    ck_assert_int_eq(mount("proc", "/proc", "proc", 0, "hidepid=invisible"), 0);
    ck_assert_int_eq(shared_end(shared_start(suite_uid("alice"),
                                             take_census_blindly, &record)),
                     0);
    record_free(&record);
}
END_TEST

START_TEST(test_presence_leaves_no_descriptor)
{
    struct record record = sample_gone(54321, CACHE);
    size_t before = sample_descriptors();

    ck_assert_int_eq(judged(&record), PRESENCE_GONE);
    ck_assert_int_eq(presence_of_session(&record, "c5"), 0);
    ck_assert_uint_eq(sample_descriptors(), before);
    record_free(&record);
}
END_TEST

static void
add_host(Suite *suite)
{
    TCase *tcase = suite_case(suite, "host");

    tcase_add_test(tcase, test_presence_of_the_caller_is_as_the_kernel_says);
    tcase_add_test(tcase, test_presence_of_a_caller_without_proc_is_not_known);
    tcase_add_test(tcase, test_presence_host_is_there_until_it_ends);
    tcase_add_test(tcase, test_presence_host_that_is_a_zombie_is_gone);
    tcase_add_test(tcase,
                   test_presence_host_whose_first_thread_has_ended_lives);
    tcase_add_test(tcase, test_presence_host_that_is_not_known_is_there);
    tcase_add_test(tcase,
                   test_presence_host_of_unknown_start_is_gone_without_its_pid);
    tcase_add_test(tcase, test_presence_host_whose_number_is_anothers_is_gone);
}

static void
add_places(Suite *suite)
{
    TCase *tcase = suite_case(suite, "places");

    tcase_add_test(tcase, test_presence_of_another_boot_is_gone);
    tcase_add_test(
        tcase, test_presence_of_a_boot_that_is_not_known_is_judged_by_its_host);
    tcase_add_test(tcase, test_presence_of_another_namespace_is_not_judged);
    tcase_add_test(
        tcase, test_presence_in_a_namespace_of_its_own_is_not_judged_outside);
    tcase_add_test(tcase, test_presence_by_the_proc_of_others_is_not_judged);
}

static void
add_processes(Suite *suite)
{
    TCase *tcase = suite_case(suite, "processes");

    tcase_add_test(tcase,
                   test_presence_without_a_host_is_by_the_users_processes);
    tcase_add_test(tcase,
                   test_presence_process_is_the_users_by_any_of_its_uids);
    tcase_add_test(tcase, test_presence_host_outweighs_everything);
    tcase_add_test(tcase, test_presence_by_audit_id_is_of_this_session_alone);
    tcase_add_test(tcase, test_presence_by_audit_id_is_of_this_user_alone);
}

static void
add_logind(Suite *suite)
{
    TCase *tcase = suite_case(suite, "logind");

    tcase_add_unchecked_fixture(tcase, NULL, remove_cgroups);
    tcase_add_test(tcase,
                   test_presence_by_logind_is_of_this_session_and_user_alone);
}

static void
add_session(Suite *suite)
{
    TCase *tcase = suite_case(suite, "session");

    tcase_add_unchecked_fixture(tcase, NULL, remove_cgroups);
    tcase_add_test(tcase, test_presence_audit_id_of_the_session_is_its_own);
    tcase_add_test(tcase,
                   test_presence_audit_id_that_nobody_has_set_does_not_count);
    tcase_add_test(tcase,
                   test_presence_audit_id_of_another_login_does_not_count);
    tcase_add_test(tcase, test_presence_audit_id_of_the_caller_does_not_count);
    tcase_add_test(tcase,
                   test_presence_audit_id_of_an_unseen_caller_does_not_count);
    tcase_add_test(tcase, test_presence_logind_session_is_whose_leader_this_is);
    tcase_add_test(tcase, test_presence_logind_session_is_no_path);
    tcase_add_test(tcase,
                   test_presence_logind_session_is_also_by_the_control_group);
}

static void
add_census(Suite *suite)
{
    TCase *tcase = suite_case(suite, "census");

    tcase_add_test(tcase, test_presence_census_counts_everybody);
    tcase_add_test(tcase, test_presence_without_descriptors_is_alive);
    tcase_add_test(tcase,
                   test_presence_census_without_any_of_its_files_is_none);
    tcase_add_test(tcase,
                   test_presence_while_a_thread_takes_descriptors_is_alive);
    tcase_add_test(tcase, test_presence_of_what_is_hidden_is_alive);
    tcase_add_test(tcase, test_presence_leaves_no_descriptor);
}

int
main(void)
{
    Suite *suite = suite_create("presence");

    add_host(suite);
    add_places(suite);
    add_processes(suite);
    add_logind(suite);
    add_session(suite);
    add_census(suite);
    return suite_main(suite);
}
