#ifndef EXCHANGE_ALLOW_H
#define EXCHANGE_ALLOW_H

#include <stdint.h>

#include "exchange/exchange.h"

enum methods_use { METHODS_DECIDE, METHODS_TELL };

/*
 * The methods that x's target takes, as far as is known by now: 1 << M_GET | ... RFC9110:10.2.1
 *
 * use          METHODS_DECIDE: for method-not-allowed. METHODS_TELL: for Allow. They differ only before the resource is
 *              opened, and only for a path that ends with a slash: nothing is stored or deleted under such a name, so
 *              Allow is without PUT and DELETE, while each of them, when tried, gets a reason of its own that says more
 */
uint64_t exchange_methods(const struct exchange *x, enum methods_use use);

/* Add the Allow field to the reply. */
void allow_add(struct exchange *x);

#endif
