#ifndef SERVE_ROUTE_H
#define SERVE_ROUTE_H

#include "exchange/exchange.h"
#include "serve/config.h"

/* The site that answers for a host name (without port, any case), or the default one, or NULL. RFC9110:7.4 */
const struct site *route_site(const struct config *config, struct span host);

/* The route with the longest prefix that covers path (decoded, begins with '/'); NULL when none does. */
const struct route *route_find(const struct site *site, struct span path);

/* Is this the address of a proxy that the configuration trusts? */
bool route_trusts(const struct config *config, const struct sockaddr *peer);

/* Where a request came in. */
enum route_listener { ROUTE_PUBLIC, ROUTE_ADMIN };

/*
 * Set site, route, policy, resource and subpath of x by the configuration: a look-up, no decision. What came to a listener
 * of the forward proxy goes to that, whatever its host is; to the admin listener, to its own site or nowhere. Where the
 * configuration says so, x's peer becomes the client that a trusted proxy speaks for.
 */
void route_choose(struct exchange *x, const struct config *config, enum route_listener at);

#endif
