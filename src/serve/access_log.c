#include "serve/access_log.h"

#include <stdio.h>

#include "base/decimal.h"
#include "http/block.h"
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

/* Rows are made of parts that are each bounded; their sum stays below the room with a wide margin. So nothing here looks
 * whether there is room. */
_Static_assert((6 + 2 + FORWARD_ATTEMPTS) * VALUE_BYTES + TRACE_BYTES + LINE_BYTES * 5 + 2048 < ACCESS_LOG_LINE_BYTES,
               "every part at its longest fits");

/* What writes a part takes its place and returns the end of it. */
static inline char *put(char *to, struct span s)
{
    memcpy(to, s.p, s.n);
    return to + s.n;
}

static inline char *put_number(char *to, struct span name, uint64_t value)
{
    return decimal_write(put(to, name), value);
}

typedef size_t (*escape_fn)(struct span in, char *out, size_t room);

/* So much of s that it fits into VALUE_BYTES after escaping, which shortens nothing; never the middle of an escape. */
static struct span shorten(struct span s, escape_fn escape)
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

/* Bit i: byte i stands for itself, in either format. */
static inline unsigned plain_bits(block bytes)
{
    return block_bits(block_in(bytes, ' ', '~') & ~(block_is(bytes, '"') | block_is(bytes, '\\')));
}

/* Copy s if all of it stands for itself: else it was copied for nothing, and false. May write as much as a block behind
 * it. */
static inline bool copy_plain(char *to, struct span s)
{
    block bytes;

    for (; s.n >= BLOCK_BYTES; s = span_from(s, BLOCK_BYTES), to += BLOCK_BYTES) {
        bytes = block_load(s.p);
        if (plain_bits(bytes) != BLOCK_ALL)
            return false;
        memcpy(to, &bytes, sizeof bytes);
    }
    bytes = block_load_part(s.p, s.n);
    memcpy(to, &bytes, sizeof bytes);
    return plain_bits(bytes) == (1u << s.n) - 1; /* what follows is NUL, and never plain */
}

static __attribute__((noinline)) size_t escape_cut(struct span s, char *to, escape_fn escape)
{
    if (s.n > VALUE_BYTES / ESCAPE_GROWTH)
        s = shorten(s, escape);
    return escape(s, to, VALUE_BYTES);
}

static __attribute__((noinline)) char *put_some(char *to, struct span s, escape_fn escape)
{
    return to + (s.n <= VALUE_BYTES && copy_plain(to, s) ? s.n : escape_cut(s, to, escape));
}

static inline char *put_escaped(char *to, struct span s, escape_fn escape)
{
    return s.n > 0 ? put_some(to, s, escape) : to;
}

static inline char *put_text(char *to, struct span name, struct span value)
{
    return put_escaped(put(to, name), value, escape_json);
}

static inline char *put_name(char *to, enum reason r)
{
    const struct reason_info *info = reason_info(r);

    return put(to, (struct span){ info->name, info->name_bytes });
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
static __attribute__((noinline)) char *json_refused_line(char *to, struct span line)
{
    char escaped[LINE_ESCAPED_BYTES];

    return put_text(to, SPAN("\",\"line\":\""), (struct span){ escaped, escape_log(line, escaped, sizeof escaped) });
}

static char *put_clock(char *to, const struct date *d)
{
    to = put(decimal_write_two(to, d->hour), SPAN(":"));
    to = put(decimal_write_two(to, d->minute), SPAN(":"));
    return decimal_write_two(to, d->second);
}

static char *json_time(char *to, const struct date *d)
{
    to = put(put_number(to, SPAN("{\"time\":\""), d->year), SPAN("-"));
    to = put(decimal_write_two(to, d->month), SPAN("-"));
    to = put(decimal_write_two(to, d->day), SPAN("T"));
    return put(put_clock(to, d), SPAN("Z\",\"id\":\""));
}

static char *combined_time(char *to, const struct date *d)
{
    to = decimal_write_two(put(to, SPAN(" - - [")), d->day);
    to = put(put(to, SPAN("/")), (struct span){ date_month_name(d->month), 3 });
    to = put_number(to, SPAN("/"), d->year);
    return put(put_clock(put(to, SPAN(":")), d), SPAN(" +0000] \""));
}

/* What tells the time is made once a second. */
static inline char *put_time(char *to, struct access_log_second *now, int64_t unix_seconds,
                             char *(*write)(char *to, const struct date *d))
{
    if (now->bytes == 0 || now->unix_seconds != unix_seconds) {
        struct date d = date_split(unix_seconds);

        now->unix_seconds = unix_seconds;
        now->bytes = (size_t)(write(now->text, &d) - now->text);
    }
    memcpy(to, now->text, sizeof now->text);
    return to + now->bytes;
}

static inline char *put_protocol(char *to, const struct head *head)
{
    if (head->major == 0 && head->minor == 0)
        return to;
    to = put_number(to, SPAN("HTTP/"), head->major);
    return put_number(to, SPAN("."), head->minor);
}

static inline uint64_t between(uint64_t from_ms, uint64_t to_ms)
{
    return from_ms != 0 && to_ms > from_ms ? to_ms - from_ms : 0;
}

static inline char *json_waits(char *to, const struct waited waits[EXCHANGE_WAITS])
{
    for (unsigned i = 0; i < EXCHANGE_WAITS && waits[i].what != NULL; i++) {
        to = put(to, i > 0 ? SPAN(",\"") : SPAN("\""));
        to = put_number(put(to, span_of(waits[i].what)), SPAN("\":"), waits[i].ms);
    }
    return to;
}

static inline char *json_phases(char *to, const struct exchange *x)
{
    const struct moments *m = &x->moments;

    to = put_number(to, SPAN(",\"ms\":{\"queue\":"), between(m->accepted_ms, m->first_byte_ms));
    to = put_number(to, SPAN(",\"head\":"), between(m->first_byte_ms, m->head_ms));
    to = put_number(to, SPAN(",\"content\":"), between(m->head_ms, m->content_ms));
    to = json_waits(put(to, SPAN(",\"wait\":{")), x->waits);
    to = put_number(to, SPAN("},\"first_byte\":"), between(m->head_ms, m->answered_ms));
    return put_number(to, SPAN(",\"total\":"), between(m->first_byte_ms, m->ended_ms));
}

static char *json_trace(char *to, struct span trace)
{
    return traceparent_valid(trace) ? put_text(to, SPAN("\",\"traceparent\":\""), (struct span){ trace.p, TRACE_BYTES })
                                    : to;
}

/* The subject of a certificate that was not accepted is no name. */
static char *json_tls(char *to, const struct transport *t)
{
    to = put_text(to, SPAN("\",\"tls\":\""), t->tls_name);
    if (t->client_subject.n > 0 && t->client_certificate == R_NONE)
        to = put_text(to, SPAN("\",\"subject\":\""), t->client_subject);
    return to;
}

/* How one try went: who was asked, and milliseconds until there was a connection, the request was sent, a head came. */
static char *json_attempt(char *to, const struct attempt *a)
{
    to = put(put_text(to, SPAN("{\"server\":\""), a->upstream), SPAN("\",\"reason\":\""));
    if (a->failed.why != R_NONE)
        to = put_name(to, a->failed.why);
    to = put(to, a->kept ? SPAN("\",\"kept\":true") : SPAN("\",\"kept\":false"));
    to = put_number(to, SPAN(",\"connect\":"), between(a->begun_ms, a->connected_ms));
    to = put_number(to, SPAN(",\"send\":"), between(a->connected_ms, a->sent_ms));
    to = put_number(to, SPAN(",\"head\":"), between(a->sent_ms, a->head_ms));
    return put(to, SPAN("}"));
}

/* Whoever was asked, and has answered or not. */
static __attribute__((noinline)) char *json_upstream(char *to, const struct exchange *x)
{
    const struct forwarding *f = x->forwarding;
    bool relayed = f->status != 0 && x->reply.relayed.fields != NULL;

    to = put(to, relayed ? SPAN("\",\"by\":\"upstream\"") : SPAN("\",\"by\":\"self\""));
    to = put_text(to, SPAN(",\"upstream\":\""), f->group);
    to = put_number(to, SPAN("\",\"upstream_status\":"), f->status);
    to = put(to, SPAN(",\"tries\":["));
    for (unsigned i = 0; i < f->count; i++) {
        if (i > 0)
            to = put(to, SPAN(","));
        to = json_attempt(to, &f->attempts[i]);
    }
    return put(to, SPAN("]}\n"));
}

/* Who, and what was asked for. */
static inline char *json_request(char *to, const struct exchange *x, const struct access_log_peer *peer)
{
    const struct head *head = &x->req.head;
    struct span refused = refused_line(x);

    to = put_text(put(to, peer->id), SPAN("\",\"client\":\""), peer->client);
    to = put_protocol(put(to, SPAN("\",\"protocol\":\"")), head);
    to = put_text(to, SPAN("\",\"method\":\""), head->method_name);
    to = put_text(to, SPAN("\",\"target\":\""), head->target);
    if (refused.n > 0)
        to = json_refused_line(to, refused);
    return put_text(to, SPAN("\",\"host\":\""), x->req.host.name);
}

/* What became of it. */
static inline char *json_end(char *to, const struct exchange *x, struct span detail)
{
    to = put_number(to, SPAN("\",\"status\":"), x->status_sent);
    to = put_text(to, SPAN(",\"detail\":\""), detail);
    to = put(to, SPAN("\",\"reason\":\""));
    if (x->verdict.why != R_NONE)
        to = put_name(to, x->verdict.why);
    to = put_text(to, SPAN("\",\"operand\":\""), x->verdict.operand);
    to = put_number(to, SPAN("\",\"at\":"), x->verdict.at);
    if (x->broken.why != R_NONE)
        to = put(put_name(put(to, SPAN(",\"broken\":\"")), x->broken.why), SPAN("\""));
    to = put_number(to, SPAN(",\"bytes_in\":"), x->bytes_in);
    to = put_number(to, SPAN(",\"bytes_out\":"), x->bytes_out);
    return json_phases(to, x);
}

size_t access_log_json(const struct exchange *x, const struct access_log_peer *peer, struct access_log_second *now,
                       char *out)
{
    char *to = put_time(out, now, x->unix_seconds, json_time);

    to = json_end(json_request(to, x, peer), x, peer->detail);
    to = put_text(to, SPAN("},\"referer\":\""), field_value(x, FIELD_REFERER));
    to = put_text(to, SPAN("\",\"user_agent\":\""), field_value(x, FIELD_USER_AGENT));
    if (x->transport->secured)
        to = json_tls(to, x->transport);
    if (request_has(x, FIELD_TRACEPARENT))
        to = json_trace(to, field_value(x, FIELD_TRACEPARENT));
    if (x->forwarding != NULL)
        to = json_upstream(to, x);
    else
        to = put(to, SPAN("\",\"by\":\"self\",\"upstream\":\"\"}\n"));
    return (size_t)(to - out);
}

static inline char *combined_quoted(char *to, struct span value)
{
    return put(put_escaped(put(to, SPAN(" \"")), value.n > 0 ? value : SPAN("-"), escape_log), SPAN("\""));
}

static char *combined_request(char *to, const struct exchange *x)
{
    struct span refused = refused_line(x);

    if (refused.n > 0)
        return put_escaped(to, refused, escape_log);
    if (x->req.head.target.n == 0)
        return to;
    to = put(put_escaped(to, x->req.head.method_name, escape_log), SPAN(" "));
    to = put(put_escaped(to, x->req.head.target, escape_log), SPAN(" "));
    return put_protocol(to, &x->req.head);
}

static char *combined_reason(char *to, enum reason r)
{
    to = put(to, SPAN(" \""));
    return put(r != R_NONE ? put_name(to, r) : put(to, SPAN("-")), SPAN("\""));
}

size_t access_log_combined(const struct exchange *x, const struct access_log_peer *peer, struct access_log_second *now,
                           char *out)
{
    char *to = put(out, peer->client.n > 0 ? peer->client : SPAN("-"));

    to = combined_request(put_time(to, now, x->unix_seconds, combined_time), x);
    to = put_number(to, SPAN("\" "), peer->status);
    to = put_number(to, SPAN(" "), x->content_out);
    to = combined_quoted(to, field_value(x, FIELD_REFERER));
    to = combined_quoted(to, field_value(x, FIELD_USER_AGENT));
    to = combined_reason(to, x->verdict.why);
    to = combined_quoted(to, x->verdict.operand);
    to = combined_quoted(to, peer->id);
    to = combined_quoted(to, peer->detail);
    return (size_t)(put(to, SPAN("\n")) - out);
}

size_t access_log_lost(bool combined, uint64_t lines, int64_t unix_seconds, char *out, size_t room)
{
    int n = combined ? snprintf(out, room, "- - - [-] \"\" 0 0 \"-\" \"-\" \"log-lines-lost\" \"%llu\" \"-\" \"-\"\n",
                                (unsigned long long)lines)
                     : snprintf(out, room, "{\"time_unix\":%lld,\"log_lines_lost\":%llu}\n", (long long)unix_seconds,
                                (unsigned long long)lines);

    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}
