/* FILE caches: made, replaced whole, read, destroyed. */
#include "krb/ccache.h"
#include "krb/here.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALICE "alice@PAM.TEST"
#define SERVICE "app/service.test@PAM.TEST"
#define CONFIG "krb5_ccache_conf_data/pa_type@X-CACHECONF:"

static const char *
path_of(const char *name)
{
    return name + strlen("FILE:");
}

static bool
exists(const char *name)
{
    struct stat status;

    return lstat(path_of(name), &status) == 0;
}

static ino_t
inode_of(const char *name)
{
    struct stat status;

    ck_assert_int_eq(lstat(path_of(name), &status), 0);
    return status.st_ino;
}

/* How many entries for SERVICE the cache NAME has. */
static size_t
count(const char *name, const char *service)
{
    struct tickets tickets = {0};
    krb5_principal wanted = NULL;
    size_t found = 0;

    ck_assert_int_eq(ccache_read(&here.krb, name, &tickets), OUTCOME_SUCCESS);
    ck_assert_int_eq(krb5_parse_name(here.krb.context, service, &wanted), 0);
    for (size_t i = 0; i < tickets.count; i++) {
        found += krb5_principal_compare(here.krb.context,
                                        tickets.list[i]->server, wanted);
    }
    krb5_free_principal(here.krb.context, wanted);
    tickets_free(&here.krb, &tickets);
    return found;
}

static size_t
files(void)
{
    char command[600];
    FILE *pipe = NULL;
    int number = -1;

    (void)snprintf(command, sizeof(command),
                   "find '%s' -mindepth 1 ! -name krb5.conf | wc -l",
                   here.folder);
    pipe = popen(command, "re");
    ck_assert_ptr_nonnull(pipe);
    ck_assert_int_eq(fscanf(pipe, "%d", &number), 1);
    ck_assert_int_eq(pclose(pipe), 0);
    return (size_t)number;
}

START_TEST(test_ccache_create_makes_the_users_own_file)
{
    struct tickets tickets = here_tickets(ALICE);
    const char *name = here_name("cc");
    struct stat status;

    (void)umask(0);
    ck_assert_int_eq(ccache_create(&here.krb, name, &tickets), OUTCOME_SUCCESS);
    ck_assert_int_eq(lstat(path_of(name), &status), 0);
    ck_assert(S_ISREG(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_uint_eq(count(name, "krbtgt/PAM.TEST@PAM.TEST"), 1);
    ck_assert_uint_eq(files(), 1);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_create_leaves_what_is_there)
{
    static const char *const makes[] = {"echo x >", "mkdir", "mkfifo",
                                        "ln -s /nowhere", "touch"};
    struct tickets tickets = here_tickets(ALICE);
    const char *name = here_name("cc");
    char command[600];
    ino_t before = 0;

    (void)snprintf(command, sizeof(command), "%s '%s'", makes[_i],
                   path_of(name));
    ck_assert_int_eq(system(command), 0);
    before = inode_of(name);
    ck_assert_int_eq(ccache_create(&here.krb, name, &tickets),
                     OUTCOME_CACHE_TAKEN);
    ck_assert_uint_eq(inode_of(name), before);
    ck_assert_uint_eq(files(), 1);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_of_other_kinds_is_refused)
{
    static const char *const names[] = {
        "MEMORY:x",
        "DIR:relative",
        "DIR::/tmp/x",
        "KEYRING:thread:x",
        "KEYRING:nonsense:x",
        "KEYRING:persistent:0:",
        "KEYRING:user::x",
        "API:x",
        "SRVTAB:x",
        "NONSENSE:x",
        "file:/tmp/x",
        "FILES:/tmp/x",
        "relative",
        "",
        ":",
        ":/tmp/x",
        "KEYRING:process:x",
    };
    struct tickets tickets = here_tickets(ALICE);
    struct tickets read = {0};

    ck_assert_int_eq(ccache_create(&here.krb, names[_i], &tickets),
                     OUTCOME_CACHE_KIND);
    ck_assert_int_eq(ccache_replace(&here.krb, names[_i], &tickets),
                     OUTCOME_CACHE_KIND);
    ck_assert_int_eq(ccache_read(&here.krb, names[_i], &read),
                     OUTCOME_CACHE_KIND);
    ck_assert_int_eq(ccache_destroy(&here.krb, names[_i]), OUTCOME_CACHE_KIND);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_bare_path_is_a_file)
{
    struct tickets tickets = here_tickets(ALICE);
    const char *name = here_name("cc");

    ck_assert_int_eq(ccache_create(&here.krb, path_of(name), &tickets),
                     OUTCOME_SUCCESS);
    ck_assert_uint_eq(count(path_of(name), "krbtgt/PAM.TEST@PAM.TEST"), 1);
    ck_assert_int_eq(ccache_destroy(&here.krb, path_of(name)), OUTCOME_SUCCESS);
    ck_assert(!exists(name));
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_replace_makes_what_is_missing_or_empty)
{
    struct tickets tickets = here_tickets(ALICE);
    const char *name = here_name("cc");

    if (_i == 1) {
        int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        (void)close(fd);
    }
    ck_assert_int_eq(ccache_replace(&here.krb, name, &tickets),
                     OUTCOME_SUCCESS);
    ck_assert_uint_eq(count(name, "krbtgt/PAM.TEST@PAM.TEST"), 1);
    tickets_free(&here.krb, &tickets);
}
END_TEST

/* The clock offset in the header of the FILE cache NAME (layout 0504). */
static int64_t
offset_of(const char *name)
{
    unsigned char head[16];
    int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(read(fd, head, sizeof(head)), sizeof(head));
    (void)close(fd);
    /* Version, header length, tag 1, its length, seconds, microseconds. */
    ck_assert_int_eq(head[5], 1);
    return (int32_t)((uint32_t)head[8] << 24 | (uint32_t)head[9] << 16 |
                     (uint32_t)head[10] << 8 | head[11]);
}

/* A KDC whose clock was wrong once does not spoil the cache for good. */
START_TEST(test_ccache_replace_takes_the_new_clock_offset)
{
    struct tickets old = here_tickets(ALICE);
    struct tickets fresh = here_tickets(ALICE);
    const char *name = here_name("cc");

    old.offset.seconds = 1200;
    ck_assert_int_eq(ccache_create(&here.krb, name, &old), OUTCOME_SUCCESS);
    ck_assert_int_eq(offset_of(name), 1200);
    here_configure("");
    ck_assert_int_eq(ccache_replace(&here.krb, name, &fresh), OUTCOME_SUCCESS);
    ck_assert_int_eq(offset_of(name), 0);
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &fresh);
}
END_TEST

/* What is still good stays beside the new TGT; the old TGT does not. */
START_TEST(test_ccache_replace_keeps_what_is_good)
{
    struct tickets old = here_tickets(ALICE);
    struct tickets fresh = here_tickets(ALICE);
    const char *name = here_name("cc");
    ino_t before = 0;

    here_add(&old, SERVICE, 3600);
    here_add(&old, "app/stale.test@PAM.TEST", -10);
    here_add(&old, CONFIG, -10);
    ck_assert_int_eq(ccache_create(&here.krb, name, &old), OUTCOME_SUCCESS);
    before = inode_of(name);
    ck_assert_int_eq(ccache_replace(&here.krb, name, &fresh), OUTCOME_SUCCESS);
    ck_assert_uint_ne(inode_of(name), before);
    ck_assert_uint_eq(count(name, "krbtgt/PAM.TEST@PAM.TEST"), 1);
    ck_assert_uint_eq(count(name, SERVICE), 1);
    ck_assert_uint_eq(count(name, "app/stale.test@PAM.TEST"), 0);
    ck_assert_uint_eq(count(name, CONFIG), 1);
    ck_assert_uint_eq(files(), 1);
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &fresh);
}
END_TEST

START_TEST(test_ccache_replace_leaves_that_of_another)
{
    static const char *const others[] = {"bob@PAM.TEST", "alice@OTHER.TEST",
                                         "alice/admin@PAM.TEST"};
    struct tickets old = here_tickets(others[_i]);
    struct tickets fresh = here_tickets(ALICE);
    const char *name = here_name("cc");
    ino_t before = 0;

    ck_assert_int_eq(ccache_create(&here.krb, name, &old), OUTCOME_SUCCESS);
    before = inode_of(name);
    ck_assert_int_eq(ccache_replace(&here.krb, name, &fresh),
                     OUTCOME_CACHE_OF_ANOTHER);
    ck_assert_uint_eq(inode_of(name), before);
    ck_assert_ptr_nonnull(strstr(here.krb.detail, path_of(name)));
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &fresh);
}
END_TEST

START_TEST(test_ccache_destroy_of_what_is_gone_is_a_success)
{
    ck_assert_int_eq(ccache_destroy(&here.krb, here_name("cc")),
                     OUTCOME_SUCCESS);
}
END_TEST

START_TEST(test_ccache_destroy_takes_the_file)
{
    struct tickets tickets = here_tickets(ALICE);
    const char *name = here_name("cc");

    ck_assert_int_eq(ccache_create(&here.krb, name, &tickets), OUTCOME_SUCCESS);
    ck_assert_int_eq(ccache_destroy(&here.krb, name), OUTCOME_SUCCESS);
    ck_assert_uint_eq(files(), 0);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_destroy_leaves_what_is_no_file)
{
    static const char *const makes[] = {"mkdir", "mkfifo", "ln -s /nowhere"};
    const char *name = here_name("cc");
    char command[600];

    (void)snprintf(command, sizeof(command), "%s '%s'", makes[_i],
                   path_of(name));
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(ccache_destroy(&here.krb, name), OUTCOME_CACHE_UNREADABLE);
    ck_assert(exists(name));
}
END_TEST

START_TEST(test_ccache_read_of_nothing_is_missing)
{
    struct tickets tickets = {0};

    ck_assert_int_eq(ccache_read(&here.krb, here_name("cc"), &tickets),
                     OUTCOME_CACHE_MISSING);
    ck_assert_ptr_null(tickets.list);
}
END_TEST

/* A path that is longer than any, and one that leads through a file. */
START_TEST(test_ccache_impossible_path_is_refused)
{
    struct tickets tickets = here_tickets(ALICE);
    char name[8192];

    memset(name, 'x', sizeof(name) - 1);
    memcpy(name, "FILE:/tmp/", 10);
    name[sizeof(name) - 1] = '\0';
    if (_i == 1) {
        (void)snprintf(name, sizeof(name), "%s/krb5.conf/cc", here_name(""));
    }
    ck_assert_int_eq(ccache_create(&here.krb, name, &tickets),
                     _i == 0 ? OUTCOME_CACHE_KIND : OUTCOME_CACHE_UNWRITABLE);
    ck_assert_int_ne(ccache_replace(&here.krb, name, &tickets),
                     OUTCOME_SUCCESS);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_default_name_is_libkrb5s)
{
    char *name = NULL;

    here_configure("[libdefaults]\ndefault_ccache_name = FILE:/tmp/x_%{uid}\n");
    ck_assert_int_eq(ccache_default_name(&here.krb, &name), OUTCOME_SUCCESS);
    ck_assert_int_eq(strncmp(name, "FILE:/tmp/x_", 12), 0);
    free(name);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ccache");
    TCase *tcase = suite_case(suite, "file");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_test(tcase, test_ccache_create_makes_the_users_own_file);
    tcase_add_loop_test(tcase, test_ccache_create_leaves_what_is_there, 0, 5);
    tcase_add_loop_test(tcase, test_ccache_of_other_kinds_is_refused, 0, 17);
    tcase_add_test(tcase, test_ccache_bare_path_is_a_file);
    tcase_add_loop_test(
        tcase, test_ccache_replace_makes_what_is_missing_or_empty, 0, 2);
    tcase_add_test(tcase, test_ccache_replace_takes_the_new_clock_offset);
    tcase_add_test(tcase, test_ccache_replace_keeps_what_is_good);
    tcase_add_loop_test(tcase, test_ccache_replace_leaves_that_of_another, 0,
                        3);
    tcase_add_test(tcase, test_ccache_destroy_of_what_is_gone_is_a_success);
    tcase_add_test(tcase, test_ccache_destroy_takes_the_file);
    tcase_add_loop_test(tcase, test_ccache_destroy_leaves_what_is_no_file, 0,
                        3);
    tcase_add_test(tcase, test_ccache_read_of_nothing_is_missing);
    tcase_add_loop_test(tcase, test_ccache_impossible_path_is_refused, 0, 2);
    tcase_add_test(tcase, test_ccache_default_name_is_libkrb5s);
    return suite_main(suite);
}
