/*
 * When a ticket is renewed: not before half its life, and not all at the same
 * time.  Pure.
 */
#ifndef ADMIN_DUE_H
#define ADMIN_DUE_H

#include <stdint.h>

/*
 * From when on the ticket in CACHE of UID that lives from START to END (seconds
 * since 1970) is to be renewed: between 50 % and 70 % of its life, for one
 * cache always at the same share, for many caches spread over all of them.
 */
int64_t due_from(const char *cache, int64_t uid, int64_t start, int64_t end);

#endif
