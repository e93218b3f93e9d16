#ifndef RES_GATEWAY_ENCODER_H
#define RES_GATEWAY_ENCODER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "http/coding.h"

/*
 * A content coding made as the content passes. The windows are small: about 0.3 MiB for gzip and deflate, 1 MiB for the
 * others, whatever the length of the content.
 *
 * Threads  none of its own
 */
struct encoder;

/* NULL without memory. coding: not CODING_IDENTITY. */
struct encoder *encoder_new(enum coding coding);
void encoder_release(struct encoder **e);

enum encoder_order {
    ENCODER_TAKE,  /* take content in; what comes out comes when it likes */
    ENCODER_FLUSH, /* give out all that was taken in, so that it can be read */
    ENCODER_END    /* the content has come to its end */
};

/*
 * Carry an order out, as far as there is room. The same order is repeated until it is done.
 *
 * in       moves on over what was taken; nothing is added to it between the calls of one order
 * room     for *bytes, 64 at least
 * bytes    how many were written
 * done     nothing of `in` is left, and of ENCODER_FLUSH and ENCODER_END nothing to write
 *
 * Returns  0, or -ENOMEM: nothing but encoder_release() may follow
 */
int encoder_run(struct encoder *e, enum encoder_order order, struct span *in, char *room, size_t *bytes, bool *done);

#endif
