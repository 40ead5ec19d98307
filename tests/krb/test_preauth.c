/*
 * What is handed over for armor, and the files that an identity is in.
 */
#include "krb/preauth.h"

#include <stdlib.h>
#include <string.h>

#include "krb/here.h"
#include "support/suite.h"

#define HOST "host/testhost.pam.test@PAM.TEST"

/* Puts TICKETS into the cache NAME. */
static void
plant(const char *name, const struct tickets *tickets)
{
    krb5_context context = here.krb.context;
    krb5_ccache cache = NULL;

    ck_assert_int_eq(krb5_cc_resolve(context, name, &cache), 0);
    ck_assert_int_eq(krb5_cc_initialize(context, cache, tickets->client), 0);
    for (size_t i = 0; i < tickets->count; i++) {
        ck_assert_int_eq(krb5_cc_store_cred(context, cache, tickets->list[i]),
                         0);
    }
    ck_assert_int_eq(krb5_cc_close(context, cache), 0);
}

START_TEST(test_preauth_armor_is_what_grants_tickets_and_no_more)
{
    const char *name = here_name("armor");
    struct tickets tickets = here_tickets(HOST);
    struct tickets armor = {0};
    struct bytes bytes = BYTES_EMPTY;

    here_add(&tickets, "nfs/server.pam.test@PAM.TEST", 3600);
    here_add(&tickets, "krbtgt/OTHER.TEST@PAM.TEST", 3600);
    here_add(&tickets, "krbtgt@PAM.TEST", 3600);
    here_add(&tickets, "krb5_ccache_conf_data/pa_type@X-CACHECONF:", 3600);
    plant(name, &tickets);
    ck_assert_int_eq(preauth_read_armor(&here.krb, name, &bytes),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(tickets_unpack(&here.krb, bytes_span(&bytes), &armor),
                     OUTCOME_SUCCESS);
    ck_assert_uint_eq(armor.count, 2);
    ck_assert_ptr_nonnull(tickets_tgt(&here.krb, &armor));
    ck_assert_uint_eq(armor.list[1]->server->data[1].length,
                      strlen("OTHER.TEST"));
    tickets_free(&here.krb, &armor);
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

static void
check_no_armor(const char *name, enum outcome outcome)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(preauth_read_armor(&here.krb, name, &bytes), outcome);
    ck_assert_uint_eq(bytes.length, 0);
    ck_assert_str_ne(here.krb.detail, "");
    bytes_free(&bytes);
}

START_TEST(test_preauth_no_armor_without_a_tgt)
{
    const char *name = here_name("armor");
    struct tickets tickets = here_tickets(HOST);
    krb5_creds *tgt = tickets.list[0];

    here_add(&tickets, "nfs/server.pam.test@PAM.TEST", 3600);
    tickets.list[0] = tickets.list[1];
    tickets.count = 1;
    plant(name, &tickets);
    check_no_armor(name, OUTCOME_CACHE_UNREADABLE);
    krb5_free_creds(here.krb.context, tgt);
    tickets.list[1] = NULL;
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_preauth_no_armor_of_an_expired_tgt)
{
    const char *name = here_name("armor");
    struct tickets tickets = here_tickets(HOST);

    tickets.list[0]->times.endtime = 1;
    plant(name, &tickets);
    check_no_armor(name, OUTCOME_TICKET_EXPIRED);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_preauth_no_armor_where_there_is_no_cache)
{
    check_no_armor(here_name("armor"), OUTCOME_CACHE_MISSING);
    check_no_armor("NOKIND:armor", OUTCOME_CACHE_KIND);
}
END_TEST

/* Options, each in a line, and the files that they name. */
static const struct row {
    const char *options[4];
    const char *files[PREAUTH_FILES_MAX];
} rows[] = {
    {{"try_pkinit", "pkinit_user=FILE:/a,/b"}, {"/a", "/b"}},
    {{"use_pkinit", "pkinit_user=FILE:/a,/b"}, {"/a", "/b"}},
    {{"use_pkinit", "pkinit_user=FILE:/a"}, {"/a"}},
    {{"use_pkinit", "pkinit_user=FILE:/a,"}, {"/a"}},
    {{"use_pkinit", "pkinit_user=/a,/b"}, {"/a", "/b"}},
    {{"use_pkinit", "pkinit_user=FILE:/a,/b,c"}, {"/a", "/b"}},
    {{"use_pkinit", "pkinit_user=FILE:"}, {NULL}},
    {{"use_pkinit", "pkinit_user=PKCS12:/a,b"}, {"/a,b"}},
    {{"use_pkinit", "pkinit_user=DIR:/a"}, {"/a"}},
    {{"use_pkinit", "pkinit_user=PKCS11:/a.so"}, {NULL}},
    {{"use_pkinit", "pkinit_user=ENV:A"}, {NULL}},
    {{"use_pkinit"}, {NULL}},
    /* Not wanted. */
    {{"pkinit_user=FILE:/a,/b"}, {NULL}},
    {{"use_pkinit=false", "preauth_opt=X509_user_identity=/a"}, {NULL}},
    /* The last counts. */
    {{"use_pkinit", "preauth_opt=X509_user_identity=FILE:/a"}, {"/a"}},
    {{"use_pkinit", "preauth_opt=X509_user_identity=/a", "pkinit_user=/b"},
     {"/a"}},
    {{"use_pkinit", "preauth_opt=X509_user_identity=/a",
      "preauth_opt=X509_user_identity=/b", "preauth_opt=flag"},
     {"/b"}},
    {{"use_pkinit", "pkinit_user=/a", "preauth_opt=X509_user_identity="},
     {"/a"}},
    {{"use_pkinit", "pkinit_user=/a", "preauth_opt=X509_user_identity"},
     {"/a"}},
    {{"use_pkinit", "pkinit_user=/a", "preauth_opt=X509_user_identityx=/b"},
     {"/a"}},
};

#define ROW_COUNT ((int)(sizeof(rows) / sizeof(rows[0])))

START_TEST(test_preauth_files_are_those_of_the_identity)
{
    const struct row *row = &rows[_i];
    struct options options;
    struct preauth_files files;

    ck_assert_int_eq(options_init(&options), 0);
    for (size_t i = 0; i < 4 && row->options[i] != NULL; i++) {
        ck_assert_int_eq(
            options_set(&options, OPTION_FROM_ARGUMENT, row->options[i]), 0);
    }
    ck_assert_int_eq(preauth_find_files(&options, &files), 0);
    for (size_t i = 0; i < PREAUTH_FILES_MAX; i++) {
        if (row->files[i] == NULL) {
            ck_assert_uint_le(files.count, i);
        } else {
            ck_assert_uint_gt(files.count, i);
            ck_assert_str_eq(files.list[i], row->files[i]);
        }
    }
    preauth_files_free(&files);
    ck_assert_uint_eq(files.count, 0);
    options_free(&options);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("preauth");
    TCase *tcase = suite_case(suite, "preauth");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_test(tcase,
                   test_preauth_armor_is_what_grants_tickets_and_no_more);
    tcase_add_test(tcase, test_preauth_no_armor_without_a_tgt);
    tcase_add_test(tcase, test_preauth_no_armor_of_an_expired_tgt);
    tcase_add_test(tcase, test_preauth_no_armor_where_there_is_no_cache);
    tcase_add_loop_test(tcase, test_preauth_files_are_those_of_the_identity, 0,
                        ROW_COUNT);
    return suite_main(suite);
}
