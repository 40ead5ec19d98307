/*
 * What all steps share: dice and targets, who is to die in a call, and what is
 * true of each call of a host.
 */
#ifndef MODEL_PLAY_H
#define MODEL_PLAY_H

#include "model/steps.h"

/* Arguments for tickets that can be renewed, and for others. */
#define PLAY_RENEWABLE "ticket_lifetime=10h renew_lifetime=7d"
#define PLAY_NOT_RENEWABLE "ticket_lifetime=1h"

/* Who is to die in a call. */
enum doom { DOOM_NONE, DOOM_HELPER, DOOM_EXCHANGE, DOOM_HOST };

extern const char *const play_shape_names[SHAPE_COUNT];

/* Below LIMIT; one time in COUNT. */
unsigned int play_dice(struct scene_of_model *scene, unsigned int limit);
bool play_one_in(struct scene_of_model *scene, unsigned int count);

/* CLOCK_MONOTONIC. */
int64_t play_now_s(void);

/* USER's caches are to be looked at. */
void play_touch(struct scene_of_model *scene, int user);

/*
 * One of the sessions that CAN be picked, NULL where there is none.  By its
 * serial number and not by its place in the list: where a process that was to
 * die came a call further than the last time, the steps stay the same.
 */
struct model_session *
play_pick(struct scene_of_model *scene,
          bool (*can)(const struct model_session *session));

bool play_has_host(const struct model_session *session);
bool play_is_in_keyring(const struct model_session *session);
/* Its user can get at its cache: it is named, and it is his. */
bool play_has_cache(const struct model_session *session);
/* And there is something in it. */
bool play_has_full_cache(const struct model_session *session);

/*
 * Draws when DOOM comes in the next call; play_disarm says whether it has.
 * Calls that are never made harm nobody.
 */
void play_arm(struct scene_of_model *scene, enum doom doom);
bool play_disarm(struct scene_of_model *scene, enum doom doom);

/* Has the host of SESSION do ORDER, and live. */
struct actor_answer play_tell(struct model_session *session,
                              const struct actor_order *order);
/* CALL has given the PAM code WANTED. */
void play_check_code(const char *call, const struct actor_answer *answer,
                     int wanted);
/* The PAM environment is as the model has it. */
void play_check_variables(const struct model_session *session,
                          const struct actor_answer *answer);

/* A call that is to change nothing. */
void play_in_vain(struct model_session *session,
                  const struct actor_order *order);

/* The first setcred or open_session: what was authenticated afar is here. */
void play_take_stash(struct model_session *session);
/* The host has gone without having taken or dropped the stash, perhaps. */
void play_leave_stash(struct scene_of_model *scene, const char *name);
/* The host has died in a call: what it has left is what the registry says. */
void play_lose_host(struct scene_of_model *scene,
                    struct model_session *session);

/* Ends of a process of the user's, of a session, of what its host has brought.
 */
void play_end_life(struct model_session *session);
void play_end_properly(struct scene_of_model *scene,
                       struct model_session *session);
void play_take_away_brought(struct model_cache *cache);

/* The steps; false where there is nothing to do it to. */
bool step_log_in(struct scene_of_model *scene);
bool step_mistype(struct scene_of_model *scene);
bool step_fail_later(struct scene_of_model *scene);
bool step_kill_helper_in_login(struct scene_of_model *scene);
bool step_kill_host_in_login(struct scene_of_model *scene);
bool step_go_on(struct scene_of_model *scene);
bool step_establish_in_child(struct scene_of_model *scene);
bool step_refresh_own(struct scene_of_model *scene);
bool step_begin_life(struct scene_of_model *scene);
bool step_end_life(struct scene_of_model *scene);
bool step_kdestroy(struct scene_of_model *scene);
bool step_kinit(struct scene_of_model *scene);
bool step_age(struct scene_of_model *scene);
bool step_expire(struct scene_of_model *scene);
bool step_unlock_as_user(struct scene_of_model *scene);
bool step_unlock_as_root(struct scene_of_model *scene);
bool step_kill_helper_in_unlock(struct scene_of_model *scene);
bool step_kill_host_in_unlock(struct scene_of_model *scene);
bool step_renew(struct scene_of_model *scene);
bool step_kill_helper_in_renewal(struct scene_of_model *scene);
bool step_delete(struct scene_of_model *scene);
bool step_close_session(struct scene_of_model *scene);
bool step_log_out(struct scene_of_model *scene);
bool step_kill_helper_in_end(struct scene_of_model *scene);
bool step_kill_host_in_end(struct scene_of_model *scene);
bool step_end(struct scene_of_model *scene);
bool step_end_silently(struct scene_of_model *scene);
bool step_kill_host(struct scene_of_model *scene);
bool step_kill_all(struct scene_of_model *scene);
bool step_reap(struct scene_of_model *scene);
bool step_reap_one_user(struct scene_of_model *scene);
bool step_reap_nothing(struct scene_of_model *scene);
bool step_renew_all(struct scene_of_model *scene);

#endif
