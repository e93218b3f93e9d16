#ifndef RES_FIXED_FIXED_H
#define RES_FIXED_FIXED_H

#include <stdint.h>

#include "base/span.h"
#include "exchange/resource.h"
#include "reason/reason.h"

/* What a route is configured to answer, whatever is asked. */
struct fixed_settings {
    enum reason why;          /* one that graph_may_stop(N_give_answer, why) lists, or R_request_ok */
    struct span location;     /* redirects: the new URI, or its beginning when keep_path; else empty */
    bool keep_path;           /* the path below the route, and the query, follow location */
    struct span blocked_by;   /* legal-block: who demanded it (Link rel=blocked-by, RFC7725:4), or empty */
    uint32_t retry_after_s;   /* 0: no Retry-After */
    struct span text;         /* what the operator has to say: the content of R_request_ok and R_accepted_queued, else
                                 a note, plain text, in the content that explains the answer; may be empty */
    struct span upgrade;      /* upgrade-required: the protocols to change to (RFC9110:15.5.22) */
    struct span content_type; /* of text when it is the content; empty: text/plain; charset=utf-8 */
};

/* x->res_settings is a struct fixed_settings. */
extern const struct resource_ops fixed_resource;

#endif
