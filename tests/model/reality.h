/*
 * What is real, beside what the model says: the caches as their users see
 * them, how many there are, records, stashes, and what belongs to nobody's
 * session and must stay as it is.  Lays out the places of all kinds of caches.
 */
#ifndef MODEL_REALITY_H
#define MODEL_REALITY_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

/* The kinds that can be had here: those of stack/kinds.h and a shared FILE. */
size_t reality_kind_count(void);
const struct kind *reality_kind(size_t i);
/* Whose tickets are in canaries, and what users put beside their own. */
#define REALITY_STRANGER "nopreauth"

/* The krb5.conf that goes with KIND. */
const char *reality_config(const struct kind *kind);

/* Places and canaries, made and taken away. */
void reality_begin(void);
void reality_end(void);

/* All that there is to be compared; USERS is a bit for each of them. */
#define REALITY_EVERYBODY ((1U << MODEL_USERS) - 1)
void reality_compare(struct model *model, unsigned int users);

/* The cache is CACHE's user's, and of the name that its kind has. */
void reality_assert_owned(const struct model_cache *cache);

/* The name of the cache on the record of the host PID, NULL = no record. */
const char *reality_record_of(pid_t pid);

/* Whether the stash NAME (PAM_KRB5CC_STASH) can be taken. */
bool reality_has_stash(const char *name);

/* Who hosts an orphaned helper waits here until it is gone. */
void reality_await_helpers(void);

/* A pid that is nobody's child here: waits for its death. */
void reality_kill(pid_t pid);

#endif
