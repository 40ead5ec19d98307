/* Who runs, as /proc says, and what that means for a record. */
#include "registry/presence.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any file of /proc that is read here has before what is wanted. */
#define TEXT_MAX 4096

/* The longest id of a logind session that is believed. */
#define LOGIND_MAX 64

#define LOGIND_SESSIONS "/run/systemd/sessions"

/* The audit and login id of a process that nobody has given one. */
#define AUDIT_UNSET 4294967295LL

/* One process. */
struct person {
    int64_t pid;
    int64_t uids[4]; /* real, effective, saved, of the file system */
    int64_t audit;
    int64_t login_uid;
    char logind[LOGIND_MAX];
};

struct presence_census {
    struct person *list;
    size_t count;
    size_t capacity;
};

/* The beginning of the file PATH as a text; -errno. */
static int
read_text(const char *path, char text[TEXT_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, text, TEXT_MAX - 1);
    int status = length < 0 ? -errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    text[length < 0 ? 0 : length] = '\0';
    return status;
}

/* The file NAME of the process PID ("self" as well) of /proc. */
static int
read_of(const char *pid, const char *name, char text[TEXT_MAX])
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, name);
    return read_text(path, text);
}

/* The number that TEXT begins with, RECORD_UNKNOWN where it does not. */
static int64_t
number_in(const char *text)
{
    return isdigit((unsigned char)*text) ? strtoll(text, NULL, 10)
                                         : RECORD_UNKNOWN;
}

/* Whether STATUS of reading a file of a process says that it is gone. */
static bool
says_gone(int status)
{
    return status == -ENOENT || status == -ESRCH;
}

/*
 * The number in the file NAME of PID, RECORD_UNKNOWN where it has no such file.
 * 0, or -errno where that cannot be told.
 */
static int
number_of(const char *pid, const char *name, int64_t *number_out)
{
    char text[TEXT_MAX];
    int status = read_of(pid, name, text);

    *number_out = number_in(text);
    return says_gone(status) ? 0 : status;
}

/*
 * Whether STATE, as proc(5) writes it, of a process of so many THREADS is that
 * of a dead one.  A first thread that has ended looks like that too.
 */
static bool
is_death(const char *state, int64_t threads)
{
    return (*state == 'Z' || *state == 'X') && threads <= 1;
}

/* Field NUMBER, from 3 on, of the stat of a process (proc(5)); or NULL. */
static const char *
stat_field(const char *text, int number)
{
    /* The second field, the process's name, has any character in it. */
    const char *at = strrchr(text, ')');

    for (int i = 2; at != NULL && i < number; i++) {
        at = strchr(at + 1, ' ');
    }
    return at == NULL ? NULL : at + 1;
}

static int64_t
stat_number(const char *text, int number)
{
    const char *field = stat_field(text, number);

    return field == NULL ? RECORD_UNKNOWN : number_in(field);
}

/*
 * When the process PID was started.  0 or -errno; one that is dead and only
 * waits for its parent is gone (-ESRCH).
 */
static int
start_of(const char *pid, int64_t *start_out)
{
    char text[TEXT_MAX];
    int status = read_of(pid, "stat", text);
    const char *state = stat_field(text, 3);

    *start_out = stat_number(text, 22);
    return state != NULL && is_death(state, stat_number(text, 20)) ? -ESRCH
                                                                   : status;
}

/* Whether TEXT of LENGTH bytes can be the id of a logind session. */
static bool
is_logind_id(const char *text, size_t length)
{
    if (length == 0 || length >= LOGIND_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i])) {
            return false;
        }
    }
    return true;
}

/* The logind session that PID is in, by its control group, or "".  As above. */
static int
logind_of(const char *pid, char id[LOGIND_MAX])
{
    static const char before[] = "/session-";
    static const char behind[] = ".scope";
    char text[TEXT_MAX];
    const char *at = NULL;
    const char *end = NULL;
    int status = read_of(pid, "cgroup", text);

    *id = '\0';
    at = strstr(text, before);
    end = at == NULL ? NULL : strstr(at, behind);
    if (end != NULL) {
        at += strlen(before);
        if (is_logind_id(at, (size_t)(end - at))) {
            memcpy(id, at, (size_t)(end - at));
            id[end - at] = '\0';
        }
    }
    return says_gone(status) ? 0 : status;
}

/* Whether this process leads the logind session ID. */
static bool
leads_session(const char *id)
{
    char path[sizeof(LOGIND_SESSIONS) + LOGIND_MAX];
    char text[TEXT_MAX];
    const char *at = NULL;

    (void)snprintf(path, sizeof(path), LOGIND_SESSIONS "/%s", id);
    if (read_text(path, text) < 0) {
        return false;
    }
    at = strstr(text, "\nLEADER=");
    return at != NULL && number_in(strchr(at, '=') + 1) == getpid();
}

/* The kernel's boot id into BOOT, "" where it has none. */
static void
boot_of(char boot[TEXT_MAX])
{
    (void)read_text("/proc/sys/kernel/random/boot_id", boot);
    boot[strcspn(boot, "\n")] = '\0';
}

/* The inode of this process's pid namespace. */
static int64_t
pid_namespace(void)
{
    struct stat status;

    return stat("/proc/self/ns/pid", &status) < 0 ? RECORD_UNKNOWN
                                                  : (int64_t)status.st_ino;
}

/* Puts a copy of TEXT in the place of *FIELD. */
static int
set_text(char **field, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL) {
        return -ENOMEM;
    }
    free(*field);
    *field = copy;
    return 0;
}

int
presence_of_caller(struct record *record)
{
    char boot[TEXT_MAX];

    boot_of(boot);
    record->pid_namespace = pid_namespace();
    record->pid = getpid();
    (void)start_of("self", &record->start);
    return set_text(&record->boot, boot);
}

/* This process's own audit session, where it is a session of UID's. */
static int64_t
own_audit(int64_t uid)
{
    int64_t audit = RECORD_UNKNOWN;
    int64_t callers = RECORD_UNKNOWN;
    int64_t login_uid = RECORD_UNKNOWN;
    char parent[32];

    (void)number_of("self", "sessionid", &audit);
    if (audit == AUDIT_UNSET || audit == RECORD_UNKNOWN) {
        return RECORD_UNKNOWN;
    }
    (void)snprintf(parent, sizeof(parent), "%d", (int)getppid());
    (void)number_of("self", "loginuid", &login_uid);
    (void)number_of(parent, "sessionid", &callers);
    /* Of a caller who cannot be seen it may be as well. */
    return audit == callers || callers == RECORD_UNKNOWN || login_uid != uid
               ? RECORD_UNKNOWN
               : audit;
}

int
presence_of_session(struct record *record, const char *xdg_session_id)
{
    char logind[LOGIND_MAX];

    record->audit = own_audit(record->uid);
    if (xdg_session_id != NULL &&
        is_logind_id(xdg_session_id, strlen(xdg_session_id))) {
        memcpy(logind, xdg_session_id, strlen(xdg_session_id) + 1);
    } else {
        (void)logind_of("self", logind);
    }
    return set_text(&record->logind,
                    *logind != '\0' && leads_session(logind) ? logind : "");
}

/*
 * Whether /proc is that of this process's pid namespace: if not, its numbers
 * are other processes'.
 */
static bool
has_own_proc(void)
{
    char text[32];
    ssize_t length = readlink("/proc/self", text, sizeof(text) - 1);

    text[length < 0 ? 0 : length] = '\0';
    return number_in(text) == getpid();
}

bool
presence_has_host(const struct record *record)
{
    char pid[32];
    int64_t start = RECORD_UNKNOWN;
    int status = 0;

    /* When it began tells it from a later one; that it is not there, its pid.
     */
    if (record->pid <= 0 || !has_own_proc() ||
        (record->start == RECORD_UNKNOWN &&
         record->pid_namespace == RECORD_UNKNOWN)) {
        return true;
    }
    (void)snprintf(pid, sizeof(pid), "%lld", (long long)record->pid);
    status = start_of(pid, &start);
    if (status < 0) {
        /* For want of descriptors, say, nobody is dead. */
        return !says_gone(status);
    }
    return start == record->start || start == RECORD_UNKNOWN ||
           record->start == RECORD_UNKNOWN;
}

/* Whether /proc shows the processes of others (hidepid, see proc(5)). */
static bool
can_see(void)
{
    int64_t start = RECORD_UNKNOWN;

    return has_own_proc() && start_of("1", &start) == 0;
}

/* What stands behind NAME in TEXT, the status of a process; or "". */
static const char *
status_value(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at == NULL ? "" : at + strlen(name);
}

/* Fills in PERSON.  0, or -errno: one who has gone meanwhile is nobody. */
static int
meet(const char *pid, struct person *person)
{
    char text[TEXT_MAX];
    const char *at = NULL;
    int status = read_of(pid, "status", text);

    if (status < 0) {
        return status;
    }
    if (is_death(status_value(text, "\nState:\t"),
                 number_in(status_value(text, "\nThreads:\t")))) {
        return -ESRCH;
    }
    at = strstr(text, "\nUid:");
    for (size_t i = 0; i < 4; i++) {
        at = at == NULL ? NULL : strchr(at, '\t');
        at = at == NULL ? NULL : at + 1;
        person->uids[i] = at == NULL ? RECORD_UNKNOWN : number_in(at);
    }
    person->pid = number_in(pid);
    status = number_of(pid, "sessionid", &person->audit);
    if (status == 0) {
        status = number_of(pid, "loginuid", &person->login_uid);
    }
    return status == 0 ? logind_of(pid, person->logind) : status;
}

static bool
make_room(struct presence_census *census)
{
    size_t capacity = census->capacity == 0 ? 256 : census->capacity * 2;
    struct person *list = NULL;

    if (census->count < census->capacity) {
        return true;
    }
    list = reallocarray(census->list, capacity, sizeof(*list));
    if (list == NULL) {
        return false;
    }
    census->list = list;
    census->capacity = capacity;
    return true;
}

void
presence_census_free(struct presence_census *census)
{
    if (census != NULL) {
        free(census->list);
        free(census);
    }
}

/* Counts the process PID in.  False: who is there cannot be told. */
static bool
count_in(struct presence_census *census, const char *pid)
{
    int status = 0;

    if (!make_room(census)) {
        return false;
    }
    status = meet(pid, &census->list[census->count]);
    census->count += status == 0;
    return status == 0 || says_gone(status);
}

/* Counts everybody in PROC in. */
static bool
count_all(struct presence_census *census, DIR *proc)
{
    const struct dirent *entry = NULL;

    for (;;) {
        errno = 0;
        entry = readdir(proc);
        if (entry == NULL) {
            return errno == 0;
        }
        if (isdigit((unsigned char)*entry->d_name) &&
            !count_in(census, entry->d_name)) {
            return false;
        }
    }
}

struct presence_census *
presence_census_take(void)
{
    struct presence_census *census = calloc(1, sizeof(*census));
    DIR *proc = opendir("/proc");
    bool is_whole =
        census != NULL && proc != NULL && can_see() && count_all(census, proc);

    if (proc != NULL) {
        (void)closedir(proc);
    }
    if (!is_whole) {
        presence_census_free(census);
        census = NULL;
    }
    return census;
}

static bool
has_uid(const struct person *person, int64_t uid)
{
    for (size_t i = 0; i < 4; i++) {
        if (person->uids[i] == uid) {
            return true;
        }
    }
    return false;
}

/* Whether PERSON is of the session that RECORD is about. */
static bool
is_of_session(const struct person *person, const struct record *record)
{
    if (record->audit != RECORD_UNKNOWN) {
        return person->audit == record->audit &&
               person->login_uid == record->uid && has_uid(person, record->uid);
    }
    return has_uid(person, record->uid) &&
           (*record->logind == '\0' ||
            strcmp(person->logind, record->logind) == 0);
}

static bool
has_session(const struct record *record, const struct presence_census *census)
{
    for (size_t i = 0; i < census->count; i++) {
        if (is_of_session(&census->list[i], record)) {
            return true;
        }
    }
    return false;
}

enum presence
presence_judge(const struct record *record,
               const struct presence_census *census)
{
    char boot[TEXT_MAX];
    int64_t here = pid_namespace();

    boot_of(boot);
    /* Before the boot: a container may say that it has one of its own. */
    if (record->pid_namespace != here &&
        record->pid_namespace != RECORD_UNKNOWN) {
        return PRESENCE_ELSEWHERE;
    }
    if (*boot != '\0' && *record->boot != '\0' &&
        strcmp(boot, record->boot) != 0) {
        return PRESENCE_GONE;
    }
    if (census == NULL || presence_has_host(record) ||
        has_session(record, census)) {
        return PRESENCE_LIVE;
    }
    return PRESENCE_GONE;
}
