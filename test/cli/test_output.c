#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <pty.h>

static char *text;
static size_t bytes;

static void begin(struct output *o)
{
    *o = (struct output){ .file = open_memstream(&text, &bytes) };
    assert_non_null(o->file);
}

static void expect(struct output *o, const char *want)
{
    assert_int_equal(fclose(o->file), 0);
    assert_string_equal(text, want);
    free(text);
}

static void width_counts_columns(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {
        { "", 0 },       { "abc", 3 },  { "é…–", 3 }, { "中文", 4 },
        { "（。）", 6 }, { "a中b", 4 }, { "𠀀", 2 },  { "\xE4\xB8", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(output_width(span_of(cases[i].text)), cases[i].columns);
}

static void rows_wrap_below_themselves(void **state)
{
    struct output o;

    (void)state;
    begin(&o);
    output_row(&o, "Label", "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg");
    output_row(&o, "None", "");
    expect(&o, "  Label           aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff\n"
               "                  ggggggggg\n");
}

static void chinese_wraps_between_characters(void **state)
{
    struct output o;

    (void)state;
    begin(&o);
    output_paragraph(&o, 60, "一二三四五六七八九十，一二三");
    expect(&o, "                                                            一二三四五六七八九\n"
               "                                                            十，一二三\n");
}

static void words_among_chinese_stay_whole(void **state)
{
    struct output o;

    (void)state;
    begin(&o);
    output_paragraph(&o, 60, "一二三四五六七（scheme）八八八八（九");
    expect(&o, "                                                            一二三四五六七\n"
               "                                                            （scheme）八八八八\n"
               "                                                            （九\n");
}

static void a_word_longer_than_the_line_stays_whole(void **state)
{
    struct output o;

    (void)state;
    begin(&o);
    output_paragraph(&o, 74, "a longer-than-six b");
    expect(&o, "                                                                          a\n"
               "                                                                          longer-than-six\n"
               "                                                                          b\n");
}

static void headings_have_an_aside(void **state)
{
    struct output o;

    (void)state;
    begin(&o);
    output_heading(&o, "404 Not Found", "ietf");
    output_heading(&o, "Next", "");
    expect(&o, "404 Not Found                                                               ietf\n\nNext\n");
}

static void a_terminal_alone_gets_colour(void **state)
{
    struct output o;
    FILE *file = tmpfile(), *terminal;
    int master, slave;

    (void)state;
    assert_non_null(file);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    terminal = fdopen(slave, "w");
    assert_non_null(terminal);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    output_init(&o, file);
    assert_false(o.colour);
    output_init(&o, terminal);
    assert_true(o.colour);
    setenv("NO_COLOR", "1", 1);
    output_init(&o, terminal);
    assert_false(o.colour);
    setenv("NO_COLOR", "", 1);
    setenv("TERM", "dumb", 1);
    output_init(&o, terminal);
    assert_false(o.colour);
    fclose(file);
    fclose(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_counts_columns),
        cmocka_unit_test(rows_wrap_below_themselves),
        cmocka_unit_test(chinese_wraps_between_characters),
        cmocka_unit_test(words_among_chinese_stay_whole),
        cmocka_unit_test(a_word_longer_than_the_line_stays_whole),
        cmocka_unit_test(headings_have_an_aside),
        cmocka_unit_test(a_terminal_alone_gets_colour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
