#ifndef CLI_ADMIN_GET_H
#define CLI_ADMIN_GET_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "io/address.h"
#include "reason/reason.h"

#define ADMIN_GET_LIMIT_MS    5000u              /* from the connect to the last byte */
#define ADMIN_GET_BYTES_MOST  ((size_t)4 << 20)  /* of content */
#define ADMIN_GET_HEAD_BYTES  ((size_t)64 << 10) /* of all heads of the answer */
#define ADMIN_GET_TOKEN_BYTES 1024u              /* longest token */

/* What to get. Spans are borrowed. */
struct admin_question {
    struct span path;  /* with the query: "/api/exchanges/last?lang=en" */
    struct span token; /* printable ASCII, no space; empty: none is sent */
    uint32_t limit_ms; /* ADMIN_GET_LIMIT_MS, but for tests */
};

struct admin_answer {
    unsigned status; /* of the final answer */
    enum reason why; /* as the field Verdict names it; R_NONE: it names none */
    char *content;   /* NUL-terminated; owned: free() */
    size_t bytes;
};

/*
 * Get one document from the admin listener at `to`, and wait for it. Blocks for limit_ms at most.
 *
 * Returns  NULL with *out set; or a static sentence for the operator, "why: what to do", and *out untouched
 * Threads  any
 * Spec     RFC9112:6.3: content by length, in chunks, or until the connection ends; interim answers are passed over
 */
const char *admin_get(const struct address *to, const struct admin_question *question, struct admin_answer *out)
    __attribute__((warn_unused_result));

#endif
