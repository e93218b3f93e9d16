#include "admin/api.h"
#include "admin/forwarded.h"
#include "admin/member.h"
#include "admin/reason_json.h"
#include "admin/row.h"
#include "admin/story.h"
#include "admin/story_fact.h"
#include "explain/code.h"
#include "graph/graph.h"
#include "http/traceparent.h"

static json_t *explanation_json(enum reason why, enum language language)
{
    const struct reason_info *info;
    json_t *o;

    if (why == R_NONE)
        return json_null();
    info = reason_info(why);
    o = json_object();
    member_string(&o, "reason", info->name);
    member_string(&o, "title", info->text);
    member_string(&o, "what", explain_what(why, language));
    member_string(&o, "todo", explain_todo(why, language));
    member_string(&o, "lasts", reason_lasts_name(info->lasts));
    member_string(&o, "spec", info->spec);
    member(&o, "codes", reason_shown_json(why));
    member_string(&o, "others", explain_other_codes(why).text);
    return o;
}

/* The route whose configuration gave the reason: not when memory ran out, nor when CONNECT must not have the success
 * that is configured (RFC9110:9.3.6). */
static json_t *configured_json(const struct record *r)
{
    bool refused = r->method == M_CONNECT && r->why == R_request_policy_denied;

    if (r->trace.at != N_give_answer || r->why == R_exchange_memory_exhausted || refused)
        return json_null();
    return row_text(record_route(r));
}

static json_t *end_explanation_json(const struct record *r, enum language language)
{
    json_t *o = explanation_json(r->why, language);

    if (json_is_object(o))
        member(&o, "configured", configured_json(r));
    return o;
}

static json_t *phases_json(const struct moments *m)
{
    json_t *o = json_object();

    member_number(&o, "queue", record_between(m->accepted_ms, m->first_byte_ms));
    member_number(&o, "head", record_between(m->first_byte_ms, m->head_ms));
    member_number(&o, "content", record_between(m->head_ms, m->content_ms));
    member_number(&o, "first_byte", record_between(m->head_ms, m->answered_ms));
    member_number(&o, "total", record_between(m->first_byte_ms, m->ended_ms));
    return o;
}

static json_t *waits_json(const struct record *r)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < EXCHANGE_WAITS && r->waits[i].what != NULL; i++) {
        json_t *o = json_object();

        member_string(&o, "what", r->waits[i].what);
        member_number(&o, "ms", r->waits[i].ms);
        element(&list, o);
    }
    return list;
}

static json_t *fields_json(struct span head)
{
    json_t *list = json_array();
    struct span name, value;
    size_t at = 0;

    while (record_field_next(head, &at, &name, &value)) {
        json_t *pair = json_array();

        element(&pair, row_text(name));
        element(&pair, row_text(value));
        element(&list, pair);
    }
    return list;
}

static struct span first_line(struct span head)
{
    struct span line = { head.p, span_find(head, '\n') };

    line.n = span_find(line, '\r');
    return line;
}

static json_t *head_json(struct span head, bool cut)
{
    json_t *o = json_object();

    member(&o, "line", row_text(first_line(head)));
    member(&o, "fields", fields_json(head));
    member(&o, "cut", json_boolean(cut));
    return o;
}

static json_t *traceparent_json(const struct record *r)
{
    struct span value = record_field(record_request(r), SPAN("traceparent"));

    return traceparent_valid(value) ? row_text(value) : json_null();
}

/* "src/graph/run.c:43", from wherever the compiler was called. */
static const char *source_of(const struct record *r)
{
    const char *at = r->where != NULL ? r->where : "";

    while (strncmp(at, "../", 3) == 0)
        at += 3;
    return at;
}

static json_t *at_kind_json(const struct record *r)
{
    const char *kind = story_at_kind(r);

    return kind != NULL ? json_string(kind) : json_null();
}

static void put_facts(json_t **o, const struct record *r, enum language language)
{
    const struct moments *m = &r->moments;

    member_string(o, "resource", r->resource != NULL ? r->resource->name : "");
    member(o, "route", row_text(record_route(r)));
    member(o, "traceparent", traceparent_json(r));
    member(o, "started", row_time(r->unix_ms - record_between(m->first_byte_ms, m->ended_ms)));
    member(o, "phases", phases_json(m));
    member(o, "waits", waits_json(r));
    member(o, "upstream", forwarded_json(r, language));
    member(o, "request", head_json(record_request(r), r->request_cut));
    member(o, "reply", head_json(record_reply(r), r->reply_cut));
    member_number(o, "at", r->at);
    member(o, "at_kind", at_kind_json(r));
    member_string(o, "source", source_of(r));
}

json_t *api_exchange(struct api *api, const struct record *r, uint32_t worker)
{
    json_t *o = row_json(api->source, r, worker);

    put_facts(&o, r, api->language);
    member(&o, "path", story_path(api->source, r, api->language));
    member(&o, "end", story_end(r));
    member(&o, "explanation", end_explanation_json(r, api->language));
    member(&o, "broken_explanation", explanation_json(r->broken, api->language));
    return o;
}
