/*
 * base/options: the table, and what parsing does with each of its rows.  The
 * walks below go over the table itself and fail for a row that has no case
 * here: whoever adds an option says what its default, a legal and an illegal
 * value are.
 */
#include "base/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

/* What is expected of one row. */
struct expectation {
    const char *name;
    size_t offset;
    const char *fallback; /* the value when nothing is given; NULL = none */
    const char *legal;    /* as it is written, and not the default */
    const char *value;    /* what LEGAL gives */
    const char *illegal;
    int error; /* of ILLEGAL */
    bool in_krb5_conf;
};

#define FLAG_ROW(field, krb5_conf)                                             \
    {                                                                          \
#field, offsetof(struct options, field), "false", #field, "true",      \
            #field "=maybe", -EINVAL, krb5_conf                                \
    }
#define NUMBER_ROW(field, fallback, legal, illegal, krb5_conf)                 \
    {                                                                          \
#field, offsetof(struct options, field), fallback, #field "=" legal,   \
            legal, #field "=" illegal, -ERANGE, krb5_conf                      \
    }
#define TEXT_ROW(field, fallback, legal, krb5_conf)                            \
    {                                                                          \
#field, offsetof(struct options, field), fallback, #field "=" legal,   \
            legal, #field "=", -EINVAL, krb5_conf                              \
    }

static const struct expectation expectations[] = {
    FLAG_ROW(allow_kdc_spoof, true),
    TEXT_ROW(alt_auth_map, NULL, "%s/root", true),
    FLAG_ROW(anon_fast, true),
    {"banner", offsetof(struct options, banner), "Kerberos", "banner=", "",
     "banner", -EINVAL, true},
    TEXT_ROW(ccache, NULL, "FILE:/tmp/krb5cc_%u_XXXXXX", true),
    TEXT_ROW(ccache_dir, NULL, "/tmp", true),
    FLAG_ROW(clear_on_fail, true),
    FLAG_ROW(debug, true),
    FLAG_ROW(defer_pwchange, true),
    FLAG_ROW(expose_account, true),
    FLAG_ROW(fail_pwchange, true),
    TEXT_ROW(fast_ccache, NULL, "FILE:/run/armor", true),
    FLAG_ROW(force_alt_auth, true),
    FLAG_ROW(force_first_pass, false),
    FLAG_ROW(force_pwchange, true),
    FLAG_ROW(forwardable, true),
    TEXT_ROW(helper, PATH_HELPER, "/opt/helper", false),
    FLAG_ROW(ignore_k5login, true),
    FLAG_ROW(ignore_root, true),
    FLAG_ROW(ignore_unknown_principals, true),
    TEXT_ROW(keytab, NULL, "/etc/other.keytab", true),
    NUMBER_ROW(minimum_uid, "0", "1000", "4294967295", true),
    FLAG_ROW(no_ccache, false),
    FLAG_ROW(no_prompt, true),
    FLAG_ROW(no_update_user, true),
    FLAG_ROW(no_user_check, true),
    FLAG_ROW(only_alt_auth, true),
    TEXT_ROW(pkinit_anchors, NULL, "FILE:/etc/ca.pem", true),
    FLAG_ROW(pkinit_prompt, true),
    TEXT_ROW(pkinit_user, NULL, "PKCS12:/etc/user.p12", true),
    TEXT_ROW(preauth_opt, NULL, "flag=yes", true),
    FLAG_ROW(prompt_principal, true),
    TEXT_ROW(realm, NULL, "EXAMPLE.COM", false),
    TEXT_ROW(renew_lifetime, NULL, "7d", true),
    FLAG_ROW(retain_after_close, true),
    TEXT_ROW(runtime_dir, PATH_RUNTIME, "/run/other", false),
    FLAG_ROW(search_k5login, true),
    FLAG_ROW(silent, false),
    NUMBER_ROW(stash_lifetime, "120", "3600", "3601", false),
    TEXT_ROW(state_dir, PATH_STATE, "/var/lib/other", false),
    TEXT_ROW(ticket_lifetime, NULL, "10h", true),
    NUMBER_ROW(timeout, "10", "3600", "3601", true),
    TEXT_ROW(trace, NULL, "/tmp/trace=1", false),
    FLAG_ROW(try_first_pass, false),
    FLAG_ROW(try_pkinit, true),
    FLAG_ROW(use_authtok, false),
    FLAG_ROW(use_first_pass, false),
    FLAG_ROW(use_pkinit, true),
    TEXT_ROW(user_realm, NULL, "EXAMPLE.COM", true),
};

/* strdup fails when this many more calls have been made; -1 = never. */
static int strdup_fails_in = -1;

char *failing_strdup(const char *text) __asm__("strdup");

char *
failing_strdup(const char *text)
{
    char *copy = NULL;

    if (strdup_fails_in == 0) {
        errno = ENOMEM;
        return NULL;
    }
    strdup_fails_in -= strdup_fails_in > 0;
    copy = malloc(strlen(text) + 1);
    return copy == NULL ? NULL : memcpy(copy, text, strlen(text) + 1);
}

static const struct expectation *
expectation_of(const char *name)
{
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]);
         i++) {
        if (strcmp(expectations[i].name, name) == 0) {
            return &expectations[i];
        }
    }
    ck_abort_msg("option %s has no case in this test", name);
}

/* The row of the table whose name is NAME. */
static size_t
index_of(const char *name)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return i;
        }
    }
    ck_abort_msg("option %s is not in the table", name);
}

/* The field that EXPECTED is about, as a value is written; NULL = none. */
static const char *
value_of(const struct options *options, const struct expectation *expected,
         char buffer[32])
{
    const char *field = (const char *)options + expected->offset;
    size_t count = 0;
    enum option_type type =
        options_table(&count)[index_of(expected->name)].type;

    if (type == OPTION_TEXT) {
        char *text = NULL;

        memcpy(&text, field, sizeof(text));
        return text;
    }
    if (type == OPTION_NUMBER) {
        int64_t number = 0;

        memcpy(&number, field, sizeof(number));
        (void)snprintf(buffer, 32, "%lld", (long long)number);
        return buffer;
    }
    return *(const bool *)field ? "true" : "false";
}

static void
check_value(const struct options *options, const struct expectation *expected,
            const char *value)
{
    char buffer[32];
    const char *got = value_of(options, expected, buffer);

    ck_assert_msg((got == NULL) == (value == NULL) &&
                      (got == NULL || strcmp(got, value) == 0),
                  "%s is %s instead of %s", expected->name,
                  got == NULL ? "not set" : got,
                  value == NULL ? "not set" : value);
}

/* Every field but that of EXCEPT (may be NULL) is as it is by default. */
static void
check_defaults(const struct options *options, const char *except)
{
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]);
         i++) {
        if (except == NULL || strcmp(expectations[i].name, except) != 0) {
            check_value(options, &expectations[i], expectations[i].fallback);
            ck_assert(
                !options_is_given(options, index_of(expectations[i].name)));
        }
    }
}

static void
check_same(const struct options *a, const struct options *b)
{
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]);
         i++) {
        char buffer[32];

        check_value(a, &expectations[i], value_of(b, &expectations[i], buffer));
    }
    ck_assert_uint_eq(a->given, b->given);
}

static struct options
fresh(void)
{
    struct options options;

    memset(&options, 0x5a, sizeof(options));
    ck_assert_int_eq(options_init(&options), 0);
    return options;
}

static void
set(struct options *options, const char *text)
{
    int status = options_set(options, OPTION_FROM_ARGUMENT, text);

    ck_assert_msg(status == 0, "%s: %d", text, status);
}

static void
check_refused(const char *text, int error)
{
    struct options options = fresh();
    int status = options_set(&options, OPTION_FROM_ARGUMENT, text);

    ck_assert_msg(status == error, "%s: %d instead of %d", text, status, error);
    check_defaults(&options, NULL);
    options_free(&options);
}

START_TEST(test_options_table_is_sorted_and_unique)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    ck_assert_uint_gt(count, 0);
    for (size_t i = 1; i < count; i++) {
        ck_assert_str_lt(table[i - 1].name, table[i].name);
    }
}
END_TEST

START_TEST(test_options_fields_are_each_rows_own)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_lt(table[i].offset, offsetof(struct options, given));
        for (size_t j = 0; j < i; j++) {
            ck_assert_uint_ne(table[i].offset, table[j].offset);
        }
    }
}
END_TEST

START_TEST(test_options_rows_have_one_line_of_help)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_nonnull(table[i].help);
        ck_assert_str_ne(table[i].help, "");
        ck_assert_ptr_null(strchr(table[i].help, '\n'));
    }
}
END_TEST

START_TEST(test_options_cases_are_those_of_the_table)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    ck_assert_uint_eq(count, sizeof(expectations) / sizeof(expectations[0]));
    for (size_t i = 0; i < count; i++) {
        const struct expectation *expected = expectation_of(table[i].name);

        ck_assert_uint_eq(table[i].offset, expected->offset);
        ck_assert_int_eq(table[i].in_krb5_conf, expected->in_krb5_conf);
    }
}
END_TEST

START_TEST(test_options_new_have_their_defaults)
{
    struct options options = fresh();

    check_defaults(&options, NULL);
    ck_assert_uint_eq(options.given, 0);
    options_free(&options);
}
END_TEST

START_TEST(test_options_each_row_is_flipped_by_a_legal_value)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        const struct expectation *expected = expectation_of(table[i].name);
        struct options options = fresh();

        ck_assert(expected->fallback == NULL ||
                  strcmp(expected->fallback, expected->value) != 0);
        set(&options, expected->legal);
        check_value(&options, expected, expected->value);
        ck_assert(options_is_given(&options, i));
        check_defaults(&options, expected->name);
        options_free(&options);
    }
}
END_TEST

START_TEST(test_options_each_row_refuses_an_illegal_value)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        const struct expectation *expected = expectation_of(table[i].name);

        check_refused(expected->illegal, expected->error);
    }
}
END_TEST

START_TEST(test_options_refused_value_leaves_what_was_given)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        const struct expectation *expected = expectation_of(table[i].name);
        struct options options = fresh();

        set(&options, expected->legal);
        ck_assert_int_eq(
            options_set(&options, OPTION_FROM_ARGUMENT, expected->illegal),
            expected->error);
        check_value(&options, expected, expected->value);
        ck_assert(options_is_given(&options, i));
        options_free(&options);
    }
}
END_TEST

START_TEST(test_options_krb5_conf_sets_what_may_stand_there)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        const struct expectation *expected = expectation_of(table[i].name);
        struct options options = fresh();
        int status =
            options_set(&options, OPTION_FROM_KRB5_CONF, expected->legal);

        ck_assert_msg(status == (expected->in_krb5_conf ? 0 : -ENOENT),
                      "%s: %d", expected->name, status);
        check_value(&options, expected,
                    expected->in_krb5_conf ? expected->value
                                           : expected->fallback);
        ck_assert_int_eq(options_is_given(&options, i), expected->in_krb5_conf);
        options_free(&options);
    }
}
END_TEST

START_TEST(test_options_paths_of_root_stand_in_arguments_only)
{
    /* What a host without rights could have root run or write. */
    static const char *const texts[] = {"helper=/x", "runtime_dir=/x",
                                        "state_dir=/x", "trace=/x"};
    struct options options = fresh();

    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(options_set(&options, OPTION_FROM_KRB5_CONF, texts[i]),
                         -ENOENT);
    }
    check_defaults(&options, NULL);
    options_free(&options);
}
END_TEST

START_TEST(test_options_unknown_name_is_refused)
{
    check_refused("", -ENOENT);
    check_refused("=", -ENOENT);
    check_refused("=true", -ENOENT);
    check_refused("debu", -ENOENT);
    check_refused("debugg", -ENOENT);
    check_refused("debug ", -ENOENT);
    check_refused("DEBUG", -ENOENT);
    check_refused("ccache_", -ENOENT);
    check_refused("no_such=text", -ENOENT);
}
END_TEST

START_TEST(test_options_flag_takes_the_words_of_krb5_conf)
{
    static const char *const yes[] = {"true", "t", "yes",  "y",
                                      "on",   "1", "TRUE", "Yes"};
    static const char *const no[] = {"false", "f", "no",    "n",  "off",
                                     "nil",   "0", "FALSE", "Off"};
    char text[32];

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        struct options options = fresh();

        (void)snprintf(text, sizeof(text), "debug=%s", yes[i]);
        set(&options, text);
        ck_assert_msg(options.debug, "%s", text);
        options_free(&options);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        struct options options = fresh();

        set(&options, "debug");
        (void)snprintf(text, sizeof(text), "debug=%s", no[i]);
        set(&options, text);
        ck_assert_msg(!options.debug, "%s", text);
        options_free(&options);
    }
}
END_TEST

START_TEST(test_options_flag_refuses_other_words)
{
    check_refused("debug=", -EINVAL);
    check_refused("debug=2", -EINVAL);
    check_refused("debug=tru", -EINVAL);
    check_refused("debug=true ", -EINVAL);
}
END_TEST

START_TEST(test_options_number_takes_its_whole_range)
{
    static const char *const texts[] = {"timeout=1", "timeout=3600",
                                        "timeout=007", "minimum_uid=0",
                                        "minimum_uid=4294967294"};
    static const int64_t numbers[] = {1, 3600, 7, 0, INT64_C(4294967294)};

    for (size_t i = 0; i < 5; i++) {
        struct options options = fresh();

        set(&options, texts[i]);
        ck_assert_int_eq(i < 3 ? options.timeout : options.minimum_uid,
                         numbers[i]);
        options_free(&options);
    }
}
END_TEST

START_TEST(test_options_number_outside_its_range_is_refused)
{
    check_refused("timeout=0", -ERANGE);
    check_refused("timeout=3601", -ERANGE);
    check_refused("minimum_uid=4294967295", -ERANGE);
    check_refused("minimum_uid=4294967296", -ERANGE);
    check_refused("timeout=9223372036854775807", -ERANGE);
    check_refused("timeout=99999999999999999999999", -ERANGE);
}
END_TEST

START_TEST(test_options_number_that_is_none_is_refused)
{
    check_refused("timeout", -EINVAL);
    check_refused("timeout=", -EINVAL);
    check_refused("timeout=-1", -EINVAL);
    check_refused("timeout=+1", -EINVAL);
    check_refused("timeout= 1", -EINVAL);
    check_refused("timeout=1 ", -EINVAL);
    check_refused("timeout=1s", -EINVAL);
    check_refused("timeout=0x10", -EINVAL);
    check_refused("timeout=1.5", -EINVAL);
    check_refused("timeout=true", -EINVAL);
    check_refused("timeout=99999999999999999999999x", -EINVAL);
}
END_TEST

START_TEST(test_options_text_without_value_is_refused)
{
    check_refused("state_dir=var/x", -EINVAL);
    check_refused("runtime_dir=run", -EINVAL);
    check_refused("helper=./helper", -EINVAL);
    check_refused("realm", -EINVAL);
    check_refused("realm=", -EINVAL);
}
END_TEST

START_TEST(test_options_text_keeps_what_follows_the_first_equals)
{
    struct options options = fresh();

    set(&options, "ccache=FILE:/a=b c");
    ck_assert_str_eq(options.ccache, "FILE:/a=b c");
    options_free(&options);
}
END_TEST

START_TEST(test_options_text_is_a_copy)
{
    char text[] = "realm=EXAMPLE.COM";
    struct options options = fresh();

    set(&options, text);
    memset(text, 'x', sizeof(text) - 1);
    ck_assert_str_eq(options.realm, "EXAMPLE.COM");
    options_free(&options);
}
END_TEST

START_TEST(test_options_later_of_two_wins)
{
    struct options options = fresh();

    set(&options, "realm=FIRST");
    set(&options, "realm=SECOND");
    set(&options, "timeout=5");
    set(&options, "timeout=6");
    set(&options, "debug");
    set(&options, "debug=no");
    ck_assert_str_eq(options.realm, "SECOND");
    ck_assert_int_eq(options.timeout, 6);
    ck_assert(!options.debug);
    options_free(&options);
}
END_TEST

START_TEST(test_options_of_a_list_add_up)
{
    struct options options = fresh();

    set(&options, "preauth_opt=a=1");
    set(&options, "preauth_opt=b");
    set(&options, "preauth_opt=a=2");
    ck_assert_str_eq(options.preauth_opt, "a=1\nb\na=2");
    options_free(&options);
}
END_TEST

/* Several may stand there; what is said here comes behind them. */
START_TEST(test_options_list_of_krb5_conf_comes_first)
{
    struct options options = fresh();

    set(&options, "preauth_opt=c=1 2");
    ck_assert_int_eq(
        options_set(&options, OPTION_FROM_KRB5_CONF, "preauth_opt=a=1\tb c"),
        0);
    ck_assert_str_eq(options.preauth_opt, "a=1\nb\nc\nc=1 2");
    options_free(&options);
}
END_TEST

START_TEST(test_options_list_that_is_read_is_the_whole_list)
{
    struct options sent = fresh();
    struct options got = fresh();
    struct bytes bytes = BYTES_EMPTY;
    struct reader reader;

    set(&sent, "preauth_opt=a=1");
    set(&sent, "preauth_opt=b");
    set(&got, "preauth_opt=b");
    options_put(&bytes, &sent);
    reader = reader_from(bytes_span(&bytes));
    ck_assert_int_eq(options_read(&got, &reader), 0);
    ck_assert_str_eq(got.preauth_opt, "a=1\nb");
    /* Else it would come twice with the next request. */
    ck_assert_int_eq(options_complete(&sent, &got), 0);
    ck_assert_str_eq(sent.preauth_opt, "a=1\nb");
    options_free(&sent);
    ck_assert_int_eq(options_init(&sent), 0);
    ck_assert_int_eq(options_complete(&sent, &got), 0);
    ck_assert_ptr_null(sent.preauth_opt);
    bytes_free(&bytes);
    options_free(&sent);
    options_free(&got);
}
END_TEST

START_TEST(test_options_default_that_was_given_counts_as_given)
{
    /* An argument `debug=false` holds against debug = true in krb5.conf. */
    struct options options = fresh();

    set(&options, "debug=false");
    set(&options, "timeout=10");
    ck_assert(options_is_given(&options, index_of("debug")));
    ck_assert(options_is_given(&options, index_of("timeout")));
    options_free(&options);
}
END_TEST

START_TEST(test_options_row_that_is_none_is_not_given)
{
    struct options options = fresh();
    size_t count = 0;

    (void)options_table(&count);
    options.given = UINT64_MAX;
    ck_assert(options_is_given(&options, count - 1));
    ck_assert(!options_is_given(&options, count));
    ck_assert(!options_is_given(&options, 64));
    ck_assert(!options_is_given(&options, SIZE_MAX));
    options.given = 0;
    options_free(&options);
}
END_TEST

START_TEST(test_options_freed_own_nothing)
{
    struct options options = fresh();

    set(&options, "realm=EXAMPLE.COM");
    options_free(&options);
    ck_assert_ptr_null(options.realm);
    ck_assert_ptr_null(options.helper);
    ck_assert_uint_eq(options.given, 0);
    options_free(&options);
}
END_TEST

START_TEST(test_options_init_without_memory_owns_nothing)
{
    struct options options;
    int fails_in = 0;
    int status = -ENOMEM;

    for (fails_in = 0; status != 0; fails_in++) {
        ck_assert_int_lt(fails_in, 20);
        strdup_fails_in = fails_in;
        status = options_init(&options);
        strdup_fails_in = -1;
        if (status != 0) {
            ck_assert_int_eq(status, -ENOMEM);
            ck_assert_ptr_null(options.helper);
            ck_assert_ptr_null(options.runtime_dir);
            ck_assert_ptr_null(options.state_dir);
        }
    }
    /* Four texts have a default. */
    ck_assert_int_eq(fails_in, 5);
    options_free(&options);
}
END_TEST

START_TEST(test_options_set_without_memory_leaves_what_was_given)
{
    struct options options = fresh();

    set(&options, "realm=EXAMPLE.COM");
    strdup_fails_in = 0;
    ck_assert_int_eq(options_set(&options, OPTION_FROM_ARGUMENT, "realm=OTHER"),
                     -ENOMEM);
    ck_assert_int_eq(options_set(&options, OPTION_FROM_ARGUMENT, "keytab=/x"),
                     -ENOMEM);
    strdup_fails_in = -1;
    ck_assert_str_eq(options.realm, "EXAMPLE.COM");
    ck_assert(!options_is_given(&options, index_of("keytab")));
    options_free(&options);
}
END_TEST

START_TEST(test_options_put_of_none_is_a_zero)
{
    static const uint8_t wire[4] = {0};
    struct options options = fresh();
    struct bytes bytes = BYTES_EMPTY;

    options_put(&bytes, &options);
    ck_assert_int_eq(bytes.error, 0);
    ck_assert_uint_eq(bytes.length, sizeof(wire));
    ck_assert_mem_eq(bytes.data, wire, sizeof(wire));
    bytes_free(&bytes);
    options_free(&options);
}
END_TEST

START_TEST(test_options_put_and_read_gives_the_same)
{
    struct options sent = fresh();
    struct options got = fresh();
    struct bytes bytes = BYTES_EMPTY;
    struct reader reader;

    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]);
         i++) {
        set(&sent, expectations[i].legal);
    }
    options_put(&bytes, &sent);
    reader = reader_from(bytes_span(&bytes));
    ck_assert_int_eq(options_read(&got, &reader), 0);
    ck_assert_int_eq(reader_end(&reader), 0);
    check_same(&got, &sent);
    bytes_free(&bytes);
    options_free(&sent);
    options_free(&got);
}
END_TEST

START_TEST(test_options_each_row_alone_is_put_and_read)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        struct options sent = fresh();
        struct options got = fresh();
        struct bytes bytes = BYTES_EMPTY;
        struct reader reader;

        set(&sent, expectation_of(table[i].name)->legal);
        options_put(&bytes, &sent);
        reader = reader_from(bytes_span(&bytes));
        ck_assert_int_eq(options_read(&got, &reader), 0);
        ck_assert_int_eq(reader_end(&reader), 0);
        check_same(&got, &sent);
        bytes_free(&bytes);
        options_free(&sent);
        options_free(&got);
    }
}
END_TEST

/* Reads one pair of NAME and VALUE, counted as COUNT, into OPTIONS. */
static int
read_pair(struct options *options, uint32_t count, const char *name,
          const char *value)
{
    struct bytes bytes = BYTES_EMPTY;
    struct reader reader;
    int status = 0;

    bytes_put_u32(&bytes, count);
    bytes_put_string(&bytes, name);
    bytes_put_string(&bytes, value);
    reader = reader_from(bytes_span(&bytes));
    status = options_read(options, &reader);
    bytes_free(&bytes);
    return status;
}

START_TEST(test_options_read_of_a_false_flag_counts_as_given)
{
    struct options options = fresh();

    ck_assert_int_eq(read_pair(&options, 1, "debug", "false"), 0);
    ck_assert(!options.debug);
    ck_assert(options_is_given(&options, index_of("debug")));
    options_free(&options);
}
END_TEST

START_TEST(test_options_read_skips_an_option_of_a_newer_version)
{
    struct options options = fresh();

    ck_assert_int_eq(read_pair(&options, 1, "invented_later", "x"), 0);
    check_defaults(&options, NULL);
    options_free(&options);
}
END_TEST

START_TEST(test_options_read_refuses_an_illegal_value)
{
    struct options options = fresh();

    ck_assert_int_eq(read_pair(&options, 1, "timeout", "0"), -EBADMSG);
    ck_assert_int_eq(read_pair(&options, 1, "debug", "maybe"), -EBADMSG);
    ck_assert_int_eq(read_pair(&options, 1, "realm", ""), -EBADMSG);
    check_defaults(&options, NULL);
    options_free(&options);
}
END_TEST

START_TEST(test_options_read_refuses_more_than_there_are)
{
    struct options options = fresh();

    ck_assert_int_eq(read_pair(&options, 2, "debug", "true"), -EBADMSG);
    ck_assert_int_eq(read_pair(&options, UINT32_MAX, "debug", "true"),
                     -EBADMSG);
    options_free(&options);
}
END_TEST

START_TEST(test_options_read_without_memory_is_told)
{
    struct options options = fresh();
    int status = 0;

    strdup_fails_in = 0;
    status = read_pair(&options, 1, "realm", "EXAMPLE.COM");
    strdup_fails_in = -1;
    ck_assert_int_eq(status, -ENOMEM);
    check_defaults(&options, NULL);
    options_free(&options);
}
END_TEST

/* What krb5.conf, or a helper that lies about it, may change: no more. */
START_TEST(test_options_complete_takes_what_krb5_conf_may_say)
{
    struct options options;
    struct options completed;

    ck_assert_int_eq(options_init(&options), 0);
    ck_assert_int_eq(options_init(&completed), 0);
    ck_assert_int_eq(
        options_set(&options, OPTION_FROM_ARGUMENT, "minimum_uid=5"), 0);
    ck_assert_int_eq(
        options_set(&completed, OPTION_FROM_ARGUMENT, "minimum_uid=9"), 0);
    ck_assert_int_eq(options_set(&completed, OPTION_FROM_ARGUMENT, "debug"), 0);
    ck_assert_int_eq(
        options_set(&completed, OPTION_FROM_ARGUMENT, "helper=/evil"), 0);
    ck_assert_int_eq(options_set(&completed, OPTION_FROM_ARGUMENT, "timeout=7"),
                     0);
    ck_assert_int_eq(options_complete(&options, &completed), 0);
    ck_assert(options.debug);
    ck_assert_int_eq(options.minimum_uid, 5);
    ck_assert_int_eq(options.timeout, 7);
    ck_assert_str_ne(options.helper, "/evil");
    ck_assert_int_eq(
        options_set(&completed, OPTION_FROM_ARGUMENT, "timeout=99"), 0);
    ck_assert_int_eq(options_complete(&options, &completed), 0);
    ck_assert_int_eq(options.timeout, 7);
    options_free(&options);
    options_free(&completed);
}
END_TEST

/* Whom the options exclude. */

static const struct {
    const char *text; /* NULL = none is given */
    const char *name;
    bool has_account;
    uint64_t uid;
    bool excluded;
} exclusions[] = {
    {NULL, "root", true, 0, false},
    {NULL, "alice", true, 1, false},
    {NULL, NULL, false, 0, false},
    {"ignore_root", "root", true, 0, true},
    /* By uid as well as by name, whichever is known. */
    {"ignore_root", "toor", true, 0, true},
    {"ignore_root", "root", true, 1000, true},
    {"ignore_root", "root", false, 0, true},
    {"ignore_root", "alice", true, 1000, false},
    /* Who has no account has no uid 0. */
    {"ignore_root", "alice", false, 0, false},
    {"ignore_root", NULL, false, 0, false},
    {"ignore_root", NULL, true, 0, true},
    {"ignore_root=false", "root", true, 0, false},
    {"minimum_uid=1000", "daemon", true, 999, true},
    {"minimum_uid=1000", "alice", true, 1000, false},
    {"minimum_uid=1000", "root", true, 0, true},
    {"minimum_uid=1000", "stranger", false, 0, false},
    {"minimum_uid=4294967294", "alice", true, 4294967293, true},
    {"minimum_uid=4294967294", "nobody", true, 4294967294, false},
};

START_TEST(test_options_exclude_whom_they_say)
{
    struct options options = fresh();

    if (exclusions[_i].text != NULL) {
        set(&options, exclusions[_i].text);
    }
    ck_assert_int_eq(options_exclude_user(&options, exclusions[_i].name,
                                          exclusions[_i].has_account,
                                          exclusions[_i].uid),
                     exclusions[_i].excluded);
    options_free(&options);
}
END_TEST

static void
add_table(Suite *suite)
{
    TCase *tcase = suite_case(suite, "table");

    tcase_add_test(tcase, test_options_table_is_sorted_and_unique);
    tcase_add_test(tcase, test_options_fields_are_each_rows_own);
    tcase_add_test(tcase, test_options_rows_have_one_line_of_help);
    tcase_add_test(tcase, test_options_cases_are_those_of_the_table);
    tcase_add_test(tcase, test_options_new_have_their_defaults);
    tcase_add_test(tcase, test_options_each_row_is_flipped_by_a_legal_value);
    tcase_add_test(tcase, test_options_each_row_refuses_an_illegal_value);
    tcase_add_test(tcase, test_options_refused_value_leaves_what_was_given);
    tcase_add_test(tcase, test_options_krb5_conf_sets_what_may_stand_there);
    tcase_add_test(tcase, test_options_paths_of_root_stand_in_arguments_only);
}

static void
add_values(Suite *suite)
{
    TCase *tcase = suite_case(suite, "values");

    tcase_add_test(tcase, test_options_unknown_name_is_refused);
    tcase_add_test(tcase, test_options_flag_takes_the_words_of_krb5_conf);
    tcase_add_test(tcase, test_options_flag_refuses_other_words);
    tcase_add_test(tcase, test_options_number_takes_its_whole_range);
    tcase_add_test(tcase, test_options_number_outside_its_range_is_refused);
    tcase_add_test(tcase, test_options_number_that_is_none_is_refused);
    tcase_add_test(tcase, test_options_text_without_value_is_refused);
    tcase_add_test(tcase,
                   test_options_text_keeps_what_follows_the_first_equals);
    tcase_add_test(tcase, test_options_text_is_a_copy);
    tcase_add_test(tcase, test_options_complete_takes_what_krb5_conf_may_say);
    tcase_add_loop_test(tcase, test_options_exclude_whom_they_say, 0,
                        (int)(sizeof(exclusions) / sizeof(exclusions[0])));
    tcase_add_test(tcase, test_options_later_of_two_wins);
    tcase_add_test(tcase, test_options_of_a_list_add_up);
    tcase_add_test(tcase, test_options_list_of_krb5_conf_comes_first);
    tcase_add_test(tcase, test_options_list_that_is_read_is_the_whole_list);
    tcase_add_test(tcase, test_options_default_that_was_given_counts_as_given);
    tcase_add_test(tcase, test_options_row_that_is_none_is_not_given);
    tcase_add_test(tcase, test_options_freed_own_nothing);
    tcase_add_test(tcase, test_options_init_without_memory_owns_nothing);
    tcase_add_test(tcase,
                   test_options_set_without_memory_leaves_what_was_given);
}

static void
add_wire(Suite *suite)
{
    TCase *tcase = suite_case(suite, "wire");

    tcase_add_test(tcase, test_options_put_of_none_is_a_zero);
    tcase_add_test(tcase, test_options_put_and_read_gives_the_same);
    tcase_add_test(tcase, test_options_each_row_alone_is_put_and_read);
    tcase_add_test(tcase, test_options_read_of_a_false_flag_counts_as_given);
    tcase_add_test(tcase, test_options_read_skips_an_option_of_a_newer_version);
    tcase_add_test(tcase, test_options_read_refuses_an_illegal_value);
    tcase_add_test(tcase, test_options_read_refuses_more_than_there_are);
    tcase_add_test(tcase, test_options_read_without_memory_is_told);
}

int
main(void)
{
    Suite *suite = suite_create("options");

    add_table(suite);
    add_values(suite);
    add_wire(suite);
    return suite_main(suite);
}
