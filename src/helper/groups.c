/* Looking the user's groups up. */
#include "helper/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

/* The lookup of this process, which is for one request. */
static struct {
    bool is_begun;
    pid_t child; /* <= 0: there is none */
    int fd;      /* its groups come from here */
} lookup;

static void
look_up(const struct request *request, struct groups *groups_out)
{
    int count = MESSAGE_GROUPS_MAX;

    _Static_assert(sizeof(gid_t) == sizeof(groups_out->list[0]),
                   "a list of gid_t is one of groups");
    *groups_out = (struct groups){.are_known = false};
    if (identity_is_root() && getgrouplist(request->user, request->gid,
                                           groups_out->list, &count) >= 0) {
        groups_out->are_known = true;
        groups_out->count = (uint32_t)count;
    }
}

/* The child's whole life. */
static void
live_as_searcher(const struct helper *helper, pid_t judge, int to)
{
    struct groups groups;

    (void)close(helper->module.fd);
    (void)close(helper->exchange.fd);
    /* NSS may hang, with nobody left to look for. */
    if (identity_end_with(judge)) {
        look_up(&helper->request, &groups);
        /* Less than a pipe takes at once (PIPE_BUF, pipe(7)). */
        (void)!write(to, &groups, sizeof(groups));
    }
    _exit(0);
}

void
groups_begin(const struct helper *helper)
{
    int fds[2] = {-1, -1};
    pid_t judge = getpid();

    if (helper->request.job != JOB_ACQUIRE || lookup.is_begun) {
        return;
    }
    lookup.is_begun = true;
    if (pipe2(fds, O_CLOEXEC) < 0) {
        return;
    }
    lookup.child = fork();
    if (lookup.child == 0) {
        (void)close(fds[0]);
        live_as_searcher(helper, judge, fds[1]);
    }
    (void)close(fds[1]);
    if (lookup.child < 0) {
        (void)close(fds[0]);
    } else {
        lookup.fd = fds[0];
    }
}

/* What the child has found: all of it, or nothing. */
static void
hear(struct groups *groups_out)
{
    ssize_t got = 0;

    do {
        got = read(lookup.fd, groups_out, sizeof(*groups_out));
    } while (got < 0 && errno == EINTR);
    if (got != sizeof(*groups_out)) {
        *groups_out = (struct groups){.are_known = false};
    }
    (void)close(lookup.fd);
    while (waitpid(lookup.child, NULL, 0) < 0 && errno == EINTR) {
    }
    lookup.child = 0;
}

void
groups_end(const struct helper *helper)
{
    const struct request *request = &helper->request;
    struct groups groups = {.are_known = false};
    struct bytes payload = BYTES_EMPTY;

    if (lookup.child <= 0) {
        return;
    }
    hear(&groups);
    identity_know_groups(request->user, request->gid, &groups);
    if (request->has_account && groups.are_known &&
        helper->module.version >= 3) {
        groups_pack(&payload, &groups);
        line_send(&helper->module, MESSAGE_GROUPS, &payload);
        bytes_free(&payload);
    }
}
