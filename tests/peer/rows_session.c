/* Rows: setcred and sessions, with a Kerberos login and without one; caches. */
#include "peer/row.h"

#define EACH_FLAG "establish reinit refresh delete"

static const struct row rows[] = {
    {
        .name = "calls without a login",
        .steps = "acct open close " EACH_FLAG " cache left",
        .peer = "acct IGNORE; open IGNORE; close SUCCESS; establish SUCCESS; "
                "reinit SUCCESS; refresh SUCCESS; delete SUCCESS; no "
                "KRB5CCNAME; 0 files left",
    },
    {
        .name = "calls after a wrong password",
        .answers = {"wrong-password"},
        .steps = "auth acct open close " EACH_FLAG " cache left",
        .peer = "auth <Password: > AUTH_ERR; acct IGNORE; open IGNORE; close "
                "SUCCESS; establish SUCCESS; reinit SUCCESS; refresh SUCCESS; "
                "delete SUCCESS; no KRB5CCNAME; 0 files left",
    },
    {
        .name = "calls of an ignored user",
        .user = "root",
        .arguments = "ignore_root",
        .steps = "auth acct open close " EACH_FLAG " cache left",
        .peer = "auth USER_UNKNOWN; acct IGNORE; open IGNORE; close SUCCESS; "
                "establish SUCCESS; reinit SUCCESS; refresh SUCCESS; delete "
                "SUCCESS; no KRB5CCNAME; 0 files left",
    },
    {
        .name = "calls of a user without account and principal",
        .user = "nobody-here",
        .steps = "acct open close " EACH_FLAG,
        .peer = "acct IGNORE; open IGNORE; close SUCCESS; establish SUCCESS; "
                "reinit SUCCESS; refresh SUCCESS; delete SUCCESS",
    },
    {
        .name = "no_ccache",
        .arguments = "no_ccache",
        .answers = {"alice-password"},
        .steps = "auth acct establish open cache close left",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; "
                "open SUCCESS; no KRB5CCNAME; close SUCCESS; 0 files left",
    },
    {
        .name = "user without an account",
        .user = "changer",
        .answers = {"old-password"},
        .steps = "auth acct establish open close",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; establish "
                "USER_UNKNOWN; open USER_UNKNOWN; close SUCCESS",
    },
    {
        .name = "user without an account, other flags",
        .user = "changer",
        .answers = {"old-password"},
        .steps = "auth reinit refresh delete",
        .peer = "auth <Password: > SUCCESS; reinit USER_UNKNOWN; refresh "
                "USER_UNKNOWN; delete SUCCESS",
    },
    {
        .name = "wrong flags",
        .answers = {"alice-password"},
        .steps = "auth two-flags",
        .peer = "auth <Password: > SUCCESS; two-flags SUCCESS",
        .ours = "auth <Password: > SUCCESS; two-flags SYSTEM_ERR",
        .why = WRONG_FLAGS,
    },
    {
        .name = "wrong flags without a login",
        .steps = "two-flags",
        .peer = "two-flags SUCCESS",
        .ours = "two-flags SYSTEM_ERR",
        .why = WRONG_FLAGS,
    },
    /* libpam has no call without a flag: it sets PAM_ESTABLISH_CRED. */
    {
        .name = "no flag",
        .answers = {"alice-password"},
        .steps = "auth no-flag cache delete",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; delete SUCCESS",
    },
    {
        .name = "setcred makes the cache",
        .answers = {"alice-password"},
        .steps = "auth acct establish cache open cache close there",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST; "
            "open SUCCESS; same cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice "
            "600 for alice@PAM.TEST; close SUCCESS; cache gone",
    },
    {
        .name = "open_session makes the cache",
        .answers = {"alice-password"},
        .steps = "auth acct open cache establish cache close there",
        .peer =
            "auth <Password: > SUCCESS; acct SUCCESS; open SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST; "
            "establish SUCCESS; same cache FILE:/tmp/krb5cc_UID_XXXXXX "
            "alice:alice 600 for alice@PAM.TEST; close SUCCESS; cache gone",
    },
    {
        .name = "setcred twice",
        .answers = {"alice-password"},
        .steps = "auth establish cache establish cache close there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; establish SUCCESS; same cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
    },
    {
        .name = "cache gone after pam_end",
        .answers = {"alice-password"},
        .steps = "auth establish open cache end there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; cache gone; 0 files left",
    },
    {
        .name = "cache kept by pam_end with PAM_DATA_SILENT",
        .answers = {"alice-password"},
        .steps = "auth establish open cache end/silent there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; cache there; 1 files left",
    },
    {
        .name = "retain_after_close",
        .arguments = "retain_after_close",
        .answers = {"alice-password"},
        .steps = "auth establish open cache close there end there left",
        .peer =
            "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST; "
            "close SUCCESS; cache there; cache there; 1 files left",
    },
    {
        .name = "cache gone after PAM_DELETE_CRED",
        .answers = {"alice-password"},
        .steps = "auth establish cache delete there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; cache "
                "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; delete SUCCESS; cache gone; 0 files left",
    },
    {
        .name = "KRB5CCNAME after close_session",
        .answers = {"alice-password"},
        .steps = "auth establish open close cache",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "close SUCCESS; cache is not there",
        .ours = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "close SUCCESS; no KRB5CCNAME",
        .why = NAME_GONE,
    },
    {
        .name = "KRB5CCNAME after PAM_DELETE_CRED",
        .answers = {"alice-password"},
        .steps = "auth establish delete cache",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; delete SUCCESS; "
                "cache is not there",
        .ours = "auth <Password: > SUCCESS; establish SUCCESS; delete SUCCESS; "
                "no KRB5CCNAME",
        .why = NAME_GONE,
    },
    {
        .name = "reinitialize after establish",
        .answers = {"alice-password"},
        .steps = "auth establish cache reinit cache refresh cache close there",
        .peer =
            "auth <Password: > SUCCESS; establish SUCCESS; cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST; "
            "reinit SUCCESS; same cache FILE:/tmp/krb5cc_UID_XXXXXX "
            "alice:alice 600 for alice@PAM.TEST; refresh SUCCESS; same cache "
            "FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for alice@PAM.TEST; "
            "close SUCCESS; cache gone",
    },
    {
        .name = "login that ends without setcred",
        .answers = {"alice-password"},
        .steps = "auth acct end left",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; 0 files left",
    },
    {
        .name = "login that ends silently without setcred",
        .answers = {"alice-password"},
        .steps = "auth acct end/silent left",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; 1 files left",
        .ours = "auth <Password: > SUCCESS; acct SUCCESS; 0 files left",
        .why = NO_FILES,
    },
    {
        .name = "files between login and setcred",
        .answers = {"alice-password"},
        .steps = "auth left",
        .peer = "auth <Password: > SUCCESS; 1 files left",
        .ours = "auth <Password: > SUCCESS; 0 files left",
        .why = NO_FILES,
    },
    {
        .name = "ccache=FILE with the uid",
        .arguments = "ccache=FILE:/tmp/krb5cc_%u",
        .answers = {"alice-password"},
        .steps = "auth establish open cache close there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID alice:alice 600 for "
                "alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
    },
    {
        .name = "ccache without a kind, user's name and XXXXXX",
        .arguments = "ccache=/tmp/krb5cc_%p_XXXXXX",
        .answers = {"alice-password"},
        .steps = "auth establish open cache close there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache FILE:/tmp/krb5cc_PID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
    },
    {
        .name = "ccache_dir",
        .arguments = "ccache_dir=/tmp/home/alice",
        .answers = {"alice-password"},
        .steps = "auth establish open cache close there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache FILE:/tmp/home/alice/krb5cc_UID_XXXXXX alice:alice 600 "
                "for alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
    },
    {
        .name = "ccache that cannot be made",
        .arguments = "ccache=FILE:/nowhere/krb5cc",
        .answers = {"alice-password"},
        .steps = "auth establish open cache close left",
        .peer = "auth <Password: > SUCCESS; establish SERVICE_ERR; open "
                "SERVICE_ERR; no KRB5CCNAME; close SUCCESS; 0 files left",
        .ours = "auth <Password: > SUCCESS; establish CRED_ERR; open "
                "SESSION_ERR; no KRB5CCNAME; close SUCCESS; 0 files left",
        .why = "These are the codes that pam_setcred(3) and "
               "pam_open_session(3) have for it.",
    },
    {
        .name = "default_ccache_name in krb5.conf",
        .config = "[libdefaults]\n"
                  "default_ccache_name = DIR:/tmp/home/alice/caches\n",
        .answers = {"alice-password"},
        .steps = "auth establish open cache close there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice 600 for "
                "alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
        .ours = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache DIR::/tmp/home/alice/caches/tktXXXXXX alice:alice 600 "
                "for alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
        .why = "The kind of cache that the machine uses, one for each session.",
    },
    {
        .name = "ccache=DIR",
        .arguments = "ccache=DIR:/tmp/home/alice/caches",
        .answers = {"alice-password"},
        .steps = "auth establish open cache close there left",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache DIR::/tmp/home/alice/caches/tkt root:root 600 for "
                "alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
        .ours = "auth <Password: > SUCCESS; establish SUCCESS; open SUCCESS; "
                "cache DIR::/tmp/home/alice/caches/tktXXXXXX alice:alice 600 "
                "for alice@PAM.TEST; close SUCCESS; cache gone; 0 files left",
        .why = "A cache of its own for each session, made by the user: root's "
               "file there is of no use to him.",
    },
    {
        .name = "reinitialize where nothing was established",
        .answers = {"alice-password"},
        .steps = "auth reinit cache left",
        .peer = "auth <Password: > SUCCESS; reinit SUCCESS; cache "
                "FILE:/tmp/krb5cc_0 alice:alice 600 for alice@PAM.TEST; 1 "
                "files left",
        .ours = "auth <Password: > SUCCESS; reinit SUCCESS; no KRB5CCNAME; 0 "
                "files left",
        .why = "No cache of the user's is known, and root's own is not his.",
    },
    {
        .name = "close_session without open_session",
        .answers = {"alice-password"},
        .steps = "auth close left",
        .peer = "auth <Password: > SUCCESS; close SUCCESS; 0 files left",
    },
    {
        .name = "PAM_USER changes behind the login (sudo)",
        .answers = {"alice-password"},
        .steps = "auth as=bob acct establish open cache close left",
        .peer = "auth <Password: > SUCCESS; acct AUTH_ERR; establish SUCCESS; "
                "open SUCCESS; cache FILE:/tmp/krb5cc_UID_XXXXXX bob:bob 600 "
                "for alice@PAM.TEST; close SUCCESS; 0 files left",
        .ours = "auth <Password: > SUCCESS; acct IGNORE; establish SUCCESS; "
                "open IGNORE; no KRB5CCNAME; close SUCCESS; 0 files left",
        .why = "The tickets are of another user than the session.",
    },
    {
        .name = "wrong password behind a right one, on one handle",
        .answers = {"alice-password", "wrong-password"},
        .steps = "auth auth acct establish cache",
        .peer = "auth <Password: > SUCCESS; auth <Password: > AUTH_ERR; acct "
                "SUCCESS; establish SUCCESS; cache FILE:/tmp/krb5cc_UID_XXXXXX "
                "alice:alice 600 for alice@PAM.TEST",
        .ours = "auth <Password: > SUCCESS; auth <Password: > AUTH_ERR; acct "
                "IGNORE; establish SUCCESS; no KRB5CCNAME",
        .why = "The last attempt counts.",
    },
    {
        .name = "account behind close_session",
        .answers = {"alice-password"},
        .steps = "auth acct establish acct close acct",
        .peer = "auth <Password: > SUCCESS; acct SUCCESS; establish SUCCESS; "
                "acct SUCCESS; close SUCCESS; acct IGNORE",
    },
    {
        .name = "account of one who is refused since the login",
        .answers = {"alice-password"},
        .steps = "auth refused acct",
        .peer = "auth <Password: > SUCCESS; acct AUTH_ERR",
        .ours = "auth <Password: > SUCCESS; acct SUCCESS",
        .why = "What authenticate has learned holds for this login; no process "
               "is started for it.",
    },
    /* Caches that are there already. */
    {
        .name = "reinitialize, cache of a session (unlock)",
        .answers = {"alice-password"},
        .steps = "planted auth reinit replaced end replaced",
        .peer = "auth <Password: > SUCCESS; reinit SUCCESS; replaced; replaced",
    },
    {
        .name = "refresh behind a login, cache of a session",
        .answers = {"alice-password"},
        .steps = "planted auth refresh replaced end replaced",
        .peer =
            "auth <Password: > SUCCESS; refresh SUCCESS; replaced; replaced",
    },
    {
        .name = "refresh without a login, cache of a session",
        .steps = "planted refresh replaced end replaced",
        .peer = "refresh SUCCESS; as planted; as planted",
        .ours = "refresh SUCCESS; replaced; replaced",
        .why = "This is what PAM_REFRESH_CRED is for.",
    },
    {
        .name = "reinitialize, another principal's cache",
        .answers = {"alice-password"},
        .steps = "planted-bob auth reinit replaced",
        .peer = "auth <Password: > SUCCESS; reinit SUCCESS; replaced",
        .ours = "auth <Password: > SUCCESS; reinit CRED_ERR; as planted",
        .why = "Nobody's tickets are written over another's.",
    },
    {
        .name = "session without a login, delegated tickets",
        .steps = "planted establish open reinit close delete end replaced",
        .peer = "establish SUCCESS; open IGNORE; reinit SUCCESS; close "
                "SUCCESS; delete SUCCESS; as planted",
    },
    {
        .name = "unlock that is deleted again",
        .answers = {"alice-password"},
        .steps = "planted auth reinit delete replaced",
        .peer = "auth <Password: > SUCCESS; reinit SUCCESS; delete SUCCESS; "
                "replaced",
    },
    {
        .name = "PAM environment behind a login",
        .answers = {"alice-password"},
        .steps = "auth environment",
        .peer = "auth <Password: > SUCCESS; environment: PAM_KRB5CCNAME",
        .ours = "auth <Password: > SUCCESS; environment: PAM_KRB5CC_STASH",
        .why = "What is handed over lies in kernel keys that end by "
               "themselves, not in a file.",
    },
    {
        .name = "login in a child that is gone (sshd)",
        .answers = {"alice-password"},
        .steps = "auth handover acct establish open cache environment close "
                 "there end left",
        .peer = "auth <Password: > SUCCESS; acct IGNORE; establish SUCCESS; "
                "open SUCCESS; cache FILE:/tmp/krb5cc_UID_XXXXXX alice:alice "
                "600 for alice@PAM.TEST; environment: KRB5CCNAME; close "
                "SUCCESS; cache gone; 0 files left",
    },
    {
        .name = "login in a child that is gone, never used",
        .answers = {"alice-password"},
        .steps = "auth handover end left",
        .peer = "auth <Password: > SUCCESS; 1 files left",
        .ours = "auth <Password: > SUCCESS; 0 files left",
        .why = NO_FILES,
    },
    /* Tickets. */
    {
        .name = "ticket_lifetime",
        .arguments = "ticket_lifetime=1h",
        .answers = {"alice-password"},
        .steps = "auth establish tickets",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; tickets of 60 "
                "minutes",
    },
    {
        .name = "renew_lifetime",
        .arguments = "renew_lifetime=2d",
        .answers = {"alice-password"},
        .steps = "auth establish tickets",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; tickets of 600 "
                "minutes, renewable 2880",
    },
    {
        .name = "forwardable, in krb5.conf",
        .config = "[appdefaults]\nforwardable = true\n",
        .answers = {"alice-password"},
        .steps = "auth establish tickets",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; tickets of 600 "
                "minutes, renewable 1440, forwardable",
    },
    {
        .name = "keytab that is not there",
        .arguments = "keytab=/nowhere/keytab",
        .answers = {"alice-password"},
        .steps = "auth establish tickets",
        .peer = "auth <Password: > SUCCESS; establish SUCCESS; tickets of 600 "
                "minutes, renewable 1440",
    },
    {
        .name = "keytab that is not there, verify_ap_req_nofail",
        .arguments = "keytab=/nowhere/keytab",
        .config = "[libdefaults]\nverify_ap_req_nofail = true\n",
        .answers = {"alice-password"},
        .steps = "auth",
        .peer = "auth <Password: > AUTH_ERR",
    },
};

const struct rows rows_session = ROWS("session", rows);
