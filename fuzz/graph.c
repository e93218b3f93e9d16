/*
 * Any request to any resource: the graph ends, once, with a reason that it may end with; the trace tells the very path
 * taken; preconditions do what an independent reading of RFC9110:13.2.2 says, and nothing is changed against them; who
 * may not come in over this connection never comes to a resource.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "exchange/wait.h"
#include "graph/graph.h"
#include "graph/walk.h"
#include "http/framing.h"
#include "http/h1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BIT(m)      (UINT64_C(1) << (m))
#define NOW         1767225600 /* 2026-01-01 */
#define OLD         (NOW - 3600)
#define FIELDS_MOST 8
#define ACTS_MOST   64

struct fragment {
    const char *text;
    bool any, strong, weak; /* of a list of tags: `*`; it has "new" as a strong tag; as a weak one */
    int64_t date;           /* 0: it is none */
};

static const struct fragment tags[] = {
    { .text = "\"new\"", .strong = true },
    { .text = "W/\"new\"", .weak = true },
    { .text = "\"old\"" },
    { .text = "*", .any = true },
    { .text = "\"old\", \"new\"", .strong = true },
    { .text = "W/\"old\", W/\"new\"", .weak = true },
    { .text = "\"old, \"new\"" }, /* from the fault on nothing counts */
    { .text = "" },
};

static const struct fragment dates[] = {
    { .text = "Thu, 01 Jan 2026 00:00:00 GMT", .date = NOW },
    { .text = "Wed, 31 Dec 2025 23:00:00 GMT", .date = OLD },
    { .text = "Wednesday, 31-Dec-25 22:59:59 GMT", .date = OLD - 1 },
    { .text = "Thu Jan  1 00:00:01 1970", .date = 1 },
    { .text = "yesterday" },
    { .text = "Fri, 02 Jan 2026 00:00:00 GMT", .date = NOW + 86400 },
};

static const struct fragment others[] = {
    { .text = "Range: bytes=0-3" },
    { .text = "Range: bytes=-5, 2-4" },
    { .text = "Range: bytes=99-" },
    { .text = "Range: lines=1" },
    { .text = "If-Range: \"new\"" },
    { .text = "If-Range: W/\"new\"" },
    { .text = "If-Range: Wed, 31 Dec 2025 23:00:00 GMT" },
    { .text = "Expect: 100-continue" },
    { .text = "Expect: wonders" },
    { .text = "Content-Length: 10" },
    { .text = "Content-Length: 0" },
    { .text = "Content-Length: 2000" },
    { .text = "Transfer-Encoding: chunked" },
    { .text = "Content-Encoding: gzip" },
    { .text = "Content-Range: bytes 0-1/2" },
    { .text = "Host: h" },
    { .text = "Bad : field" },
};

static const struct fragment methods[] = {
    { .text = "GET" },     { .text = "HEAD" }, { .text = "PUT" },      { .text = "DELETE" },
    { .text = "OPTIONS" }, { .text = "POST" }, { .text = "TRACE" },    { .text = "CONNECT" },
    { .text = "FOO" },     { .text = "PUT" },  { .text = "PROPFIND" },
};

static const struct fragment targets[] = {
    { .text = "/a" },     { .text = "/" },         { .text = "/d/" },    { .text = "/.git/x" },
    { .text = "/a/b/c" }, { .text = "/a?b=c" },    { .text = "*" },      { .text = "http://h/a" },
    { .text = "h:80" },   { .text = "/%2e%2e/x" }, { .text = "/a%00b" }, { .text = "/a" },
};

static const struct fragment versions[] = {
    { .text = " HTTP/1.1\r\nHost: h\r\n" },
    { .text = " HTTP/1.1\r\nHost: h\r\n" },
    { .text = " HTTP/1.0\r\n" },
    { .text = " HTTP/1.1\r\n" },
    { .text = " HTTP/3.0\r\nHost: h\r\n" },
};

/* Fields that count only on some connections. */
static const struct fragment offers[] = {
    { .text = "Upgrade: websocket" },        { .text = "Connection: upgrade" },
    { .text = "Sec-WebSocket-Version: 13" }, { .text = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" },
    { .text = "Sec-WebSocket-Version: 8" },  { .text = "Early-Data: 1" },
};

static const struct span people[] = { SPAN_INIT("CN=ann"), SPAN_INIT("CN=bob"), SPAN_INIT("") };

#define PICK(table) (&(table)[byte() % (sizeof(table) / sizeof(table)[0])])

/* The state of one run. */
static struct {
    struct span in;
    uint16_t acts[ACTS_MOST]; /* those of the resource that went on, in their order */
    unsigned act_count, at;   /* `at`: the act that came last */
    enum reason given;        /* with which the last act stopped */
    bool opened, stored, removed;
    unsigned offered; /* a bit for each of `offers` */
    unsigned interims;
    struct transport transport;
    struct codec_ops codec;
    const struct fragment *if_match[FIELDS_MOST], *if_none_match[FIELDS_MOST];
    const struct fragment *if_modified[FIELDS_MOST], *if_unmodified[FIELDS_MOST];
    char text[2048];
    size_t text_bytes;
} run;

static unsigned byte(void)
{
    unsigned b = run.in.n > 0 ? (unsigned char)run.in.p[0] : 0;

    if (run.in.n > 0)
        run.in = span_from(run.in, 1);
    return b;
}

static bool coin(void)
{
    return byte() & 1;
}

/* What an act of the resource comes to: it goes on, must wait, or stops with a reason that is allowed to it. */
static enum flow outcome(struct exchange *x, unsigned node)
{
    unsigned b = byte(), stops = 0, which;

    DIE_UNLESS(x->verdict.why == R_NONE);
    run.at = node;
    if (b % 8 == 0 && run.in.n > 0)
        return exchange_wait(x, "fuzz", NULL, NULL);
    for (size_t i = 0; i < graph_stop_count; i++)
        stops += graph_stops[i].node == node;
    if (b % 8 == 1 && stops > 0) {
        which = byte() % stops;
        for (size_t i = 0; i < graph_stop_count; i++)
            if (graph_stops[i].node == node && which-- == 0)
                run.given = graph_stops[i].why;
        return STOP(x, run.given, b);
    }
    DIE_UNLESS(run.act_count < ACTS_MOST);
    run.acts[run.act_count++] = (uint16_t)node;
    return FLOW_GO;
}

static enum flow fuzz_open(struct exchange *x)
{
    unsigned bits = byte(), more = byte();

    x->facts = (struct facts){
        .exists = bits & 3,
        .is_collection = (bits & 0x0c) == 0x0c,
        .has_index = bits & 0x10,
        .parent_exists = bits & 0x20,
        .was_removed = bits & 0x40,
        .negotiates = bits & 0x80,
    };
    x->facts.has_etag = more & 3;
    x->facts.etag = (struct etag){ SPAN("new"), (more & 3) == 3 };
    x->facts.has_modified = more & 0x0c;
    x->facts.modified = OLD + (more & 4 ? 0 : 3600);
    x->facts.length = more & 0x10 ? 0 : 10;
    run.opened = true;
    return outcome(x, x->policy->tunnels ? N_open_tunnel : x->policy->answers ? N_give_answer : N_open);
}

static enum flow fuzz_select(struct exchange *x)
{
    x->facts.acceptable = coin();
    x->facts.variant_negotiates = coin();
    return outcome(x, N_select);
}

static enum flow fuzz_encode(struct exchange *x)
{
    x->facts.coding_acceptable = byte() % 8 != 1;
    return outcome(x, N_encode);
}

static enum flow fuzz_compare(struct exchange *x)
{
    x->facts.content_same = coin();
    return outcome(x, request_has(x, FIELD_IF_MATCH) ? N_compare : N_compare_since);
}

static enum flow fuzz_accept(struct exchange *x)
{
    enum flow f;

    x->facts.created = coin();
    f = outcome(x, N_store);
    run.stored |= f == FLOW_GO;
    return f;
}

static enum flow fuzz_remove(struct exchange *x)
{
    enum flow f = outcome(x, N_remove);

    run.removed |= f == FLOW_GO;
    return f;
}

static enum flow fuzz_produce(struct exchange *x)
{
    if (x->policy->tunnels)
        return outcome(x, x->req.connect_protocol.n > 0 ? N_open_stream : N_switch_protocol);
    return outcome(x, N_produce);
}

static enum flow fuzz_part(struct exchange *x)
{
    return outcome(x, N_produce_part);
}

static enum flow fuzz_list(struct exchange *x)
{
    return outcome(x, N_list);
}

static enum flow fuzz_choices(struct exchange *x)
{
    return outcome(x, x->policy->negotiation == NEGOTIATE_REACTIVE ? N_list_choices : N_list_acceptable);
}

static const struct resource_ops whole = {
    .name = "whole",
    .methods = BIT(M_GET) | BIT(M_HEAD) | BIT(M_PUT) | BIT(M_DELETE),
    .state_bytes = 32,
    .open = fuzz_open,
    .select = fuzz_select,
    .encode = fuzz_encode,
    .produce = fuzz_produce,
    .part = fuzz_part,
    .list = fuzz_list,
    .choices = fuzz_choices,
    .compare = fuzz_compare,
    .accept = fuzz_accept,
    .remove = fuzz_remove,
};

static const struct resource_ops plain = {
    .name = "plain",
    .methods = BIT(M_GET) | BIT(M_HEAD) | BIT(M_PUT),
    .open = fuzz_open,
    .produce = fuzz_produce,
    .list = fuzz_list,
    .choices = fuzz_choices,
    .accept = fuzz_accept,
};

/* What a route may demand of the connection, and do with it. */
static void policy_connect(struct policy *policy)
{
    static const struct span link = SPAN_INIT("</a.css>; rel=preload");
    unsigned bits = byte();

    policy->tls_need = (enum tls_need)(bits & 3);
    policy->tls_version_min = bits & 4 ? TRANSPORT_TLS13 : 0;
    policy->subjects = people;
    policy->subject_count = bits & 8 ? 1 : 0;
    policy->hints = &link;
    policy->hint_count = bits & 16 ? 1 : 0;
    policy->hints_h1 = bits & 32;
    policy->tunnels = bits & 64;
    policy->answers |= policy->tunnels;
}

static void fuzz_route(struct exchange *x)
{
    static struct policy policy;
    static const int a_site, a_route;
    unsigned bits = byte(), more = byte();

    policy = (struct policy){
        .methods = bits & 1 ? BIT(M_GET) | BIT(M_HEAD) : UINT64_MAX,
        .content_limit_bytes = 1000,
        .path_limit_bytes = more == 1 ? 1 : 100,
        .query_limit_bytes = more == 2 ? 1 : 100,
        .segments_limit = more == 3 ? 1 : 10,
        .length_required = bits & 2,
        .condition_required = (bits & 0x0c) == 0x0c,
        .answers = (bits & 0x30) == 0x30,
        .trace = bits & 0x40,
        .hidden_served = bits & 0x80,
        .negotiation = (enum negotiation)(more % 3),
        .listing = more & 8 ? LISTING_ON : LISTING_OFF,
    };
    if (more & 32)
        policy_connect(&policy);
    x->site = more == 4 ? NULL : &a_site;
    x->route = more == 7 ? NULL : &a_route;
    x->site_stopped = more == 5;
    x->policy = &policy;
    x->res = more & 16 ? &plain : &whole;
}

static void fuzz_tick(struct exchange *x)
{
    x->now_ms++;
}

static void fuzz_resume(struct exchange *x)
{
    (void)x;
}

static const struct exchange_host host = { .route = fuzz_route, .tick = fuzz_tick, .resume = fuzz_resume };

static void fuzz_interim(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count)
{
    DIE_UNLESS(x->verdict.why == R_NONE && why == R_early_hints);
    DIE_UNLESS(count == x->policy->hint_count && span_is(fields[0].name, SPAN("Link")));
    run.interims++;
}

/* TLS, and what came with it. */
static void transport_set(struct exchange *x)
{
    static const enum reason certificates[] = { R_NONE, R_client_cert_required, R_client_cert_expired,
                                                R_client_cert_revoked, R_client_cert_invalid };
    unsigned bits = byte(), more = byte();

    run.transport.on_tls_port = !(bits & 1) && bits & 2;
    run.transport.port_redirects = bits & 4;
    run.transport.secured = bits & 1;
    if (!run.transport.secured)
        return;
    run.transport.tls_version = bits & 2 ? TRANSPORT_TLS13 : TRANSPORT_TLS12;
    run.transport.client_auth = (enum client_auth)((bits >> 4) % 3);
    if (run.transport.client_auth != CLIENT_AUTH_OFF)
        run.transport.client_certificate = certificates[more % 5];
    run.transport.client_subject = people[more / 16 % 3];
    x->misdirected = bits & 8;
    x->req.early = bits & 64;
}

static void connection_set(struct exchange *x)
{
    unsigned bits = byte();

    transport_set(x);
    x->from_trusted = bits & 1;
    run.codec.major = bits & 2 ? 2 : 1;
    if (run.codec.major == 2 && bits & 4)
        x->req.connect_protocol = bits & 8 ? SPAN("websocket") : SPAN("another");
    run.offered = byte();
}

static void write_text(const char *text)
{
    size_t n = strlen(text);

    DIE_UNLESS(n <= sizeof run.text - run.text_bytes);
    memcpy(run.text + run.text_bytes, text, n);
    run.text_bytes += n;
}

static void write_condition(const char *name, const struct fragment *value, const struct fragment *kept[])
{
    unsigned i = 0;

    while (kept[i] != NULL)
        i++;
    kept[i] = value;
    write_text(name);
    write_text(value->text);
}

static void write_field(void)
{
    switch (byte() % 6) {
    case 0:
        write_condition("If-Match: ", PICK(tags), run.if_match);
        break;
    case 1:
        write_condition("If-None-Match: ", PICK(tags), run.if_none_match);
        break;
    case 2:
        write_condition("If-Modified-Since: ", PICK(dates), run.if_modified);
        break;
    case 3:
        write_condition("If-Unmodified-Since: ", PICK(dates), run.if_unmodified);
        break;
    default:
        write_text(PICK(others)->text);
    }
    write_text("\r\n");
}

static void write_offers(void)
{
    for (unsigned i = 0; i < sizeof offers / sizeof offers[0]; i++)
        if (run.offered >> i & 1) {
            write_text(offers[i].text);
            write_text("\r\n");
        }
}

static void write_head(const struct exchange *x)
{
    const struct fragment *method = PICK(methods), *target = PICK(targets), *version = PICK(versions);
    unsigned fields = byte() % FIELDS_MOST;

    write_text(x->req.connect_protocol.n > 0 ? "CONNECT" : method->text);
    write_text(" ");
    write_text(target->text);
    write_text(x->codec->major == 2 ? " HTTP/2.0\r\nHost: h\r\n" : version->text);
    for (unsigned i = 0; i < fields; i++)
        write_field();
    write_offers();
    write_text("\r\n");
}

static void take_head(struct exchange *x)
{
    static const struct h1_limits limits = { 100, 100, 1000, 12 };
    struct framing framing = { .kind = FRAMING_NONE };
    enum reason r = h1_parse_head((struct span){ run.text, run.text_bytes }, &limits, &x->req.head, &x->head_verdict);

    DIE_UNLESS(r != R_MORE);
    if (r == R_NONE && framing_choose(&x->req.head, &framing, &x->head_verdict) == R_NONE)
        DIE_UNLESS(x->head_verdict.why == R_NONE);
    x->req.has_content = framing.kind != FRAMING_NONE;
    x->req.length_known = framing.kind != FRAMING_CHUNKED;
    x->req.length = framing.length;
}

/* ---- what RFC9110:13.2.2 makes of the conditions, read a second time ---- */

static bool hits(const struct fragment *const list[], bool has_etag, bool is_weak, bool by_strong)
{
    for (unsigned i = 0; list[i] != NULL; i++)
        if (list[i]->any ||
            (by_strong ? has_etag && !is_weak && list[i]->strong : has_etag && (list[i]->strong || list[i]->weak)))
            return true;
    return false;
}

/* One line with a date that the resource can be held against. */
static const struct fragment *only_date(const struct fragment *const list[], const struct facts *facts)
{
    return list[0] != NULL && list[0]->date != 0 && list[1] == NULL && facts->has_modified ? list[0] : NULL;
}

static enum reason precondition(const struct exchange *x)
{
    const struct facts *facts = &x->facts;
    bool reads = x->req.head.method == M_GET || x->req.head.method == M_HEAD;
    const struct fragment *unmodified = only_date(run.if_unmodified, facts);
    const struct fragment *modified = only_date(run.if_modified, facts);

    if (run.if_match[0] != NULL) {
        if (!hits(run.if_match, facts->has_etag, facts->etag.weak, true))
            return R_if_match_failed;
    } else if (unmodified != NULL && facts->modified > unmodified->date) {
        return R_if_unmodified_since_failed;
    }
    if (run.if_none_match[0] != NULL) {
        if (hits(run.if_none_match, facts->has_etag, facts->etag.weak, false))
            return reads ? R_not_modified : R_if_none_match_failed;
    } else if (reads && modified != NULL && facts->modified <= modified->date) {
        return R_not_modified;
    }
    return R_NONE;
}

static bool is_of_precondition(enum reason why)
{
    return why == R_if_match_failed || why == R_if_unmodified_since_failed || why == R_if_none_match_failed ||
           why == R_not_modified || why == R_already_applied;
}

/* x came to the conditions: it ended with what they say, or they all held. */
static void check_precondition(const struct exchange *x, bool compared)
{
    enum reason said = precondition(x), why = x->verdict.why;

    if (said == R_NONE) {
        DIE_UNLESS(!compared && (!is_of_precondition(why) || run.given == why));
    } else if (why != said) {
        DIE_UNLESS(compared && (why == R_already_applied || run.given == why));
        DIE_UNLESS(why != R_already_applied || (x->facts.content_same && x->req.head.method == M_PUT));
        DIE_UNLESS(said == R_if_match_failed || said == R_if_unmodified_since_failed);
    }
    if (said != R_NONE)
        DIE_UNLESS(!run.stored && !run.removed);
}

/* ---- what must hold of every end ---- */

/* Must this request not come to a resource, whatever the graph thinks? */
static bool is_kept_out(const struct exchange *x)
{
    const struct transport *t = x->transport;
    const struct policy *p = x->policy;
    bool early = x->req.early || (x->from_trusted && request_has(x, FIELD_EARLY_DATA));

    if (early && !method_info(x->req.head.method)->safe)
        return true;
    if (!t->secured)
        return t->on_tls_port || p->tls_need != TLS_ANY;
    if (x->misdirected || t->tls_version < p->tls_version_min)
        return true;
    if (t->client_auth == CLIENT_AUTH_OFF)
        return false;
    if (t->client_certificate == R_client_cert_required)
        return t->client_auth == CLIENT_AUTH_REQUIRED || p->subject_count > 0;
    return t->client_certificate != R_NONE || (p->subject_count > 0 && !span_is(t->client_subject, people[0]));
}

/* Would node n answer so now? The facts that it looked at are as they were, but for those that open() brought. */
static bool answers_so(struct exchange *x, unsigned n, bool yes)
{
    bool is_collection = x->facts.is_collection, same;

    if (n == N_method_allowed || n == N_tunnel_method)
        x->facts.is_collection = false;
    same = graph_nodes[n].ask(x) == yes;
    x->facts.is_collection = is_collection;
    return same;
}

static bool is_of_resource(unsigned n)
{
    switch (n) {
    case N_receive:
    case N_understand:
    case N_route:
    case N_hint:
    case N_plan_ranges:
    case N_echo:
    case N_describe:
    case N_describe_server:
        return false;
    case N_select:
        return true;
    default:
        return graph_nodes[n].act != NULL;
    }
}

/* The walk tells each question with its answer, and the acts of the resource in their order. */
static bool check_walk(struct exchange *x, bool visited[GRAPH_NODES])
{
    unsigned act = 0, steps = 0;
    struct walk w;

    walk_init(&w, x->trace);
    while (walk_next(&w)) {
        steps++;
        visited[w.node] = true;
        if (graph_nodes[w.node].ask != NULL)
            DIE_UNLESS(answers_so(x, w.node, w.yes));
        else if (act < run.act_count && run.acts[act] == w.node)
            act++;
        else
            DIE_UNLESS(!is_of_resource(w.node) || w.last || x->res == &plain);
    }
    DIE_UNLESS(steps > 0 && steps <= GRAPH_NODES && w.last && w.left == 0 && w.node == x->trace.at);
    DIE_UNLESS(act == run.act_count);
    return w.yes;
}

static void check_end(struct exchange *x)
{
    bool visited[GRAPH_NODES] = { false };
    bool yes = check_walk(x, visited);
    enum reason why = x->verdict.why;
    enum method method = x->req.head.method;

    DIE_UNLESS(why > R_MORE && why < R_COUNT && x->broken.why == R_NONE);
    if (run.given != R_NONE)
        DIE_UNLESS(why == run.given && graph_may_stop(x->trace.at, why));
    else
        DIE_UNLESS(graph_nodes[x->trace.at].out[yes].end == why || graph_may_stop(x->trace.at, why));
    if (x->head_verdict.why != R_NONE)
        DIE_UNLESS(why == x->head_verdict.why && x->trace.at == N_receive);
    if (why == R_not_modified)
        DIE_UNLESS(method == M_GET || method == M_HEAD);
    if (why == R_if_none_match_failed)
        DIE_UNLESS(method != M_GET && method != M_HEAD);
    DIE_UNLESS(!run.opened || !is_kept_out(x));
    DIE_UNLESS(run.interims == visited[N_hint]);
    DIE_UNLESS(why != R_protocol_switch || x->req.head.major == 1);
    DIE_UNLESS(why != R_tunnel_opened || span_is(x->req.connect_protocol, SPAN("websocket")));
    DIE_UNLESS(!run.stored || method == M_PUT);
    DIE_UNLESS(!run.removed || method == M_DELETE);
    if (visited[N_is_conditional])
        check_precondition(x, visited[N_compare] || visited[N_compare_since]);
    else if (run.stored && run.if_match[0] != NULL)
        DIE_UNLESS(x->facts.exists); /* what is not there matches no tag */
}

/* Waits end with a wake-up; nothing is decided meanwhile. */
static void run_through(struct exchange *x)
{
    for (unsigned rounds = 0; graph_run(x) == FLOW_WAIT; rounds++) {
        DIE_UNLESS(x->verdict.why == R_NONE && x->wait.what != NULL && x->trace.at == run.at && rounds < 1000);
        exchange_wake(x, x->wait.ticket);
        DIE_UNLESS(x->wait.what == NULL);
    }
    DIE_UNLESS(x->wait.what == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct exchange x;
    static struct field fields[HEAD_FIELDS_MAX];
    unsigned bits;

    memset(&run, 0, sizeof run);
    memset(&x, 0, sizeof x);
    run.in = (struct span){ (const char *)data, size };
    bits = byte();
    x.host = &host;
    run.codec = (struct codec_ops){ .name = "fuzz", .major = 1, .interim = fuzz_interim };
    x.codec = &run.codec;
    x.transport = &run.transport;
    x.unix_seconds = NOW;
    x.server_full = bits == 1;
    x.client_full = bits == 2;
    x.descriptors_full = bits == 3;
    arena_init(&x.arena, NULL, 0, bits & 16 ? 4096 : bits & 3 ? 32 : 4);
    head_init(&x.req.head, fields);
    if (bits & 32)
        connection_set(&x);
    write_head(&x);
    take_head(&x);
    run_through(&x);
    check_end(&x);
    arena_reset(&x.arena);
    return 0;
}
