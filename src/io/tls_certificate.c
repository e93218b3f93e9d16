#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "io/tls_impl.h"

static int check_order(STACK_OF(X509) * chain, const char *path, char why[TLS_WHY_BYTES])
{
    for (int i = 0; i + 1 < sk_X509_num(chain); i++)
        if (X509_check_issued(sk_X509_value(chain, i + 1), sk_X509_value(chain, i)) != X509_V_OK)
            return tls_why(
                why, -EINVAL,
                "%s: certificate %d in it did not sign certificate %d: put the server's first, then each one's "
                "issuer",
                path, i + 2, i + 1);
    return 0;
}

/* Takes the first of the chain for the server's own. */
static int use_chain(SSL_CTX *c, STACK_OF(X509) * chain, const char *path, char why[TLS_WHY_BYTES])
{
    X509 *leaf = sk_X509_value(chain, 0);

    if (SSL_CTX_use_certificate(c, leaf) != 1)
        return tls_why_library(why, path, "the certificate cannot be used");
    for (int i = 1; i < sk_X509_num(chain); i++)
        if (SSL_CTX_add1_chain_cert(c, sk_X509_value(chain, i)) != 1)
            return tls_why_library(why, path, "a certificate of the chain cannot be used");
    return 0;
}

static int use_key(SSL_CTX *c, const X509 *leaf, const struct tls_files *files, char why[TLS_WHY_BYTES])
{
    EVP_PKEY *key = NULL;
    int error = tls_files_key(files->key, &key, why);

    if (error != 0)
        return error;
    if (X509_check_private_key(leaf, key) != 1)
        error = tls_why(why, -EINVAL,
                        "%s: this key does not fit the certificate in %s: give the two that were made together",
                        files->key, files->certificate);
    else if (SSL_CTX_use_PrivateKey(c, key) != 1)
        error = tls_why_library(why, files->key, "the key cannot be used");
    ERR_clear_error();
    EVP_PKEY_free(key);
    return error;
}

static int use_ocsp(struct tls_certificate *c, X509 *leaf, const char *path, char why[TLS_WHY_BYTES])
{
    int error = tls_ocsp_read(&c->ocsp, path, leaf, why);

    if (error != 0)
        return error;
    SSL_CTX_set_tlsext_status_cb(c->context, tls_ocsp_staple);
    SSL_CTX_set_tlsext_status_arg(c->context, &c->ocsp);
    return 0;
}

static int use_files(struct tls_certificate *c, STACK_OF(X509) * chain, const struct tls_files *files,
                     char why[TLS_WHY_BYTES])
{
    X509 *leaf = sk_X509_value(chain, 0);
    int error = check_order(chain, files->certificate, why);

    c->begins = tls_files_time(X509_get0_notBefore(leaf));
    c->expires = tls_files_time(X509_get0_notAfter(leaf));
    if (error == 0)
        error = use_chain(c->context, chain, files->certificate, why);
    if (error == 0)
        error = use_key(c->context, leaf, files, why);
    if (error == 0 && files->ocsp != NULL)
        error = use_ocsp(c, leaf, files->ocsp, why);
    return error;
}

int tls_certificate_read(struct tls_certificate *c, SSL_CTX *fresh, const struct tls_files *files,
                         struct tls_names *names, uint32_t number, char why[TLS_WHY_BYTES])
{
    STACK_OF(X509) *chain = NULL;
    struct tls_bytes text;
    int error;

    *c = (struct tls_certificate){ .context = fresh };
    error = tls_bytes_read(&text, files->certificate, false, why);
    if (error != 0)
        return error;
    error = tls_files_certificates(&text, files->certificate, &chain, why);
    tls_bytes_fini(&text);
    if (error != 0)
        return error;
    error = use_files(c, chain, files, why);
    if (error == 0 && names != NULL && !tls_names_add_all(names, sk_X509_value(chain, 0), number))
        error = tls_why(why, -ENOMEM, "%s: no memory", files->certificate);
    sk_X509_pop_free(chain, X509_free);
    return error;
}

void tls_certificate_fini(struct tls_certificate *c)
{
    SSL_CTX_free(c->context);
    tls_bytes_fini(&c->ocsp.der);
}
