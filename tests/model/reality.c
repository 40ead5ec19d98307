/* Looking, and comparing. */
#include "model/reality.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "model/journal.h"
#include "registry/registry.h"
#include "stack/common.h"
#include "support/realm.h"

#define KINDS_MAX 24
#define LIMIT_MS 60000

/* A stash lives so long, and the kernel's seconds are not ours. */
#define STASH_LIFETIME_S 120
#define STASH_LATE_S 5

static const struct registry registry = {.state_dir = COMMON_STATE_DIR,
                                         .runtime_dir = COMMON_RUNTIME_DIR};

/* One file for all sessions of a user; no row of the table is like that. */
static const struct kind shared_file = {
    .name = "FILE shared",
    .family = KIND_FILE,
    .arguments = "ccache=FILE:/tmp/home/%{username}/one/cache",
    .is_shared = true,
    .prefix = "FILE:/tmp/home/%{username}/one/cache",
    .place = "/tmp/home/%{username}/one",
};

static struct {
    const struct kind *kind;
    char config[ACTOR_TEXT_MAX];
} available[KINDS_MAX];
static size_t available_count;

size_t
reality_kind_count(void)
{
    return available_count;
}

const struct kind *
reality_kind(size_t i)
{
    return available[i].kind;
}

const char *
reality_config(const struct kind *kind)
{
    for (size_t i = 0; i < available_count; i++) {
        if (available[i].kind == kind) {
            return available[i].config;
        }
    }
    return getenv("KRB5_CONFIG");
}

/* Canaries. */

struct canary {
    const char *owner;
    char name[ACTOR_TEXT_MAX];
    const struct kind *kind; /* NULL = a file outside of all places */
    struct snapshot shot;    /* of a file */
    struct whole whole;      /* as its owner sees it */
};

#define CANARIES_MAX 48

static struct canary canaries[CANARIES_MAX];
static size_t canary_count;

static bool
is_file(const char *name)
{
    return strncmp(name, "FILE:", 5) == 0 || strncmp(name, "DIR:", 4) == 0;
}

/* As an earlier login has made it. */
static void
make_folder_of(const char *name, const char *user)
{
    char path[ACTOR_TEXT_MAX];

    (void)snprintf(path, sizeof(path), "%s", cache_path(name));
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(chown(path, common_uid(user), common_uid(user)), 0);
}

static void
add_canary(const char *owner, const struct kind *kind, const char *name,
           const char *principal)
{
    static const int64_t lifetimes[] = {36000, 604800};
    struct canary *canary = &canaries[canary_count++];

    ck_assert_uint_le(canary_count, CANARIES_MAX);
    *canary = (struct canary){.owner = owner, .kind = kind};
    if (kind != NULL && kind->family == KIND_DIR) {
        make_folder_of(name, owner);
    }
    (void)snprintf(canary->name, sizeof(canary->name), "%s", name);
    common_kinit(name, owner, principal, lifetimes, NO_SERVICE);
    if (is_file(name)) {
        canary->shot = common_snapshot(name);
        ck_assert(canary->shot.exists);
    }
    canary->whole = whole_look(name, common_uid(owner), common_uid(owner));
    ck_assert(canary->whole.readable);
}

/*
 * In each collection another principal's cache, and his own elsewhere.  A
 * shared DIR whose folder the module shall make itself has none.
 */
static void
add_canaries(void)
{
    for (size_t i = 0; i < MODEL_USERS; i++) {
        const char *user = model_users[i];
        char name[ACTOR_TEXT_MAX];

        (void)snprintf(name, sizeof(name), "FILE:/tmp/home/%s/canary", user);
        add_canary(user, NULL, name, user);
        for (size_t j = 0; j < available_count; j++) {
            const struct kind *kind = available[j].kind;

            if (kind->is_collection && !kind->in_session &&
                (kind->family != KIND_DIR || i == 0) &&
                (j == 0 || !model_same_place(kind, available[j - 1].kind))) {
                add_canary(user, kind, kinds_cache(kind, user, "canary"),
                           REALITY_STRANGER);
            }
        }
    }
    add_canary("root", NULL, "FILE:/tmp/krb5cc_0", "bob");
}

static void
compare_file_canaries(void)
{
    for (size_t i = 0; i < canary_count; i++) {
        const struct canary *canary = &canaries[i];
        struct snapshot now;

        if (!is_file(canary->name)) {
            continue;
        }
        now = common_snapshot(canary->name);
        HOLDS(now.exists && now.inode == canary->shot.inode &&
                  now.uid == canary->shot.uid &&
                  now.mode == canary->shot.mode &&
                  now.size == canary->shot.size &&
                  now.changed.tv_sec == canary->shot.changed.tv_sec &&
                  now.changed.tv_nsec == canary->shot.changed.tv_nsec &&
                  memcmp(now.bytes, canary->shot.bytes, now.size) == 0,
              "%s's %s, which is no session's, was touched", canary->owner,
              canary->name);
    }
}

static size_t
canaries_in(const struct kind *kind, const char *user)
{
    size_t count = 0;

    for (size_t i = 0; i < canary_count; i++) {
        count += canaries[i].kind != NULL &&
                 strcmp(canaries[i].owner, user) == 0 &&
                 model_same_place(canaries[i].kind, kind);
    }
    return count;
}

/* The scene. */

static void
add_kind(const struct kind *kind)
{
    char *before = strdup(getenv("KRB5_CONFIG"));
    const char *only = getenv("TEST_KIND");
    const char *why = NULL;

    ck_assert_ptr_nonnull(before);
    if (only != NULL && strcmp(only, kind->name) != 0) {
        free(before);
        return;
    }
    if (!kinds_available(kind, &why)) {
        fprintf(stderr, "# without %s: %s\n", kind->name, why);
        free(before);
        return;
    }
    ck_assert_uint_lt(available_count, KINDS_MAX);
    if (!kind->in_session) {
        for (size_t i = 0; i < MODEL_USERS; i++) {
            kinds_begin(&(struct kind){.family = kind->family,
                                       .place = kind->place,
                                       .prefix = kind->prefix},
                        model_users[i]);
        }
    }
    if (kind->config != NULL) {
        common_config(kind->config);
    }
    available[available_count].kind = kind;
    (void)snprintf(available[available_count].config, ACTOR_TEXT_MAX, "%s",
                   getenv("KRB5_CONFIG"));
    available_count++;
    (void)setenv("KRB5_CONFIG", before, 1);
    free(before);
}

void
reality_begin(void)
{
    available_count = 0;
    canary_count = 0;
    for (size_t i = 0; i < kinds_count; i++) {
        add_kind(&kinds[i]);
    }
    add_kind(&shared_file);
    add_canaries();
}

void
reality_end(void)
{
    for (size_t i = 0; i < available_count; i++) {
        for (size_t j = 0; j < MODEL_USERS; j++) {
            if (!available[i].kind->in_session) {
                kinds_clear(available[i].kind, model_users[j]);
            }
        }
    }
    (void)unlink("/tmp/krb5cc_0");
}

/* Caches. */

/* What the model is not sure of it learns here; the rest is compared. */
static void
compare_cache(struct model_cache *cache, const struct whole *whole)
{
    char principal[128];
    enum certainty certainty = cache->certainty;

    (void)snprintf(principal, sizeof(principal), "%s@PAM.TEST",
                   cache->is_foreign ? REALITY_STRANGER
                                     : model_users[cache->user]);
    if (certainty == PERHAPS) {
        cache->exists = whole->readable && whole->tgts > 0;
    }
    cache->certainty = CERTAIN;
    if (!cache->exists) {
        HOLDS(certainty == PERHAPS || !whole->readable,
              "%s's %s is still there", model_users[cache->user], cache->name);
        return;
    }
    HOLDS(whole->readable, "%s cannot read %s", model_users[cache->user],
          cache->name);
    HOLDS(strcmp(whole->principal, principal) == 0, "%s holds %s's tickets",
          cache->name, whole->principal);
    HOLDS(whole->tgts == 1, "%s has %d TGTs", cache->name, whole->tgts);
    HOLDS(certainty != CERTAIN || whole->tgt == cache->tgt,
          "%s has other tickets than before", cache->name);
    HOLDS(certainty != FRESH || whole->tgt != cache->tgt,
          "%s has the same tickets as before", cache->name);
    if (certainty != CERTAIN && certainty != FRESH &&
        whole->tgt != cache->tgt) {
        /* The call was cut off behind its work. */
        cache->is_renewable = cache->would_be_renewable;
        cache->is_aged = false;
        cache->is_expired = false;
    }
    cache->tgt = whole->tgt;
}

/* Those that can be seen from anywhere, and the canaries of USER. */
static void
compare_caches(struct model *model, int user)
{
    const char *names[MODEL_CACHES + CANARIES_MAX];
    struct model_cache *caches[MODEL_CACHES];
    const struct canary *own[CANARIES_MAX];
    static struct whole wholes[MODEL_CACHES + CANARIES_MAX];
    size_t count = 0;
    size_t own_count = 0;

    for (size_t i = 0; i < MODEL_CACHES; i++) {
        struct model_cache *cache = &model->caches[i];

        if (cache->in_use && cache->user == user && !cache->is_place &&
            (cache->kind == NULL || !cache->kind->in_session)) {
            names[count] = cache->name;
            caches[count++] = cache;
        }
    }
    for (size_t i = 0; i < canary_count; i++) {
        if (strcmp(canaries[i].owner, model_users[user]) == 0 &&
            !is_file(canaries[i].name)) {
            names[count + own_count] = canaries[i].name;
            own[own_count++] = &canaries[i];
        }
    }
    whole_look_all(names, count + own_count, common_uid(model_users[user]),
                   wholes);
    for (size_t i = 0; i < count; i++) {
        compare_cache(caches[i], &wholes[i]);
    }
    for (size_t i = 0; i < own_count; i++) {
        HOLDS(wholes[count + i].readable &&
                  wholes[count + i].tgt == own[i]->whole.tgt &&
                  strcmp(wholes[count + i].principal,
                         own[i]->whole.principal) == 0,
              "%s's %s, which is no session's, was touched", own[i]->owner,
              own[i]->name);
    }
}

/* Those in the session keyrings of hosts that live. */
static void
compare_inside(struct model *model, int user)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &model->sessions[i];
        struct actor_order order = {.deed = ACTOR_LOOK};
        struct actor_answer answer;

        if (session->in_use && session->user == user && session->has_host &&
            session->cache != NULL && session->cache->kind != NULL &&
            session->cache->kind->in_session) {
            memcpy(order.text, session->cache->name, sizeof(order.text));
            answer = actor_tell(&session->actor, &order);
            compare_cache(session->cache, &answer.whole);
        }
    }
}

/* Whether the folder of another kind is in KIND's place, and counts there. */
static size_t
folders_in(const struct kind *kind, const char *user)
{
    char path[ACTOR_TEXT_MAX];

    if (strcmp(kind->place, "/run/user/%{uid}") != 0) {
        return 0;
    }
    (void)snprintf(path, sizeof(path), "/run/user/%u/krb5cc",
                   (unsigned int)common_uid(user));
    return common_exists(path) ? 1 : 0;
}

/* How many there are in KIND's place, whoever has made them. */
static void
compare_count(const struct model *model, int user, const struct kind *kind)
{
    const char *name = model_users[user];
    size_t wanted = canaries_in(kind, name);
    size_t slack = 0;
    size_t found = 0;

    for (size_t i = 0; i < MODEL_CACHES; i++) {
        const struct model_cache *cache = &model->caches[i];

        if (cache->in_use && cache->user == user && cache->kind != NULL &&
            model_same_place(cache->kind, kind)) {
            wanted += cache->exists;
            slack += cache->slack;
        }
    }
    found = kinds_caches(kind, name) - kinds_primary_strays(kind, name) -
            folders_in(kind, name);
    HOLDS(found >= wanted && found <= wanted + slack,
          "%s has %zu caches of the kind %s, not %zu (and %zu half-made)", name,
          found, kind->name, wanted, slack);
}

static void
compare_counts(const struct model *model, int user)
{
    for (size_t i = 0; i < available_count; i++) {
        const struct kind *kind = available[i].kind;

        if (!kind->in_session &&
            (i == 0 || !model_same_place(kind, available[i - 1].kind))) {
            compare_count(model, user, kind);
        }
    }
}

void
reality_assert_owned(const struct model_cache *cache)
{
    const char *user = model_users[cache->user];

    journal_check();
    if (cache->kind != &shared_file) {
        kinds_assert_name(cache->kind, cache->name, user);
    }
    if (!cache->kind->in_session) {
        kinds_assert_owned(cache->kind, cache->name, user);
    }
}

/* Records. */

struct reading {
    struct model *model;
    bool is_seen[MODEL_SESSIONS];
};

static struct model_session *
session_of(struct model *model, pid_t pid)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        if (model->sessions[i].in_use && model->sessions[i].pid == pid) {
            return &model->sessions[i];
        }
    }
    return NULL;
}

static bool
compare_record(void *data, const struct registry_entry *entry)
{
    struct reading *reading = data;
    const struct record *record = entry->record;
    struct model_session *session = NULL;
    const char *user = NULL;

    HOLDS(record != NULL, "%s is no record: %d", entry->key.id, entry->fault);
    session = session_of(reading->model, (pid_t)record->pid);
    if (record->is_ended &&
        (session == NULL || !session->is_ended ||
         reading->is_seen[session - reading->model->sessions])) {
        /* Of a try that broke off: reap looks what has come of it. */
        return true;
    }
    HOLDS(session != NULL && session->is_recorded,
          "a record of %s's of the host %" PRId64 " (%s), %s", record->user,
          record->pid, record->cache,
          session == NULL ? "which had none" : "which has left it");
    HOLDS(!reading->is_seen[session - reading->model->sessions],
          "two records of %s's host %d", record->user, (int)session->pid);
    reading->is_seen[session - reading->model->sessions] = true;
    user = model_users[session->user];
    HOLDS(strcmp(record->user, user) == 0 &&
              record->uid == (int64_t)common_uid(user) &&
              record->gid == (int64_t)common_uid(user),
          "a record of %s's is %s's", user, record->user);
    HOLDS(session->cache != NULL &&
              strcmp(record->cache, session->cache->name) == 0,
          "%s's record says %s", user, record->cache);
    HOLDS(record->is_bound == session->is_bound || session->may_be_bound,
          "%s's record of %s is%s bound", user, record->cache,
          record->is_bound ? "" : " not");
    HOLDS(record->is_ended == session->is_ended, "%s's record of %s is%s ended",
          user, record->cache, record->is_ended ? "" : " not");
    HOLDS((*record->rhost != '\0') == session->is_remote,
          "%s's record of %s is from \"%s\"", user, record->cache,
          record->rhost);
    HOLDS(record->ownership == (session->cache->kind == NULL ? RECORD_ADOPTED
                                : session->kind->is_shared   ? RECORD_SHARED
                                                             : RECORD_OWN),
          "%s's record of %s has ownership %d", user, record->cache,
          (int)record->ownership);
    HOLDS(entry->key.place == REGISTRY_STATE, "a record in the runtime dir");
    return true;
}

static void
compare_records(struct model *model)
{
    struct reading reading = {.model = model};

    ck_assert_int_eq(
        registry_visit(&registry, REGISTRY_EVERYBODY, compare_record, &reading),
        0);
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &model->sessions[i];

        HOLDS(!session->in_use || !session->is_recorded || reading.is_seen[i],
              "%s's session with %s (host %d) has no record",
              model_users[session->user], session->cache->name,
              (int)session->pid);
    }
}

struct finding {
    pid_t pid;
    char cache[ACTOR_TEXT_MAX];
};

static bool
find_record(void *data, const struct registry_entry *entry)
{
    struct finding *finding = data;

    if (entry->record == NULL || entry->record->pid != finding->pid) {
        return true;
    }
    (void)snprintf(finding->cache, sizeof(finding->cache), "%s",
                   entry->record->cache);
    return false;
}

const char *
reality_record_of(pid_t pid)
{
    static struct finding finding;

    finding = (struct finding){.pid = pid};
    ck_assert_int_eq(
        registry_visit(&registry, REGISTRY_EVERYBODY, find_record, &finding),
        0);
    return *finding.cache == '\0' ? NULL : finding.cache;
}

/* Stashes. */

bool
reality_has_stash(const char *name)
{
    char description[ACTOR_TEXT_MAX];

    ck_assert_msg(*name == 'k', "%s is not of keys", name);
    (void)snprintf(description, sizeof(description), "pam_krb5cc:%s", name + 1);
    return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "keyring",
                   description, 0) > 0;
}

static int64_t
now_s(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

static bool
is_carried(const struct model *model, const char *name)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        if (model->sessions[i].in_use && model->sessions[i].has_host &&
            strcmp(model->sessions[i].stash, name) == 0) {
            return true;
        }
    }
    return false;
}

/* One that was taken is gone, one that was left goes in its time. */
static void
compare_stash(const struct model *model, struct model_stash *stash)
{
    bool is_there = reality_has_stash(stash->name);
    int64_t age = now_s() - stash->made;

    HOLDS(!is_there || age <= STASH_LIFETIME_S + STASH_LATE_S,
          "the stash %s is %" PRId64 " s old", stash->name, age);
    if (stash->is_left || is_carried(model, stash->name)) {
        HOLDS(is_there || age >= STASH_LIFETIME_S - STASH_LATE_S ||
                  stash->is_left,
              "the stash %s is gone before it was taken", stash->name);
    } else {
        HOLDS(!is_there, "the stash %s is still there", stash->name);
    }
}

static void
compare_stashes(struct model *model)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->stash_count; i++) {
        struct model_stash stash = model->stashes[i];

        compare_stash(model, &stash);
        if (stash.is_left || is_carried(model, stash.name)) {
            if (now_s() - stash.made <= STASH_LIFETIME_S + STASH_LATE_S) {
                model->stashes[kept++] = stash;
            }
        }
    }
    model->stash_count = kept;
}

void
reality_compare(struct model *model, unsigned int users)
{
    compare_file_canaries();
    for (int user = 0; user < MODEL_USERS; user++) {
        if ((users & 1U << user) != 0) {
            compare_caches(model, user);
            compare_inside(model, user);
            compare_counts(model, user);
        }
    }
    compare_records(model);
    compare_stashes(model);
    HOLDS(!common_exists(COMMON_STATE_DIR "/set-aside"),
          "something was set aside");
}

/* Processes. */

void
reality_await_helpers(void)
{
    ck_assert_msg(realm_is_gone("krb5cc-helper"), "a helper outlives its host");
}

void
reality_kill(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};

    ck_assert_msg(fd >= 0, "process %d: %s", (int)pid, strerror(errno));
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(poll(&ended, 1, LIMIT_MS), 1);
    (void)close(fd);
}
