/* Starting and stopping sssd's KCM server. */
#include "support/kcm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

/* All that it writes is in these, and gone with the mounts on them. */
static const char *const places[] = {"/etc/sssd", "/var/lib/sss",
                                     "/var/log/sssd"};
static const char *const folders[] = {"/var/lib/sss/db", "/var/lib/sss/mc",
                                      "/var/lib/sss/pipes",
                                      "/var/lib/sss/secrets"};

#define PLACE_COUNT (sizeof(places) / sizeof(places[0]))
#define FOLDER_COUNT (sizeof(folders) / sizeof(folders[0]))

#define SERVER "/usr/libexec/sssd/sssd_kcm"
#define KCM_SOCKET "/run/.heim_org.h5l.kcm-socket"
#define PID_FILE "/run/sssd_kcm.test.pid"
#define LOG_FILE "/run/sssd_kcm.test.log"
#define LIMIT_MS 20000

bool
kcm_available(const char **why_out)
{
    *why_out = "";
    if (geteuid() != 0 || getenv("IN_TEST_NAMESPACE") == NULL) {
        *why_out = "needs root and tests/in-namespace";
    } else if (access(SERVER, X_OK) != 0) {
        *why_out = "needs sssd_kcm (Debian: sssd-kcm)";
    }
    return **why_out == '\0';
}

static void
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
}

static void
make_places(void)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        ck_assert_msg(mkdir(places[i], 0711) == 0 || errno == EEXIST, "%s: %s",
                      places[i], strerror(errno));
        ck_assert_msg(mount("none", places[i], "tmpfs", 0, "mode=711") == 0,
                      "%s: %s", places[i], strerror(errno));
    }
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        ck_assert_int_eq(mkdir(folders[i], 0700), 0);
    }
    write_file("/etc/sssd/sssd.conf", "[sssd]\n[kcm]\n");
}

/* In the server's process, before it is the server.  Does not return. */
static void
become_server(void)
{
    char server[] = SERVER;
    char uid[] = "--uid=0";
    char gid[] = "--gid=0";
    char logger[] = "--logger=stderr";
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *const words[] = {server, uid, gid, logger, NULL};
    char *const environment[] = {path, NULL};
    sigset_t none;
    char pid[16];
    int fd = -1;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setsid();
    if (chdir("/") < 0) {
        _exit(1);
    }
    (void)dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
    fd = open(LOG_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    fd = open(PID_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)snprintf(pid, sizeof(pid), "%d\n", getpid());
    if (fd < 0 || write(fd, pid, strlen(pid)) < 0) {
        _exit(1);
    }
    (void)close_range(3, ~0U, 0);
    (void)execve(SERVER, words, environment);
    _exit(1);
}

/* The server's pid; 0 where there is none. */
static pid_t
server_pid(void)
{
    FILE *file = fopen(PID_FILE, "re");
    char comm[64] = "";
    char path[64];
    int pid = 0;

    if (file == NULL || fscanf(file, "%d", &pid) != 1) {
        pid = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    file = pid == 0 ? NULL : fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%63s", comm) != 1 || strcmp(comm, "sssd_kcm") != 0) {
        pid = 0;
    }
    (void)fclose(file);
    return pid;
}

/*
 * Whether it answers: here "which is the default cache", an operation that
 * looks into the database (protocol 2.0, operation 20; krb5's kcm.h).
 */
static bool
answers(void)
{
    static const unsigned char question[] = {0, 0, 0, 4, 2, 0, 0, 20};
    const struct timeval limit = {.tv_sec = 1};
    struct sockaddr_un there = {.sun_family = AF_UNIX, .sun_path = KCM_SOCKET};
    unsigned char answer[64];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_heard =
        fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, (const struct sockaddr *)&there, sizeof(there)) == 0 &&
        send(fd, question, sizeof(question), MSG_NOSIGNAL) ==
            (ssize_t)sizeof(question) &&
        recv(fd, answer, sizeof(answer), 0) >= 8;

    if (fd >= 0) {
        (void)close(fd);
    }
    return is_heard;
}

static void
show_log(void)
{
    FILE *file = fopen(LOG_FILE, "re");
    char line[512];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        fprintf(stderr, "# %s", line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

void
kcm_begin(void)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const char *why = NULL;
    int status = 0;
    pid_t pid = -1;

    if (!kcm_available(&why)) {
        return;
    }
    make_places();
    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        pid_t parent = getpid();

        /* Whose child it would be may look for children that are left. */
        pid = fork();
        if (pid == 0) {
            /* The server ends with the parent that it finds when it starts. */
            while (getppid() == parent) {
                (void)sched_yield();
            }
            become_server();
        }
        _exit(pid < 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    for (int i = 0; !answers(); i++) {
        if (i == LIMIT_MS / 5) {
            show_log();
            ck_abort_msg("sssd_kcm does not answer");
        }
        (void)nanosleep(&pause, NULL);
    }
}

static void
send_signal(int signal_number)
{
    ck_assert_int_gt(server_pid(), 0);
    ck_assert_int_eq(kill(server_pid(), signal_number), 0);
}

void
kcm_pause(void)
{
    send_signal(SIGSTOP);
}

void
kcm_resume(void)
{
    send_signal(SIGCONT);
}

void
kcm_end(void)
{
    pid_t pid = server_pid();
    int pidfd = pid == 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

    if (pidfd >= 0 && server_pid() == pid) {
        struct pollfd ended = {.fd = pidfd, .events = POLLIN};

        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
        ck_assert_int_eq(poll(&ended, 1, LIMIT_MS), 1);
    }
    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    if (unlink(PID_FILE) < 0) {
        return;
    }
    (void)unlink(KCM_SOCKET);
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        (void)umount2(places[i], MNT_DETACH);
    }
}
