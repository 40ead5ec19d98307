/* In the session: children of its host, and what its user does. */
#include "model/play.h"

#include <stdio.h>
#include <string.h>

#include "model/journal.h"
#include "model/reality.h"

/* sshd's child, and one that forgets to say that it only has a copy. */
bool
step_establish_in_child(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_cache);
    struct actor_order order = {.deed = ACTOR_SETCRED_FORKED,
                                .flags = PAM_ESTABLISH_CRED};

    if (session == NULL) {
        return false;
    }
    order.is_loud = play_one_in(scene, 2);
    play_in_vain(session, &order);
    return true;
}

/* Handles of sessions have nothing to put in their caches any more. */
bool
step_refresh_own(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_cache);
    struct actor_order order = {.deed = ACTOR_SETCRED};

    if (session == NULL || session->shape == SHAPE_GSSAPI) {
        return false;
    }
    order.flags =
        play_one_in(scene, 2) ? PAM_REFRESH_CRED : PAM_REINITIALIZE_CRED;
    if (play_one_in(scene, 4)) {
        order.flags = PAM_ESTABLISH_CRED;
    }
    journal_note("flag 0x%x", (unsigned)order.flags);
    play_in_vain(session, &order);
    return true;
}

bool
step_begin_life(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_host);
    struct actor_answer answer;

    if (session == NULL || session->life != 0) {
        return false;
    }
    answer = play_tell(session, &(struct actor_order){.deed = ACTOR_LIVE});
    HOLDS(answer.pid > 0, "no process of the user's");
    session->life = answer.pid;
    return true;
}

static bool
has_life(const struct model_session *session)
{
    return session->life != 0;
}

void
play_end_life(struct model_session *session)
{
    reality_kill(session->life);
    session->life = 0;
}

bool
step_end_life(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, has_life);

    if (session == NULL) {
        return false;
    }
    play_end_life(session);
    return true;
}

/* What the user does with his cache. */

bool
step_kdestroy(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_full_cache);
    struct actor_order order = {.deed = ACTOR_KDESTROY};
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    memcpy(order.text, session->variable, sizeof(order.text));
    answer = play_tell(session, &order);
    HOLDS(answer.code == 0, "kdestroy of %s failed", order.text);
    session->cache->exists = false;
    session->cache->certainty = CERTAIN;
    return true;
}

bool
step_kinit(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_cache);
    struct actor_order order = {.deed = ACTOR_KINIT};
    bool is_foreign = false;
    bool is_renewable = false;
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    is_foreign = play_one_in(scene, 2);
    is_renewable = !play_one_in(scene, 3);
    order.lifetimes[0] = is_renewable ? 36000 : 3600;
    order.lifetimes[1] = is_renewable ? 604800 : -1;
    (void)snprintf(order.principal, sizeof(order.principal), "%s",
                   is_foreign ? REALITY_STRANGER : model_users[session->user]);
    memcpy(order.text, session->variable, sizeof(order.text));
    answer = play_tell(session, &order);
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
    struct model_session *session = play_pick(scene, can);
    struct actor_order order = {.deed = ACTOR_SHIFT, .shift = shift};
    struct actor_answer answer;

    if (session == NULL || session->cache->is_aged ||
        session->cache->is_expired) {
        return false;
    }
    memcpy(order.text, session->variable, sizeof(order.text));
    answer = play_tell(session, &order);
    HOLDS(answer.code == 0, "the times of %s cannot be changed", order.text);
    session->cache->is_aged = shift == SHIFT_AGED;
    session->cache->is_expired = shift == SHIFT_EXPIRED;
    return true;
}

bool
step_age(struct scene_of_model *scene)
{
    return shift(scene, SHIFT_AGED, play_has_full_cache);
}

/* The kernel takes keys away whose tickets have expired. */
static bool
can_expire(const struct model_session *session)
{
    return play_has_full_cache(session) &&
           (session->kind == NULL || session->kind->family != KIND_KEYRING);
}

bool
step_expire(struct scene_of_model *scene)
{
    return shift(scene, SHIFT_EXPIRED, can_expire);
}
