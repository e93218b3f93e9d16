#ifndef HTTP_BASE64_H
#define HTTP_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Bytes that so many letters can give. */
#define BASE64_BYTES(letters) ((letters) / 4 * 3)

/*
 * Read what RFC4648:4 writes, and nothing else: groups of four letters, the last one padded with '=', no white space, no
 * letters of other alphabets, no bits set that belong to no byte.
 *
 * out      has BASE64_BYTES(in.n) bytes of room; does not overlap with in
 * bytes    set when true; no letters give no bytes
 * Threads  any. Memory: none
 */
bool base64_decode(struct span in, char *out, size_t *bytes) __attribute__((warn_unused_result));

#endif
