#include <errno.h>
#include <sys/uio.h>

#include "base/decimal.h"
#include "reason/status.h"
#include "wire/h1.h"

/* What a head has besides its fields: first lines, framing, Connection, the empty line. */
#define OWN_LINES_BYTES 256u

/* There is room: the length of a head is reckoned before it is written. Returns where the next bytes go. */
static inline char *put(char *at, struct span s)
{
    return s.n > 0 ? mempcpy(at, s.p, s.n) : at;
}

static char *put_field(char *at, const struct reply_field *f)
{
    return put(put(put(put(at, f->name), SPAN(": ")), f->value), SPAN("\r\n"));
}

static inline char *put_fields(char *at, const struct reply_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        at = put_field(at, &fields[i]);
    return at;
}

static char *put_status(char *at, unsigned status)
{
    at = decimal_write(put(at, SPAN("HTTP/1.1 ")), status);
    at = put(put(at, SPAN(" ")), span_of(status_phrase(status)));
    return put(at, SPAN("\r\n"));
}

/* Status line, Date and Server: the same for all replies of one second with one status. */
static char *put_first_lines(char *at, struct wire *wire, unsigned status)
{
    char *to = wire->first_lines;

    if (wire->first_status != status || wire->first_second != wire->loop->unix_s) {
        to = put(put(put_status(to, status), SPAN("Date: ")), wire_date(wire));
        to = put(to, SPAN("\r\nServer: verdict\r\n"));
        wire->first_status = status;
        wire->first_second = wire->loop->unix_s;
        wire->first_bytes = (uint32_t)(to - wire->first_lines);
    }
    return put(at, (struct span){ wire->first_lines, wire->first_bytes });
}

/* Of a response that was made elsewhere: its own Date and Server are among its fields. RFC9110:7.6 */
static char *put_relayed(char *at, const struct exchange *x)
{
    return put_fields(put_status(at, x->status_sent), x->reply.relayed.fields, x->reply.relayed.count);
}

static char *put_own(char *at, const struct exchange *x)
{
    uint32_t from = 0;

    for (uint32_t i = 0; i < x->reply.ready_count; i++) {
        const struct reply_ready *ready = &x->reply_ready[i];

        at = put_fields(at, x->reply_fields + from, ready->after - from);
        at = put(at, ready->lines->text);
        from = ready->after;
    }
    return put_fields(at, x->reply_fields + from, x->reply.count - from);
}

static char *put_framing(char *at, const struct conn *c, unsigned status)
{
    const struct body *body = c->x->reply.body;

    if (!status_may_have_content(status) || c->tunnel)
        return at;
    if (body == NULL || body->length >= 0) {
        at = decimal_write(put(at, SPAN("Content-Length: ")), body != NULL ? (uint64_t)body->length : 0);
        return put(at, SPAN("\r\n"));
    }
    return c->chunked_out ? put(at, SPAN("Transfer-Encoding: chunked\r\n")) : at;
}

static char *put_connection(char *at, const struct conn *c)
{
    const struct head *request = &c->x->req.head;

    if (c->tunnel)
        return request->method != M_CONNECT ? put(at, SPAN("Connection: Upgrade\r\n")) : at;
    if (!c->keep)
        return put(at, SPAN("Connection: close\r\n"));
    return request->minor == 0 ? put(at, SPAN("Connection: keep-alive\r\n")) : at;
}

/* Returns its end. */
static char *put_head(char *at, const struct conn *c)
{
    const struct exchange *x = c->x;

    if (x->reply.relayed.fields != NULL)
        at = put_relayed(at, x);
    else
        at = put_first_lines(at, c->wire, x->status_sent);
    at = put_framing(put_own(at, x), c, x->status_sent);
    return put(put_connection(at, c), SPAN("\r\n"));
}

/* The reply's head into the worker's scratch, where nearly all fit; false without memory. */
static bool head_write(struct conn *c)
{
    struct exchange *x = c->x;
    size_t most = OWN_LINES_BYTES + reply_bytes(x);
    char *text = most <= WIRE_HEAD_BYTES ? c->wire->scratch : wire_head_take(x, most);

    if (text == NULL)
        return false;
    c->head_out = x->reply.head_text = (struct span){ text, (size_t)(put_head(text, c) - text) };
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
    char text[OWN_LINES_BYTES + WIRE_INTERIM_BYTES], *end;
    struct iovec part = { text, 0 };
    long sent;

    if (reply_text_bytes(fields, count) > WIRE_INTERIM_BYTES)
        return;
    end = put_status(text, reason_code(why, DIALECT_RFC).wire);
    end = put(put_fields(end, fields, count), SPAN("\r\n"));
    part.iov_len = (size_t)(end - text);
    sent = conn_send(c, &part, 1, false);
    if (sent == (long)part.iov_len)
        x->bytes_out += part.iov_len;
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
