/*
 * krb5cc: what an administrator, or a timer, does about the caches of sessions.
 * Here is the command line; what a subcommand does is in the file of its name.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"

/* Which subcommands know an option. */
enum {
    LIST = 1,
    RENEW = 2,
    REAP = 4,
    CHECK = 8,
    ALL = LIST | RENEW | REAP | CHECK,
};

static const struct command {
    const char *name;
    int bit;
    void (*run)(struct admin *admin);
    const char *help;
} commands[] = {
    {"list", LIST, admin_list, "show sessions, their caches and tickets"},
    {"renew", RENEW, admin_renew, "renew tickets past half their life"},
    {"reap", REAP, admin_reap, "destroy what sessions that are gone have left"},
    {"check", CHECK, admin_check, "say what is wrong with this machine"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

enum choice_number {
    CHOICE_USER,
    CHOICE_DRY_RUN,
    CHOICE_JSON,
    CHOICE_VERBOSE,
    CHOICE_DEBUG,
    CHOICE_TIMEOUT,
    CHOICE_HELPER,
    CHOICE_MODULE,
    CHOICE_STATE_DIR,
    CHOICE_RUNTIME_DIR,
    CHOICE_HELP,
    CHOICE_VERSION,
    CHOICE_COUNT
};

static const struct choice {
    const char *name;
    const char *abbreviation; /* NULL = there is none */
    const char *argument;     /* NULL = a flag */
    int commands;
    const char *help;
} choices[CHOICE_COUNT] = {
    [CHOICE_USER] = {"--user", NULL, "USER", LIST | RENEW | REAP,
                     "only this user's sessions"},
    [CHOICE_DRY_RUN] = {"--dry-run", NULL, NULL, RENEW | REAP,
                        "say what would be done, do nothing"},
    [CHOICE_JSON] = {"--json", NULL, NULL, LIST, "for programs"},
    [CHOICE_VERBOSE] = {"--verbose", "-v", NULL, ALL,
                        "say what is left alone too, and why"},
    [CHOICE_DEBUG] = {"--debug", NULL, NULL, ALL,
                      "say what the helper decides"},
    [CHOICE_TIMEOUT] = {"--timeout", NULL, "SECONDS", ALL,
                        "for each question to the helper (10)"},
    [CHOICE_HELPER] = {"--helper", NULL, "PATH", ALL, "the helper program"},
    [CHOICE_MODULE] = {"--module", NULL, "PATH", CHECK, "the PAM module"},
    [CHOICE_STATE_DIR] = {"--state-dir", NULL, "PATH", ALL,
                          "where sessions are recorded"},
    [CHOICE_RUNTIME_DIR] = {"--runtime-dir", NULL, "PATH", ALL,
                            "where they are if that will not do"},
    [CHOICE_HELP] = {"--help", "-h", NULL, ALL, "show this text"},
    [CHOICE_VERSION] = {"--version", NULL, NULL, ALL, "show the version"},
};

#define TIMEOUT_MIN 1
#define TIMEOUT_MAX 3600
#define TIMEOUT_DEFAULT 10

static void
print_help(void)
{
    (void)printf("Usage: krb5cc COMMAND [OPTION...]\n"
                 "The credential caches of login sessions; see krb5cc(8).\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        (void)printf("  %-24s %s\n", commands[i].name, commands[i].help);
    }
    (void)printf("\n");
    for (size_t i = 0; i < CHOICE_COUNT; i++) {
        const struct choice *choice = &choices[i];
        char text[64];

        (void)snprintf(text, sizeof(text), "%s%s%s%s%s",
                       choice->abbreviation != NULL ? choice->abbreviation : "",
                       choice->abbreviation != NULL ? ", " : "    ",
                       choice->name, choice->argument != NULL ? " " : "",
                       choice->argument != NULL ? choice->argument : "");
        (void)printf("  %-24s %s", text, choice->help);
        for (size_t j = 0; choice->commands != ALL && j < COMMAND_COUNT; j++) {
            if ((choice->commands & commands[j].bit) != 0) {
                (void)printf(" [%s]", commands[j].name);
            }
        }
        (void)printf("\n");
    }
}

/* What the command line says. */
struct line {
    const struct command *command;
    unsigned int given; /* bit N: choice N */
    const char *user;
};

/* Says what is wrong with the command line. */
static enum admin_exit
misuse(const char *what, const char *name)
{
    char escaped[256];

    (void)fprintf(stderr, "krb5cc: %s%s; see krb5cc --help\n",
                  log_escape(escaped, sizeof(escaped), name), what);
    return ADMIN_USAGE;
}

static bool
read_number(const char *text, int64_t minimum, int64_t maximum,
            int64_t *value_out)
{
    char *end = NULL;
    long long value = 0;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < minimum || value > maximum) {
        return false;
    }
    *value_out = value;
    return true;
}

/* Takes the choice NUMBER with ARGUMENT. */
static enum admin_exit
take_choice(struct admin *admin, struct line *line, enum choice_number number,
            const char *argument)
{
    line->given |= 1U << number;
    switch (number) {
    case CHOICE_USER:
        line->user = argument;
        break;
    case CHOICE_DRY_RUN:
        admin->is_dry_run = true;
        break;
    case CHOICE_JSON:
        admin->is_json = true;
        break;
    case CHOICE_DEBUG:
        admin->is_debug = true;
        admin->is_verbose = true;
        break;
    case CHOICE_VERBOSE:
        admin->is_verbose = true;
        break;
    case CHOICE_TIMEOUT:
        if (!read_number(argument, TIMEOUT_MIN, TIMEOUT_MAX,
                         &admin->timeout_s)) {
            return misuse(": --timeout takes 1 to 3600 seconds", argument);
        }
        break;
    case CHOICE_HELPER:
        admin->helper = argument;
        break;
    case CHOICE_MODULE:
        admin->module = argument;
        break;
    case CHOICE_STATE_DIR:
        admin->registry.state_dir = argument;
        break;
    case CHOICE_RUNTIME_DIR:
        admin->registry.runtime_dir = argument;
        break;
    case CHOICE_HELP:
    case CHOICE_VERSION:
    case CHOICE_COUNT:
        break;
    }
    return ADMIN_DONE;
}

/*
 * The choice that WORD names; *VALUE_OUT is what stands behind its =, NULL
 * where nothing does.  CHOICE_COUNT: there is none.
 */
static enum choice_number
find_choice(const char *word, const char **value_out)
{
    size_t length = strcspn(word, "=");
    size_t i = 0;

    *value_out = word[length] == '=' ? word + length + 1 : NULL;
    while (i < CHOICE_COUNT &&
           (strlen(choices[i].name) != length ||
            strncmp(choices[i].name, word, length) != 0) &&
           (choices[i].abbreviation == NULL ||
            strcmp(choices[i].abbreviation, word) != 0)) {
        i++;
    }
    return (enum choice_number)i;
}

/* Takes the option at *WORDS, and its argument, which may be the next word. */
static enum admin_exit
read_choice(char ***words, struct admin *admin, struct line *line)
{
    const char *word = **words;
    const char *value = NULL;
    enum choice_number number = find_choice(word, &value);

    if (number == CHOICE_COUNT) {
        return misuse(": no such option", word);
    }
    if (choices[number].argument == NULL && value != NULL) {
        return misuse(" takes no argument", choices[number].name);
    }
    if (choices[number].argument != NULL && value == NULL) {
        value = *++*words;
    }
    if (choices[number].argument != NULL && (value == NULL || *value == '\0')) {
        return misuse(" needs an argument", choices[number].name);
    }
    return take_choice(admin, line, number, value);
}

/* The one word that is no option. */
static enum admin_exit
read_command(const char *word, struct line *line)
{
    if (line->command != NULL) {
        return misuse(": one word too many", word);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, word) == 0) {
            line->command = &commands[i];
            return ADMIN_DONE;
        }
    }
    return misuse(": no such command", word);
}

static bool
wants(const struct line *line, enum choice_number number)
{
    return (line->given & 1U << number) != 0;
}

/* Whether the command knows all that was given. */
static enum admin_exit
judge_choices(const struct line *line)
{
    for (size_t i = 0; i < CHOICE_COUNT; i++) {
        if (wants(line, (enum choice_number)i) &&
            (choices[i].commands & line->command->bit) == 0) {
            char what[128];

            (void)snprintf(what, sizeof(what), " has no option %s",
                           choices[i].name);
            return misuse(what, line->command->name);
        }
    }
    return ADMIN_DONE;
}

/* The uid that --user means: of an account, or a number that had one once. */
static enum admin_exit
find_user(const char *user, struct admin *admin)
{
    const struct passwd *entry = getpwnam(user);

    if (entry != NULL) {
        admin->uid = entry->pw_uid;
        return ADMIN_DONE;
    }
    return read_number(user, 0, UINT32_MAX - 1, &admin->uid)
               ? ADMIN_DONE
               : misuse(": no such user (a uid will do too)", user);
}

static enum admin_exit
read_line(char **words, struct admin *admin, struct line *line)
{
    enum admin_exit status = ADMIN_DONE;

    while (status == ADMIN_DONE && *words != NULL) {
        status = **words == '-' ? read_choice(&words, admin, line)
                                : read_command(*words, line);
        words += *words != NULL;
    }
    if (status != ADMIN_DONE || wants(line, CHOICE_HELP) ||
        wants(line, CHOICE_VERSION)) {
        return status;
    }
    if (line->command == NULL) {
        return misuse("there must be a command", "");
    }
    status = judge_choices(line);
    return status == ADMIN_DONE && line->user != NULL
               ? find_user(line->user, admin)
               : status;
}

static enum admin_exit
refuse_stranger(const struct line *line)
{
    (void)fprintf(stderr,
                  "krb5cc: %s must be run by root: sessions are recorded where "
                  "only root can read, and each cache is touched as its user\n"
                  "(your own tickets: klist)\n",
                  line->command->name);
    return ADMIN_NOT_ROOT;
}

/* Whether all that was said has arrived. */
static bool
has_arrived(FILE *file)
{
    bool failed = fflush(file) != 0;

    return ferror(file) == 0 && !failed;
}

/* A descriptor 0, 1 or 2 that is not open would be the next file's. */
static bool
has_descriptors(void)
{
    struct stat status;

    for (int fd = 0; fd <= 2; fd++) {
        if (fstat(fd, &status) < 0) {
            return false;
        }
    }
    return true;
}

/* Does what LINE asks for. */
static enum admin_exit
act(struct admin *admin, const struct line *line)
{
    if (wants(line, CHOICE_HELP)) {
        print_help();
    } else if (wants(line, CHOICE_VERSION)) {
        (void)printf("krb5cc (pam_krb5cc) %s\n", PACKAGE_VERSION);
    } else if (geteuid() != 0) {
        return refuse_stranger(line);
    } else {
        line->command->run(admin);
    }
    if (!has_arrived(stdout)) {
        (void)fprintf(stderr, "krb5cc: standard output: %s\n", strerror(errno));
        return ADMIN_WRONG;
    }
    return admin->has_failed ? ADMIN_WRONG : ADMIN_DONE;
}

int
main(int count, char **words)
{
    struct admin admin = {
        .registry = {.state_dir = PATH_STATE, .runtime_dir = PATH_RUNTIME},
        .helper = PATH_HELPER,
        .module = PATH_MODULE,
        .timeout_s = TIMEOUT_DEFAULT,
        .uid = REGISTRY_EVERYBODY,
    };
    struct line line = {.command = NULL};
    enum admin_exit status = ADMIN_WRONG;

    if (count < 1 || !has_descriptors()) {
        return (int)ADMIN_WRONG;
    }
    (void)umask(077);
    /* Who does not listen to the end does not stop the work half-way. */
    (void)signal(SIGPIPE, SIG_IGN);
    status = read_line(words + 1, &admin, &line);
    if (status == ADMIN_DONE) {
        status = act(&admin, &line);
    }
    admin_free(&admin);
    return (int)status;
}
