#ifndef WIRE_SLOT_H
#define WIRE_SLOT_H

#include <stdint.h>

#include "exchange/exchange.h"

/*
 * Exchanges of one worker, kept in a free list and never unmapped while the worker runs: whoever comes late with a
 * ticket may still read it.
 */
struct slot;

/* An exchange, cleared as struct exchange says, with room for `fields` field lines and an arena that may grow by
 * arena_bytes; the rest of its first group is the caller's to set. `fields` must be the same at every call for one list.
 * NULL without memory. */
struct exchange *slot_take(struct slot **list, unsigned fields, uint32_t arena_bytes);

/* Resets the arena (running what was deferred) and puts x back. NULL is ignored. */
void slot_return(struct slot **list, struct exchange *x);

/* Gives all back to the system; only when nobody waits any more. */
void slots_free(struct slot **list);

#endif
