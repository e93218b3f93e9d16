#include "serve/admin_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "io/listen.h"
#include "io/log_ring.h"
#include "res/gateway/admissions.h"
#include "serve/running.h"

#define BACKLOG           128
#define CONNECTIONS_SPARE 256u /* besides those of event streams */

int admin_server_listen(struct admin_server *a, const struct config *config)
{
    const char *why = "";
    int err;

    a->fd = -1;
    if (config->admin.listen == NULL)
        return 0;
    if (address_parse(span_of(config->admin.listen), &a->address, &why) != 0) {
        fprintf(stderr, "verdict: admin: %s: %s\n", config->admin.listen, why);
        return 1;
    }
    err = listen_open(&a->address, BACKLOG, LISTEN_FIRST, &a->fd);
    if (err == 0)
        err = address_of_socket(a->fd, &a->address);
    if (err == 0)
        return 0;
    if (err == -EADDRINUSE && !config->admin.listen_said) {
        fprintf(stderr, "verdict: no console: %s is in use: choose another place with --admin, or --admin off\n",
                a->address.text);
        return 0;
    }
    fprintf(stderr, "verdict: cannot listen on %s: %s\n", a->address.text, listen_advice(err));
    return 1;
}

static const char *source_site_name(void *server, uint16_t site)
{
    const struct admin_server *a = server;

    return sites_name(a->sites, site);
}

static uint64_t source_lines_lost(void *server, uint32_t worker)
{
    const struct admin_server *a = server;

    return worker < a->shared.workers && a->workers[worker].log != NULL ? log_ring_dropped(a->workers[worker].log) : 0;
}

static void source_ask_running(void *server, struct running_request *r)
{
    struct admin_server *a = server;

    running_ask(r, &a->workers[r->worker], &a->worker);
}

static bool source_admit(void *server, const struct sockaddr *client, uint64_t until_ms, uint64_t now_ms)
{
    const struct admin_server *a = server;
    uint8_t key[ADDRESS_KEY_BYTES];

    address_key(client, key);
    return admissions_add(a->shared.admissions, key, until_ms, now_ms);
}

static bool source_expel(void *server, const struct sockaddr *client)
{
    const struct admin_server *a = server;
    uint8_t key[ADDRESS_KEY_BYTES];

    address_key(client, key);
    return admissions_remove(a->shared.admissions, key);
}

static bool source_is_admitted(void *server, const struct sockaddr *client, uint64_t now_ms)
{
    const struct admin_server *a = server;
    uint8_t key[ADDRESS_KEY_BYTES];

    address_key(client, key);
    return admissions_have(a->shared.admissions, key, now_ms);
}

static uint32_t source_admitted_count(void *server, uint64_t now_ms)
{
    const struct admin_server *a = server;

    return admissions_count(a->shared.admissions, now_ms);
}

static void source_admissions(struct admin_source *source)
{
    source->admit = source_admit;
    source->expel = source_expel;
    source->is_admitted = source_is_admitted;
    source->admitted_count = source_admitted_count;
}

static int64_t unix_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void source_make(struct admin_server *a)
{
    uint32_t count = a->shared.workers;

    for (uint32_t i = 0; i < count; i++)
        a->views[i] = (struct admin_view){ .recorder = &a->workers[i].recorder,
                                           .tally = a->workers[i].tally,
                                           .members = &a->workers[i].members };
    a->views[count] =
        (struct admin_view){ .recorder = &a->worker.recorder, .tally = a->worker.tally, .is_admin = true };
    a->source = (struct admin_source){ .server = a,
                                       .views = a->views,
                                       .view_count = count + 1,
                                       .started_unix_ms = unix_now_ms(),
                                       .site_name = source_site_name,
                                       .log_lines_lost = source_lines_lost,
                                       .ask_running = source_ask_running };
    if (a->shared.admissions != NULL)
        source_admissions(&a->source);
}

/* Limits of its own: a full server can still be asked why. */
static bool shared_make(struct admin_server *a, const struct worker_shared *shared, const struct config *config)
{
    a->shared = *shared;
    a->shared.admin_source = &a->source;
    a->shared.clients = clients_new(shared->id_seed);
    a->shared.connections_limit = (uint32_t)config->settings[SETTING_event_streams] + CONNECTIONS_SPARE;
    a->shared.per_client_limit = a->shared.connections_limit;
    a->views = calloc((size_t)shared->workers + 1, sizeof *a->views);
    return a->shared.clients != NULL && a->views != NULL && worker_remember(&a->worker, config);
}

int admin_server_start(struct admin_server *a, const struct worker_shared *shared, struct worker *workers,
                       struct sites *sites, struct shared_config *config)
{
    const struct worker_listen listen = { &a->address, &a->fd, 1, 1, 0 };
    int err = -ENOMEM;

    if (a->fd < 0)
        return 0;
    a->workers = workers;
    a->sites = sites;
    if (shared_make(a, shared, config->config)) {
        source_make(a);
        atomic_fetch_add(&config->holders, 1);
        err = worker_start(&a->worker, &a->shared, shared->workers, config, &listen);
    }
    if (err != 0) {
        fprintf(stderr, "verdict: cannot start the admin listener: %s\n", strerror(-err));
        return 1;
    }
    a->fd = -1;
    a->runs = true;
    return 0;
}

bool admin_server_accepts(const struct admin_server *a, const struct config *config)
{
    if (!a->runs || config->admin.token.n > 0 || address_is_local(&a->address))
        return true;
    fprintf(
        stderr,
        "verdict: reload: admin: the listener stays at %s, which other machines reach: keep its token, or start anew\n",
        a->address.text);
    return false;
}

void admin_server_stop(struct admin_server *a)
{
    if (!a->runs)
        return;
    worker_drain(&a->worker);
    worker_stop(&a->worker);
    worker_join(&a->worker);
}

void admin_server_fini(struct admin_server *a)
{
    if (a->fd >= 0)
        listen_close(&a->address, a->fd);
    if (a->runs)
        worker_fini(&a->worker);
    worker_forget(&a->worker);
    clients_release(&a->shared.clients);
    free(a->views);
}
