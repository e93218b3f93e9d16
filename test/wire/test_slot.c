#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/slot.h"

#define FIELDS      10
#define ARENA_BYTES 20000

static struct slot *list;

static struct exchange *take(void)
{
    struct exchange *x = slot_take(&list, FIELDS, ARENA_BYTES);

    assert_non_null(x);
    return x;
}

static int teardown(void **state)
{
    (void)state;
    slots_free(&list);
    assert_null(list);
    return 0;
}

static bool is_zero(const void *bytes, size_t n)
{
    const char *p = bytes;

    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static void test_a_new_exchange_is_empty(void **state)
{
    struct exchange *x = take();

    (void)state;
    assert_int_equal(x->verdict.why, R_NONE);
    assert_int_equal(x->wait.ticket, 0);
    assert_int_equal(x->req.head.count, 0);
    assert_true(is_zero(&x->facts, sizeof x->facts));
    assert_null(x->wait.what);
    assert_null(x->waits[0].what);
    slot_return(&list, x);
}

static void spoil(struct exchange *x)
{
    memset(&x->facts, 0xff, sizeof x->facts);
    memset(x->waits, 0xff, sizeof x->waits);
    memset(&x->req.target, 0xff, sizeof x->req.target);
    x->codec = (const struct codec_ops *)&list;
    x->number = UINT64_MAX;
    x->site_number = UINT16_MAX;
    x->wait.what = "content";
    x->reply.count = REPLY_FIELDS;
    x->range_count = EXCHANGE_RANGES;
    x->trace.answers = UINT64_MAX;
    x->status_sent = UINT16_MAX;
    for (unsigned i = 0; i < FIELDS; i++)
        head_add(&x->req.head, SPAN("Host"), SPAN("a"));
    verdict_set(&x->verdict, R_gone, 3);
    verdict_set(&x->broken, R_client_closed_request, 3);
    while (arena_take(&x->arena, 1000) != NULL)
        continue;
}

static void test_nothing_is_left_of_the_last_exchange(void **state)
{
    struct exchange *x = take();

    (void)state;
    spoil(x);
    slot_return(&list, x);
    assert_ptr_equal(take(), x); /* the memory serves again */
    assert_true(is_zero(&x->facts, sizeof x->facts));
    assert_true(is_zero(&x->req.target, sizeof x->req.target));
    assert_null(x->codec);
    assert_null(x->wait.what);
    assert_null(x->waits[0].what);
    assert_true(x->number == 0);
    assert_int_equal(x->site_number, 0);
    assert_int_equal(x->reply.count, 0);
    assert_int_equal(x->range_count, 0);
    assert_true(x->trace.answers == 0);
    assert_int_equal(x->status_sent, 0);
    assert_int_equal(x->verdict.why, R_NONE);
    assert_int_equal(x->broken.why, R_NONE);
    assert_null(head_field(&x->req.head, FIELD_HOST));
    assert_false(x->arena.full);
    assert_non_null(arena_take(&x->arena, ARENA_BYTES));
    slot_return(&list, x);
}

static void test_tickets_grow_with_each_use(void **state)
{
    struct exchange *x = take();
    uint32_t first = x->wait.ticket;

    (void)state;
    slot_return(&list, x);
    assert_int_not_equal(x->wait.ticket, first); /* who comes late sees it, though x is in nobody's hands */
    assert_ptr_equal(take(), x);
    assert_int_not_equal(x->wait.ticket, first);
    slot_return(&list, x);
}

static void test_many_at_once(void **state)
{
    static const char letters[] = "0123456789abcdefghij";
    struct exchange *all[20];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        all[i] = take();
        head_add(&all[i]->req.head, SPAN("Host"), (struct span){ &letters[i], 1 });
    }
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(head_field(&all[i]->req.head, FIELD_HOST)->value.p[0], letters[i]);
    for (unsigned i = 0; i < 20; i++)
        slot_return(&list, all[i]);
}

static void count(void *counter)
{
    ++*(unsigned *)counter;
}

static void test_return_runs_what_was_deferred(void **state)
{
    struct exchange *x = take();
    unsigned counter = 0;

    (void)state;
    assert_true(arena_on_reset(&x->arena, count, &counter));
    slot_return(&list, x);
    assert_int_equal(counter, 1);
    slot_return(&list, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_new_exchange_is_empty, teardown),
        cmocka_unit_test_teardown(test_nothing_is_left_of_the_last_exchange, teardown),
        cmocka_unit_test_teardown(test_tickets_grow_with_each_use, teardown),
        cmocka_unit_test_teardown(test_many_at_once, teardown),
        cmocka_unit_test_teardown(test_return_runs_what_was_deferred, teardown),
    };

    return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
