/*
 * login_loop LIVES ATTEMPTS [ARGUMENTS]: LIVES logins one after the other, each
 * on two handles with a request of every kind (acquire, store, renew, replace,
 * destroy), then ATTEMPTS handles that only authenticate, every other one with
 * a wrong password.  What tests/env/valgrind watches, and a load to profile.
 * Ends with 1 where one does not go as it should.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/stack.h"

static const char *const right[] = {"alice-password", NULL};
static const char *const wrong[] = {"not-the-password", NULL};

/* Ends the process where CODE is not a success. */
static void
must(struct stack *stack, const char *what, int code)
{
    if (code != PAM_SUCCESS) {
        fprintf(stderr, "%s: %s\n%s", what, pam_strerror(stack->handle, code),
                stack_log());
        exit(1);
    }
}

/* A second handle, as a locker has it: renews, and puts new tickets in. */
static void
refresh(const char *cache, const char *arguments)
{
    struct stack stack;
    char setting[512];

    (void)snprintf(setting, sizeof(setting), "KRB5CCNAME=%s", cache);
    stack_start(&stack, "alice", arguments, right);
    (void)pam_putenv(stack.handle, setting);
    must(&stack, "REFRESH", pam_setcred(stack.handle, PAM_REFRESH_CRED));
    must(&stack, "authenticate", pam_authenticate(stack.handle, 0));
    must(&stack, "REINITIALIZE",
         pam_setcred(stack.handle, PAM_REINITIALIZE_CRED));
    stack_end(&stack, PAM_SUCCESS);
}

static void
live(const char *arguments)
{
    struct stack stack;
    const char *cache = NULL;

    stack_log_clear();
    stack_start(&stack, "alice", arguments, right);
    must(&stack, "authenticate", pam_authenticate(stack.handle, 0));
    must(&stack, "acct_mgmt", pam_acct_mgmt(stack.handle, 0));
    must(&stack, "ESTABLISH", pam_setcred(stack.handle, PAM_ESTABLISH_CRED));
    must(&stack, "open_session", pam_open_session(stack.handle, 0));
    cache = pam_getenv(stack.handle, "KRB5CCNAME");
    if (cache == NULL || access(cache + sizeof("FILE:") - 1, F_OK) < 0) {
        fprintf(stderr, "no cache\n");
        exit(1);
    }
    refresh(cache, arguments);
    must(&stack, "close_session", pam_close_session(stack.handle, 0));
    must(&stack, "DELETE", pam_setcred(stack.handle, PAM_DELETE_CRED));
    stack_end(&stack, PAM_SUCCESS);
}

static void
attempt(const char *arguments, bool is_right)
{
    struct stack stack;
    int code = PAM_SUCCESS;

    stack_log_clear();
    stack_start(&stack, "alice", arguments, is_right ? right : wrong);
    code = pam_authenticate(stack.handle, 0);
    if (code != (is_right ? PAM_SUCCESS : PAM_AUTH_ERR)) {
        must(&stack, "attempt", PAM_SYSTEM_ERR);
    }
    stack_end(&stack, code);
}

int
main(int argc, char **argv)
{
    long lives = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    long attempts = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    const char *arguments = argc > 3 ? argv[3] : "";

    for (long i = 0; i < lives; i++) {
        live(arguments);
    }
    for (long i = 0; i < attempts; i++) {
        attempt(arguments, i % 2 == 0);
    }
    printf("%ld lives, %ld attempts\n", lives, attempts);
    return 0;
}
