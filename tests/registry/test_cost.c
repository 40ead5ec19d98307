/*
 * What coming and going costs where 10, 1,000 and 10,000 sessions live: the
 * same.  Medians of rounds that take turns, in one run, as ratios to the first;
 * the figures are printed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "registry/registry.h"
#include "registry/sample.h"
#include "support/shared.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NEEDS_NAMESPACE()                                                      \
    SKIP_UNLESS(geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL,         \
                "needs root and tests/in-namespace")

enum { ROUNDS = 401, UID = 1000000 };

/* How much more it may be with a thousand times as many: 1.2 is meant. */
#define RATIO_MAX 1.6

static const int sizes[] = {10, 1000, 10000};

/* Of whom those sessions are, and what they hold. */
enum crowd { MANY_USERS, ONE_USER, ONE_CACHE, CROWDS };

static const char *const crowd_names[] = {
    [MANY_USERS] = "of many users",
    [ONE_USER] = "of one user",
    [ONE_CACHE] = "of one cache",
};

/* A registry with so many sessions, and what was measured in it. */
struct shop {
    char *state;
    struct registry registry;
    double join_us[ROUNDS];
    double leave_us[ROUNDS];
    double held_us[ROUNDS];
};

static struct shop shops[COUNT(sizes)];

static double
now_us(void)
{
    struct timespec now = {0, 0};

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return difference < 0 ? -1 : difference > 0;
}

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare);
    return values[count / 2];
}

/* Makes RECORD number NUMBER of CROWD. */
static void
shape(struct record *record, enum crowd crowd, int number)
{
    char cache[64];

    record->uid = crowd == MANY_USERS ? UID + number : UID;
    (void)snprintf(cache, sizeof(cache), "FILE:/tmp/krb5cc_%d",
                   crowd == ONE_CACHE ? 0 : number);
    free(record->cache);
    record->cache = strdup(cache);
    ck_assert_ptr_nonnull(record->cache);
}

static struct registry_key
join(const struct registry *registry, const struct record *record)
{
    struct registry_key key;
    int state_error = 0;

    ck_assert_int_eq(registry_join(registry, record, &key, &state_error), 0);
    ck_assert_int_eq(state_error, 0);
    return key;
}

static void
open_shop(struct shop *shop, const char *directory, int size, enum crowd crowd)
{
    struct record record = sample_live(UID, "x");
    char name[32];

    (void)snprintf(name, sizeof(name), "%d-%d", (int)crowd, size);
    shop->state = suite_path(directory, name);
    shop->registry = (struct registry){.state_dir = shop->state,
                                       .runtime_dir = "/missing/runtime"};
    for (int i = 0; i < size; i++) {
        shape(&record, crowd, i);
        (void)join(&shop->registry, &record);
    }
    record_free(&record);
}

static void
serve(struct shop *shop, int round, enum crowd crowd)
{
    struct record record = sample_live(UID, "x");
    struct registry_key key;
    double begin = 0;
    double joined = 0;
    double asked = 0;

    shape(&record, crowd, 1000000 + round);
    begin = now_us();
    key = join(&shop->registry, &record);
    joined = now_us();
    if (crowd == ONE_CACHE) {
        ck_assert_int_eq(registry_holders(&shop->registry, &key, &record, NULL),
                         1);
    }
    asked = now_us();
    ck_assert_int_eq(registry_leave(&shop->registry, &key), 0);
    shop->leave_us[round] = now_us() - asked;
    shop->join_us[round] = joined - begin;
    shop->held_us[round] = asked - joined;
    record_free(&record);
}

static void
show(const char *place, enum crowd crowd, const char *what,
     const double medians[COUNT(sizes)])
{
    (void)fprintf(stderr,
                  "# %s, %s: %s %.1f us, x%.2f with 1,000, x%.2f with 10,000\n",
                  place, crowd_names[crowd], what, medians[0],
                  medians[1] / medians[0], medians[2] / medians[0]);
}

/* Shows both, and asks that the last is as good as the first. */
static void
close_shops(const char *place, enum crowd crowd)
{
    double joins[COUNT(sizes)];
    double leaves[COUNT(sizes)];
    double helds[COUNT(sizes)];

    for (size_t i = 0; i < COUNT(sizes); i++) {
        joins[i] = median(shops[i].join_us, ROUNDS);
        leaves[i] = median(shops[i].leave_us, ROUNDS);
        helds[i] = median(shops[i].held_us, ROUNDS);
        free(shops[i].state);
    }
    show(place, crowd, "join", joins);
    show(place, crowd, "leave", leaves);
    if (crowd == ONE_CACHE) {
        show(place, crowd, "is held", helds);
    }
    if (strcmp(place, "tmpfs") != 0 && getenv("TEST_LONG") == NULL) {
        /* A disk that others use says more of them: it is only shown. */
        return;
    }
    for (size_t i = 1; i < COUNT(sizes); i++) {
        ck_assert_double_lt(joins[i] / joins[0], RATIO_MAX);
        ck_assert_double_lt(leaves[i] / leaves[0], RATIO_MAX);
    }
}

static void
compare_sizes(const char *place, const char *directory, enum crowd crowd)
{
    for (size_t i = 0; i < COUNT(sizes); i++) {
        open_shop(&shops[i], directory, sizes[i], crowd);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            /* Whose turn it is first changes, too. */
            serve(&shops[(i + (size_t)round) % COUNT(sizes)], round, crowd);
        }
    }
    close_shops(place, crowd);
}

START_TEST(test_cost_in_memory_is_the_same)
{
    char *directory = NULL;

    NEEDS_NAMESPACE();
    directory = suite_tmpdir();
    compare_sizes("tmpfs", directory, (enum crowd)_i);
    suite_remove_tree(directory);
}
END_TEST

START_TEST(test_cost_on_disk_is_the_same)
{
    char *directory = strdup("/var/tmp/pam_krb5cc-cost-XXXXXX");
    struct statfs status;

    NEEDS_NAMESPACE();
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(statfs(directory, &status), 0);
    ck_assert_int_ne(status.f_type, TMPFS_MAGIC);
    compare_sizes("disk", directory, (enum crowd)_i);
    suite_remove_tree(directory);
}
END_TEST

/* The last of a shared cache: each holder is looked at, all are gone. */
START_TEST(test_cost_of_the_last_holder_is_shown)
{
    char *directory = NULL;
    struct record record;

    NEEDS_NAMESPACE();
    directory = suite_tmpdir();
    record = sample_gone(UID, "FILE:/tmp/krb5cc");
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char name[32];
        char *state = NULL;
        struct registry registry;
        struct registry_key key;
        double begin = 0;

        (void)snprintf(name, sizeof(name), "gone-%d", sizes[i]);
        state = suite_path(directory, name);
        registry = (struct registry){.state_dir = state,
                                     .runtime_dir = "/missing/runtime"};
        for (int j = 0; j < sizes[i]; j++) {
            (void)join(&registry, &record);
        }
        key = join(&registry, &record);
        begin = now_us();
        ck_assert_int_eq(registry_holders(&registry, &key, &record, NULL), 0);
        (void)fprintf(stderr, "# %d holders that are gone: %.1f us each\n",
                      sizes[i], (now_us() - begin) / sizes[i]);
        free(state);
    }
    record_free(&record);
    suite_remove_tree(directory);
}
END_TEST

static double
census_us(void)
{
    static double values[51];

    for (size_t i = 0; i < COUNT(values); i++) {
        double begin = now_us();
        struct presence_census *census = presence_census_take();

        ck_assert_ptr_nonnull(census);
        values[i] = now_us() - begin;
        presence_census_free(census);
    }
    return median(values, COUNT(values));
}

START_TEST(test_cost_of_a_census_is_shown)
{
    enum { CROWD = 500 };
    static pid_t pids[CROWD];
    double alone = 0;
    double crowded = 0;

    NEEDS_NAMESPACE();
    alone = census_us();
    for (size_t i = 0; i < CROWD; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] == 0) {
            (void)pause();
            _exit(0);
        }
    }
    crowded = census_us();
    for (size_t i = 0; i < CROWD; i++) {
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
        ck_assert_int_eq(shared_end(pids[i]), -1);
    }
    (void)fprintf(
        stderr,
        "# a census: %.0f us, with %d processes more %.0f us: %.1f us "
        "each\n",
        alone, CROWD, crowded, (crowded - alone) / CROWD);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cost");
    TCase *tcase = suite_case(suite, "cost");

    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, test_cost_in_memory_is_the_same, 0, CROWDS);
    tcase_add_loop_test(tcase, test_cost_on_disk_is_the_same, 0, CROWDS);
    tcase_add_test(tcase, test_cost_of_the_last_holder_is_shown);
    tcase_add_test(tcase, test_cost_of_a_census_is_shown);
    return suite_main(suite);
}
