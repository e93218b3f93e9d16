#ifndef ADMIN_COUNT_H
#define ADMIN_COUNT_H

#include <stdint.h>

#include "admin/source.h"

/* Sums of what workers have counted, as the API and the metrics tell them. Any thread. */

/* What one worker, or all of them together, have counted so far. */
struct count {
    uint64_t connections, connections_accepted, connections_refused, running; /* the first and the last: now */
    uint64_t exchanges, bytes_in, bytes_out, log_lines_lost;
};

/* Add what the worker of that number has counted. */
void count_add(struct count *c, const struct admin_source *source, uint32_t worker);

/* Of all workers, without the admin listener's own thread. */
struct count count_all(const struct admin_source *source);

/* Likewise, the number of workers, and of exchanges alone. */
uint32_t count_workers(const struct admin_source *source);
uint64_t count_exchanges(const struct admin_source *source);

/* Likewise, exchanges of a site that ended with that reason, in that dialect. */
uint64_t count_ends(const struct admin_source *source, uint16_t site, enum dialect dialect, enum reason why);

/* Likewise, the ways that were taken out of each node; into *out, whatever was there. */
void count_branches(const struct admin_source *source, bool failures_only, struct branches *out);

#endif
