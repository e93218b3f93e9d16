#include "serve/exchange_host.h"

#include "explain/code.h"
#include "graph/graph.h"
#include "serve/access_log.h"
#include "serve/answer.h"
#include "serve/gateways.h"
#include "serve/route.h"
#include "serve/worker.h"

static void host_tick(struct exchange *x)
{
    const struct worker *w = x->worker;

    x->now_ms = w->loop.now_ms;
    x->unix_seconds = w->loop.unix_s;
    x->unix_ms = (uint64_t)w->loop.unix_ms;
}

/* Different for a long time within a server, and no guess at how much it serves: a counter that steps over the other
 * workers' numbers, scrambled one to one. Across servers and restarts the random seed keeps ids apart, mostly. */
static uint64_t next_number(struct worker *w)
{
    const uint64_t mask = (UINT64_C(1) << EXCHANGE_ID_BITS) - 1;
    uint64_t n = (w->next_id * UINT64_C(0x9e3779b97f4a7c15)) & mask;

    w->next_id += w->id_step;
    n ^= n >> 19;
    return (n * UINT64_C(0xbf58476d1ce4e5b9)) & mask;
}

static void run(struct exchange *x)
{
    if (graph_run(x) == FLOW_STOP)
        answer(x);
}

static void host_begin(struct exchange *x)
{
    struct worker *w = x->worker;

    w->snapshot->holders++;
    tally_running(w->tally, 1);
    x->snapshot = w->snapshot;
    x->policy = &w->snapshot->shared->config->policy;
    x->number = next_number(w);
    run(x);
}

static void host_route(struct exchange *x)
{
    struct snapshot *s = x->snapshot;
    const struct worker *w = x->worker;

    route_choose(x, s->shared->config, w->admin != NULL ? ROUTE_ADMIN : ROUTE_PUBLIC);
    x->res_worker = gateways_of(w, s, x->res);
}

static void host_resume(struct exchange *x)
{
    host_tick(x);
    if (x->verdict.why != R_NONE)
        x->codec->reply(x);
    else
        run(x);
}

/* For formats with one number: what nginx and Cloudflare log instead of the status that was sent. */
static uint16_t status_told(struct code code, enum dialect dialect)
{
    return code.detail > 0 && dialect != DIALECT_IIS ? code.detail : code.wire;
}

static __attribute__((noinline)) void log_write(struct exchange *x, struct worker *w)
{
    char line[ACCESS_LOG_LINE_BYTES], client[ADDRESS_TEXT_BYTES];
    enum dialect dialect = x->policy->dialect;
    struct code code = reason_code(x->verdict.why, dialect);
    struct access_log_peer peer = { .id = exchange_id(x), .status = status_told(code, dialect) };
    struct explain_code detail;
    size_t n;

    peer.client = address_print((const struct sockaddr *)x->peer.p, (socklen_t)x->peer.n, ADDRESS_HOST, client);
    if (code.detail > 0) {
        detail = explain_detail(x->verdict.why, dialect);
        peer.detail = span_of(detail.text);
    }
    n = w->shared->log_combined ? access_log_combined(x, &peer, &w->log_second, line)
                                : access_log_json(x, &peer, &w->log_second, line);
    log_line(w->log, (struct span){ line, n });
}

/* The codec's buffers and the resource's state are still there. Where the recorder has a place for it, the next reply is
 * written there. */
static void record(const struct exchange *x, struct worker *w)
{
    const struct snapshot *s = x->snapshot;
    char *place;

    recorder_write(&w->recorder, x, &s->shared->config->admin.secrets);
    place = recorder_reply_place(&w->recorder);
    if (place != NULL)
        w->wire.scratch = place;
}

static void host_ended(struct exchange *x)
{
    struct worker *w = x->worker;

    host_tick(x);
    x->moments.ended_ms = x->now_ms;
    if (w->log != NULL)
        log_write(x, w);
    tally_running(w->tally, -1);
    tally_add(w->tally, x);
    if (RECORDER)
        record(x, w);
    if (x->res_opened && x->res->close != NULL)
        x->res->close(x);
    snapshot_leave(x->snapshot);
}

const struct exchange_host worker_exchange_host = {
    .begin = host_begin, .tick = host_tick, .route = host_route, .resume = host_resume, .ended = host_ended
};

static bool wire_announces(const struct wire *wire, enum wire_port port, const struct sockaddr *peer)
{
    const struct worker *w = wire->worker;
    const struct config *config = w->snapshot->shared->config;

    return config->proxy_protocol && w->admin == NULL && port != WIRE_PROXY && route_trusts(config, peer);
}

/* Up to the limit: served. Up to twice the limit: told that there are too many. Beyond: closed. RFC9110:15.6.4 */
static bool enter(struct conn *c, uint32_t same_most)
{
    const struct worker *w = c->wire->worker;
    uint32_t total, same;

    c->client = clients_enter(w->shared->clients, conn_peer(c), &total, &same);
    c->over_server = total > w->shared->connections_limit;
    c->over_client = same > same_most;
    if (total / 2 <= w->shared->connections_limit && same / 2 <= same_most)
        return true;
    tally_refused(w->tally);
    return false;
}

/* Whoever speaks for many is no client by itself. */
static bool wire_accepted(struct conn *c)
{
    const struct worker *w = c->wire->worker;

    tally_connections(w->tally, 1);
    return enter(c, c->announced ? UINT32_MAX : w->shared->per_client_limit);
}

static bool wire_renamed(struct conn *c)
{
    const struct worker *w = c->wire->worker;

    clients_leave(w->shared->clients, c->client);
    return enter(c, w->shared->per_client_limit);
}

static void wire_closed(struct conn *c)
{
    const struct worker *w = c->wire->worker;

    tally_connections(w->tally, -1);
    clients_leave(w->shared->clients, c->client);
    if (c->held != NULL)
        snapshot_leave(c->held);
}

/* Which clients a site wants depends on the configuration that the connection began with. */
static const struct site *site_of(const struct snapshot *s, struct span server_name)
{
    return route_site(s->shared->config, server_name);
}

static const struct tls_clients *choose_clients(void *snapshot, struct span server_name)
{
    const struct site *site = site_of(snapshot, server_name);

    return site != NULL ? site->clients : NULL;
}

static struct tls *wire_secure(struct conn *c)
{
    struct worker *w = c->wire->worker;
    struct tls_store *store = w->snapshot->shared->config->tls.store;

    if (store == NULL)
        return NULL;
    if (c->held == NULL) {
        c->held = w->snapshot;
        w->snapshot->holders++;
    }
    return tls_new(store, c->watch.fd, choose_clients, c->held);
}

static enum client_auth wire_client_auth(struct conn *c, struct span server_name)
{
    const struct site *site = site_of(c->held, server_name);

    return site != NULL ? site->client_auth : CLIENT_AUTH_OFF;
}

const struct wire_host worker_wire_host = {
    .announces = wire_announces,
    .accepted = wire_accepted,
    .renamed = wire_renamed,
    .closed = wire_closed,
    .secure = wire_secure,
    .client_auth = wire_client_auth,
};
