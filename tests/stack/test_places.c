/*
 * Places that caches are in, and what is wrong with them: the session keyring
 * and /run/user/UID, which come and go with the session, directories and files
 * that are not what they should be, a KCM server that is not there, quotas.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <linux/keyctl.h>

#include "stack/common.h"
#include "support/records.h"
#include "stack/kinds.h"
#include "stack/scene.h"
#include "support/kcm.h"
#include "support/keys.h"

#define COUNT(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

#define NEEDS_NAMESPACE()                                                      \
    SKIP_UNLESS(geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL,         \
                "needs root and tests/in-namespace")

static struct stack stack;

/* Caches that are there before the session. */
static char alices[SCENE_NAME_MAX];
static char bobs[SCENE_NAME_MAX];

static int
setcred(int flags)
{
    return pam_setcred(stack.handle, flags);
}

static int
open_session(void)
{
    return pam_open_session(stack.handle, 0);
}

static int
close_session(void)
{
    return pam_close_session(stack.handle, 0);
}

static void
end(const struct kind *kind)
{
    stack_end(&stack, PAM_SUCCESS);
    kinds_clear(kind, "alice");
}

/* What comes with the session: the session keyring. */

/* A handle on KIND with tickets, after setcred: nothing is made yet. */
static void
login_and_setcred(const struct kind *kind)
{
    kinds_start(kind, &stack, "alice", "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert(common_logged(LOG_INFO, "the session is not open yet"));
    ck_assert_uint_eq(common_log_count(LOG_ERR), 0);
}

/* How many keys there are in the session keyring, which is USER's. */
static size_t
session_keys(const char *user)
{
    static struct keys_key keys[64];

    return keys_list(common_uid(user), KEYS_SESSION, keys, 64);
}

/* pam_keyinit stands between setcred and open_session. */
START_TEST(test_places_of_session_is_made_when_it_is_opened)
{
    SCENE_BEGIN(kind);
    keys_join_session(0);
    login_and_setcred(kind);
    ck_assert_uint_eq(session_keys("root"), 1);
    keys_join_session(common_uid("alice"));
    EXPECT(open_session(), PAM_SUCCESS);
    kinds_assert_owned(kind, common_cache(&stack), "alice");
    scene_assert_seen(kind, common_cache(&stack));
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    end(kind);
}
END_TEST

START_TEST(test_places_of_session_that_is_never_opened_is_not_made)
{
    SCENE_BEGIN(kind);
    login_and_setcred(kind);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* The session keyring is OWNER's, who would see the tickets. */
static void
check_not_made_for(const struct kind *kind, const char *owner)
{
    size_t keys = 0;

    keys_join_session(common_uid(owner));
    keys = session_keys(owner);
    login_and_setcred(kind);
    EXPECT(open_session(), PAM_SESSION_ERR);
    ck_assert_msg(common_logged(LOG_ERR, "put pam_keyinit before"), "%s",
                  stack_log());
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(session_keys(owner), keys);
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}

START_TEST(test_places_of_roots_session_keyring_is_refused)
{
    SCENE_BEGIN(kind);
    check_not_made_for(kind, "root");
}
END_TEST

START_TEST(test_places_of_another_users_session_keyring_is_refused)
{
    SCENE_BEGIN(kind);
    check_not_made_for(kind, "bob");
}
END_TEST

/* The renewal and the replacement look as well. */
START_TEST(test_places_of_anothers_session_keyring_is_no_target)
{
    SCENE_BEGIN(kind);
    keys_join_session(0);
    scene_start(kind, &stack, kinds_cache(kind, "alice", "Alices"));
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    stack_end(&stack, PAM_SUCCESS);
    scene_login(kind, &stack, kinds_cache(kind, "alice", "Alices"));
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    ck_assert_uint_eq(session_keys("root"), 1);
    end(kind);
}
END_TEST

/* pam_keyinit has closed the session first, or another keyring is there. */
START_TEST(test_places_of_session_end_with_their_keyring)
{
    size_t keys = 0;

    SCENE_BEGIN(kind);
    kinds_establish(kind, &stack, "alice", "");
    ck_assert_int_eq(
        syscall(SYS_keyctl, KEYCTL_REVOKE, KEY_SPEC_SESSION_KEYRING, 0, 0, 0),
        0);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);

    keys_join_session(common_uid("alice"));
    kinds_establish(kind, &stack, "alice", "");
    keys_join_session(common_uid("bob"));
    keys = session_keys("bob");
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_uint_eq(session_keys("bob"), keys);
    ck_assert_uint_eq(common_log_count(LOG_ERR), 0);
    end(kind);
}
END_TEST

/* login opens the session first. */
START_TEST(test_places_session_before_setcred_makes_it)
{
    char name[SCENE_NAME_MAX];

    SCENE_BEGIN(kind);
    kinds_start(kind, &stack, "alice", "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(open_session(), PAM_SUCCESS);
    ck_assert_ptr_nonnull(common_cache(&stack));
    (void)strcpy(name, common_cache(&stack));
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    ck_assert_str_eq(common_cache(&stack), name);
    scene_assert_seen(kind, name);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 1);
    EXPECT(setcred(PAM_DELETE_CRED), PAM_SUCCESS);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    end(kind);
}
END_TEST

/* What comes with the session: /run/user/UID. */

static const char *
runtime_folder(void)
{
    return common_with_uids("/run/user/<alice>");
}

static void
make_runtime_folder(void)
{
    uid_t uid = common_uid("alice");

    ck_assert_int_eq(mkdir(runtime_folder(), 0700), 0);
    ck_assert_int_eq(chown(runtime_folder(), uid, uid), 0);
}

START_TEST(test_places_in_run_are_used_when_they_are_there)
{
    SCENE_BEGIN(kind);
    ck_assert_int_eq(rmdir(runtime_folder()), 0);
    login_and_setcred(kind);
    ck_assert(!common_exists(runtime_folder()));
    make_runtime_folder();
    EXPECT(open_session(), PAM_SUCCESS);
    kinds_assert_owned(kind, common_cache(&stack), "alice");
    scene_assert_seen(kind, common_cache(&stack));
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

START_TEST(test_places_in_run_that_never_come_are_an_error)
{
    SCENE_BEGIN(kind);
    ck_assert_int_eq(rmdir(runtime_folder()), 0);
    login_and_setcred(kind);
    EXPECT(open_session(), PAM_SESSION_ERR);
    ck_assert(common_logged(LOG_ERR, runtime_folder()));
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert(!common_exists(runtime_folder()));
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* It goes with the session, and takes the cache along. */
START_TEST(test_places_in_run_that_are_gone_are_no_error)
{
    SCENE_BEGIN(kind);
    kinds_establish(kind, &stack, "alice", "");
    kinds_clear(kind, "alice");
    (void)rmdir(runtime_folder());
    ck_assert(!common_exists(runtime_folder()));
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* DIR: directories that are not the user's alone. */

#define FOLDER "/tmp/home/alice/folder"
#define ASIDE "/tmp/home/alice/aside"

static void
make_folder(const char *path, const char *user, mode_t mode)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(chown(path, common_uid(user), common_uid(user)), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void
make_folder_of_bob(void)
{
    make_folder(FOLDER, "bob", 0777);
}

static void
make_folder_of_root(void)
{
    make_folder(FOLDER, "root", 0755);
}

static void
make_folder_for_all(void)
{
    make_folder(FOLDER, "alice", 0777);
}

static void
make_folder_for_group(void)
{
    make_folder(FOLDER, "alice", 0770);
}

static void
make_link(void)
{
    make_folder(ASIDE, "alice", 0700);
    ck_assert_int_eq(symlink(ASIDE, FOLDER), 0);
}

static void
make_file(void)
{
    common_write(FOLDER, "", common_uid("alice"), 0600);
}

static void
make_primary_pipe(void)
{
    make_folder(FOLDER, "alice", 0700);
    ck_assert_int_eq(mkfifo(FOLDER "/primary", 0600), 0);
}

static void
make_primary_link(void)
{
    make_folder(FOLDER, "alice", 0700);
    ck_assert_int_eq(symlink("/dev/zero", FOLDER "/primary"), 0);
}

/* What is in the way, and what the log says of it. */
static const struct {
    void (*make)(void);
    const char *words;
} folder_faults[] = {
    {make_folder_of_bob, FOLDER ": belongs to another user"},
    {make_folder_of_root, FOLDER ": belongs to another user"},
    {make_folder_for_all, FOLDER ": can be written by others"},
    {make_folder_for_group, FOLDER ": can be written by others"},
    {make_link, FOLDER ": is not a directory"},
    {make_file, FOLDER ": is not a directory"},
    {make_primary_pipe, FOLDER "/primary: is not a regular file"},
    {make_primary_link, FOLDER "/primary: is not a regular file"},
};

/* How many entries there are in PATH, where that is a directory. */
static size_t
entries(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode)
               ? common_count(path, "")
               : 0;
}

/* The collection, shared, and a cache of the session's own in it. */
START_TEST(test_places_folder_that_is_not_the_users_is_left)
{
    static const char *const arguments[] = {"ccache=DIR:" FOLDER,
                                            "ccache=DIR::" FOLDER "/tktXXXXXX"};
    size_t before = 0;

    NEEDS_NAMESPACE();
    folder_faults[_i].make();
    before = entries(FOLDER) + entries(ASIDE);
    for (size_t i = 0; i < 2; i++) {
        common_login(&stack, arguments[i]);
        EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
        ck_assert_msg(common_logged(LOG_ERR, folder_faults[_i].words), "%s",
                      stack_log());
        ck_assert_ptr_null(common_cache(&stack));
        stack_end(&stack, PAM_SUCCESS);
        ck_assert_uint_eq(entries(FOLDER) + entries(ASIDE), before);
    }
}
END_TEST

START_TEST(test_places_folder_that_is_not_the_users_is_no_target)
{
    size_t before = 0;

    NEEDS_NAMESPACE();
    folder_faults[_i].make();
    before = entries(FOLDER) + entries(ASIDE);
    common_start(&stack, "alice", "", alice_answers);
    common_set_cache(&stack, "DIR:" FOLDER);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(entries(FOLDER) + entries(ASIDE), before);
}
END_TEST

/* Only the last directory is made, and only where alice may do that. */
START_TEST(test_places_folder_that_she_cannot_make_is_an_error)
{
    static const char *const folders[] = {
        "/tmp/home/alice/no/folder", "/tmp/home/bob/folder", "/mnt/folder"};
    char arguments[512];

    NEEDS_NAMESPACE();
    (void)snprintf(arguments, sizeof(arguments), "ccache=DIR:%s", folders[_i]);
    common_login(&stack, arguments);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert_msg(common_logged(LOG_ERR, folders[_i]), "%s", stack_log());
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 0);
    ck_assert(!common_exists(folders[_i]));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* What replacements that were killed have left beside a file. */

static void
write_stray(const char *name, const char *suffix, int64_t age_s)
{
    char path[512];
    struct timespec times[2];

    (void)snprintf(path, sizeof(path), "%s%s", cache_path(name), suffix);
    /* As libkrb5 would: half a cache. */
    common_write(path, "\005\004", common_uid("alice"), 0600);
    ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
    times[0].tv_sec -= (time_t)age_s;
    times[1] = times[0];
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool
stray_exists(const char *name, const char *suffix)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s%s", cache_path(name), suffix);
    return common_exists(path);
}

START_TEST(test_places_strays_go_with_the_next_replacement)
{
    SCENE_BEGIN(kind);
    scene_plant_in(kind, "Alices", SCENE_ALICE, alices);
    write_stray(alices, ".aB3dE6", 3600);
    write_stray(alices, ".young1", 0);
    write_stray(alices, ".longer7", 3600);
    scene_login(kind, &stack, alices);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    ck_assert(!stray_exists(alices, ".aB3dE6"));
    ck_assert(stray_exists(alices, ".young1"));
    ck_assert(stray_exists(alices, ".longer7"));
    end(kind);
}
END_TEST

/* What names the primary is written anew in the same way. */
START_TEST(test_places_strays_of_the_primary_go_too)
{
    char primary[SCENE_NAME_MAX];

    SCENE_BEGIN(kind);
    scene_plant_in(kind, "Alices", SCENE_ALICE, alices);
    (void)snprintf(primary, sizeof(primary), "%s/primary",
                   kinds_collection(kind, "alice") + strlen("DIR:"));
    write_stray(primary, ".aB3dE6", 3600);
    write_stray(primary, ".young1", 0);
    scene_login(kind, &stack, alices);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    ck_assert(!stray_exists(primary, ".aB3dE6"));
    ck_assert(stray_exists(primary, ".young1"));
    ck_assert(common_exists(primary));
    end(kind);
}
END_TEST

START_TEST(test_places_strays_go_with_the_session)
{
    SCENE_BEGIN(kind);
    kinds_establish(kind, &stack, "alice", "");
    write_stray(common_cache(&stack), ".aB3dE6", 3600);
    write_stray(common_cache(&stack), ".young1", 0);
    EXPECT(close_session(), PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    end(kind);
}
END_TEST

START_TEST(test_places_huge_file_is_left)
{
    const off_t size = (off_t)17 << 20;
    struct stat status;

    SCENE_BEGIN(kind);
    scene_plant_in(kind, "Alices", SCENE_ALICE, alices);
    ck_assert_int_eq(truncate(cache_path(alices), size), 0);
    scene_start(kind, &stack, alices);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_CRED_UNAVAIL);
    stack_end(&stack, PAM_SUCCESS);
    scene_login(kind, &stack, alices);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_CRED_ERR);
    ck_assert(common_logged(LOG_ERR, "is too large for a cache"));
    ck_assert_int_eq(stat(cache_path(alices), &status), 0);
    ck_assert_int_eq(status.st_size, size);
    stack_end(&stack, PAM_SUCCESS);
    kinds_establish(kind, &stack, "alice", "");
    ck_assert_str_ne(common_cache(&stack), alices);
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* KCM: the server. */

START_TEST(test_places_kcm_without_server_is_an_error)
{
    SCENE_BEGIN(kind);
    kcm_end();
    kinds_start(kind, &stack, "alice", "", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert_msg(common_logged(LOG_ERR, "No KCM server"), "%s", stack_log());
    ck_assert_ptr_null(common_cache(&stack));
    /* The tickets are still there. */
    kcm_begin();
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_SUCCESS);
    scene_assert_seen(kind, common_cache(&stack));
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

START_TEST(test_places_kcm_server_that_is_silent_is_an_error)
{
    SCENE_BEGIN(kind);
    kinds_start(kind, &stack, "alice", "timeout=1", alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    kcm_pause();
    EXPECT(setcred(PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    kcm_resume();
    ck_assert_msg(common_logged(LOG_ERR, "time ran out"), "%s", stack_log());
    ck_assert_ptr_null(common_cache(&stack));
    ck_assert_uint_eq(kinds_caches(kind, "alice"), 0);
    /* Nobody could be asked whether anything was left. */
    ck_assert_uint_eq(records_of_the_gone(), 1);
    end(kind);
}
END_TEST

/* The next call tries again. */
START_TEST(test_places_kcm_server_that_ended_leaves_it_to_the_next_call)
{
    SCENE_BEGIN(kind);
    kinds_establish(kind, &stack, "alice", "");
    kcm_end();
    EXPECT(close_session(), PAM_SESSION_ERR);
    ck_assert_msg(common_logged(LOG_ERR, "the session's cache is left behind"),
                  "%s", stack_log());
    ck_assert_ptr_null(common_cache(&stack));
    kcm_begin();
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* As many caches as sssd-kcm lets a user have (max_uid_ccaches). */
#define KCM_CACHES_MAX 64

/* What old sessions have left makes room; what lives does not. */
START_TEST(test_places_kcm_that_is_full_is_made_room_in)
{
    struct stack second;

    SCENE_BEGIN(kind);
    for (size_t i = 0; i < KCM_CACHES_MAX; i++) {
        char suffix[8];

        (void)snprintf(suffix, sizeof(suffix), "Full%02zu", i);
        scene_plant_in(kind, suffix, i == 5 ? SCENE_EXPIRED : SCENE_BOB, bobs);
    }
    kinds_establish(kind, &stack, "alice", "");
    scene_assert_seen(kind, common_cache(&stack));
    ck_assert(common_logged(LOG_NOTICE, "destroyed, to make room"));
    ck_assert_uint_eq(kinds_caches(kind, "alice"), KCM_CACHES_MAX);
    common_login(&second, kind->arguments);
    EXPECT(pam_setcred(second.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert_msg(common_logged(LOG_ERR, "quota used up"), "%s", stack_log());
    ck_assert_uint_eq(kinds_caches(kind, "alice"), KCM_CACHES_MAX);
    stack_end(&second, PAM_SUCCESS);
    end(kind);
}
END_TEST

/* KEYRING: what old sessions have left makes room. */

START_TEST(test_places_quota_is_made_room_in)
{
    char olds[3][SCENE_NAME_MAX];
    char name[SCENE_NAME_MAX];

    SCENE_BEGIN(kind);
    for (size_t i = 0; i < 3; i++) {
        char suffix[] = "Older0";

        suffix[5] = (char)('0' + i);
        scene_plant_in(kind, suffix, SCENE_EXPIRED, olds[i]);
    }
    /* Expired, but not of a name that is drawn. */
    (void)snprintf(name, sizeof(name), "%s:mine",
                   kinds_collection(kind, "alice"));
    scene_plant(name, SCENE_EXPIRED);
    scene_plant_in(kind, "Living", SCENE_BOB, bobs);
    keys_drain(common_uid("alice"));
    keys_fill(common_uid("alice"), 0, -1);
    kinds_establish(kind, &stack, "alice", "");
    keys_drain(common_uid("alice"));
    scene_assert_seen(kind, common_cache(&stack));
    ck_assert(common_logged(LOG_NOTICE, "destroyed, to make room"));
    for (size_t i = 0; i < 3; i++) {
        ck_assert(!common_look(olds[i], "alice").readable);
    }
    ck_assert(common_look(name, "alice").readable);
    ck_assert(common_look(bobs, "alice").readable);
    EXPECT(close_session(), PAM_SUCCESS);
    end(kind);
}
END_TEST

/* The kernel takes a keyring away with the last of its tickets. */
START_TEST(test_places_keyring_that_has_expired_is_no_cache)
{
    SCENE_BEGIN(kind);
    scene_plant_in(kind, "Alices", SCENE_VANISHING, alices);
    ck_assert(!common_look(alices, "alice").readable);
    scene_start(kind, &stack, alices);
    EXPECT(setcred(PAM_REFRESH_CRED), PAM_SUCCESS);
    ck_assert(!common_look(alices, "alice").readable);
    stack_end(&stack, PAM_SUCCESS);
    scene_login(kind, &stack, alices);
    EXPECT(setcred(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    kinds_assert_owned(kind, alices, "alice");
    scene_assert_new(alices);
    end(kind);
}
END_TEST

/* Which kinds a test is for. */

static bool
is_collection(const struct kind *kind)
{
    return kind->is_collection;
}

static bool
is_in_session(const struct kind *kind)
{
    return kind->in_session;
}

static bool
is_in_run(const struct kind *kind)
{
    return strncmp(cache_path(kind->prefix), "/run/user", 9) == 0;
}

static bool
is_dir(const struct kind *kind)
{
    return kind->family == KIND_DIR;
}

static bool
is_file(const struct kind *kind)
{
    return is_dir(kind) ||
           strcmp(kind->name, "FILE in a private directory") == 0;
}

static bool
is_kcm(const struct kind *kind)
{
    return kind->family == KIND_KCM;
}

static bool
is_own_kcm(const struct kind *kind)
{
    return is_kcm(kind) && !kind->is_shared;
}

/* So many caches take seconds. */
static bool
is_long_and_kcm(const struct kind *kind)
{
    return getenv("TEST_LONG") != NULL && is_own_kcm(kind);
}

static bool
is_own_keyring(const struct kind *kind)
{
    return kind->family == KIND_KEYRING && !kind->is_shared;
}

static bool
is_own_persistent(const struct kind *kind)
{
    return strcmp(kind->name, "KEYRING:persistent") == 0;
}

int
main(void)
{
    const struct scene_row rows[] = {
        {test_places_of_session_is_made_when_it_is_opened, is_in_session},
        {test_places_of_session_that_is_never_opened_is_not_made,
         is_in_session},
        {test_places_of_roots_session_keyring_is_refused, is_in_session},
        {test_places_of_another_users_session_keyring_is_refused,
         is_in_session},
        {test_places_of_anothers_session_keyring_is_no_target, is_in_session},
        {test_places_of_session_end_with_their_keyring, is_in_session},
        {test_places_session_before_setcred_makes_it, is_collection},
        {test_places_in_run_are_used_when_they_are_there, is_in_run},
        {test_places_in_run_that_never_come_are_an_error, is_in_run},
        {test_places_in_run_that_are_gone_are_no_error, is_in_run},
        {test_places_strays_go_with_the_next_replacement, is_file},
        {test_places_strays_of_the_primary_go_too, is_dir},
        {test_places_strays_go_with_the_session, is_file},
        {test_places_huge_file_is_left, is_file},
        {test_places_kcm_without_server_is_an_error, is_kcm},
        {test_places_kcm_server_that_is_silent_is_an_error, is_own_kcm},
        {test_places_kcm_server_that_ended_leaves_it_to_the_next_call, is_kcm},
        {test_places_kcm_that_is_full_is_made_room_in, is_long_and_kcm},
        {test_places_quota_is_made_room_in, is_own_keyring},
        {test_places_keyring_that_has_expired_is_no_cache, is_own_persistent},
    };
    Suite *suite = suite_create("places");
    TCase *tcase = common_case(suite, "folders");

    tcase_add_loop_test(tcase, test_places_folder_that_is_not_the_users_is_left,
                        0, COUNT(folder_faults));
    tcase_add_loop_test(tcase,
                        test_places_folder_that_is_not_the_users_is_no_target,
                        0, COUNT(folder_faults));
    tcase_add_loop_test(
        tcase, test_places_folder_that_she_cannot_make_is_an_error, 0, 3);
    scene_add(suite, rows, sizeof(rows) / sizeof(rows[0]));
    return suite_main(suite);
}
