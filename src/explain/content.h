#ifndef EXPLAIN_CONTENT_H
#define EXPLAIN_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "explain/text.h"
#include "http/alternative.h"
#include "reason/reason.h"

/*
 * The content of a response that has none of its own: what happened, to what, whether it lasts, and what to do
 * (RFC9110:15.5, RFC9110:15.6); for a redirect, a note that links to the new place (RFC9110:15.4).
 */

/* HTML for people, application/problem+json (RFC9457:3) for programs, plain text for the rest. */
enum explain_format { EXPLAIN_HTML, EXPLAIN_PROBLEM, EXPLAIN_TEXT, EXPLAIN_FORMATS };

/*
 * All spans are borrowed and may be empty. Nothing else is known here, so nothing else can leak: whoever fills the
 * operand and the path gives them as the client knows them, relative to the site.
 */
struct explain_input {
    enum reason why;
    struct span operand;  /* what the reason is about: field name, limit, peer, path */
    uint16_t status;      /* as sent */
    uint16_t detail;      /* as in struct code, of `dialect` */
    enum dialect dialect; /* IIS shows its sub-status, Cloudflare its error number */
    uint32_t at;          /* where in the input of the client the fault lies, in bytes; of refused syntax only */
    bool has_at;
    struct span id;                         /* of the exchange */
    struct span console;                    /* URL where the id can be looked up, with '/' at its end */
    struct span path;                       /* decoded path of the request */
    struct span link_to;                    /* where a redirect leads: the value of Location */
    struct span note;                       /* what the operator has to say about this place */
    const struct alternative *alternatives; /* what the client may choose from */
    uint32_t alternative_count;
    struct span accept; /* the fields of the request; p == NULL: absent */
    struct span accept_language;
};

struct explain_content {
    struct span media_type; /* static */
    struct span language;   /* for Content-Language; static */
    struct span content;    /* in the arena; empty when that is full */
};

/*
 * The format for an Accept field: the one of highest quality. Of several equal ones a format that the client names
 * wins over one that only a wildcard covers, so that browsers get HTML and API clients JSON; named alike, HTML comes
 * before JSON before text. Text when nothing but wildcards, or nothing at all, is said: that is what a person at a
 * terminal can read. application/json asks for problem+json, too. Text also when nothing fits.
 */
enum explain_format explain_format(struct span accept);

/*
 * Memory      the content alone, exactly its size, from `a`
 * Size        bounded: everything that the client can choose is cut to EXPLAIN_OPERAND_BYTES, at a character, with an
 *             ellipsis; link_to is given whole, once, and so are the alternatives
 * Threads     any that owns `a`
 */
#define EXPLAIN_OPERAND_BYTES 200
struct explain_content explain_content(struct arena *a, const struct explain_input *in);

#endif
