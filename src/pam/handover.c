/* From the process that authenticates to the one that makes the session. */
#include "pam/handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam/state.h"
#include "registry/stash.h"

/* The variable of the PAM environment that has the name. */
#define VARIABLE "PAM_KRB5CC_STASH"

/* The layout of what is stashed. */
#define LAYOUT 1

static void
pack(struct bytes *bytes, const struct state *state)
{
    bytes_put_u16(bytes, LAYOUT);
    bytes_put_string(bytes, state->user);
    bytes_put_string(bytes, state->principal);
    bytes_put_span(bytes, bytes_span(&state->tickets));
}

/* Puts what BYTES have into STATE, where they are of HOST's user. */
static enum outcome
unpack(const struct bytes *bytes, const struct host *host, struct state *state)
{
    struct reader reader = reader_from(bytes_span(bytes));
    uint16_t layout = reader_u16(&reader);
    const char *user = reader_string(&reader);
    const char *principal = reader_string(&reader);
    struct span tickets = reader_span(&reader);

    if (reader_end(&reader) < 0 || layout != LAYOUT) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "the stash of this login cannot be understood");
        return OUTCOME_SUCCESS;
    }
    if (host->user == NULL || strcmp(user, host->user) != 0) {
        log_line(&host->log, LOG_LEVEL_DEBUG,
                 "the stash is another user's: given up");
        return OUTCOME_SUCCESS;
    }
    return state_keep_login(state, &(struct login){.user = user,
                                                   .principal = principal,
                                                   .tickets = tickets});
}

/* Whether HOST has something to stash, and somebody to find it. */
static bool
is_wanted(const struct host *host)
{
    return host_is_wholly(0) && !host->options.no_ccache;
}

/* Has NAME in HANDOVER, or drops it where that fails. */
static bool
have(const struct host *host, const char *name, struct handover *handover)
{
    *handover = (struct handover){
        .name = strdup(name),
        .runtime_dir = strdup(host->options.runtime_dir),
        .maker = getpid(),
    };
    if (handover->name == NULL || handover->runtime_dir == NULL) {
        stash_drop(host->options.runtime_dir, name);
        handover_end(handover);
        return false;
    }
    return true;
}

void
handover_prepare(const struct host *host, struct state *state)
{
    char name[STASH_NAME_SIZE];

    handover_end(&state->prepared);
    /* If we are killed it stays no longer than the KDC is asked. */
    if (is_wanted(host) && stash_prepare(host->options.timeout, name) == 0) {
        (void)have(host, name, &state->prepared);
    }
}

/* Puts CONTENT where it was prepared, or anew; 0 or -errno. */
static int
stash(const struct host *host, struct state *state, struct span content)
{
    int64_t lifetime_s = host->options.stash_lifetime;
    char name[STASH_NAME_SIZE];
    int status = 0;

    if (state->prepared.name != NULL &&
        stash_fill(state->prepared.name, content, lifetime_s) == 0) {
        state->handover = state->prepared;
        state->prepared = (struct handover){.name = NULL};
        return 0;
    }
    status = stash_put(host->options.runtime_dir, content, lifetime_s, name);
    if (status == 0 && !have(host, name, &state->handover)) {
        status = -ENOMEM;
    }
    return status;
}

void
handover_leave(struct host *host, struct state *state)
{
    struct bytes content = BYTES_EMPTY;
    char words[128];
    int status = 0;

    if (!is_wanted(host)) {
        return;
    }
    pack(&content, state);
    status = content.error;
    if (status == 0) {
        status = stash(host, state, bytes_span(&content));
    }
    bytes_free(&content);
    if (status < 0) {
        log_line(&host->log, LOG_LEVEL_NOTICE,
                 "tickets not stashed: keyboard-interactive logins of sshd get "
                 "none: %s",
                 strerror_r(-status, words, sizeof(words)));
    } else if (host_set_variable(host, VARIABLE, state->handover.name) !=
               OUTCOME_SUCCESS) {
        handover_end(&state->handover);
    }
}

/* Takes the stash NAME into the handle's state. */
static enum outcome
take(struct host *host, const char *name)
{
    struct bytes content = BYTES_EMPTY;
    struct state *state = state_of(host);
    enum outcome outcome = OUTCOME_NO_MEMORY;
    char words[128];
    int status = 0;

    if (state == NULL) {
        stash_drop(host->options.runtime_dir, name);
        return outcome;
    }
    status = stash_take(host->options.runtime_dir, name, &content);
    if (status == 0) {
        outcome = unpack(&content, host, state);
    } else if (status != -ENOMEM) {
        log_line(&host->log, LOG_LEVEL_ERROR,
                 "user %s: the tickets of this login are gone: %s (option "
                 "stash_lifetime)",
                 host->user == NULL ? "" : host->user,
                 strerror_r(-status, words, sizeof(words)));
        outcome = OUTCOME_SUCCESS;
    }
    bytes_free(&content);
    return outcome;
}

enum outcome
handover_take(struct host *host)
{
    const char *named = pam_getenv(host->handle, VARIABLE);
    const struct state *state = state_if_any(host);
    enum outcome outcome = OUTCOME_SUCCESS;
    char *name = NULL;

    if (named == NULL) {
        return OUTCOME_SUCCESS;
    }
    name = strdup(named);
    if (name == NULL) {
        return OUTCOME_NO_MEMORY;
    }
    host_drop_variable(host, VARIABLE);
    if (!host_is_wholly(0)) {
        /* Not ours: somebody has put a name there. */
        log_line(&host->log, LOG_LEVEL_DEBUG, "a stash is not for this host");
    } else if (state != NULL && state->user != NULL) {
        stash_drop(host->options.runtime_dir, name);
    } else {
        outcome = take(host, name);
    }
    free(name);
    return outcome;
}

void
handover_end(struct handover *handover)
{
    if (handover->name != NULL && handover->runtime_dir != NULL &&
        handover->maker == getpid()) {
        stash_drop(handover->runtime_dir, handover->name);
    }
    free(handover->name);
    free(handover->runtime_dir);
    *handover = (struct handover){.name = NULL};
}
