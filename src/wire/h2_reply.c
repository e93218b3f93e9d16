#include "base/bounded.h"
#include "http/date.h"
#include "http/field.h"
#include "reason/status.h"
#include "wire/h2_impl.h"

#define LINES_MOST (REPLY_FIELDS + 4)

const struct codec_ops h2_codec = {
    .name = "h2", .major = 2, .content = h2_content, .interim = h2_interim, .reply = h2_reply
};

void h2_yield(struct h2 *h2)
{
    loop_defer(h2->c->wire->loop, &h2->c->turn);
}

void h2_send_later(struct h2 *h2)
{
    if (!h2->running)
        h2_yield(h2);
}

/* The lines of a response, as nghttp2 wants them; it makes names lower case itself, and copies them. */
struct lines {
    nghttp2_nv all[LINES_MOST];
    size_t count;
    size_t bytes; /* of their text, as in HTTP/1 */
};

static void line_add(struct lines *l, struct span name, struct span value)
{
    l->all[l->count++] = (nghttp2_nv){ .name = (uint8_t *)name.p,
                                       .namelen = name.n,
                                       .value = (uint8_t *)value.p,
                                       .valuelen = value.n,
                                       .flags = NGHTTP2_NV_FLAG_NONE };
    l->bytes += name.n + value.n + sizeof ": \r\n" - 1;
}

/* The text of the lines behind the first, which is the status. Without memory there is none to be recorded. */
static struct span text_of(struct exchange *x, const struct lines *l)
{
    struct bounded b = { .room = l->bytes + sizeof "HTTP/2 \r\n\r\n" };

    b.out = arena_take(&x->arena, b.room);
    if (b.out == NULL)
        return (struct span){ 0 };
    bounded_put(&b, SPAN("HTTP/2 "));
    bounded_put(&b, (struct span){ (const char *)l->all[0].value, l->all[0].valuelen });
    bounded_put(&b, SPAN("\r\n"));
    for (size_t i = 1; i < l->count; i++) {
        bounded_put(&b, (struct span){ (const char *)l->all[i].name, l->all[i].namelen });
        bounded_put(&b, SPAN(": "));
        bounded_put(&b, (struct span){ (const char *)l->all[i].value, l->all[i].valuelen });
        bounded_put(&b, SPAN("\r\n"));
    }
    bounded_put(&b, SPAN("\r\n"));
    return (struct span){ b.out, b.bytes };
}

static struct span number_write(uint64_t n, char *room, size_t bytes)
{
    struct bounded b = { room, bytes, 0 };

    bounded_put_number(&b, n);
    return (struct span){ room, b.bytes };
}

/* Fields of a connection of HTTP/1.1 have no meaning here. RFC9113:8.2.2 */
static void fields_add(struct lines *l, const struct reply_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!field_info(field_find(fields[i].name))->h2_forbids)
            line_add(l, fields[i].name, fields[i].value);
}

static bool may_have_content(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}

static bool sends_content(const struct exchange *x)
{
    return x->reply.body != NULL && x->req.head.method != M_HEAD && may_have_content(x->status_sent);
}

static uint32_t error_of(enum reason why)
{
    switch (why) {
    case R_dropped_silently:
        return NGHTTP2_CANCEL;
    case R_draining_stopped:
        return NGHTTP2_REFUSED_STREAM;
    default:
        return NGHTTP2_PROTOCOL_ERROR;
    }
}

static int submit(struct h2_stream *s)
{
    struct exchange *x = s->x;
    const struct body *body = x->reply.body;
    char status[4], date[DATE_BYTES], length[20];
    struct lines l = { .count = 0 };
    nghttp2_data_provider content = { .source.ptr = s, .read_callback = h2_body_length };

    date_write(date, s->h2->c->wire->loop->unix_s);
    line_add(&l, SPAN(":status"), number_write(x->status_sent, status, sizeof status));
    line_add(&l, SPAN("Date"), (struct span){ date, sizeof date });
    line_add(&l, SPAN("Server"), SPAN("verdict"));
    fields_add(&l, x->reply_fields, x->reply.count);
    if (may_have_content(x->status_sent) && (body == NULL || body->length >= 0))
        line_add(&l, SPAN("Content-Length"),
                 number_write(body != NULL ? (uint64_t)body->length : 0, length, sizeof length));
    x->reply.head_text = text_of(x, &l);
    return nghttp2_submit_response(s->h2->session, s->id, l.all, l.count, sends_content(x) ? &content : NULL);
}

static void reply_begin(struct h2_stream *s)
{
    struct exchange *x = s->x;

    s->reply_begun = true;
    s->moved_ms = x->now_ms;
    s->piece = piece_of((struct span){ 0 });
    if (x->status_sent == 0) {
        s->reply_done = true;
        h2_stream_reset(s, error_of(x->verdict.why));
    } else if (submit(s) != 0) {
        exchange_break(x, R_worker_memory_exhausted, 0, HERE);
        h2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
    }
}

void h2_reply(struct exchange *x)
{
    struct h2_stream *s = x->conn;

    if (!s->reply_begun)
        reply_begin(s);
    else if (!s->closed)
        nghttp2_session_resume_data(s->h2->session, s->id);
    h2_send_later(s->h2);
}

void h2_interim(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count)
{
    struct h2_stream *s = x->conn;
    char status[4];
    struct lines l = { .count = 0 };

    line_add(&l, SPAN(":status"), number_write(reason_code(why, DIALECT_RFC).wire, status, sizeof status));
    fields_add(&l, fields, count < REPLY_FIELDS ? count : REPLY_FIELDS);
    if (!s->closed)
        nghttp2_submit_headers(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NULL, l.all, l.count, NULL);
    h2_send_later(s->h2);
}
