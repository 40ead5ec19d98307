/* Starting the helper with posix_spawn(3): the host is never forked. */
#include "client/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/safefs.h"

/* Where the helper expects its socket (helper/main.c). */
#define HELPER_FD 3

/* The variables that libkrb5 looks at and that are passed on. */
static const char *const passed[] = {
    "KRB5_CONFIG",      "KRB5_KTNAME",    "KRB5_TRACE",
    "KRB5_KDC_PROFILE", "KRB5RCACHENAME", "KRB5_CLIENT_KTNAME",
};

#define PASSED_COUNT (sizeof(passed) / sizeof(passed[0]))

/*
 * Calls are bound when the helper starts (ld.so(8)): one by one they would be
 * bound behind the password, hundreds in all.  The plugins of libkrb5 and of
 * NSS are opened with RTLD_NOW anyway; what these open lazily themselves must
 * be whole now, too.
 */
static char bind_now[] = "LD_BIND_NOW=1";

/* bind_now, "NAME=value" texts that are owned, and the NULL behind them. */
struct environment {
    char *list[PASSED_COUNT + 2];
};

/* Whether libkrb5 would honour the environment in this process. */
static bool
honours_environment(void)
{
    uid_t uid = 0;
    uid_t effective_uid = 0;
    uid_t saved_uid = 0;
    gid_t gid = 0;
    gid_t effective_gid = 0;
    gid_t saved_gid = 0;

    return getauxval(AT_SECURE) == 0 &&
           getresuid(&uid, &effective_uid, &saved_uid) == 0 &&
           getresgid(&gid, &effective_gid, &saved_gid) == 0 &&
           uid == effective_uid && uid == saved_uid && gid == effective_gid &&
           gid == saved_gid;
}

static void
environment_free(struct environment *environment)
{
    for (size_t i = 1; i <= PASSED_COUNT; i++) {
        free(environment->list[i]);
    }
}

static int
environment_make(struct environment *environment)
{
    size_t count = 1;

    *environment = (struct environment){.list = {bind_now}};
    if (!honours_environment()) {
        return 0;
    }
    for (size_t i = 0; i < PASSED_COUNT; i++) {
        const char *value = getenv(passed[i]);

        if (value != NULL) {
            if (asprintf(&environment->list[count], "%s=%s", passed[i], value) <
                0) {
                environment->list[count] = NULL;
                environment_free(environment);
                return -ENOMEM;
            }
            count++;
        }
    }
    return 0;
}

/* Positive errors as posix_spawn's functions return them. */
static int
prepare_files(posix_spawn_file_actions_t *files, int fd)
{
    int error = posix_spawn_file_actions_adddup2(files, fd, HELPER_FD);

    if (error == 0) {
        error =
            posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDWR, 0);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(files, 0, 1);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(files, 0, 2);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_addclosefrom_np(files, HELPER_FD + 1);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_addchdir_np(files, "/");
    }
    return error;
}

static int
prepare_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all;
    sigset_t none;
    int error = 0;

    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
                                                     POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETSIGMASK);
    if (error == 0) {
        error = posix_spawnattr_setsigdefault(attributes, &all);
    }
    if (error == 0) {
        error = posix_spawnattr_setsigmask(attributes, &none);
    }
    return error;
}

/* The spawn itself, with FD as the child's descriptor 3. */
static int
spawn_prepared(const char *path, struct environment *environment, int fd,
               pid_t *pid_out)
{
    char name[] = "krb5cc-helper";
    char *const arguments[] = {name, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);

    if (error != 0) {
        return -error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return -error;
    }
    error = prepare_files(&files, fd);
    if (error == 0) {
        error = prepare_attributes(&attributes);
    }
    if (error == 0) {
        error = posix_spawn(pid_out, path, &files, &attributes, arguments,
                            environment->list);
    }
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    return -error;
}

int
spawn(const char *path, pid_t *pid_out, int *fd_out, size_t *at_out)
{
    struct environment environment = {{NULL}};
    int fds[2] = {-1, -1};
    int status = safefs_check_program(path, geteuid(), at_out);

    *pid_out = -1;
    *fd_out = -1;
    if (status == 0) {
        status = environment_make(&environment);
    }
    if (status < 0) {
        return status;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        status = -errno;
    } else {
        status = spawn_prepared(path, &environment, fds[1], pid_out);
        (void)close(fds[1]);
        if (status < 0) {
            (void)close(fds[0]);
        } else {
            *fd_out = fds[0];
        }
    }
    environment_free(&environment);
    return status;
}
