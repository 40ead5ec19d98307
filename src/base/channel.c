/* Whole messages over a stream socket, within a deadline. */
#include "base/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Waits until FD is ready for EVENTS.  0, -ETIMEDOUT or -errno. */
static int
wait_for(int fd, const struct deadline *deadline, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready = 0;

    do {
        int left_ms = deadline == NULL ? -1 : deadline_poll_ms(deadline);

        /* poll would say yes to a peer that has always a byte more. */
        if (left_ms == 0) {
            return -ETIMEDOUT;
        }
        ready = poll(&poll_fd, 1, left_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) {
        return -errno;
    }
    return ready == 0 ? -ETIMEDOUT : 0;
}

/* Takes the first LENGTH bytes of both parts away: they are sent. */
static void
skip(struct iovec parts[2], size_t length)
{
    for (int i = 0; i < 2; i++) {
        size_t gone = length < parts[i].iov_len ? length : parts[i].iov_len;

        /* An empty payload has no address to count from. */
        if (gone > 0) {
            parts[i].iov_base = (uint8_t *)parts[i].iov_base + gone;
            parts[i].iov_len -= gone;
            length -= gone;
        }
    }
}

/*
 * Sends both parts, where the socket has room in one call: the receiver is
 * woken once for a message, not for its header and again for the rest.
 */
static int
send_both(int fd, const struct deadline *deadline, struct iovec parts[2])
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        int status = 0;

        if (sent > 0) {
            skip(parts, (size_t)sent);
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            return errno == ECONNRESET ? -EPIPE : -errno;
        }
        status = wait_for(fd, deadline, POLLOUT);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

static int
receive_all(int fd, const struct deadline *deadline, uint8_t *data,
            size_t length)
{
    while (length > 0) {
        ssize_t got = recv(fd, data, length, MSG_DONTWAIT);
        int status = 0;

        if (got > 0) {
            data += got;
            length -= (size_t)got;
            continue;
        }
        if (got == 0) {
            return -EPIPE;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            return errno == ECONNRESET ? -EPIPE : -errno;
        }
        status = wait_for(fd, deadline, POLLIN);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

int
channel_send(int fd, const struct deadline *deadline, uint16_t version,
             enum message_type type, const struct bytes *payload)
{
    size_t length = payload->length;
    uint8_t header[MESSAGE_HEADER] = {
        (uint8_t)(length >> 24 & 0xff), (uint8_t)(length >> 16 & 0xff),
        (uint8_t)(length >> 8 & 0xff),  (uint8_t)(length & 0xff),
        (uint8_t)(version >> 8),        (uint8_t)(version & 0xff),
        (uint8_t)(type >> 8),           (uint8_t)(type & 0xff),
    };
    struct iovec parts[2] = {
        {.iov_base = header, .iov_len = sizeof(header)},
        {.iov_base = payload->data, .iov_len = length},
    };

    if (payload->error != 0) {
        return payload->error;
    }
    if (length > MESSAGE_MAX) {
        return -EMSGSIZE;
    }
    return send_both(fd, deadline, parts);
}

int
channel_receive(int fd, const struct deadline *deadline,
                struct message *message_out)
{
    uint8_t header[MESSAGE_HEADER];
    struct message message = {.payload = BYTES_EMPTY};
    struct reader reader;
    size_t length = 0;
    int status = receive_all(fd, deadline, header, sizeof(header));

    *message_out = message;
    if (status < 0) {
        return status;
    }
    reader = reader_from((struct span){header, sizeof(header)});
    length = reader_u32(&reader);
    message.version = reader_u16(&reader);
    message.type = reader_u16(&reader);
    if (message.version < MESSAGE_VERSION_OLDEST ||
        message.version > MESSAGE_VERSION) {
        return -EPROTONOSUPPORT;
    }
    if (length > MESSAGE_MAX) {
        return -EMSGSIZE;
    }
    status = bytes_reserve(&message.payload, length);
    if (status == 0) {
        status = receive_all(fd, deadline, message.payload.data, length);
    }
    if (status < 0) {
        message_free(&message);
        return status;
    }
    message.payload.length = length;
    *message_out = message;
    return 0;
}
