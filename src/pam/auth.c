/* Authentication by Kerberos password. */
#include "pam/auth.h"

#include <stdlib.h>
#include <string.h>

#include "pam/conv.h"
#include "pam/errand.h"
#include "pam/state.h"

/* What to do with the password that another module has left. */
enum stacked {
    STACKED_NONE, /* ask */
    STACKED_USE,  /* send it */
    STACKED_BAD   /* it must be used and cannot be */
};

static enum stacked
judge_stacked(const struct options *options, const char *password)
{
    bool must = options->force_first_pass;
    bool wants = must || options->use_first_pass || options->try_first_pass;

    if (!wants || (password == NULL && !must)) {
        return STACKED_NONE;
    }
    if (password == NULL) {
        return STACKED_BAD;
    }
    if (*password == '\0') {
        return options->try_first_pass && !must && !options->use_first_pass
                   ? STACKED_NONE
                   : STACKED_BAD;
    }
    return strlen(password) > MESSAGE_ANSWER_MAX ? STACKED_BAD : STACKED_USE;
}

/* Keeps what ERRAND has brought on the handle. */
static enum outcome
keep(struct state *state, const struct errand *errand)
{
    const struct result *result = &errand->answer.result;
    enum outcome outcome =
        state_keep_login(state, &(struct login){.user = errand->host->user,
                                                .principal = result->principal,
                                                .tickets = result->tickets});

    if (outcome == OUTCOME_SUCCESS) {
        state->learned = result->outcome;
    }
    return outcome;
}

/* What the user is told of a failure that is no fault of his password. */
static void
explain(struct host *host, enum outcome outcome)
{
    if (outcome == OUTCOME_PASSWORD_EXPIRED) {
        conv_inform(host, "Your Kerberos password has expired. "
                          "Change it with kpasswd.");
    } else if (outcome == OUTCOME_PRINCIPAL_EXPIRED) {
        conv_inform(host, "Your Kerberos account has expired.");
    }
}

/* One try with PASSWORD (NULL: ask for it). */
static enum outcome
try_password(struct host *host, struct state *state, const char *password)
{
    struct errand errand = errand_for(host, JOB_ACQUIRE);
    enum outcome outcome = OUTCOME_SUCCESS;

    if (password != NULL) {
        errand.request.password = span_from_text(password);
    }
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS || outcome == OUTCOME_NOT_AUTHORIZED) {
        enum outcome kept = keep(state, &errand);

        outcome = kept == OUTCOME_SUCCESS ? outcome : kept;
    }
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&host->log, LOG_LEVEL_INFO, "user %s authenticated as %s",
                 host->user, state->principal);
        handover_leave(host, state);
    } else if (outcome != OUTCOME_NOT_OURS) {
        errand_log(&errand, outcome, "authentication failed");
        explain(host, outcome);
    }
    errand_free(&errand);
    return outcome;
}

enum outcome
auth_authenticate(struct host *host)
{
    const char *stacked = host_stacked_password(host);
    struct state *state = NULL;
    enum outcome outcome = OUTCOME_WRONG_PASSWORD;

    if (host->user == NULL) {
        return OUTCOME_NOT_OURS;
    }
    if (host_excludes_user(host)) {
        return OUTCOME_NOT_OURS;
    }
    state = state_of(host);
    if (state == NULL) {
        return OUTCOME_NO_MEMORY;
    }
    /* A locker tries again on the same handle: the last attempt is history. */
    state_forget_login(state);
    switch (judge_stacked(&host->options, stacked)) {
    case STACKED_BAD:
        /* A name that nobody has may be a password typed too early. */
        log_line(&host->log, LOG_LEVEL_INFO,
                 "user %s: authentication failed: no stacked password "
                 "that can be used",
                 host->account.exists ? host->user : "without an account");
        return OUTCOME_NO_ANSWER;
    case STACKED_USE:
        outcome = try_password(host, state, stacked);
        break;
    case STACKED_NONE:
        return try_password(host, state, NULL);
    }
    if (outcome == OUTCOME_WRONG_PASSWORD && host->options.try_first_pass &&
        !host->options.use_first_pass && !host->options.force_first_pass) {
        return try_password(host, state, NULL);
    }
    return outcome;
}

enum outcome
auth_account(struct host *host)
{
    const struct state *state = state_if_any(host);

    if (state == NULL || state->user == NULL || host->user == NULL ||
        strcmp(state->user, host->user) != 0 || host_excludes_user(host)) {
        return OUTCOME_NOT_OURS;
    }
    if (state->learned != OUTCOME_SUCCESS) {
        log_line(&host->log, host_level(state->learned),
                 "user %s: account refused: %s", host->user,
                 outcome_name(state->learned));
    }
    return state->learned;
}
