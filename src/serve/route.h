#ifndef SERVE_ROUTE_H
#define SERVE_ROUTE_H

#include "exchange/exchange.h"
#include "serve/config.h"

/* The site that answers for a host name (without port, any case), or the default one, or NULL. RFC9110:7.4 */
const struct site *route_site(const struct config *config, struct span host);

/* The route with the longest prefix that covers path (decoded, begins with '/'); NULL when none does. */
const struct route *route_find(const struct site *site, struct span path);

/* Set site, route, policy, resource and subpath of x by the configuration: a look-up, no decision. */
void route_choose(struct exchange *x, const struct config *config);

/* As route_choose(), of a request that came to the admin listener: its own site is all there is. */
void route_choose_admin(struct exchange *x, const struct config *config);

#endif
