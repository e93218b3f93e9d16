#ifndef EXCHANGE_ALLOW_H
#define EXCHANGE_ALLOW_H

#include <stdint.h>

#include "exchange/exchange.h"

/* The methods that x's target takes, as far as is known by now: 1 << M_GET | ... The same set decides
 * method-not-allowed and fills Allow, so the two cannot differ. RFC9110:10.2.1 */
uint64_t exchange_methods(const struct exchange *x);

/* Add the Allow field to the reply. */
void allow_add(struct exchange *x);

#endif
