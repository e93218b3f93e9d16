#include "res/gateway/gateway.h"

#include <errno.h>
#include <stdlib.h>

#include "exchange/wait.h"
#include "http/max_forwards.h"
#include "http/proxy_status.h"
#include "http/via.h"
#include "res/gateway/gateway_impl.h"

enum upstream_end gateway_end(enum reason why)
{
    switch (why) {
    case R_upstream_connection_terminated:
    case R_upstream_response_incomplete:
    case R_upstream_write_failed:
    case R_upstream_write_timeout:
    case R_upstream_read_timeout:
    case R_upstream_response_timeout:
    case R_upstream_headers_unparseable:
    case R_upstream_tls_alert:
        return UPSTREAM_FAILED;
    default:
        return UPSTREAM_CLOSE;
    }
}

/* A kept connection was closed in the moment in which it was used: nobody's fault. RFC9112:9.3.1 */
static bool is_stale(struct gateway *g, enum reason why)
{
    return forwarding_now(&g->forwarding)->kept && !g->in.any &&
           (why == R_upstream_connection_terminated || why == R_upstream_write_failed);
}

/* The operand may lie in the connection's buffer. */
enum flow gateway_fail(struct gateway *g, enum reason why, uint32_t at, struct span operand, bool harmless,
                       const char *where)
{
    struct attempt *now = forwarding_now(&g->forwarding);

    operand = operand.n > 0 ? arena_copy(&g->x->arena, operand) : g->forwarding.group;
    verdict_set_at(&now->failed, why, at, operand, where);
    now->harmless = harmless;
    g->stale = is_stale(g, why);
    g->forwarding.another_left |= g->stale;
    if (g->up != NULL)
        upstream_release(g->up, harmless || g->stale ? UPSTREAM_CLOSE : gateway_end(why));
    g->up = NULL;
    g->phase = PHASE_IDLE;
    return FLOW_GO;
}

static bool heeds_max_forwards(const struct exchange *x)
{
    return x->req.head.method == M_TRACE || x->req.head.method == M_OPTIONS;
}

static void forwarding_fill(struct gateway *g)
{
    struct exchange *x = g->x;
    const struct gateway_settings *s = g->settings;
    struct forwarding *f = &g->forwarding;
    size_t returned = via_count(&x->req.head, s->name) + via_count_cdn(&x->req.head, s->name);
    uint32_t next;

    f->attempts_most = s->attempts;
    f->until_ms = x->now_ms + s->attempts_ms;
    f->returned = returned < UINT8_MAX ? (uint8_t)returned : UINT8_MAX;
    f->returns_most = s->returns;
    f->forwards_used_up = heeds_max_forwards(x) && max_forwards_read(&x->req.head, &next) == MAX_FORWARDS_LAST;
    x->forwarding = f;
}

static enum reason group_choose(struct gateway *g)
{
    struct exchange *x = g->x;

    g->group = gateway_choose(x, g->settings);
    if (g->group == GATEWAY_NO_GROUP)
        return R_gateway_destination_not_configured;
    g->forwarding.group = g->settings->groups[g->group]->name;
    g->hash = gateway_hash(x, g->settings->groups[g->group]);
    return R_NONE;
}

static enum flow gateway_open(struct exchange *x)
{
    struct gateway *g = gateway_of(x);
    enum reason why;

    g->x = x;
    g->settings = x->res_settings;
    forwarding_fill(g);
    x->facts.exists = true;
    why = gateway_request_fits(x);
    if (why == R_NONE)
        why = g->settings->proxy != NULL ? gateway_proxy_open(x) : group_choose(g);
    if (why == R_NONE && x->req.target.form != TARGET_AUTHORITY)
        why = gateway_places(g);
    return why == R_NONE ? FLOW_GO : STOP(x, why, 0);
}

static void attempt_begin(struct gateway *g)
{
    struct forwarding *f = &g->forwarding;
    uint32_t tried = g->search.tried;

    f->count++;
    f->attempts[f->count - 1] = (struct attempt){ .begun_ms = g->x->now_ms };
    g->search = (struct upstream_search){ .tried = tried, .fresh = g->stale };
    g->out = (struct gateway_out){ .replay = g->out.replay,
                                   .replay_room = g->out.replay_room,
                                   .replay_bytes = g->out.replay_bytes };
    g->in = (struct gateway_in){ 0 };
    g->sent_ms = 0;
    g->phase = PHASE_TAKE;
}

static enum flow search(struct gateway *g)
{
    if (g->settings->proxy != NULL)
        return gateway_proxy_take(g);
    return upstream_take(g->x, gateway_worker(g->x)->upstreams, g->group, g->hash, &g->search, &g->up);
}

/* Addresses of those inside are for the log and the console, not for clients; what is wrong with a certificate is told. */
static struct span told_of(const struct verdict *v)
{
    bool tls =
        v->why == R_upstream_tls_handshake || v->why == R_upstream_tls_alert || v->why == R_upstream_tls_certificate;

    return tls ? v->operand : (struct span){ 0 };
}

/* Nothing has been sent to whom no connection could be made. */
static enum flow search_failed(struct gateway *g)
{
    const struct verdict *v = &g->search.failed;

    g->forwarding.another_left = g->search.another_left;
    return gateway_fail(g, v->why, v->at, told_of(v), true, v->where);
}

/* A tunnel is asked for: there is nothing to send, and nothing is answered. RFC9110:9.3.6 */
static enum flow tunnel_open(struct gateway *g)
{
    g->forwarding.connected = g->tunnel = true;
    forwarding_now(&g->forwarding)->head_ms = g->x->now_ms;
    g->phase = PHASE_ANSWERED;
    return FLOW_GO;
}

static enum flow take(struct gateway *g)
{
    struct attempt *now = forwarding_now(&g->forwarding);
    enum flow f = search(g);
    enum reason why;

    now->upstream = g->search.upstream;
    if (f == FLOW_WAIT)
        return f;
    if (f == FLOW_STOP)
        return search_failed(g);
    now->connected_ms = g->x->now_ms;
    now->kept = g->up->exchanges > 0;
    g->forwarding.another_left = g->search.another_left;
    if (g->settings->proxy != NULL && g->x->req.head.method == M_CONNECT)
        return tunnel_open(g);
    g->phase = PHASE_ASK;
    why = gateway_request_write(g);
    return why == R_NONE ? FLOW_GO : STOP(g->x, why, 0);
}

/* The connection broke while it was written to; what it said before that counts more, if it can be told what that was. */
static enum flow broken(struct gateway *g, const struct verdict *read)
{
    bool nothing = gateway_sent_nothing(g);
    struct span about;

    if (upstream_tls_alert(g->up, &about) != R_NONE)
        return gateway_fail(g, R_upstream_tls_alert, 0, about, nothing, HERE);
    if (nothing || (g->out.closed && (!g->in.any || read->why == R_NONE)))
        return gateway_fail(g, R_upstream_write_failed, (uint32_t)g->up->error, (struct span){ 0 }, nothing, HERE);
    return gateway_fail(g, read->why, read->at, read->operand, false, read->where);
}

static enum flow late(struct gateway *g, enum gateway_step sending)
{
    const struct gateway_settings *s = g->settings;
    bool over = s->response_ms > 0 && g->sent_ms > 0 && g->x->now_ms >= g->sent_ms + s->response_ms;

    if (sending == STEP_BLOCKED)
        return FAIL(g, R_upstream_write_timeout, 0);
    return FAIL(g, over ? R_upstream_response_timeout : R_upstream_read_timeout, 0);
}

/* Who only does not listen any more may still answer; whatever else there is has broken both directions. */
static bool is_broken(const struct gateway *g)
{
    return g->out.closed && g->up->error != EPIPE;
}

static bool held_is_over(const struct gateway *g)
{
    return g->out.held && g->x->now_ms >= g->out.held_ms + gateway_held_ms(g);
}

static enum flow ask(struct gateway *g)
{
    bool is_late = upstream_is_late(g->up);
    enum gateway_step sending, receiving;
    struct verdict v = { 0 };

    if (held_is_over(g))
        g->out.held = is_late = false;
    sending = gateway_send(g);
    if (sending == STEP_STOP)
        return FLOW_STOP;
    receiving = gateway_receive(g, &v);
    if (receiving == STEP_DONE) {
        exchange_cancel(g->x);
        upstream_well(g->up);
        forwarding_now(&g->forwarding)->head_ms = g->x->now_ms;
        g->phase = PHASE_ANSWERED;
        return FLOW_GO;
    }
    if (receiving == STEP_FAILED || is_broken(g)) {
        exchange_cancel(g->x);
        return broken(g, &v);
    }
    if (!g->out.held && g->out.head.n + g->out.piece.n + g->out.line.n == 0 && !g->out.taken_all &&
        sending == STEP_DONE)
        return ask(g); /* an interim response has let the content go */
    if (is_late && sending != STEP_CLIENT) {
        exchange_cancel(g->x);
        return late(g, sending);
    }
    return gateway_wait(g, sending, "upstream");
}

static enum flow gateway_attempt(struct exchange *x)
{
    struct gateway *g = gateway_of(x);
    enum flow f;

    if (g->phase == PHASE_IDLE) {
        f = gateway_collect(g);
        if (f != FLOW_GO)
            return f;
        attempt_begin(g);
    }
    if (g->phase == PHASE_TAKE) {
        f = take(g);
        if (f != FLOW_GO || g->phase != PHASE_ASK)
            return f;
    }
    return ask(g);
}

static bool has_content(const struct framing *f)
{
    return f->kind != FRAMING_NONE && !(f->kind == FRAMING_LENGTH && f->length == 0);
}

/* HEAD is told of the content that GET would have. RFC9110:9.3.2 */
static struct framing framing_told(const struct gateway *g)
{
    struct framing told = g->in.framing;
    struct verdict v;

    if (g->x->req.head.method == M_HEAD && response_framing(&g->in.response, M_GET, &told, &v) != R_NONE)
        told = g->in.framing;
    return told;
}

/* RFC9110:15.3.4 */
static struct body *content_change(struct gateway *g)
{
    struct exchange *x = g->x;
    struct transform_plan plan = transform_plan(x, g->settings, &g->in.response, g->body.length);
    struct body *changed = NULL;

    if (transform_changes(&plan))
        changed = transform_make(x, &plan, &g->settings->insertion, &g->body);
    if (transform_changes(&plan) && changed == NULL)
        return &g->body;
    g->change = plan;
    g->in.copies = g->forwarding.transformed = changed != NULL;
    return changed != NULL ? changed : &g->body;
}

static void body_set(struct gateway *g)
{
    struct exchange *x = g->x;
    struct framing told = framing_told(g);

    g->change = (struct transform_plan){ .coding = CODING_IDENTITY };
    if (g->tunnel) {
        g->body = (struct body){ .ops = &gateway_tunnel, .length = -1 };
        x->reply.tunnel = true;
    } else if (has_content(&told)) {
        g->body =
            (struct body){ .ops = &gateway_body, .length = told.kind == FRAMING_LENGTH ? (int64_t)told.length : -1 };
    } else {
        return;
    }
    x->reply.body = g->tunnel ? &g->body : content_change(g);
}

static enum flow gateway_relay(struct exchange *x)
{
    struct gateway *g = gateway_of(x);

    if (g->told)
        return gateway_keep(g);
    g->told = true;
    body_set(g);
    if (!g->forwarding.connected)
        gateway_reply_fields(g);
    if (!gateway_keeps(g))
        return FLOW_GO;
    gateway_fields_hold(x);
    return gateway_keep(g);
}

/* An answer of our own tells that it is one, and why no upstream gave it. RFC9209:2 */
static void gateway_describe(struct exchange *x, enum reason why)
{
    struct gateway *g = gateway_of(x);
    struct proxy_status s = { .name = g->settings->name, .why = why };

    if (g->forwarding.count > 0)
        s.next_hop = g->forwarding.group;
    if (g->settings->proxy != NULL)
        gateway_proxy_describe(x, why);
    if (x->reply.relayed.fields != NULL)
        return;
    if (reason_info(why)->proxy_error[0] != '\0')
        gateway_status_add(x, &s);
}

/* Content that was known to be whole leaves the connection fit for another exchange. */
void gateway_release(struct gateway *g)
{
    bool whole = g->in.done && g->in.keeps && g->out.taken_all && g->out.head.n + g->out.line.n + g->out.piece.n == 0;

    if (g->up == NULL)
        return;
    upstream_release(g->up, whole ? UPSTREAM_KEEP : UPSTREAM_CLOSE);
    g->up = NULL;
}

static void gateway_close(struct exchange *x)
{
    struct gateway *g = gateway_of(x);

    upstream_abandon(&g->search);
    gateway_release(g);
    free(g->out.replay);
    free(g->kept.bytes);
    g->out.replay = g->kept.bytes = NULL;
}

const struct resource_ops gateway_resource = {
    .name = "gateway",
    .methods = UINT64_MAX & ~(UINT64_C(1) << M_UNKNOWN),
    .state_bytes = sizeof(struct gateway),
    .open = gateway_open,
    .authenticate = gateway_proxy_authenticate,
    .attempt = gateway_attempt,
    .relay = gateway_relay,
    .describe = gateway_describe,
    .close = gateway_close,
};
