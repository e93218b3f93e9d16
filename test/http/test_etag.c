#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/etag.h"

struct parse_case {
    const char *text;
    bool ok, weak;
    const char *opaque;
};

static const struct parse_case parse_cases[] = {
    { "\"xyzzy\"", true, false, "xyzzy" }, /* RFC9110:8.8.3 */
    { "W/\"xyzzy\"", true, true, "xyzzy" },
    { "\"\"", true, false, "" },
    { "W/\"\"", true, true, "" },
    { "\"a,b\"", true, false, "a,b" },
    { "\"a\\b\"", true, false, "a\\b" },
    { "\"W/\"", true, false, "W/" },
    { "\"\xc3\xa4!#~\"", true, false, "\xc3\xa4!#~" },
    { "", false, false, "" },
    { "\"", false, false, "" },
    { "W", false, false, "" },
    { "W/", false, false, "" },
    { "W/\"", false, false, "" },
    { "w/\"xyzzy\"", false, false, "" },
    { "W \"xyzzy\"", false, false, "" },
    { "W/ \"xyzzy\"", false, false, "" },
    { "xyzzy", false, false, "" },
    { "'xyzzy'", false, false, "" },
    { "\"xyzzy", false, false, "" },
    { "xyzzy\"", false, false, "" },
    { "\"xy zzy\"", false, false, "" },
    { "\"xy\tzzy\"", false, false, "" },
    { "\"xy\x7fzzy\"", false, false, "" },
    { "\"xy\"zzy\"", false, false, "" },
    { " \"xyzzy\"", false, false, "" },
    { "\"xyzzy\" ", false, false, "" },
    { "\"a\", \"b\"", false, false, "" },
    { "*", false, false, "" },
};

static void parse_takes_one_whole_tag(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++) {
        const struct parse_case *c = &parse_cases[i];
        struct etag got = { SPAN("untouched"), false };
        bool ok = etag_parse(guarded(span_of(c->text)), &got);

        if (ok != c->ok || !span_is(got.opaque, ok ? span_of(c->opaque) : SPAN("untouched")) || got.weak != c->weak)
            fail_msg("%s", c->text);
    }
}

/* The table of RFC9110:8.8.3.2 */
static void comparison_follows_the_table(void **state)
{
    struct etag w1 = { SPAN("1"), true }, w2 = { SPAN("2"), true }, s1 = { SPAN("1"), false };

    (void)state;
    assert_false(etag_equal(w1, w1, ETAG_STRONG));
    assert_true(etag_equal(w1, w1, ETAG_WEAK));
    assert_false(etag_equal(w1, w2, ETAG_STRONG));
    assert_false(etag_equal(w1, w2, ETAG_WEAK));
    assert_false(etag_equal(w1, s1, ETAG_STRONG));
    assert_true(etag_equal(w1, s1, ETAG_WEAK));
    assert_true(etag_equal(s1, s1, ETAG_STRONG));
    assert_true(etag_equal(s1, s1, ETAG_WEAK));
    assert_false(etag_equal(s1, (struct etag){ SPAN("11"), false }, ETAG_WEAK));
}

struct list_case {
    const char *list;
    bool strong, weak; /* is "mine", a strong tag, in it? */
};

static const struct list_case list_cases[] = {
    { "\"mine\"", true, true },
    { "W/\"mine\"", false, true },
    { "\"xyzzy\", \"r2d2xxxx\", \"mine\"", true, true }, /* shape of RFC9110:13.1.1 */
    { "W/\"xyzzy\", W/\"r2d2xxxx\", W/\"mine\"", false, true },
    { "\"a,b\",\"mine\"", true, true },
    { "\",\",\"mine\"", true, true },
    { " ,\t, \"mine\" , ", true, true },
    { "\"mine\",broken", true, true }, /* before the fault */
    { "\"mine\", \"open", true, true },
    { "", false, false },
    { " ", false, false },
    { ",,,", false, false },
    { "*", false, false },
    { "mine", false, false },
    { "\"Mine\"", false, false },
    { "\"mine2\"", false, false },
    { "\"min\"", false, false },
    { "\"x,\"mine\"", false, false },
    { "\"x,mine\"", false, false },
    { "broken, \"mine\"", false, false }, /* after the fault */
    { "\"a b\", \"mine\"", false, false },
    { "w/\"a\", \"mine\"", false, false },
    { "\"mine\" \"other\"", false, false },
    { "\"other\" \"mine\"", false, false },
    { "\"mine", false, false },
    { "W/", false, false },
};

static void list_finds_members_up_to_the_first_fault(void **state)
{
    struct etag mine = { SPAN("mine"), false };
    struct etag weak_mine = { SPAN("mine"), true };

    (void)state;
    for (size_t i = 0; i < sizeof list_cases / sizeof list_cases[0]; i++) {
        const struct list_case *c = &list_cases[i];
        struct span list = guarded(span_of(c->list));

        if (etag_in_list(list, mine, ETAG_STRONG) != c->strong || etag_in_list(list, mine, ETAG_WEAK) != c->weak)
            fail_msg("%s", c->list);
        assert_false(etag_in_list(list, weak_mine, ETAG_STRONG));
        assert_int_equal(etag_in_list(list, weak_mine, ETAG_WEAK), c->weak);
    }
}

static void any_is_a_lone_star(void **state)
{
    (void)state;
    assert_true(etag_list_is_any(guarded(SPAN("*"))));
    assert_true(etag_list_is_any(guarded(SPAN(" *\t"))));
    assert_false(etag_list_is_any(guarded(SPAN(""))));
    assert_false(etag_list_is_any(guarded(SPAN("\"*\""))));
    assert_false(etag_list_is_any(guarded(SPAN("*, \"a\""))));
    assert_false(etag_list_is_any(guarded(SPAN("**"))));
}

static void long_lists_end(void **state)
{
    size_t bytes = 65536;
    char *list = malloc(bytes);
    struct etag mine = { SPAN("mine"), false };

    (void)state;
    assert_non_null(list);
    memset(list, ',', bytes);
    assert_false(etag_in_list((struct span){ list, bytes }, mine, ETAG_WEAK));
    memset(list, '"', bytes);
    assert_false(etag_in_list((struct span){ list, bytes }, mine, ETAG_WEAK));
    memset(list, ',', bytes);
    memcpy(list + bytes - 6, "\"mine\"", 6);
    assert_true(etag_in_list((struct span){ list, bytes }, mine, ETAG_STRONG));
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_takes_one_whole_tag),
        cmocka_unit_test(comparison_follows_the_table),
        cmocka_unit_test(list_finds_members_up_to_the_first_fault),
        cmocka_unit_test(any_is_a_lone_star),
        cmocka_unit_test(long_lists_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
