#include <openssl/err.h>

#include "io/tls_impl.h"

/*
 * HostName of the extension: one name of type 0 in a list. RFC6066:3
 * Anything else has no name; what is broken the library refuses by itself afterwards.
 */
static struct span name_find(const unsigned char *p, size_t n)
{
    size_t length;

    if (n < 6 || (size_t)(p[0] << 8 | p[1]) != n - 2 || p[2] != 0)
        return (struct span){ NULL, 0 };
    length = (size_t)(p[3] << 8 | p[4]);
    if (length != n - 5 || length >= TLS_NAME_BYTES)
        return (struct span){ NULL, 0 };
    return (struct span){ (const char *)p + 5, length };
}

/* It goes into logs, so nothing odd passes. */
struct span tls_hello_name(struct span name, char to[TLS_NAME_BYTES])
{
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (c <= ' ' || c > '~')
            return (struct span){ NULL, 0 };
        to[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return (struct span){ to, name.n };
}

static struct span name_read(SSL *ssl, char to[TLS_NAME_BYTES])
{
    const unsigned char *p;
    size_t n;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) != 1)
        return (struct span){ NULL, 0 };
    return tls_hello_name(name_find(p, n), to);
}

/*
 * A session is resumed only for the name that it was made for (RFC6066:3), and where the same clients are asked for.
 * The library compares this for tickets and for sessions that it remembers.
 */
static bool session_bind(SSL *ssl, const struct tls *t)
{
    unsigned char all[TLS_DIGEST_BYTES + TLS_NAME_BYTES], sum[EVP_MAX_MD_SIZE];
    unsigned sum_bytes;

    memcpy(all, tls_clients_digest(t->info.clients), TLS_DIGEST_BYTES);
    if (t->info.server_name.n > 0)
        memcpy(all + TLS_DIGEST_BYTES, t->info.server_name.p, t->info.server_name.n);
    return EVP_Digest(all, TLS_DIGEST_BYTES + t->info.server_name.n, sum, &sum_bytes, EVP_sha256(), NULL) == 1 &&
           SSL_set_session_id_context(ssl, sum, sum_bytes) == 1;
}

int tls_hello_choose(SSL *ssl, int *alert, void *unused)
{
    struct tls *t = SSL_get_app_data(ssl);

    (void)unused;
    t->info.server_name = name_read(ssl, t->name);
    t->info.clients = t->choose(t->context, t->info.server_name);
    t->known = tls_names_find(&t->set->names, t->info.server_name, &t->shown);
    if (SSL_set_SSL_CTX(ssl, t->set->certificates[t->shown].context) != NULL && session_bind(ssl, t) &&
        (t->info.clients == NULL || tls_clients_ask(t->info.clients, ssl)))
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
}

int tls_hello_confirm(SSL *ssl, int *alert, void *unused)
{
    const struct tls *t = SSL_get_app_data(ssl);

    (void)alert, (void)unused;
    return t->known ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static bool is_offered(const unsigned char *offered, unsigned bytes, struct span protocol)
{
    for (unsigned at = 0; at < bytes && offered[at] < bytes - at; at += 1u + offered[at])
        if (span_is((struct span){ (const char *)offered + at + 1, offered[at] }, protocol))
            return true;
    return false;
}

int tls_hello_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_bytes, const unsigned char *offered,
                       unsigned offered_bytes, void *unused)
{
    static const struct span protocols[] = { SPAN_INIT("h2"), SPAN_INIT("http/1.1"), SPAN_INIT("http/1.0") };
    struct tls *t = SSL_get_app_data(ssl);

    (void)unused;
    for (size_t i = t->set->h2 ? 0 : 1; i < sizeof protocols / sizeof *protocols; i++) {
        if (!is_offered(offered, offered_bytes, protocols[i]))
            continue;
        *out = (const unsigned char *)protocols[i].p;
        *out_bytes = (unsigned char)protocols[i].n;
        t->info.h2 = i == 0;
        return SSL_TLSEXT_ERR_OK;
    }
    /* no_application_protocol: who speaks neither must not be taken for a client of HTTP. RFC7301:3.2 */
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}
