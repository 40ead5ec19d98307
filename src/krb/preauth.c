/* Armor, PKINIT and what else libkrb5 is to be told of preauthentication. */
#include "krb/preauth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "krb/pkinit.h"
#include "krb/tickets.h"

/* How long anonymous armor is good for; kept no longer than the process. */
#define ARMOR_LIFETIME_S 300

/* What the PKINIT plugin calls them. */
#define IDENTITY "X509_user_identity"
#define ANCHORS "X509_anchors"

/* libkrb5's own note of how a ticket was got, and PA-PK-AS-REQ in it. */
#define METHOD_NOTE "pa_type"
#define METHOD_PKINIT "16"

void
preauth_free(struct krb *krb, struct preauth *preauth)
{
    if (preauth->armor != NULL) {
        (void)krb5_cc_destroy(krb->context, preauth->armor);
        preauth->armor = NULL;
    }
}

/* Whether CREDS are of use in armor: for a ticket-granting service. */
static bool
is_for_armor(const krb5_creds *creds)
{
    krb5_const_principal server = creds->server;
    const krb5_data *name = server->length == 2 ? &server->data[0] : NULL;

    return name != NULL && name->length == KRB5_TGS_NAME_SIZE &&
           memcmp(name->data, KRB5_TGS_NAME, KRB5_TGS_NAME_SIZE) == 0;
}

/* Keeps of TICKETS those for armor: the others leave this process for nobody.
 */
static void
keep_for_armor(struct krb *krb, struct tickets *tickets)
{
    size_t kept = 0;

    for (size_t i = 0; i < tickets->count; i++) {
        krb5_creds *creds = tickets->list[i];

        if (is_for_armor(creds)) {
            tickets->list[kept++] = creds;
        } else {
            krb5_free_creds(krb->context, creds);
        }
    }
    tickets->list[kept] = NULL;
    tickets->count = kept;
}

/*
 * A TGT among TICKETS, which are for armor, or NULL.  tickets_tgt would know
 * none of nobody's: their client is in a realm that has no KDC.
 */
static const krb5_creds *
find_tgt(const struct tickets *tickets)
{
    for (size_t i = 0; i < tickets->count; i++) {
        krb5_const_principal server = tickets->list[i]->server;
        const krb5_data *realm = &server->data[1];

        if (realm->length == server->realm.length &&
            memcmp(realm->data, server->realm.data, realm->length) == 0) {
            return tickets->list[i];
        }
    }
    return NULL;
}

/* Whether the TGT among TICKETS can be used still. */
static enum outcome
check_armor(struct krb *krb, const struct tickets *tickets, const char *name)
{
    const krb5_creds *tgt = find_tgt(tickets);

    if (tgt == NULL) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE, "%s: has no TGT",
                          name);
    }
    /* libkrb5's timestamps are unsigned, whatever their type says. */
    if ((int64_t)(uint32_t)tgt->times.endtime <=
        (int64_t)time(NULL) + tickets->offset.seconds) {
        return krb_refuse(krb, OUTCOME_TICKET_EXPIRED,
                          "%s: the ticket has expired", name);
    }
    return OUTCOME_SUCCESS;
}

enum outcome
preauth_read_armor(struct krb *krb, const char *name, struct bytes *tickets)
{
    struct tickets found = {0};
    krb5_ccache cache = NULL;
    krb5_ccache memory = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = krb5_cc_resolve(krb->context, name, &cache);

    if (code != 0) {
        return krb_failed(krb, code, name);
    }
    outcome = tickets_read_cache(krb, cache, &found);
    (void)krb5_cc_close(krb->context, cache);
    if (outcome == OUTCOME_SUCCESS) {
        /* Some kinds of caches keep it, which reading has brought to light. */
        found.offset = krb_offset_learned(krb);
        keep_for_armor(krb, &found);
        outcome = check_armor(krb, &found, name);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = tickets_to_memory(krb, &found, &memory);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = tickets_pack_cache(krb, memory, tickets);
        (void)krb5_cc_destroy(krb->context, memory);
    }
    tickets_free(krb, &found);
    return outcome;
}

/* The armor of fast_ccache, as it was handed over. */
static krb5_ccache
unpack_armor(struct krb *krb, struct span span)
{
    struct tickets tickets = {0};
    krb5_ccache armor = NULL;
    enum outcome outcome = tickets_unpack(krb, span, &tickets);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = tickets_to_memory(krb, &tickets, &armor);
    }
    if (outcome != OUTCOME_SUCCESS) {
        log_line(krb->log, LOG_LEVEL_NOTICE, "no FAST with fast_ccache: %s",
                 krb->detail);
    }
    tickets_free(krb, &tickets);
    return armor;
}

/* The principal that anybody is, in the realm that logins are in. */
static krb5_error_code
anonymous_principal(struct krb *krb, const struct options *options,
                    krb5_principal *principal_out)
{
    char *realm = NULL;
    const char *chosen = options->realm;
    krb5_error_code code = 0;

    if (chosen == NULL) {
        code = krb5_get_default_realm(krb->context, &realm);
        chosen = realm;
    }
    if (code == 0) {
        code = krb5_build_principal(
            krb->context, principal_out, (unsigned int)strlen(chosen), chosen,
            KRB5_WELLKNOWN_NAMESTR, KRB5_ANONYMOUS_PRINCSTR, (char *)NULL);
    }
    krb5_free_default_realm(krb->context, realm);
    return code;
}

/* Gets anonymous tickets for PRINCIPAL into CACHE. */
static krb5_error_code
get_anonymous(struct krb *krb, krb5_principal principal, krb5_ccache cache)
{
    krb5_get_init_creds_opt *made = NULL;
    krb5_creds creds = {0};
    krb5_error_code code = krb5_get_init_creds_opt_alloc(krb->context, &made);

    if (code == 0) {
        krb5_get_init_creds_opt_set_anonymous(made, 1);
        krb5_get_init_creds_opt_set_tkt_life(made, ARMOR_LIFETIME_S);
        krb5_get_init_creds_opt_set_renew_life(made, 0);
        krb5_get_init_creds_opt_set_forwardable(made, 0);
        krb5_get_init_creds_opt_set_proxiable(made, 0);
        code =
            krb5_get_init_creds_opt_set_out_ccache(krb->context, made, cache);
    }
    if (code == 0) {
        /* Nobody is asked: there is no prompter. */
        code = krb5_get_init_creds_password(krb->context, &creds, principal,
                                            NULL, NULL, NULL, 0, NULL, made);
        krb5_free_cred_contents(krb->context, &creds);
    }
    krb5_get_init_creds_opt_free(krb->context, made);
    return code;
}

/* Armor that anybody can have, or NULL. */
static krb5_ccache
make_anonymous_armor(struct krb *krb, const struct options *options)
{
    krb5_principal principal = NULL;
    krb5_ccache armor = NULL;
    krb5_error_code code = anonymous_principal(krb, options, &principal);

    if (code == 0) {
        code = krb5_cc_new_unique(krb->context, "MEMORY", NULL, &armor);
    }
    if (code == 0) {
        code = get_anonymous(krb, principal, armor);
    }
    krb5_free_principal(krb->context, principal);
    if (code != 0) {
        (void)krb_said(krb, code);
        log_line(krb->log, LOG_LEVEL_NOTICE, "no FAST with anon_fast: %s",
                 krb->detail);
        if (armor != NULL) {
            (void)krb5_cc_destroy(krb->context, armor);
        }
        return NULL;
    }
    return armor;
}

/* The armor that the options want, where it can be had. */
static void
seek_armor(struct krb *krb, struct preauth *preauth)
{
    if (preauth->is_armor_sought) {
        return;
    }
    preauth->is_armor_sought = true;
    if (preauth->armor_tickets.length > 0) {
        preauth->armor = unpack_armor(krb, preauth->armor_tickets);
    }
    if (preauth->armor == NULL && preauth->options->anon_fast) {
        preauth->armor = make_anonymous_armor(krb, preauth->options);
    }
}

/*
 * With the flag libkrb5 sends nothing without armor; without it a KDC, or who
 * stands before it, could talk it out of it.
 */
static krb5_error_code
set_armor(struct krb *krb, krb5_ccache armor, krb5_get_init_creds_opt *made)
{
    krb5_error_code code =
        krb5_get_init_creds_opt_set_fast_ccache(krb->context, made, armor);

    if (code == 0) {
        code = krb5_get_init_creds_opt_set_fast_flags(krb->context, made,
                                                      KRB5_FAST_REQUIRED);
    }
    return code;
}

bool
preauth_wants_pkinit(const struct options *options)
{
    return options->try_pkinit || options->use_pkinit;
}

/* One of `preauth_opt`: NAME=VALUE, or a NAME alone, which is switched on. */
struct setting {
    const char *start;
    size_t length;
    size_t name_length;
};

/* The setting at *REST, which moves behind it; false: there is none left. */
static bool
next_setting(const char **rest, struct setting *setting_out)
{
    const char *start = *rest + strspn(*rest, "\n");
    size_t length = strcspn(start, "\n");

    *setting_out = (struct setting){
        .start = start,
        .length = length,
        .name_length = strcspn(start, "=\n"),
    };
    *rest = start + length;
    return length > 0;
}

static bool
is_named(const struct setting *setting, const char *name)
{
    return setting->name_length == strlen(name) &&
           strncmp(setting->start, name, setting->name_length) == 0;
}

/*
 * Where PKINIT shall find certificate and key: the last that `preauth_opt` or
 * else `pkinit_user` says, the caller's; NULL = not said.  0 or -ENOMEM.
 */
static int
copy_identity(const struct options *options, char **identity_out)
{
    const char *rest = options->preauth_opt == NULL ? "" : options->preauth_opt;
    const char *identity = options->pkinit_user;
    size_t length = identity == NULL ? 0 : strlen(identity);
    struct setting setting;

    while (next_setting(&rest, &setting)) {
        if (is_named(&setting, IDENTITY) &&
            setting.length > setting.name_length + 1) {
            identity = setting.start + setting.name_length + 1;
            length = setting.length - setting.name_length - 1;
        }
    }
    *identity_out = identity == NULL ? NULL : strndup(identity, length);
    return identity == NULL || *identity_out != NULL ? 0 : -ENOMEM;
}

void
preauth_files_free(struct preauth_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->list[i]);
    }
    *files = (struct preauth_files){0};
}

/* TEXT behind TYPE, or NULL where it has not that type. */
static const char *
behind_type(const char *text, const char *type)
{
    size_t length = strlen(type);

    return strncmp(text, type, length) == 0 ? text + length : NULL;
}

/* The files of "CERTIFICATE,KEY", or one for both. */
static int
find_pair(const char *pair, struct preauth_files *files)
{
    while (files->count < PREAUTH_FILES_MAX && *pair != '\0') {
        size_t length = strcspn(pair, ",");
        char *path = strndup(pair, length);

        if (path == NULL) {
            return -ENOMEM;
        }
        files->list[files->count++] = path;
        pair += length + (pair[length] == ',');
    }
    return 0;
}

/* The files of IDENTITY, which begins with a type; none: it is a FILE. */
static int
find_files(const char *identity, struct preauth_files *files)
{
    static const char *const types[] = {"PKCS12:", "DIR:"};
    const char *path = behind_type(identity, "FILE:");

    if (path != NULL || strchr(identity, ':') == NULL) {
        return find_pair(path != NULL ? path : identity, files);
    }
    for (size_t i = 0; path == NULL && i < sizeof(types) / sizeof(types[0]);
         i++) {
        path = behind_type(identity, types[i]);
    }
    if (path == NULL) {
        return 0;
    }
    files->list[0] = strdup(path);
    files->count = files->list[0] != NULL;
    return files->list[0] != NULL ? 0 : -ENOMEM;
}

int
preauth_find_files(const struct options *options,
                   struct preauth_files *files_out)
{
    char *identity = NULL;
    int status = 0;

    *files_out = (struct preauth_files){0};
    if (preauth_wants_pkinit(options)) {
        status = copy_identity(options, &identity);
    }
    if (status == 0 && identity != NULL) {
        status = find_files(identity, files_out);
    }
    free(identity);
    if (status < 0) {
        preauth_files_free(files_out);
    }
    return status;
}

/* Sets one attribute for libkrb5's plugins; what none takes is said. */
static krb5_error_code
set_attribute(struct krb *krb, krb5_get_init_creds_opt *made, const char *name,
              const char *value)
{
    krb5_error_code code =
        krb5_get_init_creds_opt_set_pa(krb->context, made, name, value);

    if (code != 0 && code != ENOMEM) {
        (void)krb_said(krb, code);
        log_line(krb->log, LOG_LEVEL_NOTICE,
                 "libkrb5 does not take the preauthentication option %s: %s",
                 name, krb->detail);
        code = 0;
    }
    return code;
}

static krb5_error_code
set_from_setting(struct krb *krb, krb5_get_init_creds_opt *made,
                 const struct setting *setting)
{
    char *copy = strndup(setting->start, setting->length);
    const char *value = "yes";
    krb5_error_code code = ENOMEM;

    if (copy == NULL) {
        return code;
    }
    if (setting->length > setting->name_length) {
        copy[setting->name_length] = '\0';
        value = copy + setting->name_length + 1;
    }
    code = set_attribute(krb, made, copy, value);
    free(copy);
    return code;
}

/* The identity by itself: libkrb5 takes one, and the last shall count. */
static krb5_error_code
set_identity(struct krb *krb, const struct options *options,
             krb5_get_init_creds_opt *made)
{
    char *identity = NULL;
    krb5_error_code code = 0;

    if (copy_identity(options, &identity) < 0) {
        return ENOMEM;
    }
    if (identity != NULL) {
        code = set_attribute(krb, made, IDENTITY, identity);
    }
    free(identity);
    return code;
}

static krb5_error_code
set_pkinit(struct krb *krb, const struct options *options,
           krb5_get_init_creds_opt *made)
{
    const char *rest = options->preauth_opt == NULL ? "" : options->preauth_opt;
    struct setting setting;
    krb5_error_code code = set_identity(krb, options, made);

    if (code == 0 && options->pkinit_anchors != NULL) {
        code = set_attribute(krb, made, ANCHORS, options->pkinit_anchors);
    }
    while (code == 0 && next_setting(&rest, &setting)) {
        if (!is_named(&setting, IDENTITY)) {
            code = set_from_setting(krb, made, &setting);
        }
    }
    return code;
}

krb5_error_code
preauth_prepare(struct krb *krb, struct preauth *preauth,
                krb5_get_init_creds_opt *made)
{
    krb5_error_code code = 0;

    seek_armor(krb, preauth);
    if (preauth->armor != NULL) {
        code = set_armor(krb, preauth->armor, made);
    }
    if (code == 0 && preauth_wants_pkinit(preauth->options) &&
        !preauth->is_pkinit_set && !preauth->is_pkinit_out) {
        code = set_pkinit(krb, preauth->options, made);
        preauth->is_pkinit_set = true;
    }
    return code;
}

bool
preauth_drops_armor(struct krb *krb, struct preauth *preauth,
                    krb5_error_code code)
{
    if (preauth->armor == NULL || !krb_blames_armor(code)) {
        return false;
    }
    (void)krb_said(krb, code);
    log_line(krb->log, LOG_LEVEL_NOTICE,
             "the KDC does not take part in FAST, going on without: %s",
             krb->detail);
    preauth_free(krb, preauth);
    return true;
}

bool
preauth_drops_pkinit(struct krb *krb, struct preauth *preauth,
                     krb5_error_code code)
{
    if (!preauth->options->try_pkinit || preauth->options->use_pkinit ||
        preauth->is_pkinit_out || !krb_blames_certificate(code)) {
        return false;
    }
    (void)krb_said(krb, code);
    log_line(krb->log, LOG_LEVEL_NOTICE,
             "the KDC does not take the certificate, going on without: %s",
             krb->detail);
    preauth->is_pkinit_out = true;
    return pkinit_forget(krb);
}

/* Whether libkrb5 has noted in CACHE that PKINIT got the tickets. */
static bool
is_by_pkinit(struct krb *krb, krb5_ccache cache, krb5_principal server)
{
    krb5_data note = {0, 0, NULL};
    bool is_so = false;

    if (krb5_cc_get_config(krb->context, cache, server, METHOD_NOTE, &note) ==
        0) {
        is_so = note.length == strlen(METHOD_PKINIT) &&
                memcmp(note.data, METHOD_PKINIT, note.length) == 0;
        krb5_free_data_contents(krb->context, &note);
    }
    return is_so;
}

krb5_error_code
preauth_check(struct krb *krb, const struct preauth *preauth, krb5_ccache cache)
{
    krb5_cc_cursor cursor = NULL;
    krb5_creds creds;
    krb5_error_code code = 0;
    bool is_so = false;

    if (!preauth->options->use_pkinit) {
        return 0;
    }
    code = krb5_cc_start_seq_get(krb->context, cache, &cursor);
    while (code == 0 &&
           krb5_cc_next_cred(krb->context, cache, &cursor, &creds) == 0) {
        is_so |= !krb5_is_config_principal(krb->context, creds.server) &&
                 is_by_pkinit(krb, cache, creds.server);
        krb5_free_cred_contents(krb->context, &creds);
    }
    if (cursor != NULL) {
        (void)krb5_cc_end_seq_get(krb->context, cache, &cursor);
    }
    if (code == 0 && !is_so) {
        code = KRB5_PREAUTH_FAILED;
        krb5_set_error_message(krb->context, code,
                               "the KDC did without PKINIT");
    }
    return code;
}
