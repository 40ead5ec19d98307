/*
 * base/log: what becomes of foreign text before an administrator or a person
 * at a terminal sees it.  Texts lie in memory that ends with their NUL, so
 * that a sanitizer notices a step beyond.
 */
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

/* What the sink was given last, and how often. */
struct heard {
    unsigned int count;
    enum log_level level;
    char line[4 * LOG_LINE_MAX];
};

static void
hear(void *data, enum log_level level, const char *line)
{
    struct heard *heard = data;

    heard->count++;
    heard->level = level;
    ck_assert_uint_lt(strlen(line), sizeof(heard->line));
    memcpy(heard->line, line, strlen(line) + 1);
}

static void
check_escaped(const char *text, const char *expected)
{
    char *copy = strdup(text);
    char buffer[256];

    ck_assert_ptr_nonnull(copy);
    ck_assert_str_eq(log_escape(buffer, sizeof(buffer), copy), expected);
    free(copy);
}

static void
check_stripped(const char *text, const char *expected)
{
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    log_strip_for_terminal(copy);
    ck_assert_str_eq(copy, expected);
    free(copy);
}

/* TEXT escaped into exactly SIZE bytes. */
static void
check_cut(const char *text, size_t size, const char *expected)
{
    char *buffer = malloc(size);

    ck_assert_ptr_nonnull(buffer);
    ck_assert_str_eq(log_escape(buffer, size, text), expected);
    free(buffer);
}

START_TEST(test_log_escape_keeps_printable_ascii)
{
    char text[0x7f - 0x20 + 1] = "";

    for (int byte = 0x20; byte < 0x7f; byte++) {
        text[byte - 0x20] = (char)byte;
    }
    check_escaped(text, text);
    check_escaped("", "");
}
END_TEST

START_TEST(test_log_escape_shows_each_control_character)
{
    static const char digits[] = "0123456789abcdef";

    for (int byte = 1; byte < 0x20; byte++) {
        char text[] = {'a', (char)byte, 'b', '\0'};
        char expected[] = {'a', '\\', 'x', digits[byte >> 4], digits[byte & 15],
                           'b', '\0'};

        check_escaped(text, expected);
    }
    check_escaped("a\x7f", "a\\x7f");
}
END_TEST

START_TEST(test_log_escape_shows_a_forged_line)
{
    check_escaped("alice\nsshd: root logged in", "alice\\x0asshd: root logged "
                                                 "in");
}
END_TEST

START_TEST(test_log_escape_keeps_valid_utf8)
{
    static const char *const valid[] = {
        "\xc2\xa0",         "\xc3\xbc",         "\xdf\xbf",
        "\xe0\xa0\x80",     "\xe2\x82\xac",     "\xed\x9f\xbf",
        "\xee\x80\x80",     "\xef\xbf\xbf",     "\xf0\x90\x80\x80",
        "\xf0\x9f\x94\x91", "\xf4\x8f\xbf\xbf", "J\xc3\xbcrgen\xe2\x82\xac"};

    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        check_escaped(valid[i], valid[i]);
    }
}
END_TEST

START_TEST(test_log_escape_shows_c1_controls)
{
    for (int byte = 0x80; byte < 0xa0; byte++) {
        char text[] = {'\xc2', (char)byte, '\0'};
        char buffer[16];

        ck_assert_uint_eq(strlen(log_escape(buffer, sizeof(buffer), text)), 8);
        ck_assert(strncmp(buffer, "\\xc2\\x", 6) == 0);
    }
    check_escaped("\xc2\x9b[31m", "\\xc2\\x9b[31m");
}
END_TEST

START_TEST(test_log_escape_shows_bytes_that_are_no_utf8)
{
    /* A lone continuation, bytes that never occur, Latin-1. */
    check_escaped("\x80", "\\x80");
    check_escaped("\xbf", "\\xbf");
    check_escaped("\xc0", "\\xc0");
    check_escaped("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
    check_escaped("\xff\xfe", "\\xff\\xfe");
    check_escaped("J\xfcrgen", "J\\xfcrgen");
}
END_TEST

START_TEST(test_log_escape_shows_overlong_forms)
{
    /* Slash and escape in more bytes than they need. */
    check_escaped("\xc0\xaf", "\\xc0\\xaf");
    check_escaped("\xc1\xbf", "\\xc1\\xbf");
    check_escaped("\xe0\x80\x9b", "\\xe0\\x80\\x9b");
    check_escaped("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
    check_escaped("\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b");
    check_escaped("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
}
END_TEST

START_TEST(test_log_escape_shows_surrogates)
{
    check_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");
    check_escaped("\xed\xbf\xbf", "\\xed\\xbf\\xbf");
}
END_TEST

START_TEST(test_log_escape_shows_what_is_above_unicode)
{
    check_escaped("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
}
END_TEST

START_TEST(test_log_escape_of_a_cut_character_stops_at_the_nul)
{
    check_escaped("a\xc3", "a\\xc3");
    check_escaped("a\xe2", "a\\xe2");
    check_escaped("a\xe2\x82", "a\\xe2\\x82");
    check_escaped("a\xf0", "a\\xf0");
    check_escaped("a\xf0\x9f", "a\\xf0\\x9f");
    check_escaped("a\xf0\x9f\x94", "a\\xf0\\x9f\\x94");
}
END_TEST

START_TEST(test_log_escape_goes_on_after_a_cut_character)
{
    check_escaped("\xe2\x82z", "\\xe2\\x82z");
    check_escaped("\xf0\x9f\xc3\xbc", "\\xf0\\x9f\xc3\xbc");
}
END_TEST

START_TEST(test_log_escape_cuts_at_the_size)
{
    check_cut("abcdef", 7, "abcdef");
    check_cut("abcdef", 6, "abcde");
    check_cut("abcdef", 2, "a");
    check_cut("abcdef", 1, "");
}
END_TEST

START_TEST(test_log_escape_cuts_no_escape_in_two)
{
    check_cut("a\n", 6, "a\\x0a");
    check_cut("a\n", 5, "a");
    check_cut("a\n", 3, "a");
}
END_TEST

START_TEST(test_log_escape_cuts_no_character_in_two)
{
    check_cut("a\xe2\x82\xac", 5, "a\xe2\x82\xac");
    check_cut("a\xe2\x82\xac", 4, "a");
    check_cut("a\xe2\x82\xac", 3, "a");
}
END_TEST

START_TEST(test_log_escape_into_no_room_writes_nothing)
{
    char buffer[] = "untouched";

    ck_assert_ptr_eq(log_escape(buffer, 0, "text"), buffer);
    ck_assert_str_eq(buffer, "untouched");
}
END_TEST

START_TEST(test_log_strip_keeps_text_newline_and_tab)
{
    check_stripped("Password for alice:\n\tJ\xc3\xbcrgen",
                   "Password for alice:\n\tJ\xc3\xbcrgen");
    check_stripped("", "");
}
END_TEST

START_TEST(test_log_strip_takes_control_characters_out)
{
    check_stripped("\x1b[2J\x07ok\r\x7f\x08", "[2Jok");
    for (int byte = 1; byte < 0x20; byte++) {
        char text[] = {'a', (char)byte, 'b', '\0'};

        if (byte != '\n' && byte != '\t') {
            check_stripped(text, "ab");
        }
    }
}
END_TEST

START_TEST(test_log_strip_takes_c1_controls_out)
{
    check_stripped("a\xc2\x9b"
                   "31m",
                   "a31m");
    check_stripped("a\x9b"
                   "31m",
                   "a31m");
}
END_TEST

START_TEST(test_log_strip_takes_bytes_that_are_no_utf8_out)
{
    check_stripped("J\xfcrgen\xff", "Jrgen");
}
END_TEST

START_TEST(test_log_strip_joins_no_bytes_to_a_new_character)
{
    /* Both halves of U+009B, parted by what is taken out. */
    check_stripped("a\xc2\x01\x9b"
                   "b",
                   "ab");
}
END_TEST

START_TEST(test_log_strip_of_a_cut_character_stops_at_the_nul)
{
    check_stripped("a\xc3", "a");
    check_stripped("a\xe2\x82", "a");
    check_stripped("a\xf0\x9f\x94", "a");
}
END_TEST

START_TEST(test_log_line_is_formatted_for_the_sink)
{
    struct heard heard = {.count = 0};
    struct log log = {.sink = hear, .data = &heard};

    log_line(&log, LOG_LEVEL_NOTICE, "user %s: %d", "alice", 7);
    ck_assert_uint_eq(heard.count, 1);
    ck_assert_int_eq(heard.level, LOG_LEVEL_NOTICE);
    ck_assert_str_eq(heard.line, "user alice: 7");
}
END_TEST

START_TEST(test_log_line_of_each_level_but_debug_is_heard)
{
    struct heard heard = {.count = 0};
    struct log log = {.sink = hear, .data = &heard, .debug = false};

    for (int level = 0; level < LOG_LEVEL_COUNT; level++) {
        unsigned int before = heard.count;

        log_line(&log, (enum log_level)level, "text");
        ck_assert_uint_eq(heard.count - before, level != LOG_LEVEL_DEBUG);
    }
}
END_TEST

START_TEST(test_log_line_of_debug_is_heard_with_debug)
{
    struct heard heard = {.count = 0};
    struct log log = {.sink = hear, .data = &heard, .debug = true};

    log_line(&log, LOG_LEVEL_DEBUG, "text");
    ck_assert_uint_eq(heard.count, 1);
    ck_assert_int_eq(heard.level, LOG_LEVEL_DEBUG);
}
END_TEST

START_TEST(test_log_line_with_foreign_text_is_escaped)
{
    struct heard heard = {.count = 0};
    struct log log = {.sink = hear, .data = &heard};

    log_line(&log, LOG_LEVEL_INFO, "user %s", "a\nb\x1b");
    ck_assert_str_eq(heard.line, "user a\\x0ab\\x1b");
}
END_TEST

START_TEST(test_log_line_that_is_long_is_cut)
{
    struct heard heard = {.count = 0};
    struct log log = {.sink = hear, .data = &heard};
    char text[3 * LOG_LINE_MAX];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_line(&log, LOG_LEVEL_INFO, "%s", text);
    ck_assert_uint_eq(strlen(heard.line), LOG_LINE_MAX - 1);
}
END_TEST

START_TEST(test_log_line_of_escapes_is_cut)
{
    struct heard heard = {.count = 0};
    struct log log = {.sink = hear, .data = &heard};
    char text[LOG_LINE_MAX];

    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_line(&log, LOG_LEVEL_INFO, "%s", text);
    ck_assert_uint_eq(strlen(heard.line), (LOG_LINE_MAX - 1) / 4 * 4);
}
END_TEST

START_TEST(test_log_line_cut_in_a_character_drops_it)
{
    struct heard heard = {.count = 0};
    struct log log = {.sink = hear, .data = &heard};
    char text[LOG_LINE_MAX + 8];

    memset(text, 'a', LOG_LINE_MAX - 3);
    memcpy(text + LOG_LINE_MAX - 3, "\xe2\x82\xac", 4);
    log_line(&log, LOG_LEVEL_INFO, "%s", text);
    ck_assert_uint_eq(strlen(heard.line), LOG_LINE_MAX - 3);
    ck_assert_int_eq(heard.line[LOG_LINE_MAX - 4], 'a');
}
END_TEST

static void
add_escape(Suite *suite)
{
    TCase *tcase = suite_case(suite, "escape");

    tcase_add_test(tcase, test_log_escape_keeps_printable_ascii);
    tcase_add_test(tcase, test_log_escape_shows_each_control_character);
    tcase_add_test(tcase, test_log_escape_shows_a_forged_line);
    tcase_add_test(tcase, test_log_escape_keeps_valid_utf8);
    tcase_add_test(tcase, test_log_escape_shows_c1_controls);
    tcase_add_test(tcase, test_log_escape_shows_bytes_that_are_no_utf8);
    tcase_add_test(tcase, test_log_escape_shows_overlong_forms);
    tcase_add_test(tcase, test_log_escape_shows_surrogates);
    tcase_add_test(tcase, test_log_escape_shows_what_is_above_unicode);
    tcase_add_test(tcase, test_log_escape_of_a_cut_character_stops_at_the_nul);
    tcase_add_test(tcase, test_log_escape_goes_on_after_a_cut_character);
    tcase_add_test(tcase, test_log_escape_cuts_at_the_size);
    tcase_add_test(tcase, test_log_escape_cuts_no_escape_in_two);
    tcase_add_test(tcase, test_log_escape_cuts_no_character_in_two);
    tcase_add_test(tcase, test_log_escape_into_no_room_writes_nothing);
}

static void
add_strip(Suite *suite)
{
    TCase *tcase = suite_case(suite, "strip");

    tcase_add_test(tcase, test_log_strip_keeps_text_newline_and_tab);
    tcase_add_test(tcase, test_log_strip_takes_control_characters_out);
    tcase_add_test(tcase, test_log_strip_takes_c1_controls_out);
    tcase_add_test(tcase, test_log_strip_takes_bytes_that_are_no_utf8_out);
    tcase_add_test(tcase, test_log_strip_joins_no_bytes_to_a_new_character);
    tcase_add_test(tcase, test_log_strip_of_a_cut_character_stops_at_the_nul);
}

static void
add_line(Suite *suite)
{
    TCase *tcase = suite_case(suite, "line");

    tcase_add_test(tcase, test_log_line_is_formatted_for_the_sink);
    tcase_add_test(tcase, test_log_line_of_each_level_but_debug_is_heard);
    tcase_add_test(tcase, test_log_line_of_debug_is_heard_with_debug);
    tcase_add_test(tcase, test_log_line_with_foreign_text_is_escaped);
    tcase_add_test(tcase, test_log_line_that_is_long_is_cut);
    tcase_add_test(tcase, test_log_line_of_escapes_is_cut);
    tcase_add_test(tcase, test_log_line_cut_in_a_character_drops_it);
}

int
main(void)
{
    Suite *suite = suite_create("log");

    add_escape(suite);
    add_strip(suite);
    add_line(suite);
    return suite_main(suite);
}
