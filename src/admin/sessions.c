/* The sessions of the registry, copied and judged. */
#include "admin/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
session_state_name(enum session_state state)
{
    static const char *const names[] = {"live", "orphan", "ended", "elsewhere"};

    return names[state];
}

/* What the visit fills. */
struct taking {
    struct sessions *sessions;
    int status; /* -ENOMEM: some are missing */
};

static int
copy_record(const struct record *record, struct record *copy_out)
{
    char *text = NULL;
    int status = record_format(record, &text);

    if (status == 0) {
        status = record_parse(text, strlen(text), copy_out);
    }
    free(text);
    return status;
}

static int
add(struct sessions *sessions, const struct registry_entry *entry)
{
    struct session *list =
        admin_longer(sessions->list, sessions->count, sizeof(*list));
    struct session *session = NULL;
    int status = -ENOMEM;

    if (list == NULL) {
        return status;
    }
    sessions->list = list;
    session = &list[sessions->count];
    *session = (struct session){.key = entry->key};
    status = copy_record(entry->record, &session->record);
    sessions->count += status == 0;
    return status;
}

static int
add_unreadable(struct sessions *sessions, const struct registry_entry *entry)
{
    struct session_unreadable *list = admin_longer(
        sessions->unreadable, sessions->unreadable_count, sizeof(*list));

    if (list == NULL) {
        return -ENOMEM;
    }
    sessions->unreadable = list;
    list[sessions->unreadable_count++] = (struct session_unreadable){
        .key = entry->key,
        .fault = entry->fault,
    };
    return 0;
}

static bool
take(void *data, const struct registry_entry *entry)
{
    struct taking *taking = data;
    int status = entry->record != NULL
                     ? add(taking->sessions, entry)
                     : add_unreadable(taking->sessions, entry);

    if (status < 0) {
        taking->status = status;
    }
    return true;
}

static int
compare(const void *left, const void *right)
{
    const struct session *a = left;
    const struct session *b = right;
    int order = 0;

    if (a->record.uid != b->record.uid) {
        return a->record.uid < b->record.uid ? -1 : 1;
    }
    order = strcmp(a->record.cache, b->record.cache);
    if (order == 0 && a->record.time != b->record.time) {
        order = a->record.time < b->record.time ? -1 : 1;
    }
    return order != 0 ? order : strcmp(a->key.id, b->key.id);
}

bool
sessions_share(const struct session *a, const struct session *b)
{
    return a->record.uid == b->record.uid &&
           strcmp(a->record.cache, b->record.cache) == 0;
}

static enum session_state
judge(const struct record *record, const struct presence_census *census)
{
    enum presence presence = presence_judge(record, census);

    if (presence == PRESENCE_ELSEWHERE) {
        return SESSION_ELSEWHERE;
    }
    if (record->is_ended) {
        return SESSION_ENDED;
    }
    return presence == PRESENCE_GONE ? SESSION_ORPHAN : SESSION_LIVE;
}

void
sessions_take(struct admin *admin, struct sessions *sessions_out)
{
    struct taking taking = {.sessions = sessions_out};
    struct presence_census *census = NULL;
    int status = 0;

    *sessions_out = (struct sessions){0};
    status = registry_visit(&admin->registry, admin->uid, take, &taking);
    if (status < 0) {
        admin_fail(admin,
                   "some records below %s or %s cannot be read: %s; krb5cc "
                   "check says which",
                   admin->registry.state_dir, admin->registry.runtime_dir,
                   admin_words(status));
    }
    if (taking.status < 0) {
        admin_fail(admin, "some records are left out: %s",
                   admin_words(taking.status));
    }
    /* Behind the records: who is in one was there before this look. */
    census = presence_census_take();
    if (census == NULL) {
        admin_fail(admin, "cannot look at the processes in /proc: every "
                          "session counts as live");
    }
    for (size_t i = 0; i < sessions_out->count; i++) {
        struct session *session = &sessions_out->list[i];

        session->state = judge(&session->record, census);
    }
    presence_census_free(census);
    if (sessions_out->count > 1) {
        qsort(sessions_out->list, sessions_out->count,
              sizeof(sessions_out->list[0]), compare);
    }
}

void
sessions_free(struct sessions *sessions)
{
    for (size_t i = 0; i < sessions->count; i++) {
        record_free(&sessions->list[i].record);
    }
    free(sessions->list);
    free(sessions->unreadable);
    *sessions = (struct sessions){0};
}

/*
 * Whether UNREADABLE is where all records of a user are: whoever has opened it
 * to others must close it again.
 */
static bool
is_open_to_others(const struct session_unreadable *unreadable)
{
    const char *id = unreadable->key.id;

    return unreadable->fault == -EPERM &&
           unreadable->key.uid == RECORD_UNKNOWN &&
           id[strspn(id, "0123456789")] == '\0';
}

bool
sessions_is_set_aside(const struct session_unreadable *unreadable)
{
    switch (unreadable->fault) {
    case -EPERM:
        return !is_open_to_others(unreadable);
    case -ELOOP:
    case -EINVAL:
    case -EBADMSG:
    case -EMSGSIZE:
    case -ENOTDIR:
        return true;
    default:
        /* It may be a record all the same, or is not for us to judge. */
        return false;
    }
}

const char *
sessions_fault_words(const struct session_unreadable *unreadable)
{
    if (is_open_to_others(unreadable)) {
        return "it is not root's alone, so no record in it is trusted; chown "
               "-R root it and chmod -R go-rwx it";
    }
    switch (unreadable->fault) {
    case -EPERM:
        return "it is not root's alone";
    case -ELOOP:
        return "it is a symbolic link";
    case -EINVAL:
        return unreadable->key.uid == RECORD_UNKNOWN
                   ? "it is no directory of a user's records"
                   : "it is no plain file, or of another uid than its "
                     "directory says";
    case -EBADMSG:
        return "it cannot be read as a record";
    case -EMSGSIZE:
        return "it is too long for a record";
    case -EPROTONOSUPPORT:
        return "a newer version has written it";
    default:
        return admin_words(unreadable->fault);
    }
}

void
sessions_remark_missing(const struct admin *admin, bool is_worth_it)
{
    const char *path = admin->registry.state_dir;

    if (access(path, F_OK) < 0 &&
        (is_worth_it || strcmp(path, PATH_STATE) != 0)) {
        admin_remark("%s: %s; no session has been recorded there", path,
                     admin_words(errno));
    }
}

const char *
sessions_path(const struct admin *admin, const struct registry_key *key)
{
    static char path[4096];
    const char *directory = key->place == REGISTRY_STATE
                                ? admin->registry.state_dir
                                : admin->registry.runtime_dir;

    if (key->uid == RECORD_UNKNOWN) {
        (void)snprintf(path, sizeof(path), "%s/sessions/%s", directory,
                       key->id);
    } else {
        (void)snprintf(path, sizeof(path), "%s/sessions/%lld/%s", directory,
                       (long long)key->uid, key->id);
    }
    return path;
}

const char *
sessions_name(const struct record *record)
{
    static char name[1024];

    (void)snprintf(name, sizeof(name), "%.256s (%.64s%s%.64s%s%.256s)",
                   record->user,
                   *record->service != '\0' ? record->service : "?",
                   *record->tty != '\0' ? ", " : "", record->tty,
                   *record->rhost != '\0' ? ", from " : "", record->rhost);
    return name;
}
