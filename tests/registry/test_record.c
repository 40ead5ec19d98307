/*
 * registry/record: a record comes back from its text, and whatever is not such
 * a text is refused.
 */
#include "registry/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every value is another. */
#define FIRST "pam_krb5cc record = 1\n"
#define NEEDED                                                                 \
    "cache = FILE:/tmp/krb5cc_7\n"                                             \
    "ownership = shared\n"                                                     \
    "user = alice\n"                                                           \
    "uid = 7\n"                                                                \
    "gid = 8\n"
#define SHORTEST FIRST NEEDED "end\n"

static struct record
sample(void)
{
    return (struct record){
        .cache = strdup("FILE:/tmp/krb5cc_7"),
        .ownership = RECORD_SHARED,
        .is_made = true,
        .is_bound = true,
        .is_ended = false,
        .principal = strdup("alice/admin@EXAMPLE.COM"),
        .user = strdup("alice"),
        .uid = 7,
        .gid = 8,
        .service = strdup("sshd"),
        .tty = strdup("pts/1"),
        .rhost = strdup("client.example.com"),
        .time = 1700000000,
        .boot = strdup("0f5c6c1e-8a3f"),
        .pid_namespace = 4026531836,
        .pid = 4711,
        .start = 99,
        .audit = 12,
        .logind = strdup("c3"),
    };
}

static void
check_same(const struct record *a, const struct record *b)
{
    ck_assert_str_eq(a->cache, b->cache);
    ck_assert_int_eq(a->ownership, b->ownership);
    ck_assert_int_eq(a->is_made, b->is_made);
    ck_assert_int_eq(a->is_bound, b->is_bound);
    ck_assert_int_eq(a->is_ended, b->is_ended);
    ck_assert_str_eq(a->principal, b->principal);
    ck_assert_str_eq(a->user, b->user);
    ck_assert_int_eq(a->uid, b->uid);
    ck_assert_int_eq(a->gid, b->gid);
    ck_assert_str_eq(a->service, b->service);
    ck_assert_str_eq(a->tty, b->tty);
    ck_assert_str_eq(a->rhost, b->rhost);
    ck_assert_int_eq(a->time, b->time);
    ck_assert_str_eq(a->boot, b->boot);
    ck_assert_int_eq(a->pid_namespace, b->pid_namespace);
    ck_assert_int_eq(a->pid, b->pid);
    ck_assert_int_eq(a->start, b->start);
    ck_assert_int_eq(a->audit, b->audit);
    ck_assert_str_eq(a->logind, b->logind);
}

static char *
format(const struct record *record)
{
    char *text = NULL;

    ck_assert_int_eq(record_format(record, &text), 0);
    ck_assert_ptr_nonnull(text);
    return text;
}

/* TEXT is refused for this reason, and the caller's record stays as it was. */
static void
refused(const char *text, size_t length, int expected)
{
    /* Nothing behind the text may be read. */
    char *copy = malloc(length + 1);
    struct record record;
    struct record before;
    int got = 0;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, length);
    copy[length] = 'x';
    memset(&record, 0x5a, sizeof(record));
    memcpy(&before, &record, sizeof(record));
    got = record_parse(copy, length, &record);
    ck_assert_msg(got == expected, "%d instead of %d for %zu bytes: %.*s", got,
                  expected, length, (int)length, copy);
    ck_assert_int_eq(memcmp(&record, &before, sizeof(record)), 0);
    free(copy);
}

static void
refused_text(const char *text, int expected)
{
    refused(text, strlen(text), expected);
}

static struct record
parsed(const char *text)
{
    struct record record;
    int status = record_parse(text, strlen(text), &record);

    ck_assert_msg(status == 0, "%d: %s", status, text);
    return record;
}

START_TEST(test_record_comes_back)
{
    struct record record = sample();
    char *text = format(&record);
    struct record again = parsed(text);

    check_same(&record, &again);
    free(text);
    record_free(&record);
    record_free(&again);
}
END_TEST

START_TEST(test_record_each_ownership_and_flag_comes_back)
{
    for (int i = 0; i < RECORD_OWNERSHIP_COUNT * 4; i++) {
        struct record record = sample();
        struct record again;
        char *text = NULL;

        record.ownership = (enum record_ownership)(i / 4);
        record.is_bound = i % 2 != 0;
        record.is_ended = i / 2 % 2 != 0;
        text = format(&record);
        again = parsed(text);
        check_same(&record, &again);
        free(text);
        record_free(&record);
        record_free(&again);
    }
}
END_TEST

/* What a version of this module wrote is read by all that come after it. */
START_TEST(test_record_text_is_this_one)
{
    struct record record = sample();
    char *text = format(&record);

    ck_assert_str_eq(text, "pam_krb5cc record = 1\n"
                           "cache = FILE:/tmp/krb5cc_7\n"
                           "ownership = shared\n"
                           "is_made = yes\n"
                           "is_bound = yes\n"
                           "is_ended = no\n"
                           "principal = alice/admin@EXAMPLE.COM\n"
                           "user = alice\n"
                           "uid = 7\n"
                           "gid = 8\n"
                           "service = sshd\n"
                           "tty = pts/1\n"
                           "rhost = client.example.com\n"
                           "time = 1700000000\n"
                           "boot = 0f5c6c1e-8a3f\n"
                           "pid_namespace = 4026531836\n"
                           "pid = 4711\n"
                           "start = 99\n"
                           "audit = 12\n"
                           "logind = c3\n"
                           "end\n");
    free(text);
    record_free(&record);
}
END_TEST

START_TEST(test_record_text_that_is_null_is_written_as_none)
{
    const struct record record = {.uid = 1, .gid = 2};
    char *text = format(&record);

    ck_assert_ptr_nonnull(strstr(text, "\ncache = \n"));
    ck_assert_ptr_nonnull(strstr(text, "\nlogind = \n"));
    free(text);
}
END_TEST

START_TEST(test_record_what_is_left_out_is_not_known)
{
    struct record record = parsed(SHORTEST);

    ck_assert_str_eq(record.cache, "FILE:/tmp/krb5cc_7");
    ck_assert_int_eq(record.ownership, RECORD_SHARED);
    ck_assert(!record.is_bound);
    ck_assert(!record.is_ended);
    ck_assert_str_eq(record.principal, "");
    ck_assert_str_eq(record.service, "");
    ck_assert_str_eq(record.tty, "");
    ck_assert_str_eq(record.rhost, "");
    ck_assert_str_eq(record.boot, "");
    ck_assert_str_eq(record.logind, "");
    ck_assert_int_eq(record.time, RECORD_UNKNOWN);
    ck_assert_int_eq(record.pid_namespace, RECORD_UNKNOWN);
    ck_assert_int_eq(record.pid, RECORD_UNKNOWN);
    ck_assert_int_eq(record.start, RECORD_UNKNOWN);
    ck_assert_int_eq(record.audit, RECORD_UNKNOWN);
    record_free(&record);
}
END_TEST

START_TEST(test_record_key_that_is_not_known_is_passed_over)
{
    struct record record =
        parsed(FIRST "later = 1\n" NEEDED "later = 2\nend = not yet\nend\n");

    ck_assert_str_eq(record.user, "alice");
    record_free(&record);
}
END_TEST

/* Each byte that a text can have, in each text. */
START_TEST(test_record_any_character_stays_on_its_line)
{
    char all[256];

    for (int c = 1; c < 256; c++) {
        all[c - 1] = (char)c;
    }
    all[255] = '\0';
    for (int i = 0; i < 7; i++) {
        struct record record = sample();
        char **const fields[] = {
            &record.cache, &record.principal, &record.user,  &record.service,
            &record.tty,   &record.rhost,     &record.logind};
        struct record again;
        char *text = NULL;
        size_t lines = 0;

        free(*fields[i]);
        *fields[i] = strdup(all);
        text = format(&record);
        for (const char *at = text; *at != '\0'; at++) {
            unsigned char c = (unsigned char)*at;

            ck_assert_msg(c == '\n' || (c >= 0x20 && c != 0x7f), "%02x", c);
            lines += c == '\n';
        }
        ck_assert_uint_eq(lines, 21);
        again = parsed(text);
        check_same(&record, &again);
        free(text);
        record_free(&record);
        record_free(&again);
    }
}
END_TEST

START_TEST(test_record_value_that_looks_like_a_record_is_a_value)
{
    struct record record = sample();
    struct record again;
    char *text = NULL;

    free(record.rhost);
    record.rhost = strdup("a\nuid = 0\nend\npam_krb5cc record = 1");
    free(record.tty);
    record.tty = strdup("  = = %0A%25 ");
    text = format(&record);
    again = parsed(text);
    check_same(&record, &again);
    free(text);
    record_free(&record);
    record_free(&again);
}
END_TEST

START_TEST(test_record_numbers_come_back_whole)
{
    static const int64_t numbers[] = {INT64_MIN, -1, 0, 1, INT64_MAX};

    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct record record = sample();
        struct record again;
        char *text = NULL;

        record.time = record.pid = record.start = numbers[i];
        record.audit = record.pid_namespace = numbers[i];
        text = format(&record);
        again = parsed(text);
        check_same(&record, &again);
        free(text);
        record_free(&record);
        record_free(&again);
    }
}
END_TEST

START_TEST(test_record_cut_anywhere_is_refused)
{
    struct record record = sample();
    char *text = format(&record);
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        refused(text, i, -EBADMSG);
    }
    free(text);
    record_free(&record);
}
END_TEST

START_TEST(test_record_with_anything_behind_its_end_is_refused)
{
    refused_text(SHORTEST "\n", -EBADMSG);
    refused_text(SHORTEST "end\n", -EBADMSG);
    refused_text(SHORTEST "x = y\n", -EBADMSG);
    refused_text(FIRST NEEDED "end \n", -EBADMSG);
    refused_text(FIRST NEEDED "end", -EBADMSG);
    refused(SHORTEST, sizeof(SHORTEST), -EBADMSG);
}
END_TEST

START_TEST(test_record_without_what_it_needs_is_refused)
{
    static const char *const lines[] = {
        "cache = c\n", "ownership = own\n", "user = u\n",
        "uid = 7\n",   "gid = 8\n",
    };

    for (size_t missing = 0; missing <= COUNT(lines); missing++) {
        char text[256] = FIRST;

        for (size_t i = 0; i < COUNT(lines); i++) {
            if (i != missing) {
                strcat(text, lines[i]);
            }
        }
        strcat(text, "end\n");
        if (missing < COUNT(lines)) {
            refused_text(text, -EBADMSG);
        } else {
            struct record record = parsed(text);

            record_free(&record);
        }
    }
}
END_TEST

START_TEST(test_record_with_a_key_twice_is_refused)
{
    struct record record = sample();
    char *text = format(&record);
    const char *line = strchr(text, '\n') + 1;

    /* Each line but the last once more, behind itself. */
    while (strcmp(line, "end\n") != 0) {
        size_t length = (size_t)(strchr(line, '\n') - line) + 1;
        char twice[1024];

        (void)snprintf(twice, sizeof(twice), "%.*s%.*s%s",
                       (int)(line - text + (long)length), text, (int)length,
                       line, line + length);
        refused_text(twice, -EBADMSG);
        line += length;
    }
    free(text);
    record_free(&record);
}
END_TEST

START_TEST(test_record_of_a_newer_layout_is_told_apart)
{
    refused_text("pam_krb5cc record = 2\n", -EPROTONOSUPPORT);
    refused_text("pam_krb5cc record = 2\nanything at all\n", -EPROTONOSUPPORT);
    refused_text("pam_krb5cc record = 99999999999\n" NEEDED "end\n",
                 -EPROTONOSUPPORT);
}
END_TEST

START_TEST(test_record_of_no_layout_is_refused)
{
    static const char *const firsts[] = {
        "",
        "pam_krb5cc record = 0\n",
        "pam_krb5cc record = -1\n",
        "pam_krb5cc record = 1x\n",
        "pam_krb5cc record = \n",
        "pam_krb5cc record = 99999999999999999999\n",
        "pam_krb5cc record=1\n",
        " pam_krb5cc record = 1\n",
        "\n" FIRST,
        "end\n" FIRST,
    };

    for (size_t i = 0; i < COUNT(firsts); i++) {
        char text[512];

        (void)snprintf(text, sizeof(text), "%s%s", firsts[i], NEEDED "end\n");
        refused_text(text, -EBADMSG);
    }
}
END_TEST

START_TEST(test_record_with_a_line_that_is_none_is_refused)
{
    static const char *const lines[] = {
        "\n",
        "tty\n",
        "tty=x\n",
        "tty =x\n",
        "# a remark\n",
        "is_bound = maybe\n",
        "is_bound = \n",
        "is_bound = YES\n",
        "pid = \n",
        "pid = -\n",
        "pid = --1\n",
        "pid = +1\n",
        "pid =  1\n",
        "pid = 1 \n",
        "pid = 0x1\n",
        "pid = 9223372036854775808\n",
        "pid = 1.5\n",
    };

    for (size_t i = 0; i < COUNT(lines); i++) {
        char text[512];

        (void)snprintf(text, sizeof(text), FIRST NEEDED "%send\n", lines[i]);
        refused_text(text, -EBADMSG);
    }
}
END_TEST

START_TEST(test_record_with_a_bad_escape_is_refused)
{
    static const char *const values[] = {
        "%",   "%0",  "%0g", "%g0",  "%00",  "%0a",  "%41",  "%80", "%FF",
        "a%2", "% 1", "%%",  "a\tb", "a\rb", "\033", "\177", "%-1", "x%2\n5",
    };

    for (size_t i = 0; i < COUNT(values); i++) {
        char text[512];

        (void)snprintf(text, sizeof(text), FIRST NEEDED "tty = %s\nend\n",
                       values[i]);
        refused_text(text, -EBADMSG);
    }
}
END_TEST

START_TEST(test_record_with_an_escape_is_read)
{
    struct record record = parsed(FIRST NEEDED "tty = %0A%1F%25%7F\nend\n");

    ck_assert_str_eq(record.tty, "\n\x1f%\x7f");
    record_free(&record);
}
END_TEST

START_TEST(test_record_with_a_nul_is_refused)
{
    struct record record = sample();
    char *text = format(&record);
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        char was = text[i];

        text[i] = '\0';
        refused(text, length, -EBADMSG);
        text[i] = was;
    }
    free(text);
    record_free(&record);
}
END_TEST

/* A uid of -1 is nobody's (chown(2)), a cache without a name is none. */
START_TEST(test_record_of_nobody_is_refused)
{
    static const char *const texts[] = {
        FIRST "cache = \nownership = own\nuser = u\nuid = 7\ngid = 8\nend\n",
        FIRST "cache = c\nownership = own\nuser = \nuid = 7\ngid = 8\nend\n",
        FIRST "cache = c\nownership = own\nuser = u\nuid = -1\ngid = 8\nend\n",
        FIRST "cache = c\nownership = own\nuser = u\nuid = 4294967295\n"
              "gid = 8\nend\n",
        FIRST "cache = c\nownership = own\nuser = u\nuid = 7\ngid = -1\nend\n",
        FIRST "cache = c\nownership = own\nuser = u\nuid = 7\n"
              "gid = 4294967295\nend\n",
        FIRST "cache = c\nownership = mine\nuser = u\nuid = 7\ngid = 8\nend\n",
        FIRST "cache = c\nownership = \nuser = u\nuid = 7\ngid = 8\nend\n",
    };
    struct record record;

    for (size_t i = 0; i < COUNT(texts); i++) {
        refused_text(texts[i], -EBADMSG);
    }
    record = parsed(FIRST "cache = c\nownership = own\nuser = u\n"
                          "uid = 4294967294\ngid = 4294967294\nend\n");
    ck_assert_int_eq(record.uid, 4294967294);
    ck_assert_int_eq(record.gid, 4294967294);
    record_free(&record);
}
END_TEST

/* A record whose text has LENGTH bytes. */
static struct record
record_of_length(size_t length)
{
    struct record record = sample();
    char *text = format(&record);
    size_t more = length - strlen(text) + strlen(record.rhost);

    free(text);
    free(record.rhost);
    record.rhost = malloc(more + 1);
    ck_assert_ptr_nonnull(record.rhost);
    memset(record.rhost, 'h', more);
    record.rhost[more] = '\0';
    return record;
}

START_TEST(test_record_longest_comes_back)
{
    struct record record = record_of_length(RECORD_MAX);
    char *text = format(&record);
    struct record again = parsed(text);

    ck_assert_uint_eq(strlen(text), RECORD_MAX);
    check_same(&record, &again);
    free(text);
    record_free(&record);
    record_free(&again);
}
END_TEST

START_TEST(test_record_that_is_longer_is_refused)
{
    static char text[RECORD_MAX + 2];
    struct record record = record_of_length(RECORD_MAX + 1);
    char *none = NULL;

    ck_assert_int_eq(record_format(&record, &none), -EMSGSIZE);
    ck_assert_ptr_null(none);
    record_free(&record);

    memset(text, 'x', sizeof(text));
    memcpy(text, SHORTEST, strlen(SHORTEST) - 4);
    memcpy(text + strlen(SHORTEST) - 4, "x = ", 4);
    memcpy(text + RECORD_MAX + 1 - 5, "\nend\n", 5);
    refused(text, RECORD_MAX + 1, -EBADMSG);
    /* One byte less of the same is read. */
    memmove(text + RECORD_MAX - 5, "\nend\n", 5);
    ck_assert_int_eq(record_parse(text, RECORD_MAX, &record), 0);
    record_free(&record);
}
END_TEST

/* Escapes count as they are written. */
START_TEST(test_record_of_control_characters_has_the_same_limit)
{
    struct record record = record_of_length(RECORD_MAX / 2);
    char *text = NULL;

    memset(record.rhost, '\n', strlen(record.rhost));
    ck_assert_int_eq(record_format(&record, &text), -EMSGSIZE);
    record_free(&record);
}
END_TEST

START_TEST(test_record_free_leaves_nothing_and_accepts_nothing)
{
    struct record record = {.cache = NULL};

    record_free(&record);
    record = sample();
    record_free(&record);
    ck_assert_ptr_null(record.cache);
    ck_assert_ptr_null(record.principal);
    ck_assert_ptr_null(record.logind);
    record_free(&record);
}
END_TEST

static void
add_round_trips(Suite *suite)
{
    TCase *tcase = suite_case(suite, "round_trips");

    tcase_add_test(tcase, test_record_comes_back);
    tcase_add_test(tcase, test_record_each_ownership_and_flag_comes_back);
    tcase_add_test(tcase, test_record_text_is_this_one);
    tcase_add_test(tcase, test_record_text_that_is_null_is_written_as_none);
    tcase_add_test(tcase, test_record_what_is_left_out_is_not_known);
    tcase_add_test(tcase, test_record_key_that_is_not_known_is_passed_over);
    tcase_add_test(tcase, test_record_any_character_stays_on_its_line);
    tcase_add_test(tcase,
                   test_record_value_that_looks_like_a_record_is_a_value);
    tcase_add_test(tcase, test_record_numbers_come_back_whole);
    tcase_add_test(tcase, test_record_with_an_escape_is_read);
    tcase_add_test(tcase, test_record_longest_comes_back);
    tcase_add_test(tcase, test_record_free_leaves_nothing_and_accepts_nothing);
}

static void
add_refusals(Suite *suite)
{
    TCase *tcase = suite_case(suite, "refusals");

    tcase_add_test(tcase, test_record_cut_anywhere_is_refused);
    tcase_add_test(tcase, test_record_with_anything_behind_its_end_is_refused);
    tcase_add_test(tcase, test_record_without_what_it_needs_is_refused);
    tcase_add_test(tcase, test_record_with_a_key_twice_is_refused);
    tcase_add_test(tcase, test_record_of_a_newer_layout_is_told_apart);
    tcase_add_test(tcase, test_record_of_no_layout_is_refused);
    tcase_add_test(tcase, test_record_with_a_line_that_is_none_is_refused);
    tcase_add_test(tcase, test_record_with_a_bad_escape_is_refused);
    tcase_add_test(tcase, test_record_with_a_nul_is_refused);
    tcase_add_test(tcase, test_record_of_nobody_is_refused);
    tcase_add_test(tcase, test_record_that_is_longer_is_refused);
    tcase_add_test(tcase, test_record_of_control_characters_has_the_same_limit);
}

int
main(void)
{
    Suite *suite = suite_create("record");

    add_round_trips(suite);
    add_refusals(suite);
    return suite_main(suite);
}
