/*
 * What other Kerberos modules for PAM call their options: Red Hat's pam_krb5
 * and FreeBSD's.  Each name is another one's for a row of base/options, or one
 * that nothing here corresponds to, with a word about what to do instead.
 * Pure.
 */
#ifndef BASE_FOREIGN_H
#define BASE_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

enum foreign_kind {
    FOREIGN_SAME,     /* another name of a row */
    FOREIGN_OPPOSITE, /* the same of a flag that means the opposite */
    FOREIGN_TEMPLATE, /* a name of a cache with tokens of its own */
    FOREIGN_ALWAYS,   /* a flag that is always true here */
    FOREIGN_NEVER,    /* one that is always false */
    FOREIGN_NONE      /* nothing here corresponds to it */
};

struct foreign {
    const char *name;
    const char *whose;
    enum foreign_kind kind;
    bool is_no_list;    /* of services in krb5.conf: a slip would let more in */
    const char *row;    /* which one, NULL for ALWAYS, NEVER and NONE */
    const char *advice; /* of ALWAYS and NEVER (else than so) and NONE */
};

/* The table, sorted by name. */
const struct foreign *foreign_table(size_t *count_out);

/* The entry of NAME, of LENGTH bytes, or NULL. */
const struct foreign *foreign_find(const char *name, size_t length);

/*
 * Translates TEXT, a ccname_template of Red Hat's, into a template of ours; %d
 * is DIRECTORY.  0 and *TEMPLATE_OUT, which is the caller's to free; -EINVAL
 * for a token that has no counterpart, -ENOMEM.
 */
int foreign_template(const char *text, const char *directory,
                     char **template_out);

#endif
