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

/* How the principal's own password is asked for, and which item keeps it. */
struct conv_password {
    const char *words; /* without the ": " at the end */
    int item;
};

/*
 * Asks PROMPTS and appends the answers to PAYLOAD as an ANSWERS message.  A
 * password is asked for and kept as PASSWORD says, and by the options
 * expose_account and no_prompt.  The host's responses are
 * erased.  OUTCOME_NO_ANSWER where there is no conversation, no
 * answer, an empty password, or one longer than MESSAGE_ANSWER_MAX.
 */
enum outcome conv_ask(struct host *host, const struct prompts *prompts,
                      const struct conv_password *password,
                      struct bytes *payload);

/*
 * Whether the user has not been asked for a password, though OUTCOME is a
 * failure that comes behind the question where there is a KDC: modules behind
 * us, that take over what we have asked for, would be without one.  Not where
 * he has proved, or failed to prove, in another way who he is.
 */
bool conv_is_owed(const struct host *host, enum outcome outcome);

/* Asks for that password, as PASSWORD says. */
void conv_ask_for_others(struct host *host,
                         const struct conv_password *password);

/*
 * Whether a prompt for a password names the principal whose it is
 * (expose_account; not with search_k5login, where it is not known yet).
 */
bool conv_names_principal(const struct host *host);

/*
 * Asks for one secret with the text WORDS, which then is what SECRET has.  The
 * same outcomes.
 */
enum outcome conv_ask_secret(struct host *host, const char *words,
                             struct bytes *secret);

/* Tells the user TEXT, as news or as an error, unless messages are unwanted. */
void conv_inform(struct host *host, const char *text);
void conv_complain(struct host *host, const char *text);

#endif
