/* Reading a .k5login as its user. */
#include "helper/k5login.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "krb/names.h"

/* Copies the file at PATH to TO, if it is as it should be. */
static void
copy(const char *path, uid_t owner, int to)
{
    char buffer[4096];
    struct stat status;
    ssize_t length = 0;
    /* Nonblocking: it may be a fifo. */
    int from = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (from < 0 || fstat(from, &status) < 0 || !S_ISREG(status.st_mode) ||
        (status.st_uid != owner && status.st_uid != 0) ||
        status.st_size > K5LOGIN_MAX) {
        return;
    }
    do {
        length = read(from, buffer, sizeof(buffer));
    } while (length > 0 && write(to, buffer, (size_t)length) == length);
}

/* The child's whole life. */
static void
live_as_reader(const struct helper *helper, pid_t judge, const char *path,
               int to)
{
    const struct request *request = &helper->request;

    helper_close_lines(helper);
    if (identity_become_user(request->user, request->uid, request->gid) ==
            OUTCOME_SUCCESS &&
        identity_end_with(judge)) {
        copy(path, request->uid, to);
    }
    _exit(0);
}

/* All that comes from FD, with a NUL behind it; NULL: nothing. */
static char *
read_all(int fd)
{
    char *text = malloc(K5LOGIN_MAX + 1);
    size_t length = 0;

    while (text != NULL && length < K5LOGIN_MAX) {
        ssize_t got = read(fd, text + length, K5LOGIN_MAX - length);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
    }
    if (text == NULL || length == 0) {
        free(text);
        return NULL;
    }
    text[length] = '\0';
    return text;
}

/* Has a child read PATH. */
static char *
read_in_child(const struct helper *helper, const char *path)
{
    int fds[2] = {-1, -1};
    char *text = NULL;
    pid_t judge = getpid();
    pid_t child = -1;

    if (pipe2(fds, O_CLOEXEC) < 0) {
        return NULL;
    }
    child = fork();
    if (child == 0) {
        (void)close(fds[0]);
        live_as_reader(helper, judge, path, fds[1]);
    }
    (void)close(fds[1]);
    if (child > 0) {
        /* Our timer bounds what a home that does not answer may cost. */
        text = read_all(fds[0]);
        (void)close(fds[0]);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
        return text;
    }
    (void)close(fds[0]);
    return NULL;
}

char *
k5login_read(struct helper *helper, struct krb *krb)
{
    struct identity_user user = {0};
    char *path = NULL;
    char *text = NULL;

    if (!helper->request.has_account ||
        !identity_find_user(helper->request.user, &user)) {
        return NULL;
    }
    path = names_k5login_path(krb, helper->request.user, user.home);
    if (path != NULL) {
        text = read_in_child(helper, path);
    }
    free(path);
    return text;
}
