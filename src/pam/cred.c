/* Establish, refresh, reinitialize, delete. */
#include "pam/cred.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam/errand.h"

/* How long the cleaning up after a failure may take. */
#define CLEANUP_MS 500

/* Destroys what broke off and may have been left under the drawn name. */
static void
clean_up_after(struct host *host, const struct errand *failed)
{
    struct errand errand = errand_for(host, JOB_DESTROY);
    struct deadline deadline = host->deadline;

    if (failed->name != NULL && !failed->is_shared) {
        host->deadline = deadline_in(CLEANUP_MS);
        errand.request.cache = failed->name;
        (void)errand_run(&errand);
        host->deadline = deadline;
    }
    errand_free(&errand);
}

/* Whether the helper may have begun to make the cache and not said so. */
static bool
may_have_left_something(enum outcome outcome)
{
    return outcome == OUTCOME_HELPER_FAILED || outcome == OUTCOME_DEADLINE ||
           outcome == OUTCOME_NO_MEMORY;
}

/* Remembers the cache that ERRAND has made, and how it will be ended. */
static enum outcome
remember(struct state *state, const struct errand *errand)
{
    const struct host *host = errand->host;

    state->cache = strdup(errand->answer.result.cache);
    state->owner = strdup(host->user);
    if (state->cache == NULL || state->owner == NULL ||
        host_copy_options(&state->options, &host->options) < 0) {
        free(state->cache);
        free(state->owner);
        state->cache = NULL;
        state->owner = NULL;
        return OUTCOME_NO_MEMORY;
    }
    state->uid = host->account.uid;
    state->gid = host->account.gid;
    state->maker = getpid();
    return OUTCOME_SUCCESS;
}

/* Makes the cache of STATE's tickets. */
static enum outcome
make(struct host *host, struct state *state)
{
    struct errand errand = errand_for(host, JOB_STORE);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.request.tickets = bytes_span(&state->tickets);
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = remember(state, &errand);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = host_set_cache_name(host, state->cache);
        if (outcome != OUTCOME_SUCCESS) {
            state_forget_cache(state);
        }
    }
    if (outcome == OUTCOME_SUCCESS) {
        /* In the cache now: no need of them in the host's memory. */
        bytes_free(&state->tickets);
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: tickets in %s",
                 host->user, state->cache);
    } else {
        errand_log(&errand, outcome,
                   outcome == OUTCOME_SESSION_NOT_OPEN
                       ? "the cache is left to open_session"
                       : "no cache could be made");
        if (may_have_left_something(outcome)) {
            clean_up_after(host, &errand);
        }
    }
    errand_free(&errand);
    return outcome;
}

/* Whether there is somebody to own a cache; says so where there is not. */
static bool
has_account(const struct host *host)
{
    if (!host->account.exists) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "user %s has no account: no cache can be made", host->user);
    }
    return host->account.exists;
}

/* Destroys STATE's cache as its owner. */
static enum outcome
destroy(struct host *host, const struct state *state)
{
    struct errand errand = errand_for(host, JOB_DESTROY);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.request.user = state->owner;
    errand.request.has_account = true;
    errand.request.uid = state->uid;
    errand.request.gid = state->gid;
    errand.request.cache = state->cache;
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: destroyed %s",
                 state->owner, state->cache);
    } else {
        errand_log(&errand, outcome, "the session's cache is left behind");
    }
    errand_free(&errand);
    return outcome;
}

/* Ends STATE's cache; where that fails, the next call may try again. */
static enum outcome
end_cache(struct host *host, struct state *state)
{
    enum outcome outcome = OUTCOME_SUCCESS;

    if (!host->options.retain_after_close &&
        !state->options.retain_after_close) {
        outcome = destroy(host, state);
    }
    host_drop_cache_name(host, state->cache);
    if (outcome == OUTCOME_SUCCESS) {
        state_forget_cache(state);
    } else {
        state->must_end = true;
    }
    return outcome;
}

enum outcome
cred_end(struct host *host, struct state *state)
{
    enum outcome outcome = OUTCOME_NOT_OURS;

    if (state != NULL && state->cache != NULL) {
        outcome = end_cache(host, state);
        state_forget_login(state);
    }
    return outcome;
}

/*
 * Whether the handle has its user's cache already.  One of another user, whom
 * the handle was about before, or one whose end has failed, is ended first.
 */
static bool
has_cache(struct host *host, struct state *state)
{
    if (state->cache == NULL) {
        return false;
    }
    if (strcmp(state->owner, host->user) == 0 && !state->must_end) {
        return true;
    }
    if (state->maker == getpid()) {
        (void)end_cache(host, state);
    }
    state_forget_cache(state);
    return false;
}

enum outcome
cred_establish(struct host *host)
{
    struct state *state = state_if_any(host);

    if (!state_has_own_tickets(state, host)) {
        log_line(&host->log, LOG_LEVEL_DEBUG,
                 "no tickets of this handle for this user: nothing to do");
        return OUTCOME_NOT_OURS;
    }
    if (!has_account(host)) {
        return OUTCOME_NO_ACCOUNT;
    }
    /* Done before, here or in the process this one was forked from. */
    if (has_cache(host, state) || state->tickets.length == 0) {
        log_line(&host->log, LOG_LEVEL_DEBUG, "the cache is made already");
        return OUTCOME_SUCCESS;
    }
    return make(host, state);
}

/* Says why NAME (NULL = none) is the target cache, and returns it. */
static const char *
target_is(const struct host *host, const char *name, const char *why)
{
    log_line(&host->log, LOG_LEVEL_DEBUG, "target cache: %s (%s)",
             name == NULL    ? "none"
             : *name == '\0' ? "libkrb5's default"
                             : name,
             why);
    return name;
}

/*
 * Which cache the host means, "" for libkrb5's default, NULL for none: the PAM
 * environment's; else the process's own, but only where this process is wholly
 * the user, who is not root.
 */
static const char *
target_cache(const struct host *host)
{
    const char *name = host_cache_name(host);

    if (name != NULL) {
        return target_is(host, name, "PAM environment");
    }
    if (!host->account.exists || host->account.uid == 0) {
        return target_is(host, NULL, "no such user, or root");
    }
    if (!host_is_wholly(host->account.uid)) {
        return target_is(host, NULL, "the host is not wholly the user");
    }
    name = getenv("KRB5CCNAME");
    return name == NULL ? target_is(host, "", "KRB5CCNAME is not set")
                        : target_is(host, name, "the host's environment");
}

/* Puts the handle's own tickets in the place of those in the target cache. */
static enum outcome
replace(struct host *host, struct state *state)
{
    const char *target = target_cache(host);
    struct errand errand = errand_for(host, JOB_REPLACE);
    enum outcome outcome = OUTCOME_SUCCESS;

    if (!has_account(host)) {
        return OUTCOME_NO_ACCOUNT;
    }
    if (state->tickets.length == 0 || target == NULL) {
        return OUTCOME_SUCCESS;
    }
    errand.request.cache = target;
    errand.request.tickets = bytes_span(&state->tickets);
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        bytes_free(&state->tickets);
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: new tickets in %s",
                 host->user, errand.answer.result.cache);
    } else {
        errand_log(&errand, outcome, "tickets not replaced");
        if (may_have_left_something(outcome)) {
            clean_up_after(host, &errand);
        }
    }
    errand_free(&errand);
    return outcome;
}

/* Renews the TGT in the target cache. */
static enum outcome
renew(struct host *host)
{
    const char *target = target_cache(host);
    struct errand errand = errand_for(host, JOB_RENEW);
    enum outcome outcome = OUTCOME_SUCCESS;

    if (target == NULL || !host->account.exists) {
        return OUTCOME_NOT_OURS;
    }
    errand.request.cache = target;
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: renewed %s", host->user,
                 errand.answer.result.cache);
    } else {
        errand_log(&errand, outcome, "ticket not renewed");
    }
    errand_free(&errand);
    return outcome;
}

/* The one flag of the four that FLAGS have, 0 where they have several. */
static unsigned int
only_flag(unsigned int flags)
{
    const unsigned int four = PAM_ESTABLISH_CRED | PAM_DELETE_CRED |
                              PAM_REINITIALIZE_CRED | PAM_REFRESH_CRED;
    unsigned int asked = flags & four;

    if (asked == 0) {
        return PAM_ESTABLISH_CRED;
    }
    return (asked & (asked - 1)) == 0 ? asked : 0;
}

/* Reinitialize and refresh: what is done to a cache that is there. */
static enum outcome
update(struct host *host, struct state *state, unsigned int flag,
       enum call *call_out)
{
    if (state_has_own_tickets(state, host)) {
        return replace(host, state);
    }
    if (flag == PAM_REINITIALIZE_CRED) {
        return OUTCOME_NOT_OURS;
    }
    *call_out = CALL_RENEW;
    return renew(host);
}

enum outcome
cred_set(struct host *host, enum call *call_out)
{
    struct state *state = state_if_any(host);
    unsigned int flag = only_flag(host->flags);

    *call_out = CALL_ESTABLISH;
    if (flag == 0) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "setcred with flags that exclude each other (0x%x)",
                 host->flags);
        return OUTCOME_BAD_CALL;
    }
    if (flag == PAM_DELETE_CRED) {
        return cred_end(host, state);
    }
    if (host_excludes_user(host) || host->options.no_ccache) {
        return OUTCOME_NOT_OURS;
    }
    return flag == PAM_ESTABLISH_CRED ? cred_establish(host)
                                      : update(host, state, flag, call_out);
}
