/*
 * The table of kinds, and what is the same for all of them.  How one kind does
 * its part is in ccache_KIND.c.
 */
#include "krb/ccache.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "krb/ccache_kind.h"

/* So many members of a collection are looked at. */
#define MEMBERS_MAX 256

static const struct ccache_kind *const kinds[] = {
    &ccache_kind_file,
    &ccache_kind_dir,
    &ccache_kind_keyring,
    &ccache_kind_kcm,
};

/* The kind of NAME, or NULL. */
static const struct ccache_kind *
kind_of(const char *name)
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
    return NULL;
}

enum outcome
ccache_check(struct krb *krb, const char *name)
{
    const struct ccache_kind *kind = kind_of(name);

    if (strlen(name) >= CCACHE_NAME_MAX) {
        return krb_refuse(krb, OUTCOME_CACHE_KIND, "the name is too long");
    }
    return kind != NULL
               ? kind->check(krb, name)
               : krb_refuse(krb, OUTCOME_CACHE_KIND,
                            "%s: neither FILE, DIR, KEYRING nor KCM", name);
}

/* Whether something can be done to the single cache NAME. */
static enum outcome
check_single(struct krb *krb, const char *name)
{
    enum outcome outcome = ccache_check(krb, name);

    if (outcome == OUTCOME_SUCCESS && ccache_is_collection(name)) {
        outcome = krb_refuse(krb, OUTCOME_CACHE_KIND,
                             "%s: is a collection and not a cache", name);
    }
    return outcome;
}

bool
ccache_is_collection(const char *name)
{
    const struct ccache_kind *kind = kind_of(name);

    return kind != NULL && kind->is_collection(name);
}

bool
ccache_is_of_session(const char *name)
{
    const struct ccache_kind *kind = kind_of(name);

    return kind != NULL && kind->is_of_session(name);
}

/* A copy of TEXT for the caller. */
static enum outcome
copy(struct krb *krb, const char *text, char **copy_out)
{
    *copy_out = strdup(text);
    return *copy_out != NULL
               ? OUTCOME_SUCCESS
               : krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
}

enum outcome
ccache_pattern(struct krb *krb, const char *name, char **pattern_out)
{
    char pattern[CCACHE_NAME_MAX];
    enum outcome outcome = ccache_check(krb, name);

    *pattern_out = NULL;
    if (outcome == OUTCOME_CACHE_KIND) {
        return outcome;
    }
    /* Whether it can be used now is seen when the cache is made. */
    kind_of(name)->pattern(name, pattern);
    return *pattern == '\0'
               ? krb_refuse(krb, OUTCOME_CACHE_KIND, "the name is too long")
               : copy(krb, pattern, pattern_out);
}

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
    outcome = copy(krb, name, &members->list[members->count]);
    if (outcome == OUTCOME_SUCCESS) {
        members->count++;
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
    const struct ccache_kind *kind = kind_of(collection);
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
        outcome = krb_failed(krb, code, collection);
    }
    return outcome;
}

/* Whether the cache NAME is CLIENT's. */
static bool
is_of(struct krb *krb, const char *name, krb5_const_principal client)
{
    krb5_ccache cache = NULL;
    krb5_principal principal = NULL;
    bool is = false;

    if (check_single(krb, name) != OUTCOME_SUCCESS ||
        kind_of(name)->inspect(krb, name) != OUTCOME_SUCCESS ||
        krb5_cc_resolve(krb->context, name, &cache) != 0) {
        return false;
    }
    is = krb5_cc_get_principal(krb->context, cache, &principal) == 0 &&
         krb5_principal_compare(krb->context, principal, client);
    krb5_free_principal(krb->context, principal);
    (void)krb5_cc_close(krb->context, cache);
    return is;
}

enum outcome
ccache_find(struct krb *krb, const char *collection,
            krb5_const_principal client, char **name_out)
{
    struct members members = {.count = 0};
    enum outcome outcome = ccache_check(krb, collection);

    *name_out = NULL;
    if (outcome == OUTCOME_SUCCESS) {
        outcome = list_members(krb, collection, &members);
    }
    for (size_t i = 0; i < members.count && *name_out == NULL; i++) {
        if (is_of(krb, members.list[i], client)) {
            *name_out = members.list[i];
            members.list[i] = NULL;
        }
    }
    members_free(&members);
    if (*name_out != NULL) {
        return OUTCOME_SUCCESS;
    }
    return outcome != OUTCOME_SUCCESS
               ? outcome
               : krb_refuse(krb, OUTCOME_CACHE_MISSING,
                            "%s: has no cache of this principal", collection);
}

enum outcome
ccache_primary(struct krb *krb, const char *collection, char **name_out)
{
    krb5_ccache cache = NULL;
    char *name = NULL;
    krb5_error_code code = 0;
    enum outcome outcome = ccache_check(krb, collection);

    *name_out = NULL;
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    code = krb5_cc_resolve(krb->context, collection, &cache);
    if (code == 0) {
        code = krb5_cc_get_full_name(krb->context, cache, &name);
        (void)krb5_cc_close(krb->context, cache);
    }
    if (code != 0) {
        return krb_failed(krb, code, collection);
    }
    outcome = copy(krb, name, name_out);
    krb5_free_string(krb->context, name);
    return outcome;
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

/*
 * Makes NAME its collection's primary where there is none that lives.  No
 * reason to fail: the session has its cache by name.
 */
static void
become_primary(struct krb *krb, const char *name)
{
    char collection[CCACHE_NAME_MAX];
    char *primary = NULL;
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;

    kind_of(name)->collection(name, collection);
    if (*collection == '\0' ||
        ccache_primary(krb, collection, &primary) != OUTCOME_SUCCESS) {
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

/*
 * Destroys what is left of sessions in the collection of NAME: drawn names
 * without a TGT that lives.  True where something was destroyed.
 */
static bool
sweep(struct krb *krb, const char *name)
{
    const struct ccache_kind *kind = kind_of(name);
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

/* Makes CHANGE in NAME; where a quota forbids it, once more after a sweep. */
static enum outcome
change(struct krb *krb, const char *name, const struct ccache_change *change)
{
    const struct ccache_kind *kind = kind_of(name);
    char cause[KRB_DETAIL_MAX];
    enum outcome outcome = kind->replace(krb, name, change);

    if (outcome != OUTCOME_CACHE_QUOTA) {
        return outcome;
    }
    memcpy(cause, krb->detail, sizeof(cause));
    if (sweep(krb, name)) {
        return kind->replace(krb, name, change);
    }
    return krb_refuse(krb, outcome, "%s", cause);
}

enum outcome
ccache_create(struct krb *krb, const char *name, const struct tickets *tickets)
{
    const struct tickets nothing = {0};
    const struct ccache_change all = {.fresh = tickets, .old = &nothing};
    enum outcome outcome = check_single(krb, name);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = kind_of(name)->claim(krb, name);
    }
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    outcome = change(krb, name, &all);
    if (outcome == OUTCOME_SUCCESS) {
        become_primary(krb, name);
    } else {
        kind_of(name)->unclaim(krb, name);
    }
    return outcome;
}

enum outcome
ccache_read(struct krb *krb, const char *name, struct tickets *tickets_out)
{
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;
    enum outcome outcome = check_single(krb, name);

    *tickets_out = (struct tickets){0};
    if (outcome == OUTCOME_SUCCESS) {
        outcome = kind_of(name)->inspect(krb, name);
    }
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

enum outcome
ccache_replace(struct krb *krb, const char *name, const struct tickets *tickets)
{
    struct tickets old = {0};
    enum outcome outcome = ccache_read(krb, name, &old);
    bool is_new = outcome == OUTCOME_CACHE_MISSING;

    if (is_new) {
        outcome = OUTCOME_SUCCESS;
    } else if (outcome == OUTCOME_CACHE_UNREADABLE) {
        /* What it is we cannot tell: it may be somebody's file. */
        outcome = OUTCOME_CACHE_UNWRITABLE;
    } else if (outcome == OUTCOME_SUCCESS &&
               !krb5_principal_compare(krb->context, old.client,
                                       tickets->client)) {
        outcome = krb_refuse(krb, OUTCOME_CACHE_OF_ANOTHER,
                             "%s holds another principal's tickets", name);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = change(
            krb, name, &(struct ccache_change){.fresh = tickets, .old = &old});
    }
    if (outcome == OUTCOME_SUCCESS && is_new) {
        become_primary(krb, name);
    }
    tickets_free(krb, &old);
    return outcome;
}

enum outcome
ccache_destroy(struct krb *krb, const char *name)
{
    enum outcome outcome = check_single(krb, name);

    if (outcome == OUTCOME_CACHE_UNREADABLE && ccache_is_of_session(name)) {
        /* It went with its keyring: this session's keyring is another. */
        return OUTCOME_SUCCESS;
    }
    return outcome == OUTCOME_SUCCESS ? kind_of(name)->destroy(krb, name)
                                      : outcome;
}

enum outcome
ccache_default_name(struct krb *krb, char **name_out)
{
    const char *name = krb5_cc_default_name(krb->context);

    *name_out = NULL;
    return name != NULL ? copy(krb, name, name_out)
                        : krb_refuse(krb, OUTCOME_CACHE_KIND,
                                     "krb5.conf's default_ccache_name cannot "
                                     "be used");
}
