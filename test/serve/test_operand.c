#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/operand.h"
#include "serve/worker.h"

static const struct worker_shared shared = { .connections_limit = 10000, .per_client_limit = 7 };
static const struct policy policy = {
    .content_limit_bytes = 1048576, .path_limit_bytes = 8192, .query_limit_bytes = 10, .segments_limit = 255
};
static struct worker worker = {
    .shared = &shared,
    .wire_settings = { .head = { .target_bytes = 16384, .field_bytes = 8191, .head_bytes = 32768, .fields = 100 },
                       .head_wait_ms = 10000,
                       .content_wait_ms = 400 },
};

struct row {
    enum reason why;
    const char *given; /* by whoever gave the verdict */
    const char *want;
};

static const struct row rows[] = {
    { R_uri_too_long, "", "8192 bytes" },
    { R_query_too_long, "", "10 bytes" },
    { R_too_many_url_segments, "", "255 segments" },
    { R_content_too_large, "", "1048576 bytes" },
    { R_content_streamed_too_large, "", "1048576 bytes" },
    { R_request_content_timeout, "", "400 ms" },
    { R_too_many_connections_total, "", "10000 connections" },
    { R_connection_limit_per_client, "", "7 connections" },
    { R_exchange_memory_exhausted, "", "65536 bytes" },
    { R_not_found, "", "/a/b" },
    { R_not_found, "/a/b.en", "/a/b.en" },
    { R_route_not_found, "", "/a/b" },
    { R_gone, "", "/a/b" },
    { R_hidden_segment, "", "/a/b" },
    { R_listing_denied, "", "/a/b" },
    { R_delete_on_collection, "", "/a/b" },
    { R_dav_put_on_collection, "", "/a/b" },
    { R_dav_parent_missing, "", "/a/b" },
    { R_conflict_state, "", "/a/b" },
    { R_method_unknown, "", "FROB" },
    { R_method_not_allowed, "", "FROB" },
    { R_site_not_found, "", "h.example" },
    { R_if_match_failed, "", "If-Match" },
    { R_if_none_match_failed, "", "If-None-Match" },
    { R_if_unmodified_since_failed, "", "If-Unmodified-Since" },
    { R_precondition_required, "", "If-Match" },
    { R_expectation_failed, "", "Expect" },
    { R_length_required, "", "Content-Length" },
    { R_content_coding_unknown, "", "Content-Encoding" },
    { R_put_range_unsupported, "", "Content-Range" },
    { R_range_not_satisfiable, "", "Range" },
    { R_not_acceptable, "", "Accept" },
    { R_coding_not_acceptable, "", "Accept-Encoding" },
    { R_uri_too_long, "/configured", "/configured" },
    { R_bad_chunk, "", "" },
};

/* Refused before there was a request. */
static const struct row head_rows[] = {
    { R_uri_too_long, "", "16384 bytes" },
    { R_header_fields_too_large, "", "32768 bytes" },
    { R_too_many_header_fields, "", "100 fields" },
    { R_header_field_too_large, "Cookie", "Cookie: 8191 bytes" },
    { R_header_field_too_large, "", "8191 bytes" },
    { R_request_timeout, "", "10 s" },
    { R_chunked_not_last, "Transfer-Encoding", "Transfer-Encoding" },
};

static void expect_filled(const struct row *r, bool in_head)
{
    struct exchange x = { .worker = &worker, .policy = &policy, .transport = &transport_plain };

    arena_init(&x.arena, NULL, 0, 65536);
    x.req.path = SPAN("/a/b");
    x.req.host.name = SPAN("h.example");
    x.req.head.method_name = SPAN("FROB");
    verdict_about(&x.verdict, r->why, 0, span_of(r->given));
    if (in_head)
        x.head_verdict = x.verdict;
    operand_fill(&x);
    if (!span_is(x.verdict.operand, span_of(r->want)))
        fail_msg("%s: %.*s", reason_info(r->why)->name, (int)x.verdict.operand.n, x.verdict.operand.p);
    arena_reset(&x.arena);
}

static void each_verdict_says_what_it_is_about(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_filled(&rows[i], false);
    for (size_t i = 0; i < sizeof head_rows / sizeof head_rows[0]; i++)
        expect_filled(&head_rows[i], true);
}

static void what_was_wished_for_is_named(void **state)
{
    static const struct {
        enum field_id wishes[2];
        const char *want;
    } cases[] = {
        { { FIELD_ACCEPT }, "Accept" },
        { { FIELD_ACCEPT_LANGUAGE }, "Accept-Language" },
        { { FIELD_ACCEPT, FIELD_ACCEPT_LANGUAGE }, "Accept" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exchange x = { .worker = &worker, .policy = &policy, .transport = &transport_plain };

        for (size_t w = 0; w < 2 && cases[i].wishes[w] != FIELD_OTHER; w++)
            x.req.head.first[cases[i].wishes[w]] = 1;
        x.verdict.why = R_not_acceptable;
        operand_fill(&x);
        assert_true(span_is(x.verdict.operand, span_of(cases[i].want)));
    }
}

static void a_long_name_is_cut_before_its_limit(void **state)
{
    char name[300] = { 0 }, want[300] = { 0 };
    const struct row r = { R_header_field_too_large, name, want };

    (void)state;
    memset(name, 'n', sizeof name - 1);
    memset(want, 'n', 200);
    strcpy(want + 200, ": 8191 bytes");
    expect_filled(&r, true);
}

/* Without memory the verdict stays what it was. */
static void a_full_arena_leaves_the_operand(void **state)
{
    struct exchange x = { .worker = &worker, .policy = &policy, .transport = &transport_plain };

    (void)state;
    arena_init(&x.arena, NULL, 0, 0);
    verdict_about(&x.verdict, R_header_field_too_large, 0, SPAN("Cookie"));
    x.head_verdict = x.verdict;
    operand_fill(&x);
    assert_true(span_is(x.verdict.operand, SPAN("Cookie")));
    assert_true(x.arena.full);
    arena_reset(&x.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verdict_says_what_it_is_about),
        cmocka_unit_test(what_was_wished_for_is_named),
        cmocka_unit_test(a_long_name_is_cut_before_its_limit),
        cmocka_unit_test(a_full_arena_leaves_the_operand),
    };

    return cmocka_run_group_tests_name("operand", tests, NULL, NULL);
}
