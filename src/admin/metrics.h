#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "admin/api.h"

/*
 * All that is counted (docs/admin.md), of all workers together.
 *
 * out         where to; the caller looks at ferror() in the end
 * openmetrics OpenMetrics 1.0; else Prometheus' text format 0.0.4. Samples are the same in both.
 * Threads     the admin listener's
 */
void metrics_write(FILE *out, const struct api *api, bool openmetrics);

#endif
