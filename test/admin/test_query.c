#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "admin/query.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 1 << 14);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void is(struct span got, struct span want)
{
    if (!span_is(got, want))
        fail_msg("\"%.*s\" instead of \"%.*s\"", (int)got.n, got.p, (int)want.n, want.p);
    assert_int_equal(got.p == NULL, want.p == NULL);
}

static const struct {
    struct span text;
    uint32_t count;
    struct query_parameter first, last;
} good[] = {
    { SPAN_INIT(""), 0, { { 0 }, { 0 } }, { { 0 }, { 0 } } },
    { SPAN_INIT("&&"), 0, { { 0 }, { 0 } }, { { 0 }, { 0 } } },
    { SPAN_INIT("a=b"), 1, { SPAN_INIT("a"), SPAN_INIT("b") }, { SPAN_INIT("a"), SPAN_INIT("b") } },
    { SPAN_INIT("a=b&c=d"), 2, { SPAN_INIT("a"), SPAN_INIT("b") }, { SPAN_INIT("c"), SPAN_INIT("d") } },
    { SPAN_INIT("&a=b&&c=d&"), 2, { SPAN_INIT("a"), SPAN_INIT("b") }, { SPAN_INIT("c"), SPAN_INIT("d") } },
    { SPAN_INIT("a&b="), 2, { SPAN_INIT("a"), SPAN_INIT("") }, { SPAN_INIT("b"), SPAN_INIT("") } },
    { SPAN_INIT("a=b=c"), 1, { SPAN_INIT("a"), SPAN_INIT("b=c") }, { SPAN_INIT("a"), SPAN_INIT("b=c") } },
    { SPAN_INIT("%61=%41+%2b+%26%3D"),
      1,
      { SPAN_INIT("a"), SPAN_INIT("A + &=") },
      { SPAN_INIT("a"), SPAN_INIT("A + &=") } },
    { SPAN_INIT("a=%00%fF"), 1, { SPAN_INIT("a"), SPAN_INIT("\0\xff") }, { SPAN_INIT("a"), SPAN_INIT("\0\xff") } },
};

static void parameters_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct span bad = { 0 };
        struct query q;

        assert_true(query_parse(&arena, good[i].text, &q, &bad));
        assert_int_equal(q.count, good[i].count);
        if (q.count == 0)
            continue;
        is(q.all[0].name, good[i].first.name);
        is(q.all[0].value, good[i].first.value);
        is(q.all[q.count - 1].name, good[i].last.name);
        is(q.all[q.count - 1].value, good[i].last.value);
    }
}

static const struct {
    struct span text, bad;
} wrong[] = {
    { SPAN_INIT("a=%"), SPAN_INIT("a") },      { SPAN_INIT("a=%4"), SPAN_INIT("a") },
    { SPAN_INIT("a=%4g"), SPAN_INIT("a") },    { SPAN_INIT("a=%g4"), SPAN_INIT("a") },
    { SPAN_INIT("a=1&b=%"), SPAN_INIT("b") },  { SPAN_INIT("%zz=1"), SPAN_INIT("%zz") },
    { SPAN_INIT("%61=%%41"), SPAN_INIT("a") }, { SPAN_INIT("=%zz"), SPAN_INIT("=%zz") },
    { SPAN_INIT("a=1&=&b"), SPAN_INIT("=") },  { SPAN_INIT("a+b=%4x"), SPAN_INIT("a b") },
};

static void bad_escapes_are_named_by_their_parameter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *text = memcpy(malloc(wrong[i].text.n), wrong[i].text.p, wrong[i].text.n); /* nothing behind it is read */
        struct span bad = { 0 };
        struct query q;

        assert_false(query_parse(&arena, (struct span){ text, wrong[i].text.n }, &q, &bad));
        is(bad, wrong[i].bad);
        free(text);
    }
}

static void there_is_an_end_to_parameters(void **state)
{
    char text[2 * QUERY_MOST + 2];
    struct span bad = { 0 };
    struct query q;

    (void)state;
    for (unsigned i = 0; i <= QUERY_MOST; i++)
        memcpy(text + 2 * (size_t)i, i < QUERY_MOST ? "a&" : "z", i < QUERY_MOST ? 2 : 1);
    assert_true(query_parse(&arena, (struct span){ text, 2 * QUERY_MOST }, &q, &bad));
    assert_int_equal(q.count, QUERY_MOST);
    assert_false(query_parse(&arena, (struct span){ text, 2 * QUERY_MOST + 1 }, &q, &bad));
    is(bad, SPAN("z"));
}

static void without_memory_nothing_is_named(void **state)
{
    struct span bad = SPAN("x");
    struct arena none;
    struct query q;

    (void)state;
    arena_init(&none, NULL, 0, 0);
    assert_true(query_parse(&none, SPAN("a=b"), &q, &bad));
    assert_false(query_parse(&none, SPAN("a=%41"), &q, &bad));
    assert_int_equal(bad.n, 0);
    arena_reset(&none);
}

static const struct {
    struct span text;
    uint64_t max;
    bool good;
    uint64_t want;
} numbers[] = {
    { SPAN_INIT("m=1"), 9, true, 7 },
    { SPAN_INIT("n=0"), 9, true, 0 },
    { SPAN_INIT("n=0"), 0, true, 0 },
    { SPAN_INIT("n=1"), 0, false, 0 },
    { SPAN_INIT("n=9"), 9, true, 9 },
    { SPAN_INIT("n=10"), 9, false, 0 },
    { SPAN_INIT("n=100"), 100, true, 100 },
    { SPAN_INIT("n=101"), 100, false, 0 },
    { SPAN_INIT("n=0000000000000000000000005"), 9, true, 5 },
    { SPAN_INIT("n=18446744073709551615"), UINT64_MAX, true, UINT64_MAX },
    { SPAN_INIT("n=18446744073709551616"), UINT64_MAX, false, 0 },
    { SPAN_INIT("n=99999999999999999999"), UINT64_MAX, false, 0 },
    { SPAN_INIT("n="), 9, false, 0 },
    { SPAN_INIT("n"), 9, false, 0 },
    { SPAN_INIT("n=-1"), 9, false, 0 },
    { SPAN_INIT("n=+1"), 9, false, 0 },
    { SPAN_INIT("n=1x"), 99, false, 0 },
    { SPAN_INIT("n=1:"), 99, false, 0 },
    { SPAN_INIT("n=/"), 99, false, 0 },
    { SPAN_INIT("n=3&n=4"), 9, true, 3 },
};

static void numbers_are_digits_up_to_the_most(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct span bad = { 0 };
        uint64_t number;
        struct query q;

        assert_true(query_parse(&arena, numbers[i].text, &q, &bad));
        assert_int_equal(query_number(&q, SPAN("n"), 7, numbers[i].max, &number), numbers[i].good);
        if (numbers[i].good)
            assert_int_equal(number, numbers[i].want);
    }
}

static void values_and_strangers_are_found_by_name(void **state)
{
    const struct span known[] = { SPAN("a"), SPAN("b") };
    struct span bad = { 0 };
    struct query q;

    (void)state;
    assert_true(query_parse(&arena, SPAN("a=1&b&a=2"), &q, &bad));
    is(query_value(&q, SPAN("a")), SPAN("1"));
    is(query_value(&q, SPAN("b")), SPAN(""));
    is(query_value(&q, SPAN("A")), (struct span){ 0 });
    is(query_unknown(&q, known, 2), (struct span){ 0 });
    is(query_unknown(&q, known, 1), SPAN("b"));
    is(query_unknown(&q, known, 0), SPAN("a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parameters_are_taken_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_escapes_are_named_by_their_parameter, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_parameters, setup, teardown),
        cmocka_unit_test(without_memory_nothing_is_named),
        cmocka_unit_test_setup_teardown(numbers_are_digits_up_to_the_most, setup, teardown),
        cmocka_unit_test_setup_teardown(values_and_strangers_are_found_by_name, setup, teardown),
    };

    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
