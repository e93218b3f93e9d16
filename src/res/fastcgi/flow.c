#include <errno.h>

#include "exchange/wait.h"
#include "res/fastcgi/fastcgi_impl.h"

/* --- Sending --- */

static void took(struct span *s, size_t *n)
{
    size_t here = *n < s->n ? *n : s->n;

    if (here > 0)
        *s = span_from(*s, here);
    *n -= here;
}

/* Who cannot be written to any more may have answered all the same: that is for receiving to find. */
static enum fastcgi_step write_out(struct fastcgi *g)
{
    struct fastcgi_out *out = &g->out;

    while (out->head.n + out->header.n + out->piece.n > 0) {
        struct iovec parts[] = { { (void *)(uintptr_t)out->head.p, out->head.n },
                                 { (void *)(uintptr_t)out->header.p, out->header.n },
                                 { (void *)(uintptr_t)out->piece.p, out->piece.n } };
        long sent = upstream_write(g->up, parts, 3);
        size_t n = sent > 0 ? (size_t)sent : 0;

        if (sent == -EAGAIN)
            return STEP_BLOCKED;
        out->closed = sent < 0;
        if (out->closed)
            return STEP_DONE;
        out->begun = true;
        g->watched = false;
        took(&out->head, &n);
        took(&out->header, &n);
        took(&out->piece, &n);
    }
    return STEP_DONE;
}

static void record_begin(struct fastcgi_out *out)
{
    size_t n = out->later.n < FCGI_CONTENT_BYTES ? out->later.n : FCGI_CONTENT_BYTES;
    struct bounded b = { out->header_text, sizeof out->header_text, 0 };

    fcgi_put_stdin(&b, n);
    out->header = (struct span){ b.out, b.bytes };
    out->piece = (struct span){ out->later.p, n };
    out->ended = n == 0;
    if (n > 0)
        out->later = span_from(out->later, n);
}

/* The next record of content, or the one that ends it. */
static enum fastcgi_step content_next(struct fastcgi *g)
{
    struct fastcgi_out *out = &g->out;

    if (out->later.n == 0 && !out->taken_all) {
        enum flow f = g->x->codec->content(g->x, &out->later);

        if (f != FLOW_GO)
            return f == FLOW_WAIT ? STEP_CLIENT : STEP_STOP;
        out->taken_all = out->later.n == 0;
        g->forwarding.content_gone |= !out->taken_all;
    }
    record_begin(out);
    return STEP_DONE;
}

enum fastcgi_step fastcgi_send(struct fastcgi *g)
{
    struct fastcgi_out *out = &g->out;

    if (out->taken_all && !out->ended && out->header.n + out->piece.n + out->later.n == 0)
        record_begin(out); /* with the parameters, if they are not sent yet: one packet, not two */
    while (!out->closed) {
        enum fastcgi_step step = write_out(g);

        if (step == STEP_DONE && out->ended && !out->closed && forwarding_now(&g->forwarding)->sent_ms == 0)
            forwarding_now(&g->forwarding)->sent_ms = g->x->now_ms;
        if (step != STEP_DONE || out->ended || out->closed)
            return step;
        step = content_next(g);
        if (step != STEP_DONE)
            return step;
    }
    return STEP_DONE;
}

/* --- Receiving --- */

static enum reason no_more(struct fastcgi *g, long n, struct verdict *v)
{
    if (n == -EAGAIN)
        return R_MORE;
    if (n == -ENOMEM)
        return verdict_set(v, R_worker_memory_exhausted, 0);
    if (g->out.closed && !g->in.any)
        return verdict_set(v, R_upstream_write_failed, g->up->error);
    return verdict_set(v, R_upstream_connection_terminated, n < 0 ? -n : 0);
}

static void complain(struct fastcgi *g, struct span bytes)
{
    char who[sizeof "fastcgi " + EXCHANGE_ID_LETTERS];
    struct bounded b = { who, sizeof who, 0 };

    bounded_put(&b, SPAN("fastcgi "));
    bounded_put(&b, exchange_id(g->x));
    if (bytes.n > 0)
        complaint_take(&g->complaint, (struct span){ who, b.bytes }, bytes);
    else
        complaint_end(&g->complaint, (struct span){ who, b.bytes });
}

/* Out of what is in the buffer. R_NONE with an empty run: read on. */
static enum reason take(struct fastcgi *g, size_t most_bytes, struct span *out, struct verdict *v)
{
    struct upstream *up = g->up;
    struct span in = { up->buffer + up->at, up->have - up->at };
    enum fcgi_run run = FCGI_RUN_OUTPUT;
    enum reason why;
    size_t used;

    if (in.n > most_bytes)
        in.n = most_bytes;
    why = fcgi_read(&g->in.reader, in, &used, &run, out, v);
    up->at += (uint32_t)used;
    if (why != R_NONE)
        return why;
    g->in.ended = run == FCGI_RUN_END;
    if (run == FCGI_RUN_ERRORS) {
        complain(g, *out);
        out->n = 0;
    }
    return R_NONE;
}

enum reason fastcgi_receive(struct fastcgi *g, size_t most_bytes, struct span *out, struct verdict *v)
{
    *out = (struct span){ 0 };
    while (!g->in.ended) {
        enum reason why = R_MORE;
        long n;

        if (g->up->at < g->up->have)
            why = take(g, most_bytes, out, v);
        if ((why == R_NONE && out->n > 0) || (why != R_NONE && why != R_MORE))
            return why;
        if (why == R_NONE || g->up->at < g->up->have)
            continue;
        n = upstream_read(g->up);
        if (n <= 0)
            return no_more(g, n, v);
        g->in.any = true;
        g->watched = false;
    }
    complain(g, (struct span){ 0 });
    return R_NONE;
}

/* --- Waiting --- */

bool fastcgi_is_late(struct fastcgi *g)
{
    return g->watched && upstream_is_late(g->up);
}

static void nothing_to_cancel(void *with)
{
    (void)with;
}

/* A client that is slow is the codec's to judge. */
static uint32_t deadline_ms(const struct fastcgi *g, enum fastcgi_step sending)
{
    if (sending == STEP_CLIENT)
        return 0;
    return sending == STEP_BLOCKED ? g->settings->write_ms : g->settings->read_ms;
}

enum flow fastcgi_wait(struct fastcgi *g, enum fastcgi_step sending, const char *what)
{
    if (sending != STEP_CLIENT)
        exchange_wait(g->x, what, nothing_to_cancel, g);
    if (g->up->at == g->up->have)
        upstream_buffer_return(g->up);
    upstream_watch(g->up, g->x, deadline_ms(g, sending));
    g->watched = true;
    return FLOW_WAIT;
}
