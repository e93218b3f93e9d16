#ifndef IO_ADDRESS_H
#define IO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"

#define ADDRESS_TEXT_BYTES 128 /* holds "unix:" and the longest path of a socket, NUL included */
#define ADDRESS_KEY_BYTES  9

/* Where to listen, or who listens. A value: copied freely. */
struct address {
    struct sockaddr_storage socket;
    socklen_t len;
    char text[ADDRESS_TEXT_BYTES]; /* canonical: "127.0.0.1:80", "[::1]:80", "unix:/run/x" */
};

/*
 * Read 192.0.2.1:80, [2001:db8::1]:80, [fe80::1%eth0]:80, localhost:80 (which is 127.0.0.1) or unix:/absolute/path.
 * Port 0 lets the system choose. Looks no name up.
 * Returns 0; or -EINVAL with *why_out a static sentence for the operator ("why: what to do") and *out untouched.
 */
__attribute__((warn_unused_result)) int address_parse(struct span text, struct address *out, const char **why_out);

/* The address a socket is bound to: the way to learn the port that 0 became. Returns 0 or -errno of getsockname(). */
__attribute__((warn_unused_result)) int address_of_socket(int fd, struct address *out);

/*
 * The text of a peer or own address, without allocation: "192.0.2.1:5555", "[2001:db8::1]:5555", "unix:/path"; with
 * ADDRESS_HOST no port and no brackets. An IPv4 address inside IPv6 (::ffff:0:0/96) is written as IPv4; a nameless
 * unix peer as "unix:". The span lies in buf, NUL-terminated.
 */
enum address_part { ADDRESS_HOST, ADDRESS_WHOLE };
struct span address_print(const struct sockaddr *socket, socklen_t len, enum address_part part,
                          char buf[ADDRESS_TEXT_BYTES]);

/* The socket address of an address without brackets: 192.0.2.1, 2001:db8::1. Looks no name up. Returns its bytes; 0: it is
 * no address, and *out is untouched. */
socklen_t address_of_host(struct span host, uint16_t port, struct sockaddr_storage *out);

/* Can this machine alone reach it: a loopback address, IPv4 inside IPv6 too, or a unix socket? */
bool address_is_local(const struct address *a);

/* Addresses that begin with the same bits: 192.0.2.0/24, 2001:db8::/32, or one address, or all of unix sockets. */
struct address_range {
    uint8_t bytes[16]; /* an IPv4 address as ::ffff:0:0/96 */
    uint8_t bits;      /* 0 to 128; 255: unix sockets */
};

/*
 * Read 192.0.2.0/24, 2001:db8::/32, 192.0.2.1, ::1 or "unix:". Every address, IPv4 too, is in ::/0.
 * Returns 0; or -EINVAL with *why_out and *out as address_parse(), when bits beyond the prefix are set too.
 */
__attribute__((warn_unused_result)) int address_range_parse(struct span text, struct address_range *out,
                                                            const char **why_out);

/* Is the address of a peer in it? IPv4 inside IPv6 is IPv4; ports and zones are not looked at. */
bool address_in(const struct address_range *range, const struct sockaddr *socket);

/*
 * Which client is it, for limits per client? Equal keys (memcmp over all bytes): the same client. IPv4: the address;
 * IPv6: its first 64 bits, since one customer gets as many; all peers on unix sockets are one client.
 */
void address_key(const struct sockaddr *socket, uint8_t key_out[ADDRESS_KEY_BYTES]);

#endif
