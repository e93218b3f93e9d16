#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/uri_rewrite.h"

static struct uri_mount mount_of(struct arena *a, const char *outside, const char *inside)
{
    struct uri_mount mount;

    assert_true(uri_rewrite_mount(a, span_of(outside), span_of(inside), &mount));
    return mount;
}

static void compare(size_t row, struct span got, const char *want)
{
    if (!span_is(got, span_of(want)))
        fail_msg("row %zu: %.*s, not %s", row, (int)got.n, got.p, want);
}

struct target_case {
    const char *outside, *inside, *target, *sent; /* "": refused */
};

static const struct target_case targets[] = {
    { "/", "/", "/a/b?c=d?", "/a/b?c=d?" },
    { "/", "/", "/", "/" },
    { "/", "/", "http://h", "/" },
    { "/", "/", "http://h?q", "/?q" },
    { "/", "/", "/a?", "/a?" },
    { "/app", "/app/", "/app/x?y", "/app/x?y" },
    { "/app", "/v1", "/app/x%20%2f%25?y=%20", "/v1/x%20%2f%25?y=%20" },
    { "/app/", "/v1", "/app/x", "/v1/x" },
    { "/app", "/v1/", "/app", "/v1" },
    { "/app", "/v1/", "/app/", "/v1/" },
    { "/app", "/", "/app", "/" },
    { "/app", "/", "/app?q", "/?q" },
    { "/app", "/", "/app/x", "/x" },
    { "/app", "/a%20b", "/app/x", "/a%20b/x" },
    { "/", "/v1", "/x", "/v1/x" },
    { "/", "/v1", "/", "/v1/" },
    { "/app", "/v1", "/apple", "" },
    { "/app", "/v1", "/ap", "" },
    { "/app", "/v1", "/APP/x", "" },
    /* the prefix is found whatever way it is written */
    { "/app", "/v1", "/%61p%70/x%61", "/v1/x%61" },
    { "/a b/\xc3\xa9", "/v1", "/a%20b/%C3%a9/x", "/v1/x" },
    { "/a%2Fb", "/v1", "/a%2fb/x", "/v1/x" },
    { "/a%2Fb", "/v1", "/a%252fb/x", "" },
    { "/a%2Fb", "/v1", "/a%2f", "" },
    { "/a/b", "/v1", "/a%2fb/x", "" },
    { "/a/b", "/v1", "//a///b/x", "/v1/x" },
    { "/a", "/v1", "/a%2fx", "" },
    { "/a", "/v1", "/a/%2561", "/v1/%2561" }, /* decoded once, and not on the way on */
    /* slashes: kept, but where they would look like an authority */
    { "/app", "/", "/app//evil.example/x", "/evil.example/x" },
    { "/", "/", "//evil.example/x", "/evil.example/x" },
    { "/", "/", "/a//b", "/a//b" },
    { "/app", "/v1", "/app//x//y", "/v1/x//y" },
    /* dots */
    { "/app", "/v1", "/app/a/../b/./c", "/v1/b/c" },
    { "/app", "/v1", "/app/a/%2e%2E/b/%2e", "/v1/b/" },
    { "/app", "/v1", "/app/a/..", "/v1/" },
    { "/app", "/v1", "/x/../app/y", "/v1/y" },
    { "/app", "/v1", "/app/../app/y", "/v1/y" },
    { "/app", "/v1", "/app/a//../b", "/v1/b" },
    { "/app", "/v1", "/app/../x", "" },
    { "/app", "/v1", "/app/x/../../y", "" },
    { "/", "/", "/..", "" },
    { "/", "/", "//../x", "" },
    { "/", "/", "/a/.b/..c/.../x.", "/a/.b/..c/.../x." },
    /* what others may take for ways up */
    { "/app", "/v1", "/app/..;/x", "" },
    { "/app", "/v1", "/app/..;a=b/x", "" },
    { "/app", "/v1", "/app/%2e.%3bx", "" },
    { "/app", "/v1", "/app/..%2fx", "" },
    { "/app", "/v1", "/app/x%2f..", "" },
    { "/app", "/v1", "/app/..%5cx", "" },
    { "/app", "/v1", "/app/a;x=../b%2F.x%2f...", "/v1/a;x=../b%2F.x%2f..." },
    { "/app", "/v1", "/app/a;..", "/v1/a;.." },
};

static void targets_move_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        const struct target_case *c = &targets[i];
        struct arena a;
        struct uri_mount mount;
        struct target target;
        struct verdict v;

        arena_init(&a, NULL, 0, 10000);
        mount = mount_of(&a, c->outside, c->inside);
        assert_int_equal(target_parse(guarded(span_of(c->target)), M_GET, &target, &v), R_NONE);
        compare(i, uri_rewrite_target(&a, &mount, &target), c->sent);
        arena_reset(&a);
    }
}

static void what_does_not_move_is_not_copied(void **state)
{
    struct arena a;
    struct uri_mount mount;
    struct target target;
    struct verdict v;
    struct span text = SPAN("/app/x?y"), sent;

    (void)state;
    arena_init(&a, NULL, 0, 10000);
    mount = mount_of(&a, "/app", "/app");
    assert_int_equal(target_parse(text, M_GET, &target, &v), R_NONE);
    sent = uri_rewrite_target(&a, &mount, &target);
    assert_ptr_equal(sent.p, text.p);
    assert_int_equal(sent.n, text.n);
    assert_int_equal(target_parse(SPAN("*"), M_OPTIONS, &target, &v), R_NONE);
    compare(0, uri_rewrite_target(&a, &mount, &target), "*");
    arena_reset(&a);
    assert_false(uri_rewrite_mount(&a, SPAN("/"), SPAN("/../a"), &mount));
    assert_false(uri_rewrite_mount(&a, SPAN("/"), SPAN("a"), &mount));
    arena_reset(&a);
}

struct text_case {
    const char *in, *out;
};

static const struct text_case locations[] = {
    { "http://up:8080/v1/x?q#f", "https://www.example/app/x?q#f" },
    { "HTTP://UP:8080/v1", "https://www.example/app" },
    { "http://up:8080/v1?q", "https://www.example/app?q" },
    { "//up:8080/v1/x", "https://www.example/app/x" },
    { "/v1/x", "/app/x" },
    { "/v1#f", "/app#f" },
    { "/%761//x/../y", "/app/y" },
    { "/v1//evil.example", "/app/evil.example" },
    { "/v1/\xc3\xa9", "/app/\xc3\xa9" },
    /* not of the upstream, or not of the prefix */
    { "http://up:8080/", "http://up:8080/" },
    { "http://up:8080/v12", "http://up:8080/v12" },
    { "http://up:8080", "http://up:8080" },
    { "http://up/v1/x", "http://up/v1/x" },
    { "https://up:8080/v1/x", "https://up:8080/v1/x" },
    { "http://other:8080/v1/x", "http://other:8080/v1/x" },
    { "http://a@up:8080/v1/x", "http://a@up:8080/v1/x" },
    { "http://up:8080\\@evil/v1/x", "http://up:8080\\@evil/v1/x" },
    { "ftp://up:8080/v1/x", "ftp://up:8080/v1/x" },
    { "http:/v1/x", "http:/v1/x" },
    { "mailto:a", "mailto:a" },
    { "http://", "http://" },
    { "x/y", "x/y" },
    { "x?http://up:8080/v1", "x?http://up:8080/v1" },
    { "?q", "?q" },
    { "", "" },
    { "/x", "/x" },
    /* browsers would make something else of it */
    { "/v1/\\evil.example", "/v1/\\evil.example" },
    { "/v1/\t/evil.example", "/v1/\t/evil.example" },
    { "/v1/../../x", "/v1/../../x" },
    { "/v1/%zz", "/v1/%zz" },
};

static const struct uri_site site = { SPAN_INIT("https"), SPAN_INIT("www.example"), SPAN_INIT("http"),
                                      SPAN_INIT("up:8080") };

static void locations_move_outside(void **state)
{
    struct arena a;
    struct uri_mount mount;

    (void)state;
    arena_init(&a, NULL, 0, 100000);
    mount = mount_of(&a, "/app", "/v1");
    for (size_t i = 0; i < sizeof locations / sizeof locations[0]; i++)
        compare(i, uri_rewrite_location(&a, &mount, &site, guarded(span_of(locations[i].in))), locations[i].out);
    mount = mount_of(&a, "/", "/v1");
    compare(100, uri_rewrite_location(&a, &mount, &site, SPAN("/v1")), "/");
    compare(101, uri_rewrite_location(&a, &mount, &site, SPAN("/v1///evil.example")), "/evil.example");
    mount = mount_of(&a, "/\xc3\xa9 a", "/");
    compare(102, uri_rewrite_location(&a, &mount, &site, SPAN("http://up:8080")), "https://www.example/%C3%A9%20a/");
    arena_reset(&a);
}

/* A gateway that passes Host on, and speaks plain HTTP with the upstream: only the scheme is wrong. */
static void schemes_change_where_host_stays(void **state)
{
    static const struct uri_site same = { SPAN_INIT("https"), SPAN_INIT("www.example"), SPAN_INIT("http"),
                                          SPAN_INIT("www.example") };
    static const struct text_case cases[] = {
        { "http://www.example/x", "https://www.example/x" },
        { "http://www.example:80/x", "https://www.example/x" },
        { "https://www.example/x", "https://www.example/x" },
        { "http://www.example:8080/x", "http://www.example:8080/x" },
    };
    struct arena a;
    struct uri_mount mount;

    (void)state;
    arena_init(&a, NULL, 0, 100000);
    mount = mount_of(&a, "/", "/");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        compare(i, uri_rewrite_location(&a, &mount, &same, span_of(cases[i].in)), cases[i].out);
    arena_reset(&a);
}

struct destination_case {
    const char *in;
    enum reason why;
    const char *out;
};

static const struct destination_case destinations[] = {
    { "https://www.example/app/x%20y", R_NONE, "http://up:8080/v1/x%20y" },
    { "http://WWW.example/app/x?q", R_NONE, "http://up:8080/v1/x?q" }, /* TLS ends before us */
    { "https://www.example:443/app", R_NONE, "http://up:8080/v1" },
    { "/app/x", R_NONE, "/v1/x" },
    { "/app/y/../x/", R_NONE, "/v1/x/" },
    { "https://other/app/x", R_dav_destination_foreign, "" },
    { "http://www.example:80/app/x", R_dav_destination_foreign, "" },
    { "https://www.example:8443/app/x", R_dav_destination_foreign, "" },
    { "https://up:8080/app/x", R_dav_destination_foreign, "" },
    { "https://u@www.example/app/x", R_dav_destination_foreign, "" },
    { "ftp://www.example/app/x", R_dav_destination_foreign, "" },
    { "https://www.example/x", R_dav_destination_foreign, "" },
    { "/app/../x", R_dav_destination_foreign, "" },
    { "/apple", R_dav_destination_foreign, "" },
    { "/app/..%2fx", R_dav_destination_invalid, "" },
    { "/../app/x", R_dav_destination_invalid, "" },
    { "/app/%00", R_dav_destination_invalid, "" },
    { "/app/%", R_dav_destination_invalid, "" },
    { "/app/a b", R_dav_destination_invalid, "" },
    { "/app/x#f", R_dav_destination_invalid, "" },
    { "//www.example/app/x", R_dav_destination_invalid, "" },
    { "app/x", R_dav_destination_invalid, "" },
    { "https:/app/x", R_dav_destination_invalid, "" },
    { "", R_dav_destination_invalid, "" },
};

static void destinations_move_inside(void **state)
{
    struct arena a;
    struct uri_mount mount;

    (void)state;
    arena_init(&a, NULL, 0, 100000);
    mount = mount_of(&a, "/app", "/v1");
    for (size_t i = 0; i < sizeof destinations / sizeof destinations[0]; i++) {
        struct span out = { 0 };
        enum reason why = uri_rewrite_destination(&a, &mount, &site, guarded(span_of(destinations[i].in)), &out);

        if (why != destinations[i].why)
            fail_msg("row %zu: %s", i, why > R_MORE ? reason_info(why)->name : "none");
        compare(i, out, destinations[i].out);
    }
    arena_reset(&a);
}

static const struct text_case cookies[] = {
    { "a=b; Path=/v1/x; Secure", "a=b; Path=/app/x; Secure" },
    { "a=b;path=/v1", "a=b;path=/app" },
    { "a=b; PATH = /v1/ ", "a=b; PATH = /app " },
    { "a=b; Path=/v1; Path=/v1/y", "a=b; Path=/v1; Path=/app/y" }, /* the last counts */
    { "a=b; Path=/", "a=b; Path=/" },
    { "a=b; Path=/v12", "a=b; Path=/v12" },
    { "a=b; Path=v1", "a=b; Path=v1" },
    { "a=b; Path=", "a=b; Path=" },
    { "a=b; Path", "a=b; Path" },
    { "a=Path=/v1", "a=Path=/v1" },
    { "Path=/v1; HttpOnly", "Path=/v1; HttpOnly" },
    { "__Host-a=b; Path=/v1", "__Host-a=b; Path=/v1" },
    { "a=b; Domain=.Up.example; Path=/v1", "a=b; Domain=www.example; Path=/app" },
    { "a=b; domain=up.example", "a=b; domain=www.example" },
    { "a=b; Domain=other.example;", "a=b; Domain=other.example;" },
    { "", "" },
};

static void cookies_move_outside(void **state)
{
    static const struct uri_domain to = { SPAN_INIT("up.example"), SPAN_INIT("www.example") };
    static const struct uri_domain none = { SPAN_INIT("up.example"), SPAN_INIT("") };
    struct arena a;
    struct uri_mount mount;

    (void)state;
    arena_init(&a, NULL, 0, 100000);
    mount = mount_of(&a, "/app", "/v1");
    for (size_t i = 0; i < sizeof cookies / sizeof cookies[0]; i++)
        compare(i, uri_rewrite_cookie(&a, &mount, &to, guarded(span_of(cookies[i].in))), cookies[i].out);
    compare(100, uri_rewrite_cookie(&a, &mount, &none, SPAN("a=b; Domain=up.example; Secure")), "a=b; Secure");
    compare(101, uri_rewrite_cookie(&a, &mount, NULL, SPAN("a=b; Domain=up.example")), "a=b; Domain=up.example");
    mount = mount_of(&a, "/app", "/");
    compare(102, uri_rewrite_cookie(&a, &mount, NULL, SPAN("a=b; Path=/")), "a=b; Path=/app");
    mount = mount_of(&a, "/", "/v1");
    compare(103, uri_rewrite_cookie(&a, &mount, NULL, SPAN("a=b; Path=/v1/")), "a=b; Path=/");
    arena_reset(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_move_inside),      cmocka_unit_test(what_does_not_move_is_not_copied),
        cmocka_unit_test(locations_move_outside),   cmocka_unit_test(schemes_change_where_host_stays),
        cmocka_unit_test(destinations_move_inside), cmocka_unit_test(cookies_move_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
