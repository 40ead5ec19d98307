/* The host's handle, and the table of codes. */
#include "pam/host.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

/* The variable that names a session's cache, here and to libkrb5. */
#define CACHE_VARIABLE "KRB5CCNAME"

/* Eight columns: authenticate, establish, renew, account, open, close, and the
 * two halves of chauthtok. */
#define ROW(outcome, auth, establish, renew, account, open, close, prelim,     \
            update)                                                            \
    [outcome] = {PAM_##auth, PAM_##establish, PAM_##renew,  PAM_##account,     \
                 PAM_##open, PAM_##close,     PAM_##prelim, PAM_##update}

/* The ONE table.  A row that is missing is PAM_SYSTEM_ERR (host_code). */
static const int codes[OUTCOME_COUNT][CALL_COUNT] = {
    /* clang-format off */
    ROW(OUTCOME_SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS,
        SUCCESS, SUCCESS),
    ROW(OUTCOME_NOT_OURS, USER_UNKNOWN, SUCCESS, SUCCESS, IGNORE, IGNORE,
        SUCCESS, IGNORE, IGNORE),
    ROW(OUTCOME_NO_MEMORY, BUF_ERR, BUF_ERR, BUF_ERR, BUF_ERR, SESSION_ERR,
        SESSION_ERR, BUF_ERR, BUF_ERR),
    ROW(OUTCOME_BAD_CALL, SYSTEM_ERR, SYSTEM_ERR, SYSTEM_ERR, SYSTEM_ERR,
        SYSTEM_ERR, SYSTEM_ERR, SYSTEM_ERR, SYSTEM_ERR),

    ROW(OUTCOME_WRONG_PASSWORD, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_RECOVERY_ERR, AUTHTOK_RECOVERY_ERR),
    ROW(OUTCOME_UNKNOWN_PRINCIPAL, USER_UNKNOWN, CRED_ERR, CRED_UNAVAIL,
        USER_UNKNOWN, SESSION_ERR, SESSION_ERR, USER_UNKNOWN, USER_UNKNOWN),
    ROW(OUTCOME_PRINCIPAL_LOCKED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_RECOVERY_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_PRINCIPAL_EXPIRED, ACCT_EXPIRED, CRED_ERR, CRED_UNAVAIL,
        ACCT_EXPIRED, SESSION_ERR, SESSION_ERR, ACCT_EXPIRED, AUTHTOK_ERR),
    ROW(OUTCOME_PASSWORD_EXPIRED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL,
        NEW_AUTHTOK_REQD, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_KDC_REFUSED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),

    ROW(OUTCOME_KDC_UNREACHABLE, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_KDC_NONSENSE, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_CLOCK_SKEW, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_NO_COMMON_ENCTYPE, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_DEADLINE, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),

    ROW(OUTCOME_UNVERIFIED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_NOT_AUTHORIZED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, PERM_DENIED,
        SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_NO_ACCOUNT, USER_UNKNOWN, USER_UNKNOWN, USER_UNKNOWN,
        USER_UNKNOWN, USER_UNKNOWN, SUCCESS, USER_UNKNOWN, USER_UNKNOWN),
    ROW(OUTCOME_NO_ANSWER, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_RECOVERY_ERR, AUTHTOK_ERR),

    ROW(OUTCOME_TICKET_EXPIRED, AUTH_ERR, CRED_ERR, CRED_EXPIRED, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_NOT_RENEWABLE, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_CACHE_MISSING, AUTH_ERR, CRED_ERR, SUCCESS, IGNORE, SESSION_ERR,
        SUCCESS, IGNORE, IGNORE),
    ROW(OUTCOME_CACHE_UNREADABLE, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, IGNORE,
        SESSION_ERR, SESSION_ERR, IGNORE, IGNORE),
    ROW(OUTCOME_CACHE_OF_ANOTHER, AUTH_ERR, CRED_ERR, CRED_ERR, IGNORE,
        SESSION_ERR, SESSION_ERR, IGNORE, IGNORE),
    ROW(OUTCOME_CACHE_TAKEN, AUTH_ERR, CRED_ERR, CRED_ERR, IGNORE, SESSION_ERR,
        SESSION_ERR, IGNORE, IGNORE),
    ROW(OUTCOME_CACHE_UNWRITABLE, AUTH_ERR, CRED_ERR, CRED_ERR, IGNORE,
        SESSION_ERR, SESSION_ERR, IGNORE, IGNORE),
    ROW(OUTCOME_CACHE_KIND, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, IGNORE,
        SESSION_ERR, SESSION_ERR, IGNORE, IGNORE),

    ROW(OUTCOME_IDENTITY, AUTHINFO_UNAVAIL, CRED_ERR, CRED_ERR,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_CONFIGURATION, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_HELPER_UNSAFE, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_HELPER_FAILED, AUTHINFO_UNAVAIL, CRED_ERR, CRED_UNAVAIL,
        AUTHINFO_UNAVAIL, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),

    ROW(OUTCOME_CACHE_QUOTA, AUTH_ERR, CRED_ERR, CRED_ERR, IGNORE, SESSION_ERR,
        SESSION_ERR, IGNORE, IGNORE),
    ROW(OUTCOME_SESSION_NOT_OPEN, AUTH_ERR, SUCCESS, SUCCESS, IGNORE,
        SESSION_ERR, SESSION_ERR, IGNORE, IGNORE),
    ROW(OUTCOME_PASSWORD_REJECTED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_PASSWORD_MISTYPED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL, AUTH_ERR,
        SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_CHANGE_DEFERRED, AUTH_ERR, CRED_ERR, CRED_UNAVAIL,
        NEW_AUTHTOK_REQD, SESSION_ERR, SESSION_ERR, AUTHTOK_ERR, AUTHTOK_ERR),
    ROW(OUTCOME_PASSED_OVER, IGNORE, SUCCESS, SUCCESS, IGNORE, IGNORE, SUCCESS,
        IGNORE, IGNORE),
    /* clang-format on */
};

int
host_code(enum call call, enum outcome outcome)
{
    if ((unsigned int)outcome >= OUTCOME_COUNT ||
        (unsigned int)call >= CALL_COUNT) {
        return PAM_SYSTEM_ERR;
    }
    /* A row of zeros would be a row of PAM_SUCCESS. */
    if (outcome != OUTCOME_SUCCESS &&
        codes[outcome][CALL_AUTHENTICATE] == PAM_SUCCESS) {
        return PAM_SYSTEM_ERR;
    }
    return codes[outcome][call];
}

enum outcome
host_pass_over(const struct host *host, enum outcome outcome)
{
    return host->options.ignore_unknown_principals &&
                   (outcome == OUTCOME_UNKNOWN_PRINCIPAL ||
                    outcome == OUTCOME_PRINCIPAL_EXPIRED)
               ? OUTCOME_PASSED_OVER
               : outcome;
}

enum log_level
host_level(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_UNVERIFIED:
        return LOG_LEVEL_ALERT;
    case OUTCOME_NOT_OURS:
    case OUTCOME_CACHE_MISSING:
        return LOG_LEVEL_DEBUG;
    case OUTCOME_SUCCESS:
    case OUTCOME_WRONG_PASSWORD:
    case OUTCOME_UNKNOWN_PRINCIPAL:
    case OUTCOME_PRINCIPAL_LOCKED:
    case OUTCOME_PRINCIPAL_EXPIRED:
    case OUTCOME_PASSWORD_EXPIRED:
    case OUTCOME_NOT_AUTHORIZED:
    case OUTCOME_NO_ANSWER:
    case OUTCOME_TICKET_EXPIRED:
    case OUTCOME_NOT_RENEWABLE:
    case OUTCOME_SESSION_NOT_OPEN:
    case OUTCOME_PASSWORD_REJECTED:
    case OUTCOME_PASSWORD_MISTYPED:
    case OUTCOME_CHANGE_DEFERRED:
    case OUTCOME_PASSED_OVER:
        return LOG_LEVEL_INFO;
    case OUTCOME_NO_MEMORY:
    case OUTCOME_BAD_CALL:
    case OUTCOME_KDC_REFUSED:
    case OUTCOME_KDC_UNREACHABLE:
    case OUTCOME_KDC_NONSENSE:
    case OUTCOME_CLOCK_SKEW:
    case OUTCOME_NO_COMMON_ENCTYPE:
    case OUTCOME_DEADLINE:
    case OUTCOME_NO_ACCOUNT:
    case OUTCOME_CACHE_UNREADABLE:
    case OUTCOME_CACHE_OF_ANOTHER:
    case OUTCOME_CACHE_TAKEN:
    case OUTCOME_CACHE_UNWRITABLE:
    case OUTCOME_CACHE_KIND:
    case OUTCOME_CACHE_QUOTA:
    case OUTCOME_IDENTITY:
    case OUTCOME_CONFIGURATION:
    case OUTCOME_HELPER_UNSAFE:
    case OUTCOME_HELPER_FAILED:
    case OUTCOME_COUNT:
        break;
    }
    return LOG_LEVEL_ERROR;
}

/* The sink of the host's log: syslog as libpam does it. */
static void
sink(void *data, enum log_level level, const char *line)
{
    static const int priorities[LOG_LEVEL_COUNT] = {
        [LOG_LEVEL_ALERT] = LOG_ALERT,   [LOG_LEVEL_ERROR] = LOG_ERR,
        [LOG_LEVEL_NOTICE] = LOG_NOTICE, [LOG_LEVEL_INFO] = LOG_INFO,
        [LOG_LEVEL_DEBUG] = LOG_DEBUG,
    };
    const struct host *host = data;

    if (host->is_at_end) {
        /* libpam itself no longer says who speaks. */
        pam_syslog(host->handle, priorities[level], "pam_krb5cc(%s:end): %s",
                   host_service(host), line);
        return;
    }
    pam_syslog(host->handle, priorities[level], "%s", line);
}

/* 0 or -ENOMEM; what is wrong with ARGUMENT itself is said and left. */
static int
take_argument(struct host *host, const char *argument)
{
    int status = options_set(&host->options, OPTION_FROM_ARGUMENT, argument);

    switch (status) {
    case 0:
        break;
    case -ENOMEM:
        /* Without it the call would do something else. */
        return status;
    case -ENOTSUP:
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "option %s is not supported: %s: ignored", argument,
                 options_advice(argument));
        break;
    case -ENOENT:
        log_line(&host->log, LOG_LEVEL_ERROR, "unknown option %s: ignored",
                 argument);
        break;
    case -ERANGE:
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "option %s: out of range: ignored", argument);
        break;
    default:
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "option %s: not a legal value: ignored", argument);
        break;
    }
    return 0;
}

static struct account
find_account(pam_handle_t *handle, const char *user)
{
    const struct passwd *entry =
        user == NULL ? NULL : pam_modutil_getpwnam(handle, user);

    if (entry == NULL) {
        return (struct account){.exists = false};
    }
    return (struct account){
        .exists = true, .uid = entry->pw_uid, .gid = entry->pw_gid};
}

/* What a call begins with, whatever its options. */
static void
host_prepare(struct host *host, pam_handle_t *handle, unsigned int flags)
{
    memset(host, 0, sizeof(*host));
    host->handle = handle;
    host->flags = flags;
    host->client = CLIENT_NONE;
    host->log = (struct log){.sink = sink, .data = host};
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &host->cancel_state);
}

enum outcome
host_begin(struct host *host, pam_handle_t *handle, int flags, int argc,
           const char **argv)
{
    const char *user = NULL;

    /* libpam's flags are bits that it happens to pass as int. */
    host_prepare(host, handle, (unsigned int)flags);
    if (options_init(&host->options) < 0) {
        return OUTCOME_NO_MEMORY;
    }
    for (int i = 0; i < argc; i++) {
        if (take_argument(host, argv[i]) < 0) {
            return OUTCOME_NO_MEMORY;
        }
    }
    host->log.debug = host->options.debug;
    if (pam_get_user(handle, &user, NULL) == PAM_SUCCESS) {
        host->user = user;
    }
    host->account = find_account(handle, host->user);
    /* Behind NSS and the question for the user's name: not ours to bound. */
    host->deadline = deadline_in(host->options.timeout * 1000);
    return OUTCOME_SUCCESS;
}

void
host_begin_at_end(struct host *host, pam_handle_t *handle,
                  struct options *options)
{
    host_prepare(host, handle, PAM_SILENT);
    host->is_at_end = true;
    host->options = *options;
    memset(options, 0, sizeof(*options));
    host->log.debug = host->options.debug;
    host->deadline = deadline_in(host->options.timeout * 1000);
}

void
host_end(struct host *host)
{
    client_end(&host->client);
    bytes_free(&host->secret);
    options_free(&host->options);
    bytes_drop_spares();
    (void)pthread_setcancelstate(host->cancel_state, NULL);
}

bool
host_excludes_user(const struct host *host)
{
    bool excludes = options_exclude_user(
        &host->options, host->user, host->account.exists, host->account.uid);

    if (excludes) {
        log_line(&host->log, LOG_LEVEL_DEBUG,
                 "user %s left alone: excluded by minimum_uid or ignore_root",
                 host->user);
    }
    return excludes;
}

enum outcome
host_rename_user(struct host *host, const char *user)
{
    const void *item = NULL;

    if (pam_set_item(host->handle, PAM_USER, user) != PAM_SUCCESS ||
        pam_get_item(host->handle, PAM_USER, &item) != PAM_SUCCESS) {
        return OUTCOME_NO_MEMORY;
    }
    host->user = item;
    host->account = find_account(host->handle, host->user);
    return OUTCOME_SUCCESS;
}

bool
host_is_silent(const struct host *host)
{
    return host->options.silent || (host->flags & PAM_SILENT) != 0;
}

bool
host_is_wholly(uid_t uid)
{
    uid_t uids[3];

    return getresuid(&uids[0], &uids[1], &uids[2]) == 0 && uids[0] == uid &&
           uids[1] == uid && uids[2] == uid;
}

bool
host_has_one_group(void)
{
    gid_t gids[3];

    return getresgid(&gids[0], &gids[1], &gids[2]) == 0 && gids[0] == gids[1] &&
           gids[1] == gids[2];
}

bool
host_acts_as_root(void)
{
    return geteuid() == 0;
}

int
host_copy_options(struct options *to, const struct options *from)
{
    struct bytes bytes = BYTES_EMPTY;
    struct reader reader;
    int status = options_init(to);

    if (status < 0) {
        return status;
    }
    options_put(&bytes, from);
    reader = reader_from(bytes_span(&bytes));
    status = bytes.error != 0 ? bytes.error : options_read(to, &reader);
    bytes_free(&bytes);
    if (status < 0) {
        options_free(to);
    }
    return status;
}

enum outcome
host_adopt_options(struct host *host, const struct options *completed)
{
    int64_t timeout = host->options.timeout;

    if (options_complete(&host->options, completed) < 0) {
        return OUTCOME_NO_MEMORY;
    }
    deadline_shorten(&host->deadline, (timeout - host->options.timeout) * 1000);
    host->log.debug = host->options.debug;
    return OUTCOME_SUCCESS;
}

const char *
host_cache_name(const struct host *host)
{
    const char *name = pam_getenv(host->handle, CACHE_VARIABLE);

    return name == NULL || *name == '\0' ? NULL : name;
}

enum outcome
host_set_variable(struct host *host, const char *name, const char *value)
{
    char *setting = NULL;
    int code = PAM_BUF_ERR;

    if (asprintf(&setting, "%s=%s", name, value) >= 0) {
        code = pam_putenv(host->handle, setting);
        free(setting);
    }
    return code == PAM_SUCCESS ? OUTCOME_SUCCESS : OUTCOME_NO_MEMORY;
}

void
host_drop_variable(struct host *host, const char *name)
{
    (void)pam_putenv(host->handle, name);
}

enum outcome
host_set_cache_name(struct host *host, const char *name)
{
    return host_set_variable(host, CACHE_VARIABLE, name);
}

void
host_drop_cache_name(struct host *host, const char *name)
{
    const char *current = host_cache_name(host);

    if (current != NULL && strcmp(current, name) == 0) {
        host_drop_variable(host, CACHE_VARIABLE);
    }
}

const char *
host_text_item(const struct host *host, int item)
{
    const void *text = NULL;

    return pam_get_item(host->handle, item, &text) == PAM_SUCCESS &&
                   text != NULL
               ? text
               : "";
}

enum host_stacked
host_stacked_password(const struct host *host, int item,
                      const char **password_out)
{
    const struct options *options = &host->options;
    /* What pam_krb5 called it in an auth line. */
    bool must = options->force_first_pass ||
                (item == PAM_AUTHTOK && options->use_authtok);
    bool wants = must || options->use_first_pass || options->try_first_pass;
    const void *password = NULL;
    size_t length = 0;

    *password_out = NULL;
    if (pam_get_item(host->handle, item, &password) != PAM_SUCCESS) {
        password = NULL;
    }
    if (!wants || (password == NULL && !must)) {
        return HOST_STACKED_NONE;
    }
    length = password == NULL ? 0 : strlen(password);
    if (password != NULL && length == 0 && host_asks_again(host)) {
        return HOST_STACKED_NONE;
    }
    if (length == 0 || length > MESSAGE_ANSWER_MAX) {
        return HOST_STACKED_BAD;
    }
    *password_out = password;
    return HOST_STACKED_USE;
}

bool
host_asks_again(const struct host *host)
{
    const struct options *options = &host->options;

    return options->try_first_pass && !options->use_first_pass &&
           !options->force_first_pass;
}

const char *
host_service(const struct host *host)
{
    return host_text_item(host, PAM_SERVICE);
}
