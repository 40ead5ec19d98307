/*
 * A real KCM server for a test: sssd's, with a database and a socket of the
 * test's own, in the namespace that tests/in-namespace has made.
 */
#ifndef SUPPORT_KCM_H
#define SUPPORT_KCM_H

#include <stdbool.h>

/* Whether there can be one here; WHY_OUT (static) says why not. */
bool kcm_available(const char **why_out);

/*
 * Starts a server with an empty database and waits until it answers; nothing
 * where kcm_available is false.  An unchecked fixture, whose tests may be
 * forked; no child of anybody's.  kcm_end stops it, from whichever process.
 */
void kcm_begin(void);
void kcm_end(void);

/* Between these the server lives and is silent. */
void kcm_pause(void);
void kcm_resume(void);

#endif
