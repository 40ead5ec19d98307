/*
 * The table of kinds, and how each of them is filled, looked through and
 * emptied on behalf of a user of tests/in-namespace.
 */
#include "stack/kinds.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <krb5.h>

#include "stack/common.h"
#include "support/kcm.h"
#include "support/keys.h"

#define TEXT_MAX 512
#define KEYS_MAX 512
#define RANDOM_LENGTH 6

#define DEFAULT_CACHE(name) "[libdefaults]\ndefault_ccache_name = " name "\n"

const struct kind kinds[] = {
    {
        .name = "FILE in /tmp",
        .family = KIND_FILE,
        .arguments = "",
        .prefix = "FILE:/tmp/krb5cc_%{uid}_",
        .place = "/tmp",
    },
    {
        .name = "FILE in a private directory",
        .family = KIND_FILE,
        .arguments = "ccache=FILE:/tmp/home/%{username}/caches/cc_XXXXXX",
        .prefix = "FILE:/tmp/home/%{username}/caches/cc_",
        .place = "/tmp/home/%{username}/caches",
    },
    {
        .name = "FILE in /run/user",
        .family = KIND_FILE,
        .arguments = "ccache_dir=/run/user/%{uid}",
        .prefix = "FILE:/run/user/%{uid}/krb5cc_%{uid}_",
        .place = "/run/user/%{uid}",
    },
    {
        .name = "DIR",
        .family = KIND_DIR,
        .arguments = "",
        .config = DEFAULT_CACHE("DIR:/run/user/%{uid}/krb5cc"),
        .is_collection = true,
        .prefix = "DIR::/run/user/%{uid}/krb5cc/tkt",
        .place = "DIR:/run/user/%{uid}/krb5cc",
    },
    {
        .name = "DIR::file",
        .family = KIND_DIR,
        .arguments = "ccache=DIR::/tmp/home/%{username}/folder/tktXXXXXX",
        .is_collection = true,
        .prefix = "DIR::/tmp/home/%{username}/folder/tkt",
        .place = "DIR:/tmp/home/%{username}/folder",
    },
    {
        .name = "DIR shared",
        .family = KIND_DIR,
        .arguments = "ccache=DIR:/tmp/home/%{username}/shared",
        .is_collection = true,
        .is_shared = true,
        .prefix = "DIR::/tmp/home/%{username}/shared/tkt",
        .place = "DIR:/tmp/home/%{username}/shared",
    },
    {
        .name = "KEYRING:persistent",
        .family = KIND_KEYRING,
        .arguments = "",
        .config = DEFAULT_CACHE("KEYRING:persistent:%{uid}"),
        .is_collection = true,
        .prefix = "KEYRING:persistent:%{uid}:krb5cc_",
        .place = "KEYRING:persistent:%{uid}",
    },
    {
        .name = "KEYRING:persistent shared",
        .family = KIND_KEYRING,
        .arguments = "ccache=KEYRING:persistent:%{uid}",
        .is_collection = true,
        .is_shared = true,
        .prefix = "KEYRING:persistent:%{uid}:krb5cc_",
        .place = "KEYRING:persistent:%{uid}",
    },
    {
        .name = "KEYRING:user",
        .family = KIND_KEYRING,
        .arguments = "ccache=KEYRING:user:%{username}:krb5cc_XXXXXX",
        .is_collection = true,
        .prefix = "KEYRING:user:%{username}:krb5cc_",
        .place = "KEYRING:user:%{username}",
    },
    {
        .name = "KEYRING:session",
        .family = KIND_KEYRING,
        .arguments = "",
        .config = DEFAULT_CACHE("KEYRING:session:login"),
        .is_collection = true,
        .in_session = true,
        .prefix = "KEYRING:session:login:krb5cc_",
        .place = "KEYRING:session:login",
    },
    {
        .name = "KEYRING:NAME shared",
        .family = KIND_KEYRING,
        .arguments = "ccache=KEYRING:plain",
        .is_collection = true,
        .is_shared = true,
        .in_session = true,
        .prefix = "KEYRING:legacy:plain:krb5cc_",
        .place = "KEYRING:legacy:plain",
    },
    {
        .name = "KCM",
        .family = KIND_KCM,
        .arguments = "",
        .config = DEFAULT_CACHE("KCM:"),
        .is_collection = true,
        .prefix = "KCM:%{uid}:",
        .place = "KCM:",
    },
    {
        .name = "KCM shared",
        .family = KIND_KCM,
        .arguments = "ccache=KCM:",
        .is_collection = true,
        .is_shared = true,
        .prefix = "KCM:%{uid}:",
        .place = "KCM:",
    },
};

const size_t kinds_count = sizeof(kinds) / sizeof(kinds[0]);

/* PATTERN with USER's %{username} and %{uid}, and END behind it. */
static const char *
expand(const char *pattern, const char *user, const char *end)
{
    static char ring[4][TEXT_MAX];
    static size_t turn;
    char *text = ring[turn++ % 4];
    size_t length = 0;

    while (*pattern != '\0') {
        static const char uid[] = "%{uid}";
        static const char name[] = "%{username}";

        ck_assert_uint_lt(length, TEXT_MAX / 2);
        if (strncmp(pattern, uid, strlen(uid)) == 0) {
            length += (size_t)sprintf(text + length, "%u",
                                      (unsigned)common_uid(user));
            pattern += strlen(uid);
        } else if (strncmp(pattern, name, strlen(name)) == 0) {
            length += (size_t)sprintf(text + length, "%.64s", user);
            pattern += strlen(name);
        } else {
            text[length++] = *pattern++;
        }
    }
    (void)snprintf(text + length, TEXT_MAX - length, "%s", end);
    return text;
}

const char *
kinds_cache(const struct kind *kind, const char *user, const char *suffix)
{
    return expand(kind->prefix, user, suffix);
}

const char *
kinds_collection(const struct kind *kind, const char *user)
{
    return kind->is_collection ? expand(kind->place, user, "") : NULL;
}

bool
kinds_available(const struct kind *kind, const char **why_out)
{
    *why_out = "";
    if (geteuid() != 0 || getenv("IN_TEST_NAMESPACE") == NULL) {
        *why_out = "needs root and tests/in-namespace";
    } else if (kind->family == KIND_KEYRING && !keys_available()) {
        *why_out = "needs a kernel with persistent keyrings";
    } else if (kind->family == KIND_KCM) {
        return kcm_available(why_out);
    }
    return **why_out == '\0';
}

/* FILE and DIR: a directory. */

static const char *
folder_of(const struct kind *kind, const char *user)
{
    const char *place = expand(kind->place, user, "");

    return strncmp(place, "DIR:", 4) == 0 ? place + 4 : place;
}

static bool
is_tmp(const struct kind *kind)
{
    return strcmp(kind->place, "/tmp") == 0;
}

/* The directory PATH of USER's, where it is not there. */
static void
make_folder(const char *path, const char *user)
{
    uid_t uid = common_uid(user);

    if (mkdir(path, 0700) == 0) {
        ck_assert_int_eq(chown(path, uid, uid), 0);
    } else {
        ck_assert_msg(errno == EEXIST, "%s: %s", path, strerror(errno));
    }
}

/* As a login finds it: a FILE's directory, or what a DIR is made in. */
static void
make_folders(const struct kind *kind, const char *user)
{
    char path[TEXT_MAX];

    (void)snprintf(path, sizeof(path), "%s", folder_of(kind, user));
    if (kind->family == KIND_DIR) {
        *strrchr(path, '/') = '\0';
    }
    make_folder(path, user);
}

/* Whether the entry NAME of FOLDER is a cache of USER's or a trace of one. */
static bool
is_trace(const struct kind *kind, const char *user, const char *folder,
         const char *name)
{
    char path[2 * TEXT_MAX];
    struct stat status;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        (kind->family == KIND_DIR && strcmp(name, "primary") == 0)) {
        return false;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return !is_tmp(kind) ||
           (strncmp(name, "krb5cc", strlen("krb5cc")) == 0 &&
            lstat(path, &status) == 0 && status.st_uid == common_uid(user));
}

static size_t
count_files(const struct kind *kind, const char *user)
{
    const char *folder = folder_of(kind, user);
    DIR *directory = opendir(folder);
    const struct dirent *entry = NULL;
    size_t count = 0;

    ck_assert_msg(directory != NULL || errno == ENOENT, "%s: %s", folder,
                  strerror(errno));
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        count += is_trace(kind, user, folder, entry->d_name);
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return count;
}

size_t
kinds_primary_strays(const struct kind *kind, const char *user)
{
    return kind->family == KIND_DIR && common_exists(folder_of(kind, user))
               ? common_count(folder_of(kind, user), "primary.")
               : 0;
}

/* nftw's callback; what is not empty or not there stays as it is. */
static int
remove_one(const char *path, const struct stat *status, int type,
           struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    (void)remove(path);
    return 0;
}

static void
clear_files(const struct kind *kind, const char *user)
{
    const char *folder = folder_of(kind, user);
    DIR *directory = NULL;
    const struct dirent *entry = NULL;

    if (!is_tmp(kind)) {
        (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        return;
    }
    directory = opendir(folder);
    ck_assert_ptr_nonnull(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (is_trace(kind, user, folder, entry->d_name)) {
            char path[2 * TEXT_MAX];

            (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        }
    }
    (void)closedir(directory);
}

static void
assert_file_owned(const char *name, const char *user)
{
    char path[TEXT_MAX];
    struct stat status;

    common_assert_owned(name, user);
    if (strncmp(name, "DIR::", 5) == 0) {
        (void)snprintf(path, sizeof(path), "%s", cache_path(name));
        *strrchr(path, '/') = '\0';
        ck_assert_int_eq(lstat(path, &status), 0);
        ck_assert_uint_eq(status.st_uid, common_uid(user));
        ck_assert_uint_eq(status.st_mode & 07077, 0);
    }
}

/*
 * KEYRING: ANCHOR / _krb_COLLECTION / CACHE / keys.  The keyring of a
 * persistent collection is just _krb.
 */

static struct keys_key keys[KEYS_MAX];

/* What USER finds in KIND's anchor, into keys. */
static size_t
list_keys(const struct kind *kind, const char *user)
{
    enum keys_anchor anchor = kind->in_session ? KEYS_SESSION
                              : strstr(kind->place, ":persistent:") != NULL
                                  ? KEYS_PERSISTENT
                                  : KEYS_USER;
    size_t count = keys_list(common_uid(user), anchor, keys, KEYS_MAX);

    ck_assert_uint_lt(count, KEYS_MAX);
    return count;
}

/* Whether key number I is a cache, met for the first time. */
static bool
is_cache_keyring(size_t i)
{
    static const char collection[] = "_krb";
    static const char user[] = "_uid."; /* linked there by pam_keyinit */
    /* In root's: of whichever test is logging somebody in just now. */
    static const char stash[] = "pam_krb5cc:";

    for (size_t j = 0; j < i; j++) {
        if (keys[j].serial == keys[i].serial) {
            return false;
        }
    }
    return keys[i].parent != 0 && strcmp(keys[i].type, "keyring") == 0 &&
           strncmp(keys[i].description, collection, strlen(collection)) != 0 &&
           strncmp(keys[i].description, stash, strlen(stash)) != 0 &&
           strncmp(keys[i].description, user, strlen(user)) != 0;
}

static size_t
count_keyrings(const struct kind *kind, const char *user)
{
    size_t count = list_keys(kind, user);
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        found += is_cache_keyring(i);
    }
    return found;
}

static void
assert_key_owned(const struct keys_key *key, uid_t uid)
{
    ck_assert_msg(key->uid == uid, "%s %s is uid %u's", key->type,
                  key->description, (unsigned)key->uid);
    ck_assert_msg((key->permissions & KEYS_FOREIGN_MASK) == 0,
                  "%s %s has permissions %08x", key->type, key->description,
                  (unsigned)key->permissions);
}

/* The keyring NAME's, what is in it, and those that it is in. */
static void
assert_keys_owned(const struct kind *kind, const char *name, const char *user)
{
    size_t count = list_keys(kind, user);
    uid_t uid = common_uid(user);
    const struct keys_key *cache = NULL;
    size_t entries = 0;

    for (size_t i = 0; i < count && cache == NULL; i++) {
        if (is_cache_keyring(i) &&
            strcmp(keys[i].description, strrchr(name, ':') + 1) == 0) {
            cache = &keys[i];
        }
    }
    ck_assert_msg(cache != NULL, "no keyring for %s", name);
    assert_key_owned(cache, uid);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].parent == cache->serial) {
            assert_key_owned(&keys[i], uid);
            entries++;
        } else if (keys[i].serial == cache->parent || keys[i].parent == 0) {
            assert_key_owned(&keys[i], uid);
        }
    }
    ck_assert_uint_gt(entries, 0);
}

/* KCM: as the user sees it through the server. */

enum { KCM_FAILED = 200 };

/* In a child that is the user; the number of caches, destroyed if so wanted. */
static int
go_through_kcm(void *data)
{
    const bool *destroys = data;
    krb5_context context = NULL;
    krb5_cccol_cursor cursor = NULL;
    krb5_ccache cache = NULL;
    int count = 0;

    if (krb5_init_context(&context) != 0 ||
        krb5_cc_set_default_name(context, "KCM:") != 0 ||
        krb5_cccol_cursor_new(context, &cursor) != 0) {
        return KCM_FAILED;
    }
    while (krb5_cccol_cursor_next(context, cursor, &cache) == 0 &&
           cache != NULL) {
        bool is_ours = strcmp(krb5_cc_get_type(context, cache), "KCM") == 0;

        count += is_ours;
        if (is_ours && *destroys) {
            (void)krb5_cc_destroy(context, cache);
        } else {
            (void)krb5_cc_close(context, cache);
        }
    }
    (void)krb5_cccol_cursor_free(context, &cursor);
    krb5_free_context(context);
    return count;
}

static size_t
visit_kcm(const char *user, bool destroys)
{
    uid_t uid = common_uid(user);
    int count = common_in_child((struct ids){uid, uid, uid}, uid,
                                go_through_kcm, &destroys);

    ck_assert_msg(count < KCM_FAILED, "the KCM server cannot be asked");
    return (size_t)count;
}

/* To anybody else there is no such cache; not to root either. */
static void
assert_kcm_owned(const char *name, const char *user)
{
    static const char *const others[] = {"root", "alice", "bob"};

    ck_assert(common_look(name, user).readable);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ck_assert_msg(strcmp(others[i], user) == 0 ||
                          !common_look(name, others[i]).readable,
                      "%s can be read by %s", name, others[i]);
    }
}

/* All kinds. */

void
kinds_begin(const struct kind *kind, const char *user)
{
    if (kind->in_session) {
        keys_join_session(common_uid(user));
    }
    kinds_clear(kind, user);
    if (kind->family == KIND_FILE || kind->family == KIND_DIR) {
        make_folders(kind, user);
    }
    if (kind->config != NULL) {
        common_config(kind->config);
    }
}

void
kinds_clear(const struct kind *kind, const char *user)
{
    switch (kind->family) {
    case KIND_FILE:
    case KIND_DIR:
        clear_files(kind, user);
        break;
    case KIND_KEYRING:
        keys_clear(common_uid(user));
        break;
    case KIND_KCM:
        (void)visit_kcm(user, true);
        break;
    }
}

void
kinds_start(const struct kind *kind, struct stack *stack, const char *user,
            const char *more_arguments, const char *const *answers)
{
    char arguments[2 * TEXT_MAX];

    (void)snprintf(arguments, sizeof(arguments), "%s %s", kind->arguments,
                   more_arguments);
    common_start(stack, user, arguments, answers);
}

void
kinds_establish(const struct kind *kind, struct stack *stack, const char *user,
                const char *more_arguments)
{
    static char password[TEXT_MAX];
    static const char *const answers[] = {password, NULL};

    (void)snprintf(password, sizeof(password), "%s-password", user);
    kinds_start(kind, stack, user, more_arguments, answers);
    EXPECT(pam_authenticate(stack->handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack->handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    if (kind->in_session) {
        EXPECT(pam_open_session(stack->handle, 0), PAM_SUCCESS);
    }
    ck_assert_msg(common_cache(stack) != NULL, "%s: no cache; log:\n%s",
                  kind->name, stack_log());
}

void
kinds_assert_name(const struct kind *kind, const char *name, const char *user)
{
    const char *prefix = kinds_cache(kind, user, "");
    size_t length = strlen(prefix);

    ck_assert_msg(strncmp(name, prefix, length) == 0 &&
                      strlen(name) == length + RANDOM_LENGTH,
                  "%s is not %sXXXXXX", name, prefix);
    ck_assert_str_ne(name + length, "XXXXXX");
    for (size_t i = length; name[i] != '\0'; i++) {
        ck_assert_msg(isalnum((unsigned char)name[i]), "%s", name);
    }
}

void
kinds_assert_owned(const struct kind *kind, const char *name, const char *user)
{
    switch (kind->family) {
    case KIND_FILE:
    case KIND_DIR:
        assert_file_owned(name, user);
        break;
    case KIND_KEYRING:
        assert_keys_owned(kind, name, user);
        break;
    case KIND_KCM:
        assert_kcm_owned(name, user);
        break;
    }
}

size_t
kinds_caches(const struct kind *kind, const char *user)
{
    switch (kind->family) {
    case KIND_KEYRING:
        return count_keyrings(kind, user);
    case KIND_KCM:
        return visit_kcm(user, false);
    case KIND_FILE:
    case KIND_DIR:
    default:
        return count_files(kind, user);
    }
}
