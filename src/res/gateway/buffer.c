#include <stdlib.h>

#include "res/gateway/gateway_impl.h"

/*
 * Content that is taken in whole before it goes on, where the route says so: an upstream is not kept waiting by a slow
 * client, in neither direction, and an answer that is cut short becomes an error that can still be told.
 */

/* Room for what is known to come, or for all that may. */
static uint32_t request_room(const struct gateway *g)
{
    const struct exchange *x = g->x;
    uint32_t most = g->settings->buffer_request_bytes;

    return x->req.length_known && x->req.length < most ? (uint32_t)x->req.length : most;
}

/* What is collected is sent again as if it had been sent before. */
enum flow gateway_collect(struct gateway *g)
{
    struct exchange *x = g->x;
    struct gateway_out *out = &g->out;

    if (g->collected || request_room(g) == 0 || !x->req.has_content || x->req.connect_protocol.n > 0)
        return FLOW_GO;
    if (out->replay == NULL) {
        out->replay_room = request_room(g);
        out->replay = malloc(out->replay_room);
        if (out->replay == NULL)
            return STOP(x, R_worker_memory_exhausted, 0);
    }
    while (!g->collected) {
        struct span piece = { 0 };
        uint32_t n;
        enum flow f = out->replay_bytes < out->replay_room ? x->codec->content(x, &piece) : FLOW_GO;

        if (f != FLOW_GO)
            return f;
        g->collected = out->replay_bytes == out->replay_room || piece.n == 0;
        if (g->collected)
            break;
        n = piece.n < out->replay_room - out->replay_bytes ? (uint32_t)piece.n : out->replay_room - out->replay_bytes;
        memcpy(out->replay + out->replay_bytes, piece.p, n);
        out->replay_bytes += n;
        g->left_over = span_from(piece, n);
        g->collected = g->left_over.n > 0;
    }
    return FLOW_GO;
}
