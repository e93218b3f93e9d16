#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/filter.h"
#include "kept.h"

#define NOW_MS UINT64_C(1795242734123)

static struct kept_server server;
static struct arena arena;

static int setup(void **state)
{
    (void)state;
    kept_begin(&server, 16, 4);
    arena_init(&arena, NULL, 0, 1 << 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_reset(&arena);
    kept_end(&server);
    return 0;
}

static struct filter filter_of(const char *text)
{
    struct span bad = { 0 };
    struct filter f;
    struct query q;

    assert_true(query_parse(&arena, span_of(text), &q, &bad));
    if (!filter_read(&f, &q, NOW_MS, &bad))
        fail_msg("%s: %.*s", text, (int)bad.n, bad.p);
    return f;
}

static const struct {
    const char *query, *bad;
} wrong[] = {
    { "reason=nothing-like-it", "reason" },
    { "reason=", "reason" },
    { "reason=not_found", "reason" },
    { "status=x", "status" },
    { "status=", "status" },
    { "status=10000", "status" },
    { "status=404.", "status" },
    { "status=.13", "status" },
    { "status=404.x", "status" },
    { "status=404.13.1", "status" },
    { "class=6", "class" },
    { "class=4xx", "class" },
    { "failed=2", "failed" },
    { "failed=yes", "failed" },
    { "since=", "since" },
    { "since=s", "since" },
    { "since=5d", "since" },
    { "since=-5m", "since" },
    { "since=9999999999999999999h", "since" },
    { "status=404&clas=4", "clas" },
    { "reason=not-found&Reason=not-found", "Reason" },
};

static void what_cannot_be_understood_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct span bad = { 0 };
        struct filter f;
        struct query q;

        assert_true(query_parse(&arena, span_of(wrong[i].query), &q, &bad));
        assert_false(filter_read(&f, &q, NOW_MS, &bad));
        if (!span_is(bad, span_of(wrong[i].bad)))
            fail_msg("%s: %.*s", wrong[i].query, (int)bad.n, bad.p);
    }
}

static const struct {
    const char *query;
    uint64_t since_unix_ms;
} times[] = {
    { "since=0", 0 },
    { "since=1795242734000", 1795242734000 },
    { "since=30s", NOW_MS - 30000 },
    { "since=5m", NOW_MS - 300000 },
    { "since=2h", NOW_MS - 7200000 },
    { "since=0s", NOW_MS },
    { "since=2000000000h", 0 },
    { "", 0 },
};

static void times_are_dates_or_ages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        assert_int_equal(filter_of(times[i].query).since_unix_ms, times[i].since_unix_ms);
}

static void only_what_asks_for_nothing_is_open(void **state)
{
    static const char *const closed[] = { "reason=not-found", "status=0",      "class=0",     "site=",
                                          "site=admin",       "client=",       "text=x",      "failed=1",
                                          "since=1",          "status=404.13", "upstream=app" };

    (void)state;
    assert_true(filter_is_open(&(struct filter){ .status = -1, .class = -1, .sub = -1 }));
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        struct filter f = filter_of(closed[i]);

        assert_false(filter_is_open(&f));
    }
    for (const char *const *open = (const char *const[]){ "", "text=", "failed=0", "since=0", "lang=en&limit=5", NULL };
         *open != NULL; open++) {
        struct filter f = filter_of(*open);

        assert_true(filter_is_open(&f));
    }
    assert_true(filter_of("site=admin").of_admin);
    assert_false(filter_of("site=Admin").of_admin);
}

#define REQUEST                                                                                  \
    "GET /Some/path?a=b HTTP/1.1\r\nHost: Example.ORG:8080\r\nUser-Agent: curl/8.5\r\nReferer: " \
    "http://from.example/\r\n"                                                                   \
    "X-Other: hidden\r\n\r\n"

static const struct kept plain = { .request = REQUEST, .operand = "/Some/path", .why = R_not_found, .site = 1 };

static const struct {
    struct kept kept;
    const char *query;
    bool passes;
} cases[] = {
    { { 0 }, "", true },
    { { .why = R_not_found }, "reason=not-found", true },
    { { .why = R_not_found }, "reason=gone", false },
    /* numbers */
    { { .why = R_not_found }, "status=404", true },
    { { .why = R_not_found }, "status=40", false },
    { { .why = R_not_found }, "status=404.0", false },
    { { .why = R_not_found }, "status=0", false },
    { { .why = R_not_found, .unsent = true }, "status=0", true },
    { { .why = R_not_found, .unsent = true }, "status=404", false },
    { { .why = R_content_too_large }, "status=413", true },
    { { .why = R_content_too_large, .dialect = DIALECT_IIS }, "status=413", false },
    { { .why = R_uri_too_long, .dialect = DIALECT_IIS }, "status=404.14", true },
    { { .why = R_uri_too_long, .dialect = DIALECT_IIS }, "status=404", true },
    { { .why = R_uri_too_long, .dialect = DIALECT_IIS }, "status=404.15", false },
    { { .why = R_uri_too_long, .dialect = DIALECT_IIS }, "status=14", false },
    { { .why = R_uri_too_long, .dialect = DIALECT_IIS }, "status=15", false },
    { { .why = R_uri_too_long }, "status=404.14", false },
    { { .why = R_header_fields_too_large, .dialect = DIALECT_NGINX }, "status=494", true },
    { { .why = R_header_fields_too_large, .dialect = DIALECT_NGINX }, "status=400", true },
    { { .why = R_header_fields_too_large, .dialect = DIALECT_NGINX }, "status=431", false },
    { { .why = R_client_closed_request, .dialect = DIALECT_NGINX, .unsent = true }, "status=499", true },
    { { .why = R_not_found }, "class=4", true },
    { { .why = R_not_found }, "class=2", false },
    { { .why = R_not_found, .unsent = true }, "class=0", true },
    { { .why = R_not_found, .unsent = true }, "class=4", false },
    /* failures and slow ones */
    { { .why = R_request_ok }, "failed=1", false },
    { { .why = R_request_ok, .took_ms = 2000, .ended_ms = 5000 }, "failed=1", true },
    { { .why = R_not_found }, "failed=1", true },
    { { .why = R_request_ok }, "failed=0", true },
    /* sites and clients */
    { { .site = 1 }, "site=example.org", true },
    { { .site = 1 }, "site=example", false },
    { { .site = 1 }, "site=", false },
    { { .site = 0 }, "site=", true },
    { { .site = 999 }, "site=", false },
    { { .site = 1 }, "site=admin", true }, /* whose view it is decides alone */
    { { 0 }, "client=127.0.0.1", true },
    { { 0 }, "client=127.0.0.2", false },
    { { .client = "2001:db8::a" }, "client=2001:DB8::A", true },
    { { .client = "::ffff:192.0.2.1" }, "client=192.0.2.1", true },
    { { .client = "unix:" }, "client=unix:", true },
    { { .client = "unix:" }, "client=", false },
    /* upstreams */
    { { .upstream = "app", .relayed = true, .status = 200 }, "upstream=app", true },
    { { .upstream = "app", .tried = R_upstream_connection_refused }, "upstream=app", true },
    { { .upstream = "app", .relayed = true, .status = 200 }, "upstream=App", false },
    { { .upstream = "app", .relayed = true, .status = 200 }, "upstream=", false },
    { { 0 }, "upstream=app", false },
    { { 0 }, "upstream=", false },
    /* when */
    { { .unix_ms = NOW_MS - 5000 }, "since=5s", true },
    { { .unix_ms = NOW_MS - 5001 }, "since=5s", false },
    /* both */
    { { .why = R_not_found, .site = 1 }, "reason=not-found&site=example.org&class=4", true },
    { { .why = R_not_found, .site = 1 }, "reason=not-found&site=example.org&class=5", false },
};

static void records_pass_that_were_asked_for(void **state)
{
    alignas(16) char room[16384];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct filter f = filter_of(cases[i].query);
        const struct record *r;

        keep(&server, 0, &cases[i].kept);
        r = record_read(&server.recorders[0].all, ring_next(&server.recorders[0].all) - 1, room, sizeof room);
        assert_non_null(r);
        if (filter_passes(&f, &server.source, r) != cases[i].passes)
            fail_msg("case %zu: %s", i, cases[i].query);
    }
}

static const struct {
    const char *text;
    bool passes;
} words[] = {
    { "00000000", true },    { "get", true },
    { "some/PATH?A", true }, { "example.org:80", true },
    { "NOT-FOUND", true },   { "/some/path", true },
    { "CURL", true },        { "from.example", true },
    { "b", true },           { "HTTP/1.1", false },
    { "hidden", false },     { "X-Other", false },
    { "user-agent", false }, { "some/path?a=bc", false },
    { "nowhere", false },
};

static void words_are_looked_for_where_they_count(void **state)
{
    alignas(16) char room[16384];
    const struct record *r;

    (void)state;
    keep(&server, 0, &plain);
    r = record_read(&server.recorders[0].all, 0, room, sizeof room);
    assert_non_null(r);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct filter f = filter_of("");

        f.text = span_of(words[i].text);
        if (filter_passes(&f, &server.source, r) != words[i].passes)
            fail_msg("%s", words[i].text);
    }
}

/* Every part of a text, in the other case; and none that is wrong in one letter. */
static void texts_are_found_wherever_they_lie(void **state)
{
    static const char target[] = "/aaaaaaaaaaaaaaaaaaaaaaaaAAAAAAAAAAAAAAAAAAAAAAAAB[]^_`{|}~aAbBcCdDeEfFgGhHiIjJ";
    struct kept kept = { .request =
                             "GET /aaaaaaaaaaaaaaaaaaaaaaaaAAAAAAAAAAAAAAAAAAAAAAAAB[]^_`{|}~aAbBcCdDeEfFgGhHiIjJ "
                             "HTTP/1.1\r\n\r\n" };
    const size_t n = sizeof target - 1;
    alignas(16) char room[16384];
    const struct record *r;

    (void)state;
    keep(&server, 0, &kept);
    r = record_read(&server.recorders[0].all, 0, room, sizeof room);
    assert_non_null(r);
    for (size_t at = 0; at < n; at++)
        for (size_t bytes = 6; bytes <= n - at; bytes++) {
            struct filter f = filter_of("");
            char text[sizeof target];

            for (size_t i = 0; i < bytes; i++)
                text[i] = (char)(isalpha((unsigned char)target[at + i]) ? target[at + i] ^ 0x20 : target[at + i]);
            f.text = (struct span){ text, bytes };
            if (!filter_passes(&f, &server.source, r))
                fail_msg("%.*s", (int)bytes, text);
            text[bytes / 2] ^= 0x40; /* no letter's other case */
            if (filter_passes(&f, &server.source, r))
                fail_msg("%.*s", (int)bytes, text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cannot_be_understood_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(times_are_dates_or_ages, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_asks_for_nothing_is_open, setup, teardown),
        cmocka_unit_test_setup_teardown(records_pass_that_were_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(words_are_looked_for_where_they_count, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_found_wherever_they_lie, setup, teardown),
    };

    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
