#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/history.h"
#include "kept.h"

#define BEGUN_MS UINT64_C(1000000)

static struct kept_server server;
static struct history *history;

static int setup(void **state)
{
    (void)state;
    kept_begin(&server, 4, 4);
    history = history_new(&server.source, BEGUN_MS);
    return history == NULL;
}

static int teardown(void **state)
{
    (void)state;
    history_release(&history);
    kept_end(&server);
    return 0;
}

static void serve(uint32_t worker, unsigned count, enum reason why)
{
    for (unsigned i = 0; i < count; i++)
        keep(&server, worker, &(struct kept){ .why = why, .path = "receive> admitted+" });
}

static const struct kept refused = { .why = R_bare_line_feed, .path = "receive>" };

/* Exchanges and edges of the last minutes, and how long that is. */
static void expect(uint32_t minutes, bool failures, uint64_t now_ms, uint64_t exchanges, uint64_t covers_ms)
{
    struct branches b;
    uint64_t covered;

    memset(&b, 0xff, sizeof b);
    history_branches(history, minutes, failures, now_ms, &b, &covered);
    assert_int_equal(b.exchanges, exchanges);
    assert_int_equal(b.edges[N_admitted][1], exchanges);
    assert_int_equal(b.edges[N_receive][0], exchanges);
    assert_int_equal(b.edges[N_admitted][0], 0);
    assert_int_equal(covered, covers_ms);
}

static void young_servers_tell_what_they_have(void **state)
{
    (void)state;
    serve(0, 3, R_request_ok);
    serve(1, 2, R_not_found);
    serve(KEPT_ADMIN, 7, R_request_ok);
    expect(0, false, BEGUN_MS + 10, 5, 10);
    expect(0, true, BEGUN_MS + 10, 2, 10);
    expect(15, false, BEGUN_MS + 10, 5, 10);
    expect(1, true, BEGUN_MS, 2, 0);
    history_release(&history);
    assert_null(history);
    history_release(&history);
}

static void stops_are_told_too(void **state)
{
    struct branches b;
    uint64_t covers_ms, stops = 0;

    (void)state;
    keep(&server, 0, &refused);
    history_tick(history, BEGUN_MS + 5000);
    keep(&server, 0, &refused);
    history_branches(history, 1, true, BEGUN_MS + 70000, &b, &covers_ms);
    for (size_t row = 0; row < graph_stop_count; row++) {
        assert_int_equal(b.stops[row], graph_stops[row].node == N_receive && graph_stops[row].why == R_bare_line_feed);
        stops += b.stops[row];
    }
    assert_int_equal(stops, 1);
    assert_int_equal(b.exchanges, 1);
    assert_int_equal(covers_ms, 65000);
}

/* One exchange a second for forty minutes: the last minutes are told apart, up to the spacing of the samples. */
static void the_last_minutes_are_told_apart(void **state)
{
    uint64_t now_ms = BEGUN_MS;

    (void)state;
    for (unsigned second = 1; second <= 2400; second++) {
        now_ms += 1000;
        history_tick(history, now_ms);
        serve(second % 2, 1, second % 10 == 0 ? R_not_found : R_request_ok);
        if (second == 30)
            expect(1, false, now_ms, 30, 30000);
    }
    expect(0, false, now_ms, 2400, 2400000);
    expect(0, true, now_ms, 240, 2400000);
    expect(1, false, now_ms, 61, 60000);
    expect(1, false, now_ms + 4000, 61, 64000);
    expect(1, false, now_ms + 5000, 56, 60000);
    expect(5, false, now_ms, 301, 300000);
    expect(5, true, now_ms, 31, 300000);
    expect(15, false, now_ms, 901, 900000);
    expect(15, false, now_ms + 4999, 901, 904999);
}

static void near(double got, double want)
{
    assert_true(got > want - 0.01 && got < want + 0.01);
}

static void rates_are_of_the_last_seconds(void **state)
{
    uint64_t now_ms = BEGUN_MS;

    (void)state;
    near(history_rate(history, now_ms), 0);
    serve(0, 3, R_request_ok);
    serve(KEPT_ADMIN, 3, R_request_ok);
    near(history_rate(history, now_ms), 3); /* as if a second had passed */
    near(history_rate(history, now_ms + 2000), 1.5);
    for (unsigned tick = 1; tick <= 100; tick++) {
        now_ms += 200;
        serve(tick % 2, 2, R_request_ok);
        history_tick(history, now_ms);
    }
    near(history_rate(history, now_ms), 10);
    for (unsigned tick = 1; tick <= 5; tick++) {
        now_ms += 1000;
        history_tick(history, now_ms);
    }
    near(history_rate(history, now_ms), 5);
    for (unsigned tick = 1; tick <= 6; tick++) {
        now_ms += 1000;
        history_tick(history, now_ms);
    }
    near(history_rate(history, now_ms), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(young_servers_tell_what_they_have, setup, teardown),
        cmocka_unit_test_setup_teardown(stops_are_told_too, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_minutes_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(rates_are_of_the_last_seconds, setup, teardown),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
