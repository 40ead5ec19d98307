/* krb5cc check: what is wrong with this machine, a line each. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/pamfiles.h"
#include "admin/sessions.h"
#include "base/ccname.h"
#include "base/expand.h"
#include "base/options.h"
#include "base/safefs.h"

#define TEXT_SIZE 2048

enum verdict {
    VERDICT_OK,
    VERDICT_NOTE, /* may be as it should be: look at it */
    VERDICT_WRONG
};

/* One line: VERDICT on WHAT, and why, and what to do. */
static void __attribute__((format(printf, 4, 5)))
report(struct admin *admin, enum verdict verdict, const char *what,
       const char *format, ...)
{
    static const char *const names[] = {"ok", "note", "WRONG"};
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    admin_say(admin, "%-6s %s: %s", names[verdict], what, text);
    admin->has_failed |= verdict == VERDICT_WRONG;
}

/* The helper. */

/* Whether it can be run, as far as its path says. */
static bool
check_helper(struct admin *admin)
{
    static const char what[] = "helper";
    const char *path = admin->helper;
    struct stat status;
    size_t at = 0;
    int found = safefs_check_program(path, 0, &at);
    bool had_failed = admin->has_failed;
    bool is_well = false;

    admin->has_failed = false;
    if (found == -EPERM) {
        report(admin, VERDICT_WRONG, what,
               "%s: %.*s can be changed by others than root; chown root and "
               "chmod go-w it",
               path, (int)(at > 0 ? at : 1), path);
    } else if (found == -ELOOP) {
        report(admin, VERDICT_WRONG, what,
               "%s: %.*s is a symbolic link; name the path without it", path,
               (int)at, path);
    } else if (found == -EINVAL) {
        report(admin, VERDICT_WRONG, what,
               "%s is no absolute path without . and ..", path);
    } else if (found < 0) {
        report(admin, VERDICT_WRONG, what, "%s: %s; install it again", path,
               admin_words(found));
    } else if (stat(path, &status) < 0) {
        report(admin, VERDICT_WRONG, what, "%s: %s", path, admin_words(errno));
    } else if ((status.st_mode & 0111) != 0111) {
        /* In a host that is not root it is run by the user. */
        report(admin, VERDICT_WRONG, what,
               "%s cannot be run by everybody (mode %04o); chmod 0711 it", path,
               (unsigned)status.st_mode & 07777);
    } else if ((status.st_mode & (S_ISUID | S_ISGID)) != 0) {
        report(admin, VERDICT_WRONG, what,
               "%s is set-user-ID or set-group-ID; chmod 0711 it", path);
    } else if ((status.st_mode & 044) != 0) {
        report(admin, VERDICT_NOTE, what,
               "%s can be read (mode %04o), so its memory can be looked at for "
               "a moment; chmod 0711 it",
               path, (unsigned)status.st_mode & 07777);
    } else {
        report(admin, VERDICT_OK, what, "%s is root's alone", path);
    }
    is_well = !admin->has_failed;
    admin->has_failed |= had_failed;
    return is_well;
}

/* The module. */

/* Whether libpam's own module pam_unix.so is in the directory of PATH. */
static bool
has_pam_unix(const char *path)
{
    char beside[TEXT_SIZE];
    const char *slash = strrchr(path, '/');

    (void)snprintf(beside, sizeof(beside), "%.*s/pam_unix.so",
                   slash == NULL ? 0 : (int)(slash - path), path);
    return access(beside, F_OK) == 0;
}

/* The module, whose PATH without links is REAL. */
static void
check_module_file(struct admin *admin, const char *path, const char *real)
{
    static const char what[] = "module";
    struct stat status;
    size_t at = 0;
    int found = safefs_check_program(real, 0, &at);

    if (found == -EPERM) {
        report(admin, VERDICT_WRONG, what,
               "%s: %.*s can be changed by others than root; chown root and "
               "chmod go-w it",
               path, (int)(at > 0 ? at : 1), real);
    } else if (found < 0 || stat(real, &status) < 0) {
        report(admin, VERDICT_WRONG, what, "%s: %s; install it again", path,
               admin_words(found < 0 ? found : errno));
    } else if ((status.st_mode & 0444) != 0444) {
        report(admin, VERDICT_WRONG, what,
               "%s cannot be loaded by everybody (mode %04o), and a screen "
               "locker loads it as its user; chmod 0644 it",
               path, (unsigned)status.st_mode & 07777);
    } else if (!has_pam_unix(path)) {
        report(admin, VERDICT_NOTE, what,
               "%s has no pam_unix.so beside it: libpam may look elsewhere; "
               "find / -xdev -name pam_unix.so, and configure --with-pamdir",
               path);
    } else {
        report(admin, VERDICT_OK, what,
               "%s is root's alone, and pam_unix.so is beside it", path);
    }
}

static void
check_module(struct admin *admin)
{
    /* libpam follows links; where they lead to is what is loaded. */
    char *real = realpath(admin->module, NULL);

    if (real == NULL) {
        report(admin, VERDICT_WRONG, "module",
               "%s: %s; make install, after configure with --with-pamdir",
               admin->module, admin_words(errno));
        return;
    }
    check_module_file(admin, admin->module, real);
    free(real);
}

static void
check_account(struct admin *admin)
{
    static const char what[] = "account";
    const struct passwd *entry = getpwnam(HELPER_USER);

    if (entry == NULL) {
        report(admin, VERDICT_WRONG, what,
               "%s does not exist, so the user `nobody` does its work; run "
               "systemd-sysusers, or useradd --system --home-dir / --shell "
               "/usr/sbin/nologin %s",
               HELPER_USER, HELPER_USER);
    } else if (entry->pw_uid == 0) {
        report(admin, VERDICT_WRONG, what,
               "%s is root; give it a uid of its own", HELPER_USER);
    } else {
        report(admin, VERDICT_OK, what, "%s has the uid %u", HELPER_USER,
               (unsigned)entry->pw_uid);
    }
}

/* The directories. */

/* Whether a file can be written in DIRECTORY.  0 or -errno. */
static int
try_to_write(int directory)
{
    int fd = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    int status = 0;

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        return faccessat(directory, ".", W_OK, 0) < 0 ? -errno : 0;
    }
    if (fd < 0) {
        return -errno;
    }
    if (write(fd, "x", 1) != 1) {
        status = -errno;
    }
    (void)close(fd);
    return status;
}

/* How many things have been set aside below PATH. */
static size_t
count_set_aside(const char *path)
{
    char name[TEXT_SIZE];
    struct pamfiles_names names = {.list = NULL};
    const struct pamfiles place = {.directories = {name}};
    size_t count = 0;

    (void)snprintf(name, sizeof(name), "%s/set-aside", path);
    if (pamfiles_list(&place, &names) == 0) {
        count = names.count;
        pamfiles_names_free(&names);
    }
    return count;
}

/* Why a directory that could not be opened is not trusted, and what to do. */
static const char *
distrust(int status)
{
    if (status == -EPERM) {
        return "it, or what it is in, belongs to others than root or can be "
               "written by them; chown root it and chmod 0700 it";
    }
    if (status == -ELOOP || status == -ENOTDIR) {
        return "it, or what it is in, is a symbolic link or no directory; name "
               "the directory itself";
    }
    return admin_words(status);
}

/* What the records are in, in the directory FD, which is that of PATH. */
static void
check_sessions_directory(struct admin *admin, const char *what,
                         const char *path, int fd)
{
    int sessions =
        safefs_open_directory_at(fd, "sessions", 0, SAFEFS_FAIL_IF_MISSING);

    if (sessions >= 0) {
        (void)close(sessions);
    } else if (sessions != -ENOENT) {
        report(admin, VERDICT_WRONG, what, "%s/sessions cannot be trusted: %s",
               path, distrust(sessions));
    }
}

static void
check_open_directory(struct admin *admin, const char *what, const char *path,
                     int fd)
{
    struct stat status;
    int written = try_to_write(fd);
    size_t aside = count_set_aside(path);

    if (fstat(fd, &status) < 0) {
        report(admin, VERDICT_WRONG, what, "%s: %s", path, admin_words(errno));
    } else if ((status.st_mode & 077) != 0) {
        report(admin, VERDICT_WRONG, what,
               "%s can be looked into by others (mode %04o); chmod 0700 it",
               path, (unsigned)status.st_mode & 07777);
    } else if (written < 0) {
        report(admin, VERDICT_WRONG, what,
               "%s cannot be written to: %s; sessions are not recorded there",
               path, admin_words(written));
    } else {
        report(admin, VERDICT_OK, what, "%s is root's alone and can be written",
               path);
    }
    if (aside > 0) {
        report(admin, VERDICT_NOTE, what,
               "%zu in %s/set-aside, which were no records; look at them, then "
               "remove them",
               aside, path);
    }
}

static void
check_directory(struct admin *admin, const char *what, const char *path)
{
    char above[TEXT_SIZE];
    struct stat status;
    char *slash = NULL;
    int fd = safefs_open_directory(path, 0, SAFEFS_FAIL_IF_MISSING);

    if (fd >= 0) {
        check_open_directory(admin, what, path, fd);
        check_sessions_directory(admin, what, path, fd);
        (void)close(fd);
        return;
    }
    (void)snprintf(above, sizeof(above), "%s", path);
    slash = strrchr(above, '/');
    if (slash != NULL && slash > above) {
        *slash = '\0';
    }
    if (fd == -ENOENT && slash != NULL && stat(above, &status) == 0 &&
        S_ISDIR(status.st_mode)) {
        report(admin, VERDICT_OK, what,
               "%s is not there yet; it is made when it is needed", path);
    } else if (fd == -ENOENT) {
        report(admin, VERDICT_WRONG, what,
               "%s is not there, nor is what it would be in; mkdir -p -m 0700 "
               "it",
               path);
    } else {
        report(admin, VERDICT_WRONG, what, "%s cannot be trusted: %s", path,
               distrust(fd));
    }
}

/* What lies among the records. */

static bool
look_at_record(void *data, const struct registry_entry *entry)
{
    struct admin *admin = data;
    const struct session_unreadable unreadable = {.key = entry->key,
                                                  .fault = entry->fault};

    if (entry->record == NULL) {
        report(admin, VERDICT_WRONG, "record", "%s: %s%s",
               sessions_path(admin, &unreadable.key),
               sessions_fault_words(&unreadable),
               sessions_is_set_aside(&unreadable)
                   ? "; krb5cc reap sets it aside"
                   : "");
    }
    return true;
}

static void
check_records(struct admin *admin)
{
    /* Of a place that cannot be read its own check has told. */
    (void)registry_visit(&admin->registry, REGISTRY_EVERYBODY, look_at_record,
                         admin);
}

/* krb5.conf. */

static void
check_config_file(struct admin *admin, const char *path)
{
    static const char what[] = "krb5.conf";
    struct stat status;

    if (stat(path, &status) < 0) {
        report(admin, VERDICT_WRONG, what,
               "%s: %s; write it, with default_realm in [libdefaults]", path,
               admin_words(errno));
    } else if (!S_ISDIR(status.st_mode) && (status.st_mode & 0444) != 0444) {
        report(admin, VERDICT_WRONG, what,
               "%s cannot be read by everybody (mode %04o), and so not by %s; "
               "chmod 0644 it",
               path, (unsigned)status.st_mode & 07777, HELPER_USER);
    } else {
        report(admin, VERDICT_OK, what, "%s can be read by everybody", path);
    }
}

static void
check_config(struct admin *admin)
{
    /* As libkrb5 has it: several, with colons between them. */
    const char *files = getenv("KRB5_CONFIG");
    char *copy = strdup(files == NULL ? "/etc/krb5.conf" : files);
    char *rest = copy;
    char *path = NULL;

    while ((path = strsep(&rest, ":")) != NULL) {
        if (*path != '\0') {
            check_config_file(admin, path);
        }
    }
    free(copy);
}

/* The keytab, and the KDC by it. */

/* What the helper has to say meanwhile. */
static void
pass_on(void *data, enum log_level level, const char *text)
{
    enum verdict verdict =
        level == LOG_LEVEL_ERROR ? VERDICT_WRONG : VERDICT_NOTE;

    if (admin_is_of_krb5_conf(text)) {
        report(data, verdict, "krb5.conf", "%s",
               text + strlen(ADMIN_OF_KRB5_CONF));
    } else {
        report(data, verdict, "keytab", "%s", text);
    }
}

/* What to do about OUTCOME of a probe. */
static const char *
remedy(enum outcome outcome, bool helper_is_well)
{
    switch ((int)outcome) {
    case OUTCOME_KDC_UNREACHABLE:
    case OUTCOME_DEADLINE:
        return "look at [realms] of krb5.conf, at DNS, the network and the "
               "firewall (port 88, UDP and TCP)";
    case OUTCOME_UNKNOWN_PRINCIPAL:
        return "with Active Directory it means nothing, which knows no host/ "
               "principal as a client; with any other KDC make the principal "
               "(addprinc -randkey) and its keytab (ktadd), or no login is "
               "verified";
    case OUTCOME_WRONG_PASSWORD:
    case OUTCOME_NO_COMMON_ENCTYPE:
        return "the keytab is out of date: make it anew (ktadd), or copy it "
               "again";
    case OUTCOME_CLOCK_SKEW:
        return "set the clock, and let a time service keep it";
    case OUTCOME_UNVERIFIED:
        return "no KDC can be verified: make a host/ principal (addprinc "
               "-randkey) and its keytab (ktadd)";
    case OUTCOME_CONFIGURATION:
        return "mend krb5.conf";
    case OUTCOME_HELPER_UNSAFE:
    case OUTCOME_HELPER_FAILED:
        return helper_is_well
                   ? "the helper's path is right, but it does not run: run it "
                     "by hand, look at its libraries (ldd), at noexec, and "
                     "whether this root has CAP_SETUID and CAP_SETGID; install "
                     "module, helper and krb5cc of one version again"
                   : "see what is said of the helper";
    default:
        return "see pam_krb5cc(8), WHAT YOU SEE, WHAT TO DO";
    }
}

/* Whether the file of the keytab NAME is for root's eyes only. */
static void
check_keytab_file(struct admin *admin, const char *name)
{
    const char *path = name + strcspn(name, ":") + 1;
    struct stat status;

    if (strncmp(name, "FILE:", 5) != 0 && strncmp(name, "WRFILE:", 7) != 0) {
        return;
    }
    if (stat(path, &status) < 0) {
        /* The probe has said so. */
        return;
    }
    if (status.st_uid != 0 || (status.st_mode & 027) != 0) {
        report(admin, VERDICT_WRONG, "keytab",
               "%s is not for root alone (uid %u, mode %04o): who can read it "
               "can pose as this machine and as its KDC; chown root and chmod "
               "0600 it, and make a new key (ktadd)",
               path, (unsigned)status.st_uid, (unsigned)status.st_mode & 07777);
    } else if ((status.st_mode & 040) != 0 && status.st_gid != 0) {
        report(admin, VERDICT_NOTE, "keytab",
               "%s can be read by the group %u: all in it can pose as this "
               "machine and as its KDC",
               path, (unsigned)status.st_gid);
    }
}

/* Says what came of a probe that has not succeeded. */
static void
report_probe(struct admin *admin, const struct admin_answer *answer,
             bool helper_is_well)
{
    bool is_old = answer->outcome == OUTCOME_WRONG_PASSWORD;
    size_t skipped = is_old ? strlen(outcome_name(answer->outcome)) : 0;

    report(admin,
           /* With Active Directory it is as it should be. */
           answer->outcome == OUTCOME_UNKNOWN_PRINCIPAL ? VERDICT_NOTE
                                                        : VERDICT_WRONG,
           answer->outcome == OUTCOME_CONFIGURATION ? "krb5.conf" : "keytab",
           "%s%s; %s", is_old ? "the key does not match" : "",
           answer->cause + skipped, remedy(answer->outcome, helper_is_well));
}

static void
check_keytab(struct admin *admin, bool helper_is_well)
{
    struct admin_answer answer;

    admin_ask_machine(admin, JOB_PROBE, pass_on, admin, &answer);
    if (answer.outcome == OUTCOME_SUCCESS) {
        report(admin, VERDICT_OK, "keytab",
               "a KDC has answered, and it has the keytab's key of %s",
               answer.principal == NULL ? "?" : answer.principal);
    } else {
        report_probe(admin, &answer, helper_is_well);
    }
    if (answer.cache != NULL) {
        check_keytab_file(admin, answer.cache);
    }
    admin_answer_free(&answer);
}

/* The stacks. */

/* The default cache, as libkrb5 has it for root: of its kind is everybody's. */
static char *
ask_default_cache(struct admin *admin)
{
    char user[] = "root";
    char nothing[] = "";
    const struct record root = {.cache = nothing, .user = user};
    struct admin_answer answer;
    char *name = NULL;

    admin_ask(admin, JOB_DESCRIBE, &root, &answer);
    name = answer.cache == NULL ? NULL : strdup(answer.cache);
    admin_answer_free(&answer);
    return name;
}

/* Places that krb5cc is not looking at. */
static void
check_places(struct admin *admin, const char *what,
             const struct pamfiles_service *service)
{
    if (*service->state_dir != '\0' &&
        strcmp(service->state_dir, admin->registry.state_dir) != 0) {
        report(admin, VERDICT_NOTE, what,
               "its sessions are recorded in %s; krb5cc sees them with "
               "--state-dir",
               service->state_dir);
    }
    if (*service->runtime_dir != '\0' &&
        strcmp(service->runtime_dir, admin->registry.runtime_dir) != 0) {
        report(admin, VERDICT_NOTE, what,
               "it uses %s; krb5cc looks there with --runtime-dir",
               service->runtime_dir);
    }
}

/* The order of pam_krb5cc.so and pam_keyinit.so in the session stack. */
static void
check_keyinit(struct admin *admin, const char *what,
              const struct pamfiles_service *service, const char *cache)
{
    bool needs = ccname_is_in_session_keyring(
        *service->ccache != '\0' ? service->ccache : cache);

    if (service->is_keyinit_late && needs) {
        report(admin, VERDICT_WRONG, what,
               "pam_keyinit.so stands behind pam_krb5cc.so in the session "
               "stack, and the caches are in the session keyring; put it "
               "before");
    } else if (service->is_keyinit_late) {
        report(admin, VERDICT_OK, what,
               "pam_krb5cc.so stands before pam_keyinit.so, which does not "
               "matter to caches outside the session keyring");
    } else if (!service->has_keyinit && needs) {
        report(admin, VERDICT_WRONG, what,
               "the caches are in the session keyring, and pam_keyinit.so is "
               "missing; put \"session optional pam_keyinit.so force revoke\" "
               "before pam_krb5cc.so");
    } else {
        report(admin, VERDICT_OK, what, "pam_krb5cc.so stands %s",
               service->has_keyinit ? "behind pam_keyinit.so"
                                    : "where it may stand");
    }
}

/* Directories that each session has for itself alone. */
static void
check_namespace(struct admin *admin, const char *what,
                const struct pamfiles_service *service, const char *cache)
{
    const char *name = *service->ccache != '\0' ? service->ccache : cache;

    if (service->has_namespace && service->has_krb5cc_auth &&
        (*name == '/' || strncmp(name, "FILE:", 5) == 0 ||
         strncmp(name, "DIR:", 4) == 0)) {
        report(admin, VERDICT_NOTE, what,
               "pam_namespace.so is in the session stack: where it makes the "
               "directory of the caches private (namespace.conf), the session "
               "does not see its cache; take KEYRING:persistent or KCM");
    }
}

/* Whether the session stack of the service NAME does what it is for. */
static void
check_session(struct admin *admin, const char *what, const char *name,
              const struct pamfiles_service *service, const char *cache)
{
    if (pamfiles_is_part(name)) {
        /* What is not in it may be in those that include it. */
        report(admin, VERDICT_OK, what,
               "pam_krb5cc.so is in it, for the services that include it");
    } else if (!service->has_krb5cc_auth) {
        report(admin, VERDICT_OK, what,
               "pam_krb5cc.so gets no tickets there: it is not in the auth "
               "stack");
    } else if (service->has_krb5cc_session) {
        check_keyinit(admin, what, service, cache);
    } else if (service->has_session) {
        report(admin, VERDICT_NOTE, what,
               "pam_krb5cc.so is not in the session stack: nothing destroys "
               "the cache when the session ends");
    } else {
        report(admin, VERDICT_OK, what,
               "it has no session stack, as a screen locker has none");
    }
}

/* Who hears the arguments of pam_krb5cc.so. */
struct hearing {
    struct admin *admin;
    const char *what;
    struct options options;
};

/* Who owns nothing (the kernel's overflow uid). */
#define NOBODY 65534

/* Whether sessions can have caches with the name that TEMPLATE gives. */
static void
check_template(const struct hearing *hearing, const char *template)
{
    const struct expand_values values = {
        .uid = NOBODY, .user = "nobody", .service = "krb5cc"};
    char nobody[] = "nobody";
    struct admin_answer answer = {.outcome = OUTCOME_SUCCESS};
    char *name = NULL;
    int status = expand_template(template, &values, &name);

    if (status < 0) {
        report(hearing->admin, VERDICT_WRONG, hearing->what,
               "the template %.200s %s; see pam_krb5cc(8), OPTIONS", template,
               status == -EINVAL ? "has an unknown token"
                                 : admin_words(status));
        return;
    }
    /*
     * Whether it is there is another question; it is not root that looks, where
     * anybody may have put something.
     */
    admin_ask(hearing->admin, JOB_DESCRIBE,
              &(struct record){
                  .cache = name, .user = nobody, .uid = NOBODY, .gid = NOBODY},
              &answer);
    if (answer.outcome == OUTCOME_CACHE_KIND) {
        report(hearing->admin, VERDICT_WRONG, hearing->what,
               "ccache=%.200s: %s; see pam_krb5cc(8), OPTIONS", template,
               answer.cause);
    }
    admin_answer_free(&answer);
    free(name);
}

static void
check_argument(void *data, const char *text)
{
    struct hearing *hearing = data;
    int status = options_set(&hearing->options, OPTION_FROM_ARGUMENT, text);

    if (status == 0 && (strncmp(text, "ccache=", 7) == 0 ||
                        strncmp(text, "ccname_template=", 16) == 0)) {
        check_template(hearing, hearing->options.ccache);
    }
    if (status == -ENOTSUP) {
        report(hearing->admin, VERDICT_WRONG, hearing->what,
               "pam_krb5cc.so does not support \"%.200s\": %s", text,
               options_advice(text));
    } else if (status < 0 && status != -ENOMEM) {
        report(hearing->admin, VERDICT_WRONG, hearing->what,
               "pam_krb5cc.so does not take \"%.200s\" (%s); see "
               "pam_krb5cc(8), OPTIONS",
               text,
               status == -ENOENT   ? "no such option"
               : status == -ERANGE ? "out of range"
                                   : "no legal value");
    }
}

/* Reads the service NAME, which WHAT is; 0 or -errno. */
static int
read_service(struct admin *admin, const char *what, const char *name,
             struct pamfiles_service *service_out)
{
    struct hearing hearing = {.admin = admin, .what = what};
    const struct pamfiles pamfiles = {
        .directories = {"/etc/pam.d", "/usr/lib/pam.d"},
        .hear_argument = check_argument,
        .data = &hearing,
    };
    int status = options_init(&hearing.options);

    if (status == 0) {
        status = pamfiles_read(&pamfiles, name, service_out);
        options_free(&hearing.options);
    }
    return status;
}

/* Whether pam_krb5cc.so is in one of the stacks of the service NAME. */
static bool
check_service(struct admin *admin, const char *name, const char *cache)
{
    struct pamfiles_service service = {.fault = 0};
    char what[320];
    int status = 0;

    (void)snprintf(what, sizeof(what), "stack %.256s", name);
    status = read_service(admin, what, name, &service);
    if (status < 0 && status != -EINVAL) {
        report(admin, VERDICT_WRONG, what, "cannot be read: %s",
               admin_words(status));
    }
    if (status < 0 || !service.has_krb5cc) {
        return false;
    }
    check_session(admin, what, name, &service, cache);
    check_places(admin, what, &service);
    if (service.fault != 0) {
        report(admin, VERDICT_WRONG, what,
               "it includes %s, which cannot be "
               "read: %s",
               service.unreadable, admin_words(service.fault));
    }
    check_namespace(admin, what, &service, cache);
    if (service.has_krb5) {
        report(admin, VERDICT_NOTE, what,
               "pam_krb5.so is there too: both make a cache; take one of them "
               "out");
    }
    if (service.has_sss) {
        report(admin, VERDICT_NOTE, what,
               "pam_sss.so is there too: if SSSD does Kerberos "
               "(auth_provider), both get tickets");
    }
    return true;
}

static void
check_stacks(struct admin *admin)
{
    static const char what[] = "stack";
    const struct pamfiles pamfiles = {
        .directories = {"/etc/pam.d", "/usr/lib/pam.d"}};
    struct pamfiles_names names = {.list = NULL};
    char *cache = ask_default_cache(admin);
    size_t count = 0;
    int status = pamfiles_list(&pamfiles, &names);

    if (status < 0) {
        report(admin, VERDICT_WRONG, what, "/etc/pam.d: %s",
               admin_words(status));
    }
    for (size_t i = 0; i < names.count; i++) {
        count +=
            check_service(admin, names.list[i], cache == NULL ? "" : cache);
    }
    if (status == 0 && count == 0) {
        report(admin, VERDICT_NOTE, what,
               "no file of /etc/pam.d has pam_krb5cc.so; see README for how to "
               "put it there");
    }
    pamfiles_names_free(&names);
    free(cache);
}

void
admin_check(struct admin *admin)
{
    bool helper_is_well = check_helper(admin);

    check_module(admin);
    check_account(admin);
    check_directory(admin, "state directory", admin->registry.state_dir);
    check_directory(admin, "runtime directory", admin->registry.runtime_dir);
    check_records(admin);
    check_config(admin);
    check_keytab(admin, helper_is_well);
    check_stacks(admin);
}
