/*
 * The six entry points.  Each begins the call, lets its story be told, and
 * gives the host the code of the outcome; nothing else happens here.
 */
#include <security/pam_modules.h>

#include "pam/auth.h"
#include "pam/cred.h"
#include "pam/host.h"
#include "pam/password.h"
#include "pam/session.h"

/* What is exported; all else is hidden. */
#define ENTRY __attribute__((visibility("default")))

/* An entry point: its arguments, as libpam gives them. */
struct entry {
    pam_handle_t *handle;
    int flags;
    int argc;
    const char **argv;
};

/* Tells STORY as CALL of the host that ENTRY is about. */
static int
tell(const struct entry *entry, enum call call,
     enum outcome (*story)(struct host *host))
{
    struct host host;
    enum outcome outcome = host_begin(&host, entry->handle, entry->flags,
                                      entry->argc, entry->argv);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = story(&host);
    }
    host_end(&host);
    return host_code(call, outcome);
}

ENTRY int
pam_sm_authenticate(pam_handle_t *handle, int flags, int argc,
                    const char **argv)
{
    return tell(&(struct entry){handle, flags, argc, argv}, CALL_AUTHENTICATE,
                auth_authenticate);
}

ENTRY int
pam_sm_acct_mgmt(pam_handle_t *handle, int flags, int argc, const char **argv)
{
    return tell(&(struct entry){handle, flags, argc, argv}, CALL_ACCOUNT,
                auth_account);
}

ENTRY int
pam_sm_setcred(pam_handle_t *handle, int flags, int argc, const char **argv)
{
    struct host host;
    enum call call = CALL_ESTABLISH;
    enum outcome outcome = host_begin(&host, handle, flags, argc, argv);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = cred_set(&host, &call);
    }
    host_end(&host);
    return host_code(call, outcome);
}

ENTRY int
pam_sm_open_session(pam_handle_t *handle, int flags, int argc,
                    const char **argv)
{
    return tell(&(struct entry){handle, flags, argc, argv}, CALL_OPEN,
                session_open);
}

ENTRY int
pam_sm_close_session(pam_handle_t *handle, int flags, int argc,
                     const char **argv)
{
    return tell(&(struct entry){handle, flags, argc, argv}, CALL_CLOSE,
                session_close);
}

ENTRY int
pam_sm_chauthtok(pam_handle_t *handle, int flags, int argc, const char **argv)
{
    bool is_update = ((unsigned int)flags & PAM_UPDATE_AUTHTOK) != 0;

    return tell(&(struct entry){handle, flags, argc, argv},
                is_update ? CALL_UPDATE : CALL_PRELIM, password_change);
}
