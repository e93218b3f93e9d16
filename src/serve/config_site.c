#include <ctype.h>
#include <stdlib.h>

#include "http/host.h"
#include "http/path.h"
#include "serve/config_impl.h"
#include "serve/route.h"

/* A name of some site, and where it stands. */
struct claim {
    struct span name;
    const struct yaml_node *node;
};

struct claims {
    struct claim *all;
    size_t count, room;
};

static void claim_add(struct config_report *r, struct claims *c, struct span name, const struct yaml_node *node)
{
    if (c->count == c->room) {
        size_t room = c->room > 0 ? 2 * c->room : 64;
        struct claim *more = arena_take(r->arena, room * sizeof *more);

        if (more == NULL)
            return;
        if (c->count > 0)
            memcpy(more, c->all, c->count * sizeof *more);
        c->all = more;
        c->room = room;
    }
    c->all[c->count++] = (struct claim){ name, node };
}

static int span_order(struct span a, struct span b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int place_order(uint32_t line_a, uint32_t column_a, uint32_t line_b, uint32_t column_b)
{
    return line_a != line_b ? (line_a > line_b) - (line_a < line_b) : (column_a > column_b) - (column_a < column_b);
}

static int by_name(const void *a_in, const void *b_in)
{
    const struct claim *a = a_in, *b = b_in;
    int order = span_order(a->name, b->name);

    return order != 0 ? order : place_order(a->node->line, a->node->column, b->node->line, b->node->column);
}

static void claims_check(struct config_report *r, struct claims *c)
{
    if (c->count > 1)
        qsort(c->all, c->count, sizeof *c->all, by_name);
    for (size_t i = 1; i < c->count; i++)
        if (span_is(c->all[i].name, c->all[i - 1].name))
            config_complain(r, c->all[i].node, "host %s is here twice: the first is in line %u",
                            config_quote(r, c->all[i].name), c->all[i - 1].node->line);
}

struct span config_lower(struct config_builder *b, struct span text)
{
    char *out = arena_take(b->memory, text.n + 1);

    if (out == NULL)
        return (struct span){ 0 };
    for (size_t i = 0; i < text.n; i++)
        out[i] = (char)tolower((unsigned char)text.p[i]);
    out[text.n] = '\0';
    return (struct span){ out, text.n };
}

static bool host_good(struct config_report *r, const struct yaml_node *node)
{
    struct span text = node->text;
    struct span name = span_starts(text, SPAN("*.")) ? span_from(text, 2) : text;
    struct host host;
    size_t bad;

    if (!host_parse(name, &host, &bad) || span_find(name, '*') < name.n)
        config_complain(r, node, "%s is no host name: write a name, *.name or an address, such as example.org",
                        config_quote(r, text));
    else if (host.name.n < name.n)
        config_complain(r, node, "%s: a site answers on all ports: leave the port away", config_quote(r, text));
    else
        return true;
    return false;
}

static void hosts_read(struct config_builder *b, const struct config_value *v, struct site *site, struct claims *claims)
{
    uint32_t count = v->node->kind == YAML_LIST ? v->node->count : 1;
    struct span *names = arena_zero(b->memory, count * sizeof *names);

    site->names = names;
    for (const struct yaml_node *n = NULL; names != NULL && (n = config_text_next(v->node, n)) != NULL;) {
        if (!host_good(&b->report, n))
            continue;
        names[site->name_count] = config_lower(b, n->text);
        claim_add(&b->report, claims, names[site->name_count++], n);
    }
}

static int by_prefix(const void *a_in, const void *b_in)
{
    const struct route *a = a_in, *b = b_in;
    int order;

    if (a->prefix.n != b->prefix.n)
        return a->prefix.n > b->prefix.n ? -1 : 1;
    order = a->prefix.n > 0 ? memcmp(a->prefix.p, b->prefix.p, a->prefix.n) : 0;
    return order != 0 ? order : place_order(a->line, a->column, b->line, b->column);
}

/* Whoever follows such a redirect comes back to it, until the client gives up. */
static bool leads_back(struct config_builder *b, const struct site *site, const struct route *route)
{
    struct span to = route->fixed.location;
    struct span path = { to.p, span_find((struct span){ to.p, span_find(to, '#') }, '?') };
    char *room = arena_take(b->report.arena, path.n + 1);
    struct verdict v;
    size_t n;

    if (room == NULL || path.n == 0 || path.p[0] != '/' || span_starts(path, SPAN("//")) ||
        path_decode(path, room, path.n + 1, &n, &v) != R_NONE)
        return false;
    return route_find(site, (struct span){ room, n }) == route;
}

static void routes_check(struct config_builder *b, const struct site *site)
{
    for (uint32_t i = 0; i < site->route_count; i++) {
        const struct route *route = &site->routes[i];
        struct yaml_node at = { .line = route->line, .column = route->column };

        if (i > 0 && span_is(route->prefix, route[-1].prefix))
            config_complain(&b->report, &at, "route %s is here twice: the first is in line %u",
                            config_quote(&b->report, route->prefix), route[-1].line);
        else if (route->resource == &fixed_resource && leads_back(b, site, route))
            config_complain(&b->report, &at, "route %s redirects to itself for ever: %s is one of its own paths",
                            config_quote(&b->report, route->prefix), config_quote(&b->report, route->fixed.location));
    }
}

static void routes_read(struct config_builder *b, const struct yaml_node *list, struct site *site)
{
    site->routes = arena_zero(b->memory, list->count * sizeof *site->routes);
    if (site->routes == NULL)
        return;
    for (const struct yaml_node *n = list->first; n != NULL; n = n->next)
        config_route_read(b, n, &site->routes[site->route_count++]);
    qsort(site->routes, site->route_count, sizeof *site->routes, by_prefix);
    while (site->route_count > 0 && site->routes[site->route_count - 1].prefix.n == 0)
        site->route_count--;
    routes_check(b, site);
    site->answers_all = route_find(site, SPAN("/")) != NULL;
}

static void site_read(struct config_builder *b, const struct yaml_node *node, struct site *site, struct claims *claims)
{
    struct config_value v[CONFIG_KEYS] = { 0 };

    if (!config_map_read(&b->report, MAP_site, node, v))
        return;
    if (v[KEY_site_host].good)
        hosts_read(b, &v[KEY_site_host], site, claims);
    site->is_default = v[KEY_site_default].number == 1 || v[KEY_site_host].node == NULL;
    if (v[KEY_site_stopped_by].good)
        site->stopped_by = config_path(b, v[KEY_site_stopped_by].text);
    config_site_demand(b, v, site);
    config_site_hints_read(b, v);
    if (v[KEY_site_routes].good)
        routes_read(b, v[KEY_site_routes].node, site);
}

void config_sites_read(struct config_builder *b, const struct yaml_node *sites)
{
    const struct yaml_node *standard = NULL;
    struct claims claims = { 0 };

    b->config->sites = arena_zero(b->memory, sites->count * sizeof *b->config->sites);
    if (b->config->sites == NULL)
        return;
    for (const struct yaml_node *n = sites->first; n != NULL; n = n->next) {
        struct site *site = &b->config->sites[b->config->site_count++];

        site_read(b, n, site, &claims);
        if (site->is_default && standard != NULL)
            config_complain(&b->report, n,
                            "a second site for all other names: the first is in line %u; give this one a \"host\" and "
                            "no \"default\"",
                            standard->line);
        else if (site->is_default)
            standard = n;
    }
    claims_check(&b->report, &claims);
}

void config_sites_standard(struct config_builder *b, const char *directory)
{
    struct site *site = arena_zero(b->memory, sizeof *site);
    struct route *route = arena_zero(b->memory, sizeof *route);

    if (site == NULL || route == NULL)
        return;
    config_route_standard(b, directory, route);
    *site = (struct site){ .is_default = true, .routes = route, .route_count = 1, .answers_all = true };
    b->config->sites = site;
    b->config->site_count = 1;
}
