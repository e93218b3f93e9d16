#include "exchange/cgi_message.h"
#include "io/address.h"
#include "res/fastcgi/fastcgi_impl.h"

bool fastcgi_script_find(struct fastcgi *g)
{
    struct exchange *x = g->x;
    const struct fastcgi_settings *s = g->settings;
    struct span path = x->req.subpath;
    size_t end = cgi_split(path, s->split);

    g->falls_back = s->fallback.n > 0 && !span_ends((struct span){ path.p, end }, s->split);
    g->path_info_bytes = path.n - end;
    if (g->falls_back) {
        g->script = s->fallback;
        return true;
    }
    g->script = (struct span){ path.p, end };
    if (s->index.n > 0 && span_ends(g->script, SPAN("/")))
        g->script = arena_join(&x->arena, (struct span[]){ g->script, s->index }, 2);
    return g->script.p != NULL;
}

/* The path of the route, without a / at its end. */
static struct span prefix_of(const struct exchange *x)
{
    struct span path = x->req.path;

    if (span_ends(path, x->req.subpath))
        path.n -= x->req.subpath.n;
    return path;
}

static struct cgi_request request_of(struct fastcgi *g)
{
    struct exchange *x = g->x;
    struct arena *arena = &x->arena;
    const struct fastcgi_settings *s = g->settings;
    char text[ADDRESS_TEXT_BYTES];
    struct span client = address_print((const struct sockaddr *)x->peer.p, (socklen_t)x->peer.n, ADDRESS_HOST, text);
    struct cgi_request r;

    cgi_request_fill(x, g->path_info_bytes, &r);
    if (g->falls_back)
        r.script_name = arena_join(arena, (struct span[]){ prefix_of(x), s->fallback }, 2);
    else if (span_ends(r.script_name, SPAN("/")))
        r.script_name = arena_join(arena, (struct span[]){ r.script_name, s->index }, 2);
    r.client = arena_copy(arena, client);
    r.root = s->root;
    r.script_file = arena_join(arena, (struct span[]){ s->root, g->script }, 2);
    r.tells_credentials = true;
    return r;
}

/* All pairs, as they stand in the stream; the empty span when the arena is full. */
static struct span pairs_encode(struct arena *arena, const struct cgi_pair *pairs, size_t count)
{
    struct bounded b = { 0 };

    for (size_t i = 0; i < count; i++)
        fcgi_put_pair(&b, pairs[i].name, pairs[i].value);
    b = (struct bounded){ arena_take(arena, b.bytes), b.bytes, 0 };
    for (size_t i = 0; b.out != NULL && i < count; i++)
        fcgi_put_pair(&b, pairs[i].name, pairs[i].value);
    return (struct span){ b.out, b.out != NULL ? b.bytes : 0 };
}

static struct span pairs_of(struct fastcgi *g)
{
    struct arena *arena = &g->x->arena;
    const struct fastcgi_settings *s = g->settings;
    struct cgi_request r = request_of(g);
    size_t most = g->x->req.head.count + CGI_PAIRS + (size_t)s->parameter_count, count;
    struct cgi_pair *pairs = arena_take(arena, most * sizeof *pairs);

    if (pairs == NULL)
        return (struct span){ 0 };
    count = cgi_pairs(&r, arena, pairs);
    for (uint16_t i = 0; i < s->parameter_count; i++)
        cgi_pair_set(pairs, &count, s->parameters[i].name, s->parameters[i].value);
    return pairs_encode(arena, pairs, count);
}

bool fastcgi_request_write(struct fastcgi *g)
{
    struct arena *arena = &g->x->arena;
    bool stays = g->settings->groups[g->settings->group]->idle_limit > 0;
    struct span pairs;
    struct bounded b = { 0 };

    if (g->request.n > 0)
        return true;
    pairs = pairs_of(g);
    if (arena->full)
        return false;
    fcgi_put_begin(&b, stays);
    fcgi_put_params(&b, pairs);
    b = (struct bounded){ arena_take(arena, b.bytes), b.bytes, 0 };
    if (b.out == NULL)
        return false;
    fcgi_put_begin(&b, stays);
    fcgi_put_params(&b, pairs);
    g->request = (struct span){ b.out, b.bytes };
    return true;
}
