/* The change of a Kerberos password. */
#include "pam/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_modules.h>

#include "pam/auth.h"
#include "pam/conv.h"
#include "pam/state.h"

/* The longest text that asks for a password. */
#define WORDS_MAX 512

/*
 * "BEGINNING Kerberos password", with the word that the option `banner` has,
 * and OWNER behind it.
 */
static void
write_words(const struct host *host, const char *beginning, const char *owner,
            char words[WORDS_MAX])
{
    const char *banner = host->options.banner;
    bool has_banner = banner != NULL && *banner != '\0';

    (void)snprintf(words, WORDS_MAX, "%s %.128s%spassword%s", beginning,
                   has_banner ? banner : "", has_banner ? " " : "", owner);
}

/* The password that ITEM has, as it can be sent; or NULL. */
static const char *
item_password(const struct host *host, int item)
{
    const void *text = NULL;

    if (pam_get_item(host->handle, item, &text) != PAM_SUCCESS ||
        text == NULL) {
        return NULL;
    }
    return *(const char *)text == '\0' || strlen(text) > MESSAGE_ANSWER_MAX
               ? NULL
               : text;
}

/* Keeps host->secret as PAM_AUTHTOK. */
static enum outcome
keep_new(struct host *host)
{
    struct bytes *secret = &host->secret;

    if (bytes_reserve(secret, secret->length + 1) < 0) {
        return OUTCOME_NO_MEMORY;
    }
    secret->data[secret->length] = '\0';
    return pam_set_item(host->handle, PAM_AUTHTOK, secret->data) == PAM_SUCCESS
               ? OUTCOME_SUCCESS
               : OUTCOME_NO_MEMORY;
}

/* Asks for WORDS, then AGAIN; what was typed is in host->secret then. */
static enum outcome
ask_twice(struct host *host, const char *words, const char *again)
{
    struct bytes repeated = BYTES_EMPTY;
    struct bytes *secret = &host->secret;
    enum outcome outcome = conv_ask_secret(host, words, secret);

    if (outcome == OUTCOME_SUCCESS) {
        /* Whatever the host does now, the first is not lost sight of. */
        outcome = conv_ask_secret(host, again, &repeated);
    }
    if (outcome == OUTCOME_SUCCESS &&
        (secret->length != repeated.length ||
         memcmp(secret->data, repeated.data, repeated.length) != 0)) {
        outcome = OUTCOME_PASSWORD_MISTYPED;
    }
    bytes_free(&repeated);
    if (outcome != OUTCOME_SUCCESS) {
        bytes_free(secret);
    }
    if (outcome == OUTCOME_PASSWORD_MISTYPED) {
        /* Behind the erasing: the host's thread may end in it. */
        conv_complain(host, "Passwords don't match");
    }
    return outcome;
}

/* The same, with the words for the Kerberos password that PROMPTS want. */
static enum outcome
ask_new(struct host *host, const struct prompts *prompts)
{
    const char *owner =
        conv_names_principal(host)
            ? prompts->list[0].text + strlen(MESSAGE_PROMPT_NEW_PASSWORD)
            : "";
    char words[WORDS_MAX];
    char again[WORDS_MAX];

    write_words(host, "Enter new", owner, words);
    write_words(host, "Retype new", owner, again);
    return ask_twice(host, words, again);
}

static enum outcome
answer(struct span password, struct bytes *payload)
{
    const struct answers answers = {.count = 1, .list = {password}};

    answers_pack(payload, &answers);
    return payload->error == 0 ? OUTCOME_SUCCESS : OUTCOME_NO_MEMORY;
}

enum outcome
password_answer(struct host *host, const struct prompts *prompts,
                struct bytes *payload)
{
    enum outcome outcome = ask_new(host, prompts);

    if (outcome == OUTCOME_SUCCESS) {
        outcome = answer(bytes_span(&host->secret), payload);
    }
    bytes_free(&host->secret);
    return outcome;
}

/* The new password as the option has it; it is PAM_AUTHTOK too then. */
static enum outcome
answer_and_keep(struct host *host, const struct prompts *prompts,
                struct bytes *payload)
{
    const char *stacked = NULL;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (host->options.use_authtok) {
        stacked = item_password(host, PAM_AUTHTOK);
        return stacked == NULL ? OUTCOME_NO_ANSWER
                               : answer(span_from_text(stacked), payload);
    }
    outcome = ask_new(host, prompts);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = answer(bytes_span(&host->secret), payload);
    }
    if (outcome == OUTCOME_SUCCESS) {
        outcome = keep_new(host);
    }
    bytes_free(&host->secret);
    return outcome;
}

bool
password_is_asked(const struct prompts *prompts)
{
    static const char mark[] = MESSAGE_PROMPT_NEW_PASSWORD;
    const char *text = prompts->list[0].text;

    return prompts->count == 1 && !prompts->list[0].is_password &&
           strncmp(text, mark, sizeof(mark) - 1) == 0 &&
           (text[sizeof(mark) - 1] == '\0' || text[sizeof(mark) - 1] == ' ');
}

/* The current password, for the modules behind. */
static void
ask_in_vain(struct host *host)
{
    char words[WORDS_MAX];

    write_words(host, "Current", "", words);
    conv_ask_for_others(
        host, &(struct conv_password){.words = words, .item = PAM_OLDAUTHTOK});
}

static enum outcome
ask(struct host *host, const struct prompts *prompts, struct bytes *payload)
{
    char words[WORDS_MAX];
    const struct conv_password current = {.words = words,
                                          .item = PAM_OLDAUTHTOK};

    if (password_is_asked(prompts)) {
        return answer_and_keep(host, prompts, payload);
    }
    write_words(host, "Current", "", words);
    return conv_ask(host, prompts, &current, payload);
}

/* Tries the current password, PASSWORD or what is asked for where NULL. */
static enum outcome
try_once(struct host *host, struct state *state, const char *password)
{
    struct errand errand = errand_for(host, JOB_TRY);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.ask = ask;
    if (password != NULL) {
        errand.request.password = span_from_text(password);
    }
    outcome = errand_run_as_named(&errand, state);
    if (outcome != OUTCOME_SUCCESS && outcome != OUTCOME_NOT_OURS) {
        errand_log(&errand, outcome, "the password is not changed");
    }
    errand_free(&errand);
    if (password == NULL && conv_is_owed(host, outcome)) {
        ask_in_vain(host);
    }
    return host_pass_over(host, outcome);
}

static enum outcome
try_current(struct host *host, struct state *state)
{
    const char *stacked = NULL;
    enum outcome outcome = OUTCOME_NO_ANSWER;

    switch (host_stacked_password(host, PAM_OLDAUTHTOK, &stacked)) {
    case HOST_STACKED_BAD:
        log_line(&host->log, LOG_LEVEL_INFO,
                 "the password is not changed: no stacked password that can be "
                 "used");
        return OUTCOME_NO_ANSWER;
    case HOST_STACKED_USE:
        outcome = try_once(host, state, stacked);
        break;
    case HOST_STACKED_NONE:
        return try_once(host, state, NULL);
    }
    return outcome == OUTCOME_WRONG_PASSWORD && host_asks_again(host)
               ? try_once(host, state, NULL)
               : outcome;
}

/* Where authenticate has left the change to the host: the login goes on. */
static enum outcome
catch_up(struct host *host)
{
    struct state *state = state_if_any(host);
    const char *password = item_password(host, PAM_AUTHTOK);

    if (!state_is_deferred(state, host)) {
        return OUTCOME_SUCCESS;
    }
    return password == NULL ? OUTCOME_NO_ANSWER
                            : auth_catch_up(host, state, password);
}

/* Whose password it is, where that is known from before; else "". */
static const char *
known_principal(struct host *host)
{
    const struct state *state = state_if_any(host);

    if (state_is_deferred(state, host)) {
        return state->principal;
    }
    return state != NULL && state->has_tried && state->named != NULL
               ? state->named
               : "";
}

static enum outcome
change(struct host *host)
{
    struct errand errand = errand_for(host, JOB_CHANGE);
    const char *current = item_password(host, PAM_OLDAUTHTOK);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.request.principal = known_principal(host);
    if (current != NULL) {
        errand.request.password = span_from_text(current);
    }
    errand.ask = ask;
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: password changed",
                 host->user);
        outcome = catch_up(host);
    } else if (outcome != OUTCOME_NOT_OURS) {
        errand_log(&errand, outcome, "the password is not changed");
        password_explain(&errand, outcome);
    }
    errand_free(&errand);
    return host_pass_over(host, outcome);
}

/* Who is not ours may be a module's behind: that one wants a new password. */
static void
ask_for_others(struct host *host)
{
    if (!host->options.use_authtok &&
        ask_twice(host, "Enter new password", "Retype new password") ==
            OUTCOME_SUCCESS) {
        (void)keep_new(host);
    }
    bytes_free(&host->secret);
}

/*
 * Whether the change is not for us: of an excluded user, or for the sake of
 * another module's password that has expired (pam_sm_chauthtok(3)): ours is
 * changed at login, or is what the host has been told to have changed.
 */
static bool
is_not_ours(const struct host *host)
{
    bool is_for_expired = (host->flags & PAM_CHANGE_EXPIRED_AUTHTOK) != 0;

    return (is_for_expired && !state_is_deferred(state_if_any(host), host)) ||
           host_excludes_user(host);
}

/* What the first half has come to; OUTCOME_SUCCESS where there was none. */
static enum outcome
tried(const struct host *host)
{
    const struct state *state = state_if_any(host);

    return state != NULL && state->has_tried ? state->tried : OUTCOME_SUCCESS;
}

static enum outcome
update(struct host *host)
{
    enum outcome outcome = is_not_ours(host) ? OUTCOME_NOT_OURS : tried(host);

    if (outcome != OUTCOME_SUCCESS) {
        /* The stack goes on without us. */
        ask_for_others(host);
        return outcome;
    }
    outcome = change(host);
    if (outcome == OUTCOME_NOT_OURS) {
        ask_for_others(host);
    } else if (outcome != OUTCOME_SUCCESS && host->options.clear_on_fail) {
        (void)pam_set_item(host->handle, PAM_AUTHTOK, NULL);
    }
    return outcome;
}

static enum outcome
try_and_remember(struct host *host)
{
    struct state *state = state_of(host);
    bool is_deferred = false;
    enum outcome outcome = OUTCOME_SUCCESS;

    if (state == NULL) {
        return OUTCOME_NO_MEMORY;
    }
    is_deferred = state_is_deferred(state, host);
    /* Who has logged in as somebody has said whose password it is. */
    outcome = state_keep_name(state, is_deferred ? state->principal : "");
    if (outcome != OUTCOME_SUCCESS) {
        return outcome;
    }
    if (is_deferred) {
        conv_inform(host, "Password expired.  You must change it now.");
    }
    outcome = is_not_ours(host) ? OUTCOME_NOT_OURS : try_current(host, state);
    state->has_tried = true;
    state->tried = outcome;
    return outcome;
}

void
password_explain(const struct errand *errand, enum outcome outcome)
{
    char text[PAM_MAX_MSG_SIZE];

    if (outcome == OUTCOME_PASSWORD_REJECTED) {
        /* "Password change rejected: ", says libkrb5, and the realm why. */
        (void)snprintf(text, sizeof(text), "%s", errand->answer.result.detail);
        log_strip_for_terminal(text);
        conv_complain(errand->host, text);
    }
}

enum outcome
password_change(struct host *host)
{
    if (host->user == NULL) {
        return OUTCOME_NOT_OURS;
    }
    return (host->flags & PAM_UPDATE_AUTHTOK) != 0 ? update(host)
                                                   : try_and_remember(host);
}
