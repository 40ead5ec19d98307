/*
 * Collections of caches: who is in one, which is the primary, what of it may be
 * swept.  The same for all kinds that have them; libkrb5 does the listing.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "krb/ccache.h"
#include "krb/ccache_kind.h"

/* So many members of a collection are looked at. */
#define MEMBERS_MAX 256

/* The names of a collection's caches. */
struct members {
    char *list[MEMBERS_MAX];
    size_t count;
};

static void
members_free(struct members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        free(members->list[i]);
    }
    members->count = 0;
}

/* Adds the name of CACHE where it is of KIND (the cursor knows all kinds). */
static enum outcome
add_member(struct krb *krb, const struct ccache_kind *kind, krb5_ccache cache,
           struct members *members)
{
    char *name = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = 0;

    if (strcmp(krb5_cc_get_type(krb->context, cache), kind->prefix) != 0) {
        return outcome;
    }
    code = krb5_cc_get_full_name(krb->context, cache, &name);
    if (code != 0) {
        return krb_failed(krb, code, "cannot name a cache");
    }
    /* A file that is about to be renamed, or swept, is nobody's cache. */
    if (kind != &ccache_kind_dir || !ccache_file_is_stray(name)) {
        outcome = ccache_copy_name(krb, name, &members->list[members->count]);
        members->count += outcome == OUTCOME_SUCCESS;
    }
    krb5_free_string(krb->context, name);
    return outcome;
}

/*
 * The caches of COLLECTION, the primary first, as far as they can be listed.
 * members_free.  libkrb5 lists that collection alone which is its default.
 */
static enum outcome
list_members(struct krb *krb, const char *collection, struct members *members)
{
    const struct ccache_kind *kind = ccache_kind_of(collection);
    krb5_cccol_cursor cursor = NULL;
    krb5_ccache cache = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = krb5_cc_set_default_name(krb->context, collection);

    members->count = 0;
    if (code == 0) {
        code = krb5_cccol_cursor_new(krb->context, &cursor);
    }
    while (code == 0 && outcome == OUTCOME_SUCCESS &&
           members->count < MEMBERS_MAX) {
        code = krb5_cccol_cursor_next(krb->context, cursor, &cache);
        if (code != 0 || cache == NULL) {
            break;
        }
        outcome = add_member(krb, kind, cache, members);
        (void)krb5_cc_close(krb->context, cache);
    }
    if (cursor != NULL) {
        (void)krb5_cccol_cursor_free(krb->context, &cursor);
    }
    (void)krb5_cc_set_default_name(krb->context, NULL);
    if (code != 0) {
        outcome =
            ccache_failed(krb, code, collection, OUTCOME_CACHE_UNREADABLE);
    }
    return outcome;
}

/*
 * Whether the cache NAME is CLIENT's and can be read.  For want of memory
 * nothing can be said.
 */
static enum outcome
is_of(struct krb *krb, const char *name, krb5_const_principal client,
      bool *is_out)
{
    struct tickets tickets = {0};
    enum outcome outcome = ccache_read(krb, name, &tickets);

    *is_out = outcome == OUTCOME_SUCCESS &&
              krb5_principal_compare(krb->context, tickets.client, client);
    tickets_free(krb, &tickets);
    return outcome == OUTCOME_NO_MEMORY ? outcome : OUTCOME_SUCCESS;
}

enum outcome
ccache_find(struct krb *krb, const char *collection,
            krb5_const_principal client, char **name_out)
{
    struct members members = {.count = 0};
    enum outcome outcome = ccache_check(krb, collection);
    bool is = false;

    *name_out = NULL;
    if (outcome == OUTCOME_SUCCESS) {
        outcome = list_members(krb, collection, &members);
    }
    for (size_t i = 0; i < members.count && outcome == OUTCOME_SUCCESS && !is;
         i++) {
        outcome = is_of(krb, members.list[i], client, &is);
        if (is) {
            *name_out = members.list[i];
            members.list[i] = NULL;
        }
    }
    members_free(&members);
    if (outcome != OUTCOME_SUCCESS || is) {
        return outcome;
    }
    return krb_refuse(krb, OUTCOME_CACHE_MISSING,
                      "%s: has no cache of this principal", collection);
}

enum outcome
ccache_primary(struct krb *krb, const char *collection, char **name_out)
{
    enum outcome outcome = ccache_check(krb, collection);

    *name_out = NULL;
    return outcome == OUTCOME_SUCCESS
               ? ccache_kind_of(collection)->primary(krb, collection, name_out)
               : outcome;
}

/*
 * Whether NAME has tickets that are good for something: a TGT that lives.
 * What cannot be read may be good for somebody.
 */
static bool
is_alive(struct krb *krb, const char *name)
{
    struct tickets tickets = {0};
    const krb5_creds *tgt = NULL;
    enum outcome outcome = ccache_read(krb, name, &tickets);
    bool is = false;

    if (outcome == OUTCOME_CACHE_MISSING) {
        return false;
    }
    if (outcome != OUTCOME_SUCCESS) {
        return true;
    }
    tgt = tickets_tgt(krb, &tickets);
    is = tgt != NULL &&
         (int64_t)(uint32_t)tgt->times.endtime > (int64_t)time(NULL);
    tickets_free(krb, &tickets);
    return is;
}

char *
ccache_primary_beside(struct krb *krb, const char *name)
{
    char collection[CCACHE_NAME_MAX];
    char *primary = NULL;

    ccache_kind_of(name)->collection(name, collection);
    if (*collection != '\0') {
        (void)ccache_primary(krb, collection, &primary);
    }
    return primary;
}

void
ccache_become_primary(struct krb *krb, const char *name)
{
    char *primary = ccache_primary_beside(krb, name);
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;

    if (primary == NULL) {
        return;
    }
    if (strcmp(primary, name) != 0 && !is_alive(krb, primary)) {
        code = krb5_cc_resolve(krb->context, name, &cache);
        if (code == 0) {
            code = krb5_cc_switch(krb->context, cache);
            (void)krb5_cc_close(krb->context, cache);
        }
        if (code != 0) {
            (void)krb_said(krb, code);
            log_line(krb->log, LOG_LEVEL_NOTICE,
                     "%s: not made the primary cache: %s", name, krb->detail);
        }
    }
    free(primary);
    *krb->detail = '\0';
}

/* Whether NAME is one that was drawn for NAME's collection by PATTERN. */
static bool
is_drawn(const char *name, const char *pattern)
{
    size_t length = strlen(pattern);

    return strlen(name) == length &&
           strncmp(name, pattern, length - strlen(CCACHE_RANDOM)) == 0;
}

bool
ccache_sweep(struct krb *krb, const char *name)
{
    const struct ccache_kind *kind = ccache_kind_of(name);
    char collection[CCACHE_NAME_MAX];
    char pattern[CCACHE_NAME_MAX];
    struct members members = {.count = 0};
    bool swept = false;

    kind->collection(name, collection);
    kind->pattern(name, pattern);
    if (*collection == '\0' || *pattern == '\0') {
        return false;
    }
    (void)list_members(krb, collection, &members);
    for (size_t i = 0; i < members.count; i++) {
        const char *member = members.list[i];

        if (is_drawn(member, pattern) && strcmp(member, name) != 0 &&
            !is_alive(krb, member) &&
            ccache_destroy(krb, member) == OUTCOME_SUCCESS) {
            log_line(krb->log, LOG_LEVEL_NOTICE,
                     "%s: destroyed, to make room in the quota", member);
            swept = true;
        }
    }
    members_free(&members);
    return swept;
}
