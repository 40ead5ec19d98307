/*
 * From users to principals, and back: the realm of those who name none,
 * alt_auth_map, local names, the lines of a .k5login.  Whether a principal may
 * log in as a user is not asked here (krb/authorize).
 */
#ifndef KRB_NAMES_H
#define KRB_NAMES_H

#include "krb/krb.h"

/*
 * The principal that USER stands for.  Who names no realm is of `user_realm`,
 * else of `realm`, which also becomes KRB's default realm, else of krb5.conf's.
 * *PRINCIPAL_OUT is freed with krb5_free_principal.  A name that is no
 * principal is OUTCOME_UNKNOWN_PRINCIPAL.
 */
enum outcome names_principal(struct krb *krb, const char *user,
                             const struct options *options,
                             krb5_principal *principal_out);

/*
 * The principal that `alt_auth_map`, which must be set, makes of USER: %s is
 * his name without its realm; where the map has no realm his is kept.  The same
 * outcomes.
 */
enum outcome names_mapped(struct krb *krb, const char *user,
                          const struct options *options,
                          krb5_principal *principal_out);

/*
 * The local name of PRINCIPAL (krb5_aname_to_localname: auth_to_local of
 * krb5.conf); free it.  NULL: it has none.
 */
char *names_local(struct krb *krb, krb5_const_principal principal);

/* Whether USER names a realm. */
bool names_has_realm(const char *user);

/* The path of the .k5login of USER, whose home is HOME; free it. */
char *names_k5login_path(struct krb *krb, const char *user, const char *home);

#endif
