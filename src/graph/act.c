#include "exchange/allow.h"
#include "graph/graph.h"
#include "http/path.h"

enum flow act_receive(struct exchange *x)
{
    const struct verdict *v = &x->head_verdict;

    if (v->why != R_NONE)
        return exchange_stop(x, v->why, v->at, v->operand, v->where);
    return FLOW_GO;
}

/* Offsets tell places in the message, not in a part of it. */
static enum flow refuse_target(struct exchange *x, const struct verdict *v, struct span part)
{
    return exchange_stop(x, v->why, head_offset(&x->req.head, part.p) + v->at, v->operand, v->where);
}

/* CONNECT and OPTIONS * have no path; they are about the root as far as routes are concerned. */
static enum flow decode_path(struct exchange *x)
{
    struct span raw = x->req.target.path.n > 0 ? x->req.target.path : SPAN("/");
    struct verdict v = { 0 };
    size_t n = 0;
    char *room;

    if (x->req.target.path_plain) {
        x->req.path = x->req.subpath = raw;
        return FLOW_GO;
    }
    room = arena_take(&x->arena, raw.n + 1);
    if (room == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    if (path_decode(raw, room, raw.n + 1, &n, &v) != R_NONE)
        return refuse_target(x, &v, raw);
    x->req.path = (struct span){ room, n };
    x->req.subpath = x->req.path;
    return FLOW_GO;
}

/* An extended CONNECT names a resource as other methods do. RFC8441:4 */
static enum method target_method(const struct exchange *x)
{
    return x->req.connect_protocol.n > 0 ? M_GET : x->req.head.method;
}

enum flow act_understand(struct exchange *x)
{
    struct head *head = &x->req.head;
    const struct field *expect = head_field(head, FIELD_EXPECT);
    struct verdict v = { 0 };

    if (target_of_head(head, target_method(x), &x->req.target, &v) != R_NONE)
        return refuse_target(x, &v, head->target);
    if (host_check(head, &x->req.target, &x->req.host, &v) != R_NONE)
        return exchange_stop(x, v.why, v.at, v.operand, v.where);
    x->req.expects_continue = expect != NULL && span_is_nocase(expect->value, SPAN("100-continue"));
    return decode_path(x);
}

enum flow act_route(struct exchange *x)
{
    x->host->route(x);
    return FLOW_GO;
}

/* Whatever the answer, close() is owed from here on. */
static enum flow open_resource(struct exchange *x)
{
    if (x->res->state_bytes > 0 && x->res_state == NULL) {
        x->res_state = arena_zero(&x->arena, x->res->state_bytes);
        if (x->res_state == NULL)
            return STOP(x, R_exchange_memory_exhausted, 0);
    }
    x->content_limit = x->policy->content_limit_bytes;
    x->res_opened = true;
    return x->res->open(x);
}

enum flow act_open(struct exchange *x)
{
    return open_resource(x);
}

enum flow act_open_forward(struct exchange *x)
{
    return open_resource(x);
}

enum flow act_give_answer(struct exchange *x)
{
    return open_resource(x);
}

enum flow act_open_tunnel(struct exchange *x)
{
    return open_resource(x);
}

enum flow act_open_stream(struct exchange *x)
{
    return x->res->produce(x);
}

enum flow act_switch_protocol(struct exchange *x)
{
    return x->res->produce(x);
}

static void hints_send(struct exchange *x, const struct span *hints, uint32_t count)
{
    struct reply_field links[HINTS_MAX];

    if (count > HINTS_MAX)
        count = HINTS_MAX;
    for (uint32_t i = 0; i < count; i++)
        links[i] = (struct reply_field){ SPAN("Link"), hints[i] };
    if (count > 0)
        x->codec->interim(x, R_early_hints, links, count);
}

enum flow act_hint(struct exchange *x)
{
    hints_send(x, x->policy->site_hints, x->policy->site_hint_count);
    hints_send(x, x->policy->hints, x->policy->hint_count);
    return FLOW_GO;
}

enum flow act_select(struct exchange *x)
{
    return x->res->select != NULL ? x->res->select(x) : FLOW_GO;
}

enum flow act_list_choices(struct exchange *x)
{
    return x->res->choices(x);
}

enum flow act_list_acceptable(struct exchange *x)
{
    return x->res->choices(x);
}

enum flow act_encode(struct exchange *x)
{
    if (x->res->encode != NULL)
        return x->res->encode(x);
    x->facts.coding_acceptable = true;
    return FLOW_GO;
}

enum flow act_compare(struct exchange *x)
{
    return x->res->compare(x);
}

enum flow act_compare_since(struct exchange *x)
{
    return x->res->compare(x);
}

enum flow act_plan_ranges(struct exchange *x)
{
    size_t count = 0;

    x->range_kind = range_choose(request_field(x, FIELD_RANGE), x->facts.length, x->ranges, EXCHANGE_RANGES, &count);
    x->range_count = (uint32_t)count;
    return FLOW_GO;
}

enum flow act_produce_part(struct exchange *x)
{
    return x->res->part(x);
}

enum flow act_produce(struct exchange *x)
{
    return x->res->produce(x);
}

enum flow act_list(struct exchange *x)
{
    return x->res->list(x);
}

enum flow act_remove(struct exchange *x)
{
    return x->res->remove(x);
}

enum flow act_store(struct exchange *x)
{
    return x->res->accept(x);
}

enum flow act_describe(struct exchange *x)
{
    allow_add(x);
    return FLOW_GO;
}

enum flow act_describe_server(struct exchange *x)
{
    allow_add(x);
    return FLOW_GO;
}
