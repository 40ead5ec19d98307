/*
 * Bytes that may be secret: owned buffers that lie in pages of their own
 * (mlocked where the limit allows, left out of core dumps) and are erased
 * before they are given back; a growing buffer moves, it is never realloc'd.
 * Also the length-checked writing and reading of integers, strings and blobs
 * that messages are made of.  This room knows nothing of what the bytes mean.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that one buffer may hold: 4 MiB. */
#define BYTES_MAX ((size_t)4 << 20)

/* Owned bytes.  All zero is an empty buffer; BYTES_EMPTY says so. */
struct bytes {
    uint8_t *data;
    size_t length;
    size_t capacity;
    /* The first failure of a put (-ENOMEM, -EMSGSIZE); later puts do nothing.
     */
    int error;
};

#define BYTES_EMPTY                                                            \
    (struct bytes)                                                             \
    {                                                                          \
        0                                                                      \
    }

/* Borrowed bytes: valid as long as what they were borrowed from. */
struct span {
    const uint8_t *data;
    size_t length;
};

/*
 * Makes room for at least CAPACITY bytes in all, keeping what is there.  The
 * old pages are erased.  0, -ENOMEM, or -EMSGSIZE above BYTES_MAX.
 */
int bytes_reserve(struct bytes *bytes, size_t capacity);

/* Erases and gives back; BYTES is empty afterwards.  Empty is accepted. */
void bytes_free(struct bytes *bytes);

/*
 * Gives back the erased pages that are kept for the next buffers: mapping and
 * locking one takes longer than what most are wanted for.  For the end of a
 * call, since a host's memory is not ours to keep.  May be called at any time.
 */
void bytes_drop_spares(void);

/* The content of BYTES, borrowed until it changes. */
struct span bytes_span(const struct bytes *bytes);

/* Replaces the content of BYTES by a copy of SPAN.  0, -ENOMEM, -EMSGSIZE. */
int bytes_copy(struct bytes *bytes, struct span span);

/*
 * Append to BYTES, integers in network order; a failure is kept in
 * bytes->error, so that a row of puts is checked once.
 */
void bytes_put_u16(struct bytes *bytes, uint16_t value);
void bytes_put_u32(struct bytes *bytes, uint32_t value);
void bytes_put_i64(struct bytes *bytes, int64_t value);
/* Length (counting the final NUL), then the text with its NUL. */
void bytes_put_string(struct bytes *bytes, const char *text);
/* Length, then the bytes. */
void bytes_put_span(struct bytes *bytes, struct span span);

/* Reads what was put.  After the first failure every read gives zero. */
struct reader {
    struct span rest;
    bool failed;
};

struct reader reader_from(struct span span);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
int64_t reader_i64(struct reader *reader);
/* Borrowed from the span, NUL at its end and nowhere else; "" on failure. */
const char *reader_string(struct reader *reader);
/* Borrowed from the span. */
struct span reader_span(struct reader *reader);
/* 0 when all was read and nothing failed, else -EBADMSG. */
int reader_end(const struct reader *reader);

/* The bytes of TEXT without its NUL, borrowed. */
struct span span_from_text(const char *text);

/* Whether a NUL is among the bytes: then they are no C string. */
bool span_has_nul(struct span span);

/*
 * Whether both hold the same bytes, in a time that depends on the length
 * only.
 */
bool span_equal(struct span a, struct span b);

/*
 * Erases LENGTH bytes so that the compiler does not leave it out
 * (explicit_bzero(3)); NULL is accepted.
 */
void erase(void *data, size_t length);

/* Erases a NUL-terminated text and frees it; NULL is accepted. */
void erase_and_free(char *text);

#endif
