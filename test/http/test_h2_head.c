#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "http/h2_head.h"

static const struct h1_limits limits = { .target_bytes = 16, .field_bytes = 32, .head_bytes = 160, .fields = 4 };
static const struct h1_limits large = { .target_bytes = 4000, .field_bytes = 4000, .head_bytes = 30000, .fields = 250 };

#define LINES_MAX 12

struct line {
    struct span name, value;
};

/* A line, and the pseudo-header fields that most requests here begin with. */
#define N(name, value)                    \
    {                                     \
        SPAN_INIT(name), SPAN_INIT(value) \
    }
#define GET       N(":method", "GET")
#define HTTPS     N(":scheme", "https")
#define AB        N(":authority", "a.b")
#define ROOT      N(":path", "/")
#define USUAL     GET, HTTPS, AB, ROOT
#define TEXT      "GET / HTTP/2\r\nhost: a.b\r\n" /* 25 bytes: what the usual ones make */
#define X16       "xxxxxxxxxxxxxxxx"
#define X29       X16 "xxxxxxxxxxxxx"
#define LONG      GET, HTTPS, N(":authority", X16 "xxxx"), N(":path", "/xxxxxxxxxxxxxxx")
#define LONG_TEXT "GET /xxxxxxxxxxxxxxx HTTP/2\r\nhost: " X16 "xxxx\r\n" /* 57 bytes */

struct made {
    struct arena arena;
    struct field fields[HEAD_FIELDS_MAX];
    struct head head;
    struct h2_head h;
    struct framing framing;
    struct span protocol;
    enum reason why;
};

static void make_start(struct made *m, const struct h1_limits *l, size_t memory_bytes)
{
    arena_init(&m->arena, NULL, 0, memory_bytes);
    head_init(&m->head, m->fields);
    h2_head_init(&m->h, &m->arena, l, &m->head);
}

static struct span borrowed(struct span s)
{
    char *copy = malloc(s.n);

    DIE_UNLESS(copy != NULL || s.n == 0);
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    return (struct span){ copy, s.n };
}

static void give_back(struct span s)
{
    free((void *)(uintptr_t)s.p);
}

/* From memory of exactly that size, which is gone when the call returns. */
static void make_add(struct made *m, struct span name, struct span value)
{
    struct span n = borrowed(name), v = borrowed(value);

    h2_head_add(&m->h, n, v);
    give_back(n);
    give_back(v);
}

static void make_end(struct made *m, bool ended)
{
    m->why = h2_head_end(&m->h, ended, &m->framing, &m->protocol);
    assert_int_equal(m->why, m->h.verdict.why);
}

static void make(struct made *m, const struct line lines[], bool ended)
{
    make_start(m, &limits, 100000);
    for (size_t i = 0; i < LINES_MAX && lines[i].name.p != NULL; i++)
        make_add(m, lines[i].name, lines[i].value);
    make_end(m, ended);
}

static struct span text_of(const struct made *m)
{
    return (struct span){ m->head.base, m->head.bytes };
}

/* The text says what the head says, byte for byte, and nothing else. */
static void check_whole(const struct made *m)
{
    const struct head *head = &m->head;
    const char *at = head->base;

    assert_int_equal(head->major, 2);
    assert_int_equal(head->minor, 0);
    assert_int_equal(head->method, method_find(head->method_name));
    assert_ptr_equal(head->method_name.p, at);
    at += head->method_name.n;
    assert_ptr_equal(head->target.p, at + 1);
    assert_memory_equal(at, " ", 1);
    at += 1 + head->target.n;
    assert_memory_equal(at, " HTTP/2\r\n", 9);
    at += 9;
    for (size_t i = 0; i < head->count; i++) {
        const struct field *f = &head->fields[i];

        assert_ptr_equal(f->name.p, at);
        assert_ptr_equal(f->value.p, at + f->name.n + 2);
        assert_memory_equal(at + f->name.n, ": ", 2);
        at = f->value.p + f->value.n;
        assert_memory_equal(at, "\r\n", 2);
        at += 2;
        assert_int_equal(f->id, field_find(f->name));
    }
    assert_memory_equal(at, "\r\n", 2);
    assert_ptr_equal(head->base + head->bytes, at + 2);
}

struct good {
    struct line lines[LINES_MAX];
    const char *text;
    const char *protocol;
};

static const struct good goods[] = {
    { { USUAL }, TEXT "\r\n", "" },
    { { ROOT, AB, GET, HTTPS }, TEXT "\r\n", "" },
    { { GET, HTTPS, ROOT }, "GET / HTTP/2\r\n\r\n", "" },
    { { USUAL, N("accept", "*/*"), N("x-!#$%&'*+-.^_`|~9", "a b\tc\xff") },
      TEXT "accept: */*\r\nx-!#$%&'*+-.^_`|~9: a b\tc\xff\r\n\r\n",
      "" },
    { { USUAL, N("x", ""), N("y", "z") }, TEXT "x: \r\ny: z\r\n\r\n", "" },
    { { N(":method", "get"), N(":scheme", "H2-x.9+"), AB, ROOT }, "get / HTTP/2\r\nhost: a.b\r\n\r\n", "" },
    { { GET, HTTPS, AB, N(":path", "/\"#<>[]{}?*") }, "GET /\"#<>[]{}?* HTTP/2\r\nhost: a.b\r\n\r\n", "" },
    /* Host. RFC9113:8.3.1 */
    { { GET, HTTPS, ROOT, N("x", "y"), N("host", "b:1") }, "GET / HTTP/2\r\nx: y\r\nhost: b:1\r\n\r\n", "" },
    { { USUAL, N("x", "y"), N("host", "A.b"), N("host", "a.b") }, TEXT "x: y\r\n\r\n", "" },
    { { GET, HTTPS, ROOT, N("host", "a"), N("host", "b") }, "GET / HTTP/2\r\nhost: a\r\nhost: b\r\n\r\n", "" },
    { { GET, HTTPS, N(":authority", "a b"), ROOT }, "GET / HTTP/2\r\nhost: a b\r\n\r\n", "" },
    { { USUAL, N("te", "trailers") }, TEXT "te: trailers\r\n\r\n", "" },
    /* OPTIONS, CONNECT. RFC9113:8.3.1, RFC9113:8.5, RFC8441:4 */
    { { N(":method", "OPTIONS"), HTTPS, AB, N(":path", "*") }, "OPTIONS * HTTP/2\r\nhost: a.b\r\n\r\n", "" },
    { { N(":method", "OPTIONS"), HTTPS, AB, ROOT }, "OPTIONS / HTTP/2\r\nhost: a.b\r\n\r\n", "" },
    { { N(":method", "CONNECT"), N(":authority", "a.b:443"), N("x", "y") },
      "CONNECT a.b:443 HTTP/2\r\nhost: a.b:443\r\nx: y\r\n\r\n",
      "" },
    { { N(":method", "CONNECT"), N(":protocol", "websocket"), HTTPS, AB, N(":path", "/chat") },
      "CONNECT /chat HTTP/2\r\nhost: a.b\r\n\r\n",
      "websocket" },
    { { HTTPS, N(":path", "/chat"), N(":protocol", "connect-udp"), N(":method", "CONNECT"), N("host", "a.b") },
      "CONNECT /chat HTTP/2\r\nhost: a.b\r\n\r\n",
      "connect-udp" },
    /* cookies in one line, the last. RFC9113:8.2.3 */
    { { USUAL, N("cookie", "a=b") }, TEXT "cookie: a=b\r\n\r\n", "" },
    { { USUAL, N("cookie", "a=b"), N("x", "y"), N("cookie", "c=d"), N("cookie", "e") },
      TEXT "x: y\r\ncookie: a=b; c=d; e\r\n\r\n",
      "" },
    { { USUAL, N("cookie", "") }, TEXT "cookie: \r\n\r\n", "" },
    { { USUAL, N("cookie", ""), N("cookie", "a"), N("cookie", ""), N("cookie", "b"), N("cookie", "") },
      TEXT "cookie: a; b\r\n\r\n",
      "" },
    /* exactly at a limit */
    { { GET, HTTPS, AB, N(":path", "/xxxxxxxxxxxxxxx") }, "GET /xxxxxxxxxxxxxxx HTTP/2\r\nhost: a.b\r\n\r\n", "" },
    { { N(":method", "CONNECT"), N(":authority", X16) }, "CONNECT " X16 " HTTP/2\r\nhost: " X16 "\r\n\r\n", "" },
    { { N(":method", X16 "xxxxxxx"), N(":scheme", X16 "xxxxxxx"), N(":authority", X16 "xxxx"), ROOT },
      X16 "xxxxxxx / HTTP/2\r\nhost: " X16 "xxxx\r\n\r\n",
      "" },
    { { USUAL, N("a", X16 "xxxxxxxxxxxxx") }, TEXT "a: " X16 "xxxxxxxxxxxxx\r\n\r\n", "" },
    { { USUAL, N(X16 "xxxxxxxxxxxxxx", "") }, TEXT X16 "xxxxxxxxxxxxxx: \r\n\r\n", "" },
    { { USUAL, N("cookie", X16), N("cookie", "xxxxxx") }, TEXT "cookie: " X16 "; xxxxxx\r\n\r\n", "" },
    { { USUAL, N("a", ""), N("cookie", ""), N("b", ""), N("cookie", ""), N("host", "a.b") },
      TEXT "a: \r\nb: \r\ncookie: \r\n\r\n",
      "" },
    { { LONG, N("a", X29), N("b", X29), N("c", X16 "xxxxxxxxxxxx") },
      LONG_TEXT "a: " X29 "\r\nb: " X29 "\r\nc: " X16 "xxxxxxxxxxxx\r\n\r\n",
      "" },
    { { LONG, N("cookie", "x"), N("a", X29), N("b", X29), N("cookie", X16 "xxxx") },
      LONG_TEXT "a: " X29 "\r\nb: " X29 "\r\ncookie: x; " X16 "xxxx\r\n\r\n",
      "" },
};

static void lines_become_a_head(void **state)
{
    static struct made m;

    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];

        make(&m, g->lines, true);
        if (m.why != R_NONE || !span_is(text_of(&m), span_of(g->text)))
            fail_msg("row %zu: %s, %.*s", i, m.why > R_MORE ? reason_info(m.why)->name : "none", (int)m.head.bytes,
                     m.head.base);
        check_whole(&m);
        assert_true(span_is(m.protocol, span_of(g->protocol)));
        assert_int_equal(m.framing.kind, FRAMING_NONE);
        arena_reset(&m.arena);
    }
}

struct refusal {
    struct line lines[LINES_MAX];
    enum reason why;
    uint32_t at;
    const char *operand;
    const char *text; /* what was good stays */
};

static const struct refusal refusals[] = {
    /* names and values. RFC9113:8.2.1 */
    { { USUAL, N("Accept", "x") }, R_h2_field_name_invalid, 25, "Accept", TEXT "\r\n" },
    { { USUAL, N("accept-Language", "x") }, R_h2_field_name_invalid, 32, "accept-Language", TEXT "\r\n" },
    { { USUAL, N("x-Y", "x") }, R_h2_field_name_invalid, 27, "x-Y", TEXT "\r\n" },
    { { USUAL, N("", "x") }, R_h2_field_name_invalid, 25, "", TEXT "\r\n" },
    { { USUAL, N("a b", "x") }, R_h2_field_name_invalid, 26, "a", TEXT "\r\n" },
    { { USUAL, N("a:", "x") }, R_h2_field_name_invalid, 26, "a", TEXT "\r\n" },
    { { USUAL, N("a\0", "x") }, R_h2_field_name_invalid, 26, "a", TEXT "\r\n" },
    { { USUAL, N("a\r\nb", "x") }, R_h2_field_name_invalid, 26, "a", TEXT "\r\n" },
    { { USUAL, N("\x80", "x") }, R_h2_field_name_invalid, 25, "", TEXT "\r\n" },
    { { USUAL, N("a", "b"), N("x", "a\0b") }, R_h2_field_value_invalid, 35, "x", TEXT "a: b\r\n\r\n" },
    { { USUAL, N("x", "ab\r\nc: d") }, R_h2_field_value_invalid, 30, "x", TEXT "\r\n" },
    { { USUAL, N("x", "\n") }, R_h2_field_value_invalid, 28, "x", TEXT "\r\n" },
    { { USUAL, N("x", "ab\x01") }, R_h2_field_value_invalid, 30, "x", TEXT "\r\n" },
    { { USUAL, N("x", X16 "\x7f") }, R_h2_field_value_invalid, 44, "x", TEXT "\r\n" },
    { { USUAL, N("x", " a") }, R_h2_field_value_invalid, 28, "x", TEXT "\r\n" },
    { { USUAL, N("x", "\ta") }, R_h2_field_value_invalid, 28, "x", TEXT "\r\n" },
    { { USUAL, N("x", "a ") }, R_h2_field_value_invalid, 29, "x", TEXT "\r\n" },
    { { USUAL, N("x", "a\t") }, R_h2_field_value_invalid, 29, "x", TEXT "\r\n" },
    { { USUAL, N("cookie", "a"), N("cookie", "b ") },
      R_h2_field_value_invalid,
      34,
      "cookie",
      TEXT "cookie: a\r\n\r\n" },
    { { USUAL, N("host", "a.b ") }, R_h2_field_value_invalid, 34, "host", TEXT "\r\n" },
    /* RFC9113:8.2.2 */
    { { USUAL, N("connection", "close") }, R_h2_connection_field, 25, "connection", TEXT "\r\n" },
    { { USUAL, N("transfer-encoding", "x") }, R_h2_connection_field, 25, "transfer-encoding", TEXT "\r\n" },
    { { USUAL, N("te", "gzip") }, R_h2_connection_field, 25, "te", TEXT "\r\n" },
    /* pseudo-header fields. RFC9113:8.3 */
    { { USUAL, N(":status", "200") }, R_h2_pseudo_field_unknown, 14, ":status", TEXT "\r\n" },
    { { N(":", "x") }, R_h2_pseudo_field_unknown, 10, ":", "  HTTP/2\r\n\r\n" },
    { { GET, N(":Path", "/") }, R_h2_pseudo_field_unknown, 13, ":Path", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":path\0", "/") }, R_h2_pseudo_field_unknown, 13, ":path", "GET  HTTP/2\r\n\r\n" },
    { { USUAL, N("x", "y"), N(":status", "200") }, R_h2_pseudo_field_unknown, 31, ":status", TEXT "x: y\r\n\r\n" },
    { { USUAL, GET }, R_h2_pseudo_field_repeated, 14, ":method", TEXT "\r\n" },
    { { GET, ROOT, ROOT }, R_h2_pseudo_field_repeated, 14, ":path", "GET / HTTP/2\r\n\r\n" },
    { { GET, HTTPS, ROOT, N("x", "y"), AB }, R_h2_pseudo_field_late, 20, ":authority", "GET / HTTP/2\r\nx: y\r\n\r\n" },
    { { USUAL, N("x", "y"), GET }, R_h2_pseudo_field_late, 31, ":method", TEXT "x: y\r\n\r\n" },
    { { USUAL, N("cookie", "y"), GET }, R_h2_pseudo_field_late, 25, ":method", TEXT "cookie: y\r\n\r\n" },
    /* their values. RFC9113:8.3.1 */
    { { GET, N(":path", "") }, R_h2_pseudo_field_invalid, 4, ":path", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":scheme", "") }, R_h2_pseudo_field_invalid, 22, ":scheme", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":scheme", "1a") }, R_h2_pseudo_field_invalid, 22, ":scheme", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":scheme", "+a") }, R_h2_pseudo_field_invalid, 22, ":scheme", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":scheme", "ht_p") }, R_h2_pseudo_field_invalid, 24, ":scheme", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":scheme", "ht\xf4p") }, R_h2_pseudo_field_invalid, 24, ":scheme", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":scheme", "https\r\n") }, R_h2_field_value_invalid, 27, ":scheme", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":authority", "") }, R_h2_pseudo_field_invalid, 25, ":authority", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":authority", "u@h") }, R_h2_pseudo_field_invalid, 26, ":authority", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":authority", "u@h\n") }, R_h2_pseudo_field_invalid, 26, ":authority", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":authority", "h\nu@") }, R_h2_field_value_invalid, 26, ":authority", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":authority", "a\x01") }, R_h2_field_value_invalid, 26, ":authority", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":authority", " a") }, R_h2_field_value_invalid, 25, ":authority", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":protocol", "") }, R_h2_pseudo_field_invalid, 24, ":protocol", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":protocol", "a b") }, R_h2_pseudo_field_invalid, 25, ":protocol", "GET  HTTP/2\r\n\r\n" },
    { { N(":method", "") }, R_method_malformed, 0, "", "  HTTP/2\r\n\r\n" },
    { { N(":method", "G(T") }, R_method_malformed, 1, "", "  HTTP/2\r\n\r\n" },
    { { N(":method", "GET ") }, R_method_malformed, 3, "", "  HTTP/2\r\n\r\n" },
    { { N(":method", "G\0T") }, R_h2_field_value_invalid, 1, ":method", "  HTTP/2\r\n\r\n" },
    { { GET, N(":path", "/ a") }, R_target_malformed, 5, "", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":path", " /") }, R_target_malformed, 4, "", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":path", "/\xe4") }, R_target_malformed, 5, "", "GET  HTTP/2\r\n\r\n" },
    { { N(":path", "/\x7f") }, R_target_malformed, 2, "", "  HTTP/2\r\n\r\n" },
    { { GET, N(":path", "/\r\n") }, R_h2_field_value_invalid, 5, ":path", "GET  HTTP/2\r\n\r\n" },
    { { N(":method", "CONNECT"), N(":authority", "a b"), N("x", "y") },
      R_target_malformed,
      9,
      "",
      "CONNECT  HTTP/2\r\n\r\n" },
    /* which ones there are */
    { { HTTPS, AB, ROOT, N("x", "y") },
      R_h2_pseudo_field_missing,
      0,
      ":method",
      " / HTTP/2\r\nhost: a.b\r\nx: y\r\n\r\n" },
    { { GET, AB, ROOT }, R_h2_pseudo_field_missing, 0, ":scheme", TEXT "\r\n" },
    { { GET, HTTPS, AB }, R_h2_pseudo_field_missing, 0, ":path", "GET  HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { { { 0 }, { 0 } } }, R_h2_pseudo_field_missing, 0, ":method", "  HTTP/2\r\n\r\n" },
    { { N(":method", "CONNECT"), N("host", "a:1") },
      R_h2_pseudo_field_missing,
      0,
      ":authority",
      "CONNECT  HTTP/2\r\nhost: a:1\r\n\r\n" },
    { { N(":method", "CONNECT"), AB, HTTPS },
      R_h2_pseudo_field_invalid,
      0,
      ":scheme",
      "CONNECT a.b HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { N(":method", "CONNECT"), AB, ROOT },
      R_h2_pseudo_field_invalid,
      0,
      ":path",
      "CONNECT a.b HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { N(":method", "CONNECT"), N(":protocol", "x"), AB, ROOT },
      R_h2_pseudo_field_missing,
      0,
      ":scheme",
      "CONNECT / HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { N(":method", "CONNECT"), N(":protocol", "x"), AB, HTTPS },
      R_h2_pseudo_field_missing,
      0,
      ":path",
      "CONNECT  HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { USUAL, N(":protocol", "x") }, R_h2_pseudo_field_invalid, 0, ":protocol", TEXT "\r\n" },
    { { GET, HTTPS, AB, N(":path", "*") }, R_h2_pseudo_field_invalid, 4, ":path", "GET * HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { N(":method", "OPTIONS"), HTTPS, AB, N(":path", "**") },
      R_h2_pseudo_field_invalid,
      8,
      ":path",
      "OPTIONS ** HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { GET, HTTPS, N(":path", "a/b") }, R_h2_pseudo_field_invalid, 4, ":path", "GET a/b HTTP/2\r\n\r\n" },
    { { GET, HTTPS, N(":path", "http://a/") }, R_h2_pseudo_field_invalid, 4, ":path", "GET http://a/ HTTP/2\r\n\r\n" },
    { { N(":method", "CONNECT"), N(":protocol", "x"), AB, HTTPS, N(":path", "*") },
      R_h2_pseudo_field_invalid,
      8,
      ":path",
      "CONNECT * HTTP/2\r\nhost: a.b\r\n\r\n" },
    { { USUAL, N("host", "b.c") }, R_h2_authority_conflict, 31, "host", TEXT "\r\n" },
    { { USUAL, N("host", "") }, R_h2_authority_conflict, 31, "host", TEXT "\r\n" },
    { { USUAL, N("host", "a.b"), N("host", "a.b:443") }, R_h2_authority_conflict, 31, "host", TEXT "\r\n" },
    /* limits */
    { { GET, N(":path", "/" X16), AB }, R_uri_too_long, 20, "", "GET  HTTP/2\r\n\r\n" },
    { { N(":path", "/" X16) }, R_uri_too_long, 17, "", "  HTTP/2\r\n\r\n" },
    { { N(":method", "CONNECT"), N(":authority", X16 "x"), N("x", "y") },
      R_uri_too_long,
      24,
      "",
      "CONNECT  HTTP/2\r\n\r\n" },
    { { N(":method", X16 "xxxxxxxx") }, R_header_field_too_large, 42, ":method", "  HTTP/2\r\n\r\n" },
    { { GET, N(":scheme", X16 "xxxxxxxx") }, R_header_field_too_large, 45, ":scheme", "GET  HTTP/2\r\n\r\n" },
    { { GET, N(":authority", X16 "xxxxx") }, R_header_field_too_large, 45, ":authority", "GET  HTTP/2\r\n\r\n" },
    { { USUAL, N("a", "b"), N("a", X16 "xxxxxxxxxxxxxx") }, R_header_field_too_large, 63, "a", TEXT "a: b\r\n\r\n" },
    { { USUAL, N(X16 X16, "a") }, R_header_field_too_large, 57, X16 X16, TEXT "\r\n" },
    { { USUAL, N(X16 X16 "y", "a") }, R_header_field_too_large, 57, X16 X16, TEXT "\r\n" },
    { { USUAL, N("cookie", X16), N("cookie", "xxxxxxx"), N("a", "b") },
      R_header_field_too_large,
      57,
      "cookie",
      TEXT "cookie: " X16 "\r\n\r\n" },
    { { USUAL, N("a", ""), N("b", ""), N("c", ""), N("d", "") },
      R_too_many_header_fields,
      40,
      "",
      TEXT "a: \r\nb: \r\nc: \r\n\r\n" },
    { { USUAL, N("cookie", "x"), N("a", ""), N("b", ""), N("d", "") },
      R_too_many_header_fields,
      35,
      "",
      TEXT "a: \r\nb: \r\ncookie: x\r\n\r\n" },
    { { USUAL, N("a", ""), N("b", ""), N("c", ""), N("cookie", "") },
      R_too_many_header_fields,
      40,
      "",
      TEXT "a: \r\nb: \r\nc: \r\n\r\n" },
    { { LONG, N("a", X29), N("b", X29), N("c", X29) },
      R_header_fields_too_large,
      160,
      "",
      LONG_TEXT "a: " X29 "\r\nb: " X29 "\r\n\r\n" },
    { { LONG, N("a", X29), N("b", X29), N("c", X29 "x") },
      R_header_field_too_large,
      157,
      "c",
      LONG_TEXT "a: " X29 "\r\nb: " X29 "\r\n\r\n" },
    { { LONG, N("cookie", "x"), N("a", X29), N("b", X29), N("cookie", X16 "xxxxx") },
      R_header_fields_too_large,
      160,
      "",
      LONG_TEXT "a: " X29 "\r\nb: " X29 "\r\ncookie: x\r\n\r\n" },
    { { LONG, N("cookie", X16), N("a", X29), N("b", X29 "x"), N("c", "") },
      R_header_field_too_large,
      123,
      "b",
      LONG_TEXT "a: " X29 "\r\ncookie: " X16 "\r\n\r\n" },
    { { LONG, N("cookie", X16 "xxxxxxxx"), N("a", X29), N("b", X29) },
      R_header_fields_too_large,
      160,
      "",
      LONG_TEXT "a: " X29 "\r\ncookie: " X16 "xxxxxxxx\r\n\r\n" },
    /* the first counts, and ends the reading */
    { { USUAL, N("A", "x"), N("b", "\n"), ROOT }, R_h2_field_name_invalid, 25, "A", TEXT "\r\n" },
    { { GET, HTTPS, N("a", "b\n") }, R_h2_field_value_invalid, 17, "a", "GET  HTTP/2\r\n\r\n" },
};

static void refusals_have_reason_place_and_operand_and_keep_the_rest(void **state)
{
    static struct made m;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];

        make(&m, r->lines, i % 2 == 0);
        if (m.why != r->why || m.h.verdict.at != r->at || !span_is(m.h.verdict.operand, span_of(r->operand)) ||
            !span_is(text_of(&m), span_of(r->text)))
            fail_msg("row %zu: %s at %u about %.*s, %.*s", i, m.why > R_MORE ? reason_info(m.why)->name : "none",
                     m.h.verdict.at, (int)m.h.verdict.operand.n, m.h.verdict.operand.p, (int)m.head.bytes, m.head.base);
        check_whole(&m);
        assert_int_equal(m.framing.kind, i % 2 == 0 ? FRAMING_NONE : FRAMING_CHUNKED);
        assert_int_equal(m.protocol.n, 0);
        arena_reset(&m.arena);
    }
}

static const struct {
    struct line lines[LINES_MAX];
    bool ended;
    enum reason why;
    uint32_t at;
    struct framing framing;
} framings[] = {
    { { USUAL }, true, R_NONE, 0, { FRAMING_NONE, 0 } },
    { { USUAL }, false, R_NONE, 0, { FRAMING_CHUNKED, 0 } },
    { { USUAL, N("content-length", "5") }, false, R_NONE, 0, { FRAMING_LENGTH, 5 } },
    { { USUAL, N("content-length", "0") }, false, R_NONE, 0, { FRAMING_LENGTH, 0 } },
    { { USUAL, N("content-length", "0") }, true, R_NONE, 0, { FRAMING_NONE, 0 } },
    { { USUAL, N("content-length", "1") }, true, R_h2_content_length_mismatch, 41, { FRAMING_NONE, 0 } },
    { { USUAL, N("content-length", "+5") }, false, R_content_length_invalid, 41, { FRAMING_CHUNKED, 0 } },
    { { USUAL, N("content-length", "") }, true, R_content_length_invalid, 41, { FRAMING_NONE, 0 } },
    { { USUAL, N("content-length", "5, 5") }, false, R_content_length_invalid, 44, { FRAMING_CHUNKED, 0 } },
    { { USUAL, N("content-length", "5"), N("content-length", "5") },
      false,
      R_content_length_invalid,
      60,
      { FRAMING_CHUNKED, 0 } },
    { { USUAL, N("content-length", "5"), N("content-length", "6") },
      true,
      R_content_length_conflict,
      60,
      { FRAMING_NONE, 0 } },
};

static void content_is_framed(void **state)
{
    static struct made m;

    (void)state;
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
        make(&m, framings[i].lines, framings[i].ended);
        if (m.why != framings[i].why || m.h.verdict.at != framings[i].at)
            fail_msg("row %zu: %s at %u", i, m.why > R_MORE ? reason_info(m.why)->name : "none", m.h.verdict.at);
        assert_int_equal(m.framing.kind, framings[i].framing.kind);
        assert_int_equal(m.framing.length, framings[i].framing.length);
        assert_true(span_is(m.h.verdict.operand, m.why != R_NONE ? SPAN("content-length") : SPAN("")));
        check_whole(&m);
        arena_reset(&m.arena);
    }
}

static struct line numbered(int i)
{
    static char name[32], value[128];
    int n = snprintf(name, sizeof name, i % 3 == 0 ? "accept" : "x-%d", i);

    memset(value, 'a' + i % 26, sizeof value);
    return (struct line){ { name, (size_t)n }, { value, (size_t)i % 100 } };
}

static void the_text_may_move_and_all_spans_follow(void **state)
{
    static struct made m;

    (void)state;
    make_start(&m, &large, 1 << 20);
    for (size_t i = 0; i < 4; i++)
        make_add(&m, goods[0].lines[i].name, goods[0].lines[i].value);
    for (int i = 0; i < 248; i++) {
        make_add(&m, numbered(i).name, numbered(i).value);
        make_add(&m, SPAN("cookie"), numbered(i).name);
    }
    make_end(&m, true);
    assert_int_equal(m.why, R_NONE);
    assert_int_equal(m.head.count, 250);
    check_whole(&m);
    assert_true(span_is(m.head.method_name, SPAN("GET")));
    for (int i = 0; i < 248; i++) {
        assert_true(span_is(m.head.fields[i + 1].name, numbered(i).name));
        assert_true(span_is(m.head.fields[i + 1].value, numbered(i).value));
    }
    assert_true(span_starts(head_field(&m.head, FIELD_COOKIE)->value, SPAN("accept; x-1; x-2; accept; x-4")));
    assert_true(span_ends(head_field(&m.head, FIELD_COOKIE)->value, SPAN("; accept; x-247")));
    arena_reset(&m.arena);
}

static void one_long_line_of_each_kind_fits(void **state)
{
    static struct made m;
    static char text[3000];
    struct span value = { text, sizeof text };

    (void)state;
    memset(text, '/', sizeof text);
    for (int row = 0; row < 3; row++) {
        make_start(&m, &large, 1 << 20);
        make_add(&m, SPAN(":method"), SPAN("GET"));
        make_add(&m, SPAN(":scheme"), SPAN("https"));
        make_add(&m, SPAN(":path"), row == 0 ? value : SPAN("/"));
        make_add(&m, SPAN("x"), row == 1 ? value : SPAN("/"));
        make_add(&m, SPAN("cookie"), row == 2 ? value : SPAN("/"));
        make_end(&m, true);
        assert_int_equal(m.why, R_NONE);
        check_whole(&m);
        assert_int_equal(m.head.bytes, sizeof text + sizeof "GET  HTTP/2\r\nx: \r\ncookie: \r\n\r\n//" - 1);
        arena_reset(&m.arena);
    }
}

/* The blank line, too, has its place when the text fills its room to the last byte. */
static void every_length_of_text_fits(void **state)
{
    static struct made m;
    char value[600];

    (void)state;
    memset(value, 'v', sizeof value);
    for (size_t n = 400; n < sizeof value; n++) {
        make_start(&m, &large, 1 << 20);
        for (size_t i = 0; i < 4; i++)
            make_add(&m, goods[0].lines[i].name, goods[0].lines[i].value);
        make_add(&m, SPAN("x"), (struct span){ value, n });
        make_end(&m, true);
        assert_int_equal(m.why, R_NONE);
        check_whole(&m);
        arena_reset(&m.arena);
    }
}

static void lines_are_counted_even_when_refused(void **state)
{
    static struct made m;

    (void)state;
    make_start(&m, &limits, 100000);
    make_add(&m, SPAN(":method"), SPAN("GET"));
    assert_int_equal(m.h.block_bytes, 7 + 3 + 32);
    make_add(&m, SPAN("A"), SPAN("bc"));
    make_add(&m, SPAN(""), SPAN(""));
    assert_int_equal(m.h.block_bytes, 42 + 35 + 32);
    m.h.block_bytes = UINT32_MAX - 30;
    make_add(&m, SPAN("a"), SPAN("b"));
    assert_int_equal(m.h.block_bytes, UINT32_MAX);
    arena_reset(&m.arena);
}

/* Whatever is left, the end is orderly: a whole head, or a part with the reason, or none. */
static void memory_may_end_anywhere(void **state)
{
    static struct made m;
    unsigned exhausted = 0, whole = 0, empty = 0;

    (void)state;
    for (size_t bytes = 0; bytes < 12000; bytes += 32) {
        make_start(&m, &large, bytes);
        for (size_t i = 0; i < 4; i++)
            make_add(&m, goods[0].lines[i].name, goods[0].lines[i].value);
        for (int i = 0; i < 100; i++)
            make_add(&m, i % 10 == 0 ? SPAN("cookie") : SPAN("a-field"), SPAN(X16));
        make_end(&m, true);
        whole += m.why == R_NONE;
        exhausted += m.why == R_exchange_memory_exhausted;
        if (m.head.base != NULL)
            check_whole(&m);
        else
            empty += m.head.bytes == 0 && m.head.count == 0;
        arena_reset(&m.arena);
    }
    assert_int_equal(whole + exhausted, 375);
    assert_int_equal(empty, 16);
    assert_true(whole > 1 && exhausted > 64);
}

static const struct {
    struct line line;
    enum reason why;
} trailers[] = {
    { N("x", "y"), R_NONE },
    { N("x", ""), R_NONE },
    { N("te", "trailers"), R_NONE },
    { N(":path", "/"), R_h2_pseudo_field_in_trailers },
    { N(":x", "\n"), R_h2_pseudo_field_in_trailers },
    { N("", "y"), R_h2_field_name_invalid },
    { N("X", "y"), R_h2_field_name_invalid },
    { N("x y", "\n"), R_h2_field_name_invalid },
    { N("connection", "\n"), R_h2_connection_field },
    { N("te", "gzip"), R_h2_connection_field },
    { N("x", "y "), R_h2_field_value_invalid },
    { N("x", "\0"), R_h2_field_value_invalid },
};

static void trailers_are_judged_line_by_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trailers / sizeof trailers[0]; i++)
        assert_int_equal(h2_trailer_check(trailers[i].line.name, trailers[i].line.value), trailers[i].why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_a_head),
        cmocka_unit_test(refusals_have_reason_place_and_operand_and_keep_the_rest),
        cmocka_unit_test(content_is_framed),
        cmocka_unit_test(the_text_may_move_and_all_spans_follow),
        cmocka_unit_test(one_long_line_of_each_kind_fits),
        cmocka_unit_test(every_length_of_text_fits),
        cmocka_unit_test(lines_are_counted_even_when_refused),
        cmocka_unit_test(memory_may_end_anywhere),
        cmocka_unit_test(trailers_are_judged_line_by_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
