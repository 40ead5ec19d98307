/* Hosts that do as they are told. */
#include "model/actor.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/cache.h"
#include "support/keys.h"

/* The most that a host waits for, with a machine that is busy. */
#define LIMIT_S 120

/* Tickets last ten hours: of a life of fifty forty are over. */
#define AGED_S (40 * 3600)
#define EXPIRED_S 60

/* The process's own: which user it is about, and its handle. */
static struct stack stack;
static char user[32];

/* The child that only gives its copy back. */
static void
give_back(int code, int flags)
{
    (void)pam_end(stack.handle, PAM_SUCCESS | flags);
    _exit(code);
}

static int
status_of(pid_t pid)
{
    int status = 0;

    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static int
start(const struct actor_start *wanted)
{
    (void)snprintf(user, sizeof(user), "%s", wanted->user);
    if (wanted->is_faulty) {
        visit_use_faulty();
    }
    (void)setenv("KRB5_CONFIG", wanted->config, 1);
    common_start(&stack, user, wanted->arguments, visit_answers(user, false));
    (void)pam_set_item(stack.handle, PAM_TTY,
                       wanted->is_remote ? "ssh" : "tty");
    if (wanted->is_remote) {
        (void)pam_set_item(stack.handle, PAM_RHOST, "client.test");
    }
    return PAM_SUCCESS;
}

static int
authenticate(bool is_wrong)
{
    stack_script(&stack, visit_answers(user, is_wrong));
    return pam_authenticate(stack.handle, 0);
}

/* sshd's keyboard-interactive authentication: pam_data stays behind. */
static int
authenticate_far(bool is_wrong)
{
    int fds[2];
    char setting[ACTOR_TEXT_MAX];
    ssize_t length = 0;
    pid_t pid = -1;

    if (pipe(fds) < 0) {
        return PAM_SYSTEM_ERR;
    }
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int code = authenticate(is_wrong);
        char **list = pam_getenvlist(stack.handle);

        for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
            /* Short ones, whole in a pipe; read one by one below. */
            (void)memset(setting, 0, sizeof(setting));
            (void)snprintf(setting, sizeof(setting), "%s", list[i]);
            (void)!write(fds[1], setting, sizeof(setting));
        }
        _exit(code);
    }
    (void)close(fds[1]);
    while ((length = read(fds[0], setting, sizeof(setting))) > 0) {
        (void)pam_putenv(stack.handle, setting);
    }
    (void)close(fds[0]);
    return status_of(pid);
}

/* sshd's child that becomes the session. */
static int
setcred_forked(int flags, bool is_loud)
{
    pid_t pid = -1;

    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        give_back(pam_setcred(stack.handle, flags),
                  is_loud ? 0 : PAM_DATA_SILENT);
    }
    return status_of(pid);
}

/* The user's process: says its pid on FD, and is there until it is killed. */
static void
become_life(int fd)
{
    uid_t uid = common_uid(user);
    pid_t pid = getpid();

    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
        setresuid(uid, uid, uid) < 0 ||
        write(fd, &pid, sizeof(pid)) != (ssize_t)sizeof(pid)) {
        _exit(1);
    }
    (void)close_range(3, ~0U, 0);
    for (;;) {
        (void)pause();
    }
}

/* A process that holds the uid and is nobody's child; its pid, or -1. */
static pid_t
live(void)
{
    int fds[2];
    pid_t pid = -1;
    pid_t life = -1;

    if (pipe(fds) < 0) {
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            become_life(fds[1]);
        }
        _exit(0);
    }
    (void)close(fds[1]);
    if (read(fds[0], &life, sizeof(life)) != (ssize_t)sizeof(life)) {
        life = -1;
    }
    (void)close(fds[0]);
    return status_of(pid) == 0 ? life : -1;
}

/* The deeds, each into the answer. */

static void
do_start(const struct actor_order *order, struct actor_answer *answer)
{
    answer->code = start(&order->start);
}

static void
do_authenticate(const struct actor_order *order, struct actor_answer *answer)
{
    answer->code = authenticate(order->is_wrong);
}

static void
do_authenticate_far(const struct actor_order *order,
                    struct actor_answer *answer)
{
    answer->code = authenticate_far(order->is_wrong);
}

static void
do_account(const struct actor_order *order, struct actor_answer *answer)
{
    (void)order;
    answer->code = pam_acct_mgmt(stack.handle, 0);
}

static void
do_setcred(const struct actor_order *order, struct actor_answer *answer)
{
    answer->code = pam_setcred(stack.handle, order->flags);
}

static void
do_setcred_forked(const struct actor_order *order, struct actor_answer *answer)
{
    answer->code = setcred_forked(order->flags, order->is_loud);
}

static void
do_open(const struct actor_order *order, struct actor_answer *answer)
{
    (void)order;
    answer->code = pam_open_session(stack.handle, 0);
}

static void
do_close(const struct actor_order *order, struct actor_answer *answer)
{
    (void)order;
    answer->code = pam_close_session(stack.handle, 0);
}

static void
do_end(const struct actor_order *order, struct actor_answer *answer)
{
    (void)answer;
    stack_end(&stack, PAM_SUCCESS | order->flags);
}

static void
do_join_session(const struct actor_order *order, struct actor_answer *answer)
{
    (void)order;
    (void)answer;
    keys_join_session(common_uid(user));
}

static void
do_name_cache(const struct actor_order *order, struct actor_answer *answer)
{
    (void)answer;
    common_set_cache(&stack, order->text);
}

static void
do_visit(const struct actor_order *order, struct actor_answer *answer)
{
    answer->visit = visit_run(&order->visit);
}

static void
do_live(const struct actor_order *order, struct actor_answer *answer)
{
    (void)order;
    answer->pid = live();
}

static void
do_look(const struct actor_order *order, struct actor_answer *answer)
{
    uid_t uid = common_uid(user);

    answer->whole = whole_look(order->text, uid, uid);
}

static void
do_kinit(const struct actor_order *order, struct actor_answer *answer)
{
    uid_t uid = common_uid(user);
    char password[128];

    (void)snprintf(password, sizeof(password), "%s-password", order->principal);
    answer->code = cache_kinit(order->text, order->principal, password,
                               order->lifetimes, uid, uid)
                       ? 0
                       : 1;
}

static void
do_kdestroy(const struct actor_order *order, struct actor_answer *answer)
{
    uid_t uid = common_uid(user);

    answer->code = whole_destroy(order->text, uid, uid) ? 0 : 1;
}

static void
do_shift(const struct actor_order *order, struct actor_answer *answer)
{
    uid_t uid = common_uid(user);
    const struct cache_ages ages = {
        .begun_s = AGED_S,
        .ended_s = order->shift == SHIFT_AGED ? 0 : EXPIRED_S};

    answer->code = cache_age(order->text, &ages, uid, uid) ? 0 : 1;
}

static void (*const deeds[])(const struct actor_order *order,
                             struct actor_answer *answer) = {
    [ACTOR_START] = do_start,
    [ACTOR_AUTHENTICATE] = do_authenticate,
    [ACTOR_AUTHENTICATE_FAR] = do_authenticate_far,
    [ACTOR_ACCOUNT] = do_account,
    [ACTOR_SETCRED] = do_setcred,
    [ACTOR_SETCRED_FORKED] = do_setcred_forked,
    [ACTOR_OPEN] = do_open,
    [ACTOR_CLOSE] = do_close,
    [ACTOR_END] = do_end,
    [ACTOR_JOIN_SESSION] = do_join_session,
    [ACTOR_NAME_CACHE] = do_name_cache,
    [ACTOR_VISIT] = do_visit,
    [ACTOR_LIVE] = do_live,
    [ACTOR_LOOK] = do_look,
    [ACTOR_KINIT] = do_kinit,
    [ACTOR_KDESTROY] = do_kdestroy,
    [ACTOR_SHIFT] = do_shift,
};

/* The variable NAME of the PAM environment, "" where there is none. */
static void
tell_variable(const char *name, char text[ACTOR_TEXT_MAX])
{
    const char *value =
        stack.handle == NULL ? NULL : pam_getenv(stack.handle, name);

    (void)snprintf(text, ACTOR_TEXT_MAX, "%s", value == NULL ? "" : value);
}

/* The end of the log is what matters. */
static void
tell_log(char log[ACTOR_LOG_MAX])
{
    size_t length = strlen(stack_log());

    (void)snprintf(log, ACTOR_LOG_MAX, "%s",
                   stack_log() + (length < ACTOR_LOG_MAX
                                      ? 0
                                      : length - ACTOR_LOG_MAX + 1));
}

static void
serve(int fd)
{
    static struct actor_order order;
    static struct actor_answer answer;

    while (recv(fd, &order, sizeof(order), 0) == (ssize_t)sizeof(order)) {
        memset(&answer, 0, sizeof(answer));
        stack_log_clear();
        deeds[order.deed](&order, &answer);
        tell_variable("KRB5CCNAME", answer.cache);
        tell_variable("PAM_KRB5CC_STASH", answer.stash);
        tell_log(answer.log);
        if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0 ||
            order.deed == ACTOR_END) {
            break;
        }
    }
    _exit(0);
}

struct actor
actor_begin(void)
{
    struct actor actor = {.pid = -1};
    struct timeval limit = {.tv_sec = LIMIT_S};
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds),
                     0);
    (void)fflush(NULL);
    actor.pid = fork();
    ck_assert_int_ge(actor.pid, 0);
    if (actor.pid == 0) {
        /* Whoever started us may fail at any moment. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(fds[0]);
        serve(fds[1]);
    }
    (void)close(fds[1]);
    actor.socket = fds[0];
    ck_assert_int_eq(setsockopt(actor.socket, SOL_SOCKET, SO_RCVTIMEO, &limit,
                                sizeof(limit)),
                     0);
    return actor;
}

void
actor_bury(pid_t pid)
{
    int status = 0;

    ck_assert_msg(waitpid(pid, &status, 0) == pid, "%d is no child: %s",
                  (int)pid, strerror(errno));
}

static void
forget(struct actor *actor)
{
    actor_bury(actor->pid);
    (void)close(actor->socket);
    *actor = (struct actor){.pid = -1, .socket = -1};
}

struct actor_answer
actor_tell(struct actor *actor, const struct actor_order *order)
{
    static struct actor_answer answer;
    ssize_t length = 0;

    memset(&answer, 0, sizeof(answer));
    ck_assert_int_eq(send(actor->socket, order, sizeof(*order), MSG_NOSIGNAL),
                     (ssize_t)sizeof(*order));
    length = recv(actor->socket, &answer, sizeof(answer), 0);
    ck_assert_msg(length >= 0 || errno == ECONNRESET,
                  "a host does not answer to deed %d: %s", (int)order->deed,
                  strerror(errno));
    answer.is_dead = length != (ssize_t)sizeof(answer);
    if (answer.is_dead || order->deed == ACTOR_END) {
        forget(actor);
    }
    return answer;
}

void
actor_kill(struct actor *actor)
{
    ck_assert_int_eq(kill(actor->pid, SIGKILL), 0);
    forget(actor);
}
