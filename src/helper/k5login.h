/* The user's .k5login, for search_k5login. */
#ifndef HELPER_K5LOGIN_H
#define HELPER_K5LOGIN_H

#include "helper/helper.h"

/* The longest that is read. */
#define K5LOGIN_MAX 65536

/*
 * What is in the .k5login of the request's user, read by a child that becomes
 * him; free it.  NULL where he has none, or one that krb5_kuserok would not
 * look at: not a plain file, of somebody else who is not root, too long.
 */
char *k5login_read(struct helper *helper, struct krb *krb);

#endif
