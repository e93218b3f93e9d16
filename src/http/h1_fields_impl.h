#ifndef HTTP_H1_FIELDS_IMPL_H
#define HTTP_H1_FIELDS_IMPL_H

#include <stdbool.h>

#include "http/h1_parse.h"
#include "http/token.h"

/*
 * What the heads of requests and responses have in common: the field section, and the parts that lines are made of.
 *
 * A head is read line by line, and a line part by part:
 *
 *   what the message begins with   { NAME ":" OWS VALUE OWS CRLF }   CRLF
 *   H1_START ................... | H1_FIELDS ....................... | H1_DONE
 *
 * A part is the longest run of bytes of its class; the byte that ends the run decides. Only a whole line moves
 * head->at. All reasons are those of a request.
 */
enum h1_stage { H1_START, H1_FIELDS, H1_DONE };

struct h1_reader {
    const char *p;
    uint32_t n; /* bytes that may be looked at: what has come, up to the limit of the head */
    const struct h1_limits *limits;
    struct head *head;
    struct verdict *v;
    bool takes_spaced_names; /* white space before a colon is left out, not refused. RFC9112:5.1 */
};

static inline struct h1_reader h1_reader_of(struct span in, const struct h1_limits *limits, struct head *head,
                                            struct verdict *v)
{
    uint32_t n = in.n < limits->head_bytes ? (uint32_t)in.n : limits->head_bytes;

    return (struct h1_reader){ .p = in.p, .n = n, .limits = limits, .head = head, .v = v };
}

static inline struct span h1_part(const struct h1_reader *r, uint32_t from, uint32_t to)
{
    return (struct span){ r->p + from, to - from };
}

static inline uint32_t h1_run(const struct h1_reader *r, uint32_t from, uint32_t to, enum token_class class)
{
    return from + (uint32_t)token_span(h1_part(r, from, to), class);
}

/* Where a part that starts at `from` must stop: at its limit or where the bytes do. */
static inline uint32_t h1_bound(const struct h1_reader *r, uint32_t from, uint32_t limit_bytes)
{
    return r->n - from < limit_bytes ? r->n : from + limit_bytes;
}

/* There is no byte at r->n: R_MORE or header_fields_too_large. */
static inline enum reason h1_out_of_bytes(const struct h1_reader *r)
{
    if (r->n < r->limits->head_bytes)
        return R_MORE;
    return verdict_set(r->v, R_header_fields_too_large, r->n);
}

/* The byte at `at` ends a part that it must not end. It has a name of its own if it is bad anywhere in a head. */
enum reason h1_refuse(const struct h1_reader *r, uint32_t at, enum reason at_line_end, enum reason otherwise,
                      struct span operand);

/* Does CR LF stand at `at`? */
static inline bool h1_is_line_end(const struct h1_reader *r, uint32_t at)
{
    return r->n - at >= 2 && memcmp(r->p + at, "\r\n", 2) == 0;
}

/* R_NONE when CR LF stands at `at`. */
static inline enum reason h1_expect_line_end(const struct h1_reader *r, uint32_t at, enum reason otherwise,
                                             struct span operand)
{
    if (at == r->n)
        return h1_out_of_bytes(r);
    if (h1_is_line_end(r, at))
        return R_NONE;
    return h1_refuse(r, at, otherwise, otherwise, operand);
}

/* Go on in the field section, as far as it has come. R_NONE: head->stage is H1_DONE. */
enum reason h1_fields_take(const struct h1_reader *r);

#endif
