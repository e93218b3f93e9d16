#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/h1_parse.h"

static const struct h1_limits limits = { .target_bytes = 16, .field_bytes = 32, .head_bytes = 160, .fields = 4 };

struct refusal {
    struct span in;
    enum reason why;
    uint32_t at;
    const char *operand;
};

#define L   "GET / HTTP/1.1\r\n" /* 16 bytes */
#define X16 "xxxxxxxxxxxxxxxx"

static const struct refusal refusals[] = {
    /* request line. RFC9112:3 */
    { SPAN_INIT(" GET / HTTP/1.1\r\n"), R_method_malformed, 0, "" },
    { SPAN_INIT("\tGET / HTTP/1.1\r\n"), R_method_malformed, 0, "" },
    { SPAN_INIT("G(T / HTTP/1.1\r\n"), R_method_malformed, 1, "" },
    { SPAN_INIT("G\x80T / HTTP/1.1\r\n"), R_method_malformed, 1, "" },
    { SPAN_INIT("\x16\x03\x01\x02"), R_method_malformed, 0, "" },
    { SPAN_INIT("GET\t/ HTTP/1.1\r\n"), R_method_malformed, 3, "" },
    { SPAN_INIT(X16 X16 "x / HTTP/1.1\r\n"), R_method_unknown, 32, "" },
    { SPAN_INIT("GET\r\n"), R_malformed_request_line, 3, "" },
    { SPAN_INIT("GET \r\n"), R_malformed_request_line, 4, "" },
    { SPAN_INIT("GET  / HTTP/1.1\r\n"), R_malformed_request_line, 4, "" },
    { SPAN_INIT("GET /  HTTP/1.1\r\n"), R_malformed_request_line, 6, "" },
    { SPAN_INIT("GET / HTTP/1.1 \r\n"), R_malformed_request_line, 14, "" },
    { SPAN_INIT("GET /\tHTTP/1.1\r\n"), R_target_malformed, 5, "" },
    { SPAN_INIT("GET /\xe4 HTTP/1.1\r\n"), R_target_malformed, 5, "" },
    { SPAN_INIT("GET /\x7f HTTP/1.1\r\n"), R_target_malformed, 5, "" },
    { SPAN_INIT("GET /" X16 " HTTP/1.1\r\n"), R_uri_too_long, 20, "" },
    { SPAN_INIT("GET /\r\n"), R_version_missing, 5, "" },
    { SPAN_INIT("GET / \r\n"), R_version_missing, 6, "" },
    { SPAN_INIT("GET / http/1.1\r\n"), R_version_malformed, 6, "" },
    { SPAN_INIT("GET / HTTP/x.1\r\n"), R_version_malformed, 11, "" },
    { SPAN_INIT("GET / HTTP/1,1\r\n"), R_version_malformed, 12, "" },
    { SPAN_INIT("GET / HTTP/1.x\r\n"), R_version_malformed, 13, "" },
    { SPAN_INIT("GET / HTTP/1\r\n"), R_version_malformed, 12, "" },
    { SPAN_INIT("GET / HTTP/1.10\r\n"), R_version_malformed, 14, "" },
    { SPAN_INIT("GET /a b HTTP/1.1\r\n"), R_version_malformed, 7, "" },
    /* line ends. RFC9112:2.2 */
    { SPAN_INIT("\r\n\r\n\r\nGET / HTTP/1.1\r\n"), R_malformed_request_line, 4, "" },
    { SPAN_INIT("\nGET / HTTP/1.1\r\n"), R_bare_line_feed, 0, "" },
    { SPAN_INIT("\rGET / HTTP/1.1\r\n"), R_bare_carriage_return, 0, "" },
    { SPAN_INIT("GET / HTTP/1.1\n"), R_bare_line_feed, 14, "" },
    { SPAN_INIT("GET /\n"), R_bare_line_feed, 5, "" },
    { SPAN_INIT("GET\n"), R_bare_line_feed, 3, "" },
    { SPAN_INIT("GET / HTTP\n"), R_bare_line_feed, 10, "" },
    { SPAN_INIT("GET / HTTP/1.1\rHost"), R_bare_carriage_return, 14, "" },
    { SPAN_INIT("GE\rT / HTTP/1.1\r\n"), R_bare_carriage_return, 2, "" },
    { SPAN_INIT("GET /\r HTTP/1.1\r\n"), R_bare_carriage_return, 5, "" },
    { SPAN_INIT(L "A: b\n\r\n"), R_bare_line_feed, 20, "A" },
    { SPAN_INIT(L "A: b\rc\r\n"), R_bare_carriage_return, 20, "A" },
    { SPAN_INIT(L "A\n"), R_bare_line_feed, 17, "A" },
    { SPAN_INIT(L "\n"), R_bare_line_feed, 16, "" },
    { SPAN_INIT(L "\rA"), R_bare_carriage_return, 16, "" },
    { SPAN_INIT("G\0T / HTTP/1.1\r\n"), R_nul_in_head, 1, "" },
    { SPAN_INIT("GET /\0 HTTP/1.1\r\n"), R_nul_in_head, 5, "" },
    { SPAN_INIT("GET / HT\0P/1.1\r\n"), R_nul_in_head, 8, "" },
    { SPAN_INIT(L "A\0: b\r\n"), R_nul_in_head, 17, "A" },
    { SPAN_INIT(L "Host: a\0b\r\n"), R_nul_in_head, 23, "Host" },
    /* field lines. RFC9112:5 */
    { SPAN_INIT(L " A: b\r\n"), R_malformed_header_field, 16, "" },
    { SPAN_INIT(L "A: b\r\n c\r\n"), R_field_line_folded, 22, "A" },
    { SPAN_INIT(L "A: b\r\n\tc\r\n"), R_field_line_folded, 22, "A" },
    { SPAN_INIT(L "A: b\r\n \r\n"), R_field_line_folded, 22, "A" },
    { SPAN_INIT(L "Host\r\n"), R_malformed_header_field, 20, "Host" },
    { SPAN_INIT(L "Host : a\r\n"), R_space_before_colon, 20, "Host" },
    { SPAN_INIT(L "Host\t \t: a\r\n"), R_space_before_colon, 20, "Host" },
    { SPAN_INIT(L "Ho st: a\r\n"), R_field_name_invalid, 18, "Ho" },
    { SPAN_INIT(L "Host \r\n"), R_field_name_invalid, 20, "Host" },
    { SPAN_INIT(L ": a\r\n"), R_field_name_invalid, 16, "" },
    { SPAN_INIT(L "H[st: a\r\n"), R_field_name_invalid, 17, "H" },
    { SPAN_INIT(L "\x80: a\r\n"), R_field_name_invalid, 16, "" },
    { SPAN_INIT(L "A: b\x01\r\n"), R_field_value_invalid, 20, "A" },
    { SPAN_INIT(L "A: b\x7f\r\n"), R_field_value_invalid, 20, "A" },
    /* limits */
    { SPAN_INIT(L "A: " X16 "xxxxxxxxxxxxxy\r\n"), R_header_field_too_large, 48, "A" },
    { SPAN_INIT(L X16 X16 "y: a\r\n"), R_header_field_too_large, 48, X16 X16 },
    { SPAN_INIT(L X16 X16 ": a\r\n"), R_header_field_too_large, 48, X16 X16 },
    { SPAN_INIT(L "A:                               b\r\n"), R_header_field_too_large, 48, "A" },
    { SPAN_INIT(L "A: b\r\nA: c\r\nB: d\r\nC: e\r\nD: f\r\n"), R_too_many_header_fields, 40, "" },
    { SPAN_INIT(L "A: " X16 "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16
                  "xxxxxxxxxxxx\r\n" X16),
      R_too_many_header_fields, 148, "" },
    { SPAN_INIT("\r\n\r\nGET /xxxxxxxxxxxxxxx HTTP/1.1\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16
                "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\n\r\n"),
      R_header_fields_too_large, 160, "" },
};

struct parsed {
    struct field fields[HEAD_FIELDS_MAX];
    struct head head;
    struct verdict v;
    enum reason why;
};

static void parse_fresh(struct parsed *p, struct span in)
{
    head_init(&p->head, p->fields);
    p->v = (struct verdict){ 0 };
    p->why = h1_parse_head(in, &limits, &p->head, &p->v);
}

static void parse_on(struct parsed *p, struct span in)
{
    p->why = h1_parse_head(in, &limits, &p->head, &p->v);
}

static bool refused_so(const struct parsed *p, const struct refusal *r)
{
    return p->why == r->why && p->v.why == r->why && p->v.at == r->at && span_is(p->v.operand, span_of(r->operand));
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
        size_t patience = r->why == R_space_before_colon || r->why == R_field_name_invalid ? 4 : 2;

        for (size_t n = 0; n <= r->in.n; n++) {
            parse_fresh(&p, guarded((struct span){ r->in.p, n }));
            if (!refused_so(&p, r) && (p.why != R_MORE || n >= r->at + patience))
                fail_msg("row %zu, first %zu bytes: %s", i, n, r->in.p);
            if (p.why == R_MORE) {
                struct span whole = guarded(r->in);

                parse_fresh(&p, (struct span){ whole.p, n });
                parse_on(&p, whole);
                assert_true(refused_so(&p, r));
            }
        }
        head_init(&p.head, p.fields);
        p.why = R_MORE;
        for (size_t n = 0; n <= r->in.n && p.why == R_MORE; n++)
            parse_on(&p, (struct span){ r->in.p, n });
        assert_true(refused_so(&p, r));
    }
}

struct good {
    struct span in;
    const char *method, *target;
    uint8_t major, minor;
    uint32_t bytes;
    uint16_t count;
    const char *names[4], *values[4];
};

static const struct good goods[] = {
    { SPAN_INIT(L "\r\n"), "GET", "/", 1, 1, 18, 0, { 0 }, { 0 } },
    { SPAN_INIT(L "\r\nGET"), "GET", "/", 1, 1, 18, 0, { 0 }, { 0 } },
    { SPAN_INIT("\r\n" L "\r\n"), "GET", "/", 1, 1, 20, 0, { 0 }, { 0 } },
    { SPAN_INIT("\r\n\r\n" L "\r\n"), "GET", "/", 1, 1, 22, 0, { 0 }, { 0 } },
    { SPAN_INIT("get * HTTP/3.0\r\n\r\n"), "get", "*", 3, 0, 18, 0, { 0 }, { 0 } },
    { SPAN_INIT("M-SEARCH \"#<>[]{} HTTP/0.9\r\n\r\n"), "M-SEARCH", "\"#<>[]{}", 0, 9, 30, 0, { 0 }, { 0 } },
    { SPAN_INIT(X16 X16 " /xxxxxxxxxxxxxxx HTTP/1.7\r\n\r\n"), X16 X16, "/xxxxxxxxxxxxxxx", 1, 7, 62, 0, { 0 }, { 0 } },
    { SPAN_INIT(L "Host:a\r\n\r\n"), "GET", "/", 1, 1, 26, 1, { "Host" }, { "a" } },
    { SPAN_INIT(L "hOST: \t a b\t \r\nX-!#:\r\nY:  \t\r\nZ: \xff\t:\r\n\r\n"),
      "GET",
      "/",
      1,
      1,
      55,
      4,
      { "hOST", "X-!#", "Y", "Z" },
      { "a b", "", "", "\xff\t:" } },
    { SPAN_INIT(L "A: " X16 "xxxxxxxxxxxxx\r\n\r\n"), "GET", "/", 1, 1, 52, 1, { "A" }, { X16 "xxxxxxxxxxxxx" } },
    { SPAN_INIT(L X16 "xxxxxxxxxxxxxxx:\r\n\r\n"), "GET", "/", 1, 1, 52, 1, { X16 "xxxxxxxxxxxxxxx" }, { "" } },
    /* exactly at the limit of the head */
    { SPAN_INIT("GET /xxxxxxxxx HTTP/1.1\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16
                "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\n\r\n"),
      "GET",
      "/xxxxxxxxx",
      1,
      1,
      159,
      4,
      { "A", "A", "A", "A" },
      { X16 "xxxxxxxxxxxx", X16 "xxxxxxxxxxxx", X16 "xxxxxxxxxxxx", X16 "xxxxxxxxxxxx" } },
    { SPAN_INIT("GET /xxxxxxxxxx HTTP/1.1\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\nA: " X16
                "xxxxxxxxxxxx\r\nA: " X16 "xxxxxxxxxxxx\r\n\r\n"),
      "GET",
      "/xxxxxxxxxx",
      1,
      1,
      160,
      4,
      { "A", "A", "A", "A" },
      { X16 "xxxxxxxxxxxx", X16 "xxxxxxxxxxxx", X16 "xxxxxxxxxxxx", X16 "xxxxxxxxxxxx" } },
};

static void check_good(const struct parsed *p, const struct good *g)
{
    const struct head *h = &p->head;

    assert_int_equal(p->why, R_NONE);
    assert_true(span_is(h->method_name, span_of(g->method)));
    assert_true(span_is(h->target, span_of(g->target)));
    assert_int_equal(h->method, method_find(span_of(g->method)));
    assert_int_equal(h->major, g->major);
    assert_int_equal(h->minor, g->minor);
    assert_int_equal(h->bytes, g->bytes);
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
        head_init(&p.head, p.fields);
        for (size_t n = 0; n <= g->bytes; n++)
            parse_on(&p, (struct span){ g->in.p, n });
        check_good(&p, g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_refusals_have_reason_place_and_operand),
        cmocka_unit_test(refusals_do_not_depend_on_the_split),
        cmocka_unit_test(good_heads_parse_in_every_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
