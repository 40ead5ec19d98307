/*
 * base/expand: each token, what a value may not have in it, and the random
 * part.  getrandom(2) is answered by the test where it must be known.
 */
#include "base/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/suite.h"

/* How getrandom behaves. */
static enum {
    RANDOM_REAL,
    RANDOM_COUNTS, /* 0, 1, ... 255, 0, ... */
    RANDOM_INTERRUPTED,
    RANDOM_MISSING,
} behaviour;

static unsigned int calls;

ssize_t fake_getrandom(void *buffer, size_t size,
                       unsigned int flags) __asm__("getrandom");

ssize_t
fake_getrandom(void *buffer, size_t size, unsigned int flags)
{
    unsigned char *bytes = buffer;

    if (behaviour == RANDOM_MISSING ||
        (behaviour == RANDOM_INTERRUPTED && calls++ % 2 == 0)) {
        errno = behaviour == RANDOM_MISSING ? ENOSYS : EINTR;
        return -1;
    }
    if (behaviour == RANDOM_COUNTS) {
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (unsigned char)calls++;
        }
        return (ssize_t)size;
    }
    return syscall(SYS_getrandom, buffer, size, flags);
}

static const struct expand_values alice = {
    .uid = 1000, .pid = 4242, .user = "alice", .service = "sshd"};

static void
check_name(const char *template, const struct expand_values *values,
           const char *expected)
{
    char *name = NULL;

    ck_assert_int_eq(expand_template(template, values, &name), 0);
    ck_assert_str_eq(name, expected);
    free(name);
}

static void
check_refused(const char *template, const struct expand_values *values,
              int error)
{
    char stale = 0;
    char *name = &stale;

    ck_assert_int_eq(expand_template(template, values, &name), error);
    ck_assert_ptr_null(name);
}

/* %{username} and %{service} are as strict. */
static void
check_value_refused(const char *value)
{
    struct expand_values values = alice;

    values.user = value;
    check_refused("FILE:/tmp/%{username}", &values, -EINVAL);
    check_name("FILE:/tmp/%{service}", &values, "FILE:/tmp/sshd");
    values = alice;
    values.service = value;
    check_refused("FILE:/tmp/%{service}", &values, -EINVAL);
}

static char *
expanded(const char *template)
{
    char *name = NULL;

    ck_assert_int_eq(expand_template(template, &alice, &name), 0);
    return name;
}

START_TEST(test_expand_plain_text_is_kept)
{
    check_name("FILE:/tmp/.krb5cc{}$", &alice, "FILE:/tmp/.krb5cc{}$");
    check_name("", &alice, "");
}
END_TEST

START_TEST(test_expand_u_is_the_uid)
{
    check_name("krb5cc_%u.", &alice, "krb5cc_1000.");
}
END_TEST

START_TEST(test_expand_braced_uid_is_the_uid)
{
    check_name("krb5cc_%{uid}.", &alice, "krb5cc_1000.");
}
END_TEST

START_TEST(test_expand_p_is_the_pid)
{
    check_name("krb5cc_%p.", &alice, "krb5cc_4242.");
}
END_TEST

START_TEST(test_expand_username_is_the_user)
{
    check_name("krb5cc_%{username}.", &alice, "krb5cc_alice.");
}
END_TEST

START_TEST(test_expand_service_is_the_service)
{
    check_name("krb5cc_%{service}.", &alice, "krb5cc_sshd.");
}
END_TEST

START_TEST(test_expand_tokens_side_by_side_are_each_replaced)
{
    check_name("%u%p%{uid}%{username}%{service}%u", &alice,
               "100042421000alicesshd1000");
}
END_TEST

START_TEST(test_expand_uid_of_all_bits_is_a_positive_number)
{
    struct expand_values values = alice;

    values.uid = UINT64_MAX;
    check_name("%u", &values, "18446744073709551615");
}
END_TEST

START_TEST(test_expand_unknown_token_is_refused)
{
    static const char *const unknown[] = {
        "%d",         "%{null}",    "%U",        "%{UID}",       "%{uid",
        "%{username", "%{service ", "%{}",       "%%",           "% u",
        "a%xb",       "%{u}",       "%{uidX}",   "%{TEMP}",      "%s%n",
        "%1$u",       "%{Uid}",     "%\xc3\xbc", "%{usernames}", "%{user}"};

    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        check_refused(unknown[i], &alice, -EINVAL);
    }
}
END_TEST

START_TEST(test_expand_percent_at_the_end_is_refused)
{
    check_refused("%", &alice, -EINVAL);
    check_refused("FILE:/tmp/krb5cc_%", &alice, -EINVAL);
}
END_TEST

START_TEST(test_expand_value_with_a_slash_is_refused)
{
    check_value_refused("../etc/passwd");
    check_value_refused("/");
    check_value_refused("alice/admin");
}
END_TEST

START_TEST(test_expand_value_with_a_colon_is_refused)
{
    check_value_refused("DIR:alice");
    check_value_refused("alice:");
}
END_TEST

START_TEST(test_expand_value_of_dots_is_refused)
{
    check_value_refused(".");
    check_value_refused("..");
}
END_TEST

START_TEST(test_expand_value_with_dots_among_letters_is_taken)
{
    struct expand_values values = alice;

    values.user = "alice..b.";
    check_name("%{username}", &values, "alice..b.");
}
END_TEST

START_TEST(test_expand_value_with_a_control_character_is_refused)
{
    char value[] = "al?ice";

    for (int byte = 1; byte < 0x20; byte++) {
        value[2] = (char)byte;
        check_value_refused(value);
    }
    value[2] = 0x7f;
    check_value_refused(value);
}
END_TEST

START_TEST(test_expand_value_with_space_and_umlaut_is_taken)
{
    struct expand_values values = alice;

    values.user = "j\xc3\xbcrgen x";
    check_name("%{username}", &values, "j\xc3\xbcrgen x");
}
END_TEST

START_TEST(test_expand_value_that_is_empty_is_refused)
{
    check_value_refused("");
}
END_TEST

START_TEST(test_expand_value_that_is_missing_is_refused)
{
    check_value_refused(NULL);
}
END_TEST

START_TEST(test_expand_value_is_not_expanded_again)
{
    struct expand_values values = alice;

    values.user = "%u%{service}";
    check_name("%{username}", &values, "%u%{service}");
}
END_TEST

/* A template of LENGTH letters. */
static char *
letters(size_t length)
{
    char *text = malloc(length + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'a', length);
    text[length] = '\0';
    return text;
}

START_TEST(test_expand_name_of_the_longest_length_is_made)
{
    char *template = letters(EXPAND_MAX);

    check_name(template, &alice, template);
    free(template);
}
END_TEST

START_TEST(test_expand_name_above_the_longest_length_is_refused)
{
    char *template = letters(EXPAND_MAX + 1);

    check_refused(template, &alice, -ENAMETOOLONG);
    free(template);
}
END_TEST

START_TEST(test_expand_value_that_makes_it_too_long_is_refused)
{
    struct expand_values values = alice;
    char *user = letters(EXPAND_MAX);

    values.user = user;
    check_name("%{username}", &values, user);
    check_refused("%{username}a", &values, -ENAMETOOLONG);
    check_refused("a%{username}", &values, -ENAMETOOLONG);
    check_refused("%{username}%u", &values, -ENAMETOOLONG);
    check_refused("%{username}XXXXXX", &values, -ENAMETOOLONG);
    free(user);
}
END_TEST

START_TEST(test_expand_first_error_is_told)
{
    struct expand_values values = alice;
    char *user = letters(EXPAND_MAX + 1);

    values.user = user;
    values.service = "a/b";
    check_refused("%{username}%{service}%z", &values, -ENAMETOOLONG);
    check_refused("%{service}%{username}", &values, -EINVAL);
    free(user);
}
END_TEST

START_TEST(test_expand_final_x_are_replaced)
{
    char *name = expanded("FILE:/tmp/krb5cc_%{uid}_XXXXXX");

    ck_assert_uint_eq(strlen(name), strlen("FILE:/tmp/krb5cc_1000_XXXXXX"));
    ck_assert(strncmp(name, "FILE:/tmp/krb5cc_1000_",
                      strlen("FILE:/tmp/krb5cc_1000_")) == 0);
    ck_assert_str_ne(name, "FILE:/tmp/krb5cc_1000_XXXXXX");
    free(name);
}
END_TEST

START_TEST(test_expand_more_x_than_six_keep_the_first)
{
    char *name = expanded("XXXXXXXX");

    ck_assert_uint_eq(strlen(name), 8);
    ck_assert(strncmp(name, "XX", 2) == 0);
    ck_assert_str_ne(name, "XXXXXXXX");
    free(name);
}
END_TEST

START_TEST(test_expand_x_elsewhere_are_kept)
{
    check_name("XXXXXX_%u", &alice, "XXXXXX_1000");
    check_name("krb5cc_XXXXX", &alice, "krb5cc_XXXXX");
    check_name("krb5cc_xxxxxx", &alice, "krb5cc_xxxxxx");
}
END_TEST

START_TEST(test_expand_x_of_a_value_are_kept)
{
    struct expand_values values = alice;

    values.user = "XXXXXX";
    check_name("krb5cc_%{username}", &values, "krb5cc_XXXXXX");
}
END_TEST

START_TEST(test_expand_random_part_is_letters_and_digits)
{
    for (int i = 0; i < 500; i++) {
        char *name = expanded("/XXXXXX");

        ck_assert_uint_eq(strlen(name), 7);
        ck_assert_uint_eq(strspn(name + 1,
                                 "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                          6);
        free(name);
    }
}
END_TEST

START_TEST(test_expand_random_part_is_another_each_time)
{
    enum { NAMES = 200 };
    char *names[NAMES];

    for (int i = 0; i < NAMES; i++) {
        names[i] = expanded("XXXXXX");
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(names[i], names[j]);
        }
    }
    for (int i = 0; i < NAMES; i++) {
        free(names[i]);
    }
}
END_TEST

START_TEST(test_expand_random_part_favours_no_letter)
{
    /* Of three rounds of all bytes each of 62 letters gets 3 x 4. */
    unsigned int seen[256] = {0};
    unsigned int kinds = 0;

    behaviour = RANDOM_COUNTS;
    for (int i = 0; i < 62 * 12 / EXPAND_RANDOM_LENGTH; i++) {
        char *name = expanded("XXXXXX");

        for (const char *at = name; *at != '\0'; at++) {
            seen[(unsigned char)*at]++;
        }
        free(name);
    }
    for (int i = 0; i < 256; i++) {
        if (seen[i] > 0) {
            kinds++;
            ck_assert_uint_eq(seen[i], 12);
        }
    }
    ck_assert_uint_eq(kinds, 62);
}
END_TEST

START_TEST(test_expand_interrupted_draw_is_repeated)
{
    char *name = NULL;

    behaviour = RANDOM_INTERRUPTED;
    name = expanded("XXXXXX");
    ck_assert_uint_eq(strlen(name), 6);
    ck_assert_uint_ge(calls, 12);
    free(name);
}
END_TEST

START_TEST(test_expand_without_getrandom_fails)
{
    behaviour = RANDOM_MISSING;
    check_refused("krb5cc_XXXXXX", &alice, -ENOSYS);
    check_name("krb5cc_%u", &alice, "krb5cc_1000");
}
END_TEST

/* NAME.XXXXXX is what libkrb5 calls a temporary file beside NAME. */
START_TEST(test_expand_random_part_behind_a_dot_is_longer)
{
    const struct expand_values values = {.uid = 7};
    char *name = NULL;

    ck_assert_int_eq(expand_template("FILE:/tmp/cc_%u.XXXXXX", &values, &name),
                     0);
    ck_assert_uint_eq(strlen(name), strlen("FILE:/tmp/cc_7.XXXXXX") + 1);
    ck_assert_int_eq(strncmp(name, "FILE:/tmp/cc_7.", 15), 0);
    ck_assert_uint_eq(strspn(name + 15, "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                      7);
    free(name);
}
END_TEST

START_TEST(test_expand_unique_is_what_ends_in_six_x)
{
    ck_assert(expand_is_unique("XXXXXX"));
    ck_assert(expand_is_unique("FILE:/tmp/krb5cc_%u_XXXXXX"));
    ck_assert(expand_is_unique("aXXXXXXX"));
    ck_assert(!expand_is_unique(""));
    ck_assert(!expand_is_unique("XXXXX"));
    ck_assert(!expand_is_unique("aXXXXX"));
    ck_assert(!expand_is_unique("XXXXXXa"));
    ck_assert(!expand_is_unique("xxxxxx"));
}
END_TEST

/* Patterns, which come from elsewhere and have no tokens. */

static void
check_pattern_refused(const char *pattern, int error)
{
    char stale = 0;
    char *name = &stale;

    ck_assert_int_eq(expand_pattern(pattern, &name), error);
    ck_assert_ptr_null(name);
}

START_TEST(test_expand_pattern_keeps_all_but_the_final_x)
{
    static const char pattern[] = "KEYRING:user:%u%{uid}%:XXXXXX_XXXXXX";
    const size_t kept = strlen(pattern) - EXPAND_RANDOM_LENGTH;
    char *first = NULL;
    char *second = NULL;

    ck_assert_int_eq(expand_pattern(pattern, &first), 0);
    ck_assert_int_eq(expand_pattern(pattern, &second), 0);
    ck_assert_uint_eq(strlen(first), strlen(pattern));
    ck_assert_int_eq(strncmp(first, pattern, kept), 0);
    ck_assert_str_ne(first + kept, "XXXXXX");
    ck_assert_str_ne(first, second);
    free(first);
    free(second);
}
END_TEST

START_TEST(test_expand_pattern_without_final_x_is_refused)
{
    static const char *const patterns[] = {"", "KCM:1000:", "XXXXX",
                                           "KCM:XXXXXX:1", "KCM:xxxxxx"};

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        check_pattern_refused(patterns[i], -EINVAL);
    }
}
END_TEST

START_TEST(test_expand_pattern_is_as_long_as_a_name)
{
    char pattern[EXPAND_MAX + 2];
    char *name = NULL;

    memset(pattern, 'X', sizeof(pattern));
    pattern[EXPAND_MAX + 1] = '\0';
    check_pattern_refused(pattern, -ENAMETOOLONG);
    pattern[EXPAND_MAX] = '\0';
    ck_assert_int_eq(expand_pattern(pattern, &name), 0);
    ck_assert_uint_eq(strlen(name), EXPAND_MAX);
    free(name);
}
END_TEST

START_TEST(test_expand_pattern_without_getrandom_fails)
{
    behaviour = RANDOM_MISSING;
    check_pattern_refused("KCM:1000:XXXXXX", -ENOSYS);
}
END_TEST

static void
add_tokens(Suite *suite)
{
    TCase *tokens = suite_case(suite, "tokens");

    tcase_add_test(tokens, test_expand_plain_text_is_kept);
    tcase_add_test(tokens, test_expand_u_is_the_uid);
    tcase_add_test(tokens, test_expand_braced_uid_is_the_uid);
    tcase_add_test(tokens, test_expand_p_is_the_pid);
    tcase_add_test(tokens, test_expand_username_is_the_user);
    tcase_add_test(tokens, test_expand_service_is_the_service);
    tcase_add_test(tokens, test_expand_tokens_side_by_side_are_each_replaced);
    tcase_add_test(tokens, test_expand_uid_of_all_bits_is_a_positive_number);
    tcase_add_test(tokens, test_expand_unknown_token_is_refused);
    tcase_add_test(tokens, test_expand_percent_at_the_end_is_refused);
}

static void
add_values(Suite *suite)
{
    TCase *values = suite_case(suite, "values");

    tcase_add_test(values, test_expand_value_with_a_slash_is_refused);
    tcase_add_test(values, test_expand_value_with_a_colon_is_refused);
    tcase_add_test(values, test_expand_value_of_dots_is_refused);
    tcase_add_test(values, test_expand_value_with_dots_among_letters_is_taken);
    tcase_add_test(values,
                   test_expand_value_with_a_control_character_is_refused);
    tcase_add_test(values, test_expand_value_with_space_and_umlaut_is_taken);
    tcase_add_test(values, test_expand_value_that_is_empty_is_refused);
    tcase_add_test(values, test_expand_value_that_is_missing_is_refused);
    tcase_add_test(values, test_expand_value_is_not_expanded_again);
    tcase_add_test(values, test_expand_name_of_the_longest_length_is_made);
    tcase_add_test(values,
                   test_expand_name_above_the_longest_length_is_refused);
    tcase_add_test(values, test_expand_value_that_makes_it_too_long_is_refused);
    tcase_add_test(values, test_expand_first_error_is_told);
}

static void
add_random(Suite *suite)
{
    TCase *random_part = suite_case(suite, "random");

    tcase_add_test(random_part, test_expand_final_x_are_replaced);
    tcase_add_test(random_part, test_expand_more_x_than_six_keep_the_first);
    tcase_add_test(random_part, test_expand_x_elsewhere_are_kept);
    tcase_add_test(random_part, test_expand_x_of_a_value_are_kept);
    tcase_add_test(random_part, test_expand_random_part_is_letters_and_digits);
    tcase_add_test(random_part, test_expand_random_part_is_another_each_time);
    tcase_add_test(random_part, test_expand_random_part_favours_no_letter);
    tcase_add_test(random_part, test_expand_interrupted_draw_is_repeated);
    tcase_add_test(random_part, test_expand_without_getrandom_fails);
    tcase_add_test(random_part, test_expand_unique_is_what_ends_in_six_x);
    tcase_add_test(random_part, test_expand_random_part_behind_a_dot_is_longer);
}

static void
add_patterns(Suite *suite)
{
    TCase *patterns = suite_case(suite, "patterns");

    tcase_add_test(patterns, test_expand_pattern_keeps_all_but_the_final_x);
    tcase_add_test(patterns, test_expand_pattern_without_final_x_is_refused);
    tcase_add_test(patterns, test_expand_pattern_is_as_long_as_a_name);
    tcase_add_test(patterns, test_expand_pattern_without_getrandom_fails);
}

int
main(void)
{
    Suite *suite = suite_create("expand");

    add_tokens(suite);
    add_values(suite);
    add_random(suite);
    add_patterns(suite);
    return suite_main(suite);
}
