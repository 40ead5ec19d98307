/* The jobs that need no KDC, and the table of all. */
#include "helper/jobs.h"

#include <stdlib.h>
#include <string.h>

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

/* Makes the cache that the module's NAME asks for. */
static enum outcome
make_named(struct helper *helper, struct krb *krb,
           const struct tickets *tickets, struct job_result *result)
{
    struct message message = line_expect(&helper->module, MESSAGE_NAME);
    struct cache_name name = {0};
    enum outcome outcome = OUTCOME_SUCCESS;

    if (cache_name_unpack(bytes_span(&message.payload), &name) < 0) {
        line_hang_up();
    }
    outcome = name.is_shared ? ccache_replace(krb, name.name, tickets)
                             : ccache_create(krb, name.name, tickets);
    free(result->cache);
    result->cache = strdup(name.name);
    if (result->cache == NULL && outcome == OUTCOME_SUCCESS) {
        (void)ccache_destroy(krb, name.name);
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    message_free(&message);
    return outcome;
}

static enum outcome
store(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct tickets tickets = {0};
    enum outcome outcome = begin_as_user(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = given_tickets(helper, krb, &tickets);
    }
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    outcome = make_named(helper, krb, &tickets, result);
    for (int i = 1; outcome == OUTCOME_CACHE_TAKEN && i < NAMES_MAX; i++) {
        struct bytes nothing = BYTES_EMPTY;

        line_send(&helper->module, MESSAGE_TAKEN, &nothing);
        outcome = make_named(helper, krb, &tickets, result);
    }
    tickets_free(krb, &tickets);
    return outcome;
}

static enum outcome
replace(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct tickets tickets = {0};
    enum outcome outcome = begin_as_user(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = job_cache_name(helper, krb, result);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = given_tickets(helper, krb, &tickets);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = ccache_replace(krb, result->cache, &tickets);
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
    return outcome == OUTCOME_SUCCESS ? ccache_destroy(krb, result->cache)
                                      : outcome;
}

static const struct job_row table[] = {
    {JOB_ACQUIRE, true, judge_acquire}, {JOB_STORE, false, store},
    {JOB_REPLACE, false, replace},      {JOB_RENEW, true, judge_renew},
    {JOB_DESTROY, false, destroy},
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
