/* One request to the helper, from spawn to result. */
#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/channel.h"
#include "client/spawn.h"

/* How long a helper that is done or killed may take to be gone. */
#define END_MS 100

/* A helper that says more than this has gone mad. */
#define MESSAGES_MAX 500

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void __attribute__((format(printf, 3, 4)))
fail(struct client_answer *answer, enum outcome outcome, const char *format,
     ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(answer->failure, sizeof(answer->failure), format,
                    arguments);
    va_end(arguments);
    answer->result = (struct result){
        .outcome = outcome,
        .detail = answer->failure,
        .principal = "",
        .cache = "",
    };
}

void
client_answer_free(struct client_answer *answer)
{
    message_free(&answer->message);
}

/*
 * Whether the process of PIDFD is gone within LIMIT_MS.  Signals of the host's
 * do not make it longer.
 */
static bool
is_gone(int pidfd, int limit_ms)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    struct deadline deadline = deadline_in(limit_ms);
    int ready = 0;

    do {
        ready = poll(&poll_fd, 1, deadline_poll_ms(&deadline));
    } while (ready < 0 && errno == EINTR && deadline_left_ms(&deadline) > 0);
    return ready > 0;
}

/*
 * Where the kernel (or a sandbox) has no pidfd: the helper ends itself once
 * its socket is closed.  Only waited for, never killed: waiting takes nobody
 * but our own child.
 */
static void
reap_without_pidfd(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = END_MS * 1000000L / 20};
    siginfo_t info = {.si_pid = 0};

    for (int i = 0; pid > 0 && i < 20; i++) {
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) < 0 ||
            info.si_pid != 0) {
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
}

void
client_end(struct client *client)
{
    siginfo_t info;

    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    if (client->pidfd < 0) {
        reap_without_pidfd(client->pid);
    } else {
        /* Killing one that is on its way out would only look bad in a trace. */
        if (client->is_leaving) {
            (void)is_gone(client->pidfd, END_MS);
        }
        if (client->is_known && !is_gone(client->pidfd, 0)) {
            (void)syscall(SYS_pidfd_send_signal, client->pidfd, SIGKILL, NULL,
                          0);
        }
        if (is_gone(client->pidfd, END_MS)) {
            /* ECHILD: the host reaps its children itself. */
            (void)waitid((idtype_t)P_PIDFD, (id_t)client->pidfd, &info,
                         WEXITED | WNOHANG);
        }
        (void)close(client->pidfd);
    }
    message_free(&client->message);
    bytes_free(&client->reply);
    *client = CLIENT_NONE;
}

/* Lets a helper that has sent its result go by itself. */
static void
let_go(struct client *client)
{
    (void)close(client->fd);
    client->fd = -1;
    client->is_leaving = true;
    bytes_free(&client->reply);
}

/* Says in ANSWER why the channel failed with STATUS. */
static void
channel_failed(const struct client *client, struct client_answer *answer,
               int status)
{
    char words[128];

    switch (status) {
    case -ETIMEDOUT:
        fail(answer, OUTCOME_DEADLINE,
             client->is_known
                 ? "no answer within the limit: a KDC is silent or the network "
                   "is slow (option timeout)"
                 : "the helper said nothing within the limit");
        return;
    case -EPIPE:
        fail(answer, OUTCOME_HELPER_FAILED,
             client->is_known ? "the helper died"
                              : "the helper died before it said a word");
        return;
    case -EPROTONOSUPPORT:
        fail(answer, OUTCOME_HELPER_FAILED,
             "the helper is of another version of pam_krb5cc");
        return;
    case -ENOMEM:
        fail(answer, OUTCOME_NO_MEMORY, "out of memory");
        return;
    default:
        fail(answer, OUTCOME_HELPER_FAILED,
             "the helper cannot be understood: %s",
             strerror_r(-status, words, sizeof(words)));
        return;
    }
}

static bool
start(struct client *client, const struct client_request *request,
      struct client_answer *answer)
{
    const char *path = request->options->helper;
    char words[128];
    size_t at = 0;
    int status = spawn(path, &client->pid, &client->fd, &at);

    if (status == -EPERM || status == -ELOOP) {
        fail(answer, OUTCOME_HELPER_UNSAFE, "helper %s: %.*s %s", path,
             (int)(at > 0 ? at : 1), path,
             status == -ELOOP ? "is a symbolic link"
                              : "can be changed by others than root");
        return false;
    }
    if (status == -EINVAL) {
        fail(answer, OUTCOME_HELPER_UNSAFE,
             "helper %s: not an absolute path, or one with . or ..", path);
        return false;
    }
    if (status < 0) {
        fail(answer, OUTCOME_HELPER_UNSAFE, "helper %s: %s", path,
             strerror_r(-status, words, sizeof(words)));
        return false;
    }
    /* Unknown until it speaks: the pid may be another's by now. */
    client->pidfd = (int)syscall(SYS_pidfd_open, client->pid, 0);
    return true;
}

static int
send_request(const struct client *client, const struct client_request *request)
{
    struct request filled = *request->request;
    struct bytes payload = BYTES_EMPTY;
    int status = 0;

    filled.budget_ms = deadline_left_ms(request->deadline);
    if (filled.budget_ms <= 0) {
        return -ETIMEDOUT;
    }
    request_pack(&payload, MESSAGE_VERSION, &filled, request->options);
    status = channel_send(client->fd, request->deadline, MESSAGE_VERSION,
                          MESSAGE_REQUEST, &payload);
    bytes_free(&payload);
    return status;
}

/* What a message has led to. */
enum step {
    STEP_GO_ON,
    STEP_DONE /* the answer is set */
};

/* Sends client->reply where OUTCOME is a success, else ends with OUTCOME. */
static enum step
reply(struct client *client, const struct client_request *request,
      enum message_type type, enum outcome outcome,
      struct client_answer *answer)
{
    int status = 0;

    if (outcome != OUTCOME_SUCCESS) {
        fail(answer, outcome, "%s", outcome_name(outcome));
        return STEP_DONE;
    }
    status = channel_send(client->fd, request->deadline, MESSAGE_VERSION, type,
                          &client->reply);
    bytes_free(&client->reply);
    if (status < 0) {
        channel_failed(client, answer, status);
        return STEP_DONE;
    }
    return STEP_GO_ON;
}

static enum step
misunderstood(struct client_answer *answer)
{
    fail(answer, OUTCOME_HELPER_FAILED, "the helper cannot be understood");
    return STEP_DONE;
}

static enum step
handle_prompt(struct client *client, const struct client_request *request,
              struct client_answer *answer)
{
    const struct client_handlers *handlers = request->handlers;
    struct prompts prompts = {0};
    enum outcome outcome = OUTCOME_SUCCESS;

    if (prompts_unpack(bytes_span(&client->message.payload), &prompts) < 0) {
        return misunderstood(answer);
    }
    /* A page for the answer, before somebody waits behind it. */
    (void)bytes_reserve(&client->reply, 1);
    deadline_pause(request->deadline);
    outcome = handlers->prompt(handlers->data, &prompts, &client->reply);
    deadline_resume(request->deadline);
    return reply(client, request, MESSAGE_ANSWER, outcome, answer);
}

static enum step
handle_draw(struct client *client, const struct client_request *request,
            struct client_answer *answer)
{
    const struct client_handlers *handlers = request->handlers;
    struct draw draw = {0};
    enum outcome outcome = OUTCOME_SUCCESS;

    if (draw_unpack(bytes_span(&client->message.payload), &draw) < 0) {
        return misunderstood(answer);
    }
    outcome = handlers->name(handlers->data, draw.pattern, &client->reply);
    return reply(client, request, MESSAGE_NAME, outcome, answer);
}

static enum step
handle_greeting(struct client *client, const struct client_request *request,
                struct client_answer *answer)
{
    struct options completed;
    enum outcome outcome = OUTCOME_SUCCESS;
    int status = 0;

    if (client->is_greeted) {
        return misunderstood(answer);
    }
    client->is_greeted = true;
    status = options_init(&completed);
    if (status == 0) {
        status =
            greeting_unpack(bytes_span(&client->message.payload), &completed);
    }
    if (status == 0) {
        outcome =
            request->handlers->greeted(request->handlers->data, &completed);
    }
    options_free(&completed);
    if (status < 0) {
        return misunderstood(answer);
    }
    if (outcome != OUTCOME_SUCCESS) {
        fail(answer, outcome, "%s", outcome_name(outcome));
        return STEP_DONE;
    }
    return STEP_GO_ON;
}

static enum step
handle_info(const struct client *client, const struct client_request *request,
            struct client_answer *answer)
{
    const char *text = NULL;
    char *safe = NULL;

    if (info_unpack(bytes_span(&client->message.payload), &text) < 0) {
        return misunderstood(answer);
    }
    safe = strdup(text);
    if (safe != NULL) {
        log_strip_for_terminal(safe);
        deadline_pause(request->deadline);
        request->handlers->inform(request->handlers->data, safe);
        deadline_resume(request->deadline);
        free(safe);
    }
    return STEP_GO_ON;
}

static enum step
handle_note(const struct client *client, const struct client_request *request,
            struct client_answer *answer)
{
    struct note note = {0};

    if (note_unpack(bytes_span(&client->message.payload), &note) < 0) {
        return misunderstood(answer);
    }
    request->handlers->note(request->handlers->data, note.level, note.text);
    return STEP_GO_ON;
}

static enum step
handle_groups(const struct client *client, const struct client_request *request,
              struct client_answer *answer)
{
    struct groups groups = {.are_known = false};

    if (groups_unpack(bytes_span(&client->message.payload), &groups) < 0) {
        return misunderstood(answer);
    }
    request->handlers->grouped(request->handlers->data, &groups);
    return STEP_GO_ON;
}

static enum step
handle_description(const struct client *client,
                   const struct client_request *request,
                   struct client_answer *answer)
{
    struct description description = {0};

    if (description_unpack(bytes_span(&client->message.payload), &description) <
        0) {
        return misunderstood(answer);
    }
    request->handlers->described(request->handlers->data, &description);
    return STEP_GO_ON;
}

/* The last message: it stays in ANSWER, which borrows from it. */
static enum step
handle_result(struct client *client, struct client_answer *answer)
{
    if (result_unpack(bytes_span(&client->message.payload),
                      client->message.version, &answer->result) < 0) {
        return misunderstood(answer);
    }
    answer->message = client->message;
    client->message = (struct message){.payload = BYTES_EMPTY};
    return STEP_DONE;
}

/* Does what the message says; what is not in the list ends the request. */
static enum step
dispatch(struct client *client, const struct client_request *request,
         struct client_answer *answer)
{
    bool makes_caches = request->request->job == JOB_STORE ||
                        request->request->job == JOB_REPLACE;

    switch (client->message.type) {
    case MESSAGE_GREETING:
        return handle_greeting(client, request, answer);
    case MESSAGE_PROMPT:
        return handle_prompt(client, request, answer);
    case MESSAGE_INFO:
        return handle_info(client, request, answer);
    case MESSAGE_NOTE:
        return handle_note(client, request, answer);
    case MESSAGE_DRAW:
        return makes_caches ? handle_draw(client, request, answer)
                            : misunderstood(answer);
    case MESSAGE_GROUPS:
        return request->request->job == JOB_ACQUIRE
                   ? handle_groups(client, request, answer)
                   : misunderstood(answer);
    case MESSAGE_DESCRIPTION:
        return request->request->job == JOB_DESCRIBE
                   ? handle_description(client, request, answer)
                   : misunderstood(answer);
    case MESSAGE_RESULT:
        return handle_result(client, answer);
    default:
        return misunderstood(answer);
    }
}

/* Listens until the answer is set. */
static void
converse(struct client *client, const struct client_request *request,
         struct client_answer *answer)
{
    for (int i = 0; i < MESSAGES_MAX; i++) {
        enum step step = STEP_DONE;
        int status =
            channel_receive(client->fd, request->deadline, &client->message);

        if (status < 0) {
            channel_failed(client, answer, status);
            return;
        }
        client->is_known = true;
        step = dispatch(client, request, answer);
        message_free(&client->message);
        if (step == STEP_DONE) {
            return;
        }
    }
    (void)misunderstood(answer);
}

void
client_run(struct client *client, const struct client_request *request,
           struct client_answer *answer_out)
{
    int status = 0;

    client_end(client);
    *answer_out = (struct client_answer){.message.payload = BYTES_EMPTY};
    if (!start(client, request, answer_out)) {
        return;
    }
    status = send_request(client, request);
    if (status < 0) {
        channel_failed(client, answer_out, status);
    } else {
        converse(client, request, answer_out);
    }
    if (answer_out->message.payload.length > 0) {
        let_go(client);
    } else {
        client_end(client);
    }
}
