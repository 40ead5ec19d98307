/* The private realm that a test runs in. */
#include "support/realm.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void
fail(const char *what)
{
    fprintf(stderr, "realm: %s: %s\n", what, strerror(errno));
    exit(99);
}

static const char *
need(const char *variable)
{
    const char *value = getenv(variable);

    if (value == NULL) {
        fprintf(stderr, "realm: %s is not set: see tests/plan\n", variable);
        exit(99);
    }
    return value;
}

const char *
realm_path(const char *name)
{
    static char path[4096];

    (void)snprintf(path, sizeof(path), "%s/%s", need("REALM_DIR"), name);
    return path;
}

static long
ask_proxy(const char *socket_path, const char *words)
{
    struct sockaddr_un here = {.sun_family = AF_UNIX};
    struct sockaddr_un there = {.sun_family = AF_UNIX};
    char reply[256];
    ssize_t length = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(there.sun_path, sizeof(there.sun_path), "%s", socket_path);
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&here, sizeof(sa_family_t)) < 0 ||
        connect(fd, (const struct sockaddr *)&there, sizeof(there)) < 0 ||
        send(fd, words, strlen(words), 0) < 0) {
        fail(socket_path);
    }
    length = recv(fd, reply, sizeof(reply) - 1, 0);
    (void)close(fd);
    if (length < 2) {
        fail("no reply of the proxy");
    }
    reply[length] = '\0';
    if (strncmp(reply, "ok", 2) != 0) {
        fprintf(stderr, "realm: %s: %s\n", words, reply);
        exit(99);
    }
    return strtol(reply + 2, NULL, 10);
}

long
realm_fault(const char *words)
{
    return ask_proxy(need("REALM_PROXY_CONTROL"), words);
}

long
realm_replica_fault(const char *words)
{
    return ask_proxy(need("REALM_REPLICA_PROXY_CONTROL"), words);
}

static bool
has_all(const char *line, const char *const texts[])
{
    for (; *texts != NULL; texts++) {
        if (strstr(line, *texts) == NULL) {
            return false;
        }
    }
    return true;
}

long
realm_count_lines(const char *path, const char *const texts[])
{
    FILE *file = fopen(path, "re");
    char line[4096];
    long count = 0;

    if (file == NULL) {
        fail(path);
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        count += has_all(line, texts);
    }
    (void)fclose(file);
    return count;
}

bool
realm_admin(const char *query)
{
    char command[8192];

    (void)snprintf(command, sizeof(command), "%s -q '%s' >/dev/null 2>&1",
                   need("REALM_ADMIN"), query);
    return system(command) == 0;
}

void
realm_use_krb5_conf(const char *lines)
{
    char path[4096];
    FILE *file = NULL;
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s",
                   realm_path("krb5.conf.test.XXXXXX"));
    fd = mkstemp(path);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL || fchmod(fd, 0644) < 0) {
        fail(path);
    }
    (void)fprintf(file, "%s\ninclude %s\n", lines, need("KRB5_CONFIG"));
    if (fclose(file) != 0 || setenv("KRB5_CONFIG", path, 1) < 0) {
        fail(path);
    }
}

/* Whether the process PID lives (is no zombie) and is named COMM. */
static bool
is_named(const char *pid, const char *comm)
{
    char path[300];
    char line[512] = "";
    const char *end = NULL;
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    if (fgets(line, sizeof(line), file) == NULL) {
        line[0] = '\0';
    }
    (void)fclose(file);
    /* PID (COMM) STATE ... (proc(5)) */
    end = strrchr(line, ')');
    return end != NULL && end[1] == ' ' && end[2] != 'Z' && end[2] != 'X' &&
           strncmp(strchr(line, '(') + 1, comm, strlen(comm)) == 0;
}

static bool
exists(const char *comm)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry = NULL;
    bool found = false;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        found = found || (isdigit((unsigned char)entry->d_name[0]) &&
                          is_named(entry->d_name, comm));
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return found;
}

bool
realm_is_gone(const char *comm)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    for (int i = 0; i < 500; i++) {
        if (!exists(comm)) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}
