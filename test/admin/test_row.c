#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/row.h"
#include "kept.h"

#define FFFD "\xEF\xBF\xBD"

static struct kept_server server;

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
static char *row_of(const struct kept *k)
{
    alignas(16) char room[16384];
    const struct record *r;
    json_t *row;
    char *text;

    keep(&server, 1, k);
    r = record_read(&server.recorders[1].all, ring_next(&server.recorders[1].all) - 1, room, sizeof room);
    assert_non_null(r);
    row = row_json(&server.source, r, 1);
    assert_non_null(row);
    text = json_dumps(row, JSON_COMPACT);
    json_decref(row);
    return text;
}

static const struct {
    struct kept kept;
    const char *row;
} cases[] = {
    { { .number = 33,
        .ended_ms = 5000,
        .took_ms = 12,
        .request = "GET /a?b=1 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        .operand = "/a",
        .why = R_not_found,
        .site = 1 },
      "{\"id\":\"11000000\",\"time\":\"2026-11-21T06:32:14.123Z\",\"time_ms\":1795242734123,\"worker\":1,"
      "\"site\":\"example.org\",\"client\":\"127.0.0.1\",\"protocol\":\"HTTP/1.1\",\"method\":\"GET\","
      "\"target\":\"/a?b=1\",\"host\":\"example.org\",\"status\":404,\"detail\":\"\",\"dialect\":\"rfc\","
      "\"reason\":\"not-found\",\"operand\":\"/a\",\"broken\":null,\"ms\":12,\"bytes_in\":42,\"bytes_out\":412,"
      "\"failed\":true,\"slow\":false,\"by\":\"self\",\"upstream_name\":\"\"}" },
    { { .ended_ms = 5000,
        .took_ms = 2000,
        .unix_ms = 1,
        .request = "PUT /"
                   "\xff\xc3\xa9\xe2\x82"
                   " HTTP/1.1\r\nHost: \xc0\xaf\r\n\r\n",
        .operand = "a\x01\"\x80",
        .client = "2001:db8::a",
        .why = R_uri_too_long,
        .broken = R_client_closed_during_response,
        .dialect = DIALECT_IIS,
        .site = 99 },
      "{\"id\":\"00000000\",\"time\":\"1970-01-01T00:00:00.001Z\",\"time_ms\":1,\"worker\":1,"
      "\"site\":\"\",\"client\":\"2001:db8::a\",\"protocol\":\"HTTP/1.1\",\"method\":\"PUT\","
      "\"target\":\"/" FFFD "\xc3\xa9" FFFD FFFD "\",\"host\":\"" FFFD FFFD "\",\"status\":404,\"detail\":\"404.14\","
      "\"dialect\":\"iis\",\"reason\":\"uri-too-long\",\"operand\":\"a\\u0001\\\"" FFFD "\","
      "\"broken\":\"client-closed-during-response\",\"ms\":2000,\"bytes_in\":33,\"bytes_out\":412,\"failed\":true,"
      "\"slow\":true,\"by\":\"self\",\"upstream_name\":\"\"}" },
    { { .request = "\x16\x03\x01 nonsense\r\nHost: x\r\n\r\n",
        .client = "unix:",
        .why = R_client_closed_request,
        .dialect = DIALECT_NGINX,
        .unreadable = true,
        .unsent = true,
        .unix_ms = 1000 },
      "{\"id\":\"00000000\",\"time\":\"1970-01-01T00:00:01.000Z\",\"time_ms\":1000,\"worker\":1,\"site\":\"\","
      "\"client\":\"unix:\",\"protocol\":\"\",\"method\":\"\",\"target\":\"\",\"host\":\"\",\"status\":0,"
      "\"detail\":\"499\",\"dialect\":\"nginx\",\"reason\":\"client-closed-request\",\"operand\":\"\","
      "\"broken\":null,\"ms\":0,\"bytes_in\":25,\"bytes_out\":412,\"failed\":true,\"slow\":false,"
      "\"by\":\"self\",\"upstream_name\":\"\"}" },
    { { .why = R_upstream_answered, .status = 404, .upstream = "app", .relayed = true },
      "{\"id\":\"00000000\",\"time\":\"2026-11-21T06:32:14.123Z\",\"time_ms\":1795242734123,\"worker\":1,"
      "\"site\":\"\",\"client\":\"127.0.0.1\",\"protocol\":\"HTTP/1.1\",\"method\":\"GET\",\"target\":\"/\","
      "\"host\":\"example.org\",\"status\":404,\"detail\":\"\",\"dialect\":\"rfc\",\"reason\":\"upstream-answered\","
      "\"operand\":\"\",\"broken\":null,\"ms\":0,\"bytes_in\":37,\"bytes_out\":412,\"failed\":true,\"slow\":false,"
      "\"by\":\"upstream\",\"upstream_name\":\"app\"}" },
    { { .why = R_upstream_all_down, .upstream = "a\xff" },
      "{\"id\":\"00000000\",\"time\":\"2026-11-21T06:32:14.123Z\",\"time_ms\":1795242734123,\"worker\":1,"
      "\"site\":\"\",\"client\":\"127.0.0.1\",\"protocol\":\"HTTP/1.1\",\"method\":\"GET\",\"target\":\"/\","
      "\"host\":\"example.org\",\"status\":503,\"detail\":\"\",\"dialect\":\"rfc\",\"reason\":\"upstream-all-down\","
      "\"operand\":\"\",\"broken\":null,\"ms\":0,\"bytes_in\":37,\"bytes_out\":412,\"failed\":true,\"slow\":false,"
      "\"by\":\"self\",\"upstream_name\":\"a" FFFD "\"}" },
};

static void rows_are_as_they_are_told_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *row = row_of(&cases[i].kept);

        assert_string_equal(row, cases[i].row);
        free(row);
    }
}

static const struct {
    struct span text;
    const char *json;
} texts[] = {
    { { NULL, 0 }, "\"\"" },
    { SPAN_INIT("plain"), "\"plain\"" },
    { SPAN_INIT("a\0b"), "\"a\\u0000b\"" },
    { SPAN_INIT("\r\n\t\x1b\x7f"), "\"\\r\\n\\t\\u001B\x7f\"" },
    { SPAN_INIT("\xe7\xb9\x81"), "\"\xe7\xb9\x81\"" },
    { SPAN_INIT("\0\xff"), "\"\\u0000" FFFD "\"" },
    { SPAN_INIT("\xed\xa0\x80"), "\"" FFFD FFFD FFFD "\"" },
    { SPAN_INIT("</script>\xe2\x80\xa8"), "\"</script>\xe2\x80\xa8\"" },
};

static void any_text_becomes_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *value = row_text(texts[i].text);
        char *text = json_dumps(value, JSON_ENCODE_ANY);

        assert_non_null(value);
        assert_string_equal(text, texts[i].json);
        free(text);
        json_decref(value);
    }
}

static size_t allocations_left;

static void *allocate(size_t bytes)
{
    return allocations_left > 0 && allocations_left-- > 0 ? malloc(bytes) : NULL;
}

/* Whichever allocation fails: no row, and nothing is leaked. */
static void without_memory_there_is_no_row(void **state)
{
    alignas(16) char room[16384];
    const struct record *r;
    json_t *row = NULL;

    (void)state;
    keep(&server, 0, &cases[1].kept);
    r = record_read(&server.recorders[0].all, 0, room, sizeof room);
    assert_non_null(r);
    json_set_alloc_funcs(allocate, free);
    for (size_t most = 0; row == NULL; most++) {
        assert_true(most < 1000);
        allocations_left = most;
        row = row_json(&server.source, r, 0);
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(json_object_size(row), 23);
    json_decref(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_as_they_are_told_of, setup, teardown),
        cmocka_unit_test(any_text_becomes_json),
        cmocka_unit_test_setup_teardown(without_memory_there_is_no_row, setup, teardown),
    };

    return cmocka_run_group_tests_name("row", tests, NULL, NULL);
}
