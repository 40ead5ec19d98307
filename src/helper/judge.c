/* The judge. */
#include "helper/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "helper/principals.h"
#include "helper/relay.h"
#include "krb/appdefaults.h"
#include "krb/authorize.h"
#include "krb/ccache.h"
#include "krb/names.h"
#include "krb/probe.h"
#include "krb/renew.h"
#include "krb/verify.h"

/* Copies the present cause to put it into the next one. */
static void
copy_detail(char cause[KRB_DETAIL_MAX], const struct krb *krb)
{
    memcpy(cause, krb->detail, KRB_DETAIL_MAX);
}

/* What a KDC will be verified with, found before it is asked. */
struct verification {
    int64_t started;            /* when this login began, by our clock */
    enum outcome outcome;       /* of the search for candidates */
    char cause[KRB_DETAIL_MAX]; /* why there are no candidates */
    struct verify_candidates candidates;
    uint8_t nonce[CHALLENGE_NONCE_LENGTH]; /* of the challenge that is out */
};

static enum outcome
draw_nonce(struct krb *krb, struct verification *verification)
{
    size_t length = sizeof(verification->nonce);

    if (getrandom(verification->nonce, length, 0) != (ssize_t)length) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED, "no random numbers");
    }
    return OUTCOME_SUCCESS;
}

/* The challenge for candidate INDEX, over the present nonce. */
static struct challenge
challenge_of(const struct verification *verification, size_t index)
{
    return (struct challenge){
        .service = verification->candidates.list[index],
        .nonce = {.data = verification->nonce,
                  .length = sizeof(verification->nonce)},
    };
}

/*
 * Finds the candidates; the first one's challenge, where there is one.  What
 * goes wrong is told once there are tickets to verify: until then it is
 * nobody's business.
 */
static struct challenge
find_candidates(struct helper *helper, struct krb *krb,
                struct verification *verification)
{
    bool has_any = false;

    verification->outcome =
        verify_list(krb, helper->options.keytab, &verification->candidates);
    has_any = verification->candidates.count > 0;
    if (verification->outcome == OUTCOME_SUCCESS && has_any) {
        verification->outcome = draw_nonce(krb, verification);
    }
    copy_detail(verification->cause, krb);
    return verification->outcome == OUTCOME_SUCCESS && has_any
               ? challenge_of(verification, 0)
               : (struct challenge){0};
}

/* What came of the search, with its cause in KRB. */
static enum outcome
recall_search(struct krb *krb, const struct verification *verification)
{
    return krb_refuse(krb, verification->outcome, "%s", verification->cause);
}

/* Challenges the exchange for candidate INDEX, with a fresh nonce. */
static enum outcome
send_challenge(struct helper *helper, struct krb *krb,
               struct verification *verification, size_t index)
{
    struct bytes payload = BYTES_EMPTY;
    struct challenge challenge = {0};
    enum outcome outcome = draw_nonce(krb, verification);

    if (outcome == OUTCOME_SUCCESS) {
        challenge = challenge_of(verification, index);
        challenge_pack(&payload, &challenge);
        line_send(&helper->exchange, MESSAGE_CHALLENGE, &payload);
        bytes_free(&payload);
    }
    return outcome;
}

/*
 * Candidate INDEX: the exchange's AP-REQ over the nonce, our judgement.  The
 * first challenge went out with the BEGIN; behind the last one nothing more is
 * wanted of the exchange.
 */
static enum outcome
try_candidate(struct helper *helper, struct krb *krb,
              struct verification *verification, size_t index,
              struct verify_claim *claim, krb5_principal *identity_out)
{
    struct challenge challenge;
    struct proof proof = {0};
    struct message message;
    enum outcome outcome =
        index == 0 ? OUTCOME_SUCCESS
                   : send_challenge(helper, krb, verification, index);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    message = relay_hear(helper, MESSAGE_PROOF);
    if (index + 1 == verification->candidates.count) {
        relay_hang_up(helper);
    }
    if (proof_unpack(bytes_span(&message.payload), &proof) < 0) {
        line_hang_up();
    }
    outcome = proof.outcome;
    if (outcome != OUTCOME_SUCCESS) {
        (void)krb_refuse(krb, outcome, "%s", proof.detail);
    } else {
        challenge = challenge_of(verification, index);
        claim->service = challenge.service;
        claim->nonce = challenge.nonce;
        claim->ap_req = proof.ap_req;
        outcome = verify_check(krb, claim, identity_out);
    }
    message_free(&message);
    claim->ap_req = (struct span){0};
    return outcome;
}

/*
 * Tries the candidates in turn until one verifies.  Whatever the exchange says
 * of a failure only chooses between two refusals.
 */
static enum outcome
try_candidates(struct helper *helper, struct krb *krb,
               struct verification *verification, struct verify_claim *claim,
               krb5_principal *identity_out)
{
    const struct verify_candidates *candidates = &verification->candidates;
    bool unreachable = true;
    char cause[KRB_DETAIL_MAX];

    for (size_t i = 0; i < candidates->count; i++) {
        enum outcome outcome =
            try_candidate(helper, krb, verification, i, claim, identity_out);

        if (outcome == OUTCOME_SUCCESS) {
            log_line(&helper->log, LOG_LEVEL_DEBUG,
                     "KDC verified with the key of %s", candidates->list[i]);
            return outcome;
        }
        log_line(&helper->log, LOG_LEVEL_DEBUG, "not verified with %s: %s",
                 candidates->list[i], krb->detail);
        unreachable &= outcome == OUTCOME_KDC_UNREACHABLE;
    }
    if (unreachable) {
        return OUTCOME_KDC_UNREACHABLE;
    }
    copy_detail(cause, krb);
    return krb_refuse(krb, OUTCOME_UNVERIFIED,
                      "%.400s; the keytab is out of date, or the KDC is not "
                      "ours",
                      cause);
}

/* Whether PRINCIPAL is of the realm that the administrator has chosen. */
static bool
is_of_default_realm(struct krb *krb, krb5_const_principal principal)
{
    char *realm = NULL;
    bool same = false;

    if (krb5_get_default_realm(krb->context, &realm) == 0) {
        same =
            strlen(realm) == principal->realm.length &&
            memcmp(realm, principal->realm.data, principal->realm.length) == 0;
        krb5_free_default_realm(krb->context, realm);
    }
    return same;
}

/*
 * Whoever types a realm chooses the KDC: without an account here, that one's
 * word is only his own.
 */
static bool
is_users_choice(const struct helper *helper, struct krb *krb,
                krb5_const_principal principal)
{
    return !helper->request.has_account && !is_of_default_realm(krb, principal);
}

/*
 * Without a host key: whether krb5.conf insists on one, or the realm is the
 * user's choice.
 */
static enum outcome
accept_one_unverified(struct helper *helper, struct krb *krb,
                      krb5_const_principal asked, const char *cause)
{
    const char *reason = "verify_ap_req_nofail is set";
    bool insists = false;
    enum outcome outcome = krb_libdefault_flag(
        krb, &asked->realm, "verify_ap_req_nofail", &insists);
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (options_gives(&helper->options, "allow_kdc_spoof")) {
        insists = !helper->options.allow_kdc_spoof;
        reason = "allow_kdc_spoof is false";
    }
    if (insists) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED, "%s, but %.400s", reason,
                          cause);
    }
    if (is_users_choice(helper, krb, asked)) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED,
                          "a realm of the user's choice, and no host key to "
                          "verify its KDC with");
    }
    return OUTCOME_SUCCESS;
}

/* The same of all whom the tickets may be of. */
static enum outcome
accept_unverified(struct helper *helper, struct krb *krb,
                  const struct principals *asked)
{
    char cause[KRB_DETAIL_MAX];
    enum outcome outcome = OUTCOME_SUCCESS;

    copy_detail(cause, krb);
    for (uint32_t i = 0; i < asked->count && outcome == OUTCOME_SUCCESS; i++) {
        outcome = accept_one_unverified(helper, krb, asked->list[i], cause);
    }
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&helper->log, LOG_LEVEL_NOTICE, "the KDC is not verified: %s",
                 cause);
    }
    return outcome;
}

/*
 * Takes over the KDC's clock as the exchange has found it; a clock that is off
 * is worth a word, since an exchange that lies would begin here.
 */
static enum outcome
take_offset(struct helper *helper, struct krb *krb, struct span tickets)
{
    struct krb_offset offset = tickets_offset(tickets);
    int64_t skew = krb_clockskew(krb);

    if (offset.seconds > skew || offset.seconds < -skew) {
        log_line(&helper->log, LOG_LEVEL_NOTICE,
                 "the KDC's clock and ours differ by %lld seconds",
                 (long long)offset.seconds);
    }
    return krb_offset_apply(krb, offset);
}

/*
 * Whose tickets these are, as the KDC proves it; NULL where there is no host
 * key to prove it with and krb5.conf does not insist.
 */
static enum outcome
verify(struct helper *helper, struct krb *krb, const struct principals *asked,
       struct verification *verification, struct span tickets,
       krb5_principal *identity_out)
{
    struct verify_claim claim = {.keytab = helper->options.keytab};
    enum outcome outcome = take_offset(helper, krb, tickets);

    *identity_out = NULL;
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    claim.started = verification->started + tickets_offset(tickets).seconds;
    claim.clockskew = krb_clockskew(krb);
    outcome = recall_search(krb, verification);
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    return verification->candidates.count == 0
               ? accept_unverified(helper, krb, asked)
               : try_candidates(helper, krb, verification, &claim,
                                identity_out);
}

/*
 * From here on without root: the user whom the request is about, or, where
 * there is no such account, the one that also talks to the KDC.  In a host
 * that is not root we stay who we are.
 */
static enum outcome
leave_root(struct helper *helper, struct krb *krb)
{
    enum outcome outcome = OUTCOME_SUCCESS;

    if (!identity_is_root()) {
        return OUTCOME_SUCCESS;
    }
    if (helper->request.has_account) {
        return helper_become_user(helper, krb);
    }
    outcome = identity_become_account(&helper->account);
    return outcome == OUTCOME_SUCCESS
               ? outcome
               : krb_refuse(krb, outcome, "cannot leave root's identity");
}

/* Whether CLIENT may stand for ASKED: one of them, or canonicalized by wish. */
static bool
answers_to(struct krb *krb, krb5_const_principal client,
           const struct principals *asked)
{
    bool canonicalize = false;

    if (principals_have(krb, asked, client)) {
        return true;
    }
    for (uint32_t i = 0; i < asked->count && !canonicalize; i++) {
        if (krb_libdefault_flag(krb, &asked->list[i]->realm, "canonicalize",
                                &canonicalize) != OUTCOME_SUCCESS) {
            return false;
        }
    }
    return canonicalize;
}

/* Whether CLIENT may log in as the user; then it is the result's principal. */
static enum outcome
let_in(struct helper *helper, struct krb *krb, const struct principals *asked,
       krb5_const_principal client, struct job_result *result)
{
    char *name = NULL;

    if (krb5_unparse_name(krb->context, client, &name) != 0 ||
        (result->principal = strdup(name)) == NULL) {
        krb5_free_unparsed_name(krb->context, name);
        return krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    krb5_free_unparsed_name(krb->context, name);
    return authorize(krb,
                     &(struct authorize_question){
                         .principal = client,
                         .mapped = asked->has_mapped ? asked->list[0] : NULL,
                         .user = helper->request.user,
                         .has_account = helper->request.has_account,
                         .ignore_k5login = helper->options.ignore_k5login ||
                                           helper->options.no_user_check,
                     });
}

/*
 * The last checks, as the user: every ticket is the identity's, the identity
 * is the one that was asked for, and it may log in as this user.
 */
static enum outcome
settle(struct helper *helper, struct krb *krb, const struct principals *asked,
       krb5_const_principal identity, struct job_result *result)
{
    struct tickets tickets = {0};
    enum outcome outcome =
        tickets_unpack(krb, bytes_span(&result->tickets), &tickets);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if ((identity != NULL &&
         !krb5_principal_compare(krb->context, identity, tickets.client)) ||
        !answers_to(krb, tickets.client, asked) ||
        krb5_principal_compare_any_realm(krb->context, tickets.client,
                                         krb5_anonymous_principal()) ||
        !tickets_are_fresh(krb, &tickets)) {
        outcome = krb_refuse(krb, OUTCOME_UNVERIFIED,
                             "the tickets are not those asked for");
        goto out;
    }
    outcome = let_in(helper, krb, asked, tickets.client, result);
out:
    tickets_free(krb, &tickets);
    return outcome;
}

/*
 * Which of ASKED it was whose password was right, where the exchange has a name
 * to say and no tickets.
 */
static enum outcome
find_named(struct krb *krb, const struct principals *asked, uint32_t *index_out)
{
    krb5_principal said = NULL;
    uint32_t i = asked->count;

    if (krb5_parse_name(krb->context, krb->detail, &said) == 0) {
        for (i = 0; i < asked->count; i++) {
            if (krb5_principal_compare(krb->context, said, asked->list[i])) {
                break;
            }
        }
        krb5_free_principal(krb->context, said);
    }
    if (i == asked->count) {
        return krb_refuse(krb, OUTCOME_UNVERIFIED,
                          "the principal is not one asked for");
    }
    *index_out = i;
    return OUTCOME_SUCCESS;
}

/*
 * Whether the KDC of CLIENT, one of ASKED, is one that can be verified after
 * the change.  What would be refused then is refused now: a host that looks at
 * authenticate alone has nothing else.
 */
static enum outcome
accept_deferred(struct helper *helper, struct krb *krb,
                const struct principals *asked,
                const struct verification *verification,
                krb5_const_principal client)
{
    enum outcome outcome = recall_search(krb, verification);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (verification->candidates.count == 0) {
        return accept_unverified(helper, krb, asked);
    }
    return is_users_choice(helper, krb, client)
               ? krb_refuse(krb, OUTCOME_UNVERIFIED,
                            "a realm of the user's choice, whose KDC is not "
                            "verified before the change")
               : OUTCOME_SUCCESS;
}

/*
 * Where the exchange says that the password was right, but has expired, there
 * are no tickets that could be verified, and the host is told to have it
 * changed first (defer_pwchange).
 */
static enum outcome
settle_deferred(struct helper *helper, struct krb *krb,
                const struct principals *asked,
                const struct verification *verification,
                struct job_result *result)
{
    uint32_t index = 0;
    enum outcome outcome = find_named(krb, asked, &index);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = accept_deferred(helper, krb, asked, verification,
                                  asked->list[index]);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = leave_root(helper, krb);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = let_in(helper, krb, asked, asked->list[index], result);
    }
    return outcome == OUTCOME_SUCCESS ? OUTCOME_CHANGE_DEFERRED : outcome;
}

/*
 * Has the exchange ask a KDC for tickets of ASKED, whose password it gets, and
 * answer CHALLENGE, where it is one, with them.
 */
static void
let_acquire(struct helper *helper, struct krb *krb,
            const struct principals *asked, struct challenge challenge)
{
    struct begin begin = {
        .challenge = challenge,
        .count = asked->count,
        .account = asked->account,
        .first_decides = asked->has_mapped && helper->options.force_alt_auth,
    };

    memcpy(begin.names, asked->names, sizeof(begin.names));
    relay_begin(helper, krb, &begin);
}

/* Lets the module know whom the user has named, so that he is not asked again.
 */
static void
tell_account(const struct helper *helper, const struct principals *asked,
             struct job_result *result)
{
    if (helper->options.prompt_principal && result->principal == NULL &&
        asked->account != NULL) {
        result->principal = strdup(asked->account);
    }
}

/* Says in the log who is tried, but no name that may be a password. */
static void
tell_principals(const struct helper *helper, const struct principals *asked)
{
    bool may_tell =
        helper->request.has_account && !helper->options.prompt_principal;

    for (uint32_t i = 0; may_tell && i < asked->count; i++) {
        log_line(&helper->log, LOG_LEVEL_DEBUG, "principal %s",
                 asked->names[i]);
    }
}

/* The tickets are ASKED's, as far as anybody can tell, who may log in. */
static enum outcome
judge_tickets(struct helper *helper, struct krb *krb,
              const struct principals *asked, struct verification *verification,
              struct job_result *result)
{
    krb5_principal identity = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (asked->count == 0) {
        return krb_refuse(krb, OUTCOME_UNKNOWN_PRINCIPAL,
                          "the user's name is no principal");
    }
    outcome = verify(helper, krb, asked, verification,
                     bytes_span(&result->tickets), &identity);
    relay_hang_up(helper);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = leave_root(helper, krb);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = settle(helper, krb, asked, identity, result);
    }
    krb5_free_principal(krb->context, identity);
    return outcome;
}

enum outcome
judge_acquire(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct verification verification = {.started = (int64_t)time(NULL)};
    struct principals asked = {0};
    enum outcome outcome = helper_greet(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = relay_settle(helper, krb);
    }
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (identity_is_root() && helper->account.is_fallback) {
        log_line(&helper->log, LOG_LEVEL_NOTICE,
                 "account %s is missing: the network part runs as the user "
                 "nobody; run systemd-sysusers",
                 HELPER_USER);
    }
    outcome = principals_find(helper, krb, &asked);
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&helper->log, LOG_LEVEL_DEBUG,
                 "asking a KDC for tickets as uid %u, with %s password",
                 (unsigned int)(identity_is_root() ? helper->account.uid
                                                   : geteuid()),
                 helper->request.password.length > 0 ? "the stacked"
                                                     : "the user's");
        tell_principals(helper, &asked);
        let_acquire(helper, krb, &asked,
                    find_candidates(helper, krb, &verification));
        outcome = relay_hear_tickets(helper, krb, &result->tickets);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = judge_tickets(helper, krb, &asked, &verification, result);
    } else if (outcome == OUTCOME_CHANGE_DEFERRED) {
        outcome = settle_deferred(helper, krb, &asked, &verification, result);
    }
    result->local_user = helper->local_user;
    tell_account(helper, &asked, result);
    verify_candidates_free(&verification.candidates);
    principals_free(krb, &asked);
    return outcome;
}

/* The TGT in the cache NAME, alone, where it can be renewed. */
static enum outcome
read_renewable(struct krb *krb, const char *name, struct tickets *all_out,
               struct bytes *packed)
{
    struct tickets alone = {0};
    krb5_creds *list[2] = {NULL, NULL};
    krb5_ccache memory = NULL;
    enum outcome outcome = ccache_read(krb, name, all_out);

    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (krb_offset_check(krb, krb_offset_learned(krb)) != OUTCOME_SUCCESS) {
        /* The user's own file says so: no reason for an alert. */
        return OUTCOME_CACHE_UNREADABLE;
    }
    list[0] = tickets_tgt(krb, all_out);
    if (list[0] == NULL) {
        return krb_refuse(krb, OUTCOME_CACHE_UNREADABLE, "%s: has no TGT",
                          name);
    }
    outcome = renew_possible(krb, list[0]);
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    /* Borrows: not to be freed. */
    alone = (struct tickets){.client = all_out->client,
                             .offset = krb_offset_learned(krb),
                             .list = list,
                             .count = 1};
    outcome = tickets_to_memory(krb, &alone, &memory);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = tickets_pack_cache(krb, memory, packed);
        (void)krb5_cc_destroy(krb->context, memory);
    }
    return outcome;
}

/*
 * Puts RENEWED in the place of OLD's TGT in the cache NAME, where it lives
 * longer: the exchange has looked, and is not believed.
 */
static enum outcome
put_renewed(struct krb *krb, const char *name, const struct tickets *old,
            const struct tickets *renewed)
{
    const krb5_creds *before = tickets_tgt(krb, old);
    const krb5_creds *after = tickets_tgt(krb, renewed);

    if ((uint32_t)after->times.endtime < (uint32_t)before->times.endtime) {
        return krb_refuse(krb, OUTCOME_NOT_RENEWABLE,
                          "the renewed ticket would end before the old one");
    }
    return ccache_renew(krb, name, renewed, before);
}

/* Has the exchange renew and puts what came of it in the cache's place. */
static enum outcome
renew_and_replace(struct helper *helper, struct krb *krb, const char *name,
                  struct bytes *result_bytes)
{
    struct tickets old = {0};
    struct tickets renewed = {0};
    struct bytes packed = BYTES_EMPTY;
    enum outcome outcome = read_renewable(krb, name, &old, &packed);

    if (outcome == OUTCOME_SUCCESS) {
        relay_begin(helper, krb,
                    &(struct begin){.tickets = bytes_span(&packed)});
        outcome = relay_hear_tickets(helper, krb, result_bytes);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = tickets_unpack(krb, bytes_span(result_bytes), &renewed);
    }
    if (outcome == OUTCOME_SUCCESS &&
        (!krb5_principal_compare(krb->context, renewed.client, old.client) ||
         !tickets_are_fresh(krb, &renewed))) {
        outcome = krb_refuse(krb, OUTCOME_UNVERIFIED,
                             "the renewed ticket is another one");
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = put_renewed(krb, name, &old, &renewed);
    }
    tickets_free(krb, &old);
    tickets_free(krb, &renewed);
    bytes_free(&packed);
    return outcome;
}

enum outcome
judge_renew(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct bytes renewed = BYTES_EMPTY;
    enum outcome outcome = helper_become_user(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = helper_greet(helper, krb);
    }
    if (outcome == OUTCOME_SUCCESS && helper_excludes_user(helper)) {
        outcome = OUTCOME_NOT_OURS;
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = job_single_cache_name(helper, krb, result);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = renew_and_replace(helper, krb, result->cache, &renewed);
    }
    bytes_free(&renewed);
    return outcome;
}

/*
 * Nothing is decided here: who changes a password is who knows the old one, and
 * that is between him and the KDC.
 */
enum outcome
judge_change(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct bytes nothing = BYTES_EMPTY;
    struct principals asked = {0};
    uint32_t index = 0;
    enum outcome outcome = helper_greet(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = principals_find(helper, krb, &asked);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = relay_settle(helper, krb);
    }
    if (outcome == OUTCOME_SUCCESS) {
        let_acquire(helper, krb, &asked, (struct challenge){0});
        outcome = relay_hear_tickets(helper, krb, &nothing);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = find_named(krb, &asked, &index);
    }
    if (outcome == OUTCOME_SUCCESS &&
        (result->principal = strdup(asked.names[index])) == NULL) {
        outcome = krb_refuse(krb, OUTCOME_NO_MEMORY, "out of memory");
    }
    tell_account(helper, &asked, result);
    principals_free(krb, &asked);
    bytes_free(&nothing);
    return outcome;
}

/* Has the exchange ask a KDC about the keytab's key of PRINCIPAL. */
static enum outcome
probe_candidate(struct helper *helper, struct krb *krb, const char *principal)
{
    struct bytes content = BYTES_EMPTY;
    struct bytes payload = BYTES_EMPTY;
    struct bytes nothing = BYTES_EMPTY;
    struct key key = {.principal = principal};
    enum outcome outcome = probe_find_key(krb, helper->options.keytab,
                                          principal, &content, &key.enctype);

    if (outcome == OUTCOME_SUCCESS) {
        key.content = bytes_span(&content);
        key_pack(&payload, &key);
        line_send(&helper->exchange, MESSAGE_KEY, &payload);
        outcome = relay_hear_tickets(helper, krb, &nothing);
    }
    bytes_free(&content);
    bytes_free(&payload);
    bytes_free(&nothing);
    return outcome;
}

/*
 * Probes CANDIDATES in turn until one is right, as a login would; a wrong one
 * before it is worth a word.
 */
static enum outcome
probe_candidates(struct helper *helper, struct krb *krb,
                 const struct verify_candidates *candidates,
                 struct job_result *result)
{
    enum outcome first = OUTCOME_SUCCESS;
    char cause[KRB_DETAIL_MAX] = "";

    for (size_t i = 0; i < candidates->count; i++) {
        const char *principal = candidates->list[i];
        enum outcome outcome = probe_candidate(helper, krb, principal);

        if (outcome == OUTCOME_SUCCESS) {
            if (first != OUTCOME_SUCCESS) {
                log_line(&helper->log, LOG_LEVEL_NOTICE,
                         "another key of the keytab is wrong: %s", cause);
            }
            result->principal = strdup(principal);
            return result->principal != NULL ? outcome : OUTCOME_NO_MEMORY;
        }
        if (i == 0) {
            first = outcome;
            (void)snprintf(cause, sizeof(cause), "%.200s: %.300s", principal,
                           krb->detail);
        }
        if (outcome == OUTCOME_KDC_UNREACHABLE) {
            /* And so it would be with the next. */
            break;
        }
    }
    return krb_refuse(krb, first, "%s", cause);
}

/* Says where USER, whoever it is, has another realm than the key of HOST. */
static void
compare_realms(struct helper *helper, krb5_const_principal user,
               const char *host)
{
    const char *realm = strrchr(host, '@');

    realm = realm == NULL ? "" : realm + 1;
    if (strlen(realm) != user->realm.length ||
        memcmp(realm, user->realm.data, user->realm.length) != 0) {
        log_line(&helper->log, LOG_LEVEL_NOTICE,
                 "users are looked for in the realm %.*s (default_realm), the "
                 "keytab is of %s",
                 (int)user->realm.length, user->realm.data, realm);
    }
}

enum outcome
judge_probe(struct helper *helper, struct krb *krb, struct job_result *result)
{
    struct verify_candidates candidates = {0};
    krb5_principal anybody = NULL;
    enum outcome outcome = helper_greet(helper, krb);

    if (outcome == OUTCOME_SUCCESS) {
        appdefaults_review(krb);
        /* Keys have a realm of their own; a user needs the default one. */
        outcome = names_principal(krb, "root", &helper->options, &anybody);
    }
    if (outcome == OUTCOME_SUCCESS) {
        /* Who has asked looks at the file itself. */
        result->cache = probe_keytab_name(krb, helper->options.keytab);
        outcome = verify_list(krb, helper->options.keytab, &candidates);
    }
    if (outcome == OUTCOME_SUCCESS && candidates.count == 0) {
        /* The cause is in krb already. */
        outcome = OUTCOME_UNVERIFIED;
    }
    if (outcome == OUTCOME_SUCCESS) {
        compare_realms(helper, anybody, candidates.list[0]);
        relay_begin(helper, krb, &(struct begin){0});
        outcome = probe_candidates(helper, krb, &candidates, result);
    }
    verify_candidates_free(&candidates);
    krb5_free_principal(krb->context, anybody);
    return outcome;
}
