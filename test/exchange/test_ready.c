#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exchange/ready.h"

static const struct reply_field given[] = {
    { SPAN_INIT("Content-Type"), SPAN_INIT("text/html; charset=UTF-8") },
    { SPAN_INIT("X-Empty"), { NULL, 0 } },
    { SPAN_INIT("ETag"), SPAN_INIT("\"Ab\"") },
};

static const char text[] = "Content-Type: text/html; charset=UTF-8\r\nX-Empty: \r\nETag: \"Ab\"\r\n";
static const char lower[] = "content-type: text/html; charset=UTF-8\r\nx-empty: \r\netag: \"Ab\"\r\n";

#define COUNT (sizeof given / sizeof given[0])

static void test_write(void **state)
{
    void *room = malloc(ready_fields_bytes(given, COUNT));
    struct ready_fields ready;

    (void)state;
    ready_fields_write(&ready, given, COUNT, room);
    assert_int_equal(ready.count, COUNT);
    assert_true(span_is(ready.text, SPAN(text)));
    assert_memory_equal(ready.lower, lower, sizeof lower - 1);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(span_is(ready.fields[i].name, given[i].name));
        assert_true(span_is(ready.fields[i].value, given[i].value));
        assert_in_range((uintptr_t)ready.fields[i].value.p, (uintptr_t)ready.text.p,
                        (uintptr_t)(ready.text.p + ready.text.n - 2));
    }
    free(room);
}

static void test_write_none(void **state)
{
    struct ready_fields ready;
    char nothing[1];

    (void)state;
    assert_int_equal(ready_fields_bytes(NULL, 0), 0);
    ready_fields_write(&ready, NULL, 0, nothing);
    assert_int_equal(ready.count, 0);
    assert_int_equal(ready.text.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_none),
    };

    return cmocka_run_group_tests_name("exchange/ready", tests, NULL, NULL);
}
