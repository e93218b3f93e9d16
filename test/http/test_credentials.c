#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/base64.h"
#include "http/credentials.h"

#define GOOD SIZE_MAX

struct parse_case {
    const char *value;
    size_t bad;       /* GOOD, or the offset */
    const char *want; /* scheme|token68|name=value;... */
};

static const struct parse_case parse_cases[] = {
    { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", GOOD, "Basic|QWxhZGRpbjpvcGVuIHNlc2FtZQ==|" },
    { "Negotiate", GOOD, "Negotiate||" },
    { "Basic   a", GOOD, "Basic|a|" },
    { "x -._~+/===", GOOD, "x|-._~+/===|" },
    /* one parameter without a value is a token68 */
    { "Digest realm=", GOOD, "Digest|realm=|" },
    { "Digest realm=a", GOOD, "Digest||realm=a;" },
    { "Digest a=b,c=\"d\" ,\te = \"\", f\t=\tg", GOOD, "Digest||a=b;c=d;e=;f=g;" },
    { "Digest ,, a=b,,", GOOD, "Digest||a=b;" },
    { "Digest a=\"x\\\"y\\\\z\\q\", b=\"\\,\"", GOOD, "Digest||a=x\"y\\zq;b=,;" },
    { "Digest a=\"\xc3\xa4 \t\"", GOOD, "Digest||a=\xc3\xa4 \t;" },
    { "Digest username*=UTF-8''a", GOOD, "Digest||username*=UTF-8''a;" },
    { "Digest a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1", GOOD,
      "Digest||a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1;" },
    { "Digest a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1,q=1", 71, "" },
    { "", 0, "" },
    { "=", 0, "" },
    { "Basic,", 5, "" },
    { "Basic\ta", 5, "" },
    { "Basic a b", 8, "" },
    { "Basic a,", 7, "" },
    { "Basic a=b=", 9, "" },
    { "Digest a=b c=d", 11, "" },
    { "Digest a=b, =c", 12, "" },
    { "Digest a=b, c=", 14, "" },
    { "Digest a=b, c=,", 14, "" },
    { "Digest a=b, a=c", 12, "" },
    { "Digest a=b, A=c", 12, "" },
    { "Digest a=\"\", a=c", 13, "" },
    { "Digest a=\"b", 11, "" },
    { "Digest a=\"b\\", 12, "" },
    { "Digest a=\"b\\\"", 13, "" },
    { "Digest a=\"b\x01\"", 11, "" },
    { "Digest a=\"b\\\x01\"", 12, "" },
    { "Digest a=\"b\"c", 12, "" },
    { "Digest a=b\xc3", 10, "" },
};

static void describe(const struct credentials *c, char *text, size_t room)
{
    size_t used = (size_t)snprintf(text, room, "%.*s|%.*s|", (int)c->scheme.n, c->scheme.p, (int)c->token68.n,
                                   c->token68.n > 0 ? c->token68.p : "");

    for (size_t i = 0; i < c->count; i++)
        used += (size_t)snprintf(text + used, room - used, "%.*s=%.*s;", (int)c->parameters[i].name.n,
                                 c->parameters[i].name.p, (int)c->parameters[i].value.n, c->parameters[i].value.p);
}

static void a_value_is_taken_apart_or_refused_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parse_cases / sizeof *parse_cases; i++) {
        const struct parse_case *t = &parse_cases[i];
        struct span value = guarded(span_of(t->value));
        char *memory = malloc(value.n + 1), text[512] = "";
        size_t bad = GOOD;
        struct credentials c;

        if (credentials_parse(value, memory, &c, &bad))
            describe(&c, text, sizeof text);
        if (bad != t->bad || strcmp(text, t->want) != 0)
            print_message("%s: %zu \"%s\"\n", t->value, bad, text);
        assert_int_equal(bad, t->bad);
        assert_string_equal(text, t->want);
        free(memory);
    }
}

static void a_parameter_is_found_in_any_case(void **state)
{
    struct credentials c;
    char memory[64];
    size_t bad;

    (void)state;
    assert_true(credentials_parse(SPAN("Digest nc=1, Realm=\"\""), memory, &c, &bad));
    assert_true(span_is(credentials_value(&c, SPAN("NC")), SPAN("1")));
    assert_non_null(credentials_value(&c, SPAN("realm")).p);
    assert_null(credentials_value(&c, SPAN("nonce")).p);
}

struct base64_case {
    const char *text;
    int bytes; /* -1: refused */
    const char *want;
};

/* RFC4648:10 */
static const struct base64_case base64_cases[] = {
    { "", 0, "" },        { "Zg==", 1, "f" },          { "Zm8=", 2, "fo" },
    { "Zm9v", 3, "foo" }, { "Zm9vYmFy", 6, "foobar" }, { "+/+/", 3, "\xfb\xff\xbf" },
    { "Zg", -1, "" },     { "Zg=", -1, "" },           { "Zg===", -1, "" },
    { "Zh==", -1, "" }, /* bits that belong to no byte */
    { "Zm9=", -1, "" },   { "=Zg=", -1, "" },          { "Z===", -1, "" },
    { "====", -1, "" },   { "Zg==Zg==", -1, "" },      { "Zm-_", -1, "" },
    { "Zm 9", -1, "" },   { "Zm9\xc3", -1, "" },
};

static void base64_is_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof base64_cases / sizeof *base64_cases; i++) {
        const struct base64_case *t = &base64_cases[i];
        struct span in = guarded(span_of(t->text));
        char *out = malloc(BASE64_BYTES(in.n) + 1);
        size_t bytes = 99;
        bool good = base64_decode(in, out, &bytes);

        assert_int_equal(good ? (int)bytes : -1, t->bytes);
        if (good)
            assert_memory_equal(out, t->want, bytes);
        free(out);
    }
}

struct basic_case {
    const char *token68, *user, *password; /* user NULL: refused */
};

static const struct basic_case basic_cases[] = {
    { "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" }, /* RFC7617:2 */
    { "dGVzdDoxMjPCow==", "test", "123\xc2\xa3" },                /* RFC7617:2.1 */
    { "Og==", "", "" },
    { "YTo6Yg==", "a", ":b" },
    { "YWI=", NULL, NULL },     /* no colon */
    { "YTr/", NULL, NULL },     /* no UTF-8 */
    { "YToKYg==", NULL, NULL }, /* a line feed */
    { "YToAYg==", NULL, NULL }, /* a NUL */
    { "YTp/", NULL, NULL },     /* DEL */
    { "YTpi=", NULL, NULL },    /* no base64 */
};

static void basic_gives_user_and_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof basic_cases / sizeof *basic_cases; i++) {
        const struct basic_case *t = &basic_cases[i];
        struct span token68 = guarded(span_of(t->token68)), user, password;
        char memory[64];

        assert_int_equal(basic_decode(token68, memory, &user, &password), t->user != NULL);
        if (t->user == NULL)
            continue;
        assert_true(span_is(user, span_of(t->user)));
        assert_true(span_is(password, span_of(t->password)));
    }
}

static void challenges_are_quoted(void **state)
{
    const struct digest_challenge plain = { .realm = SPAN_INIT("r"),
                                            .algorithm = SPAN_INIT("SHA-256"),
                                            .nonce = SPAN_INIT("n") };
    const struct digest_challenge full = { .realm = SPAN_INIT("a \"b\""),
                                           .algorithm = SPAN_INIT("MD5"),
                                           .nonce = SPAN_INIT("n"),
                                           .opaque = SPAN_INIT("o"),
                                           .stale = true };
    char out[200];
    size_t n;

    (void)state;
    n = basic_challenge_write(SPAN("a\r\n\"\\"), out, sizeof out);
    assert_true(span_is((struct span){ out, n }, SPAN("Basic realm=\"a\\\"\\\\\", charset=\"UTF-8\"")));
    assert_int_equal(basic_challenge_write(SPAN("a\r\n\"\\"), NULL, 0), n);
    n = digest_challenge_write(&plain, out, sizeof out);
    assert_true(span_is((struct span){ out, n },
                        SPAN("Digest realm=\"r\", qop=\"auth\", algorithm=SHA-256, nonce=\"n\", charset=UTF-8")));
    n = digest_challenge_write(&full, out, sizeof out);
    assert_true(span_is((struct span){ out, n },
                        SPAN("Digest realm=\"a \\\"b\\\"\", qop=\"auth\", algorithm=MD5, nonce=\"n\", opaque=\"o\", "
                             "charset=UTF-8, stale=true")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_taken_apart_or_refused_at_its_place),
        cmocka_unit_test(a_parameter_is_found_in_any_case),
        cmocka_unit_test(base64_is_read_strictly),
        cmocka_unit_test(basic_gives_user_and_password),
        cmocka_unit_test(challenges_are_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
