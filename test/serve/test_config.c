#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_given.h"
#include "http/method.h"
#include "serve/config_keys.h"

#define BIT(m) (UINT64_C(1) << (m))

/* The route's text begins in line 1, column 30; what is in an answer in column 39, in a redirect in column 41. */
#define ROUTE(text)    "sites: [{routes: [{path: /x, " text "}]}]\n"
#define ANSWER(text)   ROUTE("answer: {" text "}")
#define REDIRECT(text) ROUTE("redirect: {" text "}")
#define GONE           "answer: {reason: gone}"
#define KINDS          "one of \"files\", \"redirect\", \"answer\", \"websocket\", \"gateway\", \"cgi\" and \"fastcgi\""

#define TOP_KEYS                                                                                                 \
    "listen, tls, h2c, trusted_proxies, real_ip, listen_proxy_protocol, workers, dialect, explain, log, admin, " \
    "limits, times, forward, resolver, upstreams, sites\n"
#define ANSWERS                                                                                                       \
    "request-ok, accepted-queued, no-content, reset-content, not-found, gone, teapot, payment-required, acl-denied, " \
    "read-denied, write-denied, ip-denied, request-policy-denied, legal-block, rate-limited, upgrade-required, "      \
    "internal-error, seat-limit, bandwidth-limit, maintenance, site-frozen, application-stopping, "                   \
    "application-restarting, application-unavailable, dropped-silently\n"
#define STATUSES "200, 202, 204, 205, 402, 403, 404, 410, 418, 426, 429, 451, 500, 503\n"

/* Complaints without their "c.yaml:", one a line. */
struct mistake {
    const char *text, *complaints;
};

static const struct mistake mistakes[] = {
    /* what is no YAML, or none that is taken */
    { "", "1:1: there is nothing in it\n" },
    { "# only this\n", "1:1: there is nothing in it\n" },
    { "a: [b\n", "2:1: while parsing a flow sequence (from 1:4): did not find expected ',' or ']'\n" },
    { "sites:\n\t- a\n", "2:1: while scanning for the next token: found character that cannot start any token: indent "
                         "with spaces, not with tabs\n" },
    { "host: *.example.org\n",
      "1:8: while scanning an alias (from 1:7): did not find expected alphabetic or numeric character: a "
      "text that begins with * needs quotes\n" },
    { "workers: \xff\n", "1:10: invalid leading UTF-8 octet\n" },
    { "\xc3\xa9: \x01\n", "1:4: control characters are not allowed\n" },
    { "log: &l {}\n", "1:6: anchors (&name) and aliases (*name) are not taken: write the value out\n" },
    { "log: *l\n", "1:6: anchors (&name) and aliases (*name) are not taken: write the value out\n" },
    { "log: !!map {}\n", "1:6: tags (!name) are not taken: write the value alone\n" },
    { "workers: !x 1\n", "1:10: tags (!name) are not taken: write the value alone\n" },
    { "[a]: b\n", "1:1: a key must be text\n" },
    { "workers: 1\n---\nworkers: 2\n", "2:1: a second document: only one is taken\n" },
    { "[[[[[[[[[[[[[\n", "1:13: too deep: at most 12 lists and maps inside each other\n" },

    /* keys */
    { "lisen: x\n", "1:1: unknown key \"lisen\": did you mean \"listen\"? allowed here: " TOP_KEYS },
    { "wrokers: 1\nzzz: 1\n", "1:1: unknown key \"wrokers\": did you mean \"workers\"? allowed here: " TOP_KEYS
                              "c.yaml:2:1: unknown key \"zzz\": allowed here: " TOP_KEYS },
    { "LOG: {}\n", "1:1: unknown key \"LOG\": did you mean \"log\"? allowed here: " TOP_KEYS },
    { "routes: []\n", "1:1: unknown key \"routes\": it belongs to a site; allowed here: " TOP_KEYS },
    { "log: {file: x, flie: y}\n", "1:16: unknown key \"flie\": did you mean \"file\"? allowed here: file, format\n" },
    { "times: {drain-ms: 1s}\n", "1:9: unknown key \"drain-ms\": did you mean \"drain_ms\"? allowed here: "
                                 "head_wait_ms, content_wait_ms, send_wait_ms, keep_alive_ms, tunnel_idle_ms, "
                                 "certificate_check_ms, linger_ms, drain_ms, "
                                 "cache_check_ms, record_slow_ms\n" },
    { "workers: 1\nworkers: 2\n", "2:1: \"workers\" is here twice: the first is in line 1\n" },
    { "sites: [{}]\n", "1:9: a site needs \"routes\"\n" },
    { "sites: [{routes: [{" GONE "}]}]\n", "1:19: a route needs \"path\"\n" },
    { REDIRECT("status: 301"), "1:40: redirect needs \"to\"\n" },

    /* types */
    { "[]\n", "1:1: the configuration is a map: lines of \"key: value\"\n" },
    { "sites: {}\n", "1:8: \"sites\" takes a list: begin each member with \"- \"\n" },
    { "sites: [3]\n", "1:9: a site is a map: lines of \"key: value\"\n" },
    { "sites: []\n", "1:8: \"sites\" has 0 members: it takes 1 to 10000\n" },
    { "log: on\n", "1:6: \"log\" takes a map: lines of \"key: value\"\n" },
    { "listen: {}\n", "1:9: \"listen\" takes text here, not a map\n" },
    { "listen: [[a]]\n", "1:10: \"listen\" takes text here, not a list\n" },
    { "listen: []\n", "1:9: \"listen\" has 0 members: it takes 1 to 64\n" },
    { "log: {file: }\n", "1:13: \"file\" has no value\n" },
    { "log: {file: \"a\\nb\"}\n", "1:13: \"a?b\" has a control character, which \"file\" does not take\n" },
    { "dialect: ngnix\n", "1:10: \"ngnix\" is nothing that \"dialect\" takes: did you mean \"nginx\"? allowed: rfc, "
                          "nginx, iis, cloudflare\n" },
    { "workers: two\n", "1:10: \"two\" is not a number: digits only\n" },
    { "workers: -1\n", "1:10: \"-1\" is not a number: digits only\n" },
    { ROUTE("files: a, write: yes"), "1:47: \"yes\" is neither on nor off, which is what \"write\" takes\n" },
    { ROUTE("files: a, require: [length, size]"),
      "1:58: \"size\" is nothing that \"require\" takes: allowed: length, condition\n" },
    { "limits: {target_bytes: 1KB}\n", "1:24: \"1KB\" is not a size: a number of bytes, or with KiB, MiB, GiB or TiB, "
                                       "such as 16KiB\n" },
    { "times: {linger_ms: 1.5s}\n", "1:20: \"1.5s\" is not a time: a number with ms, s, m or h, such as 10s\n" },
    { ANSWER("reason: gone, retry_after: soon"),
      "1:66: \"soon\" is not a time: a number of seconds, or with s, m, h or d, such as 10m\n" },

    /* bounds */
    { "workers: 0\n", "1:10: \"0\" is too small: \"workers\" takes 1 to 1024\n" },
    { "workers: 1025\n", "1:10: \"1025\" is too large: \"workers\" takes 1 to 1024\n" },
    { "workers: 18446744073709551617\n", "1:10: \"18446744073709551617\" is too large: \"workers\" takes 1 to 1024\n" },
    { "limits: {target_bytes: 65KiB}\n", "1:24: \"65KiB\" is too large: \"target_bytes\" takes 256 to 64KiB\n" },
    { "limits: {cache_bytes: 99999999999999TiB}\n",
      "1:23: \"99999999999999TiB\" is too large: \"cache_bytes\" takes 0 to 1TiB\n" },
    { "times: {head_wait_ms: 99}\n", "1:23: \"99\" is too small: \"head_wait_ms\" takes 100ms to 10m\n" },
    { "limits: {head_bytes: 16KiB}\n", "1:9: \"target_bytes\" must be below \"head_bytes\", which is 16KiB\n" },
    { "limits: {field_bytes: 64KiB}\n", "1:9: \"field_bytes\" must be below \"head_bytes\", which is 32KiB\n" },
    { "limits: {record_bytes: 64KiB, record_failure_bytes: 64KiB, record_head_bytes: 7169}\n",
      "1:9: \"record_head_bytes\" is too large: twice as much and 2KiB must fit into a quarter of \"record_bytes\", "
      "which "
      "is "
      "64KiB\n"
      "c.yaml:1:9: \"record_head_bytes\" is too large: twice as much and 2KiB must fit into a quarter of "
      "\"record_failure_bytes\", which is 64KiB\n" },
    { "limits: {target_bytes: 1KiB}\n" ROUTE(GONE ", path_limit: 2KiB"),
      "2:66: \"path_limit\" is beyond \"target_bytes\" in \"limits\", which is 1KiB: raise that too\n" },

    /* addresses and hosts */
    { "listen: [\"127.0.0.1:80\", \"localhost:80\"]\n", "1:26: \"localhost:80\" is here twice\n" },
    { "sites: [{host: \"a:80\", routes: [{path: /, " GONE "}]}]\n",
      "1:16: \"a:80\": a site answers on all ports: leave the port away\n" },
    { "sites: [{host: [a b, \"*.*.c\"], routes: [{path: /, " GONE "}]}]\n",
      "1:17: \"a b\" is no host name: write a name, *.name or an address, such as example.org\n"
      "c.yaml:1:22: \"*.*.c\" is no host name: write a name, *.name or an address, such as example.org\n" },
    { "sites:\n- {host: [a, b], routes: [{path: /, " GONE "}]}\n- {host: [c, A], routes: [{path: /, " GONE "}]}\n",
      "3:14: host \"a\" is here twice: the first is in line 2\n" },
    { "sites:\n- routes: [{path: /, " GONE "}]\n- {host: a, default: on, routes: [{path: /, " GONE "}]}\n",
      "3:3: a second site for all other names: the first is in line 2; give this one a \"host\" and no \"default\"\n" },

    /* routes */
    { "sites:\n- routes:\n  - {path: /a, " GONE "}\n  - {path: /b, " GONE "}\n  - {path: /a, " GONE "}\n",
      "5:5: route \"/a\" is here twice: the first is in line 3\n" },
    { "sites: [{routes: [{path: a, " GONE "}]}]\n", "1:26: \"a\" does not begin with /, as a route's path does\n" },
    { "sites: [{routes: [{path: /a?b, " GONE "}]}]\n",
      "1:26: \"/a?b\" has a query: routes are chosen by path alone\n" },
    { "sites: [{routes: [{path: /a//b/./c, " GONE "}]}]\n",
      "1:26: \"/a//b/./c\" never fits: requests for it arrive as \"/a/b/c\"\n" },
    { "sites: [{routes: [{path: /a%20b, " GONE "}]}]\n",
      "1:26: \"/a%20b\" never fits: requests for it arrive as \"/a b\"\n" },
    { "sites: [{routes: [{path: /../b, " GONE "}]}]\n",
      "1:26: \"/../b\" is no path: a % or a \"..\" in it leads nowhere\n" },
    { ROUTE("files: a, " GONE), "1:48: one route has only " KINDS ": make two routes, or remove one\n" },
    { ROUTE(GONE ", websocket: echo"), "1:65: one route has only " KINDS ": make two routes, or remove one\n" },
    { ROUTE("explain: off"), "1:19: a route needs " KINDS "\n" },
    { ROUTE(GONE ", listing: on"), "1:63: \"listing\" goes only with \"files\", which this route has not\n" },
    { ROUTE("files: a, index: [b/c, .d]"),
      "1:48: \"b/c\" is no name of an index: write a file's name alone, such as index.html\n"
      "c.yaml:1:53: \".d\" is no name of an index: write a file's name alone, such as index.html\n" },
    { ROUTE("files: a, default_language: english"),
      "1:58: \"english\" is no language tag: such as en, zh-CN or zh-TW\n" },

    /* fields */
    { ROUTE(GONE ", headers: {a b: c}"), "1:64: \"a b\" is no field name: letters, digits and hyphens\n" },
    { ROUTE(GONE ", headers: {transfer-encoding: x, Date: x, Verdict: x}"),
      "1:64: \"transfer-encoding\" is not for you to set: the server makes it where it belongs\n"
      "c.yaml:1:86: \"Date\" is not for you to set: the server makes it where it belongs\n"
      "c.yaml:1:95: \"Verdict\" is not for you to set: the server makes it where it belongs\n" },
    { ROUTE(GONE ", headers: {Foo: a, foo: b}"), "1:72: \"foo\" is here twice: give it a list of values\n" },
    { ROUTE(GONE ", headers: {Foo: \"a\\r\\nSet-Cookie: b\"}"),
      "1:69: \"a??Set-Cookie: b\" has a control character, which no field value may have\n" },
    { ROUTE(GONE ", headers: {Foo: \" a\"}"),
      "1:69: \" a\" begins or ends with white space, which is no part of a field value\n" },
    { ROUTE(GONE ", headers: {Foo: {}, Bar: [[]]}"), "1:69: \"Foo\" takes a text, or a list of texts\n"
                                                     "c.yaml:1:79: \"Bar\" takes a text, or a list of texts\n" },
    { ROUTE(GONE ", headers: {Foo: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16], Bar: 1}"),
      "1:63: 17 fields are too many: at most 16\n" },

    /* redirects */
    { REDIRECT("to: example.org/x"), "1:45: \"example.org/x\" is neither a path that begins with / nor a URI with its "
                                     "scheme, such as https://example.org/\n" },
    { REDIRECT("to: /a b"), "1:45: \"/a b\" has a byte that no URI has: percent-encode it\n" },
    { REDIRECT("to: /y, status: 305"),
      "1:57: use-proxy (305) is deprecated and no client acts on it: allowed: 301, 302, 303, 307, 308\n" },
    { REDIRECT("to: /y, status: 200"),
      "1:57: no reason that may be configured here has status 200: allowed: 301, 302, 303, 307, 308\n" },
    { REDIRECT("to: /y?a, keep_path: on"), "1:45: \"/y?a\" has a query or a fragment, so no path can follow it: remove "
                                           "that, or \"keep_path\"\n" },
    { REDIRECT("to: /x/deeper#there"),
      "1:19: route \"/x\" redirects to itself for ever: \"/x/deeper#there\" is one of its own paths\n" },

    /* answers */
    { ANSWER(""), "1:38: answer needs \"reason\" or \"status\"\n" },
    { ANSWER("reason: gone, status: 410"), "1:61: \"reason\" says the status already: remove one of them\n" },
    { ANSWER("reason: tea-pot"), "1:47: \"tea-pot\" is no reason: did you mean \"teapot\"? allowed: " ANSWERS },
    { ANSWER("reason: created"), "1:47: \"created\" is for the server itself to find: allowed: " ANSWERS },
    { ANSWER("reason: see-other"),
      "1:47: \"see-other\" is a redirect: write \"redirect\" with \"to\": allowed: " ANSWERS },
    { ANSWER("reason: use-proxy"), "1:47: use-proxy (305) is deprecated and no client acts on it: allowed: " ANSWERS },
    { ANSWER("status: 306"), "1:47: switch-proxy-reserved (306) is reserved and never sent: allowed: " STATUSES },
    { ANSWER("status: 511"), "1:47: network-auth-required (511) is for the portal of a network, never for an origin "
                             "server: allowed: " STATUSES },
    { ANSWER("status: 301"), "1:47: status 301 is a redirect: write \"redirect\" with \"to\"\n" },
    { ANSWER("status: 304"), "1:47: no reason that may be configured here has status 304: allowed: " STATUSES },
    { ANSWER("status: 403"), "1:47: status 403 has several reasons: write \"reason\" with one of acl-denied, "
                             "read-denied, write-denied, ip-denied, request-policy-denied\n" },
    { ANSWER("status: 204, text: a"), "1:58: this answer has no content: remove \"text\"\n" },
    { ANSWER("status: 204, retry_after: 1"), "1:65: \"retry_after\" goes only with errors (statuses from 400)\n" },
    { ANSWER("status: 410, type: a/b, text: x"),
      "1:58: \"type\" goes only with \"text\" of request-ok or accepted-queued\n" },
    { ANSWER("status: 200, type: html, text: x"),
      "1:58: \"html\" is no media type: such as text/html; charset=utf-8\n" },
    { ANSWER("status: 410, blocked_by: /x"), "1:64: \"blocked_by\" goes only with legal-block\n" },
    { ANSWER("status: 451, blocked_by: \"/x>\""), "1:64: \"/x>\" has a byte that no URI has: percent-encode it\n" },
    { ANSWER("status: 426"), "1:38: upgrade-required needs \"upgrade\": the protocols to change to\n" },
    { ANSWER("status: 426, upgrade: TLS/"), "1:61: \"TLS/\" is no list of protocols: such as TLS/1.3\n" },
    { ANSWER("status: 410, upgrade: h2c"), "1:61: \"upgrade\" goes only with upgrade-required\n" },
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

static void mistakes_come_in_the_order_of_the_file(void **state)
{
    static const char text[] = "sites:\n- host: a b\n  routes:\n  - {path: x, " GONE "}\nlog: 1\nworkers: 0\n";
    struct config_options options = given_options();
    struct given g;

    (void)state;
    given_read(&g, &options, span_of(text));
    assert_string_equal(g.complaints,
                        "c.yaml:2:9: \"a b\" is no host name: write a name, *.name or an address, such as example.org\n"
                        "c.yaml:4:12: \"x\" does not begin with /, as a route's path does\n"
                        "c.yaml:5:6: \"log\" takes a map: lines of \"key: value\"\n"
                        "c.yaml:6:10: \"0\" is too small: \"workers\" takes 1 to 1024\n");
}

static void a_flood_of_mistakes_is_cut_off(void **state)
{
    struct config_options options = given_options();
    char text[2048] = "", *at = text;
    struct given g;

    (void)state;
    for (int i = 0; i < 60; i++)
        at += sprintf(at, "q%d: 1\n", i);
    given_read(&g, &options, span_of(text));
    assert_null(g.config);
    assert_non_null(strstr(g.complaints, "c.yaml:50:1: unknown key \"q49\""));
    assert_non_null(strstr(g.complaints, "\nc.yaml: 10 more mistakes: mend these first\n"));
}

static void long_and_odd_texts_are_quoted_short(void **state)
{
    struct config_options options = given_options();
    struct given g;

    (void)state;
    given_read(&g, &options,
               SPAN("dialect: \"\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf"
                    "\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf"
                    "\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf\xe7\x81\xaf.\xe7\x81\xaf\xe7\x81\xaf\"\n"));
    assert_non_null(strstr(g.complaints, "\xe7\x81\xaf....\" is nothing that"));
    assert_null(strstr(g.complaints, ".\xe7"));
}

static const struct config *good(struct given *g, const struct config_options *options, const char *text)
{
    given_read(g, options, span_of(text));
    assert_string_equal(g->complaints, "");
    assert_non_null(g->config);
    return g->config;
}

static void without_a_file_the_directory_is_served(void **state)
{
    struct config_options options = { .directory = "www", .log_combined = -1, .dialect = DIALECTS };
    struct given g;
    const struct config *c = good(&g, &options, "");
    const struct route *route = &c->sites[0].routes[0];

    (void)state;
    assert_int_equal(c->listen_count, 1);
    assert_string_equal(c->listen[0], "127.0.0.1:8080");
    assert_int_equal(c->workers, 0);
    assert_string_equal(c->log_file, "-");
    assert_int_equal(c->settings[SETTING_target_bytes], 16384);
    assert_int_equal(c->settings[SETTING_cache_check_ms], 1000);
    assert_int_equal(c->policy.explain, EXPLAIN_ERRORS);
    assert_int_equal(c->site_count, 1);
    assert_true(c->sites[0].is_default);
    assert_true(c->sites[0].answers_all);
    assert_true(span_is(route->prefix, SPAN("/")));
    assert_ptr_equal(route->resource, &file_resource);
    assert_string_equal(route->file.root, "www");
    assert_string_equal(route->file.index[0], "index.html");
    assert_null(route->file.index[1]);
    assert_true(route->file.variants && route->file.precompressed && route->file.compress && !route->file.write);
    assert_int_equal(route->file.sync, FILE_SYNC_DATA);
    assert_int_equal(route->policy.methods, BIT(M_GET) | BIT(M_HEAD) | BIT(M_OPTIONS));
    assert_int_equal(route->policy.content_limit_bytes, 1 << 20);
    assert_int_equal(route->policy.path_limit_bytes, 8192);
    assert_int_equal(route->policy.query_limit_bytes, 8192);
    assert_int_equal(route->policy.segments_limit, 255);
    assert_int_equal(route->policy.listing, LISTING_OFF);
    assert_int_equal(route->policy.negotiation, NEGOTIATE_LENIENT);
    assert_false(route->policy.trace || route->policy.hidden_served || route->policy.answers);
    config_release(&g.config);
    assert_null(g.config);
}

static void the_command_line_wins_over_the_file(void **state)
{
    static const char *listen[] = { "127.0.0.1:1", "127.0.0.1:2" };
    struct config_options options = { .listen = listen,
                                      .listen_count = 2,
                                      .write = true,
                                      .file = "d/c.yaml",
                                      .log_file = "l",
                                      .log_combined = 1,
                                      .dialect = DIALECT_IIS,
                                      .workers = 3 };
    struct given g;
    const struct config *c = good(&g, &options,
                                  "listen: \"127.0.0.1:9\"\nworkers: 9\ndialect: nginx\nlog: {file: x, format: json}\n"
                                  "sites:\n- routes:\n  - {path: /abc, files: a}\n"
                                  "  - {path: /ab, files: /b, write: off, dialect: cloudflare}\n");
    const struct route *all = c->sites[0].routes;

    (void)state;
    assert_int_equal(c->listen_count, 2);
    assert_string_equal(c->listen[1], "127.0.0.1:2");
    assert_int_equal(c->workers, 3);
    assert_string_equal(c->log_file, "l");
    assert_true(c->log_combined);
    assert_int_equal(c->policy.dialect, DIALECT_IIS);
    assert_string_equal(all[0].file.root, "d/a");
    assert_true(all[0].file.write);
    assert_int_equal(all[0].policy.methods, BIT(M_GET) | BIT(M_HEAD) | BIT(M_OPTIONS) | BIT(M_PUT) | BIT(M_DELETE));
    assert_int_equal(all[0].policy.content_limit_bytes, 1 << 30);
    assert_int_equal(all[0].policy.dialect, DIALECT_IIS);
    assert_string_equal(all[1].file.root, "/b");
    assert_false(all[1].file.write);
    assert_int_equal(all[1].policy.dialect, DIALECT_CLOUDFLARE);
    config_release(&g.config);
}

static void a_directory_and_sites_exclude_each_other(void **state)
{
    struct config_options options = given_options();
    struct given g;

    (void)state;
    options.directory = "www";
    given_read(&g, &options, SPAN("workers: 1\n"));
    assert_string_equal(g.config->sites[0].routes[0].file.root, "www");
    config_release(&g.config);
    given_read(&g, &options, SPAN(ROUTE(GONE)));
    assert_null(g.config);
    assert_string_equal(g.complaints, "c.yaml:1:8: the command line names a directory to serve, and these sites have "
                                      "theirs: leave one away\n");
}

static void routes_are_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c = good(
        &g, &options,
        "explain: all\nlimits: {connections: 7}\ntimes: {keep_alive_ms: 2m, linger_ms: 5}\n"
        "sites:\n- host: [Example.ORG, \"*.example.org\"]\n  stopped_by: flag\n  routes:\n"
        "  - {path: /f, files: a, index: [], listing: on, negotiate: off, compress: false, precompressed: off, write: "
        "on,\n"
        "     sync: full, tombstones: true, quota: 1GiB, content_limit: 5, require: [length, condition], trace: on,\n"
        "     hidden: on, default_language: zh-TW, path_limit: 100, query_limit: 0, segments_limit: 3,\n"
        "     headers: {A: [b, c], D: e}}\n"
        "  - {path: /strict/, files: a, negotiate: strict, index: [x, y], require: condition, explain: off}\n");
    const struct route *strict = &c->sites[0].routes[0], *f = &c->sites[0].routes[1];

    (void)state;
    assert_int_equal(c->settings[SETTING_connections], 7);
    assert_int_equal(c->settings[SETTING_keep_alive_ms], 120000);
    assert_int_equal(c->settings[SETTING_linger_ms], 5);
    assert_false(c->sites[0].is_default || c->sites[0].answers_all);
    assert_int_equal(c->sites[0].name_count, 2);
    assert_true(span_is(c->sites[0].names[0], SPAN("example.org")));
    assert_string_equal(c->sites[0].stopped_by, "flag");
    assert_true(span_is(strict->prefix, SPAN("/strict/")));
    assert_int_equal(strict->policy.negotiation, NEGOTIATE_STRICT);
    assert_true(strict->file.variants && strict->policy.condition_required && !strict->policy.length_required);
    assert_string_equal(strict->file.index[1], "y");
    assert_int_equal(strict->policy.explain, EXPLAIN_OFF);
    assert_int_equal(f->policy.explain, EXPLAIN_ALL);
    assert_null(f->file.index[0]);
    assert_false(f->file.variants || f->file.compress || f->file.precompressed);
    assert_true(f->file.write && f->file.tombstones);
    assert_int_equal(f->file.sync, FILE_SYNC_FULL);
    assert_int_equal(f->file.quota_bytes, 1 << 30);
    assert_string_equal(f->file.default_language, "zh-TW");
    assert_int_equal(f->policy.content_limit_bytes, 5);
    assert_int_equal(f->policy.listing, LISTING_ON);
    assert_true(f->policy.length_required && f->policy.condition_required && f->policy.trace);
    assert_true(f->policy.hidden_served);
    assert_int_equal(f->policy.path_limit_bytes, 100);
    assert_int_equal(f->policy.query_limit_bytes, 0);
    assert_int_equal(f->policy.segments_limit, 3);
    assert_int_equal(f->fields.count, 3);
    assert_true(span_is(f->fields.fields[1].name, SPAN("A")) && span_is(f->fields.fields[1].value, SPAN("c")));
    assert_int_equal(f->line, 8);
    config_release(&g.config);
}

struct answer {
    const char *text;
    struct fixed_settings want;
};

#define TEXT(literal) SPAN_INIT(literal)

static const struct answer answers[] = {
    { REDIRECT("to: /y"), { .why = R_moved_temporarily, .location = TEXT("/y") } },
    { REDIRECT("to: \"https://e.org/a?b#c\", status: 308"),
      { .why = R_permanent_redirect, .location = TEXT("https://e.org/a?b#c") } },
    { REDIRECT("to: /y/, status: 303, keep_path: on"),
      { .why = R_see_other, .location = TEXT("/y/"), .keep_path = true } },
    { ANSWER("status: 204"), { .why = R_no_content } },
    { ANSWER("status: 418, text: \"a\\nb\""), { .why = R_teapot, .text = TEXT("a\nb") } },
    { ANSWER("reason: legal-block, blocked_by: \"https://a.example/\""),
      { .why = R_legal_block, .blocked_by = TEXT("https://a.example/") } },
    { ANSWER("reason: maintenance, retry_after: 2h"), { .why = R_maintenance, .retry_after_s = 7200 } },
    { ANSWER("status: 429, retry_after: 5"), { .why = R_rate_limited, .retry_after_s = 5 } },
    { ANSWER("status: 200, text: <b>, type: text/html; charset=utf-8"),
      { .why = R_request_ok, .text = TEXT("<b>"), .content_type = TEXT("text/html; charset=utf-8") } },
    { ANSWER("status: 426, upgrade: \"TLS/1.3, h2c\""),
      { .why = R_upgrade_required, .upgrade = TEXT("TLS/1.3, h2c") } },
    { ANSWER("reason: dropped-silently"), { .why = R_dropped_silently } },
};

static void answers_are_as_the_file_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct config_options options = given_options();
        const struct fixed_settings *want = &answers[i].want, *is;
        const struct route *route;
        struct given g;

        route = &good(&g, &options, answers[i].text)->sites[0].routes[0];
        is = &route->fixed;
        assert_ptr_equal(route->resource, &fixed_resource);
        assert_true(route->policy.answers);
        assert_int_equal(is->why, want->why);
        assert_true(span_is(is->location, want->location));
        assert_int_equal(is->keep_path, want->keep_path);
        assert_true(span_is(is->blocked_by, want->blocked_by));
        assert_int_equal(is->retry_after_s, want->retry_after_s);
        assert_true(span_is(is->text, want->text));
        assert_true(span_is(is->content_type, want->content_type));
        assert_true(span_is(is->upgrade, want->upgrade));
        config_release(&g.config);
    }
}

/* A path of the source tree: this file's own name says where that is. */
static const char *in_tree(char *room, const char *path)
{
    static const char here[] = "test/serve/test_config.c";

    sprintf(room, "%.*s%s", (int)(sizeof __FILE__ - sizeof here), __FILE__, path);
    return room;
}

static void a_missing_directory_is_told_where_it_is_named(void **state)
{
    char folder[] = "/tmp/verdict-XXXXXX", file[64], want[512], said[1024] = "";
    struct config_options options = given_options();
    FILE *out = fmemopen(said, sizeof said, "w"), *f;
    struct config *c;

    (void)state;
    assert_non_null(mkdtemp(folder));
    sprintf(file, "%s/c.yaml", folder);
    f = fopen(file, "w");
    fputs("sites: [{routes: [{path: /a, files: nowhere}, {path: /b, files: c.yaml}, {path: /c, files: .}]}]\n", f);
    fclose(f);
    options.file = file;
    c = config_load(&options, out);
    fclose(out);
    unlink(file);
    rmdir(folder);
    assert_null(c);
    sprintf(want,
            "%s:1:37: %s/nowhere: No such file or directory: create it, or name another directory\n"
            "%s:1:65: %s/c.yaml is not a directory: name the directory that it is in\n",
            file, folder, file, folder);
    assert_string_equal(said, want);
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    char said[256] = "";
    struct config_options options = given_options();
    FILE *out = fmemopen(said, sizeof said, "w");

    (void)state;
    options.file = "/nowhere/c.yaml";
    assert_null(config_load(&options, out));
    fclose(out);
    assert_string_equal(said, "verdict: /nowhere/c.yaml: No such file or directory: name a YAML file of at most 1 MiB "
                              "that can be read\n");
}

static void directories_are_opened_and_roots_told_apart(void **state)
{
    struct config_options options = { .directory = "/", .log_combined = -1, .dialect = DIALECTS };
    char said[256] = "";
    FILE *out = fmemopen(said, sizeof said, "w");
    struct given one, two;

    (void)state;
    good(&one, &options, "");
    good(&two, &options, "");
    assert_int_equal(one.config->sites[0].routes[0].file.root_fd, -1);
    assert_int_equal(config_open(one.config, NULL, out), 0);
    assert_int_equal(config_open(two.config, NULL, out), 0);
    assert_true(one.config->sites[0].routes[0].file.root_fd >= 0);
    assert_int_not_equal(one.config->sites[0].routes[0].file.id, two.config->sites[0].routes[0].file.id);
    config_release(&one.config);
    config_release(&two.config);
    options.directory = "/nowhere";
    good(&one, &options, "");
    assert_int_equal(config_open(one.config, NULL, out), -2);
    fclose(out);
    assert_string_equal(
        said, "verdict: /nowhere: No such file or directory: name a directory that exists and may be entered\n");
    config_release(&one.config);
}

static void the_full_example_is_good(void **state)
{
    char room[512];
    struct config_options options = given_options();
    struct config *c;

    (void)state;
    options.file = in_tree(room, "examples/full.yaml");
    c = config_load(&options, stderr);
    assert_non_null(c);
    assert_int_equal(c->site_count, 2);
    config_release(&c);
}

static char *whole(const char *path)
{
    char room[512];
    FILE *f = fopen(in_tree(room, path), "r");
    char *text = calloc(1, 1 << 17);

    assert_non_null(f);
    assert_true(fread(text, 1, (1 << 17) - 1, f) > 0);
    fclose(f);
    return text;
}

/* The manual has a row for each key, with its standard; the example has each key. */
static void the_manual_and_the_example_name_every_key(void **state)
{
    char *manual = whole("docs/configuration.md"), *example = whole("examples/full.yaml");

    (void)state;
    for (int k = 0; k < CONFIG_KEYS; k++) {
        struct config_key_info key = config_key_info((enum config_key)k);
        char row[80], mention[80];

        sprintf(row, "\n| `%s` |", key.name);
        sprintf(mention, "%s:", key.name);
        if (strstr(manual, row) == NULL || strstr(manual, key.manual) == NULL || strstr(example, mention) == NULL)
            fail_msg("%s is not in docs/configuration.md or examples/full.yaml as the table has it", key.name);
    }
    free(manual);
    free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_at_its_place),
        cmocka_unit_test(mistakes_come_in_the_order_of_the_file),
        cmocka_unit_test(a_flood_of_mistakes_is_cut_off),
        cmocka_unit_test(long_and_odd_texts_are_quoted_short),
        cmocka_unit_test(without_a_file_the_directory_is_served),
        cmocka_unit_test(the_command_line_wins_over_the_file),
        cmocka_unit_test(a_directory_and_sites_exclude_each_other),
        cmocka_unit_test(routes_are_as_the_file_says),
        cmocka_unit_test(answers_are_as_the_file_says),
        cmocka_unit_test(a_missing_directory_is_told_where_it_is_named),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
        cmocka_unit_test(directories_are_opened_and_roots_told_apart),
        cmocka_unit_test(the_full_example_is_good),
        cmocka_unit_test(the_manual_and_the_example_name_every_key),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
