#include "exchange/allow.h"
#include "graph/graph.h"

/* Fields that may carry secrets do not come back. RFC9110:9.3.8 */
static bool is_secret(enum field_id id)
{
    return id == FIELD_AUTHORIZATION || id == FIELD_PROXY_AUTHORIZATION || id == FIELD_COOKIE ||
           id == FIELD_X_ACCESS_TOKEN || id == FIELD_X_AMZ_SECURITY_TOKEN || id == FIELD_X_API_KEY ||
           id == FIELD_X_AUTH_TOKEN || id == FIELD_X_CSRF_TOKEN;
}

static struct span echo_fields(struct exchange *x, struct span so_far)
{
    const struct head *head = &x->req.head;

    for (unsigned i = 0; i < head->count; i++) {
        struct span parts[] = { so_far, head->fields[i].name, SPAN(": "), head->fields[i].value, SPAN("\r\n") };

        if (!is_secret(head->fields[i].id))
            so_far = arena_join(&x->arena, parts, 5);
    }
    return so_far;
}

/* The message as it was understood, RFC9110:9.3.8. */
enum flow act_echo(struct exchange *x)
{
    const struct head *head = &x->req.head;
    struct span line[] = { head->method_name, SPAN(" "), head->target, SPAN(" HTTP/1.1\r\n") };
    struct span start = arena_join(&x->arena, line, 4);
    struct span end[] = { echo_fields(x, start), SPAN("\r\n") };

    reply_add(x, SPAN("Content-Type"), SPAN("message/http"));
    reply_add(x, SPAN("Cache-Control"), SPAN("no-store"));
    reply_memory(x, arena_join(&x->arena, end, 2));
    return FLOW_GO;
}
