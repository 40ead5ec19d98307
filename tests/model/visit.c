/* Hosts that come and go. */
#include "model/visit.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/shared.h"

static char faulty_module[256];
static char faulty_helper[256];

void
visit_remember_faulty(const char *module, const char *helper)
{
    (void)snprintf(faulty_module, sizeof(faulty_module), "%s", module);
    (void)snprintf(faulty_helper, sizeof(faulty_helper), "%s", helper);
}

void
visit_use_faulty(void)
{
    (void)setenv("PAM_KRB5CC_MODULE", faulty_module, 1);
    (void)setenv("PAM_KRB5CC_HELPER", faulty_helper, 1);
}

const char *const *
visit_answers(const char *user, bool is_wrong)
{
    static char password[64];
    static const char *const answers[] = {password, NULL};

    (void)snprintf(password, sizeof(password), "%s-%s", user,
                   is_wrong ? "nonsense" : "password");
    return answers;
}

static void
become(const char *user)
{
    uid_t uid = common_uid(user);

    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
        setresuid(uid, uid, uid) < 0) {
        _exit(1);
    }
}

static void
enter(const struct visit *visit, struct stack *stack)
{
    if (visit->is_faulty) {
        visit_use_faulty();
    }
    if (visit->as_user) {
        become(visit->user);
    }
    if (*visit->in_process != '\0') {
        (void)setenv("KRB5CCNAME", visit->in_process, 1);
    }
    common_start(stack, visit->user, "",
                 visit_answers(visit->user, visit->password == VISIT_WRONG));
    if (*visit->in_pam != '\0') {
        common_set_cache(stack, visit->in_pam);
    }
}

static void
play(const struct visit *visit, struct visit_result *result)
{
    struct stack stack;

    enter(visit, &stack);
    if (visit->password != VISIT_NONE) {
        result->auth = pam_authenticate(stack.handle, 0);
    }
    if (result->auth == PAM_SUCCESS) {
        result->cred = pam_setcred(stack.handle, visit->flag);
    }
    if (visit->deletes) {
        result->deleted = pam_setcred(stack.handle, PAM_DELETE_CRED);
        result->closed = pam_close_session(stack.handle, 0);
    }
    stack_end(&stack, PAM_SUCCESS);
    (void)snprintf(result->log, sizeof(result->log), "%s", stack_log());
}

struct visit_result
visit_run(const struct visit *visit)
{
    struct visit_result *shared = shared_memory(sizeof(*shared));
    struct visit_result result;
    int status = 0;
    pid_t pid = -1;

    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        play(visit, shared);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    result = *shared;
    result.is_dead = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    (void)munmap(shared, sizeof(*shared));
    return result;
}
