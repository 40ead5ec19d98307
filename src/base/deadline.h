/*
 * A limit on the time one call may take, on the monotonic clock, that stands
 * still while a person types.  A value: copy it, nothing to free.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
    /* What is left at SINCE_MS; SINCE_MS is when it was last set going. */
    int64_t left_ms;
    int64_t since_ms;
    bool paused;
};

/* A deadline that runs out LIMIT_MS from now. */
struct deadline deadline_in(int64_t limit_ms);

/* What is left, in ms, never below 0. */
int64_t deadline_left_ms(const struct deadline *deadline);

/* Time does not count between these two; each may be repeated. */
void deadline_pause(struct deadline *deadline);
void deadline_resume(struct deadline *deadline);

/* Takes CUT_MS off what is left (a limit that is learned to be shorter). */
void deadline_shorten(struct deadline *deadline, int64_t cut_ms);

/* What is left, as poll(2) takes it. */
int deadline_poll_ms(const struct deadline *deadline);

#endif
