/* When a ticket is renewed. */
#include "admin/due.h"

/* The share of its life, in ten-thousandths. */
#define DUE_FIRST 5000
#define DUE_SPREAD 2000
#define DUE_WHOLE 10000

/* FNV-1a, 64 bits: of many names all bits of it are as good as random. */
static uint64_t
digest_of(const char *cache, int64_t uid)
{
    uint64_t hash = 14695981039346656037U;

    for (const char *at = cache; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 1099511628211U;
    }
    for (int i = 0; i < 8; i++) {
        hash = (hash ^ ((uint64_t)uid >> (8 * i) & 0xff)) * 1099511628211U;
    }
    return hash ^ hash >> 32;
}

int64_t
due_from(const char *cache, int64_t uid, int64_t start, int64_t end)
{
    int64_t share =
        DUE_FIRST + (int64_t)(digest_of(cache, uid) % (DUE_SPREAD + 1));
    int64_t life = end - start;

    /* What the helper says has 32 bits; nothing here can overflow. */
    return life <= 0 ? start
                     : start + life / DUE_WHOLE * share +
                           life % DUE_WHOLE * share / DUE_WHOLE;
}
