#include <openssl/err.h>
#include <stdio.h>

#include "io/tls_impl.h"

/* The last word of TLS itself; else the first of what is below it, which is where it began. */
static unsigned long queue_take(void)
{
    unsigned long code, kept = 0;

    while ((code = ERR_get_error()) != 0)
        if (kept == 0 || ERR_GET_LIB(code) == ERR_LIB_SSL)
            kept = code;
    return kept;
}

static int describe(struct tls *t, unsigned long code)
{
    const char *reason = ERR_reason_error_string(code);
    int number = ERR_GET_REASON(code);

    if (code == 0 && t->socket_error != 0)
        return snprintf(t->error, sizeof t->error, "%s", strerrordesc_np(t->socket_error));
    if (code == 0)
        return snprintf(t->error, sizeof t->error, "the client left");
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && number > SSL_AD_REASON_OFFSET)
        return snprintf(t->error, sizeof t->error, "%s (the client's alert)",
                        SSL_alert_desc_string_long(number - SSL_AD_REASON_OFFSET));
    if (reason == NULL)
        return snprintf(t->error, sizeof t->error, "error %lx of the TLS library", code);
    return snprintf(t->error, sizeof t->error, "%s", reason);
}

void tls_error_take(struct tls *t)
{
    int n = describe(t, queue_take());

    t->error_bytes = n < 0 ? 0 : (size_t)n;
    if (t->error_bytes >= sizeof t->error)
        t->error_bytes = sizeof t->error - 1;
}

void tls_error_set(struct tls *t, struct span text)
{
    t->error_bytes = text.n < sizeof t->error ? text.n : sizeof t->error - 1;
    memcpy(t->error, text.p, t->error_bytes);
}

struct span tls_error(const struct tls *t)
{
    return (struct span){ t->error, t->error_bytes };
}
