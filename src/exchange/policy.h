#ifndef EXCHANGE_POLICY_H
#define EXCHANGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "reason/reason.h"

enum negotiation {
    NEGOTIATE_LENIENT, /* nothing fits: send the default variant */
    NEGOTIATE_STRICT,  /* nothing fits: not-acceptable, with a list */
    NEGOTIATE_REACTIVE /* several variants: multiple-choices, with a list */
};

enum explain_when { EXPLAIN_OFF, EXPLAIN_ERRORS, EXPLAIN_ALL };

enum listing { LISTING_OFF, LISTING_ON };

/* What happens to a request that came without TLS. */
enum tls_need {
    TLS_ANY,     /* it is served */
    TLS_REFUSE,  /* tls_required */
    TLS_UPGRADE, /* tls_upgrade_required */
    TLS_REDIRECT /* tls_redirect */
};

/* Links of one early hint. */
#define HINTS_MAX 16

/* What the route of an exchange allows and limits: read by the graph's questions. Immutable after configuration. */
struct policy {
    uint64_t methods; /* 1 << M_GET | ...: what may be asked here at all */
    uint64_t content_limit_bytes;
    uint32_t path_limit_bytes, query_limit_bytes;
    uint16_t segments_limit;
    bool length_required;    /* content needs Content-Length */
    bool condition_required; /* unsafe methods need If-Match, If-None-Match or If-Unmodified-Since */
    bool answers;            /* the route gives a configured answer, whatever is asked, or tunnels */
    bool tunnels;            /* the route's resource speaks a protocol of its own, once the client has asked for it */
    bool forwards;           /* the route's resource hands the request on, and judges nothing of it. RFC9110:7.6 */
    bool proxies;            /* ... to wherever the client says. RFC9110:3.7 */
    bool serves_half_closed; /* a client that has closed its side still waits for the answer */
    bool trace;              /* TRACE is answered */
    bool hidden_served;      /* names that begin with a dot are served */
    enum tls_need tls_need;
    uint16_t tls_version_min;      /* TRANSPORT_TLS12, TRANSPORT_TLS13; 0: any */
    bool hints_h1;                 /* early hints go to clients of HTTP/1.1 as well. RFC8297:3 */
    uint16_t hint_count;           /* of hints */
    uint16_t site_hint_count;      /* of site_hints */
    uint16_t subject_count;        /* of subjects; 0: any */
    const struct span *hints;      /* values of Link, told before the resource is asked. RFC8297:2 */
    const struct span *site_hints; /* ... and before those, in an interim response of their own */
    const struct span *subjects;   /* of client certificates that may come in: RFC4514:3 text */
    enum negotiation negotiation;
    enum listing listing;
    enum explain_when explain;
    enum dialect dialect;
};

#endif
