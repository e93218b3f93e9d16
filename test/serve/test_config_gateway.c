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
#define ROUTE(text)   "upstreams: [{name: a, servers: \"h:1\"}]\nsites: [{routes: [{path: /x, " text "}]}]\n"
#define GATEWAY(text) ROUTE("gateway: {upstream: a, " text "}")
#define CHOICE(text)  GATEWAY("choose: [{upstream: a, " text "}]")
#define CGI(text)     ROUTE("cgi: {directory: d, " text "}")
#define FASTCGI(text) ROUTE("fastcgi: {upstream: a, root: /r, " text "}")

/* Complaints without their "c.yaml:", one a line. */
struct mistake {
    const char *text, *complaints;
};

static const struct mistake mistakes[] = {
    { GATEWAY("to: v2"), "2:57: \"v2\" is no path: begin with /, percent-encode, and leave a query away\n" },
    { GATEWAY("to: /a?b"), "2:57: \"/a?b\" is no path: begin with /, percent-encode, and leave a query away\n" },
    { GATEWAY("to: /a b"), "2:57: \"/a b\" is no path: begin with /, percent-encode, and leave a query away\n" },
    { GATEWAY("host: \"a b\""), "2:59: \"a b\" is no host: write a name or an address, such as example.org:8080\n" },
    { GATEWAY("name: a b"), "2:59: \"a b\" is no name for Via: letters, digits, dots and hyphens\n" },
    { GATEWAY("tell: all"),
      "2:59: \"all\" is nothing that \"tell\" takes: allowed: nothing, x-forwarded, forwarded, both\n" },
    { GATEWAY("attempts: 0"), "2:63: \"0\" is too small: \"attempts\" takes 1 to 3\n" },
    { GATEWAY("attempts: 4"), "2:63: \"4\" is too large: \"attempts\" takes 1 to 3\n" },
    { GATEWAY("head: 1KiB"), "2:39: \"field\" must be below \"head\", which is 1KiB\n" },
    { GATEWAY("field: 64KiB"), "2:39: \"field\" must be below \"head\", which is 64KiB\n" },
    { GATEWAY("insert: {before: body, text: x}"), "2:70: \"body\" is no tag: such as </body>\n" },
    { GATEWAY("insert: {before: </body>}"), "2:61: insert needs \"text\"\n" },
    { GATEWAY("insert: {text: x}"), "2:61: insert needs \"before\"\n" },
    { GATEWAY("upsteam: b"),
      "2:53: unknown key \"upsteam\": did you mean \"upstream\"? allowed here: upstream, choose, to, host, name, tell, "
      "rewrite, upgrade, early_data, attempts, attempts_time, returns, read_wait, write_wait, response_wait, "
      "tunnel_idle, buffer_request, buffer_response, replay, response_limit, interim, head, field, half_closed, "
      "compress, insert\n" },
    { GATEWAY("replay: 2MiB"), "2:61: \"2MiB\" is too large: \"replay\" takes 0 to 1MiB\n" },
    { GATEWAY("interim: 1001"), "2:62: \"1001\" is too large: \"interim\" takes 0 to 1000\n" },
    { CHOICE("is: b"), "2:62: a choice needs one of \"field\", \"query\", \"method\" and \"client\"\nc.yaml:2:80: "
                       "\"is\" goes only with \"field\" or \"query\"\n" },
    { CHOICE("field: A, query: b"), "2:93: a choice looks at one thing only: make two choices, or remove one\n" },
    { CHOICE("field: A, is: b, begins: c"), "2:101: \"is\" says the value already: remove one of them\n" },
    { CHOICE("field: a b"), "2:83: \"a b\" is no field name: letters, digits and hyphens\n" },
    { CHOICE("method: get"),
      "2:84: \"get\" is no method that is known: did you mean \"GET\"? write it in capitals, such as GET\n" },
    { CHOICE("method: POTS"),
      "2:84: \"POTS\" is no method that is known: did you mean \"POST\"? write it in capitals, such as GET\n" },
    { CHOICE("client: 10.0.0.1/8"), "2:84: \"10.0.0.1/8\": bits beyond the prefix are set: write 192.0.2.0/24 for all "
                                    "that begin with 192.0.2, 192.0.2.7 for one alone\n" },
    { CHOICE("client: 10.0.0.0/8, is: x"), "2:100: \"is\" goes only with \"field\" or \"query\"\n" },
    { CHOICE("method: GET, begins: G"), "2:97: \"begins\" goes only with \"field\" or \"query\"\n" },
    { CHOICE("field: A, upstream: b"), "2:86: \"upstream\" is here twice: the first is in line 2\n" },
    { ROUTE("gateway: {upstream: b}"), "2:50: \"b\" is no upstream: did you mean \"a\"? there are: a\n" },
    { ROUTE("gateway: {}"), "2:39: a gateway needs \"upstream\", or \"choose\" with one for each choice\n" },
    { ROUTE("gateway: a"), "2:39: \"gateway\" takes a map: lines of \"key: value\"\n" },
    { ROUTE("files: a, gateway: {upstream: a}"),
      "2:49: one route has only one of \"files\", \"redirect\", \"answer\", \"websocket\", \"gateway\", \"cgi\" and "
      "\"fastcgi\": make two routes, or remove one\n" },
    { ROUTE("cgi: {directory: d}, fastcgi: {upstream: a, root: /r}"),
      "2:60: one route has only one of \"files\", \"redirect\", \"answer\", \"websocket\", \"gateway\", \"cgi\" and "
      "\"fastcgi\": make two routes, or remove one\n" },
    { ROUTE("gateway: {upstream: a}, methods: [GET, get]"),
      "2:69: \"get\" is no method that is known: did you mean \"GET\"? write it in capitals, such as GET\n" },
    { ROUTE("gateway: {upstream: a}, methods: CONNECT"), "2:63: CONNECT is for forward proxies: see \"forward\"\n" },
    { ROUTE("gateway: {upstream: a}, methods: [GET, GET]"), "2:69: \"GET\" is here twice\n" },
    { ROUTE("files: a, methods: GET"),
      "2:49: \"methods\" goes only with \"gateway\", \"cgi\" or \"fastcgi\", which this route has not\n" },
    { ROUTE("answer: {reason: gone}, content_limit: 3"),
      "2:69: \"content_limit\" goes only with \"files\", \"gateway\", \"cgi\" or \"fastcgi\", which this route has "
      "not\n" },
    { ROUTE("gateway: {upstream: a}, listing: on"),
      "2:63: \"listing\" goes only with \"files\", which this route has not\n" },
    { ROUTE("gateway: {upstream: a}, hidden: on"),
      "2:62: \"hidden\" goes only with \"files\", which this route has not\n" },
    { CGI("extensions: [cgi, .a/b]"), "2:63: \"cgi\" is no extension: begin with a dot, such as .cgi\nc.yaml:2:68: "
                                      "\".a/b\" is no extension: begin with a dot, such as .cgi\n" },
    { CGI("interpreter: perl"), "2:63: \"perl\" is no absolute path of an interpreter: such as /usr/bin/perl\n" },
    { CGI("environment: {A-B: x}"), "2:64: \"A-B\" is no name of a variable: letters, digits and underscores\n" },
    { CGI("environment: {A: x, A: y}"), "2:70: \"A\" is here twice: the first is in line 2\n" },
    { CGI("environment: {A: [x]}"), "2:67: \"A\" takes a text\n" },
    { CGI("environment: {A: \"x\\ny\"}"), "2:67: \"x?y\" has a control character, which \"A\" does not take\n" },
    { CGI("environment: {1A: x}"), "2:64: \"1A\" is no name of a variable: letters, digits and underscores\n" },
    { CGI("processes: 0"), "2:61: \"0\" is too small: \"processes\" takes 1 to 10000\n" },
    { CGI("head: 2MiB"), "2:56: \"2MiB\" is too large: \"head\" takes 1KiB to 1MiB\n" },
    { CGI("environment: x"), "2:63: \"environment\" takes a map: lines of \"key: value\"\n" },
    { FASTCGI("index: a/b"), "2:70: \"a/b\" is no name of an index: write a file's name alone, such as index.php\n" },
    { FASTCGI("index: .php"), "2:70: \".php\" is no name of an index: write a file's name alone, such as index.php\n" },
    { FASTCGI("split: php"), "2:70: \"php\" is no extension: begin with a dot, such as .php\n" },
    { FASTCGI("fallback: index.php"),
      "2:73: \"index.php\" is no script: begin with /, and end with \"split\", which is "
      "\".php\"\n" },
    { FASTCGI("fallback: /index.php, split: .x"), "2:73: \"/index.php\" is no script: begin with /, and end with "
                                                  "\"split\", which is \".x\"\n" },
    { FASTCGI("parameters: {A B: x}"), "2:76: \"A B\" is no name of a variable: letters, digits and underscores\n" },
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

static void standards_are_as_the_manual_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c = good(&g, &options, ROUTE("gateway: {upstream: a}"));
    const struct route *route = &c->sites[0].routes[0];
    const struct gateway_settings *s = &route->gateway;

    (void)state;
    assert_ptr_equal(route->resource, &gateway_resource);
    assert_true(route->policy.forwards && route->policy.hidden_served);
    assert_false(route->policy.proxies || route->policy.serves_half_closed || route->policy.answers);
    assert_int_equal(route->policy.content_limit_bytes, 1 << 30);
    assert_int_equal(route->policy.segments_limit, 255);
    assert_true(route->policy.methods == ((UINT64_C(1) << METHODS) - 1 - BIT(M_UNKNOWN) - BIT(M_CONNECT)));
    assert_ptr_equal(s->groups, c->groups);
    assert_int_equal(s->group, 0);
    assert_int_equal(s->choice_count, 0);
    assert_null(s->proxy);
    assert_null(s->to.p);
    assert_int_equal(s->host.n, 0);
    assert_true(span_is(s->name, SPAN("verdict")));
    assert_int_equal(s->tells, GATEWAY_TELLS_X);
    assert_true(s->rewrites && s->upgrades);
    assert_false(s->early_data || s->compresses);
    assert_int_equal(s->attempts, 2);
    assert_int_equal(s->returns, 1);
    assert_int_equal(s->attempts_ms, 10000);
    assert_int_equal(s->read_ms, 30000);
    assert_int_equal(s->write_ms, 30000);
    assert_int_equal(s->response_ms, 0);
    assert_int_equal(s->tunnel_ms, 60000);
    assert_int_equal(s->replay_bytes, 65536);
    assert_int_equal(s->content_limit_bytes, 0);
    assert_int_equal(s->interim_most, 10);
    assert_int_equal(s->head.head_bytes, 65536);
    assert_int_equal(s->head.field_bytes, 32768);
    assert_int_equal(s->head.fields, HEAD_FIELDS_MAX);
    assert_int_equal(s->insertion.text.n, 0);
    config_release(&g.config);
}

static void a_gateway_is_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c =
        good(&g, &options,
             "upstreams: [{name: b, servers: \"h:1\"}, {name: a, servers: \"h:1\"}]\n"
             "sites: [{routes: [{path: /x, content_limit: 5, methods: [GET, POST], gateway: {upstream: a, to: /y%20, "
             "host: upstream, name: n, tell: both, rewrite: off, upgrade: off, early_data: on, attempts: 3, "
             "attempts_time: 6, returns: 7, read_wait: 8, write_wait: 9, response_wait: 10, tunnel_idle: 101, "
             "replay: 12, response_limit: 13, interim: 14, head: 2KiB, field: 1KiB, half_closed: on, compress: on, "
             "insert: {before: </Body>, text: \"<p>\"}}}]}]\n");
    const struct route *route = &c->sites[0].routes[0];
    const struct gateway_settings *s = &route->gateway;

    (void)state;
    assert_int_equal(route->policy.methods, BIT(M_GET) | BIT(M_POST));
    assert_int_equal(route->policy.content_limit_bytes, 5);
    assert_true(route->policy.serves_half_closed);
    assert_int_equal(s->group, 1);
    assert_true(span_is(s->to, SPAN("/y%20")));
    assert_true(span_is(s->host, SPAN("-")));
    assert_true(span_is(s->name, SPAN("n")));
    assert_int_equal(s->tells, GATEWAY_TELLS_BOTH);
    assert_false(s->rewrites || s->upgrades);
    assert_true(s->early_data && s->compresses);
    assert_int_equal(s->attempts, 3);
    assert_int_equal(s->attempts_ms, 6);
    assert_int_equal(s->returns, 7);
    assert_int_equal(s->read_ms, 8);
    assert_int_equal(s->write_ms, 9);
    assert_int_equal(s->response_ms, 10);
    assert_int_equal(s->tunnel_ms, 101);
    assert_int_equal(s->replay_bytes, 12);
    assert_int_equal(s->content_limit_bytes, 13);
    assert_int_equal(s->interim_most, 14);
    assert_int_equal(s->head.head_bytes, 2048);
    assert_int_equal(s->head.field_bytes, 1024);
    assert_true(span_is(s->insertion.before, SPAN("</Body>")));
    assert_true(span_is(s->insertion.text, SPAN("<p>")));
    config_release(&g.config);
    c = good(&g, &options, GATEWAY("host: \"Other:81\""));
    assert_true(span_is(c->sites[0].routes[0].gateway.host, SPAN("Other:81")));
    config_release(&g.config);
}

static void choices_are_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c = good(&g, &options,
                                  "upstreams: [{name: a, servers: \"h:1\"}, {name: b, servers: \"h:1\"}]\n"
                                  "sites: [{routes: [{path: /x, gateway: {upstream: a, choose: [\n"
                                  "  {field: X-A, is: c, upstream: b}, {query: d, begins: e, upstream: a},\n"
                                  "  {field: F, upstream: b}, {method: POST, upstream: b},\n"
                                  "  {client: 192.0.2.0/24, upstream: b}]}}]}]\n");
    const struct gateway_settings *s = &c->sites[0].routes[0].gateway;

    (void)state;
    assert_int_equal(s->choice_count, 5);
    assert_int_equal(s->choices[0].key, GATEWAY_FIELD);
    assert_true(span_is(s->choices[0].name, SPAN("X-A")) && span_is(s->choices[0].value, SPAN("c")));
    assert_false(s->choices[0].begins);
    assert_int_equal(s->choices[0].group, 1);
    assert_int_equal(s->choices[1].key, GATEWAY_QUERY);
    assert_true(span_is(s->choices[1].name, SPAN("d")) && span_is(s->choices[1].value, SPAN("e")));
    assert_true(s->choices[1].begins);
    assert_int_equal(s->choices[1].group, 0);
    assert_null(s->choices[2].value.p);
    assert_int_equal(s->choices[3].key, GATEWAY_METHOD);
    assert_true(span_is(s->choices[3].value, SPAN("POST")));
    assert_int_equal(s->choices[4].key, GATEWAY_CLIENT);
    assert_int_equal(s->choices[4].client.bits, 120);
    config_release(&g.config);
}

static void programs_are_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c =
        good(&g, &options,
             CGI("extensions: [.cgi, .pl], interpreter: /usr/bin/perl, user: www, environment: {A_1: b, C: \"\"}, "
                 "read_wait: 3, processes: 4, queue: 5, queue_wait: 6, head: 2KiB"));
    const struct route *route = &c->sites[0].routes[0];
    const struct cgi_settings *s = &route->cgi;

    (void)state;
    assert_ptr_equal(route->resource, &cgi_resource);
    assert_true(route->policy.forwards);
    assert_string_equal(s->directory, "d");
    assert_int_equal(s->extension_count, 2);
    assert_true(span_is(s->extensions[1], SPAN(".pl")));
    assert_string_equal(s->interpreter, "/usr/bin/perl");
    assert_string_equal(s->user, "www");
    assert_int_equal(s->variable_count, 2);
    assert_true(span_is(s->variables[0].name, SPAN("A_1")) && span_is(s->variables[0].value, SPAN("b")));
    assert_string_equal(s->variables[1].value.p, "");
    assert_int_equal(s->read_ms, 3);
    assert_int_equal(s->processes_limit, 4);
    assert_int_equal(s->queue_limit, 5);
    assert_int_equal(s->queue_ms, 6);
    assert_int_equal(s->head.head_bytes, 2048);
    config_release(&g.config);
    s = &good(&g, &options, ROUTE("cgi: {directory: d}"))->sites[0].routes[0].cgi;
    assert_int_equal(s->extension_count, 0);
    assert_null(s->interpreter);
    assert_null(s->user);
    assert_int_equal(s->read_ms, 30000);
    assert_int_equal(s->processes_limit, 16);
    assert_int_equal(s->queue_limit, 64);
    assert_int_equal(s->queue_ms, 5000);
    config_release(&g.config);
}

static void fastcgi_is_as_the_file_says(void **state)
{
    struct config_options options = given_options();
    struct given g;
    const struct config *c = good(&g, &options, ROUTE("fastcgi: {upstream: a, root: /srv/app//}"));
    const struct route *route = &c->sites[0].routes[0];
    const struct fastcgi_settings *s = &route->fastcgi;

    (void)state;
    assert_ptr_equal(route->resource, &fastcgi_resource);
    assert_true(route->policy.forwards);
    assert_ptr_equal(s->groups, c->groups);
    assert_true(span_is(s->root, SPAN("/srv/app")));
    assert_true(span_is(s->index, SPAN("index.php")));
    assert_true(span_is(s->split, SPAN(".php")));
    assert_int_equal(s->fallback.n, 0);
    assert_int_equal(s->read_ms, 30000);
    assert_int_equal(s->write_ms, 30000);
    assert_int_equal(s->head.head_bytes, 65536);
    config_release(&g.config);
    s = &good(&g, &options,
              FASTCGI("index: i.x, split: .x, fallback: /a/f.x, parameters: {P: q}, read_wait: 1, write_wait: 2, head: "
                      "1KiB"))
             ->sites[0]
             .routes[0]
             .fastcgi;
    assert_true(span_is(s->index, SPAN("i.x")));
    assert_true(span_is(s->split, SPAN(".x")));
    assert_true(span_is(s->fallback, SPAN("/a/f.x")));
    assert_int_equal(s->parameter_count, 1);
    assert_true(span_is(s->parameters[0].name, SPAN("P")) && span_is(s->parameters[0].value, SPAN("q")));
    assert_int_equal(s->read_ms, 1);
    assert_int_equal(s->write_ms, 2);
    config_release(&g.config);
}

/* Idle connections take processes of applications away: unless the file says otherwise there are none. */
static void fastcgi_keeps_what_the_file_says(void **state)
{
#define TWO(keep, route)                          \
    "upstreams: [{name: a, servers: \"h:1\"" keep \
    "}, {name: b, servers: \"h:2\"}]\nsites: [{routes: [{path: /, " route "}]}]\n"
    static const struct {
        const char *text;
        uint32_t keep;
    } cases[] = {
        { TWO("", "fastcgi: {upstream: a, root: /r}"), 0 },
        { TWO(", keep: 5", "fastcgi: {upstream: a, root: /r}"), 5 },
        { TWO(", keep: 64", "fastcgi: {upstream: a, root: /r}"), 64 },
        { TWO("", "gateway: {upstream: a}"), 64 },
    };
    struct config_options options = given_options();
    struct given g;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct config *c = good(&g, &options, cases[i].text);

        assert_int_equal(c->groups[0]->idle_limit, cases[i].keep);
        assert_int_equal(c->groups[1]->idle_limit, 64);
        config_release(&g.config);
    }
#undef TWO
}

/* What programs need must be there. */
static void programs_are_looked_for(void **state)
{
    char folder[] = "/tmp/verdict-XXXXXX", file[64], want[512], said[1024] = "";
    struct config_options options = given_options();
    FILE *out = fmemopen(said, sizeof said, "w"), *f;

    (void)state;
    assert_non_null(mkdtemp(folder));
    sprintf(file, "%s/c.yaml", folder);
    f = fopen(file, "w");
    fputs(CGI("interpreter: /nowhere/perl, user: nobody.at.all"), f);
    fclose(f);
    options.file = file;
    assert_null(config_load(&options, out));
    fclose(out);
    unlink(file);
    rmdir(folder);
    sprintf(want,
            "%s:2:47: %s/d: No such file or directory: create it, or name another directory\n"
            "%s:2:63: /nowhere/perl: No such file or directory: name a program that may be executed\n"
            "%s:2:84: \"nobody.at.all\" is no user of this machine: see `getent passwd`\n",
            file, folder, file, file);
    assert_string_equal(said, want);
}

static void the_user_of_programs_is_found_when_opened(void **state)
{
    struct config_options options = given_options();
    char said[256] = "";
    FILE *out = fmemopen(said, sizeof said, "w");
    struct given g;

    (void)state;
    good(&g, &options, CGI("user: nobody"));
    assert_int_equal(config_open(g.config, NULL, out), 0);
    assert_int_not_equal(g.config->sites[0].routes[0].cgi.uid, 0);
    config_release(&g.config);
    good(&g, &options, CGI("user: nobody.at.all"));
    assert_int_equal(config_open(g.config, NULL, out), -2);
    config_release(&g.config);
    fclose(out);
    assert_string_equal(said, "verdict: nobody.at.all is no user of this machine: see `getent passwd`\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_at_its_place),
        cmocka_unit_test(standards_are_as_the_manual_says),
        cmocka_unit_test(a_gateway_is_as_the_file_says),
        cmocka_unit_test(choices_are_as_the_file_says),
        cmocka_unit_test(programs_are_as_the_file_says),
        cmocka_unit_test(fastcgi_is_as_the_file_says),
        cmocka_unit_test(fastcgi_keeps_what_the_file_says),
        cmocka_unit_test(programs_are_looked_for),
        cmocka_unit_test(the_user_of_programs_is_found_when_opened),
    };

    return cmocka_run_group_tests_name("config_gateway", tests, NULL, NULL);
}
