#include "http/date.h"
#include "reason/status.h"
#include "wire/h1.h"

struct writer {
    char *at, *end;
    bool full;
};

static void put(struct writer *w, struct span s)
{
    if ((size_t)(w->end - w->at) < s.n) {
        w->full = true;
        return;
    }
    if (s.n > 0)
        memcpy(w->at, s.p, s.n);
    w->at += s.n;
}

static void put_number(struct writer *w, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    put(w, (struct span){ digits + at, sizeof digits - at });
}

static void put_field(struct writer *w, struct span name, struct span value)
{
    if ((size_t)(w->end - w->at) < name.n + value.n + 4) {
        w->full = true;
        return;
    }
    w->at = mempcpy(w->at, name.p, name.n);
    w->at = mempcpy(w->at, ": ", 2);
    if (value.n > 0)
        w->at = mempcpy(w->at, value.p, value.n);
    w->at = mempcpy(w->at, "\r\n", 2);
}

/* Status line, Date and Server: the same for all replies of one second with one status. */
static struct span first_lines(struct wire *wire, unsigned status)
{
    struct writer w = { wire->first_lines, wire->first_lines + sizeof wire->first_lines, false };
    char date[DATE_BYTES];

    if (wire->first_status == status && wire->first_second == wire->loop->unix_s)
        return (struct span){ wire->first_lines, wire->first_bytes };
    date_write(date, wire->loop->unix_s);
    put(&w, SPAN("HTTP/1.1 "));
    put_number(&w, status);
    put(&w, SPAN(" "));
    put(&w, span_of(status_phrase(status)));
    put(&w, SPAN("\r\nDate: "));
    put(&w, (struct span){ date, sizeof date });
    put(&w, SPAN("\r\nServer: verdict\r\n"));
    wire->first_status = status;
    wire->first_second = wire->loop->unix_s;
    wire->first_bytes = (uint32_t)(w.at - wire->first_lines);
    return (struct span){ wire->first_lines, wire->first_bytes };
}

/* May a response with this status have content at all? RFC9112:6.3 */
static bool may_have_content(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void put_framing(struct writer *w, const struct conn *c, unsigned status)
{
    const struct body *body = c->x->reply.body;

    if (!may_have_content(status))
        return;
    if (body == NULL || body->length >= 0) {
        put(w, SPAN("Content-Length: "));
        put_number(w, body != NULL ? (uint64_t)body->length : 0);
        put(w, SPAN("\r\n"));
    } else if (c->chunked_out) {
        put(w, SPAN("Transfer-Encoding: chunked\r\n"));
    }
}

static void put_connection(struct writer *w, const struct conn *c)
{
    if (!c->keep)
        put(w, SPAN("Connection: close\r\n"));
    else if (c->x->req.head.minor == 0)
        put(w, SPAN("Connection: keep-alive\r\n"));
}

/* The reply's head into the worker's scratch; false when it does not fit. */
static bool head_write(struct conn *c)
{
    struct exchange *x = c->x;
    struct writer w = { c->wire->scratch, c->wire->scratch + WIRE_HEAD_BYTES, false };

    put(&w, first_lines(c->wire, x->status_sent));
    for (uint32_t i = 0; i < x->reply.count; i++)
        put_field(&w, x->reply_fields[i].name, x->reply_fields[i].value);
    put_framing(&w, c, x->status_sent);
    put_connection(&w, c);
    put(&w, SPAN("\r\n"));
    c->head_out = (struct span){ c->wire->scratch, (size_t)(w.at - c->wire->scratch) };
    return !w.full;
}

static void keep_decide(struct conn *c)
{
    const struct exchange *x = c->x;
    bool length_known = x->reply.body == NULL || x->reply.body->length >= 0;

    c->chunked_out = !length_known && x->req.head.minor > 0;
    if (reason_info(x->verdict.why)->after == CLOSE || c->wire->draining || !h1_content_drainable(c) ||
        (!length_known && !c->chunked_out))
        c->keep = false;
}

static void reply_begin(struct conn *c)
{
    struct exchange *x = c->x;

    c->state = CONN_REPLY;
    c->line_out = (struct span){ 0 };
    c->piece = piece_of((struct span){ 0 });
    c->body_stopped = false;
    keep_decide(c);
    c->body_ended = x->reply.body == NULL || x->req.head.method == M_HEAD || !may_have_content(x->status_sent);
    if (x->status_sent == 0 || !head_write(c)) {
        c->keep = false;
        c->broken = true;
        c->head_out = (struct span){ 0 };
        if (x->status_sent != 0)
            exchange_break(x, R_exchange_memory_exhausted, 0, HERE);
    }
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
