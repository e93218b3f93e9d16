#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "admin/metrics.h"
#include "kept.h"

static struct kept_server server;
static struct member_page pages[2];

static int setup(void **state)
{
    (void)state;
    kept_begin(&server, 4, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kept_end(&server);
    return 0;
}

/* The caller frees. */
static char *written(bool openmetrics)
{
    const struct api api = { .source = &server.source };
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    metrics_write(out, &api, openmetrics);
    assert_int_equal(fclose(out), 0);
    return text;
}

#define BOUNDS_BELOW                                            \
    "verdict_request_duration_seconds_bucket{le=\"0.001\"} 4\n" \
    "verdict_request_duration_seconds_bucket{le=\"0.002\"} 4\n" \
    "verdict_request_duration_seconds_bucket{le=\"0.005\"} 5\n" \
    "verdict_request_duration_seconds_bucket{le=\"0.01\"} 5\n"  \
    "verdict_request_duration_seconds_bucket{le=\"0.025\"} 5\n" \
    "verdict_request_duration_seconds_bucket{le=\"0.05\"} 5\n"  \
    "verdict_request_duration_seconds_bucket{le=\"0.1\"} 5\n"   \
    "verdict_request_duration_seconds_bucket{le=\"0.25\"} 5\n"  \
    "verdict_request_duration_seconds_bucket{le=\"0.5\"} 5\n"   \
    "verdict_request_duration_seconds_bucket{le=\"1.0\"} 5\n"   \
    "verdict_request_duration_seconds_bucket{le=\"2.5\"} 5\n"   \
    "verdict_request_duration_seconds_bucket{le=\"5.0\"} 6\n"   \
    "verdict_request_duration_seconds_bucket{le=\"10.0\"} 6\n"  \
    "verdict_request_duration_seconds_bucket{le=\"+Inf\"} 7\n"  \
    "verdict_request_duration_seconds_sum 63.504\n"             \
    "verdict_request_duration_seconds_count 7\n"

/* `_total` is where a family's name has it, and `end` what comes last. */
#define WRITTEN(total, end)                                                                                            \
    "# HELP verdict_requests" total " Requests that have ended, by site, reason and status sent.\n"                    \
    "# TYPE verdict_requests" total " counter\n"                                                                       \
    "verdict_requests_total{site=\"\",reason=\"bare-line-feed\",status=\"400\"} 1\n"                                   \
    "verdict_requests_total{site=\"\",reason=\"client-closed-request\",status=\"none\"} 1\n"                           \
    "verdict_requests_total{site=\"example.org\",reason=\"request-ok\",status=\"200\"} 3\n"                            \
    "verdict_requests_total{site=\"example.org\",reason=\"header-fields-too-large\",status=\"431\"} 1\n"               \
    "verdict_requests_total{site=\"example.org\",reason=\"header-fields-too-large\",status=\"400\"} 1\n"               \
    "# HELP verdict_broken" total " Answers that could not be sent to their end, by reason.\n"                         \
    "# TYPE verdict_broken" total " counter\n"                                                                         \
    "# HELP verdict_requests_running Requests that have not ended.\n"                                                  \
    "# TYPE verdict_requests_running gauge\n"                                                                          \
    "verdict_requests_running 2\n"                                                                                     \
    "# HELP verdict_request_duration_seconds From the first byte of a request to the end of its answer.\n"             \
    "# TYPE verdict_request_duration_seconds histogram\n" BOUNDS_BELOW "# HELP verdict_received_bytes" total           \
    " Bytes of requests.\n"                                                                                            \
    "# TYPE verdict_received_bytes" total " counter\n"                                                                 \
    "verdict_received_bytes_total 259\n"                                                                               \
    "# HELP verdict_sent_bytes" total " Bytes of answers.\n"                                                           \
    "# TYPE verdict_sent_bytes" total " counter\n"                                                                     \
    "verdict_sent_bytes_total 2884\n"                                                                                  \
    "# HELP verdict_connections Connections that are open.\n"                                                          \
    "# TYPE verdict_connections gauge\n"                                                                               \
    "verdict_connections 1\n"                                                                                          \
    "# HELP verdict_connections_accepted" total " Connections that were accepted.\n"                                   \
    "# TYPE verdict_connections_accepted" total " counter\n"                                                           \
    "verdict_connections_accepted_total 2\n"                                                                           \
    "# HELP verdict_connections_refused" total " Connections that were closed at once, because there were too many.\n" \
    "# TYPE verdict_connections_refused" total " counter\n"                                                            \
    "verdict_connections_refused_total 0\n"                                                                            \
    "# HELP verdict_log_lines_lost" total " Lines of the access log that could not be written.\n"                      \
    "# TYPE verdict_log_lines_lost" total " counter\n"                                                                 \
    "verdict_log_lines_lost_total 3\n"                                                                                 \
    "# HELP verdict_upstream_tries" total " Tries to have a request answered, by how they failed.\n"                   \
    "# TYPE verdict_upstream_tries" total " counter\n"                                                                 \
    "# HELP verdict_branches" total " Ways that requests took out of the nodes of the decision graph.\n"               \
    "# TYPE verdict_branches" total " counter\n"                                                                       \
    "verdict_branches_total{node=\"receive\",answer=\"next\"} 3\n"                                                     \
    "verdict_branches_total{node=\"receive\",answer=\"stop\"} 3\n"                                                     \
    "verdict_branches_total{node=\"admitted\",answer=\"yes\"} 3\n"                                                     \
    "# HELP verdict_build_info What runs.\n"                                                                           \
    "# TYPE verdict_build_info gauge\n"                                                                                \
    "verdict_build_info{version=\"" VERDICT_VERSION "\"} 1\n"                                                          \
    "# HELP verdict_start_time_seconds When the server started, in Unix time.\n"                                       \
    "# TYPE verdict_start_time_seconds gauge\n"                                                                        \
    "verdict_start_time_seconds 1795242000.000\n"                                                                      \
    "# HELP verdict_workers Threads that serve requests.\n"                                                            \
    "# TYPE verdict_workers gauge\n"                                                                                   \
    "verdict_workers 2\n" end

static void count_some(void)
{
    tally_connections(server.tallies[0], 1);
    tally_connections(server.tallies[1], 1);
    tally_connections(server.tallies[0], -1);
    tally_connections(server.tallies[KEPT_ADMIN], 1);
    tally_running(server.tallies[0], 1);
    tally_running(server.tallies[1], 1);
    tally_running(server.tallies[KEPT_ADMIN], 1);
    for (uint32_t i = 0; i < 3; i++)
        keep(&server, i % 2,
             &(struct kept){ .site = 1, .path = "receive> admitted+", .ended_ms = 9000, .took_ms = i / 2 * 4 });
    keep(&server, 0, &(struct kept){ .why = R_bare_line_feed });
    keep(&server, 1, &(struct kept){ .why = R_client_closed_request, .ended_ms = 9000, .took_ms = 3500 });
    keep(&server, 1, &(struct kept){ .site = 1, .why = R_header_fields_too_large });
    keep(&server, 1,
         &(struct kept){ .site = 1,
                         .why = R_header_fields_too_large,
                         .dialect = DIALECT_NGINX,
                         .ended_ms = 99000,
                         .took_ms = 60000 });
    keep(&server, KEPT_ADMIN, &(struct kept){ .site = 1 });
}

static void both_formats_tell_the_same(void **state)
{
    char *plain, *open;

    (void)state;
    count_some();
    plain = written(false);
    open = written(true);
    assert_string_equal(plain, WRITTEN("_total", ""));
    assert_string_equal(open, WRITTEN("", "# EOF\n"));
    free(plain);
    free(open);
}

static const char *odd_name(void *source, uint16_t site)
{
    static const char *const names[] = { "", "a\"b\\c\nd", "other" };

    (void)source;
    return site == TALLY_SITE_OTHER ? "other" : site < 3 ? names[site] : NULL;
}

/* Names are escaped; and where a site is called as those are that found no place, there is one row for both. */
static void names_of_sites_make_no_bad_rows(void **state)
{
    char *text;

    (void)state;
    server.source.site_name = odd_name;
    for (uint16_t site = 0; site < 3; site++)
        keep(&server, 0, &(struct kept){ .site = site });
    keep(&server, 1, &(struct kept){ .site = 999, .dialect = DIALECT_IIS });
    text = written(false);
    assert_non_null(strstr(text,
                           "{site=\"\",reason=\"request-ok\",status=\"200\"} 1\n"
                           "verdict_requests_total{site=\"a\\\"b\\\\c\\nd\",reason=\"request-ok\",status=\"200\"} 1\n"
                           "verdict_requests_total{site=\"other\",reason=\"request-ok\",status=\"200\"} 2\n#"));
    free(text);
}

static void sites_without_a_place_are_counted_together(void **state)
{
    char *text;

    (void)state;
    keep(&server, 0, &(struct kept){ .site = 200 });
    keep(&server, 1, &(struct kept){ .site = TALLY_SITE_OTHER, .dialect = DIALECT_IIS });
    text = written(false);
    assert_non_null(strstr(text, "\nverdict_requests_total{site=\"other\",reason=\"request-ok\",status=\"200\"} 2\n#"));
    free(text);
}

static void tell(uint32_t worker, const struct member_row *rows, uint32_t count)
{
    memcpy(member_page_begin(&pages[worker], count), rows, count * sizeof *rows);
    member_page_end(&pages[worker], count);
    server.views[worker].members = &pages[worker];
}

static void tell_servers(void)
{
    const struct member_row rows[] = {
        { .upstream = "app",
          .server = "127.0.0.1:3000",
          .live = true,
          .connections = 3,
          .idle = 2,
          .exchanges = 4,
          .waiting = 1,
          .requests = 50,
          .failures = 5 },
        { .upstream = "app", .server = "unix:/run/\"a\"", .resting = true, .failures = 7 },
        { .upstream = "b", .server = "127.0.0.1:3000", .down = true },
    };

    tell(0, rows, 1); /* of a configuration before */
    tell(0, rows, 3);
    tell(1, rows, 3);
    tell(1, rows + 1, 1); /* of one that is there already */
}

/* Of workers together; who was asked is escaped, and two upstreams may share a server. */
static void servers_of_upstreams_have_rows_of_their_own(void **state)
{
    char *text;

    (void)state;
    assert_true(member_page_init(&pages[0]) && member_page_init(&pages[1]));
    tell_servers();
    keep(&server, 0, &(struct kept){ .upstream = "app", .tried = R_upstream_read_timeout });
    keep(&server, 1,
         &(struct kept){ .upstream = "app", .tried = R_upstream_read_timeout, .relayed = true, .status = 200 });
    text = written(true);
    assert_non_null(strstr(text, "# TYPE verdict_upstream_tries counter\n"
                                 "verdict_upstream_tries_total{reason=\"none\"} 1\n"
                                 "verdict_upstream_tries_total{reason=\"upstream-read-timeout\"} 2\n"
                                 "# HELP verdict_upstream_up "));
    assert_non_null(strstr(text, "# TYPE verdict_upstream_up gauge\n"
                                 "verdict_upstream_up{upstream=\"app\",server=\"127.0.0.1:3000\"} 1\n"
                                 "verdict_upstream_up{upstream=\"app\",server=\"unix:/run/\\\"a\\\"\"} 0\n"
                                 "verdict_upstream_up{upstream=\"b\",server=\"127.0.0.1:3000\"} 0\n#"));
    assert_non_null(strstr(text, "verdict_upstream_connections{upstream=\"app\",server=\"127.0.0.1:3000\"} 3\n"));
    assert_non_null(strstr(text, "# TYPE verdict_upstream_requests counter\n"
                                 "verdict_upstream_requests_total{upstream=\"app\",server=\"127.0.0.1:3000\"} 50\n"));
    assert_non_null(
        strstr(text, "verdict_upstream_failures_total{upstream=\"app\",server=\"unix:/run/\\\"a\\\"\"} 14\n"));
    free(text);
    member_page_fini(&pages[0]);
    member_page_fini(&pages[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_formats_tell_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_sites_make_no_bad_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(servers_of_upstreams_have_rows_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(sites_without_a_place_are_counted_together, setup, teardown),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
