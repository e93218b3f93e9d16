#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake.h"

#define MESSAGE_BYTES 1000
#define MEMORY        65536

/* RFC6455:1.3 */
static void key_give(struct fake *f)
{
    head_add(&f->x.req.head, SPAN("Sec-WebSocket-Key"), SPAN("dGhlIHNhbXBsZSBub25jZQ=="));
}

static void stream_open(struct fake *f)
{
    f->x.req.head.major = 2;
    f->x.req.head.minor = 0;
    f->x.req.connect_protocol = SPAN("websocket");
    f->content_over = true;
}

static void assert_fields(const struct fake *f, const char *want)
{
    char fields[512] = "", *at = fields;

    for (uint32_t i = 0; i < f->x.reply.count; i++)
        at += sprintf(at, "%.*s: %.*s\n", (int)f->x.reply_fields[i].name.n, f->x.reply_fields[i].name.p,
                      (int)f->x.reply_fields[i].value.n, f->x.reply_fields[i].value.p);
    assert_string_equal(fields, want);
}

static void a_connection_is_switched(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, MESSAGE_BYTES, MEMORY);
    key_give(&f);
    assert_true(f.x.facts.exists);
    assert_int_equal(fake_produce(&f), FLOW_GO);
    assert_fields(&f, "Upgrade: websocket\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n");
    assert_true(f.x.reply.tunnel);
    assert_int_equal(f.x.reply.body->length, -1);
    fake_over(&f);
}

static void a_stream_is_opened(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, MESSAGE_BYTES, MEMORY);
    stream_open(&f);
    f.client = SPAN("\x89\x80\0\0\0\0");
    assert_int_equal(fake_produce(&f), FLOW_GO);
    assert_int_equal(f.asked, 0);
    assert_fields(&f, "");
    assert_true(f.x.reply.tunnel);
    fake_run(&f);
    assert_int_equal(f.server_bytes, 2);
    assert_memory_equal(f.server, "\x8a\x00", 2);
    fake_over(&f);
}

/* What looks like a frame there is none. */
static void content_is_read_away_first(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, MESSAGE_BYTES, MEMORY);
    key_give(&f);
    f.content = SPAN("\x89\x80\0\0\0\0 and more");
    f.client = SPAN("\x82\x81\0\0\0\0x");
    f.piece_bytes = 4;
    f.waits = true;
    assert_int_equal(f.x.res->produce(&f.x), FLOW_WAIT);
    assert_false(f.x.reply.tunnel);
    assert_null(f.x.reply.body);
    assert_int_equal(fake_produce(&f), FLOW_GO);
    assert_int_equal(f.client.n, 7);
    assert_int_equal(f.x.reply.count, 2);
    fake_run(&f);
    assert_int_equal(f.server_bytes, 3);
    assert_memory_equal(f.server, "\x82\x01x", 3);
    fake_over(&f);
}

static enum flow cut_short(struct exchange *x, struct span *piece)
{
    (void)piece;
    return STOP(x, R_request_content_cut_short, 0);
}

static void content_that_breaks_off_is_no_switch(void **state)
{
    static const struct codec_ops codec = { .name = "cut", .major = 1, .content = cut_short };
    struct fake f;

    (void)state;
    fake_init(&f, MESSAGE_BYTES, MEMORY);
    key_give(&f);
    f.x.codec = &codec;
    assert_int_equal(fake_produce(&f), FLOW_STOP);
    assert_int_equal(f.x.verdict.why, R_request_content_cut_short);
    assert_false(f.x.reply.tunnel);
    assert_null(f.x.reply.body);
    fake_over(&f);
}

static void a_full_arena_is_told(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, MESSAGE_BYTES, 0);
    key_give(&f);
    assert_int_equal(fake_produce(&f), FLOW_STOP);
    assert_int_equal(f.x.verdict.why, R_exchange_memory_exhausted);
    assert_null(f.x.reply.body);
    fake_over(&f);
}

static void close_alone_frees(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f, MESSAGE_BYTES, MEMORY);
    key_give(&f);
    assert_int_equal(fake_produce(&f), FLOW_GO);
    f.x.reply.body = NULL;
    fake_over(&f);
    fake_init(&f, MESSAGE_BYTES, MEMORY);
    fake_over(&f);
}

static const struct {
    enum reason why;
    unsigned char major;
    const char *fields;
} descriptions[] = {
    { R_upgrade_required, 1, "Upgrade: websocket\nConnection: upgrade\nSec-WebSocket-Version: 13\n" },
    { R_upgrade_required, 2, "Sec-WebSocket-Version: 13\n" },
    { R_websocket_version_unsupported, 1, "Upgrade: websocket\nConnection: upgrade\nSec-WebSocket-Version: 13\n" },
    { R_websocket_version_unsupported, 2, "Sec-WebSocket-Version: 13\n" },
    { R_websocket_handshake_invalid, 1, "" },
    { R_protocol_switch, 1, "" },
    { R_method_not_allowed, 1, "" },
};

static void refusals_say_how_to_ask(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof descriptions / sizeof descriptions[0]; i++) {
        struct fake f;

        fake_init(&f, MESSAGE_BYTES, MEMORY);
        f.x.req.head.major = descriptions[i].major;
        f.x.res->describe(&f.x, descriptions[i].why);
        assert_fields(&f, descriptions[i].fields);
        fake_over(&f);
    }
}

static void it_is_asked_by_get(void **state)
{
    (void)state;
    assert_string_equal(websocket_resource.name, "websocket");
    assert_true(websocket_resource.methods == (UINT64_C(1) << M_GET | UINT64_C(1) << M_OPTIONS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_switched),   cmocka_unit_test(a_stream_is_opened),
        cmocka_unit_test(content_is_read_away_first), cmocka_unit_test(content_that_breaks_off_is_no_switch),
        cmocka_unit_test(a_full_arena_is_told),       cmocka_unit_test(close_alone_frees),
        cmocka_unit_test(refusals_say_how_to_ask),    cmocka_unit_test(it_is_asked_by_get),
    };

    return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
