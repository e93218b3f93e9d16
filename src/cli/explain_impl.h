#ifndef CLI_EXPLAIN_IMPL_H
#define CLI_EXPLAIN_IMPL_H

#include <stdio.h>

#include "explain/look_up.h"
#include "explain/text.h"

/* A number under which somebody knows a reason, as a person would write it: "404", "404.13", "400 (494)", "(499)". In
 * brackets stands what is logged or told and not sent. */
struct explain_code {
    char text[24];
};
struct explain_code explain_code(enum reason why, enum dialect dialect);

/* The numbers of a reason beside those of the dialects: "esri 498, iis 503.4"; empty when there are none. */
struct explain_codes {
    char text[256];
};
struct explain_codes explain_other_codes(enum reason why);

/* The first row of the status that the RFCs have for a reason; NULL when nothing is sent. */
const struct status_info *explain_status_of(enum reason why);

/* Both write all of `found`, in the language. */
void explain_text(FILE *out, const struct look_up *found, enum language language);
void explain_json(FILE *out, const char *what, const struct look_up *found, enum language language);

#endif
