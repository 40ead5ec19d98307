/*
 * KCM caches: a server (sssd-kcm, or Heimdal's kcm) keeps them; it knows whose
 * they are from the socket that the user's process has opened.  "KCM:" is the
 * user's collection, all other names are caches, which begin with the uid.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "krb/ccache_kind.h"

static bool
kcm_is_collection(const char *name)
{
    return strcmp(name, "KCM:") == 0;
}

/* The server refuses other names too, but does not say why. */
static enum outcome
kcm_check(struct krb *krb, const char *name)
{
    char own[32];
    int length = snprintf(own, sizeof(own), "KCM:%u", (unsigned int)geteuid());

    if (kcm_is_collection(name) ||
        (strncmp(name, own, (size_t)length) == 0 &&
         (name[length] == '\0' || name[length] == ':') &&
         strchr(name, '/') == NULL)) {
        return OUTCOME_SUCCESS;
    }
    return krb_refuse(krb, OUTCOME_CACHE_KIND,
                      "%s: the name of a KCM cache begins with the user's id, "
                      "%s",
                      name, own + strlen("KCM:"));
}

static void
kcm_collection(const char *name, char collection[CCACHE_NAME_MAX])
{
    (void)name;
    (void)snprintf(collection, CCACHE_NAME_MAX, "KCM:");
}

static void
kcm_pattern(const char *name, char pattern[CCACHE_NAME_MAX])
{
    (void)name;
    (void)snprintf(pattern, CCACHE_NAME_MAX, "KCM:%u:" CCACHE_RANDOM,
                   (unsigned int)geteuid());
}

static bool
kcm_is_of_session(const char *name)
{
    (void)name;
    return false;
}

const struct ccache_kind ccache_kind_kcm = {
    .prefix = "KCM",
    .check = kcm_check,
    .collection = kcm_collection,
    .is_collection = kcm_is_collection,
    .primary = ccache_store_primary,
    .pattern = kcm_pattern,
    .is_of_session = kcm_is_of_session,
    .claim = ccache_store_claim,
    .unclaim = ccache_store_unclaim,
    .inspect = ccache_store_inspect,
    .replace = ccache_store_replace,
    .destroy = ccache_store_destroy,
};
