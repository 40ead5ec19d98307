/*
 * Root makes, refreshes and deletes alice's cache while a process of hers
 * swaps what its name stands for (attacker.h), and other people's files stay
 * as they are (canary.h).  Whatever she does, each call ends in time with a
 * code of the table, nothing of root's appears in her places, no ticket
 * anywhere but in her hands, and when she rests a login works again.
 *
 * TEST_LONG=1: 10,000 rounds of the calls, else 500 (100 where a sanitizer
 * looks on), shared by the arenas.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stack/attacker.h"
#include "stack/canary.h"
#include "stack/common.h"
#include "support/records.h"
#include "support/shared.h"

#define ROUNDS 500
#define ROUNDS_LONG 10000
#define ROUNDS_SANITIZED 100
/* So many times as many where chance has left something out. */
#define MORE_ROUNDS 20
/* One round in so many renews, which costs a journey to the KDC. */
#define RENEWAL_EVERY 4

/* The shortest there is; a helper under a sanitizer needs more. */
#define TIMEOUT_S (IS_SANITIZED ? 5 : 1)
/* The deadline, cleaning up, leave of two helpers; and a loaded machine. */
#define LATE_MS (1000 * TIMEOUT_S + 500 + 2 * 200 + 2000)

static const struct arena arenas[] = {
    {.name = "a shared name",
     .arguments = "ccache=FILE:" ATTACKER_ARENA "/cache",
     .cache = "FILE:" ATTACKER_ARENA "/cache",
     .file = ATTACKER_ARENA "/cache",
     .watched = ATTACKER_ARENA,
     .prefix = "cache"},
    {.name = "a shared name in /tmp",
     .arguments = "ccache=FILE:/tmp/krb5cc_%{uid}_shared",
     .cache = "FILE:/tmp/krb5cc_<alice>_shared",
     .file = "/tmp/krb5cc_<alice>_shared",
     .watched = "/tmp",
     .prefix = "krb5cc_<alice>_"},
    {.name = "a drawn name",
     .arguments = "ccache=FILE:" ATTACKER_ARENA "/cc_XXXXXX",
     .watched = ATTACKER_ARENA,
     .prefix = "cc_"},
    {.name = "a directory on the way",
     .arguments = "ccache=FILE:" ATTACKER_ARENA "/sub/cache",
     .cache = "FILE:" ATTACKER_ARENA "/sub/cache",
     .file = ATTACKER_ARENA "/sub/cache",
     .directory = ATTACKER_ARENA "/sub",
     .watched = ATTACKER_ARENA "/sub",
     .prefix = "cache"},
    {.name = "a directory on the way to a drawn name",
     .arguments = "ccache=FILE:" ATTACKER_ARENA "/sub/cc_XXXXXX",
     .directory = ATTACKER_ARENA "/sub",
     .watched = ATTACKER_ARENA "/sub",
     .prefix = "cc_"},
    {.name = "a collection that is shared",
     .arguments = "ccache=DIR:" ATTACKER_ARENA "/sub",
     .cache = "DIR:" ATTACKER_ARENA "/sub",
     .file = ATTACKER_ARENA "/sub/primary",
     .directory = ATTACKER_ARENA "/sub",
     .watched = ATTACKER_ARENA "/sub",
     .prefix = "tkt"},
};

#define ARENA_COUNT ((unsigned int)(sizeof(arenas) / sizeof(arenas[0])))

/* What the rounds, processes each, tell the test; shared memory. */
struct tally {
    atomic_uint successes[RACE_CALL_COUNT];
    atomic_uint failures[RACE_CALL_COUNT];
    atomic_uint ran_out; /* calls that their deadline has ended */
    atomic_uint longest_ms;
};

static struct tally *tally;
static const struct arena *arena;
static uint64_t seed;
static unsigned int round_number;

/*
 * Hosts: with tickets of its own; the same, which brings them as a locker does;
 * with none; with a cache that was made when all was quiet.
 */
static struct stack session;
static struct stack locker;
static struct stack renewal;
static struct stack leaver;

static const char *const call_names[RACE_CALL_COUNT] = {
    [RACE_ESTABLISH] = "establish",
    [RACE_REFRESH] = "refresh with new tickets",
    [RACE_RENEW] = "refresh by renewal",
    [RACE_DELETE] = "delete",
};

static unsigned int
rounds(void)
{
    unsigned int all = IS_SANITIZED                  ? ROUNDS_SANITIZED
                       : getenv("TEST_LONG") != NULL ? ROUNDS_LONG
                                                     : ROUNDS;

    return (all + ARENA_COUNT - 1) / ARENA_COUNT;
}

static int64_t
now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Root's calls. */

/* Whether CODE is one that the table has for CALL where caches fail. */
static bool
is_of_the_table(enum race_call call, int code)
{
    return code == PAM_SUCCESS || code == PAM_CRED_ERR ||
           (call == RACE_RENEW &&
            (code == PAM_CRED_UNAVAIL || code == PAM_CRED_EXPIRED));
}

static void
keep_longest(int64_t took_ms)
{
    unsigned int took = (unsigned int)took_ms; /* not negative */
    unsigned int longest = atomic_load(&tally->longest_ms);

    while (took > longest &&
           !atomic_compare_exchange_weak(&tally->longest_ms, &longest, took)) {
    }
}

/* One call of setcred on HOST; false where it is not as it must be. */
static bool
call_once(enum race_call call, struct stack *host, int flag)
{
    int64_t start = now_ms();
    int64_t took = 0;
    int code = PAM_SUCCESS;

    stack_log_clear();
    attacker_call_begins(call);
    code = pam_setcred(host->handle, flag);
    attacker_call_ends();
    took = now_ms() - start;
    keep_longest(took);
    atomic_fetch_add(code == PAM_SUCCESS ? &tally->successes[call]
                                         : &tally->failures[call],
                     1);
    if (stack_logged("time ran out")) {
        atomic_fetch_add(&tally->ran_out, 1);
    }
    if (took <= LATE_MS && is_of_the_table(call, code)) {
        return true;
    }
    fprintf(stderr, "# round %u: %s took %lld ms and gave \"%s\"\n%s",
            round_number, call_names[call], (long long)took,
            pam_strerror(NULL, code), stack_log());
    return false;
}

/*
 * One round: a process that the hosts were forked into, as sshd forks, so that
 * the same tickets serve again and again.
 */
static int
live_once(void *data)
{
    const char *name = NULL;
    bool sound = true;

    (void)data;
    sound = call_once(RACE_ESTABLISH, &session, PAM_ESTABLISH_CRED);
    if (common_cache(&session) != NULL) {
        name = common_cache(&session);
    } else if (arena->cache != NULL) {
        name = common_with_uids(arena->cache);
    }
    if (name != NULL) {
        common_set_cache(&locker, name);
        sound = call_once(RACE_REFRESH, &locker, PAM_REFRESH_CRED) && sound;
    }
    if (name != NULL && round_number % RENEWAL_EVERY == 0) {
        common_set_cache(&renewal, name);
        sound = call_once(RACE_RENEW, &renewal, PAM_REFRESH_CRED) && sound;
    }
    /* Who has no cache has nothing to delete. */
    sound = call_once(RACE_DELETE,
                      common_cache(&session) != NULL ? &session : &leaver,
                      PAM_DELETE_CRED) &&
            sound;
    return sound ? 0 : 1;
}

/* The scene. */

static void
start_hosts(void)
{
    char arguments[512];

    (void)snprintf(arguments, sizeof(arguments), "timeout=%d %s", TIMEOUT_S,
                   arena->arguments);
    common_login(&session, arguments);
    common_login(&locker, arguments);
    common_start(&renewal, ATTACKER, arguments, no_answers);
    common_establish(&leaver, arguments);
}

static void
end_hosts(void)
{
    stack_end(&session, PAM_SUCCESS);
    stack_end(&locker, PAM_SUCCESS);
    stack_end(&renewal, PAM_SUCCESS);
    stack_end(&leaver, PAM_SUCCESS);
}

static void
begin(const struct arena *the_arena)
{
    arena = the_arena;
    tally = shared_memory(sizeof(*tally));
    seed = shared_seed(arena->name);
    canary_setup();
    attacker_start(arena, seed);
    attacker_lay_out();
    start_hosts();
}

static void
end(void)
{
    attacker_stop();
    end_hosts();
    canary_clear();
}

static const char *
find_problem(void)
{
    const char *problem = canary_problem();

    return problem == NULL ? attacker_problem() : problem;
}

static void
print_tally(void)
{
    fprintf(stderr, "# %s: %u rounds\n", arena->name, round_number);
    attacker_print(arena->name);
    for (unsigned int i = RACE_NONE + 1; i < RACE_CALL_COUNT; i++) {
        fprintf(stderr, "#   %s: %u succeeded, %u failed\n", call_names[i],
                atomic_load(&tally->successes[i]),
                atomic_load(&tally->failures[i]));
    }
    fprintf(stderr, "#   %u ended by their deadline; the longest took %u ms\n",
            atomic_load(&tally->ran_out), atomic_load(&tally->longest_ms));
}

/*
 * Whether each thing was in place in some call, and each call has succeeded
 * and failed.
 */
static bool
was_a_race(void)
{
    for (enum thing thing = 0; thing < THING_COUNT; thing++) {
        if (attacker_has(arena, thing) && attacker_calls_with(thing) == 0) {
            return false;
        }
    }
    for (unsigned int i = RACE_NONE + 1; i < RACE_CALL_COUNT; i++) {
        if (atomic_load(&tally->successes[i]) == 0 ||
            atomic_load(&tally->failures[i]) == 0) {
            return false;
        }
    }
    return true;
}

/* When all is quiet again. */
static void
assert_login_works(void)
{
    struct stack quiet;
    struct cache_view view;
    char path[256];

    attacker_lay_out();
    common_establish(&quiet, arena->arguments);
    (void)snprintf(path, sizeof(path), "%s", cache_path(common_cache(&quiet)));
    common_assert_owned(path, ATTACKER);
    view = common_look(path, ATTACKER);
    ck_assert(view.readable);
    ck_assert_int_eq(view.tgts, 1);
    EXPECT(pam_setcred(quiet.handle, PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert(!common_exists(path));
    stack_end(&quiet, PAM_SUCCESS);
}

/* A round of calls against the attacker, and a look at what is left. */
static void
fight_once(void)
{
    const char *problem = NULL;
    int status = 0;

    attacker_begin_round();
    status = shared_end(shared_start(0, live_once, NULL));
    attacker_end_round();
    problem = find_problem();
    ck_assert_msg(problem == NULL, "%s, round %u: %s (TEST_SEED=%" PRIu64 ")",
                  arena->name, round_number, problem, seed);
    ck_assert_msg(status == 0, "%s, round %u: a call (TEST_SEED=%" PRIu64 ")",
                  arena->name, round_number, seed);
}

START_TEST(test_races_of_links_gain_nothing)
{
    unsigned int wanted = rounds();

    NEEDS_ROOT();
    begin(&arenas[_i]);
    for (round_number = 0; round_number < wanted; round_number++) {
        fight_once();
    }
    while (!was_a_race() && round_number < MORE_ROUNDS * wanted) {
        fight_once();
        round_number++;
    }
    print_tally();
    ck_assert(was_a_race());
    assert_login_works();
    /* Of sessions whose end she has made fail. */
    (void)records_of_the_gone();
    end();
}
END_TEST

/* The controls: roots who are careless are caught. */

#define CARELESS_TRIES 200
#define CARELESS_ROUNDS 200

static void
write_there(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);

    if (fd >= 0) {
        (void)!write(fd, "tickets", 7);
        (void)close(fd);
    }
}

static void
read_there(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char byte = 0;

    if (fd >= 0) {
        (void)!read(fd, &byte, 1);
        (void)close(fd);
    }
}

static void
give_away(const char *path)
{
    (void)!chown(path, common_uid(ATTACKER), common_uid(ATTACKER));
}

/* A new file with no link followed in its last step: not enough. */
static void
make_there(const char *path)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd >= 0) {
        (void)!fchown(fd, common_uid(ATTACKER), common_uid(ATTACKER));
        (void)close(fd);
    }
}

static void (*const careless[])(const char *path) = {
    write_there,
    read_there,
    give_away,
    make_there,
};

#define CARELESS_COUNT ((int)(sizeof(careless) / sizeof(careless[0])))

static int
be_careless(void *data)
{
    void (*const *act)(const char *path) = data;

    /* A fifo that nobody reads any more. */
    (void)signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < CARELESS_TRIES; i++) {
        attacker_call_begins(RACE_ESTABLISH);
        (*act)(ATTACKER_ARENA "/sub/cache");
        (*act)(ATTACKER_ARENA "/sub/new");
        attacker_call_ends();
    }
    return 0;
}

START_TEST(test_races_root_who_is_careless_is_caught)
{
    void (*act)(const char *path) = careless[_i];
    const char *problem = NULL;

    NEEDS_ROOT();
    /* The one with a directory on the way. */
    begin(&arenas[3]);
    for (int i = 0; i < CARELESS_ROUNDS && problem == NULL; i++) {
        attacker_begin_round();
        ck_assert_int_eq(shared_end(shared_start(0, be_careless, &act)), 0);
        attacker_end_round();
        problem = find_problem();
    }
    ck_assert_ptr_nonnull(problem);
    fprintf(stderr, "# caught: %s\n", problem);
    end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("stack/races");
    TCase *tcase = common_case(suite, "races");

    tcase_set_timeout(tcase, 1200);
    tcase_add_loop_test(tcase, test_races_of_links_gain_nothing, 0,
                        (int)ARENA_COUNT);
    tcase_add_loop_test(tcase, test_races_root_who_is_careless_is_caught, 0,
                        CARELESS_COUNT);
    return suite_main(suite);
}
