/*
 * The ONE table from outcome to PAM code: whole, and nothing in it that the
 * manual pages of the calls do not list.
 */
#include "pam/host.h"

#include "support/suite.h"

#define CODES_MAX 16

/* What each call may return, PAM_SUCCESS aside; 0 ends a row. */
static const int allowed[CALL_COUNT][CODES_MAX] = {
    [CALL_AUTHENTICATE] = {PAM_AUTH_ERR, PAM_AUTHINFO_UNAVAIL, PAM_USER_UNKNOWN,
                           PAM_ACCT_EXPIRED, PAM_BUF_ERR, PAM_SYSTEM_ERR,
                           PAM_IGNORE, 0},
    [CALL_ESTABLISH] = {PAM_CRED_ERR, PAM_USER_UNKNOWN, PAM_BUF_ERR,
                        PAM_SYSTEM_ERR, 0},
    [CALL_RENEW] = {PAM_CRED_ERR, PAM_CRED_EXPIRED, PAM_CRED_UNAVAIL,
                    PAM_USER_UNKNOWN, PAM_BUF_ERR, PAM_SYSTEM_ERR, 0},
    [CALL_ACCOUNT] = {PAM_IGNORE, PAM_PERM_DENIED, PAM_NEW_AUTHTOK_REQD,
                      PAM_ACCT_EXPIRED, PAM_AUTH_ERR, PAM_AUTHINFO_UNAVAIL,
                      PAM_USER_UNKNOWN, PAM_BUF_ERR, PAM_SYSTEM_ERR, 0},
    [CALL_OPEN] = {PAM_IGNORE, PAM_SESSION_ERR, PAM_USER_UNKNOWN,
                   PAM_SYSTEM_ERR, 0},
    [CALL_CLOSE] = {PAM_SESSION_ERR, PAM_SYSTEM_ERR, 0},
    [CALL_PRELIM] = {PAM_IGNORE, PAM_AUTHTOK_ERR, PAM_AUTHTOK_RECOVERY_ERR,
                     PAM_USER_UNKNOWN, PAM_ACCT_EXPIRED, PAM_BUF_ERR,
                     PAM_SYSTEM_ERR, 0},
    [CALL_UPDATE] = {PAM_IGNORE, PAM_AUTHTOK_ERR, PAM_AUTHTOK_RECOVERY_ERR,
                     PAM_USER_UNKNOWN, PAM_BUF_ERR, PAM_SYSTEM_ERR, 0},
};

/* The outcomes that are a success of a call though they are none. */
static bool
may_succeed(enum call call, enum outcome outcome)
{
    switch (call) {
    case CALL_ESTABLISH:
        return outcome == OUTCOME_NOT_OURS || outcome == OUTCOME_PASSED_OVER ||
               outcome == OUTCOME_SESSION_NOT_OPEN;
    case CALL_RENEW:
        return outcome == OUTCOME_NOT_OURS || outcome == OUTCOME_PASSED_OVER ||
               outcome == OUTCOME_CACHE_MISSING ||
               outcome == OUTCOME_SESSION_NOT_OPEN;
    case CALL_CLOSE:
        return outcome == OUTCOME_NOT_OURS || outcome == OUTCOME_PASSED_OVER ||
               outcome == OUTCOME_NO_ACCOUNT ||
               outcome == OUTCOME_CACHE_MISSING;
    case CALL_AUTHENTICATE:
    case CALL_ACCOUNT:
    case CALL_OPEN:
    case CALL_PRELIM:
    case CALL_UPDATE:
    case CALL_COUNT:
        break;
    }
    return false;
}

static bool
is_allowed(enum call call, int code)
{
    for (size_t i = 0; allowed[call][i] != 0; i++) {
        if (allowed[call][i] == code) {
            return true;
        }
    }
    return false;
}

START_TEST(test_codes_are_those_of_the_call)
{
    enum outcome outcome = (enum outcome)_i;

    for (int i = 0; i < CALL_COUNT; i++) {
        enum call call = (enum call)i;
        int code = host_code(call, outcome);

        if (outcome == OUTCOME_SUCCESS || may_succeed(call, outcome)) {
            ck_assert_msg(code == PAM_SUCCESS, "%s, call %d: %d",
                          outcome_name(outcome), i, code);
        } else {
            ck_assert_msg(is_allowed(call, code), "%s, call %d: %d",
                          outcome_name(outcome), i, code);
        }
    }
}
END_TEST

/* Only a row that is there may say PAM_SYSTEM_ERR: the host's bad call. */
START_TEST(test_codes_have_a_row_for_each_outcome)
{
    enum outcome outcome = (enum outcome)_i;

    if (outcome != OUTCOME_BAD_CALL) {
        ck_assert_msg(host_code(CALL_AUTHENTICATE, outcome) != PAM_SYSTEM_ERR,
                      "%s has no row", outcome_name(outcome));
    }
}
END_TEST

START_TEST(test_codes_of_nonsense_are_system_errors)
{
    ck_assert_int_eq(host_code(CALL_AUTHENTICATE, OUTCOME_COUNT),
                     PAM_SYSTEM_ERR);
    ck_assert_int_eq(host_code(CALL_COUNT, OUTCOME_SUCCESS), PAM_SYSTEM_ERR);
}
END_TEST

START_TEST(test_codes_alert_is_for_a_kdc_that_is_not_ours_alone)
{
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        ck_assert_int_eq(host_level((enum outcome)i) == LOG_LEVEL_ALERT,
                         i == OUTCOME_UNVERIFIED);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("codes");
    TCase *tcase = suite_case(suite, "codes");

    tcase_add_loop_test(tcase, test_codes_are_those_of_the_call, 0,
                        OUTCOME_COUNT);
    tcase_add_loop_test(tcase, test_codes_have_a_row_for_each_outcome, 0,
                        OUTCOME_COUNT);
    tcase_add_test(tcase, test_codes_of_nonsense_are_system_errors);
    tcase_add_test(tcase, test_codes_alert_is_for_a_kdc_that_is_not_ours_alone);
    return suite_main(suite);
}
