#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parsed.h"

static void lines_of_a_name_are_chained(void **state)
{
    struct head h = parsed(SPAN("GET / HTTP/1.1\r\nVia: a\r\nHost: h\r\nX: 1\r\nvia: b\r\nX: 2\r\nVIA: c\r\n\r\n"));
    const struct field *f = head_field(&h, FIELD_VIA);

    (void)state;
    assert_true(span_is(f->value, SPAN("a")));
    f = head_next(&h, f);
    assert_true(span_is(f->value, SPAN("b")));
    f = head_next(&h, f);
    assert_true(span_is(f->value, SPAN("c")));
    assert_null(head_next(&h, f));
    assert_true(head_repeated(&h, FIELD_VIA));
    assert_false(head_repeated(&h, FIELD_HOST));
    assert_false(head_repeated(&h, FIELD_DATE));
    assert_null(head_field(&h, FIELD_DATE));
    assert_null(head_next(&h, &h.fields[2]));
    assert_int_equal(h.first[FIELD_OTHER], 0);
    assert_int_equal(head_offset(&h, head_field(&h, FIELD_HOST)->value.p), 16 + 8 + 6);
}

struct list_case {
    struct span lines;
    bool has;
};

static void a_list_goes_on_over_lines(void **state)
{
    static const struct list_case cases[] = {
        { SPAN_INIT("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), true },
        { SPAN_INIT("GET / HTTP/1.1\r\nConnection: a, CLOSE ,b\r\n\r\n"), true },
        { SPAN_INIT("GET / HTTP/1.1\r\nConnection: a\r\nConnection: ,close\r\n\r\n"), true },
        { SPAN_INIT("GET / HTTP/1.1\r\nConnection: closed, xclose, \"close\", close;a\r\n\r\n"), false },
        { SPAN_INIT("GET / HTTP/1.1\r\nConnection: a=\", close\"\r\n\r\n"), false },
        { SPAN_INIT("GET / HTTP/1.1\r\nConnection:\r\nX: close\r\n\r\n"), false },
        { SPAN_INIT("GET / HTTP/1.1\r\n\r\n"), false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct head h = parsed(cases[i].lines);

        assert_int_equal(head_list_has(&h, FIELD_CONNECTION, SPAN("close")), cases[i].has);
    }
}

static void as_many_lines_as_can_be_are_chained(void **state)
{
    static struct field fields[HEAD_FIELDS_MAX];
    struct head h;
    size_t n = 0;

    (void)state;
    head_init(&h, fields);
    for (unsigned i = 0; i < HEAD_FIELDS_MAX; i++)
        head_add(&h, SPAN("Cookie"), SPAN("a=b"));
    for (const struct field *f = head_field(&h, FIELD_COOKIE); f != NULL; f = head_next(&h, f))
        n++;
    assert_int_equal(n, HEAD_FIELDS_MAX);
    assert_int_equal(head_offset(&h, fields[0].name.p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_a_name_are_chained),
        cmocka_unit_test(a_list_goes_on_over_lines),
        cmocka_unit_test(as_many_lines_as_can_be_are_chained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
