/*
 * What the fuzz targets share.  A target is one file that defines the
 * function and the struct below and says in its opening paragraph how it reads
 * its input; libFuzzer calls it with whatever it thinks of (fuzz/run), replay.c
 * with the seeds.  Knows nothing of what is tested.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Runs the target on one input, 0; what must not be ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What replay.c has to know of a target. */
struct fuzz_target {
    const char *name; /* its seeds are in fuzz/seeds/NAME */
    /*
     * Appends sample number INDEX to BYTES and returns its name, NULL where
     * there is none: the seeds that nobody can write with an editor, which
     * the tree keeps as files of these names (make fuzz-seeds).  May be NULL.
     */
    const char *(*sample)(size_t index, struct bytes *bytes);
};

extern const struct fuzz_target fuzz_target;

/* Ends the process, as libFuzzer wants to be told, unless HOLDS. */
#define REQUIRE(holds)                                                         \
    do {                                                                       \
        if (!(holds)) {                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,   \
                          #holds);                                             \
            abort();                                                           \
        }                                                                      \
    } while (0)

/*
 * The next line of REST, without its newline, in memory that ends where it
 * ends; the caller's to free.  NULL at the end.
 */
static inline char *
fuzz_line(struct span *rest)
{
    const uint8_t *newline = NULL;
    size_t length = rest->length;
    char *line = NULL;

    if (rest->length == 0) {
        return NULL;
    }
    newline = memchr(rest->data, '\n', rest->length);
    if (newline != NULL) {
        length = (size_t)(newline - rest->data);
    }
    line = strndup((const char *)rest->data, length);
    REQUIRE(line != NULL);
    length += newline != NULL;
    rest->data += length;
    rest->length -= length;
    return line;
}

#endif
