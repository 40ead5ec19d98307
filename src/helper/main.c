/*
 * krb5cc-helper: does one request of the module and
 * ends with its reply.  Started with the request's socket as descriptor 3 and
 * whatever identity the host has; see helper/judge.h for who does what.  Not
 * for people to run: it does nothing that its caller could not do himself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/channel.h"
#include "helper/helper.h"
#include "helper/jobs.h"
#include "helper/judge.h"
#include "helper/relay.h"
#include "helper/timer.h"
#include "krb/ccache.h"

/* Where the module leaves the socket (client/spawn.c). */
#define MODULE_FD 3

/* The module kills at the end of its time; we end ourselves a little later. */
#define GRACE_MS 500

/* Reads the request, the first message; ends the process where there is none.
 */
static void
read_request(struct helper *helper, struct message *message)
{
    if (channel_receive(MODULE_FD, NULL, message) < 0 ||
        message->type != MESSAGE_REQUEST ||
        options_init(&helper->options) < 0 ||
        request_unpack(bytes_span(&message->payload), message->version,
                       &helper->request, &helper->options) < 0) {
        line_hang_up();
    }
    helper->module =
        (struct line){.fd = MODULE_FD, .version = message->version};
    helper->log = (struct log){.sink = line_log_sink,
                               .data = &helper->module,
                               .debug = helper->options.debug};
    helper->request.budget_ms += GRACE_MS;
    timer_begin(helper->request.budget_ms);
}

/* Why FD, open on the trace file, may not be written to; NULL: it may. */
static const char *
trace_fault(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        return "is not a regular file";
    }
    if (status.st_uid != geteuid() || status.st_nlink != 1) {
        return "belongs to somebody else";
    }
    return NULL;
}

/* Opens the trace as whoever the host is; the option is never krb5.conf's. */
static void
open_trace(struct helper *helper)
{
    const char *path = helper->options.trace;
    const char *fault = NULL;
    char words[128];

    helper->trace_fd = -1;
    if (path == NULL) {
        return;
    }
    /* Nonblocking: a fifo that nobody reads must not stop a login. */
    helper->trace_fd = open(path,
                            O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
                                O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                            0600);
    fault = helper->trace_fd < 0 ? strerror_r(errno, words, sizeof(words))
                                 : trace_fault(helper->trace_fd);
    if (fault == NULL) {
        return;
    }
    log_line(&helper->log, LOG_LEVEL_ERROR, "trace=%s: %s", path, fault);
    if (helper->trace_fd >= 0) {
        (void)close(helper->trace_fd);
        helper->trace_fd = -1;
    }
}

/* Nobody is left to hear of a new cache: nobody would end it either. */
static void
take_back(struct krb *krb, const struct job_result *done)
{
    if (done->has_made_cache) {
        (void)ccache_destroy(krb, done->cache);
    }
}

static void
send_result(struct helper *helper, struct krb *krb,
            const struct job_result *done)
{
    bool success = done->outcome == OUTCOME_SUCCESS;
    const char *remark = done->remark == NULL ? "" : done->remark;
    const struct result result = {
        .outcome = done->outcome,
        .detail = success ? remark : krb->detail,
        .principal = done->principal == NULL ? "" : done->principal,
        .cache = done->cache == NULL ? "" : done->cache,
        .tickets = success ? bytes_span(&done->tickets) : (struct span){0},
        .local_user = success ? done->local_user : NULL,
    };
    struct bytes payload = BYTES_EMPTY;

    result_pack(&payload, helper->module.version, &result);
    if (channel_send(helper->module.fd, NULL, helper->module.version,
                     MESSAGE_RESULT, &payload) < 0) {
        take_back(krb, done);
    }
    bytes_free(&payload);
}

int
main(void)
{
    struct helper helper = {.trace_fd = -1};
    struct message message;
    struct krb krb = {0};
    struct job_result result = {0};
    const struct job_row *row = NULL;

    if (!identity_secure_process()) {
        line_hang_up();
    }
    read_request(&helper, &message);
    open_trace(&helper);
    row = jobs_find(helper.request.job);
    if (row == NULL) {
        line_hang_up();
    }
    result.outcome = OUTCOME_SUCCESS;
    if (row->has_exchange) {
        result.outcome = relay_start(&helper, &krb);
    }
    if (result.outcome == OUTCOME_SUCCESS) {
        result.outcome = row->run(&helper, &krb, &result);
    }
    send_result(&helper, &krb, &result);
    job_result_free(&result);
    krb_close(&krb);
    options_free(&helper.options);
    free(helper.local_user);
    message_free(&message);
    /* The spare pages, which are empty, go with the process. */
    relay_end(&helper);
    return 0;
}
