/*
 * Sixteen threads log in at the same time, each with handles of its own.
 * Under TSan (tests/env/tsan) what they do to each other is reported; here they
 * must all succeed, each with its own cache, and leave nothing.
 *
 * TEST_THREADS_LOGINS=N: N logins a thread, where 50 would take too long.
 */
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/fake.h"
#include "support/stack.h"
#include "support/suite.h"

enum { THREADS = 16, LOGINS = 50, LOGINS_OF_OTHERS = 12 };

static struct person {
    const char *name;
    const char *const answers[2];
    uid_t uid; /* looked up before there are threads */
} people[] = {
    {"alice", {"alice-password", NULL}, 0},
    {"bob", {"bob-password", NULL}, 0},
    {"carol", {"carol-password", NULL}, 0},
};

#define PEOPLE_COUNT (sizeof(people) / sizeof(people[0]))

/* One thread's work, and what went wrong first. */
struct work {
    pthread_t thread;
    size_t index;
    int logins;
    int (*log_in)(struct work *work, const struct person *person);
    int failed; /* a PAM code, or -1 */
    const char *where;
};

/* All begin at once. */
static pthread_barrier_t beginning;

/* FALLBACK, unless somebody wants another number. */
static int
logins_wanted(int fallback)
{
    const char *number = getenv("TEST_THREADS_LOGINS");

    return number == NULL ? fallback : atoi(number);
}

/* Notes the first failure of WORK. */
static int
note_failure(struct work *work, const char *where, int code)
{
    if (code != PAM_SUCCESS && work->where == NULL) {
        work->failed = code;
        work->where = where;
    }
    return code;
}

/* Whether the session's cache is there and the person's. */
static int
check_cache(const struct stack *stack, const struct person *person)
{
    const char *name = pam_getenv(stack->handle, "KRB5CCNAME");
    struct stat status;

    if (name == NULL || strncmp(name, "FILE:", 5) != 0 ||
        lstat(name + 5, &status) < 0 || !S_ISREG(status.st_mode)) {
        return -1;
    }
    return status.st_uid == person->uid && (status.st_mode & 07777) == 0600
               ? 0
               : -1;
}

/* A session from authenticate to the end. */
static int
live_a_login(struct work *work, const struct person *person)
{
    struct stack stack;
    int code = PAM_SUCCESS;

    stack_start(&stack, person->name, "", person->answers);
    code =
        note_failure(work, "authenticate", pam_authenticate(stack.handle, 0));
    if (code == PAM_SUCCESS) {
        code = note_failure(work, "acct_mgmt", pam_acct_mgmt(stack.handle, 0));
    }
    if (code == PAM_SUCCESS) {
        code = note_failure(work, "ESTABLISH",
                            pam_setcred(stack.handle, PAM_ESTABLISH_CRED));
    }
    if (code == PAM_SUCCESS) {
        code = note_failure(work, "open_session",
                            pam_open_session(stack.handle, 0));
    }
    if (code == PAM_SUCCESS) {
        code = note_failure(work, "the cache", check_cache(&stack, person));
    }
    if (code == PAM_SUCCESS) {
        code = note_failure(work, "close_session",
                            pam_close_session(stack.handle, 0));
    }
    stack_end(&stack, code);
    return code;
}

/* Every other password is wrong, some helpers are missing. */
static int
live_a_mixture(struct work *work, const struct person *person)
{
    static const char *const wrong[] = {"not-the-password", NULL};
    struct stack stack;
    int code = PAM_SUCCESS;

    switch (work->logins % 4) {
    case 0:
        stack_start(&stack, person->name, "", wrong);
        code = pam_authenticate(stack.handle, 0) == PAM_AUTH_ERR ? 0 : -1;
        break;
    case 1:
        stack_start(&stack, person->name, "helper=/nonexistent", wrong);
        code =
            pam_authenticate(stack.handle, 0) == PAM_AUTHINFO_UNAVAIL ? 0 : -1;
        break;
    default:
        return live_a_login(work, person);
    }
    stack_end(&stack, code);
    return note_failure(work, "a failing login", code);
}

static void *
work_through(void *data)
{
    struct work *work = data;

    (void)pthread_barrier_wait(&beginning);
    for (; work->logins > 0 && work->where == NULL; work->logins--) {
        const struct person *person =
            &people[(work->index + (size_t)work->logins) % PEOPLE_COUNT];

        (void)work->log_in(work, person);
    }
    return NULL;
}

static void
assert_nothing_left(size_t descriptors)
{
    glob_t found = {.gl_pathc = 0};

    ck_assert_uint_eq(fake_count_descriptors(), descriptors);
    ck_assert_msg(!fake_has_child(), "a helper is left");
    ck_assert_msg(glob("/tmp/krb5cc_*", 0, NULL, &found) == GLOB_NOMATCH,
                  "%s is left", found.gl_pathc > 0 ? found.gl_pathv[0] : "?");
}

/* THREADS threads do LOG_IN LOGINS times, or as often as is wanted. */
static void
run_threads(int (*log_in)(struct work *work, const struct person *person),
            int logins)
{
    struct work works[THREADS];
    size_t descriptors = fake_count_descriptors();

    for (size_t i = 0; i < PEOPLE_COUNT; i++) {
        people[i].uid = suite_uid(people[i].name);
    }
    ck_assert_int_eq(pthread_barrier_init(&beginning, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++) {
        works[i] = (struct work){
            .index = i, .logins = logins_wanted(logins), .log_in = log_in};
        ck_assert_int_eq(
            pthread_create(&works[i].thread, NULL, work_through, &works[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(works[i].thread, NULL), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_msg(works[i].where == NULL, "thread %zu: %s: %s\n%s", i,
                      works[i].where, pam_strerror(NULL, works[i].failed),
                      stack_log());
    }
    assert_nothing_left(descriptors);
}

START_TEST(test_threads_with_their_own_handles_all_log_in)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    run_threads(live_a_login, LOGINS);
}
END_TEST

START_TEST(test_threads_that_fail_do_not_disturb_those_that_log_in)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    run_threads(live_a_mixture, LOGINS_OF_OTHERS);
}
END_TEST

/* Children vanish under all of them at once. */
START_TEST(test_threads_of_a_host_that_ignores_its_children_all_log_in)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    ck_assert_ptr_ne(signal(SIGCHLD, SIG_IGN), SIG_ERR);
    run_threads(live_a_login, LOGINS_OF_OTHERS);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("stack/threads");
    TCase *logins = suite_case(suite, "logins");
    TCase *others = suite_case(suite, "others");

    /* 800 logins, under a sanitizer perhaps. */
    tcase_set_timeout(logins, 600);
    tcase_set_timeout(others, 600);
    tcase_add_test(logins, test_threads_with_their_own_handles_all_log_in);
    tcase_add_test(others,
                   test_threads_that_fail_do_not_disturb_those_that_log_in);
    tcase_add_test(others,
                   test_threads_of_a_host_that_ignores_its_children_all_log_in);
    return suite_main(suite);
}
