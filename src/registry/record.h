/*
 * A record: one session and the cache that it holds, as text.  Pure: where
 * records are kept is registry's business, what they say of processes
 * presence's.
 */
#ifndef REGISTRY_RECORD_H
#define REGISTRY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The layout that is written.  A newer one is left to who understands it. */
#define RECORD_VERSION 1

/* The longest record. */
#define RECORD_MAX ((size_t)16 << 10)

enum record_ownership {
    RECORD_OWN,     /* made for this session alone */
    RECORD_SHARED,  /* other sessions may hold it too: the last one ends it */
    RECORD_ADOPTED, /* made by the host (delegated tickets): never ended */
    RECORD_OWNERSHIP_COUNT
};

/* What a number is where it is not known. */
#define RECORD_UNKNOWN (-1)

/* Texts are owned, never NULL in a record that was parsed; "" = none. */
struct record {
    char *cache;
    enum record_ownership ownership;
    bool is_made;  /* the cache is there, and has this name */
    bool is_bound; /* its session has been opened */
    bool is_ended; /* its session is over, the cache could not be destroyed */
    char *principal;
    char *user;
    int64_t uid;
    int64_t gid;
    char *service;
    char *tty;
    char *rhost;
    int64_t time; /* of the login, in seconds since 1970 */

    /* Where and as what the host ran (presence.h). */
    char *boot;            /* the kernel's boot id */
    int64_t pid_namespace; /* its inode */
    int64_t pid;
    int64_t start; /* of that process, in ticks since boot */
    int64_t audit; /* the session's own audit id */
    char *logind;  /* the session's own logind id */
};

/*
 * Whether other sessions may hold the cache of RECORD too: what they share, and
 * what they find in a collection, whoever has made it.
 */
bool record_may_be_shared(const struct record *record);

/* Frees what RECORD owns; all zero is accepted. */
void record_free(struct record *record);

/*
 * The text of RECORD, the caller's (free).  A text that is NULL is written as
 * "".  0, -ENOMEM, or -EMSGSIZE above RECORD_MAX.
 */
int record_format(const struct record *record, char **text_out);

/*
 * The record that TEXT of LENGTH bytes is; the caller's (record_free).  Keys
 * that are not known are passed over.  0, -ENOMEM, -EPROTONOSUPPORT (of a newer
 * layout), or -EBADMSG: cut off, without its cache, ownership, user, uid or
 * gid, with a key twice, or not such a text at all.
 */
int record_parse(const char *text, size_t length, struct record *record_out);

#endif
