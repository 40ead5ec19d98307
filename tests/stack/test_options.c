/*
 * The options, one by one: a table with a row for each row of options_table(),
 * whose effect is looked for in what a login does, with the option as PAM
 * argument and in each place of krb5.conf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/options.h"
#include "stack/common.h"

#define TRACE "/tmp/home/trace"

static struct stack stack;

/* The effects.  Each is a login with ARGUMENTS: whether the option showed. */

static bool
cache_begins_with(const char *arguments, const char *start)
{
    bool begins = false;

    common_establish(&stack, arguments);
    begins = strncmp(common_cache(&stack), start, strlen(start)) == 0;
    stack_end(&stack, PAM_SUCCESS);
    return begins;
}

/* Of a change that comes to nothing. */
static bool
effect_banner(const char *arguments)
{
    bool is_said = false;

    common_start(&stack, "alice", arguments, wrong_answers);
    (void)pam_chauthtok(stack.handle, 0);
    is_said = strcmp(stack_text(&stack, 0), "Current Realm password: ") == 0;
    stack_end(&stack, PAM_SUCCESS);
    return is_said;
}

/* The realm refuses the new one: a line behind finds it, or not. */
static bool
effect_clear_on_fail(const char *arguments)
{
    static const char *const answers[] = {"alice-password", "short", "short",
                                          NULL};
    char lines[4096];
    bool is_gone = false;

    common_kadmin("addpol -minlength 8 strict");
    common_kadmin("modprinc -policy strict alice");
    (void)snprintf(lines, sizeof(lines),
                   "password [default=ignore] %%m helper=%s %s\n"
                   "password [default=ok] %%m helper=%s use_first_pass "
                   "use_authtok\n",
                   stack_helper(), arguments, stack_helper());
    stack_start_service(&stack, "alice", lines, answers);
    stack_log_clear();
    (void)pam_chauthtok(stack.handle, 0);
    is_gone = common_logged(LOG_INFO, "no answer from the user");
    stack_end(&stack, PAM_SUCCESS);
    common_kadmin("modprinc -clearpolicy alice");
    common_kadmin("delpol -force strict");
    return is_gone;
}

/* None is stacked: nothing new is asked for. */
static bool
effect_use_authtok(const char *arguments)
{
    static const char *const answers[] = {"alice-password", NULL};
    size_t count = 0;

    common_start(&stack, "alice", arguments, answers);
    (void)pam_chauthtok(stack.handle, 0);
    count = stack.shown_count;
    stack_end(&stack, PAM_SUCCESS);
    return count == 1;
}

/* Where there is no host key and krb5.conf insists on one: see the row. */
static bool
effect_allow_kdc_spoof(const char *arguments)
{
    int code = PAM_SUCCESS;

    ck_assert_int_eq(setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1), 0);
    common_start(&stack, "alice", arguments, alice_answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, PAM_SUCCESS);
    return code == PAM_SUCCESS;
}

/* What comes of a login as alice with PASSWORD. */
static int
login_with(const char *password, const char *format, const char *arguments)
{
    const char *const answers[] = {password, NULL};
    char all[512];
    int code = PAM_SUCCESS;

    (void)snprintf(all, sizeof(all), "%s %s", format, arguments);
    common_start(&stack, "alice", all, answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, PAM_SUCCESS);
    return code;
}

/* With an alice/root who has another password. */
static int
login_beside_root(const char *password, const char *format,
                  const char *arguments)
{
    int code = PAM_SUCCESS;

    common_kadmin("addprinc -pw root-instance -clearpolicy +requires_preauth "
                  "alice/root");
    code = login_with(password, format, arguments);
    common_kadmin("delprinc -force alice/root");
    return code;
}

static bool
effect_alt_auth_map(const char *arguments)
{
    return login_beside_root("root-instance", "", arguments) == PAM_SUCCESS;
}

static bool
effect_force_alt_auth(const char *arguments)
{
    return login_beside_root("alice-password", "alt_auth_map=%s/root",
                             arguments) == PAM_AUTH_ERR;
}

static bool
effect_only_alt_auth(const char *arguments)
{
    return login_with("alice-password", "alt_auth_map=%s/nobody", arguments) ==
           PAM_USER_UNKNOWN;
}

static bool
effect_defer_pwchange(const char *arguments)
{
    static const char *const answers[] = {"expired-password", NULL};
    int code = PAM_SUCCESS;

    common_start(&stack, "expired", arguments, answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, PAM_SUCCESS);
    return code == PAM_SUCCESS;
}

/* What alice is asked first. */
static bool
first_prompt_is(const char *arguments, const char *text)
{
    bool is_so = false;

    common_start(&stack, "alice", arguments, wrong_answers);
    (void)pam_authenticate(stack.handle, 0);
    is_so = strcmp(stack_text(&stack, 0), text) == 0;
    stack_end(&stack, PAM_SUCCESS);
    return is_so;
}

static bool
effect_expose_account(const char *arguments)
{
    return first_prompt_is(arguments, "Password for alice@PAM.TEST: ");
}

static bool
effect_no_prompt(const char *arguments)
{
    return first_prompt_is(arguments, "Password for alice@PAM.TEST: ");
}

static bool
effect_prompt_principal(const char *arguments)
{
    return first_prompt_is(arguments, "Principal: ");
}

static bool
effect_ignore_unknown_principals(const char *arguments)
{
    int code = PAM_SUCCESS;

    common_start(&stack, "stranger", arguments, wrong_answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, PAM_SUCCESS);
    return code == PAM_IGNORE;
}

static bool
effect_no_update_user(const char *arguments)
{
    const void *user = NULL;
    bool is_kept = false;

    common_start(&stack, "alice@PAM.TEST", arguments, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_get_item(stack.handle, PAM_USER, &user), PAM_SUCCESS);
    is_kept = strcmp(user, "alice@PAM.TEST") == 0;
    stack_end(&stack, PAM_SUCCESS);
    return is_kept;
}

/* A principal that is no account. */
static bool
effect_no_user_check(const char *arguments)
{
    static const char *const answers[] = {"homeless-password", NULL};
    int code = PAM_SUCCESS;

    common_kadmin("addprinc -pw homeless-password -clearpolicy homeless");
    common_start(&stack, "homeless", arguments, answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    code = pam_setcred(stack.handle, PAM_ESTABLISH_CRED);
    ck_assert_ptr_null(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
    common_kadmin("delprinc -force homeless");
    return code == PAM_SUCCESS;
}

static bool
effect_search_k5login(const char *arguments)
{
    int code = PAM_SUCCESS;

    common_k5login("alice", "bob@PAM.TEST\n");
    code = login_with("bob-password", "", arguments);
    ck_assert_int_eq(unlink("/tmp/home/alice/.k5login"), 0);
    return code == PAM_SUCCESS;
}

/* A realm that has no KDC. */
static bool
effect_user_realm(const char *arguments)
{
    return login_with("alice-password", "", arguments) == PAM_AUTHINFO_UNAVAIL;
}

static bool
effect_ccache(const char *arguments)
{
    return cache_begins_with(arguments, "FILE:/tmp/home/alice/chosen_");
}

static bool
effect_ccache_dir(const char *arguments)
{
    return cache_begins_with(
        arguments, common_with_uids("FILE:/tmp/home/alice/krb5cc_<alice>_"));
}

static bool
effect_debug(const char *arguments)
{
    common_login(&stack, arguments);
    stack_end(&stack, PAM_SUCCESS);
    return common_logged(LOG_DEBUG, "");
}

/* None is stored: it must be AUTH_ERR without a question. */
static bool
effect_force_first_pass(const char *arguments)
{
    bool is_forced = false;

    common_start(&stack, "alice", arguments, alice_answers);
    is_forced = pam_authenticate(stack.handle, 0) == PAM_AUTH_ERR &&
                stack.shown_count == 0;
    stack_end(&stack, PAM_SUCCESS);
    return is_forced;
}

/* It is refused, and no new one is asked for. */
static bool
effect_fail_pwchange(const char *arguments)
{
    static const char *const answers[] = {"expired-password", NULL};
    bool is_refused = false;

    common_start(&stack, "expired", arguments, answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    is_refused = stack_prompts(&stack) == 1;
    stack_end(&stack, PAM_SUCCESS);
    return is_refused;
}

static bool
effect_force_pwchange(const char *arguments)
{
    static const char *const answers[] = {"expired-password", NULL};
    bool is_so = false;

    common_start(&stack, "expired", arguments, answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    is_so = strcmp(stack_text(&stack, 1), "Enter new Kerberos password: ") == 0;
    stack_end(&stack, PAM_SUCCESS);
    return is_so;
}

static bool
effect_forwardable(const char *arguments)
{
    bool is_forwardable = false;

    common_establish(&stack, arguments);
    is_forwardable = common_is_forwardable(common_cache(&stack));
    stack_end(&stack, PAM_SUCCESS);
    return is_forwardable;
}

static bool
effect_helper(const char *arguments)
{
    int code = PAM_SUCCESS;

    common_start(&stack, "alice", arguments, alice_answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, PAM_SUCCESS);
    return code == PAM_AUTHINFO_UNAVAIL &&
           common_logged(LOG_ERR, "/nonexistent/helper");
}

static bool
effect_ignore_k5login(const char *arguments)
{
    int code = PAM_SUCCESS;

    common_k5login("alice", "bob@PAM.TEST\n");
    common_start(&stack, "alice", arguments, alice_answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, PAM_SUCCESS);
    ck_assert_int_eq(unlink("/tmp/home/alice/.k5login"), 0);
    return code == PAM_SUCCESS;
}

/* USER is not asked for a password, nor are there tickets. */
static bool
is_left_alone(const char *user, const char *arguments)
{
    bool alone = false;

    common_start(&stack, user, arguments, wrong_answers);
    alone = pam_authenticate(stack.handle, 0) == PAM_USER_UNKNOWN &&
            stack.shown_count == 0;
    stack_end(&stack, PAM_SUCCESS);
    return alone;
}

static bool
effect_ignore_root(const char *arguments)
{
    return is_left_alone("root", arguments);
}

static bool
effect_minimum_uid(const char *arguments)
{
    return is_left_alone("alice", arguments);
}

/* A keytab that is not there does not verify, which is said. */
static bool
effect_keytab(const char *arguments)
{
    common_login(&stack, arguments);
    stack_end(&stack, PAM_SUCCESS);
    return common_logged(LOG_NOTICE, "/nonexistent/keytab");
}

static bool
effect_no_ccache(const char *arguments)
{
    bool has_none = false;

    common_login(&stack, arguments);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(pam_open_session(stack.handle, 0), PAM_SUCCESS);
    has_none = common_cache(&stack) == NULL && common_caches() == 0;
    stack_end(&stack, PAM_SUCCESS);
    return has_none;
}

/* krb5.conf's default realm is another: see the row. */
static bool
effect_realm(const char *arguments)
{
    int code = PAM_SUCCESS;

    common_start(&stack, "alice", arguments, alice_answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, PAM_SUCCESS);
    return code == PAM_SUCCESS && stack_logged("alice@PAM.TEST");
}

static struct cache_view
look_at_session(const char *arguments)
{
    struct cache_view view;

    common_establish(&stack, arguments);
    view = common_look(common_cache(&stack), "alice");
    ck_assert(view.readable);
    stack_end(&stack, PAM_SUCCESS);
    return view;
}

static bool
is_about(int64_t seconds, int64_t wanted)
{
    return seconds >= wanted - 2 && seconds <= wanted + 2;
}

static bool
effect_renew_lifetime(const char *arguments)
{
    struct cache_view view = look_at_session(arguments);

    return is_about(view.renew_till - view.starttime, (int64_t)36 * 3600);
}

static bool
effect_ticket_lifetime(const char *arguments)
{
    struct cache_view view = look_at_session(arguments);

    return is_about(view.endtime - view.starttime, 3600);
}

static bool
effect_retain_after_close(const char *arguments)
{
    char path[256];
    bool stays = false;

    common_establish(&stack, arguments);
    (void)snprintf(path, sizeof(path), "%s", cache_path(common_cache(&stack)));
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    stays = common_exists(path);
    stack_end(&stack, PAM_SUCCESS);
    (void)unlink(path);
    return stays;
}

static bool
effect_silent(const char *arguments)
{
    static const char *const answers[] = {"expired-password", NULL};
    bool is_silent = false;

    common_start(&stack, "expired", arguments, answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    is_silent = common_words(&stack) == 0;
    stack_end(&stack, PAM_SUCCESS);
    return is_silent;
}

/* How long one that waits for a silent KDC waits. */
static double
seconds_of_silence(const char *arguments)
{
    struct timespec begin;
    struct timespec end;

    common_start(&stack, "alice", arguments, alice_answers);
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    stack_end(&stack, PAM_SUCCESS);
    return (double)(end.tv_sec - begin.tv_sec) +
           (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

static bool
effect_trace(const char *arguments)
{
    struct snapshot trace;

    common_login(&stack, arguments);
    stack_end(&stack, PAM_SUCCESS);
    trace = common_snapshot(TRACE);
    (void)unlink(TRACE);
    return trace.exists && trace.size > 100;
}

static bool
uses_stored_password(const char *arguments)
{
    bool is_used = false;

    common_start_stored(&stack, "alice", "alice-password", arguments,
                        no_answers);
    is_used = pam_authenticate(stack.handle, 0) == PAM_SUCCESS;
    stack_end(&stack, PAM_SUCCESS);
    return is_used;
}

/* Preauthentication.  Certificates are where rows can name them. */

#define PKI "/tmp/home/pki"
#define ARMOR "/tmp/home/armor"

static int
login_with_certificates(const char *format, const char *arguments,
                        const char *const *answers)
{
    char all[2048];
    int code = PAM_SUCCESS;

    (void)snprintf(all, sizeof(all), "%s %s", format, arguments);
    ck_assert_int_eq(system("rm -rf " PKI " && cp -r \"$REALM_DIR\"/pki " PKI),
                     0);
    common_start(&stack, "alice", all, answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, code);
    return code;
}

#define ALICE "FILE:" PKI "/alice.pem," PKI "/alice.key"

static bool
effect_try_pkinit(const char *arguments)
{
    return login_with_certificates("pkinit_user=" ALICE, arguments,
                                   no_answers) == PAM_SUCCESS;
}

static bool
effect_use_pkinit(const char *arguments)
{
    return login_with_certificates("", arguments, alice_answers) ==
           PAM_AUTH_ERR;
}

/* Where the certificate is, by either option. */
static bool
finds_certificate(const char *arguments)
{
    return login_with_certificates("use_pkinit", arguments, no_answers) ==
           PAM_SUCCESS;
}

/* An authority that the KDC's certificate is not from. */
static bool
effect_pkinit_anchors(const char *arguments)
{
    return login_with_certificates("use_pkinit pkinit_user=" ALICE, arguments,
                                   no_answers) == PAM_AUTH_ERR;
}

static bool
effect_pkinit_prompt(const char *arguments)
{
    char all[1024];
    bool is_asked = false;

    (void)snprintf(all, sizeof(all), "try_pkinit %s", arguments);
    common_start(&stack, "alice", all, no_answers);
    (void)pam_authenticate(stack.handle, 0);
    is_asked = strstr(stack_text(&stack, 0), "smart card") != NULL;
    stack_end(&stack, PAM_SUCCESS);
    return is_asked;
}

/* Only in armor does the KDC ask for a token. */
static bool
is_armored(const char *arguments)
{
    static const char *const answers[] = {"token-otp", NULL};
    int code = PAM_SUCCESS;

    ck_assert_int_eq(system("kinit -k -t \"$KRB5_KTNAME\" -c FILE:" ARMOR
                            " \"$REALM_HOST_PRINCIPAL\""),
                     0);
    common_start(&stack, "token", arguments, answers);
    code = pam_authenticate(stack.handle, 0);
    stack_end(&stack, code);
    return code == PAM_SUCCESS;
}

/*
 * The rows.  SET makes the effect appear, RESET keeps it away whatever
 * krb5.conf says; CONFIG is what the realm's krb5.conf does not have.
 */
static const struct row {
    const char *name;
    bool (*effect)(const char *arguments);
    const char *set;
    const char *reset;
    const char *config;
} rows[] = {
    {"allow_kdc_spoof", effect_allow_kdc_spoof, "true", "false",
     "[libdefaults]\nverify_ap_req_nofail = true\n"},
    {"alt_auth_map", effect_alt_auth_map, "%s/root", "%s", NULL},
    {"anon_fast", is_armored, "true", "false", NULL},
    {"banner", effect_banner, "Realm", "Kerberos", NULL},
    {"ccache", effect_ccache, "FILE:/tmp/home/alice/chosen_XXXXXX",
     "FILE:/tmp/krb5cc_%{uid}_XXXXXX", NULL},
    {"ccache_dir", effect_ccache_dir, "/tmp/home/alice", "/tmp", NULL},
    {"clear_on_fail", effect_clear_on_fail, "true", "false", NULL},
    {"debug", effect_debug, "true", "false", NULL},
    {"defer_pwchange", effect_defer_pwchange, "true", "false", NULL},
    {"expose_account", effect_expose_account, "true", "false", NULL},
    {"fail_pwchange", effect_fail_pwchange, "true", "false", NULL},
    {"fast_ccache", is_armored, "FILE:" ARMOR, "FILE:/nonexistent", NULL},
    {"force_alt_auth", effect_force_alt_auth, "true", "false", NULL},
    {"force_first_pass", effect_force_first_pass, "true", "false", NULL},
    {"force_pwchange", effect_force_pwchange, "true", "false", NULL},
    {"forwardable", effect_forwardable, "true", "false", NULL},
    {"helper", effect_helper, "/nonexistent/helper", NULL, NULL},
    {"ignore_k5login", effect_ignore_k5login, "true", "false", NULL},
    {"ignore_root", effect_ignore_root, "true", "false", NULL},
    {"ignore_unknown_principals", effect_ignore_unknown_principals, "true",
     "false", NULL},
    {"keytab", effect_keytab, "FILE:/nonexistent/keytab", "$KRB5_KTNAME", NULL},
    {"minimum_uid", effect_minimum_uid, "<bob>", "<alice>", NULL},
    {"no_ccache", effect_no_ccache, "true", "false", NULL},
    {"no_prompt", effect_no_prompt, "true", "false", NULL},
    {"no_update_user", effect_no_update_user, "true", "false", NULL},
    {"no_user_check", effect_no_user_check, "true", "false", NULL},
    {"only_alt_auth", effect_only_alt_auth, "true", "false", NULL},
    {"pkinit_anchors", effect_pkinit_anchors, "FILE:" PKI "/other-ca.pem",
     "FILE:" PKI "/ca.pem", NULL},
    {"pkinit_prompt", effect_pkinit_prompt, "true", "false", NULL},
    {"pkinit_user", finds_certificate, ALICE, "FILE:/nonexistent", NULL},
    {"preauth_opt", finds_certificate, "X509_user_identity=" ALICE,
     "X509_user_identity=FILE:/nonexistent", NULL},
    {"prompt_principal", effect_prompt_principal, "true", "false", NULL},
    {"realm", effect_realm, "PAM.TEST", NULL,
     "[libdefaults]\ndefault_realm = NOWHERE.TEST\n"},
    {"renew_lifetime", effect_renew_lifetime, "36h", "2d", NULL},
    {"retain_after_close", effect_retain_after_close, "true", "false", NULL},
    {"search_k5login", effect_search_k5login, "true", "false", NULL},
    {"silent", effect_silent, "true", "false", NULL},
    {"ticket_lifetime", effect_ticket_lifetime, "1h", "2h", NULL},
    {"trace", effect_trace, TRACE, NULL, NULL},
    {"try_first_pass", uses_stored_password, "true", "false", NULL},
    {"try_pkinit", effect_try_pkinit, "true", "false", NULL},
    {"use_authtok", effect_use_authtok, "true", "false", NULL},
    {"use_first_pass", uses_stored_password, "true", "false", NULL},
    {"use_pkinit", effect_use_pkinit, "true", "false", NULL},
    {"user_realm", effect_user_realm, "NOWHERE.TEST", "PAM.TEST", NULL},
};

#define ROW_COUNT ((int)(sizeof(rows) / sizeof(rows[0])))

/* Those with tests of their own below. */
static const char *const special[] = {"runtime_dir", "stash_lifetime",
                                      "state_dir", "timeout"};

#define SPECIAL_COUNT ((int)(sizeof(special) / sizeof(special[0])))

static const struct option *
find_option(const char *name)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    ck_abort_msg("%s is no option any more", name);
}

/* "NAME=VALUE", a $VARIABLE replaced. */
static const char *
argument(const char *name, const char *value)
{
    static char text[512];
    const char *real = *value == '$' ? getenv(value + 1) : value;

    (void)snprintf(text, sizeof(text), "%s=%s", name, common_with_uids(real));
    return text;
}

/* Sets ROW's option in krb5.conf, at the place that FORMAT makes of it. */
static void
configure(const struct row *row, const char *format)
{
    char setting[512];
    char text[1024];

    (void)snprintf(setting, sizeof(setting), "%s = %s", row->name,
                   common_with_uids(row->set));
    (void)snprintf(text, sizeof(text), "%s[appdefaults]\n%.*s%s%s\n",
                   row->config == NULL ? "" : row->config,
                   (int)(strstr(format, "*") - format), format, setting,
                   strstr(format, "*") + 1);
    common_config(text);
}

/* The places that are asked, * standing for the setting. */
static const char *const places[] = {
    "*",
    "PAM.TEST = {\n*\n}",
    "pam = {\n*\n}",
    "pam = {\nPAM.TEST = {\n*\n}\n}",
};

/* Places that are not: another program's, another realm's. */
static const char *const wrong_places[] = {
    "login = {\n*\n}",
    "pam = {\nOTHER.TEST = {\n*\n}\n}",
};

#define PLACE_COUNT 4
#define WRONG_PLACE_COUNT 2

START_TEST(test_options_every_row_of_the_table_has_a_test)
{
    size_t count = 0;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        bool has_test = false;

        for (int j = 0; j < ROW_COUNT; j++) {
            has_test |= strcmp(table[i].name, rows[j].name) == 0;
        }
        for (int j = 0; j < SPECIAL_COUNT; j++) {
            has_test |= strcmp(table[i].name, special[j]) == 0;
        }
        ck_assert_msg(has_test, "%s has no test", table[i].name);
    }
    ck_assert_uint_eq(count, (size_t)(ROW_COUNT + SPECIAL_COUNT));
}
END_TEST

/* Whether what the effect of NAME does is also an error. */
static bool
says_error(const char *name)
{
    static const char *const names[] = {"allow_kdc_spoof", "helper",
                                        "no_user_check", "realm", "user_realm"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(test_options_argument_changes_the_outcome)
{
    const struct row *row = &rows[_i];

    NEEDS_ROOT();
    if (row->config != NULL) {
        common_config(row->config);
    }
    ck_assert_msg(!row->effect(""), "%s: seen without it", row->name);
    ck_assert_msg(row->effect(argument(row->name, row->set)), "%s: not seen",
                  row->name);
    ck_assert_uint_le(common_log_count(LOG_ERR), says_error(row->name));
}
END_TEST

START_TEST(test_options_flag_without_value_is_set)
{
    const struct row *row = &rows[_i];

    NEEDS_ROOT();
    if (find_option(row->name)->type == OPTION_FLAG) {
        ck_assert_msg(row->effect(row->name), "%s: not seen", row->name);
    }
}
END_TEST

START_TEST(test_options_argument_that_is_reset_changes_nothing)
{
    const struct row *row = &rows[_i];
    char both[1024];

    NEEDS_ROOT();
    if (row->reset != NULL) {
        (void)snprintf(both, sizeof(both), "%s=%s ", row->name,
                       common_with_uids(row->set));
        (void)strncat(both, argument(row->name, row->reset),
                      sizeof(both) - strlen(both) - 1);
        ck_assert_msg(!row->effect(both), "%s: the later does not win",
                      row->name);
    }
}
END_TEST

START_TEST(test_options_krb5_conf_changes_the_outcome_where_it_may)
{
    const struct row *row = &rows[_i / PLACE_COUNT];
    const char *place = places[_i % PLACE_COUNT];
    bool is_legal = find_option(row->name)->in_krb5_conf;

    NEEDS_ROOT();
    configure(row, place);
    ck_assert_msg(row->effect("") == is_legal, "%s in %s: %s", row->name, place,
                  is_legal ? "not seen" : "seen");
}
END_TEST

START_TEST(test_options_krb5_conf_elsewhere_changes_nothing)
{
    const struct row *row = &rows[_i / WRONG_PLACE_COUNT];
    const char *place = wrong_places[_i % WRONG_PLACE_COUNT];

    NEEDS_ROOT();
    configure(row, place);
    ck_assert_msg(!row->effect(""), "%s in %s: seen", row->name, place);
}
END_TEST

START_TEST(test_options_argument_wins_over_krb5_conf)
{
    const struct row *row = &rows[_i];

    NEEDS_ROOT();
    if (find_option(row->name)->in_krb5_conf) {
        ck_assert_ptr_nonnull(row->reset);
        configure(row, "pam = {\nPAM.TEST = {\n*\n}\n}");
        ck_assert_msg(!row->effect(argument(row->name, row->reset)),
                      "%s: krb5.conf wins", row->name);
    }
}
END_TEST

START_TEST(test_options_krb5_conf_of_the_realm_asked_for_is_read)
{
    NEEDS_ROOT();
    common_config(common_with_uids(
        "[libdefaults]\ndefault_realm = NOWHERE.TEST\n[appdefaults]\n"
        "pam = {\nPAM.TEST = {\nminimum_uid = <bob>\n}\n}\n"));
    ck_assert(effect_minimum_uid("realm=PAM.TEST"));
}
END_TEST

START_TEST(test_options_krb5_conf_more_special_place_wins)
{
    NEEDS_ROOT();
    common_config("[appdefaults]\nticket_lifetime = 3h\npam = {\n"
                  "ticket_lifetime = 2h\n"
                  "PAM.TEST = {\nticket_lifetime = 1h\n}\n}\n");
    ck_assert(effect_ticket_lifetime(""));
}
END_TEST

/* timeout: the one that krb5.conf may only make smaller. */

START_TEST(test_options_timeout_bounds_the_call)
{
    double one = 0;
    double four = 0;

    common_config_kdc(common_silent_port());
    one = seconds_of_silence("timeout=1");
    four = seconds_of_silence("timeout=4");
    ck_assert_double_ge(one, 0.9);
    ck_assert_double_ge(four, 3.9);
    ck_assert_double_gt(four, 2 * one);
}
END_TEST

/* krb5.conf with a silent KDC and TIMEOUT in [appdefaults]. */
static void
configure_timeout(const char *timeout)
{
    char text[256];

    common_config_kdc(common_silent_port());
    (void)snprintf(text, sizeof(text),
                   "[appdefaults]\npam = {\ntimeout = %s\n}", timeout);
    common_config(text);
}

START_TEST(test_options_timeout_of_krb5_conf_shortens_the_default)
{
    configure_timeout("1");
    /* 10 s otherwise. */
    ck_assert_double_lt(seconds_of_silence(""), 5);
}
END_TEST

START_TEST(test_options_timeout_of_krb5_conf_shortens_the_argument)
{
    double short_one = 0;
    double long_one = 0;

    configure_timeout("1");
    short_one = seconds_of_silence("timeout=4");
    common_config_kdc(common_silent_port());
    long_one = seconds_of_silence("timeout=4");
    ck_assert_double_gt(long_one, 2 * short_one);
}
END_TEST

START_TEST(test_options_timeout_of_krb5_conf_does_not_lengthen)
{
    double with = 0;
    double without = 0;

    configure_timeout("5");
    with = seconds_of_silence("timeout=1");
    common_config_kdc(common_silent_port());
    without = seconds_of_silence("timeout=1");
    ck_assert_double_lt(with, 3 * without);
}
END_TEST

/* Types for longer than the call may take. */
static void
type_slowly(void *data)
{
    (void)data;
    common_wait_until_after((int64_t)time(NULL) + 3);
}

START_TEST(test_options_timeout_does_not_count_the_typing)
{
    common_start(&stack, "alice", "timeout=2", alice_answers);
    stack.before_answer = type_slowly;
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Where the record of alice's session is, by these directories. */
static void
check_recorded_in(const char *arguments, const char *directory)
{
    NEEDS_ROOT();
    common_establish(&stack, arguments);
    ck_assert_uint_eq(common_records_of("alice", directory), 1);
    ck_assert_uint_eq(common_records(), 0);
    EXPECT(pam_close_session(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(common_records_of("alice", directory), 0);
    stack_end(&stack, PAM_SUCCESS);
}

START_TEST(test_options_state_dir_has_the_record)
{
    check_recorded_in("state_dir=/tmp/home/state", "/tmp/home/state");
}
END_TEST

START_TEST(test_options_runtime_dir_has_the_record_of_a_bad_state_dir)
{
    check_recorded_in("state_dir=/nonexistent/state "
                      "runtime_dir=/tmp/home/runtime",
                      "/tmp/home/runtime");
    ck_assert(common_logged(LOG_ERR, "session recorded in runtime_dir"));
}
END_TEST

/* How long the stash of a login is to live, in seconds. */
static long
stash_lifetime(const char *arguments)
{
    long seconds = 0;

    common_login(&stack, arguments);
    seconds = common_stash_lifetime(&stack);
    stack_end(&stack, PAM_SUCCESS);
    return seconds;
}

START_TEST(test_options_stash_lifetime_is_that_of_the_keys)
{
    long seconds = 0;

    NEEDS_ROOT();
    seconds = stash_lifetime("");
    ck_assert_msg(seconds >= 60 && seconds <= 120, "%ld", seconds);
    seconds = stash_lifetime("stash_lifetime=1000");
    ck_assert_msg(seconds > 900 && seconds <= 1000, "%ld", seconds);
}
END_TEST

/* What is no option, or not one with that value; what the log says. */
static const struct bad_option {
    const char *argument;
    const char *said;
} bad_options[] = {
    {"nonsense", "nonsense"},
    {"nonsense=1", "nonsense=1"},
    {"Debug", "Debug"},
    {"debug=maybe", "debug=maybe"},
    {"debug=", "debug="},
    {"debugging", "debugging"},
    {"timeout", "timeout"},
    {"timeout=", "timeout="},
    {"timeout=soon", "timeout=soon"},
    {"timeout=10s", "timeout=10s"},
    {"timeout=0", "timeout=0"},
    {"timeout=-1", "timeout=-1"},
    {"timeout=3601", "timeout=3601"},
    {"timeout=99999999999999999999", "timeout=99999999999999999999"},
    {"minimum_uid=-1", "minimum_uid=-1"},
    {"minimum_uid=4294967295", "minimum_uid=4294967295"},
    {"ccache", "ccache"},
    {"ccache=", "ccache="},
    {"=", "="},
    {"ticket_lifetime=soon", "ticket_lifetime=soon"},
    {"renew_lifetime=-1h", "renew_lifetime=-1h"},
};

#define BAD_OPTION_COUNT ((int)(sizeof(bad_options) / sizeof(bad_options[0])))

START_TEST(test_options_bad_argument_is_logged_and_ignored)
{
    common_login(&stack, bad_options[_i].argument);
    ck_assert_uint_eq(common_log_count(LOG_ERR), 1);
    ck_assert_msg(common_logged(LOG_ERR, bad_options[_i].said), "%s",
                  stack_log());
    ck_assert(common_logged(LOG_ERR, "ignored"));
    ck_assert(!common_logged(LOG_DEBUG, ""));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_options_bad_argument_is_ignored_beside_a_good_one)
{
    NEEDS_ROOT();
    ck_assert(effect_ticket_lifetime("nonsense ticket_lifetime=1h timeout=x"));
}
END_TEST

START_TEST(test_options_bad_value_leaves_the_earlier_one)
{
    NEEDS_ROOT();
    ck_assert(effect_minimum_uid(
        common_with_uids("minimum_uid=<bob> minimum_uid=many")));
}
END_TEST

/* Values in krb5.conf that are none. */
static const struct bad_option bad_settings[] = {
    {"timeout = soon", "timeout"},
    {"minimum_uid = -1", "minimum_uid"},
    {"ticket_lifetime = soon", "ticket_lifetime"},
};

START_TEST(test_options_bad_value_in_krb5_conf_is_logged_and_ignored)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "[appdefaults]\npam = {\n%s\n}",
                   bad_settings[_i].argument);
    common_config(text);
    common_login(&stack, "");
    ck_assert_msg(common_logged(LOG_ERR, bad_settings[_i].said), "%s",
                  stack_log());
    ck_assert_uint_eq(common_log_count(LOG_ERR), 1);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Another module's, which nothing here corresponds to: what to do instead. */
static const struct bad_option unsupported[] = {
    {"pwhelp=/etc/help", "option pwhelp=/etc/help is not supported: put "
                         "pam_echo.so before this module: ignored"},
    {"no_validate", "option no_validate is not supported: with a host key"},
    {"tokens", "AFS tokens"},
};

START_TEST(test_options_unsupported_argument_is_logged_by_name)
{
    common_login(&stack, unsupported[_i].argument);
    ck_assert_msg(common_logged(LOG_ERR, unsupported[_i].said), "%s",
                  stack_log());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_options_unsupported_setting_is_logged_by_name)
{
    common_config("[appdefaults]\npam = {\ntokens = true\n"
                  "PAM.TEST = {\nmappings = x y\n}\n}\n");
    common_login(&stack, "");
    ck_assert(common_logged(LOG_ERR, "[appdefaults]: tokens is not supported: "
                                     "AFS tokens"));
    ck_assert(common_logged(LOG_ERR, "[appdefaults]: mappings is not"));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* There it is other programs' too. */
START_TEST(test_options_foreign_name_outside_of_pam_is_not_ours)
{
    common_config("[appdefaults]\ntokens = true\nchpw_prompt = false\n"
                  "PAM.TEST = {\nproxiable = true\n}\n");
    ck_assert(!effect_defer_pwchange(""));
    ck_assert_uint_eq(common_log_count(LOG_ERR), 0);
}
END_TEST

START_TEST(test_options_foreign_name_in_krb5_conf_is_its_row)
{
    common_config("[appdefaults]\npam = {\nchpw_prompt = false\n}\n");
    ck_assert(effect_defer_pwchange(""));
    /* Our own name, and the argument, go before it. */
    ck_assert(!effect_defer_pwchange("defer_pwchange=false"));
    common_config("[appdefaults]\npam = {\nchpw_prompt = false\n"
                  "defer_pwchange = false\n}\n");
    ck_assert(!effect_defer_pwchange(""));
}
END_TEST

/* The tests' service is krb5cc-test. */
START_TEST(test_options_flag_of_krb5_conf_may_list_services)
{
    common_config("[appdefaults]\npam = {\n"
                  "expose_account = sshd krb5cc-test\n}\n");
    ck_assert(effect_expose_account(""));
    common_config("[appdefaults]\npam = {\n"
                  "expose_account = sshd login\n}\n");
    ck_assert(!effect_expose_account(""));
    ck_assert_uint_eq(common_log_count(LOG_ERR), 0);
}
END_TEST

START_TEST(test_options_trace_belongs_to_the_host_alone)
{
    struct snapshot trace;

    NEEDS_ROOT();
    common_login(&stack, "trace=" TRACE);
    trace = common_snapshot(TRACE);
    ck_assert_uint_eq(trace.uid, 0);
    ck_assert_uint_eq(trace.mode & 077, 0);
    ck_assert_ptr_null(memmem(trace.bytes, trace.size, "alice-password", 14));
    ck_assert_int_eq(unlink(TRACE), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_options_trace_that_cannot_be_written_stops_nobody)
{
    common_login(&stack, "trace=/nonexistent/trace");
    ck_assert(common_logged(LOG_ERR, "/nonexistent/trace"));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

static void
add_rows(Suite *suite)
{
    TCase *tcase = common_case(suite, "rows");

    tcase_add_test(tcase, test_options_every_row_of_the_table_has_a_test);
    tcase_add_loop_test(tcase, test_options_argument_changes_the_outcome, 0,
                        ROW_COUNT);
    tcase_add_loop_test(tcase, test_options_flag_without_value_is_set, 0,
                        ROW_COUNT);
    tcase_add_loop_test(tcase,
                        test_options_argument_that_is_reset_changes_nothing, 0,
                        ROW_COUNT);
    tcase_add_loop_test(tcase,
                        test_options_krb5_conf_changes_the_outcome_where_it_may,
                        0, ROW_COUNT * PLACE_COUNT);
    tcase_add_loop_test(tcase, test_options_krb5_conf_elsewhere_changes_nothing,
                        0, ROW_COUNT * WRONG_PLACE_COUNT);
    tcase_add_loop_test(tcase, test_options_argument_wins_over_krb5_conf, 0,
                        ROW_COUNT);
    tcase_add_test(tcase,
                   test_options_krb5_conf_of_the_realm_asked_for_is_read);
    tcase_add_test(tcase, test_options_krb5_conf_more_special_place_wins);
}

static void
add_special(Suite *suite)
{
    TCase *tcase = common_case(suite, "special");

    tcase_add_test(tcase, test_options_timeout_bounds_the_call);
    tcase_add_test(tcase,
                   test_options_timeout_of_krb5_conf_shortens_the_default);
    tcase_add_test(tcase,
                   test_options_timeout_of_krb5_conf_shortens_the_argument);
    tcase_add_test(tcase, test_options_timeout_of_krb5_conf_does_not_lengthen);
    tcase_add_test(tcase, test_options_timeout_does_not_count_the_typing);
    tcase_add_test(tcase, test_options_state_dir_has_the_record);
    tcase_add_test(tcase,
                   test_options_runtime_dir_has_the_record_of_a_bad_state_dir);
    tcase_add_test(tcase, test_options_stash_lifetime_is_that_of_the_keys);
    tcase_add_test(tcase, test_options_trace_belongs_to_the_host_alone);
    tcase_add_test(tcase,
                   test_options_trace_that_cannot_be_written_stops_nobody);
}

static void
add_bad(Suite *suite)
{
    TCase *tcase = common_case(suite, "bad");

    tcase_add_loop_test(tcase, test_options_bad_argument_is_logged_and_ignored,
                        0, BAD_OPTION_COUNT);
    tcase_add_test(tcase,
                   test_options_bad_argument_is_ignored_beside_a_good_one);
    tcase_add_test(tcase, test_options_bad_value_leaves_the_earlier_one);
    tcase_add_loop_test(
        tcase, test_options_unsupported_argument_is_logged_by_name, 0, 3);
    tcase_add_test(tcase, test_options_unsupported_setting_is_logged_by_name);
    tcase_add_test(tcase, test_options_foreign_name_outside_of_pam_is_not_ours);
    tcase_add_test(tcase, test_options_foreign_name_in_krb5_conf_is_its_row);
    tcase_add_test(tcase, test_options_flag_of_krb5_conf_may_list_services);
    tcase_add_loop_test(
        tcase, test_options_bad_value_in_krb5_conf_is_logged_and_ignored, 0,
        (int)(sizeof(bad_settings) / sizeof(bad_settings[0])));
}

int
main(void)
{
    Suite *suite = suite_create("options");

    add_rows(suite);
    add_special(suite);
    add_bad(suite);
    return suite_main(suite);
}
