/* When a ticket is renewed. */
#include "admin/due.h"

#include "base/ccname.h"

/* The share of its life, in ten-thousandths. */
#define DUE_FIRST 5000
#define DUE_SPREAD 2000
#define DUE_WHOLE 10000

/* Mixed once more: the low bits of a digest know only the low bits of a name.
 */
static uint64_t
lot_of(const char *cache, int64_t uid)
{
    uint64_t lot = ccname_digest(cache) + (uint64_t)uid;

    lot *= UINT64_C(0x9e3779b97f4a7c15);
    return lot ^ lot >> 32;
}

int64_t
due_from(const char *cache, int64_t uid, int64_t start, int64_t end)
{
    int64_t share =
        DUE_FIRST + (int64_t)(lot_of(cache, uid) % (DUE_SPREAD + 1));
    int64_t life = end - start;

    /* What the helper says has 32 bits; nothing here can overflow. */
    return life <= 0 ? start
                     : start + life / DUE_WHOLE * share +
                           life % DUE_WHOLE * share / DUE_WHOLE;
}
