/* Kernel keys, by keyctl(2) and two files of /proc. */
#include "support/keys.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/keyctl.h>

#include <check.h>

#define LINKS_MAX 512
#define DEPTH_MAX 8

/* Names of the keys that only take room. */
#define FILLER "filler:"

/* Results of a child, in memory that it shares with us. */
struct report {
    int error; /* errno, 0 = done */
    size_t count;
    struct keys_key *keys;
    size_t max;
};

/* What a child does as UID. */
struct errand {
    uid_t uid;
    enum keys_anchor anchor;
    long keys_left;
    long bytes_left;
};

static long
keyctl(int operation, long second, long third, unsigned long fourth)
{
    return syscall(SYS_keyctl, operation, second, third, fourth, 0L);
}

static int32_t
anchor_id(enum keys_anchor anchor)
{
    switch (anchor) {
    case KEYS_USER:
        return KEY_SPEC_USER_KEYRING;
    case KEYS_SESSION:
        return KEY_SPEC_SESSION_KEYRING;
    case KEYS_PERSISTENT:
    default:
        return KEY_SPEC_PROCESS_KEYRING;
    }
}

/*
 * In a child: becomes UID, in possession of his persistent and his user
 * keyring.  They are linked to a process keyring that was made before, as
 * root: it is not in the user's quota.  0, or errno.
 */
static int
become(uid_t uid)
{
    (void)keyctl(KEYCTL_GET_PERSISTENT, (long)uid, KEY_SPEC_PROCESS_KEYRING, 0);
    if (geteuid() == 0 &&
        (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
         setresuid(uid, uid, uid) < 0)) {
        return errno;
    }
    return keyctl(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING,
                  0) < 0
               ? errno
               : 0;
}

/* Runs BODY as its uid in a process of its own, which fails the test or not. */
static void
as_user(const struct errand *errand, struct report *report,
        int (*body)(const struct errand *errand, struct report *report))
{
    pid_t pid = -1;
    int status = 0;

    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int error = become(errand->uid);

        _exit(error != 0 ? error : body(errand, report));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "keys of uid %u: %s", (unsigned)errand->uid,
                  WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "died");
}

bool
keys_available(void)
{
    return keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1, 0) > 0;
}

/* Fills in KEY from the kernel: "TYPE;UID;GID;PERMISSIONS;DESCRIPTION". */
static void
describe(int32_t serial, int32_t parent, struct keys_key *key)
{
    char text[512] = "";
    unsigned uid = 0;
    unsigned gid = 0;
    unsigned permissions = 0;
    long length = keyctl(KEYCTL_DESCRIBE, serial, (long)text, sizeof(text) - 1);

    memset(key, 0, sizeof(*key));
    key->serial = serial;
    key->parent = parent;
    if (length < 0 || sscanf(text, "%15[^;];%u;%u;%x;%159[^\n]", key->type,
                             &uid, &gid, &permissions, key->description) < 4) {
        (void)strcpy(key->type, "?");
        key->uid = (uid_t)-1;
        return;
    }
    key->uid = uid;
    key->gid = gid;
    key->permissions = permissions;
}

/* KEYRING and what is in it, DEPTH levels down already. */
static void
walk(int32_t keyring, int32_t parent, int depth, struct report *report)
{
    int32_t links[LINKS_MAX];
    long length = 0;
    const struct keys_key *key = NULL;

    if (report->count == report->max || depth > DEPTH_MAX) {
        return;
    }
    describe(keyring, parent, &report->keys[report->count]);
    key = &report->keys[report->count++];
    if (strcmp(key->type, "keyring") != 0) {
        return;
    }
    length = keyctl(KEYCTL_READ, keyring, (long)links, sizeof(links));
    for (long i = 0; i < length / (long)sizeof(links[0]) && i < LINKS_MAX;
         i++) {
        walk(links[i], keyring, depth + 1, report);
    }
}

static int
list(const struct errand *errand, struct report *report)
{
    long keyring =
        keyctl(KEYCTL_GET_KEYRING_ID, anchor_id(errand->anchor), 0, 0);

    if (errand->anchor == KEYS_PERSISTENT) {
        keyring =
            keyctl(KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING, 0);
    }
    if (keyring < 0) {
        return errno;
    }
    walk((int32_t)keyring, 0, 0, report);
    return 0;
}

size_t
keys_list(uid_t uid, enum keys_anchor anchor, struct keys_key *keys, size_t max)
{
    size_t size = sizeof(struct report) + max * sizeof(keys[0]);
    struct report *report = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    size_t count = 0;

    ck_assert_ptr_ne(report, MAP_FAILED);
    report->keys = (struct keys_key *)(report + 1);
    report->max = max;
    as_user(&(struct errand){.uid = uid, .anchor = anchor}, report, list);
    count = report->count;
    memcpy(keys, report->keys, count * sizeof(keys[0]));
    (void)munmap(report, size);
    return count;
}

struct keys_usage
keys_usage(uid_t uid)
{
    struct keys_usage usage = {0};
    FILE *file = fopen("/proc/key-users", "re");
    char line[256];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        struct keys_usage his = {0};
        unsigned id = 0;

        /* UID: USAGE KEYS/INSTANTIATED KEYS/MAX BYTES/MAX */
        if (sscanf(line, "%u: %*d %*d/%*d %ld/%ld %ld/%ld", &id, &his.keys,
                   &his.keys_max, &his.bytes, &his.bytes_max) == 5 &&
            id == uid) {
            usage = his;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return usage;
}

/* One more key of LENGTH bytes in the user's keyring; its name has a number. */
static int
add_filler(long length)
{
    static char payload[32767];
    static unsigned number;
    char name[32];

    (void)snprintf(name, sizeof(name), FILLER "%05u", number++);
    return syscall(SYS_add_key, "user", name, payload, (size_t)length,
                   KEY_SPEC_USER_KEYRING) < 0
               ? errno
               : 0;
}

/* What a filler costs besides its bytes: its name, its link. */
static long
filler_cost(void)
{
    struct keys_usage before = keys_usage(geteuid());

    return add_filler(1) != 0 ? -1
                              : keys_usage(geteuid()).bytes - before.bytes - 1;
}

static int
fill(const struct errand *errand, struct report *report)
{
    struct keys_usage usage;
    long cost = filler_cost();
    int error = cost < 0 ? EDQUOT : 0;

    (void)report;
    usage = keys_usage(errand->uid);
    while (error == 0 && errand->keys_left >= 0 &&
           usage.keys_max - usage.keys > errand->keys_left + 1) {
        error = add_filler(1);
        usage = keys_usage(errand->uid);
    }
    if (error == 0 && errand->bytes_left >= 0) {
        error = add_filler(usage.bytes_max - usage.bytes - cost -
                           errand->bytes_left);
    } else if (error == 0 && errand->keys_left >= 0) {
        error = add_filler(1);
    }
    usage = keys_usage(errand->uid);
    return error != 0 ? error
           : (errand->keys_left < 0 ||
              usage.keys_max - usage.keys == errand->keys_left) &&
                   (errand->bytes_left < 0 ||
                    usage.bytes_max - usage.bytes == errand->bytes_left)
               ? 0
               : ERANGE;
}

void
keys_fill(uid_t uid, long keys_left, long bytes_left)
{
    as_user(&(struct errand){.uid = uid,
                             .keys_left = keys_left,
                             .bytes_left = bytes_left},
            NULL, fill);
}

static int
drain(const struct errand *errand, struct report *report)
{
    int32_t links[LINKS_MAX];
    long length =
        keyctl(KEYCTL_READ, KEY_SPEC_USER_KEYRING, (long)links, sizeof(links));

    (void)errand;
    (void)report;
    for (long i = 0; i < length / (long)sizeof(links[0]) && i < LINKS_MAX;
         i++) {
        struct keys_key key;

        describe(links[i], 0, &key);
        if (strncmp(key.description, FILLER, strlen(FILLER)) == 0 &&
            keyctl(KEYCTL_UNLINK, links[i], KEY_SPEC_USER_KEYRING, 0) < 0) {
            return errno;
        }
    }
    return length < 0 ? errno : 0;
}

void
keys_drain(uid_t uid)
{
    as_user(&(struct errand){.uid = uid}, NULL, drain);
    keys_settle(uid);
}

/* How many keys of UID's are in his quota and in one of his keyrings. */
static long
count_held(uid_t uid)
{
    static const int32_t anchors[] = {KEY_SPEC_USER_KEYRING,
                                      KEY_SPEC_USER_SESSION_KEYRING,
                                      KEY_SPEC_SESSION_KEYRING};
    static struct keys_key keys[LINKS_MAX];
    struct report report = {.keys = keys, .max = LINKS_MAX};
    long persistent =
        keyctl(KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING, 0);
    long held = 0;

    for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++) {
        /* Not to be created: that would be one more session keyring of his. */
        long keyring = keyctl(KEYCTL_GET_KEYRING_ID, anchors[i], 0, 0);

        if (keyring > 0) {
            walk((int32_t)keyring, 0, 0, &report);
        }
    }
    if (persistent > 0) {
        walk((int32_t)persistent, 0, 0, &report);
    }
    for (size_t i = 0; i < report.count; i++) {
        /* The persistent keyring itself is in nobody's quota. */
        bool counts = keys[i].uid == uid && keys[i].serial != persistent;

        for (size_t j = 0; j < i && counts; j++) {
            counts = keys[j].serial != keys[i].serial;
        }
        held += counts;
    }
    return held;
}

/* Polls without a change after which somebody else holds what is too much. */
#define PATIENCE 100

static int
settle(const struct errand *errand, struct report *report)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    const long held = count_held(errand->uid);
    long before = -1;

    (void)report;
    for (int i = 0; i < PATIENCE; i++) {
        long now = keys_usage(errand->uid).keys;

        if (now <= held) {
            break;
        }
        if (now != before) {
            i = 0;
        }
        before = now;
        (void)nanosleep(&pause, NULL);
    }
    return 0;
}

void
keys_settle(uid_t uid)
{
    as_user(&(struct errand){.uid = uid}, NULL, settle);
}

void
keys_join_session(uid_t uid)
{
    /* The keyring's owner is the real user, as with pam_keyinit. */
    ck_assert_int_eq(setregid(uid, (gid_t)-1), 0);
    ck_assert_int_eq(setreuid(uid, (uid_t)-1), 0);
    ck_assert_int_gt(keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0), 0);
    ck_assert_int_eq(setreuid(geteuid(), (uid_t)-1), 0);
    ck_assert_int_eq(setregid(getegid(), (gid_t)-1), 0);
    ck_assert_uint_eq(keys_session_owner(), uid);
}

uid_t
keys_session_owner(void)
{
    struct keys_key key;

    describe(KEY_SPEC_SESSION_KEYRING, 0, &key);
    return key.uid;
}

static int
clear(const struct errand *errand, struct report *report)
{
    long persistent =
        keyctl(KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING, 0);

    (void)report;
    if (persistent > 0) {
        (void)keyctl(KEYCTL_CLEAR, persistent, 0, 0);
    }
    if (keys_session_owner() == errand->uid) {
        (void)keyctl(KEYCTL_CLEAR, KEY_SPEC_SESSION_KEYRING, 0, 0);
    }
    if (keyctl(KEYCTL_CLEAR, KEY_SPEC_USER_KEYRING, 0, 0) < 0 ||
        keyctl(KEYCTL_CLEAR, KEY_SPEC_USER_SESSION_KEYRING, 0, 0) < 0) {
        return errno;
    }
    return 0;
}

void
keys_clear(uid_t uid)
{
    as_user(&(struct errand){.uid = uid}, NULL, clear);
    keys_settle(uid);
}
