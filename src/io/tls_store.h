#ifndef IO_TLS_STORE_H
#define IO_TLS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/*
 * Certificates that a server shows, chosen by the name that a client asks for.
 *
 * Threads  any; a short lock when a connection comes and when files are read again
 */
struct tls_store;
struct tls_tickets;
struct tls_clients;

#define TLS_WHY_BYTES 512

/* One certificate with its key. */
struct tls_files {
    const char *certificate; /* PEM: the certificate, then those between it and the root */
    const char *key;         /* PEM, without a password; nobody but its owner (and a group that may read) */
    const char *ocsp;        /* DER: the response to staple; NULL: none */
};

struct tls_store_settings {
    const struct tls_files *certificates; /* borrowed; lives as long as the store. The first is the default */
    uint32_t certificate_count;           /* at least 1 */
    uint16_t version_min;                 /* 0x0303 or 0x0304 */
    uint32_t early_data_bytes;            /* taken before the handshake is done; 0: none. RFC8446:2.3; see below */
    bool h2;                              /* offered by ALPN, before http/1.1 */
    struct tls_tickets *tickets;          /* lives as long as the store; NULL: no tickets */
    uint32_t ticket_lifetime_s;           /* a session is resumed no later than so; 0: as the library has it */
};

/*
 * Read all files. Names of a certificate are those of its subjectAltName (its common name when it has none); exact names
 * go before wildcards, which stand for one label (RFC9525:6.3), earlier certificates before later ones. An OCSP response
 * is stapled until it expires.
 *
 * Early data needs tickets and is taken from clients whose certificates are not asked for. Against replays (RFC8446:8.1)
 * the sessions of TLS 1.3 are then kept in the store's memory, at most 20480 of about 1 KiB, and each is good for one
 * connection: another store or process resumes none of them. Such a store leaves no encryption to the kernel; others do
 * when the kernel's module for TLS is there when they are made.
 *
 * why       set when not 0: a sentence for the operator: what, why, what to do; the file is named
 * Returns   0; -ENOENT, -EACCES or another -errno of a file; -EPERM: a key that everybody may read or anybody but its
 *           owner may write; -EINVAL: no certificate, no key, a key with a password, a key that does not fit, a chain
 *           out of order, an OCSP response for another certificate; -ENOMEM
 */
__attribute__((warn_unused_result)) int tls_store_new(const struct tls_store_settings *settings, struct tls_store **out,
                                                      char why[TLS_WHY_BYTES]);
void tls_store_release(struct tls_store **store);

/*
 * Look at the files again; when one has changed, all are read. Connections keep what they began with, and sessions are
 * resumed as before.
 *
 * Returns   0: none has changed; 1: they have, and new connections get what is there now; -errno as tls_store_new(): they
 *           have, and cannot be used: what was read last stays in use, and this is told once for each change
 */
__attribute__((warn_unused_result)) int tls_store_refresh(struct tls_store *store, char why[TLS_WHY_BYTES]);

/* Days until the first of the certificates expires; negative: it has. */
int tls_store_days_left(const struct tls_store *store);

/* Is a certificate in use, by its number in the settings, that has expired or is not valid yet? Then why is the sentence. */
bool tls_store_warn(struct tls_store *store, uint32_t number, char why[TLS_WHY_BYTES]);

/*
 * Keys that session tickets are sealed with, shared by all stores and workers. A ticket made with the key before the
 * present one is still taken, and replaced. RFC5077:5.5
 */
struct tls_tickets *tls_tickets_new(void); /* NULL: no memory or no randomness */
void tls_tickets_release(struct tls_tickets **tickets);

/* A new key is made when the present one is older than half of lifetime_s; call it now and then. now_s: a clock that
 * does not go back. */
void tls_tickets_rotate(struct tls_tickets *tickets, uint64_t now_s, uint64_t lifetime_s);

/*
 * Clients whose certificates are asked for and checked.
 *
 * ca, crl   PEM files: who may sign, be it a root or not, and what they have taken back; crl may be NULL. With it a
 *           client's certificate is good only when a list of its own issuer, not expired, is there and does not name it.
 *           The paths are borrowed: they live as long as the clients
 * Threads   any; a short lock in each handshake and when files are read again
 * why, Returns   as tls_store_new(); -EINVAL also when no list is by one of the authorities
 */
__attribute__((warn_unused_result)) int tls_clients_new(const char *ca, const char *crl, struct tls_clients **out,
                                                        char why[TLS_WHY_BYTES]);
void tls_clients_release(struct tls_clients **clients);

/*
 * Look at the files again, as tls_store_refresh() does, with the same returns. Handshakes go on with what they began with;
 * sessions are resumed only when the contents are as they were. For each change some 300 bytes are kept until the release.
 */
__attribute__((warn_unused_result)) int tls_clients_refresh(struct tls_clients *clients, char why[TLS_WHY_BYTES]);

/* Is there a list that has expired, or is not in force yet, so that clients are refused? Then why is the sentence. */
bool tls_clients_warn(struct tls_clients *clients, char why[TLS_WHY_BYTES]);

/*
 * Were they read from files with the same contents? Those of tls_info() are as they were in the handshake, those given to
 * tls_clients_new() as they are now, so that who came before a change is told apart. Either may be NULL: nobody is asked.
 */
bool tls_clients_are_same(const struct tls_clients *a, const struct tls_clients *b);

/*
 * A certificate for development, for localhost, *.localhost, 127.0.0.1 and ::1: made when none is in `folder` (which is
 * made too, for its owner alone) or it expires within a week or cannot be used; else the one of the last time. Processes
 * that start together get the same.
 *
 * certificate, key   set to paths of NUL-terminated text
 * Returns            1: it was made; 0: it was there; -errno with why
 */
#define TLS_PATH_BYTES 4096
__attribute__((warn_unused_result)) int tls_self_signed(const char *folder, char certificate[TLS_PATH_BYTES],
                                                        char key[TLS_PATH_BYTES], char why[TLS_WHY_BYTES]);

#endif
