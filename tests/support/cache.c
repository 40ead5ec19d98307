/* Looking into caches with libkrb5, in a child that is the user. */
#include "support/cache.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <krb5.h>

struct task {
    const char *name;
    const char *principal;
    const char *password;
    const char *service;
    const int64_t *lifetimes;
    const struct cache_ages *ages;
};

static void
look_at_creds(krb5_context context, const krb5_creds *creds,
              struct cache_view *view)
{
    char *server = NULL;

    if (krb5_is_config_principal(context, creds->server)) {
        view->configs++;
        return;
    }
    if (krb5_unparse_name(context, creds->server, &server) != 0) {
        return;
    }
    if (strncmp(server, "krbtgt/", 7) == 0) {
        view->tgts++;
        view->authtime = (uint32_t)creds->times.authtime;
        view->starttime = (uint32_t)creds->times.starttime;
        view->endtime = (uint32_t)creds->times.endtime;
        view->renew_till = (uint32_t)creds->times.renew_till;
    } else {
        view->services++;
        (void)snprintf(view->first_service, sizeof(view->first_service), "%s",
                       server);
    }
    krb5_free_unparsed_name(context, server);
}

static krb5_error_code
look(krb5_context context, krb5_ccache cache, struct cache_view *view)
{
    krb5_principal principal = NULL;
    krb5_cc_cursor cursor = NULL;
    krb5_creds creds;
    char *name = NULL;
    krb5_error_code code = krb5_cc_get_principal(context, cache, &principal);

    if (code != 0) {
        return code;
    }
    code = krb5_unparse_name(context, principal, &name);
    if (code == 0) {
        (void)snprintf(view->principal, sizeof(view->principal), "%s", name);
        code = krb5_cc_start_seq_get(context, cache, &cursor);
    }
    while (code == 0) {
        code = krb5_cc_next_cred(context, cache, &cursor, &creds);
        if (code == 0) {
            look_at_creds(context, &creds, view);
            krb5_free_cred_contents(context, &creds);
        }
    }
    if (cursor != NULL) {
        (void)krb5_cc_end_seq_get(context, cache, &cursor);
    }
    krb5_free_unparsed_name(context, name);
    krb5_free_principal(context, principal);
    return code == KRB5_CC_END ? 0 : code;
}

static krb5_error_code
fetch(krb5_context context, krb5_ccache cache, const char *service)
{
    krb5_creds wanted = {0};
    krb5_creds *got = NULL;
    krb5_error_code code =
        krb5_cc_get_principal(context, cache, &wanted.client);

    if (code == 0) {
        code = krb5_parse_name(context, service, &wanted.server);
    }
    if (code == 0) {
        code = krb5_get_credentials(context, 0, cache, &wanted, &got);
    }
    krb5_free_creds(context, got);
    krb5_free_cred_contents(context, &wanted);
    return code;
}

static krb5_error_code
initial(krb5_context context, krb5_ccache cache, const struct task *task)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_principal client = NULL;
    krb5_creds creds = {0};
    krb5_error_code code = krb5_get_init_creds_opt_alloc(context, &options);

    if (code == 0) {
        code = krb5_parse_name(context, task->principal, &client);
    }
    if (code == 0 && task->lifetimes[0] > 0) {
        krb5_get_init_creds_opt_set_tkt_life(options,
                                             (krb5_deltat)task->lifetimes[0]);
    }
    if (code == 0 && task->lifetimes[1] != 0) {
        krb5_get_init_creds_opt_set_renew_life(
            options,
            task->lifetimes[1] > 0 ? (krb5_deltat)task->lifetimes[1] : 0);
    }
    if (code == 0) {
        code = krb5_get_init_creds_opt_set_out_ccache(context, options, cache);
    }
    if (code == 0) {
        code = krb5_get_init_creds_password(context, &creds, client,
                                            task->password, NULL, NULL, 0, NULL,
                                            options);
    }
    krb5_free_cred_contents(context, &creds);
    krb5_free_principal(context, client);
    krb5_get_init_creds_opt_free(context, options);
    return code;
}

static void
age_times(krb5_ticket_times *times, const struct cache_ages *ages)
{
    if (times->starttime == 0) {
        times->starttime = times->authtime;
    }
    if (ages->ended_s > 0) {
        times->endtime = (krb5_timestamp)(time(NULL) - ages->ended_s);
        times->starttime = times->endtime - (krb5_timestamp)ages->begun_s;
    } else {
        times->starttime -= (krb5_timestamp)ages->begun_s;
        times->authtime -= (krb5_timestamp)ages->begun_s;
    }
}

/* Stores into CACHE all that MEMORY has, older than it was. */
static krb5_error_code
store_older(krb5_context context, krb5_ccache memory, krb5_ccache cache,
            const struct cache_ages *ages)
{
    krb5_cc_cursor cursor = NULL;
    krb5_creds creds;
    krb5_error_code code = krb5_cc_start_seq_get(context, memory, &cursor);

    if (code != 0) {
        return code;
    }
    while (code == 0) {
        code = krb5_cc_next_cred(context, memory, &cursor, &creds);
        if (code == 0) {
            if (!krb5_is_config_principal(context, creds.server)) {
                age_times(&creds.times, ages);
            }
            code = krb5_cc_store_cred(context, cache, &creds);
            krb5_free_cred_contents(context, &creds);
        }
    }
    (void)krb5_cc_end_seq_get(context, memory, &cursor);
    return code == KRB5_CC_END ? 0 : code;
}

static krb5_error_code
age(krb5_context context, krb5_ccache cache, const struct cache_ages *ages)
{
    krb5_ccache memory = NULL;
    krb5_principal client = NULL;
    krb5_error_code code = krb5_cc_get_principal(context, cache, &client);

    if (code == 0) {
        code = krb5_cc_new_unique(context, "MEMORY", NULL, &memory);
    }
    if (code == 0) {
        code = krb5_cc_initialize(context, memory, client);
    }
    if (code == 0) {
        code = krb5_cc_copy_creds(context, cache, memory);
    }
    if (code == 0) {
        code = krb5_cc_initialize(context, cache, client);
    }
    if (code == 0) {
        code = store_older(context, memory, cache, ages);
    }
    if (memory != NULL) {
        (void)krb5_cc_destroy(context, memory);
    }
    krb5_free_principal(context, client);
    return code;
}

/* The child: becomes the user and does TASK; writes what it sees to FD. */
static void
child(const struct task *task, uid_t uid, gid_t gid, int fd)
{
    struct cache_view view = {0};
    krb5_context context = NULL;
    krb5_ccache cache = NULL;
    krb5_error_code code = 0;

    if (geteuid() == 0 &&
        (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
         setresuid(uid, uid, uid) < 0)) {
        _exit(1);
    }
    code = krb5_init_context(&context);
    if (code == 0) {
        code = krb5_cc_resolve(context, task->name, &cache);
    }
    if (code == 0 && task->password != NULL) {
        code = initial(context, cache, task);
    } else if (code == 0 && task->service != NULL) {
        code = fetch(context, cache, task->service);
    } else if (code == 0 && task->ages != NULL) {
        code = age(context, cache, task->ages);
    }
    if (code == 0) {
        code = look(context, cache, &view);
    }
    if (code != 0 && context != NULL) {
        const char *text = krb5_get_error_message(context, code);

        fprintf(stderr, "# %s: %s\n", task->name, text);
    }
    view.readable = code == 0;
    (void)!write(fd, &view, sizeof(view));
    _exit(code == 0 ? 0 : 1);
}

static struct cache_view
in_child(const struct task *task, uid_t uid, gid_t gid)
{
    struct cache_view view = {0};
    int fds[2];
    pid_t pid = -1;

    if (pipe(fds) < 0) {
        return view;
    }
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        child(task, uid, gid, fds[1]);
    }
    (void)close(fds[1]);
    if (read(fds[0], &view, sizeof(view)) != (ssize_t)sizeof(view)) {
        view = (struct cache_view){0};
    }
    (void)close(fds[0]);
    (void)waitpid(pid, NULL, 0);
    return view;
}

struct cache_view
cache_look(const char *name, uid_t uid, gid_t gid)
{
    return in_child(&(struct task){.name = name}, uid, gid);
}

bool
cache_fetch(const char *name, const char *service, uid_t uid, gid_t gid)
{
    return in_child(&(struct task){.name = name, .service = service}, uid, gid)
        .readable;
}

bool
cache_kinit(const char *name, const char *principal, const char *password,
            const int64_t lifetimes[2], uid_t uid, gid_t gid)
{
    return in_child(&(struct task){.name = name,
                                   .principal = principal,
                                   .password = password,
                                   .lifetimes = lifetimes},
                    uid, gid)
        .readable;
}

bool
cache_age(const char *name, const struct cache_ages *ages, uid_t uid, gid_t gid)
{
    return in_child(&(struct task){.name = name, .ages = ages}, uid, gid)
        .readable;
}

const char *
cache_path(const char *name)
{
    return strncmp(name, "FILE:", 5) == 0   ? name + 5
           : strncmp(name, "DIR::", 5) == 0 ? name + 5
                                            : name;
}
