#ifndef EXCHANGE_CODEC_H
#define EXCHANGE_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "exchange/flow.h"
#include "reason/reason.h"

struct exchange;
struct reply_field;

/* How an exchange reaches its connection, whatever the protocol. */
struct codec_ops {
    const char *name;    /* "h1", "h2", for traces and the status page */
    unsigned char major; /* of the protocol version that it speaks */
    /* The next run of request content, in place, valid until the next call. FLOW_GO with piece->n == 0 is the end;
     * FLOW_WAIT: x is parked until more arrives; FLOW_STOP: verdict set (cut short, bad chunk, over x->content_limit,
     * too slow). The first call sends 100 where the client waits for it: nobody who will refuse may call. */
    enum flow (*content)(struct exchange *x, struct span *piece);
    /* Send an interim response with these fields, before the final one. RFC9110:15.2 */
    void (*interim)(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count);
    /* May pieces of x's content be pipes? NULL: none may. */
    bool (*takes_pipes)(const struct exchange *x);
    /* x->verdict and x->reply are final: send head and content, then call x->host->ended(x). Returns at once. */
    void (*reply)(struct exchange *x);
};

#endif
