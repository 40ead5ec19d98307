/* What the names of caches tell. */
#include "base/ccname.h"

#include <stddef.h>
#include <string.h>

/* What is behind PREFIX in NAME, NULL where it begins with something else. */
static const char *
behind(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(name, prefix, length) == 0 ? name + length : NULL;
}

bool
ccname_is_in_session_keyring(const char *name)
{
    const char *residual = behind(name, "KEYRING:");

    /* Without an anchor it is "legacy", which is the session keyring too. */
    return residual != NULL && (strchr(residual, ':') == NULL ||
                                behind(residual, "session:") != NULL ||
                                behind(residual, "legacy:") != NULL);
}

bool
ccname_is_in_collection(const char *name)
{
    return *name != '/' && behind(name, "FILE:") == NULL;
}

uint64_t
ccname_digest(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    return hash;
}
