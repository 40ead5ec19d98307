/*
 * registry/registry: records in their places.  What is written is found, what
 * is no record is reported and never followed, what fails leaves what was
 * there, and many who work on it at once are in nobody's way.
 */
#include "registry/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "registry/sample.h"
#include "support/shared.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Uids that nobody has. */
enum { HER = 54321, HIM = 54322, STRANGER = 54323 };

#define CACHE "FILE:/tmp/krb5cc_54321"
#define OTHER_CACHE "FILE:/tmp/krb5cc_54321_other"

static char *directory;
static char *state;
static char *runtime;
static struct registry registry;
static size_t descriptors;

/*
 * What a test wants done in the moment before the next flock(2), once; and
 * whether /proc can be listed.  The code that is tested calls these two.
 */
static void (*before_flock)(void);
static bool hides_proc;

int flock(int fd, int operation);
DIR *opendir(const char *name);

int
flock(int fd, int operation)
{
    void (*hook)(void) = before_flock;

    before_flock = NULL;
    if (hook != NULL) {
        hook();
    }
    return (int)syscall(SYS_flock, fd, operation);
}

DIR *
opendir(const char *name)
{
    int fd = -1;

    if (hides_proc && strcmp(name, "/proc") == 0) {
        errno = ENOMEM;
        return NULL;
    }
    fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? NULL : fdopendir(fd);
}

static void
set_up(void)
{
    directory = suite_tmpdir();
    state = suite_path(directory, "state");
    runtime = suite_path(directory, "runtime");
    registry = (struct registry){.state_dir = state, .runtime_dir = runtime};
    descriptors = sample_descriptors();
}

/* No test may leave a descriptor open. */
static void
tear_down(void)
{
    ck_assert_uint_eq(sample_descriptors(), descriptors);
    free(state);
    free(runtime);
    suite_remove_tree(directory);
}

/* Mounts of this test end with it. */
static void
own_mounts(void)
{
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

/* A file system of its own on PATH, with these OPTIONS. */
static void
mount_on(const char *path, const char *options)
{
    ck_assert_msg(mkdir(path, 0700) == 0 || errno == EEXIST, "%s", path);
    ck_assert_msg(mount("none", path, "tmpfs", 0, options) == 0, "%s: %s", path,
                  strerror(errno));
}

static void
make_read_only(const char *path)
{
    ck_assert_int_eq(
        mount("none", path, "tmpfs", MS_REMOUNT | MS_RDONLY, "mode=700"), 0);
}

/* Takes all room that is left below PATH. */
static void
fill(const char *path)
{
    char *name = suite_path(path, "filler");
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static const char bytes[4096];

    ck_assert_int_ge(fd, 0);
    while (write(fd, bytes, sizeof(bytes)) > 0) {
    }
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_int_eq(close(fd), 0);
    free(name);
}

/* "PLACE/sessions/UID/ID"; static storage. */
static const char *
path_of(const struct registry_key *key)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/sessions/%" PRId64 "/%s",
                   key->place == REGISTRY_STATE ? state : runtime, key->uid,
                   key->id);
    return path;
}

static bool
has_path(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* Joins RECORD, which is freed, and this is in the state directory. */
static struct registry_key
join(struct record record)
{
    struct registry_key key = {.uid = -2};
    int state_error = 1;

    ck_assert_int_eq(registry_join(&registry, &record, &key, &state_error), 0);
    ck_assert_int_eq(state_error, 0);
    ck_assert_int_eq(key.place, REGISTRY_STATE);
    ck_assert_int_eq(key.uid, record.uid);
    record_free(&record);
    return key;
}

/* The same, but in the runtime directory because of ERROR. */
static struct registry_key
join_at_run(struct record record, int error)
{
    struct registry_key key = {.uid = -2};
    int state_error = 1;

    ck_assert_int_eq(registry_join(&registry, &record, &key, &state_error), 0);
    ck_assert_msg(state_error == error, "%d instead of %d", state_error, error);
    ck_assert_int_eq(key.place, REGISTRY_RUNTIME);
    ck_assert(has_path(path_of(&key)));
    record_free(&record);
    return key;
}

/* A record that nothing is known of but its cache, in the state directory. */
static struct registry_key
join_simply(void)
{
    return join(sample_live(HER, CACHE));
}

/* What a visit has shown. */
struct seen {
    struct registry_key key;
    int fault;
    char cache[128];
    int64_t uid;
    bool is_bound;
};

static struct seen seen[64];
static size_t seen_count;
static size_t seen_limit;

static bool
see(void *data, const struct registry_entry *entry)
{
    struct seen *one = &seen[seen_count++];

    ck_assert_ptr_eq(data, &seen_count);
    ck_assert_uint_le(seen_count, COUNT(seen));
    ck_assert_int_eq(entry->record == NULL, entry->fault != 0);
    *one = (struct seen){.key = entry->key, .fault = entry->fault};
    if (entry->record != NULL) {
        (void)snprintf(one->cache, sizeof(one->cache), "%s",
                       entry->record->cache);
        one->uid = entry->record->uid;
        one->is_bound = entry->record->is_bound;
    }
    return seen_count != seen_limit;
}

/* Visits; what registry_visit says. */
static int
look(int64_t uid)
{
    seen_count = 0;
    return registry_visit(&registry, uid, see, &seen_count);
}

/* The only thing that UID has. */
static const struct seen *
look_at_one(int64_t uid)
{
    ck_assert_int_eq(look(uid), 0);
    ck_assert_uint_eq(seen_count, 1);
    return &seen[0];
}

/* What has been seen as ID, which must be there. */
static const struct seen *
find(const char *id)
{
    for (size_t i = 0; i < seen_count; i++) {
        if (strcmp(seen[i].key.id, id) == 0) {
            return &seen[i];
        }
    }
    ck_abort_msg("nobody has seen %s", id);
}

/* How many names a directory has, with those that begin with a dot. */
static size_t
count_names(const char *path)
{
    DIR *list = opendir(path);
    size_t count = 0;

    ck_assert_msg(list != NULL, "%s: %s", path, strerror(errno));
    while (readdir(list) != NULL) {
        count++;
    }
    ck_assert_int_eq(closedir(list), 0);
    return count - 2;
}

static void
write_file(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
    ck_assert_int_eq(fchmod(fd, 0600), 0);
    ck_assert_int_eq(close(fd), 0);
}

/* "state/sessions/UID" or "state/sessions/UID/NAME"; static storage. */
static const char *
home_of(int64_t uid, const char *name)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/sessions/%" PRId64 "%s%s", state,
                   uid, *name == '\0' ? "" : "/", name);
    return path;
}

static void
check_owned(const char *path, mode_t mode)
{
    struct stat status;

    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, mode);
    ck_assert_uint_eq(status.st_uid, 0);
}

/* Joining. */

START_TEST(test_registry_join_is_found)
{
    struct record record = sample_live(HER, CACHE);
    struct registry_key key = join(sample_live(HER, CACHE));
    const struct seen *found = look_at_one(HER);

    ck_assert_str_eq(found->key.id, key.id);
    ck_assert_int_eq(found->key.uid, HER);
    ck_assert_int_eq(found->key.place, REGISTRY_STATE);
    ck_assert_str_eq(found->cache, record.cache);
    record_free(&record);
}
END_TEST

START_TEST(test_registry_join_is_roots_alone_under_any_umask)
{
    static const mode_t umasks[] = {0, 022, 0777};

    for (size_t i = 0; i < COUNT(umasks); i++) {
        mode_t before = umask(umasks[i]);
        struct registry_key key = join_simply();
        char path[600];

        (void)umask(before);
        check_owned(path_of(&key), 0600);
        check_owned(home_of(HER, ""), 0700);
        check_owned(state, 0700);
        (void)snprintf(path, sizeof(path), "%s/sessions", state);
        check_owned(path, 0700);
        ck_assert_int_eq(registry_leave(&registry, &key), 0);
        registry_sweep(&registry);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(rmdir(state), 0);
    }
}
END_TEST

START_TEST(test_registry_join_ids_begin_with_their_cache)
{
    struct registry_key one = join_simply();
    struct registry_key two = join_simply();
    struct registry_key other = join(sample_live(HER, OTHER_CACHE));

    ck_assert_uint_eq(strlen(one.id), 33);
    ck_assert_uint_eq(strspn(one.id, "0123456789abcdef"), 16);
    ck_assert_int_eq(one.id[16], '-');
    ck_assert_int_eq(strncmp(one.id, two.id, 17), 0);
    ck_assert_str_ne(one.id, two.id);
    ck_assert_int_ne(strncmp(one.id, other.id, 17), 0);
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 3);
}
END_TEST

START_TEST(test_registry_join_in_a_state_directory_that_is_none_is_at_run)
{
    char *missing = suite_path(state, "deeper");

    registry.state_dir = missing;
    join_at_run(sample_live(HER, CACHE), -ENOENT);
    ck_assert(!has_path(state));
    registry.state_dir = "relative";
    join_at_run(sample_live(HER, CACHE), -EINVAL);
    write_file(state, "", 0);
    registry.state_dir = state;
    join_at_run(sample_live(HER, CACHE), -ENOTDIR);
    ck_assert_int_eq(look(HER), -ENOTDIR);
    ck_assert_uint_eq(seen_count, 3);
    free(missing);
}
END_TEST

START_TEST(test_registry_join_on_a_read_only_state_directory_is_at_run)
{
    struct registry_key key;

    own_mounts();
    mount_on(state, "mode=700");
    make_read_only(state);
    key = join_at_run(sample_live(HER, CACHE), -EROFS);
    ck_assert_str_eq(look_at_one(HER)->key.id, key.id);
    ck_assert_int_eq(seen[0].key.place, REGISTRY_RUNTIME);
    ck_assert_int_eq(registry_leave(&registry, &key), 0);
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 0);
    ck_assert_int_eq(umount(state), 0);
}
END_TEST

START_TEST(test_registry_join_on_a_full_disk_is_at_run_and_leaves_nothing)
{
    struct registry_key first;

    own_mounts();
    mount_on(state, "mode=700,size=64k");
    first = join_simply();
    fill(state);
    join_at_run(sample_live(HER, CACHE), -ENOSPC);
    ck_assert_uint_eq(count_names(home_of(HER, "")), 1);
    ck_assert(has_path(path_of(&first)));
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_int_eq(umount(state), 0);
}
END_TEST

START_TEST(test_registry_join_without_inodes_is_at_run)
{
    own_mounts();
    /* The root of it, and sessions: none is left for the uid. */
    mount_on(state, "mode=700,nr_inodes=3");
    join_at_run(sample_live(HER, CACHE), -ENOSPC);
    ck_assert_int_eq(umount(state), 0);
}
END_TEST

START_TEST(test_registry_join_fails_where_no_place_will_do)
{
    struct record record = sample_live(HER, CACHE);
    struct registry_key key = {.uid = -2};
    int state_error = 0;

    own_mounts();
    mount_on(state, "mode=700");
    mount_on(runtime, "mode=700,size=4k");
    make_read_only(state);
    fill(runtime);
    ck_assert_int_eq(registry_join(&registry, &record, &key, &state_error),
                     -ENOSPC);
    ck_assert_int_eq(state_error, -EROFS);
    ck_assert_int_eq(key.uid, -2);
    ck_assert_int_eq(umount(state), 0);
    ck_assert_int_eq(umount(runtime), 0);
    record_free(&record);
}
END_TEST

START_TEST(test_registry_join_below_a_limit_of_files_lives)
{
    struct record record = sample_live(HER, CACHE);
    struct registry_key key = {.uid = -2};
    struct rlimit before;
    struct rlimit limit;
    int state_error = 0;
    int status = 0;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 0;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    status = registry_join(&registry, &record, &key, &state_error);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(status, -EFBIG);
    ck_assert_int_eq(state_error, -EFBIG);
    ck_assert_uint_eq(count_names(home_of(HER, "")), 0);
    record_free(&record);
}
END_TEST

START_TEST(test_registry_join_too_long_writes_nothing)
{
    static char name[RECORD_MAX + 1];
    struct record record;
    struct registry_key key = {.uid = -2};
    int state_error = 1;

    memset(name, 'c', sizeof(name) - 1);
    record = sample_live(HER, name);
    ck_assert_int_eq(registry_join(&registry, &record, &key, &state_error),
                     -EMSGSIZE);
    ck_assert_int_eq(key.uid, -2);
    ck_assert(!has_path(state));
    ck_assert(!has_path(runtime));
    record_free(&record);
}
END_TEST

START_TEST(test_registry_join_follows_no_link_and_trusts_no_stranger)
{
    char *elsewhere = suite_path(directory, "elsewhere");
    char *sessions = suite_path(state, "sessions");
    const char *const paths[] = {state, sessions, NULL};

    ck_assert_int_eq(mkdir(elsewhere, 0700), 0);
    for (size_t i = 0; i < COUNT(paths); i++) {
        const char *path = paths[i] == NULL ? home_of(HER, "") : paths[i];
        char copy[1024];

        (void)snprintf(copy, sizeof(copy), "%s", path);
        ck_assert_int_eq(symlink(elsewhere, copy), 0);
        join_at_run(sample_live(HER, CACHE), -ELOOP);
        ck_assert_int_eq(unlink(copy), 0);
        ck_assert_int_eq(mkdir(copy, 0700), 0);
        ck_assert_int_eq(chown(copy, STRANGER, 0), 0);
        join_at_run(sample_live(HER, CACHE), -EPERM);
        ck_assert_int_eq(chown(copy, 0, 0), 0);
        ck_assert_int_eq(chmod(copy, 0770), 0);
        join_at_run(sample_live(HER, CACHE), -EPERM);
        ck_assert_int_eq(chmod(copy, 01777), 0);
        join_at_run(sample_live(HER, CACHE), -EPERM);
        ck_assert_int_eq(chmod(copy, 0700), 0);
    }
    ck_assert_uint_eq(count_names(elsewhere), 0);
    join_simply();
    /* Further up it is the same. */
    ck_assert_int_eq(chmod(directory, 0770), 0);
    ck_assert_int_eq(look(HER), -EPERM);
    ck_assert_uint_eq(seen_count, 0);
    ck_assert_int_eq(chmod(directory, 0700), 0);
    free(sessions);
    free(elsewhere);
}
END_TEST

START_TEST(test_registry_join_without_descriptors_fails)
{
    struct record record = sample_live(HER, CACHE);
    struct registry_key key = {.uid = -2};
    int state_error = 0;

    join_simply();
    for (size_t left = 0; left < 2; left++) {
        int status = 0;

        sample_descriptors_left(left);
        status = registry_join(&registry, &record, &key, &state_error);
        sample_descriptors_back();
        ck_assert_int_eq(status, -EMFILE);
        ck_assert_int_eq(state_error, -EMFILE);
    }
    ck_assert_uint_eq(count_names(home_of(HER, "")), 1);
    record_free(&record);
}
END_TEST

/* Changing. */

/* What of KEY is there: the cache's name and whether it is bound. */
static void
check_record(const struct registry_key *key, const char *cache, bool is_bound)
{
    const struct seen *found = look_at_one(key->uid);

    ck_assert_str_eq(found->key.id, key->id);
    ck_assert_int_eq(found->key.place, key->place);
    ck_assert_str_eq(found->cache, cache);
    ck_assert_int_eq(found->is_bound, is_bound);
}

static struct record
bound_record(const char *cache)
{
    struct record record = sample_live(HER, cache);

    record.is_bound = true;
    return record;
}

START_TEST(test_registry_change_is_found_under_the_same_key)
{
    struct registry_key key = join_simply();
    struct registry_key before = key;
    struct record record = bound_record(CACHE);

    ck_assert_int_eq(registry_change(&registry, &key, &record), 0);
    ck_assert_str_eq(key.id, before.id);
    check_record(&key, CACHE, true);
    check_owned(path_of(&key), 0600);
    ck_assert_uint_eq(count_names(home_of(HER, "")), 1);
    record_free(&record);
}
END_TEST

START_TEST(test_registry_change_of_the_cache_is_found_under_another_key)
{
    struct registry_key key = join_simply();
    struct registry_key before = key;
    struct record record = bound_record(OTHER_CACHE);

    ck_assert_int_eq(registry_change(&registry, &key, &record), 0);
    ck_assert_str_ne(key.id, before.id);
    check_record(&key, OTHER_CACHE, true);
    record_free(&record);
}
END_TEST

START_TEST(test_registry_change_stays_in_its_place)
{
    struct registry_key key;
    struct record record = bound_record(CACHE);

    registry.state_dir = "/missing/state";
    key = join_at_run(sample_live(HER, CACHE), -ENOENT);
    registry.state_dir = state;
    ck_assert_int_eq(registry_change(&registry, &key, &record), 0);
    ck_assert_int_eq(key.place, REGISTRY_RUNTIME);
    check_record(&key, CACHE, true);
    record_free(&record);
}
END_TEST

/* A change that fails for ERROR leaves all as it was. */
static void
check_change_fails(struct registry_key *key, const char *cache, int error)
{
    struct registry_key before = *key;
    struct record record = bound_record(cache);

    ck_assert_int_eq(registry_change(&registry, key, &record), error);
    ck_assert_str_eq(key->id, before.id);
    ck_assert_int_eq(key->place, before.place);
    check_record(key, CACHE, false);
    record_free(&record);
}

START_TEST(test_registry_change_on_a_full_disk_leaves_the_old_one)
{
    struct registry_key key;

    own_mounts();
    mount_on(state, "mode=700,size=64k");
    key = join_simply();
    fill(state);
    check_change_fails(&key, CACHE, -ENOSPC);
    check_change_fails(&key, OTHER_CACHE, -ENOSPC);
    ck_assert_uint_eq(count_names(home_of(HER, "")), 1);
    ck_assert_int_eq(umount(state), 0);
}
END_TEST

START_TEST(test_registry_change_on_a_read_only_disk_leaves_the_old_one)
{
    struct registry_key key;

    own_mounts();
    mount_on(state, "mode=700");
    key = join_simply();
    make_read_only(state);
    check_change_fails(&key, CACHE, -EROFS);
    check_change_fails(&key, OTHER_CACHE, -EROFS);
    ck_assert_int_eq(registry_leave(&registry, &key), -EROFS);
    ck_assert_int_eq(umount(state), 0);
}
END_TEST

START_TEST(test_registry_change_too_long_leaves_the_old_one)
{
    static char name[RECORD_MAX + 1];
    struct registry_key key = join_simply();

    memset(name, 'c', sizeof(name) - 1);
    check_change_fails(&key, name, -EMSGSIZE);
}
END_TEST

/* The old record cannot be removed: then there are not two. */
START_TEST(test_registry_change_that_cannot_remove_leaves_the_old_one)
{
    struct registry_key key = join_simply();
    int fd = open(path_of(&key), O_RDONLY | O_CLOEXEC);
    int flags = FS_IMMUTABLE_FL;

    ck_assert_int_ge(fd, 0);
    ck_assert_msg(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0, "no such flag: %s",
                  strerror(errno));
    check_change_fails(&key, OTHER_CACHE, -EPERM);
    flags = 0;
    ck_assert_int_eq(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_registry_change_in_a_place_that_is_none_makes_none)
{
    struct registry_key key = join_simply();
    struct record record = bound_record(CACHE);

    ck_assert_int_eq(registry_leave(&registry, &key), 0);
    registry_sweep(&registry);
    ck_assert(!has_path(home_of(HER, "")));
    ck_assert_int_eq(registry_change(&registry, &key, &record), -ENOENT);
    ck_assert(!has_path(home_of(HER, "")));
    record_free(&record);
}
END_TEST

static int
change_endlessly(void *data)
{
    struct registry_key key = *(struct registry_key *)data;
    struct record record = sample_live(HER, CACHE);

    for (;;) {
        (void)registry_change(&registry, &key, &record);
    }
    return 0;
}

/* What a killed change leaves is in no later one's way. */
START_TEST(test_registry_change_that_was_killed_is_in_nobodys_way)
{
    struct registry_key key = join_simply();
    struct record record = bound_record(CACHE);
    uint64_t dice = shared_seed("killed changes");

    for (int i = 0; i < 100; i++) {
        const struct timespec moment = {
            .tv_nsec = 100000 + 10000 * (long)shared_dice(&dice, 100)};
        pid_t pid = shared_start(0, change_endlessly, &key);
        const struct seen *found = NULL;

        (void)nanosleep(&moment, NULL);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(shared_end(pid), -1);
        found = look_at_one(HER);
        ck_assert_msg(found->fault == 0, "fault %d", found->fault);
        ck_assert_int_eq(registry_change(&registry, &key, &record), 0);
    }
    check_record(&key, CACHE, true);
    record_free(&record);
}
END_TEST

/* Leaving, and setting aside. */

START_TEST(test_registry_leave_removes_this_record_alone)
{
    struct registry_key one = join_simply();
    struct registry_key two = join_simply();
    char *sessions = suite_path(state, "sessions");

    ck_assert_int_eq(registry_leave(&registry, &one), 0);
    ck_assert_str_eq(look_at_one(HER)->key.id, two.id);
    ck_assert_int_eq(registry_leave(&registry, &one), 0);
    ck_assert_int_eq(registry_leave(&registry, &two), 0);
    registry_sweep(&registry);
    ck_assert_int_eq(registry_leave(&registry, &two), 0);
    ck_assert_int_eq(rmdir(sessions), 0);
    ck_assert_int_eq(registry_leave(&registry, &two), 0);
    ck_assert_int_eq(rmdir(state), 0);
    ck_assert_int_eq(registry_leave(&registry, &two), 0);
    free(sessions);
}
END_TEST

/* What is at NAME of her directory is set aside as WANTED, and met no more. */
static void
check_aside(const char *name, const char *wanted)
{
    struct registry_key key = {.place = REGISTRY_STATE, .uid = HER};
    char path[1024];
    struct stat before;
    struct stat after;

    (void)snprintf(key.id, sizeof(key.id), "%s", name);
    (void)snprintf(path, sizeof(path), "%s/set-aside/%s", state, wanted);
    ck_assert_int_eq(lstat(home_of(HER, name), &before), 0);
    ck_assert_int_eq(registry_set_aside(&registry, &key), 0);
    ck_assert_msg(lstat(path, &after) == 0, "no %s", path);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert(!has_path(home_of(HER, name)));
}

START_TEST(test_registry_set_aside_keeps_whatever_it_is)
{
    join_simply();
    write_file(home_of(HER, "broken"), "x", 1);
    check_aside("broken", "54321.broken");
    ck_assert_int_eq(symlink("/etc/passwd", home_of(HER, "link")), 0);
    check_aside("link", "54321.link");
    ck_assert_int_eq(mkdir(home_of(HER, "folder"), 0755), 0);
    ck_assert_int_eq(mkdir(home_of(HER, "folder/full"), 0755), 0);
    check_aside("folder", "54321.folder");
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 1);
}
END_TEST

START_TEST(test_registry_set_aside_takes_no_name_twice)
{
    char aside[600];

    join_simply();
    (void)snprintf(aside, sizeof(aside), "%s/set-aside", state);
    for (size_t i = 1; i <= 3; i++) {
        struct registry_key key = {.place = REGISTRY_STATE, .uid = HER};

        (void)snprintf(key.id, sizeof(key.id), "broken");
        write_file(home_of(HER, "broken"), "xxx", i);
        ck_assert_int_eq(registry_set_aside(&registry, &key), 0);
        ck_assert_uint_eq(count_names(aside), i);
    }
    check_owned(aside, 0700);
}
END_TEST

START_TEST(test_registry_set_aside_takes_the_longest_name)
{
    struct registry_key key = {.place = REGISTRY_STATE, .uid = HER};
    char aside[600];

    join_simply();
    (void)snprintf(aside, sizeof(aside), "%s/set-aside", state);
    memset(key.id, 'n', 255);
    for (size_t i = 1; i <= 2; i++) {
        write_file(home_of(HER, key.id), "x", i);
        ck_assert_int_eq(look(HER), 0);
        ck_assert_uint_eq(seen_count, 2);
        ck_assert_int_eq(find(key.id)->fault, -EBADMSG);
        ck_assert_int_eq(registry_set_aside(&registry, &key), 0);
        ck_assert_uint_eq(count_names(aside), i);
    }
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 1);
}
END_TEST

START_TEST(test_registry_set_aside_takes_what_is_beside_the_uids)
{
    struct registry_key key = {.place = REGISTRY_STATE, .uid = RECORD_UNKNOWN};
    char path[600];

    join_simply();
    (void)snprintf(path, sizeof(path), "%s/sessions/stray", state);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, 2);
    key = find("stray")->key;
    ck_assert_int_eq(key.uid, RECORD_UNKNOWN);
    ck_assert_int_eq(registry_set_aside(&registry, &key), 0);
    ck_assert(!has_path(path));
    (void)snprintf(path, sizeof(path), "%s/set-aside/-1.stray", state);
    ck_assert(has_path(path));
    ck_assert_int_eq(registry_set_aside(&registry, &key), -ENOENT);
}
END_TEST

/* Visiting. */

START_TEST(test_registry_visit_shows_both_places)
{
    struct registry_key at_run;
    struct registry_key in_state = join_simply();

    join(sample_live(HIM, CACHE));
    registry.state_dir = "/missing/state";
    at_run = join_at_run(sample_live(HER, OTHER_CACHE), -ENOENT);
    registry.state_dir = state;
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_int_eq(find(in_state.id)->key.place, REGISTRY_STATE);
    ck_assert_int_eq(find(at_run.id)->key.place, REGISTRY_RUNTIME);
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, 3);
    ck_assert_int_eq(look(STRANGER), 0);
    ck_assert_uint_eq(seen_count, 0);
}
END_TEST

START_TEST(test_registry_visit_of_nothing_is_no_failure)
{
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 0);
    ck_assert(!has_path(state));
}
END_TEST

START_TEST(test_registry_visit_ends_when_it_is_told)
{
    join_simply();
    join_simply();
    join(sample_live(HIM, CACHE));
    registry.state_dir = "/missing/state";
    join_at_run(sample_live(HER, CACHE), -ENOENT);
    registry.state_dir = state;
    seen_limit = 1;
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 1);
    seen_limit = 3;
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, 3);
    seen_limit = 0;
}
END_TEST

static bool
leave_all(void *data, const struct registry_entry *entry)
{
    size_t *count = data;

    (*count)++;
    ck_assert_int_eq(registry_leave(&registry, &entry->key), 0);
    return true;
}

static bool
bind_all(void *data, const struct registry_entry *entry)
{
    size_t *count = data;
    struct registry_key key = entry->key;
    struct record record = *entry->record;

    if (!record.is_bound) {
        (*count)++;
        record.is_bound = true;
        ck_assert_int_eq(registry_change(&registry, &key, &record), 0);
    }
    return true;
}

START_TEST(test_registry_visit_lets_records_change_and_leave)
{
    size_t count = 0;

    for (int i = 0; i < 300; i++) {
        join(sample_live(i % 3 == 0 ? HIM : HER, CACHE));
    }
    ck_assert_int_eq(
        registry_visit(&registry, REGISTRY_EVERYBODY, bind_all, &count), 0);
    ck_assert_uint_eq(count, 300);
    count = 0;
    ck_assert_int_eq(
        registry_visit(&registry, REGISTRY_EVERYBODY, leave_all, &count), 0);
    ck_assert_uint_eq(count, 300);
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, 0);
}
END_TEST

static void
plant_link(const char *path)
{
    ck_assert_int_eq(symlink("good", path), 0);
}

static void
plant_dangling(const char *path)
{
    ck_assert_int_eq(symlink("nothing", path), 0);
}

static void
plant_fifo(const char *path)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void
plant_directory(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
plant_device(const char *path)
{
    ck_assert_int_eq(mknod(path, S_IFCHR | 0600, makedev(1, 3)), 0);
}

static void
plant_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(
        bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(close(fd), 0);
}

/* A record, whole and good, of HER. */
static void
plant_good(const char *path)
{
    struct record record = sample_live(HER, CACHE);
    char *text = NULL;

    ck_assert_int_eq(record_format(&record, &text), 0);
    write_file(path, text, strlen(text));
    free(text);
    record_free(&record);
}

static void
plant_hard_link(const char *path)
{
    char other[1100];

    plant_good(path);
    (void)snprintf(other, sizeof(other), "%s/other", directory);
    (void)unlink(other);
    ck_assert_int_eq(link(path, other), 0);
}

static void
plant_foreign(const char *path)
{
    plant_good(path);
    ck_assert_int_eq(chown(path, STRANGER, 0), 0);
}

static void
plant_for_the_group(const char *path)
{
    plant_good(path);
    ck_assert_int_eq(chmod(path, 0620), 0);
}

static void
plant_for_all(const char *path)
{
    plant_good(path);
    ck_assert_int_eq(chmod(path, 0602), 0);
}

static void
plant_readable(const char *path)
{
    plant_good(path);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

static void
plant_empty(const char *path)
{
    write_file(path, "", 0);
}

static void
plant_cut(const char *path)
{
    plant_good(path);
    ck_assert_int_eq(truncate(path, 100), 0);
}

static void
plant_too_long(const char *path)
{
    plant_good(path);
    ck_assert_int_eq(truncate(path, RECORD_MAX + 1), 0);
}

static void
plant_long(const char *path)
{
    plant_good(path);
    ck_assert_int_eq(truncate(path, RECORD_MAX), 0);
}

static void
plant_newer(const char *path)
{
    static const char text[] = "pam_krb5cc record = 2\nx\n";

    write_file(path, text, strlen(text));
}

static void
plant_of_him(const char *path)
{
    struct record record = sample_live(HIM, CACHE);
    char *text = NULL;

    ck_assert_int_eq(record_format(&record, &text), 0);
    write_file(path, text, strlen(text));
    free(text);
    record_free(&record);
}

struct plant {
    const char *name;
    void (*plant)(const char *path);
    int fault;
};

static const struct plant plants[] = {
    {"good", plant_good, 0},
    {"readable", plant_readable, 0},
    {"link", plant_link, -ELOOP},
    {"dangling", plant_dangling, -ELOOP},
    {"fifo", plant_fifo, -EINVAL},
    {"directory", plant_directory, -EINVAL},
    {"device", plant_device, -EINVAL},
    {"socket", plant_socket, -EINVAL},
    {"hard-link", plant_hard_link, -EPERM},
    {"foreign", plant_foreign, -EPERM},
    {"for-the-group", plant_for_the_group, -EPERM},
    {"for-all", plant_for_all, -EPERM},
    {"empty", plant_empty, -EBADMSG},
    {"cut", plant_cut, -EBADMSG},
    {"long", plant_long, -EBADMSG},
    {"too-long", plant_too_long, -EMSGSIZE},
    {"newer", plant_newer, -EPROTONOSUPPORT},
    {"of-him", plant_of_him, -EINVAL},
};

START_TEST(test_registry_visit_reports_what_is_no_record)
{
    join_simply();
    for (size_t i = 0; i < COUNT(plants); i++) {
        plants[i].plant(home_of(HER, plants[i].name));
    }
    /* Unfinished writes, and whatever else begins with a dot. */
    plant_good(home_of(HER, ".new-x"));
    plant_good(home_of(HER, ".hidden"));
    for (int everybody = 0; everybody < 2; everybody++) {
        ck_assert_int_eq(look(everybody ? REGISTRY_EVERYBODY : HER), 0);
        ck_assert_uint_eq(seen_count, COUNT(plants) + 1);
        for (size_t i = 0; i < COUNT(plants); i++) {
            const struct seen *found = find(plants[i].name);

            ck_assert_msg(found->fault == plants[i].fault, "%s: %d",
                          plants[i].name, found->fault);
        }
    }
}
END_TEST

START_TEST(test_registry_visit_reports_what_is_no_uid)
{
    static const struct {
        const char *name;
        void (*plant)(const char *path);
        int fault;
    } strays[] = {
        {"stray", plant_directory, -EINVAL},
        {"007", plant_directory, -EINVAL},
        {"-1", plant_directory, -EINVAL},
        {"4294967295", plant_directory, -EINVAL},
        {"99999999999999999999", plant_directory, -EINVAL},
        {"1x", plant_directory, -EINVAL},
        {"11", plant_good, -EINVAL},
        {"12", plant_link, -ELOOP},
        {"13", plant_dangling, -ELOOP},
        {"14", plant_fifo, -EINVAL},
        {"15", plant_directory, -EPERM},
        {"16", plant_directory, -EPERM},
        {"file", plant_good, -EINVAL},
    };
    char sessions[600];

    join_simply();
    (void)snprintf(sessions, sizeof(sessions), "%s/sessions", state);
    for (size_t i = 0; i < COUNT(strays); i++) {
        char *path = suite_path(sessions, strays[i].name);

        strays[i].plant(path);
        if (strcmp(strays[i].name, "15") == 0) {
            ck_assert_int_eq(chown(path, STRANGER, 0), 0);
        } else if (strcmp(strays[i].name, "16") == 0) {
            ck_assert_int_eq(chmod(path, 01777), 0);
        }
        free(path);
    }
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, COUNT(strays) + 1);
    for (size_t i = 0; i < COUNT(strays); i++) {
        const struct seen *found = find(strays[i].name);

        ck_assert_int_eq(found->key.uid, RECORD_UNKNOWN);
        ck_assert_msg(found->fault == strays[i].fault, "%s: %d", strays[i].name,
                      found->fault);
    }
}
END_TEST

START_TEST(test_registry_visit_knows_the_last_uid_and_the_first)
{
    join(sample_live(0, CACHE));
    join(sample_live(4294967294, CACHE));
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_int_eq(seen[0].fault, 0);
    ck_assert_int_eq(seen[1].fault, 0);
    ck_assert_int_eq(look_at_one(0)->uid, 0);
    ck_assert_int_eq(look_at_one(4294967294)->uid, 4294967294);
}
END_TEST

START_TEST(test_registry_visit_tells_of_a_place_that_cannot_be_read)
{
    struct registry_key at_run;

    registry.state_dir = "/missing/state";
    at_run = join_at_run(sample_live(HER, CACHE), -ENOENT);
    registry.state_dir = state;
    ck_assert_int_eq(mkdir(state, 0770), 0);
    ck_assert_int_eq(chmod(state, 0770), 0);
    ck_assert_int_eq(look(HER), -EPERM);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert_str_eq(seen[0].key.id, at_run.id);
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), -EPERM);
    ck_assert_uint_eq(seen_count, 1);
}
END_TEST

/* Nobody may take what was not read for what is not there. */
START_TEST(test_registry_visit_without_descriptors_tells)
{
    join_simply();
    for (size_t left = 0; left < 8; left++) {
        int status = 0;

        for (int everybody = 0; everybody < 2; everybody++) {
            sample_descriptors_left(left);
            status = look(everybody ? REGISTRY_EVERYBODY : HER);
            sample_descriptors_back();
            ck_assert_msg(
                status == -EMFILE ||
                    (status == 0 && seen_count == 1 &&
                     (seen[0].fault == 0 || seen[0].fault == -EMFILE)),
                "with %zu: %d, %zu records, fault %d", left, status, seen_count,
                seen[0].fault);
        }
    }
    ck_assert_int_eq(seen[0].fault, 0);
}
END_TEST

/* Sweeping. */

/* Makes NAME of her directory so many seconds old. */
static void
age(const char *name, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = time(NULL) - seconds},
                                      {.tv_sec = time(NULL) - seconds}};

    ck_assert_int_eq(
        utimensat(AT_FDCWD, home_of(HER, name), times, AT_SYMLINK_NOFOLLOW), 0);
}

START_TEST(test_registry_sweep_takes_unfinished_writes_that_are_old)
{
    struct registry_key key = join_simply();

    plant_cut(home_of(HER, ".new-old"));
    age(".new-old", 601 + 60);
    plant_cut(home_of(HER, ".new-young"));
    age(".new-young", 500);
    ck_assert_int_eq(symlink(path_of(&key), home_of(HER, ".new-link")), 0);
    age(".new-link", 700);
    plant_cut(home_of(HER, ".other"));
    age(".other", 7000);
    plant_cut(home_of(HER, "broken"));
    age("broken", 7000);
    age(key.id, 70000);
    registry_sweep(&registry);
    ck_assert(!has_path(home_of(HER, ".new-old")));
    ck_assert(!has_path(home_of(HER, ".new-link")));
    ck_assert(has_path(home_of(HER, ".new-young")));
    ck_assert(has_path(home_of(HER, ".other")));
    ck_assert(has_path(home_of(HER, "broken")));
    ck_assert(has_path(path_of(&key)));
}
END_TEST

START_TEST(test_registry_sweep_takes_directories_of_nobody)
{
    struct registry_key hers = join_simply();
    struct registry_key his = join(sample_live(HIM, CACHE));
    struct registry_key at_run;
    char path[600];

    registry.state_dir = "/missing/state";
    at_run = join_at_run(sample_live(HIM, CACHE), -ENOENT);
    registry.state_dir = state;
    (void)snprintf(path, sizeof(path), "%s/sessions/stray", state);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(registry_leave(&registry, &his), 0);
    ck_assert_int_eq(registry_leave(&registry, &at_run), 0);
    registry_sweep(&registry);
    ck_assert(has_path(path_of(&hers)));
    ck_assert(!has_path(home_of(HIM, "")));
    ck_assert(has_path(path));
    (void)snprintf(path, sizeof(path), "%s/sessions/%d", runtime, HIM);
    ck_assert(!has_path(path));
    /* It is entered again. */
    join(sample_live(HIM, CACHE));
    ck_assert_int_eq(look(HIM), 0);
    ck_assert_uint_eq(seen_count, 1);
}
END_TEST

START_TEST(test_registry_sweep_of_nothing_makes_nothing)
{
    registry_sweep(&registry);
    ck_assert(!has_path(state));
    ck_assert(!has_path(runtime));
}
END_TEST

START_TEST(test_registry_sweep_follows_no_link)
{
    char path[600];
    char *elsewhere = suite_path(directory, "elsewhere");

    join_simply();
    ck_assert_int_eq(mkdir(elsewhere, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/.new-x", elsewhere);
    plant_cut(path);
    ck_assert_int_eq(symlink(elsewhere, home_of(HIM, "")), 0);
    {
        const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

        ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    registry_sweep(&registry);
    ck_assert(has_path(path));
    ck_assert(has_path(home_of(HIM, "")));
    free(elsewhere);
}
END_TEST

/* Locking. */

START_TEST(test_registry_lock_is_held_by_one)
{
    int lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    int his = -1;
    int again = -1;
    struct deadline since = deadline_in(100000);

    ck_assert_int_ge(lock, 0);
    ck_assert_int_eq(fcntl(lock, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0),
                     -ETIMEDOUT);
    ck_assert_int_eq(registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 150),
                     -ETIMEDOUT);
    ck_assert_int_le(deadline_left_ms(&since), 100000 - 150);
    his = registry_lock(&registry, HIM, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_ge(his, 0);
    registry_unlock(his);
    registry_unlock(lock);
    again = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_ge(again, 0);
    registry_unlock(again);
    registry_unlock(-1);
    registry_unlock(-ETIMEDOUT);
}
END_TEST

START_TEST(test_registry_lock_keeps_no_record_away)
{
    int lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    struct registry_key key = join_simply();

    ck_assert_int_eq(look(HER), 0);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert_int_eq(registry_leave(&registry, &key), 0);
    registry_unlock(lock);
}
END_TEST

START_TEST(test_registry_lock_survives_a_sweep)
{
    int lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);

    ck_assert_int_ge(lock, 0);
    registry_sweep(&registry);
    ck_assert(has_path(home_of(HER, "")));
    ck_assert_int_eq(registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 20),
                     -ETIMEDOUT);
    registry_unlock(lock);
    registry_sweep(&registry);
    ck_assert(!has_path(home_of(HER, "")));
    lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_ge(lock, 0);
    registry_unlock(lock);
}
END_TEST

static int lock_of_hook = -1;

static void
replace_directory(void)
{
    ck_assert_int_eq(rmdir(home_of(HER, "")), 0);
    ck_assert_int_eq(mkdir(home_of(HER, ""), 0700), 0);
}

static void
replace_directory_and_lock(void)
{
    ck_assert_int_eq(rmdir(home_of(HER, "")), 0);
    lock_of_hook = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
}

/* LOCK is the lock on what is found now, not on what once was. */
static void
check_lock(int lock)
{
    struct stat locked;
    struct stat found;

    ck_assert_int_ge(lock, 0);
    ck_assert_int_eq(fstat(lock, &locked), 0);
    ck_assert_int_eq(stat(home_of(HER, ""), &found), 0);
    ck_assert_uint_eq(locked.st_ino, found.st_ino);
    ck_assert_int_eq(registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0),
                     -ETIMEDOUT);
}

/* Swept between its opening and its locking, and made again by another. */
START_TEST(test_registry_lock_is_on_the_directory_of_now)
{
    int lock = -1;

    before_flock = replace_directory;
    lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 10000);
    check_lock(lock);
    registry_unlock(lock);
}
END_TEST

/* The same to a sweep, and the other one is locked by then. */
START_TEST(test_registry_lock_survives_a_sweep_that_is_late)
{
    struct registry_key key = join_simply();

    ck_assert_int_eq(registry_leave(&registry, &key), 0);
    before_flock = replace_directory_and_lock;
    registry_sweep(&registry);
    check_lock(lock_of_hook);
    registry_unlock(lock_of_hook);
}
END_TEST

/* Holds her lock until it is killed; says so. */
static int
hold(void *data)
{
    atomic_uint *word = data;
    int lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 1000);

    shared_set(word, lock < 0 ? 2 : 1);
    for (;;) {
        (void)pause();
    }
    return 0;
}

START_TEST(test_registry_lock_of_a_holder_that_is_killed_is_free)
{
    atomic_uint *word = shared_memory(sizeof(*word));
    pid_t pid = shared_start(0, hold, word);
    int lock = -1;

    ck_assert_uint_eq(shared_wait(word, 0, 10000000), 1);
    ck_assert_int_eq(registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 20),
                     -ETIMEDOUT);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(shared_end(pid), -1);
    lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_ge(lock, 0);
    registry_unlock(lock);
}
END_TEST

static int
wait_to_be_killed(void *data)
{
    shared_set(data, 1);
    for (;;) {
        (void)pause();
    }
    return 0;
}

/* A process of UID's that does nothing. */
static pid_t
start_shell(uid_t uid)
{
    atomic_uint *word = shared_memory(sizeof(*word));
    pid_t pid = shared_start(uid, wait_to_be_killed, word);

    ck_assert_uint_eq(shared_wait(word, 0, 20000000), 1);
    return pid;
}

static void
end_shell(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(shared_end(pid), -1);
}

/* A thread of the host may fork at any time, and take a copy along. */
START_TEST(test_registry_lock_is_given_back_in_spite_of_a_fork)
{
    int lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    pid_t pid = start_shell(0);
    int again = -1;

    registry_unlock(lock);
    again = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_ge(again, 0);
    registry_unlock(again);
    end_shell(pid);
}
END_TEST

START_TEST(test_registry_lock_is_where_records_are)
{
    int lock = -1;

    registry.state_dir = "/missing/state";
    lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_ge(lock, 0);
    ck_assert_int_eq(registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 0),
                     -ETIMEDOUT);
    registry_unlock(lock);
    registry.runtime_dir = "/missing/runtime";
    ck_assert_int_eq(registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 100),
                     -ENOENT);
}
END_TEST

/* Whether it is held. */

/* What is said of the cache of a session of hers, its own one excepted. */
static int
is_held_by_others(const struct registry_key *key)
{
    struct record record = sample_live(HER, CACHE);
    struct presence_census *census = presence_census_take();
    int held = registry_holders(&registry, key, &record, NULL);

    ck_assert_ptr_nonnull(census);
    ck_assert_int_eq(registry_holders(&registry, key, &record, census), held);
    presence_census_free(census);
    record_free(&record);
    return held;
}

START_TEST(test_registry_cache_is_not_held_by_its_own_session)
{
    struct registry_key key = join_simply();

    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

START_TEST(test_registry_cache_is_not_held_by_sessions_with_another)
{
    struct registry_key key = join_simply();

    join(sample_live(HER, OTHER_CACHE));
    join(sample_live(HIM, CACHE));
    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

START_TEST(test_registry_cache_is_held_by_who_lives)
{
    struct registry_key key = join_simply();
    struct registry_key other = join_simply();

    ck_assert_int_eq(is_held_by_others(&key), 1);
    ck_assert_int_eq(registry_leave(&registry, &key), 0);
    ck_assert_int_eq(is_held_by_others(&key), 1);
    ck_assert_int_eq(registry_leave(&registry, &other), 0);
    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

START_TEST(test_registry_cache_is_held_from_the_other_place)
{
    struct registry_key key = join_simply();

    registry.state_dir = "/missing/state";
    join_at_run(sample_live(HER, CACHE), -ENOENT);
    registry.state_dir = state;
    ck_assert_int_eq(is_held_by_others(&key), 1);
}
END_TEST

START_TEST(test_registry_cache_is_not_held_by_the_dead)
{
    struct registry_key key = join_simply();

    join(sample_gone(HER, CACHE));
    join(sample_of_other_boot(HER, CACHE));
    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

START_TEST(test_registry_cache_is_held_where_the_host_alone_is_dead)
{
    struct registry_key key = join_simply();
    pid_t shell = start_shell(HER);

    join(sample_gone(HER, CACHE));
    ck_assert_int_eq(is_held_by_others(&key), 1);
    end_shell(shell);
    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

START_TEST(test_registry_cache_may_be_held_where_nobody_can_be_seen)
{
    struct registry_key key = join_simply();
    struct record record = sample_live(HER, CACHE);
    int held = 0;

    join(sample_gone(HER, CACHE));
    hides_proc = true;
    held = registry_holders(&registry, &key, &record, NULL);
    hides_proc = false;
    ck_assert_int_eq(held, -EAGAIN);
    ck_assert_int_eq(registry_holders(&registry, &key, &record, NULL), 0);
    record_free(&record);
}
END_TEST

START_TEST(test_registry_cache_is_held_from_elsewhere)
{
    struct registry_key key = join_simply();
    struct record record = sample_gone(HER, CACHE);

    record.pid_namespace++;
    join(record);
    ck_assert_int_eq(is_held_by_others(&key), 1);
}
END_TEST

START_TEST(test_registry_cache_is_not_held_by_who_has_ended)
{
    struct registry_key key = join_simply();
    struct record record = sample_live(HER, CACHE);

    record.is_ended = true;
    join(record);
    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

/* The name of a holder of hers, but in what is no record. */
START_TEST(test_registry_cache_may_be_held_by_what_cannot_be_read)
{
    struct registry_key key = join_simply();
    char name[64];

    for (size_t i = 0; i < COUNT(plants); i++) {
        if (plants[i].fault != 0) {
            (void)snprintf(name, sizeof(name), "%.17splanted", key.id);
            plants[i].plant(home_of(HER, name));
            ck_assert_msg(is_held_by_others(&key) == plants[i].fault, "%s: %d",
                          plants[i].name, is_held_by_others(&key));
            ck_assert_int_eq(remove(home_of(HER, name)), 0);
            (void)snprintf(name, sizeof(name), "%.8sx-planted", key.id);
            plants[i].plant(home_of(HER, name));
            /* Another cache's, by its name. */
            ck_assert_int_eq(is_held_by_others(&key), 0);
            ck_assert_int_eq(remove(home_of(HER, name)), 0);
        }
    }
    /* Of one that lives it is certain all the same. */
    (void)snprintf(name, sizeof(name), "%.17s0planted", key.id);
    plant_cut(home_of(HER, name));
    join_simply();
    ck_assert_int_eq(is_held_by_others(&key), 1);
}
END_TEST

START_TEST(test_registry_cache_is_not_held_by_its_own_broken_record)
{
    struct registry_key key = join_simply();

    plant_cut(path_of(&key));
    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

START_TEST(test_registry_cache_may_be_held_in_a_place_that_is_out_of_reach)
{
    struct registry_key key = join_simply();
    struct record record = sample_live(HER, CACHE);
    struct registry_key other = join_simply();
    struct registry_key self = join(sample_gone(HER, CACHE));
    pid_t shell = start_shell(HER);

    /* With each number of descriptors, for the living, then for the shell. */
    for (int dead = 0; dead < 2; dead++) {
        int held = 0;

        for (size_t left = 0; left < 10; left++) {
            sample_descriptors_left(left);
            held = registry_holders(&registry, &key, &record, NULL);
            sample_descriptors_back();
            ck_assert_msg(held == 1 || held < 0, "with %zu: %d", left, held);
        }
        ck_assert_int_eq(held, 1);
        ck_assert_int_eq(registry_leave(&registry, &other), 0);
    }
    ck_assert_int_eq(registry_leave(&registry, &self), 0);
    ck_assert_int_eq(registry_holders(&registry, &key, &record, NULL), 0);
    end_shell(shell);
    record_free(&record);
}
END_TEST

/* A place where no record of ours can be has no holder. */
START_TEST(test_registry_cache_is_not_held_in_a_place_that_is_none)
{
    struct registry_key key;

    registry.state_dir = "/missing/state";
    key = join_at_run(sample_live(HER, CACHE), -ENOENT);
    registry.state_dir = state;
    ck_assert_int_eq(mkdir(state, 0770), 0);
    ck_assert_int_eq(chmod(state, 0770), 0);
    ck_assert_int_eq(is_held_by_others(&key), 0);
}
END_TEST

/* All at once. */

#define WORKERS 6
#define ROUNDS 200
#define LOCK_ROUNDS 60

struct crowd {
    atomic_uint over;
    atomic_uint counted; /* by those who have finished */
    unsigned long total; /* changed under the lock alone */
    atomic_uint inside;
};

static bool
find_own(void *data, const struct registry_entry *entry)
{
    const struct registry_key *key = data;

    return strcmp(entry->key.id, key->id) != 0 || entry->fault != 0;
}

static bool was_found;

static bool
note_own(void *data, const struct registry_entry *entry)
{
    if (!find_own(data, entry)) {
        was_found = entry->fault == 0;
        return false;
    }
    return true;
}

/* Joins, is found, changes, is found, leaves; where it fails, as a number. */
static int
come_and_go(void *data)
{
    struct crowd *crowd = data;

    (void)crowd;
    for (int i = 0; i < ROUNDS; i++) {
        struct record record = sample_live(HER, CACHE);
        struct registry_key key = {.uid = -2};
        int state_error = 0;

        if (registry_join(&registry, &record, &key, &state_error) != 0 ||
            state_error != 0) {
            return 10;
        }
        was_found = false;
        if (registry_visit(&registry, HER, note_own, &key) != 0 || !was_found) {
            return 11;
        }
        record.is_bound = true;
        if (registry_change(&registry, &key, &record) != 0) {
            return 12;
        }
        was_found = false;
        if (registry_visit(&registry, HER, note_own, &key) != 0 || !was_found) {
            return 13;
        }
        if (registry_leave(&registry, &key) != 0) {
            return 14;
        }
        record_free(&record);
    }
    return 0;
}

/* So that who waits gets a turn, too, on a machine that has other work. */
static int
sweep_all_the_time(void *data)
{
    const struct timespec pause = {.tv_nsec = 100000};
    struct crowd *crowd = data;

    while (atomic_load(&crowd->over) == 0) {
        registry_sweep(&registry);
        registry_sweep(&registry);
        (void)nanosleep(&pause, NULL);
    }
    return 0;
}

static bool
find_fault(void *data, const struct registry_entry *entry)
{
    int *fault = data;

    *fault = entry->fault != 0 ? entry->fault : *fault;
    return true;
}

/* Nothing that anybody sees is ever half, or somebody else's. */
static int
look_all_the_time(void *data)
{
    struct crowd *crowd = data;

    while (atomic_load(&crowd->over) == 0) {
        int fault = 0;

        if (registry_visit(&registry, REGISTRY_EVERYBODY, find_fault, &fault) !=
                0 ||
            fault != 0) {
            fprintf(stderr, "fault %d\n", fault);
            return 20;
        }
    }
    return 0;
}

START_TEST(test_registry_crowd_loses_nothing)
{
    struct crowd *crowd = shared_memory(sizeof(*crowd));
    pid_t workers[WORKERS];
    pid_t sweeper = -1;
    pid_t other_sweeper = -1;
    pid_t watcher = -1;

    for (int i = 0; i < WORKERS; i++) {
        workers[i] = shared_start(0, come_and_go, crowd);
    }
    sweeper = shared_start(0, sweep_all_the_time, crowd);
    other_sweeper = shared_start(0, sweep_all_the_time, crowd);
    watcher = shared_start(0, look_all_the_time, crowd);
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(shared_end(workers[i]), 0);
    }
    atomic_store(&crowd->over, 1);
    ck_assert_int_eq(shared_end(sweeper), 0);
    ck_assert_int_eq(shared_end(other_sweeper), 0);
    ck_assert_int_eq(shared_end(watcher), 0);
    ck_assert_int_eq(look(REGISTRY_EVERYBODY), 0);
    ck_assert_uint_eq(seen_count, 0);
    registry_sweep(&registry);
    ck_assert(!has_path(home_of(HER, "")));
    ck_assert(!has_path(runtime));
}
END_TEST

/* One who holds the lock is alone, however the directory is swept. */
static int
work_under_lock(void *data)
{
    struct crowd *crowd = data;

    for (int i = 0; i < LOCK_ROUNDS; i++) {
        int lock = registry_lock(&registry, HER, SAFEFS_MAKE_IF_MISSING, 30000);
        unsigned long total = crowd->total;

        if (lock < 0) {
            fprintf(stderr, "lock: %d\n", lock);
            return 30;
        }
        if (atomic_fetch_add(&crowd->inside, 1) != 0) {
            return 31;
        }
        for (int j = 0; j < 20; j++) {
            (void)sched_yield();
        }
        crowd->total = total + 1;
        atomic_fetch_sub(&crowd->inside, 1);
        registry_unlock(lock);
    }
    return 0;
}

START_TEST(test_registry_lock_lets_one_work_at_a_time)
{
    struct crowd *crowd = shared_memory(sizeof(*crowd));
    pid_t workers[WORKERS];
    pid_t sweepers[3];

    for (size_t i = 0; i < COUNT(sweepers); i++) {
        sweepers[i] = shared_start(0, sweep_all_the_time, crowd);
    }
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = shared_start(0, work_under_lock, crowd);
    }
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(shared_end(workers[i]), 0);
    }
    atomic_store(&crowd->over, 1);
    for (size_t i = 0; i < COUNT(sweepers); i++) {
        ck_assert_int_eq(shared_end(sweepers[i]), 0);
    }
    ck_assert_uint_eq(crowd->total, WORKERS * LOCK_ROUNDS);
}
END_TEST

static TCase *
case_of(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    return tcase;
}

static void
add_join(Suite *suite)
{
    TCase *tcase = case_of(suite, "join");

    tcase_add_test(tcase, test_registry_join_is_found);
    tcase_add_test(tcase, test_registry_join_is_roots_alone_under_any_umask);
    tcase_add_test(tcase, test_registry_join_ids_begin_with_their_cache);
    tcase_add_test(
        tcase, test_registry_join_in_a_state_directory_that_is_none_is_at_run);
    tcase_add_test(tcase,
                   test_registry_join_on_a_read_only_state_directory_is_at_run);
    tcase_add_test(
        tcase, test_registry_join_on_a_full_disk_is_at_run_and_leaves_nothing);
    tcase_add_test(tcase, test_registry_join_without_inodes_is_at_run);
    tcase_add_test(tcase, test_registry_join_fails_where_no_place_will_do);
    tcase_add_test(tcase, test_registry_join_below_a_limit_of_files_lives);
    tcase_add_test(tcase, test_registry_join_too_long_writes_nothing);
    tcase_add_test(tcase,
                   test_registry_join_follows_no_link_and_trusts_no_stranger);
    tcase_add_test(tcase, test_registry_join_without_descriptors_fails);
}

static void
add_change(Suite *suite)
{
    TCase *tcase = case_of(suite, "change");

    tcase_add_test(tcase, test_registry_change_is_found_under_the_same_key);
    tcase_add_test(
        tcase, test_registry_change_of_the_cache_is_found_under_another_key);
    tcase_add_test(tcase, test_registry_change_stays_in_its_place);
    tcase_add_test(tcase,
                   test_registry_change_on_a_full_disk_leaves_the_old_one);
    tcase_add_test(tcase,
                   test_registry_change_on_a_read_only_disk_leaves_the_old_one);
    tcase_add_test(tcase, test_registry_change_too_long_leaves_the_old_one);
    tcase_add_test(tcase,
                   test_registry_change_that_cannot_remove_leaves_the_old_one);
    tcase_add_test(tcase,
                   test_registry_change_in_a_place_that_is_none_makes_none);
    tcase_add_test(tcase,
                   test_registry_change_that_was_killed_is_in_nobodys_way);
}

static void
add_leave(Suite *suite)
{
    TCase *tcase = case_of(suite, "leave");

    tcase_add_test(tcase, test_registry_leave_removes_this_record_alone);
    tcase_add_test(tcase, test_registry_set_aside_keeps_whatever_it_is);
    tcase_add_test(tcase, test_registry_set_aside_takes_no_name_twice);
    tcase_add_test(tcase, test_registry_set_aside_takes_the_longest_name);
    tcase_add_test(tcase,
                   test_registry_set_aside_takes_what_is_beside_the_uids);
}

static void
add_visit(Suite *suite)
{
    TCase *tcase = case_of(suite, "visit");

    tcase_add_test(tcase, test_registry_visit_shows_both_places);
    tcase_add_test(tcase, test_registry_visit_of_nothing_is_no_failure);
    tcase_add_test(tcase, test_registry_visit_ends_when_it_is_told);
    tcase_add_test(tcase, test_registry_visit_lets_records_change_and_leave);
    tcase_add_test(tcase, test_registry_visit_reports_what_is_no_record);
    tcase_add_test(tcase, test_registry_visit_reports_what_is_no_uid);
    tcase_add_test(tcase, test_registry_visit_knows_the_last_uid_and_the_first);
    tcase_add_test(tcase,
                   test_registry_visit_tells_of_a_place_that_cannot_be_read);
    tcase_add_test(tcase, test_registry_visit_without_descriptors_tells);
}

static void
add_sweep(Suite *suite)
{
    TCase *tcase = case_of(suite, "sweep");

    tcase_add_test(tcase,
                   test_registry_sweep_takes_unfinished_writes_that_are_old);
    tcase_add_test(tcase, test_registry_sweep_takes_directories_of_nobody);
    tcase_add_test(tcase, test_registry_sweep_of_nothing_makes_nothing);
    tcase_add_test(tcase, test_registry_sweep_follows_no_link);
}

static void
add_lock(Suite *suite)
{
    TCase *tcase = case_of(suite, "lock");

    tcase_add_test(tcase, test_registry_lock_is_held_by_one);
    tcase_add_test(tcase, test_registry_lock_keeps_no_record_away);
    tcase_add_test(tcase, test_registry_lock_survives_a_sweep);
    tcase_add_test(tcase, test_registry_lock_survives_a_sweep_that_is_late);
    tcase_add_test(tcase, test_registry_lock_is_on_the_directory_of_now);
    tcase_add_test(tcase,
                   test_registry_lock_of_a_holder_that_is_killed_is_free);
    tcase_add_test(tcase, test_registry_lock_is_given_back_in_spite_of_a_fork);
    tcase_add_test(tcase, test_registry_lock_is_where_records_are);
}

static void
add_holders(Suite *suite)
{
    TCase *tcase = case_of(suite, "holders");

    tcase_add_test(tcase, test_registry_cache_is_not_held_by_its_own_session);
    tcase_add_test(tcase,
                   test_registry_cache_is_not_held_by_sessions_with_another);
    tcase_add_test(tcase, test_registry_cache_is_held_by_who_lives);
    tcase_add_test(tcase, test_registry_cache_is_held_from_the_other_place);
    tcase_add_test(tcase, test_registry_cache_is_not_held_by_the_dead);
    tcase_add_test(tcase,
                   test_registry_cache_is_held_where_the_host_alone_is_dead);
    tcase_add_test(tcase,
                   test_registry_cache_may_be_held_where_nobody_can_be_seen);
    tcase_add_test(tcase, test_registry_cache_is_held_from_elsewhere);
    tcase_add_test(tcase, test_registry_cache_is_not_held_by_who_has_ended);
    tcase_add_test(tcase,
                   test_registry_cache_may_be_held_by_what_cannot_be_read);
    tcase_add_test(tcase,
                   test_registry_cache_is_not_held_by_its_own_broken_record);
    tcase_add_test(
        tcase, test_registry_cache_may_be_held_in_a_place_that_is_out_of_reach);
    tcase_add_test(tcase,
                   test_registry_cache_is_not_held_in_a_place_that_is_none);
}

static void
add_crowd(Suite *suite)
{
    TCase *tcase = case_of(suite, "crowd");

    tcase_add_test(tcase, test_registry_crowd_loses_nothing);
    tcase_add_test(tcase, test_registry_lock_lets_one_work_at_a_time);
}

int
main(void)
{
    Suite *suite = suite_create("registry");

    add_join(suite);
    add_change(suite);
    add_leave(suite);
    add_visit(suite);
    add_sweep(suite);
    add_lock(suite);
    add_holders(suite);
    add_crowd(suite);
    return suite_main(suite);
}
