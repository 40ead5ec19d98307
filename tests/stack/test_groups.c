/*
 * When the user's groups are looked up, which NSS may take its time for.  A
 * fifo in the place of /etc/group, in a mount namespace of the test's own, lets
 * whoever looks wait until somebody opens its other end: that this can be done
 * shows that somebody is looking.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/realm.h"
#include "support/stack.h"
#include "support/suite.h"

/* More than anything here takes. */
#define LIMIT_S 20

static char *folder;
static char *fifo;

static void
pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000,
                                   .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* Puts the fifo there. */
static void
begin(void)
{
    folder = suite_tmpdir();
    fifo = suite_path(folder, "group");
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    ck_assert_int_eq(mkfifo(fifo, 0644), 0);
    ck_assert_int_eq(mount(fifo, "/etc/group", NULL, MS_BIND, NULL), 0);
}

static void
end(void)
{
    free(fifo);
    suite_remove_tree(folder);
}

/*
 * Whether somebody looks, or does within LIMIT_S; he is let go on, and finds no
 * group.
 */
static bool
let_look(void)
{
    int fd = -1;

    for (int i = 0; fd < 0 && i < LIMIT_S * 100; i++) {
        fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            pause_ms(10);
        }
    }
    if (fd < 0) {
        return false;
    }
    (void)close(fd);
    return true;
}

static const char *const password[] = {"alice-password", NULL};

static bool was_looked_up;

/* Once the KDC has been asked with the password, whoever looks may go on. */
static void *
let_look_behind_kdc(void *data)
{
    const size_t *before = data;

    for (int i = 0; i < LIMIT_S * 100; i++) {
        if (common_kdc_log("ISSUE", "alice@") > *before) {
            was_looked_up = let_look();
            break;
        }
        pause_ms(10);
    }
    return NULL;
}

static void
type_slowly(void *data)
{
    (void)data;
    pause_ms(200);
}

/* At once, or typed: the answer does not wait for NSS. */
START_TEST(test_groups_do_not_hold_up_the_answer)
{
    struct stack stack;
    pthread_t thread;
    size_t before = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    begin();
    before = common_kdc_log("ISSUE", "alice@");
    ck_assert_int_eq(
        pthread_create(&thread, NULL, let_look_behind_kdc, &before), 0);
    stack_start(&stack, "alice", "", password);
    if (_i == 1) {
        stack.before_answer = type_slowly;
    }
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(was_looked_up);
    stack_end(&stack, PAM_SUCCESS);
    end();
}
END_TEST

static void
type_while_somebody_looks(void *data)
{
    (void)data;
    was_looked_up = let_look();
}

/* Nobody who types waits for them afterwards. */
START_TEST(test_groups_are_looked_up_while_he_types)
{
    struct stack stack;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    begin();
    stack_start(&stack, "alice", "", password);
    stack.before_answer = type_while_somebody_looks;
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert(was_looked_up);
    stack_end(&stack, PAM_SUCCESS);
    end();
}
END_TEST

static void
die_typing(void *data)
{
    type_slowly(data);
    (void)kill(getpid(), SIGKILL);
}

/* Whoever looks for them goes with the helper, which goes with its host. */
START_TEST(test_groups_that_never_come_keep_nobody_behind_who_hung_up)
{
    struct stack stack;
    pid_t host = -1;
    int status = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    begin();
    host = fork();
    ck_assert_int_ge(host, 0);
    if (host == 0) {
        stack_start(&stack, "alice", "", password);
        stack.before_answer = die_typing;
        (void)pam_authenticate(stack.handle, 0);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(host, &status, 0), host);
    ck_assert(WIFSIGNALED(status));
    ck_assert(realm_is_gone("krb5cc-helper"));
    end();
}
END_TEST

static pid_t
child_of(pid_t pid)
{
    char path[64];
    FILE *file = NULL;
    int child = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
                   (int)pid);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &child) != 1) {
            child = -1;
        }
        (void)fclose(file);
    }
    return child;
}

/* How often what PID may write to has TEXT in it. */
static size_t
count_in_memory(pid_t pid, const char *text)
{
    static char buffer[16 << 20];
    char path[64];
    char line[512];
    unsigned long begin = 0;
    unsigned long end = 0;
    size_t count = 0;
    FILE *maps = NULL;
    int memory = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    maps = fopen(path, "re");
    ck_assert_int_ge(memory, 0);
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        char rights[5] = "";
        ssize_t got = 0;
        const char *at = buffer;

        ck_assert_int_eq(sscanf(line, "%lx-%lx %4s", &begin, &end, rights), 3);
        if (rights[1] != 'w' || end - begin > sizeof(buffer)) {
            continue;
        }
        got = pread(memory, buffer, end - begin, (off_t)begin);
        while (got > 0 && (at = memmem(at, (size_t)(buffer + got - at), text,
                                       strlen(text))) != NULL) {
            count++;
            at++;
        }
    }
    (void)fclose(maps);
    (void)close(memory);
    return count;
}

static size_t found_in_judge;
static size_t found_in_searcher;

/* Once the KDC has the password, somebody still looks: what does he know? */
static void *
look_into_helpers(void *data)
{
    const size_t *before = data;

    for (int i = 0; i < LIMIT_S * 100; i++) {
        if (common_kdc_log("ISSUE", "alice@") > *before) {
            pid_t judge = child_of(getpid());
            pid_t searcher = child_of(judge);

            found_in_judge = count_in_memory(judge, password[0]);
            found_in_searcher = count_in_memory(searcher, password[0]);
            was_looked_up = let_look();
            break;
        }
        pause_ms(10);
    }
    return NULL;
}

/* A password that comes with the request is not left where NSS's code runs. */
START_TEST(test_groups_are_looked_up_without_the_password)
{
    struct stack stack;
    pthread_t thread;
    size_t before = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    begin();
    before = common_kdc_log("ISSUE", "alice@");
    common_start_stored(&stack, "alice", password[0], "use_first_pass",
                        no_answers);
    found_in_searcher = 1;
    ck_assert_int_eq(pthread_create(&thread, NULL, look_into_helpers, &before),
                     0);
    ck_assert_int_eq(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(was_looked_up);
    ck_assert_uint_gt(found_in_judge, 0);
    ck_assert_uint_eq(found_in_searcher, 0);
    stack_end(&stack, PAM_SUCCESS);
    end();
}
END_TEST

/* Its own timer ends a helper that waits for them, behind a host that died. */
START_TEST(test_groups_that_never_come_do_not_keep_a_helper)
{
    struct stack stack;
    size_t before = 0;
    pid_t host = -1;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    begin();
    before = common_kdc_log("ISSUE", "alice@");
    host = fork();
    ck_assert_int_ge(host, 0);
    if (host == 0) {
        stack_start(&stack, "alice", "timeout=3", password);
        (void)pam_authenticate(stack.handle, 0);
        _exit(0);
    }
    /* The answer has gone, so the judge waits, and nobody lets it go on. */
    for (int i = 0; i < LIMIT_S * 100; i++) {
        if (common_kdc_log("ISSUE", "alice@") > before) {
            break;
        }
        pause_ms(10);
    }
    ck_assert_uint_gt(common_kdc_log("ISSUE", "alice@"), before);
    ck_assert_int_eq(kill(host, SIGKILL), 0);
    ck_assert_int_eq(waitpid(host, NULL, 0), host);
    ck_assert(realm_is_gone("krb5cc-helper"));
    end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("groups");
    TCase *tcase = suite_case(suite, "groups");

    tcase_set_timeout(tcase, 3 * LIMIT_S);
    tcase_add_loop_test(tcase, test_groups_do_not_hold_up_the_answer, 0, 2);
    tcase_add_test(tcase, test_groups_are_looked_up_while_he_types);
    tcase_add_test(tcase, test_groups_are_looked_up_without_the_password);
    tcase_add_test(tcase, test_groups_that_never_come_do_not_keep_a_helper);
    tcase_add_test(tcase,
                   test_groups_that_never_come_keep_nobody_behind_who_hung_up);
    return suite_main(suite);
}
