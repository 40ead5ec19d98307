/*
 * client/spawn: what the helper starts with, and that starting it changes
 * nothing in the host.  The helper is a fake one that reports what it sees.
 *
 * This program is also the set-uid host of its own tests: `--spawn HELPER`.
 */
#include "client/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "client/client.h"
#include "client/fake.h"
#include "support/suite.h"

enum {
    LIMIT_MS = 20000,
    HOST_DESCRIPTORS = 1000,
};

#define ALICE suite_uid("alice")

static enum outcome
greeted(void *data, const struct options *completed)
{
    (void)data;
    (void)completed;
    return OUTCOME_SUCCESS;
}

/* Runs the fake at PATH to its result; what is asserted is its report. */
static enum outcome
run(const char *path)
{
    const struct client_handlers handlers = {.greeted = greeted};
    const struct request request = {
        .job = JOB_ACQUIRE, .user = "alice", .cache = ""};
    struct deadline deadline = deadline_in(LIMIT_MS);
    struct client client = CLIENT_NONE;
    struct client_answer answer;
    struct options options;
    enum outcome outcome = OUTCOME_NO_MEMORY;

    if (options_init(&options) == 0) {
        free(options.helper);
        options.helper = strdup(path);
        client_run(&client,
                   &(struct client_request){.request = &request,
                                            .options = &options,
                                            .deadline = &deadline,
                                            .handlers = &handlers},
                   &answer);
        client_end(&client);
        outcome = answer.result.outcome;
        client_answer_free(&answer);
        options_free(&options);
    }
    return outcome;
}

/* Runs a reporting fake and gives its report. */
static char *
run_for_report(void)
{
    char *path = fake_install("reporting");
    char *report = NULL;

    ck_assert_int_eq(run(path), OUTCOME_SUCCESS);
    report = fake_report(path);
    fake_remove(path);
    return report;
}

static void
assert_line(const char *report, const char *line)
{
    ck_assert_msg(fake_has_line(report, line), "no line \"%s\" in\n%s", line,
                  report);
}

static void
assert_no_lines(const char *report, const char *word)
{
    ck_assert_msg(fake_count_lines(report, word) == 0, "lines \"%s\" in\n%s",
                  word, report);
}

/* What the loader is told, and nothing of the host's. */
static void
assert_bare_environment(const char *report)
{
    assert_line(report, "env LD_BIND_NOW=1");
    ck_assert_uint_eq(fake_count_lines(report, "env"), 1);
}

/* 0 to 2 on /dev/null, 3 a socket, and nothing else. */
static void
assert_descriptors(const char *report)
{
    assert_line(report, "fd 0 /dev/null");
    assert_line(report, "fd 1 /dev/null");
    assert_line(report, "fd 2 /dev/null");
    assert_line(report, "fd 3 socket");
    ck_assert_uint_eq(fake_count_lines(report, "fd"), 4);
}

START_TEST(test_spawn_helper_is_leader_of_its_own_session)
{
    char *report = run_for_report();
    int pid = 0;
    char line[64];

    ck_assert_int_eq(sscanf(strstr(report, "pid "), "pid %d", &pid), 1);
    (void)snprintf(line, sizeof(line), "sid %d", pid);
    assert_line(report, line);
    (void)snprintf(line, sizeof(line), "pgid %d", pid);
    assert_line(report, line);
    ck_assert_int_ne(getsid(0), pid);
    free(report);
}
END_TEST

START_TEST(test_spawn_helper_starts_in_the_root_directory)
{
    char *report = NULL;
    char *cwd = NULL;

    ck_assert_int_eq(chdir("/tmp"), 0);
    report = run_for_report();
    cwd = getcwd(NULL, 0);
    assert_line(report, "cwd /");
    ck_assert_str_eq(cwd, "/tmp");
    free(cwd);
    free(report);
}
END_TEST

START_TEST(test_spawn_host_that_blocks_all_signals_gives_a_clean_mask)
{
    char *report = NULL;
    sigset_t all;
    sigset_t after;

    (void)sigfillset(&all);
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, &all, NULL), 0);
    report = run_for_report();
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &after), 0);
    assert_no_lines(report, "blocked");
    for (int i = 1; i < NSIG; i++) {
        if (i != SIGKILL && i != SIGSTOP && (i < 32 || i >= SIGRTMIN)) {
            ck_assert_msg(sigismember(&after, i) == 1,
                          "signal %d is not blocked any more", i);
        }
    }
    free(report);
}
END_TEST

START_TEST(test_spawn_host_that_ignores_all_signals_gives_defaults)
{
    char *report = NULL;

    SKIP_UNLESS(!IS_SANITIZED, "the fake helper's sanitizer handles signals");
    for (int i = 1; i <= SIGRTMAX; i++) {
        if (i != SIGKILL && i != SIGSTOP && (i < 32 || i >= SIGRTMIN)) {
            ck_assert_msg(signal(i, SIG_IGN) != SIG_ERR, "signal %d", i);
        }
    }
    report = run_for_report();
    assert_no_lines(report, "handled");
    for (int i = 1; i <= SIGRTMAX; i++) {
        struct sigaction action;

        if (i != SIGKILL && i != SIGSTOP && (i < 32 || i >= SIGRTMIN)) {
            ck_assert_int_eq(sigaction(i, NULL, &action), 0);
            ck_assert_msg(action.sa_handler == SIG_IGN,
                          "signal %d is not ignored any more", i);
        }
    }
    free(report);
}
END_TEST

START_TEST(test_spawn_helper_has_four_descriptors)
{
    char *report = run_for_report();

    assert_descriptors(report);
    free(report);
}
END_TEST

START_TEST(test_spawn_host_with_1000_descriptors_shows_none)
{
    size_t before = 0;
    char *report = NULL;

    for (int i = 0; i < HOST_DESCRIPTORS; i++) {
        /* Without O_CLOEXEC, as hosts do. */
        ck_assert_int_ge(open("/etc/passwd", O_RDONLY), 0);
    }
    before = fake_count_descriptors();
    ck_assert_uint_ge(before, HOST_DESCRIPTORS);
    report = run_for_report();
    assert_descriptors(report);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    free(report);
}
END_TEST

/* The socket's own number is then among those that are put to use. */
START_TEST(test_spawn_host_without_standard_descriptors_keeps_them_closed)
{
    char *path = fake_install("reporting");
    char *report = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    int saved[3];
    int closed = 0;

    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        (void)close(i);
    }
    outcome = run(path);
    for (int i = 0; i < 3; i++) {
        closed += fcntl(i, F_GETFD) < 0;
        if (saved[i] >= 0) {
            (void)dup2(saved[i], i);
        }
    }
    ck_assert_int_eq(outcome, OUTCOME_SUCCESS);
    ck_assert_int_eq(closed, 3);
    report = fake_report(path);
    assert_descriptors(report);
    free(report);
    fake_remove(path);
}
END_TEST

static void
set_environment(void)
{
    static const char *const names[] = {
        "KRB5_CONFIG",    "KRB5_KTNAME",
        "KRB5_TRACE",     "KRB5_KDC_PROFILE",
        "KRB5RCACHENAME", "KRB5_CLIENT_KTNAME",
        "KRB5CCNAME",     "LD_PRELOADED",
        "PATH",           "IFS",
        "TMPDIR",         "GCONV_PATH",
    };

    (void)clearenv();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)setenv(names[i], i < 6 ? "ours" : "not ours", 1);
    }
}

START_TEST(test_spawn_plain_host_passes_the_krb5_variables_alone)
{
    char *path = fake_install("reporting");
    char *report = NULL;

    set_environment();
    ck_assert_int_eq(run(path), OUTCOME_SUCCESS);
    report = fake_report(path);
    assert_line(report, "env KRB5_CONFIG=ours");
    assert_line(report, "env KRB5_KTNAME=ours");
    assert_line(report, "env KRB5_TRACE=ours");
    assert_line(report, "env KRB5_KDC_PROFILE=ours");
    assert_line(report, "env KRB5RCACHENAME=ours");
    assert_line(report, "env KRB5_CLIENT_KTNAME=ours");
    assert_line(report, "env LD_BIND_NOW=1");
    ck_assert_uint_eq(fake_count_lines(report, "env"), 7);
    free(report);
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_variables_that_are_not_set_are_not_passed)
{
    char *path = fake_install("reporting");
    char *report = NULL;

    (void)clearenv();
    ck_assert_int_eq(run(path), OUTCOME_SUCCESS);
    report = fake_report(path);
    assert_bare_environment(report);
    free(report);
    fake_remove(path);
}
END_TEST

/* Runs the fake at PATH with the ids of su and such. */
static char *
report_of_ids(const uid_t uids[3], const gid_t gids[3])
{
    char *path = fake_install("reporting");
    char *report = NULL;

    set_environment();
    ck_assert_int_eq(setresgid(gids[0], gids[1], gids[2]), 0);
    ck_assert_int_eq(setresuid(uids[0], uids[1], uids[2]), 0);
    ck_assert_int_eq(run(path), OUTCOME_SUCCESS);
    /* Back, so that what was made can be removed. */
    ck_assert_int_eq(setresuid(0, 0, 0), 0);
    report = fake_report(path);
    fake_remove(path);
    return report;
}

/* Everything but the three ids is as in the plain host. */
START_TEST(test_spawn_host_with_unequal_ids_passes_nothing)
{
    /* Where 1 stands the host is alice. */
    static const struct {
        uid_t uids[3];
        gid_t gids[3];
    } hosts[] = {
        {{1, 0, 0}, {0, 0, 0}}, {{0, 0, 1}, {0, 0, 0}}, {{1, 0, 1}, {0, 0, 0}},
        {{0, 0, 0}, {1, 0, 0}}, {{0, 0, 0}, {0, 0, 1}}, {{0, 0, 0}, {0, 1, 0}},
    };
    uid_t uids[3];
    gid_t gids[3];
    char *report = NULL;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    for (size_t i = 0; i < 3; i++) {
        uids[i] = hosts[_i].uids[i] * ALICE;
        gids[i] = hosts[_i].gids[i] * ALICE;
    }
    report = report_of_ids(uids, gids);
    assert_bare_environment(report);
    free(report);
}
END_TEST

/* Becomes alice for good and executes the set-uid copy of this program. */
static void
be_alice(const char *copy, const char *word, const char *helper)
{
    if (setgroups(0, NULL) < 0 || setresgid(ALICE, ALICE, ALICE) < 0 ||
        setresuid(ALICE, ALICE, ALICE) < 0) {
        _exit(10);
    }
    set_environment();
    (void)execl(copy, copy, word, helper, (char *)NULL);
    _exit(11);
}

/* The report of a helper that a set-uid host has started as WORD says. */
static char *
report_of_set_uid_host(const char *word)
{
    char *helper = fake_install("reporting");
    char *directory = strdup(helper);
    char *copy = NULL;
    char *report = NULL;
    char self[PATH_MAX];
    char command[3 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    pid_t pid = -1;
    int status = 0;

    ck_assert_int_gt(length, 0);
    self[length] = '\0';
    *strrchr(directory, '/') = '\0';
    copy = suite_path(directory, "set-uid-host");
    (void)snprintf(command, sizeof(command), "install -m 4755 '%s' '%s'", self,
                   copy);
    ck_assert_int_eq(system(command), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        be_alice(copy, word, helper);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "the set-uid host: status 0x%x", (unsigned int)status);
    report = fake_report(helper);
    free(copy);
    free(directory);
    fake_remove(helper);
    return report;
}

START_TEST(test_spawn_set_uid_host_passes_nothing)
{
    char *report = NULL;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(getenv("IN_TEST_NAMESPACE") != NULL,
                "needs tests/in-namespace");
    report = report_of_set_uid_host("--spawn");
    assert_bare_environment(report);
    free(report);
}
END_TEST

/* Once set-uid, the environment is a stranger's, whatever the ids are now. */
START_TEST(test_spawn_set_uid_host_that_became_root_wholly_passes_nothing)
{
    char *report = NULL;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(getenv("IN_TEST_NAMESPACE") != NULL,
                "needs tests/in-namespace");
    report = report_of_set_uid_host("--spawn-wholly");
    assert_line(report, "uids 0 0 0");
    assert_bare_environment(report);
    free(report);
}
END_TEST

/* Spawns PATH and expects STATUS about the first AT bytes of it. */
static void
expect_failure(const char *path, int expected, size_t at)
{
    size_t before = fake_count_descriptors();
    size_t got_at = 0;
    pid_t pid = 0;
    int fd = 0;
    int status = spawn(path, &pid, &fd, &got_at);

    ck_assert_msg(status == expected, "%s: %d, not %d", path, status, expected);
    ck_assert_uint_eq(got_at, at);
    ck_assert_int_eq(pid, -1);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    ck_assert(!fake_has_child());
}

START_TEST(test_spawn_missing_helper_leaves_nothing)
{
    char *path = fake_install("obliging");

    ck_assert_int_eq(unlink(path), 0);
    expect_failure(path, -ENOENT, strlen(path));
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_helper_that_is_not_executable_leaves_nothing)
{
    char *path = fake_install("obliging");

    ck_assert_int_eq(chmod(path, 0644), 0);
    expect_failure(path, -EACCES, strlen(path));
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_helper_that_is_no_program_leaves_nothing)
{
    char *path = fake_install("obliging");

    ck_assert_int_eq(truncate(path, 3), 0);
    expect_failure(path, -ENOEXEC, strlen(path));
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_helper_that_others_may_write_is_refused)
{
    char *path = fake_install("reporting");
    char report[PATH_MAX];

    ck_assert_int_eq(chmod(path, 0757), 0);
    expect_failure(path, -EPERM, strlen(path));
    (void)snprintf(report, sizeof(report), "%s.report", path);
    ck_assert_int_lt(access(report, F_OK), 0);
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_directory_that_others_may_write_is_refused)
{
    char *path = fake_install("obliging");
    size_t at = (size_t)(strrchr(path, '/') - path);

    path[at] = '\0';
    ck_assert_int_eq(chmod(path, 0777), 0);
    path[at] = '/';
    expect_failure(path, -EPERM, at);
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_helper_that_is_a_link_is_refused)
{
    char *path = fake_install("obliging");
    char link[PATH_MAX];

    (void)snprintf(link, sizeof(link), "%s.link", path);
    ck_assert_int_eq(symlink(path, link), 0);
    expect_failure(link, -ELOOP, strlen(link));
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_host_at_its_descriptor_limit_leaves_nothing)
{
    char *path = fake_install("obliging");
    size_t before = fake_count_descriptors();
    struct rlimit limit;
    pid_t pid = 0;
    int status = 0;
    int fd = 0;
    int highest = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(highest, 0);
    (void)close(highest);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    /* Loop number of them can still be opened: the path is looked at with
     * two, the socket needs two. */
    limit.rlim_cur = (rlim_t)(highest + _i);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    status = spawn(path, &pid, &fd, NULL);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(status, -EMFILE);
    ck_assert_int_eq(pid, -1);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    fake_remove(path);
}
END_TEST

START_TEST(test_spawn_host_that_may_not_fork_leaves_nothing)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    char *path = NULL;
    size_t before = 0;
    pid_t pid = 0;
    int status = 0;
    int fd = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    path = fake_install("obliging");
    before = fake_count_descriptors();
    ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &none), 0);
    /* The limit is nothing to root. */
    ck_assert_int_eq(setresuid(ALICE, ALICE, 0), 0);
    status = spawn(path, &pid, &fd, NULL);
    ck_assert_int_eq(setresuid(0, 0, 0), 0);
    ck_assert_int_eq(status, -EAGAIN);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    fake_remove(path);
}
END_TEST

/* A copy of the helper's end in the host would keep the line open for ever. */
START_TEST(test_spawn_helper_that_dies_is_end_of_file)
{
    char *path = fake_install("dies-before-reading");
    char byte = 0;
    pid_t pid = 0;
    int fd = 0;

    ck_assert_int_eq(spawn(path, &pid, &fd, NULL), 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(close(fd), 0);
    fake_remove(path);
}
END_TEST

/*
 * What a heap costs.  Two hosts, alike but for the heap, spawn in turn at the
 * word of the test, so that whatever else the machine does hits both.
 */

enum {
    SPAWNS = 61,
    SERIES = 20,
    HEAP_SIZE = 300 * 1024 * 1024,
};

/* A host in a process of its own, at the other end of FD. */
struct spawning_host {
    pid_t pid;
    int fd;
    long long us[SPAWNS];
};

/* How long one spawn takes until the host goes on; -1 where it fails. */
static long long
spawn_us(const char *path)
{
    long long begin = fake_now_us();
    long long end = 0;
    pid_t pid = 0;
    int fd = 0;

    if (spawn(path, &pid, &fd, NULL) < 0) {
        return -1;
    }
    end = fake_now_us();
    (void)close(fd);
    return waitpid(pid, NULL, 0) == pid ? end - begin : -1;
}

static long long
fork_us(void)
{
    long long begin = fake_now_us();
    long long end = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(0);
    }
    end = fake_now_us();
    return waitpid(pid, NULL, 0) == pid ? end - begin : -1;
}

static bool
make_heap(size_t size)
{
    void *heap = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (heap == MAP_FAILED) {
        return false;
    }
    /* Small pages, as those of a heap that has grown little by little. */
    (void)madvise(heap, size, MADV_NOHUGEPAGE);
    memset(heap, 1, size);
    return true;
}

/* Does what the letters say until there are no more. */
static void
live_as_spawning_host(int fd, const char *path, size_t heap_size)
{
    char letter = 0;

    if (heap_size > 0 && !make_heap(heap_size)) {
        _exit(1);
    }
    while (read(fd, &letter, 1) == 1) {
        long long us = letter == 's' ? spawn_us(path) : fork_us();

        if (write(fd, &us, sizeof(us)) != (ssize_t)sizeof(us)) {
            _exit(1);
        }
    }
    _exit(0);
}

static struct spawning_host
start_spawning_host(const char *path, size_t heap_size)
{
    struct spawning_host host = {.pid = -1};
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    host.pid = fork();
    ck_assert_int_ge(host.pid, 0);
    if (host.pid == 0) {
        (void)close(fds[0]);
        live_as_spawning_host(fds[1], path, heap_size);
    }
    (void)close(fds[1]);
    host.fd = fds[0];
    return host;
}

static long long
order(const struct spawning_host *host, char letter)
{
    long long us = -1;

    ck_assert_int_eq(write(host->fd, &letter, 1), 1);
    ck_assert_int_eq(read(host->fd, &us, sizeof(us)), (int)sizeof(us));
    ck_assert_int_ge(us, 0);
    return us;
}

static void
end_spawning_host(struct spawning_host *host)
{
    int status = 0;

    /* The other host may have a copy of the descriptor: closing is no end. */
    (void)shutdown(host->fd, SHUT_RDWR);
    (void)close(host->fd);
    ck_assert_int_eq(waitpid(host->pid, &status, 0), host->pid);
    ck_assert_int_eq(status, 0);
}

/* Whether LARGE took its time beside SMALL, in one series. */
static bool
is_slower(struct spawning_host *small, struct spawning_host *large)
{
    long long usual[2];

    for (size_t i = 0; i < SPAWNS; i++) {
        small->us[i] = order(small, 's');
        large->us[i] = order(large, 's');
    }
    /* The lower quartile: a busy machine makes single spawns slower, but a
     * copied page table makes all of them so. */
    usual[0] = fake_quartile(small->us, SPAWNS);
    usual[1] = fake_quartile(large->us, SPAWNS);
    (void)fprintf(stderr,
                  "# spawn: %lld us, with 300 MB of heap %lld us; a bare fork "
                  "then: %lld us\n",
                  usual[0], usual[1], order(large, 'f'));
    return usual[1] * 2 >= usual[0] * 3;
}

START_TEST(test_spawn_host_with_a_large_heap_takes_no_longer)
{
    char *path = fake_install("dies-before-reading");
    struct spawning_host small = start_spawning_host(path, 0);
    struct spawning_host large = start_spawning_host(path, HEAP_SIZE);
    int series = 1;

    /* The first of each is the one that makes the heap. */
    (void)order(&small, 's');
    (void)order(&large, 's');
    /* Where the heap counts, it counts in each series. */
    while (is_slower(&small, &large)) {
        ck_assert_int_lt(series, SERIES);
        series++;
    }
    end_spawning_host(&small);
    end_spawning_host(&large);
    fake_remove(path);
}
END_TEST

static Suite *
spawn_suite(void)
{
    Suite *suite = suite_create("client/spawn");
    TCase *start = suite_case(suite, "start");
    TCase *environment = suite_case(suite, "environment");
    TCase *failure = suite_case(suite, "failure");
    TCase *cost = suite_case(suite, "cost");

    tcase_add_test(start, test_spawn_helper_is_leader_of_its_own_session);
    tcase_add_test(start, test_spawn_helper_starts_in_the_root_directory);
    tcase_add_test(start,
                   test_spawn_host_that_blocks_all_signals_gives_a_clean_mask);
    tcase_add_test(start,
                   test_spawn_host_that_ignores_all_signals_gives_defaults);
    tcase_add_test(start, test_spawn_helper_has_four_descriptors);
    tcase_add_test(start, test_spawn_host_with_1000_descriptors_shows_none);
    tcase_add_test(
        start, test_spawn_host_without_standard_descriptors_keeps_them_closed);
    tcase_add_test(start, test_spawn_helper_that_dies_is_end_of_file);

    tcase_add_test(environment,
                   test_spawn_plain_host_passes_the_krb5_variables_alone);
    tcase_add_test(environment,
                   test_spawn_variables_that_are_not_set_are_not_passed);
    tcase_add_loop_test(environment,
                        test_spawn_host_with_unequal_ids_passes_nothing, 0, 6);
    tcase_add_test(environment, test_spawn_set_uid_host_passes_nothing);
    tcase_add_test(
        environment,
        test_spawn_set_uid_host_that_became_root_wholly_passes_nothing);

    tcase_add_test(failure, test_spawn_missing_helper_leaves_nothing);
    tcase_add_test(failure,
                   test_spawn_helper_that_is_not_executable_leaves_nothing);
    tcase_add_test(failure,
                   test_spawn_helper_that_is_no_program_leaves_nothing);
    tcase_add_test(failure, test_spawn_helper_that_others_may_write_is_refused);
    tcase_add_test(failure,
                   test_spawn_directory_that_others_may_write_is_refused);
    tcase_add_test(failure, test_spawn_helper_that_is_a_link_is_refused);
    tcase_add_loop_test(
        failure, test_spawn_host_at_its_descriptor_limit_leaves_nothing, 0, 2);
    tcase_add_test(failure, test_spawn_host_that_may_not_fork_leaves_nothing);

    tcase_add_test(cost, test_spawn_host_with_a_large_heap_takes_no_longer);
    return suite;
}

/* The set-uid host: 0 where the helper has reported. */
static int
be_host(const char *word, const char *helper)
{
    if (strcmp(word, "--spawn-wholly") == 0 &&
        (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)) {
        return 20;
    }
    return run(helper) == OUTCOME_SUCCESS ? 0 : 21;
}

int
main(int argc, char **argv)
{
    if (argc == 3) {
        return be_host(argv[1], argv[2]);
    }
    return suite_main(spawn_suite());
}
