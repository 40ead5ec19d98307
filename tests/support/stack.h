/*
 * A host program for tests: a service file of its own on the real libpam
 * (pam_start_confdir(3)), a conversation that answers from a script and keeps
 * what it was shown, and syslog(3) caught before it leaves the process.
 *
 * The module and the helper are those of the build, or of the stage that
 * tests/in-namespace made (PAM_KRB5CC_MODULE, PAM_KRB5CC_HELPER).
 */
#ifndef SUPPORT_STACK_H
#define SUPPORT_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <security/pam_appl.h>

#define STACK_SHOWN_MAX 64
#define STACK_TEXT_MAX 1024

/* What was shown to the user, in order. */
struct stack_shown {
    int style;
    char text[STACK_TEXT_MAX];
};

struct stack {
    pam_handle_t *handle;
    char folder[256]; /* of the service file */
    /* The answers to prompts that will come, NULL = end of script. */
    const char *const *answers;
    size_t answered;
    /* Called before each answer; NULL = nothing. */
    void (*before_answer)(void *data);
    void *data;
    int conv_code; /* what the conversation returns; PAM_SUCCESS */
    struct stack_shown shown[STACK_SHOWN_MAX];
    size_t shown_count;
    struct pam_conv conversation;
};

/* Paths of what is tested. */
const char *stack_module(void);
/* What is tested in the place of ours (PEER_MODULE), or NULL. */
const char *stack_peer(void);
const char *stack_helper(void);

/*
 * Starts a handle for USER on a service whose four types are the module with
 * ARGUMENTS (and helper=).  ANSWERS ends in NULL.  Ends the process where
 * libpam does not start.
 */
void stack_start(struct stack *stack, const char *user, const char *arguments,
                 const char *const *answers);

/* The same with a service file written by the caller; %m is the module. */
void stack_start_service(struct stack *stack, const char *user,
                         const char *lines, const char *const *answers);

/* pam_end with CODE, and the service file away. */
void stack_end(struct stack *stack, int code);
/* Removes the service file, for handles that are not ended here. */
void stack_forget(struct stack *stack);

/* New answers from here on. */
void stack_script(struct stack *stack, const char *const *answers);

/* How many prompts (echo on or off) were shown. */
size_t stack_prompts(const struct stack *stack);
/* The text of prompt or message N, "" where there is none. */
const char *stack_text(const struct stack *stack, size_t n);

/* What went to syslog since the last stack_log_clear, lines ended by \n. */
const char *stack_log(void);
void stack_log_clear(void);
/* Whether a line of the log contains TEXT. */
bool stack_logged(const char *text);

#endif
