/* The change of an expired password, in the middle of a login. */
#include "krb/expired.h"

#include <stdio.h>
#include <string.h>

#include "krb/change.h"

/* How often a new password may be typed, as libkrb5 has it. */
#define TRIES 3

/* Has *PASSWORD changed to NEW_PASSWORD, and takes it over. */
static enum outcome
change_to(struct krb *krb, krb5_ccache cache, struct span new_password,
          struct bytes *password)
{
    enum outcome outcome = OUTCOME_SUCCESS;

    if (span_equal(new_password, bytes_span(password))) {
        /* As a host has it that answers every question with what it knows. */
        return krb_refuse(krb, OUTCOME_PASSWORD_EXPIRED,
                          "the new password is the old one");
    }
    outcome = change_password(krb, cache, new_password);
    if (outcome == OUTCOME_SUCCESS && bytes_copy(password, new_password) < 0) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    return outcome;
}

/* As libkrb5 asks, once. */
static enum outcome
ask_and_change(struct krb *krb, const struct asker *asker, krb5_ccache cache,
               struct bytes *password)
{
    static const struct prompts prompts = {
        .count = 2,
        .list = {{.text = "Enter new password"}, {.text = "Enter it again"}}};
    struct bytes new_password = BYTES_EMPTY;
    enum outcome outcome = change_ask(krb, asker, &prompts, &new_password);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = change_to(krb, cache, bytes_span(&new_password), password);
    }
    bytes_free(&new_password);
    return outcome;
}

static enum outcome
change_in_dialogue(struct krb *krb, const struct asker *asker,
                   krb5_ccache cache, struct bytes *password)
{
    char text[KRB_DETAIL_MAX + 32];
    enum outcome outcome = OUTCOME_SUCCESS;

    asker->inform(asker->data, "Password expired.  You must change it now.");
    for (int i = 0; i < TRIES; i++) {
        outcome = ask_and_change(krb, asker, cache, password);
        if (outcome != OUTCOME_PASSWORD_MISTYPED &&
            outcome != OUTCOME_PASSWORD_REJECTED) {
            break;
        }
        (void)snprintf(text, sizeof(text), "%s  Please try again.",
                       outcome == OUTCOME_PASSWORD_MISTYPED
                           ? "Password mismatch."
                           : krb->detail);
        if (i + 1 < TRIES) {
            asker->inform(asker->data, text);
        }
    }
    return outcome;
}

/* As the module asks in a password line. */
static enum outcome
change_at_module(struct krb *krb, const struct acquire_request *request,
                 krb5_ccache cache, struct bytes *password)
{
    struct bytes new_password = BYTES_EMPTY;
    char *name = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code =
        krb5_unparse_name(krb->context, request->client, &name);

    if (code != 0) {
        return krb_failed(krb, code, "the principal's name");
    }
    outcome = change_ask_module(krb, request, name, &new_password);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = change_to(krb, cache, bytes_span(&new_password), password);
    }
    krb5_free_unparsed_name(krb->context, name);
    bytes_free(&new_password);
    return outcome;
}

/* A ticket for the change of PASSWORD: only who knows it gets one. */
static enum outcome
get_ticket(struct krb *krb, const struct acquire_request *request,
           struct span password, krb5_ccache *cache_out)
{
    struct acquire_request change = *request;

    change.service = CHANGE_SERVICE;
    change.password = password;
    change.password_out = NULL;
    change.checks_expired = false;
    return acquire(krb, &change, cache_out);
}

enum outcome
expired_check(struct krb *krb, const struct acquire_request *request,
              struct span password)
{
    krb5_ccache cache = NULL;
    enum outcome outcome = get_ticket(krb, request, password, &cache);

    if (outcome == OUTCOME_SUCCESS) {
        (void)krb5_cc_destroy(krb->context, cache);
    }
    return outcome;
}

enum outcome
expired_change(struct krb *krb, const struct acquire_request *request,
               struct bytes *password)
{
    krb5_ccache cache = NULL;
    enum outcome outcome =
        get_ticket(krb, request, bytes_span(password), &cache);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    outcome = request->options->force_pwchange
                  ? change_at_module(krb, request, cache, password)
                  : change_in_dialogue(krb, request->asker, cache, password);
    (void)krb5_cc_destroy(krb->context, cache);
    return outcome;
}
