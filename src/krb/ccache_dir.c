/*
 * DIR caches: a directory of the user's whose files "tkt..." are the caches,
 * each replaced as a FILE is.  "DIR:/path" is the collection, "DIR::/path/tkt"
 * a member.  Like libkrb5 this makes the directory where only that is missing;
 * unlike libkrb5 it goes into no directory that others can write to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "krb/ccache_kind.h"

/* What the names of a collection's caches begin with. */
#define MEMBER_PREFIX "tkt"

/* So much of the name of the primary libkrb5 reads, its newline included. */
#define PRIMARY_MAX 63

static bool
dir_is_collection(const char *name)
{
    return strncmp(name, "DIR::", 5) != 0;
}

/* The directory of NAME into PATH, "" where it is too long. */
static void
folder_of(const char *name, char path[CCACHE_NAME_MAX])
{
    const char *begin = ccache_path(name);
    const char *slash = strrchr(begin, '/');
    size_t length = dir_is_collection(name) || slash == NULL
                        ? strlen(begin)
                        : (size_t)(slash - begin);

    if (length >= CCACHE_NAME_MAX) {
        length = 0;
    }
    /* "link/" is where the link leads, for lstat too. */
    while (length > 1 && begin[length - 1] == '/') {
        length--;
    }
    memcpy(path, begin, length);
    path[length] = '\0';
}

/* Whether the directory PATH is the user's alone, or not there. */
static enum outcome
check_folder(struct krb *krb, const char *path)
{
    struct stat status;
    const char *fault = NULL;

    if (lstat(path, &status) < 0) {
        return errno == ENOENT
                   ? OUTCOME_SUCCESS
                   : ccache_refuse_errno(krb, OUTCOME_CACHE_UNREADABLE, path,
                                         errno);
    }
    if (!S_ISDIR(status.st_mode)) {
        fault = "is not a directory";
    } else if (status.st_uid != geteuid()) {
        fault = "belongs to another user";
    } else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        fault = "can be written by others";
    }
    return fault == NULL ? OUTCOME_SUCCESS
                         : krb_refuse(krb, OUTCOME_CACHE_UNREADABLE, "%s: %s",
                                      path, fault);
}

/* libkrb5 opens the file that names the primary, whatever it is. */
static enum outcome
check_primary(struct krb *krb, const char *folder)
{
    char path[CCACHE_NAME_MAX + sizeof("/primary")];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/primary", folder);
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE,
                          "%s: is not a regular file", path);
    }
    return OUTCOME_SUCCESS;
}

static enum outcome
dir_check(struct krb *krb, const char *name)
{
    const char *slash = strrchr(name, '/');
    char folder[CCACHE_NAME_MAX];
    enum outcome outcome = OUTCOME_SUCCESS;

    folder_of(name, folder);
    if (*folder != '/') {
        return krb_refuse(krb, OUTCOME_CACHE_KIND, "%s: not an absolute path",
                          name);
    }
    if (!dir_is_collection(name) &&
        strncmp(slash + 1, MEMBER_PREFIX, strlen(MEMBER_PREFIX)) != 0) {
        return krb_refuse(krb, OUTCOME_CACHE_KIND,
                          "%s: the name of a file in a DIR begins with "
                          "\"" MEMBER_PREFIX "\"",
                          name);
    }
    outcome = check_folder(krb, folder);
    return outcome == OUTCOME_SUCCESS ? check_primary(krb, folder) : outcome;
}

static void
dir_collection(const char *name, char collection[CCACHE_NAME_MAX])
{
    char folder[CCACHE_NAME_MAX];
    int length = 0;

    folder_of(name, folder);
    length = snprintf(collection, CCACHE_NAME_MAX, "DIR:%s", folder);
    if (length >= CCACHE_NAME_MAX) {
        *collection = '\0';
    }
}

static void
dir_pattern(const char *name, char pattern[CCACHE_NAME_MAX])
{
    char folder[CCACHE_NAME_MAX];
    int length = 0;

    folder_of(name, folder);
    length = snprintf(pattern, CCACHE_NAME_MAX,
                      "DIR::%s/" MEMBER_PREFIX CCACHE_RANDOM, folder);
    if (length >= CCACHE_NAME_MAX) {
        *pattern = '\0';
    }
}

/* The first line of the file PATH into LINE; -errno, -EINVAL for no line. */
static int
read_line(const char *path, char line[PRIMARY_MAX + 1])
{
    int fd =
        open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    ssize_t length = fd < 0 ? -1 : read(fd, line, PRIMARY_MAX);
    int status = length < 0 ? -errno : 0;
    char *end = NULL;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (status < 0) {
        return status;
    }
    line[length] = '\0';
    end = strchr(line, '\n');
    if (end == NULL) {
        return -EINVAL;
    }
    *end = '\0';
    return 0;
}

/*
 * Read here: to libkrb5 a file that it cannot open is one that is missing, and
 * what it finds missing it writes, in a directory that it makes.
 */
static enum outcome
dir_primary(struct krb *krb, const char *collection, char **name_out)
{
    char folder[CCACHE_NAME_MAX];
    char path[CCACHE_NAME_MAX + sizeof("/primary")];
    char name[CCACHE_NAME_MAX + PRIMARY_MAX + sizeof("DIR::/")];
    char line[PRIMARY_MAX + 1] = MEMBER_PREFIX;
    int status = 0;

    folder_of(collection, folder);
    (void)snprintf(path, sizeof(path), "%s/primary", folder);
    status = read_line(path, line);
    if (status == -ENOENT) {
        (void)snprintf(line, sizeof(line), MEMBER_PREFIX);
    } else if (status < 0 && status != -EINVAL) {
        return ccache_refuse_errno(krb, OUTCOME_CACHE_UNREADABLE, path,
                                   -status);
    } else if (status == -EINVAL || strchr(line, '/') != NULL ||
               strncmp(line, MEMBER_PREFIX, strlen(MEMBER_PREFIX)) != 0) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE,
                          "%s: does not name a cache", path);
    }
    (void)snprintf(name, sizeof(name), "DIR::%s/%s", folder, line);
    return ccache_copy_name(krb, name, name_out);
}

/* Makes the directory where it is not there. */
static enum outcome
make_folder(struct krb *krb, const char *name)
{
    char folder[CCACHE_NAME_MAX];

    folder_of(name, folder);
    if (mkdir(folder, 0700) == 0 || errno == EEXIST) {
        return dir_check(krb, name);
    }
    return ccache_refuse_errno(krb, OUTCOME_CACHE_UNWRITABLE, folder, errno);
}

static enum outcome
dir_claim(struct krb *krb, const char *name)
{
    enum outcome outcome = make_folder(krb, name);

    return outcome == OUTCOME_SUCCESS ? ccache_file_claim(krb, name) : outcome;
}

/* What krb5_cc_switch leaves beside the file that names the primary. */
static void
sweep_primary(struct krb *krb, const char *name)
{
    char folder[CCACHE_NAME_MAX];
    char path[CCACHE_NAME_MAX + sizeof("/primary")];

    folder_of(name, folder);
    (void)snprintf(path, sizeof(path), "%s/primary", folder);
    /* A younger one may be another's, who is about to rename it. */
    ccache_file_sweep(path, krb->call_limit_s);
}

static enum outcome
dir_replace(struct krb *krb, const char *name,
            const struct ccache_change *change)
{
    enum outcome outcome = make_folder(krb, name);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = ccache_file_replace(krb, name, change);
    }
    if (outcome == OUTCOME_SUCCESS) {
        sweep_primary(krb, name);
    }
    return outcome;
}

static enum outcome
dir_destroy(struct krb *krb, const char *name)
{
    enum outcome outcome = ccache_file_destroy(krb, name);

    sweep_primary(krb, name);
    return outcome;
}

const struct ccache_kind ccache_kind_dir = {
    .prefix = "DIR",
    .check = dir_check,
    .collection = dir_collection,
    .is_collection = dir_is_collection,
    .primary = dir_primary,
    .pattern = dir_pattern,
    .is_of_session = ccache_file_is_of_session,
    .claim = dir_claim,
    .unclaim = ccache_file_unclaim,
    .inspect = ccache_file_inspect,
    .replace = dir_replace,
    .destroy = dir_destroy,
};
