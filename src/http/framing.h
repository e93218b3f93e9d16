#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include <stdint.h>

#include "http/head.h"
#include "reason/verdict.h"

enum framing_kind {
    FRAMING_NONE,    /* no content follows the head */
    FRAMING_LENGTH,  /* `length` bytes follow, possibly none */
    FRAMING_CHUNKED, /* chunks follow, see http/chunk.h */
    FRAMING_CLOSE,   /* all that comes until the connection ends; in responses only, see http/h1_response.h */
};

struct framing {
    enum framing_kind kind;
    uint64_t length; /* bytes, below 2^63; 0 unless FRAMING_LENGTH */
};

/*
 * How the content of a request is delimited.
 *
 * head     complete, of HTTP/1.x
 * framing  set when R_NONE, never to FRAMING_CLOSE
 * v        set when refused: offset of the offence from the message's first byte, the field's name as operand
 *
 * Returns  R_NONE, or
 *          transfer_encoding_in_http10  in a message whose version does not know it (RFC9112:6.1)
 *          ambiguous_framing            Content-Length next to Transfer-Encoding, at the later line
 *          chunked_not_last             something follows chunked, at that; or what stands in its place is no name of a
 *                                       coding (nothing, a quoted string, chunked with a parameter)
 *          transfer_coding_unknown      a coding other than chunked, whether chunked follows it or not (RFC9112:6.1), or
 *                                       an empty element before chunked
 *          content_length_conflict      numbers that differ, on one line or several
 *          content_length_invalid       no number, too large a number, or the same number twice
 *          After each of them nobody knows where the next message begins: the connection has to be closed.
 * Memory   none
 * Threads  any
 * Spec     RFC9112:6.3. Where it leaves a choice we refuse: both fields at once, a repeated Content-Length, even when
 *          equal, and empty list elements in Transfer-Encoding. What two parsers may read in two ways is how requests
 *          are smuggled (RFC9112:11.2).
 */
enum reason framing_choose(const struct head *head, struct framing *framing, struct verdict *v)
    __attribute__((warn_unused_result));

#endif
