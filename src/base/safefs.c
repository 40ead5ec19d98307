/* Judging a path component by component. */
#include "base/safefs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
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

/* Opens the component NAME of LENGTH bytes in DIRECTORY and closes the latter.
 */
static int
descend(int directory, const char *name, size_t length)
{
    char component[NAME_MAX + 1];
    int fd = -1;

    if (length > NAME_MAX) {
        (void)close(directory);
        return -ENAMETOOLONG;
    }
    memcpy(component, name, length);
    component[length] = '\0';
    if (strcmp(component, ".") == 0 || strcmp(component, "..") == 0) {
        (void)close(directory);
        return -EINVAL;
    }
    fd = openat(directory, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        fd = -errno;
    }
    (void)close(directory);
    return fd;
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
