/* Dice, deaths, and what is true of every call of a host. */
#include "model/play.h"

#include <string.h>
#include <time.h>

#include "model/journal.h"
#include "model/reality.h"
#include "support/shared.h"

const char *const play_shape_names[SHAPE_COUNT] = {
    "sshd",          "sshd by keyboard-interactive", "login", "su", "cron",
    "sshd by GSSAPI"};

unsigned int
play_dice(struct scene_of_model *scene, unsigned int limit)
{
    return shared_dice(&scene->dice, limit);
}

int64_t
play_now_s(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

bool
play_one_in(struct scene_of_model *scene, unsigned int count)
{
    return play_dice(scene, count) == 0;
}

void
play_touch(struct scene_of_model *scene, int user)
{
    scene->touched |= 1U << user;
}

/*
 * One of the sessions that CAN be picked, NULL where there is none.  By its
 * serial number and not by its place in the list: where a process that was to
 * die came a call further than the last time, the steps stay the same.
 */
struct model_session *
play_pick(struct scene_of_model *scene,
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
    play_touch(scene, picked->user);
    journal_note("session %u (%s's by %s, %s)", picked->serial,
                 model_users[picked->user], play_shape_names[picked->shape],
                 picked->kind == NULL ? "a cache of its host's"
                                      : picked->kind->name);
    return picked;
}

bool
play_has_host(const struct model_session *session)
{
    return session->has_host;
}

bool
play_is_in_keyring(const struct model_session *session)
{
    return session->kind != NULL && session->kind->in_session;
}

/* Its user can get at its cache: it is named, and it is his. */
bool
play_has_cache(const struct model_session *session)
{
    return session->has_host && session->cache != NULL &&
           *session->variable != '\0' && !session->must_end;
}

bool
play_has_full_cache(const struct model_session *session)
{
    return play_has_cache(session) && session->cache->exists;
}

/* Doom. */

/* Draws when DOOM comes; calls that are never made harm nobody. */
void
play_arm(struct scene_of_model *scene, enum doom doom)
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
    moment = play_dice(scene, doom == DOOM_HOST ? 2 : 3);
    plan.family = moments[moment].family;
    plan.nth = 1 + play_dice(scene, doom == DOOM_HOST && moment == 1
                                        ? 250
                                        : moments[moment].limit);
    faults_arm(scene->page, &plan);
}

/* Whether it has come. */
bool
play_disarm(struct scene_of_model *scene, enum doom doom)
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
void
play_check_variables(const struct model_session *session,
                     const struct actor_answer *answer)
{
    HOLDS(strcmp(answer->cache, session->variable) == 0,
          "KRB5CCNAME of the PAM environment is \"%s\", not \"%s\"; log:\n%s",
          answer->cache, session->variable, answer->log);
    HOLDS(strcmp(answer->stash, session->stash) == 0,
          "PAM_KRB5CC_STASH is \"%s\", not \"%s\"", answer->stash,
          session->stash);
}

struct actor_answer
play_tell(struct model_session *session, const struct actor_order *order)
{
    struct actor_answer answer = actor_tell(&session->actor, order);

    HOLDS(!answer.is_dead, "the host has died");
    return answer;
}

void
play_check_code(const char *call, const struct actor_answer *answer, int wanted)
{
    HOLDS(answer->code == wanted, "%s gave \"%s\", not \"%s\"; log:\n%s", call,
          pam_strerror(NULL, answer->code), pam_strerror(NULL, wanted),
          answer->log);
}

/* Its host has gone without having taken or dropped it, perhaps. */
void
play_leave_stash(struct scene_of_model *scene, const char *name)
{
    for (size_t i = 0; i < scene->model.stash_count; i++) {
        struct model_stash *stash = &scene->model.stashes[i];

        stash->is_left |= strcmp(stash->name, name) == 0;
    }
}

/* The first setcred or open_session: what was authenticated afar is here. */
void
play_take_stash(struct model_session *session)
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
void
play_lose_host(struct scene_of_model *scene, struct model_session *session)
{
    const char *name = NULL;

    reality_await_helpers();
    play_leave_stash(scene, session->stash);
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

/* A call that is to change nothing. */
void
play_in_vain(struct model_session *session, const struct actor_order *order)
{
    struct actor_answer answer;

    play_take_stash(session);
    answer = play_tell(session, order);
    play_check_code("a call that has nothing to do", &answer, PAM_SUCCESS);
    play_check_variables(session, &answer);
}
