#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/path.h"

struct good {
    const char *raw, *path;
};

static const struct good goods[] = {
    { "", "/" },
    { "/", "/" },
    { "/a/b.html", "/a/b.html" },
    { "/a/b/", "/a/b/" },
    { "//a///b//", "/a/b/" },
    { "///", "/" },
    { "/.", "/" },
    { "/./a/./b/.", "/a/b/" },
    { "/a/..", "/" },
    { "/a/../", "/" },
    { "/a/b/..", "/a/" },
    { "/a/b/../../c", "/c" },
    { "/a//../b", "/b" },
    { "/a/./../b", "/b" },
    { "/a/%2e%2E/b", "/b" },
    { "/a/%2e", "/a/" },
    { "/...", "/..." },
    { "/.a/..b/c..", "/.a/..b/c.." },
    { "/%41%c3%a4%20%7e", "/A\xc3\xa4 ~" },
    { "/%2541", "/%41" },
    { "/%252e%252e/a", "/%2e%2e/a" },
    { "/a%2fb%2F", "/a%2Fb%2F" }, /* no separator */
    { "/a/%2F/b", "/a/%2F/b" },
    { "/a/.%2Fb", "/a/.%2Fb" },
    { "/a%5Cb", "/a\\b" },
    { "/a%0a", "/a\n" },
};

static void good_paths_are_decoded_once(void **state)
{
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        struct span raw = guarded(span_of(goods[i].raw));
        struct verdict v = { 0 };
        size_t n = 0;

        memset(out, 'x', sizeof out);
        if (path_decode(raw, out, raw.n + 1, &n, &v) != R_NONE)
            fail_msg("%s: %s at %u", goods[i].raw, reason_info(v.why)->name, v.at);
        assert_true(span_is((struct span){ out, n }, span_of(goods[i].path)));
        assert_int_equal(out[raw.n + 1], 'x');
    }
}

struct refusal {
    struct span raw;
    enum reason why;
    uint32_t at;
};

static const struct refusal refusals[] = {
    { SPAN_INIT("a"), R_target_malformed, 0 },
    { SPAN_INIT("/a\0"), R_target_malformed, 2 },
    { SPAN_INIT("/a%00b"), R_target_malformed, 2 },
    { SPAN_INIT("/%"), R_target_malformed, 1 },
    { SPAN_INIT("/%4"), R_target_malformed, 1 },
    { SPAN_INIT("/%4x/"), R_target_malformed, 1 },
    { SPAN_INIT("/.."), R_path_outside_root, 1 },
    { SPAN_INIT("/../"), R_path_outside_root, 1 },
    { SPAN_INIT("/%2e%2e/etc"), R_path_outside_root, 1 },
    { SPAN_INIT("/a/../../b"), R_path_outside_root, 6 },
    { SPAN_INIT("//./..//a"), R_path_outside_root, 4 },
    { SPAN_INIT("/a/.%2e/%2e."), R_path_outside_root, 8 },
    /* what another server may take for a separator */
    { SPAN_INIT("/a/b/..%2Fc"), R_path_outside_root, 5 },
    { SPAN_INIT("/a/b/%2f..%2fc"), R_path_outside_root, 5 },
    { SPAN_INIT("/a/b%2F../c"), R_path_outside_root, 3 },
    { SPAN_INIT("/a/..%5Cb"), R_path_outside_root, 3 },
    { SPAN_INIT("/a/b%5c.."), R_path_outside_root, 3 },
    { SPAN_INIT("/a/..%252Fb"), R_path_outside_root, 3 },
};

static void ways_out_are_refused_in_place(void **state)
{
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        struct verdict v = { 0 };
        size_t n;
        enum reason why = path_decode(guarded(r->raw), out, sizeof out, &n, &v);

        if (why != r->why || v.why != why || v.at != r->at)
            fail_msg("row %zu, %s: %s at %u", i, r->raw.p, why > R_MORE ? reason_info(why)->name : "none", v.at);
    }
}

static void encoding_is_undone_by_decoding(void **state)
{
    char path[512] = "/", text[1536], back[1537];
    size_t n = 1, encoded, decoded;
    struct verdict v = { 0 };

    (void)state;
    for (int c = 1; c < 256; c++)
        if (c != '/')
            path[n++] = (char)c;
    encoded = path_encode(guarded((struct span){ path, n }), text, sizeof text);
    assert_true(encoded <= 3 * n);
    assert_int_equal(path_decode((struct span){ text, encoded }, back, sizeof back, &decoded, &v), R_NONE);
    assert_true(span_is((struct span){ path, n }, (struct span){ back, decoded }));
}

static void only_what_must_be_is_encoded(void **state)
{
    char text[64];

    (void)state;
    assert_int_equal(path_encode(SPAN("/a-b_c.d~!$&'()*+,;=:@/"), text, sizeof text), 23);
    assert_memory_equal(text, "/a-b_c.d~!$&'()*+,;=:@/", 23);
    assert_int_equal(path_encode(SPAN("/%2F ?#\xe4[\"<"), text, sizeof text), 27);
    assert_memory_equal(text, "/%252F%20%3F%23%E4%5B%22%3C", 27);
    assert_int_equal(path_encode(SPAN("/ ?"), text, 5), 7);
    assert_int_equal(path_encode(SPAN("/ ?"), NULL, 0), 7);
}

static void segments_are_counted(void **state)
{
    (void)state;
    assert_int_equal(path_segments(SPAN("/")), 0);
    assert_int_equal(path_segments(SPAN("")), 0);
    assert_int_equal(path_segments(SPAN("/a")), 1);
    assert_int_equal(path_segments(SPAN("/a/b/")), 2);
    assert_int_equal(path_segments(guarded(SPAN("/a//b"))), 2);
}

static void hidden_names_begin_with_a_dot(void **state)
{
    static const struct {
        const char *path;
        size_t at;
    } cases[] = {
        { "/", 1 },
        { "/a.b/c", 6 },
        { "/.a", 1 },
        { "/a/.b/c", 3 },
        { "/a/.", 3 },
        { "/.well-known", 12 },
        { "/.well-known/a", 14 },
        { "/.well-known/.a", 13 },
        { "/.well-knowna", 1 },
        { "/a/.well-known", 3 },
        { "/23456789abcdef.0123456789abcde/.x", 32 },
        { "/23456789abcde/.0123456789abcdef", 15 },
        { "/23456789abcdef/.x", 16 },
        { "/23456789abcd.f/x", 17 },
        { "/.well-known/2345678/.x", 21 },
        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(path_first_hidden(guarded(span_of(cases[i].path))), cases[i].at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_paths_are_decoded_once),    cmocka_unit_test(ways_out_are_refused_in_place),
        cmocka_unit_test(encoding_is_undone_by_decoding), cmocka_unit_test(only_what_must_be_is_encoded),
        cmocka_unit_test(segments_are_counted),           cmocka_unit_test(hidden_names_begin_with_a_dot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
