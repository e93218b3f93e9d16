#ifndef GRAPH_WALK_H
#define GRAPH_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/trace.h"
#include "reason/reason.h"

/*
 * The path that a trace tells, node by node:
 *
 *   struct walk w;
 *   walk_init(&w, trace);
 *   while (walk_next(&w))
 *       ... graph_nodes[w.node], w.yes ...
 *
 * Pure; any thread.
 */
struct walk {
    uint16_t node;
    bool yes;  /* the answer, when node is a question */
    bool last; /* the exchange got no further */

    uint64_t answers; /* the walk's own */
    unsigned left;
    uint16_t at;
    bool begun;
};

void walk_init(struct walk *w, struct trace trace);

/* The next node; false when there is none. A trace that no graph made ends the walk early. */
bool walk_next(struct walk *w);

/*
 * Write the path as "method_known+ route> exists- open?", NUL-terminated: + yes, - no, > an act that was done, ? the
 * act in which the exchange stopped or waits: the last one, unless its own edge ends with `why`, the exchange's reason
 * (R_NONE while it has none).
 * Returns bytes written, NUL excluded; the path is cut at a node when there is no more room. room > 0.
 */
size_t walk_print(struct trace trace, enum reason why, char *out, size_t room);

#endif
