#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bounded.h"
#include "base/span.h"
#include "http/head.h"

/*
 * For whom a message was forwarded: Forwarded (RFC 7239) and X-Forwarded-For (in common use). Pure; any thread; no
 * memory but the caller's.
 */

/* Bytes that the unescaped values of one element may have together, when they are written with escapes. */
#define FORWARDED_TEXT_BYTES 256

enum forwarded_kind {
    FORWARDED_ABSENT,
    FORWARDED_IPV4,
    FORWARDED_IPV6,
    FORWARDED_UNKNOWN, /* "unknown". RFC7239:6.2 */
    FORWARDED_HIDDEN,  /* an obfuscated identifier, "_x". RFC7239:6.3 */
};

/* Who speaks, in `for` and `by`. RFC7239:6 */
struct forwarded_node {
    enum forwarded_kind kind;
    struct span name; /* "192.0.2.1", "2001:db8::1" (without brackets), "unknown", "_x" */
    uint16_t port;    /* 0: none, or an obfuscated one */
};

/* One element. Values are borrowed from it, or lie in `text`: do not copy the struct. Empty: the parameter is absent. */
struct forwarded {
    struct forwarded_node client, by; /* client: the parameter `for` */
    struct span host, proto;
    size_t text_bytes;
    char text[FORWARDED_TEXT_BYTES];
};

/* node as in RFC7239:6, without quotes. Sets *out when true. */
bool forwarded_node_parse(struct span s, struct forwarded_node *out);

/*
 * Read one element of the list (token_next() takes them off it). Names without regard to case; white space around ";"
 * and empty pairs are allowed, parameters not known are passed over, values are tokens or quoted strings.
 *
 * Returns  false when malformed: no such grammar, a parameter twice, `for` or `by` no node, `proto` no scheme, `host` no
 *          host[:port], or more escaped values than fit into FORWARDED_TEXT_BYTES; *out is then of no use
 * Spec     RFC7239:4
 */
bool forwarded_parse(struct span element, struct forwarded *out);

/* Is the address that of a gateway whose word counts? address: as in struct forwarded_node, of an IP kind. */
struct forwarded_trust {
    bool (*trusts)(const void *owner, const struct forwarded_node *address);
    const void *owner;
};

/*
 * Who the client is, when the peer (which the caller has found to be trusted) says that it forwards for somebody.
 *
 * id     FIELD_FORWARDED or FIELD_X_FORWARDED_FOR
 * out    client is set when true, and with FIELD_FORWARDED what the same element says besides
 *
 * Walks from the last element to the first: passes over addresses that are trusted and stops at the first that is not,
 * which is the client. When an element is malformed or names no address, nothing before it can be believed, and the
 * trusted one behind it is the client; so it is when all are trusted. In X-Forwarded-For, ports and brackets are taken.
 *
 * Returns  false when the last element is no address, or there is none: then the peer is the client
 */
bool forwarded_find_client(const struct head *head, enum field_id id, const struct forwarded_trust *trust,
                           struct forwarded *out);

/* What this gateway says of a request. Borrowed; empty: not said. */
struct forwarded_hop {
    struct span address; /* of the client, without brackets; a zone is cut off; no IP address at all: "unknown" */
    uint16_t port;       /* of the client; 0: not said */
    struct span by;      /* a node: "_verdict", or an address without brackets */
    struct span host;    /* Host as received */
    struct span proto;   /* "http", "https" */
};

/* One element of Forwarded: `for="[2001:db8::1]:1234";host=example.org;proto=https`. Quoted where it has to be. */
void forwarded_put(struct bounded *b, const struct forwarded_hop *hop);

/* All lines of the id received, joined with commas, and a comma behind when there are any: an own element may follow. */
void forwarded_put_received(struct bounded *b, const struct head *head, enum field_id id);

/* The value of X-Forwarded-For: what was received, and the client's address behind. address as in forwarded_hop. */
void forwarded_put_x_for(struct bounded *b, const struct head *head, struct span address);

#endif
