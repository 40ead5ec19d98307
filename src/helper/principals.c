/* The principals of a request. */
#include "helper/principals.h"

#include <stdlib.h>
#include <string.h>

#include "helper/k5login.h"
#include "helper/timer.h"
#include "krb/names.h"

void
principals_free(struct krb *krb, struct principals *principals)
{
    for (uint32_t i = 0; i < principals->count; i++) {
        krb5_free_principal(krb->context, principals->list[i]);
        krb5_free_unparsed_name(krb->context, principals->names[i]);
    }
    krb5_free_unparsed_name(krb->context, principals->account);
    *principals = (struct principals){0};
}

bool
principals_have(struct krb *krb, const struct principals *principals,
                krb5_const_principal principal)
{
    for (uint32_t i = 0; i < principals->count; i++) {
        if (krb5_principal_compare(krb->context, principal,
                                   principals->list[i])) {
            return true;
        }
    }
    return false;
}

/* Adds PRINCIPAL, which is theirs then; one that is there is enough. */
static enum outcome
add(struct krb *krb, struct principals *principals, krb5_principal principal)
{
    krb5_error_code code = 0;

    if (principals_have(krb, principals, principal)) {
        krb5_free_principal(krb->context, principal);
        return OUTCOME_SUCCESS;
    }
    code = krb5_unparse_name(krb->context, principal,
                             &principals->names[principals->count]);
    if (code != 0) {
        krb5_free_principal(krb->context, principal);
        return krb_failed(krb, code, "the user's name");
    }
    principals->list[principals->count++] = principal;
    return OUTCOME_SUCCESS;
}

/* Asks the user for his principal; free *NAME_OUT.  "" is no answer. */
static enum outcome
ask(struct helper *helper, struct krb *krb, char **name_out)
{
    static const struct prompts prompts = {
        .count = 1, .list = {{.text = "Principal", .echo = true}}};
    struct answers answers = {0};
    struct bytes payload = BYTES_EMPTY;
    struct message message;

    prompts_pack(&payload, &prompts);
    timer_pause();
    line_send(&helper->module, MESSAGE_PROMPT, &payload);
    message = line_expect(&helper->module, MESSAGE_ANSWER);
    timer_resume();
    bytes_free(&payload);
    if (answers_unpack(bytes_span(&message.payload), &answers) < 0 ||
        answers.count != 1 || span_has_nul(answers.list[0])) {
        line_hang_up();
    }
    *name_out =
        strndup((const char *)answers.list[0].data, answers.list[0].length);
    message_free(&message);
    return *name_out != NULL
               ? OUTCOME_SUCCESS
               : krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
}

/* The principal that the user says he is; *OWN, where he says nothing. */
static enum outcome
ask_for_own(struct helper *helper, struct krb *krb, krb5_principal *own)
{
    krb5_principal principal = NULL;
    char *typed = NULL;
    enum outcome outcome = ask(helper, krb, &typed);

    if (outcome == OUTCOME_SUCCESS && typed != NULL && *typed != '\0') {
        outcome = names_principal(krb, typed, &helper->options, &principal);
        krb5_free_principal(krb->context, *own);
        *own = principal;
    }
    free(typed);
    return outcome;
}

/* Adds what the lines of TEXT, a .k5login, name; *NAMED: is there anybody? */
static enum outcome
add_lines(struct helper *helper, struct krb *krb, char *text,
          struct principals *principals, bool *named)
{
    char *rest = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    for (char *line = strtok_r(text, "\n", &rest);
         line != NULL && outcome == OUTCOME_SUCCESS;
         line = strtok_r(NULL, "\n", &rest)) {
        krb5_principal principal = NULL;

        if (*line == '#' ||
            krb5_parse_name(krb->context, line, &principal) != 0) {
            continue;
        }
        *named = true;
        if (principals->count == MESSAGE_NAMES_MAX) {
            krb5_free_principal(krb->context, principal);
            log_line(&helper->log, LOG_LEVEL_NOTICE,
                     "search_k5login: only the first %d principals are tried",
                     MESSAGE_NAMES_MAX);
            break;
        }
        outcome = add(krb, principals, principal);
    }
    return outcome;
}

/* Those that the user's .k5login names; OWN where it names none. */
static enum outcome
add_k5login(struct helper *helper, struct krb *krb, krb5_principal own,
            struct principals *principals)
{
    bool named = false;
    char *text = k5login_read(helper, krb);
    enum outcome outcome = OUTCOME_SUCCESS;

    if (text != NULL) {
        outcome = add_lines(helper, krb, text, principals, &named);
        free(text);
    }
    if (outcome == OUTCOME_SUCCESS && !named) {
        return add(krb, principals, own);
    }
    krb5_free_principal(krb->context, own);
    return outcome;
}

/* Adds alt_auth_map's where there is one; no principal is none. */
static enum outcome
add_mapped(struct helper *helper, struct krb *krb,
           struct principals *principals)
{
    krb5_principal principal = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (helper->options.alt_auth_map == NULL) {
        return OUTCOME_SUCCESS;
    }
    outcome =
        names_mapped(krb, helper->request.user, &helper->options, &principal);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = add(krb, principals, principal);
        principals->has_mapped = outcome == OUTCOME_SUCCESS;
    }
    return outcome == OUTCOME_UNKNOWN_PRINCIPAL ? OUTCOME_SUCCESS : outcome;
}

/*
 * Where PAM_USER is a principal that is no account, but has a local name: the
 * request is that user's from here on.
 */
static void
localize(struct helper *helper, struct krb *krb, krb5_const_principal own)
{
    struct request *request = &helper->request;
    struct identity_user user = {0};

    if (own == NULL || request->has_account || helper->options.no_update_user ||
        !names_has_realm(request->user)) {
        return;
    }
    helper->local_user = names_local(krb, own);
    if (helper->local_user == NULL) {
        return;
    }
    request->user = helper->local_user;
    request->has_account = identity_find_user(request->user, &user);
    request->uid = user.uid;
    request->gid = user.gid;
    if (request->has_account) {
        /* What nobody has may be a password that was typed too early. */
        log_line(&helper->log, LOG_LEVEL_DEBUG, "the user's local name is %s",
                 request->user);
    }
}

/* Adds OWN, which is theirs then, or what .k5login has instead. */
static enum outcome
add_own(struct helper *helper, struct krb *krb, krb5_principal own,
        struct principals *principals)
{
    if (own == NULL) {
        return OUTCOME_SUCCESS;
    }
    return helper->options.search_k5login && helper->request.job == JOB_ACQUIRE
               ? add_k5login(helper, krb, own, principals)
               : add(krb, principals, own);
}

/* Whether nobody but alt_auth_map's principal may be tried. */
static bool
is_mapped_only(const struct helper *helper)
{
    return helper->options.only_alt_auth &&
           helper->options.alt_auth_map != NULL;
}

/* OWN alone; it is alt_auth_map's if it is that. */
static enum outcome
add_alone(struct helper *helper, struct krb *krb, krb5_principal own,
          struct principals *principals)
{
    struct principals mapped = {0};
    enum outcome outcome = add_mapped(helper, krb, &mapped);

    principals->has_mapped = principals_have(krb, &mapped, own);
    principals_free(krb, &mapped);
    if (outcome == OUTCOME_SUCCESS) {
        return add(krb, principals, own);
    }
    krb5_free_principal(krb->context, own);
    return outcome;
}

/* The principal that the request names in the place of *OWN. */
static enum outcome
take_named(struct helper *helper, struct krb *krb, krb5_principal *own)
{
    krb5_free_principal(krb->context, *own);
    return names_principal(krb, helper->request.principal, &helper->options,
                           own);
}

/*
 * Who the user is, by his name, by what he has said before or says now.  His
 * local name is that of his name alone: whose password he knows besides does
 * not make him somebody else.
 */
static enum outcome
find_own(struct helper *helper, struct krb *krb, krb5_principal *own)
{
    const struct request *request = &helper->request;
    bool is_known = *request->principal != '\0';
    enum outcome outcome =
        names_principal(krb, request->user, &helper->options, own);

    if (outcome == OUTCOME_SUCCESS) {
        localize(helper, krb, *own);
    }
    if (helper_excludes_user(helper)) {
        return OUTCOME_NOT_OURS;
    }
    if (outcome != OUTCOME_SUCCESS && outcome != OUTCOME_UNKNOWN_PRINCIPAL) {
        return outcome;
    }
    if (is_known) {
        outcome = take_named(helper, krb, own);
    } else if (helper->options.prompt_principal) {
        outcome = ask_for_own(helper, krb, own);
    }
    return outcome == OUTCOME_UNKNOWN_PRINCIPAL ? OUTCOME_SUCCESS : outcome;
}

/* Whether only the one principal is wanted that the request names. */
static bool
is_alone(const struct request *request)
{
    return *request->principal != '\0' &&
           (request->job == JOB_CHANGE || request->is_new_password);
}

/* All of them, OWN being the user's own or NULL; it is theirs then. */
static enum outcome
add_all(struct helper *helper, struct krb *krb, krb5_principal own,
        struct principals *principals)
{
    enum outcome outcome = OUTCOME_SUCCESS;

    if (own != NULL && is_alone(&helper->request)) {
        return add_alone(helper, krb, own, principals);
    }
    outcome = add_mapped(helper, krb, principals);
    if (outcome == OUTCOME_SUCCESS && !is_mapped_only(helper)) {
        return add_own(helper, krb, own, principals);
    }
    krb5_free_principal(krb->context, own);
    return outcome;
}

enum outcome
principals_find(struct helper *helper, struct krb *krb,
                struct principals *principals)
{
    krb5_principal own = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    *principals = (struct principals){0};
    outcome = find_own(helper, krb, &own);
    if (outcome == OUTCOME_SUCCESS && own != NULL &&
        krb5_unparse_name(krb->context, own, &principals->account) != 0) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    if (outcome == OUTCOME_SUCCESS) {
        return add_all(helper, krb, own, principals);
    }
    krb5_free_principal(krb->context, own);
    return outcome;
}
