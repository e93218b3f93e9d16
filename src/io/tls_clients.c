#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "io/tls_impl.h"

struct tls_clients {
    X509_STORE *authorities;
    STACK_OF(X509_NAME) * names; /* told to clients, so that they find a certificate that will do */
    unsigned char digest[TLS_DIGEST_BYTES];
};

/*
 * Who takes certificates back says so of those that clients show; an authority between them and the root need not have
 * a list about itself.
 */
static int allow_no_list(int good, X509_STORE_CTX *verifying)
{
    if (good || X509_STORE_CTX_get_error(verifying) != X509_V_ERR_UNABLE_TO_GET_CRL ||
        X509_STORE_CTX_get_error_depth(verifying) == 0)
        return good;
    X509_STORE_CTX_set_error(verifying, X509_V_OK);
    return 1;
}

static bool add_authority(struct tls_clients *c, X509 *one)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(one));

    if (name == NULL || sk_X509_NAME_push(c->names, name) <= 0) {
        X509_NAME_free(name);
        return false;
    }
    return X509_STORE_add_cert(c->authorities, one) == 1;
}

static int add_authorities(struct tls_clients *c, const struct tls_bytes *text, const char *path,
                           char why[TLS_WHY_BYTES])
{
    STACK_OF(X509) *all = NULL;
    int error = tls_files_certificates(text, path, &all, why);

    for (int i = 0; error == 0 && i < sk_X509_num(all); i++)
        if (!add_authority(c, sk_X509_value(all, i)))
            error = tls_why_library(why, path, "the authority cannot be used");
    sk_X509_pop_free(all, X509_free);
    return error;
}

static int add_lists(struct tls_clients *c, const struct tls_bytes *text, const char *path, char why[TLS_WHY_BYTES])
{
    BIO *bio = BIO_new_mem_buf(text->p, (int)text->n);
    X509_CRL *one;
    char no_password[] = ""; /* else one may be asked for at the terminal */
    int count = 0;
    bool added = true;

    if (bio == NULL)
        return tls_why(why, -ENOMEM, "%s: no memory", path);
    ERR_clear_error();
    while (added && (one = PEM_read_bio_X509_CRL(bio, NULL, NULL, no_password)) != NULL) {
        added = X509_STORE_add_crl(c->authorities, one) == 1;
        X509_CRL_free(one);
        count++;
    }
    BIO_free(bio);
    if (!added || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return tls_why_library(why, path, "a revocation list in it cannot be used");
    ERR_clear_error();
    if (count == 0)
        return tls_why(why, -EINVAL, "%s: there is no revocation list in it: give a PEM file with BEGIN X509 CRL",
                       path);
    return 0;
}

/* The length of the first keeps "ab" and "c" apart from "a" and "bc". */
static bool digest_make(struct tls_clients *c, const struct tls_bytes *ca, const struct tls_bytes *crl)
{
    uint64_t first_bytes = ca->n;
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    bool made = sum != NULL && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(sum, &first_bytes, sizeof first_bytes) == 1 &&
                EVP_DigestUpdate(sum, ca->p, ca->n) == 1 && EVP_DigestUpdate(sum, crl->p, crl->n) == 1 &&
                EVP_DigestFinal_ex(sum, c->digest, NULL) == 1;

    EVP_MD_CTX_free(sum);
    return made;
}

static int clients_read(struct tls_clients *c, const char *ca, const char *crl, char why[TLS_WHY_BYTES])
{
    struct tls_bytes ca_text, crl_text = { 0 };
    int error = tls_bytes_read(&ca_text, ca, false, why);

    if (error != 0)
        return error;
    error = add_authorities(c, &ca_text, ca, why);
    if (error == 0 && crl != NULL)
        error = tls_bytes_read(&crl_text, crl, false, why);
    if (error == 0 && crl != NULL)
        error = add_lists(c, &crl_text, crl, why);
    if (error == 0 && !digest_make(c, &ca_text, &crl_text))
        error = tls_why(why, -ENOMEM, "%s: no memory", ca);
    tls_bytes_fini(&ca_text);
    tls_bytes_fini(&crl_text);
    return error;
}

static struct tls_clients *clients_alloc(bool with_lists)
{
    struct tls_clients *c = calloc(1, sizeof *c);
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN; /* who is in the file may sign, be it a root or not */

    if (c == NULL)
        return NULL;
    c->authorities = X509_STORE_new();
    c->names = sk_X509_NAME_new_null();
    if (with_lists)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    if (c->authorities == NULL || c->names == NULL || X509_STORE_set_flags(c->authorities, flags) != 1) {
        tls_clients_release(&c);
        return NULL;
    }
    X509_STORE_set_verify_cb(c->authorities, allow_no_list);
    return c;
}

int tls_clients_new(const char *ca, const char *crl, struct tls_clients **out, char why[TLS_WHY_BYTES])
{
    struct tls_clients *c = clients_alloc(crl != NULL);
    int error = c != NULL ? clients_read(c, ca, crl, why) : tls_why(why, -ENOMEM, "%s: no memory", ca);

    if (error == 0)
        *out = c;
    else
        tls_clients_release(&c);
    return error;
}

void tls_clients_release(struct tls_clients **clients)
{
    struct tls_clients *c = *clients;

    *clients = NULL;
    if (c == NULL)
        return;
    X509_STORE_free(c->authorities);
    sk_X509_NAME_pop_free(c->names, X509_NAME_free);
    free(c);
}

const unsigned char *tls_clients_digest(const struct tls_clients *clients)
{
    static const unsigned char nobody[TLS_DIGEST_BYTES];

    return clients != NULL ? clients->digest : nobody;
}

bool tls_clients_are_same(const struct tls_clients *a, const struct tls_clients *b)
{
    return memcmp(tls_clients_digest(a), tls_clients_digest(b), TLS_DIGEST_BYTES) == 0;
}

bool tls_clients_ask(const struct tls_clients *clients, SSL *ssl)
{
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(clients->names);

    if (names == NULL)
        return false;
    SSL_set_client_CA_list(ssl, names);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    /* Who asks is known only when the handshake is done. */
    SSL_set_max_early_data(ssl, 0);
    return SSL_set1_verify_cert_store(ssl, clients->authorities) == 1;
}

int tls_clients_verify(X509_STORE_CTX *verifying, void *unused)
{
    (void)unused;
    if (X509_verify_cert(verifying) != 1 && X509_STORE_CTX_get_error(verifying) == X509_V_OK)
        X509_STORE_CTX_set_error(verifying, X509_V_ERR_UNSPECIFIED);
    ERR_clear_error();
    return 1;
}

static enum reason reason_of(long error)
{
    switch (error) {
    case X509_V_OK:
        return R_NONE;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return R_client_cert_expired;
    case X509_V_ERR_CERT_REVOKED:
        return R_client_cert_revoked;
    default:
        return R_client_cert_invalid;
    }
}

enum reason tls_clients_judge(const struct tls_clients *clients, const SSL *ssl)
{
    if (clients == NULL)
        return R_NONE;
    return SSL_get0_peer_certificate(ssl) != NULL ? reason_of(SSL_get_verify_result(ssl)) : R_client_cert_required;
}

/*
 * A session tells how the certificate was judged when it began; time has gone on. What was between the certificate and
 * the authorities is not kept, so without it the certificate's own time is all that can be looked at. Lists of what was
 * taken back need no second look: a session does not outlive its list (tls_clients_digest()).
 */
static int judge_again(const struct tls_clients *clients, X509 *shown)
{
    X509_STORE_CTX *verifying = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;

    if (verifying != NULL && X509_STORE_CTX_init(verifying, clients->authorities, shown, NULL) == 1 &&
        X509_STORE_CTX_set_default(verifying, "ssl_client") == 1) {
        tls_clients_verify(verifying, NULL);
        error = X509_STORE_CTX_get_error(verifying);
    }
    X509_STORE_CTX_free(verifying);
    if (error != X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY && error != X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
        return error;
    return X509_cmp_current_time(X509_get0_notAfter(shown)) > 0 ? X509_V_OK : X509_V_ERR_CERT_HAS_EXPIRED;
}

bool tls_clients_are_still(const struct tls_clients *clients, SSL_SESSION *session)
{
    X509 *shown = SSL_SESSION_get0_peer(session);

    return shown != NULL && judge_again(clients, shown) == X509_V_OK;
}

char *tls_clients_subject(const SSL *ssl)
{
    X509 *shown = SSL_get0_peer_certificate(ssl);
    BIO *text = shown != NULL ? BIO_new(BIO_s_mem()) : NULL;
    char *bytes, *copy = NULL;
    long n;

    if (text == NULL)
        return NULL;
    if (X509_NAME_print_ex(text, X509_get_subject_name(shown), 0, XN_FLAG_RFC2253) >= 0 &&
        (n = BIO_get_mem_data(text, &bytes)) >= 0)
        copy = strndup(bytes, (size_t)n);
    BIO_free(text);
    return copy;
}
