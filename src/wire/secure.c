#include "wire/secure.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "wire/h1.h"
#include "wire/h2.h"

void secured_release(struct conn *c)
{
    if (c->secured == NULL)
        return;
    tls_free(c->secured->tls);
    free(c->secured);
    c->secured = NULL;
}

static const struct secured *secured_of(const struct transport *transport)
{
    return (const struct secured *)((const char *)transport - offsetof(struct secured, transport));
}

const struct tls_clients *secured_clients(const struct transport *transport)
{
    return tls_info(secured_of(transport)->tls)->clients;
}

/* A client that named no host was shown what there is for all that are not known. */
bool secured_shows_for(const struct transport *transport, struct span name)
{
    const struct tls *tls = secured_of(transport)->tls;

    return transport->server_name.n > 0 ? tls_covers(tls, name) : tls_shows_for(tls, name);
}

static void fail(struct conn *c, enum reason why)
{
    conn_refuse(c, why, tls_error(c->secured->tls));
    conn_linger(c);
}

static struct transport transport_of(struct conn *c, const struct tls_info *info)
{
    return (struct transport){ .secured = true,
                               .tls_version = info->version,
                               .tls_port = c->wire->plain.tls_port,
                               .tls_name = info->version_name,
                               .server_name = info->server_name,
                               .client_auth = c->wire->host->client_auth(c, info->server_name),
                               .client_certificate = info->client_certificate,
                               .client_subject = info->client_subject };
}

/* From here on the bytes are those of HTTP. */
static void speak(struct conn *c)
{
    const struct tls_info *info = tls_info(c->secured->tls);

    c->secured->transport = transport_of(c, info);
    c->transport = &c->secured->transport;
    c->readable = true; /* the end of the handshake may have brought more than itself */
    if (info->h2) {
        h2_begin(c);
        return;
    }
    c->protocol = &h1_protocol;
    c->protocol->run(c);
}

static void handshake(struct conn *c)
{
    switch (tls_handshake(c->secured->tls)) {
    case TLS_READY:
        speak(c);
        break;
    case TLS_WANTS_READ:
        c->readable = false;
        break;
    case TLS_WANTS_WRITE:
        c->writable = false;
        break;
    case TLS_FAILED:
        fail(c, R_tls_handshake_failed);
        break;
    }
}

/* A record of TLS begins with 22 (RFC8446:5.1), text with a letter, or with the end of an empty line before it
 * (RFC9112:2.2). */
static bool is_text(char first)
{
    return ((first | 0x20) >= 'a' && (first | 0x20) <= 'z') || first == '\r' || first == '\n';
}

/* False: c waits for its first byte, is closed, or speaks without TLS. */
static bool begins(struct conn *c)
{
    char first = 0;
    ssize_t n = recv(c->watch.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        c->readable = false;
        return false;
    }
    if (n <= 0) {
        conn_close(c);
        return false;
    }
    if (is_text(first)) {
        c->protocol = &h1_protocol;
        c->protocol->run(c);
        return false;
    }
    c->secured = calloc(1, sizeof *c->secured);
    if (c->secured == NULL || (c->secured->tls = c->wire->host->secure(c)) == NULL) {
        c->wire->accept_failures++;
        conn_close(c);
        return false;
    }
    return true;
}

static void secure_run(struct conn *c)
{
    if (c->broken && !c->readable) {
        conn_close(c);
        return;
    }
    if (c->secured != NULL || begins(c))
        handshake(c);
}

/* Who has sent nothing has asked for nothing. */
static void secure_timeout(struct conn *c)
{
    if (c->secured != NULL)
        fail(c, R_tls_handshake_timeout);
    else
        conn_close(c);
}

/* Who has begun is answered, as one whose head is not whole. */
static void secure_drain(struct conn *c)
{
    if (c->secured == NULL && !conn_has_unread(c))
        conn_close(c);
}

static void secure_stop(struct conn *c, enum reason why)
{
    (void)why;
    conn_close(c);
}

static struct exchange *secure_next(const struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
    return NULL;
}

const struct wire_protocol secure_protocol = {
    .run = secure_run, .timeout = secure_timeout, .drain = secure_drain, .stop = secure_stop, .next = secure_next
};
