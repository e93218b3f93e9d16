#ifndef HTTP_PRIORITY_H
#define HTTP_PRIORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define PRIORITY_URGENCY_STANDARD 3

/* How soon a response is wanted. RFC9218:4 */
struct priority {
    uint8_t urgency;  /* 0, soonest, to 7 */
    bool incremental; /* useful in parts: shares the connection with others of the same urgency */
};

/*
 * The value of Priority (a dictionary of structured fields, RFC9651:4.2.2). A member that cannot be understood, or is out
 * of bounds, is as if it were not there; of several with one key the last counts, understood or not; a text that is no
 * dictionary gives the standard: urgency 3, not incremental. Linear, no memory, any thread.
 */
struct priority priority_parse(struct span value);

#endif
