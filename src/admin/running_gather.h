#ifndef ADMIN_RUNNING_GATHER_H
#define ADMIN_RUNNING_GATHER_H

#include "admin/source.h"
#include "exchange/exchange.h"
#include "io/wheel.h"

#define RUNNING_GATHER_MS 1000u /* a worker that has not answered by then is left away */

/*
 * Asks all workers what they have running, for one exchange. It may outlive the exchange: an answer that comes late
 * still needs a place. One thread.
 */
struct running_gather;

/* The workers are asked; x is woken when all have answered or the time is over. NULL without memory. */
struct running_gather *running_gather_new(const struct admin_source *source, struct wheel *wheel, struct exchange *x);

/* Is nothing more to be waited for? */
bool running_gather_ready(const struct running_gather *g);

/* Park x until then. Always FLOW_WAIT. */
enum flow running_gather_wait(struct running_gather *g, struct exchange *x);

/* The answers that have come; *count_out: their number, *silent_out: how many are missing. Valid until the release. */
const struct running_request *const *running_gather_answers(const struct running_gather *g, uint32_t *count_out,
                                                            uint32_t *silent_out);

/* The exchange needs it no more. NULL is ignored. */
void running_gather_release(struct running_gather **g);

#endif
