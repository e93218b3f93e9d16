#include <errno.h>

#include "exchange/wait.h"
#include "res/gateway/gateway_impl.h"

static void nothing_to_cancel(void *with)
{
    (void)with;
}

/* Content out of what is in the buffer. R_MORE: nothing usable is there. in.done with an empty piece: the end. */
static enum reason take(struct gateway *g, struct span *piece, struct verdict *v)
{
    struct gateway_in *in = &g->in;
    struct upstream *up = g->up;
    struct span bytes = { up->buffer + up->at, up->have - up->at };
    enum reason r = R_NONE;
    size_t used = bytes.n;

    if (bytes.n == 0)
        return R_MORE;
    *piece = bytes;
    if (in->framing.kind == FRAMING_CHUNKED && !g->tunnel) {
        r = response_chunk_reason(chunk_feed(&in->chunk, bytes, &used, piece, v));
        in->done = r == R_NONE && piece->n == 0;
        v->why = r;
    } else if (in->framing.kind == FRAMING_LENGTH && !g->tunnel) {
        piece->n = used = bytes.n < in->left ? bytes.n : (size_t)in->left;
        in->left -= used;
        in->done = in->left == 0;
    }
    up->at += (uint32_t)used;
    in->taken += piece->n;
    return r;
}

enum reason gateway_content_look(const struct gateway *g, struct verdict *v)
{
    const struct upstream *up = g->up;
    struct chunk ahead = g->in.chunk;
    struct span piece;
    size_t used;

    if (g->tunnel || g->in.framing.kind != FRAMING_CHUNKED || up->have == up->at)
        return R_NONE;
    v->why = response_chunk_reason(
        chunk_feed(&ahead, (struct span){ up->buffer + up->at, up->have - up->at }, &used, &piece, v));
    return v->why == R_MORE ? R_NONE : v->why;
}

static enum flow broken(struct gateway *g, enum reason why, uint64_t at, const char *where)
{
    exchange_cancel(g->x);
    exchange_break(g->x, why, (uint32_t)at, where);
    if (g->up != NULL)
        upstream_release(g->up, gateway_end(why));
    g->up = NULL;
    return FLOW_STOP;
}

/* The connection gives no more. Without a length, its end is that of the content. RFC9112:8 */
static enum flow ended(struct gateway *g, long n)
{
    if (n < 0)
        return broken(g, n == -ENOMEM ? R_worker_memory_exhausted : R_upstream_connection_terminated, (uint64_t)-n,
                      HERE);
    if (g->in.framing.kind != FRAMING_CLOSE || g->up->cut)
        return broken(g, R_upstream_response_incomplete, g->in.taken, HERE);
    g->in.done = true;
    return FLOW_GO;
}

static enum flow wait_on(struct gateway *g, enum gateway_step sending, bool is_late)
{
    const struct gateway_settings *s = g->settings;

    if (is_late && s->response_ms > 0 && g->sent_ms > 0 && g->x->now_ms >= g->sent_ms + s->response_ms)
        return broken(g, R_upstream_response_timeout, 0, HERE);
    if (is_late && sending != STEP_CLIENT)
        return broken(g, sending == STEP_BLOCKED ? R_upstream_write_timeout : R_upstream_read_timeout, 0, HERE);
    return gateway_wait(g, sending, "response");
}

/* What the client goes on to send, while it is answered already. Its failure leaves nobody to answer. */
static enum gateway_step send_on(struct gateway *g)
{
    bool all_sent = g->out.taken_all && g->out.head.n + g->out.line.n + g->out.piece.n == 0;

    return all_sent ? STEP_DONE : gateway_send(g);
}

static enum flow give(struct gateway *g, struct span bytes, struct piece *out)
{
    uint64_t most = g->settings->content_limit_bytes;

    exchange_cancel(g->x); /* the codec may have parked x for the client's content */
    if (most > 0 && g->in.taken > most)
        return broken(g, R_upstream_body_too_large, most, HERE);
    g->in.turn_bytes += bytes.n;
    *out = piece_of(bytes);
    return FLOW_GO;
}

/* Less is not worth two more system calls. */
#define PIPED_BYTES_LEAST 65536u
#define PIPED_BYTES_MOST  (UINT64_C(1) << 20)

/* Can what follows go past us? Its length has to be known, so that nothing of another response goes with it. */
static bool goes_past(struct gateway *g)
{
    struct gateway_in *in = &g->in;

    if (in->copies || in->framing.kind != FRAMING_LENGTH || in->left < PIPED_BYTES_LEAST || g->up->have > g->up->at)
        return false;
    if (in->pipe[1] > 0)
        return true;
    in->copies = g->x->codec->takes_pipes == NULL || !g->x->codec->takes_pipes(g->x) ||
                 !gateway_pipe_take(&gateway_worker(g->x)->pipes, in->pipe);
    return !in->copies;
}

/* Bytes that are in the pipe now; else as upstream_read(). */
static long pipe_fill(struct gateway *g, struct piece *out)
{
    struct gateway_in *in = &g->in;
    uint64_t most = in->left < PIPED_BYTES_MOST ? in->left : PIPED_BYTES_MOST;
    long n = upstream_read_pipe(g->up, in->pipe[1], (size_t)most);

    if (n <= 0)
        return n;
    in->left -= (uint64_t)n;
    in->taken += (uint64_t)n;
    in->turn_bytes += (uint64_t)n;
    in->done = in->left == 0;
    *out = (struct piece){ .is_pipe = true, .fd = in->pipe[0], .length = (uint64_t)n };
    return n;
}

/* Of content before others get their turn: less where it is coded here, which takes its time. */
#define TURN_BYTES       (UINT64_C(4) << 20)
#define CODED_TURN_BYTES (UINT64_C(512) << 10)

static bool turn_is_over(struct gateway *g)
{
    struct gateway_in *in = &g->in;

    if (in->turn_ms != g->x->now_ms)
        in->turn_bytes = 0;
    in->turn_ms = g->x->now_ms;
    return in->turn_bytes >= (g->change.coding != CODING_IDENTITY ? CODED_TURN_BYTES : TURN_BYTES);
}

static enum flow yield(struct gateway *g)
{
    exchange_cancel(g->x);
    exchange_wait(g->x, "turn", nothing_to_cancel, g);
    upstream_yield(g->up, g->x);
    return FLOW_WAIT;
}

static enum flow gateway_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct gateway *g = (struct gateway *)body;
    struct span piece = { 0 };
    struct verdict v = { 0 };
    enum gateway_step sending = STEP_DONE;
    bool is_late;

    if (gateway_kept_give(g, out))
        return FLOW_GO;
    if (g->in.done)
        return give(g, piece, out);
    if (turn_is_over(g))
        return yield(g);
    is_late = upstream_is_late(g->up);
    sending = send_on(g);
    if (sending == STEP_STOP)
        return broken(g, R_client_closed_during_response, 0, HERE);
    for (;;) {
        enum reason r = take(g, &piece, &v);
        enum flow f;
        long n;

        if (r == R_NONE)
            return give(g, piece, out);
        if (r != R_MORE)
            return broken(g, v.why, v.at, HERE);
        if (goes_past(g) && (n = pipe_fill(g, out)) != -EINVAL) {
            if (n > 0)
                exchange_cancel(g->x);
            return n > 0 ? FLOW_GO : n == -EAGAIN ? wait_on(g, sending, is_late) : ended(g, n);
        }
        n = upstream_read(g->up);
        if (n == -EAGAIN)
            return wait_on(g, sending, is_late);
        f = n > 0 ? FLOW_GO : ended(g, n);
        if (f != FLOW_GO || n <= 0)
            return f == FLOW_GO ? give(g, (struct span){ 0 }, out) : f;
    }
    (void)x;
}

static void gateway_stop(struct body *body)
{
    struct gateway *g = (struct gateway *)body;

    if (g->in.pipe[1] > 0)
        gateway_pipe_return(&gateway_worker(g->x)->pipes, g->in.pipe);
    gateway_release(g);
}

const struct body_ops gateway_body = { .next = gateway_next, .stop = gateway_stop };

/* Has nothing passed for too long, and does nothing wait to be read? */
static bool is_idle(const struct upstream *up)
{
    return upstream_is_late(up) && up->have == up->at && (up->ended || !up->readable);
}

/* Both sides say what they like; the codec tells when the client has come to its end, and why it was broken off. */
static enum flow client_pump(struct gateway *g, enum gateway_step *sending)
{
    *sending = g->client_ended ? STEP_DONE : gateway_send(g);
    if (*sending == STEP_STOP || g->x->broken.why != R_NONE)
        return broken(g, R_client_closed_during_response, 0, HERE);
    if (is_idle(g->up))
        return broken(g, R_tunnel_idle, 0, HERE);
    if (*sending == STEP_DONE && g->out.taken_all && !g->client_ended) {
        g->client_ended = true;
        upstream_shut(g->up);
    }
    return FLOW_GO;
}

static enum flow tunnel_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct gateway *g = (struct gateway *)body;
    struct span piece = { 0 };
    struct verdict v = { 0 };
    enum gateway_step sending;
    long n = 0;

    if (g->up == NULL)
        return give(g, piece, out);
    if (client_pump(g, &sending) == FLOW_STOP)
        return FLOW_STOP;
    while (take(g, &piece, &v) == R_MORE && (n = upstream_read(g->up)) > 0)
        ;
    if (piece.n > 0)
        return give(g, piece, out);
    if (n == -EAGAIN)
        return gateway_wait(g, sending, "tunnel");
    if (n < 0)
        return broken(g, R_upstream_connection_terminated, (uint64_t)-n, HERE);
    (void)x;
    return give(g, piece, out);
}

/* The upstream has nothing more to say, and may still listen; one that does not has closed both ways in good order. */
static enum flow tunnel_hear(struct body *body, struct exchange *x)
{
    struct gateway *g = (struct gateway *)body;
    enum gateway_step sending;

    (void)x;
    if (g->up == NULL)
        return FLOW_GO;
    if (client_pump(g, &sending) == FLOW_STOP)
        return FLOW_STOP;
    return g->client_ended || g->out.closed ? FLOW_GO : gateway_wait(g, sending, "tunnel");
}

const struct body_ops gateway_tunnel = { .next = tunnel_next, .hear = tunnel_hear, .stop = gateway_stop };
