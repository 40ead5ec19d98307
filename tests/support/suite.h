/*
 * What all Check tests share: how a suite is run, how a test says that it was
 * skipped, and directories that a test may fill.  Knows nothing of what is
 * tested.
 */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include <sys/types.h>

#include <check.h>

/*
 * Runs SUITE, each test in a process of its own, and frees it; the exit status
 * for main.  Where CK_TAP_LOG_FILE_NAME is "-" the TAP lines are all that goes
 * to stdout.  A test may take 60 s unless CK_DEFAULT_TIMEOUT says otherwise.
 */
int suite_main(Suite *suite);

/* A TCase added to SUITE, which owns it. */
TCase *suite_case(Suite *suite, const char *name);

/*
 * Returns from the test, which then counts as skipped and not as passed,
 * unless CONDITION holds.  REASON is a text such as "needs root".
 */
#define SKIP_UNLESS(condition, reason)                                         \
    do {                                                                       \
        if (!(condition)) {                                                    \
            suite_skip(__func__, (reason));                                    \
            return;                                                            \
        }                                                                      \
    } while (0)

/*
 * Appends "TEST: REASON" to the file that TEST_SKIPS names, where it is set,
 * and prints it to stderr.  FUNCTION is the __func__ of a START_TEST.
 */
void suite_skip(const char *function, const char *reason);

/*
 * A new directory of mode 0700 below TMPDIR or /tmp, without links in its
 * path; the caller removes and frees it (suite_remove_tree).  Fails the test
 * where there is none to be had.
 */
char *suite_tmpdir(void);

/* Removes DIRECTORY with all that is in it, follows no link, frees the name. */
void suite_remove_tree(char *directory);

/* "DIRECTORY/NAME", the caller's to free. */
char *suite_path(const char *directory, const char *name);

/*
 * The uid, and gid, of one of the accounts of tests/in-namespace (each run has
 * other ones), or of root.  Fails the test where there is no such account.
 */
uid_t suite_uid(const char *user);

/* Whether this test runs under a sanitizer, which is a host of its own kind. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#endif
