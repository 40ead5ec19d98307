/* What a session holds, and the record of it. */
#include "pam/holding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <security/pam_modules.h>

#include "base/ccname.h"

/* More caches than this nobody unlocks at once. */
#define FOUND_MAX 64

bool
holding_is_any(const struct holding *holding)
{
    return holding->record.cache != NULL;
}

bool
holding_is_ours_to_end(const struct holding *holding)
{
    return holding->record.ownership != RECORD_ADOPTED;
}

void
holding_forget(struct holding *holding)
{
    record_free(&holding->record);
    *holding = (struct holding){.is_recorded = false};
}

static struct registry
registry_of(const struct host *host)
{
    return (struct registry){.state_dir = host->options.state_dir,
                             .runtime_dir = host->options.runtime_dir};
}

/* The system's words for STATUS, for as long as the line that they are in. */
#define WORDS(status) strerror_r(-(status), (char[128]){""}, 128)

/* Writes the record of HOLDING where the registry can be had. */
static void
join(struct host *host, struct holding *holding)
{
    const struct registry registry = registry_of(host);
    int state_error = 0;
    int status = 0;

    if (!host_acts_as_root()) {
        return;
    }
    status =
        registry_join(&registry, &holding->record, &holding->key, &state_error);
    holding->is_recorded = status == 0;
    if (status < 0) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "user %s: no record of the session: %s: %s; %s: %s",
                 host->user, registry.state_dir, WORDS(state_error),
                 registry.runtime_dir, WORDS(status));
    } else if (state_error != 0) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "user %s: session recorded in runtime_dir: %s: %s", host->user,
                 registry.state_dir, WORDS(state_error));
    }
}

/* Writes the record of HOLDING anew. */
static void
rewrite(struct host *host, struct holding *holding)
{
    const struct registry registry = registry_of(host);
    int status = 0;

    if (holding->is_recorded) {
        status = registry_change(&registry, &holding->key, &holding->record);
    }
    if (status < 0) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "user %s: the session's record could not be changed: %s",
                 holding->record.user, WORDS(status));
    }
}

static void
leave(struct host *host, struct holding *holding)
{
    const struct registry registry = registry_of(host);
    int status = 0;

    if (holding->is_recorded) {
        status = registry_leave(&registry, &holding->key);
    }
    if (status < 0) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "user %s: the session's record could not be removed: %s",
                 holding->record.user, WORDS(status));
    }
    holding->is_recorded = false;
}

/* A copy of TEXT (NULL = ""); *FAILED is set where there is no memory. */
static char *
copy(const char *text, bool *failed)
{
    char *made = strdup(text == NULL ? "" : text);

    *failed |= made == NULL;
    return made;
}

/* The record of HOST's session with CACHE, owned. */
static enum outcome
make_record(struct host *host, const struct held_cache *cache,
            struct record *record_out)
{
    bool failed = false;
    struct record record = {
        .cache = copy(cache->name, &failed),
        .ownership = cache->ownership,
        .is_made = cache->ownership == RECORD_ADOPTED,
        .principal = copy(cache->principal, &failed),
        .user = copy(host->user, &failed),
        .uid = host->account.uid,
        .gid = host->account.gid,
        .service = copy(host_service(host), &failed),
        .tty = copy(host_text_item(host, PAM_TTY), &failed),
        .rhost = copy(host_text_item(host, PAM_RHOST), &failed),
        .logind = copy("", &failed),
        .time = (int64_t)time(NULL),
        .audit = RECORD_UNKNOWN,
    };

    if (failed || presence_of_caller(&record) < 0) {
        record_free(&record);
        return OUTCOME_NO_MEMORY;
    }
    *record_out = record;
    return OUTCOME_SUCCESS;
}

enum outcome
holding_begin(struct host *host, struct holding *holding,
              const struct held_cache *cache)
{
    struct record record;
    enum outcome outcome = make_record(host, cache, &record);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    leave(host, holding);
    holding_forget(holding);
    holding->record = record;
    join(host, holding);
    return OUTCOME_SUCCESS;
}

enum outcome
holding_settle(struct host *host, struct holding *holding, const char *cache)
{
    char *name = NULL;

    name = strdup(cache);
    if (name == NULL) {
        return OUTCOME_NO_MEMORY;
    }
    free(holding->record.cache);
    holding->record.cache = name;
    holding->record.is_made = true;
    rewrite(host, holding);
    return OUTCOME_SUCCESS;
}

void
holding_bind(struct host *host, struct holding *holding)
{
    int lock = -1;

    if (!holding_is_any(holding) || holding->record.is_bound) {
        return;
    }
    holding->record.is_bound = true;
    /* Want of memory: the session is found by its uid. */
    (void)presence_of_session(&holding->record,
                              pam_getenv(host->handle, "XDG_SESSION_ID"));
    if (record_may_be_shared(&holding->record)) {
        /* Who counts the holders by a list of their names misses nobody. */
        lock = holding_lock(host, holding->record.uid, SAFEFS_FAIL_IF_MISSING);
    }
    rewrite(host, holding);
    registry_unlock(lock);
}

void
holding_leave(struct host *host, struct holding *holding)
{
    leave(host, holding);
    holding_forget(holding);
}

void
holding_leave_to_reap(struct host *host, struct holding *holding)
{
    if (!holding->record.is_ended) {
        holding->record.is_ended = true;
        rewrite(host, holding);
    }
}

enum holders
holding_others(struct host *host, const struct holding *holding)
{
    const struct registry registry = registry_of(host);
    int held = 0;

    if (!record_may_be_shared(&holding->record) ||
        (holding->record.ownership == RECORD_OWN && !host_acts_as_root())) {
        return HOLDERS_NONE;
    }
    held = host_acts_as_root()
               ? registry_holders(&registry,
                                  holding->is_recorded ? &holding->key : NULL,
                                  &holding->record, NULL)
               : -EACCES;
    switch (held) {
    case REGISTRY_NOBODY:
        return HOLDERS_NONE;
    case REGISTRY_OTHERS:
        return HOLDERS_OTHERS;
    case REGISTRY_ADOPTERS:
        return HOLDERS_ADOPTERS;
    default:
        break;
    }
    if (holding->record.ownership == RECORD_OWN && !holding->is_recorded) {
        /* Nobody comes after us: it is ours to end. */
        return HOLDERS_NONE;
    }
    log_line(&host->log,
             host_acts_as_root() ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE,
             "user %s: it cannot be told who else holds %s: %s",
             holding->record.user, holding->record.cache, WORDS(held));
    return HOLDERS_UNKNOWN;
}

int
holding_lock(struct host *host, int64_t uid, enum safefs_missing missing)
{
    const struct registry registry = registry_of(host);
    int lock = -1;

    if (!host_acts_as_root()) {
        return -EACCES;
    }
    /* Half of the time at the most: the rest is for the work itself. */
    lock = registry_lock(&registry, uid, missing,
                         deadline_left_ms(&host->deadline) / 2);
    if (lock == -ETIMEDOUT) {
        log_line(&host->log, LOG_LEVEL_NOTICE,
                 "user %s: another session is long about the shared cache",
                 host->user == NULL ? "" : host->user);
    }
    return lock;
}

void
holding_found_free(struct holding_found *found)
{
    for (size_t i = 0; i < found->count; i++) {
        holding_forget(&found->list[i]);
    }
    free(found->list);
    *found = (struct holding_found){.list = NULL};
}

/* Who is looked for, and what has been found. */
struct search {
    struct host *host;
    const char *principal;
    struct presence_census *census; /* NULL until somebody has no host */
    struct holding_found found;
    bool failed;
};

static bool
is_found(const struct holding_found *found, const char *cache)
{
    for (size_t i = 0; i < found->count; i++) {
        if (ccname_is_same(found->list[i].record.cache, cache)) {
            return true;
        }
    }
    return false;
}

static bool
is_alive(struct search *search, const struct record *record)
{
    if (search->census == NULL && !presence_has_host(record)) {
        search->census = presence_census_take();
    }
    return presence_judge(record, search->census) == PRESENCE_LIVE;
}

static bool
is_sought(struct search *search, const struct record *record)
{
    return record != NULL && record->is_made && !record->is_ended &&
           *record->rhost == '\0' &&
           !ccname_is_in_session_keyring(record->cache) &&
           strcmp(record->principal, search->principal) == 0 &&
           !is_found(&search->found, record->cache) && is_alive(search, record);
}

static bool
look(void *data, const struct registry_entry *entry)
{
    struct search *search = data;
    struct holding_found *found = &search->found;
    const struct record *record = entry->record;
    struct held_cache cache = {.principal = search->principal};

    if (!is_sought(search, record)) {
        return true;
    }
    cache.name = record->cache;
    cache.ownership =
        record->ownership == RECORD_ADOPTED ? RECORD_ADOPTED : RECORD_SHARED;
    found->list[found->count] = (struct holding){.is_recorded = false};
    if (make_record(search->host, &cache, &found->list[found->count].record) !=
        OUTCOME_SUCCESS) {
        search->failed = true;
        return false;
    }
    found->count++;
    return found->count < FOUND_MAX;
}

enum outcome
holding_find_local(struct host *host, const char *principal,
                   struct holding_found *found_out)
{
    const struct registry registry = registry_of(host);
    struct search search = {.host = host, .principal = principal};

    *found_out = (struct holding_found){.list = NULL};
    search.found.list = calloc(FOUND_MAX, sizeof(struct holding));
    if (search.found.list == NULL) {
        return OUTCOME_NO_MEMORY;
    }
    (void)registry_visit(&registry, host->account.uid, look, &search);
    presence_census_free(search.census);
    if (search.failed) {
        holding_found_free(&search.found);
        return OUTCOME_NO_MEMORY;
    }
    *found_out = search.found;
    return OUTCOME_SUCCESS;
}
