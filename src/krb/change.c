/* The change of a password. */
#include "krb/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* The one ticket that CACHE has. */
static krb5_error_code
take_ticket(struct krb *krb, krb5_ccache cache, krb5_creds *creds_out)
{
    krb5_cc_cursor cursor = NULL;
    krb5_error_code code = krb5_cc_start_seq_get(krb->context, cache, &cursor);
    bool is_taken = false;

    if (code != 0) {
        return code;
    }
    while (!is_taken && code == 0) {
        code = krb5_cc_next_cred(krb->context, cache, &cursor, creds_out);
        is_taken = code == 0 &&
                   !krb5_is_config_principal(krb->context, creds_out->server);
        if (code == 0 && !is_taken) {
            krb5_free_cred_contents(krb->context, creds_out);
        }
    }
    (void)krb5_cc_end_seq_get(krb->context, cache, &cursor);
    return code;
}

/*
 * What the realm has said: RESULT_CODE in words, and what it adds.  Only of one
 * code another password helps.
 */
static enum outcome
refuse(struct krb *krb, int result_code, const krb5_data *code_words,
       const krb5_data *result)
{
    char *message = NULL;
    enum outcome outcome = result_code == KRB5_KPASSWD_SOFTERROR
                               ? OUTCOME_PASSWORD_REJECTED
                               : OUTCOME_KDC_REFUSED;

    /* Active Directory answers with its password policy, as a structure. */
    if (krb5_chpw_message(krb->context, result, &message) != 0) {
        message = NULL;
    }
    (void)krb_refuse(krb, outcome, "%.*s%s%s", (int)code_words->length,
                     code_words->data == NULL ? "" : code_words->data,
                     message == NULL ? "" : ": ",
                     message == NULL ? "" : message);
    krb5_free_string(krb->context, message);
    return outcome;
}

/* Asks with CREDS for PASSWORD, a text. */
static enum outcome
change(struct krb *krb, krb5_creds *creds, char *password)
{
    krb5_data code_words = {0, 0, NULL};
    krb5_data result = {0, 0, NULL};
    int result_code = 0;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = krb5_change_password(
        krb->context, creds, password, &result_code, &code_words, &result);

    if (code != 0) {
        outcome = krb_said(krb, code);
        if (outcome == OUTCOME_WRONG_PASSWORD) {
            /* The old one was right: the answer is garbled. */
            outcome = OUTCOME_KDC_NONSENSE;
        }
    } else if (result_code != KRB5_KPASSWD_SUCCESS) {
        outcome = refuse(krb, result_code, &code_words, &result);
    }
    krb5_free_data_contents(krb->context, &code_words);
    krb5_free_data_contents(krb->context, &result);
    return outcome;
}

enum outcome
change_ask(struct krb *krb, const struct asker *asker,
           const struct prompts *prompts, struct bytes *new_password)
{
    struct answers answers = {0};

    if (asker->ask(asker->data, prompts, &answers) < 0 ||
        answers.count != prompts->count || span_has_nul(answers.list[0])) {
        return krb_refuse(krb, OUTCOME_NO_ANSWER, "no new password");
    }
    if (answers.list[0].length == 0 ||
        !span_equal(answers.list[0], answers.list[answers.count - 1])) {
        return krb_refuse(krb, OUTCOME_PASSWORD_MISTYPED,
                          "the two do not match");
    }
    return bytes_copy(new_password, answers.list[0]) == 0
               ? OUTCOME_SUCCESS
               : krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
}

enum outcome
change_ask_module(struct krb *krb, const struct acquire_request *request,
                  const char *name, struct bytes *new_password)
{
    char text[KRB_DETAIL_MAX];
    const struct prompts prompts = {.count = 1, .list = {{.text = text}}};

    /* A module that knows no such option looks for the text alone. */
    (void)snprintf(text, sizeof(text), "%s%s%s", MESSAGE_PROMPT_NEW_PASSWORD,
                   request->options->expose_account ? " for " : "",
                   request->options->expose_account ? name : "");
    return change_ask(krb, request->asker, &prompts, new_password);
}

enum outcome
change_password(struct krb *krb, krb5_ccache cache, struct span new_password)
{
    struct bytes text = BYTES_EMPTY;
    krb5_creds creds = {0};
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = take_ticket(krb, cache, &creds);

    if (code == 0 && (bytes_reserve(&text, new_password.length + 1) < 0 ||
                      bytes_copy(&text, new_password) < 0)) {
        code = ENOMEM;
    }
    if (code == 0) {
        text.data[text.length] = '\0';
        outcome = change(krb, &creds, (char *)text.data);
    } else {
        outcome = krb_said(krb, code);
    }
    krb5_free_cred_contents(krb->context, &creds);
    bytes_free(&text);
    return outcome;
}
