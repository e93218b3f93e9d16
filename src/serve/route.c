#include "serve/route.h"

#include <unistd.h>

#include "http/forwarded.h"
#include "wire/secure.h"

static bool name_covers(struct span name, struct span host)
{
    if (span_starts(name, SPAN("*.")))
        return host.n > name.n - 1 && span_is_nocase(span_from(host, host.n - (name.n - 1)), span_from(name, 1));
    return span_is_nocase(name, host);
}

/* An exact name is better than a wildcard, a longer wildcard better than a shorter one. */
static size_t name_rank(struct span name)
{
    return span_starts(name, SPAN("*.")) ? name.n : SIZE_MAX;
}

static __attribute__((noinline)) const struct site *site_best(const struct site sites[], uint32_t count,
                                                              struct span host)
{
    const struct site *best = NULL;
    size_t rank = 0;

    if (span_ends(host, SPAN("."))) /* the same name, said to be complete */
        host.n--;
    for (uint32_t s = 0; s < count; s++) {
        const struct site *site = &sites[s];

        if (site->is_default && best == NULL)
            best = site;
        for (uint32_t n = 0; n < site->name_count; n++)
            if (name_rank(site->names[n]) > rank && name_covers(site->names[n], host)) {
                rank = name_rank(site->names[n]);
                best = site;
            }
    }
    return best;
}

/* One site that answers for every name need not be looked for. */
static inline const struct site *site_find(const struct site sites[], uint32_t count, struct span host)
{
    return count == 1 && sites->is_default ? sites : site_best(sites, count, host);
}

const struct site *route_site(const struct config *config, struct span host)
{
    return site_find(config->sites, config->site_count, host);
}

/* All that has a path lies below "/". */
static inline bool covers(struct span prefix, struct span path)
{
    if (prefix.n == 1)
        return path.n > 0;
    if (!span_starts(path, prefix))
        return false;
    return path.n == prefix.n || prefix.p[prefix.n - 1] == '/' || path.p[prefix.n] == '/';
}

static inline const struct route *find(const struct site *site, struct span path)
{
    const struct route *end = site->routes + site->route_count;

    for (const struct route *route = site->routes; route < end; route++)
        if (covers(route->prefix, path))
            return route;
    return NULL;
}

const struct route *route_find(const struct site *site, struct span path)
{
    return find(site, path);
}

/* Settings of all kinds of resource begin where the union does. */
static inline void route_set(struct exchange *x, const struct route *route)
{
    struct span prefix = route->prefix, path = x->req.path;
    size_t n = prefix.n - (prefix.p[prefix.n - 1] == '/');

    x->route = route;
    x->policy = &route->policy;
    x->res = route->resource;
    x->res_settings = &route->file;
    x->route_prefix = prefix;
    x->req.subpath = path.n > n ? span_from(path, n) : SPAN("/");
}

/* Does the site want to know other clients than the connection has asked for, or want it more? A configuration that was
 * read again has clients of its own, which may be the same. */
static bool asks_others(const struct transport *transport, const struct site *site)
{
    if (site == NULL)
        return transport->client_auth != CLIENT_AUTH_OFF;
    return transport->client_auth != site->client_auth ||
           !tls_clients_are_same(secured_clients(transport), site->clients);
}

/* Was the connection made for another host? The name that it was made for is right, and so is another one that the
 * certificate shown is for, as long as the same clients are asked for. RFC9110:7.4 */
static __attribute__((noinline)) bool is_misdirected(const struct exchange *x, const struct site *site)
{
    struct span host = x->req.host.name;

    if (asks_others(x->transport, site))
        return true;
    if (span_ends(host, SPAN(".")))
        host.n--;
    return host.n > 0 && !span_is_nocase(host, x->transport->server_name) && !secured_shows_for(x->transport, host);
}

bool route_trusts(const struct config *config, const struct sockaddr *peer)
{
    for (uint32_t i = 0; i < config->trusted_count; i++)
        if (address_in(&config->trusted[i], peer))
            return true;
    return false;
}

static bool node_trusted(const void *config, const struct forwarded_node *node)
{
    struct sockaddr_storage socket;

    return address_of_host(node->name, node->port, &socket) > 0 &&
           route_trusts(config, (const struct sockaddr *)&socket);
}

/* Whom a proxy that is believed speaks for. What cannot be read says nothing: then the proxy is the client. */
static void client_find(struct exchange *x, const struct config *config)
{
    const struct forwarded_trust trust = { .trusts = node_trusted, .owner = config };
    enum field_id id = request_has(x, FIELD_FORWARDED) ? FIELD_FORWARDED : FIELD_X_FORWARDED_FOR;
    struct sockaddr_storage socket;
    struct forwarded said;
    socklen_t bytes;
    char *place;

    if (!forwarded_find_client(&x->req.head, id, &trust, &said))
        return;
    bytes = address_of_host(said.client.name, said.client.port, &socket);
    place = bytes > 0 ? arena_take(&x->arena, sizeof socket) : NULL;
    if (place == NULL)
        return;
    memcpy(place, &socket, bytes);
    x->told_by = x->peer;
    x->peer = (struct span){ place, bytes };
}

static __attribute__((noinline)) void trust(struct exchange *x, const struct config *config)
{
    x->from_trusted = route_trusts(config, (const struct sockaddr *)x->peer.p);
    if (x->from_trusted && config->real_ip)
        client_find(x, config);
}

/* Where no site or no route answers, what holds for all of them is told. */
static inline void site_set(struct exchange *x, const struct config *config, const struct site *site)
{
    const struct route *route = site != NULL ? find(site, x->req.path) : NULL;

    x->site = site;
    if (x->transport->secured)
        x->misdirected = is_misdirected(x, site);
    if (config->trusted_count > 0)
        trust(x, config);
    if (site != NULL) {
        x->site_number = site->number;
        if (site->stopped_by != NULL)
            x->site_stopped = access(site->stopped_by, F_OK) == 0;
    }
    if (route != NULL)
        route_set(x, route);
    else
        x->policy = &config->policy;
}

static const struct site *site_of(const struct exchange *x, const struct config *config, enum route_listener at)
{
    if (at == ROUTE_ADMIN)
        return site_find(&config->admin.site, 1, x->req.host.name);
    return x->transport->proxy ? &config->forward.site : route_site(config, x->req.host.name);
}

void route_choose(struct exchange *x, const struct config *config, enum route_listener at)
{
    site_set(x, config, site_of(x, config, at));
}
