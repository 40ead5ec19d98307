/*
 * Tickets as bytes, which is how they cross from one process to another: the
 * clock offset, the principal, and every entry of a MEMORY cache
 * (configuration entries included), each by krb5_marshal_credentials.
 */
#ifndef KRB_TICKETS_H
#define KRB_TICKETS_H

#include "base/bytes.h"
#include "krb/krb.h"

/* The most entries that are taken from elsewhere. */
#define TICKETS_MAX 1000

/* Tickets taken apart; all owned (tickets_free). */
struct tickets {
    struct krb_offset offset;
    krb5_principal client;
    krb5_creds **list; /* ends in NULL */
    size_t count;
};

void tickets_free(struct krb *krb, struct tickets *tickets);

/* Every entry of CACHE, appended to BYTES with the offset of KRB. */
enum outcome tickets_pack_cache(struct krb *krb, krb5_ccache cache,
                                struct bytes *bytes);

/*
 * Takes SPAN apart.  Every entry's client is the principal named first, else
 * OUTCOME_UNVERIFIED; what cannot be read is OUTCOME_HELPER_FAILED.
 */
enum outcome tickets_unpack(struct krb *krb, struct span span,
                            struct tickets *tickets_out);

/*
 * What CACHE, a user's own, holds, whatever it is: a service that acts for
 * others (S4U2Proxy) has tickets of other clients in it.
 */
enum outcome tickets_read_cache(struct krb *krb, krb5_ccache cache,
                                struct tickets *tickets_out);

/* The clock offset that SPAN begins with; 0 where it is not of this layout. */
struct krb_offset tickets_offset(struct span span);

/*
 * The TGT that TICKETS' own client has for its own realm, borrowed, or NULL.
 */
krb5_creds *tickets_tgt(struct krb *krb, const struct tickets *tickets);

/*
 * Whether TICKETS are what a KDC gives for a password or a renewal, and nothing
 * that somebody has put among them: one TGT of the client's own realm, valid,
 * and configuration entries.
 */
bool tickets_are_fresh(struct krb *krb, const struct tickets *tickets);

/* Whether CREDS is a TGT for the realm of its own client. */
bool tickets_is_tgt(struct krb *krb, const krb5_creds *creds);

/*
 * A new MEMORY cache that holds TICKETS; *CACHE_OUT is the caller's
 * (krb5_cc_destroy).  The clock offset of TICKETS is applied first.
 */
enum outcome tickets_to_memory(struct krb *krb, const struct tickets *tickets,
                               krb5_ccache *cache_out);

#endif
