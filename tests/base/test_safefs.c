/*
 * base/safefs: which paths a program may be run from.  Where root runs this,
 * "the owner" is root; else it is who runs it, trusted beside root.
 */
#include "base/safefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

int
main(void)
{
    Suite *suite = suite_create("safefs");

    add_trust(suite);
    add_paths(suite);
    return suite_main(suite);
}
