#ifndef HTTP_MAX_FORWARDS_H
#define HTTP_MAX_FORWARDS_H

#include <stdint.h>

#include "http/head.h"

/* What is written at most: a larger number received is lowered to it. RFC9110:7.6.2 */
#define MAX_FORWARDS_MOST 1000

enum max_forwards {
    MAX_FORWARDS_NONE, /* the field is absent, repeated or no number: forward it as it is */
    MAX_FORWARDS_LAST, /* 0: do not forward, answer as the final recipient */
    MAX_FORWARDS_MORE, /* forward with *next instead */
};

/* For TRACE and OPTIONS; other methods have no use for it. *next is set with MAX_FORWARDS_MORE. Pure; any thread. */
enum max_forwards max_forwards_read(const struct head *head, uint32_t *next);

#endif
