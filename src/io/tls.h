#ifndef IO_TLS_H
#define IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/span.h"
#include "io/tls_store.h"
#include "reason/reason.h"

/*
 * One connection of TLS over a non-blocking socket that stays the caller's: as the server, or as a client
 * (io/tls_client.h), who is the other side to what follows.
 *
 * Order    tls_new() or tls_connect(), tls_handshake() until TLS_READY, then tls_read() and tls_write() as one likes,
 *          tls_free()
 * Threads  one at a time
 * Signals  SIGPIPE is ignored by the process: where the kernel encrypts, the library writes without asking for silence
 * Memory   until tls_free(); the library gives its buffers back while a connection is idle
 */
struct tls;

enum tls_step {
    TLS_READY,      /* bytes may be read and written: the handshake is done, or early data is here */
    TLS_WANTS_READ, /* call again when the socket is readable */
    TLS_WANTS_WRITE,
    TLS_FAILED /* tls_error() tells why; an alert was sent where there was one to send */
};

/* What was agreed on; complete from TLS_READY on, except client_certificate and client_subject of a handshake that is
 * not done while early data is read (there are none then: such connections take no early data). */
struct tls_info {
    uint16_t version;         /* 0x0303, 0x0304 */
    struct span version_name; /* "TLSv1.3" */
    struct span cipher;       /* as the library calls it */
    struct span server_name;  /* SNI, lower case, without a final dot; empty: none. As a client: the name or address */
    bool h2;                  /* ALPN chose h2; else HTTP/1.1 */
    bool resumed;
    /* Of servers only, all zero as a client. */
    const struct tls_clients *clients; /* whose certificates are asked for; NULL: nobody's */
    /* When clients are asked: R_NONE (shown and good), client_cert_required (none shown), client_cert_invalid,
     * client_cert_expired (or not yet valid), client_cert_revoked. A bad one does not fail the handshake. */
    enum reason client_certificate;
    struct span client_subject; /* RFC4514:3 text of the certificate shown */
};

/*
 * NULL without memory. The store's present certificates are held until tls_free().
 *
 * choose     which clients a connection for this server name (lower case, may be empty) is asked to be; may return NULL;
 *            what it returns lives until tls_free(). Called once, during the handshake, before the certificate is
 *            chosen. A session is resumed only for the same server name (RFC6066:3) and where the same clients are asked
 *            for, and then only while the certificate that was shown is good: others are asked again
 */
struct tls *tls_new(struct tls_store *store, int fd,
                    const struct tls_clients *(*choose)(void *context, struct span server_name), void *context);

/* Go on with the handshake, as far as the socket allows. */
enum tls_step tls_handshake(struct tls *t);

/* Of TLS_READY. Lives as long as t. */
const struct tls_info *tls_info(const struct tls *t);

/*
 * Bytes read, at most room; 0 at the end of the stream; -EAGAIN: when the socket is readable again; -EPROTO: a record
 * was broken (tls_error()); or -errno of the socket. A renegotiation is refused.
 */
long tls_read(struct tls *t, char *to, size_t room);

/*
 * Did the bytes of the last tls_read() come before the handshake was done, so that they may be a replay? RFC8470:3
 *
 * Until it is done, tls_read() goes on with it, and what tls_write() sends goes to whoever sent the early data.
 */
bool tls_was_early(const struct tls *t);

/* After 0 of tls_read(): did the other side say its end? Else it may not have been the one who cut what it sent.
 * RFC9112:9.8 */
bool tls_was_end_said(const struct tls *t);

/* The socket was told to be readable. To be said each time: tls_read() may give what it had before, and leave what came. */
void tls_socket_ready(struct tls *t);

/* May tls_read() give more although nobody tells again that the socket is readable? Read until it does not. */
bool tls_has_more(const struct tls *t);

/*
 * Send some of the parts, in their order; at least one byte of them. Bytes taken, at most TLS_WRITE_BYTES for each
 * call; -EAGAIN: when the socket is writable again, with parts that begin with the same bytes; -EPROTO, -EPIPE or
 * another -errno: the connection is broken. Without parts (NULL, 0) only the bytes of a call that was not taken up again
 * are settled: 0 when there are none.
 */
long tls_write(struct tls *t, const struct iovec *parts, int count);
#define TLS_RECORD_BYTES 16384u
#define TLS_WRITE_BYTES  (4 * TLS_RECORD_BYTES)

/* Bytes of one part that the next tls_write() takes at most: more as long as the socket takes all. */
size_t tls_takes(const struct tls *t);

/* Does the kernel encrypt what is written to the socket? Then sendmsg() and sendfile() take the place of tls_write(),
 * once the handshake is done. */
bool tls_kernel_sends(const struct tls *t);

/* As a server: would a client that asked for this name (lower case) have been shown the certificate that t shows? */
bool tls_shows_for(const struct tls *t, struct span name);

/* As a server: is the certificate that t shows one for this name: does it list it, or a wildcard that stands for it? Any case. */
bool tls_covers(const struct tls *t, struct span name);

/* What went wrong, for people: "no shared cipher", "certificate unknown (the client's alert)"; as a client the other side
 * is "the server". Lives as long as t. */
struct span tls_error(const struct tls *t);

/* Tell the other side that nothing more comes, as far as the socket takes it. Not while early data is answered and the
 * handshake is not done. */
void tls_say_end(struct tls *t);

/* NULL is ignored. */
void tls_free(struct tls *t);

#endif
