#ifndef CLI_EXPLAIN_IMPL_H
#define CLI_EXPLAIN_IMPL_H

#include <stdio.h>

#include "explain/code.h"
#include "explain/look_up.h"
#include "explain/text.h"

/* The first row of the status that the RFCs have for a reason; NULL when nothing is sent. */
const struct status_info *explain_status_of(enum reason why);

/* Both write all of `found`, in the language. */
void explain_text(FILE *out, const struct look_up *found, enum language language);
void explain_json(FILE *out, const char *what, const struct look_up *found, enum language language);

#endif
