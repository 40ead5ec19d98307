/*
 * Tickets as bytes: what was packed comes back, and nothing else is taken for
 * tickets, however little of it is wrong.
 */
#include "krb/here.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALICE "alice@PAM.TEST"
#define SERVICE "app/service.test@PAM.TEST"

/* Behind layout and clock offset. */
#define NAME_AT 18

static void
assert_same_creds(const krb5_creds *a, const krb5_creds *b)
{
    krb5_context context = here.krb.context;

    ck_assert(krb5_principal_compare(context, a->client, b->client));
    ck_assert(krb5_principal_compare(context, a->server, b->server));
    ck_assert_uint_eq(a->ticket.length, b->ticket.length);
    ck_assert_mem_eq(a->ticket.data, b->ticket.data, a->ticket.length);
    ck_assert_int_eq(a->keyblock.enctype, b->keyblock.enctype);
    ck_assert_uint_eq(a->keyblock.length, b->keyblock.length);
    ck_assert_mem_eq(a->keyblock.contents, b->keyblock.contents,
                     a->keyblock.length);
    ck_assert_int_eq(a->times.endtime, b->times.endtime);
    ck_assert_int_eq(a->ticket_flags, b->ticket_flags);
}

START_TEST(test_tickets_packed_come_back)
{
    struct tickets tickets = here_tickets(ALICE);
    struct tickets again = {0};
    struct bytes bytes;

    here_add(&tickets, SERVICE, 3600);
    here_add(&tickets, "krb5_ccache_conf_data/pa_type@X-CACHECONF:", 3600);
    bytes = here_pack(&tickets);
    ck_assert_int_eq(tickets_unpack(&here.krb, bytes_span(&bytes), &again),
                     OUTCOME_SUCCESS);
    ck_assert(
        krb5_principal_compare(here.krb.context, tickets.client, again.client));
    ck_assert_uint_eq(again.count, tickets.count);
    for (size_t i = 0; i < again.count; i++) {
        assert_same_creds(tickets.list[i], again.list[i]);
    }
    ck_assert_ptr_null(again.list[again.count]);
    ck_assert_ptr_eq(tickets_tgt(&here.krb, &again), again.list[0]);
    tickets_free(&here.krb, &again);
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_tickets_offset_travels)
{
    struct tickets tickets = here_tickets(ALICE);
    struct tickets again = {0};
    struct bytes bytes;

    tickets.offset.seconds = -1200;
    bytes = here_pack(&tickets);
    /* Taken from the clock twice: a second may have passed between. */
    ck_assert_int_ge(tickets_offset(bytes_span(&bytes)).seconds, -1201);
    ck_assert_int_le(tickets_offset(bytes_span(&bytes)).seconds, -1199);
    ck_assert_int_eq(tickets_unpack(&here.krb, bytes_span(&bytes), &again),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(again.offset.seconds,
                     tickets_offset(bytes_span(&bytes)).seconds);
    tickets_free(&here.krb, &again);
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_tickets_offset_of_too_few_bytes_is_none)
{
    struct tickets tickets = here_tickets(ALICE);
    struct bytes bytes;

    tickets.offset.seconds = 1200;
    bytes = here_pack(&tickets);
    for (size_t length = 0; length < NAME_AT; length++) {
        struct span span = {.data = bytes.data, .length = length};

        ck_assert_int_eq(tickets_offset(span).seconds, 0);
    }
    bytes.data[1] = 2; /* another layout */
    ck_assert_int_eq(tickets_offset(bytes_span(&bytes)).seconds, 0);
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

/* Unpacks SPAN, which is no tickets, and looks that nothing comes of it. */
static void
assert_refused(struct span span, size_t what)
{
    struct tickets tickets = {.count = 77};
    enum outcome outcome = tickets_unpack(&here.krb, span, &tickets);

    ck_assert_msg(outcome != OUTCOME_SUCCESS, "%zu was taken for tickets",
                  what);
    ck_assert_str_ne(here.krb.detail, "");
    ck_assert_uint_eq(tickets.count, 0);
    ck_assert_ptr_null(tickets.list);
    ck_assert_ptr_null(tickets.client);
}

START_TEST(test_tickets_cut_anywhere_are_refused)
{
    struct tickets tickets = here_tickets(ALICE);
    struct bytes bytes;

    here_add(&tickets, SERVICE, 3600);
    bytes = here_pack(&tickets);
    for (size_t length = 0; length < bytes.length; length++) {
        /* Of its own size, so that a sanitizer sees each byte too far. */
        uint8_t *part = malloc(length + 1);

        ck_assert_ptr_nonnull(part);
        memcpy(part + 1, bytes.data, length);
        assert_refused((struct span){.data = part + 1, .length = length},
                       length);
        free(part);
    }
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_tickets_with_more_behind_are_refused)
{
    struct tickets tickets = here_tickets(ALICE);
    struct bytes bytes = here_pack(&tickets);

    bytes_put_u16(&bytes, 0);
    assert_refused(bytes_span(&bytes), bytes.length);
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

/* A bit that is wrong is found out or does no harm: it never crashes us. */
START_TEST(test_tickets_flipped_bits_do_no_harm)
{
    struct tickets tickets = here_tickets(ALICE);
    struct bytes bytes;
    size_t refused = 0;

    here_add(&tickets, SERVICE, 3600);
    bytes = here_pack(&tickets);
    for (size_t bit = 0; bit < bytes.length * 8; bit++) {
        uint8_t mask = (uint8_t)(1 << (bit % 8));
        struct tickets again = {0};

        bytes.data[bit / 8] ^= mask;
        if (tickets_unpack(&here.krb, bytes_span(&bytes), &again) ==
            OUTCOME_SUCCESS) {
            krb5_ccache cache = NULL;

            (void)tickets_tgt(&here.krb, &again);
            if (tickets_to_memory(&here.krb, &again, &cache) ==
                OUTCOME_SUCCESS) {
                (void)krb5_cc_destroy(here.krb.context, cache);
            }
        } else {
            refused++;
        }
        tickets_free(&here.krb, &again);
        bytes.data[bit / 8] ^= mask;
    }
    /* Lengths, names and layout are more than an eighth of it. */
    ck_assert_uint_gt(refused, bytes.length);
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

/* What is left of PACKED behind its list's beginning, of another client. */
START_TEST(test_tickets_of_two_clients_are_refused)
{
    struct tickets tickets = here_tickets(ALICE);
    struct tickets bobs = here_tickets("bob@PAM.TEST");
    struct bytes bytes;

    /* Borrowed for a moment: an entry that is another client's. */
    tickets.list[tickets.count++] = bobs.list[0];
    bytes = here_pack(&tickets);
    tickets.list[--tickets.count] = NULL;
    {
        struct tickets again = {0};

        ck_assert_int_eq(tickets_unpack(&here.krb, bytes_span(&bytes), &again),
                         OUTCOME_UNVERIFIED);
        ck_assert_uint_eq(again.count, 0);
    }
    tickets_free(&here.krb, &tickets);
    tickets_free(&here.krb, &bobs);
    bytes_free(&bytes);
}
END_TEST

/* The same name in another realm is another client. */
START_TEST(test_tickets_of_two_realms_are_refused)
{
    struct tickets tickets = here_tickets(ALICE);
    struct tickets others = here_tickets("alice@OTHER.TEST");
    struct tickets again = {0};
    struct bytes bytes;

    tickets.list[tickets.count++] = others.list[0];
    bytes = here_pack(&tickets);
    tickets.list[--tickets.count] = NULL;
    ck_assert_int_eq(tickets_unpack(&here.krb, bytes_span(&bytes), &again),
                     OUTCOME_UNVERIFIED);
    tickets_free(&here.krb, &tickets);
    tickets_free(&here.krb, &others);
    bytes_free(&bytes);
}
END_TEST

/* As many as allowed, and one more. */
START_TEST(test_tickets_up_to_the_limit_are_taken)
{
    struct tickets tickets = here_tickets(ALICE);
    struct tickets again = {0};
    krb5_ccache cache = NULL;
    struct bytes bytes = BYTES_EMPTY;

    while (tickets.count < TICKETS_MAX) {
        char service[64];

        (void)snprintf(service, sizeof(service), "s/%zu@PAM.TEST",
                       tickets.count);
        here_add(&tickets, service, 3600);
    }
    ck_assert_int_eq(tickets_to_memory(&here.krb, &tickets, &cache),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(tickets_pack_cache(&here.krb, cache, &bytes),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(tickets_unpack(&here.krb, bytes_span(&bytes), &again),
                     OUTCOME_SUCCESS);
    ck_assert_uint_eq(again.count, TICKETS_MAX);
    tickets_free(&here.krb, &again);

    ck_assert_int_eq(
        krb5_cc_store_cred(here.krb.context, cache, tickets.list[0]), 0);
    bytes_free(&bytes);
    ck_assert_int_eq(tickets_pack_cache(&here.krb, cache, &bytes),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(tickets_unpack(&here.krb, bytes_span(&bytes), &again),
                     OUTCOME_HELPER_FAILED);
    ck_assert_int_eq(tickets_read_cache(&here.krb, cache, &again),
                     OUTCOME_CACHE_UNREADABLE);
    ck_assert_int_eq(krb5_cc_destroy(here.krb.context, cache), 0);
    tickets_free(&here.krb, &tickets);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_tickets_tgt_is_of_the_clients_realm)
{
    static const struct {
        const char *service;
        bool is_tgt;
    } rows[] = {
        {"krbtgt/PAM.TEST@PAM.TEST", true},
        {"krbtgt/OTHER.TEST@PAM.TEST", false},
        {"krbtgt/PAM.TEST@OTHER.TEST", false},
        {"krbtgt/OTHER.TEST@OTHER.TEST", false},
        {"krbtgt@PAM.TEST", false},
        {"krbtgt/PAM.TEST/x@PAM.TEST", false},
        {"kadmin/changepw@PAM.TEST", false},
        {SERVICE, false},
    };
    struct tickets tickets = {0};

    ck_assert_int_eq(krb5_parse_name(here.krb.context, ALICE, &tickets.client),
                     0);
    here_add(&tickets, rows[_i].service, 3600);
    ck_assert_int_eq(tickets_is_tgt(&here.krb, tickets.list[0]),
                     rows[_i].is_tgt);
    ck_assert_int_eq(tickets_tgt(&here.krb, &tickets) != NULL, rows[_i].is_tgt);
    tickets_free(&here.krb, &tickets);
}
END_TEST

/* A cache of alice's with an entry of bob's in front. */
static krb5_ccache
cache_of_two(struct tickets *alices, struct tickets *bobs)
{
    krb5_ccache cache = NULL;

    memmove(alices->list + 1, alices->list,
            alices->count * sizeof(alices->list[0]));
    alices->list[0] = bobs->list[0];
    alices->count++;
    ck_assert_int_eq(tickets_to_memory(&here.krb, alices, &cache),
                     OUTCOME_SUCCESS);
    alices->count--;
    memmove(alices->list, alices->list + 1,
            alices->count * sizeof(alices->list[0]));
    alices->list[alices->count] = NULL;
    return cache;
}

/* What a user has in his own cache is his, whomever it is for. */
START_TEST(test_tickets_of_two_clients_are_read_from_a_cache)
{
    struct tickets alices = here_tickets(ALICE);
    struct tickets bobs = here_tickets("bob@PAM.TEST");
    struct tickets read = {0};
    krb5_ccache cache = cache_of_two(&alices, &bobs);

    ck_assert_int_eq(tickets_read_cache(&here.krb, cache, &read),
                     OUTCOME_SUCCESS);
    ck_assert(
        krb5_principal_compare(here.krb.context, read.client, alices.client));
    ck_assert_uint_eq(read.count, 2);
    assert_same_creds(read.list[0], bobs.list[0]);
    assert_same_creds(read.list[1], alices.list[0]);
    ck_assert_ptr_null(read.list[2]);
    /* The TGT is the client's own, wherever another's stands. */
    ck_assert_ptr_eq(tickets_tgt(&here.krb, &read), read.list[1]);
    ck_assert_int_eq(krb5_cc_destroy(here.krb.context, cache), 0);
    tickets_free(&here.krb, &read);
    tickets_free(&here.krb, &alices);
    tickets_free(&here.krb, &bobs);
}
END_TEST

/* What goes back to a KDC, or comes from one, is of one client only. */
START_TEST(test_tickets_of_another_client_alone_have_no_tgt)
{
    struct tickets alices = here_tickets(ALICE);
    struct tickets bobs = here_tickets("bob@PAM.TEST");
    const krb5_creds *own = alices.list[0];

    alices.list[0] = bobs.list[0];
    ck_assert_ptr_null(tickets_tgt(&here.krb, &alices));
    alices.list[0] = (krb5_creds *)(uintptr_t)own;
    tickets_free(&here.krb, &alices);
    tickets_free(&here.krb, &bobs);
}
END_TEST

START_TEST(test_tickets_of_a_cache_without_principal_are_not_read)
{
    struct tickets read = {.count = 77};
    krb5_ccache cache = NULL;

    ck_assert_int_eq(
        krb5_cc_new_unique(here.krb.context, "MEMORY", NULL, &cache), 0);
    ck_assert_int_ne(tickets_read_cache(&here.krb, cache, &read),
                     OUTCOME_SUCCESS);
    ck_assert_str_ne(here.krb.detail, "");
    ck_assert_uint_eq(read.count, 0);
    ck_assert_ptr_null(read.list);
    ck_assert_int_eq(krb5_cc_destroy(here.krb.context, cache), 0);
}
END_TEST

/* An offset from elsewhere that no clock has does not pass for a small one. */
START_TEST(test_tickets_offset_that_is_none_is_refused)
{
    static const int64_t offsets[] = {INT64_MAX, INT64_MIN, (int64_t)1 << 32,
                                      -((int64_t)1 << 32), (int64_t)1 << 31};
    struct tickets tickets = here_tickets(ALICE);
    krb5_ccache cache = NULL;

    tickets.offset.seconds = offsets[_i];
    ck_assert_int_ne(tickets_to_memory(&here.krb, &tickets, &cache),
                     OUTCOME_SUCCESS);
    ck_assert_ptr_null(cache);
    tickets_free(&here.krb, &tickets);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("tickets");
    TCase *tcase = suite_case(suite, "bytes");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_test(tcase, test_tickets_packed_come_back);
    tcase_add_test(tcase, test_tickets_offset_travels);
    tcase_add_test(tcase, test_tickets_offset_of_too_few_bytes_is_none);
    tcase_add_test(tcase, test_tickets_cut_anywhere_are_refused);
    tcase_add_test(tcase, test_tickets_with_more_behind_are_refused);
    tcase_add_test(tcase, test_tickets_flipped_bits_do_no_harm);
    tcase_add_test(tcase, test_tickets_of_two_clients_are_refused);
    tcase_add_test(tcase, test_tickets_of_two_realms_are_refused);
    tcase_add_test(tcase, test_tickets_up_to_the_limit_are_taken);
    tcase_add_test(tcase, test_tickets_of_two_clients_are_read_from_a_cache);
    tcase_add_test(tcase, test_tickets_of_another_client_alone_have_no_tgt);
    tcase_add_test(tcase,
                   test_tickets_of_a_cache_without_principal_are_not_read);
    tcase_add_loop_test(tcase, test_tickets_tgt_is_of_the_clients_realm, 0, 8);
    tcase_add_loop_test(tcase, test_tickets_offset_that_is_none_is_refused, 0,
                        5);
    return suite_main(suite);
}
