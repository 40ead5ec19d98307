/* The options of other modules. */
#include "base/foreign.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FREEBSD "FreeBSD"
#define RED_HAT "Red Hat"

#define SAME(option, origin, ours)                                             \
    {                                                                          \
        .name = (option), .whose = (origin), .kind = FOREIGN_SAME,             \
        .row = (ours)                                                          \
    }
#define OPPOSITE(option, origin, ours)                                         \
    {                                                                          \
        .name = (option), .whose = (origin), .kind = FOREIGN_OPPOSITE,         \
        .row = (ours)                                                          \
    }
#define OPPOSITE_NO_LIST(option, origin, ours)                                 \
    {                                                                          \
        .name = (option), .whose = (origin), .kind = FOREIGN_OPPOSITE,         \
        .is_no_list = true, .row = (ours)                                      \
    }
#define TEMPLATE(option, origin, ours)                                         \
    {                                                                          \
        .name = (option), .whose = (origin), .kind = FOREIGN_TEMPLATE,         \
        .row = (ours)                                                          \
    }
#define ALWAYS(option, origin, words)                                          \
    {                                                                          \
        .name = (option), .whose = (origin), .kind = FOREIGN_ALWAYS,           \
        .advice = (words)                                                      \
    }
#define NEVER(option, origin, words)                                           \
    {                                                                          \
        .name = (option), .whose = (origin), .kind = FOREIGN_NEVER,            \
        .advice = (words)                                                      \
    }
#define NONE(option, origin, words)                                            \
    {                                                                          \
        .name = (option), .whose = (origin), .kind = FOREIGN_NONE,             \
        .advice = (words)                                                      \
    }

#define NO_AFS "AFS tokens are pam_afs_session's business"
#define NO_KRB4 "there is no Kerberos 4 any more; remove it"
#define REMOVE "it is not needed here; remove it"
#define LIBDEFAULTS(name) "set " name " in [libdefaults] of krb5.conf"

static const struct foreign table[] = {
    NONE("addressless", RED_HAT, LIBDEFAULTS("noaddresses")),
    NONE("afs_cells", RED_HAT, NO_AFS),
    NONE("always_allow_localname", RED_HAT,
         "list the principal in ~/.k5login, or use ignore_k5login"),
    NONE("canonicalize", RED_HAT, LIBDEFAULTS("canonicalize")),
    TEMPLATE("ccname_template", RED_HAT, "ccache"),
    OPPOSITE("chpw_prompt", RED_HAT, "defer_pwchange"),
    NONE("cred_session", RED_HAT, REMOVE),
    NEVER("debug_sensitive", RED_HAT, "passwords are never logged; remove it"),
    NEVER("existing_ticket", RED_HAT,
          "a ticket in a cache is no proof of who somebody is; remove it"),
    NONE("external", RED_HAT,
         "a cache that the host puts into KRB5CCNAME is left alone as it is; "
         "remove it"),
    NONE("hosts", RED_HAT, LIBDEFAULTS("extra_addresses")),
    NONE("ignore_afs", RED_HAT, NO_AFS),
    SAME("ignore_unknown_spn", RED_HAT, "ignore_unknown_principals"),
    SAME("ignore_unknown_upn", RED_HAT, "ignore_unknown_principals"),
    OPPOSITE("initial_prompt", RED_HAT, "no_prompt"),
    NEVER("krb4_convert", RED_HAT, NO_KRB4),
    NEVER("krb4_convert_524", RED_HAT, NO_KRB4),
    NEVER("krb4_use_as_req", RED_HAT, NO_KRB4),
    NONE("mappings", RED_HAT,
         "use alt_auth_map, and auth_to_local in krb5.conf"),
    NONE("multiple_ccaches", RED_HAT,
         "each session has a cache of its own; remove it"),
    SAME("no_warn", FREEBSD, "silent"),
    NONE("null_afs", RED_HAT, NO_AFS),
    NONE("pkinit_flags", RED_HAT, "use preauth_opt"),
    SAME("pkinit_identity", RED_HAT, "pkinit_user"),
    SAME("preauth_options", RED_HAT, "preauth_opt"),
    NONE("proxiable", RED_HAT, LIBDEFAULTS("proxiable")),
    NONE("pwhelp", RED_HAT, "put pam_echo.so before this module"),
    NONE("renewable", RED_HAT, "use renew_lifetime"),
    NONE("subsequent_prompt", RED_HAT,
         "whatever is asked is put to the user; remove it"),
    NONE("token_strategy", RED_HAT, NO_AFS),
    NONE("tokens", RED_HAT, NO_AFS),
    NEVER("unsecure_for_debugging_only", RED_HAT,
          "a cache belongs to its user alone; remove it"),
    NONE("use_shmem", RED_HAT, REMOVE),
    OPPOSITE_NO_LIST("user_check", RED_HAT, "no_user_check"),
    ALWAYS(
        "validate", RED_HAT,
        "with a host key in the keytab the KDC is always verified: see to it "
        "that it is the right one"),
    NONE("validate_user_user", RED_HAT, "give the host a keytab"),
    NONE("warn", RED_HAT,
         "a password about to expire is always said; silent says nothing"),
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

const struct foreign *
foreign_table(size_t *count_out)
{
    *count_out = TABLE_COUNT;
    return table;
}

const struct foreign *
foreign_find(const char *name, size_t length)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strlen(table[i].name) == length &&
            strncmp(table[i].name, name, length) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

/* What the token %LETTER of Red Hat's is here, or NULL. */
static const char *
token(char letter, const char *directory)
{
    switch (letter) {
    case 'u':
        return "%{username}";
    case 'U':
        return "%{uid}";
    case 'P':
        return "%p";
    case 'd':
        return directory;
    default:
        return NULL;
    }
}

int
foreign_template(const char *text, const char *directory, char **template_out)
{
    char *template = strdup("");

    for (const char *next = text; template != NULL && *next != '\0'; next++) {
        char plain[2] = {*next, '\0'};
        const char *piece = plain;
        char *longer = NULL;

        if (*next == '%') {
            next++;
            piece = token(*next, directory);
        }
        if (piece == NULL) {
            free(template);
            return -EINVAL;
        }
        if (asprintf(&longer, "%s%s", template, piece) < 0) {
            longer = NULL;
        }
        free(template);
        template = longer;
    }
    if (template == NULL) {
        return -ENOMEM;
    }
    *template_out = template;
    return 0;
}
