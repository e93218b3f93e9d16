#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/find.h"
#include "kept.h"

#define MOST 64u

static struct kept_server server;

static int setup(void **state)
{
    (void)state;
    kept_begin(&server, 16, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kept_end(&server);
    return 0;
}

/* One that succeeded, or one that failed, which is in both rings. */
static void ended(uint32_t worker, uint64_t ms, uint64_t number)
{
    keep(&server, worker, &(struct kept){ .number = number, .ended_ms = ms });
}

static void failed(uint32_t worker, uint64_t ms, uint64_t number)
{
    keep(&server, worker, &(struct kept){ .number = number, .ended_ms = ms, .why = R_not_found });
}

struct walked {
    uint64_t numbers[MOST];
    uint32_t workers[MOST];
    uint32_t count;
};

static void walk(struct find *f, struct walked *w)
{
    const struct record *r;
    uint64_t before_ms = UINT64_MAX;

    w->count = 0;
    while ((r = find_next(f)) != NULL) {
        assert_true(w->count < MOST && r->moments.ended_ms <= before_ms);
        before_ms = r->moments.ended_ms;
        w->workers[w->count] = f->worker;
        w->numbers[w->count++] = r->number;
    }
    assert_null(find_next(f));
}

static void expect(bool of_admin, struct find_cursor before, const uint64_t *numbers, uint32_t count)
{
    struct walked w;
    struct find f;

    assert_true(find_begin(&f, &server.source, of_admin));
    f.before = before;
    walk(&f, &w);
    find_end(&f);
    assert_int_equal(w.count, count);
    assert_memory_equal(w.numbers, numbers, count * sizeof *numbers);
}

#define EXPECT(before, ...)                                                      \
    expect(false, (struct find_cursor)before, (const uint64_t[]){ __VA_ARGS__ }, \
           sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))
#define ALL \
    {       \
        0   \
    }
#define BEHIND(ms, n)   \
    {                   \
        (ms), (n), true \
    }

static void nothing_is_found_in_nothing(void **state)
{
    (void)state;
    expect(false, (struct find_cursor){ 0 }, NULL, 0);
    expect(true, (struct find_cursor){ 0 }, NULL, 0);
    expect(false, (struct find_cursor)BEHIND(5, 5), NULL, 0);
}

static void all_workers_come_newest_first(void **state)
{
    struct walked w;
    struct find f;

    (void)state;
    ended(0, 10, 1);
    ended(1, 11, 2);
    failed(1, 12, 3);
    ended(0, 13, 4);
    ended(0, 14, 5);
    keep(&server, KEPT_ADMIN, &(struct kept){ .number = 6, .ended_ms = 12 });
    assert_true(find_begin(&f, &server.source, false));
    walk(&f, &w);
    find_end(&f);
    assert_memory_equal(w.numbers, ((const uint64_t[]){ 5, 4, 3, 2, 1 }), 5 * sizeof(uint64_t));
    assert_memory_equal(w.workers, ((const uint32_t[]){ 0, 0, 1, 1, 0 }), 5 * sizeof(uint32_t));
    assert_int_equal(w.count, 5);
    expect(true, (struct find_cursor){ 0 }, (const uint64_t[]){ 6 }, 1);
}

/* The last 16 of all, and of older ones the failures. */
static void failures_are_found_longer_and_once(void **state)
{
    (void)state;
    failed(0, 1, 1);
    ended(0, 2, 2);
    failed(0, 3, 3);
    for (uint64_t i = 4; i <= 17; i++)
        ended(0, i, i);
    failed(0, 17, 18);
    EXPECT(ALL, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 1);
}

/* Several failures, in one millisecond, of which `all` has only the last: each comes once. */
static void of_one_millisecond_each_comes_once(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 6; i++)
        failed(0, 5, i);
    for (uint64_t i = 7; i <= 18; i++)
        ended(0, 5, i);
    for (uint64_t i = 19; i <= 20; i++)
        failed(1, 5, i);
    EXPECT(ALL, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 20, 19);
}

static void a_cursor_goes_on_where_it_was(void **state)
{
    (void)state;
    failed(0, 10, 1);
    ended(1, 10, 2);
    ended(0, 11, 3);
    ended(0, 11, 4);
    failed(1, 11, 5);
    ended(1, 13, 6);
    EXPECT(ALL, 6, 4, 3, 5, 1, 2);
    EXPECT(BEHIND(13, 6), 4, 3, 5, 1, 2);
    EXPECT(BEHIND(11, 4), 3, 5, 1, 2);
    EXPECT(BEHIND(11, 3), 5, 1, 2);
    EXPECT(BEHIND(11, 5), 1, 2);
    EXPECT(BEHIND(10, 1), 2);
    expect(false, (struct find_cursor)BEHIND(10, 2), NULL, 0);
    /* gone, or never there */
    EXPECT(BEHIND(12, 9), 4, 3, 5, 1, 2);
    EXPECT(BEHIND(11, 9), 1, 2);
    EXPECT(BEHIND(99, 9), 6, 4, 3, 5, 1, 2);
    expect(false, (struct find_cursor)BEHIND(9, 9), NULL, 0);
}

/* Pages of three, while new ones come: all that was there comes once. */
static void pages_hold_while_exchanges_come(void **state)
{
    struct find_cursor next = { 0 };
    uint64_t want = 12;

    (void)state;
    for (uint64_t i = 1; i <= 12; i++)
        ended(i % 2 == 0, i / 3, i);
    for (unsigned page = 0; page < 4; page++) {
        struct find f;

        assert_true(find_begin(&f, &server.source, false));
        f.before = next;
        for (unsigned i = 0; i < 3; i++) {
            const struct record *r = find_next(&f);

            assert_non_null(r);
            want--;
            next = (struct find_cursor){ r->moments.ended_ms, r->number, true };
        }
        find_end(&f);
        ended(0, 4 + page, 100 + page);
    }
    assert_int_equal(want, 0);
    expect(false, next, NULL, 0);
}

/* What is overwritten in the midst of a walk is left away, and the walk ends. */
static void what_vanishes_is_passed_over(void **state)
{
    const struct record *r;
    struct find f;

    (void)state;
    for (uint64_t i = 1; i <= 15; i++)
        ended(0, i, i);
    assert_true(find_begin(&f, &server.source, false));
    r = find_next(&f);
    assert_int_equal(r->number, 15);
    for (uint64_t i = 16; i <= 25; i++)
        ended(0, i, i);
    for (uint64_t want = 14; want >= 11; want--) { /* the place of 10 is the next one's */
        r = find_next(&f);
        assert_non_null(r);
        assert_int_equal(r->number, want);
    }
    assert_null(find_next(&f));
    find_end(&f);
}

static void nothing_is_found_where_nothing_is_recorded(void **state)
{
    struct kept_server none = { 0 };
    struct find f;

    (void)state;
    kept_begin(&none, 0, 0);
    keep(&none, 0, &(struct kept){ .number = 1, .ended_ms = 1, .why = R_not_found });
    assert_true(find_begin(&f, &none.source, false));
    assert_null(find_next(&f));
    find_end(&f);
    kept_end(&none);
}

static void one_is_found_by_its_id(void **state)
{
    uint32_t worker = 9;
    struct record *r;

    (void)state;
    assert_null(find_id(&server.source, SPAN("last"), &worker));
    failed(1, 10, 1);
    keep(&server, 0,
         &(struct kept){ .number = 33, .ended_ms = 11, .operand = "/a", .route = "/r", .reply = "HTTP/1.1" });
    keep(&server, KEPT_ADMIN, &(struct kept){ .number = 3, .ended_ms = 12 });
    r = find_id(&server.source, SPAN("last"), &worker);
    assert_non_null(r);
    assert_int_equal(r->number, 33);
    assert_int_equal(worker, 0);
    assert_true(span_is(record_route(r), SPAN("/r")) && span_is(record_operand(r), SPAN("/a")));
    free(r);
    for (const char *const *id = (const char *const[]){ "10000000", "11000000", "30000000", NULL }; *id != NULL; id++) {
        r = find_id(&server.source, span_of(*id), &worker);
        assert_non_null(r);
        assert_int_equal(worker, **id == '3' ? KEPT_ADMIN : (*id)[1] == '1' ? 0 : 1);
        free(r);
    }
    assert_null(find_id(&server.source, SPAN("20000000"), &worker));
    assert_null(find_id(&server.source, SPAN("1000000"), &worker));
    assert_null(find_id(&server.source, SPAN("LAST"), &worker));
    assert_null(find_id(&server.source, SPAN(""), &worker));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_found_in_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(all_workers_come_newest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_are_found_longer_and_once, setup, teardown),
        cmocka_unit_test_setup_teardown(of_one_millisecond_each_comes_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cursor_goes_on_where_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_hold_while_exchanges_come, setup, teardown),
        cmocka_unit_test_setup_teardown(what_vanishes_is_passed_over, setup, teardown),
        cmocka_unit_test(nothing_is_found_where_nothing_is_recorded),
        cmocka_unit_test_setup_teardown(one_is_found_by_its_id, setup, teardown),
    };

    return cmocka_run_group_tests_name("find", tests, NULL, NULL);
}
