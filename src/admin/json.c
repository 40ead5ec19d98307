/* Values as JSON. */
#include "admin/json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* How many bytes the character that begins with FIRST has; 0: none does. */
static size_t
length_by_first(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        return 3;
    }
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Neither in the shortest form, nor a surrogate, nor above U+10FFFF. */
static bool
is_forbidden(uint32_t code, size_t length)
{
    return (length == 3 && code < 0x800) || (length == 4 && code < 0x10000) ||
           (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff;
}

/* The character at TEXT; how many bytes it has, 0: that is no UTF-8. */
static size_t
decode(const unsigned char *text, uint32_t *code_out)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t length = length_by_first(text[0]);
    uint32_t code = text[0] & masks[length];

    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3f);
    }
    *code_out = code;
    return is_forbidden(code, length) ? 0 : length;
}

void
json_text(FILE *file, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    (void)fputc('"', file);
    while (*at != '\0') {
        uint32_t code = 0;
        size_t length = decode(at, &code);

        if (length == 0) {
            (void)fputs("\\ufffd", file);
            at++;
            continue;
        }
        if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            (void)fprintf(file, "\\u%04" PRIx32, code);
        } else {
            if (code == '"' || code == '\\') {
                (void)fputc('\\', file);
            }
            (void)fwrite(at, 1, length, file);
        }
        at += length;
    }
    (void)fputc('"', file);
}

void
json_positive(FILE *file, int64_t value)
{
    if (value > 0) {
        (void)fprintf(file, "%" PRId64, value);
    } else {
        (void)fputs("null", file);
    }
}
