#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_given.h"
#include "http/method.h"

#define BIT(m)        (UINT64_C(1) << (m))
#define FORWARD(text) "forward: {" text "}\n"
#define LETTERS_60    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"

/* Complaints without their "c.yaml:", one a line. */
struct mistake {
    const char *text, *complaints;
};

static const struct mistake mistakes[] = {
    { FORWARD("listen: localhost"), "1:19: \"localhost\": no port: append one, as in 127.0.0.1:8080\n" },
    { FORWARD("listen: \"0.0.0.0:3128\""),
      "1:19: forward: 0.0.0.0:3128 can be reached from other machines, and the proxy would serve everybody: set "
      "forward.clients or forward.users, or listen on 127.0.0.1\n" },
    { FORWARD("listen: [\"127.0.0.1:1\", \"192.0.2.1:3128\"]"),
      "1:35: forward: 192.0.2.1:3128 can be reached from other machines, and the proxy would serve everybody: set "
      "forward.clients or forward.users, or listen on 127.0.0.1\n" },
    { FORWARD("listen: \"192.0.2.1:3128\", clients: 0.0.0.0/0"),
      "1:19: forward: 192.0.2.1:3128 can be reached from other machines, and the proxy would serve everybody: set "
      "forward.clients or forward.users, or listen on 127.0.0.1\n" },
    { FORWARD("listen: \"192.0.2.1:3128\", clients: [10.0.0.0/8, \"::/0\"]"),
      "1:19: forward: 192.0.2.1:3128 can be reached from other machines, and the proxy would serve everybody: set "
      "forward.clients or forward.users, or listen on 127.0.0.1\n" },
    { FORWARD("listen: \"127.0.0.1:8080\""),
      "1:19: forward: 127.0.0.1:8080 is in \"listen\" already: the proxy needs an address of its own\n" },
    { FORWARD("listen: \"127.0.0.1:8081\""),
      "1:19: forward: 127.0.0.1:8081 is in \"listen\" of \"admin\" already: the proxy needs an address of its own\n" },
    { FORWARD("clients: x"), "1:20: \"x\": not an address or a range of them: write 192.0.2.1, 192.0.2.0/24, "
                             "2001:db8::/32, without port and brackets, or unix: for every unix socket\n" },
    { FORWARD("realm: a"), "1:18: \"realm\" goes only with \"users\"\n" },
    { FORWARD("digest: on"), "1:19: \"digest\" goes only with \"users\"\n" },
    { FORWARD("users: u, realm: \"a\\\"b\""),
      "1:28: \"a\"b\" has a quote or a backslash, which a realm does not take\n" },
    { FORWARD("ports: [0, x, 443]"),
      "1:19: \"0\" is no port: a number from 1 to 65535\nc.yaml:1:22: \"x\" is no port: a number from 1 to 65535\n" },
    { FORWARD("allow: 10.0.0.1/8, deny: y"),
      "1:18: \"10.0.0.1/8\": bits beyond the prefix are set: write 192.0.2.0/24 for all that begin with 192.0.2, "
      "192.0.2.7 for one alone\nc.yaml:1:36: \"y\": not an address or a range of them: write 192.0.2.1, 192.0.2.0/24, "
      "2001:db8::/32, without port and brackets, or unix: for every unix socket\n" },
    { FORWARD("intercept: on"), "1:22: \"intercept\" needs \"portal\": where clients are let in\n" },
    { FORWARD("portal: \"https://p/\""), "1:19: \"portal\" goes only with \"intercept\"\n" },
    { FORWARD("intercept: off, portal: \"https://p/\""), "1:35: \"portal\" goes only with \"intercept\"\n" },
    { FORWARD("intercept: on, portal: /p"), "1:34: \"/p\" is no URL of a portal: such as https://portal.example/\n" },
    { FORWARD("intercept: on, portal: \"ftp://p\""),
      "1:34: \"ftp://p\" is no URL of a portal: such as https://portal.example/\n" },
    { FORWARD("intercept: on, portal: \"http://p/\", users: u"),
      "1:54: clients that do not know of a proxy cannot log in to it: leave \"users\" or \"intercept\" away\n" },
    { FORWARD("plain_ports: [0, 80, 90-, -90, 9-8, 1-65536]"),
      "1:25: \"0\" is no port and no range of ports: such as 80, or 8000-8999\n"
      "c.yaml:1:32: \"90-\" is no port and no range of ports: such as 80, or 8000-8999\n"
      "c.yaml:1:37: \"-90\" is no port and no range of ports: such as 80, or 8000-8999\n"
      "c.yaml:1:42: \"9-8\" is no port and no range of ports: such as 80, or 8000-8999\n"
      "c.yaml:1:47: \"1-65536\" is no port and no range of ports: such as 80, or 8000-8999\n" },
    { FORWARD("name: " LETTERS_60 "ijklm"), "1:17: \"" LETTERS_60 "...\" is too long: at most 64 letters\n" },
    { FORWARD("name: a b"), "1:17: \"a b\" is no name for Via: letters, digits, dots and hyphens\n" },
    { FORWARD("connect_wait: 0"), "1:25: \"0\" is too small: \"connect_wait\" takes 1ms to 10m\n" },
    { FORWARD("prots: 443"),
      "1:11: unknown key \"prots\": did you mean \"ports\"? allowed here: listen, clients, users, realm, digest, "
      "ports, plain_ports, allow, deny, intercept, portal, connect_wait, read_wait, tunnel_idle, name\n" },
    { "real_ip: on\n", "1:10: \"real_ip\" believes nobody without \"trusted_proxies\": name them\n" },
    { "listen_proxy_protocol: on\n",
      "1:24: \"listen_proxy_protocol\" believes nobody without \"trusted_proxies\": name them\n" },
    { "resolver: {servers: [dns.example, \"127.0.0.1:0\", \"unix:/x\", \"127.0.0.1:53\"]}\n",
      "1:22: \"dns.example\": no port: append one, as in 127.0.0.1:8080\nc.yaml:1:35: \"127.0.0.1:0\" is no name "
      "server: write it as in 192.0.2.53:53\nc.yaml:1:50: \"unix:/x\" is no name server: write it as in "
      "192.0.2.53:53\n" },
    { "resolver: {tries: 0, timeout: 5}\n", "1:19: \"0\" is too small: \"tries\" takes 1 to 10\nc.yaml:1:31: \"5\" is "
                                            "too small: \"timeout\" takes 10ms to 1m\n" },
    { "forward: on\n", "1:10: \"forward\" takes a map: lines of \"key: value\"\n" },
    { "resolver: []\n", "1:11: \"resolver\" takes a map: lines of \"key: value\"\n" },
    { "tls: {}\nforward: {listen: \"127.0.0.1:8443\"}\n",
      "2:19: forward: 127.0.0.1:8443 is in \"listen\" of \"tls\" already: the proxy needs an address of its own\n" },
};

static void each_mistake_is_told_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct config_options options = given_options();
        struct given g;

        given_read(&g, &options, span_of(mistakes[i].text));
        assert_null(g.config);
        assert_true(strncmp(g.complaints, "c.yaml:", 7) == 0);
        assert_string_equal(g.complaints + 7, mistakes[i].complaints);
    }
}

static const struct config *good(struct given *g, const struct config_options *options, const char *text)
{
    given_read(g, options, span_of(text));
    assert_string_equal(g->complaints, "");
    assert_non_null(g->config);
    return g->config;
}

static void nobody_said_anything_of_a_proxy(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c = good(&g, &options, "workers: 1\n");

    (void)state;
    assert_int_equal(c->forward.listen_count, 0);
    assert_null(c->forward.site.routes);
    assert_null(c->resolver.servers);
    assert_int_equal(c->resolver.timeout_ms, 2000);
    assert_int_equal(c->resolver.tries, 2);
    assert_false(c->real_ip || c->proxy_protocol);
    config_release(&g.config);
}

static void standards_are_as_the_manual_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config_forward *f = &good(&g, &options, FORWARD(""))->forward;
    const struct route *route = f->site.routes;

    (void)state;
    assert_int_equal(f->listen_count, 1);
    assert_string_equal(f->listen[0], "127.0.0.1:3128");
    assert_null(f->users_file);
    assert_null(f->proxy.auth);
    assert_int_equal(f->proxy.client_count, 0);
    assert_int_equal(f->proxy.port_count, 1);
    assert_int_equal(f->proxy.ports[0], 443);
    assert_int_equal(f->proxy.plain_port_count, 3);
    assert_int_equal(f->proxy.plain_ports[0].last, 80);
    assert_int_equal(f->proxy.plain_ports[2].first, 1025);
    assert_int_equal(f->proxy.plain_ports[2].last, 65535);
    assert_false(f->proxy.intercepts);
    assert_true(f->site.is_default && f->site.answers_all);
    assert_int_equal(f->site.route_count, 1);
    assert_ptr_equal(route->resource, &gateway_resource);
    assert_true(route->policy.forwards && route->policy.proxies && route->policy.hidden_served);
    assert_true(route->policy.methods == ((UINT64_C(1) << METHODS) - 1 - BIT(M_UNKNOWN)));
    assert_ptr_equal(route->gateway.proxy, &f->proxy);
    assert_int_equal(route->gateway.tells, GATEWAY_TELLS_NOTHING);
    assert_int_equal(route->gateway.connect_ms, 10000);
    assert_int_equal(route->gateway.read_ms, 30000);
    assert_int_equal(route->gateway.write_ms, 30000);
    assert_int_equal(route->gateway.tunnel_ms, 300000);
    assert_int_equal(route->gateway.attempts, 1);
    assert_int_equal(route->gateway.interim_most, 10);
    assert_int_equal(route->gateway.head.head_bytes, 65536);
    assert_int_equal(route->gateway.head.field_bytes, 32768);
    assert_true(span_is(route->gateway.name, SPAN("verdict")));
    config_release(&g.config);
}

static void a_proxy_is_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config_forward *f =
        &good(&g, &options,
              FORWARD("listen: [\"192.0.2.1:3128\", unix:/p], clients: [10.0.0.0/8, \"unix:\"], ports: [443, 563], "
                      "plain_ports: [80, 8000-8001], "
                      "allow: 10.0.0.0/8, deny: [192.0.2.7, \"2001:db8::/32\"], connect_wait: 1, read_wait: 2, "
                      "tunnel_idle: 103, name: n, users: u, realm: r, digest: on"))
             ->forward;
    const struct gateway_settings *s = &f->site.routes[0].gateway;

    (void)state;
    assert_int_equal(f->listen_count, 2);
    assert_string_equal(f->listen[1], "unix:/p");
    assert_int_equal(f->proxy.client_count, 2);
    assert_int_equal(f->proxy.clients[1].bits, 255);
    assert_int_equal(f->proxy.port_count, 2);
    assert_int_equal(f->proxy.ports[1], 563);
    assert_int_equal(f->proxy.plain_port_count, 2);
    assert_int_equal(f->proxy.plain_ports[0].first, 80);
    assert_int_equal(f->proxy.plain_ports[0].last, 80);
    assert_int_equal(f->proxy.plain_ports[1].first, 8000);
    assert_int_equal(f->proxy.plain_ports[1].last, 8001);
    assert_int_equal(f->proxy.allowed_count, 1);
    assert_int_equal(f->proxy.denied_count, 2);
    assert_int_equal(f->proxy.denied[1].bits, 32);
    assert_int_equal(s->connect_ms, 1);
    assert_int_equal(s->read_ms, 2);
    assert_int_equal(s->tunnel_ms, 103);
    assert_true(span_is(s->name, SPAN("n")));
    assert_string_equal(f->users_file, "u");
    assert_ptr_equal(f->proxy.auth, &f->auth);
    assert_true(span_is(f->auth.realm, SPAN("r")));
    assert_true(f->auth.digest[DIGEST_SHA256] && f->auth.digest[DIGEST_MD5] && !f->auth.basic);
    assert_int_equal(f->auth.field, FIELD_PROXY_AUTHORIZATION);
    assert_int_equal(f->auth.missing, R_proxy_auth_required);
    config_release(&g.config);
}

static void an_intercepting_proxy_has_a_portal(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct proxy_settings *p =
        &good(&g, &options, FORWARD("intercept: on, portal: \"https://p.example/in\""))->forward.proxy;

    (void)state;
    assert_true(p->intercepts);
    assert_true(span_is(p->portal, SPAN("https://p.example/in")));
    config_release(&g.config);
}

struct open_case {
    const char *text, *listen; /* of the option */
    bool starts;
};

static const struct open_case opens[] = {
    { "workers: 1\n", NULL, true },
    { "workers: 1\n", "127.0.0.1:1", true },
    { "workers: 1\n", "[::1]:1", true },
    { "workers: 1\n", "unix:/p", true },
    { "workers: 1\n", "0.0.0.0:1", false },
    { "workers: 1\n", "[::]:1", false },
    { FORWARD("clients: 192.0.2.0/24"), "0.0.0.0:1", true },
    { FORWARD("users: u"), "0.0.0.0:1", true },
    { FORWARD("clients: \"::ffff:0:0/96\""), "0.0.0.0:1", false },
    { FORWARD("clients: \"::/0\", users: u"), "0.0.0.0:1", true },
};

static void no_proxy_is_open_to_the_world(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof opens / sizeof opens[0]; i++) {
        struct config_options options = given_options();
        struct given g;

        options.forward = true;
        options.forward_listen = opens[i].listen;
        given_read(&g, &options, span_of(opens[i].text));
        assert_int_equal(g.config != NULL, opens[i].starts);
        if (g.config != NULL)
            assert_int_equal(g.config->forward.listen_count, 1);
        else
            assert_non_null(strstr(g.complaints, "verdict: forward: "));
        config_release(&g.config);
    }
}

static void an_option_that_is_no_address_is_told(void **state)
{
    struct config_options options = given_options();
    struct given g;

    (void)state;
    options.forward = true;
    options.forward_listen = "3128";
    given_read(&g, &options, SPAN("workers: 1\n"));
    assert_null(g.config);
    assert_true(strncmp(g.complaints, "verdict: forward: \"3128\": no host: ", 35) == 0);
}

static void users_are_read_when_opened(void **state)
{
    char users[] = "/tmp/verdict-XXXXXX", text[128], said[512] = "";
    struct config_options options = given_options();
    FILE *out = fmemopen(said, sizeof said, "w");
    int fd = mkstemp(users);
    struct given g;

    (void)state;
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "u:proxy:%032d\n", 7) > 0);
    close(fd);
    options.directory = "/";
    sprintf(text, FORWARD("users: %s, digest: on"), users);
    good(&g, &options, text);
    assert_null(g.config->forward.auth.users);
    assert_int_equal(config_open(g.config, NULL, out), 0);
    assert_non_null(g.config->forward.auth.users);
    config_release(&g.config);
    sprintf(text, FORWARD("users: %s, digest: on, realm: other"), users);
    good(&g, &options, text);
    assert_int_equal(config_open(g.config, NULL, out), -EINVAL);
    assert_null(g.config->forward.auth.users);
    config_release(&g.config);
    unlink(users);
    good(&g, &options, text);
    assert_int_equal(config_open(g.config, NULL, out), -ENOENT);
    assert_null(g.config->forward.auth.users);
    config_release(&g.config);
    fclose(out);
    assert_true(strncmp(said, "verdict: ", 9) == 0);
    assert_non_null(strstr(said, " has no line user:other:HA1, which digest needs: make one with htdigest\n"));
    assert_non_null(strstr(said, users));
}

static void the_resolver_is_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct resolver_settings *r =
        &good(&g, &options, "resolver: {servers: [\"127.0.0.1:53\", \"[::1]:5353\"], timeout: 3s, tries: 4}\n")
             ->resolver;

    (void)state;
    assert_string_equal(r->servers, "127.0.0.1:53,[::1]:5353");
    assert_int_equal(r->timeout_ms, 3000);
    assert_int_equal(r->tries, 4);
    assert_true(r->entries_max > 0 && r->ttl_max_ms > 0);
    config_release(&g.config);
}

static void proxies_in_front_are_believed(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c = good(&g, &options, "trusted_proxies: 192.0.2.1\nreal_ip: on\nlisten_proxy_protocol: on\n");

    (void)state;
    assert_true(c->real_ip && c->proxy_protocol);
    assert_int_equal(c->trusted_count, 1);
    config_release(&g.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_at_its_place),    cmocka_unit_test(nobody_said_anything_of_a_proxy),
        cmocka_unit_test(standards_are_as_the_manual_says),     cmocka_unit_test(a_proxy_is_as_the_file_says),
        cmocka_unit_test(an_intercepting_proxy_has_a_portal),   cmocka_unit_test(no_proxy_is_open_to_the_world),
        cmocka_unit_test(an_option_that_is_no_address_is_told), cmocka_unit_test(users_are_read_when_opened),
        cmocka_unit_test(the_resolver_is_as_the_file_says),     cmocka_unit_test(proxies_in_front_are_believed),
    };

    return cmocka_run_group_tests_name("config_forward", tests, NULL, NULL);
}
