#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/cgi.h"
#include "reason/reason.h"

static const struct h1_limits limits = { .field_bytes = 32, .head_bytes = 128, .fields = 4 };

struct parsed {
    struct field fields[4];
    struct cgi_head head;
    struct verdict v;
    enum reason why;
};

static void parse(struct parsed *p, struct span in)
{
    cgi_head_init(&p->head, p->fields);
    p->v = (struct verdict){ 0 };
    p->why = cgi_parse_head(in, &limits, &p->head, &p->v);
}

/* A byte at a time comes to the same. */
static void parse_steps(struct parsed *p, struct span in)
{
    cgi_head_init(&p->head, p->fields);
    p->v = (struct verdict){ 0 };
    p->why = R_MORE;
    for (size_t n = 0; n <= in.n && p->why == R_MORE; n++)
        p->why = cgi_parse_head((struct span){ in.p, n }, &limits, &p->head, &p->v);
}

#define X16 "xxxxxxxxxxxxxxxx"
#define A32 "A: " X16 "xxxxxxxxxxxxx\n" /* 33 bytes */

static const struct {
    struct span in;
    enum reason why;
    uint32_t at;
    const char *operand;
} refusals[] = {
    { SPAN_INIT("\n"), R_cgi_head_invalid, 1, "" },
    { SPAN_INIT("X: y\n\n"), R_cgi_head_invalid, 6, "" },
    { SPAN_INIT("words\n"), R_cgi_head_invalid, 5, "words" },
    { SPAN_INIT("HTTP/1.1 200 OK\n"), R_cgi_head_invalid, 4, "HTTP" },
    { SPAN_INIT(": a\n"), R_cgi_head_invalid, 0, "" },
    { SPAN_INIT("A : b\n"), R_cgi_head_invalid, 1, "A" },
    { SPAN_INIT("A: b\n c\n"), R_cgi_head_invalid, 5, "" },
    { SPAN_INIT("A: b\0c\n"), R_cgi_head_invalid, 4, "A" },
    { SPAN_INIT("A: b\rc\n"), R_cgi_head_invalid, 4, "A" },
    { SPAN_INIT("A: b\r\r\n"), R_cgi_head_invalid, 4, "A" },
    { SPAN_INIT("Status: 99\n"), R_cgi_head_invalid, 8, "Status" },
    { SPAN_INIT("Status: 101\n"), R_cgi_head_invalid, 8, "Status" },
    { SPAN_INIT("Status: 600\n"), R_cgi_head_invalid, 8, "Status" },
    { SPAN_INIT("Status: 2000\n"), R_cgi_head_invalid, 8, "Status" },
    { SPAN_INIT("Status: 2x0\n"), R_cgi_head_invalid, 9, "Status" },
    { SPAN_INIT("Status:\n"), R_cgi_head_invalid, 7, "Status" },
    { SPAN_INIT("Status: OK\n"), R_cgi_head_invalid, 8, "Status" },
    { SPAN_INIT("Status: 200\nstatus: 200\n"), R_cgi_head_invalid, 12, "status" },
    { SPAN_INIT("Location:\n"), R_cgi_head_invalid, 0, "Location" },
    { SPAN_INIT("Location: a\nLocation: a\n"), R_cgi_head_invalid, 12, "Location" },
    { SPAN_INIT("Content-Type: a\nContent-Type: a\n"), R_cgi_head_invalid, 16, "Content-Type" },
    { SPAN_INIT("Content-Length: 1, 1\n"), R_cgi_head_invalid, 17, "Content-Length" },
    { SPAN_INIT("Content-Length: -1\n"), R_cgi_head_invalid, 16, "Content-Length" },
    { SPAN_INIT("Content-Length:\n"), R_cgi_head_invalid, 0, "Content-Length" },
    { SPAN_INIT("Content-Length: 1\nContent-Length: 1\n"), R_cgi_head_invalid, 18, "Content-Length" },
    { SPAN_INIT("A: " X16 X16 "\n"), R_cgi_head_too_large, 32, "A" },
    { SPAN_INIT(X16 X16 "x"), R_cgi_head_too_large, 32, X16 X16 },
    { SPAN_INIT(A32 A32 A32 "A: " X16 "xxxxxxxxxxxx\n\n"), R_cgi_head_too_large, 128, "" },
    { SPAN_INIT("A:\nB:\nC:\nD:\nE:\n"), R_cgi_head_too_large, 12, "E" },
};

static void test_refusals(void **state)
{
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        for (int steps = 0; steps < 2; steps++) {
            (steps ? parse_steps : parse)(&p, refusals[i].in);
            if (p.why != refusals[i].why || p.v.at != refusals[i].at)
                print_message("%zu %.*s: %d at %u\n", i, (int)refusals[i].in.n, refusals[i].in.p, p.why, p.v.at);
            assert_int_equal(p.why, refusals[i].why);
            assert_int_equal(p.v.at, refusals[i].at);
            assert_true(span_is(p.v.operand, span_of(refusals[i].operand)));
        }
    }
}

static const struct {
    struct span in;
    uint32_t bytes;
    uint16_t status, count;
    const char *location;
    int64_t length;
} heads[] = {
    { SPAN_INIT("Content-Type: text/plain\n\nbody"), 26, 0, 1, "", -1 },
    { SPAN_INIT("Content-Type: text/plain\r\n\r\nbody"), 28, 0, 1, "", -1 },
    { SPAN_INIT("Status: 404 Not Found\nX: y\n\n"), 28, 404, 2, "", -1 },
    { SPAN_INIT("Status: 599\n\n"), 13, 599, 1, "", -1 },
    { SPAN_INIT("status:200 \r\n\n"), 14, 200, 1, "", -1 },
    { SPAN_INIT("Location:  /a \n\n"), 16, 0, 1, "/a", -1 },
    { SPAN_INIT("Content-Type:\nContent-Length: 0\n\n"), 33, 0, 2, "", 0 },
    { SPAN_INIT("Status: 200\nContent-Length: 0012\n\n"), 34, 200, 2, "", 12 },
    { SPAN_INIT("Status: 200\nA: " X16 "xxxxxxxxxxxxx\r\n\n"), 47, 200, 2, "", -1 },
};

static void test_heads(void **state)
{
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        for (int steps = 0; steps < 2; steps++) {
            (steps ? parse_steps : parse)(&p, heads[i].in);
            assert_int_equal(p.why, R_NONE);
            assert_int_equal(p.head.lines.bytes, heads[i].bytes);
            assert_int_equal(p.head.status, heads[i].status);
            assert_int_equal(p.head.lines.count, heads[i].count);
            assert_true(span_is(p.head.location, span_of(heads[i].location)));
            assert_int_equal(p.head.length_known ? (int64_t)p.head.length : -1, heads[i].length);
        }
    }
}

static void test_not_all_there(void **state)
{
    static const struct span ins[] = { SPAN_INIT(""), SPAN_INIT("Status"), SPAN_INIT("Status: 200\n"),
                                       SPAN_INIT("Status: 200\n\r") };
    struct parsed p;

    (void)state;
    for (size_t i = 0; i < sizeof ins / sizeof ins[0]; i++) {
        parse(&p, ins[i]);
        assert_int_equal(p.why, R_MORE);
    }
}

static void test_told_lines(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, SPAN("Status: 200\nContent-Length: 1\nConnection: x\nSet-Cookie: a\n\n"));
    assert_int_equal(p.why, R_NONE);
    assert_false(cgi_line_is_told(&p.fields[0]));
    assert_false(cgi_line_is_told(&p.fields[1]));
    assert_false(cgi_line_is_told(&p.fields[2]));
    assert_true(cgi_line_is_told(&p.fields[3]));
}

static void test_split(void **state)
{
    static const struct {
        const char *path, *split;
        size_t n;
    } cases[] = {
        { "/a.php", ".php", 6 },         { "/a.php/b", ".php", 6 }, { "/a.phpx/b.php/c", ".php", 13 },
        { "/a/b", ".php", 4 },           { "/.php/b", ".php", 5 },  { "/", ".php", 1 },
        { "/a.php/b.php/c", ".php", 6 }, { "/a.php/b", "", 8 },     { "/a/", ".php", 3 },
        { "/a.PHP/b", ".php", 8 },       { "", ".php", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(cgi_split(span_of(cases[i].path), span_of(cases[i].split)), cases[i].n);
}

/* --- Variables --- */

struct told {
    struct arena arena;
    struct field fields[16];
    struct head head;
    struct cgi_request r;
    struct cgi_pair pairs[16 + CGI_PAIRS + 1];
    size_t count;
};

static int told_setup(void **state)
{
    struct told *t = calloc(1, sizeof *t);

    arena_init(&t->arena, NULL, 0, 1 << 16);
    head_init(&t->head, t->fields);
    t->head.method = M_POST;
    t->head.method_name = SPAN("POST");
    t->r = (struct cgi_request){ .head = &t->head,
                                 .protocol = SPAN("HTTP/1.1"),
                                 .scheme = SPAN("http"),
                                 .server_name = SPAN("[::1]"),
                                 .server_port = 8080,
                                 .client = SPAN("192.0.2.7"),
                                 .target = SPAN("/s%20x/i?q"),
                                 .query = SPAN("q"),
                                 .script_name = SPAN("/s x"),
                                 .path_info = SPAN("/i"),
                                 .script_file = SPAN("/srv/s x"),
                                 .root = SPAN("/srv"),
                                 .software = SPAN("verdict") };
    *state = t;
    return 0;
}

static int told_teardown(void **state)
{
    struct told *t = *state;

    arena_reset(&t->arena);
    free(t);
    return 0;
}

static void add(struct told *t, const char *name, const char *value)
{
    head_add(&t->head, span_of(name), span_of(value));
}

static void tell(struct told *t)
{
    t->count = cgi_pairs(&t->r, &t->arena, t->pairs);
    assert_true(t->count <= (size_t)t->head.count + CGI_PAIRS);
    assert_false(t->arena.full);
}

static void assert_told(const struct told *t, const char *name, const char *value)
{
    unsigned found = 0;

    for (size_t i = 0; i < t->count; i++)
        if (span_is(t->pairs[i].name, span_of(name))) {
            found++;
            assert_non_null(value);
            assert_int_equal(t->pairs[i].value.n, strlen(value));
            assert_memory_equal(t->pairs[i].value.p, value, strlen(value));
        }
    assert_int_equal(found, value != NULL ? 1 : 0);
}

static void test_request(void **state)
{
    struct told *t = *state;

    add(t, "Content-Type", "text/plain");
    t->r.length_known = true;
    t->r.content_length = 12;
    tell(t);
    assert_told(t, "GATEWAY_INTERFACE", "CGI/1.1");
    assert_told(t, "SERVER_PROTOCOL", "HTTP/1.1");
    assert_told(t, "SERVER_SOFTWARE", "verdict");
    assert_told(t, "SERVER_NAME", "[::1]");
    assert_told(t, "SERVER_PORT", "8080");
    assert_told(t, "REQUEST_METHOD", "POST");
    assert_told(t, "REQUEST_URI", "/s%20x/i?q");
    assert_told(t, "QUERY_STRING", "q");
    assert_told(t, "SCRIPT_NAME", "/s x");
    assert_told(t, "SCRIPT_FILENAME", "/srv/s x");
    assert_told(t, "DOCUMENT_ROOT", "/srv");
    assert_told(t, "PATH_INFO", "/i");
    assert_told(t, "REMOTE_ADDR", "192.0.2.7");
    assert_told(t, "CONTENT_LENGTH", "12");
    assert_told(t, "CONTENT_TYPE", "text/plain");
    assert_told(t, "HTTP_CONTENT_TYPE", NULL);
    assert_told(t, "HTTPS", NULL);
}

static void test_least(void **state)
{
    struct told *t = *state;

    t->r.server_name = t->r.path_info = t->r.query = (struct span){ 0 };
    t->r.scheme = SPAN("https");
    tell(t);
    assert_told(t, "SERVER_NAME", "localhost");
    assert_told(t, "QUERY_STRING", "");
    assert_told(t, "PATH_INFO", NULL);
    assert_told(t, "CONTENT_LENGTH", NULL);
    assert_told(t, "CONTENT_TYPE", NULL);
    assert_told(t, "HTTPS", "on");
}

static void test_fields(void **state)
{
    struct told *t = *state;

    add(t, "Accept-Language", "de");
    add(t, "X-Own2", "a");
    add(t, "accept-language", "en");
    add(t, "Cookie", "a=1");
    add(t, "x-oWN2", "b");
    add(t, "Cookie", "b=2");
    tell(t);
    assert_told(t, "HTTP_ACCEPT_LANGUAGE", "de, en");
    assert_told(t, "HTTP_X_OWN2", "a, b");
    assert_told(t, "HTTP_COOKIE", "a=1; b=2");
}

/* What must not be said, or must not be mistaken for something else. */
static void test_fields_left_out(void **state)
{
    struct told *t = *state;

    add(t, "Proxy", "http://evil");
    add(t, "PROXY", "http://evil");
    add(t, "X_Forwarded_For", "1.2.3.4");
    add(t, "A.B", "x");
    add(t, "Authorization", "Basic x");
    add(t, "Proxy-Authorization", "Basic y");
    add(t, "Connection", "keep-alive, X-Private");
    add(t, "X-Private", "z");
    add(t, "Transfer-Encoding", "chunked");
    add(t, "Content-Length", "7");
    tell(t);
    assert_told(t, "HTTP_PROXY", NULL);
    for (size_t i = 0; i < t->count; i++)
        assert_false(span_starts(t->pairs[i].name, SPAN("HTTP_")));
    t->r.tells_credentials = true;
    tell(t);
    assert_told(t, "HTTP_AUTHORIZATION", "Basic x");
    assert_told(t, "HTTP_PROXY_AUTHORIZATION", NULL);
}

/* What only a proxy that is trusted may say. */
static void test_fields_of_proxies(void **state)
{
    struct told *t = *state;

    add(t, "X-Forwarded-For", "192.0.2.1");
    add(t, "x-forwarded-for", "192.0.2.2");
    add(t, "X-FORWARDED-PORT", "443");
    add(t, "X-Forwarded-Proto", "https");
    add(t, "X-Real-IP", "192.0.2.1");
    add(t, "Forwarded", "for=192.0.2.1");
    tell(t);
    for (size_t i = 0; i < t->count; i++)
        assert_false(span_starts(t->pairs[i].name, SPAN("HTTP_")));
    add(t, "X-Forwarded", "a");
    t->r.from_trusted = true;
    tell(t);
    assert_told(t, "HTTP_X_FORWARDED_FOR", "192.0.2.1, 192.0.2.2");
    assert_told(t, "HTTP_X_FORWARDED_PORT", "443");
    assert_told(t, "HTTP_X_FORWARDED_PROTO", "https");
    assert_told(t, "HTTP_X_REAL_IP", "192.0.2.1");
    assert_told(t, "HTTP_FORWARDED", "for=192.0.2.1");
}

static void test_set(void **state)
{
    struct told *t = *state;

    tell(t);
    cgi_pair_set(t->pairs, &t->count, SPAN("SERVER_NAME"), SPAN("other"));
    cgi_pair_set(t->pairs, &t->count, SPAN("OWN"), SPAN("new"));
    assert_told(t, "SERVER_NAME", "other");
    assert_told(t, "OWN", "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_not_all_there),
        cmocka_unit_test(test_told_lines),
        cmocka_unit_test(test_split),
        cmocka_unit_test_setup_teardown(test_request, told_setup, told_teardown),
        cmocka_unit_test_setup_teardown(test_least, told_setup, told_teardown),
        cmocka_unit_test_setup_teardown(test_fields, told_setup, told_teardown),
        cmocka_unit_test_setup_teardown(test_fields_left_out, told_setup, told_teardown),
        cmocka_unit_test_setup_teardown(test_fields_of_proxies, told_setup, told_teardown),
        cmocka_unit_test_setup_teardown(test_set, told_setup, told_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
