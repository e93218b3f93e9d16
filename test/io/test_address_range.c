#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "io/address.h"

#define FORM   "not an address or a range of them"
#define BITS   "not the length of a prefix"
#define BEYOND "bits beyond the prefix are set"

struct parse_case {
    const char *text;
    int bits;        /* -1: refused */
    const char *why; /* beginning of the sentence */
};

static const struct parse_case parse_cases[] = {
    { "192.0.2.1", 128, NULL },
    { "192.0.2.0/24", 120, NULL },
    { "192.0.2.1/32", 128, NULL },
    { "0.0.0.0/0", 96, NULL },
    { "128.0.0.0/1", 97, NULL },
    { "::1", 128, NULL },
    { "2001:db8::/32", 32, NULL },
    { "2001:DB8::/33", 33, NULL },
    { "::/0", 0, NULL },
    { "::ffff:192.0.2.0/120", 120, NULL },
    { "unix:", 255, NULL },
    { "", -1, FORM },
    { "/", -1, FORM },
    { "/24", -1, FORM },
    { "localhost", -1, FORM },
    { "example.org/8", -1, FORM },
    { "192.0.2", -1, FORM },
    { "192.0.2.1:80", -1, FORM },
    { "[::1]", -1, FORM },
    { "fe80::1%lo", -1, FORM },
    { "unix:/run/x", -1, FORM },
    { "192.0.2.1 ", -1, FORM },
    { "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", -1, FORM },
    { "192.0.2.0/", -1, BITS },
    { "192.0.2.0/33", -1, BITS },
    { "192.0.2.0/024", -1, BITS },
    { "192.0.2.0/-1", -1, BITS },
    { "192.0.2.0/255.255.255.0", -1, BITS },
    { "192.0.2.0/4294967320", -1, BITS },
    { "2001:db8::/129", -1, BITS },
    { "2001:db8::/32/32", -1, BITS },
    { "192.0.2.1/24", -1, BEYOND },
    { "192.0.2.128/24", -1, BEYOND },
    { "64.0.0.0/1", -1, BEYOND },
    { "0.0.0.1/0", -1, BEYOND },
    { "2001:db8:8000::/32", -1, BEYOND },
    { "::1/127", -1, BEYOND },
};

static void ranges_are_read_or_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++) {
        const struct parse_case *c = &parse_cases[i];
        struct address_range range = { .bits = 77 };
        const char *why = "";
        int err = address_range_parse(span_of(c->text), &range, &why);

        if (err != (c->bits < 0 ? -EINVAL : 0) || range.bits != (c->bits < 0 ? 77 : c->bits) ||
            (c->why != NULL && strncmp(why, c->why, strlen(c->why)) != 0))
            fail_msg("\"%s\" gave %d with %u bits: %s", c->text, err, range.bits, why);
    }
}

/* A text need not end with NUL. */
static void what_follows_the_text_is_not_read(void **state)
{
    struct address_range range;
    const char *why;

    (void)state;
    assert_int_equal(address_range_parse((struct span){ "192.0.2.0/245", 12 }, &range, &why), 0);
    assert_int_equal(range.bits, 120);
    assert_int_equal(address_range_parse((struct span){ NULL, 0 }, &range, &why), -EINVAL);
}

struct in_case {
    const char *range, *address; /* "": a unix socket; "?": of no family */
    bool in;
};

static const struct in_case in_cases[] = {
    { "192.0.2.0/24", "192.0.2.0", true },
    { "192.0.2.0/24", "192.0.2.255", true },
    { "192.0.2.0/24", "192.0.3.0", false },
    { "192.0.2.0/24", "192.0.1.255", false },
    { "192.0.2.0/24", "::ffff:192.0.2.9", true },
    { "192.0.2.0/24", "::c000:209", false },
    { "192.0.2.0/25", "192.0.2.127", true },
    { "192.0.2.0/25", "192.0.2.128", false },
    { "192.0.2.1", "192.0.2.1", true },
    { "192.0.2.1", "192.0.2.0", false },
    { "::ffff:192.0.2.0/120", "192.0.2.7", true },
    { "0.0.0.0/0", "255.255.255.255", true },
    { "0.0.0.0/0", "2001:db8::1", false },
    { "2001:db8::/33", "2001:db8:7fff::1", true },
    { "2001:db8::/33", "2001:db8:8000::1", false },
    { "::1", "::1", true },
    { "::1", "::2", false },
    { "::/0", "2001:db8::1", true },
    { "::/0", "192.0.2.1", true },
    { "::/0", "", false },
    { "::/0", "?", false },
    { "unix:", "", true },
    { "unix:", "192.0.2.1", false },
    { "unix:", "::", false },
    { "unix:", "?", false },
};

static void peer_of(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

    *out = (struct sockaddr_storage){ 0 };
    if (*text == '\0')
        out->ss_family = AF_UNIX;
    else if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
        *in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = 5, .sin_addr = in->sin_addr };
    else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
        in6->sin6_family = AF_INET6;
}

static void peers_are_in_a_range_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof in_cases / sizeof in_cases[0]; i++) {
        const struct in_case *c = &in_cases[i];
        struct sockaddr_storage peer;
        struct address_range range;
        const char *why;

        peer_of(c->address, &peer);
        assert_int_equal(address_range_parse(span_of(c->range), &range, &why), 0);
        if (address_in(&range, (const struct sockaddr *)&peer) != c->in)
            fail_msg("%s is %sin %s", c->address, c->in ? "not " : "", c->range);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_or_refused_with_a_reason),
        cmocka_unit_test(what_follows_the_text_is_not_read),
        cmocka_unit_test(peers_are_in_a_range_or_not),
    };

    return cmocka_run_group_tests_name("address_range", tests, NULL, NULL);
}
