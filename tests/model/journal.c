/* The steps so far. */
#include "model/journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <check.h>

#include "support/shared.h"

#define LINES 30
#define LINE_MAX_LENGTH 700
#define KINDS_MAX 64
#define PROBLEM_MAX 6000

static struct journal {
    uint64_t seed;
    unsigned int step;
    uint64_t checks;
    bool is_done;
    unsigned int counts[KINDS_MAX];
    unsigned int line_count;
    char lines[LINES][LINE_MAX_LENGTH];
    char problem[PROBLEM_MAX];
} * journal;

void
journal_begin(void)
{
    journal = shared_memory(sizeof(*journal));
    journal->seed = shared_seed("model");
}

static void
tell_how_it_came(void)
{
    unsigned int first =
        journal->line_count < LINES ? 0 : journal->line_count - LINES;

    fprintf(stderr, "# the last steps:\n");
    for (unsigned int i = first; i < journal->line_count; i++) {
        fprintf(stderr, "# %s\n", journal->lines[i % LINES]);
    }
    fprintf(stderr,
            "# step %u: %s\n"
            "# again: TEST_SEED=%" PRIu64 " TEST_STEPS=%u tests/run "
            "stack/test_model\n",
            journal->step,
            *journal->problem == '\0' ? "has not come to its end"
                                      : journal->problem,
            journal->seed, journal->step + 1);
}

void
journal_end(void)
{
    if (!journal->is_done && journal->line_count > 0) {
        tell_how_it_came();
    }
    (void)munmap(journal, sizeof(*journal));
}

uint64_t
journal_seed(void)
{
    return journal->seed;
}

void
journal_step(unsigned int step, unsigned int number, const char *name)
{
    char *line = journal->lines[journal->line_count++ % LINES];

    ck_assert_uint_lt(number, KINDS_MAX);
    journal->step = step;
    journal->counts[number]++;
    (void)snprintf(line, LINE_MAX_LENGTH, "%u %s:", step, name);
}

void
journal_take_back(unsigned int number)
{
    journal->line_count--;
    journal->counts[number]--;
}

void
journal_show(void)
{
    if (getenv("TEST_TRACE") != NULL && journal->line_count > 0) {
        fprintf(stderr, "# %s\n",
                journal->lines[(journal->line_count - 1) % LINES]);
    }
}

void
journal_note(const char *format, ...)
{
    char *line = journal->lines[(journal->line_count - 1) % LINES];
    size_t length = strlen(line);
    va_list arguments;

    if (journal->line_count == 0 || length + 2 >= LINE_MAX_LENGTH) {
        return;
    }
    line[length++] = ' ';
    va_start(arguments, format);
    (void)vsnprintf(line + length, LINE_MAX_LENGTH - length, format, arguments);
    va_end(arguments);
}

void
journal_check(void)
{
    journal->checks++;
}

void
journal_done(void)
{
    journal->is_done = true;
}

unsigned int
journal_count(unsigned int number)
{
    return journal->counts[number];
}

uint64_t
journal_checks(void)
{
    return journal->checks;
}

void
journal_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(journal->problem, sizeof(journal->problem), format,
                    arguments);
    va_end(arguments);
    ck_abort_msg("step %u: %.900s (TEST_SEED=%" PRIu64 ")", journal->step,
                 journal->problem, journal->seed);
}
