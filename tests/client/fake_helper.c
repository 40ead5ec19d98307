/*
 * A helper that misbehaves.  What it does wrong is the name under which it was
 * copied (the environment is not passed on and the arguments are fixed), so a
 * test copies this program to "half-frame" and names that as its helper.  It
 * speaks the protocol through base/; of Kerberos it knows nothing.
 *
 * What it sees of itself it leaves in NAME.report beside it.  Each copy ends
 * after a minute, whatever happens.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/channel.h"

/* Where client/spawn.c leaves the socket. */
#define MODULE_FD 3

/* The end of one that a test has forgotten. */
#define LIFE_S 60

extern char **environ;

/* What a behaviour has at hand. */
struct fake {
    char path[PATH_MAX]; /* of this program */
    unsigned int number; /* the N of a name that ends in -N */
    struct message request_message;
    struct request request;
};

static void
fail(const char *what)
{
    perror(what);
    _exit(3);
}

static void
send_message(enum message_type type, struct bytes *payload)
{
    if (channel_send(MODULE_FD, NULL, MESSAGE_VERSION, type, payload) < 0) {
        _exit(4);
    }
    bytes_free(payload);
}

static struct message
receive_message(enum message_type type)
{
    struct message message;

    if (channel_receive(MODULE_FD, NULL, &message) < 0 ||
        message.type != type) {
        _exit(5);
    }
    return message;
}

static void
read_request(struct fake *fake)
{
    struct options options;

    fake->request_message = receive_message(MESSAGE_REQUEST);
    if (options_init(&options) < 0 ||
        request_unpack(bytes_span(&fake->request_message.payload),
                       fake->request_message.version, &fake->request,
                       &options) < 0) {
        _exit(6);
    }
    options_free(&options);
}

static void
greet(void)
{
    struct bytes payload = BYTES_EMPTY;
    struct options options;

    if (options_init(&options) < 0) {
        _exit(6);
    }
    greeting_pack(&payload, &options);
    options_free(&options);
    send_message(MESSAGE_GREETING, &payload);
}

static void
begin(struct fake *fake)
{
    read_request(fake);
    greet();
}

static void
send_result(enum outcome outcome, const char *detail, const char *cache)
{
    const struct result result = {
        .outcome = outcome,
        .detail = detail,
        .principal = "alice@PAM.TEST",
        .cache = cache,
    };
    struct bytes payload = BYTES_EMPTY;

    result_pack(&payload, MESSAGE_VERSION, &result);
    send_message(MESSAGE_RESULT, &payload);
}

static void
send_prompt(const char *text)
{
    const struct prompts prompts = {
        .count = 1, .list = {{.text = text, .is_password = true}}};
    struct bytes payload = BYTES_EMPTY;

    prompts_pack(&payload, &prompts);
    send_message(MESSAGE_PROMPT, &payload);
}

static void
send_info(const char *text)
{
    struct bytes payload = BYTES_EMPTY;

    info_pack(&payload, text);
    send_message(MESSAGE_INFO, &payload);
}

static void
send_note(enum log_level level, const char *text)
{
    const struct note note = {.level = level, .text = text};
    struct bytes payload = BYTES_EMPTY;

    note_pack(&payload, &note);
    send_message(MESSAGE_NOTE, &payload);
}

static void
write_raw(const void *data, size_t length)
{
    if (send(MODULE_FD, data, length, MSG_NOSIGNAL) != (ssize_t)length) {
        _exit(4);
    }
}

/* A header that promises LENGTH bytes of payload. */
static void
write_header(size_t length, unsigned int version, unsigned int type)
{
    const unsigned char header[MESSAGE_HEADER] = {
        (unsigned char)(length >> 24), (unsigned char)(length >> 16),
        (unsigned char)(length >> 8),  (unsigned char)length,
        (unsigned char)(version >> 8), (unsigned char)version,
        (unsigned char)(type >> 8),    (unsigned char)type,
    };

    write_raw(header, sizeof(header));
}

/* The polite kind of silence: ends when the module has hung up. */
static void
wait_for_hangup(void)
{
    struct pollfd poll_fd = {.fd = MODULE_FD, .events = POLLRDHUP};

    while (poll(&poll_fd, 1, -1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

/* The impolite kind: neither a hang-up nor a signal that can be ignored. */
static void
hold_on(void)
{
    sigset_t mask;

    (void)sigfillset(&mask);
    (void)sigdelset(&mask, SIGALRM);
    for (;;) {
        (void)sigsuspend(&mask);
    }
}

/*
 * What this process is like, a line a thing.
 */

static void
report_ids(FILE *file)
{
    uid_t uids[3];
    gid_t gids[3];

    if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) < 0) {
        fail("getresuid");
    }
    fprintf(file, "pid %d\nsid %d\npgid %d\n", (int)getpid(), (int)getsid(0),
            (int)getpgrp());
    fprintf(file, "uids %u %u %u\ngids %u %u %u\n", uids[0], uids[1], uids[2],
            gids[0], gids[1], gids[2]);
}

static void
report_signals(FILE *file)
{
    sigset_t mask;

    if (sigprocmask(SIG_BLOCK, NULL, &mask) < 0) {
        fail("sigprocmask");
    }
    for (int i = 1; i <= SIGRTMAX; i++) {
        struct sigaction action;

        if (sigismember(&mask, i) == 1) {
            fprintf(file, "blocked %d\n", i);
        }
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL) {
            fprintf(file, "handled %d\n", i);
        }
    }
}

static void
report_descriptors(FILE *file)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry = NULL;

    if (directory == NULL) {
        fail("/proc/self/fd");
    }
    while ((entry = readdir(directory)) != NULL) {
        char target[PATH_MAX];
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, target,
                                    sizeof(target) - 1);

        if (length < 0 || atoi(entry->d_name) == dirfd(directory) ||
            atoi(entry->d_name) == fileno(file)) {
            continue;
        }
        target[length] = '\0';
        fprintf(file, "fd %s %s\n", entry->d_name,
                strncmp(target, "socket:", 7) == 0 ? "socket" : target);
    }
    (void)closedir(directory);
}

static void
report(const struct fake *fake)
{
    char path[PATH_MAX + 16];
    char *cwd = getcwd(NULL, 0);
    struct rlimit core;
    mode_t mask = umask(077);
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s.report", fake->path);
    file = fopen(path, "we");
    if (file == NULL || getrlimit(RLIMIT_CORE, &core) < 0) {
        fail(path);
    }
    report_ids(file);
    fprintf(file, "cwd %s\numask %03o\ncore %llu\n", cwd, (unsigned int)mask,
            (unsigned long long)core.rlim_cur);
    report_signals(file);
    report_descriptors(file);
    for (size_t i = 0; environ[i] != NULL; i++) {
        fprintf(file, "env %s\n", environ[i]);
    }
    free(cwd);
    if (fclose(file) != 0) {
        fail(path);
    }
}

/*
 * The behaviours.
 */

static void
be_obliging(struct fake *fake)
{
    begin(fake);
    send_result(OUTCOME_SUCCESS, "", "");
}

static void
be_reporting(struct fake *fake)
{
    report(fake);
    be_obliging(fake);
}

/* Tells the time it was given in the result's detail. */
static void
tell_budget(struct fake *fake)
{
    char text[32];

    begin(fake);
    (void)snprintf(text, sizeof(text), "%lld",
                   (long long)fake->request.budget_ms);
    send_result(OUTCOME_WRONG_PASSWORD, text, "");
}

static void
die_before_reading(struct fake *fake)
{
    (void)fake;
    _exit(1);
}

static void
die_before_a_word(struct fake *fake)
{
    read_request(fake);
    _exit(1);
}

static void
die_after_greeting(struct fake *fake)
{
    begin(fake);
    _exit(1);
}

static void
die_in_a_frame(struct fake *fake)
{
    begin(fake);
    write_header(100, MESSAGE_VERSION, MESSAGE_RESULT);
    write_raw("half", 4);
    _exit(1);
}

static void
say_half_a_frame(struct fake *fake)
{
    begin(fake);
    write_header(100, MESSAGE_VERSION, MESSAGE_RESULT);
    write_raw("half", 4);
    hold_on();
}

static void
say_half_a_header(struct fake *fake)
{
    begin(fake);
    write_raw("\0\0\0", 3);
    hold_on();
}

static void
say_nothing(struct fake *fake)
{
    read_request(fake);
    wait_for_hangup();
}

/* Neither a word nor an end. */
static void
be_mute(struct fake *fake)
{
    read_request(fake);
    hold_on();
}

static void
read_nothing(struct fake *fake)
{
    (void)fake;
    wait_for_hangup();
}

static void
greet_and_hold_on(struct fake *fake)
{
    begin(fake);
    hold_on();
}

static void
greet_and_stop(struct fake *fake)
{
    begin(fake);
    (void)raise(SIGSTOP);
    hold_on();
}

/* Each byte comes in time, the whole never does. */
static void
drip(struct fake *fake)
{
    const struct timespec pause = {.tv_nsec = 20L * 1000 * 1000};

    begin(fake);
    write_header(100000, MESSAGE_VERSION, MESSAGE_RESULT);
    for (;;) {
        write_raw("x", 1);
        (void)nanosleep(&pause, NULL);
    }
}

static void
speak_version(struct fake *fake)
{
    struct bytes payload = BYTES_EMPTY;
    struct options options;

    read_request(fake);
    if (options_init(&options) < 0) {
        _exit(6);
    }
    greeting_pack(&payload, &options);
    (void)channel_send(MODULE_FD, NULL, (uint16_t)fake->number,
                       MESSAGE_GREETING, &payload);
    wait_for_hangup();
}

static void
promise_length(struct fake *fake)
{
    begin(fake);
    write_header(fake->number, MESSAGE_VERSION, MESSAGE_RESULT);
    wait_for_hangup();
}

/* A message of type N with nothing in it. */
static void
send_type(struct fake *fake)
{
    begin(fake);
    write_header(0, MESSAGE_VERSION, fake->number);
    wait_for_hangup();
}

/* A message of type N with nonsense in it. */
static void
send_nonsense(struct fake *fake)
{
    begin(fake);
    write_header(7, MESSAGE_VERSION, fake->number);
    write_raw("\xff\xff\xff\xff\xff\xff\xff", 7);
    wait_for_hangup();
}

/* A RESULT that is right but for a byte behind it. */
static void
send_more_than_result(struct fake *fake)
{
    const struct result result = {.detail = "", .principal = "", .cache = ""};
    struct bytes payload = BYTES_EMPTY;

    begin(fake);
    result_pack(&payload, MESSAGE_VERSION, &result);
    bytes_put_u16(&payload, 0);
    send_message(MESSAGE_RESULT, &payload);
    wait_for_hangup();
}

static void
send_outcome(struct fake *fake)
{
    begin(fake);
    send_result((enum outcome)fake->number, "", "");
    wait_for_hangup();
}

static void
send_level(struct fake *fake)
{
    begin(fake);
    send_note((enum log_level)fake->number, "text");
    wait_for_hangup();
}

/* One prompt more than there may be. */
static void
send_many_prompts(struct fake *fake)
{
    struct bytes payload = BYTES_EMPTY;

    begin(fake);
    bytes_put_u32(&payload, MESSAGE_PROMPTS_MAX + 1);
    for (int i = 0; i < MESSAGE_PROMPTS_MAX + 1; i++) {
        bytes_put_string(&payload, "Password");
        bytes_put_u16(&payload, 0);
        bytes_put_u16(&payload, 1);
    }
    send_message(MESSAGE_PROMPT, &payload);
    wait_for_hangup();
}

static void
flood_with_prompts(struct fake *fake)
{
    begin(fake);
    for (;;) {
        struct message answer;

        send_prompt("Password");
        answer = receive_message(MESSAGE_ANSWER);
        message_free(&answer);
    }
}

static void
flood_with_notes(struct fake *fake)
{
    begin(fake);
    for (;;) {
        send_note(LOG_LEVEL_ERROR, "and another thing");
    }
}

static void
flood_with_infos(struct fake *fake)
{
    begin(fake);
    for (;;) {
        send_info("and another thing");
    }
}

/* The wish for a name. */
static void
send_draw(void)
{
    struct bytes payload = BYTES_EMPTY;

    draw_pack(&payload, &(struct draw){.pattern = "FILE:/tmp/name-"});
    send_message(MESSAGE_DRAW, &payload);
    bytes_free(&payload);
}

/* No name is ever good enough. */
static void
flood_with_draws(struct fake *fake)
{
    begin(fake);
    for (;;) {
        struct message name;

        send_draw();
        name = receive_message(MESSAGE_NAME);
        message_free(&name);
    }
}

/* The first name is taken, the second is the cache's. */
static void
take_once(struct fake *fake)
{
    struct cache_name name;
    struct message message;

    begin(fake);
    send_draw();
    message = receive_message(MESSAGE_NAME);
    message_free(&message);
    send_draw();
    message = receive_message(MESSAGE_NAME);
    if (cache_name_unpack(bytes_span(&message.payload), &name) < 0) {
        _exit(6);
    }
    send_result(OUTCOME_SUCCESS, "", name.name);
    message_free(&message);
}

/* Wants a name in a request that is about none. */
static void
want_name(struct fake *fake)
{
    begin(fake);
    send_draw();
    wait_for_hangup();
}

/* Gives the answer back in the result's detail. */
static void
ask(struct fake *fake)
{
    struct answers answers;
    struct message message;
    char text[MESSAGE_ANSWER_MAX + 1] = {0};

    begin(fake);
    send_prompt("Password");
    message = receive_message(MESSAGE_ANSWER);
    if (answers_unpack(bytes_span(&message.payload), &answers) < 0 ||
        answers.count != 1) {
        _exit(6);
    }
    memcpy(text, answers.list[0].data, answers.list[0].length);
    message_free(&message);
    send_result(OUTCOME_WRONG_PASSWORD, text, "");
}

/* Asks again when it has its answer. */
static void
ask_twice(struct fake *fake)
{
    struct message message;

    begin(fake);
    for (int i = 0; i < 2; i++) {
        send_prompt("Password");
        message = receive_message(MESSAGE_ANSWER);
        message_free(&message);
    }
    send_result(OUTCOME_WRONG_PASSWORD, "", "");
}

static void
ask_and_die(struct fake *fake)
{
    begin(fake);
    send_prompt("Password");
    _exit(1);
}

static void
inform(struct fake *fake)
{
    begin(fake);
    send_info("one\033[2Jtwo\r\x07\nthree");
    send_result(OUTCOME_SUCCESS, "", "");
}

static void
linger_after_result(struct fake *fake)
{
    begin(fake);
    send_result(OUTCOME_WRONG_PASSWORD, "", "");
    hold_on();
}

/* A GREETING where none is expected any more. */
static void
greet_twice(struct fake *fake)
{
    begin(fake);
    greet();
    send_result(OUTCOME_SUCCESS, "", "");
}

struct behaviour {
    const char *name; /* a trailing '-' takes a number */
    void (*run)(struct fake *fake);
};

static const struct behaviour behaviours[] = {
    {"obliging", be_obliging},
    {"reporting", be_reporting},
    {"budget", tell_budget},
    {"dies-before-reading", die_before_reading},
    {"dies-before-a-word", die_before_a_word},
    {"dies-after-greeting", die_after_greeting},
    {"dies-in-a-frame", die_in_a_frame},
    {"half-frame", say_half_a_frame},
    {"half-header", say_half_a_header},
    {"silent", say_nothing},
    {"mute", be_mute},
    {"deaf", read_nothing},
    {"holds-on", greet_and_hold_on},
    {"stops", greet_and_stop},
    {"drips", drip},
    {"version-", speak_version},
    {"length-", promise_length},
    {"type-", send_type},
    {"nonsense-", send_nonsense},
    {"more-than-result", send_more_than_result},
    {"outcome-", send_outcome},
    {"level-", send_level},
    {"many-prompts", send_many_prompts},
    {"prompts", flood_with_prompts},
    {"notes", flood_with_notes},
    {"infos", flood_with_infos},
    {"draws", flood_with_draws},
    {"taken-once", take_once},
    {"wants-name", want_name},
    {"asks", ask},
    {"asks-twice", ask_twice},
    {"asks-and-dies", ask_and_die},
    {"informs", inform},
    {"lingers", linger_after_result},
    {"greets-twice", greet_twice},
};

/* The behaviour called NAME, and the number in it. */
static const struct behaviour *
find(const char *name, unsigned int *number_out)
{
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
        const char *known = behaviours[i].name;
        size_t length = strlen(known);

        if (known[length - 1] == '-' && strncmp(name, known, length) == 0) {
            *number_out = (unsigned int)strtoul(name + length, NULL, 10);
            return &behaviours[i];
        }
        if (strcmp(name, known) == 0) {
            return &behaviours[i];
        }
    }
    return NULL;
}

/* Built with ASan we would see handlers of its own, and leak by design. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:detect_leaks=0";
}

int
main(void)
{
    struct fake fake = {.number = 0};
    const struct behaviour *behaviour = NULL;
    const char *name = NULL;
    ssize_t length =
        readlink("/proc/self/exe", fake.path, sizeof(fake.path) - 1);

    if (length < 0) {
        fail("/proc/self/exe");
    }
    name = strrchr(fake.path, '/') + 1;
    behaviour = find(name, &fake.number);
    if (behaviour == NULL) {
        (void)fprintf(stderr, "%s: no such behaviour\n", name);
        return 2;
    }
    (void)alarm(LIFE_S);
    behaviour->run(&fake);
    message_free(&fake.request_message);
    return 0;
}
