#ifndef WIRE_SECURE_H
#define WIRE_SECURE_H

#include "wire/conn.h"

/*
 * The beginning of a connection at a listener for TLS: a client that speaks plain HTTP there is recognised by its first
 * byte, and told so by the codec of HTTP/1.1; all others go through the handshake, and on with what ALPN chose. A
 * handshake that fails, or takes longer than a head may, is recorded as an exchange without one.
 */
extern const struct wire_protocol secure_protocol;

/* What a connection has over TLS. */
struct secured {
    struct tls *tls;
    struct transport transport;
};

/* Of a connection over TLS: which clients it asked for a certificate, or NULL; and whether its certificate is one for that
 * name (lower or upper case). */
const struct tls_clients *secured_clients(const struct transport *transport);
bool secured_shows_for(const struct transport *transport, struct span name);

/* Free it, if there is any; c is being closed. */
void secured_release(struct conn *c);

#endif
