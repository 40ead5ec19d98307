/*
 * krb5cc renew: renews the tickets of sessions that live, each as its user,
 * once half of their life is over.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin/due.h"
#include "admin/sessions.h"
#include "base/ccname.h"

/* Says why the cache of SESSION is not renewed now; that is no failure. */
static void
pass_over(const struct admin *admin, const struct session *session,
          const char *why)
{
    admin_detail(admin, "user %s: %s not renewed: %s",
                 sessions_name(&session->record), session->record.cache, why);
}

/* OUTCOME is how things are, and nothing that an administrator could mend. */
static bool
is_no_failure(enum outcome outcome)
{
    return outcome == OUTCOME_TICKET_EXPIRED ||
           outcome == OUTCOME_NOT_RENEWABLE ||
           outcome == OUTCOME_CACHE_MISSING || outcome == OUTCOME_NOT_OURS ||
           outcome == OUTCOME_CACHE_KIND;
}

static void
say_failure(struct admin *admin, const struct session *session,
            const char *doing, const struct admin_answer *answer)
{
    if (is_no_failure(answer->outcome)) {
        pass_over(admin, session, answer->cause);
        return;
    }
    admin_fail(admin, "user %s: %s %s: %s", sessions_name(&session->record),
               doing, session->record.cache, answer->cause);
}

/* Why TICKETS of SESSION are left as they are at NOW; NULL: they are due. */
static const char *
reason_to_wait(const struct session *session,
               const struct admin_tickets *tickets, int64_t now)
{
    const struct record *record = &session->record;

    if (tickets->end <= now) {
        return "the ticket has expired";
    }
    if (tickets->renew_until == 0) {
        return "the ticket is not renewable";
    }
    if (tickets->renew_until <= now) {
        return "the ticket's renewable lifetime is over";
    }
    if (tickets->renew_until <= tickets->end) {
        return "the ticket lives until its renewable lifetime is over";
    }
    if (now <
        due_from(record->cache, record->uid, tickets->start, tickets->end)) {
        return "not due yet";
    }
    return NULL;
}

/* Looks for a record. */
struct search {
    const struct registry_key *key;
    bool is_found;
};

static bool
find(void *data, const struct registry_entry *entry)
{
    struct search *search = data;

    search->is_found = entry->key.place == search->key->place &&
                       strcmp(entry->key.id, search->key->id) == 0;
    return !search->is_found;
}

/*
 * A session that has ended while its ticket was on the way leaves nothing, even
 * where the last look of the helper and the end of the cache came together.
 */
static void
end_if_left(struct admin *admin, const struct session *session)
{
    struct search search = {.key = &session->key};
    char cause[512] = "";

    if (registry_visit(&admin->registry, session->record.uid, find, &search) <
            0 ||
        search.is_found || session->record.ownership == RECORD_ADOPTED) {
        return;
    }
    if (admin_end_cache(admin, &session->key, &session->record, cause) ==
        ADMIN_STAYS) {
        admin_fail(admin,
                   "user %s: cannot destroy %s, whose session has ended "
                   "meanwhile: %s",
                   sessions_name(&session->record), session->record.cache,
                   cause);
    }
}

static void
renew(struct admin *admin, const struct session *session)
{
    struct admin_answer answer;

    if (admin->is_dry_run) {
        admin_say(admin, "user %s: would renew %s",
                  sessions_name(&session->record), session->record.cache);
        return;
    }
    admin_ask(admin, JOB_RENEW, &session->record, &answer);
    if (answer.outcome == OUTCOME_SUCCESS) {
        admin_say(admin, "user %s: renewed %s", sessions_name(&session->record),
                  session->record.cache);
    } else {
        say_failure(admin, session, "cannot renew", &answer);
    }
    /* Whatever it was: it may have been done when an answer was lost. */
    end_if_left(admin, session);
    admin_answer_free(&answer);
}

static void
look_and_renew(struct admin *admin, const struct session *session)
{
    struct admin_answer answer;
    const char *wait = NULL;

    if (ccname_is_in_session_keyring(session->record.cache)) {
        pass_over(admin, session, "only its own session comes to it");
        return;
    }
    admin_ask(admin, JOB_DESCRIBE, &session->record, &answer);
    if (answer.outcome != OUTCOME_SUCCESS) {
        say_failure(admin, session, "cannot read", &answer);
    } else {
        wait = reason_to_wait(session, &answer.tickets, (int64_t)time(NULL));
        if (wait != NULL) {
            pass_over(admin, session, wait);
        } else {
            renew(admin, session);
        }
    }
    admin_answer_free(&answer);
}

void
admin_renew(struct admin *admin)
{
    struct sessions sessions;
    const struct session *last = NULL;

    sessions_remark_missing(admin, admin->is_verbose);
    sessions_take(admin, &sessions);
    for (size_t i = 0; i < sessions.count; i++) {
        const struct session *session = &sessions.list[i];

        /* What sessions share is renewed once. */
        if (session->state == SESSION_LIVE &&
            (last == NULL || !sessions_share(last, session))) {
            look_and_renew(admin, session);
            last = session;
        }
    }
    sessions_free(&sessions);
}
