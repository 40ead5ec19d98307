/*
 * Sessions and their caches: the record of each, who is the last to hold a
 * shared cache, tickets of the host's own that are adopted, and the unlocking
 * by a host that is root and knows of no cache.  Alice's sessions are handles
 * of this process, or of children where a host is to die.
 *
 * Needs root, tests/in-namespace and a realm.
 */
#include "stack/common.h"
#include "support/keys.h"
#include "support/records.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_modules.h>

#include "base/channel.h"
#include "client/spawn.h"
#include "registry/registry.h"

#define SHARED "ccache=FILE:/tmp/krb5cc_shared"
#define SHARED_PATH "/tmp/krb5cc_shared"
#define FOLDER "/tmp/slow"
#define PERSISTENT "ccache=KEYRING:persistent:%{uid}"

static const struct registry registry = {.state_dir = COMMON_STATE_DIR,
                                         .runtime_dir = COMMON_RUNTIME_DIR};

static struct stack stack;
static struct stack other;

/* The one record that alice has; the test's to free. */
static struct record found;
static struct registry_key found_key;
static size_t found_count;

static bool
keep(void *data, const struct registry_entry *entry)
{
    char *text = NULL;

    (void)data;
    ck_assert_ptr_nonnull(entry->record);
    ck_assert_int_eq(record_format(entry->record, &text), 0);
    record_free(&found);
    ck_assert_int_eq(record_parse(text, strlen(text), &found), 0);
    free(text);
    found_key = entry->key;
    found_count++;
    return true;
}

/* Finds alice's records: how many there are, the last one in `found`. */
static size_t
find(void)
{
    found_count = 0;
    ck_assert_int_eq(registry_visit(&registry, common_uid("alice"), keep, NULL),
                     0);
    return found_count;
}

static void
change_found(void)
{
    ck_assert_int_eq(registry_change(&registry, &found_key, &found), 0);
}

static void
establish(struct stack *session, const char *arguments)
{
    common_establish(session, arguments);
    EXPECT(pam_open_session(session->handle, 0), PAM_SUCCESS);
}

static void
close_and_end(struct stack *session)
{
    EXPECT(pam_close_session(session->handle, 0), PAM_SUCCESS);
    stack_end(session, PAM_SUCCESS);
}

/* Records. */

START_TEST(test_holding_record_says_who_holds_what)
{
    NEEDS_ROOT();
    common_login(&stack, "");
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_TTY, "pts/7"), PAM_SUCCESS);
    ck_assert_int_eq(pam_set_item(stack.handle, PAM_RHOST, "client\n%.test"),
                     PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(find(), 1);
    ck_assert_str_eq(found.cache, common_cache(&stack));
    ck_assert_int_eq(found.ownership, RECORD_OWN);
    ck_assert(!found.is_bound);
    ck_assert(!found.is_ended);
    ck_assert_str_eq(found.principal, "alice@PAM.TEST");
    ck_assert_str_eq(found.user, "alice");
    ck_assert_int_eq(found.uid, common_uid("alice"));
    ck_assert_int_eq(found.gid, common_uid("alice"));
    ck_assert_str_ne(found.service, "");
    ck_assert_str_eq(found.tty, "pts/7");
    ck_assert_str_eq(found.rhost, "client\n%.test");
    ck_assert_int_eq(found.pid, getpid());
    ck_assert(presence_has_host(&found));
    EXPECT(pam_open_session(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(find(), 1);
    ck_assert(found.is_bound);
    close_and_end(&stack);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

/* As sshd, login and cron call it: here, and in a child with a copy. */
static int
establish_in_child(void *data)
{
    (void)data;
    return pam_setcred(stack.handle, PAM_ESTABLISH_CRED);
}

START_TEST(test_holding_second_establish_makes_no_second_record)
{
    NEEDS_ROOT();
    establish(&stack, "");
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_int_eq(
        common_in_child((struct ids){0, 0, 0}, 0, establish_in_child, NULL),
        PAM_SUCCESS);
    ck_assert_uint_eq(find(), 1);
    close_and_end(&stack);
}
END_TEST

/* Every way in which a session may end takes its record along. */
static int
end_by_delete(void)
{
    return pam_setcred(stack.handle, PAM_DELETE_CRED);
}

static int
end_by_close(void)
{
    return pam_close_session(stack.handle, 0);
}

static int
end_by_nothing(void)
{
    return PAM_SUCCESS;
}

static int (*const ends[])(void) = {end_by_delete, end_by_close,
                                    end_by_nothing};

START_TEST(test_holding_record_goes_with_the_session)
{
    NEEDS_ROOT();
    establish(&stack, "");
    EXPECT(ends[_i](), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

static int
establish_as_caller(void *data)
{
    (void)data;
    common_establish(&stack, "");
    if (find() != 1 || pam_close_session(stack.handle, 0) != PAM_SUCCESS) {
        return 1;
    }
    stack_end(&stack, PAM_SUCCESS);
    return 0;
}

START_TEST(test_holding_host_like_su_keeps_a_record)
{
    static const char *const su_ids[] = {"bob", "root", "root"};

    NEEDS_ROOT();
    /* libkrb5 hears no environment there. */
    ck_assert_int_eq(system("mkdir /tmp/etc && cp -a /etc/. /tmp/etc &&"
                            " cp $KRB5_CONFIG /tmp/etc/krb5.conf &&"
                            " mount --bind /tmp/etc /etc"),
                     0);
    ck_assert_int_eq(common_in_child(common_ids(su_ids), common_uid("bob"),
                                     establish_as_caller, NULL),
                     0);
    ck_assert_int_eq(system("umount /etc && rm -r /tmp/etc"), 0);
}
END_TEST

/* Also what others could find there: who knows of nobody ends what is his. */
static int
establish_as_user(void *data)
{
    char name[512];

    common_establish(&stack, data);
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    ck_assert(common_look(name, "alice").readable);
    stack_end(&stack, pam_setcred(stack.handle, PAM_DELETE_CRED));
    return common_look(name, "alice").readable ? 1 : 0;
}

START_TEST(test_holding_host_that_is_not_root_keeps_none)
{
    static const char *const ids[] = {"alice", "alice", "alice"};
    char arguments[][64] = {"", PERSISTENT ":krb5cc_XXXXXX"};

    NEEDS_ROOT();
    ck_assert_int_eq(common_in_child(common_ids(ids), common_uid("alice"),
                                     establish_as_user, arguments[_i]),
                     0);
    ck_assert(!common_exists(COMMON_STATE_DIR));
}
END_TEST

/* Directories that cannot be used, and what the login makes of them. */
static const struct {
    const char *arguments;
    const char *said;
} places[] = {
    {"state_dir=/proc/state", "session recorded in runtime_dir"},
    {"state_dir=/tmp/home/alice/state", "session recorded in runtime_dir"},
    {"state_dir=/proc/state runtime_dir=/proc/run", "no record of the session"},
};

START_TEST(test_holding_bad_directory_fails_no_login)
{
    NEEDS_ROOT();
    establish(&stack, places[_i].arguments);
    common_assert_owned(common_cache(&stack), "alice");
    ck_assert_msg(common_logged(LOG_ERR, places[_i].said), "%s", stack_log());
    ck_assert_uint_eq(common_log_count(LOG_ERR), 1);
    ck_assert(!common_exists("/tmp/home/alice/state"));
    close_and_end(&stack);
}
END_TEST

START_TEST(test_holding_full_or_read_only_directory_fails_no_login)
{
    NEEDS_ROOT();
    (void)mkdir(COMMON_STATE_DIR, 0700);
    ck_assert_int_eq(mount("none", COMMON_STATE_DIR, "tmpfs",
                           _i == 0 ? 0 : MS_RDONLY, "size=4k,nr_inodes=1"),
                     0);
    establish(&stack, "");
    ck_assert_uint_eq(common_records_of("alice", COMMON_RUNTIME_DIR), 1);
    ck_assert(common_logged(LOG_ERR, "session recorded in runtime_dir"));
    close_and_end(&stack);
    ck_assert_uint_eq(common_records_of("alice", COMMON_RUNTIME_DIR), 0);
    ck_assert_int_eq(umount(COMMON_STATE_DIR), 0);
}
END_TEST

/* Where a login comes to nothing there is no record either. */
START_TEST(test_holding_failed_establish_leaves_no_record)
{
    NEEDS_ROOT();
    common_login(&stack, "ccache=FILE:/nonexistent/cc_XXXXXX");
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    ck_assert_uint_eq(find(), 0);
    stack_end(&stack, PAM_CRED_ERR);
}
END_TEST

/* Shared caches. */

START_TEST(test_holding_last_holder_destroys)
{
    struct stack *first = _i == 0 ? &stack : &other;
    struct stack *last = _i == 0 ? &other : &stack;

    NEEDS_ROOT();
    establish(&stack, SHARED);
    establish(&other, SHARED);
    ck_assert_uint_eq(find(), 2);
    ck_assert_int_eq(found.ownership, RECORD_SHARED);
    close_and_end(first);
    ck_assert(common_look("FILE:" SHARED_PATH, "alice").readable);
    ck_assert_uint_eq(find(), 1);
    close_and_end(last);
    ck_assert(!common_exists(SHARED_PATH));
}
END_TEST

/* A cache that was made in a collection is there for all of its sessions. */
/* Two services may spell it in two ways. */
START_TEST(test_holding_shared_cache_has_one_name)
{
    NEEDS_ROOT();
    establish(&stack, SHARED);
    establish(&other, "ccache=" SHARED_PATH);
    close_and_end(_i == 0 ? &stack : &other);
    ck_assert(common_exists(SHARED_PATH));
    close_and_end(_i == 0 ? &other : &stack);
    ck_assert(!common_exists(SHARED_PATH));
}
END_TEST

START_TEST(test_holding_last_holder_of_a_collections_cache_destroys)
{
    static const char arguments[] = "ccache=DIR:/tmp/home/alice/caches";
    char name[512];

    NEEDS_ROOT();
    establish(&stack, arguments);
    establish(&other, arguments);
    ck_assert_str_eq(common_cache(&stack), common_cache(&other));
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    ck_assert_uint_eq(find(), 2);
    ck_assert_str_eq(found.cache, name);
    close_and_end(&stack);
    ck_assert(common_look(name, "alice").readable);
    close_and_end(&other);
    ck_assert(!common_exists(cache_path(name)));
}
END_TEST

/* One that has its own there is found by one that shares: both hold it. */
START_TEST(test_holding_own_cache_in_a_collection_outlives_who_made_it)
{
    struct stack *const first = _i == 0 ? &stack : &other;
    struct stack *const last = _i == 0 ? &other : &stack;
    char name[512];

    NEEDS_ROOT();
    establish(&stack, PERSISTENT ":krb5cc_XXXXXX");
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found.ownership, RECORD_OWN);
    establish(&other, PERSISTENT);
    ck_assert_str_eq(common_cache(&stack), common_cache(&other));
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    close_and_end(first);
    ck_assert(common_look(name, "alice").readable);
    ck_assert_uint_eq(find(), 1);
    close_and_end(last);
    ck_assert(!common_look(name, "alice").readable);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

static int
close_as_user(void *data)
{
    (void)data;
    return pam_close_session(stack.handle, 0);
}

/* A host may become its user, and then sees nobody's records. */
START_TEST(test_holding_host_that_has_become_its_user_ends_its_own_cache)
{
    static const char *const ids[] = {"alice", "alice", "alice"};
    char arguments[][64] = {"", PERSISTENT ":krb5cc_XXXXXX"};
    char name[512];

    NEEDS_ROOT();
    establish(&stack, arguments[_i]);
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    ck_assert_int_eq(common_in_child(common_ids(ids), common_uid("alice"),
                                     close_as_user, NULL),
                     PAM_SUCCESS);
    ck_assert(!common_look(name, "alice").readable);
    close_and_end(&stack);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

/* The same where the lock that keeps two ends apart cannot be had. */
START_TEST(test_holding_own_cache_in_a_collection_waits_for_the_lock)
{
    char name[512];
    int lock = -1;

    NEEDS_ROOT();
    establish(&stack, PERSISTENT ":krb5cc_XXXXXX timeout=2");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    lock = registry_lock(&registry, common_uid("alice"), SAFEFS_MAKE_IF_MISSING,
                         0);
    ck_assert_int_ge(lock, 0);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SESSION_ERR);
    ck_assert(common_look(name, "alice").readable);
    registry_unlock(lock);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(!common_look(name, "alice").readable);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

/* A host that dies with a session of alice's. */
static int
die_with_session(void *data)
{
    (void)data;
    common_establish(&stack, SHARED);
    (void)pam_open_session(stack.handle, 0);
    stack_forget(&stack);
    return 0;
}

START_TEST(test_holding_dead_holder_holds_nothing)
{
    NEEDS_ROOT();
    establish(&other, SHARED);
    ck_assert_int_eq(
        common_in_child((struct ids){0, 0, 0}, 0, die_with_session, NULL), 0);
    ck_assert_uint_eq(find(), 2);
    close_and_end(&other);
    ck_assert(!common_exists(SHARED_PATH));
    ck_assert_uint_eq(records_of_the_gone(), 1);
}
END_TEST

/* Its host is dead, but a process of alice's is there. */
static int
sleep_as_alice(void *data)
{
    (void)data;
    (void)pause();
    return 0;
}

START_TEST(test_holding_session_that_outlives_its_host_holds)
{
    uid_t alice = 0;
    pid_t pid = -1;

    NEEDS_ROOT();
    alice = common_uid("alice");
    establish(&other, SHARED);
    ck_assert_int_eq(
        common_in_child((struct ids){0, 0, 0}, 0, die_with_session, NULL), 0);
    pid = fork();
    if (pid == 0) {
        if (setresuid(alice, alice, alice) < 0) {
            _exit(1);
        }
        _exit(sleep_as_alice(NULL));
    }
    /* Either it is alice already, or it is not and the cache would go. */
    while (pid > 0 && common_count("/proc", "") > 0) {
        struct stat status;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d", pid);
        if (stat(path, &status) == 0 && status.st_uid == alice) {
            break;
        }
    }
    close_and_end(&other);
    ck_assert(common_look("FILE:" SHARED_PATH, "alice").readable);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_uint_eq(records_of_the_gone(), 1);
    ck_assert_int_eq(unlink(SHARED_PATH), 0);
}
END_TEST

START_TEST(test_holding_record_of_another_boot_holds_nothing)
{
    NEEDS_ROOT();
    establish(&other, SHARED);
    ck_assert_uint_eq(find(), 1);
    free(found.boot);
    found.boot = strdup("00000000-0000-0000-0000-000000000000");
    change_found();
    establish(&stack, SHARED);
    close_and_end(&stack);
    ck_assert(!common_exists(SHARED_PATH));
    close_and_end(&other);
}
END_TEST

START_TEST(test_holding_record_of_another_pid_namespace_holds)
{
    NEEDS_ROOT();
    establish(&other, SHARED);
    ck_assert_uint_eq(find(), 1);
    found.pid_namespace++;
    change_found();
    establish(&stack, SHARED);
    close_and_end(&stack);
    ck_assert(common_exists(SHARED_PATH));
    close_and_end(&other);
}
END_TEST

/* Whoever cannot be read may be a holder. */
START_TEST(test_holding_record_that_is_none_keeps_the_cache)
{
    char path[512];

    NEEDS_ROOT();
    establish(&stack, SHARED);
    ck_assert_uint_eq(find(), 1);
    (void)snprintf(path, sizeof(path), "%s/sessions/%u/%.17s0000",
                   COMMON_STATE_DIR, (unsigned int)common_uid("alice"),
                   found_key.id);
    common_write(path, "nonsense\n", 0, 0600);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SESSION_ERR);
    ck_assert(common_logged(LOG_ERR, "it cannot be told who else holds"));
    ck_assert(common_exists(SHARED_PATH));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_uint_eq(find(), 1);
    ck_assert(found.is_ended);
    close_and_end(&stack);
    ck_assert(!common_exists(SHARED_PATH));
}
END_TEST

/* Reap has taken what a failed end has left: there is nothing more to end. */
START_TEST(test_holding_end_behind_reap_succeeds)
{
    NEEDS_ROOT();
    establish(&stack, SHARED);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(registry_leave(&registry, &found_key), 0);
    ck_assert_int_eq(unlink(SHARED_PATH), 0);
    registry_sweep(&registry);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

/* Another host is at work on what alice's sessions share, and stays so. */
START_TEST(test_holding_lock_of_another_hinders_nobody_for_long)
{
    int lock = -1;

    NEEDS_ROOT();
    lock = registry_lock(&registry, common_uid("alice"), SAFEFS_MAKE_IF_MISSING,
                         0);
    ck_assert_int_ge(lock, 0);
    establish(&stack, SHARED " timeout=2");
    ck_assert(common_logged(LOG_NOTICE, "is long about the shared cache"));
    EXPECT(pam_close_session(stack.handle, 0), PAM_SESSION_ERR);
    ck_assert(common_exists(SHARED_PATH));
    ck_assert_uint_eq(find(), 1);
    ck_assert(found.is_ended);
    registry_unlock(lock);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert(!common_exists(SHARED_PATH));
}
END_TEST

/* su's caller can keep its record from being written. */
static int
end_without_record(void *data)
{
    const struct rlimit nothing = {.rlim_cur = 0, .rlim_max = 0};

    (void)data;
    common_login(&stack, PERSISTENT);
    if (setrlimit(RLIMIT_FSIZE, &nothing) < 0 ||
        pam_setcred(stack.handle, PAM_ESTABLISH_CRED) != PAM_SUCCESS ||
        !common_logged(LOG_ERR, "no record of the session") ||
        pam_close_session(stack.handle, 0) != PAM_SUCCESS) {
        return 1;
    }
    stack_end(&stack, PAM_SUCCESS);
    return 0;
}

START_TEST(test_holding_session_without_record_ends_nobody_elses_cache)
{
    NEEDS_ROOT();
    establish(&other, PERSISTENT);
    ck_assert_int_eq(
        common_in_child((struct ids){0, 0, 0}, 0, end_without_record, NULL), 0);
    ck_assert(common_look(common_cache(&other), "alice").readable);
    close_and_end(&other);
    /* And where nobody else has it, it does. */
    ck_assert_int_eq(
        common_in_child((struct ids){0, 0, 0}, 0, end_without_record, NULL), 0);
    keys_clear(common_uid("alice"));
}
END_TEST

/* A host of alice's own, which knows nothing of records. */
static int
share_as_user(void *data)
{
    (void)data;
    common_establish(&stack, SHARED);
    stack_end(&stack, pam_setcred(stack.handle, PAM_DELETE_CRED));
    return 0;
}

START_TEST(test_holding_host_that_is_not_root_ends_nobody_elses_cache)
{
    static const char *const ids[] = {"alice", "alice", "alice"};

    NEEDS_ROOT();
    establish(&other, SHARED);
    ck_assert_int_eq(common_in_child(common_ids(ids), common_uid("alice"),
                                     share_as_user, NULL),
                     0);
    ck_assert(common_look("FILE:" SHARED_PATH, "alice").readable);
    close_and_end(&other);
    ck_assert(!common_exists(SHARED_PATH));
}
END_TEST

/* A session that adopts the cache of another uses it, and will not end it. */
START_TEST(test_holding_adopter_leaves_the_cache_to_reap)
{
    NEEDS_ROOT();
    establish(&stack, SHARED);
    common_start(&other, "alice", "", no_answers);
    common_set_cache(&other, "FILE:" SHARED_PATH);
    EXPECT(pam_setcred(other.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    close_and_end(&stack);
    ck_assert(common_look("FILE:" SHARED_PATH, "alice").readable);
    EXPECT(pam_close_session(other.handle, 0), PAM_SUCCESS);
    stack_end(&other, PAM_SUCCESS);
    ck_assert_uint_eq(find(), 1);
    ck_assert(found.is_ended);
    ck_assert_str_eq(found.cache, "FILE:" SHARED_PATH);
    ck_assert_uint_eq(records_of_the_gone(), 1);
    ck_assert_int_eq(unlink(SHARED_PATH), 0);
}
END_TEST

/* Adopted and retained. */

START_TEST(test_holding_hosts_own_cache_is_adopted)
{
    static const int64_t lifetimes[2] = {0, 0};
    static const char name[] = "FILE:/tmp/krb5cc_delegated";
    struct snapshot before;

    NEEDS_ROOT();
    common_kinit(name, "alice", "alice", lifetimes, NO_SERVICE);
    before = common_snapshot(name);
    common_start(&stack, "alice", "", no_answers);
    common_set_cache(&stack, name);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found.ownership, RECORD_ADOPTED);
    ck_assert_str_eq(found.cache, name);
    EXPECT(pam_open_session(stack.handle, 0), PAM_IGNORE);
    ck_assert_uint_eq(find(), 1);
    ck_assert(found.is_bound);
    EXPECT(ends[_i](), PAM_SUCCESS);
    if (_i < 2) {
        ck_assert_str_eq(common_cache(&stack), name);
    }
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_uint_eq(find(), 0);
    common_assert_same(&before, name);
    ck_assert_int_eq(unlink(cache_path(name)), 0);
}
END_TEST

START_TEST(test_holding_nothing_is_adopted_without_a_name)
{
    NEEDS_ROOT();
    common_start(&stack, "alice", "", no_answers);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(pam_open_session(stack.handle, 0), PAM_IGNORE);
    ck_assert_uint_eq(find(), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* What shall stay is not reap's either. */
START_TEST(test_holding_retained_cache_is_nobodys_to_end)
{
    char name[256];

    NEEDS_ROOT();
    establish(&stack, "retain_after_close");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found.ownership, RECORD_ADOPTED);
    close_and_end(&stack);
    ck_assert_uint_eq(find(), 0);
    ck_assert_int_eq(unlink(cache_path(name)), 0);
}
END_TEST

/* Unlocking as root, as gdm and lightdm do. */

/* A new handle authenticates USER and reinitializes; the code of the latter. */
static int
unlock(const char *user, const char *const *answers)
{
    int code = PAM_SUCCESS;

    common_start(&other, user, "", answers);
    EXPECT(pam_authenticate(other.handle, 0), PAM_SUCCESS);
    code = pam_setcred(other.handle, PAM_REINITIALIZE_CRED);
    /* gdm: a handle that has established nothing deletes nothing. */
    EXPECT(pam_setcred(other.handle, PAM_DELETE_CRED), PAM_SUCCESS);
    stack_end(&other, PAM_SUCCESS);
    return code;
}

START_TEST(test_holding_unlock_by_root_refreshes_the_sessions_cache)
{
    char name[256];
    struct snapshot before;
    struct snapshot roots;

    NEEDS_ROOT();
    establish(&stack, "");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    before = common_snapshot(name);
    common_write("/tmp/krb5cc_0", "root's own", 0, 0600);
    roots = common_snapshot("FILE:/tmp/krb5cc_0");
    EXPECT(unlock("alice", alice_answers), PAM_SUCCESS);
    ck_assert_uint_ne(common_snapshot(name).inode, before.inode);
    common_assert_owned(name, "alice");
    ck_assert(common_look(name, "alice").readable);
    common_assert_same(&roots, "FILE:/tmp/krb5cc_0");
    ck_assert_int_eq(unlink("/tmp/krb5cc_0"), 0);
    ck_assert_uint_eq(find(), 1);
    close_and_end(&stack);
}
END_TEST

/* A session that he has broken keeps nobody out. */
START_TEST(test_holding_unlock_by_root_minds_no_broken_session)
{
    struct stack broken;
    struct snapshot before;
    char name[256];

    NEEDS_ROOT();
    establish(&stack, "");
    establish(&broken, "");
    (void)snprintf(name, sizeof(name), "%s", cache_path(common_cache(&broken)));
    ck_assert_int_eq(unlink(name), 0);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    before = common_snapshot(common_cache(&stack));
    EXPECT(unlock("alice", alice_answers), PAM_SUCCESS);
    ck_assert(common_logged(LOG_ERR, "tickets not replaced"));
    ck_assert_uint_ne(common_snapshot(common_cache(&stack)).inode,
                      before.inode);
    ck_assert_int_eq(rmdir(name), 0);
    close_and_end(&broken);
    close_and_end(&stack);
}
END_TEST

/* Why a session's cache is none of this unlocking. */
static void
be_from_elsewhere(void)
{
    free(found.rhost);
    found.rhost = strdup("client.test");
}

static void
be_of_another_principal(void)
{
    free(found.principal);
    found.principal = strdup("alice/admin@PAM.TEST");
}

static void
be_over(void)
{
    found.is_ended = true;
}

static void
be_of_another_boot(void)
{
    free(found.boot);
    found.boot = strdup("00000000-0000-0000-0000-000000000000");
}

static void
be_in_a_session_keyring(void)
{
    free(found.cache);
    found.cache = strdup("KEYRING:session:login:krb5cc_x");
}

static void (*const reasons[])(void) = {
    be_from_elsewhere, be_of_another_principal, be_over, be_of_another_boot,
    be_in_a_session_keyring};

START_TEST(test_holding_unlock_by_root_leaves_other_sessions)
{
    struct snapshot before;

    NEEDS_ROOT();
    establish(&stack, "");
    ck_assert_uint_eq(find(), 1);
    reasons[_i]();
    change_found();
    before = common_snapshot(common_cache(&stack));
    EXPECT(unlock("alice", alice_answers), PAM_SUCCESS);
    ck_assert(!common_logged(LOG_INFO, "new tickets in"));
    common_assert_same(&before, common_cache(&stack));
    /* Another cache's record has another name, which the session forgets. */
    ck_assert_int_eq(registry_leave(&registry, &found_key), 0);
    close_and_end(&stack);
}
END_TEST

START_TEST(test_holding_unlock_of_another_leaves_hers)
{
    static const char *const bob[] = {"bob-password", NULL};
    struct snapshot before;

    NEEDS_ROOT();
    establish(&stack, "");
    before = common_snapshot(common_cache(&stack));
    EXPECT(unlock("bob", bob), PAM_SUCCESS);
    common_assert_same(&before, common_cache(&stack));
    close_and_end(&stack);
}
END_TEST

/* A helper that waits where it is told to; then it is the real one. */
static void
write_slow_helper(void)
{
    char script[1024];

    (void)snprintf(script, sizeof(script),
                   "#!/bin/sh\n"
                   "if rm " FOLDER "/hold 2>/dev/null; then\n"
                   "    echo >" FOLDER "/held; read go <" FOLDER "/go\n"
                   "fi\n"
                   "exec '%s'\n",
                   stack_helper());
    ck_assert_int_eq(mkdir(FOLDER, 0755), 0);
    common_write(FOLDER "/helper", script, 0, 0755);
    ck_assert_int_eq(mkfifo(FOLDER "/held", 0600), 0);
    ck_assert_int_eq(mkfifo(FOLDER "/go", 0600), 0);
}

/* The host of a display manager, whose replacing helper is held up. */
static int
unlock_slowly(void *data)
{
    int code = PAM_SUCCESS;

    (void)data;
    common_start(&other, "alice", "helper=" FOLDER "/helper", alice_answers);
    EXPECT(pam_authenticate(other.handle, 0), PAM_SUCCESS);
    common_write(FOLDER "/hold", "", 0, 0600);
    code = pam_setcred(other.handle, PAM_REINITIALIZE_CRED);
    stack_end(&other, PAM_SUCCESS);
    return code;
}

/* What comes behind the end of the last session would stay for good. */
START_TEST(test_holding_unlock_by_root_leaves_nothing_of_a_session_that_ends)
{
    char name[512];
    char line[2];
    pid_t pid = -1;
    int status = 0;
    int fd = -1;

    NEEDS_ROOT();
    write_slow_helper();
    establish(&stack, "");
    (void)snprintf(name, sizeof(name), "%s", common_cache(&stack));
    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        _exit(unlock_slowly(NULL));
    }
    fd = open(FOLDER "/held", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    /* Who closes before it is written kills who writes. */
    ck_assert_int_eq(read(fd, line, sizeof(line)), 1);
    ck_assert_int_eq(close(fd), 0);
    close_and_end(&stack);
    ck_assert(!common_look(name, "alice").readable);
    fd = open(FOLDER "/go", O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "go\n", 3), 3);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert(!common_look(name, "alice").readable);
    ck_assert_uint_eq(find(), 0);
    ck_assert_int_eq(system("rm -r " FOLDER), 0);
}
END_TEST

/* A module in a running sshd meets the helper of the next version. */

/* What the helper answers to a module of VERSION that wants CACHE destroyed. */
static enum outcome
destroy_as_of(uint16_t version, const char *cache)
{
    struct request request = {.job = JOB_DESTROY,
                              .budget_ms = 5000,
                              .user = "alice",
                              .has_account = true,
                              .cache = cache};
    struct bytes payload = BYTES_EMPTY;
    struct message message = {.payload = BYTES_EMPTY};
    struct result result = {.outcome = OUTCOME_HELPER_FAILED};
    enum outcome outcome = OUTCOME_HELPER_FAILED;
    struct options options;
    pid_t pid = -1;
    size_t at = 0;
    int fd = -1;

    request.uid = common_uid("alice");
    request.gid = common_uid("alice");
    ck_assert_int_eq(options_init(&options), 0);
    request_pack(&payload, version, &request, &options);
    ck_assert_int_eq(spawn(stack_helper(), &pid, &fd, &at), 0);
    ck_assert_int_eq(channel_send(fd, NULL, version, MESSAGE_REQUEST, &payload),
                     0);
    while (message.type != MESSAGE_RESULT) {
        message_free(&message);
        ck_assert_int_eq(channel_receive(fd, NULL, &message), 0);
        ck_assert_uint_eq(message.version, version);
    }
    ck_assert_int_eq(
        result_unpack(bytes_span(&message.payload), message.version, &result),
        0);
    outcome = result.outcome;
    message_free(&message);
    bytes_free(&payload);
    options_free(&options);
    (void)close(fd);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    return outcome;
}

START_TEST(test_holding_helper_serves_the_module_before_it)
{
    NEEDS_ROOT();
    establish(&stack, "");
    ck_assert_int_eq(
        destroy_as_of(MESSAGE_VERSION_OLDEST, common_cache(&stack)),
        OUTCOME_SUCCESS);
    ck_assert(!common_exists(cache_path(common_cache(&stack))));
    close_and_end(&stack);
}
END_TEST

static void
add_records(Suite *suite)
{
    TCase *tcase = common_case(suite, "records");

    tcase_add_test(tcase, test_holding_record_says_who_holds_what);
    tcase_add_test(tcase, test_holding_second_establish_makes_no_second_record);
    tcase_add_loop_test(tcase, test_holding_record_goes_with_the_session, 0, 3);
    tcase_add_test(tcase, test_holding_host_like_su_keeps_a_record);
    tcase_add_loop_test(tcase, test_holding_host_that_is_not_root_keeps_none, 0,
                        2);
    tcase_add_loop_test(tcase, test_holding_bad_directory_fails_no_login, 0, 3);
    tcase_add_loop_test(
        tcase, test_holding_full_or_read_only_directory_fails_no_login, 0, 2);
    tcase_add_test(tcase, test_holding_failed_establish_leaves_no_record);
    tcase_add_test(tcase, test_holding_helper_serves_the_module_before_it);
}

static void
add_shared(Suite *suite)
{
    TCase *tcase = common_case(suite, "shared");

    tcase_add_loop_test(tcase, test_holding_last_holder_destroys, 0, 2);
    tcase_add_loop_test(tcase, test_holding_shared_cache_has_one_name, 0, 2);
    tcase_add_test(tcase,
                   test_holding_last_holder_of_a_collections_cache_destroys);
    tcase_add_loop_test(
        tcase, test_holding_host_that_has_become_its_user_ends_its_own_cache, 0,
        2);
    tcase_add_loop_test(
        tcase, test_holding_own_cache_in_a_collection_outlives_who_made_it, 0,
        2);
    tcase_add_test(tcase,
                   test_holding_own_cache_in_a_collection_waits_for_the_lock);
    tcase_add_test(tcase, test_holding_dead_holder_holds_nothing);
    tcase_add_test(tcase, test_holding_session_that_outlives_its_host_holds);
    tcase_add_test(tcase, test_holding_record_of_another_boot_holds_nothing);
    tcase_add_test(tcase, test_holding_record_of_another_pid_namespace_holds);
    tcase_add_test(tcase, test_holding_record_that_is_none_keeps_the_cache);
    tcase_add_test(tcase, test_holding_lock_of_another_hinders_nobody_for_long);
    tcase_add_test(tcase, test_holding_end_behind_reap_succeeds);
    tcase_add_test(tcase,
                   test_holding_session_without_record_ends_nobody_elses_cache);
    tcase_add_test(tcase,
                   test_holding_host_that_is_not_root_ends_nobody_elses_cache);
    tcase_add_test(tcase, test_holding_adopter_leaves_the_cache_to_reap);
}

static void
add_others(Suite *suite)
{
    TCase *tcase = common_case(suite, "others");

    tcase_add_loop_test(tcase, test_holding_hosts_own_cache_is_adopted, 0, 3);
    tcase_add_test(tcase, test_holding_nothing_is_adopted_without_a_name);
    tcase_add_test(tcase, test_holding_retained_cache_is_nobodys_to_end);
    tcase_add_test(tcase,
                   test_holding_unlock_by_root_refreshes_the_sessions_cache);
    tcase_add_loop_test(tcase,
                        test_holding_unlock_by_root_leaves_other_sessions, 0,
                        (int)(sizeof(reasons) / sizeof(reasons[0])));
    tcase_add_test(
        tcase,
        test_holding_unlock_by_root_leaves_nothing_of_a_session_that_ends);
    tcase_add_test(tcase, test_holding_unlock_of_another_leaves_hers);
    tcase_add_test(tcase, test_holding_unlock_by_root_minds_no_broken_session);
}

int
main(void)
{
    Suite *suite = suite_create("holding");

    add_records(suite);
    add_shared(suite);
    add_others(suite);
    return suite_main(suite);
}
