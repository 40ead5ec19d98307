/*
 * What the PAM configuration says of a service: which of the modules that we
 * care about are in its stacks, in which order, as libpam would read it
 * (pam.conf(5), Debian's @include too).  Knows nothing of what is right.
 */
#ifndef ADMIN_PAMFILES_H
#define ADMIN_PAMFILES_H

#include <stdbool.h>
#include <stddef.h>

/* Where services are looked for, the first that has one wins; NULL ends. */
struct pamfiles {
    const char *directories[3];
    /*
     * Hears each argument of a pam_krb5cc.so line that stands in the file of
     * the service itself, not in one that it includes.  NULL: nobody does.
     */
    void (*hear_argument)(void *data, const char *text);
    void *data;
};

#define PAMFILES_VALUE_MAX 256

struct pamfiles_service {
    bool has_krb5cc;         /* pam_krb5cc.so, in any stack */
    bool has_krb5cc_auth;    /* the same, in the auth stack */
    bool has_krb5cc_session; /* the same, in the session stack */
    bool has_session;        /* a line of the session stack, of any module */
    bool has_keyinit;        /* pam_keyinit.so, in the session stack */
    bool is_keyinit_late;    /* the first of it is behind pam_krb5cc.so */
    bool has_krb5;           /* pam_krb5.so, in any stack */
    bool has_sss;            /* pam_sss.so, in any stack */
    bool has_namespace;      /* pam_namespace.so, in the session stack */
    /* Options of pam_krb5cc.so in the session stack; "" = not given. */
    char ccache[PAMFILES_VALUE_MAX];
    char state_dir[PAMFILES_VALUE_MAX];
    char runtime_dir[PAMFILES_VALUE_MAX];
    /* The first file that could not be read, "" = none, and why. */
    char unreadable[PAMFILES_VALUE_MAX];
    int fault;
};

/*
 * Reads the stacks of SERVICE with all that they include.  0, or -errno where
 * its own file cannot be read.
 */
int pamfiles_read(const struct pamfiles *pamfiles, const char *service,
                  struct pamfiles_service *service_out);

/* The names of all services, sorted; the caller's (pamfiles_names_free). */
struct pamfiles_names {
    char **list;
    size_t count;
};

/* 0, -ENOMEM, or the -errno of the first directory that cannot be read. */
int pamfiles_list(const struct pamfiles *pamfiles,
                  struct pamfiles_names *names_out);
void pamfiles_names_free(struct pamfiles_names *names);

/*
 * Whether SERVICE, by its name, is there for others to include it: then what is
 * not in it may be in those.
 */
bool pamfiles_is_part(const char *service);

#endif
