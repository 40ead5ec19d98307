/* What the jobs of the helper share. */
#include "helper/helper.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "krb/appdefaults.h"
#include "krb/ccache.h"

void
job_result_free(struct job_result *result)
{
    free(result->principal);
    free(result->cache);
    bytes_free(&result->tickets);
    *result = (struct job_result){0};
}

enum outcome
helper_greet(struct helper *helper, struct krb *krb)
{
    struct bytes payload = BYTES_EMPTY;
    enum outcome outcome = krb_open(krb, &helper->log, helper->trace_fd);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (appdefaults_complete(krb, &helper->options, helper->request.service) <
        0) {
        return krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    helper->log.debug = helper->options.debug;
    greeting_pack(&payload, &helper->options);
    line_send(&helper->module, MESSAGE_GREETING, &payload);
    bytes_free(&payload);
    return OUTCOME_SUCCESS;
}

bool
helper_excludes_user(const struct helper *helper)
{
    return options_exclude_user(&helper->options, helper->request.user,
                                helper->request.has_account,
                                helper->request.uid);
}

void
helper_close_lines(const struct helper *helper)
{
    (void)close(helper->module.fd);
    if (helper->exchange_pid > 0) {
        (void)close(helper->exchange.fd);
    }
    if (helper->searcher.pid > 0) {
        (void)close(helper->searcher.fd);
    }
}

enum outcome
helper_become_user(struct helper *helper, struct krb *krb)
{
    const struct request *request = &helper->request;
    enum outcome outcome = OUTCOME_NO_ACCOUNT;

    if (request->has_account) {
        if (request->groups.are_known) {
            identity_know_groups(request->user, request->gid, &request->groups);
        }
        outcome =
            identity_become_user(request->user, request->uid, request->gid);
    }
    return outcome == OUTCOME_SUCCESS
               ? outcome
               : krb_refuse(krb, outcome,
                            "this host runs as uid %u and cannot act for uid "
                            "%u",
                            (unsigned int)geteuid(),
                            (unsigned int)request->uid);
}

enum outcome
job_cache_name(struct helper *helper, struct krb *krb,
               struct job_result *result)
{
    if (*helper->request.cache == '\0') {
        return ccache_default_name(krb, &result->cache);
    }
    result->cache = strdup(helper->request.cache);
    return result->cache != NULL
               ? OUTCOME_SUCCESS
               : krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
}

enum outcome
job_single_cache_name(struct helper *helper, struct krb *krb,
                      struct job_result *result)
{
    char *primary = NULL;
    enum outcome outcome = job_cache_name(helper, krb, result);

    if (outcome != OUTCOME_SUCCESS || !ccache_is_collection(result->cache)) {
        return outcome;
    }
    outcome = ccache_primary(krb, result->cache, &primary);
    if (outcome == OUTCOME_SUCCESS) {
        free(result->cache);
        result->cache = primary;
    }
    return outcome;
}
