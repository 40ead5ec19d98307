/* Becoming somebody, irrevocably. */
#include "helper/identity.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nobody may look into this process or make it dump its memory. */
static void
hide_memory(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Sets all six ids and looks whether they are what was asked for. */
static bool
set_ids(uid_t uid, gid_t gid)
{
    uid_t uids[3];
    gid_t gids[3];

    if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
        getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) < 0) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (uids[i] != uid || gids[i] != gid) {
            return false;
        }
    }
    return true;
}

/* Whether root's identity is out of reach (capabilities that stayed). */
static bool
cannot_go_back(uid_t uid)
{
    return uid == 0 ||
           (setresuid((uid_t)-1, 0, (uid_t)-1) < 0 && setresuid(0, 0, 0) < 0);
}

/* The step that all who become somebody share. */
static enum outcome
become(uid_t uid, gid_t gid)
{
    if (!set_ids(uid, gid) || !cannot_go_back(uid)) {
        return OUTCOME_IDENTITY;
    }
    /* The kernel has made us dumpable again at the change of ids. */
    hide_memory();
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return OUTCOME_SUCCESS;
}

bool
identity_secure_process(void)
{
    const struct rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    hide_memory();
    /* A set-gid host's group is not for the files that its caller names. */
    if (!set_ids(geteuid(), geteuid() == 0 ? 0 : getgid())) {
        return false;
    }
    hide_memory();
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)umask(077);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    /* A file size limit of the caller is a failed write, not our death. */
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    return chdir("/") == 0;
}

bool
identity_is_root(void)
{
    return geteuid() == 0;
}

static bool
find_account(const char *name, struct identity_account *account_out)
{
    char buffer[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 ||
        found == NULL || found->pw_uid == 0) {
        return false;
    }
    account_out->uid = found->pw_uid;
    account_out->gid = found->pw_gid;
    return true;
}

bool
identity_find_user(const char *user, struct identity_user *user_out)
{
    char buffer[16384];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwnam_r(user, &entry, buffer, sizeof(buffer), &found) != 0 ||
        found == NULL || strlen(found->pw_dir) >= sizeof(user_out->home)) {
        return false;
    }
    user_out->uid = found->pw_uid;
    user_out->gid = found->pw_gid;
    (void)snprintf(user_out->home, sizeof(user_out->home), "%s", found->pw_dir);
    return true;
}

bool
identity_find_helper_account(struct identity_account *account_out)
{
    account_out->is_fallback = false;
    if (find_account(HELPER_USER, account_out)) {
        return true;
    }
    account_out->is_fallback = true;
    return find_account("nobody", account_out);
}

/*
 * Leaves the session keyring of the host for an empty one: who possesses a key
 * may read it whatever his uid is.  A kernel or a sandbox without keys has
 * nothing that could be possessed.
 */
static bool
leave_keyring(void)
{
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 ||
           errno == ENOSYS || errno == EPERM;
}

enum outcome
identity_become_account(const struct identity_account *account)
{
    /* Who breaks into it shall not leave anything running behind. */
    const struct rlimit no_children = {.rlim_cur = 0, .rlim_max = 0};

    if (!leave_keyring() || setgroups(0, NULL) < 0 ||
        setrlimit(RLIMIT_NPROC, &no_children) < 0) {
        return OUTCOME_IDENTITY;
    }
    return become(account->uid, account->gid);
}

bool
identity_end_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return getppid() == parent;
}

/* The child's whole life: 0 or 1. */
static int
try_to_read(const struct identity_account *account, pid_t judge,
            char *const paths[], size_t count)
{
    /* A file system that does not answer must not keep us behind the judge. */
    if (identity_become_account(account) != OUTCOME_SUCCESS ||
        !identity_end_with(judge)) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        /* By the real ids, which are the others' too. */
        if (access(paths[i], R_OK) < 0) {
            return 1;
        }
    }
    return 0;
}

bool
identity_can_read(const struct identity_account *account, char *const paths[],
                  size_t count)
{
    int status = -1;
    pid_t judge = getpid();
    pid_t child = fork();

    if (child == 0) {
        _exit(try_to_read(account, judge, paths, count));
    }
    if (child < 0) {
        return false;
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whose groups are known; the process is for one request. */
static struct {
    char user[NAME_MAX + 1]; /* "" = nobody's */
    gid_t gid;
    struct groups groups;
} known;

void
identity_know_groups(const char *user, gid_t gid, const struct groups *groups)
{
    known.user[0] = '\0';
    /* Who has a longer name is looked up when it counts. */
    if (groups->are_known && strlen(user) <= NAME_MAX) {
        (void)snprintf(known.user, sizeof(known.user), "%s", user);
        known.gid = gid;
        known.groups = *groups;
    }
}

/* initgroups(3), with what is known already. */
static bool
take_groups(const char *user, gid_t gid)
{
    if (*user != '\0' && strcmp(known.user, user) == 0 && known.gid == gid) {
        return setgroups(known.groups.count, known.groups.list) == 0;
    }
    return initgroups(user, gid) == 0;
}

enum outcome
identity_become_user(const char *user, uid_t uid, gid_t gid)
{
    if (!identity_is_root()) {
        return geteuid() == uid ? become(uid, getegid()) : OUTCOME_IDENTITY;
    }
    if (!take_groups(user, gid)) {
        return OUTCOME_IDENTITY;
    }
    return become(uid, gid);
}
