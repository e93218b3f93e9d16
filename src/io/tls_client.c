#include "io/tls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "io/tls_impl.h"

struct tls_client {
    SSL_CTX *context;
    uint64_t number; /* no other client of this process has it */
    bool verify, kernel_sends;
};

static uint64_t number_next(void)
{
    static _Atomic uint64_t last;

    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static int add_authorities(X509_STORE *to, const char *path, char why[TLS_WHY_BYTES])
{
    STACK_OF(X509) *all = NULL;
    struct tls_bytes text;
    int error = tls_bytes_read(&text, path, false, why);

    if (error == 0)
        error = tls_files_certificates(&text, path, &all, why);
    for (int i = 0; error == 0 && i < sk_X509_num(all); i++) {
        /* The library reads its extensions with the first look at them, which threads would take at once. */
        (void)X509_check_purpose(sk_X509_value(all, i), -1, 0);
        if (X509_STORE_add_cert(to, sk_X509_value(all, i)) != 1)
            error = tls_why_library(why, path, "the authority cannot be used");
    }
    sk_X509_pop_free(all, X509_free);
    tls_bytes_fini(&text);
    return error;
}

static int set_verify(SSL_CTX *c, const char *ca, char why[TLS_WHY_BYTES])
{
    X509_VERIFY_PARAM *how = SSL_CTX_get0_param(c);

    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    X509_VERIFY_PARAM_set_hostflags(how, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    /* Who is in the file may sign, be it a root or not. */
    X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_PARTIAL_CHAIN);
    if (ca != NULL)
        return add_authorities(SSL_CTX_get_cert_store(c), ca, why);
    if (SSL_CTX_set_default_verify_paths(c) == 1)
        return 0;
    return tls_why_library(why, "the system's certificates", "they cannot be used");
}

static int set_own(SSL_CTX *c, const struct tls_client_settings *s, char why[TLS_WHY_BYTES])
{
    const struct tls_files files = { .certificate = s->certificate, .key = s->key };
    struct tls_certificate own;

    return tls_certificate_read(&own, c, &files, NULL, 0, why);
}

static int session_keep(SSL *ssl, SSL_SESSION *session)
{
    struct tls *t = SSL_get_app_data(ssl);

    if (t->session == NULL)
        return 0;
    tls_session_drop(t->session);
    t->session->session = session;
    return 1;
}

static int context_fill(SSL_CTX *c, const struct tls_client_settings *s, char why[TLS_WHY_BYTES])
{
    static const unsigned char http1[] = "\x08http/1.1";
    int error = 0;

    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c, session_keep);
    if (s->alpn && SSL_CTX_set_alpn_protos(c, http1, sizeof http1 - 1) != 0)
        return tls_why(why, -ENOMEM, "TLS: no memory for a client");
    if (s->verify)
        error = set_verify(c, s->ca, why);
    return error == 0 && s->certificate != NULL ? set_own(c, s, why) : error;
}

int tls_client_new(const struct tls_client_settings *settings, struct tls_client **out, char why[TLS_WHY_BYTES])
{
    struct tls_client *c = calloc(1, sizeof *c);
    int error;

    if (c == NULL)
        return tls_why(why, -ENOMEM, "TLS: no memory for a client");
    c->number = number_next();
    c->verify = settings->verify;
    c->kernel_sends = tls_socket_kernel_knows();
    c->context = tls_context_begin(TLS_client_method(), settings->version_min, c->kernel_sends);
    error = c->context != NULL ? context_fill(c->context, settings, why)
                               : tls_why_library(why, "TLS", "a client cannot be set up");
    ERR_clear_error();
    if (error == 0)
        *out = c;
    else
        tls_client_release(&c);
    return error;
}

void tls_client_release(struct tls_client **client)
{
    struct tls_client *c = *client;

    *client = NULL;
    if (c == NULL)
        return;
    SSL_CTX_free(c->context);
    free(c);
}

void tls_session_drop(struct tls_session_slot *slot)
{
    SSL_SESSION_free(slot->session);
    slot->session = NULL;
}

static size_t address_read(const char *text, unsigned char to[16])
{
    if (inet_pton(AF_INET, text, to) == 1)
        return 4;
    return inet_pton(AF_INET6, text, to) == 1 ? 16 : 0;
}

/* False: no memory. */
static bool ask_for(struct tls *t, bool verify)
{
    X509_VERIFY_PARAM *how = SSL_get0_param(t->ssl);
    struct span name = t->info.server_name;
    unsigned char address[16];
    size_t address_bytes = address_read(name.p, address);

    if (address_bytes > 0)
        return !verify || X509_VERIFY_PARAM_set1_ip(how, address, address_bytes) == 1;
    return SSL_set_tlsext_host_name(t->ssl, name.p) == 1 &&
           (!verify || X509_VERIFY_PARAM_set1_host(how, name.p, name.n) == 1);
}

/* The library takes an empty name for one that needs no check, and a dot in front for any name that ends so. */
static bool name_take(struct tls *t, struct span name, bool verify)
{
    if (name.n < sizeof t->name)
        t->info.server_name = tls_hello_name(name, t->name);
    if (t->info.server_name.n > 0 && t->name[0] != '.')
        return ask_for(t, verify);
    t->info.server_name.n = 0;
    if (verify) {
        tls_error_set(t, R_upstream_tls_certificate, SPAN("there is no name that its certificate could be for"));
        t->phase = TLS_BROKEN;
    }
    return true;
}

/* What a session is good for: this client, which knows whom it trusts, and this name. False: no memory. */
static bool session_mark(const struct tls *t, uint64_t number, unsigned char to[EVP_MAX_MD_SIZE])
{
    unsigned char all[sizeof number + TLS_NAME_BYTES];
    unsigned to_bytes;

    memcpy(all, &number, sizeof number);
    memcpy(all + sizeof number, t->name, sizeof t->name);
    return EVP_Digest(all, sizeof all, to, &to_bytes, EVP_sha256(), NULL) == 1 &&
           SSL_set_session_id_context(t->ssl, to, to_bytes) == 1;
}

/* A resumed session shows no certificate: the one that it began with has to be good still. */
static bool session_is_good(const SSL_SESSION *session, const unsigned char *mark, bool verify)
{
    X509 *shown = SSL_SESSION_get0_peer((SSL_SESSION *)session);
    unsigned n;
    const unsigned char *made_with = SSL_SESSION_get0_id_context(session, &n);

    return SSL_SESSION_is_resumable(session) == 1 && n == TLS_DIGEST_BYTES && memcmp(made_with, mark, n) == 0 &&
           (!verify || (shown != NULL && X509_cmp_current_time(X509_get0_notAfter(shown)) > 0));
}

static bool session_take(struct tls *t, const struct tls_client *client, struct tls_session_slot *slot)
{
    unsigned char mark[EVP_MAX_MD_SIZE];

    if (slot == NULL)
        return true;
    if (!session_mark(t, client->number, mark))
        return false;
    t->session = slot;
    if (slot->session == NULL || !session_is_good(slot->session, mark, client->verify))
        return true;
    return SSL_set_session(t->ssl, slot->session) == 1;
}

struct tls *tls_connect(struct tls_client *client, int fd, struct span server_name, struct tls_session_slot *slot)
{
    struct tls *t = tls_begin(client->context, fd, client->kernel_sends);

    if (t == NULL)
        return NULL;
    t->is_client = true;
    SSL_set_connect_state(t->ssl);
    if (name_take(t, server_name, client->verify) && session_take(t, client, slot))
        return t;
    ERR_clear_error();
    tls_free(t);
    return NULL;
}

enum reason tls_connect_failure(const struct tls *t)
{
    return t->failure;
}
