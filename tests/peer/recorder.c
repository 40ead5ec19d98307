/*
 * A PAM module that is another one: its first argument is the path of the
 * module to be called, the others are that one's.  Tells the host what each
 * call has returned, which libpam would keep to itself (PAM_IGNORE, and each
 * half of pam_chauthtok).  Knows nothing of the module.
 */
#include <dlfcn.h>
#include <stddef.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "peer/recorder.h"

typedef int entry(pam_handle_t *handle, int flags, int count,
                  const char **arguments);

/* Once open it stays: it may have left data with destructors on a handle. */
static void *
module(const char *path)
{
    static void *opened;

    if (opened == NULL) {
        opened = dlopen(path, RTLD_NOW);
    }
    return opened;
}

static int
call(const char *name, pam_handle_t *handle, int flags, int count,
     const char **arguments)
{
    void *opened = count > 0 ? module(arguments[0]) : NULL;
    void *symbol = opened == NULL ? NULL : dlsym(opened, name);
    entry *function = NULL;
    int code = PAM_SYMBOL_ERR;

    /* dlsym(3) has no type for functions. */
    *(void **)&function = symbol;
    if (function == NULL) {
        return PAM_SYMBOL_ERR;
    }
    code = function(handle, flags, count - 1, arguments + 1);
    recorder_returned(handle, name, flags, code);
    return code;
}

#define ENTRY(name)                                                            \
    __attribute__((visibility("default"))) int name(                           \
        pam_handle_t *handle, int flags, int count, const char **arguments)    \
    {                                                                          \
        return call(#name, handle, flags, count, arguments);                   \
    }

ENTRY(pam_sm_authenticate)
ENTRY(pam_sm_setcred)
ENTRY(pam_sm_acct_mgmt)
ENTRY(pam_sm_open_session)
ENTRY(pam_sm_close_session)
ENTRY(pam_sm_chauthtok)
