/*
 * Keys and files that hand a blob over.  The keys are in a keyring of their own
 * in root's user keyring.  By its creation a key lets whoever possesses it do
 * everything, and its owner nothing; and who inherits root's session keyring
 * may possess what is linked to the user keyring.  So all is made where nobody
 * else comes, in the keyring of a thread that ends with that work, gets its
 * permissions and its time limit there, and is linked as the last step.  The
 * host's own threads have no keyring more than before.  A key that is filled
 * later has nothing in it until then, and root may still write to it.
 */
#include "registry/stash.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/safefs.h"

/* The most that a key of type "user" holds (user_preparse of the kernel). */
#define KEY_MAX 32767
#define KEYS_MAX ((BYTES_MAX + KEY_MAX - 1) / KEY_MAX)

/* What uid 0 may do, and nobody else: all; view, read and search; that, and
 * write and change what may be done. */
#define KEYRING_PERMISSIONS 0x003f0000
#define KEY_PERMISSIONS 0x000b0000
#define EMPTY_KEY_PERMISSIONS 0x002f0000

/* The thread needs little, and as little as there may be. */
#define STACK_SIZE ((size_t)128 << 10)

/* Of the random part of a name: 128 bits in hexadecimal. */
#define RANDOM_LENGTH 32

/* A name: KIND, COUNT of keys where it is keys, "-", the random part. */
#define KIND_KEYS 'k'
#define KIND_FILE 'f'

#define DESCRIPTION_SIZE 80
#define FOLDER "stash"

/* Nobody is so long about the time that a file begins with: he was killed. */
#define UNFINISHED_S 600

struct name {
    char kind;
    unsigned int count;
    char random[RANDOM_LENGTH + 1];
};

static long
keyctl(int operation, unsigned long a, unsigned long b, unsigned long c)
{
    return syscall(SYS_keyctl, operation, a, b, c, 0);
}

static int
draw_name(struct name *name, char kind, unsigned int count)
{
    uint64_t random[2];

    if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
        return -errno;
    }
    *name = (struct name){.kind = kind, .count = count};
    (void)snprintf(name->random, sizeof(name->random),
                   "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    return 0;
}

static void
write_name(const struct name *name, char text[STASH_NAME_SIZE])
{
    (void)snprintf(text, STASH_NAME_SIZE, "%c%u-%s", name->kind, name->count,
                   name->random);
}

/* 0, or -EBADMSG where TEXT is no name as write_name writes it. */
static int
read_name(const char *text, struct name *name_out)
{
    struct name name = {.kind = *text};
    char again[STASH_NAME_SIZE];
    char *end = NULL;
    unsigned long count = 0;
    const char *random = NULL;

    if ((*text != KIND_KEYS && *text != KIND_FILE) ||
        !isdigit((unsigned char)text[1])) {
        return -EBADMSG;
    }
    count = strtoul(text + 1, &end, 10);
    random = end + 1;
    if (*end != '-' || count > KEYS_MAX ||
        (*text == KIND_KEYS) != (count > 0) ||
        strlen(random) != RANDOM_LENGTH ||
        strspn(random, "0123456789abcdef") != RANDOM_LENGTH) {
        return -EBADMSG;
    }
    name.count = (unsigned int)count;
    memcpy(name.random, random, RANDOM_LENGTH);
    write_name(&name, again);
    if (strcmp(text, again) != 0) {
        return -EBADMSG;
    }
    *name_out = name;
    return 0;
}

/* Keys. */

/* What the keyring of NAME is called; another count is another keyring. */
static void
describe(const struct name *name, char description[DESCRIPTION_SIZE])
{
    (void)snprintf(description, DESCRIPTION_SIZE, "pam_krb5cc:%u-%s",
                   name->count, name->random);
}

/* Takes KEYRING and all that is in it away. */
static void
drop_keyring(long keyring)
{
    (void)keyctl(KEYCTL_REVOKE, (unsigned long)keyring, 0, 0);
    (void)keyctl(KEYCTL_UNLINK, (unsigned long)keyring,
                 (unsigned long)KEY_SPEC_USER_KEYRING, 0);
}

/* Gives KEY this LIFETIME_S and these PERMISSIONS, which take the right to do
 * that away; 0 or -errno. */
static int
restrict_key(long key, unsigned long permissions, int64_t lifetime_s)
{
    /* The kernel counts in whole seconds, of which the first may be over. */
    return keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)key,
                  (unsigned long)lifetime_s + 1, 0) < 0 ||
                   keyctl(KEYCTL_SETPERM, (unsigned long)key, permissions, 0) <
                       0
               ? -errno
               : 0;
}

/* What is to be put into keys, and what came of it. */
struct deposit {
    struct name *name;
    struct span content;
    unsigned long permissions; /* of the keys */
    int64_t lifetime_s;
    int status;
};

/* Puts part INDEX of DEPOSIT into KEYRING; 0 or -errno. */
static int
put_part(long keyring, unsigned int index, const struct deposit *deposit)
{
    size_t offset = (size_t)index * KEY_MAX;
    size_t rest = deposit->content.length - offset;
    char description[DESCRIPTION_SIZE];
    long key = 0;

    (void)snprintf(description, sizeof(description), "%u", index);
    key = syscall(SYS_add_key, "user", description,
                  deposit->content.data + offset,
                  rest < KEY_MAX ? rest : KEY_MAX, keyring);
    return key < 0
               ? -errno
               : restrict_key(key, deposit->permissions, deposit->lifetime_s);
}

/* Fills KEYRING and lets it be found; 0 or -errno. */
static int
fill_keyring(long keyring, const struct deposit *deposit)
{
    int status =
        restrict_key(keyring, KEYRING_PERMISSIONS, deposit->lifetime_s);

    for (unsigned int i = 0; status == 0 && i < deposit->name->count; i++) {
        status = put_part(keyring, i, deposit);
    }
    if (status == 0 && keyctl(KEYCTL_LINK, (unsigned long)keyring,
                              (unsigned long)KEY_SPEC_USER_KEYRING, 0) < 0) {
        status = -errno;
    }
    return status;
}

/* The thread: what it makes and does not link goes with it. */
static void *
make_deposit(void *data)
{
    struct deposit *deposit = data;
    char description[DESCRIPTION_SIZE];
    long keyring = 0;

    describe(deposit->name, description);
    keyring = syscall(SYS_add_key, "keyring", description, NULL, 0,
                      KEY_SPEC_THREAD_KEYRING);
    deposit->status = keyring < 0 ? -errno : fill_keyring(keyring, deposit);
    return NULL;
}

/* Runs make_deposit in a thread that no signal of the host's is given to. */
static int
run_deposit(struct deposit *deposit)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    int error = pthread_attr_init(&attributes);

    if (error != 0) {
        return -error;
    }
    (void)sigfillset(&all);
    error = pthread_attr_setsigmask_np(&attributes, &all);
    if (error == 0) {
        error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    }
    if (error == 0) {
        error = pthread_create(&thread, &attributes, make_deposit, deposit);
    }
    if (error == 0) {
        error = pthread_join(thread, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    return error != 0 ? -error : deposit->status;
}

static int
put_keys(struct span content, unsigned long permissions, int64_t lifetime_s,
         struct name *name)
{
    struct deposit deposit = {
        .name = name,
        .content = content,
        .permissions = permissions,
        .lifetime_s = lifetime_s,
    };
    int status =
        draw_name(name, KIND_KEYS,
                  (unsigned int)((content.length + KEY_MAX - 1) / KEY_MAX));

    return status == 0 ? run_deposit(&deposit) : status;
}

/*
 * 0 where KEY is of TYPE, root's, with PERMISSIONS and DESCRIPTION; -EPERM
 * where it is not, -ENOENT where it has just gone.
 */
static int
judge_key(long key, const char *type, unsigned int permissions,
          const char *description)
{
    char found[160];
    char begin[32];
    char end[DESCRIPTION_SIZE + 16];
    long length = keyctl(KEYCTL_DESCRIBE, (unsigned long)key,
                         (unsigned long)found, sizeof(found));
    size_t found_length = 0;

    if (length <= 0) {
        return errno == EACCES ? -EPERM : -ENOENT;
    }
    if ((size_t)length > sizeof(found)) {
        return -EPERM;
    }
    /* type;uid;gid;permissions;description, and a NUL. */
    found_length = strlen(found);
    (void)snprintf(begin, sizeof(begin), "%s;0;", type);
    (void)snprintf(end, sizeof(end), ";%08x;%s", permissions, description);
    return strncmp(found, begin, strlen(begin)) == 0 &&
                   found_length >= strlen(begin) + strlen(end) &&
                   strcmp(found + found_length - strlen(end), end) == 0
               ? 0
               : -EPERM;
}

/* The key of TYPE with DESCRIPTION in KEYRING; -ENOENT, -EPERM. */
static long
find_key(long keyring, const char *type, unsigned int permissions,
         const char *description)
{
    long key = keyctl(KEYCTL_SEARCH, (unsigned long)keyring,
                      (unsigned long)type, (unsigned long)description);
    int judged =
        key < 0 ? -ENOENT : judge_key(key, type, permissions, description);

    return judged < 0 ? judged : key;
}

static long
find_keyring(const struct name *name)
{
    char description[DESCRIPTION_SIZE];

    describe(name, description);
    return find_key(KEY_SPEC_USER_KEYRING, "keyring", KEYRING_PERMISSIONS,
                    description);
}

/*
 * Puts CONTENT into the one key of KEYRING, which nobody has written to yet;
 * both live for LIFETIME_S from now on.  0 or -errno.
 */
static int
fill_key(long keyring, struct span content, int64_t lifetime_s)
{
    long key = find_key(keyring, "user", EMPTY_KEY_PERMISSIONS, "0");

    if (key < 0) {
        return (int)key;
    }
    if (keyctl(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)content.data,
               content.length) < 0) {
        return -errno;
    }
    /* An update takes the time limit away (user_update of the kernel). */
    return restrict_key(key, KEY_PERMISSIONS, lifetime_s) < 0 ||
                   keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)keyring,
                          (unsigned long)lifetime_s + 1, 0) < 0
               ? -errno
               : 0;
}

/* Appends what part INDEX of KEYRING holds to CONTENT. */
static int
read_part(long keyring, unsigned int index, struct bytes *content)
{
    char description[DESCRIPTION_SIZE];
    size_t length = content->length;
    size_t room = BYTES_MAX - length < KEY_MAX ? BYTES_MAX - length : KEY_MAX;
    long got = 0;
    long key = 0;
    int status = bytes_reserve(content, length + room);

    if (status < 0) {
        return status;
    }
    (void)snprintf(description, sizeof(description), "%u", index);
    key = find_key(keyring, "user", KEY_PERMISSIONS, description);
    if (key < 0) {
        return key == -ENOENT ? -EBADMSG : (int)key;
    }
    got = keyctl(KEYCTL_READ, (unsigned long)key,
                 (unsigned long)(content->data + length), room);
    if (got < 0 || (size_t)got > room) {
        /* Expired or revoked in this very moment; or it is no part. */
        return got < 0 ? -ENOENT : -EBADMSG;
    }
    content->length += (size_t)got;
    return 0;
}

/*
 * Makes KEYRING this process's to read: a keyring can be closed to new links
 * once only.  -ENOENT where somebody else was first, or is through with it.
 */
static int
claim(long keyring)
{
    if (keyctl(KEYCTL_RESTRICT_KEYRING, (unsigned long)keyring, 0, 0) == 0) {
        return 0;
    }
    /* Kernels before 4.12 do not know how: there it is the first to read. */
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -ENOENT;
}

static int
take_keys(const struct name *name, struct bytes *content)
{
    long keyring = find_keyring(name);
    int status = keyring < 0 ? (int)keyring : claim(keyring);

    if (status < 0) {
        return status;
    }
    for (unsigned int i = 0; status == 0 && i < name->count; i++) {
        status = read_part(keyring, i, content);
    }
    drop_keyring(keyring);
    return status;
}

static void
drop_keys(const struct name *name)
{
    long keyring = find_keyring(name);

    if (keyring >= 0) {
        drop_keyring(keyring);
    }
}

/* Files. */

static int
open_folder(const char *runtime_dir, enum safefs_missing missing)
{
    int runtime = safefs_open_directory(runtime_dir, 0, missing);
    int folder = -1;

    if (runtime < 0) {
        return runtime;
    }
    folder = safefs_open_directory_at(runtime, FOLDER, 0, missing);
    (void)close(runtime);
    return folder;
}

/* A file: the time of its end, then the content. */
static int
put_file(const char *runtime_dir, struct span content, int64_t lifetime_s,
         struct name *name)
{
    int64_t end = (int64_t)time(NULL) + lifetime_s;
    const struct span parts[] = {
        {.data = (const uint8_t *)&end, .length = sizeof(end)},
        content,
    };
    int status = draw_name(name, KIND_FILE, 0);
    int folder = -1;

    if (status < 0) {
        return status;
    }
    folder = open_folder(runtime_dir, SAFEFS_MAKE_IF_MISSING);
    if (folder < 0) {
        return folder;
    }
    status = safefs_create(folder, name->random, parts, 2);
    (void)close(folder);
    return status;
}

/* Opens NAME of FOLDER; -EPERM where it is no file of root's alone, -errno. */
static int
open_own(int folder, const char *name)
{
    int fd = safefs_open_file_at(folder, name, 0, S_IRWXG | S_IRWXO);

    return fd == -ELOOP || fd == -EINVAL ? -EPERM : fd;
}

/* Appends what FD has to CONTENT; -ENOENT where it is void. */
static int
read_file(int fd, struct bytes *content)
{
    int64_t end = 0;
    struct stat file;
    size_t length = 0;
    ssize_t got = read(fd, &end, sizeof(end));
    int status = 0;

    if (got != sizeof(end) || fstat(fd, &file) < 0 ||
        file.st_size <= (off_t)sizeof(end) ||
        file.st_size > (off_t)(sizeof(end) + BYTES_MAX)) {
        return -EBADMSG;
    }
    if (end < (int64_t)time(NULL)) {
        return -ENOENT;
    }
    length = (size_t)file.st_size - sizeof(end);
    status = bytes_reserve(content, content->length + length);
    if (status < 0) {
        return status;
    }
    got = read(fd, content->data + content->length, length);
    if (got < 0 || (size_t)got != length) {
        return -EBADMSG;
    }
    content->length += length;
    return 0;
}

static int
take_file(const char *runtime_dir, const struct name *name,
          struct bytes *content)
{
    int folder = open_folder(runtime_dir, SAFEFS_FAIL_IF_MISSING);
    int fd = folder < 0 ? folder : open_own(folder, name->random);
    int status = fd;

    if (folder >= 0 && fd != -ENOENT) {
        /* Who removes it is who may read it. */
        int removed = unlinkat(folder, name->random, 0) < 0 ? -errno : 0;

        status = fd < 0 ? fd : removed;
    }
    if (fd >= 0) {
        if (status == 0) {
            status = read_file(fd, content);
        }
        (void)close(fd);
    }
    if (folder >= 0) {
        (void)close(folder);
    }
    return status;
}

static void
drop_file(const char *runtime_dir, const struct name *name)
{
    int folder = open_folder(runtime_dir, SAFEFS_FAIL_IF_MISSING);

    if (folder >= 0) {
        (void)unlinkat(folder, name->random, 0);
        (void)close(folder);
    }
}

/* Whether the file FD is void: its time is over, or it never got one. */
static bool
is_void(int fd)
{
    struct stat status;
    int64_t end = 0;
    int64_t now = (int64_t)time(NULL);
    ssize_t got = read(fd, &end, sizeof(end));

    if (got == sizeof(end)) {
        return end < now;
    }
    return got >= 0 && fstat(fd, &status) == 0 &&
           status.st_mtime < now - UNFINISHED_S;
}

/* Removes NAME of FOLDER where it is void, or nothing that could be taken. */
static bool
sweep_file(int folder, const char *name)
{
    int fd = open_own(folder, name);
    /* EACCES: its maker was killed before he had undone his umask. */
    bool is_waste = fd < 0 ? fd == -EPERM || fd == -EACCES : is_void(fd);

    if (fd >= 0) {
        (void)close(fd);
    }
    return is_waste && unlinkat(folder, name, 0) == 0;
}

unsigned int
stash_sweep(const char *runtime_dir)
{
    int folder = open_folder(runtime_dir, SAFEFS_FAIL_IF_MISSING);
    DIR *directory = folder < 0 ? NULL : fdopendir(folder);
    const struct dirent *entry = NULL;
    unsigned int count = 0;

    if (directory == NULL) {
        if (folder >= 0) {
            (void)close(folder);
        }
        return 0;
    }
    while ((entry = readdir(directory)) != NULL) {
        count += *entry->d_name != '.' && sweep_file(folder, entry->d_name);
    }
    (void)closedir(directory);
    return count;
}

/* Whichever of the two it is. */

/* Of a key 0 would be no limit at all, and a larger one another. */
static bool
is_lifetime(int64_t lifetime_s)
{
    return lifetime_s >= 1 && lifetime_s <= INT32_MAX;
}

int
stash_prepare(int64_t lifetime_s, char name_out[STASH_NAME_SIZE])
{
    /* A key of this type has at least one byte. */
    static const uint8_t nothing[1];
    const struct span content = {.data = nothing, .length = sizeof(nothing)};
    struct name name = {.kind = KIND_KEYS};
    int status =
        is_lifetime(lifetime_s)
            ? put_keys(content, EMPTY_KEY_PERMISSIONS, lifetime_s, &name)
            : -EINVAL;

    if (status == 0) {
        write_name(&name, name_out);
    }
    return status;
}

int
stash_fill(const char *text, struct span content, int64_t lifetime_s)
{
    struct name name;
    long keyring = read_name(text, &name) < 0 || name.kind != KIND_KEYS
                       ? -ENOENT
                       : find_keyring(&name);
    int status = 0;

    if (keyring < 0) {
        return (int)keyring;
    }
    /* Of a key's update the kernel takes no more (keyctl_update_key there). */
    if (content.length == 0 || content.length > (size_t)sysconf(_SC_PAGESIZE)) {
        status = -EMSGSIZE;
    } else if (!is_lifetime(lifetime_s)) {
        status = -EINVAL;
    } else {
        status = fill_key(keyring, content, lifetime_s);
    }
    if (status < 0) {
        drop_keyring(keyring);
    }
    return status;
}

int
stash_put(const char *runtime_dir, struct span content, int64_t lifetime_s,
          char name_out[STASH_NAME_SIZE])
{
    struct name name = {.kind = KIND_KEYS};
    int status = 0;

    if (content.length == 0 || content.length > BYTES_MAX) {
        return -EMSGSIZE;
    }
    if (!is_lifetime(lifetime_s)) {
        return -EINVAL;
    }
    status = put_keys(content, KEY_PERMISSIONS, lifetime_s, &name);
    if (status < 0) {
        (void)stash_sweep(runtime_dir);
        status = put_file(runtime_dir, content, lifetime_s, &name);
    }
    if (status == 0) {
        write_name(&name, name_out);
    }
    return status;
}

int
stash_take(const char *runtime_dir, const char *text, struct bytes *content_out)
{
    struct name name;
    struct bytes content = BYTES_EMPTY;
    int status = read_name(text, &name);

    if (status < 0) {
        return status;
    }
    status = name.kind == KIND_KEYS ? take_keys(&name, &content)
                                    : take_file(runtime_dir, &name, &content);
    if (status == 0) {
        status = bytes_copy(content_out, bytes_span(&content));
    }
    bytes_free(&content);
    return status;
}

void
stash_drop(const char *runtime_dir, const char *text)
{
    struct name name;

    if (read_name(text, &name) < 0) {
        return;
    }
    if (name.kind == KIND_KEYS) {
        drop_keys(&name);
    } else {
        drop_file(runtime_dir, &name);
    }
}
