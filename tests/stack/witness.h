/*
 * Where the witness, a program that is run in the helper's place and then
 * becomes the helper, and the test that has put it there find each other: a
 * set-uid host's helper has no environment.
 */
#ifndef STACK_WITNESS_H
#define STACK_WITNESS_H

#define WITNESS_PLACE "/tmp/witness"

/* Its path, a sound one; and a link to the helper that it becomes. */
#define WITNESS_PROGRAM WITNESS_PLACE "/krb5cc-helper"
#define WITNESS_HELPER WITNESS_PLACE "/real-helper"

/* Each request as a line: "JOB:USER UID CACHE". */
#define WITNESS_ASKED WITNESS_PLACE "/asked"

/*
 * Serials of keys (int32_t): the helper is killed when it does more with one
 * of them than look whose it is.
 */
#define WITNESS_FORBIDDEN WITNESS_PLACE "/forbidden"
#define WITNESS_KEYS_MAX 64

#endif
