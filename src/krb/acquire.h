/*
 * Tickets for a password: the AS exchange.  Talks to the KDC and, through the
 * asker, to the user; touches no file of a user, decides nothing about who may
 * log in.
 */
#ifndef KRB_ACQUIRE_H
#define KRB_ACQUIRE_H

#include "base/message.h"
#include "krb/krb.h"
#include "krb/preauth.h"

/* How the user is reached. */
struct asker {
    /*
     * Puts PROMPTS to the user.  ANSWERS_OUT borrows from the asker until the
     * next call.  0, or -errno: no answer, now or later.
     */
    int (*ask)(void *data, const struct prompts *prompts,
               struct answers *answers_out);
    /* Shows TEXT to the user. */
    void (*inform)(void *data, const char *text);
    void *data;
};

struct acquire_request {
    krb5_principal client; /* borrowed */
    const char *account;   /* what a prompt for the password may name */
    bool is_new_password; /* a replica may not know it: the primary is asked too
                           */
    const char *service;  /* NULL = a TGT; else for this, for a moment */
    const struct options *options; /* borrowed */
    struct preauth *preauth;       /* borrowed */
    struct span password;          /* stacked; empty = ask */
    const struct asker *asker;     /* borrowed */
    /* Where it comes to nothing: the password, the caller's; NULL = it is not
     * wanted. */
    struct bytes *password_out;
    /* The caller finds out himself whether one that has expired is right. */
    bool checks_expired;
};

/*
 * Gets initial tickets for request->client into a new MEMORY cache, which is
 * the caller's (krb5_cc_destroy).  The KDC is asked before the user is; where
 * it refuses the principal, the user is asked all the same, so that it looks
 * and takes like a wrong password.  One wrong password is
 * one failed preauthentication (krb5_init_creds_get: no second try at the
 * primary KDC).  With use_pkinit nobody is asked for a password.
 */
enum outcome acquire(struct krb *krb, const struct acquire_request *request,
                     krb5_ccache *cache_out);

/*
 * For a user whose name is no principal at all: asks for the password all the
 * same (where none is stacked), for nothing.  request->client is not looked
 * at.
 */
void acquire_in_vain(struct krb *krb, const struct acquire_request *request);

#endif
