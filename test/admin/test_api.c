#include "admin/api.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/find.h"
#include "kept.h"
#include "reason/status.h"

#define NOW_MS  UINT64_C(100000)
#define UNIX_MS UINT64_C(1795242734123)

static struct kept_server server;
static struct history *history;
static struct arena arena;
static struct api api;

static int setup(void **state)
{
    (void)state;
    kept_begin(&server, 512, 64);
    arena_init(&arena, NULL, 0, 1 << 16);
    history = history_new(&server.source, NOW_MS - 60000);
    api = (struct api){ .source = &server.source, .history = history, .now_ms = NOW_MS, .unix_ms = UNIX_MS };
    return history == NULL;
}

static int teardown(void **state)
{
    (void)state;
    history_release(&history);
    arena_reset(&arena);
    kept_end(&server);
    return 0;
}

/* The text of an answer, which is given away; the caller frees. */
static char *text_of(json_t *answer)
{
    char *text;

    assert_non_null(answer);
    text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(3));
    json_decref(answer);
    return text;
}

static void is_text(json_t *answer, const char *want)
{
    char *text = text_of(answer);

    assert_string_equal(text, want);
    free(text);
}

/* The same of one member, which stays where it is. */
static void member_is(const json_t *o, const char *name, const char *want)
{
    json_t *value = json_object_get(o, name);
    char *text;

    if (value == NULL)
        fail_msg("no %s", name);
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s instead of %s", name, text, want);
    free(text);
}

static struct query query_of(const char *text)
{
    struct span bad = { 0 };
    struct query q;

    assert_true(query_parse(&arena, span_of(text), &q, &bad));
    return q;
}

static json_t *exchanges(const char *query)
{
    struct query q = query_of(query);

    api.fault = (struct span){ 0 };
    return api_exchanges(&api, &q);
}

/* The last letter but seven of each id: numbers below 32 differ in it. */
static void ids_are(const char *query, const char *want, int64_t scanned)
{
    json_t *answer = exchanges(query), *row;
    char ids[64] = "";
    size_t i;

    assert_non_null(answer);
    json_array_foreach(json_object_get(answer, "exchanges"), i, row)
    {
        assert_true(i < sizeof ids - 1);
        ids[i] = json_string_value(json_object_get(row, "id"))[0];
    }
    if (strcmp(ids, want) != 0)
        fail_msg("%s: %s instead of %s", query, ids, want);
    assert_int_equal(json_integer_value(json_object_get(answer, "scanned")), scanned);
    assert_int_equal(json_integer_value(json_object_get(answer, "now_ms")), UNIX_MS);
    json_decref(answer);
}

static void keep_nine(void)
{
    for (uint64_t i = 1; i <= 9; i++)
        keep(&server, i % 2 == 0,
             &(struct kept){ .number = i, .ended_ms = 1000 + i / 2, .why = i % 3 == 0 ? R_not_found : R_request_ok });
    keep(&server, KEPT_ADMIN, &(struct kept){ .number = 10, .ended_ms = 5000 });
}

static void exchanges_are_filtered(void **state)
{
    (void)state;
    ids_are("", "", 0);
    keep_nine();
    ids_are("", "987654321", 9);
    ids_are("lang=en", "987654321", 9);
    ids_are("reason=not-found", "963", 9);
    ids_are("reason=not-found&limit=2", "96", 4);
    ids_are("text=not-f&class=4&status=404", "963", 9);
    ids_are("site=admin", "a", 1);
    ids_are("since=0s", "987654321", 9);
    ids_are("client=10.0.0.1", "", 9);
}

static void pages_follow_one_another(void **state)
{
    char query[96] = "limit=4", seen[16] = "";
    unsigned pages = 0;

    (void)state;
    keep_nine();
    while (query[0] != '\0') {
        json_t *answer = exchanges(query), *row;
        const char *next;
        size_t i;

        assert_true(answer != NULL && pages++ < 5);
        json_array_foreach(json_object_get(answer, "exchanges"), i, row)
            strncat(seen, json_string_value(json_object_get(row, "id")), 1);
        next = json_string_value(json_object_get(answer, "next"));
        assert_true(next != NULL || json_is_null(json_object_get(answer, "next")));
        query[0] = '\0';
        if (next != NULL)
            snprintf(query, sizeof query, "limit=4&before=%s", next);
        json_decref(answer);
        keep(&server, 0, &(struct kept){ .number = 31, .ended_ms = 2000 + pages });
    }
    assert_int_equal(pages, 3);
    assert_string_equal(seen, "987654321");
}

static const struct {
    const char *query, *fault;
} wrong[] = {
    { "limit=0", "limit" },       { "limit=501", "limit" },
    { "limit=", "limit" },        { "limit=-1", "limit" },
    { "before=", "before" },      { "before=1", "before" },
    { "before=1-", "before" },    { "before=-1", "before" },
    { "before=1-2-3", "before" }, { "before=18446744073709551616-1", "before" },
    { "status=abc", "status" },   { "minutes=1", "minutes" },
};

static void wrong_queries_name_their_parameter(void **state)
{
    (void)state;
    keep_nine();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_null(exchanges(wrong[i].query));
        assert_true(span_is(api.fault, span_of(wrong[i].fault)));
    }
    ids_are("limit=500", "987654321", 9);
    ids_are("limit=1", "9", 1);
    ids_are("before=18446744073709551615-0", "987654321", 9);
    assert_int_equal(api.fault.n, 0);
}

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static const struct kept whole = {
    .number = 33,
    .ended_ms = 5012,
    .took_ms = 12,
    .request = "GET /a HTTP/1.1\r\nHost: example.org\r\nX-Odd:  \xff \r\ntraceparent: " TRACEPARENT "\r\n\r\n",
    .reply = "HTTP/1.1 404 Not Found\r\nDate: now\r\n\r\n",
    .operand = "/a",
    .route = "/",
    .why = R_not_found,
    .broken = R_client_closed_during_response,
    .path = "receive> admitted+ port_fits+ version_supported-",
    .site = 1,
};

static json_t *one_exchange(const struct kept *k)
{
    uint32_t worker;
    struct record *r;
    json_t *answer;

    keep(&server, 1, k);
    r = find_id(&server.source, SPAN("last"), &worker);
    assert_non_null(r);
    answer = api_exchange(&api, r, worker);
    free(r);
    assert_non_null(answer);
    return answer;
}

static void one_exchange_is_told_whole(void **state)
{
    json_t *answer = one_exchange(&whole), *explanation = json_object_get(answer, "explanation");

    (void)state;
    member_is(answer, "id", "\"11000000\"");
    member_is(answer, "resource", "\"\"");
    member_is(answer, "route", "\"/\"");
    member_is(answer, "traceparent", "\"" TRACEPARENT "\"");
    member_is(answer, "started", "\"2026-11-21T06:32:14.111Z\"");
    member_is(answer, "phases", "{\"queue\":0,\"head\":0,\"content\":0,\"first_byte\":0,\"total\":12}");
    member_is(answer, "waits", "[]");
    member_is(answer, "request",
              "{\"line\":\"GET /a HTTP/1.1\",\"fields\":[[\"Host\",\"example.org\"],[\"X-Odd\",\"\xEF\xBF\xBD\"],"
              "[\"traceparent\",\"" TRACEPARENT "\"]],\"cut\":false}");
    member_is(answer, "reply", "{\"line\":\"HTTP/1.1 404 Not Found\",\"fields\":[[\"Date\",\"now\"]],\"cut\":false}");
    member_is(answer, "at", "7");
    member_is(answer, "at_kind", "\"byte\"");
    member_is(answer, "source", "\"src/graph/run.c:43\"");
    assert_int_equal(json_array_size(json_object_get(answer, "path")), 4);
    member_is(answer, "end", "{\"box\":\"r-version_supported-no\",\"edge\":\"e-version_supported-no\"}");
    member_is(explanation, "reason", "\"not-found\"");
    member_is(explanation, "lasts", "\"unknown\"");
    member_is(explanation, "spec", "\"RFC9110:15.5.5\"");
    member_is(explanation, "codes", "{\"rfc\":\"404\",\"nginx\":\"404\",\"iis\":\"404.0\",\"cloudflare\":\"404\"}");
    assert_string_equal(json_string_value(json_object_get(explanation, "title")), reason_info(R_not_found)->text);
    assert_string_equal(json_string_value(json_object_get(explanation, "what")),
                        explain_what(R_not_found, LANGUAGE_EN));
    assert_string_equal(json_string_value(json_object_get(explanation, "todo")),
                        explain_todo(R_not_found, LANGUAGE_EN));
    assert_true(json_is_string(json_object_get(explanation, "others")));
    member_is(json_object_get(answer, "broken_explanation"), "reason", "\"client-closed-during-response\"");
    json_decref(answer);
}

#define CONFIGURED                                                                                              \
    "receive> admitted+ port_fits+ version_supported+ method_known+ understand> expectation_met+ server_wide- " \
    "route> secured- port_moves- https_meant- tls_wanted- site_known+ site_running+ route_found+ "              \
    "replay_possible- path_fits+ query_fits+ segments_fit+ answer_configured+ tunnels- give_answer"

static void what_the_configuration_says_is_told_by_route(void **state)
{
    static const struct {
        const char *path;
        enum method method;
        enum reason why;
        const char *configured;
    } rows[] = {
        { CONFIGURED "?", M_GET, R_gone, "\"/err\"" },
        { CONFIGURED "?", M_GET, R_request_policy_denied, "\"/err\"" },
        { CONFIGURED ">", M_GET, R_request_ok, "\"/err\"" },
        { CONFIGURED "?", M_GET, R_exchange_memory_exhausted, "null" },
        { CONFIGURED "?", M_CONNECT, R_request_policy_denied, "null" },
        { CONFIGURED "?", M_CONNECT, R_gone, "\"/err\"" },
        { "receive> admitted+ port_fits+ version_supported-", M_GET, R_version_not_supported, "null" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *answer = one_exchange(
            &(struct kept){ .path = rows[i].path, .method = rows[i].method, .why = rows[i].why, .route = "/err" });

        member_is(json_object_get(answer, "explanation"), "configured", rows[i].configured);
        json_decref(answer);
    }
}

static void a_place_is_a_byte_or_an_errno_or_none(void **state)
{
    static const struct {
        enum reason why;
        uint32_t at;
        const char *kind;
    } rows[] = {
        { R_bare_carriage_return, 5, "\"byte\"" },
        { R_bare_carriage_return, 0, "null" },
        { R_request_content_cut_short, 9, "\"byte\"" },
        { R_insufficient_storage, ENOSPC, "\"errno\"" },
        { R_acl_denied, EACCES, "\"errno\"" },
        { R_acl_denied, 0, "null" },
        { R_content_streamed_too_large, 1000, "null" },
        { R_exchange_memory_exhausted, 65536, "null" },
        { R_request_cancelled, 8, "null" },
        { R_request_ok, 0, "null" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record r = { .why = rows[i].why, .at = rows[i].at };
        json_t *answer = api_exchange(&api, &r, 0);

        assert_int_equal(json_integer_value(json_object_get(answer, "at")), rows[i].at);
        member_is(answer, "at_kind", rows[i].kind);
        json_decref(answer);
    }
}

static void explanations_are_in_the_language_asked_for(void **state)
{
    json_t *answer;

    (void)state;
    api.language = LANGUAGE_ZH_TW;
    answer = one_exchange(&(struct kept){ .why = R_not_found, .request = "\r\n\r\n", .unreadable = true });
    assert_string_equal(json_string_value(json_object_get(json_object_get(answer, "explanation"), "what")),
                        explain_what(R_not_found, LANGUAGE_ZH_TW));
    member_is(answer, "broken_explanation", "null");
    member_is(answer, "traceparent", "null");
    json_decref(answer);
}

static void waits_are_listed_by_name(void **state)
{
    struct record r = { .why = R_request_ok, .waits = { { "open", 3 }, { "content", 0 } } };
    json_t *answer = api_exchange(&api, &r, 0);

    (void)state;
    assert_non_null(answer);
    member_is(answer, "waits", "[{\"what\":\"open\",\"ms\":3},{\"what\":\"content\",\"ms\":0}]");
    member_is(answer, "request", "{\"line\":\"\",\"fields\":[],\"cut\":false}");
    member_is(answer, "source", "\"\"");
    json_decref(answer);
}

static void put_peer(struct running *r)
{
    struct sockaddr_storage peer;

    r->peer_bytes = (uint8_t)kept_peer("192.0.2.9", &peer);
    memcpy(r->peer, &peer, r->peer_bytes);
}

static void what_runs_comes_longest_first(void **state)
{
    static struct running_request answers[2];
    const struct running_request *const both[] = { &answers[0], &answers[1] };
    struct running *head = &answers[0].list.all[0], *waits = &answers[1].list.all[0], *sends = &answers[1].list.all[1];

    (void)state;
    answers[0] = (struct running_request){ .worker = 0, .list = { .count = 1, .total = 3 } };
    answers[1] = (struct running_request){ .worker = 1, .list = { .count = 2, .total = 2 } };
    *head = (struct running){ .begun_ms = NOW_MS - 5, .bytes_in = 3 };
    *waits = (struct running){ .number = 33,
                               .begun_ms = NOW_MS - 12,
                               .wait_ms = NOW_MS - 3,
                               .wait = "open",
                               .state = RUNNING_GRAPH,
                               .node = N_open,
                               .method = "GET",
                               .method_bytes = 3,
                               .target = "/a",
                               .target_bytes = 2,
                               .bytes_in = 78 };
    *sends = (struct running){ .number = 1,
                               .begun_ms = NOW_MS - 4,
                               .state = RUNNING_SENDS,
                               .why = R_request_ok,
                               .method = "GET",
                               .method_bytes = 3,
                               .target = "/\xff",
                               .target_bytes = 2,
                               .bytes_out = 9 };
    put_peer(head);
    put_peer(waits);
    is_text(api_running(&api, both, 2, 1),
            "{\"exchanges\":["
            "{\"id\":\"11000000\",\"worker\":1,\"client\":\"192.0.2.9\",\"method\":\"GET\",\"target\":\"/a\","
            "\"state\":\"graph\",\"node\":\"open\",\"wait\":\"open\",\"wait_ms\":3,\"ms\":12,\"reason\":null,"
            "\"bytes_in\":78,\"bytes_out\":0},"
            "{\"id\":null,\"worker\":0,\"client\":\"192.0.2.9\",\"method\":\"\",\"target\":\"\","
            "\"state\":\"reads-head\",\"node\":null,\"wait\":null,\"wait_ms\":0,\"ms\":5,\"reason\":null,"
            "\"bytes_in\":3,\"bytes_out\":0},"
            "{\"id\":\"10000000\",\"worker\":1,\"client\":\"\",\"method\":\"GET\",\"target\":\"/\xEF\xBF\xBD\","
            "\"state\":\"sends\",\"node\":null,\"wait\":null,\"wait_ms\":0,\"ms\":4,\"reason\":\"request-ok\","
            "\"bytes_in\":0,\"bytes_out\":9}],\"more\":2,\"silent\":1}");
    is_text(api_running(&api, both, 0, 2), "{\"exchanges\":[],\"more\":0,\"silent\":2}");
}

static json_t *heat(const char *query)
{
    struct query q = query_of(query);

    api.fault = (struct span){ 0 };
    return api_heat(&api, &q);
}

static void heat_is_by_the_ids_of_the_picture(void **state)
{
    (void)state;
    is_text(heat(""), "{\"minutes\":0,\"covers_ms\":60000,\"failed\":false,\"exchanges\":0,\"edges\":{}}");
    for (unsigned i = 0; i < 3; i++)
        keep(&server, i % 2,
             &(struct kept){ .path = i > 0 ? "receive> admitted+" : "receive> admitted-",
                             .why = i > 0 ? R_request_ok : R_not_found });
    keep(&server, 0, &(struct kept){ .path = "receive>", .why = R_bare_line_feed });
    keep(&server, KEPT_ADMIN, &(struct kept){ .path = "receive>", .why = R_bare_line_feed });
    is_text(heat("minutes=5"), "{\"minutes\":5,\"covers_ms\":60000,\"failed\":false,\"exchanges\":4,\"edges\":{"
                               "\"e-receive-next\":3,\"e-admitted-no\":1,\"e-admitted-yes\":2,"
                               "\"e-receive-stop-bare-line-feed\":1}}");
    is_text(heat("failed=1&lang=en"), "{\"minutes\":0,\"covers_ms\":60000,\"failed\":true,\"exchanges\":2,\"edges\":{"
                                      "\"e-receive-next\":1,\"e-admitted-no\":1,\"e-receive-stop-bare-line-feed\":1}}");
    for (const char *const *bad =
             (const char *const[]){ "minutes=2", "minutes=16", "minutes=", "failed=2", "hours=1", NULL };
         *bad != NULL; bad++) {
        assert_null(heat(*bad));
        assert_true(span_starts(span_of(*bad), api.fault) && api.fault.n >= 5);
    }
}

static void workers_and_their_sum_are_counted(void **state)
{
    (void)state;
    tally_connections(server.tallies[1], 1);
    tally_running(server.tallies[1], 1);
    tally_connections(server.tallies[KEPT_ADMIN], 1);
    for (unsigned i = 0; i < 3; i++)
        keep(&server, i % 2, &(struct kept){ .site = 1 });
    keep(&server, 1, &(struct kept){ .site = 2, .why = R_uri_too_long, .dialect = DIALECT_IIS });
    keep(&server, 1, &(struct kept){ .site = 500, .why = R_client_closed_request });
    keep(&server, KEPT_ADMIN, &(struct kept){ .site = 1 });
    is_text(api_workers(&api),
            "{\"version\":\"" VERDICT_VERSION "\",\"started\":\"2026-11-21T06:20:00.000Z\",\"now_ms\":1795242734123,"
            "\"uptime_ms\":734123,\"sites\":[\"\",\"example.org\",\"other.example\"],\"workers\":["
            "{\"index\":0,\"connections\":0,\"running\":0,\"exchanges\":2,\"bytes_in\":74,\"bytes_out\":824,"
            "\"log_lines_lost\":1,\"recorded\":2},"
            "{\"index\":1,\"connections\":1,\"running\":1,\"exchanges\":3,\"bytes_in\":111,\"bytes_out\":1236,"
            "\"log_lines_lost\":2,\"recorded\":3}],"
            "\"total\":{\"connections\":1,\"running\":1,\"exchanges\":5,\"bytes_in\":185,\"bytes_out\":2060,"
            "\"log_lines_lost\":3,\"rate\":0.0833,"
            "\"classes\":{\"0\":1,\"1\":0,\"2\":3,\"3\":0,\"4\":1,\"5\":0},"
            "\"reasons\":{\"request-ok\":3,\"uri-too-long\":1,\"client-closed-request\":1}}}");
}

static void the_graph_has_words_for_each_node(void **state)
{
    size_t bytes, i;
    char *text = api_graph(&api, &bytes);
    json_t *graph = json_loadb(text, bytes, 0, NULL), *node;

    (void)state;
    free(text);
    assert_non_null(graph);
    member_is(graph, "graph", "\"server\"");
    assert_int_equal(json_array_size(json_object_get(graph, "nodes")), GRAPH_NODES);
    json_array_foreach(json_object_get(graph, "nodes"), i, node)
    {
        assert_string_equal(json_string_value(json_object_get(node, "name")), graph_nodes[i].name);
        assert_true(json_string_length(json_object_get(node, "text")) > 3);
    }
    assert_true(json_array_size(json_object_get(graph, "edges")) > GRAPH_NODES);
    json_decref(graph);
}

static void each_reason_is_told_with_its_meaning(void **state)
{
    json_t *list = api_reasons(&api), *o;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(list), R_COUNT - R_MORE - 1);
    json_array_foreach(list, i, o)
    {
        enum reason why = (enum reason)i + R_MORE + 1;

        assert_string_equal(json_string_value(json_object_get(o, "name")), reason_info(why)->name);
        assert_string_equal(json_string_value(json_object_get(o, "what")), explain_what(why, LANGUAGE_EN));
        assert_true(json_is_string(json_object_get(o, "others")) && json_is_string(json_object_get(o, "todo")));
    }
    o = json_array_get(list, R_header_fields_too_large - R_MORE - 1);
    member_is(o, "shown", "{\"rfc\":\"431\",\"nginx\":\"400 (494)\",\"iis\":\"404.10\",\"cloudflare\":\"431\"}");
    assert_int_equal(json_integer_value(json_object_get(o, "id")), 2180);
    json_decref(list);
}

static void each_status_is_told_with_its_meaning(void **state)
{
    json_t *answer = api_statuses(&api), *list = json_object_get(answer, "statuses"), *o;
    size_t count, i;

    (void)state;
    status_rows(&count);
    assert_int_equal(json_array_size(list), count);
    json_array_foreach(list, i, o)
    {
        assert_true(json_string_length(json_object_get(o, "what")) > 0);
        if (json_integer_value(json_object_get(o, "code")) == 404) {
            member_is(o, "vendor", "\"ietf\"");
            member_is(o, "standing", "\"current\"");
            member_is(o, "phrase", "\"Not Found\"");
        }
    }
    list = json_object_get(answer, "substatuses");
    substatus_rows(&count);
    assert_int_equal(json_array_size(list), count);
    o = json_array_get(list, 0);
    for (const char *const *name = (const char *const[]){ "vendor", "meaning", "what", "todo", NULL }; *name != NULL;
         name++)
        assert_true(json_is_string(json_object_get(o, *name)));
    assert_true(json_is_integer(json_object_get(o, "status")) && json_is_integer(json_object_get(o, "sub")));
    json_decref(answer);
}

static size_t allocations_left;

static void *allocate(size_t bytes)
{
    return allocations_left > 0 && allocations_left-- > 0 ? malloc(bytes) : NULL;
}

/* Whichever allocation fails: no answer, no fault, and nothing is leaked. */
static void without_memory_there_is_no_answer(void **state)
{
    json_t *answer = NULL;

    (void)state;
    keep_nine();
    json_set_alloc_funcs(allocate, free);
    for (size_t most = 0; answer == NULL; most += 1 + most / 50) {
        allocations_left = most;
        answer = exchanges("limit=3");
        assert_int_equal(api.fault.n, 0);
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(json_object_size(answer), 4);
    json_decref(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exchanges_are_filtered, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_follow_one_another, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_queries_name_their_parameter, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_configuration_says_is_told_by_route, setup, teardown),
        cmocka_unit_test_setup_teardown(a_place_is_a_byte_or_an_errno_or_none, setup, teardown),
        cmocka_unit_test_setup_teardown(one_exchange_is_told_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(explanations_are_in_the_language_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_are_listed_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(what_runs_comes_longest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(heat_is_by_the_ids_of_the_picture, setup, teardown),
        cmocka_unit_test_setup_teardown(workers_and_their_sum_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(the_graph_has_words_for_each_node, setup, teardown),
        cmocka_unit_test_setup_teardown(each_reason_is_told_with_its_meaning, setup, teardown),
        cmocka_unit_test_setup_teardown(each_status_is_told_with_its_meaning, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_there_is_no_answer, setup, teardown),
    };

    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
