#include "io/proxy_protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/bounded.h"
#include "base/check.h"

/*
 *   version 1   "PROXY " ( "TCP4" | "TCP6" ) SP SOURCE SP DESTINATION SP PORT SP PORT CRLF   or "PROXY UNKNOWN" ... CRLF
 *   version 2   SIGNATURE, version and command, family and kind, two bytes of length, that many bytes
 */
#define V2_COMMAND    12u /* offsets */
#define V2_FAMILY     13u
#define V2_LENGTH     14u
#define V2_BODY       16u
#define V2_LOCAL      0x20u
#define V2_PROXY      0x21u
#define V2_UNKNOWN    0x00u
#define V2_TCP4       0x11u
#define V2_TCP6       0x21u
#define V2_UNIX       0x31u
#define V2_TCP4_BYTES 12u
#define V2_TCP6_BYTES 36u
#define V2_UNIX_BYTES 216u
#define V2_UNIX_PATH  108u
#define PORT_MAX      65535u
#define PORT_DIGITS   5u
#define MAPPED_PREFIX 12u /* bytes of ::ffff:0:0/96 */

_Static_assert(V2_BODY + V2_TCP6_BYTES == PROXY_PROTOCOL_V2_WRITE_BYTES, "the longest that is written is of TCP6");
_Static_assert(V2_UNIX_PATH == sizeof(((struct sockaddr_un *)0)->sun_path), "paths fit");

static const struct span v1_begin = SPAN_INIT("PROXY ");
static const struct span v2_begin = SPAN_INIT("\r\n\r\n\0\r\nQUIT\n");

static const char why_begin[] = "the connection does not begin with a header of the PROXY protocol";
static const char why_byte[] = "the PROXY line holds a byte that is not printable ASCII";
static const char why_line_end[] = "the PROXY line does not end with CR LF";
static const char why_long[] = "the PROXY line is longer than 107 bytes";
static const char why_v1_family[] = "the PROXY line is not about TCP4, TCP6 or UNKNOWN";
static const char why_address[] = "the PROXY line does not hold an address of its family";
static const char why_port[] = "the PROXY line does not hold a port: a number from 0 to 65535";
static const char why_behind[] = "the PROXY line goes on behind its last port";
static const char why_command[] = "the PROXY header is not of version 2 with the command LOCAL or PROXY";
static const char why_v2_family[] = "the PROXY header is not about a stream over IPv4, IPv6 or a unix socket";
static const char why_length[] = "the PROXY header is longer than 1040 bytes";
static const char why_short[] = "the PROXY header is too short for the addresses of its family";

/* What is read, and where it went wrong. */
struct reader {
    struct span in;
    size_t at;
    const char *why;
    struct proxy_protocol *header;
};

static int refuse(struct reader *r, size_t at, const char *why)
{
    r->at = at;
    r->why = why;
    return -EINVAL;
}

/* Does `in` begin as that does, as far as both go? */
static int read_begin(struct reader *r, struct span begin)
{
    for (size_t i = 0; i < begin.n; i++) {
        if (i == r->in.n)
            return -EAGAIN;
        if (r->in.p[i] != begin.p[i])
            return refuse(r, i, why_begin);
    }
    r->at = begin.n;
    return 0;
}

/* Cut `in` to the line without its CR LF. */
static int read_line(struct reader *r)
{
    for (size_t i = r->at; i + 1 < PROXY_PROTOCOL_V1_BYTES; i++) {
        if (i == r->in.n)
            return -EAGAIN;
        if (r->in.p[i] == '\r') {
            if (i + 1 == r->in.n)
                return -EAGAIN;
            if (r->in.p[i + 1] != '\n')
                return refuse(r, i, why_line_end);
            r->in.n = i;
            return 0;
        }
        if (r->in.p[i] < ' ' || r->in.p[i] > '~')
            return refuse(r, i, r->in.p[i] == '\n' ? why_line_end : why_byte);
    }
    return refuse(r, PROXY_PROTOCOL_V1_BYTES - 1, why_long);
}

/* The word up to the next space or the end of the line; empty when there is none. */
static struct span word_at(const struct reader *r)
{
    struct span rest = span_from(r->in, r->at);

    return (struct span){ rest.p, span_find(rest, ' ') };
}

/* Go behind the word and the space behind it, if there is one. */
static void pass(struct reader *r, struct span word)
{
    r->at += word.n;
    if (r->at < r->in.n)
        r->at++;
}

static int read_address(struct reader *r, int family, void *to)
{
    struct span word = word_at(r);
    char text[INET6_ADDRSTRLEN];

    if (word.n == 0 || word.n >= sizeof text)
        return refuse(r, r->at, why_address);
    memcpy(text, word.p, word.n);
    text[word.n] = '\0';
    if (inet_pton(family, text, to) != 1)
        return refuse(r, r->at, why_address);
    pass(r, word);
    return 0;
}

static int read_port(struct reader *r, in_port_t *to)
{
    struct span word = word_at(r);
    unsigned port = 0;

    if (word.n == 0 || word.n > PORT_DIGITS || (word.n > 1 && word.p[0] == '0'))
        return refuse(r, r->at, why_port);
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] < '0' || word.p[i] > '9')
            return refuse(r, r->at + i, why_port);
        port = port * 10 + (unsigned)(word.p[i] - '0');
    }
    if (port > PORT_MAX)
        return refuse(r, r->at, why_port);
    *to = htons((uint16_t)port);
    pass(r, word);
    return 0;
}

/* Both ends are of the family; returns where the parts of one lie. */
static void *address_part_of(struct sockaddr_storage *end)
{
    return end->ss_family == AF_INET ? (void *)&((struct sockaddr_in *)end)->sin_addr
                                     : (void *)&((struct sockaddr_in6 *)end)->sin6_addr;
}

static in_port_t *port_part_of(struct sockaddr_storage *end)
{
    return end->ss_family == AF_INET ? &((struct sockaddr_in *)end)->sin_port
                                     : &((struct sockaddr_in6 *)end)->sin6_port;
}

static void set_family(struct proxy_protocol *h, sa_family_t family)
{
    h->is_known = true;
    h->source.ss_family = h->destination.ss_family = family;
    h->source_len = h->destination_len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int read_ends(struct reader *r, sa_family_t family)
{
    struct proxy_protocol *h = r->header;
    int error;

    set_family(h, family);
    if ((error = read_address(r, family, address_part_of(&h->source))) != 0 ||
        (error = read_address(r, family, address_part_of(&h->destination))) != 0 ||
        (error = read_port(r, port_part_of(&h->source))) != 0 ||
        (error = read_port(r, port_part_of(&h->destination))) != 0)
        return error;
    if (r->in.p[r->at - 1] == ' ')
        return refuse(r, r->at - 1, why_behind);
    return 0;
}

static int read_v1(struct reader *r)
{
    int error = read_begin(r, v1_begin);
    struct span family;

    if (error != 0 || (error = read_line(r)) != 0)
        return error;
    family = word_at(r);
    if (span_is(family, SPAN("UNKNOWN"))) {
        r->at = r->in.n + 2;
        return 0;
    }
    if (!span_is(family, SPAN("TCP4")) && !span_is(family, SPAN("TCP6")))
        return refuse(r, r->at, why_v1_family);
    pass(r, family);
    error = read_ends(r, family.p[3] == '4' ? AF_INET : AF_INET6);
    if (error == 0)
        r->at = r->in.n + 2;
    return error;
}

static unsigned byte_at(const struct reader *r, size_t at)
{
    return (uint8_t)r->in.p[at];
}

static void set_path(struct sockaddr_storage *end, socklen_t *len, const char *path)
{
    struct sockaddr_un *un = (struct sockaddr_un *)end;
    size_t n = strnlen(path, V2_UNIX_PATH);

    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, n);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (n > 0 && n < V2_UNIX_PATH ? 1 : 0));
}

/* Source, destination, then both ports. */
static void set_ends(struct proxy_protocol *h, sa_family_t family, const char *body)
{
    size_t n = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

    set_family(h, family);
    memcpy(address_part_of(&h->source), body, n);
    memcpy(address_part_of(&h->destination), body + n, n);
    memcpy(port_part_of(&h->source), body + 2 * n, sizeof(in_port_t));
    memcpy(port_part_of(&h->destination), body + 2 * n + sizeof(in_port_t), sizeof(in_port_t));
}

static void set_v2(struct proxy_protocol *h, unsigned family, const char *body)
{
    if (family == V2_TCP4 || family == V2_TCP6) {
        set_ends(h, family == V2_TCP4 ? AF_INET : AF_INET6, body);
    } else if (family == V2_UNIX) {
        h->is_known = true;
        set_path(&h->source, &h->source_len, body);
        set_path(&h->destination, &h->destination_len, body + V2_UNIX_PATH);
    }
}

/* Bytes of the body that the addresses take; -EINVAL for a family that is not taken. */
static int address_bytes(unsigned family)
{
    switch (family) {
    case V2_UNKNOWN:
        return 0;
    case V2_TCP4:
        return V2_TCP4_BYTES;
    case V2_TCP6:
        return V2_TCP6_BYTES;
    case V2_UNIX:
        return V2_UNIX_BYTES;
    default:
        return -EINVAL;
    }
}

/* The four bytes behind the signature, each refused as soon as it is there. LOCAL may have any family. */
static int read_v2_fixed(struct reader *r, unsigned *family, size_t *body_bytes)
{
    int wanted;

    if (r->in.n <= V2_COMMAND)
        return -EAGAIN;
    if (byte_at(r, V2_COMMAND) != V2_LOCAL && byte_at(r, V2_COMMAND) != V2_PROXY)
        return refuse(r, V2_COMMAND, why_command);
    if (r->in.n <= V2_FAMILY)
        return -EAGAIN;
    *family = byte_at(r, V2_COMMAND) == V2_LOCAL ? V2_UNKNOWN : byte_at(r, V2_FAMILY);
    wanted = address_bytes(*family);
    if (wanted < 0)
        return refuse(r, V2_FAMILY, why_v2_family);
    if (r->in.n < V2_BODY)
        return -EAGAIN;
    *body_bytes = byte_at(r, V2_LENGTH) << 8 | byte_at(r, V2_LENGTH + 1);
    if (*body_bytes > PROXY_PROTOCOL_V2_BODY_BYTES)
        return refuse(r, V2_LENGTH, why_length);
    return *body_bytes < (size_t)wanted ? refuse(r, V2_LENGTH, why_short) : 0;
}

static int read_v2(struct reader *r)
{
    unsigned family;
    size_t body_bytes;
    int error = read_begin(r, v2_begin);

    if (error != 0 || (error = read_v2_fixed(r, &family, &body_bytes)) != 0)
        return error;
    if (r->in.n < V2_BODY + body_bytes)
        return -EAGAIN;
    set_v2(r->header, family, r->in.p + V2_BODY);
    r->at = V2_BODY + body_bytes;
    return 0;
}

int proxy_protocol_read(struct span in, struct proxy_protocol *header, size_t *used_out, const char **why_out)
{
    struct proxy_protocol read = { .version = in.n > 0 && in.p[0] == v2_begin.p[0] ? 2 : 1 };
    struct reader r = { .in = in, .header = &read };
    int error = read.version == 2 ? read_v2(&r) : read_v1(&r);

    if (error == 0)
        *header = read;
    if (error != -EAGAIN)
        *used_out = r.at;
    if (error == -EINVAL)
        *why_out = r.why;
    return error;
}

/* An end as it is written: an address of 4 bytes or of 16, IPv4 in their last 4. */
struct end {
    uint8_t address[16];
    in_port_t port;
    bool is_ipv4;
};

static const uint8_t mapped_prefix[MAPPED_PREFIX] = { [10] = 0xff, [11] = 0xff };

static bool end_of(const struct sockaddr *socket, struct end *end)
{
    if (socket != NULL && socket->sa_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)socket;

        memcpy(end->address, mapped_prefix, sizeof mapped_prefix);
        memcpy(end->address + sizeof mapped_prefix, &in4->sin_addr, sizeof in4->sin_addr);
        end->port = in4->sin_port;
        end->is_ipv4 = true;
        return true;
    }
    if (socket != NULL && socket->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)socket;

        memcpy(end->address, &in6->sin6_addr, sizeof end->address);
        end->port = in6->sin6_port;
        end->is_ipv4 = memcmp(end->address, mapped_prefix, sizeof mapped_prefix) == 0;
        return true;
    }
    return false;
}

static void put_text(struct bounded *b, const struct end *end, bool as_ipv4)
{
    char text[INET6_ADDRSTRLEN];
    const uint8_t *from = as_ipv4 ? end->address + MAPPED_PREFIX : end->address;

    DIE_UNLESS(inet_ntop(as_ipv4 ? AF_INET : AF_INET6, from, text, sizeof text) != NULL);
    bounded_put(b, span_of(text));
    bounded_put(b, SPAN(" "));
}

size_t proxy_protocol_write_v1(const struct sockaddr *source, const struct sockaddr *destination,
                               char out[PROXY_PROTOCOL_V1_BYTES])
{
    struct bounded b = { .out = out, .room = PROXY_PROTOCOL_V1_BYTES };
    struct end from, to;
    bool as_ipv4;

    if (!end_of(source, &from) || !end_of(destination, &to)) {
        bounded_put(&b, SPAN("PROXY UNKNOWN\r\n"));
        return b.bytes;
    }
    as_ipv4 = from.is_ipv4 && to.is_ipv4;
    bounded_put(&b, as_ipv4 ? SPAN("PROXY TCP4 ") : SPAN("PROXY TCP6 "));
    put_text(&b, &from, as_ipv4);
    put_text(&b, &to, as_ipv4);
    bounded_put_number(&b, ntohs(from.port));
    bounded_put(&b, SPAN(" "));
    bounded_put_number(&b, ntohs(to.port));
    bounded_put(&b, SPAN("\r\n"));
    return b.bytes;
}

static void put_byte(struct bounded *b, unsigned byte)
{
    char c = (char)(uint8_t)byte;

    bounded_put(b, (struct span){ &c, 1 });
}

static void put_fixed(struct bounded *b, unsigned command, unsigned family, unsigned body_bytes)
{
    bounded_put(b, v2_begin);
    put_byte(b, command);
    put_byte(b, family);
    put_byte(b, body_bytes >> 8);
    put_byte(b, body_bytes);
}

static void put_binary(struct bounded *b, const struct end *end, bool as_ipv4)
{
    size_t skipped = as_ipv4 ? MAPPED_PREFIX : 0;

    bounded_put(b, (struct span){ (const char *)end->address + skipped, sizeof end->address - skipped });
}

size_t proxy_protocol_write_v2(const struct sockaddr *source, const struct sockaddr *destination,
                               char out[PROXY_PROTOCOL_V2_WRITE_BYTES])
{
    struct bounded b = { .out = out, .room = PROXY_PROTOCOL_V2_WRITE_BYTES };
    struct end from, to;
    bool as_ipv4;

    if (!end_of(source, &from) || !end_of(destination, &to)) {
        put_fixed(&b, V2_LOCAL, V2_UNKNOWN, 0);
        return b.bytes;
    }
    as_ipv4 = from.is_ipv4 && to.is_ipv4;
    put_fixed(&b, V2_PROXY, as_ipv4 ? V2_TCP4 : V2_TCP6, as_ipv4 ? V2_TCP4_BYTES : V2_TCP6_BYTES);
    put_binary(&b, &from, as_ipv4);
    put_binary(&b, &to, as_ipv4);
    bounded_put(&b, (struct span){ (const char *)&from.port, sizeof from.port });
    bounded_put(&b, (struct span){ (const char *)&to.port, sizeof to.port });
    return b.bytes;
}
