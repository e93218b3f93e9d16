#ifndef HTTP_TRACEPARENT_H
#define HTTP_TRACEPARENT_H

#include <stdbool.h>

#include "base/span.h"

/*
 * Is it a well-formed value of the field traceparent (W3C Trace Context, 3.2)? Version, trace, parent and flags in hex digits of
 * lower case, neither trace nor parent all zero, and no version ff. A version above 00 may be followed by more, behind a
 * hyphen. Pure; any thread.
 */
bool traceparent_valid(struct span value);

#endif
