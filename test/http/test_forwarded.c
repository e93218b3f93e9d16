#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/forwarded.h"

struct node_case {
    const char *text;
    enum forwarded_kind kind; /* FORWARDED_ABSENT: malformed */
    const char *name;
    uint16_t port;
};

static const struct node_case nodes[] = {
    { "192.0.2.1", FORWARDED_IPV4, "192.0.2.1", 0 },
    { "192.0.2.1:65535", FORWARDED_IPV4, "192.0.2.1", 65535 },
    { "192.0.2.1:_p", FORWARDED_IPV4, "192.0.2.1", 0 },
    { "[2001:db8::1]", FORWARDED_IPV6, "2001:db8::1", 0 },
    { "[2001:db8::1]:1234", FORWARDED_IPV6, "2001:db8::1", 1234 },
    { "unknown", FORWARDED_UNKNOWN, "unknown", 0 },
    { "Unknown:1", FORWARDED_UNKNOWN, "Unknown", 1 },
    { "_a.B-9_", FORWARDED_HIDDEN, "_a.B-9_", 0 },
    { "", FORWARDED_ABSENT, "", 0 },
    { "_", FORWARDED_ABSENT, "", 0 },
    { "_a$", FORWARDED_ABSENT, "", 0 },
    { "name", FORWARDED_ABSENT, "", 0 },
    { "192.0.2.256", FORWARDED_ABSENT, "", 0 },
    { "192.0.2.1:", FORWARDED_ABSENT, "", 0 },
    { "192.0.2.1:65536", FORWARDED_ABSENT, "", 0 },
    { "192.0.2.1:000001", FORWARDED_ABSENT, "", 0 },
    { "192.0.2.1:a", FORWARDED_ABSENT, "", 0 },
    { "2001:db8::1", FORWARDED_ABSENT, "", 0 },
    { "[2001:db8::1", FORWARDED_ABSENT, "", 0 },
    { "[2001:db8::1]1", FORWARDED_ABSENT, "", 0 },
    { "[192.0.2.1]", FORWARDED_ABSENT, "", 0 },
    { "[", FORWARDED_ABSENT, "", 0 },
};

static void nodes_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        struct forwarded_node node = { 0 };
        bool good = forwarded_node_parse(guarded(span_of(nodes[i].text)), &node);

        if (good != (nodes[i].kind != FORWARDED_ABSENT))
            fail_msg("%s: %d", nodes[i].text, good);
        if (good)
            assert_true(node.kind == nodes[i].kind && node.port == nodes[i].port &&
                        span_is(node.name, span_of(nodes[i].name)));
    }
}

struct element_case {
    const char *text;
    bool good;
    const char *client, *by, *host, *proto;
};

static const struct element_case elements[] = {
    { "for=192.0.2.1", true, "192.0.2.1", "", "", "" },
    { "For=\"[2001:db8::1]:80\";PROTO=http;by=_x;host=\"h:80\"", true, "2001:db8::1", "_x", "h:80", "http" },
    { " ;; for=_a ;\t; proto=https ; ", true, "_a", "", "", "https" },
    { "ext=1;other=\"a;b,c\\\"\";host=h", true, "", "", "h", "" },
    { "for=\"_\\a\\b\";host=\"\\h\"", true, "_ab", "", "h", "" },
    { "", true, "", "", "", "" },
    { "for=192.0.2.1;for=192.0.2.1", false, "", "", "", "" },
    { "proto=a;PROTO=a", false, "", "", "", "" },
    { "for", false, "", "", "", "" },
    { "for=", false, "", "", "", "" },
    { "=a", false, "", "", "", "" },
    { "for =_a", false, "", "", "", "" },
    { "for= _a", false, "", "", "", "" },
    { "for=_a proto=http", false, "", "", "", "" },
    { "for=192.0.2.1:80", false, "", "", "", "" }, /* a colon is not of a token */
    { "for=[::1]", false, "", "", "", "" },
    { "for=\"_a", false, "", "", "", "" },
    { "for=\"_a\\\"", false, "", "", "", "" },
    { "for=\"\"", false, "", "", "", "" },
    { "host=\"a/b\"", false, "", "", "", "" },
    { "host=\"\"", false, "", "", "", "" },
    { "proto=1", false, "", "", "", "" },
    { "proto=\"a b\"", false, "", "", "", "" },
};

static void elements_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        const struct element_case *c = &elements[i];
        struct forwarded f;

        if (forwarded_parse(guarded(span_of(c->text)), &f) != c->good)
            fail_msg("%s", c->text);
        if (c->good)
            assert_true(span_is(f.client.name, span_of(c->client)) && span_is(f.by.name, span_of(c->by)) &&
                        span_is(f.host, span_of(c->host)) && span_is(f.proto, span_of(c->proto)));
    }
}

static void escapes_are_bounded(void **state)
{
    char text[1000];

    (void)state;
    for (size_t n = FORWARDED_TEXT_BYTES; n <= FORWARDED_TEXT_BYTES + 1; n++) {
        struct bounded b = { text, sizeof text, 0 };
        struct forwarded f;

        bounded_put(&b, SPAN("a=\""));
        for (size_t i = 0; i < n; i++)
            bounded_put(&b, SPAN("\\a"));
        bounded_put(&b, SPAN("\""));
        assert_int_equal(forwarded_parse((struct span){ text, b.bytes }, &f), n <= FORWARDED_TEXT_BYTES);
    }
}

/* 10.x and fd.. are ours */
static bool trusts(const void *owner, const struct forwarded_node *address)
{
    (void)owner;
    return span_starts(address->name, SPAN("10.")) || span_starts(address->name, SPAN("fd"));
}

struct client_case {
    enum field_id id;
    const char *first, *second;
    const char *client; /* NULL: not known */
    uint16_t port;
    const char *proto;
};

#define X_FOR FIELD_X_FORWARDED_FOR

static const struct client_case clients[] = {
    { X_FOR, "192.0.2.1", "", "192.0.2.1", 0, "" },
    { X_FOR, "192.0.2.1, 192.0.2.2", "10.0.0.1, 10.0.0.2:80", "192.0.2.2", 0, "" },
    { X_FOR, "6.6.6.6", "[2001:db8::1]:99,,10.0.0.1 ,", "2001:db8::1", 99, "" },
    { X_FOR, "6.6.6.6", "2001:db8::1,fd00::1", "2001:db8::1", 0, "" },
    { X_FOR, "10.0.0.1, 10.0.0.2", "fd00::1", "10.0.0.1", 0, "" },
    { X_FOR, "6.6.6.6, unknown, 10.0.0.1", "10.0.0.2", "10.0.0.1", 0, "" },
    { X_FOR, "6.6.6.6, junk", "", NULL, 0, "" },
    { X_FOR, "6.6.6.6, _x", "", NULL, 0, "" },
    { X_FOR, "", ", ,", NULL, 0, "" },
    { X_FOR, "6.6.6.6\"", "\", 192.0.2.1", "192.0.2.1", 0, "" },
    { FIELD_FORWARDED, "for=192.0.2.1;proto=https, for=10.0.0.1;proto=http", "", "192.0.2.1", 0, "https" },
    { FIELD_FORWARDED, "for=6.6.6.6", "for=\"[2001:db8::1]:8\", for=10.0.0.1", "2001:db8::1", 8, "" },
    { FIELD_FORWARDED, "for=6.6.6.6, for=unknown, for=10.0.0.1;proto=a", "for=10.0.0.2", "10.0.0.1", 0, "a" },
    { FIELD_FORWARDED, "for=6.6.6.6, proto=http", "", NULL, 0, "" },
    { FIELD_FORWARDED, "for=6.6.6.6, for=6.6.6", "", NULL, 0, "" },
    /* what a client leaves open does not hide what gateways say behind */
    { FIELD_FORWARDED, "for=10.6.6.6;a=\", for=192.0.2.1;b=\"x, y\\\"z\"", "for=10.0.0.1", "192.0.2.1", 0, "" },
    { FIELD_FORWARDED, "for=10.6.6.6;a=\"\\, for=\"[2001:db8::1]\"", "for=10.0.0.1", "2001:db8::1", 0, "" },
};

static void clients_are_found_from_the_right(void **state)
{
    static const struct forwarded_trust trust = { trusts, NULL };

    (void)state;
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        const struct client_case *c = &clients[i];
        struct field fields[3];
        struct forwarded f;
        struct head head;
        bool found;

        head_init(&head, fields);
        head_add(&head, field_info(c->id)->name, guarded(span_of(c->first)));
        head_add(&head, SPAN("Via"), SPAN("for=6.6.6.6"));
        head_add(&head, field_info(c->id)->name, span_of(c->second));
        found = forwarded_find_client(&head, c->id, &trust, &f);
        if (found != (c->client != NULL) ||
            (found && (!span_is(f.client.name, span_of(c->client)) || f.client.port != c->port ||
                       !span_is(f.proto, span_of(c->proto)))))
            fail_msg("row %zu: %d %.*s", i, found, found ? (int)f.client.name.n : 0, f.client.name.p);
    }
}

struct hop_case {
    struct forwarded_hop hop;
    const char *text;
};

static const struct hop_case hops[] = {
    { { .address = SPAN_INIT("192.0.2.1") }, "for=192.0.2.1" },
    { { .address = SPAN_INIT("192.0.2.1"), .port = 80 }, "for=\"192.0.2.1:80\"" },
    { { .address = SPAN_INIT("2001:db8::1") }, "for=\"[2001:db8::1]\"" },
    { { .address = SPAN_INIT("2001:db8::1"), .port = 1234 }, "for=\"[2001:db8::1]:1234\"" },
    { { .address = SPAN_INIT("fe80::1%eth0") }, "for=\"[fe80::1]\"" },
    { { .address = SPAN_INIT("unix:/run/x"), .port = 7 }, "for=unknown" },
    { { .address = SPAN_INIT("") }, "for=unknown" },
    { { .address = SPAN_INIT("_x"), .by = SPAN_INIT("_verdict") }, "for=_x;by=_verdict" },
    { { SPAN_INIT("::1"), 1, SPAN_INIT("10.0.0.1"), SPAN_INIT("h:80"), SPAN_INIT("https") },
      "for=\"[::1]:1\";by=10.0.0.1;host=\"h:80\";proto=https" },
    { { .address = SPAN_INIT("::1"), .host = SPAN_INIT("a\"b\\\r\nc") }, "for=\"[::1]\";host=\"a\\\"b\\\\c\"" },
};

static void elements_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hops / sizeof hops[0]; i++) {
        char text[200];
        struct bounded b = { text, sizeof text, 0 };

        forwarded_put(&b, &hops[i].hop);
        if (!span_is((struct span){ text, b.bytes }, span_of(hops[i].text)))
            fail_msg("row %zu: %.*s", i, (int)b.bytes, text);
    }
}

static void lines_received_are_joined(void **state)
{
    char text[100];
    struct bounded b = { text, sizeof text, 0 }, cut = { text + 50, 5, 0 };
    struct field fields[3];
    struct head head;

    (void)state;
    head_init(&head, fields);
    forwarded_put_x_for(&b, &head, SPAN("fe80::1%eth0"));
    assert_true(span_is((struct span){ text, b.bytes }, SPAN("fe80::1")));
    head_add(&head, SPAN("X-Forwarded-For"), SPAN("a, b"));
    head_add(&head, SPAN("x-forwarded-for"), SPAN(""));
    head_add(&head, SPAN("x-forwarded-for"), SPAN("c"));
    b.bytes = 0;
    forwarded_put_x_for(&b, &head, SPAN("192.0.2.1"));
    assert_true(span_is((struct span){ text, b.bytes }, SPAN("a, b, c, 192.0.2.1")));
    forwarded_put_x_for(&cut, &head, SPAN("unix:"));
    assert_int_equal(cut.bytes, strlen("a, b, c, unknown"));
    assert_memory_equal(text + 50, "a, b,", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_read),       cmocka_unit_test(elements_are_read),
        cmocka_unit_test(escapes_are_bounded),  cmocka_unit_test(clients_are_found_from_the_right),
        cmocka_unit_test(elements_are_written), cmocka_unit_test(lines_received_are_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
