/*
 * One end of a conversation as the helper's processes hold it: what to say and
 * what to expect next.  A peer that is gone, or says what is not expected,
 * ends this process: nobody is left to tell.
 */
#ifndef HELPER_LINE_H
#define HELPER_LINE_H

#include "base/message.h"

struct line {
    int fd;
    uint16_t version; /* what the peer speaks */
};

/* Sends; a failure ends the process. */
void line_send(const struct line *line, enum message_type type,
               struct bytes *payload);

/*
 * The next message, which must be of TYPE, else the process ends.  The caller
 * frees it (message_free).
 */
struct message line_expect(const struct line *line, enum message_type type);

/* The next message of whatever type; at its end the process ends. */
struct message line_receive(const struct line *line);

/* A sink for struct log whose data is a struct line: sends NOTEs. */
void line_log_sink(void *line, enum log_level level, const char *text);

/* Sends an INFO. */
void line_inform(const struct line *line, const char *text);

/* Ends the process: the conversation has gone wrong. */
void line_hang_up(void) __attribute__((noreturn));

#endif
