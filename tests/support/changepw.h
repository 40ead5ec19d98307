/*
 * A password server (RFC 3244) that gives every request the one answer that it
 * was told, whatever the new password is: what a domain controller says of
 * its policy, say, which kadmind never does.
 */
#ifndef SUPPORT_CHANGEPW_H
#define SUPPORT_CHANGEPW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct changepw_answer {
    uint16_t code; /* KRB5_KPASSWD_... */
    const void *text;
    size_t length;
};

struct changepw {
    int port; /* of 127.0.0.1, UDP */
    pid_t pid;
};

/*
 * Starts it with the key of kadmin/changepw in KEYTAB; it ends with this
 * process.  The test fails where it cannot.
 */
struct changepw changepw_start(const char *keytab,
                               const struct changepw_answer *answer);
void changepw_end(const struct changepw *server);

#endif
