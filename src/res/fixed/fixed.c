#include "res/fixed/fixed.h"

#include "exchange/exchange.h"
#include "http/path.h"

static const struct fixed_settings *settings_of(const struct exchange *x)
{
    return x->res_settings;
}

/*
 * What the path has below the route, encoded, to follow a location. Begins with '/' or is empty, and a location that
 * it follows has no '/' at its end: so the result names the location's own server, whatever a client asks for.
 */
static struct span tail_encode(struct exchange *x)
{
    struct span tail = x->req.subpath;
    bool exact = tail.n <= 1 && !span_ends(x->req.path, SPAN("/"));
    size_t room = 3 * tail.n + 1;
    char *encoded = exact ? NULL : arena_take(&x->arena, room);

    return encoded != NULL ? (struct span){ encoded, path_encode(tail, encoded, room) } : (struct span){ 0 };
}

static struct span location_make(struct exchange *x)
{
    struct span to = settings_of(x)->location, tail;
    bool has_query = x->req.target.has_query;

    if (!settings_of(x)->keep_path)
        return to;
    tail = tail_encode(x);
    if (tail.n > 0 && span_ends(to, SPAN("/")))
        to.n--;
    return arena_join(&x->arena,
                      (struct span[]){ to, tail, has_query ? SPAN("?") : (struct span){ 0 },
                                       has_query ? x->req.target.query : (struct span){ 0 } },
                      4);
}

static void redirect_add(struct exchange *x)
{
    x->reply.link_to = location_make(x);
    reply_add(x, SPAN("Location"), x->reply.link_to);
}

static void fields_add(struct exchange *x)
{
    const struct fixed_settings *s = settings_of(x);

    if (s->location.n > 0)
        redirect_add(x);
    if (s->blocked_by.n > 0)
        reply_add(x, SPAN("Link"),
                  arena_print(&x->arena, "<%.*s>; rel=\"blocked-by\"", (int)s->blocked_by.n, s->blocked_by.p));
    if (s->retry_after_s > 0)
        reply_add(x, SPAN("Retry-After"), arena_print(&x->arena, "%u", s->retry_after_s));
    if (s->upgrade.n > 0) {
        reply_add(x, SPAN("Upgrade"), s->upgrade);
        reply_add(x, SPAN("Connection"), SPAN("upgrade"));
    }
}

static void content_set(struct exchange *x)
{
    const struct fixed_settings *s = settings_of(x);

    reply_add(x, SPAN("Content-Type"), s->content_type.n > 0 ? s->content_type : SPAN("text/plain; charset=utf-8"));
    reply_add(x, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    reply_memory(x, s->text);
}

static struct span operand_of(const struct exchange *x)
{
    const struct fixed_settings *s = settings_of(x);

    return s->location.n > 0 ? x->reply.link_to : s->blocked_by.n > 0 ? s->blocked_by : s->upgrade;
}

static bool is_success(enum reason why)
{
    return why == R_request_ok || why == R_no_content || why == R_reset_content || why == R_accepted_queued;
}

/* To CONNECT, any success would promise a tunnel. RFC9110:9.3.6 */
static enum flow fixed_open(struct exchange *x)
{
    const struct fixed_settings *s = settings_of(x);

    if (x->req.head.method == M_CONNECT && is_success(s->why))
        return STOP(x, R_request_policy_denied, 0);
    fields_add(x);
    if (s->why == R_request_ok || (s->why == R_accepted_queued && s->text.n > 0))
        content_set(x);
    else
        x->reply.note = s->text;
    return s->why == R_request_ok ? FLOW_GO : STOP_ABOUT(x, s->why, 0, operand_of(x));
}

const struct resource_ops fixed_resource = {
    .name = "fixed",
    .methods = UINT64_MAX,
    .open = fixed_open,
};
