/*
 * KEYRING caches: a keyring of the kernel's for each cache, a key for each
 * entry; storing an entry replaces its like in one step.  A name is
 * KEYRING:ANCHOR:COLLECTION:CACHE or KEYRING:ANCHOR:COLLECTION; KEYRING:NAME
 * is the collection NAME of the anchor "legacy".
 *
 * The anchors "session" and "legacy" are the session keyring.  It is used only
 * where it is the user's: one that root owns shows its tickets to whoever
 * inherits it.  "process" and "thread" would end with this process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/keyctl.h>

#include "base/ccname.h"
#include "krb/ccache_kind.h"

#define MEMBER_PREFIX "krb5cc_"

/* A name taken apart: where each part begins, and how long it is. */
struct parts {
    const char *anchor;
    int anchor_length;
    const char *collection;
    int collection_length;
    const char *cache; /* NULL = a collection */
};

static struct parts
take_apart(const char *name)
{
    static const char legacy[] = "legacy";
    const char *residual = name + strlen("KEYRING:");
    struct parts parts = {.anchor = legacy,
                          .anchor_length = sizeof(legacy) - 1,
                          .collection = residual};
    const char *colon = strchr(residual, ':');

    if (colon != NULL) {
        parts.anchor = residual;
        parts.anchor_length = (int)(colon - residual);
        parts.collection = colon + 1;
        colon = strchr(parts.collection, ':');
        parts.cache = colon == NULL ? NULL : colon + 1;
    }
    parts.collection_length = colon == NULL || parts.cache == NULL
                                  ? (int)strlen(parts.collection)
                                  : (int)(colon - parts.collection);
    return parts;
}

static bool
is_anchor(const struct parts *parts, const char *name)
{
    return (int)strlen(name) == parts->anchor_length &&
           strncmp(parts->anchor, name, strlen(name)) == 0;
}

/* A description is at most a page; what is before it is short. */
#define DESCRIBED_MAX (4096 + 256)

/* Who owns this process's session keyring; -errno where none can be used. */
static int64_t
session_owner(void)
{
    char text[DESCRIBED_MAX] = "";
    long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
                          KEY_SPEC_SESSION_KEYRING, 0L, 0L, 0L);
    long length = serial < 0 ? -1
                             : syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial,
                                       text, sizeof(text) - 1, 0L);
    const char *uid = NULL;

    if (length < 0) {
        return -errno;
    }
    /* TYPE;UID;GID;PERMISSIONS;DESCRIPTION */
    uid = strchr(text, ';');
    return uid == NULL ? -EINVAL : strtoll(uid + 1, NULL, 10);
}

static enum outcome
check_session(struct krb *krb)
{
    int64_t owner = session_owner();

    if (owner == (int64_t)geteuid()) {
        return OUTCOME_SUCCESS;
    }
    if (owner == -ENOMEM) {
        /* It may be there: what is in it is not gone. */
        return krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    if (owner < 0) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE,
                          "there is no session keyring");
    }
    return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE,
                      "the session keyring is uid %lld's: put pam_keyinit "
                      "before pam_krb5cc in the session stack",
                      (long long)owner);
}

static enum outcome
keyring_check(struct krb *krb, const char *name)
{
    struct parts parts = take_apart(name);

    if (is_anchor(&parts, "process") || is_anchor(&parts, "thread")) {
        return krb_refuse(krb, OUTCOME_CACHE_KIND,
                          "%s: would end with the process that makes "
                          "it",
                          name);
    }
    if (!is_anchor(&parts, "persistent") && !is_anchor(&parts, "user") &&
        !ccname_is_in_session_keyring(name)) {
        return krb_refuse(krb, OUTCOME_CACHE_KIND,
                          "%s: not a keyring that libkrb5 knows", name);
    }
    if ((parts.collection_length == 0 && !is_anchor(&parts, "persistent")) ||
        (parts.cache != NULL &&
         (*parts.cache == '\0' || strchr(parts.cache, ':') != NULL))) {
        return krb_refuse(krb, OUTCOME_CACHE_KIND,
                          "%s: not the name of a cache", name);
    }
    return ccname_is_in_session_keyring(name) ? check_session(krb)
                                              : OUTCOME_SUCCESS;
}

static bool
keyring_is_collection(const char *name)
{
    return take_apart(name).cache == NULL;
}

/* "KEYRING:ANCHOR:COLLECTION" of NAME, and END, into COMPOSED. */
static void
compose(const char *name, const char *end, char composed[CCACHE_NAME_MAX])
{
    struct parts parts = take_apart(name);
    char uid[16];
    int length = 0;

    if (parts.collection_length == 0) {
        parts.collection_length =
            snprintf(uid, sizeof(uid), "%u", (unsigned int)geteuid());
        parts.collection = uid;
    }
    length = snprintf(composed, CCACHE_NAME_MAX, "KEYRING:%.*s:%.*s%s",
                      parts.anchor_length, parts.anchor,
                      parts.collection_length, parts.collection, end);
    if (length >= CCACHE_NAME_MAX) {
        *composed = '\0';
    }
}

static void
keyring_collection(const char *name, char collection[CCACHE_NAME_MAX])
{
    compose(name, "", collection);
}

static void
keyring_pattern(const char *name, char pattern[CCACHE_NAME_MAX])
{
    compose(name, ":" MEMBER_PREFIX CCACHE_RANDOM, pattern);
}

const struct ccache_kind ccache_kind_keyring = {
    .prefix = "KEYRING",
    .check = keyring_check,
    .collection = keyring_collection,
    .is_collection = keyring_is_collection,
    .primary = ccache_store_primary,
    .pattern = keyring_pattern,
    .is_of_session = ccname_is_in_session_keyring,
    .claim = ccache_store_claim,
    .unclaim = ccache_store_unclaim,
    .inspect = ccache_store_inspect,
    .replace = ccache_store_replace,
    .destroy = ccache_store_destroy,
};
