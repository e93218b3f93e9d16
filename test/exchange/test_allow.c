#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exchange/allow.h"

#define BIT(m)  (UINT64_C(1) << (m))
#define READS   (BIT(M_GET) | BIT(M_HEAD))
#define WRITES  (BIT(M_PUT) | BIT(M_DELETE))
#define OPTIONS BIT(M_OPTIONS)

struct allow_case {
    const char *name, *allow;
    uint64_t offered, understood; /* by the policy, by the resource; 0: there is no resource */
    bool trace, is_collection;
};

static const struct allow_case cases[] = {
    { "no resource yet", "GET, HEAD, OPTIONS", READS | WRITES, 0, false, false },
    { "no resource yet, TRACE on", "GET, HEAD, OPTIONS", READS, 0, true, false },
    { "read only", "GET, HEAD, OPTIONS", READS, READS | WRITES, false, false },
    { "all", "GET, HEAD, PUT, DELETE, OPTIONS", READS | WRITES, READS | WRITES | OPTIONS, false, false },
    { "the resource understands less", "GET, HEAD, OPTIONS", UINT64_MAX, READS, false, false },
    { "nothing in common", "OPTIONS", WRITES, READS, false, false },
    { "TRACE on", "GET, HEAD, OPTIONS, TRACE", READS, READS, true, false },
    { "TRACE is never the resource's", "GET, HEAD, OPTIONS", READS, READS | BIT(M_TRACE), false, false },
    { "a collection is not written", "GET, HEAD, OPTIONS", READS | WRITES, READS | WRITES, false, true },
    { "a collection that may be traced", "GET, HEAD, OPTIONS, TRACE", READS | WRITES, READS | WRITES, true, true },
};

/* The names of a text "GET, HEAD" as a set. */
static uint64_t set_of(struct span names)
{
    uint64_t set = 0;

    while (names.n > 0) {
        size_t comma = span_find(names, ',');
        enum method m = method_find(span_trim((struct span){ names.p, comma }));

        assert_int_not_equal(m, M_UNKNOWN);
        assert_false(set & BIT(m));
        set |= BIT(m);
        names = span_from(names, comma < names.n ? comma + 1 : comma);
    }
    return set;
}

static void allow_run(const struct allow_case *c)
{
    struct policy policy = { .methods = c->offered, .trace = c->trace };
    struct resource_ops resource = { .methods = c->understood };
    struct exchange *x = calloc(1, sizeof *x);

    arena_init(&x->arena, NULL, 0, 4096);
    x->policy = &policy;
    x->res = c->understood != 0 ? &resource : NULL;
    x->facts.is_collection = c->is_collection;
    allow_add(x);
    if (exchange_methods(x, METHODS_DECIDE) != set_of(span_of(c->allow)) ||
        set_of(x->reply_fields[0].value) != exchange_methods(x, METHODS_TELL) ||
        exchange_methods(x, METHODS_TELL) != exchange_methods(x, METHODS_DECIDE))
        fail_msg("%s: %.*s", c->name, (int)x->reply_fields[0].value.n, x->reply_fields[0].value.p);
    assert_int_equal(x->reply.count, 1);
    assert_true(span_is(x->reply_fields[0].name, SPAN("Allow")));
    arena_reset(&x->arena);
    free(x);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        allow_run(&cases[i]);
}

/* Before the route is known there is no policy either. */
static void test_without_policy(void **state)
{
    struct exchange *x = calloc(1, sizeof *x);

    (void)state;
    assert_true(exchange_methods(x, METHODS_DECIDE) == (READS | OPTIONS));
    free(x);
}

/* PUT and DELETE on /dir/ are refused with reasons of their own, and not told. */
static void test_named_collection(void **state)
{
    static const struct {
        const char *path;
        uint64_t told;
    } paths[] = { { "/", READS | OPTIONS },
                  { "/dir/", READS | OPTIONS },
                  { "/dir", READS | WRITES | OPTIONS },
                  { "", READS | WRITES | OPTIONS } };
    struct policy policy = { .methods = READS | WRITES };
    struct resource_ops resource = { .methods = READS | WRITES };
    struct exchange *x = calloc(1, sizeof *x);

    (void)state;
    x->policy = &policy;
    x->res = &resource;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        x->req.path = span_of(paths[i].path);
        assert_true(exchange_methods(x, METHODS_TELL) == paths[i].told);
        assert_true(exchange_methods(x, METHODS_DECIDE) == (READS | WRITES | OPTIONS));
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_without_policy),
        cmocka_unit_test(test_named_collection),
    };

    return cmocka_run_group_tests_name("allow", tests, NULL, NULL);
}
