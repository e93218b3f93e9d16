#include "cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/output.h"
#include "cli/why_impl.h"
#include "run.h"
#include "stub.h"

static const struct {
    const char *name;
    enum language language;
    const char *told, *text;
} stories[] = {
#define STORY(name, language, told, text) { (name), (language), (told), (text) },
#include "why_stories.inc"
#undef STORY
};
#define STORIES (sizeof stories / sizeof stories[0])

/* The server's JSON, with quotes in place of backquotes; the caller frees it. */
static char *json_text(const char *told)
{
    char *text = strdup(told);

    assert_non_null(text);
    for (char *p = text; (p = strchr(p, '`')) != NULL;)
        *p = '"';
    return text;
}

static char *story_text(const char *told, enum language language)
{
    char *json = json_text(told), *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    json_error_t error;
    json_t *exchange = json_loads(json, JSON_ALLOW_NUL, &error);

    if (exchange == NULL)
        fail_msg("%s: %s", error.text, json);
    why_text(out, exchange, language);
    fclose(out);
    json_decref(exchange);
    free(json);
    return text;
}

static void a_story_reads_like_this(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) {
        char *text = story_text(stories[i].told, stories[i].language);

        if (strcmp(text, stories[i].text) != 0)
            fail_msg("%s:\n%s", stories[i].name, text);
        free(text);
    }
}

/* A line is wider only where a word of the request is. */
static void no_line_is_wider_than_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) {
        char *text = story_text(stories[i].told, stories[i].language), *rest = text;

        for (char *line; (line = strsep(&rest, "\n")) != NULL;)
            if (output_width(span_of(line)) > OUTPUT_COLUMNS && strstr(line, "/long/long/") == NULL)
                fail_msg("%s: %s", stories[i].name, line);
        free(text);
    }
}

/* Wherever text from outside stands, it cannot do anything to the terminal. */
static void nothing_reaches_the_terminal_raw(void **state)
{
    static const char bad[] = "\\u001b]0;x\\u0007\\u009b1m\\u202e\\r\\n\\u0000\\u007f";
    static const char *const members[] = { "id",      "time",     "site",   "client",  "protocol",
                                           "method",  "target",   "detail", "dialect", "reason",
                                           "operand", "resource", "route",  "source",  "traceparent" };
    char told[4096], *text;
    size_t n =
        (size_t)snprintf(told, sizeof told,
                         "{\"status\":400,\"request\":{\"line\":\"%s\"},\"reply\":{\"line\":\"A %s\"}", bad, bad);

    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        n += (size_t)snprintf(told + n, sizeof told - n, ",\"%s\":\"%s\"", members[i], bad);
    snprintf(told + n, sizeof told - n,
             ",\"path\":[{\"node\":\"%s\",\"block\":\"%s\",\"answer\":\"%s\",\"text\":\"%s\",\"says\":\"%s\",\"facts\":"
             "[{\"name\":\"%s\",\"value\":\"%s\"}]}],\"waits\":[{\"what\":\"%s\",\"ms\":1}],\"explanation\":{\"title\":"
             "\"%s\","
             "\"codes\":{\"%s\":\"%s\"},\"others\":\"%s\"}}",
             bad, bad, bad, bad, bad, bad, bad, bad, bad, "\\u001b[m", bad, bad);
    text = story_text(told, LANGUAGE_EN);
    for (const char *p = text; *p != '\0'; p++)
        if (((unsigned char)*p < ' ' && *p != '\n') || *p == 0x7f)
            fail_msg("byte %d in %s", *p, text);
    assert_null(strstr(text, "\xC2\x9B"));
    assert_null(strstr(text, "\xE2\x80\xAE"));
    assert_non_null(strstr(text, "\\x1B]0;x\\x07"));
    free(text);
}

static void an_id_is_found_in_what_is_pasted(void **state)
{
    static const struct {
        const char *text, *id;
    } cases[] = {
        { "7k3v9c2q", "7k3v9c2q" },
        { " 7K3V9C2Q ", "7k3v9c2q" },
        { "last", "last" },
        { "LAST", "last" },
        { "\"7k3v9c2q\"", "7k3v9c2q" },
        { "id=\"7k3v9c2q\"", "7k3v9c2q" },
        { "id=7k3v9c2q", "7k3v9c2q" },
        { "if-match-failed;id=\"7k3v9c2q\"", "7k3v9c2q" },
        { "Verdict: if-match-failed; id=\"7k3v9c2q\"", "7k3v9c2q" },
        { "http://127.0.0.1:8081/#id=7k3v9c2q", "7k3v9c2q" },
        { "http://h/?id=aaaaaaaa&x=1#id=7k3v9c2q", "7k3v9c2q" },
        { "{\"time\":\"2026-11-21T06:32:14.123Z\",\"id\":\"7k3v9c2q\",\"target\":\"/?id=aaaaaaaa#\"}", "7k3v9c2q" },
        { "Id: 7k3v9c2q", "7k3v9c2q" },
        { "编号：7k3v9c2q", "7k3v9c2q" },
        { "id=\"7k3v9c2q\", reason", "7k3v9c2q" },
        { "see 7k3v9c2q", "7k3v9c2q" },
        { "", NULL },
        { "7k3v9c2", NULL },
        { "7k3v9c2q7", NULL },
        { "7k3v9c2i", NULL },
        { "7k3v9c2q is it", NULL },
        { "void=7k3v9c2q, it", NULL },
        { "trace-id=7k3v9c2q, it", NULL },
        { "x-7k3v9c2q", NULL },
        { "id7k3v9c2q", NULL },
        { "id", NULL },
        { "#", NULL },
        { "lasting", NULL },
        { "../../x", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct why_id id = { "" };
        bool found = why_id_read(span_of(cases[i].text), &id);

        if (found != (cases[i].id != NULL) || (found && strcmp(id.text, cases[i].id) != 0))
            fail_msg("%s: %s", cases[i].text, id.text);
    }
}

#define MISSING "verdict: why: ID: missing: give the id of an exchange, or last for the newest\n"

static const struct {
    const char *line;
    int code;
    const char *out, *err;
} usages[] = {
    { "why --help", 0, "VERDICT_ADMIN_TOKEN", "" },
    { "why", 2, "", MISSING },
    { "why --lang en", 2, "", MISSING },
    { "why last last", 2, "", "verdict: why: last: only one exchange can be asked for: verdict why ID|last\n" },
    { "why last --lang fr", 2, "", "verdict: why: fr: no such language: --lang en, zh-CN or zh-TW\n" },
    { "why last --format tsv", 2, "", "verdict: why: tsv: no such format: --format text or json\n" },
    { "why last --admin", 2, "", "verdict: why: --admin: option unknown or without its value: verdict why --help\n" },
    { "why last --colour", 2, "", "verdict: why: --colour: option unknown or without its value: verdict why --help\n" },
    { "why last --admin 8081", 2, "",
      "verdict: why: 8081: no host: write 127.0.0.1:8080 for this machine alone, 0.0.0.0:8080 for every IPv4 address, "
      "[::]:8080 for every IPv6 address\n" },
    { "why foo", 2, "",
      "verdict: why: foo: there is no id in it: eight letters and digits, as in id=\"7k3v9c2q\", or last\n" },
    { "why f\x1Boo", 2, "",
      "verdict: why: f\\x1Boo: there is no id in it: eight letters and digits, as in id=\"7k3v9c2q\", or last\n" },
    { "why last --token t\r\nX:y", 2, "",
      "verdict: why: token: it holds spaces or other characters that no token has, or is too long: give the token as "
      "the "
      "configuration has it\n" },
    { "why last --admin 127.0.0.1:1", 1, "",
      "verdict: why: 127.0.0.1:1: nothing listens there: start verdict serve, or name its console with --admin\n" },
};

static void usage_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
        struct run r = run(cli_why, usages[i].line, NULL);

        if (r.code != usages[i].code || strstr(r.out, usages[i].out) == NULL || strcmp(r.err, usages[i].err) != 0)
            fail_msg("%s: exit %d\n%s%s", usages[i].line, r.code, r.out, r.err);
        run_free(&r);
    }
}

#define REFUSAL(status, reason) "HTTP/1.1 " status "\r\nVerdict: " reason "\r\nContent-Length: 0\r\n\r\n"

/* What the server answers, and the error, in which %s is the listener. */
static const struct {
    const char *id, *answer, *err;
} refusals[] = {
    { "7k3v9c2q", REFUSAL("404 Not Found", "not-found;id=\"8k3v9c2q\""),
      "verdict: why: 7k3v9c2q: not kept by this server: it may be too old, from before a restart or from another "
      "server: "
      "look in the access log, or try --admin\n" },
    { "last", REFUSAL("404 Not Found", "not-found"),
      "verdict: why: last: no exchange is kept there: send the server a request first, or name its console with "
      "--admin\n" },
    { "last", REFUSAL("401 Unauthorized", "credentials-missing"),
      "verdict: why: %s: it wants a token: set VERDICT_ADMIN_TOKEN, or give --token\n" },
    { "last", REFUSAL("401 Unauthorized", "credentials-refused"),
      "verdict: why: %s: the token is not its token: set VERDICT_ADMIN_TOKEN to admin.token of its configuration\n" },
    { "last", REFUSAL("404 Not Found", "site-not-found"),
      "verdict: why: %s: no console goes by this address: use the one that the server told when it started\n" },
    { "last", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      "verdict: why: %s answered 404: that is no exchange: name the console of verdict serve with --admin\n" },
    { "last", "HTTP/1.1 200 OK\r\n\r\n<!doctype html>",
      "verdict: why: %s: what came is no exchange: name the console of verdict serve with --admin\n" },
    { "last", "HTTP/1.1 200 OK\r\n\r\n{}",
      "verdict: why: %s: what came is no exchange: name the console of verdict serve with --admin\n" },
    { "last", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
      "verdict: why: %s: its answer was cut short: try again\n" },
};

static void a_refusal_says_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct stub s = { .answer = span_of(refusals[i].answer) };
        char line[256], err[256];
        struct run r;

        stub_start(&s);
        snprintf(line, sizeof line, "why --admin %s", s.address);
        snprintf(err, sizeof err, refusals[i].err, s.address);
        r = run(cli_why, line, refusals[i].id);
        stub_stop(&s);
        if (r.code != 1 || strcmp(r.out, "") != 0 || strcmp(r.err, err) != 0)
            fail_msg("exit %d\n%s%s", r.code, r.out, r.err);
        run_free(&r);
    }
}

static const char exchange[] = "HTTP/1.1 200 OK\r\n\r\n"
                               "{\"id\":\"7k3v9c2q\",\"operand\":\"\\u001b\\u0000/中\"}";

static void an_exchange_is_told(void **state)
{
    struct stub s = { .answer = SPAN_INIT(exchange) };
    char line[256];
    struct run r;

    (void)state;
    setenv("VERDICT_ADMIN_TOKEN", "from-environment", 1);
    stub_start(&s);
    snprintf(line, sizeof line, "why --admin %s --lang zh-TW", s.address);
    r = run(cli_why, line, "Verdict: not-found;id=\"7K3v9c2q\"");
    stub_stop(&s);
    unsetenv("VERDICT_ADMIN_TOKEN");
    assert_string_equal(r.err, "");
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.out, "  涉及            \\x1B\\x00/中\n"));
    assert_memory_equal(s.request, "GET /api/exchanges/7k3v9c2q?lang=zh-TW HTTP/1.1\r\n", 49);
    assert_non_null(strstr(s.request, "\r\nAuthorization: Bearer from-environment\r\n"));
    run_free(&r);
}

static void json_is_told_unchanged(void **state)
{
    struct stub s = { .answer = SPAN_INIT(exchange) };
    char line[256];
    struct run r;

    (void)state;
    setenv("VERDICT_ADMIN_TOKEN", "from-environment", 1);
    stub_start(&s);
    snprintf(line, sizeof line, "why --admin %s --format json --token given last", s.address);
    r = run(cli_why, line, NULL);
    stub_stop(&s);
    unsetenv("VERDICT_ADMIN_TOKEN");
    assert_string_equal(r.err, "");
    assert_string_equal(r.out, "{\n  \"id\": \"7k3v9c2q\",\n  \"operand\": \"\\u001B\\u0000/中\"\n}\n");
    assert_non_null(strstr(s.request, "\r\nAuthorization: Bearer given\r\n"));
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_story_reads_like_this),
        cmocka_unit_test(no_line_is_wider_than_a_terminal),
        cmocka_unit_test(nothing_reaches_the_terminal_raw),
        cmocka_unit_test(an_id_is_found_in_what_is_pasted),
        cmocka_unit_test(usage_is_checked),
        cmocka_unit_test(a_refusal_says_what_to_do),
        cmocka_unit_test(an_exchange_is_told),
        cmocka_unit_test(json_is_told_unchanged),
    };

    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
    unsetenv("VERDICT_ADMIN_TOKEN");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
