/* The story of pam_sm_chauthtok. */
#ifndef PAM_PASSWORD_H
#define PAM_PASSWORD_H

#include "pam/errand.h"

/*
 * Changes the user's Kerberos password, in the two halves of pam_chauthtok(3):
 * PAM_PRELIM_CHECK asks for the current password, tries it at a KDC and keeps
 * it as PAM_OLDAUTHTOK; PAM_UPDATE_AUTHTOK asks for the new one (use_authtok:
 * takes PAM_AUTHTOK), has it changed, and leaves it as PAM_AUTHTOK.  Where that
 * is what authenticate has left to the host (defer_pwchange), the tickets that
 * it could not have are got with it.  A user who is not ours is asked for a new
 * password all the same, for the modules behind: OUTCOME_NOT_OURS.
 */
enum outcome password_change(struct host *host);

/*
 * For authentication too, where the password has expired: whether PROMPTS are
 * the exchange's question for a new one, and the user's answer to it.
 * PAM_AUTHTOK stays what it was: modules behind may need it to open what is
 * locked with it.
 */
bool password_is_asked(const struct prompts *prompts);
enum outcome password_answer(struct host *host, const struct prompts *prompts,
                             struct bytes *payload);

/* Tells the user why OUTCOME of ERRAND, where it is about the new password. */
void password_explain(const struct errand *errand, enum outcome outcome);

#endif
