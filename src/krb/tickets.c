/* Tickets as bytes, and back. */
#include "krb/tickets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first of the bytes: the layout below. */
#define LAYOUT 1

void
tickets_free(struct krb *krb, struct tickets *tickets)
{
    for (size_t i = 0; i < tickets->count; i++) {
        krb5_free_creds(krb->context, tickets->list[i]);
    }
    free(tickets->list);
    krb5_free_principal(krb->context, tickets->client);
    *tickets = (struct tickets){0};
}

static enum outcome
put_creds(struct krb *krb, krb5_creds *creds, struct bytes *bytes)
{
    krb5_data *data = NULL;
    krb5_error_code code = krb5_marshal_credentials(krb->context, creds, &data);

    if (code != 0) {
        return krb_failed(krb, code, "cannot pack a ticket");
    }
    bytes_put_span(bytes, (struct span){.data = (const uint8_t *)data->data,
                                        .length = data->length});
    erase(data->data, data->length);
    krb5_free_data(krb->context, data);
    return OUTCOME_SUCCESS;
}

/* Every entry of CACHE, at most MAX, each after a 1; a 0 after the last. */
static enum outcome
put_entries(struct krb *krb, krb5_ccache cache, size_t max, struct bytes *bytes)
{
    krb5_cc_cursor cursor = NULL;
    krb5_error_code code = krb5_cc_start_seq_get(krb->context, cache, &cursor);
    enum outcome outcome = OUTCOME_SUCCESS;

    for (size_t i = 0; code == 0 && outcome == OUTCOME_SUCCESS; i++) {
        krb5_creds creds = {0};

        code = krb5_cc_next_cred(krb->context, cache, &cursor, &creds);
        if (code != 0) {
            /* What libkrb5 leaves in creds then it has freed already. */
            break;
        }
        if (i == max) {
            outcome = krb_refuse(krb, OUTCOME_CACHE_UNREADABLE,
                                 "more than %zu tickets", max);
        } else {
            bytes_put_u16(bytes, 1);
            outcome = put_creds(krb, &creds, bytes);
        }
        krb5_free_cred_contents(krb->context, &creds);
    }
    if (cursor != NULL) {
        (void)krb5_cc_end_seq_get(krb->context, cache, &cursor);
    }
    bytes_put_u16(bytes, 0);
    if (outcome != OUTCOME_SUCCESS || code == KRB5_CC_END) {
        return outcome;
    }
    return krb_failed(krb, code, "cannot list the tickets");
}

/* tickets_pack_cache of at most MAX entries. */
static enum outcome
pack(struct krb *krb, krb5_ccache cache, size_t max, struct bytes *bytes)
{
    struct krb_offset offset = krb_offset_learned(krb);
    krb5_principal client = NULL;
    char *name = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = krb5_cc_get_principal(krb->context, cache, &client);

    if (code == 0) {
        code = krb5_unparse_name(krb->context, client, &name);
    }
    if (code != 0) {
        outcome = krb_failed(krb, code, "cannot tell whose tickets they are");
        goto out;
    }
    bytes_put_u16(bytes, LAYOUT);
    bytes_put_i64(bytes, offset.seconds);
    bytes_put_i64(bytes, offset.microseconds);
    bytes_put_string(bytes, name);
    outcome = put_entries(krb, cache, max, bytes);
    if (outcome == OUTCOME_SUCCESS && bytes->error != 0) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "too many tickets");
    }
out:
    krb5_free_unparsed_name(krb->context, name);
    krb5_free_principal(krb->context, client);
    return outcome;
}

enum outcome
tickets_pack_cache(struct krb *krb, krb5_ccache cache, struct bytes *bytes)
{
    return pack(krb, cache, SIZE_MAX, bytes);
}

/* Reads one entry and appends it to TICKETS, whose list has room for it. */
static enum outcome
read_entry(struct krb *krb, struct reader *reader, struct tickets *tickets)
{
    struct span span = reader_span(reader);
    /* krb5_data is not const; krb5_unmarshal_credentials only reads. */
    krb5_data data = {.magic = KV5M_DATA,
                      .length = (unsigned int)span.length,
                      .data = (char *)(uintptr_t)span.data};
    krb5_creds *creds = NULL;
    krb5_error_code code = 0;

    if (reader->failed || span.length == 0) {
        return krb_refuse(krb, OUTCOME_HELPER_FAILED, "tickets cut short");
    }
    code = krb5_unmarshal_credentials(krb->context, &data, &creds);
    if (code != 0) {
        (void)krb_failed(krb, code, "cannot unpack a ticket");
        return code == ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_HELPER_FAILED;
    }
    tickets->list[tickets->count++] = creds;
    return OUTCOME_SUCCESS;
}

static enum outcome
read_entries(struct krb *krb, struct reader *reader, struct tickets *tickets)
{
    enum outcome outcome = OUTCOME_SUCCESS;

    tickets->list = calloc(TICKETS_MAX + 1, sizeof(krb5_creds *));
    if (tickets->list == NULL) {
        return krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    while (outcome == OUTCOME_SUCCESS && reader_u16(reader) == 1) {
        if (tickets->count == TICKETS_MAX) {
            return krb_refuse(krb, OUTCOME_HELPER_FAILED, "too many tickets");
        }
        outcome = read_entry(krb, reader, tickets);
    }
    if (outcome == OUTCOME_SUCCESS && reader_end(reader) != 0) {
        return krb_refuse(krb, OUTCOME_HELPER_FAILED, "tickets cut short");
    }
    return outcome;
}

/* Takes SPAN apart, whoever the tickets in it are for. */
static enum outcome
unpack(struct krb *krb, struct span span, struct tickets *tickets_out)
{
    struct reader reader = reader_from(span);
    struct tickets tickets = {0};
    uint16_t layout = reader_u16(&reader);
    const char *name = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = 0;

    *tickets_out = tickets;
    tickets.offset.seconds = reader_i64(&reader);
    tickets.offset.microseconds = reader_i64(&reader);
    name = reader_string(&reader);
    if (reader.failed || layout != LAYOUT) {
        return krb_refuse(krb, OUTCOME_HELPER_FAILED,
                          "tickets of an unknown layout");
    }
    code = krb5_parse_name(krb->context, name, &tickets.client);
    if (code != 0) {
        return krb_failed(krb, code, "cannot tell whose tickets they are");
    }
    outcome = read_entries(krb, &reader, &tickets);
    if (outcome != OUTCOME_SUCCESS) {
        tickets_free(krb, &tickets);
        return outcome;
    }
    *tickets_out = tickets;
    return OUTCOME_SUCCESS;
}

static bool
is_own(struct krb *krb, const struct tickets *tickets, const krb5_creds *creds)
{
    return krb5_principal_compare(krb->context, creds->client, tickets->client);
}

enum outcome
tickets_unpack(struct krb *krb, struct span span, struct tickets *tickets_out)
{
    enum outcome outcome = unpack(krb, span, tickets_out);

    for (size_t i = 0; i < tickets_out->count; i++) {
        if (!is_own(krb, tickets_out, tickets_out->list[i])) {
            tickets_free(krb, tickets_out);
            return krb_refuse(krb, OUTCOME_UNVERIFIED,
                              "a ticket is another principal's");
        }
    }
    return outcome;
}

enum outcome
tickets_read_cache(struct krb *krb, krb5_ccache cache,
                   struct tickets *tickets_out)
{
    struct bytes bytes = BYTES_EMPTY;
    /* A user's cache may go on for ever. */
    enum outcome outcome = pack(krb, cache, TICKETS_MAX, &bytes);

    *tickets_out = (struct tickets){0};
    if (outcome == OUTCOME_SUCCESS) {
        outcome = unpack(krb, bytes_span(&bytes), tickets_out);
    }
    bytes_free(&bytes);
    return outcome;
}

struct krb_offset
tickets_offset(struct span span)
{
    struct reader reader = reader_from(span);
    uint16_t layout = reader_u16(&reader);
    struct krb_offset offset = {0, 0};

    if (layout == LAYOUT) {
        offset.seconds = reader_i64(&reader);
        offset.microseconds = reader_i64(&reader);
    }
    return reader.failed ? (struct krb_offset){0, 0} : offset;
}

static bool
is_text(const krb5_data *data, const krb5_data *text)
{
    return data->length == text->length &&
           (text->length == 0 ||
            memcmp(data->data, text->data, text->length) == 0);
}

bool
tickets_is_tgt(struct krb *krb, const krb5_creds *creds)
{
    char name[] = KRB5_TGS_NAME;
    const krb5_data tgs = {.length = sizeof(name) - 1, .data = name};
    const krb5_data *realm = &creds->client->realm;
    krb5_const_principal server = creds->server;

    /* Nothing is allocated: a TGT must not look like none for want of it. */
    (void)krb;
    return server->length == 2 && is_text(&server->realm, realm) &&
           is_text(&server->data[0], &tgs) && is_text(&server->data[1], realm);
}

bool
tickets_are_fresh(struct krb *krb, const struct tickets *tickets)
{
    size_t tgts = 0;

    for (size_t i = 0; i < tickets->count; i++) {
        const krb5_creds *creds = tickets->list[i];

        if (krb5_is_config_principal(krb->context, creds->server)) {
            continue;
        }
        if (!tickets_is_tgt(krb, creds) ||
            (creds->ticket_flags & TKT_FLG_INVALID) != 0) {
            return false;
        }
        tgts++;
    }
    return tgts == 1;
}

krb5_creds *
tickets_tgt(struct krb *krb, const struct tickets *tickets)
{
    for (size_t i = 0; i < tickets->count; i++) {
        if (is_own(krb, tickets, tickets->list[i]) &&
            tickets_is_tgt(krb, tickets->list[i])) {
            return tickets->list[i];
        }
    }
    return NULL;
}

enum outcome
tickets_to_memory(struct krb *krb, const struct tickets *tickets,
                  krb5_ccache *cache_out)
{
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;
    enum outcome outcome = krb_offset_apply(krb, tickets->offset);

    *cache_out = NULL;
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    code = krb5_cc_new_unique(krb->context, "MEMORY", NULL, &cache);
    if (code == 0) {
        code = krb5_cc_initialize(krb->context, cache, tickets->client);
    }
    for (size_t i = 0; code == 0 && i < tickets->count; i++) {
        code = krb5_cc_store_cred(krb->context, cache, tickets->list[i]);
    }
    if (code != 0) {
        outcome = krb_failed(krb, code, "cannot keep tickets in memory");
        if (cache != NULL) {
            (void)krb5_cc_destroy(krb->context, cache);
        }
        return outcome;
    }
    *cache_out = cache;
    return OUTCOME_SUCCESS;
}
