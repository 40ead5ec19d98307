/* A password server with one answer. */
#include "support/changepw.h"

#include <arpa/inet.h>
#include <check.h>
#include <krb5.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATAGRAM_MAX 65536

/* The server's process: no assertion of Check's has a place here. */
struct server {
    int fd;
    krb5_context context;
    krb5_keytab keytab;
    const struct changepw_answer *answer;
};

static void
put_u16(unsigned char *at, size_t value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)(value & 0xff);
}

static size_t
get_u16(const unsigned char *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* The KRB-PRIV with the answer, of the one whose address is PORT's. */
static krb5_error_code
seal(const struct server *server, krb5_auth_context session, krb5_data *sealed)
{
    const struct changepw_answer *answer = server->answer;
    unsigned char loopback[4] = {127, 0, 0, 1};
    krb5_address address = {.magic = KV5M_ADDRESS,
                            .addrtype = ADDRTYPE_INET,
                            .length = sizeof(loopback),
                            .contents = loopback};
    unsigned char plain[2 + 512];
    krb5_data data = {.data = (char *)plain,
                      .length = (unsigned int)(2 + answer->length)};
    krb5_error_code code =
        krb5_auth_con_setaddrs(server->context, session, &address, NULL);

    put_u16(plain, answer->code);
    memcpy(plain + 2, answer->text, answer->length);
    return code != 0
               ? code
               : krb5_mk_priv(server->context, session, &data, sealed, NULL);
}

/* Answers the request of LENGTH bytes in BUFFER; the length of the answer. */
static size_t
answer(const struct server *server, unsigned char *buffer, size_t length)
{
    krb5_context context = server->context;
    krb5_auth_context session = NULL;
    krb5_data ap_req = {0, 0, NULL};
    krb5_data ap_rep = {0, 0, NULL};
    krb5_data sealed = {0, 0, NULL};
    size_t size = length < 6 ? 0 : get_u16(buffer + 4);

    if (size == 0 || size > length - 6) {
        return 0;
    }
    ap_req =
        (krb5_data){.data = (char *)buffer + 6, .length = (unsigned int)size};
    if (krb5_auth_con_init(context, &session) != 0 ||
        krb5_auth_con_setflags(context, session,
                               KRB5_AUTH_CONTEXT_DO_SEQUENCE) != 0 ||
        krb5_rd_req(context, &session, &ap_req, NULL, server->keytab, NULL,
                    NULL) != 0 ||
        krb5_mk_rep(context, session, &ap_rep) != 0 ||
        seal(server, session, &sealed) != 0) {
        _exit(3);
    }
    size = 6 + ap_rep.length + sealed.length;
    put_u16(buffer, size);
    put_u16(buffer + 2, 1);
    put_u16(buffer + 4, ap_rep.length);
    memcpy(buffer + 6, ap_rep.data, ap_rep.length);
    memcpy(buffer + 6 + ap_rep.length, sealed.data, sealed.length);
    krb5_free_data_contents(context, &ap_rep);
    krb5_free_data_contents(context, &sealed);
    krb5_auth_con_free(context, session);
    return size;
}

static void
serve(const struct server *server)
{
    static unsigned char buffer[DATAGRAM_MAX];

    for (;;) {
        struct sockaddr_in from;
        socklen_t from_size = sizeof(from);
        ssize_t length = recvfrom(server->fd, buffer, sizeof(buffer), 0,
                                  (struct sockaddr *)&from, &from_size);
        size_t size = length <= 0 ? 0 : answer(server, buffer, (size_t)length);

        if (size > 0 && sendto(server->fd, buffer, size, 0,
                               (struct sockaddr *)&from, from_size) < 0) {
            _exit(4);
        }
    }
}

static void
live(int fd, const char *keytab, const struct changepw_answer *told)
{
    struct server server = {.fd = fd, .answer = told};

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (krb5_init_context(&server.context) != 0 ||
        krb5_kt_resolve(server.context, keytab, &server.keytab) != 0) {
        _exit(2);
    }
    serve(&server);
}

struct changepw
changepw_start(const char *keytab, const struct changepw_answer *told)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(here);
    struct changepw server = {.port = 0, .pid = -1};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&here, &size), 0);
    server.port = ntohs(here.sin_port);
    server.pid = fork();
    ck_assert_int_ge(server.pid, 0);
    if (server.pid == 0) {
        live(fd, keytab, told);
    }
    (void)close(fd);
    return server;
}

void
changepw_end(const struct changepw *server)
{
    (void)kill(server->pid, SIGKILL);
    ck_assert_int_eq(waitpid(server->pid, NULL, 0), server->pid);
}
