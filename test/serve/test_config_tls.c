#include <ftw.h>
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

/* What is in the map begins in line 1, column 7. */
#define TLS(text) "tls: {" text "}\n"

/* What is in the site begins in column 10, what is in the route in column 30. */
#define SITE(text)     "sites: [{" text ", routes: [{path: /, answer: {reason: gone}}]}]\n"
#define ROUTE(text)    "sites: [{routes: [{path: /x, " text "}]}]\n"
#define GONE           "answer: {reason: gone}"

#define NO_TLS(key)    "\"" key "\" says something about TLS, which nothing listens for: add \"tls\"\n"
#define NO_ASKING(key) "\"" key "\" goes only with \"client_certificate\": set that to optional or required\n"
#define NO_RANGE                                                                                                   \
    "not an address or a range of them: write 192.0.2.1, 192.0.2.0/24, 2001:db8::/32, without port and brackets, " \
    "or unix: for every unix socket\n"
#define NO_LINK " is no value of Link: such as </style.css>; rel=preload; as=style\n"

struct mistake {
    const char *option; /* --tls; "": without an address; NULL: not said */
    const char *text, *complaints;
};

static const struct mistake mistakes[] = {
    { NULL, TLS("h2: on") ROUTE(GONE ", tls: any, tls_minimum: 1.3"),
      "c.yaml:2:59: \"tls: any\" lets clients without TLS pass by what is demanded of it: leave it away, or say "
      "refuse, "
      "upgrade or redirect\n" },
    /* listeners */
    { NULL, "tls: on\n", "c.yaml:1:6: \"tls\" takes a map: lines of \"key: value\"\n" },
    { NULL, TLS("lisen: x"),
      "c.yaml:1:7: unknown key \"lisen\": did you mean \"listen\"? allowed here: listen, certificates, minimum, h2, "
      "early_data, plain, ticket_lifetime\n" },
    { NULL, TLS("listen: []"), "c.yaml:1:15: \"listen\" has 0 members: it takes 1 to 64\n" },
    { NULL, TLS("listen: [8443, \"[::1]:443\"]"),
      "c.yaml:1:16: \"8443\": no host: write 127.0.0.1:8080 for this machine alone, 0.0.0.0:8080 for every IPv4 "
      "address, [::]:8080 for every IPv6 address\n" },
    { NULL, TLS("listen: [\"127.0.0.1:1\", \"localhost:1\"]"), "c.yaml:1:31: \"localhost:1\" is here twice\n" },
    { NULL, "listen: 127.0.0.1:1\ntls: {listen: [\"127.0.0.1:2\", \"localhost:1\"]}\n",
      "c.yaml:2:31: tls: 127.0.0.1:1 is in \"listen\" already: TLS needs an address of its own\n" },
    { NULL, "tls:\n  listen: \"127.0.0.1:8080\"\n",
      "c.yaml:2:11: tls: 127.0.0.1:8080 is in \"listen\" already: TLS needs an address of its own\n" },
    { NULL, "listen: 127.0.0.1:8443\ntls: {}\n",
      "c.yaml:2:6: tls: 127.0.0.1:8443 is in \"listen\" already: TLS needs an address of its own\n" },
    { "", "listen: 127.0.0.1:8443\n",
      "verdict: tls: 127.0.0.1:8443 is in \"listen\" already: TLS needs an address of its own\n" },
    { "unix:/a", "listen: unix:/a\ntls: {listen: 127.0.0.1:1}\n",
      "verdict: tls: unix:/a is in \"listen\" already: TLS needs an address of its own\n" },
    { "on", "workers: 1\n", "verdict: tls: \"on\": no port: append one, as in 127.0.0.1:8080\n" },
    { "", "admin: {listen: 127.0.0.1:8443}\n",
      "c.yaml:1:17: admin: 127.0.0.1:8443 is in \"listen\" of \"tls\" already: the console needs an address of its "
      "own\n" },

    /* what they show and speak */
    { NULL, TLS("certificates: []"), "c.yaml:1:21: \"certificates\" has 0 members: it takes 1 to 1000\n" },
    { NULL, TLS("certificates: [{key: a}]"), "c.yaml:1:22: a certificate needs \"certificate\"\n" },
    { NULL, TLS("certificates: [a]"), "c.yaml:1:22: a certificate is a map: lines of \"key: value\"\n" },
    { NULL, TLS("certificates: [{certificate: a, key: [b], ocsp: {}}]"),
      "c.yaml:1:44: \"key\" takes text here, not a list\nc.yaml:1:55: \"ocsp\" takes text here, not a map\n" },
    { NULL, TLS("minimum: 1.1"),
      "c.yaml:1:16: \"1.1\" is nothing that \"minimum\" takes: did you mean \"1.2\"? "
      "allowed: 1.2, 1.3\n" },
    { NULL, TLS("plain: serve"),
      "c.yaml:1:14: \"serve\" is nothing that \"plain\" takes: allowed: refuse, redirect\n" },
    { NULL, TLS("ticket_lifetime: 8d"), "c.yaml:1:24: \"8d\" is too large: \"ticket_lifetime\" takes 0s to 7d\n" },
    { NULL, TLS("early_data: on, ticket_lifetime: 0"),
      "c.yaml:1:19: early data needs a ticket of an earlier session: let \"ticket_lifetime\" be more than 0\n" },
    { NULL, "limits: {h2_window_bytes: 2MiB}\n",
      "c.yaml:1:9: \"h2_window_bytes\" must not be above \"h2_connection_window_bytes\", which is 1MiB\n" },

    /* proxies */
    { NULL, "trusted_proxies: []\n", "c.yaml:1:18: \"trusted_proxies\" has 0 members: it takes 1 to 64\n" },
    { NULL, "trusted_proxies: [10.0.0.0/8, 10.1.2.3/8, proxy.example]\n",
      "c.yaml:1:31: \"10.1.2.3/8\": bits beyond the prefix are set: write 192.0.2.0/24 for all that begin with "
      "192.0.2, 192.0.2.7 for one alone\n"
      "c.yaml:1:43: \"proxy.example\": " NO_RANGE },

    /* sites */
    { NULL, SITE("client_certificate: optional, client_ca: a, client_crl: b"),
      "c.yaml:1:30: " NO_TLS("client_certificate") "c.yaml:1:51: " NO_TLS("client_ca") "c.yaml:1:66: " NO_TLS(
          "client_crl") },
    { NULL, SITE("hsts: 1d"), "c.yaml:1:16: " NO_TLS("hsts") },
    { "", SITE("client_certificate: required"),
      "c.yaml:1:30: \"client_certificate\" needs \"client_ca\": who may sign the certificates\n" },
    { "", SITE("client_certificate: ask, client_ca: a"),
      "c.yaml:1:30: \"ask\" is nothing that \"client_certificate\" takes: allowed: off, optional, required\n" },
    { "", SITE("client_ca: a"), "c.yaml:1:21: " NO_ASKING("client_ca") },
    { "", SITE("client_certificate: off, client_crl: a"), "c.yaml:1:47: " NO_ASKING("client_crl") },
    { "", SITE("hsts: 3651d"), "c.yaml:1:16: \"3651d\" is too large: \"hsts\" takes 0s to 3650d\n" },
    { "", SITE("hsts_subdomains: on"),
      "c.yaml:1:27: \"hsts_subdomains\" goes only with \"hsts\", which this site has not\n" },

    /* routes */
    { NULL, ROUTE(GONE ", tls: refuse"), "c.yaml:1:59: " NO_TLS("tls") },
    { NULL, ROUTE(GONE ", tls: upgrade"), "c.yaml:1:59: " NO_TLS("tls") },
    { NULL, ROUTE(GONE ", tls: redirect, tls_minimum: 1.3"),
      "c.yaml:1:59: " NO_TLS("tls") "c.yaml:1:82: " NO_TLS("tls_minimum") },
    { "", ROUTE(GONE ", tls: on"),
      "c.yaml:1:59: \"on\" is nothing that \"tls\" takes: allowed: any, refuse, upgrade, redirect\n" },
    { "", ROUTE(GONE ", client_subjects: CN=a"),
      "c.yaml:1:71: \"client_subjects\" goes only with \"client_certificate\", which this site has not\n" },
    { "",
      "sites: [{client_certificate: required, client_ca: a, routes: [{path: /, " GONE ", client_subjects: [alice, "
      "=b, CN=c]}]}]\n",
      "c.yaml:1:115: \"alice\" is no subject of a certificate: such as CN=alice,O=Example\n"
      "c.yaml:1:122: \"=b\" is no subject of a certificate: such as CN=alice,O=Example\n" },
    { NULL, ROUTE("files: a, early_hints: [/a, <>, <a, \"<a b>\", \"</a>\"]"),
      "c.yaml:1:54: \"/a\"" NO_LINK "c.yaml:1:58: \"<>\"" NO_LINK "c.yaml:1:62: \"<a\"" NO_LINK
      "c.yaml:1:66: \"<a b>\"" NO_LINK },
    { NULL, ROUTE("files: a, early_hints: \"</a>\\r\\nX: y\""),
      "c.yaml:1:53: \"</a>??X: y\" has a control character, which \"early_hints\" does not take\n" },
    { NULL, ROUTE("files: a, early_hints_h1: on"),
      "c.yaml:1:56: \"early_hints_h1\" goes only with \"early_hints\", which this route has not\n" },
    { NULL, ROUTE(GONE ", early_hints: </a>"),
      "c.yaml:1:67: \"early_hints\" goes only with \"files\", which this route has not\n" },
    { NULL, ROUTE("websocket: chat"), "c.yaml:1:41: \"chat\" is nothing that \"websocket\" takes: allowed: echo\n" },
};

static struct config_options with_option(const char *option)
{
    struct config_options options = given_options();

    options.tls = option != NULL;
    options.tls_listen = option != NULL && *option != '\0' ? option : NULL;
    return options;
}

static void each_mistake_is_told_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct config_options options = with_option(mistakes[i].option);
        struct given g;

        given_read(&g, &options, span_of(mistakes[i].text));
        if (g.config != NULL || strcmp(g.complaints, mistakes[i].complaints) != 0)
            fail_msg("%s\ngave\n%sand not\n%s", mistakes[i].text, g.complaints, mistakes[i].complaints);
    }
}

static const struct config *good(struct given *g, const char *option, const char *text)
{
    struct config_options options = with_option(option);

    given_read(g, &options, span_of(text));
    if (g->config == NULL)
        fail_msg("%s\ngave\n%s", text, g->complaints);
    return g->config;
}

struct place {
    const char *option, *text, *listen; /* listen: with spaces between them */
};

static const struct place places[] = {
    { NULL, "workers: 1\n", "" },
    { "", "workers: 1\n", "127.0.0.1:8443" },
    { "[::1]:1", "workers: 1\n", "[::1]:1" },
    { NULL, TLS(""), "127.0.0.1:8443" },
    { NULL, TLS("listen: [\"localhost:1\", \"unix:/a\"]"), "127.0.0.1:1 unix:/a" },
    { "", TLS("listen: \"localhost:1\""), "127.0.0.1:1" },
    { "127.0.0.1:2", TLS("listen: [\"127.0.0.1:1\", \"127.0.0.1:3\"]"), "127.0.0.1:2" },
    { "127.0.0.1:0", "listen: 127.0.0.1:0\n", "127.0.0.1:0" },
};

static void tls_is_listened_for_where_it_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct given g;
        const struct config_tls *tls = &good(&g, places[i].option, places[i].text)->tls;
        char listen[256] = "";

        for (uint32_t a = 0; a < tls->listen_count; a++)
            sprintf(listen + strlen(listen), "%s%s", a > 0 ? " " : "", tls->listen[a]);
        assert_string_equal(listen, places[i].listen);
        config_release(&g.config);
    }
}

static void without_a_word_all_is_standard(void **state)
{
    struct given g;
    const struct config *c = good(&g, "", SITE("hsts: 0"));
    const struct policy *policy = &c->sites[0].routes[0].policy;

    (void)state;
    assert_int_equal(c->tls.certificate_count, 0);
    assert_int_equal(c->tls.version_min, TRANSPORT_TLS12);
    assert_true(c->tls.h2);
    assert_false(c->tls.early_data || c->tls.plain_redirects || c->h2c);
    assert_int_equal(c->tls.ticket_lifetime_s, 86400);
    assert_null(c->tls.store);
    assert_int_equal(c->trusted_count, 0);
    assert_int_equal(c->sites[0].hsts.n, 0);
    assert_int_equal(c->sites[0].client_auth, CLIENT_AUTH_OFF);
    assert_int_equal(policy->tls_need, TLS_ANY);
    assert_int_equal(policy->tls_version_min, 0);
    assert_int_equal(policy->hint_count + policy->subject_count, 0);
    assert_false(policy->hints_h1 || policy->tunnels);
    assert_int_equal(c->policy.tls_need, TLS_ANY);
    config_release(&g.config);
}

static const char whole[] =
    "listen: 127.0.0.1:80\n"
    "h2c: on\n"
    "trusted_proxies: [10.0.0.0/8, \"::1\", \"unix:\"]\n"
    "tls:\n"
    "  listen: 127.0.0.1:443\n"
    "  certificates: [{certificate: a.pem, key: /b.pem, ocsp: c}, {certificate: d.pem}]\n"
    "  minimum: 1.3\n"
    "  h2: off\n"
    "  early_data: on\n"
    "  plain: redirect\n"
    "  ticket_lifetime: 2h\n"
    "limits: {websocket_message_bytes: 1KiB}\n"
    "sites:\n"
    "- host: a\n"
    "  client_certificate: optional\n"
    "  client_ca: ca\n"
    "  client_crl: /crl\n"
    "  hsts: 365d\n"
    "  hsts_subdomains: on\n"
    "  routes:\n"
    "  - {path: /abc, files: x, tls: redirect, tls_minimum: 1.2, early_hints: [\"</a>; rel=preload\", \"<b>\"],\n"
    "     early_hints_h1: on, client_subjects: [\"CN=a,O=B\", CN=c]}\n"
    "  - {path: /ab, websocket: echo, tls: refuse, tls_minimum: 1.3}\n"
    "  - {path: /a, answer: {reason: gone}, tls: upgrade}\n"
    "- {host: b, client_certificate: required, client_ca: ca, hsts: 5, routes: [{path: /, " GONE "}]}\n";

static void listeners_are_as_the_file_says(void **state)
{
    struct given g;
    const struct config *c = good(&g, NULL, whole);
    const struct tls_files *files = c->tls.certificates;

    (void)state;
    assert_true(c->h2c && c->tls.early_data && c->tls.plain_redirects && !c->tls.h2);
    assert_int_equal(c->trusted_count, 3);
    assert_int_equal(c->trusted[0].bits, 104);
    assert_int_equal(c->trusted[1].bits, 128);
    assert_int_equal(c->trusted[2].bits, 255);
    assert_int_equal(c->tls.version_min, TRANSPORT_TLS13);
    assert_int_equal(c->tls.ticket_lifetime_s, 7200);
    assert_int_equal(c->tls.certificate_count, 2);
    assert_string_equal(files[0].certificate, "a.pem");
    assert_string_equal(files[0].key, "/b.pem");
    assert_string_equal(files[0].ocsp, "c");
    assert_string_equal(files[1].certificate, "d.pem");
    assert_string_equal(files[1].key, "d.pem");
    assert_null(files[1].ocsp);
    config_release(&g.config);
}

static void sites_are_as_the_file_says(void **state)
{
    struct given g;
    const struct site *a = good(&g, NULL, whole)->sites, *b = a + 1;

    (void)state;
    assert_true(span_is(a->hsts, SPAN("max-age=31536000; includeSubDomains")));
    assert_int_equal(a->client_auth, CLIENT_AUTH_OPTIONAL);
    assert_string_equal(a->client_ca, "ca");
    assert_string_equal(a->client_crl, "/crl");
    assert_true(span_is(b->hsts, SPAN("max-age=5")));
    assert_int_equal(b->client_auth, CLIENT_AUTH_REQUIRED);
    assert_null(b->client_crl);
    assert_null(b->clients);
    config_release(&g.config);
}

static void routes_are_as_the_file_says(void **state)
{
    struct given g;
    const struct route *files = good(&g, NULL, whole)->sites[0].routes, *echo = files + 1, *gone = files + 2;

    (void)state;
    assert_int_equal(files->policy.tls_need, TLS_REDIRECT);
    assert_int_equal(files->policy.tls_version_min, TRANSPORT_TLS12);
    assert_int_equal(files->policy.hint_count, 2);
    assert_true(files->policy.hints_h1);
    assert_true(span_is(files->policy.hints[1], SPAN("<b>")));
    assert_int_equal(files->policy.subject_count, 2);
    assert_true(span_is(files->policy.subjects[0], SPAN("CN=a,O=B")));
    assert_false(files->policy.tunnels || files->policy.answers);
    assert_ptr_equal(echo->resource, &websocket_resource);
    assert_int_equal(echo->policy.tls_need, TLS_REFUSE);
    assert_int_equal(echo->policy.tls_version_min, TRANSPORT_TLS13);
    assert_true(echo->policy.tunnels && echo->policy.answers);
    assert_int_equal(echo->policy.methods, BIT(M_GET) | BIT(M_OPTIONS));
    assert_int_equal(echo->websocket.message_bytes, 1024);
    assert_int_equal(gone->policy.tls_need, TLS_UPGRADE);
    assert_int_equal(g.config->sites[1].routes[0].policy.tls_need,
                     TLS_REFUSE); /* who shows nothing is let in nowhere */
    config_release(&g.config);
}

/* A folder for a test, with a configuration in it. */
struct place_on_disk {
    char folder[32], file[64];
};

static void disk_make(struct place_on_disk *p, const char *text)
{
    FILE *f;

    strcpy(p->folder, "/tmp/verdict-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    sprintf(p->file, "%s/c.yaml", p->folder);
    f = fopen(p->file, "w");
    fputs(text, f);
    fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void disk_clear(const struct place_on_disk *p)
{
    assert_int_equal(nftw(p->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Files must be there as directories must; the place of the certificate, or of client_ca, is told. */
static void files_that_are_not_there_are_told(void **state)
{
    char said[4096] = "", want[2][128];
    struct config_options options = given_options();
    FILE *out = fmemopen(said, sizeof said, "w");
    struct place_on_disk p;

    (void)state;
    disk_make(&p, "tls:\n  certificates:\n    - certificate: no.pem\n"
                  "sites:\n- client_certificate: required\n  client_ca: none.pem\n  routes:\n"
                  "  - {path: /, answer: {reason: gone}}\n");
    options.file = p.file;
    assert_null(config_load(&options, out));
    fclose(out);
    sprintf(want[0], "%s:3:7: ", p.file);
    sprintf(want[1], "\n%s:6:14: ", p.file);
    disk_clear(&p);
    if (strncmp(said, want[0], strlen(want[0])) != 0 || strstr(said, want[1]) == NULL ||
        strstr(said, "/no.pem") == NULL || strstr(said, "/none.pem") == NULL)
        fail_msg("%s", said);
}

/* What config_open() says and gives, with these two variables of the environment. */
static int opened(struct config **config, const char *state_home, const char *home, char *said, size_t room)
{
    struct config_options options = { .directory = "/", .log_combined = -1, .dialect = DIALECTS, .tls = true };
    FILE *out = fmemopen(said, room, "w");
    int err;

    said[0] = '\0';
    if (state_home != NULL)
        setenv("XDG_STATE_HOME", state_home, 1);
    else
        unsetenv("XDG_STATE_HOME");
    if (home != NULL)
        setenv("HOME", home, 1);
    else
        unsetenv("HOME");
    *config = config_load(&options, stderr);
    assert_non_null(*config);
    err = config_open(*config, NULL, out);
    fclose(out);
    return err;
}

static void a_certificate_for_development_is_made_once(void **state)
{
    static const char before[] = "verdict: made a certificate for development: ";
    static const char after[] = ": browsers warn about it; name a real one under tls.certificates\n";
    char said[4096], folder[64];
    struct place_on_disk p;
    struct config *c;

    (void)state;
    disk_make(&p, "");
    for (int home = 0; home < 2; home++) {
        sprintf(folder, "%s%s/verdict/", p.folder, home ? "/.local/state" : "");
        assert_int_equal(opened(&c, home ? "relative" : p.folder, home ? p.folder : NULL, said, sizeof said), 0);
        assert_non_null(c->tls.store);
        assert_int_equal(c->tls.certificate_count, 1);
        assert_true(span_starts(span_of(c->tls.certificates[0].certificate), span_of(folder)));
        if (!span_starts(span_of(said), SPAN(before)) || !span_ends(span_of(said), SPAN(after)) ||
            strstr(said, c->tls.certificates[0].certificate) == NULL)
            fail_msg("%s", said);
        config_release(&c);
        assert_int_equal(opened(&c, home ? NULL : p.folder, p.folder, said, sizeof said), 0);
        assert_string_equal(said, "");
        config_release(&c);
    }
    disk_clear(&p);
}

static void without_a_folder_there_is_no_certificate(void **state)
{
    char said[4096];
    struct config *c;

    (void)state;
    assert_int_equal(opened(&c, NULL, NULL, said, sizeof said), -2);
    assert_null(c->tls.store);
    assert_true(c->sites[0].routes[0].file.root_fd >= 0);
    assert_string_equal(said,
                        "verdict: no folder to make a certificate for development in: set XDG_STATE_HOME or HOME, "
                        "or name a certificate under tls.certificates\n");
    config_release(&c);
}

/* This file's own name says where the tree is. */
static char *manual_text(void)
{
    static const char here[] = "test/serve/test_config_tls.c";
    char path[512], *text = calloc(1, 1 << 17);
    FILE *f;

    sprintf(path, "%.*sdocs/configuration.md", (int)(sizeof __FILE__ - sizeof here), __FILE__);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, (1 << 17) - 1, f) > 0);
    fclose(f);
    return text;
}

static void the_examples_of_the_manual_are_good(void **state)
{
    static const char begin[] = "\n```yaml\n", end[] = "\n```\n";
    char *text = manual_text(), *at = text;
    int count = 0;

    (void)state;
    while ((at = strstr(at, begin)) != NULL) {
        char *last = strstr(at + sizeof begin - 1, end);
        struct given g;

        assert_non_null(last);
        last[1] = '\0';
        good(&g, NULL, at + sizeof begin - 1);
        config_release(&g.config);
        at = last + 2;
        count++;
    }
    assert_int_equal(count, 5);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_at_its_place),
        cmocka_unit_test(tls_is_listened_for_where_it_is_said),
        cmocka_unit_test(without_a_word_all_is_standard),
        cmocka_unit_test(listeners_are_as_the_file_says),
        cmocka_unit_test(sites_are_as_the_file_says),
        cmocka_unit_test(routes_are_as_the_file_says),
        cmocka_unit_test(files_that_are_not_there_are_told),
        cmocka_unit_test(a_certificate_for_development_is_made_once),
        cmocka_unit_test(without_a_folder_there_is_no_certificate),
        cmocka_unit_test(the_examples_of_the_manual_are_good),
    };

    return cmocka_run_group_tests_name("config_tls", tests, NULL, NULL);
}
