/* Logins: those that succeed, those that fail, those that are cut off. */
#include "model/play.h"

#include <stdio.h>
#include <string.h>

#include "model/journal.h"
#include "model/reality.h"

/* So late a login may go on: a stash lives for two minutes. */
#define PATIENCE_S 90

/* A user has a quota of keys. */
#define KEYRING_SESSIONS_MAX 2

/* The stash that was made is known from here on. */
static void
remember_stash(struct scene_of_model *scene, struct model_session *session,
               const char *name)
{
    struct model *model = &scene->model;
    struct model_stash *stash = &model->stashes[model->stash_count];

    HOLDS(*name != '\0' && reality_has_stash(name), "nothing was stashed");
    session->began = play_now_s();
    if (model->stash_count < MODEL_STASHES) {
        *stash = (struct model_stash){.made = session->began};
        memcpy(stash->name, name, sizeof(stash->name));
        model->stash_count++;
    }
    memcpy(session->stash, name, sizeof(session->stash));
}

static void
authenticate(struct scene_of_model *scene, struct model_session *session,
             bool is_wrong, enum doom doom)
{
    const bool is_far = session->shape == SHAPE_KEYBOARD;
    const struct actor_order order = {
        .deed = is_far ? ACTOR_AUTHENTICATE_FAR : ACTOR_AUTHENTICATE,
        .is_wrong = is_wrong,
    };
    struct actor_answer answer;
    bool came = false;

    play_arm(scene, doom);
    answer = actor_tell(&session->actor, &order);
    came = play_disarm(scene, doom);
    if (answer.is_dead) {
        HOLDS(came && doom == DOOM_HOST, "the host has died");
        play_lose_host(scene, session);
        return;
    }
    if (came && answer.code != PAM_SUCCESS) {
        play_check_code("authenticate without a helper", &answer,
                        PAM_AUTHINFO_UNAVAIL);
    } else {
        play_check_code("authenticate", &answer,
                        is_wrong ? PAM_AUTH_ERR : PAM_SUCCESS);
    }
    model_authenticated(session, answer.code == PAM_SUCCESS && !is_far);
    if (answer.code == PAM_SUCCESS) {
        remember_stash(scene, session, answer.stash);
    }
    play_check_variables(session, &answer);
}

static void
check_account(struct model_session *session)
{
    struct actor_answer answer =
        play_tell(session, &(struct actor_order){.deed = ACTOR_ACCOUNT});

    play_check_code("acct_mgmt", &answer,
                    session->has_tickets ? PAM_SUCCESS : PAM_IGNORE);
    play_check_variables(session, &answer);
}

/* The cache that a new session is to find is another principal's. */
static bool
is_taken(struct scene_of_model *scene, const struct model_session *session)
{
    const char *name = NULL;
    const struct model_cache *cache = NULL;

    if (!session->kind->is_shared || session->kind->is_collection) {
        return false;
    }
    name = kinds_cache(session->kind, model_users[session->user], "");
    cache = model_cache(&scene->model, session->user, session->kind, name);
    return cache->exists && cache->is_foreign;
}

/* The host says that its cache is NAME: one of its own, or one to share. */
static void
accept_cache(struct scene_of_model *scene, struct model_session *session,
             const char *name)
{
    struct model *model = &scene->model;
    const struct kind *kind = session->kind;
    bool shares = kind->is_shared && !kind->in_session &&
                  model_can_share(model, session->user, kind);
    struct model_cache *cache = model_cache(model, session->user, kind, name);

    HOLDS(!shares || model_is_to_share(cache, session->user, kind),
          "%s was made, though there is a cache to share", name);
    HOLDS(shares || !cache->exists, "%s is another session's", name);
    model_established(session, cache);
    journal_note("has %s", name);
}

/* Whether a call that may make the cache is to make it. */
static bool
is_to_make(const struct model_session *session, bool is_open_session)
{
    return session->has_blob && session->cache == NULL &&
           session->kind != NULL &&
           (!play_is_in_keyring(session) || is_open_session);
}

/* What there was to be shared is whole, with the old or the new tickets. */
static void
cut_off_shared(struct scene_of_model *scene,
               const struct model_session *session)
{
    if (!session->kind->is_shared || play_is_in_keyring(session)) {
        return;
    }
    for (size_t i = 0; i < MODEL_CACHES; i++) {
        struct model_cache *cache = &scene->model.caches[i];

        if (model_is_to_share(cache, session->user, session->kind)) {
            model_cut_off(cache, session->is_renewable);
        }
    }
}

/*
 * The same where the host lives on, with a record of its try that reap looks
 * after: what came of it is under the one name, which nobody has yet perhaps.
 */
static void
leave_try(struct scene_of_model *scene, const struct model_session *session)
{
    struct model_cache *cache = NULL;

    cut_off_shared(scene, session);
    if (!session->kind->is_shared || session->kind->is_collection ||
        reality_record_of(session->pid) == NULL) {
        return;
    }
    cache =
        model_cache(&scene->model, session->user, session->kind,
                    kinds_cache(session->kind, model_users[session->user], ""));
    if (!cache->exists) {
        model_cut_off(cache, session->is_renewable);
    }
    cache->is_left_to_reap = true;
}

/*
 * The one call, setcred or open_session, that may make the cache; what it is to
 * give where there is nothing to make is WANTED.
 */
static void
establish(struct scene_of_model *scene, struct model_session *session,
          const struct actor_order *order, int wanted, enum doom doom)
{
    const bool is_open_session = order->deed == ACTOR_OPEN;
    const int failed = is_open_session ? PAM_SESSION_ERR : PAM_CRED_ERR;
    struct actor_answer answer;
    char stash[ACTOR_TEXT_MAX];
    bool makes = false;
    bool came = false;

    memcpy(stash, session->stash, sizeof(stash));
    play_take_stash(session);
    makes = is_to_make(session, is_open_session);
    play_arm(scene, doom);
    answer = actor_tell(&session->actor, order);
    came = play_disarm(scene, doom);
    if (answer.is_dead) {
        HOLDS(came && doom == DOOM_HOST, "the host has died");
        play_leave_stash(scene, stash);
        if (makes) {
            cut_off_shared(scene, session);
        }
        session->may_be_bound = is_open_session;
        play_lose_host(scene, session);
        return;
    }
    if (is_open_session && session->has_tickets) {
        wanted = PAM_SUCCESS;
    }
    if (makes && is_taken(scene, session)) {
        wanted = failed;
    }
    if (came && answer.code != PAM_SUCCESS) {
        wanted = failed;
    }
    play_check_code(is_open_session ? "open_session" : "setcred", &answer,
                    wanted);
    if (makes && answer.code == PAM_SUCCESS) {
        HOLDS(*answer.cache != '\0', "there is no cache; log:\n%s", answer.log);
        accept_cache(scene, session, answer.cache);
    } else if (makes && came) {
        leave_try(scene, session);
    }
    if (is_open_session) {
        session->is_open = true;
        session->is_bound = session->cache != NULL;
    }
    play_check_variables(session, &answer);
}

static void
set_cred(struct scene_of_model *scene, struct model_session *session,
         enum doom doom)
{
    const struct actor_order order = {.deed = ACTOR_SETCRED,
                                      .flags = PAM_ESTABLISH_CRED};

    establish(scene, session, &order, PAM_SUCCESS, doom);
    if (session->has_host && session->shape == SHAPE_GSSAPI &&
        session->cache == NULL) {
        model_adopted(session, model_cache(&scene->model, session->user, NULL,
                                           session->variable));
    }
}

static void
open_session(struct scene_of_model *scene, struct model_session *session,
             enum doom doom)
{
    const struct actor_order order = {.deed = ACTOR_OPEN};

    if (play_is_in_keyring(session) && !session->has_keyring) {
        (void)play_tell(session,
                        &(struct actor_order){.deed = ACTOR_JOIN_SESSION});
        session->has_keyring = true;
    }
    establish(scene, session, &order, PAM_IGNORE, doom);
}

/* Whether USER has as many keyrings as his quota has room for. */
static bool
has_enough_keyrings(const struct scene_of_model *scene, int user)
{
    unsigned int count = 0;

    for (size_t i = 0; i < MODEL_CACHES; i++) {
        const struct model_cache *cache = &scene->model.caches[i];

        count += cache->in_use && cache->user == user && cache->kind != NULL &&
                 cache->kind->family == KIND_KEYRING;
    }
    return count >= KEYRING_SESSIONS_MAX;
}

static const struct kind *
draw_kind(struct scene_of_model *scene, int user)
{
    unsigned int count = (unsigned int)reality_kind_count();
    unsigned int first = play_dice(scene, count);

    for (unsigned int i = 0; i < count; i++) {
        const struct kind *kind = reality_kind((first + i) % count);

        if (kind->family != KIND_KEYRING || !has_enough_keyrings(scene, user)) {
            return kind;
        }
    }
    return reality_kind(0);
}

static void
start_host(struct model_session *session)
{
    struct actor_order order = {.deed = ACTOR_START};
    struct actor_start *start = &order.start;
    const struct kind *kind =
        session->kind == NULL ? reality_kind(0) : session->kind;

    session->actor = actor_begin();
    session->pid = session->actor.pid;
    session->has_host = true;
    (void)snprintf(start->user, sizeof(start->user), "%s",
                   model_users[session->user]);
    (void)snprintf(start->config, sizeof(start->config), "%s",
                   reality_config(kind));
    (void)snprintf(start->arguments, sizeof(start->arguments), "%s %s",
                   kind->arguments,
                   session->is_renewable ? PLAY_RENEWABLE : PLAY_NOT_RENEWABLE);
    start->is_remote = session->is_remote;
    start->is_faulty = session->is_faulty;
    (void)play_tell(session, &order);
    journal_note("session %u (%s's by %s%s, %s)", session->serial,
                 model_users[session->user], play_shape_names[session->shape],
                 session->is_faulty ? ", mortal" : "",
                 session->kind == NULL ? "a cache of its host's"
                                       : session->kind->name);
}

static struct model_session *
new_session(struct scene_of_model *scene, enum shape shape, bool is_faulty)
{
    struct model_session *session = model_new_session(&scene->model);

    if (session == NULL) {
        return NULL;
    }
    session->serial = scene->number;
    session->user = (int)play_dice(scene, MODEL_USERS);
    session->shape = shape;
    session->kind =
        shape == SHAPE_GSSAPI ? NULL : draw_kind(scene, session->user);
    session->is_remote =
        shape == SHAPE_SSHD || shape == SHAPE_KEYBOARD || shape == SHAPE_GSSAPI;
    session->is_faulty = is_faulty;
    session->is_renewable = !play_one_in(scene, 4);
    play_touch(scene, session->user);
    start_host(session);
    return session;
}

/* sshd has got tickets from the client, and says where they are. */
static void
bring_tickets(struct scene_of_model *scene, struct model_session *session)
{
    struct actor_order order = {.deed = ACTOR_KINIT,
                                .lifetimes = {36000, 604800}};
    struct model_cache *cache = NULL;
    struct actor_answer answer;

    (void)snprintf(order.principal, sizeof(order.principal), "%s",
                   model_users[session->user]);
    (void)snprintf(order.text, sizeof(order.text),
                   "FILE:/tmp/home/%s/delegated_%u", model_users[session->user],
                   session->serial);
    answer = play_tell(session, &order);
    HOLDS(answer.code == 0, "no delegated tickets");
    cache = model_cache(&scene->model, session->user, NULL, order.text);
    model_replaced(cache, true);
    order.deed = ACTOR_NAME_CACHE;
    (void)play_tell(session, &order);
    memcpy(session->variable, order.text, sizeof(session->variable));
}

/* The calls behind a password, in the order of the session's shape. */
static void
begin_session(struct scene_of_model *scene, struct model_session *session,
              enum doom doom)
{
    const struct actor_order again = {.deed = ACTOR_SETCRED,
                                      .flags = PAM_REINITIALIZE_CRED};

    if (session->shape != SHAPE_LOGIN) {
        set_cred(scene, session, doom);
        if (!session->has_host || play_one_in(scene, 8)) {
            return;
        }
        open_session(scene, session,
                     play_is_in_keyring(session) ? doom : DOOM_NONE);
        return;
    }
    open_session(scene, session, doom);
    if (!session->has_host) {
        return;
    }
    set_cred(scene, session, DOOM_NONE);
    if (session->cache != NULL) {
        play_in_vain(session, &again);
    }
}

static enum shape
draw_shape(struct scene_of_model *scene)
{
    static const enum shape shapes[] = {
        SHAPE_SSHD,  SHAPE_SSHD, SHAPE_SSHD, SHAPE_KEYBOARD, SHAPE_LOGIN,
        SHAPE_LOGIN, SHAPE_SU,   SHAPE_SU,   SHAPE_CRON,     SHAPE_GSSAPI};

    return shapes[play_dice(scene, sizeof(shapes) / sizeof(shapes[0]))];
}

static bool
has_password(enum shape shape)
{
    return shape != SHAPE_CRON && shape != SHAPE_GSSAPI;
}

bool
step_log_in(struct scene_of_model *scene)
{
    struct model_session *session =
        new_session(scene, draw_shape(scene), play_one_in(scene, 3));

    if (session == NULL) {
        return false;
    }
    if (session->shape == SHAPE_GSSAPI) {
        bring_tickets(scene, session);
    }
    if (has_password(session->shape)) {
        authenticate(scene, session, false, DOOM_NONE);
    }
    check_account(session);
    begin_session(scene, session, DOOM_NONE);
    if (session->cache != NULL && session->cache->kind != NULL) {
        reality_assert_owned(session->cache);
    }
    return true;
}

bool
step_mistype(struct scene_of_model *scene)
{
    enum shape shape = play_one_in(scene, 2) ? SHAPE_SSHD : SHAPE_LOGIN;
    struct model_session *session = new_session(scene, shape, false);

    if (session == NULL) {
        return false;
    }
    authenticate(scene, session, true, DOOM_NONE);
    check_account(session);
    if (play_one_in(scene, 2)) {
        /* Once more, and right. */
        authenticate(scene, session, false, DOOM_NONE);
        begin_session(scene, session, DOOM_NONE);
    }
    return true;
}

/* The login fails at the account step of another module, or later. */
bool
step_fail_later(struct scene_of_model *scene)
{
    static const enum shape shapes[] = {SHAPE_SSHD, SHAPE_KEYBOARD, SHAPE_LOGIN,
                                        SHAPE_SU};
    struct model_session *session =
        new_session(scene, shapes[play_dice(scene, 4)], play_one_in(scene, 3));

    if (session == NULL) {
        return false;
    }
    authenticate(scene, session, false, DOOM_NONE);
    return true;
}

static bool
log_in_with(struct scene_of_model *scene, enum doom doom)
{
    bool in_auth = play_one_in(scene, 3);
    enum shape shape = play_one_in(scene, 2)   ? SHAPE_SSHD
                       : play_one_in(scene, 2) ? SHAPE_LOGIN
                                               : SHAPE_SU;
    struct model_session *session = new_session(scene, shape, true);

    if (session == NULL) {
        return false;
    }
    if (in_auth && doom == DOOM_HELPER && play_one_in(scene, 2)) {
        doom = DOOM_EXCHANGE;
    }
    authenticate(scene, session, false, in_auth ? doom : DOOM_NONE);
    if (session->has_host && session->has_tickets) {
        begin_session(scene, session, in_auth ? DOOM_NONE : doom);
    }
    return true;
}

bool
step_kill_helper_in_login(struct scene_of_model *scene)
{
    return log_in_with(scene, DOOM_HELPER);
}

bool
step_kill_host_in_login(struct scene_of_model *scene)
{
    return log_in_with(scene, DOOM_HOST);
}

/* It has authenticated, and goes on only now, while its stash is there. */
static bool
is_waiting(const struct model_session *session)
{
    return session->has_host && play_now_s() - session->began < PATIENCE_S &&
           session->cache == NULL && !session->is_open &&
           (session->has_blob || *session->stash != '\0');
}

bool
step_go_on(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, is_waiting);

    if (session == NULL) {
        return false;
    }
    begin_session(scene, session, DOOM_NONE);
    return true;
}
