/*
 * krb5cc reap: takes away what sessions have left that are gone: caches, each
 * as its user, records, and what was handed over and never taken.
 */
#include <errno.h>

#include "admin/sessions.h"
#include "registry/stash.h"

/* Why SESSION's cache is to go, in words. */
static const char *
reason(const struct session *session)
{
    return session->state == SESSION_ENDED
               ? "its session has ended and it was left over"
               : "its session is gone";
}

static void
leave(struct admin *admin, const struct session *session)
{
    int status = registry_leave(&admin->registry, &session->key);

    if (status < 0) {
        admin_fail(admin, "%s cannot be removed: %s",
                   sessions_path(admin, &session->key), admin_words(status));
    }
}

/* The cache has stayed: the next reap shall know whatever else is true then. */
static void
keep_as_ended(struct admin *admin, struct session *session)
{
    int status = 0;

    if (session->record.is_ended) {
        return;
    }
    session->record.is_ended = true;
    status = registry_change(&admin->registry, &session->key, &session->record);
    if (status < 0) {
        admin_fail(admin, "%s cannot be changed: %s",
                   sessions_path(admin, &session->key), admin_words(status));
    }
}

/* A cache that is not ours to end. */
static void
forget(struct admin *admin, const struct session *session, const char *why)
{
    admin_detail(admin, "user %s: left %s alone: %s",
                 sessions_name(&session->record), session->record.cache, why);
    if (!admin->is_dry_run) {
        leave(admin, session);
    }
}

static void
end_session(struct admin *admin, struct session *session)
{
    const struct record *record = &session->record;
    char cause[512] = "";

    switch (admin_end_cache(admin, &session->key, record, cause)) {
    case ADMIN_ENDED:
        admin_say(admin, "user %s: destroyed %s: %s", sessions_name(record),
                  record->cache, reason(session));
        leave(admin, session);
        break;
    case ADMIN_GONE:
        admin_say(admin, "user %s: %s was gone already: %s",
                  sessions_name(record), record->cache, reason(session));
        leave(admin, session);
        break;
    case ADMIN_HELD:
        forget(admin, session, "another session holds it");
        break;
    case ADMIN_IN_USE:
        admin_detail(admin, "user %s: %s stays for now: a session uses it",
                     sessions_name(record), record->cache);
        keep_as_ended(admin, session);
        break;
    case ADMIN_NOT_OURS:
        admin_say(admin, "user %s: forgot %s, which is not his session's: %s",
                  sessions_name(record), record->cache, cause);
        leave(admin, session);
        break;
    case ADMIN_STAYS:
        admin_fail(admin, "user %s: cannot destroy %s: %s",
                   sessions_name(record), record->cache, cause);
        keep_as_ended(admin, session);
        break;
    }
}

static void
reap_session(struct admin *admin, struct session *session)
{
    const struct record *record = &session->record;

    switch (session->state) {
    case SESSION_LIVE:
        return;
    case SESSION_ELSEWHERE:
        admin_detail(admin,
                     "user %s: %s is of another pid namespace: not judged",
                     sessions_name(record), record->cache);
        return;
    case SESSION_ORPHAN:
    case SESSION_ENDED:
        break;
    }
    if (record->ownership == RECORD_ADOPTED) {
        forget(admin, session, "it is its host's, or was to be kept");
    } else if (!admin->is_dry_run) {
        end_session(admin, session);
    } else if (registry_holders(&admin->registry, &session->key, record,
                                NULL) != REGISTRY_NOBODY) {
        forget(admin, session, "another session holds it");
    } else {
        admin_say(admin, "user %s: would destroy %s: %s", sessions_name(record),
                  record->cache, reason(session));
    }
}

/* Puts what is no record where it is met no more. */
static void
set_aside(struct admin *admin, const struct session_unreadable *unreadable)
{
    const char *path = sessions_path(admin, &unreadable->key);
    const char *why = sessions_fault_words(unreadable);
    int status = 0;

    if (unreadable->fault == -EPROTONOSUPPORT) {
        admin_say(admin, "%s: left alone: %s", path, why);
        return;
    }
    if (!sessions_is_set_aside(unreadable)) {
        admin_fail(admin, "%s: cannot be read: %s", path, why);
        return;
    }
    if (admin->is_dry_run) {
        admin_say(admin, "%s: would be set aside: %s", path, why);
        return;
    }
    status = registry_set_aside(&admin->registry, &unreadable->key);
    if (status < 0) {
        admin_fail(admin, "%s: cannot be set aside: %s (%s)", path,
                   admin_words(status), why);
        return;
    }
    admin_say(admin, "%s: set aside: %s", path, why);
}

/* What belongs to no user: a --user does not touch it. */
static void
sweep(struct admin *admin)
{
    unsigned int count = 0;

    if (admin->is_dry_run || admin->uid != REGISTRY_EVERYBODY) {
        return;
    }
    count = stash_sweep(admin->registry.runtime_dir);
    if (count > 0) {
        admin_say(admin, "removed %u stash%s of logins that were not finished",
                  count, count == 1 ? "" : "es");
    }
    registry_sweep(&admin->registry);
}

void
admin_reap(struct admin *admin)
{
    struct sessions sessions;

    sessions_remark_missing(admin, admin->is_verbose);
    sessions_take(admin, &sessions);
    for (size_t i = 0; i < sessions.unreadable_count; i++) {
        set_aside(admin, &sessions.unreadable[i]);
    }
    for (size_t i = 0; i < sessions.count; i++) {
        reap_session(admin, &sessions.list[i]);
    }
    sweep(admin);
    sessions_free(&sessions);
}
