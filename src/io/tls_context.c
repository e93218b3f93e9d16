#include <openssl/err.h>

#include "io/tls_impl.h"

/* What is recommended: forward secrecy and authenticated encryption only. RFC9325:4.2 */
#define CIPHERS_TLS12                                            \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"
/* At least 112 bits: RSA of 2048, whatever the system's own settings say. */
#define SECURITY_LEVEL 2
/* A client may come with the early data that an earlier configuration promised to take: that much is skipped. */
#define SKIPPED_BYTES_MIN 65536u

static void set_options(SSL_CTX *c, bool kernel_sends)
{
    /* HTTP has lengths of its own, so an end without a word is told as an end, not as a broken record. */
    uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF;

    if (kernel_sends)
        options |= SSL_OP_ENABLE_KTLS;
    SSL_CTX_set_options(c, options);
    /* A chain is what its file says, never what could be found besides. */
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_security_level(c, SECURITY_LEVEL);
}

/* Early data is kept from being played again by a memory of sessions, each of which is good for one more. RFC8446:8.1 */
static void set_sessions(SSL_CTX *c, const struct tls_store_settings *s)
{
    bool early = s->early_data_bytes > 0 && s->tickets != NULL;

    SSL_CTX_set_session_cache_mode(c, early ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(c, early ? s->early_data_bytes : 0);
    SSL_CTX_set_recv_max_early_data(c,
                                    s->early_data_bytes > SKIPPED_BYTES_MIN ? s->early_data_bytes : SKIPPED_BYTES_MIN);
    if (s->tickets == NULL) {
        SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(c, 0);
    }
    if (s->ticket_lifetime_s > 0)
        SSL_CTX_set_timeout(c, (long)s->ticket_lifetime_s);
}

static void set_callbacks(SSL_CTX *c)
{
    SSL_CTX_set_alpn_select_cb(c, tls_hello_protocol, NULL);
    SSL_CTX_set_tlsext_servername_callback(c, tls_hello_confirm);
    SSL_CTX_set_cert_verify_callback(c, tls_clients_verify, NULL);
}

SSL_CTX *tls_context_begin(const SSL_METHOD *side, uint16_t version_min, bool kernel_sends)
{
    SSL_CTX *c;

    ERR_clear_error();
    c = SSL_CTX_new(side);
    if (c == NULL)
        return NULL;
    set_options(c, kernel_sends);
    if (SSL_CTX_set_min_proto_version(c, version_min) == 1 && SSL_CTX_set_cipher_list(c, CIPHERS_TLS12) == 1 &&
        SSL_CTX_set1_groups_list(c, GROUPS) == 1)
        return c;
    SSL_CTX_free(c);
    return NULL;
}

SSL_CTX *tls_context_new(const struct tls_store_settings *settings, bool kernel_sends)
{
    SSL_CTX *c = tls_context_begin(TLS_server_method(), settings->version_min, kernel_sends);

    if (c == NULL)
        return NULL;
    set_sessions(c, settings);
    set_callbacks(c);
    return c;
}
