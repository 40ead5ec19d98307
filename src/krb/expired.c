/* The change of an expired password, in the middle of a login. */
#include "krb/expired.h"

#include <stdio.h>
#include <string.h>

#include "krb/change.h"

/* How often a new password may be typed, as libkrb5 has it. */
#define TRIES 3

static bool
is_same(struct span a, struct span b)
{
    return a.length == b.length &&
           (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/*
 * Has the asker answer PROMPTS, a new password once or twice, and takes it over
 * to *PASSWORD once it is changed.
 */
static enum outcome
ask_and_change(struct krb *krb, const struct asker *asker,
               const struct prompts *prompts, krb5_ccache cache,
               struct bytes *password)
{
    struct answers answers = {0};
    enum outcome outcome = OUTCOME_SUCCESS;

    if (asker->ask(asker->data, prompts, &answers) < 0 ||
        answers.count != prompts->count || span_has_nul(answers.list[0])) {
        return krb_refuse(krb, OUTCOME_NO_ANSWER, "no new password");
    }
    if (answers.list[0].length == 0 ||
        !is_same(answers.list[0], answers.list[answers.count - 1])) {
        return krb_refuse(krb, OUTCOME_PASSWORD_MISTYPED,
                          "the two do not match");
    }
    if (is_same(answers.list[0], bytes_span(password))) {
        /* As a host has it that answers every question with what it knows. */
        return krb_refuse(krb, OUTCOME_PASSWORD_EXPIRED,
                          "the new password is the old one");
    }
    outcome = change_password(krb, cache, answers.list[0]);
    if (outcome == OUTCOME_SUCCESS &&
        bytes_copy(password, answers.list[0]) < 0) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    return outcome;
}

/* As libkrb5 asks. */
static enum outcome
change_in_dialogue(struct krb *krb, const struct asker *asker,
                   krb5_ccache cache, struct bytes *password)
{
    static const struct prompts prompts = {
        .count = 2,
        .list = {{.text = "Enter new password"}, {.text = "Enter it again"}}};
    char text[KRB_DETAIL_MAX + 32];
    enum outcome outcome = OUTCOME_SUCCESS;

    asker->inform(asker->data, "Password expired.  You must change it now.");
    for (int i = 0; i < TRIES; i++) {
        outcome = ask_and_change(krb, asker, &prompts, cache, password);
        if (outcome != OUTCOME_PASSWORD_MISTYPED &&
            outcome != OUTCOME_PASSWORD_REJECTED) {
            break;
        }
        (void)snprintf(text, sizeof(text), "%s%s",
                       outcome == OUTCOME_PASSWORD_MISTYPED
                           ? "Passwords do not match."
                           : krb->detail,
                       i + 1 < TRIES ? "  Please try again." : "");
        asker->inform(asker->data, text);
    }
    return outcome;
}

enum outcome
expired_change(struct krb *krb, const struct acquire_request *request,
               struct bytes *password)
{
    static const struct prompts once = {
        .count = 1, .list = {{.text = MESSAGE_PROMPT_NEW_PASSWORD}}};
    struct acquire_request change = *request;
    krb5_ccache cache = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    change.service = CHANGE_SERVICE;
    change.password = bytes_span(password);
    change.password_out = NULL;
    outcome = acquire(krb, &change, &cache);
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    outcome = request->options->force_pwchange
                  ? ask_and_change(krb, request->asker, &once, cache, password)
                  : change_in_dialogue(krb, request->asker, cache, password);
    (void)krb5_cc_destroy(krb->context, cache);
    return outcome;
}
