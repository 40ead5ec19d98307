/* A pausable limit on the monotonic clock. */
#include "base/deadline.h"

#include <limits.h>
#include <time.h>

static int64_t
monotonic_ms(void)
{
    struct timespec now = {0, 0};

    /* Cannot fail for this clock (clock_gettime(2)). */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct deadline
deadline_in(int64_t limit_ms)
{
    return (struct deadline){
        .left_ms = limit_ms, .since_ms = monotonic_ms(), .paused = false};
}

int64_t
deadline_left_ms(const struct deadline *deadline)
{
    int64_t left_ms = deadline->left_ms;

    if (!deadline->paused) {
        left_ms -= monotonic_ms() - deadline->since_ms;
    }
    return left_ms > 0 ? left_ms : 0;
}

void
deadline_pause(struct deadline *deadline)
{
    deadline->left_ms = deadline_left_ms(deadline);
    deadline->since_ms = monotonic_ms();
    deadline->paused = true;
}

void
deadline_resume(struct deadline *deadline)
{
    if (deadline->paused) {
        deadline->since_ms = monotonic_ms();
        deadline->paused = false;
    }
}

void
deadline_shorten(struct deadline *deadline, int64_t cut_ms)
{
    if (cut_ms > 0) {
        deadline->left_ms -= cut_ms;
    }
}

int
deadline_poll_ms(const struct deadline *deadline)
{
    int64_t left_ms = deadline_left_ms(deadline);

    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}
