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

/* Streams of events are made to be read as they come. */
static bool is_stream(const struct gateway *g)
{
    const struct field *type = head_field(&g->in.response.head, FIELD_CONTENT_TYPE);
    static const struct span events = SPAN_INIT("text/event-stream");

    return type != NULL && type->value.n >= events.n &&
           span_is_nocase((struct span){ type->value.p, events.n }, events);
}

bool gateway_keeps(const struct gateway *g)
{
    const struct gateway_in *in = &g->in;
    uint32_t most = g->settings->buffer_response_bytes;

    return most > 0 && !g->tunnel && !in->done && !is_stream(g) &&
           (in->framing.kind != FRAMING_LENGTH || in->framing.length <= most);
}

void gateway_fields_hold(struct exchange *x)
{
    struct reply_field *fields = (struct reply_field *)(uintptr_t)x->reply.relayed.fields;

    for (uint32_t i = 0; i < x->reply.relayed.count; i++)
        fields[i] =
            (struct reply_field){ arena_copy(&x->arena, fields[i].name), arena_copy(&x->arena, fields[i].value) };
}

/* Twice as much each time, so that a short answer takes little. */
static bool kept_grow(struct gateway_kept *kept, size_t need, uint32_t most)
{
    size_t room = kept->room > 0 ? 2 * (size_t)kept->room : 16384;
    char *grown;

    if (need <= kept->room)
        return true;
    room = room < need ? need : room;
    grown = realloc(kept->bytes, room < most ? room : most);
    if (grown == NULL)
        return false;
    kept->bytes = grown;
    kept->room = (uint32_t)(room < most ? room : most);
    return true;
}

/* What does not fit goes on by itself, behind what was kept: it stays in the connection's buffer until more is read. */
static bool piece_keep(struct gateway *g, struct span piece)
{
    struct gateway_kept *kept = &g->kept;
    uint32_t most = g->settings->buffer_response_bytes;

    if (piece.n > most - kept->count || !kept_grow(kept, kept->count + piece.n, most)) {
        kept->rest = piece;
        return false;
    }
    memcpy(kept->bytes + kept->count, piece.p, piece.n);
    kept->count += (uint32_t)piece.n;
    return true;
}

/* Nothing has been sent: what broke the content is what the client is told. */
static enum flow told_instead(struct exchange *x)
{
    struct verdict v = x->broken;

    x->broken = (struct verdict){ 0 };
    x->reply = (struct reply){ 0 };
    return exchange_stop(x, v.why, v.at, gateway_of(x)->forwarding.group, v.where);
}

/* All is here: its length is known now, and the upstream is free. */
static void whole(struct gateway *g)
{
    g->kept.whole = true;
    if (g->x->reply.body == &g->body)
        g->body.length = g->kept.count;
    gateway_release(g);
}

enum flow gateway_keep(struct gateway *g)
{
    struct exchange *x = g->x;
    struct piece piece;
    enum flow f;

    g->in.copies = true;
    do {
        f = gateway_body.next(&g->body, x, &piece);
        if (f == FLOW_STOP)
            return told_instead(x);
        if (f == FLOW_WAIT)
            return f;
    } while (piece.bytes.n > 0 && piece_keep(g, piece.bytes));
    if (piece.bytes.n == 0)
        whole(g);
    g->kept.ready = true;
    return FLOW_GO;
}

bool gateway_kept_give(struct gateway *g, struct piece *out)
{
    struct gateway_kept *kept = &g->kept;

    if (!kept->ready)
        return false;
    if (kept->given < kept->count) {
        *out = piece_of((struct span){ kept->bytes + kept->given, kept->count - kept->given });
        kept->given = kept->count;
        return true;
    }
    *out = piece_of(kept->rest);
    kept->ready = kept->whole; /* the rest is the last that was kept; what is whole goes on to be at its end */
    kept->rest = (struct span){ 0 };
    return out->bytes.n > 0 || kept->whole;
}
