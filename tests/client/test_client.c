/*
 * client: one request against helpers that do it wrong (fake_helper.c).  Each
 * must end in the outcome that says so, within the deadline, with no
 * descriptor and no process left.
 */
#include "client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/fake.h"
#include "support/suite.h"

enum {
    /* A limit that is not meant to be reached, and one that is. */
    LONG_MS = 15000,
    SHORT_MS = 300,
    /* What may pass behind a deadline: 100 ms for the helper to go (client.h),
     * the rest for a machine that is busy. */
    GRACE_MS = 1500,
};

/* A request, and what became of it. */
struct play {
    char *path; /* of the fake */
    enum job job;
    int64_t limit_ms;
    size_t tickets_length;
    const char *answer;        /* to each prompt */
    int prompts_allowed;       /* then OUTCOME_NO_ANSWER */
    enum outcome greeted_with; /* what the greeting is answered with */
    int64_t typing_ms;         /* how long the user types */
    void (*in_prompt)(struct play *play);

    struct client client;
    struct deadline deadline;
    enum outcome outcome;
    char detail[512];
    char cache[256];
    long long elapsed_ms;
    int greetings;
    int prompts;
    int infos;
    int notes;
    int names;
    enum log_level level;
    char text[256]; /* the last that was said or shown */
};

static enum outcome
greeted(void *data, const struct options *completed)
{
    struct play *play = data;

    (void)completed;
    play->greetings++;
    return play->greeted_with;
}

static void
wait_until(long long end_us)
{
    long long left_us = 0;

    while ((left_us = end_us - fake_now_us()) > 0) {
        (void)poll(NULL, 0, (int)(left_us / 1000) + 1);
    }
}

static enum outcome
prompt(void *data, const struct prompts *prompts, struct bytes *payload)
{
    struct play *play = data;
    struct answers answers = {.count = prompts->count};

    if (play->in_prompt != NULL) {
        play->in_prompt(play);
    }
    play->prompts++;
    if (play->prompts > play->prompts_allowed) {
        return OUTCOME_NO_ANSWER;
    }
    wait_until(fake_now_us() + play->typing_ms * 1000);
    for (uint32_t i = 0; i < prompts->count; i++) {
        answers.list[i] = span_from_text(play->answer);
    }
    answers_pack(payload, &answers);
    return OUTCOME_SUCCESS;
}

static void
inform(void *data, const char *text)
{
    struct play *play = data;

    play->infos++;
    (void)snprintf(play->text, sizeof(play->text), "%s", text);
}

static void
note(void *data, enum log_level level, const char *text)
{
    struct play *play = data;

    play->notes++;
    play->level = level;
    (void)snprintf(play->text, sizeof(play->text), "%s", text);
}

static enum outcome
name(void *data, const char *pattern, struct bytes *payload)
{
    struct play *play = data;
    char text[32];

    (void)snprintf(text, sizeof(text), "%s%d", pattern, ++play->names);
    cache_name_pack(payload, &(struct cache_name){.name = text});
    return OUTCOME_SUCCESS;
}

/* A play with the fake BEHAVIOUR that should not take long. */
static struct play
play_with(const char *behaviour)
{
    return (struct play){
        .path = fake_install(behaviour),
        .job = JOB_ACQUIRE,
        .limit_ms = LONG_MS,
        .answer = "answer",
        .prompts_allowed = 1,
        .client = CLIENT_NONE,
    };
}

/* Fills SETTING for PLAY and runs it; what it made is given back. */
static void
run_prepared(struct play *play, struct request *request,
             struct options *options)
{
    const struct client_handlers handlers = {
        .greeted = greeted,
        .prompt = prompt,
        .inform = inform,
        .note = note,
        .name = name,
        .data = play,
    };
    struct client_answer answer;

    play->deadline = deadline_in(play->limit_ms);
    client_run(&play->client,
               &(struct client_request){.request = request,
                                        .options = options,
                                        .deadline = &play->deadline,
                                        .handlers = &handlers},
               &answer);
    client_end(&play->client);
    play->outcome = answer.result.outcome;
    (void)snprintf(play->detail, sizeof(play->detail), "%s",
                   answer.result.detail);
    (void)snprintf(play->cache, sizeof(play->cache), "%s", answer.result.cache);
    client_answer_free(&answer);
}

static void
run(struct play *play)
{
    struct request request = {.job = play->job, .user = "alice", .cache = ""};
    uint8_t *tickets = calloc(1, play->tickets_length + 1);
    long long begin = fake_now_us();
    struct options options;

    request.tickets = (struct span){tickets, play->tickets_length};
    ck_assert_int_eq(options_init(&options), 0);
    free(options.helper);
    options.helper = strdup(play->path);
    run_prepared(play, &request, &options);
    play->elapsed_ms = (fake_now_us() - begin) / 1000;
    options_free(&options);
    free(tickets);
}

/* Runs PLAY and says whether a process is left of it, which it waits for. */
static bool
leaves_helper(struct play *play)
{
    size_t before = fake_count_descriptors();
    bool leaves = false;

    run(play);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    ck_assert_int_eq(play->client.fd, -1);
    ck_assert_int_eq(play->client.pidfd, -1);
    ck_assert_int_le(play->elapsed_ms, play->limit_ms + GRACE_MS);
    leaves = fake_has_child();
    while (waitpid(-1, NULL, 0) > 0) {
    }
    return leaves;
}

/*
 * Runs PLAY and looks that nothing is left of it.  A helper that is killed has
 * 100 ms to go (client.h), which a busy machine may exceed: not each time.
 */
static void
run_cleanly(struct play *play)
{
    const struct play as_it_was = *play;
    int tries = 3;

    while (leaves_helper(play)) {
        ck_assert_msg(--tries > 0, "a helper is left");
        *play = as_it_was;
    }
}

/* The fake BEHAVIOUR ends in OUTCOME, long before the deadline. */
static void
expect(const char *behaviour, enum outcome outcome)
{
    struct play play = play_with(behaviour);

    run_cleanly(&play);
    ck_assert_msg(play.outcome == outcome, "%s: %s (%s), not %s", behaviour,
                  outcome_name(play.outcome), play.detail,
                  outcome_name(outcome));
    ck_assert_int_lt(play.elapsed_ms, LONG_MS / 2);
    fake_remove(play.path);
}

/* The fake BEHAVIOUR is given up when its time is over. */
static void
expect_deadline(const char *behaviour)
{
    struct play play = play_with(behaviour);

    play.limit_ms = SHORT_MS;
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_DEADLINE);
    /* Less what is rounded away of whole milliseconds. */
    ck_assert_int_ge(play.elapsed_ms, SHORT_MS - 2);
    fake_remove(play.path);
}

/*
 * As it should be.
 */

START_TEST(test_client_obliging_helper_succeeds)
{
    struct play play = play_with("obliging");

    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_SUCCESS);
    ck_assert_int_eq(play.greetings, 1);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_helper_gets_what_is_left_of_the_time)
{
    struct play play = play_with("budget");
    long budget_ms = 0;

    run_cleanly(&play);
    budget_ms = strtol(play.detail, NULL, 10);
    ck_assert_int_gt(budget_ms, LONG_MS / 2);
    ck_assert_int_le(budget_ms, LONG_MS);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_answer_reaches_the_helper)
{
    struct play play = play_with("asks");

    play.answer = "secret of alice";
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_WRONG_PASSWORD);
    ck_assert_str_eq(play.detail, "secret of alice");
    ck_assert_int_eq(play.prompts, 1);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_typing_does_not_count)
{
    struct play play = play_with("asks");

    play.limit_ms = 1000;
    play.typing_ms = 1500;
    run(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_WRONG_PASSWORD);
    ck_assert_int_ge(play.elapsed_ms, 1500);
    ck_assert_int_gt(deadline_left_ms(&play.deadline), 0);
    ck_assert(!play.deadline.paused);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_text_for_the_user_is_stripped)
{
    struct play play = play_with("informs");

    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_SUCCESS);
    ck_assert_int_eq(play.infos, 1);
    ck_assert_str_eq(play.text, "one[2Jtwo\nthree");
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_store_draws_another_name_when_one_is_taken)
{
    struct play play = play_with("taken-once");

    play.job = JOB_STORE;
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_SUCCESS);
    ck_assert_int_eq(play.names, 2);
    ck_assert_str_eq(play.cache, "FILE:/tmp/name-2");
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_prompt_that_is_not_answered_ends_the_request)
{
    struct play play = play_with("asks");

    play.prompts_allowed = 0;
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_NO_ANSWER);
    ck_assert_int_lt(play.elapsed_ms, LONG_MS / 2);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_greeting_that_is_refused_ends_the_request)
{
    struct play play = play_with("holds-on");

    play.greeted_with = OUTCOME_NOT_OURS;
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_NOT_OURS);
    ck_assert_int_lt(play.elapsed_ms, LONG_MS / 2);
    fake_remove(play.path);
}
END_TEST

/*
 * Helpers that die.
 */

START_TEST(test_client_helper_that_dies_is_reported)
{
    static const char *const behaviours[] = {
        "dies-before-reading",
        "dies-before-a-word",
        "dies-after-greeting",
        "dies-in-a-frame",
    };

    expect(behaviours[_i], OUTCOME_HELPER_FAILED);
}
END_TEST

/* More than the socket holds, to a helper that is not there any more. */
START_TEST(test_client_helper_that_dies_while_it_is_told_is_no_signal)
{
    struct play play = play_with("dies-before-reading");

    play.job = JOB_STORE;
    play.tickets_length = 900000;
    ck_assert_ptr_ne(signal(SIGPIPE, SIG_DFL), SIG_ERR);
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_HELPER_FAILED);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_missing_helper_is_unsafe)
{
    struct play play = play_with("obliging");

    ck_assert_int_eq(unlink(play.path), 0);
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_HELPER_UNSAFE);
    ck_assert_ptr_nonnull(strstr(play.detail, play.path));
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_helper_that_others_may_write_is_unsafe)
{
    struct play play = play_with("obliging");

    ck_assert_int_eq(chmod(play.path, 0777), 0);
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_HELPER_UNSAFE);
    ck_assert_ptr_nonnull(strstr(play.detail, play.path));
    fake_remove(play.path);
}
END_TEST

/*
 * Helpers that take their time.
 */

START_TEST(test_client_helper_that_does_not_go_on_is_killed_in_time)
{
    static const char *const behaviours[] = {"half-frame", "half-header",
                                             "holds-on", "stops", "drips"};

    expect_deadline(behaviours[_i]);
}
END_TEST

/* The only child of this process. */
static pid_t
only_child(void)
{
    char path[64];
    FILE *file = NULL;
    int child = -1;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children",
                   (int)getpid());
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &child), 1);
    (void)fclose(file);
    return child;
}

/* Its pid could be a stranger's by now: it is left to its own timer. */
START_TEST(test_client_helper_that_never_spoke_is_not_killed)
{
    struct play play = play_with("mute");
    size_t before = fake_count_descriptors();
    pid_t child = -1;

    play.limit_ms = SHORT_MS;
    run(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_DEADLINE);
    ck_assert_int_le(play.elapsed_ms, SHORT_MS + GRACE_MS);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    child = only_child();
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    fake_remove(play.path);
}
END_TEST

/* But it is hung up on, so that it need not wait for its timer. */
START_TEST(test_client_helper_that_never_spoke_is_hung_up_on)
{
    struct play play = play_with("silent");
    int status = 0;

    play.limit_ms = SHORT_MS;
    run(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_DEADLINE);
    /* It may have been quick enough to be reaped. */
    if (waitpid(-1, &status, 0) > 0) {
        ck_assert_msg(WIFEXITED(status), "status 0x%x", (unsigned int)status);
    }
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_helper_that_never_reads_is_given_up)
{
    struct play play = play_with("deaf");
    size_t before = fake_count_descriptors();

    play.job = JOB_STORE;
    play.tickets_length = 900000;
    play.limit_ms = SHORT_MS;
    run(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_DEADLINE);
    ck_assert_int_le(play.elapsed_ms, SHORT_MS + GRACE_MS);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    (void)waitpid(-1, NULL, 0);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_no_time_at_all_is_the_deadline)
{
    struct play play = play_with("obliging");

    play.limit_ms = 0;
    run(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_DEADLINE);
    ck_assert_int_eq(play.greetings, 0);
    fake_remove(play.path);
}
END_TEST

/* The result is what counts; the helper gets 100 ms to go. */
START_TEST(test_client_helper_that_lingers_after_its_result_is_killed)
{
    struct play play = play_with("lingers");

    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_WRONG_PASSWORD);
    ck_assert_int_lt(play.elapsed_ms, GRACE_MS);
    fake_remove(play.path);
}
END_TEST

static void
ignore_alarm(int number)
{
    (void)number;
}

/* A host with a timer of its own, faster than any wait of ours. */
static void
start_ticking(void)
{
    const struct sigaction action = {.sa_handler = ignore_alarm};
    const struct itimerval timer = {.it_interval = {.tv_usec = 200},
                                    .it_value = {.tv_usec = 200}};

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* An interrupted wait goes on, it does not begin again. */
START_TEST(test_client_host_with_a_timer_still_kills_a_lingering_helper)
{
    struct play play = play_with("lingers");

    start_ticking();
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_WRONG_PASSWORD);
    ck_assert_int_lt(play.elapsed_ms, GRACE_MS);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_host_with_a_timer_keeps_the_deadline)
{
    start_ticking();
    expect_deadline("holds-on");
}
END_TEST

START_TEST(test_client_host_with_a_timer_succeeds)
{
    start_ticking();
    expect("obliging", OUTCOME_SUCCESS);
}
END_TEST

/*
 * Helpers that talk nonsense.
 */

START_TEST(test_client_other_versions_are_refused)
{
    static const int versions[] = {MESSAGE_VERSION_OLDEST - 1,
                                   MESSAGE_VERSION + 1, 65535};
    char behaviour[32];
    struct play play;

    (void)snprintf(behaviour, sizeof(behaviour), "version-%d", versions[_i]);
    play = play_with(behaviour);
    run(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_HELPER_FAILED);
    ck_assert_ptr_nonnull(strstr(play.detail, "version"));
    ck_assert_int_eq(play.greetings, 0);
    ck_assert_int_lt(play.elapsed_ms, LONG_MS / 2);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_frame_that_is_too_long_is_refused)
{
    static const unsigned int lengths[] = {(1U << 20) + 1, UINT_MAX};
    char behaviour[32];

    ck_assert_uint_eq(MESSAGE_MAX, 1U << 20);
    (void)snprintf(behaviour, sizeof(behaviour), "length-%u", lengths[_i]);
    expect(behaviour, OUTCOME_HELPER_FAILED);
}
END_TEST

/* Types that nobody knows, and those that go the other way. */
START_TEST(test_client_unexpected_types_are_refused)
{
    static const int types[] = {
        0,
        14,
        99,
        65535,
        MESSAGE_REQUEST,
        MESSAGE_ANSWER,
        MESSAGE_NAME,
        MESSAGE_DRAW,
        MESSAGE_BEGIN,
        MESSAGE_TICKETS,
        MESSAGE_CHALLENGE,
        MESSAGE_PROOF,
    };
    char behaviour[32];

    (void)snprintf(behaviour, sizeof(behaviour), "type-%d", types[_i]);
    expect(behaviour, OUTCOME_HELPER_FAILED);
}
END_TEST

/* Known types with a payload that they cannot have. */
START_TEST(test_client_payloads_that_make_no_sense_are_refused)
{
    static const int types[] = {MESSAGE_GREETING, MESSAGE_PROMPT, MESSAGE_INFO,
                                MESSAGE_NOTE, MESSAGE_RESULT};
    char behaviour[32];

    (void)snprintf(behaviour, sizeof(behaviour), "nonsense-%d", types[_i]);
    expect(behaviour, OUTCOME_HELPER_FAILED);
    (void)snprintf(behaviour, sizeof(behaviour), "type-%d", types[_i]);
    expect(behaviour, OUTCOME_HELPER_FAILED);
}
END_TEST

START_TEST(test_client_result_with_more_behind_it_is_refused)
{
    expect("more-than-result", OUTCOME_HELPER_FAILED);
}
END_TEST

START_TEST(test_client_outcome_out_of_range_is_refused)
{
    static const int outcomes[] = {OUTCOME_COUNT, 65535};
    char behaviour[32];

    (void)snprintf(behaviour, sizeof(behaviour), "outcome-%d", outcomes[_i]);
    expect(behaviour, OUTCOME_HELPER_FAILED);
}
END_TEST

START_TEST(test_client_outcome_arrives)
{
    char behaviour[32];

    (void)snprintf(behaviour, sizeof(behaviour), "outcome-%d", _i);
    expect(behaviour, (enum outcome)_i);
}
END_TEST

START_TEST(test_client_level_out_of_range_is_refused)
{
    char behaviour[32];

    (void)snprintf(behaviour, sizeof(behaviour), "level-%d", LOG_LEVEL_COUNT);
    expect(behaviour, OUTCOME_HELPER_FAILED);
}
END_TEST

START_TEST(test_client_more_prompts_than_fit_are_refused)
{
    struct play play = play_with("many-prompts");

    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_HELPER_FAILED);
    ck_assert_int_eq(play.prompts, 0);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_second_greeting_is_refused)
{
    struct play play = play_with("greets-twice");

    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_HELPER_FAILED);
    ck_assert_int_eq(play.greetings, 1);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_draw_in_an_acquire_is_refused)
{
    struct play play = play_with("wants-name");

    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_HELPER_FAILED);
    ck_assert_int_eq(play.names, 0);
    fake_remove(play.path);
}
END_TEST

/*
 * Helpers that never come to an end.
 */

START_TEST(test_client_flood_of_notes_ends)
{
    expect("notes", OUTCOME_HELPER_FAILED);
}
END_TEST

START_TEST(test_client_flood_of_infos_ends)
{
    expect("infos", OUTCOME_HELPER_FAILED);
}
END_TEST

/* The user's patience is the handler's to know (pam/conv). */
START_TEST(test_client_flood_of_prompts_ends_with_the_answers)
{
    struct play play = play_with("prompts");

    play.prompts_allowed = 16;
    run_cleanly(&play);
    ck_assert_int_eq(play.outcome, OUTCOME_NO_ANSWER);
    ck_assert_int_eq(play.prompts, 17);
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_flood_of_draws_ends)
{
    struct play play = play_with("draws");

    play.job = JOB_STORE;
    run_cleanly(&play);
    ck_assert(play.outcome == OUTCOME_HELPER_FAILED ||
              play.outcome == OUTCOME_CACHE_TAKEN);
    ck_assert_int_lt(play.elapsed_ms, LONG_MS);
    fake_remove(play.path);
}
END_TEST

/*
 * Hosts with their own ideas about children.
 */

static volatile sig_atomic_t reaped;

static void
reap_all(int number)
{
    int saved = errno;

    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
        reaped++;
    }
    errno = saved;
}

enum children { CHILDREN_IGNORED, CHILDREN_REAPED, CHILDREN_NO_WAIT };

static void
treat_children(enum children how)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    if (how == CHILDREN_REAPED) {
        action.sa_handler = reap_all;
    } else if (how == CHILDREN_NO_WAIT) {
        action.sa_handler = SIG_DFL;
        action.sa_flags = SA_NOCLDWAIT;
    }
    ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
}

START_TEST(test_client_host_that_takes_the_children_succeeds)
{
    treat_children((enum children)_i);
    expect("obliging", OUTCOME_SUCCESS);
    ck_assert(_i != CHILDREN_REAPED || reaped == 1);
}
END_TEST

START_TEST(test_client_host_that_takes_the_children_hears_of_death)
{
    treat_children((enum children)_i);
    expect("dies-after-greeting", OUTCOME_HELPER_FAILED);
}
END_TEST

START_TEST(test_client_host_that_takes_the_children_keeps_the_deadline)
{
    treat_children((enum children)_i);
    expect_deadline("holds-on");
}
END_TEST

START_TEST(test_client_host_keeps_its_other_children)
{
    int fds[2];
    pid_t other = -1;
    siginfo_t info = {.si_pid = 0};
    char byte = 0;

    /* Dead already, and the host's to reap. */
    ck_assert_int_eq(pipe(fds), 0);
    other = fork();
    ck_assert_int_ge(other, 0);
    if (other == 0) {
        _exit(42);
    }
    (void)close(fds[1]);
    ck_assert_int_eq(read(fds[0], &byte, 1), 0);
    (void)close(fds[0]);
    for (int i = 0; i < 2; i++) {
        struct play play =
            play_with(i == 0 ? "obliging" : "dies-after-greeting");

        run(&play);
        fake_remove(play.path);
    }
    ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED), 0);
    ck_assert_int_eq(info.si_pid, other);
    ck_assert_int_eq(info.si_status, 42);
    ck_assert(!fake_has_child());
}
END_TEST

/*
 * A thread that is cancelled while the user is asked.
 */

static void
be_cancelled(struct play *play)
{
    (void)play;
    (void)pthread_cancel(pthread_self());
    pthread_testcancel();
}

static void
clean_up(void *data)
{
    struct play *play = data;

    client_end(&play->client);
}

static void *
run_in_thread(void *data)
{
    struct play *play = data;

    fake_allow_leaks();
    pthread_cleanup_push(clean_up, play);
    run(play);
    pthread_cleanup_pop(1);
    return NULL;
}

START_TEST(test_client_end_of_a_cancelled_thread_leaves_nothing)
{
    struct play play = play_with("asks");
    size_t before = fake_count_descriptors();
    pthread_t thread;
    void *value = NULL;

    play.in_prompt = be_cancelled;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_in_thread, &play), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    ck_assert_ptr_eq(value, PTHREAD_CANCELED);
    ck_assert_uint_eq(fake_count_descriptors(), before);
    ck_assert_int_eq(play.client.fd, -1);
    ck_assert_int_eq(play.client.pidfd, -1);
    ck_assert(!fake_has_child());
    fake_remove(play.path);
}
END_TEST

START_TEST(test_client_end_of_nothing_does_nothing)
{
    struct client client = CLIENT_NONE;

    client_end(&client);
    client_end(&client);
    ck_assert_int_eq(client.fd, -1);
}
END_TEST

static void
add_good(Suite *suite)
{
    TCase *good = suite_case(suite, "good");

    tcase_add_test(good, test_client_obliging_helper_succeeds);
    tcase_add_test(good, test_client_helper_gets_what_is_left_of_the_time);
    tcase_add_test(good, test_client_answer_reaches_the_helper);
    tcase_add_test(good, test_client_typing_does_not_count);
    tcase_add_test(good, test_client_text_for_the_user_is_stripped);
    tcase_add_test(good,
                   test_client_store_draws_another_name_when_one_is_taken);
    tcase_add_test(good,
                   test_client_prompt_that_is_not_answered_ends_the_request);
    tcase_add_test(good, test_client_greeting_that_is_refused_ends_the_request);
    tcase_add_loop_test(good, test_client_outcome_arrives, 0, OUTCOME_COUNT);
}

static void
add_dying(Suite *suite)
{
    TCase *dying = suite_case(suite, "dying");

    tcase_add_loop_test(dying, test_client_helper_that_dies_is_reported, 0, 4);
    tcase_add_test(dying,
                   test_client_helper_that_dies_while_it_is_told_is_no_signal);
    tcase_add_test(dying, test_client_missing_helper_is_unsafe);
    tcase_add_test(dying, test_client_helper_that_others_may_write_is_unsafe);
}

static void
add_slow(Suite *suite)
{
    TCase *slow = suite_case(suite, "slow");

    tcase_add_loop_test(
        slow, test_client_helper_that_does_not_go_on_is_killed_in_time, 0, 5);
    tcase_add_test(slow, test_client_helper_that_never_spoke_is_not_killed);
    tcase_add_test(slow, test_client_helper_that_never_spoke_is_hung_up_on);
    tcase_add_test(slow, test_client_helper_that_never_reads_is_given_up);
    tcase_add_test(slow, test_client_no_time_at_all_is_the_deadline);
    tcase_add_test(slow,
                   test_client_helper_that_lingers_after_its_result_is_killed);
    tcase_add_test(
        slow, test_client_host_with_a_timer_still_kills_a_lingering_helper);
    tcase_add_test(slow, test_client_host_with_a_timer_keeps_the_deadline);
    tcase_add_test(slow, test_client_host_with_a_timer_succeeds);
}

static void
add_nonsense(Suite *suite)
{
    TCase *nonsense = suite_case(suite, "nonsense");

    tcase_add_loop_test(nonsense, test_client_other_versions_are_refused, 0, 3);
    tcase_add_loop_test(nonsense, test_client_frame_that_is_too_long_is_refused,
                        0, 2);
    tcase_add_loop_test(nonsense, test_client_unexpected_types_are_refused, 0,
                        12);
    tcase_add_loop_test(
        nonsense, test_client_payloads_that_make_no_sense_are_refused, 0, 5);
    tcase_add_test(nonsense, test_client_result_with_more_behind_it_is_refused);
    tcase_add_loop_test(nonsense, test_client_outcome_out_of_range_is_refused,
                        0, 2);
    tcase_add_test(nonsense, test_client_level_out_of_range_is_refused);
    tcase_add_test(nonsense, test_client_more_prompts_than_fit_are_refused);
    tcase_add_test(nonsense, test_client_second_greeting_is_refused);
    tcase_add_test(nonsense, test_client_draw_in_an_acquire_is_refused);
    tcase_add_test(nonsense, test_client_flood_of_notes_ends);
    tcase_add_test(nonsense, test_client_flood_of_infos_ends);
    tcase_add_test(nonsense,
                   test_client_flood_of_prompts_ends_with_the_answers);
    tcase_add_test(nonsense, test_client_flood_of_draws_ends);
}

static void
add_hosts(Suite *suite)
{
    TCase *hosts = suite_case(suite, "hosts");

    tcase_add_loop_test(
        hosts, test_client_host_that_takes_the_children_succeeds, 0, 3);
    tcase_add_loop_test(
        hosts, test_client_host_that_takes_the_children_hears_of_death, 0, 3);
    tcase_add_loop_test(
        hosts, test_client_host_that_takes_the_children_keeps_the_deadline, 0,
        3);
    tcase_add_test(hosts, test_client_host_keeps_its_other_children);
    tcase_add_test(hosts, test_client_end_of_a_cancelled_thread_leaves_nothing);
    tcase_add_test(hosts, test_client_end_of_nothing_does_nothing);
}

int
main(void)
{
    Suite *suite = suite_create("client");

    add_good(suite);
    add_dying(suite);
    add_slow(suite);
    add_nonsense(suite);
    add_hosts(suite);
    return suite_main(suite);
}
