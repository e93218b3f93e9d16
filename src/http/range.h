#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Range of a request, Content-Range of its answer. Byte ranges only. Pure; any thread. */

/* first <= last; both positions are inside the representation, `last` included in the range. */
struct byte_range {
    uint64_t first, last;
};

/* Longest Content-Range value: three numbers of twenty digits. */
#define CONTENT_RANGE_BYTES 68

enum range_kind {
    RANGE_IGNORED,       /* answer as if there were no Range */
    RANGE_UNSATISFIABLE, /* well-formed, but no byte of it exists: 416 */
    RANGE_ONE,           /* 206 with Content-Range */
    RANGE_MANY           /* 206 with multipart/byteranges */
};

/*
 * Choose what to send for the Range field `value` of a representation of `length` bytes. RFC9110:14.1.2, 14.2
 *
 * out, room    room for the ranges; `room` is also the most members the field may have, unsatisfiable ones included
 * *count       1 for RANGE_ONE, 2..room for RANGE_MANY, else 0
 *
 * Ignored are: another unit than bytes; any fault in the syntax, a last position before the first among them; more
 * than `room` members; members that together ask for more bytes than there are. A suffix of an empty representation
 * is ignored too: it can be satisfied, but no Content-Range can say so.
 * Numbers too large for 64 bits count as the largest.
 * Ranges that overlap or touch become one, at the place of the earliest; otherwise the order is the one asked for, and
 * the result is pairwise disjoint.
 *
 * Time         linear in the field, times `room` for the members
 */
enum range_kind range_choose(struct span value, uint64_t length, struct byte_range out[], size_t room, size_t *count);

static inline uint64_t range_bytes(struct byte_range r)
{
    return r.last - r.first + 1;
}

/* The value of Content-Range, `bytes 0-9/100`; returns its bytes. RFC9110:14.4 */
size_t content_range_write(char out[CONTENT_RANGE_BYTES], struct byte_range r, uint64_t length);

/* The value for 416, `bytes` and then `*` instead of a range; returns its bytes. RFC9110:14.4 */
size_t content_range_write_unsatisfied(char out[CONTENT_RANGE_BYTES], uint64_t length);

#endif
