#include "explain/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

/* The content, NUL-terminated, in the arena. */
static const char *content_of(const struct explain_input *in)
{
    struct explain_content out = explain_content(&arena, in);

    assert_true(out.content.n > 0);
    assert_null(memchr(out.content.p, '\0', out.content.n));
    return arena_copy(&arena, out.content).p;
}

static void has(const char *content, const char *part)
{
    if (strstr(content, part) == NULL)
        fail_msg("no %s in:\n%s", part, content);
}

static void has_not(const char *content, const char *part)
{
    if (strstr(content, part) != NULL)
        fail_msg("%s in:\n%s", part, content);
}

static void accept_leads_to_a_format(void **state)
{
    static const struct {
        const char *accept;
        enum explain_format want;
    } cases[] = {
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", EXPLAIN_HTML },
        { "*/*", EXPLAIN_TEXT },
        { "", EXPLAIN_TEXT },
        { "application/json", EXPLAIN_PROBLEM },
        { "application/problem+json", EXPLAIN_PROBLEM },
        { "application/json, text/plain, */*", EXPLAIN_PROBLEM },
        { "application/*", EXPLAIN_PROBLEM },
        { "application/json;q=0.5, text/plain", EXPLAIN_TEXT },
        { "text/html;q=0.5, application/json", EXPLAIN_PROBLEM },
        { "text/html, application/json", EXPLAIN_HTML },
        { "text/html, */*", EXPLAIN_HTML },
        { "TEXT/HTML;level=1", EXPLAIN_TEXT }, /* not what we have, and nothing else fits */
        { "Text/Html", EXPLAIN_HTML },
        { "text/*", EXPLAIN_TEXT },
        { "image/avif,image/webp,*/*;q=0.8", EXPLAIN_TEXT },
        { "image/png", EXPLAIN_TEXT },
        { "*/*;q=0", EXPLAIN_TEXT },
        { "application/json;q=0, */*", EXPLAIN_TEXT },
        { ";;,,q=", EXPLAIN_TEXT },
    };

    (void)state;
    assert_int_equal(explain_format((struct span){ 0 }), EXPLAIN_TEXT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (explain_format(span_of(cases[i].accept)) != cases[i].want)
            fail_msg("%s: %d", cases[i].accept, explain_format(span_of(cases[i].accept)));
}

static const struct explain_input failed = {
    .why = R_if_match_failed,
    .status = 412,
    .operand = SPAN_INIT("If-Match: \"<1>\""),
    .path = SPAN_INIT("/a&b"),
    .id = SPAN_INIT("7k3v9c2q"),
};

static void text_says_it_all(void **state)
{
    struct explain_input in = failed;
    const char *content = content_of(&in);

    (void)state;
    has(content, "412 Precondition Failed\n\n");
    has(content, explain_what(R_if_match_failed, LANGUAGE_EN));
    has(content, "\nReason: if-match-failed\nPath: /a&b\nField: If-Match: \"<1>\"\nLasts: ");
    has(content, explain_todo(R_if_match_failed, LANGUAGE_EN));
    has(content, "\nId: 7k3v9c2q\n");
}

static void problem_is_as_rfc9457_has_it(void **state)
{
    struct explain_input in = { .why = R_not_found,
                                .status = 404,
                                .path = SPAN("/\"\\\n\xff"),
                                .operand = SPAN("page.en"),
                                .note = SPAN("Moved \"soon\"."),
                                .id = SPAN("7k3v9c2q"),
                                .accept = SPAN("application/json") };
    struct explain_content out = explain_content(&arena, &in);
    const char *content = content_of(&in);

    (void)state;
    assert_true(span_is(out.media_type, SPAN("application/problem+json")));
    assert_true(span_starts(out.content, SPAN("{\n  \"type\": \"urn:verdict:reason:not-found\",\n  \"title\": \"")));
    assert_true(span_ends(out.content, SPAN("\"id\": \"7k3v9c2q\"\n}\n")));
    has(content, "\",\n  \"status\": 404,\n  \"detail\": \"");
    has(content,
        " (page.en) Moved \\\"soon\\\".\",\n  \"instance\": \"urn:verdict:exchange:7k3v9c2q\",\n"
        "  \"reason\": \"not-found\",\n  \"path\": \"/\\\"\\\\\\u000A\xEF\xBF\xBD\",\n  \"operand\": \"page.en\",\n"
        "  \"lasts\": \"");
    has(content, "\",\n  \"next\": \"");
}

static void html_escapes_everything(void **state)
{
    struct explain_input in = failed;
    const char *content;

    (void)state;
    in.accept = SPAN("text/html");
    in.note = SPAN("<script>alert(1)</script>");
    in.id = SPAN("<id>");
    content = content_of(&in);
    assert_true(span_starts(span_of(content), SPAN("<!doctype html>\n<html lang=\"en\">")));
    assert_true(span_ends(span_of(content), SPAN("</html>\n")));
    has(content, "<title>412 Precondition Failed</title>");
    has(content, "/a&amp;b");
    has(content, "&lt;1&gt;");
    has(content, "&lt;script&gt;");
    has(content, "&lt;id&gt;");
    has_not(content, "<script");
    has_not(content, "<1>");
    has_not(content, "http:");
    has_not(content, "https:");
    has_not(content, "url(");
}

/* Where there is a console, the id leads there. */
static void ids_lead_to_the_console(void **state)
{
    struct explain_input in = failed;

    (void)state;
    in.console = SPAN("https://a.example/c&d/");
    has(content_of(&in), "\nId: 7k3v9c2q (https://a.example/c&d/#id=7k3v9c2q)\n");
    in.accept = SPAN("application/json");
    has(content_of(&in), ",\n  \"id\": \"7k3v9c2q\",\n  \"why\": \"https://a.example/c&d/#id=7k3v9c2q\"\n}\n");
    in.accept = SPAN("text/html");
    has(content_of(&in),
        "<dt>Id</dt><dd><code><a href=\"https://a.example/c&amp;d/#id=7k3v9c2q\">7k3v9c2q</a></code></dd>\n");
    in.id = (struct span){ 0 };
    has_not(content_of(&in), "a.example");
    in.accept = SPAN("application/json");
    has_not(content_of(&in), "\"why\"");
    in.accept = SPAN("*/*");
    has_not(content_of(&in), "a.example");
    in.id = SPAN("7k3v9c2q");
    in.console = (struct span){ 0 };
    has_not(content_of(&in), "#id=");
}

/* R113 */
static void errors_say_whether_they_last(void **state)
{
    static const struct span accepts[] = { SPAN_INIT("text/html"), SPAN_INIT("application/json"), SPAN_INIT("*/*") };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (enum reason r = R_MORE + 1; r < R_COUNT; r++) {
            struct explain_input in = { .why = r, .status = reason_code(r, DIALECT_RFC).wire, .accept = accepts[i] };
            const char *content = content_of(&in);

            if (in.status / 100 >= 4 && strcasestr(content, "temporary") == NULL &&
                strcasestr(content, "permanent") == NULL && strcasestr(content, "\"lasts\": \"unknown\"") == NULL)
                fail_msg("%s", content);
            has(content, reason_info(r)->name);
            arena_reset(&arena);
        }
}

/* R083 */
static void redirects_link_to_the_new_place(void **state)
{
    struct explain_input in = {
        .why = R_moved_permanently, .status = 301, .link_to = SPAN("/new?a=1&b=\"2\""), .accept = SPAN("text/html")
    };
    const char *content = content_of(&in);

    (void)state;
    has(content, "<a href=\"/new?a=1&amp;b=&quot;2&quot;\">/new?a=1&amp;b=&quot;2&quot;</a>");
    has_not(content, "Lasts");
    in.accept = SPAN("*/*");
    has(content_of(&in), "\nGo to: /new?a=1&b=\"2\"\n");
}

/* R234, R195, R200, R251 */
static void some_reasons_owe_a_detail(void **state)
{
    struct explain_input version = { .why = R_version_not_supported, .status = 505 };
    struct explain_input condition = { .why = R_precondition_required, .status = 428 };
    struct explain_input field = { .why = R_header_field_too_large, .status = 431, .operand = SPAN("cookie") };
    struct explain_input iis = {
        .why = R_header_fields_too_large, .status = 404, .detail = 11, .dialect = DIALECT_IIS
    };
    struct explain_input cloudflare = {
        .why = R_ip_denied, .status = 403, .detail = 1006, .dialect = DIALECT_CLOUDFLARE
    };
    struct explain_input nginx = {
        .why = R_header_fields_too_large, .status = 400, .detail = 494, .dialect = DIALECT_NGINX
    };

    (void)state;
    has(content_of(&version), "HTTP/1.0, HTTP/1.1");
    has(content_of(&condition), "If-Match");
    has(content_of(&field), "Field: cookie\n");
    has(content_of(&iis), "404.10 Not Found\n");
    iis.accept = SPAN("text/html");
    has(content_of(&iis), "<title>404.10 Not Found</title>");
    iis.accept = SPAN("application/json");
    has(content_of(&iis), "\"status\": 404,");
    has(content_of(&iis), "\"substatus\": \"404.10\"");
    has(content_of(&cloudflare), "403 (error 1006) Forbidden\n");
    has_not(content_of(&nginx), "494");
}

static void limits_and_places_are_told(void **state)
{
    struct explain_input long_uri = {
        .why = R_uri_too_long, .status = 414, .operand = SPAN("8192 bytes"), .at = 8217, .has_at = true
    };
    struct explain_input policy = { .why = R_request_policy_denied, .status = 403, .operand = SPAN("rule 7") };

    (void)state;
    has(content_of(&long_uri), "\nLimit: 8192 bytes\nAt byte: 8217\n");
    long_uri.accept = SPAN("application/json");
    has(content_of(&long_uri), "\"operand\": \"8192 bytes\",\n  \"at\": 8217,\n");
    long_uri.accept = SPAN("text/html");
    has(content_of(&long_uri), "<dt>At byte</dt><dd><code>8217</code></dd>");
    long_uri.accept_language = SPAN("zh-CN");
    has(content_of(&long_uri), "<dt>上限</dt>");
    has(content_of(&policy), "\nAbout: rule 7\n");
    has_not(content_of(&policy), "At byte");
}

static void nothing_is_said_twice(void **state)
{
    struct explain_input moved = { .why = R_moved_temporarily,
                                   .status = 302,
                                   .path = SPAN("/old"),
                                   .operand = SPAN("/page"),
                                   .link_to = SPAN("/page") };
    struct explain_input made = { .why = R_created, .status = 201, .path = SPAN("/new"), .link_to = SPAN("/new") };

    (void)state;
    has(content_of(&moved), "\nPath: /old\nGo to: /page\n");
    has_not(content_of(&moved), "About");
    has(content_of(&made), "\nGo to: /new\n");
    has_not(content_of(&made), "Path");
}

/* RFC4918:11.5: what passes, but not by itself. */
static void room_must_be_made(void **state)
{
    struct explain_input in = { .why = R_insufficient_storage, .status = 507 };

    (void)state;
    has(content_of(&in), "\nLasts: Temporary: it can pass when room is made.\n");
    has_not(content_of(&in), "by itself");
    in.accept_language = SPAN("zh-TW");
    has(content_of(&in), "騰出空間");
    in.accept = SPAN("application/json");
    has(content_of(&in), "\"lasts\": \"temporary\"");
}

static void languages_are_spoken(void **state)
{
    struct explain_input in = failed;
    struct explain_content out;

    (void)state;
    in.accept = SPAN("text/html");
    in.accept_language = SPAN("zh-HK, zh;q=0.9");
    out = explain_content(&arena, &in);
    assert_true(span_is(out.language, SPAN("zh-TW")));
    assert_true(span_is(out.media_type, SPAN("text/html; charset=utf-8")));
    has(content_of(&in), "<html lang=\"zh-TW\">");
    has(content_of(&in), explain_todo(R_if_match_failed, LANGUAGE_ZH_TW));
}

static void long_operands_are_cut_at_a_character(void **state)
{
    char path[1000];
    struct explain_input in = failed;
    const char *content, *end;

    (void)state;
    path[0] = '/';
    for (size_t i = 1; i + 3 <= sizeof path; i += 3)
        memcpy(path + i, "\xE8\xB3\x87", 3);
    in.path = (struct span){ path, sizeof path };
    content = content_of(&in);
    end = strstr(content, "…");
    assert_non_null(end);
    assert_memory_equal(end - 3, "\xE8\xB3\x87", 3);
    assert_null(strstr(end + 3, "…"));
    memset(path, '<', sizeof path);
    in.operand = in.note = in.path;
    in.accept = SPAN("text/html");
    assert_true(explain_content(&arena, &in).content.n < 8192);
    memset(path, 0x80, sizeof path); /* no character anywhere */
    assert_true(explain_content(&arena, &in).content.n < 8192);
}

static void terminals_get_no_controls(void **state)
{
    struct explain_input in = failed;
    const char *content;

    (void)state;
    in.path = SPAN("/\x1b[31m\x7f\xC2\x9B\r\n");
    content = content_of(&in);
    has(content, "Path: /\xEF\xBF\xBD[31m\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n");
}

static void a_full_arena_gives_nothing(void **state)
{
    struct arena small;
    struct explain_content out;

    (void)state;
    arena_init(&small, NULL, 0, 64);
    out = explain_content(&small, &failed);
    assert_int_equal(out.content.n, 0);
    assert_true(small.full);
    assert_true(out.media_type.n > 0);
    arena_reset(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_leads_to_a_format),
        cmocka_unit_test_setup_teardown(text_says_it_all, setup, teardown),
        cmocka_unit_test_setup_teardown(problem_is_as_rfc9457_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(html_escapes_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_lead_to_the_console, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_say_whether_they_last, setup, teardown),
        cmocka_unit_test_setup_teardown(redirects_link_to_the_new_place, setup, teardown),
        cmocka_unit_test_setup_teardown(some_reasons_owe_a_detail, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_and_places_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_said_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(room_must_be_made, setup, teardown),
        cmocka_unit_test_setup_teardown(languages_are_spoken, setup, teardown),
        cmocka_unit_test_setup_teardown(long_operands_are_cut_at_a_character, setup, teardown),
        cmocka_unit_test_setup_teardown(terminals_get_no_controls, setup, teardown),
        cmocka_unit_test(a_full_arena_gives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
