#ifndef ADMIN_API_H
#define ADMIN_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/history.h"
#include "admin/query.h"
#include "admin/source.h"
#include "exchange/exchange.h"
#include "explain/text.h"

/*
 * The JSON of docs/admin.md, one function a path. Each but the graph's returns an object that the caller owns; NULL with
 * `fault` set where the query is wrong, NULL with an empty `fault` without memory. They run on the admin listener's
 * thread.
 */
struct api {
    const struct admin_source *source;
    const struct history *history;
    enum language language;
    uint64_t now_ms; /* of the server's clock */
    uint64_t unix_ms;
    struct span fault; /* the name of the parameter that cannot be understood; static or borrowed from the query */
};

json_t *api_exchanges(struct api *api, const struct query *q);
json_t *api_running(struct api *api, const struct running_request *const answers[], uint32_t count, uint32_t silent);
json_t *api_heat(struct api *api, const struct query *q);
json_t *api_workers(struct api *api);
json_t *api_total(struct api *api); /* the member `total` of api_workers() */
json_t *api_upstreams(struct api *api);
json_t *api_reasons(struct api *api);
json_t *api_statuses(struct api *api);

/* The graph, as text from malloc(); NULL without memory. */
char *api_graph(const struct api *api, size_t *bytes_out);

/* One exchange whole; `worker` is the number of its worker. */
json_t *api_exchange(struct api *api, const struct record *r, uint32_t worker);

#endif
