#ifndef EXCHANGE_BODY_H
#define EXCHANGE_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "exchange/flow.h"

struct body;
struct exchange;

/* One run of content: bytes in memory, or a part of a file, or what is in a pipe, that can go to a socket without a copy. */
struct piece {
    struct span bytes; /* when fd < 0; valid until the next call of next() or stop() */
    bool is_pipe;      /* fd is the end of one that is read; only for codecs that take them */
    int fd;            /* -1: none; borrowed until stop() */
    uint64_t offset;   /* bytes from the start of fd */
    uint64_t length;   /* bytes of fd to send */
};

/* Bodies are pulled: whoever sends asks when it can make progress. */
struct body_ops {
    /* The next piece. FLOW_GO with an empty piece is the end; FLOW_WAIT: x is parked; FLOW_STOP: x's verdict of the
     * content is set by exchange_break() and what was sent so far must be abandoned. A reason that is set so
     * beside FLOW_GO abandons nothing: it tells what kind of end the content comes to. */
    enum flow (*next)(struct body *b, struct exchange *x, struct piece *out);
    /* Of a tunnel whose end the client was told: take what the client still says. FLOW_GO: it has come to its end too, or
     * nobody wants more; FLOW_WAIT: x is parked, and the same call is made again; FLOW_STOP as above. NULL: when one side
     * has ended, so has the other. RFC9110:9.3.6 */
    enum flow (*hear)(struct body *b, struct exchange *x);
    /* Last call, exactly once, after the end or an abandon. May be NULL. */
    void (*stop)(struct body *b);
};

struct body {
    const struct body_ops *ops;
    int64_t length; /* bytes in all; -1: not known in advance */
};

/* A body made of pieces that are known in advance. */
struct pieces_body {
    struct body body;
    const struct piece *pieces; /* borrowed; lives as long as the body */
    uint32_t count, at;
};

/* Make *b send the count pieces in their order. */
void pieces_body_init(struct pieces_body *b, const struct piece *pieces, uint32_t count);

static inline struct piece piece_of(struct span bytes)
{
    return (struct piece){ .bytes = bytes, .fd = -1, .length = bytes.n };
}

#endif
