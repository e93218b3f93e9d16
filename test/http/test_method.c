#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/method.h"

static void every_name_finds_its_method(void **state)
{
    (void)state;
    for (unsigned m = M_UNKNOWN + 1; m < METHODS; m++) {
        struct span name = method_info((enum method)m)->name;

        assert_int_equal(method_find(guarded(name)), m);
        assert_true(name.n <= 32); /* the parser answers method-unknown to longer ones */
    }
}

static void near_misses_are_unknown(void **state)
{
    static const char *const names[] = { "", "G", "GE", "GETX", "get", "Get", "PRI", "VERSION_CONTROL", "PROPFIN" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(method_find(guarded(span_of(names[i]))), M_UNKNOWN);
}

static void safe_methods_are_idempotent(void **state)
{
    (void)state;
    for (unsigned m = 0; m < METHODS; m++)
        if (method_info((enum method)m)->safe)
            assert_true(method_info((enum method)m)->idempotent);
    assert_true(method_info(M_GET)->safe);
    assert_false(method_info(M_UNKNOWN)->safe);
    assert_false(method_info(M_POST)->idempotent);
    assert_true(method_info(M_PUT)->idempotent);
}

static void a_set_becomes_the_value_of_allow(void **state)
{
    uint64_t set = UINT64_C(1) << M_GET | UINT64_C(1) << M_OPTIONS | UINT64_C(1) << M_HEAD;
    char text[METHOD_LIST_BYTES];

    (void)state;
    assert_int_equal(method_list(0, text, sizeof text), 0);
    assert_int_equal(method_list(1, text, sizeof text), 0);
    assert_int_equal(method_list(set, text, sizeof text), 18);
    assert_memory_equal(text, "GET, HEAD, OPTIONS", 18);
    text[5] = 'x';
    assert_int_equal(method_list(set, text, 5), 18);
    assert_memory_equal(text, "GET, xEAD", 9);
    assert_true(method_list(UINT64_MAX, text, sizeof text) <= METHOD_LIST_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_finds_its_method),
        cmocka_unit_test(near_misses_are_unknown),
        cmocka_unit_test(safe_methods_are_idempotent),
        cmocka_unit_test(a_set_becomes_the_value_of_allow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
