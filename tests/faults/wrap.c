/*
 * Every call out of our own objects that can fail, wrapped by the linker
 * (ld(1), --wrap; the list is in tests/faults/wrapped, and
 * tests/env/test_wrapped sees that none is missing).  A call that is to
 * fail does so as the real one would, with an errno that fits it, and with
 * what the real one would have done all the same: a descriptor is closed, a
 * child is reaped.
 *
 * Linked once into the faulty module and once into the faulty helper
 * (WRAP_MODULE).  Every process has a count of its own of what it has allocated
 * and not freed.
 */
#include "faults/wrap.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_modules.h>

#include "base/bytes.h"
#include "support/suite.h"

/* More than our objects ever have at a time. */
#define LIVE_MAX 1024

static struct faults_page *page;
#ifdef WRAP_MODULE
static enum faults_side side = FAULTS_MODULE;
#else
static enum faults_side side = FAULTS_HELPER;
#endif

static const void *live[LIVE_MAX];
static int32_t live_count;

/* What the linker makes of the real NAME, and of calls of it. */
#define REAL(type, name, parameters)                                           \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters

/* A call that fails with ERROR and RESULT where it is struck. */
#define WRAP(type, name, parameters, arguments, error, result)                 \
    REAL(type, name, parameters);                                              \
    type __wrap_##name parameters                                              \
    {                                                                          \
        if (wrap_strikes(FAULTS_CALLS, #name)) {                               \
            errno = (error);                                                   \
            return result;                                                     \
        }                                                                      \
        return __real_##name arguments;                                        \
    }

bool
wrap_strikes(enum faults_family family, const char *name)
{
    const struct faults_plan *plan = NULL;
    uint32_t number = 0;

    if (page == NULL || !page->armed || page->plan.side != side ||
        page->plan.family != family) {
        return false;
    }
    plan = &page->plan;
    number = atomic_fetch_add(&page->counted, 1) + 1;
    if (plan->nth != number && plan->nth != FAULTS_EACH) {
        return false;
    }
    page->hits++;
    (void)snprintf(page->call, sizeof(page->call), "%s", name);
    if (plan->deed == FAULTS_KILL) {
        (void)kill(getpid(), SIGKILL);
    }
    return true;
}

/* Memory. */

static void
publish(void)
{
    if (page != NULL) {
        page->live[side] = live_count;
    }
}

/* POINTER, remembered as ours to free. */
static void *
born(void *pointer)
{
    for (size_t i = 0; pointer != NULL && i < LIVE_MAX; i++) {
        if (live[i] == NULL) {
            live[i] = pointer;
            live_count++;
            publish();
            break;
        }
    }
    return pointer;
}

static void
dead(const void *pointer)
{
    for (size_t i = 0; pointer != NULL && i < LIVE_MAX; i++) {
        if (live[i] == pointer) {
            live[i] = NULL;
            live_count--;
            publish();
            return;
        }
    }
}

#define WRAP_ALLOCATION(name, parameters, arguments)                           \
    REAL(void *, name, parameters);                                            \
    void *__wrap_##name parameters                                             \
    {                                                                          \
        if (wrap_strikes(FAULTS_CALLS, #name)) {                               \
            errno = ENOMEM;                                                    \
            return NULL;                                                       \
        }                                                                      \
        return born(__real_##name arguments);                                  \
    }

#define WRAP_COPY(name, parameters, arguments)                                 \
    REAL(char *, name, parameters);                                            \
    char *__wrap_##name parameters                                             \
    {                                                                          \
        if (wrap_strikes(FAULTS_CALLS, #name)) {                               \
            errno = ENOMEM;                                                    \
            return NULL;                                                       \
        }                                                                      \
        return born(__real_##name arguments);                                  \
    }

WRAP_ALLOCATION(malloc, (size_t size), (size))
WRAP_ALLOCATION(calloc, (size_t count, size_t size), (count, size))
WRAP_COPY(strdup, (const char *text), (text))
WRAP_COPY(strndup, (const char *text, size_t size), (text, size))

REAL(void *, realloc, (void *pointer, size_t size));
void *
__wrap_realloc(void *pointer, size_t size)
{
    if (wrap_strikes(FAULTS_CALLS, "realloc")) {
        errno = ENOMEM;
        return NULL;
    }
    dead(pointer);
    return born(__real_realloc(pointer, size));
}

REAL(void *, reallocarray, (void *pointer, size_t count, size_t size));
void *
__wrap_reallocarray(void *pointer, size_t count, size_t size)
{
    if (wrap_strikes(FAULTS_CALLS, "reallocarray")) {
        errno = ENOMEM;
        return NULL;
    }
    dead(pointer);
    return born(__real_reallocarray(pointer, count, size));
}

/* Where it fails *TEXT_OUT is undefined (asprintf(3)). */
static int __attribute__((format(printf, 2, 0)))
print(char **text_out, const char *format, va_list arguments)
{
    int length = -1;

    if (wrap_strikes(FAULTS_CALLS, "asprintf")) {
        *text_out = (char *)UINTPTR_MAX;
        return -1;
    }
    length = vasprintf(text_out, format, arguments);
    if (length >= 0) {
        (void)born(*text_out);
    }
    return length;
}

int __wrap_asprintf(char **text_out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int
__wrap_asprintf(char **text_out, const char *format, ...)
{
    va_list arguments;
    int length = 0;

    va_start(arguments, format);
    length = print(text_out, format, arguments);
    va_end(arguments);
    return length;
}

int __wrap___asprintf_chk(char **text_out, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int
__wrap___asprintf_chk(char **text_out, int flag, const char *format, ...)
{
    va_list arguments;
    int length = 0;

    (void)flag;
    va_start(arguments, format);
    length = print(text_out, format, arguments);
    va_end(arguments);
    return length;
}

REAL(void, free, (void *pointer));
void
__wrap_free(void *pointer)
{
    dead(pointer);
    __real_free(pointer);
}

REAL(void *, mmap, (void *, size_t, int, int, int, off_t));
void *
__wrap_mmap(void *at, size_t size, int protection, int flags, int fd,
            off_t offset)
{
    void *pages = MAP_FAILED;

    if (wrap_strikes(FAULTS_CALLS, "mmap")) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    pages = __real_mmap(at, size, protection, flags, fd, offset);
    return pages == MAP_FAILED ? pages : born(pages);
}

REAL(int, munmap, (void *pages, size_t size));
int
__wrap_munmap(void *pages, size_t size)
{
    dead(pages);
    return __real_munmap(pages, size);
}

/* Files. */

/* The mode behind FLAGS, where there is one (open(2)). */
#define MODE_BEHIND(flags, mode)                                               \
    do {                                                                       \
        va_list mode_arguments;                                                \
        va_start(mode_arguments, flags);                                       \
        if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                          \
            (mode) = va_arg(mode_arguments, mode_t);                           \
        }                                                                      \
        va_end(mode_arguments);                                                \
    } while (0)

REAL(int, open, (const char *path, int flags, ...));
int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_BEHIND(flags, mode);
    if (wrap_strikes(FAULTS_CALLS, "open")) {
        errno = EMFILE;
        return -1;
    }
    return __real_open(path, flags, mode);
}

REAL(int, openat, (int directory, const char *path, int flags, ...));
int
__wrap_openat(int directory, const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_BEHIND(flags, mode);
    if (wrap_strikes(FAULTS_CALLS, "openat")) {
        errno = EMFILE;
        return -1;
    }
    return __real_openat(directory, path, flags, mode);
}

REAL(int, close, (int fd));
int
__wrap_close(int fd)
{
    bool struck = wrap_strikes(FAULTS_FAVOURS, "close");
    int status = __real_close(fd);

    if (struck) {
        errno = EIO;
    }
    return struck ? -1 : status;
}

REAL(DIR *, opendir, (const char *path));
DIR *
__wrap_opendir(const char *path)
{
    if (wrap_strikes(FAULTS_CALLS, "opendir")) {
        errno = EMFILE;
        return NULL;
    }
    return born(__real_opendir(path));
}

REAL(DIR *, fdopendir, (int fd));
DIR *
__wrap_fdopendir(int fd)
{
    if (wrap_strikes(FAULTS_CALLS, "fdopendir")) {
        errno = ENOMEM;
        return NULL;
    }
    return born(__real_fdopendir(fd));
}

REAL(int, closedir, (DIR * directory));
int
__wrap_closedir(DIR *directory)
{
    bool struck = wrap_strikes(FAULTS_FAVOURS, "closedir");

    dead(directory);
    return __real_closedir(directory) == 0 && !struck ? 0 : -1;
}

WRAP(struct dirent *, readdir, (DIR * directory), (directory), EIO, NULL)
WRAP(int, fstat, (int fd, struct stat *status), (fd, status), EIO, -1)
WRAP(int, stat, (const char *path, struct stat *status), (path, status), EIO,
     -1)
WRAP(int, lstat, (const char *path, struct stat *status), (path, status), EIO,
     -1)
WRAP(int, fstatat,
     (int directory, const char *path, struct stat *status, int flags),
     (directory, path, status, flags), EIO, -1)
WRAP(int, access, (const char *path, int mode), (path, mode), EIO, -1)
WRAP(int, unlink, (const char *path), (path), EIO, -1)
WRAP(int, unlinkat, (int directory, const char *path, int flags),
     (directory, path, flags), EIO, -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), EIO, -1)
WRAP(int, renameat,
     (int from_directory, const char *from, int to_directory, const char *to),
     (from_directory, from, to_directory, to), EIO, -1)
WRAP(int, renameat2,
     (int from_directory, const char *from, int to_directory, const char *to,
      unsigned int flags),
     (from_directory, from, to_directory, to, flags), EIO, -1)
WRAP(ssize_t, readlink, (const char *path, char *text, size_t size),
     (path, text, size), EIO, -1)
WRAP(int, flock, (int fd, int operation), (fd, operation), ENOLCK, -1)
WRAP(FILE *, open_memstream, (char **text_out, size_t *size_out),
     (text_out, size_out), ENOMEM, NULL)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC, -1)
WRAP(int, mkdirat, (int directory, const char *path, mode_t mode),
     (directory, path, mode), ENOSPC, -1)
WRAP(int, rmdir, (const char *path), (path), EIO, -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), EIO, -1)
WRAP(int, fchmodat, (int directory, const char *path, mode_t mode, int flags),
     (directory, path, mode, flags), EIO, -1)
WRAP(int, chdir, (const char *path), (path), EIO, -1)
WRAP(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size),
     ENOSPC, -1)
WRAP(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size), EIO,
     -1)

WRAP(ssize_t, pread, (int fd, void *data, size_t size, off_t at),
     (fd, data, size, at), EIO, -1)

/* What open_memstream has written is whole only then. */
REAL(int, fclose, (FILE * stream));
int
__wrap_fclose(FILE *stream)
{
    bool struck = wrap_strikes(FAULTS_CALLS, "fclose");
    int status = __real_fclose(stream);

    if (struck) {
        errno = ENOMEM;
    }
    return struck ? EOF : status;
}

/* Sockets. */

WRAP(int, poll, (struct pollfd * fds, nfds_t count, int limit_ms),
     (fds, count, limit_ms), ENOMEM, -1)
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), EMFILE, -1)
WRAP(int, socketpair, (int family, int type, int protocol, int fds[2]),
     (family, type, protocol, fds), EMFILE, -1)

REAL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags));
ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t sent = -1;

    if (wrap_strikes(FAULTS_CALLS, "sendmsg")) {
        errno = ENOBUFS;
        return -1;
    }
    (void)wrap_strikes(FAULTS_MESSAGES, "before send");
    sent = __real_sendmsg(fd, message, flags);
    (void)wrap_strikes(FAULTS_MESSAGES, "behind send");
    return sent;
}

REAL(ssize_t, recv, (int fd, void *data, size_t size, int flags));
ssize_t
__wrap_recv(int fd, void *data, size_t size, int flags)
{
    ssize_t got = -1;

    if (wrap_strikes(FAULTS_CALLS, "recv")) {
        errno = ENOMEM;
        return -1;
    }
    got = __real_recv(fd, data, size, flags);
    if (got > 0) {
        (void)wrap_strikes(FAULTS_MESSAGES, "behind recv");
    }
    return got;
}

/* Processes and their rights. */

/* SIGKILL for this process when the plan says so, if it is the first. */
static void
set_end(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGKILL};
    uint64_t after_ns = page->plan.kill_after_ns;
    const struct itimerspec limit = {
        .it_value = {.tv_sec = (time_t)(after_ns / 1000000000),
                     .tv_nsec = (long)(after_ns % 1000000000)},
    };
    timer_t timer;

    /* Who cleans up behind the first shall live. */
    if (page->armed && page->plan.side == side && after_ns > 0 &&
        atomic_fetch_add(&page->timers, 1) == 0) {
        (void)timer_create(CLOCK_MONOTONIC, &event, &timer);
        (void)timer_settime(timer, 0, &limit, NULL);
    }
}

REAL(pid_t, fork, (void));
pid_t
__wrap_fork(void)
{
    pid_t pid = -1;

    if (wrap_strikes(FAULTS_CALLS, "fork")) {
        errno = EAGAIN;
        return -1;
    }
    pid = __real_fork();
    if (pid == 0 && page != NULL) {
        side = FAULTS_EXCHANGE;
        publish();
        set_end();
    }
    return pid;
}

/* A signal that says that the helper is broken, as its parent learns it. */
static void
note_death(int signal)
{
    if (page != NULL && signal != SIGKILL && signal != 0) {
        page->crashes++;
        page->signal = signal;
    }
}

/* Who is struck finds that somebody else has reaped the child. */
REAL(pid_t, waitpid, (pid_t pid, int *status, int options));
pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
    bool struck = wrap_strikes(FAULTS_CALLS, "waitpid");
    int found = 0;
    pid_t reaped = __real_waitpid(pid, &found, options);

    if (reaped > 0 && WIFSIGNALED(found)) {
        note_death(WTERMSIG(found));
    }
    if (reaped > 0 && status != NULL) {
        *status = found;
    }
    if (struck) {
        errno = ECHILD;
    }
    return struck ? -1 : reaped;
}

REAL(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options));
int
__wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    bool struck = wrap_strikes(FAULTS_CALLS, "waitid");
    int status = 0;

    info->si_pid = 0;
    status = __real_waitid(type, id, info, options);
    if (status == 0 && info->si_pid != 0 &&
        (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED)) {
        note_death(info->si_status);
    }
    if (struck) {
        errno = ECHILD;
    }
    return struck ? -1 : status;
}

REAL(int, prctl, (int option, ...));
int
__wrap_prctl(int option, ...)
{
    unsigned long values[4];
    va_list arguments;

    va_start(arguments, option);
    for (size_t i = 0; i < 4; i++) {
        values[i] = va_arg(arguments, unsigned long);
    }
    va_end(arguments);
    if (wrap_strikes(FAULTS_CALLS, "prctl")) {
        errno = EINVAL;
        return -1;
    }
    return __real_prctl(option, values[0], values[1], values[2], values[3]);
}

/* errno of system call NUMBER where it fails. */
static int
error_of(long number)
{
    switch (number) {
    case SYS_pidfd_open:
        return EMFILE;
    case SYS_pidfd_send_signal:
        return EPERM;
    case SYS_add_key:
        return EDQUOT;
    default:
        return ENOMEM;
    }
}

REAL(long, syscall, (long number, ...));
/* Reads six, as syscall(2) itself does, also where the caller gave fewer. */
__attribute__((no_sanitize("address"))) long
__wrap_syscall(long number, ...)
{
    long values[6];
    va_list arguments;

    va_start(arguments, number);
    for (size_t i = 0; i < 6; i++) {
        values[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    if (wrap_strikes(FAULTS_CALLS, "syscall")) {
        errno = error_of(number);
        return -1;
    }
    return __real_syscall(number, values[0], values[1], values[2], values[3],
                          values[4], values[5]);
}

WRAP(int, posix_spawn,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *files,
      const posix_spawnattr_t *attributes, char *const arguments[],
      char *const environment[]),
     (pid, path, files, attributes, arguments, environment), 0, EAGAIN)
WRAP(int, posix_spawn_file_actions_init, (posix_spawn_file_actions_t * files),
     (files), 0, ENOMEM)
WRAP(int, posix_spawn_file_actions_adddup2,
     (posix_spawn_file_actions_t * files, int from, int to), (files, from, to),
     0, ENOMEM)
WRAP(int, posix_spawn_file_actions_addopen,
     (posix_spawn_file_actions_t * files, int fd, const char *path, int flags,
      mode_t mode),
     (files, fd, path, flags, mode), 0, ENOMEM)
WRAP(int, posix_spawn_file_actions_addclosefrom_np,
     (posix_spawn_file_actions_t * files, int fd), (files, fd), 0, ENOMEM)
WRAP(int, posix_spawn_file_actions_addchdir_np,
     (posix_spawn_file_actions_t * files, const char *path), (files, path), 0,
     ENOMEM)
WRAP(int, posix_spawnattr_init, (posix_spawnattr_t * attributes), (attributes),
     0, ENOMEM)
WRAP(int, posix_spawnattr_setflags,
     (posix_spawnattr_t * attributes, short flags), (attributes, flags), 0,
     EINVAL)
WRAP(int, posix_spawnattr_setsigdefault,
     (posix_spawnattr_t * attributes, const sigset_t *set), (attributes, set),
     0, EINVAL)
WRAP(int, posix_spawnattr_setsigmask,
     (posix_spawnattr_t * attributes, const sigset_t *set), (attributes, set),
     0, EINVAL)
WRAP(int, pthread_attr_init, (pthread_attr_t * attributes), (attributes), 0,
     ENOMEM)
WRAP(int, pthread_attr_setsigmask_np,
     (pthread_attr_t * attributes, const sigset_t *set), (attributes, set), 0,
     ENOMEM)
WRAP(int, pthread_attr_setstacksize, (pthread_attr_t * attributes, size_t size),
     (attributes, size), 0, EINVAL)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes,
      void *(*function)(void *data), void *data),
     (thread, attributes, function, data), 0, EAGAIN)
WRAP(int, sched_getcpu, (void), (), ENOSYS, -1)
WRAP(int, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set),
     (pid, size, set), EINVAL, -1)
WRAP(int, sched_setaffinity, (pid_t pid, size_t size, const cpu_set_t *set),
     (pid, size, set), EINVAL, -1)
WRAP(int, nanosleep, (const struct timespec *time, struct timespec *left),
     (time, left), EINTR, -1)
WRAP(ssize_t, getrandom, (void *data, size_t size, unsigned int flags),
     (data, size, flags), ENOSYS, -1)
WRAP(int, setgroups, (size_t count, const gid_t *groups), (count, groups),
     ENOMEM, -1)
WRAP(int, getgrouplist,
     (const char *user, gid_t gid, gid_t *groups, int *count),
     (user, gid, groups, count), ENOMEM, -1)
WRAP(int, initgroups, (const char *user, gid_t gid), (user, gid), ENOMEM, -1)
WRAP(int, setresuid, (uid_t real, uid_t effective, uid_t saved),
     (real, effective, saved), EAGAIN, -1)
WRAP(int, setresgid, (gid_t real, gid_t effective, gid_t saved),
     (real, effective, saved), EPERM, -1)
WRAP(int, setrlimit, (__rlimit_resource_t resource, const struct rlimit *limit),
     (resource, limit), EPERM, -1)
WRAP(int, getrlimit, (__rlimit_resource_t resource, struct rlimit *limit),
     (resource, limit), EINVAL, -1)
WRAP(int, sigaction,
     (int signal, const struct sigaction *action, struct sigaction *old),
     (signal, action, old), EINVAL, -1)
WRAP(int, getpwnam_r,
     (const char *name, struct passwd *entry, char *buffer, size_t size,
      struct passwd **found),
     (name, entry, buffer, size, found), ENOMEM, (*found = NULL, ENOMEM))

/* Favours: a small RLIMIT_MEMLOCK fails no login. */

#define WRAP_FAVOUR(name, parameters, arguments, error)                        \
    REAL(int, name, parameters);                                               \
    int __wrap_##name parameters                                               \
    {                                                                          \
        if (wrap_strikes(FAULTS_FAVOURS, #name)) {                             \
            errno = (error);                                                   \
            return -1;                                                         \
        }                                                                      \
        return __real_##name arguments;                                        \
    }

WRAP_FAVOUR(mlock, (const void *pages, size_t size), (pages, size), ENOMEM)
WRAP_FAVOUR(madvise, (void *pages, size_t size, int advice),
            (pages, size, advice), EAGAIN)

/* The beginning and the end of module or helper. */

#ifdef WRAP_MODULE

/* libpam's calls that allocate or ask NSS; the helper has no libpam. */
WRAP(int, pam_set_data,
     (pam_handle_t * handle, const char *name, void *data,
      void (*cleanup)(pam_handle_t *, void *, int)),
     (handle, name, data, cleanup), 0, PAM_BUF_ERR)
WRAP(int, pam_set_item, (pam_handle_t * handle, int type, const void *item),
     (handle, type, item), 0, PAM_BUF_ERR)

/* Taking a variable away needs no memory. */
REAL(int, pam_putenv, (pam_handle_t * handle, const char *setting));
int
__wrap_pam_putenv(pam_handle_t *handle, const char *setting)
{
    if (strchr(setting, '=') != NULL &&
        wrap_strikes(FAULTS_CALLS, "pam_putenv")) {
        return PAM_BUF_ERR;
    }
    return __real_pam_putenv(handle, setting);
}

WRAP(struct passwd *, pam_modutil_getpwnam,
     (pam_handle_t * handle, const char *user), (handle, user), ENOMEM, NULL)

#else

/* Whether CALL is in this program and not in a library. */
static bool
is_ours(const void *call, const Dl_info *info)
{
    Dl_info self = {0};

    return dladdr((const void *)(uintptr_t)&wrap_site, &self) != 0 &&
           call != NULL && info->dli_fbase == self.dli_fbase;
}

/* The words for CALL, in TEXT of SIZE bytes; how many they are. */
static size_t
describe(char *text, size_t size, const void *call, const Dl_info *info)
{
    const char *file = info->dli_fname == NULL ? "?" : info->dli_fname;
    const char *slash = strrchr(file, '/');
    int length = snprintf(
        text, size, " %s+%#lx(%s)", slash == NULL ? file : slash + 1,
        (unsigned long)((const char *)call - (const char *)info->dli_fbase),
        info->dli_sname == NULL ? "" : info->dli_sname);

    return length < 0 || (size_t)length >= size ? size : (size_t)length;
}

#define CALLS_MAX 40

uintptr_t
wrap_site(void)
{
    void *calls[CALLS_MAX];
    int count = backtrace(calls, CALLS_MAX);
    bool was_out = false;

    for (int i = 0; i < count; i++) {
        Dl_info info = {0};
        bool is_inside =
            dladdr(calls[i], &info) != 0 && is_ours(calls[i], &info);

        if (is_inside && was_out) {
            return (uintptr_t)calls[i] - (uintptr_t)info.dli_fbase;
        }
        was_out = was_out || !is_inside;
    }
    return 0;
}

/* The calls that have led here, in words. */
static void
write_calls(char *text, size_t size)
{
    void *calls[CALLS_MAX];
    int count = backtrace(calls, CALLS_MAX);
    size_t length = 0;

    for (int i = 0; i < count; i++) {
        Dl_info info = {0};

        (void)dladdr(calls[i], &info);
        length += describe(text + length, size - length, calls[i], &info);
    }
}

void
wrap_note_hit(void)
{
    page->hit_site = wrap_site();
    write_calls(page->hit_calls, sizeof(page->hit_calls));
}

/*
 * The default action follows: the process dies of it.  What is called here is
 * not what a signal handler should call; it works, or the process dies.
 */
static void
note_crash(int signal)
{
    page->crashes++;
    page->signal = signal;
    page->crash_site = wrap_site();
    write_calls(page->crash_calls, sizeof(page->crash_calls));
}

/* Also those of the exchange, whose parent may be gone. */
static void
watch_for_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    struct sigaction action = {.sa_handler = note_crash,
                               .sa_flags = (int)SA_RESETHAND};

    /* The first of all finds its library, which must not be later. */
    (void)wrap_site();
    /* A sanitizer has handlers of its own and writes a report. */
    for (size_t i = 0; !IS_SANITIZED && i < 5; i++) {
        (void)__real_sigaction(signals[i], &action, NULL);
    }
}

static void __attribute__((destructor)) end_well(void)
{
    if (page != NULL && side == FAULTS_HELPER) {
        /* They are kept for the next message, and are nobody's loss. */
        bytes_drop_spares();
        page->leaked += live_count;
    }
}

#endif

static void __attribute__((constructor)) begin(void)
{
    int fd = __real_open(FAULTS_FILE, O_RDWR | O_CLOEXEC);
    void *mapped = MAP_FAILED;

    if (fd < 0) {
        return;
    }
    mapped = __real_mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
                         MAP_SHARED, fd, 0);
    (void)__real_close(fd);
    if (mapped == MAP_FAILED) {
        return;
    }
    page = mapped;
    publish();
#ifndef WRAP_MODULE
    watch_for_crashes();
    set_end();
#endif
}

#ifdef WRAP_MODULE
/* The module can go while the host stays. */
static void __attribute__((destructor)) end(void)
{
    if (page != NULL) {
        (void)__real_munmap(page, sizeof(*page));
    }
}
#endif
