#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/accept.h"

struct quality_case {
    const char *field, *subject;
    unsigned want;
};

#define PRECEDENCE "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"
#define FIREFOX    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
#define JAVA       "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"

static const struct quality_case media_cases[] = {
    /* the table of RFC9110:12.5.1 */
    { PRECEDENCE, "text/plain;format=flowed", 1000 },
    { PRECEDENCE, "text/plain", 700 },
    { PRECEDENCE, "text/html", 300 },
    { PRECEDENCE, "image/jpeg", 500 },
    { PRECEDENCE, "text/plain;format=fixed", 400 },
    { PRECEDENCE, "text/html;level=3", 300 },
    { "audio/*; q=0.2, audio/basic", "audio/basic", 1000 },
    { "audio/*; q=0.2, audio/basic", "audio/ogg", 200 },
    { "audio/*; q=0.2, audio/basic", "video/ogg", 0 },
    /* what clients send */
    { FIREFOX, "text/html; charset=utf-8", 1000 },
    { FIREFOX, "application/xml", 900 },
    { FIREFOX, "application/json", 800 },
    { JAVA, "image/gif", 1000 },
    { JAVA, "image/png", 200 },
    { "application/json", "text/html; charset=utf-8", 0 },
    { "application/json;charset=UTF-8", "application/json", 1000 },
    { "text/html;charset=\"utf-8\"", "text/html; charset=UTF-8", 1000 },
    { "text/html;charset=latin1", "text/html; charset=utf-8", 0 },
    { "TEXT/HTML", "text/html", 1000 },
    /* exclusion and order */
    { "*/*, text/html;q=0", "text/html", 0 },
    { "text/html;q=0, */*", "text/html", 0 },
    { "text/html;q=0, text/html;q=0.5", "text/html", 500 },
    { "text/html;level=1;q=0.1, text/html;q=0.9", "text/html; level=1", 100 },
    { "text/html;level=2;q=0.1, text/html;q=0.9", "text/html; level=1", 900 },
    { "text/html;a=1;q=0.1, text/html;a=1;b=2;q=0.2", "text/html;b=2;a=1", 200 },
    { "text/*;a=1;q=0.1, text/html;q=0.9", "text/html;a=1", 900 },
    { "text/html;q=0.4;ext=1", "text/html", 400 },
    /* quotes protect separators */
    { "text/html;a=\"x,image/png;q=0\";q=0.5, image/png;q=0.2", "image/png", 200 },
    { "text/html;a=\"x,y\";q=0.5", "text/html;a=\"x,y\"", 500 },
    { "text/html;a=\"\\\",image/png\";q=0.5, */*;q=0.1", "image/png", 100 },
    { "text/html;a=\"open, image/png", "image/png", 0 },
    { "text/html;a=\"\\", "text/html", 0 },
    /* weights */
    { "a/b;q=1", "a/b", 1000 },
    { "a/b;q=1.", "a/b", 1000 },
    { "a/b;q=1.000", "a/b", 1000 },
    { "a/b;q=0", "a/b", 0 },
    { "a/b;q=0.", "a/b", 0 },
    { "a/b;q=0.000", "a/b", 0 },
    { "a/b;q=0.001", "a/b", 1 },
    { "a/b;q=0.5", "a/b", 500 },
    { "a/b;q=0.05", "a/b", 50 },
    { "a/b;q=0.123", "a/b", 123 },
    { "a/b;q=0.33333333333333333333", "a/b", 333 },
    { "a/b;q=0.0000001", "a/b", 1 },
    { "a/b;Q=0.5", "a/b", 500 },
    { "a/b ; q = 0.5 ", "a/b", 500 },
    { "a/b;q=\"0.5\"", "a/b", 500 },
    { "a/b;q=1.5, a/b;q=0.1", "a/b", 100 },
    { "a/b;q=1.001, a/b;q=0.1", "a/b", 100 },
    { "a/b;q=2, a/b;q=0.1", "a/b", 100 },
    { "a/b;q=-1, a/b;q=0.1", "a/b", 100 },
    { "a/b;q=, a/b;q=0.1", "a/b", 100 },
    { "a/b;q=., a/b;q=0.1", "a/b", 100 },
    { "a/b;q=00.5, a/b;q=0.1", "a/b", 100 },
    { "a/b;q=0.5x, a/b;q=0.1", "a/b", 100 },
    { "a/b;q=0,5", "a/b", 0 },
    { "a/b;q", "a/b", 1000 },
    { "a/b;;;=3;q=0.5", "a/b", 500 },
    /* nothing readable: as if absent */
    { "", "a/b", 1000 },
    { " , ,", "a/b", 1000 },
    { "*", "a/b", 1000 },
    { "a/b;q=high", "a/b", 1000 },
    { ";q=0", "a/b", 1000 },
    /* near misses */
    { "a/", "a/b", 0 },
    { "/", "a/b", 0 },
    { "/*", "a/b", 0 },
    { "a/**", "a/b", 0 },
    { "*/b", "a/b", 0 },
    { "a/bc", "a/b", 0 },
    { "ab/*", "a/b", 0 },
    { "a/*", "ab/c", 0 },
    { "a/*", "a", 0 },
};

static void check(const struct quality_case cases[], size_t count, unsigned (*quality)(struct span, struct span))
{
    for (size_t i = 0; i < count; i++) {
        unsigned got = quality(guarded(span_of(cases[i].field)), span_of(cases[i].subject));

        if (got != cases[i].want)
            fail_msg("%s for %s: %u, not %u", cases[i].field, cases[i].subject, got, cases[i].want);
    }
}

static void media_types_are_matched_by_specificity(void **state)
{
    (void)state;
    check(media_cases, sizeof media_cases / sizeof media_cases[0], accept_quality_media);
    assert_int_equal(accept_quality_media((struct span){ NULL, 0 }, SPAN("a/b")), 1000);
}

static const struct quality_case language_cases[] = {
    /* RFC9110:12.5.4: "I prefer Danish, but will accept British English and other types of English" */
    { "da, en-gb;q=0.8, en;q=0.7", "da", 1000 },
    { "da, en-gb;q=0.8, en;q=0.7", "en-GB", 800 },
    { "da, en-gb;q=0.8, en;q=0.7", "en", 700 },
    { "da, en-gb;q=0.8, en;q=0.7", "en-US", 699 },
    { "da, en-gb;q=0.8, en;q=0.7", "de", 0 },
    /* the closest of several */
    { "en-US", "en-US", 1000 },
    { "en-US", "en", 998 },
    { "en-US", "en-GB", 997 },
    { "en", "en-GB", 999 },
    { "en-GB;q=0.9, en;q=0.8", "en", 800 },
    { "en-US,en;q=0.9,de;q=0.8,*;q=0.5", "fr", 496 },
    { "de-CH, *;q=0.1", "de", 998 },
    { "de;q=0.001", "de-AT", 1 },
    { "de;q=0.001", "de", 1 },
    { "sr-Latn;q=0.7, sr-Cyrl;q=0.2", "sr-Cyrl-RS", 199 },
    /* Chinese */
    { "zh-TW,zh;q=0.9,en;q=0.8", "zh-TW", 1000 },
    { "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN", 899 },
    { "zh-Hant-TW", "zh-TW", 1000 },
    { "zh-TW", "zh-Hant-TW", 1000 },
    { "zh-Hant", "zh-TW", 999 },
    { "zh-Hant", "zh-CN", 0 },
    { "zh-TW", "zh-Hant", 998 },
    { "zh-TW", "zh", 998 },
    { "zh-HK, en;q=0.5", "zh-TW", 997 },
    { "zh-HK, en;q=0.5", "zh-CN", 0 },
    { "zh", "zh-CN", 999 },
    { "zh-Hans-CN, zh-Hant-TW;q=0.4", "zh-TW", 400 },
    /* exclusion */
    { "*, en;q=0", "en", 0 },
    { "*, en;q=0", "en-US", 0 },
    { "*, en;q=0", "de", 996 },
    { "*, en-US;q=0", "en", 996 },
    { "*, en-US;q=0", "en-GB", 996 },
    { "en, en-US;q=0", "en-US", 0 },
    { "de, *;q=0", "en", 0 },
    { "zh;q=0.2, zh-Hant;q=0.9", "zh-TW", 899 },
    /* nothing readable, or nothing alike */
    { "", "en", 1000 },
    { ",, ,", "en", 1000 },
    { "en;q=much", "en", 1000 },
    { "eng", "en", 0 },
    { "e", "en", 0 },
    { "-", "en", 0 },
    { "en_US", "en", 0 },
    { "*-CH", "de-CH", 0 },
};

static void languages_are_matched_by_closeness(void **state)
{
    (void)state;
    check(language_cases, sizeof language_cases / sizeof language_cases[0], accept_quality_language);
    assert_int_equal(accept_quality_language((struct span){ NULL, 0 }, SPAN("en")), 1000);
}

struct coding_case {
    const char *field;
    unsigned want[CODINGS]; /* br, zstd, gzip, deflate, identity */
};

static const struct coding_case coding_cases[] = {
    { NULL, { 0, 0, 0, 0, 1000 } },
    { "", { 0, 0, 0, 0, 1000 } },
    /* RFC9110:12.5.3 */
    { "compress, gzip", { 0, 0, 1000, 0, 1 } },
    { "*", { 1000, 1000, 1000, 1000, 1000 } },
    { "compress;q=0.5, gzip;q=1.0", { 0, 0, 1000, 0, 1 } },
    { "gzip;q=1.0, identity; q=0.5, *;q=0", { 0, 0, 1000, 0, 500 } },
    { "gzip, deflate, br, zstd", { 1000, 1000, 1000, 1000, 1 } },
    { "gzip;q=0.2, br;q=0.1", { 100, 0, 200, 0, 1 } },
    { "*;q=0", { 0, 0, 0, 0, 0 } },
    { "identity;q=0", { 0, 0, 0, 0, 0 } },
    { "identity;q=0, gzip;q=0", { 0, 0, 0, 0, 0 } },
    { "gzip;q=0", { 0, 0, 0, 0, 1 } },
    { "gzip;q=0, *", { 1000, 1000, 0, 1000, 1000 } },
    { "*;q=0.3, br;q=0.1", { 100, 300, 300, 300, 300 } },
    { "GZip", { 0, 0, 1000, 0, 1 } },
    { "x-gzip;q=0.4", { 0, 0, 400, 0, 1 } },
    { "x-gzip;q=0.4, gzip;q=0.3", { 0, 0, 400, 0, 1 } },
    { "gzip;q=9, br", { 1000, 0, 0, 0, 1 } },
    { "gzip;q=9", { 0, 0, 0, 0, 1000 } },
    { "aes128gcm", { 0, 0, 0, 0, 1 } },
    { "gz", { 0, 0, 0, 0, 1 } },
    { ",\t,gzip ,", { 0, 0, 1000, 0, 1 } },
};

static void codings_follow_star_and_identity(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof coding_cases / sizeof coding_cases[0]; i++) {
        const struct coding_case *c = &coding_cases[i];
        struct span field = c->field != NULL ? guarded(span_of(c->field)) : (struct span){ NULL, 0 };

        for (unsigned coding = 0; coding < CODINGS; coding++) {
            unsigned got = accept_quality_coding(field, (enum coding)coding);

            if (got != c->want[coding])
                fail_msg("%s: %u for coding %u", c->field, got, coding);
        }
    }
}

static void long_lists_end(void **state)
{
    static const char fills[] = ",;\" *\\=-/";
    size_t bytes = 65536;
    char *text = malloc(bytes);
    struct span field = { text, bytes };

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof fills - 1; i++) {
        memset(text, fills[i], bytes);
        assert_in_range(accept_quality_media(field, SPAN("text/html; charset=utf-8")), 0, 1000);
        assert_in_range(accept_quality_language(field, SPAN("zh-TW")), 0, 1000);
        assert_in_range(accept_quality_coding(field, CODING_GZIP), 0, 1000);
    }
    for (size_t at = 0; at + 4 <= bytes; at += 4)
        memcpy(text + at, ";a=b", 4);
    memcpy(text, "text/css", 8);
    assert_int_equal(accept_quality_media(field, SPAN("text/css;a=b")), 1000);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types_are_matched_by_specificity),
        cmocka_unit_test(languages_are_matched_by_closeness),
        cmocka_unit_test(codings_follow_star_and_identity),
        cmocka_unit_test(long_lists_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
