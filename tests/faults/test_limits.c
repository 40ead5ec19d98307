/*
 * No room: a disk without space, a key quota that is used up, a file size
 * limit that the caller has and the helper inherits.  So much room is left,
 * and a little more each time, until the call has enough: each of its writes
 * is once the first that fails.  What must be true behind it is told in
 * faults/story.c.
 *
 * (For FILE in /tmp see stack/test_bad_input.c.)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "faults/scene.h"
#include "faults/story.h"
#include "support/keys.h"

#define USER "alice"

/* More than any call needs, in steps. */
#define STEPS_MAX 100

struct limit {
    const char *name;
    struct hindrance hindrance;
    long step;
    /* Which kinds it hinders; on the others the call must succeed. */
    bool (*hinders)(const struct kind *kind);
    /* What KIND needs for it besides; NULL = nothing. */
    void (*begin)(const struct kind *kind);
    void (*end)(const struct kind *kind);
};

/*
 * A failure says its CAUSE, or what libkrb5 makes of it where it knows no
 * better.
 */
static void
check_said(struct scene *scene, const char *cause, const char *libkrb5s)
{
    MUST(scene->verdict->code == PAM_SUCCESS || stack_logged(cause) ||
             stack_logged(libkrb5s),
         "%ld left: not said that \"%s\"", scene->allowance, cause);
}

/* A file size limit. */

static bool
is_of_files(const struct kind *kind)
{
    return kind->family == KIND_FILE || kind->family == KIND_DIR;
}

static void
limit_files(struct scene *scene)
{
    struct rlimit limit;

    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0, "getrlimit");
    limit.rlim_cur = (rlim_t)scene->allowance;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
}

static void
unlimit_files(struct scene *scene)
{
    struct rlimit limit;

    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
    check_said(scene, "File too large", "I/O operation failed");
}

/* A small disk. */

static bool
is_on_disk(const struct kind *kind)
{
    return is_of_files(kind) && kind != &kinds[0];
}

/* Where KIND's directory is, or, of a DIR, what it is made in. */
static void
disk_of(const struct kind *kind, char path[512])
{
    (void)snprintf(path, 512, "%s",
                   cache_path(kinds_cache(kind, USER, "XXXXXX")));
    *strrchr(path, '/') = '\0';
    if (kind->family == KIND_DIR) {
        *strrchr(path, '/') = '\0';
    }
}

static void
mount_disk(const struct kind *kind)
{
    uid_t uid = common_uid(USER);
    char path[512];
    char options[128];

    kinds_begin(kind, USER);
    disk_of(kind, path);
    (void)snprintf(options, sizeof(options), "size=64k,mode=700,uid=%u,gid=%u",
                   (unsigned int)uid, (unsigned int)uid);
    ck_assert_msg(mount("none", path, "tmpfs", 0, options) == 0, "%s: %s", path,
                  strerror(errno));
}

static void
unmount_disk(const struct kind *kind)
{
    char path[512];

    disk_of(kind, path);
    ck_assert_msg(umount(path) == 0, "%s: %s", path, strerror(errno));
}

static void
filler_of(const struct scene *scene, char path[600])
{
    char disk[512];

    disk_of(scene->kind, disk);
    (void)snprintf(path, 600, "%s/.filler", disk);
}

/* Leaves so many blocks. */
static void
fill_disk(struct scene *scene)
{
    static const char block[4096] = {1};
    char path[600];
    off_t length = 0;
    int fd = -1;

    filler_of(scene, path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0, "%s: %s", path, strerror(errno));
    while (write(fd, block, sizeof(block)) > 0) {
        length += (off_t)sizeof(block);
    }
    MUST(errno == ENOSPC, "the disk is not full");
    length -= scene->allowance * (off_t)sizeof(block);
    MUST(ftruncate(fd, length < 0 ? 0 : length) == 0, "ftruncate");
    (void)close(fd);
}

static void
drain_disk(struct scene *scene)
{
    char path[600];

    filler_of(scene, path);
    MUST(unlink(path) == 0, "%s: %s", path, strerror(errno));
    check_said(scene, "No space left", "I/O operation failed");
}

/* The quota of keys, and that of their bytes. */

static bool
is_of_keys(const struct kind *kind)
{
    return kind->family == KIND_KEYRING;
}

static void
fill_keys(struct scene *scene)
{
    keys_settle(common_uid(USER));
    keys_fill(common_uid(USER), scene->allowance, -1);
}

static void
fill_bytes(struct scene *scene)
{
    keys_settle(common_uid(USER));
    keys_fill(common_uid(USER), -1, scene->allowance);
}

static void
drain_keys(struct scene *scene)
{
    keys_drain(common_uid(USER));
    check_said(scene, "quota", "persistent keyring");
}

static const struct limit limits[] = {
    {.name = "RLIMIT_FSIZE",
     .hindrance = {limit_files, unlimit_files},
     .step = 211,
     .hinders = is_of_files},
    {.name = "ENOSPC",
     .hindrance = {fill_disk, drain_disk},
     .step = 1,
     .hinders = is_on_disk,
     .begin = mount_disk,
     .end = unmount_disk},
    {.name = "EDQUOT, keys",
     .hindrance = {fill_keys, drain_keys},
     .step = 1,
     .hinders = is_of_keys},
    {.name = "EDQUOT, bytes",
     .hindrance = {fill_bytes, drain_keys},
     .step = 331,
     .hinders = is_of_keys},
};

#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

/* STORY with more and more room until it succeeds; how often it did not. */
static unsigned int
tell(struct scene *scene, const struct story *story, const struct limit *limit)
{
    static const struct faults_plan none = {.nth = 0};
    unsigned int failures = 0;

    scene->hindrance = &limit->hindrance;
    scene->allowance = 0;
    for (;;) {
        (void)scene_try(scene, story, &none);
        if (scene->verdict->code == PAM_SUCCESS) {
            break;
        }
        failures++;
        ck_assert_msg(failures < STEPS_MAX, "%s, %s, %s: never enough",
                      scene->kind->name, limit->name, story->name);
        scene->allowance += limit->step;
    }
    scene->hindrance = NULL;
    return failures;
}

/* All stories of KIND under LIMIT. */
static void
tell_all(const struct kind *kind, const struct limit *limit)
{
    struct scene scene;
    unsigned int failures = 0;

    if (limit->begin != NULL) {
        limit->begin(kind);
    }
    scene_begin(&scene, kind);
    for (size_t i = 0; i < stories_count; i++) {
        const struct story *story = &stories[i];

        if (!scene_has_story(&scene, story) || !story->is_of_all_kinds) {
            continue;
        }
        if (!story->needs_cache) {
            scene_let_go(&scene);
        }
        failures += tell(&scene, story, limit);
    }
    scene_end(&scene);
    if (limit->end != NULL) {
        limit->end(kind);
    }
    fprintf(stderr, "# %s: %s has made %u calls fail\n", kind->name,
            limit->name, failures);
    ck_assert_int_eq(failures > 0, limit->hinders(kind));
}

START_TEST(test_limits_leave_old_or_new)
{
    const struct kind *kind = &kinds[_i / (int)LIMIT_COUNT];
    const struct limit *limit = &limits[_i % (int)LIMIT_COUNT];
    const char *why = NULL;

    NEEDS_ROOT();
    SKIP_UNLESS(kinds_available(kind, &why), why);
    /* A disk and a quota are there only for those that they hinder. */
    if (limit == &limits[0] || limit->hinders(kind)) {
        tell_all(kind, limit);
    }
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("limits");

    scene_add_tests(suite, test_limits_leave_old_or_new, (int)LIMIT_COUNT, 300);
    return suite;
}

int
main(void)
{
    scene_install();
    return suite_main(make_suite());
}
