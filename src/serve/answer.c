#include "serve/answer.h"

#include "base/bounded.h"
#include "exchange/allow.h"
#include "explain/content.h"
#include "http/coding.h"
#include "http/path.h"
#include "serve/config.h"
#include "serve/operand.h"
#include "serve/worker.h"

#define HTTPS_PORT       443u
#define LAST_WORDS_BYTES 32768u /* what an explanation takes, with room to spare */

static struct span target_uri(struct exchange *x, struct span tail)
{
    struct span path = x->req.path;
    size_t room = 3 * path.n + 1;
    char *encoded = arena_take(&x->arena, room);
    struct span query = x->req.target.query;
    struct span parts[4] = { { 0 }, tail, x->req.target.has_query ? SPAN("?") : (struct span){ 0 }, query };

    if (encoded == NULL)
        return (struct span){ 0 };
    parts[0] = (struct span){ encoded, path_encode(path, encoded, room) };
    return arena_join(&x->arena, parts, 4);
}

/* The same URI over TLS, as the client wrote it: to decode and encode it would make another one of %2F. */
static void https_location_add(struct exchange *x)
{
    char port[8];
    struct bounded b = { port, sizeof port, 0 };
    struct span host = x->req.host.name, path = x->req.target.path;
    struct span mark = x->req.target.has_query ? SPAN("?") : (struct span){ 0 };
    struct span parts[] = { SPAN("https://"), host, { 0 }, path.n > 0 ? path : SPAN("/"), mark, x->req.target.query };

    if (x->transport->tls_port > 0 && x->transport->tls_port != HTTPS_PORT) {
        bounded_put(&b, SPAN(":"));
        bounded_put_number(&b, x->transport->tls_port);
        parts[2] = (struct span){ port, b.bytes };
    }
    x->reply.link_to = arena_join(&x->arena, parts, sizeof parts / sizeof *parts);
    reply_add(x, SPAN("Location"), x->reply.link_to);
}

static void location_add(struct exchange *x, struct span tail)
{
    struct span uri = target_uri(x, tail);

    reply_add(x, SPAN("Location"), uri);
    x->reply.link_to = uri;
}

/* Conditions that pass by themselves, and how soon it is worth asking again, in seconds. Not insufficient_storage: that
 * request must not be repeated before its user says so (RFC4918:11.5). */
static const struct {
    enum reason why;
    const char *seconds;
} retries[] = {
    { R_too_many_connections_total, "5" },
    { R_connection_limit_per_client, "5" },
    { R_helper_queue_full, "1" },
    { R_descriptors_exhausted, "5" },
    { R_worker_memory_exhausted, "5" },
    { R_maintenance, "60" },
    { R_event_streams_full, "5" },
    { R_upstream_connection_limit, "1" },
    { R_upstream_queue_timeout, "5" },
    { R_upstream_all_down, "10" }, /* the usual interval of checks, by which alone it ends */
    { R_cgi_queue_full, "1" },
    { R_fastcgi_overloaded, "1" },
};

/* A dialect may answer with a status that brings duties of its own: 405 owes Allow, 401 a challenge. RFC9110:15.5.2 */
static bool sends_as(const struct exchange *x, enum reason model)
{
    return x->status_sent == reason_code(model, DIALECT_RFC).wire;
}

static void status_fields(struct exchange *x)
{
    if (sends_as(x, R_method_not_allowed))
        allow_add(x);
    if (sends_as(x, R_credentials_missing) && !reply_has(x, SPAN("WWW-Authenticate")))
        reply_add(x, SPAN("WWW-Authenticate"), SPAN("Unavailable realm=\"no credentials help here\""));
}

static void retry_add(struct exchange *x)
{
    for (size_t i = 0; i < sizeof retries / sizeof retries[0]; i++)
        if (retries[i].why == x->verdict.why && !reply_has(x, SPAN("Retry-After")))
            reply_add(x, SPAN("Retry-After"), span_of(retries[i].seconds));
}

/* Fields that a reason brings with it, whatever the resource. */
static void reason_fields(struct exchange *x)
{
    switch (x->verdict.why) {
    case R_directory_redirect:
    case R_directory_redirect_method_kept:
        location_add(x, SPAN("/"));
        break;
    case R_created:
        location_add(x, (struct span){ 0 });
        break;
    case R_tls_redirect:
    case R_tls_port_redirect:
        https_location_add(x);
        break;
    case R_tls_upgrade_required:
        reply_add(x, SPAN("Upgrade"), SPAN("TLS/1.2, HTTP/1.1"));
        reply_add(x, SPAN("Connection"), SPAN("upgrade"));
        break;
    case R_content_coding_unknown:
        reply_add(x, SPAN("Accept-Encoding"), SPAN("identity"));
        break;
    default:
        break;
    }
}

static bool wants_verdict(const struct exchange *x, bool is_error)
{
    enum explain_when when = x->policy->explain;

    return when == EXPLAIN_ALL || (when == EXPLAIN_ERRORS && is_error);
}

static void verdict_add(struct exchange *x)
{
    struct span parts[] = { span_of(reason_info(x->verdict.why)->name), SPAN(";id=\""), exchange_id(x), SPAN("\"") };

    reply_add(x, SPAN("Verdict"), arena_join(&x->arena, parts, 4));
}

/* Is the reason refused syntax, so that the verdict tells where it lies? The first byte needs no telling. */
static bool is_placed(const struct verdict *v)
{
    return v->at > 0 && reason_info(v->why)->id >= 2000 && reason_info(v->why)->id < 2500;
}

static void content_add(struct exchange *x, struct code code)
{
    const struct snapshot *snapshot = x->snapshot;
    struct explain_input in = {
        .why = x->verdict.why,
        .operand = x->verdict.operand,
        .at = x->verdict.at,
        .has_at = is_placed(&x->verdict),
        .status = code.wire,
        .detail = code.detail,
        .dialect = x->policy->dialect,
        .id = exchange_id(x),
        .console = snapshot->shared->config->admin.public_url,
        .path = x->req.path,
        .link_to = x->reply.link_to,
        .note = x->reply.note,
        .alternatives = x->reply.alternatives,
        .alternative_count = x->reply.alternative_count,
        .accept = request_field(x, FIELD_ACCEPT),
        .accept_language = request_field(x, FIELD_ACCEPT_LANGUAGE),
    };
    struct explain_content out = explain_content(&x->arena, &in);

    reply_add(x, SPAN("Content-Type"), out.media_type);
    reply_add(x, SPAN("Content-Language"), out.language);
    reply_add(x, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    if (!reply_has(x, SPAN("Vary")))
        reply_add(x, SPAN("Vary"), SPAN("Accept, Accept-Language"));
    if (!reply_has(x, SPAN("Cache-Control")) && reason_info(x->verdict.why)->lasts == TEMPORARY)
        reply_add(x, SPAN("Cache-Control"), SPAN("no-store"));
    reply_memory(x, out.content);
}

static void route_fields(struct exchange *x)
{
    const struct route *route = x->route;

    if (route != NULL && route->fields.count > 0)
        reply_add_ready(x, &route->fields);
}

static void reply_forget(struct exchange *x)
{
    struct body *body = x->reply.body;

    if (body != NULL && body->ops->stop != NULL)
        body->ops->stop(body);
    x->reply = (struct reply){ 0 };
}

/* What is there cannot be told: forget all of it, and say so in memory beyond the limit. */
static void memory_exhausted(struct exchange *x)
{
    verdict_set(&x->verdict, R_exchange_memory_exhausted, x->arena.limit);
    reply_forget(x);
    arena_extend(&x->arena, LAST_WORDS_BYTES);
}

/* Whoever answered has said what there is to say. */
static bool is_relayed(const struct exchange *x)
{
    return x->reply.relayed.fields != NULL;
}

/* Errors and redirects explain themselves, and what was made is described. RFC9110:15.3.2, 15.4, 15.5 */
static bool wants_explanation(const struct exchange *x, unsigned class)
{
    if (x->reply.body != NULL || x->verdict.why == R_not_modified || is_relayed(x))
        return false;
    return class >= 3 || x->verdict.why == R_created;
}

static void compose(struct exchange *x)
{
    struct code code = reason_code(x->verdict.why, x->policy->dialect);
    const struct site *site = x->site;
    unsigned class;

    if (x->reply.relayed.status != 0)
        code = (struct code){ .wire = x->reply.relayed.status };
    class = code.wire / 100;
    x->status_sent = code.wire;
    if (class < 2 || class >= 4)
        operand_fill(x);
    if (code.wire == 0)
        return;
    if (wants_verdict(x, class >= 4))
        verdict_add(x);
    if (x->transport->secured && site != NULL && site->hsts.n > 0)
        reply_add(x, SPAN("Strict-Transport-Security"), site->hsts);
    if (x->res_opened && x->res->describe != NULL)
        x->res->describe(x, x->verdict.why);
    reason_fields(x);
    if (class >= 4 && !is_relayed(x)) {
        status_fields(x);
        retry_add(x);
    }
    if (class < 4)
        route_fields(x);
    if (wants_explanation(x, class))
        content_add(x, code);
}

static bool tells_secrets(const struct route *route)
{
    return route != NULL && route->tells_secrets;
}

void answer(struct exchange *x)
{
    if (x->arena.full)
        memory_exhausted(x);
    compose(x);
    if (x->arena.full) {
        memory_exhausted(x);
        compose(x);
    }
    if (x->arena.full) /* the system has none either: the status alone is told */
        reply_forget(x);
    x->reply.may_hold_secrets |= tells_secrets(x->route);
    x->moments.answered_ms = x->now_ms;
    x->codec->reply(x);
}
