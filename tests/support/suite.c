/* Running a suite, skipping a test, and directories for tests. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Check takes the default when a TCase is made, which is before suite_main is
 * called; its own 4 s are too short for a loaded machine with a sanitizer.
 */
__attribute__((constructor)) static void
set_default_timeout(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
}

int
suite_main(Suite *suite)
{
    const char *tap = getenv("CK_TAP_LOG_FILE_NAME");
    bool tap_on_stdout = tap != NULL && strcmp(tap, "-") == 0;
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, tap_on_stdout ? CK_SILENT : CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

TCase *
suite_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    suite_add_tcase(suite, tcase);
    return tcase;
}

/* One write of a whole line: tests of several programs append at a time. */
static void
append_line(const char *path, const char *line, size_t length)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_msg(write(fd, line, length) == (ssize_t)length, "%s: %s", path,
                  strerror(errno));
    ck_assert_int_eq(close(fd), 0);
}

void
suite_skip(const char *function, const char *reason)
{
    /* Check names the function behind a test so. */
    static const char suffix[] = "_fn";
    const char *path = getenv("TEST_SKIPS");
    size_t name_length = strlen(function);
    char line[512];
    int length = 0;

    if (name_length > sizeof(suffix) - 1 &&
        strcmp(function + name_length - (sizeof(suffix) - 1), suffix) == 0) {
        name_length -= sizeof(suffix) - 1;
    }
    length = snprintf(line, sizeof(line), "%.*s: %s\n", (int)name_length,
                      function, reason);
    ck_assert_int_gt(length, 0);
    ck_assert_int_lt(length, (int)sizeof(line));
    (void)fprintf(stderr, "skipped: %s", line);
    if (path != NULL && *path != '\0') {
        append_line(path, line, (size_t)length);
    }
}

char *
suite_tmpdir(void)
{
    const char *base = getenv("TMPDIR");
    char *real = realpath(base != NULL && *base == '/' ? base : "/tmp", NULL);
    char *directory = NULL;

    ck_assert_msg(real != NULL, "no temporary directory: %s", strerror(errno));
    directory = suite_path(real, "pam_krb5cc-test-XXXXXX");
    free(real);
    ck_assert_msg(mkdtemp(directory) != NULL, "%s: %s", directory,
                  strerror(errno));
    return directory;
}

static int
remove_one(const char *path, const struct stat *status, int type,
           struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void
suite_remove_tree(char *directory)
{
    if (directory != NULL) {
        ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS),
                         0);
        free(directory);
    }
}

char *
suite_path(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);

    ck_assert_ptr_nonnull(path);
    (void)snprintf(path, size, "%s/%s", directory, name);
    return path;
}

uid_t
suite_uid(const char *user)
{
    const struct passwd *entry = getpwnam(user);

    ck_assert_msg(entry != NULL, "no account %s: see tests/in-namespace", user);
    return entry->pw_uid;
}
