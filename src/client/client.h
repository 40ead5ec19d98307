/*
 * One request to the helper: spawn it, send the request, answer what it asks,
 * take its result, and leave nothing behind, whatever it does.  Knows the
 * protocol and the deadline; who the user is, and how he is reached, is the
 * caller's business (struct client_handlers).
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/message.h"

/*
 * A running helper and what is on its way to or from it: all that must be given
 * back if the caller's thread ends here.  CLIENT_NONE at first.
 */
struct client {
    int fd;
    int pidfd;
    pid_t pid;
    /* It has spoken: the pidfd is its own and not a stranger's. */
    bool is_known;
    bool is_greeted; /* it has sent its one GREETING */
    bool is_leaving; /* it has sent its result, and ends by itself */
    /* What it said last, and what is being answered. */
    struct message message;
    struct bytes reply;
};

#define CLIENT_NONE                                                            \
    (struct client)                                                            \
    {                                                                          \
        .fd = -1, .pidfd = -1, .pid = -1                                       \
    }

/* What the helper may ask of its caller.  Each gets DATA. */
struct client_handlers {
    /*
     * The options as krb5.conf completes them.  The deadline may be
     * shortened.  Anything but success ends the request with that outcome.
     */
    enum outcome (*greeted)(void *data, const struct options *completed);
    /*
     * Puts PROMPTS to the user and appends the ANSWERS message to PAYLOAD.
     * Anything but success ends the request with that outcome.
     */
    enum outcome (*prompt)(void *data, const struct prompts *prompts,
                           struct bytes *payload);
    /* Shows TEXT, made safe for a terminal, to the user. */
    void (*inform)(void *data, const char *text);
    void (*note)(void *data, enum log_level level, const char *text);
    /*
     * A name of PATTERN ("" = the options' template) for a new cache,
     * appended as a NAME message to PAYLOAD.  Anything but success ends the
     * request with that outcome.
     */
    enum outcome (*name)(void *data, const char *pattern,
                         struct bytes *payload);
    /* The groups of the user of an ACQUIRE, which asks the KDC by then; NULL in
     * who asks for none. */
    void (*grouped)(void *data, const struct groups *groups);
    /* What a DESCRIBE has found; NULL in who asks for none. */
    void (*described)(void *data, const struct description *description);
    void *data;
};

/* What came of it; texts are borrowed from `message` (client_answer_free). */
struct client_answer {
    struct result result;
    struct message message;
    char
        failure[256]; /* what result.detail points to when there is no helper */
};

void client_answer_free(struct client_answer *answer);

struct client_request {
    const struct request *request; /* budget_ms is filled in here */
    const struct options *options; /* `helper` says what to run */
    struct deadline *deadline;     /* paused while a handler asks the user */
    const struct client_handlers *handlers;
};

/*
 * Runs REQUEST to its end.  CLIENT is where what is running is kept, so that
 * somebody whose thread is cancelled in a handler can still end it
 * (client_end); it is CLIENT_NONE at first.  A helper that has sent its result
 * may still be on its way out behind this, so that its caller need not wait for
 * that: client_end must follow, and the next client_run waits for it.
 * *ANSWER_OUT is always set, with OUTCOME_HELPER_UNSAFE, _FAILED or _DEADLINE
 * where the helper could not say how it went.
 */
void client_run(struct client *client, const struct client_request *request,
                struct client_answer *answer_out);

/*
 * Ends what is running: closes the socket, kills by pidfd where that is known
 * to be the helper's (one that is leaving has 100 ms to do so), reaps it where
 * the host has not.  At most 200 ms.  CLIENT is CLIENT_NONE then.
 */
void client_end(struct client *client);

#endif
