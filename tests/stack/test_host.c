/*
 * The host is never changed: hosts of several shapes live a whole login and
 * several failing ones, and a picture of the process is compared before and
 * after each call.  Also what is left when the handle is gone: nothing of ours
 * mapped, no password in memory, nothing exported but six functions.
 *
 * Linked without libkrb5, since this program looks whether that is mapped.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <locale.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/fake.h"
#include "support/stack.h"
#include "support/suite.h"

enum {
    HOST_DESCRIPTORS = 1000,
    HEAP_SIZE = 300 * 1024 * 1024,
    /* No event takes as long as this. */
    EVENT_MS = 20000,
};

#define ALICE suite_uid("alice")

extern char **environ;

/*
 * The picture: all of a process that a module might change, as text.
 */

/* A page of the host's own, locked in memory. */
static void *own_page;

static void
draw_ids(FILE *file)
{
    uid_t uids[3];
    gid_t gids[3];

    ck_assert_int_eq(getresuid(&uids[0], &uids[1], &uids[2]), 0);
    ck_assert_int_eq(getresgid(&gids[0], &gids[1], &gids[2]), 0);
    fprintf(file, "uids %u %u %u gids %u %u %u\n", uids[0], uids[1], uids[2],
            gids[0], gids[1], gids[2]);
    fprintf(file, "pgid %d sid %d ppid %d\n", (int)getpgrp(), (int)getsid(0),
            (int)getppid());
}

/* What the kernel says of it, but what changes by itself. */
static void
draw_status(FILE *file)
{
    static const char *const keys[] = {
        "Umask:",      "TracerPid:", "Groups:", "Threads:",
        "SigBlk:",     "CapInh:",    "CapPrm:", "CapEff:",
        "CapBnd:",     "CapAmb:",    "Uid:",    "Gid:",
        "NoNewPrivs:", "Seccomp:",   "VmPin:",  "Cpus_allowed:",
    };
    FILE *status = fopen("/proc/thread-self/status", "re");
    char line[4096];

    ck_assert_ptr_nonnull(status);
    while (fgets(line, sizeof(line), status) != NULL) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            if (strncmp(line, keys[i], strlen(keys[i])) == 0) {
                (void)fputs(line, file);
            }
        }
    }
    (void)fclose(status);
}

/*
 * What signals do.  The two that are libc's own (32 and 33, pthread_cancel)
 * are left out: sigaction(3) does not show them, and libc sets them up at the
 * first use.
 */
static void
draw_signals(FILE *file)
{
    stack_t stack;

    for (int i = 1; i <= SIGRTMAX; i++) {
        struct sigaction action = {.sa_flags = 0};

        if (sigaction(i, NULL, &action) == 0) {
            fprintf(file, "signal %d %p %x", i,
                    (void *)(uintptr_t)action.sa_handler,
                    (unsigned int)action.sa_flags);
            for (int j = 1; j <= SIGRTMAX; j++) {
                (void)fputc(sigismember(&action.sa_mask, j) == 1 ? '1' : '0',
                            file);
            }
            (void)fputc('\n', file);
        }
    }
    ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
    fprintf(file, "sigaltstack %p %d\n", stack.ss_sp, stack.ss_flags);
}

static void
draw_link(FILE *file, const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);

    target[length < 0 ? 0 : length] = '\0';
    fprintf(file, "%s %s\n", path, target);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
draw_descriptors(FILE *file)
{
    struct dirent **names = NULL;
    int count = scandir("/proc/self/fd", &names, NULL, by_name);

    ck_assert_int_gt(count, 0);
    for (int i = 0; i < count; i++) {
        int fd = atoi(names[i]->d_name);
        char path[PATH_MAX];

        /* scandir's own has been closed since. */
        if (*names[i]->d_name != '.' && fcntl(fd, F_GETFD) >= 0) {
            fprintf(file, "flags %x %x ", (unsigned int)fcntl(fd, F_GETFD),
                    (unsigned int)fcntl(fd, F_GETFL));
            (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
            draw_link(file, path);
        }
        free(names[i]);
    }
    free(names);
}

static void
draw_limits(FILE *file)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;

        ck_assert_int_eq(getrlimit((__rlimit_resource_t)i, &limit), 0);
        fprintf(file, "limit %d %llu %llu\n", i,
                (unsigned long long)limit.rlim_cur,
                (unsigned long long)limit.rlim_max);
    }
    fprintf(file, "nice %d policy %d personality %x\n",
            getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
            (unsigned int)personality(0xffffffff));
}

static void
draw_timers(FILE *file)
{
    for (int i = 0; i < 3; i++) {
        struct itimerval timer;

        ck_assert_int_eq(getitimer((__itimer_which_t)i, &timer), 0);
        fprintf(
            file, "timer %d every %ld us %s\n", i, timer.it_interval.tv_usec,
            timer.it_value.tv_sec + timer.it_value.tv_usec > 0 ? "runs" : "");
    }
}

static void
draw_attributes(FILE *file)
{
    char name[17] = {0};
    int death_signal = 0;
    int subreaper = 0;
    int state = 0;
    int type = 0;

    (void)prctl(PR_GET_NAME, name);
    (void)prctl(PR_GET_PDEATHSIG, &death_signal);
    (void)prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    fprintf(file,
            "dumpable %d no_new_privs %d keepcaps %d securebits %d name %s "
            "pdeathsig %d subreaper %d timerslack %d\n",
            prctl(PR_GET_DUMPABLE), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
            prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS), name,
            death_signal, subreaper, prctl(PR_GET_TIMERSLACK));
    ck_assert_int_eq(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state), 0);
    ck_assert_int_eq(pthread_setcancelstate(state, NULL), 0);
    ck_assert_int_eq(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type), 0);
    ck_assert_int_eq(pthread_setcanceltype(type, NULL), 0);
    fprintf(file, "cancel %d %d\n", state, type);
    /* KEYCTL_GET_KEYRING_ID of the session's keyring. */
    fprintf(file, "session keyring %ld\n", syscall(SYS_keyctl, 0, -3, 0));
    fprintf(file, "locale %s %p\n", setlocale(LC_ALL, NULL),
            (void *)uselocale((locale_t)0));
}

/* Whether the mapping of ADDRESS is locked in memory ("lo", proc(5)). */
static bool
is_locked(const void *address)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    uintptr_t wanted = (uintptr_t)address;
    bool inside = false;
    bool locked = false;
    char line[4096];

    ck_assert_ptr_nonnull(smaps);
    while (fgets(line, sizeof(line), smaps) != NULL) {
        uintptr_t from = 0;
        uintptr_t to = 0;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside = from <= wanted && wanted < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            locked = strstr(line, " lo ") != NULL;
        }
    }
    (void)fclose(smaps);
    return locked;
}

static void
draw_environment(FILE *file)
{
    char *cwd = getcwd(NULL, 0);

    fprintf(file, "cwd %s\n", cwd);
    free(cwd);
    draw_link(file, "/proc/self/root");
    draw_link(file, "/proc/self/ns/mnt");
    draw_link(file, "/proc/self/ns/user");
    for (size_t i = 0; environ[i] != NULL; i++) {
        fprintf(file, "env %s\n", environ[i]);
    }
}

static void
draw_children(FILE *file)
{
    siginfo_t info;
    int code = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);

    fprintf(file, "children %s\n",
            code < 0 && errno == ECHILD ? "none" : "some");
}

/* The caller frees. */
static char *
picture(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(file);
    draw_ids(file);
    draw_status(file);
    draw_signals(file);
    draw_descriptors(file);
    draw_limits(file);
    draw_timers(file);
    draw_attributes(file);
    draw_environment(file);
    draw_children(file);
    if (own_page != NULL) {
        fprintf(file, "own page %s\n", is_locked(own_page) ? "locked" : "free");
    }
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

/* Fails with the first line that is not the same. */
static void
compare_pictures(const char *before, const char *after, const char *what)
{
    while (*before != '\0' || *after != '\0') {
        size_t length = strcspn(before, "\n");
        size_t after_length = strcspn(after, "\n");

        ck_assert_msg(length == after_length &&
                          memcmp(before, after, length) == 0,
                      "%s changes the host:\n- %.*s\n+ %.*s", what, (int)length,
                      before, (int)after_length, after);
        before += length + 1;
        after += length + 1;
    }
}

/* The memory that is locked, in kB. */
static long
locked_kb(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    long locked = -1;
    char line[4096];

    ck_assert_ptr_nonnull(status);
    while (fgets(line, sizeof(line), status) != NULL) {
        (void)sscanf(line, "VmLck: %ld", &locked);
    }
    (void)fclose(status);
    return locked;
}

static void
assert_no_cache_left(void)
{
    glob_t found = {.gl_pathc = 0};

    ck_assert_msg(glob("/tmp/krb5cc_*", 0, NULL, &found) == GLOB_NOMATCH,
                  "%s is left", found.gl_pathc > 0 ? found.gl_pathv[0] : "?");
}

/* The calls of libpam, all alike. */

static int
open_session(pam_handle_t *handle, int flags)
{
    return pam_open_session(handle, flags);
}

static int
close_session(pam_handle_t *handle, int flags)
{
    return pam_close_session(handle, flags);
}

struct pam_call {
    const char *name;
    int (*call)(pam_handle_t *handle, int flags);
    int flags;
};

/* Makes CALL and looks that the host is what it was. */
static int
call_unchanged(struct stack *stack, const struct pam_call *call)
{
    char *before = picture();
    int code = call->call(stack->handle, call->flags);
    char *after = picture();

    compare_pictures(before, after, call->name);
    free(before);
    free(after);
    return code;
}

static void
end_unchanged(struct stack *stack)
{
    char *before = picture();
    char *after = NULL;

    ck_assert_int_eq(pam_end(stack->handle, PAM_SUCCESS), PAM_SUCCESS);
    after = picture();
    compare_pictures(before, after, "pam_end");
    free(before);
    free(after);
    stack_forget(stack);
}

static const struct pam_call authenticate = {"authenticate", pam_authenticate,
                                             0};
static const struct pam_call account = {"acct_mgmt", pam_acct_mgmt, 0};
static const struct pam_call establish = {"setcred(ESTABLISH)", pam_setcred,
                                          PAM_ESTABLISH_CRED};
static const struct pam_call refresh = {"setcred(REFRESH)", pam_setcred,
                                        PAM_REFRESH_CRED};
static const struct pam_call reinitialize = {
    "setcred(REINITIALIZE)", pam_setcred, PAM_REINITIALIZE_CRED};
static const struct pam_call delete = {"setcred(DELETE)", pam_setcred,
                                       PAM_DELETE_CRED};
static const struct pam_call session_open = {"open_session", open_session, 0};
static const struct pam_call session_close = {"close_session", close_session,
                                              0};

static const char *const alice_answers[] = {"alice-password", NULL};

/*
 * The shapes of hosts.
 */

static void
be_plain(void)
{
}

static void
ignore_children(void)
{
    ck_assert_ptr_ne(signal(SIGCHLD, SIG_IGN), SIG_ERR);
}

static void
reap_everything(int number)
{
    int saved = errno;

    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    errno = saved;
}

static void
reap_children(void)
{
    const struct sigaction action = {.sa_handler = reap_everything};

    ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
}

static void
block_signals(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, &all, NULL), 0);
}

static void
ignore_signals(void)
{
    for (int i = 1; i <= SIGRTMAX; i++) {
        if (i != SIGKILL && i != SIGSTOP && (i < 32 || i >= SIGRTMIN)) {
            (void)signal(i, SIG_IGN);
        }
    }
}

static void
open_descriptors(void)
{
    for (int i = 0; i < HOST_DESCRIPTORS; i++) {
        ck_assert_int_ge(open("/etc/passwd", O_RDONLY), 0);
    }
}

static void
have_no_standard_descriptors(void)
{
    /* stderr is Check's and ours to complain to. */
    (void)close(0);
    (void)close(1);
}

static void
have_a_heap(void)
{
    void *heap = NULL;

    fake_allow_leaks();
    heap = malloc(HEAP_SIZE);
    ck_assert_ptr_nonnull(heap);
    memset(heap, 1, HEAP_SIZE);
}

static void
lock_a_page(void)
{
    own_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(own_page, MAP_FAILED);
    /* Not mlock(3), which sanitizers leave undone. */
    ck_assert_int_eq(syscall(SYS_mlock, own_page, 4096), 0);
    ck_assert(is_locked(own_page));
}

static void
lock_everything(void)
{
    lock_a_page();
    /* Where it is done, a sanitizer's terabytes would have to be there. */
    ck_assert_int_eq(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
}

static void
nothing(int number)
{
    (void)number;
}

static void
have_a_timer(void)
{
    const struct sigaction action = {.sa_handler = nothing};
    const struct itimerval timer = {.it_interval = {.tv_usec = 5000},
                                    .it_value = {.tv_usec = 5000}};

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void
be_odd(void)
{
    const struct rlimit core = {.rlim_cur = 4096, .rlim_max = 1 << 20};
    static char stack_memory[1 << 16];
    const stack_t stack = {.ss_sp = stack_memory,
                           .ss_size = sizeof(stack_memory)};

    (void)umask(0);
    ck_assert_int_eq(chdir("/tmp/home"), 0);
    ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
    ck_assert_int_eq(setenv("KRB5CCNAME", "FILE:/nonexistent", 1), 0);
    ck_assert_int_eq(setenv("IFS", "x", 1), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
    ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_NAME, "odd host"), 0);
    ck_assert_int_eq(setpriority(PRIO_PROCESS, 0, 3), 0);
}

/* A session manager, or process 1 of a container: orphans become its own. */
static void
adopt_orphans(void)
{
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* login from open_session on. */
static void
have_the_users_group(void)
{
    ck_assert_int_eq(setgroups(1, (const gid_t[]){ALICE}), 0);
    ck_assert_int_eq(setegid(ALICE), 0);
}

/* su and sudo: they have no way to our KDC, so calls may fail. */
static void
be_su(void)
{
    ck_assert_int_eq(setresuid(ALICE, 0, 0), 0);
}

/* xscreensaver. */
static void
be_the_user(void)
{
    ck_assert_int_eq(setgroups(0, NULL), 0);
    ck_assert_int_eq(setresgid(ALICE, ALICE, ALICE), 0);
    ck_assert_int_eq(setresuid(ALICE, ALICE, ALICE), 0);
}

static const struct shape {
    void (*take)(void);
    bool may_fail;
} shapes[] = {
    {be_plain, false},
    {ignore_children, false},
    {reap_children, false},
    {block_signals, false},
    {ignore_signals, false},
    {open_descriptors, false},
    {have_no_standard_descriptors, false},
    {have_a_heap, false},
    {lock_a_page, false},
    {lock_everything, false},
    {have_a_timer, false},
    {be_odd, false},
    {adopt_orphans, false},
    {have_the_users_group, true},
    {be_su, true},
    {be_the_user, false},
};

#define SHAPES_COUNT ((int)(sizeof(shapes) / sizeof(shapes[0])))

static void
expect(const struct shape *shape, struct stack *stack,
       const struct pam_call *call)
{
    int code = call_unchanged(stack, call);

    ck_assert_msg(code == PAM_SUCCESS || shape->may_fail, "%s: %s\n%s",
                  call->name, pam_strerror(stack->handle, code), stack_log());
}

/* What a locker does with the session's cache, on a handle of its own. */
static void
live_as_locker(const struct shape *shape, const char *cache)
{
    struct stack stack;
    char setting[512];

    stack_start(&stack, "alice", "renew_lifetime=1d", alice_answers);
    if (cache != NULL) {
        (void)snprintf(setting, sizeof(setting), "KRB5CCNAME=%s", cache);
        ck_assert_int_eq(pam_putenv(stack.handle, setting), PAM_SUCCESS);
    }
    expect(shape, &stack, &refresh);
    expect(shape, &stack, &authenticate);
    expect(shape, &stack, &account);
    expect(shape, &stack, &reinitialize);
    end_unchanged(&stack);
}

START_TEST(test_host_of_any_shape_lives_a_whole_login_unchanged)
{
    const struct shape *shape = &shapes[_i];
    struct stack stack;
    char *cache = NULL;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    shape->take();
    stack_start(&stack, "alice", "renew_lifetime=1d", alice_answers);
    expect(shape, &stack, &authenticate);
    expect(shape, &stack, &account);
    expect(shape, &stack, &establish);
    if (!shape->may_fail) {
        cache = strdup(pam_getenv(stack.handle, "KRB5CCNAME"));
    }
    expect(shape, &stack, &session_open);
    expect(shape, &stack, &refresh);
    expect(shape, &stack, &reinitialize);
    live_as_locker(shape, cache);
    expect(shape, &stack, &session_close);
    expect(shape, &stack, &delete);
    end_unchanged(&stack);
    free(cache);
    assert_no_cache_left();
}
END_TEST

/* The host ends its handle with the session still open. */
START_TEST(test_host_that_only_ends_its_handle_is_unchanged)
{
    const struct shape *shape = &shapes[_i];
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    shape->take();
    stack_start(&stack, "alice", "", alice_answers);
    expect(shape, &stack, &authenticate);
    expect(shape, &stack, &establish);
    expect(shape, &stack, &session_open);
    end_unchanged(&stack);
    assert_no_cache_left();
}
END_TEST

/*
 * Tickets lie in a locked page while the handle has them, and no longer; no
 * other page is kept.
 */
START_TEST(test_host_has_no_more_locked_memory_after_the_end)
{
    struct stack stack;
    long before = 0;
    long between = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(!IS_SANITIZED, "sanitizers refuse mlock");
    lock_a_page();
    before = locked_kb();
    stack_start(&stack, "alice", "", alice_answers);
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    between = locked_kb();
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_int_eq(between, before + sysconf(_SC_PAGESIZE) / 1024);
    ck_assert_int_eq(locked_kb(), before);
    ck_assert(is_locked(own_page));
}
END_TEST

/* MCL_FUTURE is the host's: it still holds for what it maps later. */
START_TEST(test_host_that_locks_all_memory_still_does_after_the_end)
{
    struct stack stack;
    void *page = NULL;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(!IS_SANITIZED, "sanitizers refuse mlock");
    lock_everything();
    stack_start(&stack, "alice", "", alice_answers);
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    ck_assert(is_locked(page));
    ck_assert(is_locked(own_page));
}
END_TEST

/*
 * Calls that fail.
 */

/* Makes a krb5.conf whose KDC is at PORT of this machine. */
static void
name_a_kdc(int port)
{
    char *directory = suite_tmpdir();
    char *path = suite_path(directory, "krb5.conf");
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "[libdefaults]\n default_realm = PAM.TEST\n dns_lookup_kdc = "
            "false\n[realms]\n PAM.TEST = {\n  kdc = 127.0.0.1:%d\n }\n",
            port);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(directory, 0755), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(setenv("KRB5_CONFIG", path, 1), 0);
    free(path);
    free(directory);
}

static void
have_a_dead_kdc(void)
{
    /* Nobody listens at port 1. */
    name_a_kdc(1);
}

/* A KDC that takes what it is sent and never answers. */
static int
open_silent_kdc(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    name_a_kdc(ntohs(address.sin_port));
    return fd;
}

static void
have_a_silent_kdc(void)
{
    (void)open_silent_kdc();
}

static const char *const wrong_answers[] = {"not-her-password", NULL};
static const char *const no_answers[] = {NULL};

/* The HELPER is a behaviour of the fake, or NULL for the real one. */
static const struct failure {
    const char *user;
    const char *const *answers;
    const char *arguments;
    void (*take)(void);
    const char *helper;
    int code;
} failures[] = {
    {"alice", wrong_answers, "", be_plain, NULL, PAM_AUTH_ERR},
    {"nobody-at-all", wrong_answers, "", be_plain, NULL, PAM_USER_UNKNOWN},
    {"alice", no_answers, "", be_plain, NULL, PAM_AUTH_ERR},
    {"alice", alice_answers, "timeout=2", have_a_dead_kdc, NULL,
     PAM_AUTHINFO_UNAVAIL},
    {"alice", alice_answers, "timeout=1", have_a_silent_kdc, NULL,
     PAM_AUTHINFO_UNAVAIL},
    {"alice", alice_answers, "helper=/nonexistent/helper", be_plain, NULL,
     PAM_AUTHINFO_UNAVAIL},
    {"alice", alice_answers, "", be_plain, "dies-before-reading",
     PAM_AUTHINFO_UNAVAIL},
    {"alice", alice_answers, "", be_plain, "dies-in-a-frame",
     PAM_AUTHINFO_UNAVAIL},
    {"alice", alice_answers, "timeout=1", be_plain, "holds-on",
     PAM_AUTHINFO_UNAVAIL},
    {"alice", alice_answers, "timeout=1", be_plain, "stops",
     PAM_AUTHINFO_UNAVAIL},
    {"alice", alice_answers, "", be_plain, "notes", PAM_AUTHINFO_UNAVAIL},
};

#define FAILURES_COUNT ((int)(sizeof(failures) / sizeof(failures[0])))

static void
fail_unchanged(const struct failure *failure)
{
    const char *cache = "KRB5CCNAME=FILE:/tmp/home/alice/nothing";
    char arguments[2 * PATH_MAX];
    struct stack stack;
    char *fake = failure->helper == NULL ? NULL : fake_install(failure->helper);
    int code = PAM_SUCCESS;

    failure->take();
    (void)snprintf(arguments, sizeof(arguments), "%s %s%s", failure->arguments,
                   fake == NULL ? "" : "helper=", fake == NULL ? "" : fake);
    stack_start(&stack, failure->user, arguments, failure->answers);
    code = call_unchanged(&stack, &authenticate);
    ck_assert_msg(code == failure->code, "%s\n%s",
                  pam_strerror(stack.handle, code), stack_log());
    (void)call_unchanged(&stack, &account);
    (void)call_unchanged(&stack, &establish);
    ck_assert_int_eq(pam_putenv(stack.handle, cache), PAM_SUCCESS);
    (void)call_unchanged(&stack, &refresh);
    (void)call_unchanged(&stack, &session_open);
    (void)call_unchanged(&stack, &session_close);
    end_unchanged(&stack);
    if (fake != NULL) {
        fake_remove(fake);
    }
}

START_TEST(test_host_is_unchanged_by_calls_that_fail)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    fail_unchanged(&failures[_i]);
    assert_no_cache_left();
}
END_TEST

START_TEST(test_host_that_reaps_is_unchanged_by_calls_that_fail)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    reap_children();
    fail_unchanged(&failures[_i]);
}
END_TEST

/* One descriptor is less than a path is looked at with. */
START_TEST(test_host_at_its_descriptor_limit_is_unchanged)
{
    const struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};
    struct stack stack;
    int spare = -1;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    /* libpam reads its files before the descriptors are gone. */
    stack_start(&stack, "alice", "", alice_answers);
    (void)pam_acct_mgmt(stack.handle, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
    }
    /* For the picture, too. */
    (void)close(spare);
    ck_assert_int_eq(call_unchanged(&stack, &authenticate),
                     PAM_AUTHINFO_UNAVAIL);
    end_unchanged(&stack);
}
END_TEST

/*
 * The helper while the user is asked.
 */

/* The youngest child of PID, -1 where there is none. */
static pid_t
child_of(pid_t pid)
{
    char path[64];
    FILE *file = NULL;
    int child = -1;
    int next = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
                   (int)pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fscanf(file, "%d", &next) == 1) {
        child = next;
    }
    (void)fclose(file);
    return child;
}

/* Whether /proc/PID/NAME has a line that begins with BEGINNING. */
static bool
proc_has(pid_t pid, const char *name, const char *beginning)
{
    char path[64];
    char line[4096];
    bool has = false;
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        has |= strncmp(line, beginning, strlen(beginning)) == 0;
    }
    (void)fclose(file);
    return has;
}

/* How many of PID's descriptors are of the host's making. */
static size_t
count_inherited(pid_t pid)
{
    char path[300];
    struct dirent **names = NULL;
    size_t inherited = 0;
    int count = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    count = scandir(path, &names, NULL, NULL);
    ck_assert_int_gt(count, 2);
    for (int i = 0; i < count; i++) {
        char target[PATH_MAX] = {0};

        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid,
                       names[i]->d_name);
        (void)!readlink(path, target, sizeof(target) - 1);
        inherited += strcmp(target, "/etc/passwd") == 0;
        free(names[i]);
    }
    free(names);
    return inherited;
}

/* Filled in at the prompt. */
struct sight {
    bool seen;
    pid_t judge;
    pid_t exchange;
    size_t inherited;
    bool is_hidden;
    bool has_own_session;
};

static void
look_at_helper(void *data)
{
    struct sight *sight = data;

    sight->judge = child_of(getpid());
    ck_assert_int_gt(sight->judge, 0);
    /* Another one, before it, has looked up the groups, or does so. */
    sight->exchange = child_of(sight->judge);
    ck_assert_int_gt(sight->exchange, 0);
    sight->inherited =
        count_inherited(sight->judge) + count_inherited(sight->exchange);
    sight->is_hidden =
        proc_has(sight->judge, "status", "Umask:\t0077") &&
        proc_has(sight->exchange, "status", "Umask:\t0077") &&
        proc_has(sight->judge, "status", "SigBlk:\t0000000000000000") &&
        proc_has(sight->judge, "limits", "Max core file size        0  ") &&
        proc_has(sight->exchange, "limits", "Max core file size        0  ");
    sight->has_own_session = getsid(sight->judge) == sight->judge &&
                             getsid(sight->exchange) == sight->judge;
    sight->seen = true;
}

static struct sight
look_during_login(void)
{
    struct sight sight = {.seen = false};
    struct stack stack;

    stack_start(&stack, "alice", "", alice_answers);
    stack.before_answer = look_at_helper;
    stack.data = &sight;
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(sight.seen);
    return sight;
}

START_TEST(test_host_with_1000_descriptors_shows_the_helper_none)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    open_descriptors();
    ck_assert_uint_ge(count_inherited(getpid()), HOST_DESCRIPTORS);
    ck_assert_uint_eq(look_during_login().inherited, 0);
}
END_TEST

START_TEST(test_host_of_another_habit_has_a_helper_of_ours)
{
    struct sight sight;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    block_signals();
    be_odd();
    sight = look_during_login();
    ck_assert(sight.is_hidden);
    ck_assert(sight.has_own_session);
}
END_TEST

static void
assert_readable(int fd, const char *what)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    ck_assert_msg(poll(&poll_fd, 1, EVENT_MS) > 0, "%s", what);
}

/* Both processes of the helper wait, one for the KDC, one for the other. */
START_TEST(test_host_killed_while_the_kdc_is_silent_leaves_no_helper)
{
    struct stack stack;
    pid_t host = -1;
    pid_t judge = -1;
    int kdc = -1;
    int pidfds[2];

    SKIP_UNLESS(geteuid() == 0, "needs root");
    kdc = open_silent_kdc();
    host = fork();
    ck_assert_int_ge(host, 0);
    if (host == 0) {
        stack_start(&stack, "alice", "timeout=300", alice_answers);
        stack_forget(&stack);
        _exit(pam_authenticate(stack.handle, 0));
    }
    assert_readable(kdc, "the KDC is not asked");
    judge = child_of(host);
    pidfds[0] = (int)syscall(SYS_pidfd_open, judge, 0);
    pidfds[1] = (int)syscall(SYS_pidfd_open, child_of(judge), 0);
    ck_assert_int_ge(pidfds[0], 0);
    ck_assert_int_ge(pidfds[1], 0);
    ck_assert_int_eq(kill(host, SIGKILL), 0);
    ck_assert_int_eq(waitpid(host, NULL, 0), host);
    assert_readable(pidfds[0], "the judge stays");
    assert_readable(pidfds[1], "the exchange stays");
}
END_TEST

/*
 * What the module is made of.
 */

/* Whether a mapping of this process names TEXT. */
static bool
is_mapped(const char *text)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 256];
    bool found = false;

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        found |= strstr(line, text) != NULL;
    }
    (void)fclose(maps);
    return found;
}

START_TEST(test_host_has_nothing_of_ours_mapped_after_the_end)
{
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(!IS_SANITIZED, "sanitized hosts load more");
    ck_assert(!is_mapped("libkrb5"));
    stack_start(&stack, "alice", "", alice_answers);
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_eq(pam_setcred(stack.handle, PAM_ESTABLISH_CRED),
                     PAM_SUCCESS);
    ck_assert(is_mapped("pam_krb5cc.so"));
    ck_assert(!is_mapped("libkrb5"));
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(!is_mapped("pam_krb5cc.so"));
    ck_assert(!is_mapped("libkrb5"));
}
END_TEST

/* What COMMAND prints about $MODULE; the caller frees. */
static char *
ask_binutils(const char *command)
{
    char *text = NULL;
    size_t size = 0;
    FILE *pipe = NULL;

    ck_assert_int_eq(setenv("MODULE", stack_module(), 1), 0);
    ck_assert_int_eq(setenv("LC_ALL", "C", 1), 0);
    pipe = popen(command, "re");
    ck_assert_ptr_nonnull(pipe);
    if (getdelim(&text, &size, '\0', pipe) < 0) {
        text[0] = '\0';
    }
    ck_assert_int_eq(pclose(pipe), 0);
    return text;
}

START_TEST(test_host_sees_six_functions_of_the_module)
{
    char *text = NULL;

    SKIP_UNLESS(!IS_SANITIZED, "sanitizers export more");
    text = ask_binutils(
        "nm -D --defined-only \"$MODULE\" | sed 's/.* //; s/@.*//' | sort");
    ck_assert_str_eq(text, "pam_sm_acct_mgmt\n"
                           "pam_sm_authenticate\n"
                           "pam_sm_chauthtok\n"
                           "pam_sm_close_session\n"
                           "pam_sm_open_session\n"
                           "pam_sm_setcred\n");
    free(text);
}
END_TEST

START_TEST(test_host_loads_libpam_and_libc_for_the_module)
{
    char *text = NULL;

    SKIP_UNLESS(!IS_SANITIZED, "sanitizers need more");
    text = ask_binutils("readelf -d \"$MODULE\" | "
                        "sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]/\\1/p' | sort");
    ck_assert_str_eq(text, "libc.so.6\nlibpam.so.0\n");
    free(text);
}
END_TEST

/* Through everything that these two need: no libkrb5 either. */
START_TEST(test_host_loads_no_libkrb5_for_the_module)
{
    char *text = ask_binutils("ldd \"$MODULE\"");

    ck_assert_ptr_nonnull(strstr(text, "libpam.so.0"));
    ck_assert_ptr_null(strstr(text, "krb5.so"));
    ck_assert_ptr_null(strstr(text, "com_err"));
    free(text);
}
END_TEST

/*
 * Passwords.  The one that is looked for is never whole in memory but where
 * the module was given it: characters are computed, not stored.
 */

enum { PASSWORD_LENGTH = 40, TAIL_LENGTH = 16 };

/* Kept from the optimizer, which would make a constant of the password. */
static volatile unsigned int password_seed = 3;

static char
password_at(int i)
{
    unsigned int mixed = ((unsigned int)i + password_seed) * 2654435761U;

    return (char)('a' + (mixed >> 16) % 26);
}

/* The password in memory of its own. */
static char *
make_password(void)
{
    char *password = calloc(1, PASSWORD_LENGTH + 1);

    ck_assert_ptr_nonnull(password);
    for (int i = 0; i < PASSWORD_LENGTH; i++) {
        password[i] = password_at(i);
    }
    return password;
}

static void
erase_password(char *password)
{
    explicit_bzero(password, PASSWORD_LENGTH);
    free(password);
}

/* Gives carol that password. */
static void
give_to_carol(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c",
                    "exec $REALM_ADMIN -q \"cpw -pw $1 carol\" >/dev/null 2>&1",
                    "sh", make_password(), (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

/*
 * How often the end of the password is in LENGTH bytes at DATA.  The end,
 * since what was freed without being erased loses its beginning to malloc.
 */
static size_t
count_tails(const unsigned char *data, size_t length)
{
    const int from = PASSWORD_LENGTH - TAIL_LENGTH;
    size_t count = 0;

    for (size_t i = 0; i + TAIL_LENGTH <= length; i++) {
        int same = 0;

        while (same < TAIL_LENGTH &&
               data[i + (size_t)same] ==
                   (unsigned char)password_at(from + same)) {
            same++;
        }
        count += same == TAIL_LENGTH;
    }
    return count;
}

enum { SCAN_SIZE = 1 << 20 };

/* What is looked at goes through here, which is not looked at. */
static unsigned char *scan_buffer;

static size_t
scan_mapping(int fd, uintptr_t from, uintptr_t to)
{
    size_t count = 0;

    while (to - from >= TAIL_LENGTH) {
        size_t wanted = to - from < SCAN_SIZE ? to - from : SCAN_SIZE;
        ssize_t got = pread(fd, scan_buffer, wanted, (off_t)from);

        if (got < TAIL_LENGTH) {
            break;
        }
        count += count_tails(scan_buffer, (size_t)got);
        from += (size_t)got - TAIL_LENGTH + 1;
        if ((size_t)got < TAIL_LENGTH || to - from < TAIL_LENGTH) {
            break;
        }
    }
    return count;
}

/* How often the password is in this process's writable memory. */
static size_t
count_passwords(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[PATH_MAX + 256];
    size_t count = 0;

    if (scan_buffer == NULL) {
        /* A file's, so that the kernel never makes one mapping of it and an
         * anonymous one beside it. */
        int backing = memfd_create("scan", MFD_CLOEXEC);

        ck_assert_int_eq(ftruncate(backing, SCAN_SIZE), 0);
        scan_buffer = mmap(NULL, SCAN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                           backing, 0);
        ck_assert_ptr_ne(scan_buffer, MAP_FAILED);
        (void)close(backing);
    }
    ck_assert_ptr_nonnull(maps);
    ck_assert_int_ge(fd, 0);
    while (fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t from = 0;
        uintptr_t to = 0;
        char mode[5];

        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 &&
            mode[0] == 'r' && mode[1] == 'w' &&
            from != (uintptr_t)scan_buffer) {
            count += scan_mapping(fd, from, to);
        }
    }
    (void)close(fd);
    (void)fclose(maps);
    explicit_bzero(scan_buffer, SCAN_SIZE);
    return count;
}

/* What a conversation that types the password may do besides. */
struct typist {
    bool wrongly; /* a character too many */
    int stop_at;  /* the prompt at which it never answers; 0 = none */
    int prompts;  /* so far */
    sem_t has_stopped;
};

static int
type_password(int count, const struct pam_message **messages,
              struct pam_response **responses_out, void *data)
{
    struct typist *typist = data;
    struct pam_response *responses =
        calloc((size_t)count, sizeof(responses[0]));

    if (responses == NULL || count != 1) {
        free(responses);
        return PAM_BUF_ERR;
    }
    if (messages[0]->msg_style == PAM_PROMPT_ECHO_OFF) {
        if (++typist->prompts == typist->stop_at) {
            free(responses);
            (void)sem_post(&typist->has_stopped);
            for (;;) {
                (void)pause();
            }
        }
        responses[0].resp = make_password();
        if (typist->wrongly) {
            responses[0].resp[0] = 'Z';
        }
    }
    *responses_out = responses;
    return PAM_SUCCESS;
}

static void
start_typing(struct stack *stack, struct typist *typist, const char *arguments)
{
    const struct pam_conv conversation = {.conv = type_password,
                                          .appdata_ptr = typist};

    ck_assert_int_eq(sem_init(&typist->has_stopped, 0, 0), 0);
    stack_start(stack, "carol", arguments, NULL);
    ck_assert_int_eq(pam_set_item(stack->handle, PAM_CONV, &conversation),
                     PAM_SUCCESS);
}

/* The test of the tests. */
START_TEST(test_host_password_that_is_held_is_found)
{
    char *password = NULL;

    SKIP_UNLESS(!IS_SANITIZED, "not with the memory of a sanitizer");
    ck_assert_uint_eq(count_passwords(), 0);
    password = make_password();
    ck_assert_uint_eq(count_passwords(), 1);
    /* As malloc leaves what was freed. */
    memset(password, 0, 16);
    ck_assert_uint_eq(count_passwords(), 1);
    erase_password(password);
    ck_assert_uint_eq(count_passwords(), 0);
}
END_TEST

START_TEST(test_host_has_no_password_after_a_login)
{
    struct typist typist = {.wrongly = false};
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(!IS_SANITIZED, "not with the memory of a sanitizer");
    give_to_carol();
    start_typing(&stack, &typist, "");
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_eq(typist.prompts, 1);
    ck_assert_uint_eq(count_passwords(), 0);
    ck_assert_int_eq(pam_setcred(stack.handle, PAM_ESTABLISH_CRED),
                     PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(count_passwords(), 0);
}
END_TEST

START_TEST(test_host_has_no_password_after_a_failed_login)
{
    struct typist typist = {.wrongly = true};
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(!IS_SANITIZED, "not with the memory of a sanitizer");
    start_typing(&stack, &typist, "");
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_int_eq(typist.prompts, 1);
    ck_assert_uint_eq(count_passwords(), 0);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(count_passwords(), 0);
}
END_TEST

/* Whatever goes wrong behind the prompt. */
START_TEST(test_host_has_no_password_after_a_helper_that_failed)
{
    static const char *const behaviours[] = {"asks-twice", "prompts",
                                             "asks-and-dies"};
    struct typist typist = {.wrongly = false};
    char *fake = NULL;
    char arguments[PATH_MAX + 16];
    struct stack stack;

    SKIP_UNLESS(!IS_SANITIZED, "not with the memory of a sanitizer");
    fake = fake_install(behaviours[_i]);
    (void)snprintf(arguments, sizeof(arguments), "helper=%s", fake);
    start_typing(&stack, &typist, arguments);
    ck_assert_int_ne(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_ge(typist.prompts, 1);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(count_passwords(), 0);
    fake_remove(fake);
}
END_TEST

/* The second line gets the password of the first as PAM_AUTHTOK. */
START_TEST(test_host_has_no_password_after_a_stacked_login)
{
    struct typist typist = {.wrongly = false};
    const struct pam_conv conversation = {.conv = type_password,
                                          .appdata_ptr = &typist};
    char lines[4 * PATH_MAX];
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(!IS_SANITIZED, "not with the memory of a sanitizer");
    give_to_carol();
    (void)snprintf(lines, sizeof(lines),
                   "auth required %%m helper=%s\n"
                   "auth required %%m helper=%s use_first_pass\n",
                   stack_helper(), stack_helper());
    stack_start_service(&stack, "carol", lines, NULL);
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_CONV, &conversation),
                     PAM_SUCCESS);
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_eq(typist.prompts, 1);
    ck_assert_uint_eq(count_passwords(), 0);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(count_passwords(), 0);
}
END_TEST

/*
 * A thread that is cancelled while it waits for the user.
 */

static void *
log_in(void *data)
{
    struct stack *stack = data;

    fake_allow_leaks();
    (void)pam_authenticate(stack->handle, 0);
    return NULL;
}

/*
 * Cancels a login that waits for prompt STOP_AT, with ARGUMENTS.  libpam does
 * not end a handle whose module has never returned (pam_end(3) is then
 * PAM_SYSTEM_ERR): what is to go has gone by itself.
 */
static void
cancel_login(int stop_at, const char *arguments)
{
    struct typist typist = {.stop_at = stop_at};
    struct stack stack;
    size_t descriptors = 0;
    pthread_t thread;
    void *value = NULL;
    char *before = NULL;
    char *after = NULL;

    fake_allow_leaks();
    start_typing(&stack, &typist, arguments);
    before = picture();
    descriptors = fake_count_descriptors();
    ck_assert_int_eq(pthread_create(&thread, NULL, log_in, &stack), 0);
    ck_assert_int_eq(sem_wait(&typist.has_stopped), 0);
    ck_assert_uint_gt(fake_count_descriptors(), descriptors);
    ck_assert_int_eq(pthread_cancel(thread), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    ck_assert_ptr_eq(value, PTHREAD_CANCELED);
    after = picture();
    compare_pictures(before, after, "a cancelled login");
    free(before);
    free(after);
    stack_forget(&stack);
}

START_TEST(test_host_thread_cancelled_at_the_prompt_leaves_nothing)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    cancel_login(1, "");
}
END_TEST

/* The first answer is already on its way, and is PAM_AUTHTOK. */
START_TEST(test_host_thread_cancelled_behind_the_password_leaves_none)
{
    char *fake = NULL;
    char arguments[PATH_MAX + 16];

    SKIP_UNLESS(!IS_SANITIZED, "not with the memory of a sanitizer");
    fake = fake_install("asks-twice");
    (void)snprintf(arguments, sizeof(arguments), "helper=%s", fake);
    cancel_login(2, arguments);
    ck_assert_uint_eq(count_passwords(), 0);
    fake_remove(fake);
}
END_TEST

START_TEST(test_host_thread_cancelled_at_the_prompt_leaves_no_locked_memory)
{
    long before = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    SKIP_UNLESS(!IS_SANITIZED, "sanitizers refuse mlock");
    before = locked_kb();
    cancel_login(1, "");
    ck_assert_int_eq(locked_kb(), before);
}
END_TEST

START_TEST(test_host_goes_on_after_a_cancelled_thread)
{
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    cancel_login(1, "");
    stack_start(&stack, "alice", "", alice_answers);
    ck_assert_int_eq(call_unchanged(&stack, &authenticate), PAM_SUCCESS);
    end_unchanged(&stack);
}
END_TEST

static Suite *
host_suite(void)
{
    Suite *suite = suite_create("stack/host");
    TCase *life = suite_case(suite, "life");
    TCase *failure = suite_case(suite, "failure");
    TCase *helper = suite_case(suite, "helper");
    TCase *module = suite_case(suite, "module");
    TCase *secret = suite_case(suite, "secret");
    TCase *cancel = suite_case(suite, "cancel");

    tcase_add_loop_test(life,
                        test_host_of_any_shape_lives_a_whole_login_unchanged, 0,
                        SHAPES_COUNT);
    tcase_add_loop_test(life, test_host_that_only_ends_its_handle_is_unchanged,
                        0, SHAPES_COUNT);
    tcase_add_test(life, test_host_has_no_more_locked_memory_after_the_end);
    tcase_add_test(life,
                   test_host_that_locks_all_memory_still_does_after_the_end);
    tcase_add_loop_test(failure, test_host_is_unchanged_by_calls_that_fail, 0,
                        FAILURES_COUNT);
    tcase_add_loop_test(failure,
                        test_host_that_reaps_is_unchanged_by_calls_that_fail, 0,
                        FAILURES_COUNT);
    tcase_add_test(failure, test_host_at_its_descriptor_limit_is_unchanged);
    tcase_add_test(helper,
                   test_host_with_1000_descriptors_shows_the_helper_none);
    tcase_add_test(helper, test_host_of_another_habit_has_a_helper_of_ours);
    tcase_add_test(helper,
                   test_host_killed_while_the_kdc_is_silent_leaves_no_helper);
    tcase_add_test(module, test_host_has_nothing_of_ours_mapped_after_the_end);
    tcase_add_test(module, test_host_sees_six_functions_of_the_module);
    tcase_add_test(module, test_host_loads_libpam_and_libc_for_the_module);
    tcase_add_test(module, test_host_loads_no_libkrb5_for_the_module);
    tcase_add_test(secret, test_host_password_that_is_held_is_found);
    tcase_add_test(secret, test_host_has_no_password_after_a_login);
    tcase_add_test(secret, test_host_has_no_password_after_a_failed_login);
    tcase_add_loop_test(
        secret, test_host_has_no_password_after_a_helper_that_failed, 0, 3);
    tcase_add_test(secret, test_host_has_no_password_after_a_stacked_login);
    tcase_add_test(cancel,
                   test_host_thread_cancelled_at_the_prompt_leaves_nothing);
    tcase_add_test(cancel,
                   test_host_thread_cancelled_behind_the_password_leaves_none);
    tcase_add_test(
        cancel,
        test_host_thread_cancelled_at_the_prompt_leaves_no_locked_memory);
    tcase_add_test(cancel, test_host_goes_on_after_a_cancelled_thread);
    return suite;
}

int
main(void)
{
    return suite_main(host_suite());
}
