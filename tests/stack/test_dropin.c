/*
 * A drop-in for pam_krb5: each row of tests/peer/rows_* on the real libpam and
 * in the private realm.  The rows hold what pam_krb5 of Debian does; where the
 * environment's PEER_MODULE names that one, they are tried on it (`make
 * check-peer`), else on ours.
 *
 * With --differences it prints those that are meant, as doc/dropin.md has them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/play.h"
#include "peer/row.h"
#include "stack/common.h"

#define ROWS_MAX 512
#define DIFFERENCE_MAX 4096

/* All parts one behind the other, and those where ours is meant to differ. */
static const struct row *rows[ROWS_MAX];
static size_t row_count;
static const struct row *differences[ROWS_MAX];
static size_t difference_count;

static void
read_list(void)
{
    size_t parts = 0;
    const struct rows *all = rows_all(&parts);

    for (size_t i = 0; i < parts; i++) {
        for (size_t j = 0; j < all[i].count && row_count < ROWS_MAX; j++) {
            const struct row *row = &all[i].rows[j];

            rows[row_count++] = row;
            if (row->ours != NULL) {
                differences[difference_count++] = row;
            }
        }
    }
}

/* The peer's caches stay where it leaves them: rows tell. */
static void
setup(void)
{
    common_setup();
    /* Where the peer's libkrb5 may keep its replay cache. */
    ck_assert_int_eq(setenv("KRB5RCACHEDIR", "/tmp", 1), 0);
}

START_TEST(test_dropin_row_is_as_told)
{
    const struct row *row = rows[_i];
    const char *told = row->peer;
    const char *got = NULL;

    NEEDS_ROOT();
    if (!play_is_peer() && row->ours != NULL) {
        told = row->ours;
    }
    got = play(row);
    ck_assert_msg(strcmp(got, told) == 0,
                  "%s\n     told: %s\n      got: %s\nlog:\n%s", row->name, told,
                  got, stack_log());
}
END_TEST

/* Two rows of one name could not be told apart. */
START_TEST(test_dropin_names_are_unique)
{
    ck_assert_uint_lt(row_count, ROWS_MAX);
    for (size_t i = 0; i < row_count; i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(rows[i]->name, rows[j]->name);
        }
    }
}
END_TEST

START_TEST(test_dropin_differences_are_some_and_have_reasons)
{
    for (size_t i = 0; i < row_count; i++) {
        const struct row *row = rows[i];

        ck_assert_msg((row->ours == NULL) == (row->why == NULL), "%s",
                      row->name);
        ck_assert_msg(row->ours == NULL || strcmp(row->ours, row->peer) != 0,
                      "%s", row->name);
    }
}
END_TEST

/* A difference as a line of the table in doc/dropin.md. */
static void
write_difference(const struct row *row, char line[DIFFERENCE_MAX])
{
    (void)snprintf(line, DIFFERENCE_MAX, "| %s | `%s` | `%s` | %s |\n",
                   row->name, row->peer, row->ours, row->why);
}

/* Whether LINE, its end included, is a row of differences. */
static bool
is_difference(const char *line)
{
    char wanted[DIFFERENCE_MAX];

    for (size_t i = 0; i < difference_count; i++) {
        write_difference(differences[i], wanted);
        if (strcmp(line, wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* Rows are unique, and so lines are: the same number is the same table. */
START_TEST(test_dropin_page_has_the_differences)
{
    const char *source = getenv("srcdir");
    char *path = suite_path(source == NULL ? "." : source, "doc/dropin.md");
    FILE *page = fopen(path, "re");
    char line[DIFFERENCE_MAX];
    size_t found = 0;

    ck_assert_msg(page != NULL, "%s cannot be read", path);
    while (fgets(line, sizeof(line), page) != NULL) {
        if (line[0] == '|' && strncmp(line, "|---", 4) != 0 &&
            strncmp(line, "| case |", 8) != 0) {
            ck_assert_msg(is_difference(line), "%s has: %s", path, line);
            found++;
        }
    }
    (void)fclose(page);
    ck_assert_msg(found == difference_count,
                  "%s has %zu of %zu differences (test_dropin --differences)",
                  path, found, difference_count);
    free(path);
}
END_TEST

static int
print_differences(void)
{
    char line[DIFFERENCE_MAX];

    for (size_t i = 0; i < difference_count; i++) {
        write_difference(differences[i], line);
        (void)fputs(line, stdout);
    }
    return EXIT_SUCCESS;
}

/* A case for each part of the list. */
static void
add_parts(Suite *suite)
{
    size_t parts = 0;
    const struct rows *all = rows_all(&parts);
    int first = 0;

    for (size_t i = 0; i < parts; i++) {
        TCase *tcase = suite_case(suite, all[i].part);
        int behind = first + (int)all[i].count;

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_loop_test(tcase, test_dropin_row_is_as_told, first, behind);
        first = behind;
    }
}

int
main(int count, char **arguments)
{
    Suite *suite = NULL;
    TCase *tcase = NULL;

    read_list();
    if (count == 2 && strcmp(arguments[1], "--differences") == 0) {
        return print_differences();
    }
    suite = suite_create("dropin");
    tcase = suite_case(suite, "list");
    tcase_add_test(tcase, test_dropin_names_are_unique);
    tcase_add_test(tcase, test_dropin_differences_are_some_and_have_reasons);
    tcase_add_test(tcase, test_dropin_page_has_the_differences);
    add_parts(suite);
    return suite_main(suite);
}
