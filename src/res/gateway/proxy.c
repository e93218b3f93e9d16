#include <netinet/in.h>

#include "auth/check.h"
#include "res/gateway/admissions.h"
#include "res/gateway/gateway_impl.h"

#define HTTP_PORT 80u

#define IPV4(length, ...)                                                  \
    {                                                                      \
        .bytes = { [10] = 0xFF, 0xFF, __VA_ARGS__ }, .bits = 96 + (length) \
    }
#define IPV6(length, ...)                          \
    {                                              \
        .bytes = { __VA_ARGS__ }, .bits = (length) \
    }

/* Not to be asked for strangers: what is near this machine, and what is no place at all. RFC6890:2.2 */
static const struct address_range near[] = {
    IPV4(8, 0x00),                    /* 0.0.0.0 */
    IPV4(8, 0x0A),                    /* 10.0.0.0 */
    IPV4(10, 0x64, 0x40),             /* 100.64.0.0 */
    IPV4(8, 0x7F),                    /* 127.0.0.0 */
    IPV4(16, 0xA9, 0xFE),             /* 169.254.0.0 */
    IPV4(12, 0xAC, 0x10),             /* 172.16.0.0 */
    IPV4(24, 0xC0, 0x00, 0x00),       /* 192.0.0.0 */
    IPV4(24, 0xC0, 0x00, 0x02),       /* 192.0.2.0 */
    IPV4(24, 0xC0, 0x58, 0x63),       /* 192.88.99.0: whoever relays 6to4 here. RFC7526:4 */
    IPV4(16, 0xC0, 0xA8),             /* 192.168.0.0 */
    IPV4(15, 0xC6, 0x12),             /* 198.18.0.0 */
    IPV4(24, 0xC6, 0x33, 0x64),       /* 198.51.100.0 */
    IPV4(24, 0xCB, 0x00, 0x71),       /* 203.0.113.0 */
    IPV4(4, 0xE0),                    /* 224.0.0.0 */
    IPV4(4, 0xF0),                    /* 240.0.0.0 */
    IPV6(23, 0x20, 0x01),             /* protocols, Teredo among them */
    IPV6(32, 0x20, 0x01, 0x0D, 0xB8), /* examples */
    IPV6(20, 0x3F, 0xFF),             /* examples. RFC9637:3 */
};

/* IPv6 has public places only in here, which most of what is no place is not. RFC4291:2.4 */
static const struct address_range public_ipv4 = IPV4(0, 0), public_ipv6 = IPV6(3, 0x20);

/* Addresses that stand for one of IPv4, which they have behind the prefix. RFC6052:2.1, RFC3056:2 */
static const struct address_range nat64 = IPV6(96, 0x00, 0x64, 0xFF, 0x9B), six_to_four = IPV6(16, 0x20, 0x02);

static bool in_any(const struct address_range *ranges, uint32_t count, const struct sockaddr *socket)
{
    for (uint32_t i = 0; i < count; i++)
        if (address_in(&ranges[i], socket))
            return true;
    return false;
}

static bool is_near(const struct sockaddr *socket)
{
    return in_any(near, sizeof near / sizeof near[0], socket) ||
           (!address_in(&public_ipv4, socket) && !address_in(&public_ipv6, socket));
}

/* Where a packet to the address really goes: out gets the IPv4 that is in it. False: there is none. */
static bool stands_for(const struct sockaddr *socket, struct sockaddr_in *out)
{
    const struct address_range *prefix = address_in(&nat64, socket)         ? &nat64
                                         : address_in(&six_to_four, socket) ? &six_to_four
                                                                            : NULL;

    if (prefix == NULL)
        return false;
    *out = (struct sockaddr_in){ .sin_family = AF_INET };
    memcpy(&out->sin_addr, ((const struct sockaddr_in6 *)socket)->sin6_addr.s6_addr + prefix->bits / 8,
           sizeof out->sin_addr);
    return true;
}

/* Asked of each address that a name turned out to have, so that no name leads inside. */
static bool may_be_asked(const void *with, const struct sockaddr *socket)
{
    const struct proxy_settings *p = with;
    struct sockaddr_in ipv4;
    const struct sockaddr *real = stands_for(socket, &ipv4) ? (const struct sockaddr *)&ipv4 : socket;

    if (in_any(p->denied, p->denied_count, socket) || in_any(p->denied, p->denied_count, real))
        return false;
    return in_any(p->allowed, p->allowed_count, socket) || in_any(p->allowed, p->allowed_count, real) || !is_near(real);
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

/* Who speaks another protocol behind a port might take a request for its own. */
static bool plain_port_denied(const struct exchange *x, const struct proxy_settings *p)
{
    for (uint32_t i = 0; i < p->plain_port_count; i++)
        if (p->plain_ports[i].first <= port_of(x) && port_of(x) <= p->plain_ports[i].last)
            return false;
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
    f->plain_port_denied = plain_port_denied(x, p);
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
