/* Judging a path component by component. */
#include "base/safefs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_trusted(const struct stat *status, uid_t owner)
{
    if (status->st_uid != 0 && status->st_uid != owner) {
        return false;
    }
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) == 0) {
        return true;
    }
    return S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;
}

/* 0 where what FD is open on may be on the way to a program of OWNER's. */
static int
judge(int fd, uid_t owner, bool last)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return -errno;
    }
    if (S_ISLNK(status.st_mode)) {
        return -ELOOP;
    }
    if (last && S_ISDIR(status.st_mode)) {
        return -EISDIR;
    }
    if (last ? !S_ISREG(status.st_mode) : !S_ISDIR(status.st_mode)) {
        return last ? -EACCES : -ENOTDIR;
    }
    return is_trusted(&status, owner) ? 0 : -EPERM;
}

/* The component NAME of LENGTH bytes as a text.  0 or -errno. */
static int
take_component(char component[NAME_MAX + 1], const char *name, size_t length)
{
    if (length > NAME_MAX) {
        return -ENAMETOOLONG;
    }
    memcpy(component, name, length);
    component[length] = '\0';
    return length == 0 || strcmp(component, ".") == 0 ||
                   strcmp(component, "..") == 0
               ? -EINVAL
               : 0;
}

/* Opens the component NAME of LENGTH bytes in DIRECTORY and closes the latter.
 */
static int
descend(int directory, const char *name, size_t length)
{
    char component[NAME_MAX + 1];
    int fd = take_component(component, name, length);

    if (fd == 0) {
        fd = openat(directory, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
    }
    (void)close(directory);
    return fd;
}

/* What an open directory must be to have OWNER's own things in it. */
static int
judge_own(int fd, uid_t owner)
{
    struct stat status;
    int judged = judge(fd, owner, false);

    if (judged == 0 && fstat(fd, &status) < 0) {
        judged = -errno;
    }
    return judged == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? -EPERM
                                                                      : judged;
}

/* Opens the directory NAME of DIRECTORY; -errno. */
static int
open_component(int directory, const char *name)
{
    struct stat status;
    int fd = openat(directory, name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 || errno != ENOTDIR) {
        return fd < 0 ? -errno : fd;
    }
    /* Of a link, too, the kernel says that it is no directory. */
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                   S_ISLNK(status.st_mode)
               ? -ELOOP
               : -ENOTDIR;
}

/* Makes the directory NAME in DIRECTORY and opens it; -errno. */
static int
make_component(int directory, const char *name)
{
    int made = mkdirat(directory, name, 0700);
    int fd =
        made < 0 && errno != EEXIST ? -errno : open_component(directory, name);

    /* The process's umask may have taken something away. */
    if (fd >= 0 && made == 0 && fchmod(fd, 0700) < 0) {
        made = -errno;
        (void)close(fd);
        return made;
    }
    return fd;
}

/*
 * Gives this process's own directory NAME in DIRECTORY back to it, whose maker
 * was killed before he had undone what his umask did.  For that it takes no
 * capability.
 */
static int
reopen_component(int directory, const char *name)
{
    struct stat status;

    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
        (status.st_mode & S_IRWXU) == S_IRWXU) {
        return -EACCES;
    }
    /* Nobody else can put a link there: DIRECTORY has been judged. */
    return fchmodat(directory, name, (status.st_mode & 07777) | S_IRWXU, 0) < 0
               ? -errno
               : open_component(directory, name);
}

int
safefs_open_directory_at(int directory, const char *name, uid_t owner,
                         enum safefs_missing missing)
{
    int fd = open_component(directory, name);
    int status = 0;

    if (fd == -EACCES) {
        fd = reopen_component(directory, name);
    }
    if (fd == -ENOENT && missing == SAFEFS_MAKE_IF_MISSING) {
        fd = make_component(directory, name);
    }
    if (fd < 0) {
        return fd;
    }
    status = judge_own(fd, owner);
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    return fd;
}

int
safefs_open_directory(const char *path, uid_t owner,
                      enum safefs_missing missing)
{
    const char *at = path + strspn(path, "/");
    size_t length = strcspn(at, "/");
    char last[NAME_MAX + 1];
    int fd = *path == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    int status = 0;

    if (fd < 0) {
        return *path == '/' ? -errno : -EINVAL;
    }
    status = judge(fd, owner, false);
    /* All but the last component. */
    while (status == 0 && at[length + strspn(at + length, "/")] != '\0') {
        fd = descend(fd, at, length);
        if (fd < 0) {
            return fd;
        }
        at += length + strspn(at + length, "/");
        length = strcspn(at, "/");
        status = judge(fd, owner, false);
    }
    if (status == 0) {
        status = take_component(last, at, length);
    }
    if (status == 0) {
        status = safefs_open_directory_at(fd, last, owner, missing);
    }
    (void)close(fd);
    return status;
}

int
safefs_check_program(const char *path, uid_t owner, size_t *at_out)
{
    const char *at = path;
    int fd = -1;
    int status = 0;

    if (at_out != NULL) {
        *at_out = 0;
    }
    if (*path != '/') {
        return -EINVAL;
    }
    fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    status = judge(fd, owner, false);
    while (status == 0) {
        size_t length = 0;

        at += strspn(at, "/");
        length = strcspn(at, "/");
        if (length == 0) {
            /* A path that ends in a slash, or "/" itself. */
            status = -EISDIR;
            break;
        }
        fd = descend(fd, at, length);
        at += length;
        if (at_out != NULL) {
            *at_out = (size_t)(at - path);
        }
        if (fd < 0) {
            return fd;
        }
        status = judge(fd, owner, *at == '\0');
        if (*at == '\0') {
            break;
        }
    }
    (void)close(fd);
    return status;
}

/* 0 where STATUS is about a file of OWNER's without the bits FORBIDDEN. */
static int
judge_file(const struct stat *status, uid_t owner, mode_t forbidden)
{
    if (S_ISLNK(status->st_mode)) {
        return -ELOOP;
    }
    if (!S_ISREG(status->st_mode)) {
        return -EINVAL;
    }
    /* It may have no name: another has been put in its place meanwhile. */
    return status->st_uid != owner || status->st_nlink > 1 ||
                   (status->st_mode & forbidden) != 0
               ? -EPERM
               : 0;
}

int
safefs_open_file_at(int directory, const char *name, uid_t owner,
                    mode_t forbidden)
{
    struct stat status;
    int fd = -1;
    int judged = fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0
                     ? -errno
                     : judge_file(&status, owner, forbidden);

    if (judged < 0) {
        return judged;
    }
    fd = openat(directory, name,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return -errno;
    }
    judged =
        fstat(fd, &status) < 0 ? -errno : judge_file(&status, owner, forbidden);
    if (judged < 0) {
        (void)close(fd);
        return judged;
    }
    return fd;
}

/* Whether a file of LENGTH bytes can be written: beyond it SIGXFSZ kills. */
static bool
may_write(size_t length)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= length);
}

static int
write_all(int fd, struct span rest)
{
    while (rest.length > 0) {
        ssize_t written = write(fd, rest.data, rest.length);

        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        if (written == 0) {
            return -EIO;
        }
        if (written > 0) {
            rest.data += written;
            rest.length -= (size_t)written;
        }
    }
    return 0;
}

int
safefs_create(int directory, const char *name, const struct span *content,
              size_t count)
{
    size_t length = 0;
    int status = 0;
    int fd = -1;

    for (size_t i = 0; i < count; i++) {
        length += content[i].length;
    }
    if (!may_write(length)) {
        return -EFBIG;
    }
    fd = openat(directory, name,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    /* The process's umask may have taken something away. */
    if (fchmod(fd, 0600) < 0) {
        status = -errno;
    }
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = write_all(fd, content[i]);
    }
    if (close(fd) < 0 && status == 0) {
        status = -errno;
    }
    if (status < 0) {
        (void)unlinkat(directory, name, 0);
    }
    return status;
}
