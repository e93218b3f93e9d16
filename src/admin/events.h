#ifndef ADMIN_EVENTS_H
#define ADMIN_EVENTS_H

#include "admin/api.h"
#include "exchange/exchange.h"

#define EVENTS_ROWS  50u   /* at most, told at once; the newest */
#define EVENTS_MS    200u  /* between two looks at what has ended */
#define EVENTS_PULSE 1000u /* milliseconds between two pulses */

/*
 * The readers of /events. Those with the same filter share a feed, and what a feed has to tell is written once for all of them. A reader
 * that is slow skips what came meanwhile and is told how much: it costs no more than the text that it is being sent.
 * One thread.
 */
struct events;

struct events *events_new(const struct admin_source *source); /* NULL without memory */
void events_release(struct events **e);

/* Make the reply of x a stream of what passes the filter of its query. FLOW_GO; or FLOW_STOP: query_invalid, event_streams_full,
 * worker_memory_exhausted. */
enum flow events_join(struct events *e, struct exchange *x, uint64_t unix_ms, uint32_t readers_most);

/* Are there any readers? */
bool events_wanted(const struct events *e);

/* Call every EVENTS_MS while there are readers: looks for news and wakes those who wait for some. */
void events_tick(struct events *e, struct api *api);

/* No more events: all streams end. */
void events_end(struct events *e);

#endif
