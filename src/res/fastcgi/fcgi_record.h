#ifndef RES_FASTCGI_FCGI_RECORD_H
#define RES_FASTCGI_FCGI_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bounded.h"
#include "base/span.h"
#include "reason/verdict.h"

/*
 * Records of FastCGI, version 1, as the side that asks reads and writes them; one request at a time, in the role of a
 * responder. Pure; no memory; any thread.
 */
#define FCGI_HEADER_BYTES  8u
#define FCGI_CONTENT_BYTES 65535u /* of one record, at most */

/* What an application says. */
enum fcgi_run {
    FCGI_RUN_OUTPUT, /* bytes of its answer */
    FCGI_RUN_ERRORS, /* bytes of its complaints */
    FCGI_RUN_END     /* the request has ended, well */
};

/* A reader of records; begins zeroed, and again for each request. */
struct fcgi_reader {
    uint8_t have[FCGI_HEADER_BYTES]; /* of a header, or of what an end says */
    uint8_t have_bytes;
    uint8_t type;
    uint8_t state;
    uint16_t left, padding; /* of the record: content, and what follows it */
    uint64_t at;            /* offset in the stream of the next byte */
};

/*
 * Read some.
 *
 * in       the next bytes of the stream; may be empty
 * *used    bytes of `in` that are done with; the caller passes the others again
 * *run     set when R_NONE; *bytes: of output and errors, a run of them, not empty, borrowed from `in`
 * v        set when refused: offset in the stream
 *
 * Returns  R_NONE; R_MORE: all of `in` is used; or
 *          fastcgi_overloaded      the application takes no more
 *          fastcgi_protocol_error  another version, type or request than ours, an end that is not one, or one that says
 *                                  that the request was refused
 */
enum reason fcgi_read(struct fcgi_reader *r, struct span in, size_t *used, enum fcgi_run *run, struct span *bytes,
                      struct verdict *v) __attribute__((warn_unused_result));

/* --- Writing; `out` may count only --- */

/* The record that begins a request, after which the connection stays or is closed by the application. */
void fcgi_put_begin(struct bounded *out, bool stays);

/* A parameter, as it stands in the stream of parameters. Both shorter than 2 GiB. */
void fcgi_put_pair(struct bounded *out, struct span name, struct span value);

/* The whole stream of parameters in records, and the empty one at its end. */
void fcgi_put_params(struct bounded *out, struct span pairs);

/* The header of a record of the request's content; `bytes` follow, at most FCGI_CONTENT_BYTES. 0: the end. */
void fcgi_put_stdin(struct bounded *out, size_t bytes);

#endif
