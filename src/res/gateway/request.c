#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/bounded.h"
#include "http/forward.h"
#include "http/forwarded.h"
#include "http/max_forwards.h"
#include "http/token.h"
#include "http/via.h"
#include "res/gateway/gateway_impl.h"

#define OWN_BYTES  1024u /* of lines that are made here, besides what they take from the request */
#define HOST_TIMES 8u    /* that the host is said, escapes included */

/* Said by anybody, these would be believed by the upstream: only what trusted proxies say goes on. */
static const enum field_id said_of_clients[] = { FIELD_FORWARDED, FIELD_X_FORWARDED_FOR, FIELD_X_FORWARDED_HOST,
                                                 FIELD_X_FORWARDED_PROTO, FIELD_X_REAL_IP };

static void drop_all(struct forward *f, const struct head *head, enum field_id id)
{
    for (const struct field *line = head_field(head, id); line != NULL; line = head_next(head, line))
        forward_drop(f, (size_t)(line - head->fields));
}

/* Text can only be put into what is not coded; the client's wish is for here then. RFC9110:12.5.3 */
static bool wants_plain(const struct gateway *g)
{
    return g->settings->insertion.text.n > 0 &&
           !head_list_has(&g->x->req.head, FIELD_CACHE_CONTROL, SPAN("no-transform"));
}

/* Parts of what the client has had changed do not fit what is in there, though its date is the same. RFC9110:13.1.5 */
static bool wants_whole(const struct gateway *g)
{
    const struct field *condition = head_field(&g->x->req.head, FIELD_IF_RANGE);
    bool changes = g->settings->compresses || g->settings->insertion.text.n > 0;

    return changes && condition != NULL && condition->value.n > 0 && condition->value.p[0] != '"';
}

/* Applications that make variables of fields read a `_` in a name as they do a `-`. RFC3875:4.1.18 */
static bool seems_said_of_clients(struct span name)
{
    char text[32]; /* longer than any of them */
    struct span as = { text, name.n < sizeof text ? name.n : sizeof text };
    struct span begin = SPAN("x-forwarded-");

    for (size_t i = 0; i < as.n; i++)
        text[i] = name.p[i] == '_' ? '-' : name.p[i];
    for (size_t i = 0; i < sizeof said_of_clients / sizeof said_of_clients[0]; i++)
        if (field_find(as) == said_of_clients[i])
            return true;
    return as.n >= begin.n && span_is_nocase((struct span){ as.p, begin.n }, begin);
}

static void drop_said_of_clients(struct forward *f, const struct head *head)
{
    for (size_t i = 0; i < sizeof said_of_clients / sizeof said_of_clients[0]; i++)
        drop_all(f, head, said_of_clients[i]);
    for (size_t i = 0; i < head->count; i++) {
        struct span name = head->fields[i].name;

        if (head->fields[i].id == FIELD_OTHER && span_find(name, '_') < name.n && seems_said_of_clients(name))
            forward_drop(f, i);
    }
}

static bool lines_choose(struct gateway *g)
{
    const struct exchange *x = g->x;
    struct forward *f = &g->lines;
    const struct head *head = &x->req.head;
    uint32_t next;

    if (!forward_choose(head, FORWARD_OWN_HOST | FORWARD_OWN_LENGTH, f))
        return false;
    if (!x->from_trusted)
        drop_said_of_clients(f, head);
    if (g->settings->tells & GATEWAY_TELLS_X) {
        drop_all(f, head, FIELD_X_FORWARDED_FOR);
        drop_all(f, head, FIELD_X_REAL_IP);
    }
    if (g->settings->tells & GATEWAY_TELLS_FORWARDED)
        drop_all(f, head, FIELD_FORWARDED);
    if (max_forwards_read(head, &next) == MAX_FORWARDS_MORE &&
        (x->req.head.method == M_TRACE || x->req.head.method == M_OPTIONS))
        drop_all(f, head, FIELD_MAX_FORWARDS);
    drop_all(f, head, FIELD_VIA);
    if (wants_plain(g))
        drop_all(f, head, FIELD_ACCEPT_ENCODING);
    if (wants_whole(g))
        drop_all(f, head, FIELD_RANGE);
    if (x->req.connect_protocol.n > 0)
        drop_all(f, head, FIELD_SEC_WEBSOCKET_KEY);
    return true;
}

/* What may be a replay is for the upstream to judge, if it is one that can. RFC8470:5.1 */
static bool is_early(const struct exchange *x)
{
    return x->req.early || (x->from_trusted && request_has(x, FIELD_EARLY_DATA));
}

/* A gateway stands for what has an http URI. RFC9110:7.1 */
static bool is_http(struct span scheme)
{
    return scheme.n == 0 || span_is_nocase(scheme, SPAN("http")) || span_is_nocase(scheme, SPAN("https"));
}

enum reason gateway_request_fits(struct exchange *x)
{
    struct gateway *g = gateway_of(x);

    if (g->settings->proxy == NULL && !is_http(x->req.target.scheme))
        return R_gateway_cannot_forward_request;
    if (is_early(x) && !g->settings->early_data)
        return R_too_early;
    return lines_choose(g) ? R_NONE : R_gateway_cannot_forward_request;
}

static void put_line(struct bounded *b, struct span name, struct span value)
{
    bounded_put(b, name);
    bounded_put(b, SPAN(": "));
    bounded_put(b, value);
    bounded_put(b, SPAN("\r\n"));
}

/* One of another kind would be another way to speak HTTP with the upstream, past all that is judged here. */
static bool may_be_offered(struct span protocol)
{
    static const struct span never[] = { SPAN_INIT("h2c"), SPAN_INIT("h2"), SPAN_INIT("http"), SPAN_INIT("tls") };
    struct span name = { protocol.p, span_find(protocol, '/') };
    struct span version = name.n < protocol.n ? span_from(protocol, name.n + 1) : name;

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (span_is_nocase(name, never[i]))
            return false;
    return name.n > 0 && token_span(name, TOKEN_NAME) == name.n && version.n > 0 &&
           token_span(version, TOKEN_NAME) == version.n;
}

/* A list of protocols; they are offered if they may be. */
static struct span upgrade_of(const struct gateway *g)
{
    const struct exchange *x = g->x;
    const struct field *f = head_field(&x->req.head, FIELD_UPGRADE);

    if (!g->settings->upgrades)
        return (struct span){ 0 };
    if (x->req.connect_protocol.n > 0)
        return x->req.connect_protocol;
    if (f == NULL || x->req.head.major != 1 || x->req.head.minor == 0 || head_repeated(&x->req.head, FIELD_UPGRADE) ||
        !head_list_has(&x->req.head, FIELD_CONNECTION, SPAN("upgrade")))
        return (struct span){ 0 };
    return f->value;
}

bool gateway_offers(const struct gateway *g, struct span protocol)
{
    struct span rest = upgrade_of(g), one;

    while (token_next(&rest, &one))
        if (span_is_nocase(one, protocol) && may_be_offered(one))
            return true;
    return false;
}

/* A stream has no key of its own; the upstream wants one. RFC8441:5, RFC6455:4.1 */
static void put_key(struct bounded *b)
{
    unsigned char raw[16], text[25];

    if (RAND_bytes(raw, sizeof raw) != 1)
        memset(raw, 0, sizeof raw);
    EVP_EncodeBlock(text, raw, sizeof raw);
    put_line(b, SPAN("Sec-WebSocket-Key"), (struct span){ (const char *)text, 24 });
}

static void put_upgrade(struct gateway *g, struct bounded *b)
{
    struct span rest = upgrade_of(g), one;

    g->upgrades = false;
    while (token_next(&rest, &one)) {
        if (!may_be_offered(one))
            continue;
        bounded_put(b, g->upgrades ? SPAN(", ") : SPAN("Connection: Upgrade\r\nUpgrade: "));
        bounded_put(b, one);
        g->upgrades = true;
    }
    if (!g->upgrades)
        return;
    bounded_put(b, SPAN("\r\n"));
    if (g->x->req.connect_protocol.n > 0)
        put_key(b);
}

static void put_target(struct gateway *g, struct bounded *b)
{
    const struct exchange *x = g->x;

    bounded_put(b, x->req.connect_protocol.n > 0 ? SPAN("GET") : x->req.head.method_name);
    bounded_put(b, SPAN(" "));
    bounded_put(b, g->target);
    bounded_put(b, SPAN(" HTTP/1.1\r\n"));
}

static struct span scheme_of(const struct exchange *x)
{
    return x->transport->secured ? SPAN("https") : SPAN("http");
}

static struct span host_text(struct span socket, char text[ADDRESS_TEXT_BYTES])
{
    return address_print((const struct sockaddr *)socket.p, (socklen_t)socket.n, ADDRESS_HOST, text);
}

static bool is_address(struct span host)
{
    return !span_is(host, SPAN("unix:"));
}

/* The lists get who has sent us the request: whom that one speaks for is in them already. */
static void put_client(struct gateway *g, struct bounded *b)
{
    const struct exchange *x = g->x;
    const struct head *head = &x->req.head;
    char text[ADDRESS_TEXT_BYTES], sender_text[ADDRESS_TEXT_BYTES];
    struct span client = host_text(x->peer, text);
    struct span sender = x->told_by.n > 0 ? host_text(x->told_by, sender_text) : client;
    struct forwarded_hop hop = { .address = sender, .host = gateway_authority(g->x), .proto = scheme_of(x) };

    if (g->settings->tells & GATEWAY_TELLS_X) {
        bounded_put(b, SPAN("X-Forwarded-For: "));
        if (x->from_trusted)
            forwarded_put_received(b, head, FIELD_X_FORWARDED_FOR);
        bounded_put(b, is_address(sender) ? sender : SPAN("unknown"));
        bounded_put(b, SPAN("\r\n"));
        if (is_address(client))
            put_line(b, SPAN("X-Real-IP"), client);
        if (!x->from_trusted || head_field(head, FIELD_X_FORWARDED_PROTO) == NULL)
            put_line(b, SPAN("X-Forwarded-Proto"), hop.proto);
        if (hop.host.n > 0 && (!x->from_trusted || head_field(head, FIELD_X_FORWARDED_HOST) == NULL))
            put_line(b, SPAN("X-Forwarded-Host"), hop.host);
    }
    if (g->settings->tells & GATEWAY_TELLS_FORWARDED) {
        bounded_put(b, SPAN("Forwarded: "));
        if (x->from_trusted)
            forwarded_put_received(b, head, FIELD_FORWARDED);
        forwarded_put(b, &hop);
        bounded_put(b, SPAN("\r\n"));
    }
}

static void put_via(struct gateway *g, struct bounded *b)
{
    const struct head *head = &g->x->req.head;

    bounded_put(b, SPAN("Via: "));
    forwarded_put_received(b, head, FIELD_VIA);
    via_put(b, head->major, head->minor, g->settings->name);
    bounded_put(b, SPAN("\r\n"));
}

/* What the client's framing becomes: one length, or chunks. RFC9112:6.3 */
static void put_length(struct gateway *g, struct bounded *b)
{
    struct exchange *x = g->x;

    g->out.taken_all = !x->req.has_content || x->req.connect_protocol.n > 0;
    if (g->out.taken_all)
        return;
    g->out.chunked = !x->req.length_known;
    if (g->out.chunked) {
        put_line(b, SPAN("Transfer-Encoding"), SPAN("chunked"));
        return;
    }
    bounded_put(b, SPAN("Content-Length: "));
    bounded_put_number(b, x->req.length);
    bounded_put(b, SPAN("\r\n"));
}

static void put_number_line(struct bounded *b, struct span name, uint64_t number)
{
    bounded_put(b, name);
    bounded_put(b, SPAN(": "));
    bounded_put_number(b, number);
    bounded_put(b, SPAN("\r\n"));
}

static void put_others(struct gateway *g, struct bounded *b)
{
    const struct exchange *x = g->x;
    uint32_t next;

    if (wants_plain(g))
        put_line(b, SPAN("Accept-Encoding"), SPAN("identity"));
    if ((x->req.head.method == M_TRACE || x->req.head.method == M_OPTIONS) &&
        max_forwards_read(&x->req.head, &next) == MAX_FORWARDS_MORE)
        put_number_line(b, SPAN("Max-Forwards"), next);
    if (x->req.early && !request_has(x, FIELD_EARLY_DATA))
        put_line(b, SPAN("Early-Data"), SPAN("1"));
}

static void put_lines(struct gateway *g, struct bounded *b)
{
    struct forward f = g->lines;
    const struct field *line;

    while ((line = forward_take(&f)) != NULL)
        put_line(b, line->name, line->id == FIELD_DESTINATION ? g->destination : line->value);
}

static void head_put(struct gateway *g, struct bounded *b)
{
    put_target(g, b);
    put_line(b, SPAN("Host"), gateway_upstream_host(g));
    put_lines(g, b);
    put_client(g, b);
    put_via(g, b);
    put_length(g, b);
    put_others(g, b);
    put_upgrade(g, b);
    bounded_put(b, SPAN("\r\n"));
}

/* What the request brings is said once, and its host again in what is said of it. */
enum reason gateway_request_write(struct gateway *g)
{
    struct exchange *x = g->x;
    struct bounded b = { 0 };
    enum reason why;

    why = gateway_destination(g);
    if (why != R_NONE)
        return why;
    b.room = (size_t)x->req.head.bytes + HOST_TIMES * (x->req.host.name.n + x->req.head.scheme.n) + g->target.n +
             g->destination.n + g->search.upstream.n + g->settings->host.n + OWN_BYTES;
    b.out = arena_take(&x->arena, b.room);
    if (b.out == NULL)
        return R_exchange_memory_exhausted;
    head_put(g, &b);
    if (NEVER(b.bytes > b.room))
        return R_exchange_memory_exhausted;
    g->out.head = (struct span){ b.out, b.bytes };
    g->out.held = x->req.expects_continue && !g->collected && !g->out.taken_all &&
                  (x->req.head.major > 1 || x->req.head.minor > 0);
    g->out.held_ms = x->now_ms;
    return R_NONE;
}
