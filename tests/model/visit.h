/*
 * A visit: a host that comes for one thing and goes.  A locker that is the
 * user, a display manager that unlocks as root, whoever renews a ticket.
 */
#ifndef MODEL_VISIT_H
#define MODEL_VISIT_H

#include <stdbool.h>
#include <stddef.h>

#define VISIT_LOG_MAX 2048

enum visit_password { VISIT_RIGHT, VISIT_WRONG, VISIT_NONE };

struct visit {
    char user[32];
    bool as_user;   /* wholly the user, else root */
    bool is_faulty; /* module and helper of tests/faults */
    enum visit_password password;
    int flag;     /* of setcred */
    bool deletes; /* DELETE and close_session afterwards, for good measure */
    char in_process[256]; /* KRB5CCNAME of the process, "" = unset */
    char in_pam[256];     /* and of the PAM environment */
};

struct visit_result {
    bool is_dead;
    int auth; /* PAM_SUCCESS without a password */
    int cred;
    int deleted;
    int closed;
    char log[VISIT_LOG_MAX];
};

/* In a child of this process. */
struct visit_result visit_run(const struct visit *visit);

/* Module and helper of tests/faults are this process's from now on. */
void visit_use_faulty(void);
/* Where they are. */
void visit_remember_faulty(const char *module, const char *helper);

/* USER's password, or a wrong one, NULL behind it; static storage. */
const char *const *visit_answers(const char *user, bool is_wrong);

#endif
