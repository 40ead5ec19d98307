/* The table from request to work. */
#ifndef HELPER_JOBS_H
#define HELPER_JOBS_H

#include "helper/helper.h"

struct job_row {
    enum job job;
    bool has_exchange; /* talks to a KDC */
    enum outcome (*run)(struct helper *helper, struct krb *krb,
                        struct job_result *result);
};

/* The row of JOB, or NULL: refused. */
const struct job_row *jobs_find(enum job job);

#endif
