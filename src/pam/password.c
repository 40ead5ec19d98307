/* The change of a Kerberos password. */
#include "pam/password.h"

#include <stdio.h>
#include <string.h>

#include <security/pam_modules.h>

#include "pam/conv.h"

/* The longest text that asks for a password. */
#define WORDS_MAX 256

/* "BEGINNING Kerberos password", with the word that the option `banner` has. */
static void
write_words(const struct host *host, const char *beginning,
            char words[WORDS_MAX])
{
    const char *banner = host->options.banner;
    bool has_banner = banner != NULL && *banner != '\0';

    (void)snprintf(words, WORDS_MAX, "%s %.128s%spassword", beginning,
                   has_banner ? banner : "", has_banner ? " " : "");
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

/* Keeps SECRET as PAM_AUTHTOK. */
static enum outcome
keep_new(struct host *host, struct bytes *secret)
{
    if (bytes_reserve(secret, secret->length + 1) < 0) {
        return OUTCOME_NO_MEMORY;
    }
    secret->data[secret->length] = '\0';
    return pam_set_item(host->handle, PAM_AUTHTOK, secret->data) == PAM_SUCCESS
               ? OUTCOME_SUCCESS
               : OUTCOME_NO_MEMORY;
}

/* Asks for WORDS, then again, and keeps what was typed as PAM_AUTHTOK. */
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
        conv_complain(host, "Passwords don't match");
        outcome = OUTCOME_PASSWORD_MISTYPED;
    }
    bytes_free(&repeated);
    if (outcome == OUTCOME_SUCCESS) {
        outcome = keep_new(host, secret);
    }
    bytes_free(secret);
    return outcome;
}

/* Has the new password in PAM_AUTHTOK. */
static enum outcome
find_new(struct host *host)
{
    char words[WORDS_MAX];
    char again[WORDS_MAX];

    if (host->options.use_authtok) {
        return item_password(host, PAM_AUTHTOK) == NULL ? OUTCOME_NO_ANSWER
                                                        : OUTCOME_SUCCESS;
    }
    write_words(host, "Enter new", words);
    write_words(host, "Retype new", again);
    return ask_twice(host, words, again);
}

enum outcome
password_answer(struct host *host, struct bytes *payload)
{
    struct answers answers = {.count = 1};
    enum outcome outcome = find_new(host);

    if (outcome == OUTCOME_SUCCESS) {
        answers.list[0] = span_from_text(item_password(host, PAM_AUTHTOK));
        answers_pack(payload, &answers);
        outcome = payload->error == 0 ? OUTCOME_SUCCESS : OUTCOME_NO_MEMORY;
    }
    return outcome;
}

bool
password_is_asked(const struct prompts *prompts)
{
    return prompts->count == 1 && !prompts->list[0].is_password &&
           strcmp(prompts->list[0].text, MESSAGE_PROMPT_NEW_PASSWORD) == 0;
}

static enum outcome
ask(struct host *host, const struct prompts *prompts, struct bytes *payload)
{
    char words[WORDS_MAX];
    const struct conv_password current = {.words = words,
                                          .item = PAM_OLDAUTHTOK};

    if (password_is_asked(prompts)) {
        return password_answer(host, payload);
    }
    write_words(host, "Current", words);
    return conv_ask(host, prompts, &current, payload);
}

/* Tries the current password, PASSWORD or what is asked for where NULL. */
static enum outcome
try_once(struct host *host, const char *password)
{
    struct errand errand = errand_for(host, JOB_TRY);
    enum outcome outcome = OUTCOME_SUCCESS;

    errand.ask = ask;
    if (password != NULL) {
        errand.request.password = span_from_text(password);
    }
    outcome = errand_run(&errand);
    if (outcome != OUTCOME_SUCCESS && outcome != OUTCOME_NOT_OURS) {
        errand_log(&errand, outcome, "the password is not changed");
    }
    errand_free(&errand);
    return outcome;
}

static enum outcome
try_current(struct host *host)
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
        outcome = try_once(host, stacked);
        break;
    case HOST_STACKED_NONE:
        return try_once(host, NULL);
    }
    return outcome == OUTCOME_WRONG_PASSWORD && host_asks_again(host)
               ? try_once(host, NULL)
               : outcome;
}

static enum outcome
change(struct host *host)
{
    struct errand errand = errand_for(host, JOB_CHANGE);
    const char *current = item_password(host, PAM_OLDAUTHTOK);
    enum outcome outcome = OUTCOME_SUCCESS;

    if (current != NULL) {
        errand.request.password = span_from_text(current);
    }
    errand.ask = ask;
    outcome = errand_run(&errand);
    if (outcome == OUTCOME_SUCCESS) {
        log_line(&host->log, LOG_LEVEL_INFO, "user %s: password changed",
                 host->user);
    } else if (outcome != OUTCOME_NOT_OURS) {
        errand_log(&errand, outcome, "the password is not changed");
        password_explain(&errand, outcome);
    }
    errand_free(&errand);
    return outcome;
}

/* Who is not ours may be a module's behind: that one wants a new password. */
static void
ask_for_others(struct host *host)
{
    if (!host->options.use_authtok) {
        (void)ask_twice(host, "Enter new password", "Retype new password");
    }
}

static enum outcome
update(struct host *host)
{
    enum outcome outcome =
        host_excludes_user(host) ? OUTCOME_NOT_OURS : change(host);

    if (outcome == OUTCOME_NOT_OURS) {
        ask_for_others(host);
    } else if (outcome != OUTCOME_SUCCESS && host->options.clear_on_fail) {
        (void)pam_set_item(host->handle, PAM_AUTHTOK, NULL);
    }
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
    if ((host->flags & PAM_UPDATE_AUTHTOK) != 0) {
        return update(host);
    }
    return host_excludes_user(host) ? OUTCOME_NOT_OURS : try_current(host);
}
