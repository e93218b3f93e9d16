#ifndef EXCHANGE_RESOURCE_H
#define EXCHANGE_RESOURCE_H

#include <stdint.h>

#include "exchange/flow.h"
#include "reason/reason.h"

struct exchange;

/*
 * What the graph may ask of anything that has a URI: a file, a redirect, an upstream, the built-in pages.
 * A resource reports facts, moves bytes, and on failure names a reason; it never chooses a status.
 * Methods marked WAIT may return FLOW_WAIT and are then called again from the start after the wake-up.
 * A NULL method is one that the resource's `methods` never lead to.
 */
struct resource_ops {
    const char *name;     /* for log, trace and status page */
    uint64_t methods;     /* 1 << M_GET | ...: what this kind understands at all */
    uint32_t state_bytes; /* zeroed state handed over in x->res_state; lives in the exchange's arena */

    enum flow (*open)(struct exchange *x);    /* WAIT; gives F_META: fills x->facts */
    enum flow (*select)(struct exchange *x);  /* chooses the variant: facts.acceptable, facts.variant_negotiates */
    enum flow (*encode)(struct exchange *x);  /* WAIT; gives F_SELECTED: coding chosen, validators and length known */
    enum flow (*produce)(struct exchange *x); /* WAIT; gives F_REPLY: the whole selected representation */
    enum flow (*part)(struct exchange *x);    /* WAIT; gives F_REPLY: the ranges of x->ranges */
    enum flow (*list)(struct exchange *x);    /* WAIT; gives F_REPLY: the members of a collection */
    enum flow (*compare)(struct exchange *x); /* WAIT; takes in the content; facts.content_same */
    enum flow (*accept)(struct exchange *x);  /* WAIT; takes in the content and stores it; facts.created */
    enum flow (*remove)(struct exchange *x);  /* WAIT; DELETE */
    enum flow (*choices)(struct exchange *x); /* reply.alternatives and fields, for 300 and 406 */
    /* Of resources whose policy forwards; open() makes x->forwarding. */
    enum flow (*authenticate)(struct exchange *x);         /* WAIT; of proxies: may the client use it? RFC9110:11.7 */
    enum flow (*attempt)(struct exchange *x);              /* WAIT; ask once: forwarding.attempts[] says how it went */
    enum flow (*relay)(struct exchange *x);                /* WAIT; gives F_REPLY: what was answered */
    void (*describe)(struct exchange *x, enum reason why); /* the fields of res in an answer that no method made: serve,
                                                              after the graph. ETag on not_modified, ... May be NULL */

    /* Called exactly once for every exchange whose open() was entered, whatever it returned, after the reply or the
     * abandon. Frees what is not in the arena. Must not block, must not fail, must not touch the connection. */
    void (*close)(struct exchange *x);
};

#endif
