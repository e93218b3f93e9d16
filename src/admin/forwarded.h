#ifndef ADMIN_FORWARDED_H
#define ADMIN_FORWARDED_H

#include <jansson.h>
#include <stdbool.h>

#include "explain/text.h"
#include "record/record.h"

/*
 * What a record tells of an upstream (docs/admin.md). JSON is the caller's; it is NULL without memory.
 */

/* The member `upstream` of an exchange: null when the request went no further. */
json_t *forwarded_json(const struct record *r, enum language language);

/* The members `by` and `upstream_name` of a ROW. */
void forwarded_row(json_t **o, const struct record *r);

/* Was it for the upstream of this name? */
bool forwarded_to(const struct record *r, struct span name);

#endif
