#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>

#include "base/check.h"
#include "io/address.h"
#include "io/proxy_protocol.h"

#define V2  "\r\n\r\n\0\r\nQUIT\n"
#define X16 "xxxxxxxxxxxxxxxx"
#define X80 X16 X16 X16 X16 X16

/* So that a byte read too much ends the test. The caller frees it. */
static char *copy_of(struct span s)
{
    char *copy = malloc(s.n > 0 ? s.n : 1);

    DIE_UNLESS(copy != NULL);
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    return copy;
}

struct result {
    int error;
    size_t used;
    const char *why;
    struct proxy_protocol header;
};

static struct result read_first(struct span in, size_t n)
{
    struct result r = { .used = 7777, .why = "" };
    char *copy = copy_of((struct span){ in.p, n });

    r.error = proxy_protocol_read((struct span){ copy, n }, &r.header, &r.used, &r.why);
    free(copy);
    return r;
}

struct refusal {
    struct span in;
    size_t at;
    const char *why; /* beginning of the sentence */
};

static const struct refusal refusals[] = {
    { SPAN_INIT("GET / HTTP/1.1\r\n"), 0, "the connection does not begin" },
    { SPAN_INIT("POST / HTTP/1.1\r\n"), 1, "the connection does not begin" },
    { SPAN_INIT("PRI * HTTP/2.0\r\n"), 2, "the connection does not begin" },
    { SPAN_INIT("PROXY\tTCP4"), 5, "the connection does not begin" },
    { SPAN_INIT("proxy TCP4"), 0, "the connection does not begin" },
    { SPAN_INIT(" PROXY"), 0, "the connection does not begin" },
    { SPAN_INIT("\x16\x03\x01"), 0, "the connection does not begin" },
    { SPAN_INIT("\0"), 0, "the connection does not begin" },
    { SPAN_INIT("\r\nGET"), 2, "the connection does not begin" },
    { SPAN_INIT("\r\n\r\n\0\r\nQUIT\r"), 11, "the connection does not begin" },
    /* version 1 */
    { SPAN_INIT("PROXY \r\n"), 6, "the PROXY line is not about" },
    { SPAN_INIT("PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), 6, "the PROXY line is not about" },
    { SPAN_INIT("PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n"), 6, "the PROXY line is not about" },
    { SPAN_INIT("PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n"), 6, "the PROXY line is not about" },
    { SPAN_INIT("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n"), 6, "the PROXY line is not about" },
    { SPAN_INIT("PROXY UNKNOWNX\r\n"), 6, "the PROXY line is not about" },
    { SPAN_INIT("PROXY TCP4\r\n"), 10, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4 \r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4 ::1 5.6.7.8 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.256 1 2\r\n"), 19, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4\r\n"), 18, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP6 ::1%lo ::1 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP6 [::1] ::1 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP6 " X16 X16 X16 " ::1 1 2\r\n"), 11, "the PROXY line does not hold an address" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8\r\n"), 26, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n"), 28, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n"), 29, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n"), 27, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n"), 27, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 123456 2\r\n"), 27, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n"), 27, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1 2x\r\n"), 30, "the PROXY line does not hold a port" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n"), 30, "the PROXY line goes on" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n"), 30, "the PROXY line goes on" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n"), 30, "the PROXY line does not end with CR LF" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n"), 30, "the PROXY line does not end with CR LF" },
    { SPAN_INIT("PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n"), 18, "the PROXY line holds a byte" },
    { SPAN_INIT("PROXY TCP4\t1.2.3.4 5.6.7.8 1 2\r\n"), 10, "the PROXY line holds a byte" },
    { SPAN_INIT("PROXY UNKNOWN \xff\r\n"), 14, "the PROXY line holds a byte" },
    { SPAN_INIT("PROXY UNKNOWN " X80 X16), 106, "the PROXY line is longer" },
    { SPAN_INIT("PROXY UNKNOWN " X80 "xxxxxxxxxxxx\r\n"), 106, "the PROXY line is longer" },
    /* version 2 */
    { SPAN_INIT(V2 "\x11\x11\0\x0c"), 12, "the PROXY header is not of version 2" },
    { SPAN_INIT(V2 "\x31\x11\0\x0c"), 12, "the PROXY header is not of version 2" },
    { SPAN_INIT(V2 "\x22\x11\0\x0c"), 12, "the PROXY header is not of version 2" },
    { SPAN_INIT(V2 "\x21\x12\0\x0c"), 13, "the PROXY header is not about a stream" },
    { SPAN_INIT(V2 "\x21\x10\0\x0c"), 13, "the PROXY header is not about a stream" },
    { SPAN_INIT(V2 "\x21\x41\0\x0c"), 13, "the PROXY header is not about a stream" },
    { SPAN_INIT(V2 "\x21\x01\0\x0c"), 13, "the PROXY header is not about a stream" },
    { SPAN_INIT(V2 "\x21\x11\x04\x01"), 14, "the PROXY header is longer" },
    { SPAN_INIT(V2 "\x20\0\xff\xff"), 14, "the PROXY header is longer" },
    { SPAN_INIT(V2 "\x21\x11\0\x0b"), 14, "the PROXY header is too short" },
    { SPAN_INIT(V2 "\x21\x21\0\x23"), 14, "the PROXY header is too short" },
    { SPAN_INIT(V2 "\x21\x31\0\xd7"), 14, "the PROXY header is too short" },
};

static bool refused_so(const struct result *got, const struct refusal *want)
{
    return got->error == -EINVAL && got->used == want->at && strncmp(got->why, want->why, strlen(want->why)) == 0;
}

static void refusals_have_place_and_sentence_in_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *want = &refusals[i];
        struct result got = read_first(want->in, want->in.n);

        if (!refused_so(&got, want))
            fail_msg("row %zu, %s: %d at %zu: %s", i, want->in.p, got.error, got.used, got.why);
        for (size_t n = 0; n < want->in.n; n++) {
            got = read_first(want->in, n);
            if (!refused_so(&got, want) && (got.error != -EAGAIN || got.used != 7777))
                fail_msg("row %zu, first %zu bytes: %d at %zu: %s", i, n, got.error, got.used, got.why);
        }
    }
}

struct good {
    struct span in;
    size_t used;
    uint8_t version;
    const char *source, *destination; /* "": not known */
};

#define IPV6_LONG "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define SIXTEEN   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"
#define TLV       "\x04\0\x05hello"

static const struct good goods[] = {
    { SPAN_INIT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET"), 45, 1, "192.0.2.1:56324", "198.51.100.2:443" },
    { SPAN_INIT("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), 44, 1, "0.0.0.0:0", "255.255.255.255:65535" },
    { SPAN_INIT("PROXY TCP6 2001:db8::1 2001:DB8::2 1 2\r\n\r\n"), 40, 1, "[2001:db8::1]:1", "[2001:db8::2]:2" },
    { SPAN_INIT("PROXY TCP6 " IPV6_LONG " " IPV6_LONG " 65535 65535\r\n"), 104, 1, "[" IPV6_LONG "]:65535",
      "[" IPV6_LONG "]:65535" },
    { SPAN_INIT("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), 37, 1, "192.0.2.1:1", "[::1]:2" },
    { SPAN_INIT("PROXY UNKNOWN\r\nGET"), 15, 1, "", "" },
    { SPAN_INIT("PROXY UNKNOWN ff::  what ever \r\n"), 32, 1, "", "" },
    { SPAN_INIT("PROXY UNKNOWN " X80 "xxxxxxxxxxx\r\n"), 107, 1, "", "" },
    { SPAN_INIT(V2 "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbbGET"), 28, 2, "192.0.2.1:56324",
      "198.51.100.2:443" },
    { SPAN_INIT(V2 "\x21\x11\0\x14\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb" TLV "G"), 36, 2, "192.0.2.1:56324",
      "198.51.100.2:443" },
    { SPAN_INIT(V2 "\x21\x21\0\x24" SIXTEEN "\x01" SIXTEEN "\x02\0\x01\xff\xff"), 52, 2, "[2001:db8::1]:1",
      "[2001:db8::2]:65535" },
    { SPAN_INIT(V2 "\x20\0\0\0"), 16, 2, "", "" },
    { SPAN_INIT(V2 "\x20\x11\0\x08" TLV), 24, 2, "", "" },
    { SPAN_INIT(V2 "\x20\xff\0\0G"), 16, 2, "", "" },
    { SPAN_INIT(V2 "\x21\0\0\x08" TLV), 24, 2, "", "" },
};

static void check_end(const struct sockaddr_storage *end, socklen_t len, const char *want)
{
    char text[ADDRESS_TEXT_BYTES];

    if (want[0] == '\0')
        assert_int_equal(len, 0);
    else
        assert_string_equal(address_print((const struct sockaddr *)end, len, ADDRESS_WHOLE, text).p, want);
}

static void good_headers_read_in_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];

        for (size_t n = 0; n <= g->in.n; n++) {
            struct result r = read_first(g->in, n);

            if (r.error != (n < g->used ? -EAGAIN : 0))
                fail_msg("row %zu, first %zu bytes: %d: %s", i, n, r.error, r.why);
            if (n < g->used)
                continue;
            assert_int_equal(r.used, g->used);
            assert_int_equal(r.header.version, g->version);
            assert_int_equal(r.header.is_known, g->source[0] != '\0');
            check_end(&r.header.source, r.header.source_len, g->source);
            check_end(&r.header.destination, r.header.destination_len, g->destination);
        }
    }
}

/* Both paths, ended by a NUL, filling their place, or missing. */
static void unix_sockets_are_read(void **state)
{
    char in[16 + 216] = V2 "\x21\x31\0\xd8/run/a";
    struct result r;

    (void)state;
    memset(in + 16 + 108, 'b', 108);
    r = read_first((struct span){ in, sizeof in }, sizeof in);
    assert_int_equal(r.error, 0);
    assert_int_equal(r.used, sizeof in);
    assert_int_equal(r.header.source.ss_family, AF_UNIX);
    assert_string_equal(((struct sockaddr_un *)&r.header.source)->sun_path, "/run/a");
    assert_int_equal(r.header.source_len, offsetof(struct sockaddr_un, sun_path) + 7);
    assert_int_equal(r.header.destination_len, offsetof(struct sockaddr_un, sun_path) + 108);
    assert_memory_equal(((struct sockaddr_un *)&r.header.destination)->sun_path, in + 16 + 108, 108);
    memset(in + 16, 0, 216);
    r = read_first((struct span){ in, sizeof in }, sizeof in);
    assert_int_equal(r.error, 0);
    assert_int_equal(r.header.source_len, offsetof(struct sockaddr_un, sun_path));
}

static void the_longest_body_is_taken(void **state)
{
    char in[16 + 1024] = V2 "\x20\0\x04\0";
    struct span whole = { in, sizeof in };

    (void)state;
    assert_int_equal(read_first(whole, sizeof in - 1).error, -EAGAIN);
    assert_int_equal(read_first(whole, sizeof in).error, 0);
    assert_int_equal(read_first(whole, sizeof in).used, sizeof in);
}

struct written {
    const char *source, *destination;
    struct span v1, v2;
};

#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"

static const struct written writtens[] = {
    { "192.0.2.1:56324", "198.51.100.2:443", SPAN_INIT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"),
      SPAN_INIT(V2 "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb") },
    { "[2001:db8::1]:1", "[2001:db8::2]:65535", SPAN_INIT("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"),
      SPAN_INIT(V2 "\x21\x21\0\x24" SIXTEEN "\x01" SIXTEEN "\x02\0\x01\xff\xff") },
    { "[" IPV6_LONG "]:65535", "[" IPV6_LONG "]:65535",
      SPAN_INIT("PROXY TCP6 " IPV6_LONG " " IPV6_LONG " 65535 65535\r\n"),
      SPAN_INIT(V2 "\x21\x21\0\x24\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") },
    { "[::ffff:192.0.2.1]:5", "198.51.100.2:443", SPAN_INIT("PROXY TCP4 192.0.2.1 198.51.100.2 5 443\r\n"),
      SPAN_INIT(V2 "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\0\x05\x01\xbb") },
    { "192.0.2.1:5", "[2001:db8::2]:6", SPAN_INIT("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 5 6\r\n"),
      SPAN_INIT(V2 "\x21\x21\0\x24" MAPPED "\xc0\0\x02\x01" SIXTEEN "\x02\0\x05\0\x06") },
    { "unix:/run/a", "192.0.2.1:5", SPAN_INIT("PROXY UNKNOWN\r\n"), SPAN_INIT(V2 "\x20\0\0\0") },
    { "192.0.2.1:5", "unix:/run/a", SPAN_INIT("PROXY UNKNOWN\r\n"), SPAN_INIT(V2 "\x20\0\0\0") },
    { "", "192.0.2.1:5", SPAN_INIT("PROXY UNKNOWN\r\n"), SPAN_INIT(V2 "\x20\0\0\0") },
    { "", "", SPAN_INIT("PROXY UNKNOWN\r\n"), SPAN_INIT(V2 "\x20\0\0\0") },
};

static const struct sockaddr *socket_of(const char *text, struct address *address)
{
    const char *why;

    if (text[0] == '\0')
        return NULL;
    DIE_UNLESS(address_parse(span_of(text), address, &why) == 0);
    return (const struct sockaddr *)&address->socket;
}

/* And is read again. */
static void check_written(const char *out, size_t n, struct span want)
{
    struct span wrote = { out, n };
    struct result r = read_first(wrote, n);

    assert_true(span_is(wrote, want));
    assert_int_equal(r.error, 0);
    assert_int_equal(r.used, n);
}

static void headers_are_written_to_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof writtens / sizeof writtens[0]; i++) {
        const struct written *w = &writtens[i];
        struct address a, b;
        const struct sockaddr *source = socket_of(w->source, &a), *destination = socket_of(w->destination, &b);
        char v1[PROXY_PROTOCOL_V1_BYTES], v2[PROXY_PROTOCOL_V2_WRITE_BYTES];

        check_written(v1, proxy_protocol_write_v1(source, destination, v1), w->v1);
        check_written(v2, proxy_protocol_write_v2(source, destination, v2), w->v2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_have_place_and_sentence_in_every_split),
        cmocka_unit_test(good_headers_read_in_every_split),
        cmocka_unit_test(unix_sockets_are_read),
        cmocka_unit_test(the_longest_body_is_taken),
        cmocka_unit_test(headers_are_written_to_the_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
