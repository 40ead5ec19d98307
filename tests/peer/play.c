/*
 * The words that rows are made of, and the line that comes of them.
 *
 *     auth acct open close chauthtok          the calls of a host
 *     establish reinit refresh delete         pam_setcred, with that flag
 *     auth/silent chauthtok/silent            with PAM_SILENT
 *     chauthtok/expired                       with PAM_CHANGE_EXPIRED_AUTHTOK
 *     no-flag two-flags                       pam_setcred, with none or two
 *     end end/silent                          pam_end, PAM_DATA_SILENT
 *     behind       other modules stand behind, and do not hear of failures
 *     no-conv      the host has no conversation;   bad-conv: one that fails
 *     dead silent  the only KDC refuses, or does not answer, from here on
 *     as=NAME      the host changes PAM_USER
 *     refused      alice's ~/.k5login lets only bob in from here on
 *     planted      KRB5CCNAME is a cache of alice's, with her tickets;
 *                  planted-bob: with those of the principal bob
 *     handover     another handle goes on, with this one's PAM environment, as
 *                  if this one had been in a child that is gone
 *     tokens       tell PAM_AUTHTOK and PAM_OLDAUTHTOK behind auth and update
 *     user         tells PAM_USER
 *     cache        tells what KRB5CCNAME names, and whether it is the one that
 *                  it named before;  there: whether it still is
 *     replaced     whether what was planted has other tickets now
 *     tickets      tells minutes of life, of renewable life, forwardable or not
 *     environment  tells the names in the PAM environment
 *     new          whether the new password is right
 *     asked        whether the KDC has heard of the user
 *     tried        whether it has with a password
 *     left         how many files are left in /tmp that look like caches
 */
#include "peer/play.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <krb5.h>

#include "peer/recorder.h"
#include "stack/common.h"
#include "support/realm.h"

#define LINE_MAX_LENGTH 8192
#define NEW_PASSWORD "new-password"

/* How often the KDC has heard of the user, and how often with a password. */
struct requests {
    size_t all;
    size_t tries;
};

static struct {
    const struct row *row;
    const char *user;
    struct stack stack;
    char line[LINE_MAX_LENGTH];
    size_t length;
    size_t told; /* how much of what was shown is in the line */
    bool tells_tokens;
    char cache[256]; /* the last one that was looked at */
    struct snapshot planted;
    struct requests before;
} play_state;

bool
play_is_peer(void)
{
    return stack_peer() != NULL;
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof(play_state.line) - play_state.length;
    int length = 0;

    va_start(arguments, format);
    length =
        vsnprintf(play_state.line + play_state.length, room, format, arguments);
    va_end(arguments);
    ck_assert_int_ge(length, 0);
    ck_assert_uint_lt((size_t)length, room);
    play_state.length += (size_t)length;
}

/* Begins what WORD has to tell. */
static void
begin(const char *word)
{
    say("%s%s", play_state.length > 0 ? "; " : "", word);
}

static const char *
style_name(int style)
{
    switch (style) {
    case PAM_PROMPT_ECHO_OFF:
        return "";
    case PAM_PROMPT_ECHO_ON:
        return "echo";
    case PAM_TEXT_INFO:
        return "info";
    case PAM_ERROR_MSG:
        return "error";
    default:
        return "unknown";
    }
}

/* A text of several lines on one. */
static void
say_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            say("\\n");
        } else {
            say("%c", *text);
        }
    }
}

/* What was shown since the last time. */
static void
tell_shown(void)
{
    const struct stack *stack = &play_state.stack;

    for (; play_state.told < stack->shown_count; play_state.told++) {
        say(" %s<", style_name(stack->shown[play_state.told].style));
        say_text(stack_text(stack, play_state.told));
        say(">");
    }
}

static const char *
code_name(int code)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {
        {PAM_SUCCESS, "SUCCESS"},
        {PAM_ABORT, "ABORT"},
        {PAM_ACCT_EXPIRED, "ACCT_EXPIRED"},
        {PAM_AUTHINFO_UNAVAIL, "AUTHINFO_UNAVAIL"},
        {PAM_AUTHTOK_ERR, "AUTHTOK_ERR"},
        {PAM_AUTHTOK_RECOVERY_ERR, "AUTHTOK_RECOVERY_ERR"},
        {PAM_AUTH_ERR, "AUTH_ERR"},
        {PAM_BUF_ERR, "BUF_ERR"},
        {PAM_CONV_ERR, "CONV_ERR"},
        {PAM_CRED_ERR, "CRED_ERR"},
        {PAM_CRED_EXPIRED, "CRED_EXPIRED"},
        {PAM_CRED_UNAVAIL, "CRED_UNAVAIL"},
        {PAM_IGNORE, "IGNORE"},
        {PAM_NEW_AUTHTOK_REQD, "NEW_AUTHTOK_REQD"},
        {PAM_PERM_DENIED, "PERM_DENIED"},
        {PAM_SERVICE_ERR, "SERVICE_ERR"},
        {PAM_SESSION_ERR, "SESSION_ERR"},
        {PAM_SYSTEM_ERR, "SYSTEM_ERR"},
        {PAM_TRY_AGAIN, "TRY_AGAIN"},
        {PAM_USER_UNKNOWN, "USER_UNKNOWN"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return pam_strerror(NULL, code);
}

static const char *
setcred_name(int flags)
{
    switch (flags & ~(int)PAM_SILENT) {
    case 0:
        return "no-flag";
    case PAM_ESTABLISH_CRED:
        return "establish";
    case PAM_REINITIALIZE_CRED:
        return "reinit";
    case PAM_REFRESH_CRED:
        return "refresh";
    case PAM_DELETE_CRED:
        return "delete";
    default:
        return "two-flags";
    }
}

static const char *
call_name(const char *name, int flags)
{
    static const char *const names[][2] = {
        {"pam_sm_authenticate", "auth"},
        {"pam_sm_acct_mgmt", "acct"},
        {"pam_sm_open_session", "open"},
        {"pam_sm_close_session", "close"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i][0], name) == 0) {
            return names[i][1];
        }
    }
    if (strcmp(name, "pam_sm_setcred") == 0) {
        return setcred_name(flags);
    }
    return (flags & PAM_PRELIM_CHECK) != 0 ? "prelim" : "update";
}

static const char *
item(const pam_handle_t *handle, int type)
{
    const void *value = NULL;

    (void)pam_get_item(handle, type, &value);
    return value == NULL ? "none" : value;
}

__attribute__((visibility("default"))) void
recorder_returned(pam_handle_t *handle, const char *name, int flags, int code)
{
    const char *call = call_name(name, flags);

    begin(call);
    tell_shown();
    say(" %s", code_name(code));
    if (play_state.tells_tokens &&
        (strcmp(call, "update") == 0 || strcmp(call, "auth") == 0)) {
        say(" (authtok %s, old %s)", item(handle, PAM_AUTHTOK),
            item(handle, PAM_OLDAUTHTOK));
    }
}

/* What libkrb5 knows of the cache NAME: "" as far as there is nothing. */
struct known {
    char name[256]; /* in full: its kind, and of a collection which one */
    char principal[256];
};

static void
keep_text(char *text, size_t size, const char *from)
{
    (void)snprintf(text, size, "%s", from == NULL ? "" : from);
}

static struct known
ask_libkrb5(const char *name)
{
    struct known known = {.name = ""};
    krb5_context context = NULL;
    krb5_ccache cache = NULL;
    krb5_principal principal = NULL;
    char *full = NULL;
    char *unparsed = NULL;

    ck_assert_int_eq(krb5_init_context(&context), 0);
    ck_assert_int_eq(krb5_cc_resolve(context, name, &cache), 0);
    ck_assert_int_eq(krb5_cc_get_full_name(context, cache, &full), 0);
    if (krb5_cc_get_principal(context, cache, &principal) == 0) {
        (void)krb5_unparse_name(context, principal, &unparsed);
    }
    keep_text(known.name, sizeof(known.name), full);
    keep_text(known.principal, sizeof(known.principal), unparsed);
    krb5_free_unparsed_name(context, unparsed);
    krb5_free_string(context, full);
    krb5_free_principal(context, principal);
    (void)krb5_cc_close(context, cache);
    krb5_free_context(context);
    return known;
}

/* A name for who UID is, as far as rows speak of it. */
static const char *
owner_name(uid_t uid)
{
    static const char *const users[] = {"alice", "bob", "expired"};

    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        if (uid == common_uid(users[i])) {
            return users[i];
        }
    }
    return uid == 0 ? "root" : "another";
}

/* The uid of one of the accounts that TEXT begins with, or "". */
static const char *
leading_uid(const char *text)
{
    static const char *const users[] = {"alice", "bob", "expired"};
    static char uid[16];

    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        (void)snprintf(uid, sizeof(uid), "%u",
                       (unsigned int)common_uid(users[i]));
        if (strncmp(text, uid, strlen(uid)) == 0) {
            return uid;
        }
    }
    return "";
}

/* How much of NAME comes before six letters drawn by chance. */
static size_t
fixed_part(const char *name)
{
    size_t length = strlen(name);
    bool is_random =
        length > 10 && (name[length - 7] == '_' ||
                        strncmp(name + length - 10, "/tkt", 4) == 0);

    return is_random ? length - 6 : length;
}

/* Says NAME with UID, PID and XXXXXX for what differs from run to run. */
static void
say_name(const char *name)
{
    size_t fixed = fixed_part(name);
    char pid[16];

    (void)snprintf(pid, sizeof(pid), "_%d_", (int)getpid());
    for (size_t i = 0; i < fixed;) {
        const char *uid = leading_uid(name + i);

        if (*uid != '\0') {
            say("UID");
            i += strlen(uid);
        } else if (strncmp(name + i, pid, strlen(pid)) == 0) {
            say("_PID_");
            i += strlen(pid);
        } else {
            say("%c", name[i++]);
        }
    }
    say("%s", name[fixed] != '\0' ? "XXXXXX" : "");
}

static void
do_cache(void)
{
    const char *name = common_cache(&play_state.stack);
    struct known known;
    struct stat status;

    if (name == NULL) {
        begin("no KRB5CCNAME");
        return;
    }
    known = ask_libkrb5(name);
    begin(strcmp(play_state.cache, known.name) == 0 ? "same cache " : "cache ");
    keep_text(play_state.cache, sizeof(play_state.cache), known.name);
    if (lstat(cache_path(known.name), &status) < 0) {
        say("is not there");
        return;
    }
    say_name(known.name);
    say(" %s:%s %03o", owner_name(status.st_uid), owner_name(status.st_gid),
        (unsigned int)(status.st_mode & 07777));
    say(" for %s", known.principal);
}

static void
do_there(void)
{
    begin(common_exists(cache_path(play_state.cache)) ? "cache there"
                                                      : "cache gone");
}

static void
do_new(void)
{
    krb5_context context = NULL;
    krb5_principal client = NULL;
    krb5_creds creds = {0};
    bool is_right = false;

    ck_assert_int_eq(krb5_init_context(&context), 0);
    ck_assert_int_eq(krb5_parse_name(context, play_state.user, &client), 0);
    is_right =
        krb5_get_init_creds_password(context, &creds, client, NEW_PASSWORD,
                                     NULL, NULL, 0, NULL, NULL) == 0;
    begin(is_right ? "changed" : "not changed");
    krb5_free_cred_contents(context, &creds);
    krb5_free_principal(context, client);
    krb5_free_context(context);
}

static struct requests
requests(void)
{
    char client[128];
    struct requests count = {0, 0};

    (void)snprintf(client, sizeof(client), "%s@", play_state.user);
    count.all = common_kdc_log("AS_REQ", client);
    count.tries = count.all - common_kdc_log("NEEDED_PREAUTH", client);
    return count;
}

static void
do_asked(void)
{
    begin(requests().all > play_state.before.all ? "KDC asked"
                                                 : "KDC not asked");
}

static void
do_tried(void)
{
    begin(requests().tries > play_state.before.tries ? "tried" : "not tried");
}

static void
do_left(void)
{
    begin("");
    say("%zu files left", common_count("/tmp", "krb5cc_"));
}

static void
do_user(void)
{
    begin("user ");
    say("%s", item(play_state.stack.handle, PAM_USER));
}

static void
do_tokens(void)
{
    play_state.tells_tokens = true;
}

static void
do_no_conv(void)
{
    play_state.stack.conversation.conv = NULL;
    ck_assert_int_eq(pam_set_item(play_state.stack.handle, PAM_CONV,
                                  &play_state.stack.conversation),
                     PAM_SUCCESS);
}

static void
do_bad_conv(void)
{
    play_state.stack.conv_code = PAM_CONV_ERR;
}

static void
do_dead(void)
{
    common_config_kdc(common_dead_port());
}

static void
do_silent(void)
{
    common_config_kdc(common_silent_port());
}

static void
do_refused(void)
{
    common_k5login("alice", "bob@PAM.TEST\n");
}

#define PLANTED "FILE:/tmp/home/alice/planted"

static void
plant(const char *principal)
{
    static const int64_t lifetimes[] = {600, 3600};

    common_kinit(PLANTED, "alice", principal, lifetimes, NO_SERVICE);
    common_set_cache(&play_state.stack, PLANTED);
    play_state.planted = common_snapshot(PLANTED);
}

static void
do_planted(void)
{
    plant("alice");
}

static void
do_planted_bob(void)
{
    plant("bob");
}

/* By what is in it: who writes it anew may do so into the same file. */
static void
do_replaced(void)
{
    struct snapshot now = common_snapshot(PLANTED);
    const struct snapshot *before = &play_state.planted;
    bool is_same = now.exists && now.size == before->size &&
                   memcmp(now.bytes, before->bytes, now.size) == 0;

    begin(!now.exists ? "planted gone" : is_same ? "as planted" : "replaced");
}

static long
minutes(int64_t seconds)
{
    return (long)(seconds + 30) / 60;
}

static void
do_tickets(void)
{
    const char *name = common_cache(&play_state.stack);
    struct cache_view view = common_look(name, play_state.user);

    ck_assert(view.readable);
    begin("tickets ");
    say("of %ld minutes", minutes(view.endtime - view.starttime));
    if (view.renew_till != 0) {
        say(", renewable %ld", minutes(view.renew_till - view.starttime));
    }
    say("%s", common_is_forwardable(name) ? ", forwardable" : "");
}

static void
do_environment(void)
{
    char **list = pam_getenvlist(play_state.stack.handle);

    ck_assert_ptr_nonnull(list);
    begin("environment:");
    for (char **setting = list; *setting != NULL; setting++) {
        say(" %.*s", (int)strcspn(*setting, "="), *setting);
        free(*setting);
    }
    free(list);
}

static const char *service(const struct row *row);

/* The old handle is not ended, nor would it be in a child that exits. */
static void
do_handover(void)
{
    char **list = pam_getenvlist(play_state.stack.handle);

    ck_assert_ptr_nonnull(list);
    stack_forget(&play_state.stack);
    stack_start_service(&play_state.stack, play_state.user,
                        service(play_state.row), no_answers);
    play_state.told = 0;
    for (char **setting = list; *setting != NULL; setting++) {
        ck_assert_int_eq(pam_putenv(play_state.stack.handle, *setting),
                         PAM_SUCCESS);
        free(*setting);
    }
    free(list);
}

static void
do_end(void)
{
    (void)pam_end(play_state.stack.handle, PAM_SUCCESS);
    play_state.stack.handle = NULL;
}

static void
do_end_silent(void)
{
    (void)pam_end(play_state.stack.handle, PAM_SUCCESS | PAM_DATA_SILENT);
    play_state.stack.handle = NULL;
}

/* Told by what it is for when the row begins. */
static void
do_nothing(void)
{
}

/* A word is a call of libpam, or something else. */
static const struct word {
    const char *name;
    int (*call)(pam_handle_t *handle, int flags);
    int flags;
    void (*other)(void);
} words[] = {
    {"auth", pam_authenticate, 0, NULL},
    {"auth/silent", pam_authenticate, PAM_SILENT, NULL},
    {"acct", pam_acct_mgmt, 0, NULL},
    {"open", pam_open_session, 0, NULL},
    {"close", pam_close_session, 0, NULL},
    {"chauthtok", pam_chauthtok, 0, NULL},
    {"chauthtok/silent", pam_chauthtok, PAM_SILENT, NULL},
    {"chauthtok/expired", pam_chauthtok, PAM_CHANGE_EXPIRED_AUTHTOK, NULL},
    {"establish", pam_setcred, PAM_ESTABLISH_CRED, NULL},
    {"reinit", pam_setcred, PAM_REINITIALIZE_CRED, NULL},
    {"refresh", pam_setcred, PAM_REFRESH_CRED, NULL},
    {"delete", pam_setcred, PAM_DELETE_CRED, NULL},
    {"no-flag", pam_setcred, 0, NULL},
    {"two-flags", pam_setcred, PAM_ESTABLISH_CRED | PAM_DELETE_CRED, NULL},
    {"end", NULL, 0, do_end},
    {"end/silent", NULL, 0, do_end_silent},
    {"behind", NULL, 0, do_nothing},
    {"no-conv", NULL, 0, do_no_conv},
    {"bad-conv", NULL, 0, do_bad_conv},
    {"dead", NULL, 0, do_dead},
    {"silent", NULL, 0, do_silent},
    {"refused", NULL, 0, do_refused},
    {"planted", NULL, 0, do_planted},
    {"planted-bob", NULL, 0, do_planted_bob},
    {"handover", NULL, 0, do_handover},
    {"replaced", NULL, 0, do_replaced},
    {"tickets", NULL, 0, do_tickets},
    {"environment", NULL, 0, do_environment},
    {"tokens", NULL, 0, do_tokens},
    {"user", NULL, 0, do_user},
    {"cache", NULL, 0, do_cache},
    {"there", NULL, 0, do_there},
    {"new", NULL, 0, do_new},
    {"asked", NULL, 0, do_asked},
    {"tried", NULL, 0, do_tried},
    {"left", NULL, 0, do_left},
};

static void
do_word(const char *name)
{
    if (strncmp(name, "as=", 3) == 0) {
        ck_assert_int_eq(
            pam_set_item(play_state.stack.handle, PAM_USER, name + 3),
            PAM_SUCCESS);
        return;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].name, name) != 0) {
            continue;
        }
        if (words[i].call != NULL) {
            (void)words[i].call(play_state.stack.handle, words[i].flags);
        } else {
            words[i].other();
        }
        return;
    }
    ck_abort_msg("%s: no such word", name);
}

/* Has kadmin.local do LINES, and before them what a fresh changer needs. */
static void
kadmin(const struct row *row)
{
    const char *path = realm_path("row.kadmin");
    const char *lines = row->kadmin == NULL ? "" : row->kadmin;
    bool is_changer = strcmp(play_state.user, "changer") == 0;
    char command[1024];
    FILE *file = NULL;

    if (!is_changer && *lines == '\0') {
        return;
    }
    file = fopen(path, "we");
    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    if (is_changer) {
        (void)fputs("delprinc -force changer\n"
                    "addprinc -pw old-password -clearpolicy +requires_preauth "
                    "changer\n",
                    file);
    }
    (void)fputs(lines, file);
    ck_assert_int_eq(fclose(file), 0);
    (void)snprintf(command, sizeof(command),
                   "$REALM_ADMIN <'%s' >'%s.log' 2>&1", path, path);
    ck_assert_int_eq(system(command), 0);
    (void)unlink(path);
}

/* The service file: the module under test for all types, seen by RECORDER. */
static const char *
service(const struct row *row)
{
    static const char *const types[] = {"auth", "account", "session",
                                        "password"};
    bool has_others = strstr(row->steps, "behind") != NULL;
    static char text[16384];
    size_t length = 0;

    for (size_t i = 0; i < 4; i++) {
        length += (size_t)snprintf(
            text + length, sizeof(text) - length, "%s %s %s %%m %s%s %s\n",
            types[i], has_others ? "[default=ignore]" : "required",
            BUILT_RECORDER, play_is_peer() ? "" : "helper=",
            play_is_peer() ? "" : stack_helper(),
            row->arguments == NULL ? "" : row->arguments);
        if (has_others) {
            length += (size_t)snprintf(text + length, sizeof(text) - length,
                                       "%s required pam_permit.so\n", types[i]);
        }
    }
    return text;
}

/*
 * libpam takes PAM_AUTHTOK from modules only; to it a conversation is the
 * module's.  So the user's name is asked for, and that is the chance.
 */
static void
store_password(void *data)
{
    struct stack *stack = data;

    ck_assert_int_eq(
        pam_set_item(stack->handle, PAM_AUTHTOK, play_state.row->stored),
        PAM_SUCCESS);
    stack->before_answer = NULL;
    play_state.told = stack->shown_count;
}

static void
start(const struct row *row)
{
    static const char *answers[ROW_ANSWERS_MAX + 2];

    if (row->stored == NULL) {
        stack_start_service(&play_state.stack, play_state.user, service(row),
                            row->answers);
        return;
    }
    answers[0] = play_state.user;
    memcpy(answers + 1, row->answers, sizeof(row->answers));
    stack_start_service(&play_state.stack, NULL, service(row), answers);
    play_state.stack.before_answer = store_password;
    play_state.stack.data = &play_state.stack;
}

const char *
play(const struct row *row)
{
    char steps[512];
    char *rest = NULL;

    memset(&play_state, 0, sizeof(play_state));
    play_state.row = row;
    play_state.user = row->user == NULL ? "alice" : row->user;
    if (row->k5login != NULL) {
        common_k5login("alice", row->k5login);
    }
    kadmin(row);
    if (row->config != NULL) {
        common_config(row->config);
    }
    play_state.before = requests();
    start(row);
    (void)snprintf(steps, sizeof(steps), "%s", row->steps);
    for (const char *word = strtok_r(steps, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        do_word(word);
    }
    if (play_state.stack.handle != NULL) {
        do_end();
    }
    stack_forget(&play_state.stack);
    return play_state.line;
}
