#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/coding.h"

#define BR       CODING_BIT(CODING_BROTLI)
#define ZSTD     CODING_BIT(CODING_ZSTD)
#define GZIP     CODING_BIT(CODING_GZIP)
#define IDENTITY CODING_BIT(CODING_IDENTITY)
#define ALL      (BR | ZSTD | GZIP | CODING_BIT(CODING_DEFLATE) | IDENTITY)

static void find_knows_each_token(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CODINGS; i++) {
        assert_true(coding_info((enum coding)i)->token.n > 0);
        assert_int_equal(coding_find(coding_info((enum coding)i)->token), i);
    }
    assert_int_equal(coding_find(guarded(SPAN("GZIP"))), CODING_GZIP);
    assert_int_equal(coding_find(guarded(SPAN("x-gzip"))), CODING_GZIP);
    assert_int_equal(coding_find(guarded(SPAN("gzi"))), CODINGS);
    assert_int_equal(coding_find(guarded(SPAN("gzip "))), CODINGS);
    assert_int_equal(coding_find(guarded(SPAN(""))), CODINGS);
    assert_int_equal(coding_find((struct span){ NULL, 0 }), CODINGS);
    assert_int_equal(coding_find(guarded(SPAN("*"))), CODINGS);
}

/* Two variants with one tag would be taken for each other. RFC9110:8.8.3.3 */
static void variants_have_tags_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(coding_info(CODING_IDENTITY)->tag_suffix.n, 0);
    for (unsigned i = 0; i < CODINGS; i++)
        for (unsigned j = 0; j < i; j++)
            assert_false(span_is(coding_info((enum coding)i)->tag_suffix, coding_info((enum coding)j)->tag_suffix));
}

struct choose_case {
    const char *field;
    unsigned available;
    enum coding want;
};

static const struct choose_case choose_cases[] = {
    { NULL, ALL, CODING_IDENTITY },
    { "", ALL, CODING_IDENTITY },
    { "gzip, deflate, br, zstd", ALL, CODING_BROTLI },
    { "gzip, deflate, br, zstd", GZIP | ZSTD | IDENTITY, CODING_ZSTD },
    { "gzip, deflate, br, zstd", GZIP | IDENTITY, CODING_GZIP },
    { "gzip, deflate, br, zstd", IDENTITY, CODING_IDENTITY },
    { "gzip;q=1, br;q=0.9", ALL, CODING_GZIP },
    { "gzip;q=0.001", ALL, CODING_GZIP },
    { "gzip;q=0.5, identity", ALL, CODING_IDENTITY },
    { "identity, gzip", ALL, CODING_GZIP },
    { "*", ALL, CODING_BROTLI },
    { "*", GZIP | IDENTITY, CODING_GZIP },
    { "br;q=0, *;q=0.1", ALL, CODING_ZSTD },
    { "x-gzip", ALL, CODING_GZIP },
    { "compress", ALL, CODING_IDENTITY },
    { "br", GZIP | IDENTITY, CODING_IDENTITY },
    { "br", GZIP, CODINGS },
    { "identity;q=0", ALL, CODINGS },
    { "*;q=0", ALL, CODINGS },
    { "gzip, *;q=0", BR | IDENTITY, CODINGS },
    { "gzip, identity;q=0", IDENTITY, CODINGS },
    { "gzip, identity;q=0", ALL, CODING_GZIP },
    { "gzip", 0, CODINGS },
};

static void choose_takes_the_best_available(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof choose_cases / sizeof choose_cases[0]; i++) {
        const struct choose_case *c = &choose_cases[i];
        struct span field = c->field != NULL ? guarded(span_of(c->field)) : (struct span){ NULL, 0 };
        enum coding got = coding_choose(field, c->available);

        if (got != c->want)
            fail_msg("%s, available %x: %u", c->field, c->available, (unsigned)got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_knows_each_token),
        cmocka_unit_test(variants_have_tags_of_their_own),
        cmocka_unit_test(choose_takes_the_best_available),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
