#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bounded.h"
#include "http/forward.h"
#include "parsed.h"

struct row {
    const char *lines; /* of a request */
    unsigned own;
    const char *passed; /* names, in order */
};

static const struct row rows[] = {
    { "A: 1\r\nHost: h\r\nB: 2\r\n", 0, "A Host B " },
    { "Host: h\r\nContent-Length: 0\r\nExpect: x\r\nA: 1\r\n", 0, "Host Content-Length Expect A " },
    { "Host: h\r\nContent-Length: 0\r\nExpect: x\r\nA: 1\r\n", FORWARD_OWN_HOST, "Content-Length Expect A " },
    { "Host: h\r\nContent-Length: 0\r\nExpect: x\r\nA: 1\r\n", FORWARD_OWN_LENGTH, "Host Expect A " },
    { "Host: h\r\nContent-Length: 0\r\nExpect: x\r\nA: 1\r\n", FORWARD_OWN_EXPECT, "Host Content-Length A " },
    { "Connection: keep-alive\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\nUpgrade: x\r\n"
      "Transfer-Encoding: chunked\r\nProxy-Authorization: x\r\nProxy-Authenticate: x\r\nHTTP2-Settings: x\r\n"
      "Proxy-Authentication-Info: x\r\nTE: gzip\r\nTrailer: a\r\n",
      0, "Trailer " },
    { "X-A: 1\r\nConnection: close, x-a , Pragma\r\nX-B: 2\r\nx-A: 3\r\npragma: no\r\nConnection: X-C\r\nX-c: 4\r\n", 0,
      "X-B " },
    { "Close: 1\r\nConnection: close\r\n", 0, "Close " },
    { "Connection: x-ab, \"x-a, b\"\r\nX-A: 1\r\nX-ABC: 1\r\n", 0, "X-A X-ABC " },
    /* what an application must not lose. RFC9110:7.6.1 */
    { "Connection: host, content-type, Content-Foo, cookie, authorization, forwarded, via, cache-control, cdn-loop\r\n"
      "Connection: X-Forwarded-For, x-forwarded-Port, x-real-ip, if-match\r\n"
      "Host: h\r\nContent-Type: a/b\r\nContent-Foo: 1\r\nCookie: a\r\nAuthorization: b\r\nForwarded: for=_a\r\nVia: "
      "1.1 a\r\n"
      "Cache-Control: private\r\nCDN-Loop: a\r\nX-Forwarded-For: a\r\nX-Forwarded-Port: 1\r\nX-Real-IP: a\r\nIf-Match: "
      "*\r\n",
      0,
      "Host Content-Type Content-Foo Cookie Authorization Forwarded Via Cache-Control CDN-Loop X-Forwarded-For "
      "X-Forwarded-Port X-Real-IP If-Match " },
};

static struct head request(const char *lines)
{
    static char text[4000];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", lines);

    return parsed((struct span){ text, (size_t)n });
}

static void lines_of_the_connection_stay_here(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct head head = request(rows[i].lines);
        char text[1000];
        struct bounded b = { text, sizeof text, 0 };
        struct forward f, again;
        const struct field *line;

        assert_true(forward_choose(&head, rows[i].own, &f));
        again = f;
        while ((line = forward_take(&f)) != NULL) {
            assert_true(forward_has(&again, (size_t)(line - head.fields)));
            bounded_put(&b, line->name);
            bounded_put(&b, SPAN(" "));
        }
        if (!span_is((struct span){ text, b.bytes }, span_of(rows[i].passed)))
            fail_msg("row %zu: %.*s", i, (int)b.bytes, text);
    }
}

static void all_lines_are_reached(void **state)
{
    static struct field fields[HEAD_FIELDS_MAX];

    (void)state;
    for (uint16_t count = 0; count <= HEAD_FIELDS_MAX; count++) {
        struct head head;
        struct forward f;

        head_init(&head, fields);
        while (head.count < count)
            head_add(&head, head.count % 3 == 2 ? SPAN("TE") : SPAN("a"), SPAN(""));
        assert_true(forward_choose(&head, 0, &f));
        if (count > 0)
            forward_drop(&f, 0);
        for (uint16_t i = 1; i < count; i++)
            if (i % 3 != 2)
                assert_ptr_equal(forward_take(&f), &fields[i]);
        assert_null(forward_take(&f));
    }
}

static void too_many_options_are_refused(void **state)
{
    char text[1000] = "";
    struct field fields[2];
    struct forward f;

    (void)state;
    for (size_t count = 63; count <= 65; count++) {
        struct bounded b = { text, sizeof text, 0 };
        struct head head;

        bounded_put(&b, SPAN("close, te, upgrade"));
        for (size_t i = 0; i < count; i++)
            bounded_put(&b, SPAN(",a"));
        head_init(&head, fields);
        head_add(&head, SPAN("connection"), (struct span){ text, b.bytes });
        assert_int_equal(forward_choose(&head, 0, &f), count <= FORWARD_OPTIONS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_the_connection_stay_here),
        cmocka_unit_test(all_lines_are_reached),
        cmocka_unit_test(too_many_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
