/*
 * What can be done.  A step draws from the scene's dice, which begin anew with
 * each step, whom it is done to and how.
 */
#include "model/steps.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/desk.h"
#include "model/journal.h"
#include "model/reality.h"
#include "stack/common.h"
#include "support/shared.h"

#define STRANGER "nopreauth"

/* Arguments for tickets that can be renewed, and for others. */
#define RENEWABLE "ticket_lifetime=10h renew_lifetime=7d"
#define NOT_RENEWABLE "ticket_lifetime=1h"

/* So late a login may go on: a stash lives for two minutes. */
#define PATIENCE_S 90

/* A user has a quota of keys. */
#define KEYRING_SESSIONS_MAX 2

/* Who is to die in a call. */
enum doom { DOOM_NONE, DOOM_HELPER, DOOM_EXCHANGE, DOOM_HOST };

static const char *const shape_names[SHAPE_COUNT] = {
    "sshd",          "sshd by keyboard-interactive", "login", "su", "cron",
    "sshd by GSSAPI"};

static unsigned int
dice(struct scene_of_model *scene, unsigned int limit)
{
    return shared_dice(&scene->dice, limit);
}

static int64_t
now_s(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

static bool
one_in(struct scene_of_model *scene, unsigned int count)
{
    return dice(scene, count) == 0;
}

static void
touch(struct scene_of_model *scene, int user)
{
    scene->touched |= 1U << user;
}

/*
 * One of the sessions that CAN be picked, NULL where there is none.  By its
 * serial number and not by its place in the list: where a process that was to
 * die came a call further than the last time, the steps stay the same.
 */
static struct model_session *
pick(struct scene_of_model *scene,
     bool (*can)(const struct model_session *session))
{
    struct model_session *picked = NULL;
    unsigned int highest = 0;

    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &scene->model.sessions[i];
        uint64_t own_dice = scene->dice ^ ((uint64_t)session->serial << 16);
        unsigned int rank = 1 + shared_dice(&own_dice, UINT32_MAX - 1);

        if (session->in_use && can(session) && rank > highest) {
            highest = rank;
            picked = session;
        }
    }
    if (picked == NULL) {
        return NULL;
    }
    touch(scene, picked->user);
    journal_note("session %u (%s's by %s, %s)", picked->serial,
                 model_users[picked->user], shape_names[picked->shape],
                 picked->kind == NULL ? "a cache of its host's"
                                      : picked->kind->name);
    return picked;
}

static bool
has_host(const struct model_session *session)
{
    return session->has_host;
}

static bool
in_keyring(const struct model_session *session)
{
    return session->kind != NULL && session->kind->in_session;
}

/* Its user can get at its cache: it is named, and it is his. */
static bool
has_cache(const struct model_session *session)
{
    return session->has_host && session->cache != NULL &&
           *session->variable != '\0' && !session->must_end;
}

static bool
has_full_cache(const struct model_session *session)
{
    return has_cache(session) && session->cache->exists;
}

static bool
can_be_doomed(const struct model_session *session)
{
    return session->has_host && session->is_faulty;
}

/* Doom. */

/* Draws when DOOM comes; calls that are never made harm nobody. */
static void
arm(struct scene_of_model *scene, enum doom doom)
{
    static const struct {
        enum faults_family family;
        unsigned int limit;
    } moments[] = {
        {FAULTS_MESSAGES, 20}, {FAULTS_CALLS, 60}, {FAULTS_LIBKRB5, 1500}};
    struct faults_plan plan = {.deed = FAULTS_KILL};
    unsigned int moment = 0;

    if (doom == DOOM_NONE) {
        return;
    }
    plan.side = doom == DOOM_HELPER     ? FAULTS_HELPER
                : doom == DOOM_EXCHANGE ? FAULTS_EXCHANGE
                                        : FAULTS_MODULE;
    moment = dice(scene, doom == DOOM_HOST ? 2 : 3);
    plan.family = moments[moment].family;
    plan.nth = 1 + dice(scene, doom == DOOM_HOST && moment == 1
                                   ? 250
                                   : moments[moment].limit);
    faults_arm(scene->page, &plan);
}

/* Whether it has come. */
static bool
disarm(struct scene_of_model *scene, enum doom doom)
{
    if (doom == DOOM_NONE) {
        return false;
    }
    faults_disarm(scene->page);
    if (scene->page->hits == 0) {
        journal_note("(nobody died)");
        return false;
    }
    journal_note("(died at %s)", scene->page->call);
    return true;
}

/* Calls of a host. */

/* What is true of a host's environment after each call. */
static void
check_variables(const struct model_session *session,
                const struct actor_answer *answer)
{
    HOLDS(strcmp(answer->cache, session->variable) == 0,
          "KRB5CCNAME of the PAM environment is \"%s\", not \"%s\"; log:\n%s",
          answer->cache, session->variable, answer->log);
    HOLDS(strcmp(answer->stash, session->stash) == 0,
          "PAM_KRB5CC_STASH is \"%s\", not \"%s\"", answer->stash,
          session->stash);
}

static struct actor_answer
tell(struct model_session *session, const struct actor_order *order)
{
    struct actor_answer answer = actor_tell(&session->actor, order);

    HOLDS(!answer.is_dead, "the host has died");
    return answer;
}

static void
check_code(const char *call, const struct actor_answer *answer, int wanted)
{
    HOLDS(answer->code == wanted, "%s gave \"%s\", not \"%s\"; log:\n%s", call,
          pam_strerror(NULL, answer->code), pam_strerror(NULL, wanted),
          answer->log);
}

/* The stash that was made is known from here on. */
static void
remember_stash(struct scene_of_model *scene, struct model_session *session,
               const char *name)
{
    struct model *model = &scene->model;
    struct model_stash *stash = &model->stashes[model->stash_count];

    HOLDS(*name != '\0' && reality_has_stash(name), "nothing was stashed");
    session->began = now_s();
    if (model->stash_count < MODEL_STASHES) {
        *stash = (struct model_stash){.made = session->began};
        memcpy(stash->name, name, sizeof(stash->name));
        model->stash_count++;
    }
    memcpy(session->stash, name, sizeof(session->stash));
}

/* Its host has gone without having taken or dropped it, perhaps. */
static void
leave_stash(struct scene_of_model *scene, const char *name)
{
    for (size_t i = 0; i < scene->model.stash_count; i++) {
        struct model_stash *stash = &scene->model.stashes[i];

        stash->is_left |= strcmp(stash->name, name) == 0;
    }
}

/* The first setcred or open_session: what was authenticated afar is here. */
static void
take_stash(struct model_session *session)
{
    if (*session->stash != '\0' && !session->has_tickets) {
        model_authenticated(session, true);
    }
    *session->stash = '\0';
}

/* The cache NAME is on the record of a host that had not got it yet. */
static void
inherit(struct scene_of_model *scene, struct model_session *session,
        const char *name)
{
    const char *place =
        kinds_collection(session->kind, model_users[session->user]);
    struct model_cache *cache =
        model_cache(&scene->model, session->user, session->kind, name);

    cache->is_place = place != NULL && strcmp(place, name) == 0;
    if (!cache->is_place) {
        cache->certainty = PERHAPS;
        cache->would_be_renewable = session->is_renewable;
        cache->slack++;
    }
    session->cache = cache;
    session->is_unsettled = true;
}

/* The host has died in a call: what it has left is what the registry says. */
static void
lose_host(struct scene_of_model *scene, struct model_session *session)
{
    const char *name = NULL;

    reality_await_helpers();
    leave_stash(scene, session->stash);
    name = reality_record_of(session->pid);
    if (session->cache != NULL && session->cache->kind != NULL) {
        session->cache->certainty = PERHAPS;
        session->cache->slack++;
    }
    session->is_recorded = name != NULL;
    if (name != NULL &&
        (session->cache == NULL || strcmp(name, session->cache->name) != 0)) {
        inherit(scene, session, name);
    }
    model_lost_host(session);
    journal_note("(its host is dead%s%s)", name == NULL ? "" : ", left ",
                 name == NULL ? "" : name);
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

    arm(scene, doom);
    answer = actor_tell(&session->actor, &order);
    came = disarm(scene, doom);
    if (answer.is_dead) {
        HOLDS(came && doom == DOOM_HOST, "the host has died");
        lose_host(scene, session);
        return;
    }
    if (came && answer.code != PAM_SUCCESS) {
        check_code("authenticate without a helper", &answer,
                   PAM_AUTHINFO_UNAVAIL);
    } else {
        check_code("authenticate", &answer,
                   is_wrong ? PAM_AUTH_ERR : PAM_SUCCESS);
    }
    model_authenticated(session, answer.code == PAM_SUCCESS && !is_far);
    if (answer.code == PAM_SUCCESS) {
        remember_stash(scene, session, answer.stash);
    }
    check_variables(session, &answer);
}

static void
check_account(struct model_session *session)
{
    struct actor_answer answer =
        tell(session, &(struct actor_order){.deed = ACTOR_ACCOUNT});

    check_code("acct_mgmt", &answer,
               session->has_tickets ? PAM_SUCCESS : PAM_IGNORE);
    check_variables(session, &answer);
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
           session->kind != NULL && (!in_keyring(session) || is_open_session);
}

/* What there was to be shared is whole, with the old or the new tickets. */
static void
cut_off_shared(struct scene_of_model *scene,
               const struct model_session *session)
{
    if (!session->kind->is_shared || in_keyring(session)) {
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
    take_stash(session);
    makes = is_to_make(session, is_open_session);
    arm(scene, doom);
    answer = actor_tell(&session->actor, order);
    came = disarm(scene, doom);
    if (answer.is_dead) {
        HOLDS(came && doom == DOOM_HOST, "the host has died");
        leave_stash(scene, stash);
        if (makes) {
            cut_off_shared(scene, session);
        }
        lose_host(scene, session);
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
    check_code(is_open_session ? "open_session" : "setcred", &answer, wanted);
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
    check_variables(session, &answer);
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

    if (in_keyring(session) && !session->has_keyring) {
        (void)tell(session, &(struct actor_order){.deed = ACTOR_JOIN_SESSION});
        session->has_keyring = true;
    }
    establish(scene, session, &order, PAM_IGNORE, doom);
}

/* A call that is to change nothing. */
static void
call_in_vain(struct model_session *session, const struct actor_order *order)
{
    struct actor_answer answer;

    take_stash(session);
    answer = tell(session, order);
    check_code("a call that has nothing to do", &answer, PAM_SUCCESS);
    check_variables(session, &answer);
}

/* Logins. */

/* Whether KIND shares what OTHER keeps apart, or the other way round. */
static bool
is_at_odds(const struct kind *kind, const struct kind *other)
{
    return other != NULL && kind->is_shared != other->is_shared &&
           model_same_place(kind, other);
}

/*
 * Whether USER has sessions, or what is left of them, that KIND clashes with: a
 * session that shares a collection would share the caches that others have in
 * it for their own.  And keys have a quota.
 */
static bool
clashes(const struct scene_of_model *scene, int user, const struct kind *kind)
{
    unsigned int keyrings = 0;

    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &scene->model.sessions[i];

        if (session->in_use && session->user == user &&
            is_at_odds(kind, session->kind)) {
            return true;
        }
    }
    for (size_t i = 0; i < MODEL_CACHES; i++) {
        const struct model_cache *cache = &scene->model.caches[i];

        if (!cache->in_use || cache->user != user || cache->kind == NULL) {
            continue;
        }
        if (is_at_odds(kind, cache->kind)) {
            return true;
        }
        keyrings += cache->kind->family == KIND_KEYRING;
    }
    return kind->family == KIND_KEYRING && keyrings >= KEYRING_SESSIONS_MAX;
}

static const struct kind *
draw_kind(struct scene_of_model *scene, int user)
{
    unsigned int count = (unsigned int)reality_kind_count();
    unsigned int first = dice(scene, count);

    for (unsigned int i = 0; i < count; i++) {
        const struct kind *kind = reality_kind((first + i) % count);

        if (!clashes(scene, user, kind)) {
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
                   session->is_renewable ? RENEWABLE : NOT_RENEWABLE);
    start->is_remote = session->is_remote;
    start->is_faulty = session->is_faulty;
    (void)tell(session, &order);
    journal_note("session %u (%s's by %s%s, %s)", session->serial,
                 model_users[session->user], shape_names[session->shape],
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
    session->user = (int)dice(scene, MODEL_USERS);
    session->shape = shape;
    session->kind =
        shape == SHAPE_GSSAPI ? NULL : draw_kind(scene, session->user);
    session->is_remote =
        shape == SHAPE_SSHD || shape == SHAPE_KEYBOARD || shape == SHAPE_GSSAPI;
    session->is_faulty = is_faulty;
    session->is_renewable = !one_in(scene, 4);
    touch(scene, session->user);
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
    answer = tell(session, &order);
    HOLDS(answer.code == 0, "no delegated tickets");
    cache = model_cache(&scene->model, session->user, NULL, order.text);
    model_replaced(cache, true);
    order.deed = ACTOR_NAME_CACHE;
    (void)tell(session, &order);
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
        if (!session->has_host || one_in(scene, 8)) {
            return;
        }
        open_session(scene, session, in_keyring(session) ? doom : DOOM_NONE);
        return;
    }
    open_session(scene, session, doom);
    if (!session->has_host) {
        return;
    }
    set_cred(scene, session, DOOM_NONE);
    if (session->cache != NULL) {
        call_in_vain(session, &again);
    }
}

static enum shape
draw_shape(struct scene_of_model *scene)
{
    static const enum shape shapes[] = {
        SHAPE_SSHD,  SHAPE_SSHD, SHAPE_SSHD, SHAPE_KEYBOARD, SHAPE_LOGIN,
        SHAPE_LOGIN, SHAPE_SU,   SHAPE_SU,   SHAPE_CRON,     SHAPE_GSSAPI};

    return shapes[dice(scene, sizeof(shapes) / sizeof(shapes[0]))];
}

static bool
has_password(enum shape shape)
{
    return shape != SHAPE_CRON && shape != SHAPE_GSSAPI;
}

static bool
log_in(struct scene_of_model *scene)
{
    struct model_session *session =
        new_session(scene, draw_shape(scene), one_in(scene, 3));

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

static bool
mistype(struct scene_of_model *scene)
{
    enum shape shape = one_in(scene, 2) ? SHAPE_SSHD : SHAPE_LOGIN;
    struct model_session *session = new_session(scene, shape, false);

    if (session == NULL) {
        return false;
    }
    authenticate(scene, session, true, DOOM_NONE);
    check_account(session);
    if (one_in(scene, 2)) {
        /* Once more, and right. */
        authenticate(scene, session, false, DOOM_NONE);
        begin_session(scene, session, DOOM_NONE);
    }
    return true;
}

/* The login fails at the account step of another module, or later. */
static bool
fail_later(struct scene_of_model *scene)
{
    static const enum shape shapes[] = {SHAPE_SSHD, SHAPE_KEYBOARD, SHAPE_LOGIN,
                                        SHAPE_SU};
    struct model_session *session =
        new_session(scene, shapes[dice(scene, 4)], one_in(scene, 3));

    if (session == NULL) {
        return false;
    }
    authenticate(scene, session, false, DOOM_NONE);
    return true;
}

static bool
log_in_with(struct scene_of_model *scene, enum doom doom)
{
    bool in_auth = one_in(scene, 3);
    enum shape shape = one_in(scene, 2)   ? SHAPE_SSHD
                       : one_in(scene, 2) ? SHAPE_LOGIN
                                          : SHAPE_SU;
    struct model_session *session = new_session(scene, shape, true);

    if (session == NULL) {
        return false;
    }
    if (in_auth && doom == DOOM_HELPER && one_in(scene, 2)) {
        doom = DOOM_EXCHANGE;
    }
    authenticate(scene, session, false, in_auth ? doom : DOOM_NONE);
    if (session->has_host && session->has_tickets) {
        begin_session(scene, session, in_auth ? DOOM_NONE : doom);
    }
    return true;
}

static bool
kill_helper_in_login(struct scene_of_model *scene)
{
    return log_in_with(scene, DOOM_HELPER);
}

static bool
kill_host_in_login(struct scene_of_model *scene)
{
    return log_in_with(scene, DOOM_HOST);
}

/* It has authenticated, and goes on only now, while its stash is there. */
static bool
is_waiting(const struct model_session *session)
{
    return session->has_host && now_s() - session->began < PATIENCE_S &&
           session->cache == NULL && !session->is_open &&
           (session->has_blob || *session->stash != '\0');
}

static bool
go_on(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, is_waiting);

    if (session == NULL) {
        return false;
    }
    begin_session(scene, session, DOOM_NONE);
    return true;
}

/* In the session. */

/* sshd's child, and one that forgets to say that it only has a copy. */
static bool
establish_in_child(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_cache);
    struct actor_order order = {.deed = ACTOR_SETCRED_FORKED,
                                .flags = PAM_ESTABLISH_CRED};

    if (session == NULL) {
        return false;
    }
    order.is_loud = one_in(scene, 2);
    call_in_vain(session, &order);
    return true;
}

/* Handles of sessions have nothing to put in their caches any more. */
static bool
refresh_own(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_cache);
    struct actor_order order = {.deed = ACTOR_SETCRED};

    if (session == NULL || session->shape == SHAPE_GSSAPI) {
        return false;
    }
    order.flags = one_in(scene, 2) ? PAM_REFRESH_CRED : PAM_REINITIALIZE_CRED;
    if (one_in(scene, 4)) {
        order.flags = PAM_ESTABLISH_CRED;
    }
    journal_note("flag 0x%x", (unsigned)order.flags);
    call_in_vain(session, &order);
    return true;
}

static bool
begin_life(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_host);
    struct actor_answer answer;

    if (session == NULL || session->life != 0) {
        return false;
    }
    answer = tell(session, &(struct actor_order){.deed = ACTOR_LIVE});
    HOLDS(answer.pid > 0, "no process of the user's");
    session->life = answer.pid;
    return true;
}

static bool
has_life(const struct model_session *session)
{
    return session->life != 0;
}

static void
end_one_life(struct model_session *session)
{
    reality_kill(session->life);
    session->life = 0;
}

static bool
end_life(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_life);

    if (session == NULL) {
        return false;
    }
    end_one_life(session);
    return true;
}

/* What the user does with his cache. */

static bool
kdestroy(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_full_cache);
    struct actor_order order = {.deed = ACTOR_KDESTROY};
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    memcpy(order.text, session->variable, sizeof(order.text));
    answer = tell(session, &order);
    HOLDS(answer.code == 0, "kdestroy of %s failed", order.text);
    session->cache->exists = false;
    session->cache->certainty = CERTAIN;
    return true;
}

static bool
kinit(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_cache);
    struct actor_order order = {.deed = ACTOR_KINIT};
    bool is_foreign = false;
    bool is_renewable = false;
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    is_foreign = one_in(scene, 2);
    is_renewable = !one_in(scene, 3);
    order.lifetimes[0] = is_renewable ? 36000 : 3600;
    order.lifetimes[1] = is_renewable ? 604800 : -1;
    (void)snprintf(order.principal, sizeof(order.principal), "%s",
                   is_foreign ? STRANGER : model_users[session->user]);
    memcpy(order.text, session->variable, sizeof(order.text));
    answer = tell(session, &order);
    HOLDS(answer.code == 0, "kinit into %s failed", order.text);
    model_replaced(session->cache, is_renewable);
    session->cache->is_foreign = is_foreign;
    journal_note("as %s%s", order.principal, is_renewable ? ", renewable" : "");
    return true;
}

static bool
shift(struct scene_of_model *scene, enum actor_shift shift,
      bool (*can)(const struct model_session *session))
{
    struct model_session *session = pick(scene, can);
    struct actor_order order = {.deed = ACTOR_SHIFT, .shift = shift};
    struct actor_answer answer;

    if (session == NULL || session->cache->is_aged ||
        session->cache->is_expired) {
        return false;
    }
    memcpy(order.text, session->variable, sizeof(order.text));
    answer = tell(session, &order);
    HOLDS(answer.code == 0, "the times of %s cannot be changed", order.text);
    session->cache->is_aged = shift == SHIFT_AGED;
    session->cache->is_expired = shift == SHIFT_EXPIRED;
    return true;
}

static bool
age(struct scene_of_model *scene)
{
    return shift(scene, SHIFT_AGED, has_full_cache);
}

/* The kernel takes keys away whose tickets have expired. */
static bool
can_expire(const struct model_session *session)
{
    return has_full_cache(session) &&
           (session->kind == NULL || session->kind->family != KIND_KEYRING);
}

static bool
expire(struct scene_of_model *scene)
{
    return shift(scene, SHIFT_EXPIRED, can_expire);
}

/* Visits. */

static void
check_visit(const char *what, const struct visit_result *result, int auth,
            int cred)
{
    HOLDS(result->auth == auth && result->cred == cred,
          "%s: authenticate gave \"%s\", setcred \"%s\", not \"%s\" and "
          "\"%s\"; log:\n%s",
          what, pam_strerror(NULL, result->auth),
          pam_strerror(NULL, result->cred), pam_strerror(NULL, auth),
          pam_strerror(NULL, cred), result->log);
    HOLDS(result->deleted == PAM_SUCCESS && result->closed == PAM_SUCCESS,
          "%s: DELETE gave \"%s\", close_session \"%s\"; log:\n%s", what,
          pam_strerror(NULL, result->deleted),
          pam_strerror(NULL, result->closed), result->log);
}

static struct visit
draw_visit(struct scene_of_model *scene, int user)
{
    struct visit visit = {
        .password = one_in(scene, 4) ? VISIT_WRONG : VISIT_RIGHT,
        .flag = one_in(scene, 2) ? PAM_REINITIALIZE_CRED : PAM_REFRESH_CRED,
        .deletes = one_in(scene, 3),
    };

    (void)snprintf(visit.user, sizeof(visit.user), "%s", model_users[user]);
    journal_note("with the %s password, flag 0x%x%s",
                 visit.password == VISIT_WRONG ? "wrong" : "right",
                 (unsigned)visit.flag, visit.deletes ? ", DELETE" : "");
    return visit;
}

/* A locker that is the user, in the session. */
static bool
unlock_as_user(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_cache);
    struct actor_order order = {.deed = ACTOR_VISIT};
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    order.visit = draw_visit(scene, session->user);
    order.visit.as_user = true;
    memcpy(order.visit.in_process, session->variable,
           sizeof(order.visit.in_process));
    answer = tell(session, &order);
    HOLDS(!answer.visit.is_dead, "the locker has died");
    if (order.visit.password == VISIT_WRONG) {
        check_visit("a locker", &answer.visit, PAM_AUTH_ERR, PAM_SUCCESS);
        return true;
    }
    check_visit("a locker", &answer.visit, PAM_SUCCESS,
                session->cache->exists && session->cache->is_foreign
                    ? PAM_CRED_ERR
                    : PAM_SUCCESS);
    if (!session->cache->exists || !session->cache->is_foreign) {
        model_replaced(session->cache, true);
    }
    return true;
}

/* Whose caches an unlock by root is for. */
static bool
is_local(const struct scene_of_model *scene,
         const struct model_session *session, int user)
{
    return session->in_use && session->user == user && session->is_recorded &&
           !session->is_ended && !session->is_remote &&
           session->cache->kind != NULL && !session->cache->is_place &&
           model_lives(&scene->model, session);
}

/*
 * New tickets in all of them; what setcred, which gave CODE, is to give: one
 * that was replaced is a success.  What it does about a session keyring, where
 * it cannot reach, no contract says, nor what comes of the others where one was
 * cut off.
 */
static int
unlock_all(struct scene_of_model *scene, int user, bool was_cut_off, int code)
{
    int wanted = PAM_SUCCESS;
    bool has_replaced = false;

    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &scene->model.sessions[i];

        if (!is_local(scene, session, user)) {
            continue;
        }
        if (in_keyring(session)) {
            wanted = code == PAM_CRED_ERR ? PAM_CRED_ERR : wanted;
        } else if (session->cache->exists && session->cache->is_foreign) {
            wanted = PAM_CRED_ERR;
        } else if (was_cut_off || session->is_unsettled) {
            model_cut_off(session->cache, true);
        } else {
            model_replaced(session->cache, true);
            has_replaced = true;
        }
    }
    if (was_cut_off) {
        return code;
    }
    return has_replaced ? PAM_SUCCESS : wanted;
}

static bool
unlock_with(struct scene_of_model *scene, enum doom doom)
{
    int user = (int)dice(scene, MODEL_USERS);
    struct visit visit = draw_visit(scene, user);
    struct visit_result result;
    bool came = false;
    int wanted = PAM_SUCCESS;

    touch(scene, user);
    journal_note("of %s", visit.user);
    visit.is_faulty = doom != DOOM_NONE;
    if (doom != DOOM_NONE) {
        visit.password = VISIT_RIGHT;
    }
    arm(scene, doom);
    result = visit_run(&visit);
    came = disarm(scene, doom);
    if (result.is_dead) {
        HOLDS(came && doom == DOOM_HOST, "the display manager has died");
        reality_await_helpers();
        (void)unlock_all(scene, user, true, PAM_SUCCESS);
        return true;
    }
    if (visit.password == VISIT_WRONG) {
        check_visit("unlock", &result, PAM_AUTH_ERR, PAM_SUCCESS);
        return true;
    }
    if (came && result.auth != PAM_SUCCESS) {
        check_visit("unlock", &result, PAM_AUTHINFO_UNAVAIL, PAM_SUCCESS);
        return true;
    }
    wanted = unlock_all(scene, user, came, result.cred);
    HOLDS(wanted == PAM_SUCCESS || wanted == PAM_CRED_ERR, "unlock gave %d",
          wanted);
    check_visit("unlock", &result, PAM_SUCCESS, wanted);
    return true;
}

static bool
unlock_as_root(struct scene_of_model *scene)
{
    return unlock_with(scene, DOOM_NONE);
}

static bool
kill_helper_in_unlock(struct scene_of_model *scene)
{
    return unlock_with(scene, DOOM_HELPER);
}

static bool
kill_host_in_unlock(struct scene_of_model *scene)
{
    return unlock_with(scene, DOOM_HOST);
}

/* Whoever renews: a new handle without tickets of its own. */
static bool
can_be_renewed(const struct model_session *session)
{
    /* Another principal's tickets are nothing that a host may renew. */
    return has_cache(session) && !session->cache->is_foreign;
}

static int
renewed(struct model_cache *cache)
{
    if (!cache->exists) {
        return PAM_SUCCESS;
    }
    if (cache->is_expired) {
        return PAM_CRED_EXPIRED;
    }
    if (!cache->is_renewable) {
        return PAM_CRED_UNAVAIL;
    }
    model_replaced(cache, true);
    return PAM_SUCCESS;
}

static bool
renew(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, can_be_renewed);
    struct actor_order order = {.deed = ACTOR_VISIT};
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    order.visit = (struct visit){.as_user = one_in(scene, 2),
                                 .password = VISIT_NONE,
                                 .flag = PAM_REFRESH_CRED};
    (void)snprintf(order.visit.user, sizeof(order.visit.user), "%s",
                   model_users[session->user]);
    memcpy(order.visit.as_user ? order.visit.in_process : order.visit.in_pam,
           session->variable, sizeof(order.visit.in_pam));
    journal_note("as %s", order.visit.as_user ? "the user" : "root");
    answer = tell(session, &order);
    HOLDS(!answer.visit.is_dead, "who renews has died");
    check_visit("renewal", &answer.visit, PAM_SUCCESS, renewed(session->cache));
    return true;
}

static bool
can_be_renewed_from_outside(const struct model_session *session)
{
    return can_be_renewed(session) && !in_keyring(session) &&
           session->cache->exists && session->cache->is_renewable &&
           !session->cache->is_expired;
}

static bool
kill_helper_in_renewal(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, can_be_renewed_from_outside);
    struct visit visit = {
        .password = VISIT_NONE, .is_faulty = true, .flag = PAM_REFRESH_CRED};
    struct visit_result result;
    bool came = false;

    if (session == NULL) {
        return false;
    }
    (void)snprintf(visit.user, sizeof(visit.user), "%s",
                   model_users[session->user]);
    memcpy(visit.in_pam, session->variable, sizeof(visit.in_pam));
    arm(scene, DOOM_HELPER);
    result = visit_run(&visit);
    came = disarm(scene, DOOM_HELPER);
    HOLDS(!result.is_dead, "who renews has died");
    if (!came || result.cred == PAM_SUCCESS) {
        check_visit("renewal", &result, PAM_SUCCESS, renewed(session->cache));
        return true;
    }
    check_visit("renewal", &result, PAM_SUCCESS, PAM_CRED_UNAVAIL);
    model_cut_off(session->cache, true);
    return true;
}

/* Ends. */

/* The host's own file: it takes it away when its session has gone. */
static void
take_away_brought(struct model_cache *cache)
{
    if (cache != NULL && cache->kind == NULL) {
        HOLDS(unlink(cache_path(cache->name)) == 0 || !cache->exists,
              "%s, which its host has made, is gone", cache->name);
        model_destroyed(cache);
    }
}

static bool
is_open(const struct model_session *session)
{
    return session->has_host && (session->is_open || session->cache != NULL);
}

/* DELETE or close_session. */
static void
leave(struct scene_of_model *scene, struct model_session *session,
      enum actor_deed deed, enum doom doom)
{
    const struct actor_order order = {.deed = deed, .flags = PAM_DELETE_CRED};
    struct model_cache *cache = session->cache;
    bool is_close = deed == ACTOR_CLOSE;
    struct actor_answer answer;
    bool came = false;

    if (!is_close) {
        take_stash(session);
    }
    arm(scene, doom);
    answer = actor_tell(&session->actor, &order);
    came = disarm(scene, doom);
    if (answer.is_dead) {
        HOLDS(came && doom == DOOM_HOST, "the host has died");
        session->is_ended = false;
        lose_host(scene, session);
        return;
    }
    if (came && answer.code != PAM_SUCCESS) {
        check_code("the end", &answer,
                   is_close ? PAM_SESSION_ERR : PAM_CRED_ERR);
        *session->variable = '\0';
        session->must_end = true;
        session->is_ended = true;
        session->has_tickets = false;
        session->has_blob = false;
        cache->certainty = PERHAPS;
        cache->slack++;
    } else {
        check_code(is_close ? "close_session" : "DELETE", &answer, PAM_SUCCESS);
        model_left(&scene->model, session);
    }
    check_variables(session, &answer);
    if (session->cache == NULL) {
        if (cache != NULL && cache->kind == NULL) {
            take_away_brought(cache);
        }
    }
}

static bool delete (struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, is_open);

    if (session == NULL) {
        return false;
    }
    leave(scene, session, ACTOR_SETCRED, DOOM_NONE);
    return true;
}

static bool
close_session(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, is_open);

    if (session == NULL) {
        return false;
    }
    leave(scene, session, ACTOR_CLOSE, DOOM_NONE);
    session->is_open = false;
    return true;
}

/* Both, and pam_end: as most hosts do. */
static void
end_properly(struct scene_of_model *scene, struct model_session *session)
{
    leave(scene, session, ACTOR_CLOSE, DOOM_NONE);
    leave(scene, session, ACTOR_SETCRED, DOOM_NONE);
    (void)tell(session, &(struct actor_order){.deed = ACTOR_END});
    model_lost_host(session);
}

static bool
log_out(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, is_open);

    if (session == NULL) {
        return false;
    }
    end_properly(scene, session);
    return true;
}

static bool
can_end_with_doom(const struct model_session *session)
{
    return can_be_doomed(session) && has_full_cache(session) &&
           !in_keyring(session) && session->cache->kind != NULL;
}

static bool
end_with(struct scene_of_model *scene, enum doom doom)
{
    struct model_session *session = pick(scene, can_end_with_doom);

    if (session == NULL) {
        return false;
    }
    leave(scene, session, one_in(scene, 2) ? ACTOR_CLOSE : ACTOR_SETCRED, doom);
    return true;
}

static bool
kill_helper_in_end(struct scene_of_model *scene)
{
    return end_with(scene, DOOM_HELPER);
}

static bool
kill_host_in_end(struct scene_of_model *scene)
{
    return end_with(scene, DOOM_HOST);
}

/* Only pam_end, as after a login that has failed, or by who forgets. */
static void
only_end(struct scene_of_model *scene, struct model_session *session, int flags)
{
    struct model_cache *cache = session->cache;
    const struct actor_order order = {.deed = ACTOR_END, .flags = flags};
    bool is_silent = flags != 0;

    if (is_silent || !session->has_tickets) {
        /* A stash from afar is not this handle's. */
        leave_stash(scene, session->stash);
    }
    (void)tell(session, &order);
    if (!is_silent) {
        model_left(&scene->model, session);
        if (session->cache == NULL) {
            take_away_brought(cache);
        }
    }
    model_lost_host(session);
}

static bool
end(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_host);

    if (session == NULL) {
        return false;
    }
    only_end(scene, session, 0);
    return true;
}

static bool
end_silently(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_host);

    if (session == NULL) {
        return false;
    }
    only_end(scene, session, PAM_DATA_SILENT);
    return true;
}

/* Deaths. */

static void
kill_one(struct scene_of_model *scene, struct model_session *session)
{
    leave_stash(scene, session->stash);
    actor_kill(&session->actor);
    model_lost_host(session);
}

static bool
kill_host(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_host);

    if (session == NULL) {
        return false;
    }
    kill_one(scene, session);
    return true;
}

static bool
kill_all(struct scene_of_model *scene)
{
    struct model_session *session = pick(scene, has_host);

    if (session == NULL) {
        return false;
    }
    if (session->life != 0) {
        end_one_life(session);
    }
    kill_one(scene, session);
    return true;
}

/* The command. */

/* Runs krb5cc NAME with the words MORE, which end in NULL. */
static void
run_command(const char *name, const char *const more[3], bool may_fail)
{
    const char *const words[] = {"krb5cc",   name,           "--verbose",
                                 "--helper", stack_helper(), more[0],
                                 more[1],    more[2],        NULL};
    int status = desk_run_bare(0, words);

    HOLDS(status == 0 || (may_fail && status == 1),
          "krb5cc %s ended with %d:\n%.1500s%.1500s", name, status,
          desk_output(), desk_errors());
}

/* What `krb5cc reap` is to do about the sessions of USERS, a bit each. */
static void
reap_sessions(struct scene_of_model *scene, unsigned int users)
{
    struct model *model = &scene->model;
    struct model_cache *brought[MODEL_SESSIONS];
    size_t count = 0;

    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &model->sessions[i];

        if (session->in_use && session->is_recorded &&
            (users & 1U << session->user) != 0 &&
            (session->is_ended || !model_lives(model, session))) {
            if (session->cache->kind == NULL) {
                brought[count++] = session->cache;
            }
            model_reaped(model, session);
        }
    }
    for (size_t i = 0; i < MODEL_CACHES; i++) {
        struct model_cache *cache = &model->caches[i];

        if (cache->in_use && cache->is_left_to_reap &&
            (users & 1U << cache->user) != 0) {
            cache->is_left_to_reap = false;
            if (!model_is_held(model, cache, NULL)) {
                model_destroyed(cache);
            }
        }
    }
    /* Their hosts are gone, but they were not for reap to take. */
    reality_compare(model, users);
    for (size_t i = 0; i < count; i++) {
        take_away_brought(brought[i]);
    }
}

static bool
reap(struct scene_of_model *scene)
{
    run_command("reap", (const char *const[3]){NULL}, false);
    reap_sessions(scene, REALITY_EVERYBODY);
    return true;
}

static bool
reap_one_user(struct scene_of_model *scene)
{
    unsigned int user = dice(scene, MODEL_USERS);

    journal_note("--user %s", model_users[user]);
    run_command("reap",
                (const char *const[3]){"--user", model_users[user], NULL},
                false);
    reap_sessions(scene, 1U << user);
    scene->touched = REALITY_EVERYBODY;
    return true;
}

static bool
reap_nothing(struct scene_of_model *scene)
{
    run_command("reap", (const char *const[3]){"--dry-run", NULL}, false);
    scene->touched = REALITY_EVERYBODY;
    return true;
}

/* Whether `krb5cc renew` is to have new tickets for CACHE. */
static bool
is_due(const struct model_cache *cache)
{
    return cache->exists && cache->is_aged && !cache->is_expired &&
           cache->is_renewable;
}

static bool
renew_all(struct scene_of_model *scene)
{
    struct model *model = &scene->model;
    bool may_fail = false;

    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &model->sessions[i];

        if (!session->in_use || !session->is_recorded || session->is_ended ||
            !model_lives(model, session)) {
            continue;
        }
        if (in_keyring(session)) {
            /* Where it cannot reach; no contract says what that is. */
            may_fail = true;
        } else if (is_due(session->cache)) {
            bool is_foreign = session->cache->is_foreign;

            model_replaced(session->cache, true);
            session->cache->is_foreign = is_foreign;
        }
    }
    run_command("renew", (const char *const[3]){NULL}, may_fail);
    scene->touched = REALITY_EVERYBODY;
    return true;
}

const struct step steps[] = {
    {"log in", 24, log_in},
    {"mistype the password", 2, mistype},
    {"authenticate and fail later", 3, fail_later},
    {"go on with a login", 3, go_on},
    {"kill the helper in a login", 4, kill_helper_in_login},
    {"kill the host in a login", 4, kill_host_in_login},
    {"ESTABLISH in a forked child", 4, establish_in_child},
    {"REFRESH on the session's handle", 3, refresh_own},
    {"begin a process of the user's", 4, begin_life},
    {"end a process of the user's", 4, end_life},
    {"kdestroy", 2, kdestroy},
    {"kinit", 4, kinit},
    {"let tickets age", 6, age},
    {"let tickets expire", 2, expire},
    {"unlock as the user", 6, unlock_as_user},
    {"unlock as root", 5, unlock_as_root},
    {"kill the helper in an unlock", 2, kill_helper_in_unlock},
    {"kill the display manager in an unlock", 2, kill_host_in_unlock},
    {"renew by REFRESH", 5, renew},
    {"kill the helper in a renewal", 2, kill_helper_in_renewal},
    {"DELETE", 3, delete},
    {"close_session", 3, close_session},
    {"log out", 7, log_out},
    {"kill the helper in an end", 3, kill_helper_in_end},
    {"kill the host in an end", 3, kill_host_in_end},
    {"pam_end alone", 3, end},
    {"pam_end with PAM_DATA_SILENT", 3, end_silently},
    {"kill the host", 3, kill_host},
    {"kill all of a session", 3, kill_all},
    {"krb5cc reap", 8, reap},
    {"krb5cc reap --user", 2, reap_one_user},
    {"krb5cc reap --dry-run", 1, reap_nothing},
    {"krb5cc renew", 5, renew_all},
};

const size_t steps_count = sizeof(steps) / sizeof(steps[0]);

void
steps_finish(struct scene_of_model *scene)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &scene->model.sessions[i];

        if (session->in_use && session->life != 0) {
            end_one_life(session);
        }
        if (session->in_use && session->has_host) {
            end_properly(scene, session);
        }
    }
    (void)reap(scene);
}
