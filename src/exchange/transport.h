#ifndef EXCHANGE_TRANSPORT_H
#define EXCHANGE_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "reason/reason.h"

/* Whether clients are asked for a certificate. */
enum client_auth { CLIENT_AUTH_OFF, CLIENT_AUTH_OPTIONAL, CLIENT_AUTH_REQUIRED };

/* Versions of TLS as the protocol writes them. */
#define TRANSPORT_TLS12 0x0303
#define TRANSPORT_TLS13 0x0304

/* What carries an exchange: the same for all of one connection, and living as long as it. */
struct transport {
    bool secured;            /* over TLS */
    bool on_tls_port;        /* in plain text, at a listener for TLS */
    bool port_redirects;     /* ... which sends such clients to https */
    bool proxy;              /* at a listener of the forward proxy. RFC9110:3.7 */
    uint16_t tls_version;    /* TRANSPORT_TLS12, TRANSPORT_TLS13; 0: not secured */
    uint16_t tls_port;       /* where https of this server is found, for redirects; 0: unknown, 443 is left out */
    struct span tls_name;    /* "TLSv1.3"; empty: not secured */
    struct span server_name; /* what the client asked for (SNI), lower case; may be empty */
    enum client_auth client_auth;
    /* R_NONE: shown and good, when client_auth is not off. Else why it is not: client_cert_required (none was shown),
     * client_cert_invalid, client_cert_expired, client_cert_revoked. */
    enum reason client_certificate;
    struct span client_subject; /* of the certificate shown, RFC4514:3 text; empty: none */
};

/* In plain text, at a listener for plain text. */
extern const struct transport transport_plain;

#endif
