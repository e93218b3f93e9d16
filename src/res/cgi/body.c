#include <errno.h>
#include <stdlib.h>

#include "exchange/wait.h"
#include "res/cgi/cgi_impl.h"

#define BUFFER_BYTES (64u << 10) /* as much as a pipe holds */

/* --- Content for the program --- */

/* FLOW_GO: some is here, or all was taken. */
static enum flow content_next(struct cgi *g)
{
    enum flow f = g->x->codec->content(g->x, &g->piece);

    if (f != FLOW_GO)
        return f;
    g->forwarding.content_gone = true;
    if (g->piece.n == 0) {
        g->taken_all = true;
        forwarding_now(&g->forwarding)->sent_ms = g->x->now_ms;
        cgi_process_end_input(g->process);
    }
    return FLOW_GO;
}

enum cgi_step cgi_send(struct cgi *g)
{
    while (!g->taken_all) {
        long n = g->piece.n > 0 ? cgi_process_write(g->process, g->piece) : 0;
        enum flow f = FLOW_GO;

        if (n == -EAGAIN)
            return STEP_BLOCKED;
        if (n < 0) {
            g->taken_all = true; /* it reads no more, and may answer all the same */
            cgi_process_end_input(g->process);
            break;
        }
        if (g->piece.n > 0)
            g->piece = span_from(g->piece, (size_t)n);
        if (g->piece.n == 0)
            f = content_next(g);
        if (f != FLOW_GO)
            return f == FLOW_WAIT ? STEP_CLIENT : STEP_STOP;
    }
    return STEP_DONE;
}

static void nothing_to_cancel(void *with)
{
    (void)with;
}

enum flow cgi_wait(struct cgi *g, enum cgi_step sending, uint32_t deadline_ms, const char *what)
{
    if (sending != STEP_CLIENT)
        exchange_wait(g->x, what, nothing_to_cancel, g);
    cgi_process_watch(g->process, g->x, deadline_ms);
    return FLOW_WAIT;
}

/* --- Content from the program --- */

static enum flow broken(struct cgi *g, enum reason why, uint64_t at, const char *where)
{
    exchange_cancel(g->x);
    exchange_break(g->x, why, (uint32_t)at, where);
    cgi_process_leave(g->process, 0);
    g->process = NULL;
    return FLOW_STOP;
}

/* More than was announced is not content. */
static enum flow give(struct cgi *g, struct span bytes, struct piece *out)
{
    uint64_t left = g->body.length >= 0 ? (uint64_t)g->body.length - g->given : UINT64_MAX;

    exchange_cancel(g->x);
    if (bytes.n > left)
        bytes.n = (size_t)left;
    g->given += bytes.n;
    *out = piece_of(bytes);
    return FLOW_GO;
}

static enum flow ended(struct cgi *g, struct piece *out)
{
    if (g->body.length >= 0 && g->given < (uint64_t)g->body.length)
        return broken(g, R_upstream_response_incomplete, g->given, HERE);
    g->done = true;
    return give(g, (struct span){ 0 }, out);
}

static enum flow cgi_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct cgi *g = (struct cgi *)body;
    struct span rest = g->rest;
    enum cgi_step sending;
    bool is_late;
    long n;

    if (g->done || (body->length >= 0 && g->given == (uint64_t)body->length))
        return give(g, (struct span){ 0 }, out);
    if (g->buffer == NULL)
        g->buffer = malloc(BUFFER_BYTES);
    if (g->buffer == NULL)
        return broken(g, R_worker_memory_exhausted, BUFFER_BYTES, HERE);
    is_late = cgi_process_is_late(g->process);
    sending = cgi_send(g);
    if (sending == STEP_STOP)
        return broken(g, R_client_closed_during_response, 0, HERE);
    g->rest.n = 0;
    if (rest.n > 0)
        return give(g, rest, out);
    n = cgi_process_read(g->process, g->buffer, BUFFER_BYTES);
    if (n > 0)
        return give(g, (struct span){ g->buffer, (size_t)n }, out);
    if (n == 0)
        return ended(g, out);
    if (n != -EAGAIN)
        return broken(g, R_upstream_response_incomplete, g->given, HERE);
    if (is_late && sending != STEP_CLIENT)
        return broken(g, R_upstream_read_timeout, g->given, HERE);
    (void)x;
    return cgi_wait(g, sending, sending == STEP_CLIENT ? 0 : g->settings->read_ms, "program content");
}

const struct body_ops cgi_body = { .next = cgi_next };
