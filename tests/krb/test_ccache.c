/*
 * Caches without PAM: names told apart; FILE, DIR and KEYRING caches made,
 * replaced whole, found, read, destroyed, by whoever runs the test.
 */
#include "krb/ccache.h"
#include "krb/here.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/keyctl.h>

#define COUNT(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

#define ALICE "alice@PAM.TEST"
#define BOB "bob@PAM.TEST"
#define TGT "krbtgt/PAM.TEST@PAM.TEST"
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
    ck_assert_uint_eq(count(name, TGT), 1);
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

static const char *const refused_names[] = {
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
    "FILE::/tmp/x",
    "relative",
    "",
    ":",
    ":/tmp/x",
    "KEYRING:process:x",
    "KEYRING:",
    "KEYRING::x",
    "KEYRING:user:x:",
    "KEYRING:user:x:one:two",
    "DIR:",
    "DIR::",
    "DIR::relative/tkt",
    "DIR::/tktalone",
    "DIR::/tmp/tkt/other",
    "KCM:nobody's",
    "KCM:4294967295:x",
    /* Collections, where a cache is wanted. */
    "DIR:/tmp/x",
    "KEYRING:persistent:",
    "KEYRING:user:x",
    "KCM:",
};

START_TEST(test_ccache_of_other_kinds_is_refused)
{
    struct tickets tickets = here_tickets(ALICE);
    struct tickets read = {0};

    ck_assert_int_eq(ccache_create(&here.krb, refused_names[_i], &tickets),
                     OUTCOME_CACHE_KIND);
    ck_assert_int_eq(ccache_replace(&here.krb, refused_names[_i], &tickets),
                     OUTCOME_CACHE_KIND);
    ck_assert_int_eq(ccache_read(&here.krb, refused_names[_i], &read),
                     OUTCOME_CACHE_KIND);
    ck_assert_int_eq(ccache_destroy(&here.krb, refused_names[_i]),
                     OUTCOME_CACHE_KIND);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_bare_path_is_a_file)
{
    struct tickets tickets = here_tickets(ALICE);
    const char *name = here_name("cc");

    ck_assert_int_eq(ccache_create(&here.krb, path_of(name), &tickets),
                     OUTCOME_SUCCESS);
    ck_assert_uint_eq(count(path_of(name), TGT), 1);
    ck_assert_int_eq(ccache_destroy(&here.krb, path_of(name)), OUTCOME_SUCCESS);
    ck_assert(!exists(name));
    tickets_free(&here.krb, &tickets);
}
END_TEST

/* Whether the cache NAME has the TGT of TICKETS, and no other. */
static bool
holds_ticket_of(const char *name, const struct tickets *tickets)
{
    struct tickets found = {0};
    const krb5_data *wanted = &tickets_tgt(&here.krb, tickets)->ticket;
    const krb5_creds *tgt = NULL;
    bool holds = false;

    ck_assert_int_eq(ccache_read(&here.krb, name, &found), OUTCOME_SUCCESS);
    tgt = tickets_tgt(&here.krb, &found);
    holds = tgt != NULL && tgt->ticket.length == wanted->length &&
            memcmp(tgt->ticket.data, wanted->data, wanted->length) == 0;
    tickets_free(&here.krb, &found);
    return holds;
}

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
    ck_assert_uint_eq(count(name, TGT), 1);
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
    ck_assert_uint_eq(count(name, TGT), 1);
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

START_TEST(test_ccache_destroy_tells_what_is_gone)
{
    ck_assert_int_eq(ccache_destroy(&here.krb, here_name("cc")),
                     OUTCOME_CACHE_MISSING);
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
    ck_assert_int_eq(ccache_destroy(&here.krb, name), OUTCOME_CACHE_TAKEN);
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

/* Names told apart. */

/* UID stands for the number of whoever runs the test. */
static const struct {
    const char *name;
    bool is_collection;
    const char *pattern; /* NULL = refused */
} shapes[] = {
    {"FILE:/tmp/x", false, "FILE:/tmp/krb5cc_UID_XXXXXX"},
    {"/tmp/x", false, "FILE:/tmp/krb5cc_UID_XXXXXX"},
    {"DIR:/x/y", true, "DIR::/x/y/tktXXXXXX"},
    {"DIR::/x/y/tktz", false, "DIR::/x/y/tktXXXXXX"},
    {"KEYRING:persistent:", true, "KEYRING:persistent:UID:krb5cc_XXXXXX"},
    {"KEYRING:persistent:7", true, "KEYRING:persistent:7:krb5cc_XXXXXX"},
    {"KEYRING:persistent:7:z", false, "KEYRING:persistent:7:krb5cc_XXXXXX"},
    {"KEYRING:user:y", true, "KEYRING:user:y:krb5cc_XXXXXX"},
    {"KEYRING:user:y:z", false, "KEYRING:user:y:krb5cc_XXXXXX"},
    {"KEYRING:session:y", true, "KEYRING:session:y:krb5cc_XXXXXX"},
    {"KEYRING:y", true, "KEYRING:legacy:y:krb5cc_XXXXXX"},
    {"KCM:", true, "KCM:UID:XXXXXX"},
    {"KCM:UID", false, "KCM:UID:XXXXXX"},
    {"KCM:UID:z", false, "KCM:UID:XXXXXX"},
    {"KCM:UID7", false, NULL},
    {"MEMORY:x", false, NULL},
    {"KEYRING:process:x", true, NULL},
    {"DIR:relative", true, NULL},
    {"", false, NULL},
};

/* TEXT with the uid in the place of UID; static storage. */
static const char *
with_uid(const char *text)
{
    static char whole[512];
    const char *mark = strstr(text, "UID");
    int length = mark == NULL ? (int)strlen(text) : (int)(mark - text);

    (void)snprintf(whole, sizeof(whole), "%.*s", length, text);
    if (mark != NULL) {
        (void)snprintf(whole + length, sizeof(whole) - (size_t)length, "%u%s",
                       (unsigned)geteuid(), mark + strlen("UID"));
    }
    return whole;
}

START_TEST(test_ccache_names_are_told_apart)
{
    const char *wanted = shapes[_i].pattern;
    const char *name = with_uid(shapes[_i].name);
    char stale = 0;
    char *pattern = &stale;

    ck_assert_int_eq(ccache_is_collection(name), shapes[_i].is_collection);
    ck_assert_int_eq(ccache_pattern(&here.krb, name, &pattern),
                     wanted == NULL ? OUTCOME_CACHE_KIND : OUTCOME_SUCCESS);
    if (wanted == NULL) {
        ck_assert_ptr_null(pattern);
    } else {
        ck_assert_str_eq(pattern, with_uid(wanted));
        free(pattern);
    }
}
END_TEST

/* As long a name as there may be leaves no room for what is drawn. */
START_TEST(test_ccache_pattern_that_would_be_too_long_is_refused)
{
    static const char *const begins[] = {"DIR:/", "KEYRING:user:"};
    char *pattern = NULL;
    char name[4096];

    memset(name, 'x', sizeof(name) - 1);
    memcpy(name, begins[_i], strlen(begins[_i]));
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(ccache_pattern(&here.krb, name, &pattern),
                     OUTCOME_CACHE_KIND);
    ck_assert_ptr_null(pattern);
}
END_TEST

START_TEST(test_ccache_of_the_session_are_told)
{
    static const struct {
        const char *name;
        bool is;
    } rows[] = {
        {"FILE:/tmp/x", false},
        {"DIR:/tmp/x", false},
        {"KEYRING:persistent:7", false},
        {"KEYRING:user:x", false},
        {"KEYRING:session:x", true},
        {"KEYRING:session:x:y", true},
        {"KEYRING:x", true},
        {"KEYRING:legacy:x:y", true},
        {"KEYRING:sessions:x", false},
        {"KCM:", false},
        {"FILE:/run/user/UID0/x", false},
        {"FILE:/run/user/UID", false},
        {"FILE:/run/users/UID/x", false},
        {"MEMORY:x", false},
    };
    const char *folder = with_uid("/run/user/UID");
    bool is_missing = access(folder, F_OK) != 0;

    for (int i = 0; i < COUNT(rows); i++) {
        ck_assert_msg(ccache_is_of_session(with_uid(rows[i].name)) ==
                          rows[i].is,
                      "%s", rows[i].name);
    }
    ck_assert_int_eq(ccache_is_of_session(with_uid("FILE:/run/user/UID/x")),
                     is_missing);
    ck_assert_int_eq(ccache_is_of_session(with_uid("/run/user/UID/x")),
                     is_missing);
    ck_assert_int_eq(ccache_is_of_session(with_uid("DIR::/run/user/UID/y/tkt")),
                     is_missing);
}
END_TEST

/* A service that acts for others (S4U2Proxy) has tickets of theirs. */
START_TEST(test_ccache_replace_keeps_what_is_of_another_client)
{
    struct tickets old = here_tickets(ALICE);
    struct tickets bobs = here_tickets(BOB);
    struct tickets fresh = here_tickets(ALICE);
    const char *name = here_name("cc");

    here_add(&old, SERVICE, 3600);
    here_add(&bobs, SERVICE, 3600);
    /* Lent for a moment: two entries that are bob's. */
    memcpy(old.list + old.count, bobs.list, 2 * sizeof(bobs.list[0]));
    old.count += 2;
    ck_assert_int_eq(ccache_create(&here.krb, name, &old), OUTCOME_SUCCESS);
    old.count -= 2;
    old.list[old.count] = NULL;
    here_add(&fresh, SERVICE, 3600);
    ck_assert_int_eq(ccache_replace(&here.krb, name, &fresh), OUTCOME_SUCCESS);
    /* Hers are new ones, his are still there. */
    ck_assert_uint_eq(count(name, TGT), 2);
    ck_assert_uint_eq(count(name, SERVICE), 2);
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &bobs);
    tickets_free(&here.krb, &fresh);
}
END_TEST

/* DIR: a collection. */

/* "DIR:" or "DIR::", the directory of the test's collection, and MEMBER. */
static const char *
dir_name(const char *member)
{
    static char names[4][512];
    static unsigned next;
    char *name = names[next++ % 4];

    (void)snprintf(name, sizeof(names[0]), "DIR:%s%s/dir%s%s",
                   *member == '\0' ? "" : ":", here.folder,
                   *member == '\0' ? "" : "/", member);
    return name;
}

static const char *
dir_path(const char *member)
{
    return strchr(dir_name(member), '/');
}

/* Makes the cache NAME of CLIENT, whose TGT lives LIFE_S. */
static void
create(const char *name, const char *client, int64_t life_s)
{
    struct tickets tickets = {0};

    ck_assert_int_eq(krb5_parse_name(here.krb.context, client, &tickets.client),
                     0);
    here_add(&tickets, TGT, life_s);
    ck_assert_int_eq(ccache_create(&here.krb, name, &tickets), OUTCOME_SUCCESS);
    tickets_free(&here.krb, &tickets);
}

static void
make_primary(const char *name)
{
    krb5_ccache cache = NULL;

    ck_assert_int_eq(krb5_cc_resolve(here.krb.context, name, &cache), 0);
    ck_assert_int_eq(krb5_cc_switch(here.krb.context, cache), 0);
    (void)krb5_cc_close(here.krb.context, cache);
}

/* NAME is COLLECTION's primary. */
static void
check_primary(const char *collection, const char *name)
{
    char *primary = NULL;

    ck_assert_int_eq(ccache_primary(&here.krb, collection, &primary),
                     OUTCOME_SUCCESS);
    ck_assert_str_eq(primary, name);
    free(primary);
}

/* What is found of CLIENT in COLLECTION is NAME, NULL = nothing. */
static void
check_found(const char *collection, const char *client, const char *name)
{
    krb5_principal principal = NULL;
    char stale = 0;
    char *found = &stale;

    ck_assert_int_eq(krb5_parse_name(here.krb.context, client, &principal), 0);
    ck_assert_int_eq(ccache_find(&here.krb, collection, principal, &found),
                     name == NULL ? OUTCOME_CACHE_MISSING : OUTCOME_SUCCESS);
    krb5_free_principal(here.krb.context, principal);
    ck_assert_int_eq(found == NULL, name == NULL);
    if (name != NULL) {
        ck_assert_str_eq(found, name);
        free(found);
    }
}

START_TEST(test_ccache_dir_is_made_for_its_first_cache)
{
    struct stat status;

    (void)umask(0);
    create(dir_name("tkta"), ALICE, 3600);
    ck_assert_int_eq(lstat(dir_path(""), &status), 0);
    ck_assert(S_ISDIR(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 07777, 0700);
    ck_assert_int_eq(lstat(dir_path("tkta"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_uint_eq(count(dir_name("tkta"), TGT), 1);
}
END_TEST

START_TEST(test_ccache_dir_without_parent_is_not_made)
{
    struct tickets tickets = here_tickets(ALICE);
    char name[600];

    (void)snprintf(name, sizeof(name), "DIR::%s/no/dir/tkta", here.folder);
    ck_assert_int_eq(ccache_create(&here.krb, name, &tickets),
                     OUTCOME_CACHE_UNWRITABLE);
    ck_assert_uint_eq(files(), 0);
    tickets_free(&here.krb, &tickets);
}
END_TEST

/* Ways in which the directory is not the user's alone. */
static const char *const folder_faults[] = {
    "mkdir -m 777 dir",
    "mkdir -m 770 dir",
    "mkdir -m 700 real; ln -s real dir",
    "ln -s /nowhere dir",
    "touch dir",
    "mkdir -m 700 dir; mkfifo dir/primary",
    "mkdir -m 700 dir; mkdir dir/primary",
    "mkdir -m 700 dir; ln -s /dev/zero dir/primary",
};

START_TEST(test_ccache_dir_that_is_not_the_users_is_left)
{
    struct tickets tickets = here_tickets(ALICE);
    struct tickets read = {0};
    char command[600];
    char *name = NULL;
    size_t before = 0;

    (void)snprintf(command, sizeof(command), "cd '%s' && umask 0 && { %s; }",
                   here.folder, folder_faults[_i]);
    ck_assert_int_eq(system(command), 0);
    before = files();
    ck_assert_int_eq(ccache_check(&here.krb, dir_name("")),
                     OUTCOME_CACHE_UNREADABLE);
    ck_assert_str_ne(here.krb.detail, "");
    ck_assert_int_eq(ccache_create(&here.krb, dir_name("tkta"), &tickets),
                     OUTCOME_CACHE_UNREADABLE);
    ck_assert_int_eq(ccache_replace(&here.krb, dir_name("tkta"), &tickets),
                     OUTCOME_CACHE_UNWRITABLE);
    ck_assert_int_eq(ccache_read(&here.krb, dir_name("tkta"), &read),
                     OUTCOME_CACHE_UNREADABLE);
    ck_assert_int_eq(ccache_primary(&here.krb, dir_name(""), &name),
                     OUTCOME_CACHE_UNREADABLE);
    ck_assert_int_eq(
        ccache_find(&here.krb, dir_name(""), tickets.client, &name),
        OUTCOME_CACHE_UNREADABLE);
    ck_assert_uint_eq(files(), before);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_find_is_by_principal)
{
    create(dir_name("tktb"), BOB, 3600);
    create(dir_name("tkta"), ALICE, 3600);
    check_found(dir_name(""), ALICE, dir_name("tkta"));
    check_found(dir_name(""), BOB, dir_name("tktb"));
    check_found(dir_name(""), "alice@OTHER.TEST", NULL);
    check_found(dir_name(""), "alice/admin@PAM.TEST", NULL);
}
END_TEST

START_TEST(test_ccache_find_looks_at_the_primary_first)
{
    static const char *const members[] = {"tkta", "tktb", "tktc"};

    for (size_t i = 0; i < 3; i++) {
        create(dir_name(members[i]), ALICE, 3600);
    }
    for (size_t i = 0; i < 3; i++) {
        make_primary(dir_name(members[i]));
        check_found(dir_name(""), ALICE, dir_name(members[i]));
    }
}
END_TEST

START_TEST(test_ccache_find_passes_over_what_cannot_be_read)
{
    create(dir_name("tkta"), ALICE, 3600);
    create(dir_name("tktb"), ALICE, 3600);
    ck_assert_int_eq(truncate(dir_path("tkta"), 20), 0);
    make_primary(dir_name("tkta"));
    check_found(dir_name(""), ALICE, dir_name("tktb"));
    ck_assert_int_eq(truncate(dir_path("tktb"), (off_t)17 << 20), 0);
    check_found(dir_name(""), ALICE, NULL);
}
END_TEST

/* What a replacement leaves that is killed is about to be swept. */
START_TEST(test_ccache_find_passes_over_strays)
{
    char command[600];

    create(dir_name("tkta"), ALICE, 3600);
    (void)snprintf(command, sizeof(command), "cd '%s' && mv tkta tkta.AbCd01",
                   dir_path(""));
    ck_assert_int_eq(system(command), 0);
    check_found(dir_name(""), ALICE, NULL);
    create(dir_name("tktb"), ALICE, 3600);
    check_found(dir_name(""), ALICE, dir_name("tktb"));
}
END_TEST

/* Neither the directory nor the file that names the primary is made. */
START_TEST(test_ccache_find_in_nothing_is_missing)
{
    check_found(dir_name(""), ALICE, NULL);
    check_primary(dir_name(""), dir_name("tkt"));
    ck_assert_uint_eq(files(), 0);
}
END_TEST

/* What the file that names the primary may hold, and what then. */
static const struct {
    const char *line;
    const char *name; /* NULL = it cannot be told */
} primary_lines[] = {
    {"tkta\\n", "tkta"},    {"tkta\\nmore\\n", "tkta"},
    {"tkta", NULL},         {"", NULL},
    {"cache\\n", NULL},     {"tkt/../x\\n", NULL},
    {"tkt%0100d\\n", NULL},
};

START_TEST(test_ccache_primary_is_what_the_file_names)
{
    char command[800];
    char *name = NULL;

    (void)snprintf(command, sizeof(command),
                   "mkdir -m 700 '%s' && printf '%s' >'%s/primary'",
                   dir_path(""), primary_lines[_i].line, dir_path(""));
    ck_assert_int_eq(system(command), 0);
    if (primary_lines[_i].name != NULL) {
        check_primary(dir_name(""), dir_name(primary_lines[_i].name));
        return;
    }
    ck_assert_int_eq(ccache_primary(&here.krb, dir_name(""), &name),
                     OUTCOME_CACHE_UNREADABLE);
}
END_TEST

/* "link/" is the directory behind it, for lstat(2) too. */
START_TEST(test_ccache_dir_behind_a_link_is_left)
{
    char command[600];
    char name[600];

    (void)snprintf(command, sizeof(command),
                   "cd '%s' && mkdir -m 700 real && ln -s real link",
                   here.folder);
    ck_assert_int_eq(system(command), 0);
    (void)snprintf(name, sizeof(name), "DIR:%s/link/", here.folder);
    ck_assert_int_eq(ccache_check(&here.krb, name), OUTCOME_CACHE_UNREADABLE);
    (void)snprintf(name, sizeof(name), "DIR::%s/link//tkta", here.folder);
    ck_assert_int_eq(ccache_check(&here.krb, name), OUTCOME_CACHE_UNREADABLE);
}
END_TEST

/* Whatever libkrb5 is used to afterwards is its own default again. */
START_TEST(test_ccache_find_leaves_the_default)
{
    char *before = NULL;
    char *after = NULL;

    here_configure("[libdefaults]\ndefault_ccache_name = FILE:/tmp/x\n");
    create(dir_name("tkta"), ALICE, 3600);
    ck_assert_int_eq(ccache_default_name(&here.krb, &before), OUTCOME_SUCCESS);
    check_found(dir_name(""), ALICE, dir_name("tkta"));
    ck_assert_int_eq(ccache_default_name(&here.krb, &after), OUTCOME_SUCCESS);
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}
END_TEST

START_TEST(test_ccache_primary_is_named_also_where_it_is_not)
{
    char *name = NULL;

    ck_assert_int_eq(mkdir(dir_path(""), 0700), 0);
    ck_assert_int_eq(ccache_primary(&here.krb, dir_name(""), &name),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(strncmp(name, "DIR::", 5), 0);
    free(name);
}
END_TEST

/* Whose place as the primary is taken: where IS_TAKEN, of what is there. */

static void
fill_with_living(const char *name)
{
    create(name, BOB, 3600);
}

static void
fill_with_expired(const char *name)
{
    create(name, BOB, -10);
}

static void
fill_without_tgt(const char *name)
{
    struct tickets tickets = {0};

    ck_assert_int_eq(krb5_parse_name(here.krb.context, BOB, &tickets.client),
                     0);
    here_add(&tickets, SERVICE, 3600);
    ck_assert_int_eq(ccache_create(&here.krb, name, &tickets), OUTCOME_SUCCESS);
    tickets_free(&here.krb, &tickets);
}

static void
fill_with_garbage(const char *name)
{
    create(name, BOB, 3600);
    ck_assert_int_eq(truncate(strchr(name, '/'), 20), 0);
}

static void
fill_and_empty(const char *name)
{
    create(name, BOB, 3600);
    ck_assert_int_eq(ccache_destroy(&here.krb, name), OUTCOME_SUCCESS);
}

static const struct {
    void (*fill)(const char *name);
    bool is_taken;
} primaries[] = {
    {fill_with_living, false}, {fill_with_expired, true},
    {fill_without_tgt, true},  {fill_with_garbage, false},
    {fill_and_empty, true},
};

START_TEST(test_ccache_create_is_primary_where_none_lives)
{
    primaries[_i].fill(dir_name("tktold"));
    check_primary(dir_name(""), dir_name("tktold"));
    create(dir_name("tktnew"), ALICE, 3600);
    check_primary(dir_name(""),
                  dir_name(primaries[_i].is_taken ? "tktnew" : "tktold"));
}
END_TEST

/* Only a cache that was not there before becomes primary. */
START_TEST(test_ccache_replace_is_primary_where_it_makes_the_cache)
{
    struct tickets tickets = here_tickets(ALICE);

    create(dir_name("tkta"), ALICE, 3600);
    create(dir_name("tktold"), BOB, -10);
    make_primary(dir_name("tktold"));
    ck_assert_int_eq(ccache_replace(&here.krb, dir_name("tkta"), &tickets),
                     OUTCOME_SUCCESS);
    check_primary(dir_name(""), dir_name("tktold"));
    ck_assert_int_eq(ccache_replace(&here.krb, dir_name("tktnew"), &tickets),
                     OUTCOME_SUCCESS);
    check_primary(dir_name(""), dir_name("tktnew"));
    tickets_free(&here.krb, &tickets);
}
END_TEST

/* KEYRING: in a session keyring of the test's own. */

#define NEEDS_SESSION_KEYRING()                                                \
    SKIP_UNLESS(                                                               \
        syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) > 0,   \
        "needs kernel keys")

#define KEYRING "KEYRING:session:test"

/* What a renewal finds when it comes back, by kind: FILE and KEYRING. */
static const char *
renewed_name(int kind)
{
    return kind == 0 ? here_name("cc") : KEYRING ":renewed";
}

START_TEST(test_ccache_renew_replaces_the_renewed)
{
    struct tickets old = here_tickets(ALICE);
    struct tickets fresh = here_tickets(ALICE);
    const char *name = renewed_name(_i);

    NEEDS_SESSION_KEYRING();
    ck_assert_int_eq(ccache_create(&here.krb, name, &old), OUTCOME_SUCCESS);
    ck_assert_int_eq(
        ccache_renew(&here.krb, name, &fresh, tickets_tgt(&here.krb, &old)),
        OUTCOME_SUCCESS);
    ck_assert(holds_ticket_of(name, &fresh));
    ck_assert_int_eq(ccache_destroy(&here.krb, name), OUTCOME_SUCCESS);
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &fresh);
}
END_TEST

/* kdestroy, or the session's end, while the KDC was asked. */
START_TEST(test_ccache_renew_leaves_what_was_destroyed)
{
    struct tickets old = here_tickets(ALICE);
    struct tickets fresh = here_tickets(ALICE);
    struct tickets found = {0};
    const char *name = renewed_name(_i);

    NEEDS_SESSION_KEYRING();
    ck_assert_int_eq(
        ccache_renew(&here.krb, name, &fresh, tickets_tgt(&here.krb, &old)),
        OUTCOME_CACHE_MISSING);
    ck_assert_int_eq(ccache_read(&here.krb, name, &found),
                     OUTCOME_CACHE_MISSING);
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &fresh);
}
END_TEST

/* kinit while the KDC was asked: those tickets are newer. */
START_TEST(test_ccache_renew_leaves_other_tickets)
{
    struct tickets old = here_tickets(ALICE);
    struct tickets fresh = here_tickets(ALICE);
    struct tickets newer = here_tickets(ALICE);
    const char *name = renewed_name(_i);

    NEEDS_SESSION_KEYRING();
    ck_assert_int_eq(ccache_create(&here.krb, name, &newer), OUTCOME_SUCCESS);
    ck_assert_int_eq(
        ccache_renew(&here.krb, name, &fresh, tickets_tgt(&here.krb, &old)),
        OUTCOME_SUCCESS);
    ck_assert(holds_ticket_of(name, &newer));
    ck_assert_int_eq(ccache_destroy(&here.krb, name), OUTCOME_SUCCESS);
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &fresh);
    tickets_free(&here.krb, &newer);
}
END_TEST

START_TEST(test_ccache_keyring_is_made_and_destroyed)
{
    struct tickets tickets = here_tickets(ALICE);

    NEEDS_SESSION_KEYRING();
    create(KEYRING ":a", ALICE, 3600);
    ck_assert_uint_eq(count(KEYRING ":a", TGT), 1);
    ck_assert_int_eq(ccache_create(&here.krb, KEYRING ":a", &tickets),
                     OUTCOME_CACHE_TAKEN);
    check_primary(KEYRING, KEYRING ":a");
    check_found(KEYRING, ALICE, KEYRING ":a");
    ck_assert_int_eq(ccache_destroy(&here.krb, KEYRING ":a"), OUTCOME_SUCCESS);
    /* Here libkrb5 does not tell that there was none. */
    ck_assert_int_eq(ccache_destroy(&here.krb, KEYRING ":a"), OUTCOME_SUCCESS);
    check_found(KEYRING, ALICE, NULL);
    tickets_free(&here.krb, &tickets);
}
END_TEST

START_TEST(test_ccache_keyring_replace_keeps_what_is_good)
{
    struct tickets old = here_tickets(ALICE);
    struct tickets fresh = here_tickets(ALICE);

    NEEDS_SESSION_KEYRING();
    here_add(&old, SERVICE, 3600);
    here_add(&old, CONFIG, -10);
    ck_assert_int_eq(ccache_create(&here.krb, KEYRING ":a", &old),
                     OUTCOME_SUCCESS);
    ck_assert_int_eq(ccache_replace(&here.krb, KEYRING ":a", &fresh),
                     OUTCOME_SUCCESS);
    ck_assert_uint_eq(count(KEYRING ":a", TGT), 1);
    ck_assert_uint_eq(count(KEYRING ":a", SERVICE), 1);
    ck_assert_uint_eq(count(KEYRING ":a", CONFIG), 1);
    tickets_free(&here.krb, &old);
    tickets_free(&here.krb, &fresh);
}
END_TEST

START_TEST(test_ccache_keyring_replace_leaves_that_of_another)
{
    struct tickets fresh = here_tickets(ALICE);

    NEEDS_SESSION_KEYRING();
    create(KEYRING ":b", BOB, 3600);
    ck_assert_int_eq(ccache_replace(&here.krb, KEYRING ":b", &fresh),
                     OUTCOME_CACHE_OF_ANOTHER);
    check_found(KEYRING, BOB, KEYRING ":b");
    check_found(KEYRING, ALICE, NULL);
    tickets_free(&here.krb, &fresh);
}
END_TEST

START_TEST(test_ccache_keyring_is_primary_where_none_lives)
{
    NEEDS_SESSION_KEYRING();
    create(KEYRING ":a", ALICE, 3600);
    create(KEYRING ":b", BOB, 3600);
    check_primary(KEYRING, KEYRING ":a");
    ck_assert_int_eq(ccache_destroy(&here.krb, KEYRING ":a"), OUTCOME_SUCCESS);
    create(KEYRING ":c", ALICE, 3600);
    check_primary(KEYRING, KEYRING ":c");
}
END_TEST

static void
add_names(Suite *suite)
{
    TCase *tcase = suite_case(suite, "names");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_loop_test(tcase, test_ccache_of_other_kinds_is_refused, 0,
                        COUNT(refused_names));
    tcase_add_loop_test(tcase, test_ccache_names_are_told_apart, 0,
                        COUNT(shapes));
    tcase_add_loop_test(
        tcase, test_ccache_pattern_that_would_be_too_long_is_refused, 0, 2);
    tcase_add_test(tcase, test_ccache_of_the_session_are_told);
}

static void
add_dir(Suite *suite)
{
    TCase *tcase = suite_case(suite, "dir");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_test(tcase, test_ccache_dir_is_made_for_its_first_cache);
    tcase_add_test(tcase, test_ccache_dir_without_parent_is_not_made);
    tcase_add_loop_test(tcase, test_ccache_dir_that_is_not_the_users_is_left, 0,
                        COUNT(folder_faults));
    tcase_add_test(tcase, test_ccache_find_is_by_principal);
    tcase_add_test(tcase, test_ccache_find_looks_at_the_primary_first);
    tcase_add_test(tcase, test_ccache_find_passes_over_what_cannot_be_read);
    tcase_add_test(tcase, test_ccache_find_passes_over_strays);
    tcase_add_test(tcase, test_ccache_find_in_nothing_is_missing);
    tcase_add_loop_test(tcase, test_ccache_primary_is_what_the_file_names, 0,
                        COUNT(primary_lines));
    tcase_add_test(tcase, test_ccache_dir_behind_a_link_is_left);
    tcase_add_test(tcase, test_ccache_find_leaves_the_default);
    tcase_add_test(tcase, test_ccache_primary_is_named_also_where_it_is_not);
    tcase_add_loop_test(tcase, test_ccache_create_is_primary_where_none_lives,
                        0, COUNT(primaries));
    tcase_add_test(tcase,
                   test_ccache_replace_is_primary_where_it_makes_the_cache);
}

static void
add_keyring(Suite *suite)
{
    TCase *tcase = suite_case(suite, "keyring");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_loop_test(tcase, test_ccache_renew_replaces_the_renewed, 0, 2);
    tcase_add_loop_test(tcase, test_ccache_renew_leaves_what_was_destroyed, 0,
                        2);
    tcase_add_loop_test(tcase, test_ccache_renew_leaves_other_tickets, 0, 2);
    tcase_add_test(tcase, test_ccache_keyring_is_made_and_destroyed);
    tcase_add_test(tcase, test_ccache_keyring_replace_keeps_what_is_good);
    tcase_add_test(tcase, test_ccache_keyring_replace_leaves_that_of_another);
    tcase_add_test(tcase, test_ccache_keyring_is_primary_where_none_lives);
}

static void
add_file(Suite *suite)
{
    TCase *tcase = suite_case(suite, "file");

    tcase_add_checked_fixture(tcase, here_setup, here_teardown);
    tcase_add_test(tcase, test_ccache_create_makes_the_users_own_file);
    tcase_add_loop_test(tcase, test_ccache_create_leaves_what_is_there, 0, 5);
    tcase_add_test(tcase, test_ccache_bare_path_is_a_file);
    tcase_add_loop_test(
        tcase, test_ccache_replace_makes_what_is_missing_or_empty, 0, 2);
    tcase_add_test(tcase, test_ccache_replace_takes_the_new_clock_offset);
    tcase_add_test(tcase, test_ccache_replace_keeps_what_is_good);
    tcase_add_test(tcase, test_ccache_replace_keeps_what_is_of_another_client);
    tcase_add_loop_test(tcase, test_ccache_replace_leaves_that_of_another, 0,
                        3);
    tcase_add_test(tcase, test_ccache_destroy_tells_what_is_gone);
    tcase_add_test(tcase, test_ccache_destroy_takes_the_file);
    tcase_add_loop_test(tcase, test_ccache_destroy_leaves_what_is_no_file, 0,
                        3);
    tcase_add_test(tcase, test_ccache_read_of_nothing_is_missing);
    tcase_add_loop_test(tcase, test_ccache_impossible_path_is_refused, 0, 2);
    tcase_add_test(tcase, test_ccache_default_name_is_libkrb5s);
}

int
main(void)
{
    Suite *suite = suite_create("ccache");

    add_names(suite);
    add_file(suite);
    add_dir(suite);
    add_keyring(suite);
    return suite_main(suite);
}
