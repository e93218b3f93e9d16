#include "auth/check.h"
#include "res/gateway/admissions.h"
#include "res/gateway/gateway_impl.h"

#define HTTP_PORT 80u

/* Not to be asked for strangers: what is near this machine, and what is no place at all. RFC6890:2.2 */
static const char *const near[] = {
    "0.0.0.0/8",     "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",  "172.16.0.0/12",
    "192.0.0.0/24",  "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4",   "240.0.0.0/4",  "::/128",         "::1/128",       "64:ff9b:1::/48",  "100::/64",
    "2001:db8::/32", "fc00::/7",     "fe80::/10",      "ff00::/8",
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
static bool may_be_asked(const void *with, const struct sockaddr *socket)
{
    const struct proxy_settings *p = with;

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

/* Who intercepts is asked as an origin would be; else the target itself must say where it is, as it always does in HTTP/2.
 * RFC9112:3.2.2, RFC9113:8.3.1 */
static bool is_named(const struct exchange *x, const struct proxy_settings *p)
{
    enum target_form form = x->req.target.form;

    return x->req.host.name.n > 0 &&
           (p->intercepts || form == TARGET_ABSOLUTE || form == TARGET_AUTHORITY || x->req.head.major > 1);
}

static bool is_spoken(const struct exchange *x)
{
    struct span scheme = x->req.target.form == TARGET_ABSOLUTE ? x->req.target.scheme : x->req.head.scheme;

    return scheme.n == 0 || span_is_nocase(scheme, SPAN("http"));
}

/* The network has not let the client in yet. RFC6585:6 */
static bool is_outside(const struct exchange *x)
{
    uint8_t client[ADDRESS_KEY_BYTES];

    address_key((const struct sockaddr *)x->peer.p, client);
    return !admissions_have(gateway_worker(x)->admissions, client, x->now_ms);
}

static struct span place_of(struct exchange *x)
{
    const struct host *host = &x->req.host;

    return arena_print(&x->arena, "%.*s:%u", (int)host->name.n, host->name.p, port_of(x));
}

struct span gateway_proxy_target(struct exchange *x)
{
    const struct target *t = &x->req.target;
    struct span path = t->path.n > 0 ? t->path : SPAN("/");
    struct span parts[] = { path, t->has_query ? SPAN("?") : (struct span){ 0 }, t->query };

    if (x->req.head.method == M_OPTIONS && t->path.n == 0 && !t->has_query)
        return SPAN("*"); /* RFC9112:3.2.4 */
    return arena_join(&x->arena, parts, 3);
}

enum reason gateway_proxy_open(struct exchange *x)
{
    struct gateway *g = gateway_of(x);
    const struct proxy_settings *p = g->settings->proxy;
    struct forwarding *f = &g->forwarding;
    struct span name = x->req.host.name;

    f->client_denied = p->client_count > 0 && !in_any(p->clients, p->client_count, (const struct sockaddr *)x->peer.p);
    f->client_unadmitted = p->intercepts && is_outside(x);
    f->destination_named = is_named(x, p);
    f->scheme_spoken = is_spoken(x);
    f->port_allowed = port_allowed(x, p);
    g->place = f->group = place_of(x);
    if (span_starts(name, SPAN("[")) && name.n > 2)
        name = (struct span){ name.p + 1, name.n - 2 };
    g->host = arena_copy(&x->arena, name);
    return x->arena.full ? R_exchange_memory_exhausted : R_NONE;
}

enum flow gateway_proxy_authenticate(struct exchange *x)
{
    struct gateway *g = gateway_of(x);
    const struct auth_settings *auth = g->settings->proxy->auth;

    if (auth == NULL)
        return FLOW_GO;
    if (g->auth == NULL)
        g->auth = arena_zero(&x->arena, sizeof *g->auth);
    if (g->auth == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    return auth_check(x, auth, gateway_worker(x)->auth, g->auth);
}

void gateway_proxy_describe(struct exchange *x, enum reason why)
{
    const struct proxy_settings *p = gateway_of(x)->settings->proxy;

    if (p->auth != NULL &&
        (why == p->auth->missing || why == p->auth->refused || why == p->auth->malformed || why == p->auth->stale))
        auth_challenges(x, p->auth, why == p->auth->stale);
    if (why == R_network_auth_required) {
        x->reply.link_to = p->portal;
        reply_add(x, SPAN("Cache-Control"), SPAN("no-store"));
    }
}

enum flow gateway_proxy_take(struct gateway *g)
{
    const struct gateway_settings *s = g->settings;
    struct upstream_place place = { .host = g->host,
                                    .port = port_of(g->x),
                                    .text = g->place,
                                    .connect_ms = s->connect_ms,
                                    .allowed = may_be_asked,
                                    .with = s->proxy };

    return upstream_take_place(g->x, gateway_worker(g->x)->upstreams, &place, &g->search, &g->up);
}
