#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "reason/verdict.h"

#define CHUNK_EXTENSION_BYTES 256u  /* default of extension_limit_bytes */
#define CHUNK_TRAILER_BYTES   8192u /* default of trailer_limit_bytes */

/* Decoder of content in the chunked transfer coding. */
struct chunk {
    uint64_t left;           /* bytes of the chunk that are still to come */
    uint64_t at;             /* offset in the coded content of the next byte */
    uint32_t extension_left; /* bytes that extensions may still have, all chunks together */
    uint32_t trailer_left;   /* bytes that the trailer section may still have */
    uint32_t line_limit;     /* bytes that one trailer line may have, without its CR LF; 0: as many as the section */
    uint32_t line;           /* bytes of the trailer line so far */
    uint8_t digits;          /* of the chunk size so far */
    uint8_t state;
};

/*
 * Expect the first chunk, with the default limits; the caller may then set extension_left, trailer_left and line_limit.
 */
void chunk_init(struct chunk *c);

/*
 * Decode some.
 *
 * in       the next bytes of the coded content; may be empty, may go on behind its end
 * *used    bytes of `in` that are done with; the caller passes the others again
 * *data    a run of content, borrowed from `in`: no byte is copied
 * v        set when refused: offset from the first byte of the coded content (of a long one, its lower 32 bits)
 *
 * Returns  R_NONE with data->n > 0: content; there may be more in `in`
 *          R_NONE with data->n == 0: the end; chunk_ended() is true, the next message begins behind *used
 *          R_MORE: all of `in` is used
 *          bad_chunk, chunk_extension_too_long, malformed_trailer_field, request_trailers_too_large,
 *          header_field_too_large (a trailer line over line_limit)
 * Memory   none
 * Threads  none; a decoder belongs to one connection
 * Spec     RFC9112:7.1, and stricter: CR LF only; sizes below 2^60 in at most 16 digits; white space only inside an
 *          extension. Extensions are limited and passed over. Trailer fields are checked like field lines and dropped:
 *          none is ever merged into the head (RFC9110:6.5.1).
 */
enum reason chunk_feed(struct chunk *c, struct span in, size_t *used, struct span *data, struct verdict *v)
    __attribute__((warn_unused_result));

/* Has the end been reached? */
bool chunk_ended(const struct chunk *c);

/* Write the line that announces a chunk of so many bytes, in lower-case digits; its content and CR LF follow. 0 begins
 * the end: an empty line has to follow. Returns bytes written, at most 18; no NUL. */
size_t chunk_head_write(char out[20], uint64_t bytes);

#endif
