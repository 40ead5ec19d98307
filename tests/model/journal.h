/*
 * What a model test has done so far: the steps, and how many of each kind.  It
 * is in memory that outlives the test's own process, so that whatever ends that
 * process, the parent can say how it came to it and how to see it again.
 */
#ifndef MODEL_JOURNAL_H
#define MODEL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

/* Makes it; an unchecked fixture's part.  The seed is TEST_SEED or a new one.
 */
void journal_begin(void);

/* Says what has happened where the test has not come to its end. */
void journal_end(void);

uint64_t journal_seed(void);

/* A step begins, of the kind that has this NUMBER and NAME. */
void journal_step(unsigned int step, unsigned int number, const char *name);

/* It could not be taken, and was not. */
void journal_take_back(unsigned int number);

/* Something worth knowing happened in this step. */
__attribute__((format(printf, 1, 2))) void journal_note(const char *format,
                                                        ...);

/* The step is over; with TEST_TRACE it is shown. */
void journal_show(void);

/* One thing was checked. */
void journal_check(void);

/* The test has come to its end. */
void journal_done(void);

/* How many steps of kind NUMBER there were, and how many checks. */
unsigned int journal_count(unsigned int number);
uint64_t journal_checks(void);

/* The test fails, which says in which step and what came before. */
__attribute__((format(printf, 1, 2), noreturn)) void
journal_fail(const char *format, ...);

/* CONDITION must hold; else the test fails with a text as printf makes it. */
#define HOLDS(condition, ...)                                                  \
    do {                                                                       \
        journal_check();                                                       \
        if (!(condition)) {                                                    \
            journal_fail(__VA_ARGS__);                                         \
        }                                                                      \
    } while (0)

#endif
