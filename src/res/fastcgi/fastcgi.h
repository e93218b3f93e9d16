#ifndef RES_FASTCGI_FASTCGI_H
#define RES_FASTCGI_FASTCGI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "exchange/resource.h"
#include "http/h1_parse.h"
#include "upstream/upstream.h"

/* A parameter that a route adds; one of the standard names takes its place. */
struct fastcgi_parameter {
    struct span name, value; /* name: letters, digits and _, not beginning with a digit */
};

/* What a route says. Times are milliseconds, sizes bytes. */
struct fastcgi_settings {
    uint32_t group;                             /* index in the worker's upstreams */
    const struct upstream_group *const *groups; /* of the configuration, by that index */
    struct span root;  /* what SCRIPT_FILENAME begins with, on the machine of the upstream; no '/' at its end */
    struct span index; /* appended to a path that ends with '/'; empty: nothing is */
    struct span
        split; /* PATH_INFO begins behind its first occurrence that ends a segment: ".php"; empty: there is none */
    struct span fallback; /* the script of paths without one that `split` finds, with '/' first; empty: there is none */
    const struct fastcgi_parameter *parameters;
    uint16_t parameter_count;
    uint32_t read_ms, write_ms; /* without a byte */
    struct h1_limits head;      /* of responses: head_bytes, field_bytes and fields */
};

/*
 * x->res_settings is a struct fastcgi_settings, x->res_worker the worker's struct upstreams.
 *
 * The role is that of a responder, and one connection carries one request at a time; where the group keeps idle ones it is
 * kept after the end of a request that was read to its end, and the application is told so. Parameters are the variables of http/cgi.h, Authorization among them, and those of the route.
 * Content of unknown length comes without CONTENT_LENGTH, and applications may then take none of it.
 *
 * A head that does not come within read_ms is cgi_timeout; later silence is upstream_read_timeout. What the application
 * complains about goes to our standard error. Members are chosen by turns or by load: a group that balances by client or
 * by field is taken by turns.
 */
extern const struct resource_ops fastcgi_resource;

#endif
