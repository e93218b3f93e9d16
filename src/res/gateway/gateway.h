#ifndef RES_GATEWAY_GATEWAY_H
#define RES_GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/resource.h"
#include "http/h1_parse.h"
#include "upstream/upstream.h"

struct auth_settings;
struct auth_worker;
struct admissions;

/* What a choice looks at. */
enum gateway_key {
    GATEWAY_FIELD,  /* a request field: its whole value, or the beginning */
    GATEWAY_QUERY,  /* a parameter of the query, as sent */
    GATEWAY_METHOD, /* the method's name */
    GATEWAY_CLIENT  /* the client's address */
};

/* Requests for which this holds go to another group. */
struct gateway_choice {
    enum gateway_key key;
    struct span name;            /* of the field (any case) or the parameter */
    struct span value;           /* p == NULL: the field or parameter is there */
    bool begins;                 /* value is its beginning */
    struct address_range client; /* of GATEWAY_CLIENT */
    uint32_t group;
};

/* How a gateway tells its upstream who the client is. */
enum gateway_tells {
    GATEWAY_TELLS_NOTHING,
    GATEWAY_TELLS_X = 1,         /* X-Forwarded-For, -Proto, -Host, X-Real-IP */
    GATEWAY_TELLS_FORWARDED = 2, /* RFC7239:4 */
    GATEWAY_TELLS_BOTH = 3
};

/* What an insertion into HTML is: the one change of content besides compression. */
struct gateway_insertion {
    struct span before; /* a tag such as "</body>", any case */
    struct span text;   /* goes before its first occurrence; empty: nothing is inserted */
};

/* Ports, both ends included. */
struct port_range {
    uint16_t first, last;
};

/* What a forward proxy allows. */
struct proxy_settings {
    const struct address_range *clients; /* whom it serves; count 0: everybody */
    uint32_t client_count;
    const struct address_range *allowed; /* destinations that may be asked although they are private */
    uint32_t allowed_count;
    const struct address_range *denied; /* destinations that may not, besides */
    uint32_t denied_count;
    const uint16_t *ports; /* to which CONNECT may go */
    uint32_t port_count;
    const struct port_range *plain_ports; /* to which other requests may go */
    uint32_t plain_port_count;
    const struct auth_settings *auth; /* NULL: nobody needs credentials */
    bool intercepts;                  /* clients do not know of it: they send what is for origins */
    struct span portal;               /* of an intercepting one: the URI at which clients are let in */
};

/* Nobody answers requests that no choice is for. */
#define GATEWAY_NO_GROUP UINT32_MAX

/* What a route says. Times are milliseconds, sizes bytes. */
struct gateway_settings {
    uint32_t group;                             /* index in the worker's upstreams */
    const struct upstream_group *const *groups; /* of the configuration, by that index */
    const struct gateway_choice *choices;       /* the first that holds wins */
    uint32_t choice_count;
    const struct proxy_settings *proxy; /* NULL: a gateway */

    struct span to;   /* path that takes the place of the route's, as sent; p == NULL: the path stays */
    struct span host; /* Host of the request: empty: the client's; "-": the member's */
    struct span name; /* of ours in Via, Proxy-Status and CDN-Loop */
    enum gateway_tells tells;
    bool rewrites;              /* Location, Content-Location and cookie paths of responses, Destination of requests */
    bool upgrades;              /* other protocols are taken up: WebSocket and whatever else */
    bool early_data;            /* what may be a replay is passed on, saying so. RFC8470:5.1 */
    uint8_t attempts;           /* 1 to FORWARD_ATTEMPTS */
    uint8_t returns;            /* how often a request may come back */
    uint32_t connect_ms;        /* of proxies; gateways have it in their groups */
    uint32_t attempts_ms;       /* no attempt begins later */
    uint32_t read_ms, write_ms; /* without a byte */
    uint32_t response_ms;       /* for a whole response, from when the request was sent; 0: any */
    uint32_t tunnel_ms;         /* without a byte in either direction */
    uint32_t buffer_request_bytes;  /* content of requests that is taken in before anybody is asked; 0: none */
    uint32_t buffer_response_bytes; /* likewise of responses, before any of it goes on */
    uint32_t replay_bytes;          /* content kept to be sent again */
    uint64_t content_limit_bytes;   /* of responses; 0: none */
    uint16_t interim_most;
    struct h1_limits head; /* of responses */
    bool compresses;       /* transforming: content that is worth it is compressed; the answer becomes 203 */
    struct gateway_insertion insertion;
};

#define GATEWAY_PIPES 32u

/* Pipes that are empty, for content that goes past us: the ends that are read, and those that are written. */
struct gateway_pipes {
    uint32_t count;
    int ends[GATEWAY_PIPES][2];
};

/* What a worker keeps for gateways: x->res_worker. Zeroed at first, but for what the worker sets. */
struct gateway_worker {
    struct gateway_pipes pipes;
    struct upstreams *upstreams;
    struct auth_worker *auth;      /* of forward proxies; NULL: they know no credentials */
    struct admissions *admissions; /* of intercepting ones, shared by all workers; NULL: nobody is let in */
};

/*
 * x->res_settings is a struct gateway_settings, x->res_worker a struct gateway_worker.
 *
 * Content goes through in both directions as fast as the slower side takes it: one buffer of the upstream's connection and
 * one of the client's are all that is held.
 */
extern const struct resource_ops gateway_resource;

/* Close what the worker keeps of its own: no exchange is left. */
void gateway_worker_fini(struct gateway_worker *w);

#endif
