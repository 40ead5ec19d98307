/*
 * unlock SERVICE USER: what gdm and lightdm do when a screen is unlocked.
 *
 * Root, not set-uid, a new handle that knows nothing of the session, no
 * KRB5CCNAME in the environment: pam_authenticate, pam_acct_mgmt,
 * pam_setcred(REINITIALIZE), pam_end.  The password is the first line of the
 * standard input.  Ends with 0 where all have succeeded; says which has not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_appl.h>

static char password[256];

/* Answers every question with the password. */
static int
converse(int count, const struct pam_message **messages,
         struct pam_response **responses_out, void *data)
{
    struct pam_response *responses =
        calloc((size_t)count, sizeof(struct pam_response));

    (void)data;
    if (responses == NULL) {
        return PAM_BUF_ERR;
    }
    for (int i = 0; i < count; i++) {
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF ||
            messages[i]->msg_style == PAM_PROMPT_ECHO_ON) {
            responses[i].resp = strdup(password);
        }
    }
    *responses_out = responses;
    return PAM_SUCCESS;
}

static int
unlock(pam_handle_t *handle)
{
    const char *call = "pam_authenticate";
    int code = pam_set_item(handle, PAM_TTY, ":0");

    if (code == PAM_SUCCESS) {
        code = pam_authenticate(handle, 0);
    }
    if (code == PAM_SUCCESS) {
        call = "pam_acct_mgmt";
        code = pam_acct_mgmt(handle, 0);
    }
    if (code == PAM_SUCCESS) {
        call = "pam_setcred";
        code = pam_setcred(handle, PAM_REINITIALIZE_CRED);
    }
    if (code != PAM_SUCCESS) {
        printf("%s: %s\n", call, pam_strerror(handle, code));
    }
    return code;
}

int
main(int argc, char **argv)
{
    const struct pam_conv conversation = {.conv = converse};
    pam_handle_t *handle = NULL;
    int code = PAM_SYSTEM_ERR;

    if (argc != 3 || fgets(password, sizeof(password), stdin) == NULL) {
        fprintf(stderr, "usage: unlock SERVICE USER <password\n");
        return 2;
    }
    password[strcspn(password, "\n")] = '\0';
    if (pam_start(argv[1], argv[2], &conversation, &handle) != PAM_SUCCESS) {
        return 2;
    }
    code = unlock(handle);
    (void)pam_end(handle, code);
    return code == PAM_SUCCESS ? 0 : 1;
}
