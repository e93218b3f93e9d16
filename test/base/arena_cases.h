#ifndef TEST_BASE_ARENA_CASES_H
#define TEST_BASE_ARENA_CASES_H

/* Cases of both kinds of arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.c"

#define LIMIT ((size_t)64 * 1024)

static struct arena *small_arena(void)
{
    static _Alignas(max_align_t) char first[256];
    static struct arena a;

    arena_init(&a, first, sizeof first, LIMIT);
    return &a;
}

static void test_pieces_are_aligned_and_apart(void **state)
{
    struct arena *a = small_arena();
    char *pieces[200];

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_take(a, i + 1);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], (int)i, i + 1);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k <= i; k++)
            assert_int_equal((unsigned char)pieces[i][k], i);
    arena_reset(a);
}

static void test_without_a_first_block(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, NULL, 0, LIMIT);
    assert_non_null(arena_take(&a, 1));
    assert_non_null(arena_take(&a, 3 * BLOCK_BYTES));
    arena_reset(&a);
    assert_non_null(arena_take(&a, 1));
    arena_reset(&a);
}

static void test_zeroed(void **state)
{
    struct arena *a = small_arena();
    char *p;

    (void)state;
    memset(arena_take(a, 128), 0xff, 128);
    arena_reset(a);
    p = arena_zero(a, 128);
    for (size_t i = 0; i < 128; i++)
        assert_int_equal(p[i], 0);
    arena_reset(a);
}

static void test_the_limit_ends_it_and_full_stays(void **state)
{
    struct arena *a = small_arena();
    size_t taken = 0;

    (void)state;
    while (arena_take(a, 1000) != NULL)
        taken += 1000;
    assert_true(taken >= LIMIT / 2 && taken <= LIMIT + 256);
    assert_true(a->full);
    arena_take(a, 1);
    assert_true(a->full);
    arena_reset(a);
    assert_false(a->full);
    assert_non_null(arena_take(a, LIMIT));
    arena_reset(a);
}

/* Sizes that no address space has do not become small ones. */
static void test_sizes_that_cannot_be(void **state)
{
    const size_t sizes[] = { LIMIT + 1, SIZE_MAX / 2, SIZE_MAX - 15, SIZE_MAX - 14, SIZE_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct arena *a = small_arena();

        assert_null(arena_take(a, sizes[i]));
        assert_true(a->full);
        assert_null(arena_zero(a, sizes[i]));
        arena_reset(a);
    }
}

static void test_full_helpers_give_nothing(void **state)
{
    struct arena a;
    struct span s;

    (void)state;
    arena_init(&a, NULL, 0, 0);
    s = arena_copy(&a, SPAN("text"));
    assert_null(s.p);
    assert_int_equal(s.n, 0);
    s = arena_print(&a, "%d", 1);
    assert_null(s.p);
    assert_int_equal(s.n, 0);
    assert_false(arena_on_reset(&a, NULL, NULL));
    assert_true(a.full);
    arena_reset(&a);
}

static void test_texts_end_with_nul_outside_their_length(void **state)
{
    struct arena *a = small_arena();
    const struct span parts[] = { SPAN("ab"), { NULL, 0 }, SPAN(""), SPAN("c\0d") };
    struct span joined = arena_join(a, parts, 4), none = arena_join(a, parts, 0);
    struct span printed = arena_print(a, "%s-%03d", "x", 7), copy = arena_copy(a, (struct span){ NULL, 0 });

    (void)state;
    assert_true(span_is(joined, SPAN("abc\0d")));
    assert_int_equal(joined.p[joined.n], '\0');
    assert_non_null(none.p);
    assert_int_equal(none.n, 0);
    assert_true(span_is(printed, SPAN("x-007")));
    assert_int_equal(printed.p[printed.n], '\0');
    assert_non_null(copy.p);
    assert_int_equal(copy.n, 0);
    assert_int_equal(arena_print(a, "%s", "").n, 0);
    assert_int_equal(arena_print(a, "%5000d", 1).n, 5000);
    arena_reset(a);
}

/* A text that fills its piece has its NUL in it all the same. */
static void test_the_nul_belongs_to_the_piece(void **state)
{
    struct arena *a = small_arena();
    struct span copy = arena_copy(a, SPAN("0123456789abcdef")), printed = arena_print(a, "%016d", 0);

    (void)state;
    memset(arena_take(a, 16), 0xff, 16);
    assert_int_equal(copy.p[16], '\0');
    assert_int_equal(printed.p[16], '\0');
    arena_reset(a);
}

struct order {
    char seen[8];
    size_t n;
};

struct step {
    struct order *order;
    char name;
};

static void note(void *arg)
{
    struct step *s = arg;

    s->order->seen[s->order->n++] = s->name;
}

static void test_defers_run_once_newest_first(void **state)
{
    struct order order = { .n = 0 };
    struct step steps[] = { { &order, 'a' }, { &order, 'b' }, { &order, 'c' } };
    struct arena *a = small_arena();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(arena_on_reset(a, note, &steps[i]));
        arena_take(a, 300);
    }
    assert_int_equal(order.n, 0);
    arena_reset(a);
    assert_string_equal(order.seen, "cba");
    arena_reset(a);
    assert_int_equal(order.n, 3);
}

#define ARENA_TESTS                                                                                    \
    cmocka_unit_test(test_pieces_are_aligned_and_apart), cmocka_unit_test(test_without_a_first_block), \
        cmocka_unit_test(test_zeroed), cmocka_unit_test(test_the_limit_ends_it_and_full_stays),        \
        cmocka_unit_test(test_sizes_that_cannot_be), cmocka_unit_test(test_full_helpers_give_nothing), \
        cmocka_unit_test(test_texts_end_with_nul_outside_their_length),                                \
        cmocka_unit_test(test_the_nul_belongs_to_the_piece), cmocka_unit_test(test_defers_run_once_newest_first)

#endif
