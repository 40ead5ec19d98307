/*
 * Programs of the user read his cache while hosts put new tickets in it, and
 * never see a gap: for each kind of cache a process of his that does nothing
 * but resolve, get the principal, get the TGT, against lockers and renewals
 * that replace it, one after the other and four at once.  A writer that
 * initializes the cache and then stores is caught (the controls).
 *
 * After each replacement its writer waits until the reader has been through
 * once more, so each of them is read over; the reader's pauses are dice
 * (TEST_SEED).
 * TEST_LONG=1: 200 refreshes and 200 reinitializations where it is else 20, and
 * 4 where a sanitizer looks on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <krb5.h>

#include "stack/common.h"
#include "stack/kinds.h"
#include "support/kcm.h"
#include "support/shared.h"

#define USER "alice"
#define PRINCIPAL "alice@PAM.TEST"

/* How long the reader may rest between two reads. */
#define PAUSE_MAX_US 200
/* How often a writer that waits for the reader looks whether he is well. */
#define LOOK_US 100000

/* What all processes of one test know; shared memory. */
struct scene {
    atomic_uint is_over; /* the reader may go */
    atomic_uint reads;   /* that are done */
    atomic_uint changes; /* reads that found another TGT than the one before */
    atomic_uint replaced;
    atomic_uint has_failed; /* then all end; the reader's failure is below */
    unsigned int failed_read;
    const char *failed_step;
    krb5_error_code failed_code;
    char failed_text[256];
    char cache[512];
    uint64_t seed;
    unsigned int writers; /* at once */
};

static struct scene *scene;
static const struct kind *kind;
/* The session whose cache it is, and a writer's handle. */
static struct stack session;
static struct stack host;

static unsigned int
rounds(void)
{
    if (IS_SANITIZED) {
        return 4;
    }
    return getenv("TEST_LONG") != NULL ? 200 : 20;
}

/* The reader. */

/* What one read has found: the TGT by its session key, which no two share. */
struct finding {
    const char *step;
    uint64_t key;
};

static krb5_error_code
check_tgt(const krb5_creds *tgt, struct finding *finding)
{
    finding->step = "look at the TGT";
    finding->key = 0;
    for (unsigned int i = 0; i < tgt->keyblock.length; i++) {
        finding->key = finding->key * 257 + tgt->keyblock.contents[i];
    }
    return tgt->ticket.length > 0 && tgt->keyblock.length > 0 &&
                   (int64_t)(uint32_t)tgt->times.endtime > (int64_t)time(NULL)
               ? 0
               : KRB5_CC_FORMAT;
}

static krb5_error_code
find_tgt(krb5_context context, krb5_ccache cache, krb5_principal client,
         struct finding *finding)
{
    krb5_creds wanted = {.client = client};
    krb5_creds tgt = {0};
    krb5_error_code code = krb5_build_principal(
        context, &wanted.server, client->realm.length, client->realm.data,
        KRB5_TGS_NAME, client->realm.data, (char *)NULL);

    finding->step = "get the TGT";
    if (code == 0) {
        code = krb5_cc_retrieve_cred(context, cache, 0, &wanted, &tgt);
    }
    if (code == 0) {
        code = check_tgt(&tgt, finding);
    }
    krb5_free_cred_contents(context, &tgt);
    krb5_free_principal(context, wanted.server);
    return code;
}

static krb5_error_code
check_client(krb5_context context, krb5_principal client)
{
    char *name = NULL;
    krb5_error_code code = krb5_unparse_name(context, client, &name);

    if (code == 0 && strcmp(name, PRINCIPAL) != 0) {
        code = KRB5_CC_FORMAT;
    }
    krb5_free_unparsed_name(context, name);
    return code;
}

static krb5_error_code
read_cache(krb5_context context, struct finding *finding)
{
    krb5_ccache cache = NULL;
    krb5_principal client = NULL;
    krb5_error_code code = 0;

    finding->step = "resolve";
    code = krb5_cc_resolve(context, scene->cache, &cache);
    if (code == 0) {
        finding->step = "get the principal";
        code = krb5_cc_get_principal(context, cache, &client);
    }
    if (code == 0) {
        code = check_client(context, client);
    }
    if (code == 0) {
        code = find_tgt(context, cache, client, finding);
    }
    krb5_free_principal(context, client);
    if (cache != NULL) {
        (void)krb5_cc_close(context, cache);
    }
    return code;
}

static void
keep_failure(krb5_context context, krb5_error_code code, const char *step)
{
    const char *text = krb5_get_error_message(context, code);

    scene->failed_read = atomic_load(&scene->reads) + 1;
    scene->failed_step = step;
    scene->failed_code = code;
    (void)snprintf(scene->failed_text, sizeof(scene->failed_text), "%s", text);
    krb5_free_error_message(context, text);
    shared_set(&scene->has_failed, 1);
}

/* A process of the user's: reads until it is told to stop, or it fails. */
static int
read_on(void *data)
{
    krb5_context context = NULL;
    uint64_t dice = scene->seed;
    uint64_t last = 0;
    krb5_error_code code = krb5_init_context(&context);

    (void)data;
    if (code != 0) {
        return 1;
    }
    while (code == 0 && atomic_load(&scene->is_over) == 0) {
        struct finding finding = {0};

        code = read_cache(context, &finding);
        if (code != 0) {
            keep_failure(context, code, finding.step);
            break;
        }
        if (last != 0 && finding.key != last) {
            atomic_fetch_add(&scene->changes, 1);
        }
        last = finding.key;
        shared_count(&scene->reads);
        (void)shared_wait(&scene->is_over, 0,
                          shared_dice(&dice, PAUSE_MAX_US + 1));
    }
    krb5_free_context(context);
    return 0;
}

/* Returns when COUNT more reads are done; not for a reader who has failed. */
static void
wait_for_reads(unsigned int count)
{
    unsigned int now = atomic_load(&scene->reads);
    unsigned int wanted = now + count;

    while (now < wanted && atomic_load(&scene->has_failed) == 0) {
        now = shared_wait(&scene->reads, now, LOOK_US);
    }
}

/*
 * One read may have begun before this moment; the one behind it has not.  One
 * more for each writer at once: there are more reads than replacements.
 */
static void
wait_for_a_new_read(void)
{
    wait_for_reads(1 + scene->writers);
}

/* The writers. */

/* One host, what it does, and for which part of the rounds (1 of DIVISOR). */
struct writer {
    const char *name;
    int flag;
    unsigned int divisor;
    bool is_root; /* its target is in the PAM environment, not in its own */
    bool logs_in; /* with tickets of its own; else it renews */
    bool has_new_handles;
};

/* A screen locker with one handle for all attempts, and one with one each. */
#define LOCKER(the_flag, of)                                                   \
    {                                                                          \
        .name = "locker", .flag = (the_flag), .divisor = (of), .logs_in = true \
    }
#define LOCKER_WITH_NEW_HANDLES(the_flag, of)                                  \
    {                                                                          \
        .name = "locker with new handles", .flag = (the_flag),                 \
        .divisor = (of), .logs_in = true, .has_new_handles = true              \
    }
#define RENEWAL_BY_ROOT(of)                                                    \
    {                                                                          \
        .name = "renewal by root", .flag = PAM_REFRESH_CRED, .divisor = (of),  \
        .is_root = true                                                        \
    }
#define RENEWAL_BY_USER(of)                                                    \
    {                                                                          \
        .name = "renewal by the user", .flag = PAM_REFRESH_CRED,               \
        .divisor = (of), .has_new_handles = true                               \
    }

static void
start_host(const struct writer *writer)
{
    kinds_start(kind, &host, USER, "", no_answers);
    if (writer->is_root) {
        common_set_cache(&host, scene->cache);
    }
}

static int
replace_once(const struct writer *writer)
{
    int code = PAM_SUCCESS;

    stack_log_clear();
    if (writer->logs_in) {
        stack_script(&host, alice_answers);
        code = pam_authenticate(host.handle, 0);
    }
    if (code == PAM_SUCCESS && writer->has_new_handles && writer->logs_in) {
        code = pam_acct_mgmt(host.handle, 0);
    }
    return code == PAM_SUCCESS ? pam_setcred(host.handle, writer->flag) : code;
}

/* A writer's process. */
static int
write_on(void *data)
{
    const struct writer *writer = data;
    unsigned int wanted = rounds() / writer->divisor;
    int code = PAM_SUCCESS;

    if (!writer->is_root) {
        (void)setenv("KRB5CCNAME", scene->cache, 1);
    }
    start_host(writer);
    for (unsigned int i = 0; i < wanted && atomic_load(&scene->has_failed) == 0;
         i++) {
        if (i > 0 && writer->has_new_handles) {
            stack_end(&host, PAM_SUCCESS);
            start_host(writer);
        }
        code = replace_once(writer);
        if (code != PAM_SUCCESS) {
            fprintf(stderr, "# %s, %s, round %u: %s\n%s", kind->name,
                    writer->name, i + 1, pam_strerror(NULL, code), stack_log());
            shared_set(&scene->has_failed, 1);
            break;
        }
        shared_count(&scene->replaced);
        wait_for_a_new_read();
    }
    stack_end(&host, PAM_SUCCESS);
    return code == PAM_SUCCESS ? 0 : 1;
}

/* The scene: a session with a cache, and its reader. */

static pid_t reader;

static void
begin(void)
{
    kinds_begin(kind, USER);
    kinds_establish(kind, &session, USER, "");
    scene = shared_memory(sizeof(*scene));
    scene->writers = 1;
    scene->seed = shared_seed(kind->name);
    (void)snprintf(scene->cache, sizeof(scene->cache), "%s",
                   common_cache(&session));
    reader = shared_start(common_uid(USER), read_on, NULL);
    wait_for_reads(1);
}

static void
stop_reader(void)
{
    shared_set(&scene->is_over, 1);
    ck_assert_int_eq(shared_end(reader), 0);
}

static void
assert_never_failed(void)
{
    ck_assert_msg(scene->failed_step == NULL,
                  "%s: read %u failed to %s: %d, %s (TEST_SEED=%" PRIu64 ")",
                  kind->name, scene->failed_read, scene->failed_step,
                  scene->failed_code, scene->failed_text, scene->seed);
}

static void
end(void)
{
    stack_end(&session, PAM_SUCCESS);
    kinds_clear(kind, USER);
}

/* The cache is one, whole, the user's, and its tickets can be used. */
static void
assert_cache_is_sound(void)
{
    uid_t uid = common_uid(USER);
    struct cache_view view = common_look(scene->cache, USER);

    ck_assert(view.readable);
    ck_assert_str_eq(view.principal, PRINCIPAL);
    ck_assert_int_eq(view.tgts, 1);
    kinds_assert_owned(kind, scene->cache, USER);
    ck_assert_uint_eq(kinds_caches(kind, USER), 1);
    ck_assert(cache_fetch(scene->cache, "app/service.test", uid, uid));
}

/* Looks at what has come of it: at least CHANGES_MIN new TGTs were read. */
static void
assert_read_over(unsigned int changes_min)
{
    unsigned int reads = atomic_load(&scene->reads);
    unsigned int replaced = atomic_load(&scene->replaced);
    unsigned int changes = atomic_load(&scene->changes);

    fprintf(
        stderr,
        "# %s: %u reads over %u replacements, %u of them seen, no failure\n",
        kind->name, reads, replaced, changes);
    ck_assert_uint_eq(replaced, 2 * rounds());
    ck_assert_uint_gt(reads, replaced);
    ck_assert_uint_ge(changes, changes_min);
    ck_assert_uint_le(changes, replaced);
}

/* One after the other: the reader has seen each of the new tickets. */
static void
run_in_turn(struct writer *writers, size_t count)
{
    begin();
    for (size_t i = 0; i < count; i++) {
        uid_t uid = writers[i].is_root ? 0 : common_uid(USER);

        ck_assert_msg(shared_end(shared_start(uid, write_on, &writers[i])) == 0,
                      "%s: %s failed", kind->name, writers[i].name);
        assert_never_failed();
    }
    stop_reader();
    assert_never_failed();
    assert_read_over(2 * rounds());
    assert_cache_is_sound();
    end();
}

#define WRITERS_MAX 4

/* All at once: of as many replacements as there are writers he has seen one. */
static void
run_at_once(struct writer *writers, size_t count)
{
    pid_t pids[WRITERS_MAX];
    int failed = 0;

    begin();
    scene->writers = (unsigned int)count;
    for (size_t i = 0; i < count; i++) {
        uid_t uid = writers[i].is_root ? 0 : common_uid(USER);

        pids[i] = shared_start(uid, write_on, &writers[i]);
    }
    for (size_t i = 0; i < count; i++) {
        failed += shared_end(pids[i]) != 0;
    }
    stop_reader();
    assert_never_failed();
    ck_assert_msg(failed == 0, "%s: a writer failed", kind->name);
    assert_read_over(2 * rounds() / (unsigned int)count);
    assert_cache_is_sound();
    end();
}

/* The kind of this loop of a test; skips the test where there is none. */
#define WITH_KIND()                                                            \
    do {                                                                       \
        const char *why = NULL;                                                \
        NEEDS_ROOT();                                                          \
        kind = &kinds[_i];                                                     \
        SKIP_UNLESS(kinds_available(kind, &why), why);                         \
    } while (0)

START_TEST(test_readers_one_writer_leaves_no_gap)
{
    struct writer writers[] = {
        LOCKER(PAM_REFRESH_CRED, 2),
        RENEWAL_BY_USER(4),
        RENEWAL_BY_ROOT(4),
        LOCKER_WITH_NEW_HANDLES(PAM_REINITIALIZE_CRED, 2),
        LOCKER(PAM_REINITIALIZE_CRED, 2),
    };

    WITH_KIND();
    run_in_turn(writers, sizeof(writers) / sizeof(writers[0]));
}
END_TEST

START_TEST(test_readers_four_writers_at_once_leave_no_gap)
{
    struct writer writers[WRITERS_MAX] = {
        LOCKER(PAM_REINITIALIZE_CRED, 2),
        LOCKER_WITH_NEW_HANDLES(PAM_REINITIALIZE_CRED, 2),
        RENEWAL_BY_USER(2),
        RENEWAL_BY_ROOT(2),
    };

    WITH_KIND();
    run_at_once(writers, WRITERS_MAX);
}
END_TEST

/* The controls. */

/* The TGT of the cache, to be stored again. */
static krb5_error_code
take_tgt(krb5_context context, krb5_ccache cache, krb5_creds *tgt_out)
{
    krb5_cc_cursor cursor = NULL;
    krb5_error_code code = krb5_cc_start_seq_get(context, cache, &cursor);

    while (code == 0) {
        code = krb5_cc_next_cred(context, cache, &cursor, tgt_out);
        if (code != 0 || !krb5_is_config_principal(context, tgt_out->server)) {
            break;
        }
        krb5_free_cred_contents(context, tgt_out);
    }
    (void)krb5_cc_end_seq_get(context, cache, &cursor);
    return code;
}

/* What must not be done: all is gone until the TGT is stored again. */
static int
initialize_and_store(void *data)
{
    krb5_context context = NULL;
    krb5_ccache cache = NULL;
    krb5_creds tgt = {0};
    bool done = false;

    (void)data;
    done = krb5_init_context(&context) == 0 &&
           krb5_cc_resolve(context, scene->cache, &cache) == 0 &&
           take_tgt(context, cache, &tgt) == 0 &&
           krb5_cc_initialize(context, cache, tgt.client) == 0;
    wait_for_a_new_read();
    done = done && krb5_cc_store_cred(context, cache, &tgt) == 0;
    return done ? 0 : 1;
}

START_TEST(test_readers_writer_that_initializes_is_caught)
{
    WITH_KIND();
    begin();
    ck_assert_int_eq(
        shared_end(shared_start(common_uid(USER), initialize_and_store, NULL)),
        0);
    stop_reader();
    fprintf(stderr, "# %s: read %u failed to %s: %s\n", kind->name,
            scene->failed_read, scene->failed_step, scene->failed_text);
    ck_assert_uint_eq(atomic_load(&scene->has_failed), 1);
    ck_assert_ptr_nonnull(scene->failed_step);
    end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("stack/readers");
    TCase *tcase = common_case(suite, "readers");
    int count = (int)kinds_count;

    tcase_set_timeout(tcase, 300);
    tcase_add_unchecked_fixture(tcase, kcm_begin, kcm_end);
    tcase_add_loop_test(tcase, test_readers_one_writer_leaves_no_gap, 0, count);
    tcase_add_loop_test(tcase, test_readers_four_writers_at_once_leave_no_gap,
                        0, count);
    tcase_add_loop_test(tcase, test_readers_writer_that_initializes_is_caught,
                        0, count);
    return suite_main(suite);
}
