/* Looking the user's groups up. */
#include "helper/groups.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who sits at a prompt for longer has his groups looked up when it counts. */
#define FRESH_MS 60000

static void
look_up(const struct request *request, struct groups *groups_out)
{
    int count = MESSAGE_GROUPS_MAX;

    _Static_assert(sizeof(gid_t) == sizeof(groups_out->list[0]),
                   "a list of gid_t is one of groups");
    *groups_out = (struct groups){.are_known = false};
    if (getgrouplist(request->user, request->gid, groups_out->list, &count) >=
        0) {
        groups_out->are_known = true;
        groups_out->count = (uint32_t)count;
    }
}

/* A stacked password, which came with the request, is not for NSS. */
static void
erase_password(const struct request *request)
{
    if (request->password.length > 0) {
        /* The copy of this process, which the writing makes. */
        explicit_bzero((void *)(uintptr_t)request->password.data,
                       request->password.length);
    }
}

/* The child's whole life. */
static void
live_as_searcher(const struct helper *helper, pid_t judge, int fd)
{
    struct groups groups;
    char byte = 0;

    helper_close_lines(helper);
    erase_password(&helper->request);
    /* NSS may hang, with nobody left to look for. */
    if (identity_end_with(judge) && read(fd, &byte, 1) == 1) {
        look_up(&helper->request, &groups);
        (void)!write(fd, &groups, sizeof(groups));
    }
    _exit(0);
}

void
groups_start(struct helper *helper)
{
    int fds[2] = {-1, -1};
    pid_t judge = getpid();
    pid_t child = -1;

    if (helper->request.job != JOB_ACQUIRE || !identity_is_root() ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        return;
    }
    child = fork();
    if (child == 0) {
        (void)close(fds[0]);
        live_as_searcher(helper, judge, fds[1]);
    }
    (void)close(fds[1]);
    if (child < 0) {
        (void)close(fds[0]);
        return;
    }
    helper->searcher.pid = child;
    helper->searcher.fd = fds[0];
}

void
groups_ask(struct helper *helper)
{
    if (helper->searcher.pid > 0 && !helper->searcher.is_asked) {
        helper->searcher.is_asked = write(helper->searcher.fd, "", 1) == 1;
        helper->searcher.fresh = deadline_in(FRESH_MS);
    }
}

void
groups_stop(struct helper *helper)
{
    if (helper->searcher.pid > 0) {
        (void)close(helper->searcher.fd);
        while (waitpid(helper->searcher.pid, NULL, 0) < 0 && errno == EINTR) {
        }
        helper->searcher.pid = 0;
    }
}

void
groups_hear(struct helper *helper)
{
    const struct request *request = &helper->request;
    struct groups groups = {.are_known = false};
    struct bytes payload = BYTES_EMPTY;
    ssize_t got = -1;

    if (helper->searcher.pid <= 0 || !helper->searcher.is_asked) {
        return;
    }
    do {
        got = read(helper->searcher.fd, &groups, sizeof(groups));
    } while (got < 0 && errno == EINTR);
    groups_stop(helper);
    if (got != sizeof(groups) || !groups.are_known ||
        deadline_left_ms(&helper->searcher.fresh) <= 0) {
        return;
    }
    identity_know_groups(request->user, request->gid, &groups);
    if (request->has_account && helper->module.version >= 3) {
        groups_pack(&payload, &groups);
        line_send(&helper->module, MESSAGE_GROUPS, &payload);
        bytes_free(&payload);
    }
}
