/*
 * base/bytes: room that grows, is locked, left out of core dumps and erased
 * before it is given back; and the reading of what may be cut, too long or
 * not text.  The calls that give pages back are watched on their way to the
 * kernel, for what was in a page is gone after them.
 */
#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/suite.h"

/* What the watched calls are told to do, and what they saw. */
static bool mmap_fails;
static bool mlock_fails;
static bool watch_munmap;
static const void *unmapped;
static size_t unmapped_length;
static unsigned int unmapped_dirty;
static unsigned int unmapped_count;
static const void *erased;
static size_t erased_length;

void *watched_mmap(void *address, size_t length, int protection, int flags,
                   int fd, off_t offset) __asm__("mmap");
int watched_munmap(void *address, size_t length) __asm__("munmap");
int watched_mlock(const void *address, size_t length) __asm__("mlock");
void watched_bzero(void *data, size_t length) __asm__("explicit_bzero");
/* The name where the code under test is built with _FORTIFY_SOURCE. */
void watched_bzero_chk(void *data, size_t length,
                       size_t size) __asm__("__explicit_bzero_chk");

void *
watched_mmap(void *address, size_t length, int protection, int flags, int fd,
             off_t offset)
{
    if (mmap_fails) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    /* The kernel's answer is a number that stands for an address. */
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd,
                           offset);
}

int
watched_munmap(void *address, size_t length)
{
    const unsigned char *bytes = address;

    /* Others give back pages too that nobody may read. */
    if (watch_munmap) {
        unmapped = address;
        unmapped_length = length;
        unmapped_count++;
        unmapped_dirty = 0;
        for (size_t i = 0; i < length; i++) {
            unmapped_dirty += bytes[i] != 0;
        }
    }
    return (int)syscall(SYS_munmap, address, length);
}

int
watched_mlock(const void *address, size_t length)
{
    if (mlock_fails) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_mlock, address, length);
}

void
watched_bzero(void *data, size_t length)
{
    volatile unsigned char *bytes = data;

    for (size_t i = 0; i < length; i++) {
        bytes[i] = 0;
    }
    erased = data;
    erased_length = length;
}

void
watched_bzero_chk(void *data, size_t length, size_t size)
{
    ck_assert_uint_le(length, size);
    watched_bzero(data, length);
}

static size_t
page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Whether a page is mapped at ADDRESS. */
static bool
is_mapped(const void *address)
{
    unsigned char resident = 0;

    return syscall(SYS_mincore, address, page_size(), &resident) == 0;
}

/* Whether the mapping that begins at ADDRESS has FLAG in smaps (proc(5)). */
static bool
has_vm_flag(const void *address, const char *flag)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false;
    bool found = false;

    ck_assert_ptr_nonnull(smaps);
    while (fgets(line, sizeof(line), smaps) != NULL) {
        unsigned long low = 0;
        unsigned long high = 0;
        unsigned long wanted = (unsigned long)address;

        if (sscanf(line, "%lx-%lx ", &low, &high) == 2) {
            inside = wanted >= low && wanted < high;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            found = strstr(line, flag) != NULL;
        }
    }
    ck_assert_int_eq(fclose(smaps), 0);
    return found;
}

static bool
can_lock_a_page(void)
{
    void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool locked = false;

    ck_assert_ptr_ne(page, MAP_FAILED);
    locked = mlock(page, page_size()) == 0 && has_vm_flag(page, " lo");
    ck_assert_int_eq(munmap(page, page_size()), 0);
    return locked;
}

/* Puts LENGTH bytes of VALUE. */
static void
fill(struct bytes *bytes, unsigned char value, size_t length)
{
    unsigned char *data = malloc(length);

    ck_assert_ptr_nonnull(data);
    memset(data, value, length);
    ck_assert_int_eq(
        bytes_copy(bytes, (struct span){.data = data, .length = length}), 0);
    free(data);
}

/* A reader of TEXT's LENGTH bytes, in memory that ends where they end. */
static uint8_t *
exact(const void *text, size_t length, struct reader *reader_out)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, length);
    *reader_out = reader_from((struct span){.data = copy, .length = length});
    return copy;
}

START_TEST(test_bytes_empty_is_freed)
{
    struct bytes bytes = BYTES_EMPTY;

    watch_munmap = true;
    bytes_free(&bytes);
    watch_munmap = false;
    ck_assert_uint_eq(unmapped_count, 0);
    ck_assert_ptr_null(bytes_span(&bytes).data);
    ck_assert_uint_eq(bytes_span(&bytes).length, 0);
}
END_TEST

START_TEST(test_bytes_reserve_gives_room)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&bytes, 5000), 0);
    ck_assert_uint_ge(bytes.capacity, 5000);
    ck_assert_uint_eq(bytes.length, 0);
    memset(bytes.data, 0xff, bytes.capacity);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_reserve_of_less_leaves_the_pages)
{
    struct bytes bytes = BYTES_EMPTY;
    const uint8_t *data = NULL;

    ck_assert_int_eq(bytes_reserve(&bytes, 5000), 0);
    data = bytes.data;
    ck_assert_int_eq(bytes_reserve(&bytes, 10), 0);
    ck_assert_ptr_eq(bytes.data, data);
    ck_assert_uint_ge(bytes.capacity, 5000);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_pages_stay_out_of_core_dumps)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&bytes, 1), 0);
    ck_assert(has_vm_flag(bytes.data, " dd"));
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_pages_are_locked)
{
    struct bytes bytes = BYTES_EMPTY;

    SKIP_UNLESS(can_lock_a_page(), "needs a RLIMIT_MEMLOCK of a page");
    ck_assert_int_eq(bytes_reserve(&bytes, 1), 0);
    ck_assert(has_vm_flag(bytes.data, " lo"));
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_lock_refused_still_gives_room)
{
    struct bytes bytes = BYTES_EMPTY;

    mlock_fails = true;
    ck_assert_int_eq(bytes_reserve(&bytes, 1), 0);
    ck_assert(has_vm_flag(bytes.data, " dd"));
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_growth_keeps_the_content)
{
    struct bytes bytes = BYTES_EMPTY;
    size_t page = page_size();

    fill(&bytes, 0xaa, page);
    ck_assert_int_eq(bytes_reserve(&bytes, page + 1), 0);
    ck_assert_uint_eq(bytes.length, page);
    for (size_t i = 0; i < page; i++) {
        ck_assert_uint_eq(bytes.data[i], 0xaa);
    }
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_growth_erases_the_old_pages)
{
    struct bytes bytes = BYTES_EMPTY;
    size_t page = page_size();
    const uint8_t *old = NULL;

    fill(&bytes, 0xaa, 2 * page);
    old = bytes.data;
    watch_munmap = true;
    ck_assert_int_eq(bytes_reserve(&bytes, 2 * page + 1), 0);
    watch_munmap = false;
    ck_assert_ptr_ne(bytes.data, old);
    ck_assert_ptr_eq(unmapped, old);
    ck_assert_uint_eq(unmapped_length, 2 * page);
    ck_assert_uint_eq(unmapped_dirty, 0);
    ck_assert(!is_mapped(old));
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_growth_doubles)
{
    struct bytes bytes = BYTES_EMPTY;

    watch_munmap = true;
    for (size_t i = 0; i < ((size_t)1 << 18); i++) {
        bytes_put_u32(&bytes, 0);
    }
    watch_munmap = false;
    ck_assert_int_eq(bytes.error, 0);
    ck_assert_uint_lt(unmapped_count, 20);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_free_erases_all_pages)
{
    struct bytes bytes = BYTES_EMPTY;
    const uint8_t *old = NULL;

    ck_assert_int_eq(bytes_reserve(&bytes, 3 * page_size()), 0);
    old = bytes.data;
    /* Bytes behind the length may have been a secret too. */
    memset(bytes.data, 0xaa, bytes.capacity);
    bytes.length = 1;
    watch_munmap = true;
    bytes_free(&bytes);
    watch_munmap = false;
    ck_assert_ptr_eq(unmapped, old);
    ck_assert_uint_eq(unmapped_length, 3 * page_size());
    ck_assert_uint_eq(unmapped_dirty, 0);
    ck_assert(!is_mapped(old));
}
END_TEST

/* A single page stays, erased, for the next buffer, until it is dropped. */
START_TEST(test_bytes_freed_page_is_had_again)
{
    struct bytes bytes = BYTES_EMPTY;
    const uint8_t *old = NULL;

    fill(&bytes, 0xaa, page_size());
    old = bytes.data;
    watch_munmap = true;
    bytes_free(&bytes);
    ck_assert_uint_eq(unmapped_count, 0);
    ck_assert_int_eq(bytes_reserve(&bytes, 1), 0);
    ck_assert_ptr_eq(bytes.data, old);
    for (size_t i = 0; i < page_size(); i++) {
        ck_assert_uint_eq(bytes.data[i], 0);
    }
    if (can_lock_a_page()) {
        ck_assert(has_vm_flag(old, " lo"));
    }
    bytes_free(&bytes);
    bytes_drop_spares();
    watch_munmap = false;
    ck_assert_ptr_eq(unmapped, old);
    ck_assert_uint_eq(unmapped_length, page_size());
    ck_assert(!is_mapped(old));
}
END_TEST

/* A host may unlock all it has, and a child of a fork has no lock left. */
START_TEST(test_bytes_page_that_is_had_again_is_locked_again)
{
    struct bytes bytes = BYTES_EMPTY;
    const uint8_t *old = NULL;

    SKIP_UNLESS(can_lock_a_page(), "may not lock a page");
    fill(&bytes, 0xaa, page_size());
    old = bytes.data;
    bytes_free(&bytes);
    ck_assert_int_eq(syscall(SYS_munlock, old, page_size()), 0);
    ck_assert(!has_vm_flag(old, " lo"));
    fill(&bytes, 0xaa, 1);
    ck_assert_ptr_eq(bytes.data, old);
    ck_assert(has_vm_flag(old, " lo"));
    bytes_free(&bytes);
}
END_TEST

/* The limit is for what is wanted now. */
START_TEST(test_bytes_spares_make_room_for_more_pages)
{
    struct bytes bytes = BYTES_EMPTY;
    const uint8_t *old = NULL;

    fill(&bytes, 0xaa, 1);
    old = bytes.data;
    bytes_free(&bytes);
    watch_munmap = true;
    ck_assert_int_eq(bytes_reserve(&bytes, 2 * page_size()), 0);
    watch_munmap = false;
    ck_assert_ptr_eq(unmapped, old);
    bytes_free(&bytes);
}
END_TEST

/* Few are kept, however many there were. */
START_TEST(test_bytes_spares_are_few)
{
    struct bytes all[32];
    size_t dropped = 0;

    for (size_t i = 0; i < 32; i++) {
        all[i] = BYTES_EMPTY;
        fill(&all[i], 0xaa, 1);
    }
    watch_munmap = true;
    for (size_t i = 0; i < 32; i++) {
        bytes_free(&all[i]);
    }
    dropped = unmapped_count;
    bytes_drop_spares();
    watch_munmap = false;
    ck_assert_uint_ge(dropped, 28);
    ck_assert_uint_eq(unmapped_count, 32);
}
END_TEST

START_TEST(test_bytes_freed_is_empty)
{
    struct bytes bytes = BYTES_EMPTY;

    fill(&bytes, 1, 10);
    bytes.error = -EMSGSIZE;
    bytes_free(&bytes);
    ck_assert_ptr_null(bytes.data);
    ck_assert_uint_eq(bytes.length, 0);
    ck_assert_uint_eq(bytes.capacity, 0);
    ck_assert_int_eq(bytes.error, 0);
}
END_TEST

START_TEST(test_bytes_reserve_of_the_maximum_succeeds)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&bytes, BYTES_MAX), 0);
    ck_assert_uint_eq(bytes.capacity, BYTES_MAX);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_reserve_above_the_maximum_is_refused)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&bytes, BYTES_MAX + 1), -EMSGSIZE);
    ck_assert_int_eq(bytes_reserve(&bytes, SIZE_MAX), -EMSGSIZE);
    ck_assert_ptr_null(bytes.data);
}
END_TEST

START_TEST(test_bytes_growth_past_half_stays_within_the_maximum)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&bytes, BYTES_MAX / 2 + 1), 0);
    ck_assert_int_eq(bytes_reserve(&bytes, BYTES_MAX - page_size()), 0);
    ck_assert_uint_le(bytes.capacity, BYTES_MAX);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_reserve_without_memory_keeps_what_is_there)
{
    struct bytes bytes = BYTES_EMPTY;
    size_t page = page_size();

    fill(&bytes, 0xaa, page);
    mmap_fails = true;
    ck_assert_int_eq(bytes_reserve(&bytes, page + 1), -ENOMEM);
    mmap_fails = false;
    ck_assert_uint_eq(bytes.length, page);
    ck_assert_uint_eq(bytes.capacity, page);
    ck_assert_uint_eq(bytes.data[page - 1], 0xaa);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_copy_replaces_the_content)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_copy(&bytes, span_from_text("first")), 0);
    ck_assert_int_eq(bytes_copy(&bytes, span_from_text("second")), 0);
    ck_assert(span_equal(bytes_span(&bytes), span_from_text("second")));
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_copy_of_less_erases_the_rest)
{
    struct bytes bytes = BYTES_EMPTY;

    fill(&bytes, 0xaa, 100);
    fill(&bytes, 0xbb, 10);
    ck_assert_uint_eq(bytes.length, 10);
    for (size_t i = 10; i < 100; i++) {
        ck_assert_uint_eq(bytes.data[i], 0);
    }
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_copy_clears_an_error)
{
    struct bytes bytes = BYTES_EMPTY;

    bytes.error = -EMSGSIZE;
    ck_assert_int_eq(bytes_copy(&bytes, span_from_text("text")), 0);
    ck_assert_int_eq(bytes.error, 0);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_copy_of_nothing_leaves_nothing)
{
    struct bytes bytes = BYTES_EMPTY;

    fill(&bytes, 0xaa, 10);
    ck_assert_int_eq(bytes_copy(&bytes, (struct span){.data = NULL}), 0);
    ck_assert_uint_eq(bytes.length, 0);
    ck_assert_uint_eq(bytes.data[0], 0);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_copy_above_the_maximum_is_refused)
{
    static const uint8_t byte = 0;
    struct bytes bytes = BYTES_EMPTY;
    struct span span = {.data = &byte, .length = BYTES_MAX + 1};

    ck_assert_int_eq(bytes_copy(&bytes, span), -EMSGSIZE);
    ck_assert_uint_eq(bytes.length, 0);
}
END_TEST

START_TEST(test_bytes_integers_are_in_network_order)
{
    static const uint8_t wire[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
    struct bytes bytes = BYTES_EMPTY;

    bytes_put_u16(&bytes, 0x0102);
    bytes_put_u32(&bytes, 0x03040506);
    bytes_put_i64(&bytes, -2);
    ck_assert_int_eq(bytes.error, 0);
    ck_assert_uint_eq(bytes.length, sizeof(wire));
    ck_assert_mem_eq(bytes.data, wire, sizeof(wire));
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_string_is_put_with_length_and_nul)
{
    static const uint8_t wire[] = {0, 0, 0, 3, 'a', 'b', 0};
    struct bytes bytes = BYTES_EMPTY;

    bytes_put_string(&bytes, "ab");
    ck_assert_uint_eq(bytes.length, sizeof(wire));
    ck_assert_mem_eq(bytes.data, wire, sizeof(wire));
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_what_was_put_is_read)
{
    static const int64_t wide[] = {0, 1, -1, INT64_MIN, INT64_MAX};
    static const uint8_t blob[] = {0, 1, 2, 0};
    struct span span = {.data = blob, .length = sizeof(blob)};
    struct bytes bytes = BYTES_EMPTY;
    struct reader reader;

    bytes_put_u16(&bytes, UINT16_MAX);
    bytes_put_u32(&bytes, UINT32_MAX);
    for (size_t i = 0; i < 5; i++) {
        bytes_put_i64(&bytes, wide[i]);
    }
    bytes_put_string(&bytes, "");
    bytes_put_span(&bytes, span);
    bytes_put_span(&bytes, (struct span){.data = NULL});
    ck_assert_int_eq(bytes.error, 0);
    reader = reader_from(bytes_span(&bytes));
    ck_assert_uint_eq(reader_u16(&reader), UINT16_MAX);
    ck_assert_uint_eq(reader_u32(&reader), UINT32_MAX);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(reader_i64(&reader), wide[i]);
    }
    ck_assert_str_eq(reader_string(&reader), "");
    ck_assert(span_equal(reader_span(&reader), span));
    ck_assert_uint_eq(reader_span(&reader).length, 0);
    ck_assert_int_eq(reader_end(&reader), 0);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_put_above_the_maximum_keeps_the_error)
{
    struct bytes bytes = BYTES_EMPTY;

    ck_assert_int_eq(bytes_reserve(&bytes, BYTES_MAX), 0);
    bytes.length = BYTES_MAX - 1;
    bytes_put_u16(&bytes, 1);
    ck_assert_int_eq(bytes.error, -EMSGSIZE);
    ck_assert_uint_eq(bytes.length, BYTES_MAX - 1);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_put_after_an_error_does_nothing)
{
    struct bytes bytes = BYTES_EMPTY;

    bytes_put_u16(&bytes, 1);
    bytes.error = -ENOMEM;
    bytes_put_u32(&bytes, 1);
    bytes_put_string(&bytes, "text");
    ck_assert_uint_eq(bytes.length, 2);
    ck_assert_int_eq(bytes.error, -ENOMEM);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_bytes_put_without_memory_keeps_the_error)
{
    struct bytes bytes = BYTES_EMPTY;

    mmap_fails = true;
    bytes_put_u16(&bytes, 1);
    mmap_fails = false;
    bytes_put_u16(&bytes, 1);
    ck_assert_int_eq(bytes.error, -ENOMEM);
    ck_assert_uint_eq(bytes.length, 0);
}
END_TEST

START_TEST(test_bytes_put_span_above_the_maximum_is_refused)
{
    static const uint8_t byte = 0;
    struct bytes bytes = BYTES_EMPTY;

    bytes_put_span(&bytes,
                   (struct span){.data = &byte, .length = BYTES_MAX + 1});
    ck_assert_int_eq(bytes.error, -EMSGSIZE);
    ck_assert_uint_eq(bytes.length, 0);
}
END_TEST

START_TEST(test_bytes_put_span_too_long_keeps_the_first_error)
{
    static const uint8_t byte = 0;
    struct bytes bytes = BYTES_EMPTY;

    bytes.error = -ENOMEM;
    bytes_put_span(&bytes,
                   (struct span){.data = &byte, .length = BYTES_MAX + 1});
    ck_assert_int_eq(bytes.error, -ENOMEM);
}
END_TEST

START_TEST(test_bytes_reading_nothing_fails)
{
    struct reader reader = reader_from((struct span){.data = NULL});

    ck_assert_int_eq(reader_end(&reader), 0);
    ck_assert_uint_eq(reader_u16(&reader), 0);
    ck_assert(reader.failed);
    ck_assert_int_eq(reader_end(&reader), -EBADMSG);
}
END_TEST

START_TEST(test_bytes_reading_a_cut_integer_fails)
{
    static const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7};
    struct reader reader;
    uint8_t *copy = exact(wire, 1, &reader);

    ck_assert_uint_eq(reader_u16(&reader), 0);
    ck_assert(reader.failed);
    free(copy);
    copy = exact(wire, 3, &reader);
    ck_assert_uint_eq(reader_u32(&reader), 0);
    ck_assert(reader.failed);
    free(copy);
    copy = exact(wire, 7, &reader);
    ck_assert_int_eq(reader_i64(&reader), 0);
    ck_assert(reader.failed);
    free(copy);
}
END_TEST

START_TEST(test_bytes_reading_after_a_failure_gives_zero)
{
    static const uint8_t wire[] = {0, 0, 0, 9, 1, 1, 1, 1};
    struct reader reader;
    uint8_t *copy = exact(wire, sizeof(wire), &reader);

    ck_assert_uint_eq(reader_span(&reader).length, 0);
    ck_assert_uint_eq(reader_u16(&reader), 0);
    ck_assert_uint_eq(reader_u32(&reader), 0);
    ck_assert_int_eq(reader_i64(&reader), 0);
    ck_assert_str_eq(reader_string(&reader), "");
    ck_assert_ptr_null(reader_span(&reader).data);
    ck_assert_int_eq(reader_end(&reader), -EBADMSG);
    free(copy);
}
END_TEST

START_TEST(test_bytes_reading_a_span_longer_than_the_rest_fails)
{
    static const uint8_t wire[][6] = {{0, 0, 0, 3, 1, 1},
                                      {0xff, 0xff, 0xff, 0xff, 1, 1}};

    for (size_t i = 0; i < 2; i++) {
        struct reader reader;
        uint8_t *copy = exact(wire[i], sizeof(wire[i]), &reader);
        struct span span = reader_span(&reader);

        ck_assert(reader.failed);
        ck_assert_ptr_null(span.data);
        ck_assert_uint_eq(span.length, 0);
        free(copy);
    }
}
END_TEST

/* What a string is read as whose wire form is WIRE; NULL = refused. */
static void
check_string(const uint8_t *wire, size_t length, const char *expected)
{
    struct reader reader;
    uint8_t *copy = exact(wire, length, &reader);
    const char *text = reader_string(&reader);

    ck_assert_str_eq(text, expected == NULL ? "" : expected);
    ck_assert_int_eq(reader.failed, expected == NULL);
    free(copy);
}

START_TEST(test_bytes_reading_a_string_gives_it)
{
    static const uint8_t wire[] = {0, 0, 0, 3, 'a', 'b', 0};

    check_string(wire, sizeof(wire), "ab");
}
END_TEST

START_TEST(test_bytes_reading_a_string_without_nul_fails)
{
    static const uint8_t wire[] = {0, 0, 0, 2, 'a', 'b'};

    check_string(wire, sizeof(wire), NULL);
}
END_TEST

START_TEST(test_bytes_reading_a_string_with_a_nul_inside_fails)
{
    static const uint8_t wire[] = {0, 0, 0, 4, 'a', 0, 'b', 0};

    check_string(wire, sizeof(wire), NULL);
}
END_TEST

START_TEST(test_bytes_reading_a_string_of_two_nuls_fails)
{
    static const uint8_t wire[] = {0, 0, 0, 2, 0, 0};

    check_string(wire, sizeof(wire), NULL);
}
END_TEST

START_TEST(test_bytes_reading_a_string_of_no_bytes_fails)
{
    static const uint8_t wire[] = {0, 0, 0, 0};

    check_string(wire, sizeof(wire), NULL);
}
END_TEST

START_TEST(test_bytes_reading_a_cut_string_fails)
{
    static const uint8_t wire[] = {0, 0, 0, 3, 'a', 'b', 0};

    for (size_t length = 0; length < sizeof(wire); length++) {
        check_string(wire, length, NULL);
    }
}
END_TEST

START_TEST(test_bytes_reading_not_all_is_no_end)
{
    static const uint8_t wire[] = {0, 1, 2};
    struct reader reader =
        reader_from((struct span){.data = wire, .length = sizeof(wire)});

    ck_assert_uint_eq(reader_u16(&reader), 1);
    ck_assert_int_eq(reader_end(&reader), -EBADMSG);
}
END_TEST

START_TEST(test_bytes_span_with_nul_is_seen)
{
    struct span span = {.data = (const uint8_t *)"ab", .length = 2};

    ck_assert(!span_has_nul(span));
    span.length = 3;
    ck_assert(span_has_nul(span));
    ck_assert(!span_has_nul((struct span){.data = NULL}));
}
END_TEST

START_TEST(test_bytes_spans_that_differ_are_not_equal)
{
    struct span text = span_from_text("password");

    ck_assert(span_equal(text, span_from_text("password")));
    ck_assert(!span_equal(text, span_from_text("Password")));
    ck_assert(!span_equal(text, span_from_text("passworD")));
    ck_assert(!span_equal(text, span_from_text("passwor")));
    ck_assert(!span_equal(text, (struct span){.data = NULL}));
    ck_assert(span_equal((struct span){.data = NULL}, span_from_text("")));
}
END_TEST

START_TEST(test_bytes_erase_leaves_zeros)
{
    char text[] = "secret";

    erase(text, sizeof(text));
    for (size_t i = 0; i < sizeof(text); i++) {
        ck_assert_int_eq(text[i], 0);
    }
    ck_assert_ptr_eq(erased, text);
}
END_TEST

START_TEST(test_bytes_erase_accepts_null)
{
    erase(NULL, 10);
    erase_and_free(NULL);
    ck_assert_ptr_null(erased);
}
END_TEST

START_TEST(test_bytes_text_is_erased_before_it_is_freed)
{
    char *text = strdup("secret");

    uintptr_t where = (uintptr_t)text;

    ck_assert_ptr_nonnull(text);
    erase_and_free(text);
    ck_assert_uint_eq((uintptr_t)erased, where);
    ck_assert_uint_eq(erased_length, strlen("secret"));
}
END_TEST

static void
add_pages(Suite *suite)
{
    TCase *pages = suite_case(suite, "pages");

    tcase_add_test(pages, test_bytes_empty_is_freed);
    tcase_add_test(pages, test_bytes_reserve_gives_room);
    tcase_add_test(pages, test_bytes_reserve_of_less_leaves_the_pages);
    tcase_add_test(pages, test_bytes_pages_stay_out_of_core_dumps);
    tcase_add_test(pages, test_bytes_pages_are_locked);
    tcase_add_test(pages, test_bytes_lock_refused_still_gives_room);
    tcase_add_test(pages, test_bytes_growth_keeps_the_content);
    tcase_add_test(pages, test_bytes_growth_erases_the_old_pages);
    tcase_add_test(pages, test_bytes_growth_doubles);
    tcase_add_test(pages, test_bytes_free_erases_all_pages);
    tcase_add_test(pages, test_bytes_freed_page_is_had_again);
    tcase_add_test(pages, test_bytes_page_that_is_had_again_is_locked_again);
    tcase_add_test(pages, test_bytes_spares_make_room_for_more_pages);
    tcase_add_test(pages, test_bytes_spares_are_few);
    tcase_add_test(pages, test_bytes_freed_is_empty);
    tcase_add_test(pages, test_bytes_reserve_of_the_maximum_succeeds);
    tcase_add_test(pages, test_bytes_reserve_above_the_maximum_is_refused);
    tcase_add_test(pages, test_bytes_growth_past_half_stays_within_the_maximum);
    tcase_add_test(pages,
                   test_bytes_reserve_without_memory_keeps_what_is_there);
    tcase_add_test(pages, test_bytes_copy_replaces_the_content);
    tcase_add_test(pages, test_bytes_copy_of_less_erases_the_rest);
    tcase_add_test(pages, test_bytes_copy_clears_an_error);
    tcase_add_test(pages, test_bytes_copy_of_nothing_leaves_nothing);
    tcase_add_test(pages, test_bytes_copy_above_the_maximum_is_refused);
    tcase_add_test(pages, test_bytes_erase_leaves_zeros);
    tcase_add_test(pages, test_bytes_erase_accepts_null);
    tcase_add_test(pages, test_bytes_text_is_erased_before_it_is_freed);
}

static void
add_wire(Suite *suite)
{
    TCase *wire = suite_case(suite, "wire");

    tcase_add_test(wire, test_bytes_integers_are_in_network_order);
    tcase_add_test(wire, test_bytes_string_is_put_with_length_and_nul);
    tcase_add_test(wire, test_bytes_what_was_put_is_read);
    tcase_add_test(wire, test_bytes_put_above_the_maximum_keeps_the_error);
    tcase_add_test(wire, test_bytes_put_after_an_error_does_nothing);
    tcase_add_test(wire, test_bytes_put_without_memory_keeps_the_error);
    tcase_add_test(wire, test_bytes_put_span_above_the_maximum_is_refused);
    tcase_add_test(wire, test_bytes_put_span_too_long_keeps_the_first_error);
    tcase_add_test(wire, test_bytes_reading_nothing_fails);
    tcase_add_test(wire, test_bytes_reading_a_cut_integer_fails);
    tcase_add_test(wire, test_bytes_reading_after_a_failure_gives_zero);
    tcase_add_test(wire, test_bytes_reading_a_span_longer_than_the_rest_fails);
    tcase_add_test(wire, test_bytes_reading_a_string_gives_it);
    tcase_add_test(wire, test_bytes_reading_a_string_without_nul_fails);
    tcase_add_test(wire, test_bytes_reading_a_string_with_a_nul_inside_fails);
    tcase_add_test(wire, test_bytes_reading_a_string_of_two_nuls_fails);
    tcase_add_test(wire, test_bytes_reading_a_string_of_no_bytes_fails);
    tcase_add_test(wire, test_bytes_reading_a_cut_string_fails);
    tcase_add_test(wire, test_bytes_reading_not_all_is_no_end);
    tcase_add_test(wire, test_bytes_span_with_nul_is_seen);
    tcase_add_test(wire, test_bytes_spans_that_differ_are_not_equal);
}

int
main(void)
{
    Suite *suite = suite_create("bytes");

    add_pages(suite);
    add_wire(suite);
    return suite_main(suite);
}
