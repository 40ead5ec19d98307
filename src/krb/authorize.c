/* Who may log in as whom. */
#include "krb/authorize.h"

#include <string.h>

/* The longest local name that is compared. */
#define LOCAL_NAME_MAX 256

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
    char name[LOCAL_NAME_MAX];

    return krb5_aname_to_localname(krb->context, question->principal,
                                   (int)sizeof(name), name) == 0 &&
           strcmp(name, question->user) == 0;
}

enum outcome
authorize(struct krb *krb, const struct authorize_question *question)
{
    if (strchr(question->user, '@') != NULL) {
        return is_named(krb, question)
                   ? OUTCOME_SUCCESS
                   : krb_refuse(krb, OUTCOME_NOT_AUTHORIZED,
                                "the principal is not the one named");
    }
    if (question->ignore_k5login || !question->has_account) {
        return has_local_name(krb, question)
                   ? OUTCOME_SUCCESS
                   : krb_refuse(krb, OUTCOME_NOT_AUTHORIZED,
                                "the principal's local name is another");
    }
    if (krb5_kuserok(krb->context,
                     (krb5_principal)(uintptr_t)question->principal,
                     question->user)) {
        return OUTCOME_SUCCESS;
    }
    return krb_refuse(krb, OUTCOME_NOT_AUTHORIZED,
                      "~/.k5login does not name the principal, or it cannot "
                      "be read, or the local name is another");
}
