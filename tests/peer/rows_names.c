/* Rows: whose principal it is that a user has, and what the user is called. */
#include "peer/row.h"

#define OTHER_REALM "[libdefaults]\ndefault_realm = OTHER.TEST\n"
#define ALT "addprinc -pw alt-password +requires_preauth alice/alt\n"
#define NO_ALT "delprinc -force alice/alt\n"

static const struct row rows[] = {
    {
        .name = "name with the local realm",
        .user = "alice@PAM.TEST",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth user acct establish cache close",
        .peer = "auth <Password: > SUCCESS; user alice; acct SUCCESS; "
                "establish SUCCESS; cache FILE:/tmp/krb5cc_UID_XXXXXX "
                "alice:alice 600 for alice@PAM.TEST; close SUCCESS",
    },
    {
        .name = "no_update_user",
        .user = "alice@PAM.TEST",
        .arguments = "no_update_user",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth user acct",
        .peer = "auth <Password: > SUCCESS; user alice@PAM.TEST; acct SUCCESS",
    },
    {
        .name = "no_update_user, session",
        .user = "alice@PAM.TEST",
        .arguments = "no_update_user",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth establish open",
        .peer = "auth <Password: > SUCCESS; establish USER_UNKNOWN; open "
                "USER_UNKNOWN",
    },
    {
        .name = "name with the local realm, wrong password",
        .user = "alice@PAM.TEST",
        .answers = {"wrong-password", "alice-password"},
        .steps = "auth user",
        .peer = "auth <Password: > AUTH_ERR; user alice@PAM.TEST",
    },
    {
        .name = "name with a realm without a KDC",
        .user = "alice@NOWHERE.TEST",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth user",
        .peer = "auth <Password: > AUTHINFO_UNAVAIL; user alice@NOWHERE.TEST",
    },
    {
        .name = "name with the local realm, .k5login of others",
        .user = "alice@PAM.TEST",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth user",
        .peer = "auth <Password: > AUTH_ERR; user alice@PAM.TEST",
    },
    {
        .name = "name with a realm that is not the local one",
        .user = "alice@PAM.TEST",
        .config = OTHER_REALM,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth user acct establish",
        .peer = "auth <Password: > SUCCESS; user alice@PAM.TEST; acct SUCCESS; "
                "establish USER_UNKNOWN",
    },
    {
        .name = "no_update_user, .k5login of others",
        .user = "alice@PAM.TEST",
        .arguments = "no_update_user",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"alice-password"},
        .steps = "auth user acct",
        .peer = "auth <Password: > SUCCESS; user alice@PAM.TEST; acct SUCCESS",
    },
    {
        .name = "no_update_user, another principal",
        .user = "alice@PAM.TEST",
        .arguments = "no_update_user prompt_principal",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob@PAM.TEST", "bob-password"},
        .steps = "auth user acct",
        .peer = "auth echo<Principal: > <Password: > AUTH_ERR; user "
                "alice@PAM.TEST; acct IGNORE",
        .ours = "auth echo<Principal: > <Password: > AUTH_ERR; user "
                "alice@PAM.TEST; acct PERM_DENIED",
        .why = REFUSED,
    },
    {
        .name =
            "name with a realm that is not the local one, another principal",
        .user = "alice@PAM.TEST",
        .arguments = "prompt_principal",
        .config = OTHER_REALM,
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob@PAM.TEST", "bob-password"},
        .steps = "auth user acct",
        .peer = "auth echo<Principal: > <Password: > AUTH_ERR; user "
                "alice@PAM.TEST; acct IGNORE",
        .ours = "auth echo<Principal: > <Password: > AUTH_ERR; user "
                "alice@PAM.TEST; acct PERM_DENIED",
        .why = REFUSED,
    },
    {
        .name = "name with the local realm, use_first_pass",
        .user = "alice@PAM.TEST",
        .arguments = "use_first_pass",
        .stored = "alice-password",
        .steps = "auth user open cache",
        .peer =
            "auth SUCCESS; user alice; open SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST",
    },
    {
        .name = "name with the local realm, minimum_uid above the user's",
        .user = "alice@PAM.TEST",
        .arguments = "minimum_uid=70000",
        .answers = {"alice-password"},
        .steps = "auth user",
        .peer = "auth <Password: > SUCCESS; user alice",
        .ours = "auth USER_UNKNOWN; user alice@PAM.TEST",
        .why = "Whom the option excludes it excludes by his principal too.",
    },
    {
        .name = "name with the local realm, change",
        .user = "alice@PAM.TEST",
        .answers = {"alice-password", "a", "b"},
        .steps = "chauthtok user",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "error<Passwords don't match> AUTHTOK_ERR; user alice@PAM.TEST",
    },
    {
        .name = "expose_account",
        .arguments = "expose_account",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > SUCCESS",
    },
    {
        .name = "expose_account, wrong password stored",
        .arguments = "expose_account try_first_pass",
        .stored = "wrong-password",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > SUCCESS",
    },
    {
        .name = "expose_account, unknown principal",
        .user = "nobody-here",
        .arguments = "expose_account",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for nobody-here@PAM.TEST: > USER_UNKNOWN",
    },
    {
        .name = "expose_account, change",
        .user = "changer",
        .arguments = "expose_account",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password for changer@PAM.TEST: > "
                "SUCCESS; update <Enter new Kerberos password for "
                "changer@PAM.TEST: > <Retype new Kerberos password for "
                "changer@PAM.TEST: > SUCCESS",
    },
    {
        .name = "expose_account, change, banner",
        .user = "changer",
        .arguments = "expose_account banner=Realm",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok",
        .peer =
            "prelim <Current Realm password for changer@PAM.TEST: > SUCCESS; "
            "update <Enter new Realm password for changer@PAM.TEST: > <Retype "
            "new Realm password for changer@PAM.TEST: > SUCCESS",
    },
    {
        .name = "expose_account, change, empty banner",
        .user = "changer",
        .arguments = "expose_account banner=",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok",
        .peer = "prelim <Current password for changer@PAM.TEST: > SUCCESS; "
                "update <Enter new password for changer@PAM.TEST: > <Retype "
                "new password for changer@PAM.TEST: > SUCCESS",
    },
    {
        .name = "prompt_principal, empty answer",
        .arguments = "prompt_principal",
        .answers = {"", "alice-password"},
        .steps = "auth acct establish cache",
        .peer = "auth echo<Principal: > <Password: > SUCCESS; acct SUCCESS; "
                "establish SUCCESS; cache FILE:/tmp/krb5cc_UID_XXXXXX "
                "alice:alice 600 for alice@PAM.TEST",
    },
    {
        .name = "prompt_principal, another who is authorized",
        .arguments = "prompt_principal",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob@PAM.TEST", "bob-password"},
        .steps = "auth acct establish cache",
        .peer = "auth echo<Principal: > <Password: > SUCCESS; acct SUCCESS; "
                "establish SUCCESS; cache FILE:/tmp/krb5cc_UID_XXXXXX "
                "alice:alice 600 for bob@PAM.TEST",
    },
    {
        .name = "prompt_principal, another without realm",
        .arguments = "prompt_principal",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob", "bob-password"},
        .steps = "auth acct establish cache",
        .peer = "auth echo<Principal: > <Password: > SUCCESS; acct SUCCESS; "
                "establish SUCCESS; cache FILE:/tmp/krb5cc_UID_XXXXXX "
                "alice:alice 600 for bob@PAM.TEST",
    },
    {
        .name = "prompt_principal, another who is not authorized",
        .arguments = "prompt_principal",
        .answers = {"bob", "bob-password"},
        .steps = "auth acct",
        .peer = "auth echo<Principal: > <Password: > AUTH_ERR; acct IGNORE",
        .ours =
            "auth echo<Principal: > <Password: > AUTH_ERR; acct PERM_DENIED",
        .why = REFUSED,
    },
    {
        .name = "prompt_principal, unknown",
        .arguments = "prompt_principal",
        .k5login = "nobody-here@PAM.TEST\n",
        .answers = {"nobody-here", "bob-password"},
        .steps = "auth acct",
        .peer = "auth echo<Principal: > <Password: > USER_UNKNOWN; acct IGNORE",
    },
    {
        .name = "prompt_principal, no answer",
        .arguments = "prompt_principal",
        .steps = "auth",
        .peer = "auth echo<Principal: > <Password: > AUTH_ERR",
        .ours = "auth echo<Principal: > AUTH_ERR",
        .why = "A host that does not answer is not asked again.",
    },
    {
        .name = "prompt_principal, no answer to the second",
        .arguments = "prompt_principal",
        .answers = {"bob"},
        .steps = "auth",
        .peer = "auth echo<Principal: > <Password: > AUTH_ERR",
    },
    {
        .name = "prompt_principal, expose_account",
        .arguments = "prompt_principal expose_account",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob", "bob-password"},
        .steps = "auth",
        .peer = "auth echo<Principal: > <Password for bob@PAM.TEST: > SUCCESS",
    },
    {
        .name = "prompt_principal, use_first_pass, one stored",
        .arguments = "prompt_principal use_first_pass",
        .stored = "alice-password",
        .answers = {"bob", "bob-password"},
        .steps = "auth",
        .peer = "auth echo<Principal: > AUTH_ERR",
    },
    {
        .name = "prompt_principal, try_first_pass, wrong one stored",
        .arguments = "prompt_principal try_first_pass",
        .stored = "wrong-password",
        .answers = {"", "alice-password"},
        .steps = "auth",
        .peer = "auth echo<Principal: > <Password: > SUCCESS",
    },
    {
        .name = "prompt_principal, name with a realm",
        .user = "alice@PAM.TEST",
        .arguments = "prompt_principal",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob@PAM.TEST", "bob-password"},
        .steps = "auth user",
        .peer = "auth echo<Principal: > <Password: > SUCCESS; user bob",
        .ours = "auth echo<Principal: > <Password: > SUCCESS; user alice",
        .why = "The user is the one that the host has named.",
    },
    {
        .name = "prompt_principal, change",
        .user = "alice",
        .arguments = "prompt_principal",
        .kadmin = "delprinc -force changer\naddprinc -pw old-password "
                  "+requires_preauth changer\n",
        .answers = {"changer", "old-password", "new-password", "new-password"},
        .steps = "chauthtok",
        .peer = "prelim echo<Principal: > <Current Kerberos password: > "
                "SUCCESS; update <Enter new Kerberos password: > <Retype new "
                "Kerberos password: > SUCCESS",
    },
    {
        .name = "no_prompt",
        .arguments = "no_prompt",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password for alice@PAM.TEST: > SUCCESS; acct SUCCESS",
    },
    {
        .name = "no_prompt, wrong password",
        .arguments = "no_prompt",
        .answers = {"wrong-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > AUTH_ERR",
    },
    {
        .name = "no_prompt, empty password",
        .arguments = "no_prompt",
        .answers = {"", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > AUTH_ERR",
    },
    {
        .name = "no_prompt, no answer",
        .arguments = "no_prompt",
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > AUTH_ERR",
    },
    {
        .name = "no_prompt, unknown principal",
        .user = "nobody-here",
        .arguments = "no_prompt",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth USER_UNKNOWN",
        .ours = "auth <Password for nobody-here@PAM.TEST: > USER_UNKNOWN",
        .why = "Nobody learns who exists.",
    },
    {
        .name = "no_prompt, use_first_pass, one stored",
        .arguments = "no_prompt use_first_pass",
        .stored = "alice-password",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth SUCCESS",
    },
    {
        .name = "no_prompt, try_first_pass, wrong one stored",
        .arguments = "no_prompt try_first_pass",
        .stored = "wrong-password",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > SUCCESS",
    },
    {
        .name = "no_prompt, expose_account",
        .arguments = "no_prompt expose_account",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > SUCCESS",
    },
    {
        .name = "no_prompt, expired password",
        .user = "changer",
        .arguments = "no_prompt",
        .kadmin = "modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" changer\n",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "auth",
        .peer = "auth <Password for changer@PAM.TEST: > info<Password expired. "
                " You must change it now.> <Enter new password: > <Enter it "
                "again: > SUCCESS",
    },
    {
        .name = "no_prompt, change",
        .user = "changer",
        .arguments = "no_prompt",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok",
        .peer =
            "prelim <Password for changer@PAM.TEST: > SUCCESS; update <Enter "
            "new Kerberos password: > <Retype new Kerberos password: > SUCCESS",
    },
    {
        .name = "user_realm, not authorized",
        .arguments = "user_realm=PAM.TEST",
        .config = OTHER_REALM,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > AUTH_ERR",
    },
    {
        .name = "user_realm, authorized by .k5login",
        .arguments = "user_realm=PAM.TEST",
        .k5login = "alice@PAM.TEST\n",
        .config = OTHER_REALM,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST",
    },
    {
        .name = "user_realm, name with another realm",
        .user = "alice@PAM.TEST",
        .arguments = "user_realm=NOWHERE.TEST",
        .config = OTHER_REALM,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > SUCCESS",
    },
    {
        .name = "user_realm without a KDC",
        .arguments = "user_realm=NOWHERE.TEST",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > AUTHINFO_UNAVAIL",
    },
    {
        .name = "user_realm, in krb5.conf",
        .config = "[appdefaults]\npam = {\nuser_realm = NOWHERE.TEST\n}\n",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > AUTHINFO_UNAVAIL",
    },
    {
        .name = "user_realm and realm",
        .arguments = "realm=PAM.TEST user_realm=NOWHERE.TEST",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > AUTHINFO_UNAVAIL",
    },
    {
        .name = "user_realm, change",
        .user = "changer",
        .arguments = "user_realm=NOWHERE.TEST",
        .answers = {"old-password", "a", "b"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > AUTHTOK_ERR",
    },
    {
        .name = "alt_auth_map, its password",
        .arguments = "alt_auth_map=%s/alt",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth acct establish cache",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice/alt@PAM.TEST",
    },
    {
        .name = "alt_auth_map, the user's password",
        .arguments = "alt_auth_map=%s/alt",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST",
    },
    {
        .name = "alt_auth_map, a wrong password",
        .arguments = "alt_auth_map=%s/alt",
        .kadmin = ALT,
        .answers = {"wrong-password", "alt-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "alt_auth_map, unknown, the user's password",
        .arguments = "alt_auth_map=%s/alt",
        .kadmin = NO_ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST",
    },
    {
        .name = "alt_auth_map, unknown, a wrong password",
        .arguments = "alt_auth_map=%s/alt",
        .kadmin = NO_ALT,
        .answers = {"wrong-password", "alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "alt_auth_map, the user's password stored",
        .arguments = "alt_auth_map=%s/alt use_first_pass",
        .stored = "alice-password",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth SUCCESS",
    },
    {
        .name = "alt_auth_map, its password stored",
        .arguments = "alt_auth_map=%s/alt force_first_pass",
        .stored = "alt-password",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth SUCCESS",
    },
    {
        .name = "alt_auth_map, .k5login of others",
        .arguments = "alt_auth_map=%s/alt",
        .k5login = "bob@PAM.TEST\n",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS",
    },
    {
        .name = "alt_auth_map, change",
        .arguments = "alt_auth_map=%s/alt expose_account",
        .kadmin = ALT,
        .answers = {"alt-password", "a", "b"},
        .steps = "chauthtok",
        .peer =
            "prelim <Current Kerberos password for alice@PAM.TEST: > SUCCESS; "
            "update <Enter new Kerberos password for alice/alt@PAM.TEST: > "
            "<Retype new Kerberos password for alice/alt@PAM.TEST: > "
            "error<Passwords don't match> AUTHTOK_ERR",
    },
    {
        .name = "alt_auth_map, change, unknown",
        .arguments = "alt_auth_map=%s/alt expose_account",
        .kadmin = NO_ALT,
        .answers = {"alice-password", "a", "b"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password for alice@PAM.TEST: > "
                "SUCCESS; update <Enter new Kerberos password for "
                "alice@PAM.TEST: > <Retype new Kerberos password for "
                "alice@PAM.TEST: > error<Passwords don't match> AUTHTOK_ERR",
    },
    {
        .name = "force_alt_auth, its password",
        .arguments = "alt_auth_map=%s/alt force_alt_auth",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth acct establish cache",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice/alt@PAM.TEST",
    },
    {
        .name = "force_alt_auth, the user's password",
        .arguments = "alt_auth_map=%s/alt force_alt_auth",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE; establish SUCCESS; "
                "no KRB5CCNAME",
    },
    {
        .name = "force_alt_auth, a wrong password",
        .arguments = "alt_auth_map=%s/alt force_alt_auth",
        .kadmin = ALT,
        .answers = {"wrong-password", "alt-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "force_alt_auth, unknown, the user's password",
        .arguments = "alt_auth_map=%s/alt force_alt_auth",
        .kadmin = NO_ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST",
    },
    {
        .name = "force_alt_auth, unknown, a wrong password",
        .arguments = "alt_auth_map=%s/alt force_alt_auth",
        .kadmin = NO_ALT,
        .answers = {"wrong-password", "alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "force_alt_auth, the user's password stored",
        .arguments = "alt_auth_map=%s/alt force_alt_auth use_first_pass",
        .stored = "alice-password",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth AUTH_ERR",
    },
    {
        .name = "force_alt_auth, its password stored",
        .arguments = "alt_auth_map=%s/alt force_alt_auth force_first_pass",
        .stored = "alt-password",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth SUCCESS",
    },
    {
        .name = "force_alt_auth, .k5login of others",
        .arguments = "alt_auth_map=%s/alt force_alt_auth",
        .k5login = "bob@PAM.TEST\n",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS",
    },
    {
        .name = "force_alt_auth, change",
        .arguments = "alt_auth_map=%s/alt force_alt_auth expose_account",
        .kadmin = ALT,
        .answers = {"alt-password", "a", "b"},
        .steps = "chauthtok",
        .peer =
            "prelim <Current Kerberos password for alice@PAM.TEST: > SUCCESS; "
            "update <Enter new Kerberos password for alice/alt@PAM.TEST: > "
            "<Retype new Kerberos password for alice/alt@PAM.TEST: > "
            "error<Passwords don't match> AUTHTOK_ERR",
    },
    {
        .name = "force_alt_auth, change, unknown",
        .arguments = "alt_auth_map=%s/alt force_alt_auth expose_account",
        .kadmin = NO_ALT,
        .answers = {"alice-password", "a", "b"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password for alice@PAM.TEST: > "
                "SUCCESS; update <Enter new Kerberos password for "
                "alice@PAM.TEST: > <Retype new Kerberos password for "
                "alice@PAM.TEST: > error<Passwords don't match> AUTHTOK_ERR",
    },
    {
        .name = "only_alt_auth, its password",
        .arguments = "alt_auth_map=%s/alt only_alt_auth",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth acct establish cache",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice/alt@PAM.TEST",
    },
    {
        .name = "only_alt_auth, the user's password",
        .arguments = "alt_auth_map=%s/alt only_alt_auth",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE; establish SUCCESS; "
                "no KRB5CCNAME",
    },
    {
        .name = "only_alt_auth, a wrong password",
        .arguments = "alt_auth_map=%s/alt only_alt_auth",
        .kadmin = ALT,
        .answers = {"wrong-password", "alt-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "only_alt_auth, unknown, the user's password",
        .arguments = "alt_auth_map=%s/alt only_alt_auth",
        .kadmin = NO_ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer = "auth <Password: > USER_UNKNOWN; acct IGNORE; establish "
                "SUCCESS; no KRB5CCNAME",
    },
    {
        .name = "only_alt_auth, unknown, a wrong password",
        .arguments = "alt_auth_map=%s/alt only_alt_auth",
        .kadmin = NO_ALT,
        .answers = {"wrong-password", "alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > USER_UNKNOWN; acct IGNORE",
    },
    {
        .name = "only_alt_auth, the user's password stored",
        .arguments = "alt_auth_map=%s/alt only_alt_auth use_first_pass",
        .stored = "alice-password",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth AUTH_ERR",
    },
    {
        .name = "only_alt_auth, its password stored",
        .arguments = "alt_auth_map=%s/alt only_alt_auth force_first_pass",
        .stored = "alt-password",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth SUCCESS",
    },
    {
        .name = "only_alt_auth, .k5login of others",
        .arguments = "alt_auth_map=%s/alt only_alt_auth",
        .k5login = "bob@PAM.TEST\n",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS",
    },
    {
        .name = "only_alt_auth, change",
        .arguments = "alt_auth_map=%s/alt only_alt_auth expose_account",
        .kadmin = ALT,
        .answers = {"alt-password", "a", "b"},
        .steps = "chauthtok",
        .peer =
            "prelim <Current Kerberos password for alice@PAM.TEST: > SUCCESS; "
            "update <Enter new Kerberos password for alice/alt@PAM.TEST: > "
            "<Retype new Kerberos password for alice/alt@PAM.TEST: > "
            "error<Passwords don't match> AUTHTOK_ERR",
    },
    {
        .name = "only_alt_auth, change, unknown",
        .arguments = "alt_auth_map=%s/alt only_alt_auth expose_account",
        .kadmin = NO_ALT,
        .answers = {"alice-password", "a", "b"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password for alice@PAM.TEST: > "
                "USER_UNKNOWN",
    },
    {
        .name = "alt_auth_map, expose_account",
        .arguments = "alt_auth_map=%s/alt expose_account",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > SUCCESS",
    },
    {
        .name = "alt_auth_map, expose_account, the user's password",
        .arguments = "alt_auth_map=%s/alt expose_account",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password for alice@PAM.TEST: > SUCCESS",
    },
    {
        .name = "alt_auth_map, try_first_pass, wrong one stored",
        .arguments = "alt_auth_map=%s/alt try_first_pass",
        .stored = "wrong-password",
        .kadmin = ALT,
        .answers = {"alt-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > SUCCESS",
    },
    {
        .name = "alt_auth_map, try_first_pass, the user's stored",
        .arguments = "alt_auth_map=%s/alt try_first_pass",
        .stored = "alice-password",
        .kadmin = ALT,
        .answers = {"alt-password", "alice-password"},
        .steps = "auth",
        .peer = "auth SUCCESS",
    },
    {
        .name = "alt_auth_map with a realm",
        .arguments = "alt_auth_map=%s/alt@PAM.TEST",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth establish cache",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice/alt@PAM.TEST",
    },
    {
        .name = "alt_auth_map with a realm without a KDC",
        .arguments = "alt_auth_map=%s/alt@NOWHERE.TEST",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > SUCCESS",
    },
    {
        .name = "only_alt_auth with a realm without a KDC",
        .arguments = "alt_auth_map=%s/alt@NOWHERE.TEST only_alt_auth",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > AUTHINFO_UNAVAIL",
    },
    {
        .name = "alt_auth_map, name with the realm",
        .user = "alice@PAM.TEST",
        .arguments = "alt_auth_map=%s/alt",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth user establish cache",
        .peer = "auth <Password: > SUCCESS; user alice; establish SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice/alt@PAM.TEST",
    },
    {
        .name = "alt_auth_map without %s",
        .arguments = "alt_auth_map=bob",
        .kadmin = ALT,
        .answers = {"bob-password"},
        .steps = "auth establish cache",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for bob@PAM.TEST",
    },
    {
        .name = "alt_auth_map, unknown user",
        .user = "nobody-here",
        .arguments = "alt_auth_map=%s/alt",
        .kadmin = ALT,
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > USER_UNKNOWN",
    },
    {
        .name = "alt_auth_map, prompt_principal",
        .arguments = "alt_auth_map=%s/alt prompt_principal",
        .k5login = "bob@PAM.TEST\n",
        .kadmin = ALT,
        .answers = {"bob", "bob-password"},
        .steps = "auth",
        .peer = "auth echo<Principal: > <Password: > SUCCESS",
    },
    {
        .name = "alt_auth_map, in krb5.conf",
        .config = "[appdefaults]\npam = {\nalt_auth_map = %s/alt\n}\n",
        .kadmin = ALT,
        .answers = {"alt-password"},
        .steps = "auth establish cache",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice/alt@PAM.TEST",
    },
    {
        .name = "search_k5login, the second of two",
        .arguments = "search_k5login",
        .k5login = "nobody-here@PAM.TEST\nbob@PAM.TEST\n",
        .answers = {"bob-password", "bob-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for bob@PAM.TEST",
    },
    {
        .name = "search_k5login, the first of two",
        .arguments = "search_k5login",
        .k5login = "bob@PAM.TEST\ncarol@PAM.TEST\n",
        .answers = {"bob-password", "bob-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for bob@PAM.TEST",
    },
    {
        .name = "search_k5login, both tried",
        .arguments = "search_k5login",
        .k5login = "alice@PAM.TEST\nbob@PAM.TEST\n",
        .answers = {"bob-password", "bob-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for bob@PAM.TEST",
    },
    {
        .name = "search_k5login, none fits",
        .arguments = "search_k5login",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"wrong-password", "bob-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "search_k5login, user not listed",
        .arguments = "search_k5login",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "search_k5login, all unknown",
        .arguments = "search_k5login",
        .k5login = "nobody-here@PAM.TEST\n",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > USER_UNKNOWN; acct IGNORE",
    },
    {
        .name = "search_k5login, no .k5login",
        .arguments = "search_k5login",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct establish cache",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST",
    },
    {
        .name = "search_k5login, empty .k5login",
        .arguments = "search_k5login",
        .k5login = "",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
        .ours = "auth <Password: > AUTH_ERR; acct PERM_DENIED",
        .why = REFUSED,
    },
    {
        .name = "search_k5login, stored, use_first_pass",
        .arguments = "search_k5login use_first_pass",
        .stored = "bob-password",
        .k5login = "alice@PAM.TEST\nbob@PAM.TEST\n",
        .answers = {"alice-password", "alice-password"},
        .steps = "auth",
        .peer = "auth SUCCESS",
    },
    {
        .name = "search_k5login, stored wrong, try_first_pass",
        .arguments = "search_k5login try_first_pass",
        .stored = "wrong-password",
        .k5login = "alice@PAM.TEST\nbob@PAM.TEST\n",
        .answers = {"bob-password", "bob-password"},
        .steps = "auth",
        .peer = "auth <Password: > SUCCESS",
    },
    {
        .name = "search_k5login, expose_account",
        .arguments = "search_k5login expose_account",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob-password", "bob-password"},
        .steps = "auth",
        .peer = "auth <Password: > SUCCESS",
    },
    {
        .name = "search_k5login, no_prompt",
        .arguments = "search_k5login no_prompt",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"bob-password", "bob-password"},
        .steps = "auth",
        .peer = "auth <Password for bob@PAM.TEST: > SUCCESS",
    },
    {
        .name = "search_k5login, a line that is no principal",
        .arguments = "search_k5login",
        .k5login = "bob@PAM@TEST\nbob@PAM.TEST\n",
        .answers = {"bob-password", "bob-password"},
        .steps = "auth",
        .peer = "auth <Password: > SUCCESS",
    },
    {
        .name = "search_k5login, user without an account",
        .user = "changer",
        .arguments = "search_k5login",
        .answers = {"old-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS",
    },
    /* An expired password that acct_mgmt reports. */
    {
        .name = "defer_pwchange",
        .user = "expired",
        .arguments = "defer_pwchange",
        .kadmin = "cpw -pw expired-password expired\nmodprinc -pwexpire "
                  "\"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"expired-password", "expired-password", "new-password",
                    "new-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > SUCCESS; acct NEW_AUTHTOK_REQD",
    },
    {
        .name = "defer_pwchange, wrong password",
        .user = "expired",
        .arguments = "defer_pwchange",
        .kadmin = "cpw -pw expired-password expired\nmodprinc -pwexpire "
                  "\"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"wrong-password", "expired-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
    },
    {
        .name = "defer_pwchange, changed",
        .user = "expired",
        .arguments = "defer_pwchange",
        .kadmin = "cpw -pw expired-password expired\nmodprinc -pwexpire "
                  "\"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"expired-password", "expired-password", "new-password",
                    "new-password"},
        .steps = "auth acct chauthtok acct establish open cache close there",
        .peer = "auth <Password: > SUCCESS; acct NEW_AUTHTOK_REQD; prelim "
                "info<Password expired.  You must change it now.> <Current "
                "Kerberos password: > SUCCESS; update <Enter new Kerberos "
                "password: > <Retype new Kerberos password: > SUCCESS; acct "
                "SUCCESS; establish SUCCESS; open SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX expired:expired 600 for "
                "expired@PAM.TEST; close SUCCESS; cache gone",
    },
    {
        .name = "defer_pwchange, changed, use_first_pass",
        .user = "expired",
        .arguments = "defer_pwchange use_first_pass",
        .stored = "expired-password",
        .kadmin = "cpw -pw expired-password expired\nmodprinc -pwexpire "
                  "\"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"new-password", "new-password"},
        .steps = "auth acct chauthtok acct establish cache",
        .peer = "auth SUCCESS; acct NEW_AUTHTOK_REQD; prelim <Current Kerberos "
                "password: > AUTHTOK_RECOVERY_ERR; acct NEW_AUTHTOK_REQD; "
                "establish SERVICE_ERR; no KRB5CCNAME",
        .ours = "auth SUCCESS; acct NEW_AUTHTOK_REQD; prelim info<Password "
                "expired.  You must change it now.> <Current Kerberos "
                "password: > AUTHTOK_RECOVERY_ERR; acct NEW_AUTHTOK_REQD; "
                "establish SUCCESS; no KRB5CCNAME",
        .why = "There is nothing to make a cache of; a session without tickets "
               "is the host's decision.",
    },
    {
        .name = "defer_pwchange, change that is mistyped",
        .user = "expired",
        .arguments = "defer_pwchange",
        .kadmin = "cpw -pw expired-password expired\nmodprinc -pwexpire "
                  "\"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"expired-password", "expired-password", "new-password",
                    "a"},
        .steps = "auth acct chauthtok acct",
        .peer = "auth <Password: > SUCCESS; acct NEW_AUTHTOK_REQD; prelim "
                "info<Password expired.  You must change it now.> <Current "
                "Kerberos password: > SUCCESS; update <Enter new Kerberos "
                "password: > <Retype new Kerberos password: > error<Passwords "
                "don't match> AUTHTOK_ERR; acct NEW_AUTHTOK_REQD",
    },
    {
        .name = "defer_pwchange, change with a wrong old one",
        .user = "expired",
        .arguments = "defer_pwchange",
        .kadmin = "cpw -pw expired-password expired\nmodprinc -pwexpire "
                  "\"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"expired-password", "wrong-password", "new-password",
                    "new-password"},
        .steps = "auth acct chauthtok acct",
        .peer =
            "auth <Password: > SUCCESS; acct NEW_AUTHTOK_REQD; prelim "
            "info<Password expired.  You must change it now.> <Current "
            "Kerberos password: > AUTHTOK_RECOVERY_ERR; acct NEW_AUTHTOK_REQD",
    },
    {
        .name = "defer_pwchange, silent",
        .user = "expired",
        .arguments = "defer_pwchange silent",
        .kadmin = "cpw -pw expired-password expired\nmodprinc -pwexpire "
                  "\"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"expired-password", "expired-password", "new-password",
                    "new-password"},
        .steps = "auth acct chauthtok acct",
        .peer = "auth <Password: > SUCCESS; acct NEW_AUTHTOK_REQD; prelim "
                "<Current Kerberos password: > SUCCESS; update <Enter new "
                "Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; acct SUCCESS",
    },
    {
        .name = "defer_pwchange, not authorized",
        .arguments = "defer_pwchange",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"alice-password"},
        .steps = "auth acct",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE",
        .ours = "auth <Password: > AUTH_ERR; acct PERM_DENIED",
        .why = REFUSED,
    },
};

const struct rows rows_names = ROWS("names", rows);
