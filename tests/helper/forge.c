/* Forged tickets and AP-REQs. */
#include "helper/forge.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * What a KDC makes tickets with.  libkrb5 exports these for krb5kdc's sake, but
 * no public header has them.  krb5_mk_req_extended would do for an AP-REQ, but
 * it makes no bad ones.
 */
krb5_error_code krb5_encrypt_tkt_part(krb5_context context,
                                      const krb5_keyblock *key,
                                      krb5_ticket *ticket);
krb5_error_code encode_krb5_ticket(const krb5_ticket *ticket, krb5_data **code);
krb5_error_code encode_krb5_authenticator(const krb5_authenticator *plain,
                                          krb5_data **code);
krb5_error_code encode_krb5_ap_req(const krb5_ap_req *ap_req, krb5_data **code);

/* RFC 4120 7.5.1: an AP-REQ's checksum and its authenticator. */
#define USAGE_CHECKSUM 10
#define USAGE_AUTHENTICATOR 11

/* RFC 4121 4.1.1. */
#define CKSUMTYPE_GSS 0x8003

#define ENCTYPE ENCTYPE_AES256_CTS_HMAC_SHA1_96

/* The key of SERVER in KEYTAB, or a random one where KEYTAB is NULL. */
static krb5_error_code
find_key(krb5_context context, const char *keytab_name,
         krb5_const_principal server, krb5_keytab_entry *entry_out)
{
    krb5_keytab keytab = NULL;
    krb5_error_code code = 0;

    memset(entry_out, 0, sizeof(*entry_out));
    if (keytab_name == NULL) {
        return krb5_c_make_random_key(context, ENCTYPE, &entry_out->key);
    }
    code = krb5_kt_resolve(context, keytab_name, &keytab);
    if (code == 0) {
        code = krb5_kt_get_entry(context, keytab, server, 0, 0, entry_out);
        (void)krb5_kt_close(context, keytab);
    }
    return code;
}

/* The ticket of CREDS that says INNER, under the key of ENTRY. */
static krb5_error_code
seal(krb5_context context, const krb5_keytab_entry *entry,
     krb5_enc_tkt_part *inner, krb5_creds *creds)
{
    krb5_ticket ticket = {.server = creds->server, .enc_part2 = inner};
    krb5_data *encoded = NULL;
    krb5_error_code code = krb5_encrypt_tkt_part(context, &entry->key, &ticket);

    if (code != 0) {
        return code;
    }
    ticket.enc_part.kvno = entry->vno;
    code = encode_krb5_ticket(&ticket, &encoded);
    krb5_free_data_contents(context, &ticket.enc_part.ciphertext);
    if (code == 0) {
        creds->ticket = *encoded;
        encoded->data = NULL;
        krb5_free_data(context, encoded);
    }
    return code;
}

static krb5_ticket_times
times_of(const struct forge_ticket *ticket)
{
    int64_t now = (int64_t)time(NULL);
    int64_t life = ticket->life_s != 0 ? ticket->life_s : 3600;

    /* krb5_timestamp is read as unsigned (good until 2106). */
    return (krb5_ticket_times){
        .authtime = (krb5_timestamp)(uint32_t)(now - ticket->age_s),
        .starttime = (krb5_timestamp)(uint32_t)(now - ticket->start_age_s),
        .endtime = (krb5_timestamp)(uint32_t)(now + life),
        .renew_till = (krb5_timestamp)(uint32_t)(now + 10 * life),
    };
}

static krb5_error_code
fill(krb5_context context, const struct forge_ticket *ticket, krb5_creds *creds)
{
    krb5_enc_tkt_part inner = {.flags = ticket->flags};
    krb5_keytab_entry entry;
    krb5_error_code code =
        krb5_parse_name(context, ticket->client, &creds->client);

    if (code == 0) {
        code = krb5_parse_name(context, ticket->server, &creds->server);
    }
    if (code == 0) {
        code = krb5_c_make_random_key(context, ENCTYPE, &creds->keyblock);
    }
    if (code != 0) {
        return code;
    }
    creds->times = times_of(ticket);
    creds->ticket_flags = ticket->flags;
    inner.session = &creds->keyblock;
    inner.client = creds->client;
    inner.times = creds->times;
    inner.transited.tr_type = 1;
    code = find_key(context, ticket->keytab, creds->server, &entry);
    if (code == 0) {
        code = seal(context, &entry, &inner, creds);
        (void)krb5_free_keytab_entry_contents(context, &entry);
    }
    return code;
}

krb5_error_code
forge_creds(krb5_context context, const struct forge_ticket *ticket,
            krb5_creds **creds_out)
{
    krb5_creds creds = {0};
    krb5_error_code code = fill(context, ticket, &creds);

    *creds_out = NULL;
    if (code == 0) {
        code = krb5_copy_creds(context, &creds, creds_out);
    }
    krb5_free_cred_contents(context, &creds);
    return code;
}

/* Fills in what the checksum over REQUEST's nonce is; NULL-safe to free. */
static krb5_error_code
make_checksum(krb5_context context, const struct forge_request *request,
              krb5_checksum *checksum)
{
    krb5_data copy = {0, 0, NULL};
    krb5_error_code code = 0;

    switch (request->checksum) {
    case FORGE_NONE:
        break;
    case FORGE_KEYED:
        return krb5_c_make_checksum(context, 0, &request->creds->keyblock,
                                    USAGE_CHECKSUM, &request->nonce, checksum);
    case FORGE_UNKEYED:
        return krb5_c_make_checksum(context, CKSUMTYPE_SHA1, NULL,
                                    USAGE_CHECKSUM, &request->nonce, checksum);
    case FORGE_GSS:
        copy.data = malloc(request->nonce.length);
        if (copy.data == NULL) {
            return KRB5_CC_NOMEM;
        }
        memcpy(copy.data, request->nonce.data, request->nonce.length);
        checksum->checksum_type = CKSUMTYPE_GSS;
        checksum->length = request->nonce.length;
        checksum->contents = (krb5_octet *)copy.data;
        break;
    }
    return code;
}

/* Encrypts the authenticator of REQUEST with CHECKSUM into SEALED. */
static krb5_error_code
seal_authenticator(krb5_context context, const struct forge_request *request,
                   krb5_checksum *checksum, krb5_enc_data *sealed)
{
    const krb5_keyblock *key = &request->creds->keyblock;
    const krb5_authenticator plain = {
        .client = request->creds->client,
        .checksum = request->checksum == FORGE_NONE ? NULL : checksum,
        .ctime =
            (krb5_timestamp)(uint32_t)((int64_t)time(NULL) + request->offset_s),
    };
    krb5_data *encoded = NULL;
    size_t length = 0;
    krb5_error_code code = encode_krb5_authenticator(&plain, &encoded);

    if (code == 0) {
        code = krb5_c_encrypt_length(context, key->enctype, encoded->length,
                                     &length);
    }
    if (code == 0) {
        sealed->ciphertext.length = (unsigned int)length;
        sealed->ciphertext.data = malloc(length);
        code = sealed->ciphertext.data == NULL
                   ? KRB5_CC_NOMEM
                   : krb5_c_encrypt(context, key, USAGE_AUTHENTICATOR, NULL,
                                    encoded, sealed);
    }
    krb5_free_data(context, encoded);
    return code;
}

krb5_error_code
forge_ap_req(krb5_context context, const struct forge_request *request,
             krb5_data **ap_req_out)
{
    krb5_checksum checksum = {0};
    krb5_ap_req ap_req = {0};
    krb5_error_code code = make_checksum(context, request, &checksum);

    *ap_req_out = NULL;
    if (code == 0) {
        code = krb5_decode_ticket(&request->creds->ticket, &ap_req.ticket);
    }
    if (code == 0) {
        code = seal_authenticator(context, request, &checksum,
                                  &ap_req.authenticator);
    }
    if (code == 0) {
        code = encode_krb5_ap_req(&ap_req, ap_req_out);
    }
    krb5_free_ticket(context, ap_req.ticket);
    free(ap_req.authenticator.ciphertext.data);
    krb5_free_checksum_contents(context, &checksum);
    return code;
}
