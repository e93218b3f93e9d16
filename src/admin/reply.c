#include "admin/reply.h"

#include <stdio.h>

#include "admin/admin_impl.h"
#include "admin/metrics.h"
#include "admin/text.h"
#include "http/accept.h"

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS  "text/plain; version=0.0.4; charset=utf-8"

/* Nothing of the console comes from elsewhere, and nothing of it goes elsewhere. */
#define CONTENT_POLICY                                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static void guard_fields(struct exchange *x)
{
    reply_add(x, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    reply_add(x, SPAN("Cross-Origin-Resource-Policy"), SPAN("same-origin"));
    reply_add(x, SPAN("Referrer-Policy"), SPAN("no-referrer"));
    reply_add(x, SPAN("Content-Security-Policy"), SPAN(CONTENT_POLICY));
}

void reply_begin_text(struct exchange *x, struct span media_type)
{
    reply_add(x, SPAN("Content-Type"), media_type);
    reply_add(x, SPAN("Cache-Control"), SPAN("no-store"));
    guard_fields(x);
}

/* The text, of which the exchange becomes the owner. */
static enum flow content_give(struct exchange *x, char *text, size_t bytes)
{
    struct admin_state *s = x->res_state;

    s->content = text;
    reply_memory(x, (struct span){ text, bytes });
    return FLOW_GO;
}

enum flow reply_json_text(struct exchange *x, const struct api *api, char *text, size_t bytes)
{
    if (text == NULL && api->fault.n > 0)
        return STOP_ABOUT(x, R_query_invalid, 0, arena_copy(&x->arena, api->fault));
    if (text == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    reply_begin_text(x, SPAN("application/json"));
    reply_add(x, SPAN("Vary"), SPAN("Accept-Language"));
    return content_give(x, text, bytes);
}

enum flow reply_json(struct exchange *x, const struct api *api, json_t *object)
{
    size_t bytes = 0;
    char *text = text_of_json(object, &bytes);

    json_decref(object);
    return reply_json_text(x, api, text, bytes);
}

/* Whoever does not name it does not know it. RFC9110:12.5.1 */
static bool wants_openmetrics(struct exchange *x)
{
    struct span accept = request_field(x, FIELD_ACCEPT), name = SPAN("application/openmetrics-text");
    unsigned quality;

    if (accept.n < name.n || memmem(accept.p, accept.n, name.p, name.n) == NULL)
        return false;
    quality = accept_quality_media(accept, SPAN(OPENMETRICS));
    return quality > 0 && quality >= accept_quality_media(accept, SPAN(PROMETHEUS));
}

enum flow reply_metrics(struct exchange *x, const struct api *api)
{
    bool open = wants_openmetrics(x);
    struct text t = { 0 };
    FILE *out = text_open(&t);
    size_t bytes = 0;
    char *text;

    if (out != NULL)
        metrics_write(out, api, open);
    text = text_close(&t, out, &bytes);
    if (text == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    reply_begin_text(x, open ? SPAN(OPENMETRICS) : SPAN(PROMETHEUS));
    reply_add(x, SPAN("Vary"), SPAN("Accept"));
    return content_give(x, text, bytes);
}

void reply_page_fields(struct exchange *x)
{
    struct span parts[] = { SPAN("\""), x->facts.etag.opaque, SPAN("\"") };

    reply_add(x, SPAN("ETag"), arena_join(&x->arena, parts, 3));
    reply_add(x, SPAN("Cache-Control"), SPAN("no-cache"));
}

enum flow reply_page(struct exchange *x, const struct admin_page *page)
{
    reply_page_fields(x);
    reply_add(x, SPAN("Content-Type"), page->media_type);
    guard_fields(x);
    reply_memory(x, page->content);
    return FLOW_GO;
}
