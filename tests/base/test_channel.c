/*
 * base/channel: whole messages over a socket whose other end is slow, silent,
 * gone or a liar.  The other end is a thread where it must act while the
 * channel waits; it acts on what it sees happen, never after a pause.
 */
#include "base/channel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "support/suite.h"

/* Short enough not to be noticed, and for what must not run out. */
enum { SHORT_MS = 30, LONG_MS = 50000 };

enum { OURS, THEIRS };

/* Where a byte of an endless message comes from whenever one is waited for. */
static int trickle_fd = -1;

int trickling_poll(struct pollfd *fds, nfds_t count,
                   int timeout_ms) __asm__("poll");
/* The name where the code under test is built with _FORTIFY_SOURCE. */
int trickling_poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms,
                       size_t size) __asm__("__poll_chk");

int
trickling_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                               .tv_nsec = timeout_ms % 1000 * 1000000L};

    if (trickle_fd >= 0) {
        ck_assert_int_eq(send(trickle_fd, "", 1, 0), 1);
    }
    return ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, NULL);
}

int
trickling_poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms,
                   size_t size)
{
    ck_assert_uint_le(count * sizeof(*fds), size);
    return trickling_poll(fds, count, timeout_ms);
}

static void
open_pair(int pair[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
}

static void
close_pair(int pair[2])
{
    (void)close(pair[OURS]);
    (void)close(pair[THEIRS]);
}

/* A payload of LENGTH bytes that differ from their neighbours. */
static struct bytes
pattern(size_t length)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&bytes, length), 0);
    for (size_t i = 0; i < length; i++) {
        bytes.data[i] = (uint8_t)(i * 31 + (i >> 8));
    }
    bytes.length = length;
    return bytes;
}

/* Sends a header with these fields, and nothing after it. */
static void
send_header(int fd, uint32_t length, uint16_t version, uint16_t type)
{
    struct bytes header = BYTES_EMPTY;

    bytes_put_u32(&header, length);
    bytes_put_u16(&header, version);
    bytes_put_u16(&header, type);
    ck_assert_int_eq(send(fd, header.data, header.length, 0), MESSAGE_HEADER);
    bytes_free(&header);
}

static int
waiting_in(int fd)
{
    int count = -1;

    ck_assert_int_eq(ioctl(fd, FIONREAD, &count), 0);
    return count;
}

static int64_t
now_ms(void)
{
    struct timespec now = {0, 0};

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Receiving fails with EXPECTED and leaves nothing to free. */
static void
check_receive_fails(int fd, int64_t limit_ms, int expected)
{
    struct deadline deadline = deadline_in(limit_ms);
    struct message message;

    memset(&message, 0x5a, sizeof(message));
    ck_assert_int_eq(channel_receive(fd, &deadline, &message), expected);
    ck_assert_ptr_null(message.payload.data);
    ck_assert_uint_eq(message.payload.length, 0);
    ck_assert_uint_eq(message.payload.capacity, 0);
}

static void
check_received(int fd, uint16_t type, const struct bytes *payload)
{
    struct deadline deadline = deadline_in(LONG_MS);
    struct message message;

    ck_assert_int_eq(channel_receive(fd, &deadline, &message), 0);
    ck_assert_uint_eq(message.version, MESSAGE_VERSION);
    ck_assert_uint_eq(message.type, type);
    ck_assert(span_equal(bytes_span(&message.payload), bytes_span(payload)));
    message_free(&message);
    ck_assert_ptr_null(message.payload.data);
}

static void
fill_socket(int fd)
{
    char bytes[4096] = "";

    while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
    }
    ck_assert_int_eq(errno, EAGAIN);
}

/* The other end, in a thread. */
struct peer {
    pthread_t thread;
    const int *pair;
    struct span wire;
};

static void
peer_start(struct peer *peer, void *(*run)(void *))
{
    ck_assert_int_eq(pthread_create(&peer->thread, NULL, run, peer), 0);
}

static void
peer_join(struct peer *peer)
{
    ck_assert_int_eq(pthread_join(peer->thread, NULL), 0);
}

/* A byte, and the next one when that has been read. */
static void *
send_byte_by_byte(void *data)
{
    const struct peer *peer = data;

    for (size_t i = 0; i < peer->wire.length; i++) {
        (void)send(peer->pair[THEIRS], peer->wire.data + i, 1, MSG_NOSIGNAL);
        while (waiting_in(peer->pair[OURS]) > 0) {
            (void)sched_yield();
        }
    }
    return NULL;
}

/* Reads all there is to WIRE's length in pieces of 7 and compares. */
static void *
read_in_pieces(void *data)
{
    struct peer *peer = data;
    size_t done = 0;

    while (done < peer->wire.length) {
        uint8_t piece[7];
        ssize_t got = recv(peer->pair[THEIRS], piece, sizeof(piece), 0);

        if (got <= 0 || (size_t)got > peer->wire.length - done ||
            memcmp(piece, peer->wire.data + done, (size_t)got) != 0) {
            return data;
        }
        done += (size_t)got;
    }
    return NULL;
}

/* Header and PAYLOAD as they travel. */
static struct bytes
wire_of(uint16_t type, const struct bytes *payload)
{
    struct bytes wire = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&wire, MESSAGE_HEADER + payload->length), 0);
    bytes_put_u32(&wire, (uint32_t)payload->length);
    bytes_put_u16(&wire, MESSAGE_VERSION);
    bytes_put_u16(&wire, type);
    if (payload->length > 0) {
        memcpy(wire.data + MESSAGE_HEADER, payload->data, payload->length);
    }
    wire.length += payload->length;
    return wire;
}

START_TEST(test_channel_header_is_length_version_type)
{
    static const uint8_t expected[] = {0, 0, 0, 2, 0x12, 0x34, 0, 3, 'h', 'i'};
    struct bytes payload = BYTES_EMPTY;
    uint8_t wire[32];
    int pair[2];

    open_pair(pair);
    ck_assert_int_eq(bytes_copy(&payload, span_from_text("hi")), 0);
    ck_assert_int_eq(
        channel_send(pair[OURS], NULL, 0x1234, MESSAGE_PROMPT, &payload), 0);
    ck_assert_int_eq(recv(pair[THEIRS], wire, sizeof(wire), 0),
                     sizeof(expected));
    ck_assert_mem_eq(wire, expected, sizeof(expected));
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_message_arrives)
{
    struct bytes payload = pattern(1000);
    int pair[2];

    open_pair(pair);
    ck_assert_int_eq(channel_send(pair[THEIRS], NULL, MESSAGE_VERSION,
                                  MESSAGE_RESULT, &payload),
                     0);
    check_received(pair[OURS], MESSAGE_RESULT, &payload);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_empty_message_arrives)
{
    struct bytes payload = BYTES_EMPTY;
    int pair[2];

    open_pair(pair);
    ck_assert_int_eq(channel_send(pair[THEIRS], NULL, MESSAGE_VERSION,
                                  MESSAGE_DRAW, &payload),
                     0);
    check_received(pair[OURS], MESSAGE_DRAW, &payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_messages_in_a_row_are_kept_apart)
{
    struct bytes first = pattern(100);
    struct bytes second = pattern(33);
    int pair[2];

    open_pair(pair);
    ck_assert_int_eq(
        channel_send(pair[THEIRS], NULL, MESSAGE_VERSION, MESSAGE_INFO, &first),
        0);
    ck_assert_int_eq(channel_send(pair[THEIRS], NULL, MESSAGE_VERSION,
                                  MESSAGE_RESULT, &second),
                     0);
    check_received(pair[OURS], MESSAGE_INFO, &first);
    check_received(pair[OURS], MESSAGE_RESULT, &second);
    bytes_free(&first);
    bytes_free(&second);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_payload_stays_the_senders)
{
    struct bytes payload = pattern(10);
    struct bytes same = pattern(10);
    int pair[2];

    open_pair(pair);
    ck_assert_int_eq(
        channel_send(pair[OURS], NULL, MESSAGE_VERSION, MESSAGE_INFO, &payload),
        0);
    ck_assert(span_equal(bytes_span(&payload), bytes_span(&same)));
    bytes_free(&payload);
    bytes_free(&same);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_slow_sender_is_heard_out)
{
    struct bytes payload = pattern(300);
    struct bytes wire = wire_of(MESSAGE_RESULT, &payload);
    int pair[2];
    struct peer peer = {.pair = pair, .wire = bytes_span(&wire)};

    open_pair(pair);
    peer_start(&peer, send_byte_by_byte);
    check_received(pair[OURS], MESSAGE_RESULT, &payload);
    peer_join(&peer);
    bytes_free(&wire);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_slow_reader_gets_all)
{
    struct bytes payload = pattern((size_t)256 << 10);
    struct bytes wire = wire_of(MESSAGE_REQUEST, &payload);
    int pair[2];
    int small = 4096;
    struct peer peer = {.pair = pair, .wire = bytes_span(&wire)};
    struct deadline deadline = deadline_in(LONG_MS);
    void *mismatch = NULL;

    open_pair(pair);
    ck_assert_int_eq(
        setsockopt(pair[OURS], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
        0);
    peer_start(&peer, read_in_pieces);
    ck_assert_int_eq(channel_send(pair[OURS], &deadline, MESSAGE_VERSION,
                                  MESSAGE_REQUEST, &payload),
                     0);
    ck_assert_int_eq(pthread_join(peer.thread, &mismatch), 0);
    ck_assert_ptr_null(mismatch);
    bytes_free(&wire);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

static void *
send_the_longest(void *data)
{
    const struct peer *peer = data;
    struct bytes payload = pattern(MESSAGE_MAX);

    (void)channel_send(peer->pair[THEIRS], NULL, MESSAGE_VERSION,
                       MESSAGE_TICKETS, &payload);
    bytes_free(&payload);
    return NULL;
}

START_TEST(test_channel_message_of_the_longest_length_arrives)
{
    struct bytes payload = pattern(MESSAGE_MAX);
    int pair[2];
    struct peer peer = {.pair = pair};

    open_pair(pair);
    peer_start(&peer, send_the_longest);
    check_received(pair[OURS], MESSAGE_TICKETS, &payload);
    peer_join(&peer);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_receive_above_the_longest_length_is_refused)
{
    int pair[2];

    open_pair(pair);
    send_header(pair[THEIRS], MESSAGE_MAX + 1, MESSAGE_VERSION, MESSAGE_INFO);
    check_receive_fails(pair[OURS], LONG_MS, -EMSGSIZE);
    send_header(pair[THEIRS], UINT32_MAX, MESSAGE_VERSION, MESSAGE_INFO);
    check_receive_fails(pair[OURS], LONG_MS, -EMSGSIZE);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_send_above_the_longest_length_is_refused)
{
    struct bytes payload = pattern(MESSAGE_MAX + 1);
    int pair[2];

    open_pair(pair);
    ck_assert_int_eq(
        channel_send(pair[OURS], NULL, MESSAGE_VERSION, MESSAGE_INFO, &payload),
        -EMSGSIZE);
    ck_assert_int_eq(waiting_in(pair[THEIRS]), 0);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_payload_with_an_error_is_not_sent)
{
    struct bytes payload = pattern(10);
    int pair[2];

    open_pair(pair);
    payload.error = -ENOMEM;
    ck_assert_int_eq(
        channel_send(pair[OURS], NULL, MESSAGE_VERSION, MESSAGE_INFO, &payload),
        -ENOMEM);
    ck_assert_int_eq(waiting_in(pair[THEIRS]), 0);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_version_too_new_is_refused)
{
    int pair[2];

    open_pair(pair);
    send_header(pair[THEIRS], 0, MESSAGE_VERSION + 1, MESSAGE_INFO);
    check_receive_fails(pair[OURS], LONG_MS, -EPROTONOSUPPORT);
    send_header(pair[THEIRS], 0, UINT16_MAX, MESSAGE_INFO);
    check_receive_fails(pair[OURS], LONG_MS, -EPROTONOSUPPORT);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_version_too_old_is_refused)
{
    int pair[2];

    open_pair(pair);
    send_header(pair[THEIRS], 0, MESSAGE_VERSION_OLDEST - 1, MESSAGE_INFO);
    check_receive_fails(pair[OURS], LONG_MS, -EPROTONOSUPPORT);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_each_spoken_version_is_told)
{
    struct deadline deadline = deadline_in(LONG_MS);
    int pair[2];

    open_pair(pair);
    for (int version = MESSAGE_VERSION_OLDEST; version <= MESSAGE_VERSION;
         version++) {
        struct message message;

        send_header(pair[THEIRS], 0, (uint16_t)version, MESSAGE_INFO);
        ck_assert_int_eq(channel_receive(pair[OURS], &deadline, &message), 0);
        ck_assert_int_eq(message.version, version);
        message_free(&message);
    }
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_receive_from_a_closed_peer_fails)
{
    int pair[2];

    open_pair(pair);
    (void)close(pair[THEIRS]);
    check_receive_fails(pair[OURS], LONG_MS, -EPIPE);
    (void)close(pair[OURS]);
}
END_TEST

START_TEST(test_channel_end_in_the_header_fails)
{
    static const uint8_t wire[MESSAGE_HEADER] = {0, 0, 0, 0, 0, 1, 0, 5};

    for (size_t length = 1; length < sizeof(wire); length++) {
        int pair[2];

        open_pair(pair);
        ck_assert_int_eq(send(pair[THEIRS], wire, length, 0), (int)length);
        (void)close(pair[THEIRS]);
        check_receive_fails(pair[OURS], LONG_MS, -EPIPE);
        (void)close(pair[OURS]);
    }
}
END_TEST

START_TEST(test_channel_end_in_the_payload_fails)
{
    static const size_t lengths[] = {0, 1, 99};

    for (size_t i = 0; i < 3; i++) {
        char bytes[100] = "";
        int pair[2];

        open_pair(pair);
        send_header(pair[THEIRS], 100, MESSAGE_VERSION, MESSAGE_INFO);
        ck_assert_int_eq(send(pair[THEIRS], bytes, lengths[i], 0),
                         (int)lengths[i]);
        (void)close(pair[THEIRS]);
        check_receive_fails(pair[OURS], LONG_MS, -EPIPE);
        (void)close(pair[OURS]);
    }
}
END_TEST

/* How much address space this process has, in bytes (proc(5)). */
static size_t
mapped_size(void)
{
    FILE *statm = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%lu", &pages), 1);
    ck_assert_int_eq(fclose(statm), 0);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(test_channel_end_in_the_payload_gives_its_room_back)
{
    enum { TIMES = 32 };
    size_t before = mapped_size();

    for (int i = 0; i < TIMES; i++) {
        int pair[2];

        open_pair(pair);
        send_header(pair[THEIRS], MESSAGE_MAX, MESSAGE_VERSION, MESSAGE_INFO);
        (void)close(pair[THEIRS]);
        check_receive_fails(pair[OURS], LONG_MS, -EPIPE);
        (void)close(pair[OURS]);
    }
    ck_assert_uint_lt(mapped_size(), before + TIMES / 2 * MESSAGE_MAX);
}
END_TEST

START_TEST(test_channel_peer_gone_with_our_words_unread_fails)
{
    struct bytes payload = pattern(10);
    int pair[2];

    /* The kernel tells this end ECONNRESET then. */
    open_pair(pair);
    ck_assert_int_eq(
        channel_send(pair[OURS], NULL, MESSAGE_VERSION, MESSAGE_INFO, &payload),
        0);
    (void)close(pair[THEIRS]);
    check_receive_fails(pair[OURS], LONG_MS, -EPIPE);
    bytes_free(&payload);
    (void)close(pair[OURS]);
}
END_TEST

START_TEST(test_channel_send_to_a_closed_peer_raises_no_signal)
{
    struct bytes payload = pattern(10);
    int pair[2];

    ck_assert_ptr_ne(signal(SIGPIPE, SIG_DFL), SIG_ERR);
    open_pair(pair);
    (void)close(pair[THEIRS]);
    ck_assert_int_eq(
        channel_send(pair[OURS], NULL, MESSAGE_VERSION, MESSAGE_INFO, &payload),
        -EPIPE);
    bytes_free(&payload);
    (void)close(pair[OURS]);
}
END_TEST

static void *
close_when_words_arrive(void *data)
{
    const struct peer *peer = data;
    uint8_t byte = 0;

    (void)recv(peer->pair[THEIRS], &byte, 1, MSG_WAITALL);
    (void)close(peer->pair[THEIRS]);
    return NULL;
}

START_TEST(test_channel_peer_that_closes_during_a_send_ends_it)
{
    struct bytes payload = pattern(MESSAGE_MAX);
    struct deadline deadline = deadline_in(LONG_MS);
    int pair[2];
    struct peer peer = {.pair = pair};

    open_pair(pair);
    peer_start(&peer, close_when_words_arrive);
    ck_assert_int_eq(channel_send(pair[OURS], &deadline, MESSAGE_VERSION,
                                  MESSAGE_INFO, &payload),
                     -EPIPE);
    peer_join(&peer);
    bytes_free(&payload);
    (void)close(pair[OURS]);
}
END_TEST

START_TEST(test_channel_silent_peer_meets_the_deadline)
{
    int64_t start_ms = now_ms();
    int pair[2];

    open_pair(pair);
    check_receive_fails(pair[OURS], SHORT_MS, -ETIMEDOUT);
    /* poll(2) rounds, and the deadline's clock is in ms. */
    ck_assert_int_ge(now_ms() - start_ms, SHORT_MS - 2);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_peer_silent_in_the_header_meets_the_deadline)
{
    int pair[2];

    open_pair(pair);
    ck_assert_int_eq(send(pair[THEIRS], "\0\0\0", 3, 0), 3);
    check_receive_fails(pair[OURS], SHORT_MS, -ETIMEDOUT);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_peer_silent_in_the_payload_meets_the_deadline)
{
    int pair[2];

    open_pair(pair);
    send_header(pair[THEIRS], 10, MESSAGE_VERSION, MESSAGE_INFO);
    ck_assert_int_eq(send(pair[THEIRS], "half", 4, 0), 4);
    check_receive_fails(pair[OURS], SHORT_MS, -ETIMEDOUT);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_peer_that_never_reads_meets_the_deadline)
{
    struct bytes payload = pattern(MESSAGE_MAX);
    struct deadline deadline = deadline_in(SHORT_MS);
    int pair[2];

    open_pair(pair);
    fill_socket(pair[OURS]);
    ck_assert_int_eq(channel_send(pair[OURS], &deadline, MESSAGE_VERSION,
                                  MESSAGE_INFO, &payload),
                     -ETIMEDOUT);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_deadline_that_has_passed_is_met_at_once)
{
    int pair[2];

    open_pair(pair);
    check_receive_fails(pair[OURS], 0, -ETIMEDOUT);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_trickling_peer_meets_the_deadline)
{
    int pair[2];

    /* There is always a byte more: nothing but the clock can end it. */
    open_pair(pair);
    send_header(pair[THEIRS], MESSAGE_MAX, MESSAGE_VERSION, MESSAGE_INFO);
    trickle_fd = pair[THEIRS];
    check_receive_fails(pair[OURS], SHORT_MS, -ETIMEDOUT);
    trickle_fd = -1;
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_descriptor_that_is_none_fails)
{
    struct bytes payload = pattern(1);

    check_receive_fails(-1, LONG_MS, -EBADF);
    ck_assert_int_eq(
        channel_send(-1, NULL, MESSAGE_VERSION, MESSAGE_INFO, &payload),
        -EBADF);
    bytes_free(&payload);
}
END_TEST

static atomic_uint interruptions;

static void
count_interruption(int signal_number)
{
    (void)signal_number;
    interruptions++;
}

/* Interrupts this thread every millisecond; new threads are left alone. */
static void
interrupt_often(void)
{
    struct sigaction action = {.sa_handler = count_interruption};
    struct itimerval timer = {.it_interval = {.tv_usec = 1000},
                              .it_value = {.tv_usec = 1000}};

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void
block_alarm(int how)
{
    sigset_t set;

    ck_assert_int_eq(sigemptyset(&set), 0);
    ck_assert_int_eq(sigaddset(&set, SIGALRM), 0);
    ck_assert_int_eq(pthread_sigmask(how, &set, NULL), 0);
}

static void
wait_for_interruptions(void)
{
    unsigned int enough = interruptions + 10;

    while (interruptions < enough) {
        (void)sched_yield();
    }
}

static void *
send_amid_interruptions(void *data)
{
    const struct peer *peer = data;

    for (size_t i = 0; i < peer->wire.length; i++) {
        wait_for_interruptions();
        (void)send(peer->pair[THEIRS], peer->wire.data + i, 1, MSG_NOSIGNAL);
    }
    return NULL;
}

START_TEST(test_channel_receive_survives_signal_handlers)
{
    struct bytes payload = pattern(4);
    struct bytes wire = wire_of(MESSAGE_INFO, &payload);
    int pair[2];
    struct peer peer = {.pair = pair, .wire = bytes_span(&wire)};

    open_pair(pair);
    block_alarm(SIG_BLOCK);
    peer_start(&peer, send_amid_interruptions);
    block_alarm(SIG_UNBLOCK);
    interrupt_often();
    check_received(pair[OURS], MESSAGE_INFO, &payload);
    block_alarm(SIG_BLOCK);
    peer_join(&peer);
    bytes_free(&wire);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

static void *
read_amid_interruptions(void *data)
{
    wait_for_interruptions();
    return read_in_pieces(data);
}

START_TEST(test_channel_send_survives_signal_handlers)
{
    struct bytes payload = pattern((size_t)512 << 10);
    struct bytes wire = wire_of(MESSAGE_INFO, &payload);
    int pair[2];
    struct peer peer = {.pair = pair, .wire = bytes_span(&wire)};
    void *mismatch = NULL;

    open_pair(pair);
    block_alarm(SIG_BLOCK);
    peer_start(&peer, read_amid_interruptions);
    block_alarm(SIG_UNBLOCK);
    interrupt_often();
    ck_assert_int_eq(
        channel_send(pair[OURS], NULL, MESSAGE_VERSION, MESSAGE_INFO, &payload),
        0);
    block_alarm(SIG_BLOCK);
    ck_assert_int_eq(pthread_join(peer.thread, &mismatch), 0);
    ck_assert_ptr_null(mismatch);
    bytes_free(&wire);
    bytes_free(&payload);
    close_pair(pair);
}
END_TEST

START_TEST(test_channel_signal_handlers_do_not_extend_the_deadline)
{
    int pair[2];

    open_pair(pair);
    interrupt_often();
    check_receive_fails(pair[OURS], SHORT_MS, -ETIMEDOUT);
    block_alarm(SIG_BLOCK);
    ck_assert_uint_gt(interruptions, 0);
    close_pair(pair);
}
END_TEST

static void
add_messages(Suite *suite)
{
    TCase *tcase = suite_case(suite, "messages");

    tcase_add_test(tcase, test_channel_header_is_length_version_type);
    tcase_add_test(tcase, test_channel_message_arrives);
    tcase_add_test(tcase, test_channel_empty_message_arrives);
    tcase_add_test(tcase, test_channel_messages_in_a_row_are_kept_apart);
    tcase_add_test(tcase, test_channel_payload_stays_the_senders);
    tcase_add_test(tcase, test_channel_message_of_the_longest_length_arrives);
    tcase_add_test(tcase,
                   test_channel_receive_above_the_longest_length_is_refused);
    tcase_add_test(tcase,
                   test_channel_send_above_the_longest_length_is_refused);
    tcase_add_test(tcase, test_channel_payload_with_an_error_is_not_sent);
    tcase_add_test(tcase, test_channel_version_too_new_is_refused);
    tcase_add_test(tcase, test_channel_version_too_old_is_refused);
    tcase_add_test(tcase, test_channel_each_spoken_version_is_told);
}

static void
add_peers(Suite *suite)
{
    TCase *tcase = suite_case(suite, "peers");

    tcase_add_test(tcase, test_channel_slow_sender_is_heard_out);
    tcase_add_test(tcase, test_channel_slow_reader_gets_all);
    tcase_add_test(tcase, test_channel_receive_from_a_closed_peer_fails);
    tcase_add_test(tcase, test_channel_end_in_the_header_fails);
    tcase_add_test(tcase, test_channel_end_in_the_payload_fails);
    tcase_add_test(tcase, test_channel_end_in_the_payload_gives_its_room_back);
    tcase_add_test(tcase, test_channel_peer_gone_with_our_words_unread_fails);
    tcase_add_test(tcase, test_channel_send_to_a_closed_peer_raises_no_signal);
    tcase_add_test(tcase, test_channel_peer_that_closes_during_a_send_ends_it);
    tcase_add_test(tcase, test_channel_descriptor_that_is_none_fails);
}

static void
add_time(Suite *suite)
{
    TCase *tcase = suite_case(suite, "time");

    tcase_add_test(tcase, test_channel_silent_peer_meets_the_deadline);
    tcase_add_test(tcase,
                   test_channel_peer_silent_in_the_header_meets_the_deadline);
    tcase_add_test(tcase,
                   test_channel_peer_silent_in_the_payload_meets_the_deadline);
    tcase_add_test(tcase,
                   test_channel_peer_that_never_reads_meets_the_deadline);
    tcase_add_test(tcase, test_channel_deadline_that_has_passed_is_met_at_once);
    tcase_add_test(tcase, test_channel_trickling_peer_meets_the_deadline);
    tcase_add_test(tcase, test_channel_receive_survives_signal_handlers);
    tcase_add_test(tcase, test_channel_send_survives_signal_handlers);
    tcase_add_test(tcase,
                   test_channel_signal_handlers_do_not_extend_the_deadline);
}

int
main(void)
{
    Suite *suite = suite_create("channel");

    add_messages(suite);
    add_peers(suite);
    add_time(suite);
    return suite_main(suite);
}
