/* Memory, numbers, children and dice for tests with several processes. */
#include "support/shared.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/suite.h"

#define CHILD_FAILED 97

void *
shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_msg(memory != MAP_FAILED, "no memory: %s", strerror(errno));
    return memory;
}

static void
wake(atomic_uint *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void
shared_set(atomic_uint *word, unsigned int value)
{
    atomic_store(word, value);
    wake(word);
}

void
shared_count(atomic_uint *word)
{
    atomic_fetch_add(word, 1);
    wake(word);
}

unsigned int
shared_wait(atomic_uint *word, unsigned int value, int64_t limit_us)
{
    const struct timespec limit = {.tv_sec = limit_us / 1000000,
                                   .tv_nsec = limit_us % 1000000 * 1000};

    /* It returns at once where WORD is another already. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, NULL, 0);
    return atomic_load(word);
}

pid_t
shared_start(uid_t uid, int (*body)(void *data), void *data)
{
    gid_t gid = uid;
    pid_t pid = -1;

    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (uid != 0 &&
            (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
             setresuid(uid, uid, uid) < 0)) {
            _exit(CHILD_FAILED);
        }
        _exit(body(data));
    }
    return pid;
}

int
shared_end(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

uint64_t
shared_seed(const char *name)
{
    const char *wanted = getenv("TEST_SEED");
    struct timespec now = {0, 0};
    uint64_t seed = 0;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    seed = wanted != NULL
               ? strtoull(wanted, NULL, 10)
               : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    fprintf(stderr, "# %s: TEST_SEED=%" PRIu64 "\n", name, seed);
    return seed;
}

unsigned int
shared_dice(uint64_t *state, unsigned int limit)
{
    uint64_t mixed = 0;

    /* splitmix64: any seed will do, 0 too. */
    *state += 0x9e3779b97f4a7c15U;
    mixed = (*state ^ (*state >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return (unsigned int)((mixed ^ (mixed >> 31)) % limit);
}
