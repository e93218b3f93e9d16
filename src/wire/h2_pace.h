#ifndef WIRE_H2_PACE_H
#define WIRE_H2_PACE_H

#include <stdint.h>

#include "reason/reason.h"

/* What costs a client nothing and us something, counted on each connection. RFC9113:10.5 */
enum h2_cost {
    H2_COST_RESET,
    H2_COST_SETTINGS,
    H2_COST_PING,
    H2_COST_EMPTY,
    H2_COST_WINDOW,
    H2_COST_PRIORITY,
    H2_COSTS
};

#define H2_PACE_MS 10000u

struct h2_pace {
    uint64_t since_ms;
    uint32_t count[H2_COSTS];
};

/* One more of a kind, at most `most` of which may come in H2_PACE_MS. R_NONE, or the reason why it is too many:
 * h2_rapid_reset, h2_settings_flood, h2_ping_flood, h2_empty_frame_flood, h2_window_flood, h2_priority_flood. */
enum reason h2_pace_count(struct h2_pace *p, enum h2_cost cost, uint64_t now_ms, uint32_t most);

#endif
