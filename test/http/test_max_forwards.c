#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/max_forwards.h"

struct row {
    const char *value;
    enum max_forwards kind;
    uint32_t next;
};

static const struct row rows[] = {
    { "0", MAX_FORWARDS_LAST, 0 },
    { "000", MAX_FORWARDS_LAST, 0 },
    { "1", MAX_FORWARDS_MORE, 0 },
    { "10", MAX_FORWARDS_MORE, 9 },
    { "0010", MAX_FORWARDS_MORE, 9 },
    { "1000", MAX_FORWARDS_MORE, 999 },
    { "1001", MAX_FORWARDS_MORE, 1000 },
    { "1002", MAX_FORWARDS_MORE, 1000 },
    { "99999999999999999999999999", MAX_FORWARDS_MORE, 1000 },
    { "", MAX_FORWARDS_NONE, 7 },
    { "-1", MAX_FORWARDS_NONE, 7 },
    { "+1", MAX_FORWARDS_NONE, 7 },
    { "1 2", MAX_FORWARDS_NONE, 7 },
    { "1, 2", MAX_FORWARDS_NONE, 7 },
    { "0x1", MAX_FORWARDS_NONE, 7 },
};

static void numbers_count_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct field fields[1];
        struct head head;
        uint32_t next = rows[i].kind == MAX_FORWARDS_LAST ? 0 : 7;

        head_init(&head, fields);
        head_add(&head, SPAN("max-forwards"), guarded(span_of(rows[i].value)));
        if (max_forwards_read(&head, &next) != rows[i].kind || next != rows[i].next)
            fail_msg("%s: %u", rows[i].value, next);
    }
}

static void absent_and_repeated_are_ignored(void **state)
{
    struct field fields[2];
    struct head head;
    uint32_t next = 7;

    (void)state;
    head_init(&head, fields);
    assert_int_equal(max_forwards_read(&head, &next), MAX_FORWARDS_NONE);
    head_add(&head, SPAN("Max-Forwards"), SPAN("0"));
    assert_int_equal(max_forwards_read(&head, &next), MAX_FORWARDS_LAST);
    head_add(&head, SPAN("Max-Forwards"), SPAN("0"));
    assert_int_equal(max_forwards_read(&head, &next), MAX_FORWARDS_NONE);
    assert_int_equal(next, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_count_down),
        cmocka_unit_test(absent_and_repeated_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
