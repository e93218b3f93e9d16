#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "made.h"
#include "record/tally.h"

static struct tally *tally;

static int setup(void **state)
{
    (void)state;
    tally = tally_new();
    assert_non_null(tally);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tally_release(&tally);
    assert_null(tally);
    return 0;
}

static uint64_t seed;

/* xorshift64 */
static unsigned by_chance(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 20);
}

/* An exchange, and what it must add to the branches. */
struct taken {
    struct exchange *x;
    bool failed;
    unsigned nodes, answers[GRAPH_NODES]; /* passed, with the way out */
    uint16_t node[GRAPH_NODES];
    unsigned stop; /* row, or TALLY_STOPS */
};

static bool is_failure(enum reason why)
{
    unsigned class = reason_code(why, DIALECT_RFC).wire / 100;

    return class == 0 || class >= 4;
}

static void end(struct taken *t, unsigned node, enum reason why)
{
    t->x->trace.at = (uint16_t)node;
    t->x->verdict.why = why;
    t->failed = is_failure(why);
}

/* Does the exchange end in this act? By one of its stops, or cut off while it waits. */
static bool ends_in(struct taken *t, unsigned node, unsigned choice)
{
    if (choice % 32 == 0) {
        end(t, node, R_client_closed_request);
        return !graph_may_stop(node, R_client_closed_request);
    }
    for (unsigned row = 0; row < graph_stop_count && choice % 32 == 1; row++)
        if (graph_stops[row].node == node && choice / 32 % 4 == row % 4) {
            end(t, node, (enum reason)graph_stops[row].why);
            t->stop = row;
            return true;
        }
    return false;
}

/* The answers of one path; the next one differs as far down as can be. */
struct choices {
    unsigned count;
    bool yes[TRACE_ANSWERS_MAX];
};

static bool choices_next(struct choices *c)
{
    while (c->count > 0 && c->yes[c->count - 1])
        c->count--;
    if (c->count > 0)
        c->yes[c->count - 1] = true;
    return c->count > 0;
}

/* What is chosen by now, then no. */
static bool choices_take(struct choices *c, unsigned question)
{
    if (question == c->count)
        c->yes[c->count++] = false;
    return c->yes[question];
}

/* Goes through the graph as told, or as chance has it; walk.h is not asked. */
static struct taken take(struct choices *told)
{
    struct taken t = { .x = made(SPAN("GET / HTTP/1.1\r\n\r\n")), .stop = TALLY_STOPS };
    unsigned at = 0, questions = 0;

    t.x->trace.answers = 1;
    for (;;) {
        const struct node *n = &graph_nodes[at];
        bool yes = false;
        struct edge edge;

        if (n->ask == NULL && told == NULL && ends_in(&t, at, by_chance()))
            return t;
        if (n->ask != NULL) {
            yes = told != NULL ? choices_take(told, questions++) : by_chance() % 2;
            t.x->trace.answers = t.x->trace.answers * 2 + yes;
        }
        t.node[t.nodes] = (uint16_t)at;
        t.answers[t.nodes++] = yes;
        edge = n->out[yes];
        if (edge.end != R_NONE) {
            end(&t, at, (enum reason)edge.end);
            return t;
        }
        at = edge.to;
    }
}

static void branches_take(struct branches *b, const struct taken *t)
{
    b->exchanges++;
    for (unsigned i = 0; i < t->nodes; i++)
        b->edges[t->node[i]][t->answers[i]]++;
    if (t->stop < TALLY_STOPS)
        b->stops[t->stop]++;
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void expect_branches(const struct branches *all, const struct branches *failed)
{
    struct branches is = { .exchanges = 0 };

    tally_branches(tally, false, &is);
    assert_memory_equal(&is, all, sizeof is);
    is = (struct branches){ .exchanges = 0 };
    tally_branches(tally, true, &is);
    assert_memory_equal(&is, failed, sizeof is);
}

static void count(struct branches both[2], const struct taken *t)
{
    tally_add(tally, t->x);
    branches_take(&both[0], t);
    if (t->failed)
        branches_take(&both[1], t);
}

/* Few different paths, many times each, with acts that stop or are cut off. */
static void paths_are_told_as_branches(void **state)
{
    struct branches both[2] = { { .exchanges = 0 } };
    unsigned stopped = 0, cut_off = 0;

    (void)state;
    seed = 88172645463325252u;
    for (unsigned n = 0; n < 20000; n++) {
        struct taken t = take(NULL);

        count(both, &t);
        stopped += t.stop < TALLY_STOPS;
        cut_off += t.x->verdict.why == R_client_closed_request && t.stop == TALLY_STOPS;
    }
    assert_true(stopped > 0 && cut_off > 0 && both[1].exchanges > 0 && both[1].exchanges < both[0].exchanges);
    assert_int_equal(get(&tally->beyond_exchanges[0]) + get(&tally->beyond_exchanges[1]), 0);
    expect_branches(&both[0], &both[1]);
}

/* All paths of the graph, which are more than the places: what finds none is counted step by step. */
static void more_paths_than_places(void **state)
{
    struct branches both[2] = { { .exchanges = 0 } };
    uint64_t places = 0;

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        struct choices c = { .count = 0 };

        do {
            struct taken t = take(&c);

            count(both, &t);
        } while (choices_next(&c));
        for (unsigned n = 0; n < 1000; n++) {
            struct taken t = take(NULL);

            count(both, &t);
        }
    }
    for (unsigned i = 0; i < TALLY_PATHS; i++)
        places += get(&tally->paths[i].count) > 0;
    assert_true(both[0].exchanges > 2 * TALLY_PATHS && places > TALLY_PATHS * 3 / 4);
    assert_true(get(&tally->beyond_exchanges[0]) > 0 && get(&tally->beyond_exchanges[1]) > 0);
    expect_branches(&both[0], &both[1]);
}

/* Branches are added to what is there already: those of other workers. */
static void branches_add_up(void **state)
{
    struct branches twice = { .exchanges = 0 };
    struct exchange *x = made(SPAN("GET / HTTP/1.1\r\n\r\n"));

    (void)state;
    x->trace = (struct trace){ 0, N_receive };
    x->verdict.why = R_request_timeout;
    tally_add(tally, x);
    tally_branches(tally, false, &twice);
    tally_branches(tally, true, &twice);
    assert_int_equal(twice.exchanges, 2);
    for (unsigned row = 0; row < graph_stop_count; row++)
        assert_int_equal(twice.stops[row],
                         graph_stops[row].node == N_receive && graph_stops[row].why == R_request_timeout ? 2 : 0);
}

/* A path differs by its answers, by where it ended, and by why: each of these is another one, until all is full. */
static void places_are_for_one_path(void **state)
{
    struct exchange *x = made(SPAN("GET / HTTP/1.1\r\n\r\n"));

    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        uint64_t places = 0;

        for (unsigned n = 0; n < 20 * TALLY_PATHS; n++) {
            x->trace = (struct trace){ kind == 0 ? n + 1 : 1, (uint16_t)(kind == 1 ? n : 0) };
            x->verdict.why = kind == 2 ? R_MORE + 1 + n % (R_COUNT - R_MORE - 1) : R_request_ok;
            tally_add(tally, x);
            if (kind == 2 && n == R_COUNT - R_MORE - 2)
                break;
        }
        for (unsigned p = 0; p < TALLY_PATHS; p++) {
            assert_true(get(&tally->paths[p].count) <= 1);
            places += get(&tally->paths[p].count);
        }
        assert_true(places > (kind == 2 ? R_COUNT / 2 : TALLY_PATHS / 2));
        tally_release(&tally);
        tally = tally_new();
    }
}

static void a_path_comes_back_to_its_place(void **state)
{
    struct exchange *x = made(SPAN("GET / HTTP/1.1\r\n\r\n"));
    unsigned found = 0;

    (void)state;
    for (unsigned n = 0; n < 300; n++) {
        x->trace = (struct trace){ 1 + n % 100, N_receive };
        tally_add(tally, x);
    }
    for (unsigned p = 0; p < TALLY_PATHS; p++)
        if (get(&tally->paths[p].count) > 0) {
            assert_int_equal(get(&tally->paths[p].count), 3);
            assert_in_range(tally->paths[p].answers, 1, 100);
            assert_int_equal(tally->paths[p].at, N_receive);
            assert_int_equal(tally->paths[p].why, R_request_ok);
            found++;
        }
    assert_int_equal(found, 100);
}

static void durations_are_told_apart(void **state)
{
    static const struct {
        uint64_t from_ms, to_ms;
        unsigned bucket;
    } rows[] = {
        { 1000, 1000, 0 }, { 1000, 1001, 0 }, { 1000, 1002, 1 },  { 1000, 1003, 2 }, { 1000, 1005, 2 },
        { 1000, 1006, 3 }, { 1, 11, 3 },      { 1, 26, 4 },       { 1, 51, 5 },      { 1, 101, 6 },
        { 1, 251, 7 },     { 1, 501, 8 },     { 1, 1001, 9 },     { 1, 2501, 10 },   { 1, 5001, 11 },
        { 1, 10001, 12 },  { 1, 10002, 13 },  { 1, 1000000, 13 }, { 0, 10002, 0 },   { 5, 1, 0 },
    };
    struct exchange *x = made(SPAN("GET / HTTP/1.1\r\n\r\n"));
    uint64_t sum = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = get(&tally->durations[rows[i].bucket]);

        x->moments.first_byte_ms = rows[i].from_ms;
        x->moments.ended_ms = rows[i].to_ms;
        sum += rows[i].from_ms > 0 && rows[i].to_ms > rows[i].from_ms ? rows[i].to_ms - rows[i].from_ms : 0;
        tally_add(tally, x);
        assert_int_equal(get(&tally->durations[rows[i].bucket]), before + 1);
        assert_int_equal(get(&tally->duration_ms), sum);
    }
}

static void ends_are_counted_by_site_dialect_and_reason(void **state)
{
    static const struct {
        uint16_t site, row;
    } sites[] = { { 0, 0 }, { 127, 127 }, { 128, 128 }, { 129, 128 }, { 65535, 128 } };
    static const struct policy iis = { .dialect = DIALECT_IIS };
    struct exchange *x = made(SPAN("GET / HTTP/1.1\r\n\r\n"));

    (void)state;
    x->policy = &iis;
    x->verdict.why = R_not_found;
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
        uint64_t before = get(&tally->ends[sites[i].row][DIALECT_IIS][R_not_found]);

        x->site_number = sites[i].site;
        tally_add(tally, x);
        assert_int_equal(get(&tally->ends[sites[i].row][DIALECT_IIS][R_not_found]), before + 1);
    }
    assert_int_equal(get(&tally->ends[0][DIALECT_RFC][R_not_found]), 0);
}

static void bytes_and_gauges(void **state)
{
    struct exchange *x = made(SPAN("GET / HTTP/1.1\r\n\r\n"));

    (void)state;
    x->bytes_in = 10;
    x->bytes_out = UINT64_C(1) << 40;
    tally_add(tally, x);
    tally_add(tally, x);
    assert_int_equal(get(&tally->bytes_in), 20);
    assert_int_equal(get(&tally->bytes_out), UINT64_C(2) << 40);
    tally_connections(tally, 1);
    tally_connections(tally, 1);
    tally_connections(tally, -1);
    tally_running(tally, 1);
    assert_int_equal(atomic_load(&tally->connections), 1);
    assert_int_equal(get(&tally->connections_accepted), 2);
    assert_int_equal(atomic_load(&tally->running), 1);
    tally_running(tally, -1);
    assert_int_equal(atomic_load(&tally->running), 0);
}

static void all_stops_have_a_counter(void **state)
{
    (void)state;
    assert_true(graph_stop_count <= TALLY_STOPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths_are_told_as_branches, setup, teardown),
        cmocka_unit_test_setup_teardown(more_paths_than_places, setup, teardown),
        cmocka_unit_test_setup_teardown(branches_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(places_are_for_one_path, setup, teardown),
        cmocka_unit_test_setup_teardown(a_path_comes_back_to_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(durations_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_are_counted_by_site_dialect_and_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_and_gauges, setup, teardown),
        cmocka_unit_test(all_stops_have_a_counter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
