/*
 * Bad input, and a world that is broken: names and passwords that are none,
 * something else in the cache's place, disks that are full or read-only, a
 * helper that is missing, dies or talks nonsense.  Each gets the code of the
 * table and a line in the log that says what and why; nothing that was there
 * is lost and nothing half-made stays.
 *
 * Started as --launch (by a launcher that a test has written) this program is
 * no test: it becomes the helper and has it killed at a chosen system call.
 */
#include "stack/common.h"
#include "support/records.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define TIMEOUT_S 2
#define LATE_MS 1000

/* Where caches of a fixed name are: sticky and everybody's, as /tmp is. */
#define PLACE "/tmp/place"
#define CACHE "FILE:" PLACE "/cc"
#define PATH PLACE "/cc"

/* A file system of its own, for those that fill it. */
#define DISK "/tmp/disk"

static const char fixed[] = "ccache=" CACHE;

/* A directory of launchers; of one test. */
static char *folder;

static int64_t
now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
setup(void)
{
    common_setup();
    folder = suite_tmpdir();
    ck_assert_int_eq(chmod(folder, 0755), 0);
    if (geteuid() == 0) {
        /* A disk that a failed test has left; most often there is none. */
        (void)umount(DISK);
        ck_assert_int_eq(system("rm -rf " PLACE " " DISK " && mkdir " PLACE
                                " && chmod 1777 " PLACE),
                         0);
    }
}

static void
teardown(void)
{
    if (geteuid() == 0) {
        ck_assert_int_eq(system("rm -rf " PLACE), 0);
    }
    suite_remove_tree(folder);
    folder = NULL;
    common_teardown();
}

/* What must be in DIRECTORY, and nothing else. */
static void
assert_entries(const char *directory, size_t count)
{
    ck_assert_msg(common_count(directory, "") == count,
                  "%s has %zu entries, not %zu; log:\n%s", directory,
                  common_count(directory, ""), count, stack_log());
}

/* Lines of the log at error or worse that say both what and why. */
static void
assert_said(const char *object, const char *cause)
{
    ck_assert_msg(common_logged(LOG_ERR, object) && stack_logged(cause),
                  "no \"%s\" with \"%s\"; log:\n%s", object, cause,
                  stack_log());
}

/* Passwords. */

/* LENGTH times x. */
static char *
long_text(size_t length)
{
    char *text = malloc(length + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

/* How often a password was tried at the KDC. */
static size_t
tries(void)
{
    return common_kdc_log("AS_REQ", "PREAUTH_FAILED") +
           common_kdc_log("AS_REQ", "ISSUE");
}

START_TEST(test_input_password_of_511_characters_logs_in)
{
    struct stack stack;
    char *password = long_text(511);
    const char *const answers[] = {password, NULL};
    char command[1024];

    NEEDS_ROOT();
    (void)snprintf(command, sizeof(command), "cpw -pw %s carol", password);
    common_kadmin(command);
    common_start(&stack, "carol", "", answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    free(password);
}
END_TEST

START_TEST(test_input_password_too_long_or_empty_is_not_sent)
{
    static const size_t lengths[] = {0, 512, 513, 4096};
    struct stack stack;
    char *password = long_text(lengths[_i]);
    const char *const answers[] = {password, NULL};
    size_t before = 0;

    NEEDS_ROOT();
    before = tries();
    common_start(&stack, "alice", "", answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack_prompts(&stack), 1);
    ck_assert_uint_eq(tries(), before);
    stack_end(&stack, PAM_AUTH_ERR);
    free(password);
}
END_TEST

START_TEST(test_input_stacked_password_too_long_or_empty_asks_no_kdc)
{
    static const size_t lengths[] = {0, 512, 4096};
    struct stack stack;
    char *password = long_text(lengths[_i]);
    size_t before = 0;

    NEEDS_ROOT();
    before = common_kdc_log("AS_REQ", "");
    common_start_stored(&stack, "alice", password, "force_first_pass",
                        no_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_kdc_log("AS_REQ", ""), before);
    stack_end(&stack, PAM_AUTH_ERR);
    free(password);
}
END_TEST

/* Names. */

static const char *const names[] = {
    "no\nbody",  "nobody\n<1> user root",
    "@",         "/",
    "alice@",    "@PAM.TEST",
    "a/b/c",     "alice/admin",
    "..",        "\\",
    "alice\\",   "\x1b[2Jalice",
    "alice\xff", "al ice",
    "-alice",    "%s%n",
    "alice@b@c",
};

#define NAME_COUNT (int)(sizeof(names) / sizeof(names[0]))

static size_t
log_lines(void)
{
    size_t count = 0;

    for (const char *at = stack_log(); *at != '\0'; at++) {
        count += *at == '\n';
    }
    return count;
}

START_TEST(test_input_odd_name_is_an_unknown_user)
{
    struct stack stack;
    int code = PAM_SUCCESS;

    NEEDS_ROOT();
    common_start(&stack, names[_i], "timeout=5", wrong_answers);
    code = pam_authenticate(stack.handle, 0);
    ck_assert_msg(code == PAM_USER_UNKNOWN || code == PAM_AUTH_ERR,
                  "%s gave %s; log:\n%s", names[_i], pam_strerror(NULL, code),
                  stack_log());
    ck_assert_uint_eq(stack_prompts(&stack), 1);
    /* It may be a password that was typed too early. */
    ck_assert_msg(!stack_logged(names[_i]), "%s", stack_log());
    ck_assert_msg(log_lines() == 1, "%s", stack_log());
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    stack_end(&stack, code);
}
END_TEST

START_TEST(test_input_name_of_5000_characters_is_an_unknown_user)
{
    struct stack stack;
    char *name = long_text(5000);

    NEEDS_ROOT();
    common_start(&stack, name, "", wrong_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_USER_UNKNOWN);
    ck_assert(!stack_logged("xxxx"));
    ck_assert(stack_logged("unknown principal"));
    stack_end(&stack, PAM_USER_UNKNOWN);
    free(name);
}
END_TEST

/* A principal's full name is one, but no account. */
START_TEST(test_input_name_with_realm_has_no_account)
{
    struct stack stack;

    NEEDS_ROOT();
    common_start(&stack, "alice@PAM.TEST", "no_update_user", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_USER_UNKNOWN);
    EXPECT(pam_open_session(stack.handle, 0), PAM_USER_UNKNOWN);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert(common_logged(LOG_ERR, "no account"));
    stack_end(&stack, PAM_USER_UNKNOWN);
}
END_TEST

/* Who types a realm that has no KDC wakes no administrator. */
START_TEST(test_input_realm_of_nobody_is_no_error)
{
    struct stack stack;

    common_start(&stack, "zoe@NOWHERE.TEST", "", wrong_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    ck_assert(common_logged(LOG_INFO, "no KDC can be reached"));
    ck_assert_uint_eq(common_log_count(LOG_ERR), 0);
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

/* What nobody knows is not logged either while no KDC can say so. */
START_TEST(test_input_name_of_nobody_is_not_logged_without_a_kdc)
{
    struct stack stack;

    NEEDS_ROOT();
    common_config_kdc(common_dead_port());
    common_start(&stack, "s3cret-typed-early", "timeout=2", wrong_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    ck_assert_msg(!stack_logged("s3cret"), "%s", stack_log());
    ck_assert(stack_logged("no KDC can be reached"));
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

START_TEST(test_input_name_of_nobody_is_not_logged_without_a_password)
{
    struct stack stack;

    NEEDS_ROOT();
    common_start(&stack, "s3cret-typed-early", "force_first_pass", no_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_msg(!stack_logged("s3cret"), "%s", stack_log());
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Something else in the cache's place. */

static const char victim[] = PLACE "/victim";

static void
place_link(void)
{
    common_write(victim, "precious", common_uid("alice"), 0600);
    ck_assert_int_eq(symlink(victim, PATH), 0);
    ck_assert_int_eq(lchown(PATH, common_uid("alice"), common_uid("alice")), 0);
}

/* To a cache of the user's own that is good. */
static void
place_link_to_cache(void)
{
    static const int64_t lifetimes[2] = {3600, 86400};

    common_kinit("FILE:" PLACE "/victim", "alice", "alice", lifetimes,
                 NO_SERVICE);
    ck_assert_int_eq(symlink(victim, PATH), 0);
    ck_assert_int_eq(lchown(PATH, common_uid("alice"), common_uid("alice")), 0);
}

static void
place_foreign_link(void)
{
    common_write(victim, "precious", common_uid("alice"), 0600);
    ck_assert_int_eq(symlink(victim, PATH), 0);
    ck_assert_int_eq(lchown(PATH, common_uid("bob"), common_uid("bob")), 0);
}

static void
place_dangling_link(void)
{
    ck_assert_int_eq(symlink(PLACE "/nowhere", PATH), 0);
    ck_assert_int_eq(lchown(PATH, common_uid("bob"), common_uid("bob")), 0);
}

static void
place_directory(void)
{
    ck_assert_int_eq(mkdir(PATH, 0777), 0);
    ck_assert_int_eq(chown(PATH, common_uid("alice"), common_uid("alice")), 0);
}

static void
place_fifo(void)
{
    ck_assert_int_eq(mkfifo(PATH, 0666), 0);
    ck_assert_int_eq(chmod(PATH, 0666), 0);
    ck_assert_int_eq(chown(PATH, common_uid("bob"), common_uid("bob")), 0);
}

static void
place_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PATH};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    ck_assert_int_eq(chown(PATH, common_uid("alice"), common_uid("alice")), 0);
}

static void
place_foreign_file(void)
{
    common_write(PATH, "precious", common_uid("bob"), 0666);
}

/* Bob's cache, which everybody may read. */
static void
place_foreign_cache(void)
{
    static const int64_t lifetimes[2] = {3600, 86400};

    common_kinit(CACHE, "bob", "bob", lifetimes, NO_SERVICE);
    ck_assert_int_eq(chmod(PATH, 0666), 0);
}

static void
place_unreadable(void)
{
    common_write(PATH, "precious", common_uid("alice"), 0000);
}

static void
place_garbage(void)
{
    common_write(PATH, "this is no cache\n", common_uid("alice"), 0600);
}

/* A cache of the user's that is cut short. */
static void
place_half(void)
{
    static const int64_t lifetimes[2] = {3600, 86400};

    common_kinit(CACHE, "alice", "alice", lifetimes, NO_SERVICE);
    ck_assert_int_eq(truncate(PATH, 300), 0);
}

struct obstacle {
    const char *name;
    void (*place)(void);
    const char *cause; /* what the log says of it */
};

static const struct obstacle obstacles[] = {
    {"link", place_link, "symbolic link"},
    {"link to a cache", place_link_to_cache, "symbolic link"},
    {"foreign link", place_foreign_link, "symbolic link"},
    {"dangling link", place_dangling_link, "symbolic link"},
    {"directory", place_directory, "directory"},
    {"fifo", place_fifo, "not a regular file"},
    {"socket", place_socket, "not a regular file"},
    {"foreign file", place_foreign_file, "another user"},
    {"foreign cache", place_foreign_cache, "another user"},
    {"unreadable file", place_unreadable, "ermission"},
    {"garbage", place_garbage, "ormat"},
};

#define OBSTACLE_COUNT (int)(sizeof(obstacles) / sizeof(obstacles[0]))

/* What is in the cache's place, and what a link there leads to. */
struct scene {
    struct snapshot place;
    struct snapshot victim;
    size_t entries;
};

static struct scene
set_scene(const struct obstacle *obstacle)
{
    struct scene scene;

    obstacle->place();
    scene.place = common_snapshot(PATH);
    scene.victim = common_snapshot(victim);
    scene.entries = common_count(PLACE, "");
    return scene;
}

/* After CALL gave CODE: all is as it was, and the log says what and why. */
static void
assert_scene(const struct scene *scene, const struct obstacle *obstacle)
{
    common_assert_same(&scene->place, PATH);
    common_assert_same(&scene->victim, victim);
    assert_entries(PLACE, scene->entries);
    ck_assert_msg(common_logged(LOG_ERR, PATH) && stack_logged(obstacle->cause),
                  "%s: log says:\n%s", obstacle->name, stack_log());
}

START_TEST(test_input_obstacle_for_establish_is_left_alone)
{
    const struct obstacle *obstacle = &obstacles[_i];
    struct stack stack;
    struct scene scene;

    NEEDS_ROOT();
    common_login(&stack, fixed);
    scene = set_scene(obstacle);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    assert_scene(&scene, obstacle);
    ck_assert_ptr_null(common_cache(&stack));
    EXPECT(pam_open_session(stack.handle, 0), PAM_SESSION_ERR);
    assert_scene(&scene, obstacle);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    assert_scene(&scene, obstacle);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_obstacle_for_refresh_is_left_alone)
{
    const struct obstacle *obstacle = &obstacles[_i];
    struct stack stack;
    struct scene scene;

    NEEDS_ROOT();
    scene = set_scene(obstacle);
    common_start(&stack, "alice", "", no_answers);
    common_set_cache(&stack, CACHE);
    EXPECT(pam_setcred(stack.handle, PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    assert_scene(&scene, obstacle);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_obstacle_for_reinitialize_is_left_alone)
{
    const struct obstacle *obstacle = &obstacles[_i];
    struct stack stack;
    struct scene scene;

    NEEDS_ROOT();
    common_login(&stack, "");
    common_set_cache(&stack, CACHE);
    scene = set_scene(obstacle);
    EXPECT(pam_setcred(stack.handle, PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    assert_scene(&scene, obstacle);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* What has come into the place of a session's cache is not the session's. */
START_TEST(test_input_obstacle_for_close_is_left_alone)
{
    const struct obstacle *obstacle = &obstacles[_i];
    struct stack stack;
    struct scene scene;

    NEEDS_ROOT();
    common_establish(&stack, fixed);
    ck_assert_int_eq(unlink(PATH), 0);
    scene = set_scene(obstacle);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SESSION_ERR);
    assert_scene(&scene, obstacle);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
    /* Its record is for reap. */
    ck_assert_uint_eq(records_of_the_gone(), 1);
}
END_TEST

START_TEST(test_input_obstacle_for_delete_is_left_alone)
{
    const struct obstacle *obstacle = &obstacles[_i];
    struct stack stack;
    struct scene scene;

    NEEDS_ROOT();
    common_establish(&stack, fixed);
    ck_assert_int_eq(unlink(PATH), 0);
    scene = set_scene(obstacle);
    EXPECT(pam_setcred(stack.handle, PAM_DELETE_CRED), PAM_CRED_ERR);
    assert_scene(&scene, obstacle);
    stack_end(&stack, PAM_SUCCESS);
    /* Its record is for reap. */
    ck_assert_uint_eq(records_of_the_gone(), 1);
}
END_TEST

/* The user's own plain file there is his cache, whatever he has made of it. */
START_TEST(test_input_spoilt_cache_goes_at_close)
{
    const struct obstacle *obstacle = &obstacles[_i];
    struct stack stack;

    NEEDS_ROOT();
    common_establish(&stack, fixed);
    ck_assert_int_eq(unlink(PATH), 0);
    obstacle->place();
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    assert_entries(PLACE, 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The beginning of a cache of his is his, and his login mends it. */
START_TEST(test_input_half_a_cache_is_replaced_by_reinitialize)
{
    struct stack stack;
    struct snapshot before;

    NEEDS_ROOT();
    place_half();
    before = common_snapshot(CACHE);
    common_login(&stack, "");
    common_set_cache(&stack, CACHE);
    EXPECT(pam_setcred(stack.handle, PAM_REFRESH_CRED), PAM_SUCCESS);
    ck_assert_uint_ne(common_snapshot(CACHE).inode, before.inode);
    ck_assert_int_eq(common_look(CACHE, "alice").tgts, 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_half_a_cache_is_left_alone_by_refresh)
{
    struct stack stack;
    struct snapshot before;

    NEEDS_ROOT();
    place_half();
    before = common_snapshot(CACHE);
    common_start(&stack, "alice", "", no_answers);
    common_set_cache(&stack, CACHE);
    EXPECT(pam_setcred(stack.handle, PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    common_assert_same(&before, CACHE);
    assert_said(PATH, "no TGT");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Disks and directories. */

static void
mount_disk(const char *options)
{
    ck_assert_int_eq(mkdir(DISK, 0755), 0);
    ck_assert_int_eq(mount("none", DISK, "tmpfs", 0, options), 0);
}

static void
unmount_disk(void)
{
    ck_assert_int_eq(umount(DISK), 0);
    ck_assert_int_eq(rmdir(DISK), 0);
}

/* Writes to DISK until nothing more fits. */
static void
fill_disk(void)
{
    static const char block[4096] = {1};
    int fd = open(DISK "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    while (write(fd, block, sizeof(block)) > 0) {
    }
    ck_assert_int_eq(errno, ENOSPC);
    (void)close(fd);
}

static const char disk_cache[] = "FILE:" DISK "/cc";

START_TEST(test_input_full_disk_for_establish_leaves_nothing)
{
    static const char *const templates[] = {
        "ccache=FILE:" DISK "/cc", "ccache=FILE:" DISK "/cc_%{uid}_XXXXXX",
        ("ccache_dir=" DISK)};
    struct stack stack;

    NEEDS_ROOT();
    mount_disk("size=64k,mode=1777");
    common_login(&stack, templates[_i]);
    fill_disk();
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    assert_said(DISK, "o space left");
    assert_entries(DISK, 1);
    ck_assert_ptr_null(common_cache(&stack));
    EXPECT(pam_open_session(stack.handle, 0), PAM_SESSION_ERR);
    assert_entries(DISK, 1);
    /* And when there is room again, the login goes on. */
    ck_assert_int_eq(unlink(DISK "/filler"), 0);
    EXPECT(pam_open_session(stack.handle, 0), PAM_SUCCESS);
    assert_entries(DISK, 1);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    assert_entries(DISK, 0);
    stack_end(&stack, PAM_SUCCESS);
    unmount_disk();
}
END_TEST

/* No inode is left: the file cannot even be made. */
START_TEST(test_input_disk_without_inodes_for_establish_leaves_nothing)
{
    struct stack stack;

    NEEDS_ROOT();
    mount_disk("nr_inodes=1,mode=1777");
    common_login(&stack, "ccache_dir=" DISK);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    assert_said(DISK, "o space left");
    assert_entries(DISK, 0);
    stack_end(&stack, PAM_SUCCESS);
    unmount_disk();
}
END_TEST

static void
kinit_renewable(const char *name)
{
    static const int64_t lifetimes[2] = {3600, 86400};

    common_kinit(name, "alice", "alice", lifetimes, WITH_SERVICE);
}

START_TEST(test_input_full_disk_for_refresh_keeps_the_old_cache)
{
    struct stack stack;
    struct snapshot before;

    NEEDS_ROOT();
    mount_disk("size=64k,mode=1777");
    kinit_renewable(disk_cache);
    before = common_snapshot(disk_cache);
    fill_disk();
    common_start(&stack, "alice", "", no_answers);
    common_set_cache(&stack, disk_cache);
    EXPECT(pam_setcred(stack.handle, PAM_REFRESH_CRED), PAM_CRED_ERR);
    assert_said(DISK "/cc", "o space left");
    common_assert_same(&before, disk_cache);
    assert_entries(DISK, 2);
    stack_end(&stack, PAM_SUCCESS);
    unmount_disk();
}
END_TEST

START_TEST(test_input_full_disk_for_reinitialize_keeps_the_old_cache)
{
    struct stack stack;
    struct snapshot before;

    NEEDS_ROOT();
    mount_disk("size=64k,mode=1777");
    kinit_renewable(disk_cache);
    common_login(&stack, "");
    common_set_cache(&stack, disk_cache);
    before = common_snapshot(disk_cache);
    fill_disk();
    EXPECT(pam_setcred(stack.handle, PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    assert_said(DISK "/cc", "o space left");
    common_assert_same(&before, disk_cache);
    assert_entries(DISK, 2);
    stack_end(&stack, PAM_SUCCESS);
    unmount_disk();
}
END_TEST

/* Read-only: establish fails, refresh keeps, close says what it leaves. */
START_TEST(test_input_read_only_mount_is_said)
{
    struct stack stack;
    struct stack other;
    struct snapshot before;

    NEEDS_ROOT();
    mount_disk("mode=1777");
    common_establish(&stack, "ccache=FILE:" DISK "/cc");
    before = common_snapshot(disk_cache);
    ck_assert_int_eq(mount("none", DISK, "tmpfs", MS_REMOUNT | MS_RDONLY, ""),
                     0);
    common_login(&other, "ccache_dir=" DISK);
    EXPECT(pam_setcred(other.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    assert_said(DISK "/krb5cc_", "ead-only");
    common_set_cache(&other, disk_cache);
    EXPECT(pam_setcred(other.handle, PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    assert_said(DISK "/cc", "ead-only");
    stack_end(&other, PAM_SUCCESS);
    common_assert_same(&before, disk_cache);
    stack_log_clear();
    EXPECT(pam_close_session(stack.handle, 0), PAM_SESSION_ERR);
    assert_said(DISK "/cc", "ead-only");
    common_assert_same(&before, disk_cache);
    stack_end(&stack, PAM_SUCCESS);
    /* Its record is for reap. */
    ck_assert_uint_eq(records_of_the_gone(), 1);
    unmount_disk();
}
END_TEST

struct directory {
    const char *path;
    const char *owner;
    mode_t mode;
    const char *cause;
};

/* Directories in which the user may make no cache. */
START_TEST(test_input_forbidden_directory_for_establish_is_said)
{
    static const struct directory directories[] = {
        {PLACE "/d", "root", 0755, "ermission denied"},
        {PLACE "/d", "root", 0700, "ermission denied"},
        {PLACE "/d", "alice", 0500, "ermission denied"},
        {PLACE "/d", "alice", 0000, "ermission denied"},
        {PLACE "/d", "bob", 0700, "ermission denied"},
    };
    const struct directory *directory = &directories[_i];
    struct stack stack;

    NEEDS_ROOT();
    ck_assert_int_eq(mkdir(directory->path, 0700), 0);
    ck_assert_int_eq(chown(directory->path, common_uid(directory->owner),
                           common_uid(directory->owner)),
                     0);
    ck_assert_int_eq(chmod(directory->path, directory->mode), 0);
    common_login(&stack, "ccache_dir=" PLACE "/d");
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    assert_said(common_with_uids(PLACE "/d/krb5cc_<alice>_"), directory->cause);
    assert_entries(PLACE "/d", 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_missing_directory_for_establish_is_said)
{
    struct stack stack;

    NEEDS_ROOT();
    common_login(&stack, "ccache_dir=" PLACE "/nowhere");
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    assert_said(common_with_uids(PLACE "/nowhere/krb5cc_<alice>_"),
                "o such file");
    assert_entries(PLACE, 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A directory that allows no new file: the cache can be read, not replaced. */
START_TEST(test_input_read_only_directory_for_refresh_keeps_the_cache)
{
    struct stack stack;
    struct snapshot before;

    NEEDS_ROOT();
    kinit_renewable(CACHE);
    ck_assert_int_eq(chmod(PLACE, 0755), 0);
    before = common_snapshot(CACHE);
    common_start(&stack, "alice", "", no_answers);
    common_set_cache(&stack, CACHE);
    EXPECT(pam_setcred(stack.handle, PAM_REFRESH_CRED), PAM_CRED_ERR);
    assert_said(PATH, "ermission denied");
    common_assert_same(&before, CACHE);
    assert_entries(PLACE, 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_removed_home_logs_in)
{
    struct stack stack;
    int codes[3];

    NEEDS_ROOT();
    ck_assert_int_eq(rename("/tmp/home/alice", PLACE "/away"), 0);
    common_start(&stack, "alice", "", alice_answers);
    codes[0] = pam_authenticate(stack.handle, 0);
    codes[1] = pam_setcred(stack.handle, PAM_ESTABLISH_CRED);
    codes[2] = pam_close_session(stack.handle, 0);
    ck_assert_int_eq(rename(PLACE "/away", "/tmp/home/alice"), 0);
    EXPECT(codes[0], PAM_SUCCESS);
    EXPECT(codes[1], PAM_SUCCESS);
    EXPECT(codes[2], PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_removed_home_for_a_cache_in_it_is_said)
{
    struct stack stack;
    int code = PAM_SUCCESS;

    NEEDS_ROOT();
    common_login(&stack, "ccache_dir=/tmp/home/alice");
    ck_assert_int_eq(rename("/tmp/home/alice", PLACE "/away"), 0);
    code = pam_setcred(stack.handle, PAM_ESTABLISH_CRED);
    ck_assert_int_eq(rename(PLACE "/away", "/tmp/home/alice"), 0);
    EXPECT(code, PAM_CRED_ERR);
    assert_said("/tmp/home/alice/krb5cc", "o such file");
    assert_entries("/tmp/home/alice", 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Limits of the host. */

/* In a child that may write files of so many bytes: a refresh, or a login. */
struct limited {
    rlim_t bytes;
    int (*call)(struct stack *stack);
};

static int
call_refresh(struct stack *stack)
{
    /* No assertion here: Check writes a file at each. */
    if (pam_putenv(stack->handle, "KRB5CCNAME=" CACHE) != PAM_SUCCESS) {
        return 96;
    }
    return pam_setcred(stack->handle, PAM_REFRESH_CRED);
}

static int
call_establish(struct stack *stack)
{
    int code = pam_authenticate(stack->handle, 0);

    return code != PAM_SUCCESS ? 100 + code
                               : pam_setcred(stack->handle, PAM_ESTABLISH_CRED);
}

static int
in_limits(void *data)
{
    const struct limited *limited = data;
    const struct rlimit limit = {limited->bytes, limited->bytes};
    struct stack stack;
    int code = 0;

    common_start(&stack, "alice", "ccache_dir=" PLACE, alice_answers);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0) {
        return 99;
    }
    code = limited->call(&stack);
    if (code == PAM_SUCCESS &&
        pam_close_session(stack.handle, 0) != PAM_SUCCESS) {
        code = 98;
    }
    stack_end(&stack, PAM_SUCCESS);
    return code;
}

static int
run_limited(rlim_t bytes, int (*call)(struct stack *stack))
{
    struct limited limited = {.bytes = bytes, .call = call};

    return common_in_child((struct ids){0, 0, 0}, 0, in_limits, &limited);
}

/* Whatever part of the new cache fits: the old one whole or the new one. */
START_TEST(test_input_file_size_limit_for_refresh_keeps_the_old_cache)
{
    struct snapshot before;

    NEEDS_ROOT();
    kinit_renewable(CACHE);
    before = common_snapshot(CACHE);
    for (rlim_t bytes = 0; bytes < before.size - 100; bytes += 97) {
        int code = run_limited(bytes, call_refresh);

        ck_assert_msg(code == PAM_CRED_ERR, "%zu bytes: %d", (size_t)bytes,
                      code);
        common_assert_same(&before, CACHE);
        assert_entries(PLACE, 1);
    }
    ck_assert_int_eq(run_limited(before.size + 1000, call_refresh),
                     PAM_SUCCESS);
    ck_assert_uint_ne(common_snapshot(CACHE).inode, before.inode);
}
END_TEST

START_TEST(test_input_file_size_limit_for_establish_leaves_nothing)
{
    NEEDS_ROOT();
    for (rlim_t bytes = 0; bytes < 800; bytes += 97) {
        int code = run_limited(bytes, call_establish);

        ck_assert_msg(code == PAM_CRED_ERR, "%zu bytes: %d", (size_t)bytes,
                      code);
        assert_entries(PLACE, 0);
    }
    ck_assert_int_eq(run_limited(65536, call_establish), PAM_SUCCESS);
    assert_entries(PLACE, 0);
}
END_TEST

/* Helpers that are none. */

/* The launcher in `folder`; what calls it is told by launcher_arguments. */
static char *
launcher_path(void)
{
    return suite_path(folder, "helper");
}

static void
write_launcher(const char *text, mode_t mode)
{
    char *path = launcher_path();

    (void)unlink(path);
    (void)rmdir(path);
    common_write(path, text, geteuid(), mode);
    free(path);
}

/* A launcher of the real helper. */
static void
write_honest_launcher(void)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "#!/bin/sh\nexec '%s'\n",
                   stack_helper());
    write_launcher(text, 0755);
}

static void
start_launched(struct stack *stack, const char *more,
               const char *const *answers)
{
    char *path = launcher_path();
    char arguments[1024];

    (void)snprintf(arguments, sizeof(arguments), "helper=%s timeout=%d %s",
                   path, TIMEOUT_S, more);
    common_start(stack, "alice", arguments, answers);
    free(path);
}

static void
break_missing(void)
{
    char *path = launcher_path();

    ck_assert_int_eq(unlink(path), 0);
    free(path);
}

static void
break_not_executable(void)
{
    write_launcher("#!/bin/sh\nexit 0\n", 0644);
}

static void
break_directory(void)
{
    char *path = launcher_path();

    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    free(path);
}

static void
break_link(void)
{
    char *path = launcher_path();

    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(stack_helper(), path), 0);
    free(path);
}

static void
break_no_program(void)
{
    write_launcher("\x7f"
                   "ELF, it says",
                   0755);
}

static void
break_exits(void)
{
    write_launcher("#!/bin/sh\nexit 0\n", 0755);
}

static void
break_dies(void)
{
    write_launcher("#!/bin/sh\nkill -KILL $$\n", 0755);
}

static void
break_nonsense(void)
{
    write_launcher("#!/bin/sh\necho 'What do you want of me?' >&3\n"
                   "cat <&3 >/dev/null\n",
                   0755);
}

/* A header that promises more than will ever come. */
static void
break_half(void)
{
    write_launcher("#!/bin/sh\nprintf '\\0\\0\\1\\0\\0\\1\\0\\2' >&3\n"
                   "cat <&3 >/dev/null\n",
                   0755);
}

/* Never answers; ends when the module has hung up. */
static void
break_silent(void)
{
    write_launcher("#!/bin/sh\ncat <&3 >/dev/null\n", 0755);
}

/* Takes not even the request. */
static void
break_deaf(void)
{
    write_launcher("#!/bin/sh\nexec 3<&-\nexit 0\n", 0755);
}

struct breakage {
    const char *name;
    void (*cause_it)(void);
    const char *cause;
};

static const struct breakage breakages[] = {
    {"missing", break_missing, "o such file"},
    {"not executable", break_not_executable, "ermission denied"},
    {"a directory", break_directory, "directory"},
    {"a link", break_link, "symbolic link"},
    {"no program", break_no_program, "ormat"},
    {"exits", break_exits, "died"},
    {"dies", break_dies, "died"},
    {"talks nonsense", break_nonsense, "helper"},
    {"half a message", break_half, "within the limit"},
    {"silent", break_silent, "within the limit"},
    {"deaf", break_deaf, "died"},
};

#define BREAKAGE_COUNT (int)(sizeof(breakages) / sizeof(breakages[0]))

/* One call with a helper that is broken, in time and said. */
static void
expect_broken(const struct breakage *breakage, struct stack *stack,
              int (*call)(pam_handle_t *handle, int flags), const int wanted[2])
{
    int64_t start = now_ms();
    int code = call(stack->handle, wanted[0]);
    int64_t took = now_ms() - start;

    ck_assert_msg(code == wanted[1], "%s gave %s; log:\n%s", breakage->name,
                  pam_strerror(NULL, code), stack_log());
    ck_assert_msg(took <= TIMEOUT_S * 1000 + LATE_MS, "%s took %lld ms",
                  breakage->name, (long long)took);
    ck_assert_msg(common_logged(LOG_ERR, "helper") &&
                      common_logged(LOG_ERR, breakage->cause) &&
                      common_logged(LOG_ERR, "alice"),
                  "%s: log says:\n%s", breakage->name, stack_log());
}

START_TEST(test_input_broken_helper_for_authenticate)
{
    static const int wanted[2] = {0, PAM_AUTHINFO_UNAVAIL};
    const struct breakage *breakage = &breakages[_i];
    struct stack stack;

    NEEDS_ROOT();
    write_honest_launcher();
    breakage->cause_it();
    start_launched(&stack, "", alice_answers);
    expect_broken(breakage, &stack, pam_authenticate, wanted);
    /* For the modules behind. */
    ck_assert_uint_eq(stack_prompts(&stack), 1);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_broken_helper_for_establish)
{
    static const int wanted[2] = {PAM_ESTABLISH_CRED, PAM_CRED_ERR};
    const struct breakage *breakage = &breakages[_i];
    struct stack stack;

    NEEDS_ROOT();
    write_honest_launcher();
    start_launched(&stack, "ccache_dir=" PLACE, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    breakage->cause_it();
    expect_broken(breakage, &stack, pam_setcred, wanted);
    assert_entries(PLACE, 0);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_broken_helper_for_refresh)
{
    static const int wanted[2] = {PAM_REFRESH_CRED, PAM_CRED_UNAVAIL};
    const struct breakage *breakage = &breakages[_i];
    struct snapshot before;
    struct stack stack;

    NEEDS_ROOT();
    kinit_renewable(CACHE);
    before = common_snapshot(CACHE);
    write_honest_launcher();
    breakage->cause_it();
    start_launched(&stack, "", no_answers);
    common_set_cache(&stack, CACHE);
    expect_broken(breakage, &stack, pam_setcred, wanted);
    common_assert_same(&before, CACHE);
    assert_entries(PLACE, 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_broken_helper_for_reinitialize)
{
    static const int wanted[2] = {PAM_REINITIALIZE_CRED, PAM_CRED_ERR};
    const struct breakage *breakage = &breakages[_i];
    struct snapshot before;
    struct stack stack;

    NEEDS_ROOT();
    kinit_renewable(CACHE);
    before = common_snapshot(CACHE);
    write_honest_launcher();
    start_launched(&stack, "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    breakage->cause_it();
    common_set_cache(&stack, CACHE);
    expect_broken(breakage, &stack, pam_setcred, wanted);
    common_assert_same(&before, CACHE);
    assert_entries(PLACE, 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The cache stays, and the log says so. */
START_TEST(test_input_broken_helper_for_close)
{
    static const int wanted[2] = {0, PAM_SESSION_ERR};
    const struct breakage *breakage = &breakages[_i];
    struct snapshot before;
    struct stack stack;

    NEEDS_ROOT();
    write_honest_launcher();
    start_launched(&stack, fixed, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    before = common_snapshot(CACHE);
    breakage->cause_it();
    expect_broken(breakage, &stack, pam_close_session, wanted);
    common_assert_same(&before, CACHE);
    ck_assert(stack_logged("left behind"));
    stack_end(&stack, PAM_SUCCESS);
    /* Its record is for reap. */
    ck_assert_uint_eq(records_of_the_gone(), 1);
}
END_TEST

/*
 * A helper that is killed.  The launcher starts this program as --launch N,
 * which forks somebody who watches it (ptrace(2)) become the helper and kills
 * it at its Nth call of those that change something or say something.
 */

static bool
is_counted(uint64_t number)
{
    static const long counted[] = {
        SYS_openat,   SYS_write,    SYS_sendto,    SYS_unlinkat,
        SYS_fsync,    SYS_renameat, SYS_renameat2, SYS_ftruncate,
        SYS_recvfrom, SYS_fchmod,   SYS_clone,
#ifdef SYS_open
        SYS_open,     SYS_unlink,   SYS_rename,
#endif
    };

    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        if (number == (uint64_t)counted[i]) {
            return true;
        }
    }
    return false;
}

/*
 * Leaves the word that PID was killed, and kills it in letting go: its parent
 * could not reap it as long as we watch.
 */
static void
kill_and_say(pid_t pid, const char *flag)
{
    int fd = open(flag, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)close(fd);
    (void)ptrace(PTRACE_DETACH, pid, NULL, SIGKILL);
}

/* The one who watches; PID is ours, and stays ours until waited for. */
static void
watch(pid_t pid, int wanted, const char *flag)
{
    bool is_helper = false;
    int counted = 0;
    int status = 0;

    while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
        int signal = 0;

        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
            is_helper = true;
        } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            struct ptrace_syscall_info info = {0};

            (void)ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY &&
                info.entry.nr == SYS_exit_group) {
                /* A tracer would come between a zombie and its parent. */
                (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
                return;
            }
            if (is_helper && info.op == PTRACE_SYSCALL_INFO_ENTRY &&
                is_counted(info.entry.nr) && ++counted == wanted) {
                kill_and_say(pid, flag);
                return;
            }
        } else if (status >> 16 == 0) {
            signal = WSTOPSIG(status);
        }
        (void)ptrace(PTRACE_SYSCALL, pid, NULL, signal);
    }
}

static int
launch(int wanted, const char *helper, const char *flag)
{
    char name[] = "krb5cc-helper";
    char *const arguments[] = {name, NULL};
    pid_t self = getpid();
    int pipe_fds[2];
    char byte = 0;

    if (access(flag, F_OK) == 0) {
        /* It has been killed once: that is enough. */
        return execv(helper, arguments);
    }
    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        return 1;
    }
    if (fork() == 0) {
        /* The socket must end when the helper does. */
        (void)close(3);
        if (ptrace(PTRACE_SEIZE, self, NULL,
                   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) == 0 &&
            ptrace(PTRACE_INTERRUPT, self, NULL, NULL) == 0) {
            (void)!write(pipe_fds[1], "", 1);
            watch(self, wanted, flag);
        }
        _exit(0);
    }
    (void)close(pipe_fds[1]);
    if (read(pipe_fds[0], &byte, 1) != 1) {
        return 1;
    }
    return execv(helper, arguments);
}

static char *
flag_path(void)
{
    return suite_path(folder, "killed");
}

/* A launcher whose helper is killed at its Nth call of those counted. */
static void
write_killing_launcher(int n)
{
    char *flag = flag_path();
    char self[512] = "";
    char text[2048];

    ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    (void)unlink(flag);
    (void)snprintf(text, sizeof(text),
                   "#!/bin/sh\nexec '%s' --launch %d '%s' '%s'\n", self, n,
                   stack_helper(), flag);
    write_launcher(text, 0755);
    free(flag);
}

/* Whether the helper was killed since the launcher was written. */
static bool
was_killed(void)
{
    char *flag = flag_path();
    bool was = access(flag, F_OK) == 0;

    free(flag);
    return was;
}

/* No more calls than this are counted in any job, or nothing is. */
#define KILLS_MAX 400

START_TEST(test_input_helper_killed_in_authenticate_leaves_nothing)
{
    int kills = 0;

    NEEDS_ROOT();
    for (;; kills++) {
        struct stack stack;
        int code = PAM_SUCCESS;

        ck_assert_int_lt(kills, KILLS_MAX);
        write_killing_launcher(kills + 1);
        start_launched(&stack, "", alice_answers);
        code = pam_authenticate(stack.handle, 0);
        if (!was_killed()) {
            EXPECT(code, PAM_SUCCESS);
            stack_end(&stack, PAM_SUCCESS);
            break;
        }
        /* Killed behind its result, it has been of use. */
        ck_assert_msg(code == PAM_AUTHINFO_UNAVAIL || code == PAM_SUCCESS,
                      "killed at call %d: %s; log:\n%s", kills + 1,
                      pam_strerror(NULL, code), stack_log());
        ck_assert_msg(code == PAM_SUCCESS || common_logged(LOG_ERR, "died"),
                      "%s", stack_log());
        ck_assert_uint_eq(common_count("/tmp", "krb5cc"), 0);
        stack_end(&stack, code);
    }
    ck_assert_int_gt(kills, 10);
}
END_TEST

START_TEST(test_input_helper_killed_in_establish_leaves_nothing)
{
    int kills = 0;

    NEEDS_ROOT();
    for (;; kills++) {
        struct stack stack;
        int code = PAM_SUCCESS;
        bool is_dead = false;

        ck_assert_int_lt(kills, KILLS_MAX);
        write_honest_launcher();
        start_launched(&stack, "ccache_dir=" PLACE, alice_answers);
        EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
        write_killing_launcher(kills + 1);
        code = pam_setcred(stack.handle, PAM_ESTABLISH_CRED);
        is_dead = was_killed();
        ck_assert_msg(is_dead || code == PAM_SUCCESS, "%s", stack_log());
        ck_assert_msg(code == PAM_CRED_ERR || code == PAM_SUCCESS,
                      "killed at call %d: %s; log:\n%s", kills + 1,
                      pam_strerror(NULL, code), stack_log());
        if (code == PAM_CRED_ERR) {
            ck_assert(common_logged(LOG_ERR, "died"));
            ck_assert_ptr_null(common_cache(&stack));
            ck_assert_msg(common_count(PLACE, "") == 0,
                          "killed at call %d: something is left", kills + 1);
        }
        /* The one that destroys makes more calls. */
        write_honest_launcher();
        EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
        assert_entries(PLACE, 0);
        stack_end(&stack, PAM_SUCCESS);
        if (!is_dead) {
            break;
        }
    }
    ck_assert_int_gt(kills, 10);
}
END_TEST

/* After each death: the old tickets whole or the new ones whole. */
static void
assert_whole(const struct cache_view *before, int kill)
{
    struct cache_view view = common_look(CACHE, "alice");

    ck_assert_msg(view.readable, "killed at call %d: unreadable", kill);
    ck_assert_str_eq(view.principal, before->principal);
    ck_assert_int_eq(view.tgts, before->tgts);
    ck_assert_int_eq(view.services, before->services);
    common_assert_owned(CACHE, "alice");
}

START_TEST(test_input_helper_killed_in_refresh_leaves_old_or_new)
{
    struct cache_view before;
    int kills = 0;

    NEEDS_ROOT();
    kinit_renewable(CACHE);
    before = common_look(CACHE, "alice");
    for (;; kills++) {
        struct stack stack;
        int code = PAM_SUCCESS;

        ck_assert_int_lt(kills, KILLS_MAX);
        write_killing_launcher(kills + 1);
        start_launched(&stack, "", no_answers);
        common_set_cache(&stack, CACHE);
        code = pam_setcred(stack.handle, PAM_REFRESH_CRED);
        ck_assert_msg(code == PAM_CRED_UNAVAIL || code == PAM_SUCCESS,
                      "killed at call %d: %s; log:\n%s", kills + 1,
                      pam_strerror(NULL, code), stack_log());
        ck_assert(code == PAM_SUCCESS || common_logged(LOG_ERR, "died"));
        assert_whole(&before, kills + 1);
        stack_end(&stack, PAM_SUCCESS);
        if (!was_killed()) {
            EXPECT(code, PAM_SUCCESS);
            break;
        }
    }
    ck_assert_int_gt(kills, 10);
}
END_TEST

START_TEST(test_input_helper_killed_in_reinitialize_leaves_old_or_new)
{
    struct cache_view before;
    int kills = 0;

    NEEDS_ROOT();
    kinit_renewable(CACHE);
    before = common_look(CACHE, "alice");
    for (;; kills++) {
        struct stack stack;
        int code = PAM_SUCCESS;

        ck_assert_int_lt(kills, KILLS_MAX);
        write_honest_launcher();
        start_launched(&stack, "", alice_answers);
        EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
        common_set_cache(&stack, CACHE);
        write_killing_launcher(kills + 1);
        code = pam_setcred(stack.handle, PAM_REINITIALIZE_CRED);
        ck_assert_msg(code == PAM_CRED_ERR || code == PAM_SUCCESS,
                      "killed at call %d: %s; log:\n%s", kills + 1,
                      pam_strerror(NULL, code), stack_log());
        assert_whole(&before, kills + 1);
        stack_end(&stack, PAM_SUCCESS);
        if (!was_killed()) {
            EXPECT(code, PAM_SUCCESS);
            break;
        }
    }
    ck_assert_int_gt(kills, 10);
}
END_TEST

/* Strays: what a replacement leaves that was killed before its rename. */

struct stray {
    const char *name;
    const char *owner;
    int64_t age_s;
    bool is_link;
    bool goes;
};

static const struct stray strays[] = {
    {"cc.abcdef", "alice", 3600, false, true},
    {"cc.aB3dE9", "alice", 3600, false, true},
    {"cc.young1", "alice", 0, false, false},
    {"cc.foreig", "bob", 3600, false, false},
    {"cc.rooted", "root", 3600, false, false},
    {"cc.linked", "alice", 3600, true, false},
    {"cc.longer7", "alice", 3600, false, false},
    {"cc.short", "alice", 3600, false, false},
    {"cc.a-b_cd", "alice", 3600, false, false},
    {"cc.ab.def", "alice", 3600, false, false},
    {"ccabcdefg", "alice", 3600, false, false},
    {"xcc.abcdef", "alice", 3600, false, false},
    {"abcdef", "alice", 3600, false, false},
};

#define STRAY_COUNT (sizeof(strays) / sizeof(strays[0]))

static void
make_stray(const struct stray *stray)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 0}};
    char path[256];

    (void)snprintf(path, sizeof(path), PLACE "/%s", stray->name);
    if (stray->is_link) {
        common_write(victim, "precious", common_uid("alice"), 0600);
        ck_assert_int_eq(symlink(victim, path), 0);
        ck_assert_int_eq(lchown(path, common_uid("alice"), common_uid("alice")),
                         0);
    } else {
        common_write(path, "\5\4half a cache", common_uid(stray->owner), 0600);
    }
    times[1].tv_sec = time(NULL) - (time_t)stray->age_s;
    if (stray->is_link) {
        /* What it leads to is as old. */
        ck_assert_int_eq(utimensat(AT_FDCWD, victim, times, 0), 0);
    }
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void
assert_strays(void)
{
    for (size_t i = 0; i < STRAY_COUNT; i++) {
        char path[256];

        (void)snprintf(path, sizeof(path), PLACE "/%s", strays[i].name);
        ck_assert_msg(common_exists(path) != strays[i].goes, "%s is %s", path,
                      strays[i].goes ? "left" : "gone");
    }
    ck_assert(common_exists(victim));
}

START_TEST(test_input_old_stray_goes_at_refresh)
{
    struct stack stack;

    NEEDS_ROOT();
    /* His own directory: there he may remove what is others', too. */
    ck_assert_int_eq(chown(PLACE, common_uid("alice"), common_uid("alice")), 0);
    ck_assert_int_eq(chmod(PLACE, 0755), 0);
    kinit_renewable(CACHE);
    for (size_t i = 0; i < STRAY_COUNT; i++) {
        make_stray(&strays[i]);
    }
    common_start(&stack, "alice", "", no_answers);
    common_set_cache(&stack, CACHE);
    EXPECT(pam_setcred(stack.handle, PAM_REFRESH_CRED), PAM_SUCCESS);
    assert_strays();
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A cache that is destroyed has no writer: its young strays go with it. */
START_TEST(test_input_every_stray_goes_at_close)
{
    struct stack stack;

    NEEDS_ROOT();
    common_establish(&stack, "ccache=FILE:" PLACE "/cc_XXXXXX");
    ck_assert_int_eq(system("for suffix in abcdef old123; do set " PLACE
                            "/cc_??????;"
                            " cp -p \"$1\" \"$1.$suffix\"; done;"
                            " touch -d '1 hour ago' " PLACE "/*.old123"),
                     0);
    assert_entries(PLACE, 3);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    assert_entries(PLACE, 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* What others put into the directory takes nobody's logout away. */
START_TEST(test_input_crowded_directory_delays_no_close)
{
    struct stack stack;
    int64_t start = 0;

    NEEDS_ROOT();
    common_establish(&stack, "timeout=1 ccache=FILE:" PLACE "/cc_XXXXXX");
    for (int i = 0; i < 20000; i++) {
        char path[256];

        (void)snprintf(path, sizeof(path), PLACE "/crowd.%06d", i);
        ck_assert_int_eq(mknod(path, S_IFREG | 0600, 0), 0);
    }
    start = now_ms();
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_le(now_ms() - start, 1000);
    ck_assert_uint_eq(common_count(PLACE, "cc_"), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* The trace file. */

/* A fifo in the trace's place would hold every login until somebody reads. */
START_TEST(test_input_trace_fifo_stops_nobody)
{
    struct stack stack;

    NEEDS_ROOT();
    place_fifo();
    common_start(&stack, "alice", "timeout=2 trace=" PATH, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    assert_said("trace=" PATH, "");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A link that leads to a file of root's. */
static void
place_link_to_root(void)
{
    common_write(victim, "precious", 0, 0600);
    ck_assert_int_eq(symlink(victim, PATH), 0);
    ck_assert_int_eq(lchown(PATH, common_uid("bob"), common_uid("bob")), 0);
}

/* A second name of a file of root's. */
static void
place_hard_link_to_root(void)
{
    common_write(victim, "precious", 0, 0600);
    ck_assert_int_eq(link(victim, PATH), 0);
}

/* Nobody reads root's traces because he was first to make the file. */
START_TEST(test_input_trace_in_a_foreign_file_is_refused)
{
    static void (*const places[])(void) = {place_foreign_file, place_link,
                                           place_directory, place_link_to_root,
                                           place_hard_link_to_root};
    struct stack stack;
    struct snapshot before;
    struct snapshot victim_before;

    NEEDS_ROOT();
    places[_i]();
    before = common_snapshot(PATH);
    victim_before = common_snapshot(victim);
    common_start(&stack, "alice", "timeout=2 trace=" PATH, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    assert_said("trace=" PATH, "");
    common_assert_same(&before, PATH);
    common_assert_same(&victim_before, victim);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_input_trace_is_written)
{
    struct stack stack;

    NEEDS_ROOT();
    common_start(&stack, "alice", "trace=" PATH, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_eq(system("grep -q 'Getting initial credentials' " PATH
                            " && test \"$(stat -c %u-%a " PATH ")\" = 0-600"),
                     0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

static TCase *
new_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    return tcase;
}

static void
add_obstacles(Suite *suite)
{
    TCase *tcase = new_case(suite, "obstacles");
    /* The last two are the user's own plain files. */
    const int foreign = OBSTACLE_COUNT - 2;

    tcase_add_loop_test(tcase, test_input_obstacle_for_establish_is_left_alone,
                        0, OBSTACLE_COUNT);
    tcase_add_loop_test(tcase, test_input_obstacle_for_refresh_is_left_alone, 0,
                        OBSTACLE_COUNT);
    tcase_add_loop_test(tcase,
                        test_input_obstacle_for_reinitialize_is_left_alone, 0,
                        OBSTACLE_COUNT);
    tcase_add_loop_test(tcase, test_input_obstacle_for_close_is_left_alone, 0,
                        foreign);
    tcase_add_loop_test(tcase, test_input_obstacle_for_delete_is_left_alone, 0,
                        foreign);
    tcase_add_loop_test(tcase, test_input_spoilt_cache_goes_at_close, foreign,
                        OBSTACLE_COUNT);
    tcase_add_test(tcase, test_input_half_a_cache_is_replaced_by_reinitialize);
    tcase_add_test(tcase, test_input_half_a_cache_is_left_alone_by_refresh);
}

static void
add_disks(Suite *suite)
{
    TCase *tcase = new_case(suite, "disks");

    tcase_add_loop_test(
        tcase, test_input_full_disk_for_establish_leaves_nothing, 0, 3);
    tcase_add_test(tcase,
                   test_input_disk_without_inodes_for_establish_leaves_nothing);
    tcase_add_test(tcase, test_input_full_disk_for_refresh_keeps_the_old_cache);
    tcase_add_test(tcase,
                   test_input_full_disk_for_reinitialize_keeps_the_old_cache);
    tcase_add_test(tcase, test_input_read_only_mount_is_said);
    tcase_add_loop_test(
        tcase, test_input_forbidden_directory_for_establish_is_said, 0, 5);
    tcase_add_test(tcase, test_input_missing_directory_for_establish_is_said);
    tcase_add_test(tcase,
                   test_input_read_only_directory_for_refresh_keeps_the_cache);
    tcase_add_test(tcase, test_input_removed_home_logs_in);
    tcase_add_test(tcase, test_input_removed_home_for_a_cache_in_it_is_said);
    tcase_add_test(tcase,
                   test_input_file_size_limit_for_refresh_keeps_the_old_cache);
    tcase_add_test(tcase,
                   test_input_file_size_limit_for_establish_leaves_nothing);
}

static void
add_helpers(Suite *suite)
{
    TCase *tcase = new_case(suite, "helpers");

    tcase_add_loop_test(tcase, test_input_broken_helper_for_authenticate, 0,
                        BREAKAGE_COUNT);
    tcase_add_loop_test(tcase, test_input_broken_helper_for_establish, 0,
                        BREAKAGE_COUNT);
    tcase_add_loop_test(tcase, test_input_broken_helper_for_refresh, 0,
                        BREAKAGE_COUNT);
    tcase_add_loop_test(tcase, test_input_broken_helper_for_reinitialize, 0,
                        BREAKAGE_COUNT);
    tcase_add_loop_test(tcase, test_input_broken_helper_for_close, 0,
                        BREAKAGE_COUNT);

    tcase = new_case(suite, "kills");
    tcase_add_test(tcase,
                   test_input_helper_killed_in_authenticate_leaves_nothing);
    tcase_add_test(tcase, test_input_helper_killed_in_establish_leaves_nothing);
    tcase_add_test(tcase,
                   test_input_helper_killed_in_refresh_leaves_old_or_new);
    tcase_add_test(tcase,
                   test_input_helper_killed_in_reinitialize_leaves_old_or_new);
}

static Suite *
bad_input_suite(void)
{
    Suite *suite = suite_create("bad input");
    TCase *tcase = new_case(suite, "people");

    tcase_add_test(tcase, test_input_password_of_511_characters_logs_in);
    tcase_add_loop_test(
        tcase, test_input_password_too_long_or_empty_is_not_sent, 0, 4);
    tcase_add_loop_test(
        tcase, test_input_stacked_password_too_long_or_empty_asks_no_kdc, 0, 3);
    tcase_add_loop_test(tcase, test_input_odd_name_is_an_unknown_user, 0,
                        NAME_COUNT);
    tcase_add_test(tcase,
                   test_input_name_of_5000_characters_is_an_unknown_user);
    tcase_add_test(tcase, test_input_name_with_realm_has_no_account);
    tcase_add_test(tcase, test_input_realm_of_nobody_is_no_error);
    tcase_add_test(tcase,
                   test_input_name_of_nobody_is_not_logged_without_a_kdc);
    tcase_add_test(tcase,
                   test_input_name_of_nobody_is_not_logged_without_a_password);
    add_obstacles(suite);
    add_disks(suite);
    add_helpers(suite);

    tcase = new_case(suite, "strays");
    tcase_add_test(tcase, test_input_old_stray_goes_at_refresh);
    tcase_add_test(tcase, test_input_every_stray_goes_at_close);
    tcase_add_test(tcase, test_input_crowded_directory_delays_no_close);

    tcase = new_case(suite, "trace");
    tcase_add_test(tcase, test_input_trace_fifo_stops_nobody);
    tcase_add_loop_test(tcase, test_input_trace_in_a_foreign_file_is_refused, 0,
                        5);
    tcase_add_test(tcase, test_input_trace_is_written);
    return suite;
}

int
main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--launch") == 0) {
        return launch(atoi(argv[2]), argv[3], argv[4]);
    }
    return suite_main(bad_input_suite());
}
