/*
 * The options: one table says each one's name, type, default, range and where
 * it may stand.  Parsing is pure: text in, struct out; where the text comes
 * from (PAM arguments, krb5.conf, a message) is the caller's business.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum option_type {
    OPTION_FLAG,   /* name, name=true, name=false (yes/no/on/off/1/0) */
    OPTION_NUMBER, /* name=N, a decimal number within the row's range */
    OPTION_TEXT,   /* name=TEXT, not empty */
};

enum option_source {
    OPTION_FROM_ARGUMENT, /* the line of the PAM configuration */
    OPTION_FROM_KRB5_CONF /* [appdefaults] */
};

/* One row of the table. */
struct option {
    const char *name;
    enum option_type type;
    size_t offset;        /* of its field in struct options */
    const char *fallback; /* the default, as it would be written; or NULL */
    int64_t minimum;      /* of a number */
    int64_t maximum;
    bool is_path;      /* of a text: it must be an absolute path */
    bool may_be_empty; /* of a text: "name=" is a value */
    bool is_list;      /* of a text: each is added, a newline between two */
    bool in_krb5_conf; /* may stand in [appdefaults] too */
    const char *help;  /* one line, as in the manual page */
};

/* What is asked for.  Texts are owned, NULL where not given. */
struct options {
    bool allow_kdc_spoof;
    char *alt_auth_map;
    bool anon_fast;
    char *banner;
    char *ccache;
    char *ccache_dir;
    bool clear_on_fail;
    bool debug;
    bool defer_pwchange;
    bool expose_account;
    bool fail_pwchange;
    char *fast_ccache;
    bool force_alt_auth;
    bool force_first_pass;
    bool force_pwchange;
    bool forwardable;
    char *helper;
    bool ignore_k5login;
    bool ignore_root;
    bool ignore_unknown_principals;
    char *keytab;
    int64_t minimum_uid;
    bool no_ccache;
    bool no_prompt;
    bool no_update_user;
    bool no_user_check;
    bool only_alt_auth;
    char *pkinit_anchors;
    bool pkinit_prompt;
    char *pkinit_user;
    char *preauth_opt; /* a list */
    bool prompt_principal;
    char *realm;
    char *renew_lifetime;
    bool retain_after_close;
    char *runtime_dir;
    bool search_k5login;
    bool silent;
    int64_t stash_lifetime; /* seconds */
    char *state_dir;
    char *ticket_lifetime;
    int64_t timeout; /* seconds */
    char *trace;
    bool try_first_pass;
    bool try_pkinit;
    bool use_authtok;
    bool use_first_pass;
    bool use_pkinit;
    char *user_realm;

    /* Bit N: row N of the table was given, whatever its value. */
    uint64_t given;
};

/* The table, sorted by name, and how many rows it has. */
const struct option *options_table(size_t *count_out);

/* Sets every field to its default.  0 or -ENOMEM; then nothing is owned. */
int options_init(struct options *options);

/* Frees what OPTIONS owns. */
void options_free(struct options *options);

/*
 * Takes TEXT ("name" or "name=value") from SOURCE into OPTIONS; the later of
 * two wins, but for a list: there an argument comes behind those before it, and
 * krb5.conf's words (it has several, blanks between) before all arguments.
 * The name may be another module's (base/foreign), that of a flag
 * may have no, not or dont in front.  0, -ENOENT (no such option, or not from
 * there), -ENOTSUP (another module's, and nothing here corresponds to it:
 * options_advice), -EINVAL (a value that the type does not have), -ERANGE,
 * -ENOMEM.  On failure OPTIONS is as it was.
 */
int options_set(struct options *options, enum option_source source,
                const char *text);

/*
 * The same from krb5.conf, where a flag may also be a list of the services that
 * it is true for; SERVICE is the present one.
 */
int options_set_for_service(struct options *options, const char *text,
                            const char *service);

/* What to do instead of TEXT, that was -ENOTSUP; not owned, may be "". */
const char *options_advice(const char *text);

/*
 * Takes over from COMPLETED, the options as krb5.conf completes them, what may
 * stand there and was not given in OPTIONS; `timeout` only where it is shorter.
 * No list: krb5.conf's part of it is added for each request anew.
 * 0 or -ENOMEM.
 */
int options_complete(struct options *options, const struct options *completed);

/*
 * Whether OPTIONS exclude the user NAME (NULL = not known), who has the account
 * UID where HAS_ACCOUNT: by ignore_root or minimum_uid.
 */
bool options_exclude_user(const struct options *options, const char *name,
                          bool has_account, uint64_t uid);

/* Whether the option NAME was given, by whomever. */
bool options_gives(const struct options *options, const char *name);

/* The same of row INDEX of the table. */
bool options_is_given(const struct options *options, size_t index);

/*
 * Appends every given option to BYTES as a name and a value, a count before
 * them; bytes->error tells of failure.
 */
void options_put(struct bytes *bytes, const struct options *options);

/* Reads what options_put wrote into OPTIONS.  0, -EBADMSG or -ENOMEM. */
int options_read(struct options *options, struct reader *reader);

#endif
