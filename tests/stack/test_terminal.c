/*
 * Ctrl-C, Ctrl-Z, Ctrl-\ and a hang-up at the password prompt.  A shell of
 * one job runs on a terminal of its own (forkpty(3)), the host is its
 * foreground job, and this test is who types.  What the terminal does to the
 * host is the host's affair; the helper must not feel it, and must not stay
 * behind when the host is gone.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "client/fake.h"
#include "support/stack.h"
#include "support/suite.h"

enum {
    /* No event takes as long as this. */
    WAIT_MS = 20000,
    HELPERS_MAX = 8,
    /* The judge, who looks up the groups and then ends, and the exchange. */
    HELPERS = 3,
    SEARCHER = 1,
};

/* What the host does about the terminal's signals. */
enum habit { HABIT_DEFAULT, HABIT_HANDLER, HABIT_IGNORE };

/* What the shell reports: how its job changed. */
struct job_change {
    int status; /* as of waitpid(2) */
};

/* The terminal, the shell on it, and the host. */
struct scene {
    int terminal; /* what is typed and shown */
    int changes;  /* the shell's reports */
    int orders;   /* 'c': let the job go on */
    pid_t shell;
    pid_t host;
    char shown[4096];
    size_t shown_length;
    /* The helper's processes, by descriptors that stay theirs. */
    int helpers[HELPERS_MAX];
    pid_t helper_pids[HELPERS_MAX];
    size_t helpers_count;
};

/*
 * The host, in the terminal's foreground.
 */

static void
handle(int number)
{
    (void)number;
}

/* Reads a line from the terminal; read(2) goes on after a signal. */
static int
ask_at_terminal(int count, const struct pam_message **messages,
                struct pam_response **responses_out, void *data)
{
    struct pam_response *responses =
        calloc((size_t)count, sizeof(responses[0]));
    char line[256];
    ssize_t length = 0;

    (void)data;
    (void)dprintf(1, "<%s>\n", messages[0]->msg);
    do {
        length = read(0, line, sizeof(line) - 1);
    } while (length < 0 && errno == EINTR);
    if (responses == NULL || length <= 0) {
        free(responses);
        return PAM_CONV_ERR;
    }
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    responses[0].resp = strdup(line);
    *responses_out = responses;
    return PAM_SUCCESS;
}

static void
live_as_host(enum habit habit)
{
    const struct pam_conv conversation = {.conv = ask_at_terminal};
    static const int signals[] = {SIGINT, SIGQUIT, SIGTSTP, SIGHUP};
    struct stack stack;

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)signal(signals[i], habit == HABIT_DEFAULT   ? SIG_DFL
                                 : habit == HABIT_HANDLER ? handle
                                                          : SIG_IGN);
    }
    stack_start(&stack, "alice", "timeout=15", NULL);
    (void)pam_set_item(stack.handle, PAM_CONV, &conversation);
    (void)dprintf(1, "<code %d>\n", pam_authenticate(stack.handle, 0));
    stack_end(&stack, PAM_SUCCESS);
    _exit(0);
}

/*
 * The shell.
 */

static volatile pid_t job = -1;

/* A shell that is hung up tells its jobs. */
static void
pass_on(int number)
{
    if (job > 0) {
        (void)kill(-job, number);
    }
}

/* Waits for a change of the job, whatever interrupts. */
static int
wait_for_job(void)
{
    int status = 0;
    pid_t pid = -1;

    do {
        pid = waitpid(job, &status, WUNTRACED);
    } while (pid < 0 && errno == EINTR);
    if (pid != job) {
        _exit(1);
    }
    return status;
}

static void
live_as_shell(enum habit habit, int changes, int orders)
{
    (void)signal(SIGTTOU, SIG_IGN);
    (void)signal(SIGHUP, pass_on);
    job = fork();
    if (job == 0) {
        (void)setpgid(0, 0);
        (void)tcsetpgrp(0, getpgrp());
        (void)signal(SIGTTOU, SIG_DFL);
        live_as_host(habit);
    }
    if (write(changes, (const pid_t[]){job}, sizeof(job)) !=
        (ssize_t)sizeof(job)) {
        _exit(1);
    }
    for (;;) {
        const struct job_change change = {.status = wait_for_job()};
        char order = 0;

        if (write(changes, &change, sizeof(change)) !=
            (ssize_t)sizeof(change)) {
            _exit(1);
        }
        if (!WIFSTOPPED(change.status)) {
            break;
        }
        if (read(orders, &order, 1) == 1) {
            (void)kill(-job, SIGCONT);
        }
    }
    /* Stays, so that the terminal is not hung up by our end. */
    (void)!read(orders, &(char){0}, 1);
    _exit(0);
}

/*
 * The typist: the test itself.
 */

/* Reads what is shown until TEXT is among it. */
static void
wait_for_text(struct scene *scene, const char *text)
{
    while (strstr(scene->shown, text) == NULL) {
        struct pollfd poll_fd = {.fd = scene->terminal, .events = POLLIN};
        ssize_t got = 0;

        ck_assert_msg(poll(&poll_fd, 1, WAIT_MS) > 0, "no \"%s\" but \"%s\"",
                      text, scene->shown);
        got = read(scene->terminal, scene->shown + scene->shown_length,
                   sizeof(scene->shown) - 1 - scene->shown_length);
        ck_assert_msg(got > 0, "no \"%s\" but \"%s\"", text, scene->shown);
        scene->shown_length += (size_t)got;
        scene->shown[scene->shown_length] = '\0';
    }
}

/* The next change of the host's state. */
static int
wait_for_change(const struct scene *scene)
{
    struct pollfd poll_fd = {.fd = scene->changes, .events = POLLIN};
    struct job_change change;

    ck_assert_msg(poll(&poll_fd, 1, WAIT_MS) > 0, "the host goes on");
    ck_assert_int_eq(read(scene->changes, &change, sizeof(change)),
                     (int)sizeof(change));
    return change.status;
}

static void
type(const struct scene *scene, const char *text)
{
    size_t length = strlen(text);

    ck_assert_int_eq(write(scene->terminal, text, length), (int)length);
}

/* Adds PID's children, and theirs, to the helpers. */
static void
find_helpers(struct scene *scene, pid_t pid)
{
    char path[64];
    FILE *file = NULL;
    int child = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
                   (int)pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fscanf(file, "%d", &child) == 1) {
        int fd = (int)syscall(SYS_pidfd_open, child, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_uint_lt(scene->helpers_count, HELPERS_MAX);
        scene->helper_pids[scene->helpers_count] = child;
        scene->helpers[scene->helpers_count++] = fd;
        find_helpers(scene, child);
    }
    (void)fclose(file);
}

/* A host of HABIT that shows its prompt. */
static void
scene_begin(struct scene *scene, enum habit habit)
{
    int changes[2];
    int orders[2];

    memset(scene, 0, sizeof(*scene));
    ck_assert_int_eq(pipe(changes), 0);
    ck_assert_int_eq(pipe(orders), 0);
    scene->shell = forkpty(&scene->terminal, NULL, NULL, NULL);
    ck_assert_int_ge(scene->shell, 0);
    if (scene->shell == 0) {
        (void)close(changes[0]);
        (void)close(orders[1]);
        live_as_shell(habit, changes[1], orders[0]);
    }
    (void)close(changes[1]);
    (void)close(orders[0]);
    scene->changes = changes[0];
    scene->orders = orders[1];
    ck_assert_int_eq(read(scene->changes, &scene->host, sizeof(scene->host)),
                     (int)sizeof(scene->host));
    wait_for_text(scene, "<Password: >");
    find_helpers(scene, scene->host);
    ck_assert_uint_eq(scene->helpers_count, HELPERS);
}

static bool
helper_is_gone(const struct scene *scene, size_t i, int limit_ms)
{
    struct pollfd poll_fd = {.fd = scene->helpers[i], .events = POLLIN};

    return poll(&poll_fd, 1, limit_ms) > 0;
}

/* All of the helper is there and goes on, as if nothing had been typed. */
static void
assert_helpers_run(const struct scene *scene)
{
    for (size_t i = 0; i < scene->helpers_count; i++) {
        char path[64];
        char state = 0;
        FILE *file = NULL;

        if (i == SEARCHER) {
            continue;
        }
        ck_assert_msg(!helper_is_gone(scene, i, 0), "helper %zu is gone", i);
        (void)snprintf(path, sizeof(path), "/proc/%d/stat",
                       (int)scene->helper_pids[i]);
        file = fopen(path, "re");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        (void)fclose(file);
        ck_assert_msg(state == 'S' || state == 'R', "helper %zu: state %c", i,
                      state);
    }
}

static void
assert_helpers_go(const struct scene *scene)
{
    for (size_t i = 0; i < scene->helpers_count; i++) {
        ck_assert_msg(helper_is_gone(scene, i, WAIT_MS),
                      "helper %zu (process %d) stays", i,
                      (int)scene->helper_pids[i]);
    }
}

/* Answers the prompt; the login must succeed and the helper go. */
static void
complete(struct scene *scene)
{
    int status = 0;

    type(scene, "alice-password\n");
    wait_for_text(scene, "<code 0>");
    status = wait_for_change(scene);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "the host: status 0x%x", (unsigned int)status);
    assert_helpers_go(scene);
}

static void
scene_end(struct scene *scene)
{
    for (size_t i = 0; i < scene->helpers_count; i++) {
        (void)close(scene->helpers[i]);
    }
    (void)close(scene->orders);
    (void)close(scene->changes);
    (void)waitpid(scene->shell, NULL, 0);
    if (scene->terminal >= 0) {
        (void)close(scene->terminal);
    }
}

/* The keys of a terminal, and what they send. */
static const struct key {
    const char *typed;
    int number;
} keys[] = {{"\003", SIGINT}, {"\034", SIGQUIT}};

/* The host dies of NUMBER as it would without us, and nobody stays. */
static void
expect_death(struct scene *scene, int number)
{
    int status = wait_for_change(scene);

    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == number,
                  "the host: status 0x%x", (unsigned int)status);
    assert_helpers_go(scene);
}

START_TEST(test_terminal_login_without_any_key_completes)
{
    struct scene scene;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_DEFAULT);
    assert_helpers_run(&scene);
    complete(&scene);
    scene_end(&scene);
}
END_TEST

START_TEST(test_terminal_key_that_kills_the_host_leaves_no_helper)
{
    struct scene scene;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_DEFAULT);
    type(&scene, keys[_i].typed);
    expect_death(&scene, keys[_i].number);
    scene_end(&scene);
}
END_TEST

START_TEST(test_terminal_key_that_the_host_handles_does_not_reach_the_helper)
{
    struct scene scene;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_HANDLER);
    type(&scene, keys[_i].typed);
    /* The terminal shows the key after it has sent the signal. */
    wait_for_text(&scene, _i == 0 ? "^C" : "^\\");
    assert_helpers_run(&scene);
    complete(&scene);
    scene_end(&scene);
}
END_TEST

START_TEST(test_terminal_key_that_the_host_ignores_does_not_reach_the_helper)
{
    struct scene scene;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_IGNORE);
    type(&scene, keys[_i].typed);
    wait_for_text(&scene, _i == 0 ? "^C" : "^\\");
    assert_helpers_run(&scene);
    complete(&scene);
    scene_end(&scene);
}
END_TEST

START_TEST(test_terminal_host_that_was_stopped_completes_afterwards)
{
    struct scene scene;
    int status = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_DEFAULT);
    type(&scene, "\032");
    status = wait_for_change(&scene);
    ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP,
                  "the host: status 0x%x", (unsigned int)status);
    assert_helpers_run(&scene);
    ck_assert_int_eq(write(scene.orders, "c", 1), 1);
    complete(&scene);
    scene_end(&scene);
}
END_TEST

START_TEST(test_terminal_stop_that_the_host_handles_does_not_reach_the_helper)
{
    struct scene scene;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_HANDLER);
    type(&scene, "\032");
    wait_for_text(&scene, "^Z");
    assert_helpers_run(&scene);
    complete(&scene);
    scene_end(&scene);
}
END_TEST

START_TEST(test_terminal_stopped_host_that_is_killed_leaves_no_helper)
{
    struct scene scene;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_DEFAULT);
    type(&scene, "\032");
    ck_assert(WIFSTOPPED(wait_for_change(&scene)));
    ck_assert_int_eq(kill(scene.host, SIGKILL), 0);
    ck_assert_int_eq(write(scene.orders, "c", 1), 1);
    expect_death(&scene, SIGKILL);
    scene_end(&scene);
}
END_TEST

START_TEST(test_terminal_host_that_is_killed_leaves_no_helper)
{
    struct scene scene;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_IGNORE);
    ck_assert_int_eq(kill(scene.host, SIGKILL), 0);
    expect_death(&scene, SIGKILL);
    scene_end(&scene);
}
END_TEST

/*
 * The window is closed: the host reads the end of the terminal, and the shell
 * passes SIGHUP on.  Which is first is not said; either ends the host.
 */
START_TEST(test_terminal_that_hangs_up_leaves_no_helper)
{
    struct scene scene;
    int status = 0;

    SKIP_UNLESS(geteuid() == 0, "needs root");
    scene_begin(&scene, HABIT_DEFAULT);
    (void)close(scene.terminal);
    scene.terminal = -1;
    status = wait_for_change(&scene);
    ck_assert_msg(WIFSIGNALED(status)
                      ? WTERMSIG(status) == SIGHUP
                      : WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "the host: status 0x%x", (unsigned int)status);
    assert_helpers_go(&scene);
    scene_end(&scene);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("stack/terminal");
    TCase *keyboard = suite_case(suite, "keyboard");
    TCase *end = suite_case(suite, "end");

    tcase_add_test(keyboard, test_terminal_login_without_any_key_completes);
    tcase_add_loop_test(
        keyboard, test_terminal_key_that_kills_the_host_leaves_no_helper, 0, 2);
    tcase_add_loop_test(
        keyboard,
        test_terminal_key_that_the_host_handles_does_not_reach_the_helper, 0,
        2);
    tcase_add_loop_test(
        keyboard,
        test_terminal_key_that_the_host_ignores_does_not_reach_the_helper, 0,
        2);
    tcase_add_test(keyboard,
                   test_terminal_host_that_was_stopped_completes_afterwards);
    tcase_add_test(
        keyboard,
        test_terminal_stop_that_the_host_handles_does_not_reach_the_helper);
    tcase_add_test(end,
                   test_terminal_stopped_host_that_is_killed_leaves_no_helper);
    tcase_add_test(end, test_terminal_host_that_is_killed_leaves_no_helper);
    tcase_add_test(end, test_terminal_that_hangs_up_leaves_no_helper);
    return suite_main(suite);
}
