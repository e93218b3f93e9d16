#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/hpack.h"

/* A decoder that knows of RFC7541 what hpack.c writes, and trusts nothing. */
struct decoder {
    struct {
        char text[1024];
        size_t name_bytes, value_bytes;
    } lines[256]; /* the newest first */
    size_t count, bytes, most;
};

static const uint8_t *number_read(const uint8_t *at, const uint8_t *end, unsigned most, size_t *number)
{
    unsigned shift = 0;

    assert_true(at < end);
    *number = *at & most;
    if (*number < most)
        return at + 1;
    do {
        at++;
        assert_true(at < end);
        *number += (size_t)(*at & 0x7f) << shift;
        shift += 7;
    } while ((*at & 0x80) != 0);
    return at + 1;
}

static const uint8_t *text_read(const uint8_t *at, const uint8_t *end, struct span *text)
{
    size_t n;

    assert_true(at < end && (*at & 0x80) == 0); /* no code of Huffman */
    at = number_read(at, end, 0x7f, &n);
    assert_true(n <= (size_t)(end - at));
    *text = (struct span){ (const char *)at, n };
    return at + n;
}

static void decoder_evict(struct decoder *d, size_t bytes)
{
    while (d->count > 0 && d->bytes + bytes > d->most) {
        d->count--;
        d->bytes -= 32 + d->lines[d->count].name_bytes + d->lines[d->count].value_bytes;
    }
}

static void decoder_insert(struct decoder *d, struct span name, struct span value)
{
    size_t bytes = 32 + name.n + value.n;

    decoder_evict(d, bytes);
    if (bytes > d->most)
        return;
    memmove(d->lines + 1, d->lines, d->count * sizeof d->lines[0]);
    d->count++;
    d->bytes += bytes;
    memcpy(d->lines[0].text, name.p, name.n);
    if (value.n > 0)
        memcpy(d->lines[0].text + name.n, value.p, value.n);
    d->lines[0].name_bytes = name.n;
    d->lines[0].value_bytes = value.n;
}

/* RFC7541:A, as far as responses have it */
static struct span static_name(size_t number)
{
    static const struct {
        size_t number;
        const char *name;
    } names[] = { { 8, ":status" },     { 18, "accept-ranges" }, { 28, "content-length" }, { 31, "content-type" },
                  { 33, "date" },       { 34, "etag" },          { 44, "last-modified" },  { 54, "server" },
                  { 55, "set-cookie" }, { 59, "vary" },          { 46, "location" } };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].number == number)
            return span_of(names[i].name);
    fail_msg("no name number %zu", number);
    return (struct span){ 0 };
}

static const uint8_t *literal_read(struct decoder *d, const uint8_t *at, const uint8_t *end, struct span *name,
                                   struct span *value)
{
    bool remembered = (*at & 0x40) != 0;
    size_t number;

    at = number_read(at, end, remembered ? 0x3f : 0x0f, &number);
    if (number == 0)
        at = text_read(at, end, name);
    else
        *name = static_name(number);
    at = text_read(at, end, value);
    if (remembered)
        decoder_insert(d, *name, *value);
    return at;
}

static const uint8_t *line_read(struct decoder *d, const uint8_t *at, const uint8_t *end, struct span *name,
                                struct span *value)
{
    static const char *const statuses[] = { "200", "204", "206", "304", "400", "404", "500" };
    size_t number;

    if ((*at & 0x80) == 0)
        return literal_read(d, at, end, name, value);
    at = number_read(at, end, 0x7f, &number);
    if (number >= 8 && number <= 14) {
        *name = SPAN(":status");
        *value = span_of(statuses[number - 8]);
        return at;
    }
    assert_true(number > 61 && number - 62 < d->count);
    number -= 62;
    *name = (struct span){ d->lines[number].text, d->lines[number].name_bytes };
    *value = (struct span){ d->lines[number].text + name->n, d->lines[number].value_bytes };
    return at;
}

struct pair {
    struct hpack h;
    struct decoder d;
};

static struct pair *pair_new(void)
{
    struct pair *p = calloc(1, sizeof *p);

    assert_non_null(p);
    hpack_init(&p->h);
    p->d.most = HPACK_TABLE_BYTES;
    return p;
}

/* One block with one line; what is written is read again. Bytes of it. */
static size_t passes(struct pair *p, struct span name, struct span value)
{
    size_t room = HPACK_BEGIN_BYTES + HPACK_LINE_BYTES + name.n + value.n, size;
    char *block = malloc(room); /* just enough, for the sanitizer's sake */
    const uint8_t *at = (const uint8_t *)block, *end;
    struct span name_read, value_read;

    assert_non_null(block);
    end = (const uint8_t *)hpack_write(&p->h, hpack_begin(&p->h, block), name, value);
    assert_true((size_t)(end - at) <= room);
    while (at < end && (*at & 0xe0) == 0x20) {
        at = number_read(at, end, 0x1f, &size);
        p->d.most = size;
        decoder_evict(&p->d, 0);
    }
    at = line_read(&p->d, at, end, &name_read, &value_read);
    assert_ptr_equal(at, end);
    assert_true(span_is(name_read, name) && span_is(value_read, value));
    size = (size_t)(end - (const uint8_t *)block);
    free(block);
    return size;
}

static void test_again(void **state)
{
    struct pair *p = pair_new();

    (void)state;
    assert_int_equal(passes(p, SPAN(":status"), SPAN("200")), 1);
    assert_int_equal(passes(p, SPAN(":status"), SPAN("304")), 1);
    assert_int_equal(passes(p, SPAN(":status"), SPAN("301")), 5);
    assert_int_equal(passes(p, SPAN(":status"), SPAN("301")), 1);
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdict")), 9);
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdict")), 1);
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdicz")), 9);
    assert_int_equal(passes(p, SPAN("x-a"), SPAN("b")), 7);
    assert_int_equal(passes(p, SPAN("x-a"), SPAN("b")), 1);
    assert_int_equal(passes(p, SPAN("x-a"), SPAN("")), 6);
    assert_int_equal(passes(p, SPAN("x-a"), SPAN("")), 1);
    assert_int_equal(passes(p, SPAN("x"), SPAN("")), 4);
    free(p);
}

/* What changes with each response, and what is secret, fills no table. */
static void test_forgotten(void **state)
{
    static const char *const names[] = { "content-length", "etag", "location", "set-cookie" };
    struct pair *p = pair_new();
    char large[HPACK_LARGE_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t twice = 0; twice < 2; twice++)
            assert_int_equal(passes(p, span_of(names[i]), SPAN("12")), 5);
    assert_int_equal(p->d.count, 0);
    memset(large, 'a', sizeof large);
    passes(p, SPAN("x-l"), (struct span){ large, sizeof large - 3 });
    assert_int_equal(p->d.count, 0);
    passes(p, SPAN("x-l"), (struct span){ large, sizeof large - 4 });
    assert_int_equal(p->d.count, 1);
    free(p);
}

static void many(struct pair *p, unsigned lines, unsigned kinds)
{
    char name[300], value[600];
    uint32_t random = 12345;

    for (unsigned i = 0; i < lines; i++) {
        unsigned kind;
        int n;

        random = random * 1664525 + 1013904223;
        kind = (random >> 10) % kinds;
        n = snprintf(name, sizeof name, "x-%0*u", (int)(kind % 9) + 1, kind);
        snprintf(value, sizeof value, "%0*u", (int)(kind * 37 % 490) + 1, kind);
        passes(p, (struct span){ name, (size_t)n }, span_of(value));
        assert_int_equal(p->h.count, p->d.count);
        assert_int_equal(p->h.bytes, p->d.bytes);
        if (random >> 24 == 0)
            hpack_limit(&p->h, (random >> 8) % 6000);
        if (random >> 24 == 1)
            hpack_limit(&p->h, HPACK_TABLE_BYTES);
    }
}

/* Lines leave, come again and take each other's slots, while the table changes its size. */
static void test_many(void **state)
{
    struct pair *p = pair_new();

    (void)state;
    many(p, 20000, 12);
    many(p, 20000, 70);
    many(p, 20000, 5000);
    free(p);
}

static void test_resized(void **state)
{
    struct pair *p = pair_new();

    (void)state;
    passes(p, SPAN("server"), SPAN("verdict"));
    hpack_limit(&p->h, 100000); /* no more than that is used */
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdict")), 1);
    hpack_limit(&p->h, 0);
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdict")), 10);
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdict")), 9);
    hpack_limit(&p->h, 4096);
    hpack_limit(&p->h, 40);
    hpack_limit(&p->h, 80);
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdict")), 1 + 2 + 9);
    assert_int_equal(p->d.most, 80);
    assert_int_equal(passes(p, SPAN("server"), SPAN("verdict")), 1);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_resized),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
