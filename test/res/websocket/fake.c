#include "fake.h"

#include <stdlib.h>

static enum flow give(struct fake *f, struct span *from, struct span *piece)
{
    size_t n = from->n < f->piece_bytes ? from->n : f->piece_bytes;

    *piece = (struct span){ from->p, n };
    if (n > 0)
        *from = span_from(*from, n);
    return FLOW_GO;
}

static enum flow fake_content(struct exchange *x, struct span *piece)
{
    struct fake *f = (struct fake *)x;

    f->asked++;
    if (f->waits && !f->waited) {
        f->waited = true;
        return FLOW_WAIT;
    }
    f->waited = false;
    if (!f->content_over) {
        f->content_over = f->content.n == 0;
        return give(f, &f->content, piece);
    }
    if (f->client.n == 0 && f->end != FAKE_ENDS)
        return f->end == FAKE_IDLES ? FLOW_STOP : FLOW_WAIT;
    return give(f, &f->client, piece);
}

static const struct codec_ops fake_codec = { .name = "fake", .major = 1, .content = fake_content };

void fake_init(struct fake *f, uint32_t message_bytes, size_t memory)
{
    struct exchange *x = &f->x;

    memset(f, 0, sizeof *f);
    arena_init(&x->arena, NULL, 0, memory);
    f->settings.message_bytes = message_bytes;
    f->piece_bytes = SIZE_MAX;
    x->codec = &fake_codec;
    x->res = &websocket_resource;
    x->res_settings = &f->settings;
    head_init(&x->req.head, f->fields);
    x->req.head.major = 1;
    x->req.head.minor = 1;
    x->res_state = calloc(1, x->res->state_bytes);
    x->res_opened = true;
    if (x->res_state == NULL || x->res->open(x) != FLOW_GO)
        abort();
}

enum flow fake_produce(struct fake *f)
{
    enum flow flow;

    do {
        flow = f->x.res->produce(&f->x);
    } while (flow == FLOW_WAIT);
    return flow;
}

enum flow fake_next(struct fake *f)
{
    struct body *body = f->x.reply.body;
    enum flow flow = body->ops->next(body, &f->x, &f->piece);
    struct span bytes = f->piece.bytes;

    if (flow != FLOW_GO || bytes.n == 0)
        return flow;
    f->server = realloc(f->server, f->server_bytes + bytes.n);
    if (f->server == NULL)
        abort();
    memcpy(f->server + f->server_bytes, bytes.p, bytes.n);
    f->server_bytes += bytes.n;
    return flow;
}

void fake_run(struct fake *f)
{
    enum flow flow;

    do {
        flow = fake_next(f);
    } while (flow == FLOW_WAIT || (flow == FLOW_GO && f->piece.bytes.n > 0));
}

void fake_over(struct fake *f)
{
    struct body *body = f->x.reply.body;

    if (body != NULL)
        body->ops->stop(body);
    f->x.res->close(&f->x);
    arena_reset(&f->x.arena);
    free(f->x.res_state);
    free(f->server);
}
