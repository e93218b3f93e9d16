#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "admin/source.h"
#include "exchange/resource.h"
#include "io/loop.h"
#include "io/wheel.h"

/*
 * The admin listener's resource: console, JSON API, events, metrics (docs/admin.md). It reads what the workers keep. All
 * that can be changed through it is whom an intercepting proxy lets in.
 */

/* x->res_settings: who may ask. Spans are borrowed from the configuration. */
struct admin_settings {
    struct span token;         /* empty: nobody needs one */
    struct span public_origin; /* scheme and authority of the URL at which people reach it; empty: nobody said */
    uint32_t streams_most;     /* readers of /events at a time */
};

/* x->res_worker is a struct admin. */
extern const struct resource_ops admin_resource;

struct admin;

/* One for the thread of `loop`; the source outlives it. NULL without memory. */
struct admin *admin_new(const struct admin_source *source, struct loop *loop, struct wheel *wheel);
void admin_release(struct admin **a);

/* The server stops: streams that would go on for ever end. */
void admin_drain(struct admin *a);

#endif
