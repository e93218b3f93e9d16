#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "io/tls_impl.h"

static OCSP_SINGLERESP *entry_for(OCSP_BASICRESP *basic, const X509 *leaf)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);
        OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(one);
        ASN1_INTEGER *serial = NULL;

        OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
        if (serial != NULL && ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) == 0)
            return one;
    }
    return NULL;
}

/* What the response says about the certificate; false: nothing. */
static bool find_entry(OCSP_RESPONSE *response, const X509 *leaf, time_t *until)
{
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    OCSP_SINGLERESP *one = basic != NULL ? entry_for(basic, leaf) : NULL;
    ASN1_GENERALIZEDTIME *next = NULL;
    int reason;

    if (one != NULL)
        OCSP_single_get0_status(one, &reason, NULL, NULL, &next);
    *until = tls_files_time(next);
    OCSP_BASICRESP_free(basic);
    return one != NULL;
}

static int check_response(OCSP_RESPONSE *response, const X509 *leaf, const char *path, time_t *until,
                          char why[TLS_WHY_BYTES])
{
    if (response == NULL)
        return tls_why(why, -EINVAL, "%s: it is not an OCSP response: give the DER that the responder sent", path);
    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return tls_why(why, -EINVAL, "%s: the OCSP responder refused (%s): fetch the response again", path,
                       OCSP_response_status_str(OCSP_response_status(response)));
    if (!find_entry(response, leaf, until))
        return tls_why(why, -EINVAL, "%s: this OCSP response is about another certificate: fetch one for this", path);
    return 0;
}

int tls_ocsp_read(struct tls_ocsp *o, const char *path, X509 *leaf, char why[TLS_WHY_BYTES])
{
    int error = tls_bytes_read(&o->der, path, false, why);
    const unsigned char *at = o->der.p;
    OCSP_RESPONSE *response;

    if (error != 0)
        return error;
    response = o->der.n <= LONG_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)o->der.n) : NULL;
    error = check_response(response, leaf, path, &o->until, why);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    if (error != 0)
        tls_bytes_fini(&o->der);
    return error;
}

int tls_ocsp_staple(SSL *ssl, void *arg)
{
    const struct tls_ocsp *o = arg;
    unsigned char *copy;

    /* A client takes an expired response for an attack. */
    if (o->der.p == NULL || (o->until != 0 && o->until < time(NULL)))
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(o->der.p, o->der.n);
    if (copy == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)o->der.n);
    return SSL_TLSEXT_ERR_OK;
}
