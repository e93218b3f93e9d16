#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "io/address.h"

#define ADDRESS_BITS 128u
#define IPV4_BEFORE  96u /* bits of ::ffff:0:0/96, which IPv4 addresses lie in */
#define UNIX_BITS    255u

static const char why_form[] = "not an address or a range of them: write 192.0.2.1, 192.0.2.0/24, 2001:db8::/32, "
                               "without port and brackets, or unix: for every unix socket";
static const char why_bits[] = "not the length of a prefix: a number from 0 to 32, for IPv6 to 128";
static const char why_beyond[] = "bits beyond the prefix are set: write 192.0.2.0/24 for all that begin with 192.0.2, "
                                 "192.0.2.7 for one alone";

static void ipv4_place(const void *ipv4, uint8_t bytes_out[16])
{
    static const uint8_t before[IPV4_BEFORE / 8] = { [10] = 0xFF, [11] = 0xFF };

    memcpy(bytes_out, before, sizeof before);
    memcpy(bytes_out + sizeof before, ipv4, sizeof(struct in_addr));
}

/* *before_out: the bits that are not written in a prefix of this family. */
static bool address_read(struct span host, uint8_t bytes_out[16], unsigned *before_out)
{
    char text[INET6_ADDRSTRLEN] = { 0 };
    struct in_addr ipv4;

    if (host.n >= sizeof text)
        return false;
    if (host.n > 0)
        memcpy(text, host.p, host.n);
    *before_out = 0;
    if (inet_pton(AF_INET6, text, bytes_out) == 1)
        return true;
    *before_out = IPV4_BEFORE;
    if (inet_pton(AF_INET, text, &ipv4) != 1)
        return false;
    ipv4_place(&ipv4, bytes_out);
    return true;
}

static bool bits_read(struct span digits, unsigned most, unsigned *bits_out)
{
    unsigned bits = 0;

    if (digits.n == 0 || digits.n > 3 || (digits.n > 1 && digits.p[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(digits.p[i] - '0');
    }
    *bits_out = bits;
    return bits <= most;
}

/* The first `bits` bits of both are the same. */
static bool same_begin(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* All bits beyond the first `bits` are 0. */
static bool ends_clear(const uint8_t bytes[16], unsigned bits)
{
    for (unsigned i = bits; i < ADDRESS_BITS; i++)
        if ((bytes[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    return true;
}

static const char *parse(struct span text, struct address_range *out)
{
    size_t slash = span_find(text, '/');
    unsigned before, bits = ADDRESS_BITS;

    if (span_is(text, SPAN("unix:"))) {
        out->bits = UNIX_BITS;
        return NULL;
    }
    if (!address_read((struct span){ text.p, slash }, out->bytes, &before))
        return why_form;
    if (slash < text.n) {
        if (!bits_read(span_from(text, slash + 1), ADDRESS_BITS - before, &bits))
            return why_bits;
        bits += before;
    }
    out->bits = (uint8_t)bits;
    return ends_clear(out->bytes, bits) ? NULL : why_beyond;
}

int address_range_parse(struct span text, struct address_range *out, const char **why_out)
{
    struct address_range range = { 0 };
    const char *why = parse(text, &range);

    if (why != NULL) {
        *why_out = why;
        return -EINVAL;
    }
    *out = range;
    return 0;
}

bool address_in(const struct address_range *range, const struct sockaddr *socket)
{
    uint8_t bytes[16];

    if (socket->sa_family == AF_UNIX)
        return range->bits == UNIX_BITS;
    if (range->bits == UNIX_BITS)
        return false;
    if (socket->sa_family == AF_INET)
        ipv4_place(&((const struct sockaddr_in *)socket)->sin_addr, bytes);
    else if (socket->sa_family == AF_INET6)
        memcpy(bytes, &((const struct sockaddr_in6 *)socket)->sin6_addr, sizeof bytes);
    else
        return false;
    return same_begin(range->bytes, bytes, range->bits);
}
