#include <errno.h>
#include <sys/uio.h>

#include "base/bounded.h"
#include "reason/status.h"
#include "wire/h1.h"

static void put_field(struct bounded *b, struct span name, struct span value)
{
    size_t bytes = name.n + value.n + 4;
    char *at;

    b->bytes += bytes;
    if (b->bytes > b->room)
        return;
    at = mempcpy(b->out + b->bytes - bytes, name.p, name.n);
    at = mempcpy(at, ": ", 2);
    if (value.n > 0)
        at = mempcpy(at, value.p, value.n);
    memcpy(at, "\r\n", 2);
}

/* Status line, Date and Server: the same for all replies of one second with one status. */
static struct span first_lines(struct wire *wire, unsigned status)
{
    struct bounded b = { wire->first_lines, sizeof wire->first_lines, 0 };

    if (wire->first_status == status && wire->first_second == wire->loop->unix_s)
        return (struct span){ wire->first_lines, wire->first_bytes };
    bounded_put(&b, SPAN("HTTP/1.1 "));
    bounded_put_number(&b, status);
    bounded_put(&b, SPAN(" "));
    bounded_put(&b, span_of(status_phrase(status)));
    bounded_put(&b, SPAN("\r\nDate: "));
    bounded_put(&b, wire_date(wire));
    bounded_put(&b, SPAN("\r\nServer: verdict\r\n"));
    wire->first_status = status;
    wire->first_second = wire->loop->unix_s;
    wire->first_bytes = (uint32_t)b.bytes;
    return (struct span){ wire->first_lines, wire->first_bytes };
}

/* Of a response that was made elsewhere: its own Date and Server are among its fields. RFC9110:7.6 */
static void put_relayed(struct bounded *b, const struct exchange *x)
{
    bounded_put(b, SPAN("HTTP/1.1 "));
    bounded_put_number(b, x->status_sent);
    bounded_put(b, SPAN(" "));
    bounded_put(b, span_of(status_phrase(x->status_sent)));
    bounded_put(b, SPAN("\r\n"));
    for (uint32_t i = 0; i < x->reply.relayed.count; i++)
        put_field(b, x->reply.relayed.fields[i].name, x->reply.relayed.fields[i].value);
}

static void put_own(struct bounded *b, const struct exchange *x, uint32_t from, uint32_t end)
{
    for (uint32_t i = from; i < end; i++)
        put_field(b, x->reply_fields[i].name, x->reply_fields[i].value);
}

static void put_fields(struct bounded *b, const struct exchange *x)
{
    uint32_t from = 0;

    for (uint32_t i = 0; i < x->reply.ready_count; i++) {
        const struct reply_ready *ready = &x->reply_ready[i];

        put_own(b, x, from, ready->after);
        bounded_put(b, ready->lines->text);
        from = ready->after;
    }
    put_own(b, x, from, x->reply.count);
}

static void put_framing(struct bounded *b, const struct conn *c, unsigned status)
{
    const struct body *body = c->x->reply.body;

    if (!status_may_have_content(status) || c->tunnel)
        return;
    if (body == NULL || body->length >= 0) {
        bounded_put(b, SPAN("Content-Length: "));
        bounded_put_number(b, body != NULL ? (uint64_t)body->length : 0);
        bounded_put(b, SPAN("\r\n"));
    } else if (c->chunked_out) {
        bounded_put(b, SPAN("Transfer-Encoding: chunked\r\n"));
    }
}

static void put_connection(struct bounded *b, const struct conn *c)
{
    if (c->tunnel) {
        if (c->x->req.head.method != M_CONNECT)
            bounded_put(b, SPAN("Connection: Upgrade\r\n"));
        return;
    }
    if (!c->keep)
        bounded_put(b, SPAN("Connection: close\r\n"));
    else if (c->x->req.head.minor == 0)
        bounded_put(b, SPAN("Connection: keep-alive\r\n"));
}

static void put_head(struct bounded *b, const struct conn *c)
{
    const struct exchange *x = c->x;

    if (x->reply.relayed.fields != NULL)
        put_relayed(b, x);
    else
        bounded_put(b, first_lines(c->wire, x->status_sent));
    put_fields(b, x);
    put_framing(b, c, x->status_sent);
    put_connection(b, c);
    bounded_put(b, SPAN("\r\n"));
}

/* The reply's head into the worker's scratch, where nearly all fit; false without memory. */
static bool head_write(struct conn *c)
{
    struct exchange *x = c->x;
    struct bounded b = { c->wire->scratch, WIRE_HEAD_BYTES, 0 };

    put_head(&b, c);
    if (b.bytes > b.room) {
        b = (struct bounded){ wire_head_take(x, b.bytes), b.bytes, 0 };
        if (b.out == NULL)
            return false;
        put_head(&b, c);
    }
    c->head_out = x->reply.head_text = (struct span){ b.out, b.bytes };
    return true;
}

static void keep_decide(struct conn *c)
{
    const struct exchange *x = c->x;
    bool length_known = x->reply.body == NULL || x->reply.body->length >= 0;

    c->tunnel = x->reply.tunnel;
    c->chunked_out = !length_known && !c->tunnel && x->req.head.minor > 0;
    if (reason_info(x->verdict.why)->after == CLOSE || c->tunnel || c->wire->draining || !h1_content_drainable(c) ||
        (!length_known && !c->chunked_out))
        c->keep = false;
}

static void reply_begin(struct conn *c)
{
    struct exchange *x = c->x;

    c->state = CONN_REPLY;
    c->line_out = (struct span){ 0 };
    c->piece = piece_of((struct span){ 0 });
    keep_decide(c);
    if (c->tunnel)
        h1_content_unframe(c);
    c->body_ended = x->reply.body == NULL ||
                    (!c->tunnel && (x->req.head.method == M_HEAD || !status_may_have_content(x->status_sent)));
    if (x->status_sent == 0 || !head_write(c)) {
        c->keep = false;
        c->broken = true;
        c->head_out = (struct span){ 0 };
        if (x->status_sent != 0)
            exchange_break(x, R_exchange_memory_exhausted, 0, HERE);
    }
}

/* To send it is worth no wait: a client that takes nothing gets no hint. Bytes cut off would spoil what follows, as
 * would a record of TLS that must go out before any other. */
void h1_interim(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count)
{
    struct conn *c = x->conn;
    char text[WIRE_INTERIM_BYTES];
    struct bounded b = { text, sizeof text, 0 };
    unsigned status = reason_code(why, DIALECT_RFC).wire;
    struct iovec part = { text, 0 };
    long sent;

    bounded_put(&b, SPAN("HTTP/1.1 "));
    bounded_put_number(&b, status);
    bounded_put(&b, SPAN(" "));
    bounded_put(&b, span_of(status_phrase(status)));
    bounded_put(&b, SPAN("\r\n"));
    for (uint32_t i = 0; i < count; i++)
        put_field(&b, fields[i].name, fields[i].value);
    bounded_put(&b, SPAN("\r\n"));
    if (b.bytes > b.room)
        return;
    part.iov_len = b.bytes;
    sent = conn_send(c, &part, 1, false);
    if (sent == (long)b.bytes)
        x->bytes_out += b.bytes;
    else if (sent != -EAGAIN || c->secured != NULL)
        c->broken = true;
}

void h1_reply(struct exchange *x)
{
    struct conn *c = x->conn;

    if (c->state != CONN_REPLY)
        reply_begin(c);
    if (!c->broken && h1_send(c) == FLOW_WAIT)
        return;
    h1_over(c);
}
