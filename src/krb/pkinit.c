/*
 * PKINIT left out, or without a certificate.  krb5.conf(5) can do both; here it
 * is done for one context, which reads krb5.conf through a profile that says so
 * besides.
 */
#include "krb/pkinit.h"

#include <errno.h>
#include <profile.h>
#include <stdlib.h>
#include <string.h>

#include "krb/preauth.h"

/* What libkrb5 asks for which plugins are left out, and what it is told. */
static const char *const disable_path[] = {"plugins", "clpreauth", "disable",
                                           NULL};
static char pkinit[] = "pkinit";
static char *disabled[] = {pkinit, NULL};

/* The relation that names certificates, for all or in a realm's section. */
static const char identities[] = "pkinit_identities";

static bool
is_disable_path(const char *const *path)
{
    size_t i = 0;

    while (path[i] != NULL && disable_path[i] != NULL &&
           strcmp(path[i], disable_path[i]) == 0) {
        i++;
    }
    return path[i] == NULL && disable_path[i] == NULL;
}

static bool
ends_in_identities(const char *const *path)
{
    size_t length = 0;

    while (path[length] != NULL) {
        length++;
    }
    return length > 0 && strcmp(path[length - 1], identities) == 0;
}

/*
 * The functions of the profiles (struct profile_vtable of profile.h); DATA is
 * the one of krb5.conf.
 */

static long
get_values_without_plugin(void *data, const char *const *path,
                          char ***values_out)
{
    if (is_disable_path(path)) {
        *values_out = disabled;
        return 0;
    }
    return profile_get_values(data, path, values_out);
}

static long
get_values_without_certificate(void *data, const char *const *path,
                               char ***values_out)
{
    return ends_in_identities(path)
               ? PROF_NO_RELATION
               : profile_get_values(data, path, values_out);
}

static void
free_values(void *data, char **values)
{
    (void)data;
    if (values != disabled) {
        profile_free_list(values);
    }
}

/* profile_iterator takes what it iterates with away at the end. */
struct iterator {
    void *inner;
};

static long
create_iterator(void *data, const char *const *path, int flags,
                void **iterator_out)
{
    struct iterator *iterator = calloc(1, sizeof(*iterator));
    long code = iterator == NULL ? ENOMEM
                                 : profile_iterator_create(data, path, flags,
                                                           &iterator->inner);

    if (code != 0) {
        free(iterator);
        iterator = NULL;
    }
    *iterator_out = iterator;
    return code;
}

static long
iterate(void *data, void *iterator, char **name_out, char **value_out)
{
    struct iterator *of = iterator;

    (void)data;
    return profile_iterator(&of->inner, name_out, value_out);
}

static void
free_iterator(void *data, void *iterator)
{
    struct iterator *of = iterator;

    (void)data;
    if (of->inner != NULL) {
        profile_iterator_free(&of->inner);
    }
    free(of);
}

static void
free_string(void *data, char *text)
{
    (void)data;
    profile_release_string(text);
}

/* Whether PROFILE may have the relation that PATH names: it does not say no. */
static bool
may_have(profile_t profile, const char *const *path)
{
    char **values = NULL;
    long code = profile_get_values(profile, path, &values);

    profile_free_list(values);
    return code != PROF_NO_RELATION && code != PROF_NO_SECTION;
}

/* The same of certificates in SECTION, for all or in a realm's part of it. */
static bool
may_name_certificates(profile_t profile, const char *section)
{
    const char *const path[] = {section, identities, NULL};
    const char *parent[] = {section, NULL};
    char **realms = NULL;
    bool names_any = may_have(profile, path);
    long code = profile_get_subsection_names(profile, parent, &realms);

    if (code != 0) {
        return names_any || code != PROF_NO_SECTION;
    }
    for (size_t i = 0; realms[i] != NULL && !names_any; i++) {
        const char *const inner[] = {section, realms[i], identities, NULL};

        names_any = may_have(profile, inner);
    }
    profile_free_list(realms);
    return names_any;
}

/* Whether the administrator may have chosen among the plugins himself. */
static bool
may_choose_plugins(profile_t profile)
{
    static const char *const relations[] = {"disable", "enable_only", "module"};
    bool chooses = false;

    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
        const char *const path[] = {"plugins", "clpreauth", relations[i], NULL};

        chooses |= may_have(profile, path);
    }
    return chooses;
}

/* A context that reads PROFILE with the help of GET_VALUES; NULL: none. */
static krb5_context
make_context(profile_t profile, profile_get_values_fn get_values)
{
    struct profile_vtable functions = {
        .minor_ver = 1,
        .get_values = get_values,
        .free_values = free_values,
        .iterator_create = create_iterator,
        .iterator = iterate,
        .iterator_free = free_iterator,
        .free_string = free_string,
    };
    profile_t without = NULL;
    krb5_context context = NULL;

    if (profile_init_vtable(&functions, profile, &without) != 0) {
        return NULL;
    }
    if (krb5_init_context_profile(without, 0, &context) != 0) {
        context = NULL;
    }
    profile_release(without);
    return context;
}

void
pkinit_leave_out(struct krb *krb, const struct options *options)
{
    profile_t profile = NULL;
    krb5_context context = NULL;

    if (krb->context == NULL || options->anon_fast ||
        preauth_wants_pkinit(options) ||
        krb5_get_profile(krb->context, &profile) != 0) {
        return;
    }
    if (!may_choose_plugins(profile) &&
        !may_name_certificates(profile, "libdefaults") &&
        !may_name_certificates(profile, "realms")) {
        context = make_context(profile, get_values_without_plugin);
    }
    if (context == NULL) {
        profile_release(profile);
        return;
    }
    krb_replace_context(krb, context, profile);
    log_line(krb->log, LOG_LEVEL_DEBUG,
             "libkrb5's PKINIT is left out: there is no try_pkinit, use_pkinit "
             "or anon_fast, and no pkinit_identities in krb5.conf");
}

bool
pkinit_forget(struct krb *krb)
{
    profile_t profile = NULL;
    krb5_context context = NULL;

    /* A context that was replaced already has no certificate. */
    if (krb->profile != NULL || krb5_get_profile(krb->context, &profile) != 0) {
        return false;
    }
    context = make_context(profile, get_values_without_certificate);
    if (context == NULL) {
        profile_release(profile);
        return false;
    }
    return krb_move(krb, context, profile) == OUTCOME_SUCCESS;
}
