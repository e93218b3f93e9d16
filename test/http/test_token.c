#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/token.h"

static bool is_one_of(int c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define UNRESERVED LETTERS "0123456789-._~"
#define SUB_DELIMS "!$&'()*+,;="

static unsigned expected(int c)
{
    unsigned classes = 0;

    if (is_one_of(c, LETTERS "0123456789!#$%&'*+-.^_`|~")) /* RFC9110:5.6.2 */
        classes |= TOKEN_NAME;
    if (c == '\t' || (c >= ' ' && c != 0x7f)) /* RFC9110:5.5 */
        classes |= TOKEN_VALUE;
    if (c > ' ' && c < 0x7f)
        classes |= TOKEN_VISIBLE;
    if (is_one_of(c, UNRESERVED SUB_DELIMS ":/?[]@^`{|}")) /* RFC3986:2.2, and browsers */
        classes |= TOKEN_URI;
    if (is_one_of(c, "0123456789abcdefABCDEF"))
        classes |= TOKEN_HEX;
    if (is_one_of(c, "0123456789"))
        classes |= TOKEN_DIGIT;
    if (is_one_of(c, UNRESERVED SUB_DELIMS)) /* RFC3986:3.2.2 */
        classes |= TOKEN_HOST;
    if (is_one_of(c, UNRESERVED SUB_DELIMS ":@/")) /* RFC3986:3.3 */
        classes |= TOKEN_PATH;
    return classes;
}

static void the_table_is_that_of_the_grammars(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++)
        assert_int_equal(token_classes[c], expected(c));
}

static void a_run_ends_at_the_first_other_byte(void **state)
{
    char text[] = "aaaaaaaaaa";

    (void)state;
    for (size_t n = 0; n <= 10; n++)
        assert_int_equal(token_span(guarded((struct span){ text, n }), TOKEN_NAME), n);
    for (size_t at = 0; at < 10; at++) {
        text[at] = ' ';
        assert_int_equal(token_span(guarded(span_of(text)), TOKEN_NAME), at);
        text[at] = 'a';
    }
}

/* What the table says: looked at byte by byte. */
static size_t run_by_table(struct span s, enum token_class class)
{
    size_t i = 0;

    while (i < s.n && token_is(s.p[i], class))
        i++;
    return i;
}

/* All members of the class in turn, from the `first` on. */
static void fill(char *text, size_t n, enum token_class class, unsigned first)
{
    for (size_t i = 0; i < n; first++)
        if (token_is((char)first, class))
            text[i++] = (char)first;
}

/* Every byte at every place among others of the class, at every distance from the end: whole blocks and parts. */
static void runs_are_those_of_the_table(void **state)
{
    char blank[40] = { 0 };

    (void)state;
    for (size_t n = 1; n <= sizeof blank; n++) {
        struct span s = guarded((struct span){ blank, n });
        char *text = (char *)s.p;

        for (unsigned class = 1; class < 256; class *= 2)
            for (unsigned c = 0; c < 256; c++) {
                fill(text, n, (enum token_class) class, c);
                for (size_t at = 0; at < n; at++) {
                    char kept = text[at];

                    text[at] = (char)c;
                    if (token_span(s, (enum token_class) class) != run_by_table(s, (enum token_class) class))
                        fail_msg("class %u, byte %02x at %zu of %zu", class, c, at, n);
                    text[at] = kept;
                }
            }
    }
}

struct escaped_case {
    const char *text;
    size_t end;
};

static const struct escaped_case escaped_cases[] = {
    { "", 0 },     { "a%41b", 5 }, { "%aF", 3 }, { "%", 0 },     { "a%4", 1 },
    { "a%4g", 1 }, { "%g4", 0 },   { "a b", 1 }, { "%41%4", 3 }, { "%%41", 0 },
};

static void escapes_need_two_digits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof escaped_cases / sizeof escaped_cases[0]; i++)
        assert_int_equal(token_span_escaped(guarded(span_of(escaped_cases[i].text)), TOKEN_HOST), escaped_cases[i].end);
}

static void hexadecimal_digits_have_values(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(token_hex("0123456789abcdef"[i]), i);
        assert_int_equal(token_hex("0123456789ABCDEF"[i]), i);
    }
}

struct list_case {
    const char *list;
    const char *elements[4];
};

static const struct list_case list_cases[] = {
    { "", { NULL } },
    { " ,\t, ", { NULL } },
    { "a", { "a" } },
    { "a,b", { "a", "b" } },
    { ", a ,\tb c , ", { "a", "b c" } },
    { "a=\"x,y\", b", { "a=\"x,y\"", "b" } },
    { "\"x\\\",y\", b", { "\"x\\\",y\"", "b" } },
    { "\"x\\\\\",y", { "\"x\\\\\"", "y" } },
    { "a, \"b, c", { "a", "\"b, c" } },
    { "\"\\", { "\"\\" } },
};

static void lists_fall_into_elements(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof list_cases / sizeof list_cases[0]; i++) {
        struct span rest = guarded(span_of(list_cases[i].list)), element = { 0 };
        size_t n = 0;

        for (; token_next(&rest, &element); n++) {
            assert_non_null(list_cases[i].elements[n]);
            assert_true(span_is(element, span_of(list_cases[i].elements[n])));
        }
        assert_null(list_cases[i].elements[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_that_of_the_grammars), cmocka_unit_test(a_run_ends_at_the_first_other_byte),
        cmocka_unit_test(runs_are_those_of_the_table),       cmocka_unit_test(escapes_need_two_digits),
        cmocka_unit_test(hexadecimal_digits_have_values),    cmocka_unit_test(lists_fall_into_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
