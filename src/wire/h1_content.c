#include <errno.h>

#include "exchange/wait.h"
#include "wire/h1.h"

/* A client that speaks 1.1 and announced content waits for this before it sends any. RFC9110:10.1.1 */
static void continue_send(struct conn *c)
{
    struct exchange *x = c->x;

    if (c->continue_sent)
        return;
    c->continue_sent = true;
    if (!x->req.expects_continue || x->req.head.minor == 0 || c->have > c->at || c->content_done)
        return;
    h1_interim(x, R_interim_continue, NULL, 0);
}

void h1_content_unframe(struct conn *c)
{
    c->framing = (struct framing){ .kind = FRAMING_NONE };
    c->content_done = false;
    c->content_broken = (struct verdict){ 0 };
    c->x->content_limit = UINT64_MAX;
}

/* Take one run of content out of what is in the buffer. R_MORE: nothing usable is there. */
static enum reason take(struct conn *c, struct span *piece, struct verdict *v)
{
    struct span in = { c->buffer + c->at, c->have - c->at };
    enum reason r = R_NONE;
    size_t used;

    if (in.n == 0)
        return R_MORE;
    if (c->framing.kind == FRAMING_CHUNKED) {
        r = chunk_feed(&c->chunk, in, &used, piece, v);
        c->content_done = r == R_NONE && piece->n == 0 && chunk_ended(&c->chunk);
    } else if (c->tunnel) {
        used = in.n;
        *piece = in;
    } else {
        used = in.n < c->content_left ? in.n : (size_t)c->content_left;
        *piece = (struct span){ in.p, used };
        c->content_left -= used;
        c->content_done = c->content_left == 0;
    }
    c->at += (uint32_t)used;
    c->content_taken += piece->n;
    if (c->x != NULL)
        c->x->bytes_in += used;
    return r;
}

/*
 * Up to where the window is filled. What is longer comes in pieces that begin and end at multiples of a power of two, as
 * far as the network lets them: the kernel keeps a file that is written so in large pages, at half the cost.
 */
static uint32_t window_end(const struct conn *c)
{
    uint32_t end = c->wire->buffer_bytes, room = end - c->have;

    if (c->framing.kind != FRAMING_LENGTH || c->content_left <= room || room == 0)
        return end;
    return end - (uint32_t)((c->content_taken + room) % (UINT32_C(1) << (31 - __builtin_clz(room))));
}

/* All that was read is consumed: read again from the start of the window. */
static long refill(struct conn *c)
{
    if (c->at == c->have)
        c->at = c->have = c->window;
    return c->readable ? conn_read(c, window_end(c)) : -EAGAIN;
}

static void content_cancel(void *with)
{
    (void)with;
}

static enum flow content_wait(struct exchange *x, struct conn *c)
{
    if (c->tunnel && x->forwarding != NULL)
        timer_drop(&c->timer); /* who forwards looks at both sides */
    else
        conn_timer(c, c->tunnel ? c->wire->settings->tunnel_idle_ms : c->wire->settings->content_wait_ms);
    return exchange_wait(x, "content", content_cancel, c);
}

static enum flow content_ended(struct exchange *x, const struct conn *c)
{
    if (c->broken)
        return STOP(x, R_client_closed_request, c->content_taken);
    return STOP(x, R_request_content_cut_short, c->content_taken);
}

/* Whoever speaks there must not take a broken connection for a client that is idle. */
static void tunnel_ended(struct exchange *x, struct conn *c, long err)
{
    c->content_done = true;
    if (err == 0)
        return;
    c->broken = true;
    exchange_break(x, R_client_closed_during_response, (uint32_t)-err, HERE);
}

enum flow h1_content(struct exchange *x, struct span *piece)
{
    struct conn *c = x->conn;
    struct verdict v = c->content_broken;

    *piece = (struct span){ 0 };
    if (v.why != R_NONE)
        return exchange_stop(x, v.why, v.at, v.operand, v.where);
    continue_send(c);
    for (;;) {
        enum reason r;
        long n;

        if (c->content_done) {
            if (x->moments.content_ms == 0)
                x->moments.content_ms = x->now_ms;
            return FLOW_GO;
        }
        r = take(c, piece, &v);
        if (c->content_taken > x->content_limit)
            return STOP(x, R_content_streamed_too_large, x->content_limit);
        if (piece->n > 0)
            return FLOW_GO;
        if (r == R_NONE)
            continue;
        if (r != R_MORE)
            return exchange_stop(x, r, v.at, v.operand, v.where);
        n = refill(c);
        if (n == -EAGAIN)
            return content_wait(x, c);
        if (n <= 0 && c->tunnel)
            tunnel_ended(x, c, n);
        else if (n <= 0)
            return content_ended(x, c);
    }
}

/* Is the end of chunked content in the buffer already? Looked up with a decoder of its own: nothing is taken. */
static bool end_is_here(const struct conn *c)
{
    struct span in = { c->buffer + c->at, c->have - c->at }, piece;
    struct chunk ahead = c->chunk;
    struct verdict v = { 0 };
    size_t used;

    if (in.n > c->wire->settings->drain_bytes)
        in.n = (size_t)c->wire->settings->drain_bytes;
    while (chunk_feed(&ahead, in, &used, &piece, &v) == R_NONE) {
        if (piece.n == 0)
            return true;
        in = span_from(in, used);
    }
    return false;
}

bool h1_content_drainable(const struct conn *c)
{
    if (c->content_done)
        return true;
    if (request_has(c->x, FIELD_EXPECT) && !c->continue_sent)
        return false; /* the client may or may not send it: the stream cannot be trusted */
    if (c->framing.kind == FRAMING_CHUNKED)
        return end_is_here(c);
    return c->content_left <= c->wire->settings->drain_bytes;
}

enum flow h1_content_discard(struct conn *c)
{
    struct verdict v = { 0 };
    struct span piece;

    while (!c->content_done) {
        enum reason r = take(c, &piece, &v);
        long n;

        if (r == R_NONE)
            continue;
        if (r != R_MORE)
            return FLOW_STOP;
        n = refill(c);
        if (n == -EAGAIN)
            return FLOW_WAIT;
        if (n <= 0)
            return FLOW_STOP;
    }
    return FLOW_GO;
}
