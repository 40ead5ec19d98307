/*
 * What several processes of one test work with at the same time: memory that
 * forked children share, numbers in it that can be waited for, children that
 * are somebody, and dice.  Knows nothing of what is tested.
 */
#ifndef SUPPORT_SHARED_H
#define SUPPORT_SHARED_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * SIZE zero bytes that this process and those forked from it from now on
 * share; they live as long as the test.  Fails the test where there are none.
 */
void *shared_memory(size_t size);

/* Sets WORD, or adds one to it, and wakes who waits for it. */
void shared_set(atomic_uint *word, unsigned int value);
void shared_count(atomic_uint *word);

/*
 * Returns when WORD is not VALUE any more, or LIMIT_US microseconds later.
 * What WORD is then.
 */
unsigned int shared_wait(atomic_uint *word, unsigned int value,
                         int64_t limit_us);

/*
 * Starts BODY in a child that has these uids and gids three times over and no
 * other groups; what it returns is the status it ends with.
 */
pid_t shared_start(uid_t uid, int (*body)(void *data), void *data);
/* Waits for it: its status, or -1 where something else ended it. */
int shared_end(pid_t pid);

/* A number from TEST_SEED, else from the clock, printed with NAME. */
uint64_t shared_seed(const char *name);
/* The next number below LIMIT of the dice STATE, which began with a seed. */
unsigned int shared_dice(uint64_t *state, unsigned int limit);

#endif
