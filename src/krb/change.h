/*
 * The change of a password (RFC 3244), by kadmind or by a domain controller.
 */
#ifndef KRB_CHANGE_H
#define KRB_CHANGE_H

#include "krb/acquire.h"

/* The service that changes passwords; tickets for it need a password. */
#define CHANGE_SERVICE "kadmin/changepw"

/*
 * Has ASKER answer PROMPTS, for a new password once or twice, and puts it into
 * NEW_PASSWORD.  OUTCOME_NO_ANSWER; OUTCOME_PASSWORD_MISTYPED where it is empty
 * or the two are not the same.
 */
enum outcome change_ask(struct krb *krb, const struct asker *asker,
                        const struct prompts *prompts,
                        struct bytes *new_password);

/*
 * The same with the module's own prompts (MESSAGE_PROMPT_NEW_PASSWORD) for the
 * password of the principal NAME.
 */
enum outcome change_ask_module(struct krb *krb,
                               const struct acquire_request *request,
                               const char *name, struct bytes *new_password);

/*
 * Changes the password of the principal of CACHE, which has a ticket for
 * CHANGE_SERVICE, to NEW_PASSWORD.  OUTCOME_PASSWORD_REJECTED where the realm
 * refuses this one, OUTCOME_KDC_REFUSED where it would refuse any: its words
 * are then the detail of KRB.
 */
enum outcome change_password(struct krb *krb, krb5_ccache cache,
                             struct span new_password);

#endif
