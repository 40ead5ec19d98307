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

/* The path of the file that has the cache NAME, or else NAME. */
static const char *
path_or_name(const char *name)
{
    const char *path = behind(name, "FILE:");

    path = path == NULL ? behind(name, "DIR::") : path;
    return path == NULL ? name : path;
}

bool
ccname_is_same(const char *a, const char *b)
{
    return strcmp(path_or_name(a), path_or_name(b)) == 0;
}

uint64_t
ccname_digest(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *at = path_or_name(name); *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    return hash;
}
