#ifndef HTTP_H2_HEAD_H
#define HTTP_H2_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/head.h"
#include "reason/verdict.h"

/*
 * The head of a request of HTTP/2, made from decoded field lines as they come (RFC9113:8). What is made reads as a head
 * of HTTP/1.1 does: "GET /a HTTP/2", "host: example.org" from :authority, the other fields; so whoever reads requests
 * need not know how one came.
 *
 * Memory   the text is in the arena given; it may move while fields are added, and holds still from h2_head_end() on
 * Threads  none of its own
 */
struct h2_head {
    struct arena *arena;
    const struct h1_limits *limits;
    struct head *head;
    struct verdict verdict; /* the first thing that was wrong; R_NONE: nothing so far */
    /* ... the implementation's own members follow */
    char *text;
    uint32_t bytes, room;
    uint32_t block_bytes;    /* of all names and values, 32 more for each line. RFC9113:6.5.2 */
    struct span method, scheme, authority, path, protocol; /* copies in the arena; p == NULL: not seen */
    bool regular_seen, begun;
};

/* An empty one. head has room for limits->fields lines. The target's limit, a line's and the head's hold as in HTTP/1. */
void h2_head_init(struct h2_head *h, struct arena *arena, const struct h1_limits *limits, struct head *head);

/*
 * One line, name and value as they were decoded; both are copied. After the first refusal further lines are counted in
 * block_bytes and otherwise ignored, so that the decoder can go on.
 *
 * Refused with (h->verdict; operand: the name, in the arena):
 *   h2_field_name_invalid (not a token, upper case, empty), h2_field_value_invalid (NUL, CR, LF, other controls, white
 *   space at an end), h2_connection_field (those of fields.def with h2_forbids, and TE unless it is "trailers"),
 *   h2_pseudo_field_unknown, h2_pseudo_field_repeated, h2_pseudo_field_late, h2_pseudo_field_invalid (empty :path, a
 *   :scheme that is none, :authority with user information), uri_too_long, header_field_too_large,
 *   header_fields_too_large, too_many_header_fields, method_malformed, exchange_memory_exhausted
 * v->at counts in the text that was made.
 */
void h2_head_add(struct h2_head *h, struct span name, struct span value);

/*
 * All lines were added. The head is complete: version 2.0, method, target, fields, bytes; its text is head->base and
 * head->bytes. For an extended CONNECT (RFC8441:4) *protocol_out is :protocol, else empty. *framing gets what the
 * content's length is known to be: none when the stream has ended, else of that length or, without Content-Length,
 * FRAMING_CHUNKED for "not known in advance".
 *
 * ended      the stream ended with the field block: there is no content
 * Returns    R_NONE or the refusal, also in h->verdict: what h2_head_add() found, or h2_pseudo_field_missing,
 *            h2_pseudo_field_invalid (CONNECT with :scheme or :path and no :protocol, :protocol without CONNECT),
 *            h2_authority_conflict, content_length_invalid, content_length_conflict, h2_content_length_mismatch (a
 *            length, and yet ended)
 */
enum reason h2_head_end(struct h2_head *h, bool ended, struct framing *framing, struct span *protocol_out)
    __attribute__((warn_unused_result));

/* May this line stand in trailers? R_NONE, h2_pseudo_field_in_trailers, h2_field_name_invalid, h2_field_value_invalid or
 * h2_connection_field. RFC9113:8.1 */
enum reason h2_trailer_check(struct span name, struct span value);

#endif
