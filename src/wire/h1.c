#include "wire/h1.h"

#include <errno.h>

#include "exchange/wait.h"
#include "wire/h2.h"

const struct codec_ops h1_codec = {
    .name = "h1",
    .major = 1,
    .content = h1_content,
    .interim = h1_interim,
    .takes_pipes = h1_takes_pipes,
    .reply = h1_reply,
};

/* What has come of a head that was refused; what lies behind it is none of it. */
static struct span refused_text(struct span text)
{
    const char *end = text.n > 0 ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;

    return end != NULL ? (struct span){ text.p, (size_t)(end - text.p) + 4 } : text;
}

/* The head as it came, without the empty lines before it. */
static struct span head_text(const struct conn *c)
{
    const struct head *head = &c->x->req.head;
    size_t bytes = head->bytes > 0 ? head->bytes : c->have - c->at;
    size_t before = head->method_name.p != NULL ? (size_t)(head->method_name.p - head->base) : 0;
    struct span text = { head->base + before, bytes - before };

    if (head->base == NULL)
        return (struct span){ 0 };
    return head->bytes > 0 ? text : refused_text(text);
}

/* Hand the head, or the reason why there is none, to the host. */
static void begin(struct conn *c, enum reason refusal, const struct verdict *v)
{
    struct exchange *x = c->x;

    c->state = CONN_BUSY;
    c->content_left = c->content_taken = 0;
    c->content_done = c->continue_sent = false;
    c->content_broken = (struct verdict){ 0 };
    x->codec = &h1_codec;
    x->moments.head_ms = x->now_ms;
    if (refusal != R_NONE) {
        x->head_verdict = *v;
        c->framing = (struct framing){ .kind = FRAMING_NONE };
        c->keep = false;
    }
    x->req.has_content = c->framing.kind != FRAMING_NONE;
    x->req.length_known = c->framing.kind != FRAMING_CHUNKED;
    x->req.length = c->framing.length;
    c->content_left = c->framing.length;
    c->content_done = c->framing.kind == FRAMING_NONE || (x->req.length_known && c->framing.length == 0);
    if (c->framing.kind == FRAMING_CHUNKED)
        chunk_init(&c->chunk);
    x->req.early = c->early; /* what came with the end of the handshake is no replay any more */
    x->req.head_text = head_text(c);
    x->bytes_in = x->req.head.bytes > 0 ? x->req.head.bytes : c->have - c->at;
    c->window = c->at;
    x->host->begin(x);
}

static bool wants_to_keep(const struct conn *c)
{
    const struct head *head = &c->x->req.head;

    if (c->wire->draining || conn_is_extra(c) || c->wire->settings->keep_alive_ms == 0)
        return false;
    if (head_list_has(head, FIELD_CONNECTION, SPAN("close")))
        return false;
    return head->minor > 0 || head_list_has(head, FIELD_CONNECTION, SPAN("keep-alive"));
}

static void head_complete(struct conn *c)
{
    struct exchange *x = c->x;
    struct verdict v = { 0 };
    enum reason r = framing_choose(&x->req.head, &c->framing, &v);

    if (c->on_spare)
        r = verdict_set(&v, R_worker_memory_exhausted, 0);
    c->at += x->req.head.bytes;
    c->keep = wants_to_keep(c);
    begin(c, r, &v);
}

/* The head that begins at `at` is parsed anew from the start of the buffer. */
static void move_to_front(struct conn *c)
{
    memmove(c->buffer, c->buffer + c->at, c->have - c->at);
    c->have -= c->at;
    c->at = 0;
    head_init(&c->x->req.head, c->x->req.head.fields);
}

/* No exchange can be had: there is nothing to answer with. */
static void no_memory(struct conn *c)
{
    c->wire->accept_failures++;
    conn_close(c);
}

static bool exchange_take(struct conn *c)
{
    c->x = conn_exchange(c, &c->on_spare);
    if (c->x != NULL)
        c->x->conn = c;
    return c->x != NULL;
}

static void exchange_give(struct conn *c)
{
    conn_exchange_return(c, c->x, c->on_spare);
    c->x = NULL;
}

/* A head that is not whole gets all of its room. One that is whole, and came behind content, leaves room for its own. */
static bool wants_front(const struct conn *c, enum reason r)
{
    if (c->at == 0)
        return false;
    return r == R_MORE || (r == R_NONE && c->at + c->x->req.head.bytes > c->wire->head_room_bytes);
}

/* Parse what has arrived. True when an exchange has begun or the connection is gone. */
static bool parse(struct conn *c)
{
    struct verdict v = { 0 };
    struct span in;
    enum reason r;

    if (c->x != NULL) {
        c->x->host->tick(c->x); /* the rest of a head that began earlier */
    } else if (!exchange_take(c)) {
        no_memory(c);
        return true;
    }
    in = (struct span){ c->buffer + c->at, c->have - c->at };
    r = h1_parse_head(in, &c->wire->settings->head, &c->x->req.head, &v);
    if (wants_front(c, r)) {
        move_to_front(c);
        return parse(c);
    }
    if (r == R_MORE)
        return false;
    if (r == R_NONE)
        head_complete(c);
    else
        begin(c, r, &v);
    return true;
}

/* The client has closed its side while we wanted a head. */
static void head_ended(struct conn *c)
{
    struct verdict v = { 0 };

    if (c->x == NULL || c->have == c->at) {
        exchange_give(c);
        conn_end(c);
        return;
    }
    c->x->host->tick(c->x);
    verdict_set(&v, R_request_head_cut_short, c->have - c->at);
    begin(c, v.why, &v);
}

/* Has a client without TLS begun to speak HTTP/2, as far as its bytes have come? */
static bool may_speak_h2(const struct conn *c)
{
    size_t n = c->have < H2_PREFACE_BYTES ? c->have : H2_PREFACE_BYTES;

    return c->is_new && c->wire->h2c && c->secured == NULL && !c->transport->on_tls_port &&
           memcmp(c->buffer, h2_preface, n) == 0;
}

static void run_head(struct conn *c)
{
    while (c->state == CONN_HEAD) {
        bool h2 = c->have > c->at && may_speak_h2(c);
        long n;

        if (h2 && c->have >= H2_PREFACE_BYTES) {
            h2_begin(c);
            return;
        }
        if (!h2 && c->have > c->at && parse(c))
            return;
        if (!c->readable || !conn_buffer(c)) {
            if (c->readable)
                no_memory(c);
            return;
        }
        if (c->have == c->at)
            c->have = c->at = 0;
        if (c->x == NULL)
            conn_timer(c, c->wire->settings->head_wait_ms);
        n = conn_read(c, c->wire->head_room_bytes);
        if (n == 0 || (n < 0 && n != -EAGAIN)) {
            head_ended(c);
            return;
        }
        if (n == -EAGAIN && c->x == NULL && c->have == c->at) {
            conn_buffer_return(c);
            conn_timer(c, c->is_new ? c->wire->settings->head_wait_ms : c->wire->settings->keep_alive_ms);
            return;
        }
    }
}

/* The connection is ready for its next request. */
static void next_request(struct conn *c)
{
    c->state = CONN_HEAD;
    if (c->wire->draining) {
        conn_end(c);
        return;
    }
    if (c->have > c->at) {
        loop_defer(c->wire->loop, &c->turn);
        conn_timer(c, c->wire->settings->head_wait_ms);
        return;
    }
    if (c->readable) {
        loop_defer(c->wire->loop, &c->turn);
        c->have = c->at = 0;
    } else {
        conn_buffer_return(c);
    }
    conn_timer(c, c->wire->settings->keep_alive_ms);
}

static void run_drain(struct conn *c)
{
    switch (h1_content_discard(c)) {
    case FLOW_GO:
        next_request(c);
        break;
    case FLOW_WAIT:
        break;
    case FLOW_STOP:
        conn_close(c);
        break;
    }
}

/* One wait for all of it: what nobody wants is not worth a slow client's time with a buffer of ours. */
static void drain_begin(struct conn *c)
{
    c->state = CONN_DRAIN;
    c->window = 0;
    conn_timer(c, c->wire->settings->content_wait_ms);
    run_drain(c);
}

/* Nobody else shall work for a client that has closed its side, and so may be gone altogether, unless the route says that
 * it still listens. */
static bool has_left(const struct conn *c)
{
    const struct policy *policy = c->x->policy;

    return c->peer_closed && policy->forwards && !policy->serves_half_closed && !c->tunnel && c->x->wait.what != NULL &&
           !exchange_waits_for_codec(c->x) && c->have == c->at && !conn_has_unread(c);
}

static void run_reply(struct conn *c)
{
    if (c->broken || has_left(c)) {
        c->broken = true;
        exchange_cancel(c->x);
        exchange_break(c->x, R_client_closed_during_response, 0, HERE);
    } else if (c->readable && exchange_waits_for_codec(c->x)) {
        exchange_wake(c->x, c->x->wait.ticket);
        return;
    } else if (!c->writable || c->x->wait.what != NULL || h1_send(c) == FLOW_WAIT) {
        return;
    }
    h1_over(c);
}

/* A client that goes on sending must not be told so by a RST, which might overtake the reply. RFC9112:9.6. Where
 * connections are what is short, that is only done for what is known to be unread. */
static bool wants_to_linger(const struct conn *c)
{
    if (!c->content_done || c->have > c->at)
        return true;
    if (c->wire->draining || conn_is_extra(c))
        return conn_has_unread(c);
    return true;
}

/* Content without a length or chunks ends with the connection: one that ends well would make it whole. RFC9112:8 */
static void spoil_end(struct conn *c)
{
    const struct body *body = c->x->reply.body;
    const struct linger at_once = { .l_onoff = 1 };

    if (c->broken && c->x->broken.why != R_NONE && body != NULL && body->length < 0 && !c->chunked_out && !c->tunnel)
        (void)setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* The reply has left, or cannot: give the exchange back and decide what the connection does next. */
void h1_over(struct conn *c)
{
    struct exchange *x = c->x;

    spoil_end(c);
    if (x->reply.body != NULL && x->reply.body->ops->stop != NULL)
        x->reply.body->ops->stop(x->reply.body);
    x->host->ended(x);
    exchange_give(c);
    if (c->broken) {
        conn_close(c);
    } else if (c->keep) {
        if (c->content_done)
            next_request(c);
        else
            drain_begin(c);
    } else if (wants_to_linger(c)) {
        conn_linger(c);
    } else {
        conn_end(c);
    }
}

/* End the exchange with a reason, without an answer if none has begun. */
static void abandon(struct conn *c, enum reason why)
{
    struct exchange *x = c->x;

    exchange_cancel(x);
    if (x->verdict.why == R_NONE)
        exchange_stop(x, why, 0, (struct span){ 0 }, HERE);
    else
        exchange_break(x, why, 0, HERE);
    c->broken = true;
    h1_over(c);
}

/* Somebody else is at work for the exchange: only the client's leaving matters. */
static void run_busy(struct conn *c)
{
    struct exchange *x = c->x;

    if ((c->broken && x->wait.what != NULL) || has_left(c)) {
        abandon(c, R_client_closed_request);
        return;
    }
    if (c->readable && exchange_waits_for_codec(x))
        exchange_wake(x, x->wait.ticket);
}

static void h1_run(struct conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        if (c->broken && c->have == c->at) {
            exchange_give(c);
            conn_close(c);
        } else {
            run_head(c);
        }
        break;
    case CONN_BUSY:
        run_busy(c);
        break;
    case CONN_REPLY:
        run_reply(c);
        break;
    case CONN_DRAIN:
        run_drain(c);
        break;
    case CONN_LINGER:
    case CONN_CLOSED:
        break;
    }
}

static void head_timeout(struct conn *c)
{
    struct verdict v = { 0 };

    if (c->x == NULL || c->have == c->at) {
        exchange_give(c);
        conn_end(c);
        return;
    }
    c->x->host->tick(c->x);
    verdict_set(&v, R_request_timeout, c->have - c->at);
    begin(c, v.why, &v);
}

/* False: x does not wait for content. */
static bool content_timeout(struct conn *c)
{
    if (!exchange_waits_for_codec(c->x))
        return false;
    verdict_set(&c->content_broken, R_request_content_timeout, c->content_taken);
    exchange_wake(c->x, c->x->wait.ticket);
    return true;
}

static void reply_timeout(struct conn *c)
{
    if (content_timeout(c) || h1_send_moves(c))
        return;
    exchange_break(c->x, R_response_send_timeout, 0, HERE);
    c->broken = true;
    h1_over(c);
}

static void h1_timeout(struct conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        head_timeout(c);
        break;
    case CONN_BUSY:
        content_timeout(c);
        break;
    case CONN_REPLY:
        reply_timeout(c);
        break;
    case CONN_DRAIN:
    case CONN_LINGER:
        conn_close(c);
        break;
    case CONN_CLOSED:
        break;
    }
}

static void h1_drain(struct conn *c)
{
    if (c->state == CONN_HEAD && c->x == NULL && c->have == c->at && !conn_has_unread(c))
        conn_end(c);
}

static void h1_stop(struct conn *c, enum reason why)
{
    if (c->x != NULL && c->state != CONN_HEAD) {
        abandon(c, why);
        return;
    }
    exchange_give(c);
    conn_close(c);
}

static struct exchange *h1_next(const struct conn *c, const struct exchange *x)
{
    return x == NULL ? c->x : NULL;
}

const struct wire_protocol h1_protocol = {
    .run = h1_run, .timeout = h1_timeout, .drain = h1_drain, .stop = h1_stop, .next = h1_next
};
