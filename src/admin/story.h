#ifndef ADMIN_STORY_H
#define ADMIN_STORY_H

#include <jansson.h>

#include "admin/source.h"
#include "explain/text.h"

/* The members `path` and `end` of an exchange (docs/admin.md): each node that it passed, with the answer and what decided it, and
 * where it left the graph (null while it has not). The caller owns both; NULL without memory. */
json_t *story_path(const struct admin_source *source, const struct record *r, enum language language);
json_t *story_end(const struct record *r);

#endif
