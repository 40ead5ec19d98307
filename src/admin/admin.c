/* What the subcommands share. */
#include "admin/admin.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"

/* The longest line that is said; a cache's name may have 4000 bytes. */
#define LINE_MAX_BYTES 8192

/* How many questions that are not answered in time one user is worth. */
#define SHARE 4

/* Why a user is not asked. */
#define SLOW                                                                   \
    "this user's caches have taken too long already, so this one was not "     \
    "asked for"

void
admin_free(struct admin *admin)
{
    free(admin->times);
    admin->times = NULL;
    admin->time_count = 0;
}

/* BEGINNING and the formatted text as one harmless line to FILE. */
static void __attribute__((format(printf, 3, 0)))
say(FILE *file, const char *beginning, const char *format, va_list arguments)
{
    char line[LINE_MAX_BYTES];
    char escaped[LINE_MAX_BYTES];

    (void)vsnprintf(line, sizeof(line), format, arguments);
    (void)fprintf(file, "%s%s\n", beginning,
                  log_escape(escaped, sizeof(escaped), line));
}

void
admin_say(const struct admin *admin, const char *format, ...)
{
    va_list arguments;

    (void)admin;
    va_start(arguments, format);
    say(stdout, "", format, arguments);
    va_end(arguments);
}

void
admin_detail(const struct admin *admin, const char *format, ...)
{
    va_list arguments;

    if (!admin->is_verbose) {
        return;
    }
    va_start(arguments, format);
    say(stdout, "", format, arguments);
    va_end(arguments);
}

void
admin_remark(const char *format, ...)
{
    va_list arguments;

    (void)fflush(stdout);
    va_start(arguments, format);
    say(stderr, "krb5cc: ", format, arguments);
    va_end(arguments);
}

void
admin_fail(struct admin *admin, const char *format, ...)
{
    va_list arguments;

    admin->has_failed = true;
    /* What was done before is shown before. */
    (void)fflush(stdout);
    va_start(arguments, format);
    say(stderr, "krb5cc: ", format, arguments);
    va_end(arguments);
}

void *
admin_longer(void *list, size_t count, size_t size)
{
    /* Full is at 0 and at powers of two. */
    if (count != 0 && (count & (count - 1)) != 0) {
        return list;
    }
    return reallocarray(list, count == 0 ? 1 : count * 2, size);
}

const char *
admin_words(int status)
{
    return strerror(status < 0 ? -status : status);
}

void
admin_answer_free(struct admin_answer *answer)
{
    free(answer->tickets.principal);
    free(answer->principal);
    free(answer->cache);
    *answer = (struct admin_answer){0};
}

bool
admin_is_of_krb5_conf(const char *text)
{
    return strncmp(text, ADMIN_OF_KRB5_CONF, strlen(ADMIN_OF_KRB5_CONF)) == 0;
}

/* One question on its way: what the handlers work with. */
struct asking {
    struct admin *admin;
    struct options options;
    struct deadline deadline;
    void (*note)(void *data, enum log_level level, const char *text);
    void *data;
    bool has_told; /* of krb5.conf */
    struct admin_answer *answer;
};

static enum outcome
greeted(void *data, const struct options *completed)
{
    struct asking *asking = data;
    int64_t cut_s = asking->options.timeout - completed->timeout;

    /* krb5.conf may only make it shorter. */
    if (cut_s > 0) {
        deadline_shorten(&asking->deadline, cut_s * 1000);
    }
    return OUTCOME_SUCCESS;
}

/* Nobody sits here. */
static enum outcome
prompt(void *data, const struct prompts *prompts, struct bytes *payload)
{
    (void)data;
    (void)prompts;
    (void)payload;
    return OUTCOME_NO_ANSWER;
}

static void
inform(void *data, const char *text)
{
    const struct asking *asking = data;

    admin_detail(asking->admin, "%s", text);
}

/* What is wrong with krb5.conf each helper says: it is told once. */
static void
note(void *data, enum log_level level, const char *text)
{
    struct asking *asking = data;
    char escaped[LOG_LINE_MAX];

    if (admin_is_of_krb5_conf(text)) {
        asking->has_told = true;
        if (asking->admin->has_told) {
            return;
        }
    }
    if (level != LOG_LEVEL_DEBUG && asking->note != NULL) {
        asking->note(asking->data, level, text);
    } else if (level != LOG_LEVEL_DEBUG || asking->admin->is_debug) {
        (void)fprintf(stderr, "krb5cc: helper: %s\n",
                      log_escape(escaped, sizeof(escaped), text));
    }
}

/* No job of ours makes a cache. */
static enum outcome
name(void *data, const char *pattern, struct bytes *payload)
{
    (void)data;
    (void)pattern;
    (void)payload;
    return OUTCOME_HELPER_FAILED;
}

static void
described(void *data, const struct description *description)
{
    const struct asking *asking = data;
    struct admin_tickets *tickets = &asking->answer->tickets;

    free(tickets->principal);
    if (asprintf(&tickets->principal, "%s", description->principal) < 0) {
        tickets->principal = NULL;
    }
    tickets->start = description->start;
    tickets->end = description->end;
    tickets->renew_until = description->renew_until;
}

/* The options of a question; options_free. */
static int
make_options(const struct admin *admin, struct options *options)
{
    int status = options_init(options);
    char *helper = NULL;

    if (status < 0) {
        return status;
    }
    helper = strdup(admin->helper);
    if (helper == NULL) {
        options_free(options);
        return -ENOMEM;
    }
    free(options->helper);
    options->helper = helper;
    options->timeout = admin->timeout_s;
    options->debug = admin->is_debug;
    return 0;
}

/* A copy of TEXT, NULL where it is "" (or where there is no memory). */
static char *
copy_text(const char *text)
{
    return text == NULL || *text == '\0' ? NULL : strdup(text);
}

/* The outcome, and the cause where that says more. */
static void
tell_cause(struct admin_answer *answer, const char *detail)
{
    const char *outcome = outcome_name(answer->outcome);
    bool says_more =
        detail != NULL && *detail != '\0' && strcmp(detail, outcome) != 0;

    (void)snprintf(answer->cause, sizeof(answer->cause), "%s%s%s", outcome,
                   says_more ? ": " : "", says_more ? detail : "");
}

/* ASKING's admin, note and data are set; the answer is as admin_ask has it. */
static void
ask(struct asking *asking, const struct request *wanted,
    struct admin_answer *answer_out)
{
    const struct client_handlers handlers = {
        .greeted = greeted,
        .prompt = prompt,
        .inform = inform,
        .note = note,
        .name = name,
        .described = described,
        .data = asking,
    };
    const struct client_request request = {
        .request = wanted,
        .options = &asking->options,
        .deadline = &asking->deadline,
        .handlers = &handlers,
    };
    struct client client = CLIENT_NONE;
    struct client_answer got;

    *answer_out = (struct admin_answer){.outcome = OUTCOME_NO_MEMORY};
    asking->answer = answer_out;
    asking->deadline = deadline_in(asking->admin->timeout_s * 1000);
    if (make_options(asking->admin, &asking->options) < 0) {
        tell_cause(answer_out, NULL);
        return;
    }
    client_run(&client, &request, &got);
    client_end(&client);
    asking->admin->has_told |= asking->has_told;
    answer_out->outcome = got.result.outcome;
    answer_out->principal = copy_text(got.result.principal);
    answer_out->cache = copy_text(got.result.cache);
    answer_out->was_gone = got.result.outcome == OUTCOME_SUCCESS &&
                           got.result.detail != NULL &&
                           *got.result.detail != '\0';
    tell_cause(answer_out, got.result.detail);
    client_answer_free(&got);
    options_free(&asking->options);
}

/* What UID has cost, NULL where nothing yet. */
static struct admin_time *
time_of(const struct admin *admin, int64_t uid)
{
    for (size_t i = 0; i < admin->time_count; i++) {
        if (admin->times[i].uid == uid) {
            return &admin->times[i];
        }
    }
    return NULL;
}

/*
 * Whether UID has had his share: as long as a few caches may take that do not
 * answer.  He can have as many as he likes, stop each helper that is his for a
 * while, and others wait behind him.
 */
static bool
is_slow(const struct admin *admin, int64_t uid)
{
    const struct admin_time *spent = time_of(admin, uid);

    return spent != NULL && spent->spent_ms >= SHARE * admin->timeout_s * 1000;
}

/*
 * Puts down to UID what DEADLINE, of one question, has lost; all of his share
 * where IS_OVER: no answer came at all.  Where there is no memory for it he is
 * only asked again.
 */
static void
spend(struct admin *admin, int64_t uid, const struct deadline *deadline,
      bool is_over)
{
    const int64_t limit_ms = admin->timeout_s * 1000;
    struct admin_time *spent = time_of(admin, uid);

    if (spent == NULL) {
        spent = admin_longer(admin->times, admin->time_count, sizeof(*spent));
        if (spent == NULL) {
            return;
        }
        admin->times = spent;
        spent = &admin->times[admin->time_count++];
        *spent = (struct admin_time){.uid = uid};
    }
    spent->spent_ms +=
        is_over ? SHARE * limit_ms : limit_ms - deadline_left_ms(deadline);
}

/*
 * As whom the cache of RECORD is touched.  A name that has another uid by now
 * is another person's: his groups are not for this cache.  NAMELESS is for a
 * name that is in no group.
 */
static bool
identify(const struct record *record, char nameless[32],
         struct request *request_out)
{
    const struct passwd *entry = getpwnam(record->user);
    bool is_same = entry != NULL && (int64_t)entry->pw_uid == record->uid;
    int64_t gid = is_same ? (int64_t)entry->pw_gid : record->gid;

    if (record->uid < 0 || record->uid >= UINT32_MAX || gid < 0 ||
        gid >= UINT32_MAX) {
        return false;
    }
    (void)snprintf(nameless, 32, "#%lld", (long long)record->uid);
    request_out->user = is_same ? record->user : nameless;
    request_out->has_account = true;
    /* Both were looked at above. */
    request_out->uid = (uint32_t)record->uid;
    request_out->gid = (uint32_t)gid;
    return true;
}

void
admin_ask(struct admin *admin, enum job job, const struct record *record,
          struct admin_answer *answer_out)
{
    struct asking asking = {.admin = admin};
    struct request request = {.job = job, .cache = record->cache};
    char nameless[32];

    if (is_slow(admin, record->uid)) {
        *answer_out = (struct admin_answer){.outcome = OUTCOME_DEADLINE};
        tell_cause(answer_out, SLOW);
        return;
    }
    if (!identify(record, nameless, &request)) {
        *answer_out = (struct admin_answer){.outcome = OUTCOME_NO_ACCOUNT};
        tell_cause(answer_out, "there is no account, and the record does not "
                               "say a uid and gid to act as");
        return;
    }
    ask(&asking, &request, answer_out);
    spend(admin, record->uid, &asking.deadline,
          answer_out->outcome == OUTCOME_DEADLINE);
}

void
admin_ask_machine(struct admin *admin, enum job job,
                  void (*hear)(void *data, enum log_level level,
                               const char *text),
                  void *data, struct admin_answer *answer_out)
{
    struct asking asking = {.admin = admin, .note = hear, .data = data};
    const struct request request = {.job = job, .user = "", .cache = ""};

    ask(&asking, &request, answer_out);
}

/* What became of a cache whose destruction has come to ANSWER. */
static enum admin_end
end_of(const struct admin_answer *answer)
{
    enum outcome outcome = answer->outcome;

    if (outcome == OUTCOME_SUCCESS) {
        return answer->was_gone ? ADMIN_GONE : ADMIN_ENDED;
    }
    return outcome == OUTCOME_CACHE_TAKEN || outcome == OUTCOME_CACHE_KIND
               ? ADMIN_NOT_OURS
               : ADMIN_STAYS;
}

/* Takes the lock on what UID's sessions share; -1, and CAUSE. */
static int
lock_shared(struct admin *admin, int64_t uid, char cause[512])
{
    const int64_t limit_ms = admin->timeout_s * 1000;
    struct deadline wait = deadline_in(limit_ms);
    int lock = -1;

    if (is_slow(admin, uid)) {
        (void)snprintf(cause, 512, "%s", SLOW);
        return -1;
    }
    lock =
        registry_lock(&admin->registry, uid, SAFEFS_FAIL_IF_MISSING, limit_ms);
    spend(admin, uid, &wait, lock == -ETIMEDOUT);
    if (lock < 0) {
        (void)snprintf(cause, 512, "cannot lock what his sessions share: %s",
                       admin_words(lock));
        return -1;
    }
    return lock;
}

/*
 * Whether the cache of RECORD, which a login that broke off was to make or to
 * fill, has another principal's tickets: that login has not touched it.
 */
static bool
is_unsettled_of_another(struct admin *admin, const struct record *record,
                        char cause[512])
{
    struct admin_answer answer = {0};
    bool is = false;

    if (record->is_made || record->ownership != RECORD_SHARED) {
        return false;
    }
    admin_ask(admin, JOB_DESCRIBE, record, &answer);
    is = answer.outcome == OUTCOME_SUCCESS &&
         answer.tickets.principal != NULL &&
         strcmp(answer.tickets.principal, record->principal) != 0;
    if (is) {
        (void)snprintf(cause, 512, "it has tickets of %.400s",
                       answer.tickets.principal);
    }
    admin_answer_free(&answer);
    return is;
}

enum admin_end
admin_end_cache(struct admin *admin, const struct registry_key *key,
                const struct record *record, char cause[512])
{
    struct admin_answer answer = {0};
    enum admin_end end = ADMIN_HELD;
    int lock = -1;
    int held = 0;

    if (record_may_be_shared(record)) {
        lock = lock_shared(admin, record->uid, cause);
        if (lock < 0) {
            return ADMIN_STAYS;
        }
    }
    /* By a look of its own: who has come since ours counts too. */
    held = registry_holders(&admin->registry, key, record, NULL);
    if (held < 0) {
        (void)snprintf(cause, 512, "it cannot be told who else holds it: %s",
                       admin_words(held));
        end = ADMIN_STAYS;
    } else if (held == REGISTRY_ADOPTERS) {
        end = ADMIN_IN_USE;
    } else if (held == REGISTRY_NOBODY &&
               is_unsettled_of_another(admin, record, cause)) {
        end = ADMIN_NOT_OURS;
    } else if (held == REGISTRY_NOBODY) {
        admin_ask(admin, JOB_DESTROY, record, &answer);
        end = end_of(&answer);
        memcpy(cause, answer.cause, sizeof(answer.cause));
        admin_answer_free(&answer);
    }
    if (lock >= 0) {
        registry_unlock(lock);
    }
    return end;
}
