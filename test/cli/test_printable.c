#include "cli/printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define FFFD "\xEF\xBF\xBD"

static const struct {
    struct span text;
    size_t columns;
    const char *want;
} cases[] = {
    { SPAN_INIT(""), 10, "" },
    { SPAN_INIT("/a b"), 10, "/a b" },
    { SPAN_INIT("中文 é"), 10, "中文 é" },
    { SPAN_INIT("\x1B[31m\a"), 20, "\\x1B[31m\\x07" },
    { SPAN_INIT("a\r\nb\tc\0d\x7F"), 40, "a\\x0D\\x0Ab\\x09c\\x00d\\x7F" },
    { SPAN_INIT("\xC2\x9B\x33\x31m"), 20, FFFD "31m" },         /* CSI in one character */
    { SPAN_INIT("\x9B\xFF\xC0\xAF"), 20, FFFD FFFD FFFD FFFD }, /* no UTF-8 */
    { SPAN_INIT("\xED\xA0\x80"), 20, FFFD FFFD FFFD },          /* half of a pair */
    { SPAN_INIT("\xF4\x90\x80\x80"), 20, FFFD FFFD FFFD FFFD }, /* beyond the last */
    { SPAN_INIT("\xE4\xB8"), 20, FFFD FFFD },                   /* cut */
    { SPAN_INIT("\xE2\x80\xAEtxt.exe\xE2\x80\x8B\xEF\xBB\xBF"), 20,
      FFFD "txt.exe" FFFD FFFD },                                 /* direction, no width */
    { SPAN_INIT("\xE2\x80\xA8\xF3\xA0\x81\x81"), 20, FFFD FFFD }, /* line, tag */
    { SPAN_INIT("0123456789"), 10, "0123456789" },
    { SPAN_INIT("0123456789a"), 10, "012345678…" },
    { SPAN_INIT("中文中文中文"), 10, "中文中文…" },
    { SPAN_INIT("中文中文中"), 10, "中文中文中" },
    { SPAN_INIT("abcdefgh\x01"), 10, "abcdefgh…" },
    { SPAN_INIT("ab"), 1, "…" },
};

static void text_is_fit_for_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t room = 4 * cases[i].columns + 4;
        char *out = malloc(room);

        assert_non_null(out);
        assert_int_equal(printable(cases[i].text, cases[i].columns, out, room), strlen(cases[i].want));
        assert_string_equal(out, cases[i].want);
        free(out);
    }
}

/* Whatever the room, the text ends within it. */
static void little_room_is_enough_for_less(void **state)
{
    static const struct span text = SPAN_INIT("ab\x1B中\xE2\x80\xAE"
                                              "c");

    (void)state;
    for (size_t room = 1; room < 24; room++) {
        char *out = malloc(room);

        assert_non_null(out);
        assert_true(printable(text, 80, out, room) < room);
        assert_true(strlen(out) < room);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_fit_for_a_terminal),
        cmocka_unit_test(little_room_is_enough_for_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
