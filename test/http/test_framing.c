#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/framing.h"
#include "parsed.h"

#define L "PUT / HTTP/1.1\r\n" /* 16 bytes */

struct good {
    struct span message;
    enum framing_kind kind;
    uint64_t length;
};

static const struct good goods[] = {
    { SPAN_INIT(L "\r\n"), FRAMING_NONE, 0 },
    { SPAN_INIT(L "Content-Length: 0\r\n\r\n"), FRAMING_LENGTH, 0 },
    { SPAN_INIT(L "content-length:\t007 \r\n\r\n"), FRAMING_LENGTH, 7 },
    { SPAN_INIT(L "Content-Length: 9223372036854775807\r\n\r\n"), FRAMING_LENGTH, INT64_MAX },
    { SPAN_INIT("PUT / HTTP/1.0\r\nContent-Length: 5\r\n\r\n"), FRAMING_LENGTH, 5 },
    { SPAN_INIT(L "Transfer-Encoding: chunked\r\n\r\n"), FRAMING_CHUNKED, 0 },
    { SPAN_INIT(L "transfer-encoding:CHUNKED \r\n\r\n"), FRAMING_CHUNKED, 0 },
};

static void good_framing_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        struct head h = parsed(goods[i].message);
        struct framing got = { FRAMING_CHUNKED, 99 };
        struct verdict v = { 0 };

        assert_int_equal(framing_choose(&h, &got, &v), R_NONE);
        assert_int_equal(got.kind, goods[i].kind);
        assert_int_equal(got.length, goods[i].length);
    }
}

struct refusal {
    struct span message;
    enum reason why;
    uint32_t at;
    const char *operand;
};

static const struct refusal refusals[] = {
    /* RFC9112:6.3, item 5 */
    { SPAN_INIT(L "Content-Length: +5\r\n\r\n"), R_content_length_invalid, 32, "Content-Length" },
    { SPAN_INIT(L "Content-Length: -1\r\n\r\n"), R_content_length_invalid, 32, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 0x5\r\n\r\n"), R_content_length_invalid, 33, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 5 5\r\n\r\n"), R_content_length_invalid, 33, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 5.0\r\n\r\n"), R_content_length_invalid, 33, "Content-Length" },
    { SPAN_INIT(L "Content-Length:\r\n\r\n"), R_content_length_invalid, 31, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 9223372036854775808\r\n\r\n"), R_content_length_invalid, 50, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 18446744073709551616\r\n\r\n"), R_content_length_invalid, 51, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 5, 5\r\n\r\n"), R_content_length_invalid, 35, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 5,\r\n\r\n"), R_content_length_invalid, 34, "Content-Length" },
    { SPAN_INIT(L "Content-Length: ,5\r\n\r\n"), R_content_length_invalid, 32, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 5\r\ncontent-length: 5\r\n\r\n"), R_content_length_invalid, 51, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 5\r\ncontent-length: x\r\n\r\n"), R_content_length_invalid, 51, "content-length" },
    { SPAN_INIT(L "Content-Length: 5, 6\r\n\r\n"), R_content_length_conflict, 35, "Content-Length" },
    { SPAN_INIT(L "Content-Length: 1\r\ncontent-length: 2\r\n\r\n"), R_content_length_conflict, 51, "content-length" },
    { SPAN_INIT(L "Content-Length: 5, 5\r\ncontent-length: 6\r\n\r\n"), R_content_length_conflict, 54,
      "content-length" },
    /* RFC9112:6.3, items 3 and 4, RFC9112:6.1 */
    { SPAN_INIT(L "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), R_ambiguous_framing, 35,
      "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), R_ambiguous_framing, 44,
      "Content-Length" },
    { SPAN_INIT(L "Transfer-Encoding: x\r\nContent-Length: x\r\n\r\n"), R_ambiguous_framing, 38, "Content-Length" },
    { SPAN_INIT("PUT / HTTP/1.0\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"), R_transfer_encoding_in_http10, 22,
      "Transfer-Encoding" },
    { SPAN_INIT("PUT / HTTP/0.9\r\nTransfer-Encoding: chunked\r\n\r\n"), R_transfer_encoding_in_http10, 16,
      "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: gzip\r\n\r\n"), R_transfer_coding_unknown, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: identity\r\n\r\n"), R_transfer_coding_unknown, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding:\r\n\r\n"), R_chunked_not_last, 34, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: xchunked\r\n\r\n"), R_transfer_coding_unknown, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: chunked;a=b\r\n\r\n"), R_chunked_not_last, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: \"chunked\"\r\n\r\n"), R_chunked_not_last, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: chunked chunked\r\n\r\n"), R_chunked_not_last, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: chunked, gzip\r\n\r\n"), R_chunked_not_last, 44, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: chunked, chunked\r\n\r\n"), R_chunked_not_last, 44, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: chunked,\r\n\r\n"), R_chunked_not_last, 43, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), R_chunked_not_last, 63,
      "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: gzip, deflate\r\n\r\n"), R_transfer_coding_unknown, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: foo;a=b\r\n\r\n"), R_transfer_coding_unknown, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: foo, chunked, foo\r\n\r\n"), R_chunked_not_last, 49, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: gzip, chunked\r\n\r\n"), R_transfer_coding_unknown, 35, "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"), R_transfer_coding_unknown, 35,
      "Transfer-Encoding" },
    { SPAN_INIT(L "Transfer-Encoding: , chunked\r\n\r\n"), R_transfer_coding_unknown, 35, "Transfer-Encoding" },
};

static void doubtful_framing_is_refused_in_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        struct head h = parsed(r->message);
        struct framing got = { FRAMING_NONE, 99 };
        struct verdict v = { 0 };
        enum reason why = framing_choose(&h, &got, &v);

        if (why != r->why || v.why != why || v.at != r->at || !span_is(v.operand, span_of(r->operand)))
            fail_msg("row %zu, %s: %s at %u", i, r->message.p, why > R_MORE ? reason_info(why)->name : "none", v.at);
        assert_int_equal(got.length, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_framing_is_taken),
        cmocka_unit_test(doubtful_framing_is_refused_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
