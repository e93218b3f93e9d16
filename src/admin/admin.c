#include "admin/admin.h"

#include <stdlib.h>

#include "admin/admin_impl.h"
#include "admin/find.h"
#include "admin/guard.h"
#include "admin/reply.h"
#include "http/method.h"

#define IDLE_TICK_MS 1000u /* when nobody reads events: for the history alone */

static const struct {
    struct span path;
    enum admin_kind kind;
} places[] = {
    { SPAN_INIT("/metrics"), ADMIN_METRICS },         { SPAN_INIT("/events"), ADMIN_EVENTS },
    { SPAN_INIT("/api/exchanges"), ADMIN_EXCHANGES }, { SPAN_INIT("/api/running"), ADMIN_RUNNING },
    { SPAN_INIT("/api/heat"), ADMIN_HEAT },           { SPAN_INIT("/api/workers"), ADMIN_WORKERS },
    { SPAN_INIT("/api/graph"), ADMIN_GRAPH },         { SPAN_INIT("/api/reasons"), ADMIN_REASONS },
    { SPAN_INIT("/api/statuses"), ADMIN_STATUSES },   { SPAN_INIT("/api/upstreams"), ADMIN_UPSTREAMS },
};

static struct api api_of(const struct admin *a)
{
    return (struct api){ .source = a->source,
                         .history = a->history,
                         .language = LANGUAGE_EN,
                         .now_ms = a->loop->now_ms,
                         .unix_ms = (uint64_t)a->loop->unix_ms };
}

static void tick(struct timer *t)
{
    struct admin *a = (struct admin *)((char *)t - offsetof(struct admin, tick));
    struct api api = api_of(a);

    history_tick(a->history, a->loop->now_ms);
    if (events_wanted(a->events))
        events_tick(a->events, &api);
    timer_set(a->wheel, t, a->loop->now_ms, events_wanted(a->events) ? EVENTS_MS : IDLE_TICK_MS);
}

struct admin *admin_new(const struct admin_source *source, struct loop *loop, struct wheel *wheel)
{
    struct admin *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    *a = (struct admin){ .source = source, .loop = loop, .wheel = wheel };
    timer_init(&a->tick, tick);
    a->history = history_new(source, loop->now_ms);
    a->events = events_new(source);
    if (a->history == NULL || a->events == NULL) {
        admin_release(&a);
        return NULL;
    }
    timer_set(wheel, &a->tick, loop->now_ms, IDLE_TICK_MS);
    return a;
}

void admin_drain(struct admin *a)
{
    events_end(a->events);
}

void admin_release(struct admin **admin)
{
    struct admin *a = *admin;

    *admin = NULL;
    if (a == NULL)
        return;
    timer_drop(&a->tick);
    history_release(&a->history);
    events_release(&a->events);
    free(a);
}

/* One exchange by its id. */
static bool exchange_find(const struct admin *a, struct admin_state *s, struct span id)
{
    s->kind = ADMIN_EXCHANGE;
    s->record = find_id(a->source, id, &s->record_worker);
    return s->record != NULL;
}

/* What is stored has no place but the one for all. */
static bool admissions_find(const struct admin *a, struct admin_state *s, const struct exchange *x)
{
    struct api api = api_of(a);
    enum method method = x->req.head.method;

    s->kind = ADMIN_ADMISSION;
    return admission_find(&api, &s->admission, x->req.path, method == M_POST) &&
           (method != M_DELETE || s->admission.named);
}

static bool place_find(const struct admin *a, struct admin_state *s, const struct exchange *x)
{
    const struct span exchanges = SPAN("/api/exchanges/");
    struct span path = x->req.path;

    if (span_starts(path, admission_path))
        return admissions_find(a, s, x);
    if (path.n > exchanges.n && span_starts(path, exchanges))
        return exchange_find(a, s, span_from(path, exchanges.n));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (span_is(path, places[i].path))
            s->kind = places[i].kind;
    if (s->kind != ADMIN_NOTHING)
        return true;
    s->page = admin_page_find(path);
    s->kind = ADMIN_PAGE;
    return s->page != NULL;
}

static enum flow admin_open(struct exchange *x)
{
    struct admin_state *s = x->res_state;
    enum flow f = guard_check(x, x->res_settings);

    if (f != FLOW_GO)
        return f;
    x->facts.exists = place_find(x->res_worker, s, x);
    x->facts.acceptable = true;
    if (s->page != NULL) {
        x->facts.has_etag = true;
        x->facts.etag.opaque = s->page->tag;
        x->facts.length = s->page->content.n;
    }
    return FLOW_GO;
}

static enum flow events_produce(struct exchange *x)
{
    struct admin *a = x->res_worker;
    const struct admin_settings *settings = x->res_settings;
    bool first = !events_wanted(a->events);
    enum flow f = events_join(a->events, x, (uint64_t)a->loop->unix_ms, settings->streams_most);

    if (f == FLOW_GO)
        reply_begin_text(x, SPAN("text/event-stream"));
    if (f == FLOW_GO && first)
        timer_set(a->wheel, &a->tick, a->loop->now_ms, EVENTS_MS);
    return f;
}

static enum flow running_produce(struct exchange *x, struct api *api)
{
    struct admin_state *s = x->res_state;
    struct admin *a = x->res_worker;
    const struct running_request *const *answers;
    uint32_t count, silent;

    if (s->gather == NULL)
        s->gather = running_gather_new(a->source, a->wheel, x);
    if (s->gather == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    if (!running_gather_ready(s->gather))
        return running_gather_wait(s->gather, x);
    answers = running_gather_answers(s->gather, &count, &silent);
    return reply_json(x, api, api_running(api, answers, count, silent));
}

/* Texts are in the language of `lang`, else in the one that the client likes best. */
static bool language_choose(struct exchange *x, const struct query *q, struct api *api)
{
    struct span lang = query_value(q, SPAN("lang"));

    api->language =
        lang.p != NULL ? explain_language_find(lang) : explain_language(request_field(x, FIELD_ACCEPT_LANGUAGE));
    if (api->language == LANGUAGES)
        api->fault = SPAN("lang");
    return api->language != LANGUAGES;
}

/* What has no parameters of its own knows only `lang`. */
static bool query_fits(struct api *api, const struct admin_state *s)
{
    static const struct span known[] = { SPAN_INIT("lang") };

    if (s->kind != ADMIN_EXCHANGES && s->kind != ADMIN_HEAT)
        api->fault = query_unknown(&s->query, known, 1);
    return api->fault.n == 0;
}

static json_t *json_of(struct api *api, const struct admin_state *s)
{
    switch (s->kind) {
    case ADMIN_EXCHANGES:
        return api_exchanges(api, &s->query);
    case ADMIN_EXCHANGE:
        return api_exchange(api, s->record, s->record_worker);
    case ADMIN_HEAT:
        return api_heat(api, &s->query);
    case ADMIN_WORKERS:
        return api_workers(api);
    case ADMIN_ADMISSION:
        return admission_json(api, &s->admission);
    case ADMIN_UPSTREAMS:
        return api_upstreams(api);
    case ADMIN_REASONS:
        return api_reasons(api);
    default:
        return api_statuses(api);
    }
}

static enum flow graph_produce(struct exchange *x, const struct api *api)
{
    size_t bytes = 0;
    char *text = api_graph(api, &bytes);

    return reply_json_text(x, api, text, bytes);
}

static enum flow api_produce(struct exchange *x)
{
    struct admin_state *s = x->res_state;
    struct api api = api_of(x->res_worker);

    if (!query_parse(&x->arena, x->req.target.query, &s->query, &api.fault) || !language_choose(x, &s->query, &api) ||
        !query_fits(&api, s))
        return reply_json(x, &api, NULL);
    if (s->kind == ADMIN_RUNNING)
        return running_produce(x, &api);
    if (s->kind == ADMIN_GRAPH)
        return graph_produce(x, &api);
    return reply_json(x, &api, json_of(&api, s));
}

static enum flow admin_produce(struct exchange *x)
{
    const struct admin_state *s = x->res_state;
    struct api api = api_of(x->res_worker);

    switch (s->kind) {
    case ADMIN_PAGE:
        return reply_page(x, s->page);
    case ADMIN_METRICS:
        return reply_metrics(x, &api);
    case ADMIN_EVENTS:
        return events_produce(x);
    default:
        return api_produce(x);
    }
}

static enum flow admin_accept(struct exchange *x)
{
    struct admin_state *s = x->res_state;
    struct api api = api_of(x->res_worker);

    return admission_store(x, &api, &s->admission);
}

static enum flow admin_remove(struct exchange *x)
{
    struct admin_state *s = x->res_state;
    struct api api = api_of(x->res_worker);

    admission_remove(&api, &s->admission);
    return FLOW_GO;
}

/* What a cached page needs to be believed again. RFC9110:15.4.5 */
static void admin_describe(struct exchange *x, enum reason why)
{
    if (why == R_not_modified)
        reply_page_fields(x);
}

static void admin_close(struct exchange *x)
{
    struct admin_state *s = x->res_state;

    running_gather_release(&s->gather);
    free(s->record);
    free(s->content);
}

const struct resource_ops admin_resource = {
    .name = "admin",
    .methods = UINT64_C(1) << M_GET | UINT64_C(1) << M_HEAD | UINT64_C(1) << M_OPTIONS | UINT64_C(1) << M_POST |
               UINT64_C(1) << M_DELETE,
    .state_bytes = sizeof(struct admin_state),
    .open = admin_open,
    .produce = admin_produce,
    .accept = admin_accept,
    .remove = admin_remove,
    .describe = admin_describe,
    .close = admin_close,
};
