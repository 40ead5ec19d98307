/* base/ccname: what the names of caches tell. */
#include "base/ccname.h"

#include "support/suite.h"

static const struct row {
    const char *name;
    bool is_in_session_keyring;
    bool is_in_collection;
} rows[] = {
    {"FILE:/tmp/krb5cc_1000_x", false, false},
    {"/tmp/krb5cc_1000_x", false, false},
    {"FILE:KEYRING:session:x", false, false},
    {"DIR::/run/user/1000/krb5cc/tkt", false, true},
    {"DIR:/run/user/1000/krb5cc", false, true},
    {"KCM:1000:x", false, true},
    {"KEYRING:persistent:1000:x", false, true},
    {"KEYRING:persistent:1000", false, true},
    {"KEYRING:user:login:x", false, true},
    {"KEYRING:session:login:x", true, true},
    {"KEYRING:session:login", true, true},
    {"KEYRING:legacy:login:x", true, true},
    {"KEYRING:legacy:login", true, true},
    {"KEYRING:login", true, true},
    {"KEYRING:session", true, true},
    {"KEYRING:process:login", false, true},
    {"KEYRING:sessions:login", false, true},
    {"keyring:session:login", false, true},
};

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

START_TEST(test_ccname_tells_where_the_cache_is)
{
    const struct row *row = &rows[_i];

    ck_assert_msg(ccname_is_in_session_keyring(row->name) ==
                      row->is_in_session_keyring,
                  "session keyring: %s", row->name);
    ck_assert_msg(ccname_is_in_collection(row->name) == row->is_in_collection,
                  "collection: %s", row->name);
}
END_TEST

/* Records that are on the disk are found by it (draft-eastlake-fnv, C). */
START_TEST(test_ccname_digest_is_fnv_1a)
{
    ck_assert_uint_eq(ccname_digest(""), UINT64_C(0xcbf29ce484222325));
    ck_assert_uint_eq(ccname_digest("a"), UINT64_C(0xaf63dc4c8601ec8c));
    ck_assert_uint_eq(ccname_digest("foobar"), UINT64_C(0x85944171f73967e8));
}
END_TEST

START_TEST(test_ccname_of_one_file_is_one_name)
{
    static const char *const same[] = {"/x/tkty", "FILE:/x/tkty",
                                       "DIR::/x/tkty"};
    static const char *const others[] = {"FILE:/x/tktz", "DIR:/x/tkty",
                                         "KCM:/x/tkty", "x/tkty"};

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        ck_assert(ccname_is_same(same[i], same[0]));
        ck_assert(ccname_is_same(same[0], same[i]));
        ck_assert_uint_eq(ccname_digest(same[i]), ccname_digest(same[0]));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ck_assert(!ccname_is_same(same[0], others[i]));
        ck_assert_uint_ne(ccname_digest(same[0]), ccname_digest(others[i]));
    }
    ck_assert(ccname_is_same("KCM:1:a", "KCM:1:a"));
    ck_assert(!ccname_is_same("KCM:1:a", "KCM:1:b"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ccname");
    TCase *tcase = suite_case(suite, "names");

    tcase_add_loop_test(tcase, test_ccname_tells_where_the_cache_is, 0, ROWS);
    tcase_add_test(tcase, test_ccname_digest_is_fnv_1a);
    tcase_add_test(tcase, test_ccname_of_one_file_is_one_name);
    return suite_main(suite);
}
