/*
 * FILE caches.  The user may swap what the name stands for at any moment: all
 * is done as the user, so that he only harms himself, and nothing that is not
 * a plain file of his is opened for reading or replaced.  Replacement is
 * krb5_cc_move: mkstemp and rename since krb5 1.20.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "krb/ccache_kind.h"

/* What krb5_cc_move appends to the name of its temporary file. */
#define STRAY_SUFFIX_LENGTH 7 /* .XXXXXX */

/* So many entries of a directory are looked at for strays. */
#define SWEEP_ENTRIES_MAX 20000

/* What is larger is no cache: nobody has so many tickets. */
#define FILE_SIZE_MAX ((off_t)16 << 20)

enum outcome
ccache_refuse_errno(struct krb *krb, enum outcome outcome, const char *path,
                    int error)
{
    char words[128];

    return krb_refuse(krb, outcome, "%s: %s", path,
                      strerror_r(error, words, sizeof(words)));
}

const char *
ccache_path(const char *name)
{
    const char *colon = strchr(name, ':');

    if (*name == '/' || colon == NULL) {
        return name;
    }
    return colon[1] == ':' ? colon + 2 : colon + 1;
}

enum outcome
ccache_file_claim(struct krb *krb, const char *name)
{
    const char *path = ccache_path(name);
    int fd = open(
        path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
        0600);

    if (fd < 0) {
        return ccache_refuse_errno(krb,
                                   errno == EEXIST ? OUTCOME_CACHE_TAKEN
                                                   : OUTCOME_CACHE_UNWRITABLE,
                                   path, errno);
    }
    (void)close(fd);
    return OUTCOME_SUCCESS;
}

void
ccache_file_unclaim(struct krb *krb, const char *name)
{
    (void)krb;
    (void)unlink(ccache_path(name));
}

enum outcome
ccache_file_inspect(struct krb *krb, const char *name)
{
    const char *path = ccache_path(name);
    struct stat status;

    if (lstat(path, &status) < 0) {
        return ccache_refuse_errno(krb,
                                   errno == ENOENT ? OUTCOME_CACHE_MISSING
                                                   : OUTCOME_CACHE_UNREADABLE,
                                   path, errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE, "%s: %s", path,
                          S_ISLNK(status.st_mode)   ? "is a symbolic link"
                          : S_ISDIR(status.st_mode) ? "is a directory"
                                                    : "is not a regular file");
    }
    if (status.st_uid != geteuid()) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE,
                          "%s: belongs to another user", path);
    }
    if (status.st_size > FILE_SIZE_MAX) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE,
                          "%s: is too large for a cache", path);
    }
    /* A claim whose maker was killed: an empty file is no cache yet. */
    return status.st_size == 0
               ? krb_refuse(krb, OUTCOME_CACHE_MISSING, "%s: is empty", path)
               : OUTCOME_SUCCESS;
}

bool
ccache_file_is_stray(const char *path)
{
    size_t length = strlen(path);

    if (length <= STRAY_SUFFIX_LENGTH ||
        path[length - STRAY_SUFFIX_LENGTH] != '.') {
        return false;
    }
    for (const char *at = path + length - STRAY_SUFFIX_LENGTH + 1; *at != '\0';
         at++) {
        if (!isalnum((unsigned char)*at)) {
            return false;
        }
    }
    return true;
}

/* Whether NAME is BASE with the suffix of krb5_cc_move's temporary file. */
static bool
is_stray_name(const char *name, const char *base)
{
    size_t length = strlen(base);

    return strncmp(name, base, length) == 0 &&
           strlen(name) == length + STRAY_SUFFIX_LENGTH &&
           ccache_file_is_stray(name);
}

/* Whether FD is open on a plain 0600 file of this user, old enough. */
static bool
may_be_stray(int fd, int64_t older_than_s)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & 07777) == 0600 && status.st_uid == geteuid() &&
           status.st_mtime < time(NULL) - older_than_s;
}

/*
 * Whether FD is open on what libkrb5 writes into such a file: a cache, from its
 * first byte on, or beside a DIR's primary the name of one; or nothing yet.
 */
static bool
has_content_of_stray(int fd)
{
    char begin[4] = {0};
    ssize_t length = pread(fd, begin, sizeof(begin), 0);

    return length >= 0 &&
           (length == 0 || begin[0] == 5 || strncmp(begin, "tkt", 3) == 0);
}

/* Removes NAME of DIRECTORY where it is a stray older than OLDER_THAN_S. */
static void
remove_stray(int directory, const char *name, int64_t older_than_s)
{
    int fd = openat(directory, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        return;
    }
    if (may_be_stray(fd, older_than_s) && has_content_of_stray(fd)) {
        (void)unlinkat(directory, name, 0);
    }
    (void)close(fd);
}

void
ccache_file_sweep(const char *path, int64_t older_than_s)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    DIR *directory = NULL;
    const struct dirent *entry = NULL;
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;

    if (length == 0 || length >= sizeof(folder)) {
        return;
    }
    memcpy(folder, path, length);
    folder[length] = '\0';
    directory = opendir(folder);
    if (directory == NULL) {
        return;
    }
    /* Whoever fills the directory shall not hold up everybody's logins. */
    for (int i = 0;
         i < SWEEP_ENTRIES_MAX && (entry = readdir(directory)) != NULL; i++) {
        if (is_stray_name(entry->d_name, slash + 1)) {
            remove_stray(dirfd(directory), entry->d_name, older_than_s);
        }
    }
    (void)closedir(directory);
}

/* Says why PATH could not be replaced: CODE of libkrb5, ERROR of the system. */
static enum outcome
replace_failed(struct krb *krb, const char *path, krb5_error_code code,
               int error)
{
    if (krb_failed(krb, code, path) == OUTCOME_NO_MEMORY) {
        return OUTCOME_NO_MEMORY;
    }
    /* libkrb5's own words are "I/O operation failed". */
    return error == 0 ? OUTCOME_CACHE_UNWRITABLE
                      : ccache_refuse_errno(krb, OUTCOME_CACHE_UNWRITABLE, path,
                                            error);
}

/* Whether TICKETS have one of CREDS' client for CREDS' service. */
static bool
has_like(struct krb *krb, const struct tickets *tickets,
         const krb5_creds *creds)
{
    for (size_t i = 0; i < tickets->count; i++) {
        if (krb5_principal_compare(krb->context, tickets->list[i]->server,
                                   creds->server) &&
            krb5_principal_compare(krb->context, tickets->list[i]->client,
                                   creds->client)) {
            return true;
        }
    }
    return false;
}

/* Whether OLD, an entry of the old cache, stays beside the FRESH ones. */
static bool
survives(struct krb *krb, const krb5_creds *old, const struct tickets *fresh)
{
    if (has_like(krb, fresh, old)) {
        return false;
    }
    return krb5_is_config_principal(krb->context, old->server) ||
           (int64_t)(uint32_t)old->times.endtime > (int64_t)time(NULL);
}

/* What the file shall hold: the fresh entries and the old that survive. */
static enum outcome
build(struct krb *krb, const struct ccache_change *change,
      krb5_ccache *memory_out)
{
    krb5_ccache memory = NULL;
    enum outcome outcome = tickets_to_memory(krb, change->fresh, &memory);
    krb5_error_code code = 0;

    *memory_out = NULL;
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    for (size_t i = 0; code == 0 && i < change->old->count; i++) {
        if (survives(krb, change->old->list[i], change->fresh)) {
            code =
                krb5_cc_store_cred(krb->context, memory, change->old->list[i]);
        }
    }
    if (code != 0) {
        outcome = krb_failed(krb, code, "cannot keep a service ticket");
        (void)krb5_cc_destroy(krb->context, memory);
        return outcome;
    }
    *memory_out = memory;
    return OUTCOME_SUCCESS;
}

enum outcome
ccache_file_replace(struct krb *krb, const char *name,
                    const struct ccache_change *change)
{
    const char *path = ccache_path(name);
    krb5_ccache cache = NULL;
    krb5_ccache memory = NULL;
    enum outcome outcome = build(krb, change, &memory);
    krb5_error_code code = 0;
    int error = 0;

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    code = krb5_cc_resolve(krb->context, name, &cache);
    if (code == 0) {
        errno = 0;
        code = krb5_cc_move(krb->context, memory, cache);
        error = errno;
    }
    if (code != 0) {
        (void)krb5_cc_destroy(krb->context, memory);
    }
    if (cache != NULL) {
        (void)krb5_cc_close(krb->context, cache);
    }
    if (code != 0) {
        return replace_failed(krb, path, code, error);
    }
    if (change->old->client != NULL) {
        /* A younger one may be another's, who is about to rename it. */
        ccache_file_sweep(path, krb->call_limit_s);
    }
    return OUTCOME_SUCCESS;
}

/* Takes the name away, whatever libkrb5 thinks of the content. */
static enum outcome
remove_name(struct krb *krb, const char *path)
{
    if (unlink(path) == 0) {
        return OUTCOME_SUCCESS;
    }
    return errno == ENOENT ? OUTCOME_CACHE_MISSING
                           : ccache_refuse_errno(krb, OUTCOME_CACHE_UNWRITABLE,
                                                 path, errno);
}

/* Whether PATH is there, and is no plain file of this user. */
static bool
is_something_else(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 &&
           (!S_ISREG(status.st_mode) || status.st_uid != geteuid());
}

static enum outcome
destroy_content(struct krb *krb, const char *name)
{
    const char *path = ccache_path(name);
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;
    enum outcome outcome = ccache_file_inspect(krb, name);

    if (outcome == OUTCOME_CACHE_MISSING) {
        /* Gone already, or an empty claim. */
        return remove_name(krb, path);
    }
    if (outcome == OUTCOME_CACHE_UNREADABLE && is_something_else(path)) {
        return OUTCOME_CACHE_TAKEN;
    }
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    code = krb5_cc_resolve(krb->context, name, &cache);
    if (code == 0) {
        code = krb5_cc_destroy(krb->context, cache);
    }
    return code == 0 ? OUTCOME_SUCCESS : remove_name(krb, path);
}

enum outcome
ccache_file_destroy(struct krb *krb, const char *name)
{
    enum outcome outcome = destroy_content(krb, name);

    /*
     * All of them: who renames his now would bring the cache back.  Last,
     * since somebody may have filled the directory.
     */
    ccache_file_sweep(ccache_path(name), -1);
    return outcome;
}

static enum outcome
file_check(struct krb *krb, const char *name)
{
    /* "FILE::/x" is another file to libkrb5. */
    return *ccache_path(name) == '/' && strncmp(name, "FILE::", 6) != 0
               ? OUTCOME_SUCCESS
               : krb_refuse(krb, OUTCOME_CACHE_KIND, "%s: not an absolute path",
                            name);
}

static void
file_collection(const char *name, char collection[CCACHE_NAME_MAX])
{
    (void)name;
    *collection = '\0';
}

/* A new cache is not put beside another: everybody's place is /tmp. */
static void
file_pattern(const char *name, char pattern[CCACHE_NAME_MAX])
{
    (void)name;
    (void)snprintf(pattern, CCACHE_NAME_MAX,
                   "FILE:/tmp/krb5cc_%u_" CCACHE_RANDOM,
                   (unsigned int)geteuid());
}

static bool
file_is_collection(const char *name)
{
    (void)name;
    return false;
}

bool
ccache_file_is_of_session(const char *name)
{
    char folder[64];
    size_t length = (size_t)snprintf(folder, sizeof(folder), "/run/user/%u",
                                     (unsigned int)geteuid());
    const char *path = ccache_path(name);

    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           access(folder, F_OK) < 0 && errno == ENOENT;
}

const struct ccache_kind ccache_kind_file = {
    .prefix = "FILE",
    .check = file_check,
    .collection = file_collection,
    .is_collection = file_is_collection,
    .primary = ccache_store_primary,
    .pattern = file_pattern,
    .is_of_session = ccache_file_is_of_session,
    .claim = ccache_file_claim,
    .unclaim = ccache_file_unclaim,
    .inspect = ccache_file_inspect,
    .replace = ccache_file_replace,
    .destroy = ccache_file_destroy,
};
