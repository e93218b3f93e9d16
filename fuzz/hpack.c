/*
 * Field blocks of HTTP/2 that are sent: whatever lines they have, and whatever the decoder says of its table in between,
 * another decoder reads the same lines, in the same order, and has as much in its table as we think.
 *
 * Input: lines and orders. A line is a name and a value, each of them a length and its bytes; a length from LENGTH_LARGE
 * on stands for many times the byte that follows, and a name without bytes is ":status". An order is a byte of enum
 * order where a name's length would be.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "http/hpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MOST       512
#define LENGTH_LARGE     0xc0
#define LARGE_UNIT_BYTES 100
#define STATIC_LINES     61 /* RFC7541:A */

enum order {
    ORDER_AGAIN = 0xfd, /* the line that was so many lines ago */
    ORDER_LIMIT,        /* the block ends; the decoder's table has two bytes' number from now on, 0xffff: any size */
    ORDER_END,          /* the block ends */
};

/* Name and value each in memory of their own, just as much as they need. */
struct line {
    struct span name, value;
    bool is_again; /* ... that belongs to an earlier line */
};

static struct {
    struct hpack pack;
    nghttp2_hd_inflater *inflater;
    struct line lines[LINES_MOST];
    size_t count, sent; /* lines */
} w;

static char *memory_take(size_t bytes)
{
    char *p = malloc(bytes);

    DIE_UNLESS(p != NULL);
    return p;
}

static uint8_t take_byte(struct span *rest)
{
    uint8_t byte = rest->n > 0 ? (uint8_t)rest->p[0] : 0;

    *rest = span_from(*rest, rest->n > 0);
    return byte;
}

/* The caller frees it; NULL if it is empty. */
static struct span take_text(struct span *rest, uint8_t length)
{
    bool is_large = length >= LENGTH_LARGE;
    size_t n = is_large ? (length - LENGTH_LARGE + (size_t)1) * LARGE_UNIT_BYTES : length < rest->n ? length : rest->n;
    char *text;

    if (n == 0)
        return (struct span){ 0 };
    text = memory_take(n);
    if (is_large) {
        memset(text, take_byte(rest), n);
    } else {
        memcpy(text, rest->p, n);
        *rest = span_from(*rest, n);
    }
    return (struct span){ text, n };
}

/* As the encoder wants it: in lower case, and no colon before it but in ":status". */
static struct span take_name(struct span *rest, uint8_t length)
{
    struct span name = take_text(rest, length);
    char *p = (char *)name.p;

    if (name.n == 0)
        return SPAN(":status");
    for (size_t i = 0; i < name.n; i++)
        p[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
    p[0] = (char)(p[0] == ':' ? '_' : p[0]);
    return name;
}

static void line_take(struct span *rest, uint8_t name_length)
{
    struct line *line = &w.lines[w.count++];

    *line = (struct line){ .name = take_name(rest, name_length) };
    line->value = take_text(rest, take_byte(rest));
}

static void line_again(uint8_t ago)
{
    if (ago >= w.count)
        return;
    w.lines[w.count] = w.lines[w.count - 1 - ago];
    w.lines[w.count++].is_again = true;
}

static void line_free(struct line *line)
{
    if (line->is_again)
        return;
    if (line->name.p[0] != ':')
        free((char *)line->name.p);
    free((char *)line->value.p);
}

static void line_heard(const nghttp2_nv *heard)
{
    const struct line *line = &w.lines[w.sent++];

    DIE_UNLESS(w.sent <= w.count);
    DIE_UNLESS(span_is(line->name, (struct span){ (const char *)heard->name, heard->namelen }));
    DIE_UNLESS(span_is(line->value, (struct span){ (const char *)heard->value, heard->valuelen }));
}

static void block_heard(const uint8_t *bytes, size_t n)
{
    int flags = 0;

    do {
        nghttp2_nv line;
        ssize_t used = nghttp2_hd_inflate_hd2(w.inflater, &line, &flags, bytes, n, true);

        DIE_UNLESS(used >= 0 && (size_t)used <= n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            line_heard(&line);
        bytes += used;
        n -= (size_t)used;
    } while (flags & NGHTTP2_HD_INFLATE_EMIT);
    DIE_UNLESS(n == 0 && (flags & NGHTTP2_HD_INFLATE_FINAL) && w.sent == w.count);
    DIE_UNLESS(nghttp2_hd_inflate_end_headers(w.inflater) == 0);
}

/* With all lines that were not sent yet. */
static void block_send(void)
{
    size_t room = HPACK_BEGIN_BYTES;
    char *block, *at;

    for (size_t i = w.sent; i < w.count; i++)
        room += HPACK_LINE_BYTES + w.lines[i].name.n + w.lines[i].value.n;
    block = memory_take(room);
    at = hpack_begin(&w.pack, block);
    DIE_UNLESS(at <= block + HPACK_BEGIN_BYTES);
    for (size_t i = w.sent; i < w.count; i++) {
        char *end = hpack_write(&w.pack, at, w.lines[i].name, w.lines[i].value);

        DIE_UNLESS(end <= at + HPACK_LINE_BYTES + w.lines[i].name.n + w.lines[i].value.n);
        at = end;
    }
    block_heard((const uint8_t *)block, (size_t)(at - block));
    DIE_UNLESS(w.pack.bytes == nghttp2_hd_inflate_get_dynamic_table_size(w.inflater));
    DIE_UNLESS(w.pack.count + STATIC_LINES == nghttp2_hd_inflate_get_num_table_entries(w.inflater));
    free(block);
}

static void limit_change(uint16_t most)
{
    uint32_t bytes = most == UINT16_MAX ? UINT32_MAX : most;

    if (w.sent < w.count)
        block_send();
    DIE_UNLESS(nghttp2_hd_inflate_change_table_size(w.inflater, bytes) == 0);
    hpack_limit(&w.pack, bytes);
}

static void obey(struct span *rest)
{
    uint8_t first = take_byte(rest), high;

    switch (first) {
    case ORDER_AGAIN:
        line_again(take_byte(rest));
        break;
    case ORDER_LIMIT:
        high = take_byte(rest);
        limit_change((uint16_t)(high << 8 | take_byte(rest)));
        break;
    case ORDER_END:
        block_send();
        break;
    default:
        line_take(rest, first);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = { (const char *)data, size };

    memset(&w, 0, sizeof w);
    hpack_init(&w.pack);
    DIE_UNLESS(nghttp2_hd_inflate_new(&w.inflater) == 0);
    while (rest.n > 0 && w.count < LINES_MOST)
        obey(&rest);
    block_send();
    for (size_t i = 0; i < w.count; i++)
        line_free(&w.lines[i]);
    nghttp2_hd_inflate_del(w.inflater);
    return 0;
}
