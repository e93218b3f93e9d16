#include <errno.h>
#include <stdlib.h>

#include "exchange/wait.h"
#include "res/gateway/gateway_impl.h"

bool gateway_sent_nothing(const struct gateway *g)
{
    return !g->out.begun;
}

static void took(struct span *s, size_t *n)
{
    size_t here = *n < s->n ? *n : s->n;

    if (here > 0)
        *s = span_from(*s, here);
    *n -= here;
}

/* Who cannot be written to any more may have answered all the same: that is for gateway_receive() to find. */
static enum gateway_step write_out(struct gateway *g)
{
    struct gateway_out *out = &g->out;

    while (out->head.n + out->line.n + out->piece.n > 0) {
        struct iovec parts[] = { { (void *)out->head.p, out->head.n },
                                 { (void *)out->line.p, out->line.n },
                                 { (void *)out->piece.p, out->piece.n } };
        long sent = upstream_write(g->up, parts, 3);
        size_t n = sent > 0 ? (size_t)sent : 0;

        if (sent == -EAGAIN)
            return STEP_BLOCKED;
        if (sent < 0) {
            out->closed = true;
            return STEP_DONE;
        }
        out->begun = true;
        took(&out->head, &n);
        took(&out->line, &n);
        took(&out->piece, &n);
    }
    return STEP_DONE;
}

/* The line before a chunk ends the chunk before it. RFC9112:7.1 */
static void chunk_announce(struct gateway_out *out, size_t bytes)
{
    size_t n = out->chunk_begun ? 2 : 0;

    memcpy(out->chunk_line, "\r\n", 2);
    n += chunk_head_write(out->chunk_line + n, bytes);
    if (bytes == 0) {
        memcpy(out->chunk_line + n, "\r\n", 2);
        n += 2;
    }
    out->chunk_begun = true;
    out->line = (struct span){ out->chunk_line, n };
}

static bool wants_replay(const struct gateway *g)
{
    const struct exchange *x = g->x;
    const struct forwarding *f = &g->forwarding;

    return f->count < f->attempts_most && method_info(x->req.head.method)->idempotent && !f->content_gone &&
           (!x->req.length_known || x->req.length <= g->settings->replay_bytes);
}

static void replay_drop(struct gateway *g)
{
    free(g->out.replay);
    g->out.replay = NULL;
    g->out.replay_bytes = g->out.replayed_bytes = 0;
    g->forwarding.content_gone = true;
}

/* Content that goes out now is kept for another attempt, where there may be one. */
static void replay_keep(struct gateway *g, struct span piece)
{
    struct gateway_out *out = &g->out;

    if (out->replay == NULL && wants_replay(g)) {
        out->replay_room = g->settings->replay_bytes;
        out->replay = malloc(out->replay_room);
    }
    if (out->replay == NULL || piece.n > out->replay_room - out->replay_bytes) {
        replay_drop(g);
        return;
    }
    memcpy(out->replay + out->replay_bytes, piece.p, piece.n);
    out->replay_bytes += (uint32_t)piece.n;
    out->replayed_bytes = out->replay_bytes;
}

static enum flow content_take(struct gateway *g, struct span *piece)
{
    struct gateway_out *out = &g->out;
    enum flow f;

    if (out->replayed_bytes < out->replay_bytes) {
        *piece = (struct span){ out->replay + out->replayed_bytes, out->replay_bytes - out->replayed_bytes };
        out->replayed_bytes = out->replay_bytes;
        return FLOW_GO;
    }
    if (g->left_over.n > 0) {
        *piece = g->left_over;
        g->left_over = (struct span){ 0 };
        f = FLOW_GO;
    } else {
        f = g->x->codec->content(g->x, piece);
    }
    if (f == FLOW_GO && piece->n > 0 && !g->tunnel)
        replay_keep(g, *piece);
    return f;
}

static enum gateway_step content_next(struct gateway *g)
{
    struct gateway_out *out = &g->out;
    enum flow f = content_take(g, &out->piece);

    if (f != FLOW_GO)
        return f == FLOW_WAIT ? STEP_CLIENT : STEP_STOP;
    out->taken_all = out->piece.n == 0;
    if (out->chunked)
        chunk_announce(out, out->piece.n);
    return STEP_DONE;
}

enum gateway_step gateway_send(struct gateway *g)
{
    struct gateway_out *out = &g->out;

    while (!out->closed) {
        enum gateway_step step = write_out(g);

        if (step == STEP_DONE && out->taken_all && g->sent_ms == 0)
            g->sent_ms = forwarding_now(&g->forwarding)->sent_ms = g->x->now_ms;
        if (step != STEP_DONE || out->taken_all || out->held)
            return step;
        step = content_next(g);
        if (step != STEP_DONE)
            return step;
    }
    return STEP_DONE;
}

static void nothing_to_cancel(void *with)
{
    (void)with;
}

uint32_t gateway_held_ms(const struct gateway *g)
{
    uint32_t half = g->settings->read_ms / 2 + 1;

    return GATEWAY_HELD_MS < half ? GATEWAY_HELD_MS : half;
}

/* Until when it is worth waiting for the upstream. A client that is slow is the codec's to judge. */
static uint32_t deadline_ms(const struct gateway *g, enum gateway_step sending)
{
    const struct gateway_settings *s = g->settings;
    uint64_t now = g->x->now_ms, whole = g->sent_ms + s->response_ms;
    uint32_t wait = s->read_ms;

    if (g->tunnel)
        return s->tunnel_ms;
    if (sending == STEP_CLIENT)
        return 0;
    if (sending == STEP_BLOCKED)
        return s->write_ms;
    if (g->out.held)
        return gateway_held_ms(g);
    if (s->response_ms > 0 && g->sent_ms > 0 && whole < now + wait)
        wait = whole > now ? (uint32_t)(whole - now) : 1;
    return wait;
}

/* The codec has parked x already when it is the client that is waited for: whoever comes first wakes it. */
enum flow gateway_wait(struct gateway *g, enum gateway_step sending, const char *what)
{
    if (sending != STEP_CLIENT)
        exchange_wait(g->x, what, nothing_to_cancel, g);
    upstream_watch(g->up, g->x, deadline_ms(g, sending));
    return FLOW_WAIT;
}
