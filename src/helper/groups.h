/*
 * The groups of the request's user, as NSS knows them, which may take its time:
 * looked up once, by a child, beside whatever else goes on.  Before the
 * password is known, so that a person's typing hides it, and what NSS loads is
 * never where the password or a ticket is.
 */
#ifndef HELPER_GROUPS_H
#define HELPER_GROUPS_H

#include "helper/helper.h"

/* Begins, in an ACQUIRE, where that has not been done. */
void groups_begin(const struct helper *helper);

/*
 * Waits for what was begun, so long as NSS takes or the helper's time is over.
 * identity_become_user then need not ask NSS, and the module knows the groups
 * of who has an account; he is looked up all the same who has none, so that how
 * long it takes tells nobody.
 */
void groups_end(const struct helper *helper);

#endif
