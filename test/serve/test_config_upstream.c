#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_given.h"

#define UPSTREAM(text) "upstreams: [{name: a, servers: \"h:1\", " text "}]\n"
#define SERVERS(text)  "upstreams: [{name: a, servers: " text "}]\n"
#define SECURED(text)  "upstreams: [{name: a, tls: {}, servers: " text "}]\n"

/* Complaints without their "c.yaml:", one a line. */
struct mistake {
    const char *text, *complaints;
};

static const struct mistake mistakes[] = {
    { UPSTREAM("balance: field"), "1:48: \"balance: field\" needs \"balance_field\": which field decides\n" },
    { UPSTREAM("balance_field: X"), "1:54: \"balance_field\" goes only with \"balance: field\"\n" },
    { UPSTREAM("balance: client, balance_field: X"), "1:71: \"balance_field\" goes only with \"balance: field\"\n" },
    { UPSTREAM("balance: field, balance_field: \"a b\""),
      "1:70: \"a b\" is no field name: letters, digits and hyphens\n" },
    { UPSTREAM("balance: random"),
      "1:48: \"random\" is nothing that \"balance\" takes: allowed: round-robin, least-connections, client, field\n" },
    { UPSTREAM("queue: 3"), "1:46: \"queue\" goes only with \"connections\"\n" },
    { UPSTREAM("connections: 3, queue_wait: 1s"), "1:67: \"queue_wait\" goes only with \"queue\"\n" },
    { UPSTREAM("proxy_protocol: v3"),
      "1:55: \"v3\" is nothing that \"proxy_protocol\" takes: did you mean \"v1\"? allowed: off, v1, v2\n" },
    { UPSTREAM("weight: 3"), "1:39: unknown key \"weight\": allowed here: name, servers, balance, balance_field, "
                             "connections, queue, queue_wait, keep, keep_time, requests_per_connection, connect_wait, "
                             "fails, fail_time, rest, slow_start, check, tls, proxy_protocol\n" },
    { UPSTREAM("check: {host: a}"), "1:46: check needs \"path\"\n" },
    { UPSTREAM("check: {path: health}"), "1:53: \"health\" is no path to ask for: begin with /, and percent-encode\n" },
    { UPSTREAM("check: {path: /a b}"), "1:53: \"/a b\" is no path to ask for: begin with /, and percent-encode\n" },
    { UPSTREAM("check: {path: /, timeout: 20s}"),
      "1:65: \"timeout\" of a check must not be longer than \"interval\", which is 10s\n" },
    { UPSTREAM("check: {path: /, interval: 1s}"),
      "1:46: \"timeout\" of a check must not be longer than \"interval\", which is 1s\n" },
    { UPSTREAM("check: {path: /, host: \"a b\"}"),
      "1:62: \"a b\" is no host: write a name or an address, such as example.org:8080\n" },
    { UPSTREAM("check: on"), "1:46: \"check\" takes a map: lines of \"key: value\"\n" },
    { UPSTREAM("tls: {key: k}"), "1:50: \"key\" goes only with \"certificate\"\n" },
    { UPSTREAM("tls: {ca: c, verify: off}"), "1:49: \"ca\" goes only with \"verify: on\"\n" },
    { UPSTREAM("tls: {name: \"a:1\"}"),
      "1:51: \"a:1\" is no name that a certificate could be for: such as app.example\n" },
    { UPSTREAM("tls: {name: \"unix:\"}"),
      "1:51: \"unix:\" is no name that a certificate could be for: such as app.example\n" },
    { UPSTREAM("tls: {minimum: 1.1}"),
      "1:54: \"1.1\" is nothing that \"minimum\" takes: did you mean \"1.2\"? allowed: 1.2, 1.3\n" },
    { UPSTREAM("fails: 70000"), "1:46: \"70000\" is too large: \"fails\" takes 0 to 65535\n" },
    { UPSTREAM("slow_start: 25h"), "1:51: \"25h\" is too large: \"slow_start\" takes 0ms to 24h\n" },
    { SERVERS("h"),
      "1:32: \"h\": no port: append one, as in app.example:8080, or write http:// or https:// before it\n" },
    { SERVERS("\"h:\""), "1:32: \"h:\": not a port: a number from 1 to 65535\n" },
    { SERVERS("\"h:0\""), "1:32: \"h:0\": not a port: a number from 1 to 65535\n" },
    { SERVERS("\"h:65536\""), "1:32: \"h:65536\": not a port: a number from 1 to 65535\n" },
    { SERVERS("\"h:x\""), "1:32: \"h:x\": not a port: a number from 1 to 65535\n" },
    { SERVERS("\":80\""), "1:32: \":80\": not a name or an address: write it as in app.example:8080, 192.0.2.1:8080, "
                          "[2001:db8::1]:8080 or unix:/run/app\n" },
    { SERVERS("\"a b:1\""),
      "1:32: \"a\": no port: append one, as in app.example:8080, or write http:// or https:// before it\nc.yaml:1:32: "
      "\"b:1\" is no word of a server: allowed: weight=N, backup, down\n" },
    { SERVERS("\"-a:1\""), "1:32: \"-a:1\": not a name or an address: write it as in app.example:8080, 192.0.2.1:8080, "
                           "[2001:db8::1]:8080 or unix:/run/app\n" },
    { SERVERS("\"a..b:1\""), "1:32: \"a..b:1\": not a name or an address: write it as in app.example:8080, "
                             "192.0.2.1:8080, [2001:db8::1]:8080 or unix:/run/app\n" },
    { SERVERS("\"1.2.3:1\""), "1:32: \"1.2.3:1\": not an IPv4 address: write it as in 192.0.2.1:8080\n" },
    { SERVERS("\"300.1.1.1:1\""), "1:32: \"300.1.1.1:1\": not an IPv4 address: write it as in 192.0.2.1:8080\n" },
    { SERVERS("\"127.0.0.1:0\""), "1:32: \"127.0.0.1:0\": not a port: a number from 1 to 65535\n" },
    { SERVERS("\"[::1]:0\""), "1:32: \"[::1]:0\": nobody listens on port 0: write a number from 1 to 65535\n" },
    { SERVERS("\"[::1]\""), "1:32: \"[::1]\": no port: append one, as in 127.0.0.1:8080\n" },
    { SERVERS("\"[::g]:1\""),
      "1:32: \"[::g]:1\": not an IPv6 address in brackets: write it as in [2001:db8::1]:8080\n" },
    { SERVERS("\"::1:1\""),
      "1:32: \"::1:1\": an IPv6 address stands in brackets: write it as in [2001:db8::1]:8080\n" },
    { SERVERS("\"unix:x\""),
      "1:32: \"unix:x\": not the path of a socket: write an absolute path of at most 107 bytes\n" },
    { SERVERS("\"http://\""), "1:32: \"http://\": no host: write it as in https://app.example\n" },
    { SERVERS("\"http://h/x\""), "1:32: \"http://h/x\": it ends with the port: what path is asked for is said by "
                                 "\"to\" of a route's \"gateway\"\n" },
    { SERVERS("\"http://h/?a\""), "1:32: \"http://h/?a\": it ends with the port: what path is asked for is said by "
                                  "\"to\" of a route's \"gateway\"\n" },
    { SERVERS("\"https://u@h\""), "1:32: \"https://u@h\": a server has no user here: remove all before the @\n" },
    { SERVERS("\"http://unix:/x\""), "1:32: \"http://unix:/x\": it ends with the port: what path is asked for is said "
                                     "by \"to\" of a route's \"gateway\"\n" },
    { SERVERS("\"ftp://h:1\""), "1:32: \"ftp://h:1\": nothing but http:// and https:// is spoken to servers\n" },
    { SERVERS("\"http://h:0\""), "1:32: \"http://h:0\": not a port: a number from 1 to 65535\n" },
    { SERVERS("[\"h:1\", \"https://h\"]"),
      "1:33: \"h:1\": others of this upstream have https://: write it here too\n" },
    { SERVERS("[\"https://a\", \"http://b\"]"),
      "1:46: \"http://b\" is for plain text, and this upstream speaks TLS: say https, or make two upstreams\n" },
    { SERVERS("[\"h:1\", \"H:1\"]"), "1:40: \"h:1\" is here twice\n" },
    { SERVERS("[\"http://h\", \"h:80\"]"), "1:45: \"h:80\" is here twice\n" },
    { SERVERS("[\"127.0.0.1:1\", \"127.0.0.1:1\"]"), "1:48: \"127.0.0.1:1\" is here twice\n" },
    { SERVERS("\"h:1 weight=0\""), "1:32: \"0\" is no weight: a number from 1 to 1000, as in weight=3\n" },
    { SERVERS("\"h:1 weight=1001\""), "1:32: \"1001\" is no weight: a number from 1 to 1000, as in weight=3\n" },
    { SERVERS("\"h:1 wieght=2\""),
      "1:32: \"wieght=2\" is no word of a server: did you mean \"weight\"? allowed: weight=N, backup, down\n" },
    { SERVERS("\"h:1 bakcup\""),
      "1:32: \"bakcup\" is no word of a server: did you mean \"backup\"? allowed: weight=N, backup, down\n" },
    { SERVERS("\"h:1 down\""), "1:32: all servers of this upstream are down: nobody is left to answer\n" },
    { SERVERS("[\"h:1 down\", \"g:1 down\"]"),
      "1:32: all servers of this upstream are down: nobody is left to answer\n" },
    { SERVERS("[]"), "1:32: \"servers\" has 0 members: it takes 1 to 256\n" },
    { SECURED("\"http://h\""),
      "1:41: \"http://h\" is for plain text, and this upstream speaks TLS: say https, or make two upstreams\n" },
    { SECURED("\"unix:/x\""),
      "1:41: \"unix:/x\" has no name that its certificate could be for: give \"tls\" of the upstream a \"name\"\n" },
    { "upstreams: {}\n", "1:12: \"upstreams\" takes a list: begin each member with \"- \"\n" },
    { "upstreams: []\n", "1:12: \"upstreams\" has 0 members: it takes 1 to 1000\n" },
    { "upstreams: [{}]\n", "1:13: an upstream needs \"name\"\nc.yaml:1:13: an upstream needs \"servers\"\n" },
    { "upstreams: [{name: a b, servers: \"h:1\"}]\n",
      "1:20: \"a b\" is no name of an upstream: letters, digits, dots, hyphens and underscores\n" },
    { "upstreams:\n- {name: a, servers: \"h:1\"}\n- {name: a, servers: \"h:2\"}\n",
      "3:10: upstream \"a\" is here twice: the first is in line 2\n" },
    { "sites: [{routes: [{path: /, gateway: {upstream: a}}]}]\n",
      "1:49: \"a\" is no upstream: there are none: add \"upstreams\" at the top\n" },
    { "upstreams: {}\nsites: [{routes: [{path: /, gateway: {upstream: a}}]}]\n",
      "1:12: \"upstreams\" takes a list: begin each member with \"- \"\n" },
    { "upstreams: [{name: app, servers: \"h:1\"}, {name: static, servers: \"h:1\"}]\nsites: [{routes: [{path: /, "
      "gateway: {upstream: ap}}]}]\n",
      "2:49: \"ap\" is no upstream: did you mean \"app\"? there are: app, static\n" },
    { "upstreams: [{name: a, servers: \"h:1\"}]\nsites: [{routes: [{path: /, cgi: {}}, {path: /a, fastcgi: {upstream: "
      "a}}]}]\n",
      "2:34: cgi needs \"directory\"\nc.yaml:2:59: fastcgi needs \"root\"\n" },
    { "upstreams: [{name: a, servers: \"h:1\"}]\nsites: [{routes: [{path: /a, fastcgi: {upstream: a, root: r}}]}]\n",
      "2:59: \"r\" is no absolute path, as it is on the machine of the upstream\n" },
    { "upstreams: [{name: a, servers: \"h:1\", check: {path: /}}]\nsites: [{routes: [{path: /a, fastcgi: {upstream: a, "
      "root: /r}}]}]\n",
      "2:50: \"a\" has a \"check\", which asks with HTTP: nobody who speaks FastCGI understands it\n" },
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

static const struct upstream_group *only(const struct config *c)
{
    assert_int_equal(c->group_count, 1);
    assert_ptr_equal(c->groups[0], &c->upstreams[0].group);
    return c->groups[0];
}

static void standards_are_as_the_manual_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct upstream_group *a = only(good(&g, &options, SERVERS("\"h:1\"")));

    (void)state;
    assert_true(span_is(a->name, SPAN("a")));
    assert_int_equal(a->balance, BALANCE_ROUND_ROBIN);
    assert_int_equal(a->connections_limit, 0);
    assert_int_equal(a->queue_limit, 0);
    assert_int_equal(a->queue_ms, 5000);
    assert_int_equal(a->idle_limit, 64);
    assert_int_equal(a->idle_ms, 60000);
    assert_int_equal(a->exchanges_limit, 0);
    assert_int_equal(a->connect_ms, 3000);
    assert_int_equal(a->fails, 3);
    assert_int_equal(a->fail_ms, 10000);
    assert_int_equal(a->rest_ms, 10000);
    assert_int_equal(a->slow_start_ms, 0);
    assert_int_equal(a->check.path.n, 0);
    assert_null(a->tls);
    assert_false(g.config->upstreams[0].has_tls);
    assert_int_equal(a->proxy_protocol, 0);
    config_release(&g.config);
}

static void a_group_is_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct upstream_group *a =
        only(good(&g, &options,
                  UPSTREAM("balance: field, balance_field: X-Id, connections: 7, queue: 8, queue_wait: 9, keep: 10, "
                           "keep_time: 11, requests_per_connection: 12, connect_wait: 13, fails: 14, fail_time: 15, "
                           "rest: 16, slow_start: 17, proxy_protocol: v2, "
                           "check: {path: \"/a?b\", host: \"c:5\", interval: 1s, timeout: 18, rise: 19, fall: 20}")));

    (void)state;
    assert_int_equal(a->balance, BALANCE_FIELD);
    assert_true(span_is(a->balance_field, SPAN("x-id")));
    assert_int_equal(a->connections_limit, 7);
    assert_int_equal(a->queue_limit, 8);
    assert_int_equal(a->queue_ms, 9);
    assert_int_equal(a->idle_limit, 10);
    assert_int_equal(a->idle_ms, 11);
    assert_int_equal(a->exchanges_limit, 12);
    assert_int_equal(a->connect_ms, 13);
    assert_int_equal(a->fails, 14);
    assert_int_equal(a->fail_ms, 15);
    assert_int_equal(a->rest_ms, 16);
    assert_int_equal(a->slow_start_ms, 17);
    assert_int_equal(a->proxy_protocol, 2);
    assert_true(span_is(a->check.path, SPAN("/a?b")));
    assert_true(span_is(a->check.host, SPAN("c:5")));
    assert_int_equal(a->check.interval_ms, 1000);
    assert_int_equal(a->check.timeout_ms, 18);
    assert_int_equal(a->check.rise, 19);
    assert_int_equal(a->check.fall, 20);
    config_release(&g.config);
}

struct server {
    const char *text, *said, *host;
    int port, weight, family; /* AF_UNSPEC: a name */
    bool tls, backup;
};

static const struct server servers[] = {
    { "App.Example:8080", "app.example:8080", "app.example", 8080, 1, AF_UNSPEC, false, false },
    { "localhost:1", "localhost:1", "localhost", 1, 1, AF_UNSPEC, false, false },
    { "a_b.example.:1", "a_b.example.:1", "a_b.example.", 1, 1, AF_UNSPEC, false, false },
    { "1and1.example:1", "1and1.example:1", "1and1.example", 1, 1, AF_UNSPEC, false, false },
    { "http://h", "h:80", "h", 80, 1, AF_UNSPEC, false, false },
    { "https://h/", "h:443", "h", 443, 1, AF_UNSPEC, true, false },
    { "https://h:8443", "h:8443", "h", 8443, 1, AF_UNSPEC, true, false },
    { "192.0.2.1:65535", "192.0.2.1:65535", "192.0.2.1", 65535, 1, AF_INET, false, false },
    { "http://192.0.2.1", "192.0.2.1:80", "192.0.2.1", 80, 1, AF_INET, false, false },
    { "[2001:DB8::1]:80", "[2001:db8::1]:80", "2001:db8::1", 80, 1, AF_INET6, false, false },
    { "https://[2001:db8::1]", "[2001:db8::1]:443", "2001:db8::1", 443, 1, AF_INET6, true, false },
    { "[fe80::1%lo]:80", "[fe80::1%lo]:80", "fe80::1%lo", 80, 1, AF_INET6, false, false },
    { "unix:/run/app", "unix:/run/app", "", 0, 1, AF_UNIX, false, false },
    { "h:1 weight=1000", "h:1", "h", 1, 1000, AF_UNSPEC, false, false },
    { " h:1  backup   weight=2 ", "h:1", "h", 1, 2, AF_UNSPEC, false, true },
};

static void servers_are_as_the_file_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        struct config_options options = given_options();
        const struct server *want = &servers[i];
        const struct upstream_origin *is;
        char text[256];
        struct given g;

        sprintf(text, SERVERS("\"%s\""), want->text);
        is = &only(good(&g, &options, text))->members[0];
        assert_true(span_is(is->text, span_of(want->said)));
        assert_true(span_is(is->host, span_of(want->host)));
        assert_true(is->host.n == 0 || is->host.p[is->host.n] == '\0');
        assert_int_equal(is->port, want->port);
        assert_int_equal(is->weight, want->weight);
        assert_int_equal(is->address.len > 0 ? is->address.socket.ss_family : AF_UNSPEC, want->family);
        assert_int_equal(is->backup, want->backup);
        assert_int_equal(g.config->upstreams[0].has_tls, want->tls);
        config_release(&g.config);
    }
}

static void servers_are_a_list_too(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct upstream_group *a = only(good(&g, &options, SERVERS("[\"h:1\", \"i:2 down\", unix:/x]")));

    (void)state;
    assert_int_equal(a->count, 3);
    assert_true(span_is(a->members[1].text, SPAN("i:2")));
    assert_true(a->members[1].down);
    assert_false(a->members[2].down);
    config_release(&g.config);
}

static void tls_is_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct upstream_group *a =
        only(good(&g, &options,
                  UPSTREAM("tls: {ca: a.pem, certificate: b.pem, key: /k.pem, name: c.example, minimum: 1.3}")));
    const struct tls_client_settings *tls = &g.config->upstreams[0].tls;

    (void)state;
    assert_true(g.config->upstreams[0].has_tls);
    assert_string_equal(tls->ca, "a.pem");
    assert_string_equal(tls->certificate, "b.pem");
    assert_string_equal(tls->key, "/k.pem");
    assert_true(span_is(a->tls_name, SPAN("c.example")));
    assert_int_equal(tls->version_min, TRANSPORT_TLS13);
    assert_true(tls->verify && tls->alpn);
    config_release(&g.config);
    only(good(&g, &options, UPSTREAM("tls: {certificate: b.pem, verify: off, name: \"2001:db8::1\"}")));
    tls = &g.config->upstreams[0].tls;
    assert_null(tls->ca);
    assert_string_equal(tls->key, "b.pem");
    assert_int_equal(tls->version_min, TRANSPORT_TLS12);
    assert_false(tls->verify);
    config_release(&g.config);
}

static void what_speaks_tls_is_made_when_opened(void **state)
{
    struct config_options options = given_options();
    char said[256] = "";
    FILE *out = fmemopen(said, sizeof said, "w");
    struct given g;

    (void)state;
    options.directory = "/";
    good(&g, &options, SECURED("\"h:1\""));
    assert_int_equal(config_open(g.config, NULL, out), 0);
    assert_non_null(g.config->groups[0]->tls);
    config_release(&g.config);
    good(&g, &options, UPSTREAM("tls: {ca: /nowhere/ca.pem}"));
    assert_int_equal(config_open(g.config, NULL, out), -2);
    assert_null(g.config->groups[0]->tls);
    config_release(&g.config);
    fclose(out);
    assert_true(strncmp(said, "verdict: /nowhere/ca.pem: ", 26) == 0);
}

/* `verdict check` looks at files too. */
static void files_of_tls_are_looked_at(void **state)
{
    char file[] = "/tmp/verdict-XXXXXX", want[96], said[512] = "";
    struct config_options options = given_options();
    FILE *out = fmemopen(said, sizeof said, "w");
    int fd = mkstemp(file);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, UPSTREAM("tls: {ca: /nowhere/ca.pem}")),
                     sizeof UPSTREAM("tls: {ca: /nowhere/ca.pem}") - 1);
    close(fd);
    options.file = file;
    assert_null(config_load(&options, out));
    fclose(out);
    unlink(file);
    sprintf(want, "%s:1:44: /nowhere/ca.pem: ", file);
    assert_true(strncmp(said, want, strlen(want)) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_at_its_place),
        cmocka_unit_test(standards_are_as_the_manual_says),
        cmocka_unit_test(a_group_is_as_the_file_says),
        cmocka_unit_test(servers_are_as_the_file_says),
        cmocka_unit_test(servers_are_a_list_too),
        cmocka_unit_test(tls_is_as_the_file_says),
        cmocka_unit_test(what_speaks_tls_is_made_when_opened),
        cmocka_unit_test(files_of_tls_are_looked_at),
    };

    return cmocka_run_group_tests_name("config_upstream", tests, NULL, NULL);
}
