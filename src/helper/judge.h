/*
 * The judge: the side of the helper that keeps the host's identity while the
 * exchange talks to the network (helper/relay), believes nothing that it cannot
 * check, and becomes the user in the end.
 */
#ifndef HELPER_JUDGE_H
#define HELPER_JUDGE_H

#include "helper/helper.h"
#include "krb/tickets.h"

/* JOB_ACQUIRE: tickets for a password, verified, authorized. */
enum outcome judge_acquire(struct helper *helper, struct krb *krb,
                           struct job_result *result);

/* JOB_RENEW: the TGT of a cache, as its user. */
enum outcome judge_renew(struct helper *helper, struct krb *krb,
                         struct job_result *result);

/* JOB_TRY and JOB_CHANGE: whether the password is right; and another one. */
enum outcome judge_change(struct helper *helper, struct krb *krb,
                          struct job_result *result);

/* JOB_PROBE: whether a KDC has one of the keytab's keys. */
enum outcome judge_probe(struct helper *helper, struct krb *krb,
                         struct job_result *result);

#endif
