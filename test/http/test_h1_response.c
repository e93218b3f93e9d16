#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/chunk.h"
#include "http/h1_response.h"

static const struct h1_limits limits = { .target_bytes = 1, .field_bytes = 32, .head_bytes = 160, .fields = 4 };

struct parsed {
    struct field fields[4];
    struct response_head response;
    struct verdict v;
    enum reason why;
};

static void parse_fresh(struct parsed *p, struct span in)
{
    response_init(&p->response, p->fields);
    p->v = (struct verdict){ 0 };
    p->why = h1_parse_response(in, &limits, &p->response, &p->v);
}

static void parse_on(struct parsed *p, struct span in)
{
    p->why = h1_parse_response(in, &limits, &p->response, &p->v);
}

struct refusal {
    struct span in;
    enum reason why;
    uint32_t at;
    const char *operand;
};

#define L   "HTTP/1.1 200 OK\r\n" /* 17 bytes */
#define X16 "xxxxxxxxxxxxxxxx"
#define A31 "A: " X16 "xxxxxxxxxxxx\r\n" /* 33 bytes */

#define NO_HTTP(text, at)                                       \
    {                                                           \
        SPAN_INIT(text), R_upstream_headers_unparseable, at, "" \
    }
#define BAD(text, at, operand)                                \
    {                                                         \
        SPAN_INIT(text), R_upstream_bad_response, at, operand \
    }
#define LONG(text, at, operand)                                        \
    {                                                                  \
        SPAN_INIT(text), R_upstream_header_line_too_large, at, operand \
    }
#define LARGE(text, at, operand)                                   \
    {                                                              \
        SPAN_INIT(text), R_upstream_headers_too_large, at, operand \
    }

static const struct refusal refusals[] = {
    /* what is no status line. RFC9112:4 */
    NO_HTTP("<html>", 0),
    NO_HTTP("\r\nHTTP/1.1 200 OK\r\n\r\n", 0),
    NO_HTTP("\n", 0),
    NO_HTTP("\0", 0),
    NO_HTTP("\x15\x03\x03\x00\x02", 0),
    NO_HTTP(" HTTP/1.1 200 OK\r\n\r\n", 0),
    NO_HTTP("http/1.1 200 OK\r\n\r\n", 0),
    NO_HTTP("HTP/1.1 200 OK\r\n\r\n", 2),
    NO_HTTP("HTTP 200 OK\r\n\r\n", 4),
    NO_HTTP("HTTP/\r\n", 5),
    NO_HTTP("HTTP/x.1 200 OK\r\n\r\n", 5),
    NO_HTTP("HTTP/1,1 200 OK\r\n\r\n", 6),
    NO_HTTP("HTTP/1.x 200 OK\r\n\r\n", 7),
    NO_HTTP("HTTP/1.10 200 OK\r\n\r\n", 8),
    NO_HTTP("HTTP/1.1\r\n\r\n", 8),
    NO_HTTP("HTTP/1.1\t200 OK\r\n\r\n", 8),
    NO_HTTP("HTTP/1.1  200 OK\r\n\r\n", 9),
    NO_HTTP("HTTP/1.1 \r\n\r\n", 9),
    NO_HTTP("HTTP/1.1 OK\r\n\r\n", 9),
    NO_HTTP("HTTP/1.1 +20 OK\r\n\r\n", 9),
    NO_HTTP("HTTP/1.1 2x0 OK\r\n\r\n", 10),
    NO_HTTP("HTTP/1.1 20 OK\r\n\r\n", 11),
    NO_HTTP("HTTP/1.1 20\r\n\r\n", 11),
    NO_HTTP("HTTP/1.1 2000 OK\r\n\r\n", 12),
    NO_HTTP("HTTP/1.1 200OK\r\n\r\n", 12),
    NO_HTTP("HTTP/1.1 200\tOK\r\n\r\n", 12),
    /* a status line that says what is not spoken. RFC9112:2.3, RFC9110:15 */
    BAD("HTTP/0.9 200 OK\r\n\r\n", 5, ""),
    BAD("HTTP/2.0 200 OK\r\n\r\n", 5, ""),
    BAD("HTTP/1.1 000 OK\r\n\r\n", 9, ""),
    BAD("HTTP/1.1 099 OK\r\n\r\n", 9, ""),
    BAD("HTTP/1.1 600 OK\r\n\r\n", 9, ""),
    BAD("HTTP/1.1 999 OK\r\n\r\n", 9, ""),
    BAD("HTTP/1.1 200 O\x01K\r\n\r\n", 14, ""),
    BAD("HTTP/1.1 200 O\x7fK\r\n\r\n", 14, ""),
    BAD("HTTP/1.1 200\x01\r\n\r\n", 12, ""),
    /* line ends. RFC9112:2.2 */
    BAD("HTTP/1.1 200 OK\n\r\n", 15, ""),
    BAD("HTTP/1.1 200\n\r\n", 12, ""),
    BAD("HTTP/1.1 200 OK\rA: b\r\n\r\n", 15, ""),
    BAD("HTTP/1.1 200 O\0K\r\n\r\n", 14, ""),
    BAD(L "\n", 17, ""),
    BAD(L "\rA", 17, ""),
    BAD(L "A: b\n\r\n", 21, "A"),
    BAD(L "A: b\rc\r\n", 21, "A"),
    BAD(L "A\n", 18, "A"),
    BAD(L "A: b\r\n\n", 23, ""),
    /* field lines. RFC9112:5 */
    BAD(L " A: b\r\n", 17, ""),
    BAD(L "A: b\r\n c\r\n", 23, "A"),
    BAD(L "A: b\r\n\tc\r\n", 23, "A"),
    BAD(L "Host\r\n", 21, "Host"),
    BAD(L "Vary a\r\n", 21, "Vary"),
    BAD(L "Vary \r\n", 21, "Vary"),
    BAD(L "Vary \n", 21, "Vary"),
    BAD(L "Vary\t\0: a\r\n", 21, "Vary"),
    BAD(L " : a\r\n", 17, ""),
    BAD(L "A : b\n\r\n", 22, "A"),
    BAD(L "A : b\r\n c\r\n", 24, "A"),
    BAD(L "Va ry: a\r\n", 19, "Va"),
    BAD(L ": a\r\n", 17, ""),
    BAD(L "V[ry: a\r\n", 18, "V"),
    BAD(L "V\0: a\r\n", 18, "V"),
    BAD(L "Vary: a\0b\r\n", 24, "Vary"),
    BAD(L "A: b\x01\r\n", 21, "A"),
    BAD(L "A: b\x7f\r\n", 21, "A"),
    /* limits */
    LONG("HTTP/1.1 200 " X16 "xxxy\r\n\r\n", 32, ""),
    LONG(L "A: " X16 "xxxxxxxxxxxxxy\r\n", 49, "A"),
    LONG(L X16 X16 ": a\r\n", 49, X16 X16),
    LONG(L X16 "               \t: a\r\n", 49, X16),
    LONG(L "A :" X16 "xxxxxxxxxxxxxy\r\n", 49, "A"),
    LARGE(L "A: b\r\nA: c\r\nB: d\r\nC: e\r\nD: f\r\n", 41, ""),
    LARGE("HTTP/1.1 200 xxxxxxxxxxxx\r\n" A31 A31 A31 A31 "\r\n", 160, ""),
    LARGE("HTTP/1.1 200 xxxxxxxxxxxxx\r\n" A31 A31 A31 "A: " X16 "xxxxxxxxxxxxx\r\n\r\n", 160, ""),
};

static bool refused_so(const struct parsed *p, const struct refusal *r)
{
    return p->why == r->why && p->v.why == r->why && p->v.at == r->at && span_is(p->v.operand, span_of(r->operand)) &&
           p->v.where != NULL;
}

static void all_refusals_have_reason_place_and_operand(void **state)
{
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];

        parse_fresh(&p, guarded(r->in));
        if (!refused_so(&p, r))
            fail_msg("row %zu, %s: %s at %u about %.*s", i, r->in.p, p.why > R_MORE ? reason_info(p.why)->name : "none",
                     p.v.at, (int)p.v.operand.n, p.v.operand.p);
    }
}

/* A prefix gives R_MORE or the verdict of the whole, and no later than a byte (a look at what follows) after the
 * offence; white space inside a name has to be read to its end. */
static void refusals_do_not_depend_on_the_split(void **state)
{
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        size_t patience = span_find(r->in, ' ') < r->in.n ? 4 : 2;

        for (size_t n = 0; n <= r->in.n; n++) {
            struct span whole;

            parse_fresh(&p, guarded((struct span){ r->in.p, n }));
            if (!refused_so(&p, r) && (p.why != R_MORE || n >= r->at + patience))
                fail_msg("row %zu, first %zu bytes: %s", i, n, r->in.p);
            whole = guarded(r->in);
            parse_fresh(&p, (struct span){ whole.p, n });
            if (p.why == R_MORE)
                parse_on(&p, whole);
            assert_true(refused_so(&p, r));
        }
    }
}

struct good {
    struct span in;
    uint16_t status;
    const char *phrase;
    uint8_t minor;
    uint32_t bytes;
    uint16_t count;
    const char *names[4], *values[4];
};

static const struct good goods[] = {
    { SPAN_INIT(L "\r\n"), 200, "OK", 1, 19, 0, { 0 }, { 0 } },
    { SPAN_INIT(L "\r\nHTTP/1.1 "), 200, "OK", 1, 19, 0, { 0 }, { 0 } },
    { SPAN_INIT("HTTP/1.0 404 Not \xe4\t\r\n\r\n"), 404, "Not \xe4\t", 0, 23, 0, { 0 }, { 0 } },
    { SPAN_INIT("HTTP/1.7 599  x\r\n\r\n"), 599, " x", 7, 19, 0, { 0 }, { 0 } },
    { SPAN_INIT("HTTP/1.1 100 \r\n\r\n"), 100, "", 1, 17, 0, { 0 }, { 0 } },
    { SPAN_INIT("HTTP/1.1 301\r\n\r\n"), 301, "", 1, 16, 0, { 0 }, { 0 } },
    { SPAN_INIT("HTTP/1.1 200 " X16 "xxx\r\n\r\n"), 200, X16 "xxx", 1, 36, 0, { 0 }, { 0 } },
    { SPAN_INIT(L "vARY: \t a b\t \r\nX-!#:\r\nVary:  \t\r\nZ: \xff\t:\r\n\r\n"),
      200,
      "OK",
      1,
      59,
      4,
      { "vARY", "X-!#", "Vary", "Z" },
      { "a b", "", "", "\xff\t:" } },
    { SPAN_INIT(L "vary : a\r\nX-A\t \t:b\r\nZ :\r\n\r\n"),
      200,
      "OK",
      1,
      44,
      3,
      { "vary", "X-A", "Z" },
      { "a", "b", "" } },
    { SPAN_INIT(L "A" X16 "xxxxxxxxx    \t:\r\n\r\n"), 200, "OK", 1, 53, 1, { "A" X16 "xxxxxxxxx" }, { "" } },
    { SPAN_INIT(L "A: " X16 "xxxxxxxxxxxxx\r\n\r\n"), 200, "OK", 1, 53, 1, { "A" }, { X16 "xxxxxxxxxxxxx" } },
};

static void check_good(const struct parsed *p, const struct good *g)
{
    const struct head *h = &p->response.head;

    assert_int_equal(p->why, R_NONE);
    assert_int_equal(p->response.status, g->status);
    assert_true(span_is(p->response.phrase, span_of(g->phrase)));
    assert_int_equal(h->major, 1);
    assert_int_equal(h->minor, g->minor);
    assert_int_equal(h->bytes, g->bytes);
    assert_int_equal(h->method_name.n + h->target.n, 0);
    assert_int_equal(h->count, g->count);
    for (size_t i = 0; i < h->count; i++) {
        assert_true(span_is(h->fields[i].name, span_of(g->names[i])));
        assert_true(span_is(h->fields[i].value, span_of(g->values[i])));
        assert_int_equal(h->fields[i].id, field_find(span_of(g->names[i])));
    }
}

static void good_heads_parse_in_every_split(void **state)
{
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];

        for (size_t n = 0; n < g->bytes; n++) {
            struct span whole;

            parse_fresh(&p, guarded((struct span){ g->in.p, n }));
            assert_int_equal(p.why, R_MORE);
            whole = guarded(g->in);
            parse_fresh(&p, (struct span){ whole.p, n });
            parse_on(&p, whole);
            check_good(&p, g);
        }
        response_init(&p.response, p.fields);
        for (size_t n = 0; n <= g->bytes; n++)
            parse_on(&p, (struct span){ g->in.p, n });
        check_good(&p, g);
    }
}

/* A limit that is shorter than any status line refuses one. */
static void limits_below_a_status_line_are_kept(void **state)
{
    static const struct h1_limits line = { .field_bytes = 4, .head_bytes = 160, .fields = 4 };
    static const struct h1_limits head = { .field_bytes = 32, .head_bytes = 4, .fields = 4 };
    struct parsed p = { 0 };

    (void)state;
    response_init(&p.response, p.fields);
    assert_int_equal(h1_parse_response(SPAN(L), &line, &p.response, &p.v), R_upstream_header_line_too_large);
    assert_int_equal(p.v.at, 13);
    response_init(&p.response, p.fields);
    assert_int_equal(h1_parse_response(SPAN(L), &head, &p.response, &p.v), R_upstream_headers_too_large);
    assert_int_equal(p.v.at, 4);
}

static struct response_head response_of(struct span message)
{
    static const struct h1_limits wide = { .field_bytes = 1000, .head_bytes = 4000, .fields = 50 };
    static struct field fields[50];
    struct response_head response;
    struct verdict v = { 0 };

    response_init(&response, fields);
    DIE_UNLESS(h1_parse_response(guarded(message), &wide, &response, &v) == R_NONE);
    return response;
}

struct framed {
    enum method method;
    struct span in;
    struct framing want;
    enum reason why;
    uint32_t at;
    const char *operand;
    bool keeps;
};

#define OLD    "HTTP/1.0 200 OK\r\n"
#define LENGTH "Content-Length: "
#define CODING "Transfer-Encoding: "
#define CLOSE  "Connection: close\r\n"
#define NONE            \
    {                   \
        FRAMING_NONE, 0 \
    }
#define CHUNKED            \
    {                      \
        FRAMING_CHUNKED, 0 \
    }
#define UNTIL            \
    {                    \
        FRAMING_CLOSE, 0 \
    }
#define OF(n)             \
    {                     \
        FRAMING_LENGTH, n \
    }

#define READ(method, in, want, keeps)                            \
    {                                                            \
        method, SPAN_INIT(in "\r\n"), want, R_NONE, 0, "", keeps \
    }
#define WRONG(in, why, at, operand)                                \
    {                                                              \
        M_GET, SPAN_INIT(in "\r\n"), NONE, why, at, operand, false \
    }
#define HTTP(status) "HTTP/1.1 " status "\r\n"

static const struct framed framed[] = {
    /* RFC9112:6.3 */
    READ(M_GET, L LENGTH "5\r\n", OF(5), true),
    READ(M_GET, L LENGTH "0\r\n", OF(0), true),
    READ(M_GET, L LENGTH "9223372036854775807\r\n", OF(9223372036854775807), true),
    READ(M_GET, L CODING "Chunked\r\n", CHUNKED, true),
    READ(M_GET, L, UNTIL, false),
    READ(M_GET, OLD, UNTIL, false),
    READ(M_GET, HTTP("205"), UNTIL, false),
    READ(M_GET, HTTP("205") LENGTH "0\r\n", OF(0), true),
    READ(M_CONNECT, HTTP("404") LENGTH "5\r\n", OF(5), true),
    READ(M_CONNECT, HTTP("404"), UNTIL, false),
    /* no content */
    READ(M_HEAD, L LENGTH "5\r\n", NONE, true),
    READ(M_HEAD, L CODING "gzip\r\n", NONE, true),
    READ(M_HEAD, L, NONE, true),
    READ(M_HEAD, OLD CODING "chunked\r\n", NONE, false),
    READ(M_GET, HTTP("304") LENGTH "5\r\n", NONE, true),
    READ(M_GET, HTTP("304") CODING "chunked\r\n", NONE, true),
    READ(M_GET, HTTP("204"), NONE, true),
    READ(M_GET, HTTP("204") LENGTH "0\r\n", NONE, true),
    READ(M_GET, HTTP("204") LENGTH "5\r\n", NONE, false),
    READ(M_GET, HTTP("204") LENGTH "0\r\n" LENGTH "0\r\n", NONE, false),
    READ(M_GET, HTTP("204") LENGTH "x\r\n", NONE, false),
    READ(M_GET, HTTP("204") CODING "chunked\r\n", NONE, false),
    READ(M_GET, HTTP("100"), NONE, false),
    READ(M_GET, HTTP("101") LENGTH "5\r\n" CODING "gzip\r\n", NONE, false),
    READ(M_CONNECT, HTTP("200") LENGTH "5\r\n" CODING "gzip\r\n", NONE, true),
    READ(M_CONNECT, HTTP("299") LENGTH "x\r\n", NONE, true),
    /* persistence. RFC9112:9.3 */
    READ(M_GET, L LENGTH "5\r\n" CLOSE, OF(5), false),
    READ(M_GET, L LENGTH "5\r\nConnection: x , CLOSE\r\n", OF(5), false),
    READ(M_GET, L LENGTH "5\r\nConnection: keep-alive\r\n" CLOSE, OF(5), false),
    READ(M_GET, L LENGTH "5\r\nConnection: closed\r\n", OF(5), true),
    READ(M_GET, OLD LENGTH "5\r\n", OF(5), false),
    READ(M_GET, OLD LENGTH "5\r\nConnection: Keep-Alive\r\n", OF(5), true),
    READ(M_GET, OLD LENGTH "5\r\nConnection: keep-alive, close\r\n", OF(5), false),
    READ(M_GET, OLD "Connection: keep-alive\r\n", UNTIL, false),
    READ(M_HEAD, L CLOSE, NONE, false),
    /* transfer codings. RFC9112:6.1 */
    WRONG(L CODING "gzip\r\n", R_upstream_transfer_coding_error, 36, "Transfer-Encoding"),
    WRONG(L CODING "identity\r\n", R_upstream_transfer_coding_error, 36, "Transfer-Encoding"),
    WRONG(L CODING "gzip, chunked\r\n", R_upstream_transfer_coding_error, 36, "Transfer-Encoding"),
    WRONG(L CODING "chunked, gzip\r\n", R_upstream_transfer_coding_error, 45, "Transfer-Encoding"),
    WRONG(L CODING "chunked\r\n" CODING "chunked\r\n", R_upstream_transfer_coding_error, 64, "Transfer-Encoding"),
    WRONG(L CODING "chunked;a=b\r\n", R_upstream_transfer_coding_error, 36, "Transfer-Encoding"),
    WRONG(L CODING "xchunked\r\n", R_upstream_transfer_coding_error, 36, "Transfer-Encoding"),
    WRONG(L CODING "\"chunked\"\r\n", R_upstream_transfer_coding_error, 36, "Transfer-Encoding"),
    WRONG(OLD CODING "chunked\r\n", R_upstream_transfer_coding_error, 17, "Transfer-Encoding"),
    /* two ways to read it. RFC9112:11.2 */
    WRONG(L LENGTH "5\r\n" CODING "chunked\r\n", R_upstream_bad_response, 36, "Transfer-Encoding"),
    WRONG(L CODING "chunked\r\n" LENGTH "5\r\n", R_upstream_bad_response, 45, "Content-Length"),
    WRONG(L LENGTH "5\r\n" LENGTH "6\r\n", R_upstream_bad_response, 52, "Content-Length"),
    WRONG(L LENGTH "5\r\n" LENGTH "5\r\n", R_upstream_bad_response, 52, "Content-Length"),
    WRONG(L LENGTH "5, 5\r\n", R_upstream_bad_response, 36, "Content-Length"),
    WRONG(L LENGTH "+5\r\n", R_upstream_bad_response, 33, "Content-Length"),
    WRONG(L LENGTH "5x\r\n", R_upstream_bad_response, 34, "Content-Length"),
    WRONG(L LENGTH "\r\n", R_upstream_bad_response, 33, "Content-Length"),
    WRONG(L LENGTH "9223372036854775808\r\n", R_upstream_bad_response, 51, "Content-Length"),
    WRONG(HTTP("304") LENGTH "5, 6\r\n", R_upstream_bad_response, 33, "Content-Length"),
    WRONG(HTTP("304") CODING "chunked\r\n" LENGTH "-1\r\n", R_upstream_bad_response, 58, "Content-Length"),
};

static void check_framed(const struct framed *f, size_t row)
{
    struct response_head response = response_of(f->in);
    struct framing framing = { FRAMING_LENGTH, 77 };
    struct verdict v = { 0 };
    enum reason why = response_framing(&response, f->method, &framing, &v);

    if (why != f->why || v.why != f->why || v.at != f->at || !span_is(v.operand, span_of(f->operand)))
        fail_msg("row %zu, %s: %s at %u", row, f->in.p, why > R_MORE ? reason_info(why)->name : "none", v.at);
    if (why != R_NONE)
        return;
    if (framing.kind != f->want.kind || framing.length != f->want.length)
        fail_msg("row %zu, %s: kind %d", row, f->in.p, (int)framing.kind);
    if (response_keeps(&response, &framing) != f->keeps)
        fail_msg("row %zu, %s: persistence", row, f->in.p);
}

static void framing_and_persistence_follow_the_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof framed / sizeof framed[0]; i++)
        check_framed(&framed[i], i);
}

struct coded {
    struct span in;
    enum reason why;
    uint32_t at;
};

/* A chunk of one byte, extensions of 4 bytes, trailers of 20 and trailer lines of 8. RFC9112:7.1 */
static const struct coded codeds[] = {
    { SPAN_INIT("1\r\na\r\n0\r\n\r\n"), R_NONE, 0 },
    { SPAN_INIT("0\r\nA: 45678\r\nB: 45678\r\n\r\n"), R_NONE, 0 },
    { SPAN_INIT("0\r\nA: 45678\r\nB: 45678\r\nC"), R_upstream_trailers_too_large, 23 },
    { SPAN_INIT("0\r\nA:\r\nB: 456789\r\n\r\n"), R_upstream_trailer_line_too_large, 15 },
    { SPAN_INIT("0\r\nABCDEFGHI"), R_upstream_trailer_line_too_large, 11 },
    { SPAN_INIT("0\r\nA : b\r\n\r\n"), R_upstream_transfer_coding_error, 4 },
    { SPAN_INIT("1;abcd\r\n"), R_upstream_transfer_coding_error, 5 },
    { SPAN_INIT("g\r\n"), R_upstream_transfer_coding_error, 0 },
    { SPAN_INIT("1\r\nab"), R_upstream_transfer_coding_error, 4 },
    { SPAN_INIT("1\n"), R_upstream_transfer_coding_error, 1 },
};

static enum reason decode(struct span in, struct verdict *v)
{
    struct chunk c;
    size_t used;
    struct span data;
    enum reason why;

    chunk_init(&c);
    c.extension_left = 4;
    c.trailer_left = 20;
    c.line_limit = 8;
    do {
        why = chunk_feed(&c, in, &used, &data, v);
        in = span_from(in, used);
    } while (why == R_NONE && !chunk_ended(&c));
    return response_chunk_reason(why);
}

static void chunk_reasons_blame_the_upstream(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codeds / sizeof codeds[0]; i++) {
        const struct coded *c = &codeds[i];
        struct verdict v = { 0 };
        enum reason why = decode(guarded(c->in), &v);

        if (why != c->why || v.at != c->at)
            fail_msg("row %zu: %s at %u", i, why > R_MORE ? reason_info(why)->name : "none", v.at);
    }
    assert_int_equal(response_chunk_reason(R_MORE), R_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_refusals_have_reason_place_and_operand),
        cmocka_unit_test(refusals_do_not_depend_on_the_split),
        cmocka_unit_test(good_heads_parse_in_every_split),
        cmocka_unit_test(limits_below_a_status_line_are_kept),
        cmocka_unit_test(framing_and_persistence_follow_the_fields),
        cmocka_unit_test(chunk_reasons_blame_the_upstream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
