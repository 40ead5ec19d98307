/*
 * Canaries.  That one was read shows in its access time, which is set back when
 * it is made so that the next read moves it, whatever the mount's relatime.
 */
#include "stack/canary.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stack/common.h"

#define FOLDER "/tmp/others"
#define CONTENT_MAX 8192
#define LAST_READ_S 3600 /* ago */

struct canary {
    const char *path;
    const char *owner;
    mode_t mode;
    bool is_directory;
    bool has_tickets;
    bool may_be_linked; /* who does that changes its ctime and link count */
    struct stat status;
    size_t length;
    unsigned char content[CONTENT_MAX];
};

static struct canary canaries[] = {
    {.path = CANARY_BOBS_DIRECTORY,
     .owner = "bob",
     .mode = 0755,
     .is_directory = true},
    {.path = CANARY_ROOTS_DIRECTORY,
     .owner = "root",
     .mode = 0755,
     .is_directory = true},
    {.path = CANARY_BOBS_CACHE,
     .owner = "bob",
     .mode = 0600,
     .has_tickets = true},
    {.path = CANARY_BOBS_LINKED,
     .owner = "bob",
     .mode = 0600,
     .has_tickets = true,
     .may_be_linked = true},
    /* root's group may read it, as /etc/shadow's may. */
    {.path = CANARY_ROOTS_CACHE,
     .owner = "root",
     .mode = 0640,
     .has_tickets = true},
    {.path = CANARY_ROOTS_TEXT, .owner = "root", .mode = 0600},
};

#define CANARY_COUNT (sizeof(canaries) / sizeof(canaries[0]))

/* alice's tickets, in a file of somebody else's. */
static void
make_file(const struct canary *canary)
{
    static const int64_t lifetimes[] = {3600, 86400};
    uid_t uid = common_uid(canary->owner);
    char name[256];

    if (!canary->has_tickets) {
        common_write(canary->path, "root:secret:19000:0:::::\n", uid,
                     canary->mode);
        return;
    }
    (void)snprintf(name, sizeof(name), "FILE:%s", canary->path);
    ck_assert(cache_kinit(name, "alice", "alice-password", lifetimes, 0, 0));
    ck_assert(cache_fetch(name, "host/" CANARY_MARK, 0, 0));
    ck_assert_int_eq(chown(canary->path, uid, uid), 0);
    ck_assert_int_eq(chmod(canary->path, canary->mode), 0);
}

static void
make_directory(const struct canary *canary)
{
    uid_t uid = common_uid(canary->owner);

    ck_assert_int_eq(mkdir(canary->path, 0755), 0);
    ck_assert_int_eq(chown(canary->path, uid, uid), 0);
}

/* The content of PATH; its length, or CONTENT_MAX + 1 where it is too long. */
static size_t
read_content(const char *path, unsigned char *content)
{
    int fd = open(path, O_RDONLY | O_NOATIME | O_NOFOLLOW | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, content, CONTENT_MAX);

    if (fd >= 0) {
        (void)close(fd);
    }
    return length < 0 ? CONTENT_MAX + 1 : (size_t)length;
}

static void
remember(struct canary *canary)
{
    const struct timespec times[] = {
        {.tv_sec = time(NULL) - LAST_READ_S},
        {.tv_nsec = UTIME_OMIT},
    };

    if (!canary->is_directory) {
        ck_assert_int_eq(utimensat(AT_FDCWD, canary->path, times, 0), 0);
        canary->length = read_content(canary->path, canary->content);
        ck_assert_uint_le(canary->length, CONTENT_MAX);
    }
    ck_assert_int_eq(lstat(canary->path, &canary->status), 0);
}

void
canary_setup(void)
{
    canary_clear();
    ck_assert_int_eq(mkdir(FOLDER, 0755), 0);
    for (size_t i = 0; i < CANARY_COUNT; i++) {
        if (canaries[i].is_directory) {
            make_directory(&canaries[i]);
        } else {
            make_file(&canaries[i]);
        }
    }
    for (size_t i = 0; i < CANARY_COUNT; i++) {
        remember(&canaries[i]);
    }
}

void
canary_clear(void)
{
    if (common_exists(FOLDER)) {
        suite_remove_tree(strdup(FOLDER));
    }
}

static bool
is_same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

/* What has happened to CANARY's inode. */
static const char *
status_problem(const struct canary *canary, const struct stat *now)
{
    const struct stat *then = &canary->status;

    if (now->st_ino != then->st_ino || now->st_dev != then->st_dev) {
        return "is another file";
    }
    if (now->st_mode != then->st_mode || now->st_uid != then->st_uid ||
        now->st_gid != then->st_gid) {
        return "has another owner or mode";
    }
    if (now->st_size != then->st_size ||
        !is_same_time(&now->st_mtim, &then->st_mtim)) {
        return "was written to";
    }
    if (!canary->is_directory && !is_same_time(&now->st_atim, &then->st_atim)) {
        return "was read";
    }
    if (!canary->may_be_linked &&
        (now->st_nlink != then->st_nlink ||
         !is_same_time(&now->st_ctim, &then->st_ctim))) {
        return "was changed";
    }
    return NULL;
}

static const char *
find_problem(const struct canary *canary)
{
    unsigned char content[CONTENT_MAX];
    struct stat now;
    const char *problem = NULL;

    if (lstat(canary->path, &now) < 0) {
        return "is gone";
    }
    problem = status_problem(canary, &now);
    if (problem == NULL && !canary->is_directory &&
        (read_content(canary->path, content) != canary->length ||
         memcmp(content, canary->content, canary->length) != 0)) {
        return "has another content";
    }
    return problem;
}

const char *
canary_problem(void)
{
    static char words[256];

    for (size_t i = 0; i < CANARY_COUNT; i++) {
        const char *problem = find_problem(&canaries[i]);

        if (problem != NULL) {
            (void)snprintf(words, sizeof(words), "%s %s", canaries[i].path,
                           problem);
            return words;
        }
    }
    return NULL;
}

bool
canary_is(ino_t inode)
{
    for (size_t i = 0; i < CANARY_COUNT; i++) {
        if (canaries[i].status.st_ino == inode) {
            return true;
        }
    }
    return false;
}

ino_t
canary_linked_inode(void)
{
    struct stat status;

    ck_assert_int_eq(lstat(CANARY_BOBS_LINKED, &status), 0);
    return status.st_ino;
}
