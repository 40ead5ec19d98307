/*
 * base/channel: the input is what a peer sends before it hangs up.  Whole
 * messages in a version that is spoken come out as they were sent, and go out
 * again as the same bytes; whatever else comes ends the conversation with its
 * error and leaves nothing to free.
 */
#include "fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"

enum { OURS, THEIRS };

/* What a socket takes without a reader. */
#define INPUT_MAX ((size_t)64 << 10)

/* What must come of receiving what is left of the peer's words, in WIRE. */
static int
expected(struct span wire, size_t *length_out)
{
    struct reader header = reader_from(wire);
    uint32_t length = reader_u32(&header);
    uint16_t version = reader_u16(&header);

    (void)reader_u16(&header);
    if (header.failed) {
        return -EPIPE;
    }
    if (version < MESSAGE_VERSION_OLDEST || version > MESSAGE_VERSION) {
        return -EPROTONOSUPPORT;
    }
    if (length > MESSAGE_MAX) {
        return -EMSGSIZE;
    }
    if (length > header.rest.length) {
        return -EPIPE;
    }
    *length_out = length;
    return 0;
}

/* MESSAGE, sent in the other direction, is the LENGTH bytes at WIRE. */
static void
require_sent_as(const int pair[2], const struct message *message,
                struct span wire)
{
    uint8_t *sent = malloc(wire.length + 1);

    REQUIRE(sent != NULL);
    REQUIRE(channel_send(pair[OURS], NULL, message->version,
                         (enum message_type)message->type,
                         &message->payload) == 0);
    REQUIRE(recv(pair[THEIRS], sent, wire.length + 1, MSG_DONTWAIT) ==
            (ssize_t)wire.length);
    REQUIRE(span_equal((struct span){sent, wire.length}, wire));
    free(sent);
}

/* Receives the next message of WIRE; how many bytes it had, 0 at the end. */
static size_t
receive(const int pair[2], struct span wire)
{
    struct message message;
    size_t length = 0;
    int wanted = expected(wire, &length);

    REQUIRE(channel_receive(pair[OURS], NULL, &message) == wanted);
    if (wanted < 0) {
        REQUIRE(message.payload.data == NULL);
        return 0;
    }
    REQUIRE(message.payload.length == length);
    wire.length = MESSAGE_HEADER + length;
    require_sent_as(pair, &message, wire);
    message_free(&message);
    return wire.length;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span wire = {.data = data, .length = size};
    size_t taken = 0;
    int pair[2];

    if (size > INPUT_MAX) {
        return 0;
    }
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    REQUIRE(size == 0 ||
            send(pair[THEIRS], data, size, MSG_DONTWAIT) == (ssize_t)size);
    REQUIRE(shutdown(pair[THEIRS], SHUT_WR) == 0);
    do {
        taken = receive(pair, wire);
        wire.data += taken;
        wire.length -= taken;
    } while (taken > 0);
    (void)close(pair[OURS]);
    (void)close(pair[THEIRS]);
    return 0;
}

static void
put_header(struct bytes *bytes, size_t length, uint16_t version)
{
    bytes_put_u32(bytes, (uint32_t)length);
    bytes_put_u16(bytes, version);
    bytes_put_u16(bytes, MESSAGE_INFO);
}

static const char *
sample(size_t index, struct bytes *bytes)
{
    static const struct {
        const char *name;
        size_t length; /* as the header says; there are four bytes */
        uint16_t version;
    } rows[] = {
        {"two", 4, MESSAGE_VERSION},
        {"cut-in-the-payload", 5, MESSAGE_VERSION},
        {"cut-in-the-header", 2, MESSAGE_VERSION},
        {"longest", MESSAGE_MAX, MESSAGE_VERSION},
        {"too-long", MESSAGE_MAX + 1, MESSAGE_VERSION},
        {"of-a-newer-version", 4, MESSAGE_VERSION + 1},
    };

    if (index >= sizeof(rows) / sizeof(rows[0])) {
        return NULL;
    }
    /* An empty message before each. */
    put_header(bytes, 0, MESSAGE_VERSION);
    put_header(bytes, rows[index].length, rows[index].version);
    bytes_put_u32(bytes, 4);
    return rows[index].name;
}

const struct fuzz_target fuzz_target = {.name = "channel", .sample = sample};
