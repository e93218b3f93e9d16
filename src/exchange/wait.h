#ifndef EXCHANGE_WAIT_H
#define EXCHANGE_WAIT_H

#include <stdint.h>

#include "exchange/exchange.h"

/*
 * Park x: FLOW_WAIT. Whoever holds the ticket (x->wait.ticket at this moment) wakes it, once, on x's own worker. If
 * the client leaves first, cancel(with) is called instead: it must make sure that nobody will touch `with` or x on
 * our behalf any more.
 *
 * what   a static name of what is waited for, for the log and the status page
 */
enum flow exchange_wait(struct exchange *x, const char *what, void (*cancel)(void *with), void *with);

/* Run x on, if it still waits with this ticket; a late answer to a cancelled question is dropped. The slot of an
 * exchange outlives it (per-worker slab), so reading the ticket is always safe. */
void exchange_wake(struct exchange *x, uint32_t ticket);

/* Is it the codec that x waits for, and so the client? It parks x with x->conn. */
static inline bool exchange_waits_for_codec(const struct exchange *x)
{
    return x->wait.what != NULL && x->wait.with == x->conn;
}

/* The client has left: stop waiting without running x on. */
void exchange_cancel(struct exchange *x);

#endif
