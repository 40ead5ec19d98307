/* krb5cc list: which session holds which cache, and how long its tickets live.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/json.h"
#include "admin/sessions.h"

/* What the helper says of the cache of one session; others may share it. */
struct look {
    struct admin_answer answer;
    bool was_asked;
};

/* A cell of the table, escaped. */
#define CELL_MAX 4096

enum column {
    COLUMN_USER,
    COLUMN_STATE,
    COLUMN_SERVICE,
    COLUMN_TTY,
    COLUMN_FROM,
    COLUMN_EXPIRES,
    COLUMN_RENEW,
    COLUMN_PRINCIPAL,
    COLUMN_CACHE,
    COLUMNS
};

static const char *const titles[COLUMNS] = {
    "USER",    "STATE",       "SERVICE",   "TTY",   "FROM",
    "EXPIRES", "RENEW UNTIL", "PRINCIPAL", "CACHE",
};

struct row {
    char *cells[COLUMNS];
};

/* Asks for the cache of SESSION. */
static void
look_at(struct admin *admin, const struct session *session, struct look *look)
{
    /* What its name means in another place we cannot know. */
    if (session->state == SESSION_ELSEWHERE) {
        return;
    }
    look->was_asked = true;
    admin_ask(admin, JOB_DESCRIBE, &session->record, &look->answer);
    if (look->answer.outcome == OUTCOME_SUCCESS &&
        look->answer.tickets.principal == NULL) {
        look->answer.outcome = OUTCOME_HELPER_FAILED;
    }
    /* A user may destroy what is his own; an orphan's went with the boot. */
    if (look->answer.outcome != OUTCOME_SUCCESS &&
        look->answer.outcome != OUTCOME_CACHE_MISSING) {
        admin->has_failed = true;
    }
}

/* The tickets in LOOK, NULL where there is nothing to say of them. */
static const struct admin_tickets *
tickets_of(const struct look *look)
{
    return look->was_asked && look->answer.outcome == OUTCOME_SUCCESS
               ? &look->answer.tickets
               : NULL;
}

/* Why LOOK has no tickets; NULL: it has, or was not asked for. */
static const char *
problem_of(const struct look *look)
{
    return look->was_asked && look->answer.outcome != OUTCOME_SUCCESS
               ? look->answer.cause
               : NULL;
}

/* TEXT as it may be shown, "-" for nothing; the caller's, NULL: no memory. */
static char *
cell(const char *text)
{
    char escaped[CELL_MAX];

    return strdup(*text == '\0' ? "-"
                                : log_escape(escaped, sizeof(escaped), text));
}

/* SECONDS since 1970 as a person here reads them. */
static char *
time_cell(int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm local;
    char text[64];

    if (seconds <= 0 || localtime_r(&when, &local) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local) == 0) {
        return cell("");
    }
    return cell(text);
}

static void
fill_row(struct row *row, const struct session *session,
         const struct look *look)
{
    const struct record *record = &session->record;
    const struct admin_tickets *tickets = tickets_of(look);

    row->cells[COLUMN_USER] = cell(record->user);
    row->cells[COLUMN_STATE] = cell(session_state_name(session->state));
    row->cells[COLUMN_SERVICE] = cell(record->service);
    row->cells[COLUMN_TTY] = cell(record->tty);
    row->cells[COLUMN_FROM] = cell(record->rhost);
    row->cells[COLUMN_EXPIRES] = time_cell(tickets == NULL ? 0 : tickets->end);
    row->cells[COLUMN_RENEW] =
        time_cell(tickets == NULL ? 0 : tickets->renew_until);
    row->cells[COLUMN_PRINCIPAL] =
        cell(tickets == NULL ? record->principal : tickets->principal);
    row->cells[COLUMN_CACHE] = cell(record->cache);
}

static const char *
shown(const char *text)
{
    return text == NULL ? "?" : text;
}

/* How many columns of a terminal TEXT takes, more or less. */
static size_t
width_of(const char *text)
{
    size_t width = 0;

    for (const char *at = text; *at != '\0'; at++) {
        width += ((unsigned char)*at & 0xc0) != 0x80;
    }
    return width;
}

static void
print_row(const char *const cells[COLUMNS], const size_t widths[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        const char *text = shown(cells[i]);
        size_t width = width_of(text);

        (void)fputs(text, stdout);
        /* Nothing behind the last one. */
        while (i + 1 < COLUMNS && width++ < widths[i] + 2) {
            (void)fputc(' ', stdout);
        }
    }
    (void)fputc('\n', stdout);
}

static void
measure(const struct row *rows, size_t count, size_t widths[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        widths[i] = width_of(titles[i]);
        for (size_t j = 0; j < count; j++) {
            size_t width = width_of(shown(rows[j].cells[i]));

            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
}

static void
print_table(const struct admin *admin, const struct sessions *sessions,
            const struct look *const looks[])
{
    struct row *rows = calloc(sessions->count + 1, sizeof(*rows));
    size_t widths[COLUMNS];

    for (size_t i = 0; rows != NULL && i < sessions->count; i++) {
        fill_row(&rows[i], &sessions->list[i], looks[i]);
    }
    measure(rows, rows == NULL ? 0 : sessions->count, widths);
    print_row(titles, widths);
    for (size_t i = 0; rows != NULL && i < sessions->count; i++) {
        const char *problem = problem_of(looks[i]);

        print_row((const char *const *)rows[i].cells, widths);
        if (problem != NULL) {
            admin_say(admin, "    no tickets to be seen: %s", problem);
        }
        for (int j = 0; j < COLUMNS; j++) {
            free(rows[i].cells[j]);
        }
    }
    free(rows);
}

static void
print_field(const char *name, const char *text)
{
    (void)printf(", \"%s\": ", name);
    if (text == NULL || *text == '\0') {
        (void)fputs("null", stdout);
    } else {
        json_text(stdout, text);
    }
}

static void
print_number(const char *name, int64_t value)
{
    (void)printf(", \"%s\": ", name);
    json_positive(stdout, value);
}

static void
print_session(const struct session *session, const struct look *look)
{
    static const char *const ownerships[RECORD_OWNERSHIP_COUNT] = {
        [RECORD_OWN] = "own",
        [RECORD_SHARED] = "shared",
        [RECORD_ADOPTED] = "adopted",
    };
    const struct record *record = &session->record;
    const struct admin_tickets *tickets = tickets_of(look);

    (void)printf("    {\"id\": ");
    json_text(stdout, session->key.id);
    print_field("user", record->user);
    /* 0 is a uid. */
    (void)printf(", \"uid\": %lld", (long long)record->uid);
    print_field("service", record->service);
    print_field("tty", record->tty);
    print_field("rhost", record->rhost);
    print_field("cache", record->cache);
    print_field("ownership", ownerships[record->ownership]);
    print_field("principal",
                tickets == NULL ? record->principal : tickets->principal);
    print_field("state", session_state_name(session->state));
    print_number("started", record->time);
    print_number("expires", tickets == NULL ? 0 : tickets->end);
    print_number("renew_until", tickets == NULL ? 0 : tickets->renew_until);
    print_number("pid", record->pid);
    print_field("problem", problem_of(look));
    (void)fputs("}", stdout);
}

static void
print_unreadable(const struct session_unreadable *unreadable)
{
    (void)printf("    {\"place\": \"%s\", \"uid\": ",
                 unreadable->key.place == REGISTRY_STATE ? "state" : "runtime");
    if (unreadable->key.uid == RECORD_UNKNOWN) {
        (void)fputs("null", stdout);
    } else {
        (void)printf("%lld", (long long)unreadable->key.uid);
    }
    (void)fputs(", \"id\": ", stdout);
    json_text(stdout, unreadable->key.id);
    print_field("why", sessions_fault_words(unreadable));
    (void)fputs("}", stdout);
}

static void
print_json(const struct sessions *sessions, const struct look *const looks[])
{
    (void)printf("{\"version\": 1, \"sessions\": [");
    for (size_t i = 0; i < sessions->count; i++) {
        (void)fputs(i == 0 ? "\n" : ",\n", stdout);
        print_session(&sessions->list[i], looks[i]);
    }
    (void)printf("], \"unreadable\": [");
    for (size_t i = 0; i < sessions->unreadable_count; i++) {
        (void)fputs(i == 0 ? "\n" : ",\n", stdout);
        print_unreadable(&sessions->unreadable[i]);
    }
    (void)printf("]}\n");
}

/* Asks for each cache once; LOOKS[I] is then what there is of session I. */
static void
look_at_all(struct admin *admin, const struct sessions *sessions,
            struct look *own, const struct look **looks)
{
    for (size_t i = 0; i < sessions->count; i++) {
        const struct session *session = &sessions->list[i];

        looks[i] = &own[i];
        if (i > 0 && sessions_share(session, session - 1) &&
            looks[i - 1]->was_asked && session->state != SESSION_ELSEWHERE) {
            looks[i] = looks[i - 1];
        } else {
            look_at(admin, session, &own[i]);
        }
    }
}

void
admin_list(struct admin *admin)
{
    struct sessions sessions;
    struct look *own = NULL;
    const struct look **looks = NULL;

    sessions_remark_missing(admin, true);
    sessions_take(admin, &sessions);
    /* One more: none at all is no want of memory. */
    own = calloc(sessions.count + 1, sizeof(*own));
    looks = calloc(sessions.count + 1, sizeof(const struct look *));
    if (own == NULL || looks == NULL) {
        admin_fail(admin, "out of memory");
        goto out;
    }
    look_at_all(admin, &sessions, own, looks);
    if (admin->is_json) {
        print_json(&sessions, looks);
    } else {
        print_table(admin, &sessions, looks);
    }
    for (size_t i = 0; i < sessions.unreadable_count; i++) {
        const struct session_unreadable *unreadable = &sessions.unreadable[i];

        admin_fail(admin, "%s: %s", sessions_path(admin, &unreadable->key),
                   sessions_fault_words(unreadable));
    }
out:
    for (size_t i = 0; own != NULL && i < sessions.count; i++) {
        admin_answer_free(&own[i].answer);
    }
    free(own);
    free((void *)looks);
    sessions_free(&sessions);
}
