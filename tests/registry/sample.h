/*
 * What the tests of the registry share: records of sessions whose hosts are
 * known to the kernel, and what must be as it was before.
 */
#ifndef REGISTRY_SAMPLE_H
#define REGISTRY_SAMPLE_H

#include "registry/presence.h"
#include "registry/record.h"

/* A session of UID that has this process as its host (record_free). */
struct record sample_live(int64_t uid, const char *cache);
/* The same of a process that has been and is no more. */
struct record sample_gone(int64_t uid, const char *cache);
/* The same of another boot, and of another pid namespace. */
struct record sample_of_other_boot(int64_t uid, const char *cache);
struct record sample_elsewhere(int64_t uid, const char *cache);

/* Both say the same. */
void sample_check_same(const struct record *a, const struct record *b);

/* How many descriptors this process has. */
size_t sample_descriptors(void);

/*
 * From now on no more than COUNT further descriptors can be had, until
 * sample_descriptors_back.  Check needs some too: assert behind that.
 */
void sample_descriptors_left(size_t count);
void sample_descriptors_back(void);

#endif
