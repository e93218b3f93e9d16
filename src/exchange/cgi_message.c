#include "exchange/cgi_message.h"

#include "base/bounded.h"
#include "base/check.h"
#include "http/date.h"
#include "http/proxy_status.h"

#define PORT_PLAIN   80u
#define PORT_TLS     443u

#define SERVER_NAME  "verdict"
#define STATUS_BYTES 1024u /* longer than any name and group make it */

static struct span protocol_of(struct exchange *x)
{
    const struct head *head = &x->req.head;

    return arena_print(&x->arena, "HTTP/%u.%u", (unsigned)head->major, (unsigned)head->minor);
}

static uint16_t port_of(const struct exchange *x)
{
    if (x->req.host.has_port)
        return x->req.host.port;
    return x->transport->secured ? PORT_TLS : PORT_PLAIN;
}

/* Path and query as the client wrote them. */
static struct span target_of(struct exchange *x)
{
    const struct target *t = &x->req.target;
    struct span path = t->form == TARGET_ASTERISK ? SPAN("*") : t->path.n > 0 ? t->path : SPAN("/");

    if (!t->has_query)
        return path;
    return arena_join(&x->arena, (struct span[]){ path, SPAN("?"), t->query }, 3);
}

void cgi_request_fill(struct exchange *x, size_t path_info_bytes, struct cgi_request *out)
{
    size_t info = path_info_bytes < x->req.path.n ? path_info_bytes : x->req.path.n;
    size_t script = x->req.path.n - info;

    *out = (struct cgi_request){ .head = &x->req.head,
                                 .protocol = protocol_of(x),
                                 .scheme = x->transport->secured ? SPAN("https") : SPAN("http"),
                                 .server_name = x->req.host.name,
                                 .server_port = port_of(x),
                                 .target = target_of(x),
                                 .query = x->req.target.query,
                                 .script_name = { x->req.path.p, script },
                                 .software = SPAN(SERVER_NAME),
                                 .from_trusted = x->from_trusted,
                                 .content_length = x->req.length,
                                 .length_known = x->req.has_content && x->req.length_known };
    if (info > 0)
        out->path_info = span_from(x->req.path, script);
}

static uint16_t status_of(const struct cgi_head *head)
{
    if (head->status != 0)
        return head->status;
    return reason_code(head->location.n > 0 ? R_moved_temporarily : R_request_ok, DIALECT_RFC).wire;
}

static void date_add(struct exchange *x)
{
    char *date = arena_take(&x->arena, DATE_BYTES);

    if (date == NULL)
        return;
    date_write(date, x->unix_seconds);
    reply_add(x, SPAN("Date"), (struct span){ date, DATE_BYTES });
}

void cgi_reply_fill(struct exchange *x, const struct cgi_head *head)
{
    const struct head *lines = &head->lines;
    struct reply_field *fields = arena_take(&x->arena, (lines->count + 1u) * sizeof *fields);
    uint16_t count = 0;

    if (fields == NULL)
        return;
    for (uint16_t i = 0; i < lines->count; i++)
        if (cgi_line_is_told(&lines->fields[i]))
            fields[count++] = (struct reply_field){ lines->fields[i].name, lines->fields[i].value };
    x->reply.relayed.fields = fields;
    x->reply.relayed.count = count;
    x->reply.relayed.status = x->forwarding->status = status_of(head);
    if (head_field(lines, FIELD_DATE) == NULL)
        date_add(x);
    if (head_field(lines, FIELD_SERVER) == NULL)
        reply_add(x, SPAN("Server"), SPAN(SERVER_NAME));
}

static void status_put(struct exchange *x, const struct proxy_status *s)
{
    char text[STATUS_BYTES];
    struct bounded b = { text, sizeof text, 0 };

    proxy_status_put(&b, s);
    if (!NEVER(b.bytes > b.room))
        reply_add(x, SPAN("Proxy-Status"), arena_copy(&x->arena, (struct span){ b.out, b.bytes }));
}

void cgi_status_tell(struct exchange *x, struct span next_hop)
{
    status_put(x, &(struct proxy_status){
                      .name = SPAN(SERVER_NAME), .next_hop = next_hop, .received_status = x->forwarding->status });
}

void cgi_status_explain(struct exchange *x, enum reason why, struct span next_hop)
{
    if (x->reply.relayed.fields == NULL && reason_info(why)->proxy_error[0] != '\0')
        status_put(x, &(struct proxy_status){ .name = SPAN(SERVER_NAME), .why = why, .next_hop = next_hop });
}

int64_t cgi_reply_length(const struct cgi_head *head)
{
    return head->length_known ? (int64_t)head->length : -1;
}
