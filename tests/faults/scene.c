/* The stage, and the lives of the children on it. */
#include "faults/scene.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faults/story.h"
#include "support/records.h"
#include "support/kcm.h"
#include "support/realm.h"

#define USER "alice"
#define SERVICE "app/service.test"
#define STAGE "/mnt/stage/faulty"

/* The tickets of `own` and of `holder`. */
#define ARGUMENTS "ticket_lifetime=1h renew_lifetime=1d timeout=5"

/* Too few to say anything. */
#define FEW 20

/* A call may last its timeout, what cleaning up takes, and a loaded machine. */
#define LIMIT_MS 8000

static const char *
from_environment(const char *name, const char *fallback)
{
    const char *value = getenv(name);

    return value == NULL ? fallback : value;
}

void
scene_install(void)
{
    char command[2048];

    (void)snprintf(
        command, sizeof(command),
        "install -d -m 755 " STAGE " && "
        "install -m 644 '%s' " STAGE "/pam_krb5cc.so && "
        "install -m 711 '%s' " STAGE "/krb5cc-helper",
        from_environment("PAM_KRB5CC_FAULTY_MODULE", BUILT_FAULTY_MODULE),
        from_environment("PAM_KRB5CC_FAULTY_HELPER", BUILT_FAULTY_HELPER));
    if (geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL &&
        (system(command) != 0 ||
         setenv("PAM_KRB5CC_MODULE", STAGE "/pam_krb5cc.so", 1) < 0 ||
         setenv("PAM_KRB5CC_HELPER", STAGE "/krb5cc-helper", 1) < 0)) {
        exit(99);
    }
}

void
scene_add_tests(Suite *suite, const TTest *function, int per_kind, int limit_s)
{
    TCase *others = common_case(suite, "kinds");
    TCase *kcm = common_case(suite, "KCM");
    int first = 0;

    while (first < (int)kinds_count && kinds[first].family != KIND_KCM) {
        first++;
    }
    tcase_set_timeout(others, limit_s);
    tcase_set_timeout(kcm, limit_s);
    tcase_add_unchecked_fixture(kcm, kcm_begin, kcm_end);
    tcase_add_loop_test(others, function, 0, first * per_kind);
    tcase_add_loop_test(kcm, function, first * per_kind,
                        (int)kinds_count * per_kind);
}

const char *
scene_only(const struct kind *kind)
{
    const char *only = getenv("FAULT_ONLY");
    size_t length = strlen(kind->name);

    return only != NULL && strncmp(only, kind->name, length) == 0 &&
                   (only[length] == ',' || only[length] == '\0')
               ? only + length
               : NULL;
}

/* Tries. */

void
complain(struct scene *scene, const char *format, ...)
{
    struct verdict *verdict = scene->verdict;
    va_list arguments;
    size_t length = 0;

    va_start(arguments, format);
    (void)vsnprintf(verdict->text, sizeof(verdict->text), format, arguments);
    va_end(arguments);
    length = strlen(verdict->text);
    (void)snprintf(verdict->text + length, sizeof(verdict->text) - length,
                   "; log:\n%s", stack_log());
    verdict->is_good = false;
    _exit(1);
}

/* Whether STORY may end with CODE. */
static bool
may_end_with(const struct story *story, int code)
{
    for (size_t i = 0; story->codes[i] != PAM_SUCCESS; i++) {
        if (story->codes[i] == code) {
            return true;
        }
    }
    return code == PAM_SUCCESS;
}

static int64_t
now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * The host waits a moment for a helper to be gone and no more, or could not
 * wait: what is left of it must end by itself, and not of a fault.
 */
static void
check_children(struct scene *scene)
{
    int status = 0;
    pid_t pid = 0;

    while ((pid = waitpid(-1, &status, 0)) > 0) {
        scene->verdict->late++;
        MUST(WIFEXITED(status) || WTERMSIG(status) == SIGKILL ||
                 scene->page->crashes > 0,
             "the helper ended with status %#x", (unsigned int)status);
    }
}

/* All handles of the child, as one that only gives its copies back. */
static void
end_handles(struct scene *scene)
{
    struct stack *all[] = {&scene->fresh, &scene->own[0], &scene->own[1],
                           &scene->other, &scene->holder};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i]->handle != NULL) {
            (void)pam_end(all[i]->handle, PAM_SUCCESS | PAM_DATA_SILENT);
        }
    }
}

/*
 * Whether the helper died in the very call into libkrb5 in which an allocation
 * failed: libkrb5 does not look at all of them (1.20: profile_get_values,
 * k5_hashtab_get, the ASN.1 encoder).  To the host it is one more death.
 */
static bool
is_of_libkrb5(const struct faults_page *page)
{
    return page->plan.family == FAULTS_LIBKRB5 && page->hit_site != 0 &&
           page->hit_site == page->crash_site;
}

/* What must be true of host and helper, whatever the story. */
static void
check_house(struct scene *scene, const struct story *story, int code,
            size_t descriptors)
{
    const struct faults_page *page = scene->page;

    MUST(may_end_with(story, code), "not a code of this call");
    MUST(common_count("/proc/self/fd", "") == descriptors,
         "a descriptor is left");
    check_children(scene);
    MUST(page->crashes == 0 || is_of_libkrb5(page),
         "the helper crashed by signal %d:%s", (int)page->signal,
         page->crash_calls);
    MUST(page->leaked == 0, "the helper leaks %d blocks", (int)page->leaked);
    MUST(page->hits > 0 || page->plan.nth == 0 || code == PAM_SUCCESS,
         "failed without a fault");
}

/* The child's whole life. */
static void
live(struct scene *scene, const struct story *story,
     const struct faults_plan *plan)
{
    size_t descriptors = common_count("/proc/self/fd", "");
    int64_t start = 0;

    stack_log_clear();
    if (story->before != NULL) {
        story->before(scene);
    }
    if (scene->hindrance != NULL) {
        scene->hindrance->begin(scene);
    }
    faults_arm(scene->page, plan);
    start = now_ms();
    scene->verdict->code = story->call(scene);
    scene->verdict->lasted_ms = now_ms() - start;
    faults_disarm(scene->page);
    if (scene->hindrance != NULL) {
        scene->hindrance->end(scene);
    }
    check_house(scene, story, scene->verdict->code, descriptors);
    MUST(scene->verdict->lasted_ms < LIMIT_MS, "lasted %d ms",
         (int)scene->verdict->lasted_ms);
    story->after(scene, scene->verdict->code);
    end_handles(scene);
    MUST(scene->page->live[FAULTS_MODULE] == 0, "the module leaks %d blocks",
         (int)scene->page->live[FAULTS_MODULE]);
    scene->verdict->now = scene->now;
    _exit(0);
}

bool
scene_has_story(const struct scene *scene, const struct story *story)
{
    return (story->is_of_all_kinds || scene->kind == &kinds[0]) &&
           (!story->is_of_shared || scene->kind->is_shared);
}

static const char *
name_of(const struct faults_plan *plan)
{
    static const char *const sides[] = {"module", "helper", "exchange"};

    return sides[plan->side];
}

/* The test fails where the child with STATUS has found something. */
static void
judge(struct scene *scene, const struct story *story,
      const struct faults_plan *plan, int status)
{
    const struct verdict *verdict = scene->verdict;

    ck_assert_msg(
        verdict->is_good && WIFEXITED(status) && WEXITSTATUS(status) == 0,
        "%s, %s, %s: %s (number %u) gave %d, the child %#x: %s"
        "FAULT_ONLY='%s,%s,%d,%d,%d,%u'%s",
        scene->kind->name, story->name, name_of(plan), scene->page->call,
        plan->nth, verdict->code, (unsigned int)status, verdict->text,
        scene->kind->name, story->name, (int)plan->side, (int)plan->family,
        (int)plan->deed, plan->nth, scene->page->hit_calls);
    scene->now = verdict->now;
    scene->turn = !scene->turn;
    scene->tries++;
    scene->libkrb5_crashes += scene->page->crashes > 0;
    scene->late += verdict->late;
}

/* Forks; a new verdict is good until the contrary is found. */
static pid_t
begin_try(struct scene *scene)
{
    pid_t pid = -1;

    *scene->verdict = (struct verdict){.is_good = true};
    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    return pid;
}

static int
end_try(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* What a helper is at work for lives: once they have ended it is gone. */
static void
await_helpers(void)
{
    ck_assert_msg(realm_is_gone("krb5cc-helper"), "a helper is left");
}

/*
 * What the try of PID has left in the registry is for reap.  It goes at once:
 * each record is one more call in the next try, and there the same call would
 * fail for ever.
 */
static void
reap_after(pid_t pid)
{
    await_helpers();
    (void)records_of_dead_host(pid);
}

bool
scene_try(struct scene *scene, const struct story *story,
          const struct faults_plan *plan)
{
    pid_t pid = begin_try(scene);

    if (pid == 0) {
        live(scene, story, plan);
    }
    judge(scene, story, plan, end_try(pid));
    reap_after(pid);
    return scene->page->hits > 0;
}

/* A child's whole life: looks at what a dead one has left. */
static void
inherit(struct scene *scene, const struct story *story)
{
    stack_log_clear();
    faults_disarm(scene->page);
    if (story->after_death != NULL) {
        story->after_death(scene);
    } else {
        if (story->before != NULL) {
            story->before(scene);
        }
        story->after(scene, PAM_ABORT);
    }
    end_handles(scene);
    scene->verdict->now = scene->now;
    _exit(0);
}

bool
scene_kill_host(struct scene *scene, const struct story *story,
                const struct faults_plan *plan, uint64_t after_ns)
{
    const struct timespec pause = {.tv_sec = (time_t)(after_ns / 1000000000),
                                   .tv_nsec = (long)(after_ns % 1000000000)};
    char made[sizeof(scene->verdict->made)];
    pid_t pid = begin_try(scene);
    int status = 0;

    if (pid == 0) {
        live(scene, story, plan);
    }
    if (after_ns > 0) {
        (void)nanosleep(&pause, NULL);
        (void)kill(pid, SIGKILL);
    }
    status = end_try(pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        judge(scene, story, plan, status);
        return false;
    }
    ck_assert_msg(realm_is_gone("krb5cc-helper"), "a helper outlives its host");
    memcpy(made, scene->verdict->made, sizeof(made));
    pid = begin_try(scene);
    memcpy(scene->verdict->made, made, sizeof(made));
    if (pid == 0) {
        inherit(scene, story);
    }
    judge(scene, story, plan, end_try(pid));
    return true;
}

/* The stage. */

static void
log_in(struct scene *scene, struct stack *stack)
{
    kinds_start(scene->kind, stack, USER, ARGUMENTS, alice_answers);
    EXPECT(pam_authenticate(stack->handle, 0), PAM_SUCCESS);
}

/* Puts the tickets of both `own` into the cache, to know them again. */
static void
learn_tickets(struct scene *scene)
{
    static const struct faults_plan none = {.nth = 0};
    const struct story *story = story_named("reinitialize");

    for (size_t i = 0; i < 2; i++) {
        int turn = scene->turn;

        (void)scene_try(scene, story, &none);
        scene->tgt[turn] = scene->now.tgt;
    }
    ck_assert_uint_ne(scene->tgt[0], scene->tgt[1]);
}

void
scene_begin(struct scene *scene, const struct kind *kind)
{
    uid_t uid = common_uid(USER);

    memset(scene, 0, sizeof(*scene));
    scene->kind = kind;
    scene->page = faults_create();
    scene->verdict = mmap(NULL, sizeof(*scene->verdict), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(scene->verdict, MAP_FAILED);
    kinds_begin(kind, USER);
    kinds_establish(kind, &scene->holder, USER, ARGUMENTS);
    scene->has_holder = true;
    (void)snprintf(scene->cache, sizeof(scene->cache), "%s",
                   common_cache(&scene->holder));
    ck_assert(cache_fetch(scene->cache, SERVICE, uid, uid));
    scene->now = whole_look(scene->cache, uid, uid);
    ck_assert(scene->now.readable);
    ck_assert_int_eq(scene->now.services, 1);
    log_in(scene, &scene->own[0]);
    log_in(scene, &scene->own[1]);
    kinds_start(kind, &scene->other, USER, ARGUMENTS, no_answers);
    kinds_start(kind, &scene->fresh, USER, ARGUMENTS, alice_answers);
    learn_tickets(scene);
}

void
scene_let_go(struct scene *scene)
{
    if (scene->has_holder) {
        EXPECT(pam_close_session(scene->holder.handle, 0), PAM_SUCCESS);
        stack_end(&scene->holder, PAM_SUCCESS);
        scene->has_holder = false;
        if (kinds_caches(scene->kind, USER) > 0) {
            /* A dead host's helper was there yet, and so the session. */
            await_helpers();
            ck_assert_uint_gt(records_of_the_gone(), 0);
            kinds_clear(scene->kind, USER);
        }
    }
}

void
scene_end(struct scene *scene)
{
    scene_let_go(scene);
    /* A busy machine may see to some, a host that reaps nobody to all. */
    ck_assert_msg(scene->late * 2 <= scene->tries + FEW,
                  "%u of %u helpers were left to end alone", scene->late,
                  scene->tries);
    stack_end(&scene->fresh, PAM_SUCCESS);
    stack_end(&scene->other, PAM_SUCCESS);
    stack_end(&scene->own[0], PAM_SUCCESS);
    stack_end(&scene->own[1], PAM_SUCCESS);
    kinds_clear(scene->kind, USER);
    /* What deaths have left in the registry is for reap. */
    await_helpers();
    (void)records_of_the_gone();
    (void)munmap(scene->verdict, sizeof(*scene->verdict));
    (void)munmap(scene->page, sizeof(*scene->page));
}
