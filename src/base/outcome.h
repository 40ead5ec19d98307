/*
 * The one list of what can come of a request.  Kerberos error codes are
 * translated into it in src/krb/krb.c, and it into PAM codes in
 * src/pam/host.c, each in one table; nobody else translates.
 */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

/* Sent over the wire: append only, never reorder. */
enum outcome {
    OUTCOME_SUCCESS,
    /* Nothing here for us to do: an excluded user, no tickets of ours. */
    OUTCOME_NOT_OURS,
    OUTCOME_NO_MEMORY,
    /* A bad call of the host: flags that exclude each other. */
    OUTCOME_BAD_CALL,

    /* What the KDC says of a principal and its password. */
    OUTCOME_WRONG_PASSWORD,
    OUTCOME_UNKNOWN_PRINCIPAL,
    OUTCOME_PRINCIPAL_LOCKED,
    OUTCOME_PRINCIPAL_EXPIRED,
    OUTCOME_PASSWORD_EXPIRED,
    OUTCOME_KDC_REFUSED,

    /* Why there is no word of a KDC, or none that can be used. */
    OUTCOME_KDC_UNREACHABLE,
    OUTCOME_KDC_NONSENSE,
    OUTCOME_CLOCK_SKEW,
    OUTCOME_NO_COMMON_ENCTYPE,
    OUTCOME_DEADLINE,

    /* What we decide ourselves. */
    OUTCOME_UNVERIFIED,
    OUTCOME_NOT_AUTHORIZED,
    OUTCOME_NO_ACCOUNT,
    OUTCOME_NO_ANSWER,

    /* Tickets and the caches they are in. */
    OUTCOME_TICKET_EXPIRED,
    OUTCOME_NOT_RENEWABLE,
    OUTCOME_CACHE_MISSING,
    OUTCOME_CACHE_UNREADABLE,
    OUTCOME_CACHE_OF_ANOTHER,
    OUTCOME_CACHE_TAKEN,
    OUTCOME_CACHE_UNWRITABLE,
    OUTCOME_CACHE_KIND,

    /* What is wrong with this machine or its set-up. */
    OUTCOME_IDENTITY,
    OUTCOME_CONFIGURATION,
    OUTCOME_HELPER_UNSAFE,
    OUTCOME_HELPER_FAILED,

    /* The user may have no more of what the kind of cache is made of. */
    OUTCOME_CACHE_QUOTA,
    /* The cache can only be made when the session is opened. */
    OUTCOME_SESSION_NOT_OPEN,
    /* The new password: the realm refuses it, or it was not typed as wanted. */
    OUTCOME_PASSWORD_REJECTED,
    OUTCOME_PASSWORD_MISTYPED,
    /* The password is right, has expired, and is the host's to have changed. */
    OUTCOME_CHANGE_DEFERRED,
    /* A principal that the options tell to ignore where it is unknown. */
    OUTCOME_PASSED_OVER,

    OUTCOME_COUNT
};

/* A short name for the log and for tests, such as "wrong password". */
const char *outcome_name(enum outcome outcome);

#endif
