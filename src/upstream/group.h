#ifndef UPSTREAM_GROUP_H
#define UPSTREAM_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/field.h"
#include "io/address.h"

/*
 * Who requests may go on to, as the configuration says it. Immutable, and living as long as the configuration.
 */

struct tls_client;

/* One of those who can answer. */
struct upstream_origin {
    struct span text; /* as configured, for logs: "app1.example:8080", "unix:/run/app" */
    struct span host; /* name or IP address without brackets, NUL behind it; empty: a unix socket */
    uint16_t port;
    struct address address; /* of a unix socket or an IP address; len 0: the host is a name */
    uint16_t weight;        /* 1 to 1000: how much of the work it gets */
    bool backup;            /* asked only when no other is live */
    bool down;              /* taken out by the operator */
};

enum upstream_balance {
    BALANCE_ROUND_ROBIN, /* in turns, by weight, evenly spread */
    BALANCE_LEAST,       /* who has the fewest exchanges for its weight */
    BALANCE_CLIENT,      /* by the client's address: the same client, the same member, as long as it is live */
    BALANCE_FIELD        /* by the value of a request field; without it, round robin */
};

/* Whether members are asked by themselves if they are well. */
struct upstream_check {
    struct span path; /* empty: off */
    struct span host; /* Host of the request; empty: the member's */
    uint32_t interval_ms, timeout_ms;
    uint16_t rise, fall; /* in a row, until a member counts as live, or as not */
};

/* Times are milliseconds and sizes bytes; limits are of one worker. */
struct upstream_group {
    struct span name;
    const struct upstream_origin *members;
    uint16_t count;
    enum upstream_balance balance;
    struct span balance_field;      /* of BALANCE_FIELD, lower case */
    uint32_t connections_limit;     /* to one member at once; 0: none */
    uint32_t queue_limit, queue_ms; /* exchanges that may wait for a connection, and how long */
    uint32_t idle_limit, idle_ms;   /* connections kept to one member, and how long */
    uint32_t exchanges_limit;       /* that one connection carries; 0: any number */
    uint32_t connect_ms;            /* for names, connecting and TLS together */
    uint16_t fails;                 /* that make a member rest, within fail_ms; 0: it never rests */
    uint32_t fail_ms, rest_ms;
    uint32_t slow_start_ms; /* a member that came back gets its share by degrees; 0: at once */
    struct upstream_check check;
    struct tls_client *tls; /* NULL: plain text */
    struct span tls_name;   /* SNI, and what certificates must be for; empty: the member's host */
    uint8_t proxy_protocol; /* version sent at the beginning of a connection: 1, 2; 0: none (such are not kept) */
};

#endif
