/*
 * The groups of the request's user, as NSS knows them, which may take its time:
 * looked up once, by a child, beside whatever else goes on.  The child is there
 * before a password is typed, and erases its copy of one that came with the
 * request: what NSS loads is never where a password or a ticket is.
 */
#ifndef HELPER_GROUPS_H
#define HELPER_GROUPS_H

#include "helper/helper.h"

/* Starts the child, for an ACQUIRE of root's; it does nothing yet. */
void groups_start(struct helper *helper);

/* Has it look, once: while a person types, that hides it. */
void groups_ask(struct helper *helper);

/*
 * Hears what was asked, so long as NSS takes or the helper's time is over, and
 * ends the child.  What was asked a minute ago or less is believed:
 * identity_become_user then need not ask NSS, and the module
 * knows the groups of who has an account; he is looked up all the same who has
 * none, so that how long it takes tells nobody.
 */
void groups_hear(struct helper *helper);

/* Ends a child that was not asked. */
void groups_stop(struct helper *helper);

#endif
