#include "io/jump_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int before(void **state)
{
    static struct jump_memory m;

    jump_memory_init(&m);
    *state = &m;
    return 0;
}

static void blocks_are_given_back_in_any_order(void **state)
{
    struct jump_memory *m = *state;
    char *blocks[3];

    for (size_t i = 0; i < 3; i++) {
        blocks[i] = jump_memory_take(m, i);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
    }
    jump_memory_give(m, blocks[1]);
    jump_memory_give(m, NULL);
    jump_memory_give(m, blocks[2]);
    jump_memory_give(m, blocks[0]);
    assert_true(link_is_empty(&m->blocks));
}

/* The library's frame, which takes one block after the other until there is no more. */
static void library(struct jump_memory *m)
{
    static const size_t sizes[] = { 100, 1000, SIZE_MAX };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        jump_memory_take(m, sizes[i]);
    fail_msg("what nobody has was given out");
}

static void without_memory_the_library_is_left(void **state)
{
    struct jump_memory *m = *state;

    if (setjmp(m->out) == 0)
        library(m);
    assert_false(link_is_empty(&m->blocks));
    jump_memory_give_all(m);
    assert_true(link_is_empty(&m->blocks));
}

static void what_is_left_can_be_given_back_at_once(void **state)
{
    struct jump_memory *m = *state;

    jump_memory_take(m, 1);
    jump_memory_take(m, 1);
    jump_memory_give_all(m);
    jump_memory_give_all(m);
    assert_true(link_is_empty(&m->blocks));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_are_given_back_in_any_order, before),
        cmocka_unit_test_setup(without_memory_the_library_is_left, before),
        cmocka_unit_test_setup(what_is_left_can_be_given_back_at_once, before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
