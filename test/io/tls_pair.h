#ifndef TEST_IO_TLS_PAIR_H
#define TEST_IO_TLS_PAIR_H

#include <openssl/ssl.h>

#include "io/tls.h"

/* A connection between tls.h and a client of OpenSSL, in one thread, over a socketpair. */
struct pair {
    int server_fd, client_fd;
    struct tls *t;
    SSL *client;
    SSL_SESSION *session;              /* the last that the client was given; kept over pair_close() */
    const struct tls_clients *clients; /* what choose() gives */
    struct span asked;                 /* the name that choose() got, copied */
    char asked_text[256];
    int asked_count;
};

/* Of the next pair_open(); all zero: as OpenSSL does without being told. */
struct pair_wish {
    const char *name; /* SNI; NULL: none */
    const char *alpn; /* in wire form: "\x02h2" */
    uint16_t version_max;
    const char *ciphers; /* of TLS 1.2 */
    const char *groups;
    SSL_SESSION *session; /* to resume */
    X509 *certificate;    /* the client's */
    EVP_PKEY *key;
    X509 *between; /* sent besides */
    const struct tls_clients *clients;
    bool status;  /* ask for OCSP */
    X509 *trusts; /* refuse any server but those signed by it */
};

void pair_open(struct pair *p, struct tls_store *store, const struct pair_wish *wish);
/* Both sides by turns, until the server is ready or has failed and the client has read what it was sent. */
enum tls_step pair_shake(struct pair *p);
/* Open and shake, to TLS_READY. */
void pair_ready(struct pair *p, struct tls_store *store, const struct pair_wish *wish);
/* The client reads what it was sent, sessions included; bytes of it. */
size_t pair_client_read(struct pair *p, char *to, size_t room);
void pair_client_write(struct pair *p, struct span bytes);
/* tls_read() until it gives something else than -EAGAIN, which takes one turn of the client at most. */
long pair_read(struct pair *p, char *to, size_t room);
/* All of it, in one part. */
void pair_write(struct pair *p, struct span bytes);
/* The session that the client was given; the caller's. */
SSL_SESSION *pair_session(struct pair *p);
void pair_close(struct pair *p);

#endif
