#include "wire/proxied.h"

#include <errno.h>
#include <sys/socket.h>

#include "io/proxy_protocol.h"

#define PEEK_BYTES (16u + PROXY_PROTOCOL_V2_BODY_BYTES)

static void fail(struct conn *c, const char *why)
{
    conn_refuse(c, R_proxy_header_invalid, span_of(why));
    conn_close(c);
}

/* What is carried stays where it is: TLS reads the socket itself. False: less is there than was a moment ago. */
static bool header_take(struct conn *c, size_t bytes)
{
    char away[PEEK_BYTES];
    ssize_t n;

    do
        n = recv(c->watch.fd, away, bytes, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes;
}

/* A proxy that asks for itself, to see whether we are here, stays the peer. */
static bool peer_set(struct conn *c, const struct proxy_protocol *header)
{
    if (!header->is_known)
        return true;
    conn_peer_set(c, (const struct sockaddr *)&header->source, header->source_len);
    return c->wire->host->renamed(c);
}

static void begin(struct conn *c, const struct proxy_protocol *header, size_t bytes)
{
    if (!header_take(c, bytes)) {
        fail(c, "the header went away");
        return;
    }
    if (!peer_set(c, header)) {
        conn_close(c);
        return;
    }
    c->protocol = conn_first_protocol(c);
    c->readable = true;
    c->protocol->run(c);
}

/* Nothing more comes, or nothing for now. */
static void starve(struct conn *c, ssize_t have)
{
    c->readable = false;
    if (!c->peer_closed && !c->broken && have != 0)
        return;
    if (have > 0)
        fail(c, "the connection ended before the header did");
    else
        conn_close(c);
}

static void proxied_run(struct conn *c)
{
    char bytes[PEEK_BYTES];
    ssize_t n = recv(c->watch.fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    struct proxy_protocol header;
    const char *why = "";
    size_t used = 0;
    int err;

    if (n <= 0) {
        starve(c, n);
        return;
    }
    err = proxy_protocol_read((struct span){ bytes, (size_t)n }, &header, &used, &why);
    if (err == 0)
        begin(c, &header, used);
    else if (err == -EAGAIN)
        starve(c, n);
    else
        fail(c, why);
}

static void proxied_timeout(struct conn *c)
{
    if (conn_has_unread(c))
        fail(c, "the header was not whole in time");
    else
        conn_close(c);
}

/* Who has begun is answered, as one whose head is not whole. */
static void proxied_drain(struct conn *c)
{
    if (!conn_has_unread(c))
        conn_close(c);
}

static void proxied_stop(struct conn *c, enum reason why)
{
    (void)why;
    conn_close(c);
}

static struct exchange *proxied_next(const struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
    return NULL;
}

const struct wire_protocol proxied_protocol = {
    .run = proxied_run, .timeout = proxied_timeout, .drain = proxied_drain, .stop = proxied_stop, .next = proxied_next
};
