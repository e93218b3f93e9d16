#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_given.h"
#include "serve/route.h"

#define SITE(hosts, reason) "  - {" hosts "routes: [{path: /, answer: {reason: " reason "}}]}\n"

static const char sites[] = "sites:\n"                                   //
    SITE("host: [a.example, 192.0.2.1, \"[::1]\"], ", "gone")            //
    SITE("host: [\"*.b.example\"], ", "teapot")                          //
    SITE("host: [\"*.c.b.example\", exact.c.b.example], ", "seat-limit") //
    SITE("host: [www.b.example], ", "site-frozen");
static const char default_site[] = SITE("host: [d.example], default: true, ", "maintenance");

static const char routes[] = "sites:\n"
                             "  - host: [a.example]\n"
                             "    routes:\n"
                             "      - {path: /a, answer: {reason: gone}}\n"
                             "      - {path: /a/b/, answer: {reason: teapot}}\n"
                             "      - {path: /a/b/c, answer: {reason: seat-limit}}\n"
                             "      - {path: /files, files: /nowhere, write: on}\n";

static struct config *config_given(const char *text)
{
    struct config_options options = given_options();
    struct given g;

    given_read(&g, &options, span_of(text));
    if (g.config == NULL)
        fail_msg("%s", g.complaints);
    return g.config;
}

struct site_case {
    const char *host;
    enum reason want; /* of the site's one route; R_NONE: no site */
};

static const struct site_case site_cases[] = {
    { "a.example", R_gone },
    { "A.EXAMPLE", R_gone },
    { "a.example.", R_gone },
    { "192.0.2.1", R_gone },
    { "[::1]", R_gone },
    { "a.example..", R_NONE },
    { "xa.example", R_NONE },
    { "a.exampl", R_NONE },
    { "", R_NONE },
    { ".", R_NONE },
    { "x.b.example", R_teapot },
    { "X.B.example.", R_teapot },
    { "x.y.b.example", R_teapot },
    { "b.example", R_NONE },
    { ".b.example", R_NONE },
    { "xb.example", R_NONE },
    { "www.b.example", R_site_frozen },
    { "x.www.b.example", R_teapot },
    { "c.b.example", R_teapot },
    { "x.c.b.example", R_seat_limit },
    { "exact.c.b.example", R_seat_limit },
    { "*.b.example", R_teapot },
};

static void sites_check(const struct config *config, const struct site_case *c, enum reason otherwise)
{
    const struct site *site = route_site(config, span_of(c->host));
    enum reason want = c->want != R_NONE ? c->want : otherwise;
    enum reason got = site != NULL ? site->routes[0].fixed.why : R_NONE;

    if (got != want)
        fail_msg("\"%s\": %s, not %s", c->host, got != R_NONE ? reason_info(got)->name : "no site",
                 want != R_NONE ? reason_info(want)->name : "no site");
}

static void test_sites(void **state)
{
    char text[4096];
    struct config *alone = config_given(sites), *with_default;

    (void)state;
    snprintf(text, sizeof text, "%s%s", sites, default_site);
    with_default = config_given(text);
    for (size_t i = 0; i < sizeof site_cases / sizeof site_cases[0]; i++) {
        sites_check(alone, &site_cases[i], R_NONE);
        sites_check(with_default, &site_cases[i], R_maintenance);
    }
    sites_check(with_default, &(struct site_case){ "d.example", R_maintenance }, R_NONE);
    config_release(&alone);
    config_release(&with_default);
}

struct route_case {
    const char *path, *prefix, *subpath; /* prefix NULL: no route */
};

static const struct route_case route_cases[] = {
    { "/a", "/a", "/" },           { "/a/", "/a", "/" },           { "/a/x/y", "/a", "/x/y" },
    { "/ab", NULL, NULL },         { "/A", NULL, NULL },           { "/", NULL, NULL },
    { "/a/b", "/a", "/b" },        { "/a/b/", "/a/b/", "/" },      { "/a/b/x", "/a/b/", "/x" },
    { "/a/bc", "/a", "/bc" },      { "/a/b/c", "/a/b/c", "/" },    { "/a/b/c/d/", "/a/b/c", "/d/" },
    { "/a/b/cd", "/a/b/", "/cd" }, { "/files/x", "/files", "/x" },
};

static struct exchange *chosen(const struct config *config, const char *host, const char *path)
{
    struct exchange *x = calloc(1, sizeof *x);

    assert_non_null(x);
    x->transport = &transport_plain;
    x->req.host.name = span_of(host);
    x->req.path = x->req.subpath = span_of(path);
    route_choose(x, config, ROUTE_PUBLIC);
    return x;
}

static void route_check(const struct config *config, const struct route_case *c)
{
    struct exchange *x = chosen(config, "a.example", c->path);
    const struct route *found = route_find(x->site, span_of(c->path));

    if (c->prefix == NULL) {
        assert_null(found);
        assert_null(x->route);
        assert_null(x->res);
        assert_int_equal(x->route_prefix.n, 0);
        assert_ptr_equal(x->policy, &config->policy);
    } else {
        assert_ptr_equal(found, x->route);
        if (!span_is(found->prefix, span_of(c->prefix)) || !span_is(x->req.subpath, span_of(c->subpath)))
            fail_msg("%s: %.*s and %.*s", c->path, (int)found->prefix.n, found->prefix.p, (int)x->req.subpath.n,
                     x->req.subpath.p);
        assert_ptr_equal(x->policy, &found->policy);
        assert_ptr_equal(x->res, found->resource);
    }
    free(x);
}

static void test_routes(void **state)
{
    struct config *config = config_given(routes);

    (void)state;
    for (size_t i = 0; i < sizeof route_cases / sizeof route_cases[0]; i++)
        route_check(config, &route_cases[i]);
    config_release(&config);
}

static void test_settings_are_those_of_the_kind(void **state)
{
    struct config *config = config_given(routes);
    struct exchange *x = chosen(config, "a.example", "/files/x");

    (void)state;
    assert_ptr_equal(x->res, &file_resource);
    assert_ptr_equal(x->res_settings, &((const struct route *)x->route)->file);
    free(x);
    x = chosen(config, "a.example", "/a");
    assert_ptr_equal(x->res_settings, &((const struct route *)x->route)->fixed);
    free(x);
    config_release(&config);
}

static void test_an_unknown_site(void **state)
{
    struct config *config = config_given(routes);
    struct exchange *x = chosen(config, "b.example", "/a");

    (void)state;
    assert_null(x->site);
    assert_null(x->res);
    assert_ptr_equal(x->policy, &config->policy);
    free(x);
    config_release(&config);
}

/* A file that is there takes the site out of service, at once and for as long. */
static void test_stopped_by_a_file(void **state)
{
    char name[] = "/tmp/verdict-stop-XXXXXX";
    int fd = mkstemp(name);
    struct config *config = config_given(routes);
    struct exchange *x;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    config->sites[0].stopped_by = name;
    x = chosen(config, "a.example", "/a");
    assert_true(x->site_stopped);
    free(x);
    unlink(name);
    x = chosen(config, "a.example", "/a");
    assert_false(x->site_stopped);
    free(x);
    config_release(&config);
}

/* Its own names lead to its own site, and to nothing else; nor do they elsewhere. */
static void test_the_admin_listener_has_one_site(void **state)
{
    struct config *config = config_given(routes);
    struct exchange *x = chosen(config, "localhost", "/api/x");

    (void)state;
    assert_null(x->site);
    route_choose(x, config, ROUTE_ADMIN);
    assert_ptr_equal(x->site, &config->admin.site);
    assert_ptr_equal(x->res, &admin_resource);
    assert_ptr_equal(x->res_settings, &config->admin.site.routes[1].admin);
    assert_ptr_equal(x->policy, &config->admin.site.routes[1].policy);
    assert_true(span_is(x->req.subpath, SPAN("/api/x")));
    free(x);
    x = chosen(config, "a.example", "/a");
    x->site = NULL;
    x->res = NULL;
    route_choose(x, config, ROUTE_ADMIN);
    assert_null(x->site);
    assert_null(x->res);
    assert_ptr_equal(x->policy, &config->policy);
    free(x);
    config_release(&config);
}

/* Whatever host is asked for, and only there. */
static void test_the_forward_proxy_has_one_site(void **state)
{
    static const struct transport at_proxy = { .proxy = true };
    struct config *config = config_given("forward: {listen: \"127.0.0.1:3128\"}\nsites:\n" SITE("", "gone"));
    struct exchange *x = chosen(config, "a.example", "/");

    (void)state;
    assert_ptr_equal(x->site, &config->sites[0]);
    x->transport = &at_proxy;
    route_choose(x, config, ROUTE_PUBLIC);
    assert_ptr_equal(x->site, &config->forward.site);
    assert_ptr_equal(x->res, &gateway_resource);
    assert_ptr_equal(x->res_settings, &config->forward.site.routes->gateway);
    assert_true(x->policy->proxies);
    free(x);
    config_release(&config);
}

struct client_case {
    const char *peer, *lines;
    const char *want; /* whom the exchange is with */
    bool told;        /* by the peer */
};

static const struct client_case client_cases[] = {
    { "192.0.2.1", "", "192.0.2.1", false },
    { "192.0.2.1", "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1", true },
    { "192.0.2.1", "X-Forwarded-For: 203.0.113.1, 198.51.100.1, 192.0.2.9\r\n", "198.51.100.1", true },
    { "192.0.2.1", "X-Forwarded-For: [2001:db8::1]:99\r\n", "2001:db8::1", true },
    { "192.0.2.1", "Forwarded: for=\"[2001:db8::2]\"\r\nX-Forwarded-For: 198.51.100.1\r\n", "2001:db8::2", true },
    { "192.0.2.1", "Forwarded: for=_x\r\nX-Forwarded-For: 198.51.100.1\r\n", "192.0.2.1", false },
    { "192.0.2.1", "X-Forwarded-For: 198.51.100.1, who\r\n", "192.0.2.1", false },
    { "198.51.100.9", "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.9", false },
};

static void client_check(const struct config *config, const struct client_case *c)
{
    const struct h1_limits limits = { 1024, 1024, 4096, 10 };
    char text[512], host[ADDRESS_TEXT_BYTES];
    struct exchange *x = calloc(1, sizeof *x + sizeof(struct field) * 10);
    struct sockaddr_storage socket;
    struct verdict v = { 0 };

    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", c->lines);
    assert_non_null(x);
    arena_init(&x->arena, NULL, 0, 4096);
    head_init(&x->req.head, (struct field *)(x + 1));
    assert_int_equal(h1_parse_head(span_of(text), &limits, &x->req.head, &v), R_NONE);
    x->transport = &transport_plain;
    x->req.path = x->req.subpath = SPAN("/");
    x->peer = (struct span){ (const char *)&socket, address_of_host(span_of(c->peer), 1, &socket) };
    route_choose(x, config, ROUTE_PUBLIC);
    address_print((const struct sockaddr *)x->peer.p, (socklen_t)x->peer.n, ADDRESS_HOST, host);
    assert_string_equal(host, c->want);
    assert_int_equal(x->told_by.n > 0, c->told);
    assert_int_equal(x->from_trusted, strncmp(c->peer, "192.0.2.", 8) == 0);
    arena_reset(&x->arena);
    free(x);
}

static void test_trusted_proxies_tell_the_client(void **state)
{
    static const char given[] = "trusted_proxies: 192.0.2.0/24\nreal_ip: on\nsites:\n" SITE("", "gone");
    struct config *config = config_given(given);

    (void)state;
    for (size_t i = 0; i < sizeof client_cases / sizeof client_cases[0]; i++)
        client_check(config, &client_cases[i]);
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_settings_are_those_of_the_kind),
        cmocka_unit_test(test_an_unknown_site),
        cmocka_unit_test(test_stopped_by_a_file),
        cmocka_unit_test(test_the_admin_listener_has_one_site),
        cmocka_unit_test(test_the_forward_proxy_has_one_site),
        cmocka_unit_test(test_trusted_proxies_tell_the_client),
    };

    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
