/*
 * Whether a principal may log in as a user: ~/.k5login through krb5_kuserok,
 * or the principal's local name.  Runs as the user, whose files it reads.
 */
#ifndef KRB_AUTHORIZE_H
#define KRB_AUTHORIZE_H

#include "krb/krb.h"

struct authorize_question {
    krb5_const_principal principal;
    const char *user;
    bool has_account; /* without one there is no ~/.k5login */
    bool ignore_k5login;
};

/* OUTCOME_SUCCESS or OUTCOME_NOT_AUTHORIZED, with the cause as detail. */
enum outcome authorize(struct krb *krb,
                       const struct authorize_question *question);

#endif
