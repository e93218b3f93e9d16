/* Configurations: any text gives a configuration or a complaint, never both, and no file is touched. A good one keeps
 * the promises that routing relies on.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "serve/config.h"
#include "serve/route.h"

#define TEXT_BYTES_MOST 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool hands_on(const struct route *route)
{
    return route->resource == &gateway_resource || route->resource == &cgi_resource ||
           route->resource == &fastcgi_resource;
}

static void check_kind(const struct config *config, const struct route *route)
{
    DIE_UNLESS(route->policy.answers == (route->resource == &fixed_resource || route->resource == &websocket_resource));
    DIE_UNLESS(route->policy.tunnels == (route->resource == &websocket_resource));
    DIE_UNLESS(route->policy.forwards == hands_on(route));
    if (route->resource == &file_resource)
        DIE_UNLESS(route->file.root != NULL && route->file.root_fd == -1);
    else if (route->resource == &fixed_resource)
        DIE_UNLESS(route->fixed.why != R_NONE);
    else if (route->resource == &fastcgi_resource)
        DIE_UNLESS(route->fastcgi.group < config->group_count && route->policy.length_required);
    else if (route->resource == &cgi_resource)
        DIE_UNLESS(route->cgi.directory != NULL && route->cgi.processes_limit > 0);
    else
        DIE_UNLESS(route->resource == &gateway_resource || route->resource == &websocket_resource);
}

static void check_gateway(const struct config *config, const struct gateway_settings *gateway)
{
    DIE_UNLESS(gateway->attempts > 0 && gateway->attempts <= FORWARD_ATTEMPTS && gateway->name.n > 0);
    DIE_UNLESS(gateway->proxy != NULL || gateway->group < config->group_count);
    DIE_UNLESS(gateway->head.field_bytes < gateway->head.head_bytes);
    for (uint32_t i = 0; i < gateway->choice_count; i++)
        DIE_UNLESS(gateway->choices[i].group < config->group_count);
}

static void check_fields(const struct ready_fields *ready)
{
    DIE_UNLESS(ready->count <= READY_FIELDS && ready->text.n == reply_text_bytes(ready->fields, ready->count));
    for (uint32_t i = 0; i < ready->count; i++)
        DIE_UNLESS(ready->fields[i].name.n > 0 &&
                   memchr(ready->fields[i].value.p, '\n', ready->fields[i].value.n) == NULL);
}

static void check_route(const struct config *config, const struct site *site, const struct route *route)
{
    check_kind(config, route);
    DIE_UNLESS(route->prefix.n > 0 && route->prefix.p[0] == '/');
    DIE_UNLESS(route_find(site, route->prefix) == route);
    DIE_UNLESS(route->policy.hint_count <= HINTS_MAX && route->policy.site_hint_count <= HINTS_MAX);
    if (route->resource == &gateway_resource)
        check_gateway(config, &route->gateway);
    check_fields(&route->fields);
}

static void check_admin(const struct config_admin *admin)
{
    const struct site *site = &admin->site;

    DIE_UNLESS(site->names == admin->hosts && site->name_count == admin->host_count);
    DIE_UNLESS(site->route_count > 0 && route_find(site, SPAN("/")) != NULL);
    for (uint32_t i = 0; i < site->route_count; i++)
        DIE_UNLESS(site->routes[i].resource == &admin_resource);
    DIE_UNLESS(admin->listen == NULL || admin->host_count > 0);
    DIE_UNLESS(admin->public_url.n == 0 || span_ends(admin->public_url, SPAN("/")));
    DIE_UNLESS(admin->token.n == 0 || admin->token.n >= 16);
    for (uint32_t i = 0; i < admin->host_count; i++)
        DIE_UNLESS(admin->hosts[i].n > 0);
}

static void check_forward(const struct config *config)
{
    const struct config_forward *forward = &config->forward;

    DIE_UNLESS((forward->site.route_count == 1) == (forward->listen_count > 0));
    if (forward->listen_count == 0)
        return;
    check_gateway(config, &forward->site.routes->gateway);
    DIE_UNLESS(forward->site.routes->policy.proxies && forward->site.routes->gateway.proxy == &forward->proxy);
    DIE_UNLESS((forward->proxy.auth != NULL) == (forward->users_file != NULL));
    DIE_UNLESS(!forward->proxy.intercepts || forward->proxy.portal.n > 0);
}

static void check_config(const struct config *config)
{
    DIE_UNLESS(config->site_count > 0 && config->listen_count > 0 && config->log_file != NULL);
    for (unsigned s = 0; s < SETTINGS; s++)
        DIE_UNLESS(config->settings[s] >= setting_infos[s].min && config->settings[s] <= setting_infos[s].max);
    check_admin(&config->admin);
    check_forward(config);
    for (uint32_t g = 0; g < config->group_count; g++)
        DIE_UNLESS(config->groups[g] == &config->upstreams[g].group && config->groups[g]->name.n > 0);
    for (uint32_t s = 0; s < config->site_count; s++) {
        const struct site *site = &config->sites[s];

        DIE_UNLESS(site->route_count > 0 && (site->name_count > 0 || site->is_default));
        for (uint32_t r = 0; r < site->route_count; r++)
            check_route(config, site, &site->routes[r]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_options options = { .file = "c.yaml", .log_combined = -1, .dialect = DIALECTS };
    struct span text = { (const char *)data, size < TEXT_BYTES_MOST ? size : TEXT_BYTES_MOST };
    char complaints[4096] = "";
    FILE *out = fmemopen(complaints, sizeof complaints, "w");
    struct config *config;

    DIE_UNLESS(out != NULL);
    config = config_read(&options, text, CONFIG_STRUCTURE, out);
    fclose(out);
    DIE_UNLESS((config == NULL) == (complaints[0] != '\0'));
    if (config != NULL)
        check_config(config);
    config_release(&config);
    return 0;
}
