/*
 * An exchange that lies (helper/lying_exchange.c in the real one's place): the
 * judge believes nothing that it cannot check.  Each lie differs from a truth
 * that is accepted by one thing; it is refused with the right code, said in
 * the log as loudly as it deserves, and nothing is written anywhere.
 *
 * Needs a realm for its krb5.conf and its host key; no KDC is asked.
 */
#include "stack/common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/outcome.h"

/* The limit that calls have here, and how late they may be. */
#define TIMEOUT_S 2
#define LATE_MS 1000

/* A directory that the account of the exchange may enter; of one test. */
static char *folder;

static const char *
lying_helper(void)
{
    const char *path = getenv("PAM_KRB5CC_LYING_HELPER");

    return path == NULL ? BUILT_LYING_HELPER : path;
}

/* Copies the realm's keytab to where the exchange can read it: it forges. */
static void
copy_keytab(const char *to)
{
    const char *from = getenv("KRB5_KTNAME");
    char command[1024];

    ck_assert_ptr_nonnull(from);
    (void)snprintf(command, sizeof(command), "cp '%s' '%s' && chmod 644 '%s'",
                   from + strlen("FILE:"), to, to);
    ck_assert_int_eq(system(command), 0);
}

static void
setup(void)
{
    char *keytab = NULL;

    common_setup();
    folder = suite_tmpdir();
    ck_assert_int_eq(chmod(folder, 0755), 0);
    keytab = suite_path(folder, "keytab");
    copy_keytab(keytab);
    free(keytab);
}

static void
teardown(void)
{
    suite_remove_tree(folder);
    folder = NULL;
    common_teardown();
}

/*
 * Makes the launcher of the lying helper that tells LIE; what goes into a PAM
 * line is written to ARGUMENTS.
 */
static void
install_lie(const char *lie, const char *more, char arguments[1024])
{
    char *path = suite_path(folder, "helper");
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "#!/bin/sh\nLIE='%s' LIE_KEYTAB='FILE:%s/keytab'\n"
                   "export LIE LIE_KEYTAB\nexec '%s'\n",
                   lie, folder, lying_helper());
    (void)unlink(path);
    common_write(path, text, geteuid(), 0755);
    (void)snprintf(arguments, 1024, "helper=%s timeout=%d %s", path, TIMEOUT_S,
                   more);
    free(path);
}

/* Starts a handle of alice whose exchange tells LIE. */
static void
start_lie(struct stack *stack, const char *lie, const char *more)
{
    char arguments[1024];

    install_lie(lie, more, arguments);
    common_start(stack, "alice", arguments, alice_answers);
}

static int64_t
now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* After a refusal: no cache, none promised, none made by what may follow. */
static void
assert_nothing_written(struct stack *stack)
{
    ck_assert_ptr_null(common_cache(stack));
    (void)pam_setcred(stack->handle, PAM_ESTABLISH_CRED);
    (void)pam_open_session(stack->handle, 0);
    ck_assert_ptr_null(common_cache(stack));
    ck_assert_uint_eq(common_count("/tmp", "krb5cc"), 0);
    ck_assert_uint_eq(common_count("/tmp/home/alice", ""), 0);
}

/* One lie told to authenticate, and what must come of it. */
struct row {
    const char *lie;
    int code;
    int priority;     /* of the line that says so */
    const char *text; /* what stands in it */
    const char *arguments;
};

static const struct row rows[] = {
    /* Another client. */
    {"bob", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},
    {"of-bob", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},
    {"bob,of-bob", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},
    {"mixed", PAM_AUTH_ERR, LOG_ALERT, "another principal's", ""},
    {"anonymous", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},
    {"of-anonymous", PAM_AUTH_ERR, LOG_ALERT, "anonymous", ""},
    {"anonymous,of-anonymous", PAM_AUTH_ERR, LOG_ALERT, "anonymous", ""},

    /* An AP-REQ of another day. */
    {"age:3600", PAM_AUTH_ERR, LOG_ALERT, "not of this login", ""},
    {"age:302", PAM_AUTH_ERR, LOG_ALERT, "not of this login", ""},
    {"age:3600,start:0", PAM_AUTH_ERR, LOG_ALERT, "not of this login", ""},
    {"age:0,start:3600", PAM_AUTH_ERR, LOG_ALERT, "not of this login", ""},
    {"age:0,start:-600", PAM_AUTH_ERR, LOG_ALERT, "could not be verified", ""},
    {"other-nonce", PAM_AUTH_ERR, LOG_ALERT, "not for this login", ""},
    {"no-checksum", PAM_AUTH_ERR, LOG_ALERT, "not for this login", ""},
    {"unkeyed", PAM_AUTH_ERR, LOG_ALERT, "not for this login", ""},
    {"gss-checksum", PAM_AUTH_ERR, LOG_ALERT, "not for this login", ""},
    {"expired", PAM_AUTH_ERR, LOG_ALERT, "expired", ""},
    {"invalid", PAM_AUTH_ERR, LOG_ALERT, "could not be verified", ""},

    /* None at all. */
    {"no-proof", PAM_AUTH_ERR, LOG_ALERT, "could not be verified", ""},
    {"garbage-proof", PAM_AUTH_ERR, LOG_ALERT, "could not be verified", ""},
    {"refuse:9", PAM_AUTH_ERR, LOG_ALERT, "could not be verified", ""},

    /* A clock that would make an old AP-REQ young. */
    {"age:86400,offset:-86400", PAM_AUTH_ERR, LOG_ALERT, "clock", ""},
    {"age:86400,start:0,offset:-86400", PAM_AUTH_ERR, LOG_ALERT,
     "could not be verified", ""},
    {"offset:86400", PAM_AUTH_ERR, LOG_ALERT, "could not be verified", ""},
    {"age:36000,offset:-4294967296", PAM_AUTH_ERR, LOG_ALERT, "clock", ""},
    {"offset:9223372036854775807", PAM_AUTH_ERR, LOG_ALERT, "clock", ""},
    {"offset:-9223372036854775808", PAM_AUTH_ERR, LOG_ALERT, "clock", ""},

    /* Tickets that are none. */
    {"nothing", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "unknown layout", ""},
    {"garbage", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "unknown layout", ""},
    {"cut:18", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "unknown layout", ""},
    {"cut:60", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "cut short", ""},
    {"many:2000", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "too many", ""},
    {"no-tgt", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},
    {"empty", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},
    {"double", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},
    {"unvalidated", PAM_AUTH_ERR, LOG_ALERT, "could not be verified", ""},
    /* A ticket with a session key that the liar knows, for the user to use. */
    {"planted", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", ""},

    /* What is no conversation. */
    {"exit", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"stranger", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"huge", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"type:1", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"type:2", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"type:3", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"type:9", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"type:13", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"type:65535", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"twice", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "died", ""},
    {"half", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "within the limit", ""},
    {"silence", PAM_AUTHINFO_UNAVAIL, LOG_ERR, "within the limit", ""},

    /* Without a keytab the KDC is believed, but not everything. */
    {"bob", PAM_AUTH_ERR, LOG_ALERT, "not those asked for", "keytab=/nowhere"},
    {"mixed", PAM_AUTH_ERR, LOG_ALERT, "another principal's",
     "keytab=/nowhere"},
    {"anonymous", PAM_AUTH_ERR, LOG_ALERT, "not those asked for",
     "keytab=/nowhere"},
    {"unvalidated", PAM_AUTH_ERR, LOG_ALERT, "could not be verified",
     "keytab=/nowhere"},
};

#define ROW_COUNT (int)(sizeof(rows) / sizeof(rows[0]))

/* The control: what all lies differ from is accepted, and makes a cache. */
START_TEST(test_lies_truth_is_accepted)
{
    struct stack stack;

    NEEDS_ROOT();
    start_lie(&stack, "truth", "");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_setcred(stack.handle, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    common_assert_owned(common_cache(&stack), "alice");
    ck_assert_int_eq(common_look(common_cache(&stack), "alice").tgts, 1);
    EXPECT(pam_setcred(stack.handle, PAM_DELETE_CRED), PAM_SUCCESS);
    ck_assert_uint_eq(common_log_count(LOG_ERR), 0);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_lies_lie_is_refused_and_logged)
{
    const struct row *row = &rows[_i];
    struct stack stack;
    int64_t start = 0;
    int code = PAM_SUCCESS;

    NEEDS_ROOT();
    start_lie(&stack, row->lie, row->arguments);
    start = now_ms();
    code = pam_authenticate(stack.handle, 0);
    ck_assert_int_le(now_ms() - start, TIMEOUT_S * 1000 + LATE_MS);
    ck_assert_msg(code == row->code, "%s %s gave %s; log:\n%s", row->lie,
                  row->arguments, pam_strerror(NULL, code), stack_log());
    ck_assert_msg(common_logged(row->priority, row->text),
                  "%s %s: no \"%s\" at <%d>; log:\n%s", row->lie,
                  row->arguments, row->text, row->priority, stack_log());
    ck_assert_msg(common_logged(row->priority, "alice"), "%s: whose login? %s",
                  row->lie, stack_log());
    ck_assert(!stack_logged("lying exchange:"));
    assert_nothing_written(&stack);
    stack_end(&stack, code);
}
END_TEST

/* Who types a realm chooses the KDC: without a host key it proves nothing. */
START_TEST(test_lies_realm_of_the_users_choice_is_not_believed)
{
    char arguments[1024];
    struct stack stack;

    NEEDS_ROOT();
    install_lie("truth", "keytab=/nowhere", arguments);
    common_start(&stack, "alice@EVIL.TEST", arguments, alice_answers);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_int_ne(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* The ticket of this login may be as old as clocks differ, no older. */
START_TEST(test_lies_age_within_clockskew_is_accepted)
{
    struct stack stack;

    NEEDS_ROOT();
    start_lie(&stack, "age:290", "");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* A KDC whose clock is 20 minutes off, behind or ahead, is one to believe. */
START_TEST(test_lies_clock_20_minutes_off_is_accepted)
{
    static const char *const lies[] = {"age:1200,offset:-1200",
                                       "age:-1200,offset:1200"};
    struct stack stack;

    NEEDS_ROOT();
    start_lie(&stack, lies[_i], "");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Whatever outcome the exchange claims, it opens no door. */
START_TEST(test_lies_claimed_outcome_is_never_a_success)
{
    char lie[32];
    struct stack stack;
    int code = PAM_SUCCESS;

    NEEDS_ROOT();
    (void)snprintf(lie, sizeof(lie), "say:%d", _i);
    start_lie(&stack, lie, "");
    code = pam_authenticate(stack.handle, 0);
    ck_assert_msg(code != PAM_SUCCESS && code != PAM_IGNORE, "%s gave %s", lie,
                  pam_strerror(NULL, code));
    ck_assert_int_ne(pam_acct_mgmt(stack.handle, 0), PAM_SUCCESS);
    assert_nothing_written(&stack);
    stack_end(&stack, code);
}
END_TEST

/* Only the judge has seen a key: only he cries for help. */
START_TEST(test_lies_claimed_outcome_raises_no_alert)
{
    char lie[32];
    struct stack stack;

    NEEDS_ROOT();
    (void)snprintf(lie, sizeof(lie), "say:%d", OUTCOME_UNVERIFIED);
    start_lie(&stack, lie, "");
    ck_assert_int_ne(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_uint_eq(common_log_count(LOG_ALERT), 0);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/*
 * Where the change of an expired password is the host's (defer_pwchange) the
 * exchange is believed that it was right; but not whose it is.
 */
START_TEST(test_lies_deferred_change_is_of_who_was_asked_for)
{
    static const char *const names[] = {"", "bob@PAM.TEST", "a@b@c",
                                        "alice@OTHER.TEST"};
    char lie[128];
    struct stack stack;

    NEEDS_ROOT();
    (void)snprintf(lie, sizeof(lie), "say:%d,detail:%s",
                   OUTCOME_CHANGE_DEFERRED, names[_i]);
    start_lie(&stack, lie, "defer_pwchange");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_ALERT, "not one asked for"));
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* The control; and no tickets come of it. */
START_TEST(test_lies_deferred_change_gives_no_tickets)
{
    char lie[128];
    struct stack stack;

    NEEDS_ROOT();
    (void)snprintf(lie, sizeof(lie), "say:%d,detail:alice@PAM.TEST",
                   OUTCOME_CHANGE_DEFERRED);
    start_lie(&stack, lie, "defer_pwchange");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    EXPECT(pam_acct_mgmt(stack.handle, 0), PAM_NEW_AUTHTOK_REQD);
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/*
 * What would be refused without a host key is not put off until the change
 * either; nor is the word of a KDC of the user's choice believed until then.
 */
static const struct {
    const char *user;
    const char *principal;
    const char *arguments;
    const char *text; /* what stands in the log */
} not_deferred[] = {
    {"alice@EVIL.TEST", "alice@EVIL.TEST", "keytab=/nowhere",
     "realm of the user's choice"},
    {"alice@EVIL.TEST", "alice@EVIL.TEST", "", "realm of the user's choice"},
    {"alice", "alice@PAM.TEST", "keytab=/nowhere allow_kdc_spoof=false",
     "allow_kdc_spoof is false"},
    {"alice", "alice@PAM.TEST", "fail_pwchange", "authentication failed"},
};

START_TEST(test_lies_deferred_change_is_of_a_kdc_that_can_be_verified)
{
    char lie[128];
    char arguments[1024];
    char more[256];
    struct stack stack;

    NEEDS_ROOT();
    (void)snprintf(lie, sizeof(lie), "say:%d,detail:%s",
                   OUTCOME_CHANGE_DEFERRED, not_deferred[_i].principal);
    (void)snprintf(more, sizeof(more), "defer_pwchange %s",
                   not_deferred[_i].arguments);
    install_lie(lie, more, arguments);
    common_start(&stack, not_deferred[_i].user, arguments, alice_answers);
    ck_assert_int_ne(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    ck_assert_msg(stack_logged(not_deferred[_i].text), "no \"%s\"; log:\n%s",
                  not_deferred[_i].text, stack_log());
    ck_assert_int_ne(pam_acct_mgmt(stack.handle, 0), PAM_NEW_AUTHTOK_REQD);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* In a change nothing is verified, but who it is about is. */
START_TEST(test_lies_change_is_of_who_was_asked_for)
{
    static const char *const lies[] = {"detail:bob@PAM.TEST", "truth",
                                       "detail:a@b@c",
                                       "detail:alice@OTHER.TEST"};
    struct stack stack;

    NEEDS_ROOT();
    start_lie(&stack, lies[_i], "");
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_AUTHTOK_ERR);
    ck_assert(common_logged(LOG_ALERT, "not one asked for"));
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_AUTHTOK_ERR);
}
END_TEST

/* The control: it is the exchange that a KDC has told so. */
START_TEST(test_lies_change_goes_by_the_exchange)
{
    struct stack stack;

    NEEDS_ROOT();
    start_lie(&stack, "detail:alice@PAM.TEST", "");
    EXPECT(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

/* Whatever else it claims is no success of the change. */
START_TEST(test_lies_change_claimed_outcome_is_never_a_success)
{
    char lie[64];
    struct stack stack;

    NEEDS_ROOT();
    (void)snprintf(lie, sizeof(lie), "say:%d,detail:alice@PAM.TEST", _i);
    start_lie(&stack, lie, "defer_pwchange");
    ck_assert_int_ne(pam_chauthtok(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_AUTHTOK_ERR);
}
END_TEST

/* A keytab with three services; only host/ ones are believed. */
static void
fill_keytab(const char *more_services)
{
    char command[1024];

    common_kadmin("addprinc -randkey -clearpolicy host/other.pam.test");
    (void)snprintf(command, sizeof(command), "ktadd -norandkey -k %s/keytab %s",
                   folder, more_services);
    common_kadmin(command);
}

/* What the judge uses here is what the liar has the keys of. */
static void
start_keytab_lie(struct stack *stack, const char *lie)
{
    char more[512];

    (void)snprintf(more, sizeof(more), "keytab=FILE:%s/keytab", folder);
    start_lie(stack, lie, more);
}

START_TEST(test_lies_ap_req_for_another_service_is_refused)
{
    struct stack stack;

    NEEDS_ROOT();
    fill_keytab("app/service.test");
    start_keytab_lie(&stack, "for:app/service.test");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_ALERT, "could not be verified"));
    ck_assert(!stack_logged("lying exchange:"));
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Nor may the key of one candidate stand for another that was asked for. */
START_TEST(test_lies_ap_req_for_another_candidate_is_refused)
{
    struct stack stack;
    char command[512];

    NEEDS_ROOT();
    fill_keytab("host/other.pam.test");
    /* The judge has host/other alone, the liar testhost's key too. */
    (void)snprintf(command, sizeof(command),
                   "$REALM_ADMIN -q 'ktadd -norandkey -k %s/judge "
                   "host/other.pam.test app/service.test' >/dev/null",
                   folder);
    ck_assert_int_eq(system(command), 0);
    (void)snprintf(command, sizeof(command), "keytab=FILE:%s/judge", folder);
    start_lie(&stack, "for:host/testhost.pam.test", command);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert(common_logged(LOG_ALERT, "could not be verified"));
    stack_end(&stack, PAM_AUTH_ERR);
    start_lie(&stack, "for:host/other.pam.test", command);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_lies_second_candidate_suffices)
{
    struct stack stack;

    NEEDS_ROOT();
    fill_keytab("host/other.pam.test");
    start_keytab_lie(&stack, "for:host/other.pam.test");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_SUCCESS);
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_lies_prompts_without_end_end)
{
    static const char *const many[] = {"a", "a", "a", "a", "a", "a", "a",
                                       "a", "a", "a", "a", "a", "a", "a",
                                       "a", "a", "a", "a", "a", NULL};
    struct stack stack;
    char arguments[1024];

    NEEDS_ROOT();
    install_lie("prompts", "", arguments);
    common_start(&stack, "alice", arguments, many);
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert_uint_eq(stack_prompts(&stack), 16);
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

START_TEST(test_lies_words_without_end_end)
{
    struct stack stack;
    int64_t start = 0;

    NEEDS_ROOT();
    start_lie(&stack, "infos", "");
    start = now_ms();
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    ck_assert_int_le(now_ms() - start, TIMEOUT_S * 1000 + LATE_MS);
    ck_assert_uint_le(common_words(&stack), 16);
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

/* Who can make the exchange talk must not be able to fill the log. */
START_TEST(test_lies_notes_without_end_do_not_fill_the_log)
{
    struct stack stack;
    size_t lines = 0;

    NEEDS_ROOT();
    start_lie(&stack, "notes", "");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTHINFO_UNAVAIL);
    for (const char *at = stack_log(); *at != '\0'; at++) {
        lines += *at == '\n';
    }
    ck_assert_uint_le(lines, 300);
    assert_nothing_written(&stack);
    stack_end(&stack, PAM_AUTHINFO_UNAVAIL);
}
END_TEST

/* A line that the exchange has written cannot pass for one of the module's. */
START_TEST(test_lies_note_is_marked_as_hearsay)
{
    struct stack stack;

    NEEDS_ROOT();
    start_lie(&stack, "fake-line,say:4", "");
    EXPECT(pam_authenticate(stack.handle, 0), PAM_AUTH_ERR);
    ck_assert(stack_logged("authenticated as root"));
    ck_assert(!stack_logged("> user root authenticated as root"));
    stack_end(&stack, PAM_AUTH_ERR);
}
END_TEST

/* Lies about a renewal. */

static const char cache[] = "FILE:/tmp/krb5cc_renewed";

static const struct row renewals[] = {
    {"bob", PAM_CRED_UNAVAIL, LOG_ALERT, "another", ""},
    {"mixed", PAM_CRED_UNAVAIL, LOG_ALERT, "another", ""},
    {"anonymous", PAM_CRED_UNAVAIL, LOG_ALERT, "another", ""},
    {"no-tgt", PAM_CRED_UNAVAIL, LOG_ALERT, "another", ""},
    {"empty", PAM_CRED_UNAVAIL, LOG_ALERT, "another", ""},
    {"double", PAM_CRED_UNAVAIL, LOG_ALERT, "another", ""},
    {"planted", PAM_CRED_UNAVAIL, LOG_ALERT, "another", ""},
    {"unvalidated", PAM_CRED_UNAVAIL, LOG_ALERT, "could not be verified", ""},
    {"nothing", PAM_CRED_UNAVAIL, LOG_ERR, "unknown layout", ""},
    {"garbage", PAM_CRED_UNAVAIL, LOG_ERR, "unknown layout", ""},
    {"cut:60", PAM_CRED_UNAVAIL, LOG_ERR, "cut short", ""},
    {"many:2000", PAM_CRED_UNAVAIL, LOG_ERR, "too many", ""},
    {"offset:9223372036854775807", PAM_CRED_UNAVAIL, LOG_ALERT, "clock", ""},
    {"exit", PAM_CRED_UNAVAIL, LOG_ERR, "died", ""},
    {"half", PAM_CRED_UNAVAIL, LOG_ERR, "within the limit", ""},
};

#define RENEWAL_COUNT (int)(sizeof(renewals) / sizeof(renewals[0]))

static void
make_cache(void)
{
    static const int64_t lifetimes[2] = {3600, 86400};

    common_kinit(cache, "alice", "alice", lifetimes, WITH_SERVICE);
}

static int
refresh(struct stack *stack, const char *lie)
{
    start_lie(stack, lie, "");
    common_set_cache(stack, cache);
    return pam_setcred(stack->handle, PAM_REFRESH_CRED);
}

START_TEST(test_lies_renewal_truth_is_accepted)
{
    struct stack stack;
    struct cache_view view;
    struct snapshot before;

    NEEDS_ROOT();
    make_cache();
    before = common_snapshot(cache);
    EXPECT(refresh(&stack, "truth"), PAM_SUCCESS);
    ck_assert_uint_ne(common_snapshot(cache).inode, before.inode);
    view = common_look(cache, "alice");
    ck_assert_int_eq(view.tgts, 1);
    ck_assert_int_eq(view.services, 1);
    (void)unlink(cache_path(cache));
    stack_end(&stack, PAM_SUCCESS);
}
END_TEST

START_TEST(test_lies_renewal_lie_leaves_the_cache_as_it_was)
{
    const struct row *row = &renewals[_i];
    struct stack stack;
    struct snapshot before;
    int64_t start = 0;
    int code = PAM_SUCCESS;

    NEEDS_ROOT();
    make_cache();
    before = common_snapshot(cache);
    start = now_ms();
    code = refresh(&stack, row->lie);
    ck_assert_int_le(now_ms() - start, TIMEOUT_S * 1000 + LATE_MS);
    ck_assert_msg(code == row->code, "%s gave %s; log:\n%s", row->lie,
                  pam_strerror(NULL, code), stack_log());
    ck_assert_msg(common_logged(row->priority, row->text),
                  "%s: no \"%s\" at <%d>; log:\n%s", row->lie, row->text,
                  row->priority, stack_log());
    common_assert_same(&before, cache);
    ck_assert_uint_eq(common_count("/tmp", "krb5cc"), 1);
    (void)unlink(cache_path(cache));
    stack_end(&stack, code);
}
END_TEST

/* Nobody has been asked to log in: a question now is to catch a password. */
START_TEST(test_lies_renewal_never_prompts)
{
    struct stack stack;
    struct snapshot before;

    NEEDS_ROOT();
    make_cache();
    before = common_snapshot(cache);
    EXPECT(refresh(&stack, "prompts"), PAM_CRED_UNAVAIL);
    ck_assert_uint_eq(stack_prompts(&stack), 0);
    common_assert_same(&before, cache);
    (void)unlink(cache_path(cache));
    stack_end(&stack, PAM_CRED_UNAVAIL);
}
END_TEST

/* No claim makes the host believe that there are new tickets. */
START_TEST(test_lies_renewal_claimed_outcome_is_never_a_success)
{
    char lie[32];
    struct stack stack;
    struct snapshot before;
    int code = PAM_SUCCESS;

    NEEDS_ROOT();
    make_cache();
    before = common_snapshot(cache);
    (void)snprintf(lie, sizeof(lie), "say:%d", _i);
    code = refresh(&stack, lie);
    ck_assert_msg(code != PAM_SUCCESS && code != PAM_IGNORE, "%s gave %s", lie,
                  pam_strerror(NULL, code));
    common_assert_same(&before, cache);
    (void)unlink(cache_path(cache));
    stack_end(&stack, code);
}
END_TEST

static TCase *
new_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    return tcase;
}

int
main(void)
{
    Suite *suite = suite_create("lies");
    TCase *tcase = new_case(suite, "acquire");

    tcase_add_test(tcase, test_lies_truth_is_accepted);
    tcase_add_loop_test(tcase, test_lies_lie_is_refused_and_logged, 0,
                        ROW_COUNT);
    tcase_add_test(tcase, test_lies_realm_of_the_users_choice_is_not_believed);
    tcase_add_test(tcase, test_lies_age_within_clockskew_is_accepted);
    tcase_add_loop_test(tcase, test_lies_clock_20_minutes_off_is_accepted, 0,
                        2);
    tcase_add_loop_test(tcase, test_lies_claimed_outcome_is_never_a_success, 1,
                        OUTCOME_COUNT + 1);
    tcase_add_test(tcase, test_lies_claimed_outcome_raises_no_alert);
    tcase_add_loop_test(
        tcase, test_lies_deferred_change_is_of_who_was_asked_for, 0, 4);
    tcase_add_test(tcase, test_lies_deferred_change_gives_no_tickets);
    tcase_add_loop_test(
        tcase, test_lies_deferred_change_is_of_a_kdc_that_can_be_verified, 0,
        (int)(sizeof(not_deferred) / sizeof(not_deferred[0])));
    tcase_add_loop_test(tcase, test_lies_change_is_of_who_was_asked_for, 0, 4);
    tcase_add_test(tcase, test_lies_change_goes_by_the_exchange);
    tcase_add_loop_test(tcase,
                        test_lies_change_claimed_outcome_is_never_a_success, 1,
                        OUTCOME_COUNT + 1);
    tcase_add_test(tcase, test_lies_ap_req_for_another_service_is_refused);
    tcase_add_test(tcase, test_lies_ap_req_for_another_candidate_is_refused);
    tcase_add_test(tcase, test_lies_second_candidate_suffices);
    tcase_add_test(tcase, test_lies_prompts_without_end_end);
    tcase_add_test(tcase, test_lies_words_without_end_end);
    tcase_add_test(tcase, test_lies_notes_without_end_do_not_fill_the_log);
    tcase_add_test(tcase, test_lies_note_is_marked_as_hearsay);

    tcase = new_case(suite, "renew");
    tcase_add_test(tcase, test_lies_renewal_truth_is_accepted);
    tcase_add_loop_test(tcase, test_lies_renewal_lie_leaves_the_cache_as_it_was,
                        0, RENEWAL_COUNT);
    tcase_add_test(tcase, test_lies_renewal_never_prompts);
    tcase_add_loop_test(tcase,
                        test_lies_renewal_claimed_outcome_is_never_a_success, 1,
                        OUTCOME_COUNT + 1);
    return suite_main(suite);
}
