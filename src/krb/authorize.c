/* Who may log in as whom. */
#include "krb/authorize.h"

#include <stdlib.h>
#include <string.h>

#include "krb/names.h"

/* A user named with a realm is that principal and no other. */
static bool
is_named(struct krb *krb, const struct authorize_question *question)
{
    krb5_principal named = NULL;
    bool same = false;

    if (krb5_parse_name(krb->context, question->user, &named) == 0) {
        same = krb5_principal_compare(krb->context, named, question->principal);
        krb5_free_principal(krb->context, named);
    }
    return same;
}

static bool
has_local_name(struct krb *krb, const struct authorize_question *question)
{
    char *name = names_local(krb, question->principal);
    bool same = name != NULL && strcmp(name, question->user) == 0;

    free(name);
    return same;
}

/* Says who may not log in as whom, and why. */
static enum outcome
refuse(struct krb *krb, const struct authorize_question *question,
       const char *why)
{
    char *name = NULL;

    if (krb5_unparse_name(krb->context, question->principal, &name) != 0) {
        return krb_refuse(krb, OUTCOME_NOT_AUTHORIZED, "%s", why);
    }
    (void)krb_refuse(krb, OUTCOME_NOT_AUTHORIZED, "%s may not log in as %s: %s",
                     name, question->user, why);
    krb5_free_unparsed_name(krb->context, name);
    return OUTCOME_NOT_AUTHORIZED;
}

enum outcome
authorize(struct krb *krb, const struct authorize_question *question)
{
    if (question->mapped != NULL &&
        krb5_principal_compare(krb->context, question->principal,
                               question->mapped)) {
        return OUTCOME_SUCCESS;
    }
    if (names_has_realm(question->user)) {
        return is_named(krb, question)
                   ? OUTCOME_SUCCESS
                   : refuse(krb, question, "it is not the principal named");
    }
    if (question->ignore_k5login || !question->has_account) {
        return has_local_name(krb, question)
                   ? OUTCOME_SUCCESS
                   : refuse(krb, question, "its local name is another");
    }
    /* krb5_kuserok takes a principal that it does not write to. */
    if (krb5_kuserok(krb->context,
                     (krb5_principal)(uintptr_t)question->principal,
                     question->user)) {
        return OUTCOME_SUCCESS;
    }
    return refuse(krb, question,
                  "~/.k5login does not name it or cannot be read, or its "
                  "local name is another");
}
