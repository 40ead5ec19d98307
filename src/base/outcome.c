/* The names of outcomes. */
#include "base/outcome.h"

#include <stddef.h>

static const char *const names[OUTCOME_COUNT] = {
    [OUTCOME_SUCCESS] = "success",
    [OUTCOME_NOT_OURS] = "not ours",
    [OUTCOME_NO_MEMORY] = "out of memory",
    [OUTCOME_BAD_CALL] = "bad call",
    [OUTCOME_WRONG_PASSWORD] = "wrong password",
    [OUTCOME_UNKNOWN_PRINCIPAL] = "unknown principal",
    [OUTCOME_PRINCIPAL_LOCKED] = "principal locked",
    [OUTCOME_PRINCIPAL_EXPIRED] = "principal expired",
    [OUTCOME_PASSWORD_EXPIRED] = "password expired",
    [OUTCOME_KDC_REFUSED] = "refused by the KDC",
    [OUTCOME_KDC_UNREACHABLE] = "no KDC can be reached",
    [OUTCOME_KDC_NONSENSE] = "the KDC's answer makes no sense",
    [OUTCOME_CLOCK_SKEW] = "clocks differ too much",
    [OUTCOME_NO_COMMON_ENCTYPE] = "no encryption type in common",
    [OUTCOME_DEADLINE] = "time ran out",
    [OUTCOME_UNVERIFIED] = "the KDC could not be verified",
    [OUTCOME_NOT_AUTHORIZED] = "not authorized",
    [OUTCOME_NO_ACCOUNT] = "no such account",
    [OUTCOME_NO_ANSWER] = "no answer from the user",
    [OUTCOME_TICKET_EXPIRED] = "ticket expired",
    [OUTCOME_NOT_RENEWABLE] = "ticket not renewable",
    [OUTCOME_CACHE_MISSING] = "no such cache",
    [OUTCOME_CACHE_UNREADABLE] = "cache unreadable",
    [OUTCOME_CACHE_OF_ANOTHER] = "cache of another principal",
    [OUTCOME_CACHE_TAKEN] = "cache name taken",
    [OUTCOME_CACHE_UNWRITABLE] = "cache cannot be written",
    [OUTCOME_CACHE_KIND] = "kind of cache not supported",
    [OUTCOME_IDENTITY] = "cannot become the user",
    [OUTCOME_CONFIGURATION] = "configuration",
    [OUTCOME_HELPER_UNSAFE] = "helper cannot be run",
    [OUTCOME_HELPER_FAILED] = "helper failed",
    [OUTCOME_CACHE_QUOTA] = "quota used up",
    [OUTCOME_SESSION_NOT_OPEN] = "the session is not open yet",
    [OUTCOME_PASSWORD_REJECTED] = "new password rejected",
    [OUTCOME_PASSWORD_MISTYPED] = "new password mistyped",
    [OUTCOME_CHANGE_DEFERRED] = "password expired, its change is deferred",
    [OUTCOME_PASSED_OVER] = "ignored by ignore_unknown_principals",
};

const char *
outcome_name(enum outcome outcome)
{
    if ((unsigned int)outcome >= OUTCOME_COUNT || names[outcome] == NULL) {
        return "unknown outcome";
    }
    return names[outcome];
}
