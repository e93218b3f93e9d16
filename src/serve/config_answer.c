#include "graph/graph.h"
#include "http/token.h"
#include "serve/config_impl.h"

static const enum reason redirects[] = { R_moved_permanently, R_moved_temporarily, R_see_other, R_temporary_redirect,
                                         R_permanent_redirect };

/* Reasons that somebody may well ask for, and why they are not to be had. */
static const struct {
    enum reason why;
    const char *because;
} refused[] = {
    { R_use_proxy, "use-proxy (305) is deprecated and no client acts on it" },
    { R_switch_proxy_reserved, "switch-proxy-reserved (306) is reserved and never sent" },
    { R_network_auth_required,
      "network-auth-required (511) is for the portal of a network, never for an origin server" },
    { R_exchange_memory_exhausted, "exchange-memory-exhausted is for the server itself to find" },
};

static unsigned status_of(enum reason why)
{
    return reason_code(why, DIALECT_RFC).wire;
}

static bool is_redirect(enum reason why)
{
    for (size_t i = 0; i < sizeof redirects / sizeof redirects[0]; i++)
        if (redirects[i] == why)
            return true;
    return false;
}

static const char *refusal(enum reason why)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (refused[i].why == why)
            return refused[i].because;
    return NULL;
}

static bool is_answer(enum reason why)
{
    return why == R_request_ok || (graph_may_stop(N_give_answer, why) && !is_redirect(why) && refusal(why) == NULL);
}

static bool has_own_content(enum reason why)
{
    return why == R_request_ok || why == R_accepted_queued;
}

/* The reasons that `fits` takes, by name, of this status (0: of any), with `between` between them. */
static struct span names_of(struct config_report *r, bool (*fits)(enum reason), unsigned status, struct span between)
{
    struct span all = { 0 };

    for (int why = R_MORE + 1; why < R_COUNT; why++) {
        struct span parts[] = { all, all.n > 0 ? between : (struct span){ 0 },
                                span_of(reason_info((enum reason)why)->name) };

        if (fits((enum reason)why) && (status == 0 || status_of((enum reason)why) == status))
            all = arena_join(r->arena, parts, 3);
    }
    return all;
}

/* The statuses of the reasons that `fits` takes, once each, in order. */
static struct span statuses_of(struct config_report *r, bool (*fits)(enum reason))
{
    struct span all = { 0 };
    unsigned last = 0;

    for (;;) {
        unsigned next = UINT16_MAX;

        for (int why = R_MORE + 1; why < R_COUNT; why++)
            if (fits((enum reason)why) && status_of((enum reason)why) > last && status_of((enum reason)why) < next)
                next = status_of((enum reason)why);
        if (next == UINT16_MAX)
            return all;
        all = arena_print(r->arena, "%.*s%s%u", (int)all.n, all.n > 0 ? all.p : "", last > 0 ? ", " : "", next);
        last = next;
    }
}

static enum reason of_status(bool (*fits)(enum reason), uint64_t status, unsigned *count)
{
    enum reason found = R_NONE;

    *count = 0;
    for (int why = R_MORE + 1; why < R_COUNT; why++)
        if (fits((enum reason)why) && status_of((enum reason)why) == status) {
            found = (enum reason)why;
            ++*count;
        }
    return found;
}

static void complain_status(struct config_report *r, const struct config_value *v, bool (*fits)(enum reason))
{
    struct span allowed;

    if (r->count >= CONFIG_COMPLAINTS_MOST) {
        r->count++;
        return;
    }
    allowed = statuses_of(r, fits);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (refused[i].why != R_exchange_memory_exhausted && status_of(refused[i].why) == v->number) {
            config_complain(r, v->node, "%s: allowed: %.*s", refused[i].because, (int)allowed.n, allowed.p);
            return;
        }
    config_complain(r, v->node, "no reason that may be configured here has status %u: allowed: %.*s",
                    (unsigned)v->number, (int)allowed.n, allowed.n > 0 ? allowed.p : "");
}

/* A scheme, or nothing before the first slash that only a path can be. RFC3986:3.1 */
static size_t scheme_length(struct span text)
{
    size_t n = span_find(text, ':');

    if (n == 0 || n == text.n || token_span((struct span){ text.p, n }, TOKEN_NAME) < n ||
        token_is(text.p[0], TOKEN_DIGIT))
        return 0;
    return n + 1;
}

const char *config_uri_fault(struct span text)
{
    struct span first = { text.p, span_find(text, '#') };
    struct span rest = span_from(text, first.n < text.n ? first.n + 1 : text.n);

    if (token_span_escaped(first, TOKEN_URI) < first.n || token_span_escaped(rest, TOKEN_URI) < rest.n)
        return "has a byte that no URI has: percent-encode it";
    if (text.p[0] != '/' && scheme_length(text) == 0)
        return "is neither a path that begins with / nor a URI with its scheme, such as https://example.org/";
    return NULL;
}

static bool uri_read(struct config_builder *b, const struct config_value *v, struct span *out)
{
    const char *fault = config_uri_fault(v->text);

    if (fault != NULL)
        config_complain(&b->report, v->node, "%s %s", config_quote(&b->report, v->text), fault);
    else
        *out = arena_copy(b->memory, v->text);
    return fault == NULL;
}

void config_redirect_read(struct config_builder *b, const struct yaml_node *node, struct route *route)
{
    struct fixed_settings *fixed = &route->fixed;
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *to = &v[KEY_redirect_to], *status = &v[KEY_redirect_status];
    unsigned count;

    *fixed = (struct fixed_settings){ .why = R_moved_temporarily };
    if (!config_map_read(&b->report, MAP_redirect, node, v))
        return;
    fixed->keep_path = v[KEY_redirect_keep_path].number == 1;
    fixed->why = of_status(is_redirect, status->number, &count);
    if (count == 0)
        complain_status(&b->report, status, is_redirect);
    if (!to->good || !uri_read(b, to, &fixed->location) || !fixed->keep_path)
        return;
    if (span_find(to->text, '?') < to->text.n || span_find(to->text, '#') < to->text.n)
        config_complain(&b->report, to->node,
                        "%s has a query or a fragment, so no path can follow it: remove that, or "
                        "\"keep_path\"",
                        config_quote(&b->report, to->text));
}

static enum reason named_reason(struct config_report *r, const struct config_value *v)
{
    enum reason why = reason_find(v->text);
    const char *because = why != R_NONE ? refusal(why) : NULL;
    const char *near = "";
    struct span allowed;

    if (why != R_NONE && is_answer(why))
        return why;
    if (r->count >= CONFIG_COMPLAINTS_MOST) {
        r->count++;
        return R_NONE;
    }
    allowed = names_of(r, is_answer, 0, SPAN(", "));
    if (because == NULL) {
        because = why == R_NONE      ? "is no reason"
                  : is_redirect(why) ? "is a redirect: write \"redirect\" with \"to\""
                                     : "is for the server itself to find";
        near = config_near(r, v->text, names_of(r, is_answer, 0, SPAN(" ")));
        config_complain(r, v->node, "%s %s: %sallowed: %.*s", config_quote(r, v->text), because, near, (int)allowed.n,
                        allowed.p);
    } else {
        config_complain(r, v->node, "%s: allowed: %.*s", because, (int)allowed.n, allowed.p);
    }
    return R_NONE;
}

static enum reason status_reason(struct config_report *r, const struct config_value *v)
{
    struct span names;
    unsigned count;
    enum reason why = of_status(is_answer, v->number, &count);

    if (count == 1)
        return why;
    of_status(is_redirect, v->number, &count);
    names = names_of(r, is_answer, (unsigned)v->number, SPAN(", "));
    if (count > 0)
        config_complain(r, v->node, "status %u is a redirect: write \"redirect\" with \"to\"", (unsigned)v->number);
    else if (why == R_NONE)
        complain_status(r, v, is_answer);
    else
        config_complain(r, v->node, "status %u has several reasons: write \"reason\" with one of %.*s",
                        (unsigned)v->number, (int)names.n, names.n > 0 ? names.p : "");
    return R_NONE;
}

static enum reason answer_reason(struct config_report *r, const struct yaml_node *node, const struct config_value v[])
{
    const struct config_value *reason = &v[KEY_answer_reason], *status = &v[KEY_answer_status];

    if (reason->node != NULL && status->node != NULL)
        config_complain(r, status->node, "\"reason\" says the status already: remove one of them");
    else if (reason->good)
        return named_reason(r, reason);
    else if (status->good)
        return status_reason(r, status);
    else if (reason->node == NULL && status->node == NULL)
        config_complain(r, node, "answer needs \"reason\" or \"status\"");
    return R_NONE;
}

static bool type_good(struct span text)
{
    size_t end = span_find(text, ';'), slash = span_find(text, '/');
    struct span subtype;

    if (slash == 0 || slash >= end)
        return false;
    subtype = span_trim((struct span){ text.p + slash + 1, end - slash - 1 });
    return token_span((struct span){ text.p, slash }, TOKEN_NAME) == slash && subtype.n > 0 &&
           token_span(subtype, TOKEN_NAME) == subtype.n && token_span(text, TOKEN_VALUE) == text.n;
}

/* protocol-name ["/" protocol-version], separated by commas. RFC9110:7.8 */
static bool upgrade_good(struct span rest)
{
    struct span e;
    bool any = false;

    while (token_next(&rest, &e)) {
        size_t slash = span_find(e, '/');
        struct span version = span_from(e, slash < e.n ? slash + 1 : e.n);

        if (slash == 0 || token_span(e, TOKEN_NAME) != slash || token_span(version, TOKEN_NAME) != version.n ||
            (slash < e.n && version.n == 0))
            return false;
        any = true;
    }
    return any;
}

/* A key that its reason has no use for is a mistake about one of the two. */
static void fit_check(struct config_report *r, const struct config_value *v, bool fits, const char *fit)
{
    if (v->node != NULL && !fits)
        config_complain(r, v->node, "%s", fit);
}

static void fits_check(struct config_report *r, const struct yaml_node *node, const struct config_value v[],
                       enum reason why)
{
    unsigned class = status_of(why) / 100;

    fit_check(r, &v[KEY_answer_text], has_own_content(why) || class >= 4,
              "this answer has no content: remove \"text\"");
    fit_check(r, &v[KEY_answer_type], has_own_content(why) && v[KEY_answer_text].node != NULL,
              "\"type\" goes only with \"text\" of request-ok or accepted-queued");
    fit_check(r, &v[KEY_answer_blocked_by], why == R_legal_block, "\"blocked_by\" goes only with legal-block");
    fit_check(r, &v[KEY_answer_retry_after], class >= 4, "\"retry_after\" goes only with errors (statuses from 400)");
    fit_check(r, &v[KEY_answer_upgrade], why == R_upgrade_required, "\"upgrade\" goes only with upgrade-required");
    if (why == R_upgrade_required && v[KEY_answer_upgrade].node == NULL)
        config_complain(r, node, "upgrade-required needs \"upgrade\": the protocols to change to");
}

void config_answer_read(struct config_builder *b, const struct yaml_node *node, struct route *route)
{
    struct fixed_settings *fixed = &route->fixed;
    struct config_report *r = &b->report;
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *type = &v[KEY_answer_type], *upgrade = &v[KEY_answer_upgrade];

    if (!config_map_read(r, MAP_answer, node, v))
        return;
    *fixed = (struct fixed_settings){ .why = answer_reason(r, node, v) };
    if (fixed->why != R_NONE)
        fits_check(r, node, v, fixed->why);
    if (v[KEY_answer_blocked_by].good)
        uri_read(b, &v[KEY_answer_blocked_by], &fixed->blocked_by);
    if (type->good && !type_good(type->text))
        config_complain(r, type->node, "%s is no media type: such as text/html; charset=utf-8",
                        config_quote(r, type->text));
    if (upgrade->good && !upgrade_good(upgrade->text))
        config_complain(r, upgrade->node, "%s is no list of protocols: such as TLS/1.3",
                        config_quote(r, upgrade->text));
    fixed->text = arena_copy(b->memory, v[KEY_answer_text].text);
    fixed->content_type = arena_copy(b->memory, type->text);
    fixed->upgrade = arena_copy(b->memory, upgrade->text);
    fixed->retry_after_s = (uint32_t)v[KEY_answer_retry_after].number;
}
