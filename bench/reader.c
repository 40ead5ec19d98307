/*
 * reader CACHE PRINCIPAL: a program of the user's that does nothing but read
 * its cache, as any program that wants a service does: resolve, principal, TGT.
 * Says "ready" after the first read and reads on until its standard input ends.
 * Then it prints how many reads there were and how many of them failed.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <krb5.h>

static krb5_error_code
find_tgt(krb5_context context, krb5_ccache cache, krb5_principal client)
{
    krb5_creds wanted = {.client = client};
    krb5_creds tgt = {0};
    krb5_error_code code = krb5_build_principal(
        context, &wanted.server, client->realm.length, client->realm.data,
        KRB5_TGS_NAME, client->realm.data, (char *)NULL);

    if (code == 0) {
        code = krb5_cc_retrieve_cred(context, cache, 0, &wanted, &tgt);
    }
    krb5_free_cred_contents(context, &tgt);
    krb5_free_principal(context, wanted.server);
    return code;
}

static krb5_error_code
read_cache(krb5_context context, const char *name, krb5_const_principal owner)
{
    krb5_ccache cache = NULL;
    krb5_principal client = NULL;
    krb5_error_code code = krb5_cc_resolve(context, name, &cache);

    if (code == 0) {
        code = krb5_cc_get_principal(context, cache, &client);
    }
    if (code == 0 && !krb5_principal_compare(context, client, owner)) {
        code = KRB5_CC_FORMAT;
    }
    if (code == 0) {
        code = find_tgt(context, cache, client);
    }
    krb5_free_principal(context, client);
    if (cache != NULL) {
        (void)krb5_cc_close(context, cache);
    }
    return code;
}

/* Whether nobody wants more reads. */
static bool
is_over(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};

    return poll(&input, 1, 0) > 0;
}

int
main(int argc, char **argv)
{
    krb5_context context = NULL;
    krb5_principal owner = NULL;
    unsigned long reads = 0;
    unsigned long failed = 0;

    if (argc != 3 || krb5_init_context(&context) != 0 ||
        krb5_parse_name(context, argv[2], &owner) != 0) {
        return 2;
    }
    do {
        failed += read_cache(context, argv[1], owner) != 0;
        if (reads++ == 0) {
            (void)printf("ready\n");
            (void)fflush(stdout);
        }
    } while (!is_over());
    (void)printf("reads %lu\nfailed %lu\n", reads, failed);
    krb5_free_principal(context, owner);
    krb5_free_context(context);
    return 0;
}
