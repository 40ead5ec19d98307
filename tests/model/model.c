/* What becomes of sessions and caches, by the contracts. */
#include "model/model.h"

#include <stdio.h>
#include <string.h>

#include <check.h>

const char *const model_users[MODEL_USERS] = {"alice", "bob", "carol"};

struct model_session *
model_new_session(struct model *model)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        if (!model->sessions[i].in_use) {
            model->sessions[i] = (struct model_session){.in_use = true};
            return &model->sessions[i];
        }
    }
    return NULL;
}

struct model_cache *
model_cache(struct model *model, int user, const struct kind *kind,
            const char *name)
{
    struct model_cache *unused = NULL;

    for (size_t i = 0; i < MODEL_CACHES; i++) {
        struct model_cache *cache = &model->caches[i];

        if (!cache->in_use) {
            unused = unused == NULL ? cache : unused;
        } else if (cache->user == user && strcmp(cache->name, name) == 0 &&
                   (kind == NULL || !kind->in_session)) {
            return cache;
        }
    }
    ck_assert_msg(unused != NULL, "the model has too few caches");
    *unused = (struct model_cache){
        .in_use = true,
        .user = user,
        .kind = kind,
    };
    (void)snprintf(unused->name, sizeof(unused->name), "%s", name);
    return unused;
}

bool
model_lives(const struct model *model, const struct model_session *session)
{
    if (session->has_host) {
        return true;
    }
    /* Without an audit or logind session any process of the uid counts. */
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *other = &model->sessions[i];

        if (other->in_use && other->user == session->user && other->life != 0) {
            return true;
        }
    }
    return false;
}

bool
model_is_held(const struct model *model, const struct model_cache *cache,
              const struct model_session *except)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *other = &model->sessions[i];

        if (other->in_use && other != except && other->cache == cache &&
            other->is_recorded && !other->is_ended &&
            model_lives(model, other)) {
            return true;
        }
    }
    return false;
}

bool
model_same_place(const struct kind *a, const struct kind *b)
{
    return a->family == b->family && strcmp(a->place, b->place) == 0;
}

bool
model_is_to_share(const struct model_cache *cache, int user,
                  const struct kind *kind)
{
    return cache->in_use && cache->exists && !cache->is_foreign &&
           cache->user == user && cache->kind != NULL &&
           model_same_place(cache->kind, kind);
}

bool
model_can_share(const struct model *model, int user, const struct kind *kind)
{
    for (size_t i = 0; i < MODEL_CACHES; i++) {
        if (model_is_to_share(&model->caches[i], user, kind)) {
            return true;
        }
    }
    return false;
}

void
model_authenticated(struct model_session *session, bool has_succeeded)
{
    session->has_tickets = has_succeeded;
    session->has_blob = has_succeeded;
}

void
model_replaced(struct model_cache *cache, bool is_renewable)
{
    cache->exists = true;
    cache->certainty = FRESH;
    cache->is_foreign = false;
    cache->is_aged = false;
    cache->is_expired = false;
    cache->is_renewable = is_renewable;
}

void
model_cut_off(struct model_cache *cache, bool would_be_renewable)
{
    cache->certainty = cache->exists ? EITHER : PERHAPS;
    cache->would_be_renewable = would_be_renewable;
    cache->slack++;
}

void
model_established(struct model_session *session, struct model_cache *cache)
{
    model_replaced(cache, session->is_renewable);
    session->cache = cache;
    session->has_blob = false;
    session->must_end = false;
    session->is_recorded = true;
    session->is_ended = false;
    (void)snprintf(session->variable, sizeof(session->variable), "%s",
                   cache->name);
}

void
model_adopted(struct model_session *session, struct model_cache *cache)
{
    session->cache = cache;
    session->is_recorded = true;
}

void
model_destroyed(struct model_cache *cache)
{
    cache->exists = false;
    cache->certainty = CERTAIN;
    cache->slack = 0;
    cache->is_left_to_reap = false;
    cache->is_aged = false;
    cache->is_expired = false;
    cache->is_foreign = false;
}

/* Whether sessions that did not make CACHE may hold it. */
static bool
may_be_shared(const struct model_cache *cache)
{
    return cache->kind->is_shared || cache->kind->is_collection;
}

/* Whose end is the cache's too. */
static bool
ends_cache(const struct model *model, const struct model_session *session)
{
    const struct model_cache *cache = session->cache;

    return cache->kind != NULL &&
           (!may_be_shared(cache) || !model_is_held(model, cache, session));
}

void
model_left(struct model *model, struct model_session *session)
{
    if (session->cache == NULL) {
        return;
    }
    if (ends_cache(model, session)) {
        model_destroyed(session->cache);
    }
    if (session->cache->kind != NULL) {
        *session->variable = '\0';
    }
    session->cache = NULL;
    session->must_end = false;
    session->is_recorded = false;
    session->is_ended = false;
    session->is_bound = false;
    session->may_be_bound = false;
    session->has_tickets = false;
    session->has_blob = false;
}

void
model_reaped(struct model *model, struct model_session *session)
{
    if (session->cache != NULL && ends_cache(model, session)) {
        model_destroyed(session->cache);
    }
    session->is_recorded = false;
    if (!session->has_host) {
        session->cache = NULL;
    }
}

void
model_lost_host(struct model_session *session)
{
    session->has_host = false;
    session->has_tickets = false;
    session->has_blob = false;
    session->must_end = false;
    *session->variable = '\0';
    *session->stash = '\0';
    if (!session->is_recorded) {
        session->cache = NULL;
    }
}

static bool
is_of_somebody(const struct model *model, const struct model_cache *cache)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &model->sessions[i];

        /* Its user may fill it again. */
        if (session->in_use && (session->cache == cache ||
                                strcmp(session->variable, cache->name) == 0)) {
            return true;
        }
    }
    return false;
}

void
model_tidy(struct model *model)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &model->sessions[i];

        if (session->in_use && !session->has_host && !session->is_recorded &&
            session->life == 0) {
            *session = (struct model_session){.in_use = false};
        }
    }
    for (size_t i = 0; i < MODEL_CACHES; i++) {
        struct model_cache *cache = &model->caches[i];
        /* Of a session keyring that nobody of ours is in any more. */
        bool is_unseen = cache->kind != NULL && cache->kind->in_session;

        if (cache->in_use && (!cache->exists || is_unseen) &&
            cache->slack == 0 && !cache->is_left_to_reap &&
            !is_of_somebody(model, cache)) {
            cache->in_use = false;
        }
    }
}
