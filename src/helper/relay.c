/* The line to the exchange, as the judge has it. */
#include "helper/relay.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/exchange.h"
#include "helper/groups.h"
#include "helper/timer.h"
#include "krb/preauth.h"

/* An exchange that says more than this before its tickets has gone mad. */
#define RELAYED_MAX 200

/* The exchange cannot be who it should be: says so and ends. */
static void
give_up_exchange(const struct line *judge)
{
    const struct tickets_message message = {
        .outcome = OUTCOME_IDENTITY,
        .detail = "cannot become the account that talks to the KDC",
    };
    struct bytes payload = BYTES_EMPTY;

    tickets_message_pack(&payload, &message);
    line_send(judge, MESSAGE_TICKETS, &payload);
    _exit(1);
}

/* The child's whole life. */
static void
live_as_exchange(struct helper *helper, int judge_fd, pid_t judge)
{
    const struct exchange_task task = {
        .judge = {.fd = judge_fd, .version = MESSAGE_VERSION},
        .request = &helper->request,
        .trace_fd = helper->trace_fd,
    };

    helper_close_lines(helper);
    if (identity_is_root() &&
        identity_become_account(&helper->account) != OUTCOME_SUCCESS) {
        give_up_exchange(&task.judge);
    }
    if (!identity_end_with(judge)) {
        line_hang_up();
    }
    exchange_run(&task, &helper->options);
    _exit(0);
}

/* Starts it as helper->account. */
static enum outcome
start(struct helper *helper, struct krb *krb)
{
    int fds[2] = {-1, -1};
    pid_t judge = getpid();
    pid_t child = -1;
    int64_t budget_ms = helper->request.budget_ms;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        return krb_refuse(krb, OUTCOME_HELPER_FAILED, "socketpair: errno %d",
                          errno);
    }
    child = fork();
    if (child == 0) {
        (void)close(fds[0]);
        /* Timers are not inherited (fork(2)). */
        timer_begin(budget_ms);
        live_as_exchange(helper, fds[1], judge);
    }
    if (child < 0) {
        (void)krb_refuse(krb, OUTCOME_HELPER_FAILED, "fork: errno %d", errno);
        (void)close(fds[0]);
        (void)close(fds[1]);
        return OUTCOME_HELPER_FAILED;
    }
    (void)close(fds[1]);
    helper->exchange_pid = child;
    helper->exchange = (struct line){.fd = fds[0], .version = MESSAGE_VERSION};
    return OUTCOME_SUCCESS;
}

enum outcome
relay_start(struct helper *helper, struct krb *krb)
{
    if (identity_is_root() && !identity_find_helper_account(&helper->account)) {
        return krb_refuse(krb, OUTCOME_IDENTITY,
                          "neither the account %s nor nobody exists; run "
                          "systemd-sysusers",
                          HELPER_USER);
    }
    /* Before the exchange: two forks in a row share what is copied later. */
    groups_start(helper);
    return start(helper, krb);
}

/*
 * Lets CHILD end on another processor than this one, if there is another: who
 * has just been woken may have been put here, behind us, and to take a process
 * down takes as long as what we have still to do.  Not where system calls are
 * filtered: a filter may kill for this one (SystemCallFilter= of systemd, its
 * group @resources), and it is only a favour.
 */
static void
send_away(pid_t child)
{
    cpu_set_t others;
    int here = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0 ? sched_getcpu() : -1;

    if (here >= 0 && here < CPU_SETSIZE &&
        sched_getaffinity(0, sizeof(others), &others) == 0) {
        CPU_CLR((size_t)here, &others);
        /* Without another one this fails, and nothing is lost. */
        (void)sched_setaffinity(child, sizeof(others), &others);
    }
}

/* Nothing more is wanted of the exchange: it may end while we go on. */
void
relay_hang_up(struct helper *helper)
{
    if (helper->exchange.fd >= 0) {
        (void)close(helper->exchange.fd);
        helper->exchange.fd = -1;
        send_away(helper->exchange_pid);
    }
}

/* It ends when its line does; our timer bounds the wait. */
static void
end_exchange(struct helper *helper)
{
    if (helper->exchange_pid <= 0) {
        return;
    }
    relay_hang_up(helper);
    while (waitpid(helper->exchange_pid, NULL, 0) < 0 && errno == EINTR) {
    }
    helper->exchange_pid = 0;
}

void
relay_end(struct helper *helper)
{
    groups_stop(helper);
    end_exchange(helper);
}

/*
 * Whether the user of the request is the one to read FILES: the dedicated
 * account cannot, and he can.  What only root can read stays unread.
 */
static bool
is_for_user(struct helper *helper, const struct preauth_files *files)
{
    const struct request *request = &helper->request;
    const struct identity_account user = {.uid = request->uid,
                                          .gid = request->gid};

    if (files->count == 0 ||
        identity_can_read(&helper->account, files->list, files->count)) {
        return false;
    }
    if (request->has_account && request->uid != 0 &&
        identity_can_read(&user, files->list, files->count)) {
        return true;
    }
    log_line(&helper->log, LOG_LEVEL_NOTICE,
             "neither the account for the network nor the user can read the "
             "certificate or key: %s",
             files->list[0]);
    return false;
}

/*
 * Where PKINIT needs a file that is the user's alone, the exchange goes on as
 * the user and not as the dedicated account.  Only now is it known what
 * krb5.conf says; the one that waits has done nothing yet.
 */
enum outcome
relay_settle(struct helper *helper, struct krb *krb)
{
    struct preauth_files files = {0};
    bool is_users = false;

    if (!identity_is_root()) {
        return OUTCOME_SUCCESS;
    }
    if (preauth_find_files(&helper->options, &files) < 0) {
        return krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    is_users = is_for_user(helper, &files);
    preauth_files_free(&files);
    if (!is_users) {
        return OUTCOME_SUCCESS;
    }
    end_exchange(helper);
    helper->account = (struct identity_account){.uid = helper->request.uid,
                                                .gid = helper->request.gid};
    return start(helper, krb);
}

/*
 * Waits for the exchange to say something.  The module has nothing to say
 * meanwhile: if it does, or is gone, this process ends.
 */
static void
wait_for_exchange(const struct helper *helper)
{
    struct pollfd fds[2] = {
        {.fd = helper->exchange.fd, .events = POLLIN},
        {.fd = helper->module.fd, .events = POLLIN},
    };

    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR) {
            line_hang_up();
        }
    }
    if (fds[1].revents != 0) {
        line_hang_up();
    }
}

static bool
may_ask(enum job job)
{
    return job == JOB_ACQUIRE || job == JOB_TRY || job == JOB_CHANGE;
}

/* Passes a prompt on to the user and the answer back. */
static void
relay_prompt(struct helper *helper, struct message *message)
{
    struct prompts prompts = {0};
    struct message answer;

    /* Nobody sits there waiting to be asked during a renewal. */
    if (!may_ask(helper->request.job) ||
        prompts_unpack(bytes_span(&message->payload), &prompts) < 0) {
        line_hang_up();
    }
    timer_pause();
    line_send(&helper->module, MESSAGE_PROMPT, &message->payload);
    /* Its page is for the answer. */
    message_free(message);
    groups_ask(helper);
    answer = line_expect(&helper->module, MESSAGE_ANSWER);
    timer_resume();
    line_send(&helper->exchange, MESSAGE_ANSWER, &answer.payload);
    message_free(&answer);
    /* The exchange has something to do now, and NSS its time. */
    groups_hear(helper);
}

/* Passes on what the exchange may say to the outside; nothing else. */
static void
relay(struct helper *helper, struct message *message)
{
    const char *text = NULL;
    struct note note = {0};

    switch (message->type) {
    case MESSAGE_PROMPT:
        relay_prompt(helper, message);
        return;
    case MESSAGE_INFO:
        if (info_unpack(bytes_span(&message->payload), &text) == 0) {
            line_inform(&helper->module, text);
            return;
        }
        break;
    case MESSAGE_NOTE:
        if (note_unpack(bytes_span(&message->payload), &note) == 0) {
            /* Its word and no more: it cannot sign as the judge. */
            log_line(&helper->log,
                     note.level == LOG_LEVEL_ALERT ? LOG_LEVEL_ERROR
                                                   : note.level,
                     "exchange: %s", note.text);
            return;
        }
        break;
    default:
        break;
    }
    line_hang_up();
}

/* The exchange's next message of TYPE; relays what comes before it. */
struct message
relay_hear(struct helper *helper, enum message_type type)
{
    for (int i = 0; i < RELAYED_MAX; i++) {
        struct message message;

        wait_for_exchange(helper);
        message = line_receive(&helper->exchange);
        if (message.type == type) {
            return message;
        }
        relay(helper, &message);
        message_free(&message);
    }
    line_hang_up();
}

/*
 * What an exchange may say of its failure: what a KDC or a user has told it.
 * The rest is not its to say: a success of another kind, an alert.
 */
static bool
may_claim(const struct helper *helper, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_CHANGE_DEFERRED:
        return helper->options.defer_pwchange &&
               !helper->options.fail_pwchange &&
               helper->request.job == JOB_ACQUIRE;
    case OUTCOME_SUCCESS:
    case OUTCOME_NO_MEMORY:
    case OUTCOME_WRONG_PASSWORD:
    case OUTCOME_UNKNOWN_PRINCIPAL:
    case OUTCOME_PRINCIPAL_LOCKED:
    case OUTCOME_PRINCIPAL_EXPIRED:
    case OUTCOME_PASSWORD_EXPIRED:
    case OUTCOME_KDC_REFUSED:
    case OUTCOME_KDC_UNREACHABLE:
    case OUTCOME_KDC_NONSENSE:
    case OUTCOME_CLOCK_SKEW:
    case OUTCOME_NO_COMMON_ENCTYPE:
    case OUTCOME_NO_ANSWER:
    case OUTCOME_TICKET_EXPIRED:
    case OUTCOME_NOT_RENEWABLE:
    case OUTCOME_IDENTITY:
    case OUTCOME_CONFIGURATION:
    case OUTCOME_PASSWORD_REJECTED:
    case OUTCOME_PASSWORD_MISTYPED:
        return true;
    case OUTCOME_NOT_OURS:
    case OUTCOME_BAD_CALL:
    case OUTCOME_DEADLINE:
    case OUTCOME_UNVERIFIED:
    case OUTCOME_NOT_AUTHORIZED:
    case OUTCOME_NO_ACCOUNT:
    case OUTCOME_CACHE_MISSING:
    case OUTCOME_CACHE_UNREADABLE:
    case OUTCOME_CACHE_OF_ANOTHER:
    case OUTCOME_CACHE_TAKEN:
    case OUTCOME_CACHE_UNWRITABLE:
    case OUTCOME_CACHE_KIND:
    case OUTCOME_HELPER_UNSAFE:
    case OUTCOME_HELPER_FAILED:
    case OUTCOME_CACHE_QUOTA:
    case OUTCOME_SESSION_NOT_OPEN:
    case OUTCOME_PASSED_OVER:
    case OUTCOME_COUNT:
        break;
    }
    return false;
}

/*
 * Reads what the administrator has named for armor, as the host: it is
 * typically root's.  Where it is of no use, that is said.
 */
static void
read_armor(struct helper *helper, struct krb *krb, struct bytes *armor)
{
    const char *name = helper->options.fast_ccache;

    if (name == NULL || !may_ask(helper->request.job)) {
        return;
    }
    if (preauth_read_armor(krb, name, armor) != OUTCOME_SUCCESS) {
        log_line(&helper->log, LOG_LEVEL_NOTICE, "no FAST with fast_ccache: %s",
                 krb->detail);
        bytes_free(armor);
    }
}

/* Tells the exchange to begin, with what armor there is. */
void
relay_begin(struct helper *helper, struct krb *krb, const struct begin *begin)
{
    struct begin all = *begin;
    struct bytes armor = BYTES_EMPTY;
    struct bytes payload = BYTES_EMPTY;

    read_armor(helper, krb, &armor);
    all.armor = bytes_span(&armor);
    begin_pack(&payload, &all, &helper->options);
    line_send(&helper->exchange, MESSAGE_BEGIN, &payload);
    bytes_free(&payload);
    bytes_free(&armor);
    if (helper->request.password.length > 0) {
        /* Nobody will be asked. */
        groups_ask(helper);
        groups_hear(helper);
    }
}

/*
 * Hears what came of what the exchange was told.  The tickets of a success are
 * copied to BYTES.
 */
enum outcome
relay_hear_tickets(struct helper *helper, struct krb *krb, struct bytes *bytes)
{
    struct tickets_message said = {0};
    struct message message;
    enum outcome outcome = OUTCOME_SUCCESS;

    message = relay_hear(helper, MESSAGE_TICKETS);
    if (tickets_message_unpack(bytes_span(&message.payload), &said) < 0) {
        line_hang_up();
    }
    outcome =
        may_claim(helper, said.outcome) ? said.outcome : OUTCOME_HELPER_FAILED;
    (void)krb_refuse(krb, outcome, "%s", said.detail);
    if (outcome == OUTCOME_SUCCESS && bytes_copy(bytes, said.tickets) < 0) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    message_free(&message);
    return outcome;
}
