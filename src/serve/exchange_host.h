#ifndef SERVE_EXCHANGE_HOST_H
#define SERVE_EXCHANGE_HOST_H

#include "exchange/exchange.h"
#include "wire/conn.h"

/* How exchanges run on a worker: the way up from wire, graph and resources. x->worker is a struct worker. */
extern const struct exchange_host worker_exchange_host;

/* Whether there is room for another connection, in all and for its client. */
extern const struct wire_host worker_wire_host;

#endif
