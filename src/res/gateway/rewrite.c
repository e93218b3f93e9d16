#include "res/gateway/gateway_impl.h"

/* Where things lie outside, and where in there. */

struct span gateway_authority(struct exchange *x)
{
    const struct host *h = &x->req.host;

    return h->has_port ? arena_print(&x->arena, "%.*s:%u", (int)h->name.n, h->name.p, h->port) : h->name;
}

/* The path of a socket is no host. RFC9110:7.2 */
static struct span member_host(const struct gateway *g)
{
    return span_starts(g->search.upstream, SPAN("unix:")) ? SPAN("localhost") : g->search.upstream;
}

/* A client of HTTP/1.0 need not say which host it means; the upstream is told in HTTP/1.1, which wants one. */
struct span gateway_upstream_host(struct gateway *g)
{
    struct span host = g->settings->host;

    if (host.n == 0 && g->x->req.host.name.n > 0)
        return gateway_authority(g->x);
    return host.n == 0 || span_is(host, SPAN("-")) ? member_host(g) : host;
}

/* As the upstream believes itself to be called: by the Host that it is sent. */
static struct uri_site site_of(struct gateway *g)
{
    struct exchange *x = g->x;
    struct span scheme = x->transport->secured ? SPAN("https") : SPAN("http");
    bool tls = g->settings->proxy == NULL && g->settings->groups[g->group]->tls != NULL;

    return (struct uri_site){ .scheme = scheme,
                              .authority = gateway_authority(x),
                              .upstream_scheme = tls ? SPAN("https") : SPAN("http"),
                              .upstream_authority = gateway_upstream_host(g) };
}

enum reason gateway_destination(struct gateway *g)
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

    if (g->settings->proxy != NULL) {
        g->target = gateway_proxy_target(x);
        return x->arena.full ? R_exchange_memory_exhausted : gateway_destination(g);
    }
    if (!uri_rewrite_mount(&x->arena, outside, inside, &g->mount))
        return R_exchange_memory_exhausted;
    g->target = uri_rewrite_target(&x->arena, &g->mount, &x->req.target);
    if (g->target.p == NULL)
        return x->arena.full ? R_exchange_memory_exhausted : R_gateway_cannot_forward_request;
    return gateway_destination(g);
}

/* An upstream may call itself by its own address, whatever Host it was sent. */
static struct span location_rewrite(struct gateway *g, struct span value)
{
    struct uri_site site = site_of(g);
    struct span told = uri_rewrite_location(&g->x->arena, &g->mount, &site, value);

    if (told.p != value.p)
        return told;
    site.upstream_authority = member_host(g);
    return uri_rewrite_location(&g->x->arena, &g->mount, &site, value);
}

struct span gateway_rewrite(struct gateway *g, const struct field *line)
{
    if (!g->settings->rewrites || g->settings->proxy != NULL)
        return line->value;
    switch (line->id) {
    case FIELD_LOCATION:
    case FIELD_CONTENT_LOCATION:
        return location_rewrite(g, line->value);
    case FIELD_SET_COOKIE:
        return uri_rewrite_cookie(&g->x->arena, &g->mount, NULL, line->value);
    default:
        return line->value;
    }
}
