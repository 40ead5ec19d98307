/*
 * registry/stash: what is put comes back once, for root alone, and goes away by
 * itself; where keys cannot be had it is a file.  Keys have no namespace: what
 * is put here is in the machine's root's keyring, under names that nobody else
 * has, and away again when a test ends.
 */
#include "registry/stash.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "registry/sample.h"
#include "support/keys.h"
#include "support/shared.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NEEDS_KEYS()                                                           \
    SKIP_UNLESS(geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL &&       \
                    keys_available(),                                          \
                "needs root, kernel keys and tests/in-namespace")

#define KEY_MAX 32767
#define LIFETIME_S 60
#define DIGITS "0123456789abcdef0123456789abcdef"

/* Everything is put into keyrings whose names begin so. */
#define PREFIX "pam_krb5cc:"
#define KEYRING_SIZE 128

static char *directory;
static char *runtime;
static size_t descriptors;

/*
 * What is done about a system call of the stash's own: its keys go through
 * syscall(3), its files through the others.  Nobody else is bothered.
 */
static struct {
    unsigned int left;  /* until it happens; 0 = never */
    int error;          /* the call fails so; 0: it ends the process */
    atomic_uint *calls; /* counts them where it is not NULL */
    char *keyring;      /* where not NULL: gets the name of what is made */
} trap;

static bool
is_trapped(void)
{
    if (trap.calls != NULL) {
        atomic_fetch_add(trap.calls, 1);
    }
    if (trap.left == 0 || --trap.left > 0) {
        return false;
    }
    if (trap.error == 0) {
        (void)kill(getpid(), SIGKILL);
        for (;;) {
            (void)pause();
        }
    }
    errno = trap.error;
    return true;
}

long
syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6] = {0};
    /* None is read that was not given: of these calls one has six. */
    size_t count = number == SYS_futex ? 6 : 4;
    va_list arguments;

    if (number == SYS_add_key || number == SYS_keyctl) {
        count = 5;
    }
    va_start(arguments, number);
    for (size_t i = 0; i < count; i++) {
        a[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    }
    if (number == SYS_add_key && trap.keyring != NULL &&
        strcmp((const char *)a[0], "keyring") == 0) {
        (void)snprintf(trap.keyring, KEYRING_SIZE, "%s", (const char *)a[1]);
    }
    if ((number == SYS_keyctl || number == SYS_add_key) && is_trapped()) {
        return -1;
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool traps_files;

int
fchmod(int fd, mode_t mode)
{
    static int (*real)(int, mode_t);

    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "fchmod");
    }
    return traps_files && is_trapped() ? -1 : real(fd, mode);
}

ssize_t
write(int fd, const void *data, size_t length)
{
    static ssize_t (*real)(int, const void *, size_t);

    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    }
    return traps_files && is_trapped() ? -1 : real(fd, data, length);
}

/* While it is so there is no descriptor for files with random names. */
static bool withholds_files;

int
openat(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list arguments;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (withholds_files && strlen(path) == 32) {
        errno = EMFILE;
        return -1;
    }
    return (int)syscall(SYS_openat, at, path, flags, mode);
}

static void
set_up(void)
{
    directory = suite_tmpdir();
    runtime = suite_path(directory, "runtime");
    descriptors = sample_descriptors();
}

static void
tear_down(void)
{
    ck_assert_uint_eq(sample_descriptors(), descriptors);
    free(runtime);
    suite_remove_tree(directory);
}

static long
keyctl(int operation, long a, long b, long c)
{
    return syscall(SYS_keyctl, operation, a, b, c, 0L);
}

/* LENGTH bytes of all values, the caller's to free. */
static struct span
content_of(size_t length)
{
    uint8_t *data = malloc(length == 0 ? 1 : length);

    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < length; i++) {
        data[i] = (uint8_t)(i * 31 + i / 251);
    }
    return (struct span){.data = data, .length = length};
}

static void
content_free(struct span content)
{
    free((void *)(uintptr_t)content.data);
}

/* Puts LENGTH bytes for LIFETIME seconds as KIND. */
static void
put_for(size_t length, int64_t lifetime, char kind, char name[STASH_NAME_SIZE])
{
    struct span content = content_of(length);
    int status = stash_put(runtime, content, lifetime, name);

    ck_assert_msg(status == 0, "%zu bytes: %d", length, status);
    ck_assert_int_eq(name[0], kind);
    content_free(content);
}

static void
put(size_t length, char name[STASH_NAME_SIZE])
{
    put_for(length, LIFETIME_S, 'k', name);
}

/* Takes NAME, which is LENGTH bytes. */
static void
take(const char *name, size_t length)
{
    struct span content = content_of(length);
    struct bytes got = BYTES_EMPTY;
    int status = stash_take(runtime, name, &got);

    ck_assert_msg(status == 0, "%s: %d", name, status);
    ck_assert(span_equal(bytes_span(&got), content));
    bytes_free(&got);
    content_free(content);
}

/* Prepares one, for a long time. */
static void
prepare(char name[STASH_NAME_SIZE])
{
    ck_assert_int_eq(stash_prepare(100000, name), 0);
}

/* Fills NAME with LENGTH bytes. */
static int
fill(const char *name, size_t length)
{
    struct span content = content_of(length);
    int status = stash_fill(name, content, LIFETIME_S);

    content_free(content);
    return status;
}

/* Taking NAME fails so, and leaves CONTENT_OUT as it was. */
static void
take_fails(const char *name, int expected)
{
    struct bytes got = BYTES_EMPTY;
    int status = 0;

    ck_assert_int_eq(bytes_copy(&got, span_from_text("before")), 0);
    status = stash_take(runtime, name, &got);
    ck_assert_msg(status == expected, "%s: %d instead of %d", name, status,
                  expected);
    ck_assert(span_equal(bytes_span(&got), span_from_text("before")));
    bytes_free(&got);
}

/* "PREFIX COUNT-RANDOM", as the keyring of NAME is called; static storage. */
static const char *
description_of(const char *name)
{
    static char description[128];

    (void)snprintf(description, sizeof(description), PREFIX "%s", name + 1);
    return description;
}

/* The serial number of the keyring of NAME in root's, or 0. */
static int32_t
keyring_of(const char *name)
{
    long keyring = keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)"keyring",
                          (long)description_of(name));

    return keyring < 0 ? 0 : (int32_t)keyring;
}

/* The line of /proc/keys that has TEXT in it; static storage, or NULL. */
static const char *
proc_keys_line(const char *text)
{
    static char line[512];
    FILE *file = fopen("/proc/keys", "re");
    bool found = false;

    ck_assert_ptr_nonnull(file);
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        found = strstr(line, text) != NULL;
    }
    ck_assert_int_eq(fclose(file), 0);
    return found ? line : NULL;
}

/* The kernel takes it away a little after its last user. */
static void
wait_until_gone(const char *name)
{
    struct deadline deadline = deadline_in(20000);

    while (proc_keys_line(description_of(name)) != NULL) {
        ck_assert_msg(deadline_left_ms(&deadline) > 0, "%s stays: %s", name,
                      proc_keys_line(description_of(name)));
        (void)sched_yield();
    }
}

/* Coming back. */

START_TEST(test_stash_comes_back_once)
{
    static const struct {
        size_t length;
        const char *begin;
    } rows[] = {
        {1, "k1-"},           {KEY_MAX, "k1-"},  {KEY_MAX + 1, "k2-"},
        {2 * KEY_MAX, "k2-"}, {1 << 20, "k33-"}, {BYTES_MAX - 1, "k129-"},
        {BYTES_MAX, "k129-"},
    };

    NEEDS_KEYS();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[STASH_NAME_SIZE];

        put(rows[i].length, name);
        ck_assert_int_eq(strncmp(name, rows[i].begin, strlen(rows[i].begin)),
                         0);
        ck_assert_uint_eq(strlen(name), strlen(rows[i].begin) + 32);
        ck_assert_int_ne(keyring_of(name), 0);
        take(name, rows[i].length);
        ck_assert_int_eq(keyring_of(name), 0);
        take_fails(name, -ENOENT);
        wait_until_gone(name);
    }
    /* And nothing of it was ever a file. */
    ck_assert_int_lt(access(runtime, F_OK), 0);
}
END_TEST

START_TEST(test_stash_replaces_what_was_there)
{
    struct bytes got = BYTES_EMPTY;
    struct span content = content_of(5);
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    put(5, name);
    ck_assert_int_eq(bytes_copy(&got, span_from_text("something else")), 0);
    ck_assert_int_eq(stash_take(runtime, name, &got), 0);
    ck_assert(span_equal(bytes_span(&got), content));
    bytes_free(&got);
    content_free(content);
}
END_TEST

START_TEST(test_stash_names_are_all_different)
{
    char one[STASH_NAME_SIZE];
    char two[STASH_NAME_SIZE];

    NEEDS_KEYS();
    put(3, one);
    put(3, two);
    ck_assert_str_ne(one, two);
    take(two, 3);
    take(one, 3);
}
END_TEST

START_TEST(test_stash_of_nothing_or_too_much_or_no_time_is_refused)
{
    struct span much = content_of(BYTES_MAX + 1);
    const struct span some = {.data = much.data, .length = 1};
    char name[STASH_NAME_SIZE] = "untouched";

    ck_assert_int_eq(
        stash_put(runtime, (struct span){.length = 0}, LIFETIME_S, name),
        -EMSGSIZE);
    ck_assert_int_eq(stash_put(runtime, much, LIFETIME_S, name), -EMSGSIZE);
    ck_assert_int_eq(stash_put(runtime, some, 0, name), -EINVAL);
    ck_assert_int_eq(stash_put(runtime, some, -1, name), -EINVAL);
    ck_assert_int_eq(stash_put(runtime, some, (int64_t)1 << 32, name), -EINVAL);
    ck_assert_str_eq(name, "untouched");
    ck_assert_int_lt(access(runtime, F_OK), 0);
    content_free(much);
}
END_TEST

START_TEST(test_stash_that_is_dropped_is_gone)
{
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    put(100000, name);
    stash_drop(runtime, name);
    ck_assert_int_eq(keyring_of(name), 0);
    take_fails(name, -ENOENT);
    stash_drop(runtime, name);
    wait_until_gone(name);
}
END_TEST

START_TEST(test_stash_names_that_are_none_are_refused)
{
    static const char *const names[] = {
        "",
        "k",
        "k1",
        "k1-",
        "x1-" DIGITS,
        "K1-" DIGITS,
        "1-" DIGITS,
        "k-" DIGITS,
        "k0-" DIGITS,
        "k01-" DIGITS,
        "k+1-" DIGITS,
        "k-1-" DIGITS,
        "k 1-" DIGITS,
        " k1-" DIGITS,
        "k1 -" DIGITS,
        "k1_" DIGITS,
        "k1-" DIGITS "0",
        "k1-" DIGITS "\n",
        "k1-0123456789abcdef0123456789abcde",
        "k1-0123456789ABCDEF0123456789abcdef",
        "k1-0123456789abcdeg0123456789abcdef",
        "k130-" DIGITS,
        "k4294967297-" DIGITS,
        "k18446744073709551617-" DIGITS,
        "k99999999999999999999999-" DIGITS,
        "f" DIGITS,
        "f1-" DIGITS,
        "f00-" DIGITS,
        "f0-../../../../../../../../etc/pass",
        "f0-/etc/passwd",
        "f0-.",
        "f0-",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        take_fails(names[i], -EBADMSG);
        stash_drop(runtime, names[i]);
    }
    take_fails("k1-" DIGITS, -ENOENT);
    take_fails("k129-" DIGITS, -ENOENT);
    take_fails("f0-" DIGITS, -ENOENT);
    stash_drop(runtime, "k1-" DIGITS);
    stash_drop(runtime, "f0-" DIGITS);
    ck_assert_int_lt(access(runtime, F_OK), 0);
}
END_TEST

/* Another count of keys is another stash, not a part of this one. */
START_TEST(test_stash_name_with_another_count_finds_nothing)
{
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    put(KEY_MAX + 1, name);
    ck_assert_int_eq(name[1], '2');
    name[1] = '1';
    take_fails(name, -ENOENT);
    name[1] = '3';
    take_fails(name, -ENOENT);
    name[1] = '2';
    take(name, KEY_MAX + 1);
}
END_TEST

/* Who still has it otherwise has nothing: it is revoked. */
static void
check_revoked(const char *name, void (*end)(const char *name))
{
    int32_t keyring = keyring_of(name);
    char text[256];

    ck_assert_int_eq(keyctl(KEYCTL_LINK, keyring, KEY_SPEC_PROCESS_KEYRING, 0),
                     0);
    ck_assert_int_ge(keyctl(KEYCTL_DESCRIBE, keyring, (long)text, sizeof(text)),
                     0);
    end(name);
    ck_assert_int_lt(keyctl(KEYCTL_DESCRIBE, keyring, (long)text, sizeof(text)),
                     0);
    ck_assert_int_eq(errno, EKEYREVOKED);
}

static void
take_ten(const char *name)
{
    take(name, 10);
}

static void
drop(const char *name)
{
    stash_drop(runtime, name);
}

START_TEST(test_stash_that_was_taken_or_dropped_is_revoked)
{
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    put(10, name);
    check_revoked(name, take_ten);
    put(10, name);
    check_revoked(name, drop);
}
END_TEST

struct race {
    char name[STASH_NAME_SIZE];
    atomic_uint go;
    atomic_uint have;
    atomic_uint have_not;
};

static int
take_at_once(void *data)
{
    struct race *race = data;
    struct bytes got = BYTES_EMPTY;
    int status = 0;

    while (atomic_load(&race->go) == 0) {
    }
    status = stash_take(runtime, race->name, &got);
    if (status == 0 && got.length == 70000) {
        atomic_fetch_add(&race->have, 1);
    } else if (status == -ENOENT && got.length == 0) {
        atomic_fetch_add(&race->have_not, 1);
    } else {
        (void)fprintf(stderr, "%s: %d\n", race->name, status);
        return 1;
    }
    bytes_free(&got);
    return 0;
}

/* Of three who take one name one has it. */
static void
check_races(char kind)
{
    for (int i = 0; i < 60; i++) {
        struct race *race = shared_memory(sizeof(*race));
        pid_t pids[3];

        put_for(70000, LIFETIME_S, kind, race->name);
        for (size_t j = 0; j < COUNT(pids); j++) {
            pids[j] = shared_start(0, take_at_once, race);
        }
        atomic_store(&race->go, 1);
        for (size_t j = 0; j < COUNT(pids); j++) {
            ck_assert_int_eq(shared_end(pids[j]), 0);
        }
        ck_assert_uint_eq(race->have, 1);
        ck_assert_uint_eq(race->have_not, 2);
    }
}

START_TEST(test_stash_of_several_is_ones)
{
    NEEDS_KEYS();
    check_races('k');
}
END_TEST

/* Going away. */

START_TEST(test_stash_is_void_after_its_time)
{
    struct deadline since = deadline_in(20000);
    char name[STASH_NAME_SIZE];
    int32_t keyring = 0;
    char text[256];

    NEEDS_KEYS();
    put_for(40000, 1, 'k', name);
    keyring = keyring_of(name);
    ck_assert_int_ne(keyring, 0);
    while (keyctl(KEYCTL_DESCRIBE, keyring, (long)text, sizeof(text)) >= 0) {
        ck_assert_int_gt(deadline_left_ms(&since), 0);
        (void)sched_yield();
    }
    ck_assert_int_le(deadline_left_ms(&since), 20000 - 900);
    take_fails(name, -ENOENT);
}
END_TEST

/* How /proc/keys shows the time that the key SERIAL has left. */
static const char *
time_left(int32_t serial)
{
    static char expiry[16];
    char text[16];
    const char *line = NULL;

    (void)snprintf(text, sizeof(text), "%08x", serial);
    line = proc_keys_line(text);
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "%*s %*s %*s %15s", expiry), 1);
    return expiry;
}

/* Every key of it, and its keyring, has an end and an owner; so many keys with
 * these PERMISSIONS. */
static void
check_keys_with(const char *name, size_t count, uint32_t permissions)
{
    static struct keys_key keys[512];
    size_t length = keys_list(0, KEYS_USER, keys, COUNT(keys));
    int32_t keyring = keyring_of(name);
    size_t parts = 0;

    ck_assert_int_ne(keyring, 0);
    for (size_t i = 0; i < length; i++) {
        if (keys[i].serial != keyring && keys[i].parent != keyring) {
            continue;
        }
        parts += keys[i].parent == keyring;
        ck_assert_uint_eq(keys[i].uid, 0);
        ck_assert_uint_eq(keys[i].permissions,
                          keys[i].serial == keyring ? 0x003f0000 : permissions);
        ck_assert_str_eq(keys[i].type,
                         keys[i].serial == keyring ? "keyring" : "user");
        ck_assert_str_ne(time_left(keys[i].serial), "perm");
    }
    ck_assert_uint_eq(parts, count);
}

static void
check_keys(const char *name, size_t count)
{
    check_keys_with(name, count, 0x000b0000);
}

/* What is prepared: a key that only root may write to. */
static void
check_empty_keys(const char *name)
{
    check_keys_with(name, 1, 0x002f0000);
}

START_TEST(test_stash_keys_are_roots_alone_and_have_an_end)
{
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    put(3 * KEY_MAX, name);
    check_keys(name, 3);
    take(name, 3 * KEY_MAX);
}
END_TEST

/* The host has no keyring that it had not before. */
START_TEST(test_stash_leaves_the_hosts_keyrings_alone)
{
    char name[STASH_NAME_SIZE];
    int32_t links[64];
    long session =
        keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0);
    long length = 0;

    NEEDS_KEYS();
    put(70000, name);
    take(name, 70000);
    put(70000, name);
    ck_assert_int_lt(
        keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0, 0), 0);
    ck_assert_int_lt(
        keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0, 0), 0);
    ck_assert_int_eq(
        keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0), session);
    length = keyctl(KEYCTL_READ, KEY_SPEC_SESSION_KEYRING, (long)links,
                    sizeof(links));
    for (long i = 0; i < length / (long)sizeof(links[0]); i++) {
        ck_assert_int_ne(links[i], keyring_of(name));
    }
    stash_drop(runtime, name);
}
END_TEST

/* Puts in a process that is killed before its call number DATA. */
struct killing {
    unsigned int before;
    char keyring[KEYRING_SIZE]; /* the one that it has begun */
    char name[STASH_NAME_SIZE];
    atomic_uint calls;
    bool of_files;
};

static int
put_and_die(void *data)
{
    struct killing *killing = data;
    struct span content = content_of(70000);

    trap.left = killing->before;
    trap.error = 0;
    trap.calls = &killing->calls;
    trap.keyring = killing->keyring;
    traps_files = killing->of_files;
    return stash_put(runtime, content, 2, killing->name) == 0 ? 0 : 1;
}

/* Whether root's keyring has one that is called so. */
static bool
is_linked(const char *description)
{
    ck_assert_int_eq(strncmp(description, PREFIX, strlen(PREFIX)), 0);
    return keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)"keyring",
                  (long)description) >= 0;
}

/* Also those that only the dead had go, a little later. */
static void
check_nothing_is_left(const char *description)
{
    struct deadline deadline = deadline_in(20000);

    ck_assert(!is_linked(description));
    while (proc_keys_line(description) != NULL) {
        ck_assert_msg(deadline_left_ms(&deadline) > 0, "%s stays", description);
        (void)sched_yield();
    }
}

START_TEST(test_stash_put_that_is_killed_leaves_nothing)
{
    int status = -1;
    unsigned int kills = 0;

    NEEDS_KEYS();
    /* A keyring, its time and right; three keys, theirs; the link. */
    for (unsigned int at = 1; status != 0; at++) {
        struct killing *killing = shared_memory(sizeof(*killing));

        killing->before = at;
        status = shared_end(shared_start(0, put_and_die, killing));
        ck_assert_msg(status == -1 || status == 0, "status %d", status);
        if (status == -1) {
            kills++;
            check_nothing_is_left(killing->keyring);
        } else {
            ck_assert_uint_eq(atomic_load(&killing->calls), at - 1);
            take(killing->name, 70000);
        }
        ck_assert_uint_lt(at, 100);
    }
    ck_assert_uint_eq(kills, 1 + 2 + 3 * 3 + 1);
}
END_TEST

struct taking {
    char name[STASH_NAME_SIZE];
    unsigned int before;
};

static int
take_and_die(void *data)
{
    const struct taking *taking = data;
    struct bytes got = BYTES_EMPTY;

    trap.left = taking->before;
    trap.error = 0;
    return stash_take(runtime, taking->name, &got) == 0 ? 0 : 1;
}

/* It is there as a whole, or it is nobody's any more and goes by its time. */
START_TEST(test_stash_take_that_is_killed_leaves_all_or_nothing)
{
    int status = -1;
    unsigned int whole = 0;
    unsigned int gone = 0;

    NEEDS_KEYS();
    for (unsigned int at = 1; status != 0; at++) {
        struct taking *taking = shared_memory(sizeof(*taking));
        struct bytes got = BYTES_EMPTY;
        int taken = 0;

        put(70000, taking->name);
        taking->before = at;
        status = shared_end(shared_start(0, take_and_die, taking));
        ck_assert_msg(status == -1 || status == 0, "status %d", status);
        taken = stash_take(runtime, taking->name, &got);
        if (taken == 0) {
            ck_assert_uint_eq(got.length, 70000);
            whole++;
        } else {
            ck_assert_int_eq(taken, -ENOENT);
            gone++;
        }
        if (taken != 0 && keyring_of(taking->name) != 0) {
            check_keys(taking->name, 3);
        }
        stash_drop(runtime, taking->name);
        bytes_free(&got);
        ck_assert_uint_lt(at, 100);
    }
    /* Nothing is lost before it is claimed. */
    ck_assert_uint_ge(whole, 3);
    ck_assert_uint_ge(gone, 5);
}
END_TEST

/* Prepared, and filled later. */

/* Serial numbers for who is not root. */
struct prize {
    char name[STASH_NAME_SIZE];
    char description[128];
    int32_t user_keyring;
    int32_t keyring;
    int32_t part;
};

static struct prize *
prize_of(const char *name)
{
    struct prize *prize = shared_memory(sizeof(*prize));
    int32_t parts[8];

    (void)snprintf(prize->name, sizeof(prize->name), "%s", name);
    (void)snprintf(prize->description, sizeof(prize->description), "%s",
                   description_of(prize->name));
    prize->user_keyring =
        (int32_t)keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0, 0);
    prize->keyring = keyring_of(prize->name);
    ck_assert_int_ne(prize->keyring, 0);
    ck_assert_int_eq(
        keyctl(KEYCTL_READ, prize->keyring, (long)parts, sizeof(parts)),
        (long)sizeof(parts[0]));
    prize->part = parts[0];
    return prize;
}

START_TEST(test_stash_that_is_prepared_comes_back_once)
{
    const size_t lengths[] = {1, 1000, (size_t)sysconf(_SC_PAGESIZE)};

    NEEDS_KEYS();
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char name[STASH_NAME_SIZE];

        prepare(name);
        check_empty_keys(name);
        ck_assert_int_eq(fill(name, lengths[i]), 0);
        check_keys(name, 1);
        take(name, lengths[i]);
        take_fails(name, -ENOENT);
        wait_until_gone(name);
    }
}
END_TEST

/* Not that of its preparation, which was more than a day. */
START_TEST(test_stash_has_the_time_that_it_is_filled_for)
{
    char name[STASH_NAME_SIZE];
    const struct prize *prize = NULL;

    NEEDS_KEYS();
    prepare(name);
    prize = prize_of(name);
    ck_assert_ptr_nonnull(strchr(time_left(prize->keyring), 'd'));
    ck_assert_ptr_nonnull(strchr(time_left(prize->part), 'd'));
    ck_assert_int_eq(fill(name, 5), 0);
    ck_assert_ptr_nonnull(strpbrk(time_left(prize->keyring), "ms"));
    ck_assert_ptr_nonnull(strpbrk(time_left(prize->part), "ms"));
    take(name, 5);
}
END_TEST

START_TEST(test_stash_that_is_only_prepared_has_nothing)
{
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    prepare(name);
    take_fails(name, -EPERM);
    ck_assert_int_eq(keyring_of(name), 0);
    prepare(name);
    stash_drop(runtime, name);
    ck_assert_int_eq(keyring_of(name), 0);
    wait_until_gone(name);
}
END_TEST

START_TEST(test_stash_that_cannot_be_filled_is_gone)
{
    const struct span content = span_from_text("content");
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    prepare(name);
    ck_assert_int_eq(fill(name, (size_t)sysconf(_SC_PAGESIZE) + 1), -EMSGSIZE);
    ck_assert_int_eq(keyring_of(name), 0);
    ck_assert_int_eq(fill(name, 5), -ENOENT);
    prepare(name);
    ck_assert_int_eq(stash_fill(name, (struct span){0}, 5), -EMSGSIZE);
    ck_assert_int_eq(keyring_of(name), 0);
    prepare(name);
    ck_assert_int_eq(stash_fill(name, content, 0), -EINVAL);
    ck_assert_int_eq(keyring_of(name), 0);
    /* One that is full is nobody's to change. */
    put(5, name);
    ck_assert_int_eq(fill(name, 6), -EPERM);
    ck_assert_int_eq(keyring_of(name), 0);
    ck_assert_int_eq(fill("k1-" DIGITS, 5), -ENOENT);
    ck_assert_int_eq(fill("f0-" DIGITS, 5), -ENOENT);
    ck_assert_int_eq(fill("nonsense", 5), -ENOENT);
    ck_assert_int_eq(stash_prepare(0, name), -EINVAL);
    ck_assert_int_eq(stash_prepare((int64_t)INT32_MAX + 1, name), -EINVAL);
}
END_TEST

struct filling {
    char name[STASH_NAME_SIZE];
    unsigned int before;
    int error;
    atomic_uint calls;
};

/* Fills, and at one call fails, or dies. */
static int
fill_and_fail(void *data)
{
    struct filling *filling = data;

    trap.left = filling->before;
    trap.error = filling->error;
    trap.calls = &filling->calls;
    return fill(filling->name, 1000) == 0 ? 0 : 1;
}

/* All or nothing, of which the rest goes by its time. */
START_TEST(test_stash_fill_that_is_killed_leaves_all_or_nothing)
{
    unsigned int kills = 0;
    int status = -1;

    NEEDS_KEYS();
    for (unsigned int at = 1; status != 0; at++) {
        struct filling *filling = shared_memory(sizeof(*filling));
        struct bytes got = BYTES_EMPTY;

        filling->before = at;
        prepare(filling->name);
        status = shared_end(shared_start(0, fill_and_fail, filling));
        ck_assert_msg(status == -1 || status == 0, "status %d", status);
        kills += status == -1;
        ck_assert_str_ne(time_left(keyring_of(filling->name)), "perm");
        if (stash_take(runtime, filling->name, &got) == 0) {
            ck_assert_uint_eq(got.length, 1000);
        } else {
            ck_assert_int_eq(status, -1);
        }
        bytes_free(&got);
        ck_assert_int_eq(keyring_of(filling->name), 0);
        ck_assert_uint_lt(at, 100);
    }
    /* Twice a key that is sought and judged; content, time, right; the time of
     * the keyring. */
    ck_assert_uint_eq(kills, 2 * 2 + 3 + 1);
}
END_TEST

START_TEST(test_stash_fill_that_fails_leaves_nothing)
{
    unsigned int failures = 0;
    int status = 1;

    NEEDS_KEYS();
    /* Of a keyring that is not found nothing can be taken away. */
    for (unsigned int at = 3; status != 0; at++) {
        struct filling *filling = shared_memory(sizeof(*filling));

        filling->before = at;
        filling->error = EPERM;
        prepare(filling->name);
        status = shared_end(shared_start(0, fill_and_fail, filling));
        ck_assert_msg(status == 1 || status == 0, "status %d", status);
        failures += status == 1;
        if (status == 0) {
            take(filling->name, 1000);
        }
        ck_assert_int_eq(keyring_of(filling->name), 0);
        ck_assert_uint_lt(at, 100);
    }
    ck_assert_uint_eq(failures, 2 + 3 + 1);
}
END_TEST

/* Others. */

/* What a keyctl is expected to refuse; the number of the first that is not. */
static int
try_everything(void *data)
{
    const struct prize *prize = data;
    char text[512];
    struct bytes got = BYTES_EMPTY;
    const int32_t keys[] = {prize->keyring, prize->part};
    const int32_t anchors[] = {prize->user_keyring,
                               KEY_SPEC_SESSION_KEYRING,
                               KEY_SPEC_USER_KEYRING,
                               KEY_SPEC_THREAD_KEYRING,
                               KEY_SPEC_PROCESS_KEYRING,
                               KEY_SPEC_USER_SESSION_KEYRING,
                               prize->keyring};

    for (int i = 0; i < 2; i++) {
        int base = 10 + 30 * i;

        if (keyctl(KEYCTL_READ, keys[i], (long)text, sizeof(text)) >= 0) {
            return base;
        }
        if (keyctl(KEYCTL_DESCRIBE, keys[i], (long)text, sizeof(text)) >= 0) {
            return base + 1;
        }
        if (keyctl(KEYCTL_LINK, keys[i], KEY_SPEC_USER_KEYRING, 0) >= 0 ||
            keyctl(KEYCTL_LINK, keys[i], KEY_SPEC_THREAD_KEYRING, 0) >= 0) {
            return base + 2;
        }
        if (keyctl(KEYCTL_SETPERM, keys[i], 0x3f3f3f3f, 0) >= 0 ||
            keyctl(KEYCTL_CHOWN, keys[i], (long)getuid(), -1) >= 0) {
            return base + 3;
        }
        if (keyctl(KEYCTL_REVOKE, keys[i], 0, 0) >= 0 ||
            keyctl(KEYCTL_INVALIDATE, keys[i], 0, 0) >= 0 ||
            keyctl(KEYCTL_SET_TIMEOUT, keys[i], 1, 0) >= 0 ||
            keyctl(KEYCTL_UPDATE, keys[i], (long)"x", 1) >= 0 ||
            keyctl(KEYCTL_RESTRICT_KEYRING, keys[i], 0, 0) >= 0) {
            return base + 4;
        }
        if (keyctl(KEYCTL_UNLINK, prize->part, prize->keyring, 0) >= 0 ||
            keyctl(KEYCTL_CLEAR, prize->keyring, 0, 0) >= 0) {
            return base + 5;
        }
    }
    for (size_t i = 0; i < COUNT(anchors); i++) {
        if (keyctl(KEYCTL_SEARCH, anchors[i], (long)"keyring",
                   (long)prize->description) >= 0) {
            return 70 + (int)i;
        }
        if (keyctl(KEYCTL_SEARCH, anchors[i], (long)"user", (long)"0") >= 0) {
            return 80 + (int)i;
        }
    }
    if (syscall(SYS_request_key, "keyring", prize->description, NULL, 0L) >=
            0 ||
        syscall(SYS_request_key, "user", "0", NULL, 0L) >= 0) {
        return 92;
    }
    if (stash_take(runtime, prize->name, &got) != -ENOENT) {
        return 93;
    }
    stash_drop(runtime, prize->name);
    return 0;
}

static struct prize *
prize_new(void)
{
    char name[STASH_NAME_SIZE];

    put(1000, name);
    return prize_of(name);
}

/* UID has none of it, and it is there afterwards. */
static void
check_out_of_reach(uid_t uid)
{
    struct prize *prize = prize_new();
    char name[STASH_NAME_SIZE];

    ck_assert_int_eq(shared_end(shared_start(uid, try_everything, prize)), 0);
    check_keys(prize->name, 1);
    take(prize->name, 1000);

    /* Nor of one that is prepared, before or after it is filled. */
    prepare(name);
    prize = prize_of(name);
    ck_assert_int_eq(shared_end(shared_start(uid, try_everything, prize)), 0);
    check_empty_keys(name);
    ck_assert_int_eq(fill(name, 1000), 0);
    ck_assert_int_eq(shared_end(shared_start(uid, try_everything, prize)), 0);
    check_keys(name, 1);
    take(name, 1000);
}

START_TEST(test_stash_is_out_of_others_reach)
{
    NEEDS_KEYS();
    check_out_of_reach(suite_uid("alice"));
    check_out_of_reach(suite_uid("_pam_krb5cc"));
}
END_TEST

/* As where no pam_keyinit has been: he possesses what root's session has. */
START_TEST(test_stash_is_out_of_reach_of_who_inherits_the_session_keyring)
{
    NEEDS_KEYS();
    keys_join_session(0);
    ck_assert_int_eq(
        keyctl(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING, 0),
        0);
    /* He is given as much as there can be. */
    ck_assert_int_eq(
        keyctl(KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, 0x3f3f3f3f, 0), 0);
    check_out_of_reach(suite_uid("alice"));
}
END_TEST

START_TEST(test_stash_is_out_of_reach_in_a_session_made_after_it)
{
    struct prize *prize = NULL;

    NEEDS_KEYS();
    prize = prize_new();
    keys_join_session(0);
    ck_assert_int_eq(
        keyctl(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING, 0),
        0);
    ck_assert_int_eq(
        shared_end(shared_start(suite_uid("alice"), try_everything, prize)), 0);
    take(prize->name, 1000);
}
END_TEST

/* As su runs: root's power, the user's name.  Root's keyring is not his. */
static int
take_as_su(void *data)
{
    const struct prize *prize = data;
    struct bytes got = BYTES_EMPTY;
    uid_t alice = suite_uid("alice");

    if (setresuid(alice, 0, 0) < 0) {
        return 2;
    }
    return stash_take(runtime, prize->name, &got) == -ENOENT ? 0 : 1;
}

START_TEST(test_stash_is_not_found_by_who_is_a_user_in_name)
{
    struct prize *prize = NULL;

    NEEDS_KEYS();
    prize = prize_new();
    ck_assert_int_eq(shared_end(shared_start(0, take_as_su, prize)), 0);
    take(prize->name, 1000);
}
END_TEST

/* Plants, in root's keyring, a keyring called as that of NAME. */
static int32_t
plant_keyring(const char *name, uint32_t permissions)
{
    long keyring = syscall(SYS_add_key, "keyring", description_of(name), NULL,
                           0L, (long)KEY_SPEC_USER_KEYRING);

    ck_assert_int_ge(keyring, 0);
    ck_assert_int_eq(keyctl(KEYCTL_SET_TIMEOUT, keyring, 30, 0), 0);
    ck_assert_int_eq(keyctl(KEYCTL_SETPERM, keyring, permissions, 0), 0);
    return (int32_t)keyring;
}

static void
plant_part(int32_t keyring, const char *type, uint32_t permissions)
{
    long key =
        syscall(SYS_add_key, type, strcmp(type, "user") == 0 ? "0" : "0:", "x",
                1L, (long)keyring);

    ck_assert_msg(key >= 0, "%s: %s", type, strerror(errno));
    ck_assert_int_eq(keyctl(KEYCTL_SETPERM, key, permissions, 0), 0);
}

static void
unplant(int32_t keyring)
{
    ck_assert_int_eq(keyctl(KEYCTL_UNLINK, keyring, KEY_SPEC_USER_KEYRING, 0),
                     0);
}

/* A name that nobody has. */
static void
draw_name(char name[STASH_NAME_SIZE])
{
    put(1, name);
    stash_drop(runtime, name);
}

START_TEST(test_stash_keyring_that_others_may_use_is_refused)
{
    static const uint32_t permissions[] = {0x3f3f0000, 0x013f0000, 0x003f0001,
                                           0x003f0100, 0x3f3f3f3f, 0x001f0000};
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    draw_name(name);
    for (size_t i = 0; i < COUNT(permissions); i++) {
        int32_t keyring = plant_keyring(name, 0x3f3f0000);

        plant_part(keyring, "user", 0x000b0000);
        ck_assert_int_eq(keyctl(KEYCTL_SETPERM, keyring, permissions[i], 0), 0);
        take_fails(name, -EPERM);
        stash_drop(runtime, name);
        /* It is not ours: it is left alone. */
        ck_assert_int_eq(keyring_of(name), keyring);
        unplant(keyring);
    }
}
END_TEST

START_TEST(test_stash_keyring_of_another_is_refused)
{
    static const uint32_t permissions[] = {0x003f0000, 0x003f003f};
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    draw_name(name);
    for (size_t i = 0; i < COUNT(permissions); i++) {
        int32_t keyring = plant_keyring(name, 0x3f3f003f);
        struct bytes got = BYTES_EMPTY;

        plant_part(keyring, "user", 0x000b000b);
        ck_assert_int_eq(
            keyctl(KEYCTL_CHOWN, keyring, (long)suite_uid("alice"), -1), 0);
        (void)keyctl(KEYCTL_SETPERM, keyring, permissions[i], 0);
        /* One that root may not even look at is not found. */
        ck_assert_int_lt(stash_take(runtime, name, &got), 0);
        ck_assert_uint_eq(got.length, 0);
        unplant(keyring);
    }
}
END_TEST

START_TEST(test_stash_key_of_another_type_is_not_found)
{
    char name[STASH_NAME_SIZE];
    long key = 0;

    NEEDS_KEYS();
    draw_name(name);
    key = syscall(SYS_add_key, "user", description_of(name), "x", 1L,
                  (long)KEY_SPEC_USER_KEYRING);
    ck_assert_int_ge(key, 0);
    take_fails(name, -ENOENT);
    unplant((int32_t)key);
}
END_TEST

START_TEST(test_stash_with_a_part_that_is_none_is_refused)
{
    char name[STASH_NAME_SIZE];

    NEEDS_KEYS();
    draw_name(name);
    plant_part(plant_keyring(name, 0x003f0000), "user", 0x3f3f0000);
    take_fails(name, -EPERM);
    ck_assert_int_eq(keyring_of(name), 0);
    plant_part(plant_keyring(name, 0x003f0000), "user", 0x000b0001);
    take_fails(name, -EPERM);
    plant_part(plant_keyring(name, 0x003f0000), "logon", 0x000b0000);
    take_fails(name, -EBADMSG);
    (void)plant_keyring(name, 0x003f0000);
    take_fails(name, -EBADMSG);
    ck_assert_int_eq(keyring_of(name), 0);
    /* With one that is whole, to see that it is that which counts. */
    plant_part(plant_keyring(name, 0x003f0000), "user", 0x000b0000);
    {
        struct bytes got = BYTES_EMPTY;

        ck_assert_int_eq(stash_take(runtime, name, &got), 0);
        ck_assert_uint_eq(got.length, 1);
        bytes_free(&got);
    }
}
END_TEST

START_TEST(test_stash_without_one_of_its_keys_is_refused)
{
    char name[STASH_NAME_SIZE];
    int32_t parts[3];

    NEEDS_KEYS();
    for (size_t i = 0; i < COUNT(parts); i++) {
        int32_t keyring = 0;

        put(70000, name);
        keyring = keyring_of(name);
        ck_assert_int_eq(
            keyctl(KEYCTL_READ, keyring, (long)parts, sizeof(parts)),
            (long)sizeof(parts));
        ck_assert_int_eq(keyctl(KEYCTL_UNLINK, parts[i], keyring, 0), 0);
        take_fails(name, -EBADMSG);
        ck_assert_int_eq(keyring_of(name), 0);
    }
}
END_TEST

/* Files. */

/* From now on the kernel has no keys for this test: ERROR. */
static void
deny_keys(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K,
                 SECCOMP_RET_ERRNO | ((unsigned int)error & SECCOMP_RET_DATA)),
    };
    const struct sock_fprog program = {.len = COUNT(code), .filter = code};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    ck_assert_int_lt(keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0, 0),
                     0);
    ck_assert_int_eq(errno, error);
}

#define NEEDS_NO_KEYS(error)                                                   \
    SKIP_UNLESS(geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL,         \
                "needs root and tests/in-namespace");                          \
    deny_keys(error)

/* Where the file of NAME is; static storage. */
static const char *
file_of(const char *name)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/stash/%s", runtime,
                   strchr(name, '-') + 1);
    return path;
}

static bool
has_file(const char *name)
{
    struct stat status;

    return lstat(file_of(name), &status) == 0;
}

static size_t
count_files(void)
{
    char *path = suite_path(runtime, "stash");
    DIR *list = opendir(path);
    size_t count = 0;

    ck_assert_msg(list != NULL, "%s: %s", path, strerror(errno));
    while (readdir(list) != NULL) {
        count++;
    }
    ck_assert_int_eq(closedir(list), 0);
    free(path);
    return count - 2;
}

static void
check_files(int error)
{
    static const size_t lengths[] = {1,       KEY_MAX,       KEY_MAX + 1,
                                     1 << 20, BYTES_MAX - 1, BYTES_MAX};

    deny_keys(error);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char name[STASH_NAME_SIZE];
        struct stat status;

        put_for(lengths[i], LIFETIME_S, 'f', name);
        ck_assert_int_eq(strncmp(name, "f0-", 3), 0);
        ck_assert_uint_eq(strlen(name), 3 + 32);
        ck_assert_int_eq(lstat(file_of(name), &status), 0);
        ck_assert(S_ISREG(status.st_mode));
        ck_assert_uint_eq(status.st_mode & 07777, 0600);
        ck_assert_uint_eq(status.st_uid, 0);
        take(name, lengths[i]);
        ck_assert(!has_file(name));
        take_fails(name, -ENOENT);
    }
    ck_assert_uint_eq(count_files(), 0);
}

START_TEST(test_stash_file_is_where_keys_are_forbidden)
{
    check_files(EPERM);
}
END_TEST

START_TEST(test_stash_file_is_where_keys_are_not_known)
{
    check_files(ENOSYS);
}
END_TEST

/* Wherever the keys give out, it is a file, and no key stays. */
START_TEST(test_stash_file_is_where_keys_give_out)
{
    static char keyring[KEYRING_SIZE];
    bool was_trapped = true;
    unsigned int files = 0;

    NEEDS_KEYS();
    trap.keyring = keyring;
    for (unsigned int at = 1; was_trapped; at++) {
        char name[STASH_NAME_SIZE];
        struct span content = content_of(70000);

        trap.left = at;
        trap.error = EDQUOT;
        ck_assert_int_eq(stash_put(runtime, content, LIFETIME_S, name), 0);
        was_trapped = trap.left == 0;
        trap.left = 0;
        ck_assert_int_eq(name[0], was_trapped ? 'f' : 'k');
        files += was_trapped;
        if (was_trapped) {
            check_nothing_is_left(keyring);
            ck_assert_uint_eq(count_files(), 1);
        }
        take(name, 70000);
        content_free(content);
    }
    ck_assert_uint_eq(files, 1 + 2 + 3 * 3 + 1);
    ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(test_stash_file_is_roots_alone_under_any_umask)
{
    char name[STASH_NAME_SIZE];
    struct stat status;
    mode_t before = 0;

    NEEDS_NO_KEYS(EPERM);
    before = umask(0777);
    put_for(10, LIFETIME_S, 'f', name);
    (void)umask(0);
    ck_assert_int_eq(lstat(file_of(name), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_int_eq(lstat(runtime, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0700);
    (void)umask(before);
    take(name, 10);
}
END_TEST

static void
wait_for_second(time_t second)
{
    while (time(NULL) < second) {
        (void)sched_yield();
    }
}

START_TEST(test_stash_file_is_void_after_its_time)
{
    char name[STASH_NAME_SIZE];
    char other[STASH_NAME_SIZE];
    time_t put_at = 0;

    NEEDS_NO_KEYS(EPERM);
    put_for(10, 1, 'f', name);
    put_at = time(NULL);
    put_for(10, LIFETIME_S, 'f', other);
    wait_for_second(put_at + 2);
    take_fails(name, -ENOENT);
    ck_assert(!has_file(name));
    take(other, 10);
}
END_TEST

START_TEST(test_stash_file_that_is_void_is_swept)
{
    char old[3][STASH_NAME_SIZE];
    char young[STASH_NAME_SIZE];
    time_t put_at = 0;

    ck_assert_uint_eq(stash_sweep(runtime), 0);
    NEEDS_NO_KEYS(EPERM);
    for (size_t i = 0; i < COUNT(old); i++) {
        put_for(10, 1, 'f', old[i]);
    }
    put_at = time(NULL);
    put_for(10, LIFETIME_S, 'f', young);
    wait_for_second(put_at + 2);
    ck_assert_uint_eq(stash_sweep(runtime), 3);
    ck_assert_uint_eq(stash_sweep(runtime), 0);
    ck_assert_uint_eq(count_files(), 1);
    take(young, 10);
    /* The next put sweeps too. */
    put_for(10, 1, 'f', old[0]);
    put_at = time(NULL);
    wait_for_second(put_at + 2);
    put_for(10, LIFETIME_S, 'f', young);
    ck_assert_uint_eq(count_files(), 1);
    take(young, 10);
}
END_TEST

START_TEST(test_stash_file_that_is_dropped_is_gone)
{
    char name[STASH_NAME_SIZE];

    NEEDS_NO_KEYS(EPERM);
    put_for(10, LIFETIME_S, 'f', name);
    stash_drop(runtime, name);
    ck_assert(!has_file(name));
    take_fails(name, -ENOENT);
    stash_drop(runtime, name);
}
END_TEST

START_TEST(test_stash_file_of_several_is_ones)
{
    NEEDS_NO_KEYS(EPERM);
    check_races('f');
}
END_TEST

/* What is not root's own, as it was found where a stash should be. */
static void
spoil(const char *path, int how)
{
    char *target = suite_path(directory, "target");

    (void)unlink(target);
    switch (how) {
    case 0: /* a link */
        ck_assert_int_eq(rename(path, target), 0);
        ck_assert_int_eq(symlink(target, path), 0);
        break;
    case 1: /* another name of something else */
        ck_assert_int_eq(link(path, target), 0);
        break;
    case 2:
        ck_assert_int_eq(chown(path, 54321, 0), 0);
        break;
    case 3:
        ck_assert_int_eq(chmod(path, 0640), 0);
        break;
    case 4:
        ck_assert_int_eq(chmod(path, 0602), 0);
        break;
    case 5:
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        break;
    default:
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(symlink("/dev/zero", path), 0);
        break;
    }
    free(target);
}

START_TEST(test_stash_file_that_is_not_roots_own_is_refused_and_gone)
{
    NEEDS_NO_KEYS(EPERM);
    for (int how = 0; how < 7; how++) {
        char name[STASH_NAME_SIZE];

        put_for(10, LIFETIME_S, 'f', name);
        spoil(file_of(name), how);
        take_fails(name, -EPERM);
        ck_assert(!has_file(name));
        put_for(10, LIFETIME_S, 'f', name);
        spoil(file_of(name), how);
        ck_assert_uint_eq(stash_sweep(runtime), 1);
        ck_assert(!has_file(name));
    }
    {
        char *target = suite_path(directory, "target");

        /* What a link or another name led to is still there. */
        ck_assert_int_lt(access(target, F_OK), 0);
        free(target);
    }
}
END_TEST

START_TEST(test_stash_file_never_leads_elsewhere)
{
    char *target = suite_path(directory, "target");

    NEEDS_NO_KEYS(EPERM);
    for (int how = 0; how < 2; how++) {
        char name[STASH_NAME_SIZE];
        struct stat status;

        put_for(10, LIFETIME_S, 'f', name);
        spoil(file_of(name), how);
        take_fails(name, -EPERM);
        ck_assert_int_eq(stat(target, &status), 0);
        ck_assert_int_eq(status.st_size, 18);
    }
    free(target);
}
END_TEST

START_TEST(test_stash_directory_in_its_place_is_refused)
{
    char name[STASH_NAME_SIZE];

    NEEDS_NO_KEYS(EPERM);
    put_for(10, LIFETIME_S, 'f', name);
    ck_assert_int_eq(unlink(file_of(name)), 0);
    ck_assert_int_eq(mkdir(file_of(name), 0700), 0);
    take_fails(name, -EPERM);
    ck_assert_uint_eq(stash_sweep(runtime), 0);
    ck_assert(has_file(name));
}
END_TEST

START_TEST(test_stash_file_that_is_not_whole_is_refused_and_gone)
{
    static const off_t lengths[] = {0, 1, 7, 8, 8 + BYTES_MAX + 1};

    NEEDS_NO_KEYS(EPERM);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char name[STASH_NAME_SIZE];

        put_for(10, LIFETIME_S, 'f', name);
        ck_assert_int_eq(truncate(file_of(name), lengths[i]), 0);
        take_fails(name, -EBADMSG);
        ck_assert(!has_file(name));
    }
}
END_TEST

START_TEST(test_stash_file_is_kept_by_a_sweep_without_descriptors)
{
    char name[STASH_NAME_SIZE];

    NEEDS_NO_KEYS(EPERM);
    put_for(10, LIFETIME_S, 'f', name);
    for (size_t left = 0; left < 6; left++) {
        unsigned int count = 0;

        sample_descriptors_left(left);
        count = stash_sweep(runtime);
        sample_descriptors_back();
        ck_assert_uint_eq(count, 0);
        ck_assert_msg(has_file(name), "with %zu", left);
    }
    /* A thread of the host has taken the last one in the middle of it. */
    withholds_files = true;
    ck_assert_uint_eq(stash_sweep(runtime), 0);
    withholds_files = false;
    take(name, 10);
}
END_TEST

/* Wherever it is killed, the next sweeps take it. */
START_TEST(test_stash_file_that_was_killed_in_the_writing_is_swept)
{
    int status = -1;
    unsigned int kills = 0;

    NEEDS_NO_KEYS(EPERM);
    for (unsigned int at = 1; status != 0; at++) {
        struct killing *killing = shared_memory(sizeof(*killing));

        killing->of_files = true;
        killing->before = at;
        status = shared_end(shared_start(0, put_and_die, killing));
        ck_assert_msg(status == -1 || status == 0, "status %d", status);
        kills += status == -1;
        ck_assert_uint_lt(at, 100);
    }
    ck_assert_uint_ge(kills, 4);
    {
        char *folder = suite_path(runtime, "stash");
        DIR *list = opendir(folder);
        const struct dirent *entry = NULL;

        ck_assert_ptr_nonnull(list);
        while ((entry = readdir(list)) != NULL) {
            const struct timespec old[2] = {{.tv_sec = time(NULL) - 700},
                                            {.tv_sec = time(NULL) - 700}};

            if (*entry->d_name != '.') {
                ck_assert_int_eq(utimensat(dirfd(list), entry->d_name, old, 0),
                                 0);
            }
        }
        ck_assert_int_eq(closedir(list), 0);
        free(folder);
    }
    wait_for_second(time(NULL) + 3);
    (void)stash_sweep(runtime);
    ck_assert_uint_eq(count_files(), 0);
}
END_TEST

/* One whose time is not in it yet may be one that is being written. */
START_TEST(test_stash_file_that_is_being_written_is_not_swept)
{
    char name[STASH_NAME_SIZE];

    NEEDS_NO_KEYS(EPERM);
    put_for(10, LIFETIME_S, 'f', name);
    ck_assert_int_eq(truncate(file_of(name), 0), 0);
    ck_assert_uint_eq(stash_sweep(runtime), 0);
    ck_assert(has_file(name));
}
END_TEST

static int
put_something(void)
{
    char name[STASH_NAME_SIZE] = "untouched";
    struct span content = content_of(20000);
    int status = stash_put(runtime, content, LIFETIME_S, name);

    ck_assert_str_eq(name, "untouched");
    content_free(content);
    return status;
}

START_TEST(test_stash_file_where_there_can_be_none_fails)
{
    struct rlimit before;
    struct rlimit limit;
    char name[STASH_NAME_SIZE] = "untouched";
    struct span content = content_of(100);
    int status = 0;

    NEEDS_NO_KEYS(EPERM);
    /* All of it, or nothing: a process's limit, a full disk. */
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 107;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    status = stash_put(runtime, content, LIFETIME_S, name);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(status, -EFBIG);
    ck_assert_uint_eq(count_files(), 0);
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    ck_assert_int_eq(mount("none", runtime, "tmpfs", 0, "mode=700,size=8k"), 0);
    ck_assert_int_eq(put_something(), -ENOSPC);
    ck_assert_uint_eq(count_files(), 0);
    ck_assert_int_eq(umount(runtime), 0);
    /* A place that others have a hand in. */
    ck_assert_int_eq(chmod(runtime, 0770), 0);
    ck_assert_int_eq(put_something(), -EPERM);
    take_fails("f0-" DIGITS, -EPERM);
    ck_assert_int_eq(chmod(runtime, 0700), 0);
    ck_assert_int_eq(chown(runtime, 54321, 0), 0);
    ck_assert_int_eq(put_something(), -EPERM);
    ck_assert_int_eq(chown(runtime, 0, 0), 0);
    {
        char *folder = suite_path(runtime, "stash");

        ck_assert_int_eq(rmdir(folder), 0);
        ck_assert_int_eq(symlink(directory, folder), 0);
        ck_assert_int_eq(put_something(), -ELOOP);
        ck_assert_uint_eq(stash_sweep(runtime), 0);
        free(folder);
    }
    content_free(content);
}
END_TEST

START_TEST(test_stash_file_without_descriptors_fails)
{
    int status = 0;
    char name[STASH_NAME_SIZE] = "untouched";
    struct span content = content_of(100);

    NEEDS_NO_KEYS(EPERM);
    for (size_t left = 0; left < 2; left++) {
        sample_descriptors_left(left);
        status = stash_put(runtime, content, LIFETIME_S, name);
        sample_descriptors_back();
        ck_assert_int_eq(status, -EMFILE);
    }
    ck_assert_str_eq(name, "untouched");
    content_free(content);
}
END_TEST

static TCase *
case_of(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    return tcase;
}

static void
add_round_trips(Suite *suite)
{
    TCase *tcase = case_of(suite, "round_trips");

    tcase_add_test(tcase, test_stash_comes_back_once);
    tcase_add_test(tcase, test_stash_replaces_what_was_there);
    tcase_add_test(tcase, test_stash_names_are_all_different);
    tcase_add_test(tcase,
                   test_stash_of_nothing_or_too_much_or_no_time_is_refused);
    tcase_add_test(tcase, test_stash_that_is_dropped_is_gone);
    tcase_add_test(tcase, test_stash_names_that_are_none_are_refused);
    tcase_add_test(tcase, test_stash_name_with_another_count_finds_nothing);
    tcase_add_test(tcase, test_stash_that_was_taken_or_dropped_is_revoked);
    tcase_add_test(tcase, test_stash_of_several_is_ones);
}

static void
add_ends(Suite *suite)
{
    TCase *tcase = case_of(suite, "ends");

    tcase_add_test(tcase, test_stash_is_void_after_its_time);
    tcase_add_test(tcase, test_stash_keys_are_roots_alone_and_have_an_end);
    tcase_add_test(tcase, test_stash_leaves_the_hosts_keyrings_alone);
    tcase_add_test(tcase, test_stash_put_that_is_killed_leaves_nothing);
    tcase_add_test(tcase, test_stash_take_that_is_killed_leaves_all_or_nothing);
}

static void
add_prepared(Suite *suite)
{
    TCase *tcase = case_of(suite, "prepared");

    tcase_add_test(tcase, test_stash_that_is_prepared_comes_back_once);
    tcase_add_test(tcase, test_stash_has_the_time_that_it_is_filled_for);
    tcase_add_test(tcase, test_stash_that_is_only_prepared_has_nothing);
    tcase_add_test(tcase, test_stash_that_cannot_be_filled_is_gone);
    tcase_add_test(tcase, test_stash_fill_that_is_killed_leaves_all_or_nothing);
    tcase_add_test(tcase, test_stash_fill_that_fails_leaves_nothing);
}

static void
add_others(Suite *suite)
{
    TCase *tcase = case_of(suite, "others");

    tcase_add_test(tcase, test_stash_is_out_of_others_reach);
    tcase_add_test(
        tcase, test_stash_is_out_of_reach_of_who_inherits_the_session_keyring);
    tcase_add_test(tcase,
                   test_stash_is_out_of_reach_in_a_session_made_after_it);
    tcase_add_test(tcase, test_stash_is_not_found_by_who_is_a_user_in_name);
    tcase_add_test(tcase, test_stash_keyring_that_others_may_use_is_refused);
    tcase_add_test(tcase, test_stash_keyring_of_another_is_refused);
    tcase_add_test(tcase, test_stash_key_of_another_type_is_not_found);
    tcase_add_test(tcase, test_stash_with_a_part_that_is_none_is_refused);
    tcase_add_test(tcase, test_stash_without_one_of_its_keys_is_refused);
}

static void
add_files(Suite *suite)
{
    TCase *tcase = case_of(suite, "files");

    tcase_add_test(tcase, test_stash_file_is_where_keys_are_forbidden);
    tcase_add_test(tcase, test_stash_file_is_where_keys_are_not_known);
    tcase_add_test(tcase, test_stash_file_is_where_keys_give_out);
    tcase_add_test(tcase, test_stash_file_is_roots_alone_under_any_umask);
    tcase_add_test(tcase, test_stash_file_is_void_after_its_time);
    tcase_add_test(tcase, test_stash_file_that_is_void_is_swept);
    tcase_add_test(tcase, test_stash_file_that_is_dropped_is_gone);
    tcase_add_test(tcase, test_stash_file_of_several_is_ones);
    tcase_add_test(tcase,
                   test_stash_file_that_is_not_roots_own_is_refused_and_gone);
    tcase_add_test(tcase, test_stash_file_never_leads_elsewhere);
    tcase_add_test(tcase, test_stash_directory_in_its_place_is_refused);
    tcase_add_test(tcase,
                   test_stash_file_that_is_not_whole_is_refused_and_gone);
    tcase_add_test(tcase,
                   test_stash_file_is_kept_by_a_sweep_without_descriptors);
    tcase_add_test(tcase,
                   test_stash_file_that_was_killed_in_the_writing_is_swept);
    tcase_add_test(tcase, test_stash_file_that_is_being_written_is_not_swept);
    tcase_add_test(tcase, test_stash_file_where_there_can_be_none_fails);
    tcase_add_test(tcase, test_stash_file_without_descriptors_fails);
}

int
main(void)
{
    Suite *suite = suite_create("stash");

    add_round_trips(suite);
    add_ends(suite);
    add_prepared(suite);
    add_others(suite);
    add_files(suite);
    return suite_main(suite);
}
