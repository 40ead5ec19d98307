/* Ends of sessions, in all the ways that hosts have, and deaths. */
#include "model/play.h"

#include <string.h>
#include <unistd.h>

#include "model/journal.h"
#include "support/cache.h"

/* The host's own file: it takes it away when its session has gone. */
void
play_take_away_brought(struct model_cache *cache)
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
        play_take_stash(session);
    }
    play_arm(scene, doom);
    answer = actor_tell(&session->actor, &order);
    came = play_disarm(scene, doom);
    if (answer.is_dead) {
        HOLDS(came && doom == DOOM_HOST, "the host has died");
        session->is_ended = false;
        play_lose_host(scene, session);
        return;
    }
    if (came && answer.code != PAM_SUCCESS) {
        play_check_code("the end", &answer,
                        is_close ? PAM_SESSION_ERR : PAM_CRED_ERR);
        *session->variable = '\0';
        session->must_end = true;
        session->is_ended = true;
        session->has_tickets = false;
        session->has_blob = false;
        cache->certainty = PERHAPS;
        cache->slack++;
    } else {
        play_check_code(is_close ? "close_session" : "DELETE", &answer,
                        PAM_SUCCESS);
        model_left(&scene->model, session);
    }
    play_check_variables(session, &answer);
    if (session->cache == NULL) {
        if (cache != NULL && cache->kind == NULL) {
            play_take_away_brought(cache);
        }
    }
}

bool
step_delete(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, is_open);

    if (session == NULL) {
        return false;
    }
    leave(scene, session, ACTOR_SETCRED, DOOM_NONE);
    return true;
}

bool
step_close_session(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, is_open);

    if (session == NULL) {
        return false;
    }
    leave(scene, session, ACTOR_CLOSE, DOOM_NONE);
    session->is_open = false;
    return true;
}

/* Both, and pam_end: as most hosts do. */
void
play_end_properly(struct scene_of_model *scene, struct model_session *session)
{
    leave(scene, session, ACTOR_CLOSE, DOOM_NONE);
    leave(scene, session, ACTOR_SETCRED, DOOM_NONE);
    (void)play_tell(session, &(struct actor_order){.deed = ACTOR_END});
    model_lost_host(session);
}

bool
step_log_out(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, is_open);

    if (session == NULL) {
        return false;
    }
    play_end_properly(scene, session);
    return true;
}

static bool
can_end_with_doom(const struct model_session *session)
{
    return session->is_faulty && play_has_full_cache(session) &&
           !play_is_in_keyring(session) && session->cache->kind != NULL;
}

static bool
end_with(struct scene_of_model *scene, enum doom doom)
{
    struct model_session *session = play_pick(scene, can_end_with_doom);

    if (session == NULL) {
        return false;
    }
    leave(scene, session, play_one_in(scene, 2) ? ACTOR_CLOSE : ACTOR_SETCRED,
          doom);
    return true;
}

bool
step_kill_helper_in_end(struct scene_of_model *scene)
{
    return end_with(scene, DOOM_HELPER);
}

bool
step_kill_host_in_end(struct scene_of_model *scene)
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
        play_leave_stash(scene, session->stash);
    }
    (void)play_tell(session, &order);
    if (!is_silent) {
        model_left(&scene->model, session);
        if (session->cache == NULL) {
            play_take_away_brought(cache);
        }
    }
    model_lost_host(session);
}

bool
step_end(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_host);

    if (session == NULL) {
        return false;
    }
    only_end(scene, session, 0);
    return true;
}

bool
step_end_silently(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_host);

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
    play_leave_stash(scene, session->stash);
    actor_kill(&session->actor);
    model_lost_host(session);
}

bool
step_kill_host(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_host);

    if (session == NULL) {
        return false;
    }
    kill_one(scene, session);
    return true;
}

bool
step_kill_all(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_host);

    if (session == NULL) {
        return false;
    }
    if (session->life != 0) {
        play_end_life(session);
    }
    kill_one(scene, session);
    return true;
}
