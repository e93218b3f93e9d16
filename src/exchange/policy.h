#ifndef EXCHANGE_POLICY_H
#define EXCHANGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "reason/reason.h"

enum negotiation {
    NEGOTIATE_LENIENT, /* nothing fits: send the default variant */
    NEGOTIATE_STRICT,  /* nothing fits: not-acceptable, with a list */
    NEGOTIATE_REACTIVE /* several variants: multiple-choices, with a list */
};

enum explain_when { EXPLAIN_OFF, EXPLAIN_ERRORS, EXPLAIN_ALL };

enum listing { LISTING_OFF, LISTING_ON };

/* What the route of an exchange allows and limits: read by the graph's questions. Immutable after configuration. */
struct policy {
    uint64_t methods; /* 1 << M_GET | ...: what may be asked here at all */
    uint64_t content_limit_bytes;
    uint32_t path_limit_bytes, query_limit_bytes;
    uint16_t segments_limit;
    bool length_required;    /* content needs Content-Length */
    bool condition_required; /* unsafe methods need If-Match, If-None-Match or If-Unmodified-Since */
    bool answers;            /* the route gives a configured answer, whatever is asked */
    bool trace;              /* TRACE is answered */
    bool hidden_served;      /* names that begin with a dot are served */
    enum negotiation negotiation;
    enum listing listing;
    enum explain_when explain;
    enum dialect dialect;
};

#endif
