#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/span.h"

#define NOTHING ((struct span){ NULL, 0 })

struct pair_case {
    struct span a, b;
    bool is, is_nocase, starts, ends;
};

static void test_pairs(void **state)
{
    const struct pair_case cases[] = {
        { NOTHING, NOTHING, true, true, true, true },
        { NOTHING, SPAN(""), true, true, true, true },
        { SPAN(""), NOTHING, true, true, true, true },
        { SPAN("a"), NOTHING, false, false, true, true },
        { NOTHING, SPAN("a"), false, false, false, false },
        { SPAN("abc"), SPAN("abc"), true, true, true, true },
        { SPAN("aBc"), SPAN("AbC"), false, true, false, false },
        { SPAN("abc"), SPAN("ab"), false, false, true, false },
        { SPAN("abc"), SPAN("bc"), false, false, false, true },
        { SPAN("bc"), SPAN("abc"), false, false, false, false },
        { SPAN("a\0b"), SPAN("a\0c"), false, false, false, false },
        { SPAN("a\0b"), SPAN("a\0b"), true, true, true, true },
        { SPAN("[\\]^"), SPAN("{|}~"), false, false, false, false }, /* letters only have a case */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct pair_case *c = &cases[i];

        if (span_is(c->a, c->b) != c->is || span_is_nocase(c->a, c->b) != c->is_nocase ||
            span_starts(c->a, c->b) != c->starts || span_ends(c->a, c->b) != c->ends)
            fail_msg("row %zu: \"%.*s\" and \"%.*s\"", i, (int)c->a.n, c->a.p, (int)c->b.n, c->b.p);
    }
}

static void test_trim(void **state)
{
    static const struct {
        struct span in, out;
    } cases[] = {
        { { NULL, 0 }, { NULL, 0 } },
        { SPAN_INIT(""), SPAN_INIT("") },
        { SPAN_INIT(" \t "), SPAN_INIT("") },
        { SPAN_INIT("a"), SPAN_INIT("a") },
        { SPAN_INIT(" \ta b\t "), SPAN_INIT("a b") },
        { SPAN_INIT("\r\na\v\f"), SPAN_INIT("\r\na\v\f") }, /* no other white space is optional */
        { SPAN_INIT("\xa0z"), SPAN_INIT("\xa0z") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!span_is(span_trim(cases[i].in), cases[i].out))
            fail_msg("row %zu", i);
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(span_find(NOTHING, 'a'), 0);
    assert_int_equal(span_find(SPAN("abcb"), 'b'), 1);
    assert_int_equal(span_find(SPAN("abc"), 'z'), 3);
    assert_int_equal(span_find(SPAN("ab\0c"), '\0'), 2);
    assert_int_equal(span_find((struct span){ "abc", 2 }, 'c'), 2);
}

/* Nothing behind the end is read: a sanitizer watches the heap. */
static void test_the_end_is_the_end(void **state)
{
    char *heap = malloc(2);
    struct span s = { heap, 2 };

    (void)state;
    assert_non_null(heap);
    memcpy(heap, "a\t", 2);
    assert_int_equal(span_find(s, 'z'), 2);
    assert_int_equal(span_trim(s).n, 1);
    assert_false(span_starts(s, SPAN("a\tb")));
    assert_false(span_is_nocase(s, SPAN("A\tB")));
    free(heap);
}

static void test_from(void **state)
{
    struct span s = SPAN("abc");

    (void)state;
    assert_true(span_is(span_from(s, 0), s));
    assert_true(span_is(span_from(s, 2), SPAN("c")));
    assert_int_equal(span_from(s, 3).n, 0);
    assert_ptr_equal(span_from(s, 3).p, s.p + 3);
    assert_int_equal(span_of("").n, 0);
    assert_int_equal(span_of("ab").n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs), cmocka_unit_test(test_trim),
        cmocka_unit_test(test_find),  cmocka_unit_test(test_the_end_is_the_end),
        cmocka_unit_test(test_from),
    };

    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
