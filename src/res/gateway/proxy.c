#include "http/token.h"
#include "res/gateway/gateway_impl.h"

#define HTTP_PORT 80u

/* Not to be asked for strangers: what is near this machine, and what is no place at all. RFC6890:2.2 */
static const char *const near[] = {
    "0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",     "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.0.2.0/24",   "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4",    "240.0.0.0/4",    "::/128",        "::1/128",         "64:ff9b:1::/48", "100::/64",
    "2001:db8::/32",  "fc00::/7",       "fe80::/10",     "ff00::/8",
};
#define NEAR_COUNT (sizeof near / sizeof near[0])

static bool in_any(const struct address_range *ranges, uint32_t count, const struct sockaddr *socket)
{
    for (uint32_t i = 0; i < count; i++)
        if (address_in(&ranges[i], socket))
            return true;
    return false;
}

static bool is_near(const struct sockaddr *socket)
{
    for (size_t i = 0; i < NEAR_COUNT; i++) {
        struct address_range range;
        const char *why;

        if (address_range_parse(span_of(near[i]), &range, &why) == 0 && address_in(&range, socket))
            return true;
    }
    return false;
}

/* Asked of each address that a name turned out to have, so that no name leads inside. */
static bool may_be_asked(const struct sockaddr *socket, const void *context)
{
    const struct proxy_settings *p = context;

    if (in_any(p->denied, p->denied_count, socket))
        return false;
    return in_any(p->allowed, p->allowed_count, socket) || !is_near(socket);
}

static bool is_connect(const struct exchange *x)
{
    return x->req.head.method == M_CONNECT;
}

static uint16_t port_of(const struct exchange *x)
{
    return x->req.host.has_port ? x->req.host.port : (uint16_t)HTTP_PORT;
}

static bool port_allowed(const struct exchange *x, const struct proxy_settings *p)
{
    for (uint32_t i = 0; i < p->port_count; i++)
        if (p->ports[i] == port_of(x))
            return true;
    return !is_connect(x);
}

/* Who intercepts is asked as an origin would be; else the target itself must say where it is. RFC9112:3.2.2 */
static bool is_named(const struct exchange *x, const struct proxy_settings *p)
{
    enum target_form form = x->req.target.form;

    return x->req.host.name.n > 0 && (p->intercepts || form == TARGET_ABSOLUTE || form == TARGET_AUTHORITY);
}

static bool is_spoken(const struct exchange *x)
{
    return x->req.target.form != TARGET_ABSOLUTE || span_is_nocase(x->req.target.scheme, SPAN("http"));
}

static struct span place_of(struct exchange *x)
{
    const struct host *host = &x->req.host;

    return arena_print(&x->arena, "%.*s:%u", (int)host->name.n, host->name.p, port_of(x));
}

enum flow gateway_proxy_open(struct exchange *x)
{
    struct gateway *g = gateway_of(x);
    const struct proxy_settings *p = g->settings->proxy;
    struct forwarding *f = &g->forwarding;
    struct span name = x->req.host.name;

    f->client_denied = p->client_count > 0 && !in_any(p->clients, p->client_count, (const struct sockaddr *)x->peer.p);
    f->client_unadmitted = p->intercepts && !admissions_have(gateway_worker(x)->admissions, x->peer);
    f->destination_named = is_named(x, p);
    f->scheme_spoken = is_spoken(x);
    f->port_allowed = port_allowed(x, p);
    g->place = f->group = place_of(x);
    if (span_starts(name, SPAN("[")) && name.n > 2)
        name = (struct span){ name.p + 1, name.n - 2 };
    g->host = arena_copy(&x->arena, name);
    return FLOW_GO;
}

enum flow gateway_proxy_authenticate(struct exchange *x)
{
    const struct auth_settings *auth = gateway_of(x)->settings->proxy->auth;

    return auth != NULL ? auth_check(x, auth, gateway_worker(x)->auth) : FLOW_GO;
}

enum flow gateway_proxy_take(struct gateway *g)
{
    const struct gateway_settings *s = g->settings;

    return upstream_take_place(g->x, gateway_worker(g->x)->upstreams, g->host, port_of(g->x), g->place, s->connect_ms,
                               may_be_asked, s->proxy, &g->search, &g->up);
}
