/* The state of a handle. */
#include "pam/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam/session.h"

/* The name under which libpam keeps it. */
#define STATE_KEY "pam_krb5cc"

enum outcome
state_keep_login(struct state *state, const struct login *login)
{
    state_forget_login(state);
    state->user = strdup(login->user);
    state->principal = strdup(login->principal);
    if (state->user == NULL || state->principal == NULL ||
        bytes_copy(&state->tickets, login->tickets) < 0) {
        state_forget_login(state);
        return OUTCOME_NO_MEMORY;
    }
    state->learned = OUTCOME_SUCCESS;
    return OUTCOME_SUCCESS;
}

enum outcome
state_keep_name(struct state *state, const char *name)
{
    char *copy = *name == '\0' ? NULL : strdup(name);

    if (copy == NULL && *name != '\0') {
        return OUTCOME_NO_MEMORY;
    }
    free(state->named);
    state->named = copy;
    return OUTCOME_SUCCESS;
}

void
state_forget_login(struct state *state)
{
    handover_end(&state->handover);
    free(state->user);
    free(state->principal);
    bytes_free(&state->tickets);
    state->user = NULL;
    state->principal = NULL;
    state->learned = OUTCOME_NOT_OURS;
    state->groups = (struct groups){.are_known = false};
}

void
state_forget_cache(struct state *state)
{
    if (holding_is_any(&state->holding)) {
        holding_forget(&state->holding);
        options_free(&state->options);
        state->must_end = false;
    }
}

/*
 * libpam's cleanup callback (pam_set_data(3)), from pam_end.  A host that ends
 * its handle without having closed its session leaves it here; a child that
 * only gives its copy back (PAM_DATA_SILENT, or another process) does not.
 */
static void
cleanup(pam_handle_t *handle, void *data, int status)
{
    struct state *state = data;

    if (holding_is_any(&state->holding) && (status & PAM_DATA_SILENT) == 0 &&
        state->maker == getpid()) {
        session_end_at_pam_end(handle, state);
    }
    if ((status & PAM_DATA_SILENT) != 0) {
        /* Who only gives its copy back leaves the stash to the other. */
        state->handover.maker = 0;
        state->prepared.maker = 0;
    }
    state_forget_cache(state);
    state_forget_login(state);
    handover_end(&state->prepared);
    free(state->named);
    free(state);
    bytes_drop_spares();
}

struct state *
state_if_any(const struct host *host)
{
    const void *data = NULL;

    if (pam_get_data(host->handle, STATE_KEY, &data) != PAM_SUCCESS) {
        return NULL;
    }
    /* libpam hands out as const what we have given it to keep. */
    return (struct state *)(uintptr_t)data;
}

struct state *
state_of(struct host *host)
{
    struct state *state = state_if_any(host);

    if (state != NULL) {
        return state;
    }
    state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return NULL;
    }
    state->learned = OUTCOME_NOT_OURS;
    if (pam_set_data(host->handle, STATE_KEY, state, cleanup) != PAM_SUCCESS) {
        free(state);
        return NULL;
    }
    return state;
}

/* Whether STATE has learned OUTCOME of HOST's present user. */
static bool
has_learned(const struct state *state, const struct host *host,
            enum outcome outcome)
{
    return state != NULL && state->learned == outcome && state->user != NULL &&
           host->user != NULL && strcmp(state->user, host->user) == 0;
}

bool
state_is_deferred(const struct state *state, const struct host *host)
{
    return has_learned(state, host, OUTCOME_CHANGE_DEFERRED);
}

bool
state_has_own_tickets(const struct state *state, const struct host *host)
{
    return has_learned(state, host, OUTCOME_SUCCESS);
}
