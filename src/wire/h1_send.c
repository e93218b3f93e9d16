#include <errno.h>
#include <sys/uio.h>

#include "exchange/wait.h"
#include "wire/h1.h"

#define TURN_BYTES (UINT64_C(4) << 20) /* of one file, before others get their turn */

static enum flow broken(struct conn *c, int err)
{
    c->broken = true;
    return exchange_break(c->x, R_client_closed_during_response, (uint32_t)err, HERE);
}

bool h1_takes_pipes(const struct exchange *x)
{
    const struct conn *c = x->conn;

    return c->secured == NULL;
}

static void look_later(struct conn *c)
{
    conn_timer(c, c->wire->settings->send_wait_ms / CONN_LOOKS);
}

bool h1_send_moves(struct conn *c)
{
    look_later(c);
    return !conn_is_stuck(c);
}

static enum flow blocked(struct conn *c)
{
    look_later(c);
    return FLOW_WAIT;
}

/* Others will write their heads where ours lies: it moves out, for what is not sent of it and for the record. */
static enum flow head_move(struct conn *c)
{
    struct exchange *x = c->x;
    struct span *head = &x->reply.head_text;

    if (head->p < c->wire->scratch || head->p >= c->wire->scratch + WIRE_HEAD_BYTES)
        return FLOW_WAIT;
    *head = arena_copy(&x->arena, *head);
    if (head->p == NULL && c->head_out.n > 0) {
        exchange_cancel(x); /* it may be the content that is waited for */
        c->broken = true;
        return exchange_break(x, R_exchange_memory_exhausted, 0, HERE);
    }
    if (c->head_out.n > 0)
        c->head_out = span_from(*head, head->n - c->head_out.n);
    return FLOW_WAIT;
}

static void took(struct span *s, size_t *n)
{
    size_t here = *n < s->n ? *n : s->n;

    if (here > 0)
        *s = span_from(*s, here);
    *n -= here;
}

/* So many bytes of what is in memory have left. */
static void memory_took(struct conn *c, size_t n)
{
    c->x->bytes_out += n;
    if (n == c->head_out.n + c->line_out.n + c->piece.bytes.n) {
        c->head_out.n = c->line_out.n = c->piece.bytes.n = 0;
        return;
    }
    took(&c->head_out, &n);
    took(&c->line_out, &n);
    took(&c->piece.bytes, &n);
}

/* A body of known length needs not be asked whether there is more. */
static bool is_all_sent(const struct exchange *x)
{
    return x->reply.body->length >= 0 && x->content_out == (uint64_t)x->reply.body->length;
}

/* Of requests that came together, the replies go together: fewer and fuller segments. Only the last bytes of a reply are
 * held back: behind them comes a turn of the connection, which pushes. */
static bool another_follows(const struct conn *c)
{
    return (c->body_ended || is_all_sent(c->x)) && c->keep && c->content_done && c->have > c->at && c->secured == NULL;
}

/* What is in memory: head, chunk line, bytes of the piece, in one call. */
static enum flow send_memory(struct conn *c)
{
    while (c->head_out.n + c->line_out.n + c->piece.bytes.n > 0) {
        struct iovec parts[] = { { (void *)c->head_out.p, c->head_out.n },
                                 { (void *)c->line_out.p, c->line_out.n },
                                 { (void *)c->piece.bytes.p, c->piece.bytes.n } };
        bool more = c->piece.fd >= 0 || (!c->body_ended && c->piece.bytes.n == 0);
        long sent;

        c->held_back = another_follows(c);
        sent = conn_send(c, parts, 3, (more || c->held_back) && !c->tunnel);

        if (sent < 0)
            return sent == -EAGAIN ? blocked(c) : broken(c, (int)-sent);
        memory_took(c, (size_t)sent);
    }
    return FLOW_GO;
}

static enum flow send_file(struct conn *c)
{
    uint64_t turn = 0;

    while (c->piece.fd >= 0 && c->piece.length > 0) {
        uint64_t want = c->piece.length < TURN_BYTES ? c->piece.length : TURN_BYTES;
        long sent = c->piece.is_pipe ? conn_send_pipe(c, c->piece.fd, want)
                                     : conn_send_file(c, c->piece.fd, c->piece.offset, want);

        if (sent == -EAGAIN)
            return blocked(c);
        if (sent == -EPIPE || sent == -ECONNRESET || sent == -ETIMEDOUT || sent == -EPROTO)
            return broken(c, (int)-sent);
        if (sent <= 0) {
            c->broken = true;
            return exchange_break(c->x, R_content_source_failed, (uint32_t)-sent, HERE);
        }
        c->x->bytes_out += (uint64_t)sent;
        c->piece.offset += (uint64_t)sent;
        c->piece.length -= (uint64_t)sent;
        turn += (uint64_t)sent;
        if (turn >= TURN_BYTES && c->piece.length > 0) {
            loop_defer(c->wire->loop, &c->turn);
            conn_timer(c, c->wire->settings->send_wait_ms);
            return FLOW_WAIT;
        }
    }
    c->piece.fd = -1;
    return FLOW_GO;
}

/* The line before a chunk ends the chunk before it. RFC9112:7.1 */
static void chunk_line(struct conn *c, uint64_t bytes, bool first)
{
    static const char last[] = "0\r\n\r\n";
    size_t n = first ? 0 : 2;

    memcpy(c->chunk_line, "\r\n", 2);
    if (bytes > 0) {
        n += chunk_head_write(c->chunk_line + n, bytes);
    } else {
        memcpy(c->chunk_line + n, last, sizeof last - 1);
        n += sizeof last - 1;
    }
    c->line_out = (struct span){ c->chunk_line, n };
}

/* What the body said, when it was not FLOW_GO. */
static enum flow not_yet(struct conn *c, enum flow f)
{
    if (f == FLOW_STOP)
        c->broken = true;
    else if (!(c->tunnel && exchange_waits_for_codec(c->x)))
        timer_drop(&c->timer); /* it is not the client who is slow */
    return f;
}

static enum flow next_piece(struct conn *c)
{
    struct exchange *x = c->x;
    struct body *body = x->reply.body;
    enum flow f = body->ops->next(body, x, &c->piece);
    uint64_t bytes = c->piece.fd >= 0 ? c->piece.length : c->piece.bytes.n;

    if (f != FLOW_GO)
        return not_yet(c, f);
    c->body_ended = bytes == 0;
    if (c->chunked_out)
        chunk_line(c, bytes, x->content_out == 0);
    x->content_out += bytes;
    return FLOW_GO;
}

static enum flow send_on(struct conn *c)
{
    for (;;) {
        enum flow f = c->tunnel ? send_memory(c) : FLOW_GO; /* the client speaks next, when it has the head */

        if (f != FLOW_GO)
            return f;
        if (!c->body_ended && c->piece.bytes.n == 0 && c->piece.fd < 0 && c->line_out.n == 0) {
            f = next_piece(c);
            if (f != FLOW_GO)
                return f;
        }
        f = send_memory(c);
        if (f == FLOW_GO)
            f = send_file(c);
        if (f != FLOW_GO)
            return f;
        if (c->body_ended || is_all_sent(c->x))
            return FLOW_GO;
    }
}

/* All of a tunnel has been sent; the client is told, and may go on to speak. */
static enum flow hear(struct conn *c)
{
    struct body *body = c->x->reply.body;
    enum flow f;

    if (body == NULL || body->ops->hear == NULL)
        return FLOW_GO;
    if (!conn_say_end(c))
        return blocked(c);
    f = body->ops->hear(body, c->x);
    return f != FLOW_GO ? not_yet(c, f) : f;
}

enum flow h1_send(struct conn *c)
{
    enum flow f = send_on(c);

    if (f == FLOW_GO && c->tunnel)
        f = hear(c);
    return f == FLOW_WAIT ? head_move(c) : f;
}
