/* Sessions: their beginning and their end. */
#include "pam/session.h"

#include <stddef.h>
#include <unistd.h>

#include "pam/cred.h"
#include "pam/state.h"

enum outcome
session_open(struct host *host)
{
    enum outcome outcome = handover_take(host);
    struct state *state = NULL;

    host->in_session = true;
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (host->options.no_ccache) {
        return OUTCOME_SUCCESS;
    }
    if (host_excludes_user(host)) {
        return OUTCOME_NOT_OURS;
    }
    outcome = cred_establish(host);
    state = state_if_any(host);
    if (state != NULL && state->maker == getpid()) {
        holding_bind(host, &state->holding);
    }
    return outcome;
}

enum outcome
session_close(struct host *host)
{
    return cred_end(host, state_if_any(host));
}

void
session_end_at_pam_end(pam_handle_t *handle, struct state *state)
{
    struct host host;
    struct options options;

    if (host_copy_options(&options, &state->options) < 0) {
        return;
    }
    host_begin_at_end(&host, handle, &options);
    (void)cred_end(&host, state);
    host_end(&host);
}
