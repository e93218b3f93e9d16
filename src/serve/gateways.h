#ifndef SERVE_GATEWAYS_H
#define SERVE_GATEWAYS_H

#include "serve/worker.h"

/*
 * What a worker has for routes that hand requests on: of each configuration in use its own upstreams, of all of them one
 * resolver.
 */

/* For a snapshot whose configuration is set. 0 or -errno; then there is nothing to undo. */
int gateways_open(struct worker *w, struct snapshot *s);

/* No exchange of the snapshot is left. */
void gateways_close(struct snapshot *s);

/* Of member_timer: tell of the newest configuration's upstreams how they are, and again in a second while there are any. */
void gateways_tell(struct timer *t);

/* What a resource of this kind keeps with the worker; NULL: nothing. */
void *gateways_of(const struct worker *w, struct snapshot *s, const struct resource_ops *resource);

#endif
