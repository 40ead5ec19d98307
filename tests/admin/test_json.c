/* Texts as JSON: whatever bytes they are made of. */
#include "admin/json.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static void
check(const char *text, const char *wanted)
{
    char *written = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&written, &length);

    ck_assert_ptr_nonnull(stream);
    json_text(stream, text);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_str_eq(written, wanted);
    free(written);
}

START_TEST(test_json_text_is_quoted)
{
    check("", "\"\"");
    check("FILE:/tmp/x", "\"FILE:/tmp/x\"");
    check("a\"b\\c/", "\"a\\\"b\\\\c/\"");
}
END_TEST

START_TEST(test_json_control_characters_are_escaped)
{
    check("\n\t\x01\x1b[2J", "\"\\u000a\\u0009\\u0001\\u001b[2J\"");
    check("\x7f\xc2\x9b", "\"\\u007f\\u009b\"");
}
END_TEST

START_TEST(test_json_utf8_stays)
{
    check("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
          "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}
END_TEST

START_TEST(test_json_what_is_no_utf8_is_replaced)
{
    check("a\xff"
          "b",
          "\"a\\ufffdb\"");
    /* Cut off, too long a form, a surrogate, above U+10FFFF. */
    check("\xe2\x82", "\"\\ufffd\\ufffd\"");
    check("\xc0\xaf", "\"\\ufffd\\ufffd\"");
    check("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
    check("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    check("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = suite_case(suite, "text");

    tcase_add_test(tcase, test_json_text_is_quoted);
    tcase_add_test(tcase, test_json_control_characters_are_escaped);
    tcase_add_test(tcase, test_json_utf8_stays);
    tcase_add_test(tcase, test_json_what_is_no_utf8_is_replaced);
    return suite_main(suite);
}
