#include <errno.h>

#include "exchange/wait.h"
#include "res/fastcgi/fastcgi_impl.h"

#define RUNS_LOOKED_AT 4 /* of content that nobody wants, before the end of a request */

static enum flow broken(struct fastcgi *g, enum reason why, uint64_t at, const char *where)
{
    exchange_cancel(g->x);
    exchange_break(g->x, why, (uint32_t)at, where);
    upstream_release(g->up, why == R_client_closed_during_response ? UPSTREAM_CLOSE : UPSTREAM_FAILED);
    g->up = NULL;
    return FLOW_STOP;
}

/* More than was announced is not content. */
static enum flow give(struct fastcgi *g, struct span bytes, struct piece *out)
{
    uint64_t left = g->body.length >= 0 ? (uint64_t)g->body.length - g->in.given : UINT64_MAX;

    exchange_cancel(g->x); /* the codec may have parked x for the client's content */
    if (bytes.n > left)
        bytes.n = (size_t)left;
    g->in.given += bytes.n;
    *out = piece_of(bytes);
    return FLOW_GO;
}

static bool lacks_content(const struct fastcgi *g)
{
    return g->body.length >= 0 && g->in.given < (uint64_t)g->body.length;
}

static enum flow failed(struct fastcgi *g, const struct verdict *v)
{
    if (v->why == R_upstream_connection_terminated && v->at == 0)
        return broken(g, R_upstream_response_incomplete, g->in.given, v->where);
    return broken(g, v->why, v->at, v->where);
}

static enum flow fastcgi_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct fastcgi *g = (struct fastcgi *)body;
    struct span bytes = g->in.rest;
    struct verdict v = { 0 };
    enum fastcgi_step sending;
    enum reason why;
    bool is_late;

    (void)x;
    g->in.rest.n = 0;
    if (bytes.n > 0 || g->in.ended)
        return give(g, bytes, out);
    is_late = fastcgi_is_late(g);
    sending = fastcgi_send(g);
    if (sending == STEP_STOP)
        return broken(g, R_client_closed_during_response, 0, HERE);
    why = fastcgi_receive(g, SIZE_MAX, &bytes, &v);
    if (why == R_NONE && bytes.n == 0 && lacks_content(g))
        return broken(g, R_upstream_response_incomplete, g->in.given, HERE);
    if (why == R_NONE)
        return give(g, bytes, out);
    if (why != R_MORE)
        return failed(g, &v);
    if (is_late && g->watched && sending != STEP_CLIENT)
        return broken(g, sending == STEP_BLOCKED ? R_upstream_write_timeout : R_upstream_read_timeout, 0, HERE);
    return fastcgi_wait(g, sending, "response");
}

static void fastcgi_stop(struct body *body)
{
    fastcgi_release((struct fastcgi *)body);
}

const struct body_ops fastcgi_body = { .next = fastcgi_next, .stop = fastcgi_stop };

/* The end may be there, though nobody asked for it: of an answer without content, say, or of a length that was told. */
static void end_look_for(struct fastcgi *g)
{
    struct span bytes;
    struct verdict v;

    for (int i = 0; i < RUNS_LOOKED_AT; i++)
        if (fastcgi_receive(g, SIZE_MAX, &bytes, &v) != R_NONE || bytes.n == 0)
            return;
}

void fastcgi_release(struct fastcgi *g)
{
    const struct fastcgi_out *out = &g->out;
    bool sent, whole;

    if (g->up == NULL)
        return;
    sent = out->ended && !out->closed && out->head.n + out->header.n + out->piece.n == 0;
    if (sent && g->phase == PHASE_ANSWERED && !g->in.ended)
        end_look_for(g);
    whole = sent && g->in.ended && g->up->at == g->up->have;
    g->up->at = g->up->have;
    upstream_release(g->up, whole ? UPSTREAM_KEEP : UPSTREAM_CLOSE);
    g->up = NULL;
}
