/* Users and principals. */
#include "krb/names.h"

#include <errno.h>
#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest local name, and the longest of a principal, that are made. */
#define LOCAL_NAME_MAX 256
#define NAME_MAX_LENGTH 1024

/* Where the realm of NAME begins, at its @; NULL: it names none. */
static const char *
find_realm(const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '\\' && name[1] != '\0') {
            name++;
        } else if (*name == '@') {
            return name;
        }
    }
    return NULL;
}

bool
names_has_realm(const char *user)
{
    return find_realm(user) != NULL;
}

/* Makes `realm` the default one, for all that libkrb5 decides by it. */
static enum outcome
use_realm(struct krb *krb, const struct options *options)
{
    krb5_error_code code = 0;

    if (options->realm != NULL) {
        code = krb5_set_default_realm(krb->context, options->realm);
    }
    return code == 0 ? OUTCOME_SUCCESS
                     : krb_failed(krb, code, "cannot use the realm");
}

/* What CODE of krb5_parse_name stands for. */
static enum outcome
no_principal(struct krb *krb, krb5_error_code code)
{
    if (code == KRB5_CONFIG_NODEFREALM) {
        return krb_refuse(krb, OUTCOME_CONFIGURATION,
                          "no default_realm: krb5.conf is missing or "
                          "does not set it");
    }
    return krb_refuse(
        krb, code == ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_UNKNOWN_PRINCIPAL,
        "the user's name is no principal");
}

/* The principal of NAME, of REALM (NULL: the default one) if it names none. */
static enum outcome
parse(struct krb *krb, const char *name, const char *realm,
      krb5_principal *principal_out)
{
    bool lacks_realm = realm != NULL && !names_has_realm(name);
    krb5_principal principal = NULL;
    krb5_error_code code = krb5_parse_name_flags(
        krb->context, name, lacks_realm ? KRB5_PRINCIPAL_PARSE_NO_REALM : 0,
        &principal);

    if (code == 0 && lacks_realm) {
        code = krb5_set_principal_realm(krb->context, principal, realm);
    }
    if (code != 0) {
        krb5_free_principal(krb->context, principal);
        return no_principal(krb, code);
    }
    if (principal->realm.length == 0) {
        krb5_free_principal(krb->context, principal);
        return krb_refuse(krb, OUTCOME_UNKNOWN_PRINCIPAL,
                          "the user's name has an empty realm");
    }
    *principal_out = principal;
    return OUTCOME_SUCCESS;
}

enum outcome
names_principal(struct krb *krb, const char *user,
                const struct options *options, krb5_principal *principal_out)
{
    enum outcome outcome = use_realm(krb, options);

    *principal_out = NULL;
    return outcome == OUTCOME_SUCCESS
               ? parse(krb, user, options->user_realm, principal_out)
               : outcome;
}

/* A principal's name, as it is being put together. */
struct draft {
    char text[NAME_MAX_LENGTH];
    size_t length;
    bool is_too_long;
};

static void
append(struct draft *draft, const char *text, size_t length)
{
    if (length >= sizeof(draft->text) - draft->length) {
        draft->is_too_long = true;
        return;
    }
    memcpy(draft->text + draft->length, text, length);
    draft->length += length;
    draft->text[draft->length] = '\0';
}

/* What MAP makes of USER. */
static void
map_user(struct draft *draft, const char *map, const char *user)
{
    const char *realm = find_realm(user);
    size_t length = realm == NULL ? strlen(user) : (size_t)(realm - user);

    for (const char *next = map; *next != '\0'; next++) {
        if (next[0] == '%' && next[1] == 's') {
            append(draft, user, length);
            next++;
        } else {
            append(draft, next, 1);
        }
    }
    if (realm != NULL && find_realm(map) == NULL) {
        append(draft, realm, strlen(realm));
    }
}

enum outcome
names_mapped(struct krb *krb, const char *user, const struct options *options,
             krb5_principal *principal_out)
{
    struct draft draft = {0};
    enum outcome outcome = use_realm(krb, options);

    *principal_out = NULL;
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    map_user(&draft, options->alt_auth_map, user);
    if (draft.is_too_long) {
        return krb_refuse(krb, OUTCOME_UNKNOWN_PRINCIPAL,
                          "the user's name is too long for alt_auth_map");
    }
    return parse(krb, draft.text, NULL, principal_out);
}

char *
names_local(struct krb *krb, krb5_const_principal principal)
{
    char name[LOCAL_NAME_MAX];

    return krb5_aname_to_localname(krb->context, principal, (int)sizeof(name),
                                   name) == 0
               ? strdup(name)
               : NULL;
}

char *
names_k5login_path(struct krb *krb, const char *user, const char *home)
{
    profile_t profile = NULL;
    char *directory = NULL;
    char *path = NULL;
    int length = -1;

    if (krb5_get_profile(krb->context, &profile) != 0) {
        return NULL;
    }
    if (profile_get_string(profile, "libdefaults", "k5login_directory", NULL,
                           NULL, &directory) == 0) {
        length = directory == NULL ? asprintf(&path, "%s/.k5login", home)
                                   : asprintf(&path, "%s/%s", directory, user);
        profile_release_string(directory);
    }
    profile_release(profile);
    return length < 0 ? NULL : path;
}
