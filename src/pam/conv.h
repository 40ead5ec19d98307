/*
 * The conversation: how the user is asked and told, through the host's
 * callback (pam_conv(3)).  The thread may be cancelled while a person types;
 * then what the call holds is given back.
 */
#ifndef PAM_CONV_H
#define PAM_CONV_H

#include "pam/host.h"

/* How often one call may talk to the user. */
#define CONVERSATIONS_MAX 16

/*
 * Asks PROMPTS and appends the answers to PAYLOAD as an ANSWERS message.  A
 * password is kept as PAM_AUTHTOK too, for the modules behind.  The host's
 * responses are erased.  OUTCOME_NO_ANSWER where there is no conversation, no
 * answer, an empty password, or one longer than MESSAGE_ANSWER_MAX.
 */
enum outcome conv_ask(struct host *host, const struct prompts *prompts,
                      struct bytes *payload);

/* Tells the user TEXT, unless messages are unwanted. */
void conv_inform(struct host *host, const char *text);

#endif
