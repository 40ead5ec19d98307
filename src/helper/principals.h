/*
 * Whose tickets a request is about: the principals that a password is tried
 * for, in their order, by user_realm, alt_auth_map, prompt_principal and
 * search_k5login.  The judge finds them; the exchange is told their names.
 */
#ifndef HELPER_PRINCIPALS_H
#define HELPER_PRINCIPALS_H

#include "helper/helper.h"

struct principals {
    uint32_t count;
    krb5_principal list[MESSAGE_NAMES_MAX];
    char *names[MESSAGE_NAMES_MAX]; /* the same as texts */
    bool has_mapped;                /* the first is alt_auth_map's */
    char *account; /* the user's own, tried or not; NULL = it is none */
};

/*
 * Finds them for HELPER's request, whose options are complete.  With
 * prompt_principal the user is asked, unless he has answered before
 * (request.principal).  For a CHANGE, or a new password, there is no other.  A
 * name that is no principal is none: a success all the same, so that nobody
 * learns it before he has typed a password.  Where PAM_USER is a principal that
 * is no account, but has a local name, the request becomes that user's and
 * helper->local_user is set (not with no_update_user).  OUTCOME_NOT_OURS: the
 * options exclude the user. principals_free in any case.
 */
enum outcome principals_find(struct helper *helper, struct krb *krb,
                             struct principals *principals);
void principals_free(struct krb *krb, struct principals *principals);

/* Whether PRINCIPAL is one of them. */
bool principals_have(struct krb *krb, const struct principals *principals,
                     krb5_const_principal principal);

#endif
