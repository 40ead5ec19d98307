/*
 * What this program makes of libkrb5: a context with its log and trace, the
 * words of the last failure, a few questions to krb5.conf, and the ONE table
 * from krb5_error_code to outcome.  Only src/krb sees <krb5.h>.
 */
#ifndef KRB_KRB_H
#define KRB_KRB_H

#include <stdbool.h>
#include <stdint.h>

#include <krb5.h>

#include "base/log.h"
#include "base/options.h"
#include "base/outcome.h"

#define KRB_DETAIL_MAX 512

struct krb {
    krb5_context context;
    const struct log *log; /* borrowed */
    int trace_fd;          /* borrowed; -1 = no trace */
    /* What the context reads krb5.conf through, where not by itself. */
    struct _profile_t *profile;
    /* How long one call may take: what is older was left behind. */
    int64_t call_limit_s;
    /* What went wrong last, in words; "" after success. */
    char detail[KRB_DETAIL_MAX];
};

/*
 * Makes the context; every other function of src/krb needs it.  LOG and
 * TRACE_FD are borrowed until krb_close.  OUTCOME_CONFIGURATION where
 * krb5.conf cannot be read.
 */
enum outcome krb_open(struct krb *krb, const struct log *log, int trace_fd);
void krb_close(struct krb *krb);

/*
 * Puts CONTEXT, a new one, in the place of KRB's, with the trace; PROFILE,
 * which it reads, is kept as long.  Both are KRB's then.
 */
void krb_replace_context(struct krb *krb, krb5_context context,
                         struct _profile_t *profile);

/*
 * The same with realm and clock offset, for a context that has been in use.
 * What libkrb5's plugins have kept in it is left behind.  After a failure KRB
 * is as it was, and CONTEXT and PROFILE are gone.
 */
enum outcome krb_move(struct krb *krb, krb5_context context,
                      struct _profile_t *profile);

/* The outcome that CODE of libkrb5 stands for. */
enum outcome krb_outcome(krb5_error_code code);

/* Whether an AS exchange with armor ended in CODE for the armor's sake. */
bool krb_blames_armor(krb5_error_code code);

/* Whether one with PKINIT ended in CODE for the certificate's sake. */
bool krb_blames_certificate(krb5_error_code code);

/*
 * Keeps "DOING: what libkrb5 says of CODE" as the detail of KRB and returns
 * krb_outcome(CODE).
 */
enum outcome krb_failed(struct krb *krb, krb5_error_code code,
                        const char *doing);

/* The same with libkrb5's words alone. */
enum outcome krb_said(struct krb *krb, krb5_error_code code);

/* Keeps the formatted text as the detail of KRB and returns OUTCOME. */
enum outcome krb_refuse(struct krb *krb, enum outcome outcome,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The boolean NAME of [libdefaults], per REALM or for all, false where it is
 * not there, into *VALUE_OUT.  OUTCOME_CONFIGURATION where it cannot be told.
 */
enum outcome krb_libdefault_flag(struct krb *krb, const krb5_data *realm,
                                 const char *name, bool *value_out);

/* krb5.conf's clockskew in seconds. */
int64_t krb_clockskew(struct krb *krb);

/* Opens the keytab NAME (NULL: the default one); krb5_kt_close. */
krb5_error_code krb_open_keytab(struct krb *krb, const char *name,
                                krb5_keytab *keytab_out);

/*
 * Shows each entry of KEYTAB to VISIT with DATA; ENTRY is the walk's.  Ends at
 * VISIT's first code that is not 0, and returns it; KRB5_KT_END after the last
 * entry; or why the keytab cannot be read.
 */
krb5_error_code krb_visit_keytab(
    struct krb *krb, krb5_keytab keytab,
    krb5_error_code (*visit)(struct krb *krb, const krb5_keytab_entry *entry,
                             void *data),
    void *data);

/* The clock offset that KRB has learned from a KDC. */
struct krb_offset {
    int64_t seconds;
    int64_t microseconds;
};

struct krb_offset krb_offset_learned(struct krb *krb);

/*
 * The largest offset that is believed: more is a broken clock, or an exchange
 * that lies about it to pass old tickets off as new.
 */
#define KRB_OFFSET_MAX_S INT64_C(3600)

/* OUTCOME_UNVERIFIED for an offset that is not believed. */
enum outcome krb_offset_check(struct krb *krb, struct krb_offset offset);

/*
 * Takes over what another process has learned, where it is believed, in the
 * place of what a cache that was read may have left in KRB.
 */
enum outcome krb_offset_apply(struct krb *krb, struct krb_offset offset);

#endif
