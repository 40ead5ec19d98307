/*
 * Misbehaving helpers for tests (fake_helper.c): a copy under the name of what
 * it shall do wrong, what it has reported of itself, and what a host looks at
 * to see that nothing was left.
 */
#ifndef CLIENT_FAKE_H
#define CLIENT_FAKE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies the fake helper as BEHAVIOUR into a directory of its own that
 * everybody may enter.  The path is the caller's (fake_remove).
 */
char *fake_install(const char *behaviour);

/* Removes what fake_install made, frees PATH. */
void fake_remove(char *path);

/* What the helper at PATH has reported, lines; the caller frees. */
char *fake_report(const char *path);

/* Whether LINE is one of the lines of REPORT. */
bool fake_has_line(const char *report, const char *line);

/* How many lines of REPORT begin with WORD and a blank. */
size_t fake_count_lines(const char *report, const char *word);

/* How many descriptors this process has open. */
size_t fake_count_descriptors(void);

/* Whether this process has a child, dead or alive. */
bool fake_has_child(void);

/*
 * What this thread allocates from here on may leak: a cancelled thread frees
 * nothing of its caller's (LeakSanitizer; nothing in other builds).
 */
void fake_allow_leaks(void);

/* The monotonic clock in microseconds. */
long long fake_now_us(void);

/* The lower quartile of COUNT values, which are sorted. */
long long fake_quartile(long long *values, size_t count);

#endif
