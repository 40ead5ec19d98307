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

/*
 * How often, and how far apart, a change is tried again when a sweep has made
 * room: the kernel takes keys back when their last readers are done (RCU).
 */
#define ROOM_TRIES 20
#define ROOM_PAUSE_NS 10000000L

static const struct ccache_kind *const kinds[] = {
    &ccache_kind_file,
    &ccache_kind_dir,
    &ccache_kind_keyring,
    &ccache_kind_kcm,
};

const struct ccache_kind *
ccache_kind_of(const char *name)
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
    const struct ccache_kind *kind = ccache_kind_of(name);

    if (strlen(name) >= CCACHE_NAME_MAX) {
        return krb_refuse(krb, OUTCOME_CACHE_KIND, "the name is too long");
    }
    return kind != NULL
               ? kind->check(krb, name)
               : krb_refuse(krb, OUTCOME_CACHE_KIND,
                            "%s: neither FILE, DIR, KEYRING nor KCM", name);
}

enum outcome
ccache_check_single(struct krb *krb, const char *name)
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
    const struct ccache_kind *kind = ccache_kind_of(name);

    return kind != NULL && kind->is_collection(name);
}

bool
ccache_is_of_session(const char *name)
{
    const struct ccache_kind *kind = ccache_kind_of(name);

    return kind != NULL && kind->is_of_session(name);
}

enum outcome
ccache_copy_name(struct krb *krb, const char *text, char **copy_out)
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
    ccache_kind_of(name)->pattern(name, pattern);
    return *pattern == '\0'
               ? krb_refuse(krb, OUTCOME_CACHE_KIND, "the name is too long")
               : ccache_copy_name(krb, pattern, pattern_out);
}

/*
 * Whether OUTCOME is of a quota that was used up and has room now: something
 * was swept.  Keeps the cause for the case that it has not.
 */
static bool
has_made_room(struct krb *krb, const char *name, enum outcome outcome)
{
    char cause[KRB_DETAIL_MAX];
    bool has = false;

    if (outcome == OUTCOME_CACHE_QUOTA) {
        memcpy(cause, krb->detail, sizeof(cause));
        has = ccache_sweep(krb, name);
        memcpy(krb->detail, cause, sizeof(cause));
    }
    return has;
}

static void
wait_for_room(void)
{
    const struct timespec pause = {.tv_nsec = ROOM_PAUSE_NS};

    (void)nanosleep(&pause, NULL);
}

static enum outcome
create(struct krb *krb, const char *name, const struct tickets *tickets)
{
    const struct tickets nothing = {0};
    enum outcome outcome = ccache_kind_of(name)->claim(krb, name);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    outcome = ccache_kind_of(name)->replace(
        krb, name, &(struct ccache_change){.fresh = tickets, .old = &nothing});
    if (outcome != OUTCOME_SUCCESS) {
        ccache_kind_of(name)->unclaim(krb, name);
    }
    return outcome;
}

enum outcome
ccache_create(struct krb *krb, const char *name, const struct tickets *tickets)
{
    enum outcome outcome = ccache_check_single(krb, name);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = create(krb, name, tickets);
    }
    if (has_made_room(krb, name, outcome)) {
        for (int i = 0; outcome == OUTCOME_CACHE_QUOTA && i < ROOM_TRIES; i++) {
            wait_for_room();
            outcome = create(krb, name, tickets);
        }
    }
    if (outcome == OUTCOME_CACHE_MISSING) {
        return krb_refuse(krb, OUTCOME_CACHE_TAKEN,
                          "%s: swept by another login as it was made", name);
    }
    if (outcome == OUTCOME_SUCCESS) {
        ccache_become_primary(krb, name);
    }
    return outcome;
}

enum outcome
ccache_read(struct krb *krb, const char *name, struct tickets *tickets_out)
{
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;
    enum outcome outcome = ccache_check_single(krb, name);

    *tickets_out = (struct tickets){0};
    if (outcome == OUTCOME_SUCCESS) {
        outcome = ccache_kind_of(name)->inspect(krb, name);
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

/* A replacement, and what is found in its place. */
struct replacement {
    const char *name;
    const struct tickets *tickets;
    const krb5_creds *expected; /* the TGT that is renewed; NULL = whatever */
    bool is_new;                /* there was no cache */
};

static bool
has_ticket(struct krb *krb, const struct tickets *tickets,
           const krb5_creds *creds)
{
    const krb5_creds *tgt = tickets_tgt(krb, tickets);

    return tgt != NULL && tgt->ticket.length == creds->ticket.length &&
           memcmp(tgt->ticket.data, creds->ticket.data, tgt->ticket.length) ==
               0;
}

/* Whether REPLACEMENT may be made of OLD, what has been read. */
static enum outcome
judge_old(struct krb *krb, const struct replacement *replacement,
          const struct tickets *old)
{
    return krb5_principal_compare(krb->context, old->client,
                                  replacement->tickets->client)
               ? OUTCOME_SUCCESS
               : krb_refuse(krb, OUTCOME_CACHE_OF_ANOTHER,
                            "%s holds another principal's tickets",
                            replacement->name);
}

/* One try. */
static enum outcome
replace(struct krb *krb, struct replacement *replacement)
{
    const char *name = replacement->name;
    const struct ccache_kind *kind = ccache_kind_of(name);
    struct tickets old = {0};
    enum outcome outcome = ccache_read(krb, name, &old);

    replacement->is_new = outcome == OUTCOME_CACHE_MISSING;
    if (replacement->is_new && replacement->expected == NULL) {
        outcome = OUTCOME_SUCCESS;
    } else if (outcome == OUTCOME_CACHE_UNREADABLE) {
        /* What it is we cannot tell: it may be somebody's file. */
        outcome = OUTCOME_CACHE_UNWRITABLE;
    } else if (outcome == OUTCOME_SUCCESS) {
        outcome = judge_old(krb, replacement, &old);
    }
    if (outcome == OUTCOME_SUCCESS && replacement->expected != NULL &&
        !has_ticket(krb, &old, replacement->expected)) {
        log_line(krb->log, LOG_LEVEL_DEBUG,
                 "%s: has other tickets by now: left alone", name);
    } else if (outcome == OUTCOME_SUCCESS && kind != NULL) {
        outcome =
            kind->replace(krb, name,
                          &(struct ccache_change){.fresh = replacement->tickets,
                                                  .old = &old});
    }
    tickets_free(krb, &old);
    return outcome;
}

static enum outcome
replace_with_room(struct krb *krb, struct replacement *replacement)
{
    const char *name = replacement->name;
    enum outcome outcome = replace(krb, replacement);

    if (outcome == OUTCOME_CACHE_MISSING && replacement->expected == NULL) {
        /* It has gone while it was looked at: then it is a new one. */
        outcome = replace(krb, replacement);
    }
    if (has_made_room(krb, name, outcome)) {
        for (int i = 0; outcome == OUTCOME_CACHE_QUOTA && i < ROOM_TRIES; i++) {
            wait_for_room();
            outcome = replace(krb, replacement);
        }
    }
    if (outcome == OUTCOME_SUCCESS && replacement->is_new) {
        ccache_become_primary(krb, name);
    }
    return outcome;
}

enum outcome
ccache_replace(struct krb *krb, const char *name, const struct tickets *tickets)
{
    return replace_with_room(
        krb, &(struct replacement){.name = name, .tickets = tickets});
}

enum outcome
ccache_renew(struct krb *krb, const char *name, const struct tickets *tickets,
             const krb5_creds *tgt)
{
    return replace_with_room(krb, &(struct replacement){.name = name,
                                                        .tickets = tickets,
                                                        .expected = tgt});
}

enum outcome
ccache_destroy(struct krb *krb, const char *name)
{
    enum outcome outcome = ccache_check_single(krb, name);

    if (outcome == OUTCOME_CACHE_UNREADABLE && ccache_is_of_session(name)) {
        /* It went with its keyring: this session's keyring is another. */
        return OUTCOME_CACHE_MISSING;
    }
    return outcome == OUTCOME_SUCCESS ? ccache_kind_of(name)->destroy(krb, name)
                                      : outcome;
}

enum outcome
ccache_default_name(struct krb *krb, char **name_out)
{
    const char *name = krb5_cc_default_name(krb->context);

    *name_out = NULL;
    return name != NULL ? ccache_copy_name(krb, name, name_out)
                        : krb_refuse(krb, OUTCOME_CACHE_KIND,
                                     "krb5.conf's default_ccache_name cannot "
                                     "be used");
}
