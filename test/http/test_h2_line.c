#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/h2_line.h"
#include "http/token.h"

/* Written down from the grammar, without the words of eight that the code looks at. RFC9110:5.5 */
static size_t expected_value_span(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool at_end = i == 0 || i == s.n - 1, white = s.p[i] == ' ' || s.p[i] == '\t';

        if ((white && at_end) || !token_is(s.p[i], TOKEN_VALUE))
            return i;
    }
    return s.n;
}

static void every_byte_is_judged_in_every_place_of_a_value(void **state)
{
    char text[19];

    (void)state;
    for (size_t n = 1; n <= sizeof text; n++)
        for (size_t at = 0; at < n; at++)
            for (int byte = 0; byte < 256; byte++) {
                struct span value = { text, n };

                memset(text, at % 2 == 0 ? 'x' : '\xff', sizeof text);
                text[at] = (char)byte;
                if (h2_line_value_span(guarded(value)) != expected_value_span(value))
                    fail_msg("byte %d at %zu of %zu", byte, at, n);
            }
    assert_int_equal(h2_line_value_span((struct span){ 0 }), 0);
}

static void two_bad_bytes_give_the_first(void **state)
{
    (void)state;
    assert_int_equal(h2_line_value_span(SPAN("aaaaaaaaaaaaa\1aaaaaaa\1")), 13);
    assert_int_equal(h2_line_value_span(SPAN("aaaaaaaa\t\x7f ")), 9);
    assert_int_equal(h2_line_value_span(SPAN("a ")), 1);
    assert_int_equal(h2_line_value_span(SPAN("aaaaaaaaa\t")), 9);
    assert_int_equal(h2_line_value_span(SPAN("\t\t")), 0);
}

static void names_are_tokens_in_lower_case(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char text[] = "a?b";
        bool upper = byte >= 'A' && byte <= 'Z', good = token_is((char)byte, TOKEN_NAME) && !upper;

        text[1] = (char)byte;
        assert_int_equal(h2_line_name_span(guarded((struct span){ text, 3 })), good ? 3 : 1);
        assert_int_equal(h2_line_name_valid(guarded((struct span){ text, 3 }), FIELD_OTHER), good);
    }
    assert_false(h2_line_name_valid((struct span){ 0 }, FIELD_OTHER));
}

static void names_of_the_table_are_taken_in_lower_case_only(void **state)
{
    (void)state;
    for (unsigned id = FIELD_OTHER + 1; id < FIELD_IDS; id++) {
        struct span name = field_info(id)->name;
        char upper[64];

        assert_true(h2_line_name_valid(guarded(name), id));
        memcpy(upper, name.p, name.n);
        upper[name.n - 1] = upper[name.n - 1] >= 'a' ? (char)(upper[name.n - 1] - 0x20) : 'A';
        assert_false(h2_line_name_valid(guarded((struct span){ upper, name.n }), id));
    }
}

static void fields_of_a_connection_are_forbidden(void **state)
{
    unsigned count = 0;

    (void)state;
    for (unsigned id = FIELD_OTHER; id < FIELD_IDS; id++) {
        if (id == FIELD_TE)
            continue;
        assert_int_equal(h2_line_forbidden(id, SPAN("trailers")), field_info(id)->h2_forbids);
        count += h2_line_forbidden(id, SPAN(""));
    }
    assert_int_equal(count, 6);
    assert_false(h2_line_forbidden(FIELD_TE, SPAN("trailers")));
    assert_false(h2_line_forbidden(FIELD_TE, SPAN("Trailers")));
    assert_true(h2_line_forbidden(FIELD_TE, SPAN("")));
    assert_true(h2_line_forbidden(FIELD_TE, SPAN("gzip")));
    assert_true(h2_line_forbidden(FIELD_TE, SPAN("trailers, gzip")));
    assert_true(h2_line_forbidden(FIELD_TE, SPAN("trailers;q=1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_judged_in_every_place_of_a_value),
        cmocka_unit_test(two_bad_bytes_give_the_first),
        cmocka_unit_test(names_are_tokens_in_lower_case),
        cmocka_unit_test(names_of_the_table_are_taken_in_lower_case_only),
        cmocka_unit_test(fields_of_a_connection_are_forbidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
