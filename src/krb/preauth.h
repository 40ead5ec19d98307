/*
 * How an AS exchange proves who the user is, beside a password: armor around it
 * (FAST, RFC 6113), a certificate (PKINIT, RFC 4556), and what else libkrb5 is
 * to be told.  Knows the options for that; the exchange itself is acquire's.
 */
#ifndef KRB_PREAUTH_H
#define KRB_PREAUTH_H

#include "base/bytes.h"
#include "krb/krb.h"

/* For all AS exchanges of one process (preauth_free). */
struct preauth {
    const struct options *options; /* borrowed */
    struct span armor_tickets;     /* of fast_ccache; empty = none (borrowed) */
    krb5_ccache armor;             /* NULL = no FAST */
    bool is_armor_sought;          /* once is enough, whatever came of it */
    bool has_asked_for_card;       /* the same */
    bool is_pkinit_set;            /* libkrb5 takes it once a context */
    bool is_pkinit_out;            /* it was tried: the password is left */
};

void preauth_free(struct krb *krb, struct preauth *preauth);

/*
 * The tickets of the cache NAME that armor can be made of, as
 * tickets_pack_cache has them: those for ticket-granting services, no other.
 * Reads the cache as whoever this process is.  OUTCOME_CACHE_MISSING,
 * OUTCOME_CACHE_UNREADABLE, OUTCOME_TICKET_EXPIRED and the like: no armor.
 */
enum outcome preauth_read_armor(struct krb *krb, const char *name,
                                struct bytes *tickets);

/* Whether OPTIONS want PKINIT, tried or insisted on. */
bool preauth_wants_pkinit(const struct options *options);

/*
 * The files that PKINIT needs to be the user, as the options name them: the
 * certificate, or what it is in, and the key where that lies elsewhere.  A
 * smart card has none.  Texts are owned (preauth_files_free).
 */
#define PREAUTH_FILES_MAX 2

struct preauth_files {
    size_t count;
    char *list[PREAUTH_FILES_MAX];
};

/* 0 or -ENOMEM. */
int preauth_find_files(const struct options *options,
                       struct preauth_files *files_out);
void preauth_files_free(struct preauth_files *files);

/*
 * Sets in MADE what the options want: armor, which is made where there is none
 * yet, and PKINIT.  What cannot be had is said, and done without.
 */
krb5_error_code preauth_prepare(struct krb *krb, struct preauth *preauth,
                                krb5_get_init_creds_opt *made);

/*
 * Whether CODE of an exchange with armor says that the armor is at fault, or
 * that this KDC knows no FAST.  The armor is then gone, which is said: another
 * exchange goes without.
 */
bool preauth_drops_armor(struct krb *krb, struct preauth *preauth,
                         krb5_error_code code);

/*
 * The same of the certificate, where the password may take its place.  KRB has
 * another context then: what belongs to the old one is of no more use.
 */
bool preauth_drops_pkinit(struct krb *krb, struct preauth *preauth,
                          krb5_error_code code);

/*
 * With use_pkinit: whether the tickets in CACHE were got by it; else
 * KRB5_PREAUTH_FAILED.
 */
krb5_error_code preauth_check(struct krb *krb, const struct preauth *preauth,
                              krb5_ccache cache);

#endif
