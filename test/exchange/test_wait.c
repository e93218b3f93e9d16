#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exchange/wait.h"

static struct exchange *x;
static unsigned resumed, cancelled;
static void *cancelled_with;
static uint64_t clock_ms;

static void tick(struct exchange *ticked)
{
    ticked->now_ms = clock_ms;
}

/* The exchange runs on: it waits no more, and its clock is right. */
static void resume(struct exchange *woken)
{
    assert_null(woken->wait.what);
    assert_int_equal(woken->now_ms, clock_ms);
    resumed++;
}

static void cancel(void *with)
{
    assert_null(x->wait.what);
    cancelled_with = with;
    cancelled++;
}

static const struct exchange_host host = { .tick = tick, .resume = resume };

static int setup(void **state)
{
    (void)state;
    x = calloc(1, sizeof *x);
    x->host = &host;
    x->wait.ticket = 41;
    resumed = cancelled = 0;
    cancelled_with = NULL;
    x->now_ms = clock_ms = 1000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(x);
    return 0;
}

/* Waits for `what` during so many milliseconds. */
static void wait_for(const char *what, uint64_t ms)
{
    assert_int_equal(exchange_wait(x, what, NULL, NULL), FLOW_WAIT);
    clock_ms += ms;
    exchange_wake(x, x->wait.ticket);
}

static void test_wake(void **state)
{
    int with;

    (void)state;
    assert_int_equal(exchange_wait(x, "open", cancel, &with), FLOW_WAIT);
    assert_string_equal(x->wait.what, "open");
    assert_int_equal(x->wait.since_ms, 1000);
    assert_ptr_equal(x->wait.with, &with);
    assert_int_equal(resumed, 0);
    exchange_wake(x, 41);
    assert_int_equal(resumed, 1);
    assert_int_equal(x->wait.ticket, 42);
    assert_int_equal(cancelled, 0);
}

static void test_stale_wakes_are_dropped(void **state)
{
    (void)state;
    exchange_wake(x, 41); /* it does not wait */
    assert_int_equal(resumed, 0);
    exchange_wait(x, "open", NULL, NULL);
    exchange_wake(x, 40);
    exchange_wake(x, 42);
    assert_int_equal(resumed, 0);
    assert_string_equal(x->wait.what, "open");
    exchange_wake(x, 41);
    exchange_wait(x, "content", NULL, NULL);
    exchange_wake(x, 41); /* the answer to the first question, a second time */
    assert_int_equal(resumed, 1);
    assert_string_equal(x->wait.what, "content");
}

static void test_cancel(void **state)
{
    int with;

    (void)state;
    exchange_cancel(x); /* nothing to cancel */
    exchange_wait(x, "open", cancel, &with);
    exchange_cancel(x);
    assert_int_equal(cancelled, 1);
    assert_ptr_equal(cancelled_with, &with);
    assert_null(x->wait.what);
    exchange_cancel(x);
    assert_int_equal(cancelled, 1);
    exchange_wake(x, 41); /* too late */
    exchange_wake(x, x->wait.ticket);
    assert_int_equal(resumed, 0);
}

static void test_cancel_of_nobody(void **state)
{
    (void)state;
    exchange_wait(x, "open", NULL, NULL);
    exchange_cancel(x);
    assert_null(x->wait.what);
    assert_int_equal(x->wait.ticket, 42);
}

static void test_the_ticket_goes_round(void **state)
{
    (void)state;
    x->wait.ticket = UINT32_MAX;
    exchange_wait(x, "open", NULL, NULL);
    exchange_wake(x, UINT32_MAX);
    exchange_wait(x, "open", NULL, NULL);
    exchange_wake(x, 0);
    assert_int_equal(resumed, 2);
}

static void test_time_is_added_up_by_name(void **state)
{
    static const char open[] = "open", content[] = "content";

    (void)state;
    wait_for(open, 5);
    wait_for(content, 100);
    wait_for(open, 7);
    assert_ptr_equal(x->waits[0].what, open);
    assert_int_equal(x->waits[0].ms, 12);
    assert_ptr_equal(x->waits[1].what, content);
    assert_int_equal(x->waits[1].ms, 100);
    assert_null(x->waits[2].what);
}

static void test_the_last_name_collects_the_rest(void **state)
{
    static const char names[EXCHANGE_WAITS + 2][2] = { "a", "b", "c", "d", "e", "f" };

    (void)state;
    for (unsigned i = 0; i < EXCHANGE_WAITS + 2; i++)
        wait_for(names[i], 1u << i);
    wait_for(names[0], 100);
    assert_int_equal(x->waits[0].ms, 101);
    assert_int_equal(x->waits[1].ms, 2);
    assert_int_equal(x->waits[2].ms, 4);
    assert_string_equal(x->waits[EXCHANGE_WAITS - 1].what, "d");
    assert_int_equal(x->waits[EXCHANGE_WAITS - 1].ms, 8 + 16 + 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stale_wakes_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_of_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_ticket_goes_round, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_is_added_up_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_last_name_collects_the_rest, setup, teardown),
    };

    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
