/* The story of pam_sm_chauthtok. */
#ifndef PAM_PASSWORD_H
#define PAM_PASSWORD_H

#include "pam/host.h"

/*
 * Changes the user's Kerberos password, in the two halves of pam_chauthtok(3):
 * PAM_PRELIM_CHECK asks for the current password, tries it at a KDC and keeps
 * it as PAM_OLDAUTHTOK; PAM_UPDATE_AUTHTOK asks for the new one (use_authtok:
 * takes PAM_AUTHTOK), has it changed, and leaves it as PAM_AUTHTOK.  A user who
 * is not ours is asked for a new password all the same, for the modules behind:
 * OUTCOME_NOT_OURS.
 */
enum outcome password_change(struct host *host);

#endif
