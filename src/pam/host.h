/*
 * The host: the program that has called us through libpam.  All that is read
 * from its handle or written to it passes here, and so does the ONE table from
 * outcome to PAM code.  What the calls mean is told in auth, cred, session and
 * password.
 */
#ifndef PAM_HOST_H
#define PAM_HOST_H

#include <stdbool.h>
#include <sys/types.h>

#include <security/pam_modules.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/options.h"
#include "base/outcome.h"
#include "client/client.h"

/* The columns of the table: what the host has asked for. */
enum call {
    CALL_AUTHENTICATE,
    CALL_ESTABLISH, /* setcred that has promised a cache, or ends one */
    CALL_RENEW,     /* setcred(REFRESH) without tickets of this handle */
    CALL_ACCOUNT,
    CALL_OPEN,
    CALL_CLOSE,
    CALL_PRELIM, /* the first half of chauthtok */
    CALL_UPDATE,
    CALL_COUNT
};

/* Whom a request is about, as NSS knows him. */
struct account {
    bool exists;
    uid_t uid;
    gid_t gid;
};

/* One call of one host. */
struct host {
    pam_handle_t *handle;
    unsigned int flags; /* PAM_SILENT and the call's own */
    struct options options;
    struct log log;
    const char *user; /* PAM_USER, borrowed from the handle; may be NULL */
    struct account account;
    bool in_session; /* the call opens the session */
    bool is_at_end;  /* pam_end has called */
    struct deadline deadline;
    /* What is running for this call; ended when the thread is cancelled. */
    struct client client;
    struct bytes secret; /* while it is typed again */
    int conversations;
    bool has_asked;   /* for a password */
    int cancel_state; /* the host thread's own, restored at the end */
};

/*
 * Begins a call: takes the thread's cancellation away (the conversation gives
 * it back), parses the arguments (bad ones are logged and left out), asks who
 * the user is.  OUTCOME_SUCCESS or OUTCOME_NO_MEMORY.  In both cases host_end
 * must follow.
 */
enum outcome host_begin(struct host *host, pam_handle_t *handle, int flags,
                        int argc, const char **argv);
void host_end(struct host *host);

/*
 * Begins a call that has no arguments of its own (pam_end): takes over
 * OPTIONS, which become the host's.  host_end must follow.
 */
void host_begin_at_end(struct host *host, pam_handle_t *handle,
                       struct options *options);

/* The PAM code for OUTCOME in CALL. */
int host_code(enum call call, enum outcome outcome);

/* OUTCOME, but OUTCOME_PASSED_OVER where ignore_unknown_principals says so. */
enum outcome host_pass_over(const struct host *host, enum outcome outcome);

/* How loudly OUTCOME is said in the log. */
enum log_level host_level(enum outcome outcome);

/* Whether the options exclude the user; said with `debug`. */
bool host_excludes_user(const struct host *host);

/*
 * Makes USER, his local name, PAM_USER and the user of the call.
 * OUTCOME_SUCCESS or OUTCOME_NO_MEMORY.
 */
enum outcome host_rename_user(struct host *host, const char *user);

/* Whether messages to the user are unwanted. */
bool host_is_silent(const struct host *host);

/* Whether the real, effective and saved uid of this process are all UID. */
bool host_is_wholly(uid_t uid);

/* Whether its real, effective and saved gid are one. */
bool host_has_one_group(void);

/* Whether this process acts as root, whoever has called it (su). */
bool host_acts_as_root(void);

/*
 * Takes over from the options as krb5.conf completes them what may stand there
 * (options_complete); the deadline can only get shorter.  OUTCOME_SUCCESS or
 * OUTCOME_NO_MEMORY.
 */
enum outcome host_adopt_options(struct host *host,
                                const struct options *completed);

/* Copies FROM to TO, which is uninitialised.  0 or -ENOMEM. */
int host_copy_options(struct options *to, const struct options *from);

/* KRB5CCNAME of the PAM environment, NULL where unset; borrowed. */
const char *host_cache_name(const struct host *host);

/* Sets it.  OUTCOME_SUCCESS or OUTCOME_NO_MEMORY. */
enum outcome host_set_cache_name(struct host *host, const char *name);

/* Drops it where it is NAME. */
void host_drop_cache_name(struct host *host, const char *name);

/* The same of any variable of the PAM environment. */
enum outcome host_set_variable(struct host *host, const char *name,
                               const char *value);
void host_drop_variable(struct host *host, const char *name);

/*
 * What to do with the password that ITEM (PAM_AUTHTOK, PAM_OLDAUTHTOK) has from
 * another module, by try_first_pass, use_first_pass and force_first_pass.
 */
enum host_stacked {
    HOST_STACKED_NONE, /* ask */
    HOST_STACKED_USE,  /* use it */
    HOST_STACKED_BAD   /* it must be used and cannot be */
};

/* *PASSWORD_OUT: borrowed from the handle; NULL but for HOST_STACKED_USE. */
enum host_stacked host_stacked_password(const struct host *host, int item,
                                        const char **password_out);

/* Whether a stacked password that is wrong is no reason not to ask. */
bool host_asks_again(const struct host *host);

/* A text that the handle has (pam_get_item(3)), borrowed; "" where unset. */
const char *host_text_item(const struct host *host, int item);

/* PAM_SERVICE, borrowed; never NULL. */
const char *host_service(const struct host *host);

#endif
