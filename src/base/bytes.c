/*
 * Bytes that may be secret, and the reading and writing of messages.  The
 * pages come from mmap(2), not from malloc: so they can be locked and left out
 * of core dumps without touching a page that the host owns too, and munmap
 * undoes both.
 */
#include "base/bytes.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A login's messages are never more than a few at a time. */
#define SPARES 4

/*
 * Single pages that were given back, erased, for whoever wants one next.  Any
 * thread may take or leave one.
 */
static _Atomic(uint8_t *) spares[SPARES];

static size_t
page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
round_to_pages(size_t size)
{
    size_t page = page_size();

    return (size + page - 1) / page * page;
}

/* A spare page, or NULL. */
static uint8_t *
take_spare(void)
{
    uint8_t *page = NULL;

    for (size_t i = 0; page == NULL && i < SPARES; i++) {
        page = atomic_exchange(&spares[i], NULL);
    }
    return page;
}

/* A favour: a small RLIMIT_MEMLOCK must not fail a login. */
static void
lock_pages(const uint8_t *pages, size_t size)
{
    (void)mlock(pages, size);
}

/* Whether PAGE has become a spare one. */
static bool
leave_spare(uint8_t *page)
{
    for (size_t i = 0; i < SPARES; i++) {
        uint8_t *none = NULL;

        if (atomic_compare_exchange_strong(&spares[i], &none, page)) {
            return true;
        }
    }
    return false;
}

void
bytes_drop_spares(void)
{
    uint8_t *page = NULL;

    while ((page = take_spare()) != NULL) {
        (void)munmap(page, page_size());
    }
}

static uint8_t *
pages_alloc(size_t size)
{
    void *pages = NULL;

    if (size == page_size()) {
        pages = take_spare();
    } else {
        /* They may be all that the limit allows to be locked. */
        bytes_drop_spares();
    }
    if (pages != NULL) {
        /* The lock may be gone (munlockall(2), fork(2)), or was never had. */
        lock_pages(pages, size);
        return pages;
    }
    pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return NULL;
    }
    lock_pages(pages, size);
    (void)madvise(pages, size, MADV_DONTDUMP);
    return pages;
}

static void
pages_free(uint8_t *pages, size_t size)
{
    if (pages != NULL) {
        explicit_bzero(pages, size);
        if (size != page_size() || !leave_spare(pages)) {
            (void)munmap(pages, size);
        }
    }
}

int
bytes_reserve(struct bytes *bytes, size_t capacity)
{
    uint8_t *pages = NULL;
    size_t size = 0;

    if (capacity <= bytes->capacity) {
        return 0;
    }
    if (capacity > BYTES_MAX) {
        return -EMSGSIZE;
    }
    size = round_to_pages(capacity);
    if (size < bytes->capacity * 2 && bytes->capacity * 2 <= BYTES_MAX) {
        size = bytes->capacity * 2;
    }
    pages = pages_alloc(size);
    if (pages == NULL) {
        return -ENOMEM;
    }
    if (bytes->length > 0) {
        memcpy(pages, bytes->data, bytes->length);
    }
    pages_free(bytes->data, bytes->capacity);
    bytes->data = pages;
    bytes->capacity = size;
    return 0;
}

void
bytes_free(struct bytes *bytes)
{
    pages_free(bytes->data, bytes->capacity);
    *bytes = BYTES_EMPTY;
}

struct span
bytes_span(const struct bytes *bytes)
{
    return (struct span){.data = bytes->data, .length = bytes->length};
}

int
bytes_copy(struct bytes *bytes, struct span span)
{
    int status = bytes_reserve(bytes, span.length);

    if (status < 0) {
        return status;
    }
    if (bytes->length > span.length) {
        explicit_bzero(bytes->data + span.length, bytes->length - span.length);
    }
    if (span.length > 0) {
        memcpy(bytes->data, span.data, span.length);
    }
    bytes->length = span.length;
    bytes->error = 0;
    return 0;
}

static void
put(struct bytes *bytes, const void *data, size_t length)
{
    int status = 0;

    if (bytes->error != 0) {
        return;
    }
    if (length > BYTES_MAX) {
        bytes->error = -EMSGSIZE;
        return;
    }
    status = bytes_reserve(bytes, bytes->length + length);
    if (status < 0) {
        bytes->error = status;
        return;
    }
    if (length > 0) {
        memcpy(bytes->data + bytes->length, data, length);
    }
    bytes->length += length;
}

void
bytes_put_u16(struct bytes *bytes, uint16_t value)
{
    uint8_t wire[2] = {(uint8_t)(value >> 8), (uint8_t)(value & 0xff)};

    put(bytes, wire, sizeof(wire));
}

void
bytes_put_u32(struct bytes *bytes, uint32_t value)
{
    bytes_put_u16(bytes, (uint16_t)(value >> 16));
    bytes_put_u16(bytes, (uint16_t)(value & 0xffff));
}

void
bytes_put_i64(struct bytes *bytes, int64_t value)
{
    uint64_t bits = (uint64_t)value;

    bytes_put_u32(bytes, (uint32_t)(bits >> 32));
    bytes_put_u32(bytes, (uint32_t)(bits & 0xffffffff));
}

void
bytes_put_string(struct bytes *bytes, const char *text)
{
    bytes_put_span(bytes, (struct span){.data = (const uint8_t *)text,
                                        .length = strlen(text) + 1});
}

void
bytes_put_span(struct bytes *bytes, struct span span)
{
    if (span.length > BYTES_MAX) {
        bytes->error = bytes->error != 0 ? bytes->error : -EMSGSIZE;
        return;
    }
    bytes_put_u32(bytes, (uint32_t)span.length);
    put(bytes, span.data, span.length);
}

struct reader
reader_from(struct span span)
{
    return (struct reader){.rest = span, .failed = false};
}

/* LENGTH bytes from READER, or NULL (and failed) where there are fewer. */
static const uint8_t *
take(struct reader *reader, size_t length)
{
    const uint8_t *data = reader->rest.data;

    if (reader->failed || length > reader->rest.length) {
        reader->failed = true;
        return NULL;
    }
    reader->rest.data += length;
    reader->rest.length -= length;
    return data;
}

uint16_t
reader_u16(struct reader *reader)
{
    const uint8_t *wire = take(reader, 2);

    if (wire == NULL) {
        return 0;
    }
    return (uint16_t)(wire[0] << 8 | wire[1]);
}

uint32_t
reader_u32(struct reader *reader)
{
    uint32_t high = reader_u16(reader);
    uint32_t low = reader_u16(reader);

    return reader->failed ? 0 : high << 16 | low;
}

int64_t
reader_i64(struct reader *reader)
{
    uint64_t high = reader_u32(reader);
    uint64_t low = reader_u32(reader);

    return reader->failed ? 0 : (int64_t)(high << 32 | low);
}

struct span
reader_span(struct reader *reader)
{
    size_t length = reader_u32(reader);
    const uint8_t *data = take(reader, length);

    if (data == NULL) {
        return (struct span){.data = NULL, .length = 0};
    }
    return (struct span){.data = data, .length = length};
}

const char *
reader_string(struct reader *reader)
{
    struct span span = reader_span(reader);

    if (reader->failed || span.length == 0 ||
        memchr(span.data, '\0', span.length) != span.data + span.length - 1) {
        reader->failed = true;
        return "";
    }
    return (const char *)span.data;
}

int
reader_end(const struct reader *reader)
{
    return reader->failed || reader->rest.length != 0 ? -EBADMSG : 0;
}

struct span
span_from_text(const char *text)
{
    return (struct span){.data = (const uint8_t *)text, .length = strlen(text)};
}

bool
span_has_nul(struct span span)
{
    return span.length > 0 && memchr(span.data, '\0', span.length) != NULL;
}

bool
span_equal(struct span a, struct span b)
{
    unsigned int difference = 0;

    if (a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        difference |= (unsigned int)(a.data[i] ^ b.data[i]);
    }
    return difference == 0;
}

void
erase(void *data, size_t length)
{
    if (data != NULL) {
        explicit_bzero(data, length);
    }
}

void
erase_and_free(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}
