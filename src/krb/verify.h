/*
 * Whether the KDC that gave us tickets is the one that shares this machine's
 * keys: what krb5_verify_init_creds decides, taken apart into the half that
 * talks to the network (verify_prove, in the exchange) and the half that reads
 * the keytab (verify_list, verify_check, in the judge).  A random nonce under
 * the authenticator's checksum takes the place of a replay cache.
 */
#ifndef KRB_VERIFY_H
#define KRB_VERIFY_H

#include "base/message.h"
#include "krb/krb.h"

/* The most host principals of a keytab that are tried. */
#define VERIFY_CANDIDATES_MAX 16

/* The host/ principals of a keytab, each once; owned texts. */
struct verify_candidates {
    size_t count;
    char *list[VERIFY_CANDIDATES_MAX];
};

/*
 * The host/ principals that KEYTAB (NULL: the default one) has keys for.  None,
 * with the cause in krb->detail, where there is no such keytab or this process
 * may not read it.  OUTCOME_UNVERIFIED or OUTCOME_NO_MEMORY where it could not
 * be read for any other reason.
 */
enum outcome verify_list(struct krb *krb, const char *keytab,
                         struct verify_candidates *candidates_out);
void verify_candidates_free(struct verify_candidates *candidates);

/*
 * Gets a ticket for challenge->service with the TGT in CACHE, which is left
 * as it is, and makes an AP-REQ whose authenticator has a keyed checksum over
 * the nonce (krb5_mk_req_extended; RFC 4120 5.5.1, key usage 10).  Copied to
 * AP_REQ.
 */
enum outcome verify_prove(struct krb *krb, krb5_ccache cache,
                          const struct challenge *challenge,
                          struct bytes *ap_req);

struct verify_claim {
    const char *keytab;  /* NULL: the default one */
    const char *service; /* the candidate that was asked for */
    struct span nonce;   /* what was sent */
    struct span ap_req;  /* what came back */
    int64_t started;     /* when this login began, by the KDC's clock */
    int64_t clockskew;   /* seconds */
};

/*
 * Judges CLAIM: the AP-REQ is for that service and no other, over that nonce,
 * of a ticket that is valid, not anonymous, and of this login: its authtime is
 * not older than `started` less clockskew, and it begins between then and now.
 * (An exchange that lies about the KDC's clock to pass an old TGT off as new
 * would need a service ticket of back then, too.)
 * *IDENTITY_OUT, the ticket's client, is the caller's (krb5_free_principal).
 * OUTCOME_UNVERIFIED where any of it is not so.
 */
enum outcome verify_check(struct krb *krb, const struct verify_claim *claim,
                          krb5_principal *identity_out);

#endif
