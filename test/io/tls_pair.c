#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS 50

static const struct tls_clients *choose(void *context, struct span server_name)
{
    struct pair *p = context;

    assert_true(server_name.n < sizeof p->asked_text);
    if (server_name.n > 0)
        memcpy(p->asked_text, server_name.p, server_name.n);
    p->asked = (struct span){ p->asked_text, server_name.n };
    p->asked_count++;
    return p->clients;
}

static int session_new(SSL *ssl, SSL_SESSION *session)
{
    struct pair *p = SSL_get_app_data(ssl);

    SSL_SESSION_free(p->session);
    p->session = session;
    return 1;
}

static SSL_CTX *client_context(const struct pair_wish *wish)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());

    assert_non_null(c);
    SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c, session_new);
    if (wish->version_max != 0)
        SSL_CTX_set_max_proto_version(c, wish->version_max);
    if (wish->ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(c, wish->ciphers), 1);
    if (wish->groups != NULL)
        assert_int_equal(SSL_CTX_set1_groups_list(c, wish->groups), 1);
    if (wish->trusts != NULL) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(c), wish->trusts);
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    }
    return c;
}

static void client_wish(SSL *client, const struct pair_wish *wish)
{
    if (wish->name != NULL)
        SSL_set_tlsext_host_name(client, wish->name);
    if (wish->alpn != NULL)
        SSL_set_alpn_protos(client, (const unsigned char *)wish->alpn, (unsigned)strlen(wish->alpn));
    if (wish->session != NULL)
        assert_int_equal(SSL_set_session(client, wish->session), 1);
    if (wish->certificate != NULL) {
        assert_int_equal(SSL_use_certificate(client, wish->certificate), 1);
        assert_int_equal(SSL_use_PrivateKey(client, wish->key), 1);
    }
    if (wish->between != NULL)
        SSL_add1_chain_cert(client, wish->between);
    if (wish->status)
        SSL_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp);
}

void pair_open(struct pair *p, struct tls_store *store, const struct pair_wish *wish)
{
    SSL_CTX *context = client_context(wish);
    int fds[2];

    *p = (struct pair){ .clients = wish->clients };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    p->server_fd = fds[0];
    p->client_fd = fds[1];
    p->t = tls_new(store, p->server_fd, choose, p);
    assert_non_null(p->t);
    p->client = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_app_data(p->client, p);
    SSL_set_fd(p->client, p->client_fd);
    SSL_set_connect_state(p->client);
    client_wish(p->client, wish);
}

enum tls_step pair_shake(struct pair *p)
{
    enum tls_step step = TLS_WANTS_READ;
    char nothing[1];

    for (int i = 0; i < TURNS && step != TLS_READY && step != TLS_FAILED; i++) {
        ERR_clear_error();
        SSL_do_handshake(p->client);
        step = tls_handshake(p->t);
    }
    if (SSL_is_init_finished(p->client))
        pair_client_read(p, nothing, 0);
    else
        SSL_do_handshake(p->client);
    return step;
}

void pair_ready(struct pair *p, struct tls_store *store, const struct pair_wish *wish)
{
    pair_open(p, store, wish);
    assert_int_equal(pair_shake(p), TLS_READY);
    assert_true(SSL_is_init_finished(p->client));
}

size_t pair_client_read(struct pair *p, char *to, size_t room)
{
    size_t n = 0, some;
    char more[1];

    ERR_clear_error();
    while (n < room && SSL_read_ex(p->client, to + n, room - n, &some) == 1)
        n += some;
    /* What is not content comes along. */
    if (n == 0)
        SSL_peek_ex(p->client, more, sizeof more, &some);
    return n;
}

void pair_client_write(struct pair *p, struct span bytes)
{
    size_t n;

    ERR_clear_error();
    assert_int_equal(SSL_write_ex(p->client, bytes.p, bytes.n, &n), 1);
    assert_int_equal(n, bytes.n);
}

long pair_read(struct pair *p, char *to, size_t room)
{
    long n = tls_read(p->t, to, room);

    if (n != -EAGAIN)
        return n;
    SSL_do_handshake(p->client);
    return tls_read(p->t, to, room);
}

void pair_write(struct pair *p, struct span bytes)
{
    const struct iovec part = { (void *)bytes.p, bytes.n };

    assert_int_equal(tls_write(p->t, &part, 1), bytes.n);
}

SSL_SESSION *pair_session(struct pair *p)
{
    SSL_SESSION *session = p->session;

    p->session = NULL;
    /* In TLS 1.2 a ticket that takes the place of another one comes without being told. */
    if (SSL_version(p->client) != TLS1_2_VERSION)
        return session;
    SSL_SESSION_free(session);
    return SSL_get1_session(p->client);
}

void pair_close(struct pair *p)
{
    tls_free(p->t);
    /* Else the session is not used again. */
    SSL_set_shutdown(p->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(p->client);
    SSL_SESSION_free(p->session);
    close(p->server_fd);
    close(p->client_fd);
}
