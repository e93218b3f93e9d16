#ifndef RECORD_SECRET_H
#define RECORD_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "exchange/exchange.h"

/*
 * What must not be kept: values of fields that carry credentials, and parameters of queries that do. Names are compared
 * without regard to case.
 */
struct secrets {
    const struct span *fields;  /* names of fields, of requests and of replies */
    const struct span *queries; /* names of parameters: of the target, of Referer and of Location */
    uint32_t field_count, query_count;
};

/* What is kept from nobody's eyes when the configuration does not say otherwise. Static. */
extern const struct secrets secrets_standard;

/* What stands for a value that was removed. */
#define SECRET_REMOVED "[removed]"

/* May the request's head hold anything of the kind? Cheap; true when in doubt. */
bool secrets_suspected(const struct secrets *s, const struct exchange *x);

/* Is this the name of such a field? */
bool secrets_field(const struct secrets *s, struct span name);

/*
 * Copy a head as it was sent - a first line, lines of fields, perhaps cut off or malformed anywhere - without its
 * secrets: SECRET_REMOVED stands for the value of each such field, folded lines included, and of each such parameter.
 * Userinfo of a URI (RFC9110:4.2.4) goes in the same way. A name is still found when what is around it is malformed
 * (white space before the colon, a bare CR as the end of a line).
 *
 * Returns  bytes written; at most room: what has no more room is left away, never half of a mark
 */
size_t secrets_copy(const struct secrets *s, struct span head, char *out, size_t room);

#endif
