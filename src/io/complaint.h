#ifndef IO_COMPLAINT_H
#define IO_COMPLAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define COMPLAINT_LINE_BYTES 512u        /* of one line; the rest of a longer one is another */
#define COMPLAINT_BYTES      (64u << 10) /* of all that one speaker may say */

/*
 * What somebody else's program says of its troubles, told on our standard error: a line at a time, and whose it is. What
 * is not printable becomes '?'. Begins zeroed.
 *
 * Threads  none: one belongs to one speaker
 */
struct complaint {
    char line[COMPLAINT_LINE_BYTES];
    uint32_t at;   /* bytes in the line */
    uint32_t told; /* bytes in all */
    bool full;     /* more was said than is told */
};

/* More of it has come. who: "cgi 0123abcd", what each line begins with. */
void complaint_take(struct complaint *c, struct span who, struct span bytes);

/* No more comes: a line that was not ended is told. */
void complaint_end(struct complaint *c, struct span who);

#endif
