/*
 * Names made from templates, such as FILE:/tmp/krb5cc_%{uid}_XXXXXX.  Knows
 * the tokens and where the random part goes, not what the name is for.
 */
#ifndef BASE_EXPAND_H
#define BASE_EXPAND_H

#include <stdbool.h>
#include <stdint.h>

/* What the tokens stand for. */
struct expand_values {
    uint64_t uid;        /* %u and %{uid} */
    uint64_t pid;        /* %p */
    const char *user;    /* %{username} */
    const char *service; /* %{service} */
};

/* The longest name that is made. */
#define EXPAND_MAX 4000

/* How many X at the end of a template are replaced by random characters. */
#define EXPAND_RANDOM_LENGTH 6

/*
 * The name that TEMPLATE gives with VALUES, its final XXXXXX (where it has
 * one) replaced by random letters and digits from getrandom(2), one more of
 * them behind a dot: NAME.XXXXXX is libkrb5's temporary file.  *NAME_OUT is the
 * caller's.  0, -EINVAL (an unknown token, a % at the end, a value with a
 * slash, a colon or a control character in it or that is "." or ".."),
 * -ENAMETOOLONG above EXPAND_MAX, -ENOMEM, or -errno of getrandom.
 */
int expand_template(const char *template, const struct expand_values *values,
                    char **name_out);

/*
 * The same of PATTERN, in which % has no meaning and which must end in XXXXXX
 * (else -EINVAL).
 */
int expand_pattern(const char *pattern, char **name_out);

/* Whether TEMPLATE ends in XXXXXX: each expansion is then another name. */
bool expand_is_unique(const char *template);

#endif
