#ifndef HTTP_H1_RESPONSE_H
#define HTTP_H1_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/head.h"
#include "reason/verdict.h"

/*
 * The head of a response, as a client or a gateway reads it: the status line and the field lines, in place.
 *
 * Memory   all spans are borrowed from the buffer the head was parsed in; head.fields is the caller's array
 * Threads  none of its own
 */
struct response_head {
    uint16_t status;    /* 100 to 599 */
    struct span phrase; /* as sent; may be empty */
    struct head head;   /* version and lines; method and target stay empty */
};

/* An empty head that keeps its lines in `array`; again before each response, interim ones too. */
void response_init(struct response_head *response, struct field *array);

/*
 * Parse the head of a response, as far as it has come.
 *
 * in        from the first byte of the message to the last one received; content or another response may follow.
 *           Calls for the same message pass the same in.p and never fewer bytes
 * limits    as for requests; field_bytes bounds the status line too, target_bytes nothing. The caller's array has room
 *           for limits->fields lines
 * response  as response_init() left it before the first call, untouched between calls. Complete after R_NONE:
 *           response->head.bytes says where the content begins
 * v         set when refused: offset of the first offending byte, counted from in.p; the field's name as operand, as far
 *           as there is one
 *
 * Returns   R_NONE, R_MORE, or a refusal, which comes as soon as the wrong byte is there:
 *           upstream_headers_unparseable    what begins the message is no "HTTP/d.d" SP and three digits
 *           upstream_bad_response           a version other than HTTP/1.x, a status outside 100 to 599, a bad byte in
 *                                           the phrase, a field line that is malformed or folded; a NUL, a bare CR and
 *                                           a bare LF anywhere behind the status
 *           upstream_header_line_too_large  status line or field line
 *           upstream_headers_too_large      bytes or lines of all
 * Time      linear; a call begins again at the line that was not complete, and there only
 * Memory    none
 * Threads   any
 * Spec      RFC9112:4, RFC9112:5. White space between a name and its colon is no part of the name, and is gone in what
 *           is passed on: RFC9112:5.1. Where there is a choice: lines end with CR LF only and folded lines are refused,
 *           as two parsers read them in two ways; a phrase may be missing, and the space before it too, which no parser
 *           takes for anything else
 */
enum reason h1_parse_response(struct span in, const struct h1_limits *limits, struct response_head *response,
                              struct verdict *v) __attribute__((warn_unused_result));

/*
 * How the content of a response is delimited.
 *
 * response  complete
 * method    of the request it answers
 * framing   set when R_NONE. FRAMING_NONE for HEAD, for a status that has no content, and when CONNECT succeeded: the
 *           bytes behind the head are then another message, or those of the tunnel
 * v         set when refused: offset of the offence from the message's first byte, the field's name as operand
 *
 * Returns   R_NONE, or
 *           upstream_transfer_coding_error  codings that are not exactly chunked, or any in HTTP/1.0
 *           upstream_bad_response           Content-Length next to Transfer-Encoding, not a number below 2^63, or given
 *                                           more than once, even when equal
 *           After each of them nobody knows where the next message begins: the connection has to be closed. In a
 *           response without content Transfer-Encoding means nothing and is not judged; Content-Length is one to HEAD
 *           and for 304, where it would be forwarded.
 * Memory    none
 * Threads   any
 * Spec      RFC9112:6.3, RFC9110:9.3.6
 */
enum reason response_framing(const struct response_head *response, enum method method, struct framing *framing,
                             struct verdict *v) __attribute__((warn_unused_result));

/*
 * May the connection carry another exchange, once the content has been read? False for an interim response, which ends
 * no exchange, and for one that announces content which its status forbids: that may come all the same, and be taken for
 * the next response. Knows nothing of a tunnel that CONNECT opened. RFC9112:9.3
 */
bool response_keeps(const struct response_head *response, const struct framing *framing);

/*
 * What a refusal of chunk_feed() means in the content of a response: upstream_transfer_coding_error,
 * upstream_trailers_too_large or upstream_trailer_line_too_large. R_NONE and R_MORE stay what they are.
 */
enum reason response_chunk_reason(enum reason of_chunk_feed);

#endif
