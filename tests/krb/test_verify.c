/*
 * Judging an AP-REQ.  Each is right but for one thing (helper/forge.h); the
 * half that talks to a KDC is tested on the stack.
 */
#include "krb/here.h"
#include "krb/verify.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOST "host/a.pam.test@PAM.TEST"
#define OTHER_HOST "host/b.pam.test@PAM.TEST"
#define APP "app/a.pam.test@PAM.TEST"
#define ANONYMOUS "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS"

static const char *const services[] = {HOST, OTHER_HOST, APP, NULL};

static char nonce[CHALLENGE_NONCE_LENGTH + 1] = "0123456789abcdef";

/* What is offered; all zero: a good one. */
struct offer {
    struct forge_ticket ticket;
    enum forge_checksum checksum;
    const char *over;    /* another nonce */
    const char *service; /* that is asked for */
    int64_t started_s;   /* ago */
    const char *words;   /* in the cause */
};

/* What verify_check says of OFFER; its identity is put into NAME. */
static enum outcome
check(const struct offer *offer, char name[256])
{
    krb5_context context = here.krb.context;
    struct forge_ticket ticket = offer->ticket;
    const char *over = offer->over == NULL ? nonce : offer->over;
    struct forge_request request = {
        .checksum = offer->checksum,
        .nonce = {.length = (unsigned int)strlen(over),
                  .data = (char *)(uintptr_t)over},
    };
    struct verify_claim claim = {
        .service = offer->service == NULL ? HOST : offer->service,
        .nonce = span_from_text(nonce),
        .started = (int64_t)time(NULL) - offer->started_s,
        .clockskew = 300,
    };
    krb5_principal identity = NULL;
    krb5_data *ap_req = NULL;
    char *text = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    claim.keytab = here_keytab(services);
    ticket.keytab = claim.keytab;
    if (ticket.client == NULL) {
        ticket.client = "alice@PAM.TEST";
    }
    if (ticket.server == NULL) {
        ticket.server = HOST;
    }
    ck_assert_int_eq(forge_creds(context, &ticket, &request.creds), 0);
    ck_assert_int_eq(forge_ap_req(context, &request, &ap_req), 0);
    claim.ap_req = (struct span){.data = (const uint8_t *)ap_req->data,
                                 .length = ap_req->length};
    outcome = verify_check(&here.krb, &claim, &identity);
    name[0] = '\0';
    if (identity != NULL) {
        ck_assert_int_eq(krb5_unparse_name(context, identity, &text), 0);
        (void)snprintf(name, 256, "%s", text);
        krb5_free_unparsed_name(context, text);
    }
    krb5_free_principal(context, identity);
    krb5_free_data(context, ap_req);
    krb5_free_creds(context, request.creds);
    return outcome;
}

START_TEST(test_verify_good_ap_req_gives_its_client)
{
    static const struct offer offers[] = {
        {.words = "alice@PAM.TEST"},
        {.ticket = {.client = "bob@OTHER.TEST"}, .words = "bob@OTHER.TEST"},
        {.ticket = {.client = "a/b@PAM.TEST"}, .words = "a/b@PAM.TEST"},
        {.ticket = {.server = OTHER_HOST},
         .service = OTHER_HOST,
         .words = "alice@PAM.TEST"},
        {.ticket = {.age_s = 290, .start_age_s = 290},
         .words = "alice@PAM.TEST"},
        {.ticket = {.age_s = 3600, .start_age_s = 3600},
         .started_s = 3600,
         .words = "alice@PAM.TEST"},
    };
    char name[256];

    ck_assert_msg(check(&offers[_i], name) == OUTCOME_SUCCESS, "%s",
                  here.krb.detail);
    ck_assert_str_eq(name, offers[_i].words);
}
END_TEST

static const struct offer bad_offers[] = {
    {.ticket = {.server = OTHER_HOST}, .words = ""},
    {.ticket = {.server = APP}, .words = ""},
    {.service = OTHER_HOST, .words = ""},
    {.ticket = {.flags = TKT_FLG_INVALID}, .words = ""},
    {.ticket = {.client = ANONYMOUS}, .words = "anonymous"},
    {.ticket = {.client = "WELLKNOWN/ANONYMOUS@PAM.TEST"},
     .words = "anonymous"},
    {.ticket = {.age_s = 310, .start_age_s = 310}, .words = "this login"},
    {.ticket = {.age_s = 310}, .words = "this login"},
    {.ticket = {.start_age_s = 310}, .words = "this login"},
    {.ticket = {.age_s = 36000, .start_age_s = 36000, .life_s = -3600},
     .words = "xpired"},
    {.ticket = {.start_age_s = -900}, .words = ""},
    {.checksum = FORGE_NONE, .words = "not for this login"},
    {.checksum = FORGE_UNKEYED, .words = "not for this login"},
    {.checksum = FORGE_GSS, .words = "not for this login"},
    {.over = "0123456789abcdeF", .words = "not for this login"},
    {.over = "0123456789abcde", .words = "not for this login"},
    {.over = "", .words = "not for this login"},
};

#define BAD_COUNT (int)(sizeof(bad_offers) / sizeof(bad_offers[0]))

START_TEST(test_verify_bad_ap_req_is_refused)
{
    char name[256];

    ck_assert_int_eq(check(&bad_offers[_i], name), OUTCOME_UNVERIFIED);
    ck_assert_str_eq(name, "");
    ck_assert_str_ne(here.krb.detail, "");
    ck_assert_msg(strstr(here.krb.detail, bad_offers[_i].words) != NULL, "%s",
                  here.krb.detail);
}
END_TEST

/* Any bit of it. */
START_TEST(test_verify_flipped_bit_is_refused)
{
    krb5_context context = here.krb.context;
    const char *keytab = here_keytab(services);
    struct forge_request request = {
        .nonce = {.length = CHALLENGE_NONCE_LENGTH, .data = nonce},
    };
    struct verify_claim claim = {
        .keytab = keytab,
        .service = HOST,
        .nonce = span_from_text(nonce),
        .started = (int64_t)time(NULL),
        .clockskew = 300,
    };
    krb5_data *ap_req = NULL;
    size_t accepted = 0;

    ck_assert_int_eq(forge_creds(context,
                                 &(struct forge_ticket){
                                     .client = "alice@PAM.TEST",
                                     .server = HOST,
                                     .keytab = keytab,
                                 },
                                 &request.creds),
                     0);
    ck_assert_int_eq(forge_ap_req(context, &request, &ap_req), 0);
    claim.ap_req = (struct span){.data = (const uint8_t *)ap_req->data,
                                 .length = ap_req->length};
    for (size_t bit = 0; bit < (size_t)ap_req->length * 8; bit++) {
        krb5_principal identity = NULL;
        char mask = (char)(1 << (bit % 8));

        ap_req->data[bit / 8] ^= mask;
        if (verify_check(&here.krb, &claim, &identity) == OUTCOME_SUCCESS) {
            /* What nobody signs: options, kvno, name type. */
            ck_assert(krb5_principal_compare(context, identity,
                                             request.creds->client));
            accepted++;
        } else {
            ck_assert_ptr_null(identity);
        }
        krb5_free_principal(context, identity);
        ap_req->data[bit / 8] ^= mask;
    }
    ck_assert_uint_lt(accepted, ap_req->length);
    krb5_free_data(context, ap_req);
    krb5_free_creds(context, request.creds);
}
END_TEST

START_TEST(test_verify_empty_or_cut_ap_req_is_refused)
{
    static const uint8_t garbage[] = {0x6e, 0x82, 0x02, 0x00, 0x30};
    struct verify_claim claim = {
        .service = HOST,
        .nonce = span_from_text(nonce),
        .started = (int64_t)time(NULL),
        .clockskew = 300,
    };
    krb5_principal identity = NULL;

    claim.keytab = here_keytab(services);
    for (size_t length = 0; length <= sizeof(garbage); length++) {
        claim.ap_req = (struct span){.data = garbage, .length = length};
        ck_assert_int_eq(verify_check(&here.krb, &claim, &identity),
                         OUTCOME_UNVERIFIED);
        ck_assert_ptr_null(identity);
    }
}
END_TEST

/* The keytab that is named is the one that is used. */
START_TEST(test_verify_with_another_keytab_is_refused)
{
    struct offer offer = {.words = ""};
    krb5_principal identity = NULL;
    struct verify_claim claim = {
        .service = HOST,
        .nonce = span_from_text(nonce),
        .keytab = here_name("nowhere"),
    };
    char name[256];

    ck_assert_int_eq(check(&offer, name), OUTCOME_SUCCESS);
    claim.ap_req = span_from_text("x");
    ck_assert_int_eq(verify_check(&here.krb, &claim, &identity),
                     OUTCOME_UNVERIFIED);
}
END_TEST

START_TEST(test_verify_lists_host_principals_once)
{
    static const char *const keys[] = {
        APP,
        HOST,
        "hostess/a@PAM.TEST",
        "host@PAM.TEST",
        "host/a/b@PAM.TEST",
        "Host/a.pam.test@PAM.TEST",
        HOST,
        OTHER_HOST,
        "host/a.pam.test@OTHER.TEST",
        NULL,
    };
    struct verify_candidates candidates;

    verify_list(&here.krb, here_keytab(keys), &candidates);
    ck_assert_uint_eq(candidates.count, 3);
    ck_assert_str_eq(candidates.list[0], HOST);
    ck_assert_str_eq(candidates.list[1], OTHER_HOST);
    ck_assert_str_eq(candidates.list[2], "host/a.pam.test@OTHER.TEST");
    verify_candidates_free(&candidates);
}
END_TEST

START_TEST(test_verify_lists_no_more_than_it_will_try)
{
    char names[VERIFY_CANDIDATES_MAX + 4][64];
    const char *keys[VERIFY_CANDIDATES_MAX + 5] = {NULL};
    struct verify_candidates candidates;

    for (size_t i = 0; i < VERIFY_CANDIDATES_MAX + 4; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "host/h%zu@PAM.TEST", i);
        keys[i] = names[i];
    }
    verify_list(&here.krb, here_keytab(keys), &candidates);
    ck_assert_uint_eq(candidates.count, VERIFY_CANDIDATES_MAX);
    verify_candidates_free(&candidates);
}
END_TEST

START_TEST(test_verify_lists_nothing_where_there_is_nothing)
{
    static const char *const keys[] = {APP, NULL};
    struct verify_candidates candidates;

    verify_list(&here.krb, here_name("nowhere"), &candidates);
    ck_assert_uint_eq(candidates.count, 0);
    ck_assert_ptr_nonnull(strstr(here.krb.detail, "cannot read the keytab"));
    verify_list(&here.krb, here_keytab(keys), &candidates);
    ck_assert_uint_eq(candidates.count, 0);
    ck_assert_ptr_nonnull(strstr(here.krb.detail, "no host/ principal"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tcase = suite_case(suite, "judge");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_loop_test(tcase, test_verify_good_ap_req_gives_its_client, 0, 6);
    tcase_add_loop_test(tcase, test_verify_bad_ap_req_is_refused, 0, BAD_COUNT);
    tcase_add_test(tcase, test_verify_flipped_bit_is_refused);
    tcase_add_test(tcase, test_verify_empty_or_cut_ap_req_is_refused);
    tcase_add_test(tcase, test_verify_with_another_keytab_is_refused);
    tcase_add_test(tcase, test_verify_lists_host_principals_once);
    tcase_add_test(tcase, test_verify_lists_no_more_than_it_will_try);
    tcase_add_test(tcase, test_verify_lists_nothing_where_there_is_nothing);
    return suite_main(suite);
}
