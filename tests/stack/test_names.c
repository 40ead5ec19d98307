/*
 * Users and principals: who is authenticated as whom, what he is asked for, and
 * whose name he has afterwards.  What Debian's pam_krb5 does in the plain cases
 * is test_dropin's; here is what a hostile user or an odd file makes of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/realm.h"

#define K5LOGIN "/tmp/home/alice/.k5login"
#define ROOT_PASSWORD "root-instance"

static struct stack stack;

/* An alice/root with another password. */
static void
begin_root(void)
{
    common_kadmin("addprinc -pw " ROOT_PASSWORD
                  " -clearpolicy +requires_preauth alice/root");
}

static void
end_root(void)
{
    common_kadmin("delprinc -force alice/root");
}

static void
end_k5login(void)
{
    (void)unlink(K5LOGIN);
}

static int
login(const char *user, const char *arguments, const char *const *answers)
{
    common_start(&stack, user, arguments, answers);
    return pam_authenticate(stack.handle, 0);
}

static int
login_with(const char *password, const char *arguments)
{
    const char *const answers[] = {password, password, NULL};

    return login("alice", arguments, answers);
}

static const char *
pam_user(void)
{
    const void *user = NULL;

    EXPECT(pam_get_item(stack.handle, PAM_USER, &user), PAM_SUCCESS);
    return user;
}

/* The session's cache has PRINCIPAL's tickets and is alice's. */
static void
check_cache(const char *principal)
{
    struct cache_view view;

    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    view = common_look(common_cache(&stack), "alice");
    ck_assert(view.readable);
    ck_assert_str_eq(view.principal, principal);
    common_assert_owned(common_cache(&stack), "alice");
}

static void
end(void)
{
    stack_end(&stack, PAM_SUCCESS);
}

/* How often a KDC was asked for tickets of PRINCIPAL. */
static size_t
asked_for(const char *principal)
{
    return common_kdc_log("AS_REQ", principal);
}

/* PAM_USER. */

START_TEST(test_names_local_principal_becomes_its_user)
{
    NEEDS_ROOT();
    EXPECT(login("alice@PAM.TEST", "", alice_answers), PAM_SUCCESS);
    ck_assert_str_eq(pam_user(), "alice");
    check_cache("alice@PAM.TEST");
    end();
}
END_TEST

START_TEST(test_names_user_stays_where_the_password_is_wrong)
{
    EXPECT(login("alice@PAM.TEST", "", wrong_answers), PAM_AUTH_ERR);
    ck_assert_str_eq(pam_user(), "alice@PAM.TEST");
    end();
}
END_TEST

START_TEST(test_names_user_stays_where_he_is_not_authorized)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(login("alice@PAM.TEST", "", alice_answers), PAM_AUTH_ERR);
    ck_assert_str_eq(pam_user(), "alice@PAM.TEST");
    end();
}
END_TEST

START_TEST(test_names_no_update_user_keeps_the_principal)
{
    EXPECT(login("alice@PAM.TEST", "no_update_user", alice_answers),
           PAM_SUCCESS);
    ck_assert_str_eq(pam_user(), "alice@PAM.TEST");
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_USER_UNKNOWN);
    end();
}
END_TEST

/* Whose full name is an account of its own is that account. */
START_TEST(test_names_principal_that_is_an_account_stays_it)
{
    FILE *accounts = NULL;

    NEEDS_ROOT();
    accounts = fopen("/etc/passwd", "ae");
    ck_assert_ptr_nonnull(accounts);
    (void)fprintf(accounts, "carol@PAM.TEST:x:%u:%u::/tmp/home/carol:/bin/sh\n",
                  (unsigned int)common_uid("carol"),
                  (unsigned int)common_uid("carol"));
    ck_assert_int_eq(fclose(accounts), 0);
    EXPECT(login("carol@PAM.TEST", "",
                 (const char *const[]){"carol-password", NULL}),
           PAM_SUCCESS);
    ck_assert_str_eq(pam_user(), "carol@PAM.TEST");
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "carol");
    end();
}
END_TEST

/* Nobody comes in by his full name whom his name keeps out. */
static const struct {
    const char *user;
    const char *arguments;
} excluded[] = {
    {"root@PAM.TEST", "ignore_root"},
    {"alice@PAM.TEST", "minimum_uid=<bob>"},
};

START_TEST(test_names_excluded_user_is_so_by_his_principal_too)
{
    NEEDS_ROOT();
    common_kadmin("addprinc -pw alice-password -clearpolicy root");
    EXPECT(login(excluded[_i].user, common_with_uids(excluded[_i].arguments),
                 alice_answers),
           PAM_USER_UNKNOWN);
    ck_assert_uint_eq(stack.shown_count, 0);
    common_kadmin("delprinc -force root");
    end();
}
END_TEST

/* alt_auth_map. */

START_TEST(test_names_mapped_principal_needs_no_k5login)
{
    NEEDS_ROOT();
    EXPECT(login_with(ROOT_PASSWORD, "alt_auth_map=%s/root"), PAM_SUCCESS);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    check_cache("alice/root@PAM.TEST");
    end();
}
END_TEST

/* It is authorized for what it is, not for being asked about. */
START_TEST(test_names_own_principal_needs_its_k5login_beside_a_map)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(login_with("alice-password", "alt_auth_map=%s/root"), PAM_AUTH_ERR);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_PERM_DENIED);
    end();
}
END_TEST

static const struct {
    const char *what;
    const char *password;
    const char *arguments;
    int code;
    const char *principal; /* of the tickets; NULL = there are none */
} maps[] = {
    {"falls back", "alice-password", "alt_auth_map=%s/root", PAM_SUCCESS,
     "alice@PAM.TEST"},
    {"is unknown and falls back", "alice-password",
     "alt_auth_map=%s/none force_alt_auth", PAM_SUCCESS, "alice@PAM.TEST"},
    {"is known and forced", "alice-password",
     "alt_auth_map=%s/root force_alt_auth", PAM_AUTH_ERR, NULL},
    {"is alone", "alice-password", "alt_auth_map=%s/root only_alt_auth",
     PAM_AUTH_ERR, NULL},
    {"is alone and unknown", "alice-password",
     "alt_auth_map=%s/none only_alt_auth", PAM_USER_UNKNOWN, NULL},
    {"is alone and right", ROOT_PASSWORD, "alt_auth_map=%s/root only_alt_auth",
     PAM_SUCCESS, "alice/root@PAM.TEST"},
    {"has a realm", ROOT_PASSWORD, "alt_auth_map=%s/root@PAM.TEST", PAM_SUCCESS,
     "alice/root@PAM.TEST"},
    {"has a realm without a KDC", "alice-password",
     "alt_auth_map=%s@NOWHERE.TEST", PAM_SUCCESS, "alice@PAM.TEST"},
    {"is no principal", "alice-password", "alt_auth_map=%s@a@b", PAM_SUCCESS,
     "alice@PAM.TEST"},
    {"wins over .k5login", ROOT_PASSWORD, "alt_auth_map=%s/root search_k5login",
     PAM_SUCCESS, "alice/root@PAM.TEST"},
    {"is the user himself", "alice-password", "alt_auth_map=%s", PAM_SUCCESS,
     "alice@PAM.TEST"},
    {"and only_ without a map", "alice-password", "only_alt_auth", PAM_SUCCESS,
     "alice@PAM.TEST"},
    {"and force_ without a map", "alice-password", "force_alt_auth",
     PAM_SUCCESS, "alice@PAM.TEST"},
};

START_TEST(test_names_map)
{
    int code = PAM_SUCCESS;

    NEEDS_ROOT();
    code = login_with(maps[_i].password, maps[_i].arguments);
    ck_assert_msg(code == maps[_i].code, "a map that %s: %s; log:\n%s",
                  maps[_i].what, pam_strerror(NULL, code), stack_log());
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    if (maps[_i].principal != NULL) {
        check_cache(maps[_i].principal);
    }
    end();
}
END_TEST

/* Where nobody is in it but who is tried anyway, alice is not in it either. */
START_TEST(test_names_k5login_of_the_map_alone_is_all_that_is_tried)
{
    size_t before = asked_for("alice@PAM.TEST");

    NEEDS_ROOT();
    common_k5login("alice", "alice/root@PAM.TEST\n");
    EXPECT(login_with("wrong", "alt_auth_map=%s/root search_k5login"),
           PAM_AUTH_ERR);
    ck_assert_uint_eq(asked_for("alice@PAM.TEST"), before);
    end();
}
END_TEST

/* The realm that the user has typed goes along. */
START_TEST(test_names_map_keeps_the_users_realm)
{
    NEEDS_ROOT();
    EXPECT(login("alice@PAM.TEST", "alt_auth_map=%s/root no_update_user",
                 (const char *const[]){ROOT_PASSWORD, NULL}),
           PAM_SUCCESS);
    ck_assert(stack_logged("authenticated as alice/root@PAM.TEST"));
    end();
}
END_TEST

START_TEST(test_names_map_of_a_stacked_password_asks_for_nothing)
{
    NEEDS_ROOT();
    common_start_stored(&stack, "alice", "alice-password",
                        "alt_auth_map=%s/root use_first_pass", no_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(common_password_prompts(&stack), 0);
    end();
}
END_TEST

/* A wrong stacked one is asked for again, whatever the last principal says. */
START_TEST(test_names_map_asks_again_behind_a_wrong_stacked_password)
{
    static const char *const answers[] = {ROOT_PASSWORD, NULL};

    NEEDS_ROOT();
    common_start_stored(
        &stack, "alice", "wrong",
        "alt_auth_map=%s/root user_realm=NOWHERE.TEST try_first_pass", answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    end();
}
END_TEST

/* search_k5login. */

START_TEST(test_names_each_principal_of_k5login_is_tried)
{
    NEEDS_ROOT();
    common_k5login("alice", "# people\n\nstranger@PAM.TEST\ncarol@PAM.TEST\n"
                            "bob@PAM.TEST\n");
    EXPECT(login_with("bob-password", "search_k5login"), PAM_SUCCESS);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    check_cache("bob@PAM.TEST");
    end();
}
END_TEST

/* alice herself is not in it. */
START_TEST(test_names_k5login_is_all_that_is_tried)
{
    size_t before = asked_for("alice@PAM.TEST");

    NEEDS_ROOT();
    common_k5login("alice", "carol@PAM.TEST\nbob@PAM.TEST\n");
    EXPECT(login_with("alice-password", "search_k5login"), PAM_AUTH_ERR);
    ck_assert_uint_eq(common_password_prompts(&stack), 1);
    ck_assert_uint_eq(asked_for("alice@PAM.TEST"), before);
    end();
}
END_TEST

/* Each wrong password counts at the KDC: once is enough. */
START_TEST(test_names_principal_twice_in_k5login_is_tried_once)
{
    size_t before = common_kdc_log("Preauthentication failed", "bob@PAM.TEST");

    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\nbob\nbob@PAM.TEST\n");
    EXPECT(login_with("wrong", "search_k5login"), PAM_AUTH_ERR);
    ck_assert_uint_eq(
        common_kdc_log("Preauthentication failed", "bob@PAM.TEST"), before + 1);
    end();
}
END_TEST

START_TEST(test_names_without_k5login_the_user_is_tried)
{
    NEEDS_ROOT();
    EXPECT(login_with("alice-password", "search_k5login"), PAM_SUCCESS);
    check_cache("alice@PAM.TEST");
    end();
}
END_TEST

START_TEST(test_names_long_k5login_is_tried_in_part)
{
    char text[4096] = "";
    size_t length = 0;

    NEEDS_ROOT();
    for (int i = 0; i < 40; i++) {
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "stranger%d@PAM.TEST\n", i);
    }
    (void)snprintf(text + length, sizeof(text) - length, "bob@PAM.TEST\n");
    common_k5login("alice", text);
    EXPECT(login_with("bob-password", "search_k5login"), PAM_USER_UNKNOWN);
    ck_assert(common_logged(LOG_NOTICE, "only the first 16 principals"));
    end();
}
END_TEST

/* Files that are none of alice's to have read: nobody asks for bob. */

static void
make_k5login_of_bob(void)
{
    common_write(K5LOGIN, "bob@PAM.TEST\n", common_uid("bob"), 0644);
}

static void
make_link_to_roots_secret(void)
{
    common_write("/tmp/home/secret", "bob@PAM.TEST\n", 0, 0600);
    ck_assert_int_eq(symlink("/tmp/home/secret", K5LOGIN), 0);
}

static void
make_fifo(void)
{
    ck_assert_int_eq(mkfifo(K5LOGIN, 0644), 0);
    ck_assert_int_eq(chown(K5LOGIN, common_uid("alice"), common_uid("alice")),
                     0);
}

static void
make_directory(void)
{
    ck_assert_int_eq(mkdir(K5LOGIN, 0755), 0);
}

static void
make_endless_file(void)
{
    common_write(K5LOGIN, "bob@PAM.TEST\n", common_uid("alice"), 0644);
    ck_assert_int_eq(truncate(K5LOGIN, 1 << 20), 0);
}

static const struct {
    const char *what;
    void (*make)(void);
} bad_files[] = {
    {"a file of bob's", make_k5login_of_bob},
    {"a link to root's secret", make_link_to_roots_secret},
    {"a fifo", make_fifo},
    {"a directory", make_directory},
    {"a file of a megabyte", make_endless_file},
};

START_TEST(test_names_k5login_is_read_as_its_user)
{
    size_t before = asked_for("bob@PAM.TEST");

    NEEDS_ROOT();
    bad_files[_i].make();
    (void)login_with("bob-password", "search_k5login");
    ck_assert_msg(asked_for("bob@PAM.TEST") == before, "%s was read",
                  bad_files[_i].what);
    end();
    (void)rmdir(K5LOGIN);
    (void)unlink("/tmp/home/secret");
}
END_TEST

/* Beside expose_account, since the principal is not known yet. */
START_TEST(test_names_k5login_exposes_no_account)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(login_with("bob-password", "search_k5login expose_account"),
           PAM_SUCCESS);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    end();
}
END_TEST

/* prompt_principal. */

static const struct {
    const char *typed;
    const char *password;
    const char *k5login; /* NULL = there is none */
    int code;
} prompted[] = {
    {"", "alice-password", NULL, PAM_SUCCESS},
    {"alice", "alice-password", NULL, PAM_SUCCESS},
    {"bob@PAM.TEST", "bob-password", "bob@PAM.TEST\n", PAM_SUCCESS},
    {"bob", "bob-password", "alice@PAM.TEST\n", PAM_AUTH_ERR},
    {"bob", "bob-password", NULL, PAM_AUTH_ERR},
    {"stranger", "x", NULL, PAM_USER_UNKNOWN},
    {"a@b@c", "x", NULL, PAM_USER_UNKNOWN},
    {"@", "x", NULL, PAM_USER_UNKNOWN},
};

START_TEST(test_names_principal_is_what_the_user_types)
{
    const char *const answers[] = {prompted[_i].typed, prompted[_i].password,
                                   NULL};

    NEEDS_ROOT();
    if (prompted[_i].k5login != NULL) {
        common_k5login("alice", prompted[_i].k5login);
    }
    EXPECT(login("alice", "prompt_principal", answers), prompted[_i].code);
    ck_assert_uint_eq(stack.shown_count, 2);
    ck_assert_str_eq(stack_text(&stack, 0), "Principal: ");
    ck_assert_int_eq(stack.shown[0].style, PAM_PROMPT_ECHO_ON);
    ck_assert_str_eq(stack_text(&stack, 1), "Password: ");
    ck_assert_int_eq(stack.shown[1].style, PAM_PROMPT_ECHO_OFF);
    end();
}
END_TEST

/* What was typed is not in the log: it may be a password. */
START_TEST(test_names_principal_of_nobody_is_not_logged)
{
    static const char *const answers[] = {"s3cret-typed-early", "x", NULL};

    EXPECT(login("alice", "prompt_principal", answers), PAM_USER_UNKNOWN);
    ck_assert(!stack_logged("s3cret"));
    end();
}
END_TEST

/*
 * In a second try it is known whom he has said he is: PAM_USER is ghost's, and
 * does not become alice's for her password.
 */
START_TEST(test_names_principal_typed_is_not_whom_the_user_becomes)
{
    static const char *const answers[] = {"alice", "alice-password", NULL};

    common_start_stored(&stack, "ghost@PAM.TEST", "wrong",
                        "prompt_principal try_first_pass", answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_str_eq(pam_user(), "ghost@PAM.TEST");
    end();
}
END_TEST

/* Nor is, in libkrb5's words, what it takes for a realm in it. */
START_TEST(test_names_realm_of_nobody_is_not_logged)
{
    static const char *const answers[] = {"early@s3cret", "x", NULL};

    (void)login("alice", "prompt_principal", answers);
    ck_assert(!stack_logged("s3cret"));
    end();
}
END_TEST

START_TEST(test_names_principal_of_nobody_is_not_logged_by_debug)
{
    static const char *const answers[] = {"s3cret-typed-early", "x", NULL};

    EXPECT(login("alice", "prompt_principal debug", answers), PAM_USER_UNKNOWN);
    ck_assert(!stack_logged("s3cret"));
    end();
}
END_TEST

START_TEST(test_names_no_answer_to_the_principal_is_no_login)
{
    EXPECT(login("alice", "prompt_principal", no_answers), PAM_AUTH_ERR);
    end();
}
END_TEST

/* The time that it takes to type it is the user's. */
static void
take_time(void *data)
{
    (void)data;
    (void)usleep(1500 * 1000);
}

START_TEST(test_names_principal_may_be_typed_slowly)
{
    static const char *const answers[] = {"alice", "alice-password", NULL};

    common_start(&stack, "alice", "prompt_principal timeout=1", answers);
    stack.before_answer = take_time;
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    end();
}
END_TEST

/* Both halves of a change, the principal asked for once. */
START_TEST(test_names_principal_of_a_change_is_asked_for_once)
{
    static const char *const answers[] = {"alice/root", ROOT_PASSWORD,
                                          "again-1", "again-1", NULL};

    NEEDS_ROOT();
    common_start(&stack, "alice", "prompt_principal expose_account", answers);
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(stack.shown_count, 4);
    ck_assert_str_eq(stack_text(&stack, 0), "Principal: ");
    ck_assert_str_eq(stack_text(&stack, 1),
                     "Current Kerberos password for alice/root@PAM.TEST: ");
    ck_assert_str_eq(stack_text(&stack, 2),
                     "Enter new Kerberos password for alice/root@PAM.TEST: ");
    ck_assert_str_eq(stack_text(&stack, 3),
                     "Retype new Kerberos password for alice/root@PAM.TEST: ");
    end();
    EXPECT(login_with("again-1", "alt_auth_map=%s/root only_alt_auth"),
           PAM_SUCCESS);
    end();
}
END_TEST

/* Who no_user_check lets in. */
START_TEST(test_names_no_user_check_looks_at_no_k5login)
{
    NEEDS_ROOT();
    common_k5login("alice", "bob@PAM.TEST\n");
    EXPECT(login_with("alice-password", "no_user_check"), PAM_SUCCESS);
    check_cache("alice@PAM.TEST");
    end();
    EXPECT(login_with("alice-password", "user_check"), PAM_AUTH_ERR);
    end();
}
END_TEST

/* bob's password is no way in as alice, .k5login or not. */
START_TEST(test_names_no_user_check_lets_no_other_in)
{
    static const char *const answers[] = {"bob", "bob-password", NULL};

    NEEDS_ROOT();
    EXPECT(login("alice", "prompt_principal no_user_check", answers),
           PAM_AUTH_ERR);
    end();
}
END_TEST

static Suite *
names_suite(void)
{
    Suite *suite = suite_create("names");
    TCase *tcase = common_case(suite, "user");

    tcase_add_checked_fixture(tcase, NULL, end_k5login);
    tcase_add_test(tcase, test_names_local_principal_becomes_its_user);
    tcase_add_test(tcase, test_names_user_stays_where_the_password_is_wrong);
    tcase_add_test(tcase, test_names_user_stays_where_he_is_not_authorized);
    tcase_add_test(tcase, test_names_no_update_user_keeps_the_principal);
    tcase_add_test(tcase, test_names_principal_that_is_an_account_stays_it);
    tcase_add_loop_test(
        tcase, test_names_excluded_user_is_so_by_his_principal_too, 0, 2);
    tcase_add_test(tcase, test_names_no_user_check_looks_at_no_k5login);
    tcase_add_test(tcase, test_names_no_user_check_lets_no_other_in);

    tcase = common_case(suite, "map");
    tcase_add_checked_fixture(tcase, begin_root, end_root);
    tcase_add_checked_fixture(tcase, NULL, end_k5login);
    tcase_add_test(tcase, test_names_mapped_principal_needs_no_k5login);
    tcase_add_test(tcase,
                   test_names_own_principal_needs_its_k5login_beside_a_map);
    tcase_add_loop_test(tcase, test_names_map, 0,
                        (int)(sizeof(maps) / sizeof(maps[0])));
    tcase_add_test(tcase,
                   test_names_k5login_of_the_map_alone_is_all_that_is_tried);
    tcase_add_test(tcase, test_names_map_keeps_the_users_realm);
    tcase_add_test(tcase,
                   test_names_map_of_a_stacked_password_asks_for_nothing);
    tcase_add_test(tcase,
                   test_names_map_asks_again_behind_a_wrong_stacked_password);
    tcase_add_test(tcase, test_names_principal_of_a_change_is_asked_for_once);

    tcase = common_case(suite, "k5login");
    tcase_add_checked_fixture(tcase, NULL, end_k5login);
    tcase_add_test(tcase, test_names_each_principal_of_k5login_is_tried);
    tcase_add_test(tcase, test_names_k5login_is_all_that_is_tried);
    tcase_add_test(tcase, test_names_principal_twice_in_k5login_is_tried_once);
    tcase_add_test(tcase, test_names_without_k5login_the_user_is_tried);
    tcase_add_test(tcase, test_names_long_k5login_is_tried_in_part);
    tcase_add_loop_test(tcase, test_names_k5login_is_read_as_its_user, 0,
                        (int)(sizeof(bad_files) / sizeof(bad_files[0])));
    tcase_add_test(tcase, test_names_k5login_exposes_no_account);

    tcase = common_case(suite, "prompt");
    tcase_add_checked_fixture(tcase, NULL, end_k5login);
    tcase_add_loop_test(tcase, test_names_principal_is_what_the_user_types, 0,
                        (int)(sizeof(prompted) / sizeof(prompted[0])));
    tcase_add_test(tcase, test_names_principal_of_nobody_is_not_logged);
    tcase_add_test(tcase, test_names_realm_of_nobody_is_not_logged);
    tcase_add_test(tcase,
                   test_names_principal_of_nobody_is_not_logged_by_debug);
    tcase_add_test(tcase,
                   test_names_principal_typed_is_not_whom_the_user_becomes);
    tcase_add_test(tcase, test_names_no_answer_to_the_principal_is_no_login);
    tcase_add_test(tcase, test_names_principal_may_be_typed_slowly);
    return suite;
}

int
main(void)
{
    return suite_main(names_suite());
}
