#include <openssl/err.h>
#include <stdio.h>

#include "io/tls_impl.h"

#define ALERTS 256

static bool is_memory(unsigned long code)
{
    return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
}

/* That there was no memory; else the last word of TLS itself; else the first of what is below it, which is where it began. */
static unsigned long queue_take(void)
{
    unsigned long code, kept = 0;

    while ((code = ERR_get_error()) != 0)
        if (kept == 0 || (!is_memory(kept) && (ERR_GET_LIB(code) == ERR_LIB_SSL || is_memory(code))))
            kept = code;
    return kept;
}

/* The number of the alert that came; -1: none did. */
static int alert_of(unsigned long code)
{
    int number = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;

    return ERR_GET_LIB(code) == ERR_LIB_SSL && number >= 0 && number < ALERTS ? number : -1;
}

/* The library lacks those that TLS 1.3 added. */
static const char *alert_name(int alert)
{
    switch (alert) {
    case TLS13_AD_MISSING_EXTENSION:
        return "missing extension";
    case TLS13_AD_CERTIFICATE_REQUIRED:
        return "certificate required";
    default:
        return SSL_alert_desc_string_long(alert);
    }
}

static bool is_certificate(const struct tls *t, unsigned long code)
{
    return t->is_client && ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

static bool is_foreign(const struct tls *t, unsigned long code)
{
    return t->is_client && t->phase == TLS_SHAKES && ERR_GET_LIB(code) == ERR_LIB_SSL &&
           ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER;
}

static int describe(struct tls *t, unsigned long code)
{
    const char *reason = ERR_reason_error_string(code), *other = t->is_client ? "server" : "client";

    if (code == 0 && t->socket_error != 0)
        return snprintf(t->error, sizeof t->error, "%s", strerrordesc_np(t->socket_error));
    if (code == 0)
        return snprintf(t->error, sizeof t->error, "the %s left", other);
    if (alert_of(code) >= 0)
        return snprintf(t->error, sizeof t->error, "%s (the %s's alert)", alert_name(alert_of(code)), other);
    if (is_memory(code))
        reason = "no memory";
    else if (is_certificate(t, code))
        reason = X509_verify_cert_error_string(SSL_get_verify_result(t->ssl));
    else if (is_foreign(t, code))
        reason = "what came is not TLS";
    if (reason == NULL)
        return snprintf(t->error, sizeof t->error, "error %lx of the TLS library", code);
    return snprintf(t->error, sizeof t->error, "%s", reason);
}

static enum reason failure_of(const struct tls *t, unsigned long code)
{
    if (is_memory(code) || (is_certificate(t, code) && SSL_get_verify_result(t->ssl) == X509_V_ERR_OUT_OF_MEM))
        return R_worker_memory_exhausted;
    if (alert_of(code) >= 0)
        return R_upstream_tls_alert;
    /* What the socket said is told by its errno, once there is no handshake to fail. */
    if (code == 0 && t->phase != TLS_SHAKES)
        return R_NONE;
    return is_certificate(t, code) ? R_upstream_tls_certificate : R_upstream_tls_handshake;
}

void tls_error_take(struct tls *t)
{
    unsigned long code = queue_take();
    int n = describe(t, code);

    t->failure = failure_of(t, code);
    t->error_bytes = n < 0 ? 0 : (size_t)n;
    if (t->error_bytes >= sizeof t->error)
        t->error_bytes = sizeof t->error - 1;
}

void tls_error_set(struct tls *t, enum reason failure, struct span text)
{
    t->failure = failure;
    t->error_bytes = text.n < sizeof t->error ? text.n : sizeof t->error - 1;
    memcpy(t->error, text.p, t->error_bytes);
}

struct span tls_error(const struct tls *t)
{
    return (struct span){ t->error, t->error_bytes };
}
