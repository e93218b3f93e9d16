#ifndef IO_TLS_IMPL_H
#define IO_TLS_IMPL_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "base/span.h"
#include "io/file_stamp.h"
#include "io/tls.h"
#include "io/tls_store.h"

/*
 * What the files of TLS share. Nobody else includes it.
 *
 * A connection begins in the store's `front`, a context without a certificate that lives as long as the store: it reads
 * the client hello, seals tickets, and remembers sessions, so that reading files again forgets none. Once the name is
 * known the connection moves to the context of one certificate. Certificates that were read together are a set; a
 * connection holds the set that it began with.
 */

#define TLS_NAME_BYTES 256 /* RFC1035:2.3.4 */

/* --- tls_names.c: which certificate goes with a name --- */

struct tls_name {
    struct span text; /* lower case; of a wildcard what follows "*." */
    uint32_t certificate;
};

struct tls_name_list {
    struct tls_name *items;
    size_t count, room;
};

struct tls_names {
    struct tls_name_list exact, wild; /* found in only when sorted */
};

/* Copies the name; one that no client could ask for is left out. False: no memory. */
bool tls_names_add(struct tls_names *n, struct span name, uint32_t certificate);
/* All names of a certificate: subjectAltName, or the common name where there is none. False: no memory. */
bool tls_names_add_all(struct tls_names *n, X509 *leaf, uint32_t certificate);
void tls_names_sort(struct tls_names *n);
/* The certificate for a name in lower case; false, and 0, when none was made for it. */
bool tls_names_find(const struct tls_names *n, struct span name, uint32_t *certificate_out);
/* Has this certificate the name, or a wildcard that stands for it? The name in lower case. */
bool tls_names_has(const struct tls_names *n, struct span name, uint32_t certificate);
void tls_names_fini(struct tls_names *n);

/* --- tls_files.c: what is in files, and sentences about what is wrong there --- */

struct tls_bytes {
    unsigned char *p;
    size_t n;
};

/* Writes the sentence and returns `error`. */
int tls_why(char why[TLS_WHY_BYTES], int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A sentence about a failure inside the library, which forgets it; -ENOMEM or -EINVAL. */
int tls_why_library(char why[TLS_WHY_BYTES], const char *path, const char *what);
/* The whole file, to be given to tls_bytes_fini(). secret: refuse a key that others may read, -EPERM. */
int tls_bytes_read(struct tls_bytes *out, const char *path, bool secret, char why[TLS_WHY_BYTES]);
void tls_bytes_fini(struct tls_bytes *b);
/* All certificates of PEM text, at least one. */
int tls_files_certificates(const struct tls_bytes *text, const char *path, STACK_OF(X509) * *out,
                           char why[TLS_WHY_BYTES]);
/* The key in a PEM file. */
int tls_files_key(const char *path, EVP_PKEY **out, char why[TLS_WHY_BYTES]);
time_t tls_files_time(const ASN1_TIME *t); /* 0: none, or not a time */
/* -1: now is before `from`, 1: not before `until` (0: no end), and `date` tells that one; 0: it is between them. */
#define TLS_DATE_BYTES 48
int tls_files_when(time_t from, time_t until, char date[TLS_DATE_BYTES]);

/* --- tls_ocsp.c: the response to staple --- */

struct tls_ocsp {
    struct tls_bytes der; /* p is NULL: none */
    time_t until;         /* 0: no end is told */
};

int tls_ocsp_read(struct tls_ocsp *o, const char *path, X509 *leaf, char why[TLS_WHY_BYTES]);
/* SSL_CTX_set_tlsext_status_cb(); arg: struct tls_ocsp */
int tls_ocsp_staple(SSL *ssl, void *arg);

/* --- tls_context.c --- */

/* What servers and clients have in common; NULL with the reason in the library's queue. */
SSL_CTX *tls_context_begin(const SSL_METHOD *side, uint16_t version_min, bool kernel_sends);
/* What all contexts of a store have in common; NULL as above. */
SSL_CTX *tls_context_new(const struct tls_store_settings *settings, bool kernel_sends);

/* --- tls_certificate.c: a context that shows one certificate --- */

struct tls_certificate {
    SSL_CTX *context;
    struct tls_ocsp ocsp; /* may not move while the context is in use */
    time_t begins, expires;
};

/* `names` gets the certificate's names with its number; it may be NULL. */
int tls_certificate_read(struct tls_certificate *c, SSL_CTX *fresh, const struct tls_files *files,
                         struct tls_names *names, uint32_t number, char why[TLS_WHY_BYTES]);
void tls_certificate_fini(struct tls_certificate *c);

/* --- tls_store.c: the certificates read together --- */

struct tls_set {
    atomic_uint references;
    SSL_CTX *front;
    struct tls_tickets *tickets; /* NULL: none */
    uint32_t early_data_bytes;
    bool h2, kernel_sends;
    struct tls_names names;
    uint32_t count;
    struct tls_certificate certificates[];
};

/* The present set, to be given to tls_set_release(). */
struct tls_set *tls_store_hold(struct tls_store *store);
void tls_set_release(struct tls_set *set); /* NULL is ignored */

/* --- tls_tickets.c --- */

struct tls_tickets *tls_tickets_hold(struct tls_tickets *tickets); /* NULL: NULL */
/* SSL_CTX_set_tlsext_ticket_key_evp_cb() */
int tls_tickets_key(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                    int sealing);
/* SSL_CTX_set_session_ticket_cb(): of clients that are asked, only those are resumed whose certificate was and is good, so
 * that the others are asked again */
int tls_tickets_allow(SSL *ssl, void *unused);
SSL_TICKET_RETURN tls_tickets_use(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_bytes,
                                  SSL_TICKET_STATUS status, void *unused);

/* --- tls_clients.c --- */

#define TLS_DIGEST_BYTES 32

/* What is asked for: the same for the same files' contents, in every process. clients may be NULL. */
const unsigned char *tls_clients_digest(const struct tls_clients *clients);
/* During the client hello; from then on the info of the connection has the clients as they are now, whatever the files say
 * later. False: no memory. */
bool tls_clients_ask(const struct tls_clients *clients, SSL *ssl);
/* SSL_CTX_set_cert_verify_callback(): remembers the first error and lets the handshake go on */
int tls_clients_verify(X509_STORE_CTX *verifying, void *unused);
/* As tls_info.client_certificate. clients may be NULL. */
enum reason tls_clients_judge(const struct tls_clients *clients, const SSL *ssl);
/* Is the certificate of a session, which was good, still so? Not when there is none. */
bool tls_clients_are_still(const struct tls_clients *clients, SSL_SESSION *session);
/* RFC4514:3 text, all ASCII, of what the client showed, to be freed; NULL: none, or no memory */
char *tls_clients_subject(const SSL *ssl);

/* --- tls_hello.c --- */

/* Lower case, without the final dot; empty when it cannot be a host. name.n < TLS_NAME_BYTES */
struct span tls_hello_name(struct span name, char to[TLS_NAME_BYTES]);
/* SSL_CTX_set_client_hello_cb() of the front: the name, and with it the certificate and the clients */
int tls_hello_choose(SSL *ssl, int *alert, void *unused);
/* SSL_CTX_set_tlsext_servername_callback(): tell a client whether its name was known. RFC6066:3 */
int tls_hello_confirm(SSL *ssl, int *alert, void *unused);
/* SSL_CTX_set_alpn_select_cb() */
int tls_hello_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_bytes, const unsigned char *offered,
                       unsigned offered_bytes, void *unused);

/* --- tls.c --- */

enum tls_phase {
    TLS_BEGINS, /* early data may come first */
    TLS_SHAKES, /* no early data, or none any more */
    TLS_EARLY,  /* ready, and early data goes on */
    TLS_ENDING, /* ready, early data is over, the client's Finished is awaited */
    TLS_OPEN,
    TLS_BROKEN
};

/* What a connection that takes early data needs besides. */
struct tls_early {
    char *data; /* read before TLS_READY was told; NULL: none, or all given */
    size_t data_from, data_to;
    bool absorbs; /* the library is never told that the socket is full */
};

/* What was sealed, and the socket did not take. */
struct tls_unsent {
    char *bytes; /* NULL: nothing */
    size_t from, to;
    size_t held_bytes; /* of tls_write(): told as taken when nothing is unsent */
};

#define TLS_ERROR_BYTES  160
#define TLS_RECORDS_MOST (TLS_WRITE_BYTES / TLS_RECORD_BYTES)

struct tls {
    SSL *ssl;
    int fd;
    enum tls_phase phase;
    bool is_client;
    enum reason failure;              /* of a client; R_NONE: none */
    struct tls_session_slot *session; /* of a client; may be NULL */
    struct tls_set *set;              /* of a server, as all up to `context` */
    uint32_t shown;                   /* certificate */
    bool known;                       /* the server name has a certificate of its own */
    const struct tls_clients *(*choose)(void *context, struct span server_name);
    void *context;
    struct tls_info info;
    char *subject;

    bool drained;     /* the last recv() took all that was there, and nothing has come since */
    bool ended;       /* nothing more comes from the socket */
    bool waits;       /* the last tls_read() had nothing to give */
    bool was_early;   /* its bytes */
    int socket_error; /* errno; 0: none */
    uint8_t records;  /* that tls_write() seals for one send() */
    size_t collected; /* bytes sealed and not sent yet, within tls_write() */
    bool collects;    /* ... is at it */
    struct tls_early early;
    struct tls_unsent unsent;

    size_t error_bytes;
    char name[TLS_NAME_BYTES], error[TLS_ERROR_BYTES];
};

/* A connection that is to shake hands, on neither side yet. NULL: no memory. */
struct tls *tls_begin(SSL_CTX *context, int fd, bool kernel_sends);
/* What a call that did not succeed means for a handshake; a failure is final. */
enum tls_step tls_failed(struct tls *t, int result);
/* The same for tls_read() and tls_write(): 0, -EAGAIN or another -errno. */
long tls_stopped(struct tls *t, int result);
/* There was no memory: TLS_FAILED, which is final. */
enum tls_step tls_give_up(struct tls *t);
/* Fills tls_info(). False: no memory. */
bool tls_agree(struct tls *t);

/* --- tls_socket.c --- */

/*
 * Asking for the kernel's TLS where there is none costs a system call for each connection, and when root asks, a search
 * for the module: so it is asked only when the module was there at the start.
 */
bool tls_socket_kernel_knows(void);
/* False: no memory. */
bool tls_socket_attach(struct tls *t, bool kernel_sends);
/* Sends what is unsent: 0, -EAGAIN or another -errno. */
int tls_socket_flush(struct tls *t);

/* From here on what the library writes is kept, */
void tls_socket_collect(struct tls *t);
/* to here, where it is sent. 0; -EAGAIN: a part of it is unsent; or another -errno. */
int tls_socket_send_collected(struct tls *t);

/* --- tls_early.c --- */

/* TLS_READY with early data; or, with TLS_SHAKES as the phase, TLS_WANTS_READ when there is none. */
enum tls_step tls_early_begin(struct tls *t);
/* As tls_read(); in TLS_OPEN it has given nothing, and the socket is to be asked. */
long tls_early_read(struct tls *t, char *to, size_t room);
/* As tls_write(), for bytes in one piece. */
long tls_early_write(struct tls *t, const char *from, size_t bytes);
void tls_early_fini(struct tls *t);

/* --- tls_error.c --- */

/* Take the reason of a failure from the library's queue, which is empty then, or from the socket. */
void tls_error_take(struct tls *t);
void tls_error_set(struct tls *t, enum reason failure, struct span text);

#endif
