#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/address.h"

struct parse_case {
    const char *text;
    const char *want; /* canonical text; NULL: refused */
    const char *why;  /* beginning of the sentence */
};

#define TEN      "/bcdefghij"
#define PATH_107 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "/abcdef"

static const struct parse_case parse_cases[] = {
    { "127.0.0.1:8080", "127.0.0.1:8080", NULL },
    { "0.0.0.0:80", "0.0.0.0:80", NULL },
    { "0.0.0.0:0", "0.0.0.0:0", NULL },
    { "192.0.2.1:65535", "192.0.2.1:65535", NULL },
    { "192.0.2.1:00080", "192.0.2.1:80", NULL },
    { "localhost:8080", "127.0.0.1:8080", NULL },
    { "LocalHost:1", "127.0.0.1:1", NULL },
    { "[::1]:8080", "[::1]:8080", NULL },
    { "[::]:80", "[::]:80", NULL },
    { "[2001:DB8:0:0:0:0:0:1]:443", "[2001:db8::1]:443", NULL },
    { "[fe80::1%lo]:80", "[fe80::1%lo]:80", NULL },
    { "[::ffff:192.0.2.1]:80", "192.0.2.1:80", NULL },
    { "unix:/run/verdict.sock", "unix:/run/verdict.sock", NULL },
    { "unix:" PATH_107, "unix:" PATH_107, NULL },
    { "unix:" PATH_107 "h", NULL, "not the path" },
    { "unix:", NULL, "not the path" },
    { "unix:/", NULL, "not the path" },
    { "unix:/run/", NULL, "not the path" },
    { "unix:relative", NULL, "not the path" },
    { "", NULL, "not an address" },
    { ":8080", NULL, "no host: write 127.0.0.1:8080" },
    { "8080", NULL, "no host: write 127.0.0.1:8080" },
    { ":", NULL, "no host" },
    { "localhost", NULL, "no port: append one, as in 127.0.0.1:8080" },
    { "example.org:8080", NULL, "not a numeric address: names are not looked up, only numbers and localhost" },
    { "127.0.0.1", NULL, "no port" },
    { "127.0.0.1:", NULL, "no port" },
    { "[::1]", NULL, "no port" },
    { "[::1]:", NULL, "no port" },
    { "[::1]8080", NULL, "no port" },
    { "127.0.0.1:65536", NULL, "not a port" },
    { "127.0.0.1:99999999999999999999", NULL, "not a port" },
    { "127.0.0.1:-1", NULL, "not a port" },
    { "127.0.0.1:+1", NULL, "not a port" },
    { "127.0.0.1: 1", NULL, "not a port" },
    { "127.0.0.1:http", NULL, "not a port" },
    { "127.1:80", NULL, "not a numeric" },
    { "0x7f.0.0.1:80", NULL, "not a numeric" },
    { "256.0.0.1:80", NULL, "not a numeric" },
    { "example.org:80", NULL, "not a numeric" },
    { "*:80", NULL, "not a numeric" },
    { "::1:80", NULL, "no host" },
    { "2001:db8::1:80", NULL, "not an IPv6" },
    { "[::1", NULL, "not an IPv6" },
    { "[]:80", NULL, "not an IPv6" },
    { "[127.0.0.1]:80", NULL, "not an IPv6" },
    { "[1:2:3]:80", NULL, "not an IPv6" },
    { "[fe80::1%no-such-one]:80", NULL, "no network interface" },
};

static void parse_reads_and_says_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++) {
        const struct parse_case *c = &parse_cases[i];
        struct address a = { .len = 77 };
        const char *why = "";
        const int err = address_parse(span_of(c->text), &a, &why);

        if ((err == 0) != (c->want != NULL))
            print_error("%s: %s\n", c->text, why);
        if (c->want != NULL) {
            assert_int_equal(err, 0);
            assert_string_equal(a.text, c->want);
        } else {
            assert_int_equal(err, -EINVAL);
            assert_memory_equal(why, c->why, strlen(c->why));
            assert_non_null(strstr(why, ": ")); /* what to do follows */
            assert_int_equal(a.len, 77);
        }
    }
}

static void a_path_with_nul_is_refused(void **state)
{
    struct address a;
    const char *why;

    (void)state;
    assert_int_equal(address_parse(SPAN("unix:/run/a\0b"), &a, &why), -EINVAL);
}

static void the_port_of_a_socket_is_known(void **state)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct address a, bound;
    const char *why;

    (void)state;
    assert_int_equal(address_parse(SPAN("127.0.0.1:0"), &a, &why), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a.socket, a.len), 0);
    assert_int_equal(address_of_socket(fd, &bound), 0);
    assert_string_not_equal(bound.text, "127.0.0.1:0");
    assert_memory_equal(bound.text, "127.0.0.1:", 10);
    close(fd);
    assert_int_equal(address_of_socket(fd, &bound), -EBADF);
}

static struct address of(const char *text)
{
    struct address a;
    const char *why;

    assert_int_equal(address_parse(span_of(text), &a, &why), 0);
    return a;
}

static void peers_are_printed_with_and_without_port(void **state)
{
    static const struct {
        const char *address, *host, *whole;
    } cases[] = {
        { "192.0.2.7:1234", "192.0.2.7", "192.0.2.7:1234" },
        { "[2001:db8::7]:1234", "2001:db8::7", "[2001:db8::7]:1234" },
        { "[::ffff:192.0.2.7]:1234", "192.0.2.7", "192.0.2.7:1234" },
        { "unix:/a", "unix:/a", "unix:/a" },
    };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    char buf[ADDRESS_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address a = of(cases[i].address);
        const struct sockaddr *sa = (struct sockaddr *)&a.socket;

        assert_true(span_is(address_print(sa, a.len, ADDRESS_HOST, buf), span_of(cases[i].host)));
        assert_true(span_is(address_print(sa, a.len, ADDRESS_WHOLE, buf), span_of(cases[i].whole)));
        assert_string_equal(buf, cases[i].whole);
    }
    assert_true(span_is(address_print((struct sockaddr *)&un, sizeof un.sun_family, ADDRESS_HOST, buf), SPAN("unix:")));
    memset(un.sun_path, 'x', sizeof un.sun_path); /* full length: no NUL */
    assert_int_equal(address_print((struct sockaddr *)&un, sizeof un, ADDRESS_HOST, buf).n, 5 + sizeof un.sun_path);
    assert_int_equal(address_print((struct sockaddr *)&un, 0, ADDRESS_HOST, buf).n, 0);
}

static bool same_client(const char *one, const char *other)
{
    struct address a = of(one), b = of(other);
    uint8_t a_key[ADDRESS_KEY_BYTES], b_key[ADDRESS_KEY_BYTES];

    address_key((struct sockaddr *)&a.socket, a_key);
    address_key((struct sockaddr *)&b.socket, b_key);
    return memcmp(a_key, b_key, sizeof a_key) == 0;
}

static void keys_tell_clients_apart(void **state)
{
    (void)state;
    assert_true(same_client("192.0.2.1:1", "192.0.2.1:2"));
    assert_false(same_client("192.0.2.1:1", "192.0.2.2:1"));
    assert_true(same_client("192.0.2.1:1", "[::ffff:192.0.2.1]:1"));
    assert_true(same_client("[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::2]:2"));
    assert_false(same_client("[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1"));
    assert_true(same_client("unix:/a", "unix:/b"));
    assert_false(same_client("unix:/a", "0.0.0.0:1"));
    assert_false(same_client("[::]:1", "0.0.0.0:1"));
}

static void local_ones_are_known(void **state)
{
    static const char *const local[] = { "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:/a" };
    static const char *const others[] = { "0.0.0.0:1", "[::]:1", "128.0.0.1:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1" };

    (void)state;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        struct address a = of(local[i]), b = of(others[i]);

        assert_true(address_is_local(&a));
        assert_false(address_is_local(&b));
    }
}

static void hosts_become_sockets(void **state)
{
    static const char *const good[] = { "192.0.2.1", "2001:db8::1", "::", "0.0.0.0" };
    static const char *const bad[] = { "",           "192.0.2",     "192.0.2.1:1", "[::1]", "localhost",
                                       "fe80::1%lo", "192.0.2.256", "unix:/a",     "::1 ",  " 0.0.0.0" };
    struct sockaddr_storage socket;
    char text[ADDRESS_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        socklen_t n = address_of_host(span_of(good[i]), 81, &socket);

        assert_true(n > 0);
        assert_string_equal(address_print((const struct sockaddr *)&socket, n, ADDRESS_HOST, text).p, good[i]);
        address_print((const struct sockaddr *)&socket, n, ADDRESS_WHOLE, text);
        assert_string_equal(strrchr(text, ':'), ":81");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(address_of_host(span_of(bad[i]), 81, &socket), 0);
    assert_int_equal(address_of_host((struct span){ "192.0.2.1\0", 10 }, 81, &socket), 0);
    assert_int_equal(address_of_host((struct span){ "::1\0x", 5 }, 81, &socket), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_and_says_why_not),  cmocka_unit_test(a_path_with_nul_is_refused),
        cmocka_unit_test(the_port_of_a_socket_is_known), cmocka_unit_test(peers_are_printed_with_and_without_port),
        cmocka_unit_test(keys_tell_clients_apart),       cmocka_unit_test(local_ones_are_known),
        cmocka_unit_test(hosts_become_sockets),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
