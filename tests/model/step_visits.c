/* Visits: unlocks and renewals by hosts that come for that and go. */
#include "model/play.h"

#include <stdio.h>
#include <string.h>

#include "model/journal.h"
#include "model/reality.h"

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
        .password = play_one_in(scene, 4) ? VISIT_WRONG : VISIT_RIGHT,
        .flag =
            play_one_in(scene, 2) ? PAM_REINITIALIZE_CRED : PAM_REFRESH_CRED,
        .deletes = play_one_in(scene, 3),
    };

    (void)snprintf(visit.user, sizeof(visit.user), "%s", model_users[user]);
    journal_note("with the %s password, flag 0x%x%s",
                 visit.password == VISIT_WRONG ? "wrong" : "right",
                 (unsigned)visit.flag, visit.deletes ? ", DELETE" : "");
    return visit;
}

/* A locker that is the user, in the session. */
bool
step_unlock_as_user(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, play_has_cache);
    struct actor_order order = {.deed = ACTOR_VISIT};
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    order.visit = draw_visit(scene, session->user);
    order.visit.as_user = true;
    memcpy(order.visit.in_process, session->variable,
           sizeof(order.visit.in_process));
    answer = play_tell(session, &order);
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
        if (play_is_in_keyring(session)) {
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
    int user = (int)play_dice(scene, MODEL_USERS);
    struct visit visit = draw_visit(scene, user);
    struct visit_result result;
    bool came = false;
    int wanted = PAM_SUCCESS;

    play_touch(scene, user);
    journal_note("of %s", visit.user);
    visit.is_faulty = doom != DOOM_NONE;
    if (doom != DOOM_NONE) {
        visit.password = VISIT_RIGHT;
    }
    play_arm(scene, doom);
    result = visit_run(&visit);
    came = play_disarm(scene, doom);
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

bool
step_unlock_as_root(struct scene_of_model *scene)
{
    return unlock_with(scene, DOOM_NONE);
}

bool
step_kill_helper_in_unlock(struct scene_of_model *scene)
{
    return unlock_with(scene, DOOM_HELPER);
}

bool
step_kill_host_in_unlock(struct scene_of_model *scene)
{
    return unlock_with(scene, DOOM_HOST);
}

/* Whoever renews: a new handle without tickets of its own. */
static bool
can_be_renewed(const struct model_session *session)
{
    /* Another principal's tickets are nothing that a host may renew. */
    return play_has_cache(session) && !session->cache->is_foreign;
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

bool
step_renew(struct scene_of_model *scene)
{
    struct model_session *session = play_pick(scene, can_be_renewed);
    struct actor_order order = {.deed = ACTOR_VISIT};
    struct actor_answer answer;

    if (session == NULL) {
        return false;
    }
    order.visit = (struct visit){.as_user = play_one_in(scene, 2),
                                 .password = VISIT_NONE,
                                 .flag = PAM_REFRESH_CRED};
    (void)snprintf(order.visit.user, sizeof(order.visit.user), "%s",
                   model_users[session->user]);
    memcpy(order.visit.as_user ? order.visit.in_process : order.visit.in_pam,
           session->variable, sizeof(order.visit.in_pam));
    journal_note("as %s", order.visit.as_user ? "the user" : "root");
    answer = play_tell(session, &order);
    HOLDS(!answer.visit.is_dead, "who renews has died");
    check_visit("renewal", &answer.visit, PAM_SUCCESS, renewed(session->cache));
    return true;
}

static bool
can_be_renewed_from_outside(const struct model_session *session)
{
    return can_be_renewed(session) && !play_is_in_keyring(session) &&
           session->cache->exists && session->cache->is_renewable &&
           !session->cache->is_expired;
}

bool
step_kill_helper_in_renewal(struct scene_of_model *scene)
{
    struct model_session *session =
        play_pick(scene, can_be_renewed_from_outside);
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
    play_arm(scene, DOOM_HELPER);
    result = visit_run(&visit);
    came = play_disarm(scene, DOOM_HELPER);
    HOLDS(!result.is_dead, "who renews has died");
    if (!came || result.cred == PAM_SUCCESS) {
        check_visit("renewal", &result, PAM_SUCCESS, renewed(session->cache));
        return true;
    }
    check_visit("renewal", &result, PAM_SUCCESS, PAM_CRED_UNAVAIL);
    model_cut_off(session->cache, true);
    return true;
}
