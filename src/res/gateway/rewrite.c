#include "res/gateway/gateway_impl.h"

/* Where things lie outside, and where in there. */

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
    struct span to = g->settings->to;
    struct span outside = to.p != NULL ? x->route_prefix : SPAN("/"), inside = to.p != NULL ? to : SPAN("/");

    if (!uri_rewrite_mount(&x->arena, outside, inside, &g->mount))
        return R_exchange_memory_exhausted;
    g->target = uri_rewrite_target(&x->arena, &g->mount, &x->req.target);
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
        return uri_rewrite_cookie(&g->x->arena, &g->mount, NULL, line->value);
    default:
        return line->value;
    }
}
