#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake.h"
#include "graph/walk.h"

struct graph_case {
    const char *name, *request;
    struct fake fake;
    enum reason want;
    const char *path_tail;
};

static const struct span links[] = { SPAN_INIT("</a.css>; rel=preload; as=style"), SPAN_INIT("</a.js>; rel=preload") };
static const struct span ann = SPAN_INIT("CN=ann"), bob = SPAN_INIT("CN=bob");

static const struct graph_case cases[] = {
#include "cases.inc"
};

static bool taken[GRAPH_NODES][2]; /* by all cases together */

static void take(struct trace trace)
{
    struct walk w;

    walk_init(&w, trace);
    while (walk_next(&w))
        taken[w.node][w.yes] = true;
}

static void test_cases(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct graph_case *c = &cases[i];
        struct fake_result r;

        fake_run(c->request, &c->fake, &r);
        take(r.trace);
        if (r.verdict.why == c->want && span_ends(span_of(r.path), span_of(c->path_tail)))
            continue;
        fprintf(stderr, "%s: %s by %s\n", c->name, reason_info(r.verdict.why)->name, r.path);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* A branch that no case takes has never been seen to work. */
static void test_every_branch(void **state)
{
    unsigned missing = 0;

    (void)state;
    for (unsigned n = 0; n < GRAPH_NODES; n++)
        for (unsigned answer = 0; answer < (graph_nodes[n].ask != NULL ? 2u : 1u); answer++)
            if (!taken[n][answer]) {
                fprintf(stderr, "branch not taken: %s %s\n", graph_nodes[n].name, answer ? "yes" : "no");
                missing++;
            }
    assert_int_equal(missing, 0);
}

static void hinted(struct fake fake, unsigned interims, uint32_t fields)
{
    struct fake_result r;

    fake.policy.hints_h1 = true;
    fake_run("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", &fake, &r);
    assert_int_equal(r.interims, interims);
    if (interims > 0) {
        assert_int_equal(r.interim, R_early_hints);
        assert_int_equal(r.interim_fields, fields);
    }
}

/* One interim response with a Link for each hint, as many as there may be. */
static void test_hints(void **state)
{
    static const struct span link = SPAN_INIT("</a.css>; rel=preload");
    struct span many[HINTS_MAX + 1];

    (void)state;
    for (unsigned i = 0; i <= HINTS_MAX; i++)
        many[i] = link;
    hinted((struct fake){ .policy.hint_count = 0 }, 0, 0);
    hinted((struct fake){ .policy = { .hints = links, .hint_count = 2 } }, 1, 2);
    hinted((struct fake){ .policy = { .site_hints = links, .site_hint_count = 2 } }, 1, 2);
    hinted((struct fake){ .policy = { .hints = links, .hint_count = 2, .site_hints = links, .site_hint_count = 1 } }, 2,
           2);
    hinted((struct fake){ .policy = { .hints = many, .hint_count = HINTS_MAX + 1 } }, 1, HINTS_MAX);
}

static bool asks(const struct exchange *x)
{
    (void)x;
    return true;
}

static enum flow acts(struct exchange *x)
{
    (void)x;
    return FLOW_GO;
}

#define TO(n)       \
    {               \
        (n), R_NONE \
    }
#define OUT(r)   \
    {            \
        0, R_##r \
    }

/* Graphs of two or three nodes, each with one fault. */
static const struct node looping[] = { { .name = "a", .act = acts, .out = { TO(1) } },
                                       { .name = "b", .ask = asks, .out = { TO(1), OUT(gone) } } };
static const struct node leaving[] = { { .name = "a", .act = acts, .out = { TO(7) } } };
static const struct node ignorant[] = { { .name = "a", .act = acts, .out = { TO(1) } },
                                        { .name = "b", .act = acts, .needs = F_META, .out = { OUT(gone) } } };
static const struct node lonely[] = { { .name = "a", .act = acts, .out = { OUT(gone) } },
                                      { .name = "b", .act = acts, .out = { OUT(gone) } } };
static const struct node good[] = {
    { .name = "a", .act = acts, .gives = F_META, .out = { TO(1) } },
    { .name = "b", .ask = asks, .needs = F_META, .out = { OUT(gone), OUT(not_found) } }
};
static const struct graph_stop of_an_ask[] = { { 1, R_acl_denied } };
static const struct graph_stop twice[] = { { 0, R_acl_denied }, { 0, R_acl_denied } };
static const struct graph_stop of_the_edge[] = { { 0, R_gone } };
static const struct graph_block upside_down[] = { { "one", 1 }, { "two", 0 } };

static void test_lint_finds_each_fault(void **state)
{
    const struct graph faulty[] = {
        { .nodes = looping, .node_count = 2 },
        { .nodes = leaving, .node_count = 1 },
        { .nodes = ignorant, .node_count = 2 },
        { .nodes = lonely, .node_count = 2 },
        { .nodes = good, .node_count = 2, .stops = of_an_ask, .stop_count = 1 },
        { .nodes = good, .node_count = 2, .stops = twice, .stop_count = 2 },
        { .nodes = lonely, .node_count = 1, .stops = of_the_edge, .stop_count = 1 },
        { .nodes = good, .node_count = 2, .blocks = upside_down, .block_count = 2 },
    };

    (void)state;
    assert_int_equal(graph_lint(&(struct graph){ .nodes = good, .node_count = 2 }), 0);
    for (size_t i = 0; i < sizeof faulty / sizeof faulty[0]; i++)
        assert_int_equal(graph_lint(&faulty[i]), 1);
}

static void test_lint_counts_questions(void **state)
{
    struct node many[TRACE_ANSWERS_MAX + 1];

    (void)state;
    for (unsigned n = 0; n <= TRACE_ANSWERS_MAX; n++)
        many[n] = (struct node){ .name = "q", .ask = asks, .out = { TO((uint16_t)(n + 1)), OUT(gone) } };
    many[TRACE_ANSWERS_MAX].out[0] = (struct edge)OUT(not_found);
    assert_int_equal(graph_lint(&(struct graph){ .nodes = many, .node_count = TRACE_ANSWERS_MAX + 1 }), 1);
    many[TRACE_ANSWERS_MAX - 1].out[0] = (struct edge)OUT(not_found);
    assert_int_equal(graph_lint(&(struct graph){ .nodes = many, .node_count = TRACE_ANSWERS_MAX }), 0);
}

static void test_lint(void **state)
{
    (void)state;
    assert_int_equal(graph_lint(&server_graph), 0);
}

enum listed { NOT_LISTED, AFTER, LATER };

static const enum listed listed[R_COUNT] = {
#define LISTED(reason) [R_##reason] = AFTER,
#include "after.inc"
#undef LISTED
#define LISTED(reason) [R_##reason] = LATER,
#include "later.inc"
#undef LISTED
};

static bool graph_ends_with(enum reason why)
{
    for (unsigned n = 0; n < GRAPH_NODES; n++)
        if (graph_nodes[n].out[0].end == why || graph_nodes[n].out[1].end == why)
            return true;
    for (size_t i = 0; i < graph_stop_count; i++)
        if (graph_stops[i].why == why)
            return true;
    return false;
}

/* Every reason can really happen, or is listed as one that cannot yet; and the lists do not outlive their truth. */
static void test_every_reason(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (unsigned r = R_MORE + 1; r < R_COUNT; r++) {
        if (graph_ends_with(r) ? listed[r] != LATER : listed[r] != NOT_LISTED)
            continue;
        fprintf(stderr, "%s: %s\n", reason_info(r)->name, listed[r] == LATER ? "listed as later" : "not reachable");
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_stops_are_declared(void **state)
{
    (void)state;
    assert_true(graph_may_stop(N_open, R_acl_denied));
    assert_false(graph_may_stop(N_open, R_gone));
    assert_false(graph_may_stop(N_exists, R_acl_denied));
}

static void test_path_is_cut_at_a_node(void **state)
{
    struct trace t = { .answers = 3, .at = N_admitted };
    char small[12], room[64];

    (void)state;
    assert_int_equal(walk_print(t, R_NONE, small, sizeof small), strlen("receive>"));
    assert_string_equal(small, "receive>");
    walk_print(t, R_NONE, room, sizeof room);
    assert_string_equal(room, "receive> admitted+");
}

static void test_a_foreign_trace_ends_early(void **state)
{
    struct trace t = { .answers = 1, .at = N_remove };
    char room[64];

    (void)state;
    walk_print(t, R_NONE, room, sizeof room);
    assert_string_equal(room, "receive>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lint),
        cmocka_unit_test(test_lint_finds_each_fault),
        cmocka_unit_test(test_lint_counts_questions),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_branch),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_every_reason),
        cmocka_unit_test(test_stops_are_declared),
        cmocka_unit_test(test_path_is_cut_at_a_node),
        cmocka_unit_test(test_a_foreign_trace_ends_early),
    };

    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
