/*
 * A context without PKINIT: in which cases, and that it reads krb5.conf like
 * any other.  That libkrb5 then does without its plugin is shown where there
 * is a KDC (stack/test_preauth).
 */
#include "krb/pkinit.h"

#include <errno.h>
#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "krb/here.h"
#include "support/suite.h"

static struct options options;

static void
setup(void)
{
    here_setup();
    ck_assert_int_eq(options_init(&options), 0);
}

static void
teardown(void)
{
    options_free(&options);
    here_teardown();
}

/* The profile of the context; profile_release. */
static profile_t
profile_of_context(void)
{
    profile_t profile = NULL;

    ck_assert_int_eq(krb5_get_profile(here.krb.context, &profile), 0);
    return profile;
}

/* How many values PATH has, the first of which is FIRST (NULL: none). */
static size_t
count_values(const char *const *path, const char *first)
{
    profile_t profile = profile_of_context();
    char **values = NULL;
    size_t count = 0;

    if (profile_get_values(profile, path, &values) == 0) {
        ck_assert_ptr_nonnull(first);
        ck_assert_str_eq(values[0], first);
        while (values[count] != NULL) {
            count++;
        }
        profile_free_list(values);
    }
    profile_release(profile);
    return count;
}

static const char *const disable[] = {"plugins", "clpreauth", "disable", NULL};

#define REALM_LINES                                                            \
    "[realms]\n"                                                               \
    " OTHER.TEST = {\n"                                                        \
    "  kdc = 127.0.0.1:1\n"                                                    \
    "  kdc = 127.0.0.1:2\n"                                                    \
    " }\n"

/* What is set, in krb5.conf and as an argument, and whether PKINIT stays. */
static const struct row {
    const char *lines;
    const char *option;
    bool stays;
} rows[] = {
    {"", NULL, false},
    {REALM_LINES, NULL, false},
    /* Anchors are on every client of FreeIPA. */
    {"[libdefaults]\n pkinit_anchors = FILE:/a\n", NULL, false},
    {"", "pkinit_user=FILE:/a", false},
    {"[plugins]\n pwqual = {\n  disable = x\n }\n", NULL, false},
    {"[plugins]\n clpreauth = {\n  module = pkinit:y.so\n }\n", NULL, true},
    {"[plugins]\n clpreauth = {\n  enable_only = pkinit\n }\n", NULL, true},
    {"[appdefaults]\n pkinit_identities = FILE:/a\n", NULL, false},
    {"[libdefaults]\n pkinit_identities = FILE:/a\n", NULL, true},
    {"[libdefaults]\n OTHER.TEST = {\n  pkinit_identities = FILE:/a\n }\n",
     NULL, true},
    {"[realms]\n OTHER.TEST = {\n  pkinit_identities = FILE:/a\n }\n", NULL,
     true},
    {"[realms]\n A.TEST = {\n  kdc = x\n }\n"
     " OTHER.TEST = {\n  kdc = x\n  pkinit_identities = FILE:/a\n }\n",
     NULL, true},
    {"[plugins]\n clpreauth = {\n  disable = spake\n }\n", NULL, true},
    {"", "try_pkinit", true},
    {"", "use_pkinit", true},
    {"", "anon_fast", true},
};

START_TEST(test_pkinit_is_left_out_where_nothing_asks_for_it)
{
    const struct row *row = &rows[_i];
    krb5_context before = NULL;
    size_t already = 0;

    here_configure(row->lines);
    if (row->option != NULL) {
        ck_assert_int_eq(
            options_set(&options, OPTION_FROM_ARGUMENT, row->option), 0);
    }
    before = here.krb.context;
    already = strstr(row->lines, "disable = spake") == NULL ? 0 : 1;
    pkinit_leave_out(&here.krb, &options);
    ck_assert_int_eq(here.krb.context == before, row->stays);
    ck_assert_uint_eq(count_values(disable, already > 0 ? "spake" : "pkinit"),
                      row->stays ? already : 1);
}
END_TEST

/* A name in SECTION's list of sections? */
static bool
has_subsection(const char *section, const char *name)
{
    const char *path[] = {section, NULL};
    profile_t profile = profile_of_context();
    char **names = NULL;
    bool has = false;

    ck_assert_int_eq(profile_get_subsection_names(profile, path, &names), 0);
    for (size_t i = 0; names[i] != NULL; i++) {
        has |= strcmp(names[i], name) == 0;
    }
    profile_free_list(names);
    profile_release(profile);
    return has;
}

START_TEST(test_pkinit_left_out_leaves_the_rest_of_krb5_conf)
{
    static const char *const kdcs[] = {"realms", "OTHER.TEST", "kdc", NULL};
    static const char *const none[] = {"realms", "OTHER.TEST", "no", NULL};
    static const char *const enable[] = {"plugins", "clpreauth", "enable_only",
                                         NULL};
    static const char *const longer[] = {"plugins", "clpreauth", "disable",
                                         "pkinit", NULL};
    static const char *const other[] = {"plugins", "pwqual", "disable", NULL};
    char *realm = NULL;
    profile_t profile = NULL;
    int value = 0;

    here_configure(REALM_LINES "[libdefaults]\n clockskew = 17\n"
                               "[plugins]\n pwqual = {\n  disable = x\n"
                               "  disable = y\n }\n");
    pkinit_leave_out(&here.krb, &options);
    ck_assert_uint_eq(count_values(disable, "pkinit"), 1);
    ck_assert_uint_eq(count_values(enable, NULL), 0);
    ck_assert_uint_eq(count_values(other, "x"), 2);
    ck_assert_uint_eq(count_values(kdcs, "127.0.0.1:1"), 2);
    ck_assert_uint_eq(count_values(none, NULL), 0);
    ck_assert_uint_eq(count_values(longer, NULL), 0);
    ck_assert(has_subsection("realms", "OTHER.TEST"));
    ck_assert(!has_subsection("realms", "NONE.TEST"));
    ck_assert_int_eq(krb5_get_default_realm(here.krb.context, &realm), 0);
    ck_assert_str_eq(realm, "PAM.TEST");
    krb5_free_default_realm(here.krb.context, realm);
    ck_assert_int_eq(krb_clockskew(&here.krb), 17);
    /* Before the end of an iteration, too. */
    profile = profile_of_context();
    ck_assert_int_eq(profile_get_integer(profile, "libdefaults", "clockskew",
                                         NULL, 1, &value),
                     0);
    ck_assert_int_eq(value, 17);
    profile_release(profile);
}
END_TEST

/* Whoever gives an iteration up loses nothing by it (a sanitizer looks). */
START_TEST(test_pkinit_left_out_lets_an_iteration_be_given_up)
{
    const char *path[] = {"realms", NULL};
    profile_t profile = NULL;
    void *iterator = NULL;
    char *name = NULL;
    char *value = NULL;

    here_configure(REALM_LINES);
    pkinit_leave_out(&here.krb, &options);
    profile = profile_of_context();
    ck_assert_int_eq(profile_iterator_create(
                         profile, path, PROFILE_ITER_LIST_SECTION, &iterator),
                     0);
    ck_assert_int_eq(profile_iterator(&iterator, &name, &value), 0);
    ck_assert_ptr_nonnull(name);
    profile_release_string(name);
    profile_release_string(value);
    profile_iterator_free(&iterator);
    profile_release(profile);
}
END_TEST

START_TEST(test_pkinit_left_out_keeps_the_trace)
{
    char *path = suite_path(here.folder, "trace");
    FILE *trace = fopen(path, "w+e");
    krb5_principal client = NULL;
    krb5_ccache cache = NULL;

    ck_assert_ptr_nonnull(trace);
    here.krb.trace_fd = fileno(trace);
    pkinit_leave_out(&here.krb, &options);
    /* Something that libkrb5 tells of. */
    ck_assert_int_eq(krb5_parse_name(here.krb.context, "alice", &client), 0);
    ck_assert_int_eq(
        krb5_cc_resolve(here.krb.context, here_name("traced"), &cache), 0);
    ck_assert_int_eq(krb5_cc_initialize(here.krb.context, cache, client), 0);
    ck_assert_int_gt(lseek(fileno(trace), 0, SEEK_END), 0);
    ck_assert_int_eq(krb5_cc_close(here.krb.context, cache), 0);
    krb5_free_principal(here.krb.context, client);
    here.krb.trace_fd = -1;
    (void)fclose(trace);
    free(path);
}
END_TEST

/* A profile of which some things cannot be told. */
static const char *unknown;

static long
get_nothing(void *data, const char *const *path, char ***values_out)
{
    (void)data;
    *values_out = NULL;
    for (size_t i = 0; path[i] != NULL; i++) {
        if (strcmp(path[i], unknown) == 0) {
            return ENOMEM;
        }
    }
    return PROF_NO_RELATION;
}

static void
free_nothing(void *data, char **values)
{
    (void)data;
    ck_assert_ptr_null(values);
}

/* It has an iterator, and no sections. */
static long
iterate_nothing(void *data, const char *const *path, int flags, void **out)
{
    (void)data;
    (void)path;
    (void)flags;
    *out = NULL;
    return PROF_NO_SECTION;
}

static long
no_next(void *data, void *iterator, char **name_out, char **value_out)
{
    (void)data;
    (void)iterator;
    *name_out = NULL;
    *value_out = NULL;
    return 0;
}

static void
free_iterator(void *data, void *iterator)
{
    (void)data;
    (void)iterator;
}

static void
free_string(void *data, char *text)
{
    (void)data;
    free(text);
}

/* What is not told to be absent may be there: in doubt PKINIT stays. */
START_TEST(test_pkinit_stays_where_it_cannot_be_told)
{
    static const struct {
        const char *unknown;
        bool has_iterator;
        bool stays;
    } cases[] = {
        {"", true, false},
        {"pkinit_identities", true, true},
        {"clpreauth", true, true},
        {"", false, true},
    };
    struct profile_vtable functions = {
        .minor_ver = 1,
        .get_values = get_nothing,
        .free_values = free_nothing,
    };
    profile_t profile = NULL;
    krb5_context context = NULL;

    unknown = cases[_i].unknown;
    if (cases[_i].has_iterator) {
        functions.iterator_create = iterate_nothing;
        functions.iterator = no_next;
        functions.iterator_free = free_iterator;
        functions.free_string = free_string;
    }
    ck_assert_int_eq(profile_init_vtable(&functions, NULL, &profile), 0);
    ck_assert_int_eq(krb5_init_context_profile(profile, 0, &context), 0);
    krb_replace_context(&here.krb, context, profile);
    pkinit_leave_out(&here.krb, &options);
    ck_assert_int_eq(here.krb.context == context, cases[_i].stays);
}
END_TEST

START_TEST(test_pkinit_without_a_context_there_is_nothing_to_do)
{
    krb_close(&here.krb);
    pkinit_leave_out(&here.krb, &options);
    ck_assert_ptr_null(here.krb.context);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkinit");
    TCase *tcase = suite_case(suite, "pkinit");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase,
                        test_pkinit_is_left_out_where_nothing_asks_for_it, 0,
                        sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(tcase, test_pkinit_left_out_leaves_the_rest_of_krb5_conf);
    tcase_add_test(tcase, test_pkinit_left_out_lets_an_iteration_be_given_up);
    tcase_add_test(tcase, test_pkinit_left_out_keeps_the_trace);
    tcase_add_loop_test(tcase, test_pkinit_stays_where_it_cannot_be_told, 0, 4);
    tcase_add_test(tcase, test_pkinit_without_a_context_there_is_nothing_to_do);
    return suite_main(suite);
}
