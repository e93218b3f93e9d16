#ifndef ADMIN_REPLY_H
#define ADMIN_REPLY_H

#include "admin/api.h"
#include "admin/page.h"
#include "exchange/exchange.h"

/* The replies of the admin listener. All are FLOW_GO, or FLOW_STOP with a reason of src/graph/stops.def for `produce`. */

/* The fields of all that is made anew for each request. */
void reply_begin_text(struct exchange *x, struct span media_type);

/* The object, which is given away, as content. NULL: query_invalid when api->fault says so, else
 * worker_memory_exhausted. */
enum flow reply_json(struct exchange *x, const struct api *api, json_t *object);

/* Likewise, a text from malloc(), which is given away, in place of an object. */
enum flow reply_json_text(struct exchange *x, const struct api *api, char *text, size_t bytes);

/* Prometheus text, or OpenMetrics when the client asks for that. */
enum flow reply_metrics(struct exchange *x, const struct api *api);

enum flow reply_page(struct exchange *x, const struct admin_page *page);

/* What tells about a page in 200 and 304 alike. */
void reply_page_fields(struct exchange *x);

#endif
