#ifndef IO_TLS_CLIENT_H
#define IO_TLS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "io/tls.h"
#include "io/tls_store.h"
#include "reason/reason.h"

/*
 * TLS as a client. What a connection does once it is made is in io/tls.h: tls_handshake(), tls_read(), tls_write(), ...,
 * tls_free(); it takes and sends no early data, and a renegotiation is refused.
 *
 * Names    a certificate is for a name when its subjectAltName lists it, or a wildcard for its whole first label; the
 *          common name says nothing (RFC9525:6.3). An address must be listed as one
 * Threads  a client is shared by any; a connection and its slot are one thread's at a time
 */
struct tls_client;

struct tls_client_settings {
    const char *ca;          /* PEM: who may sign, be it a root or not; NULL: the system's roots */
    const char *certificate; /* PEM: our own, then those between it and the root; NULL: we show none */
    const char *key;         /* as in struct tls_files; NULL when certificate is */
    uint16_t version_min;    /* 0x0303 or 0x0304 */
    bool verify;             /* refuse servers whose certificate is not good, or not for the name that was asked for */
    bool alpn;               /* tell that HTTP/1.1 is meant. RFC7301:3.1 */
};

/*
 * Read all files; the settings are not needed afterwards.
 *
 * why       set when not 0: a sentence for the operator: what, why, what to do; the file is named
 * Returns   0; -errno of a file, -EPERM, -EINVAL or -ENOMEM as tls_store_new()
 */
__attribute__((warn_unused_result)) int tls_client_new(const struct tls_client_settings *settings,
                                                       struct tls_client **out, char why[TLS_WHY_BYTES]);
/* Connections go on without it. *client may be NULL. */
void tls_client_release(struct tls_client **client);

/*
 * The last session that servers gave, to be resumed: all zero at first. It may serve any number of connections, also at
 * the same time. One that was made by another client or for another name, or with a certificate that has expired since,
 * is not resumed.
 */
struct tls_session_slot {
    void *session;
};

/* Forget the session, if there is one. */
void tls_session_drop(struct tls_session_slot *slot);

/*
 * Begin, over a connected, non-blocking socket that stays the caller's. Nothing is sent before tls_handshake().
 *
 * server_name  what is asked for (SNI) and what the certificate must be for: a host name in ASCII, with a final dot or
 *              without, or an IP address without port and brackets, for which there is no SNI (RFC6066:3). Copied. Empty:
 *              no SNI. Without a name that can be checked, tls_handshake() fails where certificates are verified
 * slot         where a session is taken from, and kept when a new one comes, which may be as late as in tls_read(): it
 *              lives until tls_free(). NULL: none is
 * Returns      NULL without memory
 */
struct tls *tls_connect(struct tls_client *client, int fd, struct span server_name, struct tls_session_slot *slot);

/*
 * Why TLS_FAILED or -EPROTO of tls_read() came; tls_error() tells more, for people:
 *
 *   upstream_tls_certificate   it is not good: "certificate has expired", "hostname mismatch", "self-signed certificate"
 *   upstream_tls_alert         the server sent one: "handshake failure (the server's alert)"
 *   upstream_tls_handshake     anything else of TLS, and whatever ends a handshake: "what came is not TLS",
 *                              "unsupported protocol", "the server left"
 *   worker_memory_exhausted    "no memory"
 *   R_NONE                     nothing of that
 *
 * In TLS 1.3 a server judges our certificate when the handshake is done for us, so that its alert comes out of tls_read().
 * After -EPIPE or -ECONNRESET of tls_write() one more tls_read() finds the alert, if it is still there; what it returns is
 * of no interest then.
 */
enum reason tls_connect_failure(const struct tls *t);

#endif
