#include "res/gateway/transform.h"

#include <brotli/decode.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "exchange/wait.h"
#include "res/gateway/encoder.h"
#include "res/gateway/insert.h"

#define S(literal)                   \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static char first_block[1 << 16];
static struct exchange x;

/* A source that gives these pieces; an empty one is a pause, until it is passed over. */
struct script {
    struct body body;
    struct span pieces[64];
    uint32_t count, at;
    bool breaks; /* instead of its end */
    int stops;
};

static void nothing_to_cancel(void *with)
{
    (void)with;
}

static enum flow script_next(struct body *body, struct exchange *of, struct piece *out)
{
    struct script *s = (struct script *)body;

    if (s->at == s->count) {
        *out = piece_of((struct span){ 0 });
        return s->breaks ? exchange_break(of, R_upstream_response_incomplete, 0, HERE) : FLOW_GO;
    }
    if (s->pieces[s->at].n == 0)
        return exchange_wait(of, "script", nothing_to_cancel, s);
    *out = piece_of(s->pieces[s->at++]);
    return FLOW_GO;
}

static void script_stop(struct body *body)
{
    ((struct script *)body)->stops++;
}

static const struct body_ops script_ops = { .next = script_next, .stop = script_stop };

static int begin(void **state)
{
    (void)state;
    arena_init(&x.arena, first_block, sizeof first_block, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_reset(&x.arena);
    x = (struct exchange){ 0 };
    return 0;
}

/* --- Insertions --- */

static const struct {
    const char *what;
    struct span tag, content, whole;
} insertions[] = {
    { "before the tag", S("</body>"), S("<p>a</body></html>"), S("<p>a[+]</body></html>") },
    { "whatever the case", S("</BODY>"), S("a</bOdY>b"), S("a[+]</bOdY>b") },
    { "before the first only", S("<b>"), S("<b><b>"), S("[+]<b><b>") },
    { "at the end", S("<b>"), S("aa<b>"), S("aa[+]<b>") },
    { "no tag", S("</body>"), S("<p>a</bod></p>"), S("<p>a</bod></p>") },
    { "half a tag at the end", S("</body>"), S("a</bod"), S("a</bod") },
    { "what looks like it at first", S("</body>"), S("a</bo</body>"), S("a</bo[+]</body>") },
    { "begins again within itself", S("<<a>"), S("<<<a>"), S("<[+]<<a>") },
    { "half of it twice", S("<a<a<b>"), S("<a<a<a<b>"), S("<a[+]<a<a<b>") },
    { "many beginnings", S("<b>"), S("<<<<<<b"), S("<<<<<<b") },
    { "a NUL is no letter", S("<a>"), S("<a\0<A>"), S("<a\0[+]<A>") },
    { "not letters that differ by the same bit", S("</b>"),
      S("<\x0f"
        "b></b>"),
      S("<\x0f"
        "b>[+]</b>") },
};

static void takes(struct insert *i, char *out, size_t *n)
{
    struct span s;

    while (insert_take(i, &s)) {
        assert_true(s.n > 0);
        memcpy(out + *n, s.p, s.n);
        *n += s.n;
    }
}

/* Content of its own for each piece: what is given on later must not depend on it. */
static void feeds(struct insert *i, struct span piece, char *out, size_t *n)
{
    char *own = piece.n > 0 ? malloc(piece.n) : NULL;

    if (piece.n == 0)
        return;
    memcpy(own, piece.p, piece.n);
    insert_feed(i, (struct span){ own, piece.n });
    takes(i, out, n);
    free(own);
}

static void check_split(size_t row, size_t one, size_t two)
{
    struct span c = insertions[row].content, want = insertions[row].whole;
    struct insert i;
    char out[64];
    size_t n = 0;

    assert_true(insert_init(&i, &x.arena, insertions[row].tag, SPAN("[+]")));
    feeds(&i, (struct span){ c.p, one }, out, &n);
    feeds(&i, (struct span){ c.p + one, two - one }, out, &n);
    feeds(&i, span_from(c, two), out, &n);
    insert_end(&i);
    takes(&i, out, &n);
    if (!span_is((struct span){ out, n }, want))
        fail_msg("%s, cut at %zu and %zu: %.*s", insertions[row].what, one, two, (int)n, out);
    arena_reset(&x.arena);
}

static void insertions_wherever_content_is_cut(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof insertions / sizeof insertions[0]; row++)
        for (size_t two = 0; two <= insertions[row].content.n; two++)
            for (size_t one = 0; one <= two; one++)
                check_split(row, one, two);
}

static void insertions_byte_by_byte(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof insertions / sizeof insertions[0]; row++) {
        struct insert i;
        char out[64];
        size_t n = 0;

        assert_true(insert_init(&i, &x.arena, insertions[row].tag, SPAN("[+]")));
        for (size_t at = 0; at < insertions[row].content.n; at++)
            feeds(&i, (struct span){ insertions[row].content.p + at, 1 }, out, &n);
        insert_end(&i);
        takes(&i, out, &n);
        assert_true(span_is((struct span){ out, n }, insertions[row].whole));
    }
}

/* --- Plans --- */

#define HTML "Content-Type: text/html; charset=utf-8\r\n"
#define NONE CODING_IDENTITY

/* Of a route that inserts and compresses, for a client that takes gzip. */
static const struct {
    const char *what;
    int status;
    int64_t length;
    const char *request, *response;
    bool inserts, varies;
    enum coding coding;
} plans[] = {
    { "HTML", 200, 1000, "Accept-Encoding: gzip\r\n", HTML, true, true, CODING_GZIP },
    { "HTML of any length", 200, -1, "Accept-Encoding: gzip\r\n", HTML, true, true, CODING_GZIP },
    { "the best of several", 200, -1, "Accept-Encoding: gzip, zstd, br\r\n", HTML, true, true, CODING_BROTLI },
    { "as the client weighs", 200, -1, "Accept-Encoding: gzip;q=1, zstd;q=0.5\r\n", HTML, true, true, CODING_GZIP },
    { "two lines", 200, -1, "Accept-Encoding: x\r\nAccept-Encoding: zstd\r\n", HTML, true, true, CODING_ZSTD },
    { "any", 200, -1, "Accept-Encoding: *\r\n", HTML, true, true, CODING_BROTLI },
    { "none wished for", 200, -1, "", HTML, true, true, NONE },
    { "an empty wish", 200, -1, "Accept-Encoding:\r\n", HTML, true, true, NONE },
    { "identity wished for", 200, -1, "Accept-Encoding: identity\r\n", HTML, true, true, NONE },
    { "coding refused", 200, -1, "Accept-Encoding: gzip;q=0\r\n", HTML, true, true, NONE },
    { "short", 200, 255, "Accept-Encoding: gzip\r\n", HTML, true, false, NONE },
    { "just long enough", 200, 256, "Accept-Encoding: gzip\r\n", HTML, true, true, CODING_GZIP },
    { "empty", 200, 0, "Accept-Encoding: gzip\r\n", HTML, false, false, NONE },
    { "other text", 200, -1, "Accept-Encoding: gzip\r\n", "Content-Type: text/plain\r\n", false, true, CODING_GZIP },
    { "JSON", 200, -1, "Accept-Encoding: gzip\r\n", "Content-Type: application/json\r\n", false, true, CODING_GZIP },
    { "+xml", 200, -1, "Accept-Encoding: gzip\r\n", "Content-Type: a/b+xml ; c=d\r\n", false, true, CODING_GZIP },
    { "pictures", 200, -1, "Accept-Encoding: gzip\r\n", "Content-Type: image/png\r\n", false, false, NONE },
    { "events", 200, -1, "Accept-Encoding: gzip\r\n", "Content-Type: text/event-stream\r\n", false, false, NONE },
    { "no type", 200, -1, "Accept-Encoding: gzip\r\n", "", false, false, NONE },
    { "any case", 200, -1, "Accept-Encoding: GZIP\r\n", "Content-Type: TEXT/HTML\r\n", true, true, CODING_GZIP },
    { "text/html5", 200, 9, "", "Content-Type: text/html5\r\n", false, false, NONE },
    { "UTF-16", 200, 9, "", "Content-Type: text/html;a=b; Charset=\"UTF-16LE\"\r\n", false, false, NONE },
    { "UTF-32", 200, 9, "", "Content-Type: text/html; charset=utf-32\r\n", false, false, NONE },
    { "Latin", 200, 9, "", "Content-Type: text/html; charset=iso-8859-1\r\n", true, false, NONE },
    { "coded already", 200, -1, "Accept-Encoding: gzip\r\n", HTML "Content-Encoding: br\r\n", false, false, NONE },
    { "a part", 200, -1, "Accept-Encoding: gzip\r\n", HTML "Content-Range: bytes 0-1/2\r\n", false, false, NONE },
    { "not to be transformed", 200, -1, "Accept-Encoding: gzip\r\n", HTML "Cache-Control: a, No-Transform\r\n", false,
      false, NONE },
    { "a second line forbids", 200, -1, "", HTML "Cache-Control: a\r\nCache-Control: no-transform\r\n", false, false,
      NONE },
    { "the client forbids", 200, -1, "Accept-Encoding: gzip\r\nCache-Control: no-transform\r\n", HTML, false, false,
      NONE },
    { "only quoted", 200, 9, "", HTML "Cache-Control: x=\"a, no-transform\"\r\n", true, false, NONE },
    { "another 2xx", 201, -1, "Accept-Encoding: gzip\r\n", HTML, false, false, NONE },
    { "transformed already", 203, -1, "Accept-Encoding: gzip\r\n", HTML, false, false, NONE },
    { "a range", 206, -1, "Accept-Encoding: gzip\r\n", HTML, false, false, NONE },
    { "not modified", 304, -1, "Accept-Encoding: gzip\r\n", HTML, false, false, NONE },
    { "not found", 404, -1, "Accept-Encoding: gzip\r\n", HTML, false, false, NONE },
};

static const struct gateway_settings both = { .compresses = true, .insertion = { S("</body>"), S("[+]") } };
static const struct gateway_settings coding_only = { .compresses = true };
static const struct gateway_settings inserting_only = { .insertion = { S("</body>"), S("[+]") } };
static const struct gateway_settings neither;

static void lines_add(struct head *head, const char *text)
{
    for (const char *colon, *over; *text != '\0'; text = over + 2) {
        colon = strchr(text, ':');
        over = strstr(text, "\r\n");
        head_add(head, (struct span){ text, (size_t)(colon - text) },
                 span_trim((struct span){ colon + 1, (size_t)(over - colon - 1) }));
    }
}

static struct transform_plan planned(const struct gateway_settings *s, size_t row)
{
    static struct field request_lines[8], response_lines[8];
    struct response_head response = { .status = (uint16_t)plans[row].status };

    head_init(&x.req.head, request_lines);
    head_init(&response.head, response_lines);
    lines_add(&x.req.head, plans[row].request);
    lines_add(&response.head, plans[row].response);
    return transform_plan(&x, s, &response, plans[row].length);
}

static void plans_are_made(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof plans / sizeof plans[0]; row++) {
        struct transform_plan p = planned(&both, row), c = planned(&coding_only, row),
                              i = planned(&inserting_only, row), n = planned(&neither, row);

        if (p.inserts != plans[row].inserts || p.varies != plans[row].varies || p.coding != plans[row].coding)
            fail_msg("%s: inserts %d varies %d coding %d", plans[row].what, p.inserts, p.varies, p.coding);
        assert_true(!c.inserts && c.varies == p.varies && c.coding == p.coding);
        assert_true(i.inserts == p.inserts && !i.varies && i.coding == CODING_IDENTITY);
        assert_false(transform_changes(&n) || n.varies);
    }
}

/* --- Fields --- */

static void fields_are_made_to_fit(void **state)
{
    struct reply_field f[] = {
        { S("Content-Type"), S("text/html") },
        { S("etag"), S("\"a\"") },
        { S("Content-MD5"), S("x") },
        { S("Last-Modified"), S("y") },
        { S("Repr-Digest"), S("x") },
        { S("Content-Digest"), S("x") },
        { S("digest"), S("x") },
        { S("Accept-Ranges"), S("bytes") },
        { S("Vary"), S("Cookie") },
    };
    struct transform_plan plan = { .varies = true, .coding = CODING_GZIP };

    (void)state;
    assert_int_equal(transform_fields(&x, &plan, f, 9), 4);
    assert_true(span_is(f[0].name, SPAN("Content-Type")));
    assert_true(span_is(f[1].value, SPAN("W/\"a\"")));
    assert_true(span_is(f[2].name, SPAN("Last-Modified")));
    assert_true(span_is(f[3].value, SPAN("Cookie")));
    assert_int_equal(x.reply.count, 2);
    assert_true(span_is(x.reply_fields[0].name, SPAN("Vary")));
    assert_true(span_is(x.reply_fields[0].value, SPAN("Accept-Encoding")));
    assert_true(span_is(x.reply_fields[1].name, SPAN("Content-Encoding")));
    assert_true(span_is(x.reply_fields[1].value, SPAN("gzip")));
}

static void fields_of_what_does_not_change_stay(void **state)
{
    struct reply_field f[] = { { S("ETag"), S("\"a\"") }, { S("Accept-Ranges"), S("bytes") } };
    struct transform_plan plan = { .varies = true, .coding = CODING_IDENTITY };

    (void)state;
    assert_int_equal(transform_fields(&x, &plan, f, 2), 2);
    assert_true(span_is(f[0].value, SPAN("\"a\"")));
    assert_int_equal(x.reply.count, 1);
}

static void what_varies_already_is_not_told_again(void **state)
{
    static const char *const told[] = { "accept-encoding", "Cookie, Accept-Encoding", "*" };

    (void)state;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        struct reply_field f[] = { { S("Vary"), span_of(told[i]) }, { S("ETag"), S("W/\"a\"") } };
        struct transform_plan plan = { .inserts = true, .varies = true, .coding = CODING_IDENTITY };

        assert_int_equal(transform_fields(&x, &plan, f, 2), 2);
        assert_true(span_is(f[1].value, SPAN("W/\"a\"")));
        assert_int_equal(x.reply.count, 0);
    }
}

static void tags_of_304_are_those_that_were_asked_for(void **state)
{
    static const struct {
        const char *asked, *tag, *told;
    } rows[] = {
        { "If-None-Match: W/\"a\"\r\n", "\"a\"", "W/\"a\"" },
        { "If-None-Match: \"x\"\r\nIf-None-Match: W/\"a\"\r\n", "\"a\"", "W/\"a\"" },
        { "If-None-Match: \"a\"\r\n", "\"a\"", "\"a\"" },
        { "If-None-Match: W/\"a\", \"a\"\r\n", "\"a\"", "\"a\"" },
        { "If-None-Match: W/\"a\"\r\n", "W/\"a\"", "W/\"a\"" },
        { "If-None-Match: *\r\n", "\"a\"", "\"a\"" },
        { "", "\"a\"", "\"a\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply_field f[] = { { S("Date"), S("x") }, { S("ETag"), span_of(rows[i].tag) } };
        struct field lines[4];

        head_init(&x.req.head, lines);
        lines_add(&x.req.head, rows[i].asked);
        transform_tag(&x, f, 2);
        assert_true(span_is(f[1].value, span_of(rows[i].told)));
    }
}

/* --- Content --- */

/* What a reader has after so many bytes of a coding. */
static size_t decode(enum coding coding, struct span in, char *out, size_t room)
{
    z_stream z = {
        .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n, .next_out = (Bytef *)out, .avail_out = (uInt)room
    };

    if (coding == CODING_BROTLI) {
        BrotliDecoderState *d = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        const uint8_t *next_in = (const uint8_t *)in.p;
        uint8_t *next_out = (uint8_t *)out;
        size_t left_in = in.n, left_out = room;

        BrotliDecoderDecompressStream(d, &left_in, &next_in, &left_out, &next_out, NULL);
        BrotliDecoderDestroyInstance(d);
        return room - left_out;
    }
    if (coding == CODING_ZSTD) {
        ZSTD_DCtx *d = ZSTD_createDCtx();
        ZSTD_inBuffer from = { in.p, in.n, 0 };
        ZSTD_outBuffer to = { out, room, 0 };

        while (from.pos < from.size)
            assert_false(ZSTD_isError(ZSTD_decompressStream(d, &to, &from)));
        ZSTD_freeDCtx(d);
        return to.pos;
    }
    assert_int_equal(inflateInit2(&z, 15 + 32), Z_OK);
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return z.total_out;
}

static const struct transform_plan changes[] = {
    { .coding = CODING_BROTLI },
    { .coding = CODING_ZSTD },
    { .coding = CODING_GZIP },
    { .coding = CODING_DEFLATE },
    { .coding = CODING_IDENTITY, .inserts = true },
    { .coding = CODING_BROTLI, .inserts = true },
    { .coding = CODING_GZIP, .inserts = true },
};

/* All that comes until FLOW_WAIT or the end. */
static enum flow drain(struct body *b, char *out, size_t *n)
{
    for (;;) {
        struct piece p;
        enum flow f = b->ops->next(b, &x, &p);

        if (f != FLOW_GO || p.bytes.n == 0)
            return f;
        assert_null(x.wait.what);
        assert_true(p.fd < 0);
        memcpy(out + *n, p.bytes.p, p.bytes.n);
        *n += p.bytes.n;
    }
}

static size_t readable(const struct transform_plan *plan, struct span in, char *out, size_t room)
{
    if (plan->coding != CODING_IDENTITY)
        return decode(plan->coding, in, out, room);
    memcpy(out, in.p, in.n);
    return in.n;
}

/* At each pause all that came can be read, and nothing is said twice. */
static void pauses_flush(void **state)
{
    static const struct span first = S("<p>one</p>"), second = S("<p>two</p></body>");

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct script s = { .body = { &script_ops, -1 }, .pieces = { first, { 0 }, second, { 0 } }, .count = 4 };
        struct body *b = transform_make(&x, &changes[i], &both.insertion, &s.body);
        char coded[512], text[512];
        size_t n = 0, before;

        assert_int_equal(drain(b, coded, &n), FLOW_WAIT);
        assert_non_null(x.wait.what);
        exchange_cancel(&x);
        assert_int_equal(readable(&changes[i], (struct span){ coded, n }, text, sizeof text), first.n);
        assert_memory_equal(text, first.p, first.n);
        before = n;
        assert_int_equal(drain(b, coded, &n), FLOW_WAIT);
        assert_int_equal(n, before);
        exchange_cancel(&x);
        s.at++;
        assert_int_equal(drain(b, coded, &n), FLOW_WAIT);
        exchange_cancel(&x);
        s.at++;
        assert_int_equal(readable(&changes[i], (struct span){ coded, n }, text, sizeof text),
                         first.n + second.n + (changes[i].inserts ? 3 : 0));
        assert_int_equal(drain(b, coded, &n), FLOW_GO);
        b->ops->stop(b);
        assert_int_equal(s.stops, 1);
    }
}

static void fill(char *noise, size_t n)
{
    uint32_t state = 1;

    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        noise[i] = (char)("abcdefgh"[state >> 29]);
    }
}

enum { LENGTH = 300000 };

/* Pieces of any size, beyond what the room of one holds, with a pause after each. */
static void check_whole(const struct transform_plan *plan, const char *content, size_t size)
{
    static char coded[2 * LENGTH], text[2 * LENGTH];
    struct script s = { .body = { &script_ops, -1 } };
    struct body *b = transform_make(&x, plan, &both.insertion, &s.body);
    size_t n = 0;

    for (size_t at = 0; at < LENGTH; at += size, s.count += 2)
        s.pieces[s.count] = (struct span){ content + at, LENGTH - at < size ? LENGTH - at : size };
    for (size_t come = size; s.at < s.count; come += size, s.at++) {
        assert_int_equal(drain(b, coded, &n), FLOW_WAIT);
        exchange_cancel(&x);
        assert_int_equal(decode(plan->coding, (struct span){ coded, n }, text, sizeof text),
                         come < LENGTH ? come : LENGTH);
    }
    assert_int_equal(drain(b, coded, &n), FLOW_GO);
    assert_true(n < LENGTH);
    assert_int_equal(decode(plan->coding, (struct span){ coded, n }, text, sizeof text), LENGTH);
    assert_memory_equal(text, content, LENGTH);
    b->ops->stop(b);
}

static void content_comes_back_whole(void **state)
{
    static char content[LENGTH];
    static const size_t sizes[] = { 11000, 50000, 70000, LENGTH };

    (void)state;
    fill(content, LENGTH);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++)
            check_whole(&changes[i], content, sizes[j]);
}

/* What was cut off is never made whole. */
static void breaks_go_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct script s = { .body = { &script_ops, -1 }, .pieces = { S("<p></bo") }, .count = 1, .breaks = true };
        struct body *b = transform_make(&x, &changes[i], &both.insertion, &s.body);
        char out[512];
        size_t n = 0;

        assert_int_equal(drain(b, out, &n), FLOW_STOP);
        assert_int_equal(x.broken.why, R_upstream_response_incomplete);
        b->ops->stop(b);
        assert_int_equal(s.stops, 1);
    }
}

static void abandoned_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct script s = { .body = { &script_ops, -1 } };
        struct body *b = transform_make(&x, &changes[i], &both.insertion, &s.body);

        b->ops->stop(b);
        assert_int_equal(s.stops, 1);
    }
}

static void without_memory(void **state)
{
    struct script s = { .body = { &script_ops, -1 } };
    struct exchange poor = { 0 };

    (void)state;
    arena_init(&poor.arena, NULL, 0, 0);
    assert_null(transform_make(&poor, &changes[6], &both.insertion, &s.body));
    assert_int_equal(s.stops, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(insertions_wherever_content_is_cut),
        TEST(insertions_byte_by_byte),
        TEST(plans_are_made),
        TEST(fields_are_made_to_fit),
        TEST(fields_of_what_does_not_change_stay),
        TEST(what_varies_already_is_not_told_again),
        TEST(tags_of_304_are_those_that_were_asked_for),
        TEST(pauses_flush),
        TEST(content_comes_back_whole),
        TEST(breaks_go_on),
        TEST(abandoned_at_once),
        TEST(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
