#ifndef TEST_IO_TLS_ENDS_H
#define TEST_IO_TLS_ENDS_H

#include <openssl/ssl.h>

#include "io/tls_client.h"
#include "tls_made.h"

/* A connection between our client and our server, or one of OpenSSL's, or whoever writes there: in one thread. */
struct ends {
    int client_fd, server_fd;
    struct tls *client, *server;
    SSL *foreign;
    const struct tls_clients *asked; /* by our server; NULL: nobody is */
};

/* What servers show by default: root signed between, and that signed leaf, for a.test, *.b.test, 127.0.0.1 and ::1. */
struct ends_site {
    struct made root, between, leaf;
    struct tls_files files; /* leaf and between */
    const char *root_path;
};
extern struct ends_site ends_site;

int ends_setup(void **state);
int ends_teardown(void **state);

/* version_min 0: TLS 1.2 */
struct tls_client *ends_client(const struct tls_client_settings *wish);
/* Who trusts the root, and nobody else. */
struct tls_client *ends_client_usual(void);
struct tls_store *ends_store(const struct tls_files *shown, struct tls_tickets *tickets);
/* A server of OpenSSL's that shows the leaf. */
SSL_CTX *ends_foreign(void);

void ends_open(struct ends *e, struct tls_client *client, struct span name, struct tls_session_slot *slot);
void ends_close(struct ends *e);
/* With the other end, by turns, until neither goes on: what the client came to. */
enum tls_step ends_shake(struct ends *e, struct tls_store *store);
enum tls_step ends_shake_foreign(struct ends *e, SSL_CTX *context);
/* For tls_new(); the context is the ends. */
const struct tls_clients *ends_choose(void *context, struct span server_name);
/* False: it waits for more. */
bool ends_foreign_turn(SSL *s);

void ends_assert_text(struct span is, const char *text);
void ends_assert_failure(const struct ends *e, enum reason reason, const char *text);

#endif
