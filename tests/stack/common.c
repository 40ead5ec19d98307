/* Hosts, people, files and realms for the tests of PAM calls. */
#include "stack/common.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <krb5.h>
#include <security/pam_ext.h>

#define LINES_MAX 256
#define LINE_MAX_LENGTH 1200
#define CHILD_FAILED 97

const char *const no_answers[] = {NULL};
const char *const alice_answers[] = {"alice-password", "alice-password", NULL};
const char *const wrong_answers[] = {"wrong-password", "wrong-password", NULL};
const char *const wrong_then_alice[] = {"wrong-password", "alice-password",
                                        NULL};

/* What the module has logged. */
static struct {
    int priority;
    char text[LINE_MAX_LENGTH];
} lines[LINES_MAX];
static size_t line_count;

/*
 * In the place of libpam's: the module's calls end here, and the level of a
 * line is kept besides what support/stack keeps.
 */
__attribute__((visibility("default"))) void
pam_syslog(const pam_handle_t *handle, int priority, const char *format, ...)
{
    va_list arguments;
    char text[LINE_MAX_LENGTH];

    (void)handle;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (line_count < LINES_MAX) {
        lines[line_count].priority = priority;
        memcpy(lines[line_count].text, text, sizeof(text));
        line_count++;
    }
    syslog(priority, "<%d> %s", priority, text);
}

bool
common_logged(int priority, const char *text)
{
    for (size_t i = 0; i < line_count; i++) {
        if (lines[i].priority == priority &&
            strstr(lines[i].text, text) != NULL) {
            return true;
        }
    }
    return false;
}

size_t
common_log_count(int priority)
{
    size_t count = 0;

    for (size_t i = 0; i < line_count; i++) {
        count += lines[i].priority <= priority;
    }
    return count;
}

/* Descriptors at the beginning of the test. */
static size_t descriptors;

size_t
common_count(const char *path, const char *prefix)
{
    DIR *directory = opendir(path);
    const struct dirent *entry = NULL;
    size_t count = 0;

    ck_assert_msg(directory != NULL, "%s: %s", path, strerror(errno));
    while ((entry = readdir(directory)) != NULL) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
                 strcmp(entry->d_name, ".") != 0 &&
                 strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(directory);
    return count;
}

/* Whether /tmp and the homes are those of tests/in-namespace. */
static bool
has_own_tmp(void)
{
    return geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL;
}

size_t
common_caches(void)
{
    return has_own_tmp() ? common_count("/tmp", "krb5cc_") : 0;
}

/* nftw's callback; homes and /tmp themselves stay. */
static int
remove_leftover(const char *path, const struct stat *status, int type,
                struct FTW *where)
{
    (void)status;
    (void)type;
    if (where->level > 0) {
        (void)remove(path);
    }
    return 0;
}

/* What a test may have left to the next. */
static void
clear_away(void)
{
    static const char *const patterns[] = {
        "/tmp/home/*",    "/tmp/krb5cc_*",    "/tmp/pam.??????",
        COMMON_STATE_DIR, COMMON_RUNTIME_DIR,
    };
    const size_t count = sizeof(patterns) / sizeof(patterns[0]);

    for (size_t i = 0; has_own_tmp() && i < count; i++) {
        glob_t found;

        if (glob(patterns[i], 0, NULL, &found) != 0) {
            continue;
        }
        for (size_t j = 0; j < found.gl_pathc; j++) {
            (void)nftw(found.gl_pathv[j], remove_leftover, 8,
                       FTW_DEPTH | FTW_PHYS);
            if (i > 0) {
                (void)remove(found.gl_pathv[j]);
            }
        }
        globfree(&found);
    }
}

static size_t
count_records(const char *directory)
{
    char pattern[256];
    glob_t found;
    size_t count = 0;

    (void)snprintf(pattern, sizeof(pattern), "%s/sessions/*/*", directory);
    if (glob(pattern, 0, NULL, &found) == 0) {
        count = found.gl_pathc;
        globfree(&found);
    }
    return count;
}

size_t
common_records(void)
{
    return has_own_tmp() ? count_records(COMMON_STATE_DIR) +
                               count_records(COMMON_RUNTIME_DIR)
                         : 0;
}

size_t
common_records_of(const char *user, const char *directory)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/sessions/%u", directory,
                   (unsigned int)common_uid(user));
    return common_exists(path) ? common_count(path, "") : 0;
}

long
common_stash_lifetime(const struct stack *stack)
{
    const char *name = pam_getenv(stack->handle, "PAM_KRB5CC_STASH");
    const char *random = name == NULL ? NULL : strchr(name, '-');
    FILE *keys = fopen("/proc/keys", "re");
    char line[512];
    char unit = 's';
    long found = -1;

    ck_assert_ptr_nonnull(keys);
    while (random != NULL && fgets(line, sizeof(line), keys) != NULL) {
        long number = 0;

        if (strstr(line, "pam_krb5cc:") != NULL &&
            strstr(line, random + 1) != NULL &&
            sscanf(line, "%*s %*s %*s %ld%c", &number, &unit) == 2) {
            found = number * (unit == 'm' ? 60 : unit == 's' ? 1 : 3600);
        }
    }
    (void)fclose(keys);
    return found;
}

void
common_setup(void)
{
    clear_away();
    (void)unsetenv("KRB5CCNAME");
    stack_log_clear();
    line_count = 0;
    descriptors = common_count("/proc/self/fd", "");
}

void
common_teardown(void)
{
    ck_assert_msg(common_caches() == 0, "a cache is left in /tmp");
    ck_assert_msg(common_records() == 0, "a record is left");
    ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
                  "a child is left");
    ck_assert_uint_eq(common_count("/proc/self/fd", ""), descriptors);
    clear_away();
}

TCase *
common_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);

    tcase_add_checked_fixture(tcase, common_setup, common_teardown);
    return tcase;
}

void
common_start(struct stack *stack, const char *user, const char *arguments,
             const char *const *answers)
{
    static const char *const types[] = {"auth", "account", "session",
                                        "password"};
    char text[16384];
    size_t length = 0;

    for (size_t i = 0; i < 4; i++) {
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "%s [default=done] %%m helper=%s %s\n",
                                   types[i], stack_helper(), arguments);
    }
    stack_start_service(stack, user, text, answers);
}

/* What is to be stored, and the answers behind the name of the user. */
static struct {
    pam_handle_t **handle;
    const char *password;
    const char *answers[5];
} stored_case;

/*
 * libpam takes PAM_AUTHTOK from modules only, and thinks of a conversation as
 * the module's that asked: the question for the user's name is the chance to
 * store it before authenticate begins.
 */
static void
store_password(void *data)
{
    (void)data;
    if (stored_case.password != NULL) {
        ck_assert_int_eq(pam_set_item(*stored_case.handle, PAM_AUTHTOK,
                                      stored_case.password),
                         PAM_SUCCESS);
        stored_case.password = NULL;
    }
}

void
common_start_stored(struct stack *stack, const char *user, const char *stored,
                    const char *arguments, const char *const *answers)
{
    memset(&stored_case, 0, sizeof(stored_case));
    stored_case.handle = &stack->handle;
    stored_case.password = stored;
    stored_case.answers[0] = user;
    for (size_t i = 0; i < 3 && answers[i] != NULL; i++) {
        stored_case.answers[i + 1] = answers[i];
    }
    common_start(stack, NULL, arguments, stored_case.answers);
    stack->before_answer = store_password;
}

void
common_login(struct stack *stack, const char *arguments)
{
    common_start(stack, "alice", arguments, alice_answers);
    EXPECT(pam_authenticate(stack->handle, 0), PAM_SUCCESS);
}

void
common_establish(struct stack *stack, const char *arguments)
{
    common_login(stack, arguments);
    EXPECT(pam_setcred(stack->handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    ck_assert_ptr_nonnull(common_cache(stack));
}

size_t
common_password_prompts(const struct stack *stack)
{
    size_t count = 0;

    for (size_t i = 0; i < stack->shown_count; i++) {
        count += stack->shown[i].style == PAM_PROMPT_ECHO_OFF;
    }
    return count;
}

size_t
common_words(const struct stack *stack)
{
    return stack->shown_count - stack_prompts(stack);
}

const char *
common_cache(const struct stack *stack)
{
    return pam_getenv(stack->handle, "KRB5CCNAME");
}

void
common_set_cache(struct stack *stack, const char *name)
{
    char setting[512];

    (void)snprintf(setting, sizeof(setting), "KRB5CCNAME=%s", name);
    ck_assert_int_eq(pam_putenv(stack->handle, setting), PAM_SUCCESS);
}

uid_t
common_uid(const char *user)
{
    return suite_uid(user);
}

const char *
common_with_uids(const char *text)
{
    static char ring[4][1024];
    static size_t turn;
    char *whole = ring[turn++ % 4];
    size_t length = 0;

    while (*text != '\0') {
        char user[64];
        int taken = 0;

        if (sscanf(text, "<%63[a-z]>%n", user, &taken) == 1 && taken > 0) {
            length += (size_t)snprintf(whole + length, sizeof(ring[0]) - length,
                                       "%u", (unsigned)common_uid(user));
            text += taken;
        } else {
            whole[length++] = *text++;
        }
        ck_assert_uint_lt(length, sizeof(ring[0]) - 1);
    }
    whole[length] = '\0';
    return whole;
}

struct cache_view
common_look(const char *name, const char *user)
{
    uid_t uid = common_uid(user);

    return cache_look(name, uid, uid);
}

bool
common_is_forwardable(const char *name)
{
    krb5_context context = NULL;
    krb5_ccache cache = NULL;
    krb5_cc_cursor cursor = NULL;
    krb5_creds creds;
    bool is_forwardable = false;

    ck_assert_int_eq(krb5_init_context(&context), 0);
    ck_assert_int_eq(krb5_cc_resolve(context, name, &cache), 0);
    ck_assert_int_eq(krb5_cc_start_seq_get(context, cache, &cursor), 0);
    while (krb5_cc_next_cred(context, cache, &cursor, &creds) == 0) {
        if (!krb5_is_config_principal(context, creds.server)) {
            is_forwardable |= (creds.ticket_flags & TKT_FLG_FORWARDABLE) != 0;
        }
        krb5_free_cred_contents(context, &creds);
    }
    (void)krb5_cc_end_seq_get(context, cache, &cursor);
    (void)krb5_cc_close(context, cache);
    krb5_free_context(context);
    return is_forwardable;
}

void
common_kinit(const char *name, const char *user, const char *principal,
             const int64_t lifetimes[2], enum with_service with_service)
{
    uid_t uid = common_uid(user);
    char password[128];

    (void)snprintf(password, sizeof(password), "%s-password", principal);
    ck_assert_msg(cache_kinit(name, principal, password, lifetimes, uid, uid),
                  "no tickets for %s", principal);
    if (with_service == WITH_SERVICE) {
        ck_assert(cache_fetch(name, "app/service.test", uid, uid));
    }
}

void
common_assert_owned(const char *name, const char *user)
{
    struct stat status;
    uid_t uid = common_uid(user);

    ck_assert_msg(lstat(cache_path(name), &status) == 0, "%s: %s", name,
                  strerror(errno));
    ck_assert(S_ISREG(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_uint_eq(status.st_uid, uid);
    ck_assert_uint_eq(status.st_gid, uid);
    ck_assert_uint_eq(status.st_nlink, 1);
}

bool
common_exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

struct snapshot
common_snapshot(const char *name)
{
    struct snapshot shot = {.exists = false};
    struct stat status;
    int fd = -1;

    if (lstat(cache_path(name), &status) < 0) {
        return shot;
    }
    shot.exists = true;
    shot.inode = status.st_ino;
    shot.changed = status.st_ctim;
    shot.uid = status.st_uid;
    shot.mode = status.st_mode;
    if (S_ISREG(status.st_mode)) {
        fd = open(cache_path(name), O_RDONLY | O_CLOEXEC);
        ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
        shot.size = (size_t)read(fd, shot.bytes, sizeof(shot.bytes));
        ck_assert_uint_lt(shot.size, sizeof(shot.bytes));
        (void)close(fd);
    }
    return shot;
}

void
common_assert_same(const struct snapshot *before, const char *name)
{
    struct snapshot now = common_snapshot(name);

    ck_assert_msg(before->exists == now.exists, "%s: %s", name,
                  now.exists ? "has appeared" : "is gone");
    ck_assert_uint_eq(now.inode, before->inode);
    ck_assert_uint_eq(now.uid, before->uid);
    ck_assert_uint_eq(now.mode, before->mode);
    ck_assert_int_eq(now.changed.tv_sec, before->changed.tv_sec);
    ck_assert_int_eq(now.changed.tv_nsec, before->changed.tv_nsec);
    ck_assert_uint_eq(now.size, before->size);
    ck_assert_mem_eq(now.bytes, before->bytes, now.size);
}

void
common_write(const char *path, const char *text, uid_t uid, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t length = strlen(text);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
    if (geteuid() == 0) {
        ck_assert_int_eq(fchown(fd, uid, uid), 0);
    }
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(close(fd), 0);
}

void
common_k5login(const char *user, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "/tmp/home/%s/.k5login", user);
    common_write(path, text, common_uid(user), 0600);
}

/* Makes TEXT what KRB5_CONFIG names. */
static void
use_config(const char *text)
{
    const char *base = getenv("REALM_DIR");
    char path[512];
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s/conf.XXXXXX",
                   base == NULL ? "/tmp" : base);
    fd = mkstemp(path);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, 0644), 0);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(setenv("KRB5_CONFIG", path, 1), 0);
}

void
common_config(const char *text)
{
    const char *realms = getenv("KRB5_CONFIG");
    char whole[4096];

    ck_assert_ptr_nonnull(realms);
    (void)snprintf(whole, sizeof(whole), "%s\ninclude %s\n", text, realms);
    use_config(whole);
}

void
common_config_kdc(int port)
{
    char whole[1024];

    (void)snprintf(whole, sizeof(whole),
                   "[libdefaults]\ndefault_realm = PAM.TEST\n"
                   "dns_lookup_kdc = false\ndns_lookup_realm = false\n"
                   "[realms]\nPAM.TEST = {\n kdc = 127.0.0.1:%d\n}\n",
                   port);
    use_config(whole);
}

/* A socket of TYPE at PORT of the loopback address; 0 = any. */
static int
bound_socket(int type, int *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)*port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        (void)close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

/* Both sockets of a port that is ours; they live as long as the test. */
static int
own_port(int *udp_out)
{
    for (int i = 0; i < 100; i++) {
        int port = 0;
        int tcp = bound_socket(SOCK_STREAM, &port);
        int udp = tcp < 0 ? -1 : bound_socket(SOCK_DGRAM, &port);

        if (udp >= 0) {
            descriptors += 2;
            *udp_out = udp;
            return tcp;
        }
        (void)close(tcp);
    }
    ck_abort_msg("no free port");
}

static int
port_of(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof(address);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

int
common_dead_port(void)
{
    const struct sockaddr_in nobody = {
        .sin_family = AF_INET,
        .sin_port = htons(9),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int udp = -1;
    int tcp = own_port(&udp);

    /* Bound but not listening refuses; connected elsewhere hears nobody. */
    ck_assert_int_eq(
        connect(udp, (const struct sockaddr *)&nobody, sizeof(nobody)), 0);
    return port_of(tcp);
}

int
common_silent_port(void)
{
    int udp = -1;
    int tcp = own_port(&udp);

    ck_assert_int_eq(listen(tcp, 64), 0);
    return port_of(tcp);
}

void
common_kadmin(const char *command)
{
    char line[4096];

    (void)snprintf(line, sizeof(line), "$REALM_ADMIN -q '%s' >/dev/null 2>&1",
                   command);
    ck_assert_int_eq(system(line), 0);
}

size_t
common_kdc_log(const char *first, const char *second)
{
    const char *path = getenv("REALM_KDC_LOG");
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    char line[4096];
    size_t count = 0;

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        count += strstr(line, first) != NULL && strstr(line, second) != NULL;
    }
    (void)fclose(file);
    return count;
}

void
common_wait_until_after(int64_t after)
{
    const struct timespec moment = {.tv_sec = (time_t)after + 1};

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &moment, NULL) != 0) {
    }
    /* time(2) reads a clock that is a tick behind the one slept by. */
    while ((int64_t)time(NULL) <= after) {
    }
}

struct ids
common_ids(const char *const users[3])
{
    return (struct ids){common_uid(users[0]), common_uid(users[1]),
                        common_uid(users[2])};
}

int
common_in_child(struct ids ids, gid_t gid, int (*body)(void *data), void *data)
{
    int status = 0;
    pid_t pid = -1;

    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
            setresuid(ids.real, ids.effective, ids.saved) < 0) {
            _exit(CHILD_FAILED);
        }
        _exit(body(data));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "the child died (%#x)", (unsigned)status);
    return WEXITSTATUS(status);
}
