/*
 * A race of ours, on purpose: put into a copy of the module (tests/env/tsan),
 * each call that begins counts without a lock.  A TSan run that does not report
 * it would not report any other.
 */
#include "pam/host.h"

enum outcome __real_host_begin(struct host *host, pam_handle_t *handle,
                               int flags, int argc, const char **argv);
enum outcome __wrap_host_begin(struct host *host, pam_handle_t *handle,
                               int flags, int argc, const char **argv);

/* Nobody looks at it. */
static volatile unsigned long planted_race_calls;

enum outcome
__wrap_host_begin(struct host *host, pam_handle_t *handle, int flags, int argc,
                  const char **argv)
{
    planted_race_calls++;
    return __real_host_begin(host, handle, flags, argc, argv);
}
