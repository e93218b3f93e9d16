#include "cli/admin_get.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "stub.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* The address of a stub, or of nobody. */
static struct address address_of(const char *text)
{
    struct address a;
    const char *why;

    assert_int_equal(address_parse(span_of(text), &a, &why), 0);
    return a;
}

static const char *get(struct stub *s, uint32_t limit_ms, struct admin_answer *answer)
{
    struct address to;
    struct admin_question question = { .path = SPAN("/api/exchanges/last?lang=en"), .limit_ms = limit_ms };
    const char *why;

    stub_start(s);
    to = address_of(s->address);
    why = admin_get(&to, &question, answer);
    stub_stop(s);
    return why;
}

static const struct {
    const char *answer;
    enum stub_end end;
    unsigned status;
    enum reason why;
    const char *content;
} whole[] = {
    { OK "Content-Length: 2\r\n\r\n{}", STUB_HOLD, 200, R_NONE, "{}" },
    { OK "Content-Length: 2\r\n\r\n{}behind", STUB_CLOSE, 200, R_NONE, "{}" },
    { OK "content-length:0\r\n\r\n", STUB_HOLD, 200, R_NONE, "" },
    { OK "\r\n{\"up to\": \"the end\"}", STUB_CLOSE, 200, R_NONE, "{\"up to\": \"the end\"}" },
    { OK "Transfer-Encoding: Chunked\r\n\r\n3\r\n{\"a\r\n2;x=y\r\n\":\r\n3\r\n 1}\r\n0\r\nT: x\r\n\r\n", STUB_HOLD, 200,
      R_NONE, "{\"a\": 1}" },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK "Content-Length: 2\r\n\r\n{}",
      STUB_HOLD, 200, R_NONE, "{}" },
    { "HTTP/1.1 404 Not Found\r\nVerdict: not-found;id=\"7k3v9c2q\"\r\nContent-Length: 4\r\n\r\ngone", STUB_HOLD, 404,
      R_not_found, "gone" },
    { "HTTP/1.0 401\r\nVERDICT: credentials-missing\r\n\r\n", STUB_CLOSE, 401, R_credentials_missing, "" },
    { OK "Verdict: no-such-reason\r\nContent-Length: 0\r\n\r\n", STUB_HOLD, 200, R_NONE, "" },
};

static void a_whole_answer_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof whole / sizeof whole[0]; i++) {
        size_t at = i / 2;
        struct stub s = { .answer = span_of(whole[at].answer), .end = whole[at].end, .bytewise = i % 2 == 1 };
        struct admin_answer answer;
        const char *why = get(&s, ADMIN_GET_LIMIT_MS, &answer);

        if (why != NULL)
            fail_msg("%s: %s", whole[at].answer, why);
        assert_int_equal(answer.status, whole[at].status);
        assert_int_equal(answer.why, whole[at].why);
        assert_int_equal(answer.bytes, strlen(whole[at].content));
        assert_string_equal(answer.content, whole[at].content);
        free(answer.content);
    }
}

static const struct {
    const char *answer;
    enum stub_end end;
    const char *why;
} faults[] = {
    { "", STUB_CLOSE, "it broke the connection off: " },
    { "", STUB_RESET, "it broke the connection off: " },
    { "HTTP/1.1 200 OK\r\nContent-", STUB_CLOSE, "its answer was cut short: " },
    { OK "Content-Length: 3\r\n\r\n{}", STUB_CLOSE, "its answer was cut short: " },
    { OK "Content-Length: 3\r\n\r\n{}", STUB_RESET, "its answer was cut short: " },
    { OK "Transfer-Encoding: chunked\r\n\r\n3\r\n{} \r\n", STUB_CLOSE, "its answer was cut short: " },
    { OK "Content-Length: 3\r\n\r\n{}", STUB_HOLD, "no whole answer in time: " },
    { "HTTP/1.1 200", STUB_HOLD, "no whole answer in time: " },
    { "", STUB_HOLD, "no whole answer in time: " },
    { OK "Content-Length: 4194305\r\n\r\n", STUB_HOLD, "its answer is too long: " },
    { OK "Content-Length: 99999999999999999999\r\n\r\n", STUB_HOLD, "what answers is no HTTP server: " },
    { OK "Content-Length: -1\r\n\r\n", STUB_HOLD, "what answers is no HTTP server: " },
    { OK "Transfer-Encoding: gzip\r\n\r\n", STUB_HOLD, "what answers is no HTTP server: " },
    { OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", STUB_HOLD, "what answers is no HTTP server: " },
    { OK "no colon\r\n\r\n", STUB_HOLD, "what answers is no HTTP server: " },
    { "HTTP/1.1 20x OK\r\n\r\n", STUB_HOLD, "what answers is no HTTP server: " },
    { "HTTP/1.1 2000 OK\r\n\r\n", STUB_HOLD, "what answers is no HTTP server: " },
    { "SSH-2.0-OpenSSH_9.2p1\r\n", STUB_HOLD, "what answers is no HTTP server: " },
};

static void a_fault_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct stub s = { .answer = span_of(faults[i].answer), .end = faults[i].end };
        struct admin_answer answer;
        const char *why = get(&s, 150, &answer);

        if (why == NULL || strncmp(why, faults[i].why, strlen(faults[i].why)) != 0)
            fail_msg("%s: %s", faults[i].answer, why);
    }
}

/* head, and then so many bytes of `filler`. */
static const char *get_long(const char *head, size_t count, const char *filler, struct admin_answer *answer)
{
    size_t width = strlen(filler), n = strlen(head);
    char *text = malloc(n + count * width);
    struct stub s = { .answer = { text, n + count * width } };
    const char *why;

    assert_non_null(text);
    memcpy(text, head, n);
    for (size_t i = 0; i < count; i++)
        memcpy(text + n + i * width, filler, width);
    why = get(&s, ADMIN_GET_LIMIT_MS, answer);
    free(text);
    return why;
}

static void length_is_bounded(void **state)
{
    static const char too_long[] = "its answer is too long: ", no_http[] = "what answers is no HTTP server: ";
    struct admin_answer answer = { 0 };

    (void)state;
    assert_null(get_long(OK "\r\n", ADMIN_GET_BYTES_MOST, "x", &answer));
    assert_int_equal(answer.bytes, ADMIN_GET_BYTES_MOST);
    free(answer.content);
    assert_null(get_long(OK "Content-Length: 4194304\r\n\r\n", ADMIN_GET_BYTES_MOST, "x", &answer));
    assert_int_equal(answer.bytes, ADMIN_GET_BYTES_MOST);
    free(answer.content);
    assert_memory_equal(get_long(OK "\r\n", ADMIN_GET_BYTES_MOST + 1, "x", &answer), too_long, sizeof too_long - 1);
    assert_memory_equal(get_long(OK "Transfer-Encoding: chunked\r\n\r\n", ADMIN_GET_BYTES_MOST / 16 + 1,
                                 "10\r\n0123456789abcdef\r\n", &answer),
                        too_long, sizeof too_long - 1);
    assert_memory_equal(get_long("HTTP/1.1 100 Continue\r\n\r\n", ADMIN_GET_HEAD_BYTES / 8,
                                 "HTTP/1.1 102 Processing\r\n\r\n", &answer),
                        no_http, sizeof no_http - 1);
    assert_memory_equal(get_long(OK, ADMIN_GET_HEAD_BYTES, "A: b\r\n", &answer), no_http, sizeof no_http - 1);
}

static void the_limit_is_for_all_of_it(void **state)
{
    struct stub s = { .answer = SPAN(""), .end = STUB_HOLD };
    struct admin_answer answer;
    struct timespec from, to;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_non_null(get(&s, 100, &answer));
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >=
                98); /* both ends are rounded */
    assert_true(to.tv_sec - from.tv_sec < 3);
}

/* What comes before the request has been read counts all the same. */
static void an_early_answer_counts(void **state)
{
    struct stub s = { .answer = SPAN("HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n"), .deaf = true };
    struct admin_answer answer;

    (void)state;
    assert_null(get(&s, ADMIN_GET_LIMIT_MS, &answer));
    assert_int_equal(answer.status, 503);
    free(answer.content);
}

static void the_request_is_as_it_should_be(void **state)
{
    char path[64], expected[512];
    struct stub s = { .answer = SPAN(OK "Content-Length: 0\r\n\r\n") }, local = s;
    struct admin_question question = { .path = SPAN("/a"), .token = SPAN("t0ken"), .limit_ms = ADMIN_GET_LIMIT_MS };
    struct admin_answer answer;
    struct address to;

    (void)state;
    stub_start(&s);
    to = address_of(s.address);
    assert_null(admin_get(&to, &question, &answer));
    free(answer.content);
    stub_stop(&s);
    snprintf(expected, sizeof expected,
             "GET /a HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\nAuthorization: Bearer "
             "t0ken\r\n\r\n",
             s.address);
    assert_string_equal(s.request, expected);
    snprintf(path, sizeof path, "/tmp/verdict-test-%d", (int)getpid());
    stub_start_unix(&local, path);
    to = address_of(local.address);
    question.token = SPAN("");
    assert_null(admin_get(&to, &question, &answer));
    free(answer.content);
    stub_stop(&local);
    assert_string_equal(local.request,
                        "GET /a HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
}

static void nobody_there_is_told(void **state)
{
    static const struct {
        const char *address, *why;
    } cases[] = {
        { "127.0.0.1:1", "nothing listens there: " },
        { "unix:/tmp/verdict-test-nobody", "there is no such socket: " },
        { "unix:/etc/hostname", "nothing listens there: " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address to = address_of(cases[i].address);
        struct admin_question question = { .path = SPAN("/a"), .limit_ms = ADMIN_GET_LIMIT_MS };
        struct admin_answer answer;
        const char *why = admin_get(&to, &question, &answer);

        if (why == NULL || strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
            fail_msg("%s: %s", cases[i].address, why);
    }
}

static void what_does_not_fit_is_not_sent(void **state)
{
    char path[4096];
    struct stub s = { .answer = SPAN(OK "\r\n") };
    struct admin_question question = { .path = { path, sizeof path }, .limit_ms = ADMIN_GET_LIMIT_MS };
    struct admin_answer answer;
    struct address to;

    (void)state;
    memset(path, 'a', sizeof path);
    stub_start(&s);
    to = address_of(s.address);
    assert_string_equal(admin_get(&to, &question, &answer),
                        "path or token too long: use the token that the configuration has");
    stub_stop(&s);
    assert_string_equal(s.request, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer_is_taken), cmocka_unit_test(a_fault_is_named),
        cmocka_unit_test(length_is_bounded),       cmocka_unit_test(the_limit_is_for_all_of_it),
        cmocka_unit_test(an_early_answer_counts),  cmocka_unit_test(the_request_is_as_it_should_be),
        cmocka_unit_test(nobody_there_is_told),    cmocka_unit_test(what_does_not_fit_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
