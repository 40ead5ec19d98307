/* Misbehaving helpers for tests. */
#include "client/fake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/suite.h"

static void
copy_program(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    ssize_t copied = 0;

    ck_assert_msg(in >= 0, "%s: %s", from, strerror(errno));
    ck_assert_msg(out >= 0, "%s: %s", to, strerror(errno));
    do {
        copied = sendfile(out, in, NULL, (size_t)1 << 24);
        /* The test may be a host whose timer interrupts it all the time. */
    } while (copied > 0 || (copied < 0 && errno == EINTR));
    ck_assert_int_eq(copied, 0);
    /* Neither the umask nor a careless build decides who may write. */
    ck_assert_int_eq(fchmod(out, 0755), 0);
    ck_assert_int_eq(close(out), 0);
    ck_assert_int_eq(close(in), 0);
}

char *
fake_install(const char *behaviour)
{
    const char *built = getenv("PAM_KRB5CC_FAKE_HELPER");
    char *directory = suite_tmpdir();
    char *path = suite_path(directory, behaviour);

    ck_assert_int_eq(chmod(directory, 0755), 0);
    copy_program(built == NULL ? BUILT_FAKE_HELPER : built, path);
    free(directory);
    return path;
}

void
fake_remove(char *path)
{
    *strrchr(path, '/') = '\0';
    suite_remove_tree(path);
}

char *
fake_report(const char *path)
{
    char name[4096];
    char *text = NULL;
    size_t size = 0;
    FILE *file = NULL;

    (void)snprintf(name, sizeof(name), "%s.report", path);
    file = fopen(name, "re");
    ck_assert_msg(file != NULL, "%s: %s", name, strerror(errno));
    ck_assert_int_gt(getdelim(&text, &size, '\0', file), 0);
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

bool
fake_has_line(const char *report, const char *line)
{
    size_t length = strlen(line);

    for (const char *at = report; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '\n');

        if ((size_t)(end - at) == length && memcmp(at, line, length) == 0) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

size_t
fake_count_lines(const char *report, const char *word)
{
    size_t length = strlen(word);
    size_t count = 0;

    for (const char *at = report; *at != '\0'; at = strchr(at, '\n') + 1) {
        count += strncmp(at, word, length) == 0 && at[length] == ' ';
    }
    return count;
}

size_t
fake_count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    ck_assert_ptr_nonnull(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    ck_assert_int_eq(closedir(directory), 0);
    /* ".", ".." and the directory itself. */
    return count - 3;
}

bool
fake_has_child(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* LeakSanitizer's, where there is one. */
void __lsan_disable(void) __attribute__((weak));

void
fake_allow_leaks(void)
{
    if (__lsan_disable != NULL) {
        __lsan_disable();
    }
}

long long
fake_now_us(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
compare(const void *a, const void *b)
{
    const long long *left = a;
    const long long *right = b;

    return (*left > *right) - (*left < *right);
}

long long
fake_quartile(long long *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare);
    return values[count / 4];
}
