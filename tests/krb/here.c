/* A realm for unit tests that is nowhere but in a krb5.conf. */
#include "krb/here.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/suite.h"

#define REALM "PAM.TEST"

struct here here;

static void
keep_line(void *data, enum log_level level, const char *line)
{
    size_t length = strlen(here.logged);

    (void)data;
    (void)snprintf(here.logged + length, sizeof(here.logged) - length,
                   "<%d> %s\n", (int)level, line);
}

void
here_configure(const char *lines)
{
    char *path = suite_path(here.folder, "krb5.conf");
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    (void)fprintf(file,
                  "%s\n[libdefaults]\ndefault_realm = " REALM
                  "\ndns_lookup_kdc = false\ndns_lookup_realm = false\n"
                  "rdns = false\n",
                  lines);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(setenv("KRB5_CONFIG", path, 1), 0);
    free(path);
    krb_close(&here.krb);
    here.log = (struct log){.sink = keep_line};
    ck_assert_int_eq(krb_open(&here.krb, &here.log, -1), OUTCOME_SUCCESS);
}

void
here_setup(void)
{
    (void)unsetenv("KRB5CCNAME");
    (void)unsetenv("KRB5_KTNAME");
    here.folder = suite_tmpdir();
    here.logged[0] = '\0';
    here_configure("");
}

void
here_teardown(void)
{
    krb_close(&here.krb);
    suite_remove_tree(here.folder);
    here.folder = NULL;
}

const char *
here_name(const char *name)
{
    static char text[4][512];
    static unsigned int next;
    char *whole = text[next++ % 4];

    (void)snprintf(whole, sizeof(text[0]), "FILE:%s/%s", here.folder, name);
    return whole;
}

const char *
here_keytab(const char *const *services)
{
    krb5_context context = here.krb.context;
    const char *name = here_name("keytab");
    krb5_keytab keytab = NULL;

    ck_assert_int_eq(krb5_kt_resolve(context, name, &keytab), 0);
    for (; *services != NULL; services++) {
        krb5_keytab_entry entry = {.vno = 1};

        ck_assert_int_eq(krb5_parse_name(context, *services, &entry.principal),
                         0);
        ck_assert_int_eq(krb5_c_make_random_key(context,
                                                ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                                &entry.key),
                         0);
        ck_assert_int_eq(krb5_kt_add_entry(context, keytab, &entry), 0);
        (void)krb5_free_keytab_entry_contents(context, &entry);
    }
    (void)krb5_kt_close(context, keytab);
    return name;
}

void
here_add(struct tickets *tickets, const char *service, int64_t life_s)
{
    char *client = NULL;
    krb5_creds *creds = NULL;

    ck_assert_int_eq(
        krb5_unparse_name(here.krb.context, tickets->client, &client), 0);
    ck_assert_int_eq(
        forge_creds(here.krb.context,
                    &(struct forge_ticket){.client = client,
                                           .server = service,
                                           .flags = TKT_FLG_RENEWABLE,
                                           .life_s = life_s},
                    &creds),
        0);
    krb5_free_unparsed_name(here.krb.context, client);
    /* Not realloc'd: a test may be read by one who forbids that to us. */
    if (tickets->list == NULL) {
        tickets->list = calloc(TICKETS_MAX + 1, sizeof(tickets->list[0]));
    }
    ck_assert_ptr_nonnull(tickets->list);
    ck_assert_uint_lt(tickets->count, TICKETS_MAX);
    tickets->list[tickets->count++] = creds;
}

struct tickets
here_tickets(const char *client)
{
    struct tickets tickets = {0};

    ck_assert_int_eq(krb5_parse_name(here.krb.context, client, &tickets.client),
                     0);
    here_add(&tickets, "krbtgt/" REALM "@" REALM, 36000);
    return tickets;
}

struct bytes
here_pack(const struct tickets *tickets)
{
    struct bytes bytes = BYTES_EMPTY;
    krb5_ccache cache = NULL;

    ck_assert_int_eq(tickets_to_memory(&here.krb, tickets, &cache),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(tickets_pack_cache(&here.krb, cache, &bytes),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(krb5_cc_destroy(here.krb.context, cache), 0);
    return bytes;
}
