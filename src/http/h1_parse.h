#ifndef HTTP_H1_PARSE_H
#define HTTP_H1_PARSE_H

#include <stdint.h>

#include "base/span.h"
#include "http/head.h"
#include "reason/verdict.h"

/* Bytes of the largest that is still taken. */
struct h1_limits {
    uint32_t target_bytes; /* of the request target */
    uint32_t field_bytes;  /* of one field line without its CR LF */
    uint32_t head_bytes;   /* of all, with leading empty lines and the blank line */
    uint8_t fields;        /* lines; at most HEAD_FIELDS_MAX */
};

/*
 * Parse the head of a request, as far as it has come.
 *
 * in       from the first byte of the message to the last one received; content may follow the head. Calls for the same
 *          message pass the same in.p and never fewer bytes
 * limits   the caller's array in `head` has room for limits->fields lines
 * head     as head_init() left it before the first call, untouched between calls. Complete after R_NONE: head->bytes
 *          says where the content begins. After R_MORE the fields seen so far are in it
 * v        set when refused: offset of the first offending byte, counted from in.p; the field's name as operand, as far
 *          as there is one
 *
 * Returns  R_NONE, R_MORE, or a refusal, which comes as soon as the wrong byte is there:
 *          method_malformed, method_unknown (longer than any method), uri_too_long, target_malformed (a byte that is
 *          not printable ASCII; the rest is judged by target_parse()), version_missing, version_malformed,
 *          malformed_request_line, field_line_folded, malformed_header_field, field_name_invalid, space_before_colon,
 *          field_value_invalid, nul_in_head, bare_carriage_return, bare_line_feed, header_field_too_large,
 *          too_many_header_fields, header_fields_too_large
 * Time     linear; a call begins again at the line that was not complete, and there only
 * Memory   none; all spans of `head` point into `in`
 * Threads  any
 * Spec     RFC9112:2.2, RFC9112:3, RFC9112:5. Where it leaves a choice: a line ends with CR LF only, as a lone LF is
 *          read in two ways by two parsers; at most two empty lines before the request line are passed over; folded
 *          lines are refused. Any version of the form HTTP/d.d parses: whether it is spoken is for others to say
 */
enum reason h1_parse_head(struct span in, const struct h1_limits *limits, struct head *head, struct verdict *v)
    __attribute__((warn_unused_result));

#endif
