/*
 * What KEYRING and KCM have in common: no files, and storing an entry replaces
 * the one like it in one step.  So a cache that somebody may be reading is
 * never initialized: the new entries are stored over the old, the TGT last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "krb/ccache.h"
#include "krb/ccache_kind.h"

/* Whose tickets CACHE holds into *CLIENT_OUT; KRB5_FCC_NOFILE: nobody's. */
static krb5_error_code
owner_of(struct krb *krb, krb5_ccache cache, krb5_principal *client_out)
{
    krb5_error_code code =
        krb5_cc_get_principal(krb->context, cache, client_out);

    return code == KRB5_CC_NOTFOUND || code == KRB5_CC_END ? KRB5_FCC_NOFILE
                                                           : code;
}

enum outcome
ccache_failed(struct krb *krb, krb5_error_code code, const char *name,
              enum outcome otherwise)
{
    /* Where the persistent keyring cannot be linked libkrb5 blames the uid. */
    bool is_full = code == KRB5_KCC_INVALID_UID && errno == EDQUOT;
    enum outcome outcome =
        is_full ? OUTCOME_CACHE_QUOTA : krb_failed(krb, code, name);

    if (outcome == OUTCOME_CACHE_QUOTA &&
        ccache_kind_of(name) == &ccache_kind_keyring) {
        return krb_refuse(krb, outcome,
                          "%s: the key quota of uid %u is used up "
                          "(/proc/key-users, kernel.keys.maxkeys, "
                          "kernel.keys.maxbytes)",
                          name, (unsigned int)geteuid());
    }
    if (code == KRB5_FCC_INTERNAL && ccache_kind_of(name) == &ccache_kind_kcm) {
        return krb_refuse(krb, OUTCOME_CACHE_QUOTA,
                          "%s: the KCM server takes no more (sssd-kcm: "
                          "max_uid_ccaches)",
                          name);
    }
    return outcome == OUTCOME_NO_MEMORY || outcome == OUTCOME_CACHE_KIND ||
                   outcome == OUTCOME_CACHE_MISSING ||
                   outcome == OUTCOME_CACHE_OF_ANOTHER ||
                   outcome == OUTCOME_CACHE_QUOTA
               ? outcome
               : otherwise;
}

enum outcome
ccache_store_inspect(struct krb *krb, const char *name)
{
    krb5_ccache cache = NULL;
    krb5_principal client = NULL;
    krb5_error_code code = krb5_cc_resolve(krb->context, name, &cache);

    if (code == 0) {
        code = owner_of(krb, cache, &client);
        (void)krb5_cc_close(krb->context, cache);
    }
    krb5_free_principal(krb->context, client);
    return code == 0 ? OUTCOME_SUCCESS
                     : ccache_failed(krb, code, name, OUTCOME_CACHE_UNREADABLE);
}

enum outcome
ccache_store_primary(struct krb *krb, const char *collection, char **name_out)
{
    krb5_ccache cache = NULL;
    char *name = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = krb5_cc_resolve(krb->context, collection, &cache);

    if (code == 0) {
        code = krb5_cc_get_full_name(krb->context, cache, &name);
        (void)krb5_cc_close(krb->context, cache);
    }
    if (code != 0) {
        return ccache_failed(krb, code, collection, OUTCOME_CACHE_UNREADABLE);
    }
    outcome = ccache_copy_name(krb, name, name_out);
    krb5_free_string(krb->context, name);
    return outcome;
}

enum outcome
ccache_store_claim(struct krb *krb, const char *name)
{
    /* Nobody can guess a drawn name: looking is enough. */
    enum outcome outcome = ccache_store_inspect(krb, name);

    if (outcome == OUTCOME_SUCCESS) {
        return krb_refuse(krb, OUTCOME_CACHE_TAKEN, "%s: is taken", name);
    }
    return outcome == OUTCOME_CACHE_MISSING ? OUTCOME_SUCCESS : outcome;
}

void
ccache_store_unclaim(struct krb *krb, const char *name)
{
    /* replace has destroyed what it had made. */
    (void)krb;
    (void)name;
}

/* Stores the entries of FRESH that are, or are not, the TGT. */
static krb5_error_code
store_part(struct krb *krb, krb5_ccache cache, const struct tickets *fresh,
           bool want_tgt)
{
    krb5_creds *tgt = tickets_tgt(krb, fresh);
    krb5_error_code code = 0;

    for (size_t i = 0; code == 0 && i < fresh->count; i++) {
        if ((fresh->list[i] == tgt) == want_tgt) {
            code = krb5_cc_store_cred(krb->context, cache, fresh->list[i]);
        }
    }
    return code;
}

/*
 * The primary that sssd-kcm would replace by the new cache NAME, open; NULL
 * where there is none to keep.
 */
static krb5_ccache
primary_to_keep(struct krb *krb, const char *name)
{
    krb5_ccache primary = NULL;
    char *before = ccache_kind_of(name) == &ccache_kind_kcm
                       ? ccache_primary_beside(krb, name)
                       : NULL;

    if (before != NULL && strcmp(before, name) != 0 &&
        ccache_store_inspect(krb, before) == OUTCOME_SUCCESS &&
        krb5_cc_resolve(krb->context, before, &primary) != 0) {
        primary = NULL;
    }
    free(before);
    return primary;
}

/*
 * Makes CACHE the client's.  sssd-kcm makes it the primary by that, empty as it
 * is: the one that was before is put back with the very next request, since
 * who reads the collection in between finds nothing.
 */
static krb5_error_code
initialize(struct krb *krb, const char *name, krb5_ccache cache,
           krb5_principal client)
{
    krb5_ccache primary = primary_to_keep(krb, name);
    krb5_error_code code = krb5_cc_initialize(krb->context, cache, client);

    if (primary != NULL) {
        if (code == 0) {
            (void)krb5_cc_switch(krb->context, primary);
        }
        (void)krb5_cc_close(krb->context, primary);
    }
    return code;
}

/*
 * Makes CACHE the client's own where it is nobody's; *IS_NEW_OUT tells.  One
 * that was somebody's a moment ago has been destroyed, and stays so.
 */
static krb5_error_code
begin(struct krb *krb, const char *name, krb5_ccache cache,
      const struct ccache_change *change, bool *is_new_out)
{
    krb5_principal client = NULL;
    krb5_error_code code = owner_of(krb, cache, &client);

    *is_new_out = code == KRB5_FCC_NOFILE && change->old->client == NULL;
    if (*is_new_out) {
        code = initialize(krb, name, cache, change->fresh->client);
    } else if (code == 0 && !krb5_principal_compare(krb->context, client,
                                                    change->fresh->client)) {
        code = KRB5_PRINC_NOMATCH;
    }
    krb5_free_principal(krb->context, client);
    return code;
}

/*
 * Whether NAME has a TGT.  Ours is stored last: one that is there after our
 * failure is of another helper, which was making the same cache.
 */
static bool
has_tgt(struct krb *krb, const char *name)
{
    char cause[KRB_DETAIL_MAX];
    struct tickets tickets = {0};
    bool has = false;

    memcpy(cause, krb->detail, sizeof(cause));
    has = ccache_read(krb, name, &tickets) == OUTCOME_SUCCESS &&
          tickets_tgt(krb, &tickets) != NULL;
    tickets_free(krb, &tickets);
    memcpy(krb->detail, cause, sizeof(cause));
    return has;
}

enum outcome
ccache_store_replace(struct krb *krb, const char *name,
                     const struct ccache_change *change)
{
    krb5_ccache cache = NULL;
    bool is_new = false;
    krb5_error_code code = 0;
    enum outcome outcome = krb_offset_apply(krb, change->fresh->offset);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    code = krb5_cc_resolve(krb->context, name, &cache);
    if (code != 0) {
        return ccache_failed(krb, code, name, OUTCOME_CACHE_UNWRITABLE);
    }
    code = begin(krb, name, cache, change, &is_new);
    if (code == 0) {
        code = store_part(krb, cache, change->fresh, false);
    }
    if (code == 0) {
        code = store_part(krb, cache, change->fresh, true);
    }
    if (code != 0) {
        outcome = ccache_failed(krb, code, name, OUTCOME_CACHE_UNWRITABLE);
    }
    if (code != 0 && is_new && !has_tgt(krb, name)) {
        (void)krb5_cc_destroy(krb->context, cache);
    } else {
        (void)krb5_cc_close(krb->context, cache);
    }
    return outcome;
}

enum outcome
ccache_store_destroy(struct krb *krb, const char *name)
{
    krb5_ccache cache = NULL;
    krb5_error_code code = krb5_cc_resolve(krb->context, name, &cache);
    enum outcome outcome = OUTCOME_SUCCESS;

    /* Without a look at it: it may be half made. */
    if (code == 0) {
        code = krb5_cc_destroy(krb->context, cache);
    }
    if (code != 0) {
        outcome = ccache_failed(krb, code, name, OUTCOME_CACHE_UNWRITABLE);
    }
    return outcome;
}
