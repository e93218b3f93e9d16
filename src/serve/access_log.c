#include "serve/access_log.h"

#include <stdio.h>

#include "base/bounded.h"
#include "http/date.h"
#include "http/escape.h"
#include "http/traceparent.h"

/* Of a text that the client chose, in the line; the rest is cut. */
#define VALUE_BYTES 2048u

/* Of the trace that the request belongs to: all that is defined today. */
#define TRACE_BYTES 55u

/* Of a request line that could not be read. */
#define LINE_BYTES 200u

/* Escaped for a log, a byte takes at most \xNN, and in JSON one more. */
#define LINE_ESCAPED_BYTES (LINE_BYTES * 4)

/* Rows are made of parts that are each bounded; their sum stays below the room with a wide margin. */
_Static_assert((6 + 1 + FORWARD_ATTEMPTS) * VALUE_BYTES + TRACE_BYTES + LINE_BYTES * 5 + 2048 < ACCESS_LOG_LINE_BYTES,
               "every part at its longest fits");

typedef size_t (*escape_fn)(struct span in, char *out, size_t room);

/* So much of s that it fits into VALUE_BYTES after escaping, which shortens nothing; never the middle of an escape. */
static __attribute__((noinline)) struct span shorten(struct span s, escape_fn escape)
{
    size_t n;

    if (s.n > VALUE_BYTES)
        s.n = VALUE_BYTES;
    while ((n = escape(s, NULL, 0)) > VALUE_BYTES) {
        size_t cut = (n - VALUE_BYTES) / ESCAPE_GROWTH + 1;

        s.n = cut < s.n ? s.n - cut : 0;
    }
    return s;
}

static void put_escaped(struct bounded *l, struct span s, escape_fn escape)
{
    if (s.n > VALUE_BYTES / ESCAPE_GROWTH)
        s = shorten(s, escape);
    l->bytes += escape(s, l->out + l->bytes, VALUE_BYTES);
}

static void json_text(struct bounded *l, struct span name, struct span value)
{
    bounded_put(l, name);
    put_escaped(l, value, escape_json);
    bounded_put(l, SPAN("\""));
}

static void json_number(struct bounded *l, struct span name, uint64_t value)
{
    bounded_put(l, name);
    bounded_put_number(l, value);
}

static struct span field_value(const struct exchange *x, enum field_id id)
{
    const struct field *f = head_field(&x->req.head, id);

    return f != NULL ? f->value : (struct span){ 0 };
}

/* What stood where a request line was expected, up to its end. Empty when the request line could be read. */
static struct span refused_line(const struct exchange *x)
{
    const struct head *head = &x->req.head;
    struct span line = { 0 };
    size_t i = 0;

    if (x->head_verdict.why == R_NONE || head->stage != 0 || head->base == NULL)
        return line;
    line = (struct span){ head->base + head->at, x->bytes_in - head->at };
    if (line.n > LINE_BYTES)
        line.n = LINE_BYTES;
    while (i < line.n && line.p[i] != '\r' && line.p[i] != '\n')
        i++;
    line.n = i;
    return line;
}

/* As it would stand in the combined format: JSON has no other way to show a byte that is no text. */
static void json_refused_line(struct bounded *l, const struct exchange *x)
{
    struct span line = refused_line(x);
    char escaped[LINE_ESCAPED_BYTES];

    if (line.n > 0)
        json_text(l, SPAN(",\"line\":\""), (struct span){ escaped, escape_log(line, escaped, sizeof escaped) });
}

static void put_two(struct bounded *l, unsigned n)
{
    char two[2] = { (char)('0' + n / 10 % 10), (char)('0' + n % 10) };

    bounded_put(l, (struct span){ two, 2 });
}

static void put_clock(struct bounded *l, const struct date *d)
{
    put_two(l, d->hour);
    bounded_put(l, SPAN(":"));
    put_two(l, d->minute);
    bounded_put(l, SPAN(":"));
    put_two(l, d->second);
}

static void json_time(struct bounded *l, int64_t seconds)
{
    struct date d = date_split(seconds);

    bounded_put(l, SPAN("{\"time\":\""));
    bounded_put_number(l, d.year);
    bounded_put(l, SPAN("-"));
    put_two(l, d.month);
    bounded_put(l, SPAN("-"));
    put_two(l, d.day);
    bounded_put(l, SPAN("T"));
    put_clock(l, &d);
    bounded_put(l, SPAN("Z\""));
}

static void put_protocol(struct bounded *l, const struct exchange *x)
{
    if (x->req.head.major == 0 && x->req.head.minor == 0)
        return;
    bounded_put(l, SPAN("HTTP/"));
    bounded_put_number(l, x->req.head.major);
    bounded_put(l, SPAN("."));
    bounded_put_number(l, x->req.head.minor);
}

static uint64_t between(uint64_t from_ms, uint64_t to_ms)
{
    return from_ms != 0 && to_ms > from_ms ? to_ms - from_ms : 0;
}

static void json_phases(struct bounded *l, const struct exchange *x)
{
    const struct moments *m = &x->moments;

    json_number(l, SPAN(",\"ms\":{\"queue\":"), between(m->accepted_ms, m->first_byte_ms));
    json_number(l, SPAN(",\"head\":"), between(m->first_byte_ms, m->head_ms));
    json_number(l, SPAN(",\"content\":"), between(m->head_ms, m->content_ms));
    bounded_put(l, SPAN(",\"wait\":{"));
    for (unsigned i = 0; i < EXCHANGE_WAITS && x->waits[i].what != NULL; i++) {
        bounded_put(l, i > 0 ? SPAN(",\"") : SPAN("\""));
        bounded_put(l, span_of(x->waits[i].what));
        json_number(l, SPAN("\":"), x->waits[i].ms);
    }
    json_number(l, SPAN("},\"first_byte\":"), between(m->head_ms, m->answered_ms));
    json_number(l, SPAN(",\"total\":"), between(m->first_byte_ms, m->ended_ms));
    bounded_put(l, SPAN("}"));
}

static void json_trace(struct bounded *l, const struct exchange *x)
{
    struct span trace = field_value(x, FIELD_TRACEPARENT);

    if (traceparent_valid(trace))
        json_text(l, SPAN(",\"traceparent\":\""), (struct span){ trace.p, TRACE_BYTES });
}

/* The subject of a certificate that was not accepted is no name. */
static void json_tls(struct bounded *l, const struct transport *t)
{
    if (!t->secured)
        return;
    json_text(l, SPAN(",\"tls\":\""), t->tls_name);
    if (t->client_subject.n > 0 && t->client_certificate == R_NONE)
        json_text(l, SPAN(",\"subject\":\""), t->client_subject);
}

static struct span reason_name(enum reason r)
{
    return r == R_NONE ? (struct span){ 0 } : span_of(reason_info(r)->name);
}

/* How one try went: who was asked, and milliseconds until there was a connection, the request was sent, a head came. */
static void json_attempt(struct bounded *l, const struct attempt *a)
{
    json_text(l, SPAN("{\"server\":\""), a->upstream);
    json_text(l, SPAN(",\"reason\":\""), reason_name(a->failed.why));
    bounded_put(l, a->kept ? SPAN(",\"kept\":true") : SPAN(",\"kept\":false"));
    json_number(l, SPAN(",\"connect\":"), between(a->begun_ms, a->connected_ms));
    json_number(l, SPAN(",\"send\":"), between(a->connected_ms, a->sent_ms));
    json_number(l, SPAN(",\"head\":"), between(a->sent_ms, a->head_ms));
    bounded_put(l, SPAN("}"));
}

/* Who answered: this server, or somebody whom it asked. */
static void json_upstream(struct bounded *l, const struct exchange *x)
{
    const struct forwarding *f = x->forwarding;
    bool relayed = f != NULL && f->status != 0 && x->reply.relayed.fields != NULL;

    bounded_put(l, relayed ? SPAN(",\"by\":\"upstream\"") : SPAN(",\"by\":\"self\""));
    json_text(l, SPAN(",\"upstream\":\""), f != NULL ? f->group : (struct span){ 0 });
    if (f == NULL)
        return;
    json_number(l, SPAN(",\"upstream_status\":"), f->status);
    bounded_put(l, SPAN(",\"tries\":["));
    for (unsigned i = 0; i < f->count; i++) {
        bounded_put(l, i > 0 ? SPAN(",") : (struct span){ 0 });
        json_attempt(l, &f->attempts[i]);
    }
    bounded_put(l, SPAN("]"));
}

size_t access_log_json(const struct exchange *x, const struct access_log_peer *peer, char *out)
{
    struct bounded l = { out, ACCESS_LOG_LINE_BYTES, 0 };

    json_time(&l, x->unix_seconds);
    json_text(&l, SPAN(",\"id\":\""), peer->id);
    json_text(&l, SPAN(",\"client\":\""), peer->client);
    bounded_put(&l, SPAN(",\"protocol\":\""));
    put_protocol(&l, x);
    json_text(&l, SPAN("\",\"method\":\""), x->req.head.method_name);
    json_text(&l, SPAN(",\"target\":\""), x->req.head.target);
    json_refused_line(&l, x);
    json_text(&l, SPAN(",\"host\":\""), x->req.host.name);
    json_number(&l, SPAN(",\"status\":"), x->status_sent);
    json_text(&l, SPAN(",\"detail\":\""), peer->detail);
    json_text(&l, SPAN(",\"reason\":\""), reason_name(x->verdict.why));
    json_text(&l, SPAN(",\"operand\":\""), x->verdict.operand);
    json_number(&l, SPAN(",\"at\":"), x->verdict.at);
    if (x->broken.why != R_NONE)
        json_text(&l, SPAN(",\"broken\":\""), reason_name(x->broken.why));
    json_number(&l, SPAN(",\"bytes_in\":"), x->bytes_in);
    json_number(&l, SPAN(",\"bytes_out\":"), x->bytes_out);
    json_phases(&l, x);
    json_text(&l, SPAN(",\"referer\":\""), field_value(x, FIELD_REFERER));
    json_text(&l, SPAN(",\"user_agent\":\""), field_value(x, FIELD_USER_AGENT));
    json_tls(&l, x->transport);
    json_trace(&l, x);
    json_upstream(&l, x);
    bounded_put(&l, SPAN("}\n"));
    return l.bytes;
}

static void combined_time(struct bounded *l, int64_t seconds)
{
    struct date d = date_split(seconds);

    bounded_put(l, SPAN(" - - ["));
    put_two(l, d.day);
    bounded_put(l, SPAN("/"));
    bounded_put(l, (struct span){ date_month_name(d.month), 3 });
    bounded_put(l, SPAN("/"));
    bounded_put_number(l, d.year);
    bounded_put(l, SPAN(":"));
    put_clock(l, &d);
    bounded_put(l, SPAN(" +0000] \""));
}

static void combined_quoted(struct bounded *l, struct span value)
{
    bounded_put(l, SPAN(" \""));
    put_escaped(l, value.n > 0 ? value : SPAN("-"), escape_log);
    bounded_put(l, SPAN("\""));
}

static void combined_request(struct bounded *l, const struct exchange *x)
{
    struct span refused = refused_line(x);

    if (refused.n > 0) {
        put_escaped(l, refused, escape_log);
    } else if (x->req.head.target.n > 0) {
        put_escaped(l, x->req.head.method_name, escape_log);
        bounded_put(l, SPAN(" "));
        put_escaped(l, x->req.head.target, escape_log);
        bounded_put(l, SPAN(" "));
        put_protocol(l, x);
    }
}

size_t access_log_combined(const struct exchange *x, const struct access_log_peer *peer, char *out)
{
    struct bounded l = { out, ACCESS_LOG_LINE_BYTES, 0 };

    bounded_put(&l, peer->client.n > 0 ? peer->client : SPAN("-"));
    combined_time(&l, x->unix_seconds);
    combined_request(&l, x);
    bounded_put(&l, SPAN("\" "));
    bounded_put_number(&l, peer->status);
    bounded_put(&l, SPAN(" "));
    bounded_put_number(&l, x->content_out);
    combined_quoted(&l, field_value(x, FIELD_REFERER));
    combined_quoted(&l, field_value(x, FIELD_USER_AGENT));
    combined_quoted(&l, reason_name(x->verdict.why));
    combined_quoted(&l, x->verdict.operand);
    combined_quoted(&l, peer->id);
    combined_quoted(&l, peer->detail);
    bounded_put(&l, SPAN("\n"));
    return l.bytes;
}

size_t access_log_lost(bool combined, uint64_t lines, int64_t unix_seconds, char *out, size_t room)
{
    int n = combined ? snprintf(out, room, "- - - [-] \"\" 0 0 \"-\" \"-\" \"log-lines-lost\" \"%llu\" \"-\" \"-\"\n",
                                (unsigned long long)lines)
                     : snprintf(out, room, "{\"time_unix\":%lld,\"log_lines_lost\":%llu}\n", (long long)unix_seconds,
                                (unsigned long long)lines);

    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}
