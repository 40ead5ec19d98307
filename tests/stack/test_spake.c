/*
 * SPAKE, the password's proof that nobody can guess from: in a realm that has
 * it (with-realm --spake) a login takes it by itself, and a wrong password is
 * what it is elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "stack/common.h"
#include "support/realm.h"

#define TRACE "/tmp/home/trace"
#define ARMOR "/tmp/home/armor"

static struct stack stack;

/* The note that libkrb5 makes of how the tickets were got (PA-SPAKE). */
static bool
is_by_spake(void)
{
    static const char *const both[] = {"Storing config", ": pa_type: 151\n",
                                       NULL};

    return realm_count_lines(TRACE, both) == 1;
}

static int
authenticate(const char *user, const char *arguments,
             const char *const *answers)
{
    (void)unlink(TRACE);
    common_start(&stack, user, arguments, answers);
    return pam_authenticate(stack.handle, 0);
}

START_TEST(test_spake_is_used)
{
    EXPECT(authenticate("alice", "trace=" TRACE, alice_answers), PAM_SUCCESS);
    ck_assert(is_by_spake());
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert_str_eq(stack_text(&stack, 0), "Password: ");
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_spake_takes_a_stacked_password)
{
    (void)unlink(TRACE);
    common_start_stored(&stack, "alice", "alice-password",
                        "use_first_pass trace=" TRACE, no_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert(is_by_spake());
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_spake_in_armor)
{
    SKIP_UNLESS(geteuid() == 0, "needs root");
    ck_assert_int_eq(system("kinit -k -t \"$KRB5_KTNAME\" -c FILE:" ARMOR
                            " \"$REALM_HOST_PRINCIPAL\""),
                     0);
    EXPECT(authenticate("alice", "fast_ccache=FILE:" ARMOR " trace=" TRACE,
                        alice_answers),
           PAM_SUCCESS);
    ck_assert(is_by_spake());
    stack_end(&stack, PAM_SUCCESS);
    (void)unlink(ARMOR);
}
END_TEST

/* How often a password of NAME's was wrong, as its KDC counts. */
static int
failures(const char *name)
{
    static const char said[] = "Failed password attempts: ";
    char command[1024];
    char line[256];
    FILE *answer = NULL;
    int count = -1;

    (void)snprintf(command, sizeof(command), "%s -q 'getprinc %s'",
                   getenv("REALM_ADMIN"), name);
    answer = popen(command, "r");
    ck_assert_ptr_nonnull(answer);
    while (fgets(line, sizeof(line), answer) != NULL) {
        if (strncmp(line, said, sizeof(said) - 1) == 0) {
            count = atoi(line + sizeof(said) - 1);
        }
    }
    (void)pclose(answer);
    return count;
}

START_TEST(test_spake_wrong_password_is_one_failure)
{
    common_kadmin("addprinc -pw striker-password -policy three-strikes "
                  "+requires_preauth striker");
    ck_assert_int_eq(failures("striker"), 0);
    EXPECT(authenticate("striker", "", wrong_answers), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack.shown_count, 1);
    ck_assert(common_logged(LOG_INFO, "wrong password"));
    ck_assert_int_eq(failures("striker"), 1);
    stack_end(&stack, PAM_AUTH_ERR);
    ck_assert(realm_admin("delprinc -force striker"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("spake");
    TCase *tcase = common_case(suite, "spake");

    tcase_add_test(tcase, test_spake_is_used);
    tcase_add_test(tcase, test_spake_takes_a_stacked_password);
    tcase_add_test(tcase, test_spake_in_armor);
    tcase_add_test(tcase, test_spake_wrong_password_is_one_failure);
    return suite_main(suite);
}
