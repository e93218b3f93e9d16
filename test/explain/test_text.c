#include "explain/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Longer than any text, and still a line for a person. */
#define TEXT_BYTES_MOST 400

static bool ends_sentence(const char *text)
{
    static const char *const stops[] = { ".", "。", ".)", "。）", "）" };
    size_t n = strlen(text);

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        size_t stop = strlen(stops[i]);

        if (n > stop && memcmp(text + n - stop, stops[i], stop) == 0)
            return true;
    }
    return false;
}

static bool has_chinese(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0xE4 && (unsigned char)*text <= 0xE9)
            return true;
    return false;
}

/* The text is there, is a sentence, and is in its language. */
static void check(const char *text, enum language language, const char *about)
{
    bool good = text != NULL && strlen(text) <= TEXT_BYTES_MOST && ends_sentence(text) &&
                has_chinese(text) == (language != LANGUAGE_EN);

    if (!good)
        fail_msg("%s (%s): %s", about, explain_language_tag(language), text != NULL ? text : "no text");
    /* what this program has not */
    assert_null(strstr(text, "verdict why"));
    assert_null(strstr(text, "--dav"));
}

static void no_reason_lacks_a_text(void **state)
{
    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++) {
        for (enum reason r = R_MORE + 1; r < R_COUNT; r++) {
            check(explain_what(r, l), l, reason_info(r)->name);
            check(explain_todo(r, l), l, reason_info(r)->name);
        }
        assert_string_equal(explain_what(R_NONE, l), "");
        assert_string_equal(explain_todo(R_MORE, l), "");
    }
}

static void no_status_lacks_a_text(void **state)
{
    size_t count;
    const struct status_info *rows = status_rows(&count);

    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++)
        for (size_t i = 0; i < count; i++) {
            check(explain_status_what(&rows[i], l), l, rows[i].phrase);
            check(explain_status_todo(&rows[i], l), l, rows[i].phrase);
        }
}

static void no_substatus_lacks_a_text(void **state)
{
    size_t count;
    const struct substatus_info *rows = substatus_rows(&count);

    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++)
        for (size_t i = 0; i < count; i++) {
            check(explain_substatus_what(&rows[i], l), l, rows[i].meaning);
            check(explain_substatus_todo(&rows[i], l), l, rows[i].meaning);
        }
}

/* Two reasons that read alike would be one reason. */
static void no_two_reasons_read_alike(void **state)
{
    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++)
        for (enum reason r = R_MORE + 1; r < R_COUNT; r++)
            for (enum reason q = R_MORE + 1; q < r; q++)
                if (strcmp(explain_what(r, l), explain_what(q, l)) == 0)
                    fail_msg("%s and %s have the same text", reason_info(r)->name, reason_info(q)->name);
}

static void texts_stand_at_their_rows(void **state)
{
    const struct status_info *row = status_find(451, VENDOR_ietf);

    (void)state;
    assert_non_null(strstr(explain_what(R_if_match_failed, LANGUAGE_EN), "If-Match"));
    assert_non_null(strstr(explain_what(R_upstream_answered, LANGUAGE_EN), "The status is the upstream server's own"));
    assert_non_null(strstr(explain_status_what(row, LANGUAGE_EN), "legal"));
    assert_non_null(strstr(explain_substatus_what(substatus_first(400, 1), LANGUAGE_ZH_CN), "Destination"));
}

static void tags_lead_to_languages(void **state)
{
    static const struct {
        const char *tag;
        enum language want;
    } cases[] = {
        { "en", LANGUAGE_EN },         { "en-GB", LANGUAGE_EN },
        { "EN-us", LANGUAGE_EN },      { "zh", LANGUAGE_ZH_CN },
        { "zh-Hans", LANGUAGE_ZH_CN }, { "zh-CN", LANGUAGE_ZH_CN },
        { "zh-SG", LANGUAGE_ZH_CN },   { "zh-Hans-HK", LANGUAGE_ZH_CN },
        { "zh-Hant", LANGUAGE_ZH_TW }, { "zh-TW", LANGUAGE_ZH_TW },
        { "zh-tw", LANGUAGE_ZH_TW },   { "zh-HK", LANGUAGE_ZH_TW },
        { "zh-MO", LANGUAGE_ZH_TW },   { "zh-Hant-CN", LANGUAGE_ZH_TW },
        { "de", LANGUAGES },           { "", LANGUAGES },
        { "zhx", LANGUAGES },          { "english", LANGUAGES },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (explain_language_find(span_of(cases[i].tag)) != cases[i].want)
            fail_msg("%s", cases[i].tag);
}

static void fields_lead_to_languages(void **state)
{
    static const struct {
        const char *field;
        enum language want;
    } cases[] = {
        { "zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", LANGUAGE_ZH_TW },
        { "zh-CN,zh;q=0.9,en;q=0.8", LANGUAGE_ZH_CN },
        { "zh-HK, en", LANGUAGE_ZH_TW }, /* a neighbour of the same weight, and named first */
        { "zh, en", LANGUAGE_ZH_CN },
        { "zh-CN, en", LANGUAGE_ZH_CN },
        { "en, zh-CN", LANGUAGE_EN },
        { "zh", LANGUAGE_ZH_CN },
        { "zh-MO", LANGUAGE_ZH_TW },
        { "de, fr;q=0.8, zh-Hant;q=0.2", LANGUAGE_ZH_TW },
        { "de", LANGUAGE_EN },
        { "de, *;q=0.5", LANGUAGE_EN },
        { "en;q=0, zh-TW;q=0.1", LANGUAGE_ZH_TW },
        { "zh-TW;q=0", LANGUAGE_EN },
        { ",,;;q=,\xff", LANGUAGE_EN },
        { "", LANGUAGE_EN },
    };

    (void)state;
    assert_int_equal(explain_language((struct span){ NULL, 0 }), LANGUAGE_EN);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (explain_language(span_of(cases[i].field)) != cases[i].want)
            fail_msg("%s", cases[i].field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reason_lacks_a_text),    cmocka_unit_test(no_status_lacks_a_text),
        cmocka_unit_test(no_substatus_lacks_a_text), cmocka_unit_test(no_two_reasons_read_alike),
        cmocka_unit_test(texts_stand_at_their_rows), cmocka_unit_test(tags_lead_to_languages),
        cmocka_unit_test(fields_lead_to_languages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
