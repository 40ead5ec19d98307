/*
 * Whether a principal may log in as a user: alt_auth_map, ~/.k5login through
 * krb5_kuserok, or the principal's local name.  Runs as the user, whose files
 * it reads.
 */
#ifndef KRB_AUTHORIZE_H
#define KRB_AUTHORIZE_H

#include "krb/krb.h"

struct authorize_question {
    krb5_const_principal principal;
    /* What `alt_auth_map` makes of USER: as good as a line of his .k5login. */
    krb5_const_principal mapped; /* NULL = nothing */
    const char *user;
    bool has_account; /* without one there is no ~/.k5login */
    bool ignore_k5login;
};

/* OUTCOME_SUCCESS or OUTCOME_NOT_AUTHORIZED, with the cause as detail. */
enum outcome authorize(struct krb *krb,
                       const struct authorize_question *question);

#endif
