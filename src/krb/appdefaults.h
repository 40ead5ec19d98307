/*
 * Our options in krb5.conf: [appdefaults], at its top level and per realm, and
 * in its section `pam`, which other PAM modules for Kerberos have too.
 */
#ifndef KRB_APPDEFAULTS_H
#define KRB_APPDEFAULTS_H

#include "base/options.h"
#include "krb/krb.h"

/*
 * Fills in what OPTIONS leaves open from [appdefaults] of krb5.conf: the top
 * level, the section of the realm, `pam` and `pam` per realm, the more special
 * one winning (krb5_appdefault_string).  `timeout` can only get shorter.  A
 * bad value is logged at error level and left out, and so is what another
 * module has and this one has not.  A flag may be a list of services; SERVICE
 * is the present one.  0 or -ENOMEM.  Sets krb->call_limit_s.
 */
int appdefaults_complete(struct krb *krb, struct options *options,
                         const char *service);

/*
 * Logs, as notices, what in the section `pam` is legal and yet hardly meant: a
 * name that is no option, one that is an argument only, a flag that is neither
 * yes nor no and so a list of services.  For who looks after a machine; a login
 * has no use for it.
 */
void appdefaults_review(struct krb *krb);

#endif
