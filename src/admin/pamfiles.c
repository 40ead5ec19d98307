/* The PAM configuration, read. */
#include "admin/pamfiles.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that include each other end somewhere, and so do lines. */
#define DEPTH_MAX 16
#define LINES_MAX 20000

#define PATH_SIZE 4096

/* One reading. */
struct reading {
    const struct pamfiles *pamfiles;
    struct pamfiles_service *service;
    size_t lines;
};

/* A line, taken apart; it borrows from the text. */
struct line {
    const char *type;
    const char *control;
    const char *module;
    char *arguments; /* the rest */
};

/* A plain file of root's world; links are usual there.  -errno. */
static int
open_plain(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        (void)close(fd);
        return -EINVAL;
    }
    return fd;
}

/* The file NAME, of the first directory that has it. */
static int
open_service(const struct pamfiles *pamfiles, const char *name)
{
    char path[PATH_SIZE];
    int fd = -ENOENT;

    if (*name == '/') {
        return open_plain(name);
    }
    for (size_t i = 0; fd == -ENOENT && pamfiles->directories[i] != NULL; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", pamfiles->directories[i],
                       name);
        fd = open_plain(path);
    }
    return fd;
}

/*
 * Cuts the next word off *REST: blanks end it, but for those between brackets;
 * a bracket in brackets has a backslash before it.  NULL: there is none.
 */
static char *
next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word;

    if (*word == '\0') {
        return NULL;
    }
    if (*word == '[') {
        while (*end != '\0' && (*end != ']' || end[-1] == '\\')) {
            end++;
        }
    }
    end += strcspn(end, " \t");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

/* Whether the file name of PATH is NAME. */
static bool
is_module(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash == NULL ? path : slash + 1, name) == 0;
}

/* The value that WORD has for the option NAME, into VALUE. */
static void
take_option(const char *word, const char *name, char value[PAMFILES_VALUE_MAX])
{
    size_t length = strlen(name);

    /* An argument in brackets may have blanks in it. */
    word += *word == '[';
    if (strncmp(word, name, length) == 0 && word[length] == '=') {
        (void)snprintf(value, PAMFILES_VALUE_MAX, "%s", word + length + 1);
        value[strcspn(value, "]")] = '\0';
    }
}

/* WORD as libpam hands it to the module: brackets around it are not in it. */
static const char *
unwrap(char *word)
{
    size_t length = strlen(word);

    if (*word == '[' && word[length - 1] == ']') {
        word[length - 1] = '\0';
        return word + 1;
    }
    return word;
}

static void
take_arguments(struct reading *reading, char *arguments, bool is_session,
               int depth)
{
    struct pamfiles_service *service = reading->service;
    const struct pamfiles *pamfiles = reading->pamfiles;
    char *word = NULL;

    while ((word = next_word(&arguments)) != NULL) {
        if (is_session) {
            take_option(word, "ccache", service->ccache);
            take_option(word, "state_dir", service->state_dir);
            take_option(word, "runtime_dir", service->runtime_dir);
        }
        if (depth == 0 && pamfiles->hear_argument != NULL) {
            pamfiles->hear_argument(pamfiles->data, unwrap(word));
        }
    }
}

static void
take_module(struct reading *reading, const struct line *line, int depth)
{
    struct pamfiles_service *service = reading->service;
    bool is_session = strcasecmp(line->type, "session") == 0;

    service->has_session |= is_session;
    if (is_module(line->module, "pam_krb5cc.so")) {
        service->has_krb5cc = true;
        service->has_krb5cc_auth |= strcasecmp(line->type, "auth") == 0;
        service->has_krb5cc_session |= is_session;
        take_arguments(reading, line->arguments, is_session, depth);
    } else if (is_session && is_module(line->module, "pam_keyinit.so")) {
        service->is_keyinit_late |=
            !service->has_keyinit && service->has_krb5cc_session;
        service->has_keyinit = true;
    } else if (is_session && is_module(line->module, "pam_namespace.so")) {
        service->has_namespace = true;
    } else if (is_module(line->module, "pam_krb5.so")) {
        service->has_krb5 = true;
    } else if (is_module(line->module, "pam_sss.so")) {
        service->has_sss = true;
    }
}

/* Takes TEXT, a line without its comment, apart.  False: it is none. */
static bool
split(char *text, struct line *line)
{
    char *type = next_word(&text);

    if (type == NULL) {
        return false;
    }
    /* A module that may be missing. */
    line->type = *type == '-' ? type + 1 : type;
    line->control = next_word(&text);
    line->module = line->control == NULL ? NULL : next_word(&text);
    line->arguments = text;
    return line->control != NULL;
}

static bool
is_include(const struct line *line)
{
    return line->module != NULL && (strcasecmp(line->control, "include") == 0 ||
                                    strcasecmp(line->control, "substack") == 0);
}

static void
note_unreadable(struct pamfiles_service *service, const char *name, int fault)
{
    if (service->fault == 0) {
        (void)snprintf(service->unreadable, sizeof(service->unreadable), "%s",
                       name);
        service->fault = fault;
    }
}

static int read_file(struct reading *reading, const char *name,
                     const char *type, int depth);

/* Follows NAME, of which only the lines of TYPE count (NULL: all). */
static void
include(struct reading *reading, const char *name, const char *type, int depth)
{
    int status =
        depth == DEPTH_MAX ? -ELOOP : read_file(reading, name, type, depth + 1);

    if (status < 0) {
        note_unreadable(reading->service, name, status);
    }
}

/* Takes a line into account where it is of TYPE (NULL: any). */
static void
take_line(struct reading *reading, char *text, const char *type, int depth)
{
    struct line line;

    if (!split(text, &line)) {
        return;
    }
    if (strcmp(line.type, "@include") == 0) {
        include(reading, line.control, type, depth);
    } else if (type == NULL || strcasecmp(line.type, type) == 0) {
        if (is_include(&line)) {
            include(reading, line.module, line.type, depth);
        } else if (line.module != NULL) {
            take_module(reading, &line, depth);
        }
    }
}

/*
 * Cuts comment and newline off TEXT.  Whether it goes on in the next line: the
 * backslash at its end is then a blank.
 */
static bool
trim(char *text)
{
    size_t length = strcspn(text, "#\n");
    bool goes_on = length > 0 && text[length - 1] == '\\';

    text[length] = '\0';
    if (goes_on) {
        text[length - 1] = ' ';
    }
    return goes_on;
}

/* A line of a file may go on in the next ones: all of it is in `whole`. */
struct lines {
    FILE *file;
    char *line;
    size_t line_size;
    char *whole;
    size_t whole_size;
};

static void
lines_free(struct lines *lines)
{
    free(lines->line);
    free(lines->whole);
    (void)fclose(lines->file);
}

/* Puts the next line into lines->whole.  False: there is none. */
static bool
next_line(struct lines *lines)
{
    FILE *stream = NULL;
    bool goes_on = true;
    bool has = false;

    free(lines->whole);
    lines->whole = NULL;
    stream = open_memstream(&lines->whole, &lines->whole_size);
    while (stream != NULL && goes_on &&
           getline(&lines->line, &lines->line_size, lines->file) >= 0) {
        has = true;
        goes_on = trim(lines->line);
        (void)fputs(lines->line, stream);
    }
    return stream != NULL && fclose(stream) == 0 && has;
}

static int
read_file(struct reading *reading, const char *name, const char *type,
          int depth)
{
    int fd = open_service(reading->pamfiles, name);
    struct lines lines = {.file = fd < 0 ? NULL : fdopen(fd, "re")};

    if (fd < 0) {
        return fd;
    }
    if (lines.file == NULL) {
        (void)close(fd);
        return -ENOMEM;
    }
    while (reading->lines < LINES_MAX && next_line(&lines)) {
        reading->lines++;
        take_line(reading, lines.whole, type, depth);
    }
    lines_free(&lines);
    if (reading->lines == LINES_MAX) {
        note_unreadable(reading->service, name, -E2BIG);
    }
    return 0;
}

int
pamfiles_read(const struct pamfiles *pamfiles, const char *service,
              struct pamfiles_service *service_out)
{
    struct pamfiles_service found = {.fault = 0};
    struct reading reading = {.pamfiles = pamfiles, .service = &found};
    int status = read_file(&reading, service, NULL, 0);

    if (status == 0) {
        *service_out = found;
    }
    return status;
}

/* Whether NAME is what a package manager or an editor has left. */
static bool
is_left_over(const char *name)
{
    static const char *const patterns[] = {
        ".*", "*~", "*.dpkg-*", "*.ucf-*", "*.rpmnew", "*.rpmsave", "*.bak",
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (fnmatch(patterns[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool
has_name(const struct pamfiles_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int
add_name(struct pamfiles_names *names, const char *name)
{
    char **list = NULL;

    if (is_left_over(name) || has_name(names, name)) {
        return 0;
    }
    list = reallocarray(names->list, names->count + 1, sizeof(*list));
    if (list == NULL) {
        return -ENOMEM;
    }
    names->list = list;
    if (asprintf(&list[names->count], "%s", name) < 0) {
        return -ENOMEM;
    }
    names->count++;
    return 0;
}

static int
list_directory(const char *path, struct pamfiles_names *names)
{
    DIR *directory = opendir(path);
    const struct dirent *entry = NULL;
    int status = 0;

    if (directory == NULL) {
        return -errno;
    }
    while (status == 0 && (entry = readdir(directory)) != NULL) {
        status = add_name(names, entry->d_name);
    }
    (void)closedir(directory);
    return status;
}

static int
compare(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

int
pamfiles_list(const struct pamfiles *pamfiles, struct pamfiles_names *names_out)
{
    struct pamfiles_names names = {.list = NULL};
    int status = 0;

    for (size_t i = 0; status == 0 && pamfiles->directories[i] != NULL; i++) {
        status = list_directory(pamfiles->directories[i], &names);
        /* The vendor's is not everywhere. */
        status = status == -ENOENT && i > 0 ? 0 : status;
    }
    if (status < 0) {
        pamfiles_names_free(&names);
        return status;
    }
    if (names.count > 1) {
        qsort(names.list, names.count, sizeof(names.list[0]), compare);
    }
    *names_out = names;
    return 0;
}

void
pamfiles_names_free(struct pamfiles_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i]);
    }
    free(names->list);
    *names = (struct pamfiles_names){.list = NULL};
}

bool
pamfiles_is_part(const char *service)
{
    /* Of Debian, Fedora and SUSE, Arch. */
    static const char *const patterns[] = {
        "common-*", "*-auth", "*-auth-ac", "postlogin*", "system-*",
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (fnmatch(patterns[i], service, 0) == 0) {
            return true;
        }
    }
    return false;
}
