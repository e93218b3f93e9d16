#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_given.h"
#include "http/method.h"

#define BIT(m) (UINT64_C(1) << (m))

/* What is in the map begins in line 1, column 9. */
#define ADMIN(text)    "admin: {" text "}\n"
#define TOKEN          "token: 0123456789abcdef"
#define LOCAL          "localhost 127.0.0.1 [::1]"
#define NEEDS_TOKEN(a) "admin: " a " can be reached from other machines: set admin.token, or listen on 127.0.0.1\n"
#define NEEDS_NAME(a)  "admin: " a " has no name that a request could be for: set admin.public or admin.hosts\n"
#define NO_URL         " is no URL of the console: such as https://example.org/verdict/\n"

struct mistake {
    const char *option; /* --admin */
    const char *text, *complaints;
};

static const struct mistake mistakes[] = {
    { NULL, "admin: off\n", "c.yaml:1:8: \"admin\" takes a map: lines of \"key: value\"\n" },
    { NULL, "token: x\n",
      "c.yaml:1:1: unknown key \"token\": it belongs to admin; allowed here: listen, tls, h2c, trusted_proxies, "
      "real_ip, listen_proxy_protocol, "
      "workers, dialect, explain, log, admin, limits, times, forward, resolver, upstreams, sites\n" },
    { NULL, ADMIN("tokn: x"),
      "c.yaml:1:9: unknown key \"tokn\": did you mean \"token\"? allowed here: listen, token, token_file, public, "
      "hosts, "
      "secret_fields, secret_queries\n" },

    /* where */
    { NULL, ADMIN("listen: on"), "c.yaml:1:17: admin: \"on\": no port: append one, as in 127.0.0.1:8080\n" },
    { NULL, ADMIN("listen: on, token: x"),
      "c.yaml:1:17: admin: \"on\": no port: append one, as in 127.0.0.1:8080\n"
      "c.yaml:1:28: a token of 1 characters can be guessed: use at least 16\n" },
    { NULL, ADMIN("listen: [a]"), "c.yaml:1:17: \"listen\" takes text here, not a list\n" },
    { "on", "workers: 1\n", "verdict: admin: \"on\": no port: append one, as in 127.0.0.1:8080\n" },
    { NULL, "listen: 127.0.0.1:80\nadmin: {listen: \"localhost:80\"}\n",
      "c.yaml:2:17: admin: 127.0.0.1:80 is in \"listen\" already: the console needs an address of its own\n" },
    { NULL, "tls: {listen: 127.0.0.1:8444}\nadmin: {listen: 127.0.0.1:8444}\n",
      "c.yaml:2:17: admin: 127.0.0.1:8444 is in \"listen\" of \"tls\" already: the console needs an address of its "
      "own\n" },
    { "unix:/a", "listen: unix:/a\n",
      "verdict: admin: unix:/a is in \"listen\" already: the console needs an address of its own\n" },
    { NULL, ADMIN("listen: 127.0.0.1:8080"),
      "c.yaml:1:17: admin: 127.0.0.1:8080 is in \"listen\" already: the console needs an address of its own\n" },

    /* who */
    { NULL, ADMIN("listen: 192.0.2.1:80"), "c.yaml:1:17: " NEEDS_TOKEN("192.0.2.1:80") },
    { NULL, ADMIN("listen: \"[2001:db8::1]:80\""), "c.yaml:1:17: " NEEDS_TOKEN("[2001:db8::1]:80") },
    { NULL, ADMIN("listen: 0.0.0.0:80, public: \"http://a/\""), "c.yaml:1:17: " NEEDS_TOKEN("0.0.0.0:80") },
    { NULL, ADMIN("listen: 0.0.0.0:80, " TOKEN), "c.yaml:1:17: " NEEDS_NAME("0.0.0.0:80") },
    { NULL, ADMIN("listen: \"[::]:80\""),
      "c.yaml:1:17: " NEEDS_TOKEN("[::]:80") "c.yaml:1:17: " NEEDS_NAME("[::]:80") },
    { "192.0.2.1:80", ADMIN("listen: 127.0.0.1:80"), "verdict: " NEEDS_TOKEN("192.0.2.1:80") },
    { NULL, ADMIN("token: 0123456789abcde"),
      "c.yaml:1:16: a token of 15 characters can be guessed: use at least 16\n" },
    { NULL, ADMIN("token: 0123456789 abcdef"),
      "c.yaml:1:16: a token has visible characters of ASCII only, and no white space\n" },
    { NULL, ADMIN("token: 0123456789äbcdef"),
      "c.yaml:1:16: a token has visible characters of ASCII only, and no white space\n" },
    { NULL, ADMIN(TOKEN ", token_file: a"), "c.yaml:1:46: \"token\" is there already: remove one of them\n" },

    /* under which names */
    { NULL, ADMIN("public: example.org"), "c.yaml:1:17: \"example.org\"" NO_URL },
    { NULL, ADMIN("public: \"ftp://a/\""), "c.yaml:1:17: \"ftp://a/\"" NO_URL },
    { NULL, ADMIN("public: \"http:///x\""),
      "c.yaml:1:17: \"http:///x\" names no host: such as https://example.org/verdict/\n" },
    { NULL, ADMIN("public: \"http://u@a/\""),
      "c.yaml:1:17: \"http://u@a/\" names no host: such as https://example.org/verdict/\n" },
    { NULL, ADMIN("public: \"http://a/?b\""), "c.yaml:1:17: \"http://a/?b\" has a query or a fragment: remove it\n" },
    { NULL, ADMIN("public: \"http://a/#b\""), "c.yaml:1:17: \"http://a/#b\" has a query or a fragment: remove it\n" },
    { NULL, ADMIN("public: \"http://a/b c\""),
      "c.yaml:1:17: \"http://a/b c\" has a byte that no URL has: percent-encode it\n" },
    { NULL, ADMIN("hosts: [a b, \"*.a\", \"a:80\"]"),
      "c.yaml:1:17: \"a b\" is no host name: write a name or an address, such as example.org\n"
      "c.yaml:1:22: \"*.a\" is no host name: write a name or an address, such as example.org\n"
      "c.yaml:1:29: \"a:80\": ports are not looked at: leave the port away\n" },
    { NULL, ADMIN("hosts: [a, \"\"]"), "c.yaml:1:20: \"hosts\" has no value\n" },
    { NULL, ADMIN("hosts: []"), "c.yaml:1:16: \"hosts\" has 0 members: it takes 1 to 64\n" },

    /* what is not kept */
    { NULL, ADMIN("secret_fields: [A, b c]"),
      "c.yaml:1:28: \"b c\" is no name of a field: letters, digits and hyphens\n" },
    { NULL, ADMIN("secret_queries: a=b"),
      "c.yaml:1:25: \"a=b\" is no name of a parameter: letters, digits and hyphens\n" },
};

static void each_mistake_is_told_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct config_options options = given_options();
        struct given g;

        options.admin = mistakes[i].option;
        given_read(&g, &options, span_of(mistakes[i].text));
        if (g.config != NULL || strcmp(g.complaints, mistakes[i].complaints) != 0)
            fail_msg("%s\ngave\n%sand not\n%s", mistakes[i].text, g.complaints, mistakes[i].complaints);
    }
}

/* Nothing can be said of the console when the file cannot be understood. */
static void a_broken_file_is_all_that_is_told(void **state)
{
    struct config_options options = given_options();
    struct given g;

    (void)state;
    options.admin = "192.0.2.1:80";
    given_read(&g, &options, SPAN("[]\n"));
    assert_string_equal(g.complaints, "c.yaml:1:1: the configuration is a map: lines of \"key: value\"\n");
}

struct place {
    const char *option, *text;
    const char *listen, *hosts; /* NULL: off; hosts with spaces between them */
    bool said;
};

static const struct place places[] = {
    { NULL, "workers: 1\n", "127.0.0.1:8081", "127.0.0.1 localhost [::1]", false },
    { NULL, ADMIN("listen: off"), NULL, "", true },
    { "off", ADMIN("listen: 127.0.0.1:1"), NULL, "", true },
    { "localhost:1", ADMIN("listen: off"), "127.0.0.1:1", "127.0.0.1 localhost [::1]", true },
    { NULL, ADMIN("listen: \"127.1.2.3:1\""), "127.1.2.3:1", "127.1.2.3 localhost 127.0.0.1 [::1]", true },
    { NULL, ADMIN("listen: \"[::1]:1\""), "[::1]:1", "[::1] localhost 127.0.0.1", true },
    { NULL, ADMIN("listen: \"[::ffff:127.0.0.1]:1\""), "127.0.0.1:1", "127.0.0.1 localhost [::1]", true },
    { NULL, ADMIN("listen: \"unix:/run/x\""), "unix:/run/x", LOCAL, true },
    { NULL, ADMIN("listen: \"192.0.2.1:1\", " TOKEN), "192.0.2.1:1", "192.0.2.1", true },
    { NULL, ADMIN("listen: \"[2001:DB8::1]:1\", " TOKEN), "[2001:db8::1]:1", "[2001:db8::1]", true },
    { NULL, ADMIN("listen: \"[fe80::1%lo]:1\", " TOKEN), "[fe80::1%lo]:1", "[fe80::1]", true },
    { NULL, ADMIN("listen: \"0.0.0.0:1\", " TOKEN ", hosts: A.b."), "0.0.0.0:1", "a.b", true },
    { NULL, ADMIN("listen: \"[::]:1\", token_file: a, public: \"https://Example.org:81/x\""), "[::]:1", "example.org",
      true },
    { NULL, ADMIN("public: \"http://[2001:db8::2]\", hosts: [localhost, C, c]"), "127.0.0.1:8081",
      "127.0.0.1 localhost [::1] [2001:db8::2] c", false },
    { "127.0.0.1:0", "listen: 127.0.0.1:0\n", "127.0.0.1:0", "127.0.0.1 localhost [::1]", true },
    { NULL, "listen: 127.0.0.1:8081\n", "127.0.0.1:8081", "127.0.0.1 localhost [::1]", false },
};

static const struct config_admin *good(struct given *g, const char *option, const char *text)
{
    struct config_options options = given_options();

    options.admin = option;
    given_read(g, &options, span_of(text));
    if (g->config == NULL)
        fail_msg("%s\ngave\n%s", text, g->complaints);
    return &g->config->admin;
}

static void a_listener_has_its_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place *p = &places[i];
        struct given g;
        const struct config_admin *a = good(&g, p->option, p->text);
        char hosts[256] = "";

        for (uint32_t h = 0; h < a->host_count; h++)
            sprintf(hosts + strlen(hosts), "%s%.*s", h > 0 ? " " : "", (int)a->hosts[h].n, a->hosts[h].p);
        assert_int_equal(a->listen != NULL, p->listen != NULL);
        assert_string_equal(a->listen != NULL ? a->listen : "", p->listen != NULL ? p->listen : "");
        assert_string_equal(hosts, p->hosts);
        assert_int_equal(a->listen_said, p->said);
        config_release(&g.config);
    }
}

static void without_a_file_there_is_a_console(void **state)
{
    struct config_options options = { .directory = "www", .log_combined = -1, .dialect = DIALECT_IIS };
    struct given g;

    (void)state;
    given_read(&g, &options, SPAN(""));
    assert_string_equal(g.config->admin.listen, "127.0.0.1:8081");
    assert_false(g.config->admin.listen_said);
    assert_int_equal(g.config->admin.token.n, 0);
    assert_int_equal(g.config->admin.public_url.n, 0);
    assert_ptr_equal(g.config->admin.secrets.fields, secrets_standard.fields);
    assert_int_equal(g.config->settings[SETTING_record_slow_ms], 1000);
    config_release(&g.config);
    options.admin = "0.0.0.0:80";
    given_read(&g, &options, SPAN(""));
    assert_null(g.config);
    assert_string_equal(g.complaints, "verdict: " NEEDS_TOKEN("0.0.0.0:80") "verdict: " NEEDS_NAME("0.0.0.0:80"));
}

static void the_site_answers_everything(void **state)
{
    struct given g;
    const struct config_admin *a =
        good(&g, NULL, "dialect: nginx\nexplain: off\nlimits: {event_streams: 3}\n" ADMIN(TOKEN ", hosts: a"));
    const struct route *route = &a->site.routes[1], *admissions = a->site.routes;

    (void)state;
    assert_int_equal(a->site.route_count, 2);
    assert_true(a->site.answers_all && !a->site.is_default && a->site.stopped_by == NULL);
    assert_ptr_equal(a->site.names, a->hosts);
    assert_int_equal(a->site.name_count, a->host_count);
    assert_true(span_is(route->prefix, SPAN("/")));
    assert_ptr_equal(route->resource, &admin_resource);
    assert_int_equal(route->policy.methods, BIT(M_GET) | BIT(M_HEAD) | BIT(M_OPTIONS));
    assert_int_equal(route->policy.dialect, DIALECT_RFC);
    assert_int_equal(route->policy.explain, EXPLAIN_ALL);
    assert_int_equal(route->policy.path_limit_bytes, UINT32_MAX);
    assert_int_equal(route->policy.listing, LISTING_OFF);
    assert_true(span_is(route->admin.token, SPAN("0123456789abcdef")));
    assert_int_equal(route->admin.public_origin.n, 0);
    assert_int_equal(route->admin.streams_most, 3);
    assert_true(span_is(admissions->prefix, SPAN("/api/admissions")));
    assert_int_equal(admissions->policy.methods, route->policy.methods | BIT(M_POST) | BIT(M_DELETE));
    assert_true(span_is(admissions->admin.token, route->admin.token));
    assert_true(admissions->policy.content_limit_bytes < 65536);
    config_release(&g.config);
}

static void a_public_url_has_an_origin(void **state)
{
    struct given g;
    const struct config_admin *a = good(&g, NULL, ADMIN("public: \"https://Ops.example:8443/verdict\""));

    (void)state;
    assert_true(span_is(a->site.routes->admin.public_origin, SPAN("https://Ops.example:8443")));
    config_release(&g.config);
}

static void a_public_url_ends_with_a_slash(void **state)
{
    static const char *const rows[][2] = { { ADMIN("public: \"http://a\""), "http://a/" },
                                           { ADMIN("public: \"https://a:1/\""), "https://a:1/" },
                                           { ADMIN("public: \"https://a/b%20c\""), "https://a/b%20c/" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct given g;

        assert_true(span_is(good(&g, NULL, rows[i][0])->public_url, span_of(rows[i][1])));
        config_release(&g.config);
    }
}

static void a_list_of_secrets_replaces_the_standard_one(void **state)
{
    struct given g;
    const struct secrets *s = &good(&g, NULL, ADMIN("secret_fields: [X-Pass, cookie]"))->secrets;

    (void)state;
    assert_int_equal(s->field_count, 2);
    assert_true(secrets_field(s, SPAN("Cookie")) && secrets_field(s, SPAN("x-pass")));
    assert_false(secrets_field(s, SPAN("Authorization")));
    assert_ptr_equal(s->queries, secrets_standard.queries);
    config_release(&g.config);
    s = &good(&g, NULL, ADMIN("secret_queries: []"))->secrets;
    assert_int_equal(s->query_count, 0);
    assert_true(secrets_field(s, SPAN("Authorization")));
    config_release(&g.config);
}

/* Loads a configuration whose token is in a file with this content and mode. */
static struct config *with_token_file(const char *content, mode_t mode, char *said, size_t room)
{
    char folder[] = "/tmp/verdict-XXXXXX", file[64], token[64];
    struct config_options options = given_options();
    FILE *out = fmemopen(said, room, "w"), *f;
    struct config *c;

    assert_non_null(mkdtemp(folder));
    sprintf(file, "%s/c.yaml", folder);
    sprintf(token, "%s/token", folder);
    f = fopen(file, "w");
    fputs("listen: 127.0.0.1:1\nadmin: {token_file: token}\n", f);
    fclose(f);
    if (content != NULL) {
        f = fopen(token, "w");
        fputs(content, f);
        fclose(f);
        assert_int_equal(chmod(token, mode), 0);
    } else if (mode != 0) {
        assert_int_equal(mkfifo(token, mode), 0);
    }
    options.file = file;
    c = config_load(&options, out);
    fclose(out);
    unlink(token);
    unlink(file);
    rmdir(folder);
    return c;
}

static void a_token_comes_from_the_first_line_of_its_file(void **state)
{
    static const char *const contents[] = { "0123456789abcdef", "0123456789abcdef\n", "0123456789abcdef\r\nx y\n" };
    char said[512];

    (void)state;
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct config *c = with_token_file(contents[i], 0640, said, sizeof said);

        assert_non_null(c);
        assert_true(span_is(c->admin.token, SPAN("0123456789abcdef")));
        assert_true(span_is(c->admin.site.routes->admin.token, SPAN("0123456789abcdef")));
        config_release(&c);
    }
}

static void a_token_file_that_will_not_do_is_told(void **state)
{
    static const struct {
        const char *content;
        mode_t mode;
        const char *complaint; /* its end */
    } rows[] = {
        { "0123456789abcdef\n", 0604, "/token can be read or written by every user of this machine: chmod o= it\n" },
        { "0123456789abcdef\n", 0602, "/token can be read or written by every user of this machine: chmod o= it\n" },
        { "", 0600, "a token of 0 characters can be guessed: use at least 16\n" },
        { "0123\n456789abcdef", 0600, "a token of 4 characters can be guessed: use at least 16\n" },
        { NULL, 0, "/token: No such file or directory: name a file with the token in its first line\n" },
        { NULL, 0600, "/token is no file: name one with the token in its first line\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[512] = "";

        assert_null(with_token_file(rows[i].content, rows[i].mode, said, sizeof said));
        if (!span_ends(span_of(said), span_of(rows[i].complaint)) || strstr(said, "/c.yaml:2:21: ") == NULL)
            fail_msg("%s", said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_at_its_place),
        cmocka_unit_test(a_broken_file_is_all_that_is_told),
        cmocka_unit_test(a_listener_has_its_names),
        cmocka_unit_test(without_a_file_there_is_a_console),
        cmocka_unit_test(the_site_answers_everything),
        cmocka_unit_test(a_public_url_ends_with_a_slash),
        cmocka_unit_test(a_public_url_has_an_origin),
        cmocka_unit_test(a_list_of_secrets_replaces_the_standard_one),
        cmocka_unit_test(a_token_comes_from_the_first_line_of_its_file),
        cmocka_unit_test(a_token_file_that_will_not_do_is_told),
    };

    return cmocka_run_group_tests_name("config_admin", tests, NULL, NULL);
}
