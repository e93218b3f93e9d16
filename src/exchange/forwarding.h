#ifndef EXCHANGE_FORWARDING_H
#define EXCHANGE_FORWARDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "reason/verdict.h"

/* Tries that one request may have; the graph draws each of them. */
#define FORWARD_ATTEMPTS 3

/* One try to have a request answered elsewhere. Moments are of the worker's clock; 0: not come to. */
struct attempt {
    struct verdict failed; /* R_NONE: it was answered, or is under way */
    struct span
        upstream; /* who was asked, as configured: "app1:8080"; lives as long as the exchange; empty: nobody yet */
    uint64_t begun_ms, connected_ms, sent_ms, head_ms;
    bool kept;     /* over a connection that had carried others */
    bool harmless; /* of the one that failed: nothing of the request can have been acted on. RFC9110:9.2.2 */
};

/*
 * A request that goes on to somebody else: made by open() of resources whose policy forwards, in the arena of the
 * exchange. What the graph asks of it, and what is told of it afterwards.
 */
struct forwarding {
    struct span group; /* the upstream's name in the configuration */
    struct attempt attempts[FORWARD_ATTEMPTS];
    uint8_t count;         /* of attempts that have begun */
    uint8_t attempts_most; /* that the route allows */
    uint64_t until_ms;     /* no attempt begins later */
    bool content_gone;     /* content was handed on that could not be sent again */
    bool another_left;     /* somebody could be asked, besides those that failed */

    /* Of forward proxies: who asks, and for what. */
    bool client_denied;     /* its address is not one that the proxy serves */
    bool client_unadmitted; /* the network has not let it in yet. RFC6585:6 */
    bool destination_named, scheme_spoken, port_allowed;
    bool plain_port_denied; /* of what is no tunnel */

    uint8_t returned;      /* how often this server has had the request already. RFC9110:7.6.3 */
    uint8_t returns_most;  /* that is no loop yet */
    bool forwards_used_up; /* Max-Forwards is 0, of a method that heeds it. RFC9110:7.6.2 */

    /* Of the answer. */
    uint16_t status;          /* as it came; 0: none has come */
    bool switched, connected; /* another protocol is spoken behind it; a tunnel is open */
    bool transformed;         /* its content is changed on the way. RFC9110:7.7 */
    uint16_t interim_count;   /* passed on or swallowed */
};

/* The attempt under way, or the last; one has begun. */
static inline struct attempt *forwarding_now(struct forwarding *f)
{
    return &f->attempts[f->count - 1];
}

#endif
