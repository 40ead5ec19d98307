/* What tests/peer/recorder.c, a module, tells the host that has loaded it. */
#ifndef PEER_RECORDER_H
#define PEER_RECORDER_H

#include <security/pam_modules.h>

/*
 * Defined by the host: the module's NAME (pam_sm_authenticate ...), called with
 * FLAGS, has returned CODE.  Still inside of the call: items are to be read.
 */
void recorder_returned(pam_handle_t *handle, const char *name, int flags,
                       int code);

#endif
