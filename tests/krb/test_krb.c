/* The context, the table of error codes, and what krb5.conf says. */
#include "krb/authorize.h"
#include "krb/here.h"
#include "krb/names.h"
#include "krb/renew.h"
#include "support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct code_row {
    krb5_error_code code;
    enum outcome outcome;
};

static const struct code_row codes[] = {
    {0, OUTCOME_SUCCESS},
    {ENOMEM, OUTCOME_NO_MEMORY},
    {KRB5KDC_ERR_PREAUTH_FAILED, OUTCOME_WRONG_PASSWORD},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, OUTCOME_WRONG_PASSWORD},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, OUTCOME_UNKNOWN_PRINCIPAL},
    {KRB5KDC_ERR_CLIENT_REVOKED, OUTCOME_PRINCIPAL_LOCKED},
    {KRB5KDC_ERR_NAME_EXP, OUTCOME_PRINCIPAL_EXPIRED},
    {KRB5KDC_ERR_KEY_EXP, OUTCOME_PASSWORD_EXPIRED},
    {KRB5_KDC_UNREACH, OUTCOME_KDC_UNREACHABLE},
    {KRB5_REALM_UNKNOWN, OUTCOME_KDC_UNREACHABLE},
    {KRB5_KDCREP_MODIFIED, OUTCOME_KDC_NONSENSE},
    {KRB5KRB_AP_ERR_SKEW, OUTCOME_CLOCK_SKEW},
    {KRB5KDC_ERR_ETYPE_NOSUPP, OUTCOME_NO_COMMON_ENCTYPE},
    {KRB5_LIBOS_CANTREADPWD, OUTCOME_NO_ANSWER},
    {KRB5_LIBOS_PWDINTR, OUTCOME_NO_ANSWER},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, OUTCOME_TICKET_EXPIRED},
    {KRB5_FCC_NOFILE, OUTCOME_CACHE_MISSING},
    {KRB5_CC_FORMAT, OUTCOME_CACHE_UNREADABLE},
    {KRB5_FCC_PERM, OUTCOME_CACHE_UNREADABLE},
    {KRB5_CC_IO, OUTCOME_CACHE_UNWRITABLE},
    {ENOSPC, OUTCOME_CACHE_UNWRITABLE},
    {KRB5_CONFIG_BADFORMAT, OUTCOME_CONFIGURATION},
    /* What an ASN.1 decoder cannot take apart. */
    {ASN1_BAD_TIMEFORMAT, OUTCOME_KDC_NONSENSE},
    {ASN1_BAD_ID, OUTCOME_KDC_NONSENSE},
    /* What is not in the table is never a success. */
    {KRB5KDC_ERR_POLICY, OUTCOME_KDC_REFUSED},
    {KRB5KRB_ERR_GENERIC, OUTCOME_KDC_REFUSED},
    {EPERM, OUTCOME_KDC_REFUSED},
    {-1, OUTCOME_KDC_REFUSED},
    {INT32_MAX, OUTCOME_KDC_REFUSED},
    {INT32_MIN, OUTCOME_KDC_REFUSED},
};

START_TEST(test_krb_code_has_its_outcome)
{
    ck_assert_int_eq(krb_outcome(codes[_i].code), codes[_i].outcome);
}
END_TEST

/* None of libkrb5's codes but 0 opens a door. */
START_TEST(test_krb_no_error_is_a_success)
{
    for (krb5_error_code i = 0; i < 256; i++) {
        ck_assert_int_ne(krb_outcome(ERROR_TABLE_BASE_krb5 + i),
                         OUTCOME_SUCCESS);
        ck_assert_int_ne(krb_outcome(i + 1), OUTCOME_SUCCESS);
    }
}
END_TEST

START_TEST(test_krb_failed_keeps_the_words)
{
    ck_assert_int_eq(krb_failed(&here.krb, KRB5_KDC_UNREACH, "doing"),
                     OUTCOME_KDC_UNREACHABLE);
    ck_assert_int_eq(strncmp(here.krb.detail, "doing: ", 7), 0);
    ck_assert_uint_gt(strlen(here.krb.detail), 10);
}
END_TEST

START_TEST(test_krb_refuse_cuts_what_is_too_long)
{
    char text[2 * KRB_DETAIL_MAX];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert_int_eq(krb_refuse(&here.krb, OUTCOME_UNVERIFIED, "%s", text),
                     OUTCOME_UNVERIFIED);
    ck_assert_uint_eq(strlen(here.krb.detail), KRB_DETAIL_MAX - 1);
}
END_TEST

START_TEST(test_krb_open_says_that_krb5_conf_is_bad)
{
    char *path = suite_path(here.folder, "bad.conf");
    FILE *file = fopen(path, "we");
    struct krb krb;

    ck_assert_ptr_nonnull(file);
    (void)fputs("[libdefaults\n = }\n", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(setenv("KRB5_CONFIG", path, 1), 0);
    free(path);
    ck_assert_int_eq(krb_open(&krb, &here.log, -1), OUTCOME_CONFIGURATION);
    ck_assert_ptr_nonnull(strstr(krb.detail, "krb5.conf"));
    krb_close(&krb);
    krb_close(&krb);
}
END_TEST

START_TEST(test_krb_name_is_a_principal)
{
    static const struct {
        const char *user;
        const char *realm;
        const char *principal;
    } rows[] = {
        {"alice", NULL, "alice@PAM.TEST"},
        {"alice", "OTHER.TEST", "alice@OTHER.TEST"},
        {"alice@OTHER.TEST", NULL, "alice@OTHER.TEST"},
        {"alice@OTHER.TEST", "PAM.TEST", "alice@OTHER.TEST"},
        {"alice/admin", NULL, "alice/admin@PAM.TEST"},
        {"al\\@ice", NULL, "al\\@ice@PAM.TEST"},
    };
    struct options options;
    krb5_principal principal = NULL;
    char *text = NULL;

    ck_assert_int_eq(options_init(&options), 0);
    if (rows[_i].realm != NULL) {
        options.realm = strdup(rows[_i].realm);
    }
    ck_assert_int_eq(
        names_principal(&here.krb, rows[_i].user, &options, &principal),
        OUTCOME_SUCCESS);
    ck_assert_int_eq(krb5_unparse_name(here.krb.context, principal, &text), 0);
    ck_assert_str_eq(text, rows[_i].principal);
    krb5_free_unparsed_name(here.krb.context, text);
    krb5_free_principal(here.krb.context, principal);
    options_free(&options);
}
END_TEST

START_TEST(test_krb_name_that_is_no_principal_is_unknown)
{
    static const char *const users[] = {"a@b@c", "alice@", "@", "alice\\"};
    struct options options;
    krb5_principal principal = NULL;

    ck_assert_int_eq(options_init(&options), 0);
    ck_assert_int_eq(
        names_principal(&here.krb, users[_i], &options, &principal),
        OUTCOME_UNKNOWN_PRINCIPAL);
    ck_assert_ptr_null(principal);
    /* It may be a password that was typed too early. */
    ck_assert_ptr_null(strstr(here.krb.detail, users[_i]));
    options_free(&options);
}
END_TEST

START_TEST(test_krb_clockskew_is_krb5_confs)
{
    static const struct {
        const char *lines;
        int64_t seconds;
    } rows[] = {
        {"", 300},
        {"[libdefaults]\nclockskew = 17\n", 17},
        {"[libdefaults]\nclockskew = 2m\n", 120},
        {"[libdefaults]\nclockskew = nonsense\n", 300},
    };

    here_configure(rows[_i].lines);
    ck_assert_int_eq(krb_clockskew(&here.krb), rows[_i].seconds);
}
END_TEST

START_TEST(test_krb_flag_is_per_realm)
{
    char name[] = "PAM.TEST";
    const krb5_data realm = {.length = 8, .data = name};
    static const struct {
        const char *lines;
        enum outcome outcome;
        bool value;
    } rows[] = {
        {"", OUTCOME_SUCCESS, false},
        {"[libdefaults]\nverify_ap_req_nofail = true\n", OUTCOME_SUCCESS, true},
        {"[libdefaults]\nverify_ap_req_nofail = false\n", OUTCOME_SUCCESS,
         false},
        {"[libdefaults]\nPAM.TEST = {\n verify_ap_req_nofail = true\n}\n",
         OUTCOME_SUCCESS, true},
        {"[libdefaults]\nOTHER.TEST = {\n verify_ap_req_nofail = true\n}\n",
         OUTCOME_SUCCESS, false},
        {"[libdefaults]\nverify_ap_req_nofail = true\nPAM.TEST = {\n"
         " verify_ap_req_nofail = false\n}\n",
         OUTCOME_SUCCESS, false},
        /* What cannot be told is not taken for a no. */
        {"[libdefaults]\nverify_ap_req_nofail = perhaps\n",
         OUTCOME_CONFIGURATION, false},
    };
    bool value = false;

    here_configure(rows[_i].lines);
    ck_assert_int_eq(
        krb_libdefault_flag(&here.krb, &realm, "verify_ap_req_nofail", &value),
        rows[_i].outcome);
    ck_assert_int_eq(value, rows[_i].value);
}
END_TEST

START_TEST(test_krb_offset_is_taken_over)
{
    static const int64_t offsets[] = {0, 1200, -1200, 3500};
    const struct krb_offset offset = {.seconds = offsets[_i]};
    krb5_timestamp now = 0;
    int64_t difference = 0;

    ck_assert_int_eq(krb_offset_apply(&here.krb, offset), OUTCOME_SUCCESS);
    ck_assert_int_eq(krb5_timeofday(here.krb.context, &now), 0);
    difference = (int64_t)(uint32_t)now - (int64_t)time(NULL) - offsets[_i];
    /* A second may begin between the clocks. */
    ck_assert_int_ge(difference, -1);
    ck_assert_int_le(difference, 1);
}
END_TEST

/* It makes old tickets young: there is an end to what is believed. */
START_TEST(test_krb_offset_of_a_day_is_refused)
{
    static const int64_t offsets[] = {86400, -86400, INT64_MAX, INT64_MIN,
                                      -((int64_t)1 << 32)};
    const struct krb_offset offset = {.seconds = offsets[_i]};
    krb5_timestamp now = 0;
    int64_t difference = 0;

    ck_assert_int_ne(krb_offset_apply(&here.krb, offset), OUTCOME_SUCCESS);
    ck_assert_int_eq(krb5_timeofday(here.krb.context, &now), 0);
    difference = (int64_t)(uint32_t)now - (int64_t)time(NULL);
    ck_assert_int_ge(difference, -1);
    ck_assert_int_le(difference, 1);
}
END_TEST

/* authorize */

START_TEST(test_authorize_by_name)
{
    static const struct {
        const char *principal;
        const char *user;
        enum outcome outcome;
    } rows[] = {
        {"alice@PAM.TEST", "alice", OUTCOME_SUCCESS},
        {"alice@PAM.TEST", "bob", OUTCOME_NOT_AUTHORIZED},
        {"alice@PAM.TEST", "Alice", OUTCOME_NOT_AUTHORIZED},
        {"alice@PAM.TEST", "", OUTCOME_NOT_AUTHORIZED},
        {"alice@OTHER.TEST", "alice", OUTCOME_NOT_AUTHORIZED},
        {"alice/admin@PAM.TEST", "alice", OUTCOME_NOT_AUTHORIZED},
        {"alice/admin@PAM.TEST", "alice/admin", OUTCOME_NOT_AUTHORIZED},
        {"alice@PAM.TEST", "alice@PAM.TEST", OUTCOME_SUCCESS},
        {"alice@OTHER.TEST", "alice@OTHER.TEST", OUTCOME_SUCCESS},
        {"alice@OTHER.TEST", "alice@PAM.TEST", OUTCOME_NOT_AUTHORIZED},
        {"bob@PAM.TEST", "alice@PAM.TEST", OUTCOME_NOT_AUTHORIZED},
        {"root@OTHER.TEST", "root", OUTCOME_NOT_AUTHORIZED},
    };
    krb5_principal principal = NULL;
    /* Without an account, and with one where ~/.k5login is not asked. */
    struct authorize_question question = {.user = rows[_i].user};

    ck_assert_int_eq(
        krb5_parse_name(here.krb.context, rows[_i].principal, &principal), 0);
    question.principal = principal;
    ck_assert_int_eq(authorize(&here.krb, &question), rows[_i].outcome);
    question.has_account = true;
    question.ignore_k5login = true;
    ck_assert_int_eq(authorize(&here.krb, &question), rows[_i].outcome);
    krb5_free_principal(here.krb.context, principal);
}
END_TEST

/* renew_possible */

START_TEST(test_renew_possible_is_judged_by_the_local_clock)
{
    static const struct {
        int64_t end;        /* from now */
        int64_t renew_till; /* from now */
        krb5_flags flags;
        enum outcome outcome;
    } rows[] = {
        {100, 1000, TKT_FLG_RENEWABLE, OUTCOME_SUCCESS},
        {0, 1000, TKT_FLG_RENEWABLE, OUTCOME_TICKET_EXPIRED},
        {-1, 1000, TKT_FLG_RENEWABLE, OUTCOME_TICKET_EXPIRED},
        {-1, 1000, 0, OUTCOME_TICKET_EXPIRED},
        {100, 0, TKT_FLG_RENEWABLE, OUTCOME_TICKET_EXPIRED},
        {100, -1, TKT_FLG_RENEWABLE, OUTCOME_TICKET_EXPIRED},
        {100, 1000, 0, OUTCOME_NOT_RENEWABLE},
        {100, 1000, TKT_FLG_FORWARDABLE, OUTCOME_NOT_RENEWABLE},
    };
    int64_t now = (int64_t)time(NULL);
    krb5_creds tgt = {.ticket_flags = rows[_i].flags};

    tgt.times.endtime = (krb5_timestamp)(uint32_t)(now + rows[_i].end);
    tgt.times.renew_till =
        (krb5_timestamp)(uint32_t)(now + rows[_i].renew_till);
    ck_assert_int_eq(renew_possible(&here.krb, &tgt), rows[_i].outcome);
}
END_TEST

/* Times after 2038 are no past. */
START_TEST(test_renew_possible_after_2038)
{
    krb5_creds tgt = {.ticket_flags = TKT_FLG_RENEWABLE};

    tgt.times.endtime = (krb5_timestamp)0x90000000U;
    tgt.times.renew_till = (krb5_timestamp)0xa0000000U;
    ck_assert_int_eq(renew_possible(&here.krb, &tgt), OUTCOME_SUCCESS);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("krb");
    TCase *tcase = suite_case(suite, "krb");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_loop_test(tcase, test_krb_code_has_its_outcome, 0,
                        (int)(sizeof(codes) / sizeof(codes[0])));
    tcase_add_test(tcase, test_krb_no_error_is_a_success);
    tcase_add_test(tcase, test_krb_failed_keeps_the_words);
    tcase_add_test(tcase, test_krb_refuse_cuts_what_is_too_long);
    tcase_add_test(tcase, test_krb_open_says_that_krb5_conf_is_bad);
    tcase_add_loop_test(tcase, test_krb_name_is_a_principal, 0, 6);
    tcase_add_loop_test(tcase, test_krb_name_that_is_no_principal_is_unknown, 0,
                        4);
    tcase_add_loop_test(tcase, test_krb_clockskew_is_krb5_confs, 0, 4);
    tcase_add_loop_test(tcase, test_krb_flag_is_per_realm, 0, 7);
    tcase_add_loop_test(tcase, test_krb_offset_is_taken_over, 0, 4);
    tcase_add_loop_test(tcase, test_krb_offset_of_a_day_is_refused, 0, 5);
    tcase_add_loop_test(tcase, test_authorize_by_name, 0, 12);
    tcase_add_loop_test(tcase, test_renew_possible_is_judged_by_the_local_clock,
                        0, 8);
    tcase_add_test(tcase, test_renew_possible_after_2038);
    return suite_main(suite);
}
