/* The jobs that need no KDC, and the table of all. */
#include "helper/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/expand.h"
#include "helper/judge.h"
#include "krb/ccache.h"

/* More names than this are not tried: something else is wrong. */
#define NAMES_MAX 16

/* Becomes the user and greets: how each of these jobs begins. */
static enum outcome
begin_as_user(struct helper *helper, struct krb *krb)
{
    enum outcome outcome = helper_become_user(helper, krb);

    return outcome == OUTCOME_SUCCESS ? helper_greet(helper, krb) : outcome;
}

/* The tickets that came with the request. */
static enum outcome
given_tickets(struct helper *helper, struct krb *krb,
              struct tickets *tickets_out)
{
    return tickets_unpack(krb, helper->request.tickets, tickets_out);
}

/* The name that the module draws of PATTERN; message_free(MESSAGE_OUT). */
static struct cache_name
draw(struct helper *helper, const char *pattern, struct message *message_out)
{
    struct bytes payload = BYTES_EMPTY;
    struct cache_name name = {0};

    draw_pack(&payload, &(struct draw){.pattern = pattern});
    line_send(&helper->module, MESSAGE_DRAW, &payload);
    bytes_free(&payload);
    *message_out = line_expect(&helper->module, MESSAGE_NAME);
    if (cache_name_unpack(bytes_span(&message_out->payload), &name) < 0) {
        line_hang_up();
    }
    return name;
}

/*
 * Lets the module know that a session is about to have FOUND, before it has.  A
 * name that ends like a pattern it would take for one.
 */
static void
announce(struct helper *helper, const char *found)
{
    struct message message;

    if (helper->module.version >= 2 && !expand_is_unique(found)) {
        (void)draw(helper, found, &message);
        message_free(&message);
    }
}

/* NAME is what the result is about, also where it comes to nothing. */
static enum outcome
set_result_name(struct krb *krb, struct job_result *result, const char *name)
{
    char *copy = strdup(name);

    free(result->cache);
    result->cache = copy;
    return copy != NULL ? OUTCOME_SUCCESS
                        : krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
}

/*
 * Puts TICKETS into their principal's cache in COLLECTION.  Where there is
 * none a new one is wanted: OUTCOME_CACHE_TAKEN, and *PATTERN, which is
 * freed, becomes its pattern.
 */
static enum outcome
put_into(struct helper *helper, struct krb *krb, const char *collection,
         const struct tickets *tickets, struct job_result *result,
         char **pattern)
{
    char *found = NULL;
    enum outcome outcome =
        ccache_find(krb, collection, tickets->client, &found);

    if (outcome == OUTCOME_CACHE_MISSING) {
        free(*pattern);
        outcome = ccache_pattern(krb, collection, pattern);
        return outcome == OUTCOME_SUCCESS ? OUTCOME_CACHE_TAKEN : outcome;
    }
    if (outcome == OUTCOME_SUCCESS) {
        announce(helper, found);
        free(result->cache);
        result->cache = found;
        outcome = ccache_replace(krb, found, tickets);
    }
    return outcome;
}

/* Puts TICKETS where NAME says; OUTCOME_CACHE_TAKEN as in put_into. */
static enum outcome
put(struct helper *helper, struct krb *krb, const struct cache_name *name,
    const struct tickets *tickets, struct job_result *result, char **pattern)
{
    enum outcome outcome = set_result_name(krb, result, name->name);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (helper->request.job == JOB_STORE && !helper->request.in_session &&
        ccache_is_of_session(name->name)) {
        return krb_refuse(krb, OUTCOME_SESSION_NOT_OPEN,
                          "%s is in a place that comes with the session",
                          name->name);
    }
    if (!ccache_is_collection(name->name)) {
        if (name->is_shared) {
            return ccache_replace(krb, name->name, tickets);
        }
        outcome = ccache_create(krb, name->name, tickets);
        result->has_made_cache = outcome == OUTCOME_SUCCESS;
        return outcome;
    }
    return name->is_shared
               ? put_into(helper, krb, name->name, tickets, result, pattern)
               : krb_refuse(krb, OUTCOME_CACHE_KIND,
                            "%s: a collection is not one session's own",
                            name->name);
}

/*
 * Puts TICKETS where the names that the module draws say.  PATTERN is what to
 * draw of; it is freed.
 */
static enum outcome
put_drawn(struct helper *helper, struct krb *krb, char *pattern,
          const struct tickets *tickets, struct job_result *result)
{
    enum outcome outcome = OUTCOME_CACHE_TAKEN;

    for (int i = 0; outcome == OUTCOME_CACHE_TAKEN && i < NAMES_MAX; i++) {
        struct message message;
        struct cache_name name = draw(helper, pattern, &message);

        outcome = put(helper, krb, &name, tickets, result, &pattern);
        message_free(&message);
    }
    free(pattern);
    return outcome;
}

/*
 * What the module shall draw of: "" where the options have a template, else
 * what goes with libkrb5's default cache.
 */
static enum outcome
store_pattern(struct helper *helper, struct krb *krb, char **pattern_out)
{
    char *name = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (helper->options.ccache != NULL || helper->options.ccache_dir != NULL) {
        *pattern_out = strdup("");
        return *pattern_out != NULL
                   ? outcome
                   : krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    outcome = ccache_default_name(krb, &name);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = ccache_pattern(krb, name, pattern_out);
    }
    free(name);
    return outcome;
}

static enum outcome
store(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct tickets tickets = {0};
    char *pattern = NULL;
    enum outcome outcome = begin_as_user(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = given_tickets(helper, krb, &tickets);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = store_pattern(helper, krb, &pattern);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = put_drawn(helper, krb, pattern, &tickets, result);
    }
    tickets_free(krb, &tickets);
    return outcome;
}

static enum outcome
replace(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct tickets tickets = {0};
    char *pattern = NULL;
    enum outcome outcome = begin_as_user(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = job_cache_name(helper, krb, result);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = given_tickets(helper, krb, &tickets);
    }
    if (outcome == OUTCOME_SUCCESS && ccache_is_collection(result->cache)) {
        outcome =
            put_into(helper, krb, result->cache, &tickets, result, &pattern);
    } else if (outcome == OUTCOME_SUCCESS) {
        outcome = ccache_replace(krb, result->cache, &tickets);
    }
    if (outcome == OUTCOME_CACHE_TAKEN) {
        outcome = put_drawn(helper, krb, pattern, &tickets, result);
    }
    tickets_free(krb, &tickets);
    return outcome;
}

static enum outcome
destroy(struct helper *helper, struct krb *krb, struct job_result *result)
{
    enum outcome outcome = begin_as_user(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = job_cache_name(helper, krb, result);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = ccache_destroy(krb, result->cache);
    }
    if (outcome == OUTCOME_CACHE_MISSING) {
        result->remark = "was gone already";
        outcome = OUTCOME_SUCCESS;
    }
    return outcome;
}

static void
send_description(struct helper *helper, const char *principal,
                 const krb5_creds *tgt)
{
    const krb5_ticket_times *times = &tgt->times;
    bool is_renewable = (tgt->ticket_flags & TKT_FLG_RENEWABLE) != 0;
    struct bytes payload = BYTES_EMPTY;

    /* libkrb5's timestamps are unsigned, whatever their type says. */
    description_pack(
        &payload,
        &(struct description){
            .principal = principal,
            .start = (uint32_t)(times->starttime != 0 ? times->starttime
                                                      : times->authtime),
            .end = (uint32_t)times->endtime,
            .renew_until = is_renewable ? (uint32_t)times->renew_till : 0,
        });
    line_send(&helper->module, MESSAGE_DESCRIPTION, &payload);
    bytes_free(&payload);
}

/* Says what is in the cache to who has asked. */
static enum outcome
describe_tickets(struct helper *helper, struct krb *krb,
                 const struct tickets *tickets, const char *cache)
{
    const krb5_creds *tgt = tickets_tgt(krb, tickets);
    char *principal = NULL;
    krb5_error_code code = 0;

    if (tgt == NULL) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE, "%s: has no TGT",
                          cache);
    }
    code = krb5_unparse_name(krb->context, tickets->client, &principal);
    if (code != 0) {
        return krb_failed(krb, code, cache);
    }
    send_description(helper, principal, tgt);
    krb5_free_unparsed_name(krb->context, principal);
    return OUTCOME_SUCCESS;
}

static enum outcome
describe(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct tickets tickets = {0};
    enum outcome outcome = begin_as_user(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = job_single_cache_name(helper, krb, result);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = ccache_read(krb, result->cache, &tickets);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = describe_tickets(helper, krb, &tickets, result->cache);
    }
    tickets_free(krb, &tickets);
    return outcome;
}

static const struct job_row table[] = {
    {JOB_ACQUIRE, true, judge_acquire}, {JOB_STORE, false, store},
    {JOB_REPLACE, false, replace},      {JOB_RENEW, true, judge_renew},
    {JOB_DESTROY, false, destroy},      {JOB_DESCRIBE, false, describe},
    {JOB_PROBE, true, judge_probe},     {JOB_TRY, true, judge_change},
    {JOB_CHANGE, true, judge_change},
};

const struct job_row *
jobs_find(enum job job)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].job == job) {
            return &table[i];
        }
    }
    return NULL;
}
