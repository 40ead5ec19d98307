/* Password change: not there yet, and it says so. */
#include "pam/password.h"

enum outcome
password_change(struct host *host)
{
    if ((host->flags & PAM_UPDATE_AUTHTOK) != 0) {
        log_line(&host->log, LOG_LEVEL_NOTICE,
                 "this version changes no Kerberos passwords: use kpasswd");
    }
    return OUTCOME_NOT_OURS;
}
