#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "http/range.h"

/*
 * Content of type multipart/byteranges (RFC9110:14.6): for each range its head and the bytes, then the end. Only the
 * framing is written here; who sends the bytes of the ranges sends them between.
 * The writers return the bytes needed, as those of escape.h: more than `room` means cut off. Pure; any thread.
 */
struct multipart {
    struct span boundary;     /* bchars of RFC2046:5.1.1 that need no quotes; does not occur in the content */
    struct span content_type; /* of the representation; n == 0: the parts do not say */
    uint64_t length;          /* of the whole representation, bytes */
};

#define MULTIPART_BOUNDARY_BYTES 16

/* A boundary of hexadecimal digits. `random` must be unpredictable to whoever stores content. No NUL. */
void multipart_boundary_write(char out[MULTIPART_BOUNDARY_BYTES], uint64_t random);

/* The value of Content-Type. */
size_t multipart_type_write(const struct multipart *m, char *out, size_t room);

/* What precedes the bytes of `r`; is_first leaves out the line end that closes the part before. */
size_t multipart_head_write(const struct multipart *m, struct byte_range r, bool is_first, char *out, size_t room);

/* What follows the last part. */
size_t multipart_end_write(const struct multipart *m, char *out, size_t room);

/* Bytes of the whole content, framing included: its Content-Length. UINT64_MAX when that does not fit 64 bits. */
uint64_t multipart_length(const struct multipart *m, const struct byte_range ranges[], size_t count);

#endif
