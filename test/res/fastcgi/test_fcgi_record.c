#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "res/fastcgi/fcgi_record.h"

#define HEADER(type, length, padding) "\x01" type "\x00\x01\x00" length padding "\x00"
#define END(status)                   "\x00\x00\x00\x07" status "\x00\x00\x00"

struct heard {
    struct fcgi_reader reader;
    struct verdict v;
    enum reason why;
    bool ended;
    char out[64], err[64];
    size_t out_bytes, err_bytes, used;
};

static void append(char *to, size_t *at, struct span bytes)
{
    assert_true(bytes.n > 0 && *at + bytes.n < 64);
    memcpy(to + *at, bytes.p, bytes.n);
    *at += bytes.n;
}

/* `most` bytes at a time, to the end or a refusal. */
static void hear(struct heard *h, struct span in, size_t most)
{
    *h = (struct heard){ .why = R_NONE };
    for (bool more = true; more && !h->ended;) {
        struct span rest = span_from(in, h->used), bytes;
        enum fcgi_run run = FCGI_RUN_END;
        size_t used;

        more = rest.n > 0;
        if (rest.n > most)
            rest.n = most;
        h->why = fcgi_read(&h->reader, rest, &used, &run, &bytes, &h->v);
        h->used += used;
        if (h->why == R_MORE)
            assert_int_equal(used, rest.n);
        if (h->why != R_NONE && h->why != R_MORE)
            return;
        h->ended = h->why == R_NONE && run == FCGI_RUN_END;
        if (h->why == R_NONE && !h->ended)
            append(run == FCGI_RUN_OUTPUT ? h->out : h->err, run == FCGI_RUN_OUTPUT ? &h->out_bytes : &h->err_bytes,
                   bytes);
    }
}

static void test_answer(void **state)
{
    static const struct span in =
        SPAN_INIT(HEADER("\x06", "\x05", "\x03") "helloxxx" HEADER("\x07", "\x03", "\x00") "oh!" HEADER(
            "\x06", "\x02", "\x00") " y" HEADER("\x06", "\x00", "\x08") "xxxxxxxx" HEADER("\x07", "\x00", "\x00")
                      HEADER("\x03", "\x08", "\x02") END("\x00") "xx"
                                                                 "next");
    struct heard h;

    (void)state;
    for (size_t most = 1; most < in.n; most++) {
        hear(&h, in, most);
        assert_true(h.ended);
        assert_int_equal(h.used, in.n - 4);
        assert_true(span_is((struct span){ h.out, h.out_bytes }, SPAN("hello y")));
        assert_true(span_is((struct span){ h.err, h.err_bytes }, SPAN("oh!")));
    }
}

static const struct {
    struct span in;
    enum reason why;
    uint32_t at;
} refusals[] = {
    { SPAN_INIT("\x02\x06\x00\x01\x00\x00\x00\x00"), R_fastcgi_protocol_error, 0 },
    { SPAN_INIT("HTTP/1.1"), R_fastcgi_protocol_error, 0 },
    { SPAN_INIT("\x01\x05\x00\x01\x00\x00\x00\x00"), R_fastcgi_protocol_error, 1 },
    { SPAN_INIT("\x01\x0a\x00\x00\x00\x08\x00\x00"), R_fastcgi_protocol_error, 1 },
    { SPAN_INIT("\x01\x0b\x00\x00\x00\x08\x00\x00"), R_fastcgi_protocol_error, 1 },
    { SPAN_INIT("\x01\x06\x00\x02\x00\x01\x00\x00"), R_fastcgi_protocol_error, 2 },
    { SPAN_INIT("\x01\x06\x00\x00\x00\x01\x00\x00"), R_fastcgi_protocol_error, 2 },
    { SPAN_INIT("\x01\x06\x01\x01\x00\x01\x00\x00"), R_fastcgi_protocol_error, 2 },
    { SPAN_INIT(HEADER("\x03", "\x07", "\x00")), R_fastcgi_protocol_error, 4 },
    { SPAN_INIT(HEADER("\x06", "\x01", "\x01") "ax" HEADER("\x09", "\x01", "\x00")), R_fastcgi_protocol_error, 11 },
    { SPAN_INIT(HEADER("\x03", "\x08", "\x00") END("\x01")), R_fastcgi_protocol_error, 12 },
    { SPAN_INIT(HEADER("\x03", "\x08", "\x00") END("\x02")), R_fastcgi_overloaded, 12 },
    { SPAN_INIT(HEADER("\x03", "\x08", "\x00") END("\x03")), R_fastcgi_protocol_error, 12 },
    { SPAN_INIT(HEADER("\x03", "\x08", "\x00") END("\x04")), R_fastcgi_protocol_error, 12 },
};

static void test_refusals(void **state)
{
    struct heard h;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        for (size_t most = 1; most <= refusals[i].in.n; most++) {
            hear(&h, refusals[i].in, most);
            assert_int_equal(h.why, refusals[i].why);
            assert_int_equal(h.v.why, refusals[i].why);
            assert_int_equal(h.v.at, refusals[i].at);
        }
}

static void test_not_all_there(void **state)
{
    static const struct span in =
        SPAN_INIT(HEADER("\x06", "\x01", "\x01") "ax" HEADER("\x03", "\x08", "\x01") END("\0"));
    struct heard h;

    (void)state;
    hear(&h, in, in.n);
    assert_int_equal(h.why, R_MORE);
    assert_false(h.ended);
    assert_int_equal(h.out_bytes, 1);
}

static void assert_put(const struct bounded *b, struct span want)
{
    assert_int_equal(b->bytes, want.n);
    assert_memory_equal(b->out, want.p, want.n);
}

static void test_begin(void **state)
{
    char text[32];
    struct bounded b = { text, sizeof text, 0 };

    (void)state;
    fcgi_put_begin(&b, true);
    assert_put(&b, SPAN("\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00"));
    b.bytes = 0;
    fcgi_put_begin(&b, false);
    assert_put(&b, SPAN("\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"));
}

static void test_pair(void **state)
{
    char text[400], value[128];
    struct bounded b = { text, sizeof text, 0 };

    (void)state;
    memset(value, 'v', sizeof value);
    fcgi_put_pair(&b, SPAN("NAME"), SPAN("xy"));
    assert_put(&b, SPAN("\x04\x02NAMExy"));
    b.bytes = 0;
    fcgi_put_pair(&b, SPAN("N"), (struct span){ value, 127 });
    assert_int_equal(b.bytes, 2 + 1 + 127);
    assert_memory_equal(text, "\x01\x7fN", 3);
    b.bytes = 0;
    fcgi_put_pair(&b, SPAN("N"), (struct span){ value, 128 });
    assert_int_equal(b.bytes, 5 + 1 + 128);
    assert_memory_equal(text, "\x01\x80\x00\x00\x80N", 6);
}

static void test_params(void **state)
{
    size_t room = 66000 + 24;
    char *text = malloc(room), *pairs = calloc(1, 66000);
    struct bounded b = { text, room, 0 };

    (void)state;
    fcgi_put_params(&b, (struct span){ pairs, 66000 });
    assert_int_equal(b.bytes, room);
    assert_memory_equal(text, "\x01\x04\x00\x01\xff\xff\x00\x00", 8);
    assert_memory_equal(text + 8 + 65535, "\x01\x04\x00\x01\x01\xd1\x00\x00", 8);
    assert_memory_equal(text + room - 8, "\x01\x04\x00\x01\x00\x00\x00\x00", 8);
    free(text);
    free(pairs);
}

static void test_stdin(void **state)
{
    char text[16];
    struct bounded b = { text, sizeof text, 0 };

    (void)state;
    fcgi_put_stdin(&b, 513);
    fcgi_put_stdin(&b, 0);
    assert_put(&b, SPAN("\x01\x05\x00\x01\x02\x01\x00\x00\x01\x05\x00\x01\x00\x00\x00\x00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer), cmocka_unit_test(test_refusals), cmocka_unit_test(test_not_all_there),
        cmocka_unit_test(test_begin),  cmocka_unit_test(test_pair),     cmocka_unit_test(test_params),
        cmocka_unit_test(test_stdin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
