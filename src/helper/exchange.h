/*
 * The exchange: the one process of the helper that talks to KDCs.  It runs as
 * the dedicated account (in a root host), reads no key and no user's file, and
 * is not believed: whatever it says, the judge checks.  For a PROBE it is given
 * a key, since the question is whether the KDC has the same; its word is then
 * for the administrator to read, and opens nothing.
 */
#ifndef HELPER_EXCHANGE_H
#define HELPER_EXCHANGE_H

#include "base/message.h"
#include "helper/line.h"

struct exchange_task {
    struct line judge;             /* who is talked to */
    const struct request *request; /* borrowed */
    int trace_fd;
};

/*
 * Does what the judge's BEGIN says: acquires tickets for request->user, or
 * renews those that came with it; then answers the challenge in the BEGIN and
 * further CHALLENGEs until the judge hangs up.  For a PROBE it answers KEYs
 * instead.  Returns when there is nothing more to do.
 */
void exchange_run(const struct exchange_task *task, struct options *options);

#endif
