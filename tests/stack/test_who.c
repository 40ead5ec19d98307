/*
 * Who is who: hosts that alice calls and somebody else is served by (su, sudo,
 * passwd), that serve somebody while she works on the machine (cron, login,
 * sshd), and that are wholly she (screen lockers); each with the calls of the
 * real one, in its order, with its ids.  Over every kind of caches: those that
 * are alice's own are not read, written or destroyed, and no ticket of hers
 * reaches anybody; a locker gives the session's cache new tickets.
 *
 * That nothing is read is shown by what the helper is asked, and by traps: keys
 * of alice's kill the helper that touches them (stack/witness), her files are
 * watched by inotify(7).  What a KCM server keeps it shows nobody but her.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <krb5.h>

#include "stack/common.h"
#include "stack/kinds.h"
#include "stack/witness.h"
#include "support/kcm.h"

#define COMPLAINT WITNESS_PLACE "/complaint" /* what a host found wrong */
#define SECURE_LOCKER WITNESS_PLACE "/xscreensaver-auth"
#define OWN_ETC WITNESS_PLACE "/etc"
/* What alice has of her own. */
#define TICKETS "FILE:" WITNESS_PLACE "/alice/tickets"

#define TEXT_MAX 32768
#define KEYS_MAX WITNESS_KEYS_MAX
#define FILES_MAX 8
#define HOST_FAILED 1

/* Lifetime and renewable lifetime in seconds. */
static const int64_t an_hour_renewable[] = {3600, 86400};

/* The hosts. */

/* Whose ids a host has. */
enum shape {
    DAEMON,     /* root's */
    SETUID,     /* the caller's real ones, root's effective ones */
    WHOLLY,     /* all the user's */
    WHOLLY_NOW, /* the same; but it was set-uid root (AT_SECURE) */
};

struct play;
struct step;

/* What a host does besides its calls, or what modules besides ours do. */
typedef bool deed(struct play *play, const struct step *step);
static deed in_child;     /* the call, as root with the target's group */
static deed end_in_child; /* pam_end, wholly the target */
static deed about_target; /* PAM_USER and the group become the target's */
static deed as_group;     /* the group becomes the target's */
static deed keyinit;   /* pam_keyinit(8): a new session keyring, the target's */
static deed keyrevoke; /* the same at the end of the session */
static deed lives;     /* the session lives: what has the target got? */

/* A call with FLAGS that gives CODE, or a deed; neither: the end. */
struct step {
    int (*call)(pam_handle_t *handle, int flags);
    deed *deed;
    int flags;
    int code;      /* PAM_SUCCESS */
    bool is_wrong; /* authenticate with a wrong password */
};

static bool
is_step(const struct step *step)
{
    return step->call != NULL || step->deed != NULL;
}

static const struct step su[] = {
    {.call = pam_authenticate},
    {.call = pam_acct_mgmt},
    {.call = pam_setcred, .flags = PAM_ESTABLISH_CRED},
    {.call = pam_open_session},
    {.deed = end_in_child, .flags = PAM_DATA_SILENT},
    {.deed = lives},
    {.call = pam_close_session},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED | PAM_SILENT},
    {.call = pam_end},
    {0},
};

static const struct step su_login[] = {
    {.call = pam_authenticate},
    {.call = pam_acct_mgmt},
    {.call = pam_setcred, .flags = PAM_ESTABLISH_CRED},
    {.deed = keyinit},
    {.call = pam_open_session},
    {.deed = end_in_child, .flags = PAM_DATA_SILENT},
    {.deed = lives},
    {.deed = keyrevoke},
    {.call = pam_close_session},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED | PAM_SILENT},
    {.call = pam_end},
    {0},
};

static const struct step su_refused[] = {
    {.call = pam_authenticate, .code = PAM_AUTH_ERR, .is_wrong = true},
    {.deed = lives},
    {.call = pam_end, .flags = PAM_AUTH_ERR},
    {0},
};

static const struct step su_reinitializing[] = {
    {.call = pam_authenticate},
    {.call = pam_acct_mgmt},
    {.deed = as_group},
    {.call = pam_setcred, .flags = PAM_REINITIALIZE_CRED},
    {.call = pam_open_session},
    {.deed = lives},
    {.call = pam_close_session},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED},
    {.call = pam_end},
    {0},
};

static const struct step su_refreshing[] = {
    {.call = pam_authenticate},
    {.call = pam_acct_mgmt},
    {.deed = as_group},
    {.call = pam_setcred, .flags = PAM_REFRESH_CRED},
    {.call = pam_open_session},
    {.deed = lives},
    {.call = pam_close_session},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED},
    {.call = pam_end},
    {0},
};

/* No su that is known does it; nothing keeps one from it. */
static const struct step su_of_the_trusted[] = {
    {.call = pam_acct_mgmt, .code = PAM_IGNORE},
    {.call = pam_setcred, .flags = PAM_REFRESH_CRED},
    {.call = pam_setcred, .flags = PAM_REINITIALIZE_CRED},
    {.call = pam_open_session, .code = PAM_IGNORE},
    {.deed = lives},
    {.call = pam_close_session},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED},
    {.call = pam_end},
    {0},
};

static const struct step su_by_root[] = {
    {.call = pam_acct_mgmt, .code = PAM_IGNORE},
    {.call = pam_open_session, .code = PAM_IGNORE},
    {.deed = end_in_child, .flags = PAM_DATA_SILENT},
    {.deed = lives},
    {.call = pam_close_session},
    {.call = pam_end},
    {0},
};

static const struct step sudo[] = {
    {.call = pam_authenticate, .flags = PAM_SILENT},
    {.call = pam_acct_mgmt, .flags = PAM_SILENT},
    {.deed = about_target},
    {.call = pam_setcred, .flags = PAM_REINITIALIZE_CRED},
    {.call = pam_open_session, .flags = PAM_SILENT, .code = PAM_IGNORE},
    {.deed = lives},
    {.call = pam_close_session, .flags = PAM_SILENT},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED | PAM_SILENT},
    {.call = pam_end, .flags = PAM_DATA_SILENT},
    {0},
};

static const struct step sudo_to_oneself[] = {
    {.call = pam_authenticate, .flags = PAM_SILENT},
    {.call = pam_acct_mgmt, .flags = PAM_SILENT},
    {.deed = about_target},
    {.call = pam_setcred, .flags = PAM_REINITIALIZE_CRED},
    {.call = pam_open_session, .flags = PAM_SILENT},
    {.deed = lives},
    {.call = pam_close_session, .flags = PAM_SILENT},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED | PAM_SILENT},
    {.call = pam_end, .flags = PAM_DATA_SILENT},
    {0},
};

/* With a timestamp of sudo's own nobody is asked for a password. */
static const struct step sudo_again[] = {
    {.call = pam_acct_mgmt, .flags = PAM_SILENT, .code = PAM_IGNORE},
    {.deed = about_target},
    {.call = pam_setcred, .flags = PAM_REINITIALIZE_CRED},
    {.call = pam_open_session, .flags = PAM_SILENT, .code = PAM_IGNORE},
    {.deed = lives},
    {.call = pam_close_session, .flags = PAM_SILENT},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED | PAM_SILENT},
    {.call = pam_end, .flags = PAM_DATA_SILENT},
    {0},
};

/* The current password is right, a new one is not told. */
static const struct step passwd[] = {
    {.call = pam_chauthtok, .code = PAM_AUTHTOK_ERR},
    {.call = pam_end},
    {0},
};

static const struct step cron[] = {
    {.call = pam_acct_mgmt, .flags = PAM_SILENT, .code = PAM_IGNORE},
    {.call = pam_setcred, .flags = PAM_ESTABLISH_CRED | PAM_SILENT},
    {.call = pam_open_session, .flags = PAM_SILENT, .code = PAM_IGNORE},
    {.call = pam_setcred,
     .deed = in_child,
     .flags = PAM_REINITIALIZE_CRED | PAM_SILENT},
    {.deed = lives},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED | PAM_SILENT},
    {.call = pam_close_session, .flags = PAM_SILENT},
    {.call = pam_end},
    {0},
};

static const struct step login[] = {
    {.call = pam_authenticate},
    {.call = pam_acct_mgmt},
    {.deed = keyinit},
    {.call = pam_open_session},
    {.deed = as_group},
    {.call = pam_setcred, .flags = PAM_ESTABLISH_CRED},
    {.deed = end_in_child, .flags = PAM_DATA_SILENT},
    {.deed = lives},
    {.deed = keyrevoke},
    {.call = pam_close_session},
    {.call = pam_end},
    {0},
};

static const struct step sshd[] = {
    {.call = pam_authenticate, .flags = PAM_DISALLOW_NULL_AUTHTOK},
    {.call = pam_acct_mgmt},
    {.call = pam_setcred, .flags = PAM_ESTABLISH_CRED},
    {.deed = keyinit},
    {.call = pam_open_session},
    {.call = pam_setcred, .deed = in_child, .flags = PAM_ESTABLISH_CRED},
    {.deed = lives},
    {.deed = keyrevoke},
    {.call = pam_close_session, .flags = PAM_SILENT},
    {.call = pam_setcred, .flags = PAM_DELETE_CRED},
    {.call = pam_end},
    {0},
};

/* One process and one handle for each attempt. */
static const struct step xscreensaver[] = {
    {.call = pam_authenticate},
    {.call = pam_acct_mgmt},
    {.call = pam_setcred, .flags = PAM_REINITIALIZE_CRED},
    {.call = pam_end},
    {0},
};

static const struct step xscreensaver_refused[] = {
    {.call = pam_authenticate, .code = PAM_AUTH_ERR, .is_wrong = true},
    {.call = pam_end, .flags = PAM_AUTH_ERR},
    {0},
};

/* One handle for all attempts. */
static const struct step i3lock[] = {
    {.call = pam_authenticate, .code = PAM_AUTH_ERR, .is_wrong = true},
    {.call = pam_authenticate},
    {.call = pam_setcred, .flags = PAM_REFRESH_CRED},
    {.call = pam_end},
    {0},
};

static const struct step i3lock_refused[] = {
    {.call = pam_authenticate, .code = PAM_AUTH_ERR, .is_wrong = true},
    {.call = pam_end, .flags = PAM_AUTH_ERR},
    {0},
};

struct host {
    const char *name;
    enum shape shape;
    const char *user;   /* PAM_USER at first, who authenticates */
    const char *target; /* whose session it is */
    const char *asked;  /* of helpers; the same twice in a row once */
    const struct step *steps;
    enum { EVERY_FAMILY, EVERY_KIND } where; /* is it tried each time? */
};

#define A_LOGIN(user) "acquire:" user
#define A_SESSION(user) A_LOGIN(user) " store:" user " destroy:" user
#define AN_UNLOCKING(user) A_LOGIN(user) " replace:" user

/* Whether tickets come into the session that HOST begins or unlocks. */
static bool
gets_tickets(const struct host *host)
{
    return strstr(host->asked, "store") != NULL ||
           strstr(host->asked, "replace") != NULL;
}

/* All are alice's processes, or have her environment at least. */
static const struct host hosts[] = {
    {"su bob", SETUID, "bob", "bob", A_SESSION("bob"), su, EVERY_KIND},
    {"su - bob", SETUID, "bob", "bob", A_SESSION("bob"), su_login,
     EVERY_FAMILY},
    {"su bob, wrong password", SETUID, "bob", "bob", A_LOGIN("bob"), su_refused,
     EVERY_FAMILY},
    {"a su that reinitializes", SETUID, "bob", "bob", A_SESSION("bob"),
     su_reinitializing, EVERY_FAMILY},
    {"a su that refreshes", SETUID, "bob", "bob", A_SESSION("bob"),
     su_refreshing, EVERY_FAMILY},
    {"su bob without password, refreshing", SETUID, "bob", "bob", "",
     su_of_the_trusted, EVERY_FAMILY},
    {"su by root", DAEMON, "bob", "bob", "", su_by_root, EVERY_FAMILY},
    {"sudo -u bob", SETUID, "alice", "bob", A_LOGIN("alice"), sudo, EVERY_KIND},
    {"sudo", SETUID, "alice", "root", A_LOGIN("alice"), sudo, EVERY_FAMILY},
    {"sudo -u bob again", SETUID, "alice", "bob", "", sudo_again, EVERY_FAMILY},
    {"cron", DAEMON, "bob", "bob", "", cron, EVERY_FAMILY},
    {"login", DAEMON, "bob", "bob", A_SESSION("bob"), login, EVERY_FAMILY},
    {"sshd", DAEMON, "bob", "bob", A_SESSION("bob"), sshd, EVERY_KIND},
    /* Alice to alice: what she has besides the session stays as it is. */
    {"su alice", SETUID, "alice", "alice", A_SESSION("alice"), su, EVERY_KIND},
    {"su alice without password, refreshing", SETUID, "alice", "alice", "",
     su_of_the_trusted, EVERY_FAMILY},
    {"su alice by root", DAEMON, "alice", "alice", "", su_by_root,
     EVERY_FAMILY},
    {"sudo -u alice", SETUID, "alice", "alice", A_SESSION("alice"),
     sudo_to_oneself, EVERY_FAMILY},
    {"sudo -u alice again", SETUID, "alice", "alice", "", sudo_again,
     EVERY_FAMILY},
    {"passwd", SETUID, "alice", "alice", "", passwd, EVERY_FAMILY},
    {"cron for alice", DAEMON, "alice", "alice", "", cron, EVERY_FAMILY},
    {"sshd for alice", DAEMON, "alice", "alice", A_SESSION("alice"), sshd,
     EVERY_FAMILY},
};

/* The environment's cache is that of alice's session.  In pairs. */
static const struct host lockers[] = {
    {"xscreensaver, wrong password", WHOLLY_NOW, "alice", "alice",
     A_LOGIN("alice"), xscreensaver_refused, EVERY_KIND},
    {"xscreensaver", WHOLLY_NOW, "alice", "alice", AN_UNLOCKING("alice"),
     xscreensaver, EVERY_KIND},
    /* And swaylock, which makes the same calls. */
    {"i3lock, wrong password", WHOLLY, "alice", "alice", A_LOGIN("alice"),
     i3lock_refused, EVERY_KIND},
    {"i3lock", WHOLLY, "alice", "alice", AN_UNLOCKING("alice"), i3lock,
     EVERY_KIND},
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define LOCKER_PAIRS (COUNT(lockers) / 2)

/* What all the processes of this test do with keys. */

static long
keyctl(int operation, long first, const void *second, size_t third)
{
    return syscall(SYS_keyctl, operation, first, second, third);
}

/* The texts of the files by which processes find each other. */

static void
file_clear(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    /* Lockers write here too. */
    ck_assert_int_eq(fchmod(fd, 0666), 0);
    ck_assert_int_eq(close(fd), 0);
}

/* Nothing asked, nothing complained of, nothing forbidden. */
static void
clear_files(void)
{
    file_clear(WITNESS_ASKED);
    file_clear(COMPLAINT);
    file_clear(WITNESS_FORBIDDEN);
}

static void
file_read(const char *path, char text[TEXT_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, text, TEXT_MAX - 1);

    ck_assert_msg(size >= 0, "%s: %s", path, strerror(errno));
    text[size] = '\0';
    ck_assert_int_eq(close(fd), 0);
}

/* Looks: what a user sees, as text, in a process that is he. */

enum session { INHERITED, FRESH };

static void
become(const char *user, enum session session)
{
    uid_t uid = common_uid(user);

    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
        setresuid(uid, uid, uid) < 0 ||
        (session == FRESH &&
         keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, NULL, 0) < 0)) {
        _exit(HOST_FAILED);
    }
}

static void
look_as(const char *user, enum session session, void (*body)(FILE *out),
        char text[TEXT_MAX])
{
    size_t length = 0;
    ssize_t got = 0;
    int status = 0;
    int fds[2];
    pid_t pid = -1;

    ck_assert_int_eq(pipe(fds), 0);
    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        FILE *out = fdopen(fds[1], "w");

        become(user, session);
        (void)unsetenv("KRB5CCNAME");
        body(out);
        _exit(fclose(out) == 0 ? 0 : HOST_FAILED);
    }
    ck_assert_int_eq(close(fds[1]), 0);
    while ((got = read(fds[0], text + length, TEXT_MAX - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = '\0';
    ck_assert_uint_lt(length, TEXT_MAX - 1);
    ck_assert_int_eq(close(fds[0]), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "could not look as %s", user);
}

/* The caches that alice has of her own; the environment names the first. */
static char own_names[2][256];

/* The collection that they are in, whose primary is the first; "" = none. */
static char own_collection[256];

/* The cache of the session that lives. */
static char session_name[256];

/* FNV-1a, enough to tell one ticket from another. */
static unsigned long long
digest(const krb5_data *data)
{
    unsigned long long sum = 0xcbf29ce484222325;

    for (unsigned int i = 0; i < data->length; i++) {
        sum = (sum ^ (unsigned char)data->data[i]) * 0x100000001b3;
    }
    return sum;
}

static void
show_entry(FILE *out, krb5_context context, krb5_creds *creds)
{
    krb5_data *data = NULL;
    char *server = NULL;

    if (krb5_unparse_name(context, creds->server, &server) == 0 &&
        krb5_marshal_credentials(context, creds, &data) == 0) {
        (void)fprintf(out, "    %s %llx\n", server, digest(data));
    }
    krb5_free_data(context, data);
    krb5_free_unparsed_name(context, server);
}

static void
show_cache(FILE *out, krb5_context context, krb5_ccache cache)
{
    krb5_principal principal = NULL;
    krb5_cc_cursor cursor = NULL;
    krb5_creds creds;
    char *name = NULL;
    char *client = NULL;

    if (krb5_cc_get_full_name(context, cache, &name) != 0 ||
        krb5_cc_get_principal(context, cache, &principal) != 0 ||
        krb5_unparse_name(context, principal, &client) != 0) {
        (void)fprintf(out, "%s is not readable\n", name);
    } else {
        (void)fprintf(out, "%s has %s's:\n", name, client);
        if (krb5_cc_start_seq_get(context, cache, &cursor) == 0) {
            while (krb5_cc_next_cred(context, cache, &cursor, &creds) == 0) {
                show_entry(out, context, &creds);
                krb5_free_cred_contents(context, &creds);
            }
            (void)krb5_cc_end_seq_get(context, cache, &cursor);
        }
    }
    krb5_free_string(context, name);
    krb5_free_unparsed_name(context, client);
    krb5_free_principal(context, principal);
}

static void
show_named_cache(FILE *out, const char *name)
{
    krb5_context context = NULL;
    krb5_ccache cache = NULL;

    if (krb5_init_context(&context) != 0) {
        _exit(HOST_FAILED);
    }
    if (krb5_cc_resolve(context, name, &cache) == 0) {
        show_cache(out, context, cache);
        (void)krb5_cc_close(context, cache);
    }
    krb5_free_context(context);
}

static void
show_own_primary(FILE *out)
{
    show_named_cache(out, own_collection);
}

static void
show_own_caches(FILE *out)
{
    for (int i = 0; i < COUNT(own_names); i++) {
        show_named_cache(out, own_names[i]);
    }
    if (own_collection[0] != '\0') {
        show_own_primary(out);
    }
}

static void
show_session_cache(FILE *out)
{
    show_named_cache(out, session_name);
}

/* The caches of all collections that one finds without being told. */
static void
show_found_caches(FILE *out)
{
    krb5_context context = NULL;
    krb5_cccol_cursor cursor = NULL;
    krb5_ccache cache = NULL;

    if (krb5_init_context(&context) != 0 ||
        krb5_cccol_cursor_new(context, &cursor) != 0) {
        _exit(HOST_FAILED);
    }
    while (krb5_cccol_cursor_next(context, cursor, &cache) == 0 &&
           cache != NULL) {
        show_cache(out, context, cache);
        (void)krb5_cc_close(context, cache);
    }
    (void)krb5_cccol_cursor_free(context, &cursor);
    krb5_free_context(context);
}

static void
show_all_caches(FILE *out)
{
    show_own_caches(out);
    show_found_caches(out);
}

/* The key ID and what is in it, each as "SERIAL type;uid;gid;perm;name". */
static void
show_keys_below(FILE *out, int32_t id, int depth)
{
    char text[512] = "";
    int32_t keys[KEYS_MAX];
    long length = keyctl(KEYCTL_DESCRIBE, id, text, sizeof(text) - 1);

    if (length < 0) {
        return;
    }
    (void)fprintf(out, "key %d %s\n", id, text);
    if (strncmp(text, "keyring;", 8) != 0 || depth == 0) {
        return;
    }
    length = keyctl(KEYCTL_READ, id, keys, sizeof(keys));
    for (long i = 0; i < length / (long)sizeof(keys[0]) && i < KEYS_MAX; i++) {
        show_keys_below(out, keys[i], depth - 1);
    }
}

static void
show_keys(FILE *out)
{
    /* Possession is what lets one read them. */
    static const long roots[] = {KEY_SPEC_SESSION_KEYRING,
                                 KEY_SPEC_USER_KEYRING};
    long persistent = syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1,
                              KEY_SPEC_PROCESS_KEYRING);

    for (int i = 0; i < COUNT(roots); i++) {
        long id = keyctl(KEYCTL_GET_KEYRING_ID, roots[i], NULL, 0);

        show_keys_below(out, (int32_t)id, 6);
    }
    show_keys_below(out, (int32_t)persistent, 6);
}

static void
show_keys_and_own_caches(FILE *out)
{
    show_keys(out);
    show_own_caches(out);
}

/* What is alice's own, as it was before the host began. */
static struct {
    char text[TEXT_MAX]; /* her caches, her keys */
    char files[FILES_MAX][256];
    struct snapshot shots[FILES_MAX];
    int file_count;
    size_t caches;
    int watch; /* inotify, -1 = nothing is watched */
} before;

static void
add_file(const char *path)
{
    ck_assert_int_lt(before.file_count, FILES_MAX);
    (void)snprintf(before.files[before.file_count],
                   sizeof(before.files[before.file_count]), "%s", path);
    before.file_count++;
}

/* The files that KIND has for alice: of a DIR all that are in it. */
static void
find_files(const struct kind *kind)
{
    char pattern[512];
    glob_t found;

    before.file_count = 0;
    if (kind->family == KIND_FILE) {
        for (int i = 0; i < COUNT(own_names); i++) {
            add_file(cache_path(own_names[i]));
        }
    } else if (kind->family == KIND_DIR) {
        (void)snprintf(pattern, sizeof(pattern), "%s/*",
                       strchr(own_collection, '/'));
        ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
        for (size_t i = 0; i < found.gl_pathc; i++) {
            add_file(found.gl_pathv[i]);
        }
        globfree(&found);
    }
}

/* The serials in before.text, for the witness. */
static void
forbid_keys(void)
{
    int32_t keys[KEYS_MAX];
    size_t count = 0;
    int fd = open(WITNESS_FORBIDDEN, O_WRONLY | O_TRUNC | O_CLOEXEC);
    const char *at = before.text;

    while ((at = strstr(at, "key ")) != NULL) {
        if (at == before.text || at[-1] == '\n') {
            ck_assert_uint_lt(count, KEYS_MAX);
            keys[count++] = (int32_t)strtol(at + 4, NULL, 10);
        }
        at += 4;
    }
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, keys, count * sizeof(keys[0])),
                     (ssize_t)(count * sizeof(keys[0])));
    ck_assert_int_eq(close(fd), 0);
}

/* The files, and the directory of a DIR. */
static void
watch_files(const struct kind *kind)
{
    before.watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    ck_assert_int_ge(before.watch, 0);
    for (int i = 0; i < before.file_count; i++) {
        ck_assert_int_ge(
            inotify_add_watch(before.watch, before.files[i], IN_ALL_EVENTS), 0);
    }
    if (kind->family == KIND_DIR) {
        ck_assert_int_ge(inotify_add_watch(before.watch,
                                           strchr(own_collection, '/'),
                                           IN_ALL_EVENTS),
                         0);
    }
}

enum traps { NO_TRAPS, TRAPS };

/* Keeps what alice has, and sets the traps. */
static void
remember(const struct kind *kind, enum traps traps)
{
    look_as("alice", INHERITED, show_keys_and_own_caches, before.text);
    before.caches = kinds_caches(kind, "alice");
    find_files(kind);
    for (int i = 0; i < before.file_count; i++) {
        before.shots[i] = common_snapshot(before.files[i]);
    }
    clear_files();
    before.watch = -1;
    if (traps == TRAPS) {
        forbid_keys();
        watch_files(kind);
    }
}

/* The events on watched files; "" = none. */
static void
read_watch(char text[TEXT_MAX])
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t size = read(before.watch, events, sizeof(events));
    int length = 0;

    for (ssize_t at = 0; at < size;) {
        struct inotify_event event;

        memcpy(&event, events + at, sizeof(event));
        length += snprintf(text + length, (size_t)(TEXT_MAX - length),
                           "event %#x on %s\n", event.mask,
                           event.wd < 1 || event.wd > before.file_count
                               ? own_collection
                               : before.files[event.wd - 1]);
        at += (ssize_t)(sizeof(event) + event.len);
    }
    text[length] = '\0';
}

/* What is alice's own is as it was, and nobody has looked at it. */
static void
check_untouched(const struct kind *kind)
{
    static char now[TEXT_MAX];

    if (before.watch >= 0) {
        read_watch(now);
        ck_assert_msg(now[0] == '\0', "%s", now);
        ck_assert_int_eq(close(before.watch), 0);
    }
    for (int i = 0; i < before.file_count; i++) {
        common_assert_same(&before.shots[i], before.files[i]);
    }
    look_as("alice", INHERITED, show_keys_and_own_caches, now);
    ck_assert_str_eq(now, before.text);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), before.caches);
}

/* Bob sees nothing of alice's, whatever name he tries. */
static void
check_bob_sees_nothing(void)
{
    static char text[TEXT_MAX];

    look_as("bob", FRESH, show_all_caches, text);
    ck_assert_msg(strstr(text, "alice@") == NULL, "bob sees:\n%s", text);
}

/* What the helpers were asked, as in struct host; their ids and caches too. */
static void
read_asked(char jobs[TEXT_MAX])
{
    static char text[TEXT_MAX];
    char *rest = text;
    char *line = NULL;
    char last[64] = "";

    jobs[0] = '\0';
    file_read(WITNESS_ASKED, text);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char job[64];
        char cache[256] = "";
        unsigned int uid = 0;

        ck_assert_int_ge(sscanf(line, "%63s %u %255s", job, &uid, cache), 2);
        ck_assert_msg(uid == common_uid(strchr(job, ':') + 1), "%s", line);
        for (int i = 0; i < COUNT(own_names); i++) {
            ck_assert_msg(strcmp(cache, own_names[i]) != 0, "%s", line);
        }
        if (strcmp(job, last) != 0) {
            (void)strcat(strcat(jobs, *jobs == '\0' ? "" : " "), job);
        }
        (void)snprintf(last, sizeof(last), "%s", job);
    }
}

/* A host that runs. */
struct play {
    const struct host *host;
    const struct kind *kind;
    const char *arguments; /* of the module */
    struct stack stack;
    const char *user; /* PAM_USER */
    size_t caches;    /* that the target had before */
    bool gets_cache;  /* as the host should, and this kind can */
};

static bool
is_alice(const char *user)
{
    return strcmp(user, "alice") == 0;
}

/*
 * Whether HOST finds a session keyring of the target's to put a cache of KIND
 * in: what it inherits is alice's.
 */
static bool
has_place(const struct host *host, const struct kind *kind)
{
    bool has = !kind->in_session || is_alice(host->target);

    for (const struct step *step = host->steps; !has && is_step(step); step++) {
        has = step->deed == keyinit;
    }
    return has;
}

/* Writes down what is wrong, for play_with; false. */
static bool __attribute__((format(printf, 1, 2)))
complain(const char *format, ...)
{
    va_list arguments;
    int fd = open(COMPLAINT, O_WRONLY | O_APPEND | O_CLOEXEC);

    va_start(arguments, format);
    (void)vdprintf(fd, format, arguments);
    va_end(arguments);
    (void)close(fd);
    return false;
}

/* STEP's call gave GOT: is that what it should give? */
static bool
is_right(const struct play *play, const struct step *step, int got)
{
    int wanted = step->code;

    if (step->call == pam_open_session && gets_tickets(play->host) &&
        !play->gets_cache) {
        wanted = PAM_SESSION_ERR;
    }
    return got == wanted ||
           complain("step %d gave \"%s\", not \"%s\"; log:\n%s",
                    (int)(step - play->host->steps) + 1,
                    pam_strerror(NULL, got), pam_strerror(NULL, wanted),
                    stack_log());
}

/* The answer to the prompt that comes. */
static void
prepare_answer(struct play *play, const struct step *step)
{
    static char password[64];
    static const char *const answers[] = {password, NULL};

    (void)snprintf(password, sizeof(password), "%s%s-password",
                   step->is_wrong ? "not-" : "", play->user);
    stack_script(&play->stack, answers);
}

static bool
take_call(struct play *play, const struct step *step)
{
    if (step->call == pam_authenticate) {
        prepare_answer(play, step);
    }
    return is_right(play, step, step->call(play->stack.handle, step->flags));
}

/* Waits for a child that returns 0 where all is well. */
static bool
is_well(pid_t pid)
{
    int status = -1;

    return (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) ||
           complain("a child has failed\n");
}

static bool
as_group(struct play *play, const struct step *step)
{
    gid_t gid = common_uid(play->host->target);

    (void)step;
    return setresgid(gid, gid, gid) == 0 || complain("setresgid\n");
}

static bool
in_child(struct play *play, const struct step *step)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(as_group(play, step) && take_call(play, step) ? 0 : HOST_FAILED);
    }
    return is_well(pid);
}

static bool
end_in_child(struct play *play, const struct step *step)
{
    pid_t pid = fork();

    if (pid == 0) {
        become(play->host->target, INHERITED);
        _exit(pam_end(play->stack.handle, step->flags));
    }
    return is_well(pid);
}

static bool
about_target(struct play *play, const struct step *step)
{
    play->user = play->host->target;
    return (pam_set_item(play->stack.handle, PAM_USER, play->user) ==
                PAM_SUCCESS ||
            complain("PAM_USER\n")) &&
           as_group(play, step);
}

static bool
keyinit(struct play *play, const struct step *step)
{
    uid_t target = common_uid(play->host->target);
    uid_t uid = getuid();

    (void)step;
    if (setresuid(target, (uid_t)-1, (uid_t)-1) < 0 ||
        keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, NULL, 0) < 0 ||
        syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING,
                KEY_SPEC_SESSION_KEYRING) < 0 ||
        setresuid(uid, (uid_t)-1, (uid_t)-1) < 0) {
        return complain("keyinit: %s\n", strerror(errno));
    }
    if (play->kind->in_session) {
        play->caches = kinds_caches(play->kind, play->host->target);
    }
    return true;
}

static bool
keyrevoke(struct play *play, const struct step *step)
{
    (void)play;
    (void)step;
    return keyctl(KEYCTL_REVOKE, KEY_SPEC_SESSION_KEYRING, NULL, 0) == 0 ||
           complain("keyrevoke: %s\n", strerror(errno));
}

/* The target's new cache NAME is his, with his tickets, and nobody else's. */
static bool
has_what_he_should(const struct play *play, const char *name)
{
    static char text[TEXT_MAX];
    const char *target = play->host->target;
    struct cache_view view = common_look(name, target);
    char principal[64];

    (void)snprintf(principal, sizeof(principal), "%s@PAM.TEST", target);
    kinds_assert_owned(play->kind, name, target);
    if (!view.readable || strcmp(view.principal, principal) != 0) {
        return complain("%s has %s's\n", name, view.principal);
    }
    (void)snprintf(session_name, sizeof(session_name), "%s", name);
    look_as(is_alice(target) ? "bob" : "carol", FRESH, show_session_cache,
            text);
    return strstr(text, principal) == NULL || complain("others see %s\n", text);
}

/* Alice's collection has the primary that it had. */
static bool
keeps_primary(const struct play *play)
{
    static char text[TEXT_MAX];

    if (own_collection[0] == '\0' || play->kind->in_session) {
        return true;
    }
    look_as("alice", INHERITED, show_own_primary, text);
    return strncmp(text, own_names[0], strlen(own_names[0])) == 0 ||
           complain("the primary is %s\n", text);
}

static bool
lives(struct play *play, const struct step *step)
{
    const struct host *host = play->host;
    const char *name = common_cache(&play->stack);
    size_t caches = kinds_caches(play->kind, host->target);

    (void)step;
    if ((name != NULL) != play->gets_cache) {
        return complain("KRB5CCNAME is %s; log:\n%s",
                        name == NULL ? "not set" : name, stack_log());
    }
    if (caches != play->caches + play->gets_cache) {
        return complain("%s has %zu caches, had %zu\n", host->target, caches,
                        play->caches);
    }
    return (name == NULL || has_what_he_should(play, name)) &&
           (!is_alice(host->target) || keeps_primary(play));
}

/* The host, in a process that has its ids.  0: all is well. */
static int
run_host(void *data)
{
    struct play *play = data;
    bool is_well = true;

    (void)prctl(PR_SET_DUMPABLE, play->host->shape == WHOLLY ? 1 : 0);
    play->user = play->host->user;
    common_start(&play->stack, play->user, play->arguments, no_answers);
    for (const struct step *step = play->host->steps; is_well && is_step(step);
         step++) {
        is_well =
            step->deed != NULL ? step->deed(play, step) : take_call(play, step);
    }
    stack_forget(&play->stack);
    return is_well ? 0 : HOST_FAILED;
}

/*
 * A locker that is set-uid root and gives that up before all else, in a process
 * that has just become the user.  The same program again: secure_locker.
 */
static int
exec_secure_locker(void *data)
{
    const struct play *play = data;
    char number[16];
    char name[] = SECURE_LOCKER;
    char arguments[1024];
    char *const list[] = {name, number, arguments, NULL};

    (void)snprintf(number, sizeof(number), "%d", (int)(play->host - lockers));
    (void)snprintf(arguments, sizeof(arguments), "%s", play->arguments);
    (void)execv(SECURE_LOCKER, list);
    return HOST_FAILED;
}

static int
secure_locker(char **list)
{
    struct play play = {.host = &lockers[atoi(list[1])], .arguments = list[2]};
    uid_t uid = getuid();
    gid_t gid = getgid();

    if (uid == 0 || geteuid() != 0 || getauxval(AT_SECURE) == 0 ||
        setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        (void)complain("not a set-uid program\n");
        return HOST_FAILED;
    }
    return run_host(&play);
}

/* The place where all this happens. */

static void
must_run(const char *command)
{
    if (system(command) != 0) {
        fprintf(stderr, "# failed: %s\n", command);
        exit(99);
    }
}

/* The program FROM as TO, with MODE. */
static void
must_copy(const char *from, const char *to, mode_t mode)
{
    char command[2048];

    (void)snprintf(command, sizeof(command),
                   "install -m %o -o root -g root '%s' '%s'", (unsigned)mode,
                   from, to);
    must_run(command);
}

/*
 * Once, before all tests: the witness in the helper's place, PROGRAM (which is
 * this one) as a locker, and an /etc for hosts whose environment is not heard.
 */
static void
prepare_place(const char *program)
{
    const struct passwd *alice = getpwnam("alice");
    const char *witness = getenv("PAM_KRB5CC_WITNESS");

    if (alice == NULL || geteuid() != 0 ||
        getenv("IN_TEST_NAMESPACE") == NULL) {
        return;
    }
    (void)umask(022);
    must_run("mkdir " WITNESS_PLACE " " OWN_ETC " &&"
             " install -d -m 700 -o alice -g alice " WITNESS_PLACE "/alice");
    must_copy(witness == NULL ? BUILT_WITNESS : witness, WITNESS_PROGRAM, 0755);
    must_copy(program, SECURE_LOCKER, 04755);
    if (!cache_kinit(TICKETS, "alice", "alice-password", an_hour_renewable,
                     alice->pw_uid, alice->pw_gid) ||
        symlink(stack_helper(), WITNESS_HELPER) < 0 ||
        setenv("PAM_KRB5CC_HELPER", WITNESS_PROGRAM, 1) < 0 ||
        unshare(CLONE_NEWNS) < 0) {
        perror(WITNESS_PLACE);
        exit(99);
    }
    must_run("cp -a /etc/. " OWN_ETC " && rm -f " OWN_ETC "/krb5.conf &&"
             " cp \"${KRB5_KTNAME#FILE:}\" " OWN_ETC "/krb5.keytab &&"
             " chmod 600 " OWN_ETC "/krb5.keytab &&"
             " mount --bind " OWN_ETC " /etc");
}

/* /etc/krb5.conf is what KRB5_CONFIG names. */
static void
use_config_without_environment(void)
{
    static char text[TEXT_MAX];
    int fd =
        open("/etc/krb5.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    file_read(getenv("KRB5_CONFIG"), text);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
}

static void
begin(const struct kind *kind)
{
    kinds_begin(kind, "bob");
    kinds_begin(kind, "alice");
    clear_files();
    use_config_without_environment();
}

/* In alice's process: the tickets of TICKETS into all her caches. */
static void
fill_own_caches(FILE *out)
{
    krb5_context context = NULL;
    krb5_ccache tickets = NULL;
    krb5_principal alice = NULL;
    krb5_error_code code = krb5_init_context(&context);

    if (code == 0) {
        code = krb5_cc_resolve(context, TICKETS, &tickets);
    }
    if (code == 0) {
        code = krb5_cc_get_principal(context, tickets, &alice);
    }
    for (int i = 0; code == 0 && i < COUNT(own_names); i++) {
        krb5_ccache cache = NULL;

        code = krb5_cc_resolve(context, own_names[i], &cache);
        if (code == 0) {
            code = krb5_cc_initialize(context, cache, alice);
        }
        if (code == 0) {
            code = krb5_cc_copy_creds(context, tickets, cache);
        }
    }
    if (code == 0 && own_collection[0] != '\0') {
        krb5_ccache cache = NULL;

        code = krb5_cc_resolve(context, own_names[0], &cache);
        if (code == 0) {
            code = krb5_cc_switch(context, cache);
        }
    }
    (void)fprintf(out, "%s", code == 0 ? "" : "no caches for alice");
}

static void
make_own_caches(const struct kind *kind)
{
    static const char *const suffixes[] = {"ownone", "owntwo"};
    static char text[TEXT_MAX];

    for (int i = 0; i < COUNT(own_names); i++) {
        (void)snprintf(own_names[i], sizeof(own_names[i]), "%s",
                       kinds_cache(kind, "alice", suffixes[i]));
    }
    (void)snprintf(own_collection, sizeof(own_collection), "%s",
                   kind->is_collection ? kinds_collection(kind, "alice") : "");
    look_as("alice", INHERITED, fill_own_caches, text);
    ck_assert_str_eq(text, "");
}

static void
finish(const struct kind *kind)
{
    kinds_clear(kind, "alice");
    kinds_clear(kind, "bob");
}

/* Runs PLAY's host with the cache NAME in its environment. */
static void
play_with(struct play *play, const char *name)
{
    static char text[TEXT_MAX];
    char asked[128];
    uid_t alice = common_uid("alice");
    bool is_daemon = play->host->shape == DAEMON;
    bool is_setuid = play->host->shape == SETUID;
    struct ids ids = {.real = is_daemon ? 0 : alice,
                      .effective = is_daemon || is_setuid ? 0 : alice,
                      .saved = is_daemon || is_setuid ? 0 : alice};
    int code = 0;

    ck_assert_int_eq(setenv("KRB5CCNAME", name, 1), 0);
    code = common_in_child(
        ids, is_daemon ? 0 : alice,
        play->host->shape == WHOLLY_NOW ? exec_secure_locker : run_host, play);
    ck_assert_int_eq(unsetenv("KRB5CCNAME"), 0);
    file_read(COMPLAINT, text);
    ck_assert_msg(code == 0 && text[0] == '\0', "%s: %d: %s", play->host->name,
                  code, text);
    read_asked(text);
    (void)snprintf(asked, sizeof(asked), "%s", play->host->asked);
    if (strstr(asked, " destroy") != NULL && !play->gets_cache) {
        *strstr(asked, " destroy") = '\0';
    }
    ck_assert_str_eq(text, asked);
}

/* What the loop over hosts goes through. */
struct pair {
    const struct kind *kind;
    const struct host *host;
};

static struct pair pairs[1024];

/* Whether KIND differs from another one in its names alone. */
static bool
is_variant(const struct kind *kind)
{
    return kind->is_shared ||
           (kind->family != KIND_KEYRING && *kind->arguments != '\0');
}

/* On variants the hosts that differ most, unless there is time for all. */
static int
pair_up(void)
{
    bool has_time = getenv("TEST_LONG") != NULL;
    int count = 0;

    for (size_t i = 0; i < kinds_count; i++) {
        for (int j = 0; j < COUNT(hosts); j++) {
            const struct kind *kind = &kinds[i];
            const struct host *host = &hosts[j];
            bool is_wanted =
                has_time || !is_variant(kind) || host->where == EVERY_KIND;
            /* In a shared cache the session's tickets replace her own. */
            bool is_her_own =
                kind->is_shared && is_alice(host->target) && gets_tickets(host);

            if (is_wanted && !is_her_own && count < COUNT(pairs)) {
                pairs[count++] = (struct pair){.kind = kind, .host = host};
            }
        }
    }
    return count;
}

#define NEEDS_KIND(kind)                                                       \
    do {                                                                       \
        const char *why_not = NULL;                                            \
        NEEDS_ROOT();                                                          \
        SKIP_UNLESS(kinds_available((kind), &why_not), why_not);               \
        fprintf(stderr, "# on %s\n", (kind)->name);                            \
    } while (0)

START_TEST(test_who_host_leaves_the_callers_caches)
{
    const struct kind *kind = pairs[_i].kind;
    const struct host *host = pairs[_i].host;
    struct play play = {
        .host = host, .kind = kind, .arguments = kind->arguments};

    NEEDS_KIND(kind);
    begin(kind);
    make_own_caches(kind);
    remember(kind, is_alice(host->target) ? NO_TRAPS : TRAPS);
    play.caches = kinds_caches(kind, host->target);
    play.gets_cache = gets_tickets(host) && has_place(host, kind);
    play_with(&play, own_names[0]);
    check_untouched(kind);
    check_bob_sees_nothing();
    ck_assert_uint_eq(kinds_caches(kind, host->target), play.caches);
    finish(kind);
}
END_TEST

/* The session's cache, which looked so BEFORE, has new tickets or the same. */
static void
check_session(const struct play *play, const char *text_before)
{
    static char text[TEXT_MAX];
    struct cache_view view = common_look(session_name, "alice");

    kinds_assert_owned(play->kind, session_name, "alice");
    ck_assert_str_eq(view.principal, "alice@PAM.TEST");
    ck_assert_int_eq(view.tgts, 1);
    look_as("alice", INHERITED, show_session_cache, text);
    if (gets_tickets(play->host)) {
        ck_assert_int_ge(view.endtime - view.starttime, 7198);
        ck_assert_str_ne(text, text_before);
    } else {
        ck_assert_str_eq(text, text_before);
    }
    ck_assert_uint_eq(kinds_caches(play->kind, "alice"), play->caches);
}

/* Alice's session, begun by a display manager, and her own caches beside it. */
static void
begin_desktop(const struct kind *kind, struct stack *desktop)
{
    begin(kind);
    kinds_establish(kind, desktop, "alice", "ticket_lifetime=1h");
    (void)snprintf(session_name, sizeof(session_name), "%s",
                   common_cache(desktop));
    make_own_caches(kind);
}

START_TEST(test_who_locker_gives_the_session_new_tickets)
{
    static char own[TEXT_MAX];
    static char text[TEXT_MAX];
    const struct kind *kind = &kinds[_i / LOCKER_PAIRS];
    char arguments[512];
    struct play play = {.kind = kind, .arguments = arguments};
    struct stack desktop;

    NEEDS_KIND(kind);
    (void)snprintf(arguments, sizeof(arguments), "%s ticket_lifetime=2h",
                   kind->arguments);
    begin_desktop(kind, &desktop);
    play.caches = kinds_caches(kind, "alice");
    look_as("alice", INHERITED, show_own_caches, own);
    look_as("alice", INHERITED, show_session_cache, text);
    for (int i = 0; i < 2; i++) {
        play.host = &lockers[_i % LOCKER_PAIRS * 2 + i];
        clear_files();
        play_with(&play, session_name);
        check_session(&play, text);
    }
    EXPECT(pam_close_session(desktop.handle, 0), PAM_SUCCESS);
    stack_end(&desktop, PAM_SUCCESS);
    ck_assert_uint_eq(kinds_caches(kind, "alice"), play.caches - 1);
    look_as("alice", INHERITED, show_own_caches, text);
    ck_assert_str_eq(text, own);
    finish(kind);
}
END_TEST

/* That the traps would tell. */

START_TEST(test_who_traps_catch_who_reads)
{
    static char text[TEXT_MAX];
    const struct kind *kind = &kinds[_i];
    struct stack stack;
    int code = PAM_SUCCESS;

    NEEDS_KIND(kind);
    begin(kind);
    make_own_caches(kind);
    look_as("alice", INHERITED, show_all_caches, text);
    ck_assert_ptr_nonnull(strstr(text, "alice@PAM.TEST"));
    remember(kind, TRAPS);
    kinds_start(kind, &stack, "alice", "", no_answers);
    common_set_cache(&stack, own_names[0]);
    code = pam_setcred(stack.handle, PAM_REFRESH_CRED);
    stack_end(&stack, PAM_SUCCESS);
    read_watch(text);
    ck_assert_int_eq(close(before.watch), 0);
    ck_assert((text[0] != '\0') == (before.file_count > 0));
    ck_assert((code != PAM_SUCCESS) == (kind->family == KIND_KEYRING));
    file_read(WITNESS_ASKED, text);
    ck_assert_ptr_nonnull(strstr(text, own_names[0]));
    finish(kind);
}
END_TEST

static TCase *
new_case(Suite *suite, const char *name)
{
    TCase *tcase = common_case(suite, name);

    tcase_add_unchecked_fixture(tcase, kcm_begin, kcm_end);
    return tcase;
}

int
main(int argc, char **argv)
{
    Suite *suite = suite_create("who");
    TCase *tcase = NULL;

    if (argc == 3 && strcmp(argv[0], SECURE_LOCKER) == 0) {
        return secure_locker(argv);
    }
    prepare_place(argv[0]);
    tcase = new_case(suite, "traps");
    tcase_add_loop_test(tcase, test_who_traps_catch_who_reads, 0,
                        (int)kinds_count);
    tcase = new_case(suite, "hosts");
    tcase_add_loop_test(tcase, test_who_host_leaves_the_callers_caches, 0,
                        pair_up());
    tcase = new_case(suite, "lockers");
    tcase_add_loop_test(tcase, test_who_locker_gives_the_session_new_tickets, 0,
                        (int)kinds_count * LOCKER_PAIRS);
    return suite_main(suite);
}
