#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "io/wheel.h"

#define START ((uint64_t)1000000000)
#define MANY  ((size_t)100000)

static struct wheel wheel;
static uint64_t now;

struct probe {
    struct timer timer;
    uint64_t fired_ms;
    unsigned fired;
    struct probe *other; /* what fire() does something to */
    uint64_t delay_ms;
};

static void probe_fire(struct timer *t)
{
    struct probe *p = (struct probe *)t;

    assert_false(timer_is_set(t));
    p->fired++;
    p->fired_ms = now;
}

static int setup(void **state)
{
    (void)state;
    now = START;
    wheel_init(&wheel, now);
    return 0;
}

static void validate(void)
{
    for (uint64_t i = 0; i < WHEEL_SLOTS; i++) {
        const struct link *head = &wheel.slots[i];

        assert_true(link_is_empty(head) || (wheel.in_use[i / 64] >> i % 64 & 1) == 1);
        for (const struct link *l = head->next; l != head; l = l->next) {
            const struct timer *t = (const struct timer *)l;
            const uint64_t tick = t->queue_ms / WHEEL_TICK_MS + 1;

            assert_ptr_equal(l->next->prev, l);
            assert_int_equal(t->queue_ms % WHEEL_TICK_MS, 0);
            assert_int_equal(tick % WHEEL_SLOTS, i);
            assert_true(tick > wheel.tick && tick < wheel.tick + WHEEL_SLOTS);
            assert_true(t->due_ms > t->queue_ms || tick == wheel.tick + 1);
        }
    }
    assert_true(link_is_empty(&wheel.firing));
}

/* Sleep as a worker would, until `until_ms`. */
static void run(uint64_t until_ms)
{
    while (now < until_ms) {
        const int wait_ms = wheel_wait_ms(&wheel, now);

        assert_true(wait_ms >= -1);
        now = wait_ms < 0 || now + (uint64_t)wait_ms > until_ms ? until_ms : now + (uint64_t)wait_ms;
        wheel_advance(&wheel, now);
    }
}

static void probe_set(struct probe *p, uint64_t delay_ms)
{
    *p = (struct probe){ 0 };
    timer_init(&p->timer, probe_fire);
    timer_set(&wheel, &p->timer, now, delay_ms);
}

static void fires_within_a_tick_and_never_early(void **state)
{
    static const uint64_t delays_ms[] = { 0,     1,     63,    64,    65,    1000,   10000,
                                          60000, 65535, 65536, 65600, 75000, 200000, 3600000 };

    (void)state;
    for (size_t i = 0; i < sizeof delays_ms / sizeof delays_ms[0]; i++) {
        struct probe p;
        const uint64_t due_ms = now + delays_ms[i];

        probe_set(&p, delays_ms[i]);
        assert_true(delays_ms[i] == 0 || delays_ms[i] > 65000 || due_ms <= p.timer.queue_ms + WHEEL_TICK_MS);
        assert_int_equal(wheel_wait_ms(&wheel, now), p.timer.queue_ms + WHEEL_TICK_MS - now);
        run(now + delays_ms[i] + WHEEL_TICK_MS);
        assert_int_equal(p.fired, 1);
        assert_true(p.fired_ms >= due_ms && p.fired_ms <= due_ms + WHEEL_TICK_MS);
        assert_int_equal(wheel_wait_ms(&wheel, now), -1);
        now += 7;
    }
}

static void later_is_one_store_and_earlier_moves(void **state)
{
    struct probe p;
    const struct link *at;

    (void)state;
    probe_set(&p, 1000);
    at = p.timer.link.prev;
    for (int i = 0; i < 100; i++) {
        now += 10;
        wheel_advance(&wheel, now);
        timer_set(&wheel, &p.timer, now, 1000);
        if (now < START + 900)
            assert_ptr_equal(p.timer.link.prev, at);
    }
    run(START + 1990);
    assert_int_equal(p.fired, 0);
    validate();
    timer_set(&wheel, &p.timer, now, 60000);
    timer_set(&wheel, &p.timer, now, 5);
    run(now + 5 + WHEEL_TICK_MS);
    assert_int_equal(p.fired, 1);
}

static void a_stopped_timer_is_silent_and_leaves_by_itself(void **state)
{
    struct probe p;

    (void)state;
    probe_set(&p, 100);
    timer_stop(&p.timer);
    assert_false(timer_is_set(&p.timer));
    run(now + 1000);
    assert_int_equal(p.fired, 0);
    assert_false(link_is_in(&p.timer.link));
    assert_int_equal(wheel_wait_ms(&wheel, now), -1);
    timer_set(&wheel, &p.timer, now, 100);
    timer_stop(&p.timer);
    timer_set(&wheel, &p.timer, now, 300);
    run(now + 400);
    assert_int_equal(p.fired, 1);
}

static void a_dropped_timer_is_out_at_once(void **state)
{
    struct probe *p = malloc(sizeof *p);

    (void)state;
    probe_set(p, 100);
    timer_drop(&p->timer);
    timer_drop(&p->timer);
    free(p);
    assert_int_equal(wheel_wait_ms(&wheel, now), -1);
    run(now + 1000);
}

static void fire_drop_other(struct timer *t)
{
    struct probe *p = (struct probe *)t;

    probe_fire(t);
    timer_drop(&p->other->timer);
    free(p->other);
    p->other = NULL;
}

static void fire_again(struct timer *t)
{
    struct probe *p = (struct probe *)t;

    probe_fire(t);
    timer_set(&wheel, t, now, p->delay_ms);
}

static void fire_free(struct timer *t)
{
    free(t);
}

static void fire_may_drop_one_of_the_same_slot(void **state)
{
    struct probe p, *other = malloc(sizeof *other);

    (void)state;
    probe_set(&p, 100);
    p.timer.fire = fire_drop_other;
    p.other = other;
    probe_set(other, 100);
    run(now + 1000);
    assert_int_equal(p.fired, 1);
    assert_null(p.other);
}

static void fire_may_set_itself_again_and_free_itself(void **state)
{
    struct probe p, *own = malloc(sizeof *own);

    (void)state;
    probe_set(&p, 10);
    p.timer.fire = fire_again;
    probe_set(own, 10);
    own->timer.fire = fire_free;
    now += 10000;
    wheel_advance(&wheel, now);
    assert_int_equal(p.fired, 1); /* with delay 0: not twice in one call */
    run(now + 10 * WHEEL_TICK_MS);
    assert_true(p.fired >= 9 && p.fired <= 11);
    timer_drop(&p.timer);
}

static void sleeping_through_many_turns_loses_nothing(void **state)
{
    struct probe p[4];

    (void)state;
    probe_set(&p[0], 1);
    probe_set(&p[1], 65000);
    probe_set(&p[2], 100000);
    probe_set(&p[3], 10000000);
    now += 1000000;
    wheel_advance(&wheel, now);
    assert_int_equal(p[0].fired + p[1].fired + p[2].fired, 3);
    assert_int_equal(p[3].fired, 0);
    validate();
    run(START + 10000000 + WHEEL_TICK_MS);
    assert_int_equal(p[3].fired, 1);
}

static void a_hundred_thousand_stay_in_order(void **state)
{
    struct probe *many = calloc(MANY, sizeof *many);
    uint32_t random = 1;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        probe_set(&many[i], 1 + (random = random * 1664525 + 1013904223) % 90000);
    validate();
    for (int step = 0; step < 50; step++) {
        run(now + 1000);
        for (size_t i = (size_t)step; i < MANY; i += 50) {
            random = random * 1664525 + 1013904223;
            if (random >> 30 == 0)
                timer_stop(&many[i].timer);
            else if (random >> 30 == 1)
                timer_drop(&many[i].timer);
            else
                timer_set(&wheel, &many[i].timer, now, random % 90000);
        }
        validate();
    }
    for (size_t i = 0; i < MANY; i++) {
        many[i].fired = 0;
        many[i].delay_ms = many[i].timer.due_ms; /* kept for the comparison */
    }
    run(now + 100000);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(many[i].fired, many[i].delay_ms != TIMER_NEVER);
        if (many[i].fired > 0)
            assert_true(many[i].fired_ms >= many[i].delay_ms && many[i].fired_ms <= many[i].delay_ms + WHEEL_TICK_MS);
    }
    assert_int_equal(wheel_wait_ms(&wheel, now), -1);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fires_within_a_tick_and_never_early, setup),
        cmocka_unit_test_setup(later_is_one_store_and_earlier_moves, setup),
        cmocka_unit_test_setup(a_stopped_timer_is_silent_and_leaves_by_itself, setup),
        cmocka_unit_test_setup(a_dropped_timer_is_out_at_once, setup),
        cmocka_unit_test_setup(fire_may_drop_one_of_the_same_slot, setup),
        cmocka_unit_test_setup(fire_may_set_itself_again_and_free_itself, setup),
        cmocka_unit_test_setup(sleeping_through_many_turns_loses_nothing, setup),
        cmocka_unit_test_setup(a_hundred_thousand_stay_in_order, setup),
    };

    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
