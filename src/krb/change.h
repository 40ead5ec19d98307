/*
 * The change of a password (RFC 3244), by kadmind or by a domain controller.
 */
#ifndef KRB_CHANGE_H
#define KRB_CHANGE_H

#include "krb/krb.h"

/* The service that changes passwords; tickets for it need a password. */
#define CHANGE_SERVICE "kadmin/changepw"

/*
 * Changes the password of the principal of CACHE, which has a ticket for
 * CHANGE_SERVICE, to NEW_PASSWORD.  OUTCOME_PASSWORD_REJECTED where the realm
 * refuses this one, OUTCOME_KDC_REFUSED where it would refuse any: its words
 * are then the detail of KRB.
 */
enum outcome change_password(struct krb *krb, krb5_ccache cache,
                             struct span new_password);

#endif
