/*
 * host [-t MS] [-n COUNT] [-u UID] FOLDER WHAT USER: one host of the benchmark.
 *
 * FOLDER has the service file "bench", which says whose module it is.  The host
 * does WHAT for USER, whose password is the name with -password behind, typed
 * in MS milliseconds; as UID where that is given.  It prints a line "NAME
 * NUMBER" for each thing it has measured.  Whatever fails ends it with status 1
 * and a line on stderr.  It is linked with libpam alone, like su and sudo: a
 * library that a module needs is the module's to load.
 *
 * What that can be: see the table at the end.
 */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define SERVICE "bench"

enum { THREADS_MAX = 64 };

/* One login, and when its parts were done. */
struct login {
    const char *folder;
    const char *user;
    unsigned int typing_ms;
    pam_handle_t *handle;
    int prompts;
    double answered_ms; /* when the last answer was returned */
};

static double
now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
show(const char *name, double value)
{
    (void)printf("%s %.4f\n", name, value);
}

static void
fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "host: %s: %s\n", what, why);
    exit(1);
}

/* CODE is what the PAM call WHAT gave: all must succeed. */
static void
must(const char *what, int code)
{
    if (code != PAM_SUCCESS) {
        fail(what, pam_strerror(NULL, code));
    }
}

/* The person: types for a while, and is done. */
static char *
type_password(struct login *login)
{
    char password[256];
    const struct timespec typing = {.tv_nsec =
                                        (long)login->typing_ms * 1000000};

    (void)snprintf(password, sizeof(password), "%s-password", login->user);
    if (login->typing_ms > 0) {
        (void)nanosleep(&typing, NULL);
    }
    login->prompts++;
    return strdup(password);
}

/* The conversation callback (pam_conv(3)). */
static int
converse(int count, const struct pam_message **messages,
         struct pam_response **responses_out, void *data)
{
    struct login *login = data;
    struct pam_response *responses =
        calloc((size_t)count, sizeof(struct pam_response));

    if (responses == NULL) {
        return PAM_BUF_ERR;
    }
    for (int i = 0; i < count; i++) {
        int style = messages[i]->msg_style;

        if (style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON) {
            responses[i].resp = type_password(login);
        }
    }
    *responses_out = responses;
    login->answered_ms = now_ms();
    return PAM_SUCCESS;
}

static void
begin(struct login *login)
{
    const struct pam_conv conversation = {.conv = converse,
                                          .appdata_ptr = login};

    login->prompts = 0;
    must("pam_start", pam_start_confdir(SERVICE, login->user, &conversation,
                                        login->folder, &login->handle));
}

static void
end(struct login *login)
{
    must("pam_end", pam_end(login->handle, PAM_SUCCESS));
    login->handle = NULL;
}

static void
authenticate(struct login *login)
{
    must("pam_authenticate", pam_authenticate(login->handle, 0));
    if (login->prompts != 1) {
        fail("pam_authenticate", "the password was not asked for once");
    }
}

/* KRB5CCNAME names a cache that is there. */
static void
check_cache(const struct login *login)
{
    const char *name = pam_getenv(login->handle, "KRB5CCNAME");
    struct stat status;

    if (name == NULL || strncmp(name, "FILE:", 5) != 0) {
        fail("KRB5CCNAME", name == NULL ? "is not set" : name);
    } else if (lstat(name + 5, &status) < 0 || status.st_size == 0 ||
               status.st_uid == 0 || (status.st_mode & 077) != 0) {
        fail(name, "is no cache of the user's");
    }
}

/* From pam_start until there are tickets.  When that was. */
static double
log_in(struct login *login)
{
    double done_ms = 0;

    begin(login);
    authenticate(login);
    must("pam_acct_mgmt", pam_acct_mgmt(login->handle, 0));
    must("pam_setcred", pam_setcred(login->handle, PAM_ESTABLISH_CRED));
    must("pam_open_session", pam_open_session(login->handle, 0));
    done_ms = now_ms();
    check_cache(login);
    return done_ms;
}

static void
log_out(struct login *login)
{
    must("pam_close_session", pam_close_session(login->handle, 0));
    end(login);
}

/* The CPU time of this process and of the children that it has waited for. */
static double
cpu_ms(int who)
{
    struct rusage usage = {0};

    (void)getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* The most memory that this process has had (VmHWM), in kB. */
static double
peak_kb(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    long peak = -1;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            peak = strtol(line + 6, NULL, 10);
        }
    }
    if (file == NULL || fclose(file) != 0 || peak < 0) {
        fail("/proc/self/status", "cannot be read");
    }
    return (double)peak;
}

static void
do_login(struct login *login, unsigned int count)
{
    double begun_cpu_ms = cpu_ms(RUSAGE_SELF);
    double begun_ms = now_ms();
    double done_ms = log_in(login);
    struct rusage children = {0};

    (void)count;
    log_out(login);
    show("whole_ms", now_ms() - begun_ms);
    show("enter_ms", done_ms - login->answered_ms);
    show("host_cpu_ms", cpu_ms(RUSAGE_SELF) - begun_cpu_ms);
    show("helpers_cpu_ms", cpu_ms(RUSAGE_CHILDREN));
    show("host_kb", peak_kb());
    (void)getrusage(RUSAGE_CHILDREN, &children);
    show("helper_kb", (double)children.ru_maxrss);
}

/* The arguments exclude the user: he is not even asked for a password. */
static void
check_excluded(struct login *login)
{
    begin(login);
    if (pam_authenticate(login->handle, 0) != PAM_USER_UNKNOWN ||
        login->prompts != 0) {
        fail(login->user, "is not excluded");
    }
    end(login);
}

/*
 * A user whom the arguments exclude: nobody authenticates.  What the session
 * calls give depends on the modules beside ours, of which there are none.
 */
static void
do_excluded(struct login *login, unsigned int count)
{
    double begun_ms = now_ms();

    (void)count;
    begin(login);
    must("pam_setcred", pam_setcred(login->handle, PAM_ESTABLISH_CRED));
    (void)pam_open_session(login->handle, 0);
    (void)pam_close_session(login->handle, 0);
    end(login);
    show("whole_ms", now_ms() - begun_ms);
    check_excluded(login);
}

/* A locker: new tickets in the cache that is in the environment. */
static void
unlock(struct login *login)
{
    begin(login);
    authenticate(login);
    must("pam_setcred", pam_setcred(login->handle, PAM_REINITIALIZE_CRED));
    end(login);
}

static void
do_unlock(struct login *login, unsigned int count)
{
    double begun_ms = now_ms();

    for (unsigned int i = 0; i < count; i++) {
        unlock(login);
    }
    show("whole_ms", (now_ms() - begun_ms) / count);
}

static void
do_renew(struct login *login, unsigned int count)
{
    double begun_ms = now_ms();

    (void)count;
    begin(login);
    must("pam_setcred", pam_setcred(login->handle, PAM_REFRESH_CRED));
    end(login);
    show("whole_ms", now_ms() - begun_ms);
}

/* No KDC answers: how long until authenticate gives up. */
static void
do_silent(struct login *login, unsigned int count)
{
    double begun_ms = 0;
    int code = PAM_SUCCESS;

    (void)count;
    begin(login);
    begun_ms = now_ms();
    code = pam_authenticate(login->handle, 0);
    show("whole_ms", now_ms() - begun_ms);
    if (code != PAM_AUTHINFO_UNAVAIL) {
        fail("pam_authenticate", pam_strerror(NULL, code));
    }
    end(login);
}

/* Threads, each with a login of its own. */
struct thread {
    pthread_t thread;
    pthread_barrier_t *beginning;
    struct login login;
};

static void *
live_a_login(void *data)
{
    struct thread *thread = data;

    (void)pthread_barrier_wait(thread->beginning);
    (void)log_in(&thread->login);
    log_out(&thread->login);
    return NULL;
}

static void
do_threads(struct login *login, unsigned int count)
{
    static struct thread threads[THREADS_MAX];
    pthread_barrier_t beginning;
    double begun_ms = 0;

    if (count > THREADS_MAX ||
        pthread_barrier_init(&beginning, NULL, count + 1) != 0) {
        fail("threads", "too many");
    }
    for (unsigned int i = 0; i < count; i++) {
        threads[i] = (struct thread){.beginning = &beginning, .login = *login};
        if (pthread_create(&threads[i].thread, NULL, live_a_login,
                           &threads[i]) != 0) {
            fail("pthread_create", "no thread");
        }
    }
    begun_ms = now_ms();
    (void)pthread_barrier_wait(&beginning);
    for (unsigned int i = 0; i < count; i++) {
        (void)pthread_join(threads[i].thread, NULL);
    }
    show("whole_ms", now_ms() - begun_ms);
    (void)pthread_barrier_destroy(&beginning);
}

/*
 * A login is all of it, to the end of the session; of unlock COUNT are done in
 * a row, of threads as many at once.
 */
static const struct {
    const char *name;
    void (*run)(struct login *login, unsigned int count);
} table[] = {
    {"login", do_login}, {"excluded", do_excluded}, {"unlock", do_unlock},
    {"renew", do_renew}, {"silent", do_silent},     {"threads", do_threads},
};

static void
become(const char *uid_text)
{
    uid_t uid = (uid_t)strtoul(uid_text, NULL, 10);

    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
        setresuid(uid, uid, uid) < 0) {
        fail(uid_text, strerror(errno));
    }
}

int
main(int argc, char **argv)
{
    struct login login = {.folder = NULL};
    unsigned int count = 1;
    int option = 0;

    while ((option = getopt(argc, argv, "t:n:u:")) != -1) {
        switch (option) {
        case 't':
            login.typing_ms = (unsigned int)strtoul(optarg, NULL, 10);
            break;
        case 'n':
            count = (unsigned int)strtoul(optarg, NULL, 10);
            break;
        case 'u':
            become(optarg);
            break;
        default:
            return 2;
        }
    }
    if (argc - optind != 3) {
        return 2;
    }
    login.folder = argv[optind];
    login.user = argv[optind + 2];
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(argv[optind + 1], table[i].name) == 0) {
            table[i].run(&login, count);
            return 0;
        }
    }
    return 2;
}
