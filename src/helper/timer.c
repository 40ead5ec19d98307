/* The helper's own end.  SIGALRM's default action does the rest. */
#include "helper/timer.h"

#include <sys/time.h>

/* What was left when it was paused. */
static int64_t paused_left_ms;

static void
arm(int64_t left_ms)
{
    const struct itimerval timer = {
        .it_value = {.tv_sec = left_ms / 1000,
                     .tv_usec = left_ms % 1000 * 1000},
    };

    (void)setitimer(ITIMER_REAL, &timer, 0);
}

void
timer_begin(int64_t budget_ms)
{
    arm(budget_ms > 0 ? budget_ms : 1);
}

int64_t
timer_left_ms(void)
{
    struct itimerval timer = {0};

    (void)getitimer(ITIMER_REAL, &timer);
    return (int64_t)timer.it_value.tv_sec * 1000 +
           timer.it_value.tv_usec / 1000;
}

void
timer_pause(void)
{
    paused_left_ms = timer_left_ms();
    arm(0);
}

void
timer_resume(void)
{
    timer_begin(paused_left_ms);
}
