/* Looking closely into caches, in a child that is the user. */
#include "faults/whole.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <krb5.h>

/* FNV-1a, 64 bits: nobody here wants to deceive us. */
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t
hash(uint64_t so_far, const void *data, size_t length)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < length; i++) {
        so_far = (so_far ^ at[i]) * HASH_PRIME;
    }
    return so_far;
}

static uint64_t
hash_creds(const krb5_creds *creds, const char *server)
{
    uint64_t value = hash(HASH_BEGIN, server, strlen(server));

    value = hash(value, creds->keyblock.contents, creds->keyblock.length);
    return hash(value, creds->ticket.data, creds->ticket.length);
}

static void
take(krb5_context context, const krb5_creds *creds, struct whole *whole)
{
    char *server = NULL;
    uint64_t value = 0;

    if (krb5_unparse_name(context, creds->server, &server) != 0) {
        return;
    }
    value = hash_creds(creds, server);
    if (krb5_is_config_principal(context, creds->server)) {
        whole->configs++;
        whole->config_entries += value;
    } else if (strncmp(server, "krbtgt/", 7) == 0) {
        whole->tgts++;
        whole->tgt += value;
        whole->endtime = (int64_t)(uint32_t)creds->times.endtime;
    } else {
        whole->services++;
        whole->service_tickets += value;
    }
    krb5_free_unparsed_name(context, server);
}

static krb5_error_code
look(krb5_context context, krb5_ccache cache, struct whole *whole)
{
    krb5_principal principal = NULL;
    krb5_cc_cursor cursor = NULL;
    char *name = NULL;
    krb5_error_code code = krb5_cc_get_principal(context, cache, &principal);

    if (code != 0) {
        return code;
    }
    code = krb5_unparse_name(context, principal, &name);
    if (code == 0) {
        (void)snprintf(whole->principal, sizeof(whole->principal), "%s", name);
        code = krb5_cc_start_seq_get(context, cache, &cursor);
    }
    while (code == 0) {
        krb5_creds creds;

        code = krb5_cc_next_cred(context, cache, &cursor, &creds);
        if (code == 0) {
            take(context, &creds, whole);
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
        code = krb5_get_credentials(context, KRB5_GC_NO_STORE, cache, &wanted,
                                    &got);
    }
    krb5_free_creds(context, got);
    krb5_free_cred_contents(context, &wanted);
    return code;
}

/* What a child is for. */
struct task {
    const char *name;
    const char *service; /* NULL = only look, or destroy */
    bool is_destroyed;
};

static krb5_error_code
carry_out(krb5_context context, krb5_ccache cache, const struct task *task,
          struct whole *whole)
{
    if (task->is_destroyed) {
        return krb5_cc_destroy(context, cache);
    }
    return task->service == NULL ? look(context, cache, whole)
                                 : fetch(context, cache, task->service);
}

static void
child(const struct task *task, int fd)
{
    struct whole whole = {.readable = false};
    krb5_context context = NULL;
    krb5_ccache cache = NULL;
    krb5_error_code code = krb5_init_context(&context);

    if (code == 0) {
        code = krb5_cc_resolve(context, task->name, &cache);
    }
    if (code == 0) {
        code = carry_out(context, cache, task, &whole);
    }
    if (code == 0) {
        whole.readable = true;
        (void)!write(fd, &whole, sizeof(whole));
    }
    _exit(0);
}

static struct whole
in_child(const struct task *task, uid_t uid, gid_t gid)
{
    struct whole whole = {.readable = false};
    int fds[2];
    pid_t pid = -1;

    if (pipe(fds) < 0) {
        return whole;
    }
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
            setresuid(uid, uid, uid) == 0) {
            child(task, fds[1]);
        }
        _exit(1);
    }
    (void)close(fds[1]);
    if (read(fds[0], &whole, sizeof(whole)) != (ssize_t)sizeof(whole)) {
        whole = (struct whole){.readable = false};
    }
    (void)close(fds[0]);
    (void)waitpid(pid, NULL, 0);
    return whole;
}

struct whole
whole_look(const char *name, uid_t uid, gid_t gid)
{
    return in_child(&(struct task){.name = name}, uid, gid);
}

/* In a child: all caches, each written when it has been looked at. */
static void
look_at_each(const char *const *names, size_t count, int fd)
{
    krb5_context context = NULL;

    if (krb5_init_context(&context) != 0) {
        _exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        struct whole whole = {.readable = false};
        krb5_ccache cache = NULL;

        whole.readable = krb5_cc_resolve(context, names[i], &cache) == 0 &&
                         look(context, cache, &whole) == 0;
        if (cache != NULL) {
            (void)krb5_cc_close(context, cache);
        }
        (void)!write(fd, &whole, sizeof(whole));
    }
    _exit(0);
}

void
whole_look_all(const char *const *names, size_t count, uid_t uid,
               struct whole *wholes_out)
{
    int fds[2];
    pid_t pid = -1;

    memset(wholes_out, 0, count * sizeof(*wholes_out));
    if (pipe(fds) < 0) {
        return;
    }
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        if (setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
            setresuid(uid, uid, uid) == 0) {
            look_at_each(names, count, fds[1]);
        }
        _exit(1);
    }
    (void)close(fds[1]);
    for (size_t i = 0; i < count; i++) {
        /* Less than a pipe takes at once. */
        if (read(fds[0], &wholes_out[i], sizeof(*wholes_out)) !=
            (ssize_t)sizeof(*wholes_out)) {
            break;
        }
    }
    (void)close(fds[0]);
    (void)waitpid(pid, NULL, 0);
}

bool
whole_works(const char *name, const char *service, uid_t uid, gid_t gid)
{
    return in_child(&(struct task){.name = name, .service = service}, uid, gid)
        .readable;
}

bool
whole_destroy(const char *name, uid_t uid, gid_t gid)
{
    return in_child(&(struct task){.name = name, .is_destroyed = true}, uid,
                    gid)
        .readable;
}
