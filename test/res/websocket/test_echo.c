#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake.h"

#define MESSAGE_BYTES 300
#define MEMORY        65536

/* A mask of zeros leaves the payload readable. */
#define MASK         "\0\0\0\0"
#define TEN          "0123456789"
#define HUNDRED      TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

#define CLOSED(code) SPAN_INIT("\x88\x02" code)
#define WRONG        CLOSED("\x03\xea") /* 1002 */
#define NO_TEXT      CLOSED("\x03\xef") /* 1007 */
#define TOO_LONG     CLOSED("\x03\xf1") /* 1009 */

/* Why the server closes of its own accord: told by the code that it sends. */
static enum reason reason_expected(struct span server)
{
    static const struct {
        struct span close;
        enum reason why;
    } known[] = { { WRONG, R_websocket_protocol_error },
                  { NO_TEXT, R_websocket_text_invalid },
                  { TOO_LONG, R_websocket_message_too_large },
                  { SPAN_INIT("\x88\x06\x03\xe9idle"), R_websocket_idle } };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (server.n >= known[i].close.n && span_is(span_from(server, server.n - known[i].close.n), known[i].close))
            return known[i].why;
    return R_NONE;
}

struct echo_case {
    const char *name;
    struct span client, server;
};

static const struct echo_case cases[] = {
    { "nothing", SPAN_INIT(""), SPAN_INIT("") },

    /* messages */
    { "masked text, RFC6455:5.7", SPAN_INIT("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
      SPAN_INIT("\x81\x05Hello") },
    { "masked longer than the mask",
      SPAN_INIT("\x82\x89\x01\x02\x03\x04"
                "\x01\x02\x03\x04\x01\x02\x03\x04\x01"),
      SPAN_INIT("\x82\x09\0\0\0\0\0\0\0\0\0") },
    { "text of no bytes", SPAN_INIT("\x81\x80" MASK), SPAN_INIT("\x81\x00") },
    { "binary of no bytes", SPAN_INIT("\x82\x80" MASK), SPAN_INIT("\x82\x00") },
    { "binary need not be text", SPAN_INIT("\x82\x83" MASK "\xff\0\xfe"), SPAN_INIT("\x82\x03\xff\0\xfe") },
    { "text of four bytes a letter", SPAN_INIT("\x81\x84" MASK "\xf0\x9f\x98\x80"),
      SPAN_INIT("\x81\x04\xf0\x9f\x98\x80") },
    { "several, in their order",
      SPAN_INIT("\x81\x81" MASK "a"
                "\x89\x81" MASK "p"
                "\x82\x81" MASK "b"
                "\x81\x80" MASK),
      SPAN_INIT("\x81\x01"
                "a\x8a\x01p\x82\x01"
                "b\x81\x00") },
    { "125 bytes", SPAN_INIT("\x82\xfd" MASK HUNDRED TEN TEN "01234"), SPAN_INIT("\x82\x7d" HUNDRED TEN TEN "01234") },
    { "126 bytes", SPAN_INIT("\x82\xfe\x00\x7e" MASK HUNDRED TEN TEN "012345"),
      SPAN_INIT("\x82\x7e\x00\x7e" HUNDRED TEN TEN "012345") },
    { "as long as may be", SPAN_INIT("\x81\xfe\x01\x2c" MASK HUNDRED HUNDRED HUNDRED),
      SPAN_INIT("\x81\x7e\x01\x2c" HUNDRED HUNDRED HUNDRED) },

    /* fragments */
    { "fragments with a ping between",
      SPAN_INIT("\x01\x83" MASK "Hel"
                "\x89\x82" MASK "hi"
                "\x80\x82" MASK "lo"),
      SPAN_INIT("\x8a\x02hi\x81\x05Hello") },
    { "a letter over two fragments",
      SPAN_INIT("\x01\x81" MASK "\xc3"
                "\x89\x80" MASK "\x80\x81" MASK "\xa9"),
      SPAN_INIT("\x8a\x00\x81\x02\xc3\xa9") },
    { "fragments of no bytes",
      SPAN_INIT("\x02\x80" MASK "\x00\x80" MASK "\x00\x81" MASK "x"
                "\x80\x80" MASK),
      SPAN_INIT("\x82\x01x") },
    { "fragments of nothing at all", SPAN_INIT("\x01\x80" MASK "\x80\x80" MASK), SPAN_INIT("\x81\x00") },
    { "a second message is no part of the first",
      SPAN_INIT("\x01\x81" MASK "a"
                "\x80\x81" MASK "b"
                "\x01\x81" MASK "c"
                "\x80\x81" MASK "d"),
      SPAN_INIT("\x81\x02"
                "ab\x81\x02"
                "cd") },
    { "fragments as long as may be", SPAN_INIT("\x01\xfe\x00\xc8" MASK HUNDRED HUNDRED "\x80\xe4" MASK HUNDRED),
      SPAN_INIT("\x81\x7e\x01\x2c" HUNDRED HUNDRED HUNDRED) },
    { "a message within a message", SPAN_INIT("\x01\x81" MASK "a\x81\x81" MASK "b"), WRONG },
    { "nothing to continue", SPAN_INIT("\x80\x81" MASK "a"), WRONG },
    { "nothing to continue after the last fragment", SPAN_INIT("\x01\x80" MASK "\x80\x80" MASK "\x80\x80" MASK),
      SPAN_INIT("\x81\x00\x88\x02\x03\xea") },

    /* control frames */
    { "a pong asks for nothing", SPAN_INIT("\x8a\x82" MASK "hi\x81\x81" MASK "a"),
      SPAN_INIT("\x81\x01"
                "a") },
    { "as long a ping as may be", SPAN_INIT("\x89\xfd" MASK HUNDRED TEN TEN "01234"),
      SPAN_INIT("\x8a\x7d" HUNDRED TEN TEN "01234") },
    { "a long ping amid a long message",
      SPAN_INIT("\x01\xfe\x01\x2c" MASK HUNDRED HUNDRED HUNDRED "\x89\xfd" MASK HUNDRED TEN TEN "01234"
                "\x80\x80" MASK),
      SPAN_INIT("\x8a\x7d" HUNDRED TEN TEN "01234"
                "\x81\x7e\x01\x2c" HUNDRED HUNDRED HUNDRED) },
    { "a ping too long", SPAN_INIT("\x89\xfe\x00\x7e" MASK HUNDRED TEN TEN "012345"), WRONG },
    { "its first two bytes are enough", SPAN_INIT("\x89\xfe"), WRONG },
    { "a ping in fragments", SPAN_INIT("\x09\x81" MASK "a"), WRONG },
    { "a close in fragments", SPAN_INIT("\x08\x82" MASK "\x03\xe8"), WRONG },

    /* frames that are none */
    { "bad opcode 3", SPAN_INIT("\x83\x81" MASK "a"), WRONG },
    { "bad opcode 7, no payload", SPAN_INIT("\x87\x80" MASK), WRONG },
    { "bad opcode 11", SPAN_INIT("\x8b\x80" MASK), WRONG },
    { "bad opcode 15, with payload", SPAN_INIT("\x8f\x81" MASK "a"), WRONG },
    { "bad opcode within a message", SPAN_INIT("\x01\x81" MASK "a\x83\x80" MASK), WRONG },
    { "unmasked text",
      SPAN_INIT("\x81\x01"
                "a"),
      WRONG },
    { "unmasked close", SPAN_INIT("\x88\x02\x03\xe8"), WRONG },
    { "unmasked ping of nothing", SPAN_INIT("\x89\x00"), WRONG },
    { "reserved bit 1", SPAN_INIT("\xc1\x81" MASK "a"), WRONG },
    { "reserved bit 2", SPAN_INIT("\xa1\x81" MASK "a"), WRONG },
    { "reserved bit 3", SPAN_INIT("\x91\x81" MASK "a"), WRONG },
    { "reserved bit of a ping", SPAN_INIT("\xc9\x80" MASK), WRONG },
    { "length of two bytes for one", SPAN_INIT("\x82\xfe\x00\x7d" MASK HUNDRED), WRONG },
    { "length of eight bytes for two", SPAN_INIT("\x82\xff\0\0\0\0\0\0\xff\xff" MASK "a"), WRONG },
    { "length with the highest bit", SPAN_INIT("\x82\xff\x80\0\0\0\0\0\0\0" MASK "a"), WRONG },
    { "what was good is answered first", SPAN_INIT("\x81\x81" MASK "a\x83\x80" MASK "\x81\x81" MASK "b"),
      SPAN_INIT("\x81\x01"
                "a\x88\x02\x03\xea") },

    /* text that is none. RFC6455:8.1 */
    { "a byte alone", SPAN_INIT("\x81\x81" MASK "\xff"), NO_TEXT },
    { "a letter cut off", SPAN_INIT("\x81\x81" MASK "\xc3"), NO_TEXT },
    { "a surrogate", SPAN_INIT("\x81\x83" MASK "\xed\xa0\x80"), NO_TEXT },
    { "longer than it must be", SPAN_INIT("\x81\x82" MASK "\xc0\xaf"), NO_TEXT },
    { "known before the message ends", SPAN_INIT("\x01\x81" MASK "\xff"), NO_TEXT },
    { "in the second fragment", SPAN_INIT("\x01\x81" MASK "\xc3\x80\x81" MASK "("), NO_TEXT },

    /* too long */
    { "one frame", SPAN_INIT("\x82\xfe\x01\x2d" MASK "a"), TOO_LONG },
    { "one frame, far", SPAN_INIT("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK "a"), TOO_LONG },
    { "two frames", SPAN_INIT("\x02\xfe\x01\x2c" MASK HUNDRED HUNDRED HUNDRED "\x80\x81" MASK "a"), TOO_LONG },
    { "and bad text besides", SPAN_INIT("\x81\xfe\x01\x2d" MASK "\xff"), TOO_LONG },

    /* closing */
    { "close with code", SPAN_INIT("\x88\x82" MASK "\x03\xe8"), CLOSED("\x03\xe8") },
    { "close without code", SPAN_INIT("\x88\x80" MASK), SPAN_INIT("\x88\x00") },
    { "close with half a code", SPAN_INIT("\x88\x81" MASK "\x03"), WRONG },
    { "close with a reason",
      SPAN_INIT("\x88\x85" MASK "\x03\xe9"
                "bye"),
      SPAN_INIT("\x88\x05\x03\xe9"
                "bye") },
    { "close with a reason that is UTF-8", SPAN_INIT("\x88\x86" MASK "\x03\xe9\xf0\x9f\x98\x80"),
      SPAN_INIT("\x88\x06\x03\xe9\xf0\x9f\x98\x80") },
    { "close with a reason that is not",
      SPAN_INIT("\x88\x86" MASK "\x03\xe8"
                "ab\xff\xff"),
      NO_TEXT },
    { "close with a reason cut off", SPAN_INIT("\x88\x83" MASK "\x03\xe8\xc3"), NO_TEXT },
    { "close with as long a reason as may be", SPAN_INIT("\x88\xfd" MASK "\x03\xe8" HUNDRED TEN TEN "012"),
      SPAN_INIT("\x88\x7d\x03\xe8" HUNDRED TEN TEN "012") },
    { "close 3000", SPAN_INIT("\x88\x82" MASK "\x0b\xb8"), CLOSED("\x0b\xb8") },
    { "close 4999", SPAN_INIT("\x88\x82" MASK "\x13\x87"), CLOSED("\x13\x87") },
    { "close 5000", SPAN_INIT("\x88\x82" MASK "\x13\x88"), WRONG },
    { "close 999", SPAN_INIT("\x88\x82" MASK "\x03\xe7"), WRONG },
    { "close 1004", SPAN_INIT("\x88\x82" MASK "\x03\xec"), WRONG },
    { "close 1005", SPAN_INIT("\x88\x82" MASK "\x03\xed"), WRONG },
    { "close 1006", SPAN_INIT("\x88\x82" MASK "\x03\xee"), WRONG },
    { "close 1015", SPAN_INIT("\x88\x82" MASK "\x03\xf7"), WRONG },
    { "close 0", SPAN_INIT("\x88\x82" MASK "\0\0"), WRONG },
    { "nothing is read after a close", SPAN_INIT("\x88\x82" MASK "\x03\xe8\x81\x81" MASK "a\x83"), CLOSED("\x03\xe8") },
    { "close amid fragments", SPAN_INIT("\x01\x81" MASK "a\x88\x80" MASK "\x80\x80" MASK), SPAN_INIT("\x88\x00") },
    { "close behind messages and pings", SPAN_INIT("\x81\x81" MASK "a\x89\x80" MASK "\x88\x82" MASK "\x03\xe8"),
      SPAN_INIT("\x81\x01"
                "a\x8a\x00\x88\x02\x03\xe8") },

    /* cut off */
    { "in the first two bytes", SPAN_INIT("\x81"), SPAN_INIT("") },
    { "in the length", SPAN_INIT("\x81\xfe\x01"), SPAN_INIT("") },
    { "in the mask", SPAN_INIT("\x81\x81\0\0"), SPAN_INIT("") },
    { "in the payload", SPAN_INIT("\x81\x81" MASK "x\x81\x85" MASK "Hell"), SPAN_INIT("\x81\x01x") },
    { "in a ping", SPAN_INIT("\x89\x82" MASK "h"), SPAN_INIT("") },
    { "between fragments", SPAN_INIT("\x01\x83" MASK "Hel"), SPAN_INIT("") },
};

/* How the client's bytes come. */
static const struct {
    size_t piece_bytes;
    bool waits;
} ways[] = { { SIZE_MAX, false }, { SIZE_MAX, true }, { 1, false }, { 1, true },
             { 2, false },        { 7, true },        { 64, false } };

static void fake_open(struct fake *f, struct span client, uint32_t message_bytes)
{
    fake_init(f, message_bytes, MEMORY);
    f->client = client;
    assert_int_equal(fake_produce(f), FLOW_GO);
}

static void assert_gave(const struct fake *f, struct span want, const char *name)
{
    bool same = span_is((struct span){ f->server, f->server_bytes }, want);

    if (!same)
        print_error("%s\n", name);
    assert_true(same);
}

static void each_stream_has_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            struct fake f;

            fake_open(&f, cases[i].client, MESSAGE_BYTES);
            f.piece_bytes = ways[w].piece_bytes;
            f.waits = ways[w].waits;
            fake_run(&f);
            assert_gave(&f, cases[i].server, cases[i].name);
            assert_int_equal(f.piece.bytes.n, 0);
            assert_int_equal(f.x.broken.why, reason_expected(cases[i].server));
            fake_over(&f);
        }
    }
}

/* A frame with this head and n bytes after it. */
static struct span frame_make(struct span head, size_t n)
{
    char *p = malloc(head.n + n);

    assert_non_null(p);
    memcpy(p, head.p, head.n);
    for (size_t i = 0; i < n; i++)
        p[head.n + i] = (char)i;
    return (struct span){ p, head.n + n };
}

static const struct {
    struct span client, server; /* heads */
    size_t n;
    bool answered;
} lengths[] = {
    { SPAN_INIT("\x82\xfe\xff\xff" MASK), SPAN_INIT("\x82\x7e\xff\xff"), 65535, true },
    { SPAN_INIT("\x82\xff\0\0\0\0\0\x01\0\0" MASK), SPAN_INIT("\x82\x7f\0\0\0\0\0\x01\0\0"), 65536, true },
    { SPAN_INIT("\x82\xff\0\0\0\0\0\x01\0\x01" MASK), TOO_LONG, 65537, false },
};

static void long_messages_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct span client = frame_make(lengths[i].client, lengths[i].n);
        struct span server = frame_make(lengths[i].server, lengths[i].answered ? lengths[i].n : 0);
        struct fake f;

        fake_open(&f, client, 65536);
        f.piece_bytes = 5000;
        fake_run(&f);
        assert_gave(&f, server, "long");
        fake_over(&f);
        free((char *)client.p);
        free((char *)server.p);
    }
}

/* One frame out for one in, and no new content as long as there is something to send. */
static void answers_are_given_one_by_one(void **state)
{
    static const struct span client = SPAN_INIT("\x89\x81" MASK "1\x81\x81" MASK "2\x89\x81" MASK "3");
    static const char *const want[] = { "\x8a\x01"
                                        "1",
                                        "\x81\x01"
                                        "2",
                                        "\x8a\x01"
                                        "3" };
    struct fake f;

    (void)state;
    fake_open(&f, client, MESSAGE_BYTES);
    f.asked = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fake_next(&f), FLOW_GO);
        assert_int_equal(f.piece.bytes.n, 3);
        assert_memory_equal(f.piece.bytes.p, want[i], 3);
        assert_int_equal(f.piece.fd, -1);
        assert_int_equal(f.asked, 1);
    }
    f.end = FAKE_WAITS;
    assert_int_equal(fake_next(&f), FLOW_WAIT);
    assert_int_equal(fake_next(&f), FLOW_WAIT);
    assert_int_equal(f.asked, 3);
    fake_over(&f);
}

static const struct echo_case idlers[] = {
    { "silent", SPAN_INIT(""), SPAN_INIT("\x88\x06\x03\xe9idle") },
    { "after a message", SPAN_INIT("\x81\x81" MASK "a"),
      SPAN_INIT("\x81\x01"
                "a\x88\x06\x03\xe9idle") },
    { "in a frame", SPAN_INIT("\x81\x85" MASK "Hel"), SPAN_INIT("\x88\x06\x03\xe9idle") },
    { "between fragments", SPAN_INIT("\x01\x83" MASK "Hel"), SPAN_INIT("\x88\x06\x03\xe9idle") },
    { "closed already", SPAN_INIT("\x88\x80" MASK), SPAN_INIT("\x88\x00") },
};

static void the_idle_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof idlers / sizeof idlers[0]; i++) {
        struct fake f;

        fake_open(&f, idlers[i].client, MESSAGE_BYTES);
        f.end = FAKE_IDLES;
        fake_run(&f);
        assert_gave(&f, idlers[i].server, idlers[i].name);
        assert_int_equal(f.x.broken.why, reason_expected(idlers[i].server));
        f.asked = 0;
        assert_int_equal(fake_next(&f), FLOW_GO);
        assert_int_equal(f.piece.bytes.n, 0);
        assert_int_equal(f.asked, 0);
        fake_over(&f);
    }
}

/* A code that the client sends is its own: it is given back, and nothing is broken. */
static void codes_of_the_client_are_no_reasons(void **state)
{
    static const struct span clients[] = { SPAN_INIT("\x88\x82" MASK "\x03\xe9"), SPAN_INIT("\x88\x82" MASK "\x03\xea"),
                                           SPAN_INIT("\x88\x82" MASK "\x03\xef"),
                                           SPAN_INIT("\x88\x82" MASK "\x03\xf1") };

    (void)state;
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        struct fake f;

        fake_open(&f, clients[i], MESSAGE_BYTES);
        fake_run(&f);
        assert_int_equal(f.server_bytes, 4);
        assert_memory_equal(f.server + 2, span_from(clients[i], 6).p, 2);
        assert_int_equal(f.x.broken.why, R_NONE);
        fake_over(&f);
    }
}

/* Whatever is held goes with the body, whenever that is. */
static void leaving_at_any_time_frees_all(void **state)
{
    static const struct span client =
        SPAN_INIT("\x89\x81" MASK "1\x01\x81" MASK "2\x89\x80" MASK "\x80\x81" MASK "3\x02\x82" MASK "4");

    (void)state;
    for (unsigned pieces = 0; pieces < 4; pieces++) {
        struct fake f;

        fake_open(&f, client, MESSAGE_BYTES);
        for (unsigned i = 0; i < pieces; i++)
            assert_int_equal(fake_next(&f), FLOW_GO);
        f.end = FAKE_WAITS;
        if (pieces == 3)
            assert_int_equal(fake_next(&f), FLOW_WAIT);
        fake_over(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stream_has_its_answer),    cmocka_unit_test(long_messages_come_back),
        cmocka_unit_test(answers_are_given_one_by_one),  cmocka_unit_test(the_idle_are_told),
        cmocka_unit_test(leaving_at_any_time_frees_all), cmocka_unit_test(codes_of_the_client_are_no_reasons),
    };

    return cmocka_run_group_tests_name("echo", tests, NULL, NULL);
}
