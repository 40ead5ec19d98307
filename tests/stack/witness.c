/*
 * Runs in the helper's place, writes down what the helper is asked, forbids it
 * keys, and becomes it.  Knows the protocol's first message, which it leaves
 * where it is; see stack/witness.h.
 */
#include "stack/witness.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/message.h"

#define MODULE_FD 3
#define FAILED 1

static const char *const job_names[] = {
    [JOB_ACQUIRE] = "acquire", [JOB_STORE] = "store",
    [JOB_REPLACE] = "replace", [JOB_RENEW] = "renew",
    [JOB_DESTROY] = "destroy",
};

#define JOBS_COUNT (sizeof(job_names) / sizeof(job_names[0]))

/* Copies LENGTH bytes that the module sends, and leaves them there. */
static void
peek(uint8_t *bytes, size_t length)
{
    struct pollfd module = {.fd = MODULE_FD, .events = POLLRDHUP};
    ssize_t got = 0;

    while ((got = recv(MODULE_FD, bytes, length, MSG_PEEK)) < (ssize_t)length) {
        /* Nothing wakes one who has looked at half a message. */
        if (got <= 0 || poll(&module, 1, 1) != 0) {
            _exit(FAILED);
        }
    }
}

/* The payload of the request. */
static struct span
peek_payload(void)
{
    static uint8_t bytes[MESSAGE_HEADER + MESSAGE_MAX];
    struct span header = {.data = bytes, .length = MESSAGE_HEADER};
    struct reader reader = reader_from(header);
    size_t length = 0;

    peek(bytes, MESSAGE_HEADER);
    length = reader_u32(&reader);
    if (length > MESSAGE_MAX) {
        _exit(FAILED);
    }
    peek(bytes, MESSAGE_HEADER + length);
    return (struct span){.data = bytes + MESSAGE_HEADER, .length = length};
}

static void
write_down_request(void)
{
    struct request request = {0};
    struct options options;
    int fd = open(WITNESS_ASKED, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd < 0 || options_init(&options) < 0 ||
        request_unpack(peek_payload(), MESSAGE_VERSION, &request, &options) <
            0 ||
        request.job >= JOBS_COUNT ||
        dprintf(fd, "%s:%s %u %s\n", job_names[request.job], request.user,
                request.uid, request.cache) < 0) {
        _exit(FAILED);
    }
    options_free(&options);
    (void)close(fd);
}

/* A filter of system calls (seccomp(2)) that is being written. */
struct filter {
    struct sock_filter code[1024];
    unsigned short length;
};

static void
filter_add(struct filter *filter, struct sock_filter instruction)
{
    filter->code[filter->length++] = instruction;
}

/* What follows is about these 32 bits of struct seccomp_data. */
static void
filter_load(struct filter *filter, size_t offset)
{
    filter_add(filter, (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS,
                                            .k = (uint32_t)offset});
}

/* The lower half of argument N. */
static void
filter_load_argument(struct filter *filter, size_t n)
{
    size_t half = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;

    filter_load(filter, offsetof(struct seccomp_data, args) + 8 * n + half);
}

static void
filter_return(struct filter *filter, uint32_t action)
{
    filter_add(filter,
               (struct sock_filter){.code = BPF_RET | BPF_K, .k = action});
}

/* ACTION where what was loaded is VALUE. */
static void
filter_return_if(struct filter *filter, uint32_t value, uint32_t action)
{
    filter_add(filter, (struct sock_filter){.code = BPF_JMP | BPF_JEQ | BPF_K,
                                            .jf = 1,
                                            .k = value});
    filter_return(filter, action);
}

/* Goes over the next COUNT instructions where what was loaded is not VALUE. */
static void
filter_skip_unless(struct filter *filter, uint32_t value, size_t count)
{
    filter_add(filter, (struct sock_filter){.code = BPF_JMP | BPF_JEQ | BPF_K,
                                            .jt = 1,
                                            .k = value});
    filter_add(filter, (struct sock_filter){.code = BPF_JMP | BPF_JA,
                                            .k = (uint32_t)count});
}

struct keys {
    int32_t list[WITNESS_KEYS_MAX + 1];
    size_t count;
};

/* One of KEYS as argument N of the system call NUMBER is death. */
static void
filter_forbid(struct filter *filter, uint32_t number, size_t n,
              const struct keys *keys)
{
    filter_load(filter, offsetof(struct seccomp_data, nr));
    filter_skip_unless(filter, number, 1 + 2 * keys->count);
    filter_load_argument(filter, n);
    for (size_t i = 0; i < keys->count; i++) {
        filter_return_if(filter, (uint32_t)keys->list[i],
                         SECCOMP_RET_KILL_PROCESS);
    }
}

/* The keys that are forbidden, and how the session keyring is called. */
static struct keys
read_forbidden(void)
{
    struct keys keys = {.count = 0};
    int fd = open(WITNESS_FORBIDDEN, O_RDONLY | O_CLOEXEC);
    ssize_t size =
        fd < 0 ? -1
               : read(fd, keys.list, WITNESS_KEYS_MAX * sizeof(keys.list[0]));
    long session =
        syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    size_t count = size < 0 ? 0 : (size_t)size / sizeof(keys.list[0]);

    if (size < 0) {
        _exit(FAILED);
    }
    keys.count = count;
    for (size_t i = 0; i < count; i++) {
        if (keys.list[i] == session) {
            keys.list[keys.count++] = KEY_SPEC_SESSION_KEYRING;
            break;
        }
    }
    (void)close(fd);
    return keys;
}

static void
fear_the_forbidden(void)
{
    struct filter filter = {.length = 0};
    struct sock_fprog program = {.filter = filter.code};
    struct keys keys = read_forbidden();

    if (keys.count == 0) {
        return;
    }
    /* Whose a key is decides what is done with it. */
    filter_load(&filter, offsetof(struct seccomp_data, nr));
    filter_skip_unless(&filter, SYS_keyctl, 5);
    filter_load_argument(&filter, 0);
    filter_return_if(&filter, KEYCTL_GET_KEYRING_ID, SECCOMP_RET_ALLOW);
    filter_return_if(&filter, KEYCTL_DESCRIBE, SECCOMP_RET_ALLOW);
    filter_forbid(&filter, SYS_keyctl, 1, &keys);
    filter_forbid(&filter, SYS_keyctl, 2, &keys);
    filter_forbid(&filter, SYS_add_key, 4, &keys);
    filter_return(&filter, SECCOMP_RET_ALLOW);
    program.len = filter.length;
    /* Who is not root must do so first; root in su would lose its ids. */
    if ((geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        _exit(FAILED);
    }
}

int
main(int argc, char **argv)
{
    (void)argc;
    write_down_request();
    fear_the_forbidden();
    (void)execv(WITNESS_HELPER, argv);
    return FAILED;
}
