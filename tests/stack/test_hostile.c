/*
 * Hostile surroundings: a helper that somebody has planted, processes of the
 * target user and of the caller of a set-uid host that try to get at a login
 * while it runs, limits that such a caller has chosen, a replay cache that was
 * there first.  They can at most make the login fail, in time.
 *
 * Needs root, a mount namespace and a realm.
 */
#include "stack/common.h"
#include "support/records.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <krb5.h>

#define TIMEOUT_S 2
#define LATE_MS 1000

/* A directory that everybody may enter; of one test. */
static char *folder;

static int64_t
now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
setup(void)
{
    common_setup();
    folder = suite_tmpdir();
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

static void
teardown(void)
{
    suite_remove_tree(folder);
    folder = NULL;
    common_teardown();
}

/* Has the shell do COMMAND, in which $folder is ours. */
static void
run(const char *command)
{
    ck_assert_int_eq(setenv("folder", folder, 1), 0);
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* Planted helpers. */

/*
 * Makes a/b/helper in `folder`, a program that leaves a mark when it is run,
 * and has CHANGE done to it.
 */
static void
plant(const char *change)
{
    char command[4096];

    (void)snprintf(command, sizeof(command),
                   "cd '%s' && rm -rf a mark && mkdir -p a/b &&"
                   " printf '#!/bin/sh\\necho ran >%s/mark\\n' >a/b/helper &&"
                   " chmod 755 . a a/b a/b/helper && touch mark &&"
                   " chmod 666 mark && %s",
                   folder, folder, change);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static bool
has_run(void)
{
    struct stat status;
    char *mark = suite_path(folder, "mark");

    ck_assert_int_eq(stat(mark, &status), 0);
    free(mark);
    return status.st_size > 0;
}

struct plant {
    const char *change;
    const char *path;  /* below `folder` */
    const char *cause; /* in the log; with the object */
};

static const struct plant plants[] = {
    {"chown alice a/b/helper", "a/b/helper", "a/b/helper can be changed"},
    {"chown alice a/b", "a/b/helper", "a/b can be changed"},
    {"chown alice a", "a/b/helper", "a can be changed"},
    {"chown alice .", "a/b/helper", "can be changed"},
    {"chmod g+w a/b/helper", "a/b/helper", "a/b/helper can be changed"},
    {"chmod o+w a/b/helper", "a/b/helper", "a/b/helper can be changed"},
    {"chmod +t,o+w a/b/helper", "a/b/helper", "a/b/helper can be changed"},
    {"chmod g+w a/b", "a/b/helper", "a/b can be changed"},
    {"chmod o+w a", "a/b/helper", "a can be changed"},
    {"mv a/b/helper a/b/x && ln -s x a/b/helper", "a/b/helper",
     "a/b/helper is a symbolic link"},
    {"mv a/b a/x && ln -s x a/b", "a/b/helper", "a/b is a symbolic link"},
    {"mv a x && ln -s x a", "a/b/helper", "a is a symbolic link"},
    {"true", "a/../a/b/helper", "not an absolute path"},
    {"true", "a/./b/helper", "not an absolute path"},
    {"true", "a/b/helper/", "directory"},
    {"rm a/b/helper && mkfifo -m 755 a/b/helper", "a/b/helper",
     "ermission denied"},
};

#define PLANT_COUNT (int)(sizeof(plants) / sizeof(plants[0]))

/* The control: as it was made, it is run. */
START_TEST(test_hostile_sound_helper_is_run)
{
    struct stack stack;
    char arguments[512];

    NEEDS_ROOT();
    plant("true");
    (void)snprintf(arguments, sizeof(arguments), "helper=%s/a/b/helper",
                   folder);
    common_start(&stack, "alice", arguments, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    ck_assert(has_run());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A sticky directory will do, as /tmp itself. */
START_TEST(test_hostile_sound_helper_in_a_sticky_directory_is_run)
{
    struct stack stack;
    char arguments[512];

    NEEDS_ROOT();
    plant("chmod 1777 a");
    (void)snprintf(arguments, sizeof(arguments), "helper=%s/a/b/helper",
                   folder);
    common_start(&stack, "alice", arguments, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    ck_assert(has_run());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_hostile_unsound_helper_is_never_run)
{
    const struct plant *row = &plants[_i];
    struct stack stack;
    char arguments[512];

    NEEDS_ROOT();
    plant(row->change);
    (void)snprintf(arguments, sizeof(arguments), "helper=%s/%s", folder,
                   row->path);
    common_start(&stack, "alice", arguments, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    ck_assert_msg(!has_run(), "%s: it was run", row->change);
    ck_assert_msg(common_logged(LOG_ERR, folder) &&
                      common_logged(LOG_ERR, row->cause),
                  "%s; log:\n%s", row->change, stack_log());
    common_set_cache(&stack, "FILE:/tmp/krb5cc_x");
    EXPECT(pam_setcred(stack.handle, PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    ck_assert(!has_run());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* It is no value of the option, so the one that counts is the one before. */
START_TEST(test_hostile_relative_helper_is_never_run)
{
    static const char *const paths[] = {"a/b/helper", "./a/b/helper", "helper"};
    struct stack stack;
    char arguments[512];

    NEEDS_ROOT();
    plant("cp a/b/helper helper");
    ck_assert_int_eq(chdir(folder), 0);
    (void)snprintf(arguments, sizeof(arguments), "helper=%s", paths[_i]);
    common_start(&stack, "alice", arguments, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert(!has_run());
    (void)snprintf(arguments, sizeof(arguments),
                   "option helper=%s: not a legal value: ignored", paths[_i]);
    ck_assert_msg(common_logged(LOG_ERR, arguments), "%s", stack_log());
    ck_assert_int_eq(chdir("/"), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/*
 * A host that has entered OWNER's directory (chroot(2)) when its session ends:
 * what it finds at the helper's path there leaves a mark when it is run.
 */
struct jail {
    const char *owner;
    int code;     /* of close_session */
    bool was_run; /* the planted helper */
};

static void
build_jail(const char *owner)
{
    char command[4096];

    (void)snprintf(
        command, sizeof(command),
        "cd '%s' && mkdir -p jail/usr jail/dev jail/tmp jail%.200s &&"
        " rmdir jail%.200s &&"
        " for name in bin lib lib64; do ln -s usr/$name jail/$name; done &&"
        " mount --bind /usr jail/usr && mount --bind /dev jail/dev &&"
        " printf '#!/bin/sh\\necho ran >/mark\\n' >jail%.200s &&"
        " chmod 755 jail jail%.200s && touch jail/mark && chown %s jail",
        folder, stack_helper(), stack_helper(), stack_helper(), stack_helper(),
        owner);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static int
close_in_jail(void *data)
{
    const struct jail *jail = data;
    struct stack stack;
    struct stat status;

    common_establish(&stack, "ccache=FILE:/tmp/krb5cc_jail_XXXXXX");
    if (chdir(folder) < 0 || chroot("jail") < 0 || chdir("/") < 0) {
        return 50;
    }
    if (pam_close_session(stack.handle, 0) != jail->code) {
        return 51;
    }
    if (stat("/mark", &status) < 0 || (status.st_size > 0) != jail->was_run) {
        return 52;
    }
    return jail->was_run || common_logged(LOG_ERR, "can be changed by others")
               ? 0
               : 53;
}

START_TEST(test_hostile_helper_in_a_users_jail_is_never_run)
{
    static struct jail jails[] = {
        /* The control: in root's own jail it is. */
        {"root", PAM_SESSION_ERR, true},
        {"alice", PAM_SESSION_ERR, false},
        {"bob", PAM_SESSION_ERR, false},
    };
    int code = 0;

    NEEDS_ROOT();
    build_jail(jails[_i].owner);
    code = common_in_child((struct ids){0, 0, 0}, 0, close_in_jail, &jails[_i]);
    run("umount $folder/jail/usr $folder/jail/dev");
    ck_assert_int_eq(code, 0);
    /* Nobody could destroy it from there: its record is left to reap. */
    ck_assert_uint_eq(common_count("/tmp", "krb5cc_jail_"), 1);
    ck_assert_uint_eq(records_of_the_gone(), 1);
    run("rm -rf /tmp/krb5cc_jail_* /tmp/pam.??????");
}
END_TEST

/* A host such as su. */

/*
 * Gives this process, and those it forks, an /etc with the realm's krb5.conf
 * and keytab in it: the environment of a set-uid host is not heard.
 */
static void
use_own_etc(void)
{
    const char *conf = getenv("KRB5_CONFIG");
    const char *keytab = getenv("KRB5_KTNAME");
    char command[2048];

    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    (void)snprintf(command, sizeof(command),
                   "mkdir '%s/etc' && cp -a /etc/. '%s/etc' &&"
                   " cp '%s' '%s/etc/krb5.conf' &&"
                   " cp '%s' '%s/etc/krb5.keytab' &&"
                   " chmod 600 '%s/etc/krb5.keytab' &&"
                   " mount --bind '%s/etc' /etc",
                   folder, folder, conf, folder, keytab + strlen("FILE:"),
                   folder, folder, folder);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void
leave_own_etc(void)
{
    run("umount /etc");
}

/* How one login of alice has gone. */
enum { GONE_WELL = 0, REFUSED = 1, WRONG_CODE = 2, TOO_LATE = 3 };

/* CALL gave CODE after START: is it one of those allowed, and in time? */
static int
judge_call(int code, int failure, int64_t start)
{
    if (now_ms() - start > TIMEOUT_S * 1000 + LATE_MS) {
        fprintf(stderr, "# took %lld ms: %s", (long long)(now_ms() - start),
                stack_log());
        return TOO_LATE;
    }
    if (code == PAM_SUCCESS) {
        return GONE_WELL;
    }
    if (code != failure) {
        fprintf(stderr, "# %s: %s", pam_strerror(NULL, code), stack_log());
    }
    return code == failure ? REFUSED : WRONG_CODE;
}

/* One call of a login, and the code that it may fail with. */
struct step {
    int (*call)(pam_handle_t *handle, int flags);
    int flags;
    int failure;
};

static int
take_step(struct stack *stack, const struct step *step)
{
    int64_t start = now_ms();

    return judge_call(step->call(stack->handle, step->flags), step->failure,
                      start);
}

/* Renews the cache of STACK's session by another handle. */
static int
refresh_elsewhere(const struct stack *stack, const char *arguments)
{
    static const struct step refresh = {pam_setcred, PAM_REFRESH_CRED,
                                        PAM_CRED_UNAVAIL};
    struct stack other;
    char setting[512];
    int how = GONE_WELL;

    if (common_cache(stack) == NULL) {
        return REFUSED;
    }
    (void)snprintf(setting, sizeof(setting), "KRB5CCNAME=%s",
                   common_cache(stack));
    common_start(&other, "alice", arguments, no_answers);
    (void)pam_putenv(other.handle, setting);
    how = take_step(&other, &refresh);
    stack_end(&other, PAM_SUCCESS);
    return how;
}

static int
worse(int a, int b)
{
    return a > b ? a : b;
}

/* A whole login of alice; its arguments are data.  The worst that happened. */
static int
login(void *data)
{
    static const struct step authenticate = {pam_authenticate, 0,
                                             PAM_AUTHINFO_UNAVAIL};
    static const struct step establish = {pam_setcred, PAM_ESTABLISH_CRED,
                                          PAM_CRED_ERR};
    static const struct step close = {pam_close_session, 0, PAM_SESSION_ERR};
    const char *arguments = data;
    struct stack stack;
    char path[256] = "";
    int how = GONE_WELL;

    stack_log_clear();
    common_start(&stack, "alice", arguments, alice_answers);
    how = take_step(&stack, &authenticate);
    if (how == GONE_WELL) {
        how = worse(how, take_step(&stack, &establish));
        if (common_cache(&stack) != NULL) {
            (void)snprintf(path, sizeof(path), "%s",
                           cache_path(common_cache(&stack)));
        }
        how = worse(how, refresh_elsewhere(&stack, arguments));
        how = worse(how, take_step(&stack, &close));
        /* A helper that was killed may leave it, when it says so. */
        if (stack_logged("left behind")) {
            (void)unlink(path);
        }
    }
    stack_end(&stack, PAM_SUCCESS);
    return how;
}

/* The same as su: the caller is bob, not dumpable. */
static int
login_as_su(void *data)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return login(data);
}

static const char *const su_ids[] = {"bob", "root", "root"};
static const char *const root_ids[] = {"root", "root", "root"};
/* Renewable, so that there is something to refresh. */
static char usual[] = "timeout=2 renew_lifetime=1d";

START_TEST(test_hostile_host_like_su_logs_in)
{
    NEEDS_ROOT();
    use_own_etc();
    ck_assert_int_eq(common_in_child(common_ids(su_ids), common_uid("bob"),
                                     login_as_su, usual),
                     GONE_WELL);
    ck_assert_uint_eq(common_count("/tmp", "krb5cc"), 0);
    leave_own_etc();
}
END_TEST

/* Attackers. */

/* What is tried against a process; a row of names[] each. */
enum attempt {
    TRY_ATTACH,
    TRY_SEIZE,
    TRY_MEM,
    TRY_MAPS,
    TRY_ENVIRON,
    TRY_PAGEMAP,
    TRY_FD,
    TRY_CWD,
    TRY_GETFD,
    TRY_READV,
    TRY_PRLIMIT,
    TRY_KILL,
    TRY_STOP,
    TRY_COUNT
};

static const char *const attempt_names[TRY_COUNT] = {
    "PTRACE_ATTACH",     "PTRACE_SEIZE",      "/proc/PID/mem", "/proc/PID/maps",
    "/proc/PID/environ", "/proc/PID/pagemap", "/proc/PID/fd",  "/proc/PID/cwd",
    "pidfd_getfd",       "process_vm_readv",  "prlimit",       "SIGKILL",
    "SIGSTOP",
};

/* Whose the process was that was tried. */
enum victim {
    VICTIM_ROOT,     /* all its uids are root's */
    VICTIM_ACCOUNT,  /* ... are those of the exchange's account */
    VICTIM_OTHER,    /* ... are another user's */
    VICTIM_SELF,     /* ... are the attacker's own */
    VICTIM_STARTING, /* of several: between exec and its first acts */
    VICTIM_COUNT
};

/* Shared with the attackers. */
struct score {
    atomic_int refused[VICTIM_COUNT][TRY_COUNT]; /* EPERM or EACCES */
    atomic_int done[VICTIM_COUNT][TRY_COUNT];    /* it worked */
    atomic_int odd;                              /* another error */
    atomic_int rounds;
    pid_t floor; /* what is older is no business of this test */
    uid_t account;
};

static struct score *score;

/* The process that is looked for. */
static const char hunted[] = "krb5cc-helper";

static bool
read_uids(pid_t pid, uid_t uids[3])
{
    char path[64];
    char line[256];
    FILE *file = NULL;
    bool found = false;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        found =
            sscanf(line, "Uid: %u %u %u", &uids[0], &uids[1], &uids[2]) == 3;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static enum victim
victim_of(const uid_t uids[3])
{
    if (uids[0] != uids[1] || uids[1] != uids[2]) {
        return VICTIM_STARTING;
    }
    if (uids[0] == 0) {
        return VICTIM_ROOT;
    }
    if (uids[0] == getuid()) {
        return VICTIM_SELF;
    }
    return uids[0] == score->account ? VICTIM_ACCOUNT : VICTIM_OTHER;
}

/* Opens NAME of PID and looks at one byte of it. */
static int
try_open(pid_t pid, const char *name, int flags)
{
    char path[64];
    char byte = 0;
    ssize_t got = 0;
    int fd = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    got = pread(fd, &byte, 1, 0);
    (void)close(fd);
    if (got == 0 || (got < 0 && errno == ESRCH)) {
        /* A process that is dead has no memory to look into. */
        errno = ESRCH;
        return -1;
    }
    return 0;
}

/* Whether PID's descriptors can be listed. */
static int
try_list(pid_t pid)
{
    char path[64];
    DIR *directory = NULL;
    const struct dirent *entry = NULL;
    int count = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    directory = opendir(path);
    if (directory == NULL) {
        return -1;
    }
    while ((entry = readdir(directory)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(directory);
    if (count == 0) {
        errno = ESRCH;
        return -1;
    }
    return 0;
}

static int
try_link(pid_t pid, const char *name)
{
    char path[64];
    char text[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return (int)readlink(path, text, sizeof(text));
}

static int
try_getfd(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, 3, 0);
    int error = errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    errno = error;
    return fd;
}

static int
try_readv(pid_t pid)
{
    char byte = 0;
    struct iovec here = {.iov_base = &byte, .iov_len = 1};
    struct iovec there = {.iov_base = (void *)0x1000, .iov_len = 1};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);

    /* Nothing there: but the kernel would have let us look. */
    return got < 0 && errno != EFAULT ? -1 : 0;
}

static int
try_ptrace(pid_t pid, int request)
{
    int status = 0;

    if (ptrace((enum __ptrace_request)request, pid, NULL, NULL) < 0) {
        return -1;
    }
    if (request == PTRACE_ATTACH) {
        (void)waitpid(pid, &status, __WALL);
    }
    (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    return 0;
}

/* Tries it: 0 or more when it worked, else -1 and errno. */
static int
try(pid_t pid, enum attempt attempt)
{
    static const struct rlimit small = {0, 0};

    switch (attempt) {
    case TRY_ATTACH:
        return try_ptrace(pid, PTRACE_ATTACH);
    case TRY_SEIZE:
        return try_ptrace(pid, PTRACE_SEIZE);
    case TRY_MEM:
        return try_open(pid, "mem", O_RDWR);
    case TRY_MAPS:
        return try_open(pid, "maps", O_RDONLY);
    case TRY_ENVIRON:
        return try_open(pid, "environ", O_RDONLY);
    case TRY_PAGEMAP:
        return try_open(pid, "pagemap", O_RDONLY);
    case TRY_FD:
        return try_list(pid);
    case TRY_CWD:
        return try_link(pid, "cwd");
    case TRY_GETFD:
        return try_getfd(pid);
    case TRY_READV:
        return try_readv(pid);
    case TRY_PRLIMIT:
        return prlimit(pid, RLIMIT_CORE, &small, NULL);
    case TRY_KILL:
        return kill(pid, SIGKILL);
    case TRY_STOP:
        return kill(pid, SIGSTOP);
    case TRY_COUNT:
        break;
    }
    return -1;
}

/* One attempt against PID, and what came of it. */
static void
attack(pid_t pid, enum attempt attempt)
{
    uid_t before[3];
    uid_t after[3];
    bool worked = false;
    int error = 0;

    if (!read_uids(pid, before)) {
        return;
    }
    errno = 0;
    worked = try(pid, attempt) >= 0;
    error = errno;
    if (!worked && (error == EPERM || error == EACCES)) {
        score->refused[victim_of(before)][attempt]++;
        return;
    }
    if (!worked) {
        /* ESRCH, ENOENT: it has gone meanwhile. */
        score->odd += error != ESRCH && error != ENOENT && error != ECHILD;
        return;
    }
    /* Whose it was at that moment is only known where it was so throughout. */
    if (read_uids(pid, after) && memcmp(before, after, sizeof(after)) == 0) {
        score->done[victim_of(before)][attempt]++;
    }
}

static bool
is_hunted(pid_t pid)
{
    char path[64];
    char name[32] = "";
    ssize_t length = 0;
    int fd = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    length = read(fd, name, sizeof(name) - 1);
    (void)close(fd);
    return length > 0 && strncmp(name, hunted, sizeof(hunted) - 1) == 0;
}

/* Attacks whatever processes of the login there are, for ever. */
static void
hunt(enum attempt first, enum attempt last)
{
    for (;; score->rounds++) {
        DIR *directory = opendir("/proc");
        const struct dirent *entry = NULL;

        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            pid_t pid = atoi(entry->d_name);

            for (int i = (int)first;
                 pid > score->floor && is_hunted(pid) && i <= (int)last; i++) {
                attack(pid, (enum attempt)i);
            }
        }
        if (directory != NULL) {
            (void)closedir(directory);
        }
    }
}

/* An attacker who is UID for good and has a descriptor on nothing. */
static pid_t
start_attacker(uid_t uid, enum attempt first, enum attempt last)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)close_range(3, ~0U, 0);
        if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
            setresuid(uid, uid, uid) < 0 ||
            prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
            _exit(1);
        }
        hunt(first, last);
    }
    return pid;
}

static void
make_score(void)
{
    score = mmap(NULL, sizeof(*score), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(score, MAP_FAILED);
    score->floor = getpid();
    score->account = common_uid("_pam_krb5cc");
}

static void
stop_attacker(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status), "the attacker has ended by itself");
}

/* Somebody whose attacks last as long as the user types. */
struct prompt_attack {
    uid_t uid;
    const char *arguments;
};

static void
attack_at_prompt(void *data)
{
    const struct prompt_attack *plan = data;
    pid_t attacker = start_attacker(plan->uid, TRY_ATTACH, TRY_STOP);

    while (score->rounds < 2) {
        (void)sched_yield();
    }
    (void)kill(attacker, SIGKILL);
    (void)waitpid(attacker, NULL, 0);
}

/* A login that is attacked at its prompt. */
static int
attacked_login(void *data)
{
    struct prompt_attack *plan = data;
    struct stack stack;
    int code = PAM_SUCCESS;

    common_start(&stack, "alice", plan->arguments, alice_answers);
    stack.before_answer = attack_at_prompt;
    stack.data = plan;
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, code);
    return code == PAM_SUCCESS ? GONE_WELL : WRONG_CODE;
}

static void
assert_all_refused(enum victim victim, enum attempt first, enum attempt last)
{
    for (int i = (int)first; i <= (int)last; i++) {
        ck_assert_msg(score->done[victim][i] == 0,
                      "%s has worked %d times on a victim of kind %d",
                      attempt_names[i], score->done[victim][i], victim);
        ck_assert_msg(score->refused[victim][i] > 0,
                      "%s was never tried on a victim of kind %d",
                      attempt_names[i], victim);
    }
}

/* What no attacker may ever do, whoever the victim is. */
static void
assert_no_look_inside(void)
{
    for (int victim = 0; victim < VICTIM_COUNT; victim++) {
        for (int i = TRY_ATTACH; i <= TRY_READV; i++) {
            ck_assert_msg(score->done[victim][i] == 0,
                          "%s has worked on a victim of kind %d",
                          attempt_names[i], victim);
        }
    }
}

/* The control: on an ordinary process of his each attempt of his works. */
START_TEST(test_hostile_attempt_on_an_ordinary_process_works)
{
    pid_t attacker = -1;
    pid_t victim = -1;
    uid_t bob = 0;
    int status = 0;

    NEEDS_ROOT();
    bob = common_uid("bob");
    make_score();
    attacker = start_attacker(common_uid("bob"), TRY_ATTACH, (enum attempt)_i);
    victim = fork();
    if (victim == 0) {
        if (setresgid(bob, bob, bob) < 0 || setresuid(bob, bob, bob) < 0 ||
            open("/dev/null", O_RDONLY) < 0) {
            _exit(1);
        }
        (void)dup2(0, 3);
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        (void)prctl(PR_SET_NAME, hunted, 0, 0, 0);
        for (;;) {
            (void)pause();
        }
    }
    while (score->done[VICTIM_SELF][_i] == 0 && score->rounds < 100000) {
        (void)sched_yield();
    }
    stop_attacker(attacker);
    (void)kill(victim, SIGKILL);
    ck_assert_int_eq(waitpid(victim, &status, 0), victim);
    ck_assert_msg(score->done[VICTIM_SELF][_i] > 0, "%s does not work",
                  attempt_names[_i]);
}
END_TEST

/* How often a login is tried until an attacker has met what he looks for. */
#define LOGINS_MAX 300

/* Whether every look inside VICTIM was tried. */
static bool
was_tried_on(enum victim victim)
{
    for (int i = TRY_ATTACH; i <= TRY_READV; i++) {
        if (score->refused[victim][i] == 0) {
            return false;
        }
    }
    return true;
}

/* Logs in as IDS until it was tried on the helper's processes and on LAST. */
static void
login_until_tried(enum victim last, int (*body)(void *data), struct ids ids)
{
    for (int i = 0; i < LOGINS_MAX; i++) {
        ck_assert_int_eq(common_in_child(ids, ids.real, body, usual),
                         GONE_WELL);
        if (was_tried_on(VICTIM_ROOT) && was_tried_on(VICTIM_ACCOUNT) &&
            was_tried_on(last)) {
            return;
        }
    }
}

/* Who only looks is refused and disturbs nobody. */
START_TEST(test_hostile_target_user_cannot_look_inside)
{
    pid_t attacker = -1;

    NEEDS_ROOT();
    make_score();
    attacker = start_attacker(common_uid("alice"), TRY_ATTACH, TRY_READV);
    login_until_tried(VICTIM_SELF, login, common_ids(root_ids));
    stop_attacker(attacker);
    assert_no_look_inside();
    assert_all_refused(VICTIM_ROOT, TRY_ATTACH, TRY_READV);
    assert_all_refused(VICTIM_ACCOUNT, TRY_ATTACH, TRY_READV);
    assert_all_refused(VICTIM_SELF, TRY_ATTACH, TRY_READV);
    ck_assert_int_eq(score->odd, 0);
    ck_assert_uint_eq(common_count("/tmp", "krb5cc"), 0);
}
END_TEST

START_TEST(test_hostile_caller_of_su_cannot_look_inside)
{
    pid_t attacker = -1;

    NEEDS_ROOT();
    use_own_etc();
    make_score();
    attacker = start_attacker(common_uid("bob"), TRY_ATTACH, TRY_READV);
    login_until_tried(VICTIM_ACCOUNT, login_as_su, common_ids(su_ids));
    stop_attacker(attacker);
    assert_no_look_inside();
    assert_all_refused(VICTIM_ROOT, TRY_ATTACH, TRY_READV);
    assert_all_refused(VICTIM_ACCOUNT, TRY_ATTACH, TRY_READV);
    ck_assert_int_eq(score->odd, 0);
    ck_assert_uint_eq(common_count("/tmp", "krb5cc"), 0);
    leave_own_etc();
}
END_TEST

/* While a person types, the login's processes are out of everybody's reach. */
START_TEST(test_hostile_attempt_at_the_prompt_is_refused)
{
    static const struct {
        const char *attacker;
        const char *const *host;
    } rows[] = {
        {"alice", root_ids}, /* the target user, root's host */
        {"bob", root_ids},   /* somebody else */
        {"bob", su_ids},     /* the caller of a set-uid host */
        {"alice", su_ids},   /* its target user */
    };
    struct prompt_attack plan = {.arguments = usual};
    struct ids host;

    NEEDS_ROOT();
    plan.uid = common_uid(rows[_i].attacker);
    host = common_ids(rows[_i].host);
    use_own_etc();
    make_score();
    ck_assert_int_eq(common_in_child(host, host.real, attacked_login, &plan),
                     GONE_WELL);
    assert_all_refused(VICTIM_ROOT, TRY_ATTACH, TRY_STOP);
    assert_all_refused(VICTIM_ACCOUNT, TRY_ATTACH, TRY_STOP);
    ck_assert_int_eq(score->odd, 0);
    leave_own_etc();
}
END_TEST

/* Logins under fire. */
#define LOGINS 8

static bool
any_hunted(bool wake)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry = NULL;
    bool any = false;

    ck_assert_ptr_nonnull(directory);
    while ((entry = readdir(directory)) != NULL) {
        pid_t pid = atoi(entry->d_name);

        if (pid > score->floor && is_hunted(pid)) {
            any = true;
            if (wake) {
                /* Ours: no other program has this name and is that young. */
                (void)kill(pid, SIGCONT);
            }
        }
    }
    (void)closedir(directory);
    return any;
}

/*
 * What was stopped before it had said a word may not be killed by the module
 * (it might be a stranger): it ends when it is let go.
 */
static void
assert_stopped_ones_end(void)
{
    int64_t start = now_ms();

    while (any_hunted(true)) {
        ck_assert_int_lt(now_ms() - start, 5000);
        (void)sched_yield();
    }
}

/* How often ATTEMPT was made, whatever came of it. */
static int
count_attempts(enum attempt attempt)
{
    int count = 0;

    for (int victim = 0; victim < VICTIM_COUNT; victim++) {
        count += score->done[victim][attempt] + score->refused[victim][attempt];
    }
    return count;
}

START_TEST(test_hostile_signals_can_at_most_make_it_fail)
{
    static const struct {
        const char *attacker;
        const char *const *host;
        int (*body)(void *data);
        enum attempt attempt;
    } rows[] = {
        {"alice", root_ids, login, TRY_KILL},
        {"alice", root_ids, login, TRY_STOP},
        {"alice", root_ids, login, TRY_PRLIMIT},
        {"bob", su_ids, login_as_su, TRY_KILL},
        {"bob", su_ids, login_as_su, TRY_STOP},
        {"bob", su_ids, login_as_su, TRY_PRLIMIT},
    };
    pid_t attacker = -1;
    struct ids host;

    NEEDS_ROOT();
    host = common_ids(rows[_i].host);
    use_own_etc();
    make_score();
    attacker = start_attacker(common_uid(rows[_i].attacker), rows[_i].attempt,
                              rows[_i].attempt);
    for (int i = 0; i < LOGINS; i++) {
        int how = common_in_child(host, host.real, rows[_i].body, usual);

        ck_assert_msg(how == GONE_WELL || how == REFUSED, "login %d: %d", i,
                      how);
    }
    stop_attacker(attacker);
    assert_stopped_ones_end();
    ck_assert_int_eq(score->done[VICTIM_ROOT][rows[_i].attempt], 0);
    ck_assert_int_eq(score->done[VICTIM_ACCOUNT][rows[_i].attempt], 0);
    ck_assert_int_gt(count_attempts(rows[_i].attempt), 0);
    if (strcmp(rows[_i].attacker, "alice") == 0) {
        /* Who kills those that clean up after his own login keeps his cache. */
        run("rm -f /tmp/krb5cc_*");
    }
    (void)records_of_the_gone();
    ck_assert_uint_eq(common_count("/tmp", "krb5cc"), 0);
    leave_own_etc();
}
END_TEST

/* Limits that the caller of a set-uid host has chosen. */

struct limit {
    int resource;
    rlim_t value;
};

enum { LET_IN = 41, PROVEN = 42 };

/* A login as su under a limit: whether it was let in without a proof. */
static int
limited_login(void *data)
{
    const struct limit *limit = data;
    const struct rlimit both = {limit->value, limit->value};
    struct stack stack;
    int code = PAM_SUCCESS;
    bool is_open = false;

    common_start(&stack, "alice", usual, alice_answers);
    if (setrlimit((__rlimit_resource_t)limit->resource, &both) < 0) {
        return 99;
    }
    code = pam_authenticate(stack.handle, 0);
    is_open = code == PAM_SUCCESS && stack_logged("not verified");
    /* Not 1: so ends a process that a sanitizer cannot keep in its limit. */
    return is_open ? LET_IN : code == PAM_SUCCESS ? PROVEN : 0;
}

/* Whoever starves the helper is refused, not believed. */
START_TEST(test_hostile_limits_of_the_caller_spare_no_proof)
{
    int good = 0;

    NEEDS_ROOT();
    SKIP_UNLESS(_i == 0 || !IS_SANITIZED, "sanitizers need all addresses");
    use_own_etc();
    for (int i = 0; i < 40; i++) {
        struct limit limit = {.resource = RLIMIT_NOFILE,
                              .value = (rlim_t)i + 3};
        int how = 0;

        if (_i == 1) {
            limit = (struct limit){.resource = RLIMIT_AS,
                                   .value = ((rlim_t)1 << 20) +
                                            (rlim_t)i * 500 * 1024};
        }
        how = common_in_child(common_ids(su_ids), common_uid("bob"),
                              limited_login, &limit);
        ck_assert_msg(how != LET_IN, "let in without a proof at %zu",
                      (size_t)limit.value);
        good += how == PROVEN;
    }
    /* From nothing at all to enough: or nothing was shown. */
    ck_assert_int_gt(good, 0);
    ck_assert_int_lt(good, 40);
    run("rm -rf /tmp/pam.??????");
    leave_own_etc();
}
END_TEST

/* Where proof is asked for, a keytab that cannot be read refuses. */
START_TEST(test_hostile_broken_keytab_is_no_proof)
{
    static const char *const changes[] = {
        "printf garbage >$folder/keytab",
        "head -c 20 ${KRB5_KTNAME#FILE:} >$folder/keytab",
        "mkdir $folder/keytab",
        "ln -s keytab $folder/keytab",
        "true",
    };
    struct stack stack;
    char arguments[512];

    NEEDS_ROOT();
    common_config("[libdefaults]\nverify_ap_req_nofail = true");
    run(changes[_i]);
    (void)snprintf(arguments, sizeof(arguments), "keytab=FILE:%s/keytab",
                   folder);
    common_start(&stack, "alice", arguments, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_msg(common_logged(LOG_ALERT, "keytab"), "%s", stack_log());
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Replay caches. */

/*
 * The control: whether an AP-REQ to ourselves is accepted where there is a
 * replay cache (krb5_rd_req(3) with the flags that it has by itself).
 */
static krb5_error_code
read_with_replay_cache(void)
{
    krb5_context context = NULL;
    krb5_principal alice = NULL;
    krb5_principal host = NULL;
    krb5_creds creds = {0};
    krb5_auth_context auth = NULL;
    krb5_data ap_req = {0, 0, NULL};
    krb5_error_code code = krb5_init_context(&context);
    char service[] = "host/testhost.pam.test";

    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(krb5_parse_name(context, "alice", &alice), 0);
    ck_assert_int_eq(krb5_parse_name(context, service, &host), 0);
    ck_assert_int_eq(krb5_get_init_creds_password(context, &creds, alice,
                                                  "alice-password", NULL, NULL,
                                                  0, service, NULL),
                     0);
    ck_assert_int_eq(
        krb5_mk_req_extended(context, &auth, 0, NULL, &creds, &ap_req), 0);
    krb5_auth_con_free(context, auth);
    auth = NULL;
    code = krb5_rd_req(context, &auth, &ap_req, host, NULL, NULL, NULL);
    krb5_auth_con_free(context, auth);
    krb5_free_data_contents(context, &ap_req);
    krb5_free_cred_contents(context, &creds);
    krb5_free_principal(context, alice);
    krb5_free_principal(context, host);
    krb5_free_context(context);
    return code;
}

START_TEST(test_hostile_replay_cache_of_another_stops_nobody)
{
    static const char *const makes[] = {
        "for id in 0 <alice> $(id -u _pam_krb5cc);"
        " do f=/var/tmp/krb5_$id.rcache2;"
        " echo bob >$f; chmod 600 $f; chown bob $f; done",
        "for id in 0 <alice> $(id -u _pam_krb5cc);"
        " do mkdir -m 777 /var/tmp/krb5_$id.rcache2; done",
        ("for id in 0 <alice> $(id -u _pam_krb5cc);"
         " do ln -s /dev/full /var/tmp/krb5_$id.rcache2; done"),
    };
    struct stack stack;

    NEEDS_ROOT();
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount("none", "/var/tmp", "tmpfs", 0, "mode=1777"), 0);
    ck_assert_int_eq(read_with_replay_cache(), 0);
    run("rm /var/tmp/krb5_0.rcache2");
    run(common_with_uids(makes[_i]));
    ck_assert_int_ne(read_with_replay_cache(), 0);
    common_start(&stack, "alice", "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert(!stack_logged("not verified"));
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_int_eq(umount("/var/tmp"), 0);
}
END_TEST

#define LENT "/tmp/home/lent"

/* alice's own host, set-gid carol's group, with the cache NAME. */
static int
refresh_as_set_gid(void *name)
{
    uid_t alice = common_uid("alice");
    gid_t lent = common_uid("carol");
    struct stack stack;
    int code = PAM_SYSTEM_ERR;

    if (setenv("KRB5CCNAME", name, 1) < 0 || setgroups(0, NULL) < 0 ||
        setresgid(alice, lent, lent) < 0 ||
        setresuid(alice, alice, alice) < 0) {
        return WRONG_CODE;
    }
    common_start(&stack, "alice", "", alice_answers);
    code = pam_authenticate(stack.handle, 0);
    if (code == PAM_SUCCESS) {
        code = pam_setcred(stack.handle, PAM_REINITIALIZE_CRED);
    }
    stack_end(&stack, code);
    return code == PAM_SUCCESS ? GONE_WELL : WRONG_CODE;
}

/* A host's group opens no directory to whoever names the cache. */
START_TEST(test_hostile_caller_of_a_set_gid_host_is_not_lent_the_group)
{
    char name[] = "FILE:" LENT "/cc";
    char control[] = "FILE:/tmp/home/alice/cc";

    NEEDS_ROOT();
    use_own_etc();
    ck_assert_int_eq(mkdir(LENT, 0700), 0);
    ck_assert_int_eq(chown(LENT, 0, common_uid("carol")), 0);
    ck_assert_int_eq(chmod(LENT, 0770), 0);
    ck_assert_int_eq(
        common_in_child(common_ids(root_ids), 0, refresh_as_set_gid, name),
        GONE_WELL);
    ck_assert_uint_eq(common_count(LENT, ""), 0);
    /* Nor is anything else touched that she names: it is not her host. */
    ck_assert_int_eq(
        common_in_child(common_ids(root_ids), 0, refresh_as_set_gid, control),
        GONE_WELL);
    ck_assert(!common_exists("/tmp/home/alice/cc"));
    leave_own_etc();
}
END_TEST

static TCase *
new_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    return tcase;
}

int
main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tcase = new_case(suite, "planted");

    tcase_add_test(tcase, test_hostile_sound_helper_is_run);
    tcase_add_test(tcase,
                   test_hostile_sound_helper_in_a_sticky_directory_is_run);
    tcase_add_loop_test(tcase, test_hostile_unsound_helper_is_never_run, 0,
                        PLANT_COUNT);
    tcase_add_loop_test(tcase, test_hostile_relative_helper_is_never_run, 0, 3);
    tcase_add_loop_test(tcase, test_hostile_helper_in_a_users_jail_is_never_run,
                        0, 3);

    tcase = new_case(suite, "attackers");
    tcase_add_test(tcase, test_hostile_host_like_su_logs_in);
    tcase_add_loop_test(
        tcase, test_hostile_attempt_on_an_ordinary_process_works, 0, TRY_COUNT);
    tcase_add_test(tcase, test_hostile_target_user_cannot_look_inside);
    tcase_add_test(tcase, test_hostile_caller_of_su_cannot_look_inside);
    tcase_add_loop_test(tcase, test_hostile_attempt_at_the_prompt_is_refused, 0,
                        4);
    tcase_add_loop_test(tcase, test_hostile_signals_can_at_most_make_it_fail, 0,
                        6);

    tcase = new_case(suite, "proof");
    tcase_add_loop_test(tcase, test_hostile_limits_of_the_caller_spare_no_proof,
                        0, 2);
    tcase_add_loop_test(tcase, test_hostile_broken_keytab_is_no_proof, 0, 5);
    tcase_add_test(tcase,
                   test_hostile_caller_of_a_set_gid_host_is_not_lent_the_group);
    tcase_add_loop_test(
        tcase, test_hostile_replay_cache_of_another_stops_nobody, 0, 3);
    return suite_main(suite);
}
