#include "exchange/wait.h"
#include "http/priority.h"
#include "wire/h2_impl.h"

struct h2_stream *h2_stream_open(struct h2 *h2, int32_t id)
{
    struct wire *w = h2->c->wire;
    struct h2_stream *s = h2_store_take(&w->store, sizeof *s);

    if (s == NULL)
        return NULL;
    *s = (struct h2_stream){ .h2 = h2, .id = id, .moved_ms = w->loop->now_ms };
    s->x = conn_exchange(h2->c, &s->on_spare);
    if (s->x == NULL) {
        h2_store_give(&w->store, s, sizeof *s);
        return NULL;
    }
    s->x->conn = s;
    s->x->codec = &h2_codec;
    h2_head_init(&s->head, &s->x->arena, &w->settings->head, &s->x->req.head);
    s->next = h2->streams;
    if (s->next != NULL)
        s->next->before = s;
    h2->streams = s;
    h2->stream_count++;
    if (h2->look_idle)
        h2->look_is_set = false;
    return s;
}

void h2_stream_due(struct h2_stream *s)
{
    if (s->is_due)
        return;
    s->is_due = true;
    s->next_due = NULL;
    *s->h2->due_end = s;
    s->h2->due_end = &s->next_due;
}

static struct h2_stream *due_take(struct h2 *h2)
{
    struct h2_stream *s = h2->due;

    if (s == NULL)
        return NULL;
    h2->due = s->next_due;
    if (h2->due == NULL)
        h2->due_end = &h2->due;
    s->is_due = false;
    return s;
}

void h2_stream_reset(struct h2_stream *s, uint32_t error)
{
    if (!s->closed)
        nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, error);
    h2_send_later(s->h2);
}

static void stream_free(struct h2_stream *s)
{
    struct h2 *h2 = s->h2;
    struct conn *c = h2->c;
    uint32_t bytes = h2_content_drop(c->wire, &s->content);

    if (bytes > 0)
        nghttp2_session_consume_connection(h2->session, bytes);
    if (s->before != NULL)
        s->before->next = s->next;
    else
        h2->streams = s->next;
    if (s->next != NULL)
        s->next->before = s->before;
    h2->stream_count--;
    if (h2->recent == s)
        h2->recent = NULL;
    conn_exchange_return(c, s->x, s->on_spare);
    h2_store_give(&c->wire->store, s, sizeof *s);
}

/* The exchange is over, and nghttp2 knows s no more. */
static void over(struct h2_stream *s)
{
    struct exchange *x = s->x;

    if (x->reply.body != NULL && x->reply.body->ops->stop != NULL)
        x->reply.body->ops->stop(x->reply.body);
    x->host->ended(x);
    stream_free(s);
}

/* Who ended the stream before its exchange was over, and why? */
static enum reason early_end(const struct h2_stream *s)
{
    enum reason why = h2_reason_of(s->error);

    if (s->content.broken.why != R_NONE)
        return s->content.broken.why;
    if (s->h2->ends.why != R_NONE)
        return s->h2->ends.why;
    if (!s->by_client && why != R_NONE)
        return why;
    return s->x->verdict.why == R_NONE ? R_request_cancelled : R_response_cancelled;
}

/* The error code tells something where the stream itself ended. */
static uint32_t place(const struct h2_stream *s, enum reason why)
{
    return why == R_client_closed_request || why == R_worker_memory_exhausted ? 0 : s->error;
}

static void abandon(struct h2_stream *s, enum reason why)
{
    struct exchange *x = s->x;
    uint32_t at = place(s, why);

    exchange_cancel(x);
    if (why == R_client_closed_request && x->verdict.why != R_NONE)
        why = R_client_closed_during_response;
    if (x->verdict.why == R_NONE)
        exchange_stop(x, why, at, (struct span){ 0 }, HERE);
    else if (x->broken.why == R_NONE)
        exchange_break(x, why, at, HERE);
    over(s);
}

/* nghttp2 knows the stream no more. */
static void gone(struct h2_stream *s)
{
    s->x->host->tick(s->x);
    if (!s->head_done)
        stream_free(s);
    else if (s->reply_done)
        over(s);
    else
        abandon(s, early_end(s));
}

/* The exchange is over; the stream is left to nghttp2, until the client ends it or has had its time. */
static void linger(struct h2_stream *s)
{
    nghttp2_session_set_stream_user_data(s->h2->session, s->id, NULL);
    h2_linger_add(s->h2, s->id);
    s->x->host->tick(s->x);
    over(s);
}

static void priority_tell(struct h2_stream *s)
{
    const struct field *f = head_field(&s->x->req.head, FIELD_PRIORITY);
    struct priority p;
    nghttp2_extpri wanted;

    if (f == NULL)
        return;
    p = priority_parse(request_field(s->x, FIELD_PRIORITY));
    wanted = (nghttp2_extpri){ .urgency = p.urgency, .inc = p.incremental };
    nghttp2_session_change_extpri_stream_priority(s->h2->session, s->id, &wanted, 0);
}

/* The head has come: the exchange begins. */
static void begin(struct h2_stream *s)
{
    struct exchange *x = s->x;
    struct framing framing = { .kind = FRAMING_NONE };

    x->host->tick(x);
    x->moments.head_ms = x->now_ms;
    if (h2_head_end(&s->head, s->content.ended && s->content.come == 0, &framing, &x->req.connect_protocol) != R_NONE)
        x->head_verdict = s->head.verdict;
    else if (s->on_spare)
        verdict_set(&x->head_verdict, R_worker_memory_exhausted, 0);
    x->req.head_text = (struct span){ x->req.head.base, x->req.head.bytes };
    x->req.has_content = framing.kind != FRAMING_NONE;
    x->req.length_known = framing.kind != FRAMING_CHUNKED;
    x->req.length = s->content.length = framing.length;
    s->content.is_length_known = framing.kind == FRAMING_LENGTH;
    x->req.early = s->h2->c->early;
    priority_tell(s);
    h2_length_check(s);
    x->host->begin(x);
}

/* Both sides have ended the stream, and nghttp2 knows it no more: what came before is still heard. */
static bool ended_well(const struct h2_stream *s)
{
    return s->closed && s->content.ended && s->error == NGHTTP2_NO_ERROR;
}

/* The client was told the end of the tunnel. */
static void hear(struct h2_stream *s)
{
    struct exchange *x = s->x;
    enum flow f = x->reply.body->ops->hear(x->reply.body, x);

    if (f == FLOW_WAIT)
        return;
    s->hears = false;
    s->reply_done = true;
    if (s->closed)
        gone(s);
    else if (f == FLOW_GO)
        linger(s);
    else
        h2_stream_reset(s, NGHTTP2_CANCEL);
}

static void run(struct h2_stream *s)
{
    struct exchange *x = s->x;

    if (s->closed && !(s->hears && ended_well(s))) {
        gone(s);
        return;
    }
    if (s->lingers) {
        linger(s);
        return;
    }
    if (!s->head_done) {
        s->head_done = true;
        begin(s);
    } else if (s->arrived && exchange_waits_for_codec(x)) {
        s->arrived = false;
        exchange_wake(x, x->wait.ticket);
    } else if (s->hears && x->wait.what == NULL) {
        hear(s);
    }
}

void h2_streams_run(struct h2 *h2)
{
    struct h2_stream *s;

    while ((s = due_take(h2)) != NULL)
        run(s);
}

void h2_streams_stop(struct h2 *h2, enum reason why)
{
    while (due_take(h2) != NULL)
        ;
    for (struct h2_stream *s = h2->streams, *next; s != NULL; s = next) {
        next = s->next;
        s->closed = true;
        if (!s->head_done)
            stream_free(s);
        else if (s->reply_done)
            over(s);
        else
            abandon(s, why);
    }
}
