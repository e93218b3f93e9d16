#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/language.h"

static const char *const tags[] = {
    "en",       "zh-TW",      "zh-Hant", "pt-BR",          "ZH-hant-tw", "es-419",
    "sl-rozaj", "de-CH-1996", "haw",     "sl-rozaj-biske", "zh-Hant-HK", "de-Latn-1996"
};
static const char *const others[] = {
    "",        "e",        "html", "mp4", "en-", "-en", "en--US",     "en_US",     "en-U",
    "en-US-x", "en-US-GB", "12",   "e1",  "*",   "en ", "en-a-bbbbb", "de-CH-199", "en-12345678901234567890123456789012"
};

static void plausible_tags_are_told_from_other_suffixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (!language_is_tag(guarded(span_of(tags[i]))))
            fail_msg("%s is a tag", tags[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (language_is_tag(guarded(span_of(others[i]))))
            fail_msg("%s is no tag", others[i]);
    }
    assert_false(language_is_tag((struct span){ NULL, 0 }));
    assert_true(language_is(SPAN("zh-TW"), SPAN("ZH-tw")));
    assert_false(language_is(SPAN("zh-TW"), SPAN("zh")));
}

struct match_case {
    const char *range, *tag;
    enum language_match want;
};

static const struct match_case match_cases[] = {
    { "en", "en", LANGUAGE_SAME },
    { "EN-us", "en-US", LANGUAGE_SAME },
    { "en", "en-US", LANGUAGE_FILTER },
    { "de-de", "de-DE-1996", LANGUAGE_FILTER }, /* RFC4647:3.3.1 */
    { "de-de", "de-Deva", LANGUAGE_NEAR },
    { "de-de", "de-Latn-DE", LANGUAGE_FILTER },
    { "en-US", "en", LANGUAGE_LOOKUP },
    { "en-GB", "en-US", LANGUAGE_NEAR },
    { "de-CH-1996", "de-CH-1901", LANGUAGE_NEAR },
    { "sr-Latn", "sr-Cyrl", LANGUAGE_OTHER },
    { "sr-Latn", "sr-RS", LANGUAGE_NEAR },
    { "zh-Hant-TW", "zh-TW", LANGUAGE_SAME },
    { "zh-TW", "zh-Hant-TW", LANGUAGE_SAME },
    { "zh-Hans-SG", "zh-SG", LANGUAGE_SAME },
    { "zh", "zh-Hant-TW", LANGUAGE_FILTER },
    { "zh-Hant", "zh-MO", LANGUAGE_FILTER },
    { "zh-TW", "zh-Hant", LANGUAGE_LOOKUP },
    { "zh-Hant-TW", "zh", LANGUAGE_LOOKUP },
    { "zh-HK", "zh-TW", LANGUAGE_NEAR },
    { "zh-CN", "zh-TW", LANGUAGE_OTHER },
    { "zh-Hans", "zh-HK", LANGUAGE_OTHER },
    { "en", "eng", LANGUAGE_OTHER },
    { "en", "de", LANGUAGE_OTHER },
    { "", "en", LANGUAGE_OTHER },
    { "", "", LANGUAGE_OTHER },
    { "-en", "en", LANGUAGE_OTHER },
    { "en", "", LANGUAGE_OTHER },
};

static void match_tells_how_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof match_cases / sizeof match_cases[0]; i++) {
        const struct match_case *c = &match_cases[i];
        enum language_match got = language_match(guarded(span_of(c->range)), span_of(c->tag));

        if (got != c->want || language_match(span_of(c->range), guarded(span_of(c->tag))) != c->want)
            fail_msg("%s for %s: %d", c->range, c->tag, (int)got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plausible_tags_are_told_from_other_suffixes),
        cmocka_unit_test(match_tells_how_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
