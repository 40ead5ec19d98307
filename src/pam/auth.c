/* Authentication by Kerberos password. */
#include "pam/auth.h"

#include <stdlib.h>
#include <string.h>

#include "pam/conv.h"
#include "pam/errand.h"
#include "pam/password.h"
#include "pam/state.h"

/* Keeps what ERRAND has brought on the handle; PAM_USER may be another now. */
static enum outcome
keep(struct state *state, const struct errand *errand)
{
    const struct result *result = &errand->answer.result;
    struct host *host = errand->host;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (result->outcome == OUTCOME_SUCCESS && *result->local_user != '\0') {
        outcome = host_rename_user(host, result->local_user);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = state_keep_login(
            state, &(struct login){.user = host->user,
                                   .principal = result->principal,
                                   .tickets = result->tickets});
    }
    if (outcome == OUTCOME_SUCCESS) {
        state->learned = result->outcome;
        state->needs_no_account = host->options.no_user_check;
        state->groups = errand->groups;
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

/* How it is asked for. */
static const struct conv_password login_password = {.words = "Password",
                                                    .item = PAM_AUTHTOK};

static enum outcome
ask(struct host *host, const struct prompts *prompts, struct bytes *payload)
{
    return host->options.force_pwchange && password_is_asked(prompts)
               ? password_answer(host, prompts, payload)
               : conv_ask(host, prompts, &login_password, payload);
}

/* Whether account will have something to say of OUTCOME. */
static bool
is_known_user(enum outcome outcome)
{
    return outcome == OUTCOME_SUCCESS || outcome == OUTCOME_NOT_AUTHORIZED ||
           outcome == OUTCOME_CHANGE_DEFERRED;
}

/* What can be done before it is known whether there will be tickets. */
static void
prepare(const struct host *host)
{
    struct state *state = state_if_any(host);

    if (state != NULL) {
        handover_prepare(host, state);
    }
}

/* Runs ERRAND, an ACQUIRE, and keeps what it brings in STATE. */
static enum outcome
acquire(struct errand *errand, struct state *state)
{
    struct host *host = errand->host;
    enum outcome outcome = OUTCOME_SUCCESS;

    errand->meanwhile = prepare;
    outcome = errand_run_as_named(errand, state);
    if (is_known_user(outcome)) {
        enum outcome kept = keep(state, errand);

        outcome = kept == OUTCOME_SUCCESS ? outcome : kept;
    }
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&host->log, LOG_LEVEL_INFO, "user %s authenticated as %s",
                 host->user, state->principal);
        handover_leave(host, state);
    }
    handover_end(&state->prepared);
    return outcome;
}

enum outcome
auth_catch_up(struct host *host, struct state *state, const char *password)
{
    struct errand errand = errand_for(host, JOB_ACQUIRE);
    enum outcome outcome = state_keep_name(state, state->principal);

    if (outcome == OUTCOME_SUCCESS) {
        errand.request.password = span_from_text(password);
        errand.request.is_new_password = true;
        outcome = acquire(&errand, state);
    }
    if (outcome != OUTCOME_SUCCESS) {
        errand_log(&errand, outcome, "no tickets for the new password");
    }
    errand_free(&errand);
    return outcome;
}

/* One try with PASSWORD (NULL: ask for it). */
static enum outcome
try_password(struct host *host, struct state *state, const char *password)
{
    struct errand errand = errand_for(host, JOB_ACQUIRE);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.ask = ask;
    if (password != NULL) {
        errand.request.password = span_from_text(password);
    }
    outcome = acquire(&errand, state);
    if (outcome == OUTCOME_CHANGE_DEFERRED) {
        log_line(
            &host->log, LOG_LEVEL_NOTICE,
            "user %s authenticated as %s, whose password has expired: the "
            "host must have it changed; the KDC is not verified until then",
            host->user, state->principal);
        outcome = OUTCOME_SUCCESS;
    } else if (outcome == OUTCOME_SUCCESS) {
        /* That is all. */
    } else if (outcome != OUTCOME_NOT_OURS) {
        errand_log(&errand, outcome, "authentication failed");
        explain(host, outcome);
        if (host->options.force_pwchange) {
            password_explain(&errand, outcome);
        }
    }
    errand_free(&errand);
    if (password == NULL && conv_is_owed(host, outcome)) {
        conv_ask_for_others(host, &login_password);
    }
    return host_pass_over(host, outcome);
}

enum outcome
auth_authenticate(struct host *host)
{
    const char *stacked = NULL;
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
    (void)state_keep_name(state, "");
    switch (host_stacked_password(host, PAM_AUTHTOK, &stacked)) {
    case HOST_STACKED_BAD:
        /* A name that nobody has may be a password typed too early. */
        log_line(&host->log, LOG_LEVEL_INFO,
                 "user %s: authentication failed: no stacked password "
                 "that can be used",
                 host->account.exists ? host->user : "without an account");
        return OUTCOME_NO_ANSWER;
    case HOST_STACKED_USE:
        outcome = try_password(host, state, stacked);
        break;
    case HOST_STACKED_NONE:
        return try_password(host, state, NULL);
    }
    if (outcome == OUTCOME_WRONG_PASSWORD && host_asks_again(host)) {
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
