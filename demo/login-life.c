/*
 * The life of one login, call by call: what the host asks of the real libpam,
 * what comes back, and what klist shows the user afterwards.  Runs in a
 * private realm (`make demo`); as root for the user alice, else for yourself.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/cache.h"
#include "support/stack.h"

#define SERVICE "app/service.test"

/* Who logs in. */
static struct {
    const char *name;
    uid_t uid;
    gid_t gid;
    char password[128];
} user;

static int faults;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static void
headline(int number, const char *text)
{
    say("\n%d. %s", number, text);
    say("-----------------------------------------------------------------");
}

/* Says what is so, and counts it as a fault where it is not. */
static void
claim(bool holds, const char *text)
{
    say("  %s %s", holds ? "[yes]" : "[NO!]", text);
    faults += !holds;
}

static void
called(const struct stack *stack, const char *call, int code)
{
    say("  %s -> %s", call, pam_strerror(stack->handle, code));
    faults += code != PAM_SUCCESS;
}

/* Becomes the user, in a child. */
static void
become_user(void)
{
    if (geteuid() == 0 && (initgroups(user.name, user.gid) < 0 ||
                           setresgid(user.gid, user.gid, user.gid) < 0 ||
                           setresuid(user.uid, user.uid, user.uid) < 0)) {
        perror("cannot become the user");
        _exit(1);
    }
}

/* Runs ARGUMENTS as the user, its output indented. */
static void
run_as_user(const char *const arguments[])
{
    int fds[2];
    char line[512];
    FILE *output = NULL;
    pid_t pid = -1;

    if (pipe(fds) < 0) {
        return;
    }
    pid = fork();
    if (pid == 0) {
        become_user();
        (void)dup2(fds[1], 1);
        (void)dup2(fds[1], 2);
        (void)close(fds[0]);
        /* execvp takes texts that it does not write to. */
        execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(fds[1]);
    output = fdopen(fds[0], "r");
    while (output != NULL && fgets(line, sizeof(line), output) != NULL) {
        (void)printf("    | %s", line);
    }
    if (output != NULL) {
        (void)fclose(output);
    }
    (void)waitpid(pid, NULL, 0);
}

static void
klist(const char *cache)
{
    say("  $ klist -c %s", cache);
    run_as_user((const char *const[]){"klist", "-c", cache, NULL});
}

static struct cache_view
look(const char *cache)
{
    return cache_look(cache, user.uid, user.gid);
}

/* Tickets have times in whole seconds: lets the clock move on to see them. */
static void
wait_for_next_second(int64_t than)
{
    const struct timespec pause = {.tv_nsec = 20000000};

    while ((int64_t)time(NULL) <= than) {
        (void)nanosleep(&pause, NULL);
    }
}

static void
find_user(void)
{
    const struct passwd *entry =
        geteuid() == 0 ? getpwnam("alice") : getpwuid(geteuid());
    char command[512];

    if (entry == NULL) {
        say("there is no account to log in as");
        exit(1);
    }
    user.name = strdup(entry->pw_name);
    user.uid = entry->pw_uid;
    user.gid = entry->pw_gid;
    (void)snprintf(user.password, sizeof(user.password), "%s-password",
                   user.name);
    (void)snprintf(command, sizeof(command),
                   "%s -q 'addprinc -pw %s +requires_preauth %s' >/dev/null "
                   "2>&1",
                   getenv("REALM_ADMIN"), user.password, user.name);
    if (geteuid() != 0 && system(command) != 0) {
        say("no principal could be made for %s", user.name);
    }
}

static void
show_authenticate(struct stack *stack)
{
    headline(1, "pam_authenticate: the password is checked, tickets are got");
    called(stack, "pam_authenticate()", pam_authenticate(stack->handle, 0));
    say("  the user was asked \"%s\"", stack_text(stack, 0));
    called(stack, "pam_acct_mgmt()", pam_acct_mgmt(stack->handle, 0));
    claim(pam_getenv(stack->handle, "KRB5CCNAME") == NULL,
          "the tickets are in memory only: no cache yet");
}

static const char *
show_establish(struct stack *stack)
{
    const char *cache = NULL;
    struct stat status = {0};

    headline(2, "pam_setcred(PAM_ESTABLISH_CRED): the cache appears");
    called(stack, "pam_setcred(PAM_ESTABLISH_CRED)",
           pam_setcred(stack->handle, PAM_ESTABLISH_CRED));
    called(stack, "pam_open_session()", pam_open_session(stack->handle, 0));
    cache = pam_getenv(stack->handle, "KRB5CCNAME");
    if (cache == NULL) {
        say("  no cache: see the log below\n%s", stack_log());
        exit(1);
    }
    say("  PAM environment: KRB5CCNAME=%s", cache);
    (void)stat(cache_path(cache), &status);
    say("  owner %u:%u, mode %04o", status.st_uid, status.st_gid,
        status.st_mode & 07777U);
    claim(status.st_uid == user.uid && status.st_gid == user.gid &&
              (status.st_mode & 07777U) == 0600,
          "it is the user's, and nobody else can read it");
    klist(cache);
    return cache;
}

static void
show_service_ticket(const char *cache)
{
    headline(3, "a program of the user gets a service ticket");
    claim(cache_fetch(cache, SERVICE, user.uid, user.gid), SERVICE);
    klist(cache);
}

static void
show_refresh(const char *cache)
{
    struct cache_view before = look(cache);
    struct cache_view after;
    struct stack stack;
    char setting[512];

    headline(4, "pam_setcred(PAM_REFRESH_CRED): the ticket is renewed");
    wait_for_next_second(before.starttime);
    stack_start(&stack, user.name, "", NULL);
    (void)snprintf(setting, sizeof(setting), "KRB5CCNAME=%s", cache);
    (void)pam_putenv(stack.handle, setting);
    called(&stack, "pam_setcred(PAM_REFRESH_CRED), no password asked",
           pam_setcred(stack.handle, PAM_REFRESH_CRED));
    stack_end(&stack, PAM_SUCCESS);
    after = look(cache);
    claim(after.endtime > before.endtime, "the ticket ends later than before");
    claim(after.authtime == before.authtime,
          "it is the same login's (same authtime)");
    claim(after.services == 1, "the service ticket is still there");
    klist(cache);
}

/* A screen locker: wholly the user, KRB5CCNAME in its own environment. */
static int
unlock(const char *cache, const char *password)
{
    const char *const answers[] = {password, NULL};
    struct stack stack;
    int code = PAM_SYSTEM_ERR;

    become_user();
    (void)setenv("KRB5CCNAME", cache, 1);
    stack_start(&stack, user.name, "", answers);
    code = pam_authenticate(stack.handle, 0);
    say("  pam_authenticate() -> %s", pam_strerror(stack.handle, code));
    if (code == PAM_SUCCESS) {
        code = pam_setcred(stack.handle, PAM_REINITIALIZE_CRED);
        say("  pam_setcred(PAM_REINITIALIZE_CRED) -> %s",
            pam_strerror(stack.handle, code));
    }
    stack_end(&stack, code);
    return code;
}

static int
unlock_in_child(const char *cache, const char *password)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int code = unlock(cache, password);

        (void)fflush(stdout);
        _exit(code);
    }
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : PAM_SYSTEM_ERR;
}

static void
show_reinitialize(const char *cache)
{
    struct cache_view before = look(cache);
    struct cache_view after;

    headline(5, "pam_setcred(PAM_REINITIALIZE_CRED): a screen locker unlocks");
    wait_for_next_second(before.authtime);
    claim(unlock_in_child(cache, user.password) == PAM_SUCCESS,
          "unlocked by a second process on a handle of its own");
    after = look(cache);
    claim(after.authtime > before.authtime,
          "a new login's ticket (new authtime) in the same cache");
    claim(after.services == 1, "the service ticket is still there");
    klist(cache);
}

static void
show_wrong_password(const char *cache)
{
    struct cache_view before = look(cache);
    struct stat stat_before = {0};
    struct stat stat_after = {0};

    headline(6, "a wrong password at the locker: nothing changes");
    (void)stat(cache_path(cache), &stat_before);
    claim(unlock_in_child(cache, "not-the-password") == PAM_AUTH_ERR,
          "refused");
    (void)stat(cache_path(cache), &stat_after);
    claim(stat_before.st_ino == stat_after.st_ino &&
              stat_before.st_mtime == stat_after.st_mtime &&
              look(cache).authtime == before.authtime,
          "the cache is untouched");
    klist(cache);
}

static void
show_delete(struct stack *stack, const char *cache_name)
{
    char *cache = strdup(cache_name);

    headline(7, "pam_close_session, pam_setcred(PAM_DELETE_CRED): logout");
    called(stack, "pam_close_session()", pam_close_session(stack->handle, 0));
    called(stack, "pam_setcred(PAM_DELETE_CRED)",
           pam_setcred(stack->handle, PAM_DELETE_CRED));
    claim(access(cache_path(cache), F_OK) < 0 && errno == ENOENT,
          "the cache is gone");
    claim(pam_getenv(stack->handle, "KRB5CCNAME") == NULL,
          "KRB5CCNAME is gone from the PAM environment");
    klist(cache);
    free(cache);
}

int
main(void)
{
    struct stack stack;
    const char *answers[] = {user.password, NULL};
    const char *cache = NULL;

    find_user();
    say("A login of %s (uid %u) in the private realm %s, with the real libpam "
        "and",
        user.name, user.uid, getenv("REALM"));
    say("%s.", stack_module());
    stack_start(&stack, user.name, "", answers);
    show_authenticate(&stack);
    cache = show_establish(&stack);
    show_service_ticket(cache);
    show_refresh(cache);
    show_reinitialize(cache);
    show_wrong_password(cache);
    show_delete(&stack, cache);
    say("\nWhat the administrator reads in the log (of the login's process):");
    say("%s", stack_log());
    stack_end(&stack, PAM_SUCCESS);
    if (faults > 0) {
        say("demo: %d things were not as they should be", faults);
        return 1;
    }
    say("demo: all as it should be");
    return 0;
}
