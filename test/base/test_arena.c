/* The arena of a release: pieces share blocks. */
#undef ARENA_EACH_ALONE
#include "arena_cases.h"

/* An exchange that fits its first block costs no call of malloc. */
static void test_first_block_comes_first_and_back(void **state)
{
    struct arena *a = small_arena();
    char *begin = a->free;

    (void)state;
    assert_ptr_equal(arena_take(a, 100), begin);
    assert_ptr_equal(arena_take(a, 100), begin + 112);
    assert_null(a->blocks);
    assert_non_null(arena_take(a, 100));
    assert_non_null(a->blocks);
    arena_reset(a);
    assert_null(a->blocks);
    assert_ptr_equal(arena_take(a, 256), begin);
    assert_null(a->blocks);
    arena_reset(a);
}

static void test_small_pieces_share_a_block(void **state)
{
    struct arena *a = small_arena();

    (void)state;
    arena_take(a, 256);
    for (int i = 0; i < 512; i++)
        assert_non_null(arena_take(a, 16));
    assert_null(a->blocks->next);
    assert_int_equal(a->left, LIMIT - BLOCK_BYTES);
    arena_take(a, 1);
    assert_non_null(a->blocks->next);
    arena_reset(a);
    assert_int_equal(a->left, LIMIT);
}

/* What is left of the limit is used to its end. */
static void test_the_last_block_may_be_smaller(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, NULL, 0, BLOCK_BYTES + 64);
    assert_non_null(arena_take(&a, BLOCK_BYTES));
    assert_non_null(arena_take(&a, 48));
    assert_non_null(arena_take(&a, 16));
    assert_int_equal(a.left, 0);
    assert_null(arena_take(&a, 1));
    arena_reset(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TESTS,
        cmocka_unit_test(test_first_block_comes_first_and_back),
        cmocka_unit_test(test_small_pieces_share_a_block),
        cmocka_unit_test(test_the_last_block_may_be_smaller),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
