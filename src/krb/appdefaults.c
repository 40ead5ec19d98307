/* Our options in krb5.conf. */
#include "krb/appdefaults.h"

#include <errno.h>
#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/foreign.h"

/* The options that are being completed from krb5.conf. */
struct completion {
    struct krb *krb;
    struct options *options;
    const char *service;
    const krb5_data *realm; /* NULL = there is none */
};

/*
 * Takes VALUE of krb5.conf for NAME.  0 or -ENOMEM; what is not legal is said
 * and left.
 */
static int
take_appdefault(struct completion *completion, const char *name,
                const char *value)
{
    const struct krb *krb = completion->krb;
    struct options *options = completion->options;
    int64_t timeout = options->timeout;
    char text[1024];
    int status = 0;

    if (snprintf(text, sizeof(text), "%s=%s", name, value) >=
        (int)sizeof(text)) {
        status = -ERANGE;
    } else {
        status = options_set_for_service(options, text, completion->service);
    }
    if (status == -ENOMEM) {
        return status;
    }
    if (status == -ENOTSUP) {
        log_line(krb->log, LOG_LEVEL_ERROR,
                 "krb5.conf, [appdefaults]: %s is not supported: %s", name,
                 options_advice(text));
    } else if (status < 0) {
        log_line(krb->log, LOG_LEVEL_ERROR,
                 "krb5.conf, [appdefaults]: %s is not a legal value of %s: "
                 "ignored",
                 value, name);
    }
    /* Who may write krb5.conf may not make a login hang longer. */
    if (options->timeout > timeout) {
        options->timeout = timeout;
    }
    return 0;
}

/* Takes what krb5.conf has of NAME, where it has something. */
static int
complete_option(struct completion *completion, const char *name)
{
    char *value = NULL;
    int status = 0;

    krb5_appdefault_string(completion->krb->context, "pam", completion->realm,
                           name, "", &value);
    if (value != NULL && *value != '\0') {
        status = take_appdefault(completion, name, value);
    }
    krb5_free_string(completion->krb->context, value);
    return status;
}

/* The rows of our own table. */
static int
complete_rows(struct completion *completion)
{
    size_t count = 0;
    const struct option *rows = options_table(&count);
    uint64_t given = completion->options->given;
    int status = 0;

    for (size_t i = 0; i < count && status == 0; i++) {
        bool is_both = rows[i].is_list || strcmp(rows[i].name, "timeout") == 0;

        if (rows[i].in_krb5_conf && ((given >> i & 1) == 0 || is_both)) {
            status = complete_option(completion, rows[i].name);
        }
    }
    return status;
}

/*
 * What the section of PATH, which ends with a place for NAME, has of NAME.
 * *VALUE stays where it has nothing.
 */
static void
look_up(profile_t profile, const char *path[], size_t last, const char *name,
        char **value)
{
    char **values = NULL;

    path[last] = name;
    if (profile_get_values(profile, path, &values) == 0) {
        free(*value);
        *value = strdup(values[0]);
        profile_free_list(values);
    }
}

/*
 * What the `pam` section has of NAME; free it.  Not the top level: another
 * module's names may be other programs' there.
 */
static char *
pam_section_value(const struct completion *completion, profile_t profile,
                  const char *name)
{
    const char *of_all[] = {"appdefaults", "pam", NULL, NULL};
    const char *of_realm[] = {"appdefaults", "pam", NULL, NULL, NULL};
    char *value = NULL;

    look_up(profile, of_all, 2, name, &value);
    if (completion->realm != NULL) {
        of_realm[2] = completion->realm->data;
        look_up(profile, of_realm, 3, name, &value);
    }
    return value;
}

/* What other modules call them, where they have not been given by now. */
static int
complete_foreign(struct completion *completion)
{
    size_t count = 0;
    const struct foreign *others = foreign_table(&count);
    profile_t profile = NULL;
    int status = 0;

    if (krb5_get_profile(completion->krb->context, &profile) != 0) {
        return 0;
    }
    for (size_t i = 0; i < count && status == 0; i++) {
        char *value = NULL;

        if (others[i].row == NULL ||
            !options_gives(completion->options, others[i].row)) {
            value = pam_section_value(completion, profile, others[i].name);
        }
        if (value != NULL) {
            status = take_appdefault(completion, others[i].name, value);
        }
        free(value);
    }
    profile_release(profile);
    return status;
}

int
appdefaults_complete(struct krb *krb, struct options *options,
                     const char *service)
{
    krb5_data realm = {0, 0, NULL};
    struct completion completion = {
        .krb = krb, .options = options, .service = service};
    char *default_realm = NULL;
    int status = 0;

    if (options->realm != NULL) {
        realm.data = options->realm;
    } else if (krb5_get_default_realm(krb->context, &default_realm) == 0) {
        realm.data = default_realm;
    }
    if (realm.data != NULL) {
        realm.length = (unsigned int)strlen(realm.data);
        completion.realm = &realm;
    }
    status = complete_rows(&completion);
    if (status == 0) {
        status = complete_foreign(&completion);
    }
    krb5_free_default_realm(krb->context, default_realm);
    krb->call_limit_s = options->timeout;
    return status;
}

/* Where the options of PAM modules are. */
struct review {
    struct krb *krb;
    struct options options; /* what is taken to see whether it is taken */
    profile_t profile;
};

/* Says what is the matter with NAME = VALUE, where completing said nothing. */
static void
review_relation(struct review *review, const char *name, const char *value)
{
    const struct log *log = review->krb->log;
    char text[1024];
    int status = 0;

    if (snprintf(text, sizeof(text), "%s=%s", name, value) >=
        (int)sizeof(text)) {
        return;
    }
    status = options_set(&review->options, OPTION_FROM_KRB5_CONF, text);
    if (status == -ENOENT &&
        options_set(&review->options, OPTION_FROM_ARGUMENT, text) != -ENOENT) {
        log_line(log, LOG_LEVEL_NOTICE,
                 "krb5.conf, [appdefaults], pam: %s has no effect here: it is "
                 "an argument in the PAM stack only",
                 name);
    } else if (status == -ENOENT) {
        log_line(log, LOG_LEVEL_NOTICE,
                 "krb5.conf, [appdefaults], pam: there is no option %s", name);
    } else if (status == -EINVAL &&
               options_set_for_service(&review->options, text, "") == 0) {
        log_line(log, LOG_LEVEL_NOTICE,
                 "krb5.conf, [appdefaults], pam: %s = %s is a list of "
                 "services: true for these, false for all others",
                 name, value);
    }
}

/*
 * Reviews what PATH, a section, has; SECTION, where it is not NULL, with what
 * its own sections, the realms, have.
 */
static void
review_section(struct review *review, const char *const *path,
               void (*section)(struct review *review, const char *name))
{
    void *iterator = NULL;
    char *name = NULL;
    char *value = NULL;
    int flags = PROFILE_ITER_LIST_SECTION;

    if (profile_iterator_create(review->profile, path, flags, &iterator) != 0) {
        return;
    }
    while (iterator != NULL &&
           profile_iterator(&iterator, &name, &value) == 0 && name != NULL) {
        if (value != NULL) {
            review_relation(review, name, value);
        } else if (section != NULL) {
            section(review, name);
        }
        profile_release_string(name);
        profile_release_string(value);
    }
    if (iterator != NULL) {
        profile_iterator_free(&iterator);
    }
}

static void
review_realm(struct review *review, const char *realm)
{
    const char *const path[] = {"appdefaults", "pam", realm, NULL};

    review_section(review, path, NULL);
}

void
appdefaults_review(struct krb *krb)
{
    static const char *const path[] = {"appdefaults", "pam", NULL};
    struct review review = {.krb = krb};

    if (options_init(&review.options) == 0) {
        if (krb5_get_profile(krb->context, &review.profile) == 0) {
            review_section(&review, path, review_realm);
            profile_release(review.profile);
        }
        options_free(&review.options);
    }
}
