/* The table of options, and the parsing it drives. */
#include "base/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/foreign.h"

#define FLAG(field, from_krb5_conf, text)                                      \
    {                                                                          \
        .name = #field, .type = OPTION_FLAG,                                   \
        .offset = offsetof(struct options, field), .fallback = "false",        \
        .in_krb5_conf = (from_krb5_conf), .help = (text),                      \
    }
#define NUMBER(field, value, low, high, from_krb5_conf, text)                  \
    {                                                                          \
        .name = #field, .type = OPTION_NUMBER,                                 \
        .offset = offsetof(struct options, field), .fallback = (value),        \
        .minimum = (low), .maximum = (high), .in_krb5_conf = (from_krb5_conf), \
        .help = (text),                                                        \
    }
#define TEXT(field, value, from_krb5_conf, text)                               \
    {                                                                          \
        .name = #field, .type = OPTION_TEXT,                                   \
        .offset = offsetof(struct options, field), .fallback = (value),        \
        .in_krb5_conf = (from_krb5_conf), .help = (text),                      \
    }
/* A text that may be empty. */
#define WORD(field, value, from_krb5_conf, text)                               \
    {                                                                          \
        .name = #field, .type = OPTION_TEXT,                                   \
        .offset = offsetof(struct options, field), .fallback = (value),        \
        .may_be_empty = true, .in_krb5_conf = (from_krb5_conf),                \
        .help = (text),                                                        \
    }
/* Texts that add up. */
#define LIST(field, value, from_krb5_conf, text)                               \
    {                                                                          \
        .name = #field, .type = OPTION_TEXT,                                   \
        .offset = offsetof(struct options, field), .fallback = (value),        \
        .is_list = true, .in_krb5_conf = (from_krb5_conf), .help = (text),     \
    }
/* A text that must be an absolute path; never from krb5.conf. */
#define PATH(field, value, text)                                               \
    {                                                                          \
        .name = #field, .type = OPTION_TEXT,                                   \
        .offset = offsetof(struct options, field), .fallback = (value),        \
        .is_path = true, .help = (text),                                       \
    }

/* What "krb5.conf too" means in a row below. */
#define ARGUMENT_ONLY false
#define ALSO_KRB5_CONF true

static const struct option table[] = {
    FLAG(allow_kdc_spoof, ALSO_KRB5_CONF,
         "whether a KDC will do that no host key can verify; without it "
         "krb5.conf decides"),
    TEXT(alt_auth_map, NULL, ALSO_KRB5_CONF,
         "principal that is tried first: %s is the user"),
    FLAG(anon_fast, ALSO_KRB5_CONF,
         "protect the exchange with FAST, armored by an anonymous ticket"),
    WORD(banner, "Kerberos", ALSO_KRB5_CONF,
         "word before \"password\" in the prompts of a change"),
    TEXT(ccache, NULL, ALSO_KRB5_CONF,
         "template of the cache's name: %u %p %{uid} %{username} %{service}, "
         "final XXXXXX random"),
    TEXT(ccache_dir, NULL, ALSO_KRB5_CONF,
         "directory of the cache where ccache is not given"),
    FLAG(clear_on_fail, ALSO_KRB5_CONF,
         "take the new password from the modules behind where a change fails"),
    FLAG(debug, ALSO_KRB5_CONF, "log what was decided and why"),
    FLAG(defer_pwchange, ALSO_KRB5_CONF,
         "let the host have an expired password changed"),
    FLAG(expose_account, ALSO_KRB5_CONF,
         "name the principal where a password is asked for"),
    FLAG(fail_pwchange, ALSO_KRB5_CONF,
         "refuse an expired password instead of having it changed"),
    TEXT(fast_ccache, NULL, ALSO_KRB5_CONF,
         "protect the exchange with FAST, armored by the tickets of this "
         "cache"),
    FLAG(force_alt_auth, ALSO_KRB5_CONF,
         "try no other principal where that of alt_auth_map is known"),
    FLAG(force_first_pass, ARGUMENT_ONLY,
         "use the stacked password, fail where there is none"),
    FLAG(force_pwchange, ALSO_KRB5_CONF,
         "have an expired password changed as in a password line"),
    FLAG(forwardable, ALSO_KRB5_CONF, "ask for forwardable tickets"),
    PATH(helper, PATH_HELPER, "path of the helper program"),
    FLAG(ignore_k5login, ALSO_KRB5_CONF,
         "authorize by the principal's local name, not by ~/.k5login"),
    FLAG(ignore_root, ALSO_KRB5_CONF, "leave root alone"),
    FLAG(ignore_unknown_principals, ALSO_KRB5_CONF,
         "leave users alone whose principal is unknown or has expired"),
    TEXT(keytab, NULL, ALSO_KRB5_CONF, "keytab that the KDC is verified with"),
    NUMBER(minimum_uid, "0", 0, UINT32_MAX - 1, ALSO_KRB5_CONF,
           "leave users with a smaller uid alone"),
    FLAG(no_ccache, ARGUMENT_ONLY, "authenticate only, make no cache"),
    FLAG(no_prompt, ALSO_KRB5_CONF,
         "ask for the password in the words of libkrb5"),
    FLAG(no_update_user, ALSO_KRB5_CONF,
         "leave a user's name as it is, though he has a local one"),
    FLAG(no_user_check, ALSO_KRB5_CONF,
         "let in without .k5login, and without an account make no cache"),
    FLAG(only_alt_auth, ALSO_KRB5_CONF,
         "try no principal but that of alt_auth_map"),
    TEXT(pkinit_anchors, NULL, ALSO_KRB5_CONF,
         "authorities that a KDC's certificate must come from, for PKINIT"),
    FLAG(pkinit_prompt, ALSO_KRB5_CONF,
         "ask for the smart card before PKINIT is tried"),
    TEXT(pkinit_user, NULL, ALSO_KRB5_CONF,
         "where PKINIT finds the user's certificate and key"),
    LIST(preauth_opt, NULL, ALSO_KRB5_CONF,
         "name=value for libkrb5's preauthentication, may be repeated"),
    FLAG(prompt_principal, ALSO_KRB5_CONF, "ask the user for his principal"),
    TEXT(realm, NULL, ARGUMENT_ONLY, "realm instead of krb5.conf's default"),
    TEXT(renew_lifetime, NULL, ALSO_KRB5_CONF,
         "ask for tickets renewable this long"),
    FLAG(retain_after_close, ALSO_KRB5_CONF,
         "leave the cache when the session ends"),
    PATH(runtime_dir, PATH_RUNTIME,
         "directory for what does not outlive a boot"),
    FLAG(search_k5login, ALSO_KRB5_CONF, "try each principal of ~/.k5login"),
    FLAG(silent, ARGUMENT_ONLY, "say nothing to the user"),
    NUMBER(stash_lifetime, "120", 10, 3600, ARGUMENT_ONLY,
           "seconds a login may take from the password to the session"),
    PATH(state_dir, PATH_STATE, "directory of the session records"),
    TEXT(ticket_lifetime, NULL, ALSO_KRB5_CONF,
         "ask for tickets valid this long"),
    NUMBER(timeout, "10", 1, 3600, ALSO_KRB5_CONF,
           "seconds one call may take, typing not counted"),
    TEXT(trace, NULL, ARGUMENT_ONLY, "file for libkrb5's trace"),
    FLAG(try_first_pass, ARGUMENT_ONLY,
         "use the stacked password, ask where it is wrong or missing"),
    FLAG(try_pkinit, ALSO_KRB5_CONF,
         "try PKINIT, and the password where that comes to nothing"),
    FLAG(use_authtok, ARGUMENT_ONLY,
         "change to the stacked new password, fail where there is none"),
    FLAG(use_first_pass, ARGUMENT_ONLY,
         "use the stacked password, ask only where there is none"),
    FLAG(use_pkinit, ALSO_KRB5_CONF, "insist on PKINIT, take no password"),
    TEXT(user_realm, NULL, ALSO_KRB5_CONF,
         "realm of users who name none, for nothing else"),
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

_Static_assert(TABLE_COUNT <= 64, "options.given has a bit for each row");

/* A name and its value in "name=value"; VALUE is NULL for a bare name. */
struct pair {
    const char *name;
    size_t name_length;
    const char *value;
};

static void *
field_of(struct options *options, const struct option *row)
{
    return (char *)options + row->offset;
}

static const void *
const_field_of(const struct options *options, const struct option *row)
{
    return (const char *)options + row->offset;
}

static struct pair
split(const char *text)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL) {
        return (struct pair){text, strlen(text), NULL};
    }
    return (struct pair){text, (size_t)(equals - text), equals + 1};
}

static const struct option *
find_row(const struct pair *pair)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strlen(table[i].name) == pair->name_length &&
            strncmp(table[i].name, pair->name, pair->name_length) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static bool
is_one_of(const char *value, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcasecmp(value, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether LIST, words between blanks or commas, has WORD. */
static bool
lists(const char *list, const char *word)
{
    static const char *const between = " \t,";
    size_t length = 0;

    for (; *list != '\0'; list += length) {
        list += strspn(list, between);
        length = strcspn(list, between);
        if (length > 0 && length == strlen(word) &&
            strncmp(list, word, length) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * VALUE as that of a flag; where it is none, and SERVICE is not NULL, whether
 * SERVICE is in the list that it must be then.
 */
static int
set_flag(bool *field, const char *value, const char *service)
{
    /* The words of krb5.conf (krb5_appdefault_boolean). */
    static const char *const yes[] = {"true", "t", "yes", "y", "on", "1", NULL};
    static const char *const no[] = {"false", "f",   "no", "n",
                                     "off",   "nil", "0",  NULL};

    if (value == NULL || is_one_of(value, yes)) {
        *field = true;
        return 0;
    }
    if (is_one_of(value, no)) {
        *field = false;
        return 0;
    }
    if (service == NULL) {
        return -EINVAL;
    }
    *field = lists(value, service);
    return 0;
}

static int
set_number(int64_t *field, const struct option *row, const char *value)
{
    char *end = NULL;
    long long number = 0;

    if (value == NULL || *value < '0' || *value > '9') {
        return -EINVAL;
    }
    errno = 0;
    number = strtoll(value, &end, 10);
    if (*end != '\0') {
        return -EINVAL;
    }
    if (errno == ERANGE || number < row->minimum || number > row->maximum) {
        return -ERANGE;
    }
    *field = number;
    return 0;
}

/* The analyzer loses a field that is reached by its offset. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
static int
set_text(char **field, const struct option *row, const char *value)
{
    char *copy = NULL;

    if (value == NULL || (*value == '\0' && !row->may_be_empty) ||
        (row->is_path && *value != '/')) {
        return -EINVAL;
    }
    copy = strdup(value);
    if (copy == NULL) {
        return -ENOMEM;
    }
    free(*field); /* NOLINT(clang-analyzer-unix.Malloc): the same */
    *field = copy;
    return 0;
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

static int
set_row(struct options *options, const struct option *row, const char *value,
        const char *service)
{
    switch (row->type) {
    case OPTION_FLAG:
        return set_flag(field_of(options, row), value, service);
    case OPTION_NUMBER:
        return set_number(field_of(options, row), row, value);
    case OPTION_TEXT:
        return set_text(field_of(options, row), row, value);
    }
    return -EINVAL;
}

/* Puts a newline in the place of each blank in the first LENGTH of TEXT. */
static void
part_words(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ' ' || text[i] == '\t') {
            text[i] = '\n';
        }
    }
}

/* Adds VALUE to the list FIELD: behind what is there; from krb5.conf before. */
static int
add_to_list(char **field, const struct option *row, enum option_source source,
            const char *value)
{
    bool is_first = source == OPTION_FROM_KRB5_CONF;
    const char *present = *field == NULL ? "" : *field;
    char *list = NULL;
    int status = 0;

    if (value == NULL || *value == '\0') {
        return -EINVAL;
    }
    if (asprintf(&list, "%s%s%s", is_first ? value : present,
                 *present == '\0' ? "" : "\n",
                 is_first ? present : value) < 0) {
        return -ENOMEM;
    }
    if (is_first) {
        part_words(list, strlen(value));
    }
    status = set_text(field, row, list);
    free(list);
    return status;
}

const struct option *
options_table(size_t *count_out)
{
    *count_out = TABLE_COUNT;
    return table;
}

int
options_init(struct options *options)
{
    memset(options, 0, sizeof(*options));
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        int status = 0;

        if (table[i].fallback != NULL) {
            status = set_row(options, &table[i], table[i].fallback, NULL);
        }
        if (status < 0) {
            options_free(options);
            return status;
        }
    }
    return 0;
}

void
options_free(struct options *options)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (table[i].type == OPTION_TEXT) {
            char **field = field_of(options, &table[i]);

            free(*field);
            *field = NULL;
        }
    }
    options->given = 0;
}

/* Where a text comes from, and for which service. */
struct origin {
    enum option_source source;
    const char *service; /* NULL = a flag is no list of services */
};

/* Whether ROW may stand where ORIGIN is. */
static bool
may_stand(const struct option *row, const struct origin *origin)
{
    return row != NULL &&
           (origin->source == OPTION_FROM_ARGUMENT || row->in_krb5_conf);
}

/* Takes VALUE for ROW; ORIGIN is NULL where VALUE was made here. */
static int
give(struct options *options, const struct option *row, const char *value,
     const struct origin *origin)
{
    int status =
        row->is_list && origin != NULL
            ? add_to_list(field_of(options, row), row, origin->source, value)
            : set_row(options, row, value,
                      origin == NULL ? NULL : origin->service);

    if (status == 0) {
        options->given |= UINT64_C(1) << (row - table);
    }
    return status;
}

/* The same of a flag that means the opposite of VALUE. */
static int
give_opposite(struct options *options, const struct option *row,
              const char *value, const char *service)
{
    bool flag = false;
    int status =
        row->type == OPTION_FLAG ? set_flag(&flag, value, service) : -ENOENT;

    return status < 0 ? status
                      : give(options, row, flag ? "false" : "true", NULL);
}

/* A template in another module's tokens. */
static int
give_template(struct options *options, const struct option *row,
              const char *value)
{
    const char *directory =
        options->ccache_dir == NULL ? "/tmp" : options->ccache_dir;
    char *template = NULL;
    int status =
        value == NULL ? -EINVAL : foreign_template(value, directory, &template);

    if (status == 0) {
        status = give(options, row, template, NULL);
        free(template);
    }
    return status;
}

/* PAIR as an option of another module; what IS_NOT so means the opposite. */
static int
give_foreign(struct options *options, const struct origin *origin,
             const struct pair *pair, bool is_not)
{
    const struct foreign *foreign = foreign_find(pair->name, pair->name_length);
    struct pair ours = {0};
    const struct option *row = NULL;
    struct origin here = *origin;
    bool flag = false;
    int status = 0;

    if (foreign == NULL) {
        return -ENOENT;
    }
    if (foreign->kind == FOREIGN_NONE) {
        return -ENOTSUP;
    }
    if (foreign->kind == FOREIGN_ALWAYS || foreign->kind == FOREIGN_NEVER) {
        status = set_flag(&flag, pair->value, origin->service);
        if (status == 0 &&
            (flag != is_not) != (foreign->kind == FOREIGN_ALWAYS)) {
            status = -ENOTSUP;
        }
        return status;
    }
    if (foreign->is_no_list) {
        here.service = NULL;
    }
    ours = split(foreign->row);
    row = find_row(&ours);
    if (!may_stand(row, origin)) {
        return -ENOENT;
    }
    if (foreign->kind == FOREIGN_TEMPLATE) {
        return is_not ? -ENOENT : give_template(options, row, pair->value);
    }
    return (foreign->kind == FOREIGN_OPPOSITE) != is_not
               ? give_opposite(options, row, pair->value, here.service)
               : give(options, row, pair->value, &here);
}

/* PAIR by its own name. */
static int
give_named(struct options *options, const struct origin *origin,
           const struct pair *pair, bool is_not)
{
    const struct option *row = find_row(pair);

    if (row == NULL) {
        return give_foreign(options, origin, pair, is_not);
    }
    if (!may_stand(row, origin)) {
        return -ENOENT;
    }
    return is_not ? give_opposite(options, row, pair->value, origin->service)
                  : give(options, row, pair->value, origin);
}

/* What flags may begin with to mean the opposite, as Red Hat has it. */
static const char *const nots[] = {"no_", "not_", "dont_", "not", "dont", "no"};

#define NOT_COUNT (sizeof(nots) / sizeof(nots[0]))

/* PAIR without WORD before its name; it has no name where that is not so. */
static struct pair
without(const struct pair *pair, const char *word)
{
    size_t length = strlen(word);

    if (pair->name_length <= length || strncmp(pair->name, word, length) != 0) {
        return (struct pair){"", 0, NULL};
    }
    return (struct pair){pair->name + length, pair->name_length - length,
                         pair->value};
}

static int
set_from(struct options *options, const struct origin *origin, const char *text)
{
    struct pair pair = split(text);
    int status = give_named(options, origin, &pair, false);

    for (size_t i = 0; status == -ENOENT && i < NOT_COUNT; i++) {
        struct pair rest = without(&pair, nots[i]);

        status = give_named(options, origin, &rest, true);
    }
    return status;
}

int
options_set(struct options *options, enum option_source source,
            const char *text)
{
    return set_from(options, &(struct origin){source, NULL}, text);
}

int
options_set_for_service(struct options *options, const char *text,
                        const char *service)
{
    return set_from(options, &(struct origin){OPTION_FROM_KRB5_CONF, service},
                    text);
}

const char *
options_advice(const char *text)
{
    struct pair pair = split(text);
    const struct foreign *foreign = foreign_find(pair.name, pair.name_length);

    for (size_t i = 0; foreign == NULL && i < NOT_COUNT; i++) {
        struct pair rest = without(&pair, nots[i]);

        foreign = foreign_find(rest.name, rest.name_length);
    }
    return foreign == NULL || foreign->advice == NULL ? "" : foreign->advice;
}

bool
options_exclude_user(const struct options *options, const char *name,
                     bool has_account, uint64_t uid)
{
    bool is_root = (has_account && uid == 0) ||
                   (name != NULL && strcmp(name, "root") == 0);

    if (options->ignore_root && is_root) {
        return true;
    }
    return has_account && (int64_t)uid < options->minimum_uid;
}

bool
options_gives(const struct options *options, const char *name)
{
    struct pair pair = split(name);
    const struct option *row = find_row(&pair);

    return row != NULL && options_is_given(options, (size_t)(row - table));
}

bool
options_is_given(const struct options *options, size_t index)
{
    return index < TABLE_COUNT && (options->given >> index & 1) != 0;
}

/* The value of ROW as it would be written, into BUFFER where it is short. */
static const char *
value_text(const struct options *options, const struct option *row,
           char *buffer, size_t size)
{
    const void *field = const_field_of(options, row);

    switch (row->type) {
    case OPTION_FLAG:
        return *(const bool *)field ? "true" : "false";
    case OPTION_NUMBER:
        (void)snprintf(buffer, size, "%" PRId64, *(const int64_t *)field);
        return buffer;
    case OPTION_TEXT:
        return *(char *const *)field;
    }
    return "";
}

/* Whether OPTIONS take row INDEX over from COMPLETED. */
static bool
takes_over(const struct options *options, const struct options *completed,
           size_t index)
{
    if (!table[index].in_krb5_conf || table[index].is_list ||
        !options_is_given(completed, index)) {
        return false;
    }
    if (table[index].offset == offsetof(struct options, timeout)) {
        return completed->timeout < options->timeout;
    }
    return !options_is_given(options, index);
}

int
options_complete(struct options *options, const struct options *completed)
{
    char number[24];

    for (size_t i = 0; i < TABLE_COUNT; i++) {
        int status = 0;

        if (takes_over(options, completed, i)) {
            status = set_row(
                options, &table[i],
                value_text(completed, &table[i], number, sizeof(number)), NULL);
            options->given |= UINT64_C(1) << i;
        }
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

void
options_put(struct bytes *bytes, const struct options *options)
{
    char number[24];

    bytes_put_u32(bytes, (uint32_t)__builtin_popcountll(options->given));
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (options_is_given(options, i)) {
            bytes_put_string(bytes, table[i].name);
            bytes_put_string(
                bytes, value_text(options, &table[i], number, sizeof(number)));
        }
    }
}

int
options_read(struct options *options, struct reader *reader)
{
    uint32_t count = reader_u32(reader);

    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        const char *name = reader_string(reader);
        const char *value = reader_string(reader);
        struct pair pair = {name, strlen(name), value};
        const struct option *row = find_row(&pair);
        int status = 0;

        if (reader->failed) {
            break;
        }
        if (row == NULL) {
            /* An option of a newer version: what it is for is not asked. */
            continue;
        }
        status = set_row(options, row, value, NULL);
        if (status < 0) {
            return status == -ENOMEM ? status : -EBADMSG;
        }
        options->given |= UINT64_C(1) << (row - table);
    }
    return reader->failed ? -EBADMSG : 0;
}
