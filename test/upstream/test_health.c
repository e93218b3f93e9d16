#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "upstream/health.h"

static const struct upstream_group rules = {
    .fails = 3, .fail_ms = 1000, .rest_ms = 5000, .slow_start_ms = 1000, .check = { .rise = 2, .fall = 3 }
};

/*
 * A story: "at 500 failed" and the like, a step each.
 *
 *   F  failed             T  one is taken           W  the probe went well     I  it failed     U  nobody knows
 *   +  a check went well  -  a check did not
 *
 * `live` is whether it is live after each.
 */
struct step {
    uint64_t at_ms;
    char what;
    bool live;
};

static bool take_step(struct health *h, const struct step *s)
{
    switch (s->what) {
    case 'F':
        return health_failed(h, &rules, s->at_ms);
    case 'T':
        return health_take(h, &rules, s->at_ms);
    case 'W':
        health_probed(h, &rules, HEALTH_WELL, s->at_ms);
        return false;
    case 'I':
        health_probed(h, &rules, HEALTH_ILL, s->at_ms);
        return false;
    case 'U':
        health_probed(h, &rules, HEALTH_UNKNOWN, s->at_ms);
        return false;
    case '+':
        return health_checked(h, &rules, true, s->at_ms);
    case '-':
        return health_checked(h, &rules, false, s->at_ms);
    default:
        return false;
    }
}

static void play(const struct step *steps)
{
    struct health h = { 0 };

    for (const struct step *s = steps; s->what != '\0'; s++) {
        take_step(&h, s);
        assert_int_equal(health_is_live(&h, s->at_ms), s->live);
    }
}

static void test_failures(void **state)
{
    static const struct step stories[][12] = {
        /* Three within a second, and five seconds of rest. */
        { { 100, 'F', true }, { 500, 'F', true }, { 1099, 'F', false }, { 6098, '.', false }, { 6099, '.', true } },
        /* The third is too late, and is the first of others. */
        { { 100, 'F', true }, { 500, 'F', true }, { 1100, 'F', true }, { 1200, 'F', true }, { 1300, 'F', false } },
        /* What fails during the rest does not prolong it. */
        { { 1, 'F', true }, { 2, 'F', true }, { 3, 'F', false }, { 4000, 'F', false }, { 5003, '.', true } },
        /* One at a time is let through; it brings the member back, which then may fail twice again. */
        { { 1, 'F', true },
          { 2, 'F', true },
          { 3, 'F', false },
          { 5003, 'T', false },
          { 5100, 'W', true },
          { 5101, 'T', true },
          { 5102, 'F', true },
          { 5103, 'F', true },
          { 5104, 'F', false } },
        /* It takes long: others wait for as long as another rest. */
        { { 1, 'F', true },
          { 2, 'F', true },
          { 3, 'F', false },
          { 5003, 'T', false },
          { 10002, '.', false },
          { 10003, '.', true },
          { 10003, 'T', false },
          { 10004, 'W', true } },
        /* One that was let through during the rest says as much, and does not keep the one after it away. */
        { { 1, 'F', true }, { 2, 'F', true }, { 3, 'F', false }, { 4000, 'T', false }, { 4001, 'W', true } },
        { { 1, 'F', true }, { 2, 'F', true }, { 3, 'F', false }, { 4000, 'T', false }, { 5003, '.', true } },
        { { 1, 'F', true },
          { 2, 'F', true },
          { 3, 'F', false },
          { 4000, 'T', false },
          { 4001, 'I', false },
          { 9000, '.', false },
          { 9001, '.', true } },
        /* It fails: another rest. */
        { { 1, 'F', true },
          { 2, 'F', true },
          { 3, 'F', false },
          { 5003, 'T', false },
          { 5100, 'I', false },
          { 10099, '.', false },
          { 10100, 'T', false } },
        /* Nobody knows: the next one, please. */
        { { 1, 'F', true }, { 2, 'F', true }, { 3, 'F', false }, { 5003, 'T', false }, { 5100, 'U', true } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++)
        play(stories[i]);
}

static void test_checks(void **state)
{
    static const struct step stories[][12] = {
        { { 1, '-', true }, { 2, '-', true }, { 3, '-', false }, { 4, '+', false }, { 5, '+', true } },
        { { 1, '-', true }, { 2, '-', true }, { 3, '+', true }, { 4, '-', true }, { 5, '-', true }, { 6, '-', false } },
        { { 1, '-', true },
          { 2, '-', true },
          { 3, '-', false },
          { 4, '+', false },
          { 5, '-', false },
          { 6, '+', false },
          { 7, '+', true } },
        /* Who comes back by checks rests no more. */
        { { 1, 'F', true },
          { 1, 'F', true },
          { 1, 'F', false },
          { 2, '-', false },
          { 3, '-', false },
          { 4, '-', false },
          { 5, '+', false },
          { 6, '+', true } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++)
        play(stories[i]);
}

static void test_what_changes_is_told(void **state)
{
    struct health h = { 0 };

    (void)state;
    assert_false(health_take(&h, &rules, 1));
    assert_false(health_failed(&h, &rules, 1));
    assert_false(health_failed(&h, &rules, 1));
    assert_true(health_failed(&h, &rules, 1));
    assert_false(health_failed(&h, &rules, 1));
    assert_true(health_take(&h, &rules, 1));
    h = (struct health){ 0 };
    assert_false(health_checked(&h, &rules, false, 1));
    assert_false(health_checked(&h, &rules, false, 1));
    assert_true(health_checked(&h, &rules, false, 1));
    assert_false(health_checked(&h, &rules, false, 1));
}

static void test_no_rest_without_fails(void **state)
{
    struct upstream_group never = rules;
    struct health h = { 0 };

    (void)state;
    never.fails = 0;
    for (unsigned i = 0; i < 70000; i++)
        assert_false(health_failed(&h, &never, i));
    assert_true(health_is_live(&h, 0));
}

static void test_slow_start(void **state)
{
    struct upstream_group at_once = rules;
    struct health h = { 0 };

    (void)state;
    at_once.slow_start_ms = 0;
    assert_int_equal(health_share(&h, &rules, 10), HEALTH_WHOLE_SHARE);
    h.back_ms = 5000;
    assert_int_equal(health_share(&h, &rules, 5000), 1);
    assert_int_equal(health_share(&h, &rules, 5250), HEALTH_WHOLE_SHARE / 4);
    assert_int_equal(health_share(&h, &rules, 5500), HEALTH_WHOLE_SHARE / 2);
    assert_int_equal(health_share(&h, &rules, 6000), HEALTH_WHOLE_SHARE);
    assert_int_equal(health_share(&h, &rules, 600000), HEALTH_WHOLE_SHARE);
    assert_int_equal(health_share(&h, &at_once, 5000), HEALTH_WHOLE_SHARE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_what_changes_is_told),
        cmocka_unit_test(test_no_rest_without_fails),
        cmocka_unit_test(test_slow_start),
    };

    return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
