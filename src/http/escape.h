#ifndef HTTP_ESCAPE_H
#define HTTP_ESCAPE_H

#include <stddef.h>

#include "base/span.h"

/*
 * Text of unknown origin made safe for where it is going to stand.
 *
 * out, room    where to; never written beyond, no NUL; may be NULL when room is 0
 *
 * Returns      bytes of the whole result. More than `room`: out holds only its first `room` bytes. A call with room 0
 *              tells the size. The result is at most ESCAPE_GROWTH times as long as `in`.
 * Memory       none; in and out do not overlap
 * Threads      any
 */
#define ESCAPE_GROWTH 6

/*
 * For element content and quoted attribute values of HTML and of XML 1.0. UTF-8 stays; a byte that is no UTF-8 and
 * each character that XML forbids becomes U+FFFD. Carriage return becomes a reference, so that XML does not lose it.
 */
size_t escape_markup(struct span in, char *out, size_t room);

/* For the inside of a JSON string (RFC8259:7). UTF-8 stays; a byte that is no UTF-8 becomes U+FFFD. */
size_t escape_json(struct span in, char *out, size_t room);

/*
 * For a quoted field of the combined log: controls, quotes, backslashes and every byte from 0x7F on become \xNN with
 * capital digits, so a log line is printable ASCII and keeps its quotes in pairs.
 */
size_t escape_log(struct span in, char *out, size_t room);

/* UTF-8 and nothing else: a byte that is no UTF-8 becomes U+FFFD, all else stays. */
size_t escape_utf8(struct span in, char *out, size_t room);

#endif
