/*
 * The table of kinds, and what is the same for all of them.  How one kind does
 * its part is in ccache_KIND.c.
 */
#include "krb/ccache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "krb/ccache_kind.h"

static const struct ccache_kind *const kinds[] = {
    &ccache_kind_file,
};

/* The kind of NAME, or NULL with the cause in krb->detail. */
static const struct ccache_kind *
kind_of(struct krb *krb, const char *name)
{
    const char *colon = strchr(name, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - name);

    if (*name == '/') {
        return &ccache_kind_file;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i]->prefix) == length &&
            strncmp(kinds[i]->prefix, name, length) == 0) {
            return kinds[i];
        }
    }
    (void)krb_refuse(krb, OUTCOME_CACHE_KIND,
                     "%s: caches of this kind are not supported", name);
    return NULL;
}

/* The part of NAME behind its kind. */
static const char *
residual_of(const char *name)
{
    const char *colon = strchr(name, ':');

    return *name == '/' || colon == NULL ? name : colon + 1;
}

enum outcome
ccache_create(struct krb *krb, const char *name, const struct tickets *tickets)
{
    const struct ccache_kind *kind = kind_of(krb, name);
    krb5_ccache memory = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (kind == NULL) {
        return OUTCOME_CACHE_KIND;
    }
    outcome = kind->claim(krb, residual_of(name));
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    outcome = tickets_to_memory(krb, tickets, &memory);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = kind->replace(krb, residual_of(name), memory);
    }
    if (outcome != OUTCOME_SUCCESS) {
        kind->unclaim(krb, residual_of(name));
    }
    return outcome;
}

enum outcome
ccache_read(struct krb *krb, const char *name, struct tickets *tickets_out)
{
    const struct ccache_kind *kind = kind_of(krb, name);
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;
    enum outcome outcome = OUTCOME_SUCCESS;

    *tickets_out = (struct tickets){0};
    if (kind == NULL) {
        return OUTCOME_CACHE_KIND;
    }
    outcome = kind->inspect(krb, residual_of(name));
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    code = krb5_cc_resolve(krb->context, name, &cache);
    if (code != 0) {
        return krb_failed(krb, code, name);
    }
    outcome = tickets_read_cache(krb, cache, tickets_out);
    if (outcome != OUTCOME_SUCCESS && outcome != OUTCOME_NO_MEMORY) {
        outcome = OUTCOME_CACHE_UNREADABLE;
    }
    (void)krb5_cc_close(krb->context, cache);
    return outcome;
}

/* Whether TICKETS have one of CREDS' client for CREDS' service. */
static bool
has_like(struct krb *krb, const struct tickets *tickets,
         const krb5_creds *creds)
{
    for (size_t i = 0; i < tickets->count; i++) {
        if (krb5_principal_compare(krb->context, tickets->list[i]->server,
                                   creds->server) &&
            krb5_principal_compare(krb->context, tickets->list[i]->client,
                                   creds->client)) {
            return true;
        }
    }
    return false;
}

/* Whether OLD, an entry of the old cache, stays beside the new TICKETS. */
static bool
survives(struct krb *krb, const krb5_creds *old, const struct tickets *tickets)
{
    if (has_like(krb, tickets, old)) {
        return false;
    }
    return krb5_is_config_principal(krb->context, old->server) ||
           (int64_t)(uint32_t)old->times.endtime > (int64_t)time(NULL);
}

/* Adds to MEMORY what of OLD is still good. */
static enum outcome
add_survivors(struct krb *krb, krb5_ccache memory, const struct tickets *old,
              const struct tickets *tickets)
{
    for (size_t i = 0; i < old->count; i++) {
        krb5_error_code code = 0;

        if (survives(krb, old->list[i], tickets)) {
            code = krb5_cc_store_cred(krb->context, memory, old->list[i]);
        }
        if (code != 0) {
            return krb_failed(krb, code, "cannot keep a service ticket");
        }
    }
    return OUTCOME_SUCCESS;
}

enum outcome
ccache_replace(struct krb *krb, const char *name, const struct tickets *tickets)
{
    const struct ccache_kind *kind = kind_of(krb, name);
    struct tickets old = {0};
    krb5_ccache memory = NULL;
    enum outcome outcome = OUTCOME_CACHE_KIND;

    if (kind == NULL) {
        return outcome;
    }
    outcome = ccache_read(krb, name, &old);
    if (outcome == OUTCOME_CACHE_MISSING) {
        outcome = OUTCOME_SUCCESS;
    } else if (outcome == OUTCOME_CACHE_UNREADABLE) {
        /* What it is we cannot tell: it may be somebody's file. */
        return OUTCOME_CACHE_UNWRITABLE;
    } else if (outcome == OUTCOME_SUCCESS &&
               !krb5_principal_compare(krb->context, old.client,
                                       tickets->client)) {
        outcome = krb_refuse(krb, OUTCOME_CACHE_OF_ANOTHER,
                             "%s holds another principal's tickets", name);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = tickets_to_memory(krb, tickets, &memory);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = add_survivors(krb, memory, &old, tickets);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = kind->replace(krb, residual_of(name), memory);
    } else if (memory != NULL) {
        (void)krb5_cc_destroy(krb->context, memory);
    }
    tickets_free(krb, &old);
    return outcome;
}

enum outcome
ccache_destroy(struct krb *krb, const char *name)
{
    const struct ccache_kind *kind = kind_of(krb, name);

    return kind == NULL ? OUTCOME_CACHE_KIND
                        : kind->destroy(krb, residual_of(name));
}

enum outcome
ccache_default_name(struct krb *krb, char **name_out)
{
    const char *name = krb5_cc_default_name(krb->context);

    *name_out = NULL;
    if (name == NULL) {
        return krb_refuse(krb, OUTCOME_CACHE_KIND,
                          "krb5.conf's default_ccache_name cannot be used");
    }
    *name_out = strdup(name);
    return *name_out != NULL
               ? OUTCOME_SUCCESS
               : krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
}
