/*
 * Whether a KDC can be reached and has the same key as this machine's keytab,
 * for an administrator who wants to know before somebody logs in.  As with
 * verify, one half reads the keytab (probe_find_key, in the judge), the other
 * one talks to the network (probe_ask, in the exchange), and gets one key.
 */
#ifndef KRB_PROBE_H
#define KRB_PROBE_H

#include "base/message.h"
#include "krb/krb.h"

/* Which keytab NAME (NULL: the default one) is; the caller's, NULL: unknown. */
char *probe_keytab_name(struct krb *krb, const char *name);

/*
 * The newest key that KEYTAB (NULL: the default one) has for PRINCIPAL, the
 * first of those of the same number; appended to CONTENT, *ENCTYPE_OUT is its
 * kind.  OUTCOME_UNVERIFIED where there is none, or none to be read.
 */
enum outcome probe_find_key(struct krb *krb, const char *keytab,
                            const char *principal, struct bytes *content,
                            uint32_t *enctype_out);

/*
 * Asks a KDC for a ticket for KEY's principal with KEY and throws it away
 * (krb5_get_init_creds_keytab).  OUTCOME_WRONG_PASSWORD: the KDC has another
 * key; OUTCOME_CLOCK_SKEW also where it would have gone well and the clocks
 * differ by more than clockskew; OUTCOME_NO_COMMON_ENCTYPE where the kind of
 * the key is not for this machine or for the KDC.
 */
enum outcome probe_ask(struct krb *krb, const struct key *key);

#endif
