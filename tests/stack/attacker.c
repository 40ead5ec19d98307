/*
 * The attacker.  All that is his to see is where the cache is; names that are
 * drawn he learns by inotify(7), the temporary ones of a replacement too.
 */
#include "stack/attacker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stack/canary.h"
#include "stack/common.h"
#include "support/shared.h"

#define STASHED ATTACKER_WARDROBE "/directory"
#define HARD_LINK ATTACKER_WARDROBE "/linked"
#define OTHER ATTACKER_WARDROBE "/other"
#define TRASH ATTACKER_WARDROBE "/trash"
#define NEXT ATTACKER_WARDROBE "/next"

#define HUGE_SIZE ((off_t)1 << 40)
#define CACHE_MAX 8192
#define PATH_LENGTH 256
#define LEARNED_MAX 4
/* In one round of so many a fifo costs a call all of its time; all is slow. */
#define BLOCKING_EVERY 48
#define SLOW_EVERY 4
#define REST_LIMIT_US 10000000

/* turn: odd = it swaps, even = it rests. */
#define TURN_STOP 1000000000U

/* What the attacker and the others tell each other; shared memory. */
struct attack {
    atomic_uint turn;
    atomic_uint resting; /* the turn it rests in */
    atomic_uint call;    /* enum race_call */
    atomic_uint present; /* things in place since the call began, as bits */
    atomic_uint swaps;
    atomic_uint placed[RACE_CALL_COUNT][THING_COUNT];
    atomic_uint calls_with[RACE_CALL_COUNT][THING_COUNT];
    atomic_uint calls[RACE_CALL_COUNT];
    atomic_uint has_met; /* something that is not hers; below */
    char met[PATH_LENGTH + 128];
};

static struct attack *attack;
static const struct arena *arena;
static uid_t attacker;
static pid_t process = -1;
static ino_t linked;
/* Entries of /tmp that are no caches, when the round began. */
static size_t others_in_tmp;

/* A cache of hers, and how much of it is the head without any ticket. */
static unsigned char cache[CACHE_MAX];
static size_t cache_length;
static size_t head_length;

static const char *const thing_names[THING_COUNT] = {
    [THING_CACHE] = "her own cache",
    [THING_BOBS_CACHE] = "link to bob's cache",
    [THING_ROOTS_CACHE] = "link to root's cache",
    [THING_ROOTS_TEXT] = "link to root's text",
    [THING_NOBODYS] = "link to a new name",
    [THING_HARD_LINK] = "hard link to bob's",
    [THING_FIFO] = "fifo",
    [THING_DIRECTORY] = "directory",
    [THING_HUGE] = "huge file",
    [THING_UNREADABLE] = "unreadable file",
    [THING_HOME] = "the directory itself",
    [THING_BOBS_DIRECTORY] = "link to bob's directory",
    [THING_ROOTS_DIRECTORY] = "link to root's directory",
    [THING_OTHER_DIRECTORY] = "link to another directory",
    [THING_LOOP] = "link to itself",
    [THING_NOTHING] = "nothing",
};

static const enum thing file_things[] = {
    THING_CACHE,       THING_CACHE,      THING_CACHE,   THING_BOBS_CACHE,
    THING_ROOTS_CACHE, THING_ROOTS_TEXT, THING_NOBODYS, THING_HARD_LINK,
    THING_FIFO,        THING_DIRECTORY,  THING_HUGE,    THING_UNREADABLE,
    THING_NOTHING,
};
static const enum thing directory_things[] = {
    THING_HOME,
    THING_HOME,
    THING_BOBS_DIRECTORY,
    THING_ROOTS_DIRECTORY,
    THING_OTHER_DIRECTORY,
    THING_LOOP,
    THING_CACHE,
    THING_NOTHING,
};

#define COUNT(array) ((unsigned int)(sizeof(array) / sizeof((array)[0])))

/* The attacker's process. */

/* A name that is swapped. */
struct slot {
    char path[PATH_LENGTH];
    bool is_directory;
};

static struct {
    uint64_t dice;
    int inotify;
    int fifo; /* both ends, while it is in place; or -1 */
    struct slot fifo_slot;
    /* What the round is like. */
    bool is_blocking;
    bool is_slow;
    char prefix[64];
    unsigned int trash;
    struct slot fixed[2];
    unsigned int fixed_count;
    struct slot learned[LEARNED_MAX];
    unsigned int learned_count; /* ever */
} self;

static bool
write_file(const char *path, const void *content, size_t length, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool done = fd >= 0 && write(fd, content, length) == (ssize_t)length &&
                fchmod(fd, mode) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return done;
}

static bool
make_huge(void)
{
    size_t length = shared_dice(&self.dice, 2) == 0 ? 0 : head_length;

    return write_file(NEXT, cache, length, 0600) &&
           truncate(NEXT, HUGE_SIZE) == 0;
}

/*
 * Both ends open: who opens it waits in read until it is swapped.  In some
 * rounds they are not, and he waits in open until somebody ends him.
 */
static bool
make_fifo(void)
{
    if (mkfifo(NEXT, 0600) < 0) {
        return false;
    }
    if (!self.is_blocking) {
        self.fifo = open(NEXT, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
    return self.is_blocking || self.fifo >= 0;
}

static const char *
link_target(enum thing thing, const char *path)
{
    static const char *const targets[THING_COUNT] = {
        [THING_BOBS_CACHE] = CANARY_BOBS_CACHE,
        [THING_ROOTS_CACHE] = CANARY_ROOTS_CACHE,
        [THING_ROOTS_TEXT] = CANARY_ROOTS_TEXT,
        [THING_BOBS_DIRECTORY] = CANARY_BOBS_DIRECTORY,
        [THING_ROOTS_DIRECTORY] = CANARY_ROOTS_DIRECTORY,
        [THING_OTHER_DIRECTORY] = OTHER,
    };

    if (thing == THING_NOBODYS) {
        return shared_dice(&self.dice, 2) == 0 ? CANARY_BOBS_NOBODY
                                               : CANARY_ROOTS_NOBODY;
    }
    return thing == THING_LOOP ? path : targets[thing];
}

/* Makes THING, which is to be at PATH, at NEXT. */
static bool
make(enum thing thing, const char *path)
{
    const char *target = link_target(thing, path);

    if (target != NULL) {
        return symlink(target, NEXT) == 0;
    }
    if (thing == THING_FIFO) {
        return make_fifo();
    }
    if (thing == THING_DIRECTORY) {
        return mkdir(NEXT, 0700) == 0;
    }
    if (thing == THING_HUGE) {
        return make_huge();
    }
    return write_file(NEXT, cache, cache_length,
                      thing == THING_UNREADABLE ? 0 : 0600);
}

/* Keeps in words that PATH is somebody else's. */
static void
note_foreign(const char *path, const struct stat *status)
{
    /* A link on the way leads to others', and that is no news. */
    if ((status->st_uid == attacker && status->st_gid == attacker) ||
        canary_is(status->st_ino) ||
        atomic_exchange(&attack->has_met, 1) != 0) {
        return;
    }
    (void)snprintf(attack->met, sizeof(attack->met),
                   "%s was of uid %u, gid %u, mode %o", path,
                   (unsigned int)status->st_uid, (unsigned int)status->st_gid,
                   (unsigned int)status->st_mode);
}

/* Takes away what is at SLOT, so that it can be put there again. */
static void
take_away(const struct slot *slot, const struct stat *status)
{
    char trash[PATH_LENGTH];

    if (status->st_ino == linked) {
        (void)rename(slot->path, HARD_LINK);
        return;
    }
    if (!S_ISDIR(status->st_mode)) {
        (void)unlink(slot->path);
        return;
    }
    if (slot->is_directory && rename(slot->path, STASHED) == 0) {
        return;
    }
    if (rmdir(slot->path) < 0) {
        (void)snprintf(trash, sizeof(trash), TRASH ".%u", self.trash++);
        (void)rename(slot->path, trash);
    }
}

/* Puts THING at SLOT, where nothing is in its way. */
static bool
put(const struct slot *slot, enum thing thing)
{
    if (thing == THING_NOTHING) {
        return !common_exists(slot->path);
    }
    if (thing == THING_HOME) {
        return rename(STASHED, slot->path) == 0 || mkdir(slot->path, 0700) == 0;
    }
    if (thing == THING_HARD_LINK) {
        return link(CANARY_BOBS_LINKED, slot->path) == 0 ||
               rename(HARD_LINK, slot->path) == 0;
    }
    if (make(thing, slot->path) && rename(NEXT, slot->path) == 0) {
        return true;
    }
    if (remove(NEXT) < 0 && errno == ENOTDIR) {
        (void)unlink(NEXT);
    }
    return false;
}

static void
count_placed(enum thing thing)
{
    atomic_fetch_add(&attack->swaps, 1);
    atomic_fetch_add(&attack->placed[atomic_load(&attack->call)][thing], 1);
    atomic_fetch_or(&attack->present, 1U << thing);
}

/* Swaps what is at SLOT for THING, by one rename where that is possible. */
static void
swap(const struct slot *slot, enum thing thing)
{
    struct stat status;
    bool is_there = lstat(slot->path, &status) == 0;
    int fifo = self.fifo;

    self.fifo = -1;
    self.fifo_slot = *slot;
    if (is_there) {
        note_foreign(slot->path, &status);
        if (S_ISDIR(status.st_mode) || status.st_ino == linked ||
            thing == THING_NOTHING || thing == THING_HOME ||
            thing == THING_DIRECTORY || thing == THING_HARD_LINK) {
            take_away(slot, &status);
        }
    }
    if (put(slot, thing)) {
        count_placed(thing);
    }
    if (fifo >= 0) {
        (void)close(fifo);
    }
}

static bool
is_known(const char *path)
{
    for (unsigned int i = 0; i < self.fixed_count; i++) {
        if (strcmp(self.fixed[i].path, path) == 0) {
            return true;
        }
    }
    for (unsigned int i = 0; i < LEARNED_MAX; i++) {
        if (strcmp(self.learned[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

static void
learn_name(const char *name)
{
    struct slot slot = {.is_directory = false};
    struct stat status;

    if (strncmp(name, self.prefix, strlen(self.prefix)) != 0 ||
        (size_t)snprintf(slot.path, sizeof(slot.path), "%s/%s", arena->watched,
                         name) >= sizeof(slot.path) ||
        is_known(slot.path)) {
        return;
    }
    if (lstat(slot.path, &status) == 0) {
        note_foreign(slot.path, &status);
    }
    self.learned[self.learned_count++ % LEARNED_MAX] = slot;
}

/* Learns which names have turned up; waits for one where there is none. */
static void
learn(void)
{
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t length = 0;

    if (self.fixed_count == 0 && self.learned_count == 0) {
        struct pollfd news = {.fd = self.inotify, .events = POLLIN};

        (void)poll(&news, 1, 1);
    }
    length = read(self.inotify, buffer, sizeof(buffer));
    for (const char *at = buffer; length > 0 && at < buffer + length;) {
        const struct inotify_event *event =
            (const struct inotify_event *)(const void *)at;

        if (event->len > 0) {
            learn_name(event->name);
        }
        at += sizeof(*event) + event->len;
    }
}

/* Whether bob's file could not be taken away again. */
static bool
is_sticky(const struct arena *the_arena)
{
    return strcmp(the_arena->watched, "/tmp") == 0;
}

/* One of the names that are known, or NULL. */
static const struct slot *
choose_slot(void)
{
    unsigned int learned =
        self.learned_count < LEARNED_MAX ? self.learned_count : LEARNED_MAX;
    unsigned int chosen = 0;

    if (self.fifo >= 0) {
        /* No other before: it would block once its ends are closed. */
        return &self.fifo_slot;
    }
    if (self.fixed_count + learned == 0) {
        return NULL;
    }
    chosen = shared_dice(&self.dice, self.fixed_count + learned);
    return chosen < self.fixed_count ? &self.fixed[chosen]
                                     : &self.learned[chosen - self.fixed_count];
}

/* Leaves things as they are for a moment, mostly none; in some rounds long. */
static void
hold(unsigned int turn)
{
    static const unsigned int holds_us[] = {0, 0, 0, 0, 0, 0, 0, 0, 20, 200};
    static const unsigned int long_holds_us[] = {200, 1000, 5000};
    unsigned int us = self.is_slow
                          ? long_holds_us[shared_dice(&self.dice, 3)]
                          : holds_us[shared_dice(&self.dice, COUNT(holds_us))];

    if (us > 0) {
        (void)shared_wait(&attack->turn, turn, us);
    }
}

static void
begin_round(void)
{
    self.is_blocking = shared_dice(&self.dice, BLOCKING_EVERY) == 0;
    self.is_slow = shared_dice(&self.dice, SLOW_EVERY) == 0;
    self.learned_count = 0;
    memset(self.learned, 0, sizeof(self.learned));
    (void)inotify_add_watch(self.inotify, arena->watched,
                            IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

static void
end_round(unsigned int turn)
{
    if (self.fifo >= 0) {
        (void)close(self.fifo);
        self.fifo = -1;
    }
    shared_set(&attack->resting, turn);
}

static enum thing
choose_thing(const struct slot *slot)
{
    if (slot->is_directory) {
        return directory_things[shared_dice(&self.dice,
                                            COUNT(directory_things))];
    }
    return file_things[shared_dice(&self.dice, COUNT(file_things))];
}

static void
swap_once(unsigned int turn)
{
    const struct slot *slot = NULL;
    enum thing thing = THING_NOTHING;

    learn();
    slot = choose_slot();
    if (slot == NULL) {
        return;
    }
    thing = choose_thing(slot);
    if (attacker_has(arena, thing)) {
        swap(slot, thing);
    }
    hold(turn);
}

static void
add_fixed(const char *path, bool is_directory)
{
    if (path != NULL) {
        struct slot *slot = &self.fixed[self.fixed_count++];

        (void)snprintf(slot->path, sizeof(slot->path), "%s",
                       common_with_uids(path));
        slot->is_directory = is_directory;
    }
}

static int
run(void *data)
{
    unsigned int turn = 0;

    self.dice = *(const uint64_t *)data;
    self.fifo = -1;
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    self.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    (void)snprintf(self.prefix, sizeof(self.prefix), "%s",
                   common_with_uids(arena->prefix));
    add_fixed(arena->directory, true);
    add_fixed(arena->file, false);
    while ((turn = atomic_load(&attack->turn)) != TURN_STOP) {
        if (turn % 2 == 1) {
            swap_once(turn);
            continue;
        }
        if (atomic_load(&attack->resting) != turn) {
            end_round(turn);
        }
        if (shared_wait(&attack->turn, turn, REST_LIMIT_US) != turn) {
            begin_round();
        }
    }
    return 0;
}

/* The test's process. */

/* Reads her cache at PATH, and where its first ticket begins. */
static void
load_cache(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t at = 0;

    ck_assert_int_ge(fd, 0);
    cache_length = (size_t)read(fd, cache, sizeof(cache));
    (void)close(fd);
    ck_assert_uint_lt(cache_length, sizeof(cache));
    ck_assert_uint_eq(cache[0], 5);
    ck_assert_uint_eq(cache[1], 4);
    /* Version; length of the header, header; type, components, texts. */
    at = 4 + (size_t)(cache[2] << 8 | cache[3]) + 8;
    for (unsigned int texts = cache[at - 1] + 1U; texts > 0; texts--) {
        at += 4U + cache[at + 3];
    }
    ck_assert_uint_lt(at, cache_length);
    head_length = at;
}

static void
make_directory(const char *path)
{
    ck_assert_msg(mkdir(path, 0700) == 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(chown(path, attacker, attacker), 0);
}

static void
remove_directory(const char *path)
{
    if (common_exists(path)) {
        suite_remove_tree(strdup(path));
    }
}

/* Everything as in the beginning; while it rests. */
static void
clear(void)
{
    glob_t found;

    remove_directory(ATTACKER_ARENA);
    remove_directory(ATTACKER_WARDROBE);
    if (glob("/tmp/krb5cc_*", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            remove_directory(found.gl_pathv[i]);
        }
        globfree(&found);
    }
}

void
attacker_lay_out(void)
{
    clear();
    make_directory(ATTACKER_ARENA);
    make_directory(ATTACKER_WARDROBE);
    make_directory(OTHER);
    if (arena->directory != NULL) {
        make_directory(arena->directory);
    }
    ck_assert_int_eq(link(CANARY_BOBS_LINKED, HARD_LINK), 0);
}

void
attacker_start(const struct arena *the_arena, uint64_t seed)
{
    static const int64_t lifetimes[] = {3600, 86400};

    arena = the_arena;
    attacker = common_uid(ATTACKER);
    linked = canary_linked_inode();
    attack = shared_memory(sizeof(*attack));
    common_kinit("FILE:/tmp/home/alice/first", ATTACKER, ATTACKER, lifetimes,
                 WITH_SERVICE);
    load_cache("/tmp/home/alice/first");
    ck_assert_int_eq(unlink("/tmp/home/alice/first"), 0);
    process = shared_start(attacker, run, &seed);
}

static void
next_turn(void)
{
    shared_count(&attack->turn);
}

static size_t
count_others(void)
{
    return common_count("/tmp", "") - common_count("/tmp", "krb5cc_");
}

void
attacker_begin_round(void)
{
    attacker_lay_out();
    others_in_tmp = count_others();
    next_turn();
}

void
attacker_end_round(void)
{
    unsigned int turn = atomic_load(&attack->turn) + 1;
    unsigned int resting = atomic_load(&attack->resting);

    next_turn();
    while (resting != turn) {
        unsigned int before = resting;

        resting = shared_wait(&attack->resting, before, REST_LIMIT_US);
        ck_assert_msg(resting != before, "the attacker does not rest");
    }
}

void
attacker_stop(void)
{
    shared_set(&attack->turn, TURN_STOP);
    ck_assert_int_eq(shared_end(process), 0);
    clear();
}

void
attacker_call_begins(enum race_call call)
{
    atomic_store(&attack->present, 0);
    atomic_store(&attack->call, call);
}

void
attacker_call_ends(void)
{
    unsigned int present = atomic_load(&attack->present);
    unsigned int call = atomic_exchange(&attack->call, RACE_NONE);

    atomic_fetch_add(&attack->calls[call], 1);
    for (unsigned int i = 0; i < THING_COUNT; i++) {
        if ((present & 1U << i) != 0) {
            atomic_fetch_add(&attack->calls_with[call][i], 1);
        }
    }
}

/* Looks for what is not hers. */

static char problem[PATH_LENGTH * 3 + 128];

static const char *
say(const char *path, const char *what)
{
    (void)snprintf(problem, sizeof(problem), "%s %s", path, what);
    return problem;
}

/* Whether the file PATH has the ticket that only the canaries have. */
static bool
has_mark(const char *path, const struct stat *status)
{
    unsigned char content[CACHE_MAX];
    ssize_t length = 0;
    int fd = -1;

    if (!S_ISREG(status->st_mode) || status->st_size > CACHE_MAX ||
        status->st_ino == linked) {
        return false;
    }
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    length = fd < 0 ? 0 : read(fd, content, sizeof(content));
    if (fd >= 0) {
        (void)close(fd);
    }
    return length > 0 && memmem(content, (size_t)length, CANARY_MARK,
                                sizeof(CANARY_MARK) - 1) != NULL;
}

static const char *
entry_problem(const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0 || status.st_ino == linked) {
        return NULL;
    }
    if (status.st_uid != attacker || status.st_gid != attacker) {
        return say(path, "is not alice's");
    }
    return has_mark(path, &status) ? say(path, "has another's ticket") : NULL;
}

/* The entries of PATH whose names begin with PREFIX, and of what is in them. */
static const char *
directory_problem(const char *path, const char *prefix)
{
    DIR *directory = opendir(path);
    const struct dirent *entry = NULL;
    const char *found = NULL;
    char name[PATH_LENGTH * 3];

    while (directory != NULL && found == NULL &&
           (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0 ||
            strncmp(entry->d_name, prefix, strlen(prefix)) != 0) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        found = entry_problem(name);
        if (found == NULL && entry->d_type == DT_DIR) {
            found = directory_problem(name, "");
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return found;
}

const char *
attacker_problem(void)
{
    const char *found = NULL;

    if (atomic_load(&attack->has_met) != 0) {
        return attack->met;
    }
    found = directory_problem(ATTACKER_ARENA, "");
    if (found == NULL) {
        found = directory_problem(ATTACKER_WARDROBE, "");
    }
    if (found == NULL) {
        found = directory_problem("/tmp", "krb5cc_");
    }
    if (found == NULL && count_others() != others_in_tmp) {
        found = say("/tmp", "has other entries than before");
    }
    return found;
}

/* What is printed. */

bool
attacker_has(const struct arena *the_arena, enum thing thing)
{
    const enum thing *things = file_things;
    unsigned int count = COUNT(file_things);

    if (thing == THING_HARD_LINK && is_sticky(the_arena)) {
        return false;
    }
    for (unsigned int i = 0; i < count; i++) {
        if (things[i] == thing) {
            return true;
        }
    }
    things = directory_things;
    count = the_arena->directory == NULL ? 0 : COUNT(directory_things);
    for (unsigned int i = 0; i < count; i++) {
        if (things[i] == thing) {
            return true;
        }
    }
    return false;
}

static unsigned int
sum(atomic_uint counts[RACE_CALL_COUNT][THING_COUNT], enum thing thing)
{
    unsigned int all = 0;

    for (unsigned int i = RACE_NONE + 1; i < RACE_CALL_COUNT; i++) {
        all += atomic_load(&counts[i][thing]);
    }
    return all;
}

unsigned int
attacker_calls_with(enum thing thing)
{
    return sum(attack->calls_with, thing);
}

void
attacker_print(const char *name)
{
    unsigned int calls = 0;

    for (unsigned int i = RACE_NONE + 1; i < RACE_CALL_COUNT; i++) {
        calls += atomic_load(&attack->calls[i]);
    }
    fprintf(stderr, "# %s: %u swaps around %u calls; in place while one ran:\n",
            name, atomic_load(&attack->swaps), calls);
    for (enum thing thing = 0; thing < THING_COUNT; thing++) {
        if (attacker_has(arena, thing)) {
            fprintf(stderr, "#   %-26s %7u times, in %5u calls\n",
                    thing_names[thing], sum(attack->placed, thing),
                    attacker_calls_with(thing));
        }
    }
}
