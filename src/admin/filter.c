#include "admin/filter.h"

#include <stdio.h>

#include "admin/forwarded.h"
#include "admin/row.h"
#include "exchange/exchange.h"
#include "explain/code.h"
#include "reason/reason.h"

#define STATUS_MOST  9999u /* Cloudflare's error numbers have four digits */
#define UNIX_MS_MOST (UINT64_C(1) << 53)

#define SHORT_BYTES  16u /* of a text that may be compared at each place */
#define SUM_BASE     UINT64_C(0x9e3779b97f4a7c15)

static const struct span known[] = { SPAN_INIT("reason"), SPAN_INIT("status"), SPAN_INIT("class"),
                                     SPAN_INIT("site"),   SPAN_INIT("client"), SPAN_INIT("text"),
                                     SPAN_INIT("failed"), SPAN_INIT("since"),  SPAN_INIT("before"),
                                     SPAN_INIT("limit"),  SPAN_INIT("lang"),   SPAN_INIT("upstream") };

static bool reason_read(struct filter *f, const struct query *q)
{
    struct span name = query_value(q, SPAN("reason"));

    f->why = name.p != NULL ? reason_find(name) : R_NONE;
    return name.p == NULL || f->why != R_NONE;
}

/* -1 when it is left out. */
static bool small_read(const struct query *q, struct span name, uint64_t max, int *out)
{
    uint64_t number;

    *out = -1;
    if (query_value(q, name).p == NULL)
        return true;
    if (!query_number(q, name, 0, max, &number))
        return false;
    *out = (int)number;
    return true;
}

/* "404", or "404.13" of IIS. */
static bool status_read(struct filter *f, const struct query *q)
{
    struct span text = query_value(q, SPAN("status"));
    size_t dot = span_find(text, '.');
    struct query parts = { .count = 2, .all = { { SPAN("status"), { text.p, dot } }, { SPAN("sub"), text } } };

    f->status = f->sub = -1;
    if (text.p == NULL)
        return true;
    if (dot == text.n)
        return small_read(q, SPAN("status"), STATUS_MOST, &f->status);
    parts.all[1].value = span_from(text, dot + 1);
    return small_read(&parts, SPAN("status"), STATUS_MOST, &f->status) &&
           small_read(&parts, SPAN("sub"), STATUS_MOST, &f->sub);
}

static bool failed_read(struct filter *f, const struct query *q)
{
    uint64_t failed;

    if (!query_number(q, SPAN("failed"), 0, 1, &failed))
        return false;
    f->failed = failed > 0;
    return true;
}

/* Unix time in milliseconds, or a time back from now: 30s, 5m, 2h. */
static bool since_read(struct filter *f, const struct query *q, uint64_t unix_ms)
{
    struct span text = query_value(q, SPAN("since"));
    char last = text.n > 0 ? text.p[text.n - 1] : '0';
    uint64_t unit_ms = last == 's' ? 1000 : last == 'm' ? 60000 : last == 'h' ? 3600000 : 0;
    struct query part = { .count = 1, .all = { { SPAN("since"), { text.p, text.n - (unit_ms > 0) } } } };
    uint64_t number;

    f->since_unix_ms = 0;
    if (text.p == NULL)
        return true;
    if (!query_number(&part, SPAN("since"), 0, unit_ms > 0 ? UNIX_MS_MOST / unit_ms : UNIX_MS_MOST, &number))
        return false;
    if (unit_ms == 0)
        f->since_unix_ms = number;
    else
        f->since_unix_ms = number * unit_ms < unix_ms ? unix_ms - number * unit_ms : 0;
    return true;
}

static struct span first_bad(struct filter *f, const struct query *q, uint64_t unix_ms)
{
    if (!reason_read(f, q))
        return SPAN("reason");
    if (!status_read(f, q))
        return SPAN("status");
    if (!small_read(q, SPAN("class"), 5, &f->class))
        return SPAN("class");
    if (!failed_read(f, q))
        return SPAN("failed");
    if (!since_read(f, q, unix_ms))
        return SPAN("since");
    return query_unknown(q, known, sizeof known / sizeof known[0]);
}

bool filter_read(struct filter *f, const struct query *q, uint64_t unix_ms, struct span *bad_out)
{
    struct span bad;

    *f = (struct filter){ .site = query_value(q, SPAN("site")),
                          .client = query_value(q, SPAN("client")),
                          .text = query_value(q, SPAN("text")),
                          .upstream = query_value(q, SPAN("upstream")) };
    f->of_admin = span_is(f->site, SPAN("admin"));
    bad = first_bad(f, q, unix_ms);
    if (bad.p != NULL)
        *bad_out = bad;
    return bad.p == NULL;
}

bool filter_is_open(const struct filter *f)
{
    return f->site.p == NULL && f->client.p == NULL && f->upstream.p == NULL && f->text.n == 0 && f->why == R_NONE &&
           f->status < 0 && f->class < 0 && !f->failed && f->since_unix_ms == 0;
}

static bool status_passes(const struct filter *f, const struct record *r)
{
    struct code code = reason_code(r->why, r->dialect);

    if (f->sub >= 0)
        return r->dialect == DIALECT_IIS && r->status_sent == f->status && code.detail == f->sub + 1;
    return r->status_sent == f->status || (r->dialect != DIALECT_IIS && code.detail > 0 && code.detail == f->status);
}

static bool client_passes(const struct filter *f, const struct record *r)
{
    char text[ADDRESS_TEXT_BYTES];

    return span_is_nocase(f->client, row_client_print(r->peer, r->peer_bytes, text));
}

static bool site_passes(const struct filter *f, const struct admin_source *source, const struct record *r)
{
    const char *name = source->site_name(source->server, r->site);

    return f->of_admin || (name != NULL && span_is(f->site, span_of(name)));
}

static char other_case(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? (char)(c ^ 0x20) : c;
}

/* Where c is in s from `at` on; s.n when it is nowhere. */
static size_t find_from(struct span s, size_t at, char c)
{
    return at + span_find(span_from(s, at), c);
}

static uint64_t lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* By a sum over each piece of s that is as long, and moves on with it: as many steps as s has bytes, however often it
 * nearly has the part. */
static bool has_long(struct span s, struct span part)
{
    uint64_t wanted = 0, sum = 0, leaves = 1;

    for (size_t i = 0; i < part.n; i++) {
        wanted = wanted * SUM_BASE + lower(part.p[i]);
        leaves *= SUM_BASE;
    }
    for (size_t end = 1; end <= s.n; end++) {
        sum = sum * SUM_BASE + lower(s.p[end - 1]);
        if (end > part.n)
            sum -= leaves * lower(s.p[end - 1 - part.n]);
        if (end >= part.n && sum == wanted && span_is_nocase((struct span){ s.p + end - part.n, part.n }, part))
            return true;
    }
    return false;
}

/* Its first letter is looked for in both cases by memchr(), which is much faster than any loop over bytes. */
static bool has_short(struct span s, struct span part)
{
    char first = part.p[0], other = other_case(first);
    size_t a = span_find(s, first), b = other != first ? span_find(s, other) : s.n;

    for (;;) {
        size_t at = a < b ? a : b;

        if (s.n - at < part.n)
            return false;
        if (span_is_nocase((struct span){ s.p + at, part.n }, part))
            return true;
        if (at == a)
            a = find_from(s, at + 1, first);
        else
            b = find_from(s, at + 1, other);
    }
}

/* An id or a status is found whole: parts of them stand in others by chance. */
static bool number_passes(const struct filter *f, const struct record *r)
{
    char id[EXCHANGE_ID_LETTERS], status[8];
    int n = snprintf(status, sizeof status, "%u", r->status_sent);

    exchange_id_write(r->number, id);
    return span_is_nocase((struct span){ id, sizeof id }, f->text) ||
           span_is((struct span){ status, (size_t)n }, f->text) ||
           span_is(span_of(explain_detail(r->why, r->dialect).text), f->text);
}

/* Is `part`, which is not empty, somewhere in s, without regard to the case of ASCII letters? */
static bool has(struct span s, struct span part)
{
    return part.n <= SHORT_BYTES ? has_short(s, part) : has_long(s, part);
}

static bool text_passes(const struct filter *f, const struct record *r)
{
    static const struct span fields[] = { SPAN_INIT("Host"), SPAN_INIT("User-Agent"), SPAN_INIT("Referer"),
                                          SPAN_INIT("traceparent") };
    struct span head = record_request(r);

    if (number_passes(f, r) || has(record_operand(r), f->text) || has(span_of(reason_info(r->why)->name), f->text) ||
        (r->broken != R_NONE && has(span_of(reason_info(r->broken)->name), f->text)))
        return true;
    if (!has(head, f->text)) /* the rest is part of it */
        return false;
    if (has(record_method(r), f->text) || has(record_target(r), f->text))
        return true;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (has(record_field(head, fields[i]), f->text))
            return true;
    return false;
}

/* The cheap questions first. */
bool filter_passes(const struct filter *f, const struct admin_source *source, const struct record *r)
{
    return (f->why == R_NONE || r->why == f->why || r->broken == f->why) &&
           (f->class < 0 || r->status_sent / 100 == f->class) && (!f->failed || r->failed || r->slow) &&
           r->unix_ms >= f->since_unix_ms && (f->status < 0 || status_passes(f, r)) &&
           (f->upstream.p == NULL || forwarded_to(r, f->upstream)) &&
           (f->site.p == NULL || site_passes(f, source, r)) && (f->client.p == NULL || client_passes(f, r)) &&
           (f->text.n == 0 || text_passes(f, r));
}
