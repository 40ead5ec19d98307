/* krb5cc check: a machine as it should be, and one fault after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <krb5.h>

#include "admin/desk.h"

#define PAM "/etc/pam.d"
#define VENDOR "/usr/lib/pam.d"
#define KEYTAB DESK "/keytab"
#define HOST "host/testhost.pam.test"

static bool has_vendor;

static void
write_stack(const char *service, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof(path), PAM "/%s", service);
    (void)unlink(path);
    common_write(path, text, 0, 0644);
}

/* A machine as it should be; its PAM configuration is empty but for sshd. */
static void
begin(void)
{
    if (geteuid() != 0 || getenv("IN_TEST_NAMESPACE") == NULL) {
        return;
    }
    desk_begin();
    /* For the helper: what is in it is the test's. */
    ck_assert_int_eq(chmod(DESK, 0755), 0);
    ck_assert_int_eq(mount("none", PAM, "tmpfs", 0, "mode=755"), 0);
    /* What the machine's packages have there is not the test's. */
    has_vendor = mount("none", VENDOR, "tmpfs", 0, "mode=755") == 0;
    write_stack("sshd", "auth optional pam_krb5cc.so\n"
                        "session optional pam_keyinit.so force revoke\n"
                        "session optional pam_krb5cc.so\n");
}

static void
end(void)
{
    if (geteuid() == 0 && getenv("IN_TEST_NAMESPACE") != NULL) {
        (void)umount2(PAM, MNT_DETACH);
        if (has_vendor) {
            (void)umount2(VENDOR, MNT_DETACH);
        }
        desk_end();
    }
}

/* Nothing is WRONG, and a line has TEXT. */
#define CHECK_GOOD(text)                                                       \
    do {                                                                       \
        RUN("check --timeout 5", 0);                                           \
        ck_assert_uint_eq(desk_count("WRONG"), 0);                             \
        ck_assert_msg(desk_count(text) == 1, "%s: %s", text, desk_output());   \
    } while (0)

/* One line is WRONG, and begins with TEXT. */
#define CHECK_WRONG(words, text)                                               \
    do {                                                                       \
        RUN(words, 1);                                                         \
        ck_assert_msg(desk_count("WRONG") == 1, "%s", desk_output());          \
        ck_assert_msg(desk_count("WRONG  " text) == 1, "%s: %s", text,         \
                      desk_output());                                          \
    } while (0)

START_TEST(test_check_of_a_good_machine_has_nothing_wrong)
{
    NEEDS_NAMESPACE();
    CHECK_GOOD("ok     helper: ");
    ck_assert_uint_eq(desk_count("ok     account: _pam_krb5cc"), 1);
    ck_assert_uint_eq(desk_count("ok     state directory: " DESK_STATE), 1);
    ck_assert_uint_eq(desk_count("ok     runtime directory: "), 1);
    ck_assert_uint_eq(desk_count("ok     krb5.conf: "), 1);
    ck_assert_uint_eq(desk_count("ok     keytab: "), 1);
    ck_assert_uint_eq(desk_count("the keytab's key of " HOST), 1);
    ck_assert_uint_eq(desk_count("ok     stack sshd: "), 1);
    ck_assert_uint_eq(desk_count("ok     module: " DESK_MODULE), 1);
    ck_assert_uint_eq(desk_count(""), 9); /* eight, and the end */
    ck_assert_str_eq(desk_errors(), "");
}
END_TEST

/* The helper. */

START_TEST(test_check_helper_that_is_missing)
{
    NEEDS_NAMESPACE();
    RUN("check --helper /nowhere/helper", 1);
    ck_assert_uint_eq(desk_count("WRONG  helper: /nowhere/helper: No such"), 1);
}
END_TEST

/* A copy of the helper with these ids and mode. */
static void
copy_helper(const char *path, uid_t uid, mode_t mode)
{
    char command[512];

    (void)snprintf(command, sizeof(command), "cp %s %s", stack_helper(), path);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(chown(path, uid, 0), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(test_check_helper_that_others_can_change)
{
    static const char words[] = "check --helper " DESK "/helper";

    NEEDS_NAMESPACE();
    copy_helper(DESK "/helper", 0, 0775);
    RUN(words, 1);
    ck_assert_uint_eq(desk_count("WRONG  helper: " DESK "/helper: " DESK
                                 "/helper can be changed by others"),
                      1);
    copy_helper(DESK "/helper", common_uid("alice"), 0755);
    RUN(words, 1);
    ck_assert_uint_eq(desk_count("can be changed by others"), 2);
    /* It is in a directory of somebody's. */
    copy_helper(DESK "/helper", 0, 0711);
    ck_assert_int_eq(chmod(DESK, 0777), 0);
    RUN(words, 1);
    ck_assert_uint_eq(desk_count("helper: " DESK " can be changed by others"),
                      2);
    ck_assert_int_eq(chmod(DESK, 0755), 0);
}
END_TEST

START_TEST(test_check_helper_behind_a_link)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(symlink(stack_helper(), DESK "/helper"), 0);
    RUN("check --helper " DESK "/helper", 1);
    ck_assert_uint_eq(desk_count("WRONG  helper: " DESK "/helper: " DESK
                                 "/helper is a symbolic link"),
                      1);
    /* The one that is the link is named. */
    ck_assert_int_eq(symlink("/usr", DESK "/link"), 0);
    RUN("check --helper " DESK "/link/bin/true", 1);
    ck_assert_uint_eq(desk_count("WRONG  helper: " DESK "/link/bin/true: " DESK
                                 "/link is a symbolic link"),
                      1);
}
END_TEST

/* The path is right and the file is none that can be run. */
START_TEST(test_check_helper_that_does_not_run)
{
    NEEDS_NAMESPACE();
    common_write(DESK "/helper", "\177ELF, no more", 0, 0711);
    CHECK_WRONG("check --helper " DESK "/helper", "keytab: ");
    ck_assert_uint_eq(desk_count("ok     helper: "), 1);
    ck_assert_uint_eq(desk_count("see what is said of the helper"), 0);
    ck_assert_uint_eq(desk_count("but it does not run"), 1);
    RUN("check --helper /nowhere/helper", 1);
    ck_assert_uint_eq(desk_count("see what is said of the helper"), 1);
}
END_TEST

START_TEST(test_check_helper_with_another_mode)
{
    static const char words[] = "check --helper " DESK "/helper";

    NEEDS_NAMESPACE();
    copy_helper(DESK "/helper", 0, 0700);
    CHECK_WRONG(words, "helper: " DESK "/helper cannot be run by everybody");
    copy_helper(DESK "/helper", 0, 04711);
    CHECK_WRONG(words, "helper: " DESK "/helper is set-user-ID");
    copy_helper(DESK "/helper", 0, 0755);
    RUN(words, 0);
    ck_assert_uint_eq(
        desk_count("note   helper: " DESK "/helper can be read (mode 0755)"),
        1);
}
END_TEST

/* The module. */

START_TEST(test_check_module_that_is_missing)
{
    NEEDS_NAMESPACE();
    CHECK_WRONG("check --module /nowhere/pam_krb5cc.so",
                "module: /nowhere/pam_krb5cc.so: No such file");
    ck_assert_int_eq(unlink(DESK_MODULES "/pam_unix.so"), 0);
    CHECK_GOOD("note   module: " DESK_MODULE " has no pam_unix.so beside it");
}
END_TEST

START_TEST(test_check_module_that_others_can_change)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(unlink(DESK_MODULE), 0);
    common_write(DESK_MODULE, "", 0, 0664);
    CHECK_WRONG("check", "module: " DESK_MODULE ": " DESK_MODULE
                         " can be changed by others");
    ck_assert_int_eq(chmod(DESK_MODULE, 0600), 0);
    CHECK_WRONG("check", "module: " DESK_MODULE
                         " cannot be loaded by everybody (mode 0600)");
    ck_assert_int_eq(chmod(DESK_MODULE, 0644), 0);
    CHECK_GOOD("ok     module: ");
    ck_assert_int_eq(chown(DESK_MODULE, common_uid("alice"), 0), 0);
    CHECK_WRONG("check", "module: " DESK_MODULE ": " DESK_MODULE
                         " can be changed by others");
}
END_TEST

START_TEST(test_check_account_that_is_missing)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(system("grep -v _pam_krb5cc /etc/passwd >" DESK "/passwd"),
                     0);
    ck_assert_int_eq(chmod(DESK "/passwd", 0644), 0);
    ck_assert_int_eq(mount(DESK "/passwd", "/etc/passwd", NULL, MS_BIND, NULL),
                     0);
    (void)desk_run("check");
    ck_assert_int_eq(umount2("/etc/passwd", MNT_DETACH), 0);
    ck_assert_uint_eq(desk_count("WRONG  account: _pam_krb5cc does not exist"),
                      1);
    ck_assert_uint_eq(desk_count("systemd-sysusers"), 1);
}
END_TEST

/* The directories. */

START_TEST(test_check_state_directory_that_others_can_write)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(chmod(DESK_STATE, 0777), 0);
    CHECK_WRONG("check", "state directory: " DESK_STATE " cannot be trusted");
    ck_assert_int_eq(chmod(DESK_STATE, 0700), 0);
    ck_assert_int_eq(chown(DESK_STATE, common_uid("alice"), 0), 0);
    CHECK_WRONG("check", "state directory: " DESK_STATE " cannot be trusted");
}
END_TEST

START_TEST(test_check_state_directory_that_others_can_read)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(chmod(DESK_STATE, 0755), 0);
    CHECK_WRONG("check", "state directory: " DESK_STATE
                         " can be looked into by others (mode 0755)");
}
END_TEST

START_TEST(test_check_state_directory_that_is_a_link)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(rmdir(DESK_STATE), 0);
    ck_assert_int_eq(symlink(DESK_RUNTIME, DESK_STATE), 0);
    CHECK_WRONG("check",
                "state directory: " DESK_STATE
                " cannot be trusted: it, or what it is in, is a symbolic");
}
END_TEST

START_TEST(test_check_state_directory_that_is_missing)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(rmdir(DESK_STATE), 0);
    CHECK_GOOD("state directory: " DESK_STATE " is not there yet");
    CHECK_WRONG("check --state-dir /nowhere/state",
                "state directory: /nowhere/state is not there, nor");
}
END_TEST

START_TEST(test_check_state_directory_that_cannot_be_written)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(mount("none", DESK_STATE, "tmpfs", MS_RDONLY, "mode=700"),
                     0);
    RUN("check", 1);
    ck_assert_int_eq(umount2(DESK_STATE, MNT_DETACH), 0);
    ck_assert_uint_eq(desk_count("WRONG  state directory: " DESK_STATE
                                 " cannot be written to: Read-only"),
                      1);
}
END_TEST

START_TEST(test_check_runtime_directory_that_others_can_write)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(chmod(DESK_RUNTIME, 0777), 0);
    CHECK_WRONG("check",
                "runtime directory: " DESK_RUNTIME " cannot be trusted");
}
END_TEST

START_TEST(test_check_what_was_set_aside_is_noted)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(mkdir(DESK_STATE "/set-aside", 0700), 0);
    common_write(DESK_STATE "/set-aside/1000.x", "", 0, 0600);
    CHECK_GOOD("note   state directory: 1 in " DESK_STATE "/set-aside");
}
END_TEST

/* The records. */

START_TEST(test_check_directory_of_sessions_that_others_can_write)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(mkdir(DESK_STATE "/sessions", 0700), 0);
    CHECK_GOOD("ok     state directory: ");
    ck_assert_int_eq(chmod(DESK_STATE "/sessions", 0777), 0);
    CHECK_WRONG("check",
                "state directory: " DESK_STATE "/sessions cannot be trusted");
    ck_assert_int_eq(rmdir(DESK_STATE "/sessions"), 0);
    ck_assert_int_eq(symlink(DESK_RUNTIME, DESK_STATE "/sessions"), 0);
    CHECK_WRONG("check",
                "state directory: " DESK_STATE "/sessions cannot be trusted");
}
END_TEST

START_TEST(test_check_directory_of_a_user_that_others_can_write)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(mkdir(DESK_STATE "/sessions", 0700), 0);
    ck_assert_int_eq(mkdir(DESK_STATE "/sessions/1000", 0700), 0);
    CHECK_GOOD("ok     state directory: ");
    ck_assert_int_eq(chmod(DESK_STATE "/sessions/1000", 0775), 0);
    CHECK_WRONG("check", "record: " DESK_STATE "/sessions/1000: it is not "
                         "root's alone, so no record in it is trusted; chown");
    ck_assert_uint_eq(desk_count("sets it aside"), 0);
}
END_TEST

START_TEST(test_check_what_is_no_record)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(mkdir(DESK_STATE "/sessions", 0700), 0);
    common_write(DESK_STATE "/sessions/stray", "", 0, 0600);
    CHECK_WRONG("check", "record: " DESK_STATE "/sessions/stray: it is no "
                         "directory of a user's records; krb5cc reap sets it");
}
END_TEST

/* krb5.conf, keytab, KDC. */

START_TEST(test_check_krb5_conf_that_not_everybody_can_read)
{
    NEEDS_NAMESPACE();
    common_config("");
    ck_assert_int_eq(chmod(getenv("KRB5_CONFIG"), 0600), 0);
    RUN("check", 1);
    ck_assert_uint_eq(desk_count("WRONG  krb5.conf: "), 2);
    ck_assert_uint_eq(desk_count("cannot be read by everybody (mode 0600)"), 1);
    /* Who talks to the KDC cannot read it either. */
    ck_assert_uint_eq(desk_count("WRONG  krb5.conf: configuration: "), 1);
}
END_TEST

START_TEST(test_check_krb5_conf_that_is_missing)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(setenv("KRB5_CONFIG", "/nowhere/krb5.conf", 1), 0);
    RUN("check", 1);
    ck_assert_uint_eq(
        desk_count("WRONG  krb5.conf: /nowhere/krb5.conf: No such file"), 1);
}
END_TEST

START_TEST(test_check_krb5_conf_without_a_default_realm)
{
    NEEDS_NAMESPACE();
    common_write(DESK "/krb5.conf", "[libdefaults]\ndns_lookup_realm = false\n",
                 0, 0644);
    ck_assert_int_eq(setenv("KRB5_CONFIG", DESK "/krb5.conf", 1), 0);
    CHECK_WRONG("check", "krb5.conf: configuration: no default_realm");
}
END_TEST

START_TEST(test_check_default_realm_that_is_not_the_keytabs)
{
    NEEDS_NAMESPACE();
    CHECK_GOOD("ok     keytab: ");
    ck_assert_uint_eq(desk_count("users are looked for in"), 0);
    common_config("[libdefaults]\ndefault_realm = PAMM.TEST\n");
    CHECK_GOOD("note   keytab: users are looked for in the realm PAMM.TEST "
               "(default_realm), the keytab is of PAM.TEST");
}
END_TEST

/* What the module would log at each login. */
START_TEST(test_check_appdefaults_that_are_no_legal_values)
{
    NEEDS_NAMESPACE();
    common_config("[appdefaults]\npam = {\nminimum_uid = many\n"
                  "tokens = true\n}\n");
    RUN("check", 1);
    ck_assert_uint_eq(
        desk_count("WRONG  krb5.conf: [appdefaults]: many is not a legal value "
                   "of minimum_uid"),
        1);
    ck_assert_uint_eq(
        desk_count("WRONG  krb5.conf: [appdefaults]: tokens is not supported: "
                   "AFS"),
        1);
    /* Not by each helper. */
    ck_assert_uint_eq(desk_count("minimum_uid"), 1);
    ck_assert_uint_eq(desk_count("tokens"), 1);
    ck_assert_str_eq(desk_errors(), "");
}
END_TEST

/* What is legal, and hardly meant. */
START_TEST(test_check_appdefaults_that_are_hardly_meant)
{
    NEEDS_NAMESPACE();
    common_config("[appdefaults]\npam = {\nignore_rot = true\n"
                  "ignore_root = ture\nhelper = /bin/true\n}\n");
    CHECK_GOOD("note   krb5.conf: [appdefaults], pam: there is no option "
               "ignore_rot");
    CHECK_GOOD("note   krb5.conf: [appdefaults], pam: ignore_root = ture is a "
               "list of services");
    CHECK_GOOD("note   krb5.conf: [appdefaults], pam: helper has no effect "
               "here");
}
END_TEST

START_TEST(test_check_keytab_that_is_missing)
{
    NEEDS_NAMESPACE();
    ck_assert_int_eq(setenv("KRB5_KTNAME", "FILE:/nowhere", 1), 0);
    CHECK_WRONG("check", "keytab: the KDC could not be verified: cannot read "
                         "the keytab");
}
END_TEST

/* How a key of a planted keytab is. */
enum planted_key { KEY_RIGHT, KEY_WRONG };

/*
 * Adds to KEYTAB, which is the one in use from here on, the keys that the
 * realm's has for the host, as those of PRINCIPAL.
 */
static void
plant_key(const char *principal, enum planted_key planted)
{
    krb5_context context = NULL;
    krb5_keytab from = NULL;
    krb5_keytab to = NULL;
    krb5_kt_cursor cursor = NULL;
    krb5_keytab_entry entry;
    krb5_principal name = NULL;
    const char *source = NULL;
    char text[300];

    if (getenv("PLANTED_FROM") == NULL) {
        ck_assert_int_eq(setenv("PLANTED_FROM", getenv("KRB5_KTNAME"), 1), 0);
    }
    source = getenv("PLANTED_FROM");
    (void)snprintf(text, sizeof(text), "FILE:%s", KEYTAB);
    ck_assert_int_eq(setenv("KRB5_KTNAME", text, 1), 0);
    ck_assert_int_eq(krb5_init_context(&context), 0);
    ck_assert_int_eq(krb5_parse_name(context, principal, &name), 0);
    ck_assert_int_eq(krb5_kt_resolve(context, source, &from), 0);
    ck_assert_int_eq(krb5_kt_resolve(context, text, &to), 0);
    ck_assert_int_eq(krb5_kt_start_seq_get(context, from, &cursor), 0);
    while (krb5_kt_next_entry(context, from, &entry, &cursor) == 0) {
        krb5_principal own = entry.principal;

        entry.principal = name;
        if (planted == KEY_WRONG) {
            entry.key.contents[0] ^= 1;
        }
        ck_assert_int_eq(krb5_kt_add_entry(context, to, &entry), 0);
        entry.principal = own;
        (void)krb5_free_keytab_entry_contents(context, &entry);
    }
    (void)krb5_kt_end_seq_get(context, from, &cursor);
    (void)krb5_kt_close(context, from);
    (void)krb5_kt_close(context, to);
    krb5_free_principal(context, name);
    krb5_free_context(context);
}

START_TEST(test_check_keytab_that_others_can_read)
{
    NEEDS_NAMESPACE();
    plant_key(HOST, KEY_RIGHT);
    ck_assert_int_eq(chmod(KEYTAB, 0600), 0);
    CHECK_GOOD("ok     keytab: ");
    ck_assert_int_eq(chmod(KEYTAB, 0640), 0);
    CHECK_GOOD("ok     keytab: ");
    ck_assert_uint_eq(desk_count("note"), 0);
    ck_assert_int_eq(chown(KEYTAB, 0, common_uid("alice")), 0);
    CHECK_GOOD("note   keytab: " KEYTAB " can be read by the group");
    ck_assert_int_eq(chmod(KEYTAB, 0604), 0);
    CHECK_WRONG("check", "keytab: " KEYTAB " is not for root alone");
    ck_assert_uint_eq(desk_count("ok     keytab: "), 1);
    ck_assert_int_eq(chmod(KEYTAB, 0600), 0);
    ck_assert_int_eq(chown(KEYTAB, common_uid("alice"), 0), 0);
    CHECK_WRONG("check", "keytab: " KEYTAB " is not for root alone");
}
END_TEST

START_TEST(test_check_keytab_without_a_host_key)
{
    NEEDS_NAMESPACE();
    plant_key("app/service.test", KEY_RIGHT);
    CHECK_WRONG("check", "keytab: the KDC could not be verified: the keytab "
                         "has no host/ principal");
}
END_TEST

START_TEST(test_check_keytab_with_an_old_key)
{
    NEEDS_NAMESPACE();
    plant_key(HOST, KEY_WRONG);
    CHECK_WRONG("check", "keytab: the key does not match: " HOST);
    ck_assert_uint_eq(desk_count("the keytab is out of date"), 1);
}
END_TEST

START_TEST(test_check_keytab_of_a_principal_that_is_unknown)
{
    NEEDS_NAMESPACE();
    plant_key("host/nobody.test", KEY_RIGHT);
    /* So it is with Active Directory. */
    CHECK_GOOD("note   keytab: unknown principal: host/nobody.test");
}
END_TEST

/* As in a login, one right key will do; the wrong one is worth a word. */
START_TEST(test_check_keytab_with_one_right_key)
{
    NEEDS_NAMESPACE();
    plant_key("host/nobody.test", KEY_RIGHT);
    plant_key(HOST, KEY_RIGHT);
    CHECK_GOOD("note   keytab: another key of the keytab is wrong: "
               "host/nobody.test");
    ck_assert_uint_eq(desk_count("ok     keytab: "), 1);
}
END_TEST

/* An old key number among newer ones is as it should be. */
START_TEST(test_check_keytab_newest_key_counts)
{
    krb5_context context = NULL;
    krb5_keytab keytab = NULL;
    krb5_keytab_entry entry;
    krb5_principal name = NULL;

    NEEDS_NAMESPACE();
    plant_key(HOST, KEY_RIGHT);
    ck_assert_int_eq(krb5_init_context(&context), 0);
    ck_assert_int_eq(krb5_parse_name(context, HOST, &name), 0);
    ck_assert_int_eq(krb5_kt_resolve(context, "FILE:" KEYTAB, &keytab), 0);
    ck_assert_int_eq(krb5_kt_get_entry(context, keytab, name, 0, 0, &entry), 0);
    entry.vno += 1;
    entry.key.contents[0] ^= 1;
    ck_assert_int_eq(krb5_kt_add_entry(context, keytab, &entry), 0);
    CHECK_WRONG("check", "keytab: the key does not match: ");
}
END_TEST

/* What the administrator sees has none of the key in it. */
START_TEST(test_check_shows_no_key)
{
    unsigned char key[64];
    char command[512];
    size_t length = 0;
    FILE *file = NULL;

    NEEDS_NAMESPACE();
    (void)snprintf(command, sizeof(command),
                   "klist -keK %s | grep -o '(0x[0-9a-f]*)' | head -1 | tr -d "
                   "'()' | cut -c3-",
                   getenv("KRB5_KTNAME"));
    file = popen(command, "re");
    ck_assert_ptr_nonnull(file);
    length = fread(key, 1, sizeof(key) - 1, file);
    key[length] = '\0';
    ck_assert_int_eq(pclose(file), 0);
    key[strcspn((char *)key, "\n")] = '\0';
    ck_assert_uint_gt(strlen((char *)key), 30);
    RUN("check --debug", 0);
    ck_assert_ptr_null(strstr(desk_output(), (char *)key));
    ck_assert_ptr_null(strstr(desk_errors(), (char *)key));
}
END_TEST

START_TEST(test_check_kdc_that_is_not_there)
{
    NEEDS_NAMESPACE();
    common_config_kdc(common_dead_port());
    CHECK_WRONG("check", "keytab: no KDC can be reached: ");
    ck_assert_uint_eq(desk_count("[realms] of krb5.conf"), 1);
}
END_TEST

START_TEST(test_check_kdc_that_is_silent)
{
    NEEDS_NAMESPACE();
    common_config_kdc(common_silent_port());
    CHECK_WRONG("check --timeout 1", "keytab: time ran out: no answer within");
}
END_TEST

/* The stacks. */

START_TEST(test_check_stack_without_us_is_noted)
{
    NEEDS_NAMESPACE();
    write_stack("sshd", "session optional pam_unix.so\n");
    CHECK_GOOD("note   stack: no file of /etc/pam.d has pam_krb5cc.so");
}
END_TEST

START_TEST(test_check_stack_with_keyinit_behind)
{
    NEEDS_NAMESPACE();
    write_stack("login", "auth optional pam_krb5cc.so\n"
                         "@include common-session\n"
                         "session optional pam_keyinit.so force revoke\n");
    write_stack("common-session", "session optional pam_krb5cc.so\n");
    CHECK_GOOD("ok     stack login: pam_krb5cc.so stands before");
    common_config("[libdefaults]\n"
                  "default_ccache_name = KEYRING:login\n");
    CHECK_WRONG("check", "stack login: pam_keyinit.so stands behind");
    ck_assert_uint_eq(desk_count("ok     stack sshd"), 1);
    ck_assert_uint_eq(desk_count("ok     stack common-session"), 1);
}
END_TEST

START_TEST(test_check_stack_without_keyinit)
{
    NEEDS_NAMESPACE();
    write_stack("su", "@include common-auth\n@include common-session\n");
    write_stack("common-auth", "auth optional pam_krb5cc.so\n");
    write_stack("common-session", "session optional pam_krb5cc.so\n");
    CHECK_GOOD("ok     stack su: ");
    /* It matters where the caches are in that keyring. */
    common_config("[libdefaults]\n"
                  "default_ccache_name = KEYRING:session:login\n");
    CHECK_WRONG("check", "stack su: the caches are in the session keyring");
    common_config("[libdefaults]\n"
                  "default_ccache_name = KEYRING:persistent:%{uid}\n");
    CHECK_GOOD("ok     stack su: ");
    write_stack("su", "@include common-auth\n"
                      "session optional pam_krb5cc.so ccache=KEYRING:login\n");
    CHECK_WRONG("check", "stack su: the caches are in the session keyring");
    write_stack("su", "@include common-auth\n"
                      "session optional pam_krb5cc.so ccache=FILE:/tmp/x\n");
    common_config("[libdefaults]\n"
                  "default_ccache_name = KEYRING:session:login\n");
    CHECK_GOOD("ok     stack su: ");
}
END_TEST

START_TEST(test_check_stack_without_a_session_is_noted)
{
    NEEDS_NAMESPACE();
    write_stack("sshd", "auth optional pam_krb5cc.so\n"
                        "session required pam_unix.so\n");
    CHECK_GOOD("note   stack sshd: pam_krb5cc.so is not in the session stack");
    /* Nothing is missing in a screen locker's. */
    write_stack("sshd", "auth optional pam_krb5cc.so\n");
    CHECK_GOOD("ok     stack sshd: it has no session stack");
    ck_assert_uint_eq(desk_count("note"), 0);
}
END_TEST

/* The stacks of the README, among the services of Debian 12 and its units. */
START_TEST(test_check_stacks_of_debian_are_well)
{
    NEEDS_NAMESPACE();
    write_stack("common-auth",
                "auth [success=2 default=ignore] pam_unix.so nullok\n"
                "auth [success=1 default=ignore] pam_krb5cc.so "
                "minimum_uid=1000 use_first_pass\n"
                "auth requisite pam_deny.so\n"
                "auth required pam_permit.so\n");
    write_stack("common-account",
                "account [success=1 new_authtok_reqd=done default=ignore] "
                "pam_unix.so\n"
                "account requisite pam_deny.so\naccount required "
                "pam_permit.so\n"
                "account required pam_krb5cc.so minimum_uid=1000\n");
    write_stack("common-session",
                "session required pam_unix.so\n"
                "session optional pam_systemd.so\n"
                "session optional pam_krb5cc.so minimum_uid=1000\n");
    write_stack("common-session-noninteractive",
                "session required pam_unix.so\n"
                "session optional pam_krb5cc.so minimum_uid=1000\n");
    write_stack("sshd", "@include common-auth\n@include common-account\n"
                        "session optional pam_keyinit.so force revoke\n"
                        "@include common-session\n");
    write_stack("cron", "@include common-auth\n@include common-account\n"
                        "@include common-session-noninteractive\n");
    write_stack("systemd-user", "@include common-account\n"
                                "session required pam_loginuid.so\n"
                                "@include common-session-noninteractive\n"
                                "session optional pam_keyinit.so force revoke\n"
                                "session optional pam_systemd.so\n");
    write_stack("xscreensaver", "@include common-auth\n"
                                "@include common-account\n");
    CHECK_GOOD("ok     stack xscreensaver: ");
    ck_assert_msg(desk_count("note") == 0, "%s", desk_output());
    ck_assert_uint_eq(desk_count("ok     stack systemd-user: "), 1);
    ck_assert_uint_eq(desk_count("ok     stack common-"), 4);
}
END_TEST

START_TEST(test_check_options_that_do_not_exist)
{
    NEEDS_NAMESPACE();
    write_stack("common-auth", "auth optional pam_krb5cc.so min_uid=5 debug\n");
    write_stack("su", "@include common-auth\n");
    /* Once, where it stands. */
    CHECK_WRONG("check", "stack common-auth: pam_krb5cc.so does not take "
                         "\"min_uid=5\" (no such option)");
    write_stack("common-auth", "auth optional pam_krb5cc.so timeout=5000\n");
    CHECK_WRONG("check", "stack common-auth: pam_krb5cc.so does not take "
                         "\"timeout=5000\" (out of range)");
    write_stack("common-auth", "auth optional pam_krb5cc.so debug=perhaps\n");
    CHECK_WRONG("check", "stack common-auth: pam_krb5cc.so does not take "
                         "\"debug=perhaps\" (no legal value)");
    write_stack("common-auth",
                "auth optional pam_krb5cc.so [ccache=FILE:/tmp/a b]\n");
    CHECK_GOOD("ok     stack common-auth");
    /* Of another module: what is taken, and what is not. */
    write_stack("common-auth", "auth optional pam_krb5cc.so tokens\n");
    CHECK_WRONG("check", "stack common-auth: pam_krb5cc.so does not support "
                         "\"tokens\": AFS tokens are");
    write_stack("common-auth",
                "auth optional pam_krb5cc.so no_warn chpw_prompt\n");
    CHECK_GOOD("ok     stack common-auth");
    write_stack("common-auth",
                "auth optional pam_krb5cc.so ccname_template=MEMORY:x\n");
    CHECK_WRONG("check", "stack common-auth: ccache=MEMORY:x: kind of cache "
                         "not supported");
}
END_TEST

START_TEST(test_check_places_that_are_no_absolute_paths)
{
    NEEDS_NAMESPACE();
    write_stack("sshd", "session optional pam_krb5cc.so state_dir=var/x\n");
    CHECK_WRONG("check", "stack sshd: pam_krb5cc.so does not take "
                         "\"state_dir=var/x\" (no legal value)");
    write_stack("sshd", "session optional pam_krb5cc.so\n");
    RUN("check --helper relative", 1);
    ck_assert_uint_eq(desk_count("WRONG  helper: relative is no absolute path"),
                      1);
}
END_TEST

START_TEST(test_check_templates_that_give_no_cache)
{
    NEEDS_NAMESPACE();
    write_stack("sshd",
                "session optional pam_krb5cc.so ccache=%{home}/x_XXXXXX\n");
    CHECK_WRONG("check", "stack sshd: the template %{home}/x_XXXXXX has an "
                         "unknown token");
    write_stack("sshd", "session optional pam_krb5cc.so ccache=MEMORY:x\n");
    CHECK_WRONG("check", "stack sshd: ccache=MEMORY:x: kind of cache not "
                         "supported");
    write_stack("sshd", "session optional pam_krb5cc.so "
                        "ccache=FILE:/tmp/krb5cc_%{uid}_%{service}_XXXXXX\n");
    CHECK_GOOD("ok     stack sshd");
}
END_TEST

START_TEST(test_check_private_directories_are_noted)
{
    NEEDS_NAMESPACE();
    write_stack("su", "auth optional pam_krb5cc.so\n"
                      "session required pam_namespace.so\n"
                      "session optional pam_krb5cc.so "
                      "ccache=FILE:/tmp/krb5cc_%{uid}_XXXXXX\n");
    CHECK_GOOD("note   stack su: pam_namespace.so is in the session stack");
    write_stack("su", "auth optional pam_krb5cc.so\n"
                      "session required pam_namespace.so\n"
                      "session optional pam_krb5cc.so "
                      "ccache=KEYRING:persistent:%{uid}\n");
    CHECK_GOOD("ok     stack su");
    ck_assert_uint_eq(desk_count("pam_namespace.so"), 0);
}
END_TEST

START_TEST(test_check_neighbours_are_noted)
{
    NEEDS_NAMESPACE();
    write_stack("sshd", "auth optional pam_krb5.so\nauth optional pam_sss.so\n"
                        "session optional pam_krb5cc.so\n");
    CHECK_GOOD("note   stack sshd: pam_krb5.so is there too");
    ck_assert_uint_eq(desk_count("note   stack sshd: pam_sss.so is there too"),
                      1);
}
END_TEST

START_TEST(test_check_other_places_are_noted)
{
    NEEDS_NAMESPACE();
    write_stack("sshd", "session optional pam_krb5cc.so state_dir=/srv/a "
                        "runtime_dir=/srv/b\n");
    CHECK_GOOD("recorded in /srv/a");
    ck_assert_uint_eq(desk_count("it uses /srv/b"), 1);
    write_stack("sshd",
                "session optional pam_krb5cc.so state_dir=" DESK_STATE "\n");
    CHECK_GOOD("ok     stack sshd");
    ck_assert_uint_eq(desk_count("note"), 0);
}
END_TEST

START_TEST(test_check_stack_with_a_missing_include)
{
    NEEDS_NAMESPACE();
    write_stack("sshd", "@include nowhere\nsession optional pam_krb5cc.so\n");
    CHECK_WRONG("check", "stack sshd: it includes nowhere, which cannot");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("check");
    TCase *tcase = common_case(suite, "check");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, test_check_of_a_good_machine_has_nothing_wrong);
    tcase_add_test(tcase, test_check_helper_that_is_missing);
    tcase_add_test(tcase, test_check_helper_that_others_can_change);
    tcase_add_test(tcase, test_check_helper_behind_a_link);
    tcase_add_test(tcase, test_check_helper_that_does_not_run);
    tcase_add_test(tcase, test_check_helper_with_another_mode);
    tcase_add_test(tcase, test_check_module_that_is_missing);
    tcase_add_test(tcase, test_check_module_that_others_can_change);
    tcase_add_test(tcase, test_check_account_that_is_missing);
    tcase_add_test(tcase, test_check_state_directory_that_others_can_write);
    tcase_add_test(tcase, test_check_state_directory_that_others_can_read);
    tcase_add_test(tcase, test_check_state_directory_that_is_a_link);
    tcase_add_test(tcase, test_check_state_directory_that_is_missing);
    tcase_add_test(tcase,
                   test_check_directory_of_sessions_that_others_can_write);
    tcase_add_test(tcase, test_check_directory_of_a_user_that_others_can_write);
    tcase_add_test(tcase, test_check_what_is_no_record);
    tcase_add_test(tcase, test_check_state_directory_that_cannot_be_written);
    tcase_add_test(tcase, test_check_runtime_directory_that_others_can_write);
    tcase_add_test(tcase, test_check_what_was_set_aside_is_noted);
    tcase_add_test(tcase, test_check_krb5_conf_that_not_everybody_can_read);
    tcase_add_test(tcase, test_check_krb5_conf_that_is_missing);
    tcase_add_test(tcase, test_check_default_realm_that_is_not_the_keytabs);
    tcase_add_test(tcase, test_check_krb5_conf_without_a_default_realm);
    tcase_add_test(tcase, test_check_appdefaults_that_are_hardly_meant);
    tcase_add_test(tcase, test_check_appdefaults_that_are_no_legal_values);
    tcase_add_test(tcase, test_check_keytab_that_is_missing);
    tcase_add_test(tcase, test_check_keytab_that_others_can_read);
    tcase_add_test(tcase, test_check_keytab_without_a_host_key);
    tcase_add_test(tcase, test_check_keytab_with_an_old_key);
    tcase_add_test(tcase, test_check_keytab_of_a_principal_that_is_unknown);
    tcase_add_test(tcase, test_check_keytab_with_one_right_key);
    tcase_add_test(tcase, test_check_keytab_newest_key_counts);
    tcase_add_test(tcase, test_check_shows_no_key);
    tcase_add_test(tcase, test_check_kdc_that_is_not_there);
    tcase_add_test(tcase, test_check_kdc_that_is_silent);
    tcase_add_test(tcase, test_check_stack_without_us_is_noted);
    tcase_add_test(tcase, test_check_stack_with_keyinit_behind);
    tcase_add_test(tcase, test_check_stack_without_keyinit);
    tcase_add_test(tcase, test_check_stack_without_a_session_is_noted);
    tcase_add_test(tcase, test_check_stacks_of_debian_are_well);
    tcase_add_test(tcase, test_check_options_that_do_not_exist);
    tcase_add_test(tcase, test_check_neighbours_are_noted);
    tcase_add_test(tcase, test_check_other_places_are_noted);
    tcase_add_test(tcase, test_check_stack_with_a_missing_include);
    tcase_add_test(tcase, test_check_places_that_are_no_absolute_paths);
    tcase_add_test(tcase, test_check_templates_that_give_no_cache);
    tcase_add_test(tcase, test_check_private_directories_are_noted);
    return suite_main(suite);
}
