#include "wire/h2_pace.h"

static const enum reason reasons[H2_COSTS] = {
    [H2_COST_RESET] = R_h2_rapid_reset,   [H2_COST_SETTINGS] = R_h2_settings_flood,
    [H2_COST_PING] = R_h2_ping_flood,     [H2_COST_EMPTY] = R_h2_empty_frame_flood,
    [H2_COST_WINDOW] = R_h2_window_flood, [H2_COST_PRIORITY] = R_h2_priority_flood,
};

enum reason h2_pace_count(struct h2_pace *p, enum h2_cost cost, uint64_t now_ms, uint32_t most)
{
    if (now_ms - p->since_ms >= H2_PACE_MS)
        *p = (struct h2_pace){ .since_ms = now_ms };
    return ++p->count[cost] > most ? reasons[cost] : R_NONE;
}
