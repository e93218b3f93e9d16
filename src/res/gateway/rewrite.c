#include "http/path.h"
#include "res/gateway/gateway_impl.h"

/*
 * Where things lie outside, and where in there. A path that stays goes on as the client wrote it, unless it holds what one
 * server reads in one way and the next in another: then as it was understood here.
 */

/* Dots that lead elsewhere, and escapes of what they are made of. */
static bool is_ambiguous(struct span raw)
{
    if (memmem(raw.p, raw.n, "/.", 2) != NULL)
        return true;
    for (size_t i = 0; i + 2 < raw.n; i++)
        if (raw.p[i] == '%' && raw.p[i + 1] == '2' && (raw.p[i + 2] | 0x20) == 'e')
            return true;
    return false;
}

static struct span encoded_path(struct exchange *x)
{
    size_t room = 3 * x->req.path.n + 1;
    char *encoded = arena_take(&x->arena, room);

    if (encoded == NULL)
        return (struct span){ 0 };
    return (struct span){ encoded, path_encode(x->req.path, encoded, room) };
}

/* Of proxies and gateways that change no path. */
static struct span same_target(struct exchange *x)
{
    const struct target *t = &x->req.target;
    struct span path = t->path.n > 0 ? t->path : SPAN("/");

    if (t->form == TARGET_ASTERISK)
        return SPAN("*");
    if (t->form == TARGET_ORIGIN && !is_ambiguous(path))
        return x->req.head.target;
    if (is_ambiguous(path))
        path = encoded_path(x);
    return arena_join(&x->arena, (struct span[]){ path, t->has_query ? SPAN("?") : (struct span){ 0 }, t->query }, 3);
}

static struct span authority_of(struct exchange *x)
{
    const struct host *h = &x->req.host;

    return h->has_port ? arena_print(&x->arena, "%.*s:%u", (int)h->name.n, h->name.p, h->port) : h->name;
}

/* As the upstream believes itself to be called: by the Host that it is sent. */
static struct uri_site site_of(struct gateway *g)
{
    struct exchange *x = g->x;
    struct span outside = authority_of(x), host = g->settings->host;
    struct span scheme = x->transport->secured ? SPAN("https") : SPAN("http");
    bool tls = g->settings->proxy == NULL && g->settings->groups[g->group]->tls != NULL;

    return (struct uri_site){ .scheme = scheme,
                              .authority = outside,
                              .upstream_scheme = tls ? SPAN("https") : SPAN("http"),
                              .upstream_authority = host.n == 0                ? outside
                                                    : span_is(host, SPAN("-")) ? g->search.upstream
                                                                               : host };
}

static enum reason destination_find(struct gateway *g)
{
    struct exchange *x = g->x;
    const struct field *f = head_field(&x->req.head, FIELD_DESTINATION);
    struct uri_site site;

    if (f == NULL)
        return R_NONE;
    g->destination = f->value;
    if (!g->settings->rewrites || g->settings->proxy != NULL)
        return R_NONE;
    site = site_of(g);
    return uri_rewrite_destination(&x->arena, &g->mount, &site, f->value, &g->destination);
}

enum reason gateway_places(struct gateway *g)
{
    struct exchange *x = g->x;

    g->target = g->mounted ? uri_rewrite_target(&x->arena, &g->mount, &x->req.target) : same_target(x);
    if (g->target.p == NULL)
        return x->arena.full ? R_exchange_memory_exhausted : R_gateway_cannot_forward_request;
    return destination_find(g);
}

struct span gateway_rewrite(struct gateway *g, const struct field *line)
{
    struct uri_site site;

    if (!g->settings->rewrites || g->settings->proxy != NULL)
        return line->value;
    switch (line->id) {
    case FIELD_LOCATION:
    case FIELD_CONTENT_LOCATION:
        site = site_of(g);
        return uri_rewrite_location(&g->x->arena, &g->mount, &site, line->value);
    case FIELD_SET_COOKIE:
        return g->mounted ? uri_rewrite_cookie(&g->x->arena, &g->mount, NULL, line->value) : line->value;
    default:
        return line->value;
    }
}
