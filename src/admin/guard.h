#ifndef ADMIN_GUARD_H
#define ADMIN_GUARD_H

#include "admin/admin.h"
#include "exchange/exchange.h"

/* May whoever asks see anything? FLOW_GO; or FLOW_STOP: origin_foreign, credentials_missing or credentials_refused, with the
 * challenges in the reply (RFC9110:11.6.1). The Host field has been judged before, by the choice of the site. */
enum flow guard_check(struct exchange *x, const struct admin_settings *settings);

#endif
