/*
 * The helper's own end: a real-time timer that kills this process when the
 * host can not (no pidfd, a host that was killed).  It stands still while a
 * person types.
 */
#ifndef HELPER_TIMER_H
#define HELPER_TIMER_H

#include <stdint.h>

/* Ends this process BUDGET_MS of counted time from now (setitimer(2)). */
void timer_begin(int64_t budget_ms);

/* Time does not count between these two. */
void timer_pause(void);
void timer_resume(void);

/* What is left, in ms. */
int64_t timer_left_ms(void);

#endif
