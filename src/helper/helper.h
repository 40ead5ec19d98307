/* What all of the helper's rooms know of the one request they are for. */
#ifndef HELPER_HELPER_H
#define HELPER_HELPER_H

#include "base/deadline.h"
#include "base/message.h"
#include "helper/identity.h"
#include "helper/line.h"
#include "krb/krb.h"

struct helper {
    struct line module;
    struct request request; /* borrows from the message, which stays */
    struct options options;
    struct log log;
    int trace_fd; /* -1 = no trace */
    /* The user of the request, where that is not PAM_USER; owned, or NULL. */
    char *local_user;

    /* Of the jobs that talk to a KDC. */
    struct line exchange;
    pid_t exchange_pid;              /* 0 = there is none */
    struct identity_account account; /* whom it runs as, in a root host */

    /* Who looks the user's groups up (helper/groups.h). */
    struct {
        pid_t pid; /* 0 = there is nobody */
        int fd;    /* a byte to him, the groups from him */
        bool is_asked;
        struct deadline fresh; /* until when his answer counts */
    } searcher;
};

/* What a job has come to; texts and bytes are owned (job_result_free). */
struct job_result {
    enum outcome outcome;
    char *principal;
    char *cache;
    bool has_made_cache; /* it was not there before, and is nobody else's */
    struct bytes tickets;
    const char *local_user; /* helper->local_user, for the module; or NULL */
    const char *remark; /* what is to be said of a success; NULL = nothing */
};

void job_result_free(struct job_result *result);

/*
 * Opens KRB as whoever this process is now, completes the options from
 * krb5.conf and greets the module with them.
 */
enum outcome helper_greet(struct helper *helper, struct krb *krb);

/*
 * Whether the options, krb5.conf's among them, exclude the request's user: the
 * module would end us for it, but perhaps too late.
 */
bool helper_excludes_user(const struct helper *helper);

/* In a child of the judge: what the judge hears and says is not for it. */
void helper_close_lines(const struct helper *helper);

/* Becomes the user of the request (identity_become_user). */
enum outcome helper_become_user(struct helper *helper, struct krb *krb);

/*
 * The name of the cache that the request is about, into result->cache:
 * libkrb5's default of this process where the request names none.
 */
enum outcome job_cache_name(struct helper *helper, struct krb *krb,
                            struct job_result *result);

/* The same, and of a collection its primary, whichever it is later. */
enum outcome job_single_cache_name(struct helper *helper, struct krb *krb,
                                   struct job_result *result);

#endif
