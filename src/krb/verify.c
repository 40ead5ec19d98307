/* Proving to ourselves that the KDC is ours. */
#include "krb/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4120 7.5.1: the checksum in the authenticator of an AP-REQ. */
#define USAGE_AP_REQ_CHECKSUM 10

static bool
is_host_principal(krb5_const_principal principal)
{
    return principal->length == 2 && principal->data[0].length == 4 &&
           memcmp(principal->data[0].data, "host", 4) == 0;
}

static bool
has(const struct verify_candidates *candidates, const char *name)
{
    for (size_t i = 0; i < candidates->count; i++) {
        if (strcmp(candidates->list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes ENTRY's principal among DATA, candidates, where it belongs there. */
static krb5_error_code
consider(struct krb *krb, const krb5_keytab_entry *entry, void *data)
{
    struct verify_candidates *candidates = data;
    char *name = NULL;
    char *copy = NULL;
    krb5_error_code code = 0;

    if (!is_host_principal(entry->principal) ||
        candidates->count == VERIFY_CANDIDATES_MAX) {
        return 0;
    }
    code = krb5_unparse_name(krb->context, entry->principal, &name);
    if (code == 0 && !has(candidates, name)) {
        copy = strdup(name);
        if (copy == NULL) {
            code = ENOMEM;
        } else {
            candidates->list[candidates->count++] = copy;
        }
    }
    krb5_free_unparsed_name(krb->context, name);
    return code;
}

/*
 * Whether CODE says that there is no keytab to read, or none that this process
 * may read.  Anything else may be a caller's doing (no memory, no descriptors)
 * and is no reason to believe a KDC without proof.
 */
static bool
means_no_keytab(krb5_error_code code)
{
    return code == KRB5_KT_END || code == KRB5_KT_NOTFOUND ||
           code == KRB5_KT_UNKNOWN_TYPE || code == KRB5_KT_BADNAME ||
           code == KRB5_KEYTAB_BADVNO || code == ENOENT || code == ENOTDIR ||
           code == EACCES || code == EPERM;
}

enum outcome
verify_list(struct krb *krb, const char *keytab_name,
            struct verify_candidates *candidates_out)
{
    krb5_keytab keytab = NULL;
    krb5_error_code code = krb_open_keytab(krb, keytab_name, &keytab);

    memset(candidates_out, 0, sizeof(*candidates_out));
    if (code == 0) {
        code = krb_visit_keytab(krb, keytab, consider, candidates_out);
        (void)krb5_kt_close(krb->context, keytab);
    }
    if (code == KRB5_KT_END) {
        (void)krb_refuse(krb, OUTCOME_SUCCESS,
                         "the keytab has no host/ principal");
    } else {
        (void)krb_failed(krb, code, "cannot read the keytab");
    }
    if (candidates_out->count == 0 && !means_no_keytab(code)) {
        return code == ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_UNVERIFIED;
    }
    return OUTCOME_SUCCESS;
}

void
verify_candidates_free(struct verify_candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        free(candidates->list[i]);
    }
    candidates->count = 0;
}

/* A ticket for SERVICE with the TGT in CACHE, not stored there. */
static krb5_error_code
get_service_ticket(struct krb *krb, krb5_ccache cache, const char *service,
                   krb5_creds **creds_out)
{
    krb5_creds wanted = {0};
    krb5_error_code code =
        krb5_cc_get_principal(krb->context, cache, &wanted.client);

    if (code == 0) {
        code = krb5_parse_name(krb->context, service, &wanted.server);
    }
    if (code == 0) {
        code = krb5_get_credentials(krb->context, KRB5_GC_NO_STORE, cache,
                                    &wanted, creds_out);
    }
    krb5_free_cred_contents(krb->context, &wanted);
    return code;
}

enum outcome
verify_prove(struct krb *krb, krb5_ccache cache,
             const struct challenge *challenge, struct bytes *ap_req)
{
    krb5_auth_context auth = NULL;
    krb5_creds *creds = NULL;
    /* krb5_data is not const; krb5_mk_req_extended only reads. */
    krb5_data nonce = {
        .magic = KV5M_DATA,
        .length = (unsigned int)challenge->nonce.length,
        .data = (char *)(uintptr_t)challenge->nonce.data,
    };
    krb5_data request = {0, 0, NULL};
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code =
        get_service_ticket(krb, cache, challenge->service, &creds);

    if (code == 0) {
        code = krb5_auth_con_init(krb->context, &auth);
    }
    if (code == 0) {
        code = krb5_auth_con_setflags(krb->context, auth, 0);
    }
    if (code == 0) {
        /* The mandatory checksum of the key, whatever krb5.conf prefers. */
        code = krb5_auth_con_set_req_cksumtype(krb->context, auth, 0);
    }
    if (code == 0) {
        code = krb5_mk_req_extended(krb->context, &auth, 0, &nonce, creds,
                                    &request);
    }
    if (code != 0) {
        outcome = krb_failed(krb, code, challenge->service);
        goto out;
    }
    if (bytes_copy(ap_req, (struct span){.data = (const uint8_t *)request.data,
                                         .length = request.length}) < 0) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
out:
    krb5_free_data_contents(krb->context, &request);
    krb5_free_creds(krb->context, creds);
    krb5_auth_con_free(krb->context, auth);
    return outcome;
}

/* Whether the authenticator's checksum is a keyed one over NONCE. */
static bool
covers_nonce(struct krb *krb, krb5_auth_context auth, const krb5_keyblock *key,
             struct span nonce)
{
    krb5_authenticator *authenticator = NULL;
    const krb5_data data = {
        .magic = KV5M_DATA,
        .length = (unsigned int)nonce.length,
        .data = (char *)(uintptr_t)nonce.data,
    };
    krb5_boolean valid = FALSE;

    if (krb5_auth_con_getauthenticator(krb->context, auth, &authenticator) !=
        0) {
        return false;
    }
    if (authenticator->checksum != NULL &&
        krb5_c_is_keyed_cksum(authenticator->checksum->checksum_type) &&
        krb5_c_verify_checksum(krb->context, key, USAGE_AP_REQ_CHECKSUM, &data,
                               authenticator->checksum, &valid) != 0) {
        valid = FALSE;
    }
    krb5_free_authenticator(krb->context, authenticator);
    return valid != FALSE;
}

/* Whether the ticket with TIMES was got in the login that CLAIM is about. */
static bool
is_of_this_login(struct krb *krb, const krb5_ticket_times *times,
                 const struct verify_claim *claim)
{
    /* krb5_timestamp is read as unsigned (good until 2106). */
    int64_t authtime = (int64_t)(uint32_t)times->authtime;
    int64_t start =
        times->starttime == 0 ? authtime : (int64_t)(uint32_t)times->starttime;
    int64_t oldest = claim->started - claim->clockskew;
    krb5_timestamp now = 0;

    if (krb5_timeofday(krb->context, &now) != 0) {
        return false;
    }
    return authtime >= oldest && start >= oldest &&
           start <= (int64_t)(uint32_t)now + claim->clockskew;
}

/* What a ticket that the keytab could open must be besides. */
static enum outcome
judge_ticket(struct krb *krb, const krb5_ticket *ticket,
             krb5_const_principal service, const struct verify_claim *claim)
{
    const krb5_enc_tkt_part *inner = ticket->enc_part2;

    if (!krb5_principal_compare(krb->context, ticket->server, service)) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED,
                          "the AP-REQ is for another service");
    }
    if ((inner->flags & TKT_FLG_INVALID) != 0) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED, "the ticket is not valid");
    }
    if (krb5_principal_compare_any_realm(krb->context, inner->client,
                                         krb5_anonymous_principal())) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED, "the ticket is anonymous");
    }
    if (!is_of_this_login(krb, &inner->times, claim)) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED,
                          "the ticket is not of this login");
    }
    return OUTCOME_SUCCESS;
}

/* Decrypts the AP-REQ of CLAIM; no replay cache (flags 0). */
static krb5_error_code
open_ap_req(struct krb *krb, const struct verify_claim *claim,
            krb5_const_principal service, krb5_auth_context auth,
            krb5_ticket **ticket_out)
{
    krb5_data request = {
        .magic = KV5M_DATA,
        .length = (unsigned int)claim->ap_req.length,
        .data = (char *)(uintptr_t)claim->ap_req.data,
    };
    krb5_keytab keytab = NULL;
    krb5_error_code code = krb5_auth_con_setflags(krb->context, auth, 0);

    if (code == 0) {
        code = krb_open_keytab(krb, claim->keytab, &keytab);
    }
    if (code == 0) {
        code = krb5_rd_req(krb->context, &auth, &request, service, keytab, NULL,
                           ticket_out);
    }
    if (keytab != NULL) {
        (void)krb5_kt_close(krb->context, keytab);
    }
    return code;
}

enum outcome
verify_check(struct krb *krb, const struct verify_claim *claim,
             krb5_principal *identity_out)
{
    krb5_principal service = NULL;
    krb5_auth_context auth = NULL;
    krb5_ticket *ticket = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code =
        krb5_parse_name(krb->context, claim->service, &service);

    *identity_out = NULL;
    if (code == 0) {
        code = krb5_auth_con_init(krb->context, &auth);
    }
    if (code == 0) {
        code = open_ap_req(krb, claim, service, auth, &ticket);
    }
    if (code != 0) {
        (void)krb_failed(krb, code, claim->service);
        outcome = code == ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_UNVERIFIED;
        goto out;
    }
    outcome = judge_ticket(krb, ticket, service, claim);
    if (outcome == OUTCOME_SUCCESS &&
        !covers_nonce(krb, auth, ticket->enc_part2->session, claim->nonce)) {
        outcome = krb_refuse(krb, OUTCOME_UNVERIFIED,
                             "the AP-REQ is not for this login");
    }
    if (outcome == OUTCOME_SUCCESS) {
        code = krb5_copy_principal(krb->context, ticket->enc_part2->client,
                                   identity_out);
        outcome = code == 0 ? OUTCOME_SUCCESS
                            : krb_failed(krb, code, "cannot keep the client");
    }
out:
    krb5_free_ticket(krb->context, ticket);
    krb5_auth_con_free(krb->context, auth);
    krb5_free_principal(krb->context, service);
    return outcome;
}
