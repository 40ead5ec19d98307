/* Records in their places. */
#include "registry/registry.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/ccname.h"
#include "base/deadline.h"
#include "base/safefs.h"

#define SESSIONS "sessions"
#define SET_ASIDE "set-aside"

/* What the name of a record that is being written begins with. */
#define UNFINISHED ".new-"

/* Nobody writes for so long: it has been killed. */
#define UNFINISHED_S 600

/* The directory of a uid may be swept as often as this while it is entered. */
#define ENTER_TRIES 100

/* How long to wait before the next look at a lock. */
#define LOCK_PAUSE_NS 5000000L

/* Directories, files and everything on the way are root's. */
#define OWNER 0

#define UID_SIZE 24

/* The name of what is set aside: a uid, 200 bytes of an id, 16 digits. */
#define ASIDE_SIZE (UID_SIZE + 200 + 1 + 17)

static const char *
path_of(const struct registry *registry, enum registry_place place)
{
    return place == REGISTRY_STATE ? registry->state_dir
                                   : registry->runtime_dir;
}

/* Opens NAME of PLACE's directory; -errno. */
static int
open_in_place(const struct registry *registry, enum registry_place place,
              const char *name, enum safefs_missing missing)
{
    int directory =
        safefs_open_directory(path_of(registry, place), OWNER, missing);
    int fd = -1;

    if (directory < 0) {
        return directory;
    }
    fd = safefs_open_directory_at(directory, name, OWNER, missing);
    (void)close(directory);
    return fd;
}

/*
 * Opens the directory that KEY's record is in; -errno.  One that is made may be
 * swept before it is opened: then once more.
 */
static int
open_home(const struct registry *registry, const struct registry_key *key,
          enum safefs_missing missing)
{
    char name[UID_SIZE];
    int sessions = open_in_place(registry, key->place, SESSIONS, missing);
    int fd = -ENOENT;

    if (sessions < 0 || key->uid == RECORD_UNKNOWN) {
        return sessions;
    }
    (void)snprintf(name, sizeof(name), "%" PRId64, key->uid);
    for (int i = 0; fd == -ENOENT && i < ENTER_TRIES; i++) {
        fd = safefs_open_directory_at(sessions, name, OWNER, missing);
        if (missing == SAFEFS_FAIL_IF_MISSING) {
            break;
        }
    }
    (void)close(sessions);
    return fd;
}

/* The beginning of the ids of all holders of CACHE. */
static void
digest_of(const char *cache, char digest[18])
{
    (void)snprintf(digest, 18, "%016" PRIx64 "-", ccname_digest(cache));
}

/* 16 digits that nobody has had, and a NUL. */
static int
draw_digits(char digits[17])
{
    uint64_t random = 0;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
        return -errno;
    }
    (void)snprintf(digits, 17, "%016" PRIx64, random);
    return 0;
}

/* A new id for a holder of CACHE. */
static int
draw_id(const char *cache, char id[REGISTRY_ID_SIZE])
{
    char digest[18];
    char digits[17];
    int status = draw_digits(digits);

    digest_of(cache, digest);
    if (status == 0) {
        (void)snprintf(id, REGISTRY_ID_SIZE, "%s%s", digest, digits);
    }
    return status;
}

/*
 * Writes TEXT as ID of DIRECTORY so that nobody sees half of it.  Two who do so
 * at a time, or one who was killed at it, are in nobody's way.
 */
static int
write_record(int directory, const char *id, const char *text)
{
    const struct span content = span_from_text(text);
    char name[sizeof(UNFINISHED) + 17];
    char digits[17];
    int status = draw_digits(digits);

    if (status < 0) {
        return status;
    }
    (void)snprintf(name, sizeof(name), UNFINISHED "%s", digits);
    status = safefs_create(directory, name, &content, 1);
    if (status == 0 && renameat(directory, name, directory, id) < 0) {
        status = -errno;
        (void)unlinkat(directory, name, 0);
    }
    return status;
}

/* Writes TEXT as KEY's record, whose directory is there or made. */
static int
write_at(const struct registry *registry, const struct registry_key *key,
         const char *text, enum safefs_missing missing)
{
    int status = -ENOENT;

    /* It may be swept, since it is empty, while it is entered. */
    for (int i = 0; status == -ENOENT && i < ENTER_TRIES; i++) {
        int directory = open_home(registry, key, missing);

        if (directory < 0) {
            return directory;
        }
        status = write_record(directory, key->id, text);
        (void)close(directory);
    }
    return status;
}

int
registry_join(const struct registry *registry, const struct record *record,
              struct registry_key *key_out, int *state_error_out)
{
    struct registry_key key = {.place = REGISTRY_STATE, .uid = record->uid};
    char *text = NULL;
    int status = draw_id(record->cache, key.id);

    *state_error_out = 0;
    if (status == 0) {
        status = record_format(record, &text);
    }
    if (status < 0) {
        return status;
    }
    status = write_at(registry, &key, text, SAFEFS_MAKE_IF_MISSING);
    if (status < 0) {
        *state_error_out = status;
        key.place = REGISTRY_RUNTIME;
        status = write_at(registry, &key, text, SAFEFS_MAKE_IF_MISSING);
    }
    free(text);
    if (status == 0) {
        *key_out = key;
    }
    return status;
}

int
registry_change(const struct registry *registry, struct registry_key *key,
                const struct record *record)
{
    struct registry_key changed = *key;
    char digest[18];
    char *text = NULL;
    int status = 0;

    digest_of(record->cache, digest);
    if (strncmp(key->id, digest, strlen(digest)) != 0) {
        status = draw_id(record->cache, changed.id);
    }
    if (status == 0) {
        status = record_format(record, &text);
    }
    if (status == 0) {
        /* In a jail, say, there is nothing to change. */
        status = write_at(registry, &changed, text, SAFEFS_FAIL_IF_MISSING);
    }
    free(text);
    if (status == 0 && strcmp(changed.id, key->id) != 0) {
        status = registry_leave(registry, key);
        if (status == 0) {
            *key = changed;
        } else {
            (void)registry_leave(registry, &changed);
        }
    }
    return status;
}

int
registry_leave(const struct registry *registry, const struct registry_key *key)
{
    int directory = open_home(registry, key, SAFEFS_FAIL_IF_MISSING);
    int status = 0;

    if (directory < 0) {
        return directory == -ENOENT ? 0 : directory;
    }
    if (unlinkat(directory, key->id, 0) < 0 && errno != ENOENT) {
        status = -errno;
    }
    (void)close(directory);
    return status;
}

/* Moves ID of FROM to TO, under a name that nothing there has. */
static int
move_aside(int from, int to, const struct registry_key *key)
{
    char name[ASIDE_SIZE];
    char digits[17];
    int status = 0;

    (void)snprintf(name, sizeof(name), "%" PRId64 ".%.200s", key->uid, key->id);
    if (renameat2(from, key->id, to, name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    /* Taken, or a file system that cannot tell. */
    if (errno != EEXIST && errno != EINVAL) {
        return -errno;
    }
    status = draw_digits(digits);
    if (status == 0) {
        (void)snprintf(name, sizeof(name), "%" PRId64 ".%.200s.%s", key->uid,
                       key->id, digits);
        status = renameat(from, key->id, to, name) < 0 ? -errno : 0;
    }
    return status;
}

int
registry_set_aside(const struct registry *registry,
                   const struct registry_key *key)
{
    int from = open_home(registry, key, SAFEFS_FAIL_IF_MISSING);
    int to = from < 0 ? from
                      : open_in_place(registry, key->place, SET_ASIDE,
                                      SAFEFS_MAKE_IF_MISSING);
    int status = to < 0 ? to : move_aside(from, to, key);

    if (from >= 0) {
        (void)close(from);
    }
    if (to >= 0) {
        (void)close(to);
    }
    return status;
}

/* Reads the record that FD is open on. */
static int
read_record(int fd, struct record *record_out)
{
    char *text = malloc(RECORD_MAX + 1);
    size_t length = 0;
    ssize_t got = 1;
    int status = 0;

    if (text == NULL) {
        return -ENOMEM;
    }
    while (got > 0 && length <= RECORD_MAX) {
        got = read(fd, text + length, RECORD_MAX + 1 - length);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        status = -errno;
    } else if (length > RECORD_MAX) {
        status = -EMSGSIZE;
    } else {
        status = record_parse(text, length, record_out);
    }
    free(text);
    return status;
}

/* The record that NAME of DIRECTORY, which is UID's, has. */
static int
read_entry(int directory, const char *name, int64_t uid,
           struct record *record_out)
{
    int fd = safefs_open_file_at(directory, name, OWNER, S_IWGRP | S_IWOTH);
    int status = fd < 0 ? fd : read_record(fd, record_out);

    if (fd >= 0) {
        (void)close(fd);
    }
    if (status == 0 && record_out->uid != uid) {
        record_free(record_out);
        status = -EINVAL;
    }
    return status;
}

/* Who is visited, and what came of it. */
struct tour {
    const struct registry *registry;
    const char *prefix; /* of the ids that are wanted; "" = all */
    bool (*visit)(void *data, const struct registry_entry *entry);
    void *data;
    bool is_over;
    int status; /* the first failure */
};

/* Whether STATUS says that a place is not one that records could be in. */
static bool
is_no_place(int status)
{
    return status == -EPERM || status == -ELOOP || status == -ENOTDIR ||
           status == -EINVAL;
}

static void
note_failure(struct tour *tour, int status)
{
    if (tour->status == 0 || is_no_place(tour->status)) {
        tour->status = status;
    }
}

static void
show(struct tour *tour, const struct registry_entry *entry)
{
    tour->is_over = !tour->visit(tour->data, entry);
}

/* Shows what ENTRY's key names in DIRECTORY. */
static void
visit_entry(struct tour *tour, int directory, struct registry_entry *entry)
{
    struct record record = {.cache = NULL};
    int status = read_entry(directory, entry->key.id, entry->key.uid, &record);

    if (status == -ENOENT) {
        /* It has left meanwhile. */
        return;
    }
    entry->record = status == 0 ? &record : NULL;
    entry->fault = status;
    show(tour, entry);
    if (status == 0) {
        record_free(&record);
    }
}

/*
 * Calls EACH with the names in DIRECTORY, whose descriptor it takes, that do
 * not begin with a dot.
 */
static void
for_each_name(struct tour *tour, int fd, struct registry_key *key,
              void (*each)(struct tour *tour, int fd, struct registry_key *key))
{
    DIR *directory = fdopendir(fd);
    const struct dirent *entry = NULL;

    if (directory == NULL) {
        note_failure(tour, -errno);
        (void)close(fd);
        return;
    }
    while (errno = 0, !tour->is_over && (entry = readdir(directory)) != NULL) {
        if (*entry->d_name != '.') {
            (void)snprintf(key->id, sizeof(key->id), "%s", entry->d_name);
            each(tour, fd, key);
        }
    }
    if (errno != 0) {
        note_failure(tour, -errno);
    }
    (void)closedir(directory);
}

static void
visit_name(struct tour *tour, int fd, struct registry_key *key)
{
    struct registry_entry entry = {.key = *key};

    if (strncmp(key->id, tour->prefix, strlen(tour->prefix)) == 0) {
        visit_entry(tour, fd, &entry);
    }
}

/* Shows all that KEY's uid has in KEY's place. */
static void
visit_user(struct tour *tour, struct registry_key *key)
{
    int fd = open_home(tour->registry, key, SAFEFS_FAIL_IF_MISSING);

    if (fd >= 0) {
        for_each_name(tour, fd, key, visit_name);
    } else if (fd != -ENOENT) {
        note_failure(tour, fd);
    }
}

/* The uid that NAME is, RECORD_UNKNOWN where it is none. */
static int64_t
uid_of(const char *name)
{
    int64_t uid = 0;

    if (*name == '\0' || strlen(name) > 10 || (*name == '0' && name[1] != 0)) {
        return RECORD_UNKNOWN;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (!isdigit((unsigned char)*at)) {
            return RECORD_UNKNOWN;
        }
        uid = uid * 10 + (*at - '0');
    }
    return uid < UINT32_MAX ? uid : RECORD_UNKNOWN;
}

/* Shows what the directory of KEY's id has, or that it is none. */
static void
visit_uid(struct tour *tour, int fd, struct registry_key *key)
{
    struct registry_key inside = {.place = key->place, .uid = uid_of(key->id)};
    struct registry_entry entry = {.key = *key, .fault = -EINVAL};
    int home = -EINVAL;

    if (inside.uid != RECORD_UNKNOWN) {
        home = safefs_open_directory_at(fd, key->id, OWNER,
                                        SAFEFS_FAIL_IF_MISSING);
        entry.fault = home == -ENOTDIR ? -EINVAL : home;
    }
    if (home >= 0) {
        for_each_name(tour, home, &inside, visit_name);
    } else if (home != -ENOENT) {
        show(tour, &entry);
    }
}

/* Shows all that is in PLACE. */
static void
visit_place(struct tour *tour, enum registry_place place)
{
    struct registry_key key = {.place = place, .uid = RECORD_UNKNOWN};
    int fd =
        open_in_place(tour->registry, place, SESSIONS, SAFEFS_FAIL_IF_MISSING);

    if (fd >= 0) {
        for_each_name(tour, fd, &key, visit_uid);
    } else if (fd != -ENOENT) {
        note_failure(tour, fd);
    }
}

static void
travel(struct tour *tour, int64_t uid)
{
    for (int place = 0; place < REGISTRY_PLACES && !tour->is_over; place++) {
        if (uid == REGISTRY_EVERYBODY) {
            visit_place(tour, (enum registry_place)place);
        } else {
            visit_user(tour,
                       &(struct registry_key){
                           .place = (enum registry_place)place, .uid = uid});
        }
    }
}

int
registry_visit(const struct registry *registry, int64_t uid,
               bool (*visit)(void *data, const struct registry_entry *entry),
               void *data)
{
    struct tour tour = {
        .registry = registry, .prefix = "", .visit = visit, .data = data};

    travel(&tour, uid);
    return tour.status;
}

/* Takes away an unfinished record that is old. */
static void
sweep_unfinished(int fd, const char *name)
{
    struct stat status;

    if (strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0 &&
        fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_mtime < time(NULL) - UNFINISHED_S) {
        (void)unlinkat(fd, name, 0);
    }
}

/* Whether FD is still what NAME of DIRECTORY is. */
static bool
is_found_as(int fd, int directory, const char *name)
{
    struct stat ours;
    struct stat found;

    return fstat(fd, &ours) == 0 &&
           fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == found.st_dev && ours.st_ino == found.st_ino;
}

static void
sweep_user(int sessions, const char *name)
{
    int fd =
        safefs_open_directory_at(sessions, name, OWNER, SAFEFS_FAIL_IF_MISSING);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;

    if (directory == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        sweep_unfinished(fd, entry->d_name);
    }
    /*
     * Who enters it meanwhile makes it again; who has locked it keeps it, and
     * that may be another one than ours by now.
     */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (is_found_as(fd, sessions, name)) {
            (void)unlinkat(sessions, name, AT_REMOVEDIR);
        }
        (void)flock(fd, LOCK_UN);
    }
    (void)closedir(directory);
}

void
registry_sweep(const struct registry *registry)
{
    for (int place = 0; place < REGISTRY_PLACES; place++) {
        int fd = open_in_place(registry, (enum registry_place)place, SESSIONS,
                               SAFEFS_FAIL_IF_MISSING);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry = NULL;

        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            if (uid_of(entry->d_name) != RECORD_UNKNOWN) {
                sweep_user(fd, entry->d_name);
            }
        }
        if (directory != NULL) {
            (void)closedir(directory);
        } else if (fd >= 0) {
            (void)close(fd);
        }
    }
}

/* The question whether a cache has another holder. */
struct question {
    const struct registry_key *key;
    const char *cache;
    const struct presence_census *census;
    enum registry_holders holders;
    bool is_unsure; /* a holder has no host: a census will tell */
    int fault;      /* of a record that may be a holder's */
};

static bool
ask(void *data, const struct registry_entry *entry)
{
    struct question *question = data;
    const struct record *record = entry->record;

    if (question->key != NULL && entry->key.place == question->key->place &&
        strcmp(entry->key.id, question->key->id) == 0) {
        return true;
    }
    if (record == NULL) {
        question->fault = entry->fault;
        return true;
    }
    if (record->is_ended || !ccname_is_same(record->cache, question->cache)) {
        return true;
    }
    if (presence_judge(record, question->census) == PRESENCE_GONE) {
        return true;
    }
    if (question->census == NULL && !presence_has_host(record)) {
        question->is_unsure = true;
        return true;
    }
    if (record->ownership == RECORD_ADOPTED) {
        question->holders = REGISTRY_ADOPTERS;
        return true;
    }
    question->holders = REGISTRY_OTHERS;
    return false;
}

int
registry_holders(const struct registry *registry,
                 const struct registry_key *key, const struct record *record,
                 const struct presence_census *census)
{
    char digest[18];
    struct question question = {
        .key = key, .cache = record->cache, .census = census};
    struct tour tour = {.registry = registry,
                        .prefix = digest,
                        .visit = ask,
                        .data = &question};
    struct presence_census *own = NULL;

    digest_of(record->cache, digest);
    travel(&tour, record->uid);
    if (question.holders != REGISTRY_OTHERS && question.is_unsure) {
        own = presence_census_take();
        question.census = own;
        if (own == NULL) {
            /* Where nobody can be seen, everybody may be there. */
            return -EAGAIN;
        }
        travel(&tour, record->uid);
        presence_census_free(own);
    }
    if (question.holders == REGISTRY_OTHERS) {
        return REGISTRY_OTHERS;
    }
    if (tour.status < 0 && !is_no_place(tour.status)) {
        return tour.status;
    }
    return question.fault < 0 ? question.fault : (int)question.holders;
}

/*
 * Opens the directory of UID in the first place that there is.  A failure that
 * may be over in a moment (a full disk) does not lead to the second: then two
 * would have a lock each.
 */
static int
open_any_home(const struct registry *registry, int64_t uid,
              enum safefs_missing missing)
{
    struct registry_key key = {.place = REGISTRY_STATE, .uid = uid};
    int fd = open_home(registry, &key, missing);

    if (fd == -ENOENT || fd == -EROFS || is_no_place(fd)) {
        key.place = REGISTRY_RUNTIME;
        fd = open_home(registry, &key, missing);
    }
    return fd;
}

/* Whether FD is still what is found as UID's directory: it may be swept. */
static bool
is_current(const struct registry *registry, int64_t uid, int fd)
{
    struct stat ours;
    struct stat found;
    int other = open_any_home(registry, uid, SAFEFS_FAIL_IF_MISSING);
    bool is = other >= 0 && fstat(fd, &ours) == 0 &&
              fstat(other, &found) == 0 && ours.st_dev == found.st_dev &&
              ours.st_ino == found.st_ino;

    if (other >= 0) {
        (void)close(other);
    }
    return is;
}

/* One try; -EAGAIN: somebody else has the lock, or it is another's by now. */
static int
try_lock(const struct registry *registry, int64_t uid,
         enum safefs_missing missing)
{
    int fd = open_any_home(registry, uid, missing);
    int status = 0;

    if (fd < 0) {
        return fd;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        status = errno == EINTR ? -EAGAIN : -errno;
    } else if (!is_current(registry, uid, fd)) {
        status = -EAGAIN;
    }
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    return fd;
}

int
registry_lock(const struct registry *registry, int64_t uid,
              enum safefs_missing missing, int64_t limit_ms)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    struct deadline deadline = deadline_in(limit_ms);
    int fd = try_lock(registry, uid, missing);

    while (fd == -EAGAIN && deadline_left_ms(&deadline) > 0) {
        (void)nanosleep(&pause, NULL);
        fd = try_lock(registry, uid, missing);
    }
    return fd == -EAGAIN ? -ETIMEDOUT : fd;
}

void
registry_unlock(int lock)
{
    if (lock >= 0) {
        /* Also where a thread of the host has just forked with a copy. */
        (void)flock(lock, LOCK_UN);
        (void)close(lock);
    }
}
