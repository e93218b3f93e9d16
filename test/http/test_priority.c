#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/priority.h"

static const struct {
    struct span value;
    uint8_t urgency;
    bool incremental;
} rows[] = {
    /* RFC9218:4 */
    { SPAN_INIT(""), 3, false },
    { SPAN_INIT("u=0"), 0, false },
    { SPAN_INIT("u=7"), 7, false },
    { SPAN_INIT("u=5, i"), 5, true },
    { SPAN_INIT("u=5,i"), 5, true },
    { SPAN_INIT("i"), 3, true },
    { SPAN_INIT("i=?1"), 3, true },
    { SPAN_INIT("i=?0"), 3, false },
    { SPAN_INIT("  u=1 \t,\t i \t"), 1, true },
    { SPAN_INIT("u=2;a=1;b, i;c"), 2, true },
    { SPAN_INIT("u=007"), 7, false },
    { SPAN_INIT("u=-0"), 0, false },
    { SPAN_INIT("x, u=1, *y.z-_9=2"), 1, false },
    /* out of bounds, or not of the type: as if it were not there */
    { SPAN_INIT("u=8, i"), 3, true },
    { SPAN_INIT("u=-1, i"), 3, true },
    { SPAN_INIT("u=999999999999999, i"), 3, true },
    { SPAN_INIT("u=1.0, i"), 3, true },
    { SPAN_INIT("u, i"), 3, true },
    { SPAN_INIT("u=?1, i"), 3, true },
    { SPAN_INIT("u=\"1\", i"), 3, true },
    { SPAN_INIT("u=(1), i"), 3, true },
    { SPAN_INIT("u=@1, i"), 3, true },
    { SPAN_INIT("u=1, i=1"), 1, false },
    { SPAN_INIT("u=1, i=yes"), 1, false },
    { SPAN_INIT("u=1, i=(?1)"), 1, false },
    /* the last of a key counts. RFC9651:4.2.2 */
    { SPAN_INIT("u=1, u=2"), 2, false },
    { SPAN_INIT("u=1, u=9"), 3, false },
    { SPAN_INIT("i, i=?0, u=1"), 1, false },
    { SPAN_INIT("i, i=x, u=1"), 1, false },
    /* every type may stand in other members. RFC9651:3.3 */
    { SPAN_INIT("u=1, a=-12.345, b=123456789012.5, c=123456789012345"), 1, false },
    { SPAN_INIT("u=1, a=\"x \\\" \\\\ ,;=\", b=\"\""), 1, false },
    { SPAN_INIT("u=1, a=to/k:en!, b=*, c=A"), 1, false },
    { SPAN_INIT("u=1, a=::, b=:YQ==:, c=:YWI=:, d=:YWJj:, e=:YQ:, f=:+/:"), 1, false },
    { SPAN_INIT("u=1, a=@1659578233, b=@-0"), 1, false },
    { SPAN_INIT("u=1, a=%\"caf%c3%a9 %f0%9f%98%80 %e2%82%ac\", b=%\"\""), 1, false },
    { SPAN_INIT("u=1, a=(), b=( 1  \"x\";y=?0 :YQ==: );z, c=(a b)"), 1, false },
    { SPAN_INIT("u=1, a;b=1;  c=\"x\";d=:YQ==:;*e"), 1, false },
    /* no dictionary: the standard */
    { SPAN_INIT("\tu=1"), 3, false },
    { SPAN_INIT("u=1,"), 3, false },
    { SPAN_INIT("u=1, "), 3, false },
    { SPAN_INIT(",u=1"), 3, false },
    { SPAN_INIT("u=1,,i"), 3, false },
    { SPAN_INIT("u=1 i"), 3, false },
    { SPAN_INIT("u=1;"), 3, false },
    { SPAN_INIT("u=1;;a"), 3, false },
    { SPAN_INIT("u=1 ;a"), 3, false },
    { SPAN_INIT("u=1;\ta"), 3, false },
    { SPAN_INIT("u=1;A"), 3, false },
    { SPAN_INIT("u=1;a="), 3, false },
    { SPAN_INIT("u=1;a=(1)"), 3, false },
    { SPAN_INIT("u="), 3, false },
    { SPAN_INIT("u= 1"), 3, false },
    { SPAN_INIT("u =1"), 3, false },
    { SPAN_INIT("=1"), 3, false },
    { SPAN_INIT("u=1, A=2"), 3, false },
    { SPAN_INIT("u=1, aB"), 3, false },
    { SPAN_INIT("u=1, 2"), 3, false },
    { SPAN_INIT("u=1, \"a\""), 3, false },
    { SPAN_INIT("u=1, a=+1"), 3, false },
    { SPAN_INIT("u=1, a=-"), 3, false },
    { SPAN_INIT("u=1, a=--1"), 3, false },
    { SPAN_INIT("u=1, a=1."), 3, false },
    { SPAN_INIT("u=1, a=.1"), 3, false },
    { SPAN_INIT("u=1, a=1.2345"), 3, false },
    { SPAN_INIT("u=1, a=1.2.3"), 3, false },
    { SPAN_INIT("u=1, a=1234567890123456"), 3, false },
    { SPAN_INIT("u=1, a=1234567890123.4"), 3, false },
    { SPAN_INIT("u=1, a=\"x"), 3, false },
    { SPAN_INIT("u=1, a=\"\\"), 3, false },
    { SPAN_INIT("u=1, a=\"\\x\""), 3, false },
    { SPAN_INIT("u=1, a=\"\x7f\""), 3, false },
    { SPAN_INIT("u=1, a=\"\xc3\xa9\""), 3, false },
    { SPAN_INIT("u=1, a=\"\t\""), 3, false },
    { SPAN_INIT("u=1, a=:YQ=="), 3, false },
    { SPAN_INIT("u=1, a=:Y:"), 3, false },
    { SPAN_INIT("u=1, a=:=:"), 3, false },
    { SPAN_INIT("u=1, a=:YQ===:"), 3, false },
    { SPAN_INIT("u=1, a=:YQ==YQ==:"), 3, false },
    { SPAN_INIT("u=1, a=:Y Q:"), 3, false },
    { SPAN_INIT("u=1, a=:Y-_Q:"), 3, false },
    { SPAN_INIT("u=1, a=?"), 3, false },
    { SPAN_INIT("u=1, a=?2"), 3, false },
    { SPAN_INIT("u=1, a=?true"), 3, false },
    { SPAN_INIT("u=1, a=?11"), 3, false },
    { SPAN_INIT("u=1, a=@"), 3, false },
    { SPAN_INIT("u=1, a=@1.5"), 3, false },
    { SPAN_INIT("u=1, a=@x"), 3, false },
    { SPAN_INIT("u=1, a=%x"), 3, false },
    { SPAN_INIT("u=1, a=%\"x"), 3, false },
    { SPAN_INIT("u=1, a=%\"%C3%A9\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%c3\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%c3x\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%a9\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%c0%80\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%e0%80%80\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%ed%a0%80\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%f0%80%80%80\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%f4%90%80%80\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%f5%80%80%80\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%e2%82\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%2\""), 3, false },
    { SPAN_INIT("u=1, a=%\"%2"), 3, false },
    { SPAN_INIT("u=1, a=%\"\xc3\xa9\""), 3, false },
    { SPAN_INIT("u=1, a=("), 3, false },
    { SPAN_INIT("u=1, a=(1"), 3, false },
    { SPAN_INIT("u=1, a=(1,2)"), 3, false },
    { SPAN_INIT("u=1, a=(1\t2)"), 3, false },
    { SPAN_INIT("u=1, a=(1\"x\")"), 3, false },
    { SPAN_INIT("u=1, a=((1))"), 3, false },
    { SPAN_INIT("u=1, a=()b"), 3, false },
    { SPAN_INIT("u=1, a=!"), 3, false },
    { SPAN_INIT("u=1\0"), 3, false },
    { SPAN_INIT("u=1, a\0"), 3, false },
    { SPAN_INIT("u=1, a=\0"), 3, false },
};

static void priorities_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct priority got = priority_parse(guarded(rows[i].value));

        if (got.urgency != rows[i].urgency || got.incremental != rows[i].incremental)
            fail_msg("row %zu, %s: urgency %u, incremental %d", i, rows[i].value.p, got.urgency, got.incremental);
    }
    assert_int_equal(priority_parse((struct span){ 0 }).urgency, PRIORITY_URGENCY_STANDARD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priorities_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
