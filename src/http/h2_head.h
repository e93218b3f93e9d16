#ifndef HTTP_H2_HEAD_H
#define HTTP_H2_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/head.h"
#include "reason/verdict.h"

/* RFC9113:8.3.1, RFC8441:4 */
enum h2_pseudo { H2_METHOD, H2_SCHEME, H2_AUTHORITY, H2_PATH, H2_PROTOCOL, H2_PSEUDO_FIELDS };

/* Text that grows in an arena: it moves, and what points into it has to follow. */
struct h2_text {
    char *p;
    size_t bytes, room;
};

/* Part of a text that may move. */
struct h2_part {
    size_t at, bytes;
};

/*
 * The head of a request of HTTP/2, made from decoded field lines as they come (RFC9113:8). What is made reads as a head
 * of HTTP/1.1 does:
 *
 *   METHOD SP TARGET SP "HTTP/2" CRLF   "host: " :authority CRLF   { name ": " value CRLF }   "cookie: " all CRLF   CRLF
 *
 * so whoever reads requests need not know how one came. The target is :path, or :authority for a CONNECT without
 * :protocol. The line of host is made when :authority is there; a Host beside it that says the same is dropped.
 * The cookie lines that a client may split (RFC9113:8.2.3) become one, the last.
 *
 * Memory   the text is in the arena given; it may move while fields are added, and holds still from h2_head_end() on
 * Threads  none of its own
 */
struct h2_head {
    struct arena *arena;
    const struct h1_limits *limits;
    struct head *head;
    struct verdict verdict; /* the first thing that was wrong; R_NONE: nothing so far */
    uint32_t block_bytes;   /* of all names and values, 32 more for each line. RFC9113:6.5.2 */

    struct h2_text text;    /* the values of the pseudo-header fields, then the head */
    struct h2_text cookies; /* what the lines of Cookie hold, joined */
    struct h2_part pseudo[H2_PSEUDO_FIELDS];
    size_t start;      /* of the head in `text`, once begun */
    uint8_t seen;      /* bit 1 << enum h2_pseudo: that one was there */
    bool begun;        /* the request line is written: a regular field has come, or the end */
    bool cookies_wait; /* there was a line of Cookie, perhaps empty */
};

/*
 * An empty one.
 *
 * limits   the target's, a line's and the head's hold as in HTTP/1, for the text that is made: what was dropped or joined
 *          does not count as a line. A line of :scheme or the like is limited as a field line is
 * head     as head_init() left it, with room for limits->fields lines
 */
void h2_head_init(struct h2_head *h, struct arena *arena, const struct h1_limits *limits, struct head *head);

/*
 * One line, name and value as they were decoded; both are copied. After the first refusal further lines are counted in
 * block_bytes and otherwise ignored, so that the decoder can go on; what was good before stays in the head.
 *
 * Refused in h->verdict, with the name (as far as it is a token, in the arena) as operand:
 *   h2_field_name_invalid (not a token, upper case, empty), h2_field_value_invalid (NUL, CR, LF, other controls, white
 *   space at an end), h2_connection_field (those of fields.def with h2_forbids, and TE unless it is "trailers"),
 *   h2_pseudo_field_unknown, h2_pseudo_field_repeated, h2_pseudo_field_late, h2_pseudo_field_invalid (an empty one, a
 *   :scheme that is none, :authority with user information, a :protocol that is no token), h2_authority_conflict,
 *   header_field_too_large
 * and without an operand:
 *   method_malformed (empty too), target_malformed (a byte that is not printable ASCII), uri_too_long,
 *   header_fields_too_large, too_many_header_fields, exchange_memory_exhausted
 * verdict.at is where the offending byte would stand in the text if the line refused were the next of it; for :method
 * and the target, in the request line.
 */
void h2_head_add(struct h2_head *h, struct span name, struct span value);

/*
 * All lines were added. The head is complete, refused or not: version 2.0, method, target, fields, bytes; its text is
 * head->base and head->bytes. (Only when the arena was full from the start there is no text, and base is NULL.) Whether
 * the target's bytes make a URI, and Host a host, is left to target_parse() and host_check().
 *
 * ended         the stream ended with the field block: there is no content
 * framing       what the content's length is known to be: none when ended, else of that length or, without
 *               Content-Length or after a refusal, FRAMING_CHUNKED for "not known in advance"
 * protocol_out  :protocol of an extended CONNECT (RFC8441:4), in the arena, else empty
 *
 * Returns       R_NONE or the refusal, also in h->verdict: what h2_head_add() found, or
 *               h2_pseudo_field_missing (operand: its name), h2_pseudo_field_invalid (a :path that is neither "/..." nor
 *               "*" with OPTIONS; CONNECT with :scheme or :path and no :protocol, :protocol without CONNECT),
 *               content_length_invalid, content_length_conflict as framing_choose() says,
 *               h2_content_length_mismatch (a length, and yet ended), and of the target of a CONNECT and the line of
 *               cookies what h2_head_add() says of others
 */
enum reason h2_head_end(struct h2_head *h, bool ended, struct framing *framing, struct span *protocol_out)
    __attribute__((warn_unused_result));

/* Count a line in block_bytes, and nothing else: of the trailers, say. h2_head_add() does it for its own. */
void h2_head_count(struct h2_head *h, struct span name, struct span value);

/* May this line stand in trailers? R_NONE, h2_pseudo_field_in_trailers, h2_field_name_invalid, h2_connection_field or
 * h2_field_value_invalid. RFC9113:8.1 */
enum reason h2_trailer_check(struct span name, struct span value) __attribute__((warn_unused_result));

#endif
