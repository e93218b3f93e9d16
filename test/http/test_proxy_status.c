#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/proxy_status.h"

struct row {
    struct proxy_status status;
    const char *text;
};

#define VERDICT .name = SPAN_INIT("verdict")

static const struct row rows[] = {
    { { VERDICT }, "verdict" },
    { { VERDICT, .why = R_upstream_connection_refused }, "verdict;error=connection_refused" },
    { { VERDICT, .why = R_request_ok }, "verdict" },
    { { .name = SPAN_INIT("1 \"x\"") }, "\"1 \\\"x\\\"\"" },
    { { .name = SPAN_INIT("") }, "\"\"" },
    { { VERDICT, .next_hop = SPAN_INIT("app.example:8001") }, "verdict;next-hop=app.example:8001" },
    { { VERDICT, .next_hop = SPAN_INIT("192.0.2.1:80") }, "verdict;next-hop=\"192.0.2.1:80\"" },
    { { VERDICT, .next_hop = SPAN_INIT("[::1]:80") }, "verdict;next-hop=\"[::1]:80\"" },
    { { VERDICT, .next_protocol = SPAN_INIT("http/1.1"), .received_status = 999 },
      "verdict;next-protocol=http/1.1;received-status=999" },
    { { VERDICT, .next_protocol = SPAN_INIT("h2 c") }, "verdict" },
    { { VERDICT, .why = R_upstream_dns_error, .next_hop = SPAN_INIT("a"),
        .details = SPAN_INIT("no \"a\\b\"\r\n\xc3\xa9\x7f!") },
      "verdict;error=dns_error;next-hop=a;details=\"no \\\"a\\\\b\\\"!\"" },
};

static void elements_are_structured_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        struct bounded b = { text, sizeof text, 0 }, dry = { 0 };

        proxy_status_put(&b, &rows[i].status);
        proxy_status_put(&dry, &rows[i].status);
        assert_int_equal(dry.bytes, b.bytes);
        if (!span_is((struct span){ text, b.bytes }, span_of(rows[i].text)))
            fail_msg("row %zu: %.*s", i, (int)b.bytes, text);
    }
}

static void long_texts_are_cut_off(void **state)
{
    char text[2000], details[1000];
    struct bounded b = { text, sizeof text, 0 };
    struct proxy_status s = { VERDICT, .details = { details, sizeof details } };

    (void)state;
    memset(details, '"', sizeof details);
    proxy_status_put(&b, &s);
    assert_int_equal(b.bytes, strlen("verdict;details=\"\"") + 2 * PROXY_STATUS_TEXT_BYTES);
    assert_int_equal(text[b.bytes - 1], '"');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_structured_fields),
        cmocka_unit_test(long_texts_are_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
