#include "reason/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reason/reason.h"

enum { STATUS_COUNT = 98, SUBSTATUS_COUNT = 110, RULE_LAST = 251, ENGLISH_MAX_BYTES = 225 };

struct text {
    unsigned status, sub;
    enum status_vendor vendor;
    const char *means, *advice;
};

#define STATUS_TEXT(code, vendor, means, advice)         { code, 0, VENDOR_##vendor, means, advice },
#define SUBSTATUS_TEXT(status, sub, vendor, means, todo) { status, sub, VENDOR_##vendor, means, todo },

static const struct text status_en[] = {
#include "explain/statuses.en.def"
};

static const struct text status_cn[] = {
#include "explain/statuses.zh-CN.def"
};

static const struct text status_tw[] = {
#include "explain/statuses.zh-TW.def"
};

static const struct text substatus_en[] = {
#include "explain/substatuses.en.def"
};

static const struct text substatus_cn[] = {
#include "explain/substatuses.zh-CN.def"
};

static const struct text substatus_tw[] = {
#include "explain/substatuses.zh-TW.def"
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum language { ENGLISH, SIMPLIFIED, TRADITIONAL };

static const struct {
    const char *name;
    const struct text *rows;
    size_t count;
    enum language language;
} status_texts[] = {
    { "en", status_en, COUNT(status_en), ENGLISH },
    { "zh-CN", status_cn, COUNT(status_cn), SIMPLIFIED },
    { "zh-TW", status_tw, COUNT(status_tw), TRADITIONAL },
}, substatus_texts[] = {
    { "en", substatus_en, COUNT(substatus_en), ENGLISH },
    { "zh-CN", substatus_cn, COUNT(substatus_cn), SIMPLIFIED },
    { "zh-TW", substatus_tw, COUNT(substatus_tw), TRADITIONAL },
};

/* Words of one side of the strait that have no business in the texts of the other, and punctuation of neither. */
static const char *const not_simplified[] = { "伺服器", "回應", "快取", "用戶端", "檔案", "預設", "連線", "憑證",
                                              "請求",   "「",   "」",   ", ",     ". ",   ";",    "(",    NULL };
static const char *const not_traditional[] = { "服务器", "伺服务", "响应", "響應", "缓存", "緩存", "客户端",
                                               "客戶端", "默认",   "默認", "超时", "超時", "证书", "證書",
                                               "返回",   "信息",   "字段", "网",   "请",   "“",    "”",
                                               ", ",     ". ",     ";",    "(",    NULL };

/* The first thing in s that is wrong for the language, or NULL. */
static const char *misfit(const char *s, enum language language)
{
    const char *const *words = language == SIMPLIFIED ? not_simplified : not_traditional;

    if (s[0] == '\0')
        return "(empty)";
    if (language == ENGLISH)
        return strlen(s) > ENGLISH_MAX_BYTES ? "(long)" : NULL;
    for (; *words != NULL; words++)
        if (strstr(s, *words) != NULL)
            return *words;
    return NULL;
}

static void assert_fits(const char *name, const struct text *row, enum language language)
{
    const char *bad = misfit(row->means, language);

    if (bad == NULL)
        bad = misfit(row->advice, language);
    if (bad != NULL)
        fail_msg("%s %u.%u %s: %s", name, row->status, row->sub, status_vendor_name(row->vendor), bad);
}

static void test_counts(void **state)
{
    size_t count;

    (void)state;
    assert_non_null(status_rows(&count));
    assert_int_equal(count, STATUS_COUNT);
    assert_non_null(substatus_rows(&count));
    assert_int_equal(count, SUBSTATUS_COUNT);
}

static void test_status_rows_are_unique_and_ordered(void **state)
{
    size_t count;
    const struct status_info *rows = status_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            assert_true(rows[i - 1].code <= rows[i].code);
        assert_ptr_equal(status_find(rows[i].code, rows[i].vendor), &rows[i]);
    }
}

static void test_substatus_rows_are_unique_and_ordered(void **state)
{
    size_t count;
    const struct substatus_info *rows = substatus_rows(&count);

    (void)state;
    for (size_t i = 1; i < count; i++) {
        unsigned before = rows[i - 1].status * 1000u + rows[i - 1].sub;
        unsigned here = rows[i].status * 1000u + rows[i].sub;

        assert_true(before < here || (before == here && rows[i - 1].vendor != rows[i].vendor));
    }
}

/* RFCnnnn:section with a dotted number or an appendix letter, or "local". Returns what follows it, or NULL. */
static const char *skip_citation(const char *s)
{
    size_t digits, section;

    if (strncmp(s, "RFC", 3) != 0)
        return NULL;
    digits = strspn(s + 3, "0123456789");
    if (digits < 4 || s[3 + digits] != ':')
        return NULL;
    s += 3 + digits + 1;
    section = strspn(s, "0123456789.");
    return section > 0 && s[0] != '.' && s[section - 1] != '.' ? s + section : NULL;
}

static bool spec_well_formed(const char *s)
{
    if (strcmp(s, "local") == 0)
        return true;
    for (;;) {
        s = skip_citation(s);
        if (s == NULL || *s == '\0')
            return s != NULL;
        if (strncmp(s, ", ", 2) != 0)
            return false;
        s += 2;
    }
}

/* Rnnn, ascending, within the catalogue, one space between. */
static bool rules_well_formed(const char *s)
{
    unsigned before = 0;

    for (;;) {
        unsigned id;

        if (s[0] != 'R' || strspn(s + 1, "0123456789") != 3)
            return false;
        id = (unsigned)strtoul(s + 1, NULL, 10);
        if (id <= before || id > RULE_LAST)
            return false;
        before = id;
        if (s[4] == '\0')
            return true;
        if (s[4] != ' ')
            return false;
        s += 5;
    }
}

static void test_columns_keep_their_form(void **state)
{
    size_t count;
    const struct status_info *rows = status_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (!spec_well_formed(rows[i].spec))
            fail_msg("%u %s: spec %s", rows[i].code, rows[i].phrase, rows[i].spec);
        if (!rules_well_formed(rows[i].rules))
            fail_msg("%u %s: rules %s", rows[i].code, rows[i].phrase, rows[i].rules);
        assert_true(rows[i].phrase[0] != '\0' && rows[i].emitters[0] != '\0');
        assert_true(rows[i].vendor > VENDOR_webdav || rows[i].standing != STANDING_UNOFFICIAL);
    }
}

static void test_form_checks_refuse(void **state)
{
    static const char *const specs[] = { "",           "RFC9110",      "RFC9110:",    "RFC911:1",
                                         "RFC9110:1.", "RFC 9110:1",   "RFC9110:1,",  "RFC9110:1 RFC9111:2",
                                         "Local",      "RFC9110:1; x", "RFC9110:1-2", "rfc9110:1" };
    static const char *const rules[] = { "", "R1", "R000", "R252", "R002 R001", "R001  R002", "R001 ", "R0011" };

    (void)state;
    for (size_t i = 0; i < COUNT(specs); i++)
        assert_false(spec_well_formed(specs[i]));
    for (size_t i = 0; i < COUNT(rules); i++)
        assert_false(rules_well_formed(rules[i]));
}

/* A rule on no status would never be shown to anyone. */
static void test_every_rule_has_a_status(void **state)
{
    size_t count;
    const struct status_info *rows = status_rows(&count);

    (void)state;
    for (unsigned id = 1; id <= RULE_LAST; id++) {
        char name[16];
        bool found = false;

        (void)snprintf(name, sizeof name, "R%03u", id);
        for (size_t i = 0; i < count && !found; i++)
            found = strstr(rows[i].rules, name) != NULL;
        if (!found)
            fail_msg("%s bears on no status", name);
    }
}

/* By RFC9110:15.1, RFC7725:3. */
static void test_heuristically_cacheable(void **state)
{
    static const unsigned want[] = { 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 451, 501 };
    size_t count, found = 0;
    const struct status_info *rows = status_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        if (rows[i].cacheable) {
            assert_true(found < COUNT(want));
            assert_int_equal(rows[i].code, want[found++]);
            assert_int_equal(rows[i].vendor, VENDOR_ietf);
        }
    assert_int_equal(found, COUNT(want));
}

static void test_registered_codes_have_their_phrase(void **state)
{
    size_t count;
    const struct status_info *rows = status_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct status_info *row = &rows[i];

        if (row->vendor > VENDOR_webdav || (row->vendor == VENDOR_webdav && row->standing == STANDING_OBSOLETE))
            continue;
        if (row->standing == STANDING_UNUSED) {
            assert_null(strchr(row->other_phrases, ';'));
            assert_string_equal(status_phrase(row->code), row->other_phrases);
        } else
            assert_string_equal(status_phrase(row->code), row->phrase);
        assert_true(status_phrase(row->code)[0] != '\0');
        assert_ptr_equal(status_first(row->code), row);
    }
}

static void test_phrases(void **state)
{
    static const struct {
        unsigned code;
        const char *phrase;
    } cases[] = {
        { 0, "" },
        { 99, "" },
        { 100, "Continue" },
        { 103, "Early Hints" },
        { 199, "" },
        { 200, "OK" },
        { 207, "Multi-Status" },
        { 299, "" },
        { 302, "Found" },
        { 306, "Switch Proxy" },
        { 413, "Content Too Large" },
        { 418, "I'm a teapot" },
        { 419, "" }, /* claimed by two */
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 425, "Too Early" },
        { 451, "Unavailable For Legal Reasons" },
        { 499, "" }, /* claimed by three */
        { 510, "Not Extended" },
        { 511, "Network Authentication Required" },
        { 521, "Web Server Is Down" },
        { 530, "" }, /* claimed by two */
        { 599, "Network Connect Timeout Error" },
        { 600, "" }, /* no status on the wire */
        { 65536 + 200, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(status_phrase(cases[i].code), cases[i].phrase);
}

static void test_meanings_of_one_number(void **state)
{
    static const struct {
        unsigned code;
        enum status_vendor vendors[3];
        size_t count;
    } cases[] = {
        { 103, { VENDOR_ietf, VENDOR_unofficial }, 2 },
        { 404, { VENDOR_ietf }, 1 },
        { 419, { VENDOR_unofficial, VENDOR_laravel }, 2 },
        { 420, { VENDOR_twitter, VENDOR_spring }, 2 },
        { 421, { VENDOR_ietf, VENDOR_unofficial }, 2 },
        { 425, { VENDOR_ietf, VENDOR_webdav }, 2 },
        { 451, { VENDOR_ietf, VENDOR_microsoft }, 2 },
        { 499, { VENDOR_esri, VENDOR_unofficial, VENDOR_nginx }, 3 },
        { 530, { VENDOR_pantheon, VENDOR_cloudflare }, 2 },
        { 600, { VENDOR_unofficial }, 1 },
        { 299, { 0 }, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct status_info *row = status_first(cases[i].code);

        for (size_t n = 0; n < cases[i].count; n++, row = status_next(row)) {
            assert_non_null(row);
            assert_int_equal(row->code, cases[i].code);
            assert_int_equal(row->vendor, cases[i].vendors[n]);
        }
        assert_null(row);
    }
    assert_null(status_find(404, VENDOR_nginx));
    assert_string_equal(status_find(499, VENDOR_nginx)->phrase, "Client Closed Request");
}

static void test_meanings_of_one_substatus(void **state)
{
    const struct substatus_info *row = substatus_first(502, 3);

    (void)state;
    assert_int_equal(row->vendor, VENDOR_arr);
    row = substatus_next(row);
    assert_int_equal(row->vendor, VENDOR_iis7);
    assert_null(substatus_next(row));
    assert_null(substatus_next(substatus_first(503, 4))); /* the last row */
    assert_string_equal(substatus_first(404, 13)->rfc, "413");
    assert_null(substatus_first(404, 21));
    assert_null(substatus_first(416, 0));
}

static void test_registry_only_substatuses(void **state)
{
    static const unsigned want[] = { 22, 23, 24 };
    size_t count, found = 0;
    const struct substatus_info *rows = substatus_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].meaning[0] != '\0' && rows[i].rfc[0] != '\0' && rows[i].condition[0] != '\0');
        assert_non_null(status_find(rows[i].status, VENDOR_ietf));
        if (rows[i].registry_only) {
            assert_true(found < COUNT(want));
            assert_int_equal(rows[i].status, 500);
            assert_int_equal(rows[i].sub, want[found++]);
        }
    }
    assert_int_equal(found, COUNT(want));
}

static void test_names(void **state)
{
    (void)state;
    for (enum status_vendor v = 0; v < VENDORS; v++)
        assert_int_equal(status_vendor_find(span_of(status_vendor_name(v))), v);
    assert_int_equal(status_vendor_find(SPAN("NGINX")), VENDOR_nginx);
    assert_int_equal(status_vendor_find(SPAN("apache")), VENDORS);
    assert_int_equal(status_vendor_find((struct span){ 0 }), VENDORS);
    for (enum status_standing s = 0; s < STANDINGS; s++)
        assert_non_null(status_standing_name(s));
    assert_string_equal(status_standing_name(STANDING_UNUSED), "unused");
}

static void test_every_status_is_explained(void **state)
{
    size_t count;
    const struct status_info *rows = status_rows(&count);

    (void)state;
    for (size_t l = 0; l < COUNT(status_texts); l++) {
        assert_int_equal(status_texts[l].count, count);
        for (size_t i = 0; i < count; i++) {
            const struct text *text = &status_texts[l].rows[i];

            assert_int_equal(text->status, rows[i].code);
            assert_int_equal(text->vendor, rows[i].vendor);
            assert_fits(status_texts[l].name, text, status_texts[l].language);
        }
    }
}

static void test_every_substatus_is_explained(void **state)
{
    size_t count;
    const struct substatus_info *rows = substatus_rows(&count);

    (void)state;
    for (size_t l = 0; l < COUNT(substatus_texts); l++) {
        assert_int_equal(substatus_texts[l].count, count);
        for (size_t i = 0; i < count; i++) {
            const struct text *text = &substatus_texts[l].rows[i];

            assert_int_equal(text->status, rows[i].status);
            assert_int_equal(text->sub, rows[i].sub);
            assert_int_equal(text->vendor, rows[i].vendor);
            assert_fits(substatus_texts[l].name, text, substatus_texts[l].language);
        }
    }
}

/* What a reason sends or logs in any dialect must be a number that can be looked up. */
static void test_reasons_speak_known_numbers(void **state)
{
    (void)state;
    for (enum reason r = R_MORE + 1; r < R_COUNT; r++) {
        struct code nginx = reason_code(r, DIALECT_NGINX), iis = reason_code(r, DIALECT_IIS);
        unsigned iis_status = iis.wire != 0 ? iis.wire : 400; /* nothing sent: ARR logs under 400 */

        for (enum dialect d = 0; d < DIALECTS; d++) {
            unsigned wire = reason_code(r, d).wire;

            if (wire != 0 && status_first(wire) == NULL)
                fail_msg("%s: %s status %u", reason_info(r)->name, dialect_name(d), wire);
        }
        if (nginx.detail != 0 && status_first(nginx.detail) == NULL)
            fail_msg("%s: nginx logs %u", reason_info(r)->name, nginx.detail);
        if (iis.detail != 0 && substatus_first(iis_status, iis.detail - 1u) == NULL)
            fail_msg("%s: iis logs %u.%u", reason_info(r)->name, iis_status, iis.detail - 1u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_status_rows_are_unique_and_ordered),
        cmocka_unit_test(test_substatus_rows_are_unique_and_ordered),
        cmocka_unit_test(test_columns_keep_their_form),
        cmocka_unit_test(test_form_checks_refuse),
        cmocka_unit_test(test_every_rule_has_a_status),
        cmocka_unit_test(test_heuristically_cacheable),
        cmocka_unit_test(test_registered_codes_have_their_phrase),
        cmocka_unit_test(test_phrases),
        cmocka_unit_test(test_meanings_of_one_number),
        cmocka_unit_test(test_meanings_of_one_substatus),
        cmocka_unit_test(test_registry_only_substatuses),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_every_status_is_explained),
        cmocka_unit_test(test_every_substatus_is_explained),
        cmocka_unit_test(test_reasons_speak_known_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
