/* Records, and descriptors that run out. */
#include "registry/sample.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/shared.h"
#include "support/suite.h"

#define FILLED_MAX 64

static struct rlimit limit_before;
static int filled[FILLED_MAX];
static size_t filled_count;

static struct record
sample(int64_t uid, const char *cache)
{
    return (struct record){
        .cache = strdup(cache),
        .ownership = RECORD_SHARED,
        .principal = strdup("alice@EXAMPLE.COM"),
        .user = strdup("alice"),
        .uid = uid,
        .gid = uid,
        .service = strdup("test"),
        .tty = strdup("pts/1"),
        .rhost = strdup(""),
        .time = 1700000000,
        .audit = RECORD_UNKNOWN,
        .logind = strdup(""),
    };
}

struct record
sample_live(int64_t uid, const char *cache)
{
    struct record record = sample(uid, cache);

    ck_assert_int_eq(presence_of_caller(&record), 0);
    ck_assert_int_ne(record.start, RECORD_UNKNOWN);
    ck_assert_str_ne(record.boot, "");
    return record;
}

/* What a process says of itself before it ends. */
struct self {
    int64_t pid;
    int64_t start;
};

static int
say_self(void *data)
{
    struct self *self = data;
    struct record record = {.cache = NULL};

    if (presence_of_caller(&record) < 0) {
        return 1;
    }
    self->pid = record.pid;
    self->start = record.start;
    return 0;
}

struct record
sample_gone(int64_t uid, const char *cache)
{
    struct record record = sample_live(uid, cache);
    struct self *self = shared_memory(sizeof(*self));

    ck_assert_int_eq(shared_end(shared_start(0, say_self, self)), 0);
    ck_assert_int_ne(self->pid, record.pid);
    record.pid = self->pid;
    record.start = self->start;
    return record;
}

struct record
sample_of_other_boot(int64_t uid, const char *cache)
{
    struct record record = sample_live(uid, cache);

    record.boot[0] = record.boot[0] == '0' ? '1' : '0';
    return record;
}

struct record
sample_elsewhere(int64_t uid, const char *cache)
{
    struct record record = sample_live(uid, cache);

    record.pid_namespace++;
    return record;
}

void
sample_check_same(const struct record *a, const struct record *b)
{
    char *text_a = NULL;
    char *text_b = NULL;

    ck_assert_int_eq(record_format(a, &text_a), 0);
    ck_assert_int_eq(record_format(b, &text_b), 0);
    ck_assert_str_eq(text_a, text_b);
    free(text_a);
    free(text_b);
}

size_t
sample_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    ck_assert_ptr_nonnull(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    ck_assert_int_eq(closedir(directory), 0);
    return count;
}

void
sample_descriptors_left(size_t count)
{
    struct rlimit limit;
    int fd = -1;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit_before), 0);
    limit = limit_before;
    limit.rlim_cur = FILLED_MAX;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while ((fd = open("/", O_PATH | O_CLOEXEC)) >= 0) {
        filled[filled_count++] = fd;
    }
    while (count > 0 && filled_count > 0) {
        (void)close(filled[--filled_count]);
        count--;
    }
}

void
sample_descriptors_back(void)
{
    while (filled_count > 0) {
        (void)close(filled[--filled_count]);
    }
    (void)setrlimit(RLIMIT_NOFILE, &limit_before);
}
