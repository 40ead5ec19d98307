/*
 * What is said to the administrator, and how foreign text is made harmless
 * before it is said.  Where the lines go (syslog through libpam, or a message
 * to the module) is the business of the sink that is passed in.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Sent over the wire: append only, never reorder. */
enum log_level {
    LOG_LEVEL_ALERT,  /* somebody may be attacking: a KDC that is not ours */
    LOG_LEVEL_ERROR,  /* the administrator must act */
    LOG_LEVEL_NOTICE, /* normal, but worth knowing */
    LOG_LEVEL_INFO,   /* one line an outcome */
    LOG_LEVEL_DEBUG,  /* what was decided and why; only with `debug` */
    LOG_LEVEL_COUNT
};

/* The longest line that is kept; what is longer is cut. */
#define LOG_LINE_MAX 1024

struct log {
    void (*sink)(void *data, enum log_level level, const char *line);
    void *data;
    bool debug;
};

/*
 * Formats a line and gives it to the sink of LOG, control characters in it
 * escaped, cut at LOG_LINE_MAX.  LOG_LEVEL_DEBUG is dropped unless log->debug.
 */
void log_line(const struct log *log, enum log_level level, const char *format,
              ...) __attribute__((format(printf, 3, 4)));

/*
 * Copies TEXT to BUFFER of SIZE bytes, every control character, DEL and byte
 * that is not valid UTF-8 as \xNN; cut at SIZE - 1.  Returns BUFFER.
 */
const char *log_escape(char *buffer, size_t size, const char *text);

/*
 * Takes control characters but newline and tab out of TEXT in place: what is
 * left may be shown to a person at a terminal.
 */
void log_strip_for_terminal(char *text);

#endif
