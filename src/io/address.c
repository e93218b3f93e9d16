#include "io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

#include "base/decimal.h"

_Static_assert(sizeof "unix:" + sizeof(((struct sockaddr_un *)0)->sun_path) <= ADDRESS_TEXT_BYTES, "paths fit");
_Static_assert(sizeof "[]:65535" + INET6_ADDRSTRLEN + IF_NAMESIZE <= ADDRESS_TEXT_BYTES, "IPv6 with zone fits");

static const char why_form[] = "not an address to listen on: write 127.0.0.1:8080, [::1]:8080 or unix:/path";
static const char why_no_host[] = "no host: write 127.0.0.1:8080 for this machine alone, 0.0.0.0:8080 for every IPv4 "
                                  "address, [::]:8080 for every IPv6 address";
static const char why_name[] = "not a numeric address: names are not looked up, only numbers and localhost are taken: "
                               "write 127.0.0.1:8080";
static const char why_ipv6[] = "not an IPv6 address in brackets: write it as in [2001:db8::1]:8080";
static const char why_zone[] = "no network interface of that name: see `ip link`";
static const char why_no_port[] = "no port: append one, as in 127.0.0.1:8080";
static const char why_port[] = "not a port: a number from 0 to 65535";
static const char why_path[] = "not the path of a socket: write an absolute path of at most 107 bytes";

static const char *parse_unix(struct span path, struct address *out)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&out->socket;

    if (path.n < 2 || path.n >= sizeof un->sun_path || path.p[0] != '/' || path.p[path.n - 1] == '/' ||
        memchr(path.p, '\0', path.n) != NULL)
        return why_path;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path.p, path.n);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    return NULL;
}

static const char *parse_port(struct span digits, in_port_t *port_out)
{
    unsigned port = 0;

    if (digits.n == 0)
        return why_no_port;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return why_port;
        port = port * 10 + (unsigned)(digits.p[i] - '0');
        if (port > 65535)
            return why_port;
    }
    *port_out = htons((uint16_t)port);
    return NULL;
}

static const char *parse_ipv4(struct span host, struct span port, struct address *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&out->socket;
    char text[INET_ADDRSTRLEN] = { 0 };

    if (span_is_nocase(host, SPAN("localhost")))
        host = SPAN("127.0.0.1");
    if (host.n >= sizeof text)
        return why_name;
    memcpy(text, host.p, host.n);
    if (inet_pton(AF_INET, text, &in->sin_addr) != 1)
        return why_name;
    in->sin_family = AF_INET;
    out->len = sizeof *in;
    return parse_port(port, &in->sin_port);
}

/* host: between the brackets. */
static const char *parse_ipv6(struct span host, struct span port, struct address *out)
{
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->socket;
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE] = { 0 };
    char *zone;

    if (host.n >= sizeof text)
        return why_ipv6;
    memcpy(text, host.p, host.n);
    zone = strchr(text, '%');
    if (zone != NULL) {
        *zone++ = '\0';
        in6->sin6_scope_id = if_nametoindex(zone);
        if (in6->sin6_scope_id == 0)
            return why_zone;
    }
    if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
        return why_ipv6;
    in6->sin6_family = AF_INET6;
    out->len = sizeof *in6;
    return parse_port(port, &in6->sin6_port);
}

static const char *parse_bracketed(struct span text, struct address *out)
{
    size_t end = span_find(text, ']');
    struct span rest;

    if (end == text.n)
        return why_ipv6;
    rest = span_from(text, end + 1);
    if (rest.n == 0 || rest.p[0] != ':')
        return why_no_port;
    return parse_ipv6((struct span){ text.p + 1, end - 1 }, span_from(rest, 1), out);
}

/* A port without a host is a likelier thing to write than a host of digits. */
static bool is_number(struct span text)
{
    size_t i = 0;

    while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
        i++;
    return i == text.n;
}

static const char *parse(struct span text, struct address *out)
{
    size_t colon;

    if (span_starts(text, SPAN("unix:")))
        return parse_unix(span_from(text, 5), out);
    if (text.n == 0)
        return why_form;
    if (text.p[0] == '[')
        return parse_bracketed(text, out);
    colon = span_find(text, ':');
    if (colon == text.n)
        return is_number(text) ? why_no_host : why_no_port;
    if (colon == 0)
        return why_no_host;
    if (memchr(text.p + colon + 1, ':', text.n - colon - 1) != NULL)
        return why_ipv6;
    return parse_ipv4((struct span){ text.p, colon }, span_from(text, colon + 1), out);
}

int address_parse(struct span text, struct address *out, const char **why_out)
{
    struct address a = { 0 };
    const char *why = parse(text, &a);

    if (why != NULL) {
        *why_out = why;
        return -EINVAL;
    }
    address_print((const struct sockaddr *)&a.socket, a.len, ADDRESS_WHOLE, a.text);
    *out = a;
    return 0;
}

socklen_t address_of_host(struct span host, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    char text[INET6_ADDRSTRLEN];

    if (host.n >= sizeof text)
        return 0;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (strlen(text) == host.n && inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1) {
        memcpy(out, &ipv6, sizeof ipv6);
        return sizeof ipv6;
    }
    if (strlen(text) != host.n || inet_pton(AF_INET, text, &ipv4.sin_addr) != 1)
        return 0;
    memcpy(out, &ipv4, sizeof ipv4);
    return sizeof ipv4;
}

int address_of_socket(int fd, struct address *out)
{
    struct address a = { .len = sizeof a.socket };

    if (getsockname(fd, (struct sockaddr *)&a.socket, &a.len) != 0)
        return -errno;
    address_print((const struct sockaddr *)&a.socket, a.len, ADDRESS_WHOLE, a.text);
    *out = a;
    return 0;
}

static struct span printed(char *buf, int n)
{
    return (struct span){ buf, n > 0 ? (size_t)n : 0 };
}

static char *put_octet(char *to, unsigned octet)
{
    if (octet < 10)
        return decimal_write(to, octet);
    if (octet >= 100) /* not a status */
        *to++ = (char)('0' + octet / 100);
    return decimal_write_two(to, octet);
}

/* By hand: the library's way is printf, twice, and this is in every line of the log. */
static struct span print_ipv4(const void *address, in_port_t port, enum address_part part, char *buf)
{
    const uint8_t *bytes = address;
    char *to = buf;

    for (unsigned i = 0; i < 4; i++) {
        to = put_octet(to, bytes[i]);
        *to++ = '.';
    }
    if (part == ADDRESS_WHOLE) {
        to[-1] = ':';
        to = decimal_write(to, ntohs(port)) + 1;
    }
    *--to = '\0';
    return (struct span){ buf, (size_t)(to - buf) };
}

static struct span print_ipv6(const struct sockaddr_in6 *in6, enum address_part part, char *buf)
{
    char host[INET6_ADDRSTRLEN], zone[IF_NAMESIZE] = "";
    const char *percent = "";

    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        return print_ipv4(in6->sin6_addr.s6_addr + 12, in6->sin6_port, part, buf);
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    if (in6->sin6_scope_id != 0 && if_indextoname(in6->sin6_scope_id, zone) != NULL)
        percent = "%";
    if (part == ADDRESS_HOST)
        return printed(buf, snprintf(buf, ADDRESS_TEXT_BYTES, "%s%s%s", host, percent, zone));
    return printed(buf, snprintf(buf, ADDRESS_TEXT_BYTES, "[%s%s%s]:%u", host, percent, zone, ntohs(in6->sin6_port)));
}

/* The kernel need not end a path of full length with NUL: `len` says where it ends. */
static struct span print_unix(const struct sockaddr_un *un, socklen_t len, char *buf)
{
    size_t room = len > offsetof(struct sockaddr_un, sun_path) ? len - offsetof(struct sockaddr_un, sun_path) : 0;

    return printed(buf, snprintf(buf, ADDRESS_TEXT_BYTES, "unix:%.*s", (int)strnlen(un->sun_path, room), un->sun_path));
}

struct span address_print(const struct sockaddr *socket, socklen_t len, enum address_part part,
                          char buf[ADDRESS_TEXT_BYTES])
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)socket;

    buf[0] = '\0';
    if (len < sizeof socket->sa_family)
        return printed(buf, 0);
    if (socket->sa_family == AF_INET)
        return print_ipv4(&in->sin_addr, in->sin_port, part, buf);
    if (socket->sa_family == AF_INET6)
        return print_ipv6((const struct sockaddr_in6 *)socket, part, buf);
    if (socket->sa_family == AF_UNIX)
        return print_unix((const struct sockaddr_un *)socket, len, buf);
    return printed(buf, 0);
}

void address_key(const struct sockaddr *socket, uint8_t key_out[ADDRESS_KEY_BYTES])
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)socket;

    memset(key_out, 0, ADDRESS_KEY_BYTES);
    if (socket->sa_family == AF_INET) {
        key_out[0] = 4;
        memcpy(key_out + 1, &((const struct sockaddr_in *)socket)->sin_addr, 4);
    } else if (socket->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        key_out[0] = 4;
        memcpy(key_out + 1, in6->sin6_addr.s6_addr + 12, 4);
    } else if (socket->sa_family == AF_INET6) {
        key_out[0] = 6;
        memcpy(key_out + 1, in6->sin6_addr.s6_addr, 8);
    }
}

bool address_is_local(const struct address *a)
{
    const struct in6_addr *ipv6 = &((const struct sockaddr_in6 *)&a->socket)->sin6_addr;

    if (a->socket.ss_family == AF_UNIX)
        return true;
    if (a->socket.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)&a->socket)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(ipv6) || (IN6_IS_ADDR_V4MAPPED(ipv6) && ipv6->s6_addr[12] == IN_LOOPBACKNET);
}
