/* Asking and telling the user. */
#include "pam/conv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_appl.h>

#include "pam/state.h"

/* The longest prompt that is shown. */
#define PROMPT_MAX 512

/* The host's callback, or NULL. */
static const struct pam_conv *
find_conversation(const struct host *host)
{
    const void *item = NULL;
    const struct pam_conv *conversation = NULL;

    if (pam_get_item(host->handle, PAM_CONV, &item) != PAM_SUCCESS) {
        return NULL;
    }
    conversation = item;
    return conversation == NULL || conversation->conv == NULL ? NULL
                                                              : conversation;
}

/* What is left to do when the thread is cancelled in the host's callback. */
static void
abandon(void *data)
{
    struct host *host = data;
    struct state *state = state_if_any(host);

    client_end(&host->client);
    bytes_free(&host->secret);
    options_free(&host->options);
    /* To libpam the call never ends: not even pam_end cleans up behind it. */
    (void)pam_set_item(host->handle, PAM_AUTHTOK, NULL);
    (void)pam_set_item(host->handle, PAM_OLDAUTHTOK, NULL);
    if (state != NULL) {
        state_forget_login(state);
    }
    bytes_drop_spares();
}

/*
 * Calls the host with the thread's cancellation as the host had it.  Either a
 * PAM code, or no return at all.
 */
static int
converse(struct host *host, int count, const struct pam_message **messages,
         struct pam_response **responses_out)
{
    const struct pam_conv *conversation = find_conversation(host);
    int code = PAM_CONV_ERR;

    *responses_out = NULL;
    if (conversation == NULL || host->conversations >= CONVERSATIONS_MAX) {
        return PAM_CONV_ERR;
    }
    host->conversations++;
    pthread_cleanup_push(abandon, host);
    (void)pthread_setcancelstate(host->cancel_state, NULL);
    code = conversation->conv(count, messages, responses_out,
                              conversation->appdata_ptr);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_pop(0);
    return code;
}

static void
erase_responses(struct pam_response *responses, uint32_t count)
{
    if (responses == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        erase_and_free(responses[i].resp);
    }
    free(responses);
}

/* TEXT as a prompt that the user sees. */
static void
write_prompt(char *buffer, size_t size, const char *text)
{
    size_t length = strlen(text);
    bool has_end =
        length > 0 && (text[length - 1] == ' ' || text[length - 1] == ':');

    (void)snprintf(buffer, size, "%s%s", text, has_end ? "" : ": ");
    log_strip_for_terminal(buffer);
}

/* Asks for a password with WORDS; PROMPT's text is whose it is. */
static void
write_password_prompt(char *buffer, size_t size, const struct host *host,
                      const struct prompt *prompt, const char *words)
{
    char text[PROMPT_MAX];
    bool names = conv_names_principal(host) || host->options.no_prompt;

    (void)snprintf(text, sizeof(text), "%s%s%.300s",
                   host->options.no_prompt ? "Password" : words,
                   names && *prompt->text != '\0' ? " for " : "",
                   names ? prompt->text : "");
    write_prompt(buffer, size, text);
}

bool
conv_names_principal(const struct host *host)
{
    return host->options.expose_account && !host->options.search_k5login;
}

/* Takes one response as the answer to PROMPT. */
static enum outcome
take_response(struct host *host, const struct prompt *prompt, int item,
              const char *response, struct span *answer_out)
{
    if (response == NULL || strlen(response) > MESSAGE_ANSWER_MAX) {
        return OUTCOME_NO_ANSWER;
    }
    *answer_out = span_from_text(response);
    if (!prompt->is_password) {
        return OUTCOME_SUCCESS;
    }
    if (answer_out->length == 0) {
        return OUTCOME_NO_ANSWER;
    }
    return pam_set_item(host->handle, item, response) == PAM_SUCCESS
               ? OUTCOME_SUCCESS
               : OUTCOME_NO_MEMORY;
}

static enum outcome
pack_responses(struct host *host, const struct prompts *prompts, int item,
               const struct pam_response *responses, struct bytes *payload)
{
    struct answers answers = {.count = prompts->count};

    for (uint32_t i = 0; i < prompts->count; i++) {
        enum outcome outcome = take_response(
            host, &prompts->list[i], item, responses[i].resp, &answers.list[i]);

        if (outcome != OUTCOME_SUCCESS) {
            return outcome;
        }
    }
    answers_pack(payload, &answers);
    return payload->error == 0 ? OUTCOME_SUCCESS : OUTCOME_NO_MEMORY;
}

enum outcome
conv_ask(struct host *host, const struct prompts *prompts,
         const struct conv_password *password, struct bytes *payload)
{
    char texts[MESSAGE_PROMPTS_MAX][PROMPT_MAX];
    struct pam_message messages[MESSAGE_PROMPTS_MAX];
    const struct pam_message *pointers[MESSAGE_PROMPTS_MAX];
    struct pam_response *responses = NULL;
    enum outcome outcome = OUTCOME_NO_ANSWER;

    if (prompts->count == 0) {
        return OUTCOME_HELPER_FAILED;
    }
    for (uint32_t i = 0; i < prompts->count; i++) {
        if (prompts->list[i].is_password) {
            host->has_asked = true;
            write_password_prompt(texts[i], PROMPT_MAX, host, &prompts->list[i],
                                  password->words);
        } else {
            write_prompt(texts[i], PROMPT_MAX, prompts->list[i].text);
        }
        messages[i].msg_style =
            prompts->list[i].echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF;
        messages[i].msg = texts[i];
        pointers[i] = &messages[i];
    }
    if (converse(host, (int)prompts->count, pointers, &responses) ==
            PAM_SUCCESS &&
        responses != NULL) {
        outcome =
            pack_responses(host, prompts, password->item, responses, payload);
    }
    erase_responses(responses, prompts->count);
    return outcome;
}

bool
conv_is_owed(const struct host *host, enum outcome outcome)
{
    /* One that is wrong and was not asked for is a token's value, or a PIN. */
    return !host->has_asked && !host->options.use_pkinit &&
           outcome != OUTCOME_SUCCESS && outcome != OUTCOME_WRONG_PASSWORD &&
           outcome != OUTCOME_NOT_OURS && outcome != OUTCOME_NO_MEMORY &&
           outcome != OUTCOME_NO_ANSWER;
}

void
conv_ask_for_others(struct host *host, const struct conv_password *password)
{
    static const struct prompts prompts = {
        .count = 1, .list = {{.text = "", .is_password = true}}};
    struct bytes payload = BYTES_EMPTY;

    (void)conv_ask(host, &prompts, password, &payload);
    bytes_free(&payload);
}

enum outcome
conv_ask_secret(struct host *host, const char *words, struct bytes *secret)
{
    char text[PROMPT_MAX];
    const struct prompt prompt = {.text = words};
    const struct pam_message message = {.msg_style = PAM_PROMPT_ECHO_OFF,
                                        .msg = text};
    const struct pam_message *pointer = &message;
    struct pam_response *responses = NULL;
    struct span answer = {0};
    enum outcome outcome = OUTCOME_NO_ANSWER;

    write_prompt(text, sizeof(text), words);
    if (converse(host, 1, &pointer, &responses) == PAM_SUCCESS &&
        responses != NULL) {
        outcome = take_response(host, &prompt, 0, responses[0].resp, &answer);
    }
    if (outcome == OUTCOME_SUCCESS && answer.length == 0) {
        outcome = OUTCOME_NO_ANSWER;
    }
    if (outcome == OUTCOME_SUCCESS && bytes_copy(secret, answer) < 0) {
        outcome = OUTCOME_NO_MEMORY;
    }
    erase_responses(responses, 1);
    return outcome;
}

static void
tell(struct host *host, int style, const char *text)
{
    char cut[PAM_MAX_MSG_SIZE];
    const struct pam_message message = {.msg_style = style, .msg = cut};
    const struct pam_message *pointer = &message;
    struct pam_response *responses = NULL;

    (void)snprintf(cut, sizeof(cut), "%s", text);
    if (!host_is_silent(host)) {
        (void)converse(host, 1, &pointer, &responses);
        erase_responses(responses, 1);
    }
}

void
conv_inform(struct host *host, const char *text)
{
    tell(host, PAM_TEXT_INFO, text);
}

void
conv_complain(struct host *host, const char *text)
{
    tell(host, PAM_ERROR_MSG, text);
}
