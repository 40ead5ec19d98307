/* Rows: pam_chauthtok, its halves told apart. */
#include "peer/row.h"

#define EXPIRE "modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" changer\n"

#define STRICT "addpol -minlength 8 strict\nmodprinc -policy strict changer\n"

static const struct row rows[] = {
    {
        .name = "change",
        .user = "changer",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "tokens chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS (authtok new-password, old old-password); changed",
    },
    {
        .name = "change, banner",
        .user = "changer",
        .arguments = "banner=Realm",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer =
            "prelim <Current Realm password: > SUCCESS; update <Enter new "
            "Realm password: > <Retype new Realm password: > SUCCESS; changed",
    },
    {
        .name = "change, empty banner",
        .user = "changer",
        .arguments = "banner=",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current password: > SUCCESS; update <Enter new "
                "password: > <Retype new password: > SUCCESS; changed",
    },
    {
        .name = "change, silent",
        .user = "changer",
        .arguments = "silent",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; changed",
    },
    {
        .name = "change, ignored user",
        .user = "root",
        .arguments = "ignore_root",
        .answers = {"new-password", "new-password"},
        .steps = "behind tokens chauthtok",
        .peer = "prelim IGNORE; update <Enter new password: > <Retype new "
                "password: > IGNORE (authtok new-password, old none)",
    },
    {
        .name = "change, minimum_uid above the user's",
        .arguments = "minimum_uid=70000",
        .answers = {"new-password", "new-password"},
        .steps = "behind tokens chauthtok",
        .peer = "prelim IGNORE; update <Enter new password: > <Retype new "
                "password: > IGNORE (authtok new-password, old none)",
    },
    {
        .name = "change, ignored user, mismatch",
        .user = "root",
        .arguments = "ignore_root",
        .answers = {"new-password", "other"},
        .steps = "behind tokens chauthtok",
        .peer = "prelim IGNORE; update <Enter new password: > <Retype new "
                "password: > error<Passwords don't match> IGNORE (authtok "
                "none, old none)",
    },
    {
        .name = "change, ignored user, use_authtok",
        .user = "root",
        .arguments = "ignore_root use_authtok",
        .answers = {"new-password", "new-password"},
        .steps = "behind tokens chauthtok",
        .peer = "prelim IGNORE; update IGNORE (authtok none, old none)",
    },
    {
        .name = "change, wrong old password",
        .user = "changer",
        .answers = {"wrong-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > AUTHTOK_RECOVERY_ERR; "
                "not changed",
    },
    {
        .name = "change, unknown principal",
        .user = "nobody-here",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > USER_UNKNOWN",
    },
    {
        .name = "change, KDC that refuses",
        .user = "changer",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "dead chauthtok",
        .peer = "prelim <Current Kerberos password: > AUTHTOK_ERR",
    },
    {
        .name = "change, mismatch",
        .user = "changer",
        .answers = {"old-password", "new-password", "other"},
        .steps = "tokens chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "error<Passwords don't match> AUTHTOK_ERR (authtok none, old "
                "old-password); not changed",
    },
    {
        .name = "change, mismatch, silent",
        .user = "changer",
        .arguments = "silent",
        .answers = {"old-password", "new-password", "other"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "AUTHTOK_ERR; not changed",
    },
    {
        .name = "change, rejected by policy",
        .user = "changer",
        .kadmin = STRICT,
        .answers = {"old-password", "short", "short"},
        .steps = "tokens chauthtok new",
        .peer =
            "prelim <Current Kerberos password: > SUCCESS; update <Enter new "
            "Kerberos password: > <Retype new Kerberos password: > "
            "error<Password change rejected: New password is too "
            "short.\\nPlease choose a password which is at least 8 characters "
            "long.> AUTHTOK_ERR (authtok short, old old-password); not changed",
    },
    {
        .name = "change, rejected by policy, silent",
        .user = "changer",
        .arguments = "silent",
        .kadmin = STRICT,
        .answers = {"old-password", "short", "short"},
        .steps = "chauthtok",
        .peer =
            "prelim <Current Kerberos password: > SUCCESS; update <Enter new "
            "Kerberos password: > <Retype new Kerberos password: > AUTHTOK_ERR",
    },
    {
        .name = "change, rejected by policy, clear_on_fail",
        .user = "changer",
        .arguments = "clear_on_fail",
        .kadmin = STRICT,
        .answers = {"old-password", "short", "short"},
        .steps = "tokens chauthtok",
        .peer =
            "prelim <Current Kerberos password: > SUCCESS; update <Enter new "
            "Kerberos password: > <Retype new Kerberos password: > "
            "error<Password change rejected: New password is too "
            "short.\\nPlease choose a password which is at least 8 characters "
            "long.> AUTHTOK_ERR (authtok none, old old-password)",
    },
    {
        .name = "change, use_authtok with none stored",
        .user = "changer",
        .arguments = "use_authtok",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update "
                "AUTHTOK_ERR; not changed",
    },
    {
        .name = "change, use_authtok with one stored",
        .user = "changer",
        .arguments = "use_authtok",
        .stored = "new-password",
        .answers = {"old-password", "other", "other"},
        .steps = "tokens chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update SUCCESS "
                "(authtok new-password, old old-password); changed",
    },
    {
        .name = "change, new password of 512 characters",
        .user = "changer",
        .answers = {"old-password", ROW_X512, ROW_X512},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > AUTHTOK_ERR",
    },
    {
        .name = "change, new password of 511 characters",
        .user = "changer",
        .answers = {"old-password", ROW_X511, ROW_X511},
        .steps = "chauthtok",
        .peer =
            "prelim <Current Kerberos password: > SUCCESS; update <Enter new "
            "Kerberos password: > <Retype new Kerberos password: > SUCCESS",
    },
    {
        .name = "change, empty new password",
        .user = "changer",
        .answers = {"old-password", "", ""},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "error<Password change rejected: Password is too "
                "short\\n\\nPassword not changed.> AUTHTOK_ERR",
        .ours = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > AUTHTOK_ERR",
        .why = "What cannot be a password is not asked for twice, nor sent.",
    },
    {
        .name = "change after a login on the same handle",
        .user = "changer",
        .answers = {"old-password", "old-password", "new-password",
                    "new-password"},
        .steps = "auth chauthtok new",
        .peer = "auth <Password: > SUCCESS; prelim <Current Kerberos password: "
                "> SUCCESS; update <Enter new Kerberos password: > <Retype new "
                "Kerberos password: > SUCCESS; changed",
    },
    {
        .name = "change, not authorized by .k5login",
        .k5login = "bob@PAM.TEST\n",
        .answers = {"alice-password", "a", "b"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "error<Passwords don't match> AUTHTOK_ERR",
    },
    {
        .name = "change, keytab that is not there, verify_ap_req_nofail",
        .arguments = "keytab=/nowhere/keytab",
        .config = "[libdefaults]\nverify_ap_req_nofail = true\n",
        .answers = {"alice-password", "a", "b"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "error<Passwords don't match> AUTHTOK_ERR",
    },
    {
        .name = "change, use_first_pass, old one stored",
        .user = "changer",
        .arguments = "use_first_pass",
        .stored = "old-password",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; changed",
    },
    {
        .name = "change, try_first_pass",
        .user = "changer",
        .arguments = "try_first_pass",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; changed",
    },
    {
        .name = "change, PAM_SILENT",
        .user = "changer",
        .answers = {"old-password", "new-password", "other"},
        .steps = "chauthtok/silent new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "AUTHTOK_ERR; not changed",
    },
    {
        .name = "change, user without an account, ignored by uid",
        .user = "changer",
        .arguments = "minimum_uid=1000",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; changed",
    },
    {
        .name = "change of what has expired, and has not",
        .user = "changer",
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok/expired new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; changed",
        .ours = "prelim IGNORE; not changed",
        .why = "The host asks for no other change, and nothing has expired.",
    },
    {
        .name = "change, empty old password",
        .user = "changer",
        .answers = {"", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > AUTHTOK_RECOVERY_ERR; "
                "not changed",
    },
    {
        .name = "change, no answer",
        .user = "changer",
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > AUTHTOK_RECOVERY_ERR",
    },
    {
        .name = "change, no conversation",
        .user = "changer",
        .steps = "no-conv chauthtok",
        .peer = "prelim AUTHTOK_RECOVERY_ERR",
    },
    {
        .name = "change, locked principal",
        .user = "locked",
        .answers = {"locked-password", "new-password", "new-password"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > AUTHTOK_RECOVERY_ERR",
    },
    {
        .name = "change, old password of 512 characters",
        .user = "changer",
        .answers = {ROW_X512, "new-password", "new-password"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > AUTHTOK_RECOVERY_ERR",
    },
    {
        .name = "change, expired principal",
        .user = "gone",
        .answers = {"gone-password", "a", "b"},
        .steps = "chauthtok",
        .peer = "prelim <Current Kerberos password: > ACCT_EXPIRED",
    },
    {
        .name = "change of what has expired, and has",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok/expired new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; changed",
        .ours = "prelim IGNORE; not changed",
        .why = "An expired password is changed at login, before a host can ask "
               "for it.",
    },
};

const struct rows rows_password = ROWS("password", rows);
