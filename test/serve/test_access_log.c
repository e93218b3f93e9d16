#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <jansson.h>
#include <regex.h>

#include "serve/access_log.h"

#define NOW 1767225599 /* 2025-12-31 23:59:59 */

/* One exchange, its lines, and what was parsed of them. */
struct logged {
    struct exchange *x;
    struct field fields[4];
    struct access_log_peer peer;
    struct access_log_second json_second, combined_second;
    char *line; /* of exactly the room that is promised, so that a sanitizer sees more */
    size_t n;
    json_t *json;
};

static int setup(void **state)
{
    struct logged *l = calloc(1, sizeof *l);

    assert_non_null(l);
    *state = l;
    l->x = calloc(1, sizeof *l->x);
    l->line = malloc(ACCESS_LOG_LINE_BYTES);
    assert_true(l->x != NULL && l->line != NULL);
    head_init(&l->x->req.head, l->fields);
    l->x->transport = &transport_plain;
    l->x->unix_seconds = NOW;
    l->x->req.head.major = l->x->req.head.minor = 1;
    l->peer = (struct access_log_peer){ .id = SPAN("0123abcd"), .client = SPAN("2001:db8::1"), .status = 404 };
    return 0;
}

static int teardown(void **state)
{
    struct logged *l = *state;

    json_decref(l->json);
    free(l->line);
    free(l->x);
    free(l);
    return 0;
}

/* What a client can choose of a line is `value`, everywhere. */
static void choose_all(struct logged *l, struct span value)
{
    struct exchange *x = l->x;

    head_init(&x->req.head, l->fields);
    x->req.head.major = x->req.head.minor = 1;
    x->req.head.method_name = x->req.head.target = x->req.host.name = value;
    head_add(&x->req.head, SPAN("Referer"), value);
    head_add(&x->req.head, SPAN("User-Agent"), value);
    x->verdict = (struct verdict){ .why = R_field_value_invalid, .at = UINT32_MAX, .operand = value };
}

static void log_json(struct logged *l)
{
    json_error_t error;

    memset(l->line, '\n', ACCESS_LOG_LINE_BYTES);
    l->n = access_log_json(l->x, &l->peer, &l->json_second, l->line);
    assert_in_range(l->n, 2, ACCESS_LOG_LINE_BYTES);
    assert_ptr_equal(memchr(l->line, '\n', l->n), l->line + l->n - 1);
    json_decref(l->json);
    l->json = json_loadb(l->line, l->n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (l->json == NULL)
        fail_msg("%s: %.*s", error.text, (int)l->n, l->line);
}

static struct span text_of(const struct logged *l, const char *key)
{
    const json_t *value = json_object_get(l->json, key);

    if (!json_is_string(value))
        fail_msg("no text \"%s\": %.*s", key, (int)l->n, l->line);
    return (struct span){ json_string_value(value), json_string_length(value) };
}

static long long number_of(const struct logged *l, const char *key)
{
    const json_t *value = json_object_get(l->json, key);

    if (!json_is_integer(value))
        fail_msg("no number \"%s\": %.*s", key, (int)l->n, l->line);
    return json_integer_value(value);
}

#define QUOTED " \"[^\"]*\""
#define COMBINED                                                                          \
    "^[0-9a-f.:]+ - - \\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}(:[0-9]{2}){3} \\+0000\\]" QUOTED \
    " [0-9]{1,3} [0-9]+" QUOTED QUOTED QUOTED QUOTED QUOTED QUOTED "\n$"

static void expect_form(const char *line, const char *form)
{
    regex_t re;

    assert_int_equal(regcomp(&re, form, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&re, line, 0, NULL, 0) != 0)
        fail_msg("not of its form: %s", line);
    regfree(&re);
}

static void log_combined(struct logged *l)
{
    l->n = access_log_combined(l->x, &l->peer, &l->combined_second, l->line);
    assert_in_range(l->n, 2, ACCESS_LOG_LINE_BYTES - 1);
    for (size_t i = 0; i < l->n - 1; i++)
        assert_in_range((unsigned char)l->line[i], ' ', '~');
    l->line[l->n] = '\0';
    expect_form(l->line, COMBINED);
}

static const char *const chosen[] = { "method", "target", "host", "operand", "referer", "user_agent" };

/* Every byte, alone and between others: the line stays one JSON object of the same shape, and ASCII comes through. */
static void test_any_byte_in_json(void **state)
{
    struct logged *l = *state;

    for (unsigned b = 0; b < 256; b++) {
        char bytes[] = { 'x', (char)b, 'y', (char)b };

        choose_all(l, (struct span){ bytes, 4 });
        log_json(l);
        for (size_t k = 0; k < sizeof chosen / sizeof chosen[0]; k++)
            if (b < 0x80)
                assert_true(span_is(text_of(l, chosen[k]), (struct span){ bytes, 4 }));
            else
                assert_true(span_is(text_of(l, chosen[k]), SPAN("x\xef\xbf\xbdy\xef\xbf\xbd")));
    }
}

static void test_any_byte_in_combined(void **state)
{
    struct logged *l = *state;

    for (unsigned b = 0; b < 256; b++) {
        char bytes[] = { 'x', (char)b, 'y', (char)b };

        choose_all(l, (struct span){ bytes, 4 });
        log_combined(l);
    }
}

/* At every place of values of every length: what must be escaped is found, and what need not be is told from it. */
static void test_bytes_at_every_place(void **state)
{
    static const char odd[] = { '\0', '\x1f', ' ', '!', '"', '#', '[', '\\', ']', '~', '\x7f', '\x80' };
    struct logged *l = *state;
    char bytes[40];

    for (size_t n = 1; n <= sizeof bytes; n++)
        for (size_t at = 0; at < n; at++) {
            char *value = malloc(n); /* so that a sanitizer sees what is read beyond */

            memset(bytes, 'a', n);
            bytes[at] = odd[(n + at) % sizeof odd];
            memcpy(value, bytes, n);
            choose_all(l, (struct span){ value, n });
            log_json(l);
            if (bytes[at] >= 0)
                for (size_t k = 0; k < sizeof chosen / sizeof chosen[0]; k++)
                    assert_true(span_is(text_of(l, chosen[k]), (struct span){ bytes, n }));
            log_combined(l);
            free(value);
        }
}

/* What was made for one second is not told in the next. */
static void test_time_goes_on(void **state)
{
    struct logged *l = *state;

    choose_all(l, SPAN("v"));
    log_json(l);
    log_combined(l);
    l->x->unix_seconds++;
    log_json(l);
    assert_true(span_is(text_of(l, "time"), SPAN("2026-01-01T00:00:00Z")));
    log_combined(l);
    assert_non_null(strstr(l->line, " - - [01/Jan/2026:00:00:00 +0000] \"v v HTTP/1.1\" "));
}

static void fill_numbers(struct exchange *x)
{
    x->status_sent = UINT16_MAX;
    x->bytes_in = x->bytes_out = x->content_out = INT64_MAX;
    x->moments = (struct moments){ 1, 1, 1, 1, 1, INT64_MAX };
    x->broken.why = R_client_closed_during_response;
    for (unsigned i = 0; i < EXCHANGE_WAITS; i++)
        x->waits[i] = (struct waited){ (const char *[]){ "open", "encode", "content", "turn" }[i], INT64_MAX };
}

/* However long what the client sent: the line fits its room, and long values begin as they were sent. */
static void test_long_values_are_cut(void **state)
{
    struct logged *l = *state;
    const size_t bytes = 100000;
    char *value = malloc(bytes);

    fill_numbers(l->x);
    for (const char *fill = "a\x01\"\\\xff\xc3\xf0"; *fill != '\0'; fill++) {
        memset(value, *fill, bytes);
        choose_all(l, (struct span){ value, bytes });
        log_json(l);
        for (size_t k = 0; k < sizeof chosen / sizeof chosen[0]; k++) {
            assert_true(text_of(l, chosen[k]).n > 300);
            assert_true((unsigned char)*fill > 0x7f || text_of(l, chosen[k]).p[0] == *fill);
        }
        log_combined(l);
    }
    free(value);
}

/* At every length around the cut no escape is torn. */
static void test_no_escape_is_torn(void **state)
{
    struct logged *l = *state;
    char value[2100];

    for (size_t n = 330; n < sizeof value; n += n == 350 ? 1690 : 1) {
        memset(value, '\x01', n);
        value[0] = 'a';
        choose_all(l, (struct span){ value, n });
        log_json(l);
        log_combined(l);
    }
}

static void test_json_says_what_happened(void **state)
{
    struct logged *l = *state;
    struct exchange *x = l->x;
    json_t *ms;

    choose_all(l, SPAN("v"));
    x->status_sent = 400;
    x->bytes_in = 11;
    x->bytes_out = 12;
    x->moments = (struct moments){ 100, 101, 103, 107, 115, 131 };
    x->waits[0] = (struct waited){ "open", 5 };
    x->waits[1] = (struct waited){ "content", 6 };
    l->peer.detail = SPAN("400.6");
    log_json(l);
    assert_true(span_is(text_of(l, "time"), SPAN("2025-12-31T23:59:59Z")));
    assert_true(span_is(text_of(l, "id"), SPAN("0123abcd")));
    assert_true(span_is(text_of(l, "client"), SPAN("2001:db8::1")));
    assert_true(span_is(text_of(l, "protocol"), SPAN("HTTP/1.1")));
    assert_true(span_is(text_of(l, "detail"), SPAN("400.6")));
    assert_true(span_is(text_of(l, "reason"), SPAN("field-value-invalid")));
    assert_null(json_object_get(l->json, "broken"));
    assert_int_equal(number_of(l, "status"), 400);
    assert_int_equal(number_of(l, "at"), UINT32_MAX);
    assert_int_equal(number_of(l, "bytes_in"), 11);
    assert_int_equal(number_of(l, "bytes_out"), 12);
    ms = json_pack("{s:i,s:i,s:i,s:{s:i,s:i},s:i,s:i}", "queue", 1, "head", 2, "content", 4, "wait", "open", 5,
                   "content", 6, "first_byte", 12, "total", 30);
    assert_true(json_equal(json_object_get(l->json, "ms"), ms));
    json_decref(ms);
    x->broken.why = R_response_send_timeout;
    log_json(l);
    assert_true(span_is(text_of(l, "broken"), SPAN("response-send-timeout")));
}

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* A trace that is one is told, without what later versions append; any other is left away. */
static void test_traces_are_told(void **state)
{
    static const struct {
        struct span sent;
        bool told;
    } rows[] = {
        { SPAN_INIT(TRACE), true },
        { SPAN_INIT("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more \""), true },
        { SPAN_INIT("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), false },
        { SPAN_INIT("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), false },
        { SPAN_INIT(""), false },
    };
    struct logged *l = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        choose_all(l, SPAN("v"));
        head_add(&l->x->req.head, SPAN("Traceparent"), rows[i].sent);
        log_json(l);
        if (rows[i].told)
            assert_true(span_is(text_of(l, "traceparent"), (struct span){ rows[i].sent.p, sizeof TRACE - 1 }));
        else
            assert_null(json_object_get(l->json, "traceparent"));
        log_combined(l);
        assert_null(strstr(l->line, "4bf92f"));
    }
    choose_all(l, SPAN("v"));
    log_json(l);
    assert_null(json_object_get(l->json, "traceparent"));
}

/* What did not happen took no time, and no time is negative. */
static void test_moments_that_were_not(void **state)
{
    struct logged *l = *state;
    json_t *ms;

    choose_all(l, SPAN("v"));
    l->x->moments = (struct moments){ .accepted_ms = 100, .head_ms = 50, .answered_ms = 40, .ended_ms = 200 };
    log_json(l);
    ms = json_pack("{s:i,s:i,s:i,s:{},s:i,s:i}", "queue", 0, "head", 0, "content", 0, "wait", "first_byte", 0, "total",
                   0);
    assert_true(json_equal(json_object_get(l->json, "ms"), ms));
    json_decref(ms);
}

static void test_combined_says_what_happened(void **state)
{
    struct logged *l = *state;

    choose_all(l, SPAN("v \"w\""));
    l->x->req.head.method_name = SPAN("GET");
    l->x->req.head.target = SPAN("/a?b");
    l->x->content_out = 77;
    log_combined(l);
    assert_string_equal(l->line, "2001:db8::1 - - [31/Dec/2025:23:59:59 +0000] \"GET /a?b HTTP/1.1\" 404 77 "
                                 "\"v \\x22w\\x22\" \"v \\x22w\\x22\" \"field-value-invalid\" \"v \\x22w\\x22\" "
                                 "\"0123abcd\" \"-\"\n");
    l->peer.detail = SPAN("404.10");
    choose_all(l, (struct span){ 0 }); /* nothing could be read */
    l->x->req.head.major = l->x->req.head.minor = 0;
    log_json(l);
    assert_true(span_is(text_of(l, "protocol"), (struct span){ 0 }));
    log_combined(l);
    assert_string_equal(l->line, "2001:db8::1 - - [31/Dec/2025:23:59:59 +0000] \"\" 404 77 \"-\" \"-\" "
                                 "\"field-value-invalid\" \"-\" \"0123abcd\" \"404.10\"\n");
}

struct refused_row {
    struct span message;
    uint32_t at; /* of its request line */
    const char *json, *combined;
};

static const struct refused_row refused_rows[] = {
    { SPAN_INIT("GET /a b HTTP/1.1\r\nHost: a\r\n"), 0, "GET /a b HTTP/1.1", "GET /a b HTTP/1.1" },
    { SPAN_INIT("\r\nGET /\r\n"), 2, "GET /", "GET /" },
    { SPAN_INIT("\x16\x03\x01\0\"\\\xff"), 0, "\\x16\\x03\\x01\\x00\\x22\\x5C\\xFF",
      "\\x16\\x03\\x01\\x00\\x22\\x5C\\xFF" },
    { SPAN_INIT("GET / HT"), 0, "GET / HT", "GET / HT" },
    { SPAN_INIT("\nGET"), 0, NULL, "" },
};

/* What could not be read can be seen, and only then. */
static void test_refused_lines_are_shown(void **state)
{
    struct logged *l = *state;
    struct exchange *x = l->x;
    char quoted[64];

    for (size_t i = 0; i < sizeof refused_rows / sizeof refused_rows[0]; i++) {
        const struct refused_row *r = &refused_rows[i];

        x->verdict.why = x->head_verdict.why = R_malformed_request_line;
        x->req.head.base = r->message.p;
        x->req.head.at = r->at;
        x->bytes_in = r->message.n;
        log_json(l);
        if (r->json != NULL)
            assert_true(span_is(text_of(l, "line"), span_of(r->json)));
        else
            assert_null(json_object_get(l->json, "line"));
        log_combined(l);
        snprintf(quoted, sizeof quoted, "+0000] \"%s\" 404", r->combined);
        assert_non_null(strstr(l->line, quoted));
    }
    x->req.head.stage = 1;
    log_json(l);
    assert_null(json_object_get(l->json, "line"));
}

/* Far more than is shown, of what grows most. */
static void test_a_long_refused_line_is_cut(void **state)
{
    struct logged *l = *state;
    char line[5000];

    memset(line, '\xff', sizeof line);
    fill_numbers(l->x);
    choose_all(l, (struct span){ line, sizeof line });
    l->x->head_verdict.why = R_uri_too_long;
    l->x->req.head.base = line;
    l->x->bytes_in = sizeof line;
    log_json(l);
    assert_int_equal(text_of(l, "line").n, 800);
    log_combined(l);
}

static void test_lost_lines(void **state)
{
    struct logged *l = *state;

    l->n = access_log_lost(false, UINT64_MAX / 2, NOW, l->line, ACCESS_LOG_LINE_BYTES);
    l->json = json_loadb(l->line, l->n, 0, NULL);
    assert_non_null(l->json);
    assert_int_equal(l->line[l->n - 1], '\n');
    assert_true(number_of(l, "log_lines_lost") == (long long)(UINT64_MAX / 2));
    assert_int_equal(number_of(l, "time_unix"), NOW);
    l->n = access_log_lost(true, 12, NOW, l->line, ACCESS_LOG_LINE_BYTES);
    l->line[l->n] = '\0';
    expect_form(l->line,
                "^- - - \\[[^]]*\\]" QUOTED " [0-9]+ [0-9]+" QUOTED QUOTED QUOTED " \"12\"" QUOTED QUOTED "\n$");
    assert_int_equal(access_log_lost(true, 12, NOW, l->line, l->n), 0); /* no room: not a part of a line */
    assert_int_equal(access_log_lost(false, 12, NOW, l->line, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_any_byte_in_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_byte_in_combined, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes_at_every_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_values_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_escape_is_torn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_says_what_happened, setup, teardown),
        cmocka_unit_test_setup_teardown(test_traces_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moments_that_were_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_combined_says_what_happened, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_lines_are_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_long_refused_line_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_lines, setup, teardown),
    };

    return cmocka_run_group_tests_name("access_log", tests, NULL, NULL);
}
