/* One request to the helper on behalf of a host. */
#include "pam/errand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/expand.h"
#include "pam/conv.h"
#include "pam/state.h"

struct errand
errand_for(struct host *host, enum job job)
{
    return (struct errand){
        .host = host,
        .request =
            {
                .job = job,
                .user = host->user == NULL ? "" : host->user,
                .has_account = host->account.exists,
                .uid = host->account.uid,
                .gid = host->account.gid,
                .in_session = host->in_session,
                .cache = "",
                .service = host_service(host),
                .principal = "",
            },
        .principal = "",
        .lock = -1,
    };
}

void
errand_free(struct errand *errand)
{
    registry_unlock(errand->lock);
    errand->lock = -1;
    free(errand->name);
    errand->name = NULL;
    client_answer_free(&errand->answer);
}

/* Whether users can be excluded from JOB: those who have tickets keep them. */
static bool
has_excluded(enum job job)
{
    return job == JOB_ACQUIRE || job == JOB_RENEW || job == JOB_TRY ||
           job == JOB_CHANGE;
}

static enum outcome
greeted(void *data, const struct options *completed)
{
    struct errand *errand = data;
    enum outcome outcome = host_adopt_options(errand->host, completed);

    /* krb5.conf may exclude users too. */
    if (outcome == OUTCOME_SUCCESS && has_excluded(errand->request.job) &&
        host_excludes_user(errand->host)) {
        return OUTCOME_NOT_OURS;
    }
    return outcome;
}

static enum outcome
prompt(void *data, const struct prompts *prompts, struct bytes *payload)
{
    struct errand *errand = data;

    /* Who asks for nothing has no business with a helper that does. */
    return errand->ask == NULL ? OUTCOME_HELPER_FAILED
                               : errand->ask(errand->host, prompts, payload);
}

static void
inform(void *data, const char *text)
{
    struct errand *errand = data;

    conv_inform(errand->host, text);
}

static void
note(void *data, enum log_level level, const char *text)
{
    const struct errand *errand = data;

    log_line(&errand->host->log, level, "%s", text);
}

/* The template that the options ask for; the caller frees. */
static char *
choose_template(const struct options *options)
{
    char *template = NULL;
    const char *kind = "";

    if (options->ccache != NULL) {
        return strdup(options->ccache);
    }
    if (options->ccache_dir == NULL) {
        return strdup("");
    }
    kind = *options->ccache_dir == '/' ? "FILE:" : "";
    return asprintf(&template, "%s%s/krb5cc_%%{uid}_XXXXXX", kind,
                    options->ccache_dir) < 0
               ? NULL
               : template;
}

/* The name that TEMPLATE of the options gives here. */
static enum outcome
expand(struct errand *errand, const char *template)
{
    const struct host *host = errand->host;
    const struct expand_values values = {
        .uid = host->account.uid,
        .pid = (uint64_t)getpid(),
        .user = host->user,
        .service = host_service(host),
    };
    int status = expand_template(template, &values, &errand->name);

    if (status == -ENOMEM) {
        return OUTCOME_NO_MEMORY;
    }
    if (status < 0) {
        (void)snprintf(errand->cause, sizeof(errand->cause),
                       "the template %s has an unknown token, or a value with "
                       "/ or : in it, or is too long",
                       template);
        return OUTCOME_CACHE_UNWRITABLE;
    }
    errand->is_shared = !expand_is_unique(template);
    return OUTCOME_SUCCESS;
}

/* The name that the options ask for. */
static enum outcome
name_of_options(struct errand *errand)
{
    char *template = choose_template(&errand->host->options);
    enum outcome outcome = OUTCOME_NO_MEMORY;

    if (template != NULL) {
        /* Without one the helper has a pattern to ask for. */
        outcome = *template == '\0' ? OUTCOME_HELPER_FAILED
                                    : expand(errand, template);
    }
    free(template);
    return outcome;
}

/* A name of PATTERN, which nobody but this session has. */
static enum outcome
name_of_pattern(struct errand *errand, const char *pattern)
{
    int status = 0;

    if (!expand_is_unique(pattern)) {
        /* What was found in a shared collection: only to be known. */
        errand->name = strdup(pattern);
        errand->is_shared = true;
        return errand->name == NULL ? OUTCOME_NO_MEMORY : OUTCOME_SUCCESS;
    }
    status = expand_pattern(pattern, &errand->name);
    errand->is_shared = false;
    if (status == -ENOMEM) {
        return OUTCOME_NO_MEMORY;
    }
    return status < 0 ? OUTCOME_HELPER_FAILED : OUTCOME_SUCCESS;
}

/* Whose the drawn name is, or what its collection is. */
static enum record_ownership
ownership_of(const struct errand *errand)
{
    if (errand->host->options.retain_after_close) {
        return RECORD_ADOPTED;
    }
    /* A new cache in a shared collection is there for the next session too. */
    return errand->is_shared ||
                   errand->holding->record.ownership == RECORD_SHARED
               ? RECORD_SHARED
               : RECORD_OWN;
}

/* Lets it be known that the session is about to have the drawn name. */
static enum outcome
hold(struct errand *errand)
{
    struct host *host = errand->host;
    const struct held_cache cache = {
        .name = errand->name,
        .principal = errand->principal,
        .ownership = ownership_of(errand),
    };

    if (cache.ownership == RECORD_SHARED && !errand->has_tried_lock) {
        errand->has_tried_lock = true;
        errand->lock =
            holding_lock(host, host->account.uid, SAFEFS_MAKE_IF_MISSING);
    }
    return holding_begin(host, errand->holding, &cache);
}

/* Draws a name and packs it. */
static enum outcome
name(void *data, const char *pattern, struct bytes *payload)
{
    struct errand *errand = data;
    enum outcome outcome = OUTCOME_SUCCESS;

    free(errand->name);
    errand->name = NULL;
    outcome = *pattern == '\0' ? name_of_options(errand)
                               : name_of_pattern(errand, pattern);
    if (outcome == OUTCOME_SUCCESS && errand->holding != NULL) {
        outcome = hold(errand);
    }
    if (outcome == OUTCOME_SUCCESS) {
        cache_name_pack(payload,
                        &(struct cache_name){.name = errand->name,
                                             .is_shared = errand->is_shared});
    }
    return outcome;
}

static void
grouped(void *data, const struct groups *groups)
{
    struct errand *errand = data;

    errand->groups = *groups;
    if (errand->meanwhile != NULL) {
        errand->meanwhile(errand->host);
    }
}

enum outcome
errand_run(struct errand *errand)
{
    struct host *host = errand->host;
    const struct client_handlers handlers = {
        .greeted = greeted,
        .prompt = prompt,
        .inform = inform,
        .note = note,
        .name = name,
        .grouped = grouped,
        .data = errand,
    };
    struct options options;
    struct client_request request = {
        .request = &errand->request,
        .options = &options,
        .deadline = &host->deadline,
        .handlers = &handlers,
    };

    /* A copy, since the greeting adds to the host's while they are in use. */
    if (host_copy_options(&options, &host->options) < 0) {
        return OUTCOME_NO_MEMORY;
    }
    client_run(&host->client, &request, &errand->answer);
    options_free(&options);
    return errand->answer.result.outcome;
}

enum outcome
errand_run_as_named(struct errand *errand, struct state *state)
{
    const char *named = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (state->named != NULL) {
        errand->request.principal = state->named;
    }
    outcome = errand_run(errand);
    errand->request.principal = "";
    named = errand->answer.result.principal;
    if (named != NULL && *named != '\0' &&
        state_keep_name(state, named) != OUTCOME_SUCCESS) {
        return OUTCOME_NO_MEMORY;
    }
    return outcome;
}

/* The cause in words, "" where there is nothing to add to OUTCOME. */
static const char *
cause_of(const struct errand *errand, enum outcome outcome)
{
    const char *detail = errand->answer.result.detail;

    if (errand->cause[0] != '\0') {
        return errand->cause;
    }
    return detail == NULL || strcmp(detail, outcome_name(outcome)) == 0
               ? ""
               : detail;
}

/* A name with an @ that nobody has: libkrb5 takes its end for a realm. */
static bool
may_be_password(const struct host *host)
{
    return !host->account.exists && host->user != NULL &&
           strchr(host->user, '@') != NULL;
}

/*
 * How loudly OUTCOME is said.  A realm without a KDC that somebody has typed is
 * no fault of the administrator's.
 */
static enum log_level
level_of(const struct host *host, enum outcome outcome)
{
    return outcome == OUTCOME_KDC_UNREACHABLE && may_be_password(host)
               ? LOG_LEVEL_INFO
               : host_level(outcome);
}

/*
 * Whether the cause of OUTCOME is left out: libkrb5's words have the name in
 * them, or its realm, and what was typed for a principal may be a password too,
 * until its password was right.
 */
static bool
hides_cause(const struct errand *errand, enum outcome outcome)
{
    if (outcome == OUTCOME_UNKNOWN_PRINCIPAL) {
        return true;
    }
    if (errand->cause[0] != '\0' || outcome == OUTCOME_UNVERIFIED ||
        outcome == OUTCOME_CONFIGURATION) {
        return false; /* Words of our own, or about krb5.conf. */
    }
    return may_be_password(errand->host) ||
           (errand->host->options.prompt_principal &&
            outcome != OUTCOME_NOT_AUTHORIZED);
}

void
errand_log(const struct errand *errand, enum outcome outcome, const char *doing)
{
    const struct host *host = errand->host;
    const char *cause = cause_of(errand, outcome);
    enum log_level level = level_of(host, outcome);

    if (hides_cause(errand, outcome)) {
        cause = "";
    }
    /* A name that nobody has may be a password that was typed too early. */
    if (host->user == NULL || !host->account.exists ||
        outcome == OUTCOME_UNKNOWN_PRINCIPAL) {
        log_line(&host->log, level, "%s: %s%s%s", doing, outcome_name(outcome),
                 *cause == '\0' ? "" : ": ", cause);
        return;
    }
    log_line(&host->log, level, "user %s: %s: %s%s%s", host->user, doing,
             outcome_name(outcome), *cause == '\0' ? "" : ": ", cause);
}
