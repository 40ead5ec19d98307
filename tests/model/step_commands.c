/* The krb5cc command. */
#include "model/play.h"

#include "admin/desk.h"
#include "model/journal.h"
#include "model/reality.h"

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
        play_take_away_brought(brought[i]);
    }
}

bool
step_reap(struct scene_of_model *scene)
{
    run_command("reap", (const char *const[3]){NULL}, false);
    reap_sessions(scene, REALITY_EVERYBODY);
    return true;
}

bool
step_reap_one_user(struct scene_of_model *scene)
{
    unsigned int user = play_dice(scene, MODEL_USERS);

    journal_note("--user %s", model_users[user]);
    run_command("reap",
                (const char *const[3]){"--user", model_users[user], NULL},
                false);
    reap_sessions(scene, 1U << user);
    scene->touched = REALITY_EVERYBODY;
    return true;
}

bool
step_reap_nothing(struct scene_of_model *scene)
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

bool
step_renew_all(struct scene_of_model *scene)
{
    struct model *model = &scene->model;
    bool may_fail = false;

    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &model->sessions[i];

        if (!session->in_use || !session->is_recorded || session->is_ended ||
            !model_lives(model, session)) {
            continue;
        }
        if (play_is_in_keyring(session)) {
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
