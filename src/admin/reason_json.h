#ifndef ADMIN_REASON_JSON_H
#define ADMIN_REASON_JSON_H

#include <jansson.h>

#include "reason/reason.h"

/* A row of the registry as an object: name, id, text, codes of each dialect and of others, after, lasts, proxy_error,
 * spec. The caller owns it. */
json_t *reason_json(enum reason why);

/* The codes of each dialect as a person writes them (explain/code.h): {"rfc":"404",...}. The caller owns it; NULL without
 * memory. */
json_t *reason_shown_json(enum reason why);

/* The same words for columns of the table: "keep" or "close", "unknown", "temporary" or "permanent". */
const char *reason_after_name(enum after after);
const char *reason_lasts_name(enum lasts lasts);

#endif
