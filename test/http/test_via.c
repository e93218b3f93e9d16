#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/via.h"

struct count_case {
    const char *first, *second; /* values of two lines */
    const char *who;
    size_t count;
};

static const struct count_case vias[] = {
    { "1.1 verdict", "", "verdict", 1 },
    { "1.1 VERDICT, 2 verdict", "HTTP/1.0 Verdict", "verdict", 3 },
    { "1.1 verdict:8080", "", "verdict", 1 },
    { "1.1 verdict:8080", "", "verdict:8080", 1 },
    { "1.1 verdict", "", "verdict:8080", 0 },
    { "1.1 verdict:80x", "", "verdict", 0 },
    { "1.1 verdicts, 1.1 a-verdict", "1.1 verdic", "verdict", 0 },
    { "verdict", "verdict verdicts", "verdict", 0 },
    { "1.1   verdict\t(Verdict, 1.1 verdict)", "", "verdict", 1 },
    { "1.1 a (x (1.1 verdict), 1.1 verdict)", "1.1 verdict(a)", "verdict", 1 },
    { "1.1 a (\\), 1.1 verdict)", "1.1 a (\", 1.1 verdict)", "verdict", 0 },
    { "1.1 a \"b, 1.1 verdict\"", "", "verdict", 0 },
    { "1.1 a (b, 1.1 verdict", "", "verdict", 1 }, /* never closed: hides nothing */
    { "1.1 a \"b, 1.1 verdict", "(, (, 1.1 verdict", "verdict", 2 },
    { "1.1 a (b (c, 1.1 verdict, d)", "", "verdict", 1 },
    { "1.1 a (b) c, ,, 1.1 verdict,", "", "verdict", 1 },
    { "1.1 a\\, 1.1 verdict", "\\", "verdict", 1 },
};

static const struct count_case cdns[] = {
    { "verdict", "", "verdict", 1 },
    { "foo123.foocdn.example, VERDICT; trace=\"a, verdict\", verdict;x", "verdict", "verdict", 3 },
    { "verdict.example, a; verdict", "1.1 verdict", "verdict", 0 },
    { "a (, verdict", "a;b=\", verdict", "verdict", 2 },
};

static size_t count(const struct count_case *c, struct span name, bool cdn)
{
    struct field fields[3];
    struct head head;

    head_init(&head, fields);
    head_add(&head, name, guarded(span_of(c->first)));
    head_add(&head, SPAN("Other"), SPAN("1.1 verdict"));
    head_add(&head, name, span_of(c->second));
    return cdn ? via_count_cdn(&head, span_of(c->who)) : via_count(&head, span_of(c->who));
}

static void own_names_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vias / sizeof vias[0]; i++)
        if (count(&vias[i], SPAN("Via"), false) != vias[i].count)
            fail_msg("%s: %zu", vias[i].first, count(&vias[i], SPAN("Via"), false));
    for (size_t i = 0; i < sizeof cdns / sizeof cdns[0]; i++)
        if (count(&cdns[i], SPAN("CDN-Loop"), true) != cdns[i].count)
            fail_msg("%s: %zu", cdns[i].first, count(&cdns[i], SPAN("CDN-Loop"), true));
}

static void elements_are_written(void **state)
{
    char text[40];
    struct bounded b = { text, sizeof text, 0 };

    (void)state;
    via_put(&b, 1, 1, SPAN("verdict"));
    bounded_put(&b, SPAN(","));
    via_put(&b, 1, 0, SPAN("a:80"));
    bounded_put(&b, SPAN(","));
    via_put(&b, 2, 0, SPAN("b"));
    assert_true(span_is((struct span){ text, b.bytes }, SPAN("1.1 verdict,1.0 a:80,2 b")));
}

static void pseudonyms_are_tokens(void **state)
{
    (void)state;
    assert_true(via_is_pseudonym(SPAN("verdict")));
    assert_true(via_is_pseudonym(SPAN("www.example.org:8080")));
    assert_false(via_is_pseudonym(SPAN("")));
    assert_false(via_is_pseudonym(SPAN(":80")));
    assert_false(via_is_pseudonym(SPAN("a:")));
    assert_false(via_is_pseudonym(SPAN("a b")));
    assert_false(via_is_pseudonym(SPAN("a,b")));
    assert_false(via_is_pseudonym(SPAN("a:8,b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_names_are_counted),
        cmocka_unit_test(elements_are_written),
        cmocka_unit_test(pseudonyms_are_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
