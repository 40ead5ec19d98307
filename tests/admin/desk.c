/* Records, tickets and the command, for the tests of the command. */
#include "admin/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "registry/presence.h"
#include "support/cache.h"

#define WORDS_MAX 24
#define SAID_MAX ((size_t)16 << 20)

const struct registry desk_registry = {.state_dir = DESK_STATE,
                                       .runtime_dir = DESK_RUNTIME};

static char *output;
static char *errors;

/* Capabilities that are left, a bit each; 0 = all. */
static uint64_t allowed;

static int
remove_one(const char *path, const struct stat *status, int type,
           struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void
desk_begin(void)
{
    if (geteuid() != 0 || getenv("IN_TEST_NAMESPACE") == NULL) {
        return;
    }
    desk_end();
    ck_assert_int_eq(mkdir(DESK, 0700), 0);
    ck_assert_int_eq(mkdir(DESK_STATE, 0700), 0);
    ck_assert_int_eq(mkdir(DESK_RUNTIME, 0700), 0);
    ck_assert_int_eq(mkdir(DESK_MODULES, 0755), 0);
    ck_assert_int_eq(symlink(stack_module(), DESK_MODULE), 0);
    ck_assert_int_eq(symlink("/dev/null", DESK_MODULES "/pam_unix.so"), 0);
}

void
desk_end(void)
{
    (void)nftw(DESK, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(output);
    free(errors);
    output = NULL;
    errors = NULL;
    allowed = 0;
}

TCase *
desk_case(Suite *suite, const char *name)
{
    TCase *tcase = common_case(suite, name);

    tcase_add_checked_fixture(tcase, desk_begin, desk_end);
    return tcase;
}

/* A file without a name for what is said. */
static int
open_paper(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "/tmp: %s", strerror(errno));
    return fd;
}

/* What is on the paper FD, which is closed. */
static char *
read_paper(int fd)
{
    char *text = malloc(SAID_MAX + 1);
    ssize_t length = text == NULL ? -1 : pread(fd, text, SAID_MAX, 0);

    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    (void)close(fd);
    return text;
}

static void
become(uid_t uid)
{
    if (uid != 0 && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
                     setresuid(uid, uid, uid) < 0)) {
        _exit(99);
    }
}

void
desk_confine(void)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        {"CAP_SETUID", CAP_SETUID},
        {"CAP_SETGID", CAP_SETGID},
        {"CAP_KILL", CAP_KILL},
        {"CAP_SYS_PTRACE", CAP_SYS_PTRACE},
    };
    static const char key[] = "CapabilityBoundingSet=";
    char line[256];
    FILE *unit = fopen(BUILT_UNIT, "re");

    ck_assert_ptr_nonnull(unit);
    while (fgets(line, sizeof(line), unit) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0) {
            continue;
        }
        for (char *word = strtok(line + strlen(key), " \n"); word != NULL;
             word = strtok(NULL, " \n")) {
            uint64_t before = allowed;

            for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                if (strcmp(known[i].name, word) == 0) {
                    allowed |= UINT64_C(1) << known[i].number;
                }
            }
            ck_assert_msg(allowed != before, "%s is not known here", word);
        }
    }
    (void)fclose(unit);
    ck_assert_uint_ne(allowed, 0);
}

static void
confine(void)
{
    for (int i = 0; allowed != 0 && i <= CAP_LAST_CAP; i++) {
        if ((allowed >> i & 1) == 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
            _exit(97);
        }
    }
    if (allowed != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        _exit(97);
    }
}

int
desk_run_bare(uid_t uid, const char *const *words)
{
    int fds[2] = {open_paper(), open_paper()};
    /* Who is not root cannot come to the directory that it is built in. */
    int program = open(BUILT_COMMAND, O_PATH | O_CLOEXEC);
    int status = 0;
    pid_t pid = -1;

    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)dup2(fds[0], 1);
        (void)dup2(fds[1], 2);
        confine();
        become(uid);
        fexecve(program, (char *const *)(uintptr_t)words, environ);
        _exit(98);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    (void)close(program);
    free(output);
    free(errors);
    output = read_paper(fds[0]);
    errors = read_paper(fds[1]);
    ck_assert_msg(WIFEXITED(status), "krb5cc died (%#x)", (unsigned)status);
    return WEXITSTATUS(status);
}

int
desk_run_as(uid_t uid, const char *words)
{
    const char *list[WORDS_MAX] = {
        "krb5cc",     "--state-dir", DESK_STATE,     "--runtime-dir",
        DESK_RUNTIME, "--helper",    stack_helper(),
    };
    char *copy = strdup(words);
    size_t count = 7;

    ck_assert_ptr_nonnull(copy);
    if (strncmp(words, "check", strlen("check")) == 0) {
        list[count++] = "--module";
        list[count++] = DESK_MODULE;
    }
    for (char *word = strtok(copy, " "); word != NULL;
         word = strtok(NULL, " ")) {
        ck_assert_uint_lt(count, WORDS_MAX - 1);
        list[count++] = word;
    }
    count = (size_t)desk_run_bare(uid, list);
    free(copy);
    return (int)count;
}

int
desk_run(const char *words)
{
    return desk_run_as(0, words);
}

const char *
desk_output(void)
{
    return output == NULL ? "" : output;
}

const char *
desk_errors(void)
{
    return errors == NULL ? "" : errors;
}

size_t
desk_count(const char *text)
{
    size_t count = 0;
    char *copy = strdup(desk_output());
    char *rest = copy;
    char *line = NULL;

    ck_assert_ptr_nonnull(copy);
    while ((line = strsep(&rest, "\n")) != NULL) {
        count += strstr(line, text) != NULL;
    }
    free(copy);
    return count;
}

const char *
desk_json(const char *expression)
{
    static char answer[4096];
    char command[1024];
    FILE *file = NULL;
    FILE *python = NULL;
    size_t length = 0;

    file = fopen(DESK "/json", "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs(desk_output(), file);
    ck_assert_int_eq(fclose(file), 0);
    (void)snprintf(command, sizeof(command),
                   "python3 -c 'import json; d = json.load(open(\"" DESK
                   "/json\", encoding=\"utf-8\")); print(%s)' 2>&1",
                   expression);
    python = popen(command, "re");
    ck_assert_ptr_nonnull(python);
    length = fread(answer, 1, sizeof(answer) - 1, python);
    answer[length] = '\0';
    ck_assert_msg(pclose(python) == 0, "%s: %s\n%s", expression, answer,
                  desk_output());
    answer[strcspn(answer, "\n")] = '\0';
    return answer;
}

/* A process that is dead, as its record has it. */
static void
name_dead_host(struct record *record)
{
    pid_t pid = -1;

    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    record->pid = pid;
    record->start = 1;
}

static char *
copy_text(const char *text)
{
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    return copy;
}

struct record
desk_record(const char *user, const char *cache, enum desk_presence presence)
{
    uid_t uid = common_uid(user);
    struct record record = {
        .cache = copy_text(cache),
        .ownership = RECORD_OWN,
        .is_made = true,
        .is_bound = true,
        .principal = copy_text(""),
        .user = copy_text(user),
        .uid = uid,
        .gid = uid,
        .service = copy_text("sshd"),
        .tty = copy_text("ssh"),
        .rhost = copy_text("client.test"),
        .time = (int64_t)time(NULL),
        .audit = RECORD_UNKNOWN,
        .logind = copy_text(""),
    };

    ck_assert_int_eq(presence_of_caller(&record), 0);
    switch (presence) {
    case DESK_LIVE:
        break;
    case DESK_GONE:
        name_dead_host(&record);
        break;
    case DESK_OTHER_BOOT:
        record.boot = copy_text("00000000-0000-0000-0000-000000000000");
        break;
    case DESK_ELSEWHERE:
        record.pid_namespace++;
        break;
    }
    return record;
}

struct registry_key
desk_plant(const struct record *record)
{
    struct registry_key key;
    int state_error = 0;

    ck_assert_int_eq(registry_join(&desk_registry, record, &key, &state_error),
                     0);
    return key;
}

struct registry_key
desk_session(const char *user, const char *cache,
             enum record_ownership ownership, enum desk_presence presence)
{
    struct record record = desk_record(user, cache, presence);

    record.ownership = ownership;
    return desk_plant(&record);
}

const char *
desk_path(const struct registry_key *key)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/sessions/%lld/%s",
                   key->place == REGISTRY_STATE ? DESK_STATE : DESK_RUNTIME,
                   (long long)key->uid, key->id);
    return path;
}

bool
desk_has(const struct registry_key *key)
{
    return common_exists(desk_path(key));
}

void
desk_age(const char *name, const char *user, int64_t seconds)
{
    uid_t uid = common_uid(user);

    ck_assert(
        cache_age(name, &(struct cache_ages){.begun_s = seconds}, uid, uid));
}
