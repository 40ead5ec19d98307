/*
 * A password that has expired: the KDC gives no TGT for it, but a ticket for
 * the change of it.
 */
#ifndef KRB_EXPIRED_H
#define KRB_EXPIRED_H

#include "krb/acquire.h"

/*
 * Whether PASSWORD, which has expired, is the right one.  Nothing is changed,
 * nobody is asked.
 */
enum outcome expired_check(struct krb *krb,
                           const struct acquire_request *request,
                           struct span password);

/*
 * Has the user of REQUEST type a new password in the place of *PASSWORD, which
 * must be the one that has expired (else OUTCOME_WRONG_PASSWORD), and has it
 * changed.  As libkrb5 does it, up to three times; with force_pwchange the
 * asker is asked once, for MESSAGE_PROMPT_NEW_PASSWORD.  *PASSWORD is then the
 * new one.  OUTCOME_PASSWORD_MISTYPED, OUTCOME_PASSWORD_REJECTED;
 * OUTCOME_PASSWORD_EXPIRED where the new one is the old one.
 */
enum outcome expired_change(struct krb *krb,
                            const struct acquire_request *request,
                            struct bytes *password);

#endif
