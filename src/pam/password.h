/* The story of pam_sm_chauthtok. */
#ifndef PAM_PASSWORD_H
#define PAM_PASSWORD_H

#include "pam/host.h"

/* Passwords are not changed by this version: always OUTCOME_NOT_OURS. */
enum outcome password_change(struct host *host);

#endif
