/*
 * base/safefs: which paths a program may be run from, directories and files.
 * Where root runs this, "the owner" is root; else it is who runs it, trusted
 * beside root.
 */
#include "base/safefs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/suite.h"

/* Uids that own nothing on any system. */
enum { STRANGER = 54321, SOMEBODY_ELSE = 54322 };

/* DIRECTORY/bin/program, all owned by who runs this. */
struct tree {
    char *directory;
    char *bin;
    char *program;
};

static void
make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(fchmod(fd, 0755), 0);
    ck_assert_int_eq(close(fd), 0);
}

static void
tree_make(struct tree *tree)
{
    tree->directory = suite_tmpdir();
    tree->bin = suite_path(tree->directory, "bin");
    tree->program = suite_path(tree->bin, "program");
    ck_assert_int_eq(mkdir(tree->bin, 0755), 0);
    ck_assert_int_eq(chmod(tree->bin, 0755), 0);
    make_file(tree->program);
}

static void
tree_remove(struct tree *tree)
{
    free(tree->program);
    free(tree->bin);
    suite_remove_tree(tree->directory);
}

/* PATH is judged so for who runs this, about its first AT bytes. */
static void
check_at(const char *path, int expected, size_t at)
{
    size_t got_at = 9999;
    int got = safefs_check_program(path, geteuid(), &got_at);

    ck_assert_msg(got == expected, "%s: %d instead of %d at %zu", path, got,
                  expected, got_at);
    ck_assert_uint_eq(got_at, at);
}

static bool
temporary_place_is_trusted(void)
{
    char *directory = suite_tmpdir();
    char *file = suite_path(directory, "file");
    int status = 0;

    make_file(file);
    status = safefs_check_program(file, geteuid(), NULL);
    free(file);
    suite_remove_tree(directory);
    return status == 0;
}

START_TEST(test_safefs_system_program_is_trusted)
{
    char *path = realpath("/bin/sh", NULL);

    ck_assert_ptr_nonnull(path);
    ck_assert_int_eq(safefs_check_program(path, 0, NULL), 0);
    check_at(path, 0, strlen(path));
    free(path);
}
END_TEST

START_TEST(test_safefs_own_program_is_trusted)
{
    struct tree tree;

    SKIP_UNLESS(temporary_place_is_trusted(), "needs a TMPDIR to trust");
    tree_make(&tree);
    check_at(tree.program, 0, strlen(tree.program));
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_slashes_in_a_row_are_one)
{
    struct tree tree;
    char path[512];

    tree_make(&tree);
    (void)snprintf(path, sizeof(path), "//%s///program", tree.bin);
    ck_assert_int_eq(safefs_check_program(path, geteuid(), NULL), 0);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_link_in_the_middle_is_refused)
{
    struct tree tree;
    char *link = NULL;
    char *path = NULL;

    tree_make(&tree);
    link = suite_path(tree.directory, "link");
    path = suite_path(link, "program");
    ck_assert_int_eq(symlink("bin", link), 0);
    check_at(path, -ELOOP, strlen(link));
    free(path);
    free(link);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_link_at_the_end_is_refused)
{
    struct tree tree;
    char *link = NULL;

    tree_make(&tree);
    link = suite_path(tree.bin, "link");
    ck_assert_int_eq(symlink("program", link), 0);
    check_at(link, -ELOOP, strlen(link));
    free(link);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_link_to_nothing_is_refused)
{
    struct tree tree;
    char *link = NULL;

    tree_make(&tree);
    link = suite_path(tree.bin, "link");
    ck_assert_int_eq(symlink("nothing", link), 0);
    check_at(link, -ELOOP, strlen(link));
    free(link);
    tree_remove(&tree);
}
END_TEST

/* The mode of the directory that the program is in decides so. */
static void
check_directory_mode(mode_t mode, int expected)
{
    struct tree tree;

    tree_make(&tree);
    ck_assert_int_eq(chmod(tree.bin, mode), 0);
    check_at(tree.program, expected,
             strlen(expected == 0 ? tree.program : tree.bin));
    tree_remove(&tree);
}

START_TEST(test_safefs_directory_for_all_is_refused)
{
    check_directory_mode(0777, -EPERM);
    check_directory_mode(0757, -EPERM);
}
END_TEST

START_TEST(test_safefs_directory_for_the_group_is_refused)
{
    check_directory_mode(0775, -EPERM);
}
END_TEST

START_TEST(test_safefs_sticky_directory_is_trusted)
{
    check_directory_mode(01777, 0);
    check_directory_mode(01775, 0);
}
END_TEST

START_TEST(test_safefs_directory_far_above_is_judged)
{
    struct tree tree;

    tree_make(&tree);
    ck_assert_int_eq(chmod(tree.directory, 0777), 0);
    check_at(tree.program, -EPERM, strlen(tree.directory));
    tree_remove(&tree);
}
END_TEST

/* The mode of the program itself decides so. */
static void
check_program_mode(mode_t mode, int expected)
{
    struct tree tree;

    tree_make(&tree);
    ck_assert_int_eq(chmod(tree.program, mode), 0);
    check_at(tree.program, expected, strlen(tree.program));
    tree_remove(&tree);
}

START_TEST(test_safefs_program_for_the_group_is_refused)
{
    check_program_mode(0775, -EPERM);
}
END_TEST

START_TEST(test_safefs_program_for_all_is_refused)
{
    check_program_mode(0757, -EPERM);
}
END_TEST

START_TEST(test_safefs_program_with_a_sticky_bit_gains_nothing)
{
    check_program_mode(01775, -EPERM);
}
END_TEST

START_TEST(test_safefs_program_nobody_may_read_is_trusted)
{
    /* The helper is installed 0711: it is judged without being opened. */
    check_program_mode(0111, 0);
}
END_TEST

START_TEST(test_safefs_program_of_a_stranger_is_refused)
{
    struct tree tree;

    SKIP_UNLESS(geteuid() == 0, "needs root to give a file away");
    tree_make(&tree);
    ck_assert_int_eq(chown(tree.program, STRANGER, 0), 0);
    check_at(tree.program, -EPERM, strlen(tree.program));
    ck_assert_int_eq(safefs_check_program(tree.program, SOMEBODY_ELSE, NULL),
                     -EPERM);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_directory_of_a_stranger_is_refused)
{
    struct tree tree;

    SKIP_UNLESS(geteuid() == 0, "needs root to give a directory away");
    tree_make(&tree);
    ck_assert_int_eq(chown(tree.bin, STRANGER, 0), 0);
    check_at(tree.program, -EPERM, strlen(tree.bin));
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_sticky_directory_of_a_stranger_is_refused)
{
    struct tree tree;

    SKIP_UNLESS(geteuid() == 0, "needs root to give a directory away");
    tree_make(&tree);
    ck_assert_int_eq(chown(tree.bin, STRANGER, 0), 0);
    ck_assert_int_eq(chmod(tree.bin, 01777), 0);
    check_at(tree.program, -EPERM, strlen(tree.bin));
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_program_of_the_owner_is_trusted)
{
    struct tree tree;

    SKIP_UNLESS(geteuid() == 0, "needs root to give a file away");
    tree_make(&tree);
    ck_assert_int_eq(chown(tree.bin, STRANGER, 0), 0);
    ck_assert_int_eq(chown(tree.program, STRANGER, 0), 0);
    ck_assert_int_eq(safefs_check_program(tree.program, STRANGER, NULL), 0);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_program_of_a_user_is_refused_for_root)
{
    struct tree tree;

    tree_make(&tree);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(tree.program, STRANGER, 0), 0);
    }
    ck_assert_int_eq(safefs_check_program(tree.program, 0, NULL), -EPERM);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_directory_at_the_end_is_refused)
{
    struct tree tree;

    tree_make(&tree);
    check_at(tree.bin, -EISDIR, strlen(tree.bin));
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_fifo_at_the_end_is_refused_at_once)
{
    struct tree tree;
    char *fifo = NULL;

    tree_make(&tree);
    fifo = suite_path(tree.bin, "fifo");
    ck_assert_int_eq(mkfifo(fifo, 0700), 0);
    check_at(fifo, -EACCES, strlen(fifo));
    free(fifo);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_device_at_the_end_is_refused)
{
    /* Its mode is judged after what it is. */
    ck_assert_int_eq(safefs_check_program("/dev/null", geteuid(), NULL),
                     -EACCES);
}
END_TEST

START_TEST(test_safefs_file_in_the_middle_is_refused)
{
    struct tree tree;
    char *path = NULL;

    tree_make(&tree);
    path = suite_path(tree.program, "more");
    check_at(path, -ENOTDIR, strlen(tree.program));
    free(path);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_relative_path_is_refused)
{
    check_at("bin/sh", -EINVAL, 0);
    check_at("", -EINVAL, 0);
    check_at("./sh", -EINVAL, 0);
}
END_TEST

START_TEST(test_safefs_dot_in_the_path_is_refused)
{
    struct tree tree;
    char path[512];

    tree_make(&tree);
    (void)snprintf(path, sizeof(path), "%s/./program", tree.bin);
    check_at(path, -EINVAL, strlen(tree.bin) + 2);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_dot_dot_in_the_path_is_refused)
{
    struct tree tree;
    char path[512];

    tree_make(&tree);
    (void)snprintf(path, sizeof(path), "%s/../bin/program", tree.bin);
    check_at(path, -EINVAL, strlen(tree.bin) + 3);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_dots_at_the_start_of_a_name_are_a_name)
{
    struct tree tree;
    char *program = NULL;

    tree_make(&tree);
    program = suite_path(tree.bin, "..program");
    make_file(program);
    check_at(program, 0, strlen(program));
    free(program);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_missing_program_is_told)
{
    struct tree tree;
    char *path = NULL;

    tree_make(&tree);
    path = suite_path(tree.bin, "missing");
    check_at(path, -ENOENT, strlen(path));
    free(path);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_missing_directory_is_told)
{
    struct tree tree;
    char *missing = NULL;
    char *path = NULL;

    tree_make(&tree);
    missing = suite_path(tree.directory, "missing");
    path = suite_path(missing, "program");
    check_at(path, -ENOENT, strlen(missing));
    free(path);
    free(missing);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_slash_after_a_program_is_refused)
{
    struct tree tree;
    char path[512];

    tree_make(&tree);
    (void)snprintf(path, sizeof(path), "%s/", tree.program);
    check_at(path, -ENOTDIR, strlen(tree.program));
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_slash_after_a_directory_is_refused)
{
    struct tree tree;
    char path[512];

    tree_make(&tree);
    (void)snprintf(path, sizeof(path), "%s/", tree.bin);
    check_at(path, -EISDIR, strlen(tree.bin));
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_root_directory_is_refused)
{
    check_at("/", -EISDIR, 0);
    check_at("///", -EISDIR, 0);
}
END_TEST

START_TEST(test_safefs_component_that_is_too_long_is_refused)
{
    char path[600];

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[256] = '\0';
    check_at(path, -ENOENT, 256);
    path[256] = 'a';
    path[257] = '\0';
    check_at(path, -ENAMETOOLONG, 257);
    path[257] = 'a';
    path[599] = '\0';
    check_at(path, -ENAMETOOLONG, 599);
}
END_TEST

START_TEST(test_safefs_answer_leaves_no_descriptor)
{
    struct tree tree;
    char endless[400];
    const char *const refused[] = {"/",       "/.",       "/missing/x", endless,
                                   "/bin/..", "relative", "/dev/null"};
    int before = -1;
    int after = -1;

    tree_make(&tree);
    memset(endless, 'a', sizeof(endless));
    endless[0] = '/';
    endless[sizeof(endless) - 1] = '\0';
    before = open("/", O_PATH | O_CLOEXEC);
    ck_assert_int_eq(close(before), 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ck_assert_int_lt(safefs_check_program(refused[i], geteuid(), NULL), 0);
    }
    ck_assert_int_eq(safefs_check_program(tree.program, geteuid(), NULL), 0);
    after = open("/", O_PATH | O_CLOEXEC);
    ck_assert_int_eq(close(after), 0);
    ck_assert_int_eq(after, before);
    tree_remove(&tree);
}
END_TEST

/* Opening and making directories. */

/* PATH opens as 0, or not at all for that reason. */
static void
check_open(const char *path, enum safefs_missing missing, int expected)
{
    int fd = safefs_open_directory(path, geteuid(), missing);

    ck_assert_msg((fd >= 0 ? 0 : fd) == expected, "%s: %d instead of %d", path,
                  fd, expected);
    if (fd >= 0) {
        struct stat opened;
        struct stat named;

        ck_assert_int_eq(fstat(fd, &opened), 0);
        ck_assert_int_eq(stat(path, &named), 0);
        ck_assert_uint_eq(opened.st_ino, named.st_ino);
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(close(fd), 0);
    }
}

START_TEST(test_safefs_own_directory_opens)
{
    struct tree tree;
    char path[512];

    tree_make(&tree);
    check_open(tree.bin, SAFEFS_FAIL_IF_MISSING, 0);
    check_open(tree.bin, SAFEFS_MAKE_IF_MISSING, 0);
    (void)snprintf(path, sizeof(path), "//%s///", tree.bin);
    check_open(path, SAFEFS_FAIL_IF_MISSING, 0);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_path_that_is_none_does_not_open)
{
    struct tree tree;
    char path[512];
    char endless[400];

    tree_make(&tree);
    check_open("", SAFEFS_FAIL_IF_MISSING, -EINVAL);
    check_open("bin", SAFEFS_MAKE_IF_MISSING, -EINVAL);
    check_open("/", SAFEFS_FAIL_IF_MISSING, -EINVAL);
    (void)snprintf(path, sizeof(path), "%s/..", tree.bin);
    check_open(path, SAFEFS_FAIL_IF_MISSING, -EINVAL);
    (void)snprintf(path, sizeof(path), "%s/./bin", tree.directory);
    check_open(path, SAFEFS_FAIL_IF_MISSING, -EINVAL);
    (void)snprintf(path, sizeof(path), "%s/../x", tree.bin);
    check_open(path, SAFEFS_MAKE_IF_MISSING, -EINVAL);
    memset(endless, 'a', sizeof(endless));
    endless[0] = '/';
    endless[sizeof(endless) - 1] = '\0';
    check_open(endless, SAFEFS_MAKE_IF_MISSING, -ENAMETOOLONG);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_missing_directory_does_not_open)
{
    struct tree tree;
    char *path = NULL;

    tree_make(&tree);
    path = suite_path(tree.directory, "missing");
    check_open(path, SAFEFS_FAIL_IF_MISSING, -ENOENT);
    ck_assert_int_lt(access(path, F_OK), 0);
    free(path);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_only_the_last_component_is_made)
{
    struct tree tree;
    char *path = NULL;
    char *deeper = NULL;

    tree_make(&tree);
    path = suite_path(tree.directory, "missing");
    deeper = suite_path(path, "deeper");
    check_open(deeper, SAFEFS_MAKE_IF_MISSING, -ENOENT);
    ck_assert_int_lt(access(path, F_OK), 0);
    check_open(path, SAFEFS_MAKE_IF_MISSING, 0);
    check_open(deeper, SAFEFS_MAKE_IF_MISSING, 0);
    free(deeper);
    free(path);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_made_directory_is_the_owners_under_any_umask)
{
    static const mode_t umasks[] = {0, 022, 0277, 0777};
    struct tree tree;

    tree_make(&tree);
    for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
        char *path = suite_path(tree.directory, "made");
        struct stat status;
        mode_t before = umask(umasks[i]);

        if (geteuid() == 0 || (umasks[i] & 0500) == 0) {
            check_open(path, SAFEFS_MAKE_IF_MISSING, 0);
            ck_assert_int_eq(stat(path, &status), 0);
            ck_assert_uint_eq(status.st_mode & 07777, 0700);
            ck_assert_int_eq(rmdir(path), 0);
        }
        (void)umask(before);
        free(path);
    }
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_directory_that_is_there_keeps_its_mode)
{
    struct tree tree;
    struct stat status;

    tree_make(&tree);
    check_open(tree.bin, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_eq(stat(tree.bin, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0755);
    tree_remove(&tree);
}
END_TEST

/* A link is told from what is no directory, wherever on the way it is. */
START_TEST(test_safefs_link_does_not_open)
{
    struct tree tree;
    char *link = NULL;
    char *deeper = NULL;
    int directory = -1;

    tree_make(&tree);
    link = suite_path(tree.directory, "link");
    deeper = suite_path(link, "deeper");
    ck_assert_int_eq(symlink("bin", link), 0);
    check_open(link, SAFEFS_FAIL_IF_MISSING, -ELOOP);
    check_open(link, SAFEFS_MAKE_IF_MISSING, -ELOOP);
    check_open(deeper, SAFEFS_MAKE_IF_MISSING, -ELOOP);
    directory = open(tree.directory, O_PATH | O_CLOEXEC);
    ck_assert_int_eq(safefs_open_directory_at(directory, "link", geteuid(),
                                              SAFEFS_MAKE_IF_MISSING),
                     -ELOOP);
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink("nothing", link), 0);
    check_open(link, SAFEFS_MAKE_IF_MISSING, -ELOOP);
    ck_assert_int_eq(close(directory), 0);
    free(deeper);
    free(link);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_what_is_no_directory_does_not_open)
{
    struct tree tree;
    char *path = NULL;

    tree_make(&tree);
    check_open(tree.program, SAFEFS_MAKE_IF_MISSING, -ENOTDIR);
    path = suite_path(tree.program, "deeper");
    check_open(path, SAFEFS_MAKE_IF_MISSING, -ENOTDIR);
    free(path);
    path = suite_path(tree.bin, "fifo");
    ck_assert_int_eq(mkfifo(path, 0700), 0);
    check_open(path, SAFEFS_MAKE_IF_MISSING, -ENOTDIR);
    free(path);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_directory_that_others_write_to_does_not_open)
{
    static const mode_t modes[] = {0770, 0702, 01777, 01770, 03775};
    struct tree tree;
    char *deeper = NULL;

    tree_make(&tree);
    deeper = suite_path(tree.bin, "deeper");
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        ck_assert_int_eq(chmod(tree.bin, modes[i]), 0);
        check_open(tree.bin, SAFEFS_MAKE_IF_MISSING, -EPERM);
    }
    /* On the way a sticky one will do, as /tmp does. */
    check_open(deeper, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_eq(chmod(tree.bin, 0770), 0);
    check_open(deeper, SAFEFS_MAKE_IF_MISSING, -EPERM);
    free(deeper);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_directory_of_a_stranger_does_not_open)
{
    struct tree tree;
    char *deeper = NULL;
    int directory = -1;

    SKIP_UNLESS(geteuid() == 0, "needs root to give a directory away");
    tree_make(&tree);
    deeper = suite_path(tree.bin, "deeper");
    ck_assert_int_eq(chown(tree.bin, STRANGER, 0), 0);
    check_open(tree.bin, SAFEFS_MAKE_IF_MISSING, -EPERM);
    check_open(deeper, SAFEFS_MAKE_IF_MISSING, -EPERM);
    ck_assert_int_lt(access(deeper, F_OK), 0);
    directory =
        safefs_open_directory(tree.bin, STRANGER, SAFEFS_FAIL_IF_MISSING);
    ck_assert_int_ge(directory, 0);
    ck_assert_int_eq(close(directory), 0);
    ck_assert_int_eq(
        safefs_open_directory(tree.bin, SOMEBODY_ELSE, SAFEFS_FAIL_IF_MISSING),
        -EPERM);
    free(deeper);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_directory_in_a_directory_leaves_that_open)
{
    struct tree tree;
    int directory = -1;
    int made = -1;

    tree_make(&tree);
    directory = open(tree.directory, O_PATH | O_CLOEXEC);
    ck_assert_int_eq(safefs_open_directory_at(directory, "made", geteuid(),
                                              SAFEFS_FAIL_IF_MISSING),
                     -ENOENT);
    made = safefs_open_directory_at(directory, "made", geteuid(),
                                    SAFEFS_MAKE_IF_MISSING);
    ck_assert_int_ge(made, 0);
    ck_assert_int_ge(fcntl(directory, F_GETFD), 0);
    ck_assert_int_eq(close(made), 0);
    ck_assert_int_eq(close(directory), 0);
    tree_remove(&tree);
}
END_TEST

/* Making files. */

static const struct span two_parts[] = {
    {.data = (const uint8_t *)"first ", .length = 6},
    {.data = (const uint8_t *)"and second", .length = 10},
};

/* Makes NAME in the tree's bin of COUNT parts; what safefs says. */
static int
create(const struct tree *tree, const char *name, const struct span *parts,
       size_t count)
{
    int directory = open(tree->bin, O_PATH | O_CLOEXEC);
    int status = 0;

    ck_assert_int_ge(directory, 0);
    status = safefs_create(directory, name, parts, count);
    ck_assert_int_ge(fcntl(directory, F_GETFD), 0);
    ck_assert_int_eq(close(directory), 0);
    return status;
}

static void
check_content(const struct tree *tree, const char *name, const char *content)
{
    char *path = suite_path(tree->bin, name);
    char got[256] = "";
    FILE *file = fopen(path, "re");

    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_str_eq(got, content);
    free(path);
}

static bool
has_file(const struct tree *tree, const char *name)
{
    char *path = suite_path(tree->bin, name);
    struct stat status;
    bool has = lstat(path, &status) == 0;

    free(path);
    return has;
}

START_TEST(test_safefs_created_file_has_all_parts)
{
    struct tree tree;

    tree_make(&tree);
    ck_assert_int_eq(create(&tree, "file", two_parts, 2), 0);
    check_content(&tree, "file", "first and second");
    ck_assert_int_eq(create(&tree, "one", two_parts, 1), 0);
    check_content(&tree, "one", "first ");
    ck_assert_int_eq(create(&tree, "none", NULL, 0), 0);
    check_content(&tree, "none", "");
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_created_file_is_the_owners_under_any_umask)
{
    static const mode_t umasks[] = {0, 022, 0277, 0777};
    struct tree tree;

    tree_make(&tree);
    for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
        char *path = suite_path(tree.bin, "file");
        struct stat status;
        mode_t before = umask(umasks[i]);

        ck_assert_int_eq(create(&tree, "file", two_parts, 2), 0);
        (void)umask(before);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0600);
        ck_assert_int_eq(unlink(path), 0);
        free(path);
    }
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_file_that_is_there_is_left_alone)
{
    struct tree tree;
    char *link = NULL;

    tree_make(&tree);
    ck_assert_int_eq(create(&tree, "file", two_parts, 1), 0);
    ck_assert_int_eq(create(&tree, "file", two_parts, 2), -EEXIST);
    check_content(&tree, "file", "first ");
    link = suite_path(tree.bin, "link");
    ck_assert_int_eq(symlink("target", link), 0);
    ck_assert_int_eq(create(&tree, "link", two_parts, 2), -EEXIST);
    ck_assert(!has_file(&tree, "target"));
    free(link);
    tree_remove(&tree);
}
END_TEST

/*
 * Makes two parts where files may have so many bytes.  Beyond RLIMIT_FSIZE a
 * write ends the process (SIGXFSZ), one of Check's too.
 */
static int
create_below(const struct tree *tree, const char *name, rlim_t limit)
{
    int directory = open(tree->bin, O_PATH | O_CLOEXEC);
    struct rlimit before;
    struct rlimit meanwhile;
    int status = 0;

    ck_assert_int_ge(directory, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    meanwhile = before;
    meanwhile.rlim_cur = limit;
    (void)setrlimit(RLIMIT_FSIZE, &meanwhile);
    status = safefs_create(directory, name, two_parts, 2);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(close(directory), 0);
    return status;
}

START_TEST(test_safefs_file_beyond_the_limit_is_refused_alive)
{
    struct tree tree;

    tree_make(&tree);
    ck_assert_int_eq(create_below(&tree, "file", 0), -EFBIG);
    ck_assert_int_eq(create_below(&tree, "file", 7), -EFBIG);
    ck_assert_int_eq(create_below(&tree, "file", 15), -EFBIG);
    ck_assert(!has_file(&tree, "file"));
    ck_assert_int_eq(create_below(&tree, "file", 16), 0);
    check_content(&tree, "file", "first and second");
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_file_that_cannot_be_written_is_not_there)
{
    struct tree tree;
    /* Behind the first part nothing can be read: EFAULT. */
    const struct span parts[] = {two_parts[0],
                                 {.data = (const uint8_t *)8, .length = 1}};

    tree_make(&tree);
    ck_assert_int_eq(create(&tree, "file", parts, 2), -EFAULT);
    ck_assert(!has_file(&tree, "file"));
    tree_remove(&tree);
}
END_TEST

/* What NAME of TREE comes to when it is opened; what opens is "file". */
static int
open_file(const struct tree *tree, const char *name, uid_t owner,
          mode_t forbidden)
{
    int directory = open(tree->bin, O_PATH | O_CLOEXEC);
    char got[8] = "";
    int fd = -1;

    ck_assert_int_ge(directory, 0);
    fd = safefs_open_file_at(directory, name, owner, forbidden);
    ck_assert_int_eq(close(directory), 0);
    if (fd < 0) {
        return fd;
    }
    ck_assert_int_eq(read(fd, got, sizeof(got)), 6);
    ck_assert_mem_eq(got, "first ", 6);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(close(fd), 0);
    return 0;
}

START_TEST(test_safefs_file_of_the_owner_opens)
{
    struct tree tree;
    char *path = NULL;

    tree_make(&tree);
    path = suite_path(tree.bin, "file");
    ck_assert_int_eq(open_file(&tree, "file", geteuid(), 077), -ENOENT);
    ck_assert_int_eq(create(&tree, "file", two_parts, 1), 0);
    ck_assert_int_eq(open_file(&tree, "file", geteuid(), 077), 0);
    ck_assert_int_eq(open_file(&tree, "file", STRANGER, 077), -EPERM);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(open_file(&tree, "file", geteuid(), 022), 0);
    ck_assert_int_eq(open_file(&tree, "file", geteuid(), 077), -EPERM);
    free(path);
    tree_remove(&tree);
}
END_TEST

START_TEST(test_safefs_what_is_no_file_of_its_own_does_not_open)
{
    struct tree tree;
    char *path = NULL;
    char *beside = NULL;

    tree_make(&tree);
    path = suite_path(tree.bin, "file");
    beside = suite_path(tree.bin, "beside");
    ck_assert_int_eq(create(&tree, "file", two_parts, 1), 0);
    ck_assert_int_eq(symlink("file", beside), 0);
    ck_assert_int_eq(open_file(&tree, "beside", geteuid(), 0), -ELOOP);
    ck_assert_int_eq(unlink(beside), 0);
    ck_assert_int_eq(link(path, beside), 0);
    ck_assert_int_eq(open_file(&tree, "file", geteuid(), 0), -EPERM);
    ck_assert_int_eq(unlink(beside), 0);
    ck_assert_int_eq(open_file(&tree, "file", geteuid(), 0), 0);
    ck_assert_int_eq(mkfifo(beside, 0600), 0);
    ck_assert_int_eq(open_file(&tree, "beside", geteuid(), 0), -EINVAL);
    ck_assert_int_eq(unlink(beside), 0);
    ck_assert_int_eq(mkdir(beside, 0700), 0);
    ck_assert_int_eq(open_file(&tree, "beside", geteuid(), 0), -EINVAL);
    ck_assert_int_eq(rmdir(beside), 0);
    free(beside);
    free(path);
    tree_remove(&tree);
}
END_TEST

/* Changes the place of two files for ever. */
static pid_t
swap_for_ever(const char *one, const char *other)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    while (pid == 0) {
        (void)renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
    }
    return pid;
}

/* One that takes its place between the look and the opening is judged too. */
START_TEST(test_safefs_file_swapped_meanwhile_does_not_open)
{
    struct tree tree;
    char *path = NULL;
    char *beside = NULL;
    int tries = 0;
    int refused = 0;
    pid_t pid = -1;

    tree_make(&tree);
    path = suite_path(tree.bin, "file");
    beside = suite_path(tree.bin, "beside");
    ck_assert_int_eq(create(&tree, "file", two_parts, 1), 0);
    ck_assert_int_eq(create(&tree, "beside", two_parts, 2), 0);
    ck_assert_int_eq(chmod(beside, 0666), 0);
    pid = swap_for_ever(path, beside);
    /* Until both have been met, however the machine is occupied. */
    for (; tries < 20000 || refused == 0 || refused == tries; tries++) {
        /* Of the other one more would be read. */
        refused += open_file(&tree, "file", geteuid(), 022) == -EPERM;
    }
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    free(beside);
    free(path);
    tree_remove(&tree);
}
END_TEST

/* The sum of the next three: one that stays open need not be the first. */
static int
next_descriptors(void)
{
    int fds[3];
    int sum = 0;

    for (size_t i = 0; i < 3; i++) {
        fds[i] = open("/", O_PATH | O_CLOEXEC);
        ck_assert_int_ge(fds[i], 0);
        sum += fds[i];
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(close(fds[i]), 0);
    }
    return sum;
}

START_TEST(test_safefs_directories_and_files_leave_no_descriptor)
{
    struct tree tree;
    int before = -1;

    tree_make(&tree);
    before = next_descriptors();
    check_open("/", SAFEFS_FAIL_IF_MISSING, -EINVAL);
    check_open("/./x", SAFEFS_FAIL_IF_MISSING, -EINVAL);
    check_open("/dev/null/x/y", SAFEFS_FAIL_IF_MISSING, -ENOTDIR);
    check_open("/missing/x", SAFEFS_MAKE_IF_MISSING, -ENOENT);
    check_open(tree.program, SAFEFS_MAKE_IF_MISSING, -ENOTDIR);
    check_open(tree.bin, SAFEFS_MAKE_IF_MISSING, 0);
    ck_assert_int_eq(chmod(tree.bin, 0777), 0);
    check_open(tree.bin, SAFEFS_MAKE_IF_MISSING, -EPERM);
    ck_assert_int_eq(create(&tree, "file", two_parts, 2), 0);
    ck_assert_int_eq(create(&tree, "file", two_parts, 2), -EEXIST);
    ck_assert_int_eq(open_file(&tree, "file", STRANGER, 0), -EPERM);
    ck_assert_int_eq(next_descriptors(), before);
    tree_remove(&tree);
}
END_TEST

static void
add_trust(Suite *suite)
{
    TCase *tcase = suite_case(suite, "trust");

    tcase_add_test(tcase, test_safefs_system_program_is_trusted);
    tcase_add_test(tcase, test_safefs_own_program_is_trusted);
    tcase_add_test(tcase, test_safefs_link_in_the_middle_is_refused);
    tcase_add_test(tcase, test_safefs_link_at_the_end_is_refused);
    tcase_add_test(tcase, test_safefs_link_to_nothing_is_refused);
    tcase_add_test(tcase, test_safefs_directory_for_all_is_refused);
    tcase_add_test(tcase, test_safefs_directory_for_the_group_is_refused);
    tcase_add_test(tcase, test_safefs_sticky_directory_is_trusted);
    tcase_add_test(tcase, test_safefs_directory_far_above_is_judged);
    tcase_add_test(tcase, test_safefs_program_for_the_group_is_refused);
    tcase_add_test(tcase, test_safefs_program_for_all_is_refused);
    tcase_add_test(tcase, test_safefs_program_with_a_sticky_bit_gains_nothing);
    tcase_add_test(tcase, test_safefs_program_nobody_may_read_is_trusted);
    tcase_add_test(tcase, test_safefs_program_of_a_stranger_is_refused);
    tcase_add_test(tcase, test_safefs_directory_of_a_stranger_is_refused);
    tcase_add_test(tcase,
                   test_safefs_sticky_directory_of_a_stranger_is_refused);
    tcase_add_test(tcase, test_safefs_program_of_the_owner_is_trusted);
    tcase_add_test(tcase, test_safefs_program_of_a_user_is_refused_for_root);
}

static void
add_paths(Suite *suite)
{
    TCase *tcase = suite_case(suite, "paths");

    tcase_add_test(tcase, test_safefs_slashes_in_a_row_are_one);
    tcase_add_test(tcase, test_safefs_directory_at_the_end_is_refused);
    tcase_add_test(tcase, test_safefs_fifo_at_the_end_is_refused_at_once);
    tcase_add_test(tcase, test_safefs_device_at_the_end_is_refused);
    tcase_add_test(tcase, test_safefs_file_in_the_middle_is_refused);
    tcase_add_test(tcase, test_safefs_relative_path_is_refused);
    tcase_add_test(tcase, test_safefs_dot_in_the_path_is_refused);
    tcase_add_test(tcase, test_safefs_dot_dot_in_the_path_is_refused);
    tcase_add_test(tcase, test_safefs_dots_at_the_start_of_a_name_are_a_name);
    tcase_add_test(tcase, test_safefs_missing_program_is_told);
    tcase_add_test(tcase, test_safefs_missing_directory_is_told);
    tcase_add_test(tcase, test_safefs_slash_after_a_program_is_refused);
    tcase_add_test(tcase, test_safefs_slash_after_a_directory_is_refused);
    tcase_add_test(tcase, test_safefs_root_directory_is_refused);
    tcase_add_test(tcase, test_safefs_component_that_is_too_long_is_refused);
    tcase_add_test(tcase, test_safefs_answer_leaves_no_descriptor);
}

static void
add_directories(Suite *suite)
{
    TCase *tcase = suite_case(suite, "directories");

    tcase_add_test(tcase, test_safefs_own_directory_opens);
    tcase_add_test(tcase, test_safefs_path_that_is_none_does_not_open);
    tcase_add_test(tcase, test_safefs_missing_directory_does_not_open);
    tcase_add_test(tcase, test_safefs_only_the_last_component_is_made);
    tcase_add_test(tcase,
                   test_safefs_made_directory_is_the_owners_under_any_umask);
    tcase_add_test(tcase, test_safefs_directory_that_is_there_keeps_its_mode);
    tcase_add_test(tcase, test_safefs_link_does_not_open);
    tcase_add_test(tcase, test_safefs_what_is_no_directory_does_not_open);
    tcase_add_test(tcase,
                   test_safefs_directory_that_others_write_to_does_not_open);
    tcase_add_test(tcase, test_safefs_directory_of_a_stranger_does_not_open);
    tcase_add_test(tcase,
                   test_safefs_directory_in_a_directory_leaves_that_open);
}

static void
add_files(Suite *suite)
{
    TCase *tcase = suite_case(suite, "files");

    tcase_add_test(tcase, test_safefs_created_file_has_all_parts);
    tcase_add_test(tcase,
                   test_safefs_created_file_is_the_owners_under_any_umask);
    tcase_add_test(tcase, test_safefs_file_that_is_there_is_left_alone);
    tcase_add_test(tcase, test_safefs_file_beyond_the_limit_is_refused_alive);
    tcase_add_test(tcase, test_safefs_file_that_cannot_be_written_is_not_there);
    tcase_add_test(tcase, test_safefs_file_of_the_owner_opens);
    tcase_add_test(tcase, test_safefs_what_is_no_file_of_its_own_does_not_open);
    tcase_add_test(tcase, test_safefs_file_swapped_meanwhile_does_not_open);
    tcase_add_test(tcase,
                   test_safefs_directories_and_files_leave_no_descriptor);
}

int
main(void)
{
    Suite *suite = suite_create("safefs");

    add_trust(suite);
    add_paths(suite);
    add_directories(suite);
    add_files(suite);
    return suite_main(suite);
}
