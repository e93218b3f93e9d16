#ifndef REASON_REASON_H
#define REASON_REASON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * The registry: one name for each way an exchange can end, and what follows from it.
 *
 * Memory   everything returned is static and constant once main() runs; nothing is allocated.
 * Threads  any thread, no lock.
 */

/* Every way an exchange can end. Names are kebab-case in public, underscored here. */
enum reason {
    R_NONE, /* nothing to report: go on */
    R_MORE, /* no verdict before more bytes come; never leaves a parser */
#define REASON(id, name, ...) R_##name,
#include "reason/reasons.def"
#undef REASON
    R_COUNT
};

/* Whose codes are spoken. */
enum dialect { DIALECT_RFC, DIALECT_NGINX, DIALECT_IIS, DIALECT_CLOUDFLARE, DIALECTS };

/* May the connection carry another exchange? */
enum after { KEEP, CLOSE };

/* Is repeating the request later worth while? Said in error content. RFC9110:15.5, RFC9110:15.6 */
enum lasts { UNKNOWN, TEMPORARY, PERMANENT };

/*
 * What is sent, and what is told besides (in the log, on the error page).
 *
 * The status sent decides which fields the response needs (WWW-Authenticate, Allow, Retry-After), not the reason: the
 * IIS dialect sends 401 for acl-denied, and nginx's sends 405 for method-unknown.
 */
struct code {
    uint16_t wire;   /* status sent; 0: nothing is sent and the connection is closed */
    uint16_t detail; /* nginx: status for the log; iis: sub-status + 1, because 404.0 is one; cloudflare: error number,
                        or status for the log when wire is 0; 0: none */
};

struct reason_info {
    uint16_t id; /* stable for ever; never a status nor a vendor's number */
    uint8_t name_bytes;
    enum after after;
    enum lasts lasts;
    struct code code[DIALECTS]; /* as stored: read through reason_code() */
    const char *name;           /* kebab-case */
    const char *proxy_error;    /* RFC9209:2.3 error type, or "" */
    const char *spec;           /* RFCnnnn:section, or "local" */
    const char *text;           /* English, at most 72 bytes, no full stop */
};

/* r in (R_MORE, R_COUNT). Never NULL. */
const struct reason_info *reason_info(enum reason r);

/* Both numbers of r in dialect d; a dialect that has none of its own answers as the RFC does. r in (R_MORE, R_COUNT).
 */
struct code reason_code(enum reason r, enum dialect d);

/* Does d have a number of its own for r? Never true for DIALECT_RFC. r in (R_MORE, R_COUNT). */
bool reason_differs(enum reason r, enum dialect d);

/* By public name (kebab-case); R_NONE when there is none. O(R_COUNT). */
enum reason reason_find(struct span name);

/* By id; R_NONE when there is none. O(R_COUNT). */
enum reason reason_find_id(unsigned id);

/* The dialect called `name` (rfc, nginx, iis, cloudflare); DIALECTS when there is none. */
enum dialect dialect_find(struct span name);

/* d < DIALECTS. */
const char *dialect_name(enum dialect d);

#endif
