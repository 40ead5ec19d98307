/* Tickets planted for alice, and klist(1) as alice. */
#include "stack/scene.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <krb5.h>
#include <linux/keyctl.h>

#include "stack/common.h"
#include "support/kcm.h"

#define FOLDER "/tmp/scene"
#define ALICES "FILE:" FOLDER "/alice"
#define BOBS "FILE:" FOLDER "/bob"
#define EXPIRED "FILE:" FOLDER "/expired"

#define KLIST "/usr/bin/klist"
#define WORDS_MAX 8
#define GARBAGE "a letter to bob\n"

static const char *const sources[SCENE_COUNT] = {
    [SCENE_ALICE] = ALICES,    [SCENE_BARE] = ALICES,
    [SCENE_EXPIRED] = EXPIRED, [SCENE_VANISHING] = EXPIRED,
    [SCENE_BOB] = BOBS,
};

/* Runs BODY as alice. */
static int
as_alice(int (*body)(void *data), void *data)
{
    uid_t uid = common_uid("alice");

    return common_in_child((struct ids){uid, uid, uid}, uid, body, data);
}

/* What is copied from one cache to another. */
struct copy {
    const char *from;
    const char *to;
    bool only_tgt;
    bool only_services; /* and into what is there */
    bool only_living;   /* else only what has ended */
};

static bool
is_wanted(krb5_context context, const struct copy *copy,
          const krb5_creds *creds)
{
    bool is_config = krb5_is_config_principal(context, creds->server);
    bool is_tgt = !is_config && creds->server->length == 2 &&
                  strcmp(creds->server->data[0].data, KRB5_TGS_NAME) == 0;

    return copy->only_tgt        ? is_tgt
           : copy->only_services ? !is_tgt && !is_config
                                 : true;
}

/* What of FROM lives, or what does not, into TO. */
static krb5_error_code
copy_entries(krb5_context context, const struct copy *copy, krb5_ccache from,
             krb5_ccache to)
{
    krb5_cc_cursor cursor = NULL;
    krb5_creds creds;
    krb5_error_code code = krb5_cc_start_seq_get(context, from, &cursor);

    while (code == 0) {
        code = krb5_cc_next_cred(context, from, &cursor, &creds);
        if (code == 0) {
            bool lives =
                (int64_t)(uint32_t)creds.times.endtime > (int64_t)time(NULL);

            if (lives == copy->only_living &&
                is_wanted(context, copy, &creds)) {
                code = krb5_cc_store_cred(context, to, &creds);
            }
            krb5_free_cred_contents(context, &creds);
        }
    }
    (void)krb5_cc_end_seq_get(context, from, &cursor);
    return code == KRB5_CC_END ? 0 : code;
}

static int
copy_as_user(void *data)
{
    struct copy *copy = data;
    krb5_context context = NULL;
    krb5_ccache from = NULL;
    krb5_ccache to = NULL;
    krb5_principal client = NULL;
    krb5_error_code code = krb5_init_context(&context);

    if (code == 0) {
        code = krb5_cc_resolve(context, copy->from, &from);
    }
    if (code == 0) {
        code = krb5_cc_resolve(context, copy->to, &to);
    }
    if (code == 0) {
        code = krb5_cc_get_principal(context, from, &client);
    }
    if (code == 0 && !copy->only_services) {
        code = krb5_cc_initialize(context, to, client);
    }
    /* A keyring in which nothing lives is gone after a second. */
    for (int i = 0; i < 2 && code == 0; i++) {
        copy->only_living = i == 0;
        code = copy_entries(context, copy, from, to);
    }
    if (code == 0 &&
        krb5_cc_support_switch(context, krb5_cc_get_type(context, to))) {
        code = krb5_cc_switch(context, to);
    }
    if (code != 0) {
        fprintf(stderr, "# %s: %s\n", copy->to,
                krb5_get_error_message(context, code));
    }
    return code != 0;
}

void
scene_plant(const char *name, enum scene_tickets tickets)
{
    struct copy copy = {.from = sources[tickets],
                        .to = name,
                        .only_tgt = tickets == SCENE_BARE ||
                                    tickets == SCENE_VANISHING};

    ck_assert_msg(as_alice(copy_as_user, &copy) == 0, "cannot plant %s", name);
    if (tickets == SCENE_EXPIRED) {
        common_wait_until_after(common_look(EXPIRED, "alice").endtime);
    } else if (tickets == SCENE_VANISHING) {
        /* libkrb5 gives it one more second. */
        common_wait_until_after((int64_t)time(NULL) + 1);
    }
}

void
scene_plant_in(const struct kind *kind, const char *suffix,
               enum scene_tickets tickets, char name[SCENE_NAME_MAX])
{
    (void)snprintf(name, SCENE_NAME_MAX, "%s",
                   kinds_cache(kind, "alice", suffix));
    scene_plant(name, tickets);
}

void
scene_add_evidence(const char *name)
{
    struct copy copy = {.from = BOBS, .to = name, .only_services = true};

    ck_assert_msg(as_alice(copy_as_user, &copy) == 0, "cannot add to %s", name);
}

void
scene_begin(void)
{
    static const int64_t an_hour[] = {3600, 86400};
    static const int64_t a_second[] = {1, 86400};
    uid_t uid = 0;

    if (geteuid() != 0 || getenv("IN_TEST_NAMESPACE") == NULL ||
        common_exists(FOLDER)) {
        return;
    }
    uid = common_uid("alice");
    ck_assert_int_eq(mkdir(FOLDER, 0700), 0);
    ck_assert_int_eq(chown(FOLDER, uid, uid), 0);
    common_kinit(EXPIRED, "alice", "alice", a_second, NO_SERVICE);
    common_kinit(ALICES, "alice", "alice", an_hour, WITH_SERVICE);
    common_kinit(BOBS, "alice", "bob", an_hour, WITH_SERVICE);
    /* A keyring goes with the last of its tickets. */
    scene_add_evidence(EXPIRED);
}

int64_t
scene_begun(void)
{
    return common_look(ALICES, "alice").starttime;
}

/* Writes over the principal that the keyring NAME holds. */
static int
spoil_keyring(void *data)
{
    static const int32_t anchors[] = {KEY_SPEC_PROCESS_KEYRING,
                                      KEY_SPEC_SESSION_KEYRING};
    const char *name = data;
    long cache = -1;

    (void)syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING,
                  KEY_SPEC_PROCESS_KEYRING, 0, 0);
    (void)syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1L,
                  KEY_SPEC_PROCESS_KEYRING, 0, 0);
    for (size_t i = 0; i < 2 && cache < 0; i++) {
        cache = syscall(SYS_keyctl, KEYCTL_SEARCH, anchors[i], "keyring",
                        strrchr(name, ':') + 1, 0);
    }
    return cache < 0 || syscall(SYS_add_key, "user", "__krb5_princ__", GARBAGE,
                                strlen(GARBAGE), cache) < 0;
}

/*
 * Has the KCM server store what is no ticket (protocol 2.0, operation 6).  In
 * one piece: the server takes the first part of a request for all of it.
 */
static int
spoil_kcm(void *data)
{
    const char *name = strchr(data, ':') + 1;
    struct sockaddr_un there = {.sun_family = AF_UNIX,
                                .sun_path = "/run/.heim_org.h5l.kcm-socket"};
    char request[512] = {0, 0, 0, 0, 2, 0, 0, 6};
    char answer[8];
    int length = 8 + snprintf(request + 8, sizeof(request) - 8, "%s%c%s", name,
                              0, GARBAGE);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    request[3] = (char)(length - 4);
    return connect(fd, (const struct sockaddr *)&there, sizeof(there)) < 0 ||
           send(fd, request, (size_t)length, MSG_NOSIGNAL) != length ||
           recv(fd, answer, sizeof(answer), MSG_WAITALL) < 8;
}

static int
spoil_file(void *data)
{
    int fd = open(cache_path(data), O_WRONLY | O_TRUNC | O_CLOEXEC);

    return write(fd, GARBAGE, strlen(GARBAGE)) != (ssize_t)strlen(GARBAGE);
}

void
scene_spoil(const struct kind *kind, const char *name)
{
    static int (*const spoils[])(void *data) = {
        [KIND_FILE] = spoil_file,
        [KIND_DIR] = spoil_file,
        [KIND_KEYRING] = spoil_keyring,
        [KIND_KCM] = spoil_kcm,
    };
    char copy[512];

    (void)snprintf(copy, sizeof(copy), "%s", name);
    ck_assert_msg(as_alice(spoils[kind->family], copy) == 0, "cannot spoil %s",
                  name);
    ck_assert(!common_look(name, "alice").readable);
}

void
scene_start(const struct kind *kind, struct stack *stack, const char *name)
{
    kinds_start(kind, stack, "alice", "", no_answers);
    common_set_cache(stack, name);
}

void
scene_login(const struct kind *kind, struct stack *stack, const char *name)
{
    kinds_start(kind, stack, "alice", "ticket_lifetime=2h", alice_answers);
    EXPECT(pam_authenticate(stack->handle, 0), PAM_SUCCESS);
    common_set_cache(stack, name);
}

void
scene_assert_new(const char *name)
{
    struct cache_view view = common_look(name, "alice");

    ck_assert_str_eq(view.principal, "alice@PAM.TEST");
    ck_assert_int_eq(view.tgts, 1);
    /* The KDC may round. */
    ck_assert_int_ge(view.endtime - view.starttime, SCENE_LIFETIME_S - 2);
    ck_assert_int_le(view.endtime - view.starttime, SCENE_LIFETIME_S + 2);
}

/* klist, and what it shall look at. */
struct look {
    const char *name;
    char words[512];
    int fd;
};

static int
exec_klist(void *data)
{
    struct look *look = data;
    char program[] = KLIST;
    char *words[WORDS_MAX + 1] = {program};
    char name[512];
    char config[512];
    char *environment[] = {config, look->name == NULL ? NULL : name, NULL};
    char *at = *look->words == '\0' ? NULL : look->words;

    for (size_t i = 1; i < WORDS_MAX && at != NULL; i++) {
        words[i] = strsep(&at, " ");
    }
    (void)snprintf(name, sizeof(name), "KRB5CCNAME=%s", look->name);
    (void)snprintf(config, sizeof(config), "KRB5_CONFIG=%s",
                   getenv("KRB5_CONFIG"));
    (void)dup2(look->fd, STDOUT_FILENO);
    (void)dup2(look->fd, STDERR_FILENO);
    (void)execve(KLIST, words, environment);
    return 1;
}

const char *
scene_klist(const char *name, const char *words)
{
    static char text[16384];
    struct look look = {.name = name};
    ssize_t length = 0;

    /* A file and not a pipe: nobody reads while it runs. */
    look.fd = memfd_create("klist", MFD_CLOEXEC);
    ck_assert_int_ge(look.fd, 0);
    (void)snprintf(look.words, sizeof(look.words), "%s", words);
    (void)as_alice(exec_klist, &look);
    length = pread(look.fd, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    (void)close(look.fd);
    return text;
}

/* klist says TEXT of NAME. */
static void
assert_klist(const char *name, const char *words, const char *text)
{
    const char *said = scene_klist(name, words);

    ck_assert_msg(strstr(said, text) != NULL,
                  "KRB5CCNAME=%s klist %s does not say %s:\n%s",
                  name == NULL ? "" : name, words, text, said);
}

void
scene_assert_seen(const struct kind *kind, const char *name)
{
    const char *collection = kinds_collection(kind, "alice");
    struct cache_view view = common_look(name, "alice");
    char words[512];

    ck_assert_msg(view.readable, "alice cannot read %s; log:\n%s", name,
                  stack_log());
    ck_assert_str_eq(view.principal, "alice@PAM.TEST");
    ck_assert_int_eq(view.tgts, 1);
    (void)snprintf(words, sizeof(words), "-c %s", name);
    assert_klist(NULL, words, "Default principal: alice@PAM.TEST");
    assert_klist(name, "", "krbtgt/PAM.TEST@PAM.TEST");
    if (collection != NULL) {
        assert_klist(collection, "-l", name);
        (void)snprintf(words, sizeof(words), "Ticket cache: %s", name);
        assert_klist(collection, "-A", words);
    }
}

void
scene_assert_gone(const struct kind *kind, const char *name)
{
    const char *collection = kinds_collection(kind, "alice");

    ck_assert(!common_look(name, "alice").readable);
    ck_assert(collection == NULL ||
              strstr(scene_klist(collection, "-l"), name) == NULL);
}

void
scene_assert_primary(const struct kind *kind, const char *name)
{
    char words[512];

    (void)snprintf(words, sizeof(words), "Ticket cache: %s\n", name);
    assert_klist(kinds_collection(kind, "alice"), "", words);
}

void
scene_assert_same(const struct cache_view *before, const char *name)
{
    struct cache_view now = common_look(name, "alice");

    ck_assert_int_eq(now.readable, before->readable);
    ck_assert_str_eq(now.principal, before->principal);
    ck_assert_int_eq(now.authtime, before->authtime);
    ck_assert_int_eq(now.starttime, before->starttime);
    ck_assert_int_eq(now.endtime, before->endtime);
    ck_assert_int_eq(now.tgts, before->tgts);
    ck_assert_int_eq(now.services, before->services);
    ck_assert_int_eq(now.configs, before->configs);
}

void
scene_add(Suite *suite, const struct scene_row *rows, size_t count)
{
    for (int i = 0; i < (int)kinds_count; i++) {
        TCase *tcase = common_case(suite, kinds[i].name);

        tcase_add_unchecked_fixture(tcase, scene_begin, NULL);
        if (kinds[i].family == KIND_KCM) {
            tcase_add_unchecked_fixture(tcase, kcm_begin, kcm_end);
        }
        for (size_t j = 0; j < count; j++) {
            if (rows[j].is_for == NULL || rows[j].is_for(&kinds[i])) {
                tcase_add_loop_test(tcase, rows[j].test, i, i + 1);
            }
        }
    }
}
