/* The table of steps. */
#include "model/steps.h"

#include "model/play.h"

const struct step steps[] = {
    {"log in", 24, step_log_in},
    {"mistype the password", 2, step_mistype},
    {"authenticate and fail later", 3, step_fail_later},
    {"go on with a login", 3, step_go_on},
    {"kill the helper in a login", 4, step_kill_helper_in_login},
    {"kill the host in a login", 4, step_kill_host_in_login},
    {"ESTABLISH in a forked child", 4, step_establish_in_child},
    {"REFRESH on the session's handle", 3, step_refresh_own},
    {"begin a process of the user's", 4, step_begin_life},
    {"end a process of the user's", 4, step_end_life},
    {"kdestroy", 2, step_kdestroy},
    {"kinit", 4, step_kinit},
    {"let tickets age", 6, step_age},
    {"let tickets expire", 2, step_expire},
    {"unlock as the user", 6, step_unlock_as_user},
    {"unlock as root", 5, step_unlock_as_root},
    {"kill the helper in an unlock", 2, step_kill_helper_in_unlock},
    {"kill the display manager in an unlock", 2, step_kill_host_in_unlock},
    {"renew by REFRESH", 5, step_renew},
    {"kill the helper in a renewal", 2, step_kill_helper_in_renewal},
    {"DELETE", 3, step_delete},
    {"close_session", 3, step_close_session},
    {"log out", 7, step_log_out},
    {"kill the helper in an end", 3, step_kill_helper_in_end},
    {"kill the host in an end", 3, step_kill_host_in_end},
    {"pam_end alone", 3, step_end},
    {"pam_end with PAM_DATA_SILENT", 3, step_end_silently},
    {"kill the host", 3, step_kill_host},
    {"kill all of a session", 3, step_kill_all},
    {"krb5cc reap", 8, step_reap},
    {"krb5cc reap --user", 2, step_reap_one_user},
    {"krb5cc reap --dry-run", 1, step_reap_nothing},
    {"krb5cc renew", 5, step_renew_all},
};

const size_t steps_count = sizeof(steps) / sizeof(steps[0]);

void
steps_finish(struct scene_of_model *scene)
{
    for (size_t i = 0; i < MODEL_SESSIONS; i++) {
        struct model_session *session = &scene->model.sessions[i];

        if (session->in_use && session->life != 0) {
            play_end_life(session);
        }
        if (session->in_use && session->has_host) {
            play_end_properly(scene, session);
        }
    }
    (void)step_reap(scene);
}
