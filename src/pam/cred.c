/* Establish, refresh, reinitialize, delete. */
#include "pam/cred.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "pam/errand.h"

/* How long the cleaning up after a failure may take. */
#define CLEANUP_MS 500

/* Destroys what broke off and may have been left under the drawn name. */
static enum outcome
clean_up_after(struct host *host, const struct errand *failed)
{
    struct errand errand = errand_for(host, JOB_DESTROY);
    struct deadline deadline = host->deadline;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (failed->name != NULL && !failed->is_shared) {
        host->deadline = deadline_in(CLEANUP_MS);
        errand.request.cache = failed->name;
        outcome = errand_run(&errand);
        host->deadline = deadline;
    }
    errand_free(&errand);
    return outcome;
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
    struct host *host = errand->host;
    enum outcome outcome =
        holding_settle(host, &state->holding, errand->answer.result.cache);

    if (outcome == OUTCOME_SUCCESS &&
        host_copy_options(&state->options, &host->options) < 0) {
        outcome = OUTCOME_NO_MEMORY;
    }
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    state->must_end = false;
    state->maker = getpid();
    outcome = host_set_cache_name(host, state->holding.record.cache);
    if (outcome != OUTCOME_SUCCESS) {
        options_free(&state->options);
    }
    return outcome;
}

/* Says why no cache came of ERRAND, and leaves nothing of it. */
static void
give_up(struct state *state, const struct errand *errand, enum outcome outcome)
{
    struct host *host = errand->host;
    bool is_clean = true;

    errand_log(errand, outcome,
               outcome == OUTCOME_SESSION_NOT_OPEN
                   ? "the cache is left to open_session"
                   : "no cache could be made");
    if (may_have_left_something(outcome)) {
        /* What others may hold is not ours to clean up here. */
        is_clean = clean_up_after(host, errand) == OUTCOME_SUCCESS &&
                   !errand->is_shared;
    }
    if (!holding_is_any(&state->holding)) {
        return;
    }
    if (is_clean) {
        holding_leave(host, &state->holding);
    } else {
        holding_leave_to_reap(host, &state->holding);
        holding_forget(&state->holding);
    }
}

/* Makes the cache of STATE's tickets. */
static enum outcome
make(struct host *host, struct state *state)
{
    struct errand errand = errand_for(host, JOB_STORE);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.request.tickets = bytes_span(&state->tickets);
    errand.request.groups = state->groups;
    errand.holding = &state->holding;
    errand.principal = state->principal;
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = remember(state, &errand);
    }
    if (outcome == OUTCOME_SUCCESS) {
        /* In the cache now: no need of them in the host's memory. */
        bytes_free(&state->tickets);
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: tickets in %s",
                 host->user, state->holding.record.cache);
    } else {
        give_up(state, &errand, outcome);
    }
    errand_free(&errand);
    return outcome;
}

/* What comes of a cache that nobody could own. */
static enum outcome
without_account(const struct state *state)
{
    return state->needs_no_account ? OUTCOME_SUCCESS : OUTCOME_NO_ACCOUNT;
}

/* Whether there is somebody to own a cache; says so where there is not. */
static bool
has_account(const struct host *host, const struct state *state)
{
    if (!host->account.exists && !state->needs_no_account) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "user %s has no account: no cache can be made", host->user);
    }
    return host->account.exists;
}

/* Destroys what HOLDING holds, as its owner. */
static enum outcome
destroy(struct host *host, const struct holding *holding)
{
    const struct record *record = &holding->record;
    struct errand errand = errand_for(host, JOB_DESTROY);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.request.user = record->user;
    errand.request.has_account = true;
    errand.request.uid = (uint32_t)record->uid;
    errand.request.gid = (uint32_t)record->gid;
    errand.request.cache = record->cache;
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        const char *remark = errand.answer.result.detail;

        /* Perhaps it is there, and the host was led to look elsewhere. */
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: %s%s%s%s", record->user,
                 *remark == '\0' ? "destroyed " : "", record->cache,
                 *remark == '\0' ? "" : " ", remark);
    } else {
        errand_log(&errand, outcome, "the session's cache is left behind");
    }
    errand_free(&errand);
    return outcome;
}

/* Destroys what HOLDING holds, and leaves it; where that fails, to reap. */
static enum outcome
end_as_last(struct host *host, struct holding *holding)
{
    enum outcome outcome = OUTCOME_SUCCESS;

    if (holding_is_ours_to_end(holding) && !host->options.retain_after_close) {
        outcome = destroy(host, holding);
    }
    if (outcome == OUTCOME_SUCCESS) {
        holding_leave(host, holding);
    } else {
        holding_leave_to_reap(host, holding);
    }
    return outcome;
}

/* Leaves HOLDING, and destroys what it holds where nobody else does. */
static enum outcome
end_holding(struct host *host, struct holding *holding)
{
    enum holders others = holding_others(host, holding);

    if (others == HOLDERS_NONE) {
        return end_as_last(host, holding);
    }
    if (others == HOLDERS_UNKNOWN && holding->is_recorded) {
        holding_leave_to_reap(host, holding);
        return OUTCOME_CACHE_UNWRITABLE;
    }
    log_line(&host->log, LOG_LEVEL_DEBUG, "%s stays: others hold it",
             holding->record.cache);
    if (others == HOLDERS_ADOPTERS) {
        holding_leave_to_reap(host, holding);
        holding_forget(holding);
    } else {
        /* Also who cannot know who holds it, and has no record to leave. */
        holding_leave(host, holding);
    }
    return OUTCOME_SUCCESS;
}

/*
 * The same of a cache that other sessions may hold, so that of two that end at
 * once one is the last.  Who cannot have the lock leaves it to a later call, or
 * to reap.
 */
static enum outcome
end_shared(struct host *host, struct holding *holding)
{
    int lock = holding_lock(host, holding->record.uid, SAFEFS_FAIL_IF_MISSING);
    enum outcome outcome = OUTCOME_SUCCESS;

    /*
     * No records at all: reap has ended it, after a failure of ours.  Nor has a
     * host that has become its user a lock or a reap behind it.
     */
    if (lock < 0 && lock != -ENOENT && holding->is_recorded &&
        host_acts_as_root()) {
        holding_leave_to_reap(host, holding);
        return OUTCOME_CACHE_UNWRITABLE;
    }
    outcome = end_holding(host, holding);
    registry_unlock(lock);
    return outcome;
}

/* Ends STATE's cache; where that fails, the next call may try again. */
static enum outcome
end_cache(struct host *host, struct state *state)
{
    struct holding *holding = &state->holding;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (holding_is_ours_to_end(holding) || state->options.retain_after_close) {
        host_drop_cache_name(host, holding->record.cache);
    }
    outcome = record_may_be_shared(&holding->record)
                  ? end_shared(host, holding)
                  : end_holding(host, holding);
    state->must_end = outcome != OUTCOME_SUCCESS;
    if (outcome == OUTCOME_SUCCESS) {
        options_free(&state->options);
    }
    return outcome;
}

enum outcome
cred_end(struct host *host, struct state *state)
{
    enum outcome outcome = OUTCOME_NOT_OURS;

    if (state != NULL && holding_is_any(&state->holding)) {
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
    if (!holding_is_any(&state->holding)) {
        return false;
    }
    if (strcmp(state->holding.record.user, host->user) == 0 &&
        !state->must_end) {
        return true;
    }
    if (state->maker == getpid()) {
        (void)end_cache(host, state);
    }
    state_forget_cache(state);
    return false;
}

/*
 * Takes note of a cache that the host has put into the PAM environment (sshd's
 * delegated tickets), so that it is renewed: it is never ours to end.
 */
static enum outcome
adopt(struct host *host)
{
    const char *name = host_cache_name(host);
    struct state *state = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (name == NULL || !host->account.exists || !host_is_wholly(0)) {
        return OUTCOME_SUCCESS;
    }
    state = state_of(host);
    if (state == NULL) {
        return OUTCOME_NO_MEMORY;
    }
    if (holding_is_any(&state->holding)) {
        return OUTCOME_SUCCESS;
    }
    if (host_copy_options(&state->options, &host->options) < 0) {
        return OUTCOME_NO_MEMORY;
    }
    state->maker = getpid();
    outcome = holding_begin(host, &state->holding,
                            &(struct held_cache){
                                .name = name,
                                .principal = "",
                                .ownership = RECORD_ADOPTED,
                            });
    if (outcome != OUTCOME_SUCCESS) {
        options_free(&state->options);
    }
    return outcome;
}

enum outcome
cred_establish(struct host *host)
{
    struct state *state = state_if_any(host);

    if (!state_has_own_tickets(state, host)) {
        if (adopt(host) == OUTCOME_NO_MEMORY) {
            return OUTCOME_NO_MEMORY;
        }
        log_line(&host->log, LOG_LEVEL_DEBUG,
                 "no tickets of this handle for this user: nothing to do");
        return OUTCOME_NOT_OURS;
    }
    if (!has_account(host, state)) {
        return without_account(state);
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
    if (!host_is_wholly(host->account.uid) || !host_has_one_group()) {
        return target_is(host, NULL, "the host is not wholly the user");
    }
    name = getenv("KRB5CCNAME");
    return name == NULL ? target_is(host, "", "KRB5CCNAME is not set")
                        : target_is(host, name, "the host's environment");
}

/* Puts the handle's own tickets in the place of those in TARGET. */
static enum outcome
replace_in(struct host *host, const struct state *state, const char *target)
{
    struct errand errand = errand_for(host, JOB_REPLACE);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.request.cache = target;
    errand.request.tickets = bytes_span(&state->tickets);
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: new tickets in %s",
                 host->user, errand.answer.result.cache);
    } else {
        errand_log(&errand, outcome, "tickets not replaced");
        if (may_have_left_something(outcome)) {
            (void)clean_up_after(host, &errand);
        }
    }
    errand_free(&errand);
    return outcome;
}

/*
 * A session that has ended while new tickets were on the way to its cache
 * leaves nothing: nobody else would end what came after its end.
 */
static void
end_if_left(struct host *host, struct holding *found)
{
    if (holding_is_ours_to_end(found)) {
        (void)end_shared(host, found);
    }
}

/*
 * The same for the sessions that the user has at this machine: a display
 * manager unlocks as root, in a process that knows of no cache.  A session that
 * he has broken is no reason to keep him out of the others.
 */
static enum outcome
replace_in_sessions(struct host *host, const struct state *state)
{
    struct holding_found found;
    bool has_replaced = false;
    enum outcome outcome = holding_find_local(host, state->principal, &found);

    if (outcome == OUTCOME_SUCCESS && found.count == 0) {
        log_line(&host->log, LOG_LEVEL_DEBUG,
                 "no session of this user and principal at this machine");
    }
    for (size_t i = 0; i < found.count; i++) {
        struct holding *other = &found.list[i];
        enum outcome one = replace_in(host, state, other->record.cache);

        /* Whatever it was: it may have been done when an answer was lost. */
        end_if_left(host, other);
        has_replaced |= one == OUTCOME_SUCCESS;
        outcome = outcome == OUTCOME_SUCCESS ? one : outcome;
    }
    holding_found_free(&found);
    return has_replaced ? OUTCOME_SUCCESS : outcome;
}

/* Puts the handle's own tickets in the place of those in the target caches. */
static enum outcome
replace(struct host *host, struct state *state)
{
    const char *target = target_cache(host);
    enum outcome outcome = OUTCOME_SUCCESS;

    if (!has_account(host, state)) {
        return without_account(state);
    }
    if (state->tickets.length == 0) {
        return OUTCOME_SUCCESS;
    }
    if (target != NULL) {
        outcome = replace_in(host, state, target);
    } else if (host_is_wholly(0) && getauxval(AT_SECURE) == 0) {
        outcome = replace_in_sessions(host, state);
    } else {
        return OUTCOME_SUCCESS;
    }
    if (outcome == OUTCOME_SUCCESS) {
        bytes_free(&state->tickets);
    }
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
    struct state *state = NULL;
    unsigned int flag = only_flag(host->flags);

    *call_out = CALL_ESTABLISH;
    if (handover_take(host) != OUTCOME_SUCCESS) {
        return OUTCOME_NO_MEMORY;
    }
    state = state_if_any(host);
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
