/*
 * Tickets and AP-REQs as only somebody with the service's key could make them,
 * each property of them to be chosen: so that a test can offer one that is
 * right but for one thing.  Works without a KDC.
 */
#ifndef HELPER_FORGE_H
#define HELPER_FORGE_H

#include <stdint.h>

#include <krb5.h>

/* What a forged ticket says. */
struct forge_ticket {
    const char *client;
    const char *server;
    const char *keytab; /* has the server's key; NULL: any key will do */
    krb5_flags flags;
    int64_t age_s;       /* how long ago its client authenticated */
    int64_t start_age_s; /* how long ago it became valid */
    int64_t life_s;      /* from now; 0 = an hour */
};

/* The credentials of TICKET, the caller's (krb5_free_creds). */
krb5_error_code forge_creds(krb5_context context,
                            const struct forge_ticket *ticket,
                            krb5_creds **creds_out);

/* What the authenticator's checksum is. */
enum forge_checksum {
    FORGE_KEYED,   /* over the nonce with the session key: as it shall be */
    FORGE_NONE,    /* there is none */
    FORGE_UNKEYED, /* a hash of the nonce that anybody can compute */
    FORGE_GSS,     /* the nonce itself, as GSS-API does (RFC 4121 4.1.1) */
};

struct forge_request {
    krb5_creds *creds; /* borrowed */
    enum forge_checksum checksum;
    krb5_data nonce;  /* borrowed */
    int64_t offset_s; /* of the clock that the authenticator is made by */
};

/* The AP-REQ of REQUEST, the caller's (krb5_free_data). */
krb5_error_code forge_ap_req(krb5_context context,
                             const struct forge_request *request,
                             krb5_data **ap_req_out);

#endif
