#include "res/fastcgi/fastcgi.h"

#include "exchange/cgi_message.h"
#include "exchange/wait.h"
#include "res/fastcgi/fastcgi_impl.h"

static bool is_scripts_fault(enum reason why)
{
    return why == R_cgi_premature_exit || why == R_cgi_head_invalid || why == R_cgi_head_too_large ||
           why == R_cgi_timeout;
}

/* Another member would run the same script. One that has nothing to do with this request may have closed before it. */
enum flow fastcgi_fail(struct fastcgi *g, const struct verdict *v, bool harmless)
{
    struct attempt *now = forwarding_now(&g->forwarding);
    bool stale = now->kept && !g->in.any;

    now->failed = *v;
    if (v->operand.n == 0)
        now->failed.operand = g->forwarding.group;
    now->harmless = harmless;
    if (is_scripts_fault(v->why))
        g->forwarding.another_left = false;
    if (g->up != NULL)
        upstream_release(g->up, harmless || stale || is_scripts_fault(v->why) ? UPSTREAM_CLOSE : UPSTREAM_FAILED);
    g->up = NULL;
    g->search.fresh |= stale;
    g->phase = PHASE_IDLE;
    return FLOW_GO;
}

static enum flow fail(struct fastcgi *g, enum reason why, const char *where)
{
    struct verdict v;

    verdict_set_at(&v, why, 0, (struct span){ 0 }, where);
    return fastcgi_fail(g, &v, false);
}

static enum flow fastcgi_open(struct exchange *x)
{
    struct fastcgi *g = fastcgi_of(x);

    g->x = x;
    g->settings = x->res_settings;
    if (!fastcgi_script_find(g))
        return STOP(x, R_exchange_memory_exhausted, 0);
    g->forwarding.group = g->settings->groups[g->settings->group]->name;
    g->forwarding.attempts_most = FORWARD_ATTEMPTS;
    g->forwarding.until_ms = x->now_ms + g->settings->read_ms;
    x->forwarding = &g->forwarding;
    x->facts.exists = true;
    return FLOW_GO;
}

static void attempt_begin(struct fastcgi *g)
{
    struct forwarding *f = &g->forwarding;

    f->count++;
    f->attempts[f->count - 1] = (struct attempt){ .begun_ms = g->x->now_ms };
    g->out = (struct fastcgi_out){ .head = g->request, .taken_all = !g->x->req.has_content };
    g->in = (struct fastcgi_in){ 0 };
    cgi_head_init(&g->in.head, g->fields);
    g->watched = false;
    g->phase = PHASE_TAKE;
}

static bool room_take(struct fastcgi *g)
{
    const struct h1_limits *limits = &g->settings->head;

    if (g->head_text == NULL)
        g->head_text = arena_take(&g->x->arena, limits->head_bytes);
    if (g->fields == NULL)
        g->fields = arena_take(&g->x->arena, limits->fields * sizeof *g->fields);
    return g->head_text != NULL && g->fields != NULL && fastcgi_request_write(g);
}

static enum flow take(struct fastcgi *g)
{
    struct attempt *now = forwarding_now(&g->forwarding);
    enum flow f = upstream_take(g->x, g->x->res_worker, g->settings->group, 0, &g->search, &g->up);

    now->upstream = g->search.upstream;
    if (f == FLOW_WAIT)
        return f;
    now->kept = f == FLOW_GO && g->up->exchanges > 0;
    g->forwarding.another_left = g->search.another_left || now->kept;
    if (f == FLOW_STOP)
        return fastcgi_fail(g, &g->search.failed, true); /* nothing has been sent to whom no connection could be made */
    now->connected_ms = g->x->now_ms;
    g->phase = PHASE_ASK;
    return FLOW_GO;
}

/* The connection gives no more, or something that is not understood. */
static enum flow unanswered(struct fastcgi *g, struct verdict *v)
{
    bool nothing = !g->out.begun || v->why == R_fastcgi_overloaded;
    bool stale = forwarding_now(&g->forwarding)->kept && !g->in.any;

    exchange_cancel(g->x);
    if (v->why == R_upstream_connection_terminated && v->at == 0 && !stale)
        verdict_set_at(v, R_cgi_premature_exit, g->in.head_have, (struct span){ 0 }, v->where);
    return fastcgi_fail(g, v, nothing);
}

/* FLOW_WAIT: the head is not here yet, but nothing else is wrong. */
static enum flow head_take(struct fastcgi *g)
{
    struct fastcgi_in *in = &g->in;
    const struct h1_limits *limits = &g->settings->head;
    enum reason why = R_MORE;
    struct verdict v = { 0 };
    struct span run;

    while (why == R_MORE) {
        enum reason got = fastcgi_receive(g, limits->head_bytes - in->head_have, &run, &v);

        if (got == R_MORE)
            return FLOW_WAIT;
        if (got == R_NONE && run.n == 0)
            verdict_set(&v, R_upstream_connection_terminated, 0);
        if (got != R_NONE || run.n == 0)
            return unanswered(g, &v);
        memcpy(g->head_text + in->head_have, run.p, run.n);
        in->head_have += (uint32_t)run.n;
        why = cgi_parse_head((struct span){ g->head_text, in->head_have }, limits, &in->head, &v);
    }
    if (why != R_NONE)
        return unanswered(g, &v);
    upstream_well(g->up);
    in->rest = span_from((struct span){ g->head_text, in->head_have }, in->head.lines.bytes);
    forwarding_now(&g->forwarding)->head_ms = g->x->now_ms;
    exchange_cancel(g->x); /* the codec may have parked x for the client's content */
    g->phase = PHASE_ANSWERED;
    return FLOW_GO;
}

static enum flow ask(struct fastcgi *g)
{
    bool is_late = fastcgi_is_late(g);
    enum fastcgi_step sending = fastcgi_send(g);
    enum flow f;

    if (sending == STEP_STOP)
        return FLOW_STOP;
    f = head_take(g);
    if (f != FLOW_WAIT)
        return f;
    if (is_late && g->watched && sending != STEP_CLIENT)
        return fail(g, sending == STEP_BLOCKED ? R_upstream_write_timeout : R_cgi_timeout, HERE);
    return fastcgi_wait(g, sending, "upstream");
}

static enum flow fastcgi_attempt(struct exchange *x)
{
    struct fastcgi *g = fastcgi_of(x);
    enum flow f;

    if (!room_take(g))
        return STOP(x, R_exchange_memory_exhausted, 0);
    if (g->phase == PHASE_IDLE)
        attempt_begin(g);
    if (g->phase == PHASE_TAKE) {
        f = take(g);
        if (f != FLOW_GO || g->phase != PHASE_ASK)
            return f;
    }
    return ask(g);
}

static enum flow fastcgi_relay(struct exchange *x)
{
    struct fastcgi *g = fastcgi_of(x);

    g->body = (struct body){ .ops = &fastcgi_body, .length = cgi_reply_length(&g->in.head) };
    if (g->body.length != 0)
        x->reply.body = &g->body;
    cgi_reply_fill(x, &g->in.head);
    cgi_status_tell(x, g->forwarding.group);
    return FLOW_GO;
}

static void fastcgi_describe(struct exchange *x, enum reason why)
{
    struct fastcgi *g = fastcgi_of(x);

    cgi_status_explain(x, why, g->forwarding.count > 0 ? g->forwarding.group : (struct span){ 0 });
}

static void fastcgi_close(struct exchange *x)
{
    struct fastcgi *g = fastcgi_of(x);

    upstream_abandon(&g->search);
    fastcgi_release(g);
}

const struct resource_ops fastcgi_resource = {
    .name = "fastcgi",
    .methods = UINT64_MAX & ~(UINT64_C(1) << M_UNKNOWN | UINT64_C(1) << M_CONNECT),
    .state_bytes = sizeof(struct fastcgi),
    .open = fastcgi_open,
    .attempt = fastcgi_attempt,
    .relay = fastcgi_relay,
    .describe = fastcgi_describe,
    .close = fastcgi_close,
};
