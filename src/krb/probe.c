/* Whether the KDC has this machine's key. */
#include "krb/probe.h"

#include <errno.h>
#include <string.h>

/* A ticket that nobody will use. */
#define LIFETIME_S 60

/* The newest key of a principal, as far as the keytab has been read. */
struct newest {
    krb5_const_principal principal;
    struct bytes *content; /* empty: none yet */
    krb5_kvno version;
    krb5_enctype enctype;
};

/* Takes ENTRY's key in the place of DATA's where it is newer. */
static krb5_error_code
take_newer(struct krb *krb, const krb5_keytab_entry *entry, void *data)
{
    struct newest *newest = data;
    const struct span key = {.data = entry->key.contents,
                             .length = entry->key.length};

    if (!krb5_principal_compare(krb->context, entry->principal,
                                newest->principal) ||
        (newest->content->length > 0 && entry->vno <= newest->version) ||
        !krb5_c_valid_enctype(entry->key.enctype) || key.length == 0) {
        return 0;
    }
    if (bytes_copy(newest->content, key) < 0) {
        return ENOMEM;
    }
    newest->version = entry->vno;
    newest->enctype = entry->key.enctype;
    return 0;
}

char *
probe_keytab_name(struct krb *krb, const char *keytab_name)
{
    char name[MAX_KEYTAB_NAME_LEN + 1] = "";
    krb5_keytab keytab = NULL;
    krb5_error_code code = krb_open_keytab(krb, keytab_name, &keytab);

    if (code == 0) {
        code = krb5_kt_get_name(krb->context, keytab, name, sizeof(name));
        (void)krb5_kt_close(krb->context, keytab);
    }
    return code == 0 ? strdup(name) : NULL;
}

enum outcome
probe_find_key(struct krb *krb, const char *keytab_name, const char *name,
               struct bytes *content, uint32_t *enctype_out)
{
    krb5_keytab keytab = NULL;
    krb5_principal principal = NULL;
    struct newest newest = {.content = content};
    krb5_error_code code = krb5_parse_name(krb->context, name, &principal);

    if (code == 0) {
        code = krb_open_keytab(krb, keytab_name, &keytab);
    }
    if (code == 0) {
        newest.principal = principal;
        code = krb_visit_keytab(krb, keytab, take_newer, &newest);
        (void)krb5_kt_close(krb->context, keytab);
    }
    krb5_free_principal(krb->context, principal);
    if (code != 0 && code != KRB5_KT_END) {
        (void)krb_failed(krb, code, "cannot read the keytab");
        return code == ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_UNVERIFIED;
    }
    if (content->length == 0) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED,
                          "the keytab has no key of a known kind for %.400s",
                          name);
    }
    *enctype_out = (uint32_t)newest.enctype;
    return OUTCOME_SUCCESS;
}

/* Puts KEY into the empty keytab MEMORY. */
static krb5_error_code
keep(struct krb *krb, const struct key *key, krb5_principal principal,
     krb5_keytab memory)
{
    krb5_keytab_entry entry = {
        .magic = KV5M_KEYTAB_ENTRY,
        .principal = principal,
        .vno = 1,
        .key =
            {
                .magic = KV5M_KEYBLOCK,
                .enctype = (krb5_enctype)key->enctype,
                .length = (unsigned int)key->content.length,
                /* Copied, not written to. */
                .contents = (krb5_octet *)(uintptr_t)key->content.data,
            },
    };

    return krb5_kt_add_entry(krb->context, memory, &entry);
}

static krb5_error_code
get_ticket(struct krb *krb, krb5_principal principal, krb5_keytab memory)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_creds creds = {0};
    krb5_error_code code =
        krb5_get_init_creds_opt_alloc(krb->context, &options);

    if (code != 0) {
        return code;
    }
    krb5_get_init_creds_opt_set_tkt_life(options, LIFETIME_S);
    krb5_get_init_creds_opt_set_renew_life(options, 0);
    krb5_get_init_creds_opt_set_forwardable(options, 0);
    krb5_get_init_creds_opt_set_proxiable(options, 0);
    code = krb5_get_init_creds_keytab(krb->context, &creds, principal, memory,
                                      0, NULL, options);
    krb5_free_cred_contents(krb->context, &creds);
    krb5_get_init_creds_opt_free(krb->context, options);
    return code;
}

/* What the KDC's answer comes to, but for its clock. */
static enum outcome
judge_answer(struct krb *krb, krb5_error_code code)
{
    if (code == KRB5_KT_NOTFOUND || code == KRB5_KT_KVNONOTFOUND) {
        (void)krb_said(krb, code);
        return OUTCOME_NO_COMMON_ENCTYPE;
    }
    return code == 0 ? OUTCOME_SUCCESS : krb_said(krb, code);
}

static enum outcome
judge_clock(struct krb *krb)
{
    int64_t seconds = krb_offset_learned(krb).seconds;
    int64_t skew = krb_clockskew(krb);

    if (seconds <= skew && seconds >= -skew) {
        return OUTCOME_SUCCESS;
    }
    return krb_refuse(krb, OUTCOME_CLOCK_SKEW,
                      "the KDC has the key, but its clock and ours differ by "
                      "%lld seconds",
                      (long long)seconds);
}

enum outcome
probe_ask(struct krb *krb, const struct key *key)
{
    krb5_keytab memory = NULL;
    krb5_principal principal = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code =
        krb5_parse_name(krb->context, key->principal, &principal);

    if (code == 0) {
        code = krb5_kt_resolve(krb->context, "MEMORY:probe", &memory);
    }
    if (code == 0) {
        code = keep(krb, key, principal, memory);
    }
    if (code == 0) {
        code = get_ticket(krb, principal, memory);
    }
    outcome = judge_answer(krb, code);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = judge_clock(krb);
    }
    if (memory != NULL) {
        /* The last handle of it: its keys are erased. */
        (void)krb5_kt_close(krb->context, memory);
    }
    krb5_free_principal(krb->context, principal);
    return outcome;
}
