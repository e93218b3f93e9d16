#ifndef HTTP_PROXY_STATUS_H
#define HTTP_PROXY_STATUS_H

#include <stdint.h>

#include "base/bounded.h"
#include "base/span.h"
#include "reason/reason.h"

/* Of details and next-hop no more bytes than these are said. */
#define PROXY_STATUS_TEXT_BYTES 200

/* What one gateway says of one exchange. All spans are borrowed; what is empty or 0 is not said. RFC9209:2.1 */
struct proxy_status {
    struct span name;          /* of this gateway, as in Via */
    enum reason why;           /* R_NONE, or one without a type of error of its own: no `error` is said */
    struct span next_hop;      /* host, host:port, address or the upstream's name */
    struct span next_protocol; /* identifier of ALPN: "http/1.1", "h2" */
    uint16_t received_status;  /* of the upstream's response */
    struct span details;       /* for people; nothing that must stay inside */
};

/*
 * One element of Proxy-Status: `verdict;error=connection_refused;next-hop=app;details="..."`. It is written as a
 * structured field (RFC9651:3) whatever the texts hold: bytes other than printable ASCII are left out, and strings are
 * escaped. name and next-hop are tokens where they can be, else strings; next-protocol is left out when it is no token.
 * Pure; any thread.
 */
void proxy_status_put(struct bounded *b, const struct proxy_status *s);

#endif
