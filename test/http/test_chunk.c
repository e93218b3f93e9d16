#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/chunk.h"

/* All that a decoder says about a message that comes in pieces of at most `piece` bytes. */
struct decoded {
    char content[512];
    size_t n, used;
    enum reason why;
    struct verdict v;
    bool ended;
};

static struct decoded decode(struct span coded, size_t piece, uint32_t extension_bytes, uint32_t trailer_bytes)
{
    struct decoded d = { .why = R_MORE };
    struct chunk c;

    chunk_init(&c);
    c.extension_left = extension_bytes;
    c.trailer_left = trailer_bytes;
    while ((d.why == R_MORE && d.used < coded.n) || (d.why == R_NONE && !d.ended)) {
        size_t left = coded.n - d.used, used;
        struct span in = { coded.p + d.used, left < piece ? left : piece }, data;

        d.why = chunk_feed(&c, in, &used, &data, &d.v);
        d.used += used;
        assert_true(d.n + data.n <= sizeof d.content);
        if (data.n > 0)
            memcpy(d.content + d.n, data.p, data.n);
        d.n += data.n;
        d.ended = chunk_ended(&c);
        assert_true(d.why != R_NONE || data.n > 0 || d.ended);
        assert_true(d.why != R_MORE || used == in.n);
    }
    return d;
}

struct good {
    struct span coded;
    const char *content;
    size_t used;
};

#define X16 "xxxxxxxxxxxxxxxx"

static const struct good goods[] = {
    { SPAN_INIT("0\r\n\r\n"), "", 5 },
    { SPAN_INIT("0\r\n\r\nGET / HTTP/1.1\r\n"), "", 5 },
    { SPAN_INIT("1\r\na\r\n0\r\n\r\n"), "a", 11 },
    { SPAN_INIT("3\r\nabc\r\n00002\r\n\r\n\r\n000\r\n\r\n"), "abc\r\n", 26 },
    { SPAN_INIT("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), "01234567890123456789", 35 },
    { SPAN_INIT("0000000000000001\r\na\r\n0\r\n\r\n"), "a", 26 },
    { SPAN_INIT("1;a=\"b;\xff\";c\r\na\r\n0 \t;\td \r\n\r\n"), "a", 27 },
    { SPAN_INIT("1;" X16 "xxxxxxxxxxxxx\r\na\r\n0;x\r\n\r\n"), "a", 43 }, /* 32 bytes of extensions: the limit */
    { SPAN_INIT("0\r\nA: b\r\nContent-Length: 5\r\nC:\r\n\r\n"), "", 34 },
    { SPAN_INIT("0\r\nA: " X16 "xxxxxxxxx\r\nB:" X16 "xx\r\n\r\n"), "", 57 }, /* 52 bytes of trailers: the limit */
};

#define EXTENSIONS 32
#define TRAILERS   52

static void good_content_is_decoded_in_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];
        struct span coded = guarded(g->coded);

        for (size_t piece = 1; piece <= g->coded.n; piece++) {
            struct decoded d = decode(coded, piece, EXTENSIONS, TRAILERS);

            if (d.why != R_NONE || !d.ended || !span_is((struct span){ d.content, d.n }, span_of(g->content)))
                fail_msg("%s: %d at %u, %.*s", g->coded.p, (int)d.why, d.v.at, (int)d.n, d.content);
            assert_int_equal(d.used, g->used);
        }
        for (size_t n = 0; n < g->used; n++)
            assert_int_equal(decode(guarded((struct span){ g->coded.p, n }), n + 1, EXTENSIONS, TRAILERS).why, R_MORE);
    }
}

struct refusal {
    struct span coded;
    enum reason why;
    uint32_t at;
};

static const struct refusal refusals[] = {
    { SPAN_INIT("\r\n"), R_bad_chunk, 0 },
    { SPAN_INIT(";a\r\n"), R_bad_chunk, 0 },
    { SPAN_INIT(" 1\r\n"), R_bad_chunk, 0 },
    { SPAN_INIT("-1\r\n"), R_bad_chunk, 0 },
    { SPAN_INIT("+1\r\n"), R_bad_chunk, 0 },
    { SPAN_INIT("0x1\r\n"), R_bad_chunk, 1 },
    { SPAN_INIT("g\r\n"), R_bad_chunk, 0 },
    { SPAN_INIT("1\n"), R_bad_chunk, 1 },
    { SPAN_INIT("1\0"), R_bad_chunk, 1 },
    { SPAN_INIT("1\ra"), R_bad_chunk, 2 },
    { SPAN_INIT("1 \r\n"), R_bad_chunk, 2 },
    { SPAN_INIT("1 2\r\n"), R_bad_chunk, 2 },
    { SPAN_INIT("1\r\nab"), R_bad_chunk, 4 },
    { SPAN_INIT("1\r\na\n"), R_bad_chunk, 4 },
    { SPAN_INIT("1\r\na\r1"), R_bad_chunk, 5 },
    { SPAN_INIT("1\r\na\r\n\r\n"), R_bad_chunk, 6 },
    { SPAN_INIT("1;a\n"), R_bad_chunk, 3 },
    { SPAN_INIT("1;a\0"), R_bad_chunk, 3 },
    { SPAN_INIT("1;a\rb"), R_bad_chunk, 4 },
    { SPAN_INIT("1000000000000000\r\n"), R_bad_chunk, 15 },
    { SPAN_INIT("ffffffffffffffffff\r\n"), R_bad_chunk, 15 },
    { SPAN_INIT("00000000000000001\r\n"), R_bad_chunk, 16 },
    { SPAN_INIT("1;" X16 "xxxxxxxxxxxxxxx\r\na\r\n0;x\r\n"), R_chunk_extension_too_long, 39 },
    { SPAN_INIT("1;" X16 X16), R_chunk_extension_too_long, 33 },
    { SPAN_INIT("0\r\n\n"), R_malformed_trailer_field, 3 },
    { SPAN_INIT("0\r\n\rA"), R_malformed_trailer_field, 4 },
    { SPAN_INIT("0\r\n a: b\r\n"), R_malformed_trailer_field, 3 },
    { SPAN_INIT("0\r\n: b\r\n"), R_malformed_trailer_field, 3 },
    { SPAN_INIT("0\r\nab\r\n"), R_malformed_trailer_field, 5 },
    { SPAN_INIT("0\r\na : b\r\n"), R_malformed_trailer_field, 4 },
    { SPAN_INIT("0\r\na: b\n"), R_malformed_trailer_field, 7 },
    { SPAN_INIT("0\r\na: b\0"), R_malformed_trailer_field, 7 },
    { SPAN_INIT("0\r\na: b\rc"), R_malformed_trailer_field, 8 },
    { SPAN_INIT("0\r\na: b\r\n c\r\n"), R_malformed_trailer_field, 9 },
    { SPAN_INIT("0\r\nGET / HTTP/1.1\r\n"), R_malformed_trailer_field, 6 },
    { SPAN_INIT("0\r\nA: " X16 X16 X16 "xy"), R_request_trailers_too_large, 55 },
    { SPAN_INIT("0\r\nA: " X16 "xxxxxxxxx\r\nB:" X16 "xx\r\nC: d"), R_request_trailers_too_large, 55 },
};

static void broken_content_is_refused_in_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];

        for (size_t piece = 1; piece <= r->coded.n; piece++) {
            struct decoded d = decode(guarded(r->coded), piece, EXTENSIONS, TRAILERS);

            if (d.why != r->why || d.v.why != r->why || d.v.at != r->at)
                fail_msg("row %zu, %s: %s at %u", i, r->coded.p, d.why > R_MORE ? reason_info(d.why)->name : "none",
                         d.v.at);
            assert_int_equal(d.used, r->at);
        }
        assert_int_equal(decode(guarded((struct span){ r->coded.p, r->at }), 99, EXTENSIONS, TRAILERS).why, R_MORE);
    }
}

static void the_largest_size_is_below_two_to_the_sixty(void **state)
{
    struct span in = SPAN("fffffffffffffff\r\n"), data;
    struct verdict v;
    struct chunk c;
    size_t used;

    (void)state;
    chunk_init(&c);
    assert_int_equal(chunk_feed(&c, in, &used, &data, &v), R_MORE);
    assert_int_equal(c.left, (UINT64_C(1) << 60) - 1);
    assert_int_equal(c.extension_left, CHUNK_EXTENSION_BYTES);
}

static void the_end_stays_the_end(void **state)
{
    struct span data;
    struct verdict v;
    struct chunk c;
    size_t used;

    (void)state;
    chunk_init(&c);
    assert_int_equal(chunk_feed(&c, SPAN("0\r\n\r\n"), &used, &data, &v), R_NONE);
    assert_true(chunk_ended(&c));
    assert_int_equal(chunk_feed(&c, SPAN("GET"), &used, &data, &v), R_NONE);
    assert_int_equal(used, 0);
    assert_int_equal(data.n, 0);
}

static void sizes_are_written_in_hexadecimal(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *line;
    } cases[] = {
        { 0, "0\r\n" }, { 9, "9\r\n" }, { 10, "a\r\n" }, { 16, "10\r\n" }, { UINT64_MAX, "ffffffffffffffff\r\n" },
    };
    char out[20];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(span_is((struct span){ out, chunk_head_write(out, cases[i].bytes) }, span_of(cases[i].line)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_content_is_decoded_in_every_split),
        cmocka_unit_test(broken_content_is_refused_in_every_split),
        cmocka_unit_test(the_largest_size_is_below_two_to_the_sixty),
        cmocka_unit_test(the_end_stays_the_end),
        cmocka_unit_test(sizes_are_written_in_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
