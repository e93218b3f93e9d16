#ifndef EXPLAIN_CODE_H
#define EXPLAIN_CODE_H

#include "reason/reason.h"

/* A number under which somebody knows a reason, as a person would write it: "404", "404.13", "400 (494)", "(499)". In
 * brackets stands what is logged or told and not sent. */
struct explain_code {
    char text[24];
};
struct explain_code explain_code(enum reason why, enum dialect dialect);

/* What the dialect's log writes besides the status sent: "404.13" in IIS, "494" in the others; empty when there is nothing. */
struct explain_code explain_detail(enum reason why, enum dialect dialect);

/* The numbers of a reason beside those of the dialects: "esri 498, iis 503.4"; empty when there are none. */
struct explain_codes {
    char text[256];
};
struct explain_codes explain_other_codes(enum reason why);

#endif
