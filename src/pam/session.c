/* Sessions: their beginning and their end. */
#include "pam/session.h"

#include <stddef.h>

#include "pam/cred.h"
#include "pam/state.h"

enum outcome
session_open(struct host *host)
{
    host->in_session = true;
    if (host->options.no_ccache) {
        return OUTCOME_SUCCESS;
    }
    return host_excludes_user(host) ? OUTCOME_NOT_OURS : cred_establish(host);
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
