#include <errno.h>

#include "base/bounded.h"
#include "http/date.h"
#include "http/forward.h"
#include "http/proxy_status.h"
#include "http/token.h"
#include "http/via.h"
#include "res/gateway/gateway_impl.h"

/* Responses that come before the final one and mean something to the client. */
static const enum reason interims[] = { R_processing_long, R_early_hints, R_upload_resumption_offer };

static bool is_status(const struct gateway *g, enum reason why)
{
    return g->in.response.status == reason_code(why, DIALECT_RFC).wire;
}

/* A client of HTTP/1.0 knows of one response only. RFC9110:15.2 */
static bool takes_interim(const struct exchange *x)
{
    return x->req.head.major > 1 || x->req.head.minor > 0;
}

/* A stream had no key that could be accepted (RFC8441:5). Who answered behind us may be such a server as we are: its verdict
 * gives way to ours, with which ours is told. */
static bool is_passed_on(const struct exchange *x, const struct field *line)
{
    if (span_is_nocase(line->name, SPAN("verdict")))
        return x->policy->explain == EXPLAIN_OFF;
    return x->req.connect_protocol.n == 0 || !span_is_nocase(line->name, SPAN("sec-websocket-accept"));
}

/* The lines of the head that go on, as fields of a reply. NULL: the arena is full, or they are not fit to go on. */
static struct reply_field *lines_take(struct gateway *g, uint32_t *count)
{
    struct exchange *x = g->x;
    const struct head *head = &g->in.response.head;
    struct reply_field *fields = arena_take(&x->arena, (head->count + 1u) * sizeof *fields);
    struct forward f;
    const struct field *line;

    *count = 0;
    if (fields == NULL || !forward_choose(head, FORWARD_OWN_LENGTH, &f))
        return NULL;
    while ((line = forward_take(&f)) != NULL)
        if (is_passed_on(x, line))
            fields[(*count)++] = (struct reply_field){ line->name, gateway_rewrite(g, line) };
    return fields;
}

static void interim_relay(struct gateway *g)
{
    uint32_t count;
    const struct reply_field *fields;

    for (size_t i = 0; i < sizeof interims / sizeof interims[0]; i++)
        if (is_status(g, interims[i]) && takes_interim(g->x)) {
            fields = lines_take(g, &count);
            if (fields != NULL)
                g->x->codec->interim(g->x, interims[i], fields, count);
        }
}

/* The upstream says which protocol follows, and it is one that it was offered. RFC9110:7.8 */
static bool takes_an_offer(const struct gateway *g)
{
    const struct head *head = &g->in.response.head;
    bool any = false;

    for (const struct field *f = head_field(head, FIELD_UPGRADE); f != NULL; f = head_next(head, f)) {
        struct span rest = f->value, one;

        for (; token_next(&rest, &one); any = true)
            if (!gateway_offers(g, one))
                return false;
    }
    return any;
}

/* The upstream's bytes behind the head are of the new protocol. */
static enum gateway_step switched(struct gateway *g, struct verdict *v)
{
    /* What is left of the request would be taken for the new protocol. */
    if (!g->upgrades || !g->out.taken_all || !takes_an_offer(g)) {
        verdict_set(v, R_upstream_upgrade_failed, 0);
        return STEP_FAILED;
    }
    g->forwarding.switched = g->tunnel = true;
    g->forwarding.status = g->in.response.status;
    g->out.taken_all = g->out.chunked = false;
    return STEP_DONE;
}

/* STEP_BLOCKED: another head follows. */
static enum gateway_step interim(struct gateway *g, struct verdict *v)
{
    if (is_status(g, R_protocol_switch))
        return switched(g, v);
    if (++g->forwarding.interim_count > g->settings->interim_most) {
        verdict_set(v, R_upstream_interim_flood, g->forwarding.interim_count);
        return STEP_FAILED;
    }
    if (is_status(g, R_interim_continue))
        g->out.held = false;
    else
        interim_relay(g);
    return STEP_BLOCKED;
}

/* A stream that was asked to become something else cannot become a response. RFC8441:5 */
static bool promises_stream(const struct gateway *g)
{
    return g->x->req.connect_protocol.n > 0 && g->in.response.status / 100 == 2;
}

/* May the response go on? R_NONE, or why not. */
static enum reason judge(const struct gateway *g, struct verdict *v)
{
    const struct gateway_in *in = &g->in;
    uint64_t most = g->settings->content_limit_bytes;
    struct forward f;

    if (promises_stream(g))
        return verdict_set(v, R_upstream_upgrade_failed, 0);
    if (!forward_choose(&in->response.head, 0, &f))
        return verdict_about(v, R_upstream_bad_response, 0, SPAN("connection"));
    if (most > 0 && in->framing.kind == FRAMING_LENGTH && in->framing.length > most)
        return verdict_set(v, R_upstream_body_too_large, 0);
    return R_NONE;
}

static enum gateway_step final(struct gateway *g, struct verdict *v)
{
    struct gateway_in *in = &g->in;

    if (response_framing(&in->response, g->x->req.head.method, &in->framing, v) != R_NONE || judge(g, v) != R_NONE)
        return STEP_FAILED;
    in->keeps = response_keeps(&in->response, &in->framing);
    in->left = in->framing.length;
    in->done = in->framing.kind == FRAMING_NONE || (in->framing.kind == FRAMING_LENGTH && in->left == 0);
    chunk_init(&in->chunk);
    in->chunk.line_limit = g->settings->head.field_bytes;
    if (gateway_content_look(g, v) != R_NONE)
        return STEP_FAILED;
    g->forwarding.status = in->response.status;
    return STEP_DONE;
}

/* The rest of the buffer begins with a head that is whole. */
static enum gateway_step head_ended(struct gateway *g, struct verdict *v)
{
    struct gateway_in *in = &g->in;
    enum gateway_step step;

    g->up->at += in->response.head.bytes;
    if (in->response.status / 100 != 1)
        return final(g, v);
    step = interim(g, v);
    if (step == STEP_BLOCKED)
        response_init(&in->response, in->response.head.fields);
    return step;
}

/* The connection gives no more. */
static enum gateway_step no_more(long n, const struct gateway *g, struct verdict *v)
{
    if (n == -EAGAIN)
        return STEP_BLOCKED;
    if (n == -ENOBUFS)
        verdict_set(v, R_upstream_headers_too_large, g->up->have - g->up->at);
    else if (n == -ENOMEM)
        verdict_set(v, R_worker_memory_exhausted, 0);
    else
        verdict_set(v, R_upstream_connection_terminated, n < 0 ? -n : 0);
    return STEP_FAILED;
}

/* A head is parsed on where it stopped, as long as its bytes have not moved. */
static enum reason parse(struct gateway *g, struct verdict *v)
{
    struct gateway_in *in = &g->in;
    struct span bytes = { g->up->buffer + g->up->at, g->up->have - g->up->at };

    if (in->response.head.base != bytes.p)
        response_init(&in->response, in->response.head.fields);
    return h1_parse_response(bytes, &g->settings->head, &in->response, v);
}

/* Lines of a head that comes whole, as nearly all do: it is made a reply of before another one is read. */
static __thread struct field lines_of_whole[HEAD_FIELDS_MAX];

/* A head that comes in parts needs lines of its own. */
static bool lines_keep(struct gateway *g)
{
    struct head *head = &g->in.response.head;

    if (head->fields != lines_of_whole || g->up->have == g->up->at)
        return true;
    response_init(&g->in.response, arena_take(&g->x->arena, HEAD_FIELDS_MAX * sizeof *head->fields));
    return head->fields != NULL;
}

enum gateway_step gateway_receive(struct gateway *g, struct verdict *v)
{
    if (g->in.response.head.fields == NULL)
        response_init(&g->in.response, lines_of_whole);
    for (;;) {
        enum reason r = g->up->have > g->up->at ? parse(g, v) : R_MORE;
        enum gateway_step step = STEP_BLOCKED;
        long n;

        if (r != R_NONE && r != R_MORE)
            return STEP_FAILED;
        if (r == R_NONE)
            step = head_ended(g, v);
        if (step != STEP_BLOCKED)
            return step;
        if (r == R_NONE)
            continue;
        n = upstream_read(g->up);
        if (n > 0) {
            g->in.any = true;
            continue;
        }
        if (n != -EAGAIN || lines_keep(g))
            return no_more(n, g, v);
        verdict_set(v, R_upstream_exchange_failed, 0);
        return STEP_FAILED;
    }
}

/* Longer than any name and group make it. */
#define SAID_BYTES 1024u

static void said_add(struct exchange *x, struct span name, const struct bounded *b)
{
    if (!NEVER(b->bytes > b->room))
        reply_add(x, name, arena_copy(&x->arena, (struct span){ b->out, b->bytes }));
}

void gateway_status_add(struct exchange *x, const struct proxy_status *s)
{
    char text[SAID_BYTES];
    struct bounded b = { text, sizeof text, 0 };

    proxy_status_put(&b, s);
    said_add(x, SPAN("Proxy-Status"), &b);
}

static void via_add(struct gateway *g)
{
    char text[SAID_BYTES];
    struct bounded b = { text, sizeof text, 0 };

    via_put(&b, 1, g->in.response.head.minor, g->settings->name);
    said_add(g->x, SPAN("Via"), &b);
}

static void date_add(struct exchange *x)
{
    char *date = arena_take(&x->arena, DATE_BYTES);

    if (date == NULL)
        return;
    date_write(date, x->unix_seconds);
    reply_add(x, SPAN("Date"), (struct span){ date, DATE_BYTES });
}

/* Fields that are said of a response here. */
static void own_fields(struct gateway *g)
{
    struct proxy_status s = { .name = g->settings->name,
                              .next_hop = g->forwarding.group,
                              .received_status = g->in.response.status };

    via_add(g);
    gateway_status_add(g->x, &s);
    if (head_field(&g->in.response.head, FIELD_DATE) == NULL)
        date_add(g->x);
}

/* As they are when content is changed here, or was when the client had it. */
static uint32_t lines_fit(struct gateway *g, struct reply_field *lines, uint32_t count)
{
    const struct gateway_settings *s = g->settings;

    if (is_status(g, R_not_modified) && (s->compresses || s->insertion.text.n > 0))
        transform_tag(g->x, lines, count);
    return transform_fields(g->x, &g->change, lines, count);
}

/* What was changed is no answer of the upstream's any more. RFC9110:15.3.4 */
static uint16_t status_of(const struct gateway *g)
{
    return g->forwarding.transformed ? reason_code(R_transformed_by_proxy, g->x->policy->dialect).wire
                                     : g->in.response.status;
}

void gateway_reply_fields(struct gateway *g)
{
    struct exchange *x = g->x;
    struct reply_field *lines;
    uint32_t count;
    const struct field *upgrade = head_field(&g->in.response.head, FIELD_UPGRADE);

    lines = lines_take(g, &count);
    if (lines == NULL) {
        x->arena.full = true;
        return;
    }
    x->reply.relayed.fields = lines;
    x->reply.relayed.count = (uint16_t)lines_fit(g, lines, count);
    if (!g->tunnel)
        x->reply.relayed.status = status_of(g);
    else if (upgrade != NULL && x->req.connect_protocol.n == 0)
        reply_add(x, SPAN("Upgrade"), upgrade->value);
    own_fields(g);
}
