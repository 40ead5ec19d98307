/* One end of a conversation, for processes that end when it goes wrong. */
#include "helper/line.h"

#include <unistd.h>

#include "base/channel.h"

void
line_hang_up(void)
{
    _exit(1);
}

void
line_send(const struct line *line, enum message_type type,
          struct bytes *payload)
{
    if (channel_send(line->fd, NULL, line->version, type, payload) < 0) {
        line_hang_up();
    }
}

struct message
line_receive(const struct line *line)
{
    struct message message;

    if (channel_receive(line->fd, NULL, &message) < 0) {
        line_hang_up();
    }
    return message;
}

struct message
line_expect(const struct line *line, enum message_type type)
{
    struct message message = line_receive(line);

    if (message.type != type) {
        line_hang_up();
    }
    return message;
}

void
line_log_sink(void *data, enum log_level level, const char *text)
{
    const struct line *line = data;
    const struct note note = {.level = level, .text = text};
    struct bytes payload = BYTES_EMPTY;

    note_pack(&payload, &note);
    line_send(line, MESSAGE_NOTE, &payload);
    bytes_free(&payload);
}

void
line_inform(const struct line *line, const char *text)
{
    struct bytes payload = BYTES_EMPTY;

    info_pack(&payload, text);
    line_send(line, MESSAGE_INFO, &payload);
    bytes_free(&payload);
}
