#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/h2_pace.h"

#define MOST 5

static const enum reason too_many[H2_COSTS] = {
    [H2_COST_RESET] = R_h2_rapid_reset,   [H2_COST_SETTINGS] = R_h2_settings_flood,
    [H2_COST_PING] = R_h2_ping_flood,     [H2_COST_EMPTY] = R_h2_empty_frame_flood,
    [H2_COST_WINDOW] = R_h2_window_flood, [H2_COST_PRIORITY] = R_h2_priority_flood,
};

static void count_all(struct h2_pace *p, enum h2_cost cost, uint64_t now_ms)
{
    for (unsigned i = 0; i < MOST; i++)
        assert_int_equal(h2_pace_count(p, cost, now_ms, MOST), R_NONE);
}

static void test_one_more_than_the_most_is_too_many(void **state)
{
    (void)state;
    for (unsigned cost = 0; cost < H2_COSTS; cost++) {
        struct h2_pace p = { .since_ms = 1000 };

        count_all(&p, cost, 1000);
        assert_int_equal(h2_pace_count(&p, cost, 1000 + H2_PACE_MS - 1, MOST), too_many[cost]);
        assert_int_equal(h2_pace_count(&p, cost, 1000 + H2_PACE_MS - 1, MOST), too_many[cost]);
    }
}

static void test_each_kind_is_counted_for_itself(void **state)
{
    struct h2_pace p = { .since_ms = 1000 };

    (void)state;
    for (unsigned cost = 0; cost < H2_COSTS; cost++)
        count_all(&p, cost, 1000);
    for (unsigned cost = 0; cost < H2_COSTS; cost++)
        assert_int_equal(h2_pace_count(&p, cost, 1000, MOST), too_many[cost]);
}

static void test_counting_begins_anew_after_a_while(void **state)
{
    struct h2_pace p = { 0 };

    (void)state;
    for (uint64_t now_ms = 50000; now_ms < 50000 + 4 * H2_PACE_MS; now_ms += H2_PACE_MS) {
        count_all(&p, H2_COST_PING, now_ms);
        count_all(&p, H2_COST_RESET, now_ms + H2_PACE_MS - 1);
        assert_int_equal(h2_pace_count(&p, H2_COST_PING, now_ms + H2_PACE_MS - 1, MOST), R_h2_ping_flood);
    }
}

static void test_the_most_may_change_while_counting(void **state)
{
    struct h2_pace p = { .since_ms = 1000 };

    (void)state;
    count_all(&p, H2_COST_EMPTY, 1000);
    assert_int_equal(h2_pace_count(&p, H2_COST_EMPTY, 1000, 2 * MOST), R_NONE);
    assert_int_equal(h2_pace_count(&p, H2_COST_EMPTY, 1000, 1), R_h2_empty_frame_flood);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_more_than_the_most_is_too_many),
        cmocka_unit_test(test_each_kind_is_counted_for_itself),
        cmocka_unit_test(test_counting_begins_anew_after_a_while),
        cmocka_unit_test(test_the_most_may_change_while_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
