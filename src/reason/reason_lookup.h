#ifndef REASON_REASON_LOOKUP_H
#define REASON_REASON_LOOKUP_H

#include "reason/reason.h"

/*
 * From numbers back to reasons: who calls what 499?
 *
 *     struct reason_lookup l;
 *     struct reason_number n;
 *
 *     if (reason_lookup_parse(SPAN("nginx:499"), &l))
 *         while (reason_lookup_next(&l, &n))
 *             ...
 *
 * Not for the hot path: a walk over all reasons and dialects.
 * Memory   nothing is allocated; results are static.
 * Threads  any thread; a struct reason_lookup belongs to one.
 */

/* A number under which somebody knows a reason. */
struct reason_number {
    enum reason why;
    const char *vendor; /* rfc, nginx, iis, cloudflare, or a vendor of others.def */
    int wire;           /* status sent; 0: nothing is sent */
    int detail;         /* nginx: status for the log; iis: sub-status; cloudflare: error number; -1: none */
    bool answered;      /* it is what reason_code() answers, not one of the further numbers of others.def */
};

/* The question. Fields not asked for: R_NONE, the empty span, 0, -1. Set `next` to 0. */
struct reason_lookup {
    enum reason why;
    struct span vendor; /* borrowed; a dialect, arr (numbers of iis), or a vendor of others.def; any case */
    int number;         /* status sent, status for the log, or error number */
    int sub;            /* iis sub-status */
    unsigned next;      /* where the walk is */
};

/* [vendor ":"] number ["." sub-status], as in 404, 404.13, iis:404.13, nginx:499, cloudflare:1020. False, and *out is
 * undefined, for anything else. Whether such a vendor exists is not asked: it then has no numbers. Borrows text. */
bool reason_lookup_parse(struct span text, struct reason_lookup *out);

/*
 * The next match, false at the end. Order: rfc, nginx, iis, cloudflare, others.def; in each by id.
 * A dialect that answers as the RFC is listed only when asked for by name.
 */
bool reason_lookup_next(struct reason_lookup *l, struct reason_number *out);

/* The document n was read in; NULL for numbers of the RFCs. The place (page, file) goes to *place_out unless NULL. */
const char *reason_lookup_source(const struct reason_number *n, const char **place_out);

#endif
