/* The renewal of a TGT. */
#include "krb/renew.h"

#include <string.h>
#include <time.h>

enum outcome
renew_possible(struct krb *krb, const krb5_creds *tgt)
{
    int64_t now = (int64_t)time(NULL);

    if ((int64_t)(uint32_t)tgt->times.endtime <= now) {
        return krb_refuse(krb, OUTCOME_TICKET_EXPIRED,
                          "the ticket has expired");
    }
    if ((tgt->ticket_flags & TKT_FLG_RENEWABLE) == 0) {
        return krb_refuse(krb, OUTCOME_NOT_RENEWABLE,
                          "the ticket is not renewable");
    }
    if ((int64_t)(uint32_t)tgt->times.renew_till <= now) {
        return krb_refuse(krb, OUTCOME_TICKET_EXPIRED,
                          "the ticket's renewable lifetime is over");
    }
    return OUTCOME_SUCCESS;
}

/* A cache in memory that holds CREDS alone. */
static krb5_error_code
keep(struct krb *krb, krb5_principal client, krb5_creds *creds,
     krb5_ccache *cache_out)
{
    krb5_ccache cache = NULL;
    krb5_error_code code =
        krb5_cc_new_unique(krb->context, "MEMORY", NULL, &cache);

    if (code == 0) {
        code = krb5_cc_initialize(krb->context, cache, client);
    }
    if (code == 0) {
        code = krb5_cc_store_cred(krb->context, cache, creds);
    }
    if (code != 0 && cache != NULL) {
        (void)krb5_cc_destroy(krb->context, cache);
        cache = NULL;
    }
    *cache_out = cache;
    return code;
}

/* Whether RENEWED is what was asked for, and better than OLD. */
static enum outcome
judge_renewed(struct krb *krb, const struct tickets *old, krb5_creds *renewed)
{
    const krb5_creds *tgt = tickets_tgt(krb, old);

    if (tgt == NULL ||
        !krb5_principal_compare(krb->context, renewed->client, old->client) ||
        !tickets_is_tgt(krb, renewed)) {
        return krb_refuse(krb, OUTCOME_KDC_NONSENSE,
                          "the renewed ticket is another one");
    }
    if ((uint32_t)renewed->times.endtime < (uint32_t)tgt->times.endtime) {
        return krb_refuse(krb, OUTCOME_NOT_RENEWABLE,
                          "the renewed ticket would end before the old one");
    }
    return OUTCOME_SUCCESS;
}

enum outcome
renew(struct krb *krb, const struct tickets *tickets, krb5_ccache *cache_out)
{
    krb5_ccache old = NULL;
    krb5_creds renewed = {0};
    krb5_error_code code = 0;
    enum outcome outcome = tickets_to_memory(krb, tickets, &old);

    *cache_out = NULL;
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    code = krb5_get_renewed_creds(krb->context, &renewed, tickets->client, old,
                                  NULL);
    if (code == 0) {
        outcome = judge_renewed(krb, tickets, &renewed);
        if (outcome == OUTCOME_SUCCESS) {
            code = keep(krb, tickets->client, &renewed, cache_out);
        }
        /* Only here: what libkrb5 leaves after a failure it has freed. */
        krb5_free_cred_contents(krb->context, &renewed);
    }
    if (code != 0) {
        outcome = krb_said(krb, code);
    }
    (void)krb5_cc_destroy(krb->context, old);
    return outcome;
}
