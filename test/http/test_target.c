#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "guarded.h"
#include "http/h1_parse.h"
#include "http/path.h"
#include "http/target.h"

struct good {
    enum method method;
    const char *text;
    enum target_form form;
    const char *scheme, *authority, *path, *query;
    bool has_query;
};

static const struct good goods[] = {
    { M_GET, "/", TARGET_ORIGIN, "", "", "/", "", false },
    { M_GET, "/?", TARGET_ORIGIN, "", "", "/", "", true },
    { M_GET, "/a/b%2Fc;d?x=/?%20", TARGET_ORIGIN, "", "", "/a/b%2Fc;d", "x=/?%20", true },
    { M_GET, "//a", TARGET_ORIGIN, "", "", "//a", "", false },
    { M_GET, "/?a[]=1", TARGET_ORIGIN, "", "", "/", "a[]=1", true },
    { M_GET, "/a|b?family=A|B^{c}`", TARGET_ORIGIN, "", "", "/a|b", "family=A|B^{c}`", true },
    { M_UNKNOWN, "/*", TARGET_ORIGIN, "", "", "/*", "", false },
    { M_OPTIONS, "/", TARGET_ORIGIN, "", "", "/", "", false },
    { M_OPTIONS, "*", TARGET_ASTERISK, "", "", "", "", false },
    { M_GET, "http://h", TARGET_ABSOLUTE, "http", "h", "", "", false },
    { M_GET, "HTTPS://h:443/a?b", TARGET_ABSOLUTE, "HTTPS", "h:443", "/a", "b", true },
    { M_GET, "http://h?b", TARGET_ABSOLUTE, "http", "h", "", "b", true },
    { M_GET, "http://[::1]:80/", TARGET_ABSOLUTE, "http", "[::1]:80", "/", "", false },
    { M_OPTIONS, "http://h", TARGET_ABSOLUTE, "http", "h", "", "", false },
    { M_GET, "a+1-.://h/", TARGET_ABSOLUTE, "a+1-.", "h", "/", "", false },
    { M_GET, "file:///a", TARGET_ABSOLUTE, "file", "", "/a", "", false },
    { M_CONNECT, "h:80", TARGET_AUTHORITY, "", "h:80", "", "", false },
    { M_CONNECT, "[::1]:80", TARGET_AUTHORITY, "", "[::1]:80", "", "", false },
};

static void good_targets_fall_into_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];
        struct target t;
        struct verdict v = { 0 };

        if (target_parse(guarded(span_of(g->text)), g->method, &t, &v) != R_NONE)
            fail_msg("%s: %s at %u", g->text, reason_info(v.why)->name, v.at);
        assert_int_equal(t.form, g->form);
        assert_true(span_is(t.scheme, span_of(g->scheme)));
        assert_true(span_is(t.authority, span_of(g->authority)));
        assert_true(span_is(t.path, span_of(g->path)));
        assert_true(span_is(t.query, span_of(g->query)));
        assert_int_equal(t.has_query, g->has_query);
    }
}

struct front {
    const char *tail;
    bool plain;
};

/* Of what stands behind "/" and some letters. */
static const struct front fronts[] = {
    { "", true },     { "/", true },      { ".", true },       { "x.y/z.", true }, { "/x?", true },
    { "?/.", true },  { "?//", true },    { "?%41", true },    { "a?a/.b", true }, { "//", false },
    { "/.", false },  { "x/./y", false }, { "x/.y?z", false }, { "/..", false },   { "%41", false },
    { "%2F", false }, { "x//?y", false }, { "/%41", false },
};

static void make_front(char *text, size_t letters, const char *tail)
{
    text[0] = '/';
    memset(text + 1, 'a', letters);
    strcpy(text + 1 + letters, tail);
}

/* What is called plain decodes to itself and has nothing hidden; at any distance from the end of a block. */
static void plain_paths_are_known(void **state)
{
    char text[64], out[64];

    (void)state;
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++)
        for (size_t letters = 1; letters < 40; letters++) {
            struct target t;
            struct verdict v = { 0 };
            size_t n = 0;

            make_front(text, letters, fronts[i].tail);
            assert_int_equal(target_parse(guarded(span_of(text)), M_GET, &t, &v), R_NONE);
            if (t.path_plain != fronts[i].plain)
                fail_msg("%s", text);
            assert_int_equal(path_decode(t.path, out, sizeof out, &n, &v), R_NONE);
            if (t.path_plain)
                assert_true(span_is(t.path, (struct span){ out, n }) && path_first_hidden(t.path) == n);
        }
}

/* The parser of the head has looked at the target, and that changes nothing. */
static void check_of_head(struct span text, enum method method)
{
    static const struct h1_limits limits = { .target_bytes = 64, .field_bytes = 64, .head_bytes = 128, .fields = 1 };
    char line[128];
    struct field array[1];
    struct head head;
    struct target whole, seen;
    struct verdict v = { 0 }, w = { 0 };
    int n = snprintf(line, sizeof line, "G %.*s HTTP/1.1\r\n\r\n", (int)text.n, text.p);

    head_init(&head, array);
    if (h1_parse_head((struct span){ line, (size_t)n }, &limits, &head, &v) != R_NONE)
        return;
    assert_int_equal(target_of_head(&head, method, &seen, &v), target_parse(head.target, method, &whole, &w));
    assert_true(v.why == w.why && v.at == w.at);
    if (v.why != R_NONE)
        return;
    assert_true(seen.form == whole.form && seen.has_query == whole.has_query && seen.path_plain == whole.path_plain);
    assert_true(span_is(seen.scheme, whole.scheme) && span_is(seen.authority, whole.authority));
    assert_true(span_is(seen.path, whole.path) && span_is(seen.query, whole.query));
}

struct refusal {
    enum method method;
    struct span text;
    enum reason why;
    uint32_t at;
};

static const struct refusal refusals[] = {
    { M_GET, SPAN_INIT(""), R_target_malformed, 0 },
    { M_CONNECT, { NULL, 0 }, R_target_malformed, 0 },
    { M_GET, SPAN_INIT("/a#b"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("/a\"b"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("/a<b"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("/a\\b"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("/a b"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("/a\0b"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("/a\xc3\xa4"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("/%"), R_target_malformed, 1 },
    { M_GET, SPAN_INIT("/%4"), R_target_malformed, 1 },
    { M_GET, SPAN_INIT("/%41%4x"), R_target_malformed, 4 },
    { M_GET, SPAN_INIT("/?%zz"), R_target_malformed, 2 },
    { M_GET, SPAN_INIT("*"), R_target_form_invalid, 0 },
    { M_OPTIONS, SPAN_INIT("**"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("a/b"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("?a"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("h:80"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("mailto:a"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("http:/h"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("1http://h"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("://h"), R_target_form_invalid, 0 },
    { M_GET, SPAN_INIT("http://"), R_target_malformed, 7 },
    { M_GET, SPAN_INIT("https:///a"), R_target_malformed, 8 },
    { M_GET, SPAN_INIT("http://:80/"), R_target_malformed, 7 },
    { M_GET, SPAN_INIT("http://u@h/"), R_target_malformed, 8 },
    { M_GET, SPAN_INIT("http://u:p@h/"), R_target_malformed, 9 },
    { M_GET, SPAN_INIT("http://h:66000/"), R_target_malformed, 13 },
    { M_GET, SPAN_INIT("http://[::1/"), R_target_malformed, 11 },
    { M_CONNECT, SPAN_INIT("/"), R_target_form_invalid, 0 },
    { M_CONNECT, SPAN_INIT("*"), R_target_form_invalid, 0 },
    { M_CONNECT, SPAN_INIT("http://h:80"), R_target_form_invalid, 0 },
    { M_CONNECT, SPAN_INIT("h"), R_target_form_invalid, 1 },
    { M_CONNECT, SPAN_INIT("h:"), R_target_form_invalid, 2 },
    { M_CONNECT, SPAN_INIT(":80"), R_target_malformed, 0 },
    { M_CONNECT, SPAN_INIT("h:80/"), R_target_malformed, 4 },
    { M_CONNECT, SPAN_INIT("u@h:80"), R_target_malformed, 1 },
};

static void wrong_targets_are_refused_in_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        struct target t;
        struct verdict v = { 0 };
        enum reason why = target_parse(r->text.p != NULL ? guarded(r->text) : r->text, r->method, &t, &v);

        if (why != r->why || v.why != why || v.at != r->at)
            fail_msg("row %zu, %s: %s at %u", i, r->text.p, why > R_MORE ? reason_info(why)->name : "none", v.at);
    }
}

static void what_a_head_knows_of_its_target_is_so(void **state)
{
    static const enum method methods[] = { M_GET, M_OPTIONS, M_CONNECT };
    char text[64];

    (void)state;
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
        for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++)
            check_of_head(span_of(goods[i].text), methods[m]);
        for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
            check_of_head(refusals[i].text, methods[m]);
        for (size_t letters = 1; letters < 40; letters++)
            for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
                make_front(text, letters, fronts[i].tail);
                check_of_head(span_of(text), methods[m]);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_targets_fall_into_parts),
        cmocka_unit_test(plain_paths_are_known),
        cmocka_unit_test(wrong_targets_are_refused_in_place),
        cmocka_unit_test(what_a_head_knows_of_its_target_is_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
