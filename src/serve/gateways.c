#include "serve/gateways.h"

#include <errno.h>

/* Room of a read buffer behind the longest head: content that comes with it, and what is read at once of it. */
#define CONTENT_BYTES 65536u

#define TELL_MS       1000u

/* Helpers for passwords, of one worker: a hash keeps one busy for a while. */
#define HASHERS 2u

static uint32_t site_head_bytes(const struct site *site, uint32_t most)
{
    for (uint32_t r = 0; r < site->route_count; r++) {
        const struct route *route = &site->routes[r];

        if (route->resource == &gateway_resource && route->gateway.head.head_bytes > most)
            most = route->gateway.head.head_bytes;
    }
    return most;
}

static uint32_t head_bytes_most(const struct config *config)
{
    uint32_t most = site_head_bytes(&config->forward.site, 0);

    for (uint32_t i = 0; i < config->site_count; i++)
        most = site_head_bytes(&config->sites[i], most);
    return most;
}

static bool hands_on(const struct config *config)
{
    return config->group_count > 0 || config->forward.listen_count > 0;
}

static bool runs_programs(const struct config *config)
{
    for (uint32_t i = 0; i < config->site_count; i++)
        for (uint32_t r = 0; r < config->sites[i].route_count; r++)
            if (config->sites[i].routes[r].resource == &cgi_resource)
                return true;
    return false;
}

/* Of all configurations: the limits of programs are the worker's. */
static int programs_open(struct worker *w, const struct config *config)
{
    if (w->cgi != NULL || !runs_programs(config))
        return 0;
    w->cgi = cgi_worker_new(&w->loop, &w->wheel);
    return w->cgi != NULL ? 0 : -ENOMEM;
}

/* Of all configurations: passwords that were right a moment ago still are. */
static int auth_open(struct worker *w, const struct config *config)
{
    if (w->auth != NULL || config->forward.auth.users == NULL)
        return 0;
    offload_init(&w->hashers, HASHERS, PASSWORD_JOBS_MAX);
    w->auth = auth_worker_new(&w->hashers, &w->mail);
    if (w->auth != NULL)
        return 0;
    offload_fini(&w->hashers);
    return -ENOMEM;
}

static int resolver_open(struct worker *w, const struct config *config)
{
    return w->resolver != NULL ? 0 : resolver_new(&w->loop, &w->wheel, &config->resolver, &w->resolver);
}

int gateways_open(struct worker *w, struct snapshot *s)
{
    const struct config *config = s->shared->config;
    struct upstream_world world = { .loop = &w->loop, .wheel = &w->wheel };
    int err;

    if (w->admin != NULL) /* it hands nothing on */
        return 0;
    err = programs_open(w, config);
    if (err != 0 || !hands_on(config))
        return err;
    if ((err = resolver_open(w, config)) != 0 || (err = auth_open(w, config)) != 0)
        return err;
    s->gateway.auth = w->auth;
    s->gateway.admissions = w->shared->admissions;
    world.resolver = w->resolver;
    world.buffer_bytes = head_bytes_most(config) + CONTENT_BYTES;
    s->gateway.upstreams = upstreams_new(&world, config->groups, config->group_count);
    if (s->gateway.upstreams == NULL)
        return -ENOMEM;
    timer_set(&w->wheel, &w->member_timer, w->loop.now_ms, 1);
    return 0;
}

static struct member_row row_of(const struct upstream_status *s)
{
    struct member_row row = { .live = s->live,
                              .resting = s->resting,
                              .checked_down = s->checked_down,
                              .down = s->down,
                              .connections = s->connections,
                              .idle = s->idle,
                              .exchanges = s->exchanges,
                              .waiting = s->waiting,
                              .requests = s->requests,
                              .failures = s->failures };

    member_row_name(row.upstream, s->group);
    member_row_name(row.server, s->text);
    return row;
}

void gateways_tell(struct timer *t)
{
    struct worker *w = (struct worker *)((char *)t - offsetof(struct worker, member_timer));
    const struct upstreams *upstreams = w->snapshot->gateway.upstreams;
    struct upstream_status all[MEMBER_ROWS];
    uint32_t count = upstreams != NULL ? upstreams_status(upstreams, all, MEMBER_ROWS) : 0;
    struct member_row *rows;

    if (count > MEMBER_ROWS)
        count = MEMBER_ROWS;
    rows = member_page_begin(&w->members, count);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = row_of(&all[i]);
    member_page_end(&w->members, count);
    if (upstreams != NULL)
        timer_set(&w->wheel, t, w->loop.now_ms, TELL_MS);
}

void gateways_close(struct snapshot *s)
{
    upstreams_release(&s->gateway.upstreams);
    gateway_worker_fini(&s->gateway);
}

void *gateways_of(const struct worker *w, struct snapshot *s, const struct resource_ops *resource)
{
    if (resource == &file_resource)
        return w->files;
    if (resource == &gateway_resource)
        return &s->gateway;
    if (resource == &fastcgi_resource)
        return s->gateway.upstreams;
    return resource == &admin_resource ? (void *)w->admin : (void *)w->cgi;
}
