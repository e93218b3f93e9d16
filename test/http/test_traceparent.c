#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/traceparent.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define NONE   "0000000000000000"

static const struct {
    struct span value;
    bool valid;
} cases[] = {
    { SPAN_INIT("00-" TRACE "-" PARENT "-01"), true },
    { SPAN_INIT("00-" TRACE "-" PARENT "-00"), true },
    { SPAN_INIT("00-" TRACE "-" PARENT "-ff"), true },
    { SPAN_INIT("00-" NONE "0000000000000001-0000000000000001-00"), true },
    { SPAN_INIT("00-1" NONE "000000000000000-1000000000000000-00"), true },
    { SPAN_INIT(""), false },
    { SPAN_INIT("00-" TRACE "-" PARENT "-0"), false },
    { SPAN_INIT("00-" TRACE "-" PARENT), false },
    /* all zero */
    { SPAN_INIT("00-" NONE NONE "-" PARENT "-01"), false },
    { SPAN_INIT("00-" TRACE "-" NONE "-01"), false },
    /* capitals, other letters, and what lies beside the digits and letters */
    { SPAN_INIT("00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01"), false },
    { SPAN_INIT("00-4bf92f3577b34da6a3ce929d0e0e473g-" PARENT "-01"), false },
    { SPAN_INIT("00-" TRACE "-00f067aa0ba902b/-01"), false },
    { SPAN_INIT("00-" TRACE "-:0f067aa0ba902b7-01"), false },
    { SPAN_INIT("00-" TRACE "-" PARENT "-0`"), false },
    { SPAN_INIT("0x-" TRACE "-" PARENT "-01"), false },
    /* hyphens */
    { SPAN_INIT("00_" TRACE "-" PARENT "-01"), false },
    { SPAN_INIT("00-" TRACE "_" PARENT "-01"), false },
    { SPAN_INIT("00-" TRACE "-" PARENT "_01"), false },
    /* versions */
    { SPAN_INIT("ff-" TRACE "-" PARENT "-01"), false },
    { SPAN_INIT("fe-" TRACE "-" PARENT "-01"), true },
    { SPAN_INIT("01-" TRACE "-" PARENT "-01-more"), true },
    { SPAN_INIT("01-" TRACE "-" PARENT "-01-"), true },
    { SPAN_INIT("01-" TRACE "-" PARENT "-01.more"), false },
    { SPAN_INIT("01-" TRACE "-" PARENT "-011"), false },
    { SPAN_INIT("00-" TRACE "-" PARENT "-01-more"), false },
    { SPAN_INIT("00-" TRACE "-" PARENT "-01 "), false },
};

static void values_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (traceparent_valid(guarded(cases[i].value)) != cases[i].valid)
            fail_msg("%s", cases[i].value.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_told_apart),
    };

    return cmocka_run_group_tests_name("traceparent", tests, NULL, NULL);
}
