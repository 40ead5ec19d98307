/*
 * registry/record: the input is the text of a record.  What is accepted has a
 * cache, a user, a uid and a gid; it is written as a text that is accepted as
 * the same record and written as the same text; no value leaves its line.
 * What is refused leaves the caller's record as it was.
 */
#include "fuzz.h"

#include <errno.h>

#include "registry/record.h"

static char *
format(const struct record *record)
{
    char *text = NULL;
    int status = record_format(record, &text);

    if (status < 0) {
        /* What was left out is written, and control characters take more. */
        REQUIRE(status == -EMSGSIZE);
        return NULL;
    }
    return text;
}

static void
require_text(const char *a, const char *b)
{
    REQUIRE(a != NULL && b != NULL);
    REQUIRE(strcmp(a, b) == 0);
}

static void
require_same(const struct record *a, const struct record *b)
{
    require_text(a->cache, b->cache);
    REQUIRE(a->ownership == b->ownership);
    REQUIRE(a->is_bound == b->is_bound && a->is_ended == b->is_ended);
    require_text(a->principal, b->principal);
    require_text(a->user, b->user);
    REQUIRE(a->uid == b->uid && a->gid == b->gid);
    require_text(a->service, b->service);
    require_text(a->tty, b->tty);
    require_text(a->rhost, b->rhost);
    REQUIRE(a->time == b->time);
    require_text(a->boot, b->boot);
    REQUIRE(a->pid_namespace == b->pid_namespace);
    REQUIRE(a->pid == b->pid && a->start == b->start && a->audit == b->audit);
    require_text(a->logind, b->logind);
}

/* The lines of TEXT, which has nothing but newlines of what is no text. */
static size_t
count_lines(const char *text)
{
    size_t count = 0;

    for (const char *at = text; *at != '\0'; at++) {
        REQUIRE((unsigned char)*at >= 0x20 || *at == '\n');
        REQUIRE(*at != 0x7f);
        count += *at == '\n';
    }
    return count;
}

static void
require_round_trip(const struct record *record)
{
    static size_t lines;
    struct record again = {.cache = NULL};
    char *text = format(record);
    char *twice = NULL;

    if (text == NULL) {
        return;
    }
    REQUIRE(lines == 0 || lines == count_lines(text));
    lines = count_lines(text);
    REQUIRE(record_parse(text, strlen(text), &again) == 0);
    require_same(record, &again);
    twice = format(&again);
    require_text(text, twice);
    free(twice);
    free(text);
    record_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record;
    struct record untouched;
    /* Where it ends nothing may be read. */
    char *text = malloc(size == 0 ? 1 : size);
    int status = 0;

    REQUIRE(text != NULL);
    memcpy(text, data, size);
    memset(&record, 0x5a, sizeof(record));
    memcpy(&untouched, &record, sizeof(record));
    status = record_parse(text, size, &record);
    free(text);
    if (status < 0) {
        REQUIRE(status == -EBADMSG || status == -EPROTONOSUPPORT);
        REQUIRE(memcmp(&record, &untouched, sizeof(record)) == 0);
        return 0;
    }
    REQUIRE(*record.cache != '\0' && *record.user != '\0');
    REQUIRE(record.uid >= 0 && record.uid < UINT32_MAX);
    REQUIRE(record.gid >= 0 && record.gid < UINT32_MAX);
    require_round_trip(&record);
    record_free(&record);
    return 0;
}

const struct fuzz_target fuzz_target = {.name = "record"};
