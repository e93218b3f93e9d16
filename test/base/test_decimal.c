#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

static void check(uint64_t number)
{
    char want[DECIMAL_BYTES + 1], got[DECIMAL_BYTES];
    int n = snprintf(want, sizeof want, "%" PRIu64, number);

    assert_int_equal(decimal_write(got, number) - got, n);
    assert_memory_equal(got, want, (size_t)n);
}

/* Around each power of ten, where a number gets longer, and each pair of digits. */
static void test_write(void **state)
{
    uint64_t power = 1;

    (void)state;
    for (unsigned digits = 1; digits <= DECIMAL_BYTES; digits++) {
        check(power - 1);
        check(power);
        check(power + 1);
        check(power / 3);
        power *= digits < DECIMAL_BYTES ? 10 : 1;
    }
    for (uint64_t i = 0; i < 10000; i++)
        check(i * 10001);
    check(UINT64_MAX);
}

static void test_write_two(void **state)
{
    char got[] = "xxx";

    (void)state;
    assert_ptr_equal(decimal_write_two(got, 7), got + 2);
    assert_string_equal(got, "07x");
    decimal_write_two(got, 2038);
    assert_string_equal(got, "38x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_two),
    };

    return cmocka_run_group_tests_name("base/decimal", tests, NULL, NULL);
}
