/* Rows: a password that has expired, met by a login. */
#include "peer/row.h"

#define EXPIRE "modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" changer\n"
#define STRICT "addpol -minlength 8 strict\nmodprinc -policy strict changer\n"

static const struct row rows[] = {
    {
        .name = "expired password",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "auth acct new",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > SUCCESS; acct "
                "SUCCESS; changed",
    },
    {
        .name = "expired password, silent",
        .user = "changer",
        .arguments = "silent",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "auth acct new",
        .peer = "auth <Password: > <Enter new password: > <Enter it again: > "
                "SUCCESS; acct SUCCESS; changed",
    },
    {
        .name = "expired password, PAM_SILENT",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "auth/silent acct new",
        .peer = "auth <Password: > <Enter new password: > <Enter it again: > "
                "SUCCESS; acct SUCCESS; changed",
    },
    {
        .name = "expired password, wrong one given",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"wrong-password", "new-password", "new-password"},
        .steps = "auth acct new",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE; not changed",
    },
    {
        .name = "expired password, new one rejected at first",
        .user = "changer",
        .kadmin = STRICT EXPIRE,
        .answers = {"old-password", "short", "short", "new-password",
                    "new-password"},
        .steps = "auth new",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > info<Password "
                "change rejected: New password is too short.\\nPlease choose a "
                "password which is at least 8 characters long..  Please try "
                "again.\\n> <Enter new password: > <Enter it again: > SUCCESS; "
                "changed",
        .ours =
            "auth <Password: > info<Password expired.  You must change it "
            "now.> <Enter new password: > <Enter it again: > info<Password "
            "change rejected: New password is too short.\\nPlease choose a "
            "password which is at least 8 characters long.  Please try again.> "
            "<Enter new password: > <Enter it again: > SUCCESS; changed",
        .why = "The server's text has a full stop.",
    },
    {
        .name = "expired password, new one is the old one",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "old-password", "old-password"},
        .steps = "auth",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > SUCCESS",
        .ours =
            "auth <Password: > info<Password expired.  You must change it "
            "now.> <Enter new password: > <Enter it again: > info<Your "
            "Kerberos password has expired. Change it with kpasswd.> AUTH_ERR",
        .why = "A host that answers each question with the one password it has "
               "would else have it changed for itself.",
    },
    {
        .name = "expired password, use_first_pass",
        .user = "changer",
        .arguments = "use_first_pass",
        .kadmin = EXPIRE,
        .stored = "old-password",
        .answers = {"new-password", "new-password"},
        .steps = "auth new",
        .peer = "auth info<Password expired.  You must change it now.> <Enter "
                "new password: > <Enter it again: > SUCCESS; changed",
    },
    {
        .name = "expired password, a session",
        .user = "expired",
        .kadmin = "cpw -pw expired-password expired\n"
                  "modprinc -pwexpire \"2001-01-01 00:00:00 GMT\" expired\n",
        .answers = {"expired-password", "new-password", "new-password"},
        .steps = "auth acct establish open cache close there",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > SUCCESS; acct "
                "SUCCESS; establish SUCCESS; open SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX expired:expired 600 for "
                "expired@PAM.TEST; close SUCCESS; cache gone",
    },
    {
        .name = "fail_pwchange",
        .user = "changer",
        .arguments = "fail_pwchange",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "auth acct new",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE; not changed",
        .ours = "auth <Password: > info<Your Kerberos password has expired. "
                "Change it with kpasswd.> AUTH_ERR; acct IGNORE; not changed",
        .why = "The user is told why, unless silent.",
    },
    {
        .name = "force_pwchange",
        .user = "changer",
        .arguments = "force_pwchange",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "auth acct new",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > SUCCESS; acct "
                "SUCCESS; changed",
        .ours = "auth <Password: > <Enter new Kerberos password: > <Retype new "
                "Kerberos password: > SUCCESS; acct SUCCESS; changed",
        .why = FORCED,
    },
    {
        .name = "force_pwchange, mismatch",
        .user = "changer",
        .arguments = "force_pwchange",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "a"},
        .steps = "auth acct new",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > info<Password "
                "mismatch.  Please try again.> <Enter new password: > <Enter "
                "it again: > AUTHINFO_UNAVAIL; acct IGNORE; not changed",
        .ours = "auth <Password: > <Enter new Kerberos password: > <Retype new "
                "Kerberos password: > error<Passwords don't match> AUTH_ERR; "
                "acct IGNORE; not changed",
        .why = FORCED,
    },
    {
        .name = "force_pwchange, wrong password",
        .user = "changer",
        .arguments = "force_pwchange",
        .kadmin = EXPIRE,
        .answers = {"wrong-password", "new-password", "new-password"},
        .steps = "auth acct new",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE; not changed",
    },
    {
        .name = "force_pwchange, silent",
        .user = "changer",
        .arguments = "force_pwchange silent",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "auth acct new",
        .peer = "auth <Password: > <Enter new password: > <Enter it again: > "
                "SUCCESS; acct SUCCESS; changed",
        .ours = "auth <Password: > <Enter new Kerberos password: > <Retype new "
                "Kerberos password: > SUCCESS; acct SUCCESS; changed",
        .why = FORCED,
    },
    {
        .name = "change, expired password",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "chauthtok new",
        .peer = "prelim <Current Kerberos password: > SUCCESS; update <Enter "
                "new Kerberos password: > <Retype new Kerberos password: > "
                "SUCCESS; changed",
    },
    {
        .name = "expired password, for those behind",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "new-password"},
        .steps = "tokens auth",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > SUCCESS "
                "(authtok old-password, old none)",
    },
    {
        .name = "expired password, mismatch once",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "new-password", "a", "new-password",
                    "new-password"},
        .steps = "auth new",
        .peer = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > info<Password "
                "mismatch.  Please try again.> <Enter new password: > <Enter "
                "it again: > SUCCESS; changed",
    },
    {
        .name = "expired password, mismatch again and again",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password", "a", "b", "c", "d", "e", "f", "g", "h"},
        .steps = "auth new",
        .peer =
            "auth <Password: > info<Password expired.  You must change it "
            "now.> <Enter new password: > <Enter it again: > info<Password "
            "mismatch.  Please try again.> <Enter new password: > <Enter it "
            "again: > info<Password mismatch.  Please try again.> <Enter new "
            "password: > <Enter it again: > AUTH_ERR; not changed",
    },
    {
        .name = "expired password, no new one",
        .user = "changer",
        .kadmin = EXPIRE,
        .answers = {"old-password"},
        .steps = "auth",
        .peer =
            "auth <Password: > info<Password expired.  You must change it "
            "now.> <Enter new password: > <Enter it again: > AUTHINFO_UNAVAIL",
        .ours = "auth <Password: > info<Password expired.  You must change it "
                "now.> <Enter new password: > <Enter it again: > AUTH_ERR",
        .why = "A user who does not answer is no KDC that does not.",
    },
};

const struct rows rows_expired = ROWS("expired", rows);
