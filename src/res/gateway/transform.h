#ifndef RES_GATEWAY_TRANSFORM_H
#define RES_GATEWAY_TRANSFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "http/coding.h"
#include "http/h1_response.h"
#include "res/gateway/gateway.h"

/*
 * Content that is changed on its way to the client, where the route says so: a text put into HTML, a content coding. The
 * answer then is 203. RFC9110:7.7, RFC9110:15.3.4
 *
 * Memory   of one coding 0.3 to 1 MiB while the content passes, whatever its length; no content is kept
 * Threads  the exchange's own
 */
struct transform;

/* What happens to one answer. All zero, CODING_IDENTITY aside: nothing. */
struct transform_plan {
    bool inserts;
    bool varies;        /* what the client accepts decides: caches must know. RFC9110:12.5.5 */
    enum coding coding; /* CODING_IDENTITY: none is made */
};

/* Content too short for a coding to save anything. */
#define TRANSFORM_BYTES_LEAST 256

/*
 * What may and shall be changed: nothing but a 200 with content, whole, without a coding, and where neither side says
 * no-transform; HTML for the insertion; for a coding what is worth it, is no event stream, and has TRANSFORM_BYTES_LEAST
 * or an unknown length, when the client accepts one. The method does not count, so HEAD is told what GET would be.
 *
 * x            its request, and its arena for Accept-Encoding
 * length       of the content that GET gets; -1: unknown
 */
struct transform_plan transform_plan(struct exchange *x, const struct gateway_settings *settings,
                                     const struct response_head *response, int64_t length);

static inline bool transform_changes(const struct transform_plan *plan)
{
    return plan->inserts || plan->coding != CODING_IDENTITY;
}

/*
 * A body that changes what `source` gives; source gives pieces of memory only, and is stopped with it.
 *
 * Returns  NULL: no memory; source is as it was
 */
struct body *transform_make(struct exchange *x, const struct transform_plan *plan,
                            const struct gateway_insertion *insertion, struct body *source);

/*
 * The fields of the answer, made to fit: those are left out that describe bytes which do not pass (digests, ranges), the
 * tag becomes a weak one, and the reply gets Content-Encoding and Vary.
 *
 * Returns  how many of the fields are left
 */
uint32_t transform_fields(struct exchange *x, const struct transform_plan *plan, struct reply_field *fields,
                          uint32_t count);

/* A 304 that was had by comparing with a tag that had been made weak here tells that tag. RFC9110:15.4.5 */
void transform_tag(struct exchange *x, struct reply_field *fields, uint32_t count);

#endif
