#include "fake.h"

#include <stdlib.h>

#include "graph/walk.h"
#include "http/framing.h"
#include "http/h1_parse.h"

#define BIT(m) (UINT64_C(1) << (m))
#define NOW    1767225600 /* 2026-01-01 */

static const struct fake *now;
static struct fake_result *result;

static enum flow fake_open(struct exchange *x)
{
    if (x->policy->answers)
        return now->give == R_NONE ? FLOW_GO : STOP(x, now->give, 0);
    x->facts = now->facts;
    return FLOW_GO;
}

static enum flow fake_go(struct exchange *x)
{
    (void)x;
    return FLOW_GO;
}

static const struct resource_ops resource = {
    .name = "fake",
    .methods = BIT(M_GET) | BIT(M_HEAD) | BIT(M_PUT) | BIT(M_DELETE) | BIT(M_OPTIONS),
    .open = fake_open,
    .select = fake_go,
    .encode = fake_go,
    .produce = fake_go,
    .part = fake_go,
    .list = fake_go,
    .choices = fake_go,
    .compare = fake_go,
    .accept = fake_go,
    .remove = fake_go,
};

static const struct resource_ops whole_only = {
    .name = "whole",
    .methods = BIT(M_GET) | BIT(M_HEAD) | BIT(M_OPTIONS),
    .open = fake_open,
    .produce = fake_go,
};

/* Speaks a protocol of its own: only GET asks for that. */
static const struct resource_ops talker = {
    .name = "talker",
    .methods = BIT(M_GET),
    .open = fake_open,
    .produce = fake_go,
};

static enum flow fake_open_forward(struct exchange *x)
{
    x->forwarding = arena_zero(&x->arena, sizeof *x->forwarding);
    DIE_UNLESS(x->forwarding != NULL);
    *x->forwarding = now->forwarding;
    return now->give == R_NONE ? FLOW_GO : STOP(x, now->give, 0);
}

static enum flow fake_authenticate(struct exchange *x)
{
    return now->credentials == R_NONE ? FLOW_GO : STOP(x, now->credentials, 0);
}

static enum flow fake_attempt(struct exchange *x)
{
    struct forwarding *f = x->forwarding;

    DIE_UNLESS(f->count < FORWARD_ATTEMPTS);
    f->attempts[f->count] = now->tries[f->count];
    f->count++;
    f->content_gone = now->content_gone_with > 0 && f->count >= now->content_gone_with;
    return now->cut == R_NONE ? FLOW_GO : STOP(x, now->cut, 0);
}

static enum flow fake_relay(struct exchange *x)
{
    DIE_UNLESS(forwarding_now(x->forwarding)->failed.why == R_NONE);
    return now->no_answer == R_NONE ? FLOW_GO : STOP(x, now->no_answer, 0);
}

/* Takes what any upstream might, and judges nothing. */
static const struct resource_ops forwarder = {
    .name = "forwarder",
    .methods = UINT64_MAX,
    .open = fake_open_forward,
    .authenticate = fake_authenticate,
    .attempt = fake_attempt,
    .relay = fake_relay,
};

static struct resource_ops greedy;

static void fake_route(struct exchange *x)
{
    static const int a_site, a_route;

    x->site = now->no_site ? NULL : &a_site;
    x->site_stopped = now->site_stopped;
    x->policy = &now->policy;
    if (now->no_site || now->no_route)
        return;
    x->route = &a_route;
    greedy = now->policy.forwards ? forwarder : now->policy.tunnels ? talker : resource;
    if (now->open_to_all)
        greedy.authenticate = NULL;
    greedy.state_bytes = now->state_bytes;
    x->res = now->no_ranges ? &whole_only : &greedy;
}

static void fake_interim(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count)
{
    DIE_UNLESS(x->verdict.why == R_NONE);
    for (uint32_t i = 0; i < count; i++)
        DIE_UNLESS(span_is(fields[i].name, SPAN("Link")) && fields[i].value.n > 0);
    result->interims++;
    result->interim = why;
    result->interim_fields = count;
}

static const struct exchange_host host = { .route = fake_route };

static void request_set(struct exchange *x, const char *raw)
{
    static const struct h1_limits limits = { 8192, 8192, 16384, 100 };
    struct framing framing = { .kind = FRAMING_NONE };

    enum reason r = h1_parse_head(span_of(raw), &limits, &x->req.head, &x->head_verdict);

    if (r == R_NONE)
        r = framing_choose(&x->req.head, &framing, &x->head_verdict);
    DIE_UNLESS(r == x->head_verdict.why);
    if (now->head_refusal != R_NONE)
        verdict_set(&x->head_verdict, now->head_refusal, 0);
    x->req.has_content = framing.kind != FRAMING_NONE;
    x->req.length_known = framing.kind != FRAMING_CHUNKED;
    x->req.length = framing.length;
}

static struct policy generous(struct policy p)
{
    if (p.methods == 0)
        p.methods = p.forwards ? forwarder.methods : resource.methods;
    if (p.content_limit_bytes == 0)
        p.content_limit_bytes = 1000;
    if (p.path_limit_bytes == 0)
        p.path_limit_bytes = 1000;
    if (p.query_limit_bytes == 0)
        p.query_limit_bytes = 1000;
    if (p.segments_limit == 0)
        p.segments_limit = 100;
    return p;
}

/* Somebody is always left to ask, and there is time for it. */
static struct forwarding patient(struct forwarding f)
{
    if (f.attempts_most == 0)
        f.attempts_most = FORWARD_ATTEMPTS;
    if (f.until_ms == 0)
        f.until_ms = 1000;
    return f;
}

static void exchange_set(struct exchange *x, const struct fake *fake)
{
    static const struct policy unrouted;

    x->policy = &unrouted;
    x->transport = &fake->transport;
    x->unix_seconds = NOW;
    x->now_ms = fake->now_ms;
    x->server_full = fake->server_full;
    x->client_full = fake->client_full;
    x->descriptors_full = fake->descriptors_full;
    x->misdirected = fake->misdirected;
    x->from_trusted = fake->from_trusted;
    x->req.early = fake->early;
    x->req.connect_protocol = fake->connect_protocol;
}

void fake_run(const char *raw, const struct fake *fake, struct fake_result *out)
{
    struct fake mine = *fake;
    struct codec_ops codec = { .name = "fake", .major = mine.major > 0 ? mine.major : 1, .interim = fake_interim };
    struct field fields[HEAD_FIELDS_MAX];
    struct exchange *x = calloc(1, sizeof *x);

    DIE_UNLESS(x != NULL);
    mine.policy = generous(mine.policy);
    mine.forwarding = patient(mine.forwarding);
    now = &mine;
    result = out;
    out->interims = 0;
    arena_init(&x->arena, NULL, 0, mine.arena_bytes > 0 ? mine.arena_bytes : 1 << 20);
    head_init(&x->req.head, fields);
    x->host = &host;
    x->codec = &codec;
    exchange_set(x, &mine);
    request_set(x, raw);
    DIE_UNLESS(graph_run(x) == FLOW_STOP);
    out->verdict = x->verdict;
    out->trace = x->trace;
    walk_print(x->trace, x->verdict.why, out->path, sizeof out->path);
    arena_reset(&x->arena);
    free(x);
}
