/*
 * What is in a credential cache, seen as its user in a fresh process: the way
 * the user's programs see it.
 */
#ifndef SUPPORT_CACHE_H
#define SUPPORT_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cache_view {
    bool readable; /* all of the below is there */
    char principal[256];
    int64_t authtime; /* of the TGT; 0 = there is none */
    int64_t starttime;
    int64_t endtime;
    int64_t renew_till;
    int tgts;
    int services; /* other tickets */
    int configs;  /* configuration entries */
    char first_service[256];
};

/* Looks at the cache NAME as UID and GID (where we are root). */
struct cache_view cache_look(const char *name, uid_t uid, gid_t gid);

/* Gets a ticket for SERVICE into the cache NAME as UID.  True: done. */
bool cache_fetch(const char *name, const char *service, uid_t uid, gid_t gid);

/*
 * Gets initial tickets for PRINCIPAL with its PASSWORD into the cache NAME as
 * UID, as kinit does; LIFETIME and RENEWABLE in seconds, 0 = what krb5.conf
 * says, RENEWABLE -1 = not renewable.
 */
bool cache_kinit(const char *name, const char *principal, const char *password,
                 const int64_t lifetimes[2], uid_t uid, gid_t gid);

struct cache_ages {
    int64_t begun_s; /* so much earlier than they did */
    int64_t ended_s; /* > 0: they ended so long ago, and begun_s before that */
};

/* Gives the tickets in the cache NAME other times.  True: done. */
bool cache_age(const char *name, const struct cache_ages *ages, uid_t uid,
               gid_t gid);

/* The path of the file that the name of a FILE or DIR cache tells. */
const char *cache_path(const char *name);

#endif
