/* The exchange with the KDC, and with the user through the judge. */
#include "helper/exchange.h"

#include <errno.h>
#include <string.h>

#include "helper/timer.h"
#include "krb/acquire.h"
#include "krb/change.h"
#include "krb/expired.h"
#include "krb/pkinit.h"
#include "krb/probe.h"
#include "krb/renew.h"
#include "krb/verify.h"

/* What the asker's callbacks need: the line, and the last answers. */
struct asking {
    const struct line *judge;
    struct message last; /* what the answers are borrowed from */
};

static int
ask_judge(void *data, const struct prompts *prompts,
          struct answers *answers_out)
{
    struct asking *asking = data;
    struct bytes payload = BYTES_EMPTY;

    message_free(&asking->last);
    prompts_pack(&payload, prompts);
    timer_pause();
    line_send(asking->judge, MESSAGE_PROMPT, &payload);
    /* Its page is for the answer. */
    bytes_free(&payload);
    asking->last = line_expect(asking->judge, MESSAGE_ANSWER);
    timer_resume();
    return answers_unpack(bytes_span(&asking->last.payload), answers_out);
}

static void
inform_judge(void *data, const char *text)
{
    const struct asking *asking = data;

    line_inform(asking->judge, text);
}

/* The password has been changed: tickets for it. */
static enum outcome
acquire_anew(struct krb *krb, const struct acquire_request *request,
             krb5_ccache *cache_out)
{
    struct acquire_request again = *request;
    enum outcome outcome = OUTCOME_SUCCESS;

    again.is_new_password = true;
    again.checks_expired = false;
    outcome = acquire(krb, &again, cache_out);
    if (outcome == OUTCOME_PASSWORD_EXPIRED ||
        outcome == OUTCOME_WRONG_PASSWORD) {
        outcome = krb_refuse(krb, OUTCOME_KDC_NONSENSE,
                             "the password was changed, but no KDC knows the "
                             "new one yet");
    }
    return outcome;
}

/*
 * A TGT; where the password has expired, what the options have done about it.
 * REQUEST's password is in *PASSWORD then, or the new one.
 */
static enum outcome
acquire_tgt(struct krb *krb, struct acquire_request *request,
            struct bytes *password, krb5_ccache *cache_out)
{
    enum outcome outcome = OUTCOME_SUCCESS;

    if (request->is_new_password) {
        return acquire_anew(krb, request, cache_out);
    }
    request->checks_expired = !request->options->fail_pwchange;
    outcome = acquire(krb, request, cache_out);
    if (outcome != OUTCOME_PASSWORD_EXPIRED || !request->checks_expired ||
        password->length == 0) {
        return outcome;
    }
    if (request->options->defer_pwchange) {
        outcome = expired_check(krb, request, bytes_span(password));
        return outcome == OUTCOME_SUCCESS ? OUTCOME_CHANGE_DEFERRED : outcome;
    }
    outcome = expired_change(krb, request, password);
    if (outcome == OUTCOME_SUCCESS) {
        request->password = bytes_span(password);
        outcome = acquire_anew(krb, request, cache_out);
    }
    return outcome;
}

/*
 * Whether another principal may be tried behind one that came to OUTCOME: that
 * is a matter of the principal or its KDC, and not of the user, who has been
 * asked, or of this machine.
 */
static bool
may_go_on(enum outcome outcome)
{
    static const enum outcome list[] = {
        OUTCOME_WRONG_PASSWORD,   OUTCOME_UNKNOWN_PRINCIPAL,
        OUTCOME_PRINCIPAL_LOCKED, OUTCOME_PRINCIPAL_EXPIRED,
        OUTCOME_PASSWORD_EXPIRED, OUTCOME_KDC_REFUSED,
        OUTCOME_KDC_UNREACHABLE,  OUTCOME_KDC_NONSENSE,
        OUTCOME_NO_COMMON_ENCTYPE};

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (outcome == list[i]) {
            return true;
        }
    }
    return false;
}

/* Tickets for the principal NAME, with REQUEST's password. */
static enum outcome
try_name(struct krb *krb, const char *name, struct acquire_request *request,
         krb5_ccache *cache_out)
{
    krb5_error_code code =
        krb5_parse_name(krb->context, name, &request->client);
    const char *account = request->account;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (code != 0) {
        return krb_failed(krb, code, "the principal's name");
    }
    if (request->options->no_prompt) {
        /* As libkrb5 would ask, who knows of no other principal. */
        request->account = name;
    }
    outcome = request->service == NULL
                  ? acquire_tgt(krb, request, request->password_out, cache_out)
                  : acquire(krb, request, cache_out);
    if (outcome == OUTCOME_CHANGE_DEFERRED ||
        (outcome == OUTCOME_SUCCESS && request->service != NULL)) {
        /* There are no tickets to tell whose password it is. */
        (void)krb_refuse(krb, outcome, "%s", name);
    }
    krb5_free_principal(krb->context, request->client);
    request->client = NULL;
    request->account = account;
    /* Whoever was asked is not asked again. */
    request->password = bytes_span(request->password_out);
    return outcome;
}

/*
 * Tickets for the first of the names in BEGIN that the password is right for.
 * Of several failures a wrong password is what counts: it may be asked for
 * again.
 */
static enum outcome
try_names(struct krb *krb, const struct begin *begin,
          struct acquire_request *request, krb5_ccache *cache_out)
{
    enum outcome outcome = OUTCOME_UNKNOWN_PRINCIPAL;
    bool was_wrong = false;

    for (uint32_t i = 0; i < begin->count; i++) {
        outcome = try_name(krb, begin->names[i], request, cache_out);
        if (!may_go_on(outcome) ||
            (begin->first_decides && outcome != OUTCOME_UNKNOWN_PRINCIPAL)) {
            return outcome;
        }
        was_wrong |= outcome == OUTCOME_WRONG_PASSWORD;
    }
    return was_wrong && outcome != OUTCOME_WRONG_PASSWORD
               ? krb_refuse(krb, OUTCOME_WRONG_PASSWORD, "%s",
                            "it is no principal's")
               : outcome;
}

/* Tickets for SERVICE (NULL = a TGT) of one of the names in BEGIN. */
static enum outcome
get_tickets(const struct exchange_task *task, struct krb *krb,
            const struct begin *begin, struct preauth *preauth,
            const char *service, krb5_ccache *cache_out)
{
    const struct options *options = preauth->options;
    struct asking asking = {.judge = &task->judge};
    const struct asker asker = {
        .ask = ask_judge, .inform = inform_judge, .data = &asking};
    struct bytes password = BYTES_EMPTY;
    struct acquire_request request = {
        .account = begin->account,
        .service = service,
        .options = options,
        .preauth = preauth,
        .asker = &asker,
        .is_new_password = task->request->is_new_password,
        .password_out = &password,
    };
    enum outcome outcome = OUTCOME_SUCCESS;

    if (bytes_copy(&password, task->request->password) < 0) {
        return krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    request.password = bytes_span(&password);
    outcome = try_names(krb, begin, &request, cache_out);
    if (begin->count == 0) {
        acquire_in_vain(krb, &request);
        outcome = krb_refuse(krb, OUTCOME_UNKNOWN_PRINCIPAL,
                             "the user's name is no principal");
    }
    bytes_free(&password);
    message_free(&asking.last);
    return outcome;
}

static enum outcome
renew_tickets(struct krb *krb, struct span span, krb5_ccache *cache_out)
{
    struct tickets tickets = {0};
    enum outcome outcome = tickets_unpack(krb, span, &tickets);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = renew(krb, &tickets, cache_out);
    }
    tickets_free(krb, &tickets);
    return outcome;
}

static void
send_tickets(const struct line *judge, struct krb *krb, enum outcome outcome,
             krb5_ccache cache)
{
    struct bytes packed = BYTES_EMPTY;
    struct bytes payload = BYTES_EMPTY;
    struct tickets_message message = {.outcome = outcome};

    if (outcome == OUTCOME_SUCCESS) {
        message.outcome = tickets_pack_cache(krb, cache, &packed);
    }
    message.detail = message.outcome == OUTCOME_SUCCESS ? "" : krb->detail;
    message.tickets = bytes_span(&packed);
    tickets_message_pack(&payload, &message);
    line_send(judge, MESSAGE_TICKETS, &payload);
    bytes_free(&payload);
    bytes_free(&packed);
}

static void
answer_challenge(const struct line *judge, struct krb *krb, krb5_ccache cache,
                 const struct challenge *challenge)
{
    struct bytes ap_req = BYTES_EMPTY;
    struct bytes payload = BYTES_EMPTY;
    struct proof proof = {0};

    proof.outcome = verify_prove(krb, cache, challenge, &ap_req);
    proof.detail = proof.outcome == OUTCOME_SUCCESS ? "" : krb->detail;
    proof.ap_req = bytes_span(&ap_req);
    proof_pack(&payload, &proof);
    line_send(judge, MESSAGE_PROOF, &payload);
    bytes_free(&payload);
    bytes_free(&ap_req);
}

/*
 * Answers challenges, FIRST where it is one, until the judge hangs up, which
 * ends the process.
 */
static void
answer_challenges(const struct line *judge, struct krb *krb, krb5_ccache cache,
                  const struct challenge *first)
{
    if (*first->service != '\0') {
        answer_challenge(judge, krb, cache, first);
    }
    for (;;) {
        struct message message = line_expect(judge, MESSAGE_CHALLENGE);
        struct challenge challenge = {0};

        if (challenge_unpack(bytes_span(&message.payload), &challenge) < 0) {
            line_hang_up();
        }
        answer_challenge(judge, krb, cache, &challenge);
        message_free(&message);
    }
}

/*
 * Asks for the new password of whom the detail of KRB names, and has it changed
 * with the ticket in CACHE.
 */
static enum outcome
change(const struct exchange_task *task, struct krb *krb,
       const struct options *options, krb5_ccache cache)
{
    struct asking asking = {.judge = &task->judge};
    const struct asker asker = {.ask = ask_judge, .data = &asking};
    const struct acquire_request request = {.options = options,
                                            .asker = &asker};
    struct bytes new_password = BYTES_EMPTY;
    char name[KRB_DETAIL_MAX];
    enum outcome outcome = OUTCOME_SUCCESS;

    memcpy(name, krb->detail, sizeof(name));
    outcome = change_ask_module(krb, &request, name, &new_password);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = change_password(krb, cache, bytes_span(&new_password));
    }
    if (outcome == OUTCOME_SUCCESS) {
        memcpy(krb->detail, name, sizeof(name));
    }
    bytes_free(&new_password);
    message_free(&asking.last);
    return outcome;
}

/*
 * The whole of a TRY or a CHANGE: a success says whose password it is.  OPENED
 * is what came of opening KRB.
 */
static void
try_or_change(const struct exchange_task *task, struct krb *krb,
              const struct begin *begin, struct preauth *preauth,
              enum outcome opened)
{
    struct tickets_message answer = {.outcome = opened};
    struct bytes payload = BYTES_EMPTY;
    krb5_ccache cache = NULL;

    if (opened == OUTCOME_SUCCESS) {
        answer.outcome =
            get_tickets(task, krb, begin, preauth, CHANGE_SERVICE, &cache);
    }
    if (answer.outcome == OUTCOME_SUCCESS && task->request->job == JOB_CHANGE) {
        answer.outcome = change(task, krb, preauth->options, cache);
    }
    answer.detail = krb->detail;
    tickets_message_pack(&payload, &answer);
    line_send(&task->judge, MESSAGE_TICKETS, &payload);
    bytes_free(&payload);
    if (cache != NULL) {
        (void)krb5_cc_destroy(krb->context, cache);
    }
}

/*
 * Asks about each KEY until the judge hangs up, which ends the process.  OPENED
 * is what came of opening KRB.
 */
static void
answer_keys(const struct line *judge, struct krb *krb, enum outcome opened)
{
    for (;;) {
        struct message message = line_expect(judge, MESSAGE_KEY);
        struct key key = {0};
        struct bytes payload = BYTES_EMPTY;
        struct tickets_message answer = {.outcome = opened};

        if (key_unpack(bytes_span(&message.payload), &key) < 0) {
            line_hang_up();
        }
        if (opened == OUTCOME_SUCCESS) {
            answer.outcome = probe_ask(krb, &key);
        }
        message_free(&message);
        answer.detail = answer.outcome == OUTCOME_SUCCESS ? "" : krb->detail;
        tickets_message_pack(&payload, &answer);
        line_send(judge, MESSAGE_TICKETS, &payload);
        bytes_free(&payload);
    }
}

void
exchange_run(const struct exchange_task *task, struct options *options)
{
    struct line judge = task->judge;
    struct log log = {.sink = line_log_sink, .data = &judge};
    struct begin begin = {0};
    struct preauth preauth = {.options = options};
    struct message message;
    struct krb krb;
    krb5_ccache cache = NULL;
    /* The context is made while the judge still reads keytab and krb5.conf. */
    enum outcome outcome = krb_open(&krb, &log, task->trace_fd);

    /* Who is asked for his principal may take his time. */
    timer_pause();
    message = line_expect(&judge, MESSAGE_BEGIN);
    timer_resume();
    if (begin_unpack(bytes_span(&message.payload), &begin, options) < 0) {
        line_hang_up();
    }
    log.debug = options->debug;
    preauth.armor_tickets = begin.armor;
    if (begin.tickets.length == 0) {
        pkinit_leave_out(&krb, options);
    }
    if (task->request->job == JOB_PROBE) {
        answer_keys(&judge, &krb, outcome);
    }
    if (task->request->job == JOB_TRY || task->request->job == JOB_CHANGE) {
        try_or_change(task, &krb, &begin, &preauth, outcome);
        message_free(&message);
        preauth_free(&krb, &preauth);
        krb_close(&krb);
        return;
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = begin.tickets.length > 0
                      ? renew_tickets(&krb, begin.tickets, &cache)
                      : get_tickets(task, &krb, &begin, &preauth, NULL, &cache);
    }
    preauth_free(&krb, &preauth);
    send_tickets(&judge, &krb, outcome, cache);
    if (outcome == OUTCOME_SUCCESS) {
        answer_challenges(&judge, &krb, cache, &begin.challenge);
    }
    message_free(&message);
    krb_close(&krb);
}
