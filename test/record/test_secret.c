#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "made.h"
#include "record/secret.h"

#define R SECRET_REMOVED

static const struct {
    const char *in, *out;
} rows[] = {
    /* Nothing to hide. */
    { "", "" },
    { "\r\n", "\r\n" },
    { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "GET /a?b=1&c=token HTTP/1.1\r\n\r\n", "GET /a?b=1&c=token HTTP/1.1\r\n\r\n" },
    { "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n" },
    { "GET /key=1/token=2 HTTP/1.1\r\n", "GET /key=1/token=2 HTTP/1.1\r\n" },
    { "GET /cookie HTTP/1.1\r\nX-Cookie: a\r\nCookies: b\r\n",
      "GET /cookie HTTP/1.1\r\nX-Cookie: a\r\nCookies: b\r\n" },
    { "GET / HTTP/1.1\r\nHost: a?token=b\r\n", "GET / HTTP/1.1\r\nHost: a?token=b\r\n" },

    /* Fields. */
    { "GET / HTTP/1.1\r\nAuthorization: Basic dTpw\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nAuthorization: " R "\r\nHost: a\r\n\r\n" },
    { "GET / HTTP/1.1\r\nCOOKIE: a=b; c=d\r\n\r\n", "GET / HTTP/1.1\r\nCOOKIE: " R "\r\n\r\n" },
    { "GET / HTTP/1.1\r\ncOoKiE:a=b\r\ncookie: c=d\r\n\r\n",
      "GET / HTTP/1.1\r\ncOoKiE:" R "\r\ncookie: " R "\r\n\r\n" },
    { "GET / HTTP/1.1\r\nProxy-Authorization:\t x \t\r\n\r\n",
      "GET / HTTP/1.1\r\nProxy-Authorization:\t " R " \t\r\n\r\n" },
    { "GET / HTTP/1.1\r\nx-api-key: 1\r\nx-auth-token: 2\r\nx-access-token: 3\r\nx-csrf-token: 4\r\n",
      "GET / HTTP/1.1\r\nx-api-key: " R "\r\nx-auth-token: " R "\r\nx-access-token: " R "\r\nx-csrf-token: " R "\r\n" },
    { "GET / HTTP/1.1\r\nX-Amz-Security-Token: 5\r\n", "GET / HTTP/1.1\r\nX-Amz-Security-Token: " R "\r\n" },
    { "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Secure\r\nSet-Cookie: c=d\r\n\r\n",
      "HTTP/1.1 200 OK\r\nSet-Cookie: " R "\r\nSet-Cookie: " R "\r\n\r\n" },
    { "HTTP/1.1 200 OK\r\nAuthentication-Info: x\r\nProxy-Authentication-Info: y\r\n\r\n",
      "HTTP/1.1 200 OK\r\nAuthentication-Info: " R "\r\nProxy-Authentication-Info: " R "\r\n\r\n" },
    { "GET / HTTP/1.1\r\nCookie:\r\nCookie: \r\n\r\n", "GET / HTTP/1.1\r\nCookie:\r\nCookie: \r\n\r\n" },

    /* Malformed fields. */
    { "GET / HTTP/1.1\r\nAuthorization : a\r\n\r\n", "GET / HTTP/1.1\r\nAuthorization : " R "\r\n\r\n" },
    { "GET / HTTP/1.1\r\nAuthorization\t :a\r\n\r\n", "GET / HTTP/1.1\r\nAuthorization\t :" R "\r\n\r\n" },
    { "GET / HTTP/1.1\r\nAuthorization Basic a\r\nHost: b\r\n",
      "GET / HTTP/1.1\r\nAuthorization " R "\r\nHost: b\r\n" },
    { "GET / HTTP/1.1\r\nAuthorization=Basic a\r\n", "GET / HTTP/1.1\r\nAuthorization" R "\r\n" },
    { "GET / HTTP/1.1\r\nX Authorization: a\r\n", "GET / HTTP/1.1\r\nX Authorization: " R "\r\n" },
    { "GET / HTTP/1.1\r\n\x01: Authorization: a\r\n", "GET / HTTP/1.1\r\n\x01: Authorization: " R "\r\n" },
    { "GET / HTTP/1.1\r\nAuthorization\x01: a\r\n", "GET / HTTP/1.1\r\nAuthorization" R "\r\n" },
    { "GET / HTTP/1.1\r\nCookie: a\r\n b\r\n\tc\r\nHost: d\r\n\r\n",
      "GET / HTTP/1.1\r\nCookie: " R "\r\nHost: d\r\n\r\n" },
    { "GET / HTTP/1.1\r\nCookie: a\r\n b: c\r\n\td: e\r\nHost: d\r\n",
      "GET / HTTP/1.1\r\nCookie: " R "\r\nHost: d\r\n" },
    { "GET / HTTP/1.1\r\nCookie:\r\n a\r\nHost: d\r\n\r\n", "GET / HTTP/1.1\r\nCookie:" R "\r\nHost: d\r\n\r\n" },
    { "GET / HTTP/1.1\r\nHost: d\r\n Cookie: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: d\r\n Cookie: " R "\r\n\r\n" },
    { "GET / HTTP/1.1\r\n Cookie: a\r\n\r\n", "GET / HTTP/1.1\r\n Cookie: " R "\r\n\r\n" },
    { "GET / HTTP/1.1\rCookie: a\rHost: b\r\nHost: c\r\n", "GET / HTTP/1.1\rCookie: " R "\r\nHost: c\r\n" },
    { "GET / HTTP/1.1\nCookie: a\nHost: b\n\n", "GET / HTTP/1.1\nCookie: " R "\nHost: b\n\n" },
    { "GET / HTTP/1.1\r\nX: y\rCookie: a\r\n", "GET / HTTP/1.1\r\nX: y\rCookie: " R "\r\n" },
    { "GET / HTTP/1.1\r\nCookie: a\rb\r\nHost: c\r\n", "GET / HTTP/1.1\r\nCookie: " R "\r\nHost: c\r\n" },
    { "GET / HTTP/1.1\r\nCookie: a\r\nb\r\nHost: c\r\n", "GET / HTTP/1.1\r\nCookie: " R "\r\nHost: c\r\n" },
    { "GET / HTTP/1.1\r\nCookie: a\r\n\r\n b\r\n", "GET / HTTP/1.1\r\nCookie: " R "\r\n" },
    { "GET / HTTP/1.1\r\nCookie: a\r\r\n\r\n", "GET / HTTP/1.1\r\nCookie: " R "\r\n\r\n" },
    { "Cookie: a\r\nHost: b\r\n", "Cookie: " R "\r\nHost: b\r\n" },
    { "\r\n\r\nGET /?token=a HTTP/1.1\r\nCookie: b\r\n", "\r\n\r\nGET /?token=" R " HTTP/1.1\r\nCookie: " R "\r\n" },

    /* Cut off anywhere. */
    { "GET / HTTP/1.1\r\nAuthorizatio", "GET / HTTP/1.1\r\nAuthorizatio" },
    { "GET / HTTP/1.1\r\nAuthorization", "GET / HTTP/1.1\r\nAuthorization" },
    { "GET / HTTP/1.1\r\nAuthorization: ", "GET / HTTP/1.1\r\nAuthorization: " },
    { "GET / HTTP/1.1\r\nAuthorization: B", "GET / HTTP/1.1\r\nAuthorization: " R },
    { "GET / HTTP/1.1\r\nAuthorization: B\r", "GET / HTTP/1.1\r\nAuthorization: " R "\r" },
    { "GET / HTTP/1.1\r\nAuthorization: B\r\n", "GET / HTTP/1.1\r\nAuthorization: " R "\r\n" },
    { "GET /?tok", "GET /?tok" },
    { "GET /?token", "GET /?token" },
    { "GET /?token=", "GET /?token=" },
    { "GET /?token=a", "GET /?token=" R },
    { "GET /?token=a ", "GET /?token=" R " " },
    { "GET /?token=a HTT", "GET /?token=" R },
    { "GET http://u", "GET http://u" },
    { "GET http://u:", "GET http://" R },
    { "GET http://u:p", "GET http://" R },
    { "GET / HTTP/1.1\r\nReferer: http://a:80", "GET / HTTP/1.1\r\nReferer: http://" R },
    { "GET / HTTP/1.1\r\nReferer: http://a:80\r", "GET / HTTP/1.1\r\nReferer: http://a:80\r" },
    { "GET http://u:p@", "GET http://" R "@" },

    /* Parameters. */
    { "GET /?token=a HTTP/1.1\r\n\r\n", "GET /?token=" R " HTTP/1.1\r\n\r\n" },
    { "GET /?TOKEN=a&Api_Key=b&x=c HTTP/1.1\r\n", "GET /?TOKEN=" R "&Api_Key=" R "&x=c HTTP/1.1\r\n" },
    { "GET /?key=a&key=&key&key=b HTTP/1.1\r\n", "GET /?key=" R "&key=&key&key=" R " HTTP/1.1\r\n" },
    { "GET /?to%6ben=a&%74%6F%6B%65%6E=b HTTP/1.1\r\n", "GET /?to%6ben=" R "&%74%6F%6B%65%6E=" R " HTTP/1.1\r\n" },
    { "GET /?to%6=a&token%=b&token%00=c HTTP/1.1\r\n", "GET /?to%6=a&token%=b&token%00=c HTTP/1.1\r\n" },
    { "GET /?a=b;token=c HTTP/1.1\r\n", "GET /?a=b;token=" R " HTTP/1.1\r\n" },
    { "GET /?a;token=c&d HTTP/1.1\r\n", "GET /?a;token=" R "&d HTTP/1.1\r\n" },
    { "GET /?token=a;b=c HTTP/1.1\r\n", "GET /?token=" R " HTTP/1.1\r\n" },
    { "GET /?token=a=b?c HTTP/1.1\r\n", "GET /?token=" R " HTTP/1.1\r\n" },
    { "GET /?token=a b HTTP/1.1\r\n", "GET /?token=" R " HTTP/1.1\r\n" },
    { "GET /?token=a b c\r\n", "GET /?token=" R "\r\n" },
    { "GET /?token=a http/1.0\r\n", "GET /?token=" R " http/1.0\r\n" },
    { "GET /?next=/b?token=a&c=d HTTP/1.1\r\n", "GET /?next=/b?token=" R "&c=d HTTP/1.1\r\n" },
    { "GET /#access_token=a&b=c HTTP/1.1\r\n", "GET /#access_token=" R "&b=c HTTP/1.1\r\n" },
    { "GET /?token=a#b HTTP/1.1\r\n", "GET /?token=" R "#b HTTP/1.1\r\n" },
    { "GET /?mytoken=a&tokens=b&toke=c HTTP/1.1\r\n", "GET /?mytoken=a&tokens=b&toke=c HTTP/1.1\r\n" },
    { "GET /?X-Amz-Signature=a&X-Amz-Credential=b&X-Amz-Date=c HTTP/1.1\r\n",
      "GET /?X-Amz-Signature=" R "&X-Amz-Credential=" R "&X-Amz-Date=c HTTP/1.1\r\n" },
    { "GET /?tok\r\n en=a\r\n b HTTP/1.1\r\nHost: c\r\n", "GET /?tok\r\n en=" R " HTTP/1.1\r\nHost: c\r\n" },
    { "?token=a", "?token=" R },
    { "  GET  /?token=a  HTTP/1.1\r\n", "  GET  /?token=" R "  HTTP/1.1\r\n" },

    /* URIs in fields. */
    { "GET / HTTP/1.1\r\nReferer: http://a/?token=b&c=d\r\n\r\n",
      "GET / HTTP/1.1\r\nReferer: http://a/?token=" R "&c=d\r\n\r\n" },
    { "GET / HTTP/1.1\r\nREFERER :/?code=b\r\n c\r\nHost: d\r\n",
      "GET / HTTP/1.1\r\nREFERER :/?code=" R "\r\nHost: d\r\n" },
    { "GET / HTTP/1.1\r\nReferer: /?a=b\r\n Cookie: c\r\n", "GET / HTTP/1.1\r\nReferer: /?a=b\r\n Cookie: " R "\r\n" },
    { "GET / HTTP/1.1\r\nReferer: /?token=b\rCookie: c\r\n",
      "GET / HTTP/1.1\r\nReferer: /?token=" R "\rCookie: " R "\r\n" },
    { "HTTP/1.1 302 Found\r\nLocation: https://a/cb?code=b&state=c#id_token=d\r\n",
      "HTTP/1.1 302 Found\r\nLocation: https://a/cb?code=" R "&state=c#id_token=" R "\r\n" },
    { "HTTP/1.1 200 OK\r\nContent-Location: /?sig=a\r\nLink: </?sig=b>\r\n",
      "HTTP/1.1 200 OK\r\nContent-Location: /?sig=" R "\r\nLink: </?sig=" R "\r\n" },
    { "MOVE / HTTP/1.1\r\nDestination: http://u:p@a/b\r\n", "MOVE / HTTP/1.1\r\nDestination: http://" R "@a/b\r\n" },

    /* Userinfo. */
    { "GET http://u:p@a/b HTTP/1.1\r\n", "GET http://" R "@a/b HTTP/1.1\r\n" },
    { "GET http://u@v:p@a HTTP/1.1\r\n", "GET http://" R "@a HTTP/1.1\r\n" },
    { "CONNECT u:p@a:443 HTTP/1.1\r\n", "CONNECT " R "@a:443 HTTP/1.1\r\n" },
    { "GET ///u:p@a/ HTTP/1.1\r\n", "GET ///" R "@a/ HTTP/1.1\r\n" },
    { "GET /x/http://u:p@a/?to=ftp://v@b HTTP/1.1\r\n", "GET /x/http://" R "@a/?to=ftp://" R "@b HTTP/1.1\r\n" },
    { "GET /?a//u:p@b HTTP/1.1\r\n", "GET /?a//" R "@b HTTP/1.1\r\n" },
    { "GET &token=a@b HTTP/1.1\r\n", "GET " R " HTTP/1.1\r\n" },
    { "GET //u&token=a@b&c HTTP/1.1\r\n", "GET //" R "&c HTTP/1.1\r\n" },
    { "GET /?token=b://u&p@a&c HTTP/1.1\r\n", "GET /?token=" R "@a&c HTTP/1.1\r\n" },
    { "GET /?token=b//c&key=d@e/f&g HTTP/1.1\r\n", "GET /?token=" R "&g HTTP/1.1\r\n" },
    { "GET /?token=b://a&c=d HTTP/1.1\r\n", "GET /?token=" R "&c=d HTTP/1.1\r\n" },
    { "GET http://@a/ HTTP/1.1\r\n", "GET http://@a/ HTTP/1.1\r\n" },
    { "GET /@a/b@c?d=e@f HTTP/1.1\r\n", "GET /@a/b@c?d=e@f HTTP/1.1\r\n" },
    { "GET http://a/b@c HTTP/1.1\r\n", "GET http://a/b@c HTTP/1.1\r\n" },
    { "GET / HTTP/1.1\r\nReferer: http://u:p@a/?token=b\r\n",
      "GET / HTTP/1.1\r\nReferer: http://" R "@a/?token=" R "\r\n" },
};

/* A copy in memory of its own, so that the sanitizer sees what is read or written beyond it. */
static char *copy_of(struct span s)
{
    char *copy = malloc(s.n > 0 ? s.n : 1);

    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    return copy;
}

static void expect_text(const char *in, struct span is, const char *want)
{
    if (is.n != strlen(want) || memcmp(is.p, want, is.n) != 0)
        fail_msg("%s\n became\n%.*s\n not\n%s", in, (int)is.n, is.p, want);
}

static void secrets_are_removed(void **state)
{
    char out[1024];
    bool cut = true;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span in = span_of(rows[i].in);
        char *copy = copy_of(in);
        size_t n = secrets_copy(&secrets_standard, (struct span){ copy, in.n }, out, sizeof out, &cut);

        expect_text(rows[i].in, (struct span){ out, n }, rows[i].out);
        assert_false(cut);
        free(copy);
    }
    assert_int_equal(secrets_copy(&secrets_standard, (struct span){ 0 }, NULL, 0, &cut), 0);
    assert_false(cut);
}

/* What fits of `whole`, marks in one piece. */
static size_t fitting(const char *whole, size_t room)
{
    const char *mark = whole;
    size_t n = strlen(whole);

    if (n <= room)
        return n;
    while ((mark = strstr(mark, R)) != NULL && mark < whole + room) {
        if (mark + strlen(R) > whole + room)
            return (size_t)(mark - whole);
        mark++;
    }
    return room;
}

static void room_may_end_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t room = 0, n = strlen(rows[i].out); room <= n + 1; room++) {
            char *out = malloc(room > 0 ? room : 1);
            bool cut;
            size_t wrote = secrets_copy(&secrets_standard, span_of(rows[i].in), out, room, &cut);

            assert_int_equal(wrote, fitting(rows[i].out, room));
            assert_memory_equal(out, rows[i].out, wrote);
            assert_int_equal(cut, room < n);
            free(out);
        }
}

/* Where a head could be read, its known parts lead to the same text. */
static void a_known_head_gives_the_same(void **state)
{
    char out[1024];
    unsigned read = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange *x = made(span_of(rows[i].in));
        bool cut;
        size_t n = secrets_copy_request(&secrets_standard, x, out, sizeof out, &cut);

        if (x->head_verdict.why == R_NONE && x->req.head.bytes < strlen(rows[i].in))
            continue;
        read += x->head_verdict.why == R_NONE;
        expect_text(rows[i].in, (struct span){ out, n }, rows[i].out);
    }
    assert_true(read > 8);
}

/* The parts of the head were moved elsewhere: they are found again in its text. */
static void a_head_out_of_place_is_searched(void **state)
{
    struct exchange *x = made(span_of("GET /?token=a HTTP/1.1\r\nCookie: b\r\n\r\n"));
    char out[100];
    bool cut;

    (void)state;
    x->req.head_text = span_of("GET /?token=a HTTP/1.1\r\nCookie: b\r\n\r\n");
    x->req.head.target = SPAN("/?token=a");
    expect_text("moved", (struct span){ out, secrets_copy_request(&secrets_standard, x, out, sizeof out, &cut) },
                "GET /?token=" R " HTTP/1.1\r\nCookie: " R "\r\n\r\n");
}

static void heads_that_may_hold_secrets_are_suspected(void **state)
{
    static const struct {
        const char *request;
        bool suspected;
    } heads[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", false },
        { "GET /a/b.html HTTP/1.1\r\nHost: a\r\nUser-Agent: ?b=@\r\nX-Other: c\r\n\r\n", false },
        { "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", false },
        { "GET /? HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET /a@b HTTP/1.1\r\nHost: a\r\n\r\n", false },
        { "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nReferer: http://a/b\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nReferer: http://a/?b\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nReferer: http://a/?b=c\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nReferer: http://a/long/enough;b=c\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nReferer: http://b@a/\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nReferer: http://a/#b\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nReferer: http://a/#b=c\r\n\r\n", true },
        { "MOVE / HTTP/1.1\r\nDestination: http://a/?b=c\r\n\r\n", true },
        { "GET / HTTP/1.1\r\ncookie: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nX-API-Key: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nX-Csrf-Token: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost : a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost", true },
        { "GET", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (secrets_suspected(&secrets_standard, made(span_of(heads[i].request))) != heads[i].suspected)
            fail_msg("%s", heads[i].request);
}

static void texts_that_are_no_heads_are_copied(void **state)
{
    static const struct {
        const char *in, *out;
    } texts[] = {
        { "", "" },
        { "/a/b", "/a/b" },
        { "Cookie: 8192 bytes", "Cookie: 8192 bytes" },
        { "http://a:80", "http://a:80" },
        { "http://u:p@a:80", "http://" R "@a:80" },
        { "/a?token=b&c=d", "/a?token=" R "&c=d" },
    };
    char out[100];
    bool cut;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t n = secrets_copy_uris(&secrets_standard, span_of(texts[i].in), out, sizeof out, &cut);

        expect_text(texts[i].in, (struct span){ out, n }, texts[i].out);
        assert_false(cut);
    }
    assert_int_equal(secrets_copy_uris(&secrets_standard, SPAN("/?token=b"), out, 10, &cut), 8);
    assert_true(cut);
}

static void other_names_may_be_configured(void **state)
{
    static const struct span fields[] = { SPAN_INIT("X-Mine"), SPAN_INIT("Via") }, queries[] = { SPAN_INIT("Mine") };
    static const char request[] = "GET /?mine=a&token=b HTTP/1.1\r\nX-MINE: c\r\nCookie: d\r\nvia: e\r\n\r\n";
    static const char want[] = "GET /?mine=" R "&token=b HTTP/1.1\r\nX-MINE: " R "\r\nCookie: d\r\nvia: " R "\r\n\r\n";
    struct secrets mine = { .fields = fields, .queries = queries, .field_count = 2, .query_count = 1 };
    char out[200];
    bool cut;

    (void)state;
    for (int prepared = 0; prepared < 2; prepared++) {
        struct exchange *x = made(span_of(request));

        expect_text(request, (struct span){ out, secrets_copy(&mine, span_of(request), out, sizeof out, &cut) }, want);
        expect_text(request, (struct span){ out, secrets_copy_request(&mine, x, out, sizeof out, &cut) }, want);
        assert_true(secrets_suspected(&mine, made(span_of("GET / HTTP/1.1\r\nx-mine: c\r\n\r\n"))));
        assert_true(secrets_suspected(&mine, made(span_of("GET / HTTP/1.1\r\nVIA: c\r\n\r\n"))));
        assert_false(secrets_suspected(&mine, made(span_of("GET / HTTP/1.1\r\nCookie: d\r\nX-Yours: c\r\n\r\n"))));
        secrets_prepare(&mine);
    }
    assert_true(secrets_field(&mine, SPAN("x-mIne")));
    assert_false(secrets_field(&mine, SPAN("x-min")));
    assert_false(secrets_field(&mine, (struct span){ 0 }));
}

static void the_standard_is_prepared(void **state)
{
    struct secrets again = secrets_standard;

    (void)state;
    secrets_prepare(&again);
    assert_memory_equal(again.kinds, secrets_standard.kinds, sizeof again.kinds);
    for (uint32_t i = 0; i < again.field_count; i++)
        assert_int_equal(again.kinds[field_find(again.fields[i])], SECRET_LISTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_removed),
        cmocka_unit_test(room_may_end_anywhere),
        cmocka_unit_test(a_known_head_gives_the_same),
        cmocka_unit_test(a_head_out_of_place_is_searched),
        cmocka_unit_test(heads_that_may_hold_secrets_are_suspected),
        cmocka_unit_test(texts_that_are_no_heads_are_copied),
        cmocka_unit_test(other_names_may_be_configured),
        cmocka_unit_test(the_standard_is_prepared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
