/*
 * What a cache holds, closely enough to tell one set of tickets from another:
 * seen, as in support/cache.h, by a fresh process that is the user.
 */
#ifndef FAULTS_WHOLE_H
#define FAULTS_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct whole {
    bool readable; /* every entry was read; else all is 0 */
    char principal[256];
    int tgts;
    uint64_t tgt; /* the TGT's ticket and session key */
    int64_t endtime;
    /* The other tickets, and the configuration entries, in any order. */
    int services;
    uint64_t service_tickets;
    int configs;
    uint64_t config_entries;
};

/* Looks at the cache NAME as UID and GID. */
struct whole whole_look(const char *name, uid_t uid, gid_t gid);

/* The same of COUNT caches, in one process. */
void whole_look_all(const char *const *names, size_t count, uid_t uid,
                    struct whole *wholes_out);

/* Whether the KDC gives a ticket for SERVICE to who has NAME; keeps it not. */
bool whole_works(const char *name, const char *service, uid_t uid, gid_t gid);

/* Destroys the cache NAME as UID and GID. */
bool whole_destroy(const char *name, uid_t uid, gid_t gid);

#endif
