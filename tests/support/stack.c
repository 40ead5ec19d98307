/* A host program for tests, on the real libpam. */
#include "support/stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[256 * 1024];
static size_t log_length;

static void
fail(const char *what)
{
    fprintf(stderr, "test host: %s: %s\n", what, strerror(errno));
    exit(99);
}

static const char *
from_environment(const char *name, const char *fallback)
{
    const char *value = getenv(name);

    return value == NULL ? fallback : value;
}

const char *
stack_peer(void)
{
    return from_environment("PEER_MODULE", NULL);
}

const char *
stack_module(void)
{
    return stack_peer() != NULL
               ? stack_peer()
               : from_environment("PAM_KRB5CC_MODULE", BUILT_MODULE);
}

const char *
stack_helper(void)
{
    return from_environment("PAM_KRB5CC_HELPER", BUILT_HELPER);
}

static void __attribute__((format(printf, 1, 0)))
keep_line(const char *format, va_list arguments)
{
    char line[4096];
    int length = vsnprintf(line, sizeof(line) - 1, format, arguments);

    if (length < 0) {
        return;
    }
    if ((size_t)length >= sizeof(line) - 1) {
        length = (int)sizeof(line) - 2;
    }
    line[length++] = '\n';
    (void)pthread_mutex_lock(&log_lock);
    if (log_length + (size_t)length < sizeof(log_text)) {
        memcpy(log_text + log_length, line, (size_t)length);
        log_length += (size_t)length;
        log_text[log_length] = '\0';
    }
    (void)pthread_mutex_unlock(&log_lock);
    if (getenv("TEST_LOG") != NULL) {
        (void)!write(2, line, (size_t)length);
    }
}

/* libpam's calls end here: the executable's symbols come first. */
void syslog(int priority, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...);
void vsyslog(int priority, const char *format, va_list arguments);
void __vsyslog_chk(int priority, int flag, const char *format,
                   va_list arguments);

__attribute__((visibility("default"), format(printf, 2, 3))) void
syslog(int priority, const char *format, ...)
{
    va_list arguments;

    (void)priority;
    va_start(arguments, format);
    keep_line(format, arguments);
    va_end(arguments);
}

__attribute__((visibility("default"), format(printf, 3, 4))) void
__syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;

    (void)priority;
    (void)flag;
    va_start(arguments, format);
    keep_line(format, arguments);
    va_end(arguments);
}

__attribute__((visibility("default"), format(printf, 2, 0))) void
vsyslog(int priority, const char *format, va_list arguments)
{
    (void)priority;
    keep_line(format, arguments);
}

__attribute__((visibility("default"), format(printf, 3, 0))) void
__vsyslog_chk(int priority, int flag, const char *format, va_list arguments)
{
    (void)priority;
    (void)flag;
    keep_line(format, arguments);
}

const char *
stack_log(void)
{
    return log_text;
}

void
stack_log_clear(void)
{
    (void)pthread_mutex_lock(&log_lock);
    log_length = 0;
    log_text[0] = '\0';
    (void)pthread_mutex_unlock(&log_lock);
}

bool
stack_logged(const char *text)
{
    return strstr(log_text, text) != NULL;
}

static void
keep_shown(struct stack *stack, const struct pam_message *message)
{
    struct stack_shown *shown = NULL;

    if (stack->shown_count == STACK_SHOWN_MAX) {
        return;
    }
    shown = &stack->shown[stack->shown_count++];
    shown->style = message->msg_style;
    (void)snprintf(shown->text, sizeof(shown->text), "%s", message->msg);
}

static char *
next_answer(struct stack *stack)
{
    const char *answer = NULL;

    if (stack->before_answer != NULL) {
        stack->before_answer(stack->data);
    }
    if (stack->answers != NULL) {
        answer = stack->answers[stack->answered];
    }
    if (answer == NULL) {
        return NULL;
    }
    stack->answered++;
    return strdup(answer);
}

/* The conversation callback (pam_conv(3)). */
static int
converse(int count, const struct pam_message **messages,
         struct pam_response **responses_out, void *data)
{
    struct stack *stack = data;
    struct pam_response *responses = NULL;

    if (stack->conv_code != PAM_SUCCESS) {
        return stack->conv_code;
    }
    responses = calloc((size_t)count, sizeof(responses[0]));
    if (responses == NULL) {
        return PAM_BUF_ERR;
    }
    for (int i = 0; i < count; i++) {
        int style = messages[i]->msg_style;

        keep_shown(stack, messages[i]);
        if (style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON) {
            responses[i].resp = next_answer(stack);
        }
    }
    *responses_out = responses;
    return PAM_SUCCESS;
}

/* Writes LINES, %m replaced by the module, as the service file. */
static void
write_service(struct stack *stack, const char *lines)
{
    const char *base = from_environment("TMPDIR", "/tmp");
    char path[512];
    FILE *file = NULL;

    (void)snprintf(stack->folder, sizeof(stack->folder), "%s/pam.XXXXXX", base);
    if (mkdtemp(stack->folder) == NULL) {
        fail(stack->folder);
    }
    (void)snprintf(path, sizeof(path), "%s/krb5cc-test", stack->folder);
    file = fopen(path, "we");
    if (file == NULL) {
        fail(path);
    }
    for (const char *at = lines; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 'm') {
            (void)fputs(stack_module(), file);
            at++;
        } else {
            (void)fputc(*at, file);
        }
    }
    if (fclose(file) != 0) {
        fail(path);
    }
    /* libpam wants a fallback service, and says so in the log. */
    (void)snprintf(path, sizeof(path), "%s/other", stack->folder);
    if (symlink("krb5cc-test", path) < 0) {
        fail(path);
    }
}

void
stack_start_service(struct stack *stack, const char *user, const char *lines,
                    const char *const *answers)
{
    memset(stack, 0, sizeof(*stack));
    stack->answers = answers;
    stack->conversation =
        (struct pam_conv){.conv = converse, .appdata_ptr = stack};
    write_service(stack, lines);
    if (pam_start_confdir("krb5cc-test", user, &stack->conversation,
                          stack->folder, &stack->handle) != PAM_SUCCESS) {
        fail("pam_start_confdir");
    }
}

void
stack_start(struct stack *stack, const char *user, const char *arguments,
            const char *const *answers)
{
    static const char *const types[] = {"auth", "account", "session",
                                        "password"};
    char lines[8192];
    size_t length = 0;

    for (size_t i = 0; i < 4; i++) {
        length += (size_t)snprintf(lines + length, sizeof(lines) - length,
                                   "%s required %%m helper=%s %s\n", types[i],
                                   stack_helper(), arguments);
    }
    stack_start_service(stack, user, lines, answers);
}

void
stack_forget(struct stack *stack)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/krb5cc-test", stack->folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/other", stack->folder);
    (void)unlink(path);
    (void)rmdir(stack->folder);
}

void
stack_end(struct stack *stack, int code)
{
    (void)pam_end(stack->handle, code);
    stack->handle = NULL;
    stack_forget(stack);
}

void
stack_script(struct stack *stack, const char *const *answers)
{
    stack->answers = answers;
    stack->answered = 0;
}

size_t
stack_prompts(const struct stack *stack)
{
    size_t count = 0;

    for (size_t i = 0; i < stack->shown_count; i++) {
        count += stack->shown[i].style == PAM_PROMPT_ECHO_OFF ||
                 stack->shown[i].style == PAM_PROMPT_ECHO_ON;
    }
    return count;
}

const char *
stack_text(const struct stack *stack, size_t n)
{
    return n < stack->shown_count ? stack->shown[n].text : "";
}
