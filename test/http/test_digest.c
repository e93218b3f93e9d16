#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/digest.h"

#define H32  "0123456789abcdefABCDEF0123456789"
#define REST "realm=\"r\", nonce=\"n\", uri=\"/\", cnonce=\"c\""
#define TAIL ", nc=0000000a, qop=auth, response=\"" H32 "\""
#define ALL  REST TAIL

struct digest_case {
    const char *parameters;
    enum digest_fault want;
    const char *user; /* of a good one */
};

static const struct digest_case cases[] = {
    { "username=\"u\", " ALL, DIGEST_GOOD, "u" },
    { "username=\"u\", algorithm=MD5, " ALL, DIGEST_GOOD, "u" },
    { "username=\"u\", algorithm=\"md5\", " ALL, DIGEST_GOOD, "u" },
    { "username=\"u\", userhash=false, opaque=\"x\", " ALL, DIGEST_GOOD, "u" },
    { "username=\"u\", algorithm=SHA-256, " REST ", nc=00000001, qop=auth, response=\"" H32 H32 "\"", DIGEST_GOOD,
      "u" },
    { "username*=UTF-8''J%C3%A4s%c3%B8n, " ALL, DIGEST_GOOD, "J\xc3\xa4s\xc3\xb8n" },
    { "username*=utf-8'de'a'b, " ALL, DIGEST_GOOD, "a'b" },
    { "username*=UTF-8''%C3, " ALL, DIGEST_MALFORMED, NULL },
    { "username*=UTF-8''%4, " ALL, DIGEST_MALFORMED, NULL },
    { "username*=UTF-8''%00, " ALL, DIGEST_MALFORMED, NULL },
    { "username*=UTF-8'x, " ALL, DIGEST_MALFORMED, NULL },
    { "username*=ISO-8859-1''x, " ALL, DIGEST_MALFORMED, NULL },
    { "username=\"u\", username*=UTF-8''u, " ALL, DIGEST_MALFORMED, NULL },
    { "username=\"\xc3\", " ALL, DIGEST_MALFORMED, NULL },
    { ALL, DIGEST_MALFORMED, NULL },
    { "username=\"u\", userhash=true, " ALL, DIGEST_MALFORMED, NULL },
    { "username=\"u\", algorithm=SHA-256, " ALL, DIGEST_MALFORMED, NULL },
    { "username=\"u\", algorithm=MD5-sess, " ALL, DIGEST_UNKNOWN_ALGORITHM, NULL },
    { "username=\"u\", algorithm=SHA-512-256, " ALL, DIGEST_UNKNOWN_ALGORITHM, NULL },
    { "username=\"u\", " REST ", nc=00000000, qop=auth, response=\"" H32 "\"", DIGEST_MALFORMED, NULL },
    { "username=\"u\", " REST ", nc=1, qop=auth, response=\"" H32 "\"", DIGEST_MALFORMED, NULL },
    { "username=\"u\", " REST ", nc=0000000g, qop=auth, response=\"" H32 "\"", DIGEST_MALFORMED, NULL },
    { "username=\"u\", " REST ", nc=00000001, qop=auth-int, response=\"" H32 "\"", DIGEST_MALFORMED, NULL },
    { "username=\"u\", " REST ", nc=00000001, response=\"" H32 "\"", DIGEST_MALFORMED, NULL },
    { "username=\"u\", " REST ", nc=00000001, qop=auth", DIGEST_MALFORMED, NULL },
    { "username=\"u\", realm=\"r\", uri=\"/\", cnonce=\"c\"" TAIL, DIGEST_MALFORMED, NULL },
    { "username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", cnonce=\"\"" TAIL, DIGEST_MALFORMED, NULL },
    { "username=\"u\", realm=\"r\", nonce=\"n\", uri=\"\", cnonce=\"c\"" TAIL, DIGEST_MALFORMED, NULL },
    { "username=\"u\", nonce=\"n\", uri=\"/\", cnonce=\"c\"" TAIL, DIGEST_MALFORMED, NULL },
};

static void parameters_are_all_there_and_possible(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct digest_case *t = &cases[i];
        char value[512], memory[512], decoded[512];
        struct credentials c;
        struct digest d;
        size_t bad;

        snprintf(value, sizeof value, "Digest %s", t->parameters);
        assert_true(credentials_parse(span_of(value), memory, &c, &bad));
        if (digest_read(&c, decoded, &d) != t->want)
            print_message("%s\n", value);
        assert_int_equal(digest_read(&c, decoded, &d), t->want);
        if (t->user != NULL)
            assert_true(span_is(d.user, span_of(t->user)));
    }
}

static void the_count_is_read(void **state)
{
    char memory[512], decoded[512];
    struct credentials c;
    struct digest d;
    size_t bad;

    (void)state;
    assert_true(credentials_parse(SPAN("Digest username=u, " ALL), memory, &c, &bad));
    assert_int_equal(digest_read(&c, decoded, &d), DIGEST_GOOD);
    assert_int_equal(d.nc_value, 10);
    assert_int_equal(d.algorithm, DIGEST_MD5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_all_there_and_possible),
        cmocka_unit_test(the_count_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
