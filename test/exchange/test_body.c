#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exchange/body.h"

static void test_pieces_in_their_order(void **state)
{
    const struct piece pieces[] = {
        piece_of(SPAN("head")),
        { .fd = 3, .offset = 10, .length = UINT64_C(5000000000) },
        piece_of(SPAN("end")),
    };
    struct pieces_body b;
    struct piece got;

    (void)state;
    pieces_body_init(&b, pieces, 3);
    assert_true(b.body.length == INT64_C(5000000007));
    assert_int_equal(b.body.ops->next(&b.body, NULL, &got), FLOW_GO);
    assert_true(got.fd < 0 && span_is(got.bytes, SPAN("head")) && got.length == 4);
    assert_int_equal(b.body.ops->next(&b.body, NULL, &got), FLOW_GO);
    assert_true(got.fd == 3 && got.offset == 10 && got.length == UINT64_C(5000000000));
    assert_int_equal(b.body.ops->next(&b.body, NULL, &got), FLOW_GO);
    assert_true(got.fd < 0 && span_is(got.bytes, SPAN("end")));
    for (int i = 0; i < 2; i++) { /* the end stays the end */
        got = pieces[1];
        assert_int_equal(b.body.ops->next(&b.body, NULL, &got), FLOW_GO);
        assert_true(got.fd < 0 && got.bytes.n == 0 && got.length == 0);
    }
    assert_null(b.body.ops->stop);
}

static void test_no_pieces(void **state)
{
    struct pieces_body b;
    struct piece got = { .fd = 3, .length = 1 };

    (void)state;
    pieces_body_init(&b, NULL, 0);
    assert_int_equal(b.body.length, 0);
    assert_int_equal(b.body.ops->next(&b.body, NULL, &got), FLOW_GO);
    assert_true(got.fd < 0 && got.length == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_in_their_order),
        cmocka_unit_test(test_no_pieces),
    };

    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
