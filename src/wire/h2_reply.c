#include "base/decimal.h"
#include "http/field.h"
#include "reason/status.h"
#include "wire/h2_impl.h"

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

/*
 * A head that is made: its text, in lower case as the rules want names (RFC9113:8.2.1), and where the lines lie in it. Both
 * live in the arena: the head is in a frame before the exchange is over.
 */
struct lines {
    struct h2_block_out *block;
    char *text, *at; /* where the next line goes */
};

static inline char *put(char *at, struct span s)
{
    return s.n > 0 ? mempcpy(at, s.p, s.n) : at;
}

static inline void line_note(struct lines *l, struct span name, struct span value)
{
    l->block->lines[l->block->count++] = (struct h2_line){ name, value };
}

/* A line whose value is written already, up to `end`. */
static inline void line_end(struct lines *l, size_t name_bytes, const char *value, char *end)
{
    line_note(l, (struct span){ l->at, name_bytes }, (struct span){ value, (size_t)(end - value) });
    l->at = put(end, SPAN("\r\n"));
}

/* name is in lower case. There is room. */
static inline void line_add(struct lines *l, struct span name, struct span value)
{
    char *to = put(put(l->at, name), SPAN(": "));

    line_end(l, name.n, to, put(to, value));
}

static void number_add(struct lines *l, struct span name, uint64_t n)
{
    char *to = put(put(l->at, name), SPAN(": "));

    line_end(l, name.n, to, decimal_write(to, n));
}

#define OWN_LINES_BYTES 128u /* status line, Date, Server, Content-Length, the empty line */

/* Bytes in the arena of a head of so many lines, the text of which has so many bytes. */
static size_t lines_bytes(size_t count, size_t text_bytes)
{
    return sizeof(struct h2_block_out) + count * sizeof(struct h2_line) + text_bytes;
}

/* The status, which is the first line of the text. False without room, and when the head is longer than any that is
 * sent. */
static bool lines_begin(struct lines *l, unsigned status, void *room, size_t count, size_t text_bytes)
{
    char *to, *end;

    if (room == NULL || text_bytes > H2_HEAD_BYTES)
        return false;
    l->block = room;
    *l->block = (struct h2_block_out){ .lines = (struct h2_line *)(l->block + 1),
                                       .most_bytes = HPACK_BEGIN_BYTES + count * HPACK_LINE_BYTES + text_bytes };
    l->text = (char *)(l->block->lines + count);
    to = put(l->text, SPAN("HTTP/2 "));
    end = decimal_write(to, status);
    line_note(l, SPAN(":status"), (struct span){ to, (size_t)(end - to) });
    l->at = put(end, SPAN("\r\n"));
    return true;
}

/* A field that is not in the table: its name as it was added, in lower case. */
static void other_add(struct lines *l, struct span name, struct span value)
{
    char *lower = l->at;

    line_add(l, name, value);
    for (size_t i = 0; i < name.n; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] |= 0x20;
}

/* Fields of a connection of HTTP/1.1 have no meaning here. RFC9113:8.2.2 */
static void fields_add(struct lines *l, const struct reply_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        enum field_id id = field_find(fields[i].name);
        const struct field_info *info = field_info(id);

        if (id == FIELD_OTHER)
            other_add(l, fields[i].name, fields[i].value);
        else if (!info->h2_forbids)
            line_add(l, info->name, fields[i].value);
    }
}

/* There is room in the text, and lines enough. */
static void ready_add(struct lines *l, const struct ready_fields *ready)
{
    const char *from = ready->text.p;

    for (uint32_t i = 0; i < ready->count; i++) {
        const struct reply_field *f = &ready->fields[i];

        line_note(l, (struct span){ l->at + (f->name.p - from), f->name.n },
                  (struct span){ l->at + (f->value.p - from), f->value.n });
    }
    l->at = put(l->at, (struct span){ ready->lower, ready->text.n });
}

static void own_add(struct lines *l, const struct exchange *x)
{
    uint32_t from = 0;

    for (uint32_t i = 0; i < x->reply.ready_count; i++) {
        const struct reply_ready *ready = &x->reply_ready[i];

        fields_add(l, x->reply_fields + from, ready->after - from);
        ready_add(l, ready->lines);
        from = ready->after;
    }
    fields_add(l, x->reply_fields + from, x->reply.count - from);
}

static bool sends_content(const struct exchange *x)
{
    return x->reply.body != NULL && x->req.head.method != M_HEAD && status_may_have_content(x->status_sent);
}

/* Of the reasons that nothing is sent for, all but one are malformed messages. RFC9113:8.1.1 */
static uint32_t error_of(enum reason why)
{
    return why == R_dropped_silently ? NGHTTP2_CANCEL : NGHTTP2_PROTOCOL_ERROR;
}

#define OWN_LINES 4u /* with :status */

static size_t count_most(const struct exchange *x)
{
    size_t count = OWN_LINES + x->reply.relayed.count + x->reply.count;

    for (uint32_t i = 0; i < x->reply.ready_count; i++)
        count += x->reply_ready[i].lines->count;
    return count;
}

/* R_NONE, or why there is no reply. */
static enum reason submit(struct h2_stream *s)
{
    struct exchange *x = s->x;
    const struct body *body = x->reply.body;
    struct lines l;
    nghttp2_data_provider content = { .source.ptr = s, .read_callback = h2_body_length };
    size_t bytes = OWN_LINES_BYTES + reply_bytes(x), count = count_most(x);

    if (!lines_begin(&l, x->status_sent, wire_head_take(x, lines_bytes(count, bytes)), count, bytes))
        return R_exchange_memory_exhausted;
    if (x->reply.relayed.fields == NULL) {
        line_add(&l, SPAN("date"), wire_date(s->h2->c->wire));
        line_add(&l, SPAN("server"), SPAN("verdict"));
    }
    fields_add(&l, x->reply.relayed.fields, x->reply.relayed.count);
    own_add(&l, x);
    if (!x->reply.tunnel && status_may_have_content(x->status_sent) && (body == NULL || body->length >= 0))
        number_add(&l, SPAN("content-length"), body != NULL ? (uint64_t)body->length : 0);
    l.at = put(l.at, SPAN("\r\n"));
    x->reply.head_text = (struct span){ l.text, (size_t)(l.at - l.text) };
    if (nghttp2_submit_response(s->h2->session, s->id, NULL, 0, sends_content(x) ? &content : NULL) != 0)
        return R_worker_memory_exhausted;
    h2_block_add(s, l.block);
    return R_NONE;
}

static void reply_begin(struct h2_stream *s)
{
    struct exchange *x = s->x;
    enum reason why = R_NONE;

    s->reply_begun = true;
    s->moved_ms = x->now_ms;
    s->piece = piece_of((struct span){ 0 });
    if (x->status_sent == 0) {
        s->reply_done = true;
        h2_stream_reset(s, error_of(x->verdict.why));
    } else if ((why = submit(s)) != R_NONE) {
        exchange_break(x, why, 0, HERE);
        h2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
    }
}

void h2_reply(struct exchange *x)
{
    struct h2_stream *s = x->conn;

    if (!s->reply_begun)
        reply_begin(s);
    else if (s->hears)
        h2_stream_due(s);
    else if (!s->closed)
        nghttp2_session_resume_data(s->h2->session, s->id);
    h2_send_later(s->h2);
}

void h2_interim(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count)
{
    struct h2_stream *s = x->conn;
    struct lines l;
    size_t bytes = OWN_LINES_BYTES + reply_text_bytes(fields, count), lines = OWN_LINES + count;

    if (s->closed || count > HEAD_FIELDS_MAX || bytes > WIRE_HEAD_BYTES ||
        !lines_begin(&l, reason_code(why, DIALECT_RFC).wire, arena_take(&x->arena, lines_bytes(lines, bytes)), lines,
                     bytes))
        return;
    fields_add(&l, fields, count);
    if (nghttp2_submit_headers(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NULL, NULL, 0, NULL) != 0)
        return;
    h2_block_add(s, l.block);
    h2_send_later(s->h2);
}
