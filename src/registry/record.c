/*
 * The text of records: lines of `key = value`, the layout first and `end` last,
 * so that what was cut off is seen.  A % and control characters in a value are
 * written as %XX: whatever a remote host calls itself stays on its line.
 */
#include "registry/record.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ccname.h"

#define FIRST_LINE "pam_krb5cc record = "
#define LAST_LINE "end\n"
#define SEPARATOR " = "

enum type { TYPE_TEXT, TYPE_NUMBER, TYPE_FLAG, TYPE_OWNERSHIP };

struct row {
    const char *key;
    enum type type;
    size_t offset;
    bool is_needed;
};

#define ROW(field, kind, needed)                                               \
    {                                                                          \
        .key = #field, .type = (kind),                                         \
        .offset = offsetof(struct record, field), .is_needed = (needed),       \
    }

static const struct row rows[] = {
    ROW(cache, TYPE_TEXT, true),
    ROW(ownership, TYPE_OWNERSHIP, true),
    ROW(is_made, TYPE_FLAG, false),
    ROW(is_bound, TYPE_FLAG, false),
    ROW(is_ended, TYPE_FLAG, false),
    ROW(principal, TYPE_TEXT, false),
    ROW(user, TYPE_TEXT, true),
    ROW(uid, TYPE_NUMBER, true),
    ROW(gid, TYPE_NUMBER, true),
    ROW(service, TYPE_TEXT, false),
    ROW(tty, TYPE_TEXT, false),
    ROW(rhost, TYPE_TEXT, false),
    ROW(time, TYPE_NUMBER, false),
    ROW(boot, TYPE_TEXT, false),
    ROW(pid_namespace, TYPE_NUMBER, false),
    ROW(pid, TYPE_NUMBER, false),
    ROW(start, TYPE_NUMBER, false),
    ROW(audit, TYPE_NUMBER, false),
    ROW(logind, TYPE_TEXT, false),
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const char *const ownerships[RECORD_OWNERSHIP_COUNT] = {
    [RECORD_OWN] = "own",
    [RECORD_SHARED] = "shared",
    [RECORD_ADOPTED] = "adopted",
};

static void *
field_of(struct record *record, const struct row *row)
{
    return (char *)record + row->offset;
}

static const void *
const_field_of(const struct record *record, const struct row *row)
{
    return (const char *)record + row->offset;
}

void
record_free(struct record *record)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].type == TYPE_TEXT) {
            char **field = field_of(record, &rows[i]);

            free(*field);
            *field = NULL;
        }
    }
}

bool
record_may_be_shared(const struct record *record)
{
    return record->ownership == RECORD_SHARED ||
           (record->ownership == RECORD_OWN &&
            ccname_is_in_collection(record->cache));
}

static bool
needs_escape(unsigned char c)
{
    return c < 0x20 || c == 0x7f || c == '%';
}

static void
write_escaped(FILE *stream, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;

        if (needs_escape(c)) {
            (void)fprintf(stream, "%%%02X", c);
        } else {
            (void)fputc(c, stream);
        }
    }
}

static void
write_row(FILE *stream, const struct record *record, const struct row *row)
{
    const void *field = const_field_of(record, row);
    const char *text = NULL;

    (void)fprintf(stream, "%s" SEPARATOR, row->key);
    switch (row->type) {
    case TYPE_TEXT:
        memcpy(&text, field, sizeof(text));
        write_escaped(stream, text == NULL ? "" : text);
        break;
    case TYPE_NUMBER:
        (void)fprintf(stream, "%" PRId64, *(const int64_t *)field);
        break;
    case TYPE_FLAG:
        (void)fputs(*(const bool *)field ? "yes" : "no", stream);
        break;
    case TYPE_OWNERSHIP:
        (void)fputs(ownerships[*(const enum record_ownership *)field], stream);
        break;
    }
    (void)fputc('\n', stream);
}

int
record_format(const struct record *record, char **text_out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    bool failed = false;

    if (stream == NULL) {
        return -ENOMEM;
    }
    (void)fprintf(stream, FIRST_LINE "%d\n", RECORD_VERSION);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        write_row(stream, record, &rows[i]);
    }
    (void)fputs(LAST_LINE, stream);
    failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        free(text);
        return -ENOMEM;
    }
    if (length > RECORD_MAX) {
        free(text);
        return -EMSGSIZE;
    }
    *text_out = text;
    return 0;
}

static int
digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The value TEXT without its escapes, for the caller (free). */
static int
read_text(const char *text, char **value_out)
{
    char *value = malloc(strlen(text) + 1);
    char *to = value;

    if (value == NULL) {
        return -ENOMEM;
    }
    for (const char *at = text; *at != '\0'; at++) {
        int high = 0;
        int low = 0;

        if (!needs_escape((unsigned char)*at)) {
            *to++ = *at;
            continue;
        }
        high = *at == '%' ? digit_of(at[1]) : -1;
        low = high < 0 ? -1 : digit_of(at[2]);
        if (low < 0 || !needs_escape((unsigned char)(high * 16 + low)) ||
            high + low == 0) {
            free(value);
            return -EBADMSG;
        }
        /* A control character or %, which are all ASCII. */
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = '\0';
    *value_out = value;
    return 0;
}

static int
read_number(const char *text, int64_t *value_out)
{
    char *end = NULL;
    long long value = 0;

    if (!isdigit((unsigned char)text[*text == '-'])) {
        return -EBADMSG;
    }
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0') {
        return -EBADMSG;
    }
    *value_out = value;
    return 0;
}

static int
read_flag(const char *text, bool *value_out)
{
    *value_out = strcmp(text, "yes") == 0;
    return *value_out || strcmp(text, "no") == 0 ? 0 : -EBADMSG;
}

static int
read_ownership(const char *text, enum record_ownership *value_out)
{
    for (int i = 0; i < RECORD_OWNERSHIP_COUNT; i++) {
        if (strcmp(text, ownerships[i]) == 0) {
            *value_out = (enum record_ownership)i;
            return 0;
        }
    }
    return -EBADMSG;
}

static int
read_value(struct record *record, const struct row *row, const char *text)
{
    void *field = field_of(record, row);
    char *value = NULL;
    int status = 0;

    switch (row->type) {
    case TYPE_TEXT:
        status = read_text(text, &value);
        memcpy(field, &value, sizeof(value));
        return status;
    case TYPE_NUMBER:
        return read_number(text, field);
    case TYPE_FLAG:
        return read_flag(text, field);
    case TYPE_OWNERSHIP:
        return read_ownership(text, field);
    }
    return -EBADMSG;
}

/* Reads LINE into RECORD; bit N of *SEEN is row N. */
static int
read_line(struct record *record, char *line, uint32_t *seen)
{
    char *separator = strstr(line, SEPARATOR);

    if (separator == NULL) {
        return -EBADMSG;
    }
    *separator = '\0';
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].key, line) == 0) {
            if ((*seen & (1U << i)) != 0) {
                return -EBADMSG;
            }
            *seen |= 1U << i;
            return read_value(record, &rows[i], separator + strlen(SEPARATOR));
        }
    }
    return 0;
}

/* What was not there is "" or not known; -EBADMSG where that cannot be. */
static int
complete(struct record *record, uint32_t seen)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        void *field = field_of(record, &rows[i]);

        if ((seen & (1U << i)) != 0) {
            continue;
        }
        if (rows[i].is_needed) {
            return -EBADMSG;
        }
        if (rows[i].type == TYPE_NUMBER) {
            *(int64_t *)field = RECORD_UNKNOWN;
        } else if (rows[i].type == TYPE_TEXT) {
            char *nothing = strdup("");

            if (nothing == NULL) {
                return -ENOMEM;
            }
            *(char **)field = nothing;
        }
    }
    return 0;
}

/* Whether the numbers can be a uid and a gid, and there is a name. */
static int
judge(const struct record *record)
{
    return *record->cache != '\0' && *record->user != '\0' &&
                   record->uid >= 0 && record->uid < UINT32_MAX &&
                   record->gid >= 0 && record->gid < UINT32_MAX
               ? 0
               : -EBADMSG;
}

/* The first line, which LINE is: 0 where the rest can be read. */
static int
read_first_line(const char *line)
{
    int64_t version = 0;

    if (strncmp(line, FIRST_LINE, strlen(FIRST_LINE)) != 0 ||
        read_number(line + strlen(FIRST_LINE), &version) < 0 || version < 1) {
        return -EBADMSG;
    }
    return version > RECORD_VERSION ? -EPROTONOSUPPORT : 0;
}

/* Reads the lines of TEXT, which ends in a newline and is taken apart. */
static int
read_lines(struct record *record, char *text, uint32_t *seen)
{
    char *rest = text;
    char *line = strsep(&rest, "\n");
    int status = read_first_line(line);

    while (status == 0) {
        line = strsep(&rest, "\n");
        if (strcmp(line, "end") == 0) {
            /* Nothing but the end of its line comes behind it. */
            return rest != NULL && *rest == '\0' ? 0 : -EBADMSG;
        }
        status = rest == NULL ? -EBADMSG : read_line(record, line, seen);
    }
    return status;
}

int
record_parse(const char *text, size_t length, struct record *record_out)
{
    struct record record = {.uid = RECORD_UNKNOWN};
    uint32_t seen = 0;
    char *copy = NULL;
    int status = 0;

    if (length > RECORD_MAX) {
        return -EBADMSG;
    }
    if (length == 0 || text[length - 1] != '\n' ||
        memchr(text, '\0', length) != NULL) {
        return -EBADMSG;
    }
    copy = strndup(text, length);
    if (copy == NULL) {
        return -ENOMEM;
    }
    status = read_lines(&record, copy, &seen);
    free(copy);
    if (status == 0) {
        status = complete(&record, seen);
    }
    if (status == 0) {
        status = judge(&record);
    }
    if (status < 0) {
        record_free(&record);
        return status;
    }
    *record_out = record;
    return 0;
}
