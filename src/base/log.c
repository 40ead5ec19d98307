/* Lines for the administrator, and the escaping of foreign text. */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Whether the byte is one of a multi-byte character after its first. */
static bool
continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/*
 * How many bytes the character at TEXT has, 0 where it is not valid UTF-8 or
 * is a control character (C1 included, which terminals obey too).
 */
static size_t
printable_length(const unsigned char *text)
{
    uint32_t code = 0;

    if (text[0] >= 0x20 && text[0] < 0x7f) {
        return 1;
    }
    if (text[0] >= 0xc2 && text[0] <= 0xdf && continues(text[1])) {
        code = (uint32_t)(text[0] & 0x1f) << 6 | (text[1] & 0x3f);
        return code < 0xa0 ? 0 : 2;
    }
    if (text[0] >= 0xe0 && text[0] <= 0xef && continues(text[1]) &&
        continues(text[2])) {
        code = (uint32_t)(text[0] & 0x0f) << 12 |
               (uint32_t)(text[1] & 0x3f) << 6 | (text[2] & 0x3f);
        return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 0 : 3;
    }
    if (text[0] >= 0xf0 && text[0] <= 0xf4 && continues(text[1]) &&
        continues(text[2]) && continues(text[3])) {
        code = (uint32_t)(text[0] & 0x07) << 18 |
               (uint32_t)(text[1] & 0x3f) << 12 |
               (uint32_t)(text[2] & 0x3f) << 6 | (text[3] & 0x3f);
        return code < 0x10000 || code > 0x10ffff ? 0 : 4;
    }
    return 0;
}

const char *
log_escape(char *buffer, size_t size, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = (const unsigned char *)text;
    size_t used = 0;

    if (size == 0) {
        return buffer;
    }
    while (*in != '\0') {
        size_t length = printable_length(in);
        size_t needed = length > 0 ? length : 4;

        if (used + needed >= size) {
            break;
        }
        if (length > 0) {
            memcpy(buffer + used, in, length);
            in += length;
        } else {
            buffer[used] = '\\';
            buffer[used + 1] = 'x';
            buffer[used + 2] = digits[*in >> 4];
            buffer[used + 3] = digits[*in & 0x0f];
            in++;
        }
        used += needed;
    }
    buffer[used] = '\0';
    return buffer;
}

void
log_strip_for_terminal(char *text)
{
    unsigned char *in = (unsigned char *)text;
    char *out = text;

    while (*in != '\0') {
        size_t length = printable_length(in);

        if (*in == '\n' || *in == '\t') {
            length = 1;
        }
        if (length == 0) {
            in++;
            continue;
        }
        memmove(out, in, length);
        out += length;
        in += length;
    }
    *out = '\0';
}

void
log_line(const struct log *log, enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    char escaped[LOG_LINE_MAX];
    va_list arguments;

    if (level == LOG_LEVEL_DEBUG && !log->debug) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    log->sink(log->data, level, log_escape(escaped, sizeof(escaped), line));
}
