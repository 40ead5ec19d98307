/*
 * The judge's side of the line to the exchange: starts it, lets it begin,
 * relays what it may say to the user and to the log, hears what it has got.
 * What it says is believed as far as relay_hear_tickets lets it be, and no
 * further.
 */
#ifndef HELPER_RELAY_H
#define HELPER_RELAY_H

#include "helper/helper.h"

/*
 * Starts the exchange for HELPER's request: a child that becomes the dedicated
 * account at once.  OUTCOME_IDENTITY where there is no account for it.  KRB is
 * only told the cause.
 */
enum outcome relay_start(struct helper *helper, struct krb *krb);

/*
 * Where PKINIT needs a file that is the user's alone: lets the one that waits
 * go, and starts another that is the user.  To be asked once the options are
 * complete.
 */
enum outcome relay_settle(struct helper *helper, struct krb *krb);

/* Tells the exchange to BEGIN, with what armor there is. */
void relay_begin(struct helper *helper, struct krb *krb,
                 const struct begin *begin);

/*
 * The exchange's next message of TYPE (message_free); what comes before it is
 * relayed.  Ends the process where it says what it may not.
 */
struct message relay_hear(struct helper *helper, enum message_type type);

/*
 * Hears what came of what the exchange was told.  The tickets of a success are
 * copied to BYTES; its words are the detail of KRB.  An outcome that is not its
 * to say is OUTCOME_HELPER_FAILED.
 */
enum outcome relay_hear_tickets(struct helper *helper, struct krb *krb,
                                struct bytes *bytes);

/* Nothing more is wanted of the exchange: it may end while we go on. */
void relay_hang_up(struct helper *helper);

/*
 * Lets the exchange go, where there is one, and waits until it is gone: a host
 * that adopts orphans (PR_SET_CHILD_SUBREAPER) shall not get ours.
 */
void relay_end(struct helper *helper);

#endif
