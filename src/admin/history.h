#ifndef ADMIN_HISTORY_H
#define ADMIN_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/source.h"

#define HISTORY_SAMPLE_MS 5000u /* between two samples of the counters */
#define HISTORY_MINUTES   15u   /* that it reaches back */
#define HISTORY_RATES     10u   /* seconds over which a rate is told */

/* What the counters were some time ago: for rates and for the traffic of the last minutes. One thread. */
struct history;

struct history *history_new(const struct admin_source *source, uint64_t now_ms); /* NULL without memory */
void history_release(struct history **h);

/* Call at least once a second; looks at the counters when it is time to. */
void history_tick(struct history *h, uint64_t now_ms);

/* Branches taken since `minutes` ago, 0: since the start; *covers_ms_out: how long ago that really is. */
void history_branches(const struct history *h, uint32_t minutes, bool failures_only, uint64_t now_ms,
                      struct branches *out, uint64_t *covers_ms_out);

/* Exchanges a second over the last HISTORY_RATES seconds. */
double history_rate(const struct history *h, uint64_t now_ms);

#endif
