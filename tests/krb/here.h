/*
 * A realm for unit tests that is nowhere but in a krb5.conf: no KDC, forged
 * tickets (helper/forge.h), a log that is kept.
 */
#ifndef KRB_HERE_H
#define KRB_HERE_H

#include "helper/forge.h"
#include "krb/krb.h"
#include "krb/tickets.h"

/* What a test works with; here_setup and here_teardown are its fixtures. */
struct here {
    char *folder; /* of krb5.conf, keytab, caches */
    struct krb krb;
    struct log log;
    char logged[8192];
};

extern struct here here;

void here_setup(void);
void here_teardown(void);

/* Opens here.krb again, with LINES in front of the usual krb5.conf. */
void here_configure(const char *lines);

/* "FILE:" and NAME in the folder; of one test, not to be freed. */
const char *here_name(const char *name);

/* A keytab with random keys of SERVICES, which end in NULL. */
const char *here_keytab(const char *const *services);

/* Adds to TICKETS one of its client for SERVICE that lives LIFE_S. */
void here_add(struct tickets *tickets, const char *service, int64_t life_s);

/* Tickets of CLIENT: a TGT that lives ten hours. */
struct tickets here_tickets(const char *client);

/* TICKETS packed. */
struct bytes here_pack(const struct tickets *tickets);

#endif
