#ifndef ADMIN_ADMISSION_H
#define ADMIN_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "admin/api.h"
#include "exchange/exchange.h"

/*
 * Who may use an intercepting proxy: what its portal tells the server. RFC6585:6
 *
 *   /api/admissions            GET: how many are in; POST: let one in
 *   /api/admissions/ADDRESS    GET: is it in?; DELETE: let it out
 */

/* The longest content of POST. */
#define ADMISSION_CONTENT_BYTES 1024u

/* Longest time for which a client is let in. */
#define ADMISSION_SECONDS_MOST (30LL * 24 * 3600)

/* Of one exchange: zeroed at first. */
struct admission {
    struct sockaddr_storage client; /* that the path names */
    bool named;
    char *content; /* of POST, in the arena */
    uint32_t bytes;
};

/* The place that tells of all clients. */
extern const struct span admission_path;

/* Is anything at this path, which begins with admission_path, for this method? */
bool admission_find(const struct api *api, struct admission *a, struct span path, bool stores);

json_t *admission_json(const struct api *api, const struct admission *a);

/* FLOW_GO, or FLOW_STOP with a reason of src/graph/stops.def for `store`; unprocessable_content names the member. */
enum flow admission_store(struct exchange *x, const struct api *api, struct admission *a);

/* The client is let out; it need not have been in. */
void admission_remove(const struct api *api, const struct admission *a);

#endif
