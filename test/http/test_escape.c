#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/escape.h"

#define FFFD "\xEF\xBF\xBD"

typedef size_t (*escape_fn)(struct span in, char *out, size_t room);

struct escape_case {
    struct span in;
    const char *markup, *json, *log;
};

static const struct escape_case cases[] = {
    { SPAN_INIT(""), "", "", "" },
    { SPAN_INIT("plain text/1.0 (x)"), "plain text/1.0 (x)", "plain text/1.0 (x)", "plain text/1.0 (x)" },
    { SPAN_INIT("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;", "<a href=\\\"x\\\">&'",
      "<a href=\\x22x\\x22>&'" },
    { SPAN_INIT("C:\\"), "C:\\", "C:\\\\", "C:\\x5C" },
    { SPAN_INIT("a\tb\nc\rd"), "a\tb\nc&#13;d", "a\\u0009b\\u000Ac\\u000Dd", "a\\x09b\\x0Ac\\x0Dd" },
    { SPAN_INIT("\0\x01\x1f\x7f"), FFFD FFFD FFFD "\x7f", "\\u0000\\u0001\\u001F\x7f", "\\x00\\x01\\x1F\\x7F" },
    /* UTF-8 of two, three, four bytes, and the largest of each */
    { SPAN_INIT("\xc3\xa9"), "\xc3\xa9", "\xc3\xa9", "\\xC3\\xA9" },
    { SPAN_INIT("\xc2\x80\xdf\xbf"), "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf", "\\xC2\\x80\\xDF\\xBF" },
    { SPAN_INIT("\xe7\xb9\x81"), "\xe7\xb9\x81", "\xe7\xb9\x81", "\\xE7\\xB9\\x81" },
    { SPAN_INIT("\xe0\xa0\x80\xed\x9f\xbf"), "\xe0\xa0\x80\xed\x9f\xbf", "\xe0\xa0\x80\xed\x9f\xbf",
      "\\xE0\\xA0\\x80\\xED\\x9F\\xBF" },
    { SPAN_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
      "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\\xF0\\x90\\x80\\x80\\xF4\\x8F\\xBF\\xBF" },
    { SPAN_INIT("\xef\xbf\xbe\xef\xbf\xbf"), FFFD FFFD, "\xef\xbf\xbe\xef\xbf\xbf", "\\xEF\\xBF\\xBE\\xEF\\xBF\\xBF" },
    /* no UTF-8: stray follower, overlong, surrogate, too large, cut off */
    { SPAN_INIT("\x80x"), FFFD "x", FFFD "x", "\\x80x" },
    { SPAN_INIT("\xc0\xaf"), FFFD FFFD, FFFD FFFD, "\\xC0\\xAF" },
    { SPAN_INIT("\xc1\xbf"), FFFD FFFD, FFFD FFFD, "\\xC1\\xBF" },
    { SPAN_INIT("\xe0\x9f\xbf"), FFFD FFFD FFFD, FFFD FFFD FFFD, "\\xE0\\x9F\\xBF" },
    { SPAN_INIT("\xed\xa0\x80"), FFFD FFFD FFFD, FFFD FFFD FFFD, "\\xED\\xA0\\x80" },
    { SPAN_INIT("\xf0\x8f\xbf\xbf"), FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD, "\\xF0\\x8F\\xBF\\xBF" },
    { SPAN_INIT("\xf4\x90\x80\x80"), FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD, "\\xF4\\x90\\x80\\x80" },
    { SPAN_INIT("\xf5\xff"), FFFD FFFD, FFFD FFFD, "\\xF5\\xFF" },
    { SPAN_INIT("\xc3<"), FFFD "&lt;", FFFD "<", "\\xC3<" },
    { SPAN_INIT("\xe7\xb9\""), FFFD FFFD "&quot;", FFFD FFFD "\\\"", "\\xE7\\xB9\\x22" },
    { SPAN_INIT("x\xc3"), "x" FFFD, "x" FFFD, "x\\xC3" },
    { SPAN_INIT("x\xe7\xb9"), "x" FFFD FFFD, "x" FFFD FFFD, "x\\xE7\\xB9" },
    { SPAN_INIT("x\xf0\x90\x80"), "x" FFFD FFFD FFFD, "x" FFFD FFFD FFFD, "x\\xF0\\x90\\x80" },
};

/* The whole result, and each shorter room: a prefix of it, and not a byte more. */
static void check(escape_fn escape, struct span in, const char *want)
{
    char out[256];
    size_t need = strlen(want);
    struct span input = guarded(in);

    assert_int_equal(escape(input, NULL, 0), need);
    assert_true(need <= in.n * ESCAPE_GROWTH);
    for (size_t room = 0; room <= need; room++) {
        memset(out, '#', sizeof out);
        assert_int_equal(escape(input, out, room), need);
        assert_memory_equal(out, want, room);
        assert_int_equal(out[room], '#');
    }
}

static void each_escape_gives_its_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(escape_markup, cases[i].in, cases[i].markup);
        check(escape_json, cases[i].in, cases[i].json);
        check(escape_log, cases[i].in, cases[i].log);
    }
}

/* Where escape_json() has nothing to escape, the two are the same. */
static void what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strchr(cases[i].json, '\\') == NULL)
            check(escape_utf8, cases[i].in, cases[i].json);
    check(escape_utf8, SPAN("a\t\"\\\x1f\x7f\xff<"), "a\t\"\\\x1f\x7f" FFFD "<");
}

static void growth_is_bounded_for_every_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        struct span in = { &byte, 1 };

        assert_in_range(escape_markup(in, NULL, 0), 1, ESCAPE_GROWTH);
        assert_in_range(escape_json(in, NULL, 0), 1, ESCAPE_GROWTH);
        assert_in_range(escape_log(in, NULL, 0), 1, ESCAPE_GROWTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_escape_gives_its_text),
        cmocka_unit_test(what_is_no_utf8_is_replaced),
        cmocka_unit_test(growth_is_bounded_for_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
