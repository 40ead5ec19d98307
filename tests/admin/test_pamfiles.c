/* The PAM configuration as admin/pamfiles reads it. */
#include "admin/pamfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/suite.h"

static char *folder;
static char *vendor;
static struct pamfiles pamfiles;
static struct pamfiles_service service;

static void
begin(void)
{
    folder = suite_tmpdir();
    vendor = suite_tmpdir();
    pamfiles = (struct pamfiles){.directories = {folder, vendor}};
}

static void
end(void)
{
    suite_remove_tree(folder);
    suite_remove_tree(vendor);
}

static void
write_in(const char *directory, const char *name, const char *text)
{
    char *path = suite_path(directory, name);
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    free(path);
}

static void
write_file(const char *name, const char *text)
{
    write_in(folder, name, text);
}

/* Reads a service that is TEXT. */
static void
read_text(const char *text)
{
    write_file("test", text);
    ck_assert_int_eq(pamfiles_read(&pamfiles, "test", &service), 0);
}

START_TEST(test_pamfiles_order_is_seen)
{
    read_text("session optional pam_keyinit.so force revoke\n"
              "session optional pam_krb5cc.so\n");
    ck_assert(service.has_krb5cc && service.has_krb5cc_session);
    ck_assert(service.has_keyinit && !service.is_keyinit_late);
    read_text("session optional pam_krb5cc.so\n"
              "session optional pam_keyinit.so force revoke\n");
    ck_assert(service.has_keyinit && service.is_keyinit_late);
    /* The first one has done it. */
    read_text("session optional pam_keyinit.so\n"
              "session optional pam_krb5cc.so\n"
              "session optional pam_keyinit.so\n");
    ck_assert(!service.is_keyinit_late);
}
END_TEST

START_TEST(test_pamfiles_other_stacks_have_no_order)
{
    read_text("auth required pam_krb5cc.so\n"
              "session optional pam_keyinit.so\n");
    ck_assert(service.has_krb5cc && !service.has_krb5cc_session);
    ck_assert(!service.is_keyinit_late);
    read_text("session optional pam_krb5cc.so\nauth optional pam_keyinit.so\n");
    ck_assert(!service.has_keyinit);
}
END_TEST

START_TEST(test_pamfiles_lines_of_all_shapes)
{
    static const char *const texts[] = {
        "session optional pam_krb5cc.so",
        "SESSION optional pam_krb5cc.so\n",
        "  \tsession\toptional\t/usr/lib/security/pam_krb5cc.so\n",
        "-session optional pam_krb5cc.so debug\n",
        "session [success=1 default=ignore] pam_krb5cc.so\n",
        "session [a=1 \\] b=2] pam_krb5cc.so\n",
        "session \\\noptional \\\n pam_krb5cc.so\n",
        "#session\n\n \nsession optional pam_krb5cc.so # why\n",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        read_text(texts[i]);
        ck_assert_msg(service.has_krb5cc_session, "not seen: %s", texts[i]);
    }
}
END_TEST

START_TEST(test_pamfiles_what_is_no_line_of_ours)
{
    static const char *const texts[] = {
        "",
        "session",
        "session optional",
        "# session optional pam_krb5cc.so",
        "session optional # pam_krb5cc.so",
        "session optional pam_unix.so # pam_krb5cc.so",
        "session optional pam_krb5cc.so.old",
        "session optional pam_unix.so pam_krb5cc.so",
        "session [pam_krb5cc.so",
        "session optional other_pam_krb5cc.so\\",
        "\\",
        "@include",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        read_text(texts[i]);
        ck_assert_msg(!service.has_krb5cc, "seen: %s", texts[i]);
    }
}
END_TEST

START_TEST(test_pamfiles_options_of_ours)
{
    read_text("session optional pam_krb5cc.so ccache=KEYRING:session:x "
              "state_dir=/srv/state [runtime_dir=/srv/a b]\n");
    ck_assert_str_eq(service.ccache, "KEYRING:session:x");
    ck_assert_str_eq(service.state_dir, "/srv/state");
    ck_assert_str_eq(service.runtime_dir, "/srv/a b");
    read_text("session optional pam_unix.so ccache=x\n"
              "auth optional pam_krb5cc.so ccache=y ccache_dir=/z\n");
    ck_assert_str_eq(service.ccache, "");
}
END_TEST

START_TEST(test_pamfiles_neighbours_are_seen_in_any_stack)
{
    read_text("auth sufficient pam_krb5.so\naccount required pam_sss.so\n");
    ck_assert(service.has_krb5 && service.has_sss);
    read_text("auth sufficient pam_krb5cc.so\n");
    ck_assert(!service.has_krb5 && !service.has_sss);
}
END_TEST

START_TEST(test_pamfiles_includes_are_followed)
{
    write_file("common-session", "session optional pam_krb5cc.so\n"
                                 "auth optional pam_sss.so\n");
    read_text("@include common-session\nsession optional pam_keyinit.so\n");
    ck_assert(service.has_krb5cc_session && service.is_keyinit_late);
    ck_assert(service.has_sss);
    read_text("session substack common-session\n");
    ck_assert(service.has_krb5cc_session && !service.has_sss);
    read_text("-session include common-session\n");
    ck_assert(service.has_krb5cc_session);
    /* Lines of other types are not taken. */
    read_text("auth include common-session\n");
    ck_assert(!service.has_krb5cc && service.has_sss);
}
END_TEST

START_TEST(test_pamfiles_vendors_directory_comes_second)
{
    write_in(vendor, "ours", "session optional pam_krb5cc.so\n");
    write_in(vendor, "test", "session optional pam_krb5cc.so\n");
    read_text("session required pam_unix.so\n");
    ck_assert(!service.has_krb5cc);
    ck_assert_int_eq(pamfiles_read(&pamfiles, "ours", &service), 0);
    ck_assert(service.has_krb5cc);
}
END_TEST

START_TEST(test_pamfiles_include_that_is_missing_is_said)
{
    read_text("@include nowhere\nsession optional pam_krb5cc.so\n");
    ck_assert(service.has_krb5cc);
    ck_assert_str_eq(service.unreadable, "nowhere");
    ck_assert_int_eq(service.fault, -ENOENT);
}
END_TEST

START_TEST(test_pamfiles_includes_in_a_circle_end)
{
    write_file("b", "@include test\n@include test\n");
    read_text("session optional pam_krb5cc.so\n@include b\n@include b\n");
    ck_assert(service.has_krb5cc);
    ck_assert_int_eq(service.fault, -ELOOP);
}
END_TEST

START_TEST(test_pamfiles_service_that_is_missing_is_said)
{
    ck_assert_int_eq(pamfiles_read(&pamfiles, "nowhere", &service), -ENOENT);
}
END_TEST

START_TEST(test_pamfiles_a_fifo_is_not_waited_for)
{
    char *path = suite_path(folder, "fifo");

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pamfiles_read(&pamfiles, "fifo", &service), -EINVAL);
    free(path);
}
END_TEST

START_TEST(test_pamfiles_names_are_sorted_and_ours)
{
    struct pamfiles_names names;

    write_file("su", "");
    write_file("login", "");
    write_file("sshd.dpkg-old", "");
    write_file("sshd~", "");
    write_file(".sshd.swp", "");
    write_file("sshd.rpmnew", "");
    write_in(vendor, "su", "");
    write_in(vendor, "vlock", "");
    ck_assert_int_eq(pamfiles_list(&pamfiles, &names), 0);
    ck_assert_uint_eq(names.count, 3);
    ck_assert_str_eq(names.list[0], "login");
    ck_assert_str_eq(names.list[1], "su");
    ck_assert_str_eq(names.list[2], "vlock");
    pamfiles_names_free(&names);
}
END_TEST

START_TEST(test_pamfiles_parts_are_known_by_their_names)
{
    ck_assert(pamfiles_is_part("common-session"));
    ck_assert(pamfiles_is_part("system-auth"));
    ck_assert(pamfiles_is_part("postlogin"));
    ck_assert(!pamfiles_is_part("sshd"));
    ck_assert(!pamfiles_is_part("su-l"));
    ck_assert(!pamfiles_is_part("gdm-password"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pamfiles");
    TCase *tcase = suite_case(suite, "pamfiles");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, test_pamfiles_order_is_seen);
    tcase_add_test(tcase, test_pamfiles_other_stacks_have_no_order);
    tcase_add_test(tcase, test_pamfiles_lines_of_all_shapes);
    tcase_add_test(tcase, test_pamfiles_what_is_no_line_of_ours);
    tcase_add_test(tcase, test_pamfiles_options_of_ours);
    tcase_add_test(tcase, test_pamfiles_neighbours_are_seen_in_any_stack);
    tcase_add_test(tcase, test_pamfiles_includes_are_followed);
    tcase_add_test(tcase, test_pamfiles_vendors_directory_comes_second);
    tcase_add_test(tcase, test_pamfiles_include_that_is_missing_is_said);
    tcase_add_test(tcase, test_pamfiles_includes_in_a_circle_end);
    tcase_add_test(tcase, test_pamfiles_service_that_is_missing_is_said);
    tcase_add_test(tcase, test_pamfiles_a_fifo_is_not_waited_for);
    tcase_add_test(tcase, test_pamfiles_names_are_sorted_and_ours);
    tcase_add_test(tcase, test_pamfiles_parts_are_known_by_their_names);
    return suite_main(suite);
}
