/*
 * A TGT exchanged for one that lives longer: the TGS exchange with the RENEW
 * option.  Talks to the KDC; touches no cache but in memory.
 */
#ifndef KRB_RENEW_H
#define KRB_RENEW_H

#include "krb/tickets.h"

/*
 * Whether TGT can be renewed now, by the local clock: OUTCOME_TICKET_EXPIRED
 * (past its end or its renew-till), OUTCOME_NOT_RENEWABLE, or success.
 */
enum outcome renew_possible(struct krb *krb, const krb5_creds *tgt);

/*
 * Renews the TGT among TICKETS (krb5_get_renewed_creds) into a new MEMORY
 * cache, which is the caller's (krb5_cc_destroy).  The new TGT is for the same
 * client and service, else OUTCOME_KDC_NONSENSE.  One that ends before the old
 * one is of no use: OUTCOME_NOT_RENEWABLE.
 */
enum outcome renew(struct krb *krb, const struct tickets *tickets,
                   krb5_ccache *cache_out);

#endif
