#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/host.h"
#include "parsed.h"

struct good {
    const char *text, *name;
    bool has_port;
    uint16_t port;
};

static const struct good goods[] = {
    { "", "", false, 0 },
    { "example.com", "example.com", false, 0 },
    { "Example.COM:8080", "Example.COM", true, 8080 },
    { "h:", "h", false, 0 },
    { "h:0", "h", true, 0 },
    { "h:00065535", "h", true, 65535 },
    { "127.0.0.1:1", "127.0.0.1", true, 1 },
    { "a_b-c.~!$&'()*+,;=%41", "a_b-c.~!$&'()*+,;=%41", false, 0 },
    { "[::1]", "[::1]", false, 0 },
    { "[2001:DB8::1.2.3.4]:443", "[2001:DB8::1.2.3.4]", true, 443 },
};

static void good_hosts_have_a_name_and_perhaps_a_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        struct host h;
        size_t bad = 0;

        assert_true(host_parse(guarded(span_of(goods[i].text)), &h, &bad));
        assert_true(span_is(h.name, span_of(goods[i].name)));
        assert_int_equal(h.has_port, goods[i].has_port);
        assert_int_equal(h.port, goods[i].port);
    }
}

struct bad_case {
    struct span text;
    size_t bad;
};

static const struct bad_case bads[] = {
    { SPAN_INIT(":80"), 0 },
    { SPAN_INIT("a b"), 1 },
    { SPAN_INIT("a/b"), 1 },
    { SPAN_INIT("u@h"), 1 },
    { SPAN_INIT("a\0"), 1 },
    { SPAN_INIT("\xe4"), 0 },
    { SPAN_INIT("a%4"), 1 },
    { SPAN_INIT("a%zz"), 1 },
    { SPAN_INIT("a:b"), 2 },
    { SPAN_INIT("a:8:0"), 3 },
    { SPAN_INIT("a:-1"), 2 },
    { SPAN_INIT("a:65536"), 6 },
    { SPAN_INIT("a:99999999999"), 6 },
    { SPAN_INIT("::1"), 0 },
    { SPAN_INIT("["), 1 },
    { SPAN_INIT("[]"), 0 },
    { SPAN_INIT("[::1"), 4 },
    { SPAN_INIT("[::1]a"), 5 },
    { SPAN_INIT("[::1]:x"), 6 },
    { SPAN_INIT("[::g]"), 3 },
    { SPAN_INIT("[fe80::1%25eth0]"), 8 },
    { SPAN_INIT("[v1.a]"), 1 },
    { SPAN_INIT("[1:2]"), 0 },
    { SPAN_INIT("[:::::::::::::::::::::::::::::::::::::::::::::::::::::]"), 0 },
};

static void wrong_hosts_are_refused_in_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        struct host h;
        size_t bad = 99;

        if (host_parse(guarded(bads[i].text), &h, &bad) || bad != bads[i].bad)
            fail_msg("%s: %zu", bads[i].text.p, bad);
    }
}

struct check_case {
    struct span message;
    enum reason why;
    uint32_t at;
    const char *text; /* the host's name, or the operand */
};

static const struct check_case checks[] = {
    { SPAN_INIT("GET / HTTP/1.1\r\nHost: a:80\r\n\r\n"), R_NONE, 0, "a" },
    { SPAN_INIT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), R_NONE, 0, "" },
    { SPAN_INIT("GET / HTTP/1.0\r\n\r\n"), R_NONE, 0, "" },
    { SPAN_INIT("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), R_NONE, 0, "a" },
    { SPAN_INIT("GET http://b/ HTTP/1.0\r\n\r\n"), R_NONE, 0, "b" },
    { SPAN_INIT("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), R_NONE, 0, "b" }, /* RFC9112:3.2.2 */
    { SPAN_INIT("CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n"), R_NONE, 0, "b" },
    { SPAN_INIT("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), R_NONE, 0, "a" },
    { SPAN_INIT("GET / HTTP/1.1\r\nA: b\r\n\r\n"), R_host_missing, 22, "host" },
    { SPAN_INIT("GET http://b/ HTTP/1.1\r\n\r\n"), R_host_missing, 24, "host" },
    { SPAN_INIT("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), R_host_repeated, 25, "host" },
    { SPAN_INIT("GET / HTTP/1.0\r\nHost: a\r\nA: b\r\nHOST: b\r\n\r\n"), R_host_repeated, 31, "HOST" },
    { SPAN_INIT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), R_host_missing_or_invalid, 23, "Host" },
    { SPAN_INIT("GET / HTTP/1.0\r\nHost: a, b\r\n\r\n"), R_host_missing_or_invalid, 24, "Host" },
    { SPAN_INIT("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"), R_host_missing_or_invalid, 27, "Host" },
    { SPAN_INIT("GET http://b/ HTTP/1.1\r\nHost: a@\r\n\r\n"), R_host_missing_or_invalid, 31, "Host" },
};

static void requests_name_their_host_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const struct check_case *c = &checks[i];
        struct head head = parsed(c->message);
        struct target target;
        struct host host;
        struct verdict v = { 0 };
        enum reason why;

        assert_int_equal(target_parse(head.target, head.method, &target, &v), R_NONE);
        why = host_check(&head, &target, &host, &v);
        if (why != c->why || v.at != c->at)
            fail_msg("row %zu, %s: %s at %u", i, c->message.p, why > R_MORE ? reason_info(why)->name : "none", v.at);
        assert_true(span_is(why == R_NONE ? host.name : v.operand, span_of(c->text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_hosts_have_a_name_and_perhaps_a_port),
        cmocka_unit_test(wrong_hosts_are_refused_in_place),
        cmocka_unit_test(requests_name_their_host_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
