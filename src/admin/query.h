#ifndef ADMIN_QUERY_H
#define ADMIN_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

#define QUERY_MOST 24u /* parameters; more make it malformed */

struct query_parameter {
    struct span name, value; /* decoded: %41 and + are resolved */
};

/* The parameters of a query, `name=value` joined by `&`. */
struct query {
    struct query_parameter all[QUERY_MOST];
    uint32_t count;
};

/* Spans of *out lie in the text, or in the arena. False: too many of them, one without a name, a bad escape, or no memory in the arena;
 * *bad_out is the name of the parameter that is wrong or one too many, or what stands there in its place, and empty
 * without memory. */
bool query_parse(struct arena *a, struct span text, struct query *out, struct span *bad_out);

/* The value of the first one of that name, empty where it has none; p == NULL: there is no such parameter. */
struct span query_value(const struct query *q, struct span name);

/* A value of digits only, up to max; false when it is something else. Absent: standard. */
bool query_number(const struct query *q, struct span name, uint64_t standard, uint64_t max, uint64_t *out);

/* The first parameter whose name is none of `known`; p == NULL: there is none. */
struct span query_unknown(const struct query *q, const struct span *known, size_t count);

#endif
