/* The libkrb5 context, its words, and the table of error codes. */
#include "krb/krb.h"

#include <errno.h>
#include <profile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The ONE table.  What is not in it is OUTCOME_KDC_REFUSED or below. */
static const struct {
    krb5_error_code code;
    enum outcome outcome;
} table[] = {
    {0, OUTCOME_SUCCESS},
    {ENOMEM, OUTCOME_NO_MEMORY},
    {KRB5_CC_NOMEM, OUTCOME_NO_MEMORY},

    {KRB5KDC_ERR_PREAUTH_FAILED, OUTCOME_WRONG_PASSWORD},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, OUTCOME_WRONG_PASSWORD},
    {KRB5_PREAUTH_FAILED, OUTCOME_WRONG_PASSWORD},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, OUTCOME_UNKNOWN_PRINCIPAL},
    {KRB5KDC_ERR_CLIENT_REVOKED, OUTCOME_PRINCIPAL_LOCKED},
    {KRB5KDC_ERR_NAME_EXP, OUTCOME_PRINCIPAL_EXPIRED},
    {KRB5KDC_ERR_CLIENT_NOTYET, OUTCOME_PRINCIPAL_EXPIRED},
    {KRB5KDC_ERR_KEY_EXP, OUTCOME_PASSWORD_EXPIRED},

    {KRB5_KDC_UNREACH, OUTCOME_KDC_UNREACHABLE},
    {KRB5_REALM_UNKNOWN, OUTCOME_KDC_UNREACHABLE},
    {KRB5_REALM_CANT_RESOLVE, OUTCOME_KDC_UNREACHABLE},
    {KRB5KDC_ERR_SVC_UNAVAILABLE, OUTCOME_KDC_UNREACHABLE},
    {ETIMEDOUT, OUTCOME_KDC_UNREACHABLE},
    {KRB5_KDCREP_MODIFIED, OUTCOME_KDC_NONSENSE},
    {KRB5KRB_AP_ERR_MSG_TYPE, OUTCOME_KDC_NONSENSE},
    {KRB5KRB_AP_ERR_MODIFIED, OUTCOME_KDC_NONSENSE},
    {KRB5KRB_AP_ERR_BADVERSION, OUTCOME_KDC_NONSENSE},
    {KRB5_BADMSGTYPE, OUTCOME_KDC_NONSENSE},
    {KRB5_PARSE_MALFORMED, OUTCOME_UNKNOWN_PRINCIPAL},
    {KRB5KRB_AP_ERR_SKEW, OUTCOME_CLOCK_SKEW},
    {KRB5_KDCREP_SKEW, OUTCOME_CLOCK_SKEW},
    {KRB5KRB_AP_ERR_TKT_NYV, OUTCOME_CLOCK_SKEW},
    {KRB5KDC_ERR_ETYPE_NOSUPP, OUTCOME_NO_COMMON_ENCTYPE},
    {KRB5_PROG_ETYPE_NOSUPP, OUTCOME_NO_COMMON_ENCTYPE},
    {KRB5_CONFIG_ETYPE_NOSUPP, OUTCOME_NO_COMMON_ENCTYPE},

    {KRB5_LIBOS_CANTREADPWD, OUTCOME_NO_ANSWER},
    {KRB5_LIBOS_PWDINTR, OUTCOME_NO_ANSWER},

    {KRB5KRB_AP_ERR_TKT_EXPIRED, OUTCOME_TICKET_EXPIRED},
    {KRB5KDC_ERR_NEVER_VALID, OUTCOME_TICKET_EXPIRED},
    {KRB5_CC_NOTFOUND, OUTCOME_CACHE_MISSING},
    {KRB5_FCC_NOFILE, OUTCOME_CACHE_MISSING},
    {KRB5_FCC_PERM, OUTCOME_CACHE_UNREADABLE},
    {KRB5_CC_FORMAT, OUTCOME_CACHE_UNREADABLE},
    {KRB5_CCACHE_BADVNO, OUTCOME_CACHE_UNREADABLE},
    {KRB5_CC_END, OUTCOME_CACHE_UNREADABLE},
    {EACCES, OUTCOME_CACHE_UNREADABLE},
    {KRB5_CC_IO, OUTCOME_CACHE_UNWRITABLE},
    {KRB5_CC_WRITE, OUTCOME_CACHE_UNWRITABLE},
    {ENOSPC, OUTCOME_CACHE_UNWRITABLE},
    {EDQUOT, OUTCOME_CACHE_QUOTA},
    {EFBIG, OUTCOME_CACHE_UNWRITABLE},
    {EROFS, OUTCOME_CACHE_UNWRITABLE},
    {KRB5_KCM_NO_SERVER, OUTCOME_CACHE_UNWRITABLE},
    {KRB5_KCM_RPC_ERROR, OUTCOME_CACHE_UNWRITABLE},
    {KRB5_KCM_MALFORMED_REPLY, OUTCOME_CACHE_UNWRITABLE},
    {KRB5_KCC_INVALID_ANCHOR, OUTCOME_CACHE_KIND},
    {KRB5_KCC_INVALID_UID, OUTCOME_CACHE_UNREADABLE},
    {KRB5_KCC_UNKNOWN_VERSION, OUTCOME_CACHE_UNREADABLE},
    {EKEYREVOKED, OUTCOME_CACHE_MISSING},
    {EKEYEXPIRED, OUTCOME_CACHE_MISSING},
    {ENOKEY, OUTCOME_CACHE_MISSING},
    {KRB5_PRINC_NOMATCH, OUTCOME_CACHE_OF_ANOTHER},
    {KRB5_CC_BADNAME, OUTCOME_CACHE_KIND},
    {KRB5_CC_UNKNOWN_TYPE, OUTCOME_CACHE_KIND},

    {KRB5_CONFIG_CANTOPEN, OUTCOME_CONFIGURATION},
    {KRB5_CONFIG_BADFORMAT, OUTCOME_CONFIGURATION},
    {KRB5_CONFIG_NODEFREALM, OUTCOME_CONFIGURATION},
};

enum outcome
krb_outcome(krb5_error_code code)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].code == code) {
            return table[i].outcome;
        }
    }
    /* The ASN.1 decoder's table of 256 codes: what cannot be taken apart. */
    if (code >= ASN1_BAD_TIMEFORMAT && code < ASN1_BAD_TIMEFORMAT + 256) {
        return OUTCOME_KDC_NONSENSE;
    }
    return OUTCOME_KDC_REFUSED;
}

static bool
is_among(krb5_error_code code, const krb5_error_code *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

bool
krb_blames_armor(krb5_error_code code)
{
    static const krb5_error_code codes[] = {
        /* The KDC has answered without FAST. */
        KRB5_ERR_FAST_REQUIRED,
        KRB5KDC_ERR_PREAUTH_REQUIRED,
        /* There is no ticket for that realm in it. */
        KRB5_CC_NOTFOUND,
        KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN,
        /* The KDC does not take the ticket. */
        KRB5KRB_AP_ERR_BAD_INTEGRITY,
        KRB5KRB_AP_ERR_MODIFIED,
        KRB5KRB_AP_ERR_NOKEY,
        KRB5KRB_AP_ERR_BADKEYVER,
        KRB5KRB_AP_ERR_TKT_EXPIRED,
        KRB5KRB_AP_ERR_TKT_NYV,
        /* By its clock; without armor libkrb5 learns how far that is off. */
        KRB5KRB_AP_ERR_SKEW,
    };

    return is_among(code, codes, sizeof(codes) / sizeof(codes[0]));
}

bool
krb_blames_certificate(krb5_error_code code)
{
    /* What a KDC says of a certificate (RFC 4556 3.1.3). */
    static const krb5_error_code codes[] = {
        KRB5KDC_ERR_CLIENT_NOT_TRUSTED,
        KRB5KDC_ERR_INVALID_SIG,
        KRB5KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED,
        KRB5KDC_ERR_CERTIFICATE_MISMATCH,
        KRB5KDC_ERR_CANT_VERIFY_CERTIFICATE,
        KRB5KDC_ERR_INVALID_CERTIFICATE,
        KRB5KDC_ERR_REVOKED_CERTIFICATE,
        KRB5KDC_ERR_CLIENT_NAME_MISMATCH,
        KRB5KDC_ERR_INCONSISTENT_KEY_PURPOSE,
        KRB5KDC_ERR_DIGEST_IN_CERT_NOT_ACCEPTED,
        KRB5KDC_ERR_DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED,
        KRB5KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED,
    };

    return is_among(code, codes, sizeof(codes) / sizeof(codes[0]));
}

enum outcome
krb_failed(struct krb *krb, krb5_error_code code, const char *doing)
{
    const char *text = krb5_get_error_message(krb->context, code);

    (void)snprintf(krb->detail, sizeof(krb->detail), "%s: %s", doing, text);
    krb5_free_error_message(krb->context, text);
    return krb_outcome(code);
}

enum outcome
krb_said(struct krb *krb, krb5_error_code code)
{
    const char *text = krb5_get_error_message(krb->context, code);

    (void)snprintf(krb->detail, sizeof(krb->detail), "%s", text);
    krb5_free_error_message(krb->context, text);
    return krb_outcome(code);
}

enum outcome
krb_refuse(struct krb *krb, enum outcome outcome, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(krb->detail, sizeof(krb->detail), format, arguments);
    va_end(arguments);
    return outcome;
}

/* libkrb5's trace callback: what does not fit into the file is lost. */
static void
trace_to_file(krb5_context context, const krb5_trace_info *info, void *data)
{
    const struct krb *krb = data;

    (void)context;
    if (info != NULL && info->message != NULL) {
        ssize_t written =
            write(krb->trace_fd, info->message, strlen(info->message));

        (void)written;
    }
}

static void
set_trace(struct krb *krb)
{
    if (krb->trace_fd >= 0) {
        (void)krb5_set_trace_callback(krb->context, trace_to_file, krb);
    }
}

enum outcome
krb_open(struct krb *krb, const struct log *log, int trace_fd)
{
    krb5_error_code code = 0;

    memset(krb, 0, sizeof(*krb));
    krb->log = log;
    krb->trace_fd = trace_fd;
    code = krb5_init_context(&krb->context);
    if (code != 0) {
        const char *text = krb5_get_error_message(NULL, code);

        krb->context = NULL;
        if (code == EACCES || code == KRB5_CONFIG_CANTOPEN) {
            (void)krb_refuse(krb, OUTCOME_CONFIGURATION,
                             "cannot read krb5.conf as uid %u (it must be "
                             "readable by all): %s",
                             (unsigned int)geteuid(), text);
        } else {
            (void)krb_refuse(krb, OUTCOME_CONFIGURATION,
                             "krb5.conf has an error: %s", text);
        }
        return code == ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_CONFIGURATION;
    }
    set_trace(krb);
    return OUTCOME_SUCCESS;
}

void
krb_close(struct krb *krb)
{
    if (krb->context != NULL) {
        krb5_free_context(krb->context);
        krb->context = NULL;
    }
    if (krb->profile != NULL) {
        profile_release(krb->profile);
        krb->profile = NULL;
    }
}

void
krb_replace_context(struct krb *krb, krb5_context context,
                    struct _profile_t *profile)
{
    krb_close(krb);
    krb->context = context;
    krb->profile = profile;
    set_trace(krb);
}

enum outcome
krb_move(struct krb *krb, krb5_context context, struct _profile_t *profile)
{
    struct krb before = *krb;
    struct krb_offset offset = krb_offset_learned(krb);
    char *realm = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    krb->context = context;
    krb->profile = profile;
    set_trace(krb);
    outcome = krb_offset_apply(krb, offset);
    if (outcome == OUTCOME_SUCCESS &&
        krb5_get_default_realm(before.context, &realm) == 0 &&
        krb5_set_default_realm(krb->context, realm) != 0) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    krb5_free_default_realm(before.context, realm);
    if (outcome != OUTCOME_SUCCESS) {
        memcpy(before.detail, krb->detail, sizeof(before.detail));
        krb_close(krb);
        *krb = before;
        return outcome;
    }
    krb_close(&before);
    return outcome;
}

enum outcome
krb_libdefault_flag(struct krb *krb, const krb5_data *realm, const char *name,
                    bool *value_out)
{
    profile_t profile = NULL;
    char *realm_text = strndup(realm->data, realm->length);
    int value = 0;
    /* profile.h's functions return long. */
    long code =
        realm_text == NULL ? ENOMEM : krb5_get_profile(krb->context, &profile);

    *value_out = false;
    if (code == 0) {
        code =
            profile_get_boolean(profile, "libdefaults", name, NULL, 0, &value);
    }
    if (code == 0) {
        code = profile_get_boolean(profile, "libdefaults", realm_text, name,
                                   value, &value);
    }
    free(realm_text);
    if (profile != NULL) {
        profile_release(profile);
    }
    if (code != 0) {
        (void)krb_failed(krb, (krb5_error_code)code, name);
        return OUTCOME_CONFIGURATION;
    }
    *value_out = value != 0;
    return OUTCOME_SUCCESS;
}

int64_t
krb_clockskew(struct krb *krb)
{
    profile_t profile = NULL;
    char *text = NULL;
    krb5_deltat skew = 300;

    if (krb5_get_profile(krb->context, &profile) != 0) {
        return 300;
    }
    if (profile_get_string(profile, "libdefaults", "clockskew", NULL, NULL,
                           &text) == 0 &&
        text != NULL && krb5_string_to_deltat(text, &skew) != 0) {
        skew = 300;
    }
    profile_release_string(text);
    profile_release(profile);
    return skew;
}

krb5_error_code
krb_open_keytab(struct krb *krb, const char *name, krb5_keytab *keytab_out)
{
    if (name == NULL) {
        return krb5_kt_default(krb->context, keytab_out);
    }
    return krb5_kt_resolve(krb->context, name, keytab_out);
}

krb5_error_code
krb_visit_keytab(struct krb *krb, krb5_keytab keytab,
                 krb5_error_code (*visit)(struct krb *krb,
                                          const krb5_keytab_entry *entry,
                                          void *data),
                 void *data)
{
    krb5_kt_cursor cursor = NULL;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(krb->context, keytab, &cursor);

    if (code != 0) {
        return code;
    }
    while (code == 0) {
        code = krb5_kt_next_entry(krb->context, keytab, &entry, &cursor);
        if (code == 0) {
            code = visit(krb, &entry, data);
            (void)krb5_free_keytab_entry_contents(krb->context, &entry);
        }
    }
    (void)krb5_kt_end_seq_get(krb->context, keytab, &cursor);
    return code;
}

struct krb_offset
krb_offset_learned(struct krb *krb)
{
    krb5_timestamp seconds = 0;
    krb5_int32 microseconds = 0;

    if (krb5_get_time_offsets(krb->context, &seconds, &microseconds) != 0) {
        return (struct krb_offset){0, 0};
    }
    return (struct krb_offset){seconds, microseconds};
}

enum outcome
krb_offset_check(struct krb *krb, struct krb_offset offset)
{
    if (offset.seconds > KRB_OFFSET_MAX_S ||
        offset.seconds < -KRB_OFFSET_MAX_S) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED,
                          "the KDC's clock and ours differ by %lld seconds, "
                          "more than is believed",
                          (long long)offset.seconds);
    }
    return OUTCOME_SUCCESS;
}

enum outcome
krb_offset_apply(struct krb *krb, struct krb_offset offset)
{
    int64_t now = 0;
    krb5_error_code code = 0;
    enum outcome outcome = krb_offset_check(krb, offset);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    /* krb5_timestamp is read as unsigned (good until 2106). */
    now = (int64_t)time(NULL) + offset.seconds;
    if (offset.seconds == krb_offset_learned(krb).seconds) {
        return OUTCOME_SUCCESS;
    }
    code = krb5_set_real_time(krb->context, (krb5_timestamp)(uint32_t)now, -1);
    return code == 0 ? OUTCOME_SUCCESS
                     : krb_failed(krb, code, "cannot set the clock offset");
}
