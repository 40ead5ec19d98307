/*
 * The AS exchange.  libkrb5 is called without a password; it sends the first
 * request, learns what the KDC wants, and only then calls the prompter, which
 * is how the first round trip is over before the user has typed anything.
 */
#include "krb/acquire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE_S INT64_C(60)
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)

/* A password that expires within this time is worth a word (kinit's limit). */
#define EXPIRY_WARNING_S (7 * DAY_S)

/* What a ticket for one service is good for, as kpasswd has it. */
#define SERVICE_LIFETIME_S (5 * 60)

/* One acquisition; what libkrb5's callbacks need to know. */
struct acquisition {
    struct krb *krb;
    const struct acquire_request *request;
    krb5_get_init_creds_opt *options;
    krb5_ccache cache;
    bool was_asked;   /* for the password */
    bool has_prompts; /* been shown any */
    /* A copy of the password, for when libkrb5 does not ask itself. */
    struct bytes password;
};

/* Copies ANSWERS to where libkrb5 wants them. */
static krb5_error_code
give_answers(const struct answers *answers, krb5_prompt prompts[])
{
    for (uint32_t i = 0; i < answers->count; i++) {
        struct span answer = answers->list[i];
        krb5_data *reply = prompts[i].reply;

        if (answer.length >= reply->length || span_has_nul(answer)) {
            return KRB5_LIBOS_CANTREADPWD;
        }
        if (answer.length > 0) {
            memcpy(reply->data, answer.data, answer.length);
        }
        reply->data[answer.length] = '\0';
        reply->length = (unsigned int)answer.length;
    }
    return 0;
}

static krb5_error_code
ask(struct acquisition *acquisition, const struct prompts *prompts,
    struct answers *answers_out)
{
    const struct asker *asker = acquisition->request->asker;

    if (asker->ask(asker->data, prompts, answers_out) < 0 ||
        answers_out->count != prompts->count) {
        return KRB5_LIBOS_PWDINTR;
    }
    return 0;
}

/* Keeps PASSWORD, with a NUL behind it. */
static krb5_error_code
keep_password(struct acquisition *acquisition, struct span password)
{
    struct bytes *kept = &acquisition->password;

    if (bytes_reserve(kept, password.length + 1) < 0 ||
        bytes_copy(kept, password) < 0) {
        return ENOMEM;
    }
    kept->data[kept->length] = '\0';
    return 0;
}

/* The password among ANSWERS to PROMPTS, for what comes after this exchange. */
static krb5_error_code
remember(struct acquisition *acquisition, const struct prompts *prompts,
         const struct answers *answers)
{
    krb5_error_code code = 0;

    for (uint32_t i = 0; code == 0 && i < answers->count; i++) {
        if (prompts->list[i].is_password &&
            acquisition->request->password_out != NULL) {
            code = keep_password(acquisition, answers->list[i]);
        }
    }
    return code;
}

static bool
takes_no_password(const struct acquisition *acquisition)
{
    return acquisition->request->options->use_pkinit;
}

static bool
asks_for_password(const struct prompts *prompts)
{
    for (uint32_t i = 0; i < prompts->count; i++) {
        if (prompts->list[i].is_password) {
            return true;
        }
    }
    return false;
}

/* libkrb5's prompter callback (krb5_prompter_fct). */
static krb5_error_code
prompter(krb5_context context, void *data, const char *name, const char *banner,
         int count, krb5_prompt prompts[])
{
    struct acquisition *acquisition = data;
    const struct asker *asker = acquisition->request->asker;
    krb5_prompt_type *types = krb5_get_prompt_types(context);
    struct prompts asked = {.count = (uint32_t)count};
    struct answers answers = {0};
    krb5_error_code code = 0;

    if (name != NULL) {
        asker->inform(asker->data, name);
    }
    if (banner != NULL) {
        asker->inform(asker->data, banner);
    }
    if (count < 0 || count > MESSAGE_PROMPTS_MAX) {
        return KRB5_LIBOS_CANTREADPWD;
    }
    for (int i = 0; i < count; i++) {
        bool is_password =
            types != NULL && types[i] == KRB5_PROMPT_TYPE_PASSWORD;

        asked.list[i] = (struct prompt){
            .text =
                is_password ? acquisition->request->account : prompts[i].prompt,
            .echo = !prompts[i].hidden,
            .is_password = is_password,
        };
    }
    if (count == 0) {
        return 0;
    }
    if (asks_for_password(&asked)) {
        if (takes_no_password(acquisition)) {
            return KRB5_LIBOS_CANTREADPWD;
        }
        acquisition->was_asked = true;
    }
    acquisition->has_prompts = true;
    code = ask(acquisition, &asked, &answers);
    if (code == 0) {
        code = remember(acquisition, &asked, &answers);
    }
    return code != 0 ? code : give_answers(&answers, prompts);
}

/* libkrb5's expire callback: says so while there is time. */
static void
expiry_callback(krb5_context context, void *data,
                krb5_timestamp password_expiration,
                krb5_timestamp account_expiration, krb5_boolean is_last_req)
{
    const struct acquisition *acquisition = data;
    const struct asker *asker = acquisition->request->asker;
    krb5_timestamp now = 0;
    int64_t left = 0;
    char text[128];

    (void)account_expiration;
    (void)is_last_req;
    if (password_expiration == 0 || krb5_timeofday(context, &now) != 0) {
        return;
    }
    left = (int64_t)(uint32_t)password_expiration - (int64_t)(uint32_t)now;
    if (left < 0 || left > EXPIRY_WARNING_S) {
        return;
    }
    if (left < 2 * HOUR_S) {
        (void)snprintf(text, sizeof(text),
                       "Your password expires in %d minutes.",
                       (int)(left / MINUTE_S));
    } else if (left < 2 * DAY_S) {
        (void)snprintf(text, sizeof(text), "Your password expires in %d hours.",
                       (int)(left / HOUR_S));
    } else {
        (void)snprintf(text, sizeof(text), "Your password expires in %d days.",
                       (int)(left / DAY_S));
    }
    asker->inform(asker->data, text);
}

/*
 * The lifetime that TEXT asks for, 0 where it is NULL or makes no sense, which
 * is said.
 */
static krb5_deltat
lifetime(struct krb *krb, const char *name, char *text)
{
    krb5_deltat seconds = 0;

    /* krb5_string_to_deltat takes any letters behind a number. */
    if (text != NULL &&
        (text[strspn(text, "0123456789dhms: ")] != '\0' ||
         krb5_string_to_deltat(text, &seconds) != 0 || seconds <= 0)) {
        log_line(krb->log, LOG_LEVEL_ERROR, "%s=%s is no lifetime: ignored",
                 name, text);
        return 0;
    }
    return seconds;
}

/* What a TGT is asked for with. */
static krb5_error_code
prepare_for_tgt(struct acquisition *acquisition)
{
    const struct options *options = acquisition->request->options;
    krb5_get_init_creds_opt *made = acquisition->options;
    krb5_deltat seconds = 0;

    if (options->forwardable) {
        krb5_get_init_creds_opt_set_forwardable(made, 1);
    }
    seconds =
        lifetime(acquisition->krb, "ticket_lifetime", options->ticket_lifetime);
    if (seconds > 0) {
        krb5_get_init_creds_opt_set_tkt_life(made, seconds);
    }
    seconds =
        lifetime(acquisition->krb, "renew_lifetime", options->renew_lifetime);
    if (seconds > 0) {
        krb5_get_init_creds_opt_set_renew_life(made, seconds);
    }
    return krb5_get_init_creds_opt_set_expire_callback(
        acquisition->krb->context, made, expiry_callback, acquisition);
}

/* A ticket that is used at once, and whatever krb5.conf says no more. */
static krb5_error_code
prepare_for_service(struct acquisition *acquisition)
{
    krb5_get_init_creds_opt *made = acquisition->options;

    krb5_get_init_creds_opt_set_tkt_life(made, SERVICE_LIFETIME_S);
    krb5_get_init_creds_opt_set_renew_life(made, 0);
    krb5_get_init_creds_opt_set_forwardable(made, 0);
    krb5_get_init_creds_opt_set_proxiable(made, 0);
    return 0;
}

static krb5_error_code
prepare_options(struct acquisition *acquisition)
{
    krb5_context context = acquisition->krb->context;
    krb5_get_init_creds_opt *made = NULL;
    krb5_error_code code = krb5_get_init_creds_opt_alloc(context, &made);

    if (code != 0) {
        return code;
    }
    acquisition->options = made;
    code = acquisition->request->service == NULL
               ? prepare_for_tgt(acquisition)
               : prepare_for_service(acquisition);
    if (code == 0) {
        code = preauth_prepare(acquisition->krb, acquisition->request->preauth,
                               made);
    }
    if (code == 0) {
        code = krb5_cc_new_unique(context, "MEMORY", NULL, &acquisition->cache);
    }
    if (code == 0) {
        code = krb5_get_init_creds_opt_set_out_ccache(context, made,
                                                      acquisition->cache);
    }
    return code;
}

static void
release_options(struct acquisition *acquisition)
{
    krb5_context context = acquisition->krb->context;

    if (acquisition->cache != NULL) {
        (void)krb5_cc_destroy(context, acquisition->cache);
        acquisition->cache = NULL;
    }
    krb5_get_init_creds_opt_free(context, acquisition->options);
    acquisition->options = NULL;
}

/*
 * An AS exchange with a password that was just changed: libkrb5 goes on to the
 * primary KDC where a replica does not know it yet.
 */
static krb5_error_code
exchange_with_primary(struct acquisition *acquisition)
{
    krb5_context context = acquisition->krb->context;
    krb5_creds creds = {0};
    krb5_error_code code = krb5_get_init_creds_password(
        context, &creds, acquisition->request->client,
        (const char *)acquisition->password.data, NULL, NULL, 0, NULL,
        acquisition->options);

    krb5_free_cred_contents(context, &creds);
    return code;
}

/* One AS exchange, with acquisition->password where that is not empty. */
static krb5_error_code
exchange(struct acquisition *acquisition)
{
    krb5_context context = acquisition->krb->context;
    krb5_init_creds_context exchange_context = NULL;
    krb5_error_code code = krb5_init_creds_init(
        context, acquisition->request->client, prompter, acquisition, 0,
        acquisition->options, &exchange_context);

    if (code == 0 && acquisition->request->service != NULL) {
        code = krb5_init_creds_set_service(context, exchange_context,
                                           acquisition->request->service);
    }
    if (code == 0 && acquisition->password.length > 0 &&
        !takes_no_password(acquisition)) {
        code = krb5_init_creds_set_password(
            context, exchange_context,
            (const char *)acquisition->password.data);
    }
    if (code == 0) {
        code = krb5_init_creds_get(context, exchange_context);
    }
    krb5_init_creds_free(context, exchange_context);
    return code;
}

/* Asks for the password though libkrb5 did not want it. */
static krb5_error_code
ask_all_the_same(struct acquisition *acquisition)
{
    const struct prompts prompts = {
        .count = 1,
        .list[0] = {.text = acquisition->request->account, .is_password = true},
    };
    struct answers answers = {0};
    krb5_error_code code = ask(acquisition, &prompts, &answers);

    return code != 0 ? code : keep_password(acquisition, answers.list[0]);
}

/* What a known principal's password would have cost. */
static void
compute_key_in_vain(struct acquisition *acquisition)
{
    krb5_context context = acquisition->krb->context;
    krb5_data password = {
        .magic = KV5M_DATA,
        .length = (unsigned int)acquisition->password.length,
        .data = (char *)acquisition->password.data,
    };
    krb5_data salt = {0, 0, NULL};
    krb5_keyblock key = {0};

    if (krb5_principal2salt(context, acquisition->request->client, &salt) ==
        0) {
        (void)krb5_c_string_to_key(context, ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                   &password, &salt, &key);
        krb5_free_keyblock_contents(context, &key);
        krb5_free_data_contents(context, &salt);
    }
}

/* Whether the KDC has refused the principal before it saw a password. */
static bool
refuses_principal(enum outcome outcome)
{
    return outcome == OUTCOME_UNKNOWN_PRINCIPAL ||
           outcome == OUTCOME_PRINCIPAL_LOCKED ||
           outcome == OUTCOME_PRINCIPAL_EXPIRED ||
           outcome == OUTCOME_PASSWORD_EXPIRED;
}

/*
 * The KDC does not want this principal.  Nobody shall learn that without the
 * price of a wrong password: the prompt, a round trip after it, a key.
 */
static krb5_error_code
refuse_slowly(struct acquisition *acquisition, krb5_error_code refusal)
{
    krb5_error_code code = 0;

    if (acquisition->password.length == 0) {
        code = ask_all_the_same(acquisition);
        if (code != 0) {
            return code;
        }
    }
    if (krb_outcome(refusal) == OUTCOME_PASSWORD_EXPIRED &&
        acquisition->request->checks_expired) {
        /* The price is paid in finding out whether it is the right one. */
        return refusal;
    }
    compute_key_in_vain(acquisition);
    return exchange(acquisition);
}

/* The card may need a moment: what is typed means nothing. */
static krb5_error_code
ask_for_card(struct acquisition *acquisition)
{
    const struct options *options = acquisition->request->options;
    struct preauth *preauth = acquisition->request->preauth;
    const struct prompts prompts = {
        .count = 1,
        .list[0] = {.text = options->use_pkinit
                                ? "Insert smart card and press Enter: "
                                : "Insert smart card if desired, then press "
                                  "Enter: "},
    };
    struct answers answers = {0};

    if (!options->pkinit_prompt || !preauth_wants_pkinit(options) ||
        preauth->has_asked_for_card) {
        return 0;
    }
    preauth->has_asked_for_card = true;
    return ask(acquisition, &prompts, &answers);
}

/*
 * Whether the same exchange with less about it may fare better than CODE: but
 * who has answered a question is not asked the same once more.
 */
static bool
can_do_with_less(struct acquisition *acquisition, krb5_error_code code)
{
    struct krb *krb = acquisition->krb;
    struct preauth *preauth = acquisition->request->preauth;

    return (!acquisition->has_prompts &&
            preauth_drops_armor(krb, preauth, code)) ||
           (!acquisition->was_asked &&
            preauth_drops_pkinit(krb, preauth, code));
}

static krb5_error_code
prepare_and_exchange(struct acquisition *acquisition)
{
    krb5_error_code code = prepare_options(acquisition);

    if (code == 0) {
        code = acquisition->request->is_new_password
                   ? exchange_with_primary(acquisition)
                   : exchange(acquisition);
    }
    return code;
}

/* The AS exchange; again where armor or certificate is in its way. */
static krb5_error_code
exchange_until_done(struct acquisition *acquisition)
{
    krb5_error_code code = prepare_and_exchange(acquisition);

    while (can_do_with_less(acquisition, code)) {
        release_options(acquisition);
        code = prepare_and_exchange(acquisition);
    }
    return code;
}

/* The certificate was the only way, and led nowhere. */
static void
explain_pkinit(const struct acquisition *acquisition)
{
    const struct asker *asker = acquisition->request->asker;

    if (acquisition->request->options->use_pkinit) {
        asker->inform(asker->data, "PKINIT failed");
    }
}

enum outcome
acquire(struct krb *krb, const struct acquire_request *request,
        krb5_ccache *cache_out)
{
    struct acquisition acquisition = {.krb = krb, .request = request};
    enum outcome outcome = OUTCOME_SUCCESS;
    krb5_error_code code = ask_for_card(&acquisition);

    *cache_out = NULL;
    if (code == 0 && request->password.length > 0) {
        code = keep_password(&acquisition, request->password);
    }
    if (code == 0) {
        code = exchange_until_done(&acquisition);
        /* Who was asked has had his round trip: no second prompt. */
        if (!acquisition.was_asked && !request->is_new_password &&
            !takes_no_password(&acquisition) &&
            refuses_principal(krb_outcome(code))) {
            code = refuse_slowly(&acquisition, code);
        }
    }
    if (code == 0) {
        code = preauth_check(krb, request->preauth, acquisition.cache);
    }
    if (code != 0) {
        outcome = krb_said(krb, code);
        explain_pkinit(&acquisition);
        if (acquisition.password.length > 0 && request->password_out != NULL &&
            bytes_copy(request->password_out,
                       bytes_span(&acquisition.password)) < 0) {
            outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
        }
        goto out;
    }
    *cache_out = acquisition.cache;
    acquisition.cache = NULL;
out:
    release_options(&acquisition);
    bytes_free(&acquisition.password);
    return outcome;
}

void
acquire_in_vain(struct krb *krb, const struct acquire_request *request)
{
    struct acquisition acquisition = {.krb = krb, .request = request};

    if (request->password.length == 0) {
        (void)ask_all_the_same(&acquisition);
    }
    bytes_free(&acquisition.password);
}
